//! A peer that speaks libp2p and our names, and then does what it likes.

use futures_util::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::swarm::{SwarmEvent, dial_opts::DialOpts};
use libp2p::{Swarm, SwarmBuilder, noise, tcp, yamux};

use super::*;
use crate::net::keys::{key_of, pair_of};
use crate::net::pairs::{GO, decides};
use crate::net::streams::{Both, Protocols, Streams};

struct Rogue {
    swarm: Swarm<Streams>,
    key: [u8; 32],
}

impl Rogue {
    fn new(seed: u8) -> Self {
        let keys = pair_of(&Zeroizing::new([seed; 32])).unwrap();
        let streams = Streams::new(Protocols::of(&NetworkId([9; 32])), LONG, true);
        let swarm = SwarmBuilder::with_existing_identity(keys)
            .with_tokio()
            .with_tcp(tcp::Config::new(), noise::Config::new, yamux::Config::default)
            .unwrap()
            .with_behaviour(|_| streams)
            .unwrap()
            .build();
        let key = key_of(swarm.local_peer_id()).unwrap();
        Self { swarm, key }
    }

    /// Both streams of a connection to `peer`, its word read or said.
    async fn streams(&mut self, peer: &Peer) -> Both {
        self.swarm.dial(DialOpts::from(peer.address(Over::Tcp))).unwrap();
        let mut both = loop {
            if let SwarmEvent::Behaviour(event) = self.swarm.select_next_some().await {
                break event.result.unwrap();
            }
        };
        if decides(&self.key, &peer.key) {
            both.control.write_all(&[GO]).await.unwrap();
            both.control.flush().await.unwrap();
        } else {
            let mut word = [0];
            self.drive(both.control.read_exact(&mut word)).await.unwrap();
            assert_eq!(word, [GO]);
        }
        both
    }

    /// Does something while its connections are served.
    async fn drive<T>(&mut self, what: impl Future<Output = T>) -> T {
        let what = std::pin::pin!(what);
        let serve = async {
            loop {
                self.swarm.select_next_some().await;
            }
        };
        tokio::select! {
            done = what => done,
            never = serve => never,
        }
    }
}

/// What a node makes of these bytes on a stream.
async fn fed(seed: u8, stream: Stream, bytes: &[u8], close: bool) -> (LinkError, CloseReason) {
    let mut victim = Peer::start(1).await;
    let mut rogue = Rogue::new(seed);
    let mut both = rogue.streams(&victim).await;
    let mouth = match stream {
        Stream::Control => &mut both.control,
        Stream::Bulk => &mut both.bulk,
    };
    let (mut link, error) = rogue
        .drive(async {
            mouth.write_all(bytes).await.unwrap();
            mouth.flush().await.unwrap();
            if close {
                mouth.close().await.unwrap();
            }
            let mut link = victim.opened().await;
            let error = loop {
                match timeout(LONG, link.reader.next()).await.unwrap() {
                    Ok(came) => assert!(came.is_some(), "an end nobody said"),
                    Err(error) => break error,
                }
            };
            (link, error)
        })
        .await;
    assert_eq!(link.reader.next().await, Err(error), "the error is said again");
    let id = link.id;
    drop(link);
    let reason = rogue.drive(victim.closed(id)).await;
    // The node goes on.
    let mut friend = Peer::start(3).await;
    linked(&mut friend, &mut victim, Over::Tcp).await;
    (error, reason)
}

#[tokio::test]
async fn a_length_no_stream_may_have_ends_the_link_and_the_node_goes_on() {
    for (seed, stream, length) in [
        (2, Stream::Control, u32::MAX),
        (4, Stream::Control, 65_537),
        (2, Stream::Bulk, 0),
        (4, Stream::Bulk, u32::MAX),
    ] {
        let ended = fed(seed, stream, &length.to_be_bytes(), false).await;
        assert_eq!(ended, (LinkError::Oversize, CloseReason::Oversize), "{stream:?} {length}");
    }
}

#[tokio::test]
async fn a_stream_that_ends_within_a_frame_or_without_a_goodbye_is_a_loss() {
    for bytes in [&[0, 0, 0, 9, 1, 2][..], &[0, 0], &[0, 0, 0, 1, 7]] {
        assert_eq!(fed(2, Stream::Control, bytes, true).await.0, LinkError::Lost, "{bytes:?}");
    }
}

#[tokio::test]
async fn a_connection_without_streams_becomes_no_link_and_keeps_nobody_out() {
    let mut victim = Peer::with(1, |config| config.timing.open = Duration::from_millis(300)).await;
    let mut rogue = Rogue::new(2);
    // Connected, and it never opens a stream: it is not among the wanted.
    let streams = Streams::new(Protocols::of(&NetworkId([9; 32])), LONG, false);
    *rogue.swarm.behaviour_mut() = streams;
    rogue.swarm.dial(DialOpts::from(victim.address(Over::Tcp))).unwrap();
    rogue
        .drive(async {
            let mut friend = Peer::start(3).await;
            let (_ours, theirs) = linked(&mut friend, &mut victim, Over::Tcp).await;
            assert_eq!(theirs.peer_key, friend.key);
        })
        .await;
}

#[tokio::test]
async fn whoever_answers_and_says_no_word_is_silent_and_not_out_of_reach() {
    let brief = |config: &mut NetConfig| config.timing.open = Duration::from_millis(300);
    let mut one = Peer::with(1, brief).await;
    // The one whose word is waited for.
    let seed = (2..u8::MAX).find(|seed| decides(&key(*seed), &one.key)).unwrap();
    let mut rogue = Rogue::new(seed);
    rogue.swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse().unwrap()).unwrap();
    let address = loop {
        if let SwarmEvent::NewListenAddr { address, .. } = rogue.swarm.select_next_some().await {
            break address;
        }
    };
    one.handle.dial(address);
    // It keeps its streams, so that they do not end.
    let mut kept = Vec::new();
    let mut failed = std::pin::pin!(one.dial_failed());
    let kind = loop {
        tokio::select! {
            (kind, ..) = &mut failed => break kind,
            event = rogue.swarm.select_next_some() => {
                if let SwarmEvent::Behaviour(event) = event {
                    kept.push(event);
                }
            }
        }
    };
    assert_eq!(kind, DialFailure::Silent);
}
