//! Making a batch durable: the feeds first, then what they mean.
//!
//! A power cut between the two leaves the views behind: `catch_up.rs` finds out from the arrival numbers.
//! Of a large batch some rows may be there already, with their edits; taken in again they come to the
//! same. Nothing staged survives a failed commit.

use std::collections::BTreeSet;
use std::sync::Arc;

use crdt_schema::entry::EntryKind;
use crdt_schema::id::{FeedId, FeedName, Space};
use crdt_schema::time::Timestamp;

use super::author::Author;
use super::catch_up::{ROWS_AT_ONCE, STATE_BYTES_AT_ONCE};
use super::declared::authority_entry;
use super::rests::Loosened;
use super::stage::{Stage, StagedVerdict, WorkRow};
use super::{Replica, each_entry};
use crate::authority::Authority;
use crate::ports::{
    EditRef, FeedBatch, FeedStore, RecordKey, StoreError, ViewBatch, ViewRow, ViewStore,
};

/// Where the entries of a batch come from: what a fork report tells a technician.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Written here.
    Here,
    /// A bundle file, by its name without the folder.
    Bundle(String),
    /// A peer's device, in hex.
    Peer(String),
}

impl Source {
    /// `via` and `name`, as reports show them.
    pub fn words(&self) -> (&'static str, &str) {
        match self {
            Self::Here => ("here", ""),
            Self::Bundle(name) => ("bundle", name),
            Self::Peer(device) => ("peer", device),
        }
    }
}

/// What a commit did.
#[derive(Debug, Clone, Default)]
pub struct Committed {
    /// Entries that are durable now.
    pub entries: u64,
    /// Feeds that got entries.
    pub feeds: Vec<FeedName>,
    /// Authority entries were among them.
    pub authority_changed: bool,
    /// This device goes on in a new incarnation, for entries of the one it wrote under came from outside.
    pub incarnation_changed: bool,
}

/// Arrivals after which the views are made durable: so many at most are taken in anew after a power cut.
/// A seldom sync, for an undurable commit writes far less.
pub(super) const VIEWS_LAG_MAX: u64 = 20_000;

/// Name of the value that holds this device's incarnation.
pub const INCARNATION: &[u8] = b"incarnation";
/// Beginning of the values that name sources: then the first arrival number, big-endian.
pub(super) const SOURCE: &[u8] = b"source/";

impl<F: FeedStore, V: ViewStore> Replica<F, V> {
    /// Signs what waits for it and makes everything staged durable; then nothing is staged.
    ///
    /// # Errors
    /// [`StoreError`] of the feed store: then nothing of the batch was taken. What fails once it is
    /// durable is no error here, for the save itself is done: the views are behind, and say so when
    /// they are read.
    pub fn commit(
        &mut self,
        author: Option<&Author<'_>>,
        source: &Source,
        now: Timestamp,
    ) -> Result<Committed, StoreError> {
        if let Some(author) = author
            && let Err(error) = self.sign_all(author)
        {
            return Err(self.abandoned(error));
        }
        self.batch_free = None;
        if self.stage.is_empty() {
            self.stage = Stage::default();
            return Ok(Committed::default());
        }
        let mut stage = std::mem::take(&mut self.stage);
        let incarnation_changed = stage.own_came_back;
        if incarnation_changed {
            stage.put((INCARNATION.to_vec(), self.next_incarnation.to_be_bytes().to_vec()));
        }
        if let Err(error) = self.name_source(&mut stage, source) {
            return Err(self.abandoned(error));
        }
        let batch = FeedBatch {
            new_feeds: std::mem::take(&mut stage.new_feeds),
            runs: std::mem::take(&mut stage.runs),
            values: std::mem::take(&mut stage.values),
        };
        let before = self.arrived;
        match self.feeds.commit(&batch, now) {
            Ok(arrived) => self.arrived = arrived,
            Err(error) => return Err(self.abandoned(error)),
        }
        self.held.committed();
        if incarnation_changed {
            self.incarnation = self.next_incarnation;
        }
        let committed = Committed {
            entries: stage.entries,
            feeds: stage.touched.iter().filter_map(|id| Some(self.held.feed(*id)?.name)).collect(),
            authority_changed: !stage.declared.is_empty(),
            incarnation_changed,
        };
        // Named values are no entries: the views know nothing of them.
        if self.arrived > before {
            self.take_effect(stage);
            self.settle_now_and_then();
        }
        Ok(committed)
    }

