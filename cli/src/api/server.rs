//! Listens on loopback, notes in the data folder where, and ends in good order.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path as Named, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use futures_util::StreamExt as _;
use node::ask::Ask;
use node::clock::SystemEntropy;
use node::error::NodeError;
use node::live::Running;
use node::net::ListenFailure;
use node::ports::Entropy;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;

use super::events::Step;
use super::guard::Guard;
use super::notes::Notes;
use super::seats::{self, Limits, Seat, Seats};
use super::table::{But, Visit, each};
use super::{BODY_BYTES_MAX, LINK_PATH, MEET_PATH, asks, events, meet, metrics, openapi, reply};
use crate::commands::run::not_listening;
use crate::error::Failure;
use crate::page;
use crate::settings::Language;
use crate::words::Fact;

/// Steps a slow listener may lag behind before it misses some.
const STEPS_MAX: usize = 256;
/// For a body that was refused to end all the same.
const FORGET: Duration = Duration::from_secs(2);
/// Letters a nonce may have.
const NONCE_MAX: usize = 64;

/// How to serve.
#[derive(Debug, Clone)]
pub struct ApiAsk {
    /// Where to listen; loopback, port 0 for any that is free.
    pub listen: SocketAddr,
    /// The data folder, where the token and `run.json` are kept.
    pub folder: PathBuf,
    /// What connections may take.
    pub limits: Limits,
}

/// The API of a node that runs.
#[derive(Debug)]
pub struct Api {
    /// Where it answers, `http://127.0.0.1:PORT`.
    pub url: String,
    /// The file with the token of this run.
    pub token_file: PathBuf,
    shared: Arc<Shared>,
    end: watch::Sender<bool>,
    task: JoinHandle<()>,
    /// Taken away when this is dropped.
    _notes: Notes,
}

/// What every request has at hand.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) running: Running,
    pub(super) named: asks::Named,
    pub(super) steps: broadcast::Sender<Step>,
    pub(super) ending: watch::Receiver<bool>,
    pub(super) seats: Arc<Seats>,
    /// The data folder, which no answer names.
    pub(super) folder: PathBuf,
    url: String,
    guard: Guard,
    trial: bool,
}

impl Shared {
    /// A new link for one browser.
    fn link(&self) -> Result<String, Failure> {
        let secret = self.guard.link(secret()?);
        Ok(format!("{}/enter?token={secret}", self.url))
    }
}

/// Serves the API of a running node, in the runtime of the caller.
///
/// # Errors
/// [`Failure`] when the address is not loopback or taken, or the folder cannot be written.
pub async fn serve(running: Running, ask: ApiAsk) -> Result<Api, Failure> {
    if !ask.listen.ip().is_loopback() {
        let facts = vec![Fact::new("address", ask.listen)];
        return Err(Failure::usage("usage-api-loopback", facts));
    }
    let unbound = |error: std::io::Error| {
        not_listening(&ask.listen.to_string(), ListenFailure::of(&error), &error.to_string())
    };
    let listener = seats::listen(ask.listen).map_err(unbound)?;
    let bound = listener.local_addr().map_err(unbound)?;
    let token = secret()?;
    let trial = running.ask(|node| node.is_trial()).await;
    let trial = trial.map_err(|_| Failure::from(NodeError::Interrupted))?;
    let (end, ending) = watch::channel(false);
    let shared = Arc::new(Shared {
        running,
        named: asks::Named::default(),
        steps: broadcast::channel(STEPS_MAX).0,
        ending: ending.clone(),
        seats: Seats::new(ask.limits),
        folder: ask.folder.clone(),
        url: format!("http://{bound}"),
        guard: Guard::new(token, bound),
        trial,
    });
    let notes = Notes::new(&ask.folder, bound, &token)?;
    let router = router(Arc::clone(&shared));
    let task = tokio::spawn(seats::serve(listener, router, Arc::clone(&shared.seats), ending));
    let (url, token_file) = (notes.url.clone(), notes.token_file.clone());
    Ok(Api { url, token_file, shared, end, task, _notes: notes })
}

