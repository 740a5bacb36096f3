//! One link a pair of keys.

use super::*;
use crate::net::link::LinkRole;

/// What one of two that dial each other has been told.
#[derive(Default)]
struct Told {
    open: Vec<Link>,
    /// Its own dial became a link, or was told to be one too many.
    dialed: bool,
}

impl Told {
    async fn step(&mut self, peer: &mut Peer) {
        match peer.events.recv().await.unwrap() {
            NetEvent::Opened(link) => {
                self.dialed |= link.role == LinkRole::Dialer;
                self.open.push(link);
            }
            NetEvent::Closed { link, reason } => {
                let expected = [CloseReason::Superseded, CloseReason::Lost];
                assert!(expected.contains(&reason), "{reason:?}");
                self.open.retain(|known| known.id != link);
            }
            NetEvent::DialFailed { kind, text, .. } => {
                assert_eq!(kind, DialFailure::Connected, "{text}");
                self.dialed = true;
            }
            _ => {}
        }
    }

    fn settled(&self) -> bool {
        self.dialed && self.open.len() == 1
    }
}

/// Both dial at once, over these; then one link stands on each side, and it is the same.
async fn cross(low: &mut Peer, high: &mut Peer, over: [Over; 2]) {
    low.handle.dial(high.address(over[0]));
    high.handle.dial(low.address(over[1]));
    let (mut at_low, mut at_high) = (Told::default(), Told::default());
    let same = |low: &Told, high: &Told| {
        low.open.iter().zip(&high.open).all(|(low, high)| low.role != high.role)
    };
    timeout(LONG, async {
        while !(at_low.settled() && at_high.settled() && same(&at_low, &at_high)) {
            tokio::select! {
                () = at_low.step(low) => {}
                () = at_high.step(high) => {}
            }
        }
    })
    .await
    .unwrap();
    let (mut at_low, mut at_high) = (at_low.open.pop().unwrap(), at_high.open.pop().unwrap());
    send(&at_low, Stream::Control, vec![1]).await;
    send(&at_high, Stream::Bulk, vec![2]).await;
    assert_eq!(next(&mut at_high).await, (Stream::Control, vec![1]));
    assert_eq!(next(&mut at_low).await, (Stream::Bulk, vec![2]));
    let ids = (at_low.id, at_high.id);
    drop(at_low);
    assert_eq!(timeout(LONG, at_high.reader.next()).await.unwrap(), Ok(None));
    drop(at_high);
    low.closed(ids.0).await;
    high.closed(ids.1).await;
}

#[tokio::test]
async fn two_that_dial_each_other_at_once_have_one_link() {
    let (mut one, mut other) = (Peer::start(1).await, Peer::start(2).await);
    for _ in 0..8 {
        for over in [[Over::Quic, Over::Quic], [Over::Quic, Over::Tcp], [Over::Tcp, Over::Quic]] {
            cross(&mut one, &mut other, over).await;
        }
    }
}

#[tokio::test]
async fn a_second_dial_to_the_same_device_leaves_the_link_as_it_is() {
    let (mut one, mut other) = (Peer::start(1).await, Peer::start(2).await);
    for (dialer, listener) in [(1, 2), (2, 1)] {
        let (one, other) =
            if dialer < listener { (&mut one, &mut other) } else { (&mut other, &mut one) };
        let (mut ours, theirs) = linked(one, other, Over::Quic).await;
        // Known by its key, and found out only at the other end.
        one.handle.dial(other.address(Over::Tcp));
        assert_eq!(one.dial_failed().await.0, DialFailure::Linked);
        // A probe is answered by who is there, and by nobody where nobody is.
        one.handle.dial_in(other.address(Over::Tcp), Manner::Probe);
        assert_eq!(one.dial_failed().await.0, DialFailure::Connected);
        let key = other.address(Over::Tcp).pop().unwrap();
        let nobody: Multiaddr = "/ip4/127.0.0.1/tcp/9".parse().unwrap();
        one.handle.dial_in(nobody.with(key), Manner::Probe);
        assert_eq!(one.dial_failed().await.0, DialFailure::Unreachable);
        let mut nameless = other.address(Over::Tcp);
        nameless.pop();
        one.handle.dial(nameless);
        assert_eq!(one.dial_failed().await.0, DialFailure::Connected);
        send(&theirs, Stream::Control, vec![8]).await;
        assert_eq!(next(&mut ours).await.1, [8]);
        let ids = (ours.id, theirs.id);
        drop((ours, theirs));
        one.closed(ids.0).await;
        other.closed(ids.1).await;
    }
}
