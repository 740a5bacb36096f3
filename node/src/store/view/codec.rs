//! Values of `view.redb`: what `records` keeps of one record, its row and its edits.
//!
//! | part       | form                                                                            |
//! |------------|---------------------------------------------------------------------------------|
//! | flags      | 1 byte: verdict in bits 0-1, bit 2 waits for an entry, bit 7 there is a row     |
//! | conflicts  | varint                                                                          |
//! | changed at | signed varint                                                                   |
//! | state      | varint length, bytes                                                            |
//! | terms      | varint length, then each: lead 1, and 8 packed digits or varint length and text |
//! | edits      | to the end, each: feed number, branch, sequence, id as varints                  |
//!
//! Without a row the flags are zero and the edits follow at once. The id of an edit is `1 + n` when
//! the state holds it from byte `n` on, as it does for each entry that is a head or has a surviving
//! value; else it is zero, and 32 bytes follow.

use std::collections::BTreeSet;

use crdt_schema::codec::{DecodeError, Reader, Writer};
use crdt_schema::id::EntryId;
use crdt_schema::time::Timestamp;

use super::keys;
use crate::ports::{RecordKey, RecordVerdict, TermKind, ViewRow};

/// Longest part: redb itself refuses longer values.
const PART_BYTES_MAX: usize = 3 << 30;
/// How far into a state ids of edits are looked for. A record of thousands of edits is written
/// whole on each; beyond this the search would cost more than the bytes it saves.
const ID_SEARCH_BYTES: usize = 16 << 10;

/// Room for the small numbers of a row, and for an edit whose id the state holds.
const ROW_BYTES: usize = 24;
const EDIT_BYTES: usize = 8;

const HAS_ROW: u8 = 0x80;
const WAITS: u8 = 0x04;
const VERDICT: u8 = 0x03;

/// An edit with its feed as a number of this file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StoredEdit {
    pub(super) feed: u32,
    pub(super) branch: u32,
    pub(super) seq: u64,
    pub(super) id: EntryId,
}

/// A row as it lies in the file, nothing copied.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowBytes<'a> {
    pub(super) verdict: RecordVerdict,
    pub(super) waits: bool,
    pub(super) conflicts: u32,
    changed_at: Timestamp,
    state: &'a [u8],
    terms: &'a [u8],
}

/// A value of `records`, taken apart.
#[derive(Debug, Clone)]
pub(super) struct RecordBytes<'a> {
    pub(super) row: Option<RowBytes<'a>>,
    edits: &'a [u8],
}

/// Bytes of a row, if there is one, and the edits.
pub(super) fn encode(row: Option<&RowBytes<'_>>, edits: &[StoredEdit]) -> Vec<u8> {
    let state = row.map_or(&[][..], |row| row.state);
    let terms = row.map_or(0, |row| row.terms.len());
    let mut writer =
        Writer::with_capacity(ROW_BYTES + state.len() + terms + EDIT_BYTES * edits.len());
    match row {
        Some(row) => write_row(&mut writer, row),
        None => {
            writer.u8(0);
        }
    }
    for edit in edits {
        write_edit(&mut writer, edit, state);
    }
    writer.finish()
}

fn write_row(writer: &mut Writer, row: &RowBytes<'_>) {
    let waits = if row.waits { WAITS } else { 0 };
    writer.u8(HAS_ROW | waits | row.verdict as u8);
    writer.varint(u64::from(row.conflicts)).varint_signed(row.changed_at.0);
    writer.bytes(row.state).bytes(row.terms);
}

/// The terms of a row as they lie in the file.
pub(super) fn encode_terms(terms: &BTreeSet<(TermKind, String)>) -> Vec<u8> {
    let mut writer = Writer::new();
    for (kind, text) in terms {
        let (lead, payload) = keys::pack_term(*kind, text);
        writer.u8(lead);
        if keys::is_packed(lead) {
            writer.raw(&payload)
        } else {
            writer.bytes(&payload)
        };
    }
    writer.finish()
}

