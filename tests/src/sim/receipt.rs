//! What nodes say by receipts is true: how far their own work has come, as of when it is complete
//! there, and the six words of a root.
//!
//! A hub's rows lie in its own store, so it is known what each published; what it holds is known too.

use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::area::{AreaId, Level};
use crdt_schema::entry::ChainPoint;
use crdt_schema::id::{FeedId, Space};
use crdt_schema::time::Timestamp;
use node::answer::Arrived;
use node::ports::{Clock, FeedHeads, FeedStore};
use node::sync::{Root, RowHead};

use super::ground::MINUTE;
use super::row::{Held, Origin, has_published, published, row_of, rows_of};
use super::town::{Town, Up};
use super::wire::Class;
use super::{Tally, told};

/// When the rows of a new link have come: its comparison takes seconds, and they wait for a minute.
const ROWS_COME: i64 = 5 * MINUTE;
/// Arrivals read at once.
const PAGE: usize = 4_096;

impl Town {
    /// No node says that more has arrived than the hub holds and has published, or that it was complete
    /// there later.
    ///
    /// # Errors
    /// What was said.
    pub(super) fn check_receipts(&mut self, site: usize) -> Result<(), String> {
        let mut tally = Tally::new();
        self.figures_hold(site, &mut tally)?;
        for (what, times) in tally {
            *self.tally.entry(what).or_default() += times;
        }
        Ok(())
    }

    fn figures_hold(&self, site: usize, tally: &mut Tally) -> Result<(), String> {
        let Some(up) = self.sites[site].up.as_ref().filter(|_| self.is_honest(site)) else {
            return Ok(());
        };
        let mine = up.node.replica();
        if mine.is_ill() {
            return Ok(());
        }
        let own = self.own_feeds(site, mine);
        for arrived in self.arrived_of(up)? {
            let Some((at, hub)) = self.honest_hub(&arrived.device) else { continue };
            let named = |what: String| format!("{what}: {}", self.told_of(site));
            let said = self.said((mine, at, hub), &own).map_err(named)?;
            *tally.entry("figure of arrival").or_default() += 1;
            let complete = u64::from(arrived.complete_as_of.is_some());
            *tally.entry("figure of arrival, complete as of a moment").or_default() += complete;
            let clock = self.sites[site].clock.now();
            is_as_said(&said, mine, &own, &arrived, clock).map_err(named)?;
        }
        Ok(())
    }

    /// What a node tells to have arrived of its own work.
    fn arrived_of(&self, up: &Up) -> Result<Vec<Arrived>, String> {
        let all = up.node.arrived().map_err(told)?;
        let Some(plant) = self.config.plant else { return Ok(all) };
        let newest = newest_own(up)?;
        Ok(all.into_iter().map(|it| plant.arrived(it, newest)).collect())
    }

