//! Who comes to the door of a node that runs: devices with an invitation, liars, and how whoever is
//! not let in hears of it.

use std::slice::from_ref;
use std::time::Duration;

use crdt_schema::id::NetworkId;
use node::live::{Event, MeetError, RunAsk, Running, meet};
use node::net::{Multiaddr, NetEvent, NetHandle};
use node::node::Node;
use node::sync::Stream;
use tests::office::{Office, Town, asks};
use tests::rogue::{LONG, transport};
use tokio::sync::broadcast::Receiver;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::sockets::{KABUPATEN, Station, meeting, province_and_kabupaten, until};

/// More than the strangers one address may send in ten minutes.
const NEW: [&str; 10] =
    ["satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "lapan", "sem", "sep"];

/// The door lets in so many strangers of one address that turn out to be nobody.
const LIARS: usize = 6;

/// An office's node, running without a listener, that keeps dialling this address.
fn dialling(office: &mut Office, address: &Multiaddr) -> (Running, Receiver<Event>) {
    office.shut();
    let node = Node::open(office.folder(), office.environment()).unwrap();
    let ask = RunAsk { peers: vec![address.clone()], ..RunAsk::default() };
    Running::start(node, ask).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_devices_that_join_from_one_address_are_all_let_in() {
    let mut town = Town::default();
    let mut prov = town.province();
    let offices: Vec<Office> =
        NEW.iter().map(|name| town.join(&mut prov, name, KABUPATEN)).collect();
    let mut province = Station::of(&mut prov).await;
    let mut nodes = Vec::new();
    for mut office in offices {
        let (node, _) = dialling(&mut office, &province.address);
        until(&mut province.events, |event| {
            matches!(event, Event::PeerJoined { .. }).then_some(())
        })
        .await;
        nodes.push((node, office));
    }
    let status = province.running.ask(|node| node.status().unwrap()).await.unwrap();
    assert_eq!(status.peers.iter().filter(|peer| peer.connected).count(), NEW.len());
    for (node, _) in nodes {
        node.stop().await.unwrap();
    }
    province.running.stop().await.unwrap();
}

/// Somebody who knows the network's name and has no certificate of it.
struct Liar {
    net: NetHandle,
    told: mpsc::Receiver<NetEvent>,
}

impl Liar {
    fn new(network: NetworkId, seed: u8) -> Self {
        let (net, told) = transport(network, [seed; 32]);
        Self { net, told }
    }

    /// Says nonsense and waits for the end. The seconds it was told to wait, if it was not let in.
    async fn come(&mut self, address: &Multiaddr) -> Option<u16> {
        self.net.dial(address.clone());
        let mut link = loop {
            match timeout(LONG, self.told.recv()).await.unwrap().unwrap() {
                NetEvent::Opened(link) => break link,
                NetEvent::DialFailed { text, .. } => panic!("{text}"),
                _ => {}
            }
        };
        let first = timeout(LONG, link.reader.next()).await.unwrap();
        // The link may be closed already.
        link.writer.send(Stream::Control, vec![0; 5]).await.ok();
        while let Ok(Ok(Some(_))) = timeout(LONG, link.reader.next()).await {}
        drop(link);
        loop {
            if let NetEvent::Closed { .. } = timeout(LONG, self.told.recv()).await.unwrap().unwrap()
            {
                break;
            }
        }
        match first {
            Ok(Some((Stream::Control, bytes))) if bytes.len() == 3 => {
                Some(u16::from_be_bytes([bytes[1], bytes[2]]))
            }
            _ => None,
        }
    }
}

/// Liars until no more are let in, and how long the last was told to wait.
async fn fill_up(province: &Station, network: NetworkId) -> (usize, u16) {
    let (mut let_in, mut wait) = (0, 0);
    for seed in 1..=12 {
        // Whoever came before has gone.
        while province.running.figures().links.load(std::sync::atomic::Ordering::Relaxed) > 0 {
            sleep(Duration::from_millis(10)).await;
        }
        match Liar::new(network, seed).come(&province.address).await {
            None => let_in += 1,
            Some(told) => wait = told,
        }
    }
    (let_in, wait)
}

#[tokio::test(flavor = "multi_thread")]
async fn liars_fill_the_door_and_an_invited_device_hears_how_long_to_wait_while_members_come() {
    let mut town = Town::default();
    let mut prov = town.province();
    let network = prov.node().network();
    let mut new = town.join(&mut prov, "baru", KABUPATEN);
    let mut member = town.member(&mut prov, "kabupaten", KABUPATEN);
    let province = Station::of(&mut prov).await;
    let (let_in, wait) = fill_up(&province, network).await;
    assert_eq!(let_in, LIARS);
    assert!((500..=600).contains(&wait), "{wait}");

    // For a person who waits for it: the wait does not fit.
    let new_station = Station::of(&mut new).await;
    let allowed = Duration::from_secs(60);
    let met = meet(&new_station.running, from_ref(&province.address), allowed).await;
    let Err(MeetError::Crowded { wait_seconds }) = met else { panic!("{met:?}") };
    assert!((400..=600).contains(&wait_seconds), "{wait_seconds}");
    new_station.running.stop().await.unwrap();

    // For a node that stays up: once, however often it tries.
    let (running, mut events) = dialling(&mut new, &province.address);
    sleep(Duration::from_secs(6)).await;
    let (mut refused, mut closed) = (Vec::new(), 0);
    while let Ok(event) = events.try_recv() {
        match event {
            Event::PeerRefused { reason, wait_seconds, .. } => refused.push((reason, wait_seconds)),
            Event::LinkClosed { .. } => closed += 1,
            event => panic!("{event:?}"),
        }
    }
    assert!(matches!(refused[..], [("crowded", Some(_))]), "{refused:?}");
    assert_eq!(closed, 1);
    let listed = running.ask(|node| node.status().unwrap().refused).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0].reason.as_str(), &listed[0].address),
        ("crowded", &province.address.to_string())
    );
    assert!(listed[0].wait_seconds.is_some());
    running.stop().await.unwrap();

    let member = Station::of(&mut member).await;
    let met = meet(&member.running, from_ref(&province.address), LONG).await.unwrap();
    assert!(met.seen.equal);
    for station in [member, province] {
        station.running.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_another_network_is_told_as_such_once_and_no_longer_when_it_is_forgotten() {
    let (mut prov, mut other) = (Town::default().province(), Town::new(90).province());
    let province = Station::of(&mut prov).await;
    let (running, mut events) = dialling(&mut other, &province.address);
    sleep(Duration::from_secs(4)).await;
    let mut told = Vec::new();
    while let Ok(Event::PeerRefused { reason, .. }) = events.try_recv() {
        told.push(reason);
    }
    assert_eq!(told, ["other_network"]);
    let refused = || running.ask(|node| node.status().unwrap().refused.len());
    assert_eq!(refused().await.unwrap(), 1);
    running.forget(province.address.clone()).await.unwrap();
    assert_eq!(refused().await.unwrap(), 0);
    running.stop().await.unwrap();
    province.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn last_contact_is_when_an_entry_came_and_not_when_the_session_before_it_ended() {
    let (mut prov, mut kab) = province_and_kabupaten();
    let province = Station::of(&mut prov).await;
    let mut kabupaten = Station::of(&mut kab).await;
    meet(&kabupaten.running, from_ref(&province.address), LONG).await.unwrap();
    let seen = || async {
        let status = kabupaten.running.ask(|node| node.status().unwrap()).await.unwrap();
        (status.entries, status.peers[0].last_contact.unwrap())
    };
    // The second comparison, which brings the receipts of the first, has ended.
    until(&mut kabupaten.events, |event| matches!(event, Event::Session(_)).then_some(())).await;
    let (held, before) = seen().await;
    let fields = asks(&meeting("Rapat kedua"));
    let saved = move |node: &mut Node| node.record_add("kegiatan", KABUPATEN, 0, &fields);
    province.running.ask(saved).await.unwrap().unwrap();
    let (_, after) = loop {
        let now = seen().await;
        if now.0 > held {
            break now;
        }
        sleep(Duration::from_millis(5)).await;
    };
    assert!(after > before, "{after:?} {before:?}");
    for station in [kabupaten, province] {
        station.running.stop().await.unwrap();
    }
}
