//! Claims of the fold: any order, any duplicates, any cut give the same state as the document.

#![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
#![expect(clippy::indexing_slicing, reason = "a test that panics is a test that fails")]

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::codec::DecodeError;
use crate::document::documents;
use crate::edit::{Date, Op, Value};
use crate::entry::{ChainPoint, Draft, DraftSection, EntryKind, SALT_BYTES};
use crate::id::{FeedId, RecordId};
use crate::testing::{History, Numbers, check_history, disagreement};
use crate::time::Timestamp;

fn id(number: u16) -> EntryId {
    EntryId(*blake3::hash(&number.to_be_bytes()).as_bytes())
}

fn int(number: i64) -> Value {
    Value::Int(number)
}

/// A counting entry with one open section.
fn edit(number: u16, deps: &[u16], ops: Vec<Op>) -> FoldEntry {
    let section = SectionRead::Ops(Section::from_ops(ops).unwrap());
    let deps = deps.iter().map(|dep| id(*dep)).collect();
    FoldEntry { id: id(number), deps, counts: true, sections: vec![(Class::Open, section)] }
}

fn quarantined(entry: FoldEntry) -> FoldEntry {
    FoldEntry { counts: false, ..entry }
}

fn ints(state: &RecordState, field: u16) -> BTreeSet<i64> {
    state.survivors(Class::Open, field, None).iter().filter_map(|one| one.value.as_int()).collect()
}

#[test]
fn the_fold_is_what_automerge_makes_of_the_same_edits() {
    (0..500).try_for_each(|seed| check_history(seed, Fault::None)).unwrap();
}

#[test]
fn a_planted_fault_is_found_within_twenty_histories() {
    for fault in [Fault::IncompleteFolded, Fault::DeadDepDropped, Fault::MalformedRefusesAll] {
        let found = (0..20).find(|seed| check_history(*seed, fault).is_err());
        assert!(found.is_some(), "{fault:?} went unnoticed");
    }
}

#[test]
fn invented_histories_hold_what_can_go_wrong() {
    let mut seen = [0; 6];
    for seed in 0..200 {
        let mut history = History::new(seed, 30, 30);
        let held = history.arrivals();
        let folded = fold(&held);
        let several = folded.state.values().any(|key| key.survivors.len() > 1);
        let roots = held.iter().filter(|entry| entry.deps.is_empty()).count();
        let facts = [
            several,
            folded.incomplete > 0,
            !folded.malformed.is_empty(),
            folded.state.heads().len() > 2,
            roots > 2,
            !folded.state.conflicts().is_empty(),
        ];
        facts.iter().zip(&mut seen).for_each(|(fact, count)| *count += usize::from(*fact));
    }
    assert!(seen.iter().all(|count| *count >= 20), "{seen:?}");
}

#[test]
fn a_long_history_of_three_replicas_is_what_automerge_makes_of_it() {
    let held = History::new(7, 600, 3).entries;
    let folded = fold(&held);
    assert!(folded.depths.len() > 300);
    assert_eq!(disagreement(&held, &folded), None);
}

#[test]
fn two_who_wrote_apart_conflict_and_an_edit_that_saw_both_settles_it() {
    let mut entries = vec![
        edit(1, &[], vec![Op::put(1, int(1)), Op::put(2, int(1))]),
        edit(2, &[1], vec![Op::put(1, int(2)), Op::put(2, int(5))]),
        edit(3, &[1], vec![Op::put(1, int(3)), Op::put(2, int(5))]),
    ];
    let state = fold(&entries).state;
    assert_eq!(ints(&state, 1), BTreeSet::from([2, 3]));
    assert_eq!(state.survivors(Class::Open, 2, None).len(), 2);
    assert_eq!(
        state.conflicts(),
        BTreeSet::from([(Class::Open, 1)]),
        "the same value typed apart is agreement"
    );

    entries.push(edit(4, &[2, 3], vec![Op::put(1, int(2))]));
    let settled = fold(&entries).state;
    assert_eq!(settled.conflicts(), BTreeSet::new());
    assert_eq!(settled.shown(Class::Open, 1, None), Some(&int(2)));
    assert_eq!(settled.heads(), [id(4)]);
    let mut applied = state;
    assert!(applied.apply(&entries[3]));
    assert_eq!(applied, settled);

    // It is an ordinary edit: when it counts no longer, the conflict is back.
    entries[3].counts = false;
    assert_eq!(fold(&entries).state.conflicts(), BTreeSet::from([(Class::Open, 1)]));
}

