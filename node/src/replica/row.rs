//! The edits of one record become its row: the fast step for an edit that saw everything, and the
//! fold for every other case.

use crdt_schema::class::Class;
use crdt_schema::entry::Entry;
use crdt_schema::fold::{FoldEntry, Folded, SectionRead, fold};
use crdt_schema::id::FeedName;
use crdt_schema::time::Timestamp;

use super::Replica;
use super::stage::{StagedVerdict, WorkRow};
use super::verdict::{EntryVerdict, Reach, own_branch};
use crate::ports::{
    EditRef, FeedStore, Place, RecordKey, RecordVerdict, StoreError, ViewRow, ViewStore,
};

/// A held edit with its entry and how it stands.
#[derive(Debug, Clone)]
pub(super) struct LoadedEdit {
    pub(super) edit: EditRef,
    pub(super) entry: Entry,
    pub(super) verdict: EntryVerdict,
    /// Whether it may be rested on though it does not count (`rests.rs`).
    bears: bool,
}

impl LoadedEdit {
    /// Whether it is part of the past of what counts.
    pub(super) fn is_past(&self) -> bool {
        self.speaks(EntryVerdict::Counting) || self.bears
    }

    fn speaks(&self, least: EntryVerdict) -> bool {
        self.verdict <= least
    }
}

/// The edits as [`fold`] reads them for one layer: those that speak there, and what they may rest on.
/// What nobody else need hold is left out, so that whoever builds on it waits everywhere.
pub(super) fn fold_entries(edits: &[LoadedEdit], least: EntryVerdict) -> Vec<FoldEntry> {
    let of_layer = edits.iter().filter(|it| it.speaks(least) || it.bears);
    of_layer.map(|it| fold_entry(&it.entry, it.speaks(least))).collect()
}

/// What [`fold`] reads of an entry.
pub(super) fn fold_entry(entry: &Entry, counts: bool) -> FoldEntry {
    FoldEntry {
        id: entry.id,
        deps: entry.header.deps.clone(),
        counts,
        sections: SectionRead::of(entry),
    }
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
        if verdict != EntryVerdict::Counting && self.may_bear(name) {
            self.stage.loose.insert((feed, key));
        }
        self.stage.entries += 1;
        let is_new = !self.stage.rows.contains_key(&key);
        let row = self.work_row(key);
        let before = if is_new { 0 } else { row.state.weight() };
        if !step(row, entry, verdict) {
            row.refold = true;
        }
        let now = row.state.weight();
        self.stage.weigh(before, now);
    }

    /// The row of a record as the batch has it so far.
    pub(super) fn work_row(&mut self, key: RecordKey) -> &mut WorkRow {
        let (views, feeds) = (&self.views, &self.feeds);
        self.stage.rows.entry(key).or_insert_with(|| match views.row(&key, feeds) {
            Ok(None) => WorkRow::new(),
            Ok(Some(row)) => WorkRow::stored(&row),
            // What cannot be read is folded from the truth; the commit meets the failure again.
            Err(_) => WorkRow { refold: true, ..WorkRow::new() },
        })
    }

    /// Edits with their entries, and how each stands.
    pub(super) fn load(&self, mut edits: Vec<EditRef>) -> Result<Vec<LoadedEdit>, StoreError> {
        edits.sort_unstable_by_key(|edit| (edit.place, edit.id));
        edits.dedup();
        let mut loaded = Vec::with_capacity(edits.len());
        let mut reach: Option<(crdt_schema::id::FeedId, Reach, bool)> = None;
        for edit in edits {
            let Place { feed, branch, seq } = edit.place;
            if reach.as_ref().is_none_or(|(of, ..)| *of != feed) {
                let heads = self.held.feed(feed).ok_or_else(|| StoreError::Damaged {
                    what: format!("an edit names the feed {}, which is not held", feed.short()),
                })?;
                reach = Some((feed, self.reach(heads)?, self.may_bear(&heads.name)));
            }
            let at = own_branch(&self.held, feed, branch, seq);
            let entry = self.feeds.entries(feed, at, seq..=seq)?.into_iter().next();
            let entry =
                entry.filter(|entry| entry.id == edit.id).ok_or_else(|| StoreError::Damaged {
                    what: format!("entry {seq} of feed {} is not what was stored", feed.short()),
                })?;
            let (verdict, bears) = match &reach {
                Some((_, reach, bears)) => (reach.verdict(at, &entry.header), *bears),
                None => (EntryVerdict::Quarantined, false),
            };
            loaded.push(LoadedEdit { edit, entry, verdict, bears });
        }
        Ok(loaded)
    }

    /// The row that a record's edits make.
    pub(super) fn row_of(&self, key: RecordKey, edits: &[LoadedEdit]) -> ViewRow {
        let (verdict, least, folded) = layer_of(edits);
        let row = WorkRow {
            verdict: Some(verdict),
            waits: folded.incomplete > 0,
            changed_at: newest(edits, least, &folded),
            state: folded.state,
            refold: false,
        };
        self.view_row(key, &row)
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
            terms: kind.map(|kind| kind.terms(&row.state)).unwrap_or_default(),
        }
    }
}

/// The step of a row for an entry that names exactly its heads; false when it must be folded.
fn step(row: &mut WorkRow, entry: &Entry, verdict: EntryVerdict) -> bool {
    let layer = match (row.verdict, verdict) {
        (None | Some(RecordVerdict::Counting), EntryVerdict::Counting) => RecordVerdict::Counting,
        (None | Some(RecordVerdict::Waiting), EntryVerdict::Provisional) => RecordVerdict::Waiting,
        _ => return false,
    };
    if row.refold || row.waits || !row.state.apply(&fold_entry(entry, true)) {
        return false;
    }
    row.verdict = Some(layer);
    row.changed_at = entry.header.claimed_at;
    true
}

/// Which layer a record shows, the least verdict that speaks there, and its values: what counts;
/// else what waits for a confirmation or an entry; else everything, for whoever may adopt it.
fn layer_of(edits: &[LoadedEdit]) -> (RecordVerdict, EntryVerdict, Folded) {
    let with = |least: EntryVerdict| fold(&fold_entries(edits, least));
    let counting = with(EntryVerdict::Counting);
    if !counting.state.heads().is_empty() {
        return (RecordVerdict::Counting, EntryVerdict::Counting, counting);
    }
    let waits = edits.iter().any(|it| it.verdict < EntryVerdict::Quarantined);
    let (layer, least) = if waits {
        (RecordVerdict::Waiting, EntryVerdict::Provisional)
    } else {
        (RecordVerdict::Quarantined, EntryVerdict::Quarantined)
    };
    (layer, least, with(least))
}

/// Claimed time of the last edit that speaks, in display order: causality, claimed time, entry id.
/// What does not speak lies outside roots and is not held by everybody, so it has no say in a row.
fn newest(edits: &[LoadedEdit], least: EntryVerdict, folded: &Folded) -> Timestamp {
    let place = |it: &&LoadedEdit| {
        let depth = folded.depths.get(&it.entry.id).copied();
        (depth, it.entry.header.claimed_at, it.entry.id)
    };
    let speaking = edits.iter().filter(|it| it.verdict <= least);
    speaking.max_by_key(place).map(|it| it.entry.header.claimed_at).unwrap_or_default()
}
