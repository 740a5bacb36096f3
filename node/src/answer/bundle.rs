//! Bundles: what went into a file, what lies in one, what came out of it.

use std::collections::BTreeMap;

use crdt_schema::area::AreaCode;
use crdt_schema::id::{DeviceId, FeedId, NetworkId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::basic::{AreaName, RootHash, When};

/// Whom a bundle is for: `{"device":ID}`, `{"area":CODE}` or `"all"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// One device, counted from its last known heads.
    Device(DeviceId),
    /// Whoever holds this area.
    Area(AreaCode),
    /// Anyone who may carry what is inside.
    All,
}

/// `bundle export`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BundleExport {
    /// The files, in the order of their pieces.
    pub files: Vec<String>,
    /// Bytes of all files together.
    pub bytes: u64,
    /// Whom it is for.
    #[serde(rename = "for")]
    pub audience: Audience,
    /// Areas inside, today's codes in order.
    pub areas: Vec<AreaCode>,
    /// Feeds inside.
    pub feeds: u64,
    /// Entries inside.
    pub entries: u64,
    /// What should be inside and is not, for it rotted in this node's store; by feed and place.
    pub missing: Vec<RottenRun>,
    /// Files of an earlier bundle under that name, whole or in pieces, that lie beside and are no
    /// part of this one.
    pub older: Vec<String>,
}

/// Entries of a feed that are not what was stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RottenRun {
    /// The feed.
    pub feed: FeedId,
    /// Whose feed.
    pub device: DeviceId,
    /// The feed's area.
    #[serde(flatten)]
    pub area: AreaName,
    /// First place that cannot be relied on.
    pub from: u64,
    /// Last such place.
    pub to: u64,
    /// What was found, in English, without any personal value.
    pub what: String,
}

/// `bundle inspect`: what a file says and whether it is whole, without taking anything from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BundleInspect {
    /// Version of the layout.
    pub format: u32,
    /// The network everything inside belongs to.
    pub network: NetworkId,
    /// Who made it.
    pub from: DeviceId,
    /// Whom it is for.
    #[serde(rename = "for")]
    pub audience: Audience,
    /// The maker's clock.
    pub made_at: Option<When>,
    /// This piece, and pieces in all.
    pub part: [u16; 2],
    /// Areas inside, today's codes in order.
    pub areas: Vec<AreaCode>,
    /// Feeds inside.
    pub feeds: u64,
    /// Entries inside.
    pub entries: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Nothing altered, nothing cut off.
    pub whole: bool,
    /// Places that must come before those inside, or that the file was written with and lost, and
    /// that a data folder asked does not hold.
    pub missing: Vec<MissingRun>,
    /// Entries an import would store as new; `null` without a data folder.
    pub new_here: NewHere,
}

/// Entries a node lacks, where a node was asked.
pub type NewHere = Option<u64>;

/// Entries of a feed that would have to come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MissingRun {
    /// The feed.
    pub feed: FeedId,
    /// First missing place.
    pub from: u64,
    /// Last missing place.
    pub to: u64,
}

/// `bundle import`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BundleImport {
    /// In the order given.
    pub files: Vec<ImportedFile>,
    /// Areas that got something, with their roots afterwards.
    pub areas: Vec<ImportedArea>,
    /// Of what this import stored, or made to end, entries that are kept and do not count.
    #[serde(default)]
    pub quarantined: u64,
}

/// The word under which entries for others are counted: no failure, for bundles for all carry them
/// every day.
pub const OUTSIDE_INTEREST: &str = "outside_interest";

/// The word under which entries are counted that the disk had no room for.
pub const NO_ROOM: &str = "no_room";

/// The word under which entries are counted whose place in this node's own store rotted.
pub const ROTTEN_HERE: &str = "rotten_here";

/// What one file brought.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImportedFile {
    /// As given.
    pub file: String,
    /// Entries inside, as far as it could be read.
    pub entries: u64,
    /// Entries taken.
    pub new: u64,
    /// Entries held before.
    pub duplicate: u64,
    /// Entries whose beginning is missing; they stay in the file.
    pub pending: u64,
    /// Entries not taken, by reason.
    #[serde(serialize_with = "reasons")]
    pub rejected: BTreeMap<String, u64>,
    /// What all pieces of one bundle have in common, as hex.
    pub bundle: String,
    /// This piece, and pieces in all.
    pub part: [u16; 2],
    /// Places that should have come with it or before it, where something stayed out.
    pub missing: Vec<MissingRun>,
    /// Of those, places that whoever made it left out because this device once said it holds them:
    /// a backup was put back here. A bundle made with `--whole` brings them.
    pub assumed: Vec<MissingRun>,
}

fn reasons<S: Serializer>(
    rejected: &BTreeMap<String, u64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(rejected.iter().filter(|(_, entries)| **entries > 0))
}

/// An area after an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImportedArea {
    /// The area.
    #[serde(flatten)]
    pub area: AreaName,
    /// Its root now.
    pub root: RootHash,
}
