//! What a node's entries lie on: memory, or a disk that forgets. A shelf outlives its node.

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crdt_schema::entry::{BackRefs, ChainPoint, Entry, PackedRun};
use crdt_schema::id::{EntryId, FeedId, RecordId, StoreInstance};
use crdt_schema::testing::Numbers;
use crdt_schema::time::Timestamp;
use node::ports::{
    Arrival, CountRow, EditRef, EntryIds, FeedBatch, FeedHeads, FeedStore, NamedValue, RecordKey,
    RowFilter, StoreError, Totals, ViewBatch, ViewRow, ViewStore,
};
use node::store::StoreConfig;
use node::store::feed::RedbFeedStore;
use node::store::memory::{EntryPool, MemoryFeedStore, MemoryViewStore};
use node::store::view::RedbViewStore;

use super::disk::Disk;
use super::plant::Plant;

/// Pages a small store may keep.
const CACHE_BYTES: usize = 1 << 20;
/// Room in which nothing more is written.
pub(super) const LITTLE_BYTES: u64 = 64 * 1024;

/// The stores a node is lent.
pub(super) type Lent = (Box<dyn FeedStore + Send>, Box<dyn ViewStore + Send>);

/// What a node's entries lie on.
#[derive(Debug)]
pub(super) enum Shelf {
    /// The twins in memory.
    Memory(Feeds, Views),
    /// Two redb stores on disks that forget.
    Disk { feeds: Disk, views: Disk, instance: StoreInstance },
}

impl Shelf {
    /// Empty memory.
    pub(super) fn memory(instance: StoreInstance, plant: Option<Plant>, pool: &EntryPool) -> Self {
        let store = MemoryFeedStore::new(instance).sharing(pool);
        Self::Memory(Feeds::new(store, plant), Views::default())
    }

    /// Empty disks.
    pub(super) fn disk(instance: StoreInstance) -> Self {
        Self::Disk { feeds: Disk::default(), views: Disk::default(), instance }
    }

    /// Opens what lies here.
    ///
    /// # Errors
    /// [`StoreError`] of the stores.
    pub(super) fn lend(&mut self) -> Result<Lent, StoreError> {
        match self {
            Self::Memory(feeds, views) => Ok((Box::new(feeds.clone()), Box::new(views.clone()))),
            Self::Disk { feeds, views, instance } => {
                let config = StoreConfig { cache_bytes: CACHE_BYTES, check_pages: false };
                let store = if feeds.is_empty() {
                    RedbFeedStore::create_on(feeds.clone(), *instance, &config)?
                } else {
                    RedbFeedStore::open_on(feeds.clone(), &config)?
                };
                Ok((Box::new(store), Box::new(open_views(views, *instance)?)))
            }
        }
    }

    /// The power fails in the middle of whatever is written next, after a few writes.
    pub(super) fn cut_in(&self, steps: u64, keeps: bool) {
        match self {
            Self::Memory(feeds, _) => feeds.held().fail = Some(Failing::Power { keeps }),
            Self::Disk { feeds, .. } => feeds.cut_in(steps),
        }
    }

    /// The disk of the views fails to take anything after a few writes more.
    pub(super) fn cut_views_in(&self, steps: u64) {
        if let Self::Disk { views, .. } = self {
            views.cut_in(steps);
        }
    }

    /// No power cut is about to come.
    pub(super) fn calm(&self) {
        match self {
            Self::Memory(feeds, views) => {
                feeds.held().fail = None;
                views.held().before = None;
            }
            Self::Disk { feeds, views, .. } => {
                feeds.calm();
                views.calm();
            }
        }
    }

    /// So many bytes of room are left, or as many as come. Memory is full when there is less than
    /// [`LITTLE_BYTES`]; a disk in memory cannot say how much it has, so it fills up.
    pub(super) fn leave_room(&self, bytes: Option<u64>) {
        match self {
            Self::Memory(feeds, _) => {
                let mut held = feeds.held();
                (held.fail, held.refused) = (bytes.map(Failing::Room), false);
            }
            Self::Disk { feeds, .. } => {
                let left = bytes.map(|it| usize::try_from(it.min(LITTLE_BYTES)).unwrap_or(0));
                feeds.leave_room(left);
            }
        }
    }

    /// What is open was read anew: whatever fails from here on has a reason of its own.
    pub(super) fn forget_refusals(&self) {
        match self {
            Self::Memory(feeds, _) => feeds.held().refused = false,
            Self::Disk { feeds, .. } => feeds.forget_refusals(),
        }
    }

    /// Whether a write was refused since there is so little room, or since the store was read anew.
    pub(super) fn has_refused(&self) -> bool {
        match self {
            Self::Memory(feeds, _) => feeds.held().refused,
            Self::Disk { feeds, .. } => feeds.has_refused(),
        }
    }

    /// Whether anything is written by a thread of its own.
    pub(super) const fn has_threads(&self) -> bool {
        matches!(self, Self::Disk { .. })
    }

