//! Certificates, revocations and placements folded into one answer: what may this device do, and
//! up to where do its feeds count.
//!
//! Pure, and a function of the held authority entries alone: `compute.rs` makes one pass from the
//! root down, `member.rs` is what it makes of a device.

mod compute;
mod member;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::area::{AreaId, AreaTree, CountingAlias, Level};
use crdt_schema::authority::{Rights, SignedStatement};
use crdt_schema::entry::{ChainPoint, SigningPublic};
use crdt_schema::id::{DeviceId, EntryId, FeedId, FeedName, NetworkId, Space};

use compute::Adopted;
pub use compute::{AuthorityEntry, Invited};
pub use member::{Grant, Member, MemberState};

/// How a feed stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// All of it counts.
    Counts,
    /// It counts up to and with this entry; [`ChainPoint::START`]: nothing of it.
    CountsUntil(ChainPoint),
    /// Its device counts at once, unconfirmed: of it only what is open counts, and the rest waits;
    /// with an end nothing behind that counts either.
    OpenCounts(Option<ChainPoint>),
    /// Its device waits for confirmation: a layer of its own.
    Provisional,
    /// Its device is known and has no right to write here.
    Outside,
    /// No certificate names its device: not taken.
    Unknown,
}

/// What all held authority entries say together.
#[derive(Debug, Clone)]
pub struct Authority {
    statement: SignedStatement,
    network: NetworkId,
    found: compute::Outcome,
}

impl Authority {
    /// Computes everything anew: linear in the entries.
    pub fn compute(statement: SignedStatement, entries: &[AuthorityEntry]) -> Self {
        let found = compute::Pass::run(statement.statement(), entries);
        let network = statement.statement().network();
        Self { statement, network, found }
    }

    /// The network.
    pub const fn network(&self) -> NetworkId {
        self.network
    }

    /// What the province said.
    pub const fn statement(&self) -> &SignedStatement {
        &self.statement
    }

    /// Today's tree, and where every area ever lay.
    pub const fn tree(&self) -> &AreaTree {
        &self.found.tree
    }

    /// Every alias of an area that counts, those that stand first.
    pub fn aliases_of(&self, area: AreaId) -> Vec<EntryId> {
        let standing = self.found.tree.standing_aliases(area);
        let of_area = self.found.aliases.values().filter(|it| it.alias.area == area);
        let replaced = of_area.map(|it| it.entry).filter(|entry| !standing.contains(entry));
        standing.iter().copied().chain(replaced).collect()
    }

    /// The alias that says where an area lies today; `None` where the table does.
    pub fn alias(&self, area: AreaId) -> Option<&CountingAlias> {
        self.found.aliases.get(self.found.tree.standing_aliases(area).first()?)
    }

    /// Whether the areas lie as another authority of this network says.
    pub fn has_tree_of(&self, other: &Self) -> bool {
        self.found.aliases == other.found.aliases
    }

    /// Whether a device is to both what it is to the other: where their trees are the same, its feeds
    /// stand alike.
    pub fn knows_as(&self, other: &Self, device: &DeviceId) -> bool {
        self.member(device) == other.member(device)
    }

    /// Feeds of which not the same was adopted under another authority.
    pub fn adopted_otherwise(&self, other: &Self) -> BTreeSet<FeedId> {
        let [mine, theirs] =
            [self, other].map(|it| it.found.adopted.iter().collect::<BTreeSet<_>>());
        mine.symmetric_difference(&theirs).map(|adopted| adopted.feed).collect()
    }

    /// Every device, ascending by id.
    pub fn members(&self) -> impl Iterator<Item = (&DeviceId, &Member)> {
        self.found.members.iter()
    }

    /// One device.
    pub fn member(&self, device: &DeviceId) -> Option<&Member> {
        self.found.members.get(device)
    }

    /// Invitations that count.
    pub const fn invitations(&self) -> &BTreeMap<EntryId, Invited> {
        &self.found.invitations
    }

    /// The devices that were confirmed for an invitation; more than one never happens by accident.
    pub fn used_by(&self, invitation: &EntryId) -> Option<&BTreeSet<DeviceId>> {
        self.found.used.get(invitation)
    }

