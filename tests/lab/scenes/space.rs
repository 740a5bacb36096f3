//! A disk that fills up: first nothing more is carried for others, then nothing comes in, and the
//! people's own saves go on until the last page. Each is said; when there is room all of it comes.

use std::path::Path;

use serde_json::Value;

use crate::disk::Disk;
use crate::mesh::{DESA, KECAMATAN, OTHER_DESA, SOON, equal};
use crate::net::Lab;
use crate::node::{LabNode, count, text};
use crate::wait::until;

const DISK_MIB: u64 = 256;
const MB: u64 = 1_000_000;
/// Saves until a full disk has no free page left in the store's file.
const SAVES_MAX: usize = 2_000;
/// Letters of a long text.
const LONG: usize = 4_000;

fn takes(node: &LabNode) -> String {
    let status = node.done(&["status"]);
    let store = status.get("store").unwrap();
    assert!(store.get("free").unwrap().is_u64(), "{store}");
    text(store, "takes").to_owned()
}

/// Entries of an area here.
fn entries(node: &LabNode, area: &str) -> u64 {
    count(&node.done(&["root", "--area", area]), "/entries")
}

/// A command ends so, and its hint is the same whatever is short of room.
#[track_caller]
fn ends(node: &LabNode, line: &[&str], exit: i32, kind: &str, happened: &str) -> Value {
    let answer = node.ask(line);
    answer.fails(exit, kind, happened, "Remove other files");
    answer.object
}

struct Offices {
    hub: LabNode,
    desa: LabNode,
    disk: Disk,
}

fn offices(lab: &Lab) -> Offices {
    let [mut province, mut hub, mut desa] = ["prov", "kec", "desa"].map(|name| lab.node(name));
    let disk = lab.disk(&desa, DISK_MIB);
    province.found();
    province.enrol(&mut hub, KECAMATAN);
    hub.enrol(&mut desa, DESA);
    hub.run(&["--hub"]);
    Offices { hub, desa, disk }
}

/// A sheet with one meeting.
fn sheet(file: &Path) {
    let rows = "judul,kode_program,jenis,tanggal\nRapat dari lembar,G.5.1.4,rapat,2026-03-02\n";
    std::fs::write(file, rows).unwrap();
}

/// A meeting with much to tell that nothing makes shorter: a full disk is full sooner.
fn long_line(number: usize) -> Vec<String> {
    let mut state = number as u64 + 1;
    let mut letter = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'!' + u8::try_from((state >> 33) % 90).unwrap())
    };
    let mut told =
        |field: &str| format!("{field}={}", (0..LONG).map(|_| letter()).collect::<String>());
    let (given, reached) = (told("materi"), told("hasil"));
    let line = ["record", "add", "kegiatan", "--area", DESA, "-f", "judul=Rapat penuh"];
    let fields = ["-f", "kode_program=G.5.1.4", "-f", "jenis=rapat", "-f", "tanggal=2026-03-01"];
    let long = ["-f", given.as_str(), "-f", reached.as_str()];
    [&line[..], &fields, &long].concat().into_iter().map(str::to_owned).collect()
}

