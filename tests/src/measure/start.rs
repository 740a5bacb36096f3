//! How long a node takes from the start of its process to its first answer, with the pages of its
//! stores in the memory of the system or not.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use crdt_schema::id::Space;
use crdt_schema::record::Schema;
use node::node::{Environment, ListAsk, Node};
use serde_json::{Value, json};

use super::Report;
use super::child::{self, number};
use super::hub;
use super::ingest::{Held, root};
use super::scale::Scale;
use super::watch::moment;

/// What a child is that starts on what is there.
pub(super) const START: &str = "start";
/// Rows of the first page that somebody sees.
pub(super) const PAGE: usize = 50;

/// Starts a node on what lies in a folder, again and again; returns the roots it told.
pub(super) fn measure(report: &mut Report, held: &Held<'_>, scale: Scale) -> Vec<String> {
    let folder = held.folder;
    let mut roots = Vec::new();
    for how in ["warm", "cold"] {
        let started: Option<Vec<Value>> = (0..scale.repeats())
            .map(|_| (how == "warm" || forgotten(folder)).then(|| started_once(folder)))
            .collect();
        let Some(started) = started else { continue };
        roots.extend(started.iter().map(|told| child::text(told, "root")));
        let of = |name| started.iter().map(|told| number(told, name)).collect::<Vec<f64>>();
        let read = of("read_mib");
        // On a disk that is memory nothing is cold.
        if how == "cold" && read.iter().all(|read| *read <= 0.0) {
            continue;
        }
        let mut add = |what: &str, values: &[f64], unit: &'static str| {
            let figure = report.middle(format!("start, {what}, {how}"), values, unit);
            figure.at(held.entries).arriving(held.arrival.name());
        };
        add("spawn to open node", &of("opened_ms"), "ms");
        add("spawn to first answer", &of("answered_ms"), "ms");
        add("read from the disk", &read, "MiB");
        add("memory at most", &of("peak_mib"), "MiB");
    }
    roots
}

/// Has the system let go what it keeps in memory of the stores; whether it could be asked.
fn forgotten(folder: &Path) -> bool {
    hub::stores(folder).iter().all(|path| {
        let mut command = Command::new("dd");
        command.arg(format!("of={}", path.display()));
        command.args(["oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none"]);
        command.output().is_ok_and(|output| output.status.success())
    })
}

fn started_once(folder: &Path) -> Value {
    let spawned = moment();
    let mut told = child::told(child::at(START, folder));
    for name in ["opened_ms", "answered_ms"] {
        let since = number(&told, name) - spawned;
        told.as_object_mut().unwrap().insert(name.to_owned(), since.into());
    }
    told
}

/// Opens the node in a folder.
pub(super) fn open(folder: &Path) -> Node {
    Node::open(folder, Environment::system(Arc::new(Schema::standard().clone()))).unwrap()
}

/// The child that starts on what is there: moments at which it was so far.
pub(super) fn started(folder: &Path) -> Value {
    let node = open(folder);
    let opened_ms = moment();
    let mut feeds = node.replica().feeds();
    let area = feeds.find(|feed| feed.name.space == Space::Records).unwrap().name.area;
    let ask = ListAsk { area: Some(area.to_string()), limit: PAGE, ..ListAsk::default() };
    assert!(node.record_list(&ask).unwrap().total > 0);
    let answered_ms = moment();
    json!({
        "opened_ms": opened_ms, "answered_ms": answered_ms, "root": root(node.replica()),
        "peak_mib": child::peak_kib() as f64 / 1024.0, "read_mib": child::read_mib(),
    })
}
