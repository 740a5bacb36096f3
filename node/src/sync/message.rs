//! What two nodes say to each other, and every limit on it.
//!
//! Two streams join the two sides of a session. **Control** carries the opening, comparisons,
//! live edits and receipts; **bulk** carries runs, back-pressured by what the receiver has made
//! durable. Bytes are `codec.rs`'s business.
//!
//! ```text
//! Open ─► ◄─ Reply                          equal: done
//! Pass, Nodes, Turn ─► ◄─ Nodes, Turn       where hashes differ, one level a turn
//! Heads | Prints | Need ◄─►, Runs ◄═►       what each lacks
//! Turn(quiet, full roots) ─► ◄─ Turn(...)   nothing left to say: proved, or another pass
//! Push, Offer, Receipts ◄─►                 while both stay
//! ```
//! Everything here is a peer's word until a signature, a hash or a lookup of our own says otherwise.

use std::fmt;

use crdt_schema::area::AreaId;
use crdt_schema::entry::{ChainPoint, PackedRun, RUN_BYTES_MAX};
use crdt_schema::id::{DeviceId, EntryId, FeedId, FeedName, Space, StoreInstance};

use super::receipt::{DeviceRow, ReceiptRow};
use super::summary::{CutRoot, Root};

/// Version of the conversation. Another one ends the session at the opening.
pub const PROTOCOL_VERSION: u8 = 1;
/// Bytes of a control frame: a slow link is blocked for eight seconds at most (64 kbit/s).
pub const CONTROL_FRAME_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a bulk frame: the longest run, its feed's name, and the frame's own head.
pub const BULK_FRAME_BYTES_MAX: usize = RUN_BYTES_MAX + 1024;
/// Bytes at which a bulk frame is sent although more runs wait: one durable commit's worth.
pub const BULK_FRAME_BYTES_FULL: usize = 64 * 1024;
/// The same before it is known how fast the line is, and on the slowest: a frame that is cut off by a
/// broken line is sent again, so none takes much longer than [`BULK_FRAME_MS`].
pub const BULK_FRAME_BYTES_FIRST: usize = 4 * 1024;
/// Milliseconds one bulk frame may take on the line it goes over.
pub const BULK_FRAME_MS: i64 = 125;
/// Bytes of runs sent and not yet durable at the peer; what a node of 512 MB can hold a session.
/// One frame more may be under way, because a run is never split.
pub const BULK_IN_FLIGHT_BYTES_MAX: usize = 2 * 1024 * 1024;
/// The same until the peer first said what is durable: frames are small before it is known how fast the
/// line is, and each is a durable commit there: a whole window of them would be 512.
pub const BULK_IN_FLIGHT_BYTES_FIRST: usize = BULK_FRAME_BYTES_FULL;
/// Areas an opening names: a device's own and what it carries, a few grants at most.
pub const AREAS_SHARED_MAX: usize = 16;
/// Children one area may have; the largest kabupaten of the country has fewer than 60.
pub const CHILDREN_MAX: usize = 1024;
/// Areas one message describes; what is more takes the next message.
pub const AREAS_PER_MESSAGE_MAX: usize = 4096;
/// Feeds one message describes or asks for; what is more takes the next message.
pub const FEEDS_PER_MESSAGE_MAX: usize = 4096;
/// Heads of one feed: where each branch a node takes ends, and where it stops counting before that.
pub const HEADS_PER_FEED_MAX: usize = 2 * crate::ingest::BRANCHES_NAMED_MAX;
/// Checkpoints one probe names: a feed of 4,096 entries is settled in one question.
pub const PROBE_POINTS_MAX: usize = 64;
/// Runs in one bulk frame.
pub const RUNS_PER_FRAME_MAX: usize = 1024;
/// Receipt rows in one message.
pub const ROWS_PER_MESSAGE_MAX: usize = 256;
/// The newest numbers of a side that either uses: one comparison of the whole province gives 60,000.
pub const FEED_NUMBERS_MAX: usize = 1 << 16;
/// The newest numbers of a side that are still understood.
pub const FEED_NUMBERS_KEPT: usize = 2 * FEED_NUMBERS_MAX;
/// Lookups a peer may have under way here: more is no honest question.
pub const LOOKUPS_MAX: usize = 256;
/// How often a peer may ask for the same feed, from a comparison or an offer of it on: every fork and
/// every gap of a push is one. More are not answered: a loop, or news that came faster than what they
/// follow, which the next comparison finds.
pub const NEEDS_PER_FEED_MAX: u8 = 32;
/// How often a peer may ask where two branches of one feed part, from a comparison on: a search takes two
/// or three questions, there may be one for each of those, and each may cost a look into 64 chapters.
pub const PROBES_PER_FEED_MAX: u8 = 128;
/// Turns of one pass: the tree has six levels, heads, needs, probes and the proof come after.
pub const TURNS_PER_PASS_MAX: u32 = 64;
/// Turns of a pass in which what comes meanwhile is offered: whoever is given more without a pause would
/// never fall silent. What comes later is offered behind the comparison, which may then end unequal.
pub const NEWS_TURNS_MAX: u32 = TURNS_PER_PASS_MAX / 2;
/// Passes of one session: authority, records, and each again with full hashes, twice.
pub const PASSES_MAX: u8 = 8;
/// Bytes of runs taken from a device nobody here knows: its certificate and what that rests on.
pub const STRANGER_BYTES_MAX: usize = 64 * 1024;
/// Own feeds outside the roots that a device offers in one session to one with the issue right there.
pub const APART_OFFERS_MAX: usize = 256;
/// A pushed run longer than this is offered first: a peer that has it need not pay for it.
pub const PUSH_BYTES_MAX: usize = 4 * 1024;
/// Feeds of which less than this many lie in an area are described by their heads at once; of
/// more, prints go first.
pub const PRINTS_FROM: usize = 4;
/// Milliseconds without a frame of a peer that owes one: the longest run takes 160 s at 64 kbit/s.
pub const STALL_MS: i64 = 300_000;
/// Milliseconds a receipt waits for another frame to go with.
pub const RECEIPT_DELAY_MS: i64 = 60_000;

