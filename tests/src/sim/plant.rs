//! Mistakes planted in every node of a simulation, so that a test can show that it finds them. They
//! sit between a node and its stores, two are played by the stores, nine lie in what it says: nothing of
//! the program is altered.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

use crdt_schema::entry::{BackRefs, CHECKPOINT_EVERY, ChainPoint, Entry, PackedRun, SigningPublic};
use crdt_schema::id::{DeviceId, FeedId, Space, StoreInstance};
use crdt_schema::time::Timestamp;
use node::answer::{Arrived, Root};
use node::live::Event;
use node::ports::{
    Arrival, CountRow, EditRef, EntryIds, FeedBatch, FeedHeads, FeedStore, NamedValue, RecordKey,
    RowFilter, StoreError, Totals, ViewBatch, ViewRow, ViewStore,
};
use node::replica::INCARNATION;

use super::heard::RECEIPTS;
use super::row::{DEVICE, RECEIPT};
use super::shelf::Lent;
use super::twist;
use crate::histories::Lie;
use crate::histories::stores::{Feeds as LyingFeeds, Views as LyingViews};
use crate::world::Feed;

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
    /// What others wrote is kept in villages under a signature that does not fit.
    SignatureUnchecked,
    /// What others wrote is altered on its way into a village's store, its id is not.
    EntryAltered,
    /// Hubs keep a feed of a device that nobody certified.
    StrangerKept,
    /// Hubs keep a certificate that nobody issued, and the feed of whom it names.
    StrangerCertified,
    /// Hubs keep one feed more of a stranger than a node takes of anybody.
    FloodKept,
    /// A hub's row names one entry more than it holds.
    RowBeyondHeld,
    /// A hub's row names of each feed the entry before its head.
    RowBehindHead,
    /// A hub's row is of the root before.
    RowOfAnotherMoment,
    /// In a row that a village holds its own feeds reach as far as here.
    RowRaised,
    /// A hub reads rows of other hubs that name none of its own feeds under a higher number.
    RowRenumbered,
    /// A hub takes the stores of other hubs for each other.
    StoresMixedUp,
    /// A hub holds a word of every other device that this did not say.
    DeviceSpokenFor,
    /// A row of a hub that a village hears of is not kept.
    RowDropped,
    /// Equality is said of whatever was compared.
    EqualSaid,
    /// Of whatever was compared it is said that it is not equal.
    EqualDenied,
    /// While a hub runs it notices nothing of what others bring: no link that stands hears of it, and
    /// nothing is compared for it.
    NewsUnnoticed,
    /// Rows of hubs are said twice over one link.
    ToldTwice,
    /// Of what arrived at a hub one entry more is told.
    ArrivalOverstated,
    /// It is told to be complete as of a moment later.
    CompleteTooSoon,
    /// And as of the newest of what was saved, whatever is missing.
    CompleteOfAll,
    /// Hubs read out the words of a root in another order.
    WordsMixedUp,
    /// Words are read out as of the row after the one they are of.
    WordsTooSoon,
    /// Of the bytes of a comparison one is not told.
    ByteUntold,
}

/// Who a node is that has a mistake, and what strangers bring.
#[derive(Debug, Clone)]
pub(super) struct Port {
    pub(super) device: DeviceId,
    pub(super) is_hub: bool,
    /// Feeds that nobody wrote.
    pub(super) strangers: Arc<Vec<(SigningPublic, Feed)>>,
}

impl Plant {
    /// Every planted mistake.
    pub const ALL: [Self; 36] = [
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
        Self::SignatureUnchecked,
        Self::EntryAltered,
        Self::StrangerKept,
        Self::StrangerCertified,
        Self::FloodKept,
        Self::RowBeyondHeld,
        Self::RowBehindHead,
        Self::RowOfAnotherMoment,
        Self::RowRaised,
        Self::RowRenumbered,
        Self::StoresMixedUp,
        Self::DeviceSpokenFor,
        Self::RowDropped,
        Self::EqualSaid,
        Self::EqualDenied,
        Self::NewsUnnoticed,
        Self::ToldTwice,
        Self::ArrivalOverstated,
        Self::CompleteTooSoon,
        Self::CompleteOfAll,
        Self::WordsMixedUp,
        Self::WordsTooSoon,
        Self::ByteUntold,
    ];

