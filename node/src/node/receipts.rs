//! Receipts as this node keeps and hands them on: what hubs say they hold, and the words of a root.
//!
//! Rows lie in the feed store as small named values: `receipt/`, the store instance, the area;
//! `device/` and the device. They are no entries, count for nothing, and travel in bundles beside
//! the runs. A device above the desa is a hub; it renews its rows when a root below it changed.

use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::area::{AreaId, Level};
use crdt_schema::codec::{Reader, Writer};
use crdt_schema::id::{DeviceId, Space, StoreInstance};
use crdt_schema::time::Timestamp;
use crdt_schema::words::six_words;

use super::Node;
use crate::answer::{Arrived, Moment, When};
use crate::authority::MemberState;
use crate::bundle::Target;
use crate::error::NodeError;
use crate::ports::{FeedHeads, FeedStore, StoreError};
use crate::sync::receipt::{ADDRESS_BYTES_MAX, ADDRESSES_MAX, SIGNATURE_BYTES, Stores};
use crate::sync::{CutRoot, DeviceRow, ReceiptRow, RowKey};

const RECEIPT: &[u8] = b"receipt/";
const DEVICE: &[u8] = b"device/";
const TAG_RECEIPT: u8 = 1;
const TAG_DEVICE: u8 = 2;
/// Arrivals read at once while looking for the oldest one missing.
const ARRIVALS_AT_ONCE: usize = 4_096;

/// What may be read out of an area's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Spoken {
    /// The words of this node's own root, and whose receipt speaks of it.
    Words(Vec<String>, Moment),
    /// Receipts are held, and every one speaks of another moment than this node's.
    OtherMoment,
    /// Nobody's receipt for the area is held.
    NoReceipt,
}

/// What became of a row that a bundle brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowSeen {
    /// It is staged, or there is nothing to keep.
    Settled,
    /// It is staged, and the first of its store about an area: [`Node::forget_nobodys`] is due.
    SpokeAnew,
    /// It is newer than what is held, and who says so is not known here: the file itself may tell.
    Unproved,
}

/// What this hub's own newest row about each area says: its counter and its root.
pub(super) type Said = BTreeMap<AreaId, (u64, CutRoot)>;

/// Rows that came into the store and that no session was told of.
#[derive(Debug, Default)]
pub(super) struct Untold {
    hubs: BTreeSet<RowKey>,
    devices: BTreeSet<DeviceId>,
}

impl Node {
    /// Writes new rows where a root changed since the last one: about every area this hub holds,
    /// and about this device.
    ///
    /// On a disk that may only be read those that are held stay as they are.
    pub(super) fn renew_receipts(&mut self) -> Result<(), NodeError> {
        if self.replica.feed_store().is_read_only() {
            return Ok(());
        }
        let (hubs, device) = self.new_rows()?;
        if hubs.is_empty() && device.is_none() {
            return Ok(());
        }
        let values = hubs.iter().map(receipt_value).chain(device.iter().map(device_value));
        for (name, value) in values {
            self.replica.put_value(&name, Some(value));
        }
        // What a refused commit left is read anew.
        let mut said = self.said.take();
        self.commit_own()?;
        if let Some(said) = &mut said {
            said.extend(hubs.iter().map(said_by));
        }
        self.said.replace(said);
        self.untold.hubs.extend(hubs.iter().map(|row| row.key));
        self.untold.devices.extend(device.iter().map(|row| row.device));
        Ok(())
    }

    /// The same, unless the disk takes nothing more: what lies on it must come out all the more, and the
    /// rows that are held are true, only older.
    pub(super) fn renew_if_possible(&mut self) -> Result<(), NodeError> {
        match self.renew_receipts() {
            Err(NodeError::Store {
                source: StoreError::Full | StoreError::ReadOnly | StoreError::Io { .. },
                ..
            }) => Ok(()),
            renewed => renewed,
        }
    }

