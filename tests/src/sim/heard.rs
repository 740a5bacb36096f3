//! What a node tells is true, the moment it tells it: "equal" is said of a root that both had, and a
//! comparison in which nothing was new is cheap.
//!
//! In a small town everybody is watched, whoever joined later and copies of cards included; in a large
//! one the first few, who stand below each other from the province down to a village.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crdt_schema::area::AreaId;
use node::live::{Event, LinkId, Seen};
use node::sync::message::{AREAS_SHARED_MAX, Message};
use node::sync::{Root, Stream, codec};

use super::check;
use super::ground::{HOUR, hash};
use super::town::{Town, Up};
use super::wire::Kinds;

/// Nodes of a town up to which all are watched; in a larger one so many are.
const WATCHED_MAX: usize = 24;
/// Roots remembered of one site and area: of the province in its busiest hours what came in two hours,
/// of a village all there are.
const ROOTS_MAX: usize = 16_384;
/// A root of which "equal" is said was had that long ago at most: a comparison ends within minutes.
const RECENT: i64 = HOUR;
/// Rows of hubs.
pub(super) const RECEIPTS: u8 = 17;
/// Frames that are no comparison: rows of hubs and of devices, which go with whatever comes next.
const ROWS: [u8; 2] = [RECEIPTS, 18];
/// And what is new at one end, though the other may have it from somebody else.
const PUSH: u8 = 15;
/// Bytes both ways of a comparison after a heal that found nothing new, handshake and one area
/// included: 170 where nothing else went, and what a liar had said before all was mended.
const NOTHING_NEW_BYTES_MAX: u64 = 512;
/// Of each area more: its proof there and back, and its quiet root.
const AREA_BYTES: u64 = 100;
/// Bytes of one row, and of each head in a hub's: one of each branch of each feed its writer held.
const ROW_BYTES_MAX: usize = 512;
const HEAD_BYTES: usize = 26;

/// Roots of authority and of records that a node had at one moment.
type Pair = (Root, Root);

/// The newest roots that nodes had, by site and area, the oldest first, each with when it came.
#[derive(Debug, Default)]
pub(super) struct Roots(BTreeMap<(usize, AreaId), VecDeque<(i64, Pair)>>);

impl Roots {
    fn note(&mut self, site: usize, area: AreaId, now: i64, roots: Pair) {
        let had = self.0.entry((site, area)).or_default();
        if had.back().is_some_and(|(_, newest)| *newest == roots) {
            return;
        }
        if had.len() == ROOTS_MAX {
            had.pop_front();
        }
        had.push_back((now, roots));
    }

    /// What a node had at a moment, and since.
    fn had(&self, site: usize, area: AreaId, since: i64) -> impl Iterator<Item = Pair> {
        let had = self.0.get(&(site, area)).into_iter().flat_map(|had| had.iter().rev());
        // The first of these that came before is the one it had then.
        let mut is_before = false;
        had.take_while(move |(came, _)| !std::mem::replace(&mut is_before, *came <= since))
            .map(|(_, pair)| *pair)
    }

    /// Whether a node had this root of records lately, under an authority that one of those others had
    /// it under as well; there may be none.
    fn agree(&self, site: usize, area: AreaId, now: i64, records: Root, others: &[usize]) -> bool {
        let since = now - RECENT;
        let here = self.had(site, area, since).filter(|(_, root)| *root == records);
        let also =
            |pair: Pair| others.iter().any(|it| self.had(*it, area, since).any(|had| had == pair));
        let mut here = here.collect::<BTreeSet<Pair>>().into_iter();
        here.any(|pair| others.is_empty() || also(pair))
    }
}

impl Town {
    /// Whether what a site says is held against what it had.
    fn is_watched(&self, site: usize) -> bool {
        self.config.nodes <= WATCHED_MAX || site < WATCHED_MAX
    }

    /// Holds what a node tells against what it and its peer had.
    pub(super) fn hear(&mut self, site: usize, event: Event) {
        if let Event::Session(seen) = event {
            let kinds = self.wires.get_mut(seen.link).map(|wire| {
                let (_, end) = wire.from(site);
                std::mem::take(&mut wire.moved[end])
            });
            self.note(if seen.equal { "comparison equal" } else { "comparison not equal" });
            if seen.areas.len() > AREAS_SHARED_MAX {
                self.breaks(site, &format!("{} areas of one comparison", seen.areas.len()));
            }
            self.had(site);
            self.unequal.remove(&(site, seen.link));
            if seen.equal {
                self.met(site, &seen.peer);
            } else if self.proving && seen.reason.is_none() {
                let areas = seen.areas.iter().map(|area| area.area.id()).collect();
                self.unequal.insert((site, seen.link), areas);
            }
            if seen.equal && !self.sites[site].hostile {
                self.check_equal(site, &seen);
                self.check_bytes(site, &seen, &kinds.unwrap_or_default());
            }
        }
    }

