//! Live: a node that stays up, and what it says to its neighbours while it does.
//!
//! ```text
//!   net (sockets) ──frames──► runner ──► exchange ──► session ──► node (replica, stores)
//!                 ◄─frames───        ◄── acts     ◄── outputs
//! ```
//! `exchange.rs` every conversation and what follows from news: no socket, no task, time as an
//! argument · `conversation.rs` one link's session and its figures · `book.rs` the rows that are
//! held, `rows.rs` what is told of them · `calls.rs` whom to dial, and when · `event.rs` what may be told · `runner.rs` the one
//! thread that owns the node, `pipes.rs` the tasks that feed it · `turned.rs` who came to a full door,
//! and `refusals.rs` who does not let this node in · `distrust.rs` whose words did not hold · `work.rs` what it works on now.

pub mod book;
pub mod calls;
mod conversation;
mod distrust;
pub mod event;
pub mod exchange;
pub mod meet;
mod pipes;
mod refusals;
mod rows;
pub mod runner;
mod turned;
mod work;

pub use event::{Event, Figures, Moved, Seen, SeenArea, Why};
pub use exchange::{Act, Exchange, LinkId, Opened};
pub use meet::{MeetError, Met, Waited, meet, meet_any};
pub use runner::{Reached, RunAsk, Running, Stopped, Wanted};
pub use work::{Doing, Work};