#[test]
fn a_remove_takes_a_counter_though_another_removed_the_same_apart() {
    let both = || vec![Op::remove(1), Op::put(2, int(2))];
    let entries =
        [edit(1, &[], vec![Op::put(1, int(1))]), edit(2, &[1], both()), edit(3, &[1], both())];
    let folded = fold(&entries);
    let counters = folded.state.survivors(Class::Open, 2, None).iter().map(|one| one.op.counter);
    assert_eq!(counters.collect::<Vec<_>>(), [3, 3]);
    assert_eq!(disagreement(&entries, &folded), None);
}

#[test]
fn a_put_wins_over_a_remove_that_had_not_seen_it() {
    let entries = [
        edit(1, &[], vec![Op::put_element(3, "07", Value::Flag)]),
        edit(2, &[1], vec![Op::remove_element(3, "07")]),
        edit(3, &[1], vec![Op::put_element(3, "07", Value::Flag)]),
    ];
    let state = fold(&entries).state;
    let elements: Vec<_> = state.elements(Class::Open, 3).collect();
    assert_eq!(elements, [("07", &Value::Flag)]);
    assert_eq!(state.survivors(Class::Open, 3, Some("07"))[0].entry, id(3));
}

#[test]
fn pasts_go_through_entries_that_do_not_count_or_say_nothing_here() {
    let silent = FoldEntry { sections: vec![], ..edit(3, &[2], vec![]) };
    let entries = [
        edit(1, &[], vec![Op::put(1, int(1))]),
        quarantined(edit(2, &[1], vec![Op::put(1, int(2))])),
        silent,
        edit(4, &[3], vec![Op::put(1, int(4))]),
    ];
    let state = fold(&entries).state;
    assert_eq!(ints(&state, 1), BTreeSet::from([4]));
    assert_eq!(
        state.survivors(Class::Open, 1, None)[0].op.counter,
        2,
        "the quarantined put takes no counter"
    );
    assert_eq!(state.heads(), [id(4)]);
    let without_last = fold(&entries[..3]);
    assert_eq!(without_last.state.heads(), [id(3)], "an entry without a section is a head");
    assert_eq!(fold(&entries[..2]).state.heads(), [id(1)]);
}

#[test]
fn an_incomplete_entry_waits_with_all_that_build_on_it() {
    let entries = [
        edit(1, &[], vec![Op::put(1, int(1))]),
        edit(3, &[1, 2], vec![Op::put(1, int(3))]),
        edit(4, &[3], vec![Op::put(1, int(4))]),
        quarantined(edit(5, &[3], vec![])),
    ];
    let folded = fold(&entries);
    assert_eq!(folded.incomplete, 2);
    assert_eq!(ints(&folded.state, 1), BTreeSet::from([1]));
    assert_eq!(folded.depths, BTreeMap::from([(id(1), 0)]));
    let missing = edit(2, &[], vec![Op::put(1, int(2))]);
    let whole = fold(&[&entries[..], &[missing]].concat());
    assert_eq!(whole.incomplete, 0);
    assert_eq!(ints(&whole.state, 1), BTreeSet::from([4]));
    assert_eq!(whole.depths[&id(4)], 2);
}

#[test]
fn entries_that_claim_a_cycle_wait_for_ever_and_stop_nothing() {
    let entries = [
        edit(1, &[1], vec![]),
        edit(2, &[4], vec![]),
        edit(3, &[2], vec![]),
        edit(4, &[3], vec![]),
        edit(5, &[3, 6], vec![]),
        edit(6, &[], vec![Op::put(1, int(6))]),
    ];
    let folded = fold(&entries);
    assert_eq!(folded.incomplete, 5);
    assert_eq!(folded.state.heads(), [id(6)]);
    assert_eq!(disagreement(&entries, &folded), None);
}

#[test]
fn a_long_chain_and_many_who_wrote_apart_need_no_deep_stack() {
    let number = |number: usize| u16::try_from(number).unwrap();
    let chain = |at: usize| if at == 0 { vec![] } else { vec![number(at - 1)] };
    let mut entries: Vec<FoldEntry> =
        (0..20_000).map(|at| edit(number(at), &chain(at), vec![Op::put(1, int(1))])).collect();
    entries.extend((20_000..21_000).map(|at| edit(at, &[19_999], vec![Op::put(1, int(2))])));
    let folded = fold(&entries);
    assert_eq!(folded.depths[&id(19_999)], 19_999);
    assert_eq!(folded.state.heads().len(), 1_000);
    let survivors = folded.state.survivors(Class::Open, 1, None);
    assert_eq!(survivors.len(), 1_000);
    assert!(survivors.iter().all(|one| one.op.counter == 20_001));
    assert!(survivors.is_sorted_by(|a, b| a.op > b.op));
}

