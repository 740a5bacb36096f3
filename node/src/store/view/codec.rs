//! Values of `view.redb`: what `records` keeps of one record, its row and its edits.
//!
//! | part       | form                                                                            |
//! |------------|---------------------------------------------------------------------------------|
//! | flags      | 1 byte: verdict in bits 0-1, bit 2 waits for an entry, bit 3 has conflicts, bit 4 the body is squeezed, bit 5 ids are taken out, bit 7 there is a row |
//! | conflicts  | varint, with bit 3                                                              |
//! | changed at | signed varint                                                                   |
//! | weight     | varint: of its edits                                                            |
//! | edits      | varint length, then each as `edits.rs` says                                     |
//! | ids        | with bit 5, as `ids.rs` says                                                    |
//! | body       | to the end; with bit 4 varint plain length and a frame of `squeeze.rs`          |
//!
//! Body, plain: varint length of the terms, terms, state. A term: lead 1, and 8 packed digits or
//! varint length and text. Without a row the flags are zero and the edits are all that follows.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::area::AreaId;
use crdt_schema::codec::{DecodeError, Reader, Writer};
use crdt_schema::id::{EntryId, FeedId, RecordId};
use crdt_schema::time::Timestamp;

use super::edits::{Edits, Hint, StoredEdit};
use super::error::damaged;
use super::ids::{self, Refs};
use super::{keys, squeeze};
use crate::ports::{EntryIds, Place, RecordKey, RecordVerdict, StoreError, TermKind, ViewRow};
use crate::store::Again;

/// Longest part: redb itself refuses longer values.
pub(super) const PART_BYTES_MAX: usize = 3 << 30;
/// Room for the small numbers of a row.
const ROW_BYTES: usize = 48;

const HAS_ROW: u8 = 0x80;
const IDS_OUT: u8 = 0x20;
const SQUEEZED: u8 = 0x10;
const CONFLICTS: u8 = 0x08;
const WAITS: u8 = 0x04;
const VERDICT: u8 = 0x03;

/// A row as it lies in the file, nothing copied or unpacked.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowBytes<'a> {
    pub(super) verdict: RecordVerdict,
    pub(super) waits: bool,
    pub(super) conflicts: u32,
    changed_at: Timestamp,
    pub(super) weight: u32,
    form: u8,
    /// Ids and body.
    rest: &'a [u8],
}

/// A value of `records`, taken apart.
#[derive(Debug, Clone)]
pub(super) struct RecordBytes<'a> {
    pub(super) row: Option<RowBytes<'a>>,
    edits: &'a [u8],
}

/// A row whose body is unpacked.
#[derive(Debug, Clone)]
pub(super) struct OpenRow<'a> {
    row: RowBytes<'a>,
    refs: Option<Refs<'a>>,
    body: Cow<'a, [u8]>,
    /// Where the terms lie in the body; the state follows.
    terms: std::ops::Range<usize>,
}

/// Ids and body of a row as they are written, and in which form.
#[derive(Debug, Clone)]
pub(super) struct Packed {
    form: u8,
    rest: Vec<u8>,
}

/// A row to be written, with its terms as they lie in a body.
#[derive(Debug)]
pub(super) struct NewRow<'a> {
    row: &'a ViewRow,
    pub(super) terms: Vec<u8>,
}

impl<'a> NewRow<'a> {
    pub(super) fn of(row: &'a ViewRow) -> Self {
        Self { row, terms: encode_terms(&row.terms) }
    }

    /// Ids and body; ids that `edits` leads to are not written.
    pub(super) fn pack(&self, edits: &Edits) -> Packed {
        let mut rest = Writer::with_capacity(ROW_BYTES + self.terms.len() + self.row.state.len());
        let taken = ids::take_out(&self.row.state, edits);
        let (mut form, state) = match taken {
            Some((refs, state)) => {
                rest.raw(&refs);
                (IDS_OUT, state)
            }
            None => (0, &*self.row.state),
        };
        let body = joined(&self.terms, state);
        match squeeze::squeeze(&body) {
            Some(frame) => {
                form |= SQUEEZED;
                rest.varint(body.len() as u64).raw(&frame)
            }
            None => rest.raw(&body),
        };
        Packed { form, rest: rest.finish() }
    }

    /// What the indexes read of it.
    pub(super) const fn bytes(&self) -> RowBytes<'static> {
        RowBytes {
            verdict: self.row.verdict,
            waits: self.row.waits,
            conflicts: self.row.conflicts,
            changed_at: self.row.changed_at,
            weight: self.row.weight,
            form: 0,
            rest: &[],
        }
    }
}

