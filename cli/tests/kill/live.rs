//! Two running nodes that push to each other: one is killed at a moment drawn from a seed, while both
//! take edits; what either acknowledged is there, and in the end both hold it all.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, UdpSocket};
use std::process::Child;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::ledger::Ledger;
use crate::machine::Machine;
use crate::{Chance, DESA, KILLS, MOMENT_MS_MAX, number};

/// Until a node is ready; a limit of a test that hangs.
const READY: Duration = Duration::from_secs(60);
/// Until both are equal. Nothing tells a desa that its province was killed: it gives the silent link
/// up 50 to 75 s later (`NetTiming::quic_alive_every`, and twice that without a word), then dials.
const EQUAL: Duration = Duration::from_secs(240);
/// Between two looks at the roots.
const LOOK: Duration = Duration::from_millis(50);

/// A node with its folder and, most of the time, its process.
struct Station {
    machine: Machine,
    ledger: Ledger,
    args: Vec<String>,
    running: Option<Child>,
}

impl Station {
    fn new(machine: Machine, args: &[String]) -> Self {
        let ledger = Ledger::new(&machine);
        Self { machine, ledger, args: args.to_vec(), running: None }
    }

    /// Starts the node if it does not run, and waits until it is ready.
    fn up(&mut self) {
        if self.running.is_some() {
            return;
        }
        let mut line = vec!["run", "--api", "127.0.0.1:0"];
        line.extend(self.args.iter().map(String::as_str));
        let mut child = self.machine.start(&line);
        let out = child.stdout.take().unwrap();
        let (ready, first) = mpsc::sync_channel(1);
        thread::spawn(move || {
            let mut lines = BufReader::new(out).lines();
            // Whoever waits may have given up; the rest is read so that the node never waits.
            drop(ready.send(lines.next()));
            lines.for_each(drop);
        });
        let first = first.recv_timeout(READY).unwrap().unwrap().unwrap();
        assert!(first.contains("\"ready\""), "{first}");
        self.running = Some(child);
    }

    /// One edit, by the running node or past it; what is acknowledged is noted.
    fn edit(&mut self, chance: &mut Chance) {
        let answer = match self.ledger.any_record(chance.below(1 << 30)) {
            Some(record) if chance.below(2) == 0 => {
                let place = format!("tempat=Balai {}", chance.below(1 << 30));
                self.machine.tried(&["record", "set", &record, "-f", &place])
            }
            _ => {
                let line = ["record", "add", "kegiatan", "--area", DESA, "-f", "judul=Rapat"];
                let more = ["-f", "kode_program=G.5.1.4", "-f", "jenis=rapat"];
                let day = ["-f", "tanggal=2026-03-01"];
                self.machine.tried(&[&line[..], &more, &day].concat())
            }
        };
        if let Some(answer) = answer {
            self.ledger.wrote(&answer);
        }
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.running.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn is_whole(&self) {
        let verified = self.machine.done(&["verify"]);
        assert_eq!(verified.get("ok").unwrap(), true, "{verified}");
        assert_eq!(verified.get("forks").unwrap(), 0, "{verified}");
        self.ledger.every_record_is_listed(&self.machine);
        self.ledger.newest_entries_are_in_their_histories(&self.machine);
    }

    fn root(&self) -> Value {
        self.machine.done(&["root", "--area", DESA]).get("root").cloned().unwrap()
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Province and desa, known to each other by files, the desa dialling the province.
fn stations() -> [Station; 2] {
    let province = Machine::province();
    let desa = Machine::empty();
    let (invitation, bundle) = (desa.path("undangan"), desa.path("paket.wksbm"));
    province.done(&["invite", "--area", DESA, "-o", &invitation]);
    let joined = desa.done(&["join", "--invitation", &invitation]);
    let device = joined.get("device").unwrap().as_str().unwrap();
    desa.done(&["bundle", "export", "--all", "-o", &bundle]);
    province.done(&["bundle", "import", &bundle]);
    province.done(&["member", "confirm", device]);
    province.done(&["bundle", "export", "--for", device, "-o", &bundle]);
    desa.done(&["bundle", "import", &bundle]);
    // A port of its own: a node that is started again listens where it did before.
    let port = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let at = format!("/ip4/127.0.0.1/udp/{port}/quic-v1");
    let any = "/ip4/127.0.0.1/udp/0/quic-v1".to_owned();
    [
        Station::new(province, &["--listen".to_owned(), at.clone()]),
        Station::new(desa, &["--listen".to_owned(), any, "--peer".to_owned(), at]),
    ]
}

#[test]
fn what_running_nodes_acknowledged_outlives_a_kill_while_they_sync() {
    let mut chance = Chance(number("WKSBM_KILL_SEED", 20_261_126));
    let mut stations = stations();
    for _ in 0..number("WKSBM_LIVE_KILLS", KILLS) {
        for station in &mut stations {
            station.up();
        }
        let victim = usize::try_from(chance.below(2)).unwrap();
        let moment = Duration::from_millis(chance.below(MOMENT_MS_MAX * 3));
        let mut child = stations.get_mut(victim).unwrap().running.take().unwrap();
        let killer = thread::spawn(move || {
            thread::sleep(moment);
            child.kill().unwrap();
            child.wait().unwrap();
        });
        while !killer.is_finished() {
            let at = usize::try_from(chance.below(2)).unwrap();
            stations.get_mut(at).unwrap().edit(&mut chance);
        }
        killer.join().unwrap();
        stations.get(victim).unwrap().is_whole();
    }
    for station in &mut stations {
        station.up();
    }
    let began = Instant::now();
    let [province, desa] = &stations;
    while province.root() != desa.root() {
        assert!(began.elapsed() < EQUAL, "the two never became equal");
        thread::sleep(LOOK);
    }
    for (from, at) in [(province, desa), (desa, province), (province, province), (desa, desa)] {
        from.ledger.every_record_is_listed(&at.machine);
        from.ledger.every_entry_is_in_its_history(&at.machine);
    }
    let acknowledged = province.ledger.len() + desa.ledger.len();
    writeln!(std::io::stderr(), "{acknowledged} acknowledged by running nodes").unwrap();
    assert!(acknowledged > 0, "nothing was at stake");
}
