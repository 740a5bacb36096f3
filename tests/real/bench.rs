//! The bench still measures: every part that takes processes, sockets and files, as small as it goes.

use std::collections::BTreeSet;

use tests::measure::{Report, Scale, charts, run};

fn measured(names: &[&str]) -> Report {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    run(&names, Scale::Smoke)
}

fn value(report: &Report, what: &str) -> f64 {
    let figure = report.figures().iter().find(|figure| figure.what == what);
    figure.unwrap_or_else(|| panic!("no {what} in {}", report.table())).value
}

#[test]
fn a_small_bench_fills_stores_in_every_order_and_looks_things_up() {
    let report = measured(&["ingest", "save"]);
    let arrivals: BTreeSet<_> =
        report.figures().iter().filter_map(|it| it.arrival.as_deref()).collect();
    assert_eq!(arrivals, BTreeSet::from(["ascending", "by desa", "random"]));
    let counted = [
        "ingest",
        "ingest, memory at most",
        "disk, both",
        "start, spawn to first answer, warm",
        "history of a record, warm",
        "search by the beginning of a name, the province, warm, 99th percentile",
    ];
    assert!(counted.iter().all(|what| value(&report, what) > 0.0), "{}", report.table());
    // Counts hold on any machine, in any build.
    assert!(value(&report, "a save, feed store") < 64.0);
    assert!(value(&report, "a save, feed store, syncs") < 3.0);
    assert!(value(&report, "a save, view store, syncs").abs() < f64::EPSILON);
    assert!(value(&report, "a save, view store once settled") > 0.0);
    let parsed: serde_json::Value = serde_json::from_str(&report.json().to_string()).unwrap();
    assert_eq!(
        parsed.pointer("/figures").unwrap().as_array().unwrap().len(),
        report.figures().len()
    );
    assert!(charts(&report).iter().any(|(name, _)| name == "ingest.svg"));
}

#[test]
fn a_small_bench_has_two_processes_meet_over_sockets() {
    let report = measured(&["meet"]);
    for name in ["QUIC", "TCP"] {
        let of = |what: &str| value(&report, &format!("{what}, over {name}"));
        let again = format!("nothing changed, over {name}, frames after the handshake");
        assert!(value(&report, &again) < 200.0, "{}", report.table());
        let of_news = format!("sync of 5 new entries, over {name}, frames");
        assert!(value(&report, &of_news) > 200.0, "{}", report.table());
        let counts = |what: &str, wanted: f64| (of(what) - wanted).abs() < f64::EPSILON;
        let table = report.table();
        assert!(counts("the same records edited on both sides, edits kept", 4.0), "{table}");
        assert!(counts("the same records edited on both sides, conflicts shown", 2.0), "{table}");
    }
}
