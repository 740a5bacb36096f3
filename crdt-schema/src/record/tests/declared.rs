//! The declarations themselves.

use std::collections::BTreeSet;

use super::super::plan::names_in_rules;
use super::super::{Check, Derive, Field, Merge, Schema, ValueType};
use super::super::{describe_lines, describe_markdown, forbidden};
use crate::class::{Class, FieldClass};
use crate::edit::{Op, Section, TEXT_BYTES_MAX};

fn fields() -> impl Iterator<Item = (&'static super::Kind, &'static Field)> {
    Schema::standard().kinds().flat_map(|kind| kind.fields.iter().map(move |field| (kind, field)))
}

fn is_snake_case(name: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    name.starts_with(|first: char| first.is_ascii_lowercase()) && name.bytes().all(is_plain)
}

#[test]
fn kinds_have_their_numbers_and_names() {
    let kinds: Vec<_> = Schema::standard().kinds().map(|kind| (kind.number, kind.name)).collect();
    let expected = [
        (1, "ppks"),
        (2, "keluarga"),
        (3, "psks"),
        (4, "kps"),
        (5, "kegiatan"),
        (6, "kemitraan"),
        (7, "layanan"),
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn numbers_and_names_mean_one_field_of_a_kind() {
    for kind in Schema::standard().kinds() {
        let numbers: BTreeSet<_> = kind.fields.iter().map(|field| field.number).collect();
        assert_eq!(numbers.len(), kind.fields.len(), "{}", kind.name);
        assert!(!numbers.contains(&0));
        let names = kind.fields.iter().flat_map(|field| field.aliases.iter().chain([&field.name]));
        let names: Vec<_> = names.collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{}", kind.name);
        assert!(names.iter().all(|name| is_snake_case(name)), "{}", kind.name);
        assert!(names.iter().all(|name| forbidden(name).is_none()), "{}", kind.name);
    }
}

#[test]
fn every_field_is_explained() {
    for (kind, field) in fields() {
        let name = format!("{}.{}", kind.name, field.name);
        assert!(!field.label.is_empty() && field.label != field.name, "{name}");
        assert!(field.help.ends_with('.'), "{name}");
        assert_eq!(field.since, 1, "{name}");
        let is_amount = matches!(field.value, ValueType::Int { max, .. } if max > 1000);
        assert!(!is_amount || field.unit.is_some() || field.name.starts_with("no_"), "{name}");
    }
}

#[test]
fn every_default_is_a_value_of_its_field() {
    for (kind, field) in fields() {
        let Some(text) = field.default else { continue };
        assert!(field.parse(text).is_ok(), "{}.{}", kind.name, field.name);
    }
}

#[test]
fn sets_hold_only_what_fits_an_element_id() {
    for (kind, field) in fields() {
        let fits =
            matches!(field.value, ValueType::Code(_) | ValueType::Hash | ValueType::Reference(_));
        assert!(field.merge != Merge::Set || fits, "{}.{}", kind.name, field.name);
        let is_text = matches!(field.value, ValueType::Text { .. });
        assert!(field.merge != Merge::List || is_text, "{}.{}", kind.name, field.name);
    }
}

#[test]
fn rules_name_only_what_is_declared() {
    for kind in Schema::standard().kinds() {
        for name in names_in_rules(kind) {
            assert!(kind.field(name).is_some_and(|field| field.name == name), "{name}");
        }
        let list = |name: &str| kind.field(name).unwrap().value.codes().unwrap();
        for check in kind.checks {
            match *check {
                Check::TypeAge { types, windows, .. } => {
                    for window in windows {
                        let is_listed =
                            types.iter().any(|name| list(name).exact(window.code).is_some());
                        assert!(is_listed, "{}", window.code);
                    }
                }
                Check::Needs { field, codes, .. }
                | Check::Communication { types: field, codes, .. } => {
                    assert!(codes.iter().all(|code| list(field).exact(code).is_some()), "{field}");
                }
                Check::NikAgrees { .. }
                | Check::Guardian { .. }
                | Check::AnyOf { .. }
                | Check::NotFuture { .. }
                | Check::InOrder { .. }
                | Check::PartOf { .. } => {}
            }
        }
        for derive in kind.derives {
            match *derive {
                Derive::Closed { open, marker, .. } => assert!(list(open).exact(marker).is_some()),
                Derive::Reason { reason, unknown, .. } => {
                    assert!(list(reason).exact(unknown).is_some());
                }
                Derive::AgeBand { .. } | Derive::Month { .. } => {}
            }
        }
    }
}

/// Every state can be left and reached, and every transition is between states of the list.
#[test]
fn transitions_connect_all_states_of_the_list() {
    for kind in Schema::standard().kinds() {
        let Some(field) = kind.status_field() else {
            assert!(kind.transitions.is_empty(), "{}", kind.name);
            continue;
        };
        let list = field.value.codes().unwrap();
        let states: BTreeSet<_> = list.codes.iter().map(|code| code.code).collect();
        let from: BTreeSet<_> = kind.transitions.iter().map(|(from, _)| *from).collect();
        assert_eq!(from, states, "{}", kind.name);
        assert_eq!(from.len(), kind.transitions.len(), "{}", kind.name);
        let mut reached: BTreeSet<_> = field.default.into_iter().collect();
        for _ in 0..states.len() {
            let next: Vec<_> = reached.iter().flat_map(|state| kind.next_states(state)).collect();
            reached.extend(next);
        }
        assert_eq!(reached, states, "{}", kind.name);
    }
}

#[test]
fn nothing_personal_can_be_computed_from_what_is_open() {
    let schema = Schema::standard();
    let about_persons = |name: &str| schema.kind(name).unwrap().holds_person;
    for (kind, field) in fields() {
        let is_open = field.class.section() == Class::Open;
        let name = format!("{}.{}", kind.name, field.name);
        if let ValueType::Reference(target) = field.value {
            let links_persons = kind.holds_person || about_persons(target);
            assert!(!(is_open && links_persons), "{name}: a link between persons");
        }
        let is_personal = matches!(field.value, ValueType::Nik | ValueType::Kk | ValueType::RtRw);
        assert!(!(is_open && is_personal), "{name}");
        assert!(!(is_open && kind.holds_person && field.value == ValueType::Hash), "{name}");
    }
    for kind in schema.kinds() {
        for derive in kind.derives {
            let targets = match *derive {
                Derive::AgeBand { band, .. } => [band, band],
                Derive::Month { month, .. } => [month, month],
                Derive::Reason { reason, .. } => [reason, reason],
                Derive::Closed { open, closed, .. } => [open, closed],
            };
            for target in targets {
                let class = kind.field(target).unwrap().class.section();
                assert_ne!(class, Class::Open, "{}.{target}", kind.name);
            }
        }
    }
}

/// The fields the architecture and the law place by name.
#[test]
fn classes_are_those_of_the_law() {
    use FieldClass::{Internal, Personal, Public, Specific, Tally};
    let expected = [
        ("nama", Personal),
        ("nik", Personal),
        ("no_kk", Personal),
        ("alamat", Personal),
        ("kode_jenis", Tally),
        ("jenis", Tally),
        ("status_penanganan", Tally),
        ("jenis_kelamin", Tally),
        ("kelompok_umur", Tally),
        ("dtsen_desil", Tally),
        ("bulan_pendataan", Tally),
        ("jenis_tertutup", Specific),
        ("tanggal_lahir", Specific),
        ("disabilitas", Specific),
        ("kondisi", Specific),
        ("kasus", Specific),
        ("wali", Specific),
        ("no_urut_keluarga", Personal),
        ("retensi_sampai", Personal),
        ("bukti_persetujuan", Personal),
        ("petugas_data", Personal),
        ("dasar_pemrosesan", Internal),
        ("unit", Public),
    ];
    let ppks = super::kind("ppks");
    for (name, class) in expected {
        assert_eq!(ppks.field(name).unwrap().class, class, "{name}");
    }
}

#[test]
fn person_kinds_have_every_class() {
    for kind in Schema::standard().kinds().filter(|kind| kind.holds_person) {
        let expected: &[Class] = match kind.name {
            // A source of welfare has no case.
            "psks" => &[Class::Open, Class::Tally, Class::Personal],
            _ => &Class::ALL,
        };
        assert_eq!(kind.classes().into_iter().collect::<Vec<_>>(), expected, "{}", kind.name);
        let basis = kind.field("dasar_pemrosesan").unwrap();
        assert!(basis.required && basis.default.is_some(), "{}", kind.name);
    }
}

/// A number, name, class, merge rule or type that changes here would break every feed that holds
/// it: a line may be added (`cargo run -p crdt-schema --example schema -- --lines`), never edited.
#[test]
fn declarations_are_those_of_the_golden_file() {
    let lines = describe_lines(Schema::standard());
    let golden = include_str!("../../../golden/schema-v1.txt");
    for (line, expected) in lines.lines().zip(golden.lines()) {
        assert_eq!(line, expected);
    }
    assert_eq!(lines, golden);
}

#[test]
fn an_edit_carries_the_longest_text_that_a_field_takes() {
    let texts = Schema::standard().kinds().flat_map(|kind| kind.fields);
    let texts = texts.filter_map(|field| {
        let ValueType::Text { max_letters } = field.value else { return None };
        Some((field, max_letters))
    });
    for (field, most) in texts {
        for letter in ['x', 'é', '\u{1b83}', '👍'] {
            let typed: String = std::iter::repeat_n(letter, most).collect();
            let longest = typed.len() <= TEXT_BYTES_MAX;
            let Ok(parsed) = field.parse(&typed) else {
                assert!(!longest, "{} does not take {most} of {letter}", field.name);
                continue;
            };
            let op = match parsed.element {
                Some(element) => Op::put_element(field.number, element, parsed.value),
                None => Op::put(field.number, parsed.value),
            };
            let section = Section::from_ops(vec![op]).unwrap();
            assert_eq!(Section::decode(&section.encode()).as_ref(), Ok(&section), "{}", field.name);
        }
    }
}

/// To renew it: `just schema`.
#[test]
fn the_document_tells_the_declarations() {
    let page = describe_markdown(Schema::standard());
    let written = include_str!("../../../../docs/schema.md");
    let differ = page.lines().zip(written.lines()).find(|(made, written)| made != written);
    assert_eq!(differ, None, "docs/schema.md is old");
    assert_eq!(page.len(), written.len());
}

#[test]
fn the_kinds_that_are_about_no_person_are_those_of_the_format() {
    let kinds = Schema::standard().kinds().filter(|kind| !kind.holds_person);
    let declared: Vec<u16> = kinds.map(|kind| kind.number).collect();
    // A kind declared after version 1 counts for nobody unconfirmed, on any build.
    assert_eq!(declared, crate::entry::OPEN_KINDS);
}
