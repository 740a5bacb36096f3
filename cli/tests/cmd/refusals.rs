//! Exit codes: what is refused, with which kind, and that nothing has changed then.

use node::node::Environment;
use serde_json::{Value, json};

use crate::desk::{DESA, Desk, OTHER_DESA, contents, ended};

#[test]
fn a_folder_without_a_node_is_store_missing_and_stays_empty() {
    let desk = Desk::empty();
    for line in [&["status"][..], &["record", "list"], &["verify"], &["member", "list"]] {
        let refused = desk.json(line);
        assert_eq!((refused.kind().as_str(), refused.exit), ("store_missing", 10), "{line:?}");
    }
    assert!(!desk.data().exists());
}

#[test]
fn a_second_network_in_the_same_folder_is_refused() {
    let desk = Desk::province();
    let again = desk.json(&["network", "create", "--name", "Lain", "--area", "32"]);
    assert_eq!((again.kind().as_str(), again.exit), ("store_exists", 10));
    assert_eq!(desk.json(&["status"]).done().get("name").unwrap(), "Uji");
}

#[test]
fn what_is_not_there_ends_with_three() {
    let desk = Desk::province();
    let id = desk.activity(DESA, "Rapat");
    for (line, kind) in [
        (&["record", "add", "tidak_ada", "--area", DESA][..], "kind_unknown"),
        (&["record", "add", "kegiatan", "--area", "32.99"], "area_unknown"),
        (&["record", "set", &id, "-f", "tidak_ada=1"], "field_unknown"),
        (&["record", "show", "ffffffff"], "record_unknown"),
        (&["bundle", "import", "/no/such/file"], "file_missing"),
        (&["bundle", "inspect", "/no/such/file"], "file_missing"),
        (&["member", "confirm", &"0".repeat(64)], "device_unknown"),
        (&["bundle", "export", "--for", &"0".repeat(64), "-o", "x"], "device_unknown"),
        (&["schema", "tidak_ada"], "kind_unknown"),
        (&["area", "show", "32.99"], "area_unknown"),
    ] {
        let refused = desk.json(line);
        assert_eq!((refused.kind().as_str(), refused.exit), (kind, 3), "{line:?}");
    }
}

#[test]
fn joining_with_an_invitation_that_is_not_there_makes_no_folder() {
    let desk = Desk::empty();
    let refused = desk.json(&["join", "--invitation", "/no/such/file"]);
    assert_eq!((refused.kind().as_str(), refused.exit), ("file_missing", 3));
    assert!(contents(&desk.data()).is_empty());
}

#[test]
fn a_value_that_is_refused_ends_with_four_and_changes_no_record() {
    let desk = Desk::province();
    let id = desk.activity(DESA, "Rapat");
    let before = desk.json(&["record", "history", &id]).stdout;
    for (line, kind) in [
        (&["record", "set", &id, "-f", "tanggal=31 Februari"][..], "value_invalid"),
        (&["record", "set", &id, "--clear", "judul"], "value_invalid"),
        (&["record", "set", &id, "-f", "status=tidak_ada"], "value_invalid"),
        (&["record", "add", "kegiatan", "--area", DESA], "value_invalid"),
    ] {
        let refused = desk.json(line);
        assert_eq!((refused.kind().as_str(), refused.exit), (kind, 4), "{line:?}");
    }
    assert_eq!(desk.json(&["record", "history", &id]).stdout, before);
}

#[test]
fn a_nik_from_a_spreadsheet_is_nik_excel_and_is_repeated_nowhere() {
    let desk = Desk::province();
    let person = json!({"nama": "Uji Sembilan", "kode_jenis": "LUT", "unit": "orang",
        "jenis_kelamin": "P", "nik": "3,20921E+15"});
    let line = ["record", "add", "ppks", "--area", DESA, "--fields", "-", "--json"];
    let refused = desk.typed(&line, &person.to_string());
    assert_eq!((refused.kind().as_str(), refused.exit), ("nik_excel", 4));
    for said in [&refused.stdout, &refused.stderr] {
        assert!(!said.contains("3,20921") && !said.contains("Sembilan"), "{said}");
    }
}

#[test]
fn a_desa_may_not_write_beside_itself() {
    let province = Desk::province();
    let kabupaten = Desk::member(&province, "32.09");
    let kecamatan = Desk::member(&kabupaten, "32.09.21");
    let desa = Desk::member(&kecamatan, DESA);
    desa.activity(DESA, "Rapat");
    let refused = desa.json(&["record", "add", "kegiatan", "--area", OTHER_DESA, "-f", "judul=x"]);
    assert_eq!((refused.kind().as_str(), refused.exit), ("area_outside", 4));
    let refused = desa.json(&["invite", "--area", DESA, "-o", &desa.path("u")]);
    assert!([4, 8].contains(&refused.exit), "{}", refused.stdout);
}

#[test]
fn a_device_that_nobody_confirmed_counts_nowhere_and_says_so() {
    let province = Desk::province();
    let desk = Desk::empty();
    let invitation = desk.path("undangan");
    province.json(&["invite", "--area", "32.09", "-o", &invitation]).done();
    desk.json(&["join", "--invitation", &invitation]).done();
    let status = desk.json(&["status"]).done();
    assert_eq!(status.get("state").unwrap(), "provisional");
    assert_eq!(status.get("records").unwrap(), 0);
}

