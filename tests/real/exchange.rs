//! Offices that stay connected: what one saves, all hold; who joins over the wire, belongs.

use crdt_schema::area::AreaCode;
use crdt_schema::authority::{Payload, Revocation};
use crdt_schema::id::Space;
use crdt_schema::time::Timestamp;
use node::answer::MemberState;
use node::authority::MemberState as State;
use node::live::{Act, Event, LinkId, Opened, Seen};
use node::node::{InviteAsk, SynthAsk};
use node::progress::Unwatched;
use node::sync::codec::decode;
use node::sync::message::{FeedRef, FeedRun, Message};
use node::sync::{EndReason, Role, Stream};
use tests::office::{Office, Town};
use tests::wires::Wires;

const DESA: &str = "32.09.39.2001";
const NEXT: &str = "32.09.39.2003";
const KECAMATAN: &str = "32.09.39";

/// Province, kabupaten, kecamatan and two desa, all confirmed by files.
fn ladder(town: &mut Town) -> Vec<Office> {
    let mut prov = town.province();
    let mut kab = town.member(&mut prov, "kabupaten", "32.09");
    let mut kec = town.member(&mut kab, "kecamatan", KECAMATAN);
    let desa = town.member(&mut kec, "desa-1", DESA);
    let next = town.member(&mut kec, "desa-2", NEXT);
    vec![prov, kab, kec, desa, next]
}

/// The ladder, each dialling the one above.
fn connected() -> Wires {
    let mut town = Town::default();
    let mut wires = Wires::default();
    for office in ladder(&mut town) {
        wires.add(office);
    }
    for (from, to) in [(1, 0), (2, 1), (3, 2), (4, 2)] {
        wires.dial(from, to);
    }
    wires.wait(30_000);
    wires
}

/// A province and a kabupaten that dialled it.
struct Pair {
    wires: Wires,
    prov: usize,
    kab: usize,
    link: LinkId,
}

fn pair() -> Pair {
    let mut town = Town::default();
    let mut wires = Wires::default();
    let mut prov = town.province();
    let kab = town.member(&mut prov, "kabupaten", "32.09");
    let (prov, kab) = (wires.add(prov), wires.add(kab));
    let link = wires.dial(kab, prov);
    Pair { wires, prov, kab, link }
}

/// Saves and tells nobody.
fn save(wires: &mut Wires, desk: usize, area: &str, title: &str) {
    let fields = [
        ("judul", title),
        ("kode_program", "G.1.2"),
        ("jenis", "rapat"),
        ("tanggal", "2026-11-02"),
    ];
    wires.desks[desk].office.add("kegiatan", area, &fields);
}

fn add(wires: &mut Wires, desk: usize, area: &str, title: &str) {
    save(wires, desk, area, title);
    wires.stirred(desk);
}

fn roots(wires: &mut Wires, area: &str) -> Vec<String> {
    wires.desks.iter_mut().map(|it| it.office.root(area)).collect()
}

#[track_caller]
fn assert_all_equal(roots: &[String]) {
    assert!(roots.windows(2).all(|pair| pair[0] == pair[1]), "{roots:#?}");
}

#[test]
fn a_save_crosses_every_hop_at_once_and_equality_is_proved_when_it_is_quiet() {
    let mut wires = connected();
    for desk in 0..5 {
        assert_eq!(wires.sessions(desk).last(), Some(&true), "desk {desk}");
    }
    let before = roots(&mut wires, KECAMATAN);
    add(&mut wires, 3, DESA, "Posyandu");
    // No time has passed, and nobody dialled: it was pushed along four hops.
    let after = roots(&mut wires, KECAMATAN);
    assert_all_equal(&after);
    assert_ne!(before, after);
    let proofs = wires.sessions(3).len();
    wires.wait(5_000);
    assert!(wires.sessions(3).len() > proofs, "the desa proved it again");
    assert!(wires.sessions(3).iter().all(|equal| *equal));
}