/// Which of the two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// Orders, authority's comparisons, receipts, live edits.
    Control,
    /// Runs.
    Bulk,
}

impl Stream {
    /// Bytes of the longest frame it may carry.
    pub const fn frame_bytes_max(self) -> usize {
        match self {
            Self::Control => CONTROL_FRAME_BYTES_MAX,
            Self::Bulk => BULK_FRAME_BYTES_MAX,
        }
    }
}

/// One decoded frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// The first word of the initiator.
    Open(Open),
    /// The first word of the responder.
    Reply(Reply),
    /// "I do not know your device: show me what certifies it."
    AskCertificate,
    /// "All that certifies me was sent: so many bulk frames."
    Presented(u64),
    /// A comparison begins; only the initiator says it, and the turn is its own.
    Pass(Pass),
    /// Hashes of areas.
    Nodes(Vec<NodePrint>),
    /// Short prints of many feeds.
    Prints(Vec<AreaPrints>),
    /// Heads of feeds.
    Heads(Vec<AreaHeads>),
    /// What the sender lacks.
    Need(Vec<Need>),
    /// Where does your branch leave mine?
    Probe(Probe),
    /// The answer to a probe.
    Common(Common),
    /// The turn goes to the other side.
    Turn(Turn),
    /// So many bulk frames of yours are durable here, from the beginning of the session.
    Durable(u64),
    /// "All was tried and roots still differ: let us go on without equality." The initiator's word.
    Stay,
    /// What the sender holds of the receiver's store; once, in a pass that asks for it.
    Since(Since),
    /// What the receiver now holds of the sender's store.
    Mark(Mark),
    /// One run, new here, that you lack.
    Push(FeedRun),
    /// "I hold this, and you may lack it."
    Offer(Vec<Offer>),
    /// Rows of hubs.
    Receipts(Vec<ReceiptRow>),
    /// What a device says about itself.
    Device(DeviceRow),
    /// Runs, on the bulk stream.
    Runs(Vec<FeedRun>),
    /// The last word.
    End(EndReason),
}

/// The initiator's first word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// [`PROTOCOL_VERSION`].
    pub version: u8,
    /// The entry that certifies the sender; `None` for a device of the root statement.
    pub certificate: Option<EntryId>,
    /// The sender's store.
    pub instance: StoreInstance,
    /// Its own areas and those it carries.
    pub areas: Vec<(AreaId, Proof)>,
}

/// The responder's first word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// [`PROTOCOL_VERSION`].
    pub version: u8,
    /// As in [`Open`].
    pub certificate: Option<EntryId>,
    /// The sender's store.
    pub instance: StoreInstance,
    /// The largest areas both hold; disjoint.
    pub shared: Vec<SharedArea>,
}

/// One area both sides hold, as the responder sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedArea {
    /// The area.
    pub area: AreaId,
    /// The responder's proof.
    pub proof: Proof,
    /// The root of its authority; `None` when the initiator's proof held, so that all is equal.
    pub authority: Option<CutRoot>,
}

/// Sixteen bytes that only who holds equal authority and equal records can make, and only for one
/// direction between two devices: BLAKE3(authority root, area root, sender, receiver).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof(pub [u8; 16]);

