//! Receipts on their way: rows of hubs go down to the desa they are about, rows of devices go up.
//!
//! A row never causes a frame of its own at once, and never another row: it goes with the next
//! frame, or after a minute. Of one writer only the newest row waits.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crdt_schema::area::{AreaId, Level};
use crdt_schema::id::{DeviceId, StoreInstance};
use crdt_schema::time::Timestamp;

use super::codec;
use super::message::{CONTROL_FRAME_BYTES_MAX, Message, RECEIPT_DELAY_MS, Stream};
use super::receipt::{DeviceRow, ROW_BYTES_MAX, ReceiptRow, RowKey, SIGNATURE_BYTES};
use super::request::{Local, Output};
use super::session::Session;
use super::table::Table;

/// Rows waiting for one peer: one for each desa of the largest kabupaten; those of the lowest stores
/// and areas give way, and come again with the next row of their writer.
pub(super) const ROWS_WAITING_MAX: usize = 512;
const _: () = assert!(ROW_BYTES_MAX < CONTROL_FRAME_BYTES_MAX);

/// Rows that wait for a frame to go with.
#[derive(Debug, Default)]
pub(super) struct Rows {
    hubs: BTreeMap<RowKey, ReceiptRow>,
    devices: BTreeMap<(DeviceId, StoreInstance), DeviceRow>,
    due: Option<Timestamp>,
    /// What the peer brought: it is not told the same.
    heard: BTreeMap<RowKey, u64>,
}

impl Rows {
    /// When waiting rows must go at the latest.
    pub(super) const fn due(&self) -> Option<Timestamp> {
        self.due
    }

    /// How many rows wait, and of how many is remembered that the peer brought them.
    pub(super) fn tables(&self) -> [Table; 3] {
        [
            Table::new("rows of hubs that wait", self.hubs.len(), ROWS_WAITING_MAX),
            Table::new("rows of devices that wait", self.devices.len(), ROWS_WAITING_MAX),
            Table::new("rows heard over a link", self.heard.len(), ROWS_WAITING_MAX),
        ]
    }

    pub(super) fn tick(&mut self, now: Timestamp, outputs: &mut VecDeque<Output>) {
        if self.due.is_some_and(|due| due <= now) {
            self.go_with(outputs);
        }
    }

    /// Puts everything that waits behind the frame just sent.
    pub(super) fn go_with(&mut self, outputs: &mut VecDeque<Output>) {
        if self.due.take().is_none() {
            return;
        }
        // Whose store it is goes before what the store says.
        for row in std::mem::take(&mut self.devices).into_values() {
            send(outputs, &Message::Device(row));
        }
        let (mut part, mut bytes) = (Vec::new(), 0);
        for row in std::mem::take(&mut self.hubs).into_values() {
            let more = 64 + 26 * row.heads.len() + SIGNATURE_BYTES;
            if bytes + more > CONTROL_FRAME_BYTES_MAX - 64
                || part.len() >= super::message::ROWS_PER_MESSAGE_MAX
            {
                send(outputs, &Message::Receipts(std::mem::take(&mut part)));
                bytes = 0;
            }
            bytes += more;
            part.push(row);
        }
        if !part.is_empty() {
            send(outputs, &Message::Receipts(part));
        }
    }

    fn wait(&mut self, now: Timestamp) {
        self.due.get_or_insert(Timestamp(now.0.saturating_add(RECEIPT_DELAY_MS)));
    }
}

/// Which rows are for a peer, by the areas whose records it is given: one that waits or is closed hears
/// nothing but what it said itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hears {
    peer: DeviceId,
    /// Whether it stands higher than this node, or lower.
    is_above: bool,
    is_below: bool,
    held: BTreeSet<AreaId>,
}

impl Hears {
    /// Whether hubs' rows about an area are for it: it is a device of that desa, or a hub between it and
    /// this node.
    pub(crate) fn about(&self, local: &Local<'_>, area: AreaId) -> bool {
        self.is_below && self.held.iter().any(|held| local.summary.is_within(area, *held))
    }

    /// Whether what a device says of itself is for it: rows of devices go up to who holds their area;
    /// those of devices that hold all of an area of which it holds a part go down, with the receipts they
    /// make readable.
    pub(crate) fn of(&self, local: &Local<'_>, device: &DeviceId) -> bool {
        if *device == self.peer {
            return true;
        }
        let Some(member) = local.authority.member(device) else { return false };
        let is_within = |low, high| local.summary.is_within(low, high);
        let concerns = |area: AreaId| {
            let goes = |held: &AreaId| {
                self.is_above && is_within(area, *held) || *held != area && is_within(*held, area)
            };
            self.held.iter().any(goes)
        };
        member.grants.iter().any(|grant| concerns(grant.area))
    }
}

