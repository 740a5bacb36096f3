//! Any graph of edits: one fold whatever the order, equal to the Automerge document, no matter what
//! the deps claim.

use crdt_schema::class::Class;
use crdt_schema::edit::{Op, Section, Value};
use crdt_schema::fold::{Fault, FoldEntry, Folded, RecordState, SectionRead, fold, fold_within};
use crdt_schema::id::EntryId;
use crdt_schema::testing::disagreement;

use super::entries::low;
use super::input::Input;

/// Edits an input may hold, a chain counted as one: the fold is asked again and again. One takes 1 to
/// 129 bytes, of bytes drawn at random about a dozen; what stands behind the last is not looked at.
const EDITS_MAX: usize = 40;
/// Bytes of a short input, of which everything is asked, as of every seed that is made by hand.
const SHORT_BYTES: usize = 24;
/// Of longer ones one of so many, drawn by its bytes, is also compared with Automerge and folded edit by
/// edit: both together take most of the time.
const CLOSELY: u8 = 8;
/// Chains of them: one alone makes a past longer than a word, two make it go on behind a hole.
const CHAINS_MAX: usize = 2;

/// The fold of any graph is one, and is what Automerge makes of it.
pub(super) fn fold_of(bytes: &[u8]) -> bool {
    let steps = steps(bytes);
    let entries: Vec<FoldEntry> = steps.iter().flatten().cloned().collect();
    let folded = fold(&entries);
    let other: Vec<FoldEntry> = entries.iter().rev().chain(&entries).cloned().collect();
    let other = fold_within(&other, Fault::None, 0);
    assert_eq!(other, folded, "order, what comes twice, or room for pasts decides");
    assert_eq!(RecordState::decode(&folded.state.encode()).as_ref(), Ok(&folded.state));
    if bytes.len() <= SHORT_BYTES || blake3::hash(bytes).as_bytes()[0].is_multiple_of(CLOSELY) {
        assert_eq!(disagreement(&entries, &folded), None);
        one_by_one(&steps, &folded);
    }
    !entries.is_empty()
}

/// As a node gets them: stepped where an entry names the heads, folded anew elsewhere. A chain is
/// folded at its end only.
fn one_by_one(steps: &[Vec<FoldEntry>], folded: &Folded) {
    let (mut now, mut held) = (fold(&[]), Vec::new());
    for step in steps {
        held.extend(step.iter().cloned());
        let mut stepped = now.state.clone();
        let is_stepped = now.incomplete == 0 && step.iter().all(|entry| stepped.apply(entry));
        now = fold(&held);
        assert!(!is_stepped || stepped == now.state, "a step gives another state");
    }
    assert_eq!(now, *folded);
}

/// Edits, each alone or in a chain. One takes its deps from edits before it, mostly; also from later
/// ones, from itself, and from some that nobody holds.
fn steps(bytes: &[u8]) -> Vec<Vec<FoldEntry>> {
    let (mut input, mut steps, mut at, mut chains) = (Input::new(bytes), Vec::new(), 0, 0);
    while !input.is_empty() && steps.len() < EDITS_MAX {
        let shape = input.u8();
        let is_chain = shape >= 0xfc && chains < CHAINS_MAX;
        let step =
            if is_chain { chain(&mut input, shape, at) } else { edit(&mut input, shape, at) };
        chains += usize::from(is_chain);
        at += step.len();
        steps.push(step);
    }
    steps
}

/// Edits that say nothing, each behind the one before.
fn chain(input: &mut Input<'_>, shape: u8, at: usize) -> Vec<FoldEntry> {
    let length = if shape & 1 == 0 { 30 } else { 70 };
    let first = id(input.u8(), at);
    let edit =
        |at, dep| FoldEntry { id: named(at), deps: vec![dep], counts: true, sections: Vec::new() };
    (at..at + length).map(|it| edit(it, if it == at { first } else { named(it - 1) })).collect()
}

fn edit(input: &mut Input<'_>, shape: u8, at: usize) -> Vec<FoldEntry> {
    let deps = (0..usize::from(shape & 3)).map(|_| id(input.u8(), at)).collect();
    let classes = Class::ALL.into_iter().enumerate();
    let classes = classes.filter(|(place, _)| shape >> (2 + place) & 1 == 1);
    let sections = classes.map(|(_, class)| (class, section(input))).collect();
    vec![FoldEntry { id: named(at), deps, counts: shape & 0xc0 != 0xc0, sections }]
}

/// The edit so many places back, near or far; above 200 one that is not there yet or never.
fn id(choice: u8, at: usize) -> EntryId {
    match usize::from(choice) {
        never if never > 240 => EntryId([choice; 32]),
        later if later > 200 => named(at + later - 201),
        far if far > 160 => named(at.saturating_sub(4 * (far - 160))),
        near => named(at.saturating_sub(1 + near % 8)),
    }
}

/// Ids whose order is not that of the edits.
fn named(at: usize) -> EntryId {
    EntryId(*blake3::hash(&at.to_be_bytes()).as_bytes())
}

fn section(input: &mut Input<'_>) -> SectionRead {
    let shape = input.u8();
    match shape >> 4 {
        15 => SectionRead::Malformed,
        14 => SectionRead::Unreadable,
        _ => {
            let ops = (0..shape & 3).map(|_| op(input)).collect();
            Section::from_ops(ops).map_or(SectionRead::Malformed, SectionRead::Ops)
        }
    }
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
    // A chain; a fork that is settled; all classes; branches off a past of two words, which a last edit
    // joins; everything at random.
    let chain = [4, 1, 0x40, 1, 5, 0, 0x81, 0xa0, 7, 5, 0, 0x81, 0xa0, 9].to_vec();
    let fork = [4, 1, 0xa0, 1, 5, 0, 1, 0xa0, 2, 5, 1, 1, 0xa0, 3, 6, 0, 1, 1, 0xa0, 4].to_vec();
    let classes =
        [0x3c, 1, 0xa0, 1, 1, 0xa0, 2, 1, 0xa0, 3, 1, 0xa0, 4, 0x25, 0, 1, 0xa0, 5, 1, 0x40];
    let long = [
        4, 1, 0xa0, 1, 0xfd, 0, 5, 170, 1, 0xa0, 2, 0xfc, 0, 5, 165, 1, 0xa0, 3, 7, 0, 2, 180, 1, 0,
    ];
    let any = (0..400).map(|at| low(at * at * 7 / 3)).collect();
    vec![chain, fork, classes.to_vec(), long.to_vec(), any, vec![0xff; 64]]
}
