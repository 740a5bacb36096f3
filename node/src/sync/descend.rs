//! Finding what differs: areas level by level, then feeds by prints or heads.
//!
//! Each message about an area is answered one level deeper, by whoever gets it. What one side does
//! not hold at all needs no comparison: the other sends it. Nothing is described twice in a pass,
//! so no peer can make us repeat ourselves.

use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::area::AreaId;
use crdt_schema::entry::ChainPoint;
use crdt_schema::id::{FeedId, FeedName, Space};

use super::message::{
    AREAS_PER_MESSAGE_MAX, AreaHeads, AreaPrints, CONTROL_FRAME_BYTES_MAX, CutPoint, Digest,
    EndReason, Extent, FEEDS_PER_MESSAGE_MAX, FeedPoints, FeedRef, IdStart, Message, Need,
    NodePrint, PRINTS_FROM, Pass, short_id,
};
use super::push::held;
use super::request::Local;
use super::session::{Session, Step};
use super::summary::{HeldHeads, Root};

/// Bytes of items put into one control frame; what counts them is an upper estimate.
const MESSAGE_BYTES: usize = CONTROL_FRAME_BYTES_MAX - 1024;

/// A comparison under way.
#[derive(Debug)]
pub(super) struct PassState {
    pub(super) kind: Pass,
    /// Whether the turn is ours.
    pub(super) mine: bool,
    /// Bulk frames that come before the turn we were given.
    pub(super) after_bulk: u64,
    /// Whether we said anything since we last gave the turn away.
    pub(super) spoke: bool,
    pub(super) turns: u32,
    /// The roots in the quiet turn we sent last, and in the one we were given.
    pub(super) my_roots: Option<Vec<(Root, Root)>>,
    pub(super) their_roots: Option<Vec<(Root, Root)>>,
    described: BTreeSet<(AreaId, Described)>,
    /// Of lists that go on in a later item: those of our feeds that were listed.
    pub(super) listed: BTreeMap<AreaId, BTreeSet<FeedId>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Described {
    Nodes,
    Feeds,
    Nothing,
}

impl PassState {
    pub(super) const fn turn_due(&self, received: u64) -> bool {
        self.mine && received >= self.after_bulk
    }
}

/// What will be said after this input, by kind, so that many a thing goes in one message.
#[derive(Debug, Default)]
pub(super) struct Said {
    nodes: Vec<NodePrint>,
    prints: Vec<AreaPrints>,
    /// With the names of the feeds that take numbers.
    heads: Vec<(AreaHeads, Vec<FeedName>)>,
    needs: Vec<(Wanted, Vec<CutPoint>)>,
}

/// A feed to ask for: of one never heard of only the peer's number is known.
#[derive(Debug, Clone, Copy)]
enum Wanted {
    Named(FeedName),
    Numbered(u32),
}

impl Session {
    pub(super) fn begin_pass(&mut self, pass: Pass, mine: bool) {
        self.transfers.forget();
        self.marks.moved = true;
        self.pass = Some(PassState {
            kind: pass,
            mine,
            after_bulk: 0,
            spoke: false,
            turns: 0,
            my_roots: None,
            their_roots: None,
            described: BTreeSet::new(),
            listed: BTreeMap::new(),
        });
    }

    /// How the initiator begins: the hashes below every shared area, and of those above.
    pub(super) fn describe_shared(&mut self, local: &Local<'_>, space: Space) {
        for area in self.shared.clone() {
            self.describe_area(local, space, area);
        }
        if space == Space::Authority {
            for area in self.above.clone() {
                self.describe_own(local, area);
            }
        }
    }

    fn is_full(&self) -> bool {
        self.pass.as_ref().is_some_and(|pass| pass.kind.full)
    }

    fn space(&self) -> Result<Space, EndReason> {
        self.pass.as_ref().map(|pass| pass.kind.space).ok_or(EndReason::OutOfOrder)
    }

