//! What lies between two nodes: frames under way, in virtual time.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use node::live::LinkId;
use node::sync::{EndReason, Stream};

/// What a village has for a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Nearly always up, 2 Mbit/s.
    Good,
    /// A few windows a day, slow, 5 % of packets lost.
    Weak,
    /// None: sticks only.
    None,
}

impl Class {
    /// Bits a second.
    pub(super) const fn bits_per_second(self) -> i64 {
        match self {
            Self::Good => 2_000_000,
            Self::Weak | Self::None => 128_000,
        }
    }

    /// Milliseconds one way: least, and how many more.
    pub(super) const fn delay(self) -> (usize, usize) {
        match self {
            Self::Good => (20, 40),
            Self::Weak | Self::None => (150, 300),
        }
    }

    /// Packets lost in a hundred.
    pub(super) const fn loss_percent(self) -> usize {
        match self {
            Self::Good => 0,
            Self::Weak | Self::None => 5,
        }
    }
}

/// One link, from the one that dialled to the other.
#[derive(Debug)]
pub(super) struct Wire {
    /// Who dialled, and whom.
    pub(super) ends: [usize; 2],
    /// When it was joined.
    pub(super) since: i64,
    /// What kind of line.
    pub(super) class: Class,
    /// When each way is free again.
    free_at: [i64; 2],
    /// When the newest frame arrives: a stream keeps its order.
    arrives: [[i64; 2]; 2],
    /// Bulk bytes under way.
    pub(super) bulk: [usize; 2],
    /// Bytes of both streams under way.
    pub(super) queued: [usize; 2],
    /// One end is gone already.
    pub(super) closing: bool,
    /// Somebody ended it for what the other sent.
    pub(super) faulty: bool,
    /// Whoever was told that the other's store failed.
    pub(super) told_of_store: Option<usize>,
    /// Bytes that each end sent and received since its last comparison, by the kind of frame.
    pub(super) moved: [Kinds; 2],
    /// Number of the newest frame that went each way, and of the newest that came.
    sent: [u64; 2],
    came: [u64; 2],
    /// Hashes of the rows and pushes that went each way.
    pub(super) told: [BTreeSet<[u8; 32]>; 2],
}

/// Bytes of frames, by their kind.
pub(super) type Kinds = BTreeMap<u8, u64>;

impl Wire {
    pub(super) const fn new(ends: [usize; 2], class: Class, since: i64) -> Self {
        Self {
            ends,
            since,
            class,
            free_at: [0; 2],
            arrives: [[0; 2]; 2],
            bulk: [0; 2],
            queued: [0; 2],
            closing: false,
            faulty: false,
            told_of_store: None,
            moved: [Kinds::new(), Kinds::new()],
            sent: [0; 2],
            came: [0; 2],
            told: [BTreeSet::new(), BTreeSet::new()],
        }
    }

    /// The other end, and the direction there.
    pub(super) const fn from(&self, site: usize) -> (usize, usize) {
        if self.ends[0] == site { (self.ends[1], 0) } else { (self.ends[0], 1) }
    }

    /// When a frame that is sent now arrives.
    pub(super) fn arrival(
        &mut self,
        now: i64,
        way: usize,
        stream: Stream,
        bytes: usize,
        delay: i64,
    ) -> i64 {
        let takes = bytes as i64 * 8_000 / self.class.bits_per_second();
        self.free_at[way] = self.free_at[way].max(now) + takes;
        let newest = &mut self.arrives[way][stream as usize];
        *newest = (self.free_at[way] + delay).max(*newest);
        *newest
    }

    /// Number of a frame that goes one way now.
    pub(super) const fn number(&mut self, way: usize) -> u64 {
        self.sent[way] += 1;
        self.sent[way]
    }

    /// A frame came: whether a newer one came before it, on the other stream.
    pub(super) fn was_overtaken(&mut self, way: usize, number: u64) -> bool {
        let newest = self.came[way].max(number);
        std::mem::replace(&mut self.came[way], newest) > number
    }

    /// An end sent a frame, or received one.
    pub(super) fn count(&mut self, end: usize, frame: &[u8]) {
        if let Some(kind) = frame.first() {
            *self.moved[end].entry(*kind).or_default() += frame.len() as u64;
        }
    }

    /// When everything under way one way has come.
    pub(super) fn empty_at(&self, now: i64, way: usize) -> i64 {
        self.arrives[way].iter().copied().max().unwrap_or(0).max(now)
    }
}

/// All links, and whose they are.
#[derive(Debug, Default)]
pub(super) struct Wires {
    all: BTreeMap<LinkId, Wire>,
    of: BTreeMap<usize, BTreeSet<LinkId>>,
}

impl Wires {
    pub(super) fn insert(&mut self, link: LinkId, wire: Wire) {
        for end in wire.ends {
            self.of.entry(end).or_default().insert(link);
        }
        self.all.insert(link, wire);
    }

    pub(super) fn remove(&mut self, link: LinkId) -> Option<Wire> {
        let wire = self.all.remove(&link)?;
        for end in wire.ends {
            self.of.entry(end).or_default().remove(&link);
        }
        Some(wire)
    }

    pub(super) fn get(&self, link: LinkId) -> Option<&Wire> {
        self.all.get(&link)
    }

    pub(super) fn get_mut(&mut self, link: LinkId) -> Option<&mut Wire> {
        self.all.get_mut(&link)
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Those of one node, the oldest first.
    pub(super) fn of(&self, site: usize) -> impl Iterator<Item = (LinkId, &Wire)> {
        let links = self.of.get(&site).into_iter().flatten();
        links.filter_map(|link| Some((*link, self.all.get(link)?)))
    }
}

/// Something due.
#[derive(Debug)]
pub(super) enum Due {
    /// A frame arrives.
    Frame { link: LinkId, to: usize, stream: Stream, number: u64, bytes: Vec<u8> },
    /// An end learns that the link is gone.
    Gone { link: LinkId, to: usize, reason: EndReason },
    /// A node asked to be woken.
    Wake { site: usize },
    /// A node tries to reach what it dials.
    Dial { site: usize },
    /// A person saves something.
    Save { site: usize },
    /// Somebody switches a node on.
    On { site: usize },
    /// Somebody switches it off.
    Off { site: usize },
    /// A line begins to work, or ends.
    Window { site: usize, open: bool },
    /// A village's day is planned.
    Morning { site: usize },
    /// A stick leaves.
    Courier { site: usize },
    /// The stick of a village without a line, which comes every week or so.
    Round { site: usize },
    /// Something goes wrong somewhere.
    Fault,
    /// Everything is mended and looked at.
    Heal,
}

/// What is due, the earliest first; of two at one moment the one that was planned first.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    heap: BinaryHeap<Item>,
    planned: u64,
    /// Frames under way.
    pub(super) frames: usize,
}

#[derive(Debug)]
struct Item {
    at: i64,
    number: u64,
    due: Due,
}

impl Agenda {
    pub(super) fn plan(&mut self, at: i64, due: Due) {
        self.planned += 1;
        self.frames += usize::from(matches!(due, Due::Frame { .. } | Due::Gone { .. }));
        self.heap.push(Item { at, number: self.planned, due });
    }

    /// When the next thing is due.
    pub(super) fn next_at(&self) -> Option<i64> {
        self.heap.peek().map(|item| item.at)
    }

    pub(super) fn pop(&mut self) -> Option<(i64, Due)> {
        let Item { at, due, .. } = self.heap.pop()?;
        self.frames -= usize::from(matches!(due, Due::Frame { .. } | Due::Gone { .. }));
        Some((at, due))
    }
}

impl Ord for Item {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Item {}
