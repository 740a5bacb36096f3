//! Runs into both redb stores, views included: entries a second, bytes on the disk a record.

use std::path::Path;

use node::ports::ViewStore as _;
use node::progress::Unwatched;
use node::store::feed::RedbFeedStore;
use node::store::view::RedbViewStore;
use tempfile::TempDir;

use super::Report;
use super::hub::{self, INSTANCE, Offered, VIEW_CACHE_BYTES, runs};
use super::watch::Watch;
use crate::world::{Feed, World};

/// Runs of one feed before the next feed's turn, in mixed order.
const RUNS_AT_ONCE: usize = 1;
const STORES: [&str; 2] = ["feed.redb", "view.redb"];

pub(super) fn measure(report: &mut Report) {
    let world = World::new(100, 2);
    let feeds = world.feeds(500);
    let folder = TempDir::new().unwrap();
    let ordered = take_all(&world, folder.path(), feeds.iter().flat_map(runs));
    let target = "280,000 on one core in a prototype";
    report.add("ingest, feed after feed", ordered.per_second, "entries/s", target);
    report.add("  a second of the processor", ordered.per_second_worked, "entries/s", "");
    let records = ordered.entries / 3.0;
    sizes(report, folder.path(), "after the import", records);
    compact(report, folder.path());
    sizes(report, folder.path(), "compacted", records);
    rebuild(report, &world, folder.path(), ordered.entries);
    sizes(report, folder.path(), "rebuilt", records);
    let folder = TempDir::new().unwrap();
    let mixed = take_all(&world, folder.path(), interleaved(&feeds).into_iter());
    let target = "130,000 mixed in a prototype";
    report.add("ingest, 200 feeds in turn", mixed.per_second, "entries/s", target);
    report.add("  a second of the processor", mixed.per_second_worked, "entries/s", "");
}

struct Taken {
    entries: f64,
    per_second: f64,
    per_second_worked: f64,
}

fn interleaved(feeds: &[Feed]) -> Vec<Offered<'_>> {
    let longest = feeds.iter().map(|(_, runs)| runs.len()).max().unwrap_or(0);
    let mut all = Vec::new();
    for turn in (0..longest).step_by(RUNS_AT_ONCE) {
        for (name, runs) in feeds {
            all.extend(runs.iter().skip(turn).take(RUNS_AT_ONCE).map(|run| (name, run)));
        }
    }
    all
}

fn take_all<'a>(
    world: &'a World,
    folder: &Path,
    offered: impl Iterator<Item = Offered<'a>>,
) -> Taken {
    let [feeds, views] = STORES.map(|name| folder.join(name));
    let feeds = RedbFeedStore::create(&feeds, INSTANCE).unwrap();
    let views = RedbViewStore::open_or_create(&views, INSTANCE, VIEW_CACHE_BYTES).unwrap();
    let mut replica = hub::open(world, feeds, views);
    hub::take(&mut replica, world.authority.iter().flat_map(runs));
    let watch = Watch::start();
    let entries = hub::take(&mut replica, offered);
    replica.settle_views().unwrap();
    let (seconds, worked) = (watch.seconds(), watch.worked_seconds());
    assert_eq!(replica.totals().unwrap().records * 3, entries);
    let entries = entries as f64;
    Taken { entries, per_second: entries / seconds, per_second_worked: entries / worked }
}

fn sizes(report: &mut Report, folder: &Path, when: &str, records: f64) {
    let targets = ["87 in a prototype", "122 in a prototype"];
    for (name, target) in STORES.into_iter().zip(targets) {
        let bytes = std::fs::metadata(folder.join(name)).unwrap().len();
        report.add(format!("disk, {name} {when}"), bytes as f64 / records, "bytes/record", target);
    }
}

fn compact(report: &mut Report, folder: &Path) {
    let [feeds, views] = STORES.map(|name| folder.join(name));
    let watch = Watch::start();
    RedbFeedStore::open(&feeds).unwrap().compact().unwrap();
    report.add("compacting feed.redb", watch.seconds(), "s", "");
    let watch = Watch::start();
    let mut views = RedbViewStore::open_or_create(&views, INSTANCE, VIEW_CACHE_BYTES).unwrap();
    views.compact().unwrap();
    report.add("compacting view.redb", watch.seconds(), "s", "");
}

fn rebuild(report: &mut Report, world: &World, folder: &Path, entries: f64) {
    let [feeds, views] = STORES.map(|name| folder.join(name));
    let feeds = RedbFeedStore::open(&feeds).unwrap();
    let views = RedbViewStore::open_or_create(&views, INSTANCE, VIEW_CACHE_BYTES).unwrap();
    let mut replica = hub::open(world, feeds, views);
    let watch = Watch::start();
    replica.rebuild_views(&mut Unwatched).unwrap();
    report.add("views made anew", entries / watch.seconds(), "entries/s", "");
    replica.settle_views().unwrap();
}
