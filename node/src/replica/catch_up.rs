//! Views that lag: after a crash, after a failure, or when they are thrown away and made anew.
//!
//! The arrivals tell which entries the views have not seen. What counted when they were written is
//! computed from the authority entries that had arrived by then, so that exactly the records whose
//! verdicts changed since are folded again.

use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::entry::EntryKind;
use crdt_schema::id::{FeedId, Space};

use super::commit::VIEWS_LAG_MAX;
use super::layer::in_order;
use super::stage::Stage;
use super::{Replica, each_entry};
use crate::authority::Authority;
use crate::ports::{
    Arrival, EditRef, FeedStore, RecordKey, RowFilter, StoreError, ViewBatch, ViewStore,
};
use crate::progress::Progress;

/// Arrivals taken into the views at once: bounded memory, and a stop loses little.
const ARRIVALS_AT_ONCE: usize = 512;
/// Rows folded again at once.
pub(super) const ROWS_AT_ONCE: usize = 1_000;
/// Rows compared at once: each with all its values.
const ROWS_COMPARED_AT_ONCE: usize = 100;
/// Bytes of states after which rows that are folded again are written.
pub(super) const STATE_BYTES_AT_ONCE: usize = 4 << 20;

/// Feed, branch and sequence of entries.
type Places = BTreeSet<(FeedId, u32, u64)>;

/// What making the views anew did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// Entries taken in.
    pub entries: u64,
    /// Whether the work was stopped before its end.
    pub stopped: bool,
}

impl<F: FeedStore, V: ViewStore> Replica<F, V> {
    pub(super) fn newest_arrival(&self) -> Result<u64, StoreError> {
        self.feeds.newest_arrival()
    }

    /// Brings the views up to the feeds; a failure is said when they are read.
    pub(super) fn catch_up_quietly(&mut self) {
        match self.catch_up(&mut crate::progress::Unwatched) {
            Ok(_) => self.rest_anew(),
            Err(error) => self.views_behind = Some(error),
        }
    }

    /// Brings the views up to the feeds.
    ///
    /// # Errors
    /// [`StoreError`] of either store; [`StoreError::Damaged`] while a feed cannot be judged.
    pub fn catch_up(&mut self, progress: &mut dyn Progress) -> Result<Rebuilt, StoreError> {
        self.all_must_be_judged()?;
        self.views_behind = None;
        let applied = self.views.applied()?;
        if applied > self.arrived {
            // The views belong to a longer past than the feeds hold: a restored feed file.
            self.views.clear()?;
            self.views_durable = 0;
            return self.catch_up(progress);
        }
        if applied == self.arrived {
            return Ok(Rebuilt::default());
        }
        // First, while `applied` still tells what counted when these rows were written.
        let overturned = self.overturned_since(applied)?;
        if !overturned.is_empty() {
            let folded = self.records_of(&overturned)?;
            self.fold_again(&folded)?;
        }
        let mut rebuilt = Rebuilt::default();
        let mut at = applied;
        loop {
            let arrivals = self.feeds.arrivals(at, ARRIVALS_AT_ONCE)?;
            let Some(last) = arrivals.last().map(|arrival| arrival.number) else { break };
            let taken = self.take_arrivals(&arrivals, last);
            // Half of them would come into the next save's batch.
            rebuilt.entries += taken.inspect_err(|_| self.stage = Stage::default())?;
            at = last;
            if at.saturating_sub(self.views_durable) >= VIEWS_LAG_MAX {
                self.settle_views()?;
            }
            if !progress.at(at, self.arrived) {
                rebuilt.stopped = true;
                return Ok(rebuilt);
            }
        }
        self.views.commit(ViewBatch { applied: at, ..ViewBatch::default() }, false)?;
        Ok(rebuilt)
    }

