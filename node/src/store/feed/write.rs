//! Writing: a batch becomes rows, in memory and checked, and then one durable commit.
//!
//! A run that goes on within its checkpoint is joined to the newest segment, which is written anew:
//! redb writes whole pages anyhow, so a save touches the same page as if it lay beside, and 64
//! entries squeezed as one take a third of 64 squeezed alone. The signatures between are dropped:
//! the newest vouches for all before it.

use std::collections::BTreeMap;

use crdt_schema::entry::{
    Block, CHECKPOINT_EVERY, DepRef, Entry, PackedEntry, PackedRun, RecordRef, Run,
};
use crdt_schema::id::{EntryId, FeedId};
use crdt_schema::time::Timestamp;
use redb::{Database, WriteTransaction};

use super::RedbFeedStore;
use super::cache::chapter_first;
use super::codec::{
    ARRIVALS_PER_GROUP, ArrivalGroup, ArrivalRow, Far, PIECE_BYTES_MAX, Segment, encode_feed,
};
use super::keys::{BlockKey, HeadKey, block_key, head_key};
use super::read::damaged_block;
use super::tables::{ARRIVALS, BLOCKS, HEADS, VALUES};
use crate::ports::{Arrival, FeedBatch, FeedStore, PlacedRun, StoreError};
use crate::store::arrival::running_hash;
use crate::store::error::failed;
use crate::store::heads::{FeedState, Span, Staging};
use crate::store::open::begin_write;

/// Compressed bytes beyond which a segment is not written anew: minutes of a meeting of 16 KB must
/// not be written again with each of the 63 saves that follow. Three or four pieces; open edits
/// stay far below.
const JOINED_BYTES_MAX: usize = 4 * 1024;

/// The arrivals' end: the group that is not full yet, and the newest row.
#[derive(Debug, Clone)]
pub(super) struct ArrivalsEnd {
    /// Number of the newest row; 0 when there is none.
    pub(super) newest: u64,
    /// Its running hash.
    pub(super) hash: [u8; 32],
    /// The newest group; `None` when it is full or there is none.
    pub(super) open: Option<ArrivalGroup>,
}

/// Everything a commit writes.
#[derive(Debug)]
pub(super) struct Rows {
    /// Feeds that changed.
    pub(super) feeds: BTreeMap<FeedId, FeedState>,
    heads: BTreeMap<HeadKey, Vec<u8>>,
    /// Pieces to put, or with `None` to remove.
    blocks: BTreeMap<BlockKey, Option<Vec<u8>>>,
    arrivals: BTreeMap<u64, Vec<u8>>,
    /// The arrivals' end afterwards.
    pub(super) end: ArrivalsEnd,
}

impl RedbFeedStore {
    /// Finds every run's place and makes the rows; writes nothing.
    ///
    /// # Errors
    /// [`StoreError::Misuse`] when a run has no place; else of the disk.
    pub(super) fn rows(
        &self,
        batch: &FeedBatch,
        received_at: Timestamp,
    ) -> Result<Rows, StoreError> {
        let stored = |id, branch, seq| self.point(id, branch, seq);
        let mut staging = Staging::new(&self.feeds, &stored);
        for name in &batch.new_feeds {
            self.check_prefix(name)?;
            staging.add_feed(name)?;
        }
        let mut segments = Writing { store: self, tails: BTreeMap::new(), rows: BTreeMap::new() };
        let mut end = self.arrivals.clone();
        let mut groups = BTreeMap::new();
        for placed in &batch.runs {
            staging.place(placed)?;
            let feed = staging.feed(placed.run.feed()).ok_or(StoreError::Misuse("no such feed"))?;
            segments.append(feed, placed, &staging)?;
            end.push(feed.number, placed, received_at, &mut groups);
        }
        groups.extend(end.open.as_ref().map(|group| (group.first, group.encode())));
        let blocks = segments.finish();
        let feeds = staging.finish();
        let heads =
            feeds.iter().map(|(id, feed)| (head_key(&feed.heads.name, *id), encode_feed(feed)));
        Ok(Rows { heads: heads.collect(), feeds, blocks, arrivals: groups, end })
    }
}

