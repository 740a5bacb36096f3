//! Power cuts: the disk is copied at a moment nobody chose, and the node goes on from the copy.
//!
//! What the system had not handed to the disk by then is gone, as it is when the power goes; what the
//! disk itself might still lose is the store's own test (`node/src/store/durability.rs`), where every
//! write is cut. `WKSBM_LAB_CUTS=500` is the long form, `WKSBM_LAB_CUT_SEED` another run of it.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::disk::Pool;
use crate::mesh::{DESA, KECAMATAN, OTHER_DESA};
use crate::net::Lab;
use crate::node::{LabNode, count, text};
use crate::process::Process;

/// Cuts of the short form.
const CUTS: u64 = 10;
const SEED: u64 = 20_261_126;
/// Room for all of it: a smaller disk would end what is carried for the neighbour.
const DISK_MIB: u64 = 128;
/// A command of ours ends in this time, or nothing ends here.
const COMMAND: Duration = Duration::from_secs(120);
/// The first guess of how long a command takes; measured from then on.
const GUESS: Duration = Duration::from_millis(200);

/// Splitmix: the same seed draws the same moments.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit.max(1)
    }
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

/// What was acknowledged before a cut: of each feed its newest entry, for a chain holds all before
/// it; and every record.
#[derive(Debug, Default)]
struct Ledger {
    newest: BTreeMap<String, (String, Value)>,
    records: Vec<String>,
    /// Those that the node itself made, and may change.
    own: Vec<String>,
}

impl Ledger {
    /// What a command acknowledged.
    fn took(&mut self, (saved, is_own): &(Value, bool)) {
        let (record, entry) = (text(saved, "record"), saved.get("entry").unwrap());
        let feed = text(entry, "feed").to_owned();
        self.newest.insert(feed, (record.to_owned(), entry.clone()));
        if !self.records.iter().any(|known| known == record) {
            self.records.push(record.to_owned());
            self.own.extend(is_own.then(|| record.to_owned()));
        }
    }

    #[track_caller]
    fn is_in(&self, node: &LabNode) {
        node.verifies();
        for (record, entry) in self.newest.values() {
            let history = node.done(&["record", "history", record]);
            let edits = history.get("edits").unwrap().as_array().unwrap();
            let held = edits.iter().any(|edit| edit.get("entry") == Some(entry));
            assert!(held, "an acknowledged entry is gone: {entry} of {record}");
        }
        let listed = count(&node.done(&["record", "list", "--limit", "1"]), "/total");
        let acknowledged = self.records.len() as u64;
        assert!(listed >= acknowledged, "{listed} of {acknowledged} acknowledged records");
    }
}

/// Where bundles come from: another desa, on a disk that stays.
struct Neighbour {
    node: LabNode,
    made: u64,
}

impl Neighbour {
    /// The next bundle, and the newest save in it.
    fn bundle(&mut self) -> (String, Value) {
        self.made += 1;
        let mut newest = Value::Null;
        for number in 0..2 {
            newest = save(&self.node, OTHER_DESA, self.made * 10 + number);
        }
        let file = self.node.file(&format!("{}.wksbm", self.made));
        self.node.done(&["bundle", "export", "--all", "--clear", "-o", &file]);
        (file, newest)
    }
}

fn add_line<'a>(area: &'a str, title: &'a str) -> Vec<&'a str> {
    let line = ["record", "add", "kegiatan", "--area", area, "-f", title];
    let fields = ["-f", "kode_program=G.5.1.4", "-f", "jenis=rapat", "-f", "tanggal=2026-03-01"];
    [&line[..], &fields].concat()
}

#[track_caller]
fn save(node: &LabNode, area: &str, number: u64) -> Value {
    node.done(&add_line(area, &format!("judul=Rapat {number}")))
}

/// One command under way, and what it acknowledges when it has answered.
struct Work {
    process: Process,
    brings: Option<Value>,
}

fn begin(
    node: &LabNode,
    neighbour: &mut Neighbour,
    ledger: &Ledger,
    chance: &mut Chance,
) -> (&'static str, Work) {
    let turn = chance.below(10);
    let some = chance.below(ledger.own.len() as u64);
    let known = ledger.own.get(usize::try_from(some).unwrap());
    match (turn, known) {
        (0..=2, _) => {
            let (file, newest) = neighbour.bundle();
            let process = node.begin(&["bundle", "import", &file]);
            ("bundle import", Work { process, brings: Some(newest) })
        }
        (3..=5, Some(record)) => {
            let place = format!("tempat=Balai {}", chance.below(1 << 30));
            let process = node.begin(&["record", "set", record, "-f", &place]);
            ("record set", Work { process, brings: None })
        }
        _ => {
            let title = format!("judul=Rapat {}", chance.below(1 << 30));
            let process = node.begin(&add_line(DESA, &title));
            ("record add", Work { process, brings: None })
        }
    }
}

