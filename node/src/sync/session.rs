//! One session: what two connected nodes say to each other until both hold the same, and after.
//!
//! **The contract of the core.** [`Session::handle_input`] changes the state; then
//! [`Session::poll_output`] is called until it returns `None`, before the next input. Time comes in
//! as an argument from a steady clock and only differences matter; there is no randomness; the
//! same inputs in the same order give the same bytes. A peer's mistake ends the session with a
//! reason and never panics.
//!
//! The two sides are alike but for who speaks first and who begins a pass. Either may send what the
//! other lacks at any moment; the *turn* goes back and forth only to find out when nobody has
//! anything left to say. Parts of the conversation live in files of their own: `opening.rs`,
//! `descend.rs` (which areas and feeds differ), `transfer.rs` (runs both ways), `branch.rs` (forks),
//! `push.rs`, `receipts.rs`, `since.rs`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crdt_schema::area::AreaId;
use crdt_schema::authority::DeviceKeys;
use crdt_schema::id::{DeviceId, FeedId, FeedName, Space, StoreInstance};
use crdt_schema::time::Timestamp;

use super::branch::Probes;
use super::codec;
use super::descend::{PassState, Said};
use super::message::{
    EndReason, LOOKUPS_MAX, Message, NEWS_TURNS_MAX, Open, Reply, STALL_MS, Since, Stream,
    TURNS_PER_PASS_MAX, Turn,
};
use super::numbers::Numbers;
use super::push::Pushes;
use super::receipts::Rows;
use super::request::{Answer, Input, Local, Output, Report, Request, RequestId};
use super::since::Marks;
use super::summary::Root;
use super::table::Table;
use super::transfer::{Bulk, Transfers};

pub(super) type Step = Result<(), EndReason>;

/// Who dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Speaks first, and begins every pass.
    Initiator,
    /// Answers.
    Responder,
}

/// How far the conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Before both know which areas they share.
    Opening,
    /// Between or in passes.
    Comparing,
    /// Nothing left to compare: what is new here is pushed.
    Live {
        /// Whether equality was proved.
        equal: bool,
    },
    /// Over.
    Ended(EndReason),
}

/// What an outstanding request is for.
#[derive(Debug)]
pub(super) enum Asked {
    Transfer,
    Points(FeedId),
    Locate(FeedName),
    Ingest(Vec<FeedName>),
    Since(Since),
    News,
    Mark,
}

/// How much the shared areas of a session are of what the two may share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compared {
    All,
    /// Equal roots of it do not make the two equal.
    Part,
}

/// One side of one connection between two devices.
#[derive(Debug)]
pub struct Session {
    pub(super) role: Role,
    pub(super) peer: DeviceId,
    /// The transport key that the connection proved; `None`: whoever made this session knows the peer.
    key: Option<[u8; 32]>,
    pub(super) peer_instance: Option<StoreInstance>,
    pub(super) phase: Phase,
    pub(super) opened: Option<Open>,
    pub(super) replied: Option<Reply>,
    /// Whether the peer was asked for its certificate, and whether ours is being shown.
    pub(super) asked_certificate: bool,
    pub(super) presenting: bool,
    pub(super) presented: Option<u64>,
    pub(super) shared: Vec<AreaId>,
    pub(super) compared: Compared,
    pub(super) pass: Option<PassState>,
    pub(super) tries: Tries,
    pub(super) numbers: Numbers,
    pub(super) transfers: Transfers,
    pub(super) bulk: Bulk,
    pub(super) probes: Probes,
    pub(super) pushes: Pushes,
    pub(super) rows: Rows,
    pub(super) marks: Marks,
    /// Areas above the shared ones: their authority belongs to it.
    pub(super) above: BTreeSet<AreaId>,
    pub(super) their_roots: Vec<(Root, Root)>,
    pub(super) said: Said,
    pub(super) was_asked: bool,
    outputs: VecDeque<Output>,
    asked: BTreeMap<RequestId, Asked>,
    /// What a peer said behind its reply, while its certificate is not known yet.
    early: VecDeque<Message>,
    next_request: u64,
    pub(super) now: Timestamp,
    heard_at: Timestamp,
    wake_at: Option<Timestamp>,
}

