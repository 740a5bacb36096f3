//! What is held of the feeds: heads in memory, the rest in the store, and what a batch under way
//! has staged on top.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::area::AreaId;
use crdt_schema::entry::{
    BackRefs, Block, ChainPoint, Entry, PackedRun, RefuseReason, SigningPublic, UnverifiedRun,
};
use crdt_schema::id::{DeviceId, EntryId, FeedId, FeedName, RecordId, Space};

use super::Replica;
use crate::ingest::{self, HeldFeed, Verdict};
use crate::ports::{BranchHead, FeedHeads, FeedStore, PlacedRun, StoreError, ViewStore};

/// Every feed's heads, and the places of entries that are verified but not yet committed.
#[derive(Debug, Default)]
pub(super) struct Held {
    feeds: BTreeMap<FeedId, FeedHeads>,
    /// Incarnations of each device in each area and space: mostly one, so none has room for more.
    incarnations: BTreeMap<(DeviceId, AreaId, Space), Vec<FeedId>>,
    staged: BTreeMap<(FeedId, u32, u64), StagedEntry>,
}

#[derive(Debug, Clone, Copy)]
struct StagedEntry {
    id: EntryId,
    about: Option<(u16, RecordId)>,
}

impl Held {
    /// What the store holds now.
    pub(super) fn load(store: &impl FeedStore) -> Result<Self, StoreError> {
        let feeds = store.feeds()?.into_iter().map(|feed| (feed.name.id(), feed)).collect();
        let mut held = Self { feeds, ..Self::default() };
        let names: Vec<FeedName> = held.feeds.values().map(|feed| feed.name).collect();
        for name in &names {
            held.count(name);
        }
        Ok(held)
    }

    /// The feeds, ascending by id.
    pub(super) fn feeds(&self) -> impl Iterator<Item = (&FeedId, &FeedHeads)> {
        self.feeds.iter()
    }

    /// One feed.
    pub(super) fn feed(&self, id: FeedId) -> Option<&FeedHeads> {
        self.feeds.get(&id)
    }

    /// The feeds that this one's device has in its area and space.
    pub(super) fn incarnations(&self, name: &FeedName) -> &[FeedId] {
        let of_device = self.incarnations.get(&(name.device, name.area, name.space));
        of_device.map_or(&[], Vec::as_slice)
    }

    fn count(&mut self, name: &FeedName) {
        let of_device = self.incarnations.entry((name.device, name.area, name.space));
        of_device.or_insert_with(|| Vec::with_capacity(1)).push(name.id());
    }

    /// Puts a verified run on top of what is held.
    pub(super) fn stage(&mut self, name: &FeedName, placed: &PlacedRun) {
        let id = name.id();
        if !self.feeds.contains_key(&id) {
            self.count(name);
        }
        let feed = self.feeds.entry(id);
        let feed = feed.or_insert_with(|| FeedHeads { name: *name, branches: Vec::new() });
        let head = *placed.run.head();
        let known = feed.branches.iter_mut().find(|known| known.branch == placed.branch);
        match known {
            Some(known) => known.head = head,
            None => {
                feed.branches.push(BranchHead { branch: placed.branch, from: placed.from, head });
            }
        }
        for entry in placed.run.entries() {
            let place = (id, placed.branch, entry.header.seq);
            let about = entry.header.about();
            self.staged.insert(place, StagedEntry { id: entry.id, about });
        }
    }

    /// After a commit: what was staged is in the store.
    pub(super) fn committed(&mut self) {
        self.staged.clear();
    }

    /// After a failed commit: back to what the store holds.
    pub(super) fn reload(&mut self, store: &impl FeedStore) -> Result<(), StoreError> {
        *self = Self::load(store)?;
        Ok(())
    }

    /// The id at a place, staged or stored.
    pub(super) fn point(
        &self,
        store: &impl FeedStore,
        feed: FeedId,
        branch: u32,
        seq: u64,
    ) -> Result<Option<ChainPoint>, StoreError> {
        match self.staged_at(feed, branch, seq) {
            Some(staged) => Ok(Some(ChainPoint { seq, id: staged.id })),
            // A branch may be staged only: its parent's part is asked of the parent.
            None => store.point(feed, self.owner(feed, branch, seq), seq),
        }
    }

    /// The branch on whose own part `seq` of `branch`'s past lies.
    fn owner(&self, feed: FeedId, branch: u32, seq: u64) -> u32 {
        let mut at = branch;
        while let Some((parent, shared)) = self.from(feed, at)
            && seq <= shared
        {
            at = parent;
        }
        at
    }

    fn from(&self, feed: FeedId, branch: u32) -> Option<(u32, u64)> {
        self.feeds.get(&feed)?.branches.iter().find(|known| known.branch == branch)?.from
    }

    /// The branch itself, or the nearest it comes from that is stored: all between is staged.
    fn stored_branch(&self, store: &impl FeedStore, feed: FeedId, branch: u32) -> u32 {
        let mut at = branch;
        while let Some((parent, _)) = self.from(feed, at)
            && !matches!(store.point(feed, at, 0), Ok(Some(_)))
        {
            at = parent;
        }
        at
    }

