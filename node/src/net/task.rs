//! The one task: it owns the swarm, does what is asked, and tells what happened. What becomes of a
//! connection is in `connections.rs`.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::StreamExt;
use libp2p::core::transport::{ListenerId, PortUse};
use libp2p::multiaddr::Protocol;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Swarm, identify, mdns};
use socket2::{Domain, Socket, Type};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::circuits::{Circuits, Held, hub_of};
use super::config::{NetConfig, NetLimits, NetTiming};
use super::connections::{Connection, Later};
use super::event::{DialFailure, ListenFailure, NetError, NetEvent};
use super::failure::{self, Failed};
use super::handle::{Addresses, Command, Manner};
use super::keys::key_of;
use super::resolve::{is_named, resolve};
use super::swarm::{Behaviour, BehaviourEvent};

/// Events kept for a receiver that does not read; beyond it connections are not served.
const OUTBOX_MAX: usize = 256;
/// How long dials wait for listeners: a dial from a port that is listened on can pass routers.
const LISTENERS_START: Duration = Duration::from_secs(2);
/// For connections to be closed at the very end, and for the last events to be read.
const FAREWELL: Duration = Duration::from_millis(250);

/// The task's state.
pub(super) struct Task {
    pub(super) swarm: Swarm<Behaviour>,
    pub(super) own_key: [u8; 32],
    pub(super) limits: NetLimits,
    pub(super) timing: NetTiming,
    pub(super) commands: mpsc::WeakUnboundedSender<Command>,
    pub(super) connections: HashMap<ConnectionId, Connection>,
    /// Which connection a link is.
    pub(super) links: HashMap<u64, ConnectionId>,
    pub(super) links_made: u64,
    /// Dials that were asked for and are no connection yet.
    pub(super) dials: HashMap<ConnectionId, Held>,
    pub(super) later: JoinSet<Later>,
    pub(super) outbox: VecDeque<NetEvent>,
    own_peer: PeerId,
    is_hub: bool,
    listen: Vec<Multiaddr>,
    external: Vec<Multiaddr>,
    asked: mpsc::UnboundedReceiver<Command>,
    events: mpsc::Sender<NetEvent>,
    deaf: bool,
    ending: Option<Instant>,
    addresses: Addresses,
    listeners: HashMap<ListenerId, Multiaddr>,
    starting: HashSet<ListenerId>,
    held_dials: Vec<(Multiaddr, Manner)>,
    circuits: Circuits,
}

impl Task {
    /// A task that has done nothing yet.
    pub(super) fn new(
        config: NetConfig,
        swarm: Swarm<Behaviour>,
        (commands, asked): (mpsc::WeakUnboundedSender<Command>, mpsc::UnboundedReceiver<Command>),
        events: mpsc::Sender<NetEvent>,
        addresses: Addresses,
    ) -> Result<Self, NetError> {
        let own_peer = *swarm.local_peer_id();
        Ok(Self {
            swarm,
            own_key: key_of(&own_peer).ok_or(NetError::Key)?,
            limits: config.limits,
            timing: config.timing,
            commands,
            connections: HashMap::new(),
            links: HashMap::new(),
            links_made: 0,
            dials: HashMap::new(),
            later: JoinSet::new(),
            outbox: VecDeque::new(),
            own_peer,
            is_hub: config.is_hub,
            listen: config.listen,
            external: config.external,
            asked,
            events,
            deaf: false,
            ending: None,
            addresses,
            listeners: HashMap::new(),
            starting: HashSet::new(),
            held_dials: Vec::new(),
            circuits: Circuits::default(),
        })
    }