    /// How much arrived at a node that is on.
    pub(super) fn arrived_at(&self, site: usize) -> Option<u64> {
        Some(self.sites[site].up.as_ref()?.node.replica().arrived())
    }

    /// All were told to compare and rest since: of a link over which all areas have equal roots nobody may
    /// have said in the end that they are not. What came to one of the two meanwhile, a liar's perhaps, may
    /// have made them equal after it was said.
    pub(super) fn look_at_what_was_called_unequal(&mut self) {
        for ((site, link), areas) in std::mem::take(&mut self.unequal) {
            let Some(ends) = self.wires.get(link).map(|wire| wire.ends) else { continue };
            let [Some(one), Some(other)] = ends.map(|end| self.sites[end].up.as_ref()) else {
                continue;
            };
            let alike = |area: &AreaId| {
                check::roots(one.node.replica(), *area) == check::roots(other.node.replica(), *area)
            };
            // Where one of the two knows of a certificate that the other need not learn of (ADR 0030), a part
            // is compared, and nothing is called equal.
            let devices = ends.map(|end| self.sites[end].role.device());
            let places = |up: &Up| devices.map(|it| up.node.replica().authority().interest(&it));
            let agreed = places(one) == places(other);
            let lies = ends.iter().any(|end| self.sites[*end].hostile);
            let rested =
                ends.iter().all(|end| self.arrived.get(end).copied() == self.arrived_at(*end));
            if rested && agreed && !lies && !areas.is_empty() && areas.iter().all(alike) {
                self.breaks(
                    site,
                    &format!("said not equal of equal roots of {areas:?}, between {ends:?}"),
                );
            } else {
                self.note("comparison not equal in the end");
            }
        }
    }

    /// A device that left an incarnation, because entries of it came from others, writes
    /// under it no more: it cannot know what else it wrote there.
    pub(super) fn check_incarnation(&mut self, site: usize) {
        let at = &mut self.sites[site];
        let Some(up) = &at.up else { return };
        let newest = up.node.replica().incarnation();
        let before = std::mem::replace(&mut at.incarnation, newest);
        if before != newest {
            at.retired.insert(before);
        }
        if at.retired.contains(&newest) {
            self.breaks(site, "writes under an incarnation it had left");
        }
    }

    /// Notes the roots a node has now: what it may have proved. They change with what arrived.
    pub(super) fn had(&mut self, site: usize) {
        if !self.is_watched(site) {
            return;
        }
        let now = self.now();
        let Self { sites, cast, roots, .. } = self;
        let Some(up) = &mut sites[site].up else { return };
        let replica = up.node.replica();
        if up.noted_at.replace(replica.arrived()) == Some(replica.arrived()) {
            return;
        }
        // Two that are watched share an area of one of them; all newcomers have one of the cast's.
        for role in cast.roles.iter().take(WATCHED_MAX) {
            roots.note(site, role.area, now, check::roots(replica, role.area));
        }
    }

    fn check_equal(&mut self, site: usize, seen: &Seen) {
        if !self.is_watched(site) {
            return;
        }
        // Copies of a card have one device. Of a liar it counts for nothing what it had.
        let there = self.sites_of(&seen.peer);
        let is_liar = |other: &usize| self.sites[*other].hostile;
        let lies = there.iter().any(is_liar);
        let both = !lies && there.iter().all(|other| self.is_watched(*other));
        let known =
            |area: AreaId| self.cast.roles.iter().take(WATCHED_MAX).any(|role| role.area == area);
        let areas: Vec<(AreaId, Root)> = seen
            .areas
            .iter()
            .map(|area| (area.area.id(), Root(area.root_here.0)))
            .filter(|(area, _)| known(*area))
            .collect();
        for (area, root) in areas {
            let others = if both { self.sites_of(&seen.peer) } else { &[] };
            if !self.roots.agree(site, area, self.now(), root, others) {
                self.breaks(site, &format!("said equal of roots of {area} not both had"));
                return;
            }
            self.note(match (both, lies) {
                (true, _) => "root that both had",
                (false, true) => "root that was called equal to a liar's",
                (false, false) => "root that one had",
            });
        }
    }

