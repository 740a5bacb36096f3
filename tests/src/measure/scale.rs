//! How large a run of the bench is: a world for so many entries, in three orders of arrival.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crdt_schema::codec::{Reader, Writer as Bytes};
use crdt_schema::entry::PackedRun;
use crdt_schema::id::FeedName;

use crate::world::{Feed, World};

/// Villages there are.
const VILLAGES: u64 = 5_957;
/// Writers of a village, and entries they write together before another village is needed.
const WRITERS: u64 = 2;
const VILLAGE_ENTRIES: u64 = 3_000;
/// Entries of a record: its creation and two later edits of one field.
const RECORD_ENTRIES: u64 = 3;

/// Sizes of one run, in entries; records where a measure says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Minutes.
    Usual,
    /// With 10,000,000 and 18,000,000 entries: most of an hour, 10 GB of disk.
    Largest,
    /// So small that a test can afford it: it shows that every measure still runs.
    Smoke,
}

impl Scale {
    /// Entries taken in from an empty node.
    pub(super) const fn ingested(self) -> &'static [u64] {
        match self {
            Self::Usual => &[1_000, 100_000, 1_000_000],
            Self::Largest => &[1_000, 100_000, 1_000_000, 18_000_000],
            Self::Smoke => &[300],
        }
    }

    /// Entries that two nodes hold and compare.
    pub(super) const fn compared(self) -> &'static [u64] {
        match self {
            Self::Usual => &[10, 1_000, 100_000, 1_000_000],
            Self::Largest => &[10, 1_000, 100_000, 1_000_000, 10_000_000],
            Self::Smoke => &[10],
        }
    }

    /// Records of a first copy.
    pub(super) const fn copied(self) -> &'static [u64] {
        match self {
            Self::Usual | Self::Largest => &[1_000, 10_000, 100_000],
            Self::Smoke => &[30],
        }
    }

    /// How often something short is measured; the middle is told.
    pub(super) const fn repeats(self) -> usize {
        match self {
            Self::Usual | Self::Largest => 9,
            Self::Smoke => 1,
        }
    }
}

/// The order in which entries come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// Feed after feed, as they lie in a store: what an export writes.
    Ascending,
    /// Village after village, its devices in turn.
    ByDesa,
    /// Any run after any other, each feed in its own order.
    Random,
}

impl Arrival {
    pub(super) const ALL: [Self; 3] = [Self::Ascending, Self::ByDesa, Self::Random];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Ascending => "ascending",
            Self::ByDesa => "by desa",
            Self::Random => "random",
        }
    }
}

/// How many villages, writers in each, and records of each writer come to so many entries.
pub(super) fn shape(entries: u64) -> (usize, usize, usize) {
    let writers = if entries < 2 * RECORD_ENTRIES * WRITERS { 1 } else { WRITERS };
    let villages = entries.div_ceil(VILLAGE_ENTRIES).clamp(1, VILLAGES);
    let records = entries.div_ceil(villages * writers * RECORD_ENTRIES).max(1);
    let narrow = |number: u64| usize::try_from(number).unwrap();
    (narrow(villages), narrow(writers), narrow(records))
}

/// Runs in a file, each where it lies and of which feed.
pub(super) struct Written {
    /// Entries of records.
    pub(super) entries: u64,
    /// Of each feed of records, where its runs lie.
    feeds: Vec<(FeedName, Vec<u64>)>,
    /// Where the runs of authority lie.
    authority: Vec<u64>,
}

/// Writes all runs of a world of `records` records a writer into a file.
pub(super) fn write(world: &World, records: usize, file: &Path) -> Written {
    let mut out = BufWriter::new(File::create(file).unwrap());
    let (mut at, mut entries) = (0u64, 0);
    let mut put = |feed: &Feed| -> Vec<u64> {
        let mut places = Vec::with_capacity(feed.1.len());
        for run in &feed.1 {
            let mut bytes = Bytes::new();
            feed.0.write(&mut bytes);
            run.write(&mut bytes);
            let bytes = bytes.finish();
            let length = u32::try_from(bytes.len()).unwrap();
            out.write_all(&length.to_be_bytes()).unwrap();
            out.write_all(&bytes).unwrap();
            places.push(at);
            at += 4 + u64::from(length);
        }
        places
    };
    let authority = world.authority.iter().flat_map(&mut put).collect();
    let mut feeds = Vec::new();
    for (area, writers) in &world.villages {
        for writer in writers {
            let feed = crate::world::feed(writer, *area, records, 3);
            entries += 3 * records as u64;
            feeds.push((feed.0, put(&feed)));
        }
    }
    out.flush().unwrap();
    feeds.sort_by_key(|(name, _)| (name.area, name.id()));
    Written { entries, feeds, authority }
}

impl Written {
    /// Where the runs lie in the order they are to come, as big-endian numbers.
    pub(super) fn order(&self, arrival: Arrival, file: &Path) {
        let mut places = self.authority.clone();
        match arrival {
            Arrival::Ascending => places.extend(self.feeds.iter().flat_map(|(_, runs)| runs)),
            Arrival::ByDesa => {
                for of_area in self.feeds.chunk_by(|one, next| one.0.area == next.0.area) {
                    let turns = of_area.iter().map(|(_, runs)| runs.len()).max().unwrap_or(0);
                    for turn in 0..turns {
                        places.extend(of_area.iter().filter_map(|(_, runs)| runs.get(turn)));
                    }
                }
            }
            Arrival::Random => places.extend(self.shuffled()),
        }
        let bytes: Vec<u8> = places.into_iter().flat_map(u64::to_be_bytes).collect();
        std::fs::write(file, bytes).unwrap();
    }

    /// Each feed's runs at random moments, in their own order.
    fn shuffled(&self) -> Vec<u64> {
        let mut seed = 7u64;
        let mut chance = || {
            // SplitMix64: any order will do that is the same each time.
            seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        };
        let mut timed = Vec::new();
        for (_, runs) in &self.feeds {
            let mut moments: Vec<u64> = runs.iter().map(|_| chance()).collect();
            moments.sort_unstable();
            timed.extend(moments.into_iter().zip(runs.iter().copied()));
        }
        timed.sort_unstable();
        timed.into_iter().map(|(_, place)| place).collect()
    }
}

/// Reads runs in an order that [`Written::order`] wrote.
pub(super) fn read(
    runs: &Path,
    order: &Path,
) -> impl Iterator<Item = (FeedName, PackedRun)> + use<> {
    let mut runs = BufReader::with_capacity(64 << 10, File::open(runs).unwrap());
    let mut order = BufReader::new(File::open(order).unwrap());
    let mut at = 0u64;
    std::iter::from_fn(move || {
        let mut place = [0; 8];
        order.read_exact(&mut place).ok()?;
        let place = u64::from_be_bytes(place);
        if place == at {
            // Reading on keeps what is buffered; seeking would not.
        } else {
            runs.seek(SeekFrom::Start(place)).unwrap();
        }
        let mut length = [0; 4];
        runs.read_exact(&mut length).unwrap();
        let mut bytes = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
        runs.read_exact(&mut bytes).unwrap();
        at = place + 4 + bytes.len() as u64;
        let mut reader = Reader::new(&bytes);
        Some((FeedName::read(&mut reader).unwrap(), PackedRun::read(&mut reader).unwrap()))
    })
}
