//! A stored value as people read it: codes by their titles, days with their months, no secret.

use crdt_schema::record::{Field, Kind, Schema, ValueType, glossary_term};
use node::answer::RevealedValue;
use serde_json::Value;

use super::said;

/// What a page shows of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) text: String,
    /// It stands for a value that is not shown.
    pub(super) veiled: bool,
}

impl Shown {
    fn veiled(text: &str) -> Self {
        Self { text: text.to_owned(), veiled: true }
    }
}

/// The kind of this name.
pub(super) fn kind(name: &str) -> Option<&'static Kind> {
    Schema::standard().kind(name)
}

/// What a kind is called where there is little room: `PPKS`, `Keluarga`.
pub(super) fn kind_word(name: &str) -> String {
    let short = name.to_uppercase();
    if glossary_term(&short).is_some_and(|term| term.term == short) {
        return short;
    }
    kind(name).map_or_else(|| unknown(name), |kind| kind.title.to_owned())
}

/// What a kind is called in full.
pub(super) fn kind_title(name: &str) -> String {
    kind(name).map_or_else(|| unknown(name), |kind| kind.title.to_owned())
}

fn unknown(name: &str) -> String {
    format!("jenis baru ({name})")
}

/// What stands beside a field.
pub(super) fn label(kind: Option<&Kind>, field: &str) -> String {
    let known = kind.and_then(|kind| kind.field(field));
    known.map_or_else(|| format!("isian baru ({field})"), |field| field.label.to_owned())
}

/// The title of a state.
pub(super) fn state(kind: Option<&Kind>, state: &str) -> String {
    let field = kind.and_then(Kind::status_field);
    field.map_or_else(|| state.to_owned(), |field| text(field, state))
}

/// A value, or the word for why it is not shown.
pub(super) fn shown(field: Option<&Field>, value: &RevealedValue) -> Shown {
    match (value, field) {
        (RevealedValue::Hidden, Some(_)) => Shown::veiled("tersembunyi"),
        (RevealedValue::Hidden, None) => Shown::veiled("perlu pembaruan program"),
        (RevealedValue::Sealed, _) => Shown::veiled("tersegel"),
        (RevealedValue::Shown(Value::Null), _) => Shown::veiled("dikosongkan"),
        (RevealedValue::Shown(value), field) => Shown { text: plain(field, value), veiled: false },
    }
}

fn plain(field: Option<&Field>, value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| plain(field, item)).collect();
            items.join("; ")
        }
        Value::Bool(true) => "ya".to_owned(),
        Value::Bool(false) => "tidak".to_owned(),
        Value::Number(count) => measured(field, count),
        Value::String(text_) => field.map_or_else(|| text_.clone(), |field| text(field, text_)),
        Value::Null | Value::Object(_) => String::new(),
    }
}

fn measured(field: Option<&Field>, count: &serde_json::Number) -> String {
    let said = count.as_u64().map_or_else(|| count.to_string(), said::number);
    match field.and_then(|field| field.unit) {
        Some("Rp") => format!("Rp {said}"),
        Some(unit) => format!("{said} {unit}"),
        // A year or a rank: no dots.
        None => count.to_string(),
    }
}

fn text(field: &Field, text: &str) -> String {
    match field.value {
        ValueType::Code(list) => {
            let code = list.codes.iter().find(|code| code.code == text);
            code.map_or_else(|| text.to_owned(), |code| code.title.to_owned())
        }
        ValueType::Date => day(text).unwrap_or_else(|| text.to_owned()),
        ValueType::Bool if text == "ya" || text == "tidak" => text.to_owned(),
        ValueType::Hash => text.chars().take(12).chain(['…']).collect(),
        ValueType::Text { .. }
        | ValueType::Int { .. }
        | ValueType::Bool
        | ValueType::Month
        | ValueType::Nik
        | ValueType::Kk
        | ValueType::RtRw
        | ValueType::Reference(_) => text.to_owned(),
    }
}

fn day(text: &str) -> Option<String> {
    let mut parts = text.splitn(3, '-');
    let year = parts.next()?.parse().ok()?;
    let month = parts.next()?.parse().ok()?;
    Some(said::day(year, month, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(field: &str, value: Value) -> String {
        let field = kind("ppks").and_then(|kind| kind.field(field));
        shown(field, &RevealedValue::Shown(value)).text
    }

    #[test]
    fn codes_are_read_by_their_titles_and_days_with_their_months() {
        assert_eq!(of("kode_jenis", serde_json::json!(["08"])), "Lanjut usia terlantar");
        assert_eq!(of("status_penanganan", "terdata".into()), "Terdata");
        assert_eq!(of("tanggal_lahir", "1987-08-17".into()), "17 Agustus 1987");
        assert_eq!(of("umur_perkiraan", 61.into()), "61 tahun");
        assert_eq!(of("domisili_beda_kk", true.into()), "ya");
        assert_eq!(of("nama", "Euis Contoh".into()), "Euis Contoh");
    }

    #[test]
    fn what_is_not_shown_is_said() {
        let field = kind("ppks").and_then(|kind| kind.field("kasus"));
        assert_eq!(shown(field, &RevealedValue::Hidden).text, "tersembunyi");
        assert_eq!(shown(field, &RevealedValue::Sealed).text, "tersegel");
        assert_eq!(shown(None, &RevealedValue::Hidden).text, "perlu pembaruan program");
        assert_eq!(shown(field, &RevealedValue::Shown(Value::Null)).text, "dikosongkan");
    }

    #[test]
    fn kinds_are_called_as_offices_call_them() {
        assert_eq!(["ppks", "keluarga", "kps"].map(kind_word), ["PPKS", "Keluarga", "KPS"]);
        assert_eq!(kind_word("~99"), "jenis baru (~99)");
    }
}
