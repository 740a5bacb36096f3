//! The summary: the heads of this node that count, or that something which counts rests on, in memory,
//! hashed along today's tree.
//!
//! A root is a function of the set of heads and of the tree, never of the order in which either
//! came to be. What a head means, and whether it counts, is decided before it gets here.
//!
//! ```text
//! node(area) = H(level, own(area), (child, node(child)) for each child with a feed in or below it)
//! own(area)  = H(for each feed by id: feed, count of heads, (sequence, entry id) for each head)
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};

use blake3::Hasher;
use blake3::hazmat::{ContextKey, HasherExt as _, hash_derive_key_context};
use crdt_schema::area::AreaId;
use crdt_schema::entry::ChainPoint;
use crdt_schema::id::{FeedId, FeedName, Space};

/// Levels a path upward may have: four today, and room for two more. A longer one is no tree.
pub const DEPTH_MAX: usize = 6;

/// What the contexts of areas come to, once: after all is new a province hashes twelve thousand times.
static NODE_KEY: LazyLock<ContextKey> =
    LazyLock::new(|| hash_derive_key_context("wksbm 2026 summary node v1"));
static OWN_KEY: LazyLock<ContextKey> =
    LazyLock::new(|| hash_derive_key_context("wksbm 2026 summary own v1"));
const AUTHORITY_CONTEXT: &str = "wksbm 2026 authority root v1";
const EMPTY_CONTEXT: &str = "wksbm 2026 empty root v1";
const FEED_CONTEXT: &str = "wksbm 2026 feed print v1";

/// Today's tree, as the authority says. It has no cycles, and `parent` and `children` agree.
pub trait Tree: fmt::Debug + Send + Sync {
    /// One level up; `None` for the province and for areas this tree does not know.
    fn parent(&self, area: AreaId) -> Option<AreaId>;
    /// One level down, ascending; empty for a desa.
    fn children(&self, area: AreaId) -> Vec<AreaId>;
    /// Areas above: today's and former ancestors of `area` and of all below it, without those that
    /// lie in `area` itself; ascending. Their authority is part of this area's.
    fn above(&self, area: AreaId) -> Vec<AreaId>;
}

/// The hash of a whole area: equal roots are equal sets of heads.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Root(pub [u8; 32]);

impl Root {
    /// The first sixteen bytes: how a hash travels until the end of a session.
    pub fn cut(self) -> CutRoot {
        let (cut, _) = self.0.split_first_chunk().unwrap_or((&[0; 16], &[]));
        CutRoot(*cut)
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Root({})", hex::encode(self.cut().0))
    }
}

/// Sixteen bytes of a [`Root`]; zeros stand for "nothing here".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CutRoot(pub [u8; 16]);

impl CutRoot {
    /// No feed in or below the area.
    pub const NONE: Self = Self([0; 16]);
}

/// A feed and the heads of it that are in the summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldHeads {
    /// Who, where, which space, which incarnation.
    pub name: FeedName,
    /// Ascending, never empty; two after a fork.
    pub heads: Vec<ChainPoint>,
}

impl HeldHeads {
    /// Four bytes that change with the heads: enough to find what differs, not to prove equality.
    pub fn print(&self) -> [u8; 4] {
        let mut hasher = Hasher::new_derive_key(FEED_CONTEXT);
        hash_heads(&mut hasher, &self.heads);
        let hash = hasher.finalize();
        hash.as_bytes().first_chunk().copied().unwrap_or_default()
    }
}

/// How much lies in an area.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Feeds with at least one entry in the summary.
    pub feeds: u64,
    /// Entries up to their heads; of a forked feed those of its longest branch.
    pub entries: u64,
}

/// One space of one area: its own feeds, and cached hashes.
#[derive(Debug, Default)]
struct Plot {
    feeds: BTreeMap<FeedId, HeldHeads>,
    own: OnceLock<Option<Root>>,
    node: OnceLock<Option<Root>>,
}

