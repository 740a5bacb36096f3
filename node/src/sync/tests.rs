//! Two nodes in memory: they converge, whatever differs, and a peer's nonsense ends a session only.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test that panics is a test that fails"
)]

use std::sync::Arc;

use crdt_schema::area::AreaId;
use crdt_schema::authority::{
    Alias, Certificate, Closing, FeedEnd, Invitation, Limits, Payload, Rights,
};
use crdt_schema::entry::{PackedRun, Run, SigningSecret};
use crdt_schema::id::{FeedName, Space, StoreInstance};
use crdt_schema::time::Timestamp;
use proptest::prelude::*;

use super::codec::{self, decode};
use super::driver::{Cost, Pair, Sink, carry_out};
use super::message::{
    AreaHeads, BULK_FRAME_BYTES_FIRST, BULK_FRAME_BYTES_FULL, BULK_FRAME_BYTES_MAX,
    BULK_IN_FLIGHT_BYTES_FIRST, CutPoint, Digest, EndReason, Extent, FeedRef, FeedRun, LOOKUPS_MAX,
    Message, NEEDS_PER_FEED_MAX, Need, NodePrint, Offer, PASSES_MAX, PROTOCOL_VERSION, Pass, Probe,
    Proof, RECEIPT_DELAY_MS, Reply, STALL_MS, STRANGER_BYTES_MAX, SharedArea, Stream, Turn,
};
use super::receipt::ReceiptRow;
use super::receipts::ROWS_WAITING_MAX;
use super::request::{Input, Output, Report, Taken};
use super::session::{EARLY_MAX, Phase, Role, Session};
use super::summary::{CutRoot, Root, empty_root};
use super::transfer::{UNFIT_BEFORE_MAX, UNFIT_MAX};
use crate::authority::MemberState;

use super::testing::device_row;
use super::world::{Keys, TestNode, area, statement};

const PROV: Keys = Keys(1);
const PROV_TWO: Keys = Keys(2);
const KAB: Keys = Keys(3);
const KEC: Keys = Keys(4);
const KEC_TWO: Keys = Keys(5);
const DESA: Keys = Keys(6);
const DESA_TWO: Keys = Keys(7);
const NEW: Keys = Keys(8);

const SAMBENG: &str = "32.09.39.2001";
const NEXT: &str = "32.09.39.2002";
const SURANENGGALA: &str = "32.09.39";
const GUNUNG_JATI: &str = "32.09.21";

fn sync(a: &mut TestNode, b: &mut TestNode) -> (Pair, Cost) {
    let mut pair = Pair::new(a.device(), b.device());
    let cost = pair.run(a, b);
    (pair, cost)
}

#[track_caller]
fn assert_equal(pair: &Pair) {
    let live = Phase::Live { equal: true };
    assert_eq!(pair.phases(), (live, live), "{:?} {:?}", pair.initiator(), pair.responder());
}

#[track_caller]
fn converge(a: &mut TestNode, b: &mut TestNode) -> Cost {
    let (pair, cost) = sync(a, b);
    assert_equal(&pair);
    let (pair, again) = sync(b, a);
    assert_equal(&pair);
    assert_eq!((again.rounds, again.runs), (1, 0), "the second session is silent");
    cost
}

/// Provinsi, kabupaten Cirebon, kecamatan Suranenggala and Gunung Jati, two desa; the province
/// holds all authority.
fn province() -> TestNode {
    let mut province = TestNode::new(PROV, &statement(&[PROV, PROV_TWO]));
    province.certify(KAB, "32.09", Rights::above_desa());
    let mut kab = province.copy(KAB);
    kab.certify(KEC, SURANENGGALA, Rights::above_desa());
    kab.certify(KEC_TWO, GUNUNG_JATI, Rights::above_desa());
    let mut kec = kab.copy(KEC);
    kec.certify(DESA, SAMBENG, Rights::desa());
    kec.certify(DESA_TWO, NEXT, Rights::desa());
    kec.copy(PROV)
}

fn durable((name, run): (FeedName, Arc<Run>)) -> Input {
    Input::Durable { name, head: run.head().point, run: run.packed().clone() }
}

#[test]
fn equal_stores_are_proved_equal_in_one_round() {
    let mut province = province();
    province.edit(area(SAMBENG), 12);
    let (pair, cost) = sync(&mut province.copy(DESA), &mut province.copy(KEC));
    assert_equal(&pair);
    assert!(cost.rounds == 1 && cost.bytes() < 200, "{cost:?}");
    assert!(matches!(pair.initiator().reports.last(), Some(Report::Equal(_))));
    assert!(matches!(pair.responder().reports.last(), Some(Report::Equal(_))));
}

#[test]
fn what_either_side_lacks_comes() {
    let mut province = province();
    let mut desa = province.copy(DESA);
    desa.edit(area(SAMBENG), 200);
    province.edit(area(NEXT), 3);
    let mut kec = province.copy(KEC);
    converge(&mut desa, &mut kec);
    assert_eq!(desa.roots(area(SURANENGGALA)), kec.roots(area(SURANENGGALA)));
    assert_eq!((desa.taken, kec.taken), (3, 200));
}

#[test]
fn frames_are_small_only_until_the_first_word_of_what_is_durable() {
    let mut province = province();
    province.edit(area(SAMBENG), 20_000);
    let mut other = TestNode::new(PROV_TWO, &statement(&[PROV, PROV_TWO]));
    let cost = converge(&mut other, &mut province);
    let [unknown, first, full] =
        [BULK_IN_FLIGHT_BYTES_FIRST, BULK_FRAME_BYTES_FIRST, BULK_FRAME_BYTES_FULL]
            .map(|it| it as u64);
    assert!(cost.bytes() > 4 * unknown, "{cost:?}");
    let (small, large) = (unknown / first, cost.bytes() / full);
    assert!(cost.frames <= 3 * small / 2 + 2 * large, "each is a commit: {cost:?}");
}

#[test]
fn an_empty_replica_is_filled_without_listing_anything() {
    let mut province = province();
    for code in [SAMBENG, NEXT, SURANENGGALA, "32.09", "32"] {
        province.edit(area(code), 70);
    }
    let mut other = TestNode::new(PROV_TWO, &statement(&[PROV, PROV_TWO]));
    converge(&mut other, &mut province);
    assert_eq!(other.roots(area("32")), province.roots(area("32")));
}

#[test]
fn a_sub_area_is_reconciled_and_nothing_beside_it() {
    let mut province = province();
    province.edit(area(SAMBENG), 5);
    province.edit(area("32.09.21.2001"), 5);
    province.edit(area("32.10.01.2001"), 5);
    let mut kec = self::province().copy(KEC);
    converge(&mut kec, &mut province);
    assert_eq!(kec.taken, 5);
    assert_eq!(kec.roots(area(SURANENGGALA)), province.roots(area(SURANENGGALA)));
}

#[test]
fn authority_that_one_side_lacks_comes_first() {
    let mut province = province();
    let mut desa = province.copy(DESA);
    let mut kec = province.copy(KEC);
    kec.certify(NEW, NEXT, Rights::desa());
    let mut new = kec.copy(NEW);
    new.edit(area(NEXT), 3);
    converge(&mut new, &mut kec);
    converge(&mut desa, &mut kec);
    assert_eq!(desa.taken, 4, "one certificate, three edits of a device it did not know");
    province.edit(area(SAMBENG), 1);
    converge(&mut new, &mut desa);
}

#[test]
fn a_copied_card_forks_its_feed_and_everybody_gets_both_branches() {
    for (common, first, second) in
        [(0, 4, 1), (0, 5, 3), (100, 5, 80), (300, 200, 1), (5000, 1, 70)]
    {
        let mut desa = province().copy(DESA);
        desa.edit(area(SAMBENG), common);
        let mut copied = desa.copy(DESA);
        desa.edit(area(SAMBENG), first);
        // The copy does not know what the other wrote, so its counter must not repeat it.
        copied.append(copied.feed(area(SAMBENG), Space::Records, 0), second, 41);
        let mut kec = province().copy(KEC);
        converge(&mut desa, &mut kec);
        let cost = converge(&mut copied, &mut kec);
        converge(&mut kec, &mut desa);
        let feed = desa.feed(area(SAMBENG), Space::Records, 0).id();
        for node in [&desa, &copied, &kec] {
            assert_eq!(node.summary.feed(&feed).unwrap().heads.len(), 2);
            assert_eq!(node.repeated, 0);
        }
        let sent_twice = cost.run_bytes.saturating_sub(150 * (first + second));
        assert!(sent_twice < 150 * 128, "{common} {first} {second}: {cost:?}");
    }
}

#[test]
fn a_save_on_a_branch_the_other_hub_does_not_hold_ends_no_link_and_brings_the_branch() {
    for (first, second) in [(2, 2), (1, 5), (5, 1), (90, 70)] {
        let mut desa = province().copy(DESA);
        desa.edit(area(SAMBENG), 5);
        let (mut kab, mut kec) = (desa.copy(KAB), desa.copy(KEC));
        let mut copied = desa.copy(DESA);
        let name = desa.feed(area(SAMBENG), Space::Records, 0);
        let (mut pair, _) = sync(&mut kab, &mut kec);
        // Each hub takes another branch over other links, and one of them hands on the newest save only.
        for (author, hub, count, size) in
            [(&mut desa, &mut kab, first, 9), (&mut copied, &mut kec, second, 41)]
        {
            for (name, run) in author.append(name, count, size) {
                hub.hold(name, run);
            }
        }
        let newest = desa.append(name, 1, 9).remove(0);
        kab.hold(newest.0, newest.1.clone());
        pair.tell_initiator(durable(newest));
        pair.run(&mut kab, &mut kec);
        let reached = pair.phases();
        assert!(matches!(reached, (Phase::Live { .. }, Phase::Live { .. })), "{reached:?}");
        assert_eq!(kec.summary.feed(&name.id()).unwrap().heads.len(), 2, "{first} {second}");
        converge(&mut kab, &mut kec);
    }
}