    /// Whether a commit would write anything.
    pub fn has_staged(&self) -> bool {
        !self.stage.is_empty()
    }

    /// Whether so much is staged that it must be committed before more is offered.
    pub fn must_commit(&self) -> bool {
        self.stage.is_heavy()
    }

    /// Drops what is staged. A store that cannot even be read again refuses everything that comes
    /// after, so what is remembered of it does no harm.
    pub fn abandon(&mut self) {
        (self.stage, self.batch_free) = (Stage::default(), None);
        self.left.clear();
        drop(self.held.reload(&self.feeds));
    }

    /// Drops what is staged because of `error`, which is the one to tell: a store that failed to
    /// write refuses to be read as well, and says only that, until it was mended.
    fn abandoned(&mut self, error: StoreError) -> StoreError {
        self.abandon();
        self.is_ill |= !matches!(error, StoreError::Misuse(_));
        self.mend();
        error
    }

    /// Stages a small named value with the next commit; `None` removes it.
    pub fn put_value(&mut self, name: &[u8], value: Option<Vec<u8>>) {
        // A batch of values alone, as of a bundle's rows, is heavy as well.
        self.stage.weigh(0, name.len() + value.as_ref().map_or(0, Vec::len));
        self.stage.values.push((name.to_vec(), value));
    }

    /// A small named value as it will be once what is staged is committed.
    ///
    /// # Errors
    /// [`StoreError`] of the feed store.
    pub fn value_now(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.stage.values.iter().rev().find(|(staged, _)| staged == name) {
            Some((_, value)) => Ok(value.clone()),
            None => self.feeds.value(name),
        }
    }

    /// Whether authority entries wait for the next commit to speak.
    pub fn has_staged_authority(&self) -> bool {
        !self.stage.declared.is_empty()
    }

    /// Makes the views durable too, so that the next start need not catch up.
    ///
    /// # Errors
    /// [`StoreError`] of the view store.
    pub fn settle_views(&mut self) -> Result<(), StoreError> {
        let batch = ViewBatch { applied: self.views()?.applied()?, ..ViewBatch::default() };
        let applied = batch.applied;
        self.views.commit(batch, true)?;
        self.views_durable = applied;
        Ok(())
    }

    /// A node that runs for months would else find all its views behind after a power cut.
    fn settle_now_and_then(&mut self) {
        if self.views_behind.is_some()
            || self.arrived.saturating_sub(self.views_durable) < VIEWS_LAG_MAX
        {
            return;
        }
        if let Err(error) = self.settle_views() {
            self.is_ill = true;
            self.views_behind = Some(error);
        }
    }

    /// A new source is written once, before the first arrival it brings.
    fn name_source(&self, stage: &mut Stage, source: &Source) -> Result<(), StoreError> {
        let next = [SOURCE, &(self.arrived + 1).to_be_bytes()].concat();
        let newest = self.feeds.value_up_to(SOURCE, &next)?;
        let (via, name) = source.words();
        let value = [via.as_bytes(), b"\n", name.as_bytes()].concat();
        if newest.is_some_and(|(_, known)| known == value) {
            return Ok(());
        }
        stage.put((next, value));
        Ok(())
    }