    /// What of a feed was adopted, by the authority of its own area and by somebody above its device
    /// (ADR 0023): first sequence, the entry at the last. Ascending.
    pub fn adopted(&self, name: &FeedName) -> BTreeSet<(u64, ChainPoint)> {
        let Some(member) = self.member(&name.device) else { return BTreeSet::new() };
        let (feed, level) = (name.id(), member.level());
        let counts = |it: &&Adopted| it.feed == feed && it.area == name.area && it.level < level;
        self.found.adopted.iter().filter(counts).map(|it| (it.first, it.last)).collect()
    }

    /// Entries of a feed that authority names: where it ends, and what was adopted last. They are taken
    /// whatever else of the feed is held (ADR 0024).
    pub fn named(&self, name: &FeedName) -> BTreeSet<ChainPoint> {
        let end = match self.standing(name) {
            Standing::CountsUntil(end) | Standing::OpenCounts(Some(end)) => Some(end),
            Standing::Counts
            | Standing::OpenCounts(None)
            | Standing::Provisional
            | Standing::Outside
            | Standing::Unknown => None,
        };
        let end = end.filter(|end| *end != ChainPoint::START);
        end.into_iter().chain(self.adopted(name).into_iter().map(|(_, last)| last)).collect()
    }

    /// Authority entries this build cannot read: carried, and an update is needed.
    pub const fn update_needed(&self) -> u64 {
        self.found.update_needed
    }

    /// What an entry of a device nobody knows makes of it: its own certificate, under an invitation
    /// that counts, lets it wait for confirmation, or count at once.
    pub fn would_join(&self, entry: &AuthorityEntry) -> Option<MemberState> {
        if self.found.members.contains_key(&entry.feed.device) {
            return None;
        }
        compute::waiting(&self.found.invitations, entry).map(|member| member.state)
    }

    /// The key heads of this device's feeds are signed with; `None` for a device nobody certified.
    pub fn signing_key(&self, device: &DeviceId) -> Option<SigningPublic> {
        self.member(device).map(|member| member.keys.signing)
    }

    /// Whether a device that is active may do something in an area.
    pub fn may(&self, device: &DeviceId, right: Rights, area: AreaId) -> bool {
        let Some(member) = self.member(device) else { return false };
        member.state == MemberState::Active && self.has(member, right, area)
    }

    fn has(&self, member: &Member, right: Rights, area: AreaId) -> bool {
        let granted = |grant: &&Grant| grant.rights.has(right);
        let mut grants = member.grants.iter().filter(granted);
        grants.any(|grant| self.found.tree.ever_covered(grant.area, area))
    }

    /// The areas whose records a device holds, with all below: its own, and today's parent where it
    /// carries that. Provisional devices are served authority alone.
    pub fn interest(&self, device: &DeviceId) -> BTreeSet<AreaId> {
        let Some(member) = self.member(device) else { return BTreeSet::new() };
        if !matches!(member.state, MemberState::Active | MemberState::Provisional) {
            return BTreeSet::new();
        }
        self.granted(member)
    }

    /// The areas a session with a device is about: what it holds, or once held. With one that is
    /// closed or revoked only authority is compared, so that it learns how it stands.
    pub fn reach(&self, device: &DeviceId) -> BTreeSet<AreaId> {
        self.member(device).map(|member| self.placed(member)).unwrap_or_default()
    }

    /// Areas a device's certificates are about, whatever they allow: also one that may only write
    /// must learn that it was confirmed.
    fn placed(&self, member: &Member) -> BTreeSet<AreaId> {
        let mut areas = self.granted(member);
        areas.extend(member.grants.iter().map(|grant| grant.area));
        areas
    }

    /// Areas a device's certificates let it hold, however it stands today.
    fn granted(&self, member: &Member) -> BTreeSet<AreaId> {
        let mut areas = BTreeSet::new();
        for grant in member.grants.iter().filter(|grant| grant.rights.may_hold()) {
            areas.insert(grant.area);
            if grant.rights.has(Rights::CARRY_PARENT) {
                areas.extend(self.found.tree.parent(grant.area));
            }
        }
        areas
    }

    /// Whether a device may be given what lies in an area.
    pub fn may_serve(&self, device: &DeviceId, space: Space, area: AreaId) -> bool {
        let Some(member) = self.member(device) else { return false };
        match space {
            Space::Records => {
                let interest = self.interest(device);
                member.state == MemberState::Active
                    && interest.iter().any(|held| self.found.tree.ever_covered(*held, area))
            }
            Space::Authority => self.may_learn(device, area),
        }
    }