impl ArrivalsEnd {
    /// Adds a row; a group that is full goes to `full`.
    fn push(
        &mut self,
        feed: u32,
        placed: &PlacedRun,
        received_at: Timestamp,
        full: &mut BTreeMap<u64, Vec<u8>>,
    ) {
        let run = &placed.run;
        let (first, last) = (run.prev().seq + 1, run.head().point.seq);
        let row = ArrivalRow { feed, branch: placed.branch, first, last, received_at };
        let number = self.newest + 1;
        let before = self.hash;
        let after = running_hash(&before, &row.arrival(number, run.feed()));
        let group = ArrivalGroup { first: number, before, after, rows: Vec::new() };
        let group = self.open.get_or_insert(group);
        group.after = after;
        group.rows.push(row);
        if group.rows.len() >= ARRIVALS_PER_GROUP {
            full.insert(group.first, group.encode());
            self.open = None;
        }
        self.newest = number;
        self.hash = after;
    }
}

impl ArrivalRow {
    /// The arrival, its running hash still to be computed.
    pub(super) fn arrival(&self, number: u64, feed: FeedId) -> Arrival {
        Arrival {
            number,
            feed,
            branch: self.branch,
            first: self.first,
            last: self.last,
            received_at: self.received_at,
            running_hash: [0; 32],
        }
    }
}

/// The newest segment of a branch while a batch goes through.
struct Tail {
    first: u64,
    last_id: EntryId,
    signature: Option<[u8; 64]>,
    far: Far,
    body: Body,
    /// Compressed bytes, estimated from above while entries are joined.
    bytes: usize,
    /// Pieces that are stored now and may have to go.
    stored_pieces: usize,
}

/// A segment's entries: as they came, or unpacked to be joined.
enum Body {
    Packed(Vec<u8>, u8),
    Joined(Vec<PackedEntry>),
}

/// Segments under way.
struct Writing<'a> {
    store: &'a RedbFeedStore,
    tails: BTreeMap<(HeadKey, u32), Tail>,
    rows: BTreeMap<BlockKey, Option<Vec<u8>>>,
}

impl Writing<'_> {
    /// Adds a run's entries to its branch.
    fn append(
        &mut self,
        feed: &FeedState,
        placed: &PlacedRun,
        staging: &Staging<'_>,
    ) -> Result<(), StoreError> {
        let run = &placed.run;
        let key = head_key(&feed.heads.name, run.feed());
        let far = far_of(placed, staging)?;
        let tail = match self.tails.remove(&(key, placed.branch)) {
            Some(tail) => Some(tail),
            // What rotted is left as it lies; what comes begins a segment of its own.
            None => whole(self.stored_tail(placed))?.flatten(),
        };
        let tail = match tail {
            Some(tail) if tail.takes(run) => match whole(tail.join(run, far.clone()))? {
                Some(tail) => tail,
                None => Tail::begin(run, far),
            },
            Some(tail) => {
                self.put(&key, placed.branch, tail);
                Tail::begin(run, far)
            }
            None => Tail::begin(run, far),
        };
        self.tails.insert((key, placed.branch), tail);
        Ok(())
    }

    /// The stored segment that a run may be joined to.
    fn stored_tail(&self, placed: &PlacedRun) -> Result<Option<Tail>, StoreError> {
        let before = placed.run.prev().seq;
        if placed.from.is_some() || before.is_multiple_of(CHECKPOINT_EVERY) {
            return Ok(None);
        }
        let Some(reader) = self.store.feed_reader(placed.run.feed())? else { return Ok(None) };
        let span = Span { branch: placed.branch, first: before, last: before };
        let segment = reader.segments(span)?.next().transpose()?;
        Ok(segment.map(Tail::stored))
    }

    /// Makes the rows of a segment.
    fn put(&mut self, feed: &HeadKey, branch: u32, tail: Tail) {
        let (first, stored_pieces) = (tail.first, tail.stored_pieces);
        let value = tail.finish().encode();
        let mut pieces = value.chunks(PIECE_BYTES_MAX);
        let count = pieces.len().max(stored_pieces);
        for piece in (0..=u16::MAX).take(count) {
            let key = block_key(feed, branch, first, piece);
            self.rows.insert(key, pieces.next().map(<[u8]>::to_vec));
        }
    }

    /// The rows of everything.
    fn finish(mut self) -> BTreeMap<BlockKey, Option<Vec<u8>>> {
        for ((feed, branch), tail) in std::mem::take(&mut self.tails) {
            self.put(&feed, branch, tail);
        }
        self.rows
    }
}

