//! The rules of authority told again, as `docs/architecture.md` tells them, without any care for
//! time: sets that are searched from one end to the other.

use std::collections::BTreeSet;

use crdt_schema::area::{AreaId, Level};
use crdt_schema::authority::{Alias, DeviceKeys, FeedEnd, Payload, Rights};
use crdt_schema::entry::ChainPoint;
use crdt_schema::id::{DeviceId, EntryId, FeedId, FeedName, Space};
use node::authority::{AuthorityEntry, Standing};

use super::cast::World;

/// A certificate that counts.
#[derive(Clone)]
struct Given {
    device: DeviceId,
    area: AreaId,
    rights: Rights,
}

/// An entry that was heard, and the level of who wrote it.
type Heard = (Level, AuthorityEntry);

/// Where the feeds of a device end.
#[derive(Clone)]
struct Ended {
    device: DeviceId,
    ends: Vec<FeedEnd>,
}

/// What counts.
#[derive(Clone)]
pub(crate) struct Naive {
    said: Vec<AuthorityEntry>,
    given: Vec<Given>,
    placed: Vec<(Heard, Alias)>,
    heard: Vec<Heard>,
    ended: Vec<Ended>,
    /// With the level each device has.
    levels: Vec<(DeviceId, Level)>,
}

impl Naive {
    /// What everything that was written comes to.
    pub(crate) fn of(world: &World) -> Self {
        let root = world.statement.statement();
        let rights = Rights::above_desa().with(Rights::ERASE);
        let devices = root.devices.iter().map(DeviceKeys::device);
        let given = devices.map(|device| Given { device, area: root.area, rights }).collect();
        let mut naive = Self {
            said: world.entries.clone(),
            given,
            placed: Vec::new(),
            heard: Vec::new(),
            ended: Vec::new(),
            levels: Vec::new(),
        };
        for level in [Level::Provinsi, Level::Kabupaten, Level::Kecamatan, Level::Desa] {
            naive.hear(level);
        }
        naive
    }

    /// Everything the devices of one level say, all at once.
    fn hear(&mut self, level: Level) {
        let mut devices: Vec<DeviceId> = self.given.iter().map(|given| given.device).collect();
        devices.sort_unstable();
        devices.dedup();
        devices.retain(|device| self.highest(*device) == Some(level));
        for device in &devices {
            self.levels.push((*device, level));
            let areas: Vec<AreaId> = self.given_to(*device).map(|given| given.area).collect();
            let ends = self.ends_of(*device, &areas);
            self.ended.extend(ends.map(|ends| Ended { device: *device, ends }));
        }
        let speaks = |entry: &&AuthorityEntry| {
            devices.contains(&entry.feed.device)
                && self.is_within(entry)
                && self.issues(entry.feed.device, entry.feed.area)
        };
        let heard: Vec<Heard> =
            self.said.iter().filter(speaks).map(|entry| (level, entry.clone())).collect();
        let placed: Vec<(Heard, Alias)> = heard.iter().filter_map(|it| self.places(it)).collect();
        self.placed.extend(placed);
        let given: Vec<Given> = heard.iter().filter_map(|it| self.gives(it)).collect();
        self.given.extend(given);
        self.heard.extend(heard);
    }

    /// The highest level a device is certified for.
    fn highest(&self, device: DeviceId) -> Option<Level> {
        self.given_to(device).map(|given| given.area.level()).min()
    }

    fn given_to(&self, device: DeviceId) -> impl Iterator<Item = &Given> {
        self.given.iter().filter(move |given| given.device == device)
    }

    /// A certificate, or the confirmation of one, in the area it is about, which lies below the
    /// issuer's level and within what it may issue for.
    fn gives(&self, (level, entry): &Heard) -> Option<Given> {
        let certificate = match entry.payload.as_ref() {
            Some(Payload::Certificate(it)) if it.invited.is_none() => it,
            Some(Payload::Confirmation(it)) => &it.certificate,
            _ => return None,
        };
        let fits = certificate.area == entry.feed.area
            && certificate.area.level() > *level
            && self.issues(entry.feed.device, certificate.area);
        let (device, area) = (certificate.keys.device(), certificate.area);
        fits.then_some(Given { device, area, rights: certificate.rights })
    }

