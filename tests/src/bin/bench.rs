//! Every measure in one command, as a table or as JSON, beside the figures aimed at.
//!
//! `cargo run --release -p tests --bin bench [-- --json] [--largest] [--plots FOLDER] [NAME..]`. Counts
//! (bytes, rounds, syncs) hold on any machine; times are to be read beside this machine's own rates,
//! which the measure `rate` tells. With `--plots` the plots, the table and the JSON are written there
//! after each measure, with what a run before wrote of those that this one leaves out or did not come to.
#![expect(clippy::print_stdout, reason = "a bench says what it found")]
#![expect(clippy::unwrap_used, reason = "a bench that fails says where")]

use std::path::{Path, PathBuf};

use clap::Parser;
use clap::builder::PossibleValuesParser;
use tests::measure::{CHILD, Report, Scale, be_child, charts, names, run};

/// Every measure, beside the figures aimed at.
#[derive(Parser)]
struct Ask {
    /// The measures to take; all of them without any.
    #[arg(value_parser = PossibleValuesParser::new(names()))]
    measures: Vec<String>,
    /// Prints JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// The province as well.
    #[arg(long, conflicts_with = "smoke")]
    largest: bool,
    /// As little as shows that all work.
    #[arg(long)]
    smoke: bool,
    /// Where figures and plots are renewed.
    #[arg(long, value_name = "FOLDER", conflicts_with = "smoke")]
    plots: Option<PathBuf>,
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let Some((CHILD, asked)) = words.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        be_child(asked);
        return;
    }
    let ask = Ask::parse();
    let scale = match (ask.largest, ask.smoke) {
        (true, _) => Scale::Largest,
        (false, true) => Scale::Smoke,
        (false, false) => Scale::Usual,
    };
    let mut report = Report::default();
    for name in names() {
        if !(ask.measures.is_empty() || ask.measures.iter().any(|asked| asked == name)) {
            continue;
        }
        report = run(&[name.to_owned()], scale).behind(&report.json());
        // After each of them: one that fails takes none with it.
        if let Some(folder) = &ask.plots {
            report = kept(report, folder);
        }
    }
    if ask.json {
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
