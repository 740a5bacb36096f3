//! Rows of an exchange: receipts of hubs go down, what devices say about themselves goes up, and
//! what a hub says about itself goes with its receipts.

use std::collections::BTreeSet;

use crdt_schema::id::DeviceId;
use crdt_schema::time::Timestamp;

use super::exchange::{Exchange, LinkId};
use crate::node::Node;
use crate::replica::Source;
use crate::sync::driver::Sink as _;
use crate::sync::request::ReceiptBook;
use crate::sync::{DeviceRow, Input, ReceiptRow, RowKey};

impl Exchange {
    /// Keeps rows a peer brought, and hands them to the others. They count as known once they are
    /// kept: those a disk refuses are taken when they come again.
    pub(super) fn take_rows(
        &mut self,
        now: Timestamp,
        node: &mut Node,
        from: LinkId,
        mut hubs: Vec<ReceiptRow>,
        mut devices: Vec<DeviceRow>,
    ) {
        hubs.retain(|row| self.book.lacks_hub(row));
        devices.retain(|row| self.book.lacks_device(row));
        if hubs.is_empty() && devices.is_empty() {
            return;
        }
        // Of two rows of one writer the newer is kept last, and stays.
        hubs.sort_unstable_by_key(|row| (row.key, row.counter));
        devices.sort_unstable_by_key(|row| (row.device, row.age()));
        if !self.keep(node, &hubs, &devices) {
            return;
        }
        let before = self.book.newest();
        hubs.retain(|row| self.book.note_hub(row));
        devices.retain(|row| self.book.note_device(row));
        if let Some(it) = self.links.get_mut(&from).filter(|it| it.read_to == Some(before)) {
            // Who brought them knows them.
            it.read_to = Some(self.book.newest());
        }
        if devices.iter().any(|row| row.device == node.device()) {
            // Said of another store than this one.
            self.schedule_renewal(now);
        }
        self.hand_rows(now, node, Some(from), &hubs, &devices);
    }

    fn hand_rows(
        &mut self,
        now: Timestamp,
        node: &mut Node,
        from: Option<LinkId>,
        hubs: &[ReceiptRow],
        devices: &[DeviceRow],
    ) {
        // A link that was not told yet what came before is told all at once when its first comparison
        // ends.
        let others =
            self.links.iter().filter(|(link, it)| Some(**link) != from && it.read_to.is_some());
        let links: Vec<_> = others.map(|(link, it)| (*link, it.device)).collect();
        for (link, device) in links {
            if let Some(device) = device.filter(|_| self.hears_otherwise(node, link)) {
                self.tell_rows(now, node, link, device);
                continue;
            }
            if !hubs.is_empty() {
                self.drive(now, node, link, Input::Receipts(hubs.to_vec()));
            }
            if !devices.is_empty() {
                self.drive(now, node, link, Input::Devices(devices.to_vec()));
            }
            if let Some(it) = self.links.get_mut(&link) {
                it.read_to = Some(self.book.newest());
            }
        }
    }

    /// Whether other rows are for a peer than when it was told of those that were held.
    fn hears_otherwise(&self, node: &mut Node, link: LinkId) -> bool {
        let Some(it) = self.links.get(&link) else { return false };
        let Some(session) = &it.session else { return false };
        let sink = node.sink(&self.book, Source::Peer(session.peer().to_string()));
        it.heard_as.as_ref() != Some(&session.hears(&sink.local()))
    }

    /// What a peer was not told yet of the rows held: those that are new, and those that were not for it
    /// before, as after its confirmation.
    pub(super) fn tell_rows(
        &mut self,
        now: Timestamp,
        node: &mut Node,
        link: LinkId,
        device: DeviceId,
    ) {
        let sink = node.sink(&self.book, Source::Peer(device.to_string()));
        let local = sink.local();
        let Some(it) = self.links.get_mut(&link) else { return };
        let Some(hears) = it.session.as_ref().map(|session| session.hears(&local)) else { return };
        let read = it.read_to.replace(self.book.newest()).unwrap_or(0);
        let before = it.heard_as.replace(hears.clone()).filter(|before| *before != hears);
        if before.is_none() && read == self.book.newest() {
            return;
        }
        // Most rows go to few peers: the others are not even read.
        let late = before.iter().flat_map(|before| {
            self.book.hubs_behind(0).filter(|key| !before.about(&local, key.area))
        });
        let hubs = self.book.hubs_behind(read).chain(late);
        let hubs: BTreeSet<RowKey> =
            hubs.filter(|key| hears.about(&local, key.area)).copied().collect();
        let late = before.iter().flat_map(|before| {
            self.book.devices_behind(0).filter(|device| !before.of(&local, device))
        });
        let devices = self.book.devices_behind(read).chain(late);
        let devices: BTreeSet<DeviceId> =
            devices.filter(|device| hears.of(&local, device)).copied().collect();
        if hubs.is_empty() && devices.is_empty() {
            return;
        }
        // What a bundle brought is noted, and told, when this node renews its own rows.
        let hubs = hubs.iter().filter_map(|key| node.row_at(key));
        let hubs = hubs.filter(|row| self.book.counter(&row.key) == Some(row.counter));
        let hubs: Vec<ReceiptRow> = hubs.collect();
        let devices = devices.iter().filter_map(|device| node.row_of(device));
        let devices = devices.filter(|row| self.book.device_age(&row.device) == Some(row.age()));
        let devices: Vec<DeviceRow> = devices.collect();
        self.drive(now, node, link, Input::Receipts(hubs));
        self.drive(now, node, link, Input::Devices(devices));
    }

    /// Writes new rows of this node, and hands them on.
    pub(super) fn renew(&mut self, now: Timestamp, node: &mut Node) {
        (self.renew_at, self.renewed_at) = (None, Some(now));
        let (mut hubs, mut devices) = match node.renew_rows() {
            Ok(rows) => rows,
            Err(error) => {
                self.failed.get_or_insert(error);
                return;
            }
        };
        hubs.retain(|row| self.book.note_hub(row));
        devices.retain(|row| self.book.note_device(row));
        self.keep(node, &[], &[]);
        self.hand_rows(now, node, None, &hubs, &devices);
    }

    /// Writes rows, and what was learned of peers; whether the disk took it.
    pub(super) fn keep(
        &mut self,
        node: &mut Node,
        hubs: &[ReceiptRow],
        devices: &[DeviceRow],
    ) -> bool {
        let (marks, contacts) =
            (std::mem::take(&mut self.marks), std::mem::take(&mut self.contacts));
        if hubs.is_empty() && devices.is_empty() && marks.is_empty() && contacts.is_empty() {
            return true;
        }
        let kept = node.keep_rows(hubs, devices, &marks, &contacts);
        let done = kept.is_ok();
        if let Err(error) = kept {
            self.failed.get_or_insert(error);
        }
        done
    }
}
