//! Live: a node that stays up, and what it says to its neighbours while it does.
//!
//! ```text
//!   net (sockets) ──frames──► runner ──► exchange ──► session ──► node (replica, stores)
//!                 ◄─frames───        ◄── acts     ◄── outputs
//! ```
//! `exchange.rs` every conversation and what follows from news: no socket, no task, time as an
//! argument · `conversation.rs` one link's session and its figures · `book.rs` the rows that are
//! held, `rows.rs` what is told of them · `calls.rs` whom to dial, and when · `event.rs` what may be told · `runner.rs` the one
//! thread that owns the node, and the tasks that feed it.

pub mod book;
pub mod calls;
mod conversation;
pub mod event;
pub mod exchange;
pub mod meet;
mod rows;
pub mod runner;

pub use event::{Event, Figures, Moved, Seen, SeenArea, Why};
pub use exchange::{Act, Exchange, LinkId, Opened};
pub use meet::{MeetError, Waited, meet};
pub use runner::{RunAsk, Running, Stopped};
