//! A device as grants and words make it, and how that stands in one area: what was granted and said in
//! the area and in what ever lay above it decides, and nothing else (ADR 0026).
//!
//! So whoever holds the authority of an area decides alike, whatever else it holds.

use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::area::{AreaId, AreaTree, Level};
use crdt_schema::authority::{DeviceKeys, Rights};
use crdt_schema::entry::ChainPoint;
use crdt_schema::id::{DeviceId, EntryId, FeedId};

use super::joined::Ask;
use super::member::{Grant, MemberState};

/// Where feeds end; one that is not named counts for nothing.
pub(super) type Ends = BTreeMap<FeedId, ChainPoint>;

/// An area and all that ever lay above it: where what is said decides how feeds of the area stand.
#[derive(Debug)]
pub(super) struct Lineage {
    area: AreaId,
    above: BTreeSet<AreaId>,
}

impl Lineage {
    pub(super) fn of(tree: &AreaTree, area: AreaId) -> Self {
        Self { area, above: tree.ever_ancestors(area) }
    }

    fn has(&self, area: AreaId) -> bool {
        area == self.area || self.above.contains(&area)
    }
}

/// What one author said in one area about the end of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// The level the author speaks at there.
    pub(super) level: Level,
    /// Areas the device is certified for that the author stands above and covers.
    pub(super) over: BTreeSet<AreaId>,
    /// What all its closings leave.
    pub(super) closing: Option<Ends>,
    /// What all its cuts leave.
    pub(super) cut: Option<Ends>,
    pub(super) revokes: bool,
}

impl Word {
    pub(super) const fn at(level: Level) -> Self {
        Self { level, over: BTreeSet::new(), closing: None, cut: None, revokes: false }
    }
}

/// Everything that was found out about a device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// `None`: something was said of it, and nobody certified it.
    pub(super) keys: Option<DeviceKeys>,
    /// From above.
    pub(super) certified: Vec<Grant>,
    /// The invitation of a confirmation.
    pub(super) confirmed: Option<EntryId>,
    /// What it asked for with invitations, by area, where no certificate reaches.
    pub(super) asked: BTreeMap<AreaId, Vec<Ask>>,
    /// What was said about its end, by area and author.
    pub(super) words: BTreeMap<(AreaId, DeviceId), Word>,
    /// What it said itself, by area.
    pub(super) own: BTreeMap<AreaId, Ends>,
}

impl Known {
    /// The device by what certificates give it in an area; `None` where they give nothing.
    pub(super) fn certified<'a>(&'a self, lineage: &'a Lineage) -> Option<Here<'a>> {
        let grants = self.certified.iter().filter(|grant| lineage.has(grant.area));
        let grants: Vec<&Grant> = grants.collect();
        (!grants.is_empty()).then_some(Here { known: self, lineage, grants, ask: None })
    }

    /// The device as it is in an area: where nobody certified it, by what it asked for.
    pub(super) fn here<'a>(&'a self, lineage: &'a Lineage) -> Option<Here<'a>> {
        let asks = || self.asked.iter().filter(|(area, _)| lineage.has(**area));
        let by_asks = || self.by_asks(lineage, asks().flat_map(|(_, asks)| asks));
        self.certified(lineage).or_else(by_asks)
    }

    /// The same for its authority, which who asked writes only where it asked: what it asked for
    /// there is part of that authority, whatever it asked for above.
    pub(super) fn authority_here<'a>(&'a self, lineage: &'a Lineage) -> Option<Here<'a>> {
        let asks = self.asked.get(&lineage.area).into_iter().flatten();
        self.certified(lineage).or_else(|| self.by_asks(lineage, asks))
    }

    /// Of several the one that gives most decides: an ask that waits is not part of what others hold,
    /// and must not outweigh one that is.
    fn by_asks<'a>(
        &'a self,
        lineage: &'a Lineage,
        asks: impl Iterator<Item = &'a Ask>,
    ) -> Option<Here<'a>> {
        let ask = asks.min_by_key(|ask| ask.rank())?;
        Some(Here { known: self, lineage, grants: vec![&ask.grant], ask: Some(ask) })
    }

    /// Areas it holds or asks for.
    pub(super) fn areas(&self) -> impl Iterator<Item = AreaId> {
        self.certified.iter().map(|grant| grant.area).chain(self.asked.keys().copied())
    }
}

/// A device in one area.
pub(super) struct Here<'a> {
    known: &'a Known,
    lineage: &'a Lineage,
    /// Never empty.
    grants: Vec<&'a Grant>,
    /// The invitation by which it is here, where no certificate is.
    pub(super) ask: Option<&'a Ask>,
}