#[test]
fn receipts_come_down_and_the_six_words_are_the_same_everywhere() {
    let mut wires = connected();
    add(&mut wires, 3, DESA, "Posyandu");
    wires.wait(200_000);
    let words: Vec<_> =
        wires.desks.iter_mut().map(|it| it.office.node().root(Some(DESA)).unwrap().words).collect();
    assert!(words[3].is_some(), "{words:#?}");
    assert!(words.windows(2).take(3).all(|pair| pair[0] == pair[1]), "{words:#?}");
    let status = wires.desks[3].office.node().status().unwrap();
    let levels: Vec<&str> = status.arrived.iter().map(|it| it.at.as_str()).collect();
    assert_eq!(levels, ["kecamatan", "kabupaten", "provinsi"]);
    assert!(status.arrived.iter().all(|it| (it.mine, it.held, it.missing) == (1, 1, 0)));
}

#[test]
fn a_peer_is_called_equal_only_while_what_was_proved_over_its_link_still_holds() {
    let Pair { mut wires, prov, kab, link } = pair();
    wires.wait(30_000);
    let stands = |wires: &mut Wires, desk: usize| {
        let desk = &mut wires.desks[desk];
        let peers = desk.exchange.peers(desk.office.node());
        peers.into_values().next().map(|peer| peer.equal)
    };
    assert_eq!(
        (stands(&mut wires, kab), stands(&mut wires, prov)),
        (Some(Some(true)), Some(Some(true)))
    );
    save(&mut wires, kab, "32.09", "Rapat");
    assert_eq!(stands(&mut wires, kab), Some(None), "it saved, and the other may not have it");
    wires.stirred(kab);
    assert_eq!(stands(&mut wires, prov), Some(None), "it took something in since");
    wires.wait(30_000);
    assert_eq!(
        (stands(&mut wires, kab), stands(&mut wires, prov)),
        (Some(Some(true)), Some(Some(true)))
    );
    invite(&mut wires.desks[prov].office, "32.09.21");
    assert_eq!(stands(&mut wires, prov), Some(None), "who belongs is part of what was proved");
    wires.stirred(prov);
    assert_eq!(stands(&mut wires, kab), Some(None), "so it is where that came");
    wires.wait(30_000);
    assert_eq!(stands(&mut wires, prov), Some(Some(true)));
    wires.cut(link);
    assert_eq!((stands(&mut wires, kab), stands(&mut wires, prov)), (Some(None), Some(None)));
}

/// The newest comparison a desk told of.
fn newest(wires: &Wires, desk: usize) -> Option<Seen> {
    let mut told = wires.desks[desk].told.iter().rev();
    told.find_map(|event| if let Event::Session(seen) = event { Some(seen.clone()) } else { None })
}

#[test]
fn who_asks_for_a_comparison_while_one_is_under_way_is_told_of_one_that_knows_what_was_saved_before()
 {
    let Pair { mut wires, prov, kab, link } = pair();
    wires.wait(30_000);
    let mut in_the_middle = 0;
    for steps in 1..60 {
        // Both lack something, and nothing but a comparison tells.
        for desk in [prov, kab] {
            save(&mut wires, desk, "32.09", "Rapat");
        }
        let before = wires.sessions(kab).len();
        let at = Timestamp(wires.now);
        let it = &mut wires.desks[kab];
        it.exchange.compare(at, link);
        it.exchange.tick(at, it.office.node());
        for _ in 0..steps {
            wires.step();
        }
        if wires.sessions(kab).len() > before {
            break;
        }
        in_the_middle += 1;
        save(&mut wires, kab, "32.09", "Rapat susulan");
        let it = &mut wires.desks[kab];
        it.exchange.stirred(at, it.office.node());
        let it = &mut wires.desks[kab];
        it.exchange.compare(at, link);
        it.exchange.tick(at, it.office.node());
        while wires.sessions(kab).len() == before && wires.step() {}
        let seen = newest(&wires, kab).unwrap();
        let root = wires.desks[kab].office.root("32.09");
        assert!(seen.equal, "{steps}");
        assert_eq!(seen.areas[0].root_here.to_string(), root, "{steps}");
        wires.wait(30_000);
    }
    assert!(in_the_middle > 3, "{in_the_middle}");
}

#[test]
fn news_put_off_no_comparison_that_was_asked_for() {
    let Pair { mut wires, prov, kab, .. } = pair();
    wires.wait(30_000);
    let before = wires.sessions(kab).len();
    let at = Timestamp(wires.now);
    wires.desks[kab].exchange.compare_all(at);
    add(&mut wires, prov, "32.09", "Rapat");
    wires.wait(500);
    assert!(wires.sessions(kab).len() > before);
}