/// Every head of the summary, grouped by today's tree, with the hash of every area.
///
/// Hashes are computed when asked for and kept until a head in or below their area changes.
#[derive(Debug)]
pub struct Summary {
    tree: Arc<dyn Tree>,
    authority: BTreeMap<AreaId, Plot>,
    records: BTreeMap<AreaId, Plot>,
    names: BTreeMap<FeedId, FeedName>,
}

impl Summary {
    /// Nothing held, under this tree.
    pub fn new(tree: Arc<dyn Tree>) -> Self {
        let (authority, records) = (BTreeMap::new(), BTreeMap::new());
        Self { tree, authority, records, names: BTreeMap::new() }
    }

    /// The tree the feeds are grouped by.
    pub fn tree(&self) -> &dyn Tree {
        self.tree.as_ref()
    }

    /// Groups the same feeds by another tree.
    pub fn regroup(&mut self, tree: Arc<dyn Tree>) {
        self.tree = tree;
        for plot in self.authority.values_mut().chain(self.records.values_mut()) {
            plot.node = OnceLock::new();
        }
        for space in [Space::Authority, Space::Records] {
            for area in self.plots(space).keys().copied().collect::<Vec<_>>() {
                self.forget_upward(space, area);
            }
        }
    }

    /// The counting heads of a feed are now these, in any order; none removes the feed.
    pub fn set(&mut self, name: FeedName, mut heads: Vec<ChainPoint>) {
        heads.sort_unstable();
        heads.dedup();
        let feed = name.id();
        let known = self.feed(&feed).map(|held| held.heads.as_slice()).unwrap_or_default();
        if known == heads {
            return;
        }
        let plot = self.plots_mut(name.space).entry(name.area).or_default();
        plot.own = OnceLock::new();
        if heads.is_empty() {
            plot.feeds.remove(&feed);
            self.names.remove(&feed);
        } else {
            plot.feeds.insert(feed, HeldHeads { name, heads });
            self.names.insert(feed, name);
        }
        self.forget_upward(name.space, name.area);
    }

    /// The root of the records of an area: its own feeds and all below it.
    pub fn root(&self, area: AreaId) -> Root {
        self.node(Space::Records, area).unwrap_or_else(empty_root)
    }

    /// The root of the authority of an area: feeds of the area, of all below, and of the areas
    /// above, today's and former.
    pub fn authority_root(&self, area: AreaId) -> Root {
        let mut hasher = Hasher::new_derive_key(AUTHORITY_CONTEXT);
        hash_optional(&mut hasher, self.node(Space::Authority, area));
        for above in self.tree.above(area) {
            if let Some(own) = self.own(Space::Authority, above) {
                hasher.update(above.as_bytes()).update(&own.0);
            }
        }
        Root(*hasher.finalize().as_bytes())
    }

    /// The hash of an area and all below it; `None` when no feed lies there.
    pub fn node(&self, space: Space, area: AreaId) -> Option<Root> {
        self.node_below(space, area, DEPTH_MAX)
    }

    /// The hash of an area's own feeds, without what lies below; `None` when it has none.
    pub fn own(&self, space: Space, area: AreaId) -> Option<Root> {
        let plot = self.plots(space).get(&area)?;
        *plot.own.get_or_init(|| hash_own(&plot.feeds))
    }

    /// An area's own feeds, ascending by feed id.
    pub fn feeds(&self, space: Space, area: AreaId) -> impl Iterator<Item = (&FeedId, &HeldHeads)> {
        self.plots(space).get(&area).into_iter().flat_map(|plot| &plot.feeds)
    }

    /// The counting heads of one feed.
    pub fn feed(&self, feed: &FeedId) -> Option<&HeldHeads> {
        let name = self.names.get(feed)?;
        self.plots(name.space).get(&name.area)?.feeds.get(feed)
    }

    /// Feeds whose id begins with these bytes, ascending.
    pub fn feeds_like(&self, prefix: &[u8]) -> impl Iterator<Item = &HeldHeads> {
        let mut from = [0; FeedId::SIZE_BYTES];
        for (to, byte) in from.iter_mut().zip(prefix) {
            *to = *byte;
        }
        let near = self.names.range(FeedId(from)..);
        let alike = near.take_while(move |(feed, _)| feed.0.starts_with(prefix));
        alike.filter_map(|(feed, _)| self.feed(feed))
    }

