//! A disk that fails: writes, syncs and reads that end with an error, a file system that turns
//! read-only. Each is said as what it is, and whatever was acknowledged before is there afterwards.
//!
//! `WKSBM_LAB_FAULTS=all` lets every single call of a save fail in turn, and the disk stay broken as well.

use std::collections::BTreeSet;
use std::path::Path;

use crate::failing::{EIO, ENOSPC, EROFS, Failing, Fault};
use crate::mesh::{DESA, KECAMATAN};
use crate::net::Lab;
use crate::node::{LabNode, text};
use crate::process::Answer;

const DISK_MIB: u64 = 64;
/// A save makes far fewer calls.
const CALLS_MAX: u64 = 400;
/// From then on a disk fails for good.
const FOR_GOOD: u64 = 1 << 30;
/// Reads of redb's own while a store is closed that was checked: five were seen.
const CLOSING_MAX: u64 = 8;
/// Syncs that the two stores of a command make while they are closed, as counted of each of six: four of
/// the feed store, four or five of the views. A commit whose syncs nobody asks of has two more.
const PASSED_MAX: u64 = 9;
/// How often a command may seem to have more: a store that grows under one of them syncs once more, and
/// one of closing is met twice.
const TRIES: usize = 3;
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
    saved(&node.ask(&words(&adding(name))))
}

/// The record that was saved, or the failure's kind.
#[track_caller]
fn saved(answer: &Answer) -> Result<String, String> {
    if answer.exit == 0 {
        return Ok(text(&answer.object, "record").to_owned());
    }
    Err(failed(answer).to_owned())
}

fn words(line: &[String]) -> Vec<&str> {
    line.iter().map(String::as_str).collect()
}

/// Asks for something while calls fail below a folder; whether any of them came.
fn asked_under(
    (node, failing): (&mut LabNode, &Failing),
    place: &Path,
    fault: Fault<'_>,
    line: &[&str],
) -> (Answer, bool) {
    // The same calls each time: what failed before is taken up, and closed well.
    drop(node.ask(&["status"]));
    node.set_environment(failing.environment(place, fault));
    let answer = node.ask(line);
    node.set_environment(Vec::new());
    (answer, failing.failed() > 0)
}

/// Which failure of a disk a command ended with, as it told it.
#[track_caller]
fn failed(answer: &Answer) -> &'static str {
    let told = TOLD.into_iter().find(|(kind, ..)| answer.kind() == Some(kind));
    let (kind, happened, to_do) = told.unwrap_or_else(|| panic!("{}", answer.object));
    answer.fails(11, kind, happened, to_do);
    kind
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

/// Whether this is the long form.
fn is_long() -> bool {
    std::env::var_os("WKSBM_LAB_FAULTS").is_some_and(|it| it == "all")
}

/// How many calls fail from one on. One alone must be enough: a call whose answer nobody looks at would else
/// be told by the next one that fails. In the long form the disk stays broken, too.
fn counts() -> &'static [u64] {
    if is_long() { &[1, FOR_GOOD] } else { &[1] }
}

/// Which calls fail: all in the long form, or fewer and fewer.
fn places() -> impl Iterator<Item = u64> {
    let all = is_long();
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
    let mut node = lab.node("prov");
    node.found();
    let data = node.data().to_path_buf();
    let mut saved = vec![node.add(DESA, "sebelumnya")];
    let (mut refused, mut told) = (0, Vec::new());
    // Views are made anew from what is durable: once they are open a save waits for none of theirs.
    let calls = [
        ("sync", "feed.redb"),
        ("write", "feed.redb"),
        ("sync", "view.redb"),
        ("write", "view.redb"),
    ];
    for (call, file) in calls {
        let mut places_met = 0;
        for count in counts() {
            let fault = Fault { call, file, first: 0, count: *count, errno: EIO };
            let met = saves_under((&mut node, &failing), &data, fault, &mut saved);
            refused += met.refused;
            places_met += met.places;
        }
        assert!(places_met > 0, "no {call} of {file} was met");
        told.push(format!("{call} of {file} {places_met}"));
    }
    holds(&node, &saved);
    assert!(refused > 2, "{refused} saves were refused");
    let told = told.join(", ");
    crate::tell(&format!("failing calls: {told}; {refused} saves refused, none lost"));
}

/// Places at which calls failed, and saves that were refused there.
#[derive(Default)]
struct Met {
    places: u64,
    refused: u64,
}

