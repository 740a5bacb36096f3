//! One pass from the root down: which authority entries count, and what they make of devices.
//!
//! Whatever certifies, revokes or closes a device stands strictly higher, so every level is
//! settled before the next begins, and the order in which entries came cannot matter. At which level
//! a device speaks in an area, and whether it was ended there, is asked of that area and of what ever
//! lay above it alone (ADR 0026): whoever holds an area's authority holds all of that.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::area::{AreaId, AreaTree, CountingAlias, Level};
use crdt_schema::authority::{
    Certificate, Closing, Cut, DeviceKeys, FeedEnd, Limits, Payload, Revocation, Rights,
    RootStatement,
};
use crdt_schema::entry::{ChainPoint, EntryKind};
use crdt_schema::id::{DeviceId, EntryId, FeedId, FeedName};

use super::joined::{AT_ONCE_MAX, Ask, Invited, ask};
use super::known::{Ends, Here, Known, Lineage, Word, left_by_all};
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

/// A range that somebody adopted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Adopted {
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
    pub(super) known: BTreeMap<DeviceId, Known>,
    /// Aliases that count, by entry id, and the tree they make.
    pub(super) aliases: BTreeMap<EntryId, CountingAlias>,
    pub(super) tree: AreaTree,
    pub(super) invitations: BTreeMap<EntryId, Invited>,
    /// Confirmed invitations and the device each went to.
    pub(super) used: BTreeMap<EntryId, BTreeSet<DeviceId>>,
    /// Of invitations that count at once: all devices that joined with them, confirmed or not.
    pub(super) at_once: BTreeMap<EntryId, BTreeSet<DeviceId>>,
    /// Devices that joined with an invitation and that nobody confirmed.
    pub(super) unconfirmed: BTreeMap<EntryId, BTreeSet<DeviceId>>,
    pub(super) adopted: BTreeMap<FeedId, BTreeSet<Adopted>>,
    pub(super) update_needed: u64,
}

/// An entry that counts, and the level its author speaks at there.
#[derive(Clone, Copy)]
struct Heard<'a> {
    level: Level,
    entry: &'a AuthorityEntry,
}

/// What every author wrote in one area.
type Authors<'a> = BTreeMap<DeviceId, Vec<&'a AuthorityEntry>>;

pub(super) struct Pass<'a> {
    entries: BTreeMap<AreaId, Authors<'a>>,
    prevs: BTreeMap<EntryId, EntryId>,
    /// Invitation, the area of the confirmation, and who was confirmed.
    confirmed: BTreeSet<(EntryId, AreaId, DeviceId)>,
    found: Outcome,
}

const LEVELS: [Level; 4] = [Level::Provinsi, Level::Kabupaten, Level::Kecamatan, Level::Desa];

impl<'a> Pass<'a> {
    pub(super) fn run(statement: &RootStatement, entries: &'a [AuthorityEntry]) -> Outcome {
        let mut by_area: BTreeMap<AreaId, Authors<'_>> = BTreeMap::new();
        let mut prevs = BTreeMap::new();
        for entry in entries {
            let authors = by_area.entry(entry.feed.area).or_default();
            authors.entry(entry.feed.device).or_default().push(entry);
            prevs.insert(entry.point.id, entry.prev);
        }
        for entries in by_area.values_mut().flat_map(BTreeMap::values_mut) {
            entries.sort_unstable_by_key(|entry| entry.point);
        }
        let found = Outcome {
            members: BTreeMap::new(),
            known: BTreeMap::new(),
            aliases: BTreeMap::new(),
            tree: AreaTree::new(statement.area),
            invitations: BTreeMap::new(),
            used: BTreeMap::new(),
            at_once: BTreeMap::new(),
            unconfirmed: BTreeMap::new(),
            adopted: BTreeMap::new(),
            update_needed: 0,
        };
        let mut pass = Self { entries: by_area, prevs, confirmed: BTreeSet::new(), found };
        pass.root(statement);
        for level in LEVELS {
            pass.place(level);
            pass.hear(level);
        }
        pass.join();
        pass.list();
        pass.found.update_needed =
            entries.iter().filter(|entry| entry.payload.is_none()).count() as u64;
        pass.found
    }

