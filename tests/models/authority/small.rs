//! Every history of a few deeds, and many longer ones.

use crdt_schema::testing::Numbers;
use node::authority::{Authority, Standing};

use super::cast::{FEEDS, World};
use super::deeds::DEEDS;
use super::naive::Naive;

/// Deeds of the histories that are all tried; `WKSBM_DEEDS=3` takes minutes, 4 hours.
const DEEDS_ALL: usize = 2;
/// Deeds of the longest history, and how many longer ones are drawn; `WKSBM_HISTORIES` for more.
const DEEDS_MAX: usize = 7;
const HISTORIES: usize = 1_500;

fn asked(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Calls `see` with every history of up to [`DEEDS_ALL`] deeds and with longer ones, and what was
/// done.
fn each(see: &mut dyn FnMut(&World, &[&str])) {
    let all = asked("WKSBM_DEEDS", DEEDS_ALL);
    each_after(&World::new(), &mut Vec::new(), all, see);
    let mut numbers = Numbers::new(2026);
    for _ in 0..asked("WKSBM_HISTORIES", HISTORIES) {
        let (mut world, mut done) = (World::new(), Vec::new());
        for _ in 0..all + 1 + numbers.below(DEEDS_MAX - all) {
            let (name, deed) = DEEDS.get(numbers.below(DEEDS.len())).unwrap();
            deed(&mut world);
            done.push(*name);
        }
        see(&world, &done);
    }
}

fn each_after(
    world: &World,
    done: &mut Vec<&'static str>,
    left: usize,
    see: &mut dyn FnMut(&World, &[&str]),
) {
    see(world, done);
    if left == 0 {
        return;
    }
    for (name, deed) in DEEDS {
        let mut next = world.clone();
        deed(&mut next);
        done.push(name);
        each_after(&next, done, left - 1, see);
        done.pop();
    }
}

fn standings(authority: &Authority) -> Vec<Standing> {
    FEEDS.iter().map(|name| authority.standing(name)).collect()
}

#[test]
fn every_history_stands_as_the_rules_say() {
    let mut seen = 0;
    each(&mut |world, done| {
        let (authority, naive) = (world.authority(), Naive::of(world));
        for name in FEEDS.iter() {
            let (here, there) = (authority.standing(name), naive.standing(name));
            assert_eq!(here, there, "{name:?} after {done:?}");
            let (here, there) = (authority.adopted(name), naive.adopted(name));
            assert_eq!(here, there, "adopted of {name:?} after {done:?}");
        }
        seen += 1;
    });
    assert!(seen > DEEDS.len().pow(2), "{seen} histories");
}

#[test]
fn the_order_of_arrival_matters_in_no_history() {
    each(&mut |world, done| {
        let authority = world.authority();
        let expected = standings(&authority);
        let mut other = world.clone();
        for turn in 0..3 {
            match turn {
                0 => other.entries.reverse(),
                1 => other.entries.rotate_left(3),
                _ => other.entries.sort_by_key(|entry| entry.point.id),
            }
            let again = other.authority();
            assert!(again.members().eq(authority.members()), "{done:?}");
            for name in FEEDS.iter() {
                assert_eq!(again.adopted(name), authority.adopted(name), "{name:?} {done:?}");
            }
            assert_eq!(standings(&again), expected, "{done:?}");
        }
    });
}

/// What has no say changes nothing, and nobody changes how those stand who are beside or above.
#[test]
fn nobody_changes_what_stands_beside_or_above_in_any_history() {
    each(&mut |world, done| {
        let (mut without, naive) = (world.clone(), Naive::of(world));
        let last = without.entries.pop().unwrap();
        let (before, now) = (without.authority(), world.authority());
        let author = last.feed.device;
        let (level, is_heard) = (naive.level(author), naive.is_heard(&last));
        for name in FEEDS.iter().filter(|name| name.device != author || !is_heard) {
            let beside_or_above = match (naive.level(name.device), level) {
                (Some(theirs), Some(level)) => theirs <= level,
                _ => false,
            };
            if beside_or_above || !is_heard {
                assert_eq!(before.standing(name), now.standing(name), "{name:?} {done:?}");
                assert_eq!(before.adopted(name), now.adopted(name), "{name:?} {done:?}");
            }
        }
    });
}
