//! The facade on real files: offices that never meet and exchange nothing but files.
#![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

mod at_once;
mod bench;
mod bundles;
mod copies;
mod deadline;
#[expect(
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test that panics is a test that fails, and waits for one event of many"
)]
mod door;
mod ended;
#[expect(clippy::indexing_slicing, reason = "a test that panics is a test that fails")]
mod exchange;
mod grown;
mod province;
mod rehome;
mod resting;
mod room;
#[expect(clippy::indexing_slicing, reason = "a test that panics is a test that fails")]
mod rotten;
mod sessions;
#[expect(
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test that panics is a test that fails, and waits for one event of many"
)]
mod sockets;
mod standing;
mod twins;