    /// Whether rows of a store about an area are worth keeping, given who said that the store is
    /// theirs: a device that counts, belongs above the desa and holds the area. So no more are kept
    /// than hubs have areas, whatever anybody makes up.
    pub fn speaks_for_its_store(&self, keepers: &[DeviceId], area: AreaId) -> bool {
        let is_above = |device| self.member(device).is_some_and(|it| it.level() < Level::Desa);
        let holds = |device: &DeviceId| self.may_serve(device, Space::Records, area);
        keepers.iter().any(|device| is_above(device) && holds(device))
    }

    /// Whether a device that waits for its confirmation would hold an area's records after it.
    pub fn asked_for(&self, device: &DeviceId, area: AreaId) -> bool {
        let waits = |member: &&Member| member.state == MemberState::Provisional;
        self.member(device).filter(waits).is_some_and(|member| {
            self.granted(member).iter().any(|held| self.found.tree.ever_covered(*held, area))
        })
    }

    /// Whether a device goes on taking the authority of an area when somebody brings it: also one
    /// that is closed or revoked as far as it knows, for whoever ended it may have been ended.
    pub fn may_learn(&self, device: &DeviceId, area: AreaId) -> bool {
        let member = self.member(device);
        member.is_some_and(|member| self.is_authority_of(&self.placed(member), area))
    }

    /// Whether the authority in `area` is part of that of one of `held`.
    fn is_authority_of(&self, held: &BTreeSet<AreaId>, area: AreaId) -> bool {
        let tree = &self.found.tree;
        held.iter()
            .any(|held| tree.ever_covered(*held, area) || tree.ever_above(*held).contains(&area))
    }

    /// How a feed stands.
    pub fn standing(&self, name: &FeedName) -> Standing {
        let standing = self.standing_in_full(name);
        let open_only = self.member(&name.device).is_some_and(|member| member.open_only);
        if !open_only || name.space == Space::Authority {
            return standing;
        }
        match standing {
            Standing::Counts => Standing::OpenCounts(None),
            Standing::CountsUntil(end) => Standing::OpenCounts(Some(end)),
            Standing::OpenCounts(_)
            | Standing::Provisional
            | Standing::Outside
            | Standing::Unknown => standing,
        }
    }

    /// How a feed stands, whatever is in it.
    fn standing_in_full(&self, name: &FeedName) -> Standing {
        let Some(member) = self.member(&name.device) else { return Standing::Unknown };
        if !self.may_write(member, name) {
            return Standing::Outside;
        }
        if member.state == MemberState::Provisional {
            return Standing::Provisional;
        }
        let feed = name.id();
        if let Some(ends) = &member.ends {
            return Standing::CountsUntil(ends.get(&feed).copied().unwrap_or(ChainPoint::START));
        }
        // Certificates outlive a move: what they let others write in the area is already part of it,
        // and the level above may close whoever should not stay (ADR 0020).
        if name.space == Space::Authority || self.covers_today(member, name.area) {
            return Standing::Counts;
        }
        let moved = self.found.tree.ever_ancestors(name.area).into_iter().chain([name.area]);
        let closes = moved.filter_map(|area| self.alias(area)).flat_map(|it| &it.alias.closes);
        let named = closes.filter(|end| end.feed == feed).map(|end| end.last).min();
        Standing::CountsUntil(named.unwrap_or(ChainPoint::START))
    }

    /// Authority is written by issuers, and by a device in its own area about itself.
    fn may_write(&self, member: &Member, name: &FeedName) -> bool {
        match name.space {
            Space::Records => self.has(member, Rights::WRITE, name.area),
            Space::Authority => {
                self.has(member, Rights::ISSUE, name.area)
                    || member.grants.iter().any(|grant| grant.area == name.area)
            }
        }
    }

    /// Whether the right to write records rests on where the area lies today, not on where it once
    /// lay.
    fn covers_today(&self, member: &Member, area: AreaId) -> bool {
        let mut grants = member.grants.iter().filter(|grant| grant.rights.has(Rights::WRITE));
        grants.any(|grant| self.found.tree.covers(grant.area, area))
    }
}
