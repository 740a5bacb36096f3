//! Random histories of whole replicas: whatever the order, the loss and the verdicts, all see the
//! same; and a fault planted in one of them is found.
#![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

mod town;

use crdt_schema::fold::Fault;
use crdt_schema::testing::check_history;
use tests::histories::{EVENTS, Lie, Tally, check, check_authority, check_growth};

/// Histories of whole replicas, over the four quarters; `--bin histories` plays any number more.
const HISTORIES: u64 = 1_000;
/// Parts that run beside each other.
const PARTS: u64 = 4;
/// Histories of authority alone.
const AUTHORITY: u64 = 300;
/// Histories of one record at the level of the fold.
const FOLDS: u64 = 1_000;
/// Histories within which a planted fault must be found.
const FOUND_WITHIN: u64 = 400;

fn part(number: u64) -> Tally {
    let mut tally = Tally::new();
    for seed in (0..HISTORIES).filter(|seed| seed % PARTS == number) {
        for (what, count) in check(seed, Lie::None).unwrap() {
            *tally.entry(what).or_default() += count;
        }
    }
    tally
}

#[test]
fn all_replicas_see_the_same_first_quarter() {
    let tally = part(0);
    let missing: Vec<_> = EVENTS.iter().filter(|event| !tally.contains_key(**event)).collect();
    assert!(missing.is_empty(), "never happened: {missing:?}");
}

#[test]
fn all_replicas_see_the_same_second_quarter() {
    part(1);
}

#[test]
fn all_replicas_see_the_same_third_quarter() {
    part(2);
}

#[test]
fn all_replicas_see_the_same_fourth_quarter() {
    part(3);
}

#[test]
fn every_planted_fault_is_found() {
    for lie in Lie::ALL {
        let found = (0..FOUND_WITHIN).find(|seed| check(*seed, lie).is_err());
        assert!(found.is_some(), "{lie:?} went unnoticed");
    }
}

#[test]
fn the_fold_is_what_automerge_makes_of_the_same_edits() {
    (10_000..10_000 + FOLDS).try_for_each(|seed| check_history(seed, Fault::None)).unwrap();
}

#[test]
fn words_of_authority_mean_the_same_in_any_order_and_after_a_start() {
    for seed in 0..AUTHORITY {
        check_authority(seed).unwrap();
    }
}

#[test]
fn what_was_adopted_before_it_arrived_counts_once_it_has() {
    (0..20).try_for_each(check_growth).unwrap();
}

/// Histories that once failed, each with what was wrong then.
#[test]
fn histories_that_failed_once_hold() {
    let once = [
        (7, "an edit that does not count had a say in the time of its row"),
        (0, "a device that counts at once was taken by nobody but issuers"),
        (46, "an edit kept the verdict it was staged with when authority came in the same batch"),
        (276, "a branch beside the one that ends was counted because it is shorter"),
        (4, "a branch that was only staged did not stand on what its parent had stored"),
        (381, "a device revoked by one who was revoked never learned it"),
        (365, "an adopted range ended at the fork it reaches below"),
        (25_179, "an edit rested on one of a device ended before the entry that introduces it"),
        (34_313, "what was adopted on a branch went without the way to it"),
    ];
    for (seed, what) in once {
        check(seed, Lie::None).map_err(|error| format!("{what}: {error}")).unwrap();
    }
}
