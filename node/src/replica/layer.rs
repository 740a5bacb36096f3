//! Which edits of a record are folded together: a layer of it, which are those that speak there, and what
//! they rest on. No more than [`RECORD_WEIGHT_MAX`] of a record is kept in memory, whatever somebody put
//! into it: what weighs more is set aside, by weights that stand in headers, so everywhere alike (ADR 0036).

use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::entry::{Entry, RECORD_WEIGHT_MAX};
use crdt_schema::fold::{FoldEntry, Folded, SectionRead, fold};
use crdt_schema::id::{EntryId, FeedId};
use crdt_schema::time::Timestamp;

use super::Replica;
use super::verdict::{EntryVerdict, Reach, own_branch};
use crate::ports::{EditRef, FeedStore, Place, StoreError, ViewStore};

/// Edits read at once, of those that follow each other in a feed.
const EDITS_AT_ONCE: usize = 64;

/// A held edit with its entry and how it stands.
#[derive(Debug, Clone)]
pub(super) struct LoadedEdit {
    pub(super) edit: EditRef,
    pub(super) entry: Entry,
    pub(super) verdict: EntryVerdict,
    /// Whether it may be rested on though it does not count (`rests.rs`).
    bears: bool,
}

/// Edits that are folded together.
#[derive(Debug, Default)]
pub(super) struct Layer {
    /// None of a record that weighs too much.
    edits: Vec<LoadedEdit>,
    weight: u32,
    /// Greatest claimed time of what speaks.
    newest: Timestamp,
    /// The least verdict of any edit of the record.
    least_of_all: Option<EntryVerdict>,
}

impl Layer {
    fn take(&mut self, edit: LoadedEdit) {
        let weight = edit.entry.header.weight();
        self.push(edit, weight);
    }

    /// What others rest on and does not speak: nobody asks what it says.
    fn take_past(&mut self, mut edit: LoadedEdit) {
        let header = &mut edit.entry.header;
        let weight = header.weight_without_sections();
        (header.sections, edit.entry.bodies) = (Vec::new(), Vec::new());
        self.push(edit, weight);
    }

    fn push(&mut self, edit: LoadedEdit, weight: u32) {
        self.weight = self.weight.saturating_add(weight);
        if self.is_beyond() {
            self.edits = Vec::new();
        } else {
            self.edits.push(edit);
        }
    }

    /// Whether it weighs more than is folded.
    pub(super) const fn is_beyond(&self) -> bool {
        self.weight > RECORD_WEIGHT_MAX
    }

    /// What its row says of its weight.
    pub(super) fn weight(&self) -> u32 {
        self.weight.min(RECORD_WEIGHT_MAX + 1)
    }

    /// Whether any edit of the record stands better than quarantined.
    pub(super) fn waits(&self) -> bool {
        self.least_of_all.is_some_and(|verdict| verdict < EntryVerdict::Quarantined)
    }

    /// What they come to, where those speak that stand no worse than `least`.
    pub(super) fn fold(&self, least: EntryVerdict) -> Folded {
        fold(&self.fold_entries(least))
    }

    /// As [`fold`] reads them.
    pub(super) fn fold_entries(&self, least: EntryVerdict) -> Vec<FoldEntry> {
        self.edits.iter().map(|it| fold_entry(&it.entry, it.verdict <= least)).collect()
    }

    /// Claimed time of the last edit that speaks, in display order: causality, claimed time, entry id; of a
    /// record that weighs too much the greatest. What does not speak lies outside roots and is not held by
    /// everybody, so it has no say in a row.
    pub(super) fn changed_at(&self, least: EntryVerdict, folded: &Folded) -> Timestamp {
        if self.is_beyond() {
            return self.newest;
        }
        let place = |it: &&LoadedEdit| {
            let depth = folded.depths.get(&it.entry.id).copied();
            (depth, it.entry.header.claimed_at, it.entry.id)
        };
        let speaking = self.edits.iter().filter(|it| it.verdict <= least);
        speaking.max_by_key(place).map(|it| it.entry.header.claimed_at).unwrap_or_default()
    }
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

/// In the order of their places, each once.
pub(super) fn in_order(mut edits: Vec<EditRef>) -> Vec<EditRef> {
    edits.sort_unstable_by_key(|edit| (edit.place, edit.id));
    edits.dedup();
    edits
}

impl<F: FeedStore, V: ViewStore> Replica<F, V> {
    /// Of the edits of a record, in order, those that stand no worse than `least`, and what they rest on.
    /// What nobody else need hold is left out, so that whoever builds on it waits everywhere.
    pub(super) fn layer(
        &self,
        edits: &[EditRef],
        least: EntryVerdict,
    ) -> Result<Layer, StoreError> {
        let (mut layer, mut apart) = (Layer::default(), BTreeMap::new());
        self.each_edit(edits, |it| {
            let before = layer.least_of_all.unwrap_or(it.verdict);
            layer.least_of_all = Some(before.min(it.verdict));
            if it.verdict <= least {
                layer.newest = layer.newest.max(it.entry.header.claimed_at);
                layer.take(it);
            } else if it.bears {
                apart.insert(it.entry.id, it.edit);
            }
        })?;
        let deps = |it: &LoadedEdit| it.entry.header.deps.clone();
        let mut ahead: Vec<EntryId> = layer.edits.iter().flat_map(deps).collect();
        while let Some(id) = ahead.pop() {
            let Some(edit) = apart.remove(&id) else { continue };
            self.each_edit(&[edit], |it| {
                ahead.extend(&it.entry.header.deps);
                layer.take_past(it);
            })?;
            if layer.is_beyond() {
                break;
            }
        }
        Ok(layer)
    }

