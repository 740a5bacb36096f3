//! One pass from the root down: which authority entries count, and what they make of devices.
//!
//! Whatever certifies, revokes or closes a device stands strictly higher, so every level is
//! settled before the next begins, and the order in which entries came cannot matter.

use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::area::{AreaId, AreaTree, CountingAlias, Level};
use crdt_schema::authority::{
    Certificate, Closing, Cut, FeedEnd, Invitation, Payload, Revocation, Rights, RootStatement,
};
use crdt_schema::entry::{ChainPoint, EntryKind};
use crdt_schema::id::{DeviceId, EntryId, FeedId, FeedName};

use super::member::{Grant, Member, MemberState};

/// An authority entry as held: verified, its payload read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityEntry {
    /// Its feed.
    pub feed: FeedName,
    /// Its place there.
    pub point: ChainPoint,
    /// The entry before it.
    pub prev: EntryId,
    /// What kind of entry.
    pub kind: EntryKind,
    /// What it builds on.
    pub deps: Vec<EntryId>,
    /// What it says; `None` when a newer build is needed, or it is malformed.
    pub payload: Option<Payload>,
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

/// A range that somebody adopted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Adopted {
    /// Of this feed.
    pub(super) feed: FeedId,
    /// From this sequence,
    pub(super) first: u64,
    /// to this entry.
    pub(super) last: ChainPoint,
    /// The area whose authority says so: it speaks of feeds of its own only.
    pub(super) area: AreaId,
    /// The level of who says so: it speaks of devices below only.
    pub(super) level: Level,
}

/// Everything the pass finds out.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub(super) members: BTreeMap<DeviceId, Member>,
    /// Aliases that count, by entry id, and the tree they make.
    pub(super) aliases: BTreeMap<EntryId, CountingAlias>,
    pub(super) tree: AreaTree,
    pub(super) invitations: BTreeMap<EntryId, Invited>,
    /// Confirmed invitations and the device each went to.
    pub(super) used: BTreeMap<EntryId, BTreeSet<DeviceId>>,
    pub(super) adopted: Vec<Adopted>,
    pub(super) update_needed: u64,
}

/// A closing, a cut or a revocation that was heard. Whether its author stands above the device it
/// is about shows only when that device's own level is reached, for only then is known what
/// certifies it.
struct Withdrawal<'a> {
    author: DeviceId,
    level: Level,
    entry: &'a AuthorityEntry,
}

/// Where feeds end; one that is not named counts for nothing.
type Ends = BTreeMap<FeedId, ChainPoint>;

pub(super) struct Pass<'a> {
    entries: BTreeMap<DeviceId, Vec<&'a AuthorityEntry>>,
    prevs: BTreeMap<EntryId, EntryId>,
    /// By the device they are about.
    withdrawals: BTreeMap<DeviceId, Vec<Withdrawal<'a>>>,
    found: Outcome,
}

const LEVELS: [Level; 4] = [Level::Provinsi, Level::Kabupaten, Level::Kecamatan, Level::Desa];

impl<'a> Pass<'a> {
    pub(super) fn run(statement: &RootStatement, entries: &'a [AuthorityEntry]) -> Outcome {
        let mut by_device: BTreeMap<DeviceId, Vec<&AuthorityEntry>> = BTreeMap::new();
        let mut prevs = BTreeMap::new();
        for entry in entries {
            by_device.entry(entry.feed.device).or_default().push(entry);
            prevs.insert(entry.point.id, entry.prev);
        }
        for entries in by_device.values_mut() {
            entries.sort_unstable_by_key(|entry| (entry.feed.area, entry.point));
        }
        let found = Outcome {
            members: BTreeMap::new(),
            aliases: BTreeMap::new(),
            tree: AreaTree::new(statement.area),
            invitations: BTreeMap::new(),
            used: BTreeMap::new(),
            adopted: Vec::new(),
            update_needed: 0,
        };
        let mut pass = Self { entries: by_device, prevs, withdrawals: BTreeMap::new(), found };
        pass.root(statement);
        for level in LEVELS {
            pass.settle(level);
            pass.hear(level);
        }
        pass.provisional();
        pass.found.update_needed =
            entries.iter().filter(|entry| entry.payload.is_none()).count() as u64;
        pass.found
    }