    /// Rows written here, or brought by a bundle, since this was asked last.
    pub(super) fn untold_rows(&mut self) -> (Vec<ReceiptRow>, Vec<DeviceRow>) {
        let Untold { hubs, devices } = std::mem::take(&mut self.untold);
        let hubs = hubs.iter().filter_map(|key| self.row_at(key)).collect();
        (hubs, devices.iter().filter_map(|device| self.row_of(device)).collect())
    }

    /// The rows that renewing would write: no more of them stand in a bundle afterwards.
    pub(super) fn new_rows(&self) -> Result<(Vec<ReceiptRow>, Option<DeviceRow>), NodeError> {
        let instance = self.replica.feed_store().instance();
        let mut rows = Vec::new();
        if self.is_hub() {
            let mut said = self.said.borrow_mut();
            let said = match &mut *said {
                Some(said) => said,
                unread @ None => unread.insert(self.own_receipts(instance)?),
            };
            for area in self.areas_said_anew(said) {
                let counter = said.get(&area).map_or(0, |(counter, _)| *counter) + 1;
                let row = ReceiptRow::of(self.replica.summary(), instance, area, counter);
                rows.push(row.signed(self.keys.signing()));
            }
        }
        Ok((rows, self.device_row()?))
    }

    /// What this device says about itself, if it changed since it last did.
    fn device_row(&self) -> Result<Option<DeviceRow>, NodeError> {
        let (device, instance) = (self.device(), self.replica.feed_store().instance());
        let own = self.replica.feeds().filter(|feed| feed.name.device == device);
        let heads = DeviceRow::heads_of(own);
        let held = self.rows_at(&device_name(&device))?.into_iter().next();
        let before = held.and_then(|value| DeviceRow::read(&mut Reader::new(value.get(1..)?)).ok());
        let said = before.as_ref().map(|row| row.addresses.clone()).unwrap_or_default();
        let addresses = self.live.as_ref().map_or(said, |live| {
            live.addresses
                .iter()
                .filter(|it| it.len() <= ADDRESS_BYTES_MAX)
                .take(ADDRESSES_MAX)
                .cloned()
                .collect()
        });
        let same = |row: &DeviceRow| {
            row.heads == heads && row.instance == instance && row.addresses == addresses
        };
        if before.as_ref().is_some_and(same) {
            return Ok(None);
        }
        let row = DeviceRow {
            device,
            instance,
            counter: before.map_or(0, |row| row.counter).saturating_add(1),
            heads,
            claimed_at: self.env.clock.now(),
            orders: Vec::new(),
            addresses,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            signature: [0; SIGNATURE_BYTES],
        };
        Ok(Some(row.signed(self.keys.signing())))
    }

    /// Whether this device keeps others' villages: it belongs above the desa and counts.
    pub(super) fn is_hub(&self) -> bool {
        let counts = self.me().is_some_and(|me| me.state == MemberState::Active);
        counts && self.own_area().level() < Level::Desa
    }

    /// Areas in and below this device's own whose records are no longer what the newest row says: a
    /// root covers all below it, so where it stands nothing below is looked at.
    fn areas_said_anew(&self, said: &Said) -> Vec<AreaId> {
        let summary = self.replica.summary();
        let (mut anew, mut waiting) = (Vec::new(), vec![self.own_area()]);
        while let Some(area) = waiting.pop() {
            let said = said.get(&area).map(|(_, root)| *root);
            // What counted once and counts no more is said, too.
            let told = said.is_some() || summary.node(Space::Records, area).is_some();
            if told && said != Some(summary.root(area).cut()) {
                anew.push(area);
                waiting.extend(self.tree().children(area));
            }
        }
        anew
    }

    /// The stores of devices that said which is theirs.
    pub(super) fn known_stores(&self) -> Result<Stores, NodeError> {
        let mut stores = Stores::default();
        for row in self.device_rows()?.values() {
            stores.note(row);
        }
        Ok(stores)
    }

