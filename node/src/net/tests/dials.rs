//! Dials that become no link, and who is let in.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::Instant;

use super::*;
use crate::net::keys::peer_of;

#[tokio::test]
async fn a_device_that_is_refused_is_denied_at_the_door_by_either_side() {
    for over in BOTH {
        let refuse = |config: &mut NetConfig| config.who = Arc::new(|_| Admission::Refused);
        let (mut open, mut shut) = (Peer::start(1).await, Peer::with(2, refuse).await);
        open.handle.dial(shut.address(over));
        let (kind, peer, _) = open.dial_failed().await;
        assert_eq!((kind, peer), (DialFailure::Refused, Some(shut.key)), "{over:?}");
        shut.handle.dial(open.address(over));
        let (kind, _, text) = shut.dial_failed().await;
        assert_eq!(kind, DialFailure::Refused);
        assert_eq!(text, "this device is refused here");
        assert!(open.events.try_recv().is_err() && shut.events.try_recv().is_err());
    }
}

/// A dial goes from the port that is listened on, at every address of the machine; another program
/// may have that port at one of them.
#[tokio::test]
async fn a_port_that_another_program_has_elsewhere_is_no_reason_to_stay_alone() {
    let (mut hub, mut friend) = (Peer::start(1).await, Peer::start(2).await);
    let port = tcp_port(&friend);
    let _another = TcpListener::bind(("127.0.0.2", port)).unwrap();
    let (ours, theirs) = linked(&mut friend, &mut hub, Over::Tcp).await;
    assert_eq!((theirs.peer_key, ours.peer_key), (friend.key, hub.key));
}

#[tokio::test]
async fn a_stranger_is_let_in_and_marked_and_strangers_are_few() {
    let strange = |config: &mut NetConfig| {
        config.who = Arc::new(|_| Admission::Stranger);
        config.limits.strangers = 2;
    };
    let mut hub = Peer::with(1, strange).await;
    let mut links = Vec::new();
    for seed in 2..4 {
        let mut guest = Peer::start(seed).await;
        let (ours, theirs) = linked(&mut guest, &mut hub, Over::Tcp).await;
        assert!(theirs.stranger && theirs.device.is_none());
        assert!(!ours.stranger);
        links.push((guest, ours, theirs));
    }
    let mut third = Peer::start(4).await;
    let (ours, theirs) = linked(&mut third, &mut hub, Over::Tcp).await;
    assert!(theirs.later.is_some(), "it is let in to hear when to come again");
    drop((ours, theirs));
    hub.until(|event| matches!(event, NetEvent::Closed { .. }).then_some(())).await;

    let (guest, ours, theirs) = links.pop().unwrap();
    drop((ours, guest));
    hub.closed(theirs.id).await;
    let (_ours, theirs) = linked(&mut third, &mut hub, Over::Tcp).await;
    assert_eq!(theirs.later, None);
}

#[tokio::test]
async fn strangers_of_one_address_do_not_come_again_and_again() {
    let strange = |config: &mut NetConfig| {
        config.who = Arc::new(|_| Admission::Stranger);
        config.limits.strangers_per_address = 2;
    };
    let (mut hub, mut guest) = (Peer::with(1, strange).await, Peer::start(2).await);
    for _ in 0..2 {
        let (ours, theirs) = linked(&mut guest, &mut hub, Over::Quic).await;
        assert_eq!(theirs.later, None);
        let id = ours.id;
        drop((ours, theirs));
        guest.closed(id).await;
    }
    let (_ours, theirs) = linked(&mut guest, &mut hub, Over::Quic).await;
    assert!(theirs.later.is_some_and(|wait| wait > Duration::from_secs(500)));
}