/// Bytes of a row, if there is one, and the edits.
pub(super) fn encode(row: Option<&RowBytes<'_>>, edits: &Edits) -> Vec<u8> {
    let mut writer = Writer::with_capacity(ROW_BYTES + row.map_or(0, |row| row.rest.len()));
    match row {
        Some(row) => {
            let waits = if row.waits { WAITS } else { 0 };
            let conflicts = if row.conflicts > 0 { CONFLICTS } else { 0 };
            writer.u8(HAS_ROW | row.form | conflicts | waits | row.verdict as u8);
            if row.conflicts > 0 {
                writer.varint(u64::from(row.conflicts));
            }
            writer.varint_signed(row.changed_at.0).varint(u64::from(row.weight))
        }
        None => writer.u8(0),
    };
    writer.bytes(&edits.encode());
    writer.raw(row.map_or(&[][..], |row| row.rest));
    writer.finish()
}

fn joined(terms: &[u8], state: &[u8]) -> Vec<u8> {
    Writer::with_capacity(8 + terms.len() + state.len()).bytes(terms).raw(state).finish()
}

/// The body of a row before it is squeezed, without any entry's id: what a dictionary learns from.
pub fn body(state: &[u8], terms: &BTreeSet<(TermKind, String)>) -> Vec<u8> {
    let taken = ids::take_out(state, &Edits::default());
    joined(&encode_terms(terms), taken.as_ref().map_or(state, |(_, rest)| rest))
}

fn encode_terms(terms: &BTreeSet<(TermKind, String)>) -> Vec<u8> {
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

impl<'a> RecordBytes<'a> {
    /// Takes a value apart.
    ///
    /// # Errors
    /// [`DecodeError`] when it is not what [`encode`] writes.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let flags = reader.u8()?;
        if flags & HAS_ROW == 0 {
            return Ok(Self { row: None, edits: reader.bytes(PART_BYTES_MAX, "edits")? });
        }
        let conflicts = if flags & CONFLICTS == 0 { 0 } else { small(reader.varint()?)? };
        let changed_at = Timestamp(reader.varint_signed()?);
        let weight = small(reader.varint()?)?;
        let edits = reader.bytes(PART_BYTES_MAX, "edits")?;
        let row = RowBytes {
            verdict: verdict(flags & VERDICT),
            waits: flags & WAITS != 0,
            conflicts,
            changed_at,
            weight,
            form: flags & (SQUEEZED | IDS_OUT),
            rest: reader.rest(),
        };
        Ok(Self { row: Some(row), edits })
    }

    /// The edits, in the order they came.
    ///
    /// # Errors
    /// [`DecodeError`] when they are not what [`encode`] writes.
    pub(super) fn edits(&self) -> Result<Vec<StoredEdit>, DecodeError> {
        StoredEdit::read_all(self.edits)
    }
}

pub(super) fn small(value: u64) -> Result<u32, DecodeError> {
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
    /// The same row around what was packed.
    pub(super) fn around<'b>(&self, packed: &'b Packed) -> RowBytes<'b> {
        RowBytes { form: packed.form, rest: &packed.rest, ..*self }
    }

    /// Unpacks the body.
    ///
    /// # Errors
    /// [`DecodeError`] when it is not what [`NewRow::pack`] writes.
    pub(super) fn open(&self) -> Result<OpenRow<'a>, DecodeError> {
        let mut reader = Reader::new(self.rest);
        let refs = if self.form & IDS_OUT == 0 { None } else { Some(Refs::read(&mut reader)?) };
        let body = if self.form & SQUEEZED == 0 {
            Cow::Borrowed(reader.rest())
        } else {
            let length = usize::try_from(reader.varint()?).unwrap_or(usize::MAX);
            Cow::Owned(squeeze::expand(reader.rest(), length)?)
        };
        let mut reader = Reader::new(&body);
        let length = reader.bytes(PART_BYTES_MAX, "terms")?.len();
        let state = reader.remaining();
        let start = body.len() - state - length;
        Ok(OpenRow { row: *self, refs, terms: start..start + length, body })
    }
}

