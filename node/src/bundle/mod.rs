//! The USB stick: what two nodes would say to each other, in a file.
//!
//! `format.rs` the bytes, pure · `file.rs` atomic writing, careful reading. What goes into a
//! bundle and what is taken from one is the replica's business.

mod file;
mod format;
#[cfg(test)]
mod tests;

pub use file::{BundleReader, BundleWriter, OpenError, Piece};
pub use format::{BundleHeader, FORMAT_VERSION, FeedsSeen, Frame, HEADS_PER_FRAME, Target};
