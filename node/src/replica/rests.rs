//! What counting entries rest on and what does not count itself: it goes wherever they go.
//!
//! Whoever saves builds on what counts at that moment. Later a closing, a cut, a move or a fork may
//! take some of that out, and what was built on it goes on counting. Its past must then be held
//! wherever it is, or one node would fold it and another keep it waiting under the same root. So roots
//! and whatever is handed on reach as far as counting entries rest (ADR 0021); what lies there stays
//! quarantined, and changes no value.
//!
//! Only what everybody takes who holds the area can be rested on: entries of a feed that counts, or
//! counted up to somewhere. What waits for a confirmation, or was never allowed, is no past
//! (`layer.rs`), whether it is held or not.
//!
//! Kept in memory. Found by the edits of records in the views: while the views are behind, a root may
//! be that of less.

use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::entry::{Entry, EntryKind};
use crdt_schema::id::{EntryId, FeedId, FeedName, Space};

use super::Replica;
use super::layer::in_order;
use super::verdict::{ENTRIES_AT_ONCE, EntryVerdict, Reach};
use crate::authority::Standing;
use crate::ports::{
    FeedHeads, FeedStore, Place, RecordKey, RecordVerdict, StoreError, ViewRow, ViewStore,
};

/// Records with entries that do not count, and which of those are rested on.
#[derive(Debug, Default)]
pub(super) struct Rests {
    /// By feed, the records with a held edit of it that does not count and may be rested on.
    loose: BTreeMap<FeedId, BTreeSet<RecordKey>>,
    /// Of each of these records the places that counting entries rest on.
    places: BTreeMap<RecordKey, BTreeSet<Place>>,
}

impl Rests {
    /// Of a feed each branch that is rested on, and up to where.
    pub(super) fn of(&self, feed: FeedId) -> BTreeMap<u32, u64> {
        let mut until = BTreeMap::new();
        let records = self.loose.get(&feed).into_iter().flatten();
        let places = records.filter_map(|record| self.places.get(record)).flatten();
        for place in places.filter(|place| place.feed == feed) {
            let known: &mut u64 = until.entry(place.branch).or_default();
            *known = place.seq.max(*known);
        }
        until
    }

    /// Those of some records that have edits which do not count.
    pub(super) fn among<'a>(
        &self,
        records: impl Iterator<Item = &'a RecordKey>,
    ) -> BTreeSet<RecordKey> {
        if self.places.is_empty() {
            return BTreeSet::new();
        }
        records.filter(|record| self.places.contains_key(record)).copied().collect()
    }

    fn is_loose(&self, record: &RecordKey) -> bool {
        self.loose.values().any(|records| records.contains(record))
    }
}

/// What a batch changed that resting depends on.
#[derive(Debug, Default)]
pub(super) struct Loosened {
    /// Records that got edits or of which others count now, of those with some that do not count.
    pub(super) touched: BTreeSet<RecordKey>,
    /// Records that got an edit which does not count, by its feed.
    pub(super) loose: BTreeSet<(FeedId, RecordKey)>,
}

/// Whether entries of a feed that stands so may be rested on though they do not count.
pub(super) const fn bears(standing: &Standing) -> bool {
    match standing {
        Standing::Counts | Standing::CountsUntil(_) | Standing::OpenCounts(_) => true,
        Standing::Provisional | Standing::Outside | Standing::Unknown => false,
    }
}

impl<F: FeedStore, V: ViewStore> Replica<F, V> {
    /// Whether entries of a feed may be rested on though they do not count.
    pub(super) fn may_bear(&self, name: &FeedName) -> bool {
        match self.standings.get(&name.id()) {
            Some(standing) => bears(standing),
            None => bears(&self.authority.standing(name)),
        }
    }

    /// Finds anew all that is rested on; a failure leaves the views behind, and is said when they are
    /// read.
    pub(super) fn rest_anew(&mut self) {
        if let Err(error) = self.try_rest_anew() {
            self.views_behind.get_or_insert(error);
        }
    }

    fn try_rest_anew(&mut self) -> Result<(), StoreError> {
        let before = std::mem::take(&mut self.rests);
        let mut moved: BTreeSet<FeedId> = before.loose.into_keys().collect();
        let ids: Vec<FeedId> = self.held.feeds().map(|(id, _)| *id).collect();
        let mut records = BTreeSet::new();
        for id in ids {
            let loose = self.loose_in(id)?;
            if !loose.is_empty() {
                records.extend(loose.iter().copied());
                self.rests.loose.insert(id, loose);
                moved.insert(id);
            }
        }
        for record in records {
            let places = self.rests_of(&record)?;
            self.rests.places.insert(record, places);
        }
        self.place_again(moved)
    }

    /// After a batch: what it changed of what is rested on. `otherwise` are feeds of which another part
    /// counts now.
    pub(super) fn rest_after(&mut self, batch: Loosened, otherwise: &BTreeSet<FeedId>) {
        if self.views_behind.is_some() {
            return;
        }
        if let Err(error) = self.try_rest_after(batch, otherwise) {
            self.views_behind = Some(error);
        }
    }

