//! The rules of branches, which every feed store keeps: what follows what, and which branch holds
//! a sequence.

use std::collections::BTreeMap;

use crdt_schema::entry::{ChainPoint, Run};
use crdt_schema::id::{EntryId, FeedId, FeedName};

use crate::ports::{BranchHead, FeedHeads, PlacedRun, StoreError};

/// A feed's heads and the short number that stands for it within one store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FeedState {
    /// From 0, in the order feeds became known; never reused.
    pub(super) number: u32,
    /// Name and heads.
    pub(super) heads: FeedHeads,
}

/// A part of a branch's past that one branch holds; both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// The branch that holds it.
    pub(super) branch: u32,
    /// First sequence.
    pub(super) first: u64,
    /// Last sequence.
    pub(super) last: u64,
}

impl FeedState {
    /// The head of a branch.
    pub(super) fn head(&self, branch: u32) -> Option<&BranchHead> {
        self.heads.branches.get(usize::try_from(branch).ok()?)
    }

    /// Which branches hold `first..=last` of `branch`'s past, ascending; cut at the head, and empty
    /// beyond it. A parent's number is always lower than its child's, so this ends.
    pub(super) fn spans(&self, branch: u32, first: u64, last: u64) -> Vec<Span> {
        let mut spans = Vec::new();
        let mut next = self.head(branch);
        let mut last = next.map_or(0, |head| head.head.point.seq.min(last));
        while let Some(head) = next.filter(|_| last >= first) {
            let begins = head.from.map_or(1, |(_, shared)| shared + 1);
            let begins_here = begins.max(first);
            if begins_here <= last {
                spans.push(Span { branch: head.branch, first: begins_here, last });
                last = begins_here - 1;
            }
            next = head.from.and_then(|(parent, _)| self.head(parent));
        }
        spans.reverse();
        spans
    }

    /// The branch that holds `seq` of `branch`'s past; `None` beyond the head and below 1.
    pub(super) fn owner(&self, branch: u32, seq: u64) -> Option<u32> {
        if seq == 0 {
            return None;
        }
        self.spans(branch, seq, seq).first().map(|span| span.branch)
    }
}

/// Looks up an id that is stored.
pub(super) type StoredPoint<'a> =
    &'a dyn Fn(FeedId, u32, u64) -> Result<Option<ChainPoint>, StoreError>;

/// The heads as they will be when a batch is written; checks that each run has its place.
pub(super) struct Staging<'a> {
    feeds: &'a BTreeMap<FeedId, FeedState>,
    touched: BTreeMap<FeedId, FeedState>,
    known: usize,
    runs: BTreeMap<(FeedId, u32), Vec<&'a Run>>,
    stored: StoredPoint<'a>,
}

impl<'a> Staging<'a> {
    /// Nothing staged yet on `feeds`.
    pub(super) fn new(feeds: &'a BTreeMap<FeedId, FeedState>, stored: StoredPoint<'a>) -> Self {
        let known = feeds.len();
        Self { feeds, touched: BTreeMap::new(), known, runs: BTreeMap::new(), stored }
    }

    /// Makes a feed known; one that is known already stays as it is.
    pub(super) fn add_feed(&mut self, name: &FeedName) -> Result<(), StoreError> {
        let id = name.id();
        if self.feed(id).is_some() {
            return Ok(());
        }
        let number = u32::try_from(self.known);
        let number = number.map_err(|_| StoreError::Misuse("too many feeds"))?;
        self.known += 1;
        let heads = FeedHeads { name: *name, branches: Vec::new() };
        self.touched.insert(id, FeedState { number, heads });
        Ok(())
    }

    /// A feed as it will be.
    pub(super) fn feed(&self, id: FeedId) -> Option<&FeedState> {
        self.touched.get(&id).or_else(|| self.feeds.get(&id))
    }

    /// Puts a run in its place.
    ///
    /// # Errors
    /// [`StoreError::Misuse`] when it has none there.
    pub(super) fn place(&mut self, placed: &'a PlacedRun) -> Result<(), StoreError> {
        let id = placed.run.feed();
        let feed = self.feed(id).ok_or(StoreError::Misuse("a run of an unknown feed"))?;
        let follows = match (placed.from, feed.head(placed.branch)) {
            (None, Some(head)) => placed.run.prev() == head.head.point,
            (None, None) => begins_feed(feed, placed),
            (Some(from), None) => self.begins_branch(feed, placed, from)?,
            (Some(_), Some(_)) => false,
        };
        if !follows {
            return Err(StoreError::Misuse("a run that does not follow its branch"));
        }
        let mut feed = feed.clone();
        let head =
            BranchHead { branch: placed.branch, from: placed.from, head: *placed.run.head() };
        match feed.heads.branches.iter_mut().find(|known| known.branch == placed.branch) {
            Some(known) => known.head = head.head,
            None => feed.heads.branches.push(head),
        }
        self.touched.insert(id, feed);
        self.runs.entry((id, placed.branch)).or_default().push(&placed.run);
        Ok(())
    }

    fn begins_branch(
        &self,
        feed: &FeedState,
        placed: &PlacedRun,
        (parent, shared): (u32, u64),
    ) -> Result<bool, StoreError> {
        let is_next = usize::try_from(placed.branch) == Ok(feed.heads.branches.len());
        if !is_next || feed.head(parent).is_none() {
            return Ok(false);
        }
        let point = self.point(placed.run.feed(), parent, shared)?;
        Ok(point == Some(placed.run.prev()))
    }

    /// The id at a sequence, staged or stored.
    pub(super) fn point(
        &self,
        id: FeedId,
        branch: u32,
        seq: u64,
    ) -> Result<Option<ChainPoint>, StoreError> {
        if seq == 0 {
            return Ok(self.feed(id).and_then(|feed| feed.head(branch)).map(|_| ChainPoint::START));
        }
        let Some(owner) = self.feed(id).and_then(|feed| feed.owner(branch, seq)) else {
            return Ok(None);
        };
        match self.staged(id, owner, seq) {
            Some(entry) => Ok(Some(ChainPoint { seq, id: entry })),
            None => (self.stored)(id, owner, seq),
        }
    }

    fn staged(&self, id: FeedId, owner: u32, seq: u64) -> Option<EntryId> {
        let runs = self.runs.get(&(id, owner))?;
        let index = runs.partition_point(|run| run.head().point.seq < seq);
        let run = runs.get(index)?;
        let within = seq.checked_sub(run.prev().seq + 1)?;
        run.entries().get(usize::try_from(within).ok()?).map(|entry| entry.id)
    }

    /// The feeds that changed, as they will be.
    pub(super) fn finish(self) -> BTreeMap<FeedId, FeedState> {
        self.touched
    }
}

fn begins_feed(feed: &FeedState, placed: &PlacedRun) -> bool {
    feed.heads.branches.is_empty() && placed.branch == 0 && placed.run.prev() == ChainPoint::START
}
