//! The bench still measures: every part that takes processes, sockets and files, as small as it goes.

use std::collections::BTreeSet;

use crdt_schema::area::AreaCode;
use crdt_schema::id::RecordId;
use crdt_schema::time::Timestamp;
use node::ports::{RecordKey, RecordVerdict, TermKind, ViewRow};
use tests::measure::{Report, Scale, all_of, charts, run};

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

/// What both sides hold is compared by a hash over this.
#[test]
fn contents_that_differ_anywhere_have_other_bytes() {
    let key =
        RecordKey { area: AreaCode::WEST_JAVA.first_id(), kind: 1, record: RecordId([1; 16]) };
    let row = ViewRow {
        key,
        state: vec![1, 2],
        verdict: RecordVerdict::Counting,
        conflicts: 0,
        waits: false,
        changed_at: Timestamp(1),
        weight: 1,
        terms: BTreeSet::new(),
    };
    let others = [
        ViewRow { state: vec![1, 3], ..row.clone() },
        ViewRow { verdict: RecordVerdict::Waiting, ..row.clone() },
        ViewRow { conflicts: 1, ..row.clone() },
        ViewRow { waits: true, ..row.clone() },
        ViewRow { changed_at: Timestamp(2), ..row.clone() },
        ViewRow { weight: 2, ..row.clone() },
        ViewRow { terms: [(TermKind::Status, "baru".to_owned())].into(), ..row.clone() },
        ViewRow { key: RecordKey { kind: 2, ..key }, ..row.clone() },
    ];
    assert!(others.iter().all(|other| all_of(other) != all_of(&row)));
    assert_eq!(all_of(&row.clone()), all_of(&row));
}

#[test]
fn a_small_bench_has_two_processes_meet_over_sockets() {
    let report = measured(&["meet"]);
    for name in ["QUIC", "TCP"] {
        let of = |what: &str| value(&report, &format!("{what}, over {name}"));
        let again = format!("nothing changed, over {name}, frames after the handshake");
        assert!(value(&report, &again) < 200.0, "{}", report.table());
        let of_news = format!("sync of 5 new entries, over {name}, frames");
        let without = value(&report, &format!("sync of 0 new entries, over {name}, frames"));
        assert!(value(&report, &of_news) > without + 100.0, "{}", report.table());
        let counts = |what: &str, wanted: f64| (of(what) - wanted).abs() < f64::EPSILON;
        let table = report.table();
        assert!(counts("the same records edited on both sides, edits kept", 4.0), "{table}");
        assert!(counts("the same records edited on both sides, conflicts shown", 2.0), "{table}");
    }
}
