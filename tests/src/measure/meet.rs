//! Two nodes, each a process, over real sockets: the first copy, meeting again, news; edits in
//! `edits.rs`. Bytes are those a wire between two namespaces counted, headers and all.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::child::{self, number};
use super::edits::edit;
use super::link::{End, Wire};
use super::peer::{NONE, PEER};
use super::scale::{Scale, Shape};
use super::town::{HOMES, Town};
use super::watch::moment;
use super::{Aim, MB, Report, edits};

pub(super) const TRANSPORTS: [(&str, &str); 2] =
    [("QUIC", "udp/4100/quic-v1"), ("TCP", "tcp/4100")];
/// Behind the name of what the wire counted.
pub(super) const ON_THE_WIRE: &str = ", on the wire";
/// For words that follow, which are part of the price of what was said before: the last
/// acknowledgements come late.
const LAST_WORDS: Duration = Duration::from_millis(300);
pub(super) fn measure(report: &mut Report, scale: Scale) {
    let ground = Ground { wire: Wire::new(), scale };
    let is_counted = f64::from(u8::from(ground.is_counted()));
    report.add("bytes counted on a wire (1) or of frames alone (0)", is_counted, "");
    for records in scale.copied() {
        first_copy(report, &ground, *records);
    }
    for entries in scale.compared() {
        again(report, &ground, *entries);
    }
    for entries in scale.held() {
        news(report, &ground, *entries);
    }
    edits::measure(report, &ground);
}

/// Where nodes meet: on a wire that counts, or on loopback.
pub(super) struct Ground {
    wire: Option<Wire>,
    pub(super) scale: Scale,
}

impl Ground {
    pub(super) fn is_small(&self) -> bool {
        self.scale == Scale::Smoke
    }

    /// Whether there are bytes of a wire to be told.
    pub(super) const fn is_counted(&self) -> bool {
        self.wire.is_some()
    }
}

/// A node that runs as a child.
pub(super) struct Peer {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    pub(super) address: String,
    /// How long its wire is watched after something was said.
    last_words: Duration,
}

