//! The caps on branches and incarnations against counters, and roots where a cut names an end: a node
//! takes no more than eight branches of a feed and 64 feeds of one device and area, drops nothing it
//! holds, and its root is a function of what counts, in whatever order that came. What a cut names is
//! taken beyond both, and so is what an edit that counts rests on.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crdt_schema::authority::{Adoption, Cut, FeedEnd, Payload, Revocation};
use crdt_schema::class::Class;
use crdt_schema::entry::{
    CHECKPOINT_EVERY, ChainPoint, Draft, DraftSection, Entry, EntryKind, PackedRun, Places, Run,
    SigningSecret,
};
use crdt_schema::id::{EntryId, FeedName, RecordId, Space};
use crdt_schema::time::Timestamp;
use node::ports::RecordKey;
use node::replica::{Author, Offered, RejectReason, Save, Source};
use node::sync::driver::Pair;
use node::sync::{Phase, Root};
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use tests::replicas::{self, Memory, meet};
use tests::world::{World, Writer, certified, declaring};

/// As `docs/protocol.md` 13 has them.
pub(crate) const BRANCHES_MAX: usize = 8;
pub(crate) const BRANCHES_NAMED_MAX: usize = 16;
pub(crate) const INCARNATIONS_MAX: u64 = 64;
const INCARNATIONS_RESTED_MAX: u64 = 128;
/// Copies of one card that write on apart, and what each writes.
const COPIES: u8 = 11;
const ENTRIES: usize = 3;
const KIND: u16 = 5;

/// A device that writes on and eleven copies of its card: behind which entry of [`TREE`] each leaves, and
/// how much it writes. They leave behind each of the first three entries, off other copies, and one
/// before the first.
const LEAVING: [(Option<usize>, usize); 12] = [
    (None, 3),
    (Some(0), 2),
    (Some(0), 2),
    (Some(1), 2),
    (Some(1), 1),
    (Some(2), 2),
    (Some(2), 1),
    (Some(3), 2),
    (Some(3), 1),
    (Some(13), 2),
    (Some(5), 1),
    (None, 2),
];

/// A village with two devices: the first has copies, the second writes honestly.
pub(crate) static WORLD: LazyLock<World> = LazyLock::new(|| World::new(1, 2));
/// The first entry, which all copies share, and of each copy what it wrote, entry by entry.
static SHARED: LazyLock<Run> = LazyLock::new(|| write(&name(1), &[], b"bersama"));
static COPY: LazyLock<Vec<Vec<Run>>> = LazyLock::new(|| (0..COPIES).map(copy).collect());
/// The same of copies that all write on about the record of the first entry.
static FORKED: LazyLock<Vec<Vec<Run>>> = LazyLock::new(|| (0..COPIES).map(forked).collect());

/// Every entry of a device and its copies by [`LEAVING`], each after the one before it.
pub(crate) static TREE: LazyLock<Vec<Place>> = LazyLock::new(|| {
    let mut tree = Vec::new();
    for (number, (leaves, count)) in LEAVING.into_iter().enumerate() {
        let mut before = leaves;
        for step in 0..count {
            let past = before.map_or(&[][..], |it: usize| entries_at(&tree, it));
            let run = write(&name(1), past, format!("pohon {number} {step}").as_bytes());
            tree.push(Place { before, run });
            before = Some(tree.len() - 1);
        }
    }
    tree
});

/// An entry of the tree.
pub(crate) struct Place {
    before: Option<usize>,
    pub(crate) run: Run,
}

fn entries_at(tree: &[Place], place: usize) -> &[Entry] {
    tree.get(place).unwrap().run.entries()
}

pub(crate) fn name(incarnation: u64) -> FeedName {
    let (area, writer) = certified(&WORLD);
    FeedName { device: writer.device(), area, space: Space::Records, incarnation }
}

pub(crate) struct Nowhere;

impl Places for Nowhere {
    fn seq_of(&self, _: &EntryId) -> Option<u64> {
        None
    }

    fn named_at(&self, _: u16, _: &RecordId) -> Option<u64> {
        None
    }
}