    /// Whether this session is about an area: within what both hold, or for authority above it.
    pub(super) fn covers(&self, local: &Local<'_>, space: Space, area: AreaId) -> bool {
        let within = self.shared.iter().any(|held| local.summary.is_within(area, *held));
        within || space == Space::Authority && self.above.contains(&area)
    }

    /// Whether the peer may be given what lies there.
    pub(super) fn serves(&self, local: &Local<'_>, space: Space, area: AreaId) -> bool {
        self.covers(local, space, area) && local.authority.may_serve(&self.peer, space, area)
    }

    fn first_time(&mut self, area: AreaId, what: Described) -> bool {
        self.pass.as_mut().is_some_and(|pass| pass.described.insert((area, what)))
    }

    /// "Below this area I hold this", by the hashes of its children.
    fn describe_area(&mut self, local: &Local<'_>, space: Space, area: AreaId) {
        if !self.serves(local, space, area) || !self.first_time(area, Described::Nodes) {
            return;
        }
        let full = self.is_full();
        let hash = |child: AreaId| {
            let root = local.summary.node(space, child)?;
            Some((child, Digest::new(Some(root), full)))
        };
        let below = local.summary.tree().children(area).into_iter().filter_map(hash).collect();
        let own = Digest::new(local.summary.own(space, area), full);
        self.said.nodes.push(NodePrint { area, own, below: Some(below) });
    }

    /// "Of this area above ours I hold this."
    fn describe_own(&mut self, local: &Local<'_>, area: AreaId) {
        if self.serves(local, Space::Authority, area) && self.first_time(area, Described::Nodes) {
            let own = Digest::new(local.summary.own(Space::Authority, area), self.is_full());
            self.said.nodes.push(NodePrint { area, own, below: None });
        }
    }

    /// "I hold nothing there": the peer will send all it has.
    fn describe_nothing(&mut self, area: AreaId, extent: Extent) {
        if self.first_time(area, Described::Nothing) {
            self.said.heads.push((AreaHeads { area, extent, feeds: Vec::new() }, Vec::new()));
        }
    }

    /// Prints of an area's own feeds when they are many, else their heads.
    fn describe_feeds(&mut self, local: &Local<'_>, space: Space, area: AreaId) {
        if !self.serves(local, space, area) || !self.first_time(area, Described::Feeds) {
            return;
        }
        let feeds: Vec<(&FeedId, &HeldHeads)> = local.summary.feeds(space, area).collect();
        let shorts: BTreeSet<[u8; 4]> = feeds.iter().map(|(feed, _)| short_id(feed)).collect();
        let many = feeds.len() >= PRINTS_FROM && feeds.len() <= FEEDS_PER_MESSAGE_MAX;
        if many && shorts.len() == feeds.len() && !self.is_full() {
            let prints = feeds.iter().map(|(feed, held)| (short_id(feed), held.print()));
            self.said.prints.push(AreaPrints { area, feeds: prints.collect() });
            return;
        }
        self.say_heads(area, Extent::Own, &feeds, Vec::new());
    }

    /// Lists heads, in several items when one frame does not hold them.
    fn say_heads(
        &mut self,
        area: AreaId,
        extent: Extent,
        feeds: &[(&FeedId, &HeldHeads)],
        lacking: Vec<FeedPoints>,
    ) {
        let full = self.is_full();
        let held =
            feeds.iter().map(|(feed, held)| (feed_points(feed, held, full), Some(held.name)));
        let all: Vec<_> = held.chain(lacking.into_iter().map(|points| (points, None))).collect();
        let bytes = |(points, _): &(FeedPoints, Option<FeedName>)| points_bytes(points);
        let parts = parts(all, FEEDS_PER_MESSAGE_MAX, bytes);
        let last = parts.len().saturating_sub(1);
        for (nth, part) in parts.into_iter().enumerate() {
            let goes_on = nth < last && extent == Extent::Own;
            let extent = if goes_on { Extent::More } else { extent };
            let names = part.iter().filter_map(|(_, name)| *name).collect();
            let feeds = part.into_iter().map(|(points, _)| points).collect();
            self.said.heads.push((AreaHeads { area, extent, feeds }, names));
        }
    }