    fn root(&mut self, statement: &RootStatement) {
        for keys in &statement.devices {
            let grant = Grant {
                area: statement.area,
                rights: Rights::above_desa().with(Rights::ERASE),
                limits: Limits::default(),
                issuer: None,
                since: None,
            };
            self.give(*keys, grant);
        }
    }

    /// Lays the aliases of one level over the tree, before anything else of that level is read: where
    /// areas lie decides who speaks in them. An alias itself lies above what it moves, where it
    /// changes nothing of that.
    fn place(&mut self, level: Level) {
        let heard = self.heard(level, |entry| entry.kind == EntryKind::ALIAS);
        let aliases: Vec<CountingAlias> = heard.iter().filter_map(|it| self.alias(it)).collect();
        if !aliases.is_empty() {
            self.found.aliases.extend(aliases.into_iter().map(|alias| (alias.entry, alias)));
            self.found.tree = self.found.tree.with_aliases(self.found.aliases.values());
        }
    }

    /// Reads what is said at one level about those below. Whom it certifies is read first, so that
    /// nothing depends on who of one level is heard first.
    fn hear(&mut self, level: Level) {
        let heard = self.heard(level, |_| true);
        for it in &heard {
            self.hear_grant(it);
        }
        for it in heard {
            self.hear_withdrawal(it);
        }
    }

