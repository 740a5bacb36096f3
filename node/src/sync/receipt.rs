//! Receipts: "this store holds that feed up to here".
//!
//! A row is not an entry and lies outside roots. A **hub** writes one for each desa area, under its
//! store instance; every **device** writes one about itself. Of two rows of one writer the higher
//! counter wins; of two of one device with one counter, the higher store instance. A row is signed by
//! the device that says it, so whoever hands it on can keep it back and nothing else (ADR 0033). It
//! decides nothing about entries.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crdt_schema::area::AreaId;
use crdt_schema::codec::{DecodeError, Reader, Writer};
use crdt_schema::entry::{ChainPoint, SigningPublic, SigningSecret};
use crdt_schema::id::{DeviceId, EntryId, FeedId, Space, StoreInstance};
use crdt_schema::time::Timestamp;

use super::codec::{read_area, write_area};
use super::summary::{CutRoot, HeldHeads, Summary};
use crate::authority::Authority;
use crate::ports::FeedHeads;

/// Feeds a row names: three devices of a desa, a few incarnations each, and the levels above.
pub const ROW_FEEDS_MAX: usize = 1024;
/// Bytes a row takes on the wire at most; one that is longer is cut by leaving out feeds.
pub const ROW_BYTES_MAX: usize = 64 + ROW_FEEDS_MAX * 26 + SIGNATURE_BYTES;
/// Bytes of a signature.
pub const SIGNATURE_BYTES: usize = 64;
/// What is signed begins with this, so that no row can be taken for another kind of thing.
const RECEIPT_CONTEXT: &[u8] = b"wksbm 2026 receipt row v1";
const DEVICE_CONTEXT: &[u8] = b"wksbm 2026 device row v1";
/// Addresses a device tells about itself.
pub const ADDRESSES_MAX: usize = 8;
/// Bytes of one address.
pub const ADDRESS_BYTES_MAX: usize = 128;
/// Bytes of a version text.
pub const VERSION_BYTES_MAX: usize = 32;

/// One head of one feed in a row: the first eight bytes of each id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowHead {
    /// Of the feed's id.
    pub feed: [u8; 8],
    /// Entries up to and with this one.
    pub seq: u64,
    /// Of the entry's id.
    pub entry: [u8; 8],
}

impl RowHead {
    /// The head of a feed.
    pub fn new(feed: &FeedId, head: &ChainPoint) -> Self {
        let cut = |id: &[u8; 32]| id.first_chunk().copied().unwrap_or_default();
        Self { feed: cut(&feed.0), seq: head.seq, entry: cut(&head.id.0) }
    }

    /// Whether it is this head of this feed.
    pub fn fits(&self, feed: &FeedId, head: &ChainPoint) -> bool {
        *self == Self::new(feed, head)
    }
}

/// Which row: one store's word about one desa.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey {
    /// The store that holds the entries.
    pub instance: StoreInstance,
    /// The desa.
    pub area: AreaId,
}

/// Whose store is whose, by the newest rows of devices.
#[derive(Debug, Clone, Default)]
pub struct Stores {
    of: BTreeMap<DeviceId, StoreInstance>,
    keepers: BTreeMap<StoreInstance, BTreeSet<DeviceId>>,
    /// Those that were somebody's and are nobody's.
    left: BTreeSet<StoreInstance>,
}

impl Stores {
    /// Notes which store a device has now.
    pub fn note(&mut self, row: &DeviceRow) {
        let before = self.of.insert(row.device, row.instance);
        if let Some(left) = before
            && let Some(keepers) = self.keepers.get_mut(&left)
        {
            keepers.remove(&row.device);
            if keepers.is_empty() {
                self.keepers.remove(&left);
                self.left.insert(left);
            }
        }
        self.left.remove(&row.instance);
        self.keepers.entry(row.instance).or_default().insert(row.device);
    }

    /// Stores that are nobody's any more, since this was asked last.
    pub fn take_left(&mut self) -> BTreeSet<StoreInstance> {
        std::mem::take(&mut self.left)
    }

    /// Whether a store is somebody's.
    pub fn has(&self, store: &StoreInstance) -> bool {
        self.keepers.contains_key(store)
    }

    /// Devices that have this store.
    pub fn keepers(&self, store: &StoreInstance) -> Vec<DeviceId> {
        self.keepers.get(store).into_iter().flatten().copied().collect()
    }
}

