//! What was typed in the wrong place: a NIK for an id, a name for a kind. No message repeats it.

use serde_json::Value;

use crate::desk::{DESA, Desk};
use crate::served::Served;

/// What people type by mistake: a NIK, a name, a telephone, a date of birth.
const SLIPS: [&str; 6] =
    ["3209214501609007", "Siti Aminah", "siti", "081234509009", "17081945", "-Siti"];

/// A line in both languages and for programs; none repeats `typed`.
fn is_told_without(desk: &Desk, line: &[&str], typed: &str) {
    for more in [&["--json"][..], &["--lang", "id"], &["--lang", "en"]] {
        let ended = desk.typed(&[line, more].concat(), "");
        assert_ne!(ended.exit, 0, "{line:?}");
        assert!(ended.exit < 5, "{line:?}: {}{}", ended.stdout, ended.stderr);
        for said in [&ended.stdout, &ended.stderr] {
            assert!(!said.contains(typed), "{line:?}: {said}");
        }
    }
}

#[test]
fn a_persons_number_or_name_in_the_wrong_place_is_repeated_nowhere() {
    let desk = Desk::province();
    let id = desk.activity(DESA, "Rapat");
    let entry = desk.json(&["record", "history", &id]).done();
    let entry = entry.pointer("/edits/0/entry/feed").and_then(Value::as_str).unwrap().to_owned();
    for slip in SLIPS {
        let (field, twice) = (format!("{slip}=1"), format!("{entry}:1@{slip}"));
        for line in [
            &[slip][..],
            &["record", slip],
            &["record", "show", slip],
            &["record", "set", slip, "-f", "judul=x"],
            &["record", "history", slip],
            &["record", "export", slip, "-o", "x"],
            &["record", "add", slip, "--area", DESA],
            &["record", "add", "kegiatan", "--area", slip],
            &["record", "set", &id, "-f", &field],
            &["record", "set", &id, "-f", &field, "-f", &field],
            &["record", "set", &id, "--clear", slip],
            &["record", "set", &id, "--person", slip],
            &["record", "settle", slip, "judul", "--value", "x"],
            &["record", "settle", &id, slip, "--value", "x"],
            &["record", "settle", &id, "judul", "--entry", slip],
            &["record", "settle", &id, "judul", "--entry", &twice],
            &["record", "list", "--kind", slip],
            &["record", "list", "--area", slip],
            &["record", "list", "--after", slip],
            &["record", "list", "--limit", slip],
            &["root", "--area", slip],
            &["area", "show", slip],
            &["area", "list", "--under", slip],
            &["area", "rehome", slip, slip],
            &["area", "rehome", DESA, slip],
            &["member", "confirm", slip],
            &["member", "close", slip],
            &["invite", "--area", slip, "-o", "x"],
            &["invite", "--area", "32.09", "--rights", slip, "-o", "x"],
            &["invite", "--area", "32.09", "--expires", slip, "-o", "x"],
            &["bundle", "export", "--area", slip, "-o", "x"],
            &["bundle", "export", "--for", slip, "-o", "x"],
            &["bundle", "export", "--all", "--max-size", slip, "-o", "x"],
            &["schema", slip],
            &["completions", slip],
            &["synth", "--preset", slip, "--seed", "1", "--into-node"],
            &["synth", "--preset", "mini", "--seed", "1", "--into-node", "--area", slip],
            &["status", "--lang", slip],
            &["status", "--lang", "id", slip],
        ] {
            // A number is a good answer where one is asked for.
            let is_number = slip.parse::<u64>().is_ok() && line.contains(&"--max-size");
            if !is_number {
                is_told_without(&desk, line, slip);
            }
        }
        let found = desk.typed(&["glossary", slip.trim_start_matches('-')], "");
        assert!(!found.stdout.contains(slip), "{}", found.stdout);
    }
}