impl<'a> Here<'a> {
    /// The highest level it holds a grant at.
    pub(super) fn level(&self) -> Level {
        self.grants.iter().map(|grant| grant.area.level()).min().unwrap_or(Level::Desa)
    }

    pub(super) fn grants(&self) -> impl Iterator<Item = &'a Grant> {
        self.grants.iter().copied()
    }

    /// Whether it has a right: whatever it holds here covers the area.
    pub(super) fn has(&self, right: Rights) -> bool {
        self.grants.iter().any(|grant| grant.rights.has(right))
    }

    /// Whether it is here by a certificate of its own that others need not hold.
    pub(super) fn is_void(&self) -> bool {
        self.ask.is_some_and(|ask| ask.is_void)
    }

    pub(super) fn state(&self) -> MemberState {
        if self.ask.is_some_and(|ask| !ask.at_once) {
            MemberState::Provisional
        } else if self.is_revoked() {
            MemberState::Revoked
        } else if self.words().any(|(_, word)| word.closing.is_some())
            || self.own_closings().next().is_some()
        {
            MemberState::Closed
        } else if self.ask.is_some_and(Ask::waits) {
            MemberState::Provisional
        } else {
            MemberState::Active
        }
    }

    /// Where a feed of this area ends, if its device does: of several words only what all leave.
    pub(super) fn end(&self, feed: FeedId) -> Option<ChainPoint> {
        if self.ask.is_some_and(|ask| !ask.at_once) {
            return None;
        }
        let own = self.own_closings().map(|ends| ends.get(&feed).copied());
        left_of(self.said_above(feed).into_iter().chain(own))
    }

    /// The same by the word of those above alone.
    pub(super) fn end_from_above(&self, feed: FeedId) -> Option<ChainPoint> {
        left_of(self.said_above(feed))
    }

    /// What those above all it is certified for here leave of a feed, word by word.
    fn said_above(&self, feed: FeedId) -> Vec<Option<ChainPoint>> {
        let closings = self.words().filter_map(|(_, word)| word.closing.as_ref());
        let mut said: Vec<_> = closings.map(|ends| ends.get(&feed).copied()).collect();
        if self.is_revoked() {
            said.push(self.left_by_cuts(feed));
        }
        said
    }

    fn is_revoked(&self) -> bool {
        self.words().any(|(_, word)| word.revokes)
    }

    /// Cuts complete each other across areas and narrow each other within one; without any nothing
    /// is left.
    fn left_by_cuts(&self, feed: FeedId) -> Option<ChainPoint> {
        let mut by_area: BTreeMap<AreaId, Vec<Option<ChainPoint>>> = BTreeMap::new();
        for (area, word) in self.words() {
            if let Some(ends) = &word.cut {
                by_area.entry(area).or_default().push(ends.get(&feed).copied());
            }
        }
        let named = |words: Vec<Option<ChainPoint>>| words.into_iter().min().flatten();
        by_area.into_values().filter_map(named).min()
    }

    /// What was said here about its end by those who stand above all it is certified for here.
    fn words(&self) -> impl Iterator<Item = (AreaId, &'a Word)> {
        let words = self.known.words.iter().filter(|((area, _), _)| self.lineage.has(*area));
        let rules = |word: &Word| self.grants.iter().all(|grant| word.over.contains(&grant.area));
        words.filter(move |(_, word)| rules(word)).map(|((area, _), word)| (*area, word))
    }

    /// What it says itself, in the highest area it is certified for: below that it may be ended by
    /// those who do not stand above it.
    fn own_closings(&self) -> impl Iterator<Item = &'a Ends> {
        let level = self.level();
        let highest: BTreeSet<AreaId> =
            self.grants.iter().map(|grant| grant.area).filter(|at| at.level() == level).collect();
        highest.into_iter().filter_map(|area| self.known.own.get(&area))
    }
}

/// Of several words about one feed the lowest end, and nothing where one does not name it (ADR 0025);
/// `None` without any.
fn left_of(words: impl IntoIterator<Item = Option<ChainPoint>>) -> Option<ChainPoint> {
    words.into_iter().map(|end| end.unwrap_or(ChainPoint::START)).min()
}

/// The same of all feeds.
pub(super) fn left_by_all(words: impl IntoIterator<Item = Ends>) -> Option<Ends> {
    words.into_iter().reduce(|mut left, word| {
        left.retain(|feed, end| match word.get(feed) {
            Some(last) => {
                *end = (*end).min(*last);
                true
            }
            None => false,
        });
        left
    })
}
