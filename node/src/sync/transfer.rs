//! Runs, both ways: what the peer lacks is read and sent, what comes is made durable.
//!
//! One feed is read at a time, in order, so that certificates arrive before what rests on them.
//! Bytes sent and not yet durable at the peer are bounded; "durable" comes back as a count of
//! frames, because bulk is ordered and each frame is one commit.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crdt_schema::entry::{ChainPoint, PackedRun};
use crdt_schema::id::{FeedId, FeedName, Space};
use crdt_schema::time::Timestamp;

use super::codec;
use super::message::{
    BULK_FRAME_BYTES_FIRST, BULK_FRAME_BYTES_FULL, BULK_FRAME_BYTES_MAX, BULK_FRAME_MS,
    BULK_IN_FLIGHT_BYTES_FIRST, BULK_IN_FLIGHT_BYTES_MAX, CutPoint, EndReason, FeedRun, Message,
    NEEDS_PER_FEED_MAX, Need, RUNS_PER_FRAME_MAX, STRANGER_BYTES_MAX,
};
use super::push::held;
use super::request::{Local, Read, ReadFrom, Report, Request, RequestId, Segment, Taken};
use super::session::{Asked, Phase, Session, Step};
use super::table::Table;

/// Bytes a run takes beside its block: first, signature, length, feed number.
const RUN_OVERHEAD_BYTES: usize = 64 + 16;
/// Bytes after which the sender is told what is durable although no turn is due: it learns from
/// that how fast the line is.
const TELL_AFTER_BYTES: usize = BULK_FRAME_BYTES_FULL;
// Who waits for the first word has sent enough for one.
const _: () = assert!(TELL_AFTER_BYTES <= BULK_IN_FLIGHT_BYTES_FIRST);

/// Runs that do not fit what is held, in one comparison: a card that was copied forks one feed, and a
/// few of its saves may be under way before both sides hold both branches. Not counted are those of
/// feeds of which something was not taken for want of room, for nobody can tell how much rests on that.
pub(super) const UNFIT_MAX: u16 = 16;
/// The same of feeds that were asked for, then or before: short saves overtake the long run that they follow.
pub(super) const UNFIT_BEFORE_MAX: u16 = 1024;
/// Feeds asked for that are remembered, the newest. Names of feeds are free, so a peer may offer any
/// number that do not exist; one that was forgotten is asked for again when it is offered again.
pub(super) const NEEDED_MAX: usize = 4096;

/// What waits to be sent.
#[derive(Debug, Default)]
pub(super) struct Transfers {
    /// By rank, then by the order they were found in.
    order: BTreeMap<(u8, u64), FeedId>,
    waiting: BTreeMap<FeedId, Job>,
    active: Option<Active>,
    next: u64,
    /// How often the peer asked for a feed since the last comparison, and since it was last offered.
    pub(super) asked_for: BTreeMap<FeedId, u8>,
    /// Feeds we asked for in this pass, or since the last one.
    needed: Needed,
    /// Feeds held here that were asked for since the session began: what comes of them may lie behind what
    /// is on its way still, also once another comparison begins.
    pub(super) awaited: BTreeSet<FeedId>,
    /// What was sent in this pass, up to these ends: a question that crossed it is answered.
    sent: BTreeMap<FeedId, Vec<ChainPoint>>,
}

/// The newest [`NEEDED_MAX`] feeds that were asked for.
#[derive(Debug, Default)]
struct Needed {
    asked: BTreeMap<FeedId, u64>,
    by_age: BTreeMap<u64, FeedId>,
    next: u64,
}

impl Needed {
    fn insert(&mut self, feed: FeedId) -> bool {
        if self.asked.contains_key(&feed) {
            return false;
        }
        self.asked.insert(feed, self.next);
        self.by_age.insert(self.next, feed);
        self.next += 1;
        if self.asked.len() > NEEDED_MAX
            && let Some((_, oldest)) = self.by_age.pop_first()
        {
            self.asked.remove(&oldest);
        }
        true
    }

    fn remove(&mut self, feed: &FeedId) {
        if let Some(age) = self.asked.remove(feed) {
            self.by_age.remove(&age);
        }
    }
}

#[derive(Debug)]
struct Job {
    name: FeedName,
    ends: Vec<ChainPoint>,
    known: Vec<CutPoint>,
    /// Stretches to read instead of all behind `known`.
    stretches: Option<Vec<Segment>>,
    key: (u8, u64),
}

