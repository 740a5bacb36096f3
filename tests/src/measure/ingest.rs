//! Runs into an empty node's stores, views included, in a process of its own: entries a second,
//! memory, disk; then what it takes to start again and to look things up.

use std::collections::BTreeSet;
use std::path::Path;

use crdt_schema::area::AreaCode;
use crdt_schema::id::{FeedName, Space};
use crdt_schema::record::TermKind;
use node::ports::{RecordVerdict, RowFilter};
use node::store::feed::RedbFeedStore;
use node::store::view::RedbViewStore;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::child::{self, allocated, number};
use super::hub::{self, INSTANCE, VIEW_CACHE_BYTES};
use super::scale::{self, Arrival, Scale};
use super::watch::Watch;
use super::{Aim, Report};
use crate::world::{KIND, World, record_id};

/// What a child is: one that takes runs in, one that starts on what is there.
pub(super) const TAKE: &str = "take";
pub(super) const START: &str = "start";
const STORES: [&str; 2] = ["feed.redb", "view.redb"];
const RUNS: &str = "runs";
const ORDER: &str = "order";
/// Look-ups of each sort that are timed.
const LOOKUPS: usize = 500;
/// Entries from which on a size is a province's, and must keep to a province's limits.
const PROVINCE_ENTRIES: u64 = 1_000_000;

pub(super) fn measure(report: &mut Report, scale: Scale) {
    for entries in scale.ingested() {
        let (villages, writers, records) = scale::shape(*entries);
        let folder = TempDir::new().unwrap();
        let world = World::new(villages, writers);
        let written = scale::write(&world, records, &folder.path().join(RUNS));
        for arrival in Arrival::ALL {
            written.order(arrival, &folder.path().join(ORDER));
            let took = child::told(with_folder(TAKE, folder.path()));
            assert!(number(&took, "entries").total_cmp(&(written.entries as f64)).is_eq());
            tell_taken(report, &took, written.entries, arrival);
            if arrival == Arrival::Ascending {
                start(report, folder.path(), written.entries);
            }
        }
    }
}

fn with_folder(what: &str, folder: &Path) -> std::process::Command {
    let mut command = child::command(what);
    command.arg(folder);
    command
}

fn tell_taken(report: &mut Report, took: &Value, entries: u64, arrival: Arrival) {
    let is_province = entries >= PROVINCE_ENTRIES;
    let name = arrival.name();
    let mut add = |what: &str, value: f64, unit: &'static str, aim: Aim| {
        report.add(what, value, unit).at(entries).arriving(name).aim(aim);
    };
    let within = |is_held: bool, aim: Aim| if is_held { aim } else { Aim::None };
    let rate = entries as f64 / number(took, "seconds");
    let in_order = arrival == Arrival::Ascending;
    add("ingest", rate, "entries/s", within(in_order && is_province, Aim::Over(150_000.0)));
    let worked = entries as f64 / number(took, "worked");
    add("ingest, a second of a processor", worked, "entries/s", Aim::None);
    // On a machine that does nothing else this is what the clock would say.
    let busiest = entries as f64 / number(took, "busiest");
    let aim = within(in_order && is_province, Aim::Over(150_000.0));
    add("ingest, a second of its busiest thread", busiest, "entries/s", aim);
    let memory = number(took, "peak_kib") / 1024.0;
    add("ingest, memory at most", memory, "MiB", within(is_province, Aim::Under(512.0)));
    add("root afterwards", number(took, "root_ms"), "ms", Aim::Under(10.0));
    let records = entries as f64 / 3.0;
    let (feed, view) = (number(took, "feed_bytes") / records, number(took, "view_bytes") / records);
    add("disk, feed.redb", feed, "B/record", Aim::None);
    add("disk, view.redb", view, "B/record", Aim::None);
    let whole = within(entries >= 100_000, Aim::Under(300.0));
    add("disk, both", feed + view, "B/record", whole);
}

fn start(report: &mut Report, folder: &Path, entries: u64) {
    let watch = Watch::start();
    let started = child::told(with_folder(START, folder));
    let spawned = watch.seconds() * 1e3;
    let mut add = |what: &str, value: f64, unit: &'static str| {
        report.add(what, value, unit).at(entries).arriving("ascending");
    };
    add("start, from spawn to root, and the look-ups", spawned, "ms");
    add("start, stores opened", number(&started, "opened_ms"), "ms");
    add("start, memory at most", number(&started, "peak_kib") / 1024.0, "MiB");
    add("look-up of a record by its id", number(&started, "find_us"), "us");
    add("look-up of a record's row", number(&started, "row_us"), "us");
    add("first page of an area's records in a state", number(&started, "page_us"), "us");
    add("history of a record", number(&started, "history_us"), "us");
}

