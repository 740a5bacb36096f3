//! The USB stick: what two nodes would say to each other, in a file.
//!
//! `format.rs` the bytes, pure · `plan.rs` which run goes into which piece · `file.rs` atomic writing, careful reading ·
//! `older.rs` what an earlier bundle of the name left. What goes into a
//! bundle and what is taken from one is the replica's business.

mod file;
mod format;
mod older;
mod plan;
#[cfg(test)]
mod tests;

pub use file::{BundleReader, BundleWriter, OpenError, Piece, piece_names};
pub use format::{BundleHeader, FORMAT_VERSION, FeedsSeen, Frame, HEADS_PER_FRAME, Span, Target};
pub(crate) use format::{MAGIC, PARTS_MAX};
pub use older::older_pieces;
pub use plan::{PiecePlan, Planner, RunSize, Unplannable};
