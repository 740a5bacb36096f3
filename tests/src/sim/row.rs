//! Rows of hubs: what a hub published, and what others hold of it. They are signed: what nobody
//! published is held by nobody, whatever liars make of it.

use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::area::{AreaId, Level};
use crdt_schema::codec::Reader;
use crdt_schema::entry::ChainPoint;
use crdt_schema::id::{DeviceId, FeedId, Space, StoreInstance};
use node::ports::FeedStore;
use node::replica::Replica;
use node::store::lent::{Feeds, Views};
use node::sync::receipt::ROW_FEEDS_MAX;
use node::sync::{CutRoot, DeviceRow, ReceiptRow, RowHead};

use super::told;
use super::town::Town;

/// Names of the values that hold rows of hubs: this, the store, the area.
pub(super) const RECEIPT: &[u8] = b"receipt/";

/// And those that say which device a store is.
pub(super) const DEVICE: &[u8] = b"device/";

/// What a node's entries lie in.
pub(super) type Held = Replica<Feeds, Views>;

/// Where a row comes from that names an honest hub's store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The hub's newest.
    Newest,
    /// An older one of the hub: what it names was held when it was said, and is.
    Older,
    /// A hub that was put back said it in its earlier life, and may not have met those since who
    /// hold what it named.
    Before,
}

impl Town {
    /// The lie that would be believed if rows were not signed: an honest hub's row, passed on under a
    /// higher number, and with the newest heads and the root that the liar knows.
    pub(super) fn raise(&mut self, site: usize, row: &mut ReceiptRow) -> bool {
        let is_honest = |it: usize| self.is_honest(it) && self.is_store_of(it, row.key.instance);
        if !(0..self.sites.len()).any(is_honest) {
            return false;
        }
        let Some(up) = &self.sites[site].up else { return false };
        let replica = up.node.replica();
        let feeds = replica.feeds().filter(|feed| feed.name.area == row.key.area);
        let heads = feeds.filter(|feed| feed.name.space == Space::Records).flat_map(|feed| {
            let id = feed.name.id();
            feed.branches.iter().map(move |branch| RowHead::new(&id, &branch.head.point))
        });
        let mut heads: Vec<RowHead> = heads.take(ROW_FEEDS_MAX).collect();
        heads.sort_unstable();
        heads.dedup();
        row.heads = heads;
        row.root = replica.summary().root(row.key.area).cut();
        // A little: true ones are as new soon. Or so much that none ever is.
        let (little, much) = (1 + self.numbers.below(4) as u64, 1 << 40);
        row.counter += if self.numbers.chance(80) { little } else { much };
        true
    }

    pub(super) fn is_store_of(&self, site: usize, instance: StoreInstance) -> bool {
        let up = self.sites[site].up.as_ref();
        up.is_some_and(|up| up.node.replica().feed_store().instance() == instance)
    }

    /// A hub that is on and does not lie, and what it holds.
    pub(super) fn honest_hub(&self, device: &DeviceId) -> Option<(usize, &Held)> {
        let site = self.sites_of(device).first()?;
        let up = self.sites[*site].up.as_ref().filter(|_| self.is_honest(*site))?;
        Some((*site, up.node.replica())).filter(|(_, replica)| !replica.is_ill())
    }

