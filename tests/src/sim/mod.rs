//! A whole province in one thread and virtual time: real nodes over lent stores, wires, sticks,
//! people and misfortune, all from one seed.
//!
//! `ground.rs` time and chance · `disk.rs` a disk that forgets · `shelf.rs` what a node's entries lie
//! on · `cast.rs` who takes part · `wire.rs` frames under way and the agenda · `town.rs` nodes on and
//! off, and what happens to them · `day.rs` what people do · `stick.rs` couriers · `card.rs` clones and
//! backups · `member.rs` who joins, leaves and moves · `fault.rs` what
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
mod shelf;
mod stick;
mod town;
mod wire;

use std::collections::BTreeMap;

use ground::DAY;
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
}

impl Config {
    /// A few villages that write much about few records.
    pub const fn small(seed: u64) -> Self {
        Self { seed, nodes: 8, days: 3, saves_per_day: 12, new_percent: 8, disks_percent: 25, hostile_percent: 8 }
    }
}

/// Plays one simulation.
///
/// # Errors
/// What does not hold, with the seed.
pub fn play(config: &Config) -> Result<Tally, String> {
    let named = |what| format!("seed {}: {what}", config.seed);
    let mut town = Town::new(config).map_err(named)?;
    for site in 0..town.sites.len() {
        town.life.plan(0, Due::Morning { site });
    }
    town.choose_liars();
    town.plan_fault();
    town.plan_heal();
    town.run(config.days * DAY).map_err(named)?;
    town.heal().map_err(named)?;
    Ok(std::mem::take(&mut town.tally))
}

/// An error in words.
fn told(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}