    /// Stages a hub's row; whether its store had not spoken of the area before. Then
    /// [`Node::forget_nobodys`] is due.
    pub(super) fn stage_receipt(&mut self, row: &ReceiptRow) -> Result<bool, NodeError> {
        let (name, value) = receipt_value(row);
        let before = self.replica.value_now(&name).map_err(|error| self.store_error(error))?;
        self.replica.put_value(&name, Some(value));
        Ok(before.is_none())
    }

    /// Stages that nothing stays of what stores said that are nobody's any more: else whoever names
    /// store after store would fill this one.
    pub(super) fn forget_nobodys(&mut self, stores: &Stores) -> Result<(), NodeError> {
        let own = self.replica.feed_store().instance();
        let said = self.replica.feed_store().values(RECEIPT);
        for (name, _) in said.map_err(|error| self.store_error(error))? {
            let store = name.get(RECEIPT.len()..).and_then(|it| it.first_chunk());
            let store = store.map(|bytes| StoreInstance(*bytes));
            if store.is_some_and(|store| store != own && !stores.has(&store)) {
                self.replica.put_value(&name, None);
            }
        }
        Ok(())
    }

    /// Stages a row that came in a bundle, unless a newer one is held or it is about an area that this
    /// device has nothing to do with. `stores` are those of known devices, and grow by what the file
    /// says before.
    pub(super) fn note_receipt(
        &mut self,
        bytes: &[u8],
        stores: &mut Stores,
    ) -> Result<RowSeen, NodeError> {
        let mut reader = Reader::new(bytes);
        match reader.u8() {
            Ok(TAG_RECEIPT) => {
                let Ok(row) = ReceiptRow::read(&mut reader) else { return Ok(RowSeen::Settled) };
                // Nobody else speaks for this store.
                let is_mine = row.key.instance == self.replica.feed_store().instance();
                let age = (row.counter, row.key.instance);
                if is_mine
                    || !self.is_near(row.key.area)
                    || !self.is_newer(&receipt_name(&row.key), age)
                {
                    return Ok(RowSeen::Settled);
                }
                let keepers = stores.keepers(&row.key.instance);
                if !row.is_the_word_of_one(&keepers, self.authority()) {
                    return Ok(RowSeen::Unproved);
                }
                self.untold.hubs.insert(row.key);
                if self.stage_receipt(&row)? {
                    return Ok(RowSeen::SpokeAnew);
                }
            }
            Ok(TAG_DEVICE) => {
                let Ok(row) = DeviceRow::read(&mut reader) else { return Ok(RowSeen::Settled) };
                let (name, value) = device_value(&row);
                if row.device == self.device() || !self.is_newer(&name, row.age()) {
                    return Ok(RowSeen::Settled);
                }
                if !row.is_its_own_word(self.authority()) {
                    return Ok(RowSeen::Unproved);
                }
                self.replica.put_value(&name, Some(value));
                stores.note(&row);
                self.untold.devices.insert(row.device);
            }
            Ok(_) | Err(_) => {}
        }
        Ok(RowSeen::Settled)
    }

    /// Whether a bundle brought rows that no session was told of.
    pub(crate) fn has_untold_rows(&self) -> bool {
        !(self.untold.hubs.is_empty() && self.untold.devices.is_empty())
    }

    /// Whether a row about an area concerns this device: the area lies in, above, or once lay in what it
    /// holds.
    fn is_near(&self, area: AreaId) -> bool {
        let near = |held: &AreaId| {
            self.tree().ever_covered(*held, area) || self.tree().covers(area, *held)
        };
        self.authority().interest(&self.device()).iter().any(near)
    }

    /// Whether the row under a name, staged or held, is older than one of this age.
    pub(super) fn is_newer(&self, name: &[u8], age: (u64, StoreInstance)) -> bool {
        let held = self.replica.value_now(name).ok().flatten();
        held.and_then(|held| age_of(&held)).is_none_or(|known| known < age)
    }

