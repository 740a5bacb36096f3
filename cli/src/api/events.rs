//! What happens, as a stream of server-sent events: sessions, peers, and how far long work is.
//!
//! No value of a record is in it. Who listens too slowly is told how many it missed.

use std::convert::Infallible;

use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, stream};
use node::live;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, broadcast, watch};

use super::server::Shared;

/// How far a question is.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub(super) struct Step {
    /// The name it was asked under.
    pub(super) ask: String,
    /// Steps behind us.
    pub(super) done: u64,
    /// Steps in all; 0 while it is not known.
    pub(super) total: u64,
}

struct Listener {
    /// Only this question's steps.
    only: Option<String>,
    live: broadcast::Receiver<live::Event>,
    steps: broadcast::Receiver<Step>,
    ending: watch::Receiver<bool>,
    /// Given back when whoever listens goes away.
    _place: OwnedSemaphorePermit,
}

/// The stream; with `only` the steps of one question.
pub(super) fn stream(
    shared: &Shared,
    only: Option<String>,
    place: OwnedSemaphorePermit,
) -> Response {
    let listener = Listener {
        only,
        live: shared.running.events(),
        steps: shared.steps.subscribe(),
        ending: shared.ending.clone(),
        _place: place,
    };
    Sse::new(events(listener)).keep_alive(KeepAlive::default()).into_response()
}

fn events(listener: Listener) -> impl Stream<Item = Result<sse::Event, Infallible>> {
    stream::unfold(listener, |mut listener| async move {
        let (name, mut object) = listener.next().await?;
        if let Value::Object(fields) = &mut object {
            fields.insert("event".to_owned(), name.clone().into());
        }
        let event = sse::Event::default().event(name).data(object.to_string());
        Some((Ok(event), listener))
    })
}

impl Listener {
    /// The next event's name and object; `None` once the node ends.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if *self.ending.borrow() {
                return None;
            }
            tokio::select! {
                _ = self.ending.changed() => return None,
                step = self.steps.recv() => match step {
                    Ok(step) if self.only.as_ref().is_none_or(|only| *only == step.ask) => {
                        return Some(("progress".to_owned(), json!(step)));
                    }
                    Err(RecvError::Closed) => return None,
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                },
                event = self.live.recv(), if self.only.is_none() => match event {
                    Ok(event) => return Some(named(&event)),
                    Err(RecvError::Lagged(missed)) => {
                        return Some(("missed".to_owned(), json!({"count": missed})));
                    }
                    Err(RecvError::Closed) => return None,
                },
            }
        }
    }
}

fn named(event: &live::Event) -> (String, Value) {
    let object = json!(event);
    let name = object.get("event").and_then(Value::as_str).unwrap_or_default().to_owned();
    (name, object)
}
