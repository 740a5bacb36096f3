//! The stores of a node: files of its own, or stores somebody lends it.
//!
//! A node that a person runs has two redb files. A simulation of thousands of nodes, or of a disk
//! that fails, lends it stores of the same ports; the node cannot tell.

use std::fmt;
use std::ops::RangeInclusive;

use crdt_schema::entry::{BackRefs, ChainPoint, Entry, PackedRun};
use crdt_schema::id::{FeedId, StoreInstance};
use crdt_schema::time::Timestamp;

use super::feed::{RedbFeedStore, ScanStep};
use super::view::RedbViewStore;
use crate::ports::{
    Arrival, CountRow, EditRef, EntryIds, FeedBatch, FeedHeads, FeedStore, NamedValue, RecordKey,
    RowFilter, StoreError, Totals, ViewBatch, ViewRow, ViewStore,
};

/// The truth of a node.
#[expect(clippy::large_enum_variant, reason = "a process has one, and it is never moved")]
pub enum Feeds {
    /// A redb file.
    Own(RedbFeedStore),
    /// Any store.
    Lent(Box<dyn FeedStore + Send>),
}

/// The views of a node.
#[expect(clippy::large_enum_variant, reason = "a process has one, and it is never moved")]
pub enum Views {
    /// A redb file.
    Own(RedbViewStore),
    /// Any store.
    Lent(Box<dyn ViewStore + Send>),
}

impl fmt::Debug for Feeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(store) => store.fmt(f),
            Self::Lent(_) => f.write_str("Lent(..)"),
        }
    }
}

impl fmt::Debug for Views {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(store) => store.fmt(f),
            Self::Lent(_) => f.write_str("Lent(..)"),
        }
    }
}

impl Feeds {
    fn port(&self) -> &dyn FeedStore {
        match self {
            Self::Own(store) => store,
            Self::Lent(store) => &**store,
        }
    }

    /// As [`RedbFeedStore::is_read_only`]; what is lent may be written.
    pub(crate) const fn is_read_only(&self) -> bool {
        match self {
            Self::Own(store) => store.is_read_only(),
            Self::Lent(_) => false,
        }
    }

    /// As [`RedbFeedStore::check_pages`]; a lent store has none.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn check_pages(&mut self) -> Result<(), StoreError> {
        match self {
            Self::Own(store) => store.check_pages(),
            Self::Lent(_) => Ok(()),
        }
    }

    /// As [`RedbFeedStore::scan`].
    ///
    /// # Errors
    /// As there; [`StoreError::Misuse`] of a lent store, whose bytes at rest are its owner's.
    pub(crate) fn scan(&self, each: &mut dyn FnMut(ScanStep<'_>)) -> Result<(), StoreError> {
        match self {
            Self::Own(store) => store.scan(each),
            Self::Lent(_) => Err(StoreError::Misuse("a lent store is checked by who lends it")),
        }
    }
}

impl Views {
    fn port(&self) -> &dyn ViewStore {
        match self {
            Self::Own(store) => store,
            Self::Lent(store) => &**store,
        }
    }

    fn port_mut(&mut self) -> &mut dyn ViewStore {
        match self {
            Self::Own(store) => store,
            Self::Lent(store) => &mut **store,
        }
    }
}

impl FeedStore for Feeds {
    fn instance(&self) -> StoreInstance {
        self.port().instance()
    }

    fn feeds(&self) -> Result<Vec<FeedHeads>, StoreError> {
        self.port().feeds()
    }

    fn commit(&mut self, batch: &FeedBatch, received_at: Timestamp) -> Result<u64, StoreError> {
        match self {
            Self::Own(store) => store.commit(batch, received_at),
            Self::Lent(store) => store.commit(batch, received_at),
        }
    }

    fn packed_run(
        &self,
        feed: FeedId,
        branch: u32,
        from: u64,
    ) -> Result<Option<PackedRun>, StoreError> {
        self.port().packed_run(feed, branch, from)
    }

    fn entries(
        &self,
        feed: FeedId,
        branch: u32,
        range: RangeInclusive<u64>,
    ) -> Result<Vec<Entry>, StoreError> {
        self.port().entries(feed, branch, range)
    }

