//! Who stands at the door before a key is proved. A handshake costs its guest nothing, so each place
//! may have few under way, and each transport has its own: whoever opens connections and says
//! nothing keeps out nobody who comes from elsewhere, or by another transport.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};

use super::config::NetLimits;

/// Why a connection was closed before its handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crowded {
    /// As many as one place may have are under way from there.
    Place,
    /// As many as one transport may have are under way.
    Transport,
}

impl fmt::Display for Crowded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Place => "too many handshakes from one address",
            Self::Transport => "too many handshakes at once",
        })
    }
}

impl std::error::Error for Crowded {}

/// By what somebody comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Tcp,
    Quic,
    /// Through a hub, which limits the circuits of a device itself.
    Circuit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Waiting {
    by: By,
    place: Option<IpAddr>,
}

/// The doorstep as a behaviour of the swarm.
#[derive(Debug)]
pub(super) struct Doorstep {
    each_transport: usize,
    each_place: usize,
    waiting: HashMap<ConnectionId, Waiting>,
}

impl Doorstep {
    /// An empty one.
    pub(super) fn new(limits: &NetLimits) -> Self {
        let size = |limit: u32| usize::try_from(limit).unwrap_or(usize::MAX);
        Self {
            each_transport: size(limits.pending),
            each_place: size(limits.pending_per_address),
            waiting: HashMap::new(),
        }
    }

    fn take(&mut self, connection: ConnectionId, from: &Multiaddr) -> Result<(), Crowded> {
        let new = Waiting { by: by(from), place: place(from) };
        let (mut of_transport, mut of_place) = (0, 0);
        for it in self.waiting.values().filter(|it| it.by == new.by) {
            of_transport += 1;
            of_place += usize::from(it.place == new.place);
        }
        if new.place.is_some() && of_place >= self.each_place {
            return Err(Crowded::Place);
        }
        if of_transport >= self.each_transport {
            return Err(Crowded::Transport);
        }
        self.waiting.insert(connection, new);
        Ok(())
    }
}

impl NetworkBehaviour for Doorstep {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = std::convert::Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.take(connection, remote).map_err(ConnectionDenied::new)
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _peer: PeerId,
        _local: &Multiaddr,
        _remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.waiting.remove(&connection);
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _connection: ConnectionId,
        _peer: PeerId,
        _addr: &Multiaddr,
        _role: Endpoint,
        _port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        if let FromSwarm::ListenFailure(failed) = event {
            self.waiting.remove(&failed.connection_id);
        }
    }

    fn on_connection_handler_event(
        &mut self,
        _peer: PeerId,
        _connection: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {}
    }

    fn poll(
        &mut self,
        _cx: &mut Context<'_>,
    ) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

fn by(from: &Multiaddr) -> By {
    if from.iter().any(|part| part == Protocol::P2pCircuit) {
        By::Circuit
    } else if from.iter().any(|part| matches!(part, Protocol::Tcp(_))) {
        By::Tcp
    } else {
        By::Quic
    }
}

/// From where somebody comes: an address, of IPv6 its network; all that come through hubs are one.
#[expect(clippy::wildcard_enum_match_arm, reason = "of an address's many parts, two tell where")]
pub(super) fn place(from: &Multiaddr) -> Option<IpAddr> {
    if from.iter().any(|part| part == Protocol::P2pCircuit) {
        return None;
    }
    from.iter().find_map(|part| match part {
        Protocol::Ip4(ip) => Some(IpAddr::V4(ip)),
        Protocol::Ip6(ip) => Some(match ip.to_ipv4_mapped() {
            Some(ip) => IpAddr::V4(ip),
            None => IpAddr::V6((ip.to_bits() & !u128::from(u64::MAX)).into()),
        }),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;

    fn take(doorstep: &mut Doorstep, number: usize, from: &str) -> Result<(), Crowded> {
        doorstep.take(ConnectionId::new_unchecked(number), &from.parse().unwrap())
    }

    fn doorstep() -> Doorstep {
        let limits = NetLimits { pending: 4, pending_per_address: 2, ..NetLimits::default() };
        Doorstep::new(&limits)
    }

    #[test]
    fn a_place_has_few_handshakes_under_way_and_other_places_and_transports_have_theirs() {
        let mut step = doorstep();
        let tcp = "/ip4/192.0.2.7/tcp/4001";
        assert_eq!(take(&mut step, 1, tcp), Ok(()));
        assert_eq!(take(&mut step, 2, "/ip4/192.0.2.7/tcp/4002"), Ok(()));
        assert_eq!(take(&mut step, 3, tcp), Err(Crowded::Place));
        assert_eq!(take(&mut step, 4, "/ip4/192.0.2.7/udp/4001/quic-v1"), Ok(()));
        assert_eq!(take(&mut step, 5, "/ip4/192.0.2.8/tcp/4001"), Ok(()));
        step.waiting.remove(&ConnectionId::new_unchecked(1));
        assert_eq!(take(&mut step, 6, tcp), Ok(()));
    }

    #[test]
    fn an_ipv6_network_is_one_place_and_a_transport_has_a_limit_of_its_own() {
        let mut step = doorstep();
        assert_eq!(take(&mut step, 1, "/ip6/2001:db8::1/tcp/1"), Ok(()));
        assert_eq!(take(&mut step, 2, "/ip6/2001:db8::2/tcp/1"), Ok(()));
        assert_eq!(take(&mut step, 3, "/ip6/2001:db8::3/tcp/1"), Err(Crowded::Place));
        assert_eq!(take(&mut step, 4, "/ip6/2001:db8:0:1::1/tcp/1"), Ok(()));
        assert_eq!(take(&mut step, 5, "/ip6/2001:db8:0:2::1/tcp/1"), Ok(()));
        assert_eq!(take(&mut step, 6, "/ip6/2001:db8:0:3::1/tcp/1"), Err(Crowded::Transport));
        assert_eq!(take(&mut step, 7, "/ip6/2001:db8:0:3::1/udp/1/quic-v1"), Ok(()));
    }

    #[test]
    fn circuits_come_from_no_place_and_only_their_own_limit_holds() {
        let mut step = doorstep();
        for number in 0..4 {
            assert_eq!(take(&mut step, number, "/ip4/192.0.2.7/tcp/1/p2p-circuit"), Ok(()));
        }
        let one_more = take(&mut step, 4, "/ip4/192.0.2.7/tcp/1/p2p-circuit");
        assert_eq!(one_more, Err(Crowded::Transport));
        assert_eq!(take(&mut step, 5, "/ip4/192.0.2.7/tcp/1"), Ok(()));
    }

    #[test]
    fn a_place_is_an_address_or_a_network_or_any_hub() {
        let of = |text: &str| place(&text.parse().unwrap());
        assert_eq!(of("/ip4/192.0.2.7/tcp/4001"), Some(IpAddr::from([192, 0, 2, 7])));
        assert_eq!(of("/ip6/::ffff:192.0.2.7/tcp/4001"), of("/ip4/192.0.2.7/tcp/4001"));
        assert_eq!(of("/ip6/2001:db8::1/tcp/1"), of("/ip6/2001:db8::2/udp/9/quic-v1"));
        assert_ne!(of("/ip6/2001:db8::1/tcp/1"), of("/ip6/2001:db8:0:1::1/tcp/1"));
        assert_eq!(of("/ip4/192.0.2.7/tcp/4001/p2p-circuit"), None);
    }
}