    fn check_bytes(&mut self, site: usize, seen: &Seen, kinds: &Kinds) {
        let bytes = seen.received.bytes + seen.sent.bytes;
        let news = seen.received.entries + seen.sent.entries;
        let lies = |site: &usize| self.sites[*site].hostile;
        let lied_to = self.lies_go_on() && self.sites_of(&seen.peer).iter().any(lies);
        if !self.proving || news > 0 || kinds.is_empty() || lied_to {
            return;
        }
        self.note("comparison without news");
        if kinds.values().sum::<u64>() != bytes {
            self.breaks(site, &format!("{bytes} bytes said, {kinds:?} moved"));
        }
        let of_rows: u64 = ROWS.iter().filter_map(|kind| kinds.get(kind)).sum();
        let compared = bytes - of_rows - kinds.get(&PUSH).copied().unwrap_or(0);
        if compared > self.dearest.0 {
            self.dearest = (compared, format!("{kinds:?} {} areas", seen.areas.len()));
        }
        let most = NOTHING_NEW_BYTES_MAX + AREA_BYTES * seen.areas.len() as u64;
        if compared > most {
            let what = format!("{bytes} bytes to learn that nothing is new, by kind {kinds:?}");
            self.breaks(site, &what);
        }
        if of_rows > self.dearest_rows.0 {
            self.dearest_rows = (of_rows, format!("{kinds:?} {} areas", seen.areas.len()));
        }
    }

    /// Whether a row has no more heads than some node that is watched holds. They are counted where the
    /// count of before is too small: that takes as long as there are feeds.
    fn is_short(&mut self, row: &[u8]) -> bool {
        let fits = |heads: usize| row.len() <= ROW_BYTES_MAX + HEAD_BYTES * heads;
        if !fits(self.most_heads) {
            let up = (0..self.sites.len()).filter(|site| self.is_watched(*site));
            let up = up.filter_map(|site| self.sites[site].up.as_ref());
            let heads =
                up.map(|up| up.node.replica().feeds().map(|feed| feed.branches.len()).sum());
            self.most_heads = heads.max().unwrap_or(0).max(self.most_heads);
        }
        fits(self.most_heads)
    }

    /// What goes beside comparisons is pushes and rows, and each goes over a link one way once: their
    /// bytes follow what is new, whatever is compared. Rows of a liar who had another store in between
    /// were forgotten with that store, and are news when it is the liar's again.
    pub(super) fn goes_once(&mut self, site: usize, link: LinkId, frame: &[u8]) {
        let Some(kind) = frame.first().filter(|it| ROWS.contains(it) || **it == PUSH) else {
            return;
        };
        let ends = self.wires.get(link).map(|wire| wire.ends);
        if !ends.is_some_and(|ends| ends.iter().all(|end| self.is_watched(*end))) {
            return;
        }
        if *kind == PUSH {
            let Some(wire) = self.wires.get_mut(link) else { return };
            let (_, way) = wire.from(site);
            if !wire.told[way].insert(hash(&[frame])) {
                self.breaks(
                    site,
                    &format!("{} bytes were pushed twice over one link", frame.len()),
                );
            }
            return;
        }
        let rows: Vec<Message> = match codec::decode(Stream::Control, frame) {
            Ok(Message::Receipts(rows)) => {
                rows.into_iter().map(|row| Message::Receipts(vec![row])).collect()
            }
            Ok(row @ Message::Device(_)) => vec![row],
            Ok(_) | Err(_) => return,
        };
        for said in rows {
            let row = codec::encode(&said);
            let is_denied = match &said {
                Message::Receipts(rows) => {
                    rows.iter().all(|row| self.denied.contains(&row.key.instance))
                }
                _ => false,
            };
            let Some(wire) = self.wires.get_mut(link) else { return };
            let (_, way) = wire.from(site);
            let is_first = wire.told[way].insert(hash(&[&row]));
            self.note("row told");
            if !self.is_short(&row) {
                self.breaks(site, &format!("a row of {} bytes", row.len()));
            }
            if !is_first && is_denied {
                self.note("row told again, of a store that its liar had denied");
            } else if !is_first {
                self.breaks(site, &format!("a row went twice over one link: {said:?}"));
            }
        }
    }
}
