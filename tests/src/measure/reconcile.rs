//! Two replicas and the real session between them: bytes of frames, rounds.

use crdt_schema::entry::PackedRun;
use crdt_schema::id::{FeedName, StoreInstance};
use crdt_schema::time::Timestamp;
use node::replica::Source;
use node::sync::driver::{Cost, Pair};
use node::sync::message::RECEIPT_DELAY_MS;
use node::sync::{Input, Phase, ReceiptRow};

use super::{Aim, Report};
use crate::replicas::{self, Memory, meet};
use crate::world::{Feed, World, Writer, feed, feed_cut, feed_of_saves};

/// Villages of the province.
const VILLAGES: usize = 5_957;
/// Devices of a kecamatan: itself and three in each of eleven villages.
const DEVICES: u64 = 34;

pub(super) fn measure(report: &mut Report) {
    nothing_changed(report);
    news(report, 2, 2, 10, (600_000.0, 5.0));
    news(report, 10, 1, 1, (1_000_000.0, 6.0));
    one_edit(report);
}

/// A replica that knows who belongs to the network.
fn replica(world: &World, me: &Writer, instance: u8) -> Memory {
    let mut replica = replicas::replica(world, me, instance);
    take(&mut replica, world.authority.iter());
    replica
}

fn take<'a>(replica: &mut Memory, feeds: impl Iterator<Item = &'a Feed>) {
    for (name, runs) in feeds {
        for run in runs {
            replica.offer(name, run).unwrap();
        }
    }
    replica.commit(None, &Source::Here, Timestamp(0)).unwrap();
}

fn reconcile(one: &mut Memory, two: &mut Memory) -> Cost {
    let mut pair = Pair::new(one.me(), two.me());
    let cost = meet(&mut pair, one, two);
    let equal = Phase::Live { equal: true };
    assert_eq!(pair.phases(), (equal, equal));
    cost
}

fn nothing_changed(report: &mut Report) {
    for (villages, entries) in [(1, 12), (VILLAGES, 10), (VILLAGES, 100)] {
        let world = World::new(villages, 1);
        let (mut one, mut two) =
            (replica(&world, &world.province, 1), replica(&world, &world.other, 2));
        for (area, writers) in &world.villages {
            for writer in writers {
                let made = feed(writer, *area, entries, 1);
                take(&mut one, [&made].into_iter());
                take(&mut two, [&made].into_iter());
            }
        }
        let cost = reconcile(&mut one, &mut two);
        let what = format!("nothing changed at {} entries", villages * entries);
        report
            .add(format!("{what}, both ways"), cost.bytes() as f64, "bytes")
            .aim(Aim::Under(200.0));
        report
            .add(format!("{what}, rounds"), f64::from(cost.rounds), "rounds")
            .aim(Aim::Exactly(1.0));
    }
}

/// Of `feeds` feeds a village the first `busy` have `new` entries more on one side.
fn news(report: &mut Report, feeds: usize, busy: usize, new: u64, (bytes, rounds): (f64, f64)) {
    let world = World::new(VILLAGES, feeds);
    let (mut one, mut two) =
        (replica(&world, &world.province, 1), replica(&world, &world.other, 2));
    for (area, writers) in &world.villages {
        for (number, writer) in writers.iter().enumerate() {
            let records = if number < busy { usize::try_from(new).unwrap() + 1 } else { 1 };
            let made = feed_cut(writer, *area, records, 1, 1);
            let first: Feed = (made.0, made.1.iter().take(1).cloned().collect());
            take(&mut one, [&first].into_iter());
            take(&mut two, [&made].into_iter());
        }
    }
    let cost = reconcile(&mut one, &mut two);
    let what = format!("{feeds} feeds a village, {busy} with {new} new");
    let beside = cost.overhead_bytes() as f64;
    report.add(format!("{what}, beside the entries"), beside, "bytes").aim(Aim::Under(bytes));
    report.add(format!("{what}, entries"), cost.run_bytes as f64, "bytes");
    report
        .add(format!("{what}, rounds"), f64::from(cost.rounds), "rounds")
        .aim(Aim::Under(rounds + 1.0));
}

/// An edit of a known record, pushed to a peer that is equal, and the hub's word that it holds it.
fn one_edit(report: &mut Report) {
    let world = World::new(1, 1);
    let Some((area, writers)) = world.villages.first() else { return };
    let Some(writer) = writers.first() else { return };
    // Two records of three entries, each signed: the last two entries are edits of one field.
    let (name, runs) = feed_of_saves(writer, *area, 2, 3);
    let (mut desa, mut hub) = (replica(&world, writer, 1), replica(&world, &world.province, 2));
    let held: Feed = (name, runs.iter().take(4).cloned().collect());
    take(&mut desa, [&held].into_iter());
    take(&mut hub, [&held].into_iter());
    let mut pair = Pair::new(desa.me(), hub.me());
    meet(&mut pair, &mut desa, &mut hub);
    let (mut pushed, mut packed) = (0, 0);
    for (what, save) in
        ["first of its feed", "every later one"].into_iter().zip(runs.iter().skip(4))
    {
        take(&mut desa, [&(name, vec![save.clone()])].into_iter());
        let input;
        (input, packed) = durable(&desa, name, save);
        pair.tell_initiator(input);
        pushed = meet(&mut pair, &mut desa, &mut hub).bytes();
        report
            .add(format!("one edit pushed, {what}"), pushed as f64, "bytes")
            .aim(Aim::Under(100.0));
    }
    report.add("of it the signed run", packed as f64, "bytes");
    let row = ReceiptRow::of(hub.summary(), StoreInstance([2; 16]), *area, 1);
    pair.tell_responder(Input::Receipts(vec![row]));
    meet(&mut pair, &mut desa, &mut hub);
    pair.wait(RECEIPT_DELAY_MS);
    pair.tell_responder(Input::Tick);
    let receipt = meet(&mut pair, &mut desa, &mut hub).bytes();
    report.add("the hub's receipt for it", receipt as f64, "bytes");
    let all = DEVICES * (pushed + receipt);
    report.add("one edit and its receipts, a kecamatan of 34 devices", all as f64, "bytes");
}

fn durable(desa: &Memory, name: FeedName, run: &PackedRun) -> (Input, usize) {
    let head = desa.feed(name.id()).and_then(|feed| feed.branches.first()).unwrap().head.point;
    let bytes = run.bytes.len() + run.signature.len();
    (Input::Durable { name, run: run.clone(), head }, bytes)
}