    /// What a device says of itself in its own bundle may show that it holds less than it once did,
    /// or another store: then what it said it holds is forgotten, and the next bundle for it is whole.
    pub(super) fn forget_if_restored(
        &mut self,
        from: DeviceId,
        bytes: &[u8],
    ) -> Result<(), NodeError> {
        let mut reader = Reader::new(bytes);
        let Ok(TAG_DEVICE) = reader.u8() else { return Ok(()) };
        let Ok(row) = DeviceRow::read(&mut reader) else { return Ok(()) };
        if row.device != from {
            return Ok(());
        }
        let Some(before) = self.row_of(&from) else { return Ok(()) };
        if row.holds_less_than(&before) && row.is_its_own_word(self.authority()) {
            self.forget_heads(from)?;
        }
        Ok(())
    }

    /// Rows that concern whoever a bundle is for: a device is given those of areas whose records it is.
    pub(super) fn receipts_for(&self, target: Target) -> Result<Vec<Vec<u8>>, NodeError> {
        let concerns = |area: AreaId| match target {
            Target::All => true,
            Target::Area(asked) => {
                self.tree().ever_covered(asked, area) || self.tree().covers(area, asked)
            }
            Target::Device(device) => self.authority().may_serve(&device, Space::Records, area),
        };
        let rows: Vec<ReceiptRow> =
            self.receipts()?.into_iter().filter(|row| concerns(row.key.area)).collect();
        let mut spoken: BTreeMap<StoreInstance, Vec<AreaId>> = BTreeMap::new();
        for row in &rows {
            spoken.entry(row.key.instance).or_default().push(row.key.area);
        }
        let devices = self.device_rows()?.into_values();
        let speaks = |row: &DeviceRow| {
            let mut areas = spoken.get(&row.instance).into_iter().flatten();
            areas.any(|area| self.authority().speaks_for_its_store(&row.device, *area))
        };
        let said = devices.filter(|row| speaks(row) || row.device == self.device());
        let mut frames: Vec<Vec<u8>> = said.map(|row| device_value(&row).1).collect();
        frames.extend(rows.iter().map(|row| receipt_value(row).1));
        Ok(frames)
    }

    /// The six words of an area's root, and whose moment they name: only of a receipt that says
    /// what this node holds, for whoever reads them out says "my register". Of several of those
    /// the one with the highest counter.
    pub(super) fn words_of(&self, area: AreaId) -> Result<Spoken, NodeError> {
        let mine = self.replica.summary().root(area).cut();
        let stores = self.known_stores()?;
        // Of several that call a store theirs the one that signed.
        let speaker = |row: &ReceiptRow| {
            let mut keepers = stores.keepers(&row.key.instance).into_iter();
            keepers.find(|device| row.is_the_word_of_one(&[*device], self.authority()))
        };
        let rows = self.receipts()?.into_iter().filter(|row| row.key.area == area);
        let named = rows.filter_map(|row| Some((speaker(&row)?, row)));
        let (fitting, others): (Vec<_>, Vec<_>) = named.partition(|(_, row)| row.root == mine);
        let newest = fitting.into_iter().max_by_key(|(device, row)| (row.counter, *device));
        let Some((device, row)) = newest else {
            return Ok(if others.is_empty() { Spoken::NoReceipt } else { Spoken::OtherMoment });
        };
        let mut root = [0; 32];
        for (to, from) in root.iter_mut().zip(row.root.0) {
            *to = from;
        }
        let words = six_words(&root).map(str::to_owned).to_vec();
        Ok(Spoken::Words(words, Moment { device, counter: row.counter }))
    }

