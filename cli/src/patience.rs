//! Waiting for other processes: how long it lasts, and when it is enough.

use std::time::{Duration, Instant};

/// A wait that began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    began: Instant,
    allowed: Duration,
}

impl Patience {
    /// Begins to wait, for so long at most.
    #[expect(clippy::disallowed_methods, reason = "other processes take real time")]
    pub(crate) fn of(allowed: Duration) -> Self {
        Self { began: Instant::now(), allowed }
    }

    /// Whether it was long enough.
    pub(crate) fn is_over(&self) -> bool {
        self.took() >= self.allowed
    }

    /// How long it has been.
    pub(crate) fn took(&self) -> Duration {
        self.began.elapsed()
    }
}
