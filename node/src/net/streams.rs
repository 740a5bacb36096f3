//! The two streams of a connection. Whoever dialed it opens both; then they stand, and whoever owns
//! the swarm is told. libp2p's own stream crate does not serve: it opens streams to a *peer*, by
//! whichever connection, and does not say by which one came in.

use std::collections::{HashSet, VecDeque};
use std::convert::Infallible;
use std::fmt;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crdt_schema::id::NetworkId;
use libp2p::core::upgrade::{InboundUpgrade, OutboundUpgrade, UpgradeInfo};
use libp2p::core::{Endpoint, transport::PortUse};
use libp2p::swarm::handler::{
    ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound,
};
use libp2p::swarm::{
    ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm,
    NetworkBehaviour, StreamProtocol, StreamUpgradeError, SubstreamProtocol, THandler,
    THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};
use tokio::time::{Sleep, sleep};

use super::link::LinkRole;
use crate::sync::Stream;

/// Hex digits of a network id in a protocol's name: who guesses one still has no certificate.
const NETWORK_DIGITS: usize = 16;

/// The names of the two streams in one network.
#[derive(Debug, Clone)]
pub(super) struct Protocols {
    control: StreamProtocol,
    bulk: StreamProtocol,
}

impl Protocols {
    /// Those of a network.
    pub(super) fn of(network: &NetworkId) -> Self {
        let name = |stream| format!("/wksbm/{}/{stream}/1", network_digits(network));
        let named = |stream| {
            let plain = StreamProtocol::new("/wksbm");
            StreamProtocol::try_from_owned(name(stream)).unwrap_or(plain)
        };
        Self { control: named("control"), bulk: named("bulk") }
    }

    fn named(&self, stream: Stream) -> StreamProtocol {
        match stream {
            Stream::Control => self.control.clone(),
            Stream::Bulk => self.bulk.clone(),
        }
    }
}

/// The part of a network id that stands in names.
pub(super) fn network_digits(network: &NetworkId) -> String {
    hex::encode(network.0).chars().take(NETWORK_DIGITS).collect()
}

/// Both streams of a connection.
#[derive(Debug)]
pub(super) struct Both {
    pub(super) control: libp2p::Stream,
    pub(super) bulk: libp2p::Stream,
}

/// Why they do not stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoStreams {
    /// The other side does not know these names.
    OtherNetwork,
    /// Nothing came in time.
    Timeout,
    /// The connection broke.
    Lost,
}

/// What became of a connection's streams.
#[derive(Debug)]
pub(super) struct StreamsEvent {
    pub(super) connection: ConnectionId,
    pub(super) role: LinkRole,
    pub(super) result: Result<Both, NoStreams>,
}

/// The behaviour. On connections that libp2p made for itself (a hub trying an address) nothing is
/// opened.
#[derive(Debug)]
pub(super) struct Streams {
    protocols: Protocols,
    patience: Duration,
    every_outbound: bool,
    wanted: HashSet<ConnectionId>,
    events: VecDeque<StreamsEvent>,
}

impl Streams {
    /// `every_outbound`: also on connections that were not [wanted](Self::want), which are holes
    /// punched for us.
    pub(super) fn new(protocols: Protocols, patience: Duration, every_outbound: bool) -> Self {
        let (wanted, events) = (HashSet::new(), VecDeque::new());
        Self { protocols, patience, every_outbound, wanted, events }
    }

    /// This dial is meant to become a link.
    pub(super) fn want(&mut self, connection: ConnectionId) {
        self.wanted.insert(connection);
    }

    fn handler(&self, part: Part) -> Handler {
        let deadline = (part == Part::Listener).then(|| Box::pin(sleep(self.patience)));
        Handler {
            protocols: self.protocols.clone(),
            patience: self.patience,
            part,
            ask: (part == Part::Dialer).then_some(Stream::Control),
            control: None,
            bulk: None,
            deadline,
            outcome: None,
            told: false,
        }
    }
}

impl NetworkBehaviour for Streams {
    type ConnectionHandler = Handler;
    type ToSwarm = StreamsEvent;

    fn handle_established_inbound_connection(
        &mut self,
        _connection: ConnectionId,
        _peer: PeerId,
        _local: &Multiaddr,
        _remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler(Part::Listener))
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        _peer: PeerId,
        _addr: &Multiaddr,
        role: Endpoint,
        _port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        let wanted = self.wanted.remove(&connection) || self.every_outbound;
        Ok(self.handler(match role {
            Endpoint::Listener => Part::Listener,
            Endpoint::Dialer if wanted => Part::Dialer,
            Endpoint::Dialer => Part::Bystander,
        }))
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        if let FromSwarm::DialFailure(failed) = event {
            self.wanted.remove(&failed.connection_id);
        }
    }

    fn on_connection_handler_event(
        &mut self,
        _peer: PeerId,
        connection: ConnectionId,
        (role, result): THandlerOutEvent<Self>,
    ) {
        self.events.push_back(StreamsEvent { connection, role, result });
    }

    fn poll(
        &mut self,
        _cx: &mut Context<'_>,
    ) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.events
            .pop_front()
            .map_or(Poll::Pending, |event| Poll::Ready(ToSwarm::GenerateEvent(event)))
    }
}

