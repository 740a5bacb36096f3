//! Trains the dictionary that blocks of entries are compressed with: `crdt-schema/data/dictionary-1.zst`.
//!
//! `cargo run --release -p tests --bin dictionary -- FILE`. Everything in it comes from
//! [`node::synth`], so it holds nobody's data; numbers of people are left out, and of invented names
//! all but the first word, which could by chance be somebody's. One build of zstd gives the same bytes every
//! time. A published dictionary is never replaced: a better one takes the next number.
//!
//! `.. -- --rows FILE` trains the one that rows of the views are squeezed with, `node/data/rows-1.zst`:
//! it belongs to the format of `view.redb`, and with another one the views are made anew.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a tool that fails says where")]

use crdt_schema::entry::Block;
use crdt_schema::fold::RecordState;
use crdt_schema::record::{Schema, TermKind};
use node::store::view::body;
use node::synth::{Change, Plan, Preset};
use tests::desk;

/// What zstd's own authors advise for small data: a hundredth of the samples, and no more than a
/// processor's first cache.
const DICTIONARY_BYTES: usize = 32 << 10;
/// Years of a kecamatan whose saves are learned from.
const SEEDS: std::ops::Range<u64> = 101..107;
/// Entries of one sample, in turn: single saves, which gain most, beside parts of long runs.
const SAMPLE_ENTRIES: [usize; 6] = [1, 1, 2, 1, 4, 16];
/// Digits of a NIK or KK number.
const NUMBER_DIGITS: usize = 16;
/// Fields that hold names of people; in a `kps` the name is a group's.
const NAMES: [&str; 5] = ["nama", "wali", "kepala", "anggota", "nama_perorangan"];

fn main() {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let of_rows = words.first().is_some_and(|first| first == "--rows");
    if of_rows {
        words.remove(0);
    }
    let file = words.into_iter().next().unwrap_or_else(|| "dictionary.zst".to_owned());
    let learned: fn(u64) -> Vec<Vec<u8>> = if of_rows { rows } else { samples };
    let samples: Vec<Vec<u8>> = SEEDS.flat_map(learned).collect();
    let bytes: usize = samples.iter().map(Vec::len).sum();
    let dictionary = zstd::dict::from_samples(&samples, DICTIONARY_BYTES).unwrap();
    std::fs::write(&file, &dictionary).unwrap();
    eprintln!("{file}: {} bytes from {} samples of {bytes} bytes", dictionary.len(), samples.len());
}

/// Bodies of the rows that a year's saves come to, without numbers of people.
fn rows(seed: u64) -> Vec<Vec<u8>> {
    let schema = Schema::standard();
    let body = |(kind, state): (u16, RecordState)| {
        let mut terms = schema.kind_numbered(kind).unwrap().terms(&state);
        terms.retain(|(kind, _)| !matches!(kind, TermKind::Nik | TermKind::Kk));
        without_numbers(body(&state.encode(), &terms))
    };
    desk::states(&Plan::new(Preset::Kec, seed), shorten_names).into_iter().map(body).collect()
}

/// The plain blocks of one year's saves.
fn samples(seed: u64) -> Vec<Vec<u8>> {
    let feeds = desk::feeds(desk::drafts(&Plan::new(Preset::Kec, seed), shorten_names));
    let mut sizes = SAMPLE_ENTRIES.into_iter().cycle();
    let mut samples = Vec::new();
    for run in feeds.iter().flat_map(|(_, runs)| runs) {
        let block = run.block().unwrap();
        let (mut first, mut rest) = (block.first, &*block.entries);
        while let Some((part, after)) =
            sizes.next().and_then(|size| rest.split_at_checked(size.min(rest.len())))
            && !part.is_empty()
        {
            samples.push(without_numbers(Block { first, entries: part.to_vec() }.to_bytes()));
            first += part.len() as u64;
            rest = after;
        }
    }
    samples
}

/// Leaves the first word of every person's name. Takes every change.
fn shorten_names(change: &mut Change) -> bool {
    let is_name = |name: &str| NAMES.contains(&name) && change.kind != "kps";
    for field in change.fields.iter_mut().filter(|field| is_name(field.name)) {
        let people: Vec<String> = field.value.split(';').map(first_word).collect();
        field.value = people.join(";").into();
    }
    true
}

/// `Euis Contoh, anggota` without the second word.
fn first_word(person: &str) -> String {
    let (name, role) = person.split_at(person.find(',').unwrap_or(person.len()));
    [name.split(' ').next().unwrap_or_default(), role].concat()
}

/// Blanks NIK and KK numbers: no two records share one, so there is nothing to learn of them.
fn without_numbers(mut bytes: Vec<u8>) -> Vec<u8> {
    for digits in bytes.chunk_by_mut(|a, b| a.is_ascii_digit() && b.is_ascii_digit()) {
        if digits.len() >= NUMBER_DIGITS {
            digits.fill(0);
        }
    }
    bytes
}