/// Saves again and again, of whose calls the first, the second and so on fail, until none does.
#[track_caller]
fn saves_under(
    (node, failing): (&mut LabNode, &Failing),
    data: &Path,
    fault: Fault<'_>,
    saved: &mut Vec<String>,
) -> Met {
    let Fault { call, file, count, .. } = fault;
    // A sync that fails shows nothing gone, for the system goes on showing what it was to write: so
    // here it is counted. Two make a save durable.
    let needed = if call == "sync" { 2 } else { 1 };
    let may_answer = |first| file == "view.redb" || first > needed;
    let (mut met, mut is_durable) = (Met::default(), false);
    for first in places() {
        let line = adding(&format!("{call} {first}"));
        let fault = Fault { first, ..fault };
        let (answer, is_met) = asked_under((&mut *node, failing), data, fault, &words(&line));
        let tried = self::saved(&answer);
        if !is_met {
            saved.push(tried.unwrap());
            break;
        }
        match tried {
            // What fails behind the commit, while the store is closed, undoes nothing.
            Ok(record) if may_answer(first) => {
                saved.push(record);
                is_durable = true;
            }
            Err(kind) if kind == "disk_error" && !is_durable => met.refused += 1,
            other => panic!("{call} {first} of {file} failed, {count} of them: {other:?}"),
        }
        met.places += 1;
        holds(node, saved);
    }
    met
}

