//! A command at a terminal while a node runs: the bar follows the node's work, and Ctrl-C stops it there.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::desk::Desk;

/// Fewer than a kabupaten has.
const RECORDS_MAX: u64 = 300_000;

/// A terminal: what a person sees of it, and what a process writes to.
fn terminal() -> (File, File) {
    let seen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&seen).unwrap();
    unlockpt(&seen).unwrap();
    let name = ptsname(&seen, Vec::new()).unwrap().into_string().unwrap();
    let written = File::options().read(true).write(true).open(name).unwrap();
    let size = Winsize { ws_row: 24, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&written, size).unwrap();
    (seen.into(), written)
}

/// A node that runs as a process, until its standard input ends.
struct Node(Child);

impl Node {
    fn on(desk: &Desk) -> Self {
        let line = ["run", "--offline", "--json", "--while-stdin", "--api", "127.0.0.1:0"];
        let mut child = wksbm(desk, &line).stdin(Stdio::piped()).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        assert!(ready.contains(r#""event":"ready""#), "{ready}");
        Self(child)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        drop(self.0.wait());
    }
}

fn wksbm(desk: &Desk, line: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wksbm"));
    command.args(line).arg("--data").arg(desk.data()).env("TERM", "xterm-256color");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// The counts of every bar drawn so far, `done/total`.
fn counts(seen: &str) -> Vec<(u64, u64)> {
    let words = seen.split([' ', '\r', '\n', '\u{1b}']);
    let pairs = words.filter_map(|word| word.split_once('/'));
    let number = |text: &str| text.replace(',', "").parse().ok();
    pairs.filter_map(|(done, total)| Some((number(done)?, number(total)?))).collect()
}

#[test]
fn a_bar_follows_the_work_of_the_running_node_and_ctrl_c_stops_it_there() {
    let desk = Desk::province();
    let node = Node::on(&desk);
    let (mut screen, written) = terminal();
    let line = ["synth", "--preset", "kab", "--seed", "7", "--area", "32.09", "--into-node"];
    let mut child = wksbm(&desk, &line).stderr(written).spawn().unwrap();
    let (mut seen, mut buffer) = (String::new(), [0; 4_096]);
    // Two different counts below the end: the bar moves, and the work goes on.
    let moves = |seen: &str| {
        let mut done: Vec<u64> = counts(seen).into_iter().map(|(done, _)| done).collect();
        done.dedup();
        done.into_iter().filter(|done| *done > 0).count() >= 2
    };
    while !moves(&seen) {
        let read = screen.read(&mut buffer).unwrap();
        seen.push_str(&String::from_utf8_lossy(buffer.get(..read).unwrap()));
    }
    let (done, total) = counts(&seen).last().copied().unwrap();
    assert!(done < total, "{done}/{total}");
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    // The node goes on, free for the next who asks, with what was whole.
    let status = desk.json(&["status"]).done();
    assert_eq!(status.get("running").unwrap(), true);
    assert!(status.get("records").unwrap().as_u64().unwrap() < RECORDS_MAX);
    assert_eq!(desk.json(&["verify"]).done().get("ok").unwrap(), true);
    drop(node);
    assert!(!desk.data().join("run.json").exists());
}
