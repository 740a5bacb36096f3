//! The rules of authority told again, as `docs/architecture.md` tells them, without any care for
//! time: sets that are searched from one end to the other. Every question is asked of an area, and
//! answered from what lies in it and in what ever lay above it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use crdt_schema::area::{AreaId, Level};
use crdt_schema::authority::{
    Alias, Certificate, DeviceKeys, FeedEnd, Invitation, Payload, Rights,
};
use crdt_schema::entry::ChainPoint;
use crdt_schema::id::{DeviceId, EntryId, FeedId, FeedName, Space};
use node::authority::{AuthorityEntry, Standing};

use super::cast::{AREAS, World, area};

/// A certificate that counts.
#[derive(Clone)]
struct Given {
    device: DeviceId,
    area: AreaId,
    rights: Rights,
}

/// An entry that was heard, and the level of who wrote it where it lies.
type Heard = (Level, AuthorityEntry);

/// Rules that can be left out, to see that some history needs them (`rules.rs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Who joins holds the key of the invitation,
    JoinsWithItsKey,
    /// asks for no more than that says,
    AsksForNoMore,
    /// for its own keys,
    AsksForItself,
    /// about the area it was invited to,
    AsksWhereInvited,
    /// in that area.
    WritesWhereInvited,
    /// A certificate lies in the area it is about.
    CertificateInItsArea,
    /// So does the certificate of a confirmation,
    ConfirmationInItsArea,
    /// and an invitation in the area it invites to.
    InvitationInItsArea,
    /// Cuts of different areas complete each other.
    CutsAddUp,
    /// Cuts of one area narrow each other.
    CutsNarrow,
    /// Of a device that ended what lies on the way to the end is heard.
    HeardOnTheWay,
    /// So is its own closing,
    ClosedOnTheWay,
    /// and the certificate it joined with.
    JoinedOnTheWay,
    /// Of each feed the first closing is heard,
    FirstClosing,
    /// and of several feeds of one device each one's.
    EveryFeedCloses,
}

/// What counts.
#[derive(Clone)]
pub(crate) struct Naive {
    without: Option<Rule>,
    said: Vec<AuthorityEntry>,
    given: Vec<Given>,
    placed: Vec<(Heard, Alias)>,
    heard: Vec<Heard>,
    asks: Vec<Asked>,
}

/// Devices of one invitation that count at once.
const AT_ONCE_MAX: usize = 4;

impl Naive {
    /// What everything that was written comes to.
    pub(crate) fn of(world: &World) -> Self {
        Self::told(world, None)
    }

    /// The same where one rule is none.
    pub(crate) fn without(world: &World, rule: Rule) -> Self {
        Self::told(world, Some(rule))
    }

    fn told(world: &World, without: Option<Rule>) -> Self {
        let root = world.statement.statement();
        let rights = Rights::above_desa().with(Rights::ERASE);
        let devices = root.devices.iter().map(DeviceKeys::device);
        let given = devices.map(|device| Given { device, area: root.area, rights }).collect();
        let said = world.entries.clone();
        let (placed, heard, asks) = (Vec::new(), Vec::new(), Vec::new());
        let mut naive = Self { without, said, given, placed, heard, asks };
        for level in [Level::Provinsi, Level::Kabupaten, Level::Kecamatan, Level::Desa] {
            let moves: Vec<(Heard, Alias)> =
                naive.speaking(level).iter().filter_map(|it| naive.places(it)).collect();
            naive.placed.extend(moves);
            let heard = naive.speaking(level);
            let given: Vec<Given> = heard.iter().filter_map(|it| naive.gives(it)).collect();
            naive.given.extend(given);
            naive.heard.extend(heard);
        }
        let asks: Vec<Asked> = naive.said.iter().filter_map(|entry| naive.asked(entry)).collect();
        naive.asks = asks.iter().map(|ask| naive.among(&asks, ask)).collect();
        naive
    }

    fn holds(&self, rule: Rule) -> bool {
        self.without != Some(rule)
    }