/// The feed being read.
#[derive(Debug)]
struct Active {
    name: FeedName,
    ends: Vec<ChainPoint>,
    known: Vec<CutPoint>,
    rest: Option<Vec<Segment>>,
    reading: bool,
    /// The peer asked for it again meanwhile.
    again: Option<Vec<CutPoint>>,
}

impl Transfers {
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.active.is_none()
    }

    /// A pass begins or ends: everything may be asked for and sent once again.
    pub(super) fn forget(&mut self) {
        self.needed = Needed::default();
        self.sent.clear();
    }

    /// Another comparison begins in the same session: the peer may ask again for every feed.
    pub(super) fn begin_anew(&mut self) {
        self.asked_for.clear();
    }

    /// What was asked for came: a later gap may be asked for again.
    pub(super) fn needed_no_more(&mut self, feed: &FeedId) {
        self.needed.remove(feed);
    }

    /// Whether this feed was not asked for yet, as far as is remembered.
    pub(super) fn may_need(&mut self, feed: FeedId) -> bool {
        self.needed.insert(feed)
    }

    /// How many feeds are remembered as asked for.
    pub(super) fn table(&self) -> Table {
        let held = self.needed.asked.len().max(self.needed.by_age.len());
        Table::new("feeds asked for", held, NEEDED_MAX)
    }

    fn push(&mut self, rank: u8, name: FeedName, ends: Vec<ChainPoint>, known: Vec<CutPoint>) {
        let feed = name.id();
        if let Some(active) = self.active.as_mut().filter(|active| active.name == name) {
            active.again = Some(known);
            return;
        }
        if let Some(job) = self.waiting.get_mut(&feed) {
            (job.ends, job.known, job.stretches) = (ends, known, None);
            return;
        }
        let key = (rank, self.next);
        self.next += 1;
        self.order.insert(key, feed);
        self.waiting.insert(feed, Job { name, ends, known, stretches: None, key });
    }

    /// A stretch of a feed whose earlier part the peer holds; more of the same feed join it.
    fn push_stretch(&mut self, rank: u8, name: FeedName, ends: Vec<ChainPoint>, more: Segment) {
        let feed = name.id();
        if !self.waiting.contains_key(&feed) {
            self.push(rank, name, ends, Vec::new());
            if let Some(job) = self.waiting.get_mut(&feed) {
                job.stretches = Some(vec![more]);
            }
            return;
        }
        let job = self.waiting.get_mut(&feed);
        let Some(stretches) = job.and_then(|job| job.stretches.as_mut()) else { return };
        match stretches.iter_mut().find(|it| it.branch == more.branch && it.to + 1 == more.from) {
            Some(before) => before.to = more.to,
            None => stretches.push(more),
        }
    }

    fn begin_next(&mut self) -> bool {
        let Some((key, feed)) = self.order.pop_first() else { return false };
        let Some(job) = self.waiting.remove(&feed) else { return false };
        debug_assert_eq!(job.key, key);
        let Job { name, ends, known, stretches, .. } = job;
        self.active =
            Some(Active { name, ends, known, rest: stretches, reading: false, again: None });
        true
    }
}

/// Counts and bytes of the bulk stream.
#[derive(Debug, Default)]
pub(super) struct Bulk {
    /// Frames sent, and those of them not yet durable at the peer.
    pub(super) sent: u64,
    in_flight: VecDeque<usize>,
    in_flight_bytes: usize,
    /// Since when bytes have been under way that the next word of the peer will be about.
    under_way_since: Timestamp,
    /// Bytes a frame may have on this line, once that is known.
    line_bytes: usize,
    /// Runs read and not yet sent.
    batch: Vec<(FeedName, PackedRun)>,
    batch_bytes: usize,
    /// Frames received.
    pub(super) received: u64,
    received_bytes: usize,
    /// Frames being made durable, oldest first: request, bytes, done.
    ingesting: VecDeque<(Option<RequestId>, usize, bool)>,
    ingesting_bytes: usize,
    durable: u64,
    untold_bytes: usize,
}

impl Bulk {
    /// Bytes at which a frame is sent although more runs wait.
    fn frame_bytes(&self) -> usize {
        self.line_bytes.max(BULK_FRAME_BYTES_FIRST)
    }

