//! How things stand: status, roots, verification, and what the demo ends with.

use std::collections::BTreeMap;

use crdt_schema::area::AreaCode;
use crdt_schema::id::{DeviceId, EntryId, FeedId, NetworkId, StoreInstance};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::basic::{AreaName, MemberState, RootHash, Traffic, When};
use super::describe::AreaEntry;

/// `status`: one node at a glance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// The network's id.
    pub network: NetworkId,
    /// The network's name.
    pub name: String,
    /// For trials, for ever: synthetic people only.
    pub trial: bool,
    /// This device.
    pub device: DeviceId,
    /// Where it belongs.
    #[serde(flatten)]
    pub area: AreaName,
    /// Its rights, in the order of the contract.
    pub rights: Vec<String>,
    /// How it stands.
    pub state: MemberState,
    /// It counts at once and nobody confirmed it: of what it writes only open data counts.
    pub open_only: bool,
    /// The program's version.
    pub version: String,
    /// Whether a node runs on this folder now.
    pub running: bool,
    /// Records that count.
    pub records: u64,
    /// Entries held, of both spaces.
    pub entries: u64,
    /// Feeds held, of both spaces.
    pub feeds: u64,
    /// Records that wait for an entry not held.
    pub waiting_deps: u64,
    /// Records whose changes weigh so much that they are set aside, and shown without values.
    pub set_aside: u64,
    /// Records written only by devices that wait for their confirmation.
    pub waiting_confirmation: u64,
    /// Entries held that do not count.
    pub quarantined: u64,
    /// Of those, entries of records that this device wrote: no receipt will ever name them.
    pub uncounted: u64,
    /// Of those, what it wrote in an area that has moved away from it: that is kept until somebody above
    /// adopts it.
    pub awaiting_adoption: u64,
    /// Fields with two values or more, of records that count.
    pub conflicts: u64,
    /// The files.
    pub store: StoreStatus,
    /// The clock.
    pub clock: Clock,
    /// Feeds with two entries at one place, by feed and place.
    pub forks: Vec<ForkSeen>,
    /// Invitations that several devices joined with, by area and entry: one of them leaked.
    pub shared_invitations: Vec<SharedInvitation>,
    /// Codes that several areas bear today: whoever stands above them gives one another code.
    pub shared_codes: Vec<SharedCode>,
    /// Areas that two who had not heard of each other gave a code, or a place, each: one counts until
    /// whoever stands above decides.
    pub contested_areas: Vec<AreaEntry>,
    /// Peers known, by device.
    pub peers: Vec<PeerSeen>,
    /// Sessions since the node started, the newest first, at most 16; none where no node runs.
    pub sessions: Vec<SessionSeen>,
    /// Addresses that are dialled and do not let this node in, by address; none where no node runs.
    pub refused: Vec<Refusal>,
    /// What is known to have arrived above, from receipts only; nearest level first.
    pub arrived: Vec<Arrived>,
}

/// A code is one area's, and several bear this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SharedCode {
    /// The code.
    pub code: AreaCode,
    /// Who bears it, by id.
    pub areas: Vec<AreaEntry>,
}

/// An invitation is for one device, and several joined with this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SharedInvitation {
    /// The entry that invites.
    pub invitation: EntryId,
    /// Where it invites to.
    #[serde(flatten)]
    pub area: AreaName,
    /// Whoever joins with it counts at once.
    pub counts_at_once: bool,
    /// Who joined with it, confirmed or not, ascending.
    pub devices: Vec<DeviceId>,
}

/// The store of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StoreStatus {
    /// This store's life; a copy takes a new one.
    pub instance: StoreInstance,
    /// Its format.
    pub format: u32,
    /// Bytes on the disk, truth and views together.
    pub bytes: u64,
    /// Bytes the disk has left; `None` where the system does not say.
    pub free: Option<u64>,
    /// What there is room for.
    pub takes: Takes,
}

/// What a node takes in while its disk fills: carrying for others ends first, own saves last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Takes {
    /// Whatever its certificates let it hold.
    #[default]
    Everything,
    /// Own saves and what comes for the areas it reads or writes in.
    OwnArea,
    /// Own saves, and nothing else.
    OwnSaves,
}

/// What is thought of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Clock {
    /// False when it cannot be right: before this program was built, or far from its peers'.
    pub plausible: bool,
}

/// A feed that was written twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ForkSeen {
    /// The feed.
    pub feed: FeedId,
    /// The first place with two entries.
    pub seq: u64,
    /// The entries at that place, ascending.
    pub ids: Vec<EntryId>,
    /// Whose feed it is.
    pub device: DeviceId,
    /// Where the branches came from, each place once, in the order of the ids.
    pub places: Vec<ForkPlace>,
}

/// Where a branch was first seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ForkPlace {
    /// `peer` or `bundle`.
    pub via: String,
    /// The peer's device, which is this node's own for what was written here; or the bundle's file
    /// name.
    pub name: String,
    /// By this node's clock.
    pub seen_at: Option<When>,
}

/// What is known of a peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PeerSeen {
    /// The peer's device.
    pub device: DeviceId,
    /// Where it belongs.
    #[serde(flatten)]
    pub area: AreaName,
    /// Where it was reached; `None` if only by bundle.
    pub address: Option<String>,
    /// Whether a connection is open.
    pub connected: bool,
    /// By this node's clock.
    pub last_contact: Option<When>,
    /// Whether the newest session proved equal roots; `None` if there was none.
    pub equal: Option<bool>,
}