fn placed(name: &FeedName, past: &[Entry], draft: Draft, secret: &SigningSecret) -> Run {
    let start = past.last().map_or(ChainPoint::START, Entry::point);
    let entry = draft.place(name.id(), start).unwrap();
    Run::author(start, vec![entry], &Nowhere, secret).unwrap()
}

fn draft(record: RecordId, number: u8, deps: Vec<EntryId>) -> Draft {
    Draft {
        kind: EntryKind::EDIT,
        record_kind: KIND,
        record,
        person: 0,
        claimed_at: Timestamp(i64::from(number)),
        deps,
        sections: vec![DraftSection::in_clear(Class::Open, &[0], [0; 16])],
    }
}

/// One more entry of the village's device: a record of its own.
pub(crate) fn write(name: &FeedName, past: &[Entry], text: &[u8]) -> Run {
    let mut record = [0; 16];
    record.copy_from_slice(blake3::hash(text).as_bytes().first_chunk::<16>().unwrap());
    placed(name, past, draft(RecordId(record), 0, vec![]), certified(&WORLD).1.secret())
}

fn forked(number: u8) -> Vec<Run> {
    let (mut past, mut runs) = (SHARED.entries().to_vec(), Vec::new());
    for _ in 0..ENTRIES {
        let last = past.last().unwrap();
        let draft = draft(last.header.record, number, vec![last.id]);
        let run = placed(&name(1), &past, draft, certified(&WORLD).1.secret());
        past.extend(run.entries().iter().cloned());
        runs.push(run);
    }
    runs
}

fn copy(number: u8) -> Vec<Run> {
    let mut past = SHARED.entries().to_vec();
    let mut runs = Vec::new();
    for step in 0..ENTRIES {
        let run = write(&name(1), &past, format!("{number} {step}").as_bytes());
        past.extend(run.entries().iter().cloned());
        runs.push(run);
    }
    runs
}

fn replica() -> Memory {
    replica_of(&WORLD.province, 1)
}

pub(crate) fn replica_of(me: &Writer, number: u8) -> Memory {
    let mut replica = replicas::replica(&WORLD, me, number);
    for (name, runs) in &WORLD.authority {
        for run in runs {
            offer(&mut replica, name, run);
        }
    }
    replica
}

pub(crate) fn offer(replica: &mut Memory, name: &FeedName, run: &PackedRun) -> Offered {
    let outcome = replica.offer(name, run).unwrap().outcome;
    replica.commit(None, &Source::Here, Timestamp(0)).unwrap();
    outcome
}

pub(crate) fn root(replica: &Memory) -> Root {
    replica.summary().root(name(1).area)
}

/// Places of the tree that are held.
type Held = BTreeSet<usize>;

pub(crate) fn before(place: usize) -> Option<usize> {
    TREE.get(place).unwrap().before
}

/// Those that nothing held follows: the branches.
fn leaves(held: &Held) -> BTreeSet<usize> {
    let followed: BTreeSet<usize> = held.iter().filter_map(|place| before(*place)).collect();
    held.difference(&followed).copied().collect()
}

/// Heads of the branches.
fn points(held: &Held) -> BTreeSet<ChainPoint> {
    let point = |place: usize| TREE.get(place).unwrap().run.head().point;
    leaves(held).into_iter().map(point).collect()
}

/// What becomes of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Becomes {
    New,
    Known,
    /// The one before it is not held.
    Loose,
    /// It would be a branch too many.
    Beyond,
}

fn becomes(held: &Held, place: usize) -> Becomes {
    if held.contains(&place) {
        return Becomes::Known;
    }
    let branches = leaves(held);
    let goes_on = match before(place) {
        Some(before) if !held.contains(&before) => return Becomes::Loose,
        Some(before) => branches.contains(&before),
        None => held.is_empty(),
    };
    if goes_on || branches.len() < BRANCHES_MAX { Becomes::New } else { Becomes::Beyond }
}

#[derive(Debug, Clone)]
struct Offering(usize);

struct Model;

