//! How single values look on a page for people; never in JSON.

use std::fmt::Display;

use crdt_schema::time::Timestamp;
use node::answer::{EntryRef, FieldWarning, RevealedValue, When};
use serde_json::Value;

use crate::report::Page;
use crate::words::Words;

/// West Java lives seven hours ahead of UTC all year (Waktu Indonesia Barat).
const WIB_AHEAD_MS: i64 = 7 * 3_600_000;

/// What stands where there is nothing.
pub(super) const NONE: &str = "-";

/// A moment as `2026-11-24 18:20 WIB`.
pub(super) fn moment(when: Option<When>) -> String {
    let local = when.and_then(|When(utc)| utc.0.checked_add(WIB_AHEAD_MS));
    let text = local.and_then(|ms| When(Timestamp(ms)).text());
    let minutes = text.as_deref().and_then(|text| text.get(..16));
    minutes.map_or_else(|| NONE.to_owned(), |text| format!("{} WIB", text.replace('T', " ")))
}

/// The first eight digits of an id: enough to tell two apart, and to type.
pub(super) fn short(id: &impl Display) -> String {
    id.to_string().chars().take(8).collect()
}

/// An entry as it is typed, its feed cut short.
pub(super) fn entry(entry: &EntryRef) -> String {
    format!("{}:{}", short(&entry.feed), entry.seq)
}

/// A device, and which person on it where there are several.
pub(super) fn author(device: &impl Display, person: u8) -> String {
    if person == 0 { short(device) } else { format!("{}/{person}", short(device)) }
}

/// A value as far as it may be shown.
pub(super) fn value(value: &RevealedValue, words: Words) -> String {
    match value {
        RevealedValue::Shown(value) => plain(value, words),
        RevealedValue::Hidden => words.say("page-hidden"),
        RevealedValue::Sealed => words.say("page-sealed"),
    }
}

fn plain(value: &Value, words: Words) -> String {
    match value {
        Value::Null => NONE.to_owned(),
        Value::Bool(true) => words.say("page-yes"),
        Value::Bool(false) => words.say("page-no"),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            items.iter().map(|item| plain(item, words)).collect::<Vec<_>>().join("; ")
        }
        Value::Object(_) => value.to_string(),
    }
}

/// Yes or no.
pub(super) fn yes(yes: bool, words: Words) -> String {
    words.say(if yes { "page-yes" } else { "page-no" })
}

/// Bytes in the unit that reads best, counted in thousands as on a stick's label.
pub(super) fn size(bytes: u64) -> String {
    let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    let unit = units.into_iter().find(|(size, _)| bytes >= *size);
    unit.map_or_else(
        || format!("{bytes} B"),
        |(size, name)| format!("{}.{} {name}", bytes / size, bytes % size * 10 / size),
    )
}

/// A value as one line: older programs wrote breaks into names, and a list has a line for each record.
pub(super) fn one_line(value: &str) -> String {
    value.replace('\n', r"\u{a}")
}

/// What was taken and should be looked at again.
pub(super) fn warnings(page: &mut Page, words: Words, warnings: &[FieldWarning]) {
    for warning in warnings {
        let said = words.rule(&warning.rule, &warning.message);
        let other = warning.record.map(|record| format!(" ({record})")).unwrap_or_default();
        page.warning(if warning.field.is_empty() {
            said
        } else {
            format!("{}: {said}{other}", warning.field)
        });
    }
}

/// The column heads with these keys.
pub(super) fn heads<const N: usize>(words: Words, keys: [&str; N]) -> Vec<String> {
    keys.into_iter().map(|key| words.say(key)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Language;

    #[test]
    fn people_read_the_time_of_west_java() {
        let evening = When(Timestamp(1_764_008_405_999));
        assert_eq!(moment(Some(evening)), "2025-11-25 01:20 WIB");
        assert_eq!(moment(None), NONE);
        assert_eq!(moment(Some(When(Timestamp(i64::MAX)))), NONE);
    }

    #[test]
    fn sizes_are_counted_in_thousands() {
        assert_eq!(size(999), "999 B");
        assert_eq!(size(12_345), "12.3 kB");
        assert_eq!(size(100_000_000), "100.0 MB");
        assert_eq!(size(2_950_000_000), "2.9 GB");
    }

    #[test]
    fn a_value_that_may_not_be_shown_is_not() {
        let words = Words::new(Language::English);
        assert_eq!(value(&RevealedValue::Hidden, words), words.say("page-hidden"));
        assert_eq!(value(&RevealedValue::Sealed, words), words.say("page-sealed"));
        let list = RevealedValue::Shown(serde_json::json!(["a", true, null, 3]));
        assert_eq!(value(&list, words), "a; yes; -; 3");
    }
}
