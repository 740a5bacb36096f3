//! The one door for every run, whatever brought it: find its place, verify, cut off what is held.
//! And the way out: what rotted at rest is never handed on as if it were whole.
//!
//! Pure. A run is judged on header, chain, signature and on whose key it is; what its sections say
//! is read later and can at most make a record show a warning.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crdt_schema::entry::{
    BackRefs, Block, CHECKPOINT_EVERY, ChainPoint, Entry, PackedRun, RefuseReason, Run,
    SigningPublic,
};
use crdt_schema::id::FeedId;

use crate::ports::{BranchHead, FeedStore, PlacedRun, StoreError};

/// Branches of one feed a node takes. Nothing held is ever dropped; a ninth is not taken and said,
/// unless it leads to an entry that authority names, or holds one that counting edits rest on.
pub const BRANCHES_MAX: usize = 8;

/// Branches of one feed with those that authority names or counting edits rest on.
pub const BRANCHES_NAMED_MAX: usize = 16;

/// What became of a run.
#[derive(Debug)]
#[non_exhaustive]
pub enum Verdict {
    /// New entries, verified, with the branch they belong to.
    Accepted(Box<PlacedRun>),
    /// Every entry is held already.
    Duplicate,
    /// It begins later than what is held: entries between are missing.
    Pending,
    /// It would be one branch too many.
    TooManyBranches,
    /// Not taken, for this reason.
    Refused(RefuseReason),
}

/// What ingest asks of the held part of one feed.
pub trait HeldFeed {
    /// The branches, by number.
    fn branches(&self) -> &[BranchHead];
    /// The entry at `seq` of `branch`, below a branch's start that of its parent.
    fn point(&self, branch: u32, seq: u64) -> Option<ChainPoint>;
    /// What runs of this branch may lean on.
    fn before(&self, branch: u32) -> Box<dyn BackRefs + '_>;
    /// Entries of the feed that authority names; asked only where the cap is reached.
    fn named(&self) -> BTreeSet<ChainPoint>;
    /// Whether a held edit that counts rests on one of these entries of the feed and lacks it; asked
    /// only where the cap is reached.
    fn lacks_one_of(&self, entries: &[Entry]) -> bool;
}

/// Judges one run of `feed`, whose device signs with `key`; `block` is what [`PackedRun::block`]
/// read from it.
pub fn judge(
    feed: FeedId,
    packed: &PackedRun,
    block: Block,
    held: &dyn HeldFeed,
    key: &SigningPublic,
) -> Verdict {
    let before = block.first - 1;
    let mut refused = None;
    let branches = branches_at(held, before);
    // Nearly every feed has one branch: its block is moved, not copied.
    let mut blocks = std::iter::repeat_n(block, branches.len());
    for branch in branches {
        let (Some(prev), Some(block)) = (point_or_start(held, branch, before), blocks.next())
        else {
            continue;
        };
        match verify(feed, packed, block, prev, &*held.before(branch), key) {
            Ok(run) => return place(run, held, branch, key),
            Err(reason) => refused = Some(reason),
        }
    }
    refused.map_or(Verdict::Pending, Verdict::Refused)
}

fn verify(
    feed: FeedId,
    packed: &PackedRun,
    block: Block,
    prev: ChainPoint,
    before: &dyn BackRefs,
    key: &SigningPublic,
) -> Result<Run, RefuseReason> {
    packed.clone().open_block(block, feed, prev, before)?.verify(key)
}

/// A stored run that is to be handed on.
#[derive(Debug)]
pub enum Leaving {
    /// Chain and signature hold.
    Whole {
        /// The run.
        run: PackedRun,
        /// Its last place.
        last: u64,
    },
    /// It is not what was stored, or nobody can tell any more.
    Damaged {
        /// Its last place, as far as that is known.
        last: u64,
        /// What was found, without any personal value.
        what: String,
    },
    /// Nothing is stored from there on.
    Nothing,
}

/// The stored run of a branch that begins at `from`, checked as if it had just come. `key` is the
/// device's, where a certificate names it. It costs what taking the run cost, without the signature
/// where that held lately.
///
/// # Errors
/// [`StoreError`] when the disk fails; damage is no error here.
pub fn leaving(
    store: &impl FeedStore,
    feed: FeedId,
    branch: u32,
    from: u64,
    key: Option<&SigningPublic>,
) -> Result<Leaving, StoreError> {
    match checked(store, feed, branch, from, key) {
        Ok(Some((run, last))) => Ok(Leaving::Whole { run, last }),
        Ok(None) => Ok(Leaving::Nothing),
        Err(StoreError::Damaged { what }) => {
            Ok(Leaving::Damaged { last: from.next_multiple_of(CHECKPOINT_EVERY), what })
        }
        Err(error) => Err(error),
    }
}

