//! Every object is what `docs/cli.md` says, key by key and in its order.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::desk::{DESA, Desk};

const PAGE: &str = include_str!("../../../docs/cli.md");

/// The keys of the first object of each command's section, at its top, in order.
fn documented() -> BTreeMap<&'static str, Vec<&'static str>> {
    let parts = PAGE.split("\n### `wksbm ").skip(1);
    let of = |part: &'static str| {
        let (path, text) = part.split_once('`')?;
        let block = text.split("```text\n").nth(1)?.split("```").next()?;
        Some((path, top_keys(block)))
    };
    parts.filter_map(of).collect()
}

fn top_keys(block: &'static str) -> Vec<&'static str> {
    let (mut depth, mut keys, mut begins) = (0, Vec::new(), false);
    let mut rest = block;
    while let Some(letter) = rest.chars().next() {
        rest = rest.get(letter.len_utf8()..).unwrap();
        match letter {
            '{' | '[' => {
                depth += 1;
                begins = letter == '{';
            }
            '}' | ']' => {
                depth -= 1;
                begins = false;
            }
            ',' => begins = true,
            ':' => begins = false,
            '"' => {
                let (word, after) = rest.split_once('"').unwrap();
                if depth == 1 && begins {
                    keys.push(word);
                }
                rest = after;
            }
            _ => {}
        }
    }
    keys
}

/// Compares an answer with the page; `area_id` may stand behind `area`.
pub(crate) fn is_as_documented(path: &str, answer: &Value) {
    let page = documented();
    let wanted = page.get(path).unwrap_or_else(|| panic!("`{path}` has no object"));
    let keys = answer.as_object().unwrap().keys().map(String::as_str);
    let keys: Vec<&str> = keys.filter(|key| !["v", "area_id"].contains(key)).collect();
    assert_eq!(&keys, wanted, "`{path}`: the answer, then the page");
}

#[test]
fn objects_of_networks_members_and_areas_are_as_documented() {
    let province = Desk::empty();
    let check = |path: &str, desk: &Desk, line: &[&str]| {
        let answer = desk.json(line).done();
        is_as_documented(path, &answer);
        answer
    };
    check("network create", &province, &["network", "create", "--name", "Uji", "--area", "32"]);
    let desk = Desk::empty();
    let file = desk.path("undangan");
    check("invite", &province, &["invite", "--area", "32.09", "-o", &file]);
    let joined = check("join", &desk, &["join", "--invitation", &file]);
    assert_eq!(joined.get("state").unwrap(), "provisional");
    desk.carry_to(&province);
    let words = joined.get("words").unwrap().as_array().unwrap();
    let words: Vec<&str> = words.iter().map(|word| word.as_str().unwrap()).collect();
    assert_eq!(words.len(), 8);
    let confirmed =
        check("member confirm", &province, &[&["member", "confirm"], &words[..]].concat());
    let again = check("member confirm", &province, &[&["member", "confirm"], &words[..]].concat());
    assert_eq!(again.get("entry"), confirmed.get("entry"), "nothing was written");
    assert_eq!(again.get("state").unwrap(), "active");
    assert_eq!(again.get("warnings").unwrap(), &serde_json::json!(["already_confirmed"]));
    check("member list", &province, &["member", "list"]);
    check("area show", &province, &["area", "show", DESA]);
    check("area list", &province, &["area", "list", "--under", "320921"]);
    check("status", &province, &["status"]);
    check("root", &province, &["root"]);
    check("verify", &province, &["verify", "--rebuild"]);
    province.carry_to(&desk);
    check("member close", &desk, &["member", "close"]);
    desk.carry_to(&province);
    let ended = province.json(&[&["member", "confirm"], &words[..]].concat());
    assert_eq!(
        (ended.kind().as_str(), ended.exit),
        ("usage", 2),
        "a closed device is no active one"
    );
}

#[test]
fn objects_of_records_and_bundles_are_as_documented() {
    let desk = Desk::province();
    let check = |path: &str, line: &[&str]| {
        let answer = desk.json(line).done();
        is_as_documented(path, &answer);
        answer
    };
    let id = desk.activity(DESA, "Rapat");
    check("record set", &["record", "set", &id, "--field", "tempat=Masjid"]);
    check("record show", &["record", "show", &id]);
    check("record list", &["record", "list"]);
    check("record history", &["record", "history", &id]);
    check("record conflicts", &["record", "conflicts"]);
    check("record settle", &["record", "settle", &id, "tempat", "--value", "Balai"]);
    check("record export", &["record", "export", &id, "-o", &desk.path("catatan")]);
    let file = desk.path("paket.wksbm");
    check("bundle export", &["bundle", "export", "--all", "-o", &file]);
    check("bundle inspect", &["bundle", "inspect", &file]);
    check("bundle import", &["bundle", "import", &file]);
}

#[test]
fn objects_without_a_node_are_as_documented() {
    let desk = Desk::empty();
    is_as_documented("schema", &desk.json(&["schema", "kegiatan"]).done());
    is_as_documented("glossary", &desk.json(&["glossary"]).done());
    is_as_documented("area show", &desk.json(&["area", "show", "3209"]).done());
    is_as_documented("completions", &desk.json(&["completions", "bash"]).done());
    is_as_documented("man", &desk.json(&["man", &desk.path("man")]).done());
    let file = desk.path("orang.jsonl");
    let synth = ["synth", "--preset", "mini", "--seed", "1", "--jsonl", &file];
    is_as_documented("synth", &desk.json(&synth).done());
    assert!(!desk.data().exists(), "looking made a folder");
}

#[test]
fn a_dry_run_of_an_import_is_as_documented_and_writes_nothing() {
    let desk = Desk::province();
    let sheet = desk
        .write("lembar.csv", "judul,kode_program,jenis,tanggal\nRapat,G.5.1.4,rapat,2026-03-01\n");
    let line = ["import", &sheet, "--kind", "kegiatan", "--area", DESA];
    let answer = desk.json(&line).done();
    is_as_documented("import", &answer);
    assert_eq!(answer.get("applied").unwrap(), false);
    let listed = desk.json(&["record", "list"]).done();
    assert_eq!(listed.get("total").unwrap(), 0);
}

#[test]
fn a_conflict_made_apart_is_listed_on_both_desks_and_settled_by_entry() {
    let province = Desk::province();
    let kabupaten = Desk::member(&province, "32.09");
    let id = kabupaten.activity(DESA, "Rapat");
    kabupaten.carry_to(&province);
    kabupaten.json(&["record", "set", &id, "-f", "tempat=Masjid"]).done();
    province.json(&["record", "set", &id, "-f", "tempat=Sekolah"]).done();
    kabupaten.carry_to(&province);
    province.carry_to(&kabupaten);
    let seen = |desk: &Desk| desk.json(&["record", "conflicts"]).done();
    assert_eq!(seen(&province).to_string(), seen(&kabupaten).to_string());
    let conflicts = seen(&province);
    assert_eq!(conflicts.get("total").unwrap(), 1);
    let value = conflicts.pointer("/conflicts/0/values/0").unwrap();
    let entry = value.get("entry").unwrap();
    let (feed, seq) = (entry.get("feed").unwrap().as_str().unwrap(), entry.get("seq").unwrap());
    let typed = format!("{feed}:{seq}");
    province.json(&["record", "settle", &id, "tempat", "--entry", &typed]).done();
    let shown = province.json(&["record", "show", &id]).done();
    assert_eq!(shown.pointer("/fields/tempat/value"), value.get("value"));
    assert_eq!(seen(&province).get("total").unwrap(), 0);
}

#[test]
fn a_prefix_of_eight_digits_is_the_record() {
    let desk = Desk::province();
    let id = desk.activity(DESA, "Rapat");
    let shown = desk.json(&["record", "show", id.get(..8).unwrap()]).done();
    assert_eq!(shown.get("record").unwrap(), id.as_str());
}
