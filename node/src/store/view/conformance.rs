//! What every view store does, whatever it is made of. Each store's tests run the whole list.
#![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

use std::collections::BTreeSet;

use super::testing::{Ids, desa, edit, row, rows, terms};
use crate::ports::RecordVerdict::{Counting, Quarantined, SetAside, Waiting};
use crate::ports::TermKind::{Name, Nik, Rt, Status, Type};
use crate::ports::{
    PAGE_WEIGHT_MAX, RecordKey, RowFilter, TermKind, Totals, ViewBatch, ViewRow, ViewStore,
    is_heavy_page,
};
use crdt_schema::entry::RECORD_WEIGHT_MAX;
use crdt_schema::id::RecordId;

/// Makes a test of each claim, for the store that `$make` gives.
macro_rules! conform {
    ($make:expr) => {
        $crate::store::view::conformance::conform! { $make,
            an_empty_store_has_nothing
            rows_come_back_and_the_newest_wins
            edits_come_back_once_with_or_without_a_row
            whole_terms_and_beginnings_of_names_find_rows
            of_a_beginning_each_row_counts_once
            counts_and_totals_follow_the_differences
            terms_know_counting_rows_only
            conflicts_are_listed_until_they_are_settled
            verdicts_are_told_apart_in_lists_and_totals
            pages_show_each_row_once_and_in_order
            a_page_ends_where_its_rows_weigh_enough
            filters_by_area_and_kind_are_exact
            records_are_found_by_any_beginning_of_their_id
            clearing_forgets_everything
        }
    };
    ($make:expr, $($claim:ident)+) => { $(
        #[test]
        fn $claim() {
            $crate::store::view::conformance::$claim(&mut $make);
        }
    )+ };
}
pub(crate) use conform;

fn listed(store: &dyn ViewStore, filter: &RowFilter) -> Vec<RecordKey> {
    let (total, rows) = store.list(filter, None, usize::MAX, &Ids).unwrap();
    assert_eq!(total, rows.len() as u64);
    rows.iter().map(|row| row.key).collect()
}

fn with_terms(wanted: &[(TermKind, &str)]) -> RowFilter {
    RowFilter { terms: terms(wanted), ..RowFilter::default() }
}

fn person(byte: u8, held: &[(TermKind, &str)]) -> ViewRow {
    ViewRow { terms: terms(held), ..row(1, byte) }
}

pub(crate) fn an_empty_store_has_nothing(store: &mut dyn ViewStore) {
    assert_eq!(store.applied().unwrap(), 0);
    assert_eq!(store.row(&row(1, 1).key, &Ids).unwrap(), None);
    assert!(store.edits(&row(1, 1).key, &Ids).unwrap().is_empty());
    assert!(listed(store, &RowFilter::default()).is_empty());
    assert!(listed(store, &with_terms(&[(Name, "")])).is_empty());
    assert!(store.find("").unwrap().is_empty() && store.counts().unwrap().is_empty());
    let none = Totals { records: 0, conflicts: 0, waiting: 0, waiting_deps: 0, set_aside: 0 };
    assert_eq!(store.totals().unwrap(), none);
}

pub(crate) fn rows_come_back_and_the_newest_wins(store: &mut dyn ViewStore) {
    let first = person(1, &[(Name, "siti"), (Nik, "3273010101909001")]);
    let newer = ViewRow { state: vec![9; 300], waits: true, ..first.clone() };
    store.commit(rows(4, std::slice::from_ref(&first)), true).unwrap();
    assert_eq!(store.row(&first.key, &Ids).unwrap(), Some(first.clone()));
    store.commit(rows(5, &[first, newer.clone()]), false).unwrap();
    assert_eq!(store.row(&newer.key, &Ids).unwrap(), Some(newer));
    assert_eq!(store.applied().unwrap(), 5);
}