#[test]
fn what_was_withheld_is_called_the_given_text_in_each_language() {
    let desk = Desk::province();
    let line = ["record", "show", "3209214501609007"];
    let indonesian = desk.typed(&line, "").stderr;
    assert!(
        indonesian.contains("entri tidak ditemukan: teks yang diberikan (16 huruf)."),
        "{indonesian}"
    );
    let english = desk.typed(&[&line[..], &["--lang", "en"]].concat(), "").stderr;
    assert!(english.contains("entry not found: the given text (16 characters)."), "{english}");
    let cause = desk.json(&line).object().pointer("/error/cause").cloned().unwrap();
    assert_eq!(cause, "no single record begins with the given text (16 characters)");
    let area = desk.typed(&["area", "show", "32.99", "--lang", "en"], "").stderr;
    assert!(area.contains("There is no such area: `32.99`."), "{area}");
}

#[test]
fn a_sentence_about_a_withheld_text_is_still_a_sentence() {
    let desk = Desk::province();
    let typed = "Siti Aminah";
    for (line, english, indonesian) in [
        (
            &["member", "confirm", typed][..],
            "Device not found: the",
            "Perangkat tidak ditemukan: teks",
        ),
        (
            &["record", "add", typed, "--area", DESA, "-f", "a=1"],
            "no such kind of record: the",
            "Jenis catatan tidak ada: teks",
        ),
        (
            &["record", "settle", "00000000", typed, "--value", "1"],
            "not found: the",
            "tidak ditemukan: teks",
        ),
        (
            &["area", "show", typed],
            "the given text (11 characters) is no area code",
            "Bukan kode wilayah: teks",
        ),
        (&[typed], "no such command: the", "Perintah tidak dikenal: teks"),
        (
            &["record", "list", "--limit", typed],
            "`--limit <N>` does not take the",
            "`--limit <N>` tidak menerima teks",
        ),
    ] {
        let told = desk.typed(&[line, &["--lang", "en"]].concat(), "").stderr;
        assert!(told.contains(english), "{told}");
        let told = desk.typed(line, "").stderr;
        assert!(told.contains(indonesian), "{told}");
    }
}

#[test]
fn an_unknown_command_is_answered_with_a_command_or_with_all_of_them() {
    let desk = Desk::empty();
    let near = desk.typed(&["statsu", "--lang", "en"], "").stderr;
    assert!(near.contains("`statsu`. Perhaps you meant: status"), "{near}");
    let far = desk.typed(&["zzqq", "--lang", "en"], "").stderr;
    assert!(!far.contains("Perhaps") && !far.contains("zzqq"), "{far}");
    assert!(far.contains("Every command stands in `wksbm --help`"), "{far}");
    let flag = desk.typed(&["record", "list", "--zzzz", "--lang", "en"], "").stderr;
    assert!(!flag.contains("Perhaps") && flag.contains("wksbm --help"), "{flag}");
}

#[test]
fn a_word_that_is_not_in_the_glossary_is_said_not_to_be_there() {
    let desk = Desk::empty();
    let far = desk.typed(&["glossary", "zzqq", "--lang", "en"], "");
    assert_eq!(far.exit, 0);
    assert!(far.stdout.contains("Nothing was found"), "{}", far.stdout);
    assert!(!far.stdout.contains("Perhaps"), "{}", far.stdout);
    let near = desk.json(&["glossary", "wksmb"]).done();
    assert_eq!(near.pointer("/near/0").unwrap(), "WKSBM");
    let near = desk.typed(&["glossary", "wksmb", "--lang", "en"], "");
    assert!(near.stdout.contains("Perhaps you meant: WKSBM"), "{}", near.stdout);
    let found = desk.json(&["glossary", "wksbm"]).done();
    assert_eq!(found.pointer("/terms/0/term").unwrap(), "WKSBM");
    assert!(found.pointer("/terms/1").is_some() && found.pointer("/near/0").is_none());
}

