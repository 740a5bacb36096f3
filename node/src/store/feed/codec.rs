//! Values: segments, heads and arrivals as bytes. Integers without a size are varints.

use std::collections::BTreeMap;

use crdt_schema::codec::{DecodeError, Reader, Writer};
use crdt_schema::entry::{Block, CHECKPOINT_EVERY, ChainPoint, PackedRun, SignedHead};
use crdt_schema::id::{EntryId, FeedName, RecordId};
use crdt_schema::time::Timestamp;

use crate::ports::{BranchHead, FeedHeads};
use crate::store::Again;
use crate::store::heads::FeedState;

/// Bytes of one value in `blocks`: three fill a page of 4,096, while a block of sealed entries in
/// one value would leave 45 % of its pages empty.
pub(super) const PIECE_BYTES_MAX: usize = 1300;
/// Rows of one group of arrivals: a row alone would be 100 bytes, in a group it is about 10.
pub(super) const ARRIVALS_PER_GROUP: usize = 64;

/// No feed grows so long; bytes that say so are damaged, and arithmetic on sequences stays safe.
const SEQ_MAX: u64 = 1 << 56;
const FORM_OPEN: u8 = 1;
const FORM_SIGNED: u8 = 2;

/// Consecutive entries of one branch between two checkpoints, and what is needed to rebuild them
/// without reading beyond their chapter (`cache.rs`).
///
/// | part        | form                                                                       |
/// |-------------|----------------------------------------------------------------------------|
/// | form        | 1, or 2 with a signature: the segment ends at a checkpoint                 |
/// | count       | one byte, 1 to 64                                                          |
/// | last id     | 32 bytes: the id of the last entry                                         |
/// | signature   | 64 bytes, form 2 only: over the last entry                                 |
/// | far ids     | count, then for each by place: distance back from the first entry, id      |
/// | far records | count, then for each by place: distance back, kind, record id              |
/// | block       | to the end: the compressed block, as it travels                            |
///
/// "Far" is what the entries lean on that lies before the chapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    /// Sequence of the first entry; in the key, not in the value.
    pub(super) first: u64,
    /// How many entries.
    pub(super) count: u8,
    /// Id of the last entry.
    pub(super) last_id: EntryId,
    /// Over the last entry, when that is a checkpoint.
    pub(super) signature: Option<[u8; 64]>,
    /// What the entries lean on before their chapter.
    pub(super) far: Far,
    /// The compressed block.
    pub(super) packed: Vec<u8>,
}

/// Ids and records before a chapter, by sequence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Far {
    /// Ids that deps name.
    pub(super) ids: BTreeMap<u64, EntryId>,
    /// Records that entries are about.
    pub(super) records: BTreeMap<u64, (u16, RecordId)>,
}

impl Segment {
    /// Sequence of the last entry.
    pub(super) fn last(&self) -> u64 {
        self.first + u64::from(self.count) - 1
    }

    /// The block inside.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are damaged.
    pub(super) fn block(&self) -> Result<Block, DecodeError> {
        let run = PackedRun { first: self.first, bytes: self.packed.clone(), signature: [0; 64] };
        let block = run.block()?;
        let whole = block.entries.len() == usize::from(self.count);
        if whole { Ok(block) } else { Err(DecodeError::Malformed("segment")) }
    }

    /// The value, whole; it is then cut into pieces.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut value = Writer::new();
        value.u8(if self.signature.is_some() { FORM_SIGNED } else { FORM_OPEN });
        value.u8(self.count).raw(&self.last_id.0);
        if let Some(signature) = &self.signature {
            value.raw(signature);
        }
        value.varint(self.far.ids.len() as u64);
        for (place, id) in &self.far.ids {
            value.varint(self.first - place).raw(&id.0);
        }
        value.varint(self.far.records.len() as u64);
        for (place, (kind, record)) in &self.far.records {
            value.varint(self.first - place).varint(u64::from(*kind)).raw(&record.0);
        }
        value.raw(&self.packed).finish()
    }

    /// Reads the value at `first`.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are damaged.
    pub(super) fn decode(first: u64, value: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(value);
        let form = reader.u8()?;
        let count = reader.u8()?;
        let within = 1..=CHECKPOINT_EVERY;
        if !within.contains(&u64::from(count)) || !(1..=SEQ_MAX).contains(&first) {
            return Err(DecodeError::Malformed("segment"));
        }
        let last_id = EntryId::read(&mut reader)?;
        let signature = match form {
            FORM_OPEN => None,
            FORM_SIGNED => Some(reader.array()?),
            _ => return Err(DecodeError::Unknown("segment form")),
        };
        let far =
            Far { ids: read_ids(&mut reader, first)?, records: read_records(&mut reader, first)? };
        Ok(Self { first, count, last_id, signature, far, packed: reader.rest().to_vec() })
    }
}

