//! What is measured: `plan.rs` typed saves · `packed.rs` bytes on the wire · `reconcile.rs` two
//! replicas and a session, in memory · `ingest.rs` runs into both stores, memory, disk,
//! `disk.rs` in which table ·
//! `start.rs` a node's start · `look.rs` look-ups · `meet.rs` two processes over real sockets, `edits.rs` what they save ·
//! `save.rs` what one save writes · `rate.rs` this machine's own rates.
//!
//! `workload.rs` what a village writes · `scale.rs` how many entries, in which order · `hub.rs` the replica
//! they measure on · `town.rs` folders of nodes · `child.rs` this program as another process,
//! `peer.rs` one that is a node · `link.rs` the wire between them · `watch.rs` how long it took ·
//! `report.rs` the figures as a table and as JSON · `chart.rs` as plots.

mod chart;
mod child;
mod disk;
mod edits;
mod hub;
mod ingest;
mod link;
mod look;
mod meet;
mod packed;
mod peer;
mod plan;
mod rate;
mod reconcile;
mod report;
mod save;
mod scale;
mod start;
mod town;
mod watch;
mod workload;

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

pub use chart::charts;
pub use child::CHILD;
pub use peer::all_of;
pub use report::{Aim, Figure, Report};
pub use scale::Scale;

/// A million bytes in MiB: targets of memory are in the one, figures in the other.
const MB: f64 = 1e6 / 1_048_576.0;

/// A measure and its name on the command line.
type Measure = (&'static str, fn(&mut Report, Scale));

const RATE: &str = "rate";

const MEASURES: [Measure; 7] = [
    (RATE, rate::measure),
    ("plan", |report, _| plan::measure(report)),
    ("packed", |report, _| packed::measure(report)),
    ("reconcile", |report, _| reconcile::measure(report)),
    ("ingest", ingest::measure),
    ("meet", meet::measure),
    ("save", save::measure),
];

/// What may be measured.
pub fn names() -> [&'static str; 7] {
    MEASURES.map(|(name, _)| name)
}

/// Runs the measures of these names; all of them without any.
pub fn run(names: &[String], scale: Scale) -> Report {
    let (mut report, how) = (Report::default(), how(scale));
    for (name, measure) in MEASURES {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            report.begin(name, how.clone());
            measure(&mut report, scale);
            if name != RATE {
                rate::beside(&mut report);
            }
        }
    }
    report
}

/// Of which program, in how large a run and on which file system something is measured.
fn how(scale: Scale) -> String {
    let told = |program: &str, words: &[&str]| {
        let told = Command::new(program).args(words).output().ok();
        let told = told.filter(|it| it.status.success()).map(|it| it.stdout).unwrap_or_default();
        String::from_utf8_lossy(&told).trim().to_owned()
    };
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let commit = told("git", &["-C", source, "describe", "--always"]);
    // What the parts before wrote is no other program.
    let all_but_figures =
        ["-C", source, "status", "--porcelain", "--", ".", ":(exclude)docs/bench"];
    let changed = told("git", &all_but_figures);
    let changed = if changed.is_empty() { "" } else { "-dirty" };
    let disk = told("stat", &["-f", "-c", "%T", &std::env::temp_dir().to_string_lossy()]);
    format!("{commit}{changed}, {scale:?}, {disk}")
}

/// Is the child that its parent asked for: the words behind [`CHILD`].
pub fn be_child(words: &[String]) {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let told = match words.as_slice() {
        [ingest::TAKE, folder] => ingest::take(Path::new(folder)),
        [start::START, folder] => start::started(Path::new(folder)),
        [look::LOOK, folder, look_ups] => look::looked(Path::new(folder), look_ups),
        [peer::PEER, folder, listen, peer] => return peer::serve(Path::new(folder), listen, peer),
        other => panic!("not a child: {other:?}"),
    };
    writeln!(std::io::stdout().lock(), "{told}").unwrap();
}
