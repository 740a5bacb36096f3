//! One node of the demo as a process: `wksbm run --json`, and what it tells while it runs.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
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
}

impl Heard {
    /// Links that opened.
    pub(super) fn joined(&self) -> u64 {
        self.0.joined.load(Ordering::Relaxed)
    }

    /// Bytes of frames it sent.
    pub(super) fn sent_bytes(&self) -> u64 {
        self.0.sent_bytes.load(Ordering::Relaxed)
    }

    fn note(&self, event: &Value) {
        match event.get("event").and_then(Value::as_str) {
            Some("peer_joined") => {
                self.0.joined.fetch_add(1, Ordering::Relaxed);
            }
            Some("session" | "peer_left") => {
                let bytes = event.pointer("/sent/bytes").and_then(Value::as_u64).unwrap_or(0);
                self.0.sent_bytes.fetch_add(bytes, Ordering::Relaxed);
            }
            _ => {}
        }
    }
}

/// A node that runs. Dropped before its end it is ended at once.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
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
        let mut child = Command::new(program)
            .args(["run", "--json", "--quiet", "--api", "127.0.0.1:0", "--data", folder])
            .args(args)
            .env_remove("WKSBM_DATA")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| Failure::file("run", program, error))?;
        let (ready, first) = mpsc::sync_channel(1);
        if let Some(out) = child.stdout.take() {
            let heard = heard.clone();
            std::thread::spawn(move || listen(out, &heard, &ready));
        }
        let mut running = Self { child, listen: Vec::new(), api: String::new() };
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

    /// Asks the process to end, and waits for it.
    ///
    /// # Errors
    /// `timeout` when it does not.
    pub(super) fn end(mut self) -> Result<(), Failure> {
        terminate(&mut self.child);
        let patience = Patience::of(END);
        while !patience.is_over() {
            match self.child.try_wait() {
                Ok(Some(_)) => return Ok(()),
                Ok(None) => std::thread::sleep(LOOK_EVERY),
                Err(error) => return Err(Failure::file("end", Path::new("wksbm"), error)),
            }
        }
        Err(silent("it did not end in time"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended already cannot be ended again, and need not be.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Asks a process to end in good order, where the system knows such a wish.
#[cfg(unix)]
fn terminate(child: &mut Child) {
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        // It may have ended by itself.
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).ok();
    }
}

#[cfg(not(unix))]
fn terminate(child: &mut Child) {
    drop(child.kill());
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
    fn links_and_sent_bytes_are_counted_and_nothing_else() {
        let heard = Heard::default();
        for event in [
            json!({"event": "ready"}),
            json!({"event": "peer_joined"}),
            json!({"event": "session", "sent": {"bytes": 85}, "received": {"bytes": 900}}),
            json!({"event": "session", "sent": {"bytes": 15}}),
            json!({"event": "peer_left", "sent": {"bytes": 7}}),
        ] {
            heard.note(&event);
        }
        assert_eq!((heard.joined(), heard.sent_bytes()), (1, 107));
    }
}