    /// What is said at one level: by issuers who hold nothing higher where they say it, before they
    /// end there.
    fn speaking(&self, level: Level) -> Vec<Heard> {
        let speaks = |entry: &&AuthorityEntry| {
            let (author, area) = (entry.feed.device, entry.feed.area);
            let given = self.given_to(author, area);
            highest(&given) == Some(level)
                && given.iter().any(|given| given.rights.has(Rights::ISSUE))
                && self.is_left(&given, entry)
        };
        self.said.iter().filter(speaks).map(|entry| (level, entry.clone())).collect()
    }

    /// What a device was certified for that reaches an area.
    fn given_to(&self, device: DeviceId, area: AreaId) -> Vec<Given> {
        let given = self.given.iter().filter(|given| given.device == device);
        given.filter(|given| self.ever_covers(given.area, area)).cloned().collect()
    }

    /// A new place for an area: it is said above that area and above both parents.
    fn places(&self, heard: &Heard) -> Option<(Heard, Alias)> {
        let (level, entry) = heard;
        let Some(Payload::Alias(alias)) = &entry.payload else { return None };
        let is_below = |area: AreaId| self.ever_covers(entry.feed.area, area);
        let counts = alias.area.level() > *level
            && is_below(alias.area)
            && is_below(alias.parent)
            && self.parent(alias.area).is_none_or(is_below);
        counts.then(|| (heard.clone(), alias.clone()))
    }

    fn issues(&self, device: DeviceId, area: AreaId) -> bool {
        self.given_to(device, area).iter().any(|given| given.rights.has(Rights::ISSUE))
    }

    /// Aliases of an area that no other replaces, the deciding one first.
    fn aliases(&self, area: AreaId) -> Vec<&(Heard, Alias)> {
        let of_area: Vec<_> = self.placed.iter().filter(|(_, it)| it.area == area).collect();
        let replaced = |id: EntryId| of_area.iter().any(|((_, entry), _)| entry.deps.contains(&id));
        let mut standing: Vec<_> =
            of_area.iter().copied().filter(|((_, entry), _)| !replaced(entry.point.id)).collect();
        standing.sort_by(|((one, a), _), ((other, b), _)| {
            one.cmp(other).then(b.point.id.cmp(&a.point.id))
        });
        standing
    }

    fn parent(&self, area: AreaId) -> Option<AreaId> {
        let moved = self.aliases(area).first().map(|(_, alias)| alias.parent);
        moved.or_else(|| first_parent(area))
    }

    fn ever_covers(&self, above: AreaId, area: AreaId) -> bool {
        let moved = self.placed.iter().filter(|(_, it)| it.area == area);
        let mut parents = moved.map(|(_, it)| it.parent).chain(first_parent(area));
        above == area || parents.any(|parent| self.ever_covers(above, parent))
    }

    fn covers_today(&self, above: AreaId, area: AreaId) -> bool {
        above == area || self.parent(area).is_some_and(|parent| self.covers_today(above, parent))
    }

    /// What was said in and above an area about a device by those above all it has there.
    fn said_from_above(&self, device: DeviceId, given: &[Given], area: AreaId) -> Vec<&Heard> {
        let from_above = |(level, entry): &&Heard| {
            let author = entry.feed.device;
            let is_above = |it: &Given| it.area.level() > *level && self.issues(author, it.area);
            author != device
                && self.ever_covers(entry.feed.area, area)
                && given.iter().all(is_above)
        };
        self.heard.iter().filter(from_above).collect()
    }

    /// Words of those above about where a device ends.
    fn words_from_above(
        &self,
        device: DeviceId,
        given: &[Given],
        area: AreaId,
    ) -> Vec<Vec<FeedEnd>> {
        let mut words: Vec<Vec<FeedEnd>> = Vec::new();
        let (mut cuts, mut is_revoked) = (Vec::new(), false);
        for (_, entry) in self.said_from_above(device, given, area) {
            match &entry.payload {
                Some(Payload::Closing(it)) if it.device == device => words.push(it.ends.clone()),
                Some(Payload::Cut(it)) if it.device == device => {
                    cuts.push((entry.feed.area, it.ends.clone()));
                }
                Some(Payload::Revocation(it)) if it.device == device => is_revoked = true,
                _ => {}
            }
        }
        if is_revoked {
            words.push(self.what_cuts_leave(&cuts));
        }
        words
    }

