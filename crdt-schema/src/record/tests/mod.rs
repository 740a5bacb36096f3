//! What holds for every kind, and what planning promises.
//!
//! `mod.rs` wishes and states in few words · `declared.rs` the declarations themselves, golden file and document ·
//! `planned.rs` wishes to sections · `kept.rs` the same over all forms · `closed.rs` types that ruin a life · `throwaway.rs` a kind
//! declared here alone.
#![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

mod closed;
mod declared;
mod kept;
mod planned;
mod throwaway;

use super::{Ask, Kind, Plan, Refusal, Schema, Wish};
use crate::class::Class;
use crate::edit::{Action, Date, Value};
use crate::fold::{FoldEntry, RecordState, SectionRead, fold};
use crate::id::EntryId;

fn kind(name: &str) -> &'static Kind {
    Schema::standard().kind(name).unwrap()
}

fn today() -> Option<Date> {
    Date::new(2026, 11, 25).ok()
}

fn put(field: &str, text: &str) -> Ask {
    Ask { field: field.to_owned(), what: Wish::Put(text.to_owned()) }
}

fn add(field: &str, text: &str) -> Ask {
    Ask { field: field.to_owned(), what: Wish::Add(text.to_owned()) }
}

fn remove(field: &str, text: &str) -> Ask {
    Ask { field: field.to_owned(), what: Wish::Remove(text.to_owned()) }
}

fn clear(field: &str) -> Ask {
    Ask { field: field.to_owned(), what: Wish::Clear }
}

/// The smallest ppks record, and `more`.
fn new_ppks(more: &[Ask]) -> Result<Plan, Refusal> {
    let mut asks = vec![put("nama", "Euis Contoh"), put("nik", "3205016808459001")];
    if !more.iter().any(|ask| ask.field.ends_with("jenis")) {
        asks.push(put("kode_jenis", "LUT"));
    }
    asks.retain(|ask| !more.iter().any(|other| other.field == ask.field));
    asks.extend_from_slice(more);
    kind("ppks").plan(None, &asks, today())
}

fn entry(number: u8, deps: &[u8], plan: &Plan) -> FoldEntry {
    let id = |number: u8| EntryId([number; 32]);
    let sections = plan.sections.iter().cloned();
    FoldEntry {
        id: id(number),
        deps: deps.iter().map(|dep| id(*dep)).collect(),
        counts: true,
        sections: sections.map(|(class, ops)| (class, SectionRead::Ops(ops))).collect(),
    }
}

/// The record after these saves, each on top of the one before.
fn after(plans: &[Plan]) -> RecordState {
    let numbers = 1u8..;
    let before = |number: u8| if number == 1 { vec![] } else { vec![number - 1] };
    let entries: Vec<_> =
        numbers.zip(plans).map(|(number, plan)| entry(number, &before(number), plan)).collect();
    fold(&entries).state
}

/// The record after `first`, and then two saves that knew nothing of each other.
fn apart(first: &Plan, one: &Plan, other: &Plan) -> RecordState {
    fold(&[entry(1, &[], first), entry(2, &[1], one), entry(3, &[1], other)]).state
}

/// What a plan writes: `class name element = value`, `-` for a removal.
fn written(kind: &Kind, plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for (class, section) in &plan.sections {
        for op in section.ops() {
            let field = kind.field_numbered(op.field).unwrap();
            assert_eq!(field.class.section(), *class, "{}", field.name);
            let element = op.element.as_deref().map(|id| format!(" {id}")).unwrap_or_default();
            let value = match &op.action {
                Action::Put(value) => format!("= {}", field.show(op.element.as_deref(), value)),
                Action::Remove => "-".to_owned(),
            };
            lines.push(format!("{} {}{element} {value}", class.name(), field.name));
        }
    }
    lines
}

fn rules(plan: &Plan) -> Vec<(&str, &str)> {
    plan.notices.iter().map(|notice| (notice.field.as_str(), notice.rule)).collect()
}

fn shown(kind: &Kind, state: &RecordState, name: &str) -> Option<String> {
    let field = kind.field(name).unwrap();
    field.shown_in(state).map(|value: &Value| field.show(None, value))
}

fn elements(kind: &Kind, state: &RecordState, name: &str) -> Vec<String> {
    let field = kind.field(name).unwrap();
    field.elements_in(state).map(|(id, value)| field.show(Some(id), value)).collect()
}

fn classes(plan: &Plan) -> Vec<Class> {
    plan.sections.iter().map(|(class, _)| *class).collect()
}