    /// So many bytes became durable at the peer since it last said so: that is how fast the line is.
    fn learn(&mut self, bytes: usize, now: Timestamp) {
        let took = now.0.saturating_sub(self.under_way_since.0).max(1);
        let in_time =
            (bytes as u64).saturating_mul(BULK_FRAME_MS.unsigned_abs()) / took.unsigned_abs();
        let in_time = usize::try_from(in_time).unwrap_or(usize::MAX);
        self.line_bytes = in_time.min(BULK_FRAME_BYTES_FULL);
        self.under_way_since = now;
    }

    fn has_room(&self) -> bool {
        let most = match self.line_bytes {
            0 => BULK_IN_FLIGHT_BYTES_FIRST,
            _ => BULK_IN_FLIGHT_BYTES_MAX,
        };
        self.in_flight_bytes < most
    }

    /// The peer made so many frames durable, from the beginning.
    pub(super) fn acknowledge(&mut self, frames: u64, now: Timestamp) -> Step {
        let known = self.sent - self.in_flight.len() as u64;
        if frames > self.sent || frames < known {
            return Err(EndReason::OutOfOrder);
        }
        let before = self.in_flight_bytes;
        for _ in known..frames {
            self.in_flight_bytes -= self.in_flight.pop_front().unwrap_or(0);
        }
        let durable = before - self.in_flight_bytes;
        if durable > 0 {
            self.learn(durable, now);
        }
        Ok(())
    }

    /// How many of the peer's frames are durable here; it counts as told.
    pub(super) const fn tell_durable(&mut self) -> u64 {
        self.untold_bytes = 0;
        self.durable
    }

    fn is_ingested(&mut self, id: RequestId) {
        for (request, _, done) in &mut self.ingesting {
            if *request == Some(id) {
                *done = true;
            }
        }
        while let Some((_, bytes, true)) = self.ingesting.front().copied() {
            self.ingesting.pop_front();
            self.durable += 1;
            self.ingesting_bytes -= bytes;
            self.untold_bytes += bytes;
        }
    }
}

impl Session {
    /// Sends what follows `known` of a feed, if the peer may have it and we hold it.
    pub(super) fn queue(&mut self, local: &Local<'_>, name: FeedName, known: Vec<CutPoint>) {
        let feed = name.id();
        let ends = if self.hands_over(local, &name) {
            held(local, &name)
        } else if self.serves(local, name.space, name.area) {
            let apart = local.apart.feed(&feed).filter(|_| self.may_have_apart(local, &name));
            local.summary.feed(&feed).or(apart).map(|held| held.heads.clone())
        } else {
            None
        };
        if let Some(ends) = ends
            && self.transfers.sent.get(&feed) != Some(&ends)
            && !self.probes.is_open(&feed)
        {
            self.queue_unchecked(local, name, ends, known);
        }
    }

    pub(super) fn queue_unchecked(
        &mut self,
        local: &Local<'_>,
        name: FeedName,
        ends: Vec<ChainPoint>,
        known: Vec<CutPoint>,
    ) {
        self.transfers.push(rank(local, &name), name, ends, known);
    }

    pub(super) fn queue_stretch(
        &mut self,
        local: &Local<'_>,
        name: FeedName,
        ends: Vec<ChainPoint>,
        stretch: Segment,
    ) {
        self.transfers.push_stretch(rank(local, &name), name, ends, stretch);
    }

    pub(super) fn on_needs(&mut self, local: &Local<'_>, needs: Vec<Need>) -> Step {
        for need in needs {
            let name = self.numbers.resolve(&need.feed)?;
            if !need.heads.is_empty() {
                self.numbers.understood(&need.feed);
            }
            let asked = self.transfers.asked_for.entry(name.id()).or_default();
            *asked = asked.saturating_add(1);
            if *asked > NEEDS_PER_FEED_MAX {
                // Short saves behind a long run were each asked about: the next comparison finds the rest.
                continue;
            }
            if local.summary.feed(&name.id()).is_none() && local.apart.feed(&name.id()).is_none() {
                // Nothing is remembered of feeds that are not held.
                self.transfers.asked_for.remove(&name.id());
                continue;
            }
            self.queue(local, name, need.heads);
        }
        Ok(())
    }