/// Its hub holds the branch of the copy alone, so the original looks for the place where the two part.
#[test]
fn a_closed_device_whose_copy_the_hub_knows_hands_over_its_own_branch() {
    let mut desa = province().copy(DESA);
    desa.edit(area(SAMBENG), 70);
    let mut copied = desa.copy(DESA);
    let name = desa.feed(area(SAMBENG), Space::Records, 0);
    desa.append(name, 5, 9);
    copied.append(name, 5, 41);
    let mut kec = province().copy(KEC);
    converge(&mut copied, &mut kec);
    let closing = Closing { device: DESA.device(), ends: vec![] };
    kec.say(area(SAMBENG), &Payload::Closing(closing));
    let (pair, _) = sync(&mut desa, &mut kec);
    assert_equal(&pair);
    assert_eq!(kec.apart.feed(&name.id()).unwrap().heads.len(), 2);
}

/// A member that forks can have two hubs say to each other what lies behind what the other lacks.
#[test]
fn short_saves_behind_long_ones_that_are_on_their_way_end_no_link() {
    let (mut kab, mut kec) = (province().copy(KAB), province().copy(KEC));
    let mut desa = kab.copy(DESA);
    let forked: Vec<FeedName> = (0..2 * u64::from(UNFIT_MAX))
        .map(|incarnation| desa.feed(area(SAMBENG), Space::Records, incarnation))
        .collect();
    for name in &forked {
        let (_, run) = desa.append(*name, 5, 9).remove(0);
        kab.hold(*name, run.clone());
        kec.hold(*name, run);
    }
    let mut copied = desa.copy(DESA);
    let (mut pair, _) = sync(&mut kab, &mut kec);
    assert_equal(&pair);
    for name in &forked {
        kec.hold(*name, copied.append(*name, 3, 41).remove(0).1);
        for bytes in [9_000, 9] {
            let saved = desa.append(*name, 1, bytes).remove(0);
            kab.hold(*name, saved.1.clone());
            pair.tell_initiator(durable(saved));
        }
    }
    pair.run(&mut kab, &mut kec);
    assert!(matches!(pair.phases(), (Phase::Live { .. }, Phase::Live { .. })), "{pair:?}");
    for name in &forked {
        assert_eq!(kec.summary.feed(&name.id()).unwrap().heads.len(), 2);
    }
    converge(&mut kab, &mut kec);
}

#[test]
fn more_short_saves_behind_a_long_one_than_are_asked_about_end_no_link() {
    let (mut kab, mut kec) = (province().copy(KAB), province().copy(KEC));
    let (mut pair, _) = sync(&mut kab, &mut kec);
    let name = kab.feed(area(SAMBENG), Space::Records, 0);
    for nth in 0..=2 * NEEDS_PER_FEED_MAX {
        let bytes = if nth == 0 { 9_000 } else { 9 };
        pair.tell_initiator(durable(kab.append(name, 1, bytes).remove(0)));
    }
    pair.run(&mut kab, &mut kec);
    assert!(matches!(pair.phases(), (Phase::Live { .. }, Phase::Live { .. })), "{pair:?}");
    pair.tell_initiator(Input::Compare);
    pair.run(&mut kab, &mut kec);
    assert_equal(&pair);
}

/// Of a feed that was asked for more of them are no fault: what they rest on may be on its way.
#[test]
fn runs_that_never_fit_end_the_session() {
    for (feeds, pushes) in [(1, UNFIT_BEFORE_MAX + 1), (UNFIT_MAX, 1)] {
        let mut kec = province().copy(KEC);
        let names: Vec<FeedName> = (0..=u64::from(feeds))
            .map(|incarnation| kec.feed(area(SAMBENG), Space::Records, incarnation))
            .collect();
        for name in &names {
            kec.append(*name, 5, 40);
        }
        let mut other = kec.copy(KEC);
        let forged = |name: &FeedName| {
            let mut run = other.append(*name, 1, 9).remove(0).1.packed().clone();
            run.signature[3] ^= 1;
            Message::Push(FeedRun { feed: FeedRef::Name(*name), run })
        };
        let forged: Vec<Message> = names.iter().map(forged).collect();
        let mut session = opened(&kec);
        for push in forged.iter().take(feeds.into()) {
            for _ in 0..pushes {
                say(&mut session, &mut kec, push);
                assert!(!matches!(session.phase(), Phase::Ended(_)));
            }
        }
        say(&mut session, &mut kec, &forged[if feeds == 1 { 0 } else { feeds.into() }]);
        assert_eq!(session.phase(), Phase::Ended(EndReason::BadRun));
    }
}

#[test]
fn a_moved_desa_is_reconciled_where_it_lies_today() {
    let mut desa = province().copy(DESA);
    desa.edit(area(SAMBENG), 4);
    let mut kab = province().copy(KAB);
    let old = FeedName { device: KEC.device(), ..kab.feed(area(SAMBENG), Space::Authority, 0) };
    let last = kab.summary.feed(&old.id()).unwrap().heads[0];
    let alias = Alias {
        area: area(SAMBENG),
        code: "32.09.21.2016".parse().unwrap(),
        name: "Sambeng".into(),
        parent: area(GUNUNG_JATI),
        valid_from: 0,
        closes: vec![FeedEnd { feed: old.id(), last }],
    };
    kab.say(area("32.09"), &Payload::Alias(alias));
    let mut kec_two = province().copy(KEC_TWO);
    converge(&mut kec_two, &mut kab);
    converge(&mut desa, &mut kab);
    converge(&mut desa, &mut kec_two);
    assert_eq!(kec_two.summary.root(area(SAMBENG)), desa.summary.root(area(SAMBENG)));
    let mut old = kab.copy(KEC);
    let (pair, _) = sync(&mut desa, &mut old);
    assert_eq!(pair.phases().0, Phase::Ended(EndReason::NothingShared));
}

#[test]
fn a_session_cut_after_any_frame_goes_on_where_it_stopped() {
    let mut province = province();
    let mut desa = province.copy(DESA);
    desa.append(desa.feed(area(SAMBENG), Space::Records, 0), 300, 2000);
    province.edit(area(NEXT), 130);
    let kec = province.copy(KEC);
    let (_, whole) = sync(&mut desa.copy(DESA), &mut kec.copy(KEC));
    assert!(whole.frames > 10);
    for frames in 0..whole.frames {
        let (mut desa, mut kec) = (desa.copy(DESA), kec.copy(KEC));
        let mut pair = Pair::new(desa.device(), kec.device()).cut_after(frames);
        pair.run(&mut desa, &mut kec);
        converge(&mut desa, &mut kec);
        assert_eq!((desa.taken, kec.taken), (130, 300));
        assert_eq!((desa.repeated, kec.repeated), (0, 0), "cut after {frames}");
    }
}

#[test]
fn an_edit_is_pushed_once_in_under_a_hundred_bytes_and_not_echoed() {
    let mut desa = province().copy(DESA);
    let mut kec = province().copy(KEC);
    let (name, _) = desa.edit(area(SAMBENG), 1).remove(0);
    let (mut pair, _) = sync(&mut desa, &mut kec);
    let first = durable(desa.change(name, 10));
    pair.tell_initiator(first);
    pair.run(&mut desa, &mut kec);
    pair.tell_initiator(durable(desa.change(name, 10)));
    let cost = pair.run(&mut desa, &mut kec);
    assert!(cost.bytes() < 100 && cost.frames == 1, "{cost:?}");
    assert_eq!(desa.roots(area(SAMBENG)), kec.roots(area(SAMBENG)));
    assert_eq!(pair.run(&mut desa, &mut kec), Cost::default(), "no echo");
}

#[test]
fn a_long_run_is_offered_first_and_a_missed_one_is_caught_up() {
    let mut desa = province().copy(DESA);
    let mut kec = province().copy(KEC);
    let (mut pair, _) = sync(&mut desa, &mut kec);
    let name = desa.feed(area(SAMBENG), Space::Records, 0);
    let long = desa.append(name, 1, 9000).remove(0);
    pair.tell_initiator(durable(long.clone()));
    pair.run(&mut desa, &mut kec);
    assert_eq!(kec.taken, 1);
    kec.hold(name, desa.append(name, 1, 9000).remove(0).1);
    pair.tell_initiator(durable(long));
    assert_eq!(pair.run(&mut desa, &mut kec).runs, 0, "what the peer holds is only offered");
    desa.append(name, 1, 10);
    pair.tell_initiator(durable(desa.append(name, 1, 10).remove(0)));
    pair.run(&mut desa, &mut kec);
    assert_eq!(desa.roots(area(SAMBENG)), kec.roots(area(SAMBENG)));
}

