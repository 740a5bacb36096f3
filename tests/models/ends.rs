//! Roots where cuts and adoptions meet the caps: two nodes are offered the same branches, or the
//! same feeds, of one device in two orders, so that each is full of others; then somebody above ends the
//! device and adopts of it, anywhere that one of the two holds. Once they met, both count what was
//! named, with the way to it, and nothing else, and so does a third that has all from one of them. Chance decides
//! about all of it; and of one tree of branches every end and adoption is tried.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use crdt_schema::authority::{Adoption, FeedEnd, Payload};
use crdt_schema::entry::{ChainPoint, Run};
use crdt_schema::id::FeedId;
use crdt_schema::testing::Numbers;
use node::replica::Offered;
use proptest::prelude::*;
use tests::replicas::Memory;

use super::caps::{
    BRANCHES_MAX, BRANCHES_NAMED_MAX, INCARNATIONS_MAX, TREE, WORLD, are_equal_once_they_met,
    before, declare, name, offer, replica_of, root, withdrawal, write,
};

/// Feeds of the device, and entries of each.
const FEEDS: u64 = 70;
const LONG: usize = 2;

/// What the device wrote in each feed, entry by entry.
static FLOOD: LazyLock<Vec<Vec<Run>>> = LazyLock::new(|| {
    let feed = |number: u64| {
        let (mut past, mut runs) = (Vec::new(), Vec::new());
        for step in 0..LONG {
            let run = write(&name(number), &past, format!("banjir {number} {step}").as_bytes());
            past.extend(run.entries().iter().cloned());
            runs.push(run);
        }
        runs
    };
    (1..=FEEDS).map(feed).collect()
});

/// What chance decides: two orders, and which of the places that are held are an end or adopted.
#[derive(Debug, Clone)]
struct Play {
    orders: [u64; 2],
    ends: Vec<prop::sample::Index>,
    adopted: Vec<prop::sample::Index>,
}

fn plays(ends: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = Play> {
    let some = |count| prop::collection::vec(any::<prop::sample::Index>(), count);
    (any::<[u64; 2]>(), some(ends), some(0..=3)).prop_map(|(orders, ends, adopted)| Play {
        orders,
        ends,
        adopted,
    })
}

/// A place of the flood: a feed and how much of it.
type Place = (u64, usize);

fn pair() -> [Memory; 2] {
    [replica_of(&WORLD.province, 1), replica_of(&WORLD.other, 2)]
}

fn point(runs: &Run) -> ChainPoint {
    runs.head().point
}

fn counting(replica: &Memory, feed: &FeedId) -> BTreeSet<ChainPoint> {
    let counting = replica.summary().feed(feed);
    counting.into_iter().flat_map(|it| it.heads.iter().copied()).collect()
}

/// Both hear the same words and meet; a third, who has nothing, meets one of them.
fn hear_and_meet([one, two]: &mut [Memory; 2], words: &[Payload]) -> Memory {
    let mut third = replica_of(&WORLD.other, 3);
    for replica in [&mut *one, &mut *two, &mut third] {
        declare(replica, words);
    }
    assert!(are_equal_once_they_met(one, two) || are_equal_once_they_met(two, one), "unequal");
    assert!(are_equal_once_they_met(two, &mut third), "the third is unequal");
    assert_eq!(root(one), root(two));
    assert_eq!(root(one), root(&third));
    third
}

/// Places of the tree in an order, until nothing more is taken: which are held.
fn fill_with_branches(replica: &mut Memory, seed: u64) -> BTreeSet<usize> {
    let mut order: Vec<usize> = (0..TREE.len()).collect();
    Numbers::new(seed).shuffle(&mut order);
    let mut held = BTreeSet::new();
    let mut grew = true;
    while std::mem::take(&mut grew) {
        for place in &order {
            let outcome = offer(replica, &name(1), TREE.get(*place).unwrap().run.packed());
            grew |= matches!(outcome, Offered::Staged(_)) && held.insert(*place);
        }
    }
    held
}

/// A place and all before it.
fn way_to(place: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(place), |at| before(*at))
}

