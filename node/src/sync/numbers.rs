//! Short numbers for feeds, so that a name of 52 bytes travels once a session.
//!
//! Each side numbers the feeds it mentions on control, in order. A list of heads gives numbers by
//! position and cut ids: whether the receiver could tell which feed is meant shows only when it
//! uses the number itself. The two streams overtake each other, so bulk uses a number only when it
//! is certain to have arrived: the peer's own, or one of ours the peer has used.
//!
//! Two hubs compare every minute and stay linked for months, so numbers grow old: only the newest
//! [`FEED_NUMBERS_MAX`] of a side are used, and twice as many are understood, for what was said
//! before the other side heard of the newest is still under way.

use std::collections::{BTreeMap, VecDeque};

use crdt_schema::id::{FeedId, FeedName};

use super::message::{EndReason, FEED_NUMBERS_KEPT, FEED_NUMBERS_MAX, FeedRef};
use super::table::Table;

/// The numbers of one session.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    mine: Given<FeedName>,
    my_number: BTreeMap<FeedId, (u32, Known)>,
    theirs: Given<Option<FeedName>>,
    their_number: BTreeMap<FeedId, u32>,
}

/// What one side numbered: the newest [`FEED_NUMBERS_KEPT`].
#[derive(Debug)]
struct Given<T> {
    first: u32,
    feeds: VecDeque<T>,
}

impl<T> Default for Given<T> {
    fn default() -> Self {
        Self { first: 0, feeds: VecDeque::new() }
    }
}

impl<T: Copy> Given<T> {
    /// Gives the next number; `None` when there is none left.
    fn give(&mut self, feed: T) -> Option<u32> {
        let number = self.first.checked_add(u32::try_from(self.feeds.len()).ok()?)?;
        if self.feeds.len() >= FEED_NUMBERS_KEPT {
            self.feeds.pop_front();
            self.first += 1;
        }
        self.feeds.push_back(feed);
        Some(number)
    }

    fn get(&self, number: u32) -> Option<T> {
        let place = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.feeds.get(place).copied()
    }

    /// The number that the newest one made too old to be used.
    fn outlived(&self) -> Option<(u32, T)> {
        let place = self.feeds.len().checked_sub(FEED_NUMBERS_MAX + 1)?;
        let number = self.first.checked_add(u32::try_from(place).ok()?)?;
        Some((number, self.get(number)?))
    }

    /// Whether a number may still be used.
    fn is_young(&self, number: u32) -> bool {
        self.outlived().is_none_or(|(old, _)| old < number) && self.get(number).is_some()
    }
}

/// What the peer knows of a number of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Known {
    /// The beginning of an id.
    Listed,
    /// The whole name, once it arrives.
    Named,
    /// It has used the number.
    Used,
}

impl Numbers {
    /// How many feeds each side has numbered, of those it remembers.
    pub(super) fn tables(&self) -> [Table; 4] {
        let told = |what, held| Table::new(what, held, FEED_NUMBERS_KEPT);
        let used = |what, held| Table::new(what, held, FEED_NUMBERS_MAX);
        [
            told("feeds numbered here", self.mine.feeds.len()),
            told("feeds numbered there", self.theirs.feeds.len()),
            used("numbers in use here", self.my_number.len()),
            used("numbers in use there", self.their_number.len()),
        ]
    }

    fn give(&mut self, name: FeedName, known: Known) {
        let Some(number) = self.mine.give(name) else { return };
        if let Some((old, name)) = self.mine.outlived() {
            let feed = name.id();
            if self.my_number.get(&feed).is_some_and(|(number, _)| *number == old) {
                self.my_number.remove(&feed);
            }
        }
        let entry = self.my_number.entry(name.id()).or_insert((number, known));
        if known > entry.1 {
            *entry = (number, known);
        }
    }

    /// I list a feed: it takes my next number.
    pub(super) fn list(&mut self, name: FeedName) {
        self.give(name, Known::Listed);
    }

    /// The peer lists a feed; `None`: I cannot tell which. No number where all were given.
    pub(super) fn listed(&mut self, name: Option<FeedName>) -> Option<u32> {
        let number = self.theirs.give(name)?;
        if let Some((old, Some(name))) = self.theirs.outlived() {
            let feed = name.id();
            if self.their_number.get(&feed) == Some(&old) {
                self.their_number.remove(&feed);
            }
        }
        if let Some(name) = name {
            self.their_number.insert(name.id(), number);
        }
        Some(number)
    }

    /// How I name a feed on control now.
    pub(super) fn refer(&mut self, name: FeedName) -> FeedRef {
        if let Some(short) = self.short(&name, Known::Named) {
            return short;
        }
        self.give(name, Known::Named);
        FeedRef::Name(name)
    }