pub(crate) fn edits_come_back_once_with_or_without_a_row(store: &mut dyn ViewStore) {
    let mut held = row(1, 1);
    let [one, two, three] = [edit(1, 1), edit(2, 1), edit(1, u64::MAX)];
    held.state = [&[0; 3][..], &two.id.0, &one.id.0].concat();
    let batch = |edits: &[_], rows: &[ViewRow]| ViewBatch {
        applied: 1,
        edits: edits.iter().map(|edit| (held.key, *edit)).collect(),
        rows: rows.to_vec(),
    };
    store.commit(batch(&[one, two, one], &[]), true).unwrap();
    assert_eq!(store.edits(&held.key, &Ids).unwrap(), [one, two]);
    assert_eq!(store.row(&held.key, &Ids).unwrap(), None);
    assert!(store.find("01010101").unwrap().is_empty());
    store.commit(batch(&[three, two], &[held.clone()]), true).unwrap();
    assert_eq!(store.edits(&held.key, &Ids).unwrap(), [one, two, three]);
    // The state no longer holds the ids; the edits still do.
    store.commit(batch(&[], &[ViewRow { state: vec![1], ..held.clone() }]), true).unwrap();
    assert_eq!(store.edits(&held.key, &Ids).unwrap(), [one, two, three]);
    assert!(store.edits(&row(1, 2).key, &Ids).unwrap().is_empty());
}

pub(crate) fn whole_terms_and_beginnings_of_names_find_rows(store: &mut dyn ViewStore) {
    let siti = person(1, &[(Name, "siti"), (Name, "aminah"), (Type, "07"), (Rt, "001/002")]);
    let sitihan = person(2, &[(Name, "sitihan"), (Name, "siregar"), (Type, "07")]);
    let nul = person(3, &[(Name, "si\0ti"), (Type, "071"), (Nik, "3273010101909001")]);
    let [one, two, three] = [siti.key, sitihan.key, nul.key];
    store.commit(rows(1, &[siti, sitihan, nul]), true).unwrap();
    for (wanted, expected) in [
        (&[(Name, "siti")][..], &[one, two][..]),
        (&[(Name, "si")], &[one, two, three]),
        (&[(Name, "")], &[one, two, three]),
        (&[(Name, "si\0")], &[three]),
        (&[(Name, "sitihana")], &[]),
        (&[(Type, "07")], &[one, two]),
        (&[(Type, "0")], &[]),
        (&[(Nik, "3273010101909001")], &[three]),
        (&[(Nik, "3273010101909002")], &[]),
        (&[(Nik, "32730101")], &[]),
        (&[(Rt, "001/002")], &[one]),
        (&[(Type, "07"), (Name, "sire"), (Name, "siti")], &[two]),
        (&[(Type, "071"), (Name, "siti")], &[]),
        (&[(Type, "07"), (Type, "07")], &[one, two]),
    ] {
        assert_eq!(listed(store, &with_terms(wanted)), expected, "{wanted:?}");
    }
}

pub(crate) fn of_a_beginning_each_row_counts_once(store: &mut dyn ViewStore) {
    // Ids that differ in their last byte alone, and one far from them.
    let near = |last: u8, names: &[(TermKind, &str)]| {
        let mut row = person(7, names);
        row.key.record.0[15] = last;
        row
    };
    let twice = near(1, &[(Name, "siti"), (Name, "sitihan")]);
    let other = near(2, &[(Name, "sitihan")]);
    let stranger = near(3, &[(Name, "budi")]);
    let far = person(9, &[(Name, "siti"), (Name, "sinta")]);
    let (found, budi) = ([twice.key, other.key, far.key], stranger.key);
    store.commit(rows(1, &[twice, other, stranger, far]), true).unwrap();
    assert_eq!(listed(store, &with_terms(&[(Name, "si")])), found);
    assert_eq!(listed(store, &with_terms(&[(Name, "sitih")])), found[..2]);
    assert_eq!(listed(store, &with_terms(&[(Name, "b")])), [budi]);
    for (shown, after) in (1..).zip(&found) {
        let (total, page) = store.list(&with_terms(&[(Name, "si")]), Some(after), 9, &Ids).unwrap();
        assert_eq!((total, page.len()), (3, 3 - shown));
    }
    let (total, page) = store.list(&with_terms(&[(Name, "si")]), None, 1, &Ids).unwrap();
    assert_eq!((total, page.len()), (3, 1));
}

