//! Running nodes over real sockets: peers that lie, that are silent, that come late; and what a node
//! shows of it.

use std::net::{Ipv4Addr, TcpListener};
use std::slice::from_ref;
use std::time::Duration;

use node::answer::SessionSeen;
use node::live::{Event, MeetError, RunAsk, Running, Waited, meet, meet_any};
use node::net::{Multiaddr, is_quic};
use node::node::{InviteAsk, Node};
use node::sync::Stream;
use node::sync::message::{CONTROL_FRAME_BYTES_MAX, Message};
use tests::office::{Office, Town};
use tests::rogue::{LONG, Rogue};
use tokio::sync::broadcast::Receiver;
use tokio::time::{Instant, timeout};

pub(super) const KABUPATEN: &str = "32.09";

/// A node that runs on a port of its own, and what it tells.
pub(super) struct Station {
    pub(super) running: Running,
    pub(super) events: Receiver<Event>,
    pub(super) address: Multiaddr,
}

impl Station {
    pub(super) async fn of(office: &mut Office) -> Self {
        Self::at(office, "/ip4/127.0.0.1/tcp/0").await
    }

    /// The office's node, which it has no more.
    async fn at(office: &mut Office, listen: &str) -> Self {
        Self::at_all(office, &[listen]).await.0
    }

    /// The same at several addresses of different transports, in their order.
    async fn at_all(office: &mut Office, listen: &[&str]) -> (Self, Vec<Multiaddr>) {
        office.shut();
        let node = Node::open(office.folder(), office.environment()).unwrap();
        let asked = listen.iter().map(|listen| listen.parse().unwrap()).collect();
        let ask = RunAsk { listen: asked, ..RunAsk::default() };
        let (running, mut events) = Running::start(node, ask).unwrap();
        let mut addresses: Vec<Multiaddr> = Vec::new();
        while addresses.len() < listen.len() {
            let address = until(&mut events, |event| match event {
                Event::Listening { address } => Some(address.parse().unwrap()),
                _ => None,
            });
            addresses.push(address.await);
        }
        addresses.sort_by_key(is_quic);
        (Self { running, events, address: addresses[0].clone() }, addresses)
    }

    /// Where the records of an area stand.
    async fn root(&self, area: &'static str) -> String {
        self.running.ask(|node| node.root(Some(area)).unwrap().root.to_string()).await.unwrap()
    }

    async fn sessions(&self) -> Vec<SessionSeen> {
        self.running.ask(|node| node.status().unwrap().sessions).await.unwrap()
    }
}

pub(super) async fn until<T>(
    events: &mut Receiver<Event>,
    mut fits: impl FnMut(Event) -> Option<T>,
) -> T {
    loop {
        let event = timeout(LONG, events.recv()).await.unwrap().unwrap();
        if let Some(found) = fits(event) {
            return found;
        }
    }
}

fn add(office: &mut Office, title: &str) {
    office.add("kegiatan", KABUPATEN, &meeting(title));
}

/// What a record of a meeting needs.
pub(super) const fn meeting(title: &str) -> [(&str, &str); 4] {
    [("judul", title), ("kode_program", "G.1.2"), ("jenis", "rapat"), ("tanggal", "2026-11-02")]
}

/// The province, and a kabupaten of it with a record more.
pub(super) fn province_and_kabupaten() -> (Office, Office) {
    let mut town = Town::default();
    let mut prov = town.province();
    let mut kab = town.member(&mut prov, "kabupaten", KABUPATEN);
    add(&mut kab, "Rapat kabupaten");
    (prov, kab)
}

