//! What the writer works on now, for whoever waits for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What a running node works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// A question, by the name it was put under; empty where it has none.
    Question(&'static str),
    /// What a peer sent.
    Peers,
    /// Its own affairs: times that have come, connections that came and went.
    Itself,
}

/// Something under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// What.
    pub doing: Doing,
    /// For how long already.
    pub since: Duration,
}

/// Written by the writer before and after each piece of work, read by others at any time.
#[derive(Debug, Clone, Default)]
pub(super) struct AtWork(Arc<Mutex<Option<(Doing, Instant)>>>);

impl AtWork {
    pub(super) fn begin(&self, doing: Doing) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((doing, Instant::now()));
    }

    pub(super) fn end(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(super) fn look(&self) -> Option<Work> {
        let now = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        now.map(|(doing, since)| Work { doing, since: since.elapsed() })
    }
}
