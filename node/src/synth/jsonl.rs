//! The events as text: one JSON object a line, keys always in the same order.
//!
//! ```text
//! {"v":1,"event":"record","area":"32.05.01.2001","area_id":"32050120010","kind":"ppks","id":"..",
//!  "person":1,"claimed_at":"2026-01-05T02:11:09.512Z","sintetis":true,"fields":{"nama":"..",..}}
//! {"v":1,"event":"edit",.. "fields":{"kebutuhan+":"pangan"}}
//! {"v":1,"event":"rehome","area_id":"32093920010","old":"32.09.39.2001","new":"32.09.21.2016",..}
//! ```
//! A field's name is followed by `+` or `-` when an element is added or taken away; `null` empties
//! it. Lines end with one line feed. SHA-256 is taken because every machine can check it.

use std::io;

use crdt_schema::time::Timestamp;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::calendar::rfc3339;
use super::{Change, FieldOp, Plan, PlanError, SynthEvent, events};
use crate::progress::Progress;

/// Bytes gathered before they are hashed and handed on: a few hundred lines.
const CHUNK_BYTES: usize = 128 << 10;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Areas with a record.
    pub areas: u64,
    /// Records made.
    pub records: u64,
    /// Saves: records and edits.
    pub entries: u64,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256 of the bytes, in lower-case hex.
    pub sha256: String,
}

/// Why nothing, or not everything, was written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The plan is none.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The bytes could not be handed on.
    #[error("failed to write synthetic records: {0}")]
    Io(#[from] io::Error),
    /// A person asked to end early; the lines so far are whole.
    #[error("interrupted")]
    Interrupted,
}

/// Writes every event of the plan; `progress` counts areas.
///
/// # Errors
/// [`WriteError`]: the plan, the writer, or a person.
pub fn write_jsonl(
    plan: &Plan,
    out: &mut dyn io::Write,
    progress: &mut dyn Progress,
) -> Result<Written, WriteError> {
    let mut events = events(plan)?;
    let mut writer = Writer::new(out);
    let (mut areas, mut last) = (0, None);
    while let Some(event) = events.next() {
        if last != Some(events.begun()) {
            last = Some(events.begun());
            areas = events.begun();
            if !progress.at(areas.saturating_sub(1), events.areas()) {
                writer.flush()?;
                return Err(WriteError::Interrupted);
            }
        }
        writer.event(&event)?;
    }
    progress.at(areas, events.areas());
    writer.finish(areas)
}

/// Lines on their way out.
struct Writer<'a> {
    out: &'a mut dyn io::Write,
    text: String,
    hash: Sha256,
    records: u64,
    entries: u64,
    bytes: u64,
}

impl<'a> Writer<'a> {
    fn new(out: &'a mut dyn io::Write) -> Self {
        let text = String::with_capacity(CHUNK_BYTES + (16 << 10));
        Self { out, text, hash: Sha256::new(), records: 0, entries: 0, bytes: 0 }
    }

    fn event(&mut self, event: &SynthEvent) -> io::Result<()> {
        push_event(&mut self.text, event);
        match event {
            SynthEvent::Record(_) => {
                self.records += 1;
                self.entries += 1;
            }
            SynthEvent::Edit(_) => self.entries += 1,
            SynthEvent::Rehome { .. } => {}
        }
        if self.text.len() >= CHUNK_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.hash.update(self.text.as_bytes());
        self.bytes += self.text.len() as u64;
        self.out.write_all(self.text.as_bytes())?;
        self.text.clear();
        Ok(())
    }

    fn finish(mut self, areas: u64) -> Result<Written, WriteError> {
        self.flush()?;
        self.out.flush()?;
        Ok(Written {
            areas,
            records: self.records,
            entries: self.entries,
            bytes: self.bytes,
            sha256: hex::encode(self.hash.finalize()),
        })
    }
}

/// Appends one line.
pub(super) fn push_event(text: &mut String, event: &SynthEvent) {
    match event {
        SynthEvent::Record(change) => push_change(text, "record", change),
        SynthEvent::Edit(change) => push_change(text, "edit", change),
        SynthEvent::Rehome { area, old, new, claimed_at } => {
            text.push_str("{\"v\":1,\"event\":\"rehome\"");
            push_member(text, "area_id", std::str::from_utf8(area.as_bytes()).unwrap_or_default());
            push_member(text, "old", &old.to_string());
            push_member(text, "new", &new.to_string());
            push_moment(text, *claimed_at);
            text.push_str("}\n");
        }
    }
}

