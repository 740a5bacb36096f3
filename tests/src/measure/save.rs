//! What one save writes to the disk, and what a node that holds a village takes of memory.

use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use node::store::StoreConfig;
use node::store::feed::RedbFeedStore;
use node::store::view::RedbViewStore;
use redb::StorageBackend;
use redb::backends::InMemoryBackend;
use tempfile::TempDir;

use super::Report;
use super::hub::{self, INSTANCE, runs};
use crate::world::{World, certified, feed_of_saves};

/// Saves that are counted, after a few that are not.
const SAVES: usize = 48;
const SAVES_BEFORE: usize = 8;
/// Memory for pages of the views: what a node gives them.
const VIEW_CACHE_BYTES: usize = 8 << 20;
/// Villages, so that three entries a record and two feeds of 500 records a village come to 20,000
/// and 300,000 entries.
const SIZES: [(&str, usize); 2] = [("20,000 entries held", 7), ("300,000 entries held", 100)];

pub(super) fn measure(report: &mut Report) {
    for (held, villages) in SIZES {
        save(report, held, villages);
    }
    memory(report);
}

fn save(report: &mut Report, held: &str, villages: usize) {
    let world = World::new(villages, 2);
    let (area, writer) = certified(&world);
    let saves = feed_of_saves(writer, area, SAVES + SAVES_BEFORE, 1);
    let (feed_disk, view_disk) = (Disk::default(), Disk::default());
    let feeds =
        RedbFeedStore::create_on(feed_disk.clone(), INSTANCE, &StoreConfig::default()).unwrap();
    let views = RedbViewStore::create_on(view_disk.clone(), INSTANCE, VIEW_CACHE_BYTES).unwrap();
    let mut replica = hub::open(&world, feeds, views);
    hub::take(&mut replica, world.authority.iter().flat_map(runs));
    let others = world.feeds(500);
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
        let what = format!("a save, {store} store, {held}");
        report.add(what, bytes / 1e3 / SAVES as f64, "kB written", "");
        report.add("  syncs", syncs / SAVES as f64, "a save", "");
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

/// Another process opens the stores, for this one's memory holds the whole world.
fn memory(report: &mut Report) {
    let folder = TempDir::new().unwrap();
    let world = World::new(7, 2);
    let (feeds, views) = stores(folder.path());
    let mut replica = hub::open(&world, feeds, views);
    hub::take(&mut replica, world.authority.iter().flat_map(runs));
    hub::take(&mut replica, world.feeds(500).iter().flat_map(runs));
    replica.settle_views().unwrap();
    drop(replica);
    let me = std::env::current_exe().unwrap();
    let told = Command::new(me).arg(OPEN).arg(folder.path()).output().unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    let kib: f64 = told.trim().parse().unwrap();
    report.add("memory at most, opened with 20,000 entries", kib / 1024.0, "MiB", "");
}

/// The first argument with which a bench only opens the stores in a folder.
pub const OPEN: &str = "--open";

/// Opens the stores in a folder, reads the totals, and tells the most memory this process had, in
/// KiB; 0 where the system does not say.
pub fn opened_kib(folder: &Path) -> u64 {
    let (feeds, views) = stores(folder);
    let replica = hub::open(&World::new(0, 0), feeds, views);
    assert!(replica.totals().unwrap().records > 0);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    most.and_then(|it| it.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0)
}

fn stores(folder: &Path) -> (RedbFeedStore, RedbViewStore) {
    let path = folder.join("feed.redb");
    let feeds = if path.exists() {
        RedbFeedStore::open(&path).unwrap()
    } else {
        RedbFeedStore::create(&path, INSTANCE).unwrap()
    };
    let views = folder.join("view.redb");
    (feeds, RedbViewStore::open_or_create(&views, INSTANCE, VIEW_CACHE_BYTES).unwrap())
}
