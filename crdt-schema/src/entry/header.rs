//! The header of an entry: the bytes whose hash is the entry's id.
//!
//! Knows the layout and its limits. Sections lie beside the header (`mod.rs`), the way headers
//! travel is `packed.rs`, who vouches for them is `sign.rs`.

use crate::class::Class;
use crate::codec::{DecodeError, Reader, Writer};
use crate::id::{EntryId, FeedId, RecordId};
use crate::time::Timestamp;

/// Version of the header layout this build writes.
pub const HEADER_VERSION: u8 = 1;
/// Entries an edit may name as what it has seen. A record with more heads than this is settled in
/// two steps; the bound keeps a header below [`HEADER_BYTES_MAX`].
pub const DEPS_MAX: usize = 64;
/// Bytes of all section bodies of one entry together: long minutes fit, and a run of 64 entries
/// stays near one MiB.
pub const SECTIONS_BYTES_MAX: usize = 16 * 1024;
/// Bytes of a header with every list full.
pub const HEADER_BYTES_MAX: usize =
    FIXED_BYTES + 2 + DEPS_MAX * 32 + Class::ALL.len() * SECTION_BYTES;
/// What the edits of one record may weigh together, by [`Header::weight`], and what they rest on that does
/// not count, by [`Header::weight_without_sections`]: a record beyond it is set aside everywhere, whoever
/// can read what of it. No more of it than that need be in memory at once.
pub const RECORD_WEIGHT_MAX: u32 = 1 << 20;
/// What a record may weigh before a save. A quarter: only edits that four devices made apart, each as
/// many as it may, set a record aside.
pub const SAVED_WEIGHT_MAX: u32 = RECORD_WEIGHT_MAX / 4;
/// Random bytes in front of an open section that can be erased, so that its hash, which stays,
/// does not tell a value that can be guessed.
pub const SALT_BYTES: usize = 16;

/// Kinds of record that are about no person: kps, kegiatan, kemitraan. What of a device that
/// nobody confirmed counts depends on this list, so it is part of the format: the same on every
/// build, and a kind declared later is not in it.
pub const OPEN_KINDS: [u16; 3] = [4, 5, 6];

const FIXED_BYTES: usize = 103;
const SECTION_BYTES: usize = 38;
/// What an edit weighs beside the entries it names and its sections.
const EDIT_WEIGHT: u32 = 128;

/// What an entry is. Unknown codes are kept and carried: a newer node knows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryKind(pub u8);

impl EntryKind {
    /// What one save did to one record.
    pub const EDIT: Self = Self(1);
    /// Wrap keys, sealed to an epoch key.
    pub const KEY_GRANT: Self = Self(2);
    /// A throw-away key that may certify one device.
    pub const INVITATION: Self = Self(16);
    /// A device's keys, area, rights and limits.
    pub const CERTIFICATE: Self = Self(17);
    /// A person's word that an invited device is the one meant.
    pub const CONFIRMATION: Self = Self(18);
    /// Where a device's feeds end, by agreement.
    pub const CLOSING: Self = Self(19);
    /// A device's rights withdrawn: only what cuts name counts.
    pub const REVOCATION: Self = Self(20);
    /// Up to which entries a revoked device's feeds count in one area.
    pub const CUT: Self = Self(21);
    /// Quarantined edits made to count again.
    pub const ADOPTION: Self = Self(22);
    /// Today's code, name and parent of an area.
    pub const ALIAS: Self = Self(23);
    /// A legal order.
    pub const ORDER: Self = Self(24);
    /// What lets an erasure destroy.
    pub const RELEASE: Self = Self(25);
    /// A published list, form, standard or dictionary.
    pub const PUBLISHED: Self = Self(26);
    /// The second device's word on an erasure.
    pub const ERASURE_CONFIRMATION: Self = Self(27);
}

/// How a section's bytes are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Form {
    /// Operations in clear.
    Open = 0,
    /// [`SALT_BYTES`] random bytes, then operations in clear.
    Salted = 1,
    /// Sealed to the readers of its class; the length is rounded up to a multiple of 32.
    Sealed = 2,
}

