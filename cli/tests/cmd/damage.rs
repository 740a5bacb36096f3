//! Pages that rotted: `verify` says which file, every command ends as the contract says, and
//! nothing of a panic or of the folders this program was built in reaches anybody.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::desk::{DESA, Desk};

/// Bytes of a page of redb.
const PAGE_BYTES: usize = 4_096;

/// A command as a process of its own, with its panic hook.
fn process(desk: &Desk, line: &[&str]) -> (i32, String, String) {
    let data = desk.data();
    let ended = Command::new(env!("CARGO_BIN_EXE_wksbm"))
        .args(line)
        .args(["--json", "--data", data.to_str().unwrap()])
        .env("RUST_BACKTRACE", "1")
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (ended.status.code().unwrap(), text(ended.stdout), text(ended.stderr))
}

fn says_nothing_of_a_panic(said: &str, name: &str) {
    for word in ["panic", "/src/", ".cargo", "registry", "internal", "RUST_BACKTRACE"] {
        assert!(!said.contains(word), "{name}: {said}");
    }
}

/// The two exits a damaged store may have: it was not met, or it was told.
fn verify_tells(desk: &Desk, file: &str, name: &str) -> bool {
    let (exit, stdout, stderr) = process(desk, &["verify"]);
    says_nothing_of_a_panic(&format!("{stdout}{stderr}"), name);
    let object: Value = serde_json::from_str(&stdout).unwrap();
    let damage = object.get("damage").and_then(Value::as_array).unwrap();
    assert_eq!(object.get("ok").unwrap(), &Value::Bool(exit == 0), "{name}: {stdout}");
    assert!([0, 7].contains(&exit), "{name}: {exit} {stdout}");
    if exit == 7 {
        assert_eq!(object.pointer("/error/kind").unwrap(), "damage", "{name}");
        assert!(!damage.is_empty(), "{name}: {stdout}");
        for it in damage {
            let what = it.get("what").and_then(Value::as_str).unwrap();
            let is_placed = it.get("feed").is_some_and(|feed| !feed.is_null());
            assert!(is_placed || what.contains(file), "{name}: {what}");
        }
    }
    exit == 7
}

#[test]
fn verify_names_the_file_with_a_rotten_page_and_says_nothing_of_a_panic() {
    let desk = Desk::province();
    for number in 1..40 {
        desk.activity(DESA, &format!("Rapat {number}"));
    }
    let record = desk.activity(DESA, "Rapat 40");
    let store = desk.data().join("feed.redb");
    let whole = fs::read(&store).unwrap();
    let pages = whole.chunks(PAGE_BYTES).enumerate();
    let used: Vec<usize> = pages
        .filter(|(_, page)| page.iter().any(|byte| *byte != 0))
        .map(|(place, _)| place * PAGE_BYTES)
        .collect();
    assert!(used.len() > 4, "the store has {} pages", used.len());
    let mut told = 0;
    for place in used {
        let mut bytes = whole.clone();
        let end = (place + PAGE_BYTES).min(bytes.len());
        for byte in bytes.get_mut(place + 4..end).unwrap() {
            *byte ^= 0x5a;
        }
        let bundle = desk.data().with_extension("wksbm");
        let export = ["bundle", "export", "--all", "-o", bundle.to_str().unwrap()];
        for line in [&["status"][..], &["root"], &["record", "history", &record], &export] {
            fs::write(&store, &bytes).unwrap();
            let (exit, stdout, stderr) = process(&desk, line);
            let name = format!("{line:?}, page at {place}");
            says_nothing_of_a_panic(&format!("{stdout}{stderr}"), &name);
            assert!([0, 7, 10].contains(&exit), "{name}: {exit} {stdout}");
        }
        fs::write(&store, &bytes).unwrap();
        told += usize::from(verify_tells(&desk, "feed.redb", &format!("page at {place}")));
    }
    assert!(told > 3, "{told} pages were told");
    fs::write(&store, &whole).unwrap();
    desk.json(&["verify"]).done();
}

#[test]
fn views_with_a_rotten_page_are_made_anew_and_nobody_is_told_of_a_panic() {
    let desk = Desk::province();
    for number in 0..10 {
        desk.activity(DESA, &format!("Rapat {number}"));
    }
    let views = desk.data().join("view.redb");
    let whole = fs::read(&views).unwrap();
    for place in (PAGE_BYTES..whole.len()).step_by(PAGE_BYTES) {
        let mut bytes = whole.clone();
        let page = bytes.get_mut(place..).unwrap();
        if page.iter().take(PAGE_BYTES).all(|byte| *byte == 0) {
            continue;
        }
        page.iter_mut().take(PAGE_BYTES).for_each(|byte| *byte ^= 0x5a);
        fs::write(&views, &bytes).unwrap();
        let (exit, stdout, stderr) = process(&desk, &["status"]);
        says_nothing_of_a_panic(&format!("{stdout}{stderr}"), "status");
        assert_eq!(exit, 0, "page at {place}: {stdout}");
        let status: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(status.get("records").unwrap(), 10, "page at {place}");
    }
    desk.json(&["verify"]).done();
}
