//! What a running node may tell: to the line `run --json` prints, to pages, to logs.
//!
//! No value of a record is in it, and no address but this node's own.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crdt_schema::id::DeviceId;
use serde::{Deserialize, Serialize};

use super::exchange::LinkId;
pub use crate::answer::Traffic as Moved;
use crate::answer::{AreaName, RootHash, SessionSeen, When};
use crate::net::ListenFailure;
use crate::sync::EndReason;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A peer's link opened.
    PeerJoined {
        /// The peer.
        device: DeviceId,
        /// Its area.
        #[serde(flatten)]
        area: AreaName,
    },
    /// It closed.
    PeerLeft {
        /// The peer.
        device: DeviceId,
        /// Why.
        reason: &'static str,
        /// What came since the last comparison that was told.
        received: Moved,
        /// What went since then.
        sent: Moved,
    },
    /// A comparison ended: all shared areas are equal, or they could not be made so.
    Session(Seen),
    /// A link is gone whose device was never proved.
    LinkClosed {
        /// Its number.
        #[serde(skip)]
        link: LinkId,
        /// Why.
        reason: &'static str,
        /// Where it was closed because too many strangers came there: when to come again.
        #[serde(skip_serializing_if = "Option::is_none")]
        wait_seconds: Option<u16>,
    },
    /// An address this node keeps dialling does not let it in. Told again when the reason changes.
    PeerRefused {
        /// As it is dialled.
        address: String,
        /// Why.
        reason: &'static str,
        /// When to come again, if it said so.
        #[serde(skip_serializing_if = "Option::is_none")]
        wait_seconds: Option<u16>,
    },
    /// Others may dial this node here.
    Listening {
        /// With `/p2p/`.
        address: String,
    },
    /// An address cannot be listened on.
    ListenFailed {
        /// As asked.
        address: String,
        /// What to do about it.
        why: ListenFailure,
        /// What the system says, in English.
        reason: String,
    },
    /// The node has ended in good order.
    Stopped,
    /// The program met a state that cannot be, and the node has ended: what it held may be half made.
    Broken {
        /// File and line, where they are known.
        at: String,
    },
}

impl Event {
    /// Writes it into the log: who came, who left and why, what was compared.
    pub(super) fn log(&self) {
        match self {
            Self::PeerJoined { device, area } => {
                tracing::info!(device = device.short(), area = %area.area, "a peer joined");
            }
            Self::PeerLeft { device, reason, .. } => {
                tracing::info!(device = device.short(), reason, "a peer left");
            }
            Self::Session(seen) => tracing::info!(
                device = seen.peer.short(),
                equal = seen.equal,
                reason = seen.reason,
                entries_in = seen.received.entries,
                entries_out = seen.sent.entries,
                bytes_in = seen.received.bytes,
                bytes_out = seen.sent.bytes,
                rounds = seen.rounds,
                "a comparison ended"
            ),
            Self::LinkClosed { reason, .. } => {
                tracing::info!(reason, "a link closed whose device was never proved");
            }
            Self::PeerRefused { reason, wait_seconds, .. } => {
                tracing::warn!(reason, wait_seconds, "an address that is dialled lets nobody in");
            }
            Self::Listening { .. } => tracing::info!("listening"),
            Self::ListenFailed { reason, .. } => tracing::info!(reason, "not listening there"),
            Self::Stopped => tracing::info!("stopped"),
            Self::Broken { at } => tracing::error!(at, "a state that cannot be"),
        }
    }
}

/// Counts since the start, for metrics.
#[derive(Debug, Default)]
pub struct Figures {
    /// Links that stand.
    pub links: AtomicUsize,
    /// Comparisons that ended equal.
    pub equal: AtomicU64,
    /// Comparisons that did not.
    pub unequal: AtomicU64,
    /// Entries that came and were new.
    pub entries_received: AtomicU64,
    /// Entries that went.
    pub entries_sent: AtomicU64,
    /// Bytes of frames that came.
    pub bytes_received: AtomicU64,
    /// Bytes of frames that went.
    pub bytes_sent: AtomicU64,
    /// Frames that came.
    pub frames_received: AtomicU64,
    /// Frames that went.
    pub frames_sent: AtomicU64,
}

impl Figures {
    pub(super) fn received(&self, bytes: usize) {
        self.frames_received.fetch_add(1, Ordering::Relaxed);
        self.bytes_received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn sent(&self, bytes: usize) {
        self.frames_sent.fetch_add(1, Ordering::Relaxed);
        self.bytes_sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn note(&self, event: &Event) {
        let Event::Session(seen) = event else { return };
        let ended = if seen.equal { &self.equal } else { &self.unequal };
        ended.fetch_add(1, Ordering::Relaxed);
        self.entries_received.fetch_add(seen.received.entries, Ordering::Relaxed);
        self.entries_sent.fetch_add(seen.sent.entries, Ordering::Relaxed);
    }
}

/// One comparison as lists of recent ones show it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Seen {
    /// The peer.
    pub peer: DeviceId,
    /// Its area.
    #[serde(flatten)]
    pub area: AreaName,
    /// Whether both proved the same roots.
    pub equal: bool,
    /// What came.
    pub received: Moved,
    /// What went.
    pub sent: Moved,
    /// Trips there and back.
    pub rounds: u32,
    /// When, by this node's clock.
    pub at: When,
    /// Why it ended without equality.
    pub reason: Option<&'static str>,
    /// What was compared.
    pub areas: Vec<SeenArea>,
    /// The link it went over.
    #[serde(skip)]
    pub link: LinkId,
    /// Its place among all that this node told of since it runs, from 1.
    #[serde(skip)]
    pub number: u64,
}

impl Seen {
    /// As `status` lists it.
    pub(super) fn shown(&self) -> SessionSeen {
        SessionSeen {
            device: self.peer,
            area: self.area,
            at: Some(self.at),
            equal: self.equal,
            received: self.received,
            sent: self.sent,
            rounds: self.rounds,
            ended: self.reason.unwrap_or(Why(EndReason::Done).name()).to_owned(),
        }
    }
}

/// One area as a comparison found it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenArea {
    /// The area.
    #[serde(flatten)]
    pub area: AreaName,
    /// The root here; of equal ones the one that was proved.
    pub root_here: RootHash,
    /// The root there; `None` where it was not told.
    pub root_there: Option<RootHash>,
    /// Whether both proved the same.
    pub equal: bool,
}

/// The name of an end, as JSON and logs show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Why(pub EndReason);

impl Why {
    /// One word of the list in `docs/protocol.md`.
    pub const fn name(self) -> &'static str {
        match self.0 {
            EndReason::Done => "done",
            EndReason::Version => "version",
            EndReason::Stranger => "stranger",
            EndReason::NoRights => "no_rights",
            EndReason::NothingShared => "nothing_shared",
            EndReason::Malformed => "malformed",
            EndReason::OutOfOrder => "out_of_order",
            EndReason::UnknownReference => "unknown_reference",
            EndReason::TooMuch => "too_much",
            EndReason::Stalled => "stalled",
            EndReason::BadRun => "bad_run",
            EndReason::Store => "store",
            EndReason::Lost => "lost",
        }
    }
}
