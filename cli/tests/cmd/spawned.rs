//! The binary as a process that a test looks on: its lines on standard error as they come, its end,
//! and no process that outlives its test.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde_json::Value;

use crate::desk::Desk;

/// Until whatever is waited for counts as stuck; the machine may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);
/// Looks at processes that are to end, and between two: as long in all.
pub(crate) const LOOKS_MAX: u32 = 4_500;
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(20);
/// More lines than any of them tells.
const LINES_MAX: usize = 1_024;

/// A process of the binary, killed with its test.
pub(crate) struct Spawned {
    pub(crate) child: Child,
    told: Receiver<String>,
}

impl Spawned {
    /// A command on the folder of a desk.
    pub(crate) fn on(desk: &Desk, line: &[&str]) -> Self {
        let mut command = binary();
        Self::of(command.args(line).arg("--data").arg(desk.data()))
    }

    pub(crate) fn of(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (tell, told) = mpsc::sync_channel(LINES_MAX);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                drop(tell.send(line));
            }
        });
        Self { child, told }
    }

    /// The next line on standard error that holds `part`.
    pub(crate) fn line_with(&self, part: &str) -> String {
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

    /// Every line that was not looked at, once it has ended.
    pub(crate) fn lines_left(&self) -> Vec<String> {
        self.told.iter().collect()
    }

    /// The object on its first line of standard output.
    pub(crate) fn object(&mut self) -> Value {
        let (object, _) = self.object_and_more();
        object
    }

    /// The same, and what it prints after that.
    pub(crate) fn object_and_more(&mut self) -> (Value, impl BufRead + use<>) {
        let mut out = BufReader::new(self.child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        (serde_json::from_str(&line).unwrap(), out)
    }

    pub(crate) fn signal(&self, signal: &str) {
        assert!(send(signal, &self.child.id().to_string()));
    }

    /// Waits until it ends: its exit code.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        for _ in 0..LOOKS_MAX {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(LOOK_EVERY);
        }
        panic!("it goes on");
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub(crate) fn binary() -> Command {
    Command::new(env!("CARGO_BIN_EXE_wksbm"))
}

/// Sends a signal; whether there was anybody to get it.
pub(crate) fn send(signal: &str, pid: &str) -> bool {
    Command::new("kill").args([signal, pid]).stderr(Stdio::null()).status().unwrap().success()
}
