//! Short numbers for feeds, so that a name of 52 bytes travels once a session.
//!
//! Each side numbers the feeds it mentions on control, in order. A list of heads gives numbers by
//! position and cut ids: whether the receiver could tell which feed is meant shows only when it
//! uses the number itself. The two streams overtake each other, so bulk uses a number only when it
//! is certain to have arrived: the peer's own, or one of ours the peer has used.

use std::collections::BTreeMap;

use crdt_schema::id::{FeedId, FeedName};

use super::message::{EndReason, FEED_NUMBERS_MAX, FeedRef};

/// The numbers of one session.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    mine: Vec<FeedName>,
    my_number: BTreeMap<FeedId, (u32, Known)>,
    theirs: Vec<Option<FeedName>>,
    their_number: BTreeMap<FeedId, u32>,
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
    fn give(&mut self, name: FeedName, known: Known) {
        if self.mine.len() >= FEED_NUMBERS_MAX {
            return;
        }
        let number = u32::try_from(self.mine.len()).unwrap_or(u32::MAX);
        self.mine.push(name);
        let entry = self.my_number.entry(name.id()).or_insert((number, known));
        if known > entry.1 {
            *entry = (number, known);
        }
    }

    /// I list a feed: it takes my next number.
    pub(super) fn list(&mut self, name: FeedName) {
        self.give(name, Known::Listed);
    }

    /// The peer lists a feed; `None`: I cannot tell which. Beyond the limit it gets no number.
    pub(super) fn listed(&mut self, name: Option<FeedName>) -> Option<u32> {
        if self.theirs.len() >= FEED_NUMBERS_MAX {
            return None;
        }
        let number = u32::try_from(self.theirs.len()).ok()?;
        self.theirs.push(name);
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
            FeedRef::Mine(number) => nth(&self.theirs, *number).copied().flatten(),
            FeedRef::Yours(number) => nth(&self.mine, *number).copied(),
        };
        name.ok_or(EndReason::UnknownReference)
    }

    /// The peer used our number and holds the feed: from now on that number alone will do. A newer one
    /// we gave the feed meanwhile may still be under way.
    pub(super) fn understood(&mut self, feed: &FeedRef) {
        let FeedRef::Yours(number) = feed else { return };
        let name = nth(&self.mine, *number).copied();
        if let Some(entry) = name.and_then(|name| self.my_number.get_mut(&name.id())) {
            *entry = (*number, Known::Used);
        }
    }
}

fn nth<T>(items: &[T], number: u32) -> Option<&T> {
    items.get(usize::try_from(number).ok()?)
}

#[cfg(test)]
mod tests {
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
}