fn read_ids(reader: &mut Reader<'_>, first: u64) -> Result<BTreeMap<u64, EntryId>, DecodeError> {
    let count = reader.count(usize::MAX, "far ids")?;
    (0..count).map(|_| Ok((read_place(reader, first)?, EntryId::read(reader)?))).collect()
}

fn read_records(
    reader: &mut Reader<'_>,
    first: u64,
) -> Result<BTreeMap<u64, (u16, RecordId)>, DecodeError> {
    let count = reader.count(usize::MAX, "far records")?;
    let read = |_| {
        let place = read_place(reader, first)?;
        let kind = u16::try_from(reader.varint()?).map_err(|_| DecodeError::TooLarge("kind"))?;
        Ok((place, (kind, RecordId::read(reader)?)))
    };
    (0..count).map(read).collect()
}

fn read_place(reader: &mut Reader<'_>, first: u64) -> Result<u64, DecodeError> {
    first.checked_sub(reader.varint()?).ok_or(DecodeError::Malformed("distance"))
}

/// A feed's row in `heads`.
///
/// | part     | form                                                                     |
/// |----------|--------------------------------------------------------------------------|
/// | number   | 4 bytes: stands for the feed in `arrivals`                               |
/// | name     | 52 bytes                                                                 |
/// | branches | count, then for each in order of number, the first without parent:       |
/// |          | parent, last shared sequence; sequence, entry id (32), signature (64)    |
pub(super) fn encode_feed(feed: &FeedState) -> Vec<u8> {
    let mut value = Writer::new();
    value.u32(feed.number);
    feed.heads.name.write(&mut value);
    value.varint(feed.heads.branches.len() as u64);
    for branch in &feed.heads.branches {
        if let Some((parent, shared)) = branch.from {
            value.varint(u64::from(parent)).varint(shared);
        }
        let head = &branch.head;
        value.varint(head.point.seq).raw(&head.point.id.0).raw(&head.signature);
    }
    value.finish()
}

/// Reads a row of `heads`.
///
/// # Errors
/// [`DecodeError`] when the bytes are damaged.
pub(super) fn decode_feed(value: &[u8]) -> Result<FeedState, DecodeError> {
    let mut reader = Reader::new(value);
    let number = reader.u32()?;
    let name = FeedName::read(&mut reader)?;
    let count = reader.count(usize::MAX, "branches")?;
    let count = u32::try_from(count).map_err(|_| DecodeError::TooLarge("branches"))?;
    let branches = (0..count).map(|branch| read_branch(&mut reader, &name, branch));
    let branches = branches.collect::<Result<Vec<_>, _>>()?;
    reader.end()?;
    Ok(FeedState { number, heads: FeedHeads { name, branches } })
}

fn read_branch(
    reader: &mut Reader<'_>,
    name: &FeedName,
    branch: u32,
) -> Result<BranchHead, DecodeError> {
    let from = if branch == 0 { None } else { Some(read_parent(reader, branch)?) };
    let point = ChainPoint { seq: reader.varint()?, id: EntryId::read(reader)? };
    let shared = from.map_or(0, |(_, shared)| shared);
    if point.seq <= shared || point.seq > SEQ_MAX {
        return Err(DecodeError::Malformed("head"));
    }
    let head = SignedHead { feed: name.id(), point, signature: reader.array()? };
    Ok(BranchHead { branch, from, head })
}

