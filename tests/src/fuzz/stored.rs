//! What a store keeps: a store may be copied from a disk that was anybody's.

use crdt_schema::class::Class;
use crdt_schema::codec::Writer;
use crdt_schema::edit::{Op, Section, Value};
use crdt_schema::fold::{FoldEntry, RecordState, SectionRead, fold};
use crdt_schema::id::EntryId;

use node::store::feed::value_again;
use node::store::view::record_again;

use super::input::Input;
use super::messages::golden;

/// A value of a store is read or refused, and what is read can be written again. The first byte says
/// of which table.
pub(super) fn stored(bytes: &[u8]) -> bool {
    let mut input = Input::new(bytes);
    let form = input.u8() % 5;
    let bytes = input.rest();
    let again = match form {
        0 => return state(bytes),
        // It may be squeezed or not.
        1 => record_again(bytes),
        form => value_again(form, bytes),
    };
    let Some(again) = again else { return false };
    assert!(form != 4 || again.bytes == bytes, "a feed's row has a second form");
    assert!(again.is_same_value, "a value was written as another");
    assert!(again.are_same_bytes, "a value is written in two ways");
    true
}

/// The state of a record is read from one byte string only.
fn state(bytes: &[u8]) -> bool {
    let Ok(state) = RecordState::decode(bytes) else { return false };
    assert_eq!(state.encode(), bytes, "a state has a second form");
    let shown =
        state.values().filter(|key| state.shown(key.class, key.field, key.element).is_some());
    assert_eq!(shown.count(), state.values().count(), "a key without a value");
    let conflicts = state.conflicts();
    assert!(conflicts.iter().all(|(class, field)| {
        state.values().any(|key| (key.class, key.field) == (*class, *field))
    }));
    true
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let behind = |form: u8, bytes: &[u8]| [&[form][..], bytes].concat();
    let mut seeds = Vec::new();
    for state in states() {
        // An edit without a row; a row as nobody squeezed it, with two edits; as it is written.
        let edits = [2, 4, 7, 7, 0, 2, 8, 8];
        let mut row = Writer::new();
        row.u8(0x88).varint(2).varint_signed(-3).varint(700).bytes(&edits);
        let row = row.bytes(&[2, 4, b'a', b'n', b'i', b's']).raw(&state).finish();
        seeds.push(behind(0, &state));
        seeds.push(behind(1, &[&[0, 8][..], &edits].concat()));
        seeds.push(behind(1, &record_again(&row).unwrap().bytes));
        seeds.push(behind(1, &row));
    }
    let values = golden(include_str!("../../../node/golden/feed-values-v1.hex"));
    let forms = [3, 3, 4, 2].into_iter();
    seeds.extend(forms.zip(values).map(|(form, value)| behind(form, &value)));
    seeds
}

fn states() -> Vec<Vec<u8>> {
    let mut seeds = golden(include_str!("../../../crdt-schema/golden/state-v1.hex"));
    let edit = |id: u8, deps: &[u8], text: &str| {
        let put = |class| {
            let ops = vec![
                Op::put(1, Value::Text(text.to_owned())),
                Op::put_element(2, text, Value::Flag),
                Op::put(300, Value::Int(i64::from(id))),
            ];
            (class, SectionRead::Ops(Section::from_ops(ops).unwrap()))
        };
        let deps = deps.iter().map(|dep| EntryId([*dep; 32])).collect();
        let sections = Class::ALL.map(put).into();
        FoldEntry { id: EntryId([id; 32]), deps, counts: true, sections }
    };
    let fork = [edit(1, &[], "Siti"), edit(2, &[1], "Siti A."), edit(3, &[1], "Siti B.")];
    // Its head begins as an edit of the rows does.
    let alike = [edit(7, &[], "Siti")];
    let graphs = [&fork[..0], &fork[..1], &fork[..], &alike];
    seeds.extend(graphs.map(|entries| fold(entries).state.encode()));
    seeds
}