    /// What a device says of itself in one area, where it is its highest: of each feed the first
    /// closing that those above leave, and such a feed ends with it, or where they say.
    fn own_words(&self, device: DeviceId, given: &[Given], area: AreaId) -> Option<Vec<FeedEnd>> {
        let above = what_all_leave(&self.words_from_above(device, given, area));
        let closes = |entry: &&AuthorityEntry| {
            let payload = entry.payload.as_ref();
            entry.feed.device == device
                && entry.feed.area == area
                && matches!(payload, Some(Payload::Closing(it)) if it.device == device)
                && above.as_ref().is_none_or(|ends| self.leaves(ends, entry, Rule::ClosedOnTheWay))
        };
        let closings: Vec<&AuthorityEntry> = self.said.iter().filter(closes).collect();
        let is_first = |entry: &&&AuthorityEntry| {
            let same = closings.iter().filter(|other| other.feed == entry.feed);
            let is_it = same.map(|other| other.point).min() == Some(entry.point);
            is_it || !self.holds(Rule::FirstClosing)
        };
        let first: Vec<&&AuthorityEntry> = closings.iter().filter(is_first).collect();
        let one = first.iter().map(|entry| entry.feed.id()).min();
        let is_asked = |feed| self.holds(Rule::EveryFeedCloses) || Some(feed) == one;
        let words: Vec<Vec<FeedEnd>> = first
            .iter()
            .filter(|entry| is_asked(entry.feed.id()))
            .filter_map(|entry| match &entry.payload {
                Some(Payload::Closing(it)) => Some(it.ends.clone()),
                _ => None,
            })
            .collect();
        let here: Vec<FeedEnd> = first
            .iter()
            .map(|entry| {
                let feed = entry.feed.id();
                let last = above.as_ref().map_or(entry.point, |ends| last_of(ends, feed));
                FeedEnd { feed, last }
            })
            .collect();
        let mut ends = what_all_leave(&words)?;
        ends.retain(|end| here.iter().all(|own| own.feed != end.feed));
        ends.extend(here);
        Some(ends)
    }

    /// Where feeds of an area end whose device has this there: a feed that is not named does not
    /// count at all.
    fn ends_of(&self, device: DeviceId, given: &[Given], area: AreaId) -> Option<Vec<FeedEnd>> {
        let mut words = self.words_from_above(device, given, area);
        let highest = highest(given);
        let mut own: Vec<AreaId> = given.iter().map(|given| given.area).collect();
        own.retain(|area| Some(area.level()) == highest);
        own.sort_unstable();
        own.dedup();
        for at in own {
            let certified = self.given_to(device, at);
            let there = if certified.is_empty() { given.to_vec() } else { certified };
            words.extend(self.own_words(device, &there, at));
        }
        what_all_leave(&words)
    }

    fn is_left(&self, given: &[Given], entry: &AuthorityEntry) -> bool {
        let ends = self.ends_of(entry.feed.device, given, entry.feed.area);
        ends.is_none_or(|ends| self.leaves(&ends, entry, Rule::HeardOnTheWay))
    }

    /// Whether an entry lies on the way back from where its feed ends; without that rule, whether it
    /// lies before that place.
    fn leaves(&self, ends: &[FeedEnd], entry: &AuthorityEntry, rule: Rule) -> bool {
        let feed = entry.feed.id();
        let Some(end) = ends.iter().find(|end| end.feed == feed) else { return false };
        if !self.holds(rule) {
            return entry.point.seq <= end.last.seq;
        }
        let mut at = end.last;
        while at != entry.point {
            let held = self.said.iter().find(|it| it.feed.id() == feed && it.point == at);
            let Some(held) = held.filter(|it| it.point.seq > 1) else { return false };
            at = ChainPoint { seq: held.point.seq - 1, id: held.prev };
        }
        true
    }