/// A hub's word about one desa.
///
/// | field      | form                                                     |
/// |------------|----------------------------------------------------------|
/// | `instance` | 16 bytes                                                 |
/// | `area`     | varint of the eleven digits                              |
/// | `counter`  | varint, grows with every row of this instance and area   |
/// | `root`     | 16 bytes: the root of the area's records                 |
/// | `heads`    | count, then for each 8 bytes, varint, 8 bytes; ascending |
/// | `signature`| 64 bytes, of the device whose store it is                |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptRow {
    /// Whose store, which desa.
    pub key: RowKey,
    /// The higher one wins.
    pub counter: u64,
    /// The area's root at that moment.
    pub root: CutRoot,
    /// Every head of every own feed of the area, ascending.
    pub heads: Vec<RowHead>,
    /// Over all before it.
    pub signature: [u8; SIGNATURE_BYTES],
}

impl ReceiptRow {
    /// What `summary` holds of a desa, as row number `counter` of this store; not signed yet.
    pub fn of(summary: &Summary, instance: StoreInstance, area: AreaId, counter: u64) -> Self {
        let feeds = summary.feeds(Space::Records, area);
        let mut heads: Vec<RowHead> = feeds.flat_map(row_heads).take(ROW_FEEDS_MAX).collect();
        heads.sort_unstable();
        // Somebody may have searched for two entries of one place whose ids begin alike: a row that
        // names one twice is read by nobody.
        heads.dedup();
        let root = summary.root(area).cut();
        let key = RowKey { instance, area };
        Self { key, counter, root, heads, signature: [0; SIGNATURE_BYTES] }
    }

    /// The row, signed.
    #[must_use]
    pub fn signed(self, secret: &SigningSecret) -> Self {
        let signature = secret.sign(&self.message());
        Self { signature, ..self }
    }

    /// Whether this key signed it.
    pub fn is_signed_with(&self, key: &SigningPublic) -> bool {
        key.verify(&self.message(), &self.signature).is_ok()
    }

    /// Whether it was said by a device that may speak for its store about this area, of those whose
    /// store it is by their own word.
    pub fn is_the_word_of_one(&self, keepers: &[DeviceId], authority: &Authority) -> bool {
        let speaking = |device: &&DeviceId| authority.speaks_for_its_store(device, self.key.area);
        let keys = keepers.iter().filter(speaking).filter_map(|it| authority.signing_key(it));
        keys.into_iter().any(|key| self.is_signed_with(&key))
    }

    fn message(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.write_unsigned(writer.raw(RECEIPT_CONTEXT));
        writer.finish()
    }

    /// Whether the writer holds the feed up to `seq`, by its own word. Of a forked feed every
    /// branch in the row counts, so this is told of the feed's own author only.
    pub fn covers(&self, feed: &FeedId, seq: u64) -> bool {
        let start = feed.0.first_chunk().copied().unwrap_or_default();
        self.heads.iter().any(|head| head.feed == start && head.seq >= seq)
    }

    /// Appends the row.
    pub fn write(&self, writer: &mut Writer) {
        self.write_unsigned(writer);
        writer.raw(&self.signature);
    }

    fn write_unsigned(&self, writer: &mut Writer) {
        writer.raw(&self.key.instance.0);
        write_area(writer, self.key.area);
        writer.varint(self.counter).raw(&self.root.0);
        write_heads(writer, &self.heads);
    }

    /// Reads a row.
    ///
    /// # Errors
    /// [`DecodeError`] when it is cut, its heads are not ascending, or a limit is passed.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let key = RowKey { instance: StoreInstance::read(reader)?, area: read_area(reader)? };
        let counter = reader.varint()?;
        let root = CutRoot(reader.array()?);
        let heads = read_heads(reader)?;
        Ok(Self { key, counter, root, heads, signature: reader.array()? })
    }
}

fn row_heads((feed, held): (&FeedId, &HeldHeads)) -> Vec<RowHead> {
    held.heads.iter().map(|head| RowHead::new(feed, head)).collect()
}

/// What a device says about itself: so a silent village and a missing one can be told apart.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceRow {
    /// The device.
    pub device: DeviceId,
    /// Its store.
    pub instance: StoreInstance,
    /// Grows with every row of this device.
    pub counter: u64,
    /// Heads of its own feeds, ascending.
    pub heads: Vec<RowHead>,
    /// Its clock.
    pub claimed_at: Timestamp,
    /// The newest legal orders it has carried out.
    pub orders: Vec<EntryId>,
    /// Where it listens, as it knows.
    pub addresses: Vec<String>,
    /// Its program's version.
    pub version: String,
    /// The device's, over all before it.
    pub signature: [u8; SIGNATURE_BYTES],
}

