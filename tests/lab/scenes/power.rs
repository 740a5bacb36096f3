//! Power cuts: the disk is copied at a moment nobody chose, and the node goes on from the copy.
//!
//! What the system had not handed to the disk by then is gone, as it is when the power goes; what the
//! disk itself might still lose is the store's own test (`node/src/store/durability.rs`), where every
//! write is cut. `WKSBM_LAB_CUTS=500` is the long form, `WKSBM_LAB_CUT_SEED` another run of it.
//!
//! A quarter of the cuts fall at any time of a command, a quarter while its program starts and opens, a
//! quarter soon after it began to write, which a preloaded library tells, and a quarter while that
//! library holds its first write back: nothing may have been answered there, however fast the machine.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crdt_schema::testing::Numbers;
use serde_json::Value;

use crate::disk::{Disk, Pool};
use crate::failing::Failing;
use crate::mesh::{DESA, KECAMATAN, OTHER_DESA, SOON, equal};
use crate::net::Lab;
use crate::node::{LabNode, text};
use crate::process::Process;
use crate::system::{pause, resume};

/// Cuts of the short form.
const CUTS: u64 = 10;
const SEED: u64 = 20_261_126;
/// Room for all of it: a smaller disk would end what is carried for the neighbour.
const DISK_MIB: u64 = 128;
/// A command of ours ends in this time, or nothing ends here.
const COMMAND: Duration = Duration::from_secs(120);
/// The first guess of how long a command takes; measured from then on.
const GUESS: Duration = Duration::from_millis(200);
/// From the first write of a command on: a commit and its answer.
const COMMIT: Duration = Duration::from_millis(40);
/// Between two looks whether it writes.
const LOOK: Duration = Duration::from_micros(500);
/// Every so many cuts the copy is cut as well, while it takes up what the first cut left.
const TWICE_EVERY: u64 = 5;
/// Records of a list, at most: a cut makes four or five.
const LISTED: &str = "10000";
/// Cuts from which on each kind of moment must have come.
const MANY: u64 = 100;

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
        let status = node.done(&["status"]);
        assert_eq!(status.get("forks"), Some(&serde_json::json!([])), "a cut made a fork");
        for (record, entry) in self.newest.values() {
            let history = node.done(&["record", "history", record]);
            let edits = history.get("edits").unwrap().as_array().unwrap();
            let held = edits.iter().any(|edit| edit.get("entry") == Some(entry));
            assert!(held, "an acknowledged entry is gone: {entry} of {record}");
        }
        let listed = node.done(&["record", "list", "--limit", LISTED]);
        let rows = listed.get("records").unwrap().as_array().unwrap();
        let held: BTreeSet<&str> = rows.iter().map(|row| text(row, "record")).collect();
        let gone = self.records.iter().find(|record| !held.contains(record.as_str()));
        assert_eq!(gone, None, "an acknowledged record is gone");
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

/// The next command: its name, its line, and the newest entry that it brings from elsewhere.
fn next(
    neighbour: &mut Neighbour,
    ledger: &Ledger,
    chance: &mut Numbers,
) -> (&'static str, Vec<String>, Option<Value>) {
    let turn = chance.below(10);
    let known = ledger.own.get(chance.below(ledger.own.len()));
    let line = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match (turn, known) {
        (0..=2, _) => {
            let (file, newest) = neighbour.bundle();
            ("bundle import", line(&["bundle", "import", &file]), Some(newest))
        }
        (3..=5, Some(record)) => {
            let place = format!("tempat=Balai {}", chance.below(1 << 30));
            ("record set", line(&["record", "set", record, "-f", &place]), None)
        }
        _ => {
            let title = format!("judul=Rapat {}", chance.below(1 << 30));
            ("record add", line(&add_line(DESA, &title)), None)
        }
    }
}

fn words(line: &[String]) -> Vec<&str> {
    line.iter().map(String::as_str).collect()
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

/// Where a cut falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// At any time of a command, and behind its end.
    Any,
    /// While even the fastest is under way.
    Early,
    /// Soon after it began to write.
    Writing,
    /// Before the first write reaches the disk.
    Held,
}

impl Moment {
    const ALL: [Self; 4] = [Self::Any, Self::Early, Self::Writing, Self::Held];
}

