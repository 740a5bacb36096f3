//! Properties of planning, over every kind and field.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::record::{Field, Merge, ValueType};

/// Text a person might type for the field.
fn typed(field: &'static Field) -> BoxedStrategy<String> {
    let day = "(19[2-9][0-9]|20[0-2][0-9])-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])";
    let number = "32(0[1-9])(0[1-9])(0[1-9]|[1-2][0-9])(0[1-9]|1[0-2])[0-9]{2}9[0-9]{2}[1-9]";
    match field.value {
        ValueType::Text { .. } => "[A-Za-z][a-z' ]{0,10}".boxed(),
        ValueType::Int { min, max } => (min..=max).prop_map(|number| number.to_string()).boxed(),
        ValueType::Bool => select(vec!["ya", "tidak"]).prop_map(str::to_owned).boxed(),
        ValueType::Date => day.boxed(),
        ValueType::Month => "20[0-2][0-9]-(0[1-9]|1[0-2])".boxed(),
        ValueType::Code(list) => select(list.codes).prop_map(|code| code.word().to_owned()).boxed(),
        ValueType::Nik | ValueType::Kk => number.boxed(),
        ValueType::RtRw => "[0-9]{1,2}".boxed(),
        ValueType::Reference(_) => "[0-9a-f]{32}".boxed(),
        ValueType::Hash => "[0-9a-f]{64}".boxed(),
    }
}

/// A form of some kind, partly filled in, its required fields for certain.
fn any_form() -> impl Strategy<Value = (&'static Kind, Vec<Ask>)> {
    let kinds: Vec<_> = Schema::standard().kinds().collect();
    select(kinds).prop_flat_map(|kind| {
        let fields: Vec<&'static Field> = kind.fields.iter().collect();
        let some = subsequence(fields, 0..=kind.fields.len());
        let asks = some.prop_flat_map(move |some| {
            let is_asked = |field: &&Field| field.required || some.contains(field);
            let asked = kind.fields.iter().filter(is_asked);
            let asks = asked.map(|field| typed(field).prop_map(|text| put(field.name, &text)));
            asks.collect::<Vec<_>>()
        });
        (Just(kind), asks)
    })
}

proptest! {
    #[test]
    fn a_form_saved_twice_changes_nothing_the_second_time((kind, asks) in any_form()) {
        let first = kind.plan(None, &asks, today());
        prop_assume!(first.is_ok());
        let first = first.unwrap();
        // Every operation lies in the section of its field's class.
        prop_assert_eq!(written(kind, &first).len(), first.changes);
        let state = after(std::slice::from_ref(&first));
        let again = kind.plan(Some(&state), &asks, today()).unwrap();
        prop_assert_eq!((again.changes, again.sections.len()), (0, 0));
    }

    #[test]
    fn what_is_shown_and_typed_back_changes_nothing((kind, asks) in any_form()) {
        let first = kind.plan(None, &asks, today());
        prop_assume!(first.is_ok());
        let first = first.unwrap();
        let state = after(std::slice::from_ref(&first));
        let shown = kind.fields.iter().filter_map(|field| {
            if field.merge.has_elements() {
                let values = elements(kind, &state, field.name);
                (!values.is_empty()).then(|| put(field.name, &values.join("; ")))
            } else {
                shown(kind, &state, field.name).map(|text| put(field.name, &text))
            }
        });
        // The closed types are in their own field already; naming them there too is the same.
        let shown: Vec<_> = shown.collect();
        let again = kind.plan(Some(&state), &shown, today()).unwrap();
        prop_assert_eq!(again.changes, 0);
    }

    #[test]
    fn a_form_is_never_answered_with_what_was_typed((kind, asks) in any_form()) {
        let secret = "Zzkq";
        for field in kind.fields.iter().filter(|field| field.merge != Merge::List) {
            let mut marked = asks.clone();
            marked.retain(|ask| ask.field != field.name);
            marked.push(put(field.name, secret));
            let told = match kind.plan(None, &marked, today()) {
                Ok(plan) => format!("{plan:?}"),
                Err(refusal) => format!("{refusal:?} {refusal}"),
            };
            prop_assert!(!told.contains(secret), "{}", field.name);
        }
    }
}