impl fmt::Debug for DeviceRow {
    // Addresses tell where someone's device stands.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceRow")
            .field("device", &self.device)
            .field("counter", &self.counter)
            .finish_non_exhaustive()
    }
}

/// Orders a row names.
const ORDERS_MAX: usize = 64;

impl DeviceRow {
    /// Heads of a device's own feeds, as a row names them: the first [`ROW_FEEDS_MAX`] by feed, for a
    /// row with more is read by nobody.
    pub fn heads_of<'a>(feeds: impl Iterator<Item = &'a FeedHeads>) -> Vec<RowHead> {
        let heads = feeds.flat_map(|feed| {
            let id = feed.name.id();
            feed.branches.iter().map(move |branch| RowHead::new(&id, &branch.head.point))
        });
        let mut heads: Vec<RowHead> = heads.collect();
        heads.sort_unstable();
        heads.dedup();
        heads.truncate(ROW_FEEDS_MAX);
        heads
    }

    /// Whether the device holds less than it did when it said `before`, or another store: a backup
    /// was put back.
    pub fn holds_less_than(&self, before: &Self) -> bool {
        // A full row says nothing of the feeds from its last one on.
        let is_full = self.heads.len() >= ROW_FEEDS_MAX;
        let end = self.heads.last().map(|head| head.feed).filter(|_| is_full);
        let holds = |head: &RowHead| {
            end.is_some_and(|end| head.feed >= end)
                || self.heads.iter().any(|now| now.feed == head.feed && now.seq >= head.seq)
        };
        self.counter < before.counter
            || self.instance != before.instance
            || !before.heads.iter().all(holds)
    }

    /// The row, signed.
    #[must_use]
    pub fn signed(self, secret: &SigningSecret) -> Self {
        let signature = secret.sign(&self.message());
        Self { signature, ..self }
    }

    /// Whether the device said it: somebody certified it, and it signed.
    pub fn is_its_own_word(&self, authority: &Authority) -> bool {
        authority.signing_key(&self.device).is_some_and(|key| self.is_signed_with(&key))
    }

    /// Whether whoever has this key said it.
    pub fn is_signed_with(&self, key: &SigningPublic) -> bool {
        key.verify(&self.message(), &self.signature).is_ok()
    }

    fn message(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.write_unsigned(writer.raw(DEVICE_CONTEXT));
        writer.finish()
    }

    /// Of two rows of one device the one with the higher age wins, whatever stores they name: if
    /// each counted as news where the other is held, they would go round for ever.
    pub const fn age(&self) -> (u64, StoreInstance) {
        (self.counter, self.instance)
    }

    /// Appends the row.
    pub fn write(&self, writer: &mut Writer) {
        self.write_unsigned(writer);
        writer.raw(&self.signature);
    }

    fn write_unsigned(&self, writer: &mut Writer) {
        writer.raw(&self.device.0).raw(&self.instance.0).varint(self.counter);
        write_heads(writer, &self.heads);
        writer.varint_signed(self.claimed_at.0).varint(self.orders.len() as u64);
        for order in &self.orders {
            writer.raw(&order.0);
        }
        writer.varint(self.addresses.len() as u64);
        for address in &self.addresses {
            writer.bytes(address.as_bytes());
        }
        writer.bytes(self.version.as_bytes());
    }

    /// Reads a row.
    ///
    /// # Errors
    /// [`DecodeError`] when it is cut, not canonical, or a limit is passed.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let device = DeviceId::read(reader)?;
        let instance = StoreInstance::read(reader)?;
        let counter = reader.varint()?;
        let heads = read_heads(reader)?;
        let claimed_at = Timestamp(reader.varint_signed()?);
        let orders = (0..reader.count(ORDERS_MAX, "orders")?)
            .map(|_| EntryId::read(reader))
            .collect::<Result<_, _>>()?;
        let addresses = (0..reader.count(ADDRESSES_MAX, "addresses")?)
            .map(|_| reader.text(ADDRESS_BYTES_MAX, "address").map(str::to_owned))
            .collect::<Result<_, _>>()?;
        let version = reader.text(VERSION_BYTES_MAX, "version")?.to_owned();
        let signature = reader.array()?;
        Ok(Self {
            device,
            instance,
            counter,
            heads,
            claimed_at,
            orders,
            addresses,
            version,
            signature,
        })
    }
}

