//! Devices, areas and peers.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Ask;
use crate::answer::{AreaList, AreaRehome, AreaShow, Invite, MemberChange, MemberList, PeerList};
use crate::error::NodeError;
use crate::node::{InviteAsk, Node};
use crate::progress::Progress;

/// `invite`: writes an invitation for one new device. The answer holds its secret.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteDevice {
    /// Code of the area the new device will belong to.
    pub area: String,
    /// Its rights, apart by commas; left out, those of its level.
    #[serde(default)]
    pub rights: Option<String>,
    /// Milliseconds after which the person who confirms is warned.
    #[serde(default = "week")]
    pub expires_ms: i64,
    /// What the device writes counts before it is confirmed; open data only.
    #[serde(default)]
    pub counts_at_once: bool,
    /// Where the new device finds somebody, multiaddrs; none: where this node and the hubs above it
    /// are known to be.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// Where the invitation is written, on the node's machine.
    pub file: PathBuf,
}

const fn week() -> i64 {
    7 * 86_400_000
}

impl Ask for InviteDevice {
    type Answer = Invite;
    const PATH: &'static str = "invite";
    const CHANGES: bool = true;

    fn put(self, node: &mut Node, _: &mut dyn Progress) -> Result<Invite, NodeError> {
        let ask = InviteAsk {
            area: self.area,
            rights: self.rights,
            expires_ms: self.expires_ms,
            counts_at_once: self.counts_at_once,
            addresses: self.addresses,
        };
        node.invite(&ask, &self.file)
    }

    fn files(&mut self) -> Vec<&mut PathBuf> {
        vec![&mut self.file]
    }
}

/// `member list`: every device this node knows.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListMembers {}

impl Ask for ListMembers {
    type Answer = MemberList;
    const PATH: &'static str = "member/list";
    const CHANGES: bool = false;

    fn put(self, node: &mut Node, _: &mut dyn Progress) -> Result<MemberList, NodeError> {
        node.members()
    }
}

/// `member confirm`: certifies a device that joined by an invitation.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmMember {
    /// The device's full id or its eight words, which a person has compared.
    pub device: String,
}

impl Ask for ConfirmMember {
    type Answer = MemberChange;
    const PATH: &'static str = "member/confirm";
    const CHANGES: bool = true;

    fn put(self, node: &mut Node, _: &mut dyn Progress) -> Result<MemberChange, NodeError> {
        node.confirm(&self.device)
    }
}

/// `member close`: what the device wrote until now goes on counting, nothing after.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseMember {
    /// The device's full id or its eight words; left out, this device closes itself.
    #[serde(default)]
    pub device: Option<String>,
}

impl Ask for CloseMember {
    type Answer = MemberChange;
    const PATH: &'static str = "member/close";
    const CHANGES: bool = true;

    fn put(self, node: &mut Node, _: &mut dyn Progress) -> Result<MemberChange, NodeError> {
        let device = self.device.unwrap_or_else(|| node.device().to_string());
        node.close_member(&device)
    }
}

/// `area show`: one area, what lies above it and directly below.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowArea {
    /// Its code, today's or a former one.
    pub code: String,
}

impl Ask for ShowArea {
    type Answer = AreaShow;
    const PATH: &'static str = "area/show";
    const CHANGES: bool = false;

    fn put(self, node: &mut Node, _: &mut dyn Progress) -> Result<AreaShow, NodeError> {
        node.area_show(&self.code)
    }
}

/// `area list`: areas in order of today's codes.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAreas {
    /// Only this area and all below it, by code.
    #[serde(default)]
    pub under: Option<String>,
}

impl Ask for ListAreas {
    type Answer = AreaList;
    const PATH: &'static str = "area/list";
    const CHANGES: bool = false;

    fn put(self, node: &mut Node, _: &mut dyn Progress) -> Result<AreaList, NodeError> {
        node.area_list(self.under.as_deref())
    }
}

/// `area rehome`: gives an area another code; by the authority above both.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RehomeArea {
    /// Today's code.
    pub old: String,
    /// The code from now on.
    pub new: String,
}

impl Ask for RehomeArea {
    type Answer = AreaRehome;
    const PATH: &'static str = "area/rehome";
    const CHANGES: bool = true;

    fn put(self, node: &mut Node, _: &mut dyn Progress) -> Result<AreaRehome, NodeError> {
        node.rehome(&self.old, &self.new)
    }
}

/// `peer list`: whom this node met, and whom it is to dial.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListPeers {}

impl Ask for ListPeers {
    type Answer = PeerList;
    const PATH: &'static str = "peer/list";
    const CHANGES: bool = false;

    fn put(self, node: &mut Node, _: &mut dyn Progress) -> Result<PeerList, NodeError> {
        node.peer_list()
    }
}

/// `peer add`: dials this address from now on.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddPeer {
    /// A multiaddress, best with `/p2p/` and the peer's key.
    pub address: String,
}

impl Ask for AddPeer {
    type Answer = PeerList;
    const PATH: &'static str = "peer/add";
    const CHANGES: bool = true;

    fn put(self, node: &mut Node, _: &mut dyn Progress) -> Result<PeerList, NodeError> {
        node.peer_add(&self.address)
    }
}

/// `peer remove`: no longer dials a device, or an address.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemovePeer {
    /// The device's id or a beginning of it, or an address as it was added.
    pub peer: String,
}

impl Ask for RemovePeer {
    type Answer = PeerList;
    const PATH: &'static str = "peer/remove";
    const CHANGES: bool = true;

    fn put(self, node: &mut Node, _: &mut dyn Progress) -> Result<PeerList, NodeError> {
        node.peer_remove(&self.peer)
    }
}