    /// How a feed stands. Of one that may not be written what was adopted is taken by everybody, as of
    /// one that ended before its beginning.
    pub(crate) fn standing(&self, name: &FeedName) -> Standing {
        let by_right = self.standing_by_right(name);
        if by_right == Standing::Outside && !self.adopted(name).is_empty() {
            return Standing::CountsUntil(ChainPoint::START);
        }
        by_right
    }

    fn standing_by_right(&self, name: &FeedName) -> Standing {
        let given = self.given_to(name.device, name.area);
        if given.is_empty() {
            return self.joined(name);
        }
        if !may_write(name, &given) {
            return Standing::Outside;
        }
        if let Some(ends) = self.ends_of(name.device, &given, name.area) {
            return Standing::CountsUntil(last_of(&ends, name.id()));
        }
        self.moved_end(name, &given).map_or(Standing::Counts, Standing::CountsUntil)
    }

    /// Where a move ended a feed: of records only, whose right to be written does not reach where the
    /// area lies today.
    fn moved_end(&self, name: &FeedName, given: &[Given]) -> Option<ChainPoint> {
        let stays = |given: &Given| self.covers_today(given.area, name.area);
        if name.space == Space::Authority
            || given.iter().any(|given| given.rights.has(Rights::WRITE) && stays(given))
        {
            return None;
        }
        let (mut here, mut named): (_, Vec<FeedEnd>) = (vec![name.area], Vec::new());
        while let Some(area) = here.pop() {
            if let Some((_, alias)) = self.aliases(area).first() {
                named.extend(&alias.closes);
            }
            let moved = self.placed.iter().filter(|(_, it)| it.area == area);
            here.extend(moved.map(|(_, it)| it.parent).chain(first_parent(area)));
        }
        Some(last_of(&named, name.id()))
    }

    /// What of a feed was adopted by the authority of its area, and by whom its device stands below
    /// there.
    pub(crate) fn adopted(&self, name: &FeedName) -> BTreeSet<(u64, ChainPoint)> {
        let certified = highest(&self.given_to(name.device, name.area));
        let asked = || {
            let ask = self.asks_reaching(name.device, name.area).into_iter().next()?;
            (!ask.is_void).then(|| ask.given.area.level())
        };
        let Some(below) = certified.or_else(asked) else { return BTreeSet::new() };
        let speaks = |(level, entry): &&Heard| entry.feed.area == name.area && *level < below;
        let said = self.heard.iter().filter(speaks).filter_map(|(_, entry)| match &entry.payload {
            Some(Payload::Adoption(adoption)) => Some(&adoption.ranges),
            _ => None,
        });
        let of_feed = said.flatten().filter(|(feed, ..)| *feed == name.id());
        of_feed.map(|(_, first, last)| (*first, *last)).collect()
    }

    /// A device nobody certified where it writes: with an invitation that counts it waits, where it
    /// asked to be; or counts at once, open data only, until somebody ends it.
    fn joined(&self, name: &FeedName) -> Standing {
        let reaching = self.asks_reaching(name.device, name.area);
        let in_it = reaching.iter().filter(|ask| ask.given.area == name.area);
        let ask = match name.space {
            Space::Records => reaching.first(),
            Space::Authority => in_it.min_by_key(|ask| ask.rank()),
        };
        let Some(ask) = ask else { return Standing::Outside };
        if name.space == Space::Records && !ask.given.rights.has(Rights::WRITE) {
            return Standing::Outside;
        }
        let waits = match name.space {
            Space::Records => !ask.at_once || ask.is_crowded,
            Space::Authority => !ask.is_shared(),
        };
        if waits {
            return Standing::Provisional;
        }
        let given = std::slice::from_ref(&ask.given);
        let ends = self.ends_of(name.device, given, name.area);
        let end = ends.map(|ends| last_of(&ends, name.id()));
        let end = end.or_else(|| self.moved_end(name, given));
        match name.space {
            Space::Authority => end.map_or(Standing::Counts, Standing::CountsUntil),
            Space::Records if ask.is_void => Standing::Outside,
            Space::Records => Standing::OpenCounts(end),
        }
    }