#[test]
fn the_same_synthetic_people_are_written_once() {
    let desk = Desk::province();
    let line = ["synth", "--preset", "mini", "--seed", "1", "--into-node", "--area", DESA];
    let first = desk.json(&line).done();
    assert_eq!(first.get("records").unwrap(), 12);
    let before = desk.json(&["root"]).done();
    let again = desk.json(&line).done();
    for count in ["records", "entries", "areas"] {
        assert_eq!(again.get(count).unwrap(), 0, "{count}");
    }
    assert_eq!(desk.json(&["root"]).done(), before);
    let told = desk.typed(&[&line[..], &["--lang", "en"]].concat(), "");
    assert!(told.stdout.contains("are here already"), "{}", told.stdout);
    let moved = ["synth", "--preset", "pemekaran", "--seed", "2", "--records", "20", "--into-node"];
    assert_ne!(desk.json(&moved).done().get("entries").unwrap(), 0);
    assert_eq!(desk.json(&moved).done().get("entries").unwrap(), 0);
    // The moves of that preset are entries of this network, not only known from the table.
    let sambeng = desk.json(&["area", "show", "32.09.39.2001"]).done();
    assert_eq!(sambeng.get("area").unwrap(), "32.09.21.2016", "{sambeng}");
}

#[test]
fn a_sheet_with_a_quotation_mark_that_is_never_closed_is_told_with_its_row() {
    let desk = Desk::province();
    let text = "Nama;RT\nUji Satu;01\nUji Dua;\"02\nUji Tiga;03\n";
    let sheet = desk.write("lembar.csv", text);
    let refused = desk.json(&["import", &sheet, "--kind", "ppks", "--area", DESA]);
    assert_eq!((refused.kind().as_str(), refused.exit), ("file_altered", 5));
    assert!(refused.stdout.contains("line 3 of the file (row 3)"), "{}", refused.stdout);
    let line = ["import", &sheet, "--kind", "ppks", "--area", DESA];
    let told = desk.typed(&line, "").stderr;
    assert!(told.contains("(baris 3 di lembar) tidak pernah ditutup"), "{told}");
}