fn secret() -> Result<[u8; 32], Failure> {
    let mut bytes = [0; 32];
    let filled = SystemEntropy.fill(&mut bytes);
    filled.map_err(|error| NodeError::Internal { what: error.to_string() })?;
    Ok(bytes)
}

impl Api {
    /// A link to open in a browser of this machine: it serves once, and not for long.
    ///
    /// # Errors
    /// [`Failure`] when the system has no randomness.
    pub fn link(&self) -> Result<String, Failure> {
        self.shared.link()
    }

    /// Takes no more questions and lets those under way end. The notes stay until this is dropped: as
    /// long as the store is held they say by whom.
    pub async fn stop(&mut self) {
        // If nobody listens any more it has ended already.
        self.end.send_replace(true);
        drop((&mut self.task).await);
    }
}

struct Routes(Router<Arc<Shared>>);

impl Visit for Routes {
    fn ask<A: Ask>(&mut self, but: But<A>) {
        let put = move |State(shared), headers: HeaderMap, body: Bytes| {
            asks::put::<A>(shared, headers, body, but)
        };
        let router = std::mem::take(&mut self.0);
        self.0 = router.route(&format!("/v1/{}", A::PATH), post(put));
    }
}

fn router(shared: Arc<Shared>) -> Router {
    let mut routes = Routes(Router::new());
    each(&mut routes);
    let inside = routes
        .0
        .route("/v1/events", get(listen))
        .route("/v1/openapi.json", get(describe))
        .route(&format!("/v1/{MEET_PATH}"), post(meet_peer))
        .route(&format!("/v1/{LINK_PATH}"), post(link))
        .route("/metrics", get(measured))
        .route("/v1/asks/{name}", get(turn).delete(stop))
        .route("/v1/{*path}", any(nothing))
        .fallback_service(page::router(page::Desk::new(shared.running.clone())))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), inside));
    Router::new()
        .route("/v1/hello", get(hello))
        .route("/enter", get(enter).head(looked_at))
        .merge(page::assets())
        .merge(inside)
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), outside))
        .with_state(shared)
}

/// Refuses what was not meant for us, and keeps answers out of every cache.
async fn outside(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let (language, browser) = (reply::language(request.headers()), is_browser(request.headers()));
    let mut response = match shared.guard.is_meant(request.headers()) {
        Ok(()) => told(next.run(request).await, language, browser),
        Err(refusal) => reply::failure(&refusal.failure(), language, None),
    };
    let headers = response.headers_mut();
    // A style sheet says itself how long it may be kept.
    let kept = headers.entry(header::CACHE_CONTROL);
    kept.or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// What the server beneath refuses in a bare line, and to a program the page that says there is no
/// such page, becomes the object of every failure, with the headers it came with.
fn told(bare: Response, language: Language, browser: bool) -> Response {
    let kind = bare.headers().get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let is = |name: &str| kind.is_some_and(|kind| kind.starts_with(name));
    let is_bare = kind.is_none() || is("text/plain") || (is("text/html") && !browser);
    let Some(failure) = reply::refusal(bare.status()).filter(|_| is_bare) else { return bare };
    let (mut told, bare) = (reply::failure(&failure, language, None), bare.into_parts().0);
    for (name, value) in &bare.headers {
        if ![header::CONTENT_TYPE, header::CONTENT_LENGTH].contains(name) {
            told.headers_mut().insert(name, value.clone());
        }
    }
    *told.status_mut() = bare.status;
    told
}

/// Refuses who does not show the token, and a body that says itself that it is too large.
async fn inside(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    if let Err(refusal) = shared.guard.may(request.method(), request.headers()) {
        return stranger(&refusal.failure(), request.headers());
    }
    if let Some(seat) = request.extensions().get::<Arc<Seat>>() {
        seat.is_known();
    }
    if said_length(request.headers()).is_some_and(|length| length > BODY_BYTES_MAX as u64) {
        return too_large(request);
    }
    next.run(request).await
}

/// How long a body will be, as its asker says.
fn said_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Refuses a body before it comes. One that is on its way is read and forgotten for a moment: a
/// connection closed over bytes nobody read takes the answer with it.
fn too_large(request: Request) -> Response {
    let failure = Failure::usage("usage-api-large", Vec::new());
    let refused = reply::failure(&failure, reply::language(request.headers()), None);
    // Who asked first whether to send it has sent nothing.
    if !request.headers().contains_key(header::EXPECT) {
        let mut body = request.into_body().into_data_stream();
        let forgotten = async move { while let Some(Ok(_)) = body.next().await {} };
        tokio::spawn(tokio::time::timeout(FORGET, forgotten));
    }
    refused
}

/// Says no to who may not look: to a person in a browser with a page that says how to come in.
fn stranger(failure: &Failure, headers: &HeaderMap) -> Response {
    if is_browser(headers) {
        return page::door();
    }
    reply::failure(failure, reply::language(headers), None)
}

/// Whether a person reads the answer in a browser.
fn is_browser(headers: &HeaderMap) -> bool {
    let accepts = headers.get(header::ACCEPT).and_then(|it| it.to_str().ok());
    accepts.is_some_and(|kinds| kinds.contains("text/html"))
}

/// One value of a query.
fn queried<'a>(uri: &'a Uri, name: &str) -> Option<&'a str> {
    let pairs = uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(key, _)| *key == name).map(|(_, value)| value).next()
}