impl Form {
    /// The form whose code is `code`.
    ///
    /// # Errors
    /// [`DecodeError::Unknown`] for any other code.
    pub const fn from_code(code: u8) -> Result<Self, DecodeError> {
        match code {
            0 => Ok(Self::Open),
            1 => Ok(Self::Salted),
            2 => Ok(Self::Sealed),
            _ => Err(DecodeError::Unknown("section form")),
        }
    }
}

/// What a header says of one section: the body may be gone, this stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SectionHead {
    /// Who may read it.
    pub class: Class,
    /// How its bytes are read.
    pub form: Form,
    /// Bytes of the body as stored.
    pub length: u32,
    /// BLAKE3 of the body as stored.
    pub hash: [u8; 32],
}

/// The signed part of an entry, version 1. All integers big-endian.
///
/// | bytes    | field         | form                                                    |
/// |----------|---------------|---------------------------------------------------------|
/// | 0        | version       | 1; this and the next four keep their place for ever     |
/// | 1..3     | length        | of the whole header                                     |
/// | 3..35    | `feed`        | [`FeedId`]                                              |
/// | 35..43   | `seq`         | from 1                                                  |
/// | 43..75   | `prev`        | id of entry `seq - 1`; zeros for the first              |
/// | 75       | `kind`        | [`EntryKind`]                                           |
/// | 76..78   | `record_kind` | number of the record's kind; 0 in the authority space   |
/// | 78..94   | `record`      | [`RecordId`]; zeros in the authority space              |
/// | 94       | `person`      | which of the device's people saved; 0 unknown           |
/// | 95..103  | `claimed_at`  | milliseconds, the author's word                         |
/// | 103..    | `deps`        | one byte count, then ids ascending                      |
/// | ..       | `sections`    | one byte count, then class, form, length (4), hash (32) |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The feed this entry is in.
    pub feed: FeedId,
    /// Its place there, from 1.
    pub seq: u64,
    /// The entry before it; [`EntryId::NONE`] for the first.
    pub prev: EntryId,
    /// What it is.
    pub kind: EntryKind,
    /// The kind of the record it edits; with area and id it is the record's identity.
    pub record_kind: u16,
    /// The record it edits.
    pub record: RecordId,
    /// A small number for the local person who saved.
    pub person: u8,
    /// The author's clock, shown and never trusted.
    pub claimed_at: Timestamp,
    /// The heads of the record as the author saw them, ascending.
    pub deps: Vec<EntryId>,
    /// One per class, ascending.
    pub sections: Vec<SectionHead>,
}

impl Header {
    /// The record it is about; `None` in the authority space.
    pub fn about(&self) -> Option<(u16, RecordId)> {
        let is_none = self.record_kind == 0 && self.record == RecordId([0; 16]);
        (!is_none).then_some((self.record_kind, self.record))
    }

    /// Whether it is an edit with open sections alone, of a record of one of [`OPEN_KINDS`].
    pub fn is_open(&self) -> bool {
        self.kind == EntryKind::EDIT
            && OPEN_KINDS.contains(&self.record_kind)
            && self.sections.iter().all(|section| section.class == Class::Open)
    }

    /// What it weighs, of [`RECORD_WEIGHT_MAX`]: 128, 32 for each entry it names, and the bytes of its
    /// sections as stored. The same on every node, also on one that cannot open them or holds them no more.
    pub fn weight(&self) -> u32 {
        let sections = self.sections.iter().map(|section| section.length);
        sections.fold(self.weight_without_sections(), u32::saturating_add)
    }

    /// What it weighs where nobody asks what it says: as something that others rest on.
    pub fn weight_without_sections(&self) -> u32 {
        let named = u32::try_from(self.deps.len() * EntryId::SIZE_BYTES).unwrap_or(u32::MAX);
        EDIT_WEIGHT.saturating_add(named)
    }

