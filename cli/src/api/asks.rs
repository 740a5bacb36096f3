//! One question, from its bytes to its answer.
//!
//! Questions wait for the node one after the other. One whose asker went away, or stopped it by
//! name, ends where its work is whole, and one that still waits is never begun.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use node::ask::{self, Ask};
use node::error::NodeError;
use node::live::{Doing, Running};
use node::progress::Progress;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::error::Category;
use tokio::sync::broadcast;
use tokio::time::Instant;

use super::events::Step;
use super::places::Places;
use super::server::Shared;
use super::table::But;
use super::{ASK_HEADER, reply};
use crate::error::Failure;
use crate::report::Report;
use crate::words::Fact;

/// How often progress is told at most.
const STEP_EVERY: Duration = Duration::from_millis(100);
/// Letters of a question's name.
const NAME_MAX: usize = 64;

/// Questions under way that bear a name.
#[derive(Debug, Default)]
pub(super) struct Named(Mutex<BTreeMap<String, Arc<Mark>>>);

/// What is known of one question.
#[derive(Debug, Default)]
struct Mark {
    /// Nobody waits for it any more.
    gone: AtomicBool,
    /// Its turn has come.
    begun: AtomicBool,
}

impl Named {
    /// Stops a question; whether there is one of that name.
    pub(super) fn stop(&self, name: &str) -> bool {
        let named = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = named.get(name);
        found.inspect(|mark| mark.gone.store(true, Ordering::SeqCst)).is_some()
    }

    /// Whether a question's turn has come; `None` where there is none of that name.
    fn has_begun(&self, name: &str) -> Option<bool> {
        let named = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        named.get(name).map(|mark| mark.begun.load(Ordering::SeqCst))
    }

    fn add(&self, name: &str) -> Option<Arc<Mark>> {
        let mut named = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if named.contains_key(name) {
            return None;
        }
        let mark = Arc::new(Mark::default());
        named.insert(name.to_owned(), Arc::clone(&mark));
        Some(mark)
    }

