//! The way entries travel and lie at rest: only what the chain does not imply.
//!
//! A block holds up to 64 consecutive entries of one feed. Hashes, ids, the feed and the previous
//! id are computed by whoever reads it; a dep in the same feed travels as a distance back, a
//! record already named in the feed as the distance to an entry about it. So a block is
//! read with nothing but the earlier part of its own feed at hand ([`BackRefs`]).
//!
//! One chain has many blocks: a record or a dep may be written out where a distance would do. So a
//! distance leads to what the entry there *is*, never to how it was written, and who holds one
//! encoding reads on in any other (ADR 0031).
//!
//! Nothing here is signed as bytes: `run.rs` rebuilds the headers, and those are.
//!
//! | part     | for each entry                                                              |
//! |----------|-----------------------------------------------------------------------------|
//! | count    | varint, once                                                                |
//! | flags    | one byte: record form (2 bits), dep count (2), person, kind, sections       |
//! | time     | signed varint: milliseconds, then the step from the entry before            |
//! | small    | person, kind, dep count, record kind, record distance, dep distances        |
//! | sections | count unless 1, then a tag and a varint length each                          |
//! | ids      | record ids, dep ids of other feeds, hashes of dropped sections              |
//! | bodies   | the bodies that are held                                                    |

use super::header::{DEPS_MAX, EntryKind, Form, SECTIONS_BYTES_MAX};
use super::run::CHECKPOINT_EVERY;
use crate::class::Class;
use crate::codec::{DecodeError, Reader, Writer};
use crate::id::{EntryId, RecordId};
use crate::time::Timestamp;

/// How an entry says which record it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordRef {
    /// None: the authority space.
    None,
    /// Named here: by our own writer only the first time in its feed, by others perhaps again.
    Here(u16, RecordId),
    /// The one that the entry this many places back is about, however that says so.
    Back(u64),
}

/// How an entry says what it had seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DepRef {
    /// The entry this many places back in the same feed.
    Back(u64),
    /// An entry of another feed, or of another branch.
    Id(EntryId),
}

/// A section's body, or what is left of it.
#[derive(Clone, PartialEq, Eq)]
pub enum PackedBody {
    /// The bytes as stored.
    Held(Vec<u8>),
    /// Dropped under a release: length and hash stay, so that the chain can still be checked.
    Dropped(u32, [u8; 32]),
}

impl std::fmt::Debug for PackedBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Self::Held(_)) { "Held(..)" } else { "Dropped(..)" })
    }
}

/// One section as it travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedSection {
    /// Who may read it.
    pub class: Class,
    /// How the body is read.
    pub form: Form,
    /// The body.
    pub body: PackedBody,
}

/// One entry as it travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedEntry {
    /// What it is.
    pub kind: EntryKind,
    /// Which record it is about.
    pub record: RecordRef,
    /// Which of the device's people saved.
    pub person: u8,
    /// The author's clock.
    pub claimed_at: Timestamp,
    /// What the author had seen, in the order of the ids.
    pub deps: Vec<DepRef>,
    /// By class, ascending.
    pub sections: Vec<PackedSection>,
}

/// What a block may lean on: the part of the same feed and branch that lies before it.
pub trait BackRefs {
    /// The id of the entry at `seq`; `None` when it is not held.
    fn entry_id(&self, seq: u64) -> Option<EntryId>;
    /// The record that the entry at `seq` is about ([`super::Header::about`]); `None` when it is about
    /// none, or not held.
    fn record(&self, seq: u64) -> Option<(u16, RecordId)>;
}

/// Nothing before: for a feed's first block, and wherever no back reference is expected.
#[derive(Debug, Clone, Copy)]
pub struct NoBackRefs;

impl BackRefs for NoBackRefs {
    fn entry_id(&self, _seq: u64) -> Option<EntryId> {
        None
    }

    fn record(&self, _seq: u64) -> Option<(u16, RecordId)> {
        None
    }
}

