//! What one save writes to the disk, counted beneath the stores.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::hub::{self, INSTANCE, runs};
use super::scale::Scale;
use super::{Aim, Report};
use crate::world::{World, certified, feed_of_saves};
use node::store::StoreConfig;
use node::store::feed::RedbFeedStore;
use node::store::view::RedbViewStore;
use redb::StorageBackend;
use redb::backends::InMemoryBackend;

/// Saves that are counted, after a few that are not.
const SAVES: usize = 48;
const SAVES_BEFORE: usize = 8;
/// Memory for pages of the views: what a node gives them.
const VIEW_CACHE_BYTES: usize = 8 << 20;
/// Villages, so that three entries a record and two feeds of 500 records a village come to 20,000
/// and 300,000 entries; and records of a feed.
const SIZES: [(u64, usize, usize); 2] = [(20_000, 7, 500), (300_000, 100, 500)];
const SMALL: [(u64, usize, usize); 1] = [(60, 1, 10)];

pub(super) fn measure(report: &mut Report, scale: Scale) {
    let sizes = if scale == Scale::Smoke { &SMALL[..] } else { &SIZES[..] };
    for (held, villages, records) in sizes {
        save(report, *held, *villages, *records);
    }
}

fn save(report: &mut Report, held: u64, villages: usize, records: usize) {
    let world = World::new(villages, 2);
    let (area, writer) = certified(&world);
    let saves = feed_of_saves(writer, area, SAVES + SAVES_BEFORE, 1);
    let (feed_disk, view_disk) = (Disk::default(), Disk::default());
    let feeds =
        RedbFeedStore::create_on(feed_disk.clone(), INSTANCE, &StoreConfig::default()).unwrap();
    let views = RedbViewStore::create_on(view_disk.clone(), INSTANCE, VIEW_CACHE_BYTES).unwrap();
    let mut replica = hub::open(&world, feeds, views);
    hub::take(&mut replica, world.authority.iter().flat_map(runs));
    let others = world.feeds(records);
    let others = others.iter().filter(|(name, _)| name.device != writer.device());
    hub::take(&mut replica, others.flat_map(runs));
    replica.settle_views().unwrap();
    for (number, (name, run)) in runs(&saves).enumerate() {
        if number == SAVES_BEFORE {
            feed_disk.forget();
            view_disk.forget();
        }
        replica.offer(name, run).unwrap();
        hub::commit(&mut replica);
    }
    for (store, disk) in [("feed", &feed_disk), ("view", &view_disk)] {
        let (bytes, syncs) = disk.told();
        let what = format!("a save, {store} store");
        let (kilobytes, syncs_most) = if store == "feed" { (64.0, 2.0) } else { (0.001, 0.0) };
        report
            .add(what.clone(), bytes / 1e3 / SAVES as f64, "kB written")
            .at(held)
            .aim(Aim::Under(kilobytes));
        let syncs = syncs / SAVES as f64;
        report.add(format!("{what}, syncs"), syncs, "").at(held).aim(Aim::AtMost(syncs_most));
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