impl Work {
    /// What it has acknowledged by now.
    fn acknowledged(&self) -> Option<(Value, bool)> {
        let said = self.process.said();
        let answer: Value = serde_json::from_str(said.strip_suffix('\n')?).unwrap();
        assert!(answer.get("error").is_none(), "{answer}");
        Some(self.told(answer))
    }

    fn end(mut self) -> (Value, bool) {
        let answer = self.process.answer(COMMAND);
        assert_eq!(answer.exit, 0, "{}", answer.object);
        self.told(answer.object)
    }

    /// A save and whether it is the node's own; of an import the newest that it brought.
    fn told(&self, answer: Value) -> (Value, bool) {
        let is_own = self.brings.is_none();
        (self.brings.clone().unwrap_or(answer), is_own)
    }
}

#[test]
fn what_was_acknowledged_outlives_a_power_cut_at_any_moment() {
    let Some(lab) = Lab::new("power") else { return };
    let Some(pool) = Pool::new(lab.room()) else { return };
    let names = ["prov", "kec", "desa", "lain"];
    let [mut province, mut office, mut node, mut other] = names.map(|name| lab.node(name));
    let disk = pool.disk(node.data(), DISK_MIB);
    province.found();
    province.enrol(&mut office, KECAMATAN);
    office.enrol(&mut node, DESA);
    office.enrol(&mut other, OTHER_DESA);
    office.carry_all_to(&node);
    let mut neighbour = Neighbour { node: other, made: 0 };
    // What goes on from each cut: the same device, on the copy.
    let mut rest = lab.node("sisa");

    let mut chance = Chance(number("WKSBM_LAB_CUT_SEED", SEED));
    let cuts = number("WKSBM_LAB_CUTS", CUTS);
    let (mut ledger, mut hit) = (Ledger::default(), BTreeMap::<String, u64>::new());
    let (mut took, mut fastest) = (GUESS, GUESS);
    for cut in 0..cuts {
        // Half of them on one command after the other, half on a node that stays up.
        if cut == cuts / 2 {
            node.run(&[]);
        }
        let (what, work) = begin(&node, &mut neighbour, &ledger, &mut chance);
        // A busy machine takes ten times as long as it does a moment later: every other cut falls
        // where even the fastest command is still under way.
        let span = if cut % 2 == 0 { fastest } else { took };
        let moment = u64::try_from(span.as_micros()).unwrap() * 5 / 4;
        sleep(Duration::from_micros(chance.below(moment)));
        let acknowledged = work.acknowledged();
        if let Some(saved) = &acknowledged {
            ledger.took(saved);
        }
        let left = pool.cut(&disk);
        let how = if acknowledged.is_some() { "answered" } else { "under way" };
        *hit.entry(format!("{what} {how}")).or_default() += 1;

        let folder = lab.room().join("cut");
        let copy = left.mounted(&folder);
        rest.move_data(&folder);
        ledger.is_in(&rest);
        save(&rest, DESA, cut);
        copy.discard();

        ledger.took(&work.end());
        took = one_more(&node, &mut neighbour, &mut ledger, &mut chance);
        fastest = fastest.min(took);
    }
    node.stop();
    ledger.is_in(&node);
    crate::tell(&format!(
        "power: {cuts} cuts, {hit:?}, {} records acknowledged, none lost",
        ledger.records.len()
    ));
    assert_eq!(hit.values().sum::<u64>(), cuts);
    assert!(hit.keys().any(|it| it.ends_with("under way")), "nothing was at stake: {hit:?}");
}

/// A whole command between two cuts; how long it took.
fn one_more(
    node: &LabNode,
    neighbour: &mut Neighbour,
    ledger: &mut Ledger,
    chance: &mut Chance,
) -> Duration {
    let (_, work) = begin(node, neighbour, ledger, chance);
    let begun = Instant::now();
    ledger.took(&work.end());
    begun.elapsed()
}
