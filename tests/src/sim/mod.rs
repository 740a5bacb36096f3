//! A whole province in one thread and virtual time: real nodes over lent stores, wires, sticks,
//! people and misfortune, all from one seed.
//!
//! `ground.rs` time and chance · `disk.rs` a disk that forgets · `shelf.rs` what a node's entries lie
//! on · `cast.rs` who takes part · `wire.rs` frames under way and the agenda · `town.rs` everybody ·
//! `pulse.rs` nodes on and off, one moment after the other · `links.rs` who is joined to whom · `day.rs`
//! what people do · `stick.rs` couriers · `card.rs` clones and backups · `member.rs` who joins, leaves
//! and moves · `fault.rs` what goes wrong · `hostile.rs` members that lie · `heal.rs` all is mended ·
//! `check.rs` what must hold then · `limit.rs` where some are at a limit · `closely.rs` some nodes from
//! their feeds up · `heard.rs` what nodes say is true · `receipt.rs` and what they say by receipts ·
//! `row.rs` rows of hubs, and of liars · `plant.rs` planted mistakes · `twist.rs` what some of them
//! alter · `scene.rs` scenes a domain person asks for.
//!
//! `docs/simulation.md` tells how to run it, and what it found.

mod card;
mod cast;
mod check;
mod closely;
mod day;
mod disk;
mod fault;
mod ground;
mod heal;
mod heard;
mod hostile;
mod limit;
mod links;
mod member;
mod plant;
mod pulse;
mod receipt;
mod row;
pub mod scene;
mod shelf;
mod stick;
mod town;
mod twist;
mod wire;

use std::collections::BTreeMap;
use std::panic;

use ground::DAY;
pub use plant::Plant;
use town::Town;
use wire::Due;

/// What goes wrong: each happens in some of a thousand seeds where nothing else is asked for, and is counted
/// when it happened, not when it was about to.
pub const FAULTS: &[&str] = &[
    "backup restored",
    "bundle cut short",
    "bundle imported twice",
    "bundle pieces in another order",
    "card cloned",
    "clock jumped",
    "clock off by days",
    "clock off by minutes",
    "clock off by years",
    "cut",
    "device closed",
    "device lost for good",
    "device revoked",
    "disk full",
    "disk nearly full",
    "frame lost with its link",
    "frame overtaken on the other stream",
    "hub put back",
    "hostile hub",
    "hostile member",
    "hostile: altered push",
    "hostile: altered run",
    "hostile: bytes that are no message",
    "hostile: certificate for somebody elsewhere",
    "hostile: certificate that names somebody's transport key",
    "hostile: feed of somebody else",
    "hostile: flood of feeds",
    "hostile: forged area",
    "hostile: forged authority",
    "hostile: fork",
    "hostile: frame sent twice",
    "hostile: lied while all was mended",
    "hostile: lying durable",
    "hostile: lying receipt",
    "hostile: lying roots",
    "hostile: row of a device made up",
    "hostile: row of an honest hub raised",
    "hostile: withheld frame",
    "hostile: withheld tail",
    "late joiner, certified",
    "late joiner, invited",
    "line down for hours",
    "link cut",
    "link cut between two runs",
    "neighbours met on a LAN",
    "node ended for want of room",
    "node mended itself",
    "packet lost",
    "power cut",
    "power cut at a write",
    "program ended and started",
    "stick carried",
    "views lost",
    "views old",
    "village moved",
    "village with a weak line",
    "village without a line",
    "window of a weak line",
];

/// How often each thing happened.
pub type Tally = BTreeMap<&'static str, u64>;

/// The most that each table with a limit ever held, and its limit.
pub type Fullest = BTreeMap<&'static str, (usize, usize)>;

/// How bad lines and clocks are, and how long people stay apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Of a hundred villages so many have a weak line.
    pub weak: usize,
    /// And so many none.
    pub none: usize,
    /// Of a thousand clocks so many are off by minutes, by days, by years.
    pub clocks: [usize; 3],
    /// Milliseconds between two misfortunes of one node, on average.
    pub apart: usize,
    /// Of a hundred office hours so many a good line is down, an outage a day.
    pub outage_percent: usize,
    /// Days from one stick to the next of a village without a line: at least, and less than. Without
    /// them sticks are misfortunes like others.
    pub sticks: Option<(usize, usize)>,
    /// Of a hundred days of a weekend so many have one save of a village.
    pub weekend_percent: usize,
}

impl Rates {
    /// As West Java is thought to be.
    pub const PROVINCE: Self = Self {
        weak: 15,
        none: 1,
        clocks: [100, 20, 5],
        apart: 60 * 3_600_000,
        outage_percent: 5,
        sticks: Some((4, 11)),
        weekend_percent: 35,
    };
    /// So that a few villages meet everything within days.
    pub const BAD: Self = Self {
        weak: 20,
        none: 15,
        clocks: [120, 90, 60],
        apart: 8 * 3_600_000,
        outage_percent: 0,
        sticks: None,
        weekend_percent: 0,
    };
}

