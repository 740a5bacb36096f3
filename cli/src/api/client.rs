//! The other side: a command puts its question to the node that runs.
//!
//! The folder's note says where; whoever answers there must first prove that it holds the token, so
//! that nothing is told to another program that came to listen on the same port. A node that does
//! not answer at once is none: then the store is opened; if somebody holds it, it is asked again
//! with patience. One that is alive and stays silent holds the folder: nobody waits for it any longer.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::time::Duration;

use node::ask::Ask;
use node::clock::SystemEntropy;
use node::error::{ErrorKind, NodeError};
use node::ports::Entropy;
use node::progress::Progress;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ureq::Agent;

use super::asks::{BEGUN, ON_PEERS, Turn, WAITING};
use super::events::Step;
use super::guard::proof;
use super::places::{DATA, Places};
use super::{ASK_HEADER, LINK_PATH, MEET_PATH, RUN_FILE, RunNote};
use crate::commands::sync::{Meeting, Synced};
use crate::error::Failure;
use crate::patience::Patience;
use crate::progress::Bar;
use crate::settings::Language;
use crate::words::Fact;

/// For a node to say that it is there. A note may be left over, and its port be somebody else's.
const HELLO_WAIT: Duration = Duration::from_millis(500);
/// The same, once it is known that somebody holds the store: a machine may be busy.
const HELLO_WAIT_LONG: Duration = Duration::from_secs(5);
/// A connection that has been idle for longer is not used again: the node closes one soon.
const IDLE_MAX: Duration = Duration::from_secs(3);
/// How often an asker looks whether a person wants it to end.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How often once a person wished it, before the asker leaves.
const LOOKS_MAX: u32 = 50;
/// A question that waits longer than this for its turn is told why.
const TURN_WAIT: Duration = Duration::from_secs(2);
/// Between two looks whether its turn has come.
const TURN_LOOK_EVERY: Duration = Duration::from_secs(1);
/// What was heard and not yet shown.
const HEARD_MAX: usize = 64;
/// Bytes an answer may have: every area of the province is one.
const ANSWER_BYTES_MAX: u64 = 256 << 20;
/// Bytes of the two small files that say where and who.
const NOTE_BYTES_MAX: u64 = 16 << 10;

/// A node that runs, and answered.
pub(crate) struct Client {
    agent: Agent,
    api: String,
    token: String,
    folder: PathBuf,
    language: Language,
    trial: bool,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("api", &self.api).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Hello {
    proof: String,
    trial: bool,
}

/// The answer of `page`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Linked {
    /// Where a browser comes in.
    pub(crate) link: String,
}

/// Why no node answers for a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfound {
    /// None runs there that can be told: it ended, or is about to begin or to end.
    Nobody,
    /// One took the question and stayed silent for as long as it may, and its process is alive.
    Silent,
}

/// What an asker hears meanwhile.
enum Heard {
    Step(Step),
    Answer(Result<Value, Failure>),
}

impl Client {
    /// The node that runs on `folder`, if one answers there at once.
    pub(crate) fn find(folder: &Path, language: Language) -> Option<Self> {
        Self::find_within(folder, language, HELLO_WAIT).ok()
    }

    /// The same with patience, for a folder whose store somebody holds.
    ///
    /// # Errors
    /// [`Unfound`]: whether there is one that may yet be waited for.
    pub(crate) fn find_patiently(folder: &Path, language: Language) -> Result<Self, Unfound> {
        Self::find_within(folder, language, HELLO_WAIT_LONG)
    }

    fn find_within(folder: &Path, language: Language, wait: Duration) -> Result<Self, Unfound> {
        let (note, token, key) = noted(folder).ok_or(Unfound::Nobody)?;
        let config = Agent::config_builder()
            .proxy(None)
            .max_redirects(0)
            .http_status_as_error(false)
            .timeout_connect(Some(HELLO_WAIT_LONG))
            .max_idle_age(IDLE_MAX)
            .build();
        let mut client = Self {
            agent: config.into(),
            api: note.api,
            token,
            folder: folder.to_path_buf(),
            language,
            trial: false,
        };
        match client.greets(&key, wait) {
            Ok(trial) => client.trial = trial,
            Err(Unfound::Silent) if is_alive(note.pid) => return Err(Unfound::Silent),
            Err(_) => return Err(Unfound::Nobody),
        }
        Ok(client)
    }

