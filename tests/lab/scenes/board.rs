//! A village's node on a small board: half a gigabyte of memory, half a core, for the node and every
//! command together. It takes its first copy, a day of edits, and makes a bundle.
//!
//! `WKSBM_LAB_BOARD_EDITS=300` is the long form.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::mesh::{DESA, KECAMATAN, OTHER_DESA, equal};
use crate::net::Lab;
use crate::node::{LabNode, count, is, text};
use crate::wait::until_true;

/// Three entries a record: 20,000 and a few, which is a kecamatan in its first year.
const RECORDS: u64 = 6_750;
const ENTRIES_MIN: u64 = 20_000;
const BOARD_MIB: u64 = 512;
const BOARD_PERCENT: u64 = 50;
/// Of the node's process itself, in MiB: the other half of the board is its system's.
const PROCESS_MIB_MAX: u64 = 256;
/// Edits of the short form.
const EDITS: u64 = 30;
/// Records they are made to, one after the other: some it was given, and one of its own.
const EDITED: usize = 20;
/// For all of it. A slow machine is no failure here.
const LONG: Duration = Duration::from_secs(480);

#[test]
fn a_small_board_takes_a_first_copy_a_day_of_edits_and_makes_a_bundle() {
    let Some(lab) = Lab::new("small") else { return };
    let [mut province, mut hub, mut desa] = ["prov", "kec", "desa"].map(|name| lab.node(name));
    let Some(board) = lab.board(&desa, BOARD_MIB, BOARD_PERCENT) else { return };
    province.found();
    province.enrol(&mut hub, KECAMATAN);
    desa.move_to(&board);
    hub.enrol(&mut desa, DESA);
    // Half of it is the village's own, half what it carries for its neighbour.
    let entries = hub.synth(DESA, RECORDS / 2) + hub.synth(OTHER_DESA, RECORDS / 2);
    assert!(entries >= ENTRIES_MIN, "{entries} entries");
    hub.run(&["--hub"]);

    let begun = Instant::now();
    desa.run(&["--peer", &hub.address("tcp")]);
    // Its own events say when: asking it would take of the half core that it has.
    let is_equal = |it: &Value| is(it, "session") && it.get("equal") == Some(&Value::Bool(true));
    until_true("the first copy", LONG, || desa.events().iter().any(is_equal));
    let copied = begun.elapsed();
    for area in [DESA, OTHER_DESA] {
        assert_eq!(desa.root(area), hub.root(area));
    }
    assert!(count(&desa.done(&["status"]), "/entries") >= entries);

    let edits = std::env::var("WKSBM_LAB_BOARD_EDITS").map_or(EDITS, |it| it.parse().unwrap());
    let begun = Instant::now();
    let before = desa.root(DESA).entries;
    let own = desa.add(DESA, "papan kecil");
    let listed = desa.done(&["record", "list", "--kind", "ppks", "--limit", "1000"]);
    let given = listed.get("records").unwrap().as_array().unwrap().iter();
    let mut records: Vec<String> = given.map(|row| text(row, "record").to_owned()).collect();
    records.truncate(EDITED - 1);
    records.push(own);
    let (mut slowest, mut newest) = (Duration::ZERO, BTreeMap::new());
    for (number, record) in (0..edits).zip(records.iter().cycle()) {
        let this = Instant::now();
        let name = format!("Papan Kecil {number}");
        desa.set(record, "nama", &name);
        newest.insert(record, name);
        slowest = slowest.max(this.elapsed());
    }
    let edited = begun.elapsed();
    equal(DESA, &[&hub, &desa], before + edits + 1, LONG);
    for (record, name) in newest {
        assert_eq!(hub.value(record, "nama").as_ref(), Some(&name));
    }

    let begun = Instant::now();
    let file = desa.file("papan.wksbm");
    let made = desa.done(&["bundle", "export", "--all", "--clear", "-o", &file]);
    let exported = begun.elapsed();
    assert!(count(&made, "/entries") > entries, "{made}");
    let held = hub.done(&["bundle", "import", &file]);
    assert_eq!(count(&held, "/files/0/new"), 0, "the hub has all of it: {held}");

    let peak = resident(&desa) >> 10;
    desa.stop();
    desa.verifies();
    assert_eq!(board.killed(), 0);
    assert!(board.throttled() > 0, "half a core was never too little: it ran elsewhere");
    let whole = board.memory_peak() >> 20;
    assert!(whole > 0, "nothing ran on the board");
    crate::tell(&format!(
        "small board: {entries} entries in {copied:?}; {edits} edits in {edited:?}, the slowest \
         {slowest:?}; a bundle of {} bytes in {exported:?}; node {peak} MiB, with all commands and \
         files {whole} MiB of {BOARD_MIB}; {}",
        count(&made, "/bytes"),
        text(&desa.done(&["status"]), "version"),
    ));
    assert!((1..PROCESS_MIB_MAX).contains(&peak), "{peak} MiB");
}

/// The most memory the node's process had, in KiB.
fn resident(node: &LabNode) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.process().pid()));
    let status = status.unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
