//! Sessions without a network: requests answered over the feed-store port, and two sessions run
//! against each other in memory.
//!
//! The bench, the tests and the bundle code use it. Every byte a frame has is counted. A **round** is
//! one trip there and back; a stream of runs that waits for word of what is durable is one trip, and
//! a mark told after equality is none.

use std::collections::VecDeque;

use crdt_schema::entry::{ChainPoint, PackedRun, SigningPublic};
use crdt_schema::id::{DeviceId, FeedId, FeedName};
use crdt_schema::time::Timestamp;

use super::codec;
use super::message::{CutPoint, EndReason, Message, Since, Stream};
use super::receipt::{DeviceRow, ReceiptRow};
use super::request::{
    Answer, Input, Local, Output, Read, ReadFrom, Report, Request, Segment, Taken,
};
use super::session::{Phase, Role, Session};
use crate::ingest::{Leaving, leaving};
use crate::ports::{BranchHead, FeedHeads, FeedStore, StoreError};

/// What takes in runs and can say what is held.
pub trait Sink {
    /// Where runs are read.
    type Store: FeedStore;

    /// What this node is and holds now.
    fn local(&self) -> Local<'_>;

    /// The store.
    fn store(&self) -> &Self::Store;

    /// A feed's branches, from memory; `None` when nothing of it is held.
    fn feed(&self, feed: &FeedId) -> Option<&FeedHeads>;

    /// Verifies the runs in order and makes what is taken durable, in one commit: one word a run.
    /// Afterwards [`Sink::local`] shows it.
    ///
    /// # Errors
    /// [`StoreError`] when the commit failed: then nothing was taken.
    fn ingest(&mut self, runs: &[(FeedName, PackedRun)]) -> Result<Vec<Taken>, StoreError>;
}

/// Carries out one request, at once.
pub fn carry_out<S: Sink>(sink: &mut S, request: &Request) -> Answer {
    let answer = match request {
        Request::Ingest(runs) => sink.ingest(runs).map(Answer::Ingested),
        Request::Read(read) => Reading::new(sink, read.feed).read(read),
        Request::Locate { feed, points } => Reading::new(sink, *feed).locate(points),
        Request::Points { feed, end, seqs } => Reading::new(sink, *feed).points(end, seqs),
        Request::Arrivals { after, limit } => {
            sink.store().arrivals(*after, *limit).map(Answer::Arrivals)
        }
    };
    answer.unwrap_or(Answer::Failed)
}

/// Branches one way of a feed runs through, the newest first, and the last sequence on each.
type Path = Vec<(u32, u64)>;

/// Runs and their entries, what is left to read, and the first and last place of what rotted.
#[derive(Default)]
struct RunsRead {
    runs: Vec<PackedRun>,
    entries: u64,
    rest: Vec<Segment>,
    damaged: Option<(u64, u64)>,
}

/// Reads one feed.
struct Reading<'a, T> {
    store: &'a T,
    feed: FeedId,
    branches: &'a [BranchHead],
    /// What its device signs with, where a certificate names it.
    key: Option<SigningPublic>,
}

impl<'a, T: FeedStore> Reading<'a, T> {
    fn new<S: Sink<Store = T>>(sink: &'a S, feed: FeedId) -> Self {
        let heads = sink.feed(&feed);
        let branches = heads.map_or(&[][..], |heads| &heads.branches);
        let authority = sink.local().authority;
        let key = heads.and_then(|heads| authority.signing_key(&heads.name.device));
        Self { store: sink.store(), feed, branches, key }
    }

    fn read(&self, read: &Read) -> Result<Answer, StoreError> {
        let (segments, unknown, unrelated) = match &read.from {
            ReadFrom::Rest(rest) => (rest.clone(), false, false),
            ReadFrom::After { known, ends } => self.plan(known, ends)?,
        };
        let RunsRead { runs, entries, rest, damaged } = self.runs(segments, read.bytes_max)?;
        Ok(Answer::Runs { runs, entries, rest, unknown, unrelated, damaged })
    }

    /// The stretches that lead to `ends` and are not known.
    fn plan(
        &self,
        known: &[CutPoint],
        ends: &[ChainPoint],
    ) -> Result<(Vec<Segment>, bool, bool), StoreError> {
        let mut held = Vec::new();
        for point in known {
            held.extend(self.path_to(point)?);
        }
        let unknown = held.len() < known.len();
        let unrelated = held.is_empty() && !known.is_empty();
        if unrelated {
            return Ok((Vec::new(), unknown, unrelated));
        }
        let mut segments: Vec<Segment> = Vec::new();
        for end in ends {
            let Some(path) = self.path_to(&CutPoint::new(*end, true))? else { continue };
            let from = held.iter().map(|known| shared(&path, known)).max().unwrap_or(0);
            add_path(&mut segments, &path, from);
        }
        segments.sort_by_key(|segment| segment.branch);
        Ok((segments, unknown, unrelated))
    }