    /// Feeds and entries of an area and all below it.
    pub fn counts(&self, space: Space, area: AreaId) -> Counts {
        let mut counts = Counts::default();
        for area in self.areas_below(area) {
            for (_, held) in self.feeds(space, area) {
                counts.feeds += 1;
                counts.entries += held.heads.last().map_or(0, |head| head.seq);
            }
        }
        counts
    }

    /// An area and all below it, parents before children.
    pub fn areas_below(&self, area: AreaId) -> Vec<AreaId> {
        let mut all = vec![area];
        let mut level = vec![area];
        for _ in 0..DEPTH_MAX {
            level = level.into_iter().flat_map(|area| self.tree.children(area)).collect();
            all.extend_from_slice(&level);
        }
        all
    }

    /// Whether `area` is `of` or lies below it today.
    pub fn is_within(&self, area: AreaId, of: AreaId) -> bool {
        self.upward(area).contains(&of)
    }

    /// An area and what lies above it today, upward.
    pub fn upward(&self, area: AreaId) -> Vec<AreaId> {
        let next = |area: &AreaId| self.tree.parent(*area);
        std::iter::successors(Some(area), next).take(DEPTH_MAX).collect()
    }

    fn node_below(&self, space: Space, area: AreaId, depth: usize) -> Option<Root> {
        // Every area above a feed has a plot: where there is none, nothing lies below.
        let plot = self.plots(space).get(&area)?;
        *plot.node.get_or_init(|| self.hash_node(space, area, depth))
    }

    fn hash_node(&self, space: Space, area: AreaId, depth: usize) -> Option<Root> {
        let depth = depth.checked_sub(1)?;
        let own = self.own(space, area);
        let mut hasher = Hasher::new_from_context_key(&NODE_KEY);
        hasher.update(&[area.level() as u8]);
        hash_optional(&mut hasher, own);
        let mut any = own.is_some();
        for child in self.tree.children(area) {
            if let Some(hash) = self.node_below(space, child, depth) {
                hasher.update(child.as_bytes()).update(&hash.0);
                any = true;
            }
        }
        any.then(|| Root(*hasher.finalize().as_bytes()))
    }

    fn forget_upward(&mut self, space: Space, area: AreaId) {
        for area in self.upward(area) {
            self.plots_mut(space).entry(area).or_default().node = OnceLock::new();
        }
    }

    const fn plots(&self, space: Space) -> &BTreeMap<AreaId, Plot> {
        match space {
            Space::Authority => &self.authority,
            Space::Records => &self.records,
        }
    }

    const fn plots_mut(&mut self, space: Space) -> &mut BTreeMap<AreaId, Plot> {
        match space {
            Space::Authority => &mut self.authority,
            Space::Records => &mut self.records,
        }
    }
}

/// The root of an area without any feed.
pub fn empty_root() -> Root {
    Root(blake3::derive_key(EMPTY_CONTEXT, &[]))
}

fn hash_own(feeds: &BTreeMap<FeedId, HeldHeads>) -> Option<Root> {
    if feeds.is_empty() {
        return None;
    }
    let mut hasher = Hasher::new_from_context_key(&OWN_KEY);
    for (feed, held) in feeds {
        hasher.update(&feed.0);
        hash_heads(&mut hasher, &held.heads);
    }
    Some(Root(*hasher.finalize().as_bytes()))
}

fn hash_heads(hasher: &mut Hasher, heads: &[ChainPoint]) {
    hasher.update(&(heads.len() as u64).to_be_bytes());
    for head in heads {
        hasher.update(&head.seq.to_be_bytes()).update(&head.id.0);
    }
}