/// A lie ends the session with this reason and nothing enters; the same device is met without lies
/// then, and all is equal.
async fn lied_to(reason: &str, lie: impl FnMut(&mut Message) -> bool) {
    let (mut prov, kab) = province_and_kabupaten();
    let mut province = Station::of(&mut prov).await;
    let before = province.root(KABUPATEN).await;
    let mut rogue = Rogue::of(kab);
    assert!(!rogue.meet(&province.address, lie).await);
    let said = until(&mut province.events, |event| match event {
        Event::PeerLeft { reason, .. } => Some(reason),
        _ => None,
    })
    .await;
    assert_eq!(said, reason);
    assert_eq!(province.root(KABUPATEN).await, before, "nothing entered");
    let sessions = province.sessions().await;
    assert_eq!((sessions[0].ended.as_str(), sessions[0].equal), (reason, false));

    assert!(rogue.meet(&province.address, |_| true).await, "the node goes on");
    assert_eq!(province.root(KABUPATEN).await, rogue.office.root(KABUPATEN));
    assert_ne!(province.root(KABUPATEN).await, before);
    province.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_chain_ends_the_session_and_nothing_enters() {
    lied_to("bad_run", |message| {
        if let Message::Runs(runs) = message {
            runs[0].run.signature[7] ^= 1;
        }
        true
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_leaves_a_gap_is_not_taken_and_equality_is_not_proved() {
    let (mut prov, kab) = province_and_kabupaten();
    let mut province = Station::of(&mut prov).await;
    let before = province.root(KABUPATEN).await;
    let mut rogue = Rogue::of(kab);
    let gap = |message: &mut Message| {
        if let Message::Runs(runs) = message {
            runs[0].run.first += 1;
        }
        true
    };
    assert!(!rogue.meet(&province.address, gap).await);
    until(&mut province.events, |event| matches!(event, Event::PeerLeft { .. }).then_some(()))
        .await;
    assert_eq!(province.root(KABUPATEN).await, before, "nothing entered");
    assert!(province.sessions().await.iter().all(|session| !session.equal));
    assert!(rogue.meet(&province.address, |_| true).await, "the node goes on");
    assert_eq!(province.root(KABUPATEN).await, rogue.office.root(KABUPATEN));
    province.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn false_counts_of_what_is_durable_end_the_session_and_nothing_enters() {
    lied_to("out_of_order", |message| match message {
        Message::Runs(_) => false,
        Message::Turn(turn) => {
            turn.durable += 1_000;
            true
        }
        _ => true,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_as_long_as_may_be_with_nothing_in_it_ends_the_link() {
    let (mut prov, kab) = province_and_kabupaten();
    let mut province = Station::of(&mut prov).await;
    let mut rogue = Rogue::of(kab);
    let link = rogue.link(&province.address).await;
    link.writer.send(Stream::Control, vec![0xff; CONTROL_FRAME_BYTES_MAX]).await.unwrap();
    let reason = until(&mut province.events, |event| match event {
        Event::LinkClosed { reason, .. } => Some(reason),
        _ => None,
    })
    .await;
    assert_eq!(reason, "malformed");
    drop(link);
    assert!(rogue.meet(&province.address, |_| true).await, "the node goes on");
    province.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_of_another_network_is_told_so_and_nothing_enters() {
    let (mut prov, _) = province_and_kabupaten();
    let mut other = Town::new(70).province();
    let (province, other) = (Station::of(&mut prov).await, Station::of(&mut other).await);
    let before = province.root("32").await;
    let met = meet(&other.running, from_ref(&province.address), LONG).await;
    assert_eq!(met.unwrap_err(), MeetError::OtherNetwork);
    assert_eq!(province.root("32").await, before);
    assert!(province.sessions().await.is_empty());
    for station in [province, other] {
        station.running.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn status_lists_the_newest_session_first_and_sixteen_at_most() {
    let (mut prov, mut kab) = province_and_kabupaten();
    let device = kab.node().device();
    let province = Station::of(&mut prov).await;
    let kabupaten = Station::of(&mut kab).await;
    for _ in 0..18 {
        let met = meet(&kabupaten.running, from_ref(&province.address), LONG).await;
        assert!(met.unwrap().seen.equal);
    }
    let sessions = kabupaten.sessions().await;
    assert_eq!(sessions.len(), 16);
    assert!(sessions.windows(2).all(|pair| pair[0].at >= pair[1].at), "{sessions:#?}");
    // The other side ends its comparison with the same frame or the next.
    let newest = province.sessions().await.remove(0);
    assert_eq!((newest.device, newest.equal, newest.ended.as_str()), (device, true, "done"));
    assert!(newest.received.bytes > 0 && newest.sent.bytes > 0 && newest.rounds > 0);
    for station in [kabupaten, province] {
        station.running.stop().await.unwrap();
    }
}

/// A port on which somebody accepts and says nothing.
fn silent() -> (TcpListener, Multiaddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_silent_is_given_up_when_asked_and_others_are_met_meanwhile() {
    let (mut prov, mut kab) = province_and_kabupaten();
    let (province, kabupaten) = (Station::of(&mut prov).await, Station::of(&mut kab).await);
    let (_listener, nobody) = silent();
    let begun = Instant::now();
    let met = meet(&kabupaten.running, from_ref(&nobody), Duration::from_secs(2)).await;
    assert_eq!(met.unwrap_err(), MeetError::Timeout { tries: 0, waited: Waited::Answer });
    assert!(begun.elapsed() >= Duration::from_secs(2));
    let asked = [nobody, province.address.clone()];
    let met = meet(&kabupaten.running, &asked, LONG).await.unwrap();
    assert!(met.seen.equal);
    for station in [kabupaten, province] {
        station.running.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_tried_itself_although_its_device_is_linked_at_another() {
    let (mut prov, mut kab) = province_and_kabupaten();
    let two = ["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"];
    let (province, at) = Station::at_all(&mut prov, &two).await;
    let mut kabupaten = Station::of(&mut kab).await;
    let met = meet(&kabupaten.running, from_ref(&at[0]), LONG).await.unwrap();
    assert_eq!((met.address, met.over), (at[0].clone(), None));

    let key = at[0].iter().last().unwrap();
    let nobody = "/ip4/127.0.0.1/tcp/1".parse::<Multiaddr>().unwrap().with(key);
    let met = meet(&kabupaten.running, from_ref(&nobody), Duration::from_secs(2)).await;
    assert!(matches!(met, Err(MeetError::Unreachable { tries: 1.. })), "{met:?}");
    let met = meet_any(&kabupaten.running, from_ref(&nobody), LONG).await.unwrap();
    assert!(met.seen.equal, "whoever is known is met wherever it is");

    let met = meet(&kabupaten.running, &at[1..], LONG).await.unwrap();
    assert!(met.seen.equal);
    assert_eq!((met.address, met.over), (at[1].clone(), Some(at[0].to_string())));
    let gone = |event: &Event| matches!(event, Event::PeerLeft { .. } | Event::LinkClosed { .. });
    while let Ok(event) = kabupaten.events.try_recv() {
        assert!(!gone(&event), "the link stays: {event:?}");
    }
    for station in [kabupaten, province] {
        station.running.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_dialled_may_meet_who_dialled_it() {
    let (mut prov, mut kab) = province_and_kabupaten();
    let (province, kabupaten) = (Station::of(&mut prov).await, Station::of(&mut kab).await);
    for (one, other) in [(&kabupaten, &province), (&province, &kabupaten)] {
        let met = meet(&one.running, from_ref(&other.address), LONG).await.unwrap();
        assert!(met.seen.equal);
        assert_eq!((met.address, met.over), (other.address.clone(), None));
    }
    for station in [kabupaten, province] {
        station.running.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_there_yet_is_tried_again() {
    let (mut prov, mut kab) = province_and_kabupaten();
    let kabupaten = Station::of(&mut kab).await;
    let (listener, address) = silent();
    let (running, asked) = (kabupaten.running.clone(), address.clone());
    let meeting = tokio::spawn(async move { meet(&running, &[asked], LONG).await });
    // The first dial comes while the door is there and is slammed; then somebody moves in.
    let slammed = tokio::task::spawn_blocking(move || drop(listener.accept().unwrap()));
    slammed.await.unwrap();
    let province = Station::at(&mut prov, &address.to_string()).await;
    assert!(meeting.await.unwrap().unwrap().seen.equal);
    for station in [kabupaten, province] {
        station.running.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_finds_the_node_that_invited_it_without_being_told_where() {
    let mut town = Town::default();
    let mut prov = town.province();
    let mut province = Station::of(&mut prov).await;
    let room = tempfile::tempdir().unwrap();
    let (file, folder) = (room.path().join("undangan"), room.path().join("kabupaten"));
    let ask = InviteAsk {
        area: KABUPATEN.to_owned(),
        rights: None,
        expires_ms: 86_400_000,
        counts_at_once: false,
        addresses: Vec::new(),
    };
    let written = file.clone();
    let invited = province.running.ask(move |node| node.invite(&ask, &written)).await;
    let address = province.address.to_string();
    assert_eq!(invited.unwrap().unwrap().addresses, *from_ref(&address));

    let env = prov.environment();
    let joined = Node::join(&folder, &env, &file).unwrap();
    assert_eq!(joined.addresses, *from_ref(&address));
    let node = Node::open(&folder, env).unwrap();
    assert_eq!(node.peer_list().unwrap().addresses, [address]);
    let ask = RunAsk { dial_known: true, ..RunAsk::default() };
    let (running, _) = Running::start(node, ask).unwrap();
    let device = until(&mut province.events, |event| match event {
        Event::PeerJoined { device, .. } => Some(device),
        _ => None,
    })
    .await;
    assert_eq!(device, joined.device);
    running.stop().await.unwrap();
    province.running.stop().await.unwrap();
}
