//! Types that ruin a life: typed like all others, shown to few.

use proptest::prelude::*;

use super::*;
use crate::record::codes::{PPKS_CLOSED, PPKS_MARKER, PPKS_OPEN};

fn codes_of(state: &RecordState) -> (Vec<String>, Vec<String>) {
    let ppks = kind("ppks");
    (elements(ppks, state, "kode_jenis"), elements(ppks, state, "jenis_tertutup"))
}

#[test]
fn a_closed_type_typed_like_any_other_is_kept_closed() {
    for typed in ["16", "odhiv", "Orang dengan HIV/AIDS", "ODHA"] {
        let plan = new_ppks(&[put("kode_jenis", &format!("LUT; {typed}"))]).unwrap();
        let state = after(&[plan]);
        assert_eq!(codes_of(&state), (vec!["08".into(), "tertutup".into()], vec!["16".into()]));
    }
    let by_alias = new_ppks(&[put("jenis", "18")]).unwrap();
    assert_eq!(codes_of(&after(&[by_alias])), (vec!["tertutup".into()], vec!["18".into()]));
}

#[test]
fn the_marker_stands_while_a_closed_type_does() {
    let ppks = kind("ppks");
    let mut plans = vec![new_ppks(&[put("kode_jenis", "08;10")]).unwrap()];
    let step = |plans: &mut Vec<Plan>, ask: Ask| {
        let state = after(plans);
        plans.push(ppks.plan(Some(&state), &[ask], None).unwrap());
        codes_of(&after(plans))
    };
    let texts = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect::<Vec<_>>();
    let both = (texts(&["08", "tertutup"]), texts(&["10", "14"]));
    assert_eq!(step(&mut plans, add("kode_jenis", "14")), both);
    let one = (texts(&["08", "tertutup"]), texts(&["14"]));
    assert_eq!(step(&mut plans, remove("kode_jenis", "TS")), one);
    // Typed back as lists show it: nothing is lost, nothing need be known.
    assert_eq!(step(&mut plans, put("kode_jenis", "08; tertutup")), one);
    assert_eq!(step(&mut plans, remove("kode_jenis", "14")), (texts(&["08"]), vec![]));
    assert_eq!(step(&mut plans, add("jenis_tertutup", "19")), {
        (texts(&["08", "tertutup"]), texts(&["19"]))
    });
    assert_eq!(step(&mut plans, put("kode_jenis", "09")), (texts(&["09"]), vec![]));
}

#[test]
fn the_marker_alone_names_no_type() {
    let refusal = new_ppks(&[put("kode_jenis", "tertutup")]).unwrap_err();
    assert_eq!(refusal.rule, "kasus_tertutup");
    let state = after(&[new_ppks(&[]).unwrap()]);
    for ask in [add("kode_jenis", "tertutup"), remove("kode_jenis", "Kasus tertutup")] {
        assert_eq!(
            kind("ppks").plan(Some(&state), &[ask], None).unwrap_err().rule,
            "kasus_tertutup"
        );
    }
    let last = after(&[new_ppks(&[put("kode_jenis", "10")]).unwrap()]);
    let emptied = kind("ppks").plan(Some(&last), &[remove("kode_jenis", "10")], None).unwrap_err();
    assert_eq!((emptied.field.as_str(), emptied.rule), ("kode_jenis", "wajib_diisi"));
}

/// One adds a type while another, apart, takes away the only one there was.
#[test]
fn a_type_added_apart_keeps_its_marker() {
    let ppks = kind("ppks");
    let first = new_ppks(&[put("kode_jenis", "08;10")]).unwrap();
    let base = after(std::slice::from_ref(&first));
    let more = ppks.plan(Some(&base), &[add("kode_jenis", "14")], None).unwrap();
    let less = ppks.plan(Some(&base), &[remove("kode_jenis", "10")], None).unwrap();
    let expected = (vec!["08".to_owned(), "tertutup".to_owned()], vec!["14".to_owned()]);
    assert_eq!(codes_of(&apart(&first, &more, &less)), expected);
    assert_eq!(codes_of(&apart(&first, &less, &more)), expected);
}