impl Tail {
    fn begin(run: &Run, far: Far) -> Self {
        let packed = run.packed().bytes.clone();
        let count = u8::try_from(run.entries().len()).unwrap_or(u8::MAX);
        Self {
            first: run.prev().seq + 1,
            last_id: run.head().point.id,
            signature: checkpoint_signature(run),
            far,
            bytes: packed.len(),
            body: Body::Packed(packed, count),
            stored_pieces: 0,
        }
    }

    fn stored(segment: Segment) -> Self {
        Self {
            first: segment.first,
            last_id: segment.last_id,
            signature: segment.signature,
            bytes: segment.packed.len(),
            stored_pieces: segment.encode().len().div_ceil(PIECE_BYTES_MAX),
            far: segment.far,
            body: Body::Packed(segment.packed, segment.count),
        }
    }

    /// Whether a run goes on in this segment: no checkpoint between, and not too much to write.
    fn takes(&self, run: &Run) -> bool {
        !run.prev().seq.is_multiple_of(CHECKPOINT_EVERY)
            && self.bytes + run.packed().bytes.len() <= JOINED_BYTES_MAX
    }

    fn join(mut self, run: &Run, far: Far) -> Result<Self, StoreError> {
        let mut entries = match self.body {
            Body::Packed(bytes, _) => unpack(self.first, bytes)?,
            Body::Joined(entries) => entries,
        };
        entries.extend(run.block().entries.iter().cloned());
        self.body = Body::Joined(entries);
        self.bytes += run.packed().bytes.len();
        self.last_id = run.head().point.id;
        self.signature = checkpoint_signature(run);
        self.far.ids.extend(far.ids);
        self.far.records.extend(far.records);
        Ok(self)
    }

    fn finish(self) -> Segment {
        let (packed, count) = match self.body {
            Body::Packed(bytes, count) => (bytes, count),
            Body::Joined(entries) => {
                let count = u8::try_from(entries.len()).unwrap_or(u8::MAX);
                let block = Block { first: self.first, entries };
                (PackedRun::pack(&block, [0; 64]).bytes, count)
            }
        };
        let Self { first, last_id, signature, far, .. } = self;
        Segment { first, count, last_id, signature, far, packed }
    }
}

/// `None` for what rotted at rest.
fn whole<T>(read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Err(StoreError::Damaged { .. }) => Ok(None),
        read => read.map(Some),
    }
}

fn unpack(first: u64, bytes: Vec<u8>) -> Result<Vec<PackedEntry>, StoreError> {
    let run = PackedRun { first, bytes, signature: [0; 64] };
    Ok(run.block().map_err(damaged_block)?.entries)
}

/// The signature is kept in the segment only where the head will move on from it for ever.
fn checkpoint_signature(run: &Run) -> Option<[u8; 64]> {
    let head = run.head();
    head.point.seq.is_multiple_of(CHECKPOINT_EVERY).then_some(head.signature)
}

