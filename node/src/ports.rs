//! What the core asks of the world: traits that adapters fulfil, each with its errors.
//!
//! A clock and a source of randomness, so that the core has none of its own; and two stores. The
//! **feed store** is the truth: verified runs, heads, arrivals, and a few small named values; every
//! commit is durable. The **view store** is derived: one row a record, the edits each record is
//! made of, search terms and counts; it can be thrown away. One writer owns both.

use std::collections::BTreeSet;
use std::io;
use std::ops::RangeInclusive;

use crdt_schema::area::AreaId;
use crdt_schema::entry::{
    BackRefs, ChainPoint, Entry, PackedRun, RECORD_WEIGHT_MAX, Run, SignedHead,
};
use crdt_schema::fold::RecordState;
use crdt_schema::id::{EntryId, FeedId, FeedName, RecordId, StoreInstance};
pub use crdt_schema::record::TermKind;
use crdt_schema::time::Timestamp;
use thiserror::Error;

/// What time it is, for claimed times, arrivals and reports; nothing is decided by it.
pub trait Clock: std::fmt::Debug + Send + Sync {
    /// Now, by this machine.
    fn now(&self) -> Timestamp;
}

/// Where randomness comes from: keys, record ids, salts, incarnations.
pub trait Entropy: std::fmt::Debug + Send + Sync {
    /// Fills `bytes` with bits nobody can guess.
    ///
    /// # Errors
    /// [`EntropyError`] when the system has none to give.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

/// The system gave no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the system gives no random bytes")]
pub struct EntropyError;

/// Why a store did not do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No space left on the device.
    #[error("the disk is full")]
    Full,
    /// The file system or the file cannot be written.
    #[error("the store is read-only")]
    ReadOnly,
    /// Another process holds the store.
    #[error("the store is open in another process")]
    Locked,
    /// Written by a newer build.
    #[error("the store has format {found}, this build knows up to {known}")]
    Newer {
        /// Format in the file.
        found: u32,
        /// Newest format this build reads.
        known: u32,
    },
    /// There is no store where one was expected.
    #[error("there is no store here")]
    Missing,
    /// There is a store where a new one was to be made.
    #[error("there is a store here already")]
    Exists,
    /// Bytes at rest are not what was written.
    #[error("the store is damaged: {what}")]
    Damaged {
        /// Which part, without any personal value.
        what: String,
    },
    /// An earlier write failed; the handle refuses to go on until the store is opened again.
    #[error("an earlier write failed; the store must be opened again")]
    Poisoned,
    /// The disk, in words of the system.
    #[error("failed to {step}: {source}")]
    Io {
        /// What was being done.
        step: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The caller asked for something impossible: our own mistake.
    #[error("internal: {0}")]
    Misuse(&'static str),
}

/// One branch of a feed. Branch 0 is the one first seen; a fork makes more. The numbers are local
/// to one store and never leave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BranchHead {
    /// Local number.
    pub branch: u32,
    /// Parent branch and the last sequence shared with it; `None` for branch 0.
    pub from: Option<(u32, u64)>,
    /// The newest signature.
    pub head: SignedHead,
}

/// A feed and its heads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedHeads {
    /// Who, where, which space, which incarnation.
    pub name: FeedName,
    /// By number, without gaps.
    pub branches: Vec<BranchHead>,
}

impl FeedHeads {
    /// The branches on which the past of `seq` on a branch lies, and up to which sequence of each.
    pub fn past(&self, branch: u32, seq: u64) -> Vec<(u32, u64)> {
        let before = |(number, last): &(u32, u64)| {
            let from = self.branches.iter().find(|known| known.branch == *number)?.from;
            from.map(|(parent, shared)| (parent, shared.min(*last)))
        };
        std::iter::successors(Some((branch, seq)), before).collect()
    }

    /// Of each branch its number, and the first and last sequence that lie on it alone.
    pub fn own_parts(&self) -> Vec<(u32, u64, u64)> {
        let part = |branch: &BranchHead| {
            let first = branch.from.map_or(1, |(_, shared)| shared + 1);
            (branch.branch, first, branch.head.point.seq)
        };
        self.branches.iter().map(part).collect()
    }
}

/// Where an entry lies in this store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Its feed.
    pub feed: FeedId,
    /// Local number of the branch.
    pub branch: u32,
    /// From 1.
    pub seq: u64,
}

