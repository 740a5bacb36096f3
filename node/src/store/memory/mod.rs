//! The store ports without a disk: for simulations of thousands of nodes, and as the plain reading
//! of what a port asks, against which redb is tested.

mod feed;
mod view;

pub use feed::{EntryPool, MemoryFeedStore};
pub use view::MemoryViewStore;