    /// A new place for an area below the author, between parents that lie below it too, or are its
    /// own area.
    fn places(&self, heard: &Heard) -> Option<(Heard, Alias)> {
        let (level, entry) = heard;
        let Some(Payload::Alias(alias)) = &entry.payload else { return None };
        let author = entry.feed.device;
        let is_above = |parent: AreaId| {
            let own = self.given_to(author).any(|given| given.area == parent);
            self.issues(author, parent) && (parent.level() > *level || own)
        };
        let counts = alias.area.level() > *level
            && self.issues(author, alias.area)
            && self.parent(alias.area).is_none_or(is_above)
            && is_above(alias.parent);
        counts.then(|| (heard.clone(), alias.clone()))
    }

    fn issues(&self, device: DeviceId, area: AreaId) -> bool {
        self.has(device, Rights::ISSUE, area)
    }

    fn has(&self, device: DeviceId, right: Rights, area: AreaId) -> bool {
        self.given_to(device).any(|it| it.rights.has(right) && self.ever_covers(it.area, area))
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

    /// What was said about a device by those above all it is certified for.
    fn said_from_above(&self, device: DeviceId, areas: &[AreaId]) -> impl Iterator<Item = &Heard> {
        self.heard.iter().filter(move |(level, entry)| {
            let author = entry.feed.device;
            let is_above = |area: &AreaId| area.level() > *level && self.issues(author, *area);
            author != device && areas.iter().all(is_above)
        })
    }

    /// Where a device ends, if it does: a feed that is not named does not count at all.
    fn ends_of(&self, device: DeviceId, areas: &[AreaId]) -> Option<Vec<FeedEnd>> {
        let mut words: Vec<Vec<FeedEnd>> = Vec::new();
        let (mut cuts, mut is_revoked) = (Vec::new(), false);
        for (_, entry) in self.said_from_above(device, areas) {
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
            words.push(what_cuts_leave(&cuts));
        }
        let above = what_all_leave(&words);
        let own = self.said.iter().filter(|entry| entry.feed.device == device);
        for entry in own {
            let heard = above.as_ref().is_none_or(|ends| self.leaves(ends, entry));
            if let Some(Payload::Closing(closing)) = &entry.payload
                && closing.device == device
                && heard
            {
                let here = FeedEnd { feed: entry.feed.id(), last: entry.point };
                let others = closing.ends.iter().filter(|end| end.feed != here.feed);
                words.push(others.copied().chain([here]).collect());
            }
        }
        what_all_leave(&words)
    }

    fn is_within(&self, entry: &AuthorityEntry) -> bool {
        let mut ended = self.ended.iter().filter(|ended| ended.device == entry.feed.device);
        ended.next().is_none_or(|ended| self.leaves(&ended.ends, entry))
    }

    /// Whether an entry lies on the way back from where its feed ends.
    fn leaves(&self, ends: &[FeedEnd], entry: &AuthorityEntry) -> bool {
        let feed = entry.feed.id();
        let Some(end) = ends.iter().find(|end| end.feed == feed) else { return false };
        let mut at = end.last;
        while at != entry.point {
            let held = self.said.iter().find(|it| it.feed.id() == feed && it.point == at);
            let Some(held) = held.filter(|it| it.point.seq > 1) else { return false };
            at = ChainPoint { seq: held.point.seq - 1, id: held.prev };
        }
        true
    }

    /// How a feed stands.
    pub(crate) fn standing(&self, name: &FeedName) -> Standing {
        let is_known = self.given_to(name.device).next().is_some();
        if !is_known {
            return self.waits(name);
        }
        if !self.may_write(name, |above| self.ever_covers(above, name.area)) {
            return Standing::Outside;
        }
        let feed = name.id();
        if let Some(ended) = self.ended.iter().find(|ended| ended.device == name.device) {
            return Standing::CountsUntil(last_of(&ended.ends, feed));
        }
        // A move ends records only.
        if name.space == Space::Authority
            || self.may_write(name, |above| self.covers_today(above, name.area))
        {
            return Standing::Counts;
        }
        let (mut here, mut named): (_, Vec<FeedEnd>) = (vec![name.area], Vec::new());
        while let Some(area) = here.pop() {
            if let Some((_, alias)) = self.aliases(area).first() {
                named.extend(&alias.closes);
            }
            let moved = self.placed.iter().filter(|(_, it)| it.area == area);
            here.extend(moved.map(|(_, it)| it.parent).chain(first_parent(area)));
        }
        let ends = named.iter().filter(|end| end.feed == feed).map(|end| end.last);
        Standing::CountsUntil(ends.min().unwrap_or(ChainPoint::START))
    }

    /// What of a feed was adopted by the authority of its area, and by whom its device stands below.
    pub(crate) fn adopted(&self, name: &FeedName) -> BTreeSet<(u64, ChainPoint)> {
        let Some(below) = self.highest(name.device).or_else(|| self.asked_at(name)) else {
            return BTreeSet::new();
        };
        let speaks = |(level, entry): &&Heard| entry.feed.area == name.area && *level < below;
        let said = self.heard.iter().filter(speaks).filter_map(|(_, entry)| match &entry.payload {
            Some(Payload::Adoption(adoption)) => Some(&adoption.ranges),
            _ => None,
        });
        let of_feed = said.flatten().filter(|(feed, ..)| *feed == name.id());
        of_feed.map(|(_, first, last)| (*first, *last)).collect()
    }

    /// The level of what a device that waits was invited to.
    fn asked_at(&self, name: &FeedName) -> Option<Level> {
        (self.waits(name) != Standing::Unknown).then_some(Level::Desa)
    }

    /// Records by who may write them; authority by who issues, and in one's own area.
    fn may_write(&self, name: &FeedName, reaches: impl Fn(AreaId) -> bool) -> bool {
        self.given_to(name.device).any(|given| match name.space {
            Space::Records => given.rights.has(Rights::WRITE) && reaches(given.area),
            Space::Authority => {
                (given.rights.has(Rights::ISSUE) && reaches(given.area)) || given.area == name.area
            }
        })
    }

    /// A device nobody certified: with an invitation that counts it waits, in its area; or counts
    /// at once, open data only, until somebody ends it.
    fn waits(&self, name: &FeedName) -> Standing {
        let own = self.said.iter().filter(|entry| entry.feed.device == name.device);
        for entry in own {
            let Some(Payload::Certificate(own)) = &entry.payload else { continue };
            let Some((id, signature)) = &own.invited else { continue };
            let invited = self.heard.iter().find_map(|(level, by)| match &by.payload {
                Some(Payload::Invitation(it)) if by.point.id == *id => {
                    let may = it.area.level() > *level && self.issues(by.feed.device, it.area);
                    may.then_some(it)
                }
                _ => None,
            });
            let fits = invited.filter(|it| {
                it.area == own.area
                    && it.area == entry.feed.area
                    && own.keys.device() == name.device
                    && it.rights.has(own.rights)
                    && it.key.verify(&own.invited_message(*id), signature).is_ok()
            });
            if let Some(invited) = fits {
                let here = own.rights.has(Rights::WRITE) && self.ever_covers(own.area, name.area);
                let is_own = name.space == Space::Authority && own.area == name.area;
                let is_here = if name.space == Space::Records { here } else { is_own };
                if !is_here {
                    return Standing::Outside;
                }
                if !invited.counts_at_once {
                    return Standing::Provisional;
                }
                let ends = self.ends_of(name.device, &[own.area]);
                let end = ends.map(|ends| last_of(&ends, name.id()));
                return match name.space {
                    Space::Records => Standing::OpenCounts(end),
                    Space::Authority => end.map_or(Standing::Counts, Standing::CountsUntil),
                };
            }
        }
        Standing::Unknown
    }

    /// The level a device speaks at; `None` for who is nobody.
    pub(crate) fn level(&self, device: DeviceId) -> Option<Level> {
        self.levels.iter().find(|(known, _)| *known == device).map(|(_, level)| *level)
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

/// Where an area lay first.
fn first_parent(area: AreaId) -> Option<AreaId> {
    Some(area.first_code()?.parent()?.first_id())
}

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

/// Cuts of one area narrow each other, those of different areas add up.
fn what_cuts_leave(cuts: &[(AreaId, Vec<FeedEnd>)]) -> Vec<FeedEnd> {
    let mut areas: Vec<AreaId> = cuts.iter().map(|(area, _)| *area).collect();
    areas.sort_unstable();
    areas.dedup();
    let of = |area: AreaId| {
        let words: Vec<Vec<FeedEnd>> =
            cuts.iter().filter(|(at, _)| *at == area).map(|(_, ends)| ends.clone()).collect();
        what_all_leave(&words).unwrap_or_default()
    };
    areas.into_iter().flat_map(of).collect()
}