/// Two nodes, each full of branches in an order of its own, and the places that either holds.
fn full_of_branches(orders: [u64; 2]) -> ([Memory; 2], Vec<usize>) {
    let mut nodes = pair();
    let mut held = BTreeSet::new();
    for (replica, seed) in nodes.iter_mut().zip(orders) {
        let here = fill_with_branches(replica, seed);
        assert_eq!(replica.feed(name(1).id()).unwrap().branches.len(), BRANCHES_MAX);
        held.extend(here);
    }
    (nodes, held.into_iter().collect())
}

fn named(place: usize) -> ChainPoint {
    point(&TREE.get(place).unwrap().run)
}

/// The words that end the device behind one place and adopt up to others.
fn ending(end: usize, adopted: &[usize]) -> Vec<Payload> {
    let feed = name(1).id();
    let mut words = withdrawal(&[FeedEnd { feed, last: named(end) }]).to_vec();
    if !adopted.is_empty() {
        let ranges = adopted.iter().map(|it| (feed, 1, named(*it))).collect();
        words.push(Payload::Adoption(Adoption { ranges }));
    }
    words
}

/// What counts is what was named, with the way to it.
fn assert_counts<'a>(
    nodes: impl IntoIterator<Item = &'a Memory>,
    end: usize,
    adopted: &[usize],
    how: &str,
) {
    let counts: BTreeSet<usize> = adopted.iter().chain([&end]).flat_map(|it| way_to(*it)).collect();
    let passed: BTreeSet<usize> = counts.iter().filter_map(|it| before(*it)).collect();
    let heads: BTreeSet<ChainPoint> = counts.difference(&passed).map(|it| named(*it)).collect();
    let feed = name(1).id();
    for replica in nodes {
        assert_eq!(counting(replica, &feed), heads, "{end}, adopted {adopted:?}, {how}");
        assert!(replica.feed(feed).unwrap().branches.len() <= BRANCHES_NAMED_MAX);
    }
}

fn branches_become_equal(play: &Play) -> Result<(), TestCaseError> {
    let (mut nodes, held) = full_of_branches(play.orders);
    prop_assume!(nodes.first().map(root) != nodes.last().map(root));
    let at = |index: &prop::sample::Index| *index.get(&held);
    let end = at(play.ends.first().unwrap());
    let adopted: Vec<usize> = play.adopted.iter().map(at).collect();
    let third = hear_and_meet(&mut nodes, &ending(end, &adopted));
    assert_counts(nodes.iter().chain([&third]), end, &adopted, "drawn");
    Ok(())
}

/// How two nodes come to know what was named.
#[derive(Debug, Clone, Copy)]
enum Heard {
    /// Both hear it before they meet.
    ByBoth,
    /// One hears it, and tells the other as they meet.
    ByOne,
    /// Both hear it after they met, and stayed unequal.
    Late,
}

const HEARD: [Heard; 3] = [Heard::ByBoth, Heard::ByOne, Heard::Late];

/// Two full nodes, one end and at most one adoption, heard in one way.
fn meets(orders: [u64; 2], end: usize, adopted: &[usize], heard: Heard) {
    let words = ending(end, adopted);
    let (mut nodes, _) = full_of_branches(orders);
    let mut third = replica_of(&WORLD.other, 3);
    if let (Heard::Late, [one, two]) = (heard, &mut nodes) {
        assert!(!are_equal_once_they_met(one, two));
    }
    let hear = if matches!(heard, Heard::ByOne) { 1 } else { 2 };
    nodes.iter_mut().take(hear).for_each(|it| declare(it, &words));
    let [one, two] = &mut nodes;
    let met = are_equal_once_they_met(one, two) || are_equal_once_they_met(two, one);
    let how = format!("{orders:?}, {heard:?}");
    assert!(met, "unequal: {end}, adopted {adopted:?}, {how}");
    assert!(are_equal_once_they_met(two, &mut third), "third: {end}, adopted {adopted:?}, {how}");
    assert_counts(nodes.iter().chain([&third]), end, adopted, &how);
}