/// Consecutive entries of one feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Sequence of the first entry.
    pub first: u64,
    /// The entries, 1 to 64.
    pub entries: Vec<PackedEntry>,
}

/// A block never holds more than lies between two checkpoints.
const BLOCK_ENTRIES_MAX: usize = 64;
const _: () = assert!(BLOCK_ENTRIES_MAX as u64 == CHECKPOINT_EVERY);
const RECORD_NONE: u8 = 0;
const RECORD_HERE: u8 = 1;
const RECORD_BACK: u8 = 2;
/// The record is the one the first dep named: the commonest second edit, at no cost.
const RECORD_OF_DEP: u8 = 3;
const DEPS_MANY: u8 = 3;
const FLAG_PERSON: u8 = 1 << 4;
const FLAG_KIND: u8 = 1 << 5;
const FLAG_SECTIONS: u8 = 1 << 6;
const SECTION_DROPPED: u8 = 1 << 4;

impl Block {
    /// Sequence of the last entry.
    pub const fn last(&self) -> u64 {
        self.first + self.entries.len() as u64 - 1
    }

    /// Plain bytes, not compressed.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut columns = Columns::default();
        for entry in &self.entries {
            columns.push(entry);
        }
        columns.finish(self.entries.len())
    }

    /// Reads plain bytes.
    ///
    /// # Errors
    /// [`DecodeError`] when they are not exactly one block starting at `first`, within every limit,
    /// each back reference pointing to a place that exists.
    pub fn from_bytes(first: u64, bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let count = reader.count(BLOCK_ENTRIES_MAX, "entries in a block")?;
        let behind = first.checked_add(count as u64).filter(|_| count > 0 && first > 0);
        let behind = behind.ok_or(DecodeError::NotCanonical("block"))?;
        let flags = reader.raw(count)?;
        let mut small = Small { reader, clock: 0, lengths: Vec::new() };
        let places = (first..behind).zip(flags);
        let read = |(seq, flags): (u64, &u8)| small.entry(*flags, seq);
        let mut entries = places.map(read).collect::<Result<Vec<_>, _>>()?;
        let Small { mut reader, lengths, .. } = small;
        for entry in &mut entries {
            read_ids(&mut reader, entry)?;
        }
        read_bodies(&mut reader, &mut entries, &lengths)?;
        reader.end()?;
        Ok(Self { first, entries })
    }

    /// The part from `from` to the end; `None` when `from` lies outside.
    pub fn from_seq(&self, from: u64) -> Option<Self> {
        let skip = usize::try_from(from.checked_sub(self.first)?).ok()?;
        let entries = self.entries.get(skip..).filter(|rest| !rest.is_empty())?;
        Some(Self { first: from, entries: entries.to_vec() })
    }
}

/// The parts of a block while it is written: like stands beside like, which compresses best.
#[derive(Default)]
struct Columns {
    flags: Writer,
    small: Writer,
    ids: Writer,
    bodies: Writer,
    clock: i64,
}

impl Columns {
    fn push(&mut self, entry: &PackedEntry) {
        self.flags.u8(flags_of(entry));
        self.small.varint_signed(entry.claimed_at.0.wrapping_sub(self.clock));
        self.clock = entry.claimed_at.0;
        if entry.person != 0 {
            self.small.u8(entry.person);
        }
        if entry.kind != EntryKind::EDIT {
            self.small.u8(entry.kind.0);
        }
        self.push_deps(&entry.deps);
        self.push_record(entry);
        self.push_sections(&entry.sections);
    }

    fn push_deps(&mut self, deps: &[DepRef]) {
        if deps.len() >= usize::from(DEPS_MANY) {
            self.small.varint(deps.len() as u64);
        }
        for dep in deps {
            match dep {
                DepRef::Back(distance) => self.small.varint(*distance),
                DepRef::Id(id) => {
                    self.ids.raw(&id.0);
                    self.small.varint(0)
                }
            };
        }
    }

