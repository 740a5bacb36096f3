//! For the tests of this room: authors of synthetic feeds, and disks that forget, fill up and count.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex};

use crdt_schema::area::AreaId;
use crdt_schema::class::Class;
use crdt_schema::entry::{
    CHECKPOINT_EVERY, ChainPoint, Draft, DraftSection, Entry, EntryKind, Places, Run,
    SigningPublic, SigningSecret,
};
use crdt_schema::id::{DeviceId, EntryId, FeedId, FeedName, RecordId, Space, StoreInstance};
use crdt_schema::time::Timestamp;
use redb::StorageBackend;

use crate::ports::{FeedBatch, PlacedRun};

pub(crate) const INSTANCE: StoreInstance = StoreInstance([7; 16]);
pub(crate) const NOON: Timestamp = Timestamp(1_790_000_000_000);

/// Numbers that look random and come again from the same seed.
#[derive(Debug, Clone)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// A device that writes one feed; a clone of it writes a fork.
#[derive(Debug, Clone)]
pub(crate) struct Author {
    pub(crate) name: FeedName,
    pub(crate) at: ChainPoint,
    /// Whether every fifth edit settles a conflict: it has then seen another device's entry, and
    /// the feed's oldest.
    pub(crate) settles: bool,
    seed: [u8; 32],
    ids: BTreeMap<EntryId, u64>,
    named: BTreeMap<(u16, RecordId), u64>,
    newest: BTreeMap<RecordId, EntryId>,
}

impl Author {
    /// The author number `device` in an area.
    pub(crate) fn new(device: u8, area: &str) -> Self {
        let area: AreaId = area.parse().unwrap();
        let device_id = DeviceId([device; 32]);
        let name = FeedName { device: device_id, area, space: Space::Records, incarnation: 7 };
        Self {
            name,
            at: ChainPoint::START,
            settles: true,
            seed: [device; 32],
            ids: BTreeMap::new(),
            named: BTreeMap::new(),
            newest: BTreeMap::new(),
        }
    }

    pub(crate) fn id(&self) -> FeedId {
        self.name.id()
    }

    pub(crate) fn public(&self) -> SigningPublic {
        SigningSecret::from_seed(&self.seed).public()
    }

    /// Entries that are left before the next checkpoint.
    pub(crate) fn room(&self) -> u64 {
        CHECKPOINT_EVERY - self.at.seq % CHECKPOINT_EVERY
    }

    /// One run with an edit of each of `records`; each edit has seen the one before it.
    pub(crate) fn edit(&mut self, records: &[u64]) -> Run {
        let bodies: Vec<_> = records.iter().map(|record| (*record, body(*record, 24))).collect();
        self.write(&bodies)
    }

    /// One run of edits with these bodies.
    pub(crate) fn write(&mut self, edits: &[(u64, Vec<u8>)]) -> Run {
        let (prev, before) = (self.at, self.clone());
        let entries: Vec<Entry> =
            edits.iter().map(|(record, body)| self.entry(*record, body)).collect();
        let key = SigningSecret::from_seed(&self.seed);
        let run = Run::author(prev, entries, &before, &key).unwrap();
        for entry in run.entries() {
            let record = (entry.header.record_kind, entry.header.record);
            self.named.entry(record).or_insert(entry.header.seq);
        }
        run
    }

    /// Whole runs up to sequence `upto`, editing the records in turn.
    pub(crate) fn fill(&mut self, upto: u64, records: u64) -> Vec<Run> {
        let mut runs = Vec::new();
        while self.at.seq < upto {
            let count = self.room().min(upto - self.at.seq);
            let records: Vec<u64> =
                (self.at.seq..self.at.seq + count).map(|n| n % records).collect();
            runs.push(self.edit(&records));
        }
        runs
    }

    fn entry(&mut self, record: u64, body: &[u8]) -> Entry {
        let id = record_id(record);
        let mut deps: Vec<EntryId> = self.newest.get(&id).copied().into_iter().collect();
        if self.settles && self.at.seq % 5 == 4 {
            deps.push(EntryId(*blake3::hash(&self.at.id.0).as_bytes()));
            deps.extend(self.ids.keys().next().copied());
        }
        let draft = Draft {
            kind: EntryKind::EDIT,
            record_kind: 1,
            record: id,
            person: u8::try_from(record % 3).unwrap(),
            claimed_at: Timestamp(NOON.0 + self.at.seq.cast_signed() * 61_337),
            deps,
            sections: vec![DraftSection::in_clear(Class::Open, body, [0; 16])],
        };
        let entry = draft.place(self.id(), self.at).unwrap();
        self.at = entry.point();
        self.ids.insert(entry.id, entry.header.seq);
        self.newest.insert(id, entry.id);
        entry
    }
}

impl Places for Author {
    fn seq_of(&self, id: &EntryId) -> Option<u64> {
        self.ids.get(id).copied()
    }

    fn named_at(&self, kind: u16, record: &RecordId) -> Option<u64> {
        self.named.get(&(kind, *record)).copied()
    }
}

pub(crate) fn record_id(record: u64) -> RecordId {
    let hash = *blake3::hash(&record.to_be_bytes()).as_bytes();
    RecordId(hash[..16].try_into().unwrap())
}

/// Bytes as operations are: half words that come again, half that do not.
pub(crate) fn body(record: u64, length: usize) -> Vec<u8> {
    let mut dice = Dice(record);
    let random = std::iter::repeat_with(move || dice.roll().to_le_bytes()).flatten();
    let words = b"kelurahan alamat dusun kepala keluarga bantuan".iter().copied().cycle();
    let skip = usize::try_from(record % 13).unwrap();
    words.skip(skip).take(length / 2).chain(random).take(length).collect()
}

