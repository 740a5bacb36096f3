//! Stores that keep everything in memory and, when asked to, lie about it in one way: the faults
//! that a simulation must find at once.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use crdt_schema::entry::{BackRefs, ChainPoint, Entry, EntryKind, PackedRun};
use crdt_schema::id::{EntryId, FeedId, Space, StoreInstance};
use crdt_schema::time::Timestamp;
use node::ports::{
    Arrival, BranchHead, CountRow, EditRef, EntryIds, FeedBatch, FeedHeads, FeedStore, NamedValue,
    Place, RecordKey, RowFilter, StoreError, Totals, ViewBatch, ViewRow, ViewStore,
};
use node::store::memory::{MemoryFeedStore, MemoryViewStore};

/// A mistake planted in one replica, so that a test can show that it would be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// None: the replica as it is meant.
    None,
    /// Closings, revocations and cuts cannot be read: what is quarantined counts.
    QuarantinedCounts,
    /// A dep that is not held is taken for one that never was: incomplete edits are folded.
    IncompleteFolded,
    /// One arrival in seven is left out when the views catch up.
    ArrivalSkipped,
    /// A feed is known by an older head than it has, and the summary with it.
    HeadStale,
    /// A row that exists is not written again when its verdict changes.
    VerdictKept,
    /// The views say that they are newer than they are.
    ViewsAhead,
}

impl Lie {
    /// Every lie.
    pub const ALL: [Self; 6] = [
        Self::QuarantinedCounts,
        Self::IncompleteFolded,
        Self::ArrivalSkipped,
        Self::HeadStale,
        Self::VerdictKept,
        Self::ViewsAhead,
    ];
}

/// Feeds in memory, answered for by somebody who may lie.
#[derive(Debug, Clone)]
pub(crate) struct Feeds<S = MemoryFeedStore> {
    /// The truth.
    pub(crate) held: S,
    /// How answers differ from it.
    pub(crate) lie: Lie,
}

impl Feeds {
    /// Nothing held, nothing hidden.
    pub(super) fn new(instance: StoreInstance) -> Self {
        Self { held: MemoryFeedStore::new(instance), lie: Lie::None }
    }
}

impl<S: FeedStore> Feeds<S> {
    fn ids(&self) -> Result<BTreeSet<EntryId>, StoreError> {
        let mut ids = BTreeSet::new();
        for feed in self.held.feeds()? {
            for branch in &feed.branches {
                let range = 1..=branch.head.point.seq;
                let entries = self.held.entries(feed.name.id(), branch.branch, range)?;
                ids.extend(entries.iter().map(|entry| entry.id));
            }
        }
        Ok(ids)
    }
}

fn withdraws(kind: EntryKind) -> bool {
    [EntryKind::CLOSING, EntryKind::REVOCATION, EntryKind::CUT].contains(&kind)
}

impl<S: FeedStore> FeedStore for Feeds<S> {
    fn instance(&self) -> StoreInstance {
        self.held.instance()
    }

    fn feeds(&self) -> Result<Vec<FeedHeads>, StoreError> {
        let mut feeds = self.held.feeds()?;
        if self.lie == Lie::HeadStale {
            let long = |feed: &&mut FeedHeads| {
                feed.name.space == Space::Records
                    && feed.branches.first().is_some_and(|branch| branch.head.point.seq > 1)
            };
            if let Some(BranchHead { head, .. }) =
                feeds.iter_mut().find(long).and_then(|feed| feed.branches.first_mut())
                && let Some(older) = self.held.point(head.feed, 0, head.point.seq - 1)?
            {
                head.point = older;
            }
        }
        Ok(feeds)
    }

    fn commit(&mut self, batch: &FeedBatch, received_at: Timestamp) -> Result<u64, StoreError> {
        self.held.commit(batch, received_at)
    }

    fn packed_run(
        &self,
        feed: FeedId,
        branch: u32,
        from: u64,
    ) -> Result<Option<PackedRun>, StoreError> {
        self.held.packed_run(feed, branch, from)
    }

    fn entries(
        &self,
        feed: FeedId,
        branch: u32,
        range: RangeInclusive<u64>,
    ) -> Result<Vec<Entry>, StoreError> {
        let mut entries = self.held.entries(feed, branch, range)?;
        match self.lie {
            Lie::QuarantinedCounts => {
                for entry in entries.iter_mut().filter(|entry| withdraws(entry.header.kind)) {
                    entry.bodies.iter_mut().for_each(|body| *body = None);
                }
            }
            Lie::IncompleteFolded => {
                let ids = self.ids()?;
                for entry in &mut entries {
                    entry.header.deps.retain(|dep| ids.contains(dep));
                }
            }
            Lie::None
            | Lie::ArrivalSkipped
            | Lie::HeadStale
            | Lie::VerdictKept
            | Lie::ViewsAhead => {}
        }
        Ok(entries)
    }

