//! Files on a stick that is damaged, or was pulled too early: what is whole comes in, the rest is
//! said, and the whole file brings it later.

use std::path::Path;

use crate::mesh::{DESA, KECAMATAN};
use crate::net::Lab;
use crate::node::{LabNode, count, text};
use crate::system::tool;

const RECORDS: u64 = 300;
const STICK_MIB: u64 = 16;
/// Of one with a node on it, which takes in what others bring only while there is room.
const NODE_MIB: u64 = 256;

/// How an import ends: exit code, kind, what happened, what to do.
type Told = (i32, &'static str, &'static str, &'static str);

/// What is done to a file's bytes.
type Damage = fn(&[u8]) -> Vec<u8>;

const TRUNCATED: Told = (5, "file_truncated", "ends too early", "Copy it again");
const EMPTY: Told = (5, "file_truncated", "is empty", "Copy it again");
const FOREIGN: Told = (5, "file_foreign", "not the file asked for", "Choose another file");
const ALTERED: Told = (5, "file_altered", "not what was written", "Do not use this file");
const PARTIAL: Told = (12, "partial", "Only partly done", "See the result");

/// What may have become of a file on its way, and how its import ends.
const DAMAGES: [(&str, Told, Damage); 9] = [
    ("kosong", EMPTY, |_| Vec::new()),
    ("awalnya saja", TRUNCATED, |whole| cut(whole, 1, 100)),
    ("separuh", PARTIAL, |whole| cut(whole, 1, 2)),
    ("hampir utuh", PARTIAL, |whole| cut(whole, 99, 100)),
    // A file system that knew the length and not yet the bytes.
    ("ekornya nol", PARTIAL, tail_zeroed),
    ("satu bit", PARTIAL, one_bit_altered),
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
    ("berkas lain", FOREIGN, another),
];

/// The same of an invitation, which is of one piece: nothing of it is taken.
const INVITATIONS: [(&str, Told, Damage); 6] = [
    ("kosong", EMPTY, |_| Vec::new()),
    ("separuh", TRUNCATED, |whole| cut(whole, 1, 2)),
    ("ekornya nol", TRUNCATED, tail_zeroed),
    ("satu bit", ALTERED, one_bit_altered),
    ("satu bita lebih", ALTERED, |whole| [whole, b"\n"].concat()),
    ("berkas lain", FOREIGN, another),
];

fn cut(whole: &[u8], part: usize, of: usize) -> Vec<u8> {
    whole.get(..whole.len() * part / of).unwrap().to_vec()
}

fn tail_zeroed(whole: &[u8]) -> Vec<u8> {
    let mut bytes = cut(whole, 1, 2);
    bytes.resize(whole.len(), 0);
    bytes
}

fn one_bit_altered(whole: &[u8]) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    let middle = bytes.len() / 2;
    *bytes.get_mut(middle).unwrap() ^= 1;
    bytes
}

fn another(whole: &[u8]) -> Vec<u8> {
    whole.iter().map(|byte| byte ^ 0x5a).collect()
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
fn a_damaged_invitation_is_refused_and_makes_no_node_and_the_whole_one_joins() {
    let Some(lab) = Lab::new("undangan") else { return };
    let [mut province, desa] = ["prov", "desa"].map(|name| lab.node(name));
    province.found();
    let file = province.file("undangan.wksbm-undangan");
    province.done(&["invite", "--area", DESA, "-o", &file]);
    let whole = std::fs::read(&file).unwrap();
    for (what, told, damage) in INVITATIONS {
        let (path, (exit, kind, happened, to_do)) = (province.file("stik.wksbm-undangan"), told);
        std::fs::write(&path, damage(&whole)).unwrap();
        let answer = desa.ask(&["join", "--invitation", &path]);
        answer.fails(exit, kind, happened, to_do);
        assert!(!desa.data().exists(), "{what}");
    }
    desa.done(&["join", "--invitation", &file]);
    desa.verifies();
}

#[test]
fn a_stick_with_exfat_carries_invitations_pieces_and_a_whole_node() {
    let Some(lab) = Lab::new("exfat") else { return };
    let Some(stick) = lab.stick(NODE_MIB) else { return };
    let [mut province, mut desa] = ["prov", "desa"].map(|name| lab.node(name));
    province.found();
    desa.move_data(Path::new(&stick.file("simpul")));
    let [invitation, own, pieces] =
        ["desa.wksbm-undangan", "desa.wksbm", "semua.wksbm"].map(|name| stick.file(name));
    province.done(&["invite", "--area", DESA, "-o", &invitation]);
    let device = text(&desa.done(&["join", "--invitation", &invitation]), "device").to_owned();
    // The second takes the place of the first.
    for _ in 0..2 {
        desa.done(&["bundle", "export", "--all", "--clear", "-o", &own]);
    }
    province.done(&["bundle", "import", &own]);
    province.done(&["member", "confirm", &device]);
    province.synth(DESA, RECORDS);
    let line = ["bundle", "export", "--all", "--clear", "--max-size", "24k", "-o", &pieces];
    province.done(&line);
    let folder = Path::new(&pieces).parent().unwrap();
    let found = bundles(folder).into_iter().filter(|name| name.starts_with("semua"));
    let found: Vec<String> = found.map(|name| stick.file(&name)).collect();
    assert!(found.len() > 2, "{found:?}");
    let import: Vec<&str> =
        ["bundle", "import"].into_iter().chain(found.iter().map(String::as_str)).collect();
    desa.done(&import);
    let record = desa.add(DESA, "di stik");
    desa.verifies();
    desa.done(&["bundle", "export", "--all", "--clear", "-o", &own]);
    stick.protect();
    assert_eq!(desa.value(&record, "nama").as_deref(), Some("di stik"));
    let answer = desa.ask(&["record", "set", &record, "-f", "nama=lain"]);
    answer.fails(11, "read_only", "cannot be written", "ask your technician");
    province.done(&["bundle", "import", &own]);
    assert_eq!(province.root(DESA), desa.root(DESA));
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