fn read_parent(reader: &mut Reader<'_>, branch: u32) -> Result<(u32, u64), DecodeError> {
    let parent = u32::try_from(reader.varint()?).map_err(|_| DecodeError::TooLarge("branch"))?;
    if parent >= branch {
        return Err(DecodeError::Malformed("parent branch"));
    }
    Ok((parent, reader.varint()?))
}

/// Consecutive arrivals.
///
/// | part   | form                                                                     |
/// |--------|--------------------------------------------------------------------------|
/// | before | 32 bytes: running hash of the row before the group                       |
/// | after  | 32 bytes: running hash of its last row, which vouches for the rows       |
/// | rows   | to the end: feed number, branch, first sequence, entries less one,       |
/// |        | signed step of `received_at` from the row before, from 0 for the first   |
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ArrivalGroup {
    /// Number of the first row; in the key, not in the value.
    pub(super) first: u64,
    /// Running hash of the row before.
    pub(super) before: [u8; 32],
    /// Running hash of the last row.
    pub(super) after: [u8; 32],
    /// The rows.
    pub(super) rows: Vec<ArrivalRow>,
}

/// An arrival without what follows from its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ArrivalRow {
    /// Number of the feed in this store.
    pub(super) feed: u32,
    /// Local number of the branch.
    pub(super) branch: u32,
    /// First sequence.
    pub(super) first: u64,
    /// Last sequence.
    pub(super) last: u64,
    /// When, by this node's clock.
    pub(super) received_at: Timestamp,
}

impl ArrivalGroup {
    /// The value.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut value = Writer::new();
        value.raw(&self.before).raw(&self.after);
        let mut clock = 0i64;
        for row in &self.rows {
            value.varint(u64::from(row.feed)).varint(u64::from(row.branch));
            value.varint(row.first).varint(row.last - row.first);
            value.varint_signed(row.received_at.0.wrapping_sub(clock));
            clock = row.received_at.0;
        }
        value.finish()
    }

    /// Reads the group whose first row is `first`.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are damaged.
    pub(super) fn decode(first: u64, value: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(value);
        let (before, after) = (reader.array()?, reader.array()?);
        let (mut rows, mut clock) = (Vec::new(), 0i64);
        while reader.remaining() > 0 {
            let row = read_row(&mut reader, clock)?;
            clock = row.received_at.0;
            rows.push(row);
        }
        let fits = !rows.is_empty() && rows.len() <= ARRIVALS_PER_GROUP;
        if fits {
            Ok(Self { first, before, after, rows })
        } else {
            Err(DecodeError::Malformed("arrivals"))
        }
    }
}

fn read_row(reader: &mut Reader<'_>, clock: i64) -> Result<ArrivalRow, DecodeError> {
    let small = |value: u64| u32::try_from(value).map_err(|_| DecodeError::TooLarge("number"));
    let feed = small(reader.varint()?)?;
    let branch = small(reader.varint()?)?;
    let first = reader.varint()?;
    let last = first.checked_add(reader.varint()?).ok_or(DecodeError::TooLarge("sequence"))?;
    let received_at = Timestamp(clock.wrapping_add(reader.varint_signed()?));
    Ok(ArrivalRow { feed, branch, first, last, received_at })
}