impl Proof {
    /// Makes the proof `sender` shows to `receiver`.
    pub fn new(authority: Root, records: Root, sender: DeviceId, receiver: DeviceId) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("wksbm 2026 opening proof v1");
        hasher.update(&authority.0).update(&records.0).update(&sender.0).update(&receiver.0);
        let mut proof = [0; 16];
        hasher.finalize_xof().fill(&mut proof);
        Self(proof)
    }
}

/// A comparison of one space of all shared areas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    /// Authority first, then records.
    pub space: Space,
    /// With whole hashes, after cut ones misled.
    pub full: bool,
    /// Nothing is described: each side sends what came after the other's mark.
    pub since: bool,
}

/// A hash as it travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digest {
    /// Sixteen bytes; zeros: nothing there.
    Cut([u8; 16]),
    /// All of it; zeros: nothing there.
    Full([u8; 32]),
}

impl Digest {
    /// Cut or whole; `None` becomes zeros.
    pub fn new(root: Option<Root>, full: bool) -> Self {
        let bytes = root.map_or([0; 32], |root| root.0);
        if full { Self::Full(bytes) } else { Self::Cut(Root(bytes).cut().0) }
    }

    /// Whether it says that nothing is there.
    pub fn is_none(&self) -> bool {
        match self {
            Self::Cut(bytes) => *bytes == [0; 16],
            Self::Full(bytes) => *bytes == [0; 32],
        }
    }

    /// Whether `root` could be what it stands for.
    pub fn fits(&self, root: Option<Root>) -> bool {
        *self == Self::new(root, matches!(self, Self::Full(_)))
    }
}

/// What the sender holds of one area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodePrint {
    /// The area.
    pub area: AreaId,
    /// Hash of its own feeds.
    pub own: Digest,
    /// Hashes of what lies below, without areas where nothing is held; `None`: only the own feeds
    /// are compared.
    pub below: Option<Vec<(AreaId, Digest)>>,
}

/// The beginning of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IdStart {
    /// Four bytes: tells the feeds of one area apart, unless someone wants them confused.
    Short([u8; 4]),
    /// Eight bytes.
    Cut([u8; 8]),
    /// The whole id.
    Full([u8; 32]),
}

impl IdStart {
    /// Four bytes of an id.
    pub fn short(id: &[u8; 32]) -> Self {
        Self::Short(id.first_chunk().copied().unwrap_or_default())
    }

    /// Eight bytes, or all.
    pub fn new(id: &[u8; 32], full: bool) -> Self {
        if full {
            Self::Full(*id)
        } else {
            Self::Cut(id.first_chunk().copied().unwrap_or_default())
        }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short(bytes) => bytes,
            Self::Cut(bytes) => bytes,
            Self::Full(bytes) => bytes,
        }
    }

    /// Whether `id` begins so.
    pub fn fits(&self, id: &[u8; 32]) -> bool {
        id.starts_with(self.as_bytes())
    }
}

/// A place in a feed, its entry's id cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CutPoint {
    /// From 1; at most [`SEQ_MAX`].
    pub seq: u64,
    /// The entry.
    pub id: IdStart,
}

/// The highest sequence a message can name: two bits say how long the id is.
pub const SEQ_MAX: u64 = u64::MAX >> 2;

impl CutPoint {
    /// Cuts a place.
    pub fn new(point: ChainPoint, full: bool) -> Self {
        Self { seq: point.seq, id: IdStart::new(&point.id.0, full) }
    }

    /// Whether it is this place.
    pub fn fits(&self, point: &ChainPoint) -> bool {
        self.seq == point.seq && self.id.fits(&point.id.0)
    }
}

/// Prints of all own feeds of one area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AreaPrints {
    /// The area.
    pub area: AreaId,
    /// Of every own feed of it: first four bytes of the id, and `HeldHeads::print`.
    pub feeds: Vec<([u8; 4], [u8; 4])>,
}

/// How much of an area a list of heads is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// These feeds only.
    Some,
    /// All own feeds of the area: what is not listed is not held.
    Own,
    /// All feeds in and below it.
    Below,
    /// All own feeds of the area, and the list goes on in the next item about it.
    More,
}

/// Heads of feeds of one area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AreaHeads {
    /// The area.
    pub area: AreaId,
    /// What the list is about.
    pub extent: Extent,
    /// The feeds. Each with a head takes the sender's next number.
    pub feeds: Vec<FeedPoints>,
}

/// A feed and the heads the sender holds of it: none means "nothing of your feed that begins so".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPoints {
    /// The beginning of its id.
    pub feed: IdStart,
    /// At most [`HEADS_PER_FEED_MAX`].
    pub heads: Vec<CutPoint>,
}

