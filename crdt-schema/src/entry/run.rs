//! From foreign bytes to a [`Run`]: the only door, and what stands behind it is verified.
//!
//! A run is up to 64 consecutive entries of one feed under one signature. It never crosses a
//! checkpoint, so any run can be verified, committed and resumed alone.

use thiserror::Error;

use super::compress::{compress, decompress};
use super::packed::{BackRefs, Block, DepRef, PackedBody, PackedEntry, PackedSection, RecordRef};
use super::sign::{ChainPoint, SignedHead, SigningPublic, SigningSecret};
use super::{Entry, Header, SectionHead};
use crate::codec::{DecodeError, Reader, Writer};
use crate::id::{EntryId, FeedId, RecordId};

/// Entries from one checkpoint to the next: a signature costs its verifier as much as hashing
/// several dozen entries, and 64 of them keep it near one byte an entry.
pub const CHECKPOINT_EVERY: u64 = 64;
/// Compressed bytes of one run a reader accepts; compression never makes a block longer.
pub const RUN_BYTES_MAX: usize = super::compress::BLOCK_BYTES_MAX + 1;

/// Why a run is not taken. Each is a peer's or a stick's mistake, never ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RefuseReason {
    /// The bytes are not a block.
    #[error("the run cannot be read: {0}")]
    Bytes(#[from] DecodeError),
    /// It does not begin where the held part of the feed ends.
    #[error("the run does not follow what is held")]
    NotNext,
    /// It leans on an earlier entry that is not held or is about no record.
    #[error("the run refers to an entry that is not held")]
    BackReference,
    /// It goes on beyond a checkpoint.
    #[error("the run crosses a checkpoint")]
    CrossesCheckpoint,
    /// The chain was altered, or someone else signed.
    #[error("the signature of the run does not hold")]
    Signature,
}

/// A run as it travels and lies at rest.
#[derive(Clone, PartialEq, Eq)]
pub struct PackedRun {
    /// Sequence of the first entry.
    pub first: u64,
    /// The compressed block.
    pub bytes: Vec<u8>,
    /// Ed25519 over the last entry.
    pub signature: [u8; 64],
}

impl std::fmt::Debug for PackedRun {
    // Bodies may be personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PackedRun")
            .field("first", &self.first)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

impl PackedRun {
    /// Packs a block under the signature over its last entry.
    pub fn pack(block: &Block, signature: [u8; 64]) -> Self {
        Self { first: block.first, bytes: compress(&block.to_bytes()), signature }
    }

    /// The block inside, structure checked, nothing verified.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are not a block.
    pub fn block(&self) -> Result<Block, DecodeError> {
        Block::from_bytes(self.first, &decompress(&self.bytes)?)
    }

    /// Appends first (varint), signature, length and bytes.
    pub fn write(&self, writer: &mut Writer) {
        writer.varint(self.first).raw(&self.signature).bytes(&self.bytes);
    }

    /// Reads what [`PackedRun::write`] wrote.
    ///
    /// # Errors
    /// [`DecodeError`] when it is cut or longer than [`RUN_BYTES_MAX`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let first = reader.varint()?;
        let signature = reader.array()?;
        let bytes = reader.bytes(RUN_BYTES_MAX, "run")?.to_vec();
        Ok(Self { first, bytes, signature })
    }

    /// Rebuilds the entries that would follow `prev` in `feed`.
    ///
    /// # Errors
    /// [`RefuseReason`], all but [`RefuseReason::Signature`].
    pub fn open(
        self,
        feed: FeedId,
        prev: ChainPoint,
        before: &dyn BackRefs,
    ) -> Result<UnverifiedRun, RefuseReason> {
        let block = self.block()?;
        self.open_block(block, feed, prev, before)
    }

    /// As [`PackedRun::open`], for a caller that has decoded this run's block already.
    ///
    /// # Errors
    /// As [`PackedRun::open`].
    pub fn open_block(
        self,
        block: Block,
        feed: FeedId,
        prev: ChainPoint,
        before: &dyn BackRefs,
    ) -> Result<UnverifiedRun, RefuseReason> {
        if block.first != prev.seq + 1 {
            return Err(RefuseReason::NotNext);
        }
        if (block.first - 1) / CHECKPOINT_EVERY != (block.last() - 1) / CHECKPOINT_EVERY {
            return Err(RefuseReason::CrossesCheckpoint);
        }
        let entries = block.entries(feed, prev, before)?;
        Ok(UnverifiedRun { feed, prev, packed: self, block, entries })
    }
}