    /// Places of what the counting edits of a record rest on beside each other; `lacks` is told what they
    /// name and is not held. However much a record weighs: it goes wherever they go.
    pub(super) fn rested_on(
        &self,
        edits: &[EditRef],
        mut lacks: impl FnMut(&EntryId),
    ) -> Result<BTreeSet<Place>, StoreError> {
        let (mut places, mut apart, mut past) = (BTreeSet::new(), BTreeMap::new(), BTreeSet::new());
        let mut counting = Vec::new();
        self.each_edit(edits, |it| {
            if it.verdict == EntryVerdict::Counting {
                counting.push(it.edit);
            } else if it.bears {
                apart.insert(it.entry.id, it.edit);
            } else {
                return;
            }
            past.insert(it.entry.id);
        })?;
        let mut ahead = Vec::new();
        let mut name = |entry: &Entry, ahead: &mut Vec<EditRef>| {
            for id in &entry.header.deps {
                if let Some(edit) = apart.remove(id) {
                    places.insert(edit.place);
                    ahead.push(edit);
                } else if !past.contains(id) {
                    lacks(id);
                }
            }
        };
        self.each_edit(&counting, |it| name(&it.entry, &mut ahead))?;
        while let Some(edit) = ahead.pop() {
            self.each_edit(&[edit], |it| name(&it.entry, &mut ahead))?;
        }
        Ok(places)
    }

    /// Reads edits that are in order, some at a time, and says how each stands.
    pub(super) fn each_edit(
        &self,
        edits: &[EditRef],
        mut visit: impl FnMut(LoadedEdit),
    ) -> Result<(), StoreError> {
        let mut standing: Option<(FeedId, Reach, bool)> = None;
        for some in edits.chunk_by(|one, next| goes_on(one.place, next.place)) {
            let Some(Place { feed, .. }) = some.first().map(|edit| edit.place) else { continue };
            if standing.as_ref().is_none_or(|(of, ..)| *of != feed) {
                let heads = self.held.feed(feed).ok_or_else(|| StoreError::Damaged {
                    what: format!("an edit names the feed {}, which is not held", feed.short()),
                })?;
                standing = Some((feed, self.reach(heads)?, self.may_bear(&heads.name)));
            }
            let Some((_, reach, bears)) = &standing else { continue };
            for edits in some.chunks(EDITS_AT_ONCE) {
                for (edit, branch, entry) in self.entries_of(edits)? {
                    let verdict = reach.verdict(branch, &entry.header);
                    visit(LoadedEdit { edit, entry, verdict, bears: *bears });
                }
            }
        }
        Ok(())
    }

    /// The entries of edits that follow each other in one feed, and on which branch each lies.
    fn entries_of(&self, edits: &[EditRef]) -> Result<Vec<(EditRef, u32, Entry)>, StoreError> {
        let mut found = Vec::with_capacity(edits.len());
        let at = |edit: &EditRef| {
            let Place { feed, branch, seq } = edit.place;
            own_branch(&self.held, feed, branch, seq)
        };
        for some in edits.chunk_by(|one, next| at(one) == at(next)) {
            let [first, ..] = some else { continue };
            let (branch, Place { feed, seq, .. }) = (at(first), first.place);
            let last = some.last().map_or(seq, |edit| edit.place.seq);
            let mut entries = self.feeds.entries(feed, branch, seq..=last)?.into_iter();
            for edit in some {
                let entry = entries.next().filter(|entry| entry.id == edit.id);
                let entry = entry.ok_or_else(|| StoreError::Damaged {
                    what: format!(
                        "entry {} of feed {} is not what was stored",
                        edit.place.seq,
                        feed.short()
                    ),
                })?;
                found.push((*edit, branch, entry));
            }
        }
        Ok(found)
    }
}

fn goes_on(one: Place, next: Place) -> bool {
    (one.feed, one.branch) == (next.feed, next.branch) && one.seq.checked_add(1) == Some(next.seq)
}
