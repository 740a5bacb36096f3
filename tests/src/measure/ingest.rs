//! Runs into an empty node's stores, views included, in a process of its own: entries a second,
//! memory, disk; then what it takes to start again and to look things up.

use std::collections::BTreeSet;
use std::path::Path;

use crdt_schema::area::AreaCode;
use crdt_schema::id::{FeedName, Space};
use node::ports::{FeedStore, ViewStore};
use node::replica::Replica;
use node::store::keystore::Keystore;
use serde_json::{Value, json};

use super::child::{self, allocated, number};
use super::hub;
use super::scale::{
    self, Arrival, LARGEST_ENTRIES, PROVINCE_ENTRIES, RECORD_ENTRIES, Scale, Shape,
};
use super::town::{HOMES, KEYS, Town};
use super::watch::{Watch, ticks_worked, worked_since};
use super::{Aim, MB, Report, disk, look, start};

/// What a child is that takes runs in.
pub(super) const TAKE: &str = "take";
const RUNS: &str = "runs";
const ORDER: &str = "order";
/// Who takes them in.
const HOME: &str = HOMES[0];

pub(super) fn measure(report: &mut Report, scale: Scale) {
    for entries in scale.ingested() {
        let shape = Shape::of(*entries);
        let town = Town::new(shape);
        let room = town.room.path();
        let written = scale::write(&town.world, shape, &room.join(RUNS));
        let mut roots = BTreeSet::new();
        for arrival in Arrival::ALL {
            written.order(arrival, &room.join(ORDER));
            town.lay(HOME);
            let took = child::told(child::at(TAKE, room));
            assert!(number(&took, "entries").total_cmp(&(written.entries as f64)).is_eq());
            tell_taken(report, &took, written.entries, arrival);
            roots.insert(child::text(&took, "root"));
            if is_started_on(arrival, written.entries) {
                let held = Held { folder: &town.folder(HOME), entries: written.entries, arrival };
                disk::measure(report, &held);
                roots.extend(start::measure(report, &held, scale));
                look::measure(report, &held, scale);
            }
        }
        assert_eq!(roots.len(), 1, "what was taken in depends on the order, or on a new start");
    }
}

/// Whether a node is started, and asked, on what came in this order: the best and the worst, the latter
/// up to a million entries.
fn is_started_on(arrival: Arrival, entries: u64) -> bool {
    match arrival {
        Arrival::Ascending => true,
        Arrival::ByDesa => false,
        Arrival::Random => entries < 2 * PROVINCE_ENTRIES,
    }
}

/// A node's folder, and what lies in it.
pub(super) struct Held<'a> {
    pub(super) folder: &'a Path,
    pub(super) entries: u64,
    pub(super) arrival: Arrival,
}

fn tell_taken(report: &mut Report, took: &Value, entries: u64, arrival: Arrival) {
    let is_province = entries >= PROVINCE_ENTRIES;
    let name = arrival.name();
    let mut add = |what: &str, value: f64, unit: &'static str, aim: Aim| {
        report.add(what, value, unit).at(entries).arriving(name).aim(aim);
    };
    let within = |is_held: bool, aim: Aim| if is_held { aim } else { Aim::None };
    let per_second = |seconds: f64| entries as f64 / seconds;
    let aim = within(entries >= LARGEST_ENTRIES, Aim::Over(150_000.0));
    add("ingest", per_second(number(took, "seconds")), "entries/s", aim);
    if let Some(worked) = took.get("worked").and_then(Value::as_f64) {
        // What the clock might say where nothing else runs; no target is held to it.
        let verifying = number(took, "verifying");
        let busiest = per_second(verifying.max(worked - verifying));
        add("ingest, a second of a processor", per_second(worked), "entries/s", Aim::None);
        add("ingest, a second of its busiest thread", busiest, "entries/s", Aim::None);
    }
    let memory = number(took, "peak_kib") / 1024.0;
    add("ingest, memory at most", memory, "MiB", within(is_province, Aim::Under(512.0 * MB)));
    add("root afterwards", number(took, "root_ms"), "ms", Aim::Under(10.0));
    let records = entries as f64 / RECORD_ENTRIES as f64;
    let (feed, view) = (number(took, "feed_bytes") / records, number(took, "view_bytes") / records);
    add("disk, feed.redb", feed, "B/record", Aim::None);
    add("disk, view.redb", view, "B/record", Aim::None);
    let whole = within(entries >= 1_000, Aim::Under(300.0));
    add("disk, both", feed + view, "B/record", whole);
}

/// The child that takes runs in, from and into folders in this one.
pub(super) fn take(room: &Path) -> Value {
    let folder = room.join(HOME);
    let me = Keystore::open(&folder.join(KEYS)).unwrap().device();
    let mut replica = hub::open_in(&folder, me);
    let mut runs = scale::read(&room.join(RUNS), &room.join(ORDER)).peekable();
    let is_authority = |run: &(FeedName, _)| run.0.space == Space::Authority;
    let authority: Vec<_> = std::iter::from_fn(|| runs.next_if(is_authority)).collect();
    hub::take(&mut replica, authority.iter().map(|(name, run)| (name, run)));
    drop(authority);
    let (watch, ticks) = (Watch::start(), ticks_worked());
    let entries = hub::take(&mut replica, runs);
    replica.settle_views().unwrap();
    let (seconds, worked) = (watch.seconds(), worked_since(ticks));
    let verifying = watch.worked_seconds();
    assert_eq!(replica.totals().unwrap().records * RECORD_ENTRIES, entries);
    let watch = Watch::start();
    let hash = root(&replica);
    let root_ms = watch.seconds() * 1e3;
    drop(replica);
    let [feed_bytes, view_bytes] = hub::stores(&folder).map(|path| allocated(&path));
    json!({
        "entries": entries, "seconds": seconds, "worked": worked, "verifying": verifying,
        "root_ms": root_ms, "root": hash, "peak_kib": child::peak_kib(),
        "feed_bytes": feed_bytes, "view_bytes": view_bytes,
    })
}

/// The root of the province.
pub(super) fn root<F: FeedStore, V: ViewStore>(replica: &Replica<F, V>) -> String {
    format!("{:?}", replica.summary().root(AreaCode::WEST_JAVA.first_id()))
}
