//! Which of the held entries count: the authority's word on a feed, applied to its branches.
//!
//! A function of headers, chain and authority alone; what sections say is never looked at.

use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::entry::{ChainPoint, Header};
use crdt_schema::id::{EntryId, FeedId, FeedName};

use super::Replica;
use super::held::Held;
use super::rests::bears;
use crate::authority::Standing;
use crate::ports::{FeedHeads, FeedStore, StoreError, ViewStore};

/// Entries read at once where a stretch of a feed is looked through.
pub(super) const ENTRIES_AT_ONCE: u64 = 512;

/// How one held entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryVerdict {
    /// It counts.
    Counting,
    /// Its device waits for confirmation, or counts at once and this is not open.
    Provisional,
    /// It lies beyond where its feed ends, and nobody adopted it.
    Quarantined,
}

/// What of one feed counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reach {
    /// Everything held.
    All,
    /// Nothing; a layer of its own.
    Provisional,
    /// On every branch up to a sequence, by number of the branch; and adopted ranges.
    UpTo {
        /// Branch, and the last sequence that counts on it.
        until: Vec<(u32, u64)>,
        /// Branch, first and last sequence.
        adopted: Vec<(u32, u64, u64)>,
    },
    /// Of what this says only what is open; the rest waits for the device's confirmation.
    Open(Box<Self>),
}

impl Reach {
    /// Nothing, and nothing waits.
    pub(super) const fn nothing() -> Self {
        Self::UpTo { until: Vec::new(), adopted: Vec::new() }
    }

    /// How an entry of the feed stands. `branch` is the one it lies on.
    pub(super) fn verdict(&self, branch: u32, header: &Header) -> EntryVerdict {
        self.verdict_at(branch, header.seq, header.is_open())
    }

    /// How an entry at a place stands that is open, or is not.
    fn verdict_at(&self, branch: u32, seq: u64, is_open: bool) -> EntryVerdict {
        match self {
            Self::All => EntryVerdict::Counting,
            Self::Provisional => EntryVerdict::Provisional,
            Self::Open(whole) => {
                let verdict = whole.verdict_at(branch, seq, is_open);
                let waits =
                    verdict == EntryVerdict::Counting && !is_open && !whole.adopts(branch, seq);
                if waits { EntryVerdict::Provisional } else { verdict }
            }
            Self::UpTo { until, .. } => {
                let within = until.iter().any(|(of, last)| *of == branch && seq <= *last);
                let counts = within || self.adopts(branch, seq);
                if counts { EntryVerdict::Counting } else { EntryVerdict::Quarantined }
            }
        }
    }

    /// Whether it counts up to somewhere, so that what grows may count or not.
    pub(super) fn ends(&self) -> bool {
        match self {
            Self::All | Self::Provisional => false,
            Self::UpTo { .. } => true,
            Self::Open(whole) => whole.ends(),
        }
    }

    /// Whether somebody made an entry count by naming it.
    fn adopts(&self, branch: u32, seq: u64) -> bool {
        match self {
            Self::UpTo { adopted, .. } => adopted
                .iter()
                .any(|(of, first, last)| *of == branch && (*first..=*last).contains(&seq)),
            Self::Open(whole) => whole.adopts(branch, seq),
            Self::All | Self::Provisional => false,
        }
    }
}

/// The last open entry on a branch's own part, as far as it was looked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct LastOpen {
    branch: u32,
    first: u64,
    looked_to: u64,
    /// 0: none.
    open: u64,
}

/// What of a feed counted when it was last judged, and what was held of it then.
#[derive(Debug)]
pub(super) struct Judged {
    reach: Reach,
    /// Whether what does not count of it may be rested on.
    bears: bool,
    /// Branch, first and last sequence of its own part.
    parts: Vec<(u32, u64, u64)>,
    /// Where only what is open counts: how far, of each branch.
    last_open: Vec<LastOpen>,
}

impl Judged {
    /// How an entry on a branch's own part stands that is open, or is not.
    pub(super) fn verdict(&self, branch: u32, seq: u64, is_open: bool) -> EntryVerdict {
        self.reach.verdict_at(branch, seq, is_open)
    }