    /// The way to a place; `None` when it is not held.
    fn path_to(&self, point: &CutPoint) -> Result<Option<Path>, StoreError> {
        for branch in self.branches {
            let start = branch.from.map_or(0, |(_, shared)| shared);
            if point.seq <= start || point.seq > branch.head.point.seq {
                continue;
            }
            let here = self.store.point(self.feed, branch.branch, point.seq)?;
            if here.is_some_and(|here| point.fits(&here)) {
                return Ok(Some(self.path(branch.branch, point.seq)));
            }
        }
        Ok(None)
    }

    fn path(&self, branch: u32, seq: u64) -> Path {
        let mut path = vec![(branch, seq)];
        // Every step goes to an older branch; the count bounds a damaged table.
        for _ in 0..self.branches.len() {
            let last = path.last().copied().unwrap_or((branch, seq));
            let at = self.branches.iter().find(|it| it.branch == last.0);
            let Some((parent, shared)) = at.and_then(|it| it.from) else { break };
            path.push((parent, shared.min(last.1)));
        }
        path
    }

    /// Runs of the stretches until `bytes_max` is reached, what is left, and the first damage. Of a
    /// branch nothing behind damage is sent: whoever lacks that could not go on from it.
    fn runs(&self, segments: Vec<Segment>, bytes_max: usize) -> Result<RunsRead, StoreError> {
        let (mut read, mut bytes) = (RunsRead::default(), 0);
        for mut segment in segments {
            let mut is_whole = true;
            while is_whole && segment.from <= segment.to && bytes < bytes_max {
                let (branch, key) = (segment.branch, self.key.as_ref());
                match leaving(self.store, self.feed, branch, segment.from, key)? {
                    Leaving::Whole { run, last } => {
                        read.entries += last + 1 - segment.from;
                        segment.from = last + 1;
                        bytes += run.bytes.len() + run.signature.len();
                        read.runs.push(run);
                    }
                    Leaving::Damaged { last, .. } => {
                        is_whole = false;
                        read.damaged.get_or_insert((segment.from, last.min(segment.to)));
                    }
                    Leaving::Nothing => return Err(missing("a run")),
                }
            }
            if is_whole && segment.from <= segment.to {
                read.rest.push(segment);
            }
        }
        Ok(read)
    }

    fn locate(&self, points: &[CutPoint]) -> Result<Answer, StoreError> {
        for (held, point) in points.iter().enumerate() {
            if self.path_to(point)?.is_none() {
                return Ok(Answer::Located(held));
            }
        }
        Ok(Answer::Located(points.len()))
    }

    fn points(&self, end: &ChainPoint, seqs: &[u64]) -> Result<Answer, StoreError> {
        let path = self.path_to(&CutPoint::new(*end, true))?.ok_or_else(|| missing("a head"))?;
        let (branch, _) = path.first().copied().unwrap_or_default();
        let point = |seq: &u64| {
            self.store.point(self.feed, branch, *seq)?.ok_or_else(|| missing("a checkpoint"))
        };
        Ok(Answer::Points(seqs.iter().map(point).collect::<Result<_, _>>()?))
    }
}

fn missing(what: &str) -> StoreError {
    StoreError::Damaged { what: format!("{what} of a feed is not where its head says") }
}

/// How far two ways run together.
fn shared(path: &Path, known: &Path) -> u64 {
    let on = |(branch, seq): &(u32, u64)| {
        known.iter().find(|(other, _)| other == branch).map(|(_, other)| *other.min(seq))
    };
    path.iter().filter_map(on).max().unwrap_or(0)
}

/// Adds the part of a way behind `from`, joined with what is there.
fn add_path(segments: &mut Vec<Segment>, path: &Path, from: u64) {
    for (position, (branch, to)) in path.iter().enumerate() {
        let start = path.get(position + 1).map_or(0, |(_, shared)| *shared).max(from) + 1;
        if start > *to {
            continue;
        }
        match segments.iter_mut().find(|segment| segment.branch == *branch) {
            Some(segment) => {
                segment.from = segment.from.min(start);
                segment.to = segment.to.max(*to);
            }
            None => segments.push(Segment { branch: *branch, from: start, to: *to }),
        }
    }
}

