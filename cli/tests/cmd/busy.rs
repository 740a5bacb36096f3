//! A node that runs and is at work: what a command beside it says while it waits, and that the node ends
//! in time whatever hangs.
#![expect(clippy::disallowed_methods, reason = "processes take real time")]

use std::io::{BufRead, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::desk::Desk;
use crate::spawned::{LOOK_EVERY, PATIENCE, Spawned};

/// What `docs/cli.md` promises of `run`.
const END: Duration = Duration::from_secs(5);
/// Of the same page: for a node that is alive to say that it is there.
const HELLO: Duration = Duration::from_secs(5);
/// The same and what a busy machine adds; less than a short command would be waited for beside.
const GIVEN_UP: Duration = Duration::from_secs(10);
/// Longer than a command waits before it says why.
const QUIET: Duration = Duration::from_secs(4);
/// Makes so many people that it works for minutes.
const LONG: [&str; 8] =
    ["synth", "--preset", "kab", "--seed", "7", "--area", "32.09", "--into-node"];

/// A node that is ready, its first object, and what else it prints.
fn node(desk: &Desk, more: &[&str]) -> (Spawned, Value, impl BufRead + use<>) {
    let line = ["run", "--json", "--lang", "en", "--api", "127.0.0.1:0"];
    let mut it = Spawned::on(desk, &[&line[..], more].concat());
    let (ready, out) = it.object_and_more();
    assert_eq!(ready.get("event").unwrap(), "ready");
    (it, ready, out)
}

/// Waits until it ends: its exit code, and how long that took.
fn ended(process: &mut Spawned) -> (Option<i32>, Duration) {
    let began = Instant::now();
    (process.ended(), began.elapsed())
}

/// What the node of a desk works on, as its API says.
fn at_work(desk: &Desk) -> Value {
    let note: Value =
        serde_json::from_slice(&std::fs::read(desk.data().join("run.json")).unwrap()).unwrap();
    let text = |name: &str| note.get(name).and_then(Value::as_str).unwrap();
    let token = std::fs::read_to_string(text("token_file")).unwrap();
    let host = text("api").strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "GET /v1/asks/none HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
         authorization: Bearer {}\r\n\r\n",
        token.trim()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let object: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(object.get("state").unwrap(), "unknown", "{object}");
    object.get("at_work").unwrap().clone()
}

/// Has the node of a desk make people for minutes; it has begun.
fn long_work(desk: &Desk) -> Spawned {
    let work = Spawned::on(desk, &LONG);
    let began = Instant::now();
    while at_work(desk).get("on").is_none_or(|on| on != "synth") {
        assert!(began.elapsed() < PATIENCE, "it never began");
        std::thread::sleep(LOOK_EVERY);
    }
    work
}

fn is_whole(desk: &Desk) {
    let verified = desk.json(&["verify"]).done();
    assert_eq!(verified.get("ok").unwrap(), true, "{verified}");
    assert!(!desk.data().join("run.json").exists());
}

#[test]
fn a_command_that_waits_says_what_the_node_is_at_and_ctrl_c_ends_only_the_command() {
    let desk = Desk::province();
    let (_node, ..) = node(&desk, &["--offline"]);
    let mut work = long_work(&desk);
    let nobody = "/ip4/127.0.0.1/tcp/1";
    for line in [
        &["status", "--lang", "en"][..],
        &["status", "--lang", "en", "--json"],
        &["verify", "--lang", "en"],
        &["sync", "--peer", nobody, "--lang", "en"],
    ] {
        let mut waits = Spawned::on(&desk, line);
        let told = waits.line_with("at work");
        assert!(told.contains("`wksbm synth`") && told.contains("Ctrl-C"), "{line:?}: {told}");
        waits.signal("-INT");
        assert_eq!(waits.ended(), Some(130), "{line:?}");
    }
    let told = Spawned::on(&desk, &["status"]).line_with("sedang mengerjakan");
    assert!(told.contains("`wksbm synth`"), "{told}");
    let mut quiet = Spawned::on(&desk, &["status", "--quiet"]);
    std::thread::sleep(QUIET);
    quiet.signal("-INT");
    assert_eq!(quiet.ended(), Some(130));
    let told = quiet.lines_left();
    assert!(!told.iter().any(|line| line.contains("mengerjakan")), "{told:#?}");
    assert_eq!(at_work(&desk).get("on").unwrap(), "synth", "its work went on");
    work.signal("-INT");
    assert_eq!(work.ended(), Some(130));
    assert_eq!(desk.json(&["status"]).done().get("running").unwrap(), true);
}

#[test]
fn a_node_at_work_for_minutes_ends_in_time_when_it_is_told_to_and_is_whole() {
    let desk = Desk::province();
    let (mut node, ..) = node(&desk, &["--offline"]);
    let mut work = long_work(&desk);
    node.signal("-TERM");
    let (code, took) = ended(&mut node);
    assert_eq!(code, Some(0));
    assert!(took < END, "{took:?}");
    node.line_with("cut off");
    assert_eq!(work.ended(), Some(130), "who asked is told that it ended");
    is_whole(&desk);
}

#[test]
fn a_node_whose_peer_takes_nothing_more_ends_in_time_when_it_is_told_to_and_is_whole() {
    let province = Desk::province();
    let kabupaten = Desk::member(&province, "32.09");
    let listen = ["--listen", "/ip4/127.0.0.1/tcp/0"];
    let (mut peer, ready, _) = node(&province, &listen);
    let address = ready.pointer("/listen/0").and_then(Value::as_str).unwrap().to_owned();
    let dials = [&listen[..], &["--peer", &address]].concat();
    let (mut node, _, events) = node(&kabupaten, &dials);
    let mut events = events.lines().map_while(Result::ok);
    assert!(events.any(|line| line.contains(r#""event":"session""#)), "they never met");
    peer.signal("-STOP");
    // More than sockets take in: what is pushed stays in the node's hands.
    let many = ["synth", "--preset", "desa", "--seed", "7", "--area", "32.09.21.2001"];
    kabupaten.json(&[&many[..], &["--into-node", "--records", "3000"]].concat()).done();
    node.signal("-TERM");
    let (code, took) = ended(&mut node);
    assert_eq!(code, Some(0));
    assert!(took < END, "{took:?}");
    is_whole(&kabupaten);
    peer.signal("-CONT");
    peer.signal("-TERM");
    assert_eq!(peer.ended(), Some(0));
    is_whole(&province);
}

#[test]
fn a_node_that_holds_the_folder_and_is_silent_is_given_up_after_five_seconds() {
    let desk = Desk::province();
    let (mut node, ..) = node(&desk, &["--offline"]);
    node.signal("-STOP");
    let mut asks = Spawned::on(&desk, &["status", "--lang", "en"]);
    let (code, took) = ended(&mut asks);
    assert_eq!(code, Some(10));
    assert!(took > HELLO && took < GIVEN_UP, "{took:?}");
    node.signal("-CONT");
    assert_eq!(desk.json(&["status"]).done().get("running").unwrap(), true);
    node.signal("-TERM");
    assert_eq!(node.ended(), Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn run_takes_all_files_and_sockets_that_the_system_lets_it_have() {
    let desk = Desk::province();
    let line = "ulimit -Sn 300 && ulimit -Hn 700 && exec \"$0\" run --offline --json \
                --api 127.0.0.1:0 --data \"$1\"";
    let mut shell = Command::new("sh");
    let shell = shell.args(["-c", line, env!("CARGO_BIN_EXE_wksbm")]).arg(desk.data());
    let mut node = Spawned::of(shell);
    assert_eq!(node.object().get("event").unwrap(), "ready");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", node.child.id())).unwrap();
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let files: Vec<&str> = files.split_whitespace().take(2).collect();
    assert_eq!(files, ["700", "700"]);
}