impl ReferenceStateMachine for Model {
    /// What is held, and what became of the step of now.
    type State = (Held, Becomes);
    type Transition = Offering;

    fn init_state() -> BoxedStrategy<Self::State> {
        Just((Held::new(), Becomes::Known)).boxed()
    }

    /// Mostly what may come, and now and then anything.
    fn transitions((held, _): &Self::State) -> BoxedStrategy<Offering> {
        let comes =
            |place: &usize| !matches!(becomes(held, *place), Becomes::Known | Becomes::Loose);
        let next: Vec<usize> = (0..TREE.len()).filter(comes).collect();
        let any = (0..TREE.len()).prop_map(Offering);
        if next.is_empty() {
            return any.boxed();
        }
        prop_oneof![3 => prop::sample::select(next).prop_map(Offering), 1 => any].boxed()
    }

    fn apply((mut held, _): Self::State, Offering(place): &Offering) -> Self::State {
        let becomes = becomes(&held, *place);
        if becomes == Becomes::New {
            held.insert(*place);
        }
        (held, becomes)
    }
}

struct Taken;

impl Taken {
    fn offer(replica: &mut Memory, place: usize) -> Offered {
        offer(replica, &name(1), TREE.get(place).unwrap().run.packed())
    }

    fn heads(replica: &Memory) -> BTreeSet<ChainPoint> {
        let counting = replica.summary().feed(&name(1).id());
        counting.into_iter().flat_map(|it| it.heads.iter().copied()).collect()
    }
}

impl StateMachineTest for Taken {
    type SystemUnderTest = Memory;
    type Reference = Model;

    fn init_test(_: &(Held, Becomes)) -> Memory {
        replica()
    }

    fn apply(
        mut replica: Memory,
        (_, becomes): &(Held, Becomes),
        Offering(place): Offering,
    ) -> Memory {
        let before = root(&replica);
        let outcome = Self::offer(&mut replica, place);
        match becomes {
            Becomes::New => assert_eq!(outcome, Offered::Staged(1)),
            Becomes::Known => assert_eq!(outcome, Offered::Duplicate),
            Becomes::Loose => assert!(!matches!(outcome, Offered::Staged(_)), "{outcome:?}"),
            Becomes::Beyond => assert_eq!(outcome, Offered::Rejected(RejectReason::Limit)),
        }
        assert_eq!(root(&replica) != before, *becomes == Becomes::New);
        replica
    }

    fn check_invariants(replica: &Memory, (held, _): &(Held, Becomes)) {
        let branches = replica.feed(name(1).id()).map(|feed| &feed.branches);
        let heads: BTreeSet<ChainPoint> =
            branches.into_iter().flatten().map(|it| it.head.point).collect();
        assert_eq!(heads, points(held));
        assert_eq!(Self::heads(replica), points(held));
    }

    /// The same in another order has the same root; and so has what a cut leaves of it.
    fn teardown(mut replica: Memory, (held, _): (Held, Becomes)) {
        let mut other = Self::init_test(&(Held::new(), Becomes::Known));
        for place in the_last_first(&held) {
            assert_eq!(Self::offer(&mut other, place), Offered::Staged(1));
        }
        assert_eq!(root(&other), root(&replica));
        let Some(end) = points(&held).into_iter().next_back() else { return };
        for replica in [&mut replica, &mut other] {
            declare(replica, &withdrawal(&[FeedEnd { feed: name(1).id(), last: end }]));
            assert_eq!(Self::heads(replica), BTreeSet::from([end]), "only what the cut names");
            let branches = &replica.feed(name(1).id()).unwrap().branches;
            assert_eq!(branches.len(), leaves(&held).len());
        }
        assert_eq!(root(&other), root(&replica));
    }
}

/// What is held, of that which may come always the last.
fn the_last_first(held: &Held) -> Vec<usize> {
    let (mut left, mut order) = (held.clone(), Vec::new());
    let comes = |place: usize, order: &[usize]| before(place).is_none_or(|it| order.contains(&it));
    while let Some(next) = left.iter().rev().copied().find(|place| comes(*place, &order)) {
        left.remove(&next);
        order.push(next);
    }
    order
}