#[test]
fn what_is_saved_during_a_session_is_not_lost() {
    let mut desa = province().copy(DESA);
    desa.edit(area(SAMBENG), 3);
    let mut kec = province().copy(KEC);
    let mut pair = Pair::new(desa.device(), kec.device());
    // Told before the opening is answered: the summary grows while the pass is under way.
    let edit = desa.edit(area(SAMBENG), 1).remove(0);
    pair.tell_initiator(durable(edit));
    pair.tell_responder(durable(kec.edit(area(NEXT), 1).remove(0)));
    pair.run(&mut desa, &mut kec);
    assert_equal(&pair);
    assert_eq!(desa.roots(area(SURANENGGALA)), kec.roots(area(SURANENGGALA)));
}

/// A device that joins Sambeng with an invitation of the kecamatan.
fn joining(kec: &mut TestNode) -> TestNode {
    let throw_away = SigningSecret::from_seed(&[77; 32]);
    let invitation = Invitation {
        key: throw_away.public(),
        area: area(SAMBENG),
        rights: Rights::desa(),
        expires_at: Timestamp(0),
        counts_at_once: false,
    };
    let invitation = kec.say(area(SAMBENG), &Payload::Invitation(invitation));
    let mut new = kec.copy(NEW);
    let mut certificate = Certificate {
        keys: NEW.public(),
        area: area(SAMBENG),
        rights: Rights::desa(),
        limits: Limits::default(),
        invited: None,
    };
    let signature = throw_away.sign(&certificate.invited_message(invitation));
    certificate.invited = Some((invitation, signature));
    new.say(area(SAMBENG), &Payload::Certificate(certificate));
    new
}

#[test]
fn a_provisional_peer_gets_authority_only_and_its_own_feeds_go_to_who_confirms() {
    let mut kec = province().copy(KEC);
    let mut new = joining(&mut kec);
    new.edit(area(SAMBENG), 2);
    kec.edit(area(SAMBENG), 5);
    kec.certify(Keys(20), NEXT, Rights::desa());
    let (pair, _) = sync(&mut new, &mut kec);
    assert_equal(&pair);
    assert_eq!(new.taken, 1, "the certificate, and no record");
    let waiting = new.feed(area(SAMBENG), Space::Records, 0).id();
    assert!(kec.apart.feed(&waiting).is_some() && kec.summary.feed(&waiting).is_none());
    let mut desa = kec.copy(DESA);
    desa.edit(area(SAMBENG), 1);
    let before = new.taken;
    let (pair, _) = sync(&mut new, &mut desa);
    assert_equal(&pair);
    assert_eq!((new.taken, desa.taken), (before, 0), "a desa confirms nobody");
}

/// A responder that asked for the certificate of one that knows the network and whom nobody certified.
fn asked_by_a_stranger(kec: &mut TestNode) -> Session {
    let mut session = Session::new(Role::Responder, Keys(99).device());
    session.handle_input(Timestamp(0), &kec.local(), Input::Start);
    let open = Message::Open(super::message::Open {
        version: PROTOCOL_VERSION,
        certificate: None,
        instance: StoreInstance([1; 16]),
        areas: vec![],
    });
    assert_eq!(say(&mut session, kec, &open), [Message::AskCertificate]);
    session
}

#[test]
fn a_stranger_shows_what_it_has_and_gets_nothing() {
    let mut kec = province().copy(KEC);
    kec.edit(area(SAMBENG), 5);
    let mut session = asked_by_a_stranger(&mut kec);
    let said = say(&mut session, &mut kec, &Message::Presented(0));
    assert_eq!(said, [Message::End(EndReason::Stranger)]);
    let mut own = province().copy(Keys(99));
    let (pair, cost) = sync(&mut own, &mut kec);
    assert_eq!((pair.phases().0, cost.frames), (Phase::Ended(EndReason::NoRights), 1));
}

#[test]
fn a_stranger_shows_no_more_than_a_certificate_and_what_it_rests_on_take() {
    let frame = STRANGER_BYTES_MAX * 2 / 5;
    for (frames, ends) in [(2, None), (3, Some(EndReason::Stranger))] {
        let mut kec = province().copy(KEC);
        let mut session = asked_by_a_stranger(&mut kec);
        for first in 0..frames {
            let run = PackedRun { first: 1 + first, bytes: vec![0; frame], signature: [0; 64] };
            let feed = FeedRef::Name(kec.feed(area(SAMBENG), Space::Records, 0));
            say(&mut session, &mut kec, &Message::Runs(vec![FeedRun { feed, run }]));
        }
        let ended = match session.phase() {
            Phase::Ended(reason) => Some(reason),
            _ => None,
        };
        assert_eq!((ended, kec.taken), (ends, 0));
    }
}

#[test]
fn a_neighbour_shares_nothing() {
    let mut kec_two = province().copy(KEC_TWO);
    kec_two.edit(area("32.09.21.2001"), 5);
    let mut desa = province().copy(DESA);
    let (pair, _) = sync(&mut desa, &mut kec_two);
    assert_eq!(pair.phases().0, Phase::Ended(EndReason::NothingShared));
    assert_eq!(desa.taken, 0);
}

#[test]
fn a_silent_peer_ends_the_session() {
    let node = province().copy(DESA);
    let mut session = Session::new(Role::Initiator, KEC.device());
    session.handle_input(Timestamp(5), &node.local(), Input::Start);
    let outputs = drain(&mut session);
    let wake = outputs.iter().find_map(|it| match it {
        Output::WakeAt(at) => Some(*at),
        _ => None,
    });
    assert_eq!(wake, Some(Timestamp(5 + STALL_MS)));
    session.handle_input(Timestamp(4 + STALL_MS), &node.local(), Input::Tick);
    assert_eq!(session.phase(), Phase::Opening);
    session.handle_input(Timestamp(5 + STALL_MS), &node.local(), Input::Tick);
    assert_eq!(session.phase(), Phase::Ended(EndReason::Stalled));
}

#[test]
fn a_peer_that_had_nothing_to_say_for_long_has_time_to_answer_the_next_comparison() {
    let mut kec = province().copy(KEC);
    let mut desa = kec.copy(DESA);
    let (mut pair, _) = sync(&mut desa, &mut kec);
    pair.run(&mut desa, &mut kec);
    pair.wait(3 * STALL_MS);
    pair.tell_initiator(Input::Compare);
    pair.tell_initiator(Input::Tick);
    pair.run(&mut desa, &mut kec);
    assert_eq!(pair.phases(), (Phase::Live { equal: true }, Phase::Live { equal: true }));
}

fn drain(session: &mut Session) -> Vec<Output> {
    std::iter::from_fn(|| session.poll_output()).collect()
}

/// A responder that has answered the opening of the second desa and knows that something differs.
fn opened(kec: &TestNode) -> Session {
    opened_by(DESA_TWO, kec)
}

/// The same of another device's opening.
fn opened_by(other: Keys, kec: &TestNode) -> Session {
    let session = met_by(other, kec);
    assert_eq!(session.phase(), Phase::Comparing);
    session
}

/// The same, whatever comes of it.
fn met_by(other: Keys, kec: &TestNode) -> Session {
    let (stream, bytes) = opening(other, kec);
    let mut session = Session::new(Role::Responder, other.device());
    session.handle_input(Timestamp(0), &kec.local(), Input::Start);
    session.handle_input(Timestamp(0), &kec.local(), Input::Frame { stream, bytes });
    drain(&mut session);
    session
}

/// What a device that holds the province alone says first to this node.
fn opening(other: Keys, kec: &TestNode) -> (Stream, Vec<u8>) {
    let mut peer = Session::new(Role::Initiator, kec.device());
    let desa = province().copy(other);
    peer.handle_input(Timestamp(0), &desa.local(), Input::Start);
    let Some(Output::Send { stream, frame }) = peer.poll_output() else { unreachable!() };
    (stream, frame)
}

fn say(session: &mut Session, node: &mut TestNode, message: &Message) -> Vec<Message> {
    let (stream, bytes) = (codec::stream_of(message), codec::encode(message));
    let mut waiting = vec![Input::Frame { stream, bytes }];
    let mut said = Vec::new();
    while let Some(input) = waiting.pop() {
        session.handle_input(Timestamp(0), &node.local(), input);
        for output in drain(session) {
            match output {
                Output::Send { stream, frame } => said.push(decode(stream, &frame).unwrap()),
                Output::Ask { id, request } => {
                    let answer = carry_out(node, &request);
                    waiting.push(Input::Answer { id, answer });
                }
                _ => {}
            }
        }
    }
    said
}

const RECORDS: Message = Message::Pass(Pass { space: Space::Records, full: false, since: false });

#[test]
fn a_peer_that_asks_beyond_its_areas_hears_nothing_of_them() {
    let mut kec = province().copy(KEC);
    kec.edit(area(SAMBENG), 5);
    let mut province = province();
    province.edit(area("32.09.21.2001"), 5);
    let (name, run) =
        province.append(province.feed(area("32.09.21.2001"), Space::Records, 1), 1, 9).remove(0);
    kec.hold(name, run);
    let mut session = opened(&kec);
    assert!(say(&mut session, &mut kec, &RECORDS).is_empty());
    let print = NodePrint { area: area("32.09"), own: Digest::Cut([0; 16]), below: Some(vec![]) };
    assert!(say(&mut session, &mut kec, &Message::Nodes(vec![print])).is_empty());
    let heads = AreaHeads { area: area("32.09.21.2001"), extent: Extent::Own, feeds: vec![] };
    assert!(say(&mut session, &mut kec, &Message::Heads(vec![heads])).is_empty());
    let need = Need { feed: FeedRef::Name(name), heads: vec![] };
    assert!(say(&mut session, &mut kec, &Message::Need(vec![need])).is_empty());
    let heads = AreaHeads { area: area(SAMBENG), extent: Extent::Own, feeds: vec![] };
    let said = say(&mut session, &mut kec, &Message::Heads(vec![heads]));
    assert!(matches!(said.first(), Some(Message::Runs(_))), "its own area is served: {said:?}");
}

