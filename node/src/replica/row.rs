//! The edits of one record become its row: the fast step for an edit that saw everything, and the
//! fold for every other case.

use std::collections::btree_map;

use crdt_schema::class::Class;
use crdt_schema::entry::{Entry, RECORD_WEIGHT_MAX};
use crdt_schema::fold::Folded;
use crdt_schema::id::FeedName;

use super::Replica;
use super::layer::{Layer, fold_entry, in_order};
use super::stage::{StagedVerdict, WorkRow};
use super::verdict::EntryVerdict;
use crate::ports::{
    EditRef, FeedStore, Place, RecordKey, RecordVerdict, StoreError, ViewRow, ViewStore,
};

/// What a record shows.
struct Shown {
    verdict: RecordVerdict,
    /// The least verdict that speaks there.
    least: EntryVerdict,
    layer: Layer,
    folded: Folded,
}

impl<F: FeedStore, V: ViewStore> Replica<F, V> {
    /// Takes one staged entry of the records space into its row, or marks the row to be folded.
    pub(super) fn stage_edit(
        &mut self,
        name: &FeedName,
        branch: u32,
        entry: &Entry,
        verdict: EntryVerdict,
    ) {
        let header = &entry.header;
        let key = RecordKey { area: name.area, kind: header.record_kind, record: header.record };
        let place = Place { feed: header.feed, branch, seq: header.seq };
        self.stage.edits.entry(key).or_default().push(EditRef { place, id: entry.id });
        let (feed, seq, is_open) = (header.feed, header.seq, header.is_open());
        self.stage.verdicts.push(StagedVerdict { feed, branch, seq, is_open, verdict });
        let is_loose = verdict != EntryVerdict::Counting && self.may_bear(name);
        if is_loose {
            self.stage.loose.insert((feed, key));
        }
        self.stage.entries += 1;
        let is_new = !self.stage.rows.contains_key(&key);
        if is_new && self.stage.is_heavy() {
            // The run goes in whole: what else it is about is read when it is folded.
            self.stage.rows.insert(key, WorkRow { refold: true, ..WorkRow::new() });
            return;
        }
        let row = self.work_row(key);
        let before = row.state.weight();
        if !step(row, entry, verdict, is_loose) {
            *row = WorkRow { refold: true, ..WorkRow::new() };
        }
        let now = row.state.weight();
        self.stage.weigh(before, now);
    }

    /// The row of a record as the batch has it so far.
    pub(super) fn work_row(&mut self, key: RecordKey) -> &mut WorkRow {
        let (views, feeds, stage) = (&self.views, &self.feeds, &mut self.stage);
        match stage.rows.entry(key) {
            btree_map::Entry::Occupied(row) => row.into_mut(),
            btree_map::Entry::Vacant(place) => {
                let row = match views.row(&key, feeds) {
                    Ok(None) => WorkRow::new(),
                    Ok(Some(row)) => WorkRow::stored(&row),
                    // What cannot be read is folded from the truth; the commit meets the failure again.
                    Err(_) => WorkRow { refold: true, ..WorkRow::new() },
                };
                stage.bytes += row.state.weight();
                place.insert(row)
            }
        }
    }

    /// The row that a record's edits make.
    pub(super) fn row_of(
        &self,
        key: RecordKey,
        edits: Vec<EditRef>,
    ) -> Result<ViewRow, StoreError> {
        let Shown { verdict, least, layer, folded } = self.shown(&in_order(edits))?;
        let row = WorkRow {
            verdict: Some(verdict),
            waits: folded.incomplete > 0,
            changed_at: layer.changed_at(least, &folded),
            weight: layer.weight(),
            state: folded.state,
            refold: false,
        };
        Ok(self.view_row(key, &row))
    }

    /// What counts; else what waits for a confirmation or an entry; else everything, for whoever may
    /// adopt it.
    fn shown(&self, edits: &[EditRef]) -> Result<Shown, StoreError> {
        let mut least = EntryVerdict::Counting;
        let mut layer = self.layer(edits, least)?;
        let mut folded = layer.fold(least);
        let verdict = if layer.is_beyond() {
            RecordVerdict::SetAside
        } else if !folded.state.heads().is_empty() {
            RecordVerdict::Counting
        } else {
            let verdict;
            (verdict, least) = if layer.waits() {
                (RecordVerdict::Waiting, EntryVerdict::Provisional)
            } else {
                (RecordVerdict::Quarantined, EntryVerdict::Quarantined)
            };
            // One of the two at a time.
            drop(std::mem::take(&mut layer));
            layer = self.layer(edits, least)?;
            folded = layer.fold(least);
            verdict
        };
        Ok(Shown { verdict, least, layer, folded })
    }

    /// A row as the view store keeps it, with what the kind's declaration adds.
    pub(super) fn view_row(&self, key: RecordKey, row: &WorkRow) -> ViewRow {
        let kind = self.schema.kind_numbered(key.kind);
        let contested = row.state.conflicts();
        let declared = |(class, number): &&(Class, u16)| {
            let field = kind.and_then(|kind| kind.field_numbered(*number));
            field.is_some_and(|field| field.class.section() == *class)
        };
        let conflicts = contested.iter().filter(declared).count();
        ViewRow {
            key,
            state: row.state.encode(),
            verdict: row.verdict.unwrap_or(RecordVerdict::Quarantined),
            conflicts: u32::try_from(conflicts).unwrap_or(u32::MAX),
            waits: row.waits,
            changed_at: row.changed_at,
            weight: row.weight,
            terms: kind.map(|kind| kind.terms(&row.state)).unwrap_or_default(),
        }
    }
}

/// The step of a row for an entry that names exactly its heads, or of one that weighs too much already;
/// false when it must be folded. `is_loose`: it does not count, and may be rested on.
fn step(row: &mut WorkRow, entry: &Entry, verdict: EntryVerdict, is_loose: bool) -> bool {
    if row.refold {
        return false;
    }
    if row.weight > RECORD_WEIGHT_MAX {
        return step_beyond(row, entry, verdict, is_loose);
    }
    let layer = match (row.verdict, verdict) {
        (None | Some(RecordVerdict::Counting), EntryVerdict::Counting) => RecordVerdict::Counting,
        (None | Some(RecordVerdict::Waiting), EntryVerdict::Provisional) => RecordVerdict::Waiting,
        _ => return false,
    };
    let weight = row.weight.saturating_add(entry.header.weight());
    if row.waits || weight > RECORD_WEIGHT_MAX || !row.state.apply(&fold_entry(entry, true)) {
        return false;
    }
    row.verdict = Some(layer);
    row.changed_at = entry.header.claimed_at;
    row.weight = weight;
    true
}

/// A layer that weighs too much only grows. Something else is shown once what counts is whole, and that may
/// have waited for this entry.
fn step_beyond(row: &mut WorkRow, entry: &Entry, verdict: EntryVerdict, is_loose: bool) -> bool {
    let (is_seen, speaks) = match row.verdict {
        Some(RecordVerdict::SetAside) => (true, verdict == EntryVerdict::Counting),
        Some(RecordVerdict::Waiting) => (verdict == EntryVerdict::Provisional && !is_loose, true),
        Some(RecordVerdict::Quarantined) => (verdict == EntryVerdict::Quarantined, true),
        Some(RecordVerdict::Counting) | None => (false, false),
    };
    if is_seen && speaks {
        row.changed_at = row.changed_at.max(entry.header.claimed_at);
    }
    is_seen
}