    /// Whether synthetic people only may be entered.
    pub(crate) const fn is_trial(&self) -> bool {
        self.trial
    }

    /// Whether whoever answers holds the token, and with it whether the network is for trials.
    fn greets(&self, key: &[u8; 32], wait: Duration) -> Result<bool, Unfound> {
        let nonce = random().ok_or(Unfound::Nobody)?;
        let asked = self.agent.get(format!("{}/v1/hello?nonce={nonce}", self.api));
        let answer = asked.config().timeout_global(Some(wait)).build().call();
        let body = answer
            .and_then(|mut it| it.body_mut().with_config().limit(NOTE_BYTES_MAX).read_to_vec());
        let body = body.map_err(|error| {
            let is_silent = matches!(error, ureq::Error::Timeout(_));
            if is_silent { Unfound::Silent } else { Unfound::Nobody }
        })?;
        let hello: Hello = serde_json::from_slice(&body).map_err(|_| Unfound::Nobody)?;
        if hello.proof == proof(key, &nonce) { Ok(hello.trial) } else { Err(Unfound::Nobody) }
    }

    /// Asks, shows how far it is, and stops it when a person wishes it.
    ///
    /// # Errors
    /// What the node said; [`ErrorKind::Interrupted`] when it ended meanwhile.
    pub(crate) fn put<A: Ask>(&self, mut ask: A, bar: &mut Bar) -> Result<A::Answer, Failure> {
        let here = Here::of(&mut ask, &self.folder)?;
        read(here.told(self.exchange(A::PATH, &ask, bar)?))
    }

    /// Has the node meet a peer.
    ///
    /// # Errors
    /// As [`Client::put`].
    pub(crate) fn meet(&self, meeting: &Meeting, bar: &mut Bar) -> Result<Synced, Failure> {
        read(self.exchange(MEET_PATH, meeting, bar)?)
    }

    /// A link that opens the node's pages in a browser of this machine, once.
    ///
    /// # Errors
    /// As [`Client::put`].
    pub(crate) fn link(&self, bar: &mut Bar) -> Result<Linked, Failure> {
        read(self.exchange(LINK_PATH, &serde_json::json!({}), bar)?)
    }

    /// Bytes of frames the node sent since it started.
    pub(crate) fn sent_bytes(&self) -> Option<u64> {
        let asked = self
            .agent
            .get(format!("{}/metrics", self.api))
            .header("Authorization", format!("Bearer {}", self.token));
        let mut answer = asked.call().ok()?;
        let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string().ok()?;
        let count = body.lines().find_map(|line| line.strip_prefix(super::metrics::SENT_BYTES))?;
        count.trim().parse().ok()
    }

    /// Sends a question and waits for the object that answers it.
    fn exchange(&self, path: &str, ask: &impl Serialize, bar: &mut Bar) -> Result<Value, Failure> {
        let body = serde_json::to_vec(ask).map_err(|_| {
            // The one text that is no JSON is a path with letters nobody can read.
            Failure::usage("usage-letters", Vec::new())
        })?;
        let name = random().ok_or_else(gone)?;
        let (heard, answers) = mpsc::sync_channel(HEARD_MAX);
        if bar.is_shown() {
            self.follow(&name, heard.clone());
        }
        self.send(path, &name, body, heard);
        let (mut at, mut stopped, mut looks) = ((0, 0), false, 0);
        let mut turn = bar.tells().then(|| Patience::of(TURN_WAIT));
        loop {
            match answers.recv_timeout(LOOK_EVERY) {
                Ok(Heard::Answer(answer)) => return answer,
                Ok(Heard::Step(step)) => at = (step.done, step.total),
                // Asked to stop, a node answers soon; a person need not wait for one that hangs.
                Err(RecvTimeoutError::Timeout) if looks == LOOKS_MAX => return Err(silent()),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(gone()),
            }
            if turn.is_some_and(|patience| patience.is_over()) {
                let again = self.tell_turn(&name, bar);
                turn = again.then(|| Patience::of(TURN_LOOK_EVERY));
            }
            if !bar.at(at.0, at.1) {
                if !stopped && self.stop(&name) {
                    stopped = true;
                    // Stopped before its turn, it is never begun: nobody need wait for that.
                    if self.turn(&name).is_some_and(|turn| turn.state == WAITING) {
                        return Err(NodeError::Interrupted.into());
                    }
                }
                looks += 1;
            }
        }
    }