    /// A staged entry at `seq` of `branch`, or of the parent below the branch's start.
    fn staged_at(&self, feed: FeedId, branch: u32, seq: u64) -> Option<StagedEntry> {
        self.staged.get(&(feed, self.owner(feed, branch, seq), seq)).copied()
    }
}

impl<F: FeedStore, V: ViewStore> Replica<F, V> {
    /// Judges a run on what is held and staged.
    ///
    /// # Errors
    /// [`StoreError`] when the disk could not be read: then nothing was judged.
    pub(super) fn judge(
        &self,
        name: &FeedName,
        packed: &PackedRun,
        block: Block,
        key: &SigningPublic,
    ) -> Result<Verdict, StoreError> {
        let id = name.id();
        let branches = self.held.feed(id).map_or(&[][..], |feed| &feed.branches);
        let failed = Cell::new(None);
        let view = FeedView { replica: self, name, id, branches, failed: &failed };
        let verdict = ingest::judge(id, packed, block, &view, key);
        failed.take().map_or(Ok(verdict), Err)
    }

    /// Opens a run behind `prev` of a feed's first branch, with what is held and staged.
    ///
    /// # Errors
    /// [`StoreError`] when the disk could not be read.
    pub(super) fn opened(
        &self,
        name: &FeedName,
        packed: &PackedRun,
        block: Block,
        prev: ChainPoint,
    ) -> Result<Result<UnverifiedRun, RefuseReason>, StoreError> {
        let (id, failed) = (name.id(), Cell::new(None));
        let branches = self.held.feed(id).map_or(&[][..], |feed| &feed.branches);
        let view = FeedView { replica: self, name, id, branches, failed: &failed };
        let opened = packed.clone().open_block(block, id, prev, &*view.before(0));
        failed.take().map_or(Ok(opened), Err)
    }
}

/// One feed as ingest sees it.
struct FeedView<'a, F, V> {
    replica: &'a Replica<F, V>,
    name: &'a FeedName,
    id: FeedId,
    branches: &'a [BranchHead],
    /// The first failure of the disk, which the answers of [`HeldFeed`] cannot carry.
    failed: &'a Cell<Option<StoreError>>,
}

impl<F, V> FeedView<'_, F, V> {
    fn or_failed<T: Default>(&self, answer: Result<T, StoreError>) -> T {
        answer.unwrap_or_else(|error| {
            self.failed.set(Some(error));
            T::default()
        })
    }
}

impl<F: FeedStore, V: ViewStore> HeldFeed for FeedView<'_, F, V> {
    fn branches(&self) -> &[BranchHead] {
        self.branches
    }

    fn point(&self, branch: u32, seq: u64) -> Option<ChainPoint> {
        self.or_failed(self.replica.held.point(&self.replica.feeds, self.id, branch, seq))
    }

    fn before(&self, branch: u32) -> Box<dyn BackRefs + '_> {
        let (held, store) = (&self.replica.held, &self.replica.feeds);
        let stored = store.back_refs(self.id, held.stored_branch(store, self.id, branch));
        Box::new(Before { held, store, id: self.id, branch, stored, failed: self.failed })
    }

    fn named(&self) -> BTreeSet<ChainPoint> {
        self.replica.authority.named(self.name)
    }

    fn lacks_one_of(&self, entries: &[Entry]) -> bool {
        self.or_failed(self.replica.lacks_one_of(self.name, entries))
    }
}

/// Back references into what is staged, then into the store.
struct Before<'a, F> {
    held: &'a Held,
    store: &'a F,
    id: FeedId,
    branch: u32,
    stored: Box<dyn BackRefs + 'a>,
    failed: &'a Cell<Option<StoreError>>,
}

impl<F: FeedStore> Before<'_, F> {
    /// What is not found may be there and rotten: then it is not the run that is wrong. The id of a head, or
    /// before a checkpoint, is read where no entry is.
    fn or_failed<T>(&self, seq: u64, found: Option<T>) -> Option<T> {
        if found.is_none() {
            let owner = self.held.owner(self.id, self.branch, seq);
            let read = match self.held.point(self.store, self.id, self.branch, seq) {
                Ok(Some(_)) => self.store.entries(self.id, owner, seq..=seq).map(drop),
                point => point.map(drop),
            };
            self.failed.set(read.err().or_else(|| self.failed.take()));
        }
        found
    }
}

impl<F: FeedStore> BackRefs for Before<'_, F> {
    fn entry_id(&self, seq: u64) -> Option<EntryId> {
        match self.held.staged_at(self.id, self.branch, seq) {
            Some(staged) => Some(staged.id),
            None => self.or_failed(seq, self.stored.entry_id(seq)),
        }
    }

    fn record(&self, seq: u64) -> Option<(u16, RecordId)> {
        match self.held.staged_at(self.id, self.branch, seq) {
            Some(staged) => staged.about,
            None => self.or_failed(seq, self.stored.record(seq)),
        }
    }
}