/// The short form tries every end with every adoption, or none, in one way each; `WKSBM_DEEDS=3` in every
/// way, and of nodes filled in eight pairs of orders.
#[test]
fn every_end_and_adoption_counts_at_two_that_are_full_of_other_branches() {
    let is_long = std::env::var("WKSBM_DEEDS").is_ok_and(|deeds| deeds != "2");
    let mut ways = HEARD.iter().cycle();
    let full = (0..).map(|pair| [2 * pair + 1, 2 * pair + 2]).filter_map(|orders| {
        let ([one, two], held) = full_of_branches(orders);
        // Where both are full of the same there is nothing to settle.
        (root(&one) != root(&two)).then_some((orders, held))
    });
    for (orders, held) in full.take(if is_long { 8 } else { 1 }) {
        for end in &held {
            for adopted in std::iter::once(None).chain(held.iter().copied().map(Some)) {
                let adopted: Vec<usize> = adopted.into_iter().collect();
                for _ in 0..if is_long { HEARD.len() } else { 1 } {
                    meets(orders, *end, &adopted, *ways.next().unwrap());
                }
            }
        }
    }
}

fn written(number: u64) -> &'static [Run] {
    usize::try_from(number - 1).ok().and_then(|it| FLOOD.get(it)).unwrap()
}

/// Feeds of the flood in an order: which places are held.
fn fill_with_feeds(replica: &mut Memory, seed: u64) -> BTreeSet<Place> {
    let mut order: Vec<u64> = (1..=FEEDS).collect();
    Numbers::new(seed).shuffle(&mut order);
    let mut held = BTreeSet::new();
    for number in order {
        for (step, run) in written(number).iter().enumerate() {
            if offer(replica, &name(number), run.packed()) == Offered::Staged(1) {
                held.insert((number, step));
            }
        }
    }
    held
}

fn floods_become_equal(play: &Play) -> Result<(), TestCaseError> {
    let mut nodes = pair();
    let mut held = BTreeSet::new();
    for (replica, seed) in nodes.iter_mut().zip(play.orders) {
        let here = fill_with_feeds(replica, seed);
        assert_eq!(here.len() as u64, INCARNATIONS_MAX * LONG as u64);
        held.extend(here);
    }
    prop_assume!(nodes.first().map(root) != nodes.last().map(root));
    let held: Vec<Place> = held.into_iter().collect();
    let at = |index: &prop::sample::Index| *index.get(&held);
    let named = |(number, step): Place| point(written(number).get(step).unwrap());
    let mut reached: BTreeMap<u64, usize> = play.ends.iter().map(at).collect();
    let end = |(number, step): (&u64, &usize)| FeedEnd {
        feed: name(*number).id(),
        last: named((*number, *step)),
    };
    let mut words = withdrawal(&reached.iter().map(end).collect::<Vec<_>>()).to_vec();
    let adopted: Vec<Place> = play.adopted.iter().map(at).collect();
    if !adopted.is_empty() {
        let ranges = adopted.iter().map(|it| (name(it.0).id(), 1, named(*it))).collect();
        words.push(Payload::Adoption(Adoption { ranges }));
    }
    for (number, step) in adopted {
        let furthest = reached.entry(number).or_insert(step);
        *furthest = step.max(*furthest);
    }
    let third = hear_and_meet(&mut nodes, &words);
    for replica in nodes.iter().chain([&third]) {
        for number in 1..=FEEDS {
            let heads = reached.get(&number).map(|step| named((number, *step)));
            let here = counting(replica, &name(number).id());
            assert_eq!(here, heads.into_iter().collect(), "feed {number} after {words:?}");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn who_is_full_of_other_branches_counts_what_is_named(play in plays(1..=1)) {
        branches_become_equal(&play)?;
    }

    #[test]
    fn who_is_full_of_other_feeds_counts_what_is_named(play in plays(1..=5)) {
        floods_become_equal(&play)?;
    }
}