    /// How far what was written here has come, from receipts only: the nearest level first. Of a hub
    /// that was ended since nothing is shown: its store may be gone, and what it said with it.
    ///
    /// # Errors
    /// [`NodeError`] of the stores.
    pub fn arrived(&self) -> Result<Vec<Arrived>, NodeError> {
        let (rows, devices) = (self.receipts()?, self.device_rows()?);
        let me = self.device();
        let own: Vec<&FeedHeads> = self
            .replica
            .feeds()
            .filter(|feed| feed.name.device == me && feed.name.space == Space::Records)
            .collect();
        let mut arrived = Vec::new();
        for row in devices.into_values().filter(|row| row.device != me) {
            let member = self.authority().member(&row.device);
            let Some(area) = member.and_then(crate::authority::Member::area) else { continue };
            if area.level() == Level::Desa || !self.tree().covers(area, self.own_area()) {
                continue;
            }
            let speaks = |area| self.authority().speaks_for_its_store(&row.device, area);
            let said = rows.iter().filter(|known| known.key.instance == row.instance);
            let said: Vec<&ReceiptRow> = said.filter(|known| speaks(known.key.area)).collect();
            if said.is_empty() {
                continue;
            }
            arrived.push((area.level(), self.arrived_at(row.device, area.level(), &own, &said)?));
        }
        arrived.sort_by_key(|(level, at)| (std::cmp::Reverse(*level), at.device));
        Ok(arrived.into_iter().map(|(_, at)| at).collect())
    }

    fn arrived_at(
        &self,
        hub: DeviceId,
        level: Level,
        own: &[&FeedHeads],
        rows: &[&ReceiptRow],
    ) -> Result<Arrived, NodeError> {
        // What is quarantined counts nowhere, so no hub can name it as held: it is no news either.
        let (mut reached, mut mine, mut held) = (BTreeMap::new(), 0, 0);
        for feed in own {
            let covered = self.rows_reach(rows, feed)?;
            let parts = self.replica.parts_in_reach(feed);
            for (branch, first, until) in parts.map_err(|error| self.store_error(error))? {
                let covered = covered.get(&branch).copied().unwrap_or(0).min(until);
                mine += (until + 1).saturating_sub(first);
                held += (covered + 1).saturating_sub(first);
                reached.insert((feed.name.id(), branch), (covered, until));
            }
        }
        let (mut oldest_missing, mut at) = (None, 0);
        // When what came before the first one missing was written, and the earliest moment of any that
        // is missing: of a clock that once ran ahead the two overlap.
        let (mut arrived, mut missing_at) = (Vec::new(), None::<Timestamp>);
        loop {
            let page = self.replica.feed_store().arrivals(at, ARRIVALS_AT_ONCE);
            let page = page.map_err(|error| self.store_error(error))?;
            let Some(last) = page.last().map(|arrival| arrival.number) else { break };
            for arrival in &page {
                let Some((covered, until)) = reached.get(&(arrival.feed, arrival.branch)) else {
                    continue;
                };
                let came_at = arrival.received_at;
                if arrival.last.min(*until) <= *covered || arrival.first > *until {
                    if missing_at.is_none() {
                        arrived.push(came_at);
                    }
                    continue;
                }
                if missing_at.is_none() {
                    let first = arrival.first.max(covered + 1);
                    let store = self.replica.feed_store();
                    let entries = store.entries(arrival.feed, arrival.branch, first..=first);
                    let entries = entries.map_err(|error| self.store_error(error))?;
                    oldest_missing = entries.first().map(|entry| When(entry.header.claimed_at));
                }
                missing_at = Some(missing_at.map_or(came_at, |earliest| earliest.min(came_at)));
            }
            at = last;
        }
        let now = self.env.clock.now();
        let holds = |at: &Timestamp| *at <= now && missing_at.is_none_or(|missing| *at < missing);
        let complete_as_of = arrived.into_iter().filter(holds).max().map(When);
        Ok(Arrived {
            at: level.name().to_owned(),
            device: hub,
            mine,
            held,
            missing: mine.saturating_sub(held),
            oldest_missing,
            complete_as_of: complete_as_of.filter(|_| self.clock_is_plausible()),
        })
    }

