//! A folder that somebody holds for a moment, and notes of a run that was killed.

use std::net::TcpListener;

use serde_json::{Value, json};

use crate::desk::{DESA, Desk};
use crate::fixtures::Holder;
use crate::spawned::Spawned;

/// What a command says that waits for another.
const WAITS: &str = "Another command holds this data folder";

#[test]
fn run_waits_for_whoever_holds_the_folder_and_says_so() {
    let desk = Desk::province();
    let holder = Holder::of(&desk.data().join("feed.redb"));
    let run = ["run", "--offline", "--api", "127.0.0.1:0", "--json", "--lang", "en"];
    let mut node = Spawned::on(&desk, &run);
    node.line_with(WAITS);
    drop(holder);
    let first = node.object();
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
    let desa = Desk::member(&province, DESA);
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

/// Each is a process; whoever comes second waits for the first.
#[test]
fn commands_that_save_at_once_all_save() {
    let desk = Desk::province();
    let add = |number: usize| {
        let title = format!("judul=Rapat {number}");
        let line = ["record", "add", "kegiatan", "--area", DESA, "--json", "-f", &title];
        let rest = ["-f", "kode_program=G.5.1.4", "-f", "jenis=rapat", "-f", "tanggal=2026-03-01"];
        Spawned::on(&desk, &[&line[..], &rest].concat())
    };
    let adding: Vec<Spawned> = (0..6).map(add).collect();
    for mut child in adding {
        assert_eq!(child.ended(), Some(0), "{:#?}", child.lines_left());
    }
    assert_eq!(desk.json(&["status"]).done().get("records"), Some(&json!(6)));
}

#[test]
fn a_command_says_after_a_while_that_it_waits_and_goes_on_once_the_folder_is_free() {
    let desk = Desk::province();
    let holder = Holder::of(&desk.data().join("feed.redb"));
    let mut waits = Spawned::on(&desk, &["status", "--json", "--lang", "en"]);
    waits.line_with(WAITS);
    drop(holder);
    assert_eq!(waits.ended(), Some(0));
}

#[test]
fn of_many_that_make_a_node_in_one_folder_at_once_one_does_and_the_others_say_so() {
    let province = Desk::province();
    let invitation = province.path("undangan");
    province.json(&["invite", "--area", DESA, "-o", &invitation]).done();
    let join = ["join", "--invitation", &invitation, "--json"];
    let create = ["network", "create", "--name", "Uji", "--area", "32", "--json"];
    for (line, kind, exit) in [(&join[..], "already_joined", 9), (&create, "store_exists", 10)] {
        let desk = Desk::empty();
        let mut all: Vec<Spawned> = (0..6).map(|_| Spawned::on(&desk, line)).collect();
        let ended: Vec<_> = all.iter_mut().map(|it| (it.object(), it.ended())).collect();
        let made = ended.iter().filter(|(_, code)| *code == Some(0));
        assert_eq!(made.count(), 1, "{ended:#?}");
        for (object, code) in ended.iter().filter(|(_, code)| *code != Some(0)) {
            let told = object.pointer("/error/kind").and_then(Value::as_str);
            assert_eq!((told, *code), (Some(kind), Some(exit)), "{object}");
        }
        let of_maker = ended.iter().find(|(_, code)| *code == Some(0)).map(|(object, _)| object);
        let status = desk.json(&["status"]).done();
        assert_eq!(status.get("device"), of_maker.unwrap().get("device"));
        assert!(!desk.data().join("making.lock").exists());
    }
}