/// One order after the other, so that the cap is reached whatever chance draws.
#[test]
fn of_a_device_and_eleven_copies_eight_branches_are_held() {
    let all: Held = (0..TREE.len()).collect();
    assert_eq!(leaves(&all).len(), usize::from(COPIES));
    for order in [all.iter().copied().collect(), the_last_first(&all)] {
        let mut state = (Held::new(), Becomes::Known);
        let (mut replica, mut beyond) = (Taken::init_test(&state), 0);
        for place in order {
            state = Model::apply(state, &Offering(place));
            replica = Taken::apply(replica, &state, Offering(place));
            Taken::check_invariants(&replica, &state);
            beyond += usize::from(state.1 == Becomes::Beyond);
        }
        assert_eq!(leaves(&state.0).len(), BRANCHES_MAX);
        assert!(beyond > 0);
    }
}

/// A feed in which the province withdraws the device.
fn authority() -> FeedName {
    let device = WORLD.province.device();
    FeedName { device, space: Space::Authority, incarnation: 2, ..name(1) }
}

pub(crate) fn withdrawal(ends: &[FeedEnd]) -> [Payload; 2] {
    let device = name(1).device;
    [
        Payload::Cut(Cut { device, ends: ends.to_vec() }),
        Payload::Revocation(Revocation { device, reason: String::new() }),
    ]
}

fn said(past: &[Entry], payload: &Payload) -> Run {
    placed(&authority(), past, declaring(payload), WORLD.province.secret())
}

prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn eight_branches_are_held_and_a_ninth_takes_nothing_away(sequential 1..60 => Taken);
}

#[test]
fn sixty_four_incarnations_are_held_and_one_more_takes_nothing_away() {
    let mut replica = replica();
    let run = |number: u64| write(&name(number), &[], &number.to_be_bytes());
    for number in 1..=INCARNATIONS_MAX {
        assert_eq!(offer(&mut replica, &name(number), run(number).packed()), Offered::Staged(1));
    }
    let before = root(&replica);
    let more = INCARNATIONS_MAX + 1;
    let outcome = offer(&mut replica, &name(more), run(more).packed());
    assert_eq!(outcome, Offered::Rejected(RejectReason::Limit));
    for number in 1..=INCARNATIONS_MAX {
        assert_eq!(offer(&mut replica, &name(number), run(number).packed()), Offered::Duplicate);
    }
    assert_eq!(root(&replica), before);
}

/// Offers what the province says, from its first word on.
pub(crate) fn declare(replica: &mut Memory, payloads: &[Payload]) {
    let mut past = Vec::new();
    for payload in payloads {
        let run = said(&past, payload);
        past.extend(run.entries().iter().cloned());
        let outcome = offer(replica, &authority(), run.packed());
        assert!(matches!(outcome, Offered::Staged(1) | Offered::Duplicate), "{outcome:?}");
    }
}

/// Both meet, and then hold the same of what counts.
fn assert_equal_once_they_met(one: &mut Memory, two: &mut Memory) {
    assert!(are_equal_once_they_met(one, two));
    assert_eq!(root(one), root(two));
}

pub(crate) fn are_equal_once_they_met(one: &mut Memory, two: &mut Memory) -> bool {
    let mut pair = Pair::new(one.me(), two.me());
    meet(&mut pair, one, two);
    let equal = Phase::Live { equal: true };
    pair.phases() == (equal, equal)
}