/// What two sessions cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// Trips there and back, the last perhaps one way only.
    pub rounds: u32,
    /// Frames, both ways.
    pub frames: u64,
    /// Bytes of frames, initiator to responder.
    pub bytes_there: u64,
    /// Bytes of frames, responder to initiator.
    pub bytes_back: u64,
    /// Runs handed to a sink.
    pub runs: u64,
    /// Packed bytes of those runs: place, signature, length, block.
    pub run_bytes: u64,
}

impl Cost {
    /// All bytes of frames.
    pub const fn bytes(&self) -> u64 {
        self.bytes_there + self.bytes_back
    }

    /// Bytes that are not the runs themselves.
    pub const fn overhead_bytes(&self) -> u64 {
        self.bytes().saturating_sub(self.run_bytes)
    }
}

/// One side of a pair.
#[derive(Debug)]
struct Side {
    session: Session,
    inbox: VecDeque<Input>,
    found: Found,
}

/// What one side's session wanted kept or known.
#[derive(Debug, Default)]
pub struct Found {
    /// Reports, in order.
    pub reports: Vec<Report>,
    /// What it now holds of the peer's store.
    pub mark: Option<Since>,
    /// Rows of hubs to keep.
    pub receipts: Vec<ReceiptRow>,
    /// Rows of devices to keep.
    pub devices: Vec<DeviceRow>,
    /// The counter of a newer row of its own instance.
    pub own_instance_ahead: Option<u64>,
    /// The moment it asked to be woken at.
    pub wake_at: Option<Timestamp>,
}

/// Two sessions and the frames between them.
#[derive(Debug)]
pub struct Pair {
    initiator: Side,
    responder: Side,
    cost: Cost,
    now: Timestamp,
    /// Frames still delivered; then the connection is cut.
    frames_left: Option<u64>,
    /// The stream whose frames arrive first of each trip; `None`: in the order sent.
    first: Option<Stream>,
}

impl Pair {
    /// A connection between two devices.
    pub fn new(initiator: DeviceId, responder: DeviceId) -> Self {
        let side = |role, peer| Side {
            session: Session::new(role, peer),
            inbox: VecDeque::new(),
            found: Found::default(),
        };
        let mut first = side(Role::Initiator, responder);
        first.inbox.push_back(Input::Start);
        let mut second = side(Role::Responder, initiator);
        second.inbox.push_back(Input::Start);
        Self {
            initiator: first,
            responder: second,
            cost: Cost::default(),
            now: Timestamp(0),
            frames_left: None,
            first: None,
        }
    }

    /// The initiator begins with what it learned of the responder's store in an earlier session.
    #[must_use]
    pub fn knowing(mut self, mark: Since) -> Self {
        self.initiator.session = self.initiator.session.knowing(mark);
        self
    }

    /// The responder does.
    #[must_use]
    pub fn responder_knowing(mut self, mark: Since) -> Self {
        self.responder.session = self.responder.session.knowing(mark);
        self
    }

    /// One stream overtakes the other on every trip, as streams of one connection may.
    #[must_use]
    pub const fn overtaken_by(mut self, first: Stream) -> Self {
        self.first = Some(first);
        self
    }

    /// Loses the connection after so many frames.
    #[must_use]
    pub const fn cut_after(mut self, frames: u64) -> Self {
        self.frames_left = Some(frames);
        self
    }

    /// Gives the initiator's session an input with the next [`Pair::run`].
    pub fn tell_initiator(&mut self, input: Input) {
        self.initiator.inbox.push_back(input);
    }

    /// Gives the responder's session an input with the next [`Pair::run`].
    pub fn tell_responder(&mut self, input: Input) {
        self.responder.inbox.push_back(input);
    }

    /// Lets time pass.
    pub fn wait(&mut self, milliseconds: i64) {
        self.now = Timestamp(self.now.0 + milliseconds);
    }

    /// Runs until both are silent, and says what that took beyond earlier calls.
    pub fn run(&mut self, initiator: &mut impl Sink, responder: &mut impl Sink) -> Cost {
        let before = self.cost;
        let mut trips = Trips::default();
        while self.there_and_back(initiator, responder, &mut trips) {}
        self.cost.rounds += trips.count.div_ceil(2);
        self.cost.since(&before)
    }

    /// Once there and back, for what happens in the middle; false when both are silent.
    pub fn step(&mut self, initiator: &mut impl Sink, responder: &mut impl Sink) -> bool {
        self.there_and_back(initiator, responder, &mut Trips::default())
    }