pub(crate) fn counts_and_totals_follow_the_differences(store: &mut dyn ViewStore) {
    let one = person(1, &[(Type, "07"), (Status, "aktif"), (Name, "siti")]);
    let two = ViewRow { conflicts: 2, waits: true, ..person(2, &[(Type, "07")]) };
    store.commit(rows(1, &[one.clone(), two.clone()]), true).unwrap();
    let count = |term: Option<(TermKind, &str)>, count| {
        (desa(1), 1, term.map(|(kind, text)| (kind, text.to_owned())), count)
    };
    let both = [count(None, 2), count(Some((Type, "07")), 2), count(Some((Status, "aktif")), 1)];
    assert_eq!(store.counts().unwrap(), both);
    let totals = Totals { records: 2, conflicts: 2, waiting: 0, waiting_deps: 1, set_aside: 0 };
    assert_eq!(store.totals().unwrap(), totals);
    let closed = ViewRow { terms: terms(&[(Type, "08"), (Status, "tutup")]), ..one };
    let waiting = ViewRow { verdict: Waiting, ..two };
    store.commit(rows(2, &[closed, waiting]), true).unwrap();
    let after = [count(None, 1), count(Some((Type, "08")), 1), count(Some((Status, "tutup")), 1)];
    assert_eq!(store.counts().unwrap(), after);
    let totals = Totals { records: 1, conflicts: 0, waiting: 1, waiting_deps: 1, set_aside: 0 };
    assert_eq!(store.totals().unwrap(), totals);
}

pub(crate) fn terms_know_counting_rows_only(store: &mut dyn ViewStore) {
    let held = person(1, &[(Name, "siti"), (Type, "07")]);
    let with = |verdict| ViewRow { verdict, ..held.clone() };
    for (applied, verdict) in (1..).zip([Waiting, Quarantined, SetAside]) {
        store.commit(rows(applied, &[with(verdict)]), true).unwrap();
        assert!(listed(store, &with_terms(&[(Name, "siti")])).is_empty());
        assert!(listed(store, &with_terms(&[(Type, "07")])).is_empty());
        assert_eq!(listed(store, &RowFilter::default()), [held.key]);
        assert!(store.counts().unwrap().is_empty());
        assert_eq!(store.totals().unwrap().set_aside, u64::from(verdict == SetAside));
        store.commit(rows(applied, &[with(Counting)]), true).unwrap();
        assert_eq!(listed(store, &with_terms(&[(Type, "07"), (Name, "s")])), [held.key]);
    }
}

pub(crate) fn conflicts_are_listed_until_they_are_settled(store: &mut dyn ViewStore) {
    let one = ViewRow { conflicts: 1, ..person(1, &[(Name, "siti")]) };
    let two = ViewRow { conflicts: 3, verdict: Waiting, ..person(2, &[(Name, "siti")]) };
    let conflicts = RowFilter { conflicts_only: true, ..RowFilter::default() };
    let named = RowFilter { conflicts_only: true, ..with_terms(&[(Name, "si")]) };
    store.commit(rows(1, &[one.clone(), two.clone(), row(1, 3)]), true).unwrap();
    assert_eq!(listed(store, &conflicts), [one.key, two.key]);
    assert_eq!(listed(store, &named), [one.key]);
    let (total, page) = store.list(&conflicts, Some(&one.key), 5, &Ids).unwrap();
    assert_eq!((total, page), (2, vec![two.clone()]));
    store.commit(rows(2, &[ViewRow { conflicts: 0, ..one }]), true).unwrap();
    assert_eq!(listed(store, &conflicts), [two.key]);
    assert!(listed(store, &named).is_empty());
}