    fn own_feeds<'a>(&self, site: usize, mine: &'a Held) -> Vec<&'a FeedHeads> {
        let me = self.sites[site].role.device();
        let own = |feed: &&FeedHeads| feed.name.device == me && feed.name.space == Space::Records;
        mine.feeds().filter(own).collect()
    }

    /// What a hub said about some feeds in the rows that a node holds of it.
    fn said<'a>(
        &self,
        (mine, at, hub): (&'a Held, usize, &'a Held),
        own: &[&FeedHeads],
    ) -> Result<Said<'a>, String> {
        let asked: BTreeSet<FeedId> = own.iter().map(|feed| feed.name.id()).collect();
        let mut said = Said { reached: BTreeMap::new() };
        for row in rows_of(mine, hub.feed_store().instance())? {
            let is_about = |feed: &&FeedId| row.heads.iter().any(|it| feed.0.starts_with(&it.feed));
            let feeds: Vec<FeedId> = asked.iter().filter(is_about).copied().collect();
            if feeds.is_empty() {
                continue;
            }
            let is_asked = |head: &RowHead| is_of(head, &asked);
            let store = match self.origin(at, &row, is_asked)? {
                Origin::Newest | Origin::Older => hub,
                // What a hub said before it was put back was true then.
                Origin::Before => mine,
            };
            for id in feeds {
                let reached = said.reached.entry(id).or_default();
                for branch in store.feed(id).into_iter().flat_map(|held| &held.branches) {
                    for head in &row.heads {
                        let point = store.feed_store().point(id, branch.branch, head.seq);
                        let point = point.map_err(told)?;
                        if point.is_some_and(|point| head.fits(&id, &point)) {
                            let (branch, seq) = (branch.branch, head.seq);
                            reached.push(Reach { store, branch, seq });
                        }
                    }
                }
            }
        }
        Ok(said)
    }

    /// After a heal a village with a line shows its hub's newest row, and as much as that says. One from
    /// the earlier life of a hub that was put back keeps it out.
    ///
    /// # Errors
    /// What is not shown.
    pub(super) fn check_shown(&mut self, site: usize) -> Result<(), String> {
        let Some(what) = self.shows(site)? else { return Ok(()) };
        self.note(what);
        Ok(())
    }

    fn shows(&self, site: usize) -> Result<Option<&'static str>, String> {
        let at = &self.sites[site];
        let Some(up) = at.up.as_ref().filter(|_| self.is_honest(site)) else { return Ok(None) };
        let Some(above) = self.above(site) else { return Ok(None) };
        if at.role.level() != Level::Desa || at.class == Class::None {
            return Ok(None);
        }
        let device = self.sites[above].role.device();
        let Some((above, hub)) = self.honest_hub(&device) else { return Ok(None) };
        let (mine, area) = (up.node.replica(), at.role.area);
        // One that waits for its confirmation hears nothing, and nothing of it counts.
        if mine.is_ill() || !mine.authority().holds(&at.role.device()).contains(&area) {
            return Ok(None);
        }
        let now = self.now();
        let link = self.wires.of(site).map(|(_, wire)| wire).find(|wire| {
            wire.ends.contains(&above) && !wire.closing && now - wire.since >= ROWS_COME
        });
        let Some(link) = link else {
            // Whoever was refused once dials further up, and stays there.
            let mut ups = std::iter::successors(Some(above), |hub| self.sites[*hub].role.above);
            return if ups.any(|hub| self.linked(site, hub)) {
                Ok(Some("village linked to a hub further up, or just so, when all was mended"))
            } else {
                Err(format!("linked to none of its hubs: {}", self.told_of(site)))
            };
        };
        let Some(newest) = published(hub, area)? else { return Ok(None) };
        let own = self.own_feeds(site, mine);
        let asked: BTreeSet<FeedId> = own.iter().map(|feed| feed.name.id()).collect();
        let held = row_of(mine, newest.key.instance, area)?;
        let named = |what: String| {
            let view = hub.authority().member(&at.role.device()).map(|it| it.state);
            format!("at {now} ms, site {site}: {what}: {}, there {view:?}", self.told_of(site))
        };
        // What a full disk refused is not told again over a link that outlived it, whatever it holds
        // instead.
        let was_refused = at.refused_at >= Some(link.since);
        let refused = Ok(Some("true row refused by a full disk, and not told again"));
        if held.is_none() && was_refused {
            return refused;
        }
        let row = held.ok_or("nothing of what its hub published of its area".to_owned());
        let row = row.map_err(named)?;
        match self.origin(above, &row, |head| is_of(head, &asked)).map_err(named)? {
            Origin::Newest => {}
            Origin::Before if row.counter >= newest.counter => {
                return Ok(Some("true row kept out by one from before a hub was put back"));
            }
            Origin::Older | Origin::Before if was_refused => return refused,
            Origin::Older | Origin::Before => {
                let (row, newest) = (row.counter, newest.counter);
                return Err(named(format!("row {row} of its hub, whose newest is {newest}")));
            }
        }
        let Some(shown) = self.arrived_of(up)?.into_iter().find(|it| it.device == device) else {
            return Err(named("no figure of arrival of its hub".to_owned()));
        };
        let held = self.said((mine, above, hub), &own).map_err(named)?.held(mine, &own)?;
        if shown.held < held {
            return Err(named(format!("{} entries are shown as arrived of {held}", shown.held)));
        }
        Ok(Some("newest row of its hub shown"))
    }

    /// Two nodes read out the same six words of an area exactly where they have the same root, and
    /// only as of a moment that the hub they name has published.
    ///
    /// # Errors
    /// Which words do not fit.
    pub(super) fn check_words(&mut self, compared: &BTreeSet<AreaId>) -> Result<(), String> {
        let (mut words_of, mut root_of) = (BTreeMap::new(), BTreeMap::new());
        let mut read = 0;
        for site in self.on() {
            let Some(up) = &self.sites[site].up else { continue };
            let replica = up.node.replica();
            let (authority, me) = (replica.authority(), self.sites[site].role.device());
            for area in self.villages_within(&authority.interest(&me), authority.tree()) {
                let code = authority.tree().code(area).filter(|_| compared.contains(&area));
                let Some(code) = code.map(|code| code.to_string()) else { continue };
                let mut seen = up.node.root(Some(&code)).map_err(told)?;
                if let Some(plant) = self.config.plant {
                    seen = plant.read_out(seen, self.sites[site].role.level() < Level::Desa);
                }
                let (Some(words), Some(moment)) = (seen.words, seen.moment) else { continue };
                read += 1;
                let root = replica.summary().root(area).cut();
                if Root(seen.root.0).cut() != root
                    || *words_of.entry(root).or_insert_with(|| words.clone()) != words
                    || *root_of.entry(words.clone()).or_insert(root) != root
                {
                    return Err(format!(
                        "site {site}: {words:?} of {area}: not the words of its root"
                    ));
                }
                let Some((at, hub)) = self.honest_hub(&moment.device) else { continue };
                if has_published(hub, area, moment.counter, root)? {
                    continue;
                }
                let before = self.sites[at].before.as_ref();
                if before.is_some_and(|it| it.counters.get(&area) >= Some(&moment.counter)) {
                    continue;
                }
                return Err(format!(
                    "site {site}: {words:?} of {area} as of {moment:?}, which nobody published"
                ));
            }
        }
        *self.tally.entry("six words read out").or_default() += read;
        Ok(())
    }
}