/// A village's device whose disk is copied, what it is connected to, and what goes on from a copy.
struct Stage<'a> {
    lab: &'a Lab,
    pool: &'a Pool,
    failing: &'a Failing,
    hub: LabNode,
    node: LabNode,
    disk: Disk,
    neighbour: Neighbour,
    /// The same device, on the copy.
    rest: LabNode,
    chance: Numbers,
    ledger: Ledger,
    hit: BTreeMap<String, u64>,
    /// Entries that the hub held at cuts.
    pushed: BTreeSet<u64>,
    took: Duration,
    fastest: Duration,
    /// A whole command that opened the store itself.
    alone: Duration,
    /// Answers on a copy before its own power went.
    second: u64,
}

impl<'a> Stage<'a> {
    fn new(lab: &'a Lab, pool: &'a Pool, failing: &'a Failing) -> Self {
        let names = ["prov", "kec", "desa", "lain"];
        let [mut province, mut hub, mut node, mut other] = names.map(|name| lab.node(name));
        let disk = pool.disk(node.data(), DISK_MIB);
        province.found();
        province.enrol(&mut hub, KECAMATAN);
        hub.enrol(&mut node, DESA);
        hub.enrol(&mut other, OTHER_DESA);
        hub.carry_all_to(&node);
        let neighbour = Neighbour { node: other, made: 0 };
        let (mut rest, chance) =
            (lab.node("sisa"), Numbers::new(number("WKSBM_LAB_CUT_SEED", SEED)));
        rest.device.clone_from(&node.device);
        let (ledger, hit, took, fastest) = (Ledger::default(), BTreeMap::new(), GUESS, GUESS);
        let mut stage = Self {
            lab,
            pool,
            failing,
            hub,
            node,
            disk,
            neighbour,
            rest,
            chance,
            ledger,
            hit,
            pushed: BTreeSet::new(),
            took,
            fastest,
            alone: GUESS,
            second: 0,
        };
        stage.node.set_environment(failing.watching(stage.node.data()));
        stage
    }

    /// Waits for a moment to cut at.
    fn wait(&mut self, work: &mut Work, moment: Moment) {
        let span = match moment {
            Moment::Any => self.took * 5 / 4,
            Moment::Early => self.fastest * 5 / 4,
            Moment::Writing | Moment::Held => {
                while self.failing.failed() == 0 {
                    assert!(!work.process.has_ended(), "nothing told of the writes of a command");
                    sleep(LOOK);
                }
                COMMIT
            }
        };
        self.sleep_within(span);
    }

    fn sleep_within(&mut self, span: Duration) {
        let micros = self.chance.below(usize::try_from(span.as_micros()).unwrap());
        sleep(Duration::from_micros(u64::try_from(micros).unwrap()));
    }

    /// Cuts the power in the middle of something, and looks at what is left.
    fn cut(&mut self, number: u64, runs: bool) {
        let turn = usize::try_from(number).unwrap() % Moment::ALL.len();
        let moment = *Moment::ALL.get(turn).unwrap();
        let (what, line, brings) = next(&mut self.neighbour, &self.ledger, &mut self.chance);
        // Of a node that stays up the write may be a note of its own, half a second behind a save.
        self.failing.forget();
        if moment == Moment::Held {
            self.failing.hold();
        }
        let mut work = Work { process: self.node.begin(&words(&line)), brings };
        self.wait(&mut work, moment);
        // Of a node that runs nothing more reaches the hub from here on.
        if runs {
            pause(self.node.process().pid());
        }
        let acknowledged = work.acknowledged();
        if let Some(saved) = &acknowledged {
            assert_ne!(moment, Moment::Held, "answered before the first write: {saved:?}");
            self.ledger.took(saved);
        }
        let left = self.pool.cut(&self.disk);
        let pushed = runs.then(|| self.hub.root(DESA).entries);
        if runs {
            resume(self.node.process().pid());
        }
        self.failing.release();

        let ended = work.end();
        let folder = self.lab.room().join("cut");
        let copy = left.mounted(&folder);
        self.rest.move_data(&folder);
        let is_twice = number.is_multiple_of(TWICE_EVERY);
        let copy = if is_twice { self.cut_again(copy) } else { copy };
        self.ledger.is_in(&self.rest);
        let held = self.rest.root(DESA).entries;
        // One that was cut twice may hold a save of its own.
        if let Some(pushed) = pushed.filter(|_| !is_twice) {
            assert!(pushed <= held, "the hub holds {pushed} entries of which {held} were durable");
            self.pushed.insert(pushed);
        }
        let is_there = self.rest.holds_entry(&ended.0);
        if number % TWICE_EVERY == 1 {
            self.rest.run_offline();
            save(&self.rest, DESA, number);
            self.rest.stop();
        }
        save(&self.rest, DESA, number);
        copy.discard();
        let how = match (acknowledged.is_some(), is_there) {
            (true, true) => "answered",
            (false, true) => "not answered and there",
            (_, false) => "not there",
        };
        assert!(acknowledged.is_none() || is_there, "answered and not there: {ended:?}");
        *self.hit.entry(format!("{what} {how}")).or_default() += 1;
        self.ledger.took(&ended);
    }