    /// Sends a question and waits for the answer, beside us.
    fn send(&self, path: &str, name: &str, body: Vec<u8>, heard: SyncSender<Heard>) {
        let request = self
            .agent
            .post(format!("{}/v1/{path}", self.api))
            .header("Authorization", format!("Bearer {}", self.token))
            .header("Accept-Language", self.language.code())
            .header("Content-Type", "application/json")
            .header(ASK_HEADER, name);
        std::thread::spawn(move || {
            let answer = request.send(&body[..]).ok().and_then(|mut answer| {
                let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX);
                serde_json::from_slice(&body.read_to_vec().ok()?).ok()
            });
            // Who asked may have ended.
            drop(heard.send(Heard::Answer(answer.ok_or_else(gone))));
        });
    }

    /// Follows a question's progress, beside us, until the node or this process ends.
    fn follow(&self, name: &str, heard: SyncSender<Heard>) {
        let request = self
            .agent
            .get(format!("{}/v1/events?ask={name}", self.api))
            .header("Authorization", format!("Bearer {}", self.token));
        std::thread::spawn(move || {
            let Ok(answer) = request.call() else { return };
            let lines = BufReader::new(answer.into_body().into_reader()).lines();
            for line in lines.map_while(Result::ok) {
                let data = line.strip_prefix("data:").map(str::trim);
                let step = data.and_then(|data| serde_json::from_str(data).ok());
                if step.is_some_and(|step| heard.send(Heard::Step(step)).is_err()) {
                    return;
                }
            }
        });
    }

    /// Says what a question waits for, if it does; whether it is worth looking again.
    fn tell_turn(&self, name: &str, bar: &Bar) -> bool {
        let Some(Turn { state, at_work }) = self.turn(name) else { return true };
        let is_long = at_work.as_ref().is_some_and(|work| work.seconds > 0);
        match state.as_ref() {
            // Its own work has begun.
            BEGUN => return false,
            WAITING => {}
            // What is no question of the node itself waits only where the node is long at work.
            _ if is_long => {}
            _ => return true,
        }
        let on = at_work.and_then(|work| work.on);
        match on.as_deref() {
            Some(ON_PEERS) => bar.tell("tell-node-busy-peers", &[]),
            Some(path) => {
                bar.tell("tell-node-busy-with", &[Fact::new("work", path.replace('/', " "))]);
            }
            None => bar.tell("tell-node-busy", &[]),
        }
        false
    }

    /// How a question stands; nothing where the node does not say so at once.
    fn turn(&self, name: &str) -> Option<Turn> {
        let asked = self
            .agent
            .get(format!("{}/v1/asks/{name}", self.api))
            .header("Authorization", format!("Bearer {}", self.token));
        let mut answer = asked.config().timeout_global(Some(HELLO_WAIT)).build().call().ok()?;
        let body = answer.body_mut().with_config().limit(NOTE_BYTES_MAX).read_to_vec().ok()?;
        serde_json::from_slice(&body).ok()
    }

    /// Stops a question; false while the node does not know it yet.
    fn stop(&self, name: &str) -> bool {
        let asked = self
            .agent
            .delete(format!("{}/v1/asks/{name}", self.api))
            .header("Authorization", format!("Bearer {}", self.token));
        let asked = asked.config().timeout_global(Some(HELLO_WAIT)).build();
        asked.call().is_ok_and(|answer| answer.status().is_success())
    }
}

/// The answer in an object, or why there is none.
fn read<A: DeserializeOwned>(answer: Value) -> Result<A, Failure> {
    if let Some(error) = answer.get("error").filter(|_| lacks_result(&answer)) {
        return Err(Failure::heard(error));
    }
    // What serde says quotes the value, which may be somebody's name.
    serde_json::from_value(answer).map_err(|_| {
        let what = "the running node answered otherwise: it may be of another version".to_owned();
        NodeError::Internal { what }.into()
    })
}

/// Whether an object holds nothing but its version and why.
fn lacks_result(answer: &Value) -> bool {
    answer.as_object().is_some_and(|fields| fields.len() == 2)
}

