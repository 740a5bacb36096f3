//! A node of a lab: a data folder behind a line, and the binary that works on it.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;

use crate::board::Board;
use crate::line::Port;
use crate::net::Ground;
use crate::process::{Answer, Process};
use crate::wait::until;

/// For one command that waits for nobody: generous, because a slow machine is no failure here.
const COMMAND: Duration = Duration::from_secs(120);
/// For `run` to be ready, by contract.
const READY: Duration = Duration::from_secs(10);
/// Where nodes of the lab listen.
pub(crate) const PORT: u16 = 4001;

/// A node. What it runs is killed when it is dropped.
#[derive(Debug)]
pub(crate) struct LabNode {
    /// What a test calls it.
    pub(crate) name: String,
    /// Its line.
    pub(crate) port: Port,
    /// Its device, once it is in a network.
    pub(crate) device: String,
    ground: Rc<Ground>,
    data: PathBuf,
    clock: Option<String>,
    variables: Vec<String>,
    doors: Vec<PathBuf>,
    running: Option<Process>,
    ready: Value,
    commands: Cell<u32>,
}

impl LabNode {
    /// One in this namespace, without a network.
    pub(crate) fn new(ground: Rc<Ground>, name: &str, port: Port) -> Self {
        let data = ground.room.path().join(name);
        let (name, device) = (name.to_owned(), String::new());
        let (clock, variables, doors, running) = (None, Vec::new(), Vec::new(), None);
        let (ready, commands) = (Value::Null, Cell::new(0));
        Self { name, port, device, ground, data, clock, variables, doors, running, ready, commands }
    }

    /// From the next command on its clock is wrong by this much: `-8y`, `+8y`. Only the time of day is;
    /// what measures durations goes on.
    pub(crate) fn set_clock(&mut self, shift: &str) {
        self.clock = Some(shift.to_owned());
    }

    /// From the next command on these variables are set in its environment; none by default.
    pub(crate) fn set_environment(&mut self, variables: Vec<String>) {
        self.variables = variables;
    }

    /// Its data folder.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// From now on its data folder is another one.
    pub(crate) fn move_data(&mut self, data: &Path) {
        self.data = data.to_path_buf();
    }

    /// From the next command on it runs on this machine.
    pub(crate) fn move_to(&mut self, board: &Board) {
        self.doors = board.doors();
    }

    /// Begins a command.
    pub(crate) fn begin(&self, line: &[&str]) -> Process {
        let number = self.commands.get() + 1;
        self.commands.set(number);
        let files = self.ground.room.path().join(format!("{}-{number}", self.name));
        let what = format!("{}: {}", self.name, line.join(" "));
        Process::start(&what, &self.command(line), &files)
    }

    /// Runs a command to its end.
    #[track_caller]
    pub(crate) fn ask(&self, line: &[&str]) -> Answer {
        self.begin(line).answer(COMMAND)
    }

    /// Runs a command that must do what it was asked.
    #[track_caller]
    pub(crate) fn done(&self, line: &[&str]) -> Value {
        let answer = self.ask(line);
        assert_eq!(answer.exit, 0, "{}: {line:?}: {}", self.name, answer.object);
        answer.object
    }

    /// Runs the node, with these flags beside its own, until it is ready.
    #[track_caller]
    pub(crate) fn run(&mut self, flags: &[&str]) {
        let listen = [
            "run",
            "--listen",
            &format!("/ip4/0.0.0.0/tcp/{PORT}"),
            "--listen",
            &format!("/ip4/0.0.0.0/udp/{PORT}/quic-v1"),
        ];
        self.start(&[&listen, flags].concat());
    }

    /// Runs the node without a network, until it is ready: what it writes are the saves.
    #[track_caller]
    pub(crate) fn run_offline(&mut self) {
        self.start(&["run", "--offline"]);
    }

    #[track_caller]
    fn start(&mut self, line: &[&str]) {
        let mut process = self.begin(line);
        self.ready = until(&format!("{}: ready", self.name), READY, || {
            let ready = process.events().into_iter().find(|event| is(event, "ready"));
            assert!(ready.is_some() || !process.has_ended(), "it ended: {}", process.logged());
            ready.ok_or_else(|| process.logged())
        });
        assert_eq!(self.ready.get("pid").unwrap().as_u64(), Some(u64::from(process.pid())));
        assert_eq!(text(&self.ready, "device"), self.device);
        self.running = Some(process);
    }