    /// Puts the mistake between a node and its stores.
    pub(super) fn over(self, (feeds, views): Lent, port: Port) -> Lent {
        use node::store::lent::{Feeds, Views};
        match self {
            Self::Lie(lie) => {
                let feeds = LyingFeeds { held: Feeds::Lent(feeds), lie };
                let ahead = feeds.held.newest_arrival().unwrap_or(0);
                let views = LyingViews::over(Views::Lent(views), lie).claiming(lie, ahead);
                (Box::new(feeds), Box::new(views))
            }
            Self::RowLost => (feeds, Box::new(RowLost(Views::Lent(views)))),
            // The shelf plays two of these itself, for they are about what outlives the node; the others lie
            // in what is said.
            Self::ReceiptBeforeDurable
            | Self::FullDiskIgnored
            | Self::EqualSaid
            | Self::EqualDenied
            | Self::ToldTwice
            | Self::ArrivalOverstated
            | Self::CompleteTooSoon
            | Self::CompleteOfAll
            | Self::WordsMixedUp
            | Self::WordsTooSoon
            | Self::ByteUntold => (feeds, views),
            Self::StrangerKept | Self::StrangerCertified | Self::FloodKept => {
                let mut feeds = feeds;
                if port.is_hub {
                    twist::take_in(&mut *feeds, &port.strangers);
                }
                (feeds, views)
            }
            Self::CheckpointOffByOne
            | Self::IncarnationKept
            | Self::BranchHidden
            | Self::TailWithheld
            | Self::SignatureUnchecked
            | Self::EntryAltered
            | Self::RowBeyondHeld
            | Self::RowBehindHead
            | Self::RowOfAnotherMoment
            | Self::RowRaised
            | Self::RowRenumbered
            | Self::StoresMixedUp
            | Self::DeviceSpokenFor
            | Self::RowDropped
            | Self::NewsUnnoticed => {
                let began = feeds.newest_arrival().unwrap_or(0);
                (Box::new(Planted { held: Feeds::Lent(feeds), plant: self, port, began }), views)
            }
        }
    }

    /// How often a frame is said.
    pub(super) fn times(self, frame: &[u8]) -> usize {
        let is_row = frame.first() == Some(&RECEIPTS);
        if self == Self::ToldTwice && is_row { 2 } else { 1 }
    }

    /// What is told of a comparison.
    pub(super) fn said(self, event: Event) -> Event {
        let Event::Session(mut seen) = event else { return event };
        match self {
            Self::EqualSaid => seen.equal = true,
            Self::EqualDenied => seen.equal = false,
            Self::ByteUntold => seen.received.bytes = seen.received.bytes.saturating_sub(1),
            _ => {}
        }
        Event::Session(seen)
    }

    /// What is told to have arrived at a hub, of which the newest was saved then.
    pub(super) fn arrived(self, mut told: Arrived, newest: Option<Timestamp>) -> Arrived {
        match (self, &mut told.complete_as_of) {
            (Self::ArrivalOverstated, _) => told.held += 1,
            (Self::CompleteTooSoon, Some(at)) => at.0.0 += 1,
            (Self::CompleteOfAll, Some(at)) => at.0 = newest.unwrap_or(at.0),
            _ => {}
        }
        told
    }

    /// What is read out of an area's root, at a hub or elsewhere.
    pub(super) fn read_out(self, mut root: Root, is_hub: bool) -> Root {
        match (self, &mut root.words, &mut root.moment) {
            (Self::WordsMixedUp, Some(words), _) if is_hub => words.rotate_left(1),
            (Self::WordsTooSoon, _, Some(moment)) => moment.counter += 1,
            _ => {}
        }
        root
    }
}