    /// Where a row about this hub's store comes from. Of an older one the hub must hold what it names of
    /// the feeds that are asked about: what counts may have become less since, what is held may not.
    ///
    /// # Errors
    /// That nobody can have said so.
    pub(super) fn origin(
        &self,
        hub: usize,
        row: &ReceiptRow,
        is_asked: impl Fn(&RowHead) -> bool,
    ) -> Result<Origin, String> {
        let Some(up) = &self.sites[hub].up else { return Err("a hub that is off".to_owned()) };
        let held = up.node.replica();
        let newest = published(held, row.key.area)?;
        if newest.as_ref() == Some(row) {
            return Ok(Origin::Newest);
        }
        let before = self.sites[hub].before.as_ref();
        let is_before =
            before.is_some_and(|it| it.counters.get(&row.key.area) >= Some(&row.counter));
        if is_before && before.is_some_and(|it| !it.has_met) {
            return Ok(Origin::Before);
        }
        let number = newest.as_ref().map_or(0, |newest| newest.counter);
        let unheld = unheld(held, row, is_asked)?;
        if (row.counter < number || is_before) && unheld.is_none() {
            return Ok(if is_before { Origin::Before } else { Origin::Older });
        }
        let (counter, area) = (row.counter, row.key.area);
        Err(match unheld.filter(|_| row.counter < number) {
            Some(head) => format!("row {counter} of {area} names {head:?}, which is not held"),
            None => format!("row {counter} of {area}, of which {number} is the newest"),
        })
    }

    /// Stores of nodes that do not lie, are on and are well, and whose they are.
    pub(super) fn honest_stores(&self) -> BTreeMap<StoreInstance, usize> {
        let sites = self.honest().into_iter().filter_map(|site| {
            let replica = self.sites[site].up.as_ref()?.node.replica();
            Some((replica.feed_store().instance(), site)).filter(|_| !replica.is_ill())
        });
        sites.collect()
    }

    /// After a heal every row that a node holds, of whatever area and hub, is one that the hub published,
    /// and every word of a device about itself is its own. How many of each were looked at, without its own.
    ///
    /// # Errors
    /// What nobody said.
    pub(super) fn check_rows(
        &self,
        site: usize,
        stores: &BTreeMap<StoreInstance, usize>,
    ) -> Result<[u64; 2], String> {
        let [mut hubs, mut devices] = [0; 2];
        let Some(up) = self.sites[site].up.as_ref() else { return Ok([0; 2]) };
        let mine = up.node.replica();
        let named = |what: String| format!("site {site} holds a row nobody published: {what}");
        for (_, value) in mine.feed_store().values(RECEIPT).map_err(told)? {
            let row = read_row(&value)?;
            let from = stores.get(&row.key.instance).filter(|from| **from != site);
            let Some(from) = from else { continue };
            // What a hub that was put back held before may be gone with a village that was lost as well.
            let is_whole = self.sites[*from].before.is_none();
            self.origin(*from, &row, |_| is_whole).map_err(named)?;
            if !row.is_signed_with(&self.sites[*from].role.keys.signing) {
                return Err(named(format!("{} of {}", row.counter, row.key.area)));
            }
            hubs += 1;
        }
        for (_, value) in mine.feed_store().values(DEVICE).map_err(told)? {
            let row = device_row(&value).ok_or("a row of a device that cannot be read")?;
            // Whatever store it names: a liar may name one that nobody has.
            let sites = self.sites_of(&row.device);
            let Some(from) = sites.first().filter(|_| !sites.contains(&site)) else { continue };
            if !row.is_signed_with(&self.sites[*from].role.keys.signing) {
                return Err(named(format!("{} of site {from}", row.counter)));
            }
            devices += 1;
        }
        Ok([hubs, devices])
    }

    /// After a heal a hub's newest row names the root it has, and its counting heads, at most
    /// [`ROW_FEEDS_MAX`], and nothing else.
    ///
    /// # Errors
    /// What its rows say instead.
    pub(super) fn check_published(&self, site: usize) -> Result<(), String> {
        let Some(up) = self.sites[site].up.as_ref().filter(|_| self.is_honest(site)) else {
            return Ok(());
        };
        let held = up.node.replica();
        if self.sites[site].role.level() == Level::Desa || held.is_ill() {
            return Ok(());
        }
        let interest = held.authority().interest(&self.sites[site].role.device());
        for area in self.villages_within(&interest, held.authority().tree()) {
            let named = |what: &str| Err(format!("site {site}: the newest row of {area} {what}"));
            let heads = held
                .summary()
                .feeds(Space::Records, area)
                .flat_map(|(id, feed)| feed.heads.iter().map(move |head| RowHead::new(id, head)));
            let heads: BTreeSet<RowHead> = heads.collect();
            let Some(row) = published(held, area)? else {
                if !heads.is_empty() {
                    return named("is not there");
                }
                continue;
            };
            if let Some(head) = unheld(held, &row, |_| true)? {
                return named(&format!("names {head:?}, which is not held"));
            }
            if row.root != held.summary().root(area).cut() {
                return named("is of another root");
            }
            if row.heads.len() != heads.len().min(ROW_FEEDS_MAX) {
                return named(&format!("names {} of {} heads", row.heads.len(), heads.len()));
            }
            if let Some(head) = row.heads.iter().find(|head| !heads.contains(head)) {
                return named(&format!("names {head:?}, which is no head"));
            }
        }
        Ok(())
    }
}