fn write_edit(writer: &mut Writer, edit: &StoredEdit, state: &[u8]) {
    writer.varint(u64::from(edit.feed)).varint(u64::from(edit.branch)).varint(edit.seq);
    let searched = state.get(..ID_SEARCH_BYTES).unwrap_or(state);
    match searched.windows(EntryId::SIZE_BYTES).position(|bytes| bytes == edit.id.as_bytes()) {
        Some(at) => writer.varint(1 + at as u64),
        None => writer.varint(0).raw(edit.id.as_bytes()),
    };
}

impl<'a> RecordBytes<'a> {
    /// Takes a value apart.
    ///
    /// # Errors
    /// [`DecodeError`] when it is not what [`encode`] writes.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let flags = reader.u8()?;
        let row = if flags & HAS_ROW == 0 { None } else { Some(read_row(flags, &mut reader)?) };
        Ok(Self { row, edits: reader.rest() })
    }

    /// The edits, in the order they came.
    ///
    /// # Errors
    /// [`DecodeError`] when they are not what [`encode`] writes.
    pub(super) fn edits(&self) -> Result<Vec<StoredEdit>, DecodeError> {
        let mut reader = Reader::new(self.edits);
        let state = self.row.map_or(&[][..], |row| row.state);
        let mut edits = Vec::new();
        while reader.remaining() > 0 {
            edits.push(read_edit(&mut reader, state)?);
        }
        Ok(edits)
    }
}

fn read_row<'a>(flags: u8, reader: &mut Reader<'a>) -> Result<RowBytes<'a>, DecodeError> {
    Ok(RowBytes {
        verdict: verdict(flags & VERDICT),
        waits: flags & WAITS != 0,
        conflicts: small(reader.varint()?)?,
        changed_at: Timestamp(reader.varint_signed()?),
        state: reader.bytes(PART_BYTES_MAX, "state")?,
        terms: reader.bytes(PART_BYTES_MAX, "terms")?,
    })
}

fn read_edit(reader: &mut Reader<'_>, state: &[u8]) -> Result<StoredEdit, DecodeError> {
    Ok(StoredEdit {
        feed: small(reader.varint()?)?,
        branch: small(reader.varint()?)?,
        seq: reader.varint()?,
        id: match reader.varint()?.checked_sub(1) {
            None => EntryId::read(reader)?,
            Some(at) => id_in(state, at)?,
        },
    })
}

fn id_in(state: &[u8], at: u64) -> Result<EntryId, DecodeError> {
    let at = usize::try_from(at).map_err(|_| DecodeError::Truncated)?;
    let id = state.get(at..).and_then(|from| from.first_chunk());
    id.map(|id| EntryId(*id)).ok_or(DecodeError::Truncated)
}

fn small(value: u64) -> Result<u32, DecodeError> {
    u32::try_from(value).map_err(|_| DecodeError::TooLarge("number"))
}

const fn verdict(code: u8) -> RecordVerdict {
    match code {
        0 => RecordVerdict::Counting,
        1 => RecordVerdict::Waiting,
        2 => RecordVerdict::Quarantined,
        _ => RecordVerdict::SetAside,
    }
}

impl<'a> RowBytes<'a> {
    /// The row as it will lie in the file; `terms` are its own, encoded.
    pub(super) fn of(row: &'a ViewRow, terms: &'a [u8]) -> Self {
        Self {
            verdict: row.verdict,
            waits: row.waits,
            conflicts: row.conflicts,
            changed_at: row.changed_at,
            state: &row.state,
            terms,
        }
    }

    /// Whether its terms are those of `other`, byte for byte.
    pub(super) fn has_terms_of(&self, other: &RowBytes<'_>) -> bool {
        self.terms == other.terms
    }

