//! The one door for every run, whatever brought it: find its place, verify, cut off what is held.
//!
//! Pure. A run is judged on header, chain, signature and on whose key it is; what its sections say
//! is read later and can at most make a record show a warning.

use std::cmp::Reverse;

use crdt_schema::entry::{
    BackRefs, Block, ChainPoint, Entry, PackedRun, RefuseReason, Run, SigningPublic,
};
use crdt_schema::id::FeedId;

use crate::ports::{BranchHead, PlacedRun};

/// Branches of one feed a node takes. Nothing held is ever dropped; a ninth is not taken and said.
pub const BRANCHES_MAX: usize = 8;

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
    if !goes_on && held.branches().len() >= BRANCHES_MAX {
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