/// A run whose signature was not checked yet. It may come from anyone.
#[derive(Debug, Clone)]
pub struct UnverifiedRun {
    feed: FeedId,
    prev: ChainPoint,
    packed: PackedRun,
    block: Block,
    entries: Vec<Entry>,
}

impl UnverifiedRun {
    /// The entries as they claim to be: for finding out whose they are, never for believing them.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Checks the one signature, which vouches for every entry through the chain.
    ///
    /// # Errors
    /// [`RefuseReason::Signature`].
    pub fn verify(self, key: &SigningPublic) -> Result<Run, RefuseReason> {
        let point = self.entries.last().map_or(self.prev, Entry::point);
        let head = SignedHead { feed: self.feed, point, signature: self.packed.signature };
        head.verify(key).map_err(|_| RefuseReason::Signature)?;
        Ok(Run {
            prev: self.prev,
            head,
            packed: self.packed,
            block: self.block,
            entries: self.entries,
        })
    }
}

/// Consecutive entries of one feed, chain and signature verified. Stores accept nothing else.
#[derive(Debug, Clone)]
pub struct Run {
    prev: ChainPoint,
    head: SignedHead,
    packed: PackedRun,
    block: Block,
    entries: Vec<Entry>,
}

impl Run {
    /// Signs own entries, which must follow `prev` and each other.
    ///
    /// # Errors
    /// [`RefuseReason::NotNext`] or [`RefuseReason::CrossesCheckpoint`]: our own mistake.
    pub fn author(
        prev: ChainPoint,
        entries: Vec<Entry>,
        places: &dyn Places,
        key: &SigningSecret,
    ) -> Result<Self, RefuseReason> {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
            return Err(RefuseReason::NotNext);
        };
        if first.header.seq != prev.seq + 1 || first.header.prev != prev.id {
            return Err(RefuseReason::NotNext);
        }
        if (first.header.seq - 1) / CHECKPOINT_EVERY != (last.header.seq - 1) / CHECKPOINT_EVERY {
            return Err(RefuseReason::CrossesCheckpoint);
        }
        let head = key.sign_head(first.header.feed, last.point());
        let block = Block::of_entries(&entries, places);
        let packed = PackedRun::pack(&block, head.signature);
        Ok(Self { prev, head, packed, block, entries })
    }

    /// The feed.
    pub const fn feed(&self) -> FeedId {
        self.head.feed
    }

    /// The place the run follows.
    pub const fn prev(&self) -> ChainPoint {
        self.prev
    }

    /// The signature over the last entry.
    pub const fn head(&self) -> &SignedHead {
        &self.head
    }

    /// The entries, 1 to 64.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The run as it travels.
    pub const fn packed(&self) -> &PackedRun {
        &self.packed
    }

    /// The block inside.
    pub const fn block(&self) -> &Block {
        &self.block
    }
}

/// Where things stand in one feed and branch, for packing what follows.
pub trait Places {
    /// The sequence of the entry with this id in this feed; `None` when it is in another.
    fn seq_of(&self, id: &EntryId) -> Option<u64>;
    /// The sequence of an entry about this record in this feed, best always of the same one.
    fn named_at(&self, kind: u16, record: &RecordId) -> Option<u64>;
}

impl Block {
    /// Packs entries of one feed; `places` knows what lies before them.
    pub fn of_entries(entries: &[Entry], places: &dyn Places) -> Self {
        let first = entries.first().map_or(1, |entry| entry.header.seq);
        let mut within = Within { first, entries, places };
        let packed = entries.iter().map(|entry| within.pack(entry)).collect();
        Self { first, entries: packed }
    }

    /// Rebuilds the entries: computes every hash and id the block left out.
    ///
    /// # Errors
    /// [`RefuseReason::BackReference`] when something before the block is not held,
    /// [`RefuseReason::Bytes`] when a header breaks its own rules.
    pub fn entries(
        &self,
        feed: FeedId,
        prev: ChainPoint,
        before: &dyn BackRefs,
    ) -> Result<Vec<Entry>, RefuseReason> {
        let mut entries: Vec<Entry> = Vec::with_capacity(self.entries.len());
        for (seq, packed) in (self.first..).zip(&self.entries) {
            let prev = entries.last().map_or(prev, Entry::point);
            let header = Header {
                feed,
                seq,
                prev: prev.id,
                kind: packed.kind,
                record_kind: 0,
                record: RecordId([0; 16]),
                person: packed.person,
                claimed_at: packed.claimed_at,
                deps: self.deps(seq, packed, &entries, before)?,
                sections: packed.sections.iter().map(section_head).collect(),
            };
            let (record_kind, record) = self.record(seq, packed, &entries, before)?;
            let header = Header { record_kind, record, ..header };
            header.check()?;
            entries.push(Entry { id: header.entry_id(), header, bodies: bodies(packed) });
        }
        Ok(entries)
    }

