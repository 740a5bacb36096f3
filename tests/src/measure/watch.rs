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
        // First what takes a moment itself.
        let worked = processor_time("/proc/thread-self/schedstat");
        Self { worked, started: Instant::now() }
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

/// Microseconds by the clock that a piece of work takes.
#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
pub(super) fn taken_us(work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    started.elapsed().as_secs_f64() * 1e6
}

/// What Linux tells processes, whatever the kernel's own clock does.
const TICKS_A_SECOND: f64 = 100.0;
/// Fewer say little: each of the two numbers is cut to whole ticks.
const TICKS_LEAST: f64 = 50.0;

/// Ticks all threads of this process worked so far, those that ended included.
pub(super) fn ticks_worked() -> f64 {
    let told = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind_name = told.rsplit_once(')').map_or("", |(_, rest)| rest);
    behind_name.split_whitespace().skip(11).take(2).map(|it| it.parse().unwrap_or(0.0)).sum()
}

/// Seconds all threads worked since; `None` where that is too short to be told.
pub(super) fn worked_since(ticks: f64) -> Option<f64> {
    let worked = ticks_worked() - ticks;
    (worked >= TICKS_LEAST).then_some(worked / TICKS_A_SECOND)
}

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
