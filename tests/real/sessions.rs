//! The session between real stores: two offices that could have met over a wire.

use crdt_schema::time::Timestamp;
use node::replica::Source;
use node::sync::Phase;
use node::sync::driver::Pair;
use tests::replicas::{self, Memory, replica};
use tests::world::World;

fn meet(one: &mut Memory, two: &mut Memory) -> (node::sync::driver::Cost, (Phase, Phase)) {
    let mut pair = Pair::new(one.me(), two.me());
    let cost = replicas::meet(&mut pair, one, two);
    (cost, pair.phases())
}

#[test]
fn a_session_brings_authority_then_records_and_both_views_are_equal() {
    let world = World::new(6, 2);
    let (mut one, mut two) =
        (replica(&world, &world.province, 1), replica(&world, &world.other, 2));
    let feeds = world.feeds(20);
    let all = world.authority.iter().chain(&feeds);
    for (number, (name, runs)) in all.enumerate() {
        let side =
            if number % 2 == 0 || number < world.authority.len() { &mut one } else { &mut two };
        for run in runs {
            side.offer(name, run).unwrap();
        }
    }
    // Half of the feeds came to a store that does not know their devices yet: nothing was taken.
    one.commit(None, &Source::Here, Timestamp(0)).unwrap();
    two.commit(None, &Source::Here, Timestamp(0)).unwrap();
    assert_eq!(two.entries_held(), 0);
    let equal = (Phase::Live { equal: true }, Phase::Live { equal: true });
    assert_eq!(meet(&mut one, &mut two).1, equal);
    for (name, runs) in &feeds {
        for run in runs {
            two.offer(name, run).unwrap();
        }
    }
    two.commit(None, &Source::Here, Timestamp(0)).unwrap();
    assert_eq!(meet(&mut one, &mut two).1, equal);
    let (again, phases) = meet(&mut one, &mut two);
    assert_eq!((again.rounds, again.runs, phases), (1, 0, equal));
    assert_eq!(one.totals().unwrap(), two.totals().unwrap());
    assert_eq!(one.totals().unwrap().records, 6 * 2 * 20);
    let area = world.statement.statement().area;
    assert_eq!(one.summary().root(area), two.summary().root(area));
}