#[tokio::test]
async fn few_hear_when_to_come_again_and_not_for_long() {
    let strange = |config: &mut NetConfig| {
        config.who = Arc::new(|_| Admission::Stranger);
        (config.limits.strangers, config.limits.turned_away) = (0, 1);
        config.timing.open = Duration::from_secs(3);
    };
    let mut hub = Peer::with(1, strange).await;
    let (mut one, mut other) = (Peer::start(2).await, Peer::start(3).await);
    let (_ours, theirs) = linked(&mut one, &mut hub, Over::Quic).await;
    other.handle.dial(hub.address(Over::Quic));
    assert_eq!(other.dial_failed().await.0, DialFailure::Refused);
    hub.closed(theirs.id).await;
    let (_ours, theirs) = linked(&mut other, &mut hub, Over::Quic).await;
    assert!(theirs.later.is_some());
}

#[tokio::test]
async fn whoever_is_refused_later_is_closed_when_the_gate_asks_again() {
    let welcome = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&welcome);
    let (mut one, mut other) = (
        Peer::with(1, |config| {
            config.who = Arc::new(move |key| {
                let member = Admission::Member(DeviceId(*key));
                if asked.load(Ordering::Relaxed) { member } else { Admission::Refused }
            });
        })
        .await,
        Peer::start(2).await,
    );
    let (mut ours, mut theirs) = linked(&mut one, &mut other, Over::Quic).await;
    one.handle.recheck();
    send(&ours, Stream::Control, vec![1]).await;
    assert_eq!(next(&mut theirs).await.1, [1], "still welcome");
    welcome.store(false, Ordering::Relaxed);
    one.handle.recheck();
    assert_eq!(one.closed(ours.id).await, CloseReason::Refused);
    assert_eq!(ours.reader.next().await, Err(LinkError::Closed));
    other.closed(theirs.id).await;
}

#[tokio::test]
async fn a_device_of_another_network_gets_no_stream_and_is_told_so() {
    for over in BOTH {
        let foreign = |config: &mut NetConfig| config.network = NetworkId([8; 32]);
        let (mut one, mut other) = (Peer::start(1).await, Peer::with(2, foreign).await);
        one.handle.dial(other.address(over));
        let (kind, peer, _) = one.dial_failed().await;
        assert_eq!((kind, peer), (DialFailure::OtherNetwork, Some(other.key)), "{over:?}");
        assert!(other.events.try_recv().is_err());
    }
}

#[tokio::test]
async fn another_key_at_the_address_is_named_and_gets_no_link() {
    for over in BOTH {
        let (mut one, mut other) = (Peer::start(1).await, Peer::start(2).await);
        let mut addr = other.address(over);
        addr.pop();
        addr.push(Protocol::P2p(peer_of(&key(3)).unwrap()));
        one.handle.dial(addr.clone());
        let (kind, peer, text) = one.dial_failed().await;
        assert_eq!((kind, peer), (DialFailure::WrongPeer, Some(other.key)), "{over:?}");
        assert!(!text.contains("127.0.0.1"), "{text}");
        assert!(other.events.try_recv().is_err());
    }
}

#[tokio::test]
async fn ones_own_address_is_no_peer() {
    let mut one = Peer::start(1).await;
    let mut addr = one.address(Over::Tcp);
    addr.pop();
    one.handle.dial(addr);
    assert_eq!(one.dial_failed().await.0, DialFailure::WrongPeer);
}