    /// The row, copied.
    ///
    /// # Errors
    /// [`DecodeError`] when its terms are not what [`encode`] writes.
    pub(super) fn row(&self, key: RecordKey) -> Result<ViewRow, DecodeError> {
        let terms =
            self.terms().map(|term| term.and_then(|(lead, text)| keys::unpack_term(lead, text)));
        Ok(ViewRow {
            key,
            state: self.state.to_vec(),
            verdict: self.verdict,
            conflicts: self.conflicts,
            waits: self.waits,
            changed_at: self.changed_at,
            terms: terms.collect::<Result<_, _>>()?,
        })
    }

    /// Its terms as packed: lead and payload.
    pub(super) fn terms(&self) -> impl Iterator<Item = Result<(u8, &'a [u8]), DecodeError>> {
        let mut reader = Reader::new(self.terms);
        std::iter::from_fn(move || (reader.remaining() > 0).then(|| read_term(&mut reader))).scan(
            false,
            |failed, term| {
                let go_on = !*failed;
                *failed = term.is_err();
                go_on.then_some(term)
            },
        )
    }
}

fn read_term<'a>(reader: &mut Reader<'a>) -> Result<(u8, &'a [u8]), DecodeError> {
    let lead = reader.u8()?;
    let payload = if keys::is_packed(lead) {
        keys::read_packed(reader)?
    } else {
        reader.bytes(PART_BYTES_MAX, "term")?
    };
    Ok((lead, payload))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;
    use crate::store::view::testing::{any_row, edit_id};
    use proptest::prelude::*;

    fn encoded(row: Option<&ViewRow>, edits: &[StoredEdit]) -> Vec<u8> {
        let terms = row.map(|row| encode_terms(&row.terms)).unwrap_or_default();
        encode(row.map(|row| RowBytes::of(row, &terms)).as_ref(), edits)
    }

    proptest! {
        #[test]
        fn records_come_back(row in proptest::option::of(any_row()), ids in proptest::collection::vec(0u8..9, 0..6)) {
            let edit = |n: &u8| StoredEdit { feed: u32::from(*n), branch: 1, seq: u64::MAX, id: edit_id(*n) };
            let edits: Vec<_> = ids.iter().map(edit).collect();
            let bytes = encoded(row.as_ref(), &edits);
            let read = RecordBytes::read(&bytes).unwrap();
            prop_assert_eq!(read.edits().unwrap(), edits);
            let back = row.as_ref().map(|row| read.row.unwrap().row(row.key).unwrap());
            prop_assert_eq!(back, row);
        }

        #[test]
        fn reading_anything_never_panics(bytes: Vec<u8>) {
            if let Ok(read) = RecordBytes::read(&bytes) {
                let ended = read.edits().is_ok() || read.edits().is_err();
                prop_assert!(ended);
                if let Some(row) = read.row {
                    prop_assert!(row.terms().count() <= bytes.len());
                }
            }
        }
    }

    #[test]
    fn an_id_the_state_holds_is_not_written_again() {
        let mut row = crate::store::view::testing::row(1, 1);
        row.state = [&[7; 9][..], edit_id(3).as_bytes()].concat();
        let edit = StoredEdit { feed: 1, branch: 0, seq: 1, id: edit_id(3) };
        let alone = encoded(Some(&row), &[]).len();
        assert_eq!(encoded(Some(&row), &[edit]).len(), alone + 4);
    }

    #[test]
    fn ids_deep_in_a_large_state_come_back() {
        let mut row = crate::store::view::testing::row(1, 1);
        let near = [&vec![0; ID_SEARCH_BYTES - 40][..], edit_id(1).as_bytes()].concat();
        row.state = [&near[..], &[0; 99], edit_id(2).as_bytes()].concat();
        let edits = [1, 2].map(|n| StoredEdit { feed: 0, branch: 0, seq: 1, id: edit_id(n) });
        let bytes = encoded(Some(&row), &edits);
        assert_eq!(RecordBytes::read(&bytes).unwrap().edits().unwrap(), edits);
        let alone = encoded(Some(&row), &[]).len();
        assert_eq!(bytes.len(), alone + (3 + 2) + (3 + 1 + 32));
    }
}
