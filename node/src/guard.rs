//! Work that may panic over foreign bytes and must not end the program: redb over pages that
//! rotted, a spreadsheet's reader over anything.
//!
//! A panic's text and place are not for the person before the screen: the text may quote a value,
//! the place names folders of whoever built the program. Whoever installs a panic hook asks
//! [`note`] first; where it keeps the place, somebody waits for the panic and will say what it means.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::path::Path;

thread_local! {
    /// How many guards are around the work of this thread.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// Where the newest guarded panic was.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// A panic that was caught.
pub struct Panicked(Box<dyn Any + Send>);

impl fmt::Debug for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Panicked(..)")
    }
}

impl Panicked {
    /// Goes on panicking: it was our own mistake after all.
    pub fn raise(self) -> ! {
        resume_unwind(self.0)
    }
}

/// Does `work`; nothing half-made in it may outlive a panic.
///
/// # Errors
/// [`Panicked`], for whoever knows what it means.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    DEPTH.set(DEPTH.get() + 1);
    let done = catch_unwind(AssertUnwindSafe(work));
    DEPTH.set(DEPTH.get() - 1);
    done.map_err(Panicked)
}

/// Keeps the place of a panic, file and line without any folder, where a guard is around it; says
/// whether one is. For a panic hook.
pub fn note(place: Option<&Location<'_>>) -> bool {
    let name = |at: &Location<'_>| {
        let file = Path::new(at.file()).file_name().unwrap_or_default().to_string_lossy();
        format!("{file}:{}", at.line())
    };
    PLACE.replace(place.map(name));
    DEPTH.get() > 0
}

/// Where the newest panic of this thread was, if a hook noted it.
pub fn place() -> Option<String> {
    PLACE.with_borrow(Clone::clone)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::panic, reason = "what panics here is what is tested")]
    use super::*;

    #[test]
    fn a_guarded_panic_is_handed_back_and_the_guard_is_gone() {
        assert!(matches!(guarded(|| 7), Ok(7)));
        assert!(guarded(|| panic!("rahasia")).is_err());
        assert!(!note(None), "a guard was left");
        let noted = guarded(|| note(Some(Location::caller())));
        assert!(matches!(noted, Ok(true)));
        assert!(place().is_some_and(|place| place.starts_with("guard.rs:")), "{:?}", place());
    }

    #[test]
    fn what_is_raised_again_reaches_the_guard_above() {
        let above = guarded(|| match guarded(|| panic!("x")) {
            Ok(()) => {}
            Err(panicked) => panicked.raise(),
        });
        assert_eq!(format!("{above:?}"), "Err(Panicked(..))");
    }
}