    /// Reads on as long as there is room in flight, and sends what was read.
    pub(super) fn pump(&mut self, local: &Local<'_>) -> Step {
        if self.bulk.batch_bytes >= self.bulk.frame_bytes()
            || self.bulk.batch.len() >= RUNS_PER_FRAME_MAX
            || self.transfers.is_idle()
        {
            self.flush_batch(local);
        }
        if !self.bulk.has_room() || self.transfers.active.as_ref().is_some_and(|it| it.reading) {
            return Ok(());
        }
        // A list of feeds takes as long as a first copy: whether the peer may have one is asked as it goes.
        while self.transfers.active.as_ref().is_none_or(|it| !self.may_send(local, &it.name)) {
            self.transfers.active = None;
            if !self.transfers.begin_next() {
                return Ok(());
            }
        }
        let Some(active) = &mut self.transfers.active else { return Ok(()) };
        active.reading = true;
        let from = match active.rest.take() {
            Some(rest) => ReadFrom::Rest(rest),
            None => ReadFrom::After { known: active.known.clone(), ends: active.ends.clone() },
        };
        let bytes_max = self.bulk.frame_bytes().saturating_sub(self.bulk.batch_bytes).max(1);
        let read = Read { feed: active.name.id(), from, bytes_max };
        self.ask(Asked::Transfer, Request::Read(read)).map(|_| ())
    }

    pub(super) fn on_read(
        &mut self,
        local: &Local<'_>,
        runs: Vec<PackedRun>,
        rest: Vec<Segment>,
        unknown: bool,
        unrelated: bool,
    ) -> Step {
        let Some(mut active) = self.transfers.active.take() else { return Err(EndReason::Store) };
        active.reading = false;
        let name = active.name;
        if unknown {
            self.report(Report::Fork(name.id()));
            self.need(local, name);
        }
        if unrelated && !active.known.is_empty() {
            return self.probe(local, name, &active.ends, &active.known);
        }
        for run in runs {
            self.bulk.batch_bytes += run.bytes.len() + RUN_OVERHEAD_BYTES;
            self.bulk.batch.push((name, run));
        }
        if !rest.is_empty() {
            active.rest = Some(rest);
            self.transfers.active = Some(active);
            return Ok(());
        }
        if self.pass.is_some() {
            self.transfers.sent.insert(name.id(), active.ends);
        }
        if let Some(known) = active.again {
            self.queue(local, name, known);
        }
        Ok(())
    }

    /// Whether the peer may have what it is sent of a feed now: it may have been ended, or the area moved, since it
    /// was promised. What certifies this device is shown to anybody who asks.
    fn may_send(&self, local: &Local<'_>, name: &FeedName) -> bool {
        self.presenting && name.space == Space::Authority
            || self.hands_over(local, name)
            || self.serves(local, name.space, name.area)
    }

    /// Sends the runs read so far, in frames within their limit.
    fn flush_batch(&mut self, local: &Local<'_>) {
        let (mut frame, mut bytes, mut last) = (Vec::new(), 0, None);
        let (mut asked, mut may_send) = (None, false);
        for (name, run) in std::mem::take(&mut self.bulk.batch) {
            if asked.replace(name) != Some(name) {
                may_send = self.may_send(local, &name);
            }
            if !may_send {
                continue;
            }
            let more = run.bytes.len() + RUN_OVERHEAD_BYTES + FeedName::SIZE_BYTES;
            let full =
                bytes + more > BULK_FRAME_BYTES_MAX - 64 || frame.len() >= RUNS_PER_FRAME_MAX;
            if full && !frame.is_empty() {
                self.send_runs(std::mem::take(&mut frame));
                bytes = 0;
            }
            bytes += more;
            let before = (!frame.is_empty()).then_some(last).flatten();
            frame.push(FeedRun { feed: self.numbers.refer_bulk(name, before), run });
            last = Some(name);
        }
        self.bulk.batch_bytes = 0;
        if !frame.is_empty() {
            self.send_runs(frame);
        }
    }

    fn send_runs(&mut self, runs: Vec<FeedRun>) {
        let frame = codec::encode(&Message::Runs(runs));
        self.bulk.sent += 1;
        if self.bulk.in_flight.is_empty() {
            self.bulk.under_way_since = self.now;
        }
        self.bulk.in_flight.push_back(frame.len());
        self.bulk.in_flight_bytes += frame.len();
        self.send_bulk(frame);
    }

