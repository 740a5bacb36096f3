//! Devices that introduce themselves with an invitation.

use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::area::{AreaId, Level};
use crdt_schema::authority::{DeviceKeys, Invitation, Payload};
use crdt_schema::entry::ChainPoint;
use crdt_schema::id::{DeviceId, EntryId, FeedId};

use super::compute::AuthorityEntry;
use super::member::Grant;

/// Devices of one invitation that count at once while nobody confirmed them. An office that copies one
/// invitation onto each of its machines has so many; whoever spread the paper has more, and then none
/// counts before a person names it (ADR 0027).
pub const AT_ONCE_MAX: usize = 4;
/// Devices of one invitation that nobody confirmed which a node takes that may confirm them: a whole
/// office and all its second tries, and few enough to be read on one page.
pub const INVITED_MAX: usize = 16;

/// Who takes a device that introduces itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admits {
    /// Every node.
    All,
    /// Those that may confirm it.
    WhoConfirms,
    /// The same, of more that joined than count at once.
    OfMany,
    /// Nobody: so many wait already.
    Nobody,
}

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
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
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
    /// More devices than count at once joined with the invitation.
    pub(super) is_crowded: bool,
    /// It is one of those by which everybody learns that they are more.
    pub(super) tells: bool,
}

impl Ask {
    /// Whether its device waits for a person, with all it writes.
    pub(super) const fn waits(&self) -> bool {
        !self.at_once || self.is_crowded
    }

    /// Whether its certificate is part of what all hold.
    pub(super) const fn is_shared(&self) -> bool {
        self.at_once && (!self.is_crowded || self.tells)
    }

    /// Of several asks the lowest decides.
    pub(super) fn rank(&self) -> (bool, bool, bool, Level, AreaId, ChainPoint) {
        let area = self.grant.area;
        (self.is_void, self.waits(), !self.is_shared(), area.level(), area, self.point)
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
    let [is_void, is_crowded, tells] = [false; 3];
    let ask = Ask { grant, invitation, at_once, feed, point, is_void, is_crowded, tells };
    Some((certificate.keys, ask))
}

/// Who takes one more device of an invitation, beside those that are known of it: those that count
/// or counted at once, and all that nobody confirmed. Where more than [`AT_ONCE_MAX`] count at once none does,
/// and those with the lowest ids tell everybody so: whoever meets them in whatever order ends with
/// the same.
pub(super) fn admits(
    ask: &Ask,
    device: DeviceId,
    at_once: &BTreeSet<DeviceId>,
    unconfirmed: &BTreeSet<DeviceId>,
) -> Admits {
    if ask.at_once && at_once.range(..device).count() <= AT_ONCE_MAX {
        Admits::All
    } else if unconfirmed.len() >= INVITED_MAX {
        Admits::Nobody
    } else if ask.at_once {
        Admits::OfMany
    } else {
        Admits::WhoConfirms
    }
}