/// Feeds with a mistake.
struct Planted {
    held: node::store::lent::Feeds,
    plant: Plant,
    port: Port,
    /// The newest arrival of before it was put there.
    began: u64,
}

impl Planted {
    fn own_feeds(&self) -> Result<Vec<FeedHeads>, StoreError> {
        let mut mine = self.held.feeds()?;
        mine.retain(|feed| feed.name.device == self.port.device);
        Ok(mine)
    }

    /// Whether a feed is somebody else's work, kept in a village.
    fn is_of_others(&self, feed: FeedId) -> Result<bool, StoreError> {
        let feeds = self.held.feeds()?;
        let name = feeds.iter().map(|it| it.name).find(|name| name.id() == feed);
        Ok(!self.port.is_hub
            && name.is_some_and(|it| it.space == Space::Records && it.device != self.port.device))
    }
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
        let mut kept = batch.clone();
        let own = [RECEIPT, &self.held.instance().0].concat();
        match self.plant {
            Plant::IncarnationKept if !batch.runs.is_empty() => {
                kept.values.retain(|(name, _)| name != INCARNATION);
            }
            Plant::RowBeyondHeld | Plant::RowBehindHead | Plant::RowOfAnotherMoment => {
                for (name, value) in &mut kept.values {
                    let Some(value) = value.as_mut().filter(|_| name.starts_with(&own)) else {
                        continue;
                    };
                    match self.plant {
                        Plant::RowBeyondHeld => twist::one_more(value),
                        Plant::RowBehindHead => twist::one_less(value, &self.held),
                        _ => twist::root_before(value, self.held.value(name)?),
                    }
                }
            }
            Plant::RowDropped if !self.port.is_hub => {
                kept.values.retain(|(name, _)| !name.starts_with(RECEIPT));
            }
            _ => {}
        }
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
            Plant::SignatureUnchecked if self.is_of_others(feed)? => {
                let mut run = run;
                run.signature[0] ^= 1;
                Ok(Some(run))
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
        let mut entries = self.held.entries(feed, branch, range)?;
        if self.plant == Plant::EntryAltered && self.is_of_others(feed)? {
            entries.iter_mut().for_each(twist::alter);
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
        if self.plant == Plant::NewsUnnoticed && self.port.is_hub && after >= self.began {
            let feeds = self.held.feeds()?;
            let is_own = |feed: &FeedHeads| feed.name.device == self.port.device;
            let own: BTreeSet<FeedId> =
                feeds.iter().filter(|it| is_own(it)).map(|it| it.name.id()).collect();
            arrivals.retain(|arrival| own.contains(&arrival.feed));
        }
        Ok(arrivals)
    }

    fn value(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.held.value(name)
    }

    fn values(&self, prefix: &[u8]) -> Result<Vec<NamedValue>, StoreError> {
        let mut values = self.held.values(prefix)?;
        match self.plant {
            Plant::RowRaised if !self.port.is_hub => {
                let mine = self.own_feeds()?;
                let rows = values.iter_mut().filter(|(name, _)| name.starts_with(RECEIPT));
                rows.for_each(|(_, value)| twist::raise(value, &mine));
            }
            Plant::RowRenumbered if self.port.is_hub => {
                let own = [RECEIPT, &self.held.instance().0].concat();
                let mine = self.own_feeds()?;
                let of_others = values
                    .iter_mut()
                    .filter(|(name, _)| name.starts_with(RECEIPT) && !name.starts_with(&own));
                of_others.for_each(|(_, value)| twist::renumber(value, &mine));
            }
            Plant::DeviceSpokenFor if self.port.is_hub && prefix.starts_with(DEVICE) => {
                twist::say_on(&mut values, self.port.device);
            }
            Plant::StoresMixedUp if self.port.is_hub && prefix.starts_with(DEVICE) => {
                let stores: BTreeSet<StoreInstance> = self
                    .held
                    .values(RECEIPT)?
                    .iter()
                    .filter_map(|it| twist::store(&it.1))
                    .collect();
                twist::mix_up(&mut values, &stores, self.held.instance());
            }
            _ => {}
        }
        Ok(values)
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
