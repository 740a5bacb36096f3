//! What the program knows without any record: areas, kinds, words, and synthetic people.

use crdt_schema::area::AreaCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::basic::AreaName;

/// `area show`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AreaShow {
    /// The area itself.
    #[serde(flatten)]
    pub entry: AreaEntry,
    /// From the province down to the one above it.
    pub above: Vec<AreaEntry>,
    /// Areas directly below, in order of today's codes.
    pub below: Vec<AreaEntry>,
    /// Codes it bore before, ascending; it is found by each that no other area bears today.
    pub former: Vec<AreaCode>,
    /// A code it was given elsewhere and not in this network: it is found by that, too.
    pub later: Option<AreaCode>,
}

/// `area list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AreaList {
    /// How many.
    pub total: u64,
    /// In order of today's codes, an area before those below it.
    pub areas: Vec<AreaEntry>,
}

/// One area.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AreaEntry {
    /// Its names.
    #[serde(flatten)]
    pub area: AreaName,
    /// What people call it.
    pub name: String,
    /// `provinsi`, `kabupaten`, `kecamatan` or `desa`.
    pub level: String,
    /// Another area bears the same code: only the eleven digits of their ids tell them apart.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared_code: bool,
}

/// `schema`: the kinds of record, as they are declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Schema {
    /// By number.
    pub kinds: Vec<KindSchema>,
}

/// One kind of record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KindSchema {
    /// Its name on the command line.
    pub kind: String,
    /// Its number on the wire.
    pub number: u16,
    /// What it is called, in Indonesian.
    pub title: String,
    /// Its fields, in the order people see.
    pub fields: Vec<SchemaField>,
    /// States and where each may go; empty where a kind has none.
    pub transitions: Vec<Transition>,
}

/// One field of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SchemaField {
    /// Its name on the command line.
    pub field: String,
    /// Its number on the wire.
    pub number: u16,
    /// What it is called, in Indonesian.
    pub title: String,
    /// The letter of the law's table: P, I, T, U, S.
    pub class: String,
    /// `text`, `int`, `bool`, `date`, `code`, `reference` ...
    #[serde(rename = "type")]
    pub value_type: String,
    /// `scalar`, `set`, `list` or `status`: how edits made apart meet.
    pub merge: String,
    /// Whether a record is asked for it.
    pub required: bool,
    /// The codes it may hold; empty where it is free.
    pub codes: Vec<CodeValue>,
}

/// One code of an official list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CodeValue {
    /// As written.
    pub code: String,
    /// What it means, in Indonesian.
    pub title: String,
}

/// Where a state may go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Transition {
    /// The state.
    pub from: String,
    /// The states that may follow.
    pub to: Vec<String>,
}

/// `glossary`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Glossary {
    /// By word.
    pub terms: Vec<Term>,
    /// Where there are none: words that resemble what was asked for.
    pub near: Vec<String>,
}

/// One word of the programme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Term {
    /// The word, as in Indonesian offices.
    pub term: String,
    /// Written out, where it is an abbreviation.
    pub long: Option<String>,
    /// What it means, in Indonesian.
    pub meaning: String,
    /// What it means, in English.
    pub english: String,
}

/// `synth`: synthetic people were made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Synth {
    /// Name of the preset.
    pub preset: String,
    /// The seed.
    pub seed: u64,
    /// Areas with a record.
    pub areas: u64,
    /// Records made.
    pub records: u64,
    /// Entries written.
    pub entries: u64,
    /// SHA-256 of the JSONL bytes, the same on every machine; `null` when none were written.
    pub sha256: Option<String>,
}
