//! Edits: pushed while two nodes are connected, made apart, made of the same records; and all that
//! follows from one.

use std::time::Duration;

use super::child::number;
use super::link::End;
use super::meet::{Ground, Met, ON_THE_WIRE, Peer, TRANSPORTS};
use super::peer::NONE;
use super::scale::Shape;
use super::town::{HOMES, Town};
use super::{Aim, Report};

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
const ONE_EDIT: &str = "one edit, save begun to held by the peer";
const FIRST_EDIT: &str = "the first edit over a link, on the wire";

pub(super) fn measure(report: &mut Report, ground: &Ground) {
    of_a_village(report, ground);
    for entries in ground.scale.pushed() {
        where_more_is_held(report, ground, *entries);
    }
    if ground.is_counted() {
        with_a_hub(report, ground);
    }
}

/// Two devices of one village: a save while they are connected, then edits made apart.
fn of_a_village(report: &mut Report, ground: &Ground) {
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
        let edits = edits_followed(ground, &mut desk, ROWS_TOLD, records.first().unwrap());
        desk.stop();
        let mut again = Vec::new();
        for _ in 0..MINUTES {
            let mut desk = Peer::start(ground, End::Here, &here, transport, NONE);
            again.push(followed(ground, &mut desk, ROWS_TOLD, |desk| {
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
    let pushed = pushed(ground, (hub, &mut desk), &mut held, records, 50);
    let mut at_once = Vec::new();
    for (turn, record) in records.iter().rev().take(ground.scale.repeats()).enumerate() {
        at_once.push(save((hub, &mut desk), &mut held, 70 + turn, record));
    }
    let followed = edits_followed(ground, &mut desk, COMPARED, records.first().unwrap());
    desk.stop();
    if ground.is_counted() {
        report.add("one edit and all that follows it, on the wire", &followed, "B", Aim::None);
    }
    if !ground.is_small() {
        report.add(ONE_EDIT, &pushed.times, "ms", Aim::Under(1.3));
        report.add(&format!("{ONE_EDIT}, right after another"), &at_once, "ms", Aim::Under(1.3));
        if ground.is_counted() {
            report.add("one edit, on the wire", &pushed.bytes, "B", Aim::Under(400.0));
            report.add(FIRST_EDIT, &[pushed.first_bytes], "B", Aim::Under(400.0));
        }
    }
}

/// The same where two devices hold more.
fn where_more_is_held(report: &mut Report, ground: &Ground, entries: u64) {
    let town = Town::written(Shape::of(entries));
    for home in &HOMES[2..] {
        town.furnish(home, true);
    }
    let (records, [there, here]) = (town.records(), [HOMES[2], HOMES[3]].map(|it| town.folder(it)));
    // What a record says already is no edit: each save puts a number of its own.
    for ((name, transport), first) in TRANSPORTS.into_iter().zip([100, 200]) {
        let mut hub = Peer::start(ground, End::There, &there, transport, NONE);
        let mut desk = Peer::start(ground, End::Here, &here, transport, NONE);
        desk.meet(&hub.address);
        let mut held = number(&hub.ask("tell"), "entries");
        let pushed = pushed(ground, (&mut hub, &mut desk), &mut held, &records, first);
        desk.stop();
        hub.stop();
        let what = format!("{ONE_EDIT}, over {name}");
        report.middle(what, &pushed.times, "ms").at(entries).aim(Aim::Under(1.3));
        if ground.is_counted() {
            let what = format!("one edit{ON_THE_WIRE}, over {name}");
            report.middle(what, &pushed.bytes, "B").at(entries).aim(Aim::Under(400.0));
        }
    }
}

/// Saves one after another while the link stands.
struct Pushed {
    /// Milliseconds until the peer held each, but for the first.
    times: Vec<f64>,
    /// Bytes of each on the wire, but for the first.
    bytes: Vec<f64>,
    /// Bytes of the first, which names its feed whole.
    first_bytes: f64,
}

/// Several saves of numbers from `first` on.
fn pushed(
    ground: &Ground,
    (hub, desk): (&mut Peer, &mut Peer),
    held: &mut f64,
    records: &[String],
    first: usize,
) -> Pushed {
    let mut pushed = Pushed { times: Vec::new(), bytes: Vec::new(), first_bytes: 0.0 };
    for (turn, record) in records.iter().rev().take(ground.scale.repeats() + 1).enumerate() {
        let before = desk.bytes();
        let took = save((&mut *hub, &mut *desk), held, first + turn, record);
        let bytes = desk.bytes() - before;
        if turn == 0 {
            pushed.first_bytes = bytes;
        } else {
            pushed.times.push(took);
            pushed.bytes.push(bytes);
        }
    }
    pushed
}

/// Milliseconds from the beginning of one save until the peer, which holds so many entries, has it.
fn save((hub, desk): (&mut Peer, &mut Peer), held: &mut f64, value: usize, record: &String) -> f64 {
    *held += 1.0;
    hub.order(&format!("await {held}"));
    let saved = desk.ask(&edit("peserta_p", &value.to_string(), [record]));
    number(&hub.hear(), "at") - number(&saved, "began")
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

/// What passes the wire from the beginning of some work until all that follows from it was said, after
/// a rest: a node renews its rows every ten seconds at most.
fn followed(
    ground: &Ground,
    peer: &mut Peer,
    follows: Duration,
    work: impl FnOnce(&mut Peer),
) -> f64 {
    let [rest, follows] = if ground.is_small() { [Duration::ZERO; 2] } else { [REST, follows] };
    std::thread::sleep(rest);
    let before = peer.bytes();
    work(peer);
    std::thread::sleep(follows);
    peer.bytes() - before
}

/// The same of several edits, one after the other.
fn edits_followed(
    ground: &Ground,
    peer: &mut Peer,
    follows: Duration,
    record: &String,
) -> Vec<f64> {
    let mut edited = |value: usize| {
        let edit = edit("peserta_p", &value.to_string(), [record]);
        followed(ground, peer, follows, |peer| drop(peer.ask(&edit)))
    };
    (900..900 + MINUTES).map(&mut edited).collect()
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

pub(super) fn edit<'a>(
    field: &str,
    value: &str,
    records: impl IntoIterator<Item = &'a String>,
) -> String {
    records.into_iter().fold(format!("edit {field} {value}"), |line, id| line + " " + id)
}
