//! How long entries are on a wire or a stick: runs with their signatures and framing.

use crdt_schema::codec::Writer;
use crdt_schema::entry::{PackedRun, SALT_BYTES};
use node::synth::{Change, Plan, Preset};

use super::{Aim, Report, workload};
use crate::desk;
use crate::world::{Feed, World, certified};

const RECORDS: usize = 1_000;
/// No year that the dictionary was trained on.
const SEED: u64 = 7;
/// Kinds without any person: open sections alone.
const OPEN_KINDS: [&str; 3] = ["kegiatan", "kemitraan", "kps"];

pub(super) fn measure(report: &mut Report) {
    let world = World::new(1, 1);
    let (area, writer) = certified(&world);
    let feed = workload::feed(writer, area, RECORDS);
    report.add("a record as JSON", workload::json_bytes(), "bytes");
    let what = "open records of 15 fields and two edits";
    add(report, what, std::slice::from_ref(&feed), RECORDS as u64, Aim::Under(100.0));
    let of_open_kinds = |change: &mut Change| OPEN_KINDS.contains(&change.kind);
    let feeds = desk::feeds(desk::drafts(&Plan::new(Preset::Kec, SEED), of_open_kinds));
    add(report, "kegiatan, kemitraan and kps, a year", &feeds, created(&feeds), Aim::None);
    let feeds = desk::feeds(desk::drafts(&Plan::new(Preset::Kec, SEED), |it| it.kind == "ppks"));
    let records = created(&feeds);
    add(report, "ppks in four classes, a year", &feeds, records, Aim::None);
    let salts = salted(&feeds) * SALT_BYTES as u64;
    report.add("of it salts, which nothing compresses", per(salts, records), "bytes/record");
    let feed = workload::feed(writer, area, 40);
    report
        .add("a single save of one open field", single_edit(&feed), "bytes")
        .aim(Aim::Under(160.0));
}

fn add(report: &mut Report, what: &str, feeds: &[Feed], records: u64, aim: Aim) {
    let runs: Vec<&PackedRun> = feeds.iter().flat_map(|(_, runs)| runs).collect();
    let entries: usize = runs.iter().map(|run| run.block().unwrap().entries.len()).sum();
    let sent = runs.iter().map(|run| framed(run)).sum();
    let alone = runs.iter().map(|run| without_dictionary(run)).sum();
    report.add(format!("wire, {what}"), per(sent, records), "bytes/record").aim(aim);
    report.add("  the same without a dictionary", per(alone, records), "bytes/record");
    report.add("  entries", per(entries as u64, records), "a record");
}

fn per(bytes: u64, records: u64) -> f64 {
    bytes as f64 / records as f64
}

/// Bytes of a run with its place, its signature and its length.
fn framed(run: &PackedRun) -> u64 {
    let mut writer = Writer::new();
    run.write(&mut writer);
    writer.len() as u64
}

fn without_dictionary(run: &PackedRun) -> u64 {
    let plain = run.block().unwrap().to_bytes();
    let squeezed = zstd::bulk::compress(&plain, 3).unwrap();
    framed(&PackedRun { bytes: squeezed, ..run.clone() })
}

fn created(feeds: &[Feed]) -> u64 {
    let entries =
        feeds.iter().flat_map(|(_, runs)| runs).flat_map(|run| run.block().unwrap().entries);
    entries.filter(|entry| entry.deps.is_empty()).count() as u64
}

fn salted(feeds: &[Feed]) -> u64 {
    let entries =
        feeds.iter().flat_map(|(_, runs)| runs).flat_map(|run| run.block().unwrap().entries);
    let sections = entries.flat_map(|entry| entry.sections);
    sections.filter(|section| section.class.is_droppable()).count() as u64
}

/// A run of the last entry alone, as one save is pushed to a peer.
fn single_edit(feed: &Feed) -> f64 {
    let run = feed.1.last().unwrap();
    let block = run.block().unwrap();
    let alone = block.from_seq(block.last()).unwrap();
    framed(&PackedRun::pack(&alone, run.signature)) as f64
}