    /// Whether what failed can be read anew below an open node.
    pub(super) const fn reopens(&self) -> bool {
        matches!(self, Self::Memory(..))
    }

    /// Whether the power failed.
    pub(super) fn is_dead(&self) -> bool {
        match self {
            Self::Memory(feeds, _) => feeds.held().dead,
            Self::Disk { feeds, views, .. } => feeds.is_dead() || views.is_dead(),
        }
    }

    /// Before the node is dropped: nothing it writes while it goes is kept.
    pub(super) fn kill(&self) {
        match self {
            Self::Memory(feeds, _) => feeds.held().dead = true,
            Self::Disk { feeds, views, .. } => {
                feeds.kill();
                views.kill();
            }
        }
    }

    /// The power is back: what was not synced is lost, or not, as it falls. What became of views in
    /// memory; those on a disk are looked at when they are opened.
    pub(super) fn revive(&mut self, numbers: &mut Numbers) -> Option<&'static str> {
        match self {
            Self::Memory(feeds, views) => {
                let mut held = feeds.held();
                (held.dead, held.fail, held.refused) = (false, None, false);
                if let Some(before) = held.before.take() {
                    held.store = before;
                }
                drop(held);
                views.lose(numbers)
            }
            Self::Disk { feeds, views, .. } => {
                *feeds = feeds.after_power_cut(numbers);
                *views = views.after_power_cut(numbers);
                None
            }
        }
    }

    /// A card with the same bytes.
    pub(super) fn copy(&self) -> Self {
        match self {
            Self::Memory(feeds, views) => {
                let held = feeds.held();
                let copy = Feeds::new(held.store.clone(), held.plant);
                drop(held);
                Self::Memory(copy, Views(Arc::new(Mutex::new(views.held().clone()))))
            }
            Self::Disk { feeds, views, instance } => {
                Self::Disk { feeds: feeds.copy(), views: views.copy(), instance: *instance }
            }
        }
    }

    /// What is held in truth, whatever stands between it and the node; a disk can be read by its
    /// node alone.
    pub(super) fn truth(&self) -> Option<Feeds> {
        match self {
            Self::Memory(feeds, _) => Some(feeds.clone()),
            Self::Disk { .. } => None,
        }
    }

    /// Views as they are, for a later power cut; a disk remembers by itself what was synced.
    pub(super) fn remember_views(&self) {
        if let Self::Memory(_, views) = self {
            let mut held = views.held();
            held.before = Some(held.store.clone());
        }
    }
}

fn open_views(disk: &mut Disk, instance: StoreInstance) -> Result<RedbViewStore, StoreError> {
    if !disk.is_empty()
        && let Ok(Some(views)) = RedbViewStore::open_on(disk.clone(), instance, CACHE_BYTES)
    {
        return Ok(views);
    }
    *disk = Disk::default();
    RedbViewStore::create_on(disk.clone(), instance, CACHE_BYTES)
}

/// How the next commit in memory fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failing {
    /// The power fails; the commit is kept, or not.
    Power { keeps: bool },
    /// So many bytes are left until there is room again.
    Room(u64),
}

/// Feeds in memory that a shelf keeps.
#[derive(Debug, Clone)]
pub(super) struct Feeds(Arc<Mutex<HeldFeeds>>);

#[derive(Debug)]
struct HeldFeeds {
    store: MemoryFeedStore,
    fail: Option<Failing>,
    dead: bool,
    /// A commit was refused since so much room is left.
    refused: bool,
    plant: Option<Plant>,
    /// With [`Plant::ReceiptBeforeDurable`] what a power cut leaves.
    before: Option<MemoryFeedStore>,
}

impl Feeds {
    fn new(store: MemoryFeedStore, plant: Option<Plant>) -> Self {
        let held =
            HeldFeeds { store, fail: None, dead: false, refused: false, plant, before: None };
        Self(Arc::new(Mutex::new(held)))
    }

    fn held(&self) -> MutexGuard<'_, HeldFeeds> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn no_power() -> StoreError {
    StoreError::Io { step: "write", source: std::io::Error::other("the power is gone") }
}

impl FeedStore for Feeds {
    fn instance(&self) -> StoreInstance {
        self.held().store.instance()
    }

    fn feeds(&self) -> Result<Vec<FeedHeads>, StoreError> {
        self.held().store.feeds()
    }

    fn commit(&mut self, batch: &FeedBatch, received_at: Timestamp) -> Result<u64, StoreError> {
        let mut held = self.held();
        if held.dead {
            return Err(no_power());
        }
        if held.plant == Some(Plant::ReceiptBeforeDurable) && !batch.runs.is_empty() {
            held.before = Some(held.store.clone());
        }
        match held.fail {
            None | Some(Failing::Room(LITTLE_BYTES..)) => held.store.commit(batch, received_at),
            Some(Failing::Room(_)) if held.plant == Some(Plant::FullDiskIgnored) => {
                held.store.newest_arrival()
            }
            Some(Failing::Room(_)) => {
                held.refused = true;
                Err(StoreError::Full)
            }
            Some(Failing::Power { keeps }) => {
                held.dead = true;
                if keeps {
                    held.store.commit(batch, received_at)?;
                }
                Err(no_power())
            }
        }
    }