    pub(super) fn on_nodes(&mut self, local: &Local<'_>, nodes: &[NodePrint]) -> Step {
        let space = self.space()?;
        for node in nodes {
            if self.serves(local, space, node.area) {
                self.compare_node(local, space, node);
            }
        }
        Ok(())
    }

    fn compare_node(&mut self, local: &Local<'_>, space: Space, node: &NodePrint) {
        let area = node.area;
        let mine = local.summary.own(space, area);
        if !node.own.fits(mine) {
            if node.own.is_none() {
                self.send_own(local, space, area);
            } else if mine.is_none() {
                self.describe_nothing(area, Extent::Own);
            } else {
                self.describe_feeds(local, space, area);
            }
        }
        let Some(below) = &node.below else { return };
        let theirs: BTreeMap<AreaId, Digest> = below.iter().copied().collect();
        let own_tree = local.summary.tree().children(area);
        let children: BTreeSet<AreaId> =
            own_tree.into_iter().chain(theirs.keys().copied()).collect();
        for child in children {
            self.compare_child(local, space, child, theirs.get(&child));
        }
    }

    fn compare_child(
        &mut self,
        local: &Local<'_>,
        space: Space,
        child: AreaId,
        theirs: Option<&Digest>,
    ) {
        let mine = local.summary.node(space, child);
        let equal = theirs.map_or(mine.is_none(), |theirs| theirs.fits(mine));
        if equal || !self.serves(local, space, child) {
            return;
        }
        if theirs.is_none_or(Digest::is_none) {
            self.send_below(local, space, child);
        } else if mine.is_none() {
            self.describe_nothing(child, Extent::Below);
        } else if local.summary.tree().children(child).is_empty() {
            self.describe_feeds(local, space, child);
        } else {
            self.describe_area(local, space, child);
        }
    }

    fn send_below(&mut self, local: &Local<'_>, space: Space, area: AreaId) {
        for area in local.summary.areas_below(area) {
            self.send_own(local, space, area);
        }
    }

    fn send_own(&mut self, local: &Local<'_>, space: Space, area: AreaId) {
        let feeds: Vec<FeedName> =
            local.summary.feeds(space, area).map(|(_, held)| held.name).collect();
        for name in feeds {
            self.queue(local, name, Vec::new());
        }
    }

    pub(super) fn on_prints(&mut self, local: &Local<'_>, areas: &[AreaPrints]) -> Step {
        let space = self.space()?;
        for prints in areas {
            if self.serves(local, space, prints.area) {
                self.compare_prints(local, space, prints);
            }
        }
        Ok(())
    }

    fn compare_prints(&mut self, local: &Local<'_>, space: Space, prints: &AreaPrints) {
        if !self.first_time(prints.area, Described::Feeds) {
            return;
        }
        let theirs: BTreeSet<([u8; 4], [u8; 4])> = prints.feeds.iter().copied().collect();
        let mut lacking: BTreeSet<[u8; 4]> = theirs.iter().map(|(feed, _)| *feed).collect();
        let shorts = lacking.clone();
        let mut differing = Vec::new();
        let mut unlisted = Vec::new();
        for (feed, held) in local.summary.feeds(space, prints.area) {
            let short = short_id(feed);
            lacking.remove(&short);
            if !shorts.contains(&short) {
                unlisted.push(held.name);
            } else if !theirs.contains(&(short, held.print())) {
                differing.push((feed, held));
            }
        }
        for name in unlisted {
            self.queue(local, name, Vec::new());
        }
        let lacking: Vec<FeedPoints> = lacking
            .into_iter()
            .map(|short| FeedPoints { feed: IdStart::Short(short), heads: Vec::new() })
            .collect();
        if !differing.is_empty() || !lacking.is_empty() {
            self.say_heads(prints.area, Extent::Some, &differing, lacking);
        }
    }