    /// What a device asked for that reaches an area, the deciding one first.
    fn asks_reaching(&self, device: DeviceId, area: AreaId) -> Vec<Asked> {
        let own = self.asks.iter().filter(|ask| ask.given.device == device);
        let mut asks: Vec<Asked> =
            own.filter(|ask| self.ever_covers(ask.given.area, area)).cloned().collect();
        asks.sort_by_key(Asked::rank);
        asks
    }

    /// An ask, when all are known of its invitation: where too many have joined none counts at once,
    /// and five of them say so to everybody.
    fn among(&self, asks: &[Asked], ask: &Asked) -> Asked {
        let same = asks.iter().filter(|other| other.invitation == ask.invitation);
        let mut joined: BTreeSet<DeviceId> = same
            .filter(|other| other.at_once && !other.is_void)
            .map(|other| other.given.device)
            .collect();
        joined.extend(self.heard.iter().filter_map(|heard| match &heard.1.payload {
            Some(Payload::Confirmation(it)) if it.invitation == ask.invitation => {
                let given = self.gives(heard).filter(|given| given.area == ask.given.area);
                given.map(|given| given.device)
            }
            _ => None,
        }));
        let is_crowded = ask.at_once && joined.len() > AT_ONCE_MAX;
        let telling: Vec<DeviceId> = joined.into_iter().take(AT_ONCE_MAX + 1).collect();
        let tells = ask.at_once && !ask.is_void && telling.contains(&ask.given.device);
        Asked { is_crowded, tells, ..ask.clone() }
    }

    /// What an entry asks for: its device's own certificate, signed with an invitation's key.
    fn asked(&self, entry: &AuthorityEntry) -> Option<Asked> {
        let is_first = entry.point.seq == 1;
        if !is_first || !self.given_to(entry.feed.device, entry.feed.area).is_empty() {
            return None;
        }
        let (own, invited) = self.invited(entry)?;
        let (device, area) = (entry.feed.device, own.area);
        let at_once = invited.counts_at_once;
        let given = Given { device, area, rights: own.rights };
        let ends = self.ends_of(device, std::slice::from_ref(&given), area);
        let is_void =
            at_once && ends.is_some_and(|ends| !self.leaves(&ends, entry, Rule::JoinedOnTheWay));
        let (invitation, point) = (own.invited.as_ref()?.0, entry.point);
        let [is_crowded, tells] = [false; 2];
        Some(Asked { given, invitation, at_once, is_void, is_crowded, tells, point })
    }