fn invite(office: &mut Office, area: &str) {
    let ask = InviteAsk {
        area: area.to_owned(),
        rights: None,
        expires_ms: 86_400_000,
        counts_at_once: false,
        addresses: Vec::new(),
    };
    let file = office.folder().with_file_name("undangan");
    office.node().invite(&ask, &file).unwrap();
}

#[test]
fn silence_costs_nothing() {
    let mut wires = connected();
    add(&mut wires, 3, DESA, "Posyandu");
    wires.wait(3_600_000);
    let (bytes, sizes) = (wires.bytes, sizes(&mut wires));
    wires.wait(86_400_000);
    assert_eq!((wires.bytes, self::sizes(&mut wires)), (bytes, sizes));
}

fn sizes(wires: &mut Wires) -> Vec<u64> {
    wires.desks.iter_mut().map(|it| it.office.node().replica().arrived()).collect()
}

#[test]
fn what_was_saved_while_the_wire_was_broken_comes_when_it_heals() {
    let mut wires = connected();
    let link = wires.dial(3, 4);
    wires.cut(link);
    let mut town = Town::new(50);
    let mut prov = town.province();
    let kab = town.member(&mut prov, "kabupaten", "32.09");
    let mut wires = Wires::default();
    let (prov, kab) = (wires.add(prov), wires.add(kab));
    let link = wires.dial(kab, prov);
    wires.cut(link);
    assert_eq!(wires.left(prov), ["lost"]);
    add(&mut wires, kab, "32.09", "Rapat kabupaten");
    add(&mut wires, prov, "32", "Rapat provinsi");
    assert_ne!(roots(&mut wires, "32.09")[0], roots(&mut wires, "32.09")[1]);
    wires.dial(kab, prov);
    assert_all_equal(&roots(&mut wires, "32.09"));
    assert_eq!(wires.sessions(kab).last(), Some(&true));
}

#[test]
fn a_device_joins_over_the_wire_and_its_records_count_once_it_is_confirmed() {
    let mut town = Town::default();
    let mut wires = Wires::default();
    let mut prov = town.province();
    let new = town.join(&mut prov, "kabupaten", "32.09");
    let (prov, new) = (wires.add(prov), wires.add(new));
    add(&mut wires, new, "32.09", "Rapat sebelum dikonfirmasi");
    wires.dial(new, prov);
    wires.wait(5_000);
    let sessions = wires.sessions(new);
    assert!(!sessions.is_empty() && sessions.iter().all(|equal| !equal), "nothing was proved yet");
    let device = wires.desks[new].office.node().device().to_string();
    assert_eq!(wires.desks[prov].office.node().status().unwrap().records, 0);
    wires.desks[prov].office.node().confirm(&device).unwrap();
    wires.stirred(prov);
    wires.wait(5_000);
    let status = wires.desks[new].office.node().status().unwrap();
    assert_eq!((status.state, status.records), (MemberState::Active, 1));
    assert_eq!(wires.desks[prov].office.node().status().unwrap().records, 1);
    assert_all_equal(&roots(&mut wires, "32.09"));
    assert_eq!(wires.sessions(new).last(), Some(&true));
}

/// Hubs said who they are long before; it dialled, so no comparison of the hub's ends anew.
#[test]
fn a_device_hears_of_the_hubs_above_it_once_it_is_confirmed_over_the_same_link() {
    let mut town = Town::default();
    let mut wires = Wires::default();
    let mut prov = town.province();
    let mut kab = town.member(&mut prov, "kabupaten", "32.09");
    let mut kec = town.member(&mut kab, "kecamatan", KECAMATAN);
    let new = town.join(&mut kec, "desa", DESA);
    let [prov, kab, kec, new] = [prov, kab, kec, new].map(|office| wires.add(office));
    wires.dial(kec, kab);
    wires.dial(kab, prov);
    add(&mut wires, new, DESA, "Posyandu");
    wires.wait(400_000);
    wires.dial(new, kec);
    wires.wait(400_000);
    let arrived = |wires: &mut Wires| {
        let status = wires.desks[new].office.node().status().unwrap();
        status.arrived.into_iter().map(|it| (it.at, it.missing)).collect::<Vec<_>>()
    };
    assert_eq!(arrived(&mut wires), []);
    let device = wires.desks[new].office.node().device().to_string();
    wires.desks[kec].office.node().confirm(&device).unwrap();
    wires.stirred(kec);
    wires.wait(400_000);
    let levels = ["kecamatan", "kabupaten", "provinsi"].map(|level| (level.to_owned(), 0));
    assert_eq!(arrived(&mut wires), levels);
}

