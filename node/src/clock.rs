//! The system's clock and randomness: the only file that may ask for either.

use std::time::{SystemTime, UNIX_EPOCH};

use crdt_schema::time::Timestamp;

use crate::ports::{Clock, Entropy, EntropyError};

/// The clock of this machine, right or wrong.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks")]
    fn now(&self) -> Timestamp {
        let millis = |elapsed: u128| i64::try_from(elapsed).unwrap_or(i64::MAX);
        Timestamp(match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => millis(since.as_millis()),
            Err(before) => -millis(before.duration().as_millis()),
        })
    }
}

/// The operating system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        getrandom::fill(bytes).map_err(|_| EntropyError)
    }
}
