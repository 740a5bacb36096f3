//! Records: what was written, what is shown, what is in conflict, and a sheet's import.
//!
//! Values may be personal data: no `Debug` here shows one.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use crdt_schema::id::{DeviceId, RecordId};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::basic::{AreaName, EntryRef, FieldWarning, When};

/// `record add`, `record set`, `record settle`: the save is durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordWrite {
    /// The record.
    pub record: RecordId,
    /// The entry that holds the save.
    pub entry: EntryRef,
    /// What a person should look at again.
    pub warnings: Vec<FieldWarning>,
}

/// A value, as far as this node and this question may show it.
#[derive(Clone, PartialEq)]
pub enum RevealedValue {
    /// Text, number, true, a date as text, or a list of texts for sets and lists; `null` if the
    /// field was cleared.
    Shown(Value),
    /// Class S, not asked for with a purpose: `{"hidden":true}`.
    Hidden,
    /// This node cannot open it: `{"sealed":true}`.
    Sealed,
}

impl fmt::Debug for RevealedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shown(_) => "Shown(..)",
            Self::Hidden => "Hidden",
            Self::Sealed => "Sealed",
        })
    }
}

impl Serialize for RevealedValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mark = match self {
            Self::Shown(value) => return value.serialize(serializer),
            Self::Hidden => "hidden",
            Self::Sealed => "sealed",
        };
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(mark, &true)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for RevealedValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Ok(match value.as_object().and_then(|marks| marks.keys().next()).map(String::as_str) {
            Some("hidden") => Self::Hidden,
            Some("sealed") => Self::Sealed,
            _ => Self::Shown(value),
        })
    }
}

impl JsonSchema for RevealedValue {
    fn schema_name() -> Cow<'static, str> {
        "RevealedValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Text, number, true or false, a list of texts for sets and lists, null \
                if the field was cleared; {\"hidden\":true} for class S without a purpose; \
                {\"sealed\":true} where this node cannot open it.",
            "anyOf": [
                { "type": ["string", "number", "boolean", "array", "null"] },
                { "type": "object", "required": ["hidden"],
                  "properties": { "hidden": { "const": true } } },
                { "type": "object", "required": ["sealed"],
                  "properties": { "sealed": { "const": true } } },
            ],
        })
    }
}

/// How a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Has counting edits: in lists and counts.
    Counting,
    /// Written only by a device that waits for its confirmation, or resting on an entry not held.
    Waiting,
    /// Held, does not count.
    Quarantined,
    /// Its changes weigh too much together; kept, counted nowhere.
    SetAside,
}

impl Verdict {
    /// The word in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counting => "counting",
            Self::Waiting => "waiting",
            Self::Quarantined => "quarantined",
            Self::SetAside => "set_aside",
        }
    }
}

/// `record show`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecordShow {
    /// The record.
    pub record: RecordId,
    /// Name of its kind.
    pub kind: String,
    /// Where it was created.
    #[serde(flatten)]
    pub area: AreaName,
    /// How it stands.
    pub verdict: Verdict,
    /// Fields with a value, by name in the order of the declaration; fields of a newer schema as
    /// `~NUMBER` after them.
    #[serde(with = "in_order")]
    #[schemars(with = "BTreeMap<String, FieldShown>")]
    pub fields: Vec<(String, FieldShown)>,
}

/// Pairs as an object that keeps their order.
mod in_order {
    use std::fmt;
    use std::marker::PhantomData;

    use serde::de::{MapAccess, Visitor};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<T: Serialize, S: Serializer>(
        pairs: &[(String, T)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
    }

    struct Pairs<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Pairs<T> {
        type Value = Vec<(String, T)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut pairs = Vec::new();
            while let Some(pair) = map.next_entry()? {
                pairs.push(pair);
            }
            Ok(pairs)
        }
    }

    pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(String, T)>, D::Error> {
        deserializer.deserialize_map(Pairs(PhantomData))
    }
}

/// One field of a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FieldShown {
    /// The shown value.
    pub value: RevealedValue,
    /// The letter of the law's table: P, I, T, U, S.
    pub class: String,
    /// Who wrote it.
    pub device: DeviceId,
    /// Which person on that device; 0 if it has one only.
    pub person: u8,
    /// By that device's clock.
    pub claimed_at: Option<When>,
    /// The entry that holds it.
    pub entry: EntryRef,
    /// The other surviving values, by entry id; empty without a conflict.
    pub others: Vec<ConflictValue>,
}

/// One surviving value of a field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConflictValue {
    /// The value.
    pub value: RevealedValue,
    /// Who wrote it.
    pub device: DeviceId,
    /// Which person on that device.
    pub person: u8,
    /// By that device's clock.
    pub claimed_at: Option<When>,
    /// The entry that holds it.
    pub entry: EntryRef,
}

