//! What is verified and not yet committed: runs, the rows they change, and own entries not yet
//! signed. Dropped whole when a commit fails.

use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::authority::Payload;
use crdt_schema::entry::{ChainPoint, Entry};
use crdt_schema::fold::RecordState;
use crdt_schema::id::{DeviceId, EntryId, FeedId, FeedName};
use crdt_schema::time::Timestamp;

use super::declared::Declared;
use super::verdict::EntryVerdict;
use crate::ports::{EditRef, NamedValue, PlacedRun, RecordKey, RecordVerdict, ViewRow};

/// A batch under way.
#[derive(Debug, Default)]
pub(super) struct Stage {
    pub(super) new_feeds: Vec<FeedName>,
    pub(super) runs: Vec<PlacedRun>,
    pub(super) values: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// Rows that the batch touches, as they will be.
    pub(super) rows: BTreeMap<RecordKey, WorkRow>,
    /// Edits that are not in the views yet.
    pub(super) edits: BTreeMap<RecordKey, Vec<EditRef>>,
    /// How each edit was judged when it was staged; what comes later in the batch may change it.
    pub(super) verdicts: Vec<StagedVerdict>,
    /// Records that got an edit which does not count, by its feed.
    pub(super) loose: BTreeSet<(FeedId, RecordKey)>,
    pub(super) declared: Declared,
    /// Devices that introduce themselves in this batch, by invitation.
    pub(super) introduced: BTreeMap<EntryId, BTreeSet<DeviceId>>,
    /// Feeds that got entries.
    pub(super) touched: BTreeSet<FeedId>,
    /// Own entries that wait for the next signature.
    pub(super) open: BTreeMap<FeedId, OpenRun>,
    /// Entries of the incarnation this device writes under came from outside: its store was copied or
    /// restored.
    pub(super) own_came_back: bool,
    pub(super) entries: u64,
    /// Bytes of the runs' entries, of rows and of values: squeezed, a run of 1 MiB may come in a few hundred.
    pub(super) bytes: usize,
}

/// Bytes of entries and rows after which a batch is made durable: each lies in memory some times over until
/// then. A dozen of the largest runs; 8,192 ordinary entries and their rows have some 11 MiB.
const BYTES_MAX: usize = 16 << 20;

/// How one edit was judged when it was staged.
#[derive(Debug, Clone, Copy)]
pub(super) struct StagedVerdict {
    pub(super) feed: FeedId,
    pub(super) branch: u32,
    pub(super) seq: u64,
    pub(super) is_open: bool,
    pub(super) verdict: EntryVerdict,
}

/// Own entries of one feed, placed and not yet signed.
#[derive(Debug)]
pub(super) struct OpenRun {
    pub(super) name: FeedName,
    pub(super) after: ChainPoint,
    pub(super) entries: Vec<Entry>,
}

/// One row while a batch changes it.
#[derive(Debug, Clone)]
pub(super) struct WorkRow {
    pub(super) state: RecordState,
    /// `None` for a record nobody had written before.
    pub(super) verdict: Option<RecordVerdict>,
    pub(super) waits: bool,
    pub(super) changed_at: Timestamp,
    /// Of its edits, as [`ViewRow::weight`].
    pub(super) weight: u32,
    /// Its edits must be folded anew after the commit.
    pub(super) refold: bool,
}

impl WorkRow {
    pub(super) fn new() -> Self {
        Self {
            state: RecordState::default(),
            verdict: None,
            waits: false,
            changed_at: Timestamp(0),
            weight: 0,
            refold: false,
        }
    }

    /// A stored row. `None` when its bytes are not a row's: then it is folded anew.
    pub(super) fn stored(row: &ViewRow) -> Self {
        let state = RecordState::decode(&row.state);
        Self {
            refold: state.is_err(),
            state: state.unwrap_or_default(),
            verdict: Some(row.verdict),
            waits: row.waits,
            changed_at: row.changed_at,
            weight: row.weight,
        }
    }
}

impl Stage {
    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.values.is_empty() && self.open.is_empty()
    }

    /// Whether it holds so much that it must be committed before more is added.
    pub(super) const fn is_heavy(&self) -> bool {
        self.bytes >= BYTES_MAX
    }

    /// A row that weighed so much weighs so much now.
    pub(super) const fn weigh(&mut self, before: usize, now: usize) {
        self.bytes = self.bytes.saturating_sub(before).saturating_add(now);
    }

    /// Adds a run.
    pub(super) fn push(&mut self, placed: PlacedRun) {
        let weights = placed.run.entries().iter().map(|entry| entry.header.weight());
        self.bytes += weights.map(|weight| weight as usize).sum::<usize>();
        self.runs.push(placed);
    }

    /// Authority entries that speak once they are committed.
    pub(super) fn declare(&mut self, name: &FeedName, entries: &[Entry]) {
        for entry in entries {
            self.declared.push(name, entry);
        }
        let said = self.declared.entries().iter().rev().take(entries.len());
        for entry in said {
            if let Some(Payload::Certificate(certificate)) = &entry.payload
                && let Some((invitation, _)) = certificate.invited
            {
                self.introduced.entry(invitation).or_default().insert(name.device);
            }
        }
    }

    /// A small named value to be written with the batch.
    pub(super) fn put(&mut self, (name, value): NamedValue) {
        self.values.push((name, Some(value)));
    }
}