/// How a message names a feed. Numbers are given on control only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedRef {
    /// By name; on control it takes the sender's next number.
    Name(FeedName),
    /// The one named just before in the same bulk frame.
    Same,
    /// By the sender's number.
    Mine(u32),
    /// By the receiver's number.
    Yours(u32),
}

/// "Of this feed I hold up to these; send what follows and what else you hold."
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The feed.
    pub feed: FeedRef,
    /// What the sender holds; none: nothing.
    pub heads: Vec<CutPoint>,
}

/// "Which of these places do you hold?" Asked by who wants to send a branch and does not know where
/// it leaves what the peer holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The feed.
    pub feed: FeedRef,
    /// Checkpoints of one branch, ascending.
    pub points: Vec<CutPoint>,
}

/// "Of your points I hold so many": a branch is held from its beginning, so they are the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Common {
    /// The feed of the probe.
    pub feed: FeedRef,
    /// How many of its points.
    pub held: u8,
}

/// The turn goes to the receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Bulk frames the sender has sent since the session began: they come first.
    pub sent: u64,
    /// Bulk frames of the receiver that are durable at the sender.
    pub durable: u64,
    /// Whether the sender had nothing to say this turn; then its whole roots: authority and
    /// records of each shared area.
    pub quiet: Option<Vec<(Root, Root)>>,
}

/// "Of your store I hold everything up to here, of what we share."
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// The receiver's store instance, as the sender knows it.
    pub instance: StoreInstance,
    /// The receiver's arrival number.
    pub number: u64,
    /// The receiver's running hash there.
    pub running_hash: [u8; 32],
}

/// The sender's newest arrival when both were equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// From 1.
    pub number: u64,
    /// `Arrival::running_hash` there.
    pub running_hash: [u8; 32],
}

/// A run and its feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedRun {
    /// The feed.
    pub feed: FeedRef,
    /// The entries.
    pub run: PackedRun,
}

/// A feed that has grown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The feed.
    pub feed: FeedRef,
    /// Its heads at the sender.
    pub heads: Vec<CutPoint>,
}

/// Why a session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum EndReason {
    /// All is done, or the node shuts down.
    Done = 0,
    /// The peer speaks another version.
    Version = 1,
    /// Nobody here knows the peer's device, and it showed nothing that certifies it.
    Stranger = 2,
    /// The peer's certificate lets it hold nothing here, or it was closed or revoked.
    NoRights = 3,
    /// The two hold no area in common.
    NothingShared = 4,
    /// Bytes that are no message, or a frame beyond its limit.
    Malformed = 5,
    /// A message that has no place here now.
    OutOfOrder = 6,
    /// A number, feed or area that was never mentioned.
    UnknownReference = 7,
    /// More than a limit allows: bytes in flight, questions, turns, passes.
    TooMuch = 8,
    /// The peer owed a frame and sent none.
    Stalled = 9,
    /// A run whose signature, chain or bytes do not hold.
    BadRun = 10,
    /// The store of whoever ended the session failed; the other did nothing wrong.
    Store = 11,
    /// The connection was lost.
    Lost = 12,
}

impl EndReason {
    /// All reasons, by code.
    pub(super) const ALL: [Self; 13] = [
        Self::Done,
        Self::Version,
        Self::Stranger,
        Self::NoRights,
        Self::NothingShared,
        Self::Malformed,
        Self::OutOfOrder,
        Self::UnknownReference,
        Self::TooMuch,
        Self::Stalled,
        Self::BadRun,
        Self::Store,
        Self::Lost,
    ];

    /// Whether what was sent breaks the rules: no line and no disk does that.
    pub const fn is_fault(self) -> bool {
        matches!(
            self,
            Self::Malformed
                | Self::OutOfOrder
                | Self::UnknownReference
                | Self::TooMuch
                | Self::BadRun
        )
    }
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done => "done",
            Self::Version => "the peer speaks another version",
            Self::Stranger => "nothing certifies the peer's device",
            Self::NoRights => "the peer's certificate gives it no right here",
            Self::NothingShared => "the two hold no area in common",
            Self::Malformed => "the peer sent bytes that are no message",
            Self::OutOfOrder => "the peer sent a message out of order",
            Self::UnknownReference => "the peer named what was never mentioned",
            Self::TooMuch => "the peer went beyond a limit",
            Self::Stalled => "the peer fell silent",
            Self::BadRun => "the peer sent entries that do not verify",
            Self::Store => "the store of who ended it failed",
            Self::Lost => "the connection was lost",
        })
    }
}

/// The four bytes a feed goes by in [`AreaPrints`].
pub(super) fn short_id(feed: &FeedId) -> [u8; 4] {
    feed.0.first_chunk().copied().unwrap_or_default()
}