    /// Whether an entry held then stands otherwise under `now`.
    fn stands_otherwise(&self, now: &Reach, bears: bool) -> bool {
        // Which entries are open is not remembered: either may be.
        let differs = |branch: u32, seq: u64| {
            [true, false].into_iter().any(|is_open| {
                self.reach.verdict_at(branch, seq, is_open) != now.verdict_at(branch, seq, is_open)
            })
        };
        self.bears != bears
            || self.reach != *now
                && self
                    .parts
                    .iter()
                    .any(|(branch, first, last)| (*first..=*last).any(|seq| differs(*branch, seq)))
    }
}

impl<F: FeedStore, V: ViewStore> Replica<F, V> {
    /// What of a feed counts under the authority of now; nothing of one that could not be judged.
    pub(super) fn reach(&self, feed: &FeedHeads) -> Result<Reach, StoreError> {
        if self.unread.contains(&feed.name.id()) {
            return Ok(Reach::nothing());
        }
        match self.standings.get(&feed.name.id()) {
            Some(standing) => self.reach_under(feed, standing),
            None => self.reach_under(feed, &self.authority.standing(&feed.name)),
        }
    }

    pub(super) fn reach_under(
        &self,
        feed: &FeedHeads,
        standing: &Standing,
    ) -> Result<Reach, StoreError> {
        let end = match standing {
            Standing::Counts => return Ok(Reach::All),
            Standing::Provisional => return Ok(Reach::Provisional),
            Standing::OpenCounts(end) => {
                let whole = end.map_or(Standing::Counts, Standing::CountsUntil);
                return Ok(Reach::Open(Box::new(self.reach_under(feed, &whole)?)));
            }
            Standing::CountsUntil(end) => *end,
            Standing::Outside | Standing::Unknown => ChainPoint::START,
        };
        let id = feed.name.id();
        let until = self.counting_part(feed, end)?;
        let mut adopted = BTreeSet::new();
        for (first, last) in self.authority.adopted(&feed.name) {
            for branch in &feed.branches {
                if self.point_at(id, branch.branch, last.seq)? == Some(last) {
                    let past = feed.past(branch.branch, last.seq);
                    let within = past.into_iter().filter(|(_, seq)| *seq >= first);
                    adopted.extend(within.map(|(number, seq)| (number, first, seq)));
                }
            }
        }
        let adopted = adopted.into_iter().collect();
        Ok(Reach::UpTo { until: until.into_iter().collect(), adopted })
    }

    /// Per branch, the last sequence that counts when the feed ends at `end`. While the end is not
    /// held, every branch may be the way there, and counts as far as it lies before the end: what does
    /// not depend on how much of it is held (ADR 0028).
    fn counting_part(
        &self,
        feed: &FeedHeads,
        end: ChainPoint,
    ) -> Result<BTreeMap<u32, u64>, StoreError> {
        let mut until = BTreeMap::new();
        if end.seq == 0 {
            return Ok(until);
        }
        let mut ways = Vec::new();
        for branch in &feed.branches {
            if self.point_at(feed.name.id(), branch.branch, end.seq)? == Some(end) {
                ways.push((branch.branch, end.seq));
            }
        }
        if ways.is_empty() {
            let before = |seq: u64| seq.min(end.seq - 1);
            let all = feed.branches.iter().map(|it| (it.branch, before(it.head.point.seq)));
            ways = all.filter(|(_, last)| *last > 0).collect();
        }
        for (number, seq) in ways.into_iter().flat_map(|(branch, last)| feed.past(branch, last)) {
            let known: &mut u64 = until.entry(number).or_default();
            *known = seq.max(*known);
        }
        Ok(until)
    }

    fn point_at(
        &self,
        feed: FeedId,
        branch: u32,
        seq: u64,
    ) -> Result<Option<ChainPoint>, StoreError> {
        if seq == 0 { Ok(None) } else { self.held.point(&self.feeds, feed, branch, seq) }
    }

