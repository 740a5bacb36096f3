//! The real binary on one data folder.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// How often a running command is looked at.
const LOOK: Duration = Duration::from_millis(1);

/// How a command ended that was to be killed at a moment.
#[derive(Debug)]
pub(crate) enum Killed {
    /// It was done before that.
    Ended(Value),
    /// It had not answered.
    BeforeAnswer,
    /// It had answered and was still closing its files.
    AfterAnswer(Value),
}

impl Killed {
    /// What it acknowledged.
    pub(crate) const fn answer(&self) -> Option<&Value> {
        match self {
            Self::Ended(answer) | Self::AfterAnswer(answer) => Some(answer),
            Self::BeforeAnswer => None,
        }
    }
}

/// A data folder and the binary that works on it.
#[derive(Debug)]
pub(crate) struct Machine {
    folder: TempDir,
}

impl Machine {
    /// One with an empty folder.
    pub(crate) fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// The province of a new network.
    pub(crate) fn province() -> Self {
        let machine = Self::empty();
        machine.done(&["network", "create", "--name", "Uji", "--area", "32"]);
        machine
    }

    /// A file beside the data folder.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// Starts a command.
    pub(crate) fn start(&self, line: &[&str]) -> Child {
        let data: &Path = &self.folder.path().join("data");
        let built = env!("CARGO_BIN_EXE_wksbm");
        let binary = std::env::var_os("WKSBM_BINARY").unwrap_or_else(|| built.into());
        Command::new(binary)
            .args(line)
            .arg("--json")
            .arg("--data")
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Runs a command to its end; the answer must be a success.
    pub(crate) fn done(&self, line: &[&str]) -> Value {
        let ended = self.start(line).wait_with_output().unwrap();
        let text = String::from_utf8(ended.stdout).unwrap();
        assert_eq!(ended.status.code(), Some(0), "{line:?}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Runs a command to its end; its answer if it was a success.
    pub(crate) fn tried(&self, line: &[&str]) -> Option<Value> {
        let ended = self.start(line).wait_with_output().unwrap();
        let done = ended.status.success();
        done.then(|| serde_json::from_slice(&ended.stdout).unwrap())
    }

    /// Runs a command, but no longer than what is left: then it is killed. What it took is taken
    /// off.
    pub(crate) fn within(&self, left: &mut Duration, line: &[&str]) -> Killed {
        let begun = Instant::now();
        let mut child = self.start(line);
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                *left = left.saturating_sub(begun.elapsed());
                let answer = answer_of(&mut child);
                assert_eq!(status.code(), Some(0), "{line:?}: {answer:?}");
                return Killed::Ended(answer.unwrap());
            }
            if begun.elapsed() >= *left {
                child.kill().unwrap();
                child.wait().unwrap();
                return answer_of(&mut child).map_or(Killed::BeforeAnswer, Killed::AfterAnswer);
            }
            sleep(LOOK);
        }
    }
}

/// The object on standard output, if it was written to its end.
fn answer_of(child: &mut Child) -> Option<Value> {
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    let line = text.strip_suffix('\n')?;
    Some(serde_json::from_str(line).unwrap())
}
