//! Records, one by one and from sheets. Values may be personal: no `Debug` here shows one.

use std::fmt;
use std::path::PathBuf;

use crdt_schema::record::{Ask as FieldAsk, Wish};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Ask;
use crate::answer::{
    Import, RecordConflicts, RecordExport, RecordHistory, RecordList, RecordShow, RecordWrite,
    Synth,
};
use crate::echo::Echo;
use crate::error::NodeError;
use crate::node::{Choice, Layer, ListAsk, Node, SheetAsk, SynthAsk};
use crate::progress::Progress;
use crate::reason::{self, Because};

/// What to do with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// Put the value; of a set or list: values apart by `;` that replace the whole.
    Put,
    /// No value.
    Clear,
    /// One element more.
    Add,
    /// One element less; of a list its text or its id.
    Remove,
}

/// A value as it was given: a text as a person types it, or what says itself that it is no text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Given {
    /// As a person types it.
    Text(String),
    /// Yes or no.
    Truth(bool),
    /// All elements of a set or list.
    List(Vec<String>),
}

impl fmt::Debug for Given {
    // A value may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text",
            Self::Truth(_) => "Truth",
            Self::List(_) => "List",
        })
    }
}

/// One field of a save, in the words of `record history`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Name of the field.
    pub field: String,
    /// What to do with it.
    pub op: Op,
    /// The value as a person types it; with `put` also true or false for a field of yes or no, or a
    /// list for a set or list. Left out with `clear`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Given>,
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, op, value: _ } = self;
        f.debug_struct("Change").field("field", field).field("op", op).finish_non_exhaustive()
    }
}

impl From<FieldAsk> for Change {
    fn from(ask: FieldAsk) -> Self {
        let (op, value) = match ask.what {
            Wish::Put(text) => (Op::Put, Some(Given::Text(text))),
            Wish::Whole(texts) => (Op::Put, Some(Given::List(texts))),
            Wish::Truth(truth) => (Op::Put, Some(Given::Truth(truth))),
            Wish::Clear => (Op::Clear, None),
            Wish::Add(text) => (Op::Add, Some(Given::Text(text))),
            Wish::Remove(text) => (Op::Remove, Some(Given::Text(text))),
        };
        Self { field: ask.field, op, value }
    }
}

impl TryFrom<Change> for FieldAsk {
    type Error = NodeError;

    fn try_from(change: Change) -> Result<Self, NodeError> {
        let Change { field, op, value } = change;
        let what = match (op, value) {
            (Op::Put, Some(Given::Text(text))) => Wish::Put(text),
            (Op::Put, Some(Given::List(texts))) => Wish::Whole(texts),
            (Op::Put, Some(Given::Truth(truth))) => Wish::Truth(truth),
            (Op::Add, Some(Given::Text(text))) => Wish::Add(text),
            (Op::Remove, Some(Given::Text(text))) => Wish::Remove(text),
            (Op::Clear, None) => Wish::Clear,
            (Op::Clear | Op::Add | Op::Remove, Some(_))
            | (Op::Put | Op::Add | Op::Remove, None) => {
                let what = Because::of(&reason::CHANGE_VALUE).typed("field", Echo::field(&field));
                return Err(what.into());
            }
        };
        Ok(Self { field, what })
    }
}

fn wishes(changes: Vec<Change>) -> Result<Vec<FieldAsk>, NodeError> {
    changes.into_iter().map(FieldAsk::try_from).collect()
}

/// `record add`: makes a record; answered once it is durable.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddRecord {
    /// Name of its kind.
    pub kind: String,
    /// Code of the area it belongs to, for ever.
    pub area: String,
    /// Which of the persons on this device saves.
    #[serde(default)]
    pub person: u8,
    /// Its fields.
    pub changes: Vec<Change>,
}

impl Ask for AddRecord {
    type Answer = RecordWrite;
    const PATH: &'static str = "record/add";
    const CHANGES: bool = true;

    fn put(self, node: &mut Node, _: &mut dyn Progress) -> Result<RecordWrite, NodeError> {
        node.record_add(&self.kind, &self.area, self.person, &wishes(self.changes)?)
    }
}