    /// The copy's own power goes while it is opened and written to.
    fn cut_again(&mut self, copy: Disk) -> Disk {
        let process = self.rest.begin(&add_line(DESA, "judul=Rapat kedua"));
        let work = Work { process, brings: None };
        self.sleep_within(self.alone * 3 / 2);
        let acknowledged = work.acknowledged();
        let left = self.pool.cut(&copy);
        drop(work);
        let folder = self.lab.room().join("cut-again");
        let again = left.mounted(&folder);
        copy.discard();
        self.rest.move_data(&folder);
        // Of the copy alone: the node itself knows nothing of it.
        if let Some((saved, _)) = acknowledged {
            assert!(self.rest.holds_entry(&saved), "answered and not there: {saved:?}");
            self.second += 1;
        }
        again
    }

    /// A whole command between two cuts.
    fn one_more(&mut self, runs: bool) {
        let (_, line, brings) = next(&mut self.neighbour, &self.ledger, &mut self.chance);
        let begun = Instant::now();
        let work = Work { process: self.node.begin(&words(&line)), brings };
        self.ledger.took(&work.end());
        self.took = begun.elapsed();
        self.fastest = self.fastest.min(self.took);
        if !runs {
            self.alone = self.took;
        }
    }
}

impl LabNode {
    /// Whether the entry that a save made, or that an import brought last, is here.
    fn holds_entry(&self, saved: &Value) -> bool {
        let answer = self.ask(&["record", "history", text(saved, "record")]);
        let edits = answer.object.get("edits").and_then(Value::as_array);
        edits.is_some_and(|edits| edits.iter().any(|it| it.get("entry") == saved.get("entry")))
    }
}

#[test]
fn what_was_acknowledged_outlives_a_power_cut_at_any_moment() {
    let Some(lab) = Lab::new("power") else { return };
    let Some(pool) = Pool::new(lab.room()) else { return };
    let Some(failing) = Failing::new(lab.room()) else { return };
    let mut stage = Stage::new(&lab, &pool, &failing);
    let cuts = number("WKSBM_LAB_CUTS", CUTS);
    // Half of them on one command after the other, half on a node that stays up and pushes.
    for number in 0..cuts / 2 {
        stage.cut(number, false);
        stage.one_more(false);
    }
    stage.hub.run(&["--hub"]);
    stage.node.run(&["--peer", &stage.hub.address("tcp")]);
    stage.node.meets(&stage.hub, SOON, |_| true);
    for number in cuts / 2..cuts {
        stage.cut(number, true);
        stage.one_more(true);
    }
    let entries = stage.node.root(DESA).entries;
    equal(DESA, &[&stage.hub, &stage.node], entries, SOON);
    stage.node.stop();
    stage.ledger.is_in(&stage.node);
    let Stage { hit, ledger, pushed, .. } = &stage;
    assert!(pushed.len() > 1, "the hub learned nothing between two cuts: {pushed:?}");
    crate::tell(&format!(
        "power: {cuts} cuts, {hit:?}, {} records acknowledged, none lost; {} answers before a second cut",
        ledger.records.len(),
        stage.second
    ));
    assert_eq!(hit.values().sum::<u64>(), cuts);
    let came = |how: &str| hit.keys().any(|it| it.ends_with(how));
    assert!(came("not answered and there") || came("not there"), "nothing was at stake: {hit:?}");
    if cuts >= MANY {
        for how in [" answered", "not answered and there", "not there"] {
            assert!(came(how), "no cut fell so that it was {how}: {hit:?}");
        }
        assert!(stage.second > 0, "no second cut fell behind an answer");
    }
}

/// The data folder on a disk that holds bundles and invitations, too.
const DATA: &str = "data";

