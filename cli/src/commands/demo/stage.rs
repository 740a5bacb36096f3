//! The nodes of the demo: each a process of its own (`wksbm run`), asked as anybody would ask them:
//! `wksbm --data FOLDER --json ...`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use node::error::{ErrorKind, NodeError};
use serde_json::Value;

use super::plan::Player;
use super::running::{Heard, Running};
use crate::api::client::{Client, Linked};
use crate::error::Failure;
use crate::patience::Patience;
use crate::progress::{Bar, Interrupt};
use crate::settings::Language;
use crate::words::Fact;

/// Until a node has seen what must happen.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(40);

/// Where a node of the demo listens: free ports of this machine alone. Each has an address of its own,
/// as villages have, where the system knows the whole of 127.0.0.0/8: a hub lets few strangers in from
/// one address, and whoever joins is a stranger.
fn listen(place: usize) -> [String; 2] {
    let own = if cfg!(any(target_os = "linux", windows)) { place + 1 } else { 1 };
    ["udp/0/quic-v1", "tcp/0"].map(|port| format!("/ip4/127.0.0.{own}/{port}"))
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

impl Processes {
    /// A bar nobody sees.
    fn unseen(&self) -> Bar {
        Bar::new(String::new(), false, &self.interrupt)
    }

    /// Runs one command of ours and returns its object and the process's number.
    fn run(&self, args: &[&str]) -> Result<(Value, u32), Failure> {
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
        Some(kind) => {
            let folder = args.iter().skip_while(|arg| **arg != "--data").nth(1);
            let facts = vec![
                Fact::new("what", cause),
                Fact::new("path", folder.copied().unwrap_or_default()),
            ];
            Failure::because(kind, "demo-step-failed", facts)
        }
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
    /// The process it runs in; before that the newest that was asked.
    pub(super) pid: u32,
    running: Option<Running>,
    heard: Heard,
}

impl Standing {
    fn client(&self) -> Option<Client> {
        Client::find(&self.folder, Language::English)
    }
}

/// Where a person may look at a node.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) node: String,
    pub(super) folder: PathBuf,
    pub(super) link: Option<Linked>,
}

/// All nodes, and the hands that ask them.
pub(super) struct Stage {
    pub(super) folder: PathBuf,
    pub(super) nodes: Vec<Standing>,
    hands: Processes,
}

impl Stage {
    pub(super) fn new(folder: PathBuf, players: &[Player], hands: Processes) -> Self {
        let standing = |player: &Player| Standing {
            folder: folder.join(&player.name),
            player: player.clone(),
            pid: 0,
            running: None,
            heard: Heard::default(),
        };
        let nodes = players.iter().map(standing).collect();
        Self { folder, nodes, hands }
    }

    /// The node at this place of the cast.
    pub(super) fn node(&self, place: usize) -> Result<&Standing, Failure> {
        Ok(self.nodes.get(place).ok_or_else(absent)?)
    }

    /// Asks a node; `args` are what a person would type after the folder.
    pub(super) fn ask(&mut self, place: usize, args: &[&str]) -> Result<Value, Failure> {
        let folder = path_text(&self.node(place)?.folder)?;
        let mut typed = args.to_vec();
        typed.extend(["--data", folder.as_str()]);
        let (object, pid) = self.hands.run(&typed)?;
        if let Some(node) = self.nodes.get_mut(place).filter(|node| node.running.is_none()) {
            node.pid = pid;
        }
        Ok(object)
    }

    /// Starts a node's own process; it dials the one at `above` and keeps the link.
    pub(super) fn start(&mut self, place: usize, above: Option<usize>) -> Result<(), Failure> {
        let mut args = Vec::new();
        for address in listen(place) {
            args.extend(["--listen".to_owned(), address]);
        }
        let running = above.and_then(|above| self.nodes.get(above)?.running.as_ref());
        // Over QUIC a node dials from where it listens.
        let is_quic = |address: &&String| address.contains("/quic-v1");
        if let Some(address) = running.and_then(|above| above.listen.iter().find(is_quic)) {
            args.extend(["--peer".to_owned(), address.clone()]);
        }
        self.start_with(place, &args)
    }

    /// Starts a node's own process with the cable unplugged.
    pub(super) fn start_apart(&mut self, place: usize) -> Result<(), Failure> {
        self.start_with(place, &["--offline".to_owned()])
    }

    fn start_with(&mut self, place: usize, args: &[String]) -> Result<(), Failure> {
        let node = self.nodes.get_mut(place).ok_or_else(absent)?;
        let folder = path_text(&node.folder)?;
        let running = Running::start(&self.hands.program, &folder, args, &node.heard)?;
        node.pid = running.pid();
        node.running = Some(running);
        Ok(())
    }

    /// Ends a node's process in good order.
    pub(super) fn end(&mut self, place: usize) -> Result<(), Failure> {
        let node = self.nodes.get_mut(place).ok_or_else(absent)?;
        node.running.take().map_or(Ok(()), Running::end)
    }

    /// Where a person may look at each node: a link that serves once, or its folder where no link is
    /// wanted or it does not answer.
    pub(super) fn pages(&self, with_links: bool) -> Vec<Page> {
        let running = self.nodes.iter().filter(|node| node.running.is_some());
        let page = |node: &Standing| Page {
            node: node.player.name.clone(),
            folder: node.folder.clone(),
            link: with_links.then(|| node.client()?.link(&mut self.hands.unseen()).ok()).flatten(),
        };
        running.map(page).collect()
    }

    /// Why a node that was to run has ended by itself, if one has.
    pub(super) fn fallen(&mut self) -> Option<Failure> {
        self.nodes.iter_mut().find_map(|node| node.running.as_mut()?.fallen(&node.player.name))
    }

    /// Waits until a node lists a device in this state.
    pub(super) fn wait_for_member(
        &mut self,
        place: usize,
        device: &str,
        state: &str,
    ) -> Result<(), Failure> {
        let patience = Patience::of(PATIENCE);
        while !patience.is_over() {
            let answer = self.ask(place, &["member", "list"])?;
            let is_it = |member: &&Value| {
                let said = |name: &str| member.get(name).and_then(Value::as_str);
                said("device") == Some(device) && said("state") == Some(state)
            };
            if list(&answer, "/members")?.iter().any(|member| is_it(&member)) {
                return Ok(());
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Err(Failure::because(
            ErrorKind::Timeout,
            "demo-step-failed",
            vec![Fact::new("what", "a device that joined was not seen in time")],
        ))
    }

    /// Links a node had since it was started.
    pub(super) fn connections_of(&self, place: usize) -> Result<u64, Failure> {
        Ok(self.node(place)?.heard.joined())
    }

    /// Bytes of frames all nodes sent until now, in runs that have ended and in those that go on.
    pub(super) fn wire_bytes(&self) -> Result<u64, Failure> {
        let mut all = 0;
        for node in &self.nodes {
            all += node.heard.sent_bytes();
            if node.running.is_some() {
                let now = node.client().and_then(|client| client.sent_bytes());
                all += now.ok_or_else(|| unanswered("/metrics"))?;
            }
        }
        Ok(all)
    }

    /// A file on the stick: bundles and invitations lie in a folder beside the nodes'.
    pub(super) fn stick(&self, name: &str) -> Result<String, Failure> {
        path_text(&self.folder.join(STICK).join(name))
    }
}

fn absent() -> NodeError {
    NodeError::Internal { what: "the demo has no such node".to_owned() }
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