/// A batch of one run.
pub(crate) fn batch(author: &Author, branch: u32, from: Option<(u32, u64)>, run: Run) -> FeedBatch {
    let runs = vec![PlacedRun { branch, from, run }];
    FeedBatch { new_feeds: vec![author.name], runs, values: Vec::new() }
}

/// A disk in memory that a test holds in its hand. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    live: Vec<u8>,
    /// What a power cut leaves for sure.
    durable: Vec<u8>,
    /// What was written since, in order.
    unsynced: Vec<Step>,
    /// Steps so far: writes, lengths, syncs.
    steps: u64,
    /// The step at which the power goes.
    cut_at: Option<u64>,
    /// The sync, counted down, that fails.
    lost_sync: Option<u64>,
    /// Blocks of 4 KiB that have room, and those that took some.
    blocks_max: Option<usize>,
    blocks: BTreeSet<u64>,
    written_bytes: u64,
    syncs: u64,
}

#[derive(Debug, Clone)]
enum Step {
    Length(usize),
    Write(usize, Vec<u8>),
}

impl Step {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Length(length) => bytes.resize(*length, 0),
            Self::Write(at, data) => {
                bytes.resize(bytes.len().max(at + data.len()), 0);
                bytes[*at..at + data.len()].copy_from_slice(data);
            }
        }
    }
}

impl Disk {
    /// A disk that holds these bytes.
    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        let state = State { live: bytes.clone(), durable: bytes, ..State::default() };
        Self(Arc::new(Mutex::new(state)))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// The bytes as a running system sees them.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.state().live.clone()
    }

    /// What is there after the power went: everything synced, and of what was not synced each
    /// write or not, and of the last one a part, as the dice fall. With no dice nothing of it.
    pub(crate) fn after_power_cut(&self, dice: Option<u64>) -> Self {
        let state = self.state();
        let mut bytes = state.durable.clone();
        let Some(seed) = dice else { return Self::of(bytes) };
        let mut dice = Dice(seed);
        for (index, step) in state.unsynced.iter().enumerate() {
            if dice.roll().is_multiple_of(2) {
                continue;
            }
            match step {
                Step::Write(at, data) if index + 1 == state.unsynced.len() => {
                    let torn = data.len() / 512 / 2 * 512;
                    Step::Write(*at, data[..torn].to_vec()).apply(&mut bytes);
                }
                Step::Write(..) | Step::Length(_) => step.apply(&mut bytes),
            }
        }
        Self::of(bytes)
    }

    /// Cuts the power at a step, counted from now.
    pub(crate) fn cut_in(&self, steps: u64) {
        let mut state = self.state();
        state.cut_at = Some(state.steps + steps);
    }

    /// Lets one sync fail, so many from now, as Linux does: what it was to write is forgotten, still
    /// shown, and never asked for again.
    pub(crate) fn lose_sync_in(&self, syncs: u64) {
        self.state().lost_sync = Some(syncs);
    }

    /// Whether that sync came.
    pub(crate) fn has_lost_sync(&self) -> bool {
        self.state().lost_sync.is_none()
    }

    /// Leaves room for `bytes` more in blocks that hold nothing yet; `None` for no limit.
    pub(crate) fn leave_room(&self, bytes: Option<usize>) {
        let mut state = self.state();
        if state.blocks.is_empty() {
            let used = state.live.len() as u64 / 4096;
            state.blocks = (0..used).collect();
        }
        state.blocks_max = bytes.map(|bytes| state.blocks.len() + bytes / 4096);
    }

    /// Bytes written and syncs since the last time.
    pub(crate) fn take_counts(&self) -> (u64, u64) {
        let mut state = self.state();
        let counts = (state.written_bytes, state.syncs);
        (state.written_bytes, state.syncs) = (0, 0);
        counts
    }
}

impl State {
    /// Counts a step; the power may be gone.
    fn step(&mut self) -> io::Result<()> {
        if self.cut_at.is_some_and(|cut| self.steps >= cut) {
            return Err(io::Error::other("the power is gone"));
        }
        self.steps += 1;
        Ok(())
    }

    fn loses_sync(&mut self) -> bool {
        let left = self.lost_sync.take();
        self.lost_sync = left.and_then(|left| left.checked_sub(1));
        left == Some(0)
    }

    fn take_room(&mut self, at: usize, length: usize) -> io::Result<()> {
        let blocks = at as u64 / 4096..(at + length).div_ceil(4096) as u64;
        let fresh = blocks.clone().filter(|block| !self.blocks.contains(block)).count();
        if self.blocks_max.is_some_and(|max| fresh > 0 && self.blocks.len() + fresh > max) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.blocks.extend(blocks);
        Ok(())
    }

    fn change(&mut self, step: Step) {
        step.apply(&mut self.live);
        self.unsynced.push(step);
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().live.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state();
        let at = usize::try_from(offset).unwrap();
        let bytes = state.live.get(at..at + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state();
        state.step()?;
        state.change(Step::Length(usize::try_from(len).unwrap()));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.state();
        state.step()?;
        state.syncs += 1;
        let unsynced = std::mem::take(&mut state.unsynced);
        if state.loses_sync() {
            return Err(io::Error::other("the sync failed"));
        }
        for step in unsynced {
            step.apply(&mut state.durable);
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        state.step()?;
        let at = usize::try_from(offset).unwrap();
        state.take_room(at, data.len())?;
        state.written_bytes += data.len() as u64;
        state.change(Step::Write(at, data.to_vec()));
        Ok(())
    }
}