#[test]
fn a_closed_device_is_told_and_served_nothing_more() {
    let mut town = Town::default();
    let mut wires = Wires::default();
    let mut prov = town.province();
    let kab = town.member(&mut prov, "kabupaten", "32.09");
    let (prov, kab) = (wires.add(prov), wires.add(kab));
    wires.dial(kab, prov);
    let device = wires.desks[kab].office.node().device().to_string();
    wires.desks[prov].office.node().close_member(&device).unwrap();
    wires.stirred(prov);
    wires.wait(5_000);
    assert_eq!(wires.desks[kab].office.node().status().unwrap().state, MemberState::Closed);
    add(&mut wires, prov, "32.09", "Rapat kemudian");
    wires.wait(5_000);
    assert_eq!(wires.desks[kab].office.node().status().unwrap().records, 0);
}

#[test]
fn a_device_that_is_not_who_its_key_says_is_refused() {
    let Pair { mut wires, prov, link, .. } = pair();
    wires.cut(link);
    // A peer known by its key says the name of another device.
    let mut other = Town::new(90);
    let stranger = wires.add(other.province());
    wires.dial(stranger, prov);
    assert!(wires.sessions(prov).iter().all(|equal| *equal));
    assert_eq!(wires.desks[stranger].office.node().status().unwrap().records, 0);
    assert_eq!(wires.desks[prov].exchange.links(), 0, "the stranger was shown the door");
}

fn is_authority(run: &FeedRun) -> bool {
    matches!(run.feed, FeedRef::Name(name) if name.space == Space::Authority)
}

/// Of a hub that is new to a village, and of somebody in between: the hub's certificate holds, the key does not,
/// and its last word is there before what it is about.
#[test]
fn through_somebody_in_between_a_village_says_nothing_but_who_it_is() {
    for is_between in [false, true] {
        let mut town = Town::default();
        let mut offices = ladder(&mut town);
        let hub = town.member(&mut offices[1], "kecamatan-baru", KECAMATAN);
        let mut wires = Wires::default();
        wires.slow = Some(Stream::Bulk);
        let mut desa = offices.remove(3);
        desa.activity(DESA, "hanya di sini");
        let (desa, hub) = (wires.add(desa), wires.add(hub));
        let key = wires.desks[hub].office.node().transport_key();
        wires.dial_behind(desa, hub, if is_between { [9; 32] } else { key });
        wires.wait(30_000);
        let records = wires.desks[hub].office.node().status().unwrap().records;
        assert_eq!(records, u64::from(!is_between));
        let given = &wires.desks[hub].given;
        let said = given.iter().skip(1).map(|(stream, frame)| decode(*stream, frame).unwrap());
        let said: Vec<Message> = said.collect();
        let nothing = said.iter().all(|message| {
            let is_opening = matches!(
                message,
                Message::Open(_)
                    | Message::AskCertificate
                    | Message::Presented(_)
                    | Message::End(EndReason::Stranger)
            );
            is_opening || matches!(message, Message::Runs(runs) if runs.iter().all(is_authority))
        });
        assert_eq!(nothing, is_between, "{said:?}");
        let is_refused = matches!(said.last(), Some(Message::End(EndReason::Stranger)));
        assert_eq!(is_refused, is_between, "{said:?}");
    }
}

#[test]
fn a_certificate_that_names_the_key_of_another_device_shuts_nobody_out() {
    for dials in [true, false] {
        let mut town = Town::default();
        let mut prov = town.province();
        let mut kab = town.member(&mut prov, "kabupaten", "32.09");
        let key = kab.node().transport_key();
        let twins = ["kembar-1", "kembar-2", "kembar-3", "kembar-4"].map(|name| {
            let mut twin = town.member_behind(&mut prov, name, DESA, &mut kab);
            assert_eq!(twin.node().transport_key(), key);
            twin.node().device()
        });
        let device = kab.node().device();
        assert!(twins.iter().any(|it| *it > device) && twins.iter().any(|it| *it < device));
        let mut wires = Wires::default();
        let (prov, kab) = (wires.add(prov), wires.add(kab));
        if dials {
            wires.dial(kab, prov);
        } else {
            wires.dial(prov, kab);
        }
        wires.wait(30_000);
        add(&mut wires, kab, "32.09", "Rapat");
        wires.wait(5_000);
        assert_all_equal(&roots(&mut wires, "32.09"));
        assert_eq!(wires.sessions(prov).last(), Some(&true));
        let status = wires.desks[prov].office.node().status().unwrap();
        assert_eq!(status.records, 1);
        let named = wires.desks[prov].told.iter().any(
            |event| matches!(event, Event::PeerJoined { device: joined, .. } if *joined == device),
        );
        assert!(named, "it is known as what it is");
    }
}

