//! Dials through a hub, which wait until the hub has said how it sees this node.
//!
//! Two that meet through a hub punch a hole once, when their circuit begins, with the addresses each
//! knows of itself at that moment (`libp2p::dcutr` takes them then, and tries no second time when the
//! other side names none). A node learns its own from the hub. Whoever dials a circuit before that
//! stays on the hub for as long as the circuit lasts; so a dial waits for that one word.

use std::collections::{HashMap, HashSet};

use libp2p::core::transport::PortUse;
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

use super::handle::Manner;

/// A dial: as it was asked for, the address it comes to, and what it does beside a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) asked: Multiaddr,
    pub(super) addr: Multiaddr,
    pub(super) manner: Manner,
    /// From the port that is listened on, which can pass routers, or from any.
    pub(super) port: PortUse,
}

impl Held {
    /// From the port that is listened on.
    pub(super) fn new(asked: Multiaddr, addr: Multiaddr, manner: Manner) -> Self {
        Self { asked, addr, manner, port: PortUse::Reuse }
    }
}

/// Which hubs have spoken, and what waits for the others.
#[derive(Debug, Default)]
pub(super) struct Circuits {
    spoken: HashSet<PeerId>,
    waiting: HashMap<PeerId, Vec<Held>>,
}

impl Circuits {
    /// Whether this hub has said how it sees us, on a connection that stands.
    pub(super) fn has_spoken(&self, hub: &PeerId) -> bool {
        self.spoken.contains(hub)
    }

    /// Keeps a dial until the hub has spoken, or is gone.
    pub(super) fn hold(&mut self, hub: PeerId, dial: Held) {
        self.waiting.entry(hub).or_default().push(dial);
    }

    /// A peer said how it sees us, or never will: what waited for that.
    pub(super) fn spoke(&mut self, peer: PeerId) -> Vec<Held> {
        self.spoken.insert(peer);
        self.waiting.remove(&peer).unwrap_or_default()
    }

    /// The last connection with a peer is gone, or none came about: what waited finds that out by
    /// itself.
    pub(super) fn gone(&mut self, peer: &PeerId) -> Vec<Held> {
        self.spoken.remove(peer);
        self.waiting.remove(peer).unwrap_or_default()
    }
}

/// The hub of an address that leads through one, and where that hub is.
pub(super) fn hub_of(addr: &Multiaddr) -> Option<(PeerId, Multiaddr)> {
    let leads_through = |part: &Protocol<'_>| *part == Protocol::P2pCircuit;
    addr.iter().find(leads_through)?;
    let hub: Multiaddr = addr.iter().take_while(|part| !leads_through(part)).collect();
    match hub.iter().last() {
        Some(Protocol::P2p(peer)) => Some((peer, hub)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;

    const HUB: &str =
        "/ip4/192.0.2.1/tcp/4001/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

    fn parsed(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_hub_is_what_stands_before_the_circuit() {
        let (peer, at) = hub_of(&parsed(&format!("{HUB}/p2p-circuit"))).unwrap();
        assert_eq!(at, parsed(HUB));
        assert!(HUB.ends_with(&peer.to_string()));
        assert_eq!(hub_of(&parsed(HUB)), None);
        // A hub without a key is nobody to wait for.
        assert_eq!(hub_of(&parsed("/ip4/192.0.2.1/tcp/4001/p2p-circuit")), None);
    }

    #[test]
    fn what_waits_goes_once_when_its_hub_speaks_or_is_gone() {
        let (hub, _) = hub_of(&parsed(&format!("{HUB}/p2p-circuit"))).unwrap();
        let addr = parsed(&format!("{HUB}/p2p-circuit"));
        let dial = Held::new(addr.clone(), addr, Manner::Usual);
        let mut circuits = Circuits::default();
        circuits.hold(hub, dial.clone());
        assert!(!circuits.has_spoken(&hub));
        assert_eq!(circuits.spoke(hub), std::slice::from_ref(&dial));
        assert!(circuits.has_spoken(&hub));
        assert_eq!(circuits.spoke(hub), []);
        assert_eq!(circuits.gone(&hub), []);
        assert!(!circuits.has_spoken(&hub));
        circuits.hold(hub, dial.clone());
        assert_eq!(circuits.gone(&hub), [dial]);
    }
}
