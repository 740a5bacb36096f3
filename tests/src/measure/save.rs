//! What one save writes to the disk, counted beneath the stores: authored, signed and committed as a
//! node does it.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crdt_schema::area::AreaId;
use crdt_schema::edit::{Op, Value};
use crdt_schema::id::{FeedName, RecordId, Space};
use node::ports::RecordKey;
use node::replica::{Author, Replica, Save, Source};
use node::store::StoreConfig;
use node::store::feed::RedbFeedStore;
use node::store::view::RedbViewStore;
use redb::StorageBackend;
use redb::backends::InMemoryBackend;

use super::hub::{self, INSTANCE, VIEW_CACHE_BYTES, runs};
use super::scale::{RECORD_ENTRIES, Scale, Shape};
use super::workload::{self, Chance, Hand, claimed_at};
use super::{Aim, Report};
use crate::world::{KIND, World, Writer, certified};

/// Saves that are counted, after a few that are not: as many as a node lets its views lag behind.
const SAVES: u64 = 256;
const SAVES_BEFORE: u64 = 8;
/// Entries that are held, villages, and records of each of the two feeds of a village.
const SIZES: [(u64, usize, usize); 5] = [
    (1_000, 1, 167),
    (20_000, 7, 476),
    (100_000, 33, 505),
    (300_000, 100, 500),
    (1_000_000, 334, 500),
];
const SMALL: [(u64, usize, usize); 1] = [(60, 1, 10)];
/// Of so many of a hundred entries more or less it is still said that so many are held.
const ABOUT_PERCENT: u64 = 1;

pub(super) fn measure(report: &mut Report, scale: Scale) {
    let sizes = if scale == Scale::Smoke { &SMALL[..] } else { &SIZES[..] };
    for (held, villages, records) in sizes {
        save(report, *held, *villages, *records);
    }
}

fn save(report: &mut Report, held: u64, villages: usize, records: usize) {
    let world = World::new(villages, 2);
    let (feed_disk, view_disk) = (Disk::default(), Disk::default());
    let feeds =
        RedbFeedStore::create_on(feed_disk.clone(), INSTANCE, &StoreConfig::default()).unwrap();
    let views = RedbViewStore::create_on(view_disk.clone(), INSTANCE, VIEW_CACHE_BYTES).unwrap();
    let mut desk = Desk::new(&world, records, feeds, views);
    let others = desk.replica.entries_held() - certificates(&world);
    assert!(others.abs_diff(held) * 100 <= held * ABOUT_PERCENT, "{others} entries, not {held}");
    (0..SAVES_BEFORE).for_each(|_| desk.save());
    feed_disk.forget();
    view_disk.forget();
    (0..SAVES).for_each(|_| desk.save());
    let mut add = |what: &str, sum: f64, unit: &'static str, aim: Aim| {
        let figure = report.add(format!("a save, {what}"), sum / SAVES as f64, unit);
        figure.at(held).repeated(SAVES).aim(aim);
    };
    let (written, syncs) = feed_disk.told();
    add("feed store", written / 1e3, "kB written", Aim::Under(64.0));
    add("feed store, syncs", syncs, "", Aim::AtMost(2.0));
    add("view store, syncs", view_disk.told().1, "", Aim::AtMost(0.0));
    // What the saves left in memory reaches the disk with the next durable commit.
    desk.replica.settle_views().unwrap();
    let [(feed, feed_syncs), (view, view_syncs)] = [feed_disk.told(), view_disk.told()];
    add("view store once settled", view / 1e3, "kB written", Aim::None);
    add("both stores once settled", (feed + view) / 1e3, "kB written", Aim::Under(64.0));
    add("both stores once settled, syncs", feed_syncs + view_syncs, "", Aim::None);
}

/// Entries of authority.
fn certificates(world: &World) -> u64 {
    let entries = |(_, run): hub::Offered<'_>| run.block().unwrap().entries.len() as u64;
    world.authority.iter().flat_map(runs).map(entries).sum()
}

/// The province's device, which holds what all others wrote (a village takes what its neighbours did, and no
/// more), and saves in the first village.
struct Desk<'a> {
    replica: Replica<RedbFeedStore, RedbViewStore>,
    writer: &'a Writer,
    area: AreaId,
    /// How it writes.
    hand: Hand,
    /// Records of that village: those of its first device, then its own.
    records: Vec<RecordId>,
    said: Said,
    saves: u64,
    chance: Chance,
}