    /// What a durable batch means. Where that cannot be found out the views stay where they were, so
    /// that catching up begins before this batch; after a failure of the disk all is read anew.
    fn take_effect(&mut self, stage: Stage) {
        if let Err(error) = self.try_take_effect(stage) {
            self.is_ill |= !matches!(error, StoreError::Damaged { .. });
            self.views_behind.get_or_insert(error);
        }
    }

    /// Authority first, then heads, then rows.
    fn try_take_effect(&mut self, stage: Stage) -> Result<(), StoreError> {
        let Stage { rows, edits, declared, touched, verdicts, loose, .. } = stage;
        let mut fold: BTreeSet<RecordKey> =
            rows.iter().filter(|(_, row)| row.refold).map(|(key, _)| *key).collect();
        let mut changed = if declared.is_empty() {
            self.judge_feeds(touched)?
        } else {
            self.declared.append(declared);
            self.recompute_authority(&touched)?
        };
        changed.extend(self.judged_otherwise(&verdicts));
        fold.extend(self.records_of(&changed)?);
        let touched = self.rests.among(rows.keys().chain(&fold));
        let edits: Vec<(RecordKey, EditRef)> = edits
            .into_iter()
            .flat_map(|(key, of_key)| of_key.into_iter().map(move |edit| (key, edit)))
            .collect();
        let stepped: Vec<(RecordKey, WorkRow)> =
            rows.into_iter().filter(|(key, _)| !fold.contains(key)).collect();
        self.write_views(edits, &stepped, &fold);
        self.rest_after(Loosened { touched, loose }, &changed);
        Ok(())
    }

    /// Computes the authority anew, regroups the summary where the tree is another, and returns the
    /// feeds of which another part counts now. Judged anew are those that grew, and those it may say
    /// something else of.
    pub(super) fn recompute_authority(
        &mut self,
        grew: &BTreeSet<FeedId>,
    ) -> Result<BTreeSet<FeedId>, StoreError> {
        let authority = Authority::compute(self.statement.clone(), self.declared.entries());
        let before = std::mem::replace(&mut self.authority, Arc::new(authority));
        let is_same_tree = self.authority.has_tree_of(&before);
        if !is_same_tree {
            let tree = Arc::new(self.authority.tree().clone());
            self.summary.regroup(tree.clone());
            self.apart.regroup(tree);
        }
        let adopted = self.authority.adopted_otherwise(&before);
        let stands = |id: &FeedId, name: &FeedName| {
            is_same_tree
                && self.authority.knows_as(&before, &name.device)
                && !adopted.contains(id)
                && !grew.contains(id)
                && self.standings.contains_key(id)
        };
        let feeds = self.held.feeds().filter(|(id, feed)| !stands(id, &feed.name));
        let anew: Vec<FeedId> = feeds.map(|(id, _)| *id).collect();
        self.trusted.clear();
        for id in &anew {
            self.standings.remove(id);
        }
        self.judge_feeds(anew)
    }

    /// Feeds with an edit that was staged under another verdict than it has now.
    fn judged_otherwise(&self, staged: &[StagedVerdict]) -> BTreeSet<FeedId> {
        let otherwise = |it: &&StagedVerdict| {
            let now = self.judged.get(&it.feed);
            now.is_some_and(|now| now.verdict(it.branch, it.seq, it.is_open) != it.verdict)
        };
        staged.iter().filter(otherwise).map(|it| it.feed).collect()
    }

    /// Records with an edit in one of these feeds.
    pub(super) fn records_of(
        &self,
        feeds: &BTreeSet<FeedId>,
    ) -> Result<BTreeSet<RecordKey>, StoreError> {
        let mut records = BTreeSet::new();
        for feed in feeds.iter().filter_map(|id| self.held.feed(*id)) {
            if feed.name.space != Space::Records {
                continue;
            }
            each_entry(&self.feeds, feed, |_, entry| {
                let (kind, record) = (entry.header.record_kind, entry.header.record);
                if entry.header.kind == EntryKind::EDIT {
                    records.insert(RecordKey { area: feed.name.area, kind, record });
                }
            })?;
        }
        Ok(records)
    }

