//! Every history of a few deeds, and many longer ones.

use std::collections::BTreeSet;

use crdt_schema::area::AreaId;
use crdt_schema::authority::Rights;
use crdt_schema::entry::ChainPoint;
use crdt_schema::id::{FeedName, Space};
use crdt_schema::testing::Numbers;
use node::authority::{Authority, AuthorityEntry, Standing};

use super::cast::{
    AREAS, CIREBON, DISTRICT, FAR_VILLAGE, FEEDS, GUEST, JABAR, SAMBENG, VILLAGE, Who, World, area,
    device,
};
use super::deeds::DEEDS;
use super::naive::Naive;

/// Deeds of the histories that are all tried; `WKSBM_DEEDS=3` takes an hour or two, 4 days.
const DEEDS_ALL: usize = 2;
/// Deeds of the longest history, and how many longer ones are drawn; `WKSBM_HISTORIES` for more.
const DEEDS_MAX: usize = 7;
const HISTORIES: usize = 1_500;

/// Devices of which it is asked what they may do.
const ASKED: [Who; 3] = [DISTRICT, VILLAGE, GUEST];

/// Areas whose authority is taken alone.
const ROOTS: [&str; 4] = [SAMBENG, CIREBON, FAR_VILLAGE, JABAR];

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
    for (name, deed) in DEEDS.iter() {
        let mut next = world.clone();
        deed(&mut next);
        done.push(name);
        each_after(&next, done, left - 1, see);
        done.pop();
    }
}

pub(super) fn standings(authority: &Authority) -> Vec<Standing> {
    FEEDS.iter().map(|name| plain(authority.standing(name))).collect()
}

/// Who is not known at all, and who is known elsewhere, have nothing here.
fn plain(standing: Standing) -> Standing {
    if standing == Standing::Unknown { Standing::Outside } else { standing }
}

/// The authority of all that was written, which says of every feed what the rules say.
pub(super) fn told_alike(world: &World, done: &[&str]) -> (Authority, Naive) {
    let (authority, naive) = (world.authority(), Naive::of(world));
    for name in FEEDS.iter() {
        let (here, there) = (plain(authority.standing(name)), naive.standing(name));
        assert_eq!(here, there, "{name:?} after {done:?}");
        let (here, there) = (authority.adopted(name), naive.adopted(name));
        assert_eq!(here, there, "adopted of {name:?} after {done:?}");
    }
    (authority, naive)
}

/// What of a feed all count and hold alike, and whether the rest of it may be rested on. What waits, and
/// what is beyond its end, is for some.
fn counted(
    authority: &Authority,
    name: &FeedName,
) -> (Standing, bool, BTreeSet<(u64, ChainPoint)>) {
    let standing = plain(authority.standing(name));
    let nothing = Some(ChainPoint::START);
    if standing == Standing::Provisional {
        return (Standing::Outside, false, BTreeSet::new());
    }
    let bears = name.space == Space::Records && standing != Standing::Outside;
    let none = [Standing::CountsUntil(ChainPoint::START), Standing::OpenCounts(nothing)];
    let standing = if none.contains(&standing) { Standing::Outside } else { standing };
    (standing, bears, authority.adopted(name))
}

/// The entries that an area's authority root covers.
fn authority_of(world: &World, authority: &Authority, at: AreaId) -> World {
    let above = authority.tree().above(at);
    let covered = |area: AreaId| authority.tree().covers(at, area) || above.contains(&area);
    let mut of_area = world.clone();
    of_area.entries.retain(|entry| covered(entry.feed.area));
    of_area
}

/// Those that count, which is what travels: on the way to the end, or before its place while nobody holds
/// it (ADR 0028).
fn that_count(world: &World, authority: &Authority) -> World {
    let mut counting = world.clone();
    let counts = |entry: &AuthorityEntry| match authority.standing(&entry.feed) {
        Standing::Counts => true,
        Standing::CountsUntil(end) => {
            if !world.entries.iter().any(|it| it.point == end) {
                return entry.point.seq < end.seq;
            }
            let mut at = end;
            while at.seq > entry.point.seq {
                let held = world.entries.iter().find(|it| it.point == at);
                let Some(held) = held else { return false };
                at = ChainPoint { seq: at.seq - 1, id: held.prev };
            }
            at == entry.point
        }
        Standing::OpenCounts(_) | Standing::Provisional | Standing::Outside | Standing::Unknown => {
            false
        }
    };
    counting.entries.retain(counts);
    counting
}