pub(crate) fn verdicts_are_told_apart_in_lists_and_totals(store: &mut dyn ViewStore) {
    let stands =
        |number, verdict| ViewRow { verdict, conflicts: 1, ..person(number, &[(Name, "siti")]) };
    let [one, two] = [1, 2].map(|number| stands(number, Counting));
    let (waits, apart) = (stands(3, Waiting), stands(4, Quarantined));
    store.commit(rows(1, &[one.clone(), two.clone(), waits.clone(), apart.clone()]), true).unwrap();
    for (verdicts, expected) in [
        (&[Counting][..], &[one.key, two.key][..]),
        (&[Waiting], &[waits.key]),
        (&[Quarantined], &[apart.key]),
        (&[SetAside], &[]),
        (&[Counting, Waiting], &[one.key, two.key, waits.key]),
        (&[], &[one.key, two.key, waits.key, apart.key]),
    ] {
        let filter =
            RowFilter { verdicts: verdicts.iter().copied().collect(), ..RowFilter::default() };
        let conflicts = RowFilter { conflicts_only: true, ..filter.clone() };
        assert_eq!(listed(store, &filter), expected, "{verdicts:?}");
        assert_eq!(listed(store, &conflicts), expected, "{verdicts:?}");
        let (total, page) = store.list(&filter, expected.first(), 1, &Ids).unwrap();
        assert_eq!(total, expected.len() as u64, "{verdicts:?}");
        let second: Vec<_> = expected.iter().skip(1).take(1).copied().collect();
        assert_eq!(page.iter().map(|row| row.key).collect::<Vec<_>>(), second, "{verdicts:?}");
        // Terms are those of rows that count.
        let counts = verdicts.is_empty() || verdicts.contains(&Counting);
        let named = RowFilter { verdicts: filter.verdicts, ..with_terms(&[(Name, "si")]) };
        assert_eq!(listed(store, &named).len(), if counts { 2 } else { 0 }, "{verdicts:?}");
    }
}

pub(crate) fn a_page_ends_where_its_rows_weigh_enough(store: &mut dyn ViewStore) {
    let count = u8::try_from(PAGE_WEIGHT_MAX / u64::from(RECORD_WEIGHT_MAX)).unwrap();
    let heavy = |number| {
        let terms = terms(&[(Name, "siti"), (Type, "07")]);
        ViewRow { weight: RECORD_WEIGHT_MAX, conflicts: 1, terms, ..row(1, number) }
    };
    let held: Vec<ViewRow> = (1..=count + 2).map(heavy).collect();
    store.commit(rows(1, &held), true).unwrap();
    let (first, second) = held.split_at(usize::from(count));
    let every = RowFilter::default();
    let conflicts = RowFilter { conflicts_only: true, ..every.clone() };
    let named = [with_terms(&[(Type, "07")]), with_terms(&[(Name, "si")])];
    for filter in [every, conflicts].into_iter().chain(named) {
        let (total, page) = store.list(&filter, None, usize::MAX, &Ids).unwrap();
        assert_eq!(total, held.len() as u64);
        assert_eq!(page, first);
        assert!(is_heavy_page(&page));
        let after = page.last().map(|row| row.key);
        let (total, page) = store.list(&filter, after.as_ref(), usize::MAX, &Ids).unwrap();
        assert_eq!(total, held.len() as u64);
        assert_eq!(page, second);
        assert!(!is_heavy_page(&page));
    }
}

pub(crate) fn pages_show_each_row_once_and_in_order(store: &mut dyn ViewStore) {
    let mut held = Vec::new();
    for number in 0..600u16 {
        // Far apart, out of order, and every third beginning as its neighbour does.
        let hash = blake3::hash(&(number / 3).to_be_bytes());
        let mut record = [0; 16];
        record.copy_from_slice(&hash.as_bytes()[..16]);
        record[15] = number.to_be_bytes()[1];
        let mut row = person(0, &[(Status, "aktif"), (Name, "siti"), (Type, "07")]);
        let area = desa(u8::try_from(number % 2).unwrap());
        row.key = RecordKey { area, kind: 1 + number / 3 % 3, record: RecordId(record) };
        held.push(row);
    }
    for (applied, part) in (1..).zip(held.chunks(350)) {
        store.commit(rows(applied, part), true).unwrap();
    }
    held.sort_by_key(|row| row.key);
    for filter in [
        RowFilter::default(),
        with_terms(&[(Status, "aktif")]),
        with_terms(&[(Name, "si")]),
        with_terms(&[(Name, "si"), (Type, "07")]),
    ] {
        let mut seen: Vec<ViewRow> = Vec::new();
        loop {
            let after = seen.last().map(|row| row.key);
            let (total, page) = store.list(&filter, after.as_ref(), 77, &Ids).unwrap();
            assert_eq!(total, 600);
            if page.is_empty() {
                break;
            }
            seen.extend(page);
        }
        assert_eq!(seen, held);
    }
    let (total, page) = store.list(&RowFilter::default(), None, 0, &Ids).unwrap();
    assert_eq!((total, page.len()), (600, 0));
    // Lists shrink again, from both ends and in the middle.
    let closed = |row: &ViewRow| ViewRow { terms: terms(&[(Status, "tutup")]), ..row.clone() };
    let gone: Vec<_> = held.iter().filter(|row| row.key.record.0[0] % 4 != 1).map(closed).collect();
    store.commit(rows(9, &gone), true).unwrap();
    let left = held.iter().map(|row| row.key).filter(|key| key.record.0[0] % 4 == 1);
    assert_eq!(listed(store, &with_terms(&[(Status, "aktif")])), left.collect::<Vec<_>>());
    assert_eq!(listed(store, &with_terms(&[(Status, "tutup")])).len(), gone.len());
}