/// Nodes from which lines and clocks are as bad as in the province, no worse.
const MANY: usize = 200;
/// Disks that forget are kept twice in memory: so many at most.
const DISKS_MAX: usize = 60;

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
    /// So many of so many stores lie on a disk that forgets.
    pub disks: (usize, usize),
    /// Hours from one heal to the next, on average.
    pub heal_hours: usize,
    /// Of a hundred bundles so many are cut short on their way.
    pub cut_percent: usize,
    /// Of a hundred devices of villages so many lie, and half as many hubs of kecamatan.
    pub hostile_percent: usize,
    /// Hubs of kecamatan that lie besides, where half of a hundredth is none.
    pub hostile_hubs: usize,
    /// Whether anything goes wrong by itself.
    pub faults: bool,
    /// Of a hundred towns in so many hubs are put back from a backup.
    pub hubs_back_percent: usize,
    /// How bad lines and clocks are.
    pub rates: Rates,
    /// A mistake every node makes.
    pub plant: Option<Plant>,
    /// Who is told the end of each day.
    pub tells: Option<fn(&str)>,
}

impl Config {
    /// A few villages that write much about few records.
    pub const fn small(seed: u64) -> Self {
        Self::sized(seed, 8, 3)
    }

    /// Any number of nodes and days.
    pub const fn sized(seed: u64, nodes: usize, days: i64) -> Self {
        let (rates, saves_per_day, heal_hours) =
            if nodes < MANY { (Rates::BAD, 12, 26) } else { (Rates::PROVINCE, 7, 5 * 24) };
        Self {
            seed,
            nodes,
            days,
            saves_per_day,
            new_percent: 8,
            disks: if nodes < MANY { (25, 100) } else { (DISKS_MAX, nodes) },
            heal_hours,
            cut_percent: 10,
            hostile_percent: if nodes < MANY { 15 } else { 1 },
            hostile_hubs: if nodes < MANY { 0 } else { 3 },
            faults: true,
            hubs_back_percent: if nodes < MANY { 30 } else { 100 },
            rates,
            plant: None,
            tells: None,
        }
    }

    /// The same with a mistake in every node. Half of all sticks bring a part, for some mistakes show
    /// only while the rest is not there.
    pub const fn planted(seed: u64, plant: Plant) -> Self {
        Self { plant: Some(plant), saves_per_day: 40, cut_percent: 50, ..Self::small(seed) }
    }
}

/// What came of a simulation.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// How often each thing happened.
    pub tally: Tally,
    /// Hash of every frame, every deed and what all nodes hold at the end.
    pub digest: String,
    /// Bytes of the dearest comparison that found nothing new.
    pub dearest: (u64, String),
    /// Bytes of the most rows that went with one.
    pub dearest_rows: (u64, String),
    /// How full each table was that peers can fill.
    pub fullest: Fullest,
    /// The first thing that does not hold, with the seed.
    pub broken: Option<String>,
}

/// Plays one simulation.
pub fn play(config: &Config) -> Outcome {
    let named = |what| format!("seed {}: {what}", config.seed);
    match panic::catch_unwind(|| play_on(config)) {
        Ok(outcome) => outcome,
        // What it said stands before this.
        Err(_) => Outcome { broken: Some(named("it panicked".to_owned())), ..Outcome::default() },
    }
}

fn play_on(config: &Config) -> Outcome {
    let named = |what| format!("seed {}: {what}", config.seed);
    match Town::new(config) {
        Ok(mut town) => {
            let lived = town.live();
            let digest = town.digest();
            let broken = lived.and_then(|()| town.all_can_save()).err().map(named);
            let Town { tally, dearest, dearest_rows, fullest, .. } = town;
            Outcome { tally, digest, dearest, dearest_rows, fullest, broken }
        }
        Err(what) => Outcome { broken: Some(named(what)), ..Outcome::default() },
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
            if let Some(tell) = self.config.tells {
                tell(&self.so_far(day));
            }
        }
        self.heal()
    }

    /// Everything that happened, and the roots of villages at all nodes that are on.
    fn digest(&self) -> String {
        let mut trace = self.trace.clone();
        for site in self.on() {
            let Some(up) = &self.sites[site].up else { continue };
            let replica = up.node.replica();
            let served = replica.authority().interest(&self.sites[site].role.device());
            for area in self.villages_within(&served, replica.authority().tree()) {
                let (authority, records) = check::roots(replica, area);
                trace.update(&authority.0).update(&records.0);
            }
        }
        trace.finalize().to_string()
    }

    fn so_far(&self, day: i64) -> String {
        let of = |what: &str| self.tally.get(what).copied().unwrap_or(0);
        let saves = of("save") + of("new record");
        let bytes = of("bytes over wires");
        format!("day {day}: {saves} saves, {bytes} bytes, {} links", self.wires.len())
    }
}

/// An error in words.
fn told(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}
