//! Class S is shown for a purpose that says something, and only once the log holds it.

use serde_json::{Value, json};

use crate::desk::{DESA, Desk};

/// The lines of the log.
fn log(desk: &Desk) -> Vec<Value> {
    let text = std::fs::read_to_string(desk.data().join("reveals.log")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_purpose_that_says_nothing_is_usage_and_shows_nothing() {
    let desk = Desk::province();
    let id = desk.person(DESA);
    for purpose in ["", " ", "\t ", "...", "-", "0", "\u{200b}"] {
        for line in [
            &["record", "show", &id, "--reveal", purpose][..],
            &["record", "history", &id, "--reveal", purpose],
            &["record", "conflicts", "--reveal", purpose],
        ] {
            let refused = desk.json(line);
            assert_eq!((refused.kind().as_str(), refused.exit), ("usage", 2), "{line:?}");
        }
    }
    assert!(log(&desk).is_empty());
}

#[test]
fn each_reveal_is_a_line_without_a_value_and_reading_without_one_is_none() {
    let desk = Desk::province();
    let id = desk.person(DESA);
    desk.json(&["record", "show", &id]).done();
    assert!(log(&desk).is_empty());
    desk.json(&["record", "show", &id, "--reveal", " rujukan ke RS "]).done();
    desk.json(&["record", "history", &id, "--reveal", "audit"]).done();
    desk.json(&["record", "conflicts", "--reveal", "audit"]).done();
    desk.json(&["record", "export", &id, "-o", &desk.path("catatan")]).done();
    let lines = log(&desk);
    let part = |place: usize, name: &str| lines.get(place).unwrap().get(name).cloned().unwrap();
    assert_eq!(lines.len(), 3, "no conflict was shown: {lines:?}");
    assert_eq!(part(2, "command"), "record export");
    for (place, command, purpose) in
        [(0, "record show", "rujukan ke RS"), (1, "record history", "audit")]
    {
        assert_eq!(part(place, "record"), id.as_str());
        assert_eq!(part(place, "command"), command);
        assert_eq!(part(place, "purpose"), purpose);
        assert_eq!(part(place, "class"), "S");
        assert!(part(place, "at").as_str().unwrap().ends_with('Z'));
    }
    assert_ne!(part(0, "before"), part(1, "before"));
    for value in Desk::marked_person().as_object().unwrap().values() {
        let value = value.as_str().unwrap();
        assert!(value.len() < 4 || !json!(lines).to_string().contains(value), "{value}");
    }
}

#[test]
fn where_the_log_cannot_be_written_no_value_is_shown() {
    let desk = Desk::province();
    let id = desk.person(DESA);
    std::fs::create_dir(desk.data().join("reveals.log")).unwrap();
    for line in [["record", "show", &id], ["record", "history", &id]] {
        let refused = desk.json(&[&line[..], &["--reveal", "uji"]].concat());
        assert_eq!(refused.exit, 11, "{}", refused.stdout);
        assert!(!refused.stdout.contains("fields") && !refused.stdout.contains("edits"));
        desk.json(&line).done();
    }
}