    fn root(&mut self, statement: &RootStatement) {
        for keys in &statement.devices {
            let grant = Grant {
                area: statement.area,
                rights: Rights::above_desa().with(Rights::ERASE),
                limits: crdt_schema::authority::Limits::default(),
                issuer: None,
                since: None,
            };
            self.found.members.insert(keys.device(), active(*keys, grant, None));
        }
    }

    /// Decides how the devices of one level stand; what is above has spoken.
    fn settle(&mut self, level: Level) {
        for device in self.devices_at(level) {
            let Some(member) = self.found.members.get(&device) else { continue };
            let Some((state, ends)) = self.withdrawn(device, &member.grants) else { continue };
            if let Some(member) = self.found.members.get_mut(&device) {
                member.state = state;
                member.ends = Some(ends);
            }
        }
    }

    /// Whether the feeds of a device end, and where: by the word of those above all it is certified
    /// for, and by its own as far as theirs leaves that standing. Of several words only what all
    /// leave counts.
    fn withdrawn(&self, device: DeviceId, grants: &[Grant]) -> Option<(MemberState, Ends)> {
        let said = self.withdrawals.get(&device).into_iter().flatten();
        let from_above = said.filter(|word| self.rules(word.author, word.level, grants));
        let (mut words, mut cuts, mut state) = (Vec::new(), Vec::new(), MemberState::Closed);
        for word in from_above {
            match &word.entry.payload {
                Some(Payload::Closing(closing)) => words.push(ends_of(&closing.ends)),
                Some(Payload::Cut(cut)) => cuts.push((word.entry.feed.area, ends_of(&cut.ends))),
                _ => state = MemberState::Revoked,
            }
        }
        if state == MemberState::Revoked {
            words.push(left_by_cuts(cuts));
        }
        let above = left_by_all(words.iter().cloned());
        words.extend(self.own_closings(device, above.as_ref()));
        Some((state, left_by_all(words)?))
    }

    fn devices_at(&self, level: Level) -> Vec<DeviceId> {
        let at = |(id, member): (&DeviceId, &Member)| (member.level() == level).then_some(*id);
        self.found.members.iter().filter_map(at).collect()
    }

    /// What a device says about its own end, where those above left that standing.
    fn own_closings(&self, device: DeviceId, above: Option<&Ends>) -> Vec<Ends> {
        let mut words = Vec::new();
        for entry in self.entries.get(&device).into_iter().flatten() {
            if let Some(Payload::Closing(closing)) = &entry.payload
                && closing.device == device
                && above.is_none_or(|ends| self.is_within(ends, entry))
            {
                // The feed it stands in ends with the closing itself, which nobody can name inside.
                let mut ends = ends_of(&closing.ends);
                ends.insert(entry.feed.id(), entry.point);
                words.push(ends);
            }
        }
        words
    }