impl OpenRow<'_> {
    /// Its terms, byte for byte.
    pub(super) fn terms_bytes(&self) -> &[u8] {
        self.body.get(self.terms.clone()).unwrap_or_default()
    }

    fn state(&self) -> &[u8] {
        self.body.get(self.terms.end..).unwrap_or_default()
    }

    /// The row, whole; `id_of` knows the ids of its edits by their number.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when its parts are not what [`NewRow::pack`] writes; of `id_of`.
    pub(super) fn row(
        &self,
        key: RecordKey,
        edits: &[Place],
        ids: &dyn EntryIds,
    ) -> Result<ViewRow, StoreError> {
        let damaged = super::error::undecodable("a row");
        let terms = terms(self.terms_bytes())
            .map(|term| term.and_then(|(lead, text)| keys::unpack_term(lead, text)))
            .collect::<Result<_, _>>()
            .map_err(damaged)?;
        let state = match &self.refs {
            None => self.state().to_vec(),
            Some(refs) => refs.put_back(self.state(), edits, ids)?,
        };
        let RowBytes { verdict, waits, conflicts, changed_at, weight, .. } = self.row;
        Ok(ViewRow { key, state, verdict, conflicts, waits, changed_at, weight, terms })
    }
}

/// Terms as packed: lead and payload.
pub(super) fn terms(bytes: &[u8]) -> impl Iterator<Item = Result<(u8, &[u8]), DecodeError>> {
    let mut reader = Reader::new(bytes);
    std::iter::from_fn(move || (reader.remaining() > 0).then(|| read_term(&mut reader))).scan(
        false,
        |failed, term| {
            let go_on = !*failed;
            *failed = term.is_err();
            go_on.then_some(term)
        },
    )
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

/// For tests with foreign bytes: what a value that these are is written as now, its row taken apart and
/// packed anew.
#[doc(hidden)]
pub fn record_again(bytes: &[u8]) -> Option<Again> {
    let (stored, places) = edits_of(bytes)?;
    let hints = places.iter().copied().zip(stored.iter().map(|it| it.hint)).collect();
    let mut ids = Invented { hints, named: BTreeMap::new() };
    let read = row_of(bytes, &places, &ids).ok()?;
    // Every id in a state is that of an edit: no two begin as one edit does.
    for id in read.iter().flat_map(|row| ids::named(&row.state)) {
        let hint = id.0.first_chunk().copied().unwrap_or_default();
        if *ids.named.entry(hint).or_insert(id) != id {
            return None;
        }
    }
    let write = |(row, stored): &(Option<ViewRow>, Vec<StoredEdit>)| {
        let edits = Edits::of(stored.clone());
        let Some(row) = row else { return encode(None, &edits) };
        let new = NewRow::of(row);
        let packed = new.pack(&edits);
        encode(Some(&new.bytes().around(&packed)), &edits)
    };
    Some(Again::of(&(read, stored), write, |bytes| {
        let (stored, places) = edits_of(bytes)?;
        Some((row_of(bytes, &places, &ids).ok()?, stored))
    }))
}

/// Knows an id for each edit's place: that which a state names and which begins as the edit says, or one
/// that nothing names.
struct Invented {
    hints: BTreeMap<Place, Hint>,
    named: BTreeMap<Hint, EntryId>,
}

impl EntryIds for Invented {
    fn id_at(&self, place: Place) -> Result<EntryId, StoreError> {
        let hint = self.hints.get(&place).ok_or_else(|| damaged("a place without an edit"))?;
        let invented = || {
            let mut id = *blake3::hash(&place.seq.to_be_bytes()).as_bytes();
            id.iter_mut().zip(hint).for_each(|(to, from)| *to = *from);
            EntryId(id)
        };
        Ok(self.named.get(hint).copied().unwrap_or_else(invented))
    }
}

/// The edits in a value, and where each lies. Nothing writes a place twice.
fn edits_of(bytes: &[u8]) -> Option<(Vec<StoredEdit>, Vec<Place>)> {
    let stored = RecordBytes::read(bytes).ok()?.edits().ok()?;
    let feed = |it: &StoredEdit| FeedId(*blake3::hash(&it.feed.to_be_bytes()).as_bytes());
    let place = |it: &StoredEdit| Place { feed: feed(it), branch: it.branch, seq: it.seq };
    let places: Vec<Place> = stored.iter().map(place).collect();
    let is_once = places.iter().collect::<BTreeSet<_>>().len() == places.len();
    is_once.then_some((stored, places))
}

/// The row in a value, if it has one.
fn row_of(
    bytes: &[u8],
    places: &[Place],
    ids: &dyn EntryIds,
) -> Result<Option<ViewRow>, StoreError> {
    let undecodable = super::error::undecodable("a row");
    let Some(row) = RecordBytes::read(bytes).map_err(&undecodable)?.row else { return Ok(None) };
    let key = RecordKey { area: AreaId::WEST_JAVA, kind: 1, record: RecordId([1; 16]) };
    row.open().map_err(&undecodable)?.row(key, places, ids).map(Some)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;
    use crate::store::view::testing::{Ids, any_row, edit, row};
    use proptest::prelude::*;

    /// Edits of feeds that bear their number, as a value keeps them.
    fn brought(edits: &[(u8, u64)]) -> (Edits, Vec<Place>) {
        let mut kept = Edits::default();
        let edits = edits.iter().map(|(feed, seq)| edit(*feed, *seq));
        let places = edits
            .filter(|it| kept.add(u32::from(it.place.feed.0[0]), it))
            .map(|it| it.place)
            .collect();
        (kept, places)
    }

    fn encoded(row: Option<&ViewRow>, edits: &Edits) -> Vec<u8> {
        let Some(row) = row else { return encode(None, edits) };
        let new = NewRow::of(row);
        let packed = new.pack(edits);
        encode(Some(&new.bytes().around(&packed)), edits)
    }

    /// A state of one head and two others, as the fold writes them.
    fn state(head: EntryId, others: [EntryId; 2], rest: &[u8]) -> Vec<u8> {
        [&[1, 1][..], &head.0, &[2], &others[0].0, &others[1].0, rest].concat()
    }

    proptest! {
        #[test]
        fn records_come_back(
            row in proptest::option::of(any_row()),
            edits in proptest::collection::vec((0u8..4, 1u64..900), 0..6),
        ) {
            let (edits, places) = brought(&edits);
            let bytes = encoded(row.as_ref(), &edits);
            let read = RecordBytes::read(&bytes).unwrap();
            prop_assert_eq!(read.edits().unwrap(), edits.stored());
            let back = row.as_ref().map(|row| {
                read.row.unwrap().open().unwrap().row(row.key, &places, &Ids).unwrap()
            });
            prop_assert_eq!(back, row);
        }

        #[test]
        fn reading_anything_never_panics(bytes: Vec<u8>) {
            if let Ok(read) = RecordBytes::read(&bytes) {
                let ended = read.edits().is_ok() || read.edits().is_err();
                prop_assert!(ended);
                if let Some(open) = read.row.and_then(|row| row.open().ok()) {
                    let key = row(1, 1).key;
                    let count = terms(open.terms_bytes()).count();
                    prop_assert!(count <= open.body.len());
                    let whole = open.row(key, &[edit(1, 1).place], &Ids);
                    prop_assert!(whole.is_ok() || whole.is_err());
                }
            }
        }
    }

    #[test]
    fn ids_that_edits_lead_to_take_a_byte_each() {
        let (edits, places) = brought(&[(1, 1), (1, 2), (2, 7)]);
        let [one, two, three] = [edit(1, 1).id, edit(1, 2).id, edit(2, 7).id];
        let ids_out = ViewRow { state: state(three, [one, two], &[9; 4]), ..row(1, 1) };
        let bare = ViewRow { state: vec![9; 4], ..row(1, 1) };
        let bytes = encoded(Some(&ids_out), &edits);
        assert_eq!(bytes.len(), encoded(Some(&bare), &edits).len() + 2 + 3);
        let read = RecordBytes::read(&bytes).unwrap().row.unwrap().open().unwrap();
        assert_eq!(read.row(ids_out.key, &places, &Ids).unwrap(), ids_out);
    }

    #[test]
    fn an_id_that_no_edit_leads_to_is_kept_whole() {
        let (edits, places) = brought(&[(1, 1)]);
        let stranger = EntryId([7; 32]);
        let held = ViewRow { state: state(stranger, [edit(1, 1).id, stranger], &[]), ..row(1, 1) };
        let bytes = encoded(Some(&held), &edits);
        let read = RecordBytes::read(&bytes).unwrap().row.unwrap().open().unwrap();
        assert_eq!(read.row(held.key, &places, &Ids).unwrap(), held);
    }

    #[test]
    fn an_edit_alone_leaves_the_row_as_it_was() {
        let (mut edits, mut places) = brought(&[(1, 1), (1, 2), (2, 7)]);
        let [one, two, three] = [edit(1, 1).id, edit(1, 2).id, edit(2, 7).id];
        let held = ViewRow { state: state(three, [one, two], &[9; 4]), ..row(1, 1) };
        let before = encoded(Some(&held), &edits);
        let read = RecordBytes::read(&before).unwrap();
        let mut stored = Edits::of(read.edits().unwrap());
        assert!(stored.add(3, &edit(3, 3)) && edits.add(3, &edit(3, 3)));
        places.push(edit(3, 3).place);
        let after = encode(read.row.as_ref(), &stored);
        let read = RecordBytes::read(&after).unwrap();
        assert_eq!(read.edits().unwrap(), edits.stored());
        let open = read.row.unwrap().open().unwrap();
        assert_eq!(open.row(held.key, &places, &Ids).unwrap(), held);
    }
}