    /// Up to where of each branch the rows of one hub say they hold a feed: places whose entry is the one
    /// held here, and all before them. Of a copied folder another one may stand at the same place.
    fn rows_reach(
        &self,
        rows: &[&ReceiptRow],
        feed: &FeedHeads,
    ) -> Result<BTreeMap<u32, u64>, NodeError> {
        let (id, store) = (feed.name.id(), self.replica.feed_store());
        let heads = rows.iter().flat_map(|row| &row.heads);
        let mut reach: BTreeMap<u32, u64> = BTreeMap::new();
        for head in heads.filter(|head| id.0.starts_with(&head.feed) && head.seq <= top(feed)) {
            for branch in &feed.branches {
                let point = store.point(id, branch.branch, head.seq);
                let point = point.map_err(|error| self.store_error(error))?;
                if point.is_some_and(|point| head.fits(&id, &point)) {
                    for (branch, seq) in feed.past(branch.branch, head.seq) {
                        let known = reach.entry(branch).or_default();
                        *known = seq.max(*known);
                    }
                }
            }
        }
        Ok(reach)
    }

    /// What one store said about each area: a hub of the province holds three times as many rows.
    fn own_receipts(&self, instance: StoreInstance) -> Result<Said, NodeError> {
        let rows = self.rows_at(&[RECEIPT, &instance.0].concat())?;
        let read = |value: Vec<u8>| ReceiptRow::read(&mut Reader::new(value.get(1..)?)).ok();
        Ok(rows.into_iter().filter_map(read).map(|row| said_by(&row)).collect())
    }

    pub(super) fn receipts(&self) -> Result<Vec<ReceiptRow>, NodeError> {
        let rows = self.rows_at(RECEIPT)?;
        let read = |value: Vec<u8>| ReceiptRow::read(&mut Reader::new(value.get(1..)?)).ok();
        Ok(rows.into_iter().filter_map(read).collect())
    }

    pub(super) fn device_rows(&self) -> Result<BTreeMap<DeviceId, DeviceRow>, NodeError> {
        let rows = self.rows_at(DEVICE)?;
        let read = |value: Vec<u8>| DeviceRow::read(&mut Reader::new(value.get(1..)?)).ok();
        Ok(rows.into_iter().filter_map(read).map(|row| (row.device, row)).collect())
    }

    fn rows_at(&self, prefix: &[u8]) -> Result<Vec<Vec<u8>>, NodeError> {
        let values = self.replica.feed_store().values(prefix);
        let values = values.map_err(|error| self.store_error(error))?;
        Ok(values.into_iter().map(|(_, value)| value).collect())
    }
}

fn said_by(row: &ReceiptRow) -> (AreaId, (u64, CutRoot)) {
    (row.key.area, (row.counter, row.root))
}

fn top(feed: &FeedHeads) -> u64 {
    feed.branches.iter().map(|branch| branch.head.point.seq).max().unwrap_or(0)
}

pub(super) fn receipt_value(row: &ReceiptRow) -> (Vec<u8>, Vec<u8>) {
    let mut writer = Writer::new();
    writer.u8(TAG_RECEIPT);
    row.write(&mut writer);
    (receipt_name(&row.key), writer.finish())
}

/// Name of the value that holds a hub's row.
pub(super) fn receipt_name(key: &RowKey) -> Vec<u8> {
    [RECEIPT, &key.instance.0, key.area.as_bytes()].concat()
}

/// Name of the value that holds a device's row.
pub(super) fn device_name(device: &DeviceId) -> Vec<u8> {
    [DEVICE, &device.0].concat()
}

pub(super) fn device_value(row: &DeviceRow) -> (Vec<u8>, Vec<u8>) {
    let mut writer = Writer::new();
    writer.u8(TAG_DEVICE);
    row.write(&mut writer);
    (device_name(&row.device), writer.finish())
}

fn age_of(value: &[u8]) -> Option<(u64, StoreInstance)> {
    let mut reader = Reader::new(value);
    match reader.u8().ok()? {
        TAG_RECEIPT => {
            ReceiptRow::read(&mut reader).ok().map(|row| (row.counter, row.key.instance))
        }
        TAG_DEVICE => DeviceRow::read(&mut reader).ok().map(|row| row.age()),
        _ => None,
    }
}
