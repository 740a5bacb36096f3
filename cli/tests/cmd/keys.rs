//! Keys that rotted or are gone: what is said is about them, not about bundles.

use std::fs;

use serde_json::Value;

use crate::desk::{DESA, Desk};
use crate::served::Served;

/// Cuts, alters and swaps the key file; each is damage.
fn damaged(desk: &Desk, file: &str) -> Vec<Vec<u8>> {
    let whole = fs::read(desk.data().join("keys").join(file)).unwrap();
    let mut turned = whole.clone();
    *turned.get_mut(30).unwrap() ^= 0xff;
    vec![
        Vec::new(),
        whole.get(..20).unwrap().to_vec(),
        turned,
        b"Siti Aminah, 081234509009".to_vec(),
    ]
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap()
}

#[test]
fn verify_names_a_damaged_key_file_in_its_own_object_and_says_to_put_the_keys_back() {
    for file in ["device.key", "root-01.key"] {
        let desk = Desk::province();
        for bytes in damaged(&desk, file) {
            fs::write(desk.data().join("keys").join(file), bytes).unwrap();
            let ended = desk.json(&["verify"]);
            let object = ended.object();
            assert_eq!((ended.exit, ended.kind().as_str()), (7, "damage"), "{}", ended.stdout);
            assert_eq!(object.get("ok").unwrap(), false);
            assert_eq!(object.pointer("/damage/0/feed").unwrap(), &Value::Null);
            let what = format!("keys/{file}: the key file is damaged");
            assert_eq!(text(&object, "/damage/0/what"), what);
            let hint = text(&object, "/error/hint");
            assert!(hint.contains("backup") && hint.contains("`keys`"), "{hint}");
            assert!(!hint.contains("bundle") && !hint.contains("feed.redb"), "{hint}");
            let told = desk.typed(&["verify"], "");
            assert_eq!(told.exit, 7);
            assert!(told.stdout.contains(&what), "{}", told.stdout);
            assert!(told.stderr.contains("cadangan folder `keys`"), "{}", told.stderr);
        }
    }
}

#[test]
fn every_other_command_at_a_damaged_key_file_ends_with_damage_and_the_hint_of_keys() {
    let desk = Desk::province();
    for bytes in damaged(&desk, "device.key") {
        fs::write(desk.data().join("keys/device.key"), bytes).unwrap();
        for line in [
            &["status"][..],
            &["root"],
            &["record", "list"],
            &["record", "add", "kegiatan", "--area", DESA, "-f", "judul=x"],
            &["bundle", "export", "--all", "-o", "x"],
            &["run", "--offline"],
        ] {
            let ended = desk.json(line);
            assert_eq!((ended.exit, ended.kind().as_str()), (7, "damage"), "{line:?}");
            let hint = ended.object();
            let hint = text(&hint, "/error/hint");
            assert!(hint.contains("`keys`") && !hint.contains("Copy it again"), "{hint}");
        }
    }
}

#[test]
fn without_keys_every_command_says_that_the_keys_are_to_be_put_back() {
    let desk = Desk::province();
    fs::remove_dir_all(desk.data().join("keys")).unwrap();
    for line in [&["verify"][..], &["status"], &["record", "list"]] {
        let ended = desk.json(line);
        assert_eq!((ended.exit, ended.kind().as_str()), (8, "keystore_locked"), "{line:?}");
        let object = ended.object();
        let hint = text(&object, "/error/hint");
        assert!(hint.contains("`keys` folder back"), "{hint}");
    }
}

#[test]
fn keys_that_rot_under_a_running_node_are_found_beside_whole_stores() {
    let desk = Desk::province();
    desk.activity(DESA, "Rapat");
    let served = Served::on(&desk);
    desk.json(&["verify"]).done();
    let bytes = damaged(&desk, "device.key").pop().unwrap();
    fs::write(desk.data().join("keys/device.key"), bytes).unwrap();
    let ended = desk.json(&["verify"]);
    let object = ended.object();
    assert_eq!(ended.exit, 7, "{}", ended.stdout);
    assert_eq!(text(&object, "/damage/0/what"), "keys/device.key: the key file is damaged");
    assert_eq!(object.get("views_equal").unwrap(), true, "the stores were read all the same");
    assert!(text(&object, "/error/hint").contains("`keys`"));
    drop(served);
}