#[test]
fn every_history_stands_as_the_rules_say() {
    let mut seen = 0;
    each(&mut |world, done| {
        let (authority, naive) = told_alike(world, done);
        // In turn: asking of all three at every history takes too long.
        let device = device(*ASKED.get(seen % ASKED.len()).unwrap());
        for at in AREAS.map(area) {
            for right in [Rights::WRITE, Rights::ISSUE] {
                let (here, there) =
                    (authority.may(&device, right, at), naive.may(device, right, at));
                assert_eq!(here, there, "{right:?} of {device:?} in {at:?} after {done:?}");
            }
            let here =
                [Space::Records, Space::Authority].map(|it| authority.may_serve(&device, it, at));
            let there = [naive.may_have_records(device, at), naive.may_have_authority(device, at)];
            assert_eq!(here, there, "what {device:?} gets of {at:?} after {done:?}");
        }
        seen += 1;
    });
    assert!(seen > DEEDS.len().pow(2), "{seen} histories");
}

#[test]
fn the_order_of_arrival_matters_in_no_history() {
    let mut seen = 0_u64;
    each(&mut |world, done| {
        let authority = world.authority();
        let expected = standings(&authority);
        let mut other = world.clone();
        seen += 1;
        // Of short histories one order that chance draws: there are thousands.
        let turns = if done.len() <= DEEDS_ALL { 3..4 } else { 0..4 };
        for turn in turns {
            match turn {
                0 => other.entries.reverse(),
                1 => other.entries.rotate_left(3),
                2 => other.entries.sort_by_key(|entry| entry.point.id),
                _ => Numbers::new(seen).shuffle(&mut other.entries),
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
        let is_heard = naive.is_heard(&last);
        let level = naive.level(author, last.feed.area);
        for name in FEEDS.iter().filter(|name| name.device != author || !is_heard) {
            let beside_or_above = match (naive.level(name.device, name.area), level) {
                (Some(theirs), Some(level)) => theirs <= level,
                _ => false,
            };
            if beside_or_above || !is_heard {
                let [once, here] = [&before, &now].map(|it| plain(it.standing(name)));
                assert_eq!(once, here, "{name:?} {done:?}");
                assert_eq!(before.adopted(name), now.adopted(name), "{name:?} {done:?}");
            }
        }
    });
}

/// Who holds the authority of an area knows how its feeds stand, whatever else it holds: equal
/// authority roots mean that the same counts (ADR 0026).
#[test]
fn authority_of_an_area_decides_how_its_feeds_stand_in_every_history() {
    let mut seen = 0;
    each(&mut |world, done| {
        let authority = world.authority();
        seen += 1;
        for (number, at) in ROOTS.map(area).into_iter().enumerate() {
            // In turn: all of them at every history take minutes.
            let is_turn = seen % ROOTS.len() == number;
            if !is_turn && (number > 0 || done.len() <= DEEDS_ALL) {
                continue;
            }
            let of_area = authority_of(world, &authority, at);
            let alone = of_area.authority();
            let naive = is_turn.then(|| Naive::of(&of_area));
            let travelled = that_count(&of_area, &authority).authority();
            for name in FEEDS.iter().filter(|name| authority.tree().covers(at, name.area)) {
                let known = plain(authority.standing(name));
                assert_eq!(known, plain(alone.standing(name)), "{name:?} in {at:?} {done:?}");
                let adopted = authority.adopted(name);
                assert_eq!(adopted, alone.adopted(name), "{name:?} in {at:?} {done:?}");
                if let Some(naive) = &naive {
                    let again = (naive.standing(name), naive.adopted(name));
                    assert_eq!((known, adopted), again, "{name:?} in {at:?} {done:?}");
                }
                let (all, some) = (counted(&authority, name), counted(&travelled, name));
                assert_eq!(all, some, "what travels of {name:?} in {at:?} {done:?}");
            }
        }
    });
}
