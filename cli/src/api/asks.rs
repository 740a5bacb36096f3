//! One question, from its bytes to its answer.
//!
//! Questions wait for the node one after the other. One whose asker went away, or stopped it by
//! name, ends where its work is whole, and one that still waits is never begun.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use node::ask::{self, Ask};
use node::error::NodeError;
use node::live::{Running, Stopped};
use node::progress::Progress;
use serde_json::Value;
use tokio::sync::broadcast;
use tokio::time::Instant;

use super::events::Step;
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
pub(super) struct Named(Mutex<BTreeMap<String, Arc<AtomicBool>>>);

impl Named {
    /// Stops a question; whether there is one of that name.
    pub(super) fn stop(&self, name: &str) -> bool {
        let named = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = named.get(name);
        found.inspect(|gone| gone.store(true, Ordering::Relaxed)).is_some()
    }

    fn add(&self, name: &str) -> Option<Arc<AtomicBool>> {
        let mut named = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if named.contains_key(name) {
            return None;
        }
        let gone = Arc::new(AtomicBool::new(false));
        named.insert(name.to_owned(), Arc::clone(&gone));
        Some(gone)
    }

    fn remove(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

/// Somebody waits for the answer, as long as this lives.
struct Asker {
    shared: Arc<Shared>,
    name: Option<String>,
    gone: Arc<AtomicBool>,
}

impl Asker {
    fn new(shared: Arc<Shared>, headers: &HeaderMap) -> Result<Self, Failure> {
        let wrong = || Failure::usage("usage-api-name", Vec::new());
        let name = match headers.get(ASK_HEADER) {
            None => None,
            Some(name) => {
                let name = name.to_str().map_err(|_| wrong())?;
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
                if name.is_empty() || name.len() > NAME_MAX || !name.bytes().all(plain) {
                    return Err(wrong());
                }
                Some(name.to_owned())
            }
        };
        let gone = match &name {
            None => Arc::default(),
            Some(name) => shared.named.add(name).ok_or_else(wrong)?,
        };
        Ok(Self { shared, name, gone })
    }

    fn watch(&self) -> Watch {
        let name = self.name.clone();
        Watch { name, gone: Arc::clone(&self.gone), steps: self.shared.steps.clone(), told: None }
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::Relaxed);
        if let Some(name) = &self.name {
            self.shared.named.remove(name);
        }
    }
}

/// Tells how far a question is, and whether to go on.
struct Watch {
    name: Option<String>,
    gone: Arc<AtomicBool>,
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
        !self.gone.load(Ordering::Relaxed)
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
    match answered::<A>(shared, &headers, &body).await {
        Err(failure) => reply::failure(&failure, language),
        Ok(answer) => match Report::object(&answer) {
            Err(failure) => reply::failure(&failure, language),
            Ok(report) => {
                let mut object = report.json();
                if let (Some(failure), Value::Object(fields)) = (but(&answer), &mut object) {
                    fields.insert("error".to_owned(), failure.told(language));
                }
                reply::object(StatusCode::OK, &object)
            }
        },
    }
}

async fn answered<A: Ask>(
    shared: Arc<Shared>,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<A::Answer, Failure> {
    let ask: A = read(headers, body)?;
    let asker = Asker::new(Arc::clone(&shared), headers)?;
    let mut watch = asker.watch();
    let dials = (A::CHANGES && A::PATH.starts_with("peer/")).then(|| dials(&shared.running));
    let before = match dials {
        Some(dials) => Some(dials.await?),
        None => None,
    };
    let answer = shared.running.ask(move |node| ask::put(ask, node, &mut watch));
    let answer = answer.await.map_err(stopped)??;
    if let Some(before) = before {
        redial(&shared.running, &before).await?;
    }
    drop(asker);
    Ok(answer)
}

/// The question in a body; an empty one is the question without anything.
fn read<A: Ask>(headers: &HeaderMap, body: &[u8]) -> Result<A, Failure> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let kind = kind.map(|it| it.split(';').next().unwrap_or_default().trim());
    if !body.is_empty() && kind != Some("application/json") {
        return Err(Failure::usage("usage-api-type", Vec::new()));
    }
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| {
        let facts = vec![Fact::new("what", unreadable(&error))];
        Failure::usage("usage-api-body", facts)
    })
}

/// What is wrong with a body. Only a field that is missing is named: elsewhere the reader quotes what
/// was sent, and a name or a NIK may stand where a field belongs.
fn unreadable(error: &serde_json::Error) -> String {
    let said = error.to_string();
    if said.starts_with("missing field") {
        return said;
    }
    let what = if said.starts_with("unknown field") { "a field that is none, " } else { "" };
    format!("{what}line {} column {}", error.line(), error.column())
}

/// Where the node is to dial.
async fn dials(running: &Running) -> Result<Vec<String>, Failure> {
    Ok(running.ask(|node| node.addresses_to_dial()).await.map_err(stopped)??)
}

/// What was added is dialled now, what was removed no longer.
async fn redial(running: &Running, before: &[String]) -> Result<(), Failure> {
    let now = dials(running).await?;
    let fresh = now.iter().filter(|it| !before.contains(it)).filter_map(|it| it.parse().ok());
    for address in fresh {
        running.want(address).await.map_err(stopped)?;
    }
    let gone = before.iter().filter(|it| !now.contains(it)).filter_map(|it| it.parse().ok());
    for address in gone {
        running.forget(address).await.map_err(stopped)?;
    }
    Ok(())
}

/// The node ended meanwhile.
fn stopped(_: Stopped) -> Failure {
    NodeError::Interrupted.into()
}

/// Stops a question by its name.
pub(super) fn stop(shared: &Shared, name: &str) -> Response {
    let status =
        if shared.named.stop(name) { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND };
    status.into_response()
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
        assert!(told.contains("line 1") && !told.contains("Siti"), "{told}");
    }
}
