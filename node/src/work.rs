//! Work that is counted, so that a test can hold its growth and not its time. For tests only; each
//! thread counts for itself, as the tests run.

use std::cell::Cell;

thread_local! {
    static DONE: Cell<u64> = const { Cell::new(0) };
}

/// As much was done.
pub(crate) fn count(work: usize) {
    DONE.set(DONE.get() + work as u64);
}

/// What `run` gives, and how much was done meanwhile.
pub(crate) fn counted<T>(run: impl FnOnce() -> T) -> (T, u64) {
    let before = DONE.get();
    let value = run();
    (value, DONE.get() - before)
}