    fn invited<'a>(
        &'a self,
        entry: &'a AuthorityEntry,
    ) -> Option<(&'a Certificate, &'a Invitation)> {
        let Some(Payload::Certificate(own)) = &entry.payload else { return None };
        let (id, signature) = own.invited.as_ref()?;
        let invited = self.heard.iter().find_map(|(level, by)| match &by.payload {
            Some(Payload::Invitation(it)) if by.point.id == *id => {
                let is_here = it.area == by.feed.area || !self.holds(Rule::InvitationInItsArea);
                (it.area.level() > *level && is_here).then_some(it)
            }
            _ => None,
        })?;
        let is_signed = || invited.key.verify(&own.invited_message(*id), signature).is_ok();
        let broken = [
            (Rule::AsksWhereInvited, invited.area != own.area),
            (Rule::WritesWhereInvited, invited.area != entry.feed.area),
            (Rule::AsksForItself, own.keys.device() != entry.feed.device),
            (Rule::AsksForNoMore, !invited.rights.has(own.rights)),
            (Rule::JoinsWithItsKey, !is_signed()),
        ];
        let fits = broken.into_iter().all(|(rule, is_broken)| !is_broken || !self.holds(rule));
        fits.then_some((own, invited))
    }

    /// A certificate, or the confirmation of one, in the area it is about, which lies below the
    /// issuer's level.
    fn gives(&self, (level, entry): &Heard) -> Option<Given> {
        let (certificate, rule) = match entry.payload.as_ref() {
            Some(Payload::Certificate(it)) if it.invited.is_none() => {
                (it, Rule::CertificateInItsArea)
            }
            Some(Payload::Confirmation(it)) => (&it.certificate, Rule::ConfirmationInItsArea),
            _ => return None,
        };
        let is_here = certificate.area == entry.feed.area || !self.holds(rule);
        let (device, area) = (certificate.keys.device(), certificate.area);
        let given = Given { device, area, rights: certificate.rights };
        (is_here && area.level() > *level).then_some(given)
    }

    /// Cuts of one area narrow each other, those of different areas add up.
    fn what_cuts_leave(&self, cuts: &[(AreaId, Vec<FeedEnd>)]) -> Vec<FeedEnd> {
        let mut groups: BTreeMap<_, Vec<Vec<FeedEnd>>> = BTreeMap::new();
        for (number, (area, ends)) in cuts.iter().enumerate() {
            let area = self.holds(Rule::CutsAddUp).then_some(*area);
            let apart = (!self.holds(Rule::CutsNarrow)).then_some(number);
            groups.entry((area, apart)).or_default().push(ends.clone());
        }
        groups.into_values().filter_map(|words| what_all_leave(&words)).flatten().collect()
    }

    /// Whether a device may do something in an area: it was given that right, and has not ended
    /// there. Who counts at once has what is for open data.
    pub(crate) fn may(&self, device: DeviceId, right: Rights, area: AreaId) -> bool {
        let given = self.given_to(device, area);
        if !given.is_empty() {
            let has = given.iter().any(|given| given.rights.has(right));
            return has && self.ends_of(device, &given, area).is_none();
        }
        let asks = self.asks_reaching(device, area);
        asks.first().is_some_and(|ask| {
            let given = std::slice::from_ref(&ask.given);
            let counts = ask.at_once && !ask.is_crowded;
            counts && ask.rights().has(right) && self.ends_of(device, given, area).is_none()
        })
    }

    /// What a device was certified for, or asked for: of each area the ask that decides.
    fn listed(&self, device: DeviceId) -> Vec<(AreaId, Rights)> {
        let given = self.given.iter().filter(|given| given.device == device);
        let mut listed: Vec<_> = given.map(|given| (given.area, given.rights)).collect();
        for at in AREAS.map(area) {
            let asks =
                self.asks.iter().filter(|it| (it.given.device, it.given.area) == (device, at));
            listed.extend(asks.min_by_key(|ask| ask.rank()).map(|ask| (at, ask.rights())));
        }
        listed
    }

    /// Whether a device may be given records of an area: it has not ended where it may read or carry
    /// them, or carries the parent of such an area.
    pub(crate) fn may_have_records(&self, device: DeviceId, area: AreaId) -> bool {
        let held = self
            .listed(device)
            .into_iter()
            .filter(|(at, rights)| rights.may_hold() && self.may(device, Rights::NONE, *at));
        self.with_parents(held).iter().any(|held| self.ever_covers(*held, area))
    }

    /// Whether a device goes on learning the authority of an area, ended or not: one that anything
    /// depends on which lies where it once was.
    pub(crate) fn may_have_authority(&self, device: DeviceId, there: AreaId) -> bool {
        let listed = self.listed(device);
        let held = listed.iter().copied().filter(|(_, rights)| rights.may_hold());
        let mut held = self.with_parents(held);
        held.extend(listed.iter().map(|(at, _)| *at));
        let reaches = |from: AreaId, to: AreaId| self.ever_covers(from, to);
        let all = AREAS.map(area);
        held.iter().any(|held| all.iter().any(|it| reaches(*held, *it) && reaches(there, *it)))
    }

    /// Areas, and today's parent of those which are carried with it.
    fn with_parents(&self, areas: impl Iterator<Item = (AreaId, Rights)>) -> Vec<AreaId> {
        let parent = |at, rights: Rights| {
            rights.has(Rights::CARRY_PARENT).then(|| self.parent(at)).flatten()
        };
        areas.flat_map(|(at, rights)| [Some(at), parent(at, rights)]).flatten().collect()
    }

    /// The level a device speaks at in an area; `None` for who is nobody there.
    pub(crate) fn level(&self, device: DeviceId, area: AreaId) -> Option<Level> {
        highest(&self.given_to(device, area))
    }

    /// Whether an entry had any say.
    pub(crate) fn is_heard(&self, entry: &AuthorityEntry) -> bool {
        let is_own = match &entry.payload {
            Some(Payload::Closing(it)) => it.device == entry.feed.device,
            Some(Payload::Certificate(it)) => it.invited.is_some(),
            _ => false,
        };
        is_own || self.heard.iter().any(|(_, heard)| heard == entry)
    }
}

