//! A whole province in one thread and virtual time: real nodes over lent stores, wires, sticks,
//! people and misfortune, all from one seed.
//!
//! `ground.rs` time and chance · `disk.rs` a disk that forgets · `shelf.rs` what a node's entries lie
//! on · `cast.rs` who takes part · `wire.rs` frames under way and the agenda · `town.rs` nodes on and
//! off, and what happens to them · `day.rs` what people do · `stick.rs` couriers · `card.rs` clones and
//! backups · `member.rs` who joins, leaves and moves · `plant.rs` planted mistakes · `scene.rs` scenes
//! a domain person asks for · `fault.rs` what
//! goes wrong · `hostile.rs` members that lie · `heal.rs` what must hold once all is mended.

mod card;
mod cast;
mod day;
mod disk;
mod fault;
mod ground;
mod heal;
mod hostile;
mod member;
mod plant;
pub mod scene;
mod shelf;
mod stick;
mod town;
mod wire;

use std::collections::BTreeMap;

use ground::DAY;
pub use plant::Plant;
use town::Town;
use wire::Due;

/// How often each thing happened.
pub type Tally = BTreeMap<&'static str, u64>;

/// What is simulated.
#[derive(Debug, Clone)]
pub struct Config {
    /// Everything random comes from it.
    pub seed: u64,
    /// Devices, hubs among them.
    pub nodes: usize,
    /// Virtual days.
    pub days: i64,
    /// Edits of a village on a working day.
    pub saves_per_day: usize,
    /// Of a hundred edits so many make a record.
    pub new_percent: usize,
    /// Of a hundred stores so many lie on a disk that forgets.
    pub disks_percent: usize,
    /// Of a hundred devices of villages so many lie.
    pub hostile_percent: usize,
    /// Whether anything goes wrong by itself.
    pub faults: bool,
    /// A mistake every node makes.
    pub plant: Option<Plant>,
    /// Whether the end of each day is told.
    pub tells: bool,
}

impl Config {
    /// A few villages that write much about few records.
    pub const fn small(seed: u64) -> Self {
        Self {
            seed,
            nodes: 8,
            days: 3,
            saves_per_day: 12,
            new_percent: 8,
            disks_percent: 25,
            hostile_percent: 8,
            faults: true,
            plant: None,
            tells: false,
        }
    }

    /// The same with a mistake in every node.
    pub const fn planted(seed: u64, plant: Plant) -> Self {
        Self { plant: Some(plant), saves_per_day: 40, ..Self::small(seed) }
    }
}

/// What came of a simulation.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// How often each thing happened.
    pub tally: Tally,
    /// The first thing that does not hold, with the seed.
    pub broken: Option<String>,
}

/// Plays one simulation.
pub fn play(config: &Config) -> Outcome {
    let named = |what| format!("seed {}: {what}", config.seed);
    match Town::new(config) {
        Ok(mut town) => {
            let broken = town.live().err().map(named);
            Outcome { tally: std::mem::take(&mut town.tally), broken }
        }
        Err(what) => Outcome { tally: Tally::new(), broken: Some(named(what)) },
    }
}

impl Town {
    fn live(&mut self) -> Result<(), String> {
        for site in 0..self.sites.len() {
            self.life.plan(0, Due::Morning { site });
        }
        self.choose_liars();
        self.plan_fault();
        self.plan_heal();
        for day in 1..=self.config.days {
            self.run(day * DAY)?;
            if self.config.tells {
                self.tell(day);
            }
        }
        self.heal()
    }

    #[expect(clippy::print_stderr, reason = "a long simulation says how far it is")]
    fn tell(&self, day: i64) {
        let of = |what: &str| self.tally.get(what).copied().unwrap_or(0);
        let saves = of("save") + of("new record");
        let bytes = of("bytes over wires");
        eprintln!("day {day}: {saves} saves, {bytes} bytes, {} links", self.wires.len());
    }
}

/// An error in words.
fn told(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}