#[test]
fn every_mistake_of_a_peer_ends_the_session_with_its_reason() {
    let mut kec = province().copy(KEC);
    let (name, run) = kec.edit(area(SAMBENG), 5).remove(0);
    let point = CutPoint::new(run.head().point, false);
    let mut bad = run.packed().clone();
    bad.signature[3] ^= 1;
    let turn = |sent, durable| Message::Turn(Turn { sent, durable, quiet: None });
    let need = |feed| Message::Need(vec![Need { feed, heads: vec![point] }]);
    let unread = PackedRun { first: 1, bytes: vec![9; 40], signature: [0; 64] };
    let named = |run| FeedRun { feed: FeedRef::Name(name), run };
    let other = FeedName { incarnation: 9, ..name };
    let cases: Vec<(Vec<Message>, EndReason)> = vec![
        (vec![Message::Nodes(vec![])], EndReason::OutOfOrder),
        (vec![turn(0, 0)], EndReason::OutOfOrder),
        (vec![RECORDS, RECORDS], EndReason::OutOfOrder),
        (vec![RECORDS, turn(0, 1)], EndReason::OutOfOrder),
        (vec![Message::Durable(1)], EndReason::OutOfOrder),
        (vec![Message::AskCertificate, Message::AskCertificate], EndReason::TooMuch),
        (vec![Message::Presented(0)], EndReason::OutOfOrder),
        (vec![RECORDS, need(FeedRef::Mine(0))], EndReason::UnknownReference),
        (vec![RECORDS, need(FeedRef::Yours(7))], EndReason::UnknownReference),
        (vec![Message::Push(named(unread))], EndReason::BadRun),
        (
            vec![Message::Runs(vec![FeedRun { feed: FeedRef::Name(other), run: bad }])],
            EndReason::BadRun,
        ),
        (vec![Message::End(EndReason::Lost)], EndReason::Lost),
    ];
    for (messages, reason) in cases {
        let mut session = opened(&kec);
        for message in &messages {
            assert!(!matches!(session.phase(), Phase::Ended(_)), "{messages:?}");
            say(&mut session, &mut kec, message);
            if matches!(session.phase(), Phase::Ended(_)) {
                break;
            }
        }
        assert_eq!(session.phase(), Phase::Ended(reason), "{messages:?}");
    }
}

#[test]
fn turns_without_end_and_bytes_beyond_the_window_end_the_session() {
    let mut kec = province().copy(KEC);
    kec.edit(area(SAMBENG), 5);
    let mut session = opened(&kec);
    say(&mut session, &mut kec, &RECORDS);
    let turn = Message::Turn(Turn { sent: 0, durable: 0, quiet: None });
    for _ in 0..100 {
        say(&mut session, &mut kec, &turn);
    }
    assert_eq!(session.phase(), Phase::Ended(EndReason::TooMuch));
    let mut session = opened(&kec);
    let run =
        PackedRun { first: 1, bytes: vec![0; BULK_FRAME_BYTES_MAX - 1024], signature: [0; 64] };
    let feed = FeedRef::Name(kec.feed(area(SAMBENG), Space::Records, 0));
    let bytes = codec::encode(&Message::Runs(vec![FeedRun { feed, run }]));
    for _ in 0..10 {
        // The store has not answered yet.
        let input = Input::Frame { stream: Stream::Bulk, bytes: bytes.clone() };
        session.handle_input(Timestamp(0), &kec.local(), input);
    }
    assert_eq!(session.phase(), Phase::Ended(EndReason::TooMuch));
}

#[test]
fn rows_go_down_with_the_next_frame_or_after_a_minute_and_cause_none() {
    let mut kec = province().copy(KEC);
    let mut desa = kec.copy(DESA);
    desa.book.keepers.insert(kec.instance, kec.device());
    let (name, _) = kec.edit(area(SAMBENG), 1).remove(0);
    let (mut pair, _) = sync(&mut desa, &mut kec);
    let row = |kec: &TestNode, counter| {
        ReceiptRow::of(&kec.summary, kec.instance, area(SAMBENG), counter)
            .signed(&kec.keys.secret())
    };
    pair.tell_responder(Input::Receipts(vec![row(&kec, 1)]));
    assert_eq!(pair.run(&mut desa, &mut kec).frames, 0, "a row alone causes no frame at once");
    pair.tell_responder(durable(kec.change(name, 10)));
    pair.tell_responder(Input::Receipts(vec![row(&kec, 2)]));
    assert_eq!(pair.run(&mut desa, &mut kec).frames, 2);
    assert_eq!(pair.initiator().receipts.len(), 1);
    pair.tell_responder(Input::Receipts(vec![row(&kec, 3)]));
    pair.run(&mut desa, &mut kec);
    pair.wait(RECEIPT_DELAY_MS);
    pair.tell_responder(Input::Tick);
    let cost = pair.run(&mut desa, &mut kec);
    assert_eq!((cost.frames, pair.initiator().receipts.last().unwrap().counter), (1, 3));
    let up = ReceiptRow::of(&desa.summary, desa.instance, area(SAMBENG), 1);
    let up = up.signed(&desa.keys.secret());
    pair.tell_initiator(Input::Receipts(vec![up]));
    pair.wait(RECEIPT_DELAY_MS);
    pair.tell_initiator(Input::Tick);
    assert_eq!(pair.run(&mut desa, &mut kec).frames, 0, "rows of hubs go down only");
}

#[test]
fn of_more_rows_than_wait_for_one_peer_the_others_go() {
    let kec = province().copy(KEC);
    let mut session = met_by(DESA, &kec);
    let row = |store: u16| {
        let mut instance = [0; 16];
        instance.iter_mut().zip(store.to_be_bytes()).for_each(|(to, from)| *to = from);
        ReceiptRow::of(&kec.summary, StoreInstance(instance), area(SAMBENG), 1)
    };
    let many = u16::try_from(ROWS_WAITING_MAX).unwrap() + 9;
    let rows: Vec<ReceiptRow> = (0..many).map(row).collect();
    session.handle_input(Timestamp(0), &kec.local(), Input::Receipts(rows));
    assert_eq!(
        drain(&mut session).iter().filter(|it| matches!(it, Output::Send { .. })).count(),
        0
    );
    session.handle_input(Timestamp(RECEIPT_DELAY_MS), &kec.local(), Input::Tick);
    let said = drain(&mut session).into_iter().filter_map(|output| match output {
        Output::Send { stream, frame } => decode(stream, &frame).ok(),
        _ => None,
    });
    let told = said.map(|message| match message {
        Message::Receipts(rows) => rows.len(),
        _ => 0,
    });
    assert_eq!(told.sum::<usize>(), ROWS_WAITING_MAX);
}

#[test]
fn rows_of_a_store_that_no_hub_around_the_desa_calls_its_own_are_not_kept() {
    let mut kec = province().copy(KEC);
    let mut desa = kec.copy(DESA);
    kec.edit(area(SAMBENG), 1);
    let (mut pair, _) = sync(&mut desa, &mut kec);
    let (store, made_up) = (kec.instance, StoreInstance([9; 16]));
    let mut kept = |keepers: &[(StoreInstance, Keys)], counter, signer: Keys| {
        desa.book.keepers = keepers.iter().map(|(store, keys)| (*store, keys.device())).collect();
        let row = |store| ReceiptRow::of(&kec.summary, store, area(SAMBENG), counter);
        let row = |store| row(store).signed(&signer.secret());
        let before = pair.initiator().receipts.len();
        pair.tell_responder(Input::Receipts([store, made_up].map(row).to_vec()));
        pair.run(&mut desa, &mut kec);
        pair.wait(RECEIPT_DELAY_MS);
        pair.tell_responder(Input::Tick);
        assert_eq!(pair.run(&mut desa, &mut kec).frames, 1);
        pair.initiator().receipts.len() - before
    };
    assert_eq!(kept(&[], 1, KEC), 0, "nobody's");
    let others = [(store, KEC_TWO), (made_up, DESA)];
    assert_eq!(kept(&others, 2, KEC_TWO), 0, "of another kecamatan");
    assert_eq!(kept(&others, 3, DESA), 0, "of a village");
    let hubs = [(store, KEC), (made_up, NEW)];
    assert_eq!(kept(&hubs, 4, DESA), 0, "somebody else says it");
    assert_eq!(kept(&hubs, 5, KEC), 1, "the hub's");
}