    /// The heads of a feed that count or are rested on, as the summary holds them.
    fn counting_heads(
        &self,
        feed: &FeedHeads,
        reach: &Reach,
        last_open: &[LastOpen],
    ) -> Result<Vec<ChainPoint>, StoreError> {
        let id = feed.name.id();
        let ends = match reach {
            Reach::All => return Ok(leaves(feed)),
            Reach::Provisional => return Ok(Vec::new()),
            Reach::UpTo { .. } | Reach::Open(_) => counting_ends(feed, reach, last_open),
        };
        let mut heads = Vec::new();
        for (branch, seq) in ends.into_iter().chain(self.rests.of(id)) {
            heads.extend(self.point_at(id, branch, seq)?);
        }
        heads.sort_unstable();
        heads.dedup();
        self.without_ancestors(id, feed, heads)
    }

    /// The last open entry of each branch within what counts: of what was looked through before
    /// only what came since is read.
    fn last_open(
        &self,
        feed: &FeedHeads,
        reach: &Reach,
        before: Option<&Judged>,
    ) -> Result<Vec<LastOpen>, StoreError> {
        let Reach::Open(whole) = reach else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for (branch, first, head) in feed.own_parts() {
            let until = match whole.as_ref() {
                Reach::UpTo { until, .. } => {
                    until.iter().find(|(of, _)| *of == branch).map_or(0, |(_, last)| *last)
                }
                Reach::All | Reach::Provisional | Reach::Open(_) => head,
            };
            let known = before.and_then(|it| it.last_open.iter().find(|it| it.branch == branch));
            let known = known.filter(|it| it.first == first && it.looked_to <= until);
            let fresh = LastOpen { branch, first, looked_to: first.saturating_sub(1), open: 0 };
            let mut part = known.copied().unwrap_or(fresh);
            while part.looked_to < until {
                let last = until.min(part.looked_to + ENTRIES_AT_ONCE);
                let range = part.looked_to + 1..=last;
                let entries = self.feeds.entries(feed.name.id(), branch, range)?;
                let open = entries.iter().rev().find(|entry| entry.header.is_open());
                part.open = open.map_or(part.open, |entry| entry.header.seq);
                part.looked_to = last;
            }
            found.push(part);
        }
        Ok(found)
    }

    /// Drops points that lie below another of the list on its own branch.
    fn without_ancestors(
        &self,
        id: FeedId,
        feed: &FeedHeads,
        heads: Vec<ChainPoint>,
    ) -> Result<Vec<ChainPoint>, StoreError> {
        let mut covered: BTreeSet<EntryId> = BTreeSet::new();
        for head in &heads {
            for branch in &feed.branches {
                if self.point_at(id, branch.branch, head.seq)? != Some(*head) {
                    continue;
                }
                for other in heads.iter().filter(|other| other.seq < head.seq) {
                    if self.point_at(id, branch.branch, other.seq)? == Some(*other) {
                        covered.insert(other.id);
                    }
                }
            }
        }
        Ok(heads.into_iter().filter(|head| !covered.contains(&head.id)).collect())
    }

    /// Of each branch of a feed with anything that counts or is rested on, up to where that is. Of a
    /// feed that cannot be judged, as far as it may count: what is whole of it can so be saved.
    ///
    /// # Errors
    /// [`StoreError`] of the disk; damage is no error here.
    pub fn held_in_common(&self, feed: &FeedHeads) -> Result<Vec<(u32, u64)>, StoreError> {
        if self.unread.contains(&feed.name.id()) {
            return Ok(self.may_count(feed));
        }
        match self.judged_in_common(feed) {
            Err(StoreError::Damaged { .. }) => Ok(self.may_count(feed)),
            judged => judged,
        }
    }

    /// Of each branch what lies up to the last place that authority names, whichever of them leads there.
    fn may_count(&self, feed: &FeedHeads) -> Vec<(u32, u64)> {
        let named = || self.authority.named(&feed.name).last().map_or(0, |last| last.seq);
        let last = match self.authority.standing(&feed.name) {
            Standing::Counts | Standing::OpenCounts(None) => u64::MAX,
            Standing::CountsUntil(_) | Standing::OpenCounts(Some(_)) => named(),
            Standing::Provisional | Standing::Outside | Standing::Unknown => 0,
        };
        let until = |(branch, _, head): (u32, u64, u64)| (branch, head.min(last));
        feed.own_parts().into_iter().map(until).filter(|(_, until)| *until > 0).collect()
    }

