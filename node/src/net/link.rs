//! A link: what two devices talk over.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crdt_schema::id::DeviceId;
use libp2p::Multiaddr;

pub use super::reader::LinkReader;
pub use super::writer::LinkWriter;

/// Who opened the two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkRole {
    /// We did; of a session, this is the initiator.
    Dialer,
    /// The other side did.
    Listener,
}

/// One link. When both halves are dropped, it closes.
#[derive(Debug)]
pub struct Link {
    /// Never used twice by a transport.
    pub id: u64,
    /// The transport key of the other side, proved.
    pub peer_key: [u8; 32],
    /// Whose key that is; `None` for a stranger.
    pub device: Option<DeviceId>,
    /// Nobody here knows the other side: it may present itself and little else.
    pub stranger: bool,
    /// It came to a full door: it may be told to come again after this, and no more.
    pub later: Option<Duration>,
    /// Who opened it.
    pub role: LinkRole,
    /// Of the other side, as seen from here. Not for logs: it tells where a person is.
    pub address: Multiaddr,
    /// As it was dialed, where it was from here: a name may stand in it.
    pub asked: Option<Multiaddr>,
    /// A hub carries it, and counts its bytes.
    pub relayed: bool,
    /// Frames that come.
    pub reader: LinkReader,
    /// Frames that go.
    pub writer: LinkWriter,
    /// What went through.
    pub traffic: Arc<LinkTraffic>,
}

/// What went through a link, heads of frames included; what lies below (Noise, TLS, headers of the
/// network, pings) is not.
#[derive(Debug, Default)]
pub struct LinkTraffic {
    pub(super) sent_bytes: AtomicU64,
    pub(super) sent_frames: AtomicU64,
    pub(super) received_bytes: AtomicU64,
    pub(super) received_frames: AtomicU64,
}

impl LinkTraffic {
    /// Bytes handed to the connection.
    pub fn sent_bytes(&self) -> u64 {
        self.sent_bytes.load(Ordering::Relaxed)
    }

    /// Frames handed to the connection whole.
    pub fn sent_frames(&self) -> u64 {
        self.sent_frames.load(Ordering::Relaxed)
    }

    /// Bytes that came and were asked for.
    pub fn received_bytes(&self) -> u64 {
        self.received_bytes.load(Ordering::Relaxed)
    }

    /// Frames that came whole and were given out.
    pub fn received_frames(&self) -> u64 {
        self.received_frames.load(Ordering::Relaxed)
    }
}