/// An honest hub does not send them, and one that lies could fill a store with them.
#[test]
fn rows_about_areas_that_a_device_does_not_hold_are_not_kept_though_the_hub_holds_them() {
    let mut kec = province().copy(KEC);
    kec.edit(area(SAMBENG), 1);
    let store = StoreInstance([9; 16]);
    kec.book.keepers.insert(store, KAB.device());
    let mut session = opened_by(KAB, &kec);
    let about = |code| {
        let row = ReceiptRow::of(&kec.summary, store, area(code), 1);
        row.signed(&KAB.secret())
    };
    let rows = [GUNUNG_JATI, "32.09", SAMBENG, SURANENGGALA].map(about).to_vec();
    let message = Message::Receipts(rows);
    let (stream, bytes) = (codec::stream_of(&message), codec::encode(&message));
    session.handle_input(Timestamp(0), &kec.local(), Input::Frame { stream, bytes });
    let kept: Vec<AreaId> = drain(&mut session)
        .into_iter()
        .filter_map(|output| match output {
            Output::Receipts(rows) => Some(rows),
            _ => None,
        })
        .flatten()
        .map(|row| row.key.area)
        .collect();
    assert_eq!(kept, [area(SAMBENG), area(SURANENGGALA)]);
}

#[test]
fn a_device_is_told_of_the_hubs_above_it_and_of_no_others() {
    let mut kab = province().copy(KAB);
    let mut desa = kab.copy(DESA);
    kab.edit(area(SAMBENG), 1);
    let (mut pair, _) = sync(&mut desa, &mut kab);
    let said = |(keys, store): (Keys, u8)| {
        device_row(keys.device(), StoreInstance([store; 16]), 1).signed(&keys.secret())
    };
    let rows = [(KEC_TWO, 11), (PROV, 12), (KEC, 13), (DESA_TWO, 14)].map(said).to_vec();
    pair.tell_responder(Input::Devices(rows));
    pair.run(&mut desa, &mut kab);
    pair.wait(RECEIPT_DELAY_MS);
    pair.tell_responder(Input::Tick);
    pair.run(&mut desa, &mut kab);
    let mut heard: Vec<StoreInstance> =
        pair.initiator().devices.iter().map(|row| row.instance).collect();
    heard.sort_unstable();
    assert_eq!(heard, [12, 13].map(|store| StoreInstance([store; 16])));
}

#[test]
fn who_waits_or_is_closed_hears_rows_of_nobody() {
    let rows = |node: &TestNode| {
        let hub = ReceiptRow::of(&node.summary, node.instance, area(SAMBENG), 1);
        let of = |keys: Keys| device_row(keys.device(), node.instance, 1).signed(&keys.secret());
        let devices = [KAB, KEC].map(of).to_vec();
        [Input::Devices(devices), Input::Receipts(vec![hub.signed(&KEC.secret())])]
    };
    let close = |kec: &mut TestNode, keys: Keys| {
        let closing = Closing { device: keys.device(), ends: vec![] };
        kec.say(area(SAMBENG), &Payload::Closing(closing));
    };
    // How many rows a village is told; it may be closed before the session, or while rows wait.
    let told = |who: Keys, closed: Option<bool>| {
        let mut kec = province().copy(KEC);
        kec.edit(area(SAMBENG), 1);
        let mut village = if who == NEW { joining(&mut kec) } else { kec.copy(who) };
        if closed == Some(true) {
            close(&mut kec, who);
        }
        let (mut pair, _) = sync(&mut village, &mut kec);
        assert_equal(&pair);
        for input in rows(&kec) {
            pair.tell_responder(input);
        }
        pair.run(&mut village, &mut kec);
        if closed == Some(false) {
            close(&mut kec, who);
        }
        pair.wait(RECEIPT_DELAY_MS);
        pair.tell_responder(Input::Tick);
        pair.run(&mut village, &mut kec).frames
    };
    assert_eq!(told(DESA, None), 3);
    assert_eq!(told(DESA, Some(true)), 0);
    assert_eq!(told(DESA, Some(false)), 0);
    assert_eq!(told(NEW, None), 0, "it waits");
}

#[test]
fn who_may_only_write_hears_no_head_no_root_and_no_number() {
    let may_write = Rights::WRITE;
    for (rights, hears) in [(Rights::desa(), true), (may_write, false)] {
        let mut kec = province().copy(KEC);
        kec.certify(NEW, SAMBENG, rights);
        let new = kec.copy(NEW);
        let (name, _) = kec.edit(area(SAMBENG), 5).remove(0);
        let mut session = Session::new(Role::Responder, NEW.device());
        session.handle_input(Timestamp(0), &kec.local(), Input::Start);
        let mut peer = Session::new(Role::Initiator, KEC.device());
        peer.handle_input(Timestamp(0), &new.local(), Input::Start);
        let Some(Output::Send { stream, frame }) = peer.poll_output() else { unreachable!() };
        say(&mut session, &mut kec, &decode(stream, &frame).unwrap());
        let heads = vec![CutPoint { seq: 9, id: super::message::IdStart::Cut([7; 8]) }];
        let own = new.feed(area(SAMBENG), Space::Records, 0);
        let offer = |name| Offer { feed: FeedRef::Name(name), heads: heads.clone() };
        say(&mut session, &mut kec, &RECORDS);
        let offers = Message::Offer(vec![offer(name), offer(own)]);
        let mut said = say(&mut session, &mut kec, &offers);
        let turn = Turn { sent: 0, durable: 0, quiet: Some(vec![new.roots(area(SAMBENG))]) };
        for _ in 0..2 {
            said.extend(say(&mut session, &mut kec, &Message::Turn(turn.clone())));
        }
        let (mut heads, mut has_root) = (0, false);
        for message in &said {
            match message {
                Message::Need(needs) => {
                    heads += needs.iter().map(|need| need.heads.len()).sum::<usize>();
                }
                Message::Turn(Turn { quiet: Some(roots), .. }) => {
                    has_root |= roots.iter().any(|(_, records)| *records != empty_root());
                }
                _ => {}
            }
        }
        assert_eq!((heads, has_root), (usize::from(hears), hears), "{said:?}");
    }
}

#[test]
fn after_a_comparison_of_authority_alone_no_number_is_told() {
    for (who, tells) in [(DESA, true), (NEW, false)] {
        let mut kec = province().copy(KEC);
        kec.edit(area(SAMBENG), 5);
        let mut peer = if who == NEW { joining(&mut kec) } else { kec.copy(DESA) };
        sync(&mut peer, &mut kec);
        let mut other = Session::new(Role::Initiator, KEC.device());
        other.handle_input(Timestamp(0), &peer.local(), Input::Start);
        let Some(Output::Send { stream, frame }) = other.poll_output() else { unreachable!() };
        let mut session = Session::new(Role::Responder, who.device());
        session.handle_input(Timestamp(0), &kec.local(), Input::Start);
        say(&mut session, &mut kec, &decode(stream, &frame).unwrap());
        let space = if tells { Space::Records } else { Space::Authority };
        say(&mut session, &mut kec, &Message::Pass(Pass { space, full: false, since: false }));
        let roots = |area: &AreaId| {
            let (authority, records) = kec.roots(*area);
            (authority, if tells { records } else { empty_root() })
        };
        let quiet = session.shared().iter().map(roots).collect();
        let turn = Turn { sent: 0, durable: 0, quiet: Some(quiet) };
        let said = say(&mut session, &mut kec, &Message::Turn(turn));
        assert_eq!(session.phase(), Phase::Live { equal: true });
        assert_eq!(said.iter().any(|it| matches!(it, Message::Mark(_))), tells, "{said:?}");
    }
}

#[test]
fn what_a_device_is_said_to_say_about_itself_is_kept_if_it_said_so() {
    let mut kec = province().copy(KEC);
    let mut desa = kec.copy(DESA);
    kec.edit(area(SAMBENG), 1);
    let (mut pair, _) = sync(&mut desa, &mut kec);
    let own = desa.instance;
    let mut kept = |of: Keys, counter, instance, signer: Keys| {
        let row = device_row(of.device(), instance, counter).signed(&signer.secret());
        let before = pair.initiator().devices.len();
        pair.tell_responder(Input::Devices(vec![row]));
        pair.run(&mut desa, &mut kec);
        pair.wait(RECEIPT_DELAY_MS);
        pair.tell_responder(Input::Tick);
        assert_eq!(pair.run(&mut desa, &mut kec).frames, 1);
        assert_eq!(pair.initiator().own_instance_ahead, None);
        pair.initiator().devices.len() - before
    };
    let store = StoreInstance([8; 16]);
    assert_eq!(kept(PROV, u64::MAX, store, KEC), 0, "whoever hands it on made it up");
    assert_eq!(kept(PROV, 1, store, PROV), 1);
    assert_eq!(kept(KAB, 1, own, KAB), 1, "nobody else's word makes this store another");
}

#[test]
fn lists_of_areas_that_are_not_held_here_take_no_room() {
    let mut kec = province().copy(KEC);
    kec.edit(area(SAMBENG), 5);
    let mut session = opened(&kec);
    say(&mut session, &mut kec, &RECORDS);
    let list = |area| AreaHeads { area, extent: Extent::More, feeds: Vec::new() };
    let elsewhere = (1..=9_u8).flat_map(|high| (1..=99_u8).map(move |low| (high, low)));
    let elsewhere = elsewhere.map(|(high, low)| area(&format!("32.1{high}.{low:02}")));
    let areas = elsewhere.chain([area(SAMBENG)]).map(list).collect();
    say(&mut session, &mut kec, &Message::Heads(areas));
    assert!(session.pass.as_ref().unwrap().listed.is_empty());
}

