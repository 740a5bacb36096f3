//! The feed store in memory: every entry by its place, nothing clever.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crdt_schema::entry::{
    BackRefs, Block, CHECKPOINT_EVERY, ChainPoint, Entry, PackedEntry, PackedRun,
};
use crdt_schema::id::{EntryId, FeedId, RecordId, StoreInstance};
use crdt_schema::time::Timestamp;

use crate::ports::{Arrival, FeedBatch, FeedHeads, FeedStore, NamedValue, Place, StoreError};
use crate::store::arrival::{NO_ARRIVALS, running_hash};
use crate::store::error::damaged;
use crate::store::heads::{FeedState, Staging};

/// An entry as it is read, and as it is packed.
type HeldEntry = Arc<(Entry, PackedEntry)>;

/// Entries that several stores of one process hold, once: a simulation of a province has each in a
/// dozen.
#[derive(Debug, Clone, Default)]
pub struct EntryPool(Arc<Mutex<HashMap<EntryId, HeldEntry>>>);

impl EntryPool {
    /// The same entry, as it is held already where it is.
    fn share(&self, entry: Entry, packed: PackedEntry) -> HeldEntry {
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let held = (entry, packed);
        match pool.get(&held.0.id) {
            Some(known) if **known == held => known.clone(),
            // Of one entry sections may be left out, and a record or a dep written out.
            Some(_) => Arc::new(held),
            None => pool.entry(held.0.id).insert_entry(Arc::new(held)).get().clone(),
        }
    }
}

/// The truth, lost when it is dropped.
#[derive(Debug, Clone)]
pub struct MemoryFeedStore {
    instance: StoreInstance,
    feeds: BTreeMap<FeedId, FeedState>,
    entries: BTreeMap<Place, HeldEntry>,
    /// Of checkpoints.
    signatures: BTreeMap<Place, [u8; 64]>,
    arrivals: Vec<Arrival>,
    values: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Bytes left of the disk that is played; `None`: there is none to fill.
    free: Option<Arc<AtomicU64>>,
    pool: EntryPool,
}

impl MemoryFeedStore {
    /// An empty store. `instance` must be random, or come from a simulation's seed.
    pub fn new(instance: StoreInstance) -> Self {
        Self {
            instance,
            feeds: BTreeMap::new(),
            entries: BTreeMap::new(),
            signatures: BTreeMap::new(),
            arrivals: Vec::new(),
            values: BTreeMap::new(),
            free: None,
            pool: EntryPool::default(),
        }
    }

    /// The same, whose entries are held once with those of other stores.
    #[must_use]
    pub fn sharing(mut self, pool: &EntryPool) -> Self {
        self.pool = pool.clone();
        self
    }

    /// The same, on a disk that has as many bytes left as the number says, whenever it is asked.
    #[must_use]
    pub fn on_disk(mut self, free: Arc<AtomicU64>) -> Self {
        self.free = Some(free);
        self
    }

    /// The entries of a branch's past that are held, ascending.
    fn past(
        &self,
        id: FeedId,
        branch: u32,
        first: u64,
        last: u64,
    ) -> impl Iterator<Item = &HeldEntry> {
        let feed = self.feeds.get(&id);
        let spans = feed.map_or_else(Vec::new, |feed| feed.spans(branch, first.max(1), last));
        spans.into_iter().flat_map(move |span| {
            let place = |seq| Place { feed: id, branch: span.branch, seq };
            self.entries.range(place(span.first)..=place(span.last)).map(|(_, held)| held)
        })
    }

    fn take(&mut self, batch: &FeedBatch, received_at: Timestamp) {
        for placed in &batch.runs {
            let run = &placed.run;
            let (feed, branch, head) = (run.feed(), placed.branch, run.head());
            for (entry, packed) in run.entries().iter().zip(&run.block().entries) {
                let place = Place { feed, branch, seq: entry.header.seq };
                self.entries.insert(place, self.pool.share(entry.clone(), packed.clone()));
            }
            let seq = head.point.seq;
            if seq.is_multiple_of(CHECKPOINT_EVERY) {
                self.signatures.insert(Place { feed, branch, seq }, head.signature);
            }
            self.arrive(feed, branch, run.prev().seq + 1, seq, received_at);
        }
    }

    fn arrive(&mut self, feed: FeedId, branch: u32, first: u64, last: u64, received_at: Timestamp) {
        let before = self.arrivals.last().map_or(NO_ARRIVALS, |newest| newest.running_hash);
        let number = self.arrivals.len() as u64 + 1;
        let mut arrival =
            Arrival { number, feed, branch, first, last, received_at, running_hash: NO_ARRIVALS };
        arrival.running_hash = running_hash(&before, &arrival);
        self.arrivals.push(arrival);
    }
}

impl FeedStore for MemoryFeedStore {
    fn instance(&self) -> StoreInstance {
        self.instance
    }

    fn feeds(&self) -> Result<Vec<FeedHeads>, StoreError> {
        Ok(self.feeds.values().map(|feed| feed.heads.clone()).collect())
    }