#[test]
fn a_file_that_is_no_bundle_ends_with_five() {
    let desk = Desk::province();
    let foreign = desk.write("foto.jpg", b"\xff\xd8\xff\xe0 not a bundle, whatever its name");
    for line in [["bundle", "import", &foreign], ["bundle", "inspect", &foreign]] {
        let refused = desk.json(&line);
        assert_eq!((refused.kind().as_str(), refused.exit), ("file_foreign", 5), "{line:?}");
    }
}

#[test]
fn a_bundle_of_another_network_ends_with_nine() {
    let (one, other) = (Desk::province(), Desk::province());
    let file = one.path("paket.wksbm");
    one.json(&["bundle", "export", "--all", "-o", &file]).done();
    let refused = other.json(&["bundle", "import", &file]);
    assert_eq!((refused.kind().as_str(), refused.exit), ("network_other", 9));
}

/// The bundle is cut short of its end: what is whole comes in, the rest is named, and the whole
/// file afterwards brings exactly the rest.
#[test]
fn a_cut_bundle_keeps_what_is_whole_and_ends_with_twelve() {
    let province = Desk::province();
    let kabupaten = Desk::member(&province, "32.09");
    for number in 0..12 {
        kabupaten.activity(DESA, &format!("Rapat {number}"));
    }
    let whole = kabupaten.path("utuh.wksbm");
    kabupaten.json(&["bundle", "export", "--all", "-o", &whole]).done();
    let bytes = std::fs::read(&whole).unwrap();
    let cut = kabupaten.write("potong.wksbm", bytes.get(..bytes.len() - 100).unwrap());
    let partly = province.json(&["bundle", "import", &cut]);
    assert_eq!((partly.kind().as_str(), partly.exit), ("partial", 12));
    let taken = partly.object().pointer("/files/0/new").cloned().unwrap();
    let rest = province.json(&["bundle", "import", &whole]).done();
    let count = |value: &Value| value.as_u64().unwrap();
    let rest = count(rest.pointer("/files/0/new").unwrap());
    assert!(count(&taken) + rest >= 12 && rest > 0, "{taken} and then {rest}");
    let root = |desk: &Desk| desk.json(&["root", "--area", "32.09"]).done();
    assert_eq!(root(&province).get("root"), root(&kabupaten).get("root"));
    let again = province.json(&["bundle", "import", &whole]).done();
    assert_eq!(again.pointer("/files/0/new").unwrap(), 0);
}

#[test]
fn an_interrupt_ends_long_work_with_130() {
    let desk = Desk::province();
    desk.activity(DESA, "Rapat");
    let file = desk.path("paket.wksbm");
    let world = desk.world();
    world.interrupt.set();
    let data = desk.data();
    let line =
        ["bundle", "export", "--all", "-o", &file, "--json", "--data", data.to_str().unwrap()];
    let stopped = ended(&world, &line, "");
    assert_eq!((stopped.kind().as_str(), stopped.exit), ("interrupted", 130));
    assert!(!std::path::Path::new(&file).exists(), "half a bundle was left");
}

#[test]
fn commands_that_look_change_no_file() {
    let desk = Desk::province();
    let id = desk.activity(DESA, "Rapat");
    desk.json(&["status"]).done();
    let feeds = || -> Vec<_> { contents(&desk.data()).into_iter().map(|(path, _)| path).collect() };
    let before = feeds();
    for line in [&["status"][..], &["root"], &["record", "show", &id], &["record", "list"]] {
        desk.json(line).done();
    }
    assert_eq!(feeds(), before);
}

#[test]
fn another_kind_may_be_declared_and_used_without_the_command_knowing_it() {
    use crdt_schema::class::FieldClass::Public;
    use crdt_schema::record::{Field, Kind, ValueType};
    const FIELDS: &[Field] =
        &[Field::scalar(1, "warna", Public, ValueType::Text { max_letters: 40 }).required()];
    const KIND: Kind =
        Kind { number: 900, name: "percobaan", fields: FIELDS, label: "warna", ..Kind::EMPTY };
    let desk = Desk::province();
    let mut world = desk.world();
    let schema = world.environment.schema.with_kind(KIND);
    world.environment = Environment { schema: schema.into(), ..world.environment };
    let data = desk.data();
    let typed = |line: &[&str]| {
        let place = ["--json", "--data", data.to_str().unwrap()];
        ended(&world, &[line, &place[..]].concat(), "")
    };
    typed(&["record", "add", "percobaan", "--area", DESA, "-f", "warna=biru"]).done();
    let refused = typed(&["record", "add", "percobaan", "--area", DESA]);
    assert_eq!(refused.kind(), "value_invalid");
    let listed = typed(&["record", "list", "--kind", "percobaan"]).done();
    assert_eq!(listed.pointer("/records/0/label").unwrap(), "biru");
    assert_eq!(desk.json(&["schema", "percobaan"]).kind(), "kind_unknown");
}