#[test]
fn a_newcomer_whose_key_another_device_named_first_is_let_in_though_that_one_was_revoked() {
    for revoked in [false, true] {
        let mut town = Town::default();
        let mut prov = town.province();
        // Nobody but itself holds its certificate.
        let mut new = town.join(&mut prov, "baru", NEXT);
        let twin = town.member_behind(&mut prov, "kembar", DESA, &mut new).node().device();
        if revoked {
            let area = DESA.parse::<AreaCode>().unwrap().first_id();
            let word = Revocation { device: twin, reason: String::new() };
            prov.node().say(area, Payload::Revocation(word), Vec::new()).unwrap();
            let state = prov.node().replica().authority().member(&twin).map(|it| it.state);
            assert_eq!(state, Some(State::Revoked));
        }
        let device = new.node().device();
        let mut wires = Wires::default();
        let (prov, new) = (wires.add(prov), wires.add(new));
        wires.dial(new, prov);
        wires.wait(30_000);
        let known = wires.desks[prov]
            .office
            .node()
            .replica()
            .authority()
            .member(&device)
            .map(|it| it.state);
        assert_eq!(known, Some(State::Provisional));
        assert_eq!(wires.desks[prov].exchange.links(), 1, "{:?}", wires.left(prov));
        wires.desks[prov].office.node().confirm(&device.to_string()).unwrap();
        wires.stirred(prov);
        wires.wait(30_000);
        add(&mut wires, new, NEXT, "Rapat");
        wires.wait(5_000);
        assert_all_equal(&roots(&mut wires, NEXT));
    }
}

#[test]
fn a_link_that_never_says_who_it_is_is_closed_after_a_minute() {
    let mut town = Town::default();
    let mut wires = Wires::default();
    let prov = wires.add(town.province());
    wires.dial_silently(prov, [9; 32]);
    assert_eq!(wires.desks[prov].exchange.links(), 1);
    wires.wait(59_000);
    assert_eq!(wires.desks[prov].exchange.links(), 1);
    wires.wait(2_000);
    assert_eq!(wires.desks[prov].exchange.links(), 0);
}

#[test]
fn nonsense_ends_a_session_and_the_node_goes_on() {
    let mut wires = connected();
    let link = wires.dial(4, 3);
    wires.inject(3, link, Stream::Control, vec![0xff; 40]);
    assert_eq!(wires.left(3).last(), Some(&"malformed"));
    add(&mut wires, 4, NEXT, "Gotong royong");
    assert_all_equal(&roots(&mut wires, KECAMATAN));
}

#[test]
fn whoever_breaks_the_rules_again_is_heard_later_and_all_others_at_once() {
    let mut town = Town::default();
    let mut wires = Wires::default();
    let mut province = town.province();
    let liar = town.member(&mut province, "kabupaten", "32.09");
    let other = town.member(&mut province, "kabupaten-2", "32.10");
    let (province, liar, other) = (wires.add(province), wires.add(liar), wires.add(other));
    for lie in 1..=3 {
        let link = wires.dial(liar, province);
        assert_eq!(wires.desks[province].exchange.links(), 1, "lie {lie} is not the last");
        wires.inject(province, link, Stream::Control, vec![0xff; 40]);
        assert_eq!(wires.desks[province].exchange.links(), 0);
        // The first costs nothing, the second a quarter of a minute, the third half a minute.
        wires.wait(if lie == 2 { 15_000 } else { 0 });
    }
    add(&mut wires, liar, "32.09", "Rapat");
    wires.dial(liar, province);
    assert_eq!(wires.desks[province].exchange.links(), 0, "it waits");
    assert_eq!(wires.left(liar).last(), Some(&"too_much"), "and is told");
    wires.dial(other, province);
    assert_eq!(wires.desks[province].exchange.links(), 1, "nobody else does");
    wires.wait(30_000);
    wires.dial(liar, province);
    wires.wait(5_000);
    assert_eq!(wires.sessions(liar).last(), Some(&true), "then all it has comes");
    let root = |wires: &mut Wires, desk: usize| wires.desks[desk].office.root("32.09");
    assert_eq!(root(&mut wires, liar), root(&mut wires, province));
}

