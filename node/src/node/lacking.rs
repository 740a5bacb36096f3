//! What a bundle's file should bring and what it does: the places that are neither in it nor held.

use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::entry::ChainPoint;
use crdt_schema::id::{FeedId, FeedName};

use super::Node;
use crate::answer::MissingRun;
use crate::bundle::Span;
use crate::replica::Place;

/// Spans that are remembered of what a file lists, and as many of what is in it: four a feed of a whole
/// province. Whoever makes a file may list without end; what lies beyond is neither missed nor found.
const SPANS_MAX: usize = 262_144;

/// What was seen of one file.
#[derive(Debug, Clone, Default)]
pub(super) struct Contents {
    /// What it was written with, as it says itself; nothing of it is trusted.
    listed: BTreeMap<FeedId, Vec<(u64, u64)>>,
    listed_count: usize,
    /// First and last place of runs in it that go on from each other.
    runs: BTreeMap<FeedId, (FeedName, BTreeSet<(u64, u64)>)>,
    runs_count: usize,
    /// Feeds that are for others: what was lost of them is no loss here.
    left: BTreeSet<FeedId>,
}

/// What changes at a place: how often places from there on are listed, are in the file, are held.
#[derive(Debug, Clone, Copy, Default)]
struct Step {
    listed: i64,
    inside: i64,
    held: i64,
}

impl Contents {
    pub(super) fn list(&mut self, spans: &[Span]) {
        for span in spans.iter().take(SPANS_MAX.saturating_sub(self.listed_count)) {
            self.listed.entry(span.feed).or_default().push((span.from, span.to));
            self.listed_count += 1;
        }
    }

    pub(super) fn see(&mut self, name: &FeedName, first: u64, last: u64) {
        let (_, runs) = self.runs.entry(name.id()).or_insert((*name, BTreeSet::new()));
        let before = runs.range(..(first, last)).next_back().copied();
        if let Some((from, to)) = before.filter(|(_, to)| to.checked_add(1) == Some(first)) {
            runs.remove(&(from, to));
            runs.insert((from, last));
        } else if self.runs_count < SPANS_MAX {
            self.runs_count += usize::from(runs.insert((first, last)));
        }
    }

    /// Adds what was seen of another file.
    pub(super) fn add(&mut self, other: &Self) {
        for (feed, spans) in &other.listed {
            self.listed.entry(*feed).or_default().extend(spans);
        }
        for (feed, (name, runs)) in &other.runs {
            self.runs.entry(*feed).or_insert((*name, BTreeSet::new())).1.extend(runs);
        }
    }

    pub(super) fn leave(&mut self, feed: FeedId) {
        self.left.insert(feed);
    }

    /// The feeds with runs in the file.
    pub(super) fn feeds(&self) -> impl ExactSizeIterator<Item = &FeedName> {
        self.runs.values().map(|(name, _)| name)
    }

    /// Whether the file says of itself what it holds, or holds anything.
    pub(super) fn is_empty(&self) -> bool {
        self.listed.is_empty() && self.runs.is_empty()
    }

    /// Places that would have to come before a run of the file, or that the file lists and lost.
    /// What stands on two branches of a feed is needed twice.
    pub(super) fn missing(&self, node: Option<&Node>) -> Vec<MissingRun> {
        let feeds: BTreeSet<&FeedId> = self.listed.keys().chain(self.runs.keys()).collect();
        let feeds = feeds.into_iter().filter(|feed| !self.left.contains(feed));
        feeds.flat_map(|feed| self.missing_of(*feed, node)).collect()
    }

    fn missing_of(&self, feed: FeedId, node: Option<&Node>) -> Vec<MissingRun> {
        let mut steps: BTreeMap<u64, Step> = BTreeMap::new();
        let mut mark = |(from, to): (u64, u64), add: fn(&mut Step, i64)| {
            add(steps.entry(from).or_default(), 1);
            add(steps.entry(to.saturating_add(1)).or_default(), -1);
        };
        let mut end = 0;
        for span in self.listed.get(&feed).into_iter().flatten() {
            end = end.max(span.1);
            mark(*span, |step, by| step.listed += by);
        }
        for run in self.runs.get(&feed).into_iter().flat_map(|(_, runs)| runs) {
            end = end.max(run.1);
            mark(*run, |step, by| step.inside += by);
        }
        for branch in node.map(|node| node.branches(feed)).unwrap_or_default() {
            mark(branch, |step, by| step.held += by);
        }
        steps.entry(1).or_default();
        let mut missing: Vec<MissingRun> = Vec::new();
        let mut now = Step::default();
        let nexts = steps.keys().copied().skip(1).collect::<Vec<_>>();
        for ((from, step), next) in steps.into_iter().zip(nexts) {
            now.listed += step.listed;
            now.inside += step.inside;
            now.held += step.held;
            if from > end || now.inside.max(now.held) >= now.listed.max(1) {
                continue;
            }
            match missing.last_mut() {
                Some(last) if last.to + 1 == from => last.to = next - 1,
                _ => missing.push(MissingRun { feed, from, to: next - 1 }),
            }
        }
        missing
    }

