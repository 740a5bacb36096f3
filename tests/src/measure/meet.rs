//! Two nodes, each a process, over real sockets: the first copy, meeting again, a save that is
//! pushed, edits made apart. Bytes are those a wire between two namespaces counted, headers and all.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crdt_schema::id::{FeedName, Space, StoreInstance};
use crdt_schema::time::Timestamp;
use node::ports::{FeedBatch, FeedStore as _};
use node::replica::INCARNATION;
use node::store::feed::RedbFeedStore;
use node::store::view::RedbViewStore;
use serde_json::Value;
use tempfile::TempDir;

use super::child::{self, number};
use super::hub::{self, VIEW_CACHE_BYTES, runs};
use super::link::{End, Wire};
use super::peer::{NONE, PEER};
use super::scale::{self, Scale};
use super::watch::moment;
use super::{Aim, Report};
use crate::world::{Feed, World, record_id};

const TRANSPORTS: [(&str, &str); 2] = [("QUIC", "udp/4100/quic-v1"), ("TCP", "tcp/4100")];
/// Names of the values a node's store holds from its first moment.
const STATEMENT: &[u8] = b"statement";
/// Records both sides edit, and edits each side makes apart.
const SHARED: usize = 20;
const APART: usize = 100;

pub(super) fn measure(report: &mut Report, scale: Scale) {
    let wire = Wire::new();
    let is_counted = f64::from(u8::from(wire.is_some()));
    report.add("bytes counted on a wire (1) or of frames alone (0)", is_counted, "");
    for records in scale.copied() {
        first_copy(report, wire.as_ref(), *records, scale);
    }
    for entries in scale.compared() {
        again(report, wire.as_ref(), *entries, scale);
    }
    edits(report, wire.as_ref(), scale);
}

/// Folders of nodes, and what is in the world they are of.
struct Town {
    room: TempDir,
    world: World,
    feeds: Vec<Feed>,
}

/// Who lives where in a town.
const HOMES: [&str; 4] = ["provinsi", "provinsi-2", "desa-1", "desa-2"];

impl Town {
    fn new(villages: usize, writers: usize, records: usize) -> Self {
        let room = TempDir::new().unwrap();
        let keys = HOMES.map(|name| room.path().join(name).join("keys"));
        let [province, other, first, second] = &keys;
        let world = World::at_home(villages, writers, [province, other, first, second]);
        let feeds = world.feeds(records);
        Self { room, world, feeds }
    }

    fn folder(&self, home: &str) -> PathBuf {
        self.room.path().join(home)
    }

    /// A node's stores: authority, and with `full` every record.
    fn furnish(&self, home: &str, full: bool) {
        let folder = self.folder(home);
        for name in ["feed.redb", "view.redb"] {
            drop(std::fs::remove_file(folder.join(name)));
        }
        let mut instance = [0; 16];
        instance.iter_mut().zip(home.bytes()).for_each(|(to, from)| *to = from);
        let instance = StoreInstance(instance);
        let mut feeds = RedbFeedStore::create(&folder.join("feed.redb"), instance).unwrap();
        let values = [
            (STATEMENT.to_vec(), Some(self.world.statement.as_bytes().to_vec())),
            (INCARNATION.to_vec(), Some(1u64.to_be_bytes().to_vec())),
        ];
        let batch = FeedBatch { values: values.into(), ..FeedBatch::default() };
        feeds.commit(&batch, Timestamp(0)).unwrap();
        let views = folder.join("view.redb");
        let views = RedbViewStore::open_or_create(&views, instance, VIEW_CACHE_BYTES).unwrap();
        let mut replica = hub::open(&self.world, feeds, views);
        hub::take(&mut replica, self.world.authority.iter().flat_map(runs));
        if full {
            hub::take(&mut replica, self.feeds.iter().flat_map(runs));
        }
        replica.settle_views().unwrap();
    }

    /// Ids of records of the first village's writers, one writer's after the other's.
    fn records(&self) -> Vec<String> {
        let (area, writers) = self.world.villages.first().unwrap();
        let of_writer = |device| {
            let name = FeedName { device, area: *area, space: Space::Records, incarnation: 1 };
            let count = self.feeds.first().map_or(0, |(_, runs)| {
                runs.iter().map(|run| run.block().unwrap().entries.len()).sum::<usize>() / 3
            });
            (0..count).map(move |number| record_id(name.id(), number).to_string())
        };
        writers.iter().flat_map(|writer| of_writer(writer.device())).collect()
    }
}

