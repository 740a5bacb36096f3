//! Time and chance of a simulated node: one virtual time for all, each clock wrong in its own way.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crdt_schema::time::Timestamp;
use node::ports::{Clock, Entropy, EntropyError};

/// A second, in milliseconds.
pub(super) const SECOND: i64 = 1_000;
/// A minute.
pub(super) const MINUTE: i64 = 60 * SECOND;
/// An hour.
pub(super) const HOUR: i64 = 60 * MINUTE;
/// A day.
pub(super) const DAY: i64 = 24 * HOUR;
/// 2026-11-02 00:00 WIB, a Monday, in milliseconds.
const MONDAY: i64 = 1_793_581_200_000 - 8 * HOUR;

/// The hour all nodes share, and none knows exactly.
pub(super) type Time = Arc<AtomicI64>;

/// A node's clock: virtual time, and how wrong it is.
#[derive(Debug)]
pub(super) struct SimClock {
    time: Time,
    wrong_by: AtomicI64,
}

impl SimClock {
    /// A clock that is wrong by so many milliseconds.
    pub(super) fn new(time: &Time, wrong_by: i64) -> Arc<Self> {
        Arc::new(Self { time: time.clone(), wrong_by: AtomicI64::new(wrong_by) })
    }

    /// Somebody set it, or its battery died; by how much it was wrong before.
    pub(super) fn set_wrong_by(&self, by: i64) -> i64 {
        self.wrong_by.swap(by, Ordering::Relaxed)
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        let wrong = self.wrong_by.load(Ordering::Relaxed);
        Timestamp(MONDAY + self.time.load(Ordering::Relaxed) + wrong)
    }
}

/// Bits from a seed.
#[derive(Debug)]
pub(super) struct SimEntropy {
    seed: [u8; 32],
    drawn: AtomicU64,
}

impl SimEntropy {
    /// The stream of one device of one life of a simulation.
    pub(super) fn new(seed: u64, device: u64, life: u64) -> Arc<Self> {
        let seed =
            hash(&[b"entropy", &seed.to_be_bytes(), &device.to_be_bytes(), &life.to_be_bytes()]);
        Arc::new(Self { seed, drawn: AtomicU64::new(0) })
    }
}

impl Entropy for SimEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        let drawn = self.drawn.fetch_add(1, Ordering::Relaxed);
        let mut hasher = blake3::Hasher::new_keyed(&self.seed);
        hasher.update(&drawn.to_be_bytes()).finalize_xof().fill(bytes);
        Ok(())
    }
}

/// BLAKE3 over parts.
pub(super) fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    *hasher.finalize().as_bytes()
}

/// Day of the week, Monday 0.
pub(super) const fn weekday(now: i64) -> i64 {
    now / DAY % 7
}

/// Day of the month: the simulation begins on the second.
pub(super) const fn day_of_month(now: i64) -> i64 {
    (now / DAY + 1) % 30 + 1
}