    fn there_and_back(
        &mut self,
        initiator: &mut impl Sink,
        responder: &mut impl Sink,
        trips: &mut Trips,
    ) -> bool {
        let there = self.initiator.step(self.now, initiator, &mut self.cost);
        let moved = !there.is_empty() || !self.responder.inbox.is_empty();
        trips.add(Role::Initiator, &there);
        self.cost.bytes_there += self.deliver(Role::Responder, there);
        let back = self.responder.step(self.now, responder, &mut self.cost);
        trips.add(Role::Responder, &back);
        let moved = moved || !back.is_empty();
        self.cost.bytes_back += self.deliver(Role::Initiator, back);
        moved
    }

    /// Hands frames over; beyond the cut nothing arrives. Returns the bytes that did.
    fn deliver(&mut self, to: Role, mut frames: Vec<Frame>) -> u64 {
        if let Some(first) = self.first {
            frames.sort_by_key(|(stream, _)| *stream != first);
        }
        let to = match to {
            Role::Initiator => &mut self.initiator,
            Role::Responder => &mut self.responder,
        };
        let mut bytes = 0;
        for (stream, frame) in frames {
            if let Some(left) = &mut self.frames_left {
                if *left == 0 {
                    to.inbox.push_back(Input::Close(EndReason::Lost));
                    return bytes;
                }
                *left -= 1;
            }
            bytes += frame.len() as u64;
            self.cost.frames += 1;
            to.inbox.push_back(Input::Frame { stream, bytes: frame });
        }
        bytes
    }

    /// Where the two sessions are.
    pub const fn phases(&self) -> (Phase, Phase) {
        (self.initiator.session.phase(), self.responder.session.phase())
    }

    /// What the initiator's session wanted kept or known.
    pub const fn initiator(&self) -> &Found {
        &self.initiator.found
    }

    /// What the responder's session wanted kept or known.
    pub const fn responder(&self) -> &Found {
        &self.responder.found
    }
}

type Frame = (Stream, Vec<u8>);

/// One-way trips. Words nobody waits for (what is durable, a mark after equality) are none, and what
/// follows after them is the same stream flowing on.
#[derive(Debug, Default)]
struct Trips {
    count: u32,
    last: Option<Role>,
}

impl Trips {
    fn add(&mut self, from: Role, frames: &[Frame]) {
        let is_word = |(stream, frame): &Frame| {
            matches!(codec::decode(*stream, frame), Ok(Message::Durable(_) | Message::Mark(_)))
        };
        if !frames.iter().all(is_word) && self.last != Some(from) {
            self.count += 1;
            self.last = Some(from);
        }
    }
}

impl Side {
    /// Works off everything that has come, and returns the frames to send.
    fn step(&mut self, now: Timestamp, sink: &mut impl Sink, cost: &mut Cost) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some(input) = self.inbox.pop_front() {
            self.session.handle_input(now, &sink.local(), input);
            self.drain(sink, cost, &mut frames);
        }
        frames
    }

    fn drain(&mut self, sink: &mut impl Sink, cost: &mut Cost, frames: &mut Vec<Frame>) {
        // Answers go before what came from outside: local work first.
        let mut answers = Vec::new();
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Send { stream, frame } => frames.push((stream, frame)),
                Output::Ask { id, request } => {
                    if let Request::Ingest(runs) = &request {
                        cost.runs += runs.len() as u64;
                        cost.run_bytes +=
                            runs.iter().map(|(_, run)| packed_bytes(run)).sum::<u64>();
                    }
                    let answer = carry_out(sink, &request);
                    answers.push(Input::Answer { id, answer });
                }
                Output::WakeAt(at) => self.found.wake_at = Some(at),
                Output::Mark(mark) => self.found.mark = Some(mark),
                Output::Receipts(rows) => self.found.receipts.extend(rows),
                Output::Device(row) => self.found.devices.push(row),
                Output::OwnInstanceAhead(counter) => self.found.own_instance_ahead = Some(counter),
                Output::Report(report) => self.found.reports.push(report),
                Output::Ended { .. } => {}
            }
        }
        for answer in answers.into_iter().rev() {
            self.inbox.push_front(answer);
        }
    }
}

fn packed_bytes(run: &PackedRun) -> u64 {
    let mut writer = crdt_schema::codec::Writer::new();
    run.write(&mut writer);
    writer.len() as u64
}

impl Cost {
    const fn since(&self, before: &Self) -> Self {
        Self {
            rounds: self.rounds - before.rounds,
            frames: self.frames - before.frames,
            bytes_there: self.bytes_there - before.bytes_there,
            bytes_back: self.bytes_back - before.bytes_back,
            runs: self.runs - before.runs,
            run_bytes: self.run_bytes - before.run_bytes,
        }
    }
}