#[test]
fn a_running_node_goes_on_by_itself_after_a_write_that_failed() {
    let Some(lab) = Lab::new("goeson") else { return };
    let Some(failing) = Failing::new(lab.room()) else { return };
    let mut node = lab.node("prov");
    node.found();
    let (mut saved, mut refused) = (Vec::new(), 0);
    for (call, first, errno, kind) in [
        // Both syncs of one save are among them; the node also notes what it holds.
        ("sync", 8, EIO, "disk_error"),
        ("sync", 9, EIO, "disk_error"),
        ("sync", 10, EIO, "disk_error"),
        ("sync", 11, EIO, "disk_error"),
        ("write", 8, EIO, "disk_error"),
        ("write", 8, ENOSPC, "disk_full"),
        ("write", 8, EROFS, "read_only"),
    ] {
        // The first calls are those of the first saves: a node that was just opened writes nothing.
        let fault = Fault { call, file: "feed.redb", first, count: 1, errno };
        node.set_environment(failing.environment(node.data(), fault));
        node.run_offline();
        let told: Vec<_> = (0..SAVES).map(|it| tries(&node, &format!("{kind} {it}"))).collect();
        assert_eq!(failing.failed(), 1, "{call}: {told:?}");
        let failures: Vec<&String> = told.iter().filter_map(|it| it.as_ref().err()).collect();
        let may_be_another = call == "sync" && failures.is_empty();
        assert!(failures == [kind] || may_be_another, "{call} {first}: {failures:?}");
        refused += failures.len();
        assert!(told.last().unwrap().is_ok());
        saved.extend(told.into_iter().flatten());
        let shown = saved.last().unwrap();
        assert!(node.value(shown, "nama").is_some());
        node.stop();
        node.set_environment(Vec::new());
        holds(&node, &saved);
    }
    assert!(refused >= 5, "{refused} saves were refused, of two syncs and three writes at least");
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

#[test]
fn a_running_node_whose_disk_turns_read_only_refuses_saves_and_goes_on_answering() {
    let Some(lab) = Lab::new("roruns") else { return };
    let Some(failing) = Failing::new(lab.room()) else { return };
    let mut node = lab.node("prov");
    node.found();
    let mut saved = vec![node.add(DESA, "sebelumnya")];
    let fault = Fault { call: "write", file: ".redb", first: 40, count: FOR_GOOD, errno: EROFS };
    node.set_environment(failing.environment(node.data(), fault));
    node.run_offline();
    let told: Vec<_> = (0..SAVES).map(|it| tries(&node, &format!("catatan {it}"))).collect();
    let taken = told.iter().take_while(|it| it.is_ok()).count();
    let refused = Err("read_only".to_owned());
    assert!(
        (1..SAVES).contains(&taken) && told.iter().skip(taken).all(|it| *it == refused),
        "{told:?}"
    );
    saved.extend(told.into_iter().flatten());
    for record in &saved {
        assert!(node.value(record, "nama").is_some(), "it can be looked at");
    }
    assert_eq!(node.ask(&["status"]).exit, 0);
    node.stop();
    node.set_environment(Vec::new());
    holds(&node, &saved);
}

/// Lets the n-th sync of a command fail, for each n, of files or folders whose names end so: it says so, and
/// the same command is done once the disk works. Only what a store syncs while it is closed is asked of
/// nobody, for nothing rests on that (`node`: `store::durability`).
#[track_caller]
fn each_sync_is_asked(
    (lab, failing): (&Lab, &Failing),
    file: &str,
    node: &mut LabNode,
    mut begin: impl FnMut(&mut LabNode, u64) -> Vec<String>,
) -> Syncs {
    let mut number = 0;
    let mut begin = |node: &mut LabNode| {
        number += 1;
        begin(node, number)
    };
    let asked = counts().iter().map(|count| {
        let fault = Fault { call: "sync", file, first: 0, count: *count, errno: EIO };
        let mut tried = (0..TRIES).map(|_| syncs_asked((lab, failing), fault, node, &mut begin));
        tried
            .find(|it| it.passed <= PASSED_MAX)
            .unwrap_or_else(|| panic!("more syncs of stores are passed by than closing them makes"))
    });
    asked
        .reduce(|one, other| Syncs {
            asked: one.asked.min(other.asked),
            passed: one.passed.max(other.passed),
        })
        .unwrap()
}

/// Syncs of a command.
#[derive(Clone, Copy)]
struct Syncs {
    /// How many were asked how they ended.
    asked: u64,
    /// Of stores, with which the command was done all the same.
    passed: u64,
}

/// The same of so many that fail from the n-th on.
#[track_caller]
fn syncs_asked(
    (lab, failing): (&Lab, &Failing),
    fault: Fault<'_>,
    node: &mut LabNode,
    mut begin: impl FnMut(&mut LabNode) -> Vec<String>,
) -> Syncs {
    let mut syncs = Syncs { asked: 0, passed: 0 };
    for first in 1..CALLS_MAX {
        let line = begin(node);
        let line = words(&line);
        let fault = Fault { first, ..fault };
        let (answer, is_met) = asked_under((&mut *node, failing), lab.room(), fault, &line);
        if !is_met {
            assert_eq!(answer.exit, 0, "{line:?}: {}", answer.object);
            return syncs;
        }
        let of_whom = failing.of_whom();
        if answer.exit == 0 {
            let is_store = |file: &String| file.contains(".redb");
            assert!(of_whom.iter().all(is_store), "{line:?} did not ask of {of_whom:?}");
            syncs.passed += 1;
            continue;
        }
        assert_eq!(failed(&answer), "disk_error", "{line:?}, {of_whom:?}");
        syncs.asked += 1;
        node.done(&line);
    }
    panic!("more than {CALLS_MAX} syncs");
}

fn line(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn every_sync_of_six_commands_that_acknowledge_something_is_asked_how_it_ended() {
    let Some(lab) = Lab::new("syncs") else { return };
    let Some(failing) = Failing::new(lab.room()) else { return };
    let [mut province, mut hub, mut desa] = ["prov", "kec", "desa"].map(|name| lab.node(name));
    let [mut founder, mut joiner] = ["pendiri", "baru"].map(|name| lab.node(name));
    province.found();
    province.enrol(&mut hub, KECAMATAN);
    hub.enrol(&mut desa, DESA);
    let (here, room) = ((&lab, &failing), lab.room().to_path_buf());
    let mut told = Vec::new();
    // Three quarters of what was counted on ext4: less, and a sync is no longer asked for.
    let mut asked = |what: &str, syncs: Syncs, least: u64| {
        let Syncs { asked, passed } = syncs;
        assert!(asked >= least, "{what}: {asked} syncs were asked");
        told.push(format!("{what} {asked}, passed by {passed}"));
    };

    // Keys, the store under its name, the note beside it.
    let syncs = each_sync_is_asked(here, "", &mut founder, |node, number| {
        node.move_data(&room.join(format!("pendiri-{number}")));
        line(&["network", "create", "--name", "Uji", "--area", "32", "--trial"])
    });
    asked("network create", syncs, 12);
    let syncs = each_sync_is_asked(here, "", &mut joiner, |node, number| {
        node.move_data(&room.join(format!("baru-{number}")));
        let invitation = node.file(&format!("{number}.wksbm-undangan"));
        hub.done(&["invite", "--area", DESA, "-o", &invitation]);
        line(&["join", "--invitation", &invitation])
    });
    asked("join", syncs, 17);
    let syncs = each_sync_is_asked(here, "", &mut hub, |node, number| {
        let invitation = node.file(&format!("undangan-{number}.wksbm-undangan"));
        line(&["invite", "--area", DESA, "-o", &invitation])
    });
    asked("invite", syncs, 8);
    let syncs = each_sync_is_asked(here, "", &mut hub, |node, number| {
        let file = node.file(&format!("keluar-{number}.wksbm"));
        line(&["bundle", "export", "--all", "--clear", "-o", &file])
    });
    asked("bundle export", syncs, 5);
    let syncs = each_sync_is_asked(here, "", &mut desa, |node, number| {
        hub.add(DESA, &format!("untuk desa {number}"));
        let file = node.file(&format!("masuk-{number}.wksbm"));
        hub.done(&["bundle", "export", "--all", "--clear", "-o", &file]);
        line(&["bundle", "import", &file])
    });
    asked("bundle import", syncs, 6);
    let syncs = each_sync_is_asked(here, "", &mut desa, |node, number| {
        let file = node.file(&format!("lembar-{number}.csv"));
        let rows = "judul,kode_program,jenis,tanggal\n";
        std::fs::write(&file, format!("{rows}Rapat {number},G.5.1.4,rapat,2026-03-02\n")).unwrap();
        line(&["import", &file, "--kind", "kegiatan", "--area", DESA, "--apply"])
    });
    asked("import", syncs, 6);
    for node in [&founder, &joiner, &hub, &desa] {
        node.verifies();
    }
    crate::tell(&format!("failing syncs, each in turn: {}", told.join(", ")));
}

#[test]
fn a_folder_whose_new_names_cannot_be_made_durable_is_said() {
    let Some(lab) = Lab::new("names") else { return };
    let Some(failing) = Failing::new(lab.room()) else { return };
    let [mut province, mut founder, mut newcomer] =
        ["prov", "pendiri", "baru"].map(|name| lab.node(name));
    province.found();
    let (here, room) = ((&lab, &failing), lab.room().to_path_buf());
    let stick = room.join("stik");
    std::fs::create_dir(&stick).unwrap();
    let file = |name: String| stick.join(name).to_str().unwrap().to_owned();

    let created = each_sync_is_asked(here, "/simpul", &mut founder, |node, number| {
        node.move_data(&room.join(format!("pendiri-{number}/simpul")));
        line(&["network", "create", "--name", "Uji", "--area", "32", "--trial"])
    });
    let joined = each_sync_is_asked(here, "/simpul", &mut newcomer, |node, number| {
        node.move_data(&room.join(format!("baru-{number}/simpul")));
        let invitation = file(format!("{number}.wksbm-undangan"));
        province.done(&["invite", "--area", DESA, "-o", &invitation]);
        line(&["join", "--invitation", &invitation])
    });
    let invited = each_sync_is_asked(here, "/stik", &mut province, |_, number| {
        line(&["invite", "--area", DESA, "-o", &file(format!("baru-{number}.wksbm-undangan"))])
    });
    let exported = each_sync_is_asked(here, "/stik", &mut province, |_, number| {
        let bundle = file(format!("{number}.wksbm"));
        line(&["bundle", "export", "--all", "--clear", "-o", &bundle])
    });
    for (what, syncs) in [
        ("network create", created),
        ("join", joined),
        ("invite", invited),
        ("bundle export", exported),
    ] {
        assert!(syncs.asked > 0, "{what} synced no folder");
    }
    for node in [&founder, &newcomer, &province] {
        node.verifies();
    }
}

#[test]
fn a_disk_that_cannot_be_read_is_said_as_that_and_nothing_is_taken_for_lost() {
    let Some(lab) = Lab::new("unread") else { return };
    let Some(failing) = Failing::new(lab.room()) else { return };
    let mut node = lab.node("prov");
    node.found();
    node.synth(DESA, 200);
    let record = node.add(DESA, "sebelumnya");
    let (file, data) = (node.file("keluar.wksbm"), node.data().to_path_buf());
    let commands: [&[&str]; 4] = [
        &["record", "history", &record],
        &["verify"],
        &["bundle", "export", "--all", "--clear", "-o", &file],
        &["record", "set", &record, "-f", "nama=tidak"],
    ];
    for command in commands {
        let (mut told, mut closing) = (0, 0);
        for first in places() {
            let fault =
                Fault { call: "read", file: "feed.redb", first, count: FOR_GOOD, errno: EIO };
            let (answer, is_met) = asked_under((&mut node, &failing), &data, fault, command);
            if !is_met {
                break;
            }
            // `verify` has read all: these are redb's own, while it closes the store.
            if answer.exit == 0 {
                assert_eq!(command, ["verify"], "read {first} was passed over");
                closing += 1;
                continue;
            }
            assert_eq!(closing, 0, "read {first} of {command:?} fails behind the end");
            // What cannot be read at rest is what `verify` looks for.
            if answer.exit == 7 {
                answer.fails(7, "damage", "What lies at rest is damaged", "keep a copy");
                assert_eq!(command, ["verify"]);
            } else {
                assert_ne!(answer.exit, 0, "read {first} of {command:?}: {}", answer.object);
                assert_eq!(failed(&answer), "disk_error", "read {first} of {command:?}");
            }
            told += 1;
        }
        assert!(told > 2, "{command:?} was refused {told} times");
        assert!(closing <= CLOSING_MAX, "{closing} reads of {command:?} were passed over");
        holds(&node, std::slice::from_ref(&record));
        // A save that was refused may be there.
        let name = node.value(&record, "nama");
        assert!(matches!(name.as_deref(), Some("sebelumnya" | "tidak")), "{name:?}");
    }
}