/// What a run leans on before its chapter.
fn far_of(placed: &PlacedRun, staging: &Staging<'_>) -> Result<Far, StoreError> {
    let run = &placed.run;
    let chapter = chapter_first(run.prev().seq + 1);
    let mut far = Far::default();
    for (entry, packed) in run.entries().iter().zip(&run.block().entries) {
        let place = |distance: u64| entry.header.seq.checked_sub(distance);
        let is_far = |place: &u64| *place < chapter;
        if let RecordRef::Back(distance) = packed.record
            && let Some(place) = place(distance).filter(is_far)
        {
            far.records.insert(place, (entry.header.record_kind, entry.header.record));
        }
        for dep in &packed.deps {
            if let DepRef::Back(distance) = dep
                && let Some(place) = place(*distance).filter(is_far)
            {
                far.ids.insert(place, dep_id(entry, placed, place, staging)?);
            }
        }
    }
    Ok(far)
}

/// The id of a dep. With one dep the header says it; of several, whose order a foreign block may
/// have changed, the feed does.
fn dep_id(
    entry: &Entry,
    placed: &PlacedRun,
    place: u64,
    staging: &Staging<'_>,
) -> Result<EntryId, StoreError> {
    if let [only] = *entry.header.deps {
        return Ok(only);
    }
    let point = staging.point(placed.run.feed(), placed.branch, place)?;
    point.map(|point| point.id).ok_or(StoreError::Misuse("a run that leans on nothing held"))
}

/// Writes the rows, and the batch's values, in one durable commit.
///
/// # Errors
/// [`StoreError`] of the disk: nothing, or after a failed sync perhaps everything, was written.
pub(super) fn write(database: &Database, rows: &Rows, batch: &FeedBatch) -> Result<(), StoreError> {
    let transaction = begin_write(database)?;
    write_heads(&transaction, rows)?;
    write_blocks(&transaction, rows)?;
    write_arrivals(&transaction, rows)?;
    write_values(&transaction, batch)?;
    transaction.commit().map_err(failed("commit to the feed store"))
}

fn write_heads(transaction: &WriteTransaction, rows: &Rows) -> Result<(), StoreError> {
    if rows.heads.is_empty() {
        return Ok(());
    }
    let mut table = transaction.open_table(HEADS).map_err(failed("open the heads"))?;
    for (key, value) in &rows.heads {
        table.insert(key, &**value).map_err(failed("write a head"))?;
    }
    Ok(())
}

fn write_blocks(transaction: &WriteTransaction, rows: &Rows) -> Result<(), StoreError> {
    if rows.blocks.is_empty() {
        return Ok(());
    }
    let mut table = transaction.open_table(BLOCKS).map_err(failed("open the blocks"))?;
    for (key, value) in &rows.blocks {
        match value {
            Some(value) => table.insert(key, &**value).map_err(failed("write a block"))?,
            None => table.remove(key).map_err(failed("write a block"))?,
        };
    }
    Ok(())
}

fn write_arrivals(transaction: &WriteTransaction, rows: &Rows) -> Result<(), StoreError> {
    if rows.arrivals.is_empty() {
        return Ok(());
    }
    let mut table = transaction.open_table(ARRIVALS).map_err(failed("open the arrivals"))?;
    for (key, value) in &rows.arrivals {
        table.insert(key, &**value).map_err(failed("write an arrival"))?;
    }
    Ok(())
}

fn write_values(transaction: &WriteTransaction, batch: &FeedBatch) -> Result<(), StoreError> {
    if batch.values.is_empty() {
        return Ok(());
    }
    let mut table = transaction.open_table(VALUES).map_err(failed("open the values"))?;
    for (name, value) in &batch.values {
        match value {
            Some(value) => table.insert(&**name, &**value).map_err(failed("write a value"))?,
            None => table.remove(&**name).map_err(failed("write a value"))?,
        };
    }
    Ok(())
}
