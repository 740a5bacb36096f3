//! One link: the device behind it, its session, and the figures of the comparison under way.

use std::collections::VecDeque;

use crdt_schema::area::AreaId;
use crdt_schema::id::DeviceId;
use crdt_schema::time::Timestamp;

use super::event::Moved;
use crate::node::Node;
use crate::replica::Room;
use crate::sync::{EndReason, Hears, Input, Phase, Role, Root, Session, Since};

/// How a comparison over a link ended.
#[derive(Debug)]
pub(super) enum Proof {
    /// These were the roots of authority and of records on both sides.
    Equal(Vec<(AreaId, Root, Root)>),
    Unequal,
}

impl Proof {
    /// Whether what was proved still holds here. What the peer saved since, it sends; and one that
    /// cannot send any more loses its link.
    pub(super) fn holds(&self, node: &Node) -> Option<bool> {
        match self {
            Self::Unequal => Some(false),
            Self::Equal(roots) => {
                let summary = node.replica().summary();
                let stands = |(area, authority, records): &(AreaId, Root, Root)| {
                    summary.authority_root(*area) == *authority && summary.root(*area) == *records
                };
                roots.iter().all(stands).then_some(true)
            }
        }
    }
}

/// One link.
#[derive(Debug)]
pub(super) struct Conversation {
    /// What the transport proved.
    pub(super) key: [u8; 32],
    pub(super) role: Role,
    /// From the member list, or by the peer's own word until its certificate is seen.
    pub(super) device: Option<DeviceId>,
    /// Whether the device's certificate names the key.
    pub(super) proved: bool,
    /// Until when the device must be proved; `None` once it is.
    pub(super) prove_by: Option<Timestamp>,
    /// Whether the first frame came, and named no other device than the one proved.
    pub(super) greeted: bool,
    /// Why the session is over.
    pub(super) ended: Option<EndReason>,
    /// `None` until the device is known.
    pub(super) session: Option<Session>,
    /// What the session was not given yet.
    pub(super) inbox: VecDeque<Input>,
    pub(super) wake_at: Option<Timestamp>,
    /// When the next comparison is due, and when the oldest reason for it came.
    pub(super) compare: Option<(Timestamp, Timestamp)>,
    pub(super) mark: Option<Since>,
    /// How the newest comparison ended.
    pub(super) proof: Option<Proof>,
    /// How far the book it was told; `None` until its first comparison ended.
    pub(super) read_to: Option<u64>,
    /// Which rows of it were for the peer then.
    pub(super) heard_as: Option<Hears>,
    /// Whether a comparison that ended is told of.
    pub(super) word: Word,
    pub(super) received: Moved,
    pub(super) sent: Moved,
    trips: u32,
    last_was_sent: Option<bool>,
    /// Comparisons in a row that did not end equal.
    pub(super) unequal: u32,
    /// What the peer offered and there was no room for.
    pub(super) lack: Option<Lack>,
}

/// Whether a comparison is told of when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// It is.
    Due,
    /// Another one was asked for meanwhile: this one may know nothing of what came before the question, and
    /// that one is told of.
    DueOfNext,
    /// It was.
    Said,
}

/// Something a peer offered that was refused for want of room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lack {
    /// What asks for most.
    pub(super) of: Refused,
    /// The least there was room for as something was refused.
    pub(super) room: Room,
}

/// Where what was refused lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Refused {
    /// In the roots: where they are equal it is here.
    Compared,
    /// Perhaps outside the roots, now or once its device is closed. Its device alone offers that, once over a link.
    Apart,
}

impl Conversation {
    pub(super) fn new(key: [u8; 32], role: Role, device: Option<DeviceId>) -> Self {
        Self {
            key,
            role,
            device,
            proved: device.is_some(),
            prove_by: None,
            greeted: false,
            ended: None,
            session: None,
            inbox: VecDeque::new(),
            wake_at: None,
            compare: None,
            mark: None,
            proof: None,
            read_to: None,
            heard_as: None,
            word: Word::Said,
            received: Moved::default(),
            sent: Moved::default(),
            trips: 0,
            last_was_sent: None,
            unequal: 0,
            lack: None,
        }
    }

    /// Whether the device is here: it is proved, and it spoke.
    pub(super) const fn is_joined(&self) -> bool {
        self.proved && self.greeted
    }

    /// Whether a comparison is under way.
    pub(super) fn is_comparing(&self) -> bool {
        self.session.as_ref().map(Session::phase) == Some(Phase::Comparing)
    }

    /// Equality is proved again now: behind the comparison that is under way, if one is.
    pub(super) fn compare_soon(&mut self, now: Timestamp) {
        if self.role == Role::Initiator && self.is_comparing() {
            self.word = Word::DueOfNext;
        } else {
            self.compare = Some((now, now));
        }
    }

    /// Something was refused when there was room for no more than this.
    pub(super) fn lacks(&mut self, of: Refused, room: Room) {
        self.lack =
            Some(self.lack.map_or(Lack { of, room }, |it| Lack {
                of: it.of.max(of),
                room: it.room.min(room),
            }));
    }

    /// A frame went.
    pub(super) fn sent_frame(&mut self, bytes: usize) {
        self.sent.bytes += bytes as u64;
        self.moved(true);
    }

    /// A frame came.
    pub(super) fn received_frame(&mut self, bytes: usize) {
        self.received.bytes += bytes as u64;
        self.moved(false);
    }

    fn moved(&mut self, sent: bool) {
        if self.last_was_sent != Some(sent) {
            self.trips += 1;
            self.last_was_sent = Some(sent);
        }
    }

    /// Trips there and back since the last comparison.
    pub(super) const fn rounds(&self) -> u32 {
        self.trips.div_ceil(2)
    }

    /// The next comparison counts from nothing.
    pub(super) fn count_anew(&mut self) {
        (self.received, self.sent) = (Moved::default(), Moved::default());
        (self.trips, self.last_was_sent) = (0, None);
        self.word = Word::Said;
    }
}