/// What this side does on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Opens both streams.
    Dialer,
    /// Takes one of each.
    Listener,
    /// Neither.
    Bystander,
}

/// The part of one connection.
#[derive(Debug)]
pub(super) struct Handler {
    protocols: Protocols,
    patience: Duration,
    part: Part,
    ask: Option<Stream>,
    control: Option<libp2p::Stream>,
    bulk: Option<libp2p::Stream>,
    deadline: Option<Pin<Box<Sleep>>>,
    outcome: Option<Result<Both, NoStreams>>,
    told: bool,
}

impl Handler {
    fn take(&mut self, stream: libp2p::Stream, which: Stream) {
        let place = match which {
            Stream::Control => &mut self.control,
            Stream::Bulk => &mut self.bulk,
        };
        // A second one of a kind is dropped, as is any after both stood.
        if self.told || self.outcome.is_some() || place.is_some() {
            return;
        }
        *place = Some(stream);
        if self.part == Part::Dialer && which == Stream::Control {
            self.ask = Some(Stream::Bulk);
        }
        match (self.control.take(), self.bulk.take()) {
            (Some(control), Some(bulk)) => self.end(Ok(Both { control, bulk })),
            (control, bulk) => (self.control, self.bulk) = (control, bulk),
        }
    }

    fn end(&mut self, outcome: Result<Both, NoStreams>) {
        if !self.told && self.outcome.is_none() {
            self.outcome = Some(outcome);
            self.deadline = None;
        }
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Infallible;
    type ToBehaviour = (LinkRole, Result<Both, NoStreams>);
    type InboundProtocol = Upgrade;
    type OutboundProtocol = Upgrade;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Upgrade> {
        let names = match self.part {
            Part::Listener => vec![
                (self.protocols.named(Stream::Control), Stream::Control),
                (self.protocols.named(Stream::Bulk), Stream::Bulk),
            ],
            Part::Dialer | Part::Bystander => Vec::new(),
        };
        SubstreamProtocol::new(Upgrade { names }, ()).with_timeout(self.patience)
    }

    /// Until the streams stand or fail; after that the streams themselves keep it, or it is closed.
    fn connection_keep_alive(&self) -> bool {
        self.part != Part::Bystander && !self.told
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Upgrade, (), Self::ToBehaviour>> {
        if let Some(which) = self.ask.take() {
            let upgrade = Upgrade { names: vec![(self.protocols.named(which), which)] };
            let protocol = SubstreamProtocol::new(upgrade, ()).with_timeout(self.patience);
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
        }
        if self.deadline.as_mut().is_some_and(|at| at.as_mut().poll(cx).is_ready()) {
            self.end(Err(NoStreams::Timeout));
        }
        let Some(outcome) = self.outcome.take() else { return Poll::Pending };
        self.told = true;
        let role = if self.part == Part::Dialer { LinkRole::Dialer } else { LinkRole::Listener };
        Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour((role, outcome)))
    }

    fn on_behaviour_event(&mut self, event: Infallible) {
        match event {}
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "of a connection's many events, three matter"
    )]
    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Upgrade, Upgrade>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol: (stream, which),
                ..
            })
            | ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol: (stream, which),
                ..
            }) => self.take(stream, which),
            ConnectionEvent::DialUpgradeError(DialUpgradeError { error, .. }) => {
                self.end(Err(match error {
                    StreamUpgradeError::NegotiationFailed => NoStreams::OtherNetwork,
                    StreamUpgradeError::Timeout => NoStreams::Timeout,
                    StreamUpgradeError::Io(_) => NoStreams::Lost,
                    StreamUpgradeError::Apply(never) => match never {},
                }));
            }
            _ => {}
        }
    }
}

/// A stream under one of some names, as it is.
pub(super) struct Upgrade {
    names: Vec<(StreamProtocol, Stream)>,
}

impl fmt::Debug for Upgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upgrade").field("names", &self.names.len()).finish()
    }
}

/// A name together with which of the two it is.
#[derive(Debug, Clone)]
pub(super) struct Named(StreamProtocol, Stream);

impl AsRef<str> for Named {
    fn as_ref(&self) -> &str {
        self.0.as_ref()
    }
}

impl UpgradeInfo for Upgrade {
    type Info = Named;
    type InfoIter = Vec<Named>;

    fn protocol_info(&self) -> Vec<Named> {
        self.names.iter().map(|(name, which)| Named(name.clone(), *which)).collect()
    }
}

impl InboundUpgrade<libp2p::Stream> for Upgrade {
    type Output = (libp2p::Stream, Stream);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_inbound(self, stream: libp2p::Stream, name: Named) -> Self::Future {
        ready(Ok((stream, name.1)))
    }
}

impl OutboundUpgrade<libp2p::Stream> for Upgrade {
    type Output = (libp2p::Stream, Stream);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_outbound(self, stream: libp2p::Stream, name: Named) -> Self::Future {
        ready(Ok((stream, name.1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_streams_hold_the_beginning_of_their_network() {
        let protocols = Protocols::of(&NetworkId([0xab; 32]));
        assert_eq!(protocols.control.as_ref(), "/wksbm/abababababababab/control/1");
        assert_eq!(protocols.bulk.as_ref(), "/wksbm/abababababababab/bulk/1");
    }
}