fn is_of(head: &RowHead, feeds: &BTreeSet<FeedId>) -> bool {
    feeds.iter().any(|feed| feed.0.starts_with(&head.feed))
}

/// When the newest of a node's own arrivals came.
fn newest_own(up: &Up) -> Result<Option<Timestamp>, String> {
    let (mine, me) = (up.node.replica(), up.node.device());
    let all = mine.feed_store().arrivals(0, usize::MAX).map_err(told)?;
    let own = all.iter().filter(|it| {
        let name = mine.feed(it.feed).map(|feed| feed.name);
        name.is_some_and(|it| it.device == me && it.space == Space::Records)
    });
    Ok(own.map(|it| it.received_at).max())
}

/// What a node shows of a hub is no more than was said: of a moment up to which all has come, that one
/// before the first missing came then, that no missing one came earlier, and that its clock has been there.
fn is_as_said(
    said: &Said<'_>,
    mine: &Held,
    own: &[&FeedHeads],
    arrived: &Arrived,
    clock: Timestamp,
) -> Result<(), String> {
    let held = said.held(mine, own)?;
    if arrived.held > held {
        return Err(format!("{} entries are said to have come, {held} did", arrived.held));
    }
    let Some(at) = arrived.complete_as_of else { return Ok(()) };
    let (times, missing) = said.complete(mine, own)?;
    if times.contains(&at.0) && missing.is_none_or(|missing| at.0 < missing) && at.0 <= clock {
        return Ok(());
    }
    let newest = times.last();
    Err(format!(
        "all is said to have come as of {at:?}, and had as of {newest:?}, missing since {missing:?}, at {clock:?}"
    ))
}

/// Up to where a row reaches, on a branch of whoever can show it.
#[derive(Debug, Clone, Copy)]
struct Reach<'a> {
    store: &'a Held,
    branch: u32,
    seq: u64,
}

/// What rows say about some feeds.
struct Said<'a> {
    reached: BTreeMap<FeedId, Vec<Reach<'a>>>,
}

impl Said<'_> {
    /// Entries of a node's own feeds that have come, of those that are not quarantined.
    fn held(&self, mine: &Held, own: &[&FeedHeads]) -> Result<u64, String> {
        let mut held = 0;
        for feed in own {
            let id = feed.name.id();
            for (branch, first, last) in mine.parts_in_reach(feed).map_err(told)? {
                for seq in (first..=last).rev() {
                    let entry = mine.feed_store().point(id, branch, seq).map_err(told)?;
                    if self.covers(id, entry.ok_or("a place without an entry")?)? {
                        held += seq - first + 1;
                        break;
                    }
                }
            }
        }
        Ok(held)
    }

    /// Whether an entry has come.
    fn covers(&self, feed: FeedId, entry: ChainPoint) -> Result<bool, String> {
        let reached = self.reached.get(&feed).into_iter().flatten();
        for it in reached.filter(|it| it.seq >= entry.seq) {
            let point = it.store.feed_store().point(feed, it.branch, entry.seq);
            if point.map_err(told)? == Some(entry) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// When each of a node's own arrivals was written that lies before the first the hub has not, and the
    /// earliest moment of any it has not: of a clock that ran ahead the two overlap. What is quarantined is
    /// asked of nobody.
    fn complete(
        &self,
        mine: &Held,
        own: &[&FeedHeads],
    ) -> Result<(BTreeSet<Timestamp>, Option<Timestamp>), String> {
        let store = mine.feed_store();
        let mut until = BTreeMap::new();
        for feed in own {
            for (branch, _, last) in mine.parts_in_reach(feed).map_err(told)? {
                until.insert((feed.name.id(), branch), last);
            }
        }
        let (mut times, mut missing, mut after) = (BTreeSet::new(), None::<Timestamp>, 0);
        loop {
            let page = store.arrivals(after, PAGE).map_err(told)?;
            let Some(last) = page.last() else { return Ok((times, missing)) };
            after = last.number;
            for arrival in page {
                let Some(until) = until.get(&(arrival.feed, arrival.branch)) else { continue };
                if arrival.first <= *until {
                    let newest = arrival.last.min(*until);
                    let entry = store.point(arrival.feed, arrival.branch, newest).map_err(told)?;
                    let entry = entry.ok_or("an arrival without an entry")?;
                    if !self.covers(arrival.feed, entry)? {
                        let earliest = missing.unwrap_or(arrival.received_at);
                        missing = Some(earliest.min(arrival.received_at));
                        continue;
                    }
                }
                if missing.is_none() {
                    times.insert(arrival.received_at);
                }
            }
        }
    }
}
