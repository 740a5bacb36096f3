//! Which entries are complete, in the order (depth, entry id), and which of them are heads.

use std::cmp::Reverse;
use std::ops::Range;

use crate::id::EntryId;

use super::{Fault, FoldEntry};

/// A complete entry; its place in [`Causal::nodes`] is its *rank*.
#[derive(Debug)]
pub(super) struct Node<'a> {
    pub(super) entry: &'a FoldEntry,
    pub(super) depth: usize,
    deps: Range<usize>,
}

/// The complete entries of a record in causal order: deps before what names them.
#[derive(Debug)]
pub(super) struct Causal<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    /// Ranks of the deps of all nodes, one after the other.
    deps: Vec<usize>,
    /// Counting entries that wait.
    pub(super) incomplete: usize,
}

/// What the walk knows of a held entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Unseen,
    /// On the way that is being walked: meeting it again is a cycle.
    Open,
    /// Its past is not held, or bites its tail.
    Waits,
    Depth(usize),
}

/// A held entry; its place is that of its id among all ids held.
struct Held<'a> {
    /// Beside the entry, so that searching touches this list alone.
    id: EntryId,
    entry: &'a FoldEntry,
    deps: Range<usize>,
    found: Found,
    rank: usize,
}

struct Walk<'a> {
    held: Vec<Held<'a>>,
    /// Places of the deps; `None` for one that is not held.
    deps: Vec<Option<usize>>,
}

impl<'a> Causal<'a> {
    pub(super) fn of(entries: &'a [FoldEntry], fault: Fault) -> Self {
        let mut walk = Walk::of(entries, fault);
        walk.find_depths();
        walk.into_causal()
    }

    /// Ranks of the deps of `node`, descending.
    pub(super) fn deps(&self, node: &Node<'_>) -> &[usize] {
        self.deps.get(node.deps.clone()).unwrap_or_default()
    }

    /// Whether no other complete entry has the depth of the one at `rank`. Then everything deeper
    /// has it in its past, for every longest way back passes through each depth.
    pub(super) fn is_alone_at_its_depth(&self, rank: usize) -> bool {
        let depth = |rank: usize| self.nodes.get(rank).map(|node| node.depth);
        let own = depth(rank);
        let before = rank.checked_sub(1).and_then(depth);
        own != before && own != depth(rank + 1)
    }

    /// Counting entries that no counting entry has in its past, ascending.
    pub(super) fn heads(&self) -> Vec<EntryId> {
        let mut is_covered = vec![false; self.nodes.len()];
        let mut heads = Vec::new();
        for (rank, node) in self.nodes.iter().enumerate().rev() {
            let covered = is_covered.get(rank) == Some(&true);
            if covered || node.entry.counts {
                for dep in self.deps(node) {
                    if let Some(mark) = is_covered.get_mut(*dep) {
                        *mark = true;
                    }
                }
            }
            if node.entry.counts && !covered {
                heads.push(node.entry.id);
            }
        }
        heads.sort_unstable();
        heads
    }
}

impl<'a> Walk<'a> {
    fn of(entries: &'a [FoldEntry], fault: Fault) -> Self {
        let unseen = |entry: &'a FoldEntry| Held {
            id: entry.id,
            entry,
            deps: 0..0,
            found: Found::Unseen,
            rank: 0,
        };
        let mut held: Vec<Held<'a>> = entries.iter().map(unseen).collect();
        held.sort_by_key(|one| one.id);
        held.dedup_by(|a, b| a.id == b.id);
        let mut deps = Vec::with_capacity(held.len());
        for place in 0..held.len() {
            let start = deps.len();
            let named = held.get(place).map_or(&[][..], |one| &one.entry.deps);
            let found = named.iter().map(|id| held.binary_search_by(|one| one.id.cmp(id)).ok());
            deps.extend(found.filter(|dep| dep.is_some() || fault != Fault::IncompleteFolded));
            if let Some(one) = held.get_mut(place) {
                one.deps = start..deps.len();
            }
        }
        Self { held, deps }
    }

    /// Walks back from every entry, depth first, with a stack of its own.
    fn find_depths(&mut self) {
        let mut way = Vec::new();
        for start in 0..self.held.len() {
            self.enter(start, &mut way);
            while let Some((place, next)) = way.pop() {
                self.step(place, next, &mut way);
            }
        }
    }

    fn found(&self, place: usize) -> Found {
        self.held.get(place).map_or(Found::Waits, |one| one.found)
    }

    fn set(&mut self, place: usize, found: Found) {
        if let Some(one) = self.held.get_mut(place) {
            one.found = found;
        }
    }

    /// Puts `place` on the way, to begin at its first dep, unless its depth is known.
    fn enter(&mut self, place: usize, way: &mut Vec<(usize, usize)>) {
        if self.found(place) == Found::Unseen {
            self.set(place, Found::Open);
            way.push((place, self.held.get(place).map_or(0, |one| one.deps.start)));
        }
    }

    /// Goes on at dep `next` of `place`: down into the first one unseen, or done with all.
    fn step(&mut self, place: usize, next: usize, way: &mut Vec<(usize, usize)>) {
        let deps = self.held.get(place).map_or(0..0, |one| one.deps.clone());
        for position in next..deps.end {
            let Some(dep) = self.deps.get(position).copied().flatten() else { continue };
            if self.found(dep) == Found::Unseen {
                way.push((place, position + 1));
                self.enter(dep, way);
                return;
            }
        }
        let depth = self.deps.get(deps).unwrap_or_default().iter().try_fold(0, |depth, dep| {
            match dep.map_or(Found::Waits, |dep| self.found(dep)) {
                Found::Depth(below) => Some(depth.max(below + 1)),
                Found::Unseen | Found::Open | Found::Waits => None,
            }
        });
        self.set(place, depth.map_or(Found::Waits, Found::Depth));
    }

    fn into_causal(mut self) -> Causal<'a> {
        let mut order: Vec<(usize, usize)> = Vec::with_capacity(self.held.len());
        let mut incomplete = 0;
        for (place, one) in self.held.iter().enumerate() {
            match one.found {
                Found::Depth(depth) => order.push((depth, place)),
                Found::Unseen | Found::Open | Found::Waits => {
                    incomplete += usize::from(one.entry.counts);
                }
            }
        }
        order.sort_unstable();
        for (rank, (_, place)) in order.iter().enumerate() {
            if let Some(one) = self.held.get_mut(*place) {
                one.rank = rank;
            }
        }
        let rank_of = |dep: &Option<usize>| dep.and_then(|dep| self.held.get(dep));
        let ranks = self.deps.iter().map(|dep| rank_of(dep).map_or(usize::MAX, |one| one.rank));
        let mut deps: Vec<usize> = ranks.collect();
        for one in &self.held {
            let of_one = deps.get_mut(one.deps.clone()).unwrap_or_default();
            of_one.sort_unstable_by_key(|rank| Reverse(*rank));
        }
        let node = |&(depth, place): &(usize, usize)| {
            let one = self.held.get(place)?;
            Some(Node { entry: one.entry, depth, deps: one.deps.clone() })
        };
        Causal { nodes: order.iter().filter_map(node).collect(), deps, incomplete }
    }
}
