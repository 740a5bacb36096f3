//! Counts for Prometheus: what a hub does, in numbers. No device, area or address is in it.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use node::live::Figures;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::seats::Seats;
use super::server::Shared;
use crate::descriptors;

/// The text format of `OpenMetrics`.
const TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The line that counts the bytes a node sent.
pub(super) const SENT_BYTES: &str = "wksbm_sent_bytes_total ";

/// Answers `GET /metrics`.
pub(super) async fn get(shared: &Shared) -> Response {
    let running = &shared.running;
    let held = running.ask(|node| node.status()).await.ok().and_then(Result::ok);
    let mut registry = Registry::with_prefix("wksbm");
    counts(&mut registry, running.figures());
    connections(&mut registry, &shared.seats);
    if let Some(status) = held {
        let gauges = [
            ("records", "Records that count", status.records),
            ("entries", "Entries held", status.entries),
            ("feeds", "Feeds held", status.feeds),
            ("set_aside", "Records that weigh too much and are set aside", status.set_aside),
            ("waiting_deps", "Records that wait for an entry not held", status.waiting_deps),
            ("quarantined", "Entries held that do not count", status.quarantined),
            ("conflicts", "Fields of two values or more", status.conflicts),
            ("forks", "Feeds written twice", status.forks.len() as u64),
            ("store_bytes", "Bytes of both stores", status.store.bytes),
        ];
        for (name, help, value) in gauges {
            gauge(&mut registry, name, help, value);
        }
    }
    let mut text = String::new();
    if encode(&mut text, &registry).is_err() {
        text.clear();
    }
    ([(CONTENT_TYPE, TYPE)], text).into_response()
}

fn counts(registry: &mut Registry, figures: &Figures) {
    gauge(registry, "links", "Links that stand", figures.links.load(Ordering::Relaxed) as u64);
    let counts = [
        ("comparisons_equal", "Comparisons that ended equal", &figures.equal),
        ("comparisons_unequal", "Comparisons that did not", &figures.unequal),
        ("entries_received", "Entries that came and were new", &figures.entries_received),
        ("entries_sent", "Entries that went", &figures.entries_sent),
        ("received_bytes", "Bytes of frames that came", &figures.bytes_received),
        ("sent_bytes", "Bytes of frames that went", &figures.bytes_sent),
        ("received_frames", "Frames that came", &figures.frames_received),
        ("sent_frames", "Frames that went", &figures.frames_sent),
    ];
    for (name, help, count) in counts {
        counter(registry, name, help, count);
    }
}

/// The local API's own.
fn connections(registry: &mut Registry, seats: &Seats) {
    gauge(registry, "api_connections", "Connections to the local API", seats.taken());
    let (refused, gave_way) = (&seats.refused, &seats.gave_way);
    counter(registry, "api_refused", "Connections closed at once: all seats were taken", refused);
    counter(registry, "api_gave_way", "Connections closed for one that came later", gave_way);
    if let Some(most) = descriptors::most() {
        gauge(registry, "open_files_max", "Files and sockets this process may open", most);
    }
}

fn counter(registry: &mut Registry, name: &str, help: &str, count: &AtomicU64) {
    let counter: Counter = Counter::default();
    counter.inc_by(count.load(Ordering::Relaxed));
    registry.register(name, help, counter);
}

fn gauge(registry: &mut Registry, name: &str, help: &str, value: u64) {
    let gauge: Gauge = Gauge::default();
    gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
    registry.register(name, help, gauge);
}