    /// Writes rows that took a step and rows folded anew. A failure leaves the views behind, and
    /// is said when they are read.
    pub(super) fn write_views(
        &mut self,
        edits: Vec<(RecordKey, EditRef)>,
        stepped: &[(RecordKey, WorkRow)],
        fold: &BTreeSet<RecordKey>,
    ) {
        if self.views_behind.is_some() {
            return;
        }
        if let Err(error) = self.try_write_views(self.arrived, edits, stepped, fold) {
            self.views_behind = Some(error);
        }
    }

    /// The same, after which the views hold everything up to `applied`. `edits` ascend by record.
    pub(super) fn try_write_views(
        &mut self,
        applied: u64,
        edits: Vec<(RecordKey, EditRef)>,
        stepped: &[(RecordKey, WorkRow)],
        fold: &BTreeSet<RecordKey>,
    ) -> Result<(), StoreError> {
        // Of a long feed that was closed all records at once would take more memory than there is. Those
        // that got no edit now are folded again first; a power cut in between leaves the views behind.
        let got_edits = |key: &RecordKey| !of_record(&edits, key).is_empty();
        let new;
        let fold = if fold.len() > ROWS_AT_ONCE {
            let old;
            (new, old) = fold.iter().copied().partition(got_edits);
            self.fold_again(&old)?;
            &new
        } else {
            fold
        };
        let mut rows: Vec<ViewRow> =
            stepped.iter().map(|(key, row)| self.view_row(*key, row)).collect();
        let mut bytes = 0;
        for key in fold {
            let mut of_key = self.views.edits(key, &self.feeds)?;
            of_key.extend(of_record(&edits, key).iter().map(|(_, edit)| *edit));
            if of_key.is_empty() {
                continue;
            }
            let row = self.row_of(*key, of_key)?;
            bytes += row.state.len();
            rows.push(row);
            if bytes >= STATE_BYTES_AT_ONCE {
                self.write_some(std::mem::take(&mut rows), &edits)?;
                bytes = 0;
            }
        }
        self.views.commit(ViewBatch { applied, edits, rows }, false)
    }

    /// Writes rows with their edits, for a row names entries by its edits; the views stay behind until the
    /// last of the batch.
    fn write_some(
        &mut self,
        rows: Vec<ViewRow>,
        edits: &[(RecordKey, EditRef)],
    ) -> Result<(), StoreError> {
        let of_rows = rows.iter().flat_map(|row| of_record(edits, &row.key)).copied().collect();
        let applied = self.views.applied()?;
        self.views.commit(ViewBatch { applied, edits: of_rows, rows }, false)
    }

    /// Reads the authority entries of the store again; used where the views are made anew.
    pub(super) fn declared_up_to(
        &self,
        later: &BTreeSet<(FeedId, u32, u64)>,
    ) -> Result<Vec<crate::authority::AuthorityEntry>, StoreError> {
        let mut declared = Vec::new();
        let authority = self.held.feeds().filter(|(_, feed)| feed.name.space == Space::Authority);
        for (id, feed) in authority {
            each_entry(&self.feeds, feed, |branch, entry| {
                if !later.contains(&(*id, branch, entry.header.seq)) {
                    declared.push(authority_entry(&feed.name, entry));
                }
            })?;
        }
        Ok(declared)
    }
}

/// The edits of one record, of those that ascend by record.
fn of_record<'a>(edits: &'a [(RecordKey, EditRef)], key: &RecordKey) -> &'a [(RecordKey, EditRef)] {
    let from = edits.partition_point(|(other, _)| other < key);
    let of_record = edits.get(from..).unwrap_or_default();
    let until = of_record.partition_point(|(other, _)| other == key);
    of_record.get(..until).unwrap_or_default()
}