/// Each of two nodes holds eight copies, not the same ones: equal they become by a cut, which names a
/// place within the eleventh. What is adopted of the first then reaches who had not taken it, who says
/// nine heads when it asks.
#[test]
fn a_branch_that_a_cut_names_is_taken_beyond_the_cap() {
    let [mut one, mut two] = [replica_of(&WORLD.province, 1), replica_of(&WORLD.other, 2)];
    for (replica, first) in [(&mut one, 0), (&mut two, 3)] {
        offer(replica, &name(1), SHARED.packed());
        for run in COPY.iter().skip(first).take(BRANCHES_MAX).flatten() {
            assert_eq!(offer(replica, &name(1), run.packed()), Offered::Staged(1));
        }
    }
    let run = |copy: usize, step: usize| COPY.get(copy).and_then(|runs| runs.get(step)).unwrap();
    let end = run(10, 1).head().point;
    let mut words = withdrawal(&[FeedEnd { feed: name(1).id(), last: end }]).to_vec();
    for replica in [&mut one, &mut two] {
        declare(replica, &words);
    }
    assert_ne!(root(&one), root(&two));
    assert_equal_once_they_met(&mut one, &mut two);
    assert_eq!(one.summary().feed(&name(1).id()).unwrap().heads, [end]);
    assert_eq!(one.feed(name(1).id()).unwrap().branches.len(), BRANCHES_MAX + 1);
    let tenth = run(9, 0).packed();
    assert_eq!(offer(&mut one, &name(1), tenth), Offered::Rejected(RejectReason::Limit));

    let adopted = run(0, ENTRIES - 1).head().point;
    words.push(Payload::Adoption(Adoption { ranges: vec![(name(1).id(), 2, adopted)] }));
    for replica in [&mut one, &mut two] {
        declare(replica, &words);
    }
    assert_ne!(root(&one), root(&two));
    assert_equal_once_they_met(&mut two, &mut one);
    let heads: BTreeSet<ChainPoint> = [end, adopted].into();
    assert!(two.summary().feed(&name(1).id()).unwrap().heads.iter().eq(&heads));
}

/// The same of a flood: each holds sixty-four of sixty-six feeds.
#[test]
fn a_feed_that_a_cut_names_is_taken_beyond_the_cap() {
    let [mut one, mut two] = [replica_of(&WORLD.province, 1), replica_of(&WORLD.other, 2)];
    let run = |number: u64| write(&name(number), &[], &number.to_be_bytes());
    for (replica, first) in [(&mut one, 1), (&mut two, 3)] {
        for number in first..first + INCARNATIONS_MAX {
            assert_eq!(offer(replica, &name(number), run(number).packed()), Offered::Staged(1));
        }
    }
    let end = |number: u64| FeedEnd { feed: name(number).id(), last: run(number).head().point };
    let ends = [1, 5, INCARNATIONS_MAX + 2].map(end);
    for replica in [&mut one, &mut two] {
        declare(replica, &withdrawal(&ends));
    }
    assert_ne!(root(&one), root(&two));
    assert_equal_once_they_met(&mut one, &mut two);
    for end in &ends {
        assert_eq!(one.summary().feed(&end.feed).unwrap().heads, [end.last]);
    }
}

/// A copy that wrote so much on that its branch travels in more runs than may fail to fit in one comparison.
fn long(number: u8) -> Vec<Run> {
    const RUNS: u64 = 18;
    let (feed, mut runs) = (name(1).id(), Vec::new());
    let mut at = SHARED.head().point;
    while at.seq < RUNS * CHECKPOINT_EVERY {
        let (start, mut entries) = (at, Vec::new());
        while entries.is_empty() || !at.seq.is_multiple_of(CHECKPOINT_EVERY) {
            let text = blake3::hash(&[&[number][..], &at.seq.to_be_bytes()].concat());
            let record = RecordId(*text.as_bytes().first_chunk::<16>().unwrap());
            let entry = draft(record, number, vec![]).place(feed, at).unwrap();
            at = entry.point();
            entries.push(entry);
        }
        runs.push(Run::author(start, entries, &Nowhere, certified(&WORLD).1.secret()).unwrap());
    }
    runs
}