#[test]
fn a_field_that_is_named_twice_is_refused_and_nothing_is_saved() {
    let desk = Desk::province();
    let id = desk.activity(DESA, "Rapat");
    let line = ["record", "set", &id, "--fields", "-", "--json"];
    let twice = desk.typed(&line, r#"{"tempat":"Masjid","tempat":"Balai"}"#);
    assert_eq!((twice.kind().as_str(), twice.exit), ("usage", 2));
    assert!(twice.stdout.contains("`tempat`"), "{}", twice.stdout);
    let twice = desk.json(&["record", "set", &id, "-f", "tempat=Masjid", "-f", "tempat=Balai"]);
    assert_eq!((twice.kind().as_str(), twice.exit), ("usage", 2));
    assert_eq!(desk.json(&["status"]).done().get("entries").unwrap(), 1);
}

#[test]
fn an_invitation_that_gives_nothing_or_is_over_at_once_is_not_made() {
    let desk = Desk::province();
    let file = desk.path("undangan");
    for odd in [["--rights", ""], ["--rights", ","], ["--expires", "0d"], ["--expires", "-1d"]] {
        let line = [&["invite", "--area", "32.09", "-o", &file], &odd[..]].concat();
        let refused = desk.json(&line);
        assert_eq!((refused.kind().as_str(), refused.exit), ("usage", 2), "{odd:?}");
        assert!(!std::path::Path::new(&file).exists(), "{odd:?}");
    }
    let line = ["invite", "--area", "32.09", "-o", &file, "--expires", "0d"];
    let told = desk.typed(&line, "").stderr;
    assert!(told.contains("90m, 12h, 7d, 2w"), "{told}");
    let line = ["invite", "--area", "32.09", "-o", &file, "--rights", ""];
    let told = desk.typed(&line, "").stderr;
    assert!(told.contains("Daftar haknya kosong."), "{told}");
}

#[test]
fn a_nik_that_another_record_holds_is_saved_with_a_warning_that_names_that_record() {
    let desk = Desk::province();
    let person = Desk::marked_person().to_string();
    let add = |area: &str| {
        let line = ["record", "add", "ppks", "--area", area, "--fields", "-", "--json"];
        desk.typed(&line, &person).done()
    };
    let held = |write: &Value| -> Vec<Value> {
        let warnings = write.get("warnings").unwrap().as_array().unwrap().iter();
        let held = warnings.filter(|it| it.get("rule").unwrap() == "nik_sudah_ada");
        held.map(|it| it.get("record").unwrap().clone()).collect()
    };
    let first = add(DESA);
    assert!(held(&first).is_empty(), "{first}");
    assert!(held(&add(super::desk::OTHER_DESA)).is_empty(), "another village's is not told");
    let second = add(DESA);
    assert_eq!(held(&second), [first.get("record").unwrap().clone()]);
    assert!(!second.to_string().contains("3209214501609007"), "{second}");
    let id = first.get("record").unwrap().as_str().unwrap();
    let line = ["record", "set", id, "--fields", "-", "--json"];
    let set = desk.typed(&line, r#"{"nik":"3209214501609007","alamat":"Jalan Lain"}"#).done();
    assert_eq!(held(&set), [second.get("record").unwrap().clone()]);
    let shown = desk.typed(&["record", "add", "ppks", "--area", DESA, "--fields", "-"], &person);
    assert!(shown.stdout.contains("sudah memakai NIK yang sama"), "{}", shown.stdout);
}

#[test]
fn a_search_without_a_letter_or_digit_is_refused_and_lists_nobody() {
    let desk = Desk::province();
    desk.activity(DESA, "Rapat");
    for query in ["", " ", "%", "---", "'", "\u{301}", "% *"] {
        let typed = format!("--query={query}");
        let refused = desk.json(&["record", "list", &typed]);
        assert_eq!((refused.kind().as_str(), refused.exit), ("usage", 2), "{query:?}");
        assert!(refused.stdout.contains("one letter or digit"), "{}", refused.stdout);
        let told = desk.typed(&["record", "list", &typed], "").stderr;
        assert!(told.contains("huruf atau angka"), "{told}");
    }
    for query in ["rapat %", "R.", "'rapat'"] {
        let found = desk.json(&["record", "list", "--query", query]).done();
        assert_eq!(found.get("total").unwrap(), 1, "{query:?}");
    }
    assert_eq!(desk.json(&["record", "list", "--query", "2"]).done().get("total").unwrap(), 0);
}

#[test]
fn a_reference_to_a_record_that_is_not_here_is_saved_with_a_warning_that_names_the_field() {
    let desk = Desk::province();
    let person = Desk::marked_person().to_string();
    let add = |kind: &str, fields: &str, more: &[&str]| {
        let line = ["record", "add", kind, "--area", DESA, "--fields", "-"];
        desk.typed(&[&line, more].concat(), fields)
    };
    let held = add("ppks", &person, &["--json"]).done();
    let held = held.get("record").unwrap().as_str().unwrap();
    let activity = desk.activity(DESA, "Rapat");
    let service =
        |id: &str| format!(r#"{{"ppks":"{id}","jenis":"pangan","tanggal":"2026-03-01"}}"#);
    let absent = "00112233445566778899aabbccddeeff";
    let warned = |write: &Value| -> Vec<String> {
        let warnings = write.get("warnings").unwrap().as_array().unwrap().iter();
        let told = warnings.filter(|it| it.get("rule").unwrap() == "rujukan_belum_ada");
        told.map(|it| it.get("field").unwrap().as_str().unwrap().to_owned()).collect()
    };
    let whole = add("layanan", &service(held), &["--json"]).done();
    assert!(warned(&whole).is_empty(), "{whole}");
    for id in [absent, &activity] {
        let saved = add("layanan", &service(id), &["--json"]).done();
        assert_eq!(warned(&saved), ["ppks"], "{saved}");
        assert!(!saved.get("warnings").unwrap().to_string().contains(id), "{saved}");
    }
    let told = add("layanan", &service(absent), &[]).stdout;
    assert!(told.contains("tidak ada di simpul ini") && !told.contains(absent), "{told}");
    let id = whole.get("record").unwrap().as_str().unwrap();
    let set = |value: &str| desk.json(&["record", "set", id, "-f", &format!("ppks={value}")]);
    assert_eq!(warned(&set(absent).done()), ["ppks"]);
    assert!(warned(&set(held).done()).is_empty());
    let malformed = set("00112233");
    assert_eq!((malformed.kind().as_str(), malformed.exit), ("value_invalid", 4));
}

#[test]
fn a_network_is_not_called_by_signs_that_nobody_sees() {
    for name in ["Uji\u{7}", "Uji\nCoba", "Uji\tCoba", "\u{1b}[2JUji", "Uji\u{202e}", "Uji\u{200b}"]
    {
        let desk = Desk::empty();
        let line = ["network", "create", "--name", name, "--area", "32"];
        let refused = desk.json(&line);
        assert_eq!((refused.kind().as_str(), refused.exit), ("usage", 2), "{name:?}");
        assert!(refused.stdout.contains("type it again"), "{}", refused.stdout);
        assert!(desk.typed(&line, "").stderr.contains("tidak terlihat"), "{name:?}");
        assert!(!desk.data().join("feed.redb").exists(), "{name:?}");
    }
    let desk = Desk::empty();
    desk.json(&["network", "create", "--name", "Désa Uji – “satu”", "--area", "32"]).done();
}

#[test]
fn a_cell_that_is_too_long_is_told_by_its_place() {
    let desk = Desk::province();
    let text = format!("Nama;RT;Alamat\nUji Satu;01;a\nUji Dua;02;\"{}\"\n", "x".repeat(70_000));
    let sheet = desk.write("lembar.csv", text);
    let line = ["import", &sheet, "--kind", "ppks", "--area", DESA];
    let refused = desk.json(&line);
    assert_eq!((refused.kind().as_str(), refused.exit), ("value_invalid", 4));
    assert!(refused.stdout.contains("column C, row 3"), "{}", refused.stdout);
    let told = desk.typed(&line, "").stderr;
    assert!(told.contains("`C3`") && told.contains("terlalu panjang"), "{told}");
}

#[test]
fn a_json_value_that_its_field_cannot_hold_as_it_is_written_is_refused_whether_a_node_runs_or_not()
{
    let desk = Desk::province();
    let id = desk.activity(DESA, "Rapat");
    let set = |fields: &str| desk.typed(&["record", "set", &id, "--fields", "-", "--json"], fields);
    let all = || {
        for fields in [
            r#"{"tempat":1.10}"#,
            r#"{"tempat":12345678901234567890123}"#,
            r#"{"tempat":["a","b"]}"#,
            r#"{"tempat":["a"]}"#,
            r#"{"tempat":true}"#,
            r#"{"daftar_hadir":[true]}"#,
            r#"{"daftar_hadir":false}"#,
        ] {
            let ended = set(fields);
            assert_eq!((ended.exit, ended.kind().as_str()), (4, "value_invalid"), "{fields}");
            let field = fields.split('"').nth(1).unwrap();
            assert!(ended.stdout.contains(&format!("`{field}`")), "{}", ended.stdout);
        }
        for (fields, value) in [
            ("\u{feff}{\"tempat\":\"1.10\"}", "1.10"),
            (r#"{"tempat":12345678901234567890}"#, "12345678901234567890"),
            (r#"{"tempat":"a;b"}"#, "a;b"),
        ] {
            set(fields).done();
            let shown = desk.json(&["record", "show", &id]).done();
            assert_eq!(shown.pointer("/fields/tempat/value").unwrap(), value);
        }
        set(r#"{"daftar_hadir":["Asep","Euis"]}"#).done();
        let shown = desk.json(&["record", "show", &id]).done();
        let held = shown.pointer("/fields/daftar_hadir/value").unwrap().as_array().unwrap();
        assert_eq!(held.len(), 2, "{shown}");
        set(r#"{"daftar_hadir":[]}"#).done();
    };
    all();
    let served = Served::on(&desk);
    all();
    drop(served);
}

#[test]
fn a_nik_is_found_as_it_may_be_typed_into_a_record() {
    let desk = Desk::province();
    let person = r#"{"nama":"Cep","nik":"'3209 2145 0190 9001","kode_jenis":"08"}"#;
    let line = ["record", "add", "ppks", "--area", DESA, "--fields", "-", "--json"];
    desk.typed(&line, person).done();
    for (query, found) in [
        ("3209214501909001", 1),
        ("3209 2145 0190 9001", 1),
        ("'3209214501909001", 1),
        ("32.09.21 450190-9001", 1),
        ("3209 2145 0190 9002", 0),
    ] {
        let list = desk.json(&["record", "list", "--query", query]).done();
        assert_eq!(list.get("total").unwrap(), found, "{query}");
    }
}
