//! Connections that are opened and say nothing: they shut nobody out but their own kind.

use std::net::SocketAddr;

use tokio::net::{TcpSocket, TcpStream};

use super::*;

/// More than any limit of handshakes.
const IDLERS: usize = 300;

/// Opens connections from `from` to the TCP port of `peer`, and says nothing on them.
async fn idlers(from: [u8; 4], peer: &Peer, count: usize) -> Vec<TcpStream> {
    let to = SocketAddr::from(([127, 0, 0, 1], tcp_port(peer)));
    let mut idlers = Vec::new();
    for _ in 0..count {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from((from, 0))).unwrap();
        idlers.push(timeout(LONG, socket.connect(to)).await.unwrap().unwrap());
    }
    idlers
}

/// Waits until the other side closes a connection that said nothing.
async fn shown_the_door(idler: &TcpStream) {
    loop {
        timeout(LONG, idler.readable()).await.unwrap().unwrap();
        match idler.try_read(&mut [0]) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            read => return assert!(!matches!(read, Ok(1..)), "a word"),
        }
    }
}

#[tokio::test]
async fn three_hundred_idle_connections_of_one_address_shut_nobody_else_out() {
    let patient = |config: &mut NetConfig| config.timing.handshake = LONG;
    let mut hub = Peer::with(1, patient).await;
    let idle = idlers([127, 0, 0, 2], &hub, IDLERS).await;
    shown_the_door(idle.last().unwrap()).await;
    for (seed, over) in [(2, Over::Tcp), (3, Over::Quic)] {
        let mut friend = Peer::start(seed).await;
        friend.handle.dial(hub.address(over));
        let (_ours, theirs) = (friend.opened().await, hub.opened().await);
        assert_eq!(theirs.peer_key, friend.key, "{over:?}");
    }
}

#[tokio::test]
async fn idle_connections_of_ones_own_address_leave_quic_alone_and_have_a_deadline() {
    let brief = |config: &mut NetConfig| config.timing.handshake = Duration::from_secs(3);
    let mut hub = Peer::with(1, brief).await;
    let idle = idlers([127, 0, 0, 1], &hub, IDLERS).await;
    let mut friend = Peer::start(2).await;
    let (ours, theirs) = linked(&mut friend, &mut hub, Over::Quic).await;
    let id = ours.id;
    drop((ours, theirs));
    friend.closed(id).await;
    for idler in &idle {
        shown_the_door(idler).await;
    }
    // Their time is over: by TCP as well.
    linked(&mut friend, &mut hub, Over::Tcp).await;
}