/// Each of two nodes holds eight copies, and the long one of each is not taken by the other: run after run
/// of it fits none of the branches that are held there, and that is nobody's fault.
#[test]
fn two_that_hold_other_branches_at_the_cap_exchange_everything_else() {
    let [mut one, mut two] = [replica_of(&WORLD.province, 1), replica_of(&WORLD.other, 2)];
    for (replica, number) in [(&mut one, 101), (&mut two, 102)] {
        offer(replica, &name(1), SHARED.packed());
        let short = COPY.iter().take(BRANCHES_MAX - 1).filter_map(|runs| runs.first());
        for run in short.chain(&long(number)) {
            let outcome = offer(replica, &name(1), run.packed());
            assert!(matches!(outcome, Offered::Staged(_)), "{outcome:?}");
        }
        let news = u64::from(number);
        let run = write(&name(news), &[], &[number]);
        assert_eq!(offer(replica, &name(news), run.packed()), Offered::Staged(1));
    }
    for _ in 0..2 {
        let mut pair = Pair::new(one.me(), two.me());
        meet(&mut pair, &mut one, &mut two);
        let unequal = Phase::Live { equal: false };
        assert_eq!(pair.phases(), (unequal, unequal));
        for replica in [&one, &two] {
            assert_eq!(replica.feed(name(1).id()).unwrap().branches.len(), BRANCHES_MAX);
            assert!([101, 102].iter().all(|news| replica.feed(name(*news).id()).is_some()));
        }
        std::mem::swap(&mut one, &mut two);
    }
}

/// The village's second device.
fn neighbour() -> &'static Writer {
    WORLD.villages.first().and_then(|(_, writers)| writers.get(1)).unwrap()
}

/// The neighbour saves what a person typed who saw all that its node holds of a record.
fn save(replica: &mut Memory, record: RecordId) {
    let (device, key) = (neighbour().device(), neighbour().secret());
    let author = Author { device, key };
    let key = RecordKey { area: name(1).area, kind: KIND, record };
    let sections = vec![DraftSection::in_clear(Class::Open, &[0], [0; 16])];
    let save = Save { key, person: 0, claimed_at: Timestamp(0), sections };
    replica.save(&author, save).unwrap();
    replica.commit(Some(&author), &Source::Here, Timestamp(0)).unwrap();
}

/// Two that may meet twice: what is rested on may come before what rests on it.
fn assert_equal_in_the_end(one: &mut Memory, two: &mut Memory, record: RecordId) {
    let met = are_equal_once_they_met(one, two) || are_equal_once_they_met(two, one);
    assert!(met, "they stay unequal");
    assert_eq!(root(one), root(two));
    let key = RecordKey { area: name(1).area, kind: KIND, record };
    let [mine, theirs] = [&*one, &*two].map(|it| it.record(&key).unwrap().unwrap());
    assert_eq!(format!("{mine:?}"), format!("{theirs:?}"));
}

/// Each holds eight of eleven copies, which all changed one record, and somebody who saw the first
/// eight changed it as well. A cut names a branch both hold: the change counts, and what it rests on
/// is held wherever it is.
#[test]
fn branches_that_an_edit_rests_on_are_taken_beyond_the_cap() {
    let [mut one, mut two] = [replica_of(neighbour(), 1), replica_of(&WORLD.province, 2)];
    for (replica, first) in [(&mut one, 0), (&mut two, 3)] {
        offer(replica, &name(1), SHARED.packed());
        for run in FORKED.iter().skip(first).take(BRANCHES_MAX).flatten() {
            assert_eq!(offer(replica, &name(1), run.packed()), Offered::Staged(1));
        }
    }
    let record = SHARED.entries().first().unwrap().header.record;
    save(&mut one, record);
    let last = FORKED.get(5).and_then(|runs| runs.last()).unwrap().head().point;
    for replica in [&mut one, &mut two] {
        declare(replica, &withdrawal(&[FeedEnd { feed: name(1).id(), last }]));
    }
    assert_ne!(root(&one), root(&two));
    assert_equal_in_the_end(&mut one, &mut two, record);
    let heads = &two.summary().feed(&name(1).id()).unwrap().heads;
    assert_eq!(heads.len(), BRANCHES_MAX, "what the change saw");
    assert_eq!(two.feed(name(1).id()).unwrap().branches.len(), usize::from(COPIES));
    let branches = one.feed(name(1).id()).unwrap().branches.len();
    assert_eq!(branches, BRANCHES_MAX, "nothing rests on the others");
}

