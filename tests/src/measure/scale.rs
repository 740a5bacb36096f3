//! How large a run of the bench is: a world for so many entries, in three orders of arrival.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crdt_schema::codec::{Reader, Writer as Bytes};
use crdt_schema::entry::PackedRun;
use crdt_schema::id::FeedName;
use crdt_schema::testing::Numbers;

use super::workload;
use crate::world::{Feed, World};

/// Villages there are.
const VILLAGES: u64 = 5_957;
/// Writers of a village, and entries they write together before another village is needed.
const WRITERS: u64 = 2;
const VILLAGE_ENTRIES: u64 = 3_000;
/// Entries of a record: its creation and two later edits of one field.
pub(super) const RECORD_ENTRIES: u64 = 3;
/// Entries from which on a size is a province's: it must keep to a province's limits, and its first
/// feed is a long one.
pub(super) const PROVINCE_ENTRIES: u64 = 1_000_000;
/// Entries of the whole of West Java.
pub(super) const LARGEST_ENTRIES: u64 = 18_000_000;
/// Entries of a long feed: of a desk that enters a kecamatan's records for years.
pub(super) const LONG_ENTRIES: u64 = 100_000;

/// Sizes of one run, in entries; records where a measure says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Minutes.
    Usual,
    /// With 10,000,000 and 18,000,000 entries: most of an hour, 12 GB of disk.
    Largest,
    /// So small that a test can afford it: it shows that every measure still runs.
    Smoke,
}

impl Scale {
    /// Entries taken in from an empty node.
    pub(super) const fn ingested(self) -> &'static [u64] {
        match self {
            Self::Usual => &[1_000, 100_000, 1_000_000],
            Self::Largest => &[1_000, 100_000, 1_000_000, LARGEST_ENTRIES],
            Self::Smoke => &[300],
        }
    }

    /// Entries that two nodes hold and compare.
    pub(super) const fn compared(self) -> &'static [u64] {
        match self {
            Self::Usual => &[12, 1_000, 100_000, 1_000_000],
            Self::Largest => &[12, 1_000, 100_000, 1_000_000, 10_000_000],
            Self::Smoke => &[12],
        }
    }

    /// Entries that two nodes hold while one of them learns something new.
    pub(super) const fn held(self) -> &'static [u64] {
        match self {
            Self::Usual | Self::Largest => &[1_000, 10_000, 100_000],
            Self::Smoke => &[12],
        }
    }

    /// Entries that two nodes hold while one of them saves.
    pub(super) const fn pushed(self) -> &'static [u64] {
        match self {
            Self::Usual | Self::Largest => &[1_000, 10_000, 100_000, 1_000_000],
            Self::Smoke => &[12],
        }
    }

    /// New entries of one of them.
    pub(super) const fn news(self) -> &'static [usize] {
        match self {
            Self::Usual | Self::Largest => &[0, 1, 10, 100, 1_000],
            Self::Smoke => &[0, 5],
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

    /// How often something is measured that takes seconds.
    pub(super) const fn repeats_of_long(self) -> usize {
        match self {
            Self::Usual | Self::Largest => 3,
            Self::Smoke => 1,
        }
    }

    /// How often each look-up is, where patience does not end before.
    pub(super) const fn look_ups(self) -> usize {
        match self {
            Self::Usual | Self::Largest => 2_000,
            Self::Smoke => 20,
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

/// Villages, writers in each, and records of each writer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) villages: usize,
    pub(super) writers: usize,
    records: usize,
    /// Records of the first writer of all.
    records_of_first: usize,
}

impl Shape {
    /// What comes to so many entries.
    pub(super) fn of(entries: u64) -> Self {
        let writers = if entries < 2 * RECORD_ENTRIES * WRITERS { 1 } else { WRITERS };
        let villages = entries.div_ceil(VILLAGE_ENTRIES).clamp(1, VILLAGES);
        let long = if entries < PROVINCE_ENTRIES { 0 } else { LONG_ENTRIES };
        let records = (entries - long).div_ceil(villages * writers * RECORD_ENTRIES).max(1);
        let narrow = |number: u64| usize::try_from(number).unwrap();
        let even = Self::even(narrow(villages), narrow(writers), narrow(records));
        Self { records_of_first: even.records.max(narrow(long.div_ceil(RECORD_ENTRIES))), ..even }
    }

    /// As many records of each writer.
    pub(super) const fn even(villages: usize, writers: usize, records: usize) -> Self {
        Self { villages, writers, records, records_of_first: records }
    }

    /// Records of the writer with this number, from 0.
    pub(super) const fn records_of(&self, writer: usize) -> usize {
        if writer == 0 { self.records_of_first } else { self.records }
    }

    /// All records.
    pub(super) const fn all_records(&self) -> usize {
        self.records_of_first + (self.villages * self.writers - 1) * self.records
    }
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

/// Writes all runs of a world into a file.
pub(super) fn write(world: &World, shape: Shape, file: &Path) -> Written {
    let mut out = BufWriter::new(File::create(file).unwrap());
    let mut at = 0u64;
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
    let placed = workload::feeds(world, shape).map(|feed| (feed.0, put(&feed)));
    let mut feeds: Vec<(FeedName, Vec<u64>)> = placed.collect();
    out.flush().unwrap();
    feeds.sort_by_key(|(name, _)| (name.area, name.id()));
    let entries = RECORD_ENTRIES * shape.all_records() as u64;
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
        // Any order will do that is the same each time.
        let mut numbers = Numbers::new(7);
        let mut timed = Vec::new();
        for (_, runs) in &self.feeds {
            let mut moments: Vec<u64> = runs.iter().map(|_| numbers.next()).collect();
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
