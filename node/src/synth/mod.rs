//! Synthetic people and records: a year of West Java that never was, from one seed.
//!
//! Pure: no clock, no file, no random number of the system. Everything follows from the seed in
//! integer arithmetic, so one seed gives the same bytes on every machine; a village's records
//! follow from the seed and its own area id, so any area can be made alone and is then the same as
//! in its province. Nobody in it exists: see `person.rs` for why no NIK can be a living person's.
//!
//! ```text
//!   Plan ──► select.rs (which areas) ──► Village ──► SynthEvent ──► jsonl.rs, or a node
//!                                           ▲
//!        counts.rs (how many) ── place.rs (where) ── person.rs (who) ── needs.rs, works.rs (fields)
//!        edits.rs (what changes)     table.rs, names.rs, fields.rs (figures and words)
//!        random.rs, calendar.rs (chance and time)          sheet.rs (rows as desks export them)
//! ```
//!
//! A disaster or a deadline is no part of everybody's year: they come with their presets.

mod calendar;
mod counts;
mod edits;
mod fields;
mod jsonl;
mod mini;
mod names;
mod needs;
mod person;
mod place;
mod random;
mod select;
mod sheet;
mod table;
#[cfg(test)]
mod tests;
mod village;
mod works;

use std::fmt;
use std::str::FromStr;

use crdt_schema::area::{AreaCode, AreaId};
use crdt_schema::id::RecordId;
use crdt_schema::record::Ask;
use crdt_schema::time::Timestamp;
use thiserror::Error;

pub use fields::{FieldOp, SynthField};
pub use jsonl::{WriteError, Written, write_jsonl};
pub use select::Events;
pub use sheet::noisy_sheet;

use random::Random;

/// Which part of West Java, and what befalls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Preset {
    /// One desa, twelve records: every kind, and one of each hard case.
    Mini,
    /// One village, 700 records, a year of edits.
    Desa,
    /// A kecamatan of nine villages.
    Kec,
    /// Kabupaten Garut: 442 villages.
    Kab,
    /// The province: 5,957 villages, five million records.
    Prov,
    /// Three kecamatan in whose villages the three known changes of code come in the middle.
    Pemekaran,
    /// A kecamatan of nine villages, one of them struck by a disaster.
    Bencana,
    /// Kabupaten Majalengka on the last day of the year: every village saves within six hours.
    Tenggat,
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Mini,
        Self::Desa,
        Self::Kec,
        Self::Kab,
        Self::Prov,
        Self::Pemekaran,
        Self::Bencana,
        Self::Tenggat,
    ];

    /// As typed: `mini`, `desa`, `kec`, `kab`, `prov`, `pemekaran`, `bencana`, `tenggat`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mini => "mini",
            Self::Desa => "desa",
            Self::Kec => "kec",
            Self::Kab => "kab",
            Self::Prov => "prov",
            Self::Pemekaran => "pemekaran",
            Self::Bencana => "bencana",
            Self::Tenggat => "tenggat",
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Preset {
    type Err = PlanError;

    fn from_str(text: &str) -> Result<Self, PlanError> {
        let found = Self::ALL.into_iter().find(|preset| preset.name() == text);
        found.ok_or(PlanError::Preset)
    }
}

/// How often a record is saved again after it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Edits {
    /// Twice in the mean, as a desk does in a year.
    #[default]
    Year,
    /// Exactly so often, for measurements that must add up.
    Exactly(u8),
}

impl Edits {
    fn draw(self, random: &mut Random) -> u32 {
        match self {
            Self::Year => random.poisson(2 * random::ONE),
            Self::Exactly(times) => times.into(),
        }
    }
}

/// What shall be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Which part, and what befalls it.
    pub preset: Preset,
    /// Where all chance comes from.
    pub seed: u64,
    /// Another area than the preset's own: the villages in and below it. `desa` and `mini` choose
    /// one of them, `kec` and `bencana` a kecamatan if several lie below.
    pub area: Option<AreaId>,
    /// Exactly so many records, shared by the areas as evenly as whole numbers allow; a disaster's
    /// come on top. `None`: as many as the recipe gives.
    pub records: Option<u64>,
    /// How often a record is saved again.
    pub edits: Edits,
}

impl Plan {
    /// The preset as it stands.
    pub const fn new(preset: Preset, seed: u64) -> Self {
        Self { preset, seed, area: None, records: None, edits: Edits::Year }
    }
}

/// Why a plan is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PlanError {
    /// No preset has this name.
    #[error("a preset is mini, desa, kec, kab, prov, pemekaran, bencana or tenggat")]
    Preset,
    /// No village of West Java lies in or below the area.
    #[error("no village of West Java lies there")]
    NoVillage,
    /// So many people of one village would share their numbers.
    #[error("a village holds at most {max} synthetic records")]
    TooMany {
        /// The most one village can hold.
        max: u32,
    },
    /// `mini` has its twelve records and no others.
    #[error("the preset mini has always twelve records")]
    MiniIsFixed,
}

/// One save.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The village.
    pub area: AreaId,
    /// Its code at that time.
    pub code: AreaCode,
    /// The kind's name.
    pub kind: &'static str,
    /// The record.
    pub record: RecordId,
    /// Who at the desk saved: 1 operator, 2 PSM, 3 WKSBM, 4 TKSK, 5 kabupaten, 6 others.
    pub person: u8,
    /// What was typed, in the order of the form.
    pub fields: Vec<SynthField>,
    /// When, by an honest clock: in 2026.
    pub claimed_at: Timestamp,
}

impl Change {
    /// What was typed, as [`Kind::plan`](crdt_schema::record::Kind::plan) takes it.
    pub fn asks(&self) -> Vec<Ask> {
        self.fields.iter().map(SynthField::ask).collect()
    }
}

/// What happens next.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SynthEvent {
    /// A record is made.
    Record(Change),
    /// A record made before gets one field changed.
    Edit(Change),
    /// An area gets another code, and with it another place in the tree.
    Rehome {
        /// The area, whose identity stays.
        area: AreaId,
        /// Its code until now.
        old: AreaCode,
        /// Its code from now on.
        new: AreaCode,
        /// When.
        claimed_at: Timestamp,
    },
}

/// The events of a plan: village after village, in each by time; with `pemekaran` all villages up
/// to the changes of code, then those, then all villages again. Memory is that of the largest
/// village, of all villages for `pemekaran`.
///
/// # Errors
/// [`PlanError`] when the plan is none.
///
/// ```
/// use node::synth::{Plan, Preset, SynthEvent, events};
///
/// let mini = events(&Plan::new(Preset::Mini, 1))?;
/// assert_eq!(mini.filter(|event| matches!(event, SynthEvent::Record(_))).count(), 12);
/// # Ok::<(), node::synth::PlanError>(())
/// ```
pub fn events(plan: &Plan) -> Result<Events, PlanError> {
    Events::new(plan)
}
