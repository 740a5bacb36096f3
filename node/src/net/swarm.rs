//! How libp2p is put together, with every number on it.
//!
//! Only Noise over TCP and TLS 1.3 in QUIC, both by Ed25519 keys. Nothing of the network id goes
//! into the handshakes: QUIC has no place for it, and a node of another network is to be told so.

use std::num::{NonZeroU8, NonZeroUsize};
use std::time::Duration;

use libp2p::Transport as _;
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::Boxed;
use libp2p::core::transport::timeout::TransportTimeout;
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::swarm::NetworkBehaviour;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::{
    PeerId, Swarm, SwarmBuilder, autonat, dcutr, identify, mdns, memory_connection_limits, noise,
    ping, quic, relay, tcp, yamux,
};

use super::config::{NetConfig, NetLimits, NetTiming};
use super::doorstep::Doorstep;
use super::event::NetError;
use super::gate::Gate;
use super::streams::{Protocols, Streams, network_digits};

/// Streams of one TCP connection: two, ping, identify, and the circuits a hub carries on it. The
/// library grows the window of each by itself, from 256 KiB, with what its reader takes.
const TCP_STREAMS_MAX: usize = 64;
/// Streams of one QUIC connection, as above.
const QUIC_STREAMS_MAX: u32 = 64;
/// Bytes under way on a QUIC stream: 256 KiB fill a line of 2 Mbit/s over 900 ms.
const QUIC_STREAM_WINDOW: u32 = 256 * 1024;
/// Bytes under way on a QUIC connection: both streams, and a circuit.
const QUIC_CONNECTION_WINDOW: u32 = 768 * 1024;
/// Times between signs of life without a word before a QUIC connection is given up. Each sign is sent
/// again and again until it is answered, so two are a long silence; and after a hub was killed, or
/// lost its current, this is how long its villages wait before they dial anew.
const QUIC_ALIVE_LOST: u32 = 2;
/// A QUIC handshake: two round trips on the slowest line, each lost twice.
const QUIC_HANDSHAKE: Duration = Duration::from_secs(8);
/// A ping behind a full window on 64 kbit/s.
const PING_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a connection stays that nothing uses: what holes and circuits need between steps.
const IDLE: Duration = Duration::from_secs(30);
/// Who is who is asked once a connection: it costs half a kilobyte each way.
const IDENTIFY_EVERY: Duration = Duration::from_secs(86400);
/// Streams a peer may be negotiating at once.
const NEGOTIATING_MAX: usize = 16;
/// Events of one connection that wait for the task.
const EVENTS_PER_CONNECTION: usize = 4;
/// Between two asks for neighbours by multicast; any answer counts for all.
const MDNS_EVERY: Duration = Duration::from_secs(300);
/// How long a neighbour is believed.
const MDNS_TTL: Duration = Duration::from_secs(900);
/// Villages a hub keeps a place for, so that others reach them through it: a kabupaten.
const RESERVATIONS_MAX: usize = 512;
/// Circuits a hub carries at once.
const CIRCUITS_MAX: usize = 128;
/// Circuits of one device.
const CIRCUITS_PER_PEER_MAX: usize = 8;
/// A circuit lives this long; its sessions are resumed on the next.
const CIRCUIT_TIME: Duration = Duration::from_secs(21600);
/// Bytes of a circuit: a first sync of a kecamatan. The library's own 128 KiB would cut one off.
const CIRCUIT_BYTES: u64 = 1024 * 1024 * 1024;

/// Everything that sees a connection. Order is meaning: whoever may deny one comes before those
/// that keep accounts of them.
#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    doorstep: Doorstep,
    limits: connection_limits::Behaviour,
    memory: memory_connection_limits::Behaviour,
    pub(super) gate: Gate,
    pub(super) streams: Streams,
    ping: ping::Behaviour,
    identify: identify::Behaviour,
    mdns: Toggle<mdns::tokio::Behaviour>,
    relay: Toggle<relay::Behaviour>,
    relay_client: relay::client::Behaviour,
    dcutr: dcutr::Behaviour,
    autonat_server: Toggle<autonat::v2::server::Behaviour>,
    autonat_client: autonat::v2::client::Behaviour,
}

/// The swarm of a configuration; it listens on nothing yet.
pub(super) fn build(config: &NetConfig, keys: Keypair) -> Result<Swarm<Behaviour>, NetError> {
    let timing = config.timing;
    let swarm = SwarmBuilder::with_existing_identity(keys)
        .with_tokio()
        .with_quic_config(|config| quic_config(config, &timing))
        .with_other_transport(|keys| tcp_transport(keys, timing.handshake))
        .map_err(setup)?
        .with_relay_client(noise::Config::new, yamux_config)
        .map_err(setup)?
        .with_behaviour(|keys, relay_client| behaviour(config, keys, relay_client))
        .map_err(setup)?
        .with_swarm_config(|swarm| {
            swarm
                .with_idle_connection_timeout(IDLE)
                .with_max_negotiating_inbound_streams(NEGOTIATING_MAX)
                .with_per_connection_event_buffer_size(EVENTS_PER_CONNECTION)
                .with_notify_handler_buffer_size(NonZeroUsize::MIN)
                .with_dial_concurrency_factor(NonZeroU8::MIN)
        })
        .with_connection_timeout(timing.dial)
        .build();
    Ok(swarm)
}