/// Two chains, and as many edits that stand behind both and name each of them once more: no past is done with
/// before.
fn apart_for_ever(length: u16) -> Vec<FoldEntry> {
    let put = |number: u16| vec![Op::put(number % 3 + 1, int(i64::from(number)))];
    let chain = |side: u16| {
        let number = move |at: u16| 2 * at + side;
        (0..length).map(move |at| {
            let before: Vec<u16> = at.checked_sub(1).map(number).into_iter().collect();
            edit(number(at), &before, put(number(at)))
        })
    };
    let again = (0..2 * length).map(|at| {
        let (number, end) = (2 * length + at, 2 * length - 1);
        edit(number, &[at, end], put(number))
    });
    chain(0).chain(chain(1)).chain(again).collect()
}

/// Two chains of this length, each of whose edits names as many before it in its chain as one may, and
/// edits behind both that name all of them once more.
fn named_over_and_over(length: u16) -> Vec<FoldEntry> {
    let number = |side: u16, at: u16| 2 * at + side;
    let chain = |side: u16| {
        (0..length).map(move |at| {
            let from = at.saturating_sub(DEPS);
            let before: Vec<u16> = (from..at).map(|at| number(side, at)).collect();
            edit(number(side, at), &before, vec![Op::put(1, int(i64::from(at)))])
        })
    };
    let again = (0..2 * length).step_by(usize::from(DEPS - 1)).map(|from| {
        let mut named: Vec<u16> = (from..2 * length).take(usize::from(DEPS - 1)).collect();
        named.push(2 * length - 1);
        edit(2 * length + from, &named, vec![Op::put(1, int(-1))])
    });
    chain(0).chain(chain(1)).chain(again).collect()
}

/// Entries that one may name.
const DEPS: u16 = 64;

#[test]
fn pasts_that_have_no_room_are_found_anew_and_change_nothing() {
    let hostile = [apart_for_ever(300), named_over_and_over(640)];
    let of_people = (0..20).map(|seed| History::new(seed, 200, 30).entries);
    let mut forgot = 0;
    for entries in of_people.chain(hostile.clone()) {
        let causal = Causal::of(&entries, Fault::None);
        let (whole, needed) = survive::state(&causal, Fault::None, usize::MAX);
        assert_eq!(needed.looks, 0);
        for kept_max in [0, 64, 2_000] {
            let (state, effort) = survive::state(&causal, Fault::None, kept_max);
            assert_eq!(state, whole);
            assert!(effort.kept_most <= kept_max);
            forgot += usize::from(effort.kept_most < needed.kept_most);
        }
    }
    assert!(forgot > 20, "nothing was forgotten: {forgot}");
    for entries in hostile {
        let causal = Causal::of(&entries, Fault::None);
        let (_, effort) = survive::state(&causal, Fault::None, usize::MAX);
        assert!(effort.kept_most > 10_000, "the shape is harmless: {effort:?}");
    }
}

/// However many are named of what was forgotten, and however often they name each other, an entry costs
/// at most one look back.
#[test]
fn finding_pasts_anew_takes_a_look_at_each_entry_below_for_those_that_name_what_was_forgotten() {
    let length = 640;
    let entries = named_over_and_over(length);
    let causal = Causal::of(&entries, Fault::None);
    let (_, effort) = survive::state(&causal, Fault::None, 2_000);
    // A look at an entry, and one at the only dep that it needs.
    let (all, that_name) = (usize::from(2 * length), usize::from(2 * length / (DEPS - 1) + 1));
    assert!(effort.looks > all, "nothing was found anew");
    assert!(effort.looks <= 2 * all * that_name, "{effort:?}");
}

/// Puts of `keys` keys in `entries` entries that do not know each other, and as many that know all of
/// those, put the same, and do not know each other either.
fn overwritten_by_all(entries: u16, keys: u16) -> Vec<FoldEntry> {
    let puts = || (0..keys).map(|field| Op::put(field, Value::Flag)).collect::<Vec<_>>();
    let mut all: Vec<FoldEntry> = (0..entries).map(|number| edit(number, &[], puts())).collect();
    let (mut joined, mut next): (Vec<u16>, u16) = ((0..entries).collect(), entries);
    while joined.len() > 1 {
        let mut above = Vec::new();
        for below in joined.chunks(usize::from(DEPS)) {
            all.push(edit(next, below, vec![]));
            above.push(next);
            next += 1;
        }
        joined = above;
    }
    all.extend((next..next + entries).map(|number| edit(number, &joined, puts())));
    all
}

