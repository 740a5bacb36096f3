//! As many random histories of whole replicas as there is time for.
//!
//! `cargo run --release -p tests --bin histories -- --count 20000 --seed 1`: prints how often each
//! thing happened; a history that fails is named by its seed, and `--count 1 --seed N` plays it again.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a report for a person")]

use std::process::ExitCode;

use tests::histories::{EVENTS, Lie, Tally, check};

fn main() -> ExitCode {
    let (count, first) = (number("--count", 20_000), number("--seed", 1));
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

fn number(name: &str, otherwise: u64) -> u64 {
    let mut arguments = std::env::args().skip_while(|argument| argument != name).skip(1);
    arguments.next().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}
