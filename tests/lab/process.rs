//! The real binary, running: what it says, how it ends. Its output goes to files of the lab, so nothing
//! it says can stop it.

use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::system::terminate;
use crate::wait::until;

/// For a process that was asked to end, by contract.
const STOP: Duration = Duration::from_secs(5);
/// Bytes of a log that are told of a process in a test that failed.
const TOLD_MAX: usize = 4_000;

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The exit code.
    pub(crate) exit: i32,
    /// The one object on standard output.
    pub(crate) object: Value,
}

impl Answer {
    /// `error.kind`, of a failure.
    pub(crate) fn kind(&self) -> Option<&str> {
        self.object.pointer("/error/kind")?.as_str()
    }

    /// It failed so, and said what happened and what to do: with these words among others.
    #[track_caller]
    pub(crate) fn fails(&self, exit: i32, kind: &str, happened: &str, to_do: &str) {
        assert_eq!((self.exit, self.kind()), (exit, Some(kind)), "{}", self.object);
        let says = |part: &str, words: &str| {
            let said = self.object.pointer(&format!("/error/{part}")).and_then(Value::as_str);
            assert!(said.is_some_and(|said| said.contains(words)), "no {words:?}: {}", self.object);
        };
        says("message", happened);
        says("hint", to_do);
    }
}

/// A running process. It dies with its owner, and with the test's own process.
#[derive(Debug)]
pub(crate) struct Process {
    what: String,
    child: Child,
    out: PathBuf,
    log: PathBuf,
}

impl Process {
    /// Starts one, whose output goes to `FILES.out` and `FILES.log`.
    pub(crate) fn start(what: &str, line: &[String], files: &Path) -> Self {
        let (out, log) = (files.with_extension("out"), files.with_extension("log"));
        // Each of these becomes the next one, so the child's number is the binary's.
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .args(line)
            .stdin(Stdio::null())
            .stdout(File::create(&out).unwrap())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        Self { what: what.to_owned(), child, out, log }
    }

    /// Its number.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a command's end.
    #[track_caller]
    pub(crate) fn answer(&mut self, within: Duration) -> Answer {
        let status = self.end(within);
        let exit = status.code().unwrap_or_else(|| {
            panic!("{}: ended by signal {:?}: {}", self.what, status.signal(), self.logged())
        });
        let text = self.said();
        let object = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}: {}", self.what, self.logged()));
        Answer { exit, object }
    }

    /// Waits for the end.
    #[track_caller]
    pub(crate) fn end(&mut self, within: Duration) -> ExitStatus {
        let (what, child) = (format!("the end of {}", self.what), &mut self.child);
        until(&what, within, || child.try_wait().unwrap().ok_or_else(|| "it runs".to_owned()))
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// The objects it has printed, one a line. A line without an end is not one yet.
    pub(crate) fn events(&self) -> Vec<Value> {
        let text = self.said();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let parsed =
            |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        whole.lines().map(parsed).collect()
    }

    /// Asks it to end and waits as long as the contract allows.
    #[track_caller]
    pub(crate) fn stop(&mut self) {
        terminate(self.pid());
        let status = self.end(STOP);
        assert_eq!(status.code(), Some(0), "{}: {status}: {}", self.what, self.logged());
    }

    /// Kills it, as a power cut does to a process.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// All of standard output.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.out).unwrap()
    }

    /// The end of what it said, to programs and to people.
    pub(crate) fn logged(&self) -> String {
        format!("{}{}", tail(&self.out), tail(&self.log))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        if std::thread::panicking() {
            crate::tell(&format!("{} said:\n{}", self.what, self.logged()));
        }
    }
}

fn tail(file: &Path) -> String {
    let text = std::fs::read(file).unwrap_or_default();
    let from = text.len().saturating_sub(TOLD_MAX);
    String::from_utf8_lossy(text.get(from..).unwrap_or_default()).into_owned()
}