fn send(outputs: &mut VecDeque<Output>, message: &Message) {
    outputs.push_back(Output::Send { stream: Stream::Control, frame: codec::encode(message) });
}

impl Session {
    /// Rows of hubs that are new here: those the peer should have wait for a frame.
    pub(super) fn rows_to_tell(&mut self, local: &Local<'_>, rows: Vec<ReceiptRow>) {
        let for_peer = self.hears(local);
        for row in rows {
            let heard = self.rows.heard.get(&row.key).is_some_and(|heard| *heard >= row.counter);
            let newer = self.rows.hubs.get(&row.key).is_none_or(|old| old.counter < row.counter);
            if heard || !newer || !for_peer.about(local, row.key.area) {
                continue;
            }
            self.rows.hubs.insert(row.key, row);
            if self.rows.hubs.len() > ROWS_WAITING_MAX {
                self.rows.hubs.pop_first();
            }
            self.rows.wait(self.now);
        }
    }

    /// Rows of devices that are new here: those the peer should have wait for a frame. A device is told
    /// what it said of itself only if that names another store than it has now: then it must say
    /// something newer.
    pub(super) fn devices_to_tell(&mut self, local: &Local<'_>, rows: Vec<DeviceRow>) {
        let for_peer = self.hears(local);
        for row in rows {
            let is_known = row.device == self.peer && self.peer_instance == Some(row.instance);
            if is_known || !for_peer.of(local, &row.device) {
                continue;
            }
            let writer = (row.device, row.instance);
            let newer = self.rows.devices.get(&writer).is_none_or(|old| old.age() < row.age());
            if newer {
                self.rows.devices.insert(writer, row);
                if self.rows.devices.len() > ROWS_WAITING_MAX {
                    self.rows.devices.pop_first();
                }
                self.rows.wait(self.now);
            }
        }
    }

    /// Which rows are for the peer as it stands now.
    pub(crate) fn hears(&self, local: &Local<'_>) -> Hears {
        let [mine, theirs] = [&local.device, &self.peer].map(|device| level(local, device));
        let held = local.authority.holds(&self.peer);
        Hears { peer: self.peer, is_above: theirs < mine, is_below: theirs > mine, held }
    }

    /// Forgets what waits and is not for the peer any more: it may have been ended since.
    pub(super) fn drop_rows(&mut self, local: &Local<'_>) {
        if self.rows.due.is_some() {
            let for_peer = self.hears(local);
            self.rows.hubs.retain(|key, _| for_peer.about(local, key.area));
            self.rows.devices.retain(|(device, _), _| for_peer.of(local, device));
        }
    }

    pub(super) fn on_receipts(&mut self, local: &Local<'_>, rows: Vec<ReceiptRow>) {
        let mut newer = Vec::new();
        for row in rows {
            // Its tree and ours may differ for a moment: not a mistake, and nothing to keep.
            if !Self::is_about(local, row.key.area) {
                continue;
            }
            let held = local.receipts.counter(&row.key);
            if held.is_some_and(|held| held >= row.counter) {
                continue;
            }
            if row.key.instance == local.instance {
                let key = local.authority.signing_key(&local.device);
                if key.is_some_and(|key| row.is_signed_with(&key)) {
                    self.put(Output::OwnInstanceAhead(row.counter));
                }
                continue;
            }
            let keepers = local.receipts.keepers(&row.key.instance);
            if !row.is_the_word_of_one(&keepers, local.authority) {
                continue;
            }
            self.rows.heard.insert(row.key, row.counter);
            if self.rows.heard.len() > ROWS_WAITING_MAX {
                self.rows.heard.pop_first();
            }
            newer.push(row);
        }
        if !newer.is_empty() {
            self.put(Output::Receipts(newer));
        }
    }

    /// Whether an area lies in what this device holds: rows about others would only fill its store.
    fn is_about(local: &Local<'_>, area: AreaId) -> bool {
        let held = local.authority.interest(&local.device);
        held.iter().any(|held| local.summary.is_within(area, *held))
    }

    pub(super) fn on_device(&mut self, local: &Local<'_>, row: DeviceRow) {
        let held = local.receipts.device_age(&row.device);
        if held.is_some_and(|held| held >= row.age()) {
            return;
        }
        if !row.is_its_own_word(local.authority) {
            return;
        }
        if (row.device, row.instance) == (local.device, local.instance) {
            self.put(Output::OwnInstanceAhead(row.counter));
            return;
        }
        self.put(Output::Device(row));
    }
}

fn level(local: &Local<'_>, device: &DeviceId) -> Level {
    local.authority.member(device).map_or(Level::Desa, crate::authority::Member::level)
}
