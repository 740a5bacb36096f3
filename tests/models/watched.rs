//! A feed store in memory that a test looks at, or lets fail, as it is read and written.

use std::ops::RangeInclusive;

use crdt_schema::entry::{BackRefs, ChainPoint, Entry, PackedRun};
use crdt_schema::id::{FeedId, StoreInstance};
use crdt_schema::time::Timestamp;
use node::ports::{Arrival, BranchHead, FeedBatch, FeedHeads, FeedStore, NamedValue, StoreError};
use node::store::memory::MemoryFeedStore;

/// What a test does about it. By itself nothing.
pub(crate) trait Watch {
    /// Entries of a feed are about to be read; its heads lie apart, as on a disk.
    ///
    /// # Errors
    /// What the disk is to say.
    fn reads(&self, _feed: FeedId) -> Result<(), StoreError> {
        Ok(())
    }

    /// Named values are about to be read.
    ///
    /// # Errors
    /// What the disk is to say.
    fn reads_values(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// A batch is about to be written.
    fn commits(&self, _batch: &FeedBatch) {}

    /// These entries were read at once.
    fn gave(&self, _entries: &[Entry]) {}

    /// A page of arrivals is about to be read.
    fn pages(&self) {}

    /// Bytes the disk has left.
    fn free_bytes(&self) -> Option<u64> {
        None
    }
}

/// The store, and who looks.
#[derive(Debug, Clone)]
pub(crate) struct Watched<W> {
    pub(crate) held: MemoryFeedStore,
    pub(crate) watch: W,
}

impl<W: Watch> FeedStore for Watched<W> {
    fn instance(&self) -> StoreInstance {
        self.held.instance()
    }

    fn feeds(&self) -> Result<Vec<FeedHeads>, StoreError> {
        self.held.feeds()
    }

    fn commit(&mut self, batch: &FeedBatch, received_at: Timestamp) -> Result<u64, StoreError> {
        self.watch.commits(batch);
        self.held.commit(batch, received_at)
    }

    fn packed_run(
        &self,
        feed: FeedId,
        branch: u32,
        from: u64,
    ) -> Result<Option<PackedRun>, StoreError> {
        self.watch.reads(feed)?;
        self.held.packed_run(feed, branch, from)
    }

    fn entries(
        &self,
        feed: FeedId,
        branch: u32,
        range: RangeInclusive<u64>,
    ) -> Result<Vec<Entry>, StoreError> {
        self.watch.reads(feed)?;
        let entries = self.held.entries(feed, branch, range)?;
        self.watch.gave(&entries);
        Ok(entries)
    }

    fn point(&self, feed: FeedId, branch: u32, seq: u64) -> Result<Option<ChainPoint>, StoreError> {
        let feeds = self.held.feeds()?;
        let branches = feeds.iter().find(|it| it.name.id() == feed).map(|it| &it.branches);
        let is_within = |all: &Vec<BranchHead>| all.iter().any(|it| seq < it.head.point.seq);
        if branches.is_some_and(is_within) {
            self.watch.reads(feed)?;
        }
        self.held.point(feed, branch, seq)
    }

    fn back_refs(&self, feed: FeedId, branch: u32) -> Box<dyn BackRefs + '_> {
        self.held.back_refs(feed, branch)
    }

    fn newest_arrival(&self) -> Result<u64, StoreError> {
        self.held.newest_arrival()
    }

    fn arrivals(&self, after: u64, limit: usize) -> Result<Vec<Arrival>, StoreError> {
        self.watch.pages();
        self.held.arrivals(after, limit)
    }

    fn value(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.watch.reads_values()?;
        self.held.value(name)
    }

    fn values(&self, prefix: &[u8]) -> Result<Vec<NamedValue>, StoreError> {
        self.watch.reads_values()?;
        self.held.values(prefix)
    }

    fn format(&self) -> u32 {
        self.held.format()
    }

    fn size_bytes(&self) -> Result<u64, StoreError> {
        self.held.size_bytes()
    }

    fn free_bytes(&self) -> Option<u64> {
        self.watch.free_bytes()
    }
}
