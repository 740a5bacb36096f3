//! Any graph of edits: one fold whatever the order, equal to the Automerge document, no matter what
//! the deps claim.

use crdt_schema::class::Class;
use crdt_schema::edit::{Op, Section, Value};
use crdt_schema::fold::{FoldEntry, Folded, RecordState, SectionRead, fold};
use crdt_schema::id::EntryId;
use crdt_schema::testing::disagreement;

use super::entries::low;
use super::input::Input;

/// Edits an input may hold: the fold is asked again and again.
const EDITS_MAX: usize = 40;

/// The fold of any graph is one, and is what Automerge makes of it.
pub(super) fn fold_of(bytes: &[u8]) -> bool {
    let entries = entries(bytes);
    let folded = fold(&entries);
    assert_eq!(disagreement(&entries, &folded), None);
    let mut other: Vec<FoldEntry> = entries.iter().rev().cloned().collect();
    assert_eq!(fold(&other), folded, "the order of arrival decides");
    other.extend(entries.iter().cloned());
    assert_eq!(fold(&other), folded, "an entry that comes twice decides");
    assert_eq!(RecordState::decode(&folded.state.encode()).as_ref(), Ok(&folded.state));
    one_by_one(&entries, &folded);
    !entries.is_empty()
}

/// As a node gets them: stepped where an entry names the heads, folded anew elsewhere.
fn one_by_one(entries: &[FoldEntry], folded: &Folded) {
    let (mut now, mut held) = (fold(&[]), Vec::new());
    for entry in entries {
        held.push(entry.clone());
        let mut stepped = now.state.clone();
        let is_stepped = now.incomplete == 0 && stepped.apply(entry);
        now = fold(&held);
        assert!(!is_stepped || stepped == now.state, "a step gives another state");
    }
    assert_eq!(now, *folded);
}

/// An edit takes its deps from edits before it, mostly; also from later ones, from itself, and from
/// some that nobody holds.
fn entries(bytes: &[u8]) -> Vec<FoldEntry> {
    let (mut input, mut entries) = (Input::new(bytes), Vec::new());
    while !input.is_empty() && entries.len() < EDITS_MAX {
        let shape = input.u8();
        let count = usize::from(shape & 3);
        let at = entries.len();
        let dep = |_| id(input.u8(), at);
        let deps: Vec<EntryId> = (0..count).map(dep).collect();
        let sections = (0..usize::from(shape >> 2 & 3)).map(|place| section(&mut input, place));
        let sections = sections.collect();
        entries.push(FoldEntry { id: named(at), deps, counts: shape & 0xe0 != 0xe0, sections });
    }
    entries
}

/// The edit so many places back; above 200 one that is not there yet or never.
fn id(choice: u8, at: usize) -> EntryId {
    match usize::from(choice) {
        far if far > 240 => EntryId([choice; 32]),
        later if later > 200 => named(at + later - 201),
        back => named(at.saturating_sub(1 + back % 8)),
    }
}

/// Ids whose order is not that of the edits.
fn named(at: usize) -> EntryId {
    EntryId(*blake3::hash(&at.to_be_bytes()).as_bytes())
}

fn section(input: &mut Input<'_>, place: usize) -> (Class, SectionRead) {
    let class = *Class::ALL.get(place % Class::ALL.len()).unwrap();
    let shape = input.u8();
    let read = match shape >> 4 {
        15 => SectionRead::Malformed,
        14 => SectionRead::Unreadable,
        _ => {
            let ops = (0..shape & 3).map(|_| op(input)).collect();
            Section::from_ops(ops).map_or(SectionRead::Malformed, SectionRead::Ops)
        }
    };
    (class, read)
}

/// Few keys, so that edits meet.
fn op(input: &mut Input<'_>) -> Op {
    let choice = input.u8();
    let field = u16::from(choice & 3);
    let element = ["a", "b/1", "c"].get(usize::from(choice >> 2 & 3));
    let value = match choice >> 5 {
        0 | 1 => None,
        2 => Some(Value::Flag),
        3 => Some(Value::Text(input.text(9))),
        4 => Some(Value::Bool(true)),
        _ => Some(Value::Int(i64::from(input.u8() % 4))),
    };
    match (element, value) {
        (None, None) => Op::remove(field),
        (None, Some(value)) => Op::put(field, value),
        (Some(element), None) => Op::remove_element(field, *element),
        (Some(element), Some(value)) => Op::put_element(field, *element, value),
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    // A chain; a fork that is settled; everything at random.
    let chain = [4, 1, 0x40, 1, 5, 0, 0x81, 0xa0, 7, 5, 0, 0x81, 0xa0, 9].to_vec();
    let fork = [4, 1, 0xa0, 1, 5, 0, 1, 0xa0, 2, 5, 1, 1, 0xa0, 3, 6, 0, 1, 1, 0xa0, 4].to_vec();
    let any = (0..400).map(|at| low(at * at * 7 / 3)).collect();
    vec![chain, fork, any, vec![0xff; 64]]
}
