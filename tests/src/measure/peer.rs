//! The child that is a node: it runs as `wksbm run` does, and does what its parent says, a line at a
//! time.
//!
//! `dial ADDRESS` reconciles once · `again ADDRESS` does so over the link that stands · `edit FIELD VALUE
//! RECORD..` saves · `await ENTRIES` waits until so many are held · `tell` counts · `contents` hashes all that
//! is held and shown · an end of input stops it.

use std::io::{BufRead as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crdt_schema::area::AreaCode;
use crdt_schema::record::Schema;
use node::live::{Event, RunAsk, Running, meet, meet_any};
use node::node::{Environment, Node};
use node::ports::{RowFilter, ViewRow, ViewStore as _};
use serde_json::{Value, json};

use super::watch::{Watch, moment};
use super::{child, link};
use crate::office::asks;

/// What this child is called.
pub(super) const PEER: &str = "peer";
/// What stands for no address.
pub(super) const NONE: &str = "-";
/// Rows read at once.
const PAGE: usize = 512;
/// Between two looks at what came.
const LOOK_EVERY: Duration = Duration::from_micros(50);
/// For one meeting.
const PATIENCE: Duration = Duration::from_secs(600);

/// Runs the node in `folder` until its input ends.
pub(super) fn serve(folder: &Path, listen: &str, peer: &str) {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build().unwrap();
    let environment = Environment::system(Arc::new(Schema::standard().clone()));
    let node = Node::open(folder, environment).unwrap();
    runtime.block_on(async {
        let addresses = |text: &str| match text {
            NONE => Vec::new(),
            text => vec![text.parse().unwrap()],
        };
        let ask = RunAsk { listen: addresses(listen), peers: addresses(peer), ..RunAsk::default() };
        let (running, mut events) = Running::start(node, ask).unwrap();
        if peer != NONE {
            loop {
                if let Ok(Event::Session(seen)) = events.recv().await {
                    say(&json!({ "equal": seen.equal, "at": moment() }));
                    break;
                }
            }
        } else if listen != NONE {
            loop {
                if let Ok(Event::Listening { address }) = events.recv().await {
                    say(&json!({ "listening": address }));
                    break;
                }
            }
        }
        drop(events);
        loop {
            let mut line = String::new();
            let read = tokio::task::block_in_place(|| std::io::stdin().lock().read_line(&mut line));
            if read.unwrap() == 0 {
                break;
            }
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            say(&done(&running, &words).await);
        }
        running.stop().await.unwrap();
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
}

fn say(object: &Value) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{object}").unwrap();
    out.flush().unwrap();
}

async fn done(running: &Running, words: &[String]) -> Value {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [order @ ("dial" | "again"), address] => {
            let addresses = [address.parse().unwrap()];
            let watch = Watch::start();
            let met = match *order {
                "dial" => meet(running, &addresses, PATIENCE).await,
                _ => meet_any(running, &addresses, PATIENCE).await,
            };
            let (seen, seconds) = (met.unwrap().seen, watch.seconds());
            // A count waits for what is still being written into the views.
            running.ask(|node| node.replica().totals()).await.unwrap().unwrap();
            json!({
                "seconds": seconds, "shown_seconds": watch.seconds(), "equal": seen.equal, "rounds": seen.rounds,
                "frame_bytes": seen.received.bytes + seen.sent.bytes,
            })
        }
        ["edit", field, value, records @ ..] => {
            let records: Vec<String> = records.iter().map(|id| (*id).to_owned()).collect();
            let put = asks(&[(*field, *value)]);
            let began = moment();
            for id in records {
                let put = put.clone();
                running.ask(move |node| node.record_set(&id, 0, &put)).await.unwrap().unwrap();
            }
            json!({ "began": began, "ended": moment() })
        }
        ["await", entries] => {
            let wanted: u64 = entries.parse().unwrap();
            while running.ask(|node| node.replica().entries_held()).await.unwrap() < wanted {
                // Asked without a pause, it would take a processor from what it waits for.
                tokio::task::block_in_place(|| std::thread::sleep(LOOK_EVERY));
            }
            json!({ "at": moment() })
        }
        ["tell"] => {
            let held = |node: &mut Node| (node.replica().entries_held(), node.replica().totals());
            let (entries, totals) = running.ask(held).await.unwrap();
            let totals = totals.unwrap();
            let figures = running.figures();
            let frames = figures.bytes_received.load(Ordering::Relaxed)
                + figures.bytes_sent.load(Ordering::Relaxed);
            json!({
                "entries": entries, "records": totals.records, "conflicts": totals.conflicts,
                "frame_bytes": frames, "peak_kib": child::peak_kib(), "passed": link::passed(),
            })
        }
        ["contents"] => running.ask(|node| contents(node)).await.unwrap(),
        other => panic!("not an order: {other:?}"),
    }
}

/// The province's roots, and a hash over every row as it is kept: verdict, edits and values.
fn contents(node: &Node) -> Value {
    let replica = node.replica();
    let province = AreaCode::WEST_JAVA.first_id();
    let authority = format!("{:?}", replica.summary().authority_root(province));
    let root = format!("{:?}", replica.summary().root(province));
    let (every, views) = (RowFilter::default(), replica.views().unwrap());
    let (mut hasher, mut after) = (blake3::Hasher::new(), None);
    loop {
        let page = views.list(&every, after.as_ref(), PAGE, replica.feed_store()).unwrap().1;
        let Some(last) = page.last() else { break };
        after = Some(last.key);
        for row in page {
            hasher.update(&all_of(&row));
        }
    }
    json!({ "authority": authority, "root": root, "rows": hasher.finalize().to_string() })
}

/// A row as it is kept: what differs anywhere has other bytes. (Its own words leave out what may be personal.)
pub fn all_of(row: &ViewRow) -> Vec<u8> {
    let ViewRow { key, state, verdict, conflicts, waits, changed_at, weight, terms } = row;
    let shown = (key, state, verdict, conflicts, waits, changed_at, weight, terms);
    format!("{shown:?}").into_bytes()
}
