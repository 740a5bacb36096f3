//! Long work says how far it is, and asks whether to go on.

/// Told now and then by work that may take long.
pub trait Progress {
    /// `done` of `total` steps are behind us; `total` is 0 while it is not known.
    ///
    /// False asks the work to stop where what is done is whole; it then ends with
    /// [`NodeError::Interrupted`](crate::error::NodeError::Interrupted).
    fn at(&mut self, done: u64, total: u64) -> bool;
}

/// Nobody watches, nobody stops it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Progress for Unwatched {
    fn at(&mut self, _done: u64, _total: u64) -> bool {
        true
    }
}