/// `record set`: changes fields of a record. What changes nothing writes nothing.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRecord {
    /// The record's id or a beginning of it.
    pub record: String,
    /// Which of the persons on this device saves.
    #[serde(default)]
    pub person: u8,
    /// Its fields.
    pub changes: Vec<Change>,
}

impl Ask for SetRecord {
    type Answer = RecordWrite;
    const PATH: &'static str = "record/set";
    const CHANGES: bool = true;

    fn put(self, node: &mut Node, _: &mut dyn Progress) -> Result<RecordWrite, NodeError> {
        node.record_set(&self.record, self.person, &wishes(self.changes)?)
    }
}

/// `record settle`: chooses one value of a conflict, by the value or by the entry that wrote it.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SettleConflict {
    /// The record's id or a beginning of it.
    pub record: String,
    /// The field in conflict.
    pub field: String,
    /// Which of the persons on this device saves.
    #[serde(default)]
    pub person: u8,
    /// This value; or `entry`, one of the two.
    #[serde(default)]
    pub value: Option<String>,
    /// The value this entry wrote: `FEED:SEQ`, after a fork `FEED:SEQ@ID`.
    #[serde(default)]
    pub entry: Option<String>,
}

impl fmt::Debug for SettleConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SettleConflict").field("field", &self.field).finish_non_exhaustive()
    }
}

impl Ask for SettleConflict {
    type Answer = RecordWrite;
    const PATH: &'static str = "record/settle";
    const CHANGES: bool = true;

    fn put(self, node: &mut Node, _: &mut dyn Progress) -> Result<RecordWrite, NodeError> {
        let choice = match (self.value, self.entry) {
            (Some(value), None) => Choice::Value(value),
            (None, Some(entry)) => Choice::Entry(entry),
            (Some(_), Some(_)) | (None, None) => {
                return Err((&reason::SETTLE_ONE).into());
            }
        };
        node.record_settle(&self.record, &self.field, self.person, &choice)
    }
}

/// `record show`: one record, field by field.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowRecord {
    /// The record's id or a beginning of it.
    pub record: String,
    /// Show values of class S, for this purpose, which is logged.
    #[serde(default)]
    pub reveal: Option<String>,
}

impl Ask for ShowRecord {
    type Answer = RecordShow;
    const PATH: &'static str = "record/show";
    const CHANGES: bool = false;

    fn put(self, node: &mut Node, _: &mut dyn Progress) -> Result<RecordShow, NodeError> {
        node.record_show(&self.record, self.reveal.as_deref())
    }
}

/// `record list`: one page of records.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListRecords {
    /// Only this kind.
    #[serde(default)]
    pub kind: Option<String>,
    /// Only this area and all below it, by code.
    #[serde(default)]
    pub area: Option<String>,
    /// Only records with these words: beginnings of names, a NIK, a KK.
    #[serde(default)]
    pub query: Option<String>,
    /// Only records that stand so; left out, those that count.
    #[serde(default)]
    pub layer: Option<Layer>,
    /// Only records in this state, as a list writes it.
    #[serde(default)]
    pub status: Option<String>,
    /// Only records with a field of two values or more.
    #[serde(default)]
    pub conflicts_only: bool,
    /// At most so many.
    #[serde(default = "page")]
    #[schemars(range(min = 1, max = 10_000))]
    pub limit: u32,
    /// Where the last page ended, as its `next` said.
    #[serde(default)]
    pub after: Option<String>,
}

/// Records one answer may list: some megabytes.
pub const LISTED_MAX: u32 = 10_000;

const fn page() -> u32 {
    100
}

impl Default for ListRecords {
    fn default() -> Self {
        Self {
            kind: None,
            area: None,
            query: None,
            layer: None,
            status: None,
            conflicts_only: false,
            limit: page(),
            after: None,
        }
    }
}

impl fmt::Debug for ListRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListRecords").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Ask for ListRecords {
    type Answer = RecordList;
    const PATH: &'static str = "record/list";
    const CHANGES: bool = false;

    fn put(self, node: &mut Node, _: &mut dyn Progress) -> Result<RecordList, NodeError> {
        let Self { kind, area, query, layer, status, conflicts_only, limit, after } = self;
        if !(1..=LISTED_MAX).contains(&limit) {
            return Err(Because::of(&reason::LIMIT).with("most", LISTED_MAX).into());
        }
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        node.record_list(&ListAsk {
            kind,
            area,
            query,
            status,
            conflicts_only,
            limit,
            after,
            layer,
        })
    }
}