/// TCP with Noise and yamux; whoever comes in has less time than whoever is dialed.
fn tcp_transport(
    keys: &Keypair,
    handshake: Duration,
) -> Result<Boxed<(PeerId, StreamMuxerBox)>, Box<dyn std::error::Error + Send + Sync>> {
    let transport = tcp::tokio::Transport::new(tcp::Config::new().nodelay(true))
        .upgrade(Version::V1Lazy)
        .authenticate(noise::Config::new(keys)?)
        .multiplex(yamux_config());
    Ok(TransportTimeout::with_ingoing_timeout(transport, handshake)
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)))
        .boxed())
}

fn setup(error: impl std::fmt::Display) -> NetError {
    NetError::Setup(error.to_string())
}

fn behaviour(
    config: &NetConfig,
    keys: &Keypair,
    relay_client: relay::client::Behaviour,
) -> Result<Behaviour, Box<dyn std::error::Error + Send + Sync>> {
    let me = keys.public().to_peer_id();
    let protocols = Protocols::of(&config.network);
    let mdns = if config.mdns { Some(mdns_behaviour(me)?) } else { None };
    Ok(Behaviour {
        doorstep: Doorstep::new(&config.limits),
        limits: connection_limits::Behaviour::new(connection_limits(&config.limits)),
        memory: memory_connection_limits::Behaviour::with_max_bytes(config.limits.memory_bytes),
        gate: Gate::new(config.who.clone(), &config.limits),
        streams: Streams::new(protocols, config.timing.open, !config.is_hub),
        ping: ping::Behaviour::new(
            ping::Config::new().with_interval(config.timing.ping_every).with_timeout(PING_TIMEOUT),
        ),
        identify: identify::Behaviour::new(identify_config(config, keys)),
        mdns: mdns.into(),
        relay: config.is_hub.then(|| relay::Behaviour::new(me, relay_config())).into(),
        relay_client,
        dcutr: dcutr::Behaviour::new(me),
        autonat_server: config.is_hub.then(autonat::v2::server::Behaviour::default).into(),
        autonat_client: autonat::v2::client::Behaviour::default(),
    })
}

fn connection_limits(limits: &NetLimits) -> ConnectionLimits {
    ConnectionLimits::default()
        .with_max_pending_outgoing(Some(limits.pending))
        .with_max_established(Some(limits.established))
        .with_max_established_per_peer(Some(limits.per_peer))
}

fn yamux_config() -> yamux::Config {
    let mut config = yamux::Config::default();
    config.set_max_num_streams(TCP_STREAMS_MAX);
    config
}

fn quic_config(config: quic::Config, timing: &NetTiming) -> quic::Config {
    // Looking for longer packets costs 11 KB a connection, and a meeting is 150 bytes.
    let mut config = config.disable_path_mtu_discovery();
    let idle = timing.quic_alive_every.saturating_mul(QUIC_ALIVE_LOST);
    config.handshake_timeout = QUIC_HANDSHAKE.min(timing.dial);
    config.keep_alive_interval = timing.quic_alive_every;
    config.max_idle_timeout = u32::try_from(idle.as_millis()).unwrap_or(u32::MAX);
    config.max_concurrent_stream_limit = QUIC_STREAMS_MAX;
    config.max_stream_data = QUIC_STREAM_WINDOW;
    config.max_connection_data = QUIC_CONNECTION_WINDOW;
    config
}

fn identify_config(config: &NetConfig, keys: &Keypair) -> identify::Config {
    let version = format!("/wksbm/{}/1", network_digits(&config.network));
    identify::Config::new(version, keys.public())
        .with_agent_version("wksbm".to_owned())
        .with_interval(IDENTIFY_EVERY)
        .with_cache_size(0)
}

fn relay_config() -> relay::Config {
    relay::Config {
        max_reservations: RESERVATIONS_MAX,
        max_circuits: CIRCUITS_MAX,
        max_circuits_per_peer: CIRCUITS_PER_PEER_MAX,
        max_circuit_duration: CIRCUIT_TIME,
        max_circuit_bytes: CIRCUIT_BYTES,
        ..relay::Config::default()
    }
}

fn mdns_behaviour(me: PeerId) -> std::io::Result<mdns::tokio::Behaviour> {
    let config = mdns::Config { ttl: MDNS_TTL, query_interval: MDNS_EVERY, enable_ipv6: false };
    mdns::tokio::Behaviour::new(config, me)
}