/// The node was asked to stop a question, and does not answer.
fn silent() -> Failure {
    Failure::because(ErrorKind::Interrupted, "tell-node-silent", Vec::new())
}

/// The node ended before it answered.
fn gone() -> Failure {
    Failure::because(ErrorKind::Interrupted, "tell-node-gone", Vec::new())
}

fn random() -> Option<String> {
    let mut bytes = [0; 16];
    SystemEntropy.fill(&mut bytes).ok()?;
    Some(hex::encode(bytes))
}

/// The note in a folder, its token as text and as key; only of this machine: a note that names another
/// was not written by us. Nor is one that came with a copy of the folder: the node it names runs on another
/// folder, and what is asked of the copy must not be answered, or done, there.
fn noted(folder: &Path) -> Option<(RunNote, String, [u8; 32])> {
    let note: RunNote = serde_json::from_slice(&small(&folder.join(RUN_FILE))?).ok()?;
    if !is_same_folder(note.token_file.parent()?, folder)? {
        return None;
    }
    let token = String::from_utf8(small(&note.token_file)?).ok()?.trim().to_owned();
    let mut key = [0; 32];
    hex::decode_to_slice(&token, &mut key).ok()?;
    let rest = note.api.strip_prefix("http://")?;
    rest.parse::<std::net::SocketAddr>().ok().filter(|at| at.ip().is_loopback())?;
    Some((note, token, key))
}

/// Whether two names are one folder, however they lead there: by links, or mounted twice.
#[cfg(unix)]
fn is_same_folder(one: &Path, other: &Path) -> Option<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let place = |path: &Path| path.metadata().map(|it| (it.dev(), it.ino())).ok();
    Some(place(one)? == place(other)?)
}

/// The same where a folder has no number.
#[cfg(not(unix))]
fn is_same_folder(one: &Path, other: &Path) -> Option<bool> {
    Some(one.canonicalize().ok()? == other.canonicalize().ok()?)
}

/// Whether there is a process of that number, ours to look at or not.
#[cfg(unix)]
fn is_alive(pid: u32) -> bool {
    use rustix::io::Errno;
    use rustix::process::{Pid, test_kill_process};
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| test_kill_process(pid) != Err(Errno::SRCH))
}

/// The same where that cannot be asked: whoever holds the folder and the port is taken for it.
#[cfg(not(unix))]
const fn is_alive(_pid: u32) -> bool {
    true
}

/// A small file's bytes.
fn small(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path).ok()?.take(NOTE_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Where we stand, if the question names files from here: the node stands elsewhere, so they travel
/// whole, and come back as they were typed.
struct Here {
    /// Our folder, where a file was named from it.
    folder: Option<String>,
    /// What the node calls the files, and what a person typed.
    typed: Places,
}

impl Here {
    fn of<A: Ask>(ask: &mut A, data: &Path) -> Result<Self, Failure> {
        let (mut here, mut as_typed) = (None, Vec::new());
        for file in ask.files() {
            as_typed.push(file.display().to_string());
            if file.is_relative() {
                let whole = std::path::absolute(&*file);
                let whole = whole.map_err(|error| Failure::file("read", file, error))?;
                *file = whole;
                // What is taken out of every text must be more than a slash.
                let folder = std::path::absolute(".").ok().filter(|it| it.parent().is_some());
                here = folder.map(|folder| folder.join("").display().to_string());
            }
        }
        let mut typed = Places::default();
        for (path, name) in as_typed.into_iter().zip(Places::names(ask)) {
            typed.add(path, name);
        }
        typed.add(data.display().to_string(), DATA.to_owned());
        Ok(Self { folder: here, typed })
    }

    /// The answer with our folder taken out of its texts, and in its failure the typed paths.
    fn told(&self, mut answer: Value) -> Value {
        if let Some(here) = &self.folder {
            without(&mut answer, here);
        }
        if let Some(error) = answer.get_mut("error") {
            self.typed.show(error);
        }
        answer
    }
}

fn without(value: &mut Value, here: &str) {
    match value {
        Value::String(text) => *text = text.replace(here, ""),
        Value::Array(items) => items.iter_mut().for_each(|item| without(item, here)),
        Value::Object(fields) => fields.values_mut().for_each(|field| without(field, here)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
