//! A kind declared here and nowhere else works like the others: no list of kinds anywhere.

use super::*;
use crate::class::FieldClass::{Public, Tally};
use crate::record::codes::{Code, CodeList};
use crate::record::{Field, RefusalReason, TermKind, ValueType, describe_lines, describe_markdown};

static STATES: CodeList = CodeList::own(
    "status_sarana",
    "Status sarana",
    &[Code::new("ada", "Ada", "here"), Code::new("dipinjam", "Dipinjam", "lent")],
);

const SARANA: Kind = Kind {
    number: 900,
    name: "sarana",
    title: "Sarana",
    help: "Barang yang dapat dipinjam.",
    fields: &[
        Field::scalar(1, "nama", Public, ValueType::Text { max_letters: 80 })
            .titled("Nama", "Nama barang.")
            .required()
            .indexed(TermKind::Name),
        Field::status(2, "status", Tally, &STATES, "ada").titled("Status", "Ada atau dipinjam."),
        Field::scalar(7, "jumlah", Public, ValueType::Int { min: 1, max: 99 })
            .titled("Jumlah", "Banyaknya.")
            .measured_in("buah")
            .since(2),
    ],
    transitions: &[("ada", &["dipinjam"]), ("dipinjam", &["ada"])],
    label: "nama",
    ..Kind::EMPTY
};

#[test]
fn a_new_kind_is_a_declaration_and_nothing_else() {
    let schema = Schema::standard().with_kind(SARANA);
    let sarana = schema.kind("sarana").unwrap();
    assert_eq!(schema.kind_numbered(900), Some(sarana));
    let first = sarana.plan(None, &[put("nama", "Kursi Roda"), put("jumlah", "4")], None).unwrap();
    let state = after(&[first]);
    assert_eq!(sarana.label(&state).as_deref(), Some("Kursi Roda"));
    assert_eq!(sarana.status(&state).as_deref(), Some("ada"));
    let terms = [(TermKind::Name, "kursi"), (TermKind::Name, "roda"), (TermKind::Status, "ada")];
    let terms = terms.map(|(kind, text)| (kind, text.to_owned()));
    assert_eq!(sarana.terms(&state), terms.into_iter().collect());
    let moved = sarana.plan(Some(&state), &[put("status", "Dipinjam")], None).unwrap();
    assert_eq!(written(sarana, &moved), ["T status = dipinjam"]);
    let refused = sarana.plan(Some(&state), &[put("jumlah", "100")], None).unwrap_err();
    assert_eq!(refused.reason, RefusalReason::Value);
    assert!(describe_lines(&schema).ends_with("900 7 jumlah P scalar int(1..99)\n"));
    assert!(describe_markdown(&schema).contains("## Status sarana (status_sarana, wksbm-1)"));
}

#[test]
fn a_kind_of_a_known_number_takes_the_place_of_the_old_one() {
    let schema = Schema::standard().with_kind(Kind { number: 1, ..SARANA });
    assert_eq!(schema.kinds().count(), Schema::standard().kinds().count());
    assert_eq!(schema.kind_numbered(1).map(|kind| kind.name), Some("sarana"));
    assert_eq!(schema.kind("ppks"), None);
}