    /// Places that whoever made the file holds for this node, by its word, and that are neither in
    /// the file nor held: it was taken to hold them.
    pub(super) fn assumed(&self, heads: &[(FeedId, ChainPoint)], node: &Node) -> Vec<MissingRun> {
        let me = node.device();
        let lacks = |(feed, point): &&(FeedId, ChainPoint)| {
            let own = node.replica.feed(*feed).is_some_and(|feed| feed.name.device == me);
            !own && !matches!(node.replica.branch_of(*feed, *point), Ok(Some(_)) | Err(_))
        };
        let mut gaps: BTreeMap<FeedId, u64> = BTreeMap::new();
        for (feed, point) in heads.iter().filter(lacks) {
            let to = gaps.entry(*feed).or_default();
            *to = point.seq.max(*to);
        }
        gaps.into_iter().flat_map(|(feed, to)| self.gaps_of(feed, to, node)).collect()
    }

    /// What lies between the end of what is held of a feed and `to`, and is not in the file.
    fn gaps_of(&self, feed: FeedId, to: u64, node: &Node) -> Vec<MissingRun> {
        let held = node.branches(feed).into_iter().map(|(_, last)| last).max().unwrap_or(0);
        let mut from = held.min(to.saturating_sub(1)) + 1;
        let listed = self.listed.get(&feed).into_iter().flatten();
        let runs = self.runs.get(&feed).into_iter().flat_map(|(_, runs)| runs);
        let inside: BTreeSet<(u64, u64)> = listed.chain(runs).copied().collect();
        let mut gaps = Vec::new();
        for (first, last) in inside {
            if first > from && from <= to {
                gaps.push(MissingRun { feed, from, to: to.min(first - 1) });
            }
            from = from.max(last + 1);
        }
        if from <= to {
            gaps.push(MissingRun { feed, from, to });
        }
        gaps
    }

    /// Entries an import would store as new: those of feeds that are for this node, beyond what it
    /// holds and without a gap before them. Signatures and rights are judged by the import alone.
    pub(super) fn new_for(&self, node: &Node) -> u64 {
        let for_node = |(name, _): &&(FeedName, BTreeSet<(u64, u64)>)| {
            node.replica.place_of(name) != Place::Elsewhere
        };
        let new = |(name, runs): &(FeedName, BTreeSet<(u64, u64)>)| {
            let held = node.branches(name.id()).into_iter().map(|(_, last)| last).max();
            let held = held.unwrap_or(0);
            let take = |reached: u64, (first, last): &(u64, u64)| {
                if *first <= reached + 1 { reached.max(*last) } else { reached }
            };
            runs.iter().fold(held, take) - held
        };
        self.runs.values().filter(for_node).map(new).sum()
    }
}

impl Node {
    /// First and last place of each branch's own part of a feed.
    fn branches(&self, feed: FeedId) -> Vec<(u64, u64)> {
        let branches = self.replica.feed(feed).into_iter().flat_map(|feed| &feed.branches);
        let own = branches.map(|branch| {
            let first = branch.from.map_or(1, |(_, shared)| shared + 1);
            (first, branch.head.point.seq)
        });
        own.collect()
    }
}

#[cfg(test)]
mod tests {
    use crdt_schema::area::AreaId;
    use crdt_schema::id::{DeviceId, Space};

    use super::*;

    #[test]
    fn of_a_file_that_lists_without_end_so_much_is_remembered_and_no_more() {
        let device = DeviceId([7; 32]);
        let name =
            FeedName { device, area: AreaId::WEST_JAVA, space: Space::Records, incarnation: 7 };
        let feed = name.id();
        let mut contents = Contents::default();
        let places = (1..=SPANS_MAX as u64 + 9).map(|place| 2 * place);
        for place in places.clone() {
            contents.list(&[Span { feed, from: place, to: place }]);
            contents.see(&name, place, place);
        }
        let kept = |contents: &Contents| {
            let runs = contents.runs.get(&feed).map(|(_, runs)| runs.len());
            (contents.listed.get(&feed).map(Vec::len), runs)
        };
        assert_eq!(kept(&contents), (Some(SPANS_MAX), Some(SPANS_MAX)));
        let many: Vec<Span> = places.map(|place| Span { feed, from: place, to: place }).collect();
        let mut contents = Contents::default();
        contents.list(&many);
        assert_eq!(kept(&contents), (Some(SPANS_MAX), None), "of one frame, too");
        contents.see(&name, 2, 3);
        contents.see(&name, 4, 5);
        assert_eq!(contents.runs_count, 1, "what goes on from a run takes no room");
    }
}