    fn judged_in_common(&self, feed: &FeedHeads) -> Result<Vec<(u32, u64)>, StoreError> {
        let reach = self.reach(feed)?;
        let last_open = self.last_open(feed, &reach, self.judged.get(&feed.name.id()))?;
        let ends = counting_ends(feed, &reach, &last_open);
        let mut by_branch: BTreeMap<u32, u64> = BTreeMap::new();
        // Of what was adopted on a branch, and of what is rested on, the way there goes along.
        for (branch, seq) in ends.into_iter().chain(self.rests.of(feed.name.id())) {
            for (branch, seq) in feed.past(branch, seq) {
                let known = by_branch.entry(branch).or_default();
                *known = seq.max(*known);
            }
        }
        Ok(by_branch.into_iter().collect())
    }

    /// Judges feeds anew, and the summary with them; returns those of which an entry judged before
    /// stands otherwise now. One that cannot be judged keeps none of the others from it.
    ///
    /// # Errors
    /// As [`Replica::judge_feed`]; the first of several.
    pub(super) fn judge_feeds(
        &mut self,
        ids: impl IntoIterator<Item = FeedId>,
    ) -> Result<BTreeSet<FeedId>, StoreError> {
        let (mut changed, mut failed) = (BTreeSet::new(), None);
        for id in ids {
            match self.judge_feed(id) {
                Ok(true) => drop(changed.insert(id)),
                Ok(false) => {}
                Err(error) => drop(failed.get_or_insert(error)),
            }
        }
        failed.map_or(Ok(changed), Err)
    }

    /// Judges one feed anew: its standing, its place in the summary. True when an entry judged
    /// before stands otherwise now: authority changed, or the feed grew to where it ends, or past
    /// it on another branch.
    ///
    /// One that cannot be read as far as judging needs it is set apart until it can: nothing of it
    /// counts, and as the rows in the views may say otherwise, they are behind.
    ///
    /// # Errors
    /// [`StoreError`] of the disk; damage is no error here.
    pub(super) fn judge_feed(&mut self, id: FeedId) -> Result<bool, StoreError> {
        let failed = match self.try_judge_feed(id) {
            Ok(changed) => {
                self.unread.remove(&id);
                return Ok(changed);
            }
            Err(error) => error,
        };
        self.set_apart(id);
        if !matches!(failed, StoreError::Damaged { .. }) {
            return Err(failed);
        }
        self.views_behind.get_or_insert(failed);
        Ok(false)
    }

    fn set_apart(&mut self, id: FeedId) {
        let Some(feed) = self.held.feed(id) else { return };
        let (name, held) = (feed.name, leaves(feed));
        self.unread.insert(id);
        self.judged.remove(&id);
        self.standings.insert(id, self.authority.standing(&name));
        self.summary.set(name, Vec::new());
        self.apart.set(name, held);
    }

    fn try_judge_feed(&mut self, id: FeedId) -> Result<bool, StoreError> {
        let Some(feed) = self.held.feed(id) else { return Ok(false) };
        let name = feed.name;
        let standing = match self.standings.remove(&id) {
            Some(standing) => standing,
            None => self.authority.standing(&name),
        };
        let reach = self.reach_under(feed, &standing)?;
        let before = self.judged.get(&id);
        let last_open = self.last_open(feed, &reach, before)?;
        let heads = self.counting_heads(feed, &reach, &last_open)?;
        let apart: Vec<ChainPoint> =
            leaves(feed).into_iter().filter(|head| !heads.contains(head)).collect();
        let bears = bears(&standing);
        self.standings.insert(id, standing);
        let now = Judged { reach, bears, parts: feed.own_parts(), last_open };
        let changed = before.is_some_and(|it| it.stands_otherwise(&now.reach, now.bears));
        self.judged.insert(id, now);
        self.summary.set(name, heads);
        self.apart.set(name, apart);
        Ok(changed)
    }