/// Shows that this is the node it says it is, before anybody trusts it with a token.
async fn hello(State(shared): State<Arc<Shared>>, uri: Uri) -> Response {
    let nonce = queried(&uri, "nonce").unwrap_or_default();
    let nonce = nonce.get(..NONCE_MAX).unwrap_or(nonce);
    let proof = shared.guard.proof(nonce);
    reply::object(StatusCode::OK, &json!({"v": 1, "proof": proof, "trial": shared.trial}))
}

/// A browser with a link gets its cookie, and an address without the secret.
async fn enter(State(shared): State<Arc<Shared>>, headers: HeaderMap, uri: Uri) -> Response {
    let secret = queried(&uri, "token").unwrap_or_default();
    let Some(cookie) = shared.guard.enter(secret) else {
        return stranger(&Failure::usage("usage-api-link", Vec::new()), &headers);
    };
    let to = [(header::LOCATION, "/".to_owned()), (header::SET_COOKIE, cookie)];
    (StatusCode::SEE_OTHER, to).into_response()
}

/// Programs that only look at a link, as those that show what it leads to, must not use it up.
async fn looked_at() -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET")]).into_response()
}

async fn listen(State(shared): State<Arc<Shared>>, headers: HeaderMap, uri: Uri) -> Response {
    let Some(place) = shared.seats.stream() else {
        let failure = Failure::usage("usage-api-streams", Vec::new());
        return reply::failure(&failure, reply::language(&headers), None);
    };
    events::stream(&shared, queried(&uri, "ask").map(str::to_owned), place)
}

async fn meet_peer(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    meet::put(shared, headers, body).await
}

async fn measured(State(shared): State<Arc<Shared>>) -> Response {
    metrics::get(&shared).await
}

/// A question without anything.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

async fn link(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    match asks::read(&headers, &body).and_then(|Nothing {}| shared.link()) {
        Ok(link) => reply::object(StatusCode::OK, &json!({"v": 1, "link": link})),
        Err(failure) => reply::failure(&failure, reply::language(&headers), Some(LINK_PATH)),
    }
}

async fn describe() -> Response {
    reply::object(StatusCode::OK, &openapi())
}

async fn turn(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Named(name): Named<String>,
) -> Response {
    asks::turn(&shared, &headers, &name)
}

async fn stop(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Named(name): Named<String>,
) -> Response {
    asks::stop(&shared, &headers, &name)
}

async fn nothing(headers: HeaderMap) -> Response {
    let failure = Failure::usage("usage-api-path", Vec::new());
    reply::failure(&failure, reply::language(&headers), None)
}
