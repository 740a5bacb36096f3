//! How long something took: by the clock, and by the processor, which a busy machine distorts less.

use std::time::{Duration, Instant};

/// Started when made.
#[derive(Debug)]
pub(super) struct Watch {
    started: Instant,
    worked: Option<Duration>,
}

impl Watch {
    #[expect(clippy::disallowed_methods, reason = "a bench measures time")]
    pub(super) fn start() -> Self {
        Self { started: Instant::now(), worked: processor_time() }
    }

    /// Seconds this thread worked; by the clock where the system does not say.
    pub(super) fn worked_seconds(&self) -> f64 {
        let worked = processor_time().zip(self.worked).map(|(now, then)| now.saturating_sub(then));
        worked.unwrap_or_else(|| self.started.elapsed()).as_secs_f64()
    }

    /// Seconds by the clock.
    pub(super) fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }
}

/// Linux tells it in nanoseconds.
fn processor_time() -> Option<Duration> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    told.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}
