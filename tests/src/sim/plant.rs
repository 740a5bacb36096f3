//! Mistakes planted in every node of a simulation, so that a test can show that it finds them. They
//! sit between a node and its stores: nothing of the program is altered.

use std::ops::RangeInclusive;

use crdt_schema::entry::{BackRefs, CHECKPOINT_EVERY, ChainPoint, Entry, PackedRun};
use crdt_schema::id::{FeedId, StoreInstance};
use crdt_schema::time::Timestamp;
use node::ports::{
    Arrival, CountRow, EditRef, EntryIds, FeedBatch, FeedHeads, FeedStore, NamedValue, RecordKey,
    RowFilter, StoreError, Totals, ViewBatch, ViewRow, ViewStore,
};
use node::replica::INCARNATION;

use super::shelf::Lent;
use crate::histories::Lie;
use crate::histories::stores::{Feeds as LyingFeeds, Views as LyingViews};

/// A planted mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    /// One of those that histories of replicas know as well.
    Lie(Lie),
    /// Behind a checkpoint reading begins one entry too late.
    CheckpointOffByOne,
    /// A commit is answered, told and received before it is durable: a power cut takes it back.
    ReceiptBeforeDurable,
    /// A device whose entries came back from outside goes on in the same incarnation.
    IncarnationKept,
    /// Of a forked feed one branch is shown.
    BranchHidden,
    /// A disk that is full says that all is written.
    FullDiskIgnored,
    /// Of a batch of rows the last one is not written.
    RowLost,
    /// The newest run of a feed is not handed on when it was just begun.
    TailWithheld,
}

impl Plant {
    /// Every planted mistake.
    pub const ALL: [Self; 13] = [
        Self::Lie(Lie::QuarantinedCounts),
        Self::Lie(Lie::IncompleteFolded),
        Self::Lie(Lie::ArrivalSkipped),
        Self::Lie(Lie::HeadStale),
        Self::Lie(Lie::VerdictKept),
        Self::Lie(Lie::ViewsAhead),
        Self::CheckpointOffByOne,
        Self::ReceiptBeforeDurable,
        Self::IncarnationKept,
        Self::BranchHidden,
        Self::FullDiskIgnored,
        Self::RowLost,
        Self::TailWithheld,
    ];

    /// Puts the mistake between a node and its stores.
    pub(super) fn over(self, (feeds, views): Lent) -> Lent {
        use node::store::lent::{Feeds, Views};
        match self {
            Self::Lie(lie) => {
                let feeds = LyingFeeds { held: Feeds::Lent(feeds), lie };
                let ahead = feeds.held.newest_arrival().unwrap_or(0);
                let views = LyingViews::over(Views::Lent(views), lie).claiming(lie, ahead);
                (Box::new(feeds), Box::new(views))
            }
            Self::RowLost => (feeds, Box::new(RowLost(Views::Lent(views)))),
            // The shelf plays these itself: they are about what outlives the node.
            Self::ReceiptBeforeDurable | Self::FullDiskIgnored => (feeds, views),
            Self::CheckpointOffByOne
            | Self::IncarnationKept
            | Self::BranchHidden
            | Self::TailWithheld => {
                (Box::new(Planted { held: Feeds::Lent(feeds), plant: self }), views)
            }
        }
    }
}

/// Feeds with a mistake.
struct Planted {
    held: node::store::lent::Feeds,
    plant: Plant,
}

impl FeedStore for Planted {
    fn instance(&self) -> StoreInstance {
        self.held.instance()
    }

    fn feeds(&self) -> Result<Vec<FeedHeads>, StoreError> {
        let mut feeds = self.held.feeds()?;
        if self.plant == Plant::BranchHidden {
            for feed in &mut feeds {
                feed.branches.truncate(1);
            }
        }
        Ok(feeds)
    }

    fn commit(&mut self, batch: &FeedBatch, received_at: Timestamp) -> Result<u64, StoreError> {
        if self.plant != Plant::IncarnationKept || batch.runs.is_empty() {
            return self.held.commit(batch, received_at);
        }
        let mut kept = batch.clone();
        kept.values.retain(|(name, _)| name != INCARNATION);
        self.held.commit(&kept, received_at)
    }

    fn packed_run(
        &self,
        feed: FeedId,
        branch: u32,
        from: u64,
    ) -> Result<Option<PackedRun>, StoreError> {
        let run = self.held.packed_run(feed, branch, from)?;
        let Some(run) = run else { return Ok(None) };
        match self.plant {
            Plant::CheckpointOffByOne
                if from > 1 && (from - 1).is_multiple_of(CHECKPOINT_EVERY) =>
            {
                Ok(self.held.packed_run(feed, branch, from + 1)?.or(Some(run)))
            }
            Plant::TailWithheld => {
                let alone = run.block().is_ok_and(|block| block.entries.len() == 1);
                Ok(Some(run).filter(|_| !(alone && from > 1 && from.is_multiple_of(5))))
            }
            _ => Ok(Some(run)),
        }
    }

    fn entries(
        &self,
        feed: FeedId,
        branch: u32,
        range: RangeInclusive<u64>,
    ) -> Result<Vec<Entry>, StoreError> {
        self.held.entries(feed, branch, range)
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
        self.held.arrivals(after, limit)
    }

    fn value(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.held.value(name)
    }

    fn values(&self, prefix: &[u8]) -> Result<Vec<NamedValue>, StoreError> {
        self.held.values(prefix)
    }

    fn value_up_to(&self, prefix: &[u8], name: &[u8]) -> Result<Option<NamedValue>, StoreError> {
        self.held.value_up_to(prefix, name)
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

/// Views that lose a row.
struct RowLost(node::store::lent::Views);

impl ViewStore for RowLost {
    fn applied(&self) -> Result<u64, StoreError> {
        self.0.applied()
    }

    fn row(&self, key: &RecordKey, ids: &dyn EntryIds) -> Result<Option<ViewRow>, StoreError> {
        self.0.row(key, ids)
    }

    fn find(&self, hex_prefix: &str) -> Result<Vec<RecordKey>, StoreError> {
        self.0.find(hex_prefix)
    }

    fn edits(&self, key: &RecordKey, ids: &dyn EntryIds) -> Result<Vec<EditRef>, StoreError> {
        self.0.edits(key, ids)
    }

    fn commit(&mut self, batch: ViewBatch, durable: bool) -> Result<(), StoreError> {
        let mut batch = batch;
        if batch.rows.len() > 1 {
            batch.rows.pop();
        }
        self.0.commit(batch, durable)
    }

    fn list(
        &self,
        filter: &RowFilter,
        after: Option<&RecordKey>,
        limit: usize,
        ids: &dyn EntryIds,
    ) -> Result<(u64, Vec<ViewRow>), StoreError> {
        self.0.list(filter, after, limit, ids)
    }

    fn totals(&self) -> Result<Totals, StoreError> {
        self.0.totals()
    }

    fn counts(&self) -> Result<Vec<CountRow>, StoreError> {
        self.0.counts()
    }

    fn clear(&mut self) -> Result<(), StoreError> {
        self.0.clear()
    }

    fn reopen(&mut self) -> Result<(), StoreError> {
        self.0.reopen()
    }
}
