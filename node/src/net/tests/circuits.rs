//! Links through a hub.

use super::*;

/// A place at the hub, and the address that leads there.
async fn reserve(village: &mut Peer, hub: &mut Peer) -> (Link, Link, Multiaddr) {
    let (to_hub, at_hub) = linked(village, hub, Over::Tcp).await;
    village.handle.listen(hub.address(Over::Tcp).with(Protocol::P2pCircuit));
    let circuit = village
        .until(|event| match event {
            NetEvent::Listening(addr) => Some(addr),
            NetEvent::ListenFailed { reason, .. } => panic!("no place at the hub: {reason}"),
            _ => None,
        })
        .await;
    (to_hub, at_hub, circuit)
}

/// A link to this key, through a hub or not.
async fn link_to(peer: &mut Peer, key: [u8; 32], relayed: bool) -> Link {
    peer.until(|event| match event {
        NetEvent::Opened(link) if link.peer_key == key && link.relayed == relayed => Some(link),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn a_hub_carries_more_than_the_library_would_to_a_device_nobody_can_dial() {
    let mut hub = Peer::with(1, |config| config.is_hub = true).await;
    let mut village = Peer::with(2, |config| config.listen.clear()).await;
    let mut office = Peer::start(3).await;
    let (_to_hub, _at_hub, circuit) = reserve(&mut village, &mut hub).await;
    assert!(village.handle.addresses().contains(&circuit));

    office.handle.dial(circuit);
    let ours = link_to(&mut office, village.key, true).await;
    let mut theirs = link_to(&mut village, office.key, true).await;
    for n in 0..4_u8 {
        send(&ours, Stream::Bulk, vec![n; 100_000]).await;
    }
    for n in 0..4_u8 {
        assert_eq!(next(&mut theirs).await, (Stream::Bulk, vec![n; 100_000]));
    }
}

#[tokio::test]
async fn two_that_met_through_a_hub_go_on_without_it_when_they_can() {
    let mut hub = Peer::with(1, |config| config.is_hub = true).await;
    let (mut village, mut office) = (Peer::start(2).await, Peer::start(3).await);
    let (_to_hub, _at_hub, circuit) = reserve(&mut village, &mut hub).await;

    office.handle.dial(circuit);
    let ours = link_to(&mut office, village.key, false).await;
    let mut theirs = link_to(&mut village, office.key, false).await;
    send(&ours, Stream::Control, vec![1]).await;
    assert_eq!(next(&mut theirs).await.1, [1]);
}
