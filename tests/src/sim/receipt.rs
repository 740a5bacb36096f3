//! What nodes say by receipts is true: how far their own work has come, as of when it is complete
//! there, and the six words of a root.
//!
//! A hub's rows lie in its own store, so it is known what each published; what it holds is known too.

use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::area::AreaId;
use crdt_schema::codec::Reader;
use crdt_schema::entry::ChainPoint;
use crdt_schema::id::{DeviceId, FeedId, Space};
use crdt_schema::time::Timestamp;
use node::ports::{FeedHeads, FeedStore};
use node::replica::Replica;
use node::store::lent::{Feeds, Views};
use node::sync::{CutRoot, ReceiptRow, Root};

use super::told;
use super::town::Town;

/// Names of the values that hold rows of hubs: this, the store, the area.
const RECEIPT: &[u8] = b"receipt/";
/// Arrivals read at once.
const PAGE: usize = 4_096;

/// What a node's entries lie in.
type Held = Replica<Feeds, Views>;

impl Town {
    /// No node says that more has arrived than the hub holds and has published, or that it was complete
    /// there later.
    ///
    /// # Errors
    /// What was said.
    pub(super) fn check_receipts(&self, site: usize) -> Result<(), String> {
        let Some(up) = self.sites[site].up.as_ref().filter(|_| self.is_honest(site)) else {
            return Ok(());
        };
        let mine = up.node.replica();
        if mine.is_ill() {
            return Ok(());
        }
        let me = self.sites[site].role.device();
        let own: Vec<&FeedHeads> = mine
            .feeds()
            .filter(|feed| feed.name.device == me && feed.name.space == Space::Records)
            .collect();
        for arrived in up.node.status().map_err(told)?.arrived {
            let Some(hub) = self.honest_hub(&arrived.device) else { continue };
            let said = Said::about(hub, &own)?;
            let mut held = 0;
            for feed in &own {
                held += said.held(mine, hub, feed)?;
            }
            if arrived.held > held {
                let (told, who) = (arrived.held, self.told_of(site));
                return Err(format!("{told} entries are said to have come, {held} did: {who}"));
            }
            let Some(at) = arrived.complete_as_of else { continue };
            let times = said.complete(mine, hub, &own)?;
            if !times.contains(&at.0) {
                let (newest, who) = (times.last(), self.told_of(site));
                return Err(format!(
                    "all is said to have come as of {at:?}, and had as of {newest:?}: {who}"
                ));
            }
        }
        Ok(())
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
                let seen = up.node.root(Some(&code)).map_err(told)?;
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
                let Some(hub) = self.honest_hub(&moment.device) else { continue };
                if !has_published(hub, area, moment.counter, root)? {
                    return Err(format!(
                        "site {site}: {words:?} of {area} as of {moment:?}, which nobody published"
                    ));
                }
            }
        }
        *self.tally.entry("six words read out").or_default() += read;
        Ok(())
    }

    /// The entries of a hub that is on and does not lie.
    fn honest_hub(&self, device: &DeviceId) -> Option<&Held> {
        let site = self.sites.iter().position(|it| it.role.device() == *device)?;
        let up = self.sites[site].up.as_ref().filter(|_| self.is_honest(site))?;
        Some(up.node.replica()).filter(|replica| !replica.is_ill())
    }
}

/// The newest row a hub published about an area.
fn published(hub: &Held, area: AreaId) -> Result<Option<ReceiptRow>, String> {
    let store = hub.feed_store();
    let name = [RECEIPT, &store.instance().0, area.as_bytes()].concat();
    let Some(value) = store.value(&name).map_err(told)? else { return Ok(None) };
    // Before the row stands what kind of value it is.
    ReceiptRow::read(&mut Reader::new(&value[1..])).map(Some).map_err(told)
}

/// Whether a hub published a row with this number, and if that is its newest, with this root.
fn has_published(hub: &Held, area: AreaId, counter: u64, root: CutRoot) -> Result<bool, String> {
    let newest = published(hub, area)?;
    Ok(newest
        .is_some_and(|row| counter < row.counter || (counter, root) == (row.counter, row.root)))
}

/// What a hub published about some feeds: of each branch it holds up to where.
struct Said(BTreeMap<FeedId, Vec<(u32, u64)>>);

impl Said {
    fn about(hub: &Held, feeds: &[&FeedHeads]) -> Result<Self, String> {
        let mut said = BTreeMap::new();
        for feed in feeds {
            let id = feed.name.id();
            let heads = published(hub, feed.name.area)?.map_or_else(Vec::new, |row| row.heads);
            let mut reached = Vec::new();
            for branch in hub.feed(id).into_iter().flat_map(|held| &held.branches) {
                for head in heads.iter().filter(|it| id.0.starts_with(&it.feed)) {
                    let point =
                        hub.feed_store().point(id, branch.branch, head.seq).map_err(told)?;
                    if point.is_some_and(|point| head.fits(&id, &point)) {
                        reached.push((branch.branch, head.seq));
                    }
                }
            }
            said.insert(id, reached);
        }
        Ok(Self(said))
    }

    /// Entries of a node's own feed that the hub holds and published, of those that are not quarantined.
    fn held(&self, mine: &Held, hub: &Held, feed: &FeedHeads) -> Result<u64, String> {
        let (id, mut held) = (feed.name.id(), 0);
        for (branch, first, last) in mine.parts_in_reach(feed).map_err(told)? {
            for seq in (first..=last).rev() {
                let entry = mine.feed_store().point(id, branch, seq).map_err(told)?;
                if self.covers(hub, id, entry.ok_or("a place without an entry")?)? {
                    held += seq - first + 1;
                    break;
                }
            }
        }
        Ok(held)
    }

    /// Whether it holds and published an entry.
    fn covers(&self, hub: &Held, feed: FeedId, entry: ChainPoint) -> Result<bool, String> {
        let reached = self.0.get(&feed).into_iter().flatten();
        for (branch, _) in reached.filter(|(_, seq)| *seq >= entry.seq) {
            if hub.feed_store().point(feed, *branch, entry.seq).map_err(told)? == Some(entry) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// When each of a node's own arrivals came, as long as the hub holds it and published so; what is
    /// quarantined is asked of nobody.
    fn complete(
        &self,
        mine: &Held,
        hub: &Held,
        own: &[&FeedHeads],
    ) -> Result<BTreeSet<Timestamp>, String> {
        let store = mine.feed_store();
        let mut until = BTreeMap::new();
        for feed in own {
            for (branch, _, last) in mine.parts_in_reach(feed).map_err(told)? {
                until.insert((feed.name.id(), branch), last);
            }
        }
        let (mut times, mut after) = (BTreeSet::new(), 0);
        loop {
            let page = store.arrivals(after, PAGE).map_err(told)?;
            let Some(last) = page.last() else { return Ok(times) };
            after = last.number;
            for arrival in page {
                let Some(until) = until.get(&(arrival.feed, arrival.branch)) else { continue };
                if arrival.first <= *until {
                    let newest = arrival.last.min(*until);
                    let entry = store.point(arrival.feed, arrival.branch, newest).map_err(told)?;
                    let entry = entry.ok_or("an arrival without an entry")?;
                    if !self.covers(hub, arrival.feed, entry)? {
                        return Ok(times);
                    }
                }
                times.insert(arrival.received_at);
            }
        }
    }
}