/// Cuts the power at once behind an answer; what is left of the node, and its disk.
fn left_of(
    lab: &Lab,
    pool: &Pool,
    (node, disk): (&LabNode, &Disk),
    number: u64,
) -> (LabNode, Disk) {
    let cut = pool.cut(disk);
    let mut rest = lab.node(&format!("sisa{number}"));
    let folder = lab.room().join(format!("sisa{number}"));
    let copy = cut.mounted(&folder);
    rest.move_data(&folder.join(DATA));
    rest.device.clone_from(&node.device);
    (rest, copy)
}

#[test]
fn an_answered_join_invitation_confirmation_bundle_and_import_outlive_a_power_cut() {
    let Some(lab) = Lab::new("answers") else { return };
    let Some(pool) = Pool::new(lab.room()) else { return };
    let [mut province, mut hub, mut desa] = ["prov", "kec", "desa"].map(|name| lab.node(name));
    let (mut number, mut told) = (0, Vec::new());
    let mut cut = |what: &str, node: &LabNode, disk: &Disk| {
        number += 1;
        told.push(what.to_owned());
        let (rest, copy) = left_of(&lab, &pool, (node, disk), number);
        rest.verifies();
        (rest, copy)
    };
    let beside =
        |node: &LabNode, name: &str| node.data().with_file_name(name).to_str().unwrap().to_owned();
    let begins = |node: &mut LabNode| {
        let folder = node.data().to_path_buf();
        node.move_data(&folder.join(DATA));
        pool.disk(&folder, DISK_MIB)
    };

    let disk = begins(&mut province);
    province.found();
    let (rest, copy) = cut("network create", &province, &disk);
    assert_eq!(text(&rest.done(&["status"]), "device"), province.device);
    copy.discard();
    let invitation = beside(&province, "kec.wksbm-undangan");
    province.done(&["invite", "--area", KECAMATAN, "-o", &invitation]);
    let (rest, copy) = cut("invite", &province, &disk);
    let written =
        [&rest, &province].map(|it| std::fs::read(beside(it, "kec.wksbm-undangan")).unwrap());
    assert_eq!(written[0], written[1], "the invitation is not what was written");
    copy.discard();
    text(&hub.done(&["join", "--invitation", &invitation]), "device").clone_into(&mut hub.device);
    hub.carry_all_to(&province);
    province.done(&["member", "confirm", &hub.device]);
    let (rest, copy) = cut("member confirm", &province, &disk);
    let is_confirmed = rest.done(&["member", "list"]).to_string().contains(&hub.device);
    assert!(is_confirmed, "the confirmed device is gone");
    let standing = rest.done(&["root", "--area", "32"]);
    assert_eq!(text(&standing, "authority"), province.root("32").authority);
    copy.discard();
    let bundle = beside(&province, "semua.wksbm");
    province.add(DESA, "dari provinsi");
    province.done(&["bundle", "export", "--all", "--clear", "-o", &bundle]);
    let (rest, copy) = cut("bundle export", &province, &disk);
    let found = rest.done(&["bundle", "inspect", &beside(&rest, "semua.wksbm")]);
    assert_eq!(found.get("whole"), Some(&true.into()), "{found}");
    copy.discard();

    hub.done(&["bundle", "import", &bundle]);
    disk.discard();
    let disk = begins(&mut desa);
    let invitation = hub.file("desa.wksbm-undangan");
    hub.done(&["invite", "--area", DESA, "-o", &invitation]);
    text(&desa.done(&["join", "--invitation", &invitation]), "device").clone_into(&mut desa.device);
    let (rest, copy) = cut("join", &desa, &disk);
    assert_eq!(text(&rest.done(&["status"]), "device"), desa.device);
    // Its keys are there: it can say who it is.
    let own = lab.room().join("sisa.wksbm");
    rest.done(&["bundle", "export", "--all", "--clear", "-o", own.to_str().unwrap()]);
    copy.discard();
    desa.carry_all_to(&hub);
    hub.done(&["member", "confirm", &desa.device]);
    hub.carry_all_to(&desa);
    let sheet = lab.room().join("lembar.csv");
    let rows = "judul,kode_program,jenis,tanggal\nRapat,G.5.1.4,rapat,2026-03-02\n";
    std::fs::write(&sheet, rows).unwrap();
    let line = ["import", sheet.to_str().unwrap(), "--kind", "kegiatan", "--area", DESA, "--apply"];
    desa.done(&line);
    let (rest, copy) = cut("import", &desa, &disk);
    assert_eq!(rest.root(DESA), desa.root(DESA));
    copy.discard();
    crate::tell(&format!("power: cut behind the answer of {}, none lost", told.join(", ")));
}