    fn commit(&mut self, batch: &FeedBatch, received_at: Timestamp) -> Result<u64, StoreError> {
        let stored = |id, branch, seq| self.point(id, branch, seq);
        let mut staging = Staging::new(&self.feeds, &stored);
        for name in &batch.new_feeds {
            staging.add_feed(name)?;
        }
        for placed in &batch.runs {
            staging.place(placed)?;
        }
        let feeds = staging.finish();
        self.feeds.extend(feeds);
        self.take(batch, received_at);
        for (name, value) in &batch.values {
            match value {
                Some(value) => self.values.insert(name.clone(), value.clone()),
                None => self.values.remove(name),
            };
        }
        Ok(self.arrivals.len() as u64)
    }

    fn packed_run(
        &self,
        feed: FeedId,
        branch: u32,
        from: u64,
    ) -> Result<Option<PackedRun>, StoreError> {
        let state = self.feeds.get(&feed);
        let Some(head) = state.and_then(|state| state.head(branch)) else { return Ok(None) };
        if from == 0 || from > head.head.point.seq {
            return Ok(None);
        }
        let last = from.next_multiple_of(CHECKPOINT_EVERY).min(head.head.point.seq);
        let entries = self.past(feed, branch, from, last).map(|held| held.1.clone());
        let block = Block { first: from, entries: entries.collect() };
        let owner = state.and_then(|state| state.owner(branch, last)).unwrap_or(branch);
        let signature = if last == head.head.point.seq {
            Some(&head.head.signature)
        } else {
            self.signatures.get(&Place { feed, branch: owner, seq: last })
        };
        let signature = signature.ok_or_else(|| damaged("a checkpoint without its signature"))?;
        Ok(Some(PackedRun::pack(&block, *signature)))
    }

    fn entries(
        &self,
        feed: FeedId,
        branch: u32,
        range: RangeInclusive<u64>,
    ) -> Result<Vec<Entry>, StoreError> {
        let past = self.past(feed, branch, *range.start(), *range.end());
        let entries: Vec<Entry> = past.map(|held| held.0.clone()).collect();
        if entries.iter().map(|entry| entry.header.seq).eq(range) {
            Ok(entries)
        } else {
            Err(damaged("an entry is not held"))
        }
    }

    fn point(&self, feed: FeedId, branch: u32, seq: u64) -> Result<Option<ChainPoint>, StoreError> {
        let known = self.feeds.get(&feed).and_then(|state| state.head(branch));
        if seq == 0 {
            return Ok(known.map(|_| ChainPoint::START));
        }
        Ok(self.past(feed, branch, seq, seq).next().map(|held| held.0.point()))
    }

    fn back_refs(&self, feed: FeedId, branch: u32) -> Box<dyn BackRefs + '_> {
        Box::new(Refs { store: self, feed, branch })
    }

    fn newest_arrival(&self) -> Result<u64, StoreError> {
        Ok(self.arrivals.len() as u64)
    }

    fn format(&self) -> u32 {
        0
    }

    fn arrivals(&self, after: u64, limit: usize) -> Result<Vec<Arrival>, StoreError> {
        let skip = usize::try_from(after).unwrap_or(usize::MAX);
        Ok(self.arrivals.iter().skip(skip).take(limit).copied().collect())
    }

    fn value(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.values.get(name).cloned())
    }

    fn values(&self, prefix: &[u8]) -> Result<Vec<NamedValue>, StoreError> {
        let from = self.values.range(prefix.to_vec()..);
        let within = from.take_while(|(name, _)| name.starts_with(prefix));
        Ok(within.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    fn value_up_to(&self, prefix: &[u8], name: &[u8]) -> Result<Option<NamedValue>, StoreError> {
        let newest = self.values.range(prefix.to_vec()..=name.to_vec()).next_back();
        Ok(newest.map(|(name, value)| (name.clone(), value.clone())))
    }

    /// Bytes of section bodies and values: there is no file.
    fn size_bytes(&self) -> Result<u64, StoreError> {
        let bodies = self.entries.values().flat_map(|held| &held.0.bodies).flatten();
        let bytes = bodies.chain(self.values.values()).map(Vec::len).sum::<usize>();
        Ok(bytes as u64)
    }

    fn free_bytes(&self) -> Option<u64> {
        self.free.as_ref().map(|free| free.load(Ordering::Relaxed))
    }
}

struct Refs<'a> {
    store: &'a MemoryFeedStore,
    feed: FeedId,
    branch: u32,
}

impl BackRefs for Refs<'_> {
    fn entry_id(&self, seq: u64) -> Option<EntryId> {
        let mut past = self.store.past(self.feed, self.branch, seq, seq);
        past.next().map(|held| held.0.id)
    }

    fn record(&self, seq: u64) -> Option<(u16, RecordId)> {
        let mut past = self.store.past(self.feed, self.branch, seq, seq);
        past.next()?.0.header.about()
    }
}
