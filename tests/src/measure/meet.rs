//! Two nodes, each a process, over real sockets: the first copy, meeting again, a save that is
//! pushed, edits made apart. Bytes are those a wire between two namespaces counted, headers and all.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::child::{self, number};
use super::link::{End, Wire};
use super::peer::{NONE, PEER};
use super::scale::{Scale, Shape};
use super::town::{HOMES, Town};
use super::watch::moment;
use super::{Aim, Report};

const TRANSPORTS: [(&str, &str); 2] = [("QUIC", "udp/4100/quic-v1"), ("TCP", "tcp/4100")];
/// Behind the name of what the wire counted.
pub(super) const ON_THE_WIRE: &str = ", on the wire";
/// For words that follow, which are part of the price of what was said before: the last
/// acknowledgements come late.
const LAST_WORDS: Duration = Duration::from_millis(300);
/// Until a node may renew its rows again.
const REST: Duration = Duration::from_secs(12);
/// For the comparison after a save; and for rows, which wait a minute for frames that take them along.
const COMPARED: Duration = Duration::from_secs(4);
const ROWS_TOLD: Duration = Duration::from_secs(65);
/// How often something is counted that takes so long.
const MINUTES: usize = 2;
/// Records both sides edit, and edits each side makes apart.
const SHARED: usize = 20;
const APART: usize = 100;

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
    edits(report, &ground);
    if ground.is_counted() {
        with_a_hub(report, &ground);
    }
}

/// Where nodes meet: on a wire that counts, or on loopback.
struct Ground {
    wire: Option<Wire>,
    scale: Scale,
}

impl Ground {
    fn is_small(&self) -> bool {
        self.scale == Scale::Smoke
    }

    /// What passes the wire from the beginning of some work until all that follows from it was said, after
    /// a rest: a node renews its rows every ten seconds at most.
    fn followed(&self, peer: &mut Peer, follows: Duration, work: impl FnOnce(&mut Peer)) -> f64 {
        let [rest, follows] = if self.is_small() { [Duration::ZERO; 2] } else { [REST, follows] };
        std::thread::sleep(rest);
        let before = peer.bytes();
        work(peer);
        std::thread::sleep(follows);
        peer.bytes() - before
    }

    /// The same of several edits, one after the other.
    fn edits_followed(&self, peer: &mut Peer, follows: Duration, record: &String) -> Vec<f64> {
        let mut edited = |value: usize| {
            let edit = edit("peserta_p", &value.to_string(), [record]);
            self.followed(peer, follows, |peer| drop(peer.ask(&edit)))
        };
        (900..900 + MINUTES).map(&mut edited).collect()
    }

    /// Whether there are bytes of a wire to be told.
    const fn is_counted(&self) -> bool {
        self.wire.is_some()
    }
}

/// A node that runs as a child.
struct Peer {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    address: String,
    /// How long its wire is watched after something was said.
    last_words: Duration,
}