/// A verified run and the branch it continues or begins.
#[derive(Debug, Clone)]
pub struct PlacedRun {
    /// Local number; the next free one when `from` is given.
    pub branch: u32,
    /// For a new branch: the parent and the last shared sequence.
    pub from: Option<(u32, u64)>,
    /// The entries; they follow the branch's head, or the shared place.
    pub run: Run,
}

/// What one durable commit writes.
#[derive(Debug, Clone, Default)]
pub struct FeedBatch {
    /// Feeds not yet known; a run of one may be in the same batch.
    pub new_feeds: Vec<FeedName>,
    /// In order; later ones may follow earlier ones.
    pub runs: Vec<PlacedRun>,
    /// Small named values to put, or with `None` to remove.
    pub values: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

/// One row of the arrivals: which entries came when, in this store's own count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// From 1, without gaps.
    pub number: u64,
    /// Where the entries lie.
    pub feed: FeedId,
    /// Local number of the branch.
    pub branch: u32,
    /// First sequence.
    pub first: u64,
    /// Last sequence.
    pub last: u64,
    /// When they came, by this node's clock.
    pub received_at: Timestamp,
    /// BLAKE3 over the row before and this one: two stores with equal hashes took the same steps.
    pub running_hash: [u8; 32],
}

/// A small named value: name, bytes.
pub type NamedValue = (Vec<u8>, Vec<u8>);

/// The truth: verified runs, and nothing else enters.
pub trait FeedStore {
    /// This file's life.
    fn instance(&self) -> StoreInstance;

    /// Every feed with its heads, ascending by feed id.
    ///
    /// # Errors
    /// [`StoreError`] of the disk.
    fn feeds(&self) -> Result<Vec<FeedHeads>, StoreError>;

    /// Writes everything or nothing, durably, and returns the newest arrival number.
    ///
    /// # Errors
    /// [`StoreError::Misuse`] when a run does not follow its branch; else of the disk.
    fn commit(&mut self, batch: &FeedBatch, received_at: Timestamp) -> Result<u64, StoreError>;

    /// The stored run that begins at `from` and ends at the next checkpoint or the newest
    /// signature; `None` beyond the head.
    ///
    /// # Errors
    /// [`StoreError`] of the disk.
    fn packed_run(
        &self,
        feed: FeedId,
        branch: u32,
        from: u64,
    ) -> Result<Option<PackedRun>, StoreError>;

    /// The entries of a range, which may begin on the parent branch.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when one is not held; else of the disk.
    fn entries(
        &self,
        feed: FeedId,
        branch: u32,
        range: RangeInclusive<u64>,
    ) -> Result<Vec<Entry>, StoreError>;

    /// The id at a sequence; `None` beyond the head.
    ///
    /// # Errors
    /// [`StoreError`] of the disk.
    fn point(&self, feed: FeedId, branch: u32, seq: u64) -> Result<Option<ChainPoint>, StoreError>;

    /// What runs of this branch may lean on. A failure of the disk reads as "not held".
    fn back_refs(&self, feed: FeedId, branch: u32) -> Box<dyn BackRefs + '_>;

    /// The number of the newest arrival; 0 when nothing ever came.
    ///
    /// # Errors
    /// [`StoreError`] of the disk.
    fn newest_arrival(&self) -> Result<u64, StoreError>;

    /// At most `limit` arrivals after `number`, ascending.
    ///
    /// # Errors
    /// [`StoreError`] of the disk.
    fn arrivals(&self, after: u64, limit: usize) -> Result<Vec<Arrival>, StoreError>;

