//! A disk in memory that fills up, and that forgets what was not synced when the power fails.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crdt_schema::testing::Numbers;
use redb::StorageBackend;

/// Bytes a disk takes from a write that tears.
const SECTOR: usize = 512;

/// A disk; clones are the same one.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    live: Vec<u8>,
    durable: Vec<u8>,
    /// What was written since the last sync, in order.
    unsynced: Vec<Step>,
    /// Steps left until the power fails.
    left: Option<u64>,
    dead: bool,
    /// Bytes it may grow to.
    room: Option<usize>,
    /// It refused a write since it has so much room.
    refused: bool,
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
                let end = at + data.len();
                bytes.resize(bytes.len().max(end), 0);
                bytes[*at..end].copy_from_slice(data);
            }
        }
    }
}

impl Disk {
    fn of(bytes: Vec<u8>) -> Self {
        let state = State { live: bytes.clone(), durable: bytes, ..State::default() };
        Self(Arc::new(Mutex::new(state)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing was ever written.
    pub(super) fn is_empty(&self) -> bool {
        self.state().live.is_empty()
    }

    /// The power fails after so many writes, lengths and syncs more.
    pub(super) fn cut_in(&self, steps: u64) {
        self.state().left = Some(steps);
    }

    /// No power cut is about to come.
    pub(super) fn calm(&self) {
        self.state().left = None;
    }

    /// The power fails now.
    pub(super) fn kill(&self) {
        self.state().dead = true;
    }

    /// Whether the power failed.
    pub(super) fn is_dead(&self) -> bool {
        self.state().dead
    }

    /// No more than so many bytes beyond what is used fit; `None`: as many as come.
    pub(super) fn leave_room(&self, bytes: Option<usize>) {
        let mut state = self.state();
        state.room = bytes.map(|bytes| state.live.len() + bytes);
        state.refused = false;
    }

    /// What it refused so far was noticed.
    pub(super) fn forget_refusals(&self) {
        self.state().refused = false;
    }

    /// Whether a write was refused since it has so much room, or since that.
    pub(super) fn has_refused(&self) -> bool {
        self.state().refused
    }

    /// What is there when the power is back: all that was synced; of the rest each write or not,
    /// and of the last one a part.
    pub(super) fn after_power_cut(&self, numbers: &mut Numbers) -> Self {
        let state = self.state();
        let mut bytes = state.durable.clone();
        for (place, step) in state.unsynced.iter().enumerate() {
            if numbers.chance(50) {
                continue;
            }
            match step {
                Step::Write(at, data) if place + 1 == state.unsynced.len() => {
                    let torn = data.len() / SECTOR / 2 * SECTOR;
                    Step::Write(*at, data[..torn].to_vec()).apply(&mut bytes);
                }
                Step::Write(..) | Step::Length(_) => step.apply(&mut bytes),
            }
        }
        Self::of(bytes)
    }

    /// A copy of what a running system sees.
    pub(super) fn copy(&self) -> Self {
        Self::of(self.state().live.clone())
    }
}

impl State {
    fn step(&mut self) -> io::Result<()> {
        match &mut self.left {
            Some(0) => self.dead = true,
            Some(left) => *left -= 1,
            None => {}
        }
        if self.dead { Err(io::Error::other("the power is gone")) } else { Ok(()) }
    }

    fn change(&mut self, step: Step) -> io::Result<()> {
        let end = match &step {
            Step::Length(length) => *length,
            Step::Write(at, data) => at + data.len(),
        };
        if end > self.live.len() && self.room.is_some_and(|room| end > room) {
            self.refused = true;
            return Err(io::ErrorKind::StorageFull.into());
        }
        step.apply(&mut self.live);
        self.unsynced.push(step);
        Ok(())
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().live.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state();
        let at = usize::try_from(offset).map_err(io::Error::other)?;
        let bytes = state.live.get(at..at + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state();
        state.step()?;
        let length = usize::try_from(len).map_err(io::Error::other)?;
        state.change(Step::Length(length))
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.state();
        state.step()?;
        for step in std::mem::take(&mut state.unsynced) {
            step.apply(&mut state.durable);
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        state.step()?;
        let at = usize::try_from(offset).map_err(io::Error::other)?;
        state.change(Step::Write(at, data.to_vec()))
    }
}
