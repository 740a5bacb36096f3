//! One node of the demo as a process: `wksbm run --json`, and what it tells while it runs.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use node::error::{ErrorKind, NodeError};
use serde_json::Value;

use crate::error::Failure;
use crate::patience::Patience;
use crate::words::Fact;

/// Until a node says that it is ready; the contract allows ten seconds.
const READY: Duration = Duration::from_secs(10);
/// Until a node that was asked to end has ended; the contract allows five seconds.
const END: Duration = Duration::from_secs(5);
/// Between two looks at a process that is to end.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What a node told since the demo began; clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    joined: AtomicU64,
    sent_bytes: AtomicU64,
    /// Why it ended, if it said so.
    error: Mutex<Option<(ErrorKind, String)>>,
}

impl Heard {
    /// Links that opened.
    pub(super) fn joined(&self) -> u64 {
        self.0.joined.load(Ordering::Relaxed)
    }

    /// Bytes of frames it sent in the runs that have ended.
    pub(super) fn sent_bytes(&self) -> u64 {
        self.0.sent_bytes.load(Ordering::Relaxed)
    }

    /// Why it ended, if it said so.
    fn error(&self) -> Option<(ErrorKind, String)> {
        self.0.error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, event: &Value) {
        if let Some(error) = event.get("error") {
            let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
            let kind = ErrorKind::ALL.into_iter().find(|kind| kind.as_str() == text("kind"));
            let said = (kind.unwrap_or(ErrorKind::Internal), text("cause").to_owned());
            *self.0.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(said);
        }
        match event.get("event").and_then(Value::as_str) {
            Some("peer_joined") => {
                self.0.joined.fetch_add(1, Ordering::Relaxed);
            }
            Some("stopped") => {
                let bytes = event.pointer("/sent/bytes").and_then(Value::as_u64).unwrap_or(0);
                self.0.sent_bytes.fetch_add(bytes, Ordering::Relaxed);
            }
            _ => {}
        }
    }
}

/// A node that runs. It ends when its standard input does: asked to, or because the demo is gone,
/// however that ended.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    heard: Heard,
    /// Reads what it tells.
    listener: Option<JoinHandle<()>>,
    /// Where others may dial it.
    pub(super) listen: Vec<String>,
    /// Where a person may look at it; empty when it has no page.
    pub(super) api: String,
}

impl Running {
    /// Starts `wksbm run` in a folder and waits until it is ready.
    ///
    /// # Errors
    /// Why it did not become ready, as it said.
    pub(super) fn start(
        program: &Path,
        folder: &str,
        args: &[String],
        heard: &Heard,
    ) -> Result<Self, Failure> {
        let mut command = Command::new(program);
        command
            .args(["run", "--json", "--quiet", "--while-stdin", "--api", "127.0.0.1:0"])
            .args(["--data", folder])
            .args(args)
            .env_remove("WKSBM_DATA")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = of_its_own(&mut command)
            .spawn()
            .map_err(|error| Failure::file("run", program, error))?;
        let (ready, first) = mpsc::sync_channel(1);
        let listener = child.stdout.take().map(|out| {
            let heard = heard.clone();
            std::thread::spawn(move || listen(out, &heard, &ready))
        });
        let (heard, listen) = (heard.clone(), Vec::new());
        let mut running = Self { child, heard, listener, listen, api: String::new() };
        let object = first.recv_timeout(READY).map_err(|_| silent("it did not become ready"))?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let listen = object.get("listen").and_then(Value::as_array);
        let Some(listen) = listen else {
            let cause = object.pointer("/error/cause").and_then(text);
            return Err(silent(&cause.unwrap_or_else(|| "it ended at once".to_owned())));
        };
        running.listen = listen.iter().filter_map(text).collect();
        running.api = object.get("api").and_then(text).unwrap_or_default();
        Ok(running)
    }

    /// The process's number.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Why a node that was not asked to end has ended; nothing while it runs.
    pub(super) fn fallen(&mut self, name: &str) -> Option<Failure> {
        let code = match self.child.try_wait() {
            Ok(None) => return None,
            Ok(Some(status)) => status.code(),
            Err(_) => None,
        };
        self.hear_the_end();
        let Some(code) = code else {
            let facts = vec![Fact::new("node", name)];
            return Some(Failure::finer(ErrorKind::Internal, "demo_node_killed", facts));
        };
        let (kind, said) = self.heard.error().unwrap_or((ErrorKind::Internal, String::new()));
        let end = format!("exit {code}");
        let why = if said.is_empty() { end } else { format!("{end}: {said}") };
        let facts = vec![Fact::new("node", name), Fact::new("what", why)];
        Some(Failure::because(kind, "demo-node-ended", facts))
    }

    /// Asks the process to end, and waits for it and for its last words.
    ///
    /// # Errors
    /// `timeout` when it does not.
    pub(super) fn end(mut self) -> Result<(), Failure> {
        if self.ended_in_time() {
            self.hear_the_end();
            return Ok(());
        }
        Err(silent("it did not end in time"))
    }

    /// Closes its standard input; whether it ends then.
    fn ended_in_time(&mut self) -> bool {
        drop(self.child.stdin.take());
        let patience = Patience::of(END);
        while !patience.is_over() {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(LOOK_EVERY),
                Ok(Some(_)) => return true,
                Err(_) => return false,
            }
        }
        false
    }

    fn hear_the_end(&mut self) {
        if let Some(listener) = self.listener.take() {
            // A listener that panicked heard nothing more.
            drop(listener.join());
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended_in_time() {
            // One that has ended already cannot be ended again, and need not be.
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

/// In a group of its own where the system knows such: Ctrl-C at a terminal is the demo's alone.
#[cfg(unix)]
fn of_its_own(command: &mut Command) -> &mut Command {
    std::os::unix::process::CommandExt::process_group(command, 0)
}

#[cfg(not(unix))]
fn of_its_own(command: &mut Command) -> &mut Command {
    command
}

/// Reads what a node tells, line by line, until it ends; the first object says that it is ready.
fn listen(out: ChildStdout, heard: &Heard, ready: &mpsc::SyncSender<Value>) {
    let mut told = false;
    for line in BufReader::new(out).lines() {
        let Ok(line) = line else { return };
        let Ok(event) = serde_json::from_str::<Value>(&line) else { continue };
        heard.note(&event);
        if !std::mem::replace(&mut told, true) {
            // Nobody waits any more after the time that is allowed.
            drop(ready.send(event));
        }
    }
}

fn silent(why: &str) -> Failure {
    let what = format!("`wksbm run`: {why}");
    if why.is_empty() {
        return NodeError::Internal { what }.into();
    }
    Failure::because(ErrorKind::Timeout, "demo-step-failed", vec![Fact::new("what", what)])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn links_and_the_bytes_of_whole_runs_are_counted_and_nothing_else() {
        let heard = Heard::default();
        for event in [
            json!({"event": "ready"}),
            json!({"event": "peer_joined"}),
            json!({"event": "session", "sent": {"bytes": 85}, "received": {"bytes": 900}}),
            json!({"event": "peer_left", "sent": {"bytes": 7}}),
            json!({"event": "stopped", "sent": {"bytes": 100}}),
            json!({"event": "stopped", "sent": {"bytes": 7}}),
        ] {
            heard.note(&event);
        }
        assert_eq!((heard.joined(), heard.sent_bytes()), (1, 107));
    }
}
