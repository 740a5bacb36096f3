//! Reconciling two nodes: what each holds, compared and completed. No socket, no clock, no disk.
//!
//! `summary.rs` every head in memory, hashed along today's tree.

pub mod summary;
#[cfg(test)]
pub(crate) mod testing;

pub use summary::{Counts, CutRoot, HeldHeads, Root, Summary, Tree, empty_root};
