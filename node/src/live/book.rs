//! Which rows a node holds, in memory: sessions ask for their counters with every row, and a peer
//! is told what was noted since it was told last.

use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::id::{DeviceId, StoreInstance};

use crate::sync::receipt::Stores;
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
    devices: BTreeMap<DeviceId, Noted<(u64, StoreInstance)>>,
    stores: Stores,
    noted: u64,
}

impl Book {
    /// Whether neither this hub's row nor a newer one is known.
    pub fn lacks_hub(&self, row: &ReceiptRow) -> bool {
        self.hubs.get(&row.key).is_none_or(|known| known.said < row.counter)
    }

    /// The same of what a device says about itself.
    pub fn lacks_device(&self, row: &DeviceRow) -> bool {
        self.devices.get(&row.device).is_none_or(|known| known.said < row.age())
    }

    /// Notes a hub's row; false when this one or a newer is known. With the first of a store and area go
    /// those of stores that are nobody's any more, as in the feed store: before another one speaks, a
    /// wrong word about whose store it is costs nothing.
    pub fn note_hub(&mut self, row: &ReceiptRow) -> bool {
        let newer = self.lacks_hub(row);
        if newer {
            self.noted += 1;
            let noted = Noted { said: row.counter, at: self.noted };
            let is_first = self.hubs.insert(row.key, noted).is_none();
            let left = if is_first { self.stores.take_left() } else { BTreeSet::new() };
            if !left.is_empty() {
                self.hubs.retain(|key, _| !left.contains(&key.instance));
            }
        }
        newer
    }

    /// Notes what a device says about itself; false when this or something newer is known.
    pub fn note_device(&mut self, row: &DeviceRow) -> bool {
        let newer = self.lacks_device(row);
        if newer {
            self.noted += 1;
            let said = Noted { said: row.age(), at: self.noted };
            self.devices.insert(row.device, said);
            self.stores.note(row);
        }
        newer
    }

    /// Whether a store is somebody's: what nobody's said counts as not known.
    pub fn has(&self, store: &StoreInstance) -> bool {
        self.stores.has(store)
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

    fn device_age(&self, device: &DeviceId) -> Option<(u64, StoreInstance)> {
        self.devices.get(device).map(|noted| noted.said)
    }

    fn keepers(&self, store: &StoreInstance) -> Vec<DeviceId> {
        self.stores.keepers(store)
    }
}

#[cfg(test)]
mod tests {
    use crdt_schema::area::AreaId;

    use super::*;
    use crate::sync::CutRoot;
    use crate::sync::testing::device_row;

    fn row(counter: u64, instance: u8) -> DeviceRow {
        device_row(DeviceId([7; 32]), StoreInstance([instance; 16]), counter)
    }

    #[test]
    fn a_device_that_names_store_after_store_leaves_no_rows_behind() {
        let mut book = Book::default();
        let area = AreaId::WEST_JAVA;
        for counter in 1..=50 {
            let said = row(u64::from(counter), counter);
            let key = RowKey { instance: said.instance, area };
            assert!(book.note_device(&said));
            let root = CutRoot([0; 16]);
            assert!(book.note_hub(&ReceiptRow {
                key,
                counter: 1,
                root,
                heads: Vec::new(),
                signature: [0; 64]
            }));
            assert_eq!(book.hubs.len(), 1, "of the store it has now");
            assert_eq!(book.keepers(&said.instance), [said.device]);
        }
        let (other, mistaken) =
            (DeviceRow { device: DeviceId([8; 32]), ..row(1, 50) }, row(51, 51));
        assert!(book.note_device(&other) && book.note_device(&mistaken));
        assert_eq!(book.hubs.len(), 1, "the store is still somebody's");
        let mut book = Book::default();
        assert!(book.note_device(&row(1, 1)));
        let key = RowKey { instance: StoreInstance([1; 16]), area };
        let said = ReceiptRow {
            key,
            counter: 1,
            root: CutRoot([0; 16]),
            heads: Vec::new(),
            signature: [0; 64],
        };
        assert!(
            book.note_hub(&said) && book.note_device(&row(2, 9)) && book.note_device(&row(3, 1))
        );
        assert!(!book.note_hub(&said), "a store that never spoke displaces no rows");
    }

    #[test]
    fn of_two_rows_of_one_device_one_is_newer_whichever_comes_first_and_whatever_stores_they_name()
    {
        for (older, newer) in [(row(2, 1), row(2, 9)), (row(2, 9), row(3, 1))] {
            let mut one = Book::default();
            assert!(one.note_device(&older) && one.note_device(&newer));
            assert!(
                !one.note_device(&older),
                "two rows that displace each other go round for ever"
            );
            let mut other = Book::default();
            assert!(other.note_device(&newer) && !other.note_device(&older));
            assert_eq!(one.device_age(&older.device), other.device_age(&older.device));
        }
    }
}
