//! What libp2p says of a dial that failed, as what one can do about it. Its own texts name
//! addresses; ours do not.

use std::error::Error;
use std::io;

use libp2p::core::transport::TransportError;
use libp2p::swarm::DialError;

use super::event::{DialFailure, ListenFailure};
use super::keys::key_of;
use super::streams::NoStreams;

/// A failed dial.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failed {
    pub(super) kind: DialFailure,
    /// Who answered, where it was not who was dialed.
    pub(super) answered: Option<[u8; 32]>,
    pub(super) text: String,
}

impl Failed {
    /// With a text of ours.
    pub(super) fn new(kind: DialFailure, text: &str) -> Self {
        Self { kind, answered: None, text: text.to_owned() }
    }
}

/// A dial that became no connection.
pub(super) fn of_dial(error: &DialError) -> Failed {
    match error {
        // We always name an address; libp2p leaves out those it listens on itself.
        DialError::LocalPeerId { .. } | DialError::NoAddresses => {
            Failed::new(DialFailure::WrongPeer, "this is the address of this device itself")
        }
        DialError::WrongPeerId { obtained, .. } => Failed {
            answered: key_of(obtained),
            ..Failed::new(DialFailure::WrongPeer, "another device answered at this address")
        },
        DialError::Denied { cause } => Failed::new(DialFailure::Refused, &innermost(cause)),
        DialError::DialPeerConditionFalse(_) => connected(),
        DialError::Aborted => Failed::new(DialFailure::Unreachable, "the dial was given up"),
        DialError::Transport(tried) => tried.last().map_or_else(
            || Failed::new(DialFailure::Unreachable, "nothing was tried"),
            |(_, error)| of_transport(error),
        ),
    }
}

/// Whether the port to dial from was another's. libp2p wraps what the socket said in types that
/// hand on neither it nor its kind, and its text is the system's; how it is printed for us is Rust's.
pub(super) fn is_port_taken(error: &DialError) -> bool {
    let DialError::Transport(tried) = error else { return false };
    let in_use = format!("kind: {:?}", io::ErrorKind::AddrInUse);
    tried.iter().any(|(_, error)| format!("{error:?}").contains(&in_use))
}

/// There is a link already, and nothing was tried.
pub(super) fn linked() -> Failed {
    Failed::new(DialFailure::Linked, "there is a link to this device")
}

/// The device answered, and another link to it stays.
pub(super) fn connected() -> Failed {
    Failed::new(DialFailure::Connected, "there is a link to this device, or a dial under way")
}

/// A connection whose streams do not stand.
pub(super) fn of_streams(why: NoStreams) -> Failed {
    match why {
        NoStreams::OtherNetwork => {
            Failed::new(DialFailure::OtherNetwork, "the other side does not speak of our network")
        }
        NoStreams::Timeout => Failed::new(DialFailure::Silent, "the other side opened no stream"),
        NoStreams::Lost => closed_early(),
    }
}

/// A connection that was closed before a link stood.
pub(super) fn closed_early() -> Failed {
    Failed::new(DialFailure::Refused, "the other side closed the connection before a link stood")
}

/// Why an address cannot be listened on, and the system's words for it.
pub(super) fn of_listen(error: &TransportError<io::Error>) -> (ListenFailure, String) {
    match error {
        TransportError::MultiaddrNotSupported(_) => {
            (ListenFailure::Other, "this form of address cannot be listened on".to_owned())
        }
        TransportError::Other(error) => of_listen_io(error),
    }
}

/// The same, of what a socket says.
pub(super) fn of_listen_io(error: &io::Error) -> (ListenFailure, String) {
    let systems = causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>());
    let kinds = systems.map(ListenFailure::of);
    let kind = kinds.filter(|kind| *kind != ListenFailure::Other).last();
    (kind.unwrap_or(ListenFailure::Other), innermost(error))
}

fn of_transport(error: &TransportError<io::Error>) -> Failed {
    match error {
        TransportError::MultiaddrNotSupported(_) => {
            Failed::new(DialFailure::Unsupported, "this form of address cannot be dialed")
        }
        TransportError::Other(error) => {
            let text = innermost(error);
            // Two of libp2p's own errors are no `io::Error` of this kind.
            let said = text.to_lowercase();
            let late = is_late(error) || said.contains("timed out") || said.contains("timeout");
            let kind = if late { DialFailure::Timeout } else { DialFailure::Unreachable };
            Failed::new(kind, &text)
        }
    }
}

/// An error and what caused it. An `io::Error` that wraps another says the `source` of what it
/// wraps, not what it wraps.
fn cause<'error>(error: &'error (dyn Error + 'static)) -> Option<&'error (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

fn causes<'error>(
    error: &'error (dyn Error + 'static),
) -> impl Iterator<Item = &'error (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| cause(*error))
}

fn is_late(error: &io::Error) -> bool {
    causes(error).any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == io::ErrorKind::TimedOut)
    })
}

/// The innermost reason: outer ones name the address.
fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map_or_else(String::new, ToString::to_string)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;
    use libp2p::Multiaddr;

    fn transport(error: io::Error) -> Failed {
        let addr: Multiaddr = "/ip4/192.0.2.77/tcp/4001".parse().unwrap();
        of_dial(&DialError::Transport(vec![(addr, TransportError::Other(error))]))
    }

    #[test]
    fn a_text_says_what_happened_and_never_where() {
        let refused = transport(io::Error::from(io::ErrorKind::ConnectionRefused));
        assert_eq!(refused, Failed::new(DialFailure::Unreachable, "connection refused"));
        let wrapped = io::Error::other(io::Error::from(io::ErrorKind::TimedOut));
        assert_eq!(transport(wrapped).kind, DialFailure::Timeout);
    }

    #[test]
    fn another_device_at_the_address_is_named() {
        let obtained = super::super::keys::peer_of(
            &crdt_schema::entry::SigningSecret::from_seed(&[3; 32]).public().0,
        );
        let obtained = obtained.unwrap();
        let address = "/ip4/192.0.2.77/tcp/4001".parse().unwrap();
        let failed = of_dial(&DialError::WrongPeerId { obtained, address });
        assert_eq!((failed.kind, failed.answered), (DialFailure::WrongPeer, key_of(&obtained)));
        assert!(!failed.text.contains("192.0.2.77"));
    }
}