    fn push_record(&mut self, entry: &PackedEntry) {
        match entry.record {
            RecordRef::Here(kind, id) => {
                self.small.varint(u64::from(kind));
                self.ids.raw(&id.0);
            }
            RecordRef::Back(distance) if !is_record_of_dep(entry) => {
                self.small.varint(distance);
            }
            RecordRef::Back(_) | RecordRef::None => {}
        }
    }

    fn push_sections(&mut self, sections: &[PackedSection]) {
        if sections.len() != 1 {
            self.small.u8(u8::try_from(sections.len()).unwrap_or(u8::MAX));
        }
        for section in sections {
            let tag = section.class as u8 | (section.form as u8) << 2;
            match &section.body {
                PackedBody::Held(body) => {
                    self.small.u8(tag).varint(body.len() as u64);
                    self.bodies.raw(body);
                }
                PackedBody::Dropped(length, hash) => {
                    self.small.u8(tag | SECTION_DROPPED).varint(u64::from(*length));
                    self.ids.raw(hash);
                }
            }
        }
    }

    fn finish(mut self, count: usize) -> Vec<u8> {
        let mut block = Writer::new();
        block.varint(count as u64).raw(&self.flags.finish()).raw(&self.small.finish());
        block.raw(&self.ids.finish()).raw(&self.bodies.finish());
        block.finish()
    }
}

fn is_record_of_dep(entry: &PackedEntry) -> bool {
    match (entry.record, entry.deps.first()) {
        (RecordRef::Back(record), Some(DepRef::Back(dep))) => record == *dep,
        _ => false,
    }
}

fn flags_of(entry: &PackedEntry) -> u8 {
    let record = match entry.record {
        RecordRef::None => RECORD_NONE,
        RecordRef::Here(..) => RECORD_HERE,
        RecordRef::Back(_) if is_record_of_dep(entry) => RECORD_OF_DEP,
        RecordRef::Back(_) => RECORD_BACK,
    };
    let deps = u8::try_from(entry.deps.len()).unwrap_or(DEPS_MANY).min(DEPS_MANY);
    let mut flags = record | deps << 2;
    if entry.person != 0 {
        flags |= FLAG_PERSON;
    }
    if entry.kind != EntryKind::EDIT {
        flags |= FLAG_KIND;
    }
    if entry.sections.len() != 1 {
        flags |= FLAG_SECTIONS;
    }
    flags
}

/// The second column while it is read: everything of an entry but ids and bodies.
struct Small<'a> {
    reader: Reader<'a>,
    clock: i64,
    /// Lengths of the held bodies, in order: claims, until the bodies are read.
    lengths: Vec<u32>,
}

impl Small<'_> {
    fn entry(&mut self, flags: u8, seq: u64) -> Result<PackedEntry, DecodeError> {
        if flags & 0x80 != 0 {
            return Err(DecodeError::Unknown("entry flag"));
        }
        let reader = &mut self.reader;
        self.clock = self.clock.wrapping_add(reader.varint_signed()?);
        let person = if flags & FLAG_PERSON == 0 { 0 } else { nonzero(reader.u8()?)? };
        let kind = read_kind(reader, flags)?;
        let deps = read_deps(reader, (flags >> 2) & 3, seq)?;
        let record = read_record(reader, flags & 3, seq, &deps)?;
        let sections = self.sections(flags & FLAG_SECTIONS != 0)?;
        let claimed_at = Timestamp(self.clock);
        Ok(PackedEntry { kind, record, person, claimed_at, deps, sections })
    }

    fn sections(&mut self, many: bool) -> Result<Vec<PackedSection>, DecodeError> {
        let count = if many { usize::from(self.reader.u8()?) } else { 1 };
        if many && count == 1 || count > Class::ALL.len() {
            return Err(DecodeError::NotCanonical("sections"));
        }
        (0..count).map(|_| self.section()).collect()
    }

    fn section(&mut self) -> Result<PackedSection, DecodeError> {
        let tag = self.reader.u8()?;
        if tag & !(SECTION_DROPPED | 0x0f) != 0 {
            return Err(DecodeError::Unknown("section tag"));
        }
        let length = self.reader.varint()?;
        let length = u32::try_from(length).map_err(|_| DecodeError::TooLarge("section"))?;
        if length as usize > SECTIONS_BYTES_MAX {
            return Err(DecodeError::TooLarge("section"));
        }
        let body = if tag & SECTION_DROPPED == 0 {
            self.lengths.push(length);
            PackedBody::Held(Vec::new())
        } else {
            PackedBody::Dropped(length, [0; 32])
        };
        let (class, form) = (Class::from_code(tag & 3)?, Form::from_code(tag >> 2 & 3)?);
        Ok(PackedSection { class, form, body })
    }
}

