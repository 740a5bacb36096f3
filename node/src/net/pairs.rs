//! One link a pair of keys. Two dials may cross, a relayed connection may get a direct one beside
//! it, a device may come back before we know that it was gone: then there are two connections.
//!
//! The smaller of the two keys **decides**, alone, so that both sides keep the same one: it says
//! [`GO`] on the control stream of the connection that becomes the link, or [`NO`]. The other side
//! makes no link before it has read that byte, and closes an older one when it did.

use std::time::Duration;

/// This connection becomes the link.
pub(super) const GO: u8 = 1;
/// Another connection of this pair is the link.
pub(super) const NO: u8 = 2;

/// A link younger than this and another connection are dials that crossed; one that is older is
/// probably dead on the other side, or nobody would have dialed.
pub(super) const CROSSING: Duration = Duration::from_secs(10);

/// Whether this side says which connection becomes the link.
pub(super) fn decides(own: &[u8; 32], peer: &[u8; 32]) -> bool {
    own < peer
}

/// One of two connections of a pair, as the deciding side sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Candidate {
    /// Through a hub.
    pub(super) relayed: bool,
    /// Dialed by the deciding side.
    pub(super) dialed_here: bool,
}

/// Whether `new` takes the place of `old`, a link that has stood for `age`.
pub(super) fn replaces(new: Candidate, old: Candidate, age: Duration) -> bool {
    match (new.relayed, old.relayed) {
        (false, true) => true,
        (true, false) => false,
        _ => age >= CROSSING || (new.dialed_here && !old.dialed_here),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINE: Candidate = Candidate { relayed: false, dialed_here: true };
    const THEIRS: Candidate = Candidate { relayed: false, dialed_here: false };

    #[test]
    fn of_two_keys_exactly_one_decides() {
        let (low, high) = ([1; 32], [2; 32]);
        assert!(decides(&low, &high) && !decides(&high, &low));
    }

    #[test]
    fn of_crossing_dials_the_one_of_the_deciding_side_stays_in_either_order() {
        assert!(replaces(MINE, THEIRS, Duration::ZERO));
        assert!(!replaces(THEIRS, MINE, Duration::ZERO));
        assert!(!replaces(MINE, MINE, Duration::ZERO));
    }

    #[test]
    fn a_device_that_comes_back_takes_the_place_of_its_dead_link() {
        for (new, old) in [(MINE, MINE), (THEIRS, MINE), (MINE, THEIRS), (THEIRS, THEIRS)] {
            assert!(replaces(new, old, CROSSING));
        }
    }

    #[test]
    fn a_direct_connection_takes_the_place_of_a_relayed_one_and_never_the_other_way() {
        let relayed = Candidate { relayed: true, ..MINE };
        for age in [Duration::ZERO, CROSSING, Duration::from_secs(3600)] {
            assert!(replaces(THEIRS, relayed, age));
            assert!(!replaces(relayed, THEIRS, age));
        }
    }
}
