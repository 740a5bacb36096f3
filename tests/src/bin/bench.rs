//! Every measure in one command, as a table or as JSON, beside the figures aimed at.
//!
//! `cargo run --release -p tests --bin bench [-- --json] [--largest] [--plots FOLDER] [NAME..]`. Counts
//! (bytes, rounds, syncs) hold on any machine; times are to be read beside this machine's own rates,
//! which the measure `rate` tells. With `--plots` the plots, the table and the JSON are written there,
//! with what a run before wrote of measures that this one leaves out.
#![expect(clippy::print_stdout, reason = "a bench says what it found")]
#![expect(clippy::unwrap_used, reason = "a bench that fails says where")]

use std::path::Path;

use tests::measure::{CHILD, Report, Scale, be_child, charts, run};

fn main() {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|first| first == CHILD) {
        be_child(words.get(1..).unwrap_or_default());
        return;
    }
    let mut took = |flag: &str| {
        let at = words.iter().position(|word| word == flag);
        at.map(|at| words.remove(at)).is_some()
    };
    let is_json = took("--json");
    let scale = match (took("--largest"), took("--smoke")) {
        (true, _) => Scale::Largest,
        (false, true) => Scale::Smoke,
        (false, false) => Scale::Usual,
    };
    let folder = words.iter().position(|word| word == "--plots").map(|at| {
        words.remove(at);
        words.remove(at)
    });
    let mut report = run(&words, scale);
    if let Some(folder) = folder {
        report = kept(report, Path::new(&folder));
    }
    if is_json {
        println!("{:#}", report.json());
    } else {
        println!("{}", report.table());
    }
}

/// Writes what is looked at later, and returns it.
fn kept(report: Report, folder: &Path) -> Report {
    std::fs::create_dir_all(folder).unwrap();
    let figures = folder.join("figures.json");
    let before = std::fs::read(&figures).ok();
    let before = before.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let report = report.behind(&before.unwrap_or_default());
    std::fs::write(figures, format!("{:#}\n", report.json())).unwrap();
    std::fs::write(folder.join("figures.md"), report.table()).unwrap();
    for (name, svg) in charts(&report) {
        std::fs::write(folder.join(name), svg).unwrap();
    }
    report
}