/// The same of a flood: each holds sixty-four of sixty-six feeds, and somebody saw the first of them.
#[test]
fn feeds_that_an_edit_rests_on_are_taken_beyond_the_cap() {
    let [mut one, mut two] = [replica_of(neighbour(), 1), replica_of(&WORLD.province, 2)];
    let run = |number: u64| {
        let draft = draft(RecordId([1; 16]), 0, vec![]);
        placed(&name(number), &[], draft, certified(&WORLD).1.secret())
    };
    for (replica, first) in [(&mut one, 1), (&mut two, 3)] {
        for number in first..first + INCARNATIONS_MAX {
            assert_eq!(offer(replica, &name(number), run(number).packed()), Offered::Staged(1));
        }
    }
    save(&mut one, RecordId([1; 16]));
    let end = FeedEnd { feed: name(5).id(), last: run(5).head().point };
    for replica in [&mut one, &mut two] {
        declare(replica, &withdrawal(&[end]));
    }
    assert_ne!(root(&one), root(&two));
    assert_equal_in_the_end(&mut one, &mut two, RecordId([1; 16]));
    for number in [1, 2] {
        assert!(two.feed(name(number).id()).is_some(), "feed {number}");
    }
}

/// Of branches beyond the cap one that nobody names is not taken; those that are named are, up to the upper
/// cap.
fn fills_up(replica: &mut Memory, unnamed: &Run, named: &[Run], too_many: &Run) {
    let limit = Offered::Rejected(RejectReason::Limit);
    assert_eq!(offer(replica, &name(1), unnamed.packed()), limit);
    for run in named {
        assert_eq!(offer(replica, &name(1), run.packed()), Offered::Staged(1));
    }
    assert_eq!(offer(replica, &name(1), too_many.packed()), limit);
    assert_eq!(replica.feed(name(1).id()).unwrap().branches.len(), BRANCHES_NAMED_MAX);
}

/// Beside the eight branches that are held seventeen more: what authority names of them is taken up to the
/// sixteenth branch, what nobody names never, and nothing that is held goes.
#[test]
fn a_seventeenth_branch_is_not_taken_though_it_is_named() {
    let mut replica = replica();
    offer(&mut replica, &name(1), SHARED.packed());
    let copy = |number: usize| write(&name(1), SHARED.entries(), format!("n {number}").as_bytes());
    let copies: Vec<Run> = (0..=BRANCHES_NAMED_MAX + 1).map(copy).collect();
    let (held, beyond) = copies.split_at(BRANCHES_MAX);
    let (unnamed, named) = beyond.split_last().unwrap();
    let (too_many, taken) = named.split_last().unwrap();
    for run in held {
        assert_eq!(offer(&mut replica, &name(1), run.packed()), Offered::Staged(1));
    }
    let range = |run: &Run| (name(1).id(), 2, run.head().point);
    declare(
        &mut replica,
        &[Payload::Adoption(Adoption { ranges: named.iter().map(range).collect() })],
    );
    fills_up(&mut replica, unnamed, taken, too_many);
    for run in held.iter().chain(taken) {
        assert_eq!(offer(&mut replica, &name(1), run.packed()), Offered::Duplicate);
    }
}

/// The neighbour's edit of a record, which names whatever it may have seen; beside others of it.
fn rests_on(replica: &mut Memory, past: &[Entry], record: RecordId, deps: Vec<EntryId>) -> Run {
    let name = FeedName { device: neighbour().device(), ..name(1) };
    let run = placed(&name, past, draft(record, 0, deps), neighbour().secret());
    assert_eq!(offer(replica, &name, run.packed()), Offered::Staged(1));
    run
}

