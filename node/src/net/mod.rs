//! The transport: libp2p connections become links, and nothing more. It knows keys, addresses and
//! frames; stores, sessions and schedules are rooms above it.
//!
//! A **link** is what two devices talk over: two framed, back-pressured streams, control and bulk,
//! of one connection. It appears on both sides when both streams stand, and one pair of keys has
//! one. One task owns libp2p's swarm; links are driven by whoever holds them.
//!
//! `config.rs` what is asked · `event.rs` what is told · `handle.rs` the door · `task.rs` the one
//! task, `connections.rs` what it does with connections · `swarm.rs` how libp2p is put together, with
//! every number on it · `circuits.rs` dials that wait for a hub · `doorstep.rs` who may begin to,
//! `gate.rs` who may come in · `streams.rs` the two streams of a connection · `link.rs` a link,
//! `reader.rs` and `writer.rs` its halves, `line.rs` what they know together, `frame.rs` its bytes ·
//! `pairs.rs` one link a pair · `form.rs` which addresses can be dialled, `reach.rs` what one tells · `keys.rs`, `resolve.rs`,
//! `failure.rs` between libp2p's words and ours · `backoff.rs` when to dial again.

pub mod backoff;
mod circuits;
mod config;
mod connections;
mod doorstep;
mod event;
mod failure;
mod form;
mod frame;
mod gate;
mod handle;
mod keys;
mod line;
mod link;
mod pairs;
mod reach;
mod reader;
mod resolve;
mod streams;
mod swarm;
mod task;
#[cfg(test)]
mod tests;
mod writer;

pub use config::{Admission, NetConfig, NetLimits, NetTiming, Who};
pub use event::{CloseReason, DialFailure, LinkError, ListenFailure, NetError, NetEvent};
pub use form::{WrongForm, dialled, listened};
#[doc(hidden)]
pub use frame::frames_of;
pub use handle::{Manner, NetHandle, Transport};
pub use keys::peer_key;
pub use libp2p::Multiaddr;
pub use link::{Link, LinkReader, LinkRole, LinkTraffic, LinkWriter};
pub use reach::{Reach, is_quic, reach};
