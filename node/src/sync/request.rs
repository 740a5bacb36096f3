//! What a session asks of the world, and what it is told back.
//!
//! A session reads no store. It is handed [`Local`] with every input, and asks for the rest by
//! [`Request`]s, each with an id that its [`Answer`] brings back. `driver.rs` answers them over the
//! feed-store port; the node's loop does the same without blocking.

use std::fmt;

use crdt_schema::entry::{ChainPoint, PackedRun, RefuseReason};
use crdt_schema::id::{DeviceId, FeedId, FeedName, StoreInstance};
use crdt_schema::time::Timestamp;

use super::message::{CutPoint, EndReason, Since, Stream};
use super::receipt::{DeviceRow, ReceiptRow, RowKey};
use super::summary::{Root, Summary};
use crate::authority::{Authority, Standing};
use crate::ingest::BRANCHES_MAX;
use crate::ports::Arrival;

/// What this node is and holds at the moment of an input.
#[derive(Clone, Copy)]
pub struct Local<'a> {
    /// Heads that count or are rested on, grouped by today's tree.
    pub summary: &'a Summary,
    /// Heads of feeds held and not counting: devices that wait, what is quarantined. Outside roots,
    /// offered to who may decide about them.
    pub apart: &'a Summary,
    /// What the authority entries say.
    pub authority: &'a Authority,
    /// This device.
    pub device: DeviceId,
    /// This store.
    pub instance: StoreInstance,
    /// Number of this store's newest arrival; 0 without any.
    pub arrivals: u64,
    /// Which receipt rows are held.
    pub receipts: &'a dyn ReceiptBook,
}

impl Local<'_> {
    /// Whether equal roots say that all of a feed is here: behind an end lies what no root names.
    pub fn compares(&self, feed: &FeedName) -> bool {
        matches!(self.authority.standing(feed), Standing::Counts)
    }
}

impl fmt::Debug for Local<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local").field("device", &self.device).finish_non_exhaustive()
    }
}

/// The counters of the rows this node holds.
pub trait ReceiptBook {
    /// Counter of a hub's row; `None` when none is held.
    fn counter(&self, key: &RowKey) -> Option<u64>;
    /// [`super::DeviceRow::age`] of the row held of a device.
    fn device_age(&self, device: &DeviceId) -> Option<(u64, StoreInstance)>;
    /// Devices whose newest row names this store as theirs.
    fn keepers(&self, store: &StoreInstance) -> Vec<DeviceId>;
}

/// Holds no row.
#[derive(Debug, Clone, Copy)]
pub struct NoReceipts;

impl ReceiptBook for NoReceipts {
    fn counter(&self, _key: &RowKey) -> Option<u64> {
        None
    }

    fn device_age(&self, _device: &DeviceId) -> Option<(u64, StoreInstance)> {
        None
    }

    fn keepers(&self, _store: &StoreInstance) -> Vec<DeviceId> {
        Vec::new()
    }
}

/// Ties an answer to its request; unique within one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// Work for the feed store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Read runs; answered by [`Answer::Runs`].
    Read(Read),
    /// How many of the points, from the first, are held on any branch; [`Answer::Located`].
    Locate {
        /// The feed.
        feed: FeedId,
        /// Ascending.
        points: Vec<CutPoint>,
    },
    /// The entries at these sequences on the branch that ends so; [`Answer::Points`].
    Points {
        /// The feed.
        feed: FeedId,
        /// An entry this store holds.
        end: ChainPoint,
        /// Ascending, not beyond the end.
        seqs: Vec<u64>,
    },
    /// Verify and make durable, in order, in one commit; [`Answer::Ingested`], one word a run.
    Ingest(Vec<(FeedName, PackedRun)>),
    /// Arrivals after a number; [`Answer::Arrivals`].
    Arrivals {
        /// This store's number.
        after: u64,
        /// At most so many.
        limit: usize,
    },
}

/// Which runs of a feed to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The feed.
    pub feed: FeedId,
    /// Where to begin.
    pub from: ReadFrom,
    /// Stop after the run that reaches this many packed bytes.
    pub bytes_max: usize,
}

/// Where a reading begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadFrom {
    /// All that leads to `ends` and does not lie at or before one of `known`. When `known` names
    /// places and none is held, nothing is read and the answer says `unrelated`.
    After {
        /// What the peer holds, by its word.
        known: Vec<CutPoint>,
        /// Entries held here.
        ends: Vec<ChainPoint>,
    },
    /// What an earlier answer left over.
    Rest(Vec<Segment>),
}

/// A stretch of one branch; the number is local to this store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// The branch.
    pub branch: u32,
    /// First sequence.
    pub from: u64,
    /// Last sequence.
    pub to: u64,
}

/// What came of a request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Runs of one feed, each following what the reader or an earlier run holds.
    Runs {
        /// In the order they can be ingested.
        runs: Vec<PackedRun>,
        /// In all of them.
        entries: u64,
        /// What is left to read.
        rest: Vec<Segment>,
        /// Whether one of the known places is not held here.
        unknown: bool,
        /// Whether none of them is.
        unrelated: bool,
        /// First and last place that were left out, with all behind them: they rotted at rest.
        damaged: Option<(u64, u64)>,
    },
    /// How many of the points are held.
    Located(usize),
    /// The entries, in the order asked.
    Points(Vec<ChainPoint>),
    /// What became of each run.
    Ingested(Vec<Taken>),
    /// Arrivals.
    Arrivals(Vec<Arrival>),
    /// The store failed: the session ends, the reason is the store's to tell.
    Failed,
}