/// One comparison with a peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionSeen {
    /// The peer's device.
    pub device: DeviceId,
    /// Where it belongs.
    #[serde(flatten)]
    pub area: AreaName,
    /// When it ended, by this node's clock.
    pub at: Option<When>,
    /// Whether both proved the same roots.
    pub equal: bool,
    /// What came.
    pub received: Traffic,
    /// What went.
    pub sent: Traffic,
    /// Trips there and back.
    pub rounds: u32,
    /// `done`, or why it was cut short: a word of the list in `docs/protocol.md`.
    pub ended: String,
}

/// An address that does not let this node in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    /// As it is dialled.
    pub address: String,
    /// Why: as the event `peer_refused` tells it.
    pub reason: String,
    /// When to come again, as it said at the newest attempt; `None` if it did not.
    pub wait_seconds: Option<u16>,
    /// Since when, by this node's clock.
    pub since: When,
}

/// `peer list`: whom this node met, and whom it is to dial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PeerList {
    /// By device.
    pub peers: Vec<PeerSeen>,
    /// Addresses somebody named.
    pub addresses: Vec<String>,
}

/// How far what was written here has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Arrived {
    /// `kecamatan`, `kabupaten` or `provinsi`.
    pub at: String,
    /// The hub whose receipt it is.
    pub device: DeviceId,
    /// Entries this device wrote, without those that are quarantined.
    pub mine: u64,
    /// Of those, how many the receipt covers; at most `mine`.
    pub held: u64,
    /// `mine` less `held`.
    pub missing: u64,
    /// Claimed time of the oldest entry the receipt does not cover.
    pub oldest_missing: Option<When>,
    /// This node's clock at its newest arrival that the receipt covers in full.
    pub complete_as_of: Option<When>,
}

/// `root`: one area's root over the heads that count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Root {
    /// The area.
    #[serde(flatten)]
    pub area: AreaName,
    /// Equal on two nodes exactly if they hold the same counting heads.
    pub root: RootHash,
    /// The root's six words, from the newest receipt this node holds for the area that names this
    /// root; `None` where none does.
    pub words: Option<Vec<String>>,
    /// That receipt's device and counter.
    pub moment: Option<Moment>,
    /// Feeds under the root.
    pub feeds: u64,
    /// Entries under the root.
    pub entries: u64,
    /// Root over the area's authority; roots of records compare only under equal ones.
    pub authority: RootHash,
    /// Why there are no words: receipts are held, and all speak of another moment.
    pub other_moment: bool,
}

/// One receipt, by who wrote it and its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Moment {
    /// The device that wrote it.
    pub device: DeviceId,
    /// Its counter.
    pub counter: u64,
}

/// `verify`: everything at rest was read and checked again.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verify {
    /// Nothing wrong.
    pub ok: bool,
    /// Feeds read.
    pub feeds: u64,
    /// Entries read.
    pub entries: u64,
    /// Signatures checked.
    pub signatures: u64,
    /// Certificates found good.
    pub certificates: u64,
    /// Sections whose bytes are gone under a release.
    pub payloads_dropped: u64,
    /// Feeds with two heads or more: reported, not damage.
    pub forks: u64,
    /// Whether the views are what the entries say.
    pub views_equal: bool,
    /// What is wrong, by feed and place.
    pub damage: Vec<Damage>,
    /// How long it took.
    pub seconds: f64,
}

/// One place at rest that is not what was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Damage {
    /// The feed, where it is known.
    pub feed: Option<FeedId>,
    /// Whose feed, where it is known.
    pub device: Option<DeviceId>,
    /// The feed's area, today's code.
    pub area: Option<AreaCode>,
    /// The place in it, where it is known: the first that cannot be relied on.
    pub seq: Option<u64>,
    /// The last such place.
    pub to: Option<u64>,
    /// What was found, in English, without any personal value.
    pub what: String,
}

impl Damage {
    /// Whether a file of this device's keys is damaged: the stores may be whole.
    pub fn is_of_keys(&self) -> bool {
        self.feed.is_none() && self.what.starts_with("keys/")
    }
}

/// `demo --once`: what a small mesh did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Demo {
    /// Where the nodes' folders are or were.
    pub folder: String,
    /// The area they all share: the kecamatan.
    #[serde(flatten)]
    pub area: AreaName,
    /// From the province down.
    pub nodes: Vec<DemoNode>,
    /// What became of the edits made apart.
    pub conflicts: DemoConflicts,
    /// The village that was carried by bundle.
    pub cut: DemoCut,
    /// Bytes that went over sockets.
    pub wire_bytes: u64,
    /// Bytes that went by bundle, each import counted.
    pub bundle_bytes: u64,
    /// Every node proved the same root.
    pub equal: bool,
    /// How long it took.
    pub seconds: f64,
}

/// One node of the demo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DemoNode {
    /// What the demo calls it.
    pub name: String,
    /// `provinsi`, `kabupaten`, `kecamatan` or `desa`.
    pub level: String,
    /// Where it belongs.
    #[serde(flatten)]
    pub area: AreaName,
    /// Its device.
    pub device: DeviceId,
    /// The process it ran in; one for all where all were opened in this process.
    pub pid: u32,
    /// Its folder.
    pub data: String,
    /// Records that count.
    pub records: u64,
    /// Entries held.
    pub entries: u64,
    /// Its root of the shared area.
    pub root: RootHash,
    /// The root's six words, once a hub's receipt names it.
    pub words: Option<Vec<String>>,
}

/// Conflicts of the demo.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DemoConflicts {
    /// How many were made on purpose.
    pub made: u64,
    /// How many each node saw after the exchange.
    pub seen_by: BTreeMap<String, u64>,
    /// How many are left after they were settled, summed over the nodes.
    pub left: u64,
}

/// The node that never had a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DemoCut {
    /// Its name.
    pub node: String,
    /// Connections it had.
    pub connections: u64,
    /// The bundle files that carried it, by name.
    pub bundles: Vec<String>,
}