/// Messages kept that came before their peer was known: its rows, and a save or two.
pub(super) const EARLY_MAX: usize = 16;

/// How often each space was compared.
#[derive(Debug, Default)]
pub(super) struct Tries {
    pub(super) authority: u8,
    pub(super) records: u8,
    pub(super) opens: u8,
    /// Something was not taken for want of room: to send it again would only cost the line.
    pub(super) full: bool,
    /// Feeds held here of which something was not taken for that: what does not fit them may rest on it.
    pub(super) crowded: BTreeSet<FeedId>,
    /// Runs that did not fit what is held, of feeds that were never asked for.
    pub(super) unfit: u16,
    /// The same of feeds that were.
    pub(super) unfit_before: u16,
}

impl Session {
    /// A session with `peer`, of which it is known already that it is this device.
    pub fn new(role: Role, peer: DeviceId) -> Self {
        Self {
            role,
            peer,
            key: None,
            peer_instance: None,
            phase: Phase::Opening,
            opened: None,
            replied: None,
            asked_certificate: false,
            presenting: false,
            presented: None,
            shared: Vec::new(),
            compared: Compared::All,
            pass: None,
            tries: Tries::default(),
            numbers: Numbers::default(),
            transfers: Transfers::default(),
            bulk: Bulk::default(),
            probes: Probes::default(),
            pushes: Pushes::default(),
            rows: Rows::default(),
            marks: Marks::default(),
            above: BTreeSet::new(),
            their_roots: Vec::new(),
            said: Said::default(),
            was_asked: false,
            outputs: VecDeque::new(),
            asked: BTreeMap::new(),
            early: VecDeque::new(),
            next_request: 0,
            now: Timestamp(0),
            heard_at: Timestamp(0),
            wake_at: None,
        }
    }

    /// The same where nothing but a transport key was proved: what the peer says to be counts once
    /// authority names this key as its own, and ends the session where it names another.
    #[must_use]
    pub const fn behind(mut self, key: [u8; 32]) -> Self {
        self.key = Some(key);
        self
    }

    /// Whether a device with these keys may be the peer.
    pub(super) fn is_behind(&self, keys: &DeviceKeys) -> bool {
        self.key.is_none_or(|key| key == keys.transport)
    }

    /// Who dialled.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// The other device.
    pub const fn peer(&self) -> DeviceId {
        self.peer
    }

    /// How far the conversation is.
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// The areas both sides hold, once the opening told.
    pub fn shared(&self) -> &[AreaId] {
        &self.shared
    }

    /// Roots of authority and records the peer named last, in the order of [`Session::shared`]; empty
    /// where only a proof travelled.
    pub fn their_roots(&self) -> &[(Root, Root)] {
        &self.their_roots
    }

    /// How full everything is that the peer can fill.
    pub fn tables(&self) -> impl Iterator<Item = Table> {
        let own = [
            Table::new("messages behind a reply", self.early.len(), EARLY_MAX),
            Table::new("questions to the store", self.asked.len(), LOOKUPS_MAX),
            self.transfers.table(),
        ];
        own.into_iter().chain(self.numbers.tables()).chain(self.rows.tables())
    }

    /// Takes one input. Drain [`Session::poll_output`] before the next.
    pub fn handle_input(&mut self, now: Timestamp, local: &Local<'_>, input: Input) {
        if matches!(self.phase, Phase::Ended(_)) {
            return;
        }
        self.now = now;
        self.drop_rows(local);
        let done = self.dispatch(local, input).and_then(|()| self.go_on(local));
        match done.and_then(|()| self.take_early(local)) {
            Ok(()) => self.watch(),
            Err(reason) => self.end(reason),
        }
    }