#[test]
fn offers_of_feeds_that_do_not_exist_take_no_more_room_than_a_link_remembers() {
    let mut kec = province().copy(KEC);
    kec.edit(area(SAMBENG), 5);
    let mut session = opened(&kec);
    say(&mut session, &mut kec, &Message::Stay);
    assert_eq!(session.phase(), Phase::Live { equal: false });
    let name = FeedName { device: DESA.device(), ..kec.feed(area(SAMBENG), Space::Records, 0) };
    let heads = vec![CutPoint { seq: 1, id: super::message::IdStart::Cut([7; 8]) }];
    let offer = |incarnation| {
        let feed = FeedRef::Name(FeedName { incarnation, ..name });
        Offer { feed, heads: heads.clone() }
    };
    let mut asked_for = |first: u64| {
        let offers = Message::Offer((first..first + 500).map(offer).collect());
        let said = say(&mut session, &mut kec, &offers);
        assert!(session.tables().all(|table| table.is_within()));
        let needs = said.iter().map(|said| match said {
            Message::Need(needs) => needs.len(),
            other => unreachable!("{other:?}"),
        });
        needs.sum::<usize>()
    };
    for first in (0..200_000).step_by(500) {
        assert_eq!(asked_for(first), 500, "who offers many at once is asked for each");
    }
    assert_eq!((asked_for(199_500), asked_for(0)), (0, 500), "the oldest are forgotten");
    assert_eq!(session.phase(), Phase::Live { equal: false });
}

#[test]
fn who_goes_on_naming_an_area_that_this_node_does_not_hold_is_compared_in_the_others() {
    let named = |areas: &[&str]| {
        let shared = areas.iter().map(|code| SharedArea {
            area: area(code),
            proof: Proof([1; 16]),
            authority: Some(CutRoot([1; 16])),
        });
        Message::Reply(Reply {
            version: PROTOCOL_VERSION,
            certificate: None,
            instance: StoreInstance([1; 16]),
            shared: shared.collect(),
        })
    };
    let elsewhere = "32.09.21.2001";
    let is_pass = |said: &[Message], space| {
        said.iter().any(|it| matches!(it, Message::Pass(pass) if pass.space == space))
    };
    for (areas, shared) in [
        (&[SURANENGGALA, elsewhere][..], Some(SURANENGGALA)),
        (&["32.09"], Some(SURANENGGALA)),
        (&[elsewhere], None),
    ] {
        let mut kec = province().copy(KEC);
        let mut session = Session::new(Role::Initiator, KAB.device());
        session.handle_input(Timestamp(0), &kec.local(), Input::Start);
        drain(&mut session);
        for _ in 0..3 {
            let said = say(&mut session, &mut kec, &named(areas));
            assert!(is_pass(&said, Space::Authority), "it may learn why: {said:?}");
            let roots = vec![(Root([1; 32]), Root([1; 32])); areas.len()];
            let turn = Turn { sent: 0, durable: 0, quiet: Some(roots) };
            let said = say(&mut session, &mut kec, &Message::Turn(turn));
            assert!(matches!(said.last(), Some(Message::Open(_))), "{said:?}");
        }
        let said = say(&mut session, &mut kec, &named(areas));
        assert_eq!(is_pass(&said, Space::Records), shared.is_some(), "{said:?}");
        match shared {
            Some(shared) => assert_eq!(session.shared(), [area(shared)]),
            None => assert_eq!(session.phase(), Phase::Ended(EndReason::NothingShared)),
        }
    }
}

#[test]
fn a_store_that_meets_a_newer_row_of_its_own_says_so() {
    let kec = province().copy(KEC);
    let mut desa = kec.copy(DESA);
    desa.edit(area(SAMBENG), 1);
    let (mut pair, _) = sync(&mut desa, &mut kec.copy(KEC));
    let mut kec = kec.copy(KEC);
    kec.instance = StoreInstance([3; 16]);
    desa.instance = kec.instance;
    let mut told = |signer: Keys, counter| {
        let own = ReceiptRow::of(&kec.summary, kec.instance, area(SAMBENG), counter);
        pair.tell_responder(Input::Receipts(vec![own.signed(&signer.secret())]));
        pair.run(&mut desa, &mut kec);
        pair.wait(RECEIPT_DELAY_MS);
        pair.tell_responder(Input::Tick);
        pair.run(&mut desa, &mut kec);
        assert!(pair.initiator().receipts.is_empty());
        pair.initiator().own_instance_ahead
    };
    assert_eq!(told(KEC, 8), None, "whoever else says so");
    assert_eq!(told(DESA, 9), Some(9));
}

/// Who saves, where, how many; of the devices below.
type Save = (usize, usize, u64);

const WRITERS: [(Keys, &[&str]); 6] = [
    (PROV, &["32", "32.09.39.2003"]),
    (KAB, &["32.09", NEXT]),
    (KEC, &[SURANENGGALA, SAMBENG]),
    (DESA, &[SAMBENG]),
    // The same card, copied.
    (DESA, &[SAMBENG]),
    (DESA_TWO, &[NEXT]),
];

fn save(nodes: &mut [TestNode], (who, place, count): Save) {
    let (who, node) = (who % nodes.len(), nodes.len());
    assert_eq!(node, WRITERS.len());
    let (_, areas) = WRITERS[who];
    let at: AreaId = area(areas[place % areas.len()]);
    let name = nodes[who].feed(at, Space::Records, (place % 3) as u64);
    nodes[who].append(name, count, 20 + who);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn any_stores_converge_and_then_are_silent(
        saves in prop::collection::vec((0usize..6, 0usize..4, 1u64..90), 1..12),
        meetings in prop::collection::vec((0usize..6, 0usize..6), 1..12),
        certified in 0usize..3,
        first in prop::option::of(prop_oneof![Just(Stream::Control), Just(Stream::Bulk)]),
    ) {
        let province = province();
        let mut nodes: Vec<TestNode> = WRITERS.iter().map(|(keys, _)| province.copy(*keys)).collect();
        for number in 0..certified {
            nodes[2].certify(Keys(50 + u16::try_from(number).unwrap()), NEXT, Rights::desa());
        }
        let half = saves.len() / 2;
        saves[..half].iter().for_each(|it| save(&mut nodes, *it));
        for (a, b) in meetings {
            if nodes[a].device() != nodes[b].device() {
                let [a, b] = nodes.get_disjoint_mut([a, b]).unwrap();
                let mut pair = Pair::new(a.device(), b.device());
                if let Some(first) = first {
                    pair = pair.overtaken_by(first);
                }
                pair.run(a, b);
                assert_equal(&pair);
                converge(a, b);
            }
        }
        saves[half..].iter().for_each(|it| save(&mut nodes, *it));
        // Everyone meets the kecamatan twice: then all hold the same of it.
        for _ in 0..2 {
            for other in [0, 1, 3, 4, 5] {
                let [kec, other] = nodes.get_disjoint_mut([2, other]).unwrap();
                converge(other, kec);
            }
        }
        for node in &nodes {
            prop_assert_eq!(node.roots(area(SURANENGGALA)), nodes[2].roots(area(SURANENGGALA)));
        }
    }
}

#[test]
fn a_closed_device_learns_that_it_is_closed_and_is_given_no_record() {
    let mut kec = province().copy(KEC);
    kec.edit(area(SAMBENG), 5);
    let mut desa = province().copy(DESA);
    let closing = Closing { device: DESA.device(), ends: vec![] };
    kec.say(area(SAMBENG), &Payload::Closing(closing));
    let (pair, _) = sync(&mut desa, &mut kec);
    assert_equal(&pair);
    let closed = desa.authority.member(&DESA.device()).map(|member| member.state);
    assert_eq!((closed, desa.taken), (Some(MemberState::Closed), 1), "the closing alone");
    let (pair, again) = sync(&mut desa, &mut kec);
    assert_equal(&pair);
    assert_eq!((again.rounds, again.runs), (1, 0));
}

#[test]
fn an_initiator_that_does_not_know_the_responder_asks_for_its_certificate() {
    let mut kec = province().copy(KEC);
    kec.certify(NEW, NEXT, Rights::desa());
    let mut new = kec.copy(NEW);
    new.edit(area(NEXT), 3);
    let mut desa = province().copy(DESA);
    let (pair, _) = sync(&mut desa, &mut new);
    assert_equal(&pair);
    assert_eq!(desa.roots(area(SURANENGGALA)), new.roots(area(SURANENGGALA)));
    let mut desa = province().copy(DESA);
    converge(&mut new, &mut desa);
    assert_eq!(desa.taken, 4);
}

#[test]
fn what_an_unknown_responder_says_behind_its_reply_waits_for_its_certificate() {
    let mut kec = province().copy(KEC);
    kec.certify(NEW, NEXT, Rights::desa());
    let mut new = kec.copy(NEW);
    new.edit(area(NEXT), 3);
    let row = device_row(NEW.device(), new.instance, 1).signed(&NEW.secret());
    let desa = province().copy(DESA);
    for (times, ends) in [(EARLY_MAX, None), (EARLY_MAX + 1, Some(EndReason::TooMuch))] {
        let (mut desa, mut session) =
            (desa.copy(DESA), Session::new(Role::Initiator, NEW.device()));
        session.handle_input(Timestamp(0), &desa.local(), Input::Start);
        let Some(Output::Send { stream, frame }) = session.poll_output() else { unreachable!() };
        let mut responder = Session::new(Role::Responder, DESA.device());
        responder.handle_input(Timestamp(0), &new.local(), Input::Start);
        let open = decode(stream, &frame).unwrap();
        for reply in say(&mut responder, &mut new, &open) {
            say(&mut session, &mut desa, &reply);
        }
        for _ in 0..times {
            say(&mut session, &mut desa, &Message::Device(row.clone()));
        }
        let ended = match session.phase() {
            Phase::Ended(reason) => Some(reason),
            _ => None,
        };
        assert_eq!(ended, ends);
    }
}