#[tokio::test]
async fn a_closed_port_is_told_at_once_over_tcp_and_in_time_over_quic() {
    let quick = |config: &mut NetConfig| config.timing.dial = Duration::from_millis(500);
    let mut one = Peer::with(1, quick).await;
    let start = Instant::now();
    // Port 9 of the loopback is nobody's.
    one.handle.dial("/ip4/127.0.0.1/tcp/9".parse().unwrap());
    let (kind, peer, text) = one.dial_failed().await;
    assert_eq!((kind, peer), (DialFailure::Unreachable, None), "{text}");
    assert!(!text.contains("127.0.0.1"), "{text}");
    one.handle.dial("/ip4/127.0.0.1/udp/9/quic-v1".parse().unwrap());
    assert_eq!(one.dial_failed().await.0, DialFailure::Timeout);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[tokio::test]
async fn an_address_of_another_kind_is_unsupported() {
    let mut one = Peer::start(1).await;
    one.handle.dial("/memory/7".parse().unwrap());
    assert_eq!(one.dial_failed().await.0, DialFailure::Unsupported);
}

#[tokio::test]
async fn a_name_is_looked_up_and_dialed() {
    let (mut one, mut other) = (Peer::start(1).await, Peer::start(2).await);
    let numbers = other.address(Over::Tcp);
    let named = std::iter::once(Protocol::Dns4("localhost".into())).chain(numbers.iter().skip(1));
    one.handle.dial(named.collect());
    assert_eq!(one.opened().await.peer_key, other.key);
    other.opened().await;
}

#[tokio::test]
async fn garbage_on_a_port_ends_itself_and_nothing_else() {
    let (mut one, mut other) = (Peer::start(1).await, Peer::start(2).await);
    let port = one.address(Over::Tcp).iter().find_map(|part| match part {
        Protocol::Tcp(port) => Some(port),
        _ => None,
    });
    let zeros = [0; 4096];
    let garbage: [&[u8]; 4] = [
        b"GET / HTTP/1.1\r\n\r\n",
        &zeros,
        b"\x13/multistream/1.0.0\n\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x13/multistream/1.0.0\n\x07/noise\nnot a handshake at all",
    ];
    let mut sockets = Vec::new();
    for bytes in garbage {
        let mut socket = TcpStream::connect(("127.0.0.1", port.unwrap())).unwrap();
        socket.write_all(bytes).unwrap();
        sockets.push(socket);
    }
    linked(&mut other, &mut one, Over::Tcp).await;
}

#[tokio::test]
async fn an_address_that_is_taken_is_told_and_the_rest_listens() {
    let one = Peer::start(1).await;
    let taken = one.address(Over::Tcp);
    let taken: Multiaddr = taken.iter().filter(|part| !matches!(part, Protocol::P2p(_))).collect();
    let mut other = Peer::start(2).await;
    other.handle.listen(taken.clone());
    let failed = other
        .until(|event| match event {
            NetEvent::ListenFailed { addr, kind, .. } => Some((addr, kind)),
            _ => None,
        })
        .await;
    assert_eq!(failed, (taken, ListenFailure::Taken));
    assert_eq!(other.handle.addresses().len(), 2);
}

#[tokio::test]
async fn an_address_of_no_interface_here_is_told_from_one_that_is_taken() {
    let mut one = Peer::start(1).await;
    for address in ["/ip4/192.0.2.1/tcp/4001", "/ip4/192.0.2.1/udp/4001/quic-v1"] {
        one.handle.listen(address.parse().unwrap());
        let failed = one
            .until(|event| match event {
                NetEvent::ListenFailed { kind, .. } => Some(kind),
                _ => None,
            })
            .await;
        assert_eq!(failed, ListenFailure::NotHere, "{address}");
    }
}

#[tokio::test]
async fn one_port_is_listened_on_for_both_families_of_numbers() {
    // A machine without IPv6 has one family only.
    let Ok(free) = TcpListener::bind("[::1]:0") else { return };
    let port = free.local_addr().unwrap().port();
    drop(free);
    let both = [format!("/ip4/0.0.0.0/tcp/{port}"), format!("/ip6/::/tcp/{port}")];
    let mut one = Peer::with(1, |config| config.listen.clear()).await;
    for address in &both {
        one.handle.listen(address.parse().unwrap());
        one.until(|event| match event {
            NetEvent::Listening(addr) if addr.to_string()[..4] == address[..4] => Some(()),
            NetEvent::ListenFailed { reason, .. } => panic!("{address}: {reason}"),
            _ => None,
        })
        .await;
    }
}
