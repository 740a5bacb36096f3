//! A feed that cannot be read at the moment it has to be judged: nothing of it counts, nothing that is
//! durable goes lost over it, and what a node shows is what its root says, or is not shown.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use crdt_schema::area::AreaId;
use crdt_schema::authority::{Closing, FeedEnd, Payload};
use crdt_schema::entry::{ChainPoint, PackedRun, Run};
use crdt_schema::id::{FeedId, FeedName, Space, StoreInstance};
use crdt_schema::record::Schema;
use crdt_schema::time::Timestamp;
use node::ports::{FeedStore as _, RecordKey, RecordVerdict, StoreError};
use node::progress::{Progress, Unwatched};
use node::replica::{Offered, Opening, Replica, Source};
use node::store::memory::{MemoryFeedStore, MemoryViewStore};
use tests::replicas::replica_over;
use tests::world::{self, KIND, World, record_id};

use super::caps::Nowhere;
use super::watched::{Watch, Watched};

type Node = Replica<Watched<Rc<Rot>>, MemoryViewStore>;

/// What cannot be read just now.
#[derive(Debug, Default)]
struct Rot {
    /// Of this feed everything but its heads.
    feed: Cell<Option<FeedId>>,
    values: Cell<bool>,
}

fn rotten() -> StoreError {
    StoreError::Damaged { what: "a block of entries".to_owned() }
}

impl Watch for Rc<Rot> {
    fn reads(&self, feed: FeedId) -> Result<(), StoreError> {
        if self.feed.get() == Some(feed) { Err(rotten()) } else { Ok(()) }
    }

    fn reads_values(&self) -> Result<(), StoreError> {
        if self.values.get() { Err(rotten()) } else { Ok(()) }
    }
}

/// A village with two devices, each with four saves of records of their own, and the province, which
/// holds three of the first device's.
struct Scene {
    world: World,
    rot: Rc<Rot>,
    node: Node,
    closed: (FeedName, Vec<PackedRun>),
    other: (FeedName, Vec<PackedRun>),
}

/// What the closing leaves of the three.
const LEFT: u64 = 2;

impl Scene {
    fn new() -> Self {
        let world = World::new(1, 2);
        let (area, writers) = world.villages.first().unwrap();
        let [closed, other] =
            [0, 1].map(|at| world::feed_of_saves(writers.get(at).unwrap(), *area, 4, 1));
        let rot = Rc::new(Rot::default());
        let held = MemoryFeedStore::new(StoreInstance([1; 16]));
        let store = Watched { held, watch: rot.clone() };
        let node = replica_over(store, MemoryViewStore::default(), &world, &world.province);
        let mut scene = Self { world, rot, node, closed, other };
        for (name, runs) in scene.world.authority.clone() {
            scene.stage(&name, &runs);
        }
        scene.commit().unwrap();
        let (name, runs) = scene.closed.clone();
        scene.stage(&name, runs.get(..3).unwrap());
        scene.commit().unwrap();
        assert_eq!(scene.heads(), [3]);
        scene
    }

    fn stage(&mut self, name: &FeedName, runs: &[PackedRun]) {
        for run in runs {
            let outcome = self.node.offer(name, run).unwrap().outcome;
            assert!(matches!(outcome, Offered::Staged(_)), "{outcome:?}");
        }
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.node.commit(None, &Source::Here, Timestamp(0)).map(drop)
    }

    /// The province closes the first device, and leaves so many entries of it.
    fn stage_closing(&mut self, left: u64) {
        let name = self.closed.0;
        let last = self.node.feed_store().held.point(name.id(), 0, left).unwrap().unwrap();
        let ends = if left == 0 { vec![] } else { vec![FeedEnd { feed: name.id(), last }] };
        let payload = Payload::Closing(Closing { device: name.device, ends });
        let device = self.world.province.device();
        let said = FeedName { device, space: Space::Authority, incarnation: 2, ..name };
        let entry = world::declaring(&payload).place(said.id(), ChainPoint::START).unwrap();
        let secret = self.world.province.secret();
        let run = Run::author(ChainPoint::START, vec![entry], &Nowhere, secret).unwrap();
        self.stage(&said, &[run.packed().clone()]);
    }

    /// The other device's save with this number is staged.
    fn stage_other(&mut self, number: usize) {
        let (name, runs) = self.other.clone();
        self.stage(&name, runs.get(number..=number).unwrap());
    }

    fn rots(&self, is_rotten: bool) {
        self.rot.feed.set(is_rotten.then(|| self.closed.0.id()));
    }

    fn area(&self) -> AreaId {
        self.closed.0.area
    }

    /// How the record of a save stands; `None` where there is none.
    fn verdict(&self, name: &FeedName, number: usize) -> Option<RecordVerdict> {
        let record = record_id(name.id(), number);
        let key = RecordKey { area: self.area(), kind: KIND, record };
        self.node.record(&key).unwrap().map(|held| held.verdict)
    }

    /// Where the closed feed's heads in the root are.
    fn heads(&self) -> Vec<u64> {
        let heads = self.node.summary().feed(&self.closed.0.id());
        heads.map_or_else(Vec::new, |it| it.heads.iter().map(|head| head.seq).collect())
    }