    pub(super) fn on_runs(&mut self, local: &Local<'_>, runs: Vec<FeedRun>, length: usize) -> Step {
        self.bulk.received += 1;
        self.bulk.received_bytes += length;
        let stranger = self.phase == Phase::Opening;
        if stranger && (!self.asked_certificate || self.bulk.received_bytes > STRANGER_BYTES_MAX) {
            return Err(EndReason::Stranger);
        }
        let (mut wanted, mut last) = (Vec::with_capacity(runs.len()), None);
        for FeedRun { feed, run } in runs {
            let name = self.numbers.resolve_bulk(&feed, last)?;
            last = Some(name);
            self.numbers.understood(&feed);
            let taken =
                if stranger { name.space == Space::Authority } else { self.takes(local, &name) };
            if taken {
                wanted.push((name, run));
            }
        }
        self.ingest(wanted, length)
    }

    /// Has runs made durable; `length` bytes of the window are theirs until then.
    fn ingest(&mut self, runs: Vec<(FeedName, PackedRun)>, length: usize) -> Step {
        self.bulk.ingesting_bytes += length;
        if self.bulk.ingesting_bytes > BULK_IN_FLIGHT_BYTES_MAX + 2 * BULK_FRAME_BYTES_MAX {
            return Err(EndReason::TooMuch);
        }
        if runs.is_empty() {
            self.bulk.ingesting.push_back((None, length, true));
            return Ok(());
        }
        let names = runs.iter().map(|(name, _)| *name).collect();
        let id = self.ask(Asked::Ingest(names), Request::Ingest(runs))?;
        self.bulk.ingesting.push_back((Some(id), length, false));
        Ok(())
    }

    /// Has a pushed run made durable: it came on control and is in no count of frames.
    pub(super) fn ingest_pushed(&mut self, name: FeedName, run: PackedRun) -> Step {
        self.ask(Asked::Ingest(vec![name]), Request::Ingest(vec![(name, run)])).map(|_| ())
    }

    pub(super) fn on_ingested(
        &mut self,
        local: &Local<'_>,
        id: RequestId,
        names: &[FeedName],
        taken: &[Taken],
    ) -> Step {
        if names.len() != taken.len() {
            return Err(EndReason::Store);
        }
        self.bulk.is_ingested(id);
        for (name, taken) in names.iter().zip(taken) {
            self.on_taken(local, *name, *taken)?;
        }
        if self.bulk.untold_bytes >= TELL_AFTER_BYTES {
            let durable = self.bulk.tell_durable();
            self.send(&Message::Durable(durable));
        }
        Ok(())
    }

    /// A run came that does not fit: too many of them are no accident.
    fn count_unfit(&mut self, feed: &FeedId) -> Step {
        let (count, most) = if self.transfers.awaited.contains(feed) {
            (&mut self.tries.unfit_before, UNFIT_BEFORE_MAX)
        } else {
            (&mut self.tries.unfit, UNFIT_MAX)
        };
        *count += 1;
        if *count > most { Err(EndReason::BadRun) } else { Ok(()) }
    }

    fn on_taken(&mut self, local: &Local<'_>, name: FeedName, taken: Taken) -> Step {
        match taken {
            Taken::New(head) => {
                self.peer_holds(name, head);
                Ok(())
            }
            Taken::Held => {
                self.transfers.needed_no_more(&name.id());
                Ok(())
            }
            // What it rests on was sent and is not taken: to ask would only bring that again.
            Taken::Gap | Taken::Unfit if self.tries.crowded.contains(&name.id()) => {
                self.report(Report::NotTaken(name, taken));
                Ok(())
            }
            Taken::Gap | Taken::Unfit => {
                if taken == Taken::Unfit {
                    self.count_unfit(&name.id())?;
                }
                if self.pass.is_none() {
                    self.transfers.needed_no_more(&name.id());
                }
                self.report(Report::NotTaken(name, taken));
                self.need(local, name);
                Ok(())
            }
            Taken::Unknown | Taken::Full => {
                if taken == Taken::Full {
                    self.tries.full = true;
                    // Of feeds that are not held each run is answered so, and a peer can make up any.
                    self.tries.crowded.extend(held(local, &name).map(|_| name.id()));
                }
                self.report(Report::NotTaken(name, taken));
                Ok(())
            }
            Taken::Refused => Err(EndReason::BadRun),
        }
    }
}

/// Authority before records; of authority what lies and what stands higher first.
fn rank(local: &Local<'_>, name: &FeedName) -> u8 {
    if name.space == Space::Records {
        return u8::MAX;
    }
    let device = local.authority.member(&name.device).map_or(7, |member| member.level() as u8);
    name.area.level() as u8 * 8 + device
}