/// The same of branches that an edit names which counts.
#[test]
fn a_seventeenth_branch_is_not_taken_though_an_edit_rests_on_it() {
    let mut replica = replica();
    offer(&mut replica, &name(1), SHARED.packed());
    let first = SHARED.entries().first().unwrap();
    let copy = |number: u8| {
        let draft = draft(first.header.record, number, vec![first.id]);
        placed(&name(1), SHARED.entries(), draft, certified(&WORLD).1.secret())
    };
    let copies: Vec<Run> = (1..=18).map(copy).collect();
    let (held, beyond) = copies.split_at(BRANCHES_MAX);
    let (unseen, seen) = beyond.split_last().unwrap();
    let (too_many, taken) = seen.split_last().unwrap();
    assert_eq!(held.len() + taken.len(), BRANCHES_NAMED_MAX);
    for run in held {
        assert_eq!(offer(&mut replica, &name(1), run.packed()), Offered::Staged(1));
    }
    let deps = seen.iter().map(|run| run.head().point.id).collect();
    rests_on(&mut replica, &[], first.header.record, deps);
    fills_up(&mut replica, unseen, taken, too_many);
}

/// Beside sixty-four feeds those are taken that an edit rests on, up to 128 of a device; one more is not,
/// unless authority names it.
#[test]
fn a_feed_beyond_a_hundred_and_twenty_eight_is_taken_if_authority_names_it_alone() {
    let mut replica = replica();
    let record = RecordId([1; 16]);
    let run = |number: u64| {
        placed(&name(number), &[], draft(record, 0, vec![]), certified(&WORLD).1.secret())
    };
    let offers =
        |replica: &mut Memory, number: u64| offer(replica, &name(number), run(number).packed());
    for number in 1..=INCARNATIONS_MAX {
        assert_eq!(offers(&mut replica, number), Offered::Staged(1));
    }
    let limit = Offered::Rejected(RejectReason::Limit);
    assert_eq!(offers(&mut replica, INCARNATIONS_MAX + 1), limit, "nothing rests on it yet");
    let id = |number: u64| run(number).head().point.id;
    let seen = (INCARNATIONS_MAX + 1..=INCARNATIONS_RESTED_MAX).map(id).collect();
    let first = rests_on(&mut replica, &[], record, seen);
    let (one_more, named) = (INCARNATIONS_RESTED_MAX + 1, INCARNATIONS_RESTED_MAX + 2);
    rests_on(&mut replica, first.entries(), record, vec![id(one_more), id(named)]);
    for number in INCARNATIONS_MAX + 1..=INCARNATIONS_RESTED_MAX {
        assert_eq!(offers(&mut replica, number), Offered::Staged(1), "feed {number}");
    }
    assert_eq!(offers(&mut replica, one_more), limit);
    let ranges = vec![(name(named).id(), 1, run(named).head().point)];
    declare(&mut replica, &[Payload::Adoption(Adoption { ranges })]);
    assert_eq!(offers(&mut replica, one_more), limit);
    assert_eq!(offers(&mut replica, named), Offered::Staged(1));
    for number in (1..=INCARNATIONS_RESTED_MAX).chain([named]) {
        assert_eq!(offers(&mut replica, number), Offered::Duplicate, "feed {number}");
    }
}

/// Of an active device an adoption names one feed more than is taken: whether that came first or last,
/// the others are sixty-four.
#[test]
fn a_feed_that_an_adoption_names_takes_no_place_of_another() {
    let run = |number: u64| write(&name(number), &[], &number.to_be_bytes());
    let named = INCARNATIONS_MAX + 1;
    let range = (name(named).id(), 1, run(named).head().point);
    let adoption = Payload::Adoption(Adoption { ranges: vec![range] });
    let others: Vec<u64> = (1..=INCARNATIONS_MAX).collect();
    let roots = [[&[named][..], &others].concat(), [&others, &[named][..]].concat()].map(|order| {
        let mut replica = replica();
        declare(&mut replica, std::slice::from_ref(&adoption));
        for number in order {
            let outcome = offer(&mut replica, &name(number), run(number).packed());
            assert_eq!(outcome, Offered::Staged(1), "feed {number}");
        }
        let one_more = offer(&mut replica, &name(named + 1), run(named + 1).packed());
        assert_eq!(one_more, Offered::Rejected(RejectReason::Limit));
        root(&replica)
    });
    assert_eq!(roots.first(), roots.last());
}