    fn packed_run(
        &self,
        feed: FeedId,
        branch: u32,
        from: u64,
    ) -> Result<Option<PackedRun>, StoreError> {
        self.held().store.packed_run(feed, branch, from)
    }

    fn entries(
        &self,
        feed: FeedId,
        branch: u32,
        range: RangeInclusive<u64>,
    ) -> Result<Vec<Entry>, StoreError> {
        self.held().store.entries(feed, branch, range)
    }

    fn point(&self, feed: FeedId, branch: u32, seq: u64) -> Result<Option<ChainPoint>, StoreError> {
        self.held().store.point(feed, branch, seq)
    }

    fn back_refs(&self, feed: FeedId, branch: u32) -> Box<dyn BackRefs + '_> {
        Box::new(Refs { store: self, feed, branch })
    }

    fn newest_arrival(&self) -> Result<u64, StoreError> {
        self.held().store.newest_arrival()
    }

    fn arrivals(&self, after: u64, limit: usize) -> Result<Vec<Arrival>, StoreError> {
        self.held().store.arrivals(after, limit)
    }

    fn value(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.held().store.value(name)
    }

    fn values(&self, prefix: &[u8]) -> Result<Vec<NamedValue>, StoreError> {
        self.held().store.values(prefix)
    }

    fn value_up_to(&self, prefix: &[u8], name: &[u8]) -> Result<Option<NamedValue>, StoreError> {
        self.held().store.value_up_to(prefix, name)
    }

    fn format(&self) -> u32 {
        self.held().store.format()
    }

    fn size_bytes(&self) -> Result<u64, StoreError> {
        self.held().store.size_bytes()
    }

    fn free_bytes(&self) -> Option<u64> {
        match self.held().fail {
            Some(Failing::Room(bytes)) => Some(bytes),
            Some(Failing::Power { .. }) | None => None,
        }
    }
}

struct Refs<'a> {
    store: &'a Feeds,
    feed: FeedId,
    branch: u32,
}

impl BackRefs for Refs<'_> {
    fn entry_id(&self, seq: u64) -> Option<EntryId> {
        self.store.held().store.back_refs(self.feed, self.branch).entry_id(seq)
    }

    fn record(&self, seq: u64) -> Option<(u16, RecordId)> {
        self.store.held().store.back_refs(self.feed, self.branch).record(seq)
    }
}

/// Views in memory that a shelf keeps.
#[derive(Debug, Clone, Default)]
pub(super) struct Views(Arc<Mutex<HeldViews>>);

#[derive(Debug, Clone, Default)]
struct HeldViews {
    store: MemoryViewStore,
    before: Option<MemoryViewStore>,
}

impl Views {
    fn held(&self) -> MutexGuard<'_, HeldViews> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A power cut leaves them as they are, as they were, or not at all.
    fn lose(&self, numbers: &mut Numbers) -> Option<&'static str> {
        let mut held = self.held();
        let now = held.store.applied().ok();
        let what = match (numbers.below(3), held.before.take()) {
            (0, _) => return None,
            (1, Some(before)) => {
                held.store = before;
                "views old"
            }
            (_, _) => {
                held.store = MemoryViewStore::new();
                "views lost"
            }
        };
        Some(what).filter(|_| held.store.applied().ok() != now)
    }
}

impl ViewStore for Views {
    fn applied(&self) -> Result<u64, StoreError> {
        self.held().store.applied()
    }

    fn row(&self, key: &RecordKey, ids: &dyn EntryIds) -> Result<Option<ViewRow>, StoreError> {
        self.held().store.row(key, ids)
    }

    fn find(&self, hex_prefix: &str) -> Result<Vec<RecordKey>, StoreError> {
        self.held().store.find(hex_prefix)
    }

    fn edits(&self, key: &RecordKey, ids: &dyn EntryIds) -> Result<Vec<EditRef>, StoreError> {
        self.held().store.edits(key, ids)
    }

    fn commit(&mut self, batch: ViewBatch, durable: bool) -> Result<(), StoreError> {
        self.held().store.commit(batch, durable)
    }

    fn list(
        &self,
        filter: &RowFilter,
        after: Option<&RecordKey>,
        limit: usize,
        ids: &dyn EntryIds,
    ) -> Result<(u64, Vec<ViewRow>), StoreError> {
        self.held().store.list(filter, after, limit, ids)
    }

    fn totals(&self) -> Result<Totals, StoreError> {
        self.held().store.totals()
    }

    fn counts(&self) -> Result<Vec<CountRow>, StoreError> {
        self.held().store.counts()
    }

    fn clear(&mut self) -> Result<(), StoreError> {
        self.held().store.clear()
    }
}