#[test]
fn who_overwrote_a_put_takes_a_bit_for_each_entry_at_most() {
    let (entries, keys) = (200, 20);
    let history = overwritten_by_all(entries, keys);
    let causal = Causal::of(&history, Fault::None);
    let (state, effort) = survive::state(&causal, Fault::None, usize::MAX);
    assert_eq!(state.survivors(Class::Open, 0, None).len(), usize::from(entries));
    let puts = usize::from(entries) * usize::from(keys);
    let words = usize::from(entries) / 64 + 2;
    assert!(effort.overwriters > puts * 8, "nothing was overwritten often: {effort:?}");
    assert!(effort.overwriters <= puts * words * 8, "{effort:?}");
}

#[test]
fn a_malformed_section_is_absent_in_its_class_and_touches_no_other() {
    let mut entry = edit(1, &[], vec![Op::put(1, int(1))]);
    entry.sections.push((Class::Personal, SectionRead::Malformed));
    let folded = fold(&[entry.clone(), quarantined(FoldEntry { id: id(2), ..entry })]);
    assert_eq!(folded.malformed, [(id(1), Class::Personal)]);
    assert_eq!(ints(&folded.state, 1), BTreeSet::from([1]));
}

#[test]
fn a_field_in_the_wrong_class_does_not_hide_the_right_one() {
    let mut entry = edit(1, &[], vec![Op::put(1, int(1))]);
    let personal = Section::from_ops(vec![Op::put(1, int(2))]).unwrap();
    entry.sections.push((Class::Personal, SectionRead::Ops(personal)));
    let state = fold(&[entry]).state;
    assert_eq!(state.survivors(Class::Personal, 1, None)[0].value, int(2));
    assert_eq!(state.survivors(Class::Open, 1, None)[0].value, int(1));
    assert_eq!(state.shown(Class::Open, 1, None), Some(&int(1)));
}

#[test]
fn only_an_edit_that_names_exactly_the_heads_is_applied() {
    let state = fold(&[edit(1, &[], vec![]), edit(2, &[], vec![Op::put(1, int(1))])]).state;
    let refused = [
        edit(3, &[1], vec![Op::put(1, int(2))]),
        edit(3, &[], vec![Op::put(1, int(2))]),
        edit(3, &[1, 2, 4], vec![Op::put(1, int(2))]),
        quarantined(edit(3, &[1, 2], vec![Op::put(1, int(2))])),
    ];
    for entry in refused {
        let mut same = state.clone();
        assert!(!same.apply(&entry));
        assert_eq!(same, state);
    }
    let mut applied = state;
    assert!(applied.apply(&edit(3, &[2, 1, 2], vec![Op::put(1, int(2)), Op::remove(9)])));
    assert_eq!(applied.heads(), [id(3)]);
    assert_eq!(applied.survivors(Class::Open, 1, None)[0].op.counter, 2);
}

#[test]
fn sections_are_read_as_far_as_they_lie_in_clear() {
    let ops = Section::from_ops(vec![Op::put(1, int(1))]).unwrap();
    let body = ops.encode();
    let draft = |sections| Draft {
        kind: EntryKind::EDIT,
        record_kind: 1,
        record: RecordId([1; 16]),
        person: 0,
        claimed_at: Timestamp(0),
        deps: vec![],
        sections,
    };
    let sealed = DraftSection { class: Class::Specific, form: Form::Sealed, body: vec![0; 32] };
    let short = DraftSection { class: Class::Personal, form: Form::Salted, body: vec![0; 3] };
    let sections = vec![
        DraftSection::in_clear(Class::Open, &[0xff], [0; SALT_BYTES]),
        DraftSection::in_clear(Class::Tally, &body, [7; SALT_BYTES]),
        short,
        sealed,
    ];
    let mut entry = draft(sections).place(FeedId([1; 32]), ChainPoint::START).unwrap();
    let expected = [
        (Class::Open, SectionRead::Malformed),
        (Class::Tally, SectionRead::Ops(ops)),
        (Class::Personal, SectionRead::Malformed),
        (Class::Specific, SectionRead::Unreadable),
    ];
    assert_eq!(SectionRead::of(&entry), expected);
    entry.bodies[1] = None;
    assert_eq!(SectionRead::of(&entry)[1], (Class::Tally, SectionRead::Unreadable));
}