    pub(super) fn on_heads(&mut self, local: &Local<'_>, areas: &[AreaHeads]) -> Step {
        let space = self.space()?;
        for heads in areas {
            self.compare_heads(local, space, heads)?;
        }
        Ok(())
    }

    fn compare_heads(&mut self, local: &Local<'_>, space: Space, heads: &AreaHeads) -> Step {
        let served = self.serves(local, space, heads.area);
        let lists = self.pass.as_mut().map(|pass| &mut pass.listed);
        let mut listed = lists.and_then(|lists| lists.remove(&heads.area)).unwrap_or_default();
        for points in &heads.feeds {
            let feeds = matching(local, space, heads.area, &points.feed);
            listed.extend(feeds.iter().map(|held| held.name.id()));
            if points.heads.is_empty() {
                for held in feeds {
                    self.queue(local, held.name, Vec::new());
                }
                continue;
            }
            let known = feeds.first().copied();
            let number = self.numbers.listed(known.map(|held| held.name));
            match known {
                _ if !served => {}
                Some(held) => self.compare_feed(local, held, &points.heads),
                None => self.want_numbered(number.ok_or(EndReason::TooMuch)?),
            }
        }
        let areas = match heads.extent {
            Extent::Some => Vec::new(),
            Extent::More => {
                // Only what is held here is noted, so a list of anything else takes no room.
                if let Some(pass) = self.pass.as_mut().filter(|_| served && !listed.is_empty()) {
                    pass.listed.insert(heads.area, listed);
                }
                return Ok(());
            }
            Extent::Own => vec![heads.area],
            Extent::Below => local.summary.areas_below(heads.area),
        };
        for area in areas {
            let unlisted = local.summary.feeds(space, area);
            let unlisted = unlisted.filter(|(feed, _)| !listed.contains(feed));
            for name in unlisted.map(|(_, held)| held.name).collect::<Vec<_>>() {
                self.queue(local, name, Vec::new());
            }
        }
        Ok(())
    }

    /// "A head I know: I send what follows. One I do not: I need." Whether an older head of theirs
    /// lies on a branch of ours only the store can tell, and the reading will.
    pub(super) fn compare_feed(
        &mut self,
        local: &Local<'_>,
        held: &HeldHeads,
        theirs: &[CutPoint],
    ) {
        let is_mine = |point: &CutPoint| held.heads.iter().any(|mine| point.fits(mine));
        let is_theirs = |mine: &ChainPoint| theirs.iter().any(|point| point.fits(mine));
        let newest = held.heads.iter().map(|head| head.seq).max().unwrap_or(0);
        let strange: Vec<u64> =
            theirs.iter().filter(|point| !is_mine(point)).map(|point| point.seq).collect();
        let beyond = strange.iter().filter(|seq| **seq >= newest).max().copied();
        // Who holds all our heads and another one holds more, however low it is.
        let nothing_to_send = held.heads.iter().all(is_theirs);
        if beyond.is_some() || nothing_to_send && !strange.is_empty() {
            self.need(local, held.name);
        }
        // A lower head than theirs is most likely on their branch: if not, their reading finds out.
        let more =
            |mine: &&ChainPoint| !is_theirs(mine) && beyond.is_none_or(|seq| seq <= mine.seq);
        if held.heads.iter().any(|mine| more(&mine)) {
            self.queue(local, held.name, theirs.to_vec());
        }
    }

