//! What a transport is asked to be, with every limit it keeps.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crdt_schema::id::{DeviceId, NetworkId};
use libp2p::Multiaddr;
use zeroize::Zeroizing;

/// What the rooms above say about a transport key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// A device with a certificate that counts.
    Member(DeviceId),
    /// Nobody here knows it: it may present itself, and little else.
    Stranger,
    /// Known, and not wanted: the connection is denied at the door.
    Refused,
}

/// Asked on every connection and every [`recheck`](super::NetHandle::recheck), inside the task that
/// owns all connections: it must answer from memory and never wait.
pub type Who = Arc<dyn Fn(&[u8; 32]) -> Admission + Send + Sync>;

/// What [`Transport::start`](super::Transport::start) needs.
pub struct NetConfig {
    /// Seed of the Ed25519 key that proves connections (`Keystore::transport_seed`).
    pub transport_seed: Zeroizing<[u8; 32]>,
    /// Devices of another network cannot open a stream here.
    pub network: NetworkId,
    /// Where to listen; port 0 takes a free one. Empty: nobody can dial here.
    pub listen: Vec<Multiaddr>,
    /// Under which addresses others reach this node, where that is known: a forwarded port.
    pub external: Vec<Multiaddr>,
    /// Relays for others and tells them how they are seen. For nodes with a public address.
    pub is_hub: bool,
    /// Looks for neighbours by multicast, on **every** interface of the machine.
    pub mdns: bool,
    /// How much of the machine strangers and members may take.
    pub limits: NetLimits,
    /// How long things may take.
    pub timing: NetTiming,
    /// Who a key belongs to.
    pub who: Who,
}

impl fmt::Debug for NetConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetConfig")
            .field("is_hub", &self.is_hub)
            .field("mdns", &self.mdns)
            .field("limits", &self.limits)
            .field("timing", &self.timing)
            .finish_non_exhaustive()
    }
}

/// How much may be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetLimits {
    /// Connections at once. The province serves 6,000 villages.
    pub established: u32,
    /// Connections at once of one key: a relayed one, two that cross in its place, and one that is
    /// being closed. With fewer, each side may deny the one that the other side keeps.
    pub per_peer: u32,
    /// Connections being made: those of this node, and those that come in by each transport.
    /// Handshakes are what a stranger can cost us.
    pub pending: u32,
    /// Of those that come in by a transport, how many from one address (IPv6: one network of 64
    /// bits): villages behind one router come at once when the current does.
    pub pending_per_address: u32,
    /// Bytes of memory of the whole process above which no connection more is taken.
    pub memory_bytes: usize,
    /// Strangers that came in, at once.
    pub strangers: u32,
    /// Strangers that came in from one address (IPv6: one network of 64 bits) in
    /// [`Self::strangers_window`] and were not accepted since.
    pub strangers_per_address: u32,
    /// See [`Self::strangers_per_address`].
    pub strangers_window: Duration,
    /// Strangers beyond these, at once, that are told when to come again; more are denied unheard.
    pub turned_away: u32,
    /// Bytes of frames a link holds unsent, for each of its two streams. One frame may exceed it.
    pub queue_bytes: u32,
}

impl Default for NetLimits {
    fn default() -> Self {
        Self {
            established: 8_192,
            per_peer: 4,
            pending: 256,
            pending_per_address: 24,
            memory_bytes: 384 * 1024 * 1024,
            strangers: 4,
            strangers_per_address: 6,
            strangers_window: Duration::from_secs(600),
            turned_away: 4,
            queue_bytes: 256 * 1024,
        }
    }
}

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetTiming {
    /// Between two pings of a quiet connection. It finds dead ones; less costs villages their data.
    pub ping_every: Duration,
    /// Between two signs of life of a quiet QUIC connection: many routers forget after 30 s.
    pub quic_alive_every: Duration,
    /// From a dial to a connection.
    pub dial: Duration,
    /// The same for whoever comes in by TCP: five round trips on the slowest line.
    pub handshake: Duration,
    /// From a connection to a link.
    pub open: Duration,
    /// Without a byte taken by a peer that we have bytes for: the link is `Stalled`.
    pub stall: Duration,
    /// For frames already queued when a link closes: a few hundred kilobytes on a slow line.
    pub closing: Duration,
    /// The same when the whole transport ends, which somebody waits for.
    pub shutdown: Duration,
}

impl Default for NetTiming {
    fn default() -> Self {
        Self {
            ping_every: Duration::from_secs(120),
            quic_alive_every: Duration::from_secs(25),
            dial: Duration::from_secs(20),
            handshake: Duration::from_secs(10),
            open: Duration::from_secs(20),
            stall: Duration::from_secs(120),
            closing: Duration::from_secs(5),
            shutdown: Duration::from_secs(1),
        }
    }
}