/// What a device asked for with an invitation.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
struct Asked {
    given: Given,
    invitation: EntryId,
    at_once: bool,
    /// Its certificate lies behind its end.
    is_void: bool,
    /// Too many joined with the invitation.
    is_crowded: bool,
    /// It is one of those by which that is known.
    tells: bool,
    point: ChainPoint,
}

impl Asked {
    /// What it gives: of who counts at once for open data alone.
    fn rights(&self) -> Rights {
        if self.at_once { self.given.rights.open_only() } else { self.given.rights }
    }

    /// What is held by all decides before what is not, then the higher area, then the earlier one.
    fn rank(&self) -> (bool, bool, bool, Level, AreaId, ChainPoint) {
        let (area, waits) = (self.given.area, !self.at_once || self.is_crowded);
        (self.is_void, waits, !self.is_shared(), area.level(), area, self.point)
    }

    /// Whether all hold it.
    fn is_shared(&self) -> bool {
        self.at_once && (self.tells || !self.is_crowded)
    }
}

/// The highest level of several certificates.
fn highest(given: &[Given]) -> Option<Level> {
    given.iter().map(|given| given.area.level()).min()
}

/// Records by who may write them; authority by who issues, and in one's own area.
fn may_write(name: &FeedName, given: &[Given]) -> bool {
    given.iter().any(|given| match name.space {
        Space::Records => given.rights.has(Rights::WRITE),
        Space::Authority => given.rights.has(Rights::ISSUE) || given.area == name.area,
    })
}

/// Where an area lay first.
fn first_parent(area: AreaId) -> Option<AreaId> {
    FIRST_PARENTS.get(&area).copied().flatten()
}

/// Read once: most of the time went into it.
static FIRST_PARENTS: LazyLock<BTreeMap<AreaId, Option<AreaId>>> = LazyLock::new(|| {
    let parent = |area: AreaId| Some(area.first_code()?.parent()?.first_id());
    AREAS.map(area).into_iter().map(|area| (area, parent(area))).collect()
});

fn last_of(ends: &[FeedEnd], feed: FeedId) -> ChainPoint {
    let named = ends.iter().filter(|end| end.feed == feed).map(|end| end.last);
    named.min().unwrap_or(ChainPoint::START)
}

/// Of several words only what all leave; `None` where nobody said a word.
fn what_all_leave(words: &[Vec<FeedEnd>]) -> Option<Vec<FeedEnd>> {
    let first = words.first()?;
    let in_all = |feed: FeedId| words.iter().all(|word| word.iter().any(|end| end.feed == feed));
    let feeds = first.iter().map(|end| end.feed).filter(|feed| in_all(*feed));
    let least = |feed: FeedId| words.iter().map(|word| last_of(word, feed)).min();
    let ends = feeds.map(|feed| FeedEnd { feed, last: least(feed).unwrap_or(ChainPoint::START) });
    Some(ends.collect())
}