fn write_heads(writer: &mut Writer, heads: &[RowHead]) {
    writer.varint(heads.len() as u64);
    for head in heads {
        writer.raw(&head.feed).varint(head.seq).raw(&head.entry);
    }
}

fn read_heads(reader: &mut Reader<'_>) -> Result<Vec<RowHead>, DecodeError> {
    let count = reader.count(ROW_FEEDS_MAX, "heads of a row")?;
    let mut heads: Vec<RowHead> = Vec::with_capacity(count);
    for _ in 0..count {
        let head = RowHead { feed: reader.array()?, seq: reader.varint()?, entry: reader.array()? };
        if heads.last().is_some_and(|last| *last >= head) {
            return Err(DecodeError::NotCanonical("heads of a row"));
        }
        heads.push(head);
    }
    Ok(heads)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

    use std::sync::Arc;

    use crdt_schema::entry::SignedHead;
    use crdt_schema::id::FeedName;

    use super::*;
    use crate::ports::BranchHead;
    use crate::sync::testing::{FlatTree, device_row};

    const ME: DeviceId = DeviceId([7; 32]);

    /// Feeds of one device, with so many entries each.
    fn feeds(count: usize, seq: u64) -> Vec<FeedHeads> {
        let name = |incarnation| FeedName {
            device: ME,
            area: AreaId::WEST_JAVA,
            space: Space::Records,
            incarnation,
        };
        let heads = |name: FeedName| {
            let point = ChainPoint { seq, id: EntryId([3; 32]) };
            let head = SignedHead { feed: name.id(), point, signature: [0; 64] };
            FeedHeads { name, branches: vec![BranchHead { branch: 0, from: None, head }] }
        };
        (0..count as u64).map(|number| heads(name(number))).collect()
    }

    fn row(counter: u64, feeds: &[FeedHeads]) -> DeviceRow {
        let heads = DeviceRow::heads_of(feeds.iter());
        DeviceRow { heads, ..device_row(ME, StoreInstance([1; 16]), counter) }
    }

    #[test]
    fn a_device_with_more_feeds_than_a_row_names_is_still_heard() {
        for count in [ROW_FEEDS_MAX, ROW_FEEDS_MAX + 1, 5_957] {
            let said = row(1, &feeds(count, 1));
            let mut writer = Writer::new();
            said.write(&mut writer);
            let bytes = writer.finish();
            assert!(DeviceRow::read(&mut Reader::new(&bytes)).unwrap() == said);
            assert!(bytes.len() <= ROW_BYTES_MAX, "{}", bytes.len());
        }
    }

    #[test]
    fn two_entries_of_one_place_whose_ids_begin_alike_leave_a_row_that_can_be_read() {
        let name =
            FeedName { device: ME, area: AreaId::WEST_JAVA, space: Space::Records, incarnation: 1 };
        let id = |last| {
            let mut id = [3; 32];
            id[31] = last;
            EntryId(id)
        };
        let mut summary = Summary::new(Arc::new(FlatTree::default()));
        summary.set(name, [1, 2].map(|last| ChainPoint { seq: 7, id: id(last) }).to_vec());
        let said = ReceiptRow::of(&summary, StoreInstance([1; 16]), AreaId::WEST_JAVA, 1);
        assert_eq!(said.heads.len(), 1);
        let mut writer = Writer::new();
        said.write(&mut writer);
        assert_eq!(ReceiptRow::read(&mut Reader::new(&writer.finish())).unwrap(), said);
    }

    #[test]
    fn a_row_that_is_full_is_not_taken_for_that_of_a_backup() {
        let (few, many) = (feeds(ROW_FEEDS_MAX - 1, 9), feeds(ROW_FEEDS_MAX + 400, 9));
        assert!(!row(2, &many).holds_less_than(&row(1, &few)), "new feeds push others out");
        assert!(!row(2, &many).holds_less_than(&row(1, &many)));
        assert!(row(2, &feeds(ROW_FEEDS_MAX - 1, 8)).holds_less_than(&row(1, &few)));
        assert!(row(2, &feeds(ROW_FEEDS_MAX + 400, 8)).holds_less_than(&row(1, &many)));
        assert!(row(2, &few).holds_less_than(&row(1, &many)));
        assert!(row(1, &few).holds_less_than(&row(2, &few)));
    }
}