/// `record history`: every save of a record.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowHistory {
    /// The record's id or a beginning of it.
    pub record: String,
    /// Show values of class S, for this purpose, which is logged.
    #[serde(default)]
    pub reveal: Option<String>,
}

impl Ask for ShowHistory {
    type Answer = RecordHistory;
    const PATH: &'static str = "record/history";
    const CHANGES: bool = false;

    fn put(self, node: &mut Node, _: &mut dyn Progress) -> Result<RecordHistory, NodeError> {
        node.record_history(&self.record, self.reveal.as_deref())
    }
}

/// `record conflicts`: what was written apart and waits for a person's choice.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListConflicts {
    /// Show values of class S, for this purpose, which is logged.
    #[serde(default)]
    pub reveal: Option<String>,
}

impl Ask for ListConflicts {
    type Answer = RecordConflicts;
    const PATH: &'static str = "record/conflicts";
    const CHANGES: bool = false;

    fn put(self, node: &mut Node, _: &mut dyn Progress) -> Result<RecordConflicts, NodeError> {
        node.record_conflicts(self.reveal.as_deref())
    }
}

/// `record export`: writes the Automerge documents of a record.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportRecord {
    /// The record's id or a beginning of it.
    pub record: String,
    /// Where the open document is written, on the node's machine; the others beside it as
    /// `FILE.T`, `.U`, `.S`.
    pub file: PathBuf,
}

impl Ask for ExportRecord {
    type Answer = RecordExport;
    const PATH: &'static str = "record/export";
    const CHANGES: bool = false;

    fn put(self, node: &mut Node, _: &mut dyn Progress) -> Result<RecordExport, NodeError> {
        node.record_export(&self.record, &self.file)
    }

    fn files(&mut self) -> Vec<&mut PathBuf> {
        vec![&mut self.file]
    }
}

/// `import`: a sheet becomes records; without `apply` only what would become of it is said. Long.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportSheet {
    /// The sheet, on the node's machine: CSV, XLSX, XLS or ODS.
    pub file: PathBuf,
    /// Kind of the records.
    pub kind: String,
    /// Code of the area the records belong to.
    pub area: String,
    /// A TOML file, on the node's machine, that says which column is which field.
    #[serde(default)]
    pub map: Option<PathBuf>,
    /// Write the records.
    #[serde(default)]
    pub apply: bool,
    /// Which of the persons on this device imports.
    #[serde(default)]
    pub person: u8,
}

impl Ask for ImportSheet {
    type Answer = Import;
    const PATH: &'static str = "import";
    const CHANGES: bool = true;

    fn put(self, node: &mut Node, progress: &mut dyn Progress) -> Result<Import, NodeError> {
        let Self { file, kind, area, map, apply, person } = self;
        node.import_sheet(&SheetAsk { file, kind, area, map, apply, person }, progress)
    }

    fn files(&mut self) -> Vec<&mut PathBuf> {
        std::iter::once(&mut self.file).chain(self.map.as_mut()).collect()
    }
}

/// `synth --into-node`: synthetic people and records, the same from the same seed. Long.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeSynthetic {
    /// What is made: `mini`, `desa`, `kec`, `kab`, `prov`, `pemekaran`, `bencana` or `tenggat`.
    pub preset: String,
    /// Where all chance comes from.
    pub seed: u64,
    /// How many records instead of the preset's number.
    #[serde(default)]
    pub records: Option<u64>,
    /// Code of the area instead of the preset's.
    #[serde(default)]
    pub area: Option<String>,
}

impl Ask for MakeSynthetic {
    type Answer = Synth;
    const PATH: &'static str = "synth";
    const CHANGES: bool = true;

    fn put(self, node: &mut Node, progress: &mut dyn Progress) -> Result<Synth, NodeError> {
        let Self { preset, seed, records, area } = self;
        node.synth_into(&SynthAsk { preset, seed, records, area }, progress)
    }
}