/// Two take away one type each: the marker is left alone, and can be cleared by name.
#[test]
fn a_marker_that_stands_for_nothing_can_be_cleared() {
    let ppks = kind("ppks");
    let first = new_ppks(&[put("kode_jenis", "08;10;14")]).unwrap();
    let base = after(std::slice::from_ref(&first));
    let one = ppks.plan(Some(&base), &[remove("kode_jenis", "10")], None).unwrap();
    let other = ppks.plan(Some(&base), &[remove("kode_jenis", "14")], None).unwrap();
    let state = apart(&first, &one, &other);
    assert_eq!(codes_of(&state), (vec!["08".to_owned(), "tertutup".to_owned()], vec![]));
    let plan = ppks.plan(Some(&state), &[clear("jenis_tertutup")], None).unwrap();
    assert_eq!(written(ppks, &plan), ["T kode_jenis tertutup -"]);
}

/// A node that reads T and not S sees the marker and no type.
#[test]
fn who_cannot_read_the_closed_types_cannot_take_them_away() {
    let plan = new_ppks(&[put("kode_jenis", "08;10")]).unwrap();
    let mut sealed = entry(1, &[], &plan);
    for (class, section) in &mut sealed.sections {
        if *class == Class::Specific {
            *section = SectionRead::Unreadable;
        }
    }
    let state = fold(&[sealed]).state;
    assert_eq!(codes_of(&state).1, Vec::<String>::new());
    let ppks = kind("ppks");
    let wiped = ppks.plan(Some(&state), &[put("kode_jenis", "09")], None).unwrap_err();
    assert_eq!(wiped.rule, "tertutup_tidak_terbaca");
    let kept = ppks.plan(Some(&state), &[put("kode_jenis", "09; tertutup")], None).unwrap();
    assert_eq!(written(ppks, &kept), ["T kode_jenis 08 -", "T kode_jenis 09 = 09"]);
    assert_eq!(ppks.plan(Some(&state), &[remove("kode_jenis", "10")], None).unwrap().changes, 0);
}

#[test]
fn closed_types_can_neither_be_searched_nor_counted() {
    let state = after(&[new_ppks(&[put("kode_jenis", "16")]).unwrap()]);
    let terms = kind("ppks").terms(&state);
    assert!(terms.iter().any(|(_, text)| text == PPKS_MARKER));
    assert!(!terms.iter().any(|(_, text)| text == "16"));
}

fn any_type() -> impl Strategy<Value = String> {
    let codes = PPKS_OPEN.codes.iter().chain(PPKS_CLOSED.codes);
    let names = codes.flat_map(|code| [Some(code.code), code.short, Some(code.title)]);
    proptest::sample::select(names.flatten().map(str::to_owned).collect::<Vec<_>>())
}

fn any_ask() -> impl Strategy<Value = Ask> {
    let field = prop_oneof![Just("kode_jenis"), Just("jenis"), Just("jenis_tertutup")];
    let wish = prop_oneof![
        proptest::collection::vec(any_type(), 0..4).prop_map(|types| Wish::Put(types.join(";"))),
        any_type().prop_map(Wish::Add),
        any_type().prop_map(Wish::Remove),
        Just(Wish::Clear),
    ];
    (field, wish).prop_map(|(field, what)| Ask { field: field.to_owned(), what })
}

proptest! {
    /// Whatever is asked in whatever order: outside S no closed code stands, and the marker stands
    /// exactly while the closed set holds something.
    #[test]
    fn no_closed_type_ever_reaches_another_class(asks in proptest::collection::vec(any_ask(), 0..8)) {
        let ppks = kind("ppks");
        let closed: Vec<_> = PPKS_CLOSED.codes.iter().map(|code| code.code).collect();
        let mut plans = vec![new_ppks(&[put("kode_jenis", "08")]).unwrap()];
        for ask in asks {
            let state = after(&plans);
            let Ok(plan) = ppks.plan(Some(&state), &[ask], None) else { continue };
            for (class, section) in &plan.sections {
                let is_shown = |id: &str| *class != Class::Specific && closed.contains(&id);
                prop_assert!(!section.ops().iter().any(|op| op.element.as_deref().is_some_and(is_shown)));
            }
            plans.push(plan);
            let (open, closed) = codes_of(&after(&plans));
            prop_assert_eq!(open.iter().any(|code| code == PPKS_MARKER), !closed.is_empty());
            prop_assert!(!open.is_empty());
        }
    }
}