    /// Throws the views away and makes them anew. What the old ones took is then given back to the
    /// disk. After an import nothing is: what it leaves free the saves that follow use, and giving
    /// that back would write the whole file to a memory card once more.
    ///
    /// Views of which only a part was made are behind.
    ///
    /// # Errors
    /// As [`Replica::catch_up`].
    pub fn rebuild_views(&mut self, progress: &mut dyn Progress) -> Result<Rebuilt, StoreError> {
        self.all_must_be_judged()?;
        self.views_durable = 0;
        let rebuilt = self.views.clear().and_then(|()| self.catch_up(progress));
        self.views_behind = match &rebuilt {
            Ok(Rebuilt { stopped: false, .. }) => None,
            Err(StoreError::Full) => Some(StoreError::Full),
            Err(StoreError::Poisoned | StoreError::Io { .. }) => Some(StoreError::Poisoned),
            Ok(_) | Err(_) => Some(partly_made()),
        };
        if self.views_behind.is_none() {
            self.rest_anew();
            self.views.compact()?;
        }
        rebuilt
    }

    /// Rows over less than what is judged would show other values than a root stands for.
    fn all_must_be_judged(&self) -> Result<(), StoreError> {
        let Some(feed) = self.unread.first() else { return Ok(()) };
        let what = format!("feed {} cannot be read where it has to be judged", feed.short());
        Err(StoreError::Damaged { what })
    }

    /// Feeds of which another part may count now than when arrival `applied` was the newest:
    /// authority says otherwise, or they end somewhere and grew since.
    fn overturned_since(&self, applied: u64) -> Result<BTreeSet<FeedId>, StoreError> {
        if applied == 0 {
            return Ok(BTreeSet::new());
        }
        let (later, grown) = self.arrived_after(applied)?;
        let mut overturned = BTreeSet::new();
        for id in grown {
            let Some(feed) = self.held.feed(id) else { continue };
            if self.reach(feed)?.ends() {
                overturned.insert(id);
            }
        }
        if later.is_empty() {
            return Ok(overturned);
        }
        let before = Authority::compute(self.statement.clone(), &self.declared_up_to(&later)?);
        let changed = self.held.feeds().filter(|(_, feed)| {
            before.standing(&feed.name) != self.authority.standing(&feed.name)
                || before.adopted(&feed.name) != self.authority.adopted(&feed.name)
        });
        overturned.extend(changed.map(|(id, _)| *id));
        Ok(overturned)
    }

    /// What arrived after `applied`: places of authority entries, and feeds of records.
    fn arrived_after(&self, applied: u64) -> Result<(Places, BTreeSet<FeedId>), StoreError> {
        let (mut places, mut grown) = (BTreeSet::new(), BTreeSet::new());
        let mut at = applied;
        loop {
            let arrivals = self.feeds.arrivals(at, ARRIVALS_AT_ONCE)?;
            let Some(last) = arrivals.last().map(|arrival| arrival.number) else { break };
            for arrival in arrivals {
                match self.held.feed(arrival.feed).map(|feed| feed.name.space) {
                    Some(Space::Authority) => {
                        let seqs = arrival.first..=arrival.last;
                        places.extend(seqs.map(|seq| (arrival.feed, arrival.branch, seq)));
                    }
                    Some(Space::Records) => {
                        grown.insert(arrival.feed);
                    }
                    None => {}
                }
            }
            at = last;
        }
        Ok((places, grown))
    }

    /// Takes some arrivals into the views, as if they had just come.
    fn take_arrivals(&mut self, arrivals: &[Arrival], last: u64) -> Result<u64, StoreError> {
        let mut entries = 0;
        for arrival in arrivals {
            let Some(feed) = self.held.feed(arrival.feed) else { continue };
            let (name, reach) = (feed.name, self.reach(feed)?);
            if name.space != Space::Records {
                continue;
            }
            let range = arrival.first..=arrival.last;
            for entry in self.feeds.entries(arrival.feed, arrival.branch, range)? {
                if entry.header.kind == EntryKind::EDIT {
                    let verdict = reach.verdict(arrival.branch, &entry.header);
                    self.stage_edit(&name, arrival.branch, &entry, verdict);
                    entries += 1;
                }
            }
            if self.stage.is_heavy() {
                self.apply_staged(arrival.number)?;
            }
        }
        self.apply_staged(last)?;
        Ok(entries)
    }

