//! Whole nodes in virtual time: after every heal all hold the same, nothing that was saved is gone,
//! and a planted mistake is found.

use tests::sim::{Config, Plant, Tally, play, scene};

/// Seeds of the short form; `--bin sim` plays any number more, of any size.
const SEEDS: u64 = 20;
/// Seeds within which a planted mistake must be found.
const FOUND_WITHIN: u64 = 200;
/// What must happen in some of the seeds.
const EVENTS: &[&str] = &[
    "backup made",
    "bundle imported twice",
    "card cloned",
    "clock jumped",
    "comparison equal",
    "confirmed",
    "disk full",
    "heal",
    "hostile member",
    "late joiner, certified",
    "late joiner, invited",
    "line down for hours",
    "link cut",
    "neighbours met on a LAN",
    "packet lost",
    "power cut",
    "power cut at a write",
    "program ended and started",
    "stick carried",
    "window of a weak line",
];

#[test]
fn whole_nodes_agree_after_every_heal() {
    let mut tally = Tally::new();
    for seed in 1..=SEEDS {
        let outcome = play(&Config::small(seed));
        assert_eq!(outcome.broken, None);
        for (what, times) in outcome.tally {
            *tally.entry(what).or_default() += times;
        }
    }
    let missing: Vec<_> = EVENTS.iter().filter(|event| !tally.contains_key(**event)).collect();
    assert!(missing.is_empty(), "never happened: {missing:?}");
}

#[test]
fn the_same_seed_plays_the_same_history() {
    let play = || play(&Config { days: 1, ..Config::small(7) }).tally;
    assert_eq!(play(), play());
}

#[test]
fn a_mistake_planted_in_every_node_is_found() {
    for plant in Plant::ALL {
        let found = |seed: &u64| play(&Config::planted(*seed, plant)).broken.is_some();
        assert!((1..=FOUND_WITHIN).any(|seed| found(&seed)), "{plant:?} went unnoticed");
    }
}

#[test]
fn scenario_1_a_village_on_sticks() {
    scene::a_village_on_sticks(1).unwrap();
}

#[test]
fn scenario_5_a_village_moves() {
    scene::a_village_moves(1).unwrap();
}

#[test]
fn scenario_6_a_status_two_people_changed() {
    scene::a_status_two_people_changed(1).unwrap();
}

#[test]
fn scenario_7_a_week_without_servers() {
    scene::a_week_without_servers(1).unwrap();
}
