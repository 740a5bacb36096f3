//! Invented rows, edits and filters for the tests of both stores.
#![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

use std::collections::BTreeSet;

use crdt_schema::area::AreaId;
use crdt_schema::codec::Reader;
use crdt_schema::entry::RECORD_WEIGHT_MAX;
use crdt_schema::id::{EntryId, FeedId, RecordId};
use crdt_schema::time::Timestamp;
use proptest::prelude::*;

use crate::ports::{
    EditRef, EntryIds, Place, RecordKey, RecordVerdict, RowFilter, StoreError, TermKind, ViewBatch,
    ViewRow,
};

/// An area by its digits.
pub(crate) fn area(digits: &str) -> AreaId {
    AreaId::read(&mut Reader::new(digits.as_bytes())).unwrap()
}

/// A record whose id is sixteen times `byte`.
pub(crate) fn key(digits: &str, kind: u16, byte: u8) -> RecordKey {
    RecordKey { area: area(digits), kind, record: RecordId([byte; 16]) }
}

/// One of a few desa.
pub(crate) fn desa(number: u8) -> AreaId {
    area(&format!("327301{:05}", 10010 + u32::from(number) * 10))
}

/// A counting row without terms in desa 1, whose id is sixteen times `byte`.
pub(crate) fn row(kind: u16, byte: u8) -> ViewRow {
    ViewRow {
        key: RecordKey { area: desa(1), kind, record: RecordId([byte; 16]) },
        state: vec![byte; 5],
        verdict: RecordVerdict::Counting,
        conflicts: 0,
        waits: false,
        changed_at: Timestamp(1_700_000_000_000),
        weight: 400,
        terms: BTreeSet::new(),
    }
}

/// Terms of a row or a filter.
pub(crate) fn terms<T: FromIterator<(TermKind, String)>>(terms: &[(TermKind, &str)]) -> T {
    terms.iter().map(|(kind, text)| (*kind, (*text).to_owned())).collect()
}

/// A recognisable id.
pub(crate) fn edit_id(number: u8) -> EntryId {
    let mut bytes = [number; 32];
    bytes[0] = 0xed;
    EntryId(bytes)
}

/// The edit at a place, with the id that belongs there.
pub(crate) fn edit(feed: u8, seq: u64) -> EditRef {
    let place = Place { feed: FeedId([feed; 32]), branch: u32::from(feed % 2), seq };
    EditRef { place, id: Ids.id_at(place).unwrap() }
}

/// Knows the id of every edit.
#[derive(Debug)]
pub(crate) struct Ids;

impl EntryIds for Ids {
    fn id_at(&self, place: Place) -> Result<EntryId, StoreError> {
        let hashed = [&place.feed.0[..1], &place.seq.to_be_bytes()].concat();
        Ok(EntryId(*blake3::hash(&hashed).as_bytes()))
    }
}

/// A batch of rows only.
pub(crate) fn rows(applied: u64, rows: &[ViewRow]) -> ViewBatch {
    ViewBatch { applied, edits: Vec::new(), rows: rows.to_vec() }
}

/// Few enough terms that rows share them; some are the beginning of others, one holds a NUL.
pub(crate) fn any_term() -> impl Strategy<Value = (TermKind, String)> {
    let name = prop_oneof!["s[ia]{0,2}", "[\\x00a]{0,2}"];
    let text = prop_oneof![
        4 => name.prop_map(|text| (TermKind::Name, text)),
        1 => "327301010190900[0-4]".prop_map(|text| (TermKind::Nik, text)),
        1 => "32730101019[0-2]{0,5}".prop_map(|text| (TermKind::Kk, text)),
        2 => "0[1-4]".prop_map(|text| (TermKind::Type, text)),
        2 => "aktif|tutup".prop_map(|text| (TermKind::Status, text)),
        1 => "00[1-2]/00[1-2]".prop_map(|text| (TermKind::Rt, text)),
    ];
    text
}

/// Ids of which many begin with the same eight digits, as only a liar makes them.
fn any_record() -> impl Strategy<Value = RecordId> {
    (0u8..8, 0u8..3).prop_map(|(short, rest)| {
        let mut bytes = [0x10 + rest; 16];
        for byte in bytes.iter_mut().take(4) {
            *byte = 0xa0 + short;
        }
        RecordId(bytes)
    })
}

/// One of a few records.
pub(crate) fn any_key() -> impl Strategy<Value = RecordKey> {
    (0u8..3, 1u16..3, any_record()).prop_map(|(number, kind, record)| RecordKey {
        area: desa(number),
        kind,
        record,
    })
}

fn any_verdict() -> impl Strategy<Value = RecordVerdict> {
    use RecordVerdict::{Counting, Quarantined, SetAside, Waiting};
    prop_oneof![4 => Just(Counting), 1 => Just(Waiting), 1 => Just(Quarantined), 1 => Just(SetAside)]
}

/// A state with or without some of the ids of [`edit_id`].
fn any_state() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..9),
        (0u8..9).prop_map(|number| edit_id(number).0.to_vec()),
    ];
    proptest::collection::vec(part, 0..4).prop_map(|parts| parts.concat())
}

/// Any row of one of a few records.
pub(crate) fn any_row() -> impl Strategy<Value = ViewRow> {
    let conflicts = prop_oneof![3 => Just(0u32), 1 => 1u32..4];
    let terms = proptest::collection::btree_set(any_term(), 0..7);
    let numbers = (any::<i64>(), 0..=RECORD_WEIGHT_MAX + 1);
    (any_key(), any_state(), any_verdict(), conflicts, any::<bool>(), numbers, terms).prop_map(
        |(key, state, verdict, conflicts, waits, (changed_at, weight), terms)| {
            let changed_at = Timestamp(changed_at);
            ViewRow { key, state, verdict, conflicts, waits, changed_at, weight, terms }
        },
    )
}

/// Any batch over a few records.
pub(crate) fn any_batch() -> impl Strategy<Value = ViewBatch> {
    let edits = (any_key(), 0u8..4, 1u64..5).prop_map(|(key, feed, seq)| (key, edit(feed, seq)));
    let edits = proptest::collection::vec(edits, 0..12);
    (0u64..1000, edits, proptest::collection::vec(any_row(), 0..40))
        .prop_map(|(applied, edits, rows)| ViewBatch { applied, edits, rows })
}

/// Any filter over them.
pub(crate) fn any_filter() -> impl Strategy<Value = RowFilter> {
    let areas = proptest::collection::btree_set((0u8..4).prop_map(desa), 0..3);
    let kinds = proptest::collection::btree_set(1u16..4, 0..2);
    let terms = proptest::collection::vec(any_term(), 0..3);
    let verdicts = proptest::collection::btree_set(any_verdict(), 0..3);
    (areas, kinds, terms, any::<bool>(), verdicts).prop_map(
        |(areas, kinds, terms, conflicts_only, verdicts)| RowFilter {
            areas,
            kinds,
            terms,
            conflicts_only,
            verdicts,
        },
    )
}