/// `record list`: one page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordList {
    /// Records that match, over all pages.
    pub total: u64,
    /// This page, by area, kind and id.
    pub records: Vec<RecordRow>,
    /// Where the next page begins; `null` on the last.
    pub next: Option<String>,
}

/// One record in a list.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordRow {
    /// The record.
    pub record: RecordId,
    /// Name of its kind.
    pub kind: String,
    /// Where it was created.
    #[serde(flatten)]
    pub area: AreaName,
    /// What a person calls it; `None` where that may not be shown.
    pub label: Option<String>,
    /// Its shown state.
    pub status: Option<String>,
    /// Fields with two values or more.
    pub conflicts: u32,
    /// Claimed time of its newest edit.
    pub changed_at: Option<When>,
    /// How it stands.
    pub verdict: Verdict,
}

impl fmt::Debug for RecordRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordRow").field("record", &self.record).finish_non_exhaustive()
    }
}

/// `record export`: one Automerge document for each class the record holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordExport {
    /// The record.
    pub record: RecordId,
    /// The file given; the open document. The others bear `.T`, `.U`, `.S` after it.
    pub file: String,
    /// Classes written: `open`, `T`, `U`, `S`.
    pub class: Vec<String>,
    /// Bytes of all files together.
    pub bytes: u64,
    /// Automerge heads of the documents, class after class, as hex.
    pub heads: Vec<String>,
    /// Documents of an earlier export under that name, of classes that this one does not have.
    pub older: Vec<String>,
}

/// `record history`: the held edits in display order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecordHistory {
    /// The record.
    pub record: RecordId,
    /// Causality first, then claimed time, then entry id.
    pub edits: Vec<RecordEdit>,
    /// Held edits beside these, of a record with so many that they are not shown at once.
    pub left_out: u64,
}

/// What one save did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecordEdit {
    /// The entry.
    pub entry: EntryRef,
    /// Who wrote it.
    pub device: DeviceId,
    /// Which person on that device.
    pub person: u8,
    /// By that device's clock.
    pub claimed_at: Option<When>,
    /// By this node's clock; differs from node to node.
    pub received_at: Option<When>,
    /// Whether it counts.
    pub verdict: Verdict,
    /// The entries its author had seen, ascending by id.
    pub deps: Vec<EntryRef>,
    /// What it did to each field, in the order of the declaration.
    #[serde(with = "in_order")]
    #[schemars(with = "BTreeMap<String, AddedValue>")]
    pub fields: Vec<(String, AddedValue)>,
}

/// One operation of a save.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AddedValue {
    /// `put`, `clear`, `add` (to a set or list) or `remove` (from one).
    pub op: String,
    /// The value put, added or removed; `null` for `clear`.
    pub value: RevealedValue,
}

/// `record conflicts`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecordConflicts {
    /// How many fields are in conflict.
    pub total: u64,
    /// By area, kind, record and field.
    pub conflicts: Vec<RecordConflict>,
}

/// A field with two values or more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecordConflict {
    /// The record.
    pub record: RecordId,
    /// Name of its kind.
    pub kind: String,
    /// Name of the field.
    pub field: String,
    /// The value lists and reports use meanwhile.
    pub shown: RevealedValue,
    /// All of them, by entry id.
    pub values: Vec<ConflictValue>,
}

/// `import`: a sheet read row by row, and with `--apply` written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Import {
    /// Rows with anything in them.
    pub rows: u64,
    /// Rows that make a record.
    pub new: u64,
    /// Rows that change one.
    pub changed: u64,
    /// Rows that say what is known already.
    pub unchanged: u64,
    /// Rows not taken, in the sheet's order.
    pub refused: Vec<RefusedRow>,
    /// How many warnings there were.
    pub warnings: u64,
    /// Whether it was written.
    pub applied: bool,
    /// What was noticed without being refused, as far as it is listed, in the sheet's order.
    pub noticed: Vec<RefusedRow>,
    /// How many rows each rule refused, by rule; the whole, where `refused` is cut short.
    pub refused_by_rule: BTreeMap<String, u64>,
}

/// Why a row was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefusedRow {
    /// Its number in the sheet, from 1, the heading counted.
    pub row: u64,
    /// The field, the column by its letters, or a range of cells; empty for the row as a whole.
    pub field: String,
    /// The rule's name, snake case, stable.
    pub rule: String,
    /// What it says, in English, without the value.
    pub message: String,
    /// Of a column whose heading means nothing: the field whose title it resembles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub near: Option<String>,
}
