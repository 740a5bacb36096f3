//! A village's disk that fills up: what is still taken in, and in which order that ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crdt_schema::id::StoreInstance;
use crdt_schema::time::Timestamp;
use node::replica::{
    AUTHORITY_ENDS_BYTES, CARRYING_ENDS_BYTES, Offered, RejectReason, Source, TAKING_IN_ENDS_BYTES,
};
use node::store::memory::{MemoryFeedStore, MemoryViewStore};
use node::sync::Phase;
use node::sync::driver::Pair;
use tests::replicas::{self, Memory, replica_over};
use tests::world::{Feed, World, Writer, feed};

const NO_ROOM: Offered = Offered::Rejected(RejectReason::NoRoom);
const RECORDS: usize = 5;

/// A replica on a disk of its own, and the number that says what is left of it.
fn replica(world: &World, me: &Writer) -> (Memory, Arc<AtomicU64>) {
    let free = Arc::new(AtomicU64::new(u64::MAX));
    let instance = StoreInstance(*me.device().0.first_chunk().unwrap());
    let feeds = MemoryFeedStore::new(instance).on_disk(free.clone());
    (replica_over(feeds, MemoryViewStore::default(), world, me), free)
}

/// Offers a whole feed and commits; what became of its runs, which is the same for all.
fn offered(replica: &mut Memory, (name, runs): &Feed) -> Offered {
    let became: Vec<Offered> =
        runs.iter().map(|run| replica.offer(name, run).unwrap().outcome).collect();
    replica.commit(None, &Source::Here, Timestamp(0)).unwrap();
    let kind =
        |it: &Offered| if matches!(it, Offered::Staged(_)) { Offered::Staged(0) } else { *it };
    let first = kind(became.first().unwrap());
    assert!(became.iter().all(|it| kind(it) == first), "{became:?}");
    first
}

/// Two villages of one kecamatan with two devices each: the first device of the first is this one.
struct Villages {
    world: World,
    /// Of a neighbour in the same village.
    near: Feed,
    /// Of the village beside, which is only carried.
    beside: Feed,
    /// This device's own, from another copy.
    own: Feed,
}

impl Villages {
    fn new() -> Self {
        let world = World::new(2, 2);
        let of = |village: usize, device: usize| {
            let (area, writers) = world.villages.get(village).unwrap();
            feed(writers.get(device).unwrap(), *area, RECORDS, 2)
        };
        let (own, near, beside) = (of(0, 0), of(0, 1), of(1, 0));
        Self { world, near, beside, own }
    }

    fn me(&self) -> &Writer {
        self.world.villages.first().unwrap().1.first().unwrap()
    }

    fn taught(&self) -> (Memory, Arc<AtomicU64>) {
        let (mut replica, free) = replica(&self.world, self.me());
        for authority in &self.world.authority {
            assert_eq!(offered(&mut replica, authority), Offered::Staged(0));
        }
        (replica, free)
    }
}

#[test]
fn carrying_for_others_ends_first_then_everything_from_outside() {
    let villages = Villages::new();
    let (mut replica, free) = villages.taught();
    free.store(TAKING_IN_ENDS_BYTES - 1, Ordering::Relaxed);
    assert_eq!(offered(&mut replica, &villages.near), NO_ROOM);
    assert_eq!(offered(&mut replica, &villages.beside), NO_ROOM);
    free.store(CARRYING_ENDS_BYTES - 1, Ordering::Relaxed);
    assert_eq!(offered(&mut replica, &villages.beside), NO_ROOM);
    assert_eq!(offered(&mut replica, &villages.near), Offered::Staged(0));
    free.store(CARRYING_ENDS_BYTES, Ordering::Relaxed);
    assert_eq!(offered(&mut replica, &villages.beside), Offered::Staged(0));
}

#[test]
fn who_belongs_here_is_taken_until_half_of_what_is_for_own_saves_is_left() {
    let villages = Villages::new();
    for (left, taken) in
        [(AUTHORITY_ENDS_BYTES, Offered::Staged(0)), (AUTHORITY_ENDS_BYTES - 1, NO_ROOM)]
    {
        let (mut replica, free) = replica(&villages.world, villages.me());
        free.store(left, Ordering::Relaxed);
        let ruling = villages.world.authority.first().unwrap();
        assert_eq!(offered(&mut replica, ruling), taken);
    }
}

#[test]
fn what_this_device_wrote_is_taken_on_any_disk() {
    let villages = Villages::new();
    let (mut replica, free) = villages.taught();
    free.store(0, Ordering::Relaxed);
    assert_eq!(offered(&mut replica, &villages.own), Offered::Staged(0));
}

#[test]
fn what_is_held_takes_no_room_and_is_not_refused() {
    let villages = Villages::new();
    let (mut replica, free) = villages.taught();
    assert_eq!(offered(&mut replica, &villages.near), Offered::Staged(0));
    free.store(0, Ordering::Relaxed);
    assert_eq!(offered(&mut replica, &villages.near), Offered::Duplicate);
}

#[test]
fn the_disk_is_asked_once_for_each_batch() {
    let villages = Villages::new();
    let (mut replica, free) = villages.taught();
    let first = |replica: &mut Memory, (name, runs): &Feed| {
        replica.offer(name, runs.first().unwrap()).unwrap().outcome
    };
    // One run is refused, and so is whatever follows until the batch ends.
    free.store(0, Ordering::Relaxed);
    assert_eq!(first(&mut replica, &villages.near), NO_ROOM);
    free.store(u64::MAX, Ordering::Relaxed);
    assert_eq!(first(&mut replica, &villages.beside), NO_ROOM);
    replica.abandon();
    assert!(matches!(first(&mut replica, &villages.beside), Offered::Staged(_)));
}

#[test]
fn a_session_with_a_full_node_ends_unequal_and_the_next_one_brings_the_rest() {
    let villages = Villages::new();
    let (mut full, free) = villages.taught();
    let (mut hub, _) = replica(&villages.world, &villages.world.province);
    for feed in villages.world.authority.iter().chain([&villages.near, &villages.beside]) {
        assert_eq!(offered(&mut hub, feed), Offered::Staged(0));
    }
    let held = full.entries_held();
    free.store(0, Ordering::Relaxed);
    let (equal, unequal) = (Phase::Live { equal: true }, Phase::Live { equal: false });
    // Each is offered once: a village pays for every byte that it cannot keep.
    assert_eq!(meet(&mut full, &mut hub), ((unequal, unequal), 2));
    assert_eq!(full.entries_held(), held);
    free.store(CARRYING_ENDS_BYTES - 1, Ordering::Relaxed);
    assert_eq!(meet(&mut full, &mut hub), ((unequal, unequal), 2));
    assert_eq!(full.entries_held(), held + 2 * RECORDS as u64, "what is for here came");
    free.store(u64::MAX, Ordering::Relaxed);
    assert_eq!(meet(&mut full, &mut hub), ((equal, equal), 1));
    assert_eq!(full.entries_held(), held + 4 * RECORDS as u64);
}

/// A session; where both sides are then, and how many runs travelled.
fn meet(one: &mut Memory, two: &mut Memory) -> ((Phase, Phase), u64) {
    let mut pair = Pair::new(one.me(), two.me());
    let cost = replicas::meet(&mut pair, one, two);
    (pair.phases(), cost.runs)
}
