//! The view store in memory: rows in a map, every answer computed by looking at all of them.
//!
//! No index and no running sum on purpose: this is what the store on disk is compared with.

use std::collections::BTreeMap;

use crate::ports::{
    CountRow, EditRef, EntryIds, PAGE_WEIGHT_MAX, RecordKey, RecordVerdict, RowFilter, StoreError,
    TermKind, Totals, ViewBatch, ViewRow, ViewStore,
};

/// Views that end with the process.
#[derive(Debug, Clone, Default)]
pub struct MemoryViewStore {
    applied: u64,
    rows: BTreeMap<RecordKey, ViewRow>,
    edits: BTreeMap<RecordKey, Vec<EditRef>>,
}

impl MemoryViewStore {
    /// Empty views.
    pub fn new() -> Self {
        Self::default()
    }

    fn counting(&self) -> impl Iterator<Item = &ViewRow> {
        self.with_verdict(RecordVerdict::Counting)
    }

    fn with_verdict(&self, verdict: RecordVerdict) -> impl Iterator<Item = &ViewRow> {
        self.rows.values().filter(move |row| row.verdict == verdict)
    }
}

impl ViewStore for MemoryViewStore {
    fn applied(&self) -> Result<u64, StoreError> {
        Ok(self.applied)
    }

    fn row(&self, key: &RecordKey, _ids: &dyn EntryIds) -> Result<Option<ViewRow>, StoreError> {
        Ok(self.rows.get(key).cloned())
    }

    fn find(&self, hex_prefix: &str) -> Result<Vec<RecordKey>, StoreError> {
        let wanted = hex_prefix.to_ascii_lowercase();
        let begins = |key: &&RecordKey| key.record.to_string().starts_with(&wanted);
        Ok(self.rows.keys().filter(begins).copied().collect())
    }

    fn edits(&self, key: &RecordKey, _ids: &dyn EntryIds) -> Result<Vec<EditRef>, StoreError> {
        Ok(self.edits.get(key).cloned().unwrap_or_default())
    }

    fn commit(&mut self, batch: ViewBatch, _durable: bool) -> Result<(), StoreError> {
        for (key, edit) in &batch.edits {
            let held = self.edits.entry(*key).or_default();
            if held.iter().all(|other| other.place != edit.place) {
                held.push(*edit);
            }
        }
        self.rows.extend(batch.rows.iter().map(|row| (row.key, row.clone())));
        self.applied = batch.applied;
        Ok(())
    }

    fn list(
        &self,
        filter: &RowFilter,
        after: Option<&RecordKey>,
        limit: usize,
        _ids: &dyn EntryIds,
    ) -> Result<(u64, Vec<ViewRow>), StoreError> {
        let matching = || self.rows.values().filter(|row| matches(filter, row));
        let total = matching().count() as u64;
        let behind = |row: &&ViewRow| after.is_none_or(|after| row.key > *after);
        let mut weight = 0;
        let has_room = |row: &&ViewRow| {
            let has_room = weight < PAGE_WEIGHT_MAX;
            weight += u64::from(row.weight);
            has_room
        };
        let page = matching().filter(behind).take(limit).take_while(has_room);
        Ok((total, page.cloned().collect()))
    }

    fn totals(&self) -> Result<Totals, StoreError> {
        Ok(Totals {
            records: self.counting().count() as u64,
            conflicts: self.counting().map(|row| u64::from(row.conflicts)).sum(),
            waiting: self.with_verdict(RecordVerdict::Waiting).count() as u64,
            set_aside: self.with_verdict(RecordVerdict::SetAside).count() as u64,
            waiting_deps: self.rows.values().filter(|row| row.waits).count() as u64,
        })
    }

    fn counts(&self) -> Result<Vec<CountRow>, StoreError> {
        let mut counts = BTreeMap::new();
        for row in self.counting() {
            let counted =
                |(kind, _): &&(TermKind, String)| matches!(kind, TermKind::Type | TermKind::Status);
            let terms = row.terms.iter().filter(counted).cloned().map(Some);
            for term in std::iter::once(None).chain(terms) {
                *counts.entry((row.key.area, row.key.kind, term)).or_insert(0) += 1;
            }
        }
        Ok(counts
            .into_iter()
            .map(|((area, kind, term), count)| (area, kind, term, count))
            .collect())
    }

    fn clear(&mut self) -> Result<(), StoreError> {
        *self = Self::new();
        Ok(())
    }
}

/// Whether a row is asked for. Terms are those of counting rows only.
fn matches(filter: &RowFilter, row: &ViewRow) -> bool {
    (filter.areas.is_empty() || filter.areas.contains(&row.key.area))
        && (filter.kinds.is_empty() || filter.kinds.contains(&row.key.kind))
        && (!filter.conflicts_only || row.conflicts > 0)
        && filter.takes(row.verdict)
        && (filter.terms.is_empty() || row.verdict == RecordVerdict::Counting)
        && filter.terms.iter().all(|wanted| row.terms.iter().any(|held| satisfies(held, wanted)))
}

fn satisfies(held: &(TermKind, String), wanted: &(TermKind, String)) -> bool {
    match wanted.0 {
        TermKind::Name => held.0 == TermKind::Name && held.1.starts_with(&wanted.1),
        TermKind::Nik | TermKind::Kk | TermKind::Type | TermKind::Status | TermKind::Rt => {
            held == wanted
        }
    }
}