impl Peer {
    /// Starts one at an end of the wire, and waits for what it says first.
    pub(super) fn start(
        ground: &Ground,
        end: End,
        folder: &Path,
        transport: &str,
        peer: &str,
    ) -> Self {
        let wire = ground.wire.as_ref();
        let mut command = match wire {
            Some(wire) => wire.at(end, &child::program()),
            None => Command::new(child::program()),
        };
        let host = if wire.is_some() { end.address() } else { "127.0.0.1" };
        let listen = match end {
            End::There => format!("/ip4/{host}/{transport}"),
            End::Here => NONE.to_owned(),
        };
        command.args([child::CHILD, PEER]).arg(folder).args([&listen, peer]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        let is_hasty = wire.is_none() || ground.is_small();
        let last_words = if is_hasty { Duration::ZERO } else { LAST_WORDS };
        let mut started = Self { child, input, output, address: String::new(), last_words };
        if end == End::There {
            let told = started.hear();
            told.get("listening").unwrap().as_str().unwrap().clone_into(&mut started.address);
        }
        started
    }

    pub(super) fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    pub(super) fn order(&mut self, order: &str) {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{order}").unwrap();
        input.flush().unwrap();
    }

    pub(super) fn ask(&mut self, order: &str) -> Value {
        self.order(order);
        self.hear()
    }

    /// Dials and reconciles once.
    pub(super) fn meet(&mut self, address: &str) -> Met {
        self.compare("dial", address)
    }

    /// Reconciles once, as the order says; both sides are proved equal.
    fn compare(&mut self, order: &str, address: &str) -> Met {
        let before = self.bytes();
        let told = self.ask(&format!("{order} {address}"));
        assert_eq!(told.get("equal"), Some(&Value::Bool(true)), "{told}");
        let after = self.bytes();
        let frames = number(&told, "frame_bytes");
        let [ms, shown_ms] = ["seconds", "shown_seconds"].map(|name| number(&told, name) * 1e3);
        Met { ms, shown_ms, bytes: after - before, frames }
    }

    /// What passed the wire so far, with the words that follow what was said; 0 where there is none.
    pub(super) fn bytes(&mut self) -> f64 {
        std::thread::sleep(self.last_words);
        self.ask("tell").get("passed").and_then(Value::as_f64).unwrap_or_default()
    }

    /// MiB of memory it had at most.
    fn peak_mib(&mut self) -> f64 {
        number(&self.ask("tell"), "peak_kib") / 1024.0
    }

    /// Saves each record once, so many in all, and none as it was before.
    fn save(&mut self, records: &[String], saves: usize, value: &mut u64) {
        let mut left = saves;
        while left > 0 {
            let some = left.min(records.len());
            *value += 1;
            self.ask(&edit("biaya", &value.to_string(), records.iter().take(some)));
            left -= some;
        }
    }

    pub(super) fn stop(mut self) {
        drop(self.input.take());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // One that has ended is what is wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// One meeting.
pub(super) struct Met {
    pub(super) ms: f64,
    /// The same until all that came is in the lists.
    shown_ms: f64,
    pub(super) bytes: f64,
    frames: f64,
}

impl Met {
    /// One side of several meetings.
    pub(super) fn each(met: &[Self], of: impl Fn(&Self) -> f64) -> Vec<f64> {
        met.iter().map(of).collect()
    }
}

fn first_copy(report: &mut Report, ground: &Ground, records: u64) {
    let town = Town::written(Shape::of(records * 3));
    let held = town.count() as f64;
    town.furnish(HOMES[0], true);
    let scale = ground.scale;
    let repeats = if records > 1_000 { scale.repeats_of_long() } else { scale.repeats() };
    for (name, transport) in TRANSPORTS {
        let mut donor = Peer::start(ground, End::There, &town.folder(HOMES[0]), transport, NONE);
        let (mut met, mut memory, mut given) = (Vec::new(), Vec::new(), None);
        let mut before = Vec::new();
        for _ in 0..repeats {
            town.furnish(HOMES[1], false);
            let folder = town.folder(HOMES[1]);
            let mut receiver = Peer::start(ground, End::Here, &folder, transport, NONE);
            before.push(receiver.peak_mib());
            met.push(receiver.meet(&donor.address));
            let told = receiver.ask("tell");
            assert!(number(&told, "records").total_cmp(&held).is_eq(), "{told}");
            memory.push(receiver.peak_mib());
            let given = given.get_or_insert_with(|| donor.ask("contents"));
            assert_eq!(*given, receiver.ask("contents"));
            receiver.stop();
        }
        let (in_time, in_memory) = match records {
            1_000 => (Aim::Under(0.05), Aim::Under(24.0 * MB)),
            10_000 => (Aim::Under(0.25), Aim::Under(40.0 * MB)),
            100_000 => (Aim::Under(2.0), Aim::None),
            _ => (Aim::None, Aim::None),
        };
        let what = format!("first copy over {name}");
        let times = Met::each(&met, |it| it.ms / 1e3);
        let figure = report.middle(format!("{what}, dial to proved equality"), &times, "s");
        figure.at(records).aim(in_time);
        // The donor read nothing of what it holds before.
        report.add(format!("{what}, the donor's first"), *times.first().unwrap(), "s").at(records);
        let shown = Met::each(&met, |it| it.shown_ms / 1e3);
        report.middle(format!("{what}, dial to all in the lists"), &shown, "s").at(records);
        let bytes = Met::each(&met, |it| it.bytes / held);
        if ground.is_counted() {
            let figure = report.middle(format!("{what}{ON_THE_WIRE}"), &bytes, "B/record");
            figure.at(records).aim(Aim::Under(100.0));
        }
        let frames = Met::each(&met, |it| it.frames / held);
        report.middle(format!("{what}, frames"), &frames, "B/record").at(records);
        let figure = report.middle(format!("{what}, receiver's memory"), &memory, "MiB");
        figure.at(records).aim(in_memory);
        let what_before = format!("{what}, receiver's memory before");
        report.middle(what_before, &before, "MiB").at(records);
        // Of all copies it gave, one after the other.
        report.add(format!("{what}, donor's memory"), donor.peak_mib(), "MiB").at(records);
        donor.stop();
    }
}

/// Two nodes that hold the same meet; then one of them is a new process. They are the province's, which
/// the root statement names: they have no certificate to name.
fn again(report: &mut Report, ground: &Ground, entries: u64) {
    let town = Town::written(Shape::of(entries));
    for home in &HOMES[..2] {
        town.furnish(home, true);
    }
    let (there, here) = (town.folder(HOMES[0]), town.folder(HOMES[1]));
    for (name, transport) in TRANSPORTS {
        let mut donor = Peer::start(ground, End::There, &there, transport, NONE);
        let (mut met, mut standing, mut receiver_held) = (Vec::new(), Vec::new(), None);
        for _ in 0..ground.scale.repeats() {
            let mut receiver = Peer::start(ground, End::Here, &here, transport, NONE);
            met.push(receiver.meet(&donor.address));
            standing.push(receiver.compare("again", &donor.address).bytes);
            receiver_held = receiver.ask("tell").get("entries").cloned();
            receiver.stop();
        }
        assert_eq!(donor.ask("tell").get("entries"), receiver_held.as_ref());
        let mut started = Vec::new();
        for _ in 0..ground.scale.repeats() {
            let before = moment();
            let mut receiver = Peer::start(ground, End::Here, &here, transport, &donor.address);
            let told = receiver.hear();
            assert_eq!(told.get("equal"), Some(&Value::Bool(true)), "{told}");
            started.push(number(&told, "at") - before);
            receiver.stop();
        }
        donor.stop();
        let what = format!("nothing changed, over {name}");
        let mut add = |part: &str, values: &[f64], unit: &'static str, limit: f64| {
            let figure = report.middle(format!("{what}, {part}"), values, unit);
            figure.at(entries).aim(Aim::Under(limit));
        };
        if ground.is_counted() {
            add("with handshake", &Met::each(&met, |it| it.bytes), "B", 3_000.0);
            add("over a link that stands, on the wire", &standing, "B", 200.0);
        }
        add("frames after the handshake", &Met::each(&met, |it| it.frames), "B", 200.0);
        add("dial to proved equality", &Met::each(&met, |it| it.ms), "ms", 5.0);
        add("spawn to proved equality", &started, "ms", 30.0);
    }
}

/// Two devices of one village hold so much, and the same; one of them saves so often while it is alone, then
/// dials. Each time both begin anew.
fn news(report: &mut Report, ground: &Ground, entries: u64) {
    let town = Town::written(Shape::of(entries));
    let (records, mut value) = (town.records(), 10_000_000);
    let (there, here) = (town.folder(HOMES[2]), town.folder(HOMES[3]));
    for (name, transport) in TRANSPORTS {
        for saves in ground.scale.news() {
            let mut met = Vec::new();
            for _ in 0..ground.scale.repeats_of_long() {
                for home in &HOMES[2..] {
                    town.furnish(home, true);
                }
                let mut hub = Peer::start(ground, End::There, &there, transport, NONE);
                let mut desk = Peer::start(ground, End::Here, &here, transport, NONE);
                let held = number(&hub.ask("tell"), "entries");
                desk.save(&records, *saves, &mut value);
                met.push(desk.meet(&hub.address));
                let learned = number(&hub.ask("tell"), "entries") - held;
                assert!(learned.total_cmp(&(*saves as f64)).is_eq(), "{learned} of {saves}");
                assert_eq!(desk.ask("contents"), hub.ask("contents"));
                desk.stop();
                hub.stop();
            }
            let what = format!("sync of {saves} new entries, over {name}");
            // Of two that have certificates, as nearly everybody has: each names its own.
            let within = |most| if *saves == 0 { Aim::Under(most) } else { Aim::None };
            let mut rows = vec![
                (format!("{what}, frames"), Met::each(&met, |it| it.frames), "B", within(200.0)),
                (what.clone(), Met::each(&met, |it| it.ms), "ms", within(5.0)),
            ];
            if ground.is_counted() {
                let bytes = Met::each(&met, |it| it.bytes);
                rows.push((what + ON_THE_WIRE, bytes, "B", within(3_000.0)));
            }
            for (what, values, unit, aim) in rows {
                report.middle(what, &values, unit).at(entries).news(*saves as u64).aim(aim);
            }
        }
    }
}