    /// A named value.
    ///
    /// # Errors
    /// [`StoreError`] of the disk.
    fn value(&self, name: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Named values whose name begins with `prefix`, ascending.
    ///
    /// # Errors
    /// [`StoreError`] of the disk.
    fn values(&self, prefix: &[u8]) -> Result<Vec<NamedValue>, StoreError>;

    /// The last of those up to and with `name`, which begins with `prefix` too. A store that is
    /// kept for long finds it without reading the others.
    ///
    /// # Errors
    /// [`StoreError`] of the disk.
    fn value_up_to(&self, prefix: &[u8], name: &[u8]) -> Result<Option<NamedValue>, StoreError> {
        Ok(self.values(prefix)?.into_iter().rev().find(|(known, _)| **known <= *name))
    }

    /// Version of the layout at rest.
    fn format(&self) -> u32;

    /// Bytes the file takes on the disk.
    ///
    /// # Errors
    /// [`StoreError`] of the disk.
    fn size_bytes(&self) -> Result<u64, StoreError>;

    /// Bytes the disk below has left for this program; `None` where nobody can say.
    fn free_bytes(&self) -> Option<u64> {
        None
    }

    /// Reads the disk anew after a failed write: what it holds may be the batch that failed, or not.
    ///
    /// # Errors
    /// [`StoreError`] of the disk: then the handle goes on refusing everything.
    fn reopen(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// A record's identity, in the order lists are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey {
    /// Where it was created, for ever.
    pub area: AreaId,
    /// Number of its kind.
    pub kind: u16,
    /// 128 random bits.
    pub record: RecordId,
}

/// One held edit of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EditRef {
    /// Where the entry lies.
    pub place: Place,
    /// Its id.
    pub id: EntryId,
}

/// How a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum RecordVerdict {
    /// Has counting edits; in lists and counts.
    Counting = 0,
    /// Only a device waiting for its confirmation wrote it; shown apart, counted nowhere.
    Waiting = 1,
    /// Only quarantined edits.
    Quarantined = 2,
    /// What counts of it weighs more than [`RECORD_WEIGHT_MAX`]: kept, listed without values, counted
    /// nowhere.
    SetAside = 3,
}

/// What a view keeps of one record.
#[derive(Clone, PartialEq, Eq)]
pub struct ViewRow {
    /// Which record.
    pub key: RecordKey,
    /// `RecordState` bytes: heads, surviving values.
    pub state: Vec<u8>,
    /// How it stands.
    pub verdict: RecordVerdict,
    /// Fields with two values or more.
    pub conflicts: u32,
    /// Whether an edit of it waits for an entry that is not held.
    pub waits: bool,
    /// Claimed time of the newest edit in display order; the greatest, where it has no values for its
    /// weight.
    pub changed_at: Timestamp,
    /// What the edits of its layer and those they rest on weigh, of [`RECORD_WEIGHT_MAX`]; beyond that one
    /// more, and the row has no values.
    pub weight: u32,
    /// Search terms, unique. Personal: never logged.
    pub terms: BTreeSet<(TermKind, String)>,
}

impl ViewRow {
    /// Its heads and values.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when the bytes are none's.
    pub fn values(&self) -> Result<RecordState, StoreError> {
        RecordState::decode(&self.state).map_err(|_| StoreError::Damaged {
            what: format!("the row of record {} in the views", self.key.record.short()),
        })
    }

    /// Whether it has no values because its edits weigh too much.
    pub const fn is_beyond(&self) -> bool {
        self.weight > RECORD_WEIGHT_MAX
    }
}

/// Weight of rows after which a page of them ends, however many were asked for: ten thousand that people
/// wrote, and sixteen of somebody who makes them as long as they may be.
pub const PAGE_WEIGHT_MAX: u64 = 16 << 20;

/// Whether a page that has these rows ends there, whatever its limit.
pub fn is_heavy_page<'a>(rows: impl IntoIterator<Item = &'a ViewRow>) -> bool {
    rows.into_iter().map(|row| u64::from(row.weight)).sum::<u64>() >= PAGE_WEIGHT_MAX
}

impl std::fmt::Debug for ViewRow {
    // State and terms may be personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ViewRow")
            .field("key", &self.key)
            .field("verdict", &self.verdict)
            .finish_non_exhaustive()
    }
}

/// What one commit changes in the views.
#[derive(Debug, Clone, Default)]
pub struct ViewBatch {
    /// The arrival up to which the views now hold everything.
    pub applied: u64,
    /// Edits now held, with the record each belongs to.
    pub edits: Vec<(RecordKey, EditRef)>,
    /// New or changed rows; terms and counts follow from the difference.
    pub rows: Vec<ViewRow>,
}

/// Which rows to list. Empty sets mean "any".
#[derive(Debug, Clone, Default)]
pub struct RowFilter {
    /// Areas to look in, exactly these.
    pub areas: BTreeSet<AreaId>,
    /// Kinds by number.
    pub kinds: BTreeSet<u16>,
    /// Every one of these must be among the row's terms; a name matches from its beginning.
    pub terms: Vec<(TermKind, String)>,
    /// Only rows with a conflict.
    pub conflicts_only: bool,
    /// Only rows that stand so; any otherwise.
    pub verdicts: BTreeSet<RecordVerdict>,
}

