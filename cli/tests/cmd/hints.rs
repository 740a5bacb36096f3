//! What a failure says is to be done, where its kind alone would say the wrong thing.

use serde_json::Value;

use crate::desk::{DESA, Desk, Ended, OTHER_DESA};

fn part(ended: &Ended, name: &str) -> String {
    let object = ended.object();
    object.pointer(&format!("/error/{name}")).and_then(Value::as_str).unwrap().to_owned()
}

fn import(desk: &Desk, text: &str) -> Ended {
    let file = desk.write("lembar.csv", text);
    desk.json(&["import", &file, "--kind", "ppks", "--area", DESA])
}

#[test]
fn an_unclosed_quotation_mark_is_named_by_the_line_where_it_opened() {
    let desk = Desk::province();
    // A break inside quotes is a line of the file, and no row of the sheet.
    let text = "nama,rt\n\"Asep\r\nSuryana\",1\nEuis,2\n\"Ujang,3\nOtong,4\n";
    let refused = import(&desk, text);
    assert_eq!((refused.exit, refused.kind().as_str()), (5, "file_altered"));
    let (cause, hint) = (part(&refused, "cause"), part(&refused, "hint"));
    assert!(cause.contains("line 5 of the file (row 4)"), "{cause}");
    assert!(hint.contains("line 5") && hint.contains("quotation mark"), "{hint}");
    let told =
        desk.typed(&["import", &desk.path("lembar.csv"), "--kind", "ppks", "--area", DESA], "");
    assert!(told.stderr.contains("lihat baris 5"), "{}", told.stderr);
}

#[test]
fn a_code_that_is_taken_is_told_with_whose_it_is_and_what_to_do() {
    let desk = Desk::province();
    let owner = desk.json(&["area", "show", OTHER_DESA]).done();
    let name = owner.get("name").and_then(Value::as_str).unwrap();
    let refused = desk.json(&["area", "rehome", DESA, OTHER_DESA]);
    assert_eq!((refused.exit, refused.kind().as_str()), (2, "usage"));
    let (cause, hint) = (part(&refused, "cause"), part(&refused, "hint"));
    assert!(cause.contains(name) && cause.contains(OTHER_DESA), "{cause}");
    assert!(hint.contains(&format!("wksbm area rehome {OTHER_DESA}")), "{hint}");
    assert!(!hint.contains("--help"), "{hint}");
    let told = desk.typed(&["area", "rehome", DESA, OTHER_DESA], "");
    assert!(told.stderr.contains(name) && !told.stderr.contains("--help"), "{}", told.stderr);
}

#[test]
fn a_heading_and_rows_with_different_separators_are_told_as_that() {
    let desk = Desk::province();
    for (text, heading, rows) in [
        ("Nama,NIK,L/P,RT\nAsep;;L;1\n", "`,`", "`;`"),
        ("Nama,NIK,L/P,RT\nAsep;;L;1\nEuis;;P;2\nUjang;;L;3\n", "`,`", "`;`"),
        ("Nama;NIK;L/P;RT\nAsep\t\tL\t1\nEuis\t\tP\t2\n", "`;`", "tab"),
        ("Nama;NIK;L/P;RT\nAsep,,L,1\nEuis,,P,2\n", "`;`", "`,`"),
    ] {
        let refused = import(&desk, text);
        assert_eq!((refused.exit, refused.kind().as_str()), (4, "value_invalid"), "{text}");
        let cause = part(&refused, "cause");
        assert!(cause.contains(&format!("the heading {heading}, the rows {rows}")), "{cause}");
        assert!(part(&refused, "hint").contains("separated alike"), "{}", refused.stdout);
        assert!(!refused.stdout.contains("Asep"), "{}", refused.stdout);
    }
    let apart = import(&desk, "Nama;L/P;Jenis PPKS\nAsep, S.;L;08\n").done();
    assert_eq!(apart.get("new").unwrap(), 1, "a comma in a name is no separator");
}

#[test]
fn a_heading_that_is_a_persons_row_is_repeated_nowhere() {
    let desk = Desk::province();
    let text = "Nama,L/P,Jenis PPKS,Siti Aminah,3209214501609007,Jenis Kelamn\nAsep,L,08,x,y,z\n";
    let done = import(&desk, text);
    let object = done.done();
    let noticed = object.get("noticed").and_then(Value::as_array).unwrap();
    let told = |name: &str| -> Vec<&str> {
        noticed.iter().filter_map(|it| it.get(name)?.as_str()).collect()
    };
    assert_eq!(told("field").get(..3).unwrap(), ["D", "E", "F"]);
    assert_eq!(told("near"), ["jenis_kelamin"]);
    let line = ["import", &desk.path("lembar.csv"), "--kind", "ppks", "--area", DESA];
    let people = desk.typed(&line, "");
    assert!(people.stdout.contains("F (jenis_kelamin?)"), "{}", people.stdout);
    for said in [&done.stdout, &people.stdout, &people.stderr] {
        assert!(!said.contains("Aminah") && !said.contains("9007"), "{said}");
    }
}

#[test]
fn one_bundle_is_no_files() {
    let (province, desk) = (Desk::province(), Desk::empty());
    let invitation = province.path("undangan");
    province.json(&["invite", "--area", "32.09", "-o", &invitation]).done();
    desk.json(&["join", "--invitation", &invitation]).done();
    province.activity(DESA, "Rapat");
    let file = province.path("paket.wksbm");
    province.json(&["bundle", "export", "--all", "-o", &file]).done();
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, bytes.get(..bytes.len() - 3).unwrap()).unwrap();
    let told = desk.typed(&["bundle", "import", &file, "--lang", "en"], "");
    assert_eq!(told.exit, 12, "{}{}", told.stdout, told.stderr);
    assert!(told.stderr.contains("from one file."), "{}", told.stderr);
}
