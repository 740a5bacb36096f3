//! Signs that nobody sees: refused or taken out where they are typed, shown by their number where
//! another program let them in.

use serde_json::json;

use crate::desk::{DESA, Desk};
use crate::fixtures;

/// What a terminal or a browser would obey or hide.
const TURNED: &str = "Ra\u{202e}tap\u{200b}";
const SHOWN: &str = r"Ra\u{202e}tap\u{200b}";

fn add(desk: &Desk, title: &str) -> crate::desk::Ended {
    let fields = json!({
        "judul": title, "kode_program": "G.5.1.4", "jenis": "rapat", "tanggal": "2026-03-01",
        "tempat": "Balai",
    });
    let line = ["record", "add", "kegiatan", "--area", DESA, "--fields", "-", "--json"];
    desk.typed(&line, &fields.to_string())
}

#[test]
fn what_turns_writing_is_refused_where_it_is_typed() {
    let desk = Desk::province();
    let id = desk.activity(DESA, "Rapat");
    for sign in
        ['\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}', '\u{200f}', '\u{2028}', '\u{e0041}']
    {
        let title = format!("Ra{sign}pat");
        let typed = format!("judul={title}");
        let file = desk.write("judul", &title);
        for refused in [
            add(&desk, &title),
            desk.json(&["record", "set", &id, "-f", &typed]),
            desk.json(&["record", "set", &id, "-f", &format!("judul=@{file}")]),
            desk.json(&["record", "settle", &id, "judul", "--value", &title]),
        ] {
            assert_eq!((refused.exit, refused.kind().as_str()), (4, "value_invalid"), "{sign:?}");
            assert!(refused.stdout.contains("control characters"), "{}", refused.stdout);
            assert!(!refused.stdout.contains(sign), "{sign:?}");
        }
    }
    assert_eq!(desk.json(&["status"]).done().get("records").unwrap(), 1);
}

#[test]
fn what_programs_slip_in_is_taken_out_and_said() {
    let desk = Desk::province();
    let written = add(&desk, "\u{feff}Ra\u{ad}pat \u{200b}desa").done();
    assert_eq!(written.pointer("/warnings/0/rule").unwrap(), "huruf_tak_terlihat");
    assert_eq!(written.pointer("/warnings/0/field").unwrap(), "judul");
    let id = written.get("record").unwrap().as_str().unwrap();
    let shown = desk.json(&["record", "show", id]).done();
    assert_eq!(shown.pointer("/fields/judul/value").unwrap(), "Rapat desa");
    let same = desk.json(&["record", "set", id, "-f", "judul=Rapat\u{200d} desa"]).done();
    assert_eq!(same.get("entry"), written.get("entry"), "the same title changes nothing");
}

#[test]
fn what_another_program_wrote_is_shown_to_people_by_its_number_and_to_programs_as_it_is() {
    let desk = Desk::province();
    fixtures::activity_unasked(&desk.data(), DESA, TURNED);
    let list = desk.json(&["record", "list"]).done();
    let id = list.pointer("/records/0/record").unwrap().as_str().unwrap().to_owned();
    assert_eq!(list.pointer("/records/0/label").unwrap(), TURNED);
    for line in [&["record", "list"][..], &["record", "show", &id], &["record", "history", &id]] {
        for language in ["id", "en"] {
            let told = desk.typed(&[line, &["--lang", language]].concat(), "");
            assert_eq!(told.exit, 0, "{line:?}");
            assert!(told.stdout.contains(SHOWN), "{line:?}: {}", told.stdout);
            assert!(!told.stdout.contains(['\u{202e}', '\u{200b}']), "{line:?}");
        }
    }
}

#[test]
fn a_networks_name_and_a_path_turn_no_line_on_the_terminal() {
    let desk = Desk::province();
    // An altered program may have given the network such a name.
    let config = desk.data().join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    assert!(text.contains("\"Uji\""), "{text}");
    std::fs::write(&config, text.replace("\"Uji\"", &format!("\"{TURNED}\""))).unwrap();
    let told = desk.typed(&["join", "--invitation", &desk.path("undangan")], "");
    assert_eq!(told.exit, 9);
    assert!(told.stderr.contains(SHOWN) && !told.stderr.contains('\u{202e}'), "{}", told.stderr);
    let refused = desk.typed(&["bundle", "inspect", TURNED], "");
    assert!(refused.stderr.contains(SHOWN) && !refused.stderr.contains('\u{202e}'));
}

#[test]
fn a_list_has_one_line_for_a_record_whatever_its_name_holds() {
    let desk = Desk::province();
    fixtures::activity_unasked(&desk.data(), DESA, "Rapat\ndesa\tdan\r\u{1b}[2J");
    let list = desk.typed(&["record", "list"], "").stdout;
    assert!(list.contains(r"Rapat\u{a}desa dan\u{d}\u{1b}[2J"), "{list}");
    for refused in [add(&desk, "Rapat\ndesa"), add(&desk, "Rapat\tdesa")] {
        assert_eq!((refused.exit, refused.kind().as_str()), (4, "value_invalid"));
        assert!(refused.stdout.contains("one line"), "{}", refused.stdout);
    }
}