/// A node that runs as a child.
struct Peer {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    address: String,
}

impl Peer {
    /// Starts one at an end of the wire, and waits for what it says first.
    fn start(wire: Option<&Wire>, end: End, folder: &Path, transport: &str, peer: &str) -> Self {
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
        let mut started = Self { child, input, output, address: String::new() };
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
        let bytes = after.zip(before).map(|(after, before)| after - before);
        Met { ms: number(&told, "seconds") * 1e3, bytes: bytes.unwrap_or(frames), frames }
    }

    /// What passed the wire so far.
    fn bytes(&mut self) -> Option<f64> {
        self.ask("tell").get("passed").unwrap().as_f64()
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

/// The middle one.
fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn first_copy(report: &mut Report, wire: Option<&Wire>, records: u64, scale: Scale) {
    let (villages, writers, each) = scale::shape(records * 3);
    let town = Town::new(villages, writers, each);
    let held = (villages * writers * each) as f64;
    town.furnish(HOMES[0], true);
    for (name, transport) in TRANSPORTS {
        let donor = Peer::start(wire, End::There, &town.folder(HOMES[0]), transport, NONE);
        let (mut times, mut bytes, mut memory) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..if records > 1_000 { 3.min(scale.repeats()) } else { scale.repeats() } {
            town.furnish(HOMES[1], false);
            let folder = town.folder(HOMES[1]);
            let mut receiver = Peer::start(wire, End::Here, &folder, transport, NONE);
            let met = receiver.meet(&donor.address);
            let told = receiver.ask("tell");
            assert!(number(&told, "records").total_cmp(&held).is_eq(), "{told}");
            times.push(met.ms / 1e3);
            bytes.push(met.bytes / held);
            memory.push(number(&told, "peak_kib") / 1024.0);
            receiver.stop();
        }
        donor.stop();
        let limits = match records {
            1_000 => (Aim::Under(0.05), Aim::Under(24.0)),
            10_000 => (Aim::Under(0.25), Aim::Under(40.0)),
            100_000 => (Aim::Under(2.0), Aim::None),
            _ => (Aim::None, Aim::None),
        };
        let mut add = |what: String, value: f64, unit: &'static str, aim: Aim| {
            report.add(what, value, unit).at(records).aim(aim);
        };
        add(
            format!("first copy over {name}, dial to proved equality"),
            middle(times),
            "s",
            limits.0,
        );
        let per_record = if records >= 1_000 { Aim::Under(100.0) } else { Aim::None };
        add(format!("first copy over {name}, on the wire"), middle(bytes), "B/record", per_record);
        add(format!("first copy over {name}, receiver's memory"), middle(memory), "MiB", limits.1);
    }
}

/// Two nodes that hold the same meet; then one of them is a new process.
fn again(report: &mut Report, wire: Option<&Wire>, entries: u64, scale: Scale) {
    let (villages, writers, each) = scale::shape(entries);
    let town = Town::new(villages, writers, each);
    for home in &HOMES[..2] {
        town.furnish(home, true);
    }
    let (there, here) = (town.folder(HOMES[0]), town.folder(HOMES[1]));
    for (name, transport) in TRANSPORTS {
        let donor = Peer::start(wire, End::There, &there, transport, NONE);
        let (mut met, mut standing) = (Vec::new(), Vec::new());
        for _ in 0..scale.repeats() {
            let mut receiver = Peer::start(wire, End::Here, &here, transport, NONE);
            met.push(receiver.meet(&donor.address));
            standing.push(receiver.compare("again", &donor.address).bytes);
            receiver.stop();
        }
        let mut started = Vec::new();
        for _ in 0..scale.repeats() {
            let before = moment();
            let mut receiver = Peer::start(wire, End::Here, &here, transport, &donor.address);
            let told = receiver.hear();
            assert_eq!(told.get("equal"), Some(&Value::Bool(true)), "{told}");
            started.push(number(&told, "at") - before);
            receiver.stop();
        }
        donor.stop();
        let of = |part: &dyn Fn(&Met) -> f64| middle(met.iter().map(part).collect());
        let mut add = |what: String, value: f64, unit: &'static str, limit: f64| {
            report.add(what, value, unit).at(entries).aim(Aim::Under(limit));
        };
        let what = format!("nothing changed, over {name}");
        add(format!("{what}, with handshake"), of(&|it| it.bytes), "B", 3_000.0);
        add(format!("{what}, frames after the handshake"), of(&|it| it.frames), "B", 200.0);
        add(format!("{what}, over a link that stands, on the wire"), middle(standing), "B", 200.0);
        add(format!("{what}, dial to proved equality"), of(&|it| it.ms), "ms", 5.0);
        add(format!("{what}, spawn to proved equality"), middle(started), "ms", 30.0);
    }
}