#[test]
fn a_device_that_is_closed_while_it_copies_is_sent_nothing_more() {
    for is_closed in [false, true] {
        let mut kec = province().copy(KEC);
        kec.edit(area(SAMBENG), 20_000);
        let mut session = opened_by(DESA, &kec);
        say(&mut session, &mut kec, &RECORDS);
        let heads = AreaHeads { area: area(SAMBENG), extent: Extent::Own, feeds: vec![] };
        let runs = |said: &[Message]| {
            said.iter().filter(|it| matches!(it, Message::Runs(_))).count() as u64
        };
        let first = runs(&say(&mut session, &mut kec, &Message::Heads(vec![heads])));
        assert!(first > 0);
        if is_closed {
            let closing = Closing { device: DESA.device(), ends: vec![] };
            kec.say(area(SAMBENG), &Payload::Closing(closing));
        }
        let more = runs(&say(&mut session, &mut kec, &Message::Durable(first)));
        assert_eq!(more == 0, is_closed);
    }
}

#[test]
fn who_dials_in_the_name_of_a_member_with_another_key_is_a_stranger() {
    let mut kec = province().copy(KEC);
    let (stream, bytes) = opening(DESA_TWO, &kec);
    let open = decode(stream, &bytes).unwrap();
    for key in [DESA_TWO, KEC_TWO].map(|keys| keys.public().transport) {
        let mut session = Session::new(Role::Responder, DESA_TWO.device()).behind(key);
        session.handle_input(Timestamp(0), &kec.local(), Input::Start);
        let said = say(&mut session, &mut kec, &open);
        if key == DESA_TWO.public().transport {
            assert!(matches!(said[..], [Message::Reply(_)]), "{said:?}");
        } else {
            assert_eq!(said, [Message::End(EndReason::Stranger)]);
        }
    }
}

/// Of a hub that is new here: its certificate anybody may have, and show.
#[test]
fn who_shows_the_certificate_of_another_is_given_nothing_of_what_that_one_may_hold() {
    let mut kab = province().copy(KAB);
    kab.certify(NEW, SURANENGGALA, Rights::above_desa());
    let mut new = kab.copy(NEW);
    let asked = AreaHeads { area: area(SAMBENG), extent: Extent::Own, feeds: vec![] };
    for key in [NEW, KEC_TWO].map(|keys| keys.public().transport) {
        let mut desa = province().copy(DESA);
        desa.edit(area(SAMBENG), 5);
        let mut session = Session::new(Role::Initiator, NEW.device()).behind(key);
        session.handle_input(Timestamp(0), &desa.local(), Input::Start);
        let Some(Output::Send { stream, frame }) = session.poll_output() else { unreachable!() };
        let mut responder = Session::new(Role::Responder, DESA.device());
        responder.handle_input(Timestamp(0), &new.local(), Input::Start);
        let open = decode(stream, &frame).unwrap();
        let Some(Message::Reply(mut reply)) = say(&mut responder, &mut new, &open).pop() else {
            unreachable!()
        };
        // As if nothing of the authority differed: then the records are next.
        reply.shared.iter_mut().for_each(|shared| shared.authority = None);
        let mut said = say(&mut session, &mut desa, &Message::Reply(reply));
        assert_eq!(said, [Message::AskCertificate]);
        said = say(&mut session, &mut desa, &Message::Heads(vec![asked.clone()]));
        for shown in say(&mut responder, &mut new, &Message::AskCertificate) {
            said.extend(say(&mut session, &mut desa, &shown));
        }
        if key == NEW.public().transport {
            assert!(said.iter().any(|it| matches!(it, Message::Runs(_))), "{said:?}");
        } else {
            assert_eq!(said, [Message::End(EndReason::Stranger)]);
        }
    }
}

#[test]
fn after_a_mark_only_what_came_later_follows() {
    let mut kec = province().copy(KEC);
    kec.edit(area(SAMBENG), 100);
    let mut desa = province().copy(DESA);
    let (pair, _) = sync(&mut desa, &mut kec);
    let (of_kec, of_desa) = (pair.initiator().mark.unwrap(), pair.responder().mark.unwrap());
    assert_eq!((of_kec.instance, of_desa.instance), (kec.instance, desa.instance));
    kec.edit(area(SAMBENG), 30);
    kec.edit(area(SAMBENG), 70);
    kec.edit(area(SURANENGGALA), 5);
    kec.edit(area("32.09.21.2001"), 5);
    // With news on one side a round is saved; with news on both none, and still no area is described.
    for (news, saved) in [(0, 1), (3, 0)] {
        let (mut desa, mut kec) = (desa.copy(DESA), kec.copy(KEC));
        desa.edit(area(SAMBENG), news);
        let (_, without) = sync(&mut desa.copy(DESA), &mut kec.copy(KEC));
        let pair = Pair::new(desa.device(), kec.device());
        let mut pair = pair.knowing(of_kec).responder_knowing(of_desa);
        let cost = pair.run(&mut desa, &mut kec);
        assert_equal(&pair);
        assert_eq!(desa.roots(area(SURANENGGALA)), kec.roots(area(SURANENGGALA)));
        assert_eq!((desa.taken, kec.taken), (105, news));
        assert_eq!((desa.repeated, kec.repeated), (0, 0));
        assert_eq!(cost.rounds + saved, without.rounds, "{cost:?} {without:?}");
    }
}

/// A device was closed up to its first run; what it wrote behind that is for who decides about it.
#[test]
fn who_catches_up_by_arrivals_is_given_nothing_that_counts_nowhere() {
    const NEIGHBOUR: Keys = Keys(77);
    let mut kec = province().copy(KEC);
    kec.certify(NEIGHBOUR, SAMBENG, Rights::desa());
    let mut neighbour = kec.copy(NEIGHBOUR);
    kec.edit(area(SAMBENG), 3);
    let (pair, _) = sync(&mut neighbour, &mut kec);
    let mark = pair.initiator().mark.unwrap();

    let mut desa = province().copy(DESA);
    desa.edit(area(SAMBENG), 130);
    sync(&mut desa, &mut kec);
    let feed = desa.feed(area(SAMBENG), Space::Records, 0).id();
    let last = crate::ports::FeedStore::point(&desa.store, feed, 0, 64).unwrap().unwrap();
    let ends = vec![FeedEnd { feed, last }];
    kec.say(area(SAMBENG), &Payload::Closing(Closing { device: DESA.device(), ends }));

    let before = neighbour.taken;
    let mut pair = Pair::new(neighbour.device(), kec.device()).knowing(mark);
    pair.run(&mut neighbour, &mut kec);
    assert_equal(&pair);
    assert_eq!(neighbour.taken - before, 64 + 1, "the first run, and the closing");
}

#[test]
fn a_mark_that_does_not_fit_costs_a_pass_and_nothing_else() {
    let mut kec = province().copy(KEC);
    kec.edit(area(SAMBENG), 100);
    let mut desa = province().copy(DESA);
    let (pair, _) = sync(&mut desa, &mut kec);
    let mark = pair.initiator().mark.unwrap();
    kec.edit(area(SAMBENG), 30);
    for wrong in [
        super::message::Since { running_hash: [1; 32], ..mark },
        super::message::Since { number: u64::MAX, ..mark },
        super::message::Since { number: 0, ..mark },
        super::message::Since { instance: StoreInstance([9; 16]), ..mark },
    ] {
        let (mut desa, mut kec) = (desa.copy(DESA), kec.copy(KEC));
        let mut pair = Pair::new(desa.device(), kec.device()).knowing(wrong);
        pair.run(&mut desa, &mut kec);
        assert_equal(&pair);
        assert_eq!((desa.taken, desa.repeated), (30, 0));
    }
}

#[test]
fn a_ninth_branch_is_not_taken_and_both_stay_without_equality() {
    let base = province().copy(DESA);
    let name = base.feed(area(SAMBENG), Space::Records, 0);
    let mut kec = province().copy(KEC);
    for copy in 0..8 {
        let mut copied = base.copy(DESA);
        copied.append(name, 1, 20 + copy);
        converge(&mut copied, &mut kec);
    }
    let mut ninth = base.copy(DESA);
    ninth.append(name, 1, 50);
    let (mut pair, _) = sync(&mut ninth, &mut kec);
    let stay = Phase::Live { equal: false };
    assert_eq!(pair.phases(), (stay, stay));
    assert_eq!(kec.store().feed(&name.id()).unwrap().branches.len(), 8);
    let full = Report::NotTaken(name, Taken::Full);
    assert!(
        pair.responder().reports.contains(&full)
            && pair.responder().reports.contains(&Report::Unequal)
    );
    let before = kec.taken;
    let other = ninth.feed(area(SAMBENG), Space::Records, 1);
    pair.tell_initiator(durable(ninth.append(other, 1, 9).remove(0)));
    pair.run(&mut ninth, &mut kec);
    assert_eq!(kec.taken, before + 1, "what is new still goes");
}