    fn try_rest_after(
        &mut self,
        batch: Loosened,
        otherwise: &BTreeSet<FeedId>,
    ) -> Result<(), StoreError> {
        let mut records = BTreeSet::new();
        for feed in otherwise {
            let loose = self.loose_in(*feed)?;
            records.extend(loose.iter().copied());
            let before = if loose.is_empty() {
                self.rests.loose.remove(feed)
            } else {
                self.rests.loose.insert(*feed, loose)
            };
            records.extend(before.into_iter().flatten());
        }
        for (feed, record) in batch.loose {
            if !otherwise.contains(&feed) {
                self.rests.loose.entry(feed).or_default().insert(record);
                records.insert(record);
            }
        }
        records.extend(batch.touched);
        let mut moved = BTreeSet::new();
        for record in records {
            let now =
                if self.rests.is_loose(&record) { Some(self.rests_of(&record)?) } else { None };
            let before = match &now {
                Some(places) => self.rests.places.insert(record, places.clone()),
                None => self.rests.places.remove(&record),
            };
            let (now, before) = (now.unwrap_or_default(), before.unwrap_or_default());
            moved.extend(now.symmetric_difference(&before).map(|place| place.feed));
        }
        self.place_again(moved)
    }

    /// Feeds of which more or less is rested on take their place in the summary again.
    fn place_again(&mut self, feeds: BTreeSet<FeedId>) -> Result<(), StoreError> {
        for feed in feeds {
            self.judge_feed(feed)?;
        }
        Ok(())
    }

    fn rests_of(&self, record: &RecordKey) -> Result<BTreeSet<Place>, StoreError> {
        self.rested_on(&in_order(self.views.edits(record, &self.feeds)?), |_| {})
    }

    /// Whether counting edits rest on one of these entries of a feed and lack it. Views that are behind,
    /// or cannot be read, know of none.
    pub(super) fn lacks_one_of(
        &self,
        name: &FeedName,
        entries: &[Entry],
    ) -> Result<bool, StoreError> {
        if name.space != Space::Records || self.views_behind.is_some() || !self.may_bear(name) {
            return Ok(false);
        }
        let mut by_record: BTreeMap<RecordKey, BTreeSet<EntryId>> = BTreeMap::new();
        for entry in entries.iter().filter(|entry| entry.header.kind == EntryKind::EDIT) {
            let (kind, record) = (entry.header.record_kind, entry.header.record);
            let record = RecordKey { area: name.area, kind, record };
            by_record.entry(record).or_default().insert(entry.id);
        }
        for (record, ids) in by_record {
            // A row says whether it waits: only then are its edits read. One beyond what is folded
            // does not know, and may where something counts.
            let row = self.views.row(&record, &self.feeds);
            let may_wait = |row: &ViewRow| {
                row.waits || row.is_beyond() && row.verdict != RecordVerdict::Quarantined
            };
            if !matches!(row, Ok(Some(row)) if may_wait(&row)) {
                continue;
            }
            let Ok(edits) = self.views.edits(&record, &self.feeds) else { continue };
            let mut is_one = false;
            self.rested_on(&in_order(edits), |lacked| is_one |= ids.contains(lacked))?;
            if is_one {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The records of a feed with an edit that does not count, where it may be rested on.
    fn loose_in(&self, id: FeedId) -> Result<BTreeSet<RecordKey>, StoreError> {
        let mut records = BTreeSet::new();
        let Some(feed) = self.held.feed(id) else { return Ok(records) };
        if feed.name.space != Space::Records || !self.may_bear(&feed.name) {
            return Ok(records);
        }
        let reach = self.reach(feed)?;
        for (branch, from, to) in loose_parts(feed, &reach) {
            let mut at = from;
            while at <= to {
                let last = to.min(at + ENTRIES_AT_ONCE - 1);
                for entry in self.feeds.entries(id, branch, at..=last)? {
                    let is_loose = reach.verdict(branch, &entry.header) != EntryVerdict::Counting;
                    if entry.header.kind == EntryKind::EDIT && is_loose {
                        let (kind, record) = (entry.header.record_kind, entry.header.record);
                        records.insert(RecordKey { area: feed.name.area, kind, record });
                    }
                }
                at = last + 1;
            }
        }
        Ok(records)
    }
}

/// The stretches of a feed's branches in which something may not count.
fn loose_parts(feed: &FeedHeads, reach: &Reach) -> Vec<(u32, u64, u64)> {
    let parts = feed.own_parts().into_iter();
    let parts = parts.filter_map(|(branch, first, last)| {
        let from = match reach {
            Reach::All | Reach::Provisional => return None,
            Reach::Open(_) => first,
            Reach::UpTo { until, .. } => {
                let end = until.iter().find(|(of, _)| *of == branch).map_or(0, |(_, end)| *end);
                first.max(end + 1)
            }
        };
        (from <= last).then_some((branch, from, last))
    });
    parts.collect()
}
