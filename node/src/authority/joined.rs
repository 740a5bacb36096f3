//! Devices that introduce themselves with an invitation.

use std::collections::BTreeMap;

use crdt_schema::area::{AreaId, Level};
use crdt_schema::authority::{DeviceKeys, Invitation, Payload};
use crdt_schema::entry::ChainPoint;
use crdt_schema::id::{DeviceId, EntryId, FeedId};

use super::compute::AuthorityEntry;
use super::member::Grant;

/// An invitation that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invited {
    /// The entry.
    pub entry: EntryId,
    /// Who invites.
    pub inviter: DeviceId,
    /// What it says.
    pub invitation: Invitation,
}

/// A device's own certificate, signed with the throw-away key of an invitation that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ask {
    pub(super) grant: Grant,
    pub(super) invitation: EntryId,
    /// The invitation says that open data count at once.
    pub(super) at_once: bool,
    /// Where the certificate lies.
    pub(super) feed: FeedId,
    pub(super) point: ChainPoint,
    /// It lies behind where its feed was ended, so that others need not hold it.
    pub(super) is_void: bool,
}

impl Ask {
    /// Whether its device waits for a person, with all it writes.
    pub(super) const fn waits(&self) -> bool {
        !self.at_once
    }

    /// Of several asks the lowest decides.
    pub(super) fn rank(&self) -> (bool, bool, Level, AreaId, ChainPoint) {
        let area = self.grant.area;
        (self.is_void, self.waits(), area.level(), area, self.point)
    }
}

/// What an entry asks for: its device's own certificate, as an invitation that counts allows it. It is
/// the first entry of its feed, so that a feed asks once, and nobody can write thousands to be verified.
pub(super) fn ask(
    invitations: &BTreeMap<EntryId, Invited>,
    entry: &AuthorityEntry,
) -> Option<(DeviceKeys, Ask)> {
    let Some(Payload::Certificate(certificate)) = &entry.payload else { return None };
    if entry.point.seq != 1 {
        return None;
    }
    let (invitation, signature) = certificate.invited.as_ref()?;
    let invited = invitations.get(invitation)?;
    let asked = &invited.invitation;
    let fits = certificate.keys.device() == entry.feed.device
        && certificate.area == asked.area
        && entry.feed.area == asked.area
        && asked.rights.has(certificate.rights);
    let message = certificate.invited_message(*invitation);
    if !fits || asked.key.verify(&message, signature).is_err() {
        return None;
    }
    let at_once = asked.counts_at_once;
    let rights = if at_once { certificate.rights.open_only() } else { certificate.rights };
    let grant = Grant {
        area: certificate.area,
        rights,
        limits: certificate.limits,
        issuer: Some(invited.inviter),
        since: Some(entry.point.id),
    };
    let (feed, point) = (entry.feed.id(), entry.point);
    let invitation = *invitation;
    Some((certificate.keys, Ask { grant, invitation, at_once, feed, point, is_void: false }))
}