/// What became of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Durable here, with its last entry.
    New(ChainPoint),
    /// Held already.
    Held,
    /// It begins later than what is held.
    Gap,
    /// Its device is known to nobody here, or may not be taken.
    Unknown,
    /// One branch, incarnation or byte beyond what this node takes, or what may go on from such a branch.
    Full,
    /// It does not verify where its place is held: it may go on from a branch that is not, which no
    /// byte of it tells, or be forged.
    Unfit,
    /// It does not verify, whatever came before it.
    Refused,
}

impl Taken {
    /// The word for a run of bytes that begin at `first` and were refused, where so many branches of its
    /// feed are held. Of a feed that has all it may have, a branch that is not held can be as long as its
    /// author likes: whoever hands it on is not to be blamed for any run of it.
    pub const fn refused(reason: RefuseReason, first: u64, branches: usize) -> Self {
        let leans = matches!(reason, RefuseReason::Signature | RefuseReason::BackReference);
        match leans && first > 1 {
            true if branches >= BRANCHES_MAX => Self::Full,
            true => Self::Unfit,
            false => Self::Refused,
        }
    }
}

/// What a session is told.
#[derive(Clone)]
pub enum Input {
    /// The connection stands: the initiator speaks first.
    Start,
    /// One whole frame.
    Frame {
        /// Where it came.
        stream: Stream,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// A request was carried out.
    Answer {
        /// Which.
        id: RequestId,
        /// What came of it.
        answer: Answer,
    },
    /// A run became durable here: saved by this device, or brought by *another* session. Not given
    /// to the session whose `Ingest` brought it.
    Durable {
        /// The feed.
        name: FeedName,
        /// The entries.
        run: PackedRun,
        /// The last of them.
        head: ChainPoint,
    },
    /// Rows of hubs that are new here, own or brought by another session.
    Receipts(Vec<ReceiptRow>),
    /// Rows of devices that are new here.
    Devices(Vec<DeviceRow>),
    /// The moment of a [`Output::WakeAt`] has come.
    Tick,
    /// Prove again that all is equal, after pushes or when the authority changed. Of a session that
    /// is live the initiator opens once more; in any other state nothing happens.
    Compare,
    /// End now.
    Close(EndReason),
}

impl fmt::Debug for Input {
    // Frames may hold personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("Start"),
            Self::Frame { stream, bytes } => write!(f, "Frame({stream:?}, {} bytes)", bytes.len()),
            Self::Answer { id, .. } => write!(f, "Answer({id:?})"),
            Self::Durable { name, head, .. } => write!(f, "Durable({:?}, {head:?})", name.id()),
            Self::Receipts(rows) => write!(f, "Receipts({})", rows.len()),
            Self::Devices(rows) => write!(f, "Devices({})", rows.len()),
            Self::Tick => f.write_str("Tick"),
            Self::Compare => f.write_str("Compare"),
            Self::Close(reason) => write!(f, "Close({reason:?})"),
        }
    }
}

/// What a session wants done.
#[derive(Clone)]
pub enum Output {
    /// Send these bytes on a stream, in order.
    Send {
        /// Where.
        stream: Stream,
        /// The frame.
        frame: Vec<u8>,
    },
    /// Do this, and bring the answer.
    Ask {
        /// For the answer.
        id: RequestId,
        /// What.
        request: Request,
    },
    /// Give [`Input::Tick`] at this moment or later.
    WakeAt(Timestamp),
    /// Keep this for the next session with this device: [`super::Session::knowing`].
    Mark(Since),
    /// Keep these rows: their counters are higher than what is held.
    Receipts(Vec<ReceiptRow>),
    /// Keep this device's row.
    Device(DeviceRow),
    /// A row of this very store that is newer than any it wrote: the file is an old copy. The store
    /// must take a new instance before anything else is said under the old one.
    OwnInstanceAhead(u64),
    /// Something a person or a test may want to know.
    Report(Report),
    /// The session is over; nothing follows.
    Ended {
        /// Why.
        reason: EndReason,
        /// Whether that is the peer's word: then the fault it may name is not known to be its own.
        said_there: bool,
    },
}

impl fmt::Debug for Output {
    // Frames may hold personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send { stream, frame } => write!(f, "Send({stream:?}, {} bytes)", frame.len()),
            Self::Ask { id, request } => write!(f, "Ask({id:?}, {request:?})"),
            Self::WakeAt(at) => write!(f, "WakeAt({at:?})"),
            Self::Mark(mark) => write!(f, "Mark({mark:?})"),
            Self::Receipts(rows) => write!(f, "Receipts({})", rows.len()),
            Self::Device(row) => write!(f, "Device({row:?})"),
            Self::OwnInstanceAhead(counter) => write!(f, "OwnInstanceAhead({counter})"),
            Self::Report(report) => write!(f, "Report({report:?})"),
            Self::Ended { reason, said_there } => write!(f, "Ended({reason:?}, {said_there})"),
        }
    }
}

/// What a session found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// The peer's store, once it said so.
    Peer(StoreInstance),
    /// All shared areas are equal: roots of authority and records of each.
    Equal(Vec<(crdt_schema::area::AreaId, Root, Root)>),
    /// Everything was exchanged that either side gives and takes, and roots still differ, or more is
    /// shared than was compared.
    Unequal,
    /// A run of this feed was not taken.
    NotTaken(FeedName, Taken),
    /// Two branches of this feed met.
    Fork(FeedId),
    /// A run that became durable here was pushed, with so many entries.
    Pushed(u64),
}