impl<'a> Desk<'a> {
    fn new(world: &'a World, each: usize, feeds: RedbFeedStore, views: RedbViewStore) -> Self {
        let (writer, area) = (&world.province, certified(world).0);
        let mut replica = hub::open(&world.statement, writer.device(), feeds, views);
        hub::take(&mut replica, world.authority.iter().flat_map(runs));
        let shape = Shape::even(world.villages.len(), 2, each);
        let others: Vec<_> = workload::feeds(world, shape).collect();
        hub::take(&mut replica, others.iter().flat_map(runs));
        replica.settle_views().unwrap();
        let other = others.iter().find(|(name, _)| name.area == area).unwrap().0.id();
        let (device, space) = (writer.device(), Space::Records);
        let hand = Hand::of(FeedName { device, area, space, incarnation: 1 }.id());
        let wrote = Hand::of(other);
        let records: Vec<RecordId> = (0..each).map(|number| wrote.record(number)).collect();
        let mut said = Said::default();
        for record in &records {
            for step in 0..RECORD_ENTRIES {
                said.note(*record, &wrote.step(*record, step));
            }
        }
        Self { replica, writer, area, hand, records, said, saves: 0, chance: Chance::new(1) }
    }

    /// Every third save makes a record, the others change one field of any that the village has.
    fn save(&mut self) {
        let (record, ops) = match self.saves % RECORD_ENTRIES {
            0 => self.new_record(),
            _ => self.edit(),
        };
        let author = Author { device: self.writer.device(), key: self.writer.secret() };
        let now = claimed_at(usize::try_from(self.saves).unwrap());
        let save = Save {
            key: RecordKey { area: self.area, kind: KIND, record },
            person: 0,
            claimed_at: now,
            sections: vec![workload::section(ops)],
        };
        self.replica.save(&author, save).unwrap();
        let committed = self.replica.commit(Some(&author), &Source::Here, now).unwrap();
        assert_eq!(committed.entries, 1);
        self.saves += 1;
    }

    fn new_record(&mut self) -> (RecordId, Vec<Op>) {
        let record = self.hand.record(self.records.len());
        self.records.push(record);
        let ops = self.hand.step(record, 0);
        self.said.note(record, &ops);
        (record, ops)
    }

    /// What a record says already is no edit.
    fn edit(&mut self) -> (RecordId, Vec<Op>) {
        loop {
            let record = *self.records.get(self.chance.below(self.records.len())).unwrap();
            let ops = vec![self.hand.later(&mut self.chance)];
            if self.said.note(record, &ops) {
                return (record, ops);
            }
        }
    }
}

/// What each field of a record was last put to.
#[derive(Default)]
struct Said(BTreeMap<(RecordId, u16), Value>);

impl Said {
    /// Whether this changes anything, noted for the next.
    fn note(&mut self, record: RecordId, ops: &[Op]) -> bool {
        let mut is_new = false;
        for op in ops {
            let Some(value) = workload::value(op) else { continue };
            is_new |= self.0.insert((record, op.field), value.clone()).as_ref() != Some(value);
        }
        is_new
    }
}

/// A disk in memory that counts. Clones are the same disk.
#[derive(Debug, Clone, Default)]
struct Disk(Arc<Counting>);

#[derive(Debug, Default)]
struct Counting {
    bytes: InMemoryBackend,
    written: AtomicU64,
    syncs: AtomicU64,
}

impl Disk {
    fn forget(&self) {
        self.0.written.store(0, Ordering::Relaxed);
        self.0.syncs.store(0, Ordering::Relaxed);
    }

    /// Bytes written and syncs since.
    fn told(&self) -> (f64, f64) {
        let Counting { written, syncs, .. } = &*self.0;
        (written.load(Ordering::Relaxed) as f64, syncs.load(Ordering::Relaxed) as f64)
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.0.bytes.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.bytes.read(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.0.bytes.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.syncs.fetch_add(1, Ordering::Relaxed);
        self.0.bytes.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.written.fetch_add(data.len() as u64, Ordering::Relaxed);
        self.0.bytes.write(offset, data)
    }
}
