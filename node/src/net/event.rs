//! What a transport tells, and every reason it knows. No text here holds an address or a key.

use std::io::ErrorKind;

use libp2p::Multiaddr;
use serde::Serialize;
use thiserror::Error;

use super::link::Link;

/// What happened. In order; a receiver that does not read holds the transport up.
#[derive(Debug)]
#[non_exhaustive]
#[expect(clippy::large_enum_variant, reason = "few wait at once, and a link is moved on at once")]
pub enum NetEvent {
    /// Others may dial this; ends in `/p2p/` and our own key.
    Listening(Multiaddr),
    /// An address cannot be listened on, or no longer.
    ListenFailed {
        /// The address, or the one it came from.
        addr: Multiaddr,
        /// What to do about it.
        kind: ListenFailure,
        /// What the system says.
        reason: String,
    },
    /// A link stands.
    Opened(Link),
    /// A link of [`NetEvent::Opened`] is gone.
    Closed {
        /// [`Link::id`].
        link: u64,
        /// Why.
        reason: CloseReason,
    },
    /// A dial of ours became no link.
    DialFailed {
        /// As it was dialed.
        addr: Multiaddr,
        /// The transport key the address names, or that answered.
        peer_key: Option<[u8; 32]>,
        /// What to do about it.
        kind: DialFailure,
        /// What the system says, in English.
        text: String,
    },
    /// A neighbour announced itself by multicast. Unproved: a dial will tell.
    Found {
        /// With `/p2p/`.
        addr: Multiaddr,
    },
    /// Others reach this node here: a hub has tried it.
    External(Multiaddr),
    /// They no longer do.
    ExternalLost(Multiaddr),
}

/// Why an address cannot be listened on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ListenFailure {
    /// Somebody else listens there.
    Taken,
    /// The address is none of this machine's, or its interface is not up.
    NotHere,
    /// This account may not: a port below 1024.
    Forbidden,
    /// Anything else; the system's own words say what.
    Other,
}

impl ListenFailure {
    /// What the system's word for it means.
    pub fn of(error: &std::io::Error) -> Self {
        let known = [
            (ErrorKind::AddrInUse, Self::Taken),
            (ErrorKind::AddrNotAvailable, Self::NotHere),
            (ErrorKind::PermissionDenied, Self::Forbidden),
        ];
        let found = known.into_iter().find(|(kind, _)| *kind == error.kind());
        found.map_or(Self::Other, |(_, it)| it)
    }
}

/// Why a dial became no link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DialFailure {
    /// Nobody answers there.
    Unreachable,
    /// Nothing came in time.
    Timeout,
    /// Somebody answered, and then said nothing in time.
    Silent,
    /// Somebody answered and closed the door; or it is closed here.
    Refused,
    /// Another key answered than the address names.
    WrongPeer,
    /// It speaks, but not of our network.
    OtherNetwork,
    /// Not dialled: there is a link to this key.
    Linked,
    /// Its key answered, and another link to it stays, or a dial is under way.
    Connected,
    /// An address of a form this build cannot dial.
    Unsupported,
}

/// Why a link is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseReason {
    /// Both sides have said what they had to say: closed or dropped here.
    Done,
    /// The other side closed it.
    Remote,
    /// The connection broke, or nothing came any more.
    Lost,
    /// Another link to the same key took its place. Not an error.
    Superseded,
    /// The other side took no byte for too long.
    Stalled,
    /// A frame longer than its stream may carry was announced.
    Oversize,
    /// The other side broke the conversation above: closed here.
    Misbehaved,
    /// The device is no longer wanted.
    Refused,
    /// This transport ends.
    Shutdown,
}

/// Why a link carries no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum LinkError {
    /// See [`CloseReason::Oversize`]; also a frame of our own that is too long.
    #[error("a frame is longer than its stream may carry")]
    Oversize,
    /// A stream ended within a frame, or the connection broke.
    #[error("the connection was lost")]
    Lost,
    /// See [`CloseReason::Stalled`].
    #[error("the other side takes no bytes")]
    Stalled,
    /// The link was closed here.
    #[error("the link is closed")]
    Closed,
}

/// Why there is no transport.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NetError {
    /// Called outside a tokio runtime.
    #[error("no runtime to run the transport in")]
    NoRuntime,
    /// The keys do not serve.
    #[error("failed to prepare the transport key")]
    Key,
    /// libp2p could not be put together.
    #[error("failed to set up the transport: {0}")]
    Setup(String),
}
