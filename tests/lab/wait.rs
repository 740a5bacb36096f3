//! Conditions that come true within a deadline. Nothing here sleeps for as long as it hopes something takes.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Between two looks. A look at a node is a command of its own, so less would measure the looking.
const LOOK: Duration = Duration::from_millis(100);

/// Looks until there is something to see.
///
/// # Panics
/// At the deadline, with what the last look found instead.
#[track_caller]
pub(crate) fn until<T>(
    what: &str,
    within: Duration,
    mut look: impl FnMut() -> Result<T, String>,
) -> T {
    let end = Instant::now() + within;
    loop {
        match look() {
            Ok(found) => return found,
            Err(instead) => {
                assert!(Instant::now() < end, "{what}: not within {within:?}; {instead}");
            }
        }
        sleep(LOOK);
    }
}

/// The same for what is only true or false.
#[track_caller]
pub(crate) fn until_true(what: &str, within: Duration, mut look: impl FnMut() -> bool) {
    until(what, within, || if look() { Ok(()) } else { Err("it never was".to_owned()) });
}