/// The child that takes runs in.
pub(super) fn take(folder: &Path) -> Value {
    let [feeds, views] = STORES.map(|name| folder.join(name));
    for path in [&feeds, &views] {
        // Of the order before: there is none at first.
        drop(std::fs::remove_file(path));
    }
    let feeds = RedbFeedStore::create(&feeds, INSTANCE).unwrap();
    let views = RedbViewStore::open_or_create(&views, INSTANCE, VIEW_CACHE_BYTES).unwrap();
    let world = World::new(0, 0);
    let mut replica = hub::open(&world, feeds, views);
    let mut runs = scale::read(&folder.join(RUNS), &folder.join(ORDER)).peekable();
    let is_authority = |run: &(FeedName, _)| run.0.space == Space::Authority;
    let authority: Vec<_> = std::iter::from_fn(|| runs.next_if(is_authority)).collect();
    hub::take(&mut replica, authority.iter().map(|(name, run)| (name, run)));
    drop(authority);
    let (watch, worked) = (Watch::start(), super::watch::worked_by_all());
    let entries = hub::take(&mut replica, runs);
    replica.settle_views().unwrap();
    let (seconds, worked) = (watch.seconds(), super::watch::worked_by_all() - worked);
    let verifying = watch.worked_seconds();
    let busiest = verifying.max(worked - verifying);
    assert_eq!(replica.totals().unwrap().records * 3, entries);
    let watch = Watch::start();
    let root = replica.summary().root(AreaCode::WEST_JAVA.first_id());
    let root_ms = watch.seconds() * 1e3;
    drop(replica);
    let [feed_bytes, view_bytes] = STORES.map(|name| allocated(&folder.join(name)));
    json!({
        "entries": entries, "seconds": seconds, "worked": worked, "busiest": busiest, "root_ms": root_ms,
        "root": format!("{root:?}"), "peak_kib": child::peak_kib(),
        "feed_bytes": feed_bytes, "view_bytes": view_bytes,
    })
}

/// The child that starts on what is there, and looks things up.
pub(super) fn started(folder: &Path) -> Value {
    let watch = Watch::start();
    let [feeds, views] = STORES.map(|name| folder.join(name));
    let feeds = RedbFeedStore::open(&feeds).unwrap();
    let views = RedbViewStore::open_or_create(&views, INSTANCE, VIEW_CACHE_BYTES).unwrap();
    let replica = hub::open(&World::new(0, 0), feeds, views);
    let root = replica.summary().root(AreaCode::WEST_JAVA.first_id());
    let opened_ms = watch.seconds() * 1e3;
    let feeds = replica.feeds().filter(|feed| feed.name.space == Space::Records);
    let feeds: Vec<_> = feeds
        .map(|feed| {
            let entries = feed.branches.first().unwrap().head.point.seq;
            (feed.name.id(), usize::try_from(entries).unwrap() / 3)
        })
        .collect();
    // Far apart, in all parts of their feeds and each another one where there are so many, so that
    // caches help as little as they do when a person asks.
    let ids: Vec<_> = (0..LOOKUPS)
        .map(|turn| {
            let (feed, records) = feeds.get(turn * 7_919 % feeds.len()).unwrap();
            record_id(*feed, turn * 104_729 / feeds.len() % records)
        })
        .collect();
    let watch = Watch::start();
    let found: Vec<_> =
        ids.iter().map(|id| *replica.find(&id.to_string()).unwrap().first().unwrap()).collect();
    let find_us = watch.seconds() * 1e6 / LOOKUPS as f64;
    let watch = Watch::start();
    for key in &found {
        assert!(replica.record(key).unwrap().is_some());
    }
    let row_us = watch.seconds() * 1e6 / LOOKUPS as f64;
    let watch = Watch::start();
    for key in &found {
        let filter = RowFilter {
            areas: BTreeSet::from([key.area]),
            kinds: BTreeSet::from([KIND]),
            terms: vec![(TermKind::Status, "terlaksana".to_owned())],
            verdicts: BTreeSet::from([RecordVerdict::Counting]),
            ..RowFilter::default()
        };
        assert!(replica.rows(&filter, None, 50).unwrap().0 > 0);
    }
    let page_us = watch.seconds() * 1e6 / LOOKUPS as f64;
    let watch = Watch::start();
    for key in &found {
        assert_eq!(replica.history(key).unwrap().len(), 3);
    }
    let history_us = watch.seconds() * 1e6 / LOOKUPS as f64;
    json!({
        "opened_ms": opened_ms, "root": format!("{root:?}"), "peak_kib": child::peak_kib(),
        "find_us": find_us, "row_us": row_us, "page_us": page_us, "history_us": history_us,
    })
}