pub(crate) fn filters_by_area_and_kind_are_exact(store: &mut dyn ViewStore) {
    let mut held = Vec::new();
    for number in 0..3 {
        for kind in [1, 2, 256] {
            let mut row = ViewRow { terms: terms(&[(Type, "07")]), ..row(kind, 7) };
            row.key.area = desa(number);
            held.push(row);
        }
    }
    store.commit(rows(1, &held), true).unwrap();
    let filter = |areas: &[u8], kinds: &[u16], wanted: &[(TermKind, &str)]| RowFilter {
        areas: areas.iter().copied().map(desa).collect(),
        kinds: kinds.iter().copied().collect(),
        ..with_terms(wanted)
    };
    for wanted in [&[][..], &[(Type, "07")]] {
        for (areas, kinds, expected) in [
            (&[0, 2][..], &[][..], 6),
            (&[0, 2], &[256], 2),
            (&[], &[1, 2], 6),
            (&[9], &[], 0),
            (&[1, 9], &[3], 0),
        ] {
            let found = listed(store, &filter(areas, kinds, wanted));
            assert_eq!(found.len(), expected, "{areas:?} {kinds:?}");
            let areas: BTreeSet<_> = areas.iter().copied().map(desa).collect();
            assert!(found.iter().all(|key| areas.is_empty() || areas.contains(&key.area)));
            assert!(found.iter().all(|key| kinds.is_empty() || kinds.contains(&key.kind)));
        }
    }
    // More areas than are looked up one by one.
    let mut many = filter(&[0, 2], &[], &[(Type, "07")]);
    many.areas.extend((0..1000).map(|n| super::testing::area(&format!("9{n:010}"))));
    assert_eq!(listed(store, &many).len(), 6);
}

pub(crate) fn records_are_found_by_any_beginning_of_their_id(store: &mut dyn ViewStore) {
    let mut near = row(2, 0xab);
    near.key.record.0[15] = 0xac;
    let mut sibling = row(1, 0xab);
    sibling.key.record.0[4] = 0;
    let (one, other) = (row(1, 0xab), row(1, 0x0f));
    let (a, b, c, d) = (one.key, near.key, sibling.key, other.key);
    store.commit(rows(1, &[one, near, sibling, other]), true).unwrap();
    for (prefix, expected) in [
        ("abababab", &[c, a, b][..]),
        ("ABABABAB", &[c, a, b]),
        ("ababababa", &[a, b]),
        ("abababab0", &[c]),
        ("abababababababababababababababac", &[b]),
        ("abababababababababababababababa", &[a, b]),
        ("ababa", &[c, a, b]),
        ("0f0f0f0f0", &[d]),
        ("0f0f0f0f1", &[]),
        ("ababababababababababababababababa", &[]),
        ("abababag", &[]),
        ("abäb", &[]),
    ] {
        assert_eq!(store.find(prefix).unwrap(), expected, "{prefix}");
    }
    assert_eq!(store.find("").unwrap().len(), 4);
}

pub(crate) fn clearing_forgets_everything(store: &mut dyn ViewStore) {
    let held = ViewRow { conflicts: 1, waits: true, ..person(1, &[(Name, "siti"), (Type, "07")]) };
    let batch =
        ViewBatch { applied: 7, edits: vec![(held.key, edit(1, 1))], rows: vec![held.clone()] };
    store.commit(batch.clone(), true).unwrap();
    store.clear().unwrap();
    an_empty_store_has_nothing(store);
    store.commit(batch, true).unwrap();
    assert_eq!(store.row(&held.key, &Ids).unwrap(), Some(held.clone()));
    assert_eq!(store.edits(&held.key, &Ids).unwrap(), [edit(1, 1)]);
    assert_eq!(store.totals().unwrap().records, 1);
}