    /// Runs until it is asked to end, or nobody is left who could ask or hear.
    pub(super) async fn run(mut self) {
        self.start();
        let events = self.events.clone();
        while !(self.ending.is_some() && self.connections.is_empty()) {
            let over = self.ending;
            let over = async move {
                match over {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = over => break,
                command = self.asked.recv(), if self.ending.is_none() || !self.asked.is_closed() => {
                    self.obey(command.unwrap_or(Command::Shutdown));
                }
                place = events.reserve(), if !self.outbox.is_empty() => match place {
                    Ok(place) => {
                        if let Some(event) = self.outbox.pop_front() {
                            place.send(event);
                        }
                    }
                    Err(_) => self.go_deaf(),
                },
                () = events.closed(), if !self.deaf => self.go_deaf(),
                event = self.swarm.select_next_some(), if self.outbox.len() < OUTBOX_MAX => {
                    self.hear(event);
                }
                Some(later) = self.later.join_next() => {
                    if let Ok(later) = later {
                        self.later(later);
                    }
                }
            }
        }
        self.end().await;
    }

    fn start(&mut self) {
        for addr in std::mem::take(&mut self.external) {
            self.swarm.add_external_address(addr);
        }
        for addr in std::mem::take(&mut self.listen) {
            if let Some(listener) = self.listen_on(addr) {
                self.starting.insert(listener);
            }
        }
        self.later.spawn(async {
            sleep(LISTENERS_START).await;
            Later::Listening
        });
    }

    /// Closes what is left, and waits a moment for it and for the last events to be read.
    async fn end(mut self) {
        let left: Vec<_> = self.connections.keys().copied().collect();
        for connection in left {
            self.swarm.close_connection(connection);
        }
        let closing = async {
            while !self.connections.is_empty() {
                let event = self.swarm.select_next_some().await;
                self.hear(event);
            }
        };
        // Whoever does not close in time is dropped with the swarm.
        let _in_time = timeout(FAREWELL, closing).await;
        let left: Vec<_> = self.connections.keys().copied().collect();
        for connection in left {
            self.closed(connection);
        }
        for event in std::mem::take(&mut self.outbox) {
            if !matches!(timeout(FAREWELL, self.events.send(event)).await, Ok(Ok(()))) {
                break;
            }
        }
    }

    fn go_deaf(&mut self) {
        self.deaf = true;
        self.outbox.clear();
        self.shut_down();
    }

    fn shut_down(&mut self) {
        if self.ending.is_none() {
            self.ending = Some(Instant::now() + self.timing.shutdown);
            self.say_goodbye_to_all();
        }
    }

    /// Puts an event before whoever listens.
    pub(super) fn tell(&mut self, event: NetEvent) {
        if !self.deaf {
            self.outbox.push_back(event);
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Shutdown => self.shut_down(),
            Command::Line(link, news) => self.line_news(link, news),
            Command::Dial(..) | Command::Resolved { .. } | Command::Listen(_)
                if self.ending.is_some() => {}
            Command::Dial(addr, manner) if !self.starting.is_empty() => {
                self.held_dials.push((addr, manner));
            }
            Command::Dial(addr, manner) if is_named(&addr) => self.look_up(addr, manner),
            Command::Dial(addr, manner) => {
                self.dial(Held::new(addr.clone(), addr, manner));
            }
            Command::Resolved { asked, manner, found: Ok(addr) } => {
                self.dial(Held::new(asked, addr, manner));
            }
            Command::Resolved { asked, found: Err(text), .. } => {
                self.dial_failed(asked, None, Failed::new(DialFailure::Unreachable, &text));
            }
            Command::Listen(addr) => {
                self.listen_on(addr);
            }
            Command::HangUp(key) => self.hang_up(&key),
            Command::Recheck => self.recheck(),
        }
    }

    fn listen_on(&mut self, addr: Multiaddr) -> Option<ListenerId> {
        if let Some(error) = taken(&addr) {
            self.listen_failed(addr, failure::of_listen_io(&error));
            return None;
        }
        match self.swarm.listen_on(addr.clone()) {
            Ok(listener) => {
                self.listeners.insert(listener, addr);
                Some(listener)
            }
            Err(error) => {
                self.listen_failed(addr, failure::of_listen(&error));
                None
            }
        }
    }

    fn listen_failed(&mut self, addr: Multiaddr, (kind, reason): (ListenFailure, String)) {
        self.tell(NetEvent::ListenFailed { addr, kind, reason });
    }

    fn look_up(&self, asked: Multiaddr, manner: Manner) {
        let commands = self.commands.clone();
        tokio::spawn(async move {
            let found = resolve(asked.clone()).await;
            if let Some(commands) = commands.upgrade() {
                // A task that has ended dials no more.
                let _told = commands.send(Command::Resolved { asked, manner, found });
            }
        });
    }

    fn dial(&mut self, dial: Held) {
        let key = last_peer(&dial.addr).as_ref().and_then(key_of);
        let linked = key.is_some_and(|key| self.link_to(&key).is_some());
        if linked && dial.manner == Manner::Usual {
            return self.dial_failed(dial.asked, key, failure::linked());
        }
        match hub_of(&dial.addr).filter(|(hub, _)| !self.circuits.has_spoken(hub)) {
            Some((hub, at)) => self.dial_hub_first(hub, at, dial),
            None => {
                self.dial_now(dial);
            }
        }
    }

    /// Connects with the hub of a circuit; the dial itself goes when the hub has spoken.
    fn dial_hub_first(&mut self, hub: PeerId, at: Multiaddr, dial: Held) {
        self.circuits.hold(hub, dial);
        let opts = DialOpts::peer_id(hub).addresses(vec![at]);
        let opts = opts.condition(PeerCondition::DisconnectedAndNotDialing).build();
        match self.swarm.dial(opts) {
            // It is being dialled, or is connected and has not spoken yet.
            Ok(()) | Err(DialError::DialPeerConditionFalse(_)) => {}
            Err(_) => {
                let held = self.circuits.gone(&hub);
                self.dial_through(held);
            }
        }
    }

    /// Dials what waited for a hub; if that is gone, each dial fails and tells why.
    fn dial_through(&mut self, held: Vec<Held>) {
        for dial in held {
            self.dial_now(dial);
        }
    }

    /// Dials; whether that is under way.
    fn dial_now(&mut self, dial: Held) -> bool {
        let peer = last_peer(&dial.addr);
        let addr = dial.addr.clone();
        let from_any = dial.port == PortUse::New;
        let opts = if let Some(peer) = peer {
            let opts = DialOpts::peer_id(peer).addresses(vec![addr]);
            let opts = opts.condition(PeerCondition::Always);
            if from_any { opts.allocate_new_port().build() } else { opts.build() }
        } else {
            let opts = DialOpts::unknown_peer_id().address(addr);
            if from_any { opts.allocate_new_port().build() } else { opts.build() }
        };
        let connection = opts.connection_id();
        if dial.manner != Manner::Probe {
            self.swarm.behaviour_mut().streams.want(connection);
        }
        match self.swarm.dial(opts) {
            Ok(()) => {
                self.dials.insert(connection, dial);
                true
            }
            Err(error) => !self.fell_through(dial, peer, &error),
        }
    }

    /// A dial became no connection. Where the port we listen on cannot be dialed from, as another
    /// program has it at another address of this machine, it goes once more from any port. Whether it
    /// is over.
    fn fell_through(&mut self, dial: Held, peer: Option<PeerId>, error: &DialError) -> bool {
        if dial.port == PortUse::Reuse && failure::is_port_taken(error) {
            return !self.dial_now(Held { port: PortUse::New, ..dial });
        }
        let key = peer.as_ref().and_then(key_of);
        self.dial_failed(dial.asked, key, failure::of_dial(error));
        true
    }

    /// Tells that a dial became no link.
    pub(super) fn dial_failed(&mut self, addr: Multiaddr, key: Option<[u8; 32]>, failed: Failed) {
        let Failed { kind, answered, text } = failed;
        self.tell(NetEvent::DialFailed { addr, peer_key: answered.or(key), kind, text });
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "of the swarm's many events, these matter")]
    fn hear(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::NewListenAddr { listener_id, address } => {
                self.listening(listener_id, &address);
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                if self.is_hub {
                    self.swarm.remove_external_address(&address);
                }
                self.note_addresses();
            }
            SwarmEvent::ListenerClosed { listener_id, reason, .. } => {
                self.started(listener_id);
                let why = match reason {
                    Ok(()) => (ListenFailure::Other, "closed".to_owned()),
                    Err(error) => failure::of_listen_io(&error),
                };
                if let Some(addr) = self.listeners.remove(&listener_id) {
                    self.listen_failed(addr, why);
                }
                self.note_addresses();
            }
            SwarmEvent::OutgoingConnectionError { connection_id, peer_id, error, .. } => {
                let dial = self.dials.remove(&connection_id);
                let is_over = dial.is_none_or(|dial| self.fell_through(dial, peer_id, &error));
                let peer = peer_id.filter(|peer| is_over && !self.swarm.is_connected(peer));
                if let Some(peer) = peer {
                    let held = self.circuits.gone(&peer);
                    self.dial_through(held);
                }
            }
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.established(connection_id, peer_id, &endpoint);
            }
            SwarmEvent::ConnectionClosed { connection_id, peer_id, num_established, .. } => {
                self.closed(connection_id);
                if num_established == 0 {
                    let held = self.circuits.gone(&peer_id);
                    self.dial_through(held);
                }
            }
            SwarmEvent::ExternalAddrConfirmed { address } => {
                self.note_addresses();
                self.tell(NetEvent::External(address));
            }
            SwarmEvent::ExternalAddrExpired { address } => {
                self.note_addresses();
                self.tell(NetEvent::ExternalLost(address));
            }
            SwarmEvent::Behaviour(event) => self.behaved(event),
            _ => {}
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "what libp2p's parts tell is theirs")]
    fn behaved(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Streams(event) => self.streams(event),
            BehaviourEvent::Identify(
                identify::Event::Received { peer_id, .. } | identify::Event::Error { peer_id, .. },
            ) if self.swarm.is_connected(&peer_id) => {
                let held = self.circuits.spoke(peer_id);
                self.dial_through(held);
            }
            BehaviourEvent::Ping(event) => self.pinged(event.connection, event.result.is_ok()),
            BehaviourEvent::Mdns(mdns::Event::Discovered(found)) => {
                for (peer, addr) in found {
                    if let Ok(addr) = addr.with_p2p(peer) {
                        self.tell(NetEvent::Found { addr });
                    }
                }
            }
            _ => {}
        }
    }

    fn listening(&mut self, listener: ListenerId, address: &Multiaddr) {
        // A relay offers itself only where it knows how it is reached; a node behind a router must
        // not claim to know, or no hole is ever punched to it.
        if self.is_hub {
            self.swarm.add_external_address(address.clone());
        }
        self.note_addresses();
        let address = self.own(address);
        self.tell(NetEvent::Listening(address));
        self.started(listener);
    }

    /// One listener more has begun or failed; the last lets the dials go that waited.
    fn started(&mut self, listener: ListenerId) {
        if self.starting.remove(&listener) && self.starting.is_empty() {
            self.dial_held();
        }
    }

    /// Dials what waited for the listeners.
    pub(super) fn dial_held(&mut self) {
        self.starting.clear();
        for (addr, manner) in std::mem::take(&mut self.held_dials) {
            self.obey(Command::Dial(addr, manner));
        }
    }

    fn own(&self, address: &Multiaddr) -> Multiaddr {
        address.clone().with_p2p(self.own_peer).unwrap_or_else(|address| address)
    }

    fn note_addresses(&self) {
        let known = self.swarm.listeners().chain(self.swarm.external_addresses());
        let mut known: Vec<Multiaddr> = known.map(|address| self.own(address)).collect();
        known.sort_unstable();
        known.dedup();
        let mut addresses =
            self.addresses.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        *addresses = known;
    }
}

