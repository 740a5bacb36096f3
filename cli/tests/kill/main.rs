//! `kill -9` at any moment: what was acknowledged is there, and everything at rest still verifies.
//!
//! One data folder is written to by the real binary, command after command, until a moment drawn
//! from a seed; then the command is killed. What a command had answered by then stands in a ledger
//! that was synced before the next kill, and must be found again each time. `machine.rs` runs the
//! binary · `ledger.rs` what was acknowledged · `neighbour.rs` where the bundles come from ·
//! `live.rs` two running nodes that push to each other while one is killed (`WKSBM_LIVE_KILLS`).
//!
//! `WKSBM_KILLS=1000` is the long form, `WKSBM_KILL_SEED` another run of it, `WKSBM_BINARY` another
//! build; the counts are the last line on standard error. A killed process loses nothing the kernel took: power cuts are the
//! store's own tests.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
#![expect(clippy::disallowed_methods, reason = "a kill happens at a moment")]

mod ledger;
mod live;
mod machine;
mod neighbour;

use std::io::Write;
use std::time::Duration;

use serde_json::Value;

use ledger::Ledger;
use machine::{Killed, Machine};
use neighbour::Neighbour;

const DESA: &str = "32.09.21.2001";
/// Kills of the short form.
const KILLS: u64 = 20;
/// A command is killed so many milliseconds after the last one, at the latest.
const MOMENT_MS_MAX: u64 = 300;

/// Splitmix: the same seed kills at the same moments.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// How often a kill hit what.
#[derive(Debug, Default)]
struct Counts {
    kills: u64,
    before_ack: u64,
    after_ack: u64,
    commands: u64,
    /// Commands of each kind that a kill hit before they answered.
    hit: std::collections::BTreeMap<&'static str, u64>,
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn what_was_acknowledged_outlives_a_kill_at_any_moment() {
    let mut chance = Chance(number("WKSBM_KILL_SEED", 20_261_102));
    let machine = Machine::province();
    let mut neighbour = Neighbour::of(&machine);
    let mut ledger = Ledger::new(&machine);
    let mut counts = Counts::default();
    for _ in 0..number("WKSBM_KILLS", KILLS) {
        let left = Duration::from_millis(chance.below(MOMENT_MS_MAX + 1));
        work_for(left, &machine, &mut neighbour, &mut ledger, (&mut chance, &mut counts));
        everything_is_there(&machine, &ledger);
    }
    let last = neighbour.bundle_of_all();
    machine.done(&["bundle", "import", &last]);
    neighbour.take(&machine);
    let root = |answer: Value| answer.get("root").cloned().unwrap();
    assert_eq!(root(machine.done(&["root"])), root(neighbour.done(&["root", "--area", "32"])));
    ledger.every_entry_is_in_its_history(&machine);
    writeln!(std::io::stderr(), "{counts:?}, {} acknowledged", ledger.len()).unwrap();
    assert_eq!(counts.kills, counts.before_ack + counts.after_ack);
    assert!(counts.before_ack > 0 && ledger.len() > 0, "nothing was at stake: {counts:?}");
}

/// Runs command after command and kills the one that runs when the time is over. Only commands
/// use up time: what is prepared for them does not.
fn work_for(
    mut left: Duration,
    machine: &Machine,
    neighbour: &mut Neighbour,
    ledger: &mut Ledger,
    (chance, counts): (&mut Chance, &mut Counts),
) {
    loop {
        let turn = chance.below(10);
        let (what, killed) = match (turn, ledger.any_record(chance.below(1 << 30))) {
            (0..=2, _) => {
                let bundle = neighbour.next_bundle();
                let killed = machine.within(&mut left, &["bundle", "import", &bundle]);
                if killed.answer().is_some() {
                    ledger.took(neighbour.acknowledged());
                }
                ("bundle import", killed)
            }
            (3..=5, Some(record)) => {
                let place = format!("tempat=Balai {}", chance.below(1 << 30));
                let line = ["record", "set", &record, "-f", &place];
                ("record set", machine.within(&mut left, &line))
            }
            _ => {
                let line = ["record", "add", "kegiatan", "--area", DESA, "-f", "judul=Rapat"];
                let more = ["-f", "kode_program=G.5.1.4", "-f", "jenis=rapat"];
                let day = ["-f", "tanggal=2026-03-01"];
                ("record add", machine.within(&mut left, &[&line[..], &more, &day].concat()))
            }
        };
        counts.commands += 1;
        if let Some(answer) = killed.answer() {
            ledger.wrote(answer);
        }
        match killed {
            Killed::Ended(_) => {}
            Killed::BeforeAnswer => {
                counts.kills += 1;
                counts.before_ack += 1;
                *counts.hit.entry(what).or_default() += 1;
                return;
            }
            Killed::AfterAnswer(_) => {
                counts.kills += 1;
                counts.after_ack += 1;
                return;
            }
        }
    }
}

fn everything_is_there(machine: &Machine, ledger: &Ledger) {
    let verified = machine.done(&["verify"]);
    assert_eq!(verified.get("ok").unwrap(), true, "{verified}");
    assert_eq!(verified.get("forks").unwrap(), 0, "{verified}");
    ledger.every_record_is_listed(machine);
    ledger.newest_entries_are_in_their_histories(machine);
}
