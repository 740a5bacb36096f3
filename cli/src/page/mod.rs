//! The first page: what a village office sees when it opens its node in a browser.
//!
//! Read only, Indonesian, no script: everything is one document, one style sheet and one small
//! picture from this machine, and nothing else may load (the policy in `routes.rs`). Each page is
//! one question to the node, so all that stands on it is of one moment; what the node answered
//! becomes words in pure functions, and the templates only escape and lay out.
//!
//! | file | holds |
//! |---|---|
//! | `source.rs` | who answers: a running node, or whatever a test puts there |
//! | `routes.rs` | addresses, headers, the forms |
//! | `searches.rs` | what was searched for, so that no address ever holds a name or a NIK |
//! | `frame.rs` | what stands on every page: who this node is |
//! | `honest.rs` | the one line about sync, which claims nothing a receipt does not prove |
//! | `alarms.rs` | what a person should act on |
//! | `home.rs`, `list.rs`, `record.rs`, `conflicts.rs`, `network.rs` | one page each |
//! | `diagram.rs` | the picture of who is connected to whom |
//! | `value.rs` | a stored value as people read it |
//! | `said.rs` | places, devices, numbers and moments in Indonesian |
//! | `refusal.rs` | the page that says why not |

mod alarms;
mod conflicts;
mod diagram;
mod frame;
mod home;
mod honest;
mod list;
mod network;
mod record;
mod refusal;
mod routes;
mod said;
mod searches;
mod source;
#[cfg(test)]
mod testing;
mod value;

pub use routes::{assets, door, router};
pub use source::{Desk, Source};