    /// Entries that count of those who speak at one level where the entry lies; all above has spoken.
    fn heard(
        &mut self,
        level: Level,
        is_asked: impl Fn(&AuthorityEntry) -> bool,
    ) -> Vec<Heard<'a>> {
        self.weigh();
        self.own_closings(level);
        let mut heard = Vec::new();
        for (area, authors) in self.entries.iter().filter(|(area, _)| area.level() >= level) {
            let lineage = LazyCell::new(|| Lineage::of(&self.found.tree, *area));
            for (author, entries) in authors {
                let asked = entries.iter().copied().filter(|entry| is_asked(entry));
                let asked: Vec<&AuthorityEntry> = asked.collect();
                let known = self.found.known.get(author).filter(|_| !asked.is_empty());
                let Some(here) = known.and_then(|it| it.certified(&lineage)) else { continue };
                if here.level() != level || !here.has(Rights::ISSUE) {
                    continue;
                }
                let counting = self.before_its_end(&here, asked);
                heard.extend(counting.into_iter().map(|entry| Heard { level, entry }));
            }
        }
        heard
    }

    /// Finds out anew which words are said from above everything their device is certified for.
    fn weigh(&mut self) {
        let mut weighed: Vec<(DeviceId, Vec<BTreeSet<AreaId>>)> = Vec::new();
        for (device, known) in self.found.known.iter().filter(|(_, it)| !it.words.is_empty()) {
            let over = known.words.iter().map(|((_, author), word)| {
                let below = known.areas().filter(|area| area.level() > word.level);
                below.filter(|area| self.issues(*author, *area)).collect()
            });
            weighed.push((*device, over.collect()));
        }
        for (device, over) in weighed {
            let words = self.found.known.get_mut(&device).map(|known| known.words.values_mut());
            for (word, over) in words.into_iter().flatten().zip(over) {
                word.over = over;
            }
        }
    }

    fn issues(&self, device: DeviceId, area: AreaId) -> bool {
        let grants = self.found.known.get(&device).into_iter().flat_map(|known| &known.certified);
        let mut issuing = grants.filter(|grant| grant.rights.has(Rights::ISSUE));
        issuing.any(|grant| self.found.tree.ever_covered(grant.area, area))
    }

    /// What the devices of one level say about their own end, each in the highest area it holds.
    fn own_closings(&mut self, level: Level) {
        let mut found = Vec::new();
        for (area, authors) in self.entries.iter().filter(|(area, _)| area.level() == level) {
            let closers = authors.iter().filter(|(_, said)| said.iter().any(|it| is_own(it)));
            for (device, entries) in closers {
                let lineage = Lineage::of(&self.found.tree, *area);
                let known = self.found.known.get(device);
                let here = known.and_then(|it| it.certified(&lineage));
                let here = here.filter(|here| here.level() == level);
                let ends = here.and_then(|here| self.own_ends(&here, entries));
                found.extend(ends.map(|ends| (*device, *area, ends)));
            }
        }
        self.take_own(found);
    }

    fn take_own(&mut self, found: Vec<(DeviceId, AreaId, Ends)>) {
        for (device, area, ends) in found {
            self.found.known.entry(device).or_default().own.insert(area, ends);
        }
    }

    /// What a device says about its own end in one area, where those above left that standing. Of each
    /// feed the first closing is heard, and the feed reaches as far as it and what those above name,
    /// whatever its closings say: nobody need hold what does not count, so that must decide nothing.
    fn own_ends(&self, here: &Here<'_>, entries: &[&AuthorityEntry]) -> Option<Ends> {
        let mut first: BTreeMap<FeedId, (ChainPoint, Ends)> = BTreeMap::new();
        for entry in entries.iter().filter(|entry| is_own(entry)) {
            let Some(Payload::Closing(closing)) = &entry.payload else { continue };
            let feed = entry.feed.id();
            let above = here.end_from_above(feed);
            if above.is_none_or(|end| self.reaches(end, entry.point)) {
                let end = above.unwrap_or(entry.point);
                first.entry(feed).or_insert_with(|| (end, ends_of(&closing.ends)));
            }
        }
        let mut ends = left_by_all(first.values().map(|(_, ends)| ends.clone()))?;
        ends.extend(first.into_iter().map(|(feed, (end, _))| (feed, end)));
        Some(ends)
    }

    /// Those of a device's entries in an area that lie before the ends of their feeds. An end that names an
    /// entry at another place than its own leaves nothing, as of one that nobody holds.
    fn before_its_end(
        &self,
        here: &Here<'_>,
        entries: Vec<&'a AuthorityEntry>,
    ) -> Vec<&'a AuthorityEntry> {
        if matches!(here.state(), MemberState::Active) {
            return entries;
        }
        let mut left: BTreeMap<FeedName, Option<BTreeSet<ChainPoint>>> = BTreeMap::new();
        let within = |entry: &&AuthorityEntry| {
            let name = entry.feed;
            let left = left
                .entry(name)
                .or_insert_with(|| here.end(name.id()).map(|end| self.back_from(end).collect()));
            left.as_ref().is_none_or(|left| left.contains(&entry.point))
        };
        entries.into_iter().filter(within).collect()
    }

    /// An entry and those before it, as far as they are held.
    fn back_from(&self, end: ChainPoint) -> impl Iterator<Item = ChainPoint> {
        let before = |at: &ChainPoint| {
            let prev = self.prevs.get(&at.id).filter(|_| at.seq > 1)?;
            Some(ChainPoint { seq: at.seq - 1, id: *prev })
        };
        std::iter::successors(Some(end), before)
    }

    /// Whether walking back from `end` meets `point`.
    fn reaches(&self, end: ChainPoint, point: ChainPoint) -> bool {
        self.back_from(end).take_while(|at| at.seq >= point.seq).any(|at| at == point)
    }

    fn hear_grant(&mut self, heard: &Heard<'a>) {
        let (device, entry) = (heard.entry.feed.device, heard.entry);
        match &entry.payload {
            Some(Payload::Certificate(certificate)) if certificate.invited.is_none() => {
                self.grant(heard, certificate);
            }
            Some(Payload::Confirmation(confirmation)) => {
                let invitation = confirmation.invitation;
                let confirmed = confirmation.certificate.keys.device();
                if self.grant(heard, &confirmation.certificate) {
                    self.found.used.entry(invitation).or_default().insert(confirmed);
                    self.confirmed.insert((invitation, entry.feed.area, confirmed));
                    let known = self.found.known.entry(confirmed).or_default();
                    known.confirmed.get_or_insert(invitation);
                }
            }
            Some(Payload::Invitation(invitation)) if heard.is_about(invitation.area) => {
                let entry = entry.point.id;
                let invited = Invited { entry, inviter: device, invitation: invitation.clone() };
                self.found.invitations.insert(entry, invited);
            }
            _ => {}
        }
    }

    /// Gives a grant when the issuer stands above; a device once certified elsewhere keeps both.
    fn grant(&mut self, heard: &Heard<'a>, certificate: &Certificate) -> bool {
        if !heard.is_about(certificate.area) {
            return false;
        }
        let grant = Grant {
            area: certificate.area,
            rights: certificate.rights,
            limits: certificate.limits,
            issuer: Some(heard.entry.feed.device),
            since: Some(heard.entry.point.id),
        };
        self.give(certificate.keys, grant);
        true
    }

    fn give(&mut self, keys: DeviceKeys, grant: Grant) {
        let known = self.found.known.entry(keys.device()).or_default();
        known.keys = Some(keys);
        known.certified.push(grant);
    }

    fn hear_withdrawal(&mut self, heard: Heard<'a>) {
        let Heard { level, entry } = heard;
        let (author, area) = (entry.feed.device, entry.feed.area);
        let other = match &entry.payload {
            Some(
                Payload::Closing(Closing { device: other, .. })
                | Payload::Cut(Cut { device: other, .. })
                | Payload::Revocation(Revocation { device: other, .. }),
            ) => *other,
            Some(Payload::Adoption(adoption)) => {
                // Whose feeds these are shows when one of them is asked about: here are ids alone.
                for (feed, first, last) in adoption.ranges.iter().copied() {
                    let of_feed = self.found.adopted.entry(feed).or_default();
                    of_feed.insert(Adopted { first, last, area, level });
                }
                return;
            }
            _ => return,
        };
        // A device's own word is heard where it is settled.
        if other == author {
            return;
        }
        let words = &mut self.found.known.entry(other).or_default().words;
        let word = words.entry((area, author)).or_insert_with(|| Word::at(level));
        let narrowed =
            |known: Option<Ends>, named| left_by_all(known.into_iter().chain([ends_of(named)]));
        match &entry.payload {
            Some(Payload::Closing(closing)) => {
                word.closing = narrowed(word.closing.take(), &closing.ends);
            }
            Some(Payload::Cut(cut)) => word.cut = narrowed(word.cut.take(), &cut.ends),
            _ => word.revokes = true,
        }
    }

    /// An alias counts when it lies in an area that covers the area and both parents, as the levels
    /// above left them: then everyone below either of them holds it, and its author stands above.
    fn alias(&self, heard: &Heard<'_>) -> Option<CountingAlias> {
        let entry = heard.entry;
        let Some(Payload::Alias(alias)) = &entry.payload else { return None };
        let tree = &self.found.tree;
        let touched = tree.parent(alias.area).into_iter().chain([alias.parent, alias.area]);
        let covers = touched.into_iter().all(|it| tree.ever_covered(entry.feed.area, it));
        (covers && alias.area.level() > heard.level).then(|| CountingAlias {
            entry: entry.point.id,
            author: heard.level,
            replaces: entry.deps.clone(),
            alias: alias.clone(),
        })
    }

    /// Devices that wrote their own certificate with a throw-away key and wait, or count at once
    /// until a closing names where they end.
    fn join(&mut self) {
        let mut asked: Vec<(DeviceId, DeviceKeys, Ask)> = Vec::new();
        for (area, authors) in &self.entries {
            for (device, entries) in authors {
                let first = entries.iter().filter(|entry| entry.point.seq == 1);
                let asks: Vec<_> =
                    first.filter_map(|entry| ask(&self.found.invitations, entry)).collect();
                if !asks.is_empty() && !self.is_certified(*device, *area) {
                    asked.extend(asks.into_iter().map(|(keys, ask)| (*device, keys, ask)));
                }
            }
        }
        let mut at: BTreeSet<(DeviceId, AreaId)> = BTreeSet::new();
        for (device, keys, ask) in asked {
            let known = self.found.known.entry(device).or_default();
            known.keys = Some(keys);
            at.insert((device, ask.grant.area));
            known.asked.entry(ask.grant.area).or_default().push(ask);
        }
        self.weigh();
        for (device, area) in at {
            self.settle_asks(device, area);
        }
        self.count_joined();
    }

    /// Counts who joined with each invitation, and says so of their asks. Whoever lies behind an end is
    /// not counted, for others need not hold it; whoever was confirmed goes on to be, so that a
    /// confirmation lets nobody else in.
    fn count_joined(&mut self) {
        let Outcome { known, invitations, at_once, unconfirmed, .. } = &mut self.found;
        for (device, known) in known.iter() {
            for ask in known.asked.values().flatten() {
                unconfirmed.entry(ask.invitation).or_default().insert(*device);
                if ask.at_once && !ask.is_void {
                    at_once.entry(ask.invitation).or_default().insert(*device);
                }
            }
        }
        for (invitation, area, device) in &self.confirmed {
            let invited = invitations.get(invitation).map(|it| &it.invitation);
            if invited.is_some_and(|it| it.counts_at_once && it.area == *area) {
                at_once.entry(*invitation).or_default().insert(*device);
            }
        }
        for (device, known) in known.iter_mut() {
            for ask in known.asked.values_mut().flatten().filter(|ask| ask.at_once) {
                let Some(joined) = at_once.get(&ask.invitation) else { continue };
                ask.is_crowded = joined.len() > AT_ONCE_MAX;
                ask.tells = !ask.is_void && joined.range(..*device).count() <= AT_ONCE_MAX;
            }
        }
    }

    fn is_certified(&self, device: DeviceId, area: AreaId) -> bool {
        let lineage = Lineage::of(&self.found.tree, area);
        self.found.known.get(&device).is_some_and(|known| known.certified(&lineage).is_some())
    }

    /// Where a device ends that asked in an area, by its own word, and whether its asks lie before
    /// that.
    fn settle_asks(&mut self, device: DeviceId, area: AreaId) {
        let lineage = Lineage::of(&self.found.tree, area);
        let said = self.entries.get(&area).and_then(|authors| authors.get(&device));
        let own = |known: &Known| self.own_ends(&known.authority_here(&lineage)?, said?);
        let own = self.found.known.get(&device).and_then(own);
        self.take_own(own.into_iter().map(|ends| (device, area, ends)).collect());
        let Some(here) = self.found.known.get(&device).and_then(|it| it.authority_here(&lineage))
        else {
            return;
        };
        let asks = self.found.known.get(&device).and_then(|known| known.asked.get(&area));
        let is_void = |ask: &Ask| {
            let end = here.end(ask.feed);
            ask.at_once && end.is_some_and(|end| !self.reaches(end, ask.point))
        };
        let void: Vec<bool> = asks.into_iter().flatten().map(is_void).collect();
        let asks = self.found.known.get_mut(&device).and_then(|known| known.asked.get_mut(&area));
        for (ask, is_void) in asks.into_iter().flatten().zip(void) {
            ask.is_void = is_void;
        }
    }

    /// Every device as lists show it.
    fn list(&mut self) {
        for (device, known) in &self.found.known {
            let Some(keys) = known.keys else { continue };
            let asks =
                known.asked.values().filter_map(|asks| asks.iter().min_by_key(|it| it.rank()));
            let asks: Vec<&Ask> = asks.collect();
            let grants = known.certified.iter().chain(asks.iter().map(|ask| &ask.grant));
            let grants: Vec<Grant> = grants.cloned().collect();
            let states = grants.iter().filter_map(|grant| {
                let lineage = Lineage::of(&self.found.tree, grant.area);
                known.here(&lineage).map(|here| here.state())
            });
            let state = states.min().unwrap_or(MemberState::Provisional);
            let is_invited = known.certified.is_empty();
            let member = Member {
                keys,
                state,
                open_only: is_invited && asks.iter().any(|ask| !ask.waits()),
                invitation: known.confirmed.or_else(|| asks.first().map(|ask| ask.invitation)),
                grants,
            };
            self.found.members.insert(*device, member);
        }
    }
}

impl Heard<'_> {
    /// Whether the entry lies in the authority of `area`, and its author stands above that.
    fn is_about(&self, area: AreaId) -> bool {
        area == self.entry.feed.area && area.level() > self.level
    }
}

/// Whether an entry closes its own device.
fn is_own(entry: &AuthorityEntry) -> bool {
    let Some(Payload::Closing(closing)) = &entry.payload else { return false };
    closing.device == entry.feed.device
}

fn ends_of(named: &[FeedEnd]) -> Ends {
    named.iter().map(|end| (end.feed, end.last)).collect()
}
