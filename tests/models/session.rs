//! Sessions against counters: two replicas get parts of the same feeds, meet, and are cut off in the
//! middle. A meeting that ends gives both the most either held; one that is cut takes nothing away
//! and brings nothing that nobody held; of equals it is one round.

use std::sync::LazyLock;

use crdt_schema::area::AreaId;
use crdt_schema::time::Timestamp;
use node::replica::Source;
use node::sync::driver::Pair;
use node::sync::{Phase, Stream};
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use tests::replicas::{self, Memory, meet};
use tests::world::{Feed, World, Writer, feed_of_saves};

/// Feeds of two writers in each of two villages; each has more entries than lie between checkpoints.
const FEEDS: usize = 4;
const ENTRIES: usize = 80;

static WORLD: LazyLock<World> = LazyLock::new(|| World::new(2, 2));
static FEED: LazyLock<Vec<Feed>> = LazyLock::new(|| {
    let of = |(area, writers): &(AreaId, Vec<Writer>)| {
        let feeds = writers.iter().map(|writer| feed_of_saves(writer, *area, ENTRIES / 2, 2));
        feeds.collect::<Vec<_>>()
    };
    WORLD.villages.iter().flat_map(of).collect()
});

/// Of each feed, how many entries a side holds: at least and at most.
type Bounds = [(usize, usize); FEEDS];

#[derive(Debug, Clone, Default)]
struct Counters {
    sides: [Bounds; 2],
    /// Whether both hold the same for certain.
    equal: bool,
}

impl Counters {
    /// The most that anybody holds, which no meeting changes.
    fn most(&self, feed: usize) -> usize {
        self.sides.iter().filter_map(|side| side.get(feed)).map(|(least, _)| *least).max().unwrap()
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// A side gets a feed up to an entry.
    Give { side: usize, feed: usize, upto: usize },
    /// They meet; perhaps only so many frames arrive, perhaps one stream overtakes the other.
    Meet { from: usize, frames: Option<u64>, first: Option<Stream> },
}

struct Model;

impl ReferenceStateMachine for Model {
    type State = Counters;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Counters> {
        Just(Counters { equal: true, ..Counters::default() }).boxed()
    }

    fn transitions(_: &Counters) -> BoxedStrategy<Step> {
        let first = prop_oneof![
            2 => Just(None),
            1 => Just(Some(Stream::Control)),
            1 => Just(Some(Stream::Bulk)),
        ];
        let frames = prop_oneof![2 => Just(None), 1 => (0_u64..30).prop_map(Some)];
        prop_oneof![
            3 => (0_usize..2, 0..FEEDS, 1..=ENTRIES)
                .prop_map(|(side, feed, upto)| Step::Give { side, feed, upto }),
            2 => (0_usize..2, frames, first)
                .prop_map(|(from, frames, first)| Step::Meet { from, frames, first }),
        ]
        .boxed()
    }

    fn apply(mut counters: Counters, step: &Step) -> Counters {
        match step {
            Step::Give { side, feed, upto } => {
                let held = counters.sides.get_mut(*side).and_then(|side| side.get_mut(*feed));
                let (least, most) = held.unwrap();
                counters.equal &= *least >= *upto;
                (*least, *most) = ((*least).max(*upto), (*most).max(*upto));
            }
            Step::Meet { frames, .. } => {
                for feed in 0..FEEDS {
                    let all = counters.most(feed);
                    for (least, most) in counters.sides.iter_mut().filter_map(|it| it.get_mut(feed))
                    {
                        *most = all;
                        *least = if frames.is_none() { all } else { *least };
                    }
                }
                counters.equal |= frames.is_none();
            }
        }
        counters
    }
}

fn replica(me: &Writer, instance: u8) -> Memory {
    let mut replica = replicas::replica(&WORLD, me, instance);
    for feed in &WORLD.authority {
        take(&mut replica, feed, feed.1.len());
    }
    replica
}

fn take(replica: &mut Memory, (name, runs): &Feed, count: usize) {
    for run in runs.iter().take(count) {
        replica.offer(name, run).unwrap();
    }
    replica.commit(None, &Source::Here, Timestamp(0)).unwrap();
}

fn held(replica: &Memory, feed: usize) -> usize {
    let name = FEED.get(feed).unwrap().0;
    let heads = replica.feed(name.id());
    let head = heads.and_then(|heads| heads.branches.first()).map_or(0, |it| it.head.point.seq);
    usize::try_from(head).unwrap()
}

struct Met;

impl StateMachineTest for Met {
    /// Both sides, and whether they held the same before the step of now.
    type SystemUnderTest = (Memory, Memory, bool);
    type Reference = Model;

    fn init_test(_: &Counters) -> Self::SystemUnderTest {
        (replica(&WORLD.province, 1), replica(&WORLD.other, 2), true)
    }

    fn apply(
        (mut one, mut two, were_equal): Self::SystemUnderTest,
        counters: &Counters,
        step: Step,
    ) -> Self::SystemUnderTest {
        match step {
            Step::Give { side, feed, upto } => {
                let side = if side == 0 { &mut one } else { &mut two };
                take(side, FEED.get(feed).unwrap(), upto);
            }
            Step::Meet { from, frames, first } => {
                let (a, b) = if from == 0 { (&mut one, &mut two) } else { (&mut two, &mut one) };
                let mut pair = Pair::new(a.me(), b.me());
                if let Some(frames) = frames {
                    pair = pair.cut_after(frames);
                }
                if let Some(first) = first {
                    pair = pair.overtaken_by(first);
                }
                let cost = meet(&mut pair, a, b);
                if frames.is_none() {
                    let equal = Phase::Live { equal: true };
                    assert_eq!(pair.phases(), (equal, equal));
                    let roots = [a, b].map(|it| {
                        let summary = it.summary();
                        let area = AreaId::WEST_JAVA;
                        (summary.root(area), summary.authority_root(area))
                    });
                    assert_eq!(roots[0], roots[1]);
                    assert!(!were_equal || (cost.rounds == 1 && cost.bytes() < 200), "{cost:?}");
                }
            }
        }
        (one, two, counters.equal)
    }

    fn check_invariants((one, two, _): &Self::SystemUnderTest, counters: &Counters) {
        for (replica, bounds) in [one, two].into_iter().zip(&counters.sides) {
            for (feed, (least, most)) in bounds.iter().enumerate() {
                let held = held(replica, feed);
                assert!((*least..=*most).contains(&held), "feed {feed}: {held} of {bounds:?}");
            }
        }
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn a_meeting_gives_both_what_either_held_and_a_cut_one_takes_nothing(sequential 1..14 => Met);
}
