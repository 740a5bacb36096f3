//! Room on the disk: what a node still takes in when little is left.
//!
//! The order is fixed: first what is only carried for others, then whatever else comes from
//! outside or in bulk, and last, when the disk is really full, what the people here save. What
//! somebody else refuses for want of room is not lost, for it lies where it came from; a save that
//! is refused may be.

use crdt_schema::area::AreaId;
use crdt_schema::authority::Rights;
use crdt_schema::id::{FeedName, Space};

use super::Replica;
use crate::ports::{FeedStore, ViewStore};

/// Free bytes below which nothing more is carried for others: what is for this node's own area has
/// twice its reserve before it ends too.
pub const CARRYING_ENDS_BYTES: u64 = 60_000_000;
/// Free bytes below which nothing more is taken in: kept for the operator's own saves, some four
/// hundred of 50 KB each while nothing is given back, and thousands where pages are used again.
pub const TAKING_IN_ENDS_BYTES: u64 = 20_000_000;
/// Free bytes below which nobody's authority is taken in either: who may issue and writes without end leaves
/// half of what is kept for own saves.
pub const AUTHORITY_ENDS_BYTES: u64 = 10_000_000;

/// What there is room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Room {
    /// Own saves, and nothing else.
    OwnSaves,
    /// Own saves and what comes for the areas this node reads or writes in.
    OwnArea,
    /// Whatever its certificates let it hold.
    Everything,
}

impl Room {
    /// What so many free bytes are enough for; a system that cannot say has enough.
    pub const fn of(free: Option<u64>) -> Self {
        match free {
            Some(..TAKING_IN_ENDS_BYTES) => Self::OwnSaves,
            Some(TAKING_IN_ENDS_BYTES..CARRYING_ENDS_BYTES) => Self::OwnArea,
            Some(CARRYING_ENDS_BYTES..) | None => Self::Everything,
        }
    }
}

impl<F: FeedStore, V: ViewStore> Replica<F, V> {
    /// What there is room for now.
    pub fn room(&self) -> Room {
        Room::of(self.feeds.free_bytes())
    }

    /// Free bytes, asked once for each batch; a system that cannot say has enough.
    fn free_of_batch(&mut self) -> u64 {
        let free = || self.feeds.free_bytes().unwrap_or(u64::MAX);
        let free = self.batch_free.unwrap_or_else(free);
        self.batch_free = Some(free);
        free
    }

    /// Whether a feed's new runs may take room. Who belongs to the network is small as a rule, and what
    /// anything else is judged by, so authority of who may issue goes on when other taking in ends.
    pub(super) fn has_room_for(&mut self, name: &FeedName) -> bool {
        if name.device == self.me {
            return true;
        }
        let free = self.free_of_batch();
        match Room::of(Some(free)) {
            Room::Everything => true,
            Room::OwnArea if !self.only_carries(name.area) => true,
            Room::OwnArea | Room::OwnSaves => {
                // Who joins knows nobody yet, and takes the authority of its invitation whole.
                let joins = self.authority.member(&self.me).is_none();
                let is_ruling = name.space == Space::Authority && (joins || self.issues_in(name));
                is_ruling && free >= AUTHORITY_ENDS_BYTES
            }
        }
    }

    /// Whether this device holds an area for others alone: it neither reads nor writes there.
    fn only_carries(&self, area: AreaId) -> bool {
        let Some(member) = self.authority.member(&self.me) else { return true };
        let own = Rights::all_reading().with(Rights::WRITE);
        let tree = self.authority.tree();
        !member.grants.iter().any(|it| it.rights.has_any(own) && tree.ever_covered(it.area, area))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carrying_ends_before_taking_in_and_own_saves_never() {
        let of = |free| Room::of(Some(free));
        assert_eq!(Room::of(None), Room::Everything);
        assert_eq!(of(CARRYING_ENDS_BYTES), Room::Everything);
        assert_eq!(of(CARRYING_ENDS_BYTES - 1), Room::OwnArea);
        assert_eq!(of(TAKING_IN_ENDS_BYTES), Room::OwnArea);
        assert_eq!(of(TAKING_IN_ENDS_BYTES - 1), Room::OwnSaves);
        assert_eq!(of(0), Room::OwnSaves);
    }
}
