//! Files on a stick that is damaged, or was pulled too early: what is whole comes in, the rest is
//! said, and the whole file brings it later.

use std::path::Path;

use crate::mesh::{DESA, KECAMATAN};
use crate::net::Lab;
use crate::node::{LabNode, count};
use crate::system::tool;

const RECORDS: u64 = 300;
const STICK_MIB: u64 = 16;

/// How an import ends: exit code, kind, what happened, what to do.
type Told = (i32, &'static str, &'static str, &'static str);

/// What is done to a file's bytes.
type Damage = fn(&[u8]) -> Vec<u8>;

const TRUNCATED: Told = (5, "file_truncated", "ends too early", "Copy it again");
const EMPTY: Told = (5, "file_truncated", "is empty", "Copy it again");
const FOREIGN: Told = (5, "file_foreign", "not the file asked for", "Choose another file");
const PARTIAL: Told = (12, "partial", "Only partly done", "See the result");

/// What may have become of a file on its way, and how its import ends.
const DAMAGES: [(&str, Told, Damage); 9] = [
    ("kosong", EMPTY, |_| Vec::new()),
    ("awalnya saja", TRUNCATED, |whole| cut(whole, 1, 100)),
    ("separuh", PARTIAL, |whole| cut(whole, 1, 2)),
    ("hampir utuh", PARTIAL, |whole| cut(whole, 99, 100)),
    // A file system that knew the length and not yet the bytes.
    ("ekornya nol", PARTIAL, |whole| {
        let mut bytes = cut(whole, 1, 2);
        bytes.resize(whole.len(), 0);
        bytes
    }),
    ("satu bit", PARTIAL, |whole| {
        let mut bytes = whole.to_vec();
        let middle = bytes.len() / 2;
        *bytes.get_mut(middle).unwrap() ^= 1;
        bytes
    }),
    // The last frame says that all came.
    ("satu bit dari akhirnya", PARTIAL, |whole| {
        let mut bytes = whole.to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        bytes
    }),
    ("satu sektor nol", PARTIAL, |whole| {
        let mut bytes = whole.to_vec();
        let from = bytes.len() / 3;
        bytes.get_mut(from..from + 512).unwrap().fill(0);
        bytes
    }),
    ("berkas lain", FOREIGN, |whole| whole.iter().map(|byte| byte ^ 0x5a).collect()),
];

fn cut(whole: &[u8], part: usize, of: usize) -> Vec<u8> {
    whole.get(..whole.len() * part / of).unwrap().to_vec()
}

#[test]
fn a_damaged_or_half_copied_file_brings_what_is_whole_and_the_whole_one_the_rest() {
    let Some(lab) = Lab::new("stick") else { return };
    let [mut province, mut hub, mut desa] = ["prov", "kec", "desa"].map(|name| lab.node(name));
    province.found();
    province.enrol(&mut hub, KECAMATAN);
    hub.enrol(&mut desa, DESA);
    hub.synth(DESA, RECORDS);
    let file = hub.file("paket.wksbm");
    hub.done(&["bundle", "export", "--all", "--clear", "-o", &file]);
    let whole = std::fs::read(&file).unwrap();
    let mut told = Vec::new();
    let before = count(&desa.done(&["status"]), "/entries");
    let (folder, number) = (desa.data().to_path_buf(), 0..);
    for ((what, (exit, kind, happened, to_do), damage), number) in DAMAGES.into_iter().zip(number) {
        // Each time the same device, which has nothing of the file yet.
        let fresh = lab.room().join(format!("desa-{number}"));
        tool(&["cp", "-a", folder.to_str().unwrap(), fresh.to_str().unwrap()]);
        desa.move_data(&fresh);
        let path = hub.file("stik.wksbm");
        std::fs::write(&path, damage(&whole)).unwrap();
        let answer = desa.ask(&["bundle", "import", &path]);
        answer.fails(exit, kind, happened, to_do);
        desa.verifies();
        let now = count(&desa.done(&["status"]), "/entries");
        if exit == 12 {
            let left = answer.object.pointer("/files/0/rejected").unwrap().as_object().unwrap();
            assert!(left.values().any(|entries| entries.as_u64() > Some(0)), "{}", answer.object);
            assert!(now > before, "{what}: nothing of what is whole was taken");
        } else {
            assert_eq!(now, before, "{what}");
        }
        told.push(format!("{what}: {kind}, {} entries taken", now - before));
        desa.done(&["bundle", "import", &file]);
        assert_eq!(desa.root(DESA), hub.root(DESA), "{what}");
        desa.verifies();
    }
    crate::tell(&format!("stick: {}", told.join(", ")));
}

#[test]
fn a_stick_that_is_too_small_is_said_and_no_half_file_has_a_bundles_name() {
    let Some(lab) = Lab::new("small-stick") else { return };
    let (mut node, stick) = (lab.node("prov"), lab.node("stik"));
    let disk = lab.disk(&stick, STICK_MIB);
    node.found();
    node.synth(DESA, RECORDS);
    disk.leave(8_192);
    let file = stick.data().join("paket.wksbm");
    let answer = node.ask(&["bundle", "export", "--all", "--clear", "-o", file.to_str().unwrap()]);
    answer.fails(11, "disk_full", "The disk is full", "Remove other files");
    assert_eq!(bundles(stick.data()), Vec::<String>::new());
    disk.empty();
    node.done(&["bundle", "export", "--all", "--clear", "-o", file.to_str().unwrap()]);
    assert_eq!(bundles(stick.data()), ["paket.wksbm"]);
    whole(&node, &file);
}

fn bundles(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let bundles = files.filter(|file| file.extension().is_some_and(|it| it == "wksbm"));
    bundles.map(|file| file.file_name().unwrap().to_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn whole(node: &LabNode, file: &Path) {
    let found = node.done(&["bundle", "inspect", file.to_str().unwrap()]);
    assert_eq!(found.get("whole"), Some(&true.into()), "{found}");
}