fn push_change(text: &mut String, event: &str, change: &Change) {
    text.push_str("{\"v\":1,\"event\":\"");
    text.push_str(event);
    text.push_str("\",\"area\":\"");
    push_dotted(text, change.code.digits());
    text.push('"');
    push_member(text, "area_id", std::str::from_utf8(change.area.as_bytes()).unwrap_or_default());
    push_member(text, "kind", change.kind);
    text.push_str(",\"id\":\"");
    push_hex(text, &change.record.0);
    text.push_str("\",\"person\":");
    text.push(char::from_digit(change.person.into(), 10).unwrap_or('0'));
    push_moment(text, change.claimed_at);
    text.push_str(",\"sintetis\":true,\"fields\":{");
    for (nth, field) in change.fields.iter().enumerate() {
        text.push_str(if nth == 0 { "\"" } else { ",\"" });
        text.push_str(field.name);
        text.push_str(match field.op {
            FieldOp::Put | FieldOp::Clear => "\":",
            FieldOp::Add => "+\":",
            FieldOp::Remove => "-\":",
        });
        match field.op {
            FieldOp::Clear => text.push_str("null"),
            FieldOp::Put | FieldOp::Add | FieldOp::Remove => push_string(text, &field.value),
        }
    }
    text.push_str("}}\n");
}

/// The sixteen bytes of an id as hex.
fn push_hex(text: &mut String, id: &[u8; 16]) {
    for byte in id {
        push_hex_byte(text, *byte);
    }
}

fn push_hex_byte(text: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for nibble in [byte >> 4, byte & 15] {
        text.push(DIGITS.get(usize::from(nibble)).map_or('0', |digit| char::from(*digit)));
    }
}

/// An area code with its dots, as [`std::fmt::Display`] writes it, without its machinery.
fn push_dotted(text: &mut String, digits: &str) {
    for (nth, part) in [0..2, 2..4, 4..6, 6..10].into_iter().enumerate() {
        let Some(part) = digits.get(part) else { return };
        if nth > 0 {
            text.push('.');
        }
        text.push_str(part);
    }
}

fn push_moment(text: &mut String, at: Timestamp) {
    text.push_str(",\"claimed_at\":\"");
    rfc3339(at, text);
    text.push('"');
}

fn push_member(text: &mut String, name: &str, value: &str) {
    text.push_str(",\"");
    text.push_str(name);
    text.push_str("\":");
    push_string(text, value);
}

/// A JSON string (RFC 8259, section 7).
fn push_string(text: &mut String, value: &str) {
    text.push('"');
    let is_odd = |byte: u8| byte == b'"' || byte == b'\\' || byte.is_ascii_control();
    if !value.bytes().any(is_odd) {
        text.push_str(value);
        text.push('"');
        return;
    }
    let mut rest = value;
    while let Some(place) = rest.find(|it: char| it == '"' || it == '\\' || it.is_ascii_control()) {
        let (plain, odd) = rest.split_at(place);
        text.push_str(plain);
        let mut letters = odd.chars();
        match letters.next() {
            Some(letter @ ('"' | '\\')) => text.extend(['\\', letter]),
            Some(letter) => {
                text.push_str("\\u00");
                push_hex_byte(text, u8::try_from(letter).unwrap_or_default());
            }
            None => {}
        }
        rest = letters.as_str();
    }
    text.push_str(rest);
    text.push('"');
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test that panics is a test that fails"
    )]
    use super::super::Preset;
    use super::*;
    use crate::progress::Unwatched;

    #[test]
    fn any_text_becomes_a_json_string() {
        for value in ["", "Ma'mun", "a\"b\\c", "\u{1}\n\tx", "Dédé", "\\", "\u{7f}"] {
            let mut text = String::new();
            push_string(&mut text, value);
            assert_eq!(serde_json::from_str::<String>(&text).unwrap(), value);
        }
    }

    #[test]
    fn every_line_is_an_object_that_says_it_is_synthetic_and_the_sum_is_of_the_bytes() {
        let mut bytes = Vec::new();
        let plan = Plan::new(Preset::Mini, 1);
        let written = write_jsonl(&plan, &mut bytes, &mut Unwatched).unwrap();
        assert_eq!((written.areas, written.records), (1, 12));
        assert_eq!(written.bytes, bytes.len() as u64);
        assert_eq!(written.sha256, hex::encode(Sha256::digest(&bytes)));
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text.lines().count() as u64, written.entries);
        for line in text.lines() {
            let object: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(object["sintetis"], true);
            assert!(!object["fields"].as_object().unwrap().is_empty());
        }
    }

    struct After(u64);

    impl Progress for After {
        fn at(&mut self, done: u64, _total: u64) -> bool {
            done < self.0
        }
    }

    #[test]
    fn an_interruption_leaves_whole_lines() {
        let mut bytes = Vec::new();
        let plan = Plan { records: Some(200), ..Plan::new(Preset::Kec, 3) };
        let ended = write_jsonl(&plan, &mut bytes, &mut After(4));
        assert!(matches!(ended, Err(WriteError::Interrupted)));
        let text = String::from_utf8(bytes).unwrap();
        let areas: std::collections::BTreeSet<String> = text
            .lines()
            .map(|line| {
                serde_json::from_str::<serde_json::Value>(line).unwrap()["area"].to_string()
            })
            .collect();
        assert_eq!(areas.len(), 4);
        assert!(text.ends_with('\n'));
    }
}
