//! Certificates, revocations and placements folded into one answer: what may this device do, and
//! up to where do its feeds count.
//!
//! Pure, and a function of the held authority entries alone: `compute.rs` makes one pass from the
//! root down; `known.rs` is what it makes of a device in one area, which decides what counts there,
//! `joined.rs` who introduced itself, `member.rs` a device as lists show it.

mod compute;
mod joined;
mod known;
mod member;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::area::{AreaId, AreaTree, CountingAlias, Level};
use crdt_schema::authority::{Rights, SignedStatement};
use crdt_schema::entry::{ChainPoint, SigningPublic};
use crdt_schema::id::{DeviceId, EntryId, FeedId, FeedName, NetworkId, Space};

pub use compute::AuthorityEntry;
use joined::Ask;
pub use joined::{AT_ONCE_MAX, Admits, INVITED_MAX, Invited};
use known::{Here, Lineage};
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
    /// Its device is known and has no right to write here, or was ended before the entry that introduces
    /// it.
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
        self.found.known.get(device) == other.found.known.get(device)
    }

    /// Feeds of which not the same was adopted under another authority.
    pub fn adopted_otherwise(&self, other: &Self) -> BTreeSet<FeedId> {
        let [mine, theirs] = [&self.found.adopted, &other.found.adopted];
        let feeds = mine.keys().chain(theirs.keys()).filter(|it| mine.get(it) != theirs.get(it));
        feeds.copied().collect()
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
        let Some(of_feed) = self.found.adopted.get(&name.id()) else { return BTreeSet::new() };
        // Of a device whose certificate lies behind its end others know nothing.
        let level = |here: &Here<'_>| (!here.is_void()).then(|| here.level());
        let Some(level) = self.within(&name.device, name.area, level).flatten() else {
            return BTreeSet::new();
        };
        let counts = of_feed.iter().filter(|it| it.area == name.area && it.level < level);
        counts.map(|it| (it.first, it.last)).collect()
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

    /// The same of an authority feed by what those above said alone: its device's own word gives it nothing.
    pub fn named_from_above(&self, name: &FeedName) -> BTreeSet<ChainPoint> {
        let end = |here: &Here<'_>| here.end_from_above(name.id());
        let end = self.authority_within(&name.device, name.area, end).flatten();
        let end = end.filter(|end| *end != ChainPoint::START);
        end.into_iter().chain(self.adopted(name).into_iter().map(|(_, last)| last)).collect()
    }

    /// Authority entries this build cannot read: carried, and an update is needed.
    pub const fn update_needed(&self) -> u64 {
        self.found.update_needed
    }

    /// Who takes a device that nobody knows in an area, by an entry of it: its own certificate, under
    /// an invitation that counts, lets it wait for confirmation, or count at once. `beside` are devices
    /// that were taken since this authority was computed, by invitation.
    pub fn would_join(
        &self,
        entry: &AuthorityEntry,
        beside: &BTreeMap<EntryId, BTreeSet<DeviceId>>,
    ) -> Option<Admits> {
        let (device, area) = (entry.feed.device, entry.feed.area);
        if self.authority_within(&device, area, |_| ()).is_some() {
            return None;
        }
        let (_, ask) = joined::ask(&self.found.invitations, entry)?;
        let [at_once, unconfirmed] = [&self.found.at_once, &self.found.unconfirmed].map(|known| {
            let all = [known, beside].map(|known| known.get(&ask.invitation));
            all.into_iter().flatten().flatten().copied().collect::<BTreeSet<_>>()
        });
        Some(joined::admits(&ask, device, &at_once, &unconfirmed))
    }

    /// How a device stands in an area; `None` where nothing gives it anything.
    pub fn state_in(&self, device: &DeviceId, area: AreaId) -> Option<MemberState> {
        let state = |here: &Here<'_>| here.state();
        self.within(device, area, state)
    }

    /// Where a device waits for its confirmation, and by which invitation.
    pub fn waits_in(&self, device: &DeviceId) -> BTreeMap<AreaId, EntryId> {
        let asked = self.found.known.get(device).into_iter().flat_map(|known| known.asked.keys());
        let invited = asked.filter_map(|area| {
            let invitation = |here: &Here<'_>| here.ask.map(|ask| ask.invitation);
            Some((*area, self.authority_within(device, *area, invitation)??))
        });
        invited.collect()
    }

    /// Asks something of a device as it is in an area.
    fn within<T>(
        &self,
        device: &DeviceId,
        area: AreaId,
        ask: impl FnOnce(&Here<'_>) -> T,
    ) -> Option<T> {
        let lineage = Lineage::of(&self.found.tree, area);
        self.found.known.get(device)?.here(&lineage).map(|here| ask(&here))
    }

    /// Asks something of a device as its authority in an area is.
    fn authority_within<T>(
        &self,
        device: &DeviceId,
        area: AreaId,
        ask: impl FnOnce(&Here<'_>) -> T,
    ) -> Option<T> {
        let lineage = Lineage::of(&self.found.tree, area);
        self.found.known.get(device)?.authority_here(&lineage).map(|here| ask(&here))
    }

    /// The key heads of this device's feeds are signed with; `None` for a device nobody certified.
    pub fn signing_key(&self, device: &DeviceId) -> Option<SigningPublic> {
        self.member(device).map(|member| member.keys.signing)
    }

    /// Whether a device that is active in an area may do something there.
    pub fn may(&self, device: &DeviceId, right: Rights, area: AreaId) -> bool {
        let may = |here: &Here<'_>| here.has(right) && here.state() == MemberState::Active;
        self.within(device, area, may).unwrap_or(false)
    }

    /// The areas whose records a device holds, with all below: its own, and today's parent where it
    /// carries that. Provisional devices are served authority alone.
    pub fn interest(&self, device: &DeviceId) -> BTreeSet<AreaId> {
        self.granted(device, |it| matches!(it, MemberState::Active | MemberState::Provisional))
    }

    /// The areas a session with a device is about: what it holds, or once held. With one that is
    /// closed or revoked only authority is compared, so that it learns how it stands.
    pub fn reach(&self, device: &DeviceId) -> BTreeSet<AreaId> {
        self.placed(device)
    }

    /// Areas a device's certificates are about, whatever they allow: also one that may only write
    /// must learn that it was confirmed.
    fn placed(&self, device: &DeviceId) -> BTreeSet<AreaId> {
        let mut areas = self.granted(device, |_| true);
        let grants = self.member(device).into_iter().flat_map(|member| &member.grants);
        areas.extend(grants.map(|grant| grant.area));
        areas
    }

    /// The areas of its own certificates that a device counts in and may hold: without the parent it carries.
    pub fn holds(&self, device: &DeviceId) -> BTreeSet<AreaId> {
        self.grants_to_hold(device, |it| it == MemberState::Active).map(|it| it.area).collect()
    }

    /// Areas a device's certificates let it hold, of those where it stands so.
    fn granted(&self, device: &DeviceId, stands: impl Fn(MemberState) -> bool) -> BTreeSet<AreaId> {
        let mut areas = BTreeSet::new();
        for grant in self.grants_to_hold(device, stands) {
            areas.insert(grant.area);
            if grant.rights.has(Rights::CARRY_PARENT) {
                areas.extend(self.found.tree.parent(grant.area));
            }
        }
        areas
    }

    fn grants_to_hold(
        &self,
        device: &DeviceId,
        stands: impl Fn(MemberState) -> bool,
    ) -> impl Iterator<Item = &Grant> {
        let grants = self.member(device).into_iter().flat_map(|member| &member.grants);
        let stands = move |grant: &&Grant| self.state_in(device, grant.area).is_some_and(&stands);
        grants.filter(|grant| grant.rights.may_hold()).filter(stands)
    }

    /// Whether a device may be given what lies in an area.
    pub fn may_serve(&self, device: &DeviceId, space: Space, area: AreaId) -> bool {
        match space {
            Space::Records => self.holds_as(device, MemberState::Active, area),
            Space::Authority => self.may_learn(device, area),
        }
    }

    /// Whether what a device says its store holds of an area is worth keeping: it counts, belongs above
    /// the desa and holds the area. So no more rows are kept than hubs have areas, whatever anybody makes
    /// up.
    pub fn speaks_for_its_store(&self, device: &DeviceId, area: AreaId) -> bool {
        let is_above = self.member(device).is_some_and(|it| it.level() < Level::Desa);
        is_above && self.may_serve(device, Space::Records, area)
    }

    /// Whether a device that waits for its confirmation would hold an area's records after it.
    pub fn asked_for(&self, device: &DeviceId, area: AreaId) -> bool {
        self.holds_as(device, MemberState::Provisional, area)
    }

    fn holds_as(&self, device: &DeviceId, state: MemberState, area: AreaId) -> bool {
        let held = self.granted(device, |it| it == state);
        held.iter().any(|held| self.found.tree.ever_covered(*held, area))
    }

    /// Whether a device goes on taking the authority of an area when somebody brings it: also one
    /// that is closed or revoked as far as it knows, for whoever ended it may have been ended.
    pub fn may_learn(&self, device: &DeviceId, area: AreaId) -> bool {
        self.learns(&self.placed(device), area)
    }

    /// Whether the authority in `area` is part of that of one of `held`: so who says that it holds
    /// these takes it.
    pub fn learns(&self, held: &BTreeSet<AreaId>, area: AreaId) -> bool {
        let tree = &self.found.tree;
        held.iter()
            .any(|held| tree.ever_covered(*held, area) || tree.ever_above(*held).contains(&area))
    }

    /// How a feed stands: by what was granted and said in its area and in what ever lay above it
    /// (ADR 0026). One that may not be written and of which somebody above adopted a range stands as one
    /// that ended before its beginning, so that everybody takes what was adopted (ADR 0032).
    pub fn standing(&self, name: &FeedName) -> Standing {
        let by_right = self.standing_by_right(name);
        if by_right == Standing::Outside && !self.adopted(name).is_empty() {
            return Standing::CountsUntil(ChainPoint::START);
        }
        by_right
    }

    fn standing_by_right(&self, name: &FeedName) -> Standing {
        let Some(known) = self.found.known.get(&name.device).filter(|it| it.keys.is_some()) else {
            return Standing::Unknown;
        };
        let lineage = Lineage::of(&self.found.tree, name.area);
        match name.space {
            Space::Authority => {
                let here = known.authority_here(&lineage);
                here.map_or(Standing::Outside, |here| authority_standing(&here, name))
            }
            Space::Records => {
                let here = known.here(&lineage);
                here.map_or(Standing::Outside, |here| self.records_standing(&here, name))
            }
        }
    }

    fn records_standing(&self, here: &Here<'_>, name: &FeedName) -> Standing {
        if !here.has(Rights::WRITE) {
            return Standing::Outside;
        }
        if here.ask.is_some_and(Ask::waits) {
            return Standing::Provisional;
        }
        // Who was ended before the entry that introduces it is known to those alone who held that.
        if here.is_void() {
            return Standing::Outside;
        }
        let end = here.end(name.id()).or_else(|| self.moved_end(here, name));
        match (here.ask, end) {
            (Some(_), end) => Standing::OpenCounts(end),
            (None, Some(end)) => Standing::CountsUntil(end),
            (None, None) => Standing::Counts,
        }
    }

    /// Where a move ended a feed. Certificates outlive a move: what they let others write in the area
    /// is already part of it, and the level above may close whoever should not stay (ADR 0020).
    fn moved_end(&self, here: &Here<'_>, name: &FeedName) -> Option<ChainPoint> {
        let mut writing = here.grants().filter(|grant| grant.rights.has(Rights::WRITE));
        if writing.any(|grant| self.found.tree.covers(grant.area, name.area)) {
            return None;
        }
        let moved = self.found.tree.ever_ancestors(name.area).into_iter().chain([name.area]);
        let closes = moved.filter_map(|area| self.alias(area)).flat_map(|it| &it.alias.closes);
        let feed = name.id();
        let named = closes.filter(|end| end.feed == feed).map(|end| end.last).min();
        Some(named.unwrap_or(ChainPoint::START))
    }
}

/// Authority is written by issuers, and by a device in its own area about itself.
fn authority_standing(here: &Here<'_>, name: &FeedName) -> Standing {
    if !here.has(Rights::ISSUE) && !here.grants().any(|grant| grant.area == name.area) {
        return Standing::Outside;
    }
    if here.ask.is_some_and(|ask| !ask.is_shared()) {
        return Standing::Provisional;
    }
    here.end(name.id()).map_or(Standing::Counts, Standing::CountsUntil)
}