#[test]
fn carrying_ends_first_then_taking_in_and_own_saves_last() {
    let Some(lab) = Lab::new("space") else { return };
    let Offices { hub, desa, disk } = offices(&lab);
    let address = hub.address("tcp");
    let sync = ["sync", "--peer", address.as_str()];
    for area in [DESA, OTHER_DESA] {
        hub.add(area, "dari awal");
    }
    assert_eq!(takes(&desa), "everything");
    desa.done(&sync);
    assert_eq!((entries(&desa, DESA), entries(&desa, OTHER_DESA)), (1, 1));

    disk.leave(40 * MB);
    for area in [DESA, OTHER_DESA] {
        hub.add(area, "ruang sempit");
    }
    assert_eq!(takes(&desa), "own_area");
    let told = ends(&desa, &sync, 6, "not_equal", "not equal yet");
    assert_eq!(text(&told, "takes"), "own_area");
    assert_eq!((entries(&desa, DESA), entries(&desa, OTHER_DESA)), (2, 1), "{told}");
    let bundle = hub.file("semua.wksbm");
    hub.done(&["bundle", "export", "--all", "--clear", "-o", &bundle]);
    let told = ends(&desa, &["bundle", "import", &bundle], 12, "partial", "partly");
    assert!(count(&told, "/files/0/rejected/no_room") > 0, "{told}");

    disk.leave(10 * MB);
    hub.add(DESA, "ruang habis");
    assert_eq!(takes(&desa), "own_saves");
    ends(&desa, &sync, 6, "not_equal", "not equal yet");
    hub.done(&["bundle", "export", "--all", "--clear", "-o", &bundle]);
    ends(&desa, &["bundle", "import", &bundle], 11, "disk_full", "MB of the disk are left");
    let file = lab.room().join("lembar.csv");
    sheet(&file);
    let line = ["import", file.to_str().unwrap(), "--kind", "kegiatan", "--area", DESA, "--apply"];
    ends(&desa, &line, 11, "disk_full", "MB of the disk are left");
    let synth = ["synth", "--preset", "mini", "--seed", "1", "--into-node"];
    ends(&desa, &synth, 11, "disk_full", "MB of the disk are left");
    assert_eq!((entries(&desa, DESA), entries(&desa, OTHER_DESA)), (2, 1));
    let own = desa.add(DESA, "catatan sendiri");
    assert_eq!(desa.value(&own, "nama").as_deref(), Some("catatan sendiri"));

    disk.empty();
    assert_eq!(takes(&desa), "everything");
    desa.done(&sync);
    desa.done(&line);
    desa.done(&sync);
    equal(DESA, &[&hub, &desa], 5, SOON);
    equal(OTHER_DESA, &[&hub, &desa], 2, SOON);
    desa.verifies();
}

#[test]
fn a_running_node_on_a_full_disk_refuses_saves_and_goes_on_by_itself_once_there_is_room() {
    let Some(lab) = Lab::new("full") else { return };
    let Offices { hub, mut desa, disk } = offices(&lab);
    desa.run(&["--peer", &hub.address("tcp")]);
    let first = hub.add(DESA, "sebelum penuh");
    desa.sees(&first, "nama", "sebelum penuh", SOON);

    disk.leave(10 * MB);
    let refused = hub.add(DESA, "tidak muat");
    let mine = desa.add(DESA, "milik sendiri");
    hub.sees(&mine, "nama", "milik sendiri", SOON);
    assert_eq!(desa.value(&refused, "nama"), None);
    until("the desa says that it lacks something", SOON, || match desa.peer(&hub) {
        Some(peer) if peer.get("equal") == Some(&Value::Bool(false)) => Ok(()),
        other => Err(format!("{other:?}")),
    });

    disk.leave(0);
    let mut saved = Vec::new();
    let told = loop {
        let line = long_line(saved.len());
        let answer = desa.ask(&line.iter().map(String::as_str).collect::<Vec<_>>());
        if answer.exit != 0 {
            break answer;
        }
        saved.push(text(&answer.object, "record").to_owned());
        assert!(saved.len() < SAVES_MAX, "the disk is never full");
    };
    told.fails(11, "disk_full", "The disk is full", "What was saved is safe");
    assert!(!saved.is_empty(), "pages that were free took nothing");
    let line = long_line(saved.len());
    let line: Vec<&str> = line.iter().map(String::as_str).collect();
    ends(&desa, &line, 11, "disk_full", "The disk is full");
    // What lies on it comes out on a stick that has room, though the disk takes not even a new row.
    desa.carry_all_to(&hub);
    // The board is started anew in its need: what it holds can be looked at.
    desa.stop();
    desa.run(&["--peer", &hub.address("tcp")]);
    assert_eq!(desa.value(&mine, "nama").as_deref(), Some("milik sendiri"));
    // A store that was closed may have found a free page.
    let again = desa.ask(&line);
    if again.exit == 0 {
        saved.push(text(&again.object, "record").to_owned());
    } else {
        again.fails(11, "disk_full", "The disk is full", "What was saved is safe");
    }

    disk.empty();
    let after = desa.add(DESA, "sesudah ada ruang");
    hub.sees(&after, "nama", "sesudah ada ruang", SOON);
    // Who was refused for want of room is asked again, without a hand.
    desa.sees(&refused, "nama", "tidak muat", SOON);
    equal(DESA, &[&hub, &desa], 4 + saved.len() as u64, SOON);
    for record in &saved {
        assert!(desa.ask(&["record", "show", record]).exit == 0, "{record} was acknowledged");
    }
    desa.stop();
    desa.verifies();
    crate::tell(&format!("full disk: {} saves went into pages that were free", saved.len()));
}
