//! What is measured: `plan.rs` typed saves · `packed.rs` bytes on the wire · `reconcile.rs` two
//! replicas and a session · `ingest.rs` runs into both stores · `save.rs` what one save writes, and
//! memory · `rate.rs` this machine's own rates.
//!
//! `hub.rs` the replica they measure on · `watch.rs` how long it took · `report.rs` the figures as
//! a table and as JSON.

mod hub;
mod ingest;
mod packed;
mod plan;
mod rate;
mod reconcile;
mod report;
mod save;
mod watch;

pub use report::Report;
pub use save::{OPEN, opened_kib};

/// A measure and its name on the command line.
type Measure = (&'static str, fn(&mut Report));

const MEASURES: [Measure; 6] = [
    ("rate", rate::measure),
    ("plan", plan::measure),
    ("packed", packed::measure),
    ("reconcile", reconcile::measure),
    ("ingest", ingest::measure),
    ("save", save::measure),
];

/// Runs the measures of these names; all of them without any.
pub fn run(names: &[String]) -> Report {
    let mut report = Report::default();
    for (name, measure) in MEASURES {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            measure(&mut report);
        }
    }
    report
}