/// Whose address it is, where it says so.
fn last_peer(addr: &Multiaddr) -> Option<PeerId> {
    match addr.iter().last() {
        Some(Protocol::P2p(peer)) => Some(peer),
        _ => None,
    }
}

/// Why a port cannot be had. libp2p shares its TCP ports with whoever else wants to share them, so
/// that two nodes on one port would each get half of the connections and nobody were told; and of a
/// UDP port it hides the system's word.
fn taken(addr: &Multiaddr) -> Option<std::io::Error> {
    let mut parts = addr.iter();
    let ip = match parts.next() {
        Some(Protocol::Ip4(ip)) => IpAddr::V4(ip),
        Some(Protocol::Ip6(ip)) => IpAddr::V6(ip),
        _ => return None,
    };
    match (parts.next(), parts.next(), parts.next()) {
        (Some(Protocol::Tcp(port)), None, _) => had(SocketAddr::new(ip, port), Type::STREAM).err(),
        (Some(Protocol::Udp(port)), Some(Protocol::QuicV1), None) => {
            had(SocketAddr::new(ip, port), Type::DGRAM).err()
        }
        _ => None,
    }
}

/// Has a port for a moment, as libp2p will: of IPv6 alone, so that one port serves both families.
fn had(at: SocketAddr, kind: Type) -> std::io::Result<()> {
    let socket = Socket::new(Domain::for_address(at), kind, None)?;
    if at.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Connections that ended a moment ago are nobody. (On Windows the word means another thing.)
    if kind == Type::STREAM && cfg!(not(windows)) {
        socket.set_reuse_address(true)?;
    }
    socket.bind(&at.into())?;
    if kind == Type::STREAM { socket.listen(1) } else { Ok(()) }
}
