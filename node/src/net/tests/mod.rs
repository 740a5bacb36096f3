//! Transports on real sockets of the loopback. Nothing here waits for time to pass: each step waits
//! for an event, and gives up after long.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test that panics is a test that fails, and waits for one event of many"
)]

mod circuits;
mod dials;
mod ends;
mod frames;
mod idlers;
mod measure;
mod pairs;
mod rogue;

use std::sync::Arc;
use std::time::Duration;

use crdt_schema::entry::SigningSecret;
use crdt_schema::id::{DeviceId, NetworkId};
use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use tokio::sync::mpsc;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::config::{Admission, NetConfig, NetLimits, NetTiming};
use super::event::{CloseReason, DialFailure, LinkError, ListenFailure, NetEvent};
use super::handle::{Manner, NetHandle, Transport};
use super::link::Link;
use crate::sync::Stream;

/// Beyond this a test has failed, on however busy a machine.
const LONG: Duration = Duration::from_secs(60);

/// Over what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    Quic,
    Tcp,
}

const BOTH: [Over; 2] = [Over::Quic, Over::Tcp];

/// The key of a seed of equal bytes.
fn key(seed: u8) -> [u8; 32] {
    SigningSecret::from_seed(&[seed; 32]).public().0
}

/// Everybody is a member, as the device whose id is its key.
fn config(seed: u8) -> NetConfig {
    let loopback = |text: &str| text.parse::<Multiaddr>().unwrap();
    NetConfig {
        transport_seed: Zeroizing::new([seed; 32]),
        network: NetworkId([9; 32]),
        listen: vec![loopback("/ip4/127.0.0.1/udp/0/quic-v1"), loopback("/ip4/127.0.0.1/tcp/0")],
        external: Vec::new(),
        is_hub: false,
        mdns: false,
        // The test process is everybody at once.
        limits: NetLimits { memory_bytes: usize::MAX, ..NetLimits::default() },
        timing: NetTiming::default(),
        who: Arc::new(|key| Admission::Member(DeviceId(*key))),
    }
}

/// A transport of a test, and what it told.
struct Peer {
    handle: NetHandle,
    events: mpsc::Receiver<NetEvent>,
    key: [u8; 32],
    listening: Vec<Multiaddr>,
}

impl Peer {
    async fn start(seed: u8) -> Self {
        Self::with(seed, |_| {}).await
    }

    /// Starts one and waits until it listens wherever it shall.
    async fn with(seed: u8, change: impl FnOnce(&mut NetConfig)) -> Self {
        let mut config = config(seed);
        change(&mut config);
        let wanted = config.listen.len();
        let (handle, events) = Transport::start(config).unwrap();
        let mut peer = Self { handle, events, key: key(seed), listening: Vec::new() };
        while peer.listening.len() < wanted {
            let listening = peer
                .until(|event| match event {
                    NetEvent::Listening(addr) => Some(addr),
                    _ => None,
                })
                .await;
            peer.listening.push(listening);
        }
        peer
    }

    fn address(&self, over: Over) -> Multiaddr {
        let quic = |addr: &Multiaddr| addr.iter().any(|part| part == Protocol::QuicV1);
        let fits = |addr: &&Multiaddr| quic(addr) == (over == Over::Quic);
        self.listening.iter().find(fits).unwrap().clone()
    }

    /// The next event that fits; others are dropped, and told where none fits.
    async fn until<T>(&mut self, mut fits: impl FnMut(NetEvent) -> Option<T>) -> T {
        let mut others = Vec::new();
        loop {
            let event = timeout(LONG, self.events.recv()).await;
            let event = event.unwrap_or_else(|_| panic!("nothing but {others:?}")).unwrap();
            let told = format!("{event:?}");
            if let Some(found) = fits(event) {
                return found;
            }
            others.push(told);
        }
    }

    async fn opened(&mut self) -> Link {
        self.until(|event| match event {
            NetEvent::Opened(link) => Some(link),
            _ => None,
        })
        .await
    }

    async fn closed(&mut self, id: u64) -> CloseReason {
        self.until(|event| match event {
            NetEvent::Closed { link, reason } if link == id => Some(reason),
            _ => None,
        })
        .await
    }

    async fn dial_failed(&mut self) -> (DialFailure, Option<[u8; 32]>, String) {
        self.until(|event| match event {
            NetEvent::DialFailed { kind, peer_key, text, .. } => Some((kind, peer_key, text)),
            _ => None,
        })
        .await
    }
}

fn tcp_port(peer: &Peer) -> u16 {
    let port = |part| match part {
        Protocol::Tcp(port) => Some(port),
        _ => None,
    };
    peer.address(Over::Tcp).iter().find_map(port).unwrap()
}

/// A link between two, dialed by `one`.
async fn linked(one: &mut Peer, other: &mut Peer, over: Over) -> (Link, Link) {
    one.handle.dial(other.address(over));
    let ours = one.opened().await;
    (ours, other.opened().await)
}

/// The next frame, which must come.
async fn next(link: &mut Link) -> (Stream, Vec<u8>) {
    timeout(LONG, link.reader.next()).await.unwrap().unwrap().unwrap()
}

async fn send(link: &Link, stream: Stream, frame: Vec<u8>) {
    timeout(LONG, link.writer.send(stream, frame)).await.unwrap().unwrap();
}
