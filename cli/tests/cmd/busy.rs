//! A node that runs and is at work: what a command beside it says while it waits, and that the node ends
//! in time whatever hangs.
#![expect(clippy::disallowed_methods, reason = "processes take real time")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::desk::Desk;

/// Until whatever is waited for counts as stuck; the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(90);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// What `docs/cli.md` promises of `run`.
const END: Duration = Duration::from_secs(5);
/// Of the same page: for a node that is alive to say that it is there.
const HELLO: Duration = Duration::from_secs(5);
/// The same and what a busy machine adds; less than a short command would be waited for beside.
const GIVEN_UP: Duration = Duration::from_secs(10);
/// Longer than a command waits before it says why.
const QUIET: Duration = Duration::from_secs(4);
/// More lines than a process tells here.
const LINES_MAX: usize = 1_024;
/// Makes so many people that it works for minutes.
const LONG: [&str; 8] =
    ["synth", "--preset", "kab", "--seed", "7", "--area", "32.09", "--into-node"];

/// A process of the binary, killed with its test.
struct Process {
    child: Child,
    told: Receiver<String>,
}

impl Process {
    fn start(desk: &Desk, line: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_wksbm"))
            .args(line)
            .arg("--data")
            .arg(desk.data())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (tell, told) = mpsc::sync_channel(LINES_MAX);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                drop(tell.send(line));
            }
        });
        Self { child, told }
    }

    /// A node that is ready, its first object, and what else it prints.
    fn node(desk: &Desk, more: &[&str]) -> (Self, Value, BufReader<ChildStdout>) {
        let line = ["run", "--json", "--lang", "en", "--api", "127.0.0.1:0"];
        let mut it = Self::start(desk, &[&line[..], more].concat());
        let mut out = BufReader::new(it.child.stdout.take().unwrap());
        let mut ready = String::new();
        out.read_line(&mut ready).unwrap();
        let ready: Value = serde_json::from_str(&ready).unwrap();
        assert_eq!(ready.get("event").unwrap(), "ready");
        (it, ready, out)
    }

    /// The next line on standard error that holds `part`.
    fn line_with(&self, part: &str) -> String {
        let mut all = Vec::new();
        loop {
            let line = self.told.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("no `{part}` in {all:#?}"));
            if line.contains(part) {
                return line;
            }
            all.push(line);
        }
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Waits until it ends: its exit code, and how long that took.
    fn ended(&mut self) -> (Option<i32>, Duration) {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code(), began.elapsed());
            }
            std::thread::sleep(LOOK_EVERY);
        }
        panic!("it goes on");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
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
fn long_work(desk: &Desk) -> Process {
    let work = Process::start(desk, &LONG);
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
    let (_node, ..) = Process::node(&desk, &["--offline"]);
    let mut work = long_work(&desk);
    let nobody = "/ip4/127.0.0.1/tcp/1";
    for line in [
        &["status", "--lang", "en"][..],
        &["status", "--lang", "en", "--json"],
        &["verify", "--lang", "en"],
        &["sync", "--peer", nobody, "--lang", "en"],
    ] {
        let mut waits = Process::start(&desk, line);
        let told = waits.line_with("at work");
        assert!(told.contains("`wksbm synth`") && told.contains("Ctrl-C"), "{line:?}: {told}");
        waits.signal("-INT");
        assert_eq!(waits.ended().0, Some(130), "{line:?}");
    }
    let told = Process::start(&desk, &["status"]).line_with("sedang mengerjakan");
    assert!(told.contains("`wksbm synth`"), "{told}");
    let mut quiet = Process::start(&desk, &["status", "--quiet"]);
    std::thread::sleep(QUIET);
    quiet.signal("-INT");
    assert_eq!(quiet.ended().0, Some(130));
    let told: Vec<String> = quiet.told.iter().collect();
    assert!(!told.iter().any(|line| line.contains("mengerjakan")), "{told:#?}");
    assert_eq!(at_work(&desk).get("on").unwrap(), "synth", "its work went on");
    work.signal("-INT");
    assert_eq!(work.ended().0, Some(130));
    assert_eq!(desk.json(&["status"]).done().get("running").unwrap(), true);
}

#[test]
fn a_node_at_work_for_minutes_ends_in_time_when_it_is_told_to_and_is_whole() {
    let desk = Desk::province();
    let (mut node, ..) = Process::node(&desk, &["--offline"]);
    let mut work = long_work(&desk);
    node.signal("-TERM");
    let (code, took) = node.ended();
    assert_eq!(code, Some(0));
    assert!(took < END, "{took:?}");
    node.line_with("cut off");
    assert_eq!(work.ended().0, Some(130), "who asked is told that it ended");
    is_whole(&desk);
}

#[test]
fn a_node_whose_peer_takes_nothing_more_ends_in_time_when_it_is_told_to_and_is_whole() {
    let province = Desk::province();
    let kabupaten = Desk::member(&province, "32.09");
    let listen = ["--listen", "/ip4/127.0.0.1/tcp/0"];
    let (mut peer, ready, _) = Process::node(&province, &listen);
    let address = ready.pointer("/listen/0").and_then(Value::as_str).unwrap().to_owned();
    let dials = [&listen[..], &["--peer", &address]].concat();
    let (mut node, _, events) = Process::node(&kabupaten, &dials);
    let mut events = events.lines().map_while(Result::ok);
    assert!(events.any(|line| line.contains(r#""event":"session""#)), "they never met");
    peer.signal("-STOP");
    // More than sockets take in: what is pushed stays in the node's hands.
    let many = ["synth", "--preset", "desa", "--seed", "7", "--area", "32.09.21.2001"];
    kabupaten.json(&[&many[..], &["--into-node", "--records", "3000"]].concat()).done();
    node.signal("-TERM");
    let (code, took) = node.ended();
    assert_eq!(code, Some(0));
    assert!(took < END, "{took:?}");
    is_whole(&kabupaten);
    peer.signal("-CONT");
    peer.signal("-TERM");
    assert_eq!(peer.ended().0, Some(0));
    is_whole(&province);
}

#[test]
fn a_node_that_holds_the_folder_and_is_silent_is_given_up_after_five_seconds() {
    let desk = Desk::province();
    let (mut node, ..) = Process::node(&desk, &["--offline"]);
    node.signal("-STOP");
    let mut asks = Process::start(&desk, &["status", "--lang", "en"]);
    let (code, took) = asks.ended();
    assert_eq!(code, Some(10));
    assert!(took > HELLO && took < GIVEN_UP, "{took:?}");
    node.signal("-CONT");
    assert_eq!(desk.json(&["status"]).done().get("running").unwrap(), true);
    node.signal("-TERM");
    assert_eq!(node.ended().0, Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn run_takes_all_files_and_sockets_that_the_system_lets_it_have() {
    let desk = Desk::province();
    let binary = env!("CARGO_BIN_EXE_wksbm");
    let line = "ulimit -Sn 300 && ulimit -Hn 700 && exec \"$0\" run --offline --json \
                --api 127.0.0.1:0 --data \"$1\"";
    let mut child = Command::new("sh")
        .args(["-c", line, binary])
        .arg(desk.data())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let _node = Process { child, told: mpsc::sync_channel(1).1 };
    assert!(ready.contains(r#""event":"ready""#), "{ready}");
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let files: Vec<&str> = files.split_whitespace().take(2).collect();
    assert_eq!(files, ["700", "700"]);
}
