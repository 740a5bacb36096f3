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

#[track_caller]
fn ends(node: &LabNode, line: &[&str], exit: i32, kind: &str) -> Value {
    let answer = node.ask(line);
    assert_eq!((answer.exit, answer.kind()), (exit, Some(kind)), "{line:?}: {}", answer.object);
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
    let told = ends(&desa, &sync, 6, "not_equal");
    assert_eq!(text(&told, "takes"), "own_area");
    assert!(told.pointer("/error/hint").unwrap().as_str().unwrap().contains("Remove other files"));
    assert_eq!((entries(&desa, DESA), entries(&desa, OTHER_DESA)), (2, 1), "{told}");
    let bundle = hub.file("semua.wksbm");
    hub.done(&["bundle", "export", "--all", "--clear", "-o", &bundle]);
    let told = ends(&desa, &["bundle", "import", &bundle], 12, "partial");
    assert!(count(&told, "/files/0/rejected/no_room") > 0, "{told}");

    disk.leave(10 * MB);
    hub.add(DESA, "ruang habis");
    assert_eq!(takes(&desa), "own_saves");
    ends(&desa, &sync, 6, "not_equal");
    hub.done(&["bundle", "export", "--all", "--clear", "-o", &bundle]);
    let told = ends(&desa, &["bundle", "import", &bundle], 11, "disk_full");
    assert!(told.pointer("/error/message").unwrap().as_str().unwrap().contains("MB"), "{told}");
    let file = lab.room().join("lembar.csv");
    sheet(&file);
    let line = ["import", file.to_str().unwrap(), "--kind", "kegiatan", "--area", DESA, "--apply"];
    ends(&desa, &line, 11, "disk_full");
    ends(&desa, &["synth", "--preset", "mini", "--seed", "1", "--into-node"], 11, "disk_full");
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
    let mut saved = 0;
    let line = ["record", "add", "kps", "--area", DESA, "-f", "nama=penuh"];
    let line = [&line[..], &["-f", "bentuk=kelompok", "-f", "tahap=calon"]].concat();
    let told = loop {
        let answer = desa.ask(&line);
        if answer.exit != 0 {
            break answer;
        }
        saved += 1;
        assert!(saved < SAVES_MAX, "the disk is never full");
    };
    assert_eq!((told.exit, told.kind()), (11, Some("disk_full")), "{}", told.object);
    ends(&desa, &line, 11, "disk_full");

    disk.empty();
    let after = desa.add(DESA, "sesudah ada ruang");
    hub.sees(&after, "nama", "sesudah ada ruang", SOON);
    // Who was refused for want of room is asked again, without a hand.
    desa.sees(&refused, "nama", "tidak muat", SOON);
    equal(DESA, &[&hub, &desa], 4 + saved as u64, SOON);
    desa.stop();
    desa.verifies();
    crate::tell(&format!("full disk: {saved} saves went into pages that were free"));
}