/// A head in a row of this hub that it holds on no branch.
fn unheld(
    hub: &Held,
    row: &ReceiptRow,
    is_asked: impl Fn(&RowHead) -> bool,
) -> Result<Option<RowHead>, String> {
    let mut by_start: BTreeMap<[u8; 8], Vec<FeedId>> = BTreeMap::new();
    for feed in hub.feeds().filter(|feed| feed.name.area == row.key.area) {
        let id = feed.name.id();
        by_start.entry(RowHead::new(&id, &ChainPoint::START).feed).or_default().push(id);
    }
    'heads: for head in row.heads.iter().filter(|head| is_asked(head)) {
        for feed in by_start.get(&head.feed).into_iter().flatten() {
            for branch in hub.feed(*feed).into_iter().flat_map(|held| &held.branches) {
                let point = hub.feed_store().point(*feed, branch.branch, head.seq);
                if point.map_err(told)?.is_some_and(|point| head.fits(feed, &point)) {
                    continue 'heads;
                }
            }
        }
        return Ok(Some(*head));
    }
    Ok(None)
}

/// The newest row a hub published about an area.
pub(super) fn published(hub: &Held, area: AreaId) -> Result<Option<ReceiptRow>, String> {
    row_of(hub, hub.feed_store().instance(), area)
}

/// The row of a store about an area that a node holds.
pub(super) fn row_of(
    node: &Held,
    instance: StoreInstance,
    area: AreaId,
) -> Result<Option<ReceiptRow>, String> {
    let name = [RECEIPT, &instance.0, area.as_bytes()].concat();
    let Some(value) = node.feed_store().value(&name).map_err(told)? else { return Ok(None) };
    read_row(&value).map(Some)
}

/// Rows of a store that a node holds.
pub(super) fn rows_of(node: &Held, instance: StoreInstance) -> Result<Vec<ReceiptRow>, String> {
    // As the node reads them: all rows together.
    let values = node.feed_store().values(RECEIPT).map_err(told)?;
    let rows: Result<Vec<ReceiptRow>, String> =
        values.iter().map(|(_, value)| read_row(value)).collect();
    Ok(rows?.into_iter().filter(|row| row.key.instance == instance).collect())
}

/// Whether a hub published a row with this number, and if that is its newest, with this root.
pub(super) fn has_published(
    hub: &Held,
    area: AreaId,
    counter: u64,
    root: CutRoot,
) -> Result<bool, String> {
    let newest = published(hub, area)?;
    Ok(newest
        .is_some_and(|row| counter < row.counter || (counter, root) == (row.counter, row.root)))
}

/// Before the row stands what kind of value it is.
pub(super) fn read_row(value: &[u8]) -> Result<ReceiptRow, String> {
    let row = value.get(1..).ok_or("a row without bytes")?;
    ReceiptRow::read(&mut Reader::new(row)).map_err(told)
}

/// What a device said about itself, of such a value.
pub(super) fn device_row(value: &[u8]) -> Option<DeviceRow> {
    DeviceRow::read(&mut Reader::new(value.get(1..)?)).ok()
}