/// For tests with foreign bytes: what a value that these are is written as again. `form` says what they
/// are: a segment, a feed's row, arrivals.
#[doc(hidden)]
pub fn value_again(form: u8, bytes: &[u8]) -> Option<Again> {
    Some(match form % 3 {
        0 => {
            let segment = Segment::decode(5_000, bytes).ok()?;
            drop(segment.block());
            Again::of(&segment, Segment::encode, |bytes| Segment::decode(5_000, bytes).ok())
        }
        1 => Again::of(&decode_feed(bytes).ok()?, encode_feed, |bytes| decode_feed(bytes).ok()),
        _ => {
            let group = ArrivalGroup::decode(1, bytes).ok()?;
            Again::of(&group, ArrivalGroup::encode, |bytes| ArrivalGroup::decode(1, bytes).ok())
        }
    })
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test that panics is a test that fails"
    )]
    use super::*;
    use crdt_schema::id::{DeviceId, Space};
    use proptest::prelude::*;

    fn segment() -> Segment {
        Segment {
            first: 5000,
            count: 2,
            last_id: EntryId([3; 32]),
            signature: None,
            far: Far {
                ids: BTreeMap::from([(7, EntryId([4; 32])), (90, EntryId([5; 32]))]),
                records: BTreeMap::from([(7, (1, RecordId([6; 16])))]),
            },
            packed: vec![1, 2, 3],
        }
    }

    #[test]
    fn a_segment_comes_back_with_and_without_a_signature() {
        for signature in [None, Some([9; 64])] {
            let segment = Segment { signature, ..segment() };
            assert_eq!(Segment::decode(5000, &segment.encode()).unwrap(), segment);
        }
    }

    fn feed() -> FeedState {
        let area = "32092120160".parse().unwrap();
        let device = DeviceId([1; 32]);
        let name = FeedName { device, area, space: Space::Records, incarnation: 7 };
        let head = |seq, byte| {
            let point = ChainPoint { seq, id: EntryId([byte; 32]) };
            SignedHead { feed: name.id(), point, signature: [byte; 64] }
        };
        let branches = vec![
            BranchHead { branch: 0, from: None, head: head(300, 2) },
            BranchHead { branch: 1, from: Some((0, 200)), head: head(201, 3) },
        ];
        FeedState { number: 9, heads: FeedHeads { name, branches } }
    }

    fn group() -> ArrivalGroup {
        let row = |first| ArrivalRow {
            feed: 9,
            branch: 0,
            first,
            last: first + 63,
            received_at: Timestamp(1_790_000_000_000),
        };
        ArrivalGroup { first: 1, before: [1; 32], after: [2; 32], rows: vec![row(1), row(65)] }
    }

    #[test]
    fn values_have_these_bytes_for_ever() {
        let signed = Segment { signature: Some([9; 64]), ..segment() };
        let values = [segment().encode(), signed.encode(), encode_feed(&feed()), group().encode()];
        let golden = include_str!("../../../golden/feed-values-v1.hex");
        assert!(values.iter().map(hex::encode).eq(golden.lines()), "{:?}", values.map(hex::encode));
        assert_eq!(decode_feed(&encode_feed(&feed())).unwrap(), feed());
        assert_eq!(ArrivalGroup::decode(1, &group().encode()).unwrap(), group());
    }

    #[test]
    fn a_sequence_that_no_feed_has_is_damage() {
        for first in [0, u64::MAX] {
            assert!(Segment::decode(first, &segment().encode()).is_err());
        }
        let mut feed = feed();
        feed.heads.branches[1].from = Some((0, 201));
        assert!(decode_feed(&encode_feed(&feed)).is_err());
        feed.heads.branches[1].head.point.seq = u64::MAX;
        assert!(decode_feed(&encode_feed(&feed)).is_err());
    }

    #[test]
    fn a_group_of_arrivals_comes_back_whatever_the_clock_did() {
        let row = |first, received_at| ArrivalRow {
            feed: 70_000,
            branch: 1,
            first,
            last: first + 63,
            received_at: Timestamp(received_at),
        };
        let rows = vec![row(1, 1_700_000_000_000), row(65, i64::MIN), row(129, i64::MAX)];
        let group = ArrivalGroup { first: 65, before: [1; 32], after: [2; 32], rows };
        assert_eq!(ArrivalGroup::decode(65, &group.encode()).unwrap(), group);
    }

    proptest! {
        #[test]
        fn reading_any_bytes_never_panics(first in 1u64..10_000, bytes: Vec<u8>) {
            if let Ok(segment) = Segment::decode(first, &bytes) {
                prop_assert_eq!(Segment::decode(first, &segment.encode()).unwrap(), segment);
            }
            if let Ok(group) = ArrivalGroup::decode(first, &bytes) {
                prop_assert_eq!(ArrivalGroup::decode(first, &group.encode()).unwrap(), group);
            }
            if let Ok(feed) = decode_feed(&bytes) {
                prop_assert_eq!(encode_feed(&feed), bytes);
            }
        }
    }
}