impl Peer {
    /// Starts one at an end of the wire, and waits for what it says first.
    fn start(ground: &Ground, end: End, folder: &Path, transport: &str, peer: &str) -> Self {
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

    fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    fn order(&mut self, order: &str) {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{order}").unwrap();
        input.flush().unwrap();
    }

    fn ask(&mut self, order: &str) -> Value {
        self.order(order);
        self.hear()
    }

    /// Dials and reconciles once.
    fn meet(&mut self, address: &str) -> Met {
        self.compare("dial", address)
    }

    /// Reconciles once, as the order says; both sides are proved equal.
    fn compare(&mut self, order: &str, address: &str) -> Met {
        let before = self.bytes();
        let told = self.ask(&format!("{order} {address}"));
        assert_eq!(told.get("equal"), Some(&Value::Bool(true)), "{told}");
        let after = self.bytes();
        let frames = number(&told, "frame_bytes");
        Met { ms: number(&told, "seconds") * 1e3, bytes: after - before, frames }
    }

    /// What passed the wire so far, with the words that follow what was said; 0 where there is none.
    fn bytes(&mut self) -> f64 {
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

    fn stop(mut self) {
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
struct Met {
    ms: f64,
    bytes: f64,
    frames: f64,
}

impl Met {
    /// One side of several meetings.
    fn each(met: &[Self], of: impl Fn(&Self) -> f64) -> Vec<f64> {
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
        for _ in 0..repeats {
            town.furnish(HOMES[1], false);
            let folder = town.folder(HOMES[1]);
            let mut receiver = Peer::start(ground, End::Here, &folder, transport, NONE);
            met.push(receiver.meet(&donor.address));
            let told = receiver.ask("tell");
            assert!(number(&told, "records").total_cmp(&held).is_eq(), "{told}");
            memory.push(receiver.peak_mib());
            let given = given.get_or_insert_with(|| donor.ask("contents"));
            assert_eq!(*given, receiver.ask("contents"));
            receiver.stop();
        }
        let (in_time, in_memory) = match records {
            1_000 => (Aim::Under(0.05), Aim::Under(24.0)),
            10_000 => (Aim::Under(0.25), Aim::Under(40.0)),
            100_000 => (Aim::Under(2.0), Aim::None),
            _ => (Aim::None, Aim::None),
        };
        let what = format!("first copy over {name}");
        let times = Met::each(&met, |it| it.ms / 1e3);
        let figure = report.middle(format!("{what}, dial to proved equality"), &times, "s");
        figure.at(records).aim(in_time);
        let bytes = Met::each(&met, |it| it.bytes / held);
        if ground.is_counted() {
            let figure = report.middle(format!("{what}{ON_THE_WIRE}"), &bytes, "B/record");
            figure.at(records).aim(Aim::Under(100.0));
        }
        let figure = report.middle(format!("{what}, receiver's memory"), &memory, "MiB");
        figure.at(records).aim(in_memory);
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
        let donor = Peer::start(ground, End::There, &there, transport, NONE);
        let (mut met, mut standing) = (Vec::new(), Vec::new());
        for _ in 0..ground.scale.repeats() {
            let mut receiver = Peer::start(ground, End::Here, &here, transport, NONE);
            met.push(receiver.meet(&donor.address));
            standing.push(receiver.compare("again", &donor.address).bytes);
            receiver.stop();
        }
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

/// Two devices of one village hold the same; one of them saves so often while it is alone, then dials.
fn news(report: &mut Report, ground: &Ground, entries: u64) {
    let town = Town::written(Shape::of(entries));
    for home in &HOMES[2..] {
        town.furnish(home, true);
    }
    let (records, mut value) = (town.records(), 10_000_000);
    let (there, here) = (town.folder(HOMES[2]), town.folder(HOMES[3]));
    for (name, transport) in TRANSPORTS {
        let hub = Peer::start(ground, End::There, &there, transport, NONE);
        for saves in ground.scale.news() {
            let mut met = Vec::new();
            for _ in 0..ground.scale.repeats_of_long() {
                let mut desk = Peer::start(ground, End::Here, &here, transport, NONE);
                desk.save(&records, *saves, &mut value);
                met.push(desk.meet(&hub.address));
                desk.stop();
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
        hub.stop();
    }
}

/// A village and the hub above it, between which rows go as well: an edit that is pushed, and meeting
/// again, each with all that follows.
fn with_a_hub(report: &mut Report, ground: &Ground) {
    let each = if ground.is_small() { 12 } else { 500 };
    let town = Town::written(Shape::even(1, 2, each));
    let records = town.records();
    for (name, transport) in TRANSPORTS {
        for home in [HOMES[0], HOMES[2]] {
            town.furnish(home, true);
        }
        let [there, here] = [HOMES[0], HOMES[2]].map(|home| town.folder(home));
        let hub = Peer::start(ground, End::There, &there, transport, NONE);
        let mut report = Over { report: &mut *report, name };
        let mut desk = Peer::start(ground, End::Here, &here, transport, NONE);
        desk.meet(&hub.address);
        let edits = ground.edits_followed(&mut desk, ROWS_TOLD, records.first().unwrap());
        desk.stop();
        let mut again = Vec::new();
        for _ in 0..MINUTES {
            let mut desk = Peer::start(ground, End::Here, &here, transport, NONE);
            again.push(ground.followed(&mut desk, ROWS_TOLD, |desk| {
                desk.meet(&hub.address);
            }));
            desk.stop();
        }
        hub.stop();
        let what = "a village and its hub";
        let edit = format!("{what}, one edit and all that follows it{ON_THE_WIRE}");
        report.add(&edit, &edits, "B", Aim::None);
        let again_is = format!("{what}, nothing changed and all that follows{ON_THE_WIRE}");
        report.add(&again_is, &again, "B", Aim::None);
    }
}

/// Two devices of one village: a save while they are connected, then edits made apart.
fn edits(report: &mut Report, ground: &Ground) {
    let each = if ground.is_small() { 12 } else { 500 };
    let town = Town::written(Shape::even(1, 2, each));
    let records = town.records();
    for (name, transport) in TRANSPORTS {
        for home in &HOMES[2..] {
            town.furnish(home, true);
        }
        let [there, here] = [HOMES[2], HOMES[3]].map(|home| town.folder(home));
        let mut hub = Peer::start(ground, End::There, &there, transport, NONE);
        let start = || Peer::start(ground, End::Here, &here, transport, NONE);
        let mut report = Over { report: &mut *report, name };
        one_edit(&mut report, ground, (&mut hub, start()), &records);
        made_apart(&mut report, ground, (&mut hub, start), &records);
        same_records(&mut report, ground, (&mut hub, start()), &records);
        hub.stop();
    }
}

/// Figures over one transport.
struct Over<'a> {
    report: &'a mut Report,
    name: &'static str,
}

impl Over<'_> {
    fn add(&mut self, what: &str, values: &[f64], unit: &'static str, aim: Aim) {
        self.report.middle(format!("{what}, over {}", self.name), values, unit).aim(aim);
    }
}

/// Saves while both are connected: each is pushed.
fn one_edit(
    report: &mut Over<'_>,
    ground: &Ground,
    (hub, mut desk): (&mut Peer, Peer),
    records: &[String],
) {
    desk.meet(&hub.address);
    let mut held = number(&hub.ask("tell"), "entries");
    let mut save = |desk: &mut Peer, value: usize, record| {
        held += 1.0;
        hub.order(&format!("await {held}"));
        let saved = desk.ask(&edit("peserta_p", &value.to_string(), [record]));
        number(&hub.hear(), "at") - number(&saved, "began")
    };
    let (mut times, mut bytes, mut at_once) = (Vec::new(), Vec::new(), Vec::new());
    for (turn, record) in records.iter().rev().take(ground.scale.repeats() + 1).enumerate() {
        let before = desk.bytes();
        let took = save(&mut desk, 50 + turn, record);
        let after = desk.bytes();
        // The first save makes a feed known.
        if turn > 0 {
            times.push(took);
            bytes.push(after - before);
        }
    }
    for (turn, record) in records.iter().rev().take(ground.scale.repeats()).enumerate() {
        at_once.push(save(&mut desk, 70 + turn, record));
    }
    let followed = ground.edits_followed(&mut desk, COMPARED, records.first().unwrap());
    desk.stop();
    if ground.is_counted() {
        report.add("one edit and all that follows it, on the wire", &followed, "B", Aim::None);
    }
    if !ground.is_small() {
        let what = "one edit, save begun to held by the peer";
        report.add(what, &times, "ms", Aim::Under(1.3));
        report.add(&format!("{what}, right after another"), &at_once, "ms", Aim::Under(1.3));
        if ground.is_counted() {
            report.add("one edit, on the wire", &bytes, "B", Aim::Under(400.0));
        }
    }
}

/// Nobody is connected while both save, each its own records.
fn made_apart(
    report: &mut Over<'_>,
    ground: &Ground,
    (hub, start): (&mut Peer, impl Fn() -> Peer),
    records: &[String],
) {
    let apart = if ground.is_small() { 4 } else { APART };
    let (mut met, mut held) = (Vec::new(), number(&hub.ask("tell"), "entries"));
    for turn in 0..ground.scale.repeats_of_long() {
        let mut desk = start();
        hub.ask(&edit("durasi", &(10 + turn).to_string(), records.iter().take(apart)));
        desk.ask(&edit("durasi", &(20 + turn).to_string(), records.iter().rev().take(apart)));
        met.push(desk.meet(&hub.address));
        assert_eq!(desk.ask("contents"), hub.ask("contents"));
        held += 2.0 * apart as f64;
        assert!(number(&desk.ask("tell"), "entries").total_cmp(&held).is_eq());
        desk.stop();
    }
    let made = format!("{apart} + {apart} edits made apart");
    report.add(&made, &Met::each(&met, |it| it.ms), "ms", Aim::Under(20.0));
    if ground.is_counted() {
        let bytes = Met::each(&met, |it| it.bytes / 1e3);
        report.add(&(made + ON_THE_WIRE), &bytes, "kB", Aim::Under(25.0));
    }
}

/// Nobody is connected while both save the same records.
fn same_records(
    report: &mut Over<'_>,
    ground: &Ground,
    (hub, mut desk): (&mut Peer, Peer),
    records: &[String],
) {
    let shared = if ground.is_small() { 2 } else { SHARED };
    let before = hub.ask("tell");
    hub.ask(&edit("tempat", "Balai", records.iter().take(shared)));
    desk.ask(&edit("tempat", "Sekolah", records.iter().take(shared)));
    desk.meet(&hub.address);
    let (there, here) = (hub.ask("tell"), desk.ask("tell"));
    assert_eq!(there.get("entries"), here.get("entries"));
    assert_eq!(hub.ask("contents"), desk.ask("contents"));
    let kept = number(&there, "entries") - number(&before, "entries");
    let shown = number(&there, "conflicts").min(number(&here, "conflicts"));
    let shown = shown - number(&before, "conflicts");
    let what = "the same records edited on both sides";
    let both = Aim::Exactly(2.0 * shared as f64);
    report.add(&format!("{what}, edits kept"), &[kept], "", both);
    report.add(&format!("{what}, conflicts shown"), &[shown], "", Aim::Exactly(shared as f64));
    desk.stop();
}

fn edit<'a>(field: &str, value: &str, records: impl IntoIterator<Item = &'a String>) -> String {
    records.into_iter().fold(format!("edit {field} {value}"), |line, id| line + " " + id)
}
