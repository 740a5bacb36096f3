//! Devices as the authority entries make them.

use crdt_schema::area::{AreaId, Level};
use crdt_schema::authority::{DeviceKeys, Limits, Rights};
use crdt_schema::id::{DeviceId, EntryId};

/// How a device stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MemberState {
    /// Counts.
    Active,
    /// Joined with an invitation and waits for a person's word.
    Provisional,
    /// Ended by agreement.
    Closed,
    /// Its rights were withdrawn.
    Revoked,
}

impl MemberState {
    /// The word in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Provisional => "provisional",
            Self::Closed => "closed",
            Self::Revoked => "revoked",
        }
    }
}

/// One certificate that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Where, and in all below.
    pub area: AreaId,
    /// What.
    pub rights: Rights,
    /// Beyond its rights.
    pub limits: Limits,
    /// Who certified; `None` is the root statement.
    pub issuer: Option<DeviceId>,
    /// The entry; `None` is the root statement.
    pub since: Option<EntryId>,
}

/// A device, as lists show it: over all areas it is certified for. What of its feeds counts in an area
/// is decided there (ADR 0026).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its three keys.
    pub keys: DeviceKeys,
    /// How it stands where it stands best.
    pub state: MemberState,
    /// What it may do; for a provisional device what it asked for.
    pub grants: Vec<Grant>,
    /// The invitation it joined with.
    pub invitation: Option<EntryId>,
    /// Its invitation counts at once and nobody confirmed it: of its records only what is open
    /// counts, the rest waits.
    pub open_only: bool,
}

impl Member {
    /// The highest level it holds a grant at.
    pub fn level(&self) -> Level {
        self.grants.iter().map(|grant| grant.area.level()).min().unwrap_or(Level::Desa)
    }

    /// The area of its first grant, which is what lists show.
    pub fn area(&self) -> Option<AreaId> {
        self.grants.iter().map(|grant| grant.area).min_by_key(|area| (area.level(), *area))
    }

    /// All its rights, wherever they hold.
    pub fn rights(&self) -> Rights {
        self.grants.iter().fold(Rights::NONE, |rights, grant| rights.with(grant.rights))
    }
}