#[test]
fn who_is_told_that_it_broke_the_rules_holds_nothing_against_who_said_so() {
    let mut town = Town::default();
    let mut wires = Wires::default();
    let mut province = town.province();
    let other = town.member(&mut province, "kabupaten", "32.09");
    let (province, other) = (wires.add(province), wires.add(other));
    // Whatever crossed the wire, the other side is told that it was nonsense, and then to wait.
    for word in ["malformed", "malformed", "too_much"] {
        let link = wires.dial(other, province);
        wires.inject(province, link, Stream::Control, vec![0xff; 40]);
        assert_eq!(wires.left(other).last(), Some(&word));
    }
    wires.dial(province, other);
    assert_eq!(wires.desks[other].exchange.links(), 1, "who has to wait still hears others");
    assert_eq!(wires.sessions(province).last(), Some(&true));
}

/// What a desk sends next, up to so many frames.
fn sends(wires: &mut Wires, desk: usize, most: usize) -> Vec<(Stream, Vec<u8>)> {
    let (at, it) = (Timestamp(wires.now), &mut wires.desks[desk]);
    let acts = std::iter::from_fn(|| it.exchange.poll(at, it.office.node()));
    let frame = |act| match act {
        Act::Send { stream, frame, .. } => Some((stream, frame)),
        Act::HangUp { .. } | Act::Doors | Act::Tell(_) => None,
    };
    acts.filter_map(frame).take(most).collect()
}

#[test]
fn what_was_read_goes_before_more_is_read() {
    const RECORDS: u64 = 2_500;
    let (mut town, mut wires, link) = (Town::default(), Wires::default(), LinkId(7));
    let mut province = town.province();
    let mut donor = town.member(&mut province, "kabupaten", "32.09");
    let (preset, area) = ("desa".to_owned(), Some(DESA.to_owned()));
    let ask = SynthAsk { preset, seed: 1, records: Some(RECORDS), area };
    donor.node().synth_into(&ask, &mut Unwatched).unwrap();
    let (donor, other) = (wires.add(donor), wires.add(province));
    for (desk, peer, role) in [(donor, other, Role::Responder), (other, donor, Role::Initiator)] {
        let key = wires.desks[peer].office.node().transport_key();
        let it = &mut wires.desks[desk];
        it.exchange.opened(Timestamp(0), it.office.node(), &Opened { link, key, role });
    }
    let mut ahead = 0;
    while ahead == 0 {
        for (from, to) in [(other, donor), (donor, other)] {
            let Some((stream, frame)) = sends(&mut wires, from, 1).pop() else { continue };
            if from == donor && stream == Stream::Bulk {
                ahead = frame.len();
                break;
            }
            let it = &mut wires.desks[to];
            it.exchange.frame(Timestamp(0), it.office.node(), link, stream, frame);
        }
    }
    let it = &mut wires.desks[donor];
    it.exchange.closed(Timestamp(0), it.office.node(), link, EndReason::Lost);
    ahead +=
        sends(&mut wires, donor, usize::MAX).iter().map(|(_, frame)| frame.len()).sum::<usize>();
    assert!(ahead < 3 * 65_536, "{ahead} bytes were read before the first frame went");
}

#[test]
fn a_peer_that_changes_its_link_has_neither_come_twice_nor_left() {
    let mut town = Town::default();
    let mut wires = Wires::default();
    let mut province = town.province();
    let desa = town.member(&mut province, "desa", DESA);
    let (province, desa) = (wires.add(province), wires.add(desa));
    let first = wires.dial(desa, province);
    let second = wires.dial(desa, province);
    wires.cut(first);
    for desk in [province, desa] {
        let told = wires.desks[desk].told.iter();
        let came = told.filter(|event| matches!(event, Event::PeerJoined { .. })).count();
        assert_eq!((came, wires.left(desk).len()), (1, 0), "desk {desk}");
    }
    wires.cut(second);
    assert_eq!((wires.left(province), wires.left(desa)), (vec!["lost"], vec!["lost"]));
}
