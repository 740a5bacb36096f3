//! The local API: what the command line can do, any program on this machine can do as well.
//!
//! One node runs, and owns its stores; commands, pages and scripts ask it over HTTP on loopback.
//! Every question is a type of [`node::ask`] and stands once, in `table.rs`: routes, the description
//! and the client follow from it.
//!
//! | file | holds |
//! |---|---|
//! | `table.rs` | every question that has a route, and when its answer is not whole |
//! | `server.rs` | listens, ends |
//! | `notes.rs` | the files that say where |
//! | `seats.rs` | connections: how many, how long in silence, which gives way |
//! | `guard.rs` | who may ask: host, origin, token |
//! | `asks.rs` | one question from its bytes to its answer; who stops it |
//! | `events.rs` | what happens, as a stream |
//! | `meet.rs` | meeting a peer, which is the runner's and not the node's |
//! | `metrics.rs` | counts for Prometheus |
//! | `reply.rs` | objects and failures as HTTP answers |
//! | `places.rs` | failures without the names of files |
//! | `openapi.rs` | the description, for people and generators |
//! | `client.rs` | the other side, as commands use it |

mod asks;
pub(crate) mod client;
mod events;
mod guard;
mod meet;
mod metrics;
mod notes;
mod openapi;
mod places;
mod reply;
mod seats;
mod server;
mod table;

pub use openapi::openapi;
pub use seats::Limits;
pub use server::{Api, ApiAsk, serve};

/// Names a question, so that its progress can be followed and it can be stopped.
const ASK_HEADER: &str = "wksbm-ask";
/// Names the file that says where the node of a folder answers.
const RUN_FILE: &str = "run.json";

/// Where a running node is told to meet a peer.
const MEET_PATH: &str = "sync";

/// Where a running node is told to make a link for a browser.
const LINK_PATH: &str = "page";

/// Bytes a question may have: the largest save has a fraction of it.
const BODY_BYTES_MAX: usize = 16 << 20;

/// Takes the note of a run away that is known to have ended.
pub(crate) fn forget_run(folder: &std::path::Path) {
    // Where it cannot be taken away it costs each command a moment.
    drop(std::fs::remove_file(folder.join(RUN_FILE)));
}

/// What `run.json` says.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct RunNote {
    pid: u32,
    /// Where it answers, `http://127.0.0.1:PORT`.
    api: String,
    /// The file that holds the token of this run.
    token_file: std::path::PathBuf,
}