    fn remove(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

/// Refuses what no question can bear as its name.
fn must_be_name(name: &str) -> Result<(), Failure> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_name = (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(plain);
    if is_name { Ok(()) } else { Err(Failure::usage("usage-api-name", Vec::new())) }
}

/// Somebody waits for the answer, as long as this lives.
struct Asker {
    shared: Arc<Shared>,
    name: Option<String>,
    mark: Arc<Mark>,
}

impl Asker {
    fn new(shared: Arc<Shared>, headers: &HeaderMap) -> Result<Self, Failure> {
        let wrong = || Failure::usage("usage-api-name", Vec::new());
        let name = match headers.get(ASK_HEADER) {
            None => None,
            Some(name) => {
                let name = name.to_str().map_err(|_| wrong())?;
                must_be_name(name)?;
                Some(name.to_owned())
            }
        };
        let mark = match &name {
            None => Arc::default(),
            Some(name) => shared.named.add(name).ok_or_else(wrong)?,
        };
        Ok(Self { shared, name, mark })
    }

    fn watch(&self) -> Watch {
        let name = self.name.clone();
        Watch { name, mark: Arc::clone(&self.mark), steps: self.shared.steps.clone(), told: None }
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        self.mark.gone.store(true, Ordering::SeqCst);
        if let Some(name) = &self.name {
            self.shared.named.remove(name);
        }
    }
}

/// Tells how far a question is, and whether to go on.
struct Watch {
    name: Option<String>,
    mark: Arc<Mark>,
    steps: broadcast::Sender<Step>,
    told: Option<Instant>,
}

impl Progress for Watch {
    fn at(&mut self, done: u64, total: u64) -> bool {
        let is_due = self.told.is_none_or(|told| told.elapsed() >= STEP_EVERY);
        if let Some(ask) = self.name.as_ref().filter(|_| is_due || (total > 0 && done == total)) {
            self.told = Some(Instant::now());
            // Nobody need listen.
            drop(self.steps.send(Step { ask: ask.clone(), done, total }));
        }
        !self.mark.gone.load(Ordering::SeqCst)
    }
}

/// Answers one question.
pub(super) async fn put<A: Ask>(
    shared: Arc<Shared>,
    headers: HeaderMap,
    body: Bytes,
    but: But<A>,
) -> Response {
    let language = reply::language(&headers);
    let no = |failure: &Failure| reply::failure(failure, language, Some(A::PATH));
    let mut ask: A = match read(&headers, &body).and_then(whole) {
        Err(failure) => return no(&failure),
        Ok(ask) => ask,
    };
    let places = Places::of(&mut ask).with_data(&shared.folder);
    let answered = answered(shared, &headers, ask).await;
    match answered.and_then(|answer| Ok((Report::object(&answer)?, but(&answer)))) {
        Err(failure) => no(&places.hide(failure)),
        Ok((report, but)) => {
            let mut object = report.json();
            if let (Some(failure), Value::Object(fields)) = (but, &mut object) {
                let failure = places.hide(failure);
                let error = reply::error(&failure, language, Some(A::PATH));
                fields.insert("error".to_owned(), error);
            }
            reply::object(StatusCode::OK, &object)
        }
    }
}

async fn answered<A: Ask>(
    shared: Arc<Shared>,
    headers: &HeaderMap,
    ask: A,
) -> Result<A::Answer, Failure> {
    let asker = Asker::new(Arc::clone(&shared), headers)?;
    let mut watch = asker.watch();
    let dials = (A::CHANGES && A::PATH.starts_with("peer/")).then(|| dials(&shared.running));
    let before = match dials {
        Some(dials) => Some(dials.await?),
        None => None,
    };
    let answer = shared.running.ask_as(A::PATH, move |node| {
        watch.mark.begun.store(true, Ordering::SeqCst);
        ask::put(ask, node, &mut watch)
    });
    let answer = answer.await.map_err(|_| stopped(&shared.running))??;
    if let Some(before) = before {
        redial(&shared.running, &before).await?;
    }
    drop(asker);
    Ok(answer)
}

/// The question in a body; an empty one is the question without anything.
pub(super) fn read<A: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<A, Failure> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let kind = kind.map(|it| it.split(';').next().unwrap_or_default().trim());
    if !body.is_empty() && !kind.is_some_and(|it| it.eq_ignore_ascii_case("application/json")) {
        return Err(Failure::usage("usage-api-type", Vec::new()));
    }
    let body = if body.is_empty() { b"{}" } else { body };
    // The reader below takes a list for an object too, its items for the fields in their order.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(Failure::usage("usage-api-object", Vec::new()));
    }
    serde_json::from_slice(body).map_err(|error| unreadable(&error))
}

/// What is wrong with a body. Only a field that is missing is named: elsewhere the reader quotes what
/// was sent, and a name or a NIK may stand where a field belongs.
fn unreadable(error: &serde_json::Error) -> Failure {
    let said = error.to_string();
    let missing = said.strip_prefix("missing field `").and_then(|it| it.split_once('`'));
    if let Some((field, _)) = missing {
        return Failure::usage("usage-api-missing", vec![Fact::new("field", field)]);
    }
    let facts = vec![Fact::new("line", error.line()), Fact::new("column", error.column())];
    let key = match error.classify() {
        Category::Data if said.starts_with("unknown field") => "usage-api-unknown",
        Category::Data => "usage-api-form",
        Category::Io | Category::Syntax | Category::Eof => "usage-api-json",
    };
    Failure::usage(key, facts)
}

/// The question, if every file it names is named whole: the asker stands elsewhere than the node.
fn whole<A: Ask>(mut ask: A) -> Result<A, Failure> {
    match Places::relative(&mut ask) {
        Some(field) => Err(Failure::usage("usage-api-relative", vec![Fact::new("field", field)])),
        None => Ok(ask),
    }
}

