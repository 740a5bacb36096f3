//! A folder that somebody holds for a moment, and notes of a run that was killed.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::desk::Desk;
use crate::fixtures::Holder;

/// A process that is ended with its test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn run_waits_for_whoever_holds_the_folder_and_says_so() {
    let desk = Desk::province();
    let holder = Holder::of(&desk.data().join("feed.redb"));
    let child = Command::new(env!("CARGO_BIN_EXE_wksbm"))
        .args(["run", "--offline", "--api", "127.0.0.1:0", "--json", "--lang", "en", "--data"])
        .arg(desk.data())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut child = Ended(child);
    let told = BufReader::new(child.0.stderr.take().unwrap()).lines();
    let waits = |line: &String| line.contains("Another command holds this data folder");
    assert!(told.map_while(Result::ok).any(|line| waits(&line)), "it gave up");
    drop(holder);
    let mut first = String::new();
    BufReader::new(child.0.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let first: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(first.get("event"), Some(&json!("ready")), "{first}");
}

#[test]
fn a_note_that_leads_to_a_silent_port_is_asked_once_and_taken_away() {
    let desk = Desk::province();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let token = desk.data().join("api.token");
    std::fs::write(&token, "07".repeat(32)).unwrap();
    let api = format!("http://{}", silent.local_addr().unwrap());
    let note = json!({"pid": std::process::id(), "api": api, "token_file": token});
    std::fs::write(desk.data().join("run.json"), note.to_string()).unwrap();
    let status = desk.json(&["status"]).done();
    assert_eq!(status.get("running"), Some(&json!(false)));
    // Nobody holds the store, so whoever is silent is not asked again with patience.
    silent.set_nonblocking(true).unwrap();
    assert_eq!(silent.incoming().map_while(Result::ok).count(), 1);
    assert!(!desk.data().join("run.json").exists(), "the next one pays nothing");
}

#[cfg(unix)]
#[test]
fn every_file_of_a_data_folder_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let province = Desk::province();
    let desa = Desk::member(&province, crate::desk::DESA);
    for desk in [&province, &desa] {
        let (mut folders, mut files) = (vec![desk.data()], 0);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                let mode = entry.metadata().unwrap().permissions().mode();
                assert_eq!(mode & 0o077, 0, "{} {mode:o}", entry.path().display());
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                } else {
                    files += 1;
                }
            }
        }
        assert!(files >= 3, "{files}");
    }
}

#[test]
fn sync_tries_until_its_time_is_over_and_says_how_often() {
    let desk = Desk::province();
    let ended = desk.json(&["sync", "--peer", "/ip4/127.0.0.1/tcp/1", "--timeout", "3"]);
    assert_eq!(ended.kind(), "peer_unreachable");
    let object = ended.object();
    let cause = object.pointer("/error/cause").and_then(Value::as_str).unwrap();
    let tried = cause.split(' ').skip_while(|word| *word != "tried").nth(1);
    let tried: u32 = tried.and_then(|tried| tried.parse().ok()).unwrap();
    assert!(tried >= 2 && cause.contains("in 3 seconds"), "{cause}");
}

#[test]
fn sync_without_a_peer_asks_for_one_where_none_is_known() {
    let desk = Desk::province();
    assert_eq!(desk.json(&["sync"]).kind(), "usage");
    desk.json(&["peer", "add", "/ip4/127.0.0.1/tcp/1"]).done();
    assert_eq!(desk.json(&["sync", "--timeout", "1"]).kind(), "peer_unreachable");
}
