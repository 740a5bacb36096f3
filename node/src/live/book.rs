//! Which rows a node holds, in memory: sessions ask for their counters with every row, and a peer
//! is told what was noted since it was told last.

use std::collections::BTreeMap;

use crdt_schema::id::{DeviceId, StoreInstance};

use crate::sync::request::ReceiptBook;
use crate::sync::{DeviceRow, ReceiptRow, RowKey};

/// A counter, and the number under which it was noted.
#[derive(Debug, Clone, Copy)]
struct Noted<T> {
    said: T,
    at: u64,
}

/// Newest counter of every row held.
#[derive(Debug, Default)]
pub struct Book {
    hubs: BTreeMap<RowKey, Noted<u64>>,
    devices: BTreeMap<DeviceId, Noted<(StoreInstance, u64)>>,
    noted: u64,
}

impl Book {
    /// Notes a hub's row; false when this one or a newer is known.
    pub fn note_hub(&mut self, row: &ReceiptRow) -> bool {
        let newer = self.hubs.get(&row.key).is_none_or(|known| known.said < row.counter);
        if newer {
            self.noted += 1;
            self.hubs.insert(row.key, Noted { said: row.counter, at: self.noted });
        }
        newer
    }

    /// Notes what a device says about itself; false when this or something newer is known. A store
    /// that took a new instance begins to count anew.
    pub fn note_device(&mut self, row: &DeviceRow) -> bool {
        let newer = self.devices.get(&row.device).is_none_or(|known| {
            let (instance, counter) = known.said;
            instance != row.instance || counter < row.counter
        });
        if newer {
            self.noted += 1;
            let said = Noted { said: (row.instance, row.counter), at: self.noted };
            self.devices.insert(row.device, said);
        }
        newer
    }

    /// Number of the newest note.
    pub const fn newest(&self) -> u64 {
        self.noted
    }

    /// Hubs' rows noted behind a number.
    pub fn hubs_behind(&self, number: u64) -> impl Iterator<Item = &RowKey> {
        self.hubs.iter().filter(move |(_, noted)| noted.at > number).map(|(key, _)| key)
    }

    /// Devices whose rows were noted behind a number.
    pub fn devices_behind(&self, number: u64) -> impl Iterator<Item = &DeviceId> {
        self.devices.iter().filter(move |(_, noted)| noted.at > number).map(|(key, _)| key)
    }
}

impl ReceiptBook for Book {
    fn counter(&self, key: &RowKey) -> Option<u64> {
        self.hubs.get(key).map(|noted| noted.said)
    }

    fn device_counter(&self, device: &DeviceId, instance: &StoreInstance) -> Option<u64> {
        let (known, counter) = self.devices.get(device)?.said;
        (known == *instance).then_some(counter)
    }
}