impl RowFilter {
    /// Whether a row that stands so may be among what is asked for.
    pub fn takes(&self, verdict: RecordVerdict) -> bool {
        self.verdicts.is_empty() || self.verdicts.contains(&verdict)
    }
}

/// Counting rows: area, kind, one term of type or status (or all of the kind), how many.
pub type CountRow = (AreaId, u16, Option<(TermKind, String)>, u64);

/// Sums over all rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Rows that count.
    pub records: u64,
    /// Fields with two values or more, over all rows that count.
    pub conflicts: u64,
    /// Rows that wait for a confirmation.
    pub waiting: u64,
    /// Rows with an edit that waits for an entry not held, whatever their verdict.
    pub waiting_deps: u64,
    /// Rows that are set aside.
    pub set_aside: u64,
}

/// Who knows the id of an entry by its place: the feed store. Views keep places alone, for ids are
/// hashes and would be most of a row.
pub trait EntryIds {
    /// The id of the entry at a place, which must be held.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it is not; else of the disk.
    fn id_at(&self, place: Place) -> Result<EntryId, StoreError>;
}

impl<F: FeedStore> EntryIds for F {
    fn id_at(&self, place: Place) -> Result<EntryId, StoreError> {
        let point = self.point(place.feed, place.branch, place.seq)?;
        point.map(|point| point.id).ok_or_else(|| StoreError::Damaged {
            what: format!("entry {} of feed {} is not held", place.seq, place.feed.short()),
        })
    }
}

/// What screens read; derived, and never the truth. Entry ids in a row's state are those of edits of
/// its record; `ids` knows them.
pub trait ViewStore {
    /// The newest arrival that is in the views.
    ///
    /// # Errors
    /// [`StoreError`] of the disk.
    fn applied(&self) -> Result<u64, StoreError>;

    /// One row.
    ///
    /// # Errors
    /// [`StoreError`] of the disk.
    fn row(&self, key: &RecordKey, ids: &dyn EntryIds) -> Result<Option<ViewRow>, StoreError>;

    /// Records whose id in hex begins so.
    ///
    /// # Errors
    /// [`StoreError`] of the disk.
    fn find(&self, hex_prefix: &str) -> Result<Vec<RecordKey>, StoreError>;

    /// The edits held of a record, any order.
    ///
    /// # Errors
    /// [`StoreError`] of the disk.
    fn edits(&self, key: &RecordKey, ids: &dyn EntryIds) -> Result<Vec<EditRef>, StoreError>;

    /// Writes everything or nothing. With `durable` false it may be lost in a power cut and is
    /// then caught up from the feed store, and a failure may be said by whatever is asked next.
    ///
    /// # Errors
    /// [`StoreError`] of the disk.
    fn commit(&mut self, batch: ViewBatch, durable: bool) -> Result<(), StoreError>;

    /// Rows by (area, kind, id), from behind `after`, at most `limit`, and none behind a page that
    /// [is heavy](is_heavy_page); and how many match in all.
    ///
    /// # Errors
    /// [`StoreError`] of the disk.
    fn list(
        &self,
        filter: &RowFilter,
        after: Option<&RecordKey>,
        limit: usize,
        ids: &dyn EntryIds,
    ) -> Result<(u64, Vec<ViewRow>), StoreError>;

    /// Totals over all rows.
    ///
    /// # Errors
    /// [`StoreError`] of the disk.
    fn totals(&self) -> Result<Totals, StoreError>;

    /// Counting rows by (area, kind, term) for terms of type and status; and by (area, kind) alone
    /// with `None`.
    ///
    /// # Errors
    /// [`StoreError`] of the disk.
    fn counts(&self) -> Result<Vec<CountRow>, StoreError>;

    /// Forgets everything: the views are then made again from the feeds.
    ///
    /// # Errors
    /// [`StoreError`] of the disk.
    fn clear(&mut self) -> Result<(), StoreError>;

    /// Reads the disk anew after a failed write.
    ///
    /// # Errors
    /// [`StoreError`] of the disk: then the handle goes on refusing everything.
    fn reopen(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Gives free space back to the disk, where there is any.
    ///
    /// # Errors
    /// [`StoreError`] of the disk.
    fn compact(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}
