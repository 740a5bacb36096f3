//! How long something took: by the clock, and by the processor, which a busy machine distorts less.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Started when made.
#[derive(Debug)]
pub(super) struct Watch {
    started: Instant,
    worked: Option<Duration>,
}

impl Watch {
    #[expect(clippy::disallowed_methods, reason = "a bench measures time")]
    pub(super) fn start() -> Self {
        Self { started: Instant::now(), worked: processor_time("/proc/thread-self/schedstat") }
    }

    /// Seconds this thread worked; by the clock where the system does not say.
    pub(super) fn worked_seconds(&self) -> f64 {
        let now = processor_time("/proc/thread-self/schedstat");
        let worked = now.zip(self.worked).map(|(now, then)| now.saturating_sub(then));
        worked.unwrap_or_else(|| self.started.elapsed()).as_secs_f64()
    }

    /// Seconds by the clock.
    pub(super) fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }
}

/// Seconds all threads of this process worked so far, those that ended included.
pub(super) fn worked_by_all() -> f64 {
    let told = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind_name = told.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = behind_name.split_whitespace().skip(11).take(2).map(|it| it.parse().unwrap_or(0.0));
    ticks.sum::<f64>() / TICKS_A_SECOND
}

/// What Linux tells processes, whatever the kernel's own clock does.
const TICKS_A_SECOND: f64 = 100.0;

/// This moment in milliseconds, by the clock that all processes of a machine share.
#[expect(clippy::disallowed_methods, reason = "a bench compares moments of two processes")]
pub(super) fn moment() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64() * 1e3
}

/// Linux tells it in nanoseconds.
fn processor_time(file: &str) -> Option<Duration> {
    let told = std::fs::read_to_string(file).ok()?;
    told.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}
