//! Files that `man`, `demo` and `record export` write by name: over their own, never over others, and
//! never into a data folder.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::desk::{DESA, Desk, contents};

#[test]
fn manual_pages_replace_their_own_and_leave_every_other_file_as_it_was() {
    let desk = Desk::empty();
    let folder = desk.path("man");
    desk.json(&["man", &folder]).done();
    let first = contents(Path::new(&folder));
    assert!(first.len() > 20, "{}", first.len());
    desk.json(&["man", &folder, "--lang", "en"]).done();
    assert_ne!(contents(Path::new(&folder)), first, "its own are replaced");
    let letter = Path::new(&folder).join("wksbm-status.1");
    for foreign in [&b"Surat untuk Ibu Lurah"[..], b".TH ls 1\n.SH NAME\nls", b"\xff\xd8\xff\xe0"] {
        fs::write(&letter, foreign).unwrap();
        let before = contents(Path::new(&folder));
        let refused = desk.json(&["man", &folder]);
        assert_eq!((refused.exit, refused.kind().as_str()), (5, "file_foreign"));
        assert_eq!(contents(Path::new(&folder)), before, "nothing was written");
    }
    fs::remove_file(&letter).unwrap();
    fs::create_dir(&letter).unwrap();
    assert_eq!(desk.json(&["man", &folder]).kind(), "file_foreign");
}

#[test]
fn neither_manual_pages_nor_a_demo_are_written_into_a_data_folder() {
    let (desk, other) = (Desk::province(), Desk::empty());
    let data = desk.data();
    let before: Vec<_> = contents(&data).into_iter().map(|(path, _)| path).collect();
    for inside in ["", "keys", "man", "a/b"] {
        let place = data.join(inside);
        // The own folder, and that of another node.
        for asking in [&desk, &other] {
            let place = place.to_str().unwrap();
            for line in [&["man", place][..], &["demo", "--once", "--keep", place]] {
                let refused = asking.json(line);
                assert_eq!((refused.exit, refused.kind().as_str()), (2, "usage"), "{line:?}");
                let object = refused.object();
                let cause = object.pointer("/error/cause").and_then(Value::as_str).unwrap();
                // As it was typed; of `man` it is a page in it.
                let is_page = line.first() == Some(&"man");
                assert!(is_page || cause.contains(&format!("`{place}`")), "{cause}");
            }
        }
    }
    let after: Vec<_> = contents(&data).into_iter().map(|(path, _)| path).collect();
    assert_eq!(after, before);
}

#[test]
fn a_demo_is_kept_in_no_folder_where_one_is_kept_already_and_the_hint_names_the_flag() {
    let (desk, node) = (Desk::empty(), Desk::province());
    let kept = node.data().parent().unwrap().join("kept");
    fs::create_dir(&kept).unwrap();
    fs::rename(node.data(), kept.join("provinsi")).unwrap();
    let line = ["demo", "--once", "--keep", kept.to_str().unwrap()];
    let refused = desk.json(&line);
    assert_eq!((refused.exit, refused.kind().as_str()), (10, "store_exists"));
    let object = refused.object();
    let hint = object.pointer("/error/hint").and_then(Value::as_str).unwrap();
    assert!(hint.contains("--keep") && !hint.contains("--data"), "{hint}");
    let names: Vec<_> = fs::read_dir(&kept).unwrap().collect();
    assert_eq!(names.len(), 1, "nothing was begun");
}

#[test]
fn a_file_in_place_of_the_folder_is_a_word_typed_wrongly_and_no_failing_disk() {
    let desk = Desk::empty();
    let file = desk.write("surat", "Yth.");
    for place in [file.clone(), format!("{file}/below")] {
        for line in [&["man", &place][..], &["demo", "--once", "--keep", &place]] {
            let refused = desk.json(line);
            assert_eq!((refused.exit, refused.kind().as_str()), (2, "usage"), "{line:?}");
            let object = refused.object();
            let cause = object.pointer("/error/cause").and_then(Value::as_str).unwrap();
            assert!(cause.contains(&format!("`{file}` is a file")), "{cause}");
        }
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "Yth.");
}

#[test]
fn a_demo_is_not_played_where_one_kept_its_nodes_and_the_hint_names_its_own_flag() {
    let desk = Desk::province();
    let stage = desk.path("peragaan");
    desk.move_data(&Path::new(&stage).join("kecamatan"));
    let before = desk.files();
    let typed = Desk::empty();
    let refused = typed.json(&["demo", "--once", "--keep", &stage]);
    assert_eq!((refused.exit, refused.kind().as_str()), (10, "store_exists"));
    let object = refused.object();
    let hint = object.pointer("/error/hint").and_then(Value::as_str).unwrap();
    assert!(hint.contains("--keep"), "{hint}");
    assert!(desk.files() == before, "nothing was written");
}

/// Of a person's documents those of classes that an activity does not have stay behind.
#[test]
fn documents_of_an_earlier_export_that_stay_beside_are_named() {
    let desk = Desk::province();
    let (person, activity) = (desk.person(DESA), desk.activity(DESA, "Rapat"));
    let file = desk.path("dokumen");
    let export = |id: &str| desk.json(&["record", "export", id, "-o", &file]).done();
    let older = |made: &Value| made.get("older").unwrap().as_array().unwrap().clone();
    assert_eq!(older(&export(&person)), Vec::<Value>::new());
    let beside = older(&export(&activity));
    assert!(beside.contains(&Value::from(format!("{file}.U"))), "{beside:?}");
    for path in beside {
        fs::remove_file(path.as_str().unwrap()).unwrap();
    }
    assert_eq!(older(&export(&activity)), Vec::<Value>::new());
}

#[test]
fn what_waits_for_a_confirmation_is_exported_as_it_is_shown() {
    let (province, desa) = (Desk::province(), Desk::empty());
    let invitation = desa.path("undangan");
    province.json(&["invite", "--area", DESA, "-o", &invitation]).done();
    desa.json(&["join", "--invitation", &invitation]).done();
    let record = desa.activity(DESA, "Rapat");
    let shown = desa.json(&["record", "show", &record]).done();
    assert_eq!(shown.get("verdict").unwrap(), "waiting");
    let file = desa.path("dokumen");
    let made = desa.json(&["record", "export", &record, "-o", &file]).done();
    assert!(made.get("bytes").unwrap().as_u64() > Some(0), "{made}");
    assert!(fs::metadata(&file).unwrap().len() > 0);
}
