//! Meeting a peer: asked of the runner, because the node itself knows no socket.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use node::net::Multiaddr;
use node::node::must_be_dialled;

use super::server::Shared;
use super::{MEET_PATH, asks, reply};
use crate::commands::sync::{Meeting, SECONDS_MAX, meet_at, not_equal};
use crate::error::Failure;
use crate::report::Report;
use crate::words::Fact;

/// Answers `POST /v1/sync`.
pub(super) async fn put(shared: Arc<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let language = reply::language(&headers);
    match met(&shared, &headers, &body).await {
        Ok((report, None)) => reply::object(StatusCode::OK, &report.json()),
        Ok((report, Some(failure))) => {
            let mut object = report.json();
            let error = reply::error(&failure, language, Some(MEET_PATH));
            object.as_object_mut().and_then(|it| it.insert("error".to_owned(), error));
            reply::object(reply::status(failure.exit()), &object)
        }
        Err(failure) => reply::failure(&failure, language, Some(MEET_PATH)),
    }
}

async fn met(
    shared: &Shared,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(Report, Option<Failure>), Failure> {
    let asked: Meeting = asks::read(headers, body)?;
    let peers = asked.peers.iter().map(|peer| peer.parse()).collect::<Result<Vec<Multiaddr>, _>>();
    let peers = peers.map_err(|_| Failure::usage("usage-api-peer", Vec::new()))?;
    peers.iter().try_for_each(must_be_dialled)?;
    if !(1..=SECONDS_MAX).contains(&asked.timeout) {
        let facts = vec![Fact::new("max", SECONDS_MAX)];
        return Err(Failure::usage("usage-api-timeout", facts));
    }
    let synced = meet_at(&shared.running, &peers, asked.timeout).await?;
    let failure = not_equal(&synced);
    Ok((Report::object(&synced)?, failure))
}