/// Where the node is to dial.
async fn dials(running: &Running) -> Result<Vec<String>, Failure> {
    Ok(running.ask(|node| node.addresses_to_dial()).await.map_err(|_| stopped(running))??)
}

/// What was added is dialled now, what was removed no longer.
async fn redial(running: &Running, before: &[String]) -> Result<(), Failure> {
    let now = dials(running).await?;
    let fresh = now.iter().filter(|it| !before.contains(it)).filter_map(|it| it.parse().ok());
    for address in fresh {
        running.want(address).await.map_err(|_| stopped(running))?;
    }
    let gone = before.iter().filter(|it| !now.contains(it)).filter_map(|it| it.parse().ok());
    for address in gone {
        running.forget(address).await.map_err(|_| stopped(running))?;
    }
    Ok(())
}

/// The node ended meanwhile: as a person wished, or over a mistake of ours.
fn stopped(running: &Running) -> Failure {
    match running.broken() {
        Some(at) => crate::stopped(Some(at)),
        None => NodeError::Interrupted.into(),
    }
}

/// How long a question has to wait yet, as far as that can be told.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Turn {
    /// `waiting`, `begun`, or `unknown` where there is no question of that name.
    pub(super) state: Cow<'static, str>,
    /// What the node works on now.
    pub(super) at_work: Option<AtWork>,
}

/// What a node works on.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AtWork {
    /// The path of a question, or `peers` for what a peer sent; null for all else.
    pub(super) on: Option<Cow<'static, str>>,
    /// For how long already, in whole seconds.
    pub(super) seconds: u64,
}

/// Of [`Turn::state`]: it is worked on.
pub(super) const BEGUN: &str = "begun";
/// Of [`Turn::state`]: its turn has not come. Stopped now, it is never begun: whoever begins it says so
/// first, and looks then whether it was stopped.
pub(super) const WAITING: &str = "waiting";
/// In the place of a question's path: what a peer sent.
pub(super) const ON_PEERS: &str = "peers";

/// Says whether a question's turn has come, and what it waits for. The node itself is not asked: it
/// is at work.
pub(super) fn turn(shared: &Shared, headers: &HeaderMap, name: &str) -> Response {
    let no = |failure: &Failure| reply::failure(failure, reply::language(headers), None);
    if let Err(failure) = must_be_name(name) {
        return no(&failure);
    }
    let state = match shared.named.has_begun(name) {
        Some(true) => BEGUN,
        Some(false) => WAITING,
        None => "unknown",
    };
    let at_work = shared.running.at_work().map(|work| AtWork {
        on: match work.doing {
            Doing::Question("") | Doing::Itself => None,
            Doing::Question(path) => Some(path.into()),
            Doing::Peers => Some(ON_PEERS.into()),
        },
        seconds: work.since.as_secs(),
    });
    let turn = Turn { state: state.into(), at_work };
    match Report::object(&turn) {
        Ok(report) => reply::object(StatusCode::OK, &report.json()),
        Err(failure) => no(&failure),
    }
}

/// Stops a question by its name.
pub(super) fn stop(shared: &Shared, headers: &HeaderMap, name: &str) -> Response {
    let unknown = || Failure::usage("usage-api-no-ask", Vec::new());
    let found =
        must_be_name(name).and_then(|()| shared.named.stop(name).then_some(()).ok_or_else(unknown));
    match found {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(failure) => reply::failure(&failure, reply::language(headers), None),
    }
}

#[cfg(test)]
mod tests {
    use node::ask::ListRecords;

    use super::*;

    #[test]
    fn a_name_where_a_field_belongs_is_not_repeated() {
        let headers = HeaderMap::from_iter([(
            header::CONTENT_TYPE,
            axum::http::HeaderValue::from_static("application/json"),
        )]);
        let refused = read::<ListRecords>(&headers, br#"{"SitiContoh3209210101990001":1}"#).err();
        let told = refused.map(|it| it.json().to_string()).unwrap_or_default();
        assert!(told.contains("line 1,") && !told.contains("Siti"), "{told}");
    }
}