    /// What is to be done next; `None` when there is nothing left.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn dispatch(&mut self, local: &Local<'_>, input: Input) -> Step {
        match input {
            Input::Start => {
                self.heard_at = self.now;
                self.start(local)
            }
            Input::Frame { stream, bytes } => self.frame(local, stream, &bytes),
            Input::Answer { id, answer } => self.answer(local, id, answer),
            Input::Durable { name, run, head } => {
                self.on_durable(local, name, run, head);
                Ok(())
            }
            Input::Receipts(rows) => {
                self.rows_to_tell(local, rows);
                Ok(())
            }
            Input::Devices(rows) => {
                self.devices_to_tell(local, rows);
                Ok(())
            }
            Input::Tick => self.tick(),
            Input::Compare => self.compare_again(local),
            Input::Close(reason) => Err(reason),
        }
    }

    /// Opens once more in a session that is live. The responder stays as it is: it is asked.
    fn compare_again(&mut self, local: &Local<'_>) -> Step {
        let rests = matches!(self.phase, Phase::Live { .. }) && self.opened.is_none();
        if self.role != Role::Initiator || !rests {
            return Ok(());
        }
        self.begin_anew();
        self.phase = Phase::Comparing;
        // A peer that was asked nothing owed no answer until now.
        self.heard_at = self.now;
        self.open(local)
    }

    /// Another comparison begins: limits are for one.
    pub(super) fn begin_anew(&mut self) {
        self.tries = Tries::default();
        self.transfers.begin_anew();
        self.probes.begin_anew();
    }

    fn frame(&mut self, local: &Local<'_>, stream: Stream, bytes: &[u8]) -> Step {
        let message = codec::decode(stream, bytes).map_err(|_| EndReason::Malformed)?;
        self.heard_at = self.now;
        if self.phase == Phase::Opening && !belongs_to_opening(&message) {
            return self.put_off(message);
        }
        self.message(local, message, bytes.len())
    }

    /// Whoever replied may say more before its certificate was looked at here: that waits.
    fn put_off(&mut self, message: Message) -> Step {
        if self.replied.is_none() {
            return Err(EndReason::OutOfOrder);
        }
        if self.early.len() >= EARLY_MAX {
            return Err(EndReason::TooMuch);
        }
        self.early.push_back(message);
        Ok(())
    }

    /// What waited for the end of the opening.
    fn take_early(&mut self, local: &Local<'_>) -> Step {
        while self.phase != Phase::Opening
            && !matches!(self.phase, Phase::Ended(_))
            && let Some(message) = self.early.pop_front()
        {
            // Runs belong to the opening and never wait: of nothing else the length matters.
            self.message(local, message, 0)?;
            self.go_on(local)?;
        }
        Ok(())
    }

    fn message(&mut self, local: &Local<'_>, message: Message, bytes: usize) -> Step {
        match message {
            Message::Open(open) => self.on_open(local, open),
            Message::Reply(reply) => self.on_reply(local, reply),
            Message::AskCertificate => self.on_ask_certificate(local),
            Message::Presented(sent) => self.on_presented(sent),
            Message::Pass(pass) => self.on_pass(local, pass),
            Message::Nodes(nodes) => self.on_nodes(local, &nodes),
            Message::Prints(prints) => self.on_prints(local, &prints),
            Message::Heads(heads) => self.on_heads(local, &heads),
            Message::Need(needs) => self.on_needs(local, needs),
            Message::Probe(probe) => self.on_probe(local, probe),
            Message::Common(common) => self.on_common(local, common),
            Message::Turn(turn) => self.on_turn(turn),
            Message::Durable(frames) => self.bulk.acknowledge(frames, self.now),
            Message::Stay => self.on_stay(local),
            Message::Since(since) => self.on_since(local, since),
            Message::Mark(mark) => self.on_mark(mark),
            Message::Push(push) => self.on_push(local, push),
            Message::Offer(offers) => self.on_offers(local, offers),
            Message::Receipts(rows) => {
                self.on_receipts(local, rows);
                Ok(())
            }
            Message::Runs(runs) => self.on_runs(local, runs, bytes),
            Message::Device(row) => {
                self.on_device(local, row);
                Ok(())
            }
            Message::End(reason) => {
                self.close(reason, true);
                Ok(())
            }
        }
    }

    fn answer(&mut self, local: &Local<'_>, id: RequestId, answer: Answer) -> Step {
        let Some(asked) = self.asked.remove(&id) else { return Err(EndReason::Store) };
        match (asked, answer) {
            (Asked::Transfer, Answer::Runs { runs, rest, unknown, unrelated, .. }) => {
                self.on_read(local, runs, rest, unknown, unrelated)
            }
            (Asked::Points(feed), Answer::Points(points)) => self.on_points(feed, &points),
            (Asked::Locate(name), Answer::Located(held)) => self.on_located(name, held),
            (Asked::Ingest(names), Answer::Ingested(taken)) => {
                self.on_ingested(local, id, &names, &taken)
            }
            (Asked::Since(since), Answer::Arrivals(rows)) => self.on_since_row(since, &rows),
            (Asked::News, Answer::Arrivals(rows)) => {
                self.on_news(local, &rows);
                Ok(())
            }
            (Asked::Mark, Answer::Arrivals(rows)) => {
                self.on_mark_row(&rows);
                Ok(())
            }
            _ => Err(EndReason::Store),
        }
    }

    /// After every input: what can be sent is sent, and the turn passed when nothing is left.
    fn go_on(&mut self, local: &Local<'_>) -> Step {
        self.judge_presented(local)?;
        self.flush_said();
        self.pump(local)?;
        self.settle(local)
    }

    pub(super) fn send(&mut self, message: &Message) {
        if let Some(pass) = &mut self.pass
            && is_work(message)
        {
            pass.spoke = true;
        }
        let frame = codec::encode(message);
        self.outputs.push_back(Output::Send { stream: codec::stream_of(message), frame });
        self.rows.go_with(&mut self.outputs);
    }

    pub(super) fn send_bulk(&mut self, frame: Vec<u8>) {
        if let Some(pass) = &mut self.pass {
            pass.spoke = true;
        }
        self.outputs.push_back(Output::Send { stream: Stream::Bulk, frame });
    }

    pub(super) fn put(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(super) fn report(&mut self, report: Report) {
        self.put(Output::Report(report));
    }

    pub(super) fn ask(&mut self, asked: Asked, request: Request) -> Result<RequestId, EndReason> {
        if self.asked.len() >= LOOKUPS_MAX {
            return Err(EndReason::TooMuch);
        }
        let id = RequestId(self.next_request);
        self.next_request += 1;
        self.asked.insert(id, asked);
        self.put(Output::Ask { id, request });
        Ok(id)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.asked.is_empty() && self.transfers.is_idle() && self.probes.is_idle()
    }

    /// Hands the turn over, or concludes the pass.
    fn settle(&mut self, local: &Local<'_>) -> Step {
        if self.presenting && self.is_idle() {
            self.presenting = false;
            self.send(&Message::Presented(self.bulk.sent));
        }
        if self.pass.as_ref().is_some_and(|pass| pass.turn_due(self.bulk.received))
            && self.is_idle()
        {
            let may_offer = |pass: &PassState| pass.turns < NEWS_TURNS_MAX;
            if !self.is_concluding() && self.pass.as_ref().is_some_and(may_offer) {
                self.flush_pushes(local);
            }
            self.hand_over(local)?;
        }
        Ok(())
    }

    /// Both were silent: nothing new may be said before that is acted upon.
    fn is_concluding(&self) -> bool {
        self.pass.as_ref().is_some_and(|pass| pass.their_roots.is_some() && !pass.spoke)
    }

    fn hand_over(&mut self, local: &Local<'_>) -> Step {
        let Some(pass) = &mut self.pass else { return Ok(()) };
        pass.turns += 1;
        if pass.turns > TURNS_PER_PASS_MAX {
            return Err(EndReason::TooMuch);
        }
        let spoke = std::mem::take(&mut pass.spoke);
        let theirs = pass.their_roots.take();
        if let (false, Some(theirs), Some(mine)) = (spoke, &theirs, pass.my_roots.take()) {
            return self.conclude(local, &mine, theirs);
        }
        pass.mine = false;
        let roots = (!spoke).then(|| self.roots(local));
        let (sent, durable) = (self.bulk.sent, self.bulk.tell_durable());
        self.send(&Message::Turn(Turn { sent, durable, quiet: roots.clone() }));
        match (roots, theirs) {
            (Some(mine), Some(theirs)) => self.conclude(local, &mine, &theirs),
            (roots, _) => {
                if let Some(pass) = &mut self.pass {
                    pass.my_roots = roots;
                }
                Ok(())
            }
        }
    }

    fn roots(&self, local: &Local<'_>) -> Vec<(Root, Root)> {
        let both =
            |area: &AreaId| (local.summary.authority_root(*area), self.record_root(local, *area));
        self.shared.iter().map(both).collect()
    }

    fn on_turn(&mut self, turn: Turn) -> Step {
        self.bulk.acknowledge(turn.durable, self.now)?;
        let Some(pass) = &mut self.pass else { return Err(EndReason::OutOfOrder) };
        if pass.mine {
            return Err(EndReason::OutOfOrder);
        }
        pass.mine = true;
        pass.after_bulk = turn.sent;
        pass.their_roots = turn.quiet;
        Ok(())
    }

    /// Both sides were silent: the whole roots tell whether that means equal.
    fn conclude(
        &mut self,
        local: &Local<'_>,
        mine: &[(Root, Root)],
        theirs: &[(Root, Root)],
    ) -> Step {
        let Some(pass) = self.pass.take() else { return Ok(()) };
        let last = pass.kind.space == Space::Records || !self.is_about_records(local);
        self.their_roots = theirs.to_vec();
        if last && mine == theirs {
            self.all_equal(local, mine);
            return if self.compares_records(local) { self.mark(local) } else { Ok(()) };
        }
        match self.role {
            Role::Responder => Ok(()),
            Role::Initiator if last && self.tries.full => {
                self.rest(local);
                Ok(())
            }
            Role::Initiator => self.next_pass(local),
        }
    }

    pub(super) fn all_equal(&mut self, local: &Local<'_>, roots: &[(Root, Root)]) {
        if self.compared == Compared::Part {
            self.report(Report::Unequal);
            return self.live(local, false);
        }
        let areas = self.shared.iter().zip(roots);
        let equal =
            areas.map(|(area, (authority, records))| (*area, *authority, *records)).collect();
        self.report(Report::Equal(equal));
        self.live(local, true);
    }

    fn tick(&mut self) -> Step {
        self.wake_at = None;
        if self.owes() && self.now.0.saturating_sub(self.heard_at.0) >= STALL_MS {
            return Err(EndReason::Stalled);
        }
        self.rows.tick(self.now, &mut self.outputs);
        Ok(())
    }

    /// Whether the peer has to say something before we go on.
    fn owes(&self) -> bool {
        let over = matches!(self.phase, Phase::Live { .. } | Phase::Ended(_));
        !over && self.asked.is_empty()
    }

    fn watch(&mut self) {
        let stall = self.owes().then_some(Timestamp(self.heard_at.0.saturating_add(STALL_MS)));
        let next = stall.into_iter().chain(self.rows.due()).min();
        if let Some(next) = next
            && self.wake_at.is_none_or(|at| next < at)
        {
            self.wake_at = Some(next);
            self.put(Output::WakeAt(next));
        }
    }

    fn end(&mut self, reason: EndReason) {
        self.send(&Message::End(reason));
        self.close(reason, false);
    }

    fn close(&mut self, reason: EndReason, said_there: bool) {
        self.phase = Phase::Ended(reason);
        self.asked.clear();
        self.put(Output::Ended { reason, said_there });
    }
}

/// Whether a message has a place before both know what they share.
const fn belongs_to_opening(message: &Message) -> bool {
    matches!(
        message,
        Message::Open(_)
            | Message::Reply(_)
            | Message::AskCertificate
            | Message::Presented(_)
            | Message::Runs(_)
            | Message::End(_)
    )
}

/// Whether a message says something that may call for an answer within the pass.
const fn is_work(message: &Message) -> bool {
    matches!(
        message,
        Message::Nodes(_)
            | Message::Prints(_)
            | Message::Heads(_)
            | Message::Need(_)
            | Message::Probe(_)
            | Message::Common(_)
            | Message::Push(_)
            | Message::Offer(_)
            | Message::Since(_)
            | Message::Runs(_)
    )
}
