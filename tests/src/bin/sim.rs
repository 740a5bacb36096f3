//! The simulator: `cargo run --release -p tests --bin sim -- --seed N --nodes 6000 --days 30`.
//!
//! Prints how often each thing happened, and what never did; of a thousand seeds of the usual size,
//! and of a month of the province, that is a failure. A seed that fails prints itself and fails again the same way. `--seeds K` plays as
//! many seeds one after the other; `--heal-hours H` lets people be apart for longer; `--plants` tells how
//! soon each planted mistake is found; `--tell` says how far it is: which day, or of several seeds which
//! one, with its digest.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a report for a person")]
#![expect(
    clippy::disallowed_methods,
    reason = "how long it took is for a person, not for the play"
)]

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use tests::sim::{Config, FAULTS, Fullest, Plant, Tally, play};

/// Without a size: a kabupaten in small, where within [`ENOUGH`] seeds everything goes wrong.
const NODES: usize = 20;
const DAYS: i64 = 10;
/// Seeds of that size in which nothing that goes wrong may be missing: the rarest lie was told four times in
/// five hundred.
const ENOUGH: u64 = 1_000;
/// Seeds in which each planted mistake is to be found.
const PLANTED: u64 = 200;
/// Nodes and days of which one seed is enough.
const PROVINCE: (usize, i64) = (6_000, 30);

/// Whole nodes in virtual time.
#[derive(Parser)]
struct Ask {
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds, one after the other.
    #[arg(long)]
    seeds: Option<u64>,
    #[arg(long, default_value_t = NODES)]
    nodes: usize,
    #[arg(long, default_value_t = DAYS)]
    days: i64,
    /// Edits of a village on a working day.
    #[arg(long)]
    saves: Option<usize>,
    /// Hours from one heal to the next, on average.
    #[arg(long)]
    heal_hours: Option<usize>,
    /// How soon each planted mistake is found.
    #[arg(long)]
    plants: bool,
    /// Says how far it is.
    #[arg(long)]
    tell: bool,
}

fn main() -> ExitCode {
    let ask = Ask::parse();
    if ask.plants {
        return plants(ask.seeds.unwrap_or(PLANTED));
    }
    let (first, seeds) = (ask.seed, ask.seeds.unwrap_or(1));
    let (mut tally, mut failed) = (FAULTS.iter().map(|what| (*what, 0)).collect::<Tally>(), 0);
    let (mut digests, mut dearest) = (Vec::new(), [(0, String::new()), (0, String::new())]);
    let mut fullest = Fullest::new();
    let begun = Instant::now();
    for seed in first..first.saturating_add(seeds) {
        let outcome = play(&ask.town(seed));
        for (what, times) in outcome.tally {
            *tally.entry(what).or_default() += times;
        }
        for (most, of) in dearest.iter_mut().zip([outcome.dearest, outcome.dearest_rows]) {
            *most = of.max(std::mem::take(most));
        }
        for (what, (held, most)) in outcome.fullest {
            let ever = fullest.entry(what).or_insert((0, most));
            ever.0 = held.max(ever.0);
        }
        if seeds > 1 && ask.tell {
            eprintln!("seed {seed}: {}", outcome.digest);
        }
        digests.push(outcome.digest);
        if let Some(what) = outcome.broken {
            failed += 1;
            eprintln!("{what}");
        }
    }
    for (what, times) in &tally {
        println!("{times:>12}  {what}");
    }
    for ((bytes, kinds), what) in dearest.iter().zip(["comparison without news", "rows with one"]) {
        println!("{bytes:>12}  bytes of the dearest {what}, by kind of frame {kinds}");
    }
    for (what, (held, most)) in &fullest {
        println!("{held:>12}  {what} at most; may be {most}");
    }
    if let [digest] = &digests[..] {
        println!("digest {digest}");
    }
    let never: Vec<&str> =
        FAULTS.iter().copied().filter(|what| tally.get(what) == Some(&0)).collect();
    if !never.is_empty() {
        println!("never happened: {}", never.join(", "));
    }
    let is_enough = seeds >= ENOUGH && (ask.nodes, ask.days) == (NODES, DAYS)
        || ask.nodes >= PROVINCE.0 && ask.days >= PROVINCE.1;
    println!("{seeds} seeds from {first}, {failed} failed, {:.1} s", begun.elapsed().as_secs_f64());
    if failed == 0 && (never.is_empty() || !is_enough) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// How soon each planted mistake is found, in so many seeds at most.
fn plants(seeds: u64) -> ExitCode {
    let mut all = true;
    for plant in Plant::ALL {
        let begun = Instant::now();
        // What the program does by itself is no find.
        let broken = |seed: u64| {
            let planted = Config::planted(seed, plant);
            let what = play(&planted).broken?;
            play(&Config { plant: None, ..planted }).broken.is_none().then_some(what)
        };
        let found = (1..=seeds).find_map(|seed| Some((seed, broken(seed)?)));
        let took = begun.elapsed().as_secs_f64();
        match &found {
            Some((seed, what)) => {
                let what: String =
                    what.lines().next().unwrap_or_default().chars().take(160).collect();
                println!("{plant:?}: seed {seed}, {took:.1} s: {what}");
            }
            None => println!("{plant:?}: not found, {took:.1} s"),
        }
        all &= found.is_some();
    }
    if all { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Ask {
    fn town(&self, seed: u64) -> Config {
        let mut config = Config::sized(seed, self.nodes, self.days);
        config.saves_per_day = self.saves.unwrap_or(config.saves_per_day);
        config.heal_hours = self.heal_hours.unwrap_or(config.heal_hours);
        if self.tell && self.seeds.is_none_or(|seeds| seeds == 1) {
            config.tells = Some(|what| eprintln!("{what}"));
        }
        config
    }
}