    /// The signed bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let lists = self.deps.len() * EntryId::SIZE_BYTES + self.sections.len() * SECTION_BYTES;
        let length = FIXED_BYTES + 2 + lists;
        let mut header = Writer::with_capacity(length);
        header.u8(HEADER_VERSION).u16(u16::try_from(length).unwrap_or(u16::MAX));
        header.raw(&self.feed.0).u64(self.seq).raw(&self.prev.0);
        header.u8(self.kind.0).u16(self.record_kind).raw(&self.record.0);
        header.u8(self.person).raw(&self.claimed_at.0.to_be_bytes());
        header.u8(count_byte(self.deps.len()));
        for dep in &self.deps {
            header.raw(&dep.0);
        }
        header.u8(count_byte(self.sections.len()));
        for section in &self.sections {
            header.u8(section.class as u8).u8(section.form as u8);
            header.u32(section.length).raw(&section.hash);
        }
        header.finish()
    }

    /// The entry's id.
    pub fn entry_id(&self) -> EntryId {
        EntryId(*blake3::hash(&self.to_bytes()).as_bytes())
    }

    /// Reads signed bytes back.
    ///
    /// # Errors
    /// [`DecodeError`] when they are not exactly one header of this version in canonical form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != HEADER_VERSION {
            return Err(DecodeError::Unknown("header version"));
        }
        if usize::from(reader.u16()?) != bytes.len() {
            return Err(DecodeError::NotCanonical("header length"));
        }
        let header = Self {
            feed: FeedId::read(&mut reader)?,
            seq: reader.u64()?,
            prev: EntryId::read(&mut reader)?,
            kind: EntryKind(reader.u8()?),
            record_kind: reader.u16()?,
            record: RecordId::read(&mut reader)?,
            person: reader.u8()?,
            claimed_at: Timestamp(i64::from_be_bytes(reader.array()?)),
            deps: read_deps(&mut reader)?,
            sections: read_sections(&mut reader)?,
        };
        reader.end()?;
        header.check()?;
        Ok(header)
    }

    /// Whether the header keeps its own rules, wherever it came from.
    ///
    /// # Errors
    /// [`DecodeError::NotCanonical`] for an order or a first entry that is none,
    /// [`DecodeError::TooLarge`] beyond a limit.
    pub fn check(&self) -> Result<(), DecodeError> {
        if self.seq == 0 || (self.seq == 1) != (self.prev == EntryId::NONE) {
            return Err(DecodeError::NotCanonical("sequence"));
        }
        if self.deps.len() > DEPS_MAX {
            return Err(DecodeError::TooLarge("deps"));
        }
        if !self.deps.is_sorted_by(|a, b| a < b) {
            return Err(DecodeError::NotCanonical("deps"));
        }
        if !self.sections.is_sorted_by(|a, b| a.class < b.class) {
            return Err(DecodeError::NotCanonical("sections"));
        }
        let bytes: u64 = self.sections.iter().map(|section| u64::from(section.length)).sum();
        if bytes > SECTIONS_BYTES_MAX as u64 {
            Err(DecodeError::TooLarge("sections"))
        } else {
            Ok(())
        }
    }
}

/// Both lists are bounded far below 256 before a header is written.
fn count_byte(count: usize) -> u8 {
    u8::try_from(count).unwrap_or(u8::MAX)
}

fn read_deps(reader: &mut Reader<'_>) -> Result<Vec<EntryId>, DecodeError> {
    let count = usize::from(reader.u8()?);
    if count > DEPS_MAX {
        return Err(DecodeError::TooLarge("deps"));
    }
    (0..count).map(|_| EntryId::read(reader)).collect()
}

fn read_sections(reader: &mut Reader<'_>) -> Result<Vec<SectionHead>, DecodeError> {
    let count = usize::from(reader.u8()?);
    if count > Class::ALL.len() {
        return Err(DecodeError::TooLarge("sections"));
    }
    let read = |_| {
        Ok(SectionHead {
            class: Class::from_code(reader.u8()?)?,
            form: Form::from_code(reader.u8()?)?,
            length: reader.u32()?,
            hash: reader.array()?,
        })
    };
    (0..count).map(read).collect()
}
