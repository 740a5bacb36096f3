//! What reconciling costs at the size of the province: bounds that must hold. The bench prints the
//! figures, over whole replicas.
#![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

use std::sync::Arc;

use crdt_schema::area::{AreaId, Level};
use crdt_schema::authority::Rights;
use crdt_schema::entry::ChainPoint;
use crdt_schema::id::{EntryId, FeedName, Space};

use super::driver::{Cost, Pair};
use super::receipt::ReceiptRow;
use super::request::Input;
use super::session::Phase;
use super::world::{Keys, TestNode, area, statement};

const ONE: Keys = Keys(1);
const TWO: Keys = Keys(2);

fn nodes() -> (TestNode, TestNode) {
    let statement = statement(&[ONE, TWO]);
    (TestNode::new(ONE, &statement), TestNode::new(TWO, &statement))
}

fn villages(node: &TestNode) -> Vec<AreaId> {
    let mut areas = node.summary.areas_below(area("32"));
    areas.retain(|area| area.level() == Level::Desa);
    areas
}

fn run(a: &mut TestNode, b: &mut TestNode) -> Cost {
    let mut pair = Pair::new(a.device(), b.device());
    let cost = pair.run(a, b);
    let live = Phase::Live { equal: true };
    assert_eq!(pair.phases(), (live, live));
    assert_eq!(a.roots(area("32")), b.roots(area("32")));
    cost
}

/// Every feed of every village with `base` entries on both sides, and `news` more of the first
/// `busy` feeds of each village on the second.
fn diverged(feeds: u64, base: u64, busy: u64, news: u64) -> (TestNode, TestNode) {
    let (mut one, mut two) = nodes();
    for village in villages(&one) {
        for incarnation in 0..feeds {
            let name = one.feed(village, Space::Records, incarnation);
            for (name, run) in one.append(name, base, 30) {
                two.hold(name, run);
            }
        }
    }
    // The author's own node gets the news through a copy of its card, so that `one` lacks it.
    let mut author = one.copy(ONE);
    for village in villages(&one) {
        for incarnation in 0..busy {
            let name = author.feed(village, Space::Records, incarnation);
            for (name, run) in author.append(name, news, 30) {
                two.hold(name, run);
            }
        }
    }
    (one, two)
}

#[test]
fn nothing_changed_costs_the_same_at_any_size() {
    for (places, seq) in [(1usize, 12u64), (5957, 10), (5957, 100)] {
        let (mut one, mut two) = nodes();
        for village in villages(&one).into_iter().take(places) {
            // Heads alone: nothing is read when nothing differs.
            let name = FeedName { incarnation: 7, ..one.feed(village, Space::Records, 0) };
            let id = EntryId(blake3::derive_key("test head", &name.id().0));
            one.summary.set(name, vec![ChainPoint { seq, id }]);
            two.summary.set(name, vec![ChainPoint { seq, id }]);
        }
        let cost = run(&mut one, &mut two);
        assert!(cost.bytes() < 200 && cost.rounds == 1);
    }
}

#[test]
fn ten_new_entries_in_each_of_two_feeds_of_every_village() {
    for behind_dials in [true, false] {
        let (mut one, mut two) = diverged(2, 1, 2, 10);
        let cost = if behind_dials { run(&mut one, &mut two) } else { run(&mut two, &mut one) };
        assert_eq!(cost.runs, 2 * villages(&one).len() as u64);
        assert!(cost.overhead_bytes() < 600_000 && cost.rounds <= 5, "{cost:?}");
        assert_eq!(one.repeated, 0);
    }
}

#[test]
fn of_ten_feeds_of_every_village_one_has_news() {
    let (mut one, mut two) = diverged(10, 1, 1, 1);
    let cost = run(&mut one, &mut two);
    assert!(cost.overhead_bytes() < 1_000_000 && cost.rounds <= 6, "{cost:?}");
}

#[test]
fn one_edit_in_a_kecamatan_of_thirty_four_devices_and_its_receipts() {
    let (mut province, _) = nodes();
    let (kab, kec) = (Keys(3), Keys(4));
    province.certify(kab, "32.09", Rights::above_desa());
    let mut kabupaten = province.copy(kab);
    kabupaten.certify(kec, "32.09.39", Rights::above_desa());
    let mut kecamatan = kabupaten.copy(kec);
    let desa: Vec<AreaId> = kecamatan.summary.areas_below(area("32.09.39"));
    let desa: Vec<AreaId> = desa.into_iter().filter(|it| it.level() == Level::Desa).collect();
    let mut devices = Vec::new();
    for number in 0..33u16 {
        let at = desa.get(usize::from(number) % desa.len()).copied().unwrap();
        let keys = Keys(100 + number);
        let code = at.first_code().unwrap().to_string();
        kecamatan.certify(keys, &code, Rights::desa());
        devices.push((keys, at));
    }
    let mut nodes: Vec<TestNode> = devices.iter().map(|(keys, _)| kecamatan.copy(*keys)).collect();
    for ((_, at), node) in devices.iter().zip(&mut nodes) {
        node.edit(*at, 1).into_iter().for_each(|(name, run)| kecamatan.hold(name, run));
    }
    let mut pairs: Vec<Pair> = Vec::new();
    for _ in 0..2 {
        pairs.clear();
        for node in &mut nodes {
            let mut pair = Pair::new(node.device(), kecamatan.device());
            pair.run(node, &mut kecamatan);
            pairs.push(pair);
        }
    }
    for pair in &pairs {
        assert_eq!(pair.phases().0, Phase::Live { equal: true });
    }
    let (first, at) = (nodes.first_mut().unwrap(), devices.first().unwrap().1);
    let mut edit = 0;
    let mut receipts = 0;
    // The first edit of a session names its feed; the second is what every later one costs.
    for counter in 1..=2 {
        let (name, run) = first_edit(first, at);
        let input = Input::Durable { name, head: run.head().point, run: run.packed().clone() };
        pairs.first_mut().unwrap().tell_initiator(input.clone());
        edit = pairs.first_mut().unwrap().run(first, &mut kecamatan).bytes();
        let row = ReceiptRow::of(&kecamatan.summary, kecamatan.instance, at, counter);
        receipts = 0;
        for (index, pair) in pairs.iter_mut().enumerate() {
            if index > 0 {
                pair.tell_responder(input.clone());
            }
            pair.tell_responder(Input::Receipts(vec![row.clone()]));
            let node = if index == 0 { None } else { Some(index) };
            let mut other;
            let peer = match node {
                None => &mut *first,
                Some(index) => {
                    other = kecamatan.copy(devices.get(index).unwrap().0);
                    &mut other
                }
            };
            let pushed = pair.run(peer, &mut kecamatan).bytes();
            edit += pushed;
            pair.wait(super::message::RECEIPT_DELAY_MS);
            pair.tell_responder(Input::Tick);
            let row = pair.run(peer, &mut kecamatan).bytes();
            receipts += row;
        }
    }
    assert!(edit + receipts < 34 * 400, "{edit} {receipts}");
}

fn first_edit(node: &mut TestNode, at: AreaId) -> (FeedName, Arc<crdt_schema::entry::Run>) {
    node.change(node.feed(at, Space::Records, 0), 10)
}