    /// Rows that were staged go into the views, which hold everything up to `applied` then.
    fn apply_staged(&mut self, applied: u64) -> Result<(), StoreError> {
        let stage = std::mem::take(&mut self.stage);
        let (mut stepped, mut fold) = (Vec::new(), BTreeSet::new());
        for (key, row) in stage.rows {
            if row.refold {
                fold.insert(key);
            } else {
                stepped.push((key, row));
            }
        }
        self.try_write_views(applied, flat(stage.edits), &stepped, &fold)
    }

    /// Folds rows again that no new edit changes, some at a time.
    pub(super) fn fold_again(&mut self, records: &BTreeSet<RecordKey>) -> Result<(), StoreError> {
        let applied = self.views.applied()?;
        let (mut rows, mut bytes) = (Vec::new(), 0);
        for key in records {
            let edits = self.views.edits(key, &self.feeds)?;
            // A record whose edits all arrived later has no row yet.
            if !edits.is_empty() {
                let row = self.row_of(*key, edits)?;
                bytes += row.state.len();
                rows.push(row);
            }
            if rows.len() >= ROWS_AT_ONCE || bytes >= STATE_BYTES_AT_ONCE {
                let rows = std::mem::take(&mut rows);
                self.views.commit(ViewBatch { applied, rows, ..ViewBatch::default() }, false)?;
                bytes = 0;
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        self.views.commit(ViewBatch { applied, rows, ..ViewBatch::default() }, false)
    }

    /// Whether every row is what its edits say, and every edit of the feeds is in a row.
    ///
    /// # Errors
    /// [`ViewsCheckError`].
    pub fn views_agree(&self, progress: &mut dyn Progress) -> Result<bool, ViewsCheckError> {
        let views = self.views()?;
        if views.applied()? != self.arrived {
            return Ok(false);
        }
        let (mut edits, mut after, mut done) = (0u64, None, 0u64);
        loop {
            let page = views.list(
                &RowFilter::default(),
                after.as_ref(),
                ROWS_COMPARED_AT_ONCE,
                &self.feeds,
            )?;
            let (total, rows) = page;
            let Some(last) = rows.last().map(|row| row.key) else { break };
            for row in &rows {
                let of_row = in_order(views.edits(&row.key, &self.feeds)?);
                edits += of_row.len() as u64;
                if self.row_of(row.key, of_row)? != *row {
                    return Ok(false);
                }
            }
            after = Some(last);
            done += rows.len() as u64;
            if !progress.at(done, total) {
                return Err(ViewsCheckError::Stopped);
            }
        }
        Ok(edits == self.edits_held()?)
    }

    /// Edits in the feeds, every branch counted once.
    fn edits_held(&self) -> Result<u64, StoreError> {
        let mut edits = 0;
        let records = self.held.feeds().filter(|(_, feed)| feed.name.space == Space::Records);
        for (_, feed) in records {
            each_entry(&self.feeds, feed, |_, entry| {
                edits += u64::from(entry.header.kind == EntryKind::EDIT);
            })?;
        }
        Ok(edits)
    }
}

fn partly_made() -> StoreError {
    StoreError::Damaged { what: "they were made anew to a part only".to_owned() }
}

/// Why comparing the views ended early.
#[derive(Debug)]
pub enum ViewsCheckError {
    /// A store.
    Store(StoreError),
    /// A person asked to stop.
    Stopped,
}

impl From<StoreError> for ViewsCheckError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn flat(edits: BTreeMap<RecordKey, Vec<EditRef>>) -> Vec<(RecordKey, EditRef)> {
    let of_key = |(key, edits): (RecordKey, Vec<EditRef>)| edits.into_iter().map(move |e| (key, e));
    edits.into_iter().flat_map(of_key).collect()
}