/// Every value type, elements, a conflict, a removed key and two heads.
fn golden_history() -> Vec<FoldEntry> {
    let date = Value::Date(Date::new(2026, 11, 25).unwrap());
    let personal = vec![Op::put(9, Value::Text("Contoh Satu".to_owned())), Op::put(10, date)];
    let mut created = edit(
        1,
        &[],
        vec![
            Op::put(1, int(-3)),
            Op::put(2, Value::Bool(true)),
            Op::put(3, Value::Text("aktif".to_owned())),
            Op::put_element(4, "07", Value::Flag),
            Op::put_element(4, "08", Value::Flag),
        ],
    );
    let section = SectionRead::Ops(Section::from_ops(personal).unwrap());
    created.sections.push((Class::Personal, section));
    vec![
        created,
        edit(2, &[1], vec![Op::put(1, int(4)), Op::remove_element(4, "08")]),
        edit(3, &[1], vec![Op::put(1, int(5)), Op::remove(11)]),
    ]
}

#[test]
fn a_state_has_these_bytes_for_ever() {
    let state = fold(&golden_history()).state;
    let golden = include_str!("../../golden/state-v1.hex").trim();
    assert_eq!(hex::encode(state.encode()), golden);
    assert_eq!(RecordState::decode(&hex::decode(golden).unwrap()), Ok(state));
}

#[test]
fn documents_have_these_heads_for_ever() {
    let documents = documents(&golden_history()).unwrap();
    let heads = documents.iter().flat_map(|(class, document)| {
        document.heads.iter().map(|head| format!("{} {head}", class.name()))
    });
    let golden = include_str!("../../golden/document-heads-v1.txt").trim();
    assert_eq!(heads.collect::<Vec<_>>().join("\n"), golden);
}

#[test]
fn a_row_costs_little_more_than_its_ids_and_values() {
    let state = fold(&golden_history()).state;
    let values = state.values().flat_map(|key| key.survivors);
    let content: usize = values
        .map(|one| {
            let mut writer = crate::codec::Writer::new();
            one.value.write(&mut writer);
            writer.len()
        })
        .sum();
    let survivors = state.survivors.len();
    let overhead = state.encode().len() - 3 * EntryId::SIZE_BYTES - content;
    assert!(overhead <= 4 * survivors + 12, "{overhead} bytes for {survivors} values");
}

#[test]
fn every_other_form_of_a_state_is_refused() {
    let (a, b) = ("11".repeat(32), "22".repeat(32));
    let refused = [
        (String::new(), DecodeError::Truncated),
        ("02".to_owned(), DecodeError::Unknown("version of a record's state")),
        ("010000000000".to_owned(), DecodeError::Truncated),
        ("0100000000000000".to_owned(), DecodeError::TrailingBytes),
        ("01ffffffff0f".to_owned(), DecodeError::Truncated),
        (format!("0102{b}{a}0000000000"), DecodeError::NotCanonical("entry ids")),
        (format!("0101{a}01{a}00000000"), DecodeError::NotCanonical("entry ids")),
        (format!("010001{a}00000000"), DecodeError::NotCanonical("an entry id without use")),
        (format!("0101{a}0001010400020000 00"), DecodeError::Malformed("counter")),
    ];
    for (text, error) in refused {
        let bytes = hex::decode(text.replace(' ', "")).unwrap();
        let found = RecordState::decode(&bytes);
        assert_eq!(found, Err(error), "{text}");
    }
}

proptest! {
    #[test]
    fn a_state_of_any_bytes_is_refused_or_comes_back(bytes: Vec<u8>) {
        if let Ok(state) = RecordState::decode(&bytes) {
            prop_assert_eq!(state.encode(), bytes);
        }
    }

    #[test]
    fn a_state_altered_anywhere_is_refused_or_comes_back(seed in 0u64..500, flips: [u64; 3]) {
        let mut bytes = fold(&History::new(seed, 20, 30).entries).state.encode();
        for flip in flips {
            let place = Numbers::new(flip).below(bytes.len());
            bytes[place] ^= (flip % 255) as u8 + 1;
            if let Ok(state) = RecordState::decode(&bytes) {
                prop_assert_eq!(state.encode(), bytes.clone());
            }
        }
        let cut = Numbers::new(flips[0]).below(bytes.len());
        prop_assert!(RecordState::decode(&bytes[..cut]).is_err() || cut == bytes.len());
    }
}
