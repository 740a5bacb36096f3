//! The demo that stays up, as a process: the links it prints, the bytes it counts, and what becomes of
//! its nodes when one of them, or the demo itself, is killed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde_json::Value;

/// Until whatever is waited for counts as stuck; the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(90);
/// Looks at processes that are to end, and between two.
const LOOKS_MAX: u32 = 4_500;
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// More lines than a demo tells.
const LINES_MAX: usize = 1_024;
/// The nodes of one village and those above it.
const NODES: [&str; 4] = ["provinsi", "kabupaten", "kecamatan", "desa-1"];

/// A demo of one village, until it is dropped.
struct Demo {
    child: Child,
    folder: tempfile::TempDir,
    told: Receiver<String>,
}

impl Demo {
    fn start(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_wksbm"))
            .args(["demo", "--villages", "1", "--records", "3", "--lang", "en", "--keep"])
            .arg(folder.path())
            .args(more)
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
        Self { child, folder, told }
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

    /// Waits until it ends, and returns its exit code.
    fn ended(&mut self) -> Option<i32> {
        for _ in 0..LOOKS_MAX {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(LOOK_EVERY);
        }
        panic!("it goes on");
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn kill(signal: &str, pid: &str) -> bool {
    Command::new("kill").args([signal, pid]).stderr(Stdio::null()).status().unwrap().success()
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
        if !pids.iter().any(|pid| kill("-0", pid)) {
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
        let told = demo.line_with("/enter?token=");
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
    assert!(kill("-KILL", &demo.pid("kecamatan")));
    let told = demo.line_with("ended by itself");
    assert!(told.contains("kecamatan") && told.contains("killed"), "{told}");
    assert_eq!(demo.ended(), Some(1));
    all_gone(&others);
}

#[test]
fn a_program_reads_the_bytes_of_all_runs_and_no_link_and_no_node_outlives_a_killed_demo() {
    let mut demo = Demo::start(&["--json"]);
    let mut object = String::new();
    let mut out = BufReader::new(demo.child.stdout.take().unwrap());
    out.read_line(&mut object).unwrap();
    let object: Value = serde_json::from_str(&object).unwrap();
    let told = object.get("wire_bytes").unwrap().as_u64().unwrap();
    let counted: u64 = NODES.iter().map(|node| demo.sent_bytes(node)).sum();
    // News may go on between the two looks, but none of it is of this size.
    assert!(told <= counted && counted - told < 512, "{told} of {counted}");
    for node in NODES {
        let line = demo.line_with("wksbm page --data");
        assert!(line.contains(node) && !line.contains("token"), "{line}");
    }
    let pids: Vec<String> = NODES.iter().map(|node| demo.pid(node)).collect();
    assert!(pids.iter().all(|pid| kill("-0", pid)));
    assert!(kill("-KILL", &demo.child.id().to_string()));
    all_gone(&pids);
    // They ended in good order: no note of them is left.
    for node in NODES {
        let note = demo.folder.path().join(node).join("run.json");
        assert!(!Path::new(&note).exists(), "{node}");
    }
}
