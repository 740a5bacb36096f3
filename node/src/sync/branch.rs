//! Forks: where does a branch of ours leave what the peer holds?
//!
//! Asked only when none of the peer's heads is held here. Checkpoints (every 64th entry) of our
//! longest branch are named, up to 64 of them evenly spread; the peer says how many of them it
//! holds; the gap is divided again until it lies between two checkpoints. A feed of 4,096 entries
//! takes one question, one of 260,000 two. What is sent twice is less than one run.

use std::collections::BTreeMap;

use crdt_schema::entry::{CHECKPOINT_EVERY, ChainPoint};
use crdt_schema::id::{FeedId, FeedName};

use super::message::{
    Common, CutPoint, EndReason, FeedRef, Message, PROBE_POINTS_MAX, PROBES_PER_FEED_MAX, Probe,
};
use super::request::{Local, Request};
use super::session::{Asked, Session, Step};

/// The questions under way.
#[derive(Debug, Default)]
pub(super) struct Probes {
    open: BTreeMap<FeedId, Search>,
    /// How often the peer asked about each feed since the last comparison.
    asked: BTreeMap<FeedId, u8>,
}

/// One search: the branches part somewhere in `low..high`.
#[derive(Debug)]
struct Search {
    name: FeedName,
    end: ChainPoint,
    /// The last place known to be common; `None` the beginning.
    common: Option<CutPoint>,
    /// In checkpoints: common, and not common or too far.
    low: u64,
    high: u64,
    points: Vec<CutPoint>,
}

impl Probes {
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// Another comparison begins in the same session.
    pub(super) fn begin_anew(&mut self) {
        self.asked.clear();
    }

    /// Whether this feed is being asked about: what is found will be sent.
    pub(super) fn is_open(&self, feed: &FeedId) -> bool {
        self.open.contains_key(feed)
    }
}

impl Search {
    /// Checkpoints between `low` and `high`, evenly spread.
    fn checkpoints(&self) -> Vec<u64> {
        let gap = self.high.saturating_sub(self.low + 1);
        let count = gap.min(PROBE_POINTS_MAX as u64);
        (1..=count).map(|nth| self.low + nth * gap / count).collect()
    }
}

impl Session {
    /// Begins to look for where our branch leaves the peer's, none of whose heads is held here.
    pub(super) fn probe(
        &mut self,
        local: &Local<'_>,
        name: FeedName,
        ends: &[ChainPoint],
        theirs: &[CutPoint],
    ) -> Step {
        let Some(end) = ends.iter().max().copied() else { return Ok(()) };
        let newest = theirs.iter().map(|point| point.seq).max().unwrap_or(0).min(end.seq);
        let high = newest / CHECKPOINT_EVERY + 1;
        let search = Search { name, end, common: None, low: 0, high, points: Vec::new() };
        self.narrow(local, search)
    }

    fn narrow(&mut self, local: &Local<'_>, search: Search) -> Step {
        let checkpoints = search.checkpoints();
        if checkpoints.is_empty() {
            // From a known place the reading begins there; from none, at the beginning.
            self.queue(local, search.name, search.common.into_iter().collect());
            return Ok(());
        }
        let seqs = checkpoints.iter().map(|nth| nth * CHECKPOINT_EVERY).collect();
        let (feed, end) = (search.name.id(), search.end);
        self.probes.open.insert(feed, search);
        self.ask(Asked::Points(feed), Request::Points { feed, end, seqs }).map(|_| ())
    }

    pub(super) fn on_points(&mut self, feed: FeedId, points: &[ChainPoint]) -> Step {
        let Some(search) = self.probes.open.get_mut(&feed) else { return Err(EndReason::Store) };
        search.points = points.iter().map(|point| CutPoint::new(*point, true)).collect();
        let (name, points) = (search.name, search.points.clone());
        let feed = self.numbers.refer(name);
        self.send(&Message::Probe(Probe { feed, points }));
        Ok(())
    }

    pub(super) fn on_probe(&mut self, local: &Local<'_>, probe: Probe) -> Step {
        let name = self.numbers.resolve(&probe.feed)?;
        // Where this device asked for what the peer wrote itself, it is asked how far it holds that.
        let is_asked_for = name.device == self.peer && self.takes(local, &name);
        if !is_asked_for
            && !self.serves(local, name.space, name.area)
            && !self.hands_over(local, &name)
        {
            return Err(EndReason::NoRights);
        }
        let seqs = || probe.points.iter().map(|point| point.seq);
        if !seqs().is_sorted_by(|one, next| one < next)
            || seqs().any(|seq| !seq.is_multiple_of(CHECKPOINT_EVERY))
        {
            return Err(EndReason::Malformed);
        }
        if local.summary.feed(&name.id()).is_some() || local.apart.feed(&name.id()).is_some() {
            let asked = self.probes.asked.entry(name.id()).or_default();
            *asked += 1;
            if *asked > PROBES_PER_FEED_MAX {
                return Err(EndReason::TooMuch);
            }
        }
        let locate = Request::Locate { feed: name.id(), points: probe.points };
        self.ask(Asked::Locate(name), locate).map(|_| ())
    }

    pub(super) fn on_located(&mut self, name: FeedName, held: usize) -> Step {
        let feed: FeedRef = self.numbers.refer(name);
        let held = u8::try_from(held).map_err(|_| EndReason::Store)?;
        self.send(&Message::Common(Common { feed, held }));
        Ok(())
    }

    pub(super) fn on_common(&mut self, local: &Local<'_>, common: Common) -> Step {
        let name = self.numbers.resolve(&common.feed)?;
        let Some(mut search) = self.probes.open.remove(&name.id()) else {
            return Err(EndReason::OutOfOrder);
        };
        let held = usize::from(common.held);
        if held > search.points.len() {
            return Err(EndReason::UnknownReference);
        }
        if let Some(point) = held.checked_sub(1).and_then(|nth| search.points.get(nth)) {
            search.low = point.seq / CHECKPOINT_EVERY;
            search.common = Some(*point);
        }
        if let Some(point) = search.points.get(held) {
            search.high = point.seq / CHECKPOINT_EVERY;
        }
        self.narrow(local, search)
    }
}