    fn point(&self, feed: FeedId, branch: u32, seq: u64) -> Result<Option<ChainPoint>, StoreError> {
        self.port().point(feed, branch, seq)
    }

    fn back_refs(&self, feed: FeedId, branch: u32) -> Box<dyn BackRefs + '_> {
        self.port().back_refs(feed, branch)
    }

    fn newest_arrival(&self) -> Result<u64, StoreError> {
        self.port().newest_arrival()
    }

    fn arrivals(&self, after: u64, limit: usize) -> Result<Vec<Arrival>, StoreError> {
        self.port().arrivals(after, limit)
    }

    fn value(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.port().value(name)
    }

    fn values(&self, prefix: &[u8]) -> Result<Vec<NamedValue>, StoreError> {
        self.port().values(prefix)
    }

    fn value_up_to(&self, prefix: &[u8], name: &[u8]) -> Result<Option<NamedValue>, StoreError> {
        self.port().value_up_to(prefix, name)
    }

    fn format(&self) -> u32 {
        self.port().format()
    }

    fn size_bytes(&self) -> Result<u64, StoreError> {
        self.port().size_bytes()
    }

    fn free_bytes(&self) -> Option<u64> {
        self.port().free_bytes()
    }

    fn reopen(&mut self) -> Result<(), StoreError> {
        match self {
            Self::Own(store) => store.reopen(),
            Self::Lent(store) => store.reopen(),
        }
    }
}

impl ViewStore for Views {
    fn applied(&self) -> Result<u64, StoreError> {
        self.port().applied()
    }

    fn row(&self, key: &RecordKey, ids: &dyn EntryIds) -> Result<Option<ViewRow>, StoreError> {
        self.port().row(key, ids)
    }

    fn find(&self, hex_prefix: &str) -> Result<Vec<RecordKey>, StoreError> {
        self.port().find(hex_prefix)
    }

    fn edits(&self, key: &RecordKey, ids: &dyn EntryIds) -> Result<Vec<EditRef>, StoreError> {
        self.port().edits(key, ids)
    }

    fn commit(&mut self, batch: ViewBatch, durable: bool) -> Result<(), StoreError> {
        self.port_mut().commit(batch, durable)
    }

    fn list(
        &self,
        filter: &RowFilter,
        after: Option<&RecordKey>,
        limit: usize,
        ids: &dyn EntryIds,
    ) -> Result<(u64, Vec<ViewRow>), StoreError> {
        self.port().list(filter, after, limit, ids)
    }

    fn totals(&self) -> Result<Totals, StoreError> {
        self.port().totals()
    }

    fn counts(&self) -> Result<Vec<CountRow>, StoreError> {
        self.port().counts()
    }

    fn clear(&mut self) -> Result<(), StoreError> {
        self.port_mut().clear()
    }

    fn reopen(&mut self) -> Result<(), StoreError> {
        self.port_mut().reopen()
    }

    fn compact(&mut self) -> Result<(), StoreError> {
        self.port_mut().compact()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use tempfile::TempDir;

    use super::*;

    const INSTANCE: StoreInstance = StoreInstance([7; 16]);
    const CACHE_BYTES: usize = 1 << 20;

    #[test]
    fn what_is_lent_says_how_much_room_its_disk_has() {
        let room = TempDir::new().unwrap();
        let store = RedbFeedStore::create(&room.path().join("feeds"), INSTANCE).unwrap();
        assert!(Feeds::Lent(Box::new(store)).free_bytes().is_some());
    }

    #[test]
    fn what_is_lent_is_read_anew_from_its_disk() {
        let room = TempDir::new().unwrap();
        let (feeds, views) = (room.path().join("feeds"), room.path().join("views"));
        let store = RedbFeedStore::create(&feeds, INSTANCE).unwrap();
        let mut lent = Feeds::Lent(Box::new(store));
        lent.reopen().unwrap();
        std::fs::remove_file(&feeds).unwrap();
        assert!(lent.reopen().is_err(), "there is nothing to read any more");
        let store = RedbViewStore::open_or_create(&views, INSTANCE, CACHE_BYTES).unwrap();
        let mut lent = Views::Lent(Box::new(store));
        std::fs::remove_file(&views).unwrap();
        lent.reopen().unwrap();
        assert!(views.exists(), "views are made anew");
    }
}