    fn deps(
        &self,
        seq: u64,
        packed: &PackedEntry,
        entries: &[Entry],
        before: &dyn BackRefs,
    ) -> Result<Vec<EntryId>, RefuseReason> {
        let resolve = |dep: &DepRef| match *dep {
            DepRef::Id(id) => Ok(id),
            DepRef::Back(distance) => {
                let place = seq.checked_sub(distance).ok_or(RefuseReason::BackReference)?;
                let id = match self.index_of(place) {
                    Some(index) => entries.get(index).map(|entry| entry.id),
                    None => before.entry_id(place),
                };
                id.ok_or(RefuseReason::BackReference)
            }
        };
        let mut deps = packed.deps.iter().map(resolve).collect::<Result<Vec<_>, _>>()?;
        deps.sort_unstable();
        Ok(deps)
    }

    fn record(
        &self,
        seq: u64,
        packed: &PackedEntry,
        entries: &[Entry],
        before: &dyn BackRefs,
    ) -> Result<(u16, RecordId), RefuseReason> {
        let distance = match packed.record {
            RecordRef::None => return Ok((0, RecordId([0; 16]))),
            RecordRef::Here(kind, record) => return Ok((kind, record)),
            RecordRef::Back(distance) => distance,
        };
        let place = seq.checked_sub(distance).ok_or(RefuseReason::BackReference)?;
        let about = match self.index_of(place) {
            Some(index) => entries.get(index).and_then(|entry| entry.header.about()),
            None => before.record(place),
        };
        about.ok_or(RefuseReason::BackReference)
    }

    /// The position of `seq` in this block; `None` when it lies before.
    fn index_of(&self, seq: u64) -> Option<usize> {
        usize::try_from(seq.checked_sub(self.first)?).ok()
    }
}

fn section_head(section: &PackedSection) -> SectionHead {
    let (length, hash) = match &section.body {
        PackedBody::Held(body) => {
            (u32::try_from(body.len()).unwrap_or(u32::MAX), *blake3::hash(body).as_bytes())
        }
        PackedBody::Dropped(length, hash) => (*length, *hash),
    };
    SectionHead { class: section.class, form: section.form, length, hash }
}

fn bodies(packed: &PackedEntry) -> Vec<Option<Vec<u8>>> {
    let body = |section: &PackedSection| match &section.body {
        PackedBody::Held(body) => Some(body.clone()),
        PackedBody::Dropped(..) => None,
    };
    packed.sections.iter().map(body).collect()
}

/// Places before the block and inside it.
struct Within<'a> {
    first: u64,
    entries: &'a [Entry],
    places: &'a dyn Places,
}

impl Within<'_> {
    fn pack(&mut self, entry: &Entry) -> PackedEntry {
        let header = &entry.header;
        let dep = |id: &EntryId| match self.seq_of(id, header.seq) {
            Some(seq) => DepRef::Back(header.seq - seq),
            None => DepRef::Id(*id),
        };
        PackedEntry {
            kind: header.kind,
            record: self.record(header),
            person: header.person,
            claimed_at: header.claimed_at,
            deps: header.deps.iter().map(dep).collect(),
            sections: header.sections.iter().zip(&entry.bodies).map(pack_section).collect(),
        }
    }

    fn seq_of(&self, id: &EntryId, below: u64) -> Option<u64> {
        let inside = self.entries.iter().find(|entry| entry.id == *id);
        let seq = inside.map(|entry| entry.header.seq).or_else(|| self.places.seq_of(id))?;
        (seq < below).then_some(seq)
    }

    fn record(&self, header: &Header) -> RecordRef {
        let Some((kind, record)) = header.about() else { return RecordRef::None };
        let same = |entry: &&Entry| entry.header.about() == Some((kind, record));
        let before = self.places.named_at(kind, &record);
        let inside = || self.entries.iter().find(same).map(|entry| entry.header.seq);
        match before.filter(|seq| *seq < self.first).or_else(inside) {
            Some(seq) if seq < header.seq => RecordRef::Back(header.seq - seq),
            _ => RecordRef::Here(kind, record),
        }
    }
}

fn pack_section((head, body): (&SectionHead, &Option<Vec<u8>>)) -> PackedSection {
    let body = match body {
        Some(body) => PackedBody::Held(body.clone()),
        None => PackedBody::Dropped(head.length, head.hash),
    };
    PackedSection { class: head.class, form: head.form, body }
}
