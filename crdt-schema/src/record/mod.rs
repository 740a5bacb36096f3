//! Declarations: what kinds of record there are, and everything that follows from saying so once.
//!
//! A [`Kind`] is a table of [`Field`]s. From it alone come the reading of typed text, validation,
//! the operations of an edit, merge rules, search terms, import columns, help and documentation:
//! a new kind or field is a declaration and nothing else. What survives of many edits is `fold`'s.
//!
//! | file           | holds                                                                     |
//! |----------------|---------------------------------------------------------------------------|
//! | `mod.rs`       | [`Schema`], [`Kind`]                                                      |
//! | `field.rs`     | [`Field`], [`ValueType`], [`Merge`]                                       |
//! | `plan.rs`      | what a person asks for becomes the sections of one edit                   |
//! | `derive.rs`    | what follows from what is typed: age band, month, closed types            |
//! | `check.rs`     | fields that must fit together                                             |
//! | `parse.rs`     | text to value and back                                                    |
//! | `nik.rs`       | NIK and KK numbers: repairs and checks                                    |
//! | `terms.rs`     | search terms                                                              |
//! | `rules.rs`     | every rule by name, in English and Indonesian; [`Notice`], [`Refusal`]    |
//! | `forbidden.rs` | fields the law does not let us have                                       |
//! | `markdown.rs`  | the schema as a document, and as lines a golden file keeps                |
//! | `codes/`       | the official lists, versioned                                             |
//! | `glossary.rs`  | the words of the programme                                                |
//! | `shared.rs`    | fields several kinds have                                                 |
//! | the rest       | one file per kind                                                         |
//!
//! **Classes.** Every field has one class for ever: the strictest the law asks for any value it may
//! hold. Nothing computed from a personal value lies in an open section, and no open field links
//! records about persons: so hashes of signed papers, retention dates and family serials are
//! personal although they look harmless.

mod check;
pub mod codes;
mod derive;
mod field;
mod forbidden;
mod glossary;
mod kegiatan;
mod keluarga;
mod kemitraan;
mod kps;
mod layanan;
mod markdown;
pub mod nik;
mod parse;
mod plan;
mod ppks;
mod psks;
pub mod rules;
mod shared;
mod terms;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::LazyLock;

pub use check::{AgeWindow, Check};
pub use derive::Derive;
pub use field::{Field, Merge, ValueType};
pub use forbidden::{Forbidden, forbidden};
pub use glossary::{Term, glossary, glossary_term};
pub use markdown::{describe_lines, describe_markdown};
pub use parse::Parsed;
pub use plan::{Ask, Plan, Wish};
pub use rules::{Notice, Refusal, RefusalReason, Rule, rule};
pub use terms::{TermKind, fold_word, name_words};

use crate::class::Class;

/// The version of the declarations of this build; a field says since which it exists.
pub const SCHEMA_VERSION: u16 = 1;

/// A state and the states that may follow it.
pub type Transition = (&'static str, &'static [&'static str]);

/// A kind of record. All parts are constants, so a kind is as cheap to copy as to name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// From 1, never reused; travels in entry headers.
    pub number: u16,
    /// `snake_case`, as typed on the command line.
    pub name: &'static str,
    /// What it is called, in Indonesian.
    pub title: &'static str,
    /// What belongs in it, in Indonesian.
    pub help: &'static str,
    /// Whether it is about persons: then every record gets all its class sections at creation,
    /// even empty ones, so that presence says nothing.
    pub holds_person: bool,
    /// In the order people see.
    pub fields: &'static [Field],
    /// Of the status field; a state that is not named here goes nowhere.
    pub transitions: &'static [Transition],
    /// Name of the field that lists show.
    pub label: &'static str,
    /// Fields that must fit together.
    pub checks: &'static [Check],
    /// Fields that follow from others.
    pub derives: &'static [Derive],
}

impl Kind {
    /// A kind of which nothing is said yet: `Kind { number: 90, ..Kind::EMPTY }`.
    pub const EMPTY: Self = Self {
        number: 0,
        name: "",
        title: "",
        help: "",
        holds_person: false,
        fields: &[],
        transitions: &[],
        label: "",
        checks: &[],
        derives: &[],
    };

    /// The field of that name, or of that name in an older form.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        let fields = self.fields;
        let by_name = fields.iter().find(|field| field.name == name);
        by_name.or_else(|| fields.iter().find(|field| field.is_named(name)))
    }

    /// The field of that number; `None` for one a newer build has written.
    pub fn field_numbered(&self, number: u16) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.number == number)
    }

    /// The classes its fields have: the documents a record of it has.
    pub fn classes(&self) -> BTreeSet<Class> {
        self.fields.iter().map(|field| field.class.section()).collect()
    }

    /// The field that moves along the transitions.
    pub fn status_field(&self) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.merge == Merge::Status)
    }

    /// The states that may follow `state`.
    pub fn next_states(&self, state: &str) -> &'static [&'static str] {
        let found = self.transitions.iter().find(|(from, _)| *from == state);
        found.map_or(&[], |(_, to)| *to)
    }
}

/// The registry of kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    kinds: Vec<Kind>,
}

static STANDARD: LazyLock<Schema> = LazyLock::new(|| Schema {
    kinds: vec![
        ppks::PPKS,
        keluarga::KELUARGA,
        psks::PSKS,
        kps::KPS,
        kegiatan::KEGIATAN,
        kemitraan::KEMITRAAN,
        layanan::LAYANAN,
    ],
});

impl Schema {
    /// The kinds of this build.
    ///
    /// ```
    /// use crdt_schema::record::{Ask, Schema, Wish};
    ///
    /// let ppks = Schema::standard().kind("ppks").ok_or("no such kind")?;
    /// let ask = |field: &str, text: &str| Ask { field: field.into(), what: Wish::Put(text.into()) };
    /// let asks = [ask("nama", "Euis Contoh"), ask("kode_jenis", "LUT"), ask("jenis_kelamin", "P")];
    /// let plan = ppks.plan(None, &asks, None)?;
    /// assert_eq!(plan.sections.len(), 4);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn standard() -> &'static Self {
        &STANDARD
    }

    /// The same with one more kind, or with `kind` in place of the one of its number.
    #[must_use]
    pub fn with_kind(&self, kind: Kind) -> Self {
        let others = self.kinds.iter().filter(|known| known.number != kind.number);
        let mut kinds: Vec<Kind> = others.copied().chain([kind]).collect();
        kinds.sort_by_key(|known| known.number);
        Self { kinds }
    }

    /// The kind of that name.
    pub fn kind(&self, name: &str) -> Option<&Kind> {
        self.kinds.iter().find(|kind| kind.name == name)
    }

    /// The kind of that number; `None` for one a newer build has written.
    pub fn kind_numbered(&self, number: u16) -> Option<&Kind> {
        self.kinds.iter().find(|kind| kind.number == number)
    }

    /// All kinds, by number.
    pub fn kinds(&self) -> impl Iterator<Item = &Kind> {
        self.kinds.iter()
    }
}
