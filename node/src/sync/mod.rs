//! Reconciling two nodes: what each holds, compared and completed. No socket, no clock, no disk.
//!
//! `summary.rs` every head in memory, hashed along today's tree · `message.rs` what is said, and
//! every limit · `codec.rs` its bytes · `request.rs` what a session asks of the world · `session.rs`
//! the state machine, with `opening.rs`, `descend.rs`, `transfer.rs`, `branch.rs`, `push.rs`,
//! `receipts.rs`, `since.rs` and `numbers.rs` its parts · `receipt.rs` the rows · `driver.rs` answers requests
//! over a feed store, and runs two sessions against each other · `table.rs` how full is what a peer can fill.

mod branch;
pub mod codec;
#[cfg(test)]
mod codec_tests;
mod descend;
pub mod driver;
#[cfg(test)]
mod measure;
pub mod message;
mod numbers;
mod opening;
mod push;
pub mod receipt;
mod receipts;
pub mod request;
pub mod session;
mod since;
pub mod summary;
mod table;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod transfer;
mod tree;
#[cfg(test)]
mod world;

pub use message::{EndReason, HEADS_PER_FEED_MAX, Since, Stream};
pub use receipt::{DeviceRow, ReceiptRow, RowHead, RowKey};
pub(crate) use receipts::Hears;
pub use request::{Answer, Input, Local, Output, Report, Request, RequestId, Taken};
pub use session::{Phase, Role, Session};
pub use summary::{Counts, CutRoot, HeldHeads, Root, Summary, Tree, empty_root};
pub use table::Table;