/// Two devices of one village: a save while they are connected, then edits made apart.
fn edits(report: &mut Report, wire: Option<&Wire>, scale: Scale) {
    let small = scale == Scale::Smoke;
    let (apart, shared) = if small { (4, 2) } else { (APART, SHARED) };
    let each = if small { 12 } else { 500 };
    let town = Town::new(1, 2, each);
    let records = town.records();
    let (of_first, of_second) = records.split_at(records.len() / 2);
    for (name, transport) in TRANSPORTS {
        for home in &HOMES[2..] {
            town.furnish(home, true);
        }
        let [there, here] = [HOMES[2], HOMES[3]].map(|home| town.folder(home));
        let mut hub = Peer::start(wire, End::There, &there, transport, NONE);
        let mut desk = Peer::start(wire, End::Here, &here, transport, NONE);
        let address = hub.address.clone();
        desk.meet(&address);
        let mut held = number(&hub.ask("tell"), "entries");
        let (mut times, mut bytes) = (Vec::new(), Vec::new());
        for (turn, record) in of_second.iter().take(scale.repeats() + 1).enumerate() {
            let before = desk.bytes().unwrap_or_default();
            held += 1.0;
            hub.order(&format!("await {held}"));
            let saved = desk.ask(&format!("edit peserta_p {} {record}", 50 + turn));
            let seen = hub.hear();
            // The first save makes a feed known; words that follow it are part of its price.
            std::thread::sleep(std::time::Duration::from_millis(if small { 0 } else { 300 }));
            if turn > 0 {
                times.push(number(&seen, "at") - number(&saved, "began"));
                bytes.push(desk.bytes().unwrap_or_default() - before);
            }
        }
        desk.stop();
        let at = hub.ask("tell");
        let mut add = |what: &str, value: f64, unit: &'static str, aim: Aim| {
            report.add(format!("{what}, over {name}"), value, unit).aim(aim);
        };
        if !small {
            add("one edit, save begun to held by the peer", middle(times), "ms", Aim::Under(1.3));
            add("one edit, on the wire", middle(bytes), "B", Aim::Under(400.0));
        }
        let conflicts = number(&at, "conflicts");
        // Apart: nobody is connected.
        let mut desk = Peer::start(wire, End::Here, &here, transport, NONE);
        let skip = scale.repeats() + 1;
        hub.ask(&edit("durasi", "7", of_first.iter().take(apart)));
        desk.ask(&edit("durasi", "8", of_second.iter().skip(skip % each).take(apart)));
        let met = desk.meet(&address);
        let made = format!("{apart} + {apart} edits made apart");
        add(&made, met.ms, "ms", Aim::Under(20.0));
        add(&format!("{made}, on the wire"), met.bytes / 1e3, "kB", Aim::Under(25.0));
        desk.stop();
        let mut desk = Peer::start(wire, End::Here, &here, transport, NONE);
        let before = number(&hub.ask("tell"), "entries");
        hub.ask(&edit("tempat", "Balai", of_first.iter().take(shared)));
        desk.ask(&edit("tempat", "Sekolah", of_first.iter().take(shared)));
        desk.meet(&address);
        let (there, here) = (hub.ask("tell"), desk.ask("tell"));
        let kept = number(&there, "entries") - before;
        assert_eq!(there.get("entries"), here.get("entries"));
        add(
            "the same records edited on both sides, edits kept",
            kept,
            "",
            Aim::Exactly(2.0 * shared as f64),
        );
        let seen = number(&there, "conflicts").min(number(&here, "conflicts")) - conflicts;
        add(
            "the same records edited on both sides, conflicts shown",
            seen,
            "",
            Aim::Exactly(shared as f64),
        );
        desk.stop();
        hub.stop();
    }
}

fn edit<'a>(field: &str, value: &str, records: impl Iterator<Item = &'a String>) -> String {
    records.fold(format!("edit {field} {value}"), |line, id| line + " " + id)
}