fn nonzero(value: u8) -> Result<u8, DecodeError> {
    if value == 0 { Err(DecodeError::NotCanonical("person")) } else { Ok(value) }
}

fn read_kind(reader: &mut Reader<'_>, flags: u8) -> Result<EntryKind, DecodeError> {
    if flags & FLAG_KIND == 0 {
        return Ok(EntryKind::EDIT);
    }
    match EntryKind(reader.u8()?) {
        EntryKind::EDIT => Err(DecodeError::NotCanonical("entry kind")),
        other => Ok(other),
    }
}

fn read_deps(reader: &mut Reader<'_>, few: u8, seq: u64) -> Result<Vec<DepRef>, DecodeError> {
    let count = if few < DEPS_MANY { usize::from(few) } else { reader.count(DEPS_MAX, "deps")? };
    if few == DEPS_MANY && count < usize::from(DEPS_MANY) {
        return Err(DecodeError::NotCanonical("deps"));
    }
    let read = |_| match reader.varint()? {
        0 => Ok(DepRef::Id(EntryId::NONE)),
        distance => back(distance, seq).map(DepRef::Back),
    };
    (0..count).map(read).collect()
}

fn back(distance: u64, seq: u64) -> Result<u64, DecodeError> {
    if distance == 0 || distance >= seq {
        Err(DecodeError::Malformed("distance"))
    } else {
        Ok(distance)
    }
}

fn read_record(
    reader: &mut Reader<'_>,
    form: u8,
    seq: u64,
    deps: &[DepRef],
) -> Result<RecordRef, DecodeError> {
    match form {
        RECORD_NONE => Ok(RecordRef::None),
        RECORD_HERE => {
            let kind =
                u16::try_from(reader.varint()?).map_err(|_| DecodeError::TooLarge("kind"))?;
            Ok(RecordRef::Here(kind, RecordId([0; 16])))
        }
        RECORD_BACK => match back(reader.varint()?, seq)? {
            // That has a shorter form, and one block has one byte string.
            distance if deps.first() == Some(&DepRef::Back(distance)) => {
                Err(DecodeError::NotCanonical("record"))
            }
            distance => Ok(RecordRef::Back(distance)),
        },
        _ => match deps.first() {
            Some(DepRef::Back(distance)) => Ok(RecordRef::Back(*distance)),
            _ => Err(DecodeError::Malformed("record")),
        },
    }
}

fn read_ids(reader: &mut Reader<'_>, entry: &mut PackedEntry) -> Result<(), DecodeError> {
    for dep in &mut entry.deps {
        if let DepRef::Id(id) = dep {
            *id = EntryId::read(reader)?;
        }
    }
    if let RecordRef::Here(_, id) = &mut entry.record {
        *id = RecordId::read(reader)?;
    }
    for section in &mut entry.sections {
        if let PackedBody::Dropped(_, hash) = &mut section.body {
            *hash = reader.array()?;
        }
    }
    Ok(())
}

fn read_bodies(
    reader: &mut Reader<'_>,
    entries: &mut [PackedEntry],
    lengths: &[u32],
) -> Result<(), DecodeError> {
    let mut lengths = lengths.iter();
    for section in entries.iter_mut().flat_map(|entry| &mut entry.sections) {
        if let PackedBody::Held(body) = &mut section.body {
            let length = lengths.next().copied().unwrap_or(0);
            *body = reader.raw(length as usize)?.to_vec();
        }
    }
    Ok(())
}