    /// How I name a feed on bulk now, behind a run of `before`.
    pub(super) fn refer_bulk(&self, name: FeedName, before: Option<FeedName>) -> FeedRef {
        if before == Some(name) {
            return FeedRef::Same;
        }
        self.short(&name, Known::Used).unwrap_or(FeedRef::Name(name))
    }

    fn short(&self, name: &FeedName, least: Known) -> Option<FeedRef> {
        let feed = name.id();
        if let Some(number) = self.their_number.get(&feed) {
            return Some(FeedRef::Yours(*number));
        }
        let (number, known) = self.my_number.get(&feed)?;
        (*known >= least).then_some(FeedRef::Mine(*number))
    }

    /// Which feed the peer means on control.
    pub(super) fn resolve(&mut self, feed: &FeedRef) -> Result<FeedName, EndReason> {
        if let FeedRef::Name(name) = feed {
            self.listed(Some(*name));
        }
        self.resolve_bulk(feed, None)
    }

    /// Which feed the peer means on bulk, behind a run of `before`.
    pub(super) fn resolve_bulk(
        &self,
        feed: &FeedRef,
        before: Option<FeedName>,
    ) -> Result<FeedName, EndReason> {
        let name = match feed {
            FeedRef::Name(name) => Some(*name),
            FeedRef::Same => before,
            FeedRef::Mine(number) => self.theirs.get(*number).flatten(),
            FeedRef::Yours(number) => self.mine.get(*number),
        };
        name.ok_or(EndReason::UnknownReference)
    }

    /// The peer used our number and holds the feed: from now on that number alone will do. A newer one
    /// we gave the feed meanwhile may still be under way.
    pub(super) fn understood(&mut self, feed: &FeedRef) {
        let FeedRef::Yours(number) = feed else { return };
        if let Some(name) = self.mine.get(*number).filter(|_| self.mine.is_young(*number)) {
            self.my_number.insert(name.id(), (*number, Known::Used));
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

    use super::*;
    use crate::sync::testing::{area, feed_name};

    #[test]
    fn bulk_uses_the_number_the_peer_used_and_not_a_newer_one_under_way() {
        let name = feed_name(7, area("32093920010"), crdt_schema::id::Space::Records);
        let mut numbers = Numbers::default();
        numbers.list(name);
        assert_eq!(numbers.refer(name), FeedRef::Name(name), "a listed one is named, as number 1");
        numbers.understood(&FeedRef::Yours(0));
        assert_eq!(numbers.refer_bulk(name, None), FeedRef::Mine(0));
    }

    #[test]
    fn numbers_that_grew_old_are_understood_and_used_no_more() {
        let name =
            |start: u8| feed_name(start, area("32093920010"), crdt_schema::id::Space::Records);
        let (mut one, mut other) = (Numbers::default(), Numbers::default());
        let list = |one: &mut Numbers, other: &mut Numbers, times: usize| {
            for _ in 0..times {
                one.list(name(1));
                assert!(other.listed(Some(name(1))).is_some(), "there is always a next number");
            }
        };
        one.list(name(7));
        assert_eq!(other.listed(Some(name(7))), Some(0));
        assert_eq!(other.refer(name(7)), FeedRef::Yours(0));
        one.understood(&FeedRef::Yours(0));
        assert_eq!(one.refer_bulk(name(7), None), FeedRef::Mine(0));

        list(&mut one, &mut other, FEED_NUMBERS_MAX - 1);
        assert_eq!(other.refer(name(7)), FeedRef::Yours(0), "the oldest that may be used");
        assert_eq!(one.refer_bulk(name(7), None), FeedRef::Mine(0));

        list(&mut one, &mut other, 1);
        assert_eq!(other.refer(name(7)), FeedRef::Name(name(7)));
        assert_eq!(one.refer_bulk(name(7), None), FeedRef::Name(name(7)));
        assert_eq!(one.resolve(&FeedRef::Yours(0)), Ok(name(7)), "said before that was heard");
        one.understood(&FeedRef::Yours(0));
        assert_eq!(one.refer_bulk(name(7), None), FeedRef::Name(name(7)));
        assert_eq!(other.resolve_bulk(&FeedRef::Mine(0), None), Ok(name(7)));

        list(&mut one, &mut other, 3 * FEED_NUMBERS_KEPT);
        assert_eq!(one.resolve(&FeedRef::Yours(0)), Err(EndReason::UnknownReference));
        assert_eq!(one.mine.feeds.len(), FEED_NUMBERS_KEPT);
        assert_eq!(other.theirs.feeds.len(), FEED_NUMBERS_KEPT);
        let newest = u32::try_from(3 * FEED_NUMBERS_KEPT + FEED_NUMBERS_MAX).unwrap();
        assert_eq!(other.refer(name(1)), FeedRef::Yours(newest));
        assert_eq!(one.resolve(&FeedRef::Yours(newest)), Ok(name(1)));
    }
}
