//! Meeting a peer: asked of the runner, because the node itself knows no socket.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use node::net::Multiaddr;

use super::reply;
use super::server::Shared;
use crate::commands::sync::{Meeting, meet_at, not_equal};
use crate::error::Failure;
use crate::report::Report;
use crate::words::Fact;

/// Seconds a peer may take at most: a day.
const SECONDS_MAX: u64 = 86_400;

/// Answers `POST /v1/sync`.
pub(super) async fn put(shared: Arc<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let language = reply::language(&headers);
    match met(&shared, &body).await {
        Ok((status, report)) => reply::object(status, &report.json()),
        Err(failure) => reply::failure(&failure, language),
    }
}

async fn met(shared: &Shared, body: &[u8]) -> Result<(StatusCode, Report), Failure> {
    let wrong = |what: String| Failure::usage("usage-api-body", vec![Fact::new("what", what)]);
    let asked: Meeting =
        serde_json::from_slice(body).map_err(|error| wrong(format!("{:?}", error.classify())))?;
    let peers = asked.peers.iter().map(|peer| peer.parse()).collect::<Result<Vec<Multiaddr>, _>>();
    let peers = peers.map_err(|_| wrong("peers".to_owned()))?;
    let synced = meet_at(&shared.running, &peers, asked.timeout.clamp(1, SECONDS_MAX)).await?;
    let failure = not_equal(&synced);
    let status = failure.as_ref().map_or(StatusCode::OK, |it| reply::status(it.exit()));
    Ok((status, Report::object(&synced)?.but(failure)))
}
