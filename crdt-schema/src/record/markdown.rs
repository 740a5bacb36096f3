//! The schema as a document for people, and as lines a golden file keeps.

use std::fmt::Write as _;

use super::codes::CodeList;
use super::{Field, Kind, Schema};

/// `docs/schema.md`: every kind, its fields, its states, and the lists.
pub fn describe_markdown(schema: &Schema) -> String {
    let mut page = String::from(
        "# Schema\n\n\
         Made from the declarations in `crdt-schema/src/record/`; a test holds both equal.\n\n\
         Classes: P public, I internal (both open), T tally, U personal, S specific. `!` marks a \
         required field, `= x` what a new record gets when nothing is typed. `text(N)` takes N letters: \
         Unicode scalar values, whatever their bytes, and 8,192 bytes at most; of 320 letters or fewer \
         it is one line.\n",
    );
    for kind in schema.kinds() {
        kind_section(&mut page, kind);
    }
    page.push_str("\n# Code lists\n");
    for list in lists(schema) {
        list_section(&mut page, list);
    }
    page
}

/// One line a field, `kind number, field number, name, class, merge, type`: what must never
/// change once a feed holds it.
pub fn describe_lines(schema: &Schema) -> String {
    let mut lines = String::new();
    for kind in schema.kinds() {
        for field in kind.fields {
            let (number, name) = (field.number, field.name);
            let (class, merge) = (field.class.letter(), field.merge.name());
            let value = field.value.describe();
            add(
                &mut lines,
                format_args!("{} {number} {name} {class} {merge} {value}", kind.number),
            );
        }
    }
    lines
}

/// Every list a field uses, by name.
fn lists(schema: &Schema) -> Vec<&'static CodeList> {
    let fields = schema.kinds().flat_map(|kind| kind.fields);
    let mut lists: Vec<_> = fields.filter_map(|field| field.value.codes()).collect();
    lists.sort_by_key(|list| list.name);
    lists.dedup_by_key(|list| list.name);
    lists
}

fn kind_section(page: &mut String, kind: &Kind) {
    let person = if kind.holds_person { " About persons: every class at creation." } else { "" };
    add(page, format_args!("\n## {} {}: {}\n", kind.number, kind.name, kind.title));
    add(page, format_args!("{}{person}\n", kind.help));
    add(page, format_args!("| No | Field | Class | Type | Merge | Label | Help |"));
    add(page, format_args!("|---|---|---|---|---|---|---|"));
    for field in kind.fields {
        field_row(page, field);
    }
    if !kind.transitions.is_empty() {
        add(page, format_args!("\n| From | To |\n|---|---|"));
    }
    for (from, to) in kind.transitions {
        add(page, format_args!("| {from} | {} |", to.join(", ")));
    }
}

fn field_row(page: &mut String, field: &Field) {
    let must = if field.required { "!" } else { "" };
    let default = field.default.map(|text| format!(" = {text}")).unwrap_or_default();
    let unit = field.unit.map(|unit| format!(" {unit}")).unwrap_or_default();
    let names: Vec<_> = field.aliases.iter().map(|alias| format!(", `{alias}`")).collect();
    add(
        page,
        format_args!(
            "| {} | `{}`{must}{} | {} | {}{unit}{default} | {} | {} | {} |",
            field.number,
            field.name,
            names.concat(),
            field.class.letter(),
            field.value.describe(),
            field.merge.name(),
            field.label,
            field.help,
        ),
    );
}

fn list_section(page: &mut String, list: &CodeList) {
    add(page, format_args!("\n## {} ({}, {})\n", list.title, list.name, list.version));
    add(page, format_args!("| Code | | Title | English |\n|---|---|---|---|"));
    for code in list.codes {
        let short = code.short.unwrap_or_default();
        add(
            page,
            format_args!("| `{}` | {short} | {} | {} |", code.code, code.title, code.english),
        );
    }
}

fn add(page: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let written = writeln!(page, "{line}");
    debug_assert!(written.is_ok());
}