fn checked(
    store: &impl FeedStore,
    feed: FeedId,
    branch: u32,
    from: u64,
    key: Option<&SigningPublic>,
) -> Result<Option<(PackedRun, u64)>, StoreError> {
    let damaged = |what: String| StoreError::Damaged { what };
    let Some(run) = store.packed_run(feed, branch, from)? else { return Ok(None) };
    let before = from.saturating_sub(1);
    let prev = match before {
        0 => ChainPoint::START,
        _ => store
            .point(feed, branch, before)?
            .ok_or_else(|| damaged("the entry before a run is not held".to_owned()))?,
    };
    let refused = |reason: RefuseReason| damaged(format!("a run of entries: {reason}"));
    let block = run.block().map_err(|error| refused(RefuseReason::Bytes(error)))?;
    let last = block.last();
    let refs = store.back_refs(feed, branch);
    let opened = run.clone().open_block(block, feed, prev, &*refs).map_err(refused)?;
    if let Some(key) = key {
        opened.verify(key).map_err(refused)?;
    }
    Ok(Some((run, last)))
}

/// Branches that hold the entry at `seq`; branch 0 stands for a feed of which nothing is held.
fn branches_at(held: &dyn HeldFeed, seq: u64) -> Vec<u32> {
    if held.branches().is_empty() || seq == 0 {
        return vec![0];
    }
    let holds = |branch: &&BranchHead| branch.head.point.seq >= seq;
    held.branches().iter().filter(holds).map(|branch| branch.branch).collect()
}

fn point_or_start(held: &dyn HeldFeed, branch: u32, seq: u64) -> Option<ChainPoint> {
    if seq == 0 { Some(ChainPoint::START) } else { held.point(branch, seq) }
}

/// A verified run's new part, and where it goes: on from a head, or as a branch of its own.
fn place(run: Run, held: &dyn HeldFeed, near: u32, key: &SigningPublic) -> Verdict {
    let (branch, shared) = deepest(&run, held, near);
    let newest = run.head().point;
    if shared.seq == newest.seq {
        return Verdict::Duplicate;
    }
    let tip = held.branches().iter().find(|head| head.branch == branch).map(|head| head.head.point);
    let goes_on = tip.is_none_or(|tip| tip == shared);
    if !goes_on && held.branches().len() >= BRANCHES_MAX && !passes_the_cap(&run, held) {
        return Verdict::TooManyBranches;
    }
    let rest = match rest_of(run, shared, &*held.before(branch), key) {
        Ok(rest) => rest,
        Err(reason) => return Verdict::Refused(reason),
    };
    let next = u32::try_from(held.branches().len()).unwrap_or(u32::MAX);
    Verdict::Accepted(Box::new(if goes_on {
        PlacedRun { branch, from: None, run: rest }
    } else {
        PlacedRun { branch: next, from: Some((branch, shared.seq)), run: rest }
    }))
}

/// Whether a branch beyond the cap is taken (ADR 0024, ADR 0029).
fn passes_the_cap(run: &Run, held: &dyn HeldFeed) -> bool {
    held.branches().len() < BRANCHES_NAMED_MAX
        && (leads_to_named(run, held) || held.lacks_one_of(run.entries()))
}

/// Whether a branch's first run holds an entry that authority names and that is not held, or begins before
/// one and may come to it: also where it passes that by, for what is named may leave it on the way.
fn leads_to_named(run: &Run, held: &dyn HeldFeed) -> bool {
    let leads_to = |end: &ChainPoint| {
        run.prev().seq + 1 < end.seq || run.entries().iter().any(|entry| entry.point() == *end)
    };
    let is_held = |end: &ChainPoint| {
        held.branches().iter().any(|it| held.point(it.branch, end.seq) == Some(*end))
    };
    held.named().iter().any(|end| leads_to(end) && !is_held(end))
}

/// The branch that shares most of the run, and the last shared place; of several the one the run
/// simply continues.
fn deepest(run: &Run, held: &dyn HeldFeed, near: u32) -> (u32, ChainPoint) {
    let shared_on = |branch: u32| {
        let same = |entry: &&Entry| held.point(branch, entry.header.seq) == Some(entry.point());
        run.entries().iter().take_while(same).last().map_or(run.prev(), Entry::point)
    };
    let holds_prev = |branch: &&BranchHead| {
        point_or_start(held, branch.branch, run.prev().seq) == Some(run.prev())
    };
    let shared = held.branches().iter().filter(holds_prev).map(|b| (b, shared_on(b.branch)));
    shared
        .max_by_key(|(b, shared)| (shared.seq, *shared == b.head.point, Reverse(b.branch)))
        .map_or((near, run.prev()), |(b, shared)| (b.branch, shared))
}

/// The part of the run after `shared`, verified again under its one signature.
fn rest_of(
    run: Run,
    shared: ChainPoint,
    before: &dyn BackRefs,
    key: &SigningPublic,
) -> Result<Run, RefuseReason> {
    if shared == run.prev() {
        return Ok(run);
    }
    let block: Block = run.block().from_seq(shared.seq + 1).ok_or(RefuseReason::NotNext)?;
    let packed = PackedRun::pack(&block, run.head().signature);
    verify(run.feed(), &packed, block, shared, before, key)
}