    /// Reads what the devices of one level say about those below.
    fn hear(&mut self, level: Level) {
        let mut heard: Vec<(DeviceId, &'a AuthorityEntry)> = Vec::new();
        for device in self.devices_at(level) {
            let Some(member) = self.found.members.get(&device) else { continue };
            let entries = self.entries.get(&device).into_iter().flatten();
            let counting = entries.filter(|entry| self.counts(member, entry));
            heard.extend(counting.map(|entry| (device, *entry)));
        }
        // Three rounds, so that nothing depends on who of one level is heard first: what a level
        // places decides what it covers, and whom it certifies whom it may end.
        let aliases = heard.iter().filter_map(|(device, entry)| self.alias(*device, level, entry));
        let aliases: Vec<CountingAlias> = aliases.collect();
        self.found.aliases.extend(aliases.into_iter().map(|alias| (alias.entry, alias)));
        self.found.tree = self.found.tree.with_aliases(self.found.aliases.values());
        for (device, entry) in &heard {
            self.hear_grant(*device, level, entry);
        }
        for (device, entry) in heard {
            self.hear_withdrawal(device, level, entry);
        }
    }

    /// Whether an authority entry of `member` counts: not beyond its end, by an issuer whose area
    /// covers it.
    fn counts(&self, member: &Member, entry: &AuthorityEntry) -> bool {
        let within = member.ends.as_ref().is_none_or(|ends| self.is_within(ends, entry));
        within && self.issues(member, entry.feed.area)
    }

    /// Whether an entry lies before the end of its feed.
    fn is_within(&self, ends: &Ends, entry: &AuthorityEntry) -> bool {
        ends.get(&entry.feed.id()).is_some_and(|end| self.reaches(*end, entry.point))
    }

    fn issues(&self, member: &Member, area: AreaId) -> bool {
        let mut grants = member.grants.iter().filter(|grant| grant.rights.has(Rights::ISSUE));
        grants.any(|grant| self.found.tree.ever_covered(grant.area, area))
    }

    /// Whether walking back from `end` meets `point`.
    fn reaches(&self, end: ChainPoint, point: ChainPoint) -> bool {
        let mut at = end;
        while at.seq > point.seq {
            let Some(prev) = self.prevs.get(&at.id) else { return false };
            at = ChainPoint { seq: at.seq - 1, id: *prev };
        }
        at == point
    }

    fn hear_grant(&mut self, device: DeviceId, level: Level, entry: &AuthorityEntry) {
        match &entry.payload {
            Some(Payload::Certificate(certificate)) if certificate.invited.is_none() => {
                self.grant(device, level, entry, certificate, None);
            }
            Some(Payload::Confirmation(confirmation)) => {
                let invitation = confirmation.invitation;
                let confirmed = confirmation.certificate.keys.device();
                if self.grant(device, level, entry, &confirmation.certificate, Some(invitation)) {
                    self.found.used.entry(invitation).or_default().insert(confirmed);
                }
            }
            Some(Payload::Invitation(invitation)) if self.below(device, level, invitation.area) => {
                let entry = entry.point.id;
                let invited = Invited { entry, inviter: device, invitation: invitation.clone() };
                self.found.invitations.insert(entry, invited);
            }
            _ => {}
        }
    }

    fn hear_withdrawal(&mut self, author: DeviceId, level: Level, entry: &'a AuthorityEntry) {
        let other = match &entry.payload {
            Some(
                Payload::Closing(Closing { device: other, .. })
                | Payload::Cut(Cut { device: other, .. })
                | Payload::Revocation(Revocation { device: other, .. }),
            ) => *other,
            Some(Payload::Adoption(adoption)) => {
                // Whose feeds these are shows when one of them is asked about: here are ids alone.
                let area = entry.feed.area;
                let ranges = adoption.ranges.iter().copied();
                let adopted =
                    ranges.map(|(feed, first, last)| Adopted { feed, first, last, area, level });
                return self.found.adopted.extend(adopted);
            }
            _ => return,
        };
        // A device's own word is heard where it is settled.
        if other != author {
            let word = Withdrawal { author, level, entry };
            self.withdrawals.entry(other).or_default().push(word);
        }
    }

    /// Gives a grant when the issuer stands above; a device once certified elsewhere keeps both.
    fn grant(
        &mut self,
        issuer: DeviceId,
        level: Level,
        entry: &AuthorityEntry,
        certificate: &Certificate,
        invitation: Option<EntryId>,
    ) -> bool {
        if certificate.area != entry.feed.area || !self.below(issuer, level, certificate.area) {
            return false;
        }
        let grant = Grant {
            area: certificate.area,
            rights: certificate.rights,
            limits: certificate.limits,
            issuer: Some(issuer),
            since: Some(entry.point.id),
        };
        let device = certificate.keys.device();
        match self.found.members.get_mut(&device) {
            None => {
                self.found.members.insert(device, active(certificate.keys, grant, invitation));
            }
            Some(member) => member.grants.push(grant),
        }
        true
    }

    /// Whether `area` lies strictly below the device's own level and within what it covers.
    fn below(&self, device: DeviceId, level: Level, area: AreaId) -> bool {
        let member = self.found.members.get(&device);
        area.level() > level && member.is_some_and(|member| self.issues(member, area))
    }

    /// Whether a device may end another that holds these grants: strictly higher than all of them,
    /// and covering them. What nobody above ever certified is not asked, for anyone may write it.
    fn rules(&self, device: DeviceId, level: Level, grants: &[Grant]) -> bool {
        let Some(member) = self.found.members.get(&device) else { return false };
        grants.iter().all(|grant| grant.area.level() > level && self.issues(member, grant.area))
    }

    /// An alias counts when its author stands above the area and above both parents, as the levels
    /// above left them.
    fn alias(
        &self,
        device: DeviceId,
        level: Level,
        entry: &AuthorityEntry,
    ) -> Option<CountingAlias> {
        let Some(Payload::Alias(alias)) = &entry.payload else { return None };
        let member = self.found.members.get(&device)?;
        let mut parents = self.found.tree.parent(alias.area).into_iter().chain([alias.parent]);
        let above_both = parents.all(|parent| {
            self.issues(member, parent) && (parent.level() > level || self.is_own(device, parent))
        });
        let counts = above_both && self.below(device, level, alias.area);
        counts.then(|| CountingAlias {
            entry: entry.point.id,
            author: level,
            replaces: entry.deps.clone(),
            alias: alias.clone(),
        })
    }

    /// Whether the parent is the author's own area: it may rename what lies directly below.
    fn is_own(&self, device: DeviceId, parent: AreaId) -> bool {
        let member = self.found.members.get(&device);
        member.is_some_and(|member| member.grants.iter().any(|grant| grant.area == parent))
    }

    /// Devices that wrote their own certificate with a throw-away key and wait, or count at once
    /// until a closing names where they end.
    fn provisional(&mut self) {
        let mut members = Vec::new();
        for (device, entries) in &self.entries {
            if self.found.members.contains_key(device) {
                continue;
            }
            let member = entries.iter().find_map(|entry| waiting(&self.found.invitations, entry));
            members.extend(member.map(|member| (*device, member)));
        }
        for (device, mut member) in members {
            if member.open_only
                && let Some((state, ends)) = self.withdrawn(device, &member.grants)
            {
                member.state = state;
                member.ends = Some(ends);
            }
            self.found.members.insert(device, member);
        }
    }
}

fn ends_of(named: &[FeedEnd]) -> Ends {
    named.iter().map(|end| (end.feed, end.last)).collect()
}

/// Of several words about one feed the one that ends it lowest, and nothing of a feed that one of them
/// does not name (ADR 0025); `None` without any.
fn left_by_all(words: impl IntoIterator<Item = Ends>) -> Option<Ends> {
    words.into_iter().reduce(|mut left, word| {
        left.retain(|feed, end| match word.get(feed) {
            Some(last) => {
                *end = (*end).min(*last);
                true
            }
            None => false,
        });
        left
    })
}

/// Cuts complete each other across areas and narrow each other within one; without any nothing is
/// left.
fn left_by_cuts(cuts: Vec<(AreaId, Ends)>) -> Ends {
    let mut by_area: BTreeMap<AreaId, Vec<Ends>> = BTreeMap::new();
    for (area, ends) in cuts {
        by_area.entry(area).or_default().push(ends);
    }
    let mut left = Ends::new();
    for (feed, end) in by_area.into_values().filter_map(left_by_all).flatten() {
        let least = left.entry(feed).or_insert(end);
        *least = (*least).min(end);
    }
    left
}

/// What an entry makes of its device when it is that device's own certificate, signed with the
/// throw-away key of an invitation that counts.
pub(super) fn waiting(
    invitations: &BTreeMap<EntryId, Invited>,
    entry: &AuthorityEntry,
) -> Option<Member> {
    let Some(Payload::Certificate(certificate)) = &entry.payload else { return None };
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
    let (state, rights) = if asked.counts_at_once {
        (MemberState::Active, certificate.rights.open_only())
    } else {
        (MemberState::Provisional, certificate.rights)
    };
    let grant = Grant {
        area: certificate.area,
        rights,
        limits: certificate.limits,
        issuer: Some(invited.inviter),
        since: Some(entry.point.id),
    };
    let member = active(certificate.keys, grant, Some(*invitation));
    Some(Member { state, open_only: asked.counts_at_once, ..member })
}

fn active(
    keys: crdt_schema::authority::DeviceKeys,
    grant: Grant,
    invitation: Option<EntryId>,
) -> Member {
    let state = MemberState::Active;
    Member { keys, state, grants: vec![grant], invitation, open_only: false, ends: None }
}
