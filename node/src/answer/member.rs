//! Networks, invitations, devices, and areas that move.

use crdt_schema::area::{AreaCode, AreaId};
use crdt_schema::id::{DeviceId, NetworkId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::basic::{AreaName, EntryRef, MemberState, When};

/// `network create`: a root statement was made and this node is its first device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NetworkCreate {
    /// The network's id.
    pub network: NetworkId,
    /// Its name, as people say it.
    pub name: String,
    /// The area of the root: a province.
    #[serde(flatten)]
    pub area: AreaName,
    /// This device.
    pub device: DeviceId,
    /// Root keys in the statement (n).
    pub keys: u8,
    /// Root keys that must sign (k, more than half of n).
    pub threshold: u8,
    /// For trials, for ever: synthetic people only.
    pub trial: bool,
}

/// `invite`: a file that lets one device join.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Invite {
    /// The invitation as text, to be read aloud, sent or shown as QR. Whoever holds it may join.
    pub invitation: String,
    /// The file it was written to, as given; empty until it is written.
    pub file: String,
    /// Where the new device will belong.
    #[serde(flatten)]
    pub area: AreaName,
    /// Its rights, in the order of the contract.
    pub rights: Vec<String>,
    /// After this a confirmer is warned; nothing else happens.
    pub expires_at: Option<When>,
    /// Where somebody of the network may be found, as multiaddresses; the file carries them.
    pub addresses: Vec<String>,
}

impl std::fmt::Debug for Invite {
    // The text holds a private key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Invite").field("area", &self.area).finish_non_exhaustive()
    }
}

/// `join`: this node has keys of its own and belongs to a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Join {
    /// The network's id.
    pub network: NetworkId,
    /// The network's name.
    pub name: String,
    /// This device.
    pub device: DeviceId,
    /// The device's eight words, to be compared by the person who confirms.
    pub words: Vec<String>,
    /// Where it belongs.
    #[serde(flatten)]
    pub area: AreaName,
    /// Its rights, in the order of the contract.
    pub rights: Vec<String>,
    /// `provisional`, or `active` for an invitation that counts at once.
    pub state: MemberState,
    /// Addresses the invitation carried: this node dials them from now on.
    pub addresses: Vec<String>,
}

/// `member list`: every device this node knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemberList {
    /// By area, then by device.
    pub members: Vec<Member>,
}

/// One device in one area.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Member {
    /// The device.
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
    /// Who certified or invited it; `None` for the provincial devices of the root statement.
    pub issuer: Option<DeviceId>,
    /// Claimed time of the certificate or invitation; `None` in the root statement.
    pub since: Option<When>,
    /// The device's eight words.
    pub words: Vec<String>,
}

/// `member confirm` and `member close`: one device's standing has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemberChange {
    /// The device.
    pub device: DeviceId,
    /// Where it belongs.
    #[serde(flatten)]
    pub area: AreaName,
    /// How it stands now.
    pub state: MemberState,
    /// The authority entry that says so.
    pub entry: EntryRef,
    /// What the confirmer should know, like `invitation_expired`; in a fixed order.
    pub warnings: Vec<String>,
}

/// `area rehome`: the area bears another code from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AreaRehome {
    /// The area's lasting id.
    pub area_id: AreaId,
    /// Its code before.
    pub old: AreaCode,
    /// Its code now.
    pub new: AreaCode,
    /// The authority entry that says so.
    pub entry: EntryRef,
}