    /// Ends what [`Self::run`] started, as an operator does.
    #[track_caller]
    pub(crate) fn stop(&mut self) {
        let mut process = self.running.take().unwrap();
        process.stop();
        assert!(process.events().iter().any(|event| is(event, "stopped")), "{}", process.logged());
    }

    /// Kills it, as a power cut does.
    pub(crate) fn process_killed(&mut self) {
        self.running.take().unwrap().kill();
    }

    /// What `run --json` printed.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.process().events()
    }

    /// What [`Self::run`] started.
    pub(crate) fn process(&self) -> &Process {
        self.running.as_ref().unwrap()
    }

    /// Where others dial it: over TCP, or over QUIC. Only of a node on the common segment.
    #[track_caller]
    pub(crate) fn address(&self, transport: &str) -> String {
        let begin = format!("/ip4/{}/{transport}/", self.port.address);
        let listen = self.ready.get("listen").unwrap().as_array().unwrap();
        let mut all = listen.iter().map(|it| it.as_str().unwrap());
        let found = all.find(|it| it.starts_with(&begin) && it.contains("/p2p/"));
        found.unwrap_or_else(|| panic!("{}: no {begin} in {listen:?}", self.name)).to_owned()
    }

    /// The name of its transport key, as addresses end with it.
    #[track_caller]
    pub(crate) fn peer_id(&self) -> String {
        self.address("tcp").rsplit_once("/p2p/").unwrap().1.to_owned()
    }

    /// A file of the lab.
    pub(crate) fn file(&self, name: &str) -> String {
        self.ground.room.path().join(name).to_str().unwrap().to_owned()
    }

    /// Runs `probe.py` where this node is, and on its board.
    pub(crate) fn probe(&self, line: &[&str]) -> Process {
        let probe = self.file("probe.py");
        let number = self.commands.get() + 1;
        self.commands.set(number);
        let line: Vec<String> = [crate::system::python(), probe.as_str()]
            .iter()
            .chain(line)
            .map(|it| (*it).to_owned())
            .collect();
        let files = self.ground.room.path().join(format!("{}-{number}", self.name));
        Process::start(&format!("{}: probe", self.name), &self.placed(line), &files)
    }

    fn command(&self, line: &[&str]) -> Vec<String> {
        let mut whole = Vec::new();
        if let Some(shift) = &self.clock {
            let library = faketime().unwrap();
            whole.push("env".to_owned());
            whole.push(format!("LD_PRELOAD={}", library.display()));
            whole.push(format!("FAKETIME={shift}"));
            whole.push("FAKETIME_DONT_FAKE_MONOTONIC=1".to_owned());
        }
        if !self.variables.is_empty() {
            whole.push("env".to_owned());
            whole.extend(self.variables.iter().cloned());
        }
        whole.push(self.ground.binary.to_str().unwrap().to_owned());
        whole.extend(line.iter().map(|it| (*it).to_owned()));
        whole.extend(["--json", "--data", self.data.to_str().unwrap()].map(str::to_owned));
        self.placed(whole)
    }

    /// A line that begins on the node's board and inside its namespace. The board first: inside, the
    /// groups are not to be seen.
    fn placed(&self, line: Vec<String>) -> Vec<String> {
        let mut whole = Vec::new();
        if !self.doors.is_empty() {
            let doors: Vec<&str> = self.doors.iter().map(|it| it.to_str().unwrap()).collect();
            let enter = format!("echo $$ | tee {} >/dev/null && exec \"$@\"", doors.join(" "));
            whole.extend(["sh", "-c", &enter, "sh"].map(str::to_owned));
        }
        whole.extend(["ip", "netns", "exec", self.port.namespace()].map(str::to_owned));
        whole.extend(line);
        whole
    }
}

/// The library that lies about the time, where it is installed (Debian: `libfaketime`).
pub(crate) fn faketime() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?;
    let library = |folder: std::fs::DirEntry| folder.path().join("faketime/libfaketimeMT.so.1");
    folders.flatten().map(library).find(|it| Path::is_file(it))
}

/// A text of an object.
#[track_caller]
pub(crate) fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("no {name} in {object}"))
}

/// A count of an object.
#[track_caller]
pub(crate) fn count(object: &Value, path: &str) -> u64 {
    object.pointer(path).and_then(Value::as_u64).unwrap_or_else(|| panic!("no {path} in {object}"))
}

/// Whether an event is one of these.
pub(crate) fn is(event: &Value, name: &str) -> bool {
    event.get("event").and_then(Value::as_str) == Some(name)
}