    fn point(&self, feed: FeedId, branch: u32, seq: u64) -> Result<Option<ChainPoint>, StoreError> {
        self.held.point(feed, branch, seq)
    }

    fn back_refs(&self, feed: FeedId, branch: u32) -> Box<dyn BackRefs + '_> {
        self.held.back_refs(feed, branch)
    }

    fn newest_arrival(&self) -> Result<u64, StoreError> {
        self.held.newest_arrival()
    }

    fn arrivals(&self, after: u64, limit: usize) -> Result<Vec<Arrival>, StoreError> {
        let mut arrivals = self.held.arrivals(after, limit)?;
        if self.lie == Lie::ArrivalSkipped {
            let newest = self.held.newest_arrival()?;
            arrivals.retain(|it| it.number % 7 != 3 || it.number == newest);
        }
        Ok(arrivals)
    }

    fn value(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.held.value(name)
    }

    fn values(&self, prefix: &[u8]) -> Result<Vec<NamedValue>, StoreError> {
        self.held.values(prefix)
    }

    fn format(&self) -> u32 {
        self.held.format()
    }

    fn size_bytes(&self) -> Result<u64, StoreError> {
        self.held.size_bytes()
    }

    fn free_bytes(&self) -> Option<u64> {
        self.held.free_bytes()
    }

    fn reopen(&mut self) -> Result<(), StoreError> {
        self.held.reopen()
    }
}

/// Views in memory, kept by somebody who may lie.
#[derive(Debug, Clone)]
pub(crate) struct Views<V = MemoryViewStore> {
    held: V,
    lie: Lie,
    /// What [`Lie::ViewsAhead`] says.
    ahead: u64,
}

impl Views {
    /// Empty.
    pub(super) fn new(lie: Lie) -> Self {
        Self { held: MemoryViewStore::new(), lie, ahead: 0 }
    }
}

impl<V> Views<V> {
    /// Rows that are kept, and a lie about them.
    pub(crate) const fn over(held: V, lie: Lie) -> Self {
        Self { held, lie, ahead: 0 }
    }

    /// The same rows, said to hold everything up to `ahead`.
    pub(crate) fn claiming(self, lie: Lie, ahead: u64) -> Self {
        Self { lie, ahead, ..self }
    }
}

/// Rows in memory keep their ids, and ask nobody.
struct Unasked;

impl EntryIds for Unasked {
    fn id_at(&self, _place: Place) -> Result<EntryId, StoreError> {
        Err(StoreError::Misuse("nobody knows the ids"))
    }
}

impl<V: ViewStore> ViewStore for Views<V> {
    fn applied(&self) -> Result<u64, StoreError> {
        let applied = self.held.applied()?;
        Ok(if self.lie == Lie::ViewsAhead && applied > 0 {
            applied.max(self.ahead)
        } else {
            applied
        })
    }

    fn row(&self, key: &RecordKey, ids: &dyn EntryIds) -> Result<Option<ViewRow>, StoreError> {
        self.held.row(key, ids)
    }

    fn find(&self, hex_prefix: &str) -> Result<Vec<RecordKey>, StoreError> {
        self.held.find(hex_prefix)
    }

    fn edits(&self, key: &RecordKey, ids: &dyn EntryIds) -> Result<Vec<EditRef>, StoreError> {
        self.held.edits(key, ids)
    }

    fn commit(&mut self, mut batch: ViewBatch, durable: bool) -> Result<(), StoreError> {
        if self.lie != Lie::VerdictKept {
            return self.held.commit(batch, durable);
        }
        let held = &self.held;
        batch.rows.retain(|row| {
            let known = held.row(&row.key, &Unasked).ok().flatten();
            known.is_none_or(|known| known.verdict == row.verdict)
        });
        self.held.commit(batch, durable)
    }

    fn list(
        &self,
        filter: &RowFilter,
        after: Option<&RecordKey>,
        limit: usize,
        ids: &dyn EntryIds,
    ) -> Result<(u64, Vec<ViewRow>), StoreError> {
        self.held.list(filter, after, limit, ids)
    }

    fn totals(&self) -> Result<Totals, StoreError> {
        self.held.totals()
    }

    fn counts(&self) -> Result<Vec<CountRow>, StoreError> {
        self.held.counts()
    }

    fn clear(&mut self) -> Result<(), StoreError> {
        self.held.clear()
    }

    fn reopen(&mut self) -> Result<(), StoreError> {
        self.held.reopen()
    }
}