    /// Everything of the other device that came is shown, of the closed one what was left, and the
    /// views are what the entries say.
    fn is_whole(&self, of_other: usize, left: u64) {
        for number in 0..of_other {
            let verdict = self.verdict(&self.other.0, number);
            assert_eq!(verdict, Some(RecordVerdict::Counting), "save {number}");
        }
        for number in 0..3 {
            let counts = (number as u64) < left;
            let verdict = if counts { RecordVerdict::Counting } else { RecordVerdict::Quarantined };
            assert_eq!(self.verdict(&self.closed.0, number), Some(verdict), "save {number}");
        }
        assert!(self.node.views_agree(&mut Unwatched).unwrap());
    }
}

#[test]
fn what_came_with_the_closing_of_a_feed_that_cannot_be_read_is_shown_once_it_can() {
    for left in [LEFT, 0] {
        let mut scene = Scene::new();
        scene.rots(true);
        scene.stage_closing(left);
        scene.stage_other(0);
        scene.commit().unwrap();
        assert!(scene.heads().is_empty(), "nothing of it is in the root");
        let root = scene.node.summary().root(scene.area());
        assert!(scene.node.totals().is_err(), "no values are shown for that root");
        assert!(scene.node.is_ill());
        scene.node.mend();
        assert!(scene.node.totals().is_err(), "as long as it cannot be read");
        assert_eq!(scene.node.summary().root(scene.area()), root);

        scene.rots(false);
        scene.stage_other(1);
        scene.commit().unwrap();
        scene.node.mend();
        let expected: &[u64] = if left == 0 { &[] } else { &[LEFT] };
        assert_eq!(scene.heads(), expected);
        scene.is_whole(2, left);
    }
}

#[test]
fn a_store_with_a_closed_feed_that_cannot_be_read_opens_and_counts_nothing_of_it() {
    let mut scene = Scene::new();
    scene.stage_closing(LEFT);
    scene.stage_other(0);
    scene.commit().unwrap();
    scene.is_whole(1, LEFT);
    scene.rots(true);
    let opening = Opening {
        statement: scene.world.statement.clone(),
        schema: Arc::new(Schema::standard().clone()),
        me: scene.world.province.device(),
        incarnation: 1,
        next_incarnation: 2,
    };
    let store = scene.node.feed_store().clone();
    scene.node = Replica::open(store, MemoryViewStore::default(), opening).unwrap();
    assert!(scene.heads().is_empty());
    let other = scene.node.summary().feed(&scene.other.0.id()).unwrap();
    assert_eq!(other.heads.len(), 1, "the others are judged all the same");
    assert!(scene.node.totals().is_err());
    // It is held, and handed on as far as it may count: whoever reads it on the way names what rotted.
    let held = scene.node.feed(scene.closed.0.id()).unwrap();
    assert_eq!(scene.node.held_in_common(held).unwrap(), [(0, LEFT)]);

    scene.rots(false);
    scene.node.mend();
    assert_eq!(scene.heads(), [LEFT]);
    scene.is_whole(1, LEFT);
}

#[test]
fn a_run_behind_the_end_of_a_feed_that_cannot_be_read_is_taken_and_does_not_count() {
    let mut scene = Scene::new();
    scene.stage_closing(LEFT);
    scene.commit().unwrap();
    scene.rots(true);
    let (name, runs) = scene.closed.clone();
    scene.stage(&name, runs.get(3..).unwrap());
    scene.stage_other(0);
    scene.commit().unwrap();
    assert!(scene.heads().is_empty());
    scene.rots(false);
    scene.node.mend();
    assert_eq!(scene.heads(), [LEFT]);
    scene.is_whole(1, LEFT);
    assert_eq!(scene.verdict(&name, 3), Some(RecordVerdict::Quarantined));
}

#[test]
fn a_batch_that_fails_before_it_is_durable_is_taken_when_it_comes_again() {
    let mut scene = Scene::new();
    scene.stage_other(0);
    scene.rot.values.set(true);
    assert!(scene.commit().is_err());
    scene.rot.values.set(false);
    scene.stage_other(0);
    scene.commit().unwrap();
    scene.node.mend();
    scene.is_whole(1, 3);
}

/// Stops what it watches at once.
struct Stops;

impl Progress for Stops {
    fn at(&mut self, _: u64, _: u64) -> bool {
        false
    }
}

#[test]
fn views_that_were_made_anew_to_a_part_are_completed_before_they_are_shown() {
    let mut scene = Scene::new();
    let writers = &scene.world.villages.first().unwrap().1;
    let many = world::feed_of_saves(writers.get(1).unwrap(), scene.area(), 600, 1);
    scene.stage(&many.0, many.1.get(..599).unwrap());
    scene.commit().unwrap();
    assert!(scene.node.rebuild_views(&mut Stops).unwrap().stopped);
    assert!(scene.node.totals().is_err(), "a part is no register");
    scene.stage(&many.0, many.1.get(599..).unwrap());
    scene.commit().unwrap();
    scene.node.mend();
    assert_eq!(scene.node.totals().unwrap().records, 603);
    scene.is_whole(4, 3);
}
