//! A disk that fails: writes and syncs that end with an error, a file system that turns read-only.
//! Each is said as what it is, and whatever was acknowledged before is there afterwards.
//!
//! `WKSBM_LAB_FAULTS=all` lets every single call of a save fail in turn.

use std::collections::BTreeSet;

use crate::failing::{EIO, ENOSPC, EROFS, Failing, Fault};
use crate::mesh::DESA;
use crate::net::Lab;
use crate::node::{LabNode, text};

const DISK_MIB: u64 = 64;
/// A save makes far fewer calls.
const CALLS_MAX: u64 = 400;
/// From then on a disk fails for good.
const FOR_GOOD: u64 = 1 << 30;
/// Saves of a running node, one of which fails.
const SAVES: usize = 7;

fn adding(name: &str) -> Vec<String> {
    let name = format!("nama={name}");
    let fields = ["-f", "bentuk=kelompok", "-f", "tahap=calon"];
    let line = ["record", "add", "kps", "--area", DESA, "-f", name.as_str()];
    [&line[..], &fields].concat().into_iter().map(str::to_owned).collect()
}

/// What a person reads of each failure of a disk: what happened, what to do.
const TOLD: [(&str, &str, &str); 3] = [
    ("disk_error", "The disk failed at", "Check the SD card or disk"),
    ("disk_full", "The disk is full", "Remove other files"),
    ("read_only", "cannot be written", "ask your technician"),
];

/// Saves; the record, or the failure's kind.
#[track_caller]
fn tries(node: &LabNode, name: &str) -> Result<String, String> {
    let line = adding(name);
    let answer = node.ask(&line.iter().map(String::as_str).collect::<Vec<_>>());
    if answer.exit == 0 {
        return Ok(text(&answer.object, "record").to_owned());
    }
    let told = TOLD.into_iter().find(|(kind, ..)| answer.kind() == Some(kind));
    let (kind, happened, to_do) = told.unwrap_or_else(|| panic!("{}", answer.object));
    answer.fails(11, kind, happened, to_do);
    Err(kind.to_owned())
}

#[track_caller]
fn holds(node: &LabNode, saved: &[String]) {
    node.verifies();
    let listed = node.done(&["record", "list", "--limit", "1000"]);
    let rows = listed.get("records").unwrap().as_array().unwrap();
    let held: BTreeSet<&str> = rows.iter().map(|row| text(row, "record")).collect();
    for record in saved {
        assert!(held.contains(record.as_str()), "an acknowledged record is gone: {record}");
    }
}

/// Which calls fail: all, or fewer and fewer.
fn places(all: bool) -> impl Iterator<Item = u64> {
    let mut next = 1;
    std::iter::from_fn(move || {
        let place = next;
        next += if all || place < 3 { 1 } else { place / 2 };
        (place < CALLS_MAX).then_some(place)
    })
}

#[test]
fn a_write_or_sync_that_fails_in_a_save_is_said_and_loses_nothing_acknowledged() {
    let Some(lab) = Lab::new("eio") else { return };
    let Some(failing) = Failing::new(lab.room()) else { return };
    let all = std::env::var_os("WKSBM_LAB_FAULTS").is_some_and(|it| it == "all");
    let mut node = lab.node("prov");
    node.found();
    let mut saved = vec![node.add(DESA, "sebelumnya")];
    let (mut refused, mut outlived) = (0, 0);
    let faults = [("sync", "feed.redb"), ("write", "feed.redb")];
    let views = [("sync", "view.redb"), ("write", "view.redb")];
    for (call, file) in faults.into_iter().chain(views) {
        for first in places(all) {
            let fault = Fault { call, file, first, count: FOR_GOOD, errno: EIO };
            node.set_environment(failing.environment(fault));
            let tried = tries(&node, &format!("{call} {first}"));
            node.set_environment(Vec::new());
            let met = failing.failed() > 0;
            match tried {
                Ok(record) => saved.push(record),
                Err(kind) => {
                    assert_eq!((kind.as_str(), met), ("disk_error", true), "{call} {file} {first}");
                    refused += 1;
                }
            }
            if !met {
                break;
            }
            outlived += 1;
            holds(&node, &saved);
        }
    }
    holds(&node, &saved);
    assert!(refused > 2, "{refused} saves were refused");
    crate::tell(&format!("failing calls: {outlived} places, {refused} saves refused, none lost"));
}

#[test]
fn a_running_node_goes_on_by_itself_after_a_write_that_failed() {
    let Some(lab) = Lab::new("goeson") else { return };
    let Some(failing) = Failing::new(lab.room()) else { return };
    let mut node = lab.node("prov");
    node.found();
    let mut saved = Vec::new();
    for (call, errno, kind) in [
        ("sync", EIO, "disk_error"),
        ("write", EIO, "disk_error"),
        ("write", ENOSPC, "disk_full"),
        ("write", EROFS, "read_only"),
    ] {
        // The first calls are those of the first saves: a node that was just opened writes nothing.
        let fault = Fault { call, file: "feed.redb", first: 8, count: 1, errno };
        node.set_environment(failing.environment(fault));
        node.run_offline();
        let told: Vec<_> = (0..SAVES).map(|it| tries(&node, &format!("{kind} {it}"))).collect();
        assert_eq!(failing.failed(), 1, "{call}: {told:?}");
        let failures: Vec<&String> = told.iter().filter_map(|it| it.as_ref().err()).collect();
        assert_eq!(failures, [kind], "{call}: one save is refused, the next one is not");
        assert!(told.last().unwrap().is_ok());
        saved.extend(told.into_iter().flatten());
        let shown = saved.last().unwrap();
        assert!(node.value(shown, "nama").is_some());
        node.stop();
        node.set_environment(Vec::new());
        holds(&node, &saved);
    }
}

#[test]
fn a_disk_that_turned_read_only_refuses_saves_and_has_lost_nothing() {
    let Some(lab) = Lab::new("readonly") else { return };
    let mut node = lab.node("prov");
    let disk = lab.disk(&node, DISK_MIB);
    node.found();
    let before = node.add(DESA, "sebelumnya");
    disk.set_read_only(true);
    assert_eq!(tries(&node, "ditolak"), Err("read_only".to_owned()));
    assert_eq!(node.value(&before, "nama").as_deref(), Some("sebelumnya"), "it can be looked at");
    node.verifies();
    disk.set_read_only(false);
    let after = node.add(DESA, "sesudahnya");
    holds(&node, &[before, after]);
}