    /// Of each branch its number, and the first sequence on it alone and the last that counts or waits:
    /// behind that all of it is quarantined. The last is less than the first where nothing counts.
    ///
    /// # Errors
    /// [`StoreError`] of the disk.
    pub fn parts_in_reach(&self, feed: &FeedHeads) -> Result<Vec<(u32, u64, u64)>, StoreError> {
        let reach = self.reach(feed)?;
        let whole = if let Reach::Open(whole) = &reach { whole.as_ref() } else { &reach };
        let ends = match whole {
            Reach::UpTo { .. } => counting_ends(feed, whole, &[]),
            Reach::All | Reach::Provisional | Reach::Open(_) => {
                counting_ends(feed, &Reach::All, &[])
            }
        };
        let last = |branch: u32| {
            let of_branch = ends.iter().filter(|(of, _)| *of == branch);
            of_branch.map(|(_, seq)| *seq).max().unwrap_or(0)
        };
        let parts = feed.own_parts().into_iter();
        Ok(parts.map(|(branch, first, _)| (branch, first, last(branch))).collect())
    }

    /// Entries that are held and do not count, of feeds that ended or were never allowed; all of
    /// them, or those of the feeds that `of` names.
    ///
    /// # Errors
    /// [`StoreError`] of the disk.
    pub fn quarantined(&self, of: impl Fn(&FeedName) -> bool) -> Result<u64, StoreError> {
        let mut entries = 0;
        let ended = |id: &FeedId| {
            !matches!(self.standings.get(id), Some(Standing::Counts | Standing::Provisional))
        };
        let feeds = self.held.feeds().filter(|(id, feed)| ended(id) && of(&feed.name));
        for (_, feed) in feeds {
            let reach = self.reach(feed)?;
            for branch in &feed.branches {
                let first = branch.from.map_or(1, |(_, shared)| shared + 1);
                // Behind an end it makes no difference whether an entry is open.
                let beyond = |seq: &u64| {
                    reach.verdict_at(branch.branch, *seq, true) == EntryVerdict::Quarantined
                };
                entries += (first..=branch.head.point.seq).filter(beyond).count() as u64;
            }
        }
        Ok(entries)
    }
}

/// Branches with an end of what counts on them, and where that is.
fn counting_ends(feed: &FeedHeads, reach: &Reach, last_open: &[LastOpen]) -> Vec<(u32, u64)> {
    let ends = |adopted: &[(u32, u64, u64)]| -> Vec<(u32, u64)> {
        adopted.iter().map(|(branch, _, last)| (*branch, *last)).collect()
    };
    match reach {
        Reach::All => {
            feed.branches.iter().map(|branch| (branch.branch, branch.head.point.seq)).collect()
        }
        Reach::Provisional => Vec::new(),
        Reach::UpTo { until, adopted } => until.iter().copied().chain(ends(adopted)).collect(),
        Reach::Open(whole) => {
            let open = last_open.iter().filter(|part| part.open > 0);
            let open = open.map(|part| (part.branch, part.open));
            let adopted = match whole.as_ref() {
                Reach::UpTo { adopted, .. } => ends(adopted),
                Reach::All | Reach::Provisional | Reach::Open(_) => Vec::new(),
            };
            open.chain(adopted).collect()
        }
    }
}

/// Heads that no other branch goes on from.
fn leaves(feed: &FeedHeads) -> Vec<ChainPoint> {
    feed.branches.iter().map(|branch| branch.head.point).collect()
}

/// Whether a branch's own part holds `seq`.
pub(super) fn own_branch(held: &Held, feed: FeedId, branch: u32, seq: u64) -> u32 {
    let mut at = branch;
    while let Some(head) = held.feed(feed).and_then(|f| f.branches.iter().find(|b| b.branch == at))
    {
        match head.from {
            Some((parent, shared)) if seq <= shared => at = parent,
            _ => break,
        }
    }
    at
}
