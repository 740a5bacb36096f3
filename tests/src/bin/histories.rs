//! As many random histories of whole replicas as there is time for.
//!
//! `cargo run --release -p tests --bin histories -- --count 20000 --seed 1`: prints how often each
//! thing happened; a history that fails is named by its seed, and `--count 1 --seed N` plays it again.
//! `--lies` tells instead how soon each planted fault is found.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a report for a person")]

use std::process::ExitCode;

use clap::Parser;
use tests::histories::{EVENTS, Lie, Tally, check};

/// Random histories of replicas without a network.
#[derive(Parser)]
struct Ask {
    #[arg(long, default_value_t = 20_000)]
    count: u64,
    /// The first of them.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How soon each planted fault is found.
    #[arg(long)]
    lies: bool,
}

fn main() -> ExitCode {
    let Ask { count, seed: first, lies: of_lies } = Ask::parse();
    if of_lies {
        return lies(first, count);
    }
    let mut tally = Tally::new();
    let mut failed = 0;
    for seed in first..first.saturating_add(count) {
        match check(seed, Lie::None) {
            Ok(happened) => {
                for (what, times) in happened {
                    *tally.entry(what).or_default() += times;
                }
            }
            Err(what) => {
                failed += 1;
                eprintln!("{what}");
            }
        }
    }
    for event in EVENTS {
        println!("{:>10}  {event}", tally.get(event).copied().unwrap_or(0));
    }
    println!("{count} histories from seed {first}, {failed} failed");
    let missing = EVENTS.iter().any(|event| !tally.contains_key(event));
    if failed == 0 && (!missing || count < 1_000) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn lies(first: u64, count: u64) -> ExitCode {
    let mut all = true;
    for lie in Lie::ALL {
        let found = (first..first.saturating_add(count)).find(|seed| check(*seed, lie).is_err());
        match found {
            Some(seed) => println!("{lie:?}: found in history {}", seed - first + 1),
            None => println!("{lie:?}: not found in {count} histories"),
        }
        all &= found.is_some();
    }
    if all { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
