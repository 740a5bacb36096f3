//! The demo that stays up, as a process: the links it prints, the bytes it counts, and what becomes of
//! its nodes when one of them, or the demo itself, is killed.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use serde_json::Value;

use crate::spawned::{LOOK_EVERY, LOOKS_MAX, Spawned, binary, send};

/// The nodes of one village and those above it.
const NODES: [&str; 4] = ["provinsi", "kabupaten", "kecamatan", "desa-1"];

/// A demo of one village, until it is dropped.
struct Demo {
    process: Spawned,
    folder: tempfile::TempDir,
}

impl Demo {
    fn start(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = binary();
        command
            .args(["demo", "--villages", "1", "--records", "3", "--lang", "en", "--keep"])
            .arg(folder.path())
            .args(more);
        Self { process: Spawned::of(&mut command), folder }
    }

    fn note(&self, name: &str) -> Value {
        let note = std::fs::read(self.folder.path().join(name).join("run.json")).unwrap();
        serde_json::from_slice(&note).unwrap()
    }

    fn pid(&self, node: &str) -> String {
        self.note(node).get("pid").unwrap().to_string()
    }

    /// What a node counts as sent, in its metrics.
    fn sent_bytes(&self, name: &str) -> u64 {
        let note = self.note(name);
        let text = |name: &str| note.get(name).and_then(Value::as_str).unwrap().to_owned();
        let token = std::fs::read_to_string(text("token_file")).unwrap();
        let bearer = format!("authorization: Bearer {}\r\n", token.trim());
        let (_, body) = got(&format!("{}/metrics", text("api")), &bearer);
        let line = body.lines().find_map(|line| line.strip_prefix("wksbm_sent_bytes_total "));
        line.unwrap().parse().unwrap()
    }
}

/// Asks for a page as a browser does: head and body.
fn got(address: &str, more: &str) -> (String, String) {
    let (host, path) = address.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{more}\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_ascii_lowercase(), body.to_owned())
}

fn all_gone(pids: &[String]) {
    for _ in 0..LOOKS_MAX {
        if !pids.iter().any(|pid| send("-0", pid)) {
            return;
        }
        std::thread::sleep(LOOK_EVERY);
    }
    panic!("nodes outlive the demo");
}

#[test]
fn each_link_opens_its_pages_and_a_killed_node_ends_the_demo_by_name() {
    let mut demo = Demo::start(&[]);
    for node in NODES {
        let told = demo.process.line_with("/enter?token=");
        let (name, link) = told.split_once(": ").unwrap();
        assert_eq!(name, node);
        let (head, _) = got(link, "accept: text/html\r\n");
        assert!(head.starts_with("http/1.1 303"), "{head}");
        let cookie = head.split("set-cookie: ").nth(1).unwrap().split(';').next().unwrap();
        let home = format!("{}/", link.split("/enter").next().unwrap());
        let (head, page) = got(&home, &format!("cookie: {cookie}\r\n"));
        assert!(head.starts_with("http/1.1 200") && page.contains("<html"), "{head}");
    }
    let others: Vec<String> = NODES.iter().map(|node| demo.pid(node)).collect();
    assert!(send("-KILL", &demo.pid("kecamatan")));
    let told = demo.process.line_with("killed");
    assert!(told.contains("kecamatan"), "{told}");
    let hint = demo.process.line_with("start the demo again");
    assert!(hint.contains("--villages") && hint.contains("--keep"), "{hint}");
    assert_eq!(demo.process.ended(), Some(1));
    all_gone(&others);
}

#[test]
fn a_program_reads_the_bytes_of_all_runs_and_no_link_and_no_node_outlives_a_killed_demo() {
    let mut demo = Demo::start(&["--json"]);
    let object = demo.process.object();
    let told = object.get("wire_bytes").unwrap().as_u64().unwrap();
    let counted: u64 = NODES.iter().map(|node| demo.sent_bytes(node)).sum();
    // News may go on between the two looks, but none of it is of this size.
    assert!(told <= counted && counted - told < 512, "{told} of {counted}");
    for node in NODES {
        let line = demo.process.line_with("wksbm page --data");
        assert!(line.contains(node) && !line.contains("token"), "{line}");
    }
    let pids: Vec<String> = NODES.iter().map(|node| demo.pid(node)).collect();
    assert!(pids.iter().all(|pid| send("-0", pid)));
    assert!(send("-KILL", &demo.process.child.id().to_string()));
    all_gone(&pids);
    // They ended in good order: no note of them is left.
    for node in NODES {
        let note = demo.folder.path().join(node).join("run.json");
        assert!(!Path::new(&note).exists(), "{node}");
    }
}