fn hash_optional(hasher: &mut Hasher, root: Option<Root>) {
    match root {
        Some(root) => hasher.update(&[1]).update(&root.0),
        None => hasher.update(&[0]),
    };
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;
    use crate::sync::testing::{FlatTree, area, feed_name, point};
    use proptest::prelude::*;

    #[test]
    fn areas_are_hashed_under_the_contexts_of_the_protocol() {
        let keys =
            [(&NODE_KEY, "wksbm 2026 summary node v1"), (&OWN_KEY, "wksbm 2026 summary own v1")];
        for (key, context) in keys {
            let mut hasher = Hasher::new_from_context_key(key);
            let hash = *hasher.update(b"uji").finalize().as_bytes();
            assert_eq!(hash, blake3::derive_key(context, b"uji"));
        }
    }

    /// (village, device, number of the head) of a synthetic kecamatan.
    fn heads() -> impl Strategy<Value = Vec<(u16, u8, u64)>> {
        prop::collection::vec((0u16..6, 0u8..3, 1u64..4), 0..30)
    }

    fn village(number: u16) -> AreaId {
        area(&format!("320101{:04}0", 2001 + number))
    }

    /// The last word on each feed, given in the order of `steps`.
    fn summary_of(steps: &[(u16, u8, u64)]) -> Summary {
        let mut summary = Summary::new(Arc::new(FlatTree::default()));
        for (number, device, seq) in steps {
            let name = feed_name(*device, village(*number), Space::Records);
            summary.set(name, vec![point(&name, *seq)]);
            // Asking in between must not leave a stale hash behind.
            let asked = summary.root(area("32010000000"));
            assert_ne!(asked, empty_root());
        }
        summary
    }

    #[test]
    fn an_empty_area_has_the_empty_root() {
        let mut summary = Summary::new(Arc::new(FlatTree::default()));
        let name = feed_name(1, village(0), Space::Records);
        summary.set(name, vec![point(&name, 1)]);
        summary.set(name, vec![]);
        assert_eq!(summary.root(area("32000000000")), empty_root());
        assert_eq!(summary.counts(Space::Records, area("32000000000")), Counts::default());
    }

    #[test]
    fn authority_above_changes_the_authority_root_below() {
        let mut summary = Summary::new(Arc::new(FlatTree::default()));
        let before = summary.authority_root(village(0));
        let name = feed_name(1, area("32000000000"), Space::Authority);
        summary.set(name, vec![point(&name, 1)]);
        assert_ne!(summary.authority_root(village(0)), before);
    }

    #[test]
    fn a_feed_is_found_by_the_beginning_of_its_id() {
        let name = feed_name(1, village(0), Space::Records);
        let summary = summary_of(&[(0, 1, 3), (1, 1, 1), (2, 0, 1)]);
        let found: Vec<_> = summary.feeds_like(name.id().0.first_chunk::<8>().unwrap()).collect();
        assert_eq!(found.len(), 1);
        assert_eq!(found.first().unwrap().name, name);
    }

    proptest! {
        #[test]
        fn the_root_is_a_function_of_the_set_alone(steps in heads(), seed: u64) {
            let reached = summary_of(&steps);
            let last: BTreeMap<_, _> = steps.iter().map(|s| ((s.0, s.1), *s)).collect();
            let mut shuffled: Vec<_> = last.into_values().collect();
            shuffled.sort_by_key(|step| (u64::from(step.0) * 31 + u64::from(step.1)) ^ seed);
            let direct = summary_of(&shuffled);
            for id in ["32000000000", "32010000000", "32010100000", "32010120010"] {
                prop_assert_eq!(reached.root(area(id)), direct.root(area(id)));
            }
        }

        #[test]
        fn any_change_of_a_head_changes_every_root_above(steps in heads(), which: prop::sample::Index) {
            prop_assume!(!steps.is_empty());
            let before = summary_of(&steps);
            let mut after = summary_of(&steps);
            let (number, device, _) = *which.get(&steps);
            let name = feed_name(device, village(number), Space::Records);
            after.set(name, vec![point(&name, 99)]);
            for id in [village(number), area("32010100000"), area("32010000000"), area("32000000000")] {
                prop_assert_ne!(before.root(id), after.root(id));
            }
            let elsewhere = village(number + 1);
            prop_assert_eq!(before.root(elsewhere), after.root(elsewhere));
        }
    }
}