#[test]
fn saves_on_a_branch_beyond_the_cap_end_no_link_and_what_is_new_still_goes() {
    // Within the longest branch that is held such a save does not verify, behind it there is a gap.
    for longest in [100, 1] {
        let base = province().copy(DESA);
        let name = base.feed(area(SAMBENG), Space::Records, 0);
        let mut kec = province().copy(KEC);
        for copy in 0..8 {
            let mut copied = base.copy(DESA);
            copied.append(name, if copy == 0 { longest } else { 1 }, 20 + copy);
            converge(&mut copied, &mut kec);
        }
        let mut ninth = base.copy(DESA);
        ninth.append(name, 1, 50);
        let (mut pair, _) = sync(&mut ninth, &mut kec);
        let stay = Phase::Live { equal: false };
        for saves in 0..2 * NEEDS_PER_FEED_MAX {
            pair.tell_initiator(durable(ninth.append(name, 1, 9).remove(0)));
            pair.run(&mut ninth, &mut kec);
            assert_eq!(pair.phases(), (stay, stay), "{longest} {saves}");
        }
        let before = kec.taken;
        let other = ninth.feed(area(SAMBENG), Space::Records, 1);
        pair.tell_initiator(durable(ninth.append(other, 1, 9).remove(0)));
        pair.run(&mut ninth, &mut kec);
        assert_eq!(kec.taken, before + 1);
    }
}

#[test]
fn a_long_upload_handed_on_over_a_live_session_is_asked_for_as_often_as_it_is_offered() {
    let (mut desa, mut kec) = (province().copy(DESA), province().copy(KEC));
    let name = kec.feed(area(SAMBENG), Space::Records, 0);
    let (mut pair, _) = sync(&mut desa, &mut kec);
    assert_equal(&pair);
    for runs in 1..=2 * NEEDS_PER_FEED_MAX {
        // Longer than what is pushed.
        pair.tell_responder(durable(kec.append(name, 1, 9_000).remove(0)));
        pair.run(&mut desa, &mut kec);
        assert!(matches!(pair.phases(), (Phase::Live { .. }, Phase::Live { .. })), "{runs}");
        assert_eq!(desa.taken, u64::from(runs), "each comes");
    }
}

#[test]
fn a_comparison_ends_though_news_never_do_and_they_go_behind_it() {
    for role in [Role::Initiator, Role::Responder] {
        let (mut kec, mut kab) = (province().copy(KEC), province().copy(KAB));
        // Many feeds: of one, what is on its way brings the newest along.
        let busy = |kec: &mut TestNode, step: u64| {
            let name = kec.feed(area(SAMBENG), Space::Records, step % 60);
            durable(kec.append(name, 1, 40).remove(0))
        };
        kec.edit(area(SAMBENG), 1);
        let mut pair = match role {
            Role::Initiator => Pair::new(kec.device(), kab.device()),
            Role::Responder => Pair::new(kab.device(), kec.device()),
        };
        for step in 0..400 {
            match role {
                Role::Initiator => {
                    pair.tell_initiator(busy(&mut kec, step));
                    pair.step(&mut kec, &mut kab);
                }
                Role::Responder => {
                    pair.tell_responder(busy(&mut kec, step));
                    pair.step(&mut kab, &mut kec);
                }
            }
            let (one, other) = pair.phases();
            assert!(!matches!(one, Phase::Ended(_)) && !matches!(other, Phase::Ended(_)), "{step}");
        }
        match role {
            Role::Initiator => pair.run(&mut kec, &mut kab),
            Role::Responder => pair.run(&mut kab, &mut kec),
        };
        assert!(matches!(pair.phases(), (Phase::Live { .. }, Phase::Live { .. })));
        assert_eq!(kab.taken, 401, "each comes");
    }
}

#[test]
fn who_learned_something_since_it_opened_may_stay_unequal_with_one_that_saw_all_equal() {
    let mut kec = province().copy(KEC);
    let mut session = met_by(DESA, &kec);
    assert_eq!(session.phase(), Phase::Live { equal: true });
    say(&mut session, &mut kec, &Message::Stay);
    assert_eq!(session.phase(), Phase::Live { equal: false });
}

#[test]
fn a_device_of_two_areas_is_reconciled_in_both_at_once() {
    let mut kab = province().copy(KAB);
    kab.certify(NEW, SURANENGGALA, Rights::above_desa());
    kab.certify(NEW, GUNUNG_JATI, Rights::above_desa());
    let mut new = kab.copy(NEW);
    kab.edit(area(SAMBENG), 4);
    kab.edit(area("32.09.21.2001"), 4);
    kab.edit(area("32.09.20.2001"), 4);
    new.edit(area(GUNUNG_JATI), 2);
    converge(&mut new, &mut kab);
    assert_eq!((new.taken, kab.taken), (8, 2));
}

#[test]
fn in_a_full_pass_nothing_is_cut() {
    let mut kec = province().copy(KEC);
    let (name, _) = kec.edit(area(SAMBENG), 5).remove(0);
    let mut session = opened(&kec);
    let pass = Message::Pass(Pass { space: Space::Records, full: true, since: false });
    say(&mut session, &mut kec, &pass);
    let other = vec![(area(SAMBENG), Digest::Full([1; 32]))];
    let print =
        NodePrint { area: area(SURANENGGALA), own: Digest::Full([0; 32]), below: Some(other) };
    let said = say(&mut session, &mut kec, &Message::Nodes(vec![print]));
    let Some(Message::Heads(heads)) = said.first() else { unreachable!("{said:?}") };
    let feed = &heads[0].feeds[0];
    assert_eq!(feed.feed.as_bytes(), &name.id().0[..]);
    assert!(matches!(feed.heads[0].id, super::message::IdStart::Full(_)));
}

#[test]
fn an_area_with_more_feeds_than_a_frame_holds_is_reconciled() {
    let mut one = province();
    for incarnation in 0..4200 {
        one.append(one.feed(area(SAMBENG), Space::Records, incarnation), 1, 9);
    }
    let mut two = one.copy(PROV_TWO);
    one.append(one.feed(area(SAMBENG), Space::Records, 5000), 3, 9);
    one.append(one.feed(area(SAMBENG), Space::Records, 77), 3, 9);
    two.append(two.feed(area(SAMBENG), Space::Records, 1), 2, 9);
    converge(&mut one, &mut two);
    assert_eq!((one.taken, two.taken), (2, 6));
}

/// Each opening costs roots of all areas that both hold.
#[test]
fn a_peer_that_opens_without_end_is_hung_up_on() {
    let mut kec = province().copy(KEC);
    kec.edit(area(SAMBENG), 5);
    let (stream, bytes) = opening(DESA_TWO, &kec);
    let open = decode(stream, &bytes).unwrap();
    let mut session = Session::new(Role::Responder, DESA_TWO.device());
    session.handle_input(Timestamp(0), &kec.local(), Input::Start);
    for _ in 0..PASSES_MAX {
        let said = say(&mut session, &mut kec, &open);
        assert!(said.iter().any(|it| matches!(it, Message::Reply(_))), "{said:?}");
    }
    say(&mut session, &mut kec, &open);
    assert_eq!(session.phase(), Phase::Ended(EndReason::TooMuch));
}

#[test]
fn a_peer_that_asks_faster_than_the_store_answers_is_hung_up_on() {
    let mut kec = province().copy(KEC);
    kec.edit(area(SAMBENG), 130);
    let mut session = opened(&kec);
    say(&mut session, &mut kec, &Message::Stay);
    let asked = (0..1_000).take_while(|incarnation| {
        let name = kec.feed(area(SAMBENG), Space::Records, *incarnation);
        let probe = Message::Probe(Probe { feed: FeedRef::Name(name), points: vec![] });
        let (stream, bytes) = (codec::stream_of(&probe), codec::encode(&probe));
        session.handle_input(Timestamp(0), &kec.local(), Input::Frame { stream, bytes });
        !matches!(session.phase(), Phase::Ended(_))
    });
    assert_eq!(asked.count(), LOOKUPS_MAX);
    assert_eq!(session.phase(), Phase::Ended(EndReason::TooMuch));
}

/// Each question may cost a look into 64 chapters of a feed: places that are no checkpoints, out of order,
/// or asked about without end are no search.
#[test]
fn a_peer_that_asks_about_places_without_end_or_that_are_no_checkpoints_is_hung_up_on() {
    let mut kec = province().copy(KEC);
    kec.edit(area(SAMBENG), 130);
    let name = kec.feed(area(SAMBENG), Space::Records, 0);
    let point = |seq| CutPoint { seq, id: super::message::IdStart::Cut([7; 8]) };
    let probe = |seqs: &[u64]| {
        let points = seqs.iter().copied().map(point).collect();
        Message::Probe(Probe { feed: FeedRef::Name(name), points })
    };
    for wrong in [&[63][..], &[64, 64], &[128, 64]] {
        let mut session = opened(&kec);
        say(&mut session, &mut kec, &Message::Stay);
        say(&mut session, &mut kec, &probe(wrong));
        assert_eq!(session.phase(), Phase::Ended(EndReason::Malformed), "{wrong:?}");
    }
    let mut session = opened(&kec);
    say(&mut session, &mut kec, &Message::Stay);
    let asked = (0..1_000).take_while(|_| {
        say(&mut session, &mut kec, &probe(&[64, 128]));
        !matches!(session.phase(), Phase::Ended(_))
    });
    assert_eq!(asked.count(), 128);
    assert_eq!(session.phase(), Phase::Ended(EndReason::TooMuch));
}