    /// Asks for what the peer holds of a feed and we do not, once a pass. Who is not given the feed hears
    /// nothing of how far it is held, but of its own.
    pub(super) fn need(&mut self, local: &Local<'_>, name: FeedName) {
        if !self.transfers.may_need(name.id()) {
            return;
        }
        let full = self.is_full();
        let heads = held(local, &name);
        if heads.is_some() {
            self.transfers.awaited.insert(name.id());
        }
        let may_know = name.device == self.peer || self.serves(local, name.space, name.area);
        let heads = heads
            .filter(|_| may_know)
            .map(|it| it.iter().map(|head| CutPoint::new(*head, full)).collect());
        self.said.needs.push((Wanted::Named(name), heads.unwrap_or_default()));
    }

    fn want_numbered(&mut self, number: u32) {
        self.said.needs.push((Wanted::Numbered(number), Vec::new()));
    }

    /// Sends what was said, in as few frames as their limit allows.
    pub(super) fn flush_said(&mut self) {
        let said = std::mem::take(&mut self.said);
        let node_bytes = |node: &NodePrint| 46 + 40 * node.below.as_ref().map_or(0, Vec::len);
        for nodes in parts(said.nodes, AREAS_PER_MESSAGE_MAX, node_bytes) {
            self.send(&Message::Nodes(nodes));
        }
        let print_bytes = |prints: &AreaPrints| 12 + 8 * prints.feeds.len();
        for prints in parts(said.prints, AREAS_PER_MESSAGE_MAX, print_bytes) {
            self.send(&Message::Prints(prints));
        }
        let head_bytes = |(heads, _): &(AreaHeads, Vec<FeedName>)| heads_bytes(heads);
        for heads in parts(said.heads, AREAS_PER_MESSAGE_MAX, head_bytes) {
            for name in heads.iter().flat_map(|(_, names)| names) {
                self.numbers.list(*name);
            }
            self.send(&Message::Heads(heads.into_iter().map(|(heads, _)| heads).collect()));
        }
        let need_bytes = |(_, heads): &(Wanted, Vec<CutPoint>)| 58 + 42 * heads.len();
        for needs in parts(said.needs, FEEDS_PER_MESSAGE_MAX, need_bytes) {
            let needs = needs.into_iter().map(|(wanted, heads)| self.need_of(wanted, heads));
            let needs = needs.collect();
            self.send(&Message::Need(needs));
        }
    }

    fn need_of(&mut self, wanted: Wanted, heads: Vec<CutPoint>) -> Need {
        let feed = match wanted {
            Wanted::Named(name) => self.numbers.refer(name),
            Wanted::Numbered(number) => FeedRef::Yours(number),
        };
        Need { feed, heads }
    }
}

/// Own feeds of an area whose ids begin so.
fn matching<'a>(
    local: &Local<'a>,
    space: Space,
    area: AreaId,
    start: &IdStart,
) -> Vec<&'a HeldHeads> {
    let feeds = local.summary.feeds(space, area);
    feeds.filter(|(feed, _)| start.fits(&feed.0)).map(|(_, held)| held).collect()
}

fn feed_points(feed: &FeedId, held: &HeldHeads, full: bool) -> FeedPoints {
    let heads = held.heads.iter().map(|head| CutPoint::new(*head, full)).collect();
    FeedPoints { feed: IdStart::new(&feed.0, full), heads }
}

fn heads_bytes(heads: &AreaHeads) -> usize {
    10 + heads.feeds.iter().map(points_bytes).sum::<usize>()
}

fn points_bytes(points: &FeedPoints) -> usize {
    let id_bytes = |id: &IdStart| id.as_bytes().len();
    let heads = points.heads.iter().map(|head| 10 + id_bytes(&head.id));
    2 + id_bytes(&points.feed) + heads.sum::<usize>()
}

/// Cuts a list into parts that fit one message each.
fn parts<T>(items: Vec<T>, count_max: usize, bytes: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let (mut parts, mut part, mut size) = (Vec::new(), Vec::new(), 0);
    for item in items {
        let more = bytes(&item);
        if !part.is_empty() && (size + more > MESSAGE_BYTES || part.len() >= count_max) {
            parts.push(std::mem::take(&mut part));
            size = 0;
        }
        size += more;
        part.push(item);
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}
