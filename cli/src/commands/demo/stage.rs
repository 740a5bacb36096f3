//! The nodes of the demo and how they are asked: `wksbm --data FOLDER --json ...`, a process each.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use node::error::{ErrorKind, NodeError};
use serde_json::Value;

use super::plan::Player;
use crate::error::Failure;
use crate::progress::Interrupt;
use crate::words::Fact;

/// Runs one command of ours and returns its object and the process's number.
pub(super) trait Hands {
    /// # Errors
    /// What the command could not do, as it said.
    fn run(&mut self, args: &[&str]) -> Result<(Value, u32), Failure>;
}

/// Runs this very program again, one process a command.
#[derive(Debug)]
pub(super) struct Processes {
    program: PathBuf,
    interrupt: Interrupt,
}

impl Processes {
    /// # Errors
    /// Those of the system, when it does not know which program this is.
    pub(super) fn of_this_program(interrupt: &Interrupt) -> Result<Self, Failure> {
        let program = std::env::current_exe()
            .map_err(|error| Failure::file("find", Path::new("wksbm"), error))?;
        Ok(Self { program, interrupt: interrupt.clone() })
    }
}

impl Hands for Processes {
    fn run(&mut self, args: &[&str]) -> Result<(Value, u32), Failure> {
        if self.interrupt.is_set() {
            return Err(NodeError::Interrupted.into());
        }
        let failed = |error| Failure::file("run", &self.program, error);
        let child = Command::new(&self.program)
            .args(args)
            .args(["--json", "--quiet"])
            .env_remove("WKSBM_DATA")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let pid = child.id();
        let output = child.wait_with_output().map_err(failed)?;
        let object = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        if output.status.success() && object.is_object() {
            return Ok((object, pid));
        }
        Err(relayed(&object, args, output.status.code()))
    }
}

/// The failure a command of ours told as JSON, with the command as its cause.
fn relayed(object: &Value, args: &[&str], code: Option<i32>) -> Failure {
    let said = |name: &str| object.pointer(&format!("/error/{name}")).and_then(Value::as_str);
    let word = said("kind").unwrap_or_default();
    let kind = ErrorKind::ALL.into_iter().find(|kind| kind.as_str() == word);
    let command = args.iter().take_while(|arg| !arg.starts_with("--")).copied();
    let command = command.collect::<Vec<_>>().join(" ");
    let end = code.map_or_else(|| "no exit code".to_owned(), |code| format!("exit {code}"));
    let cause = format!("`wksbm {command}`: {}", said("cause").unwrap_or(&end));
    match kind {
        Some(ErrorKind::Interrupted) => NodeError::Interrupted.into(),
        Some(kind) => Failure::because(kind, "demo-step-failed", vec![Fact::new("what", cause)]),
        None => NodeError::Internal { what: cause }.into(),
    }
}

/// The folder that stands for the stick.
pub(super) const STICK: &str = "stik";

/// One node on the stage.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) player: Player,
    pub(super) folder: PathBuf,
    /// The newest process it ran in.
    pub(super) pid: u32,
}

/// All nodes, and the hands that ask them.
pub(super) struct Stage {
    pub(super) folder: PathBuf,
    pub(super) nodes: Vec<Standing>,
    hands: Box<dyn Hands>,
}

impl Stage {
    pub(super) fn new(folder: PathBuf, players: &[Player], hands: impl Hands + 'static) -> Self {
        let standing = |player: &Player| Standing {
            folder: folder.join(&player.name),
            player: player.clone(),
            pid: 0,
        };
        let nodes = players.iter().map(standing).collect();
        Self { folder, nodes, hands: Box::new(hands) }
    }

    /// The node at this place of the cast.
    pub(super) fn node(&self, place: usize) -> Result<&Standing, Failure> {
        let absent = || NodeError::Internal { what: "the demo has no such node".to_owned() };
        Ok(self.nodes.get(place).ok_or_else(absent)?)
    }

    /// Asks a node; `args` are what a person would type after the folder.
    pub(super) fn ask(&mut self, place: usize, args: &[&str]) -> Result<Value, Failure> {
        let folder = path_text(&self.node(place)?.folder)?;
        let mut typed = args.to_vec();
        typed.extend(["--data", folder.as_str()]);
        let (object, pid) = self.hands.run(&typed)?;
        if let Some(node) = self.nodes.get_mut(place) {
            node.pid = pid;
        }
        Ok(object)
    }

    /// A file on the stick: bundles and invitations lie in a folder beside the nodes'.
    pub(super) fn stick(&self, name: &str) -> Result<String, Failure> {
        path_text(&self.folder.join(STICK).join(name))
    }
}

/// A path as an argument.
fn path_text(path: &Path) -> Result<String, Failure> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| Failure::usage("usage-letters", Vec::new()))
}

/// A text in an answer; one that is not there is our mistake.
pub(super) fn text<'a>(answer: &'a Value, path: &str) -> Result<&'a str, Failure> {
    answer.pointer(path).and_then(Value::as_str).ok_or_else(|| unanswered(path))
}

/// A number in an answer; one that is not there is our mistake.
pub(super) fn number(answer: &Value, path: &str) -> Result<u64, Failure> {
    answer.pointer(path).and_then(Value::as_u64).ok_or_else(|| unanswered(path))
}

/// A list in an answer; one that is not there is our mistake.
pub(super) fn list<'a>(answer: &'a Value, path: &str) -> Result<&'a Vec<Value>, Failure> {
    answer.pointer(path).and_then(Value::as_array).ok_or_else(|| unanswered(path))
}

pub(super) fn unanswered(path: &str) -> Failure {
    NodeError::Internal { what: format!("an answer of the demo lacks `{path}`") }.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_step_could_not_do_keeps_its_kind_and_names_the_command() {
        let said = json!({"v": 1, "error": {"kind": "no_right", "cause": "no right `write`"}});
        let failure = relayed(&said, &["record", "add", "--area", "32"], Some(8));
        assert_eq!(failure.kind(), ErrorKind::NoRight);
        assert!(failure.json().to_string().contains("`wksbm record add`: no right `write`"));
    }

    #[test]
    fn a_step_that_says_nothing_is_our_mistake_and_one_that_was_stopped_is_not() {
        assert_eq!(relayed(&Value::Null, &["root"], Some(101)).exit(), 1);
        let stopped = json!({"error": {"kind": "interrupted"}});
        assert_eq!(relayed(&stopped, &["root"], Some(130)).exit(), 130);
    }
}
