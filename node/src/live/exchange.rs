//! Every conversation of one node, and what follows from news: the gossip of the mesh.
//!
//! No socket, no task, no clock: what happens comes in as a call with the time of a steady clock,
//! what is to be done comes out of [`Exchange::poll`]. What one peer brings or a person saves is
//! handed to every other session at once; each decides whether its peer lacks it.
//!
//! Three things happen later, when it is quiet: the initiator of a session proves equality again
//! after news, in its turn where the two stay unequal (ADR 0037); this node renews its receipts; what was
//! learned of peers is written down. And what was refused for want of room is asked for once there is some.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crdt_schema::area::AreaId;
use crdt_schema::entry::{ChainPoint, PackedRun};
use crdt_schema::id::{DeviceId, Space};
use crdt_schema::time::Timestamp;

use super::book::Book;
use super::conversation::{Conversation, Proof, Refused, Word};
use super::distrust::Distrust;
use super::event::{Event, Seen, SeenArea, Why};
use super::turned::wait_of;
use crate::answer::{RootHash, SessionSeen, When};
use crate::error::NodeError;
use crate::node::{Contact, Door, Node};
use crate::ports::{Arrival, FeedStore};
use crate::replica::{Leaving, Room, Source};
use crate::sync::codec;
use crate::sync::driver::{Sink, carry_out};
use crate::sync::message::Message;
use crate::sync::{
    Answer, DeviceRow, EndReason, Input, Output, Phase, ReceiptRow, Report, Request, Role, Root,
    Session, Since, Stream, Table, Taken,
};

/// Quiet after the last news before equality is proved again: one save is many small ones seldom.
const QUIET_MS: i64 = 1_000;
/// News that never rest are proved this often.
const COMPARE_MAX_MS: i64 = 60_000;
/// Wait after a comparison that did not end equal, doubled each time.
const UNEQUAL_MS: i64 = 15_000;
/// And at most.
const UNEQUAL_MAX_MS: i64 = 3_600_000;
/// The same where there are news: who stays unequal, for it has no room or a limit is reached, is else
/// brought all that it refuses once more with every save of anybody (ADR 0037).
const UNEQUAL_NEWS_MS: i64 = 480_000;
/// How often it is looked whether there is room again for what was refused.
const ROOM_MS: i64 = 60_000;
/// From news until receipts are renewed, and what was learned is written: before equality is proved
/// again, so that the rows go with its frames.
const RENEW_MS: i64 = 500;
/// Renewals are this far apart at least: a hub at work writes rows seldom.
const RENEW_EVERY_MS: i64 = 10_000;
/// Until a link must have said who it is, and a stranger must have shown what certifies it: the
/// longest certificate takes ten seconds on the slowest line.
const PROVE_MS: i64 = 60_000;
/// Comparisons remembered.
const RECENT_MAX: usize = 64;
/// Of those, how many `status` lists: a desk's day.
const SHOWN_MAX: usize = 16;
/// Bytes a session sends before what it sent is on its way: a frame on a good line. With its whole
/// window read first, 0.56 s of a first copy of 100,000 records passed before the first frame went.
const SENT_AT_ONCE_BYTES: usize = 64 * 1024;
/// Arrivals handed on at once.
const ARRIVALS_AT_ONCE: usize = 256;
/// The word of a link whose other side lets no more strangers in for the moment.
pub(super) const CROWDED: &str = "crowded";
/// The first frame each way: which device speaks. Its certificate proves it, or ends the session.
const HELLO_BYTES: usize = 32;

/// One link of the transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LinkId(pub u64);

/// A link that just opened.
#[derive(Debug, Clone, Copy)]
pub struct Opened {
    /// Its number.
    pub link: LinkId,
    /// The transport key the peer proved to hold.
    pub key: [u8; 32],
    /// Who dialled.
    pub role: Role,
}

/// What is to be done.
#[derive(Clone)]
pub enum Act {
    /// Send a frame.
    Send {
        /// On which link.
        link: LinkId,
        /// On which stream.
        stream: Stream,
        /// The bytes.
        frame: Vec<u8>,
    },
    /// Close a link, after what was sent on it.
    HangUp {
        /// Which.
        link: LinkId,
        /// Why.
        reason: EndReason,
    },
    /// The members changed: the door must be asked again about every connection.
    Doors,
    /// Somebody may want to know.
    Tell(Event),
}

impl std::fmt::Debug for Act {
    // Frames may hold personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Send { link, stream, frame } => {
                write!(f, "Send({link:?}, {stream:?}, {} bytes)", frame.len())
            }
            Self::HangUp { link, reason } => write!(f, "HangUp({link:?}, {reason:?})"),
            Self::Doors => f.write_str("Doors"),
            Self::Tell(event) => write!(f, "Tell({event:?})"),
        }
    }
}

/// How a peer stands, for `status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerState {
    /// Whether a link is open.
    pub connected: bool,
    /// What the newest comparison over that link proved; nothing once the roots here are others.
    pub equal: Option<bool>,
    /// When anything came from it last.
    pub heard: Option<Timestamp>,
}

/// Every conversation of one node.
#[derive(Debug)]
pub struct Exchange {
    pub(super) links: BTreeMap<LinkId, Conversation>,
    pub(super) book: Book,
    /// The newest arrival that was handed on.
    told: u64,
    pub(super) renew_at: Option<Timestamp>,
    pub(super) renewed_at: Option<Timestamp>,
    pub(super) marks: BTreeMap<DeviceId, Since>,
    pub(super) contacts: BTreeMap<DeviceId, Contact>,
    /// When anything came from each device last: written down when its link is gone, so that a node
    /// which only listens writes nothing.
    heard: BTreeMap<DeviceId, Timestamp>,
    incarnation: u64,
    recent: VecDeque<Seen>,
    /// Members that are heard seldom, because what they sent did not hold.
    distrust: Distrust,
    acts: VecDeque<Act>,
    /// Links whose session has more to work off.
    unfinished: BTreeSet<LinkId>,
    /// Something was refused for want of room: when it is looked whether there is more now than there was.
    look_at: Option<Timestamp>,
    /// How many comparisons were told of.
    told_of: u64,
    pub(super) failed: Option<NodeError>,
}

impl Exchange {
    /// An exchange without a peer.
    ///
    /// # Errors
    /// [`NodeError::Store`] of the disk.
    pub fn new(node: &Node) -> Result<Self, NodeError> {
        let mut book = Book::default();
        let (hubs, devices) = node.rows()?;
        for row in &devices {
            book.note_device(row);
        }
        let own = node.replica().feed_store().instance();
        for row in &hubs {
            if row.key.instance == own || book.has(&row.key.instance) {
                book.note_hub(row);
            }
        }
        Ok(Self {
            links: BTreeMap::new(),
            book,
            told: node.replica().arrived(),
            renew_at: None,
            renewed_at: None,
            marks: BTreeMap::new(),
            contacts: BTreeMap::new(),
            heard: BTreeMap::new(),
            incarnation: node.replica().incarnation(),
            recent: VecDeque::new(),
            distrust: Distrust::default(),
            acts: VecDeque::new(),
            unfinished: BTreeSet::new(),
            look_at: None,
            told_of: 0,
            failed: None,
        })
    }

    /// What is to be done next; `None` when there is nothing left. A session that sends much reads on
    /// only when what it said before was taken: the other side works meanwhile.
    pub fn poll(&mut self, now: Timestamp, node: &mut Node) -> Option<Act> {
        while self.acts.is_empty()
            && let Some(link) = self.unfinished.pop_first()
        {
            self.work_off(now, node, link);
            self.settle(now, node, Some(link));
        }
        self.acts.pop_front()
    }

    /// A failure of this node's own store, once: nothing more can be kept.
    pub const fn take_failure(&mut self) -> Option<NodeError> {
        self.failed.take()
    }

    /// The moment of the next [`Exchange::tick`].
    pub fn wake_at(&self) -> Option<Timestamp> {
        let due = |it: &Conversation| {
            let compare = it.compare.map(|(at, _)| at);
            it.wake_at.into_iter().chain(compare).chain(it.prove_by)
        };
        self.links.values().flat_map(due).chain(self.renew_at).chain(self.look_at).min()
    }

    /// The newest comparisons, the newest first.
    pub fn recent(&self) -> impl Iterator<Item = &Seen> {
        self.recent.iter().rev()
    }

    /// The newest of them as `status` lists them.
    pub fn sessions(&self) -> Vec<SessionSeen> {
        self.recent().take(SHOWN_MAX).map(Seen::shown).collect()
    }

    /// How every peer stands that was heard since the start.
    pub fn peers(&self, node: &Node) -> BTreeMap<DeviceId, PeerState> {
        let heard = self.heard.iter().map(|(device, at)| {
            (*device, PeerState { connected: false, equal: None, heard: Some(*at) })
        });
        let mut peers: BTreeMap<DeviceId, PeerState> = heard.collect();
        for it in self.links.values().filter(|it| it.is_joined()) {
            let Some(device) = it.device else { continue };
            // Of records nothing was proved where only authority was compared.
            let shares = node.shares_records_with(&device);
            let equal = it.proof.as_ref().and_then(|proof| proof.holds(node)).filter(|_| shares);
            let heard = self.heard.get(&device).copied();
            peers.insert(device, PeerState { connected: true, equal, heard });
        }
        peers
    }

    /// How full everything is that peers can fill, of each link by itself.
    pub fn tables(&self) -> impl Iterator<Item = Table> {
        let recent = Table::new("comparisons remembered", self.recent.len(), RECENT_MAX);
        let sessions = self.links.values().filter_map(|it| it.session.as_ref());
        [recent, self.distrust.table()].into_iter().chain(sessions.flat_map(Session::tables))
    }

    /// Links that are open.
    pub fn links(&self) -> usize {
        self.links.len()
    }

    /// A link opened: the peer is told who speaks, and an initiator begins.
    pub fn opened(&mut self, now: Timestamp, node: &mut Node, opened: &Opened) {
        let device = match node.doors().get(&opened.key) {
            Some(Door::Open(device)) => Some(*device),
            Some(Door::Shared) | None => None,
        };
        let waits = device.is_some_and(|device| self.distrust.waits(&device, now));
        if waits && opened.role == Role::Responder {
            self.say(opened.link, node.device().0.to_vec());
            self.say(opened.link, codec::encode(&Message::End(EndReason::TooMuch)));
            return self.shut(opened.link, EndReason::TooMuch);
        }
        let mut link = Conversation::new(opened.key, opened.role, device);
        link.prove_by = Some(later(now, PROVE_MS));
        link.sent_frame(HELLO_BYTES);
        self.links.insert(opened.link, link);
        self.say(opened.link, node.device().0.to_vec());
        if let Some(device) = device {
            self.begin(now, node, opened.link, device);
        }
    }

    fn say(&mut self, link: LinkId, frame: Vec<u8>) {
        self.acts.push_back(Act::Send { link, stream: Stream::Control, frame });
    }

    /// A link whose device is not heard at all.
    fn shut(&mut self, link: LinkId, reason: EndReason) {
        let told = Event::LinkClosed { link, reason: Why(reason).name(), wait_seconds: None };
        self.acts.push_back(Act::Tell(told));
        self.acts.push_back(Act::HangUp { link, reason });
    }

    /// A frame came.
    pub fn frame(
        &mut self,
        now: Timestamp,
        node: &mut Node,
        link: LinkId,
        stream: Stream,
        bytes: Vec<u8>,
    ) {
        let Some(it) = self.links.get_mut(&link) else { return };
        it.received_frame(bytes.len());
        if !it.greeted {
            let wait = wait_of(&bytes).filter(|_| it.role == Role::Initiator);
            if let Some(wait) = wait.filter(|_| stream == Stream::Control) {
                return self.turned_away(link, wait);
            }
            let said = <[u8; HELLO_BYTES]>::try_from(bytes).ok().map(DeviceId);
            let Some(said) = said.filter(|_| stream == Stream::Control) else {
                self.distrusts(now, link, EndReason::Malformed);
                return self.drop_link(node, link, EndReason::Malformed);
            };
            return self.hello(now, node, link, said);
        }
        if let Some(device) = it.device.filter(|_| it.is_joined()) {
            self.heard.insert(device, node.now());
        }
        self.drive(now, node, link, Input::Frame { stream, bytes });
        self.settle(now, node, Some(link));
    }

    /// The other side lets no more strangers in for the moment: nobody was met.
    fn turned_away(&mut self, link: LinkId, wait: u16) {
        self.links.remove(&link);
        let wait_seconds = Some(wait);
        let told = Event::LinkClosed { link, reason: CROWDED, wait_seconds };
        self.acts.push_back(Act::Tell(told));
        self.acts.push_back(Act::HangUp { link, reason: EndReason::NoRights });
    }

    /// The first frame: a device we knew by its key must say the same; another one is a stranger
    /// until its certificate is seen.
    fn hello(&mut self, now: Timestamp, node: &mut Node, link: LinkId, said: DeviceId) {
        let Some(it) = self.links.get_mut(&link) else { return };
        match it.device {
            Some(known) if known == said => {
                (it.greeted, it.prove_by) = (true, None);
                self.joined(node, link, known);
            }
            // A certificate does not prove that its device holds the key: this one's may still come.
            Some(_)
                if it.role == Role::Responder
                    && said != node.device()
                    && node.transport_of(&said).is_none() =>
            {
                (it.greeted, it.device, it.proved) = (true, Some(said), false);
                self.begin(now, node, link, said);
            }
            Some(_) => self.drop_link(node, link, EndReason::Stranger),
            None if said != node.device() && node.is_behind(&it.key, &said) => {
                // One of several that name the key.
                if self.distrust.waits(&said, now) && it.role == Role::Responder {
                    self.say(link, codec::encode(&Message::End(EndReason::TooMuch)));
                    return self.drop_link(node, link, EndReason::TooMuch);
                }
                (it.greeted, it.device) = (true, Some(said));
                (it.proved, it.prove_by) = (true, None);
                self.joined(node, link, said);
                self.begin(now, node, link, said);
            }
            None if node.transport_of(&said) == Some(it.key) => {
                // Revoked: it may know why.
                self.say(link, codec::encode(&Message::End(EndReason::NoRights)));
                self.drop_link(node, link, EndReason::NoRights);
            }
            None if node.transport_of(&said).is_some() || said == node.device() => {
                // A member whose key is another one, or ourselves.
                self.drop_link(node, link, EndReason::Stranger);
            }
            None => {
                (it.greeted, it.device) = (true, Some(said));
                self.begin(now, node, link, said);
            }
        }
    }

    fn begin(&mut self, now: Timestamp, node: &mut Node, link: LinkId, device: DeviceId) {
        let Some(it) = self.links.get_mut(&link) else { return };
        let mut session = Session::new(it.role, device).behind(it.key);
        let mark = self.marks.get(&device).copied().or_else(|| node.mark_of(&device));
        if let Some(mark) = mark {
            session = session.knowing(mark);
        }
        (it.session, it.word) = (Some(session), Word::Due);
        self.drive(now, node, link, Input::Start);
        self.settle(now, node, Some(link));
    }

    fn joined(&mut self, node: &Node, link: LinkId, device: DeviceId) {
        self.heard.insert(device, node.now());
        self.contacts.insert(device, Contact { at: node.now() });
        // A link that takes another's place is no second coming.
        if self.is_linked_beside(link, device) {
            return;
        }
        let area = node.named(node.area_of(&device));
        self.acts.push_back(Act::Tell(Event::PeerJoined { device, area }));
    }

    /// Whether a device is here by another link, too.
    fn is_linked_beside(&self, link: LinkId, device: DeviceId) -> bool {
        let mut others = self.links.iter().filter(|(id, _)| **id != link);
        others.any(|(_, it)| it.is_joined() && it.device == Some(device))
    }

    /// A link is gone, whoever closed it.
    pub fn closed(&mut self, now: Timestamp, node: &mut Node, link: LinkId, reason: EndReason) {
        if self.links.contains_key(&link) {
            self.drive(now, node, link, Input::Close(reason));
            self.drop_link(node, link, reason);
            self.settle(now, node, Some(link));
        }
    }

    /// The node changed by other hands than a session's: a save, an import, a confirmation.
    pub fn stirred(&mut self, now: Timestamp, node: &mut Node) {
        self.settle(now, node, None);
        if node.has_untold_rows() {
            self.schedule_renewal(now);
        }
    }

    /// A moment asked for by [`Exchange::wake_at`] has come.
    pub fn tick(&mut self, now: Timestamp, node: &mut Node) {
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        for link in links {
            let Some(it) = self.links.get_mut(&link) else { continue };
            if it.prove_by.is_some_and(|by| by <= now) {
                self.drop_link(node, link, EndReason::Stalled);
                continue;
            }
            if it.wake_at.is_some_and(|at| at <= now) {
                it.wake_at = None;
                self.drive(now, node, link, Input::Tick);
            }
            let Some(it) = self.links.get_mut(&link) else { continue };
            if it.compare.is_some_and(|(at, _)| at <= now) {
                it.compare = None;
                // The one under way is told of as it is, or as somebody asked meanwhile.
                if !it.is_comparing() {
                    it.word = Word::Due;
                    self.drive(now, node, link, Input::Compare);
                }
            }
        }
        self.settle(now, node, None);
        if self.renew_at.is_some_and(|at| at <= now) {
            self.renew(now, node);
        }
        if self.look_at.is_some_and(|at| at <= now) {
            self.look_for_room(now, node);
        }
    }

    /// Something was refused: where it may have been for want of room, that is looked for from now on.
    fn falls_short(&mut self, now: Timestamp, link: LinkId, room: Room, refused: Refused) {
        if room < Room::Everything {
            self.look_at.get_or_insert(later(now, ROOM_MS));
            if let Some(it) = self.links.get_mut(&link) {
                it.lacks(refused, room);
            }
        }
    }

    /// Once there is more room than where something was refused it is asked for: by whoever began the link, anew.
    fn look_for_room(&mut self, now: Timestamp, node: &mut Node) {
        let room = node.replica().room();
        let (mut again, mut anew) = (false, Vec::new());
        for (link, it) in &mut self.links {
            let Some(lack) = it.lack else { continue };
            // Of a comparison that is under way: what it lacks may be on its way.
            if room <= lack.room || it.is_comparing() {
                again = true;
                continue;
            }
            it.unequal = 0;
            if (it.role, lack.of) == (Role::Initiator, Refused::Compared) {
                it.lack = None;
                it.compare = Some((now, now));
            } else {
                anew.push(*link);
            }
        }
        self.look_at = again.then(|| later(now, ROOM_MS));
        for link in anew {
            self.drive(now, node, link, Input::Close(EndReason::Done));
            self.drop_link(node, link, EndReason::Done);
        }
    }

    /// Everything is ended in good order: waiting rows go with the last word, and what was learned
    /// is written.
    pub fn close(&mut self, now: Timestamp, node: &mut Node) {
        self.renew(now, node);
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        for link in links {
            self.drive(now, node, link, Input::Close(EndReason::Done));
            self.drop_link(node, link, EndReason::Done);
        }
        self.keep(node, &[], &[]);
    }

    /// Proves equality again on every link this node began, now.
    pub fn compare_all(&mut self, now: Timestamp) {
        for it in self.links.values_mut().filter(|it| it.role == Role::Initiator) {
            it.compare_soon(now);
        }
    }

    /// The same on one link, if this node began it.
    pub fn compare(&mut self, now: Timestamp, link: LinkId) {
        if let Some(it) = self.links.get_mut(&link) {
            it.compare_soon(now);
        }
    }

    /// How many comparisons were told of until now.
    pub const fn told_of(&self) -> u64 {
        self.told_of
    }

    /// The link to a key.
    pub fn link_of(&self, key: &[u8; 32]) -> Option<LinkId> {
        self.links.iter().find(|(_, it)| it.key == *key).map(|(link, _)| *link)
    }

    /// This node has something new to say about itself.
    pub fn renew_soon(&mut self, now: Timestamp) {
        self.schedule_renewal(now);
    }

    /// Gives one session an input, and works off what it wants.
    pub(super) fn drive(&mut self, now: Timestamp, node: &mut Node, link: LinkId, input: Input) {
        let Some(it) = self.links.get_mut(&link) else { return };
        if matches!(input, Input::Close(_)) {
            it.inbox.clear();
        }
        it.inbox.push_back(input);
        self.work_off(now, node, link);
    }

    /// Works off what a session was given, until it has sent [`SENT_AT_ONCE_BYTES`].
    fn work_off(&mut self, now: Timestamp, node: &mut Node, link: LinkId) {
        let Some(it) = self.links.get_mut(&link) else { return };
        let (mut inbox, mut sent) = (std::mem::take(&mut it.inbox), 0);
        let (mut hubs, mut devices): (Vec<ReceiptRow>, Vec<DeviceRow>) = (Vec::new(), Vec::new());
        let (mut fault, mut refused) = (None, None);
        while let Some(input) = inbox.pop_front() {
            let Some(it) = self.links.get_mut(&link) else { break };
            let Some(mut session) = it.session.take() else { break };
            let source = Source::Peer(session.peer().to_string());
            let mut sink = node.sink(&self.book, source);
            session.handle_input(now, &sink.local(), input);
            let mut answers = Vec::new();
            while let Some(output) = session.poll_output() {
                match output {
                    Output::Send { stream, frame } => {
                        it.sent_frame(frame.len());
                        sent += frame.len();
                        self.acts.push_back(Act::Send { link, stream, frame });
                    }
                    Output::Ask { id, request } => {
                        let answer = carry_out(&mut sink, &request);
                        tell_damage(&request, &answer);
                        it.sent.entries += entries_read(&answer);
                        answers.push(Input::Answer { id, answer });
                    }
                    Output::WakeAt(at) => it.wake_at = Some(at),
                    Output::Mark(mark) => it.mark = Some(mark),
                    Output::Receipts(rows) => hubs.extend(rows),
                    Output::Device(row) => devices.push(row),
                    Output::OwnInstanceAhead(counter) => {
                        tracing::warn!(counter, "a peer knows newer receipts of this very store");
                    }
                    Output::Report(Report::Pushed(entries)) => it.sent.entries += entries,
                    Output::Report(Report::NotTaken(feed, Taken::Full)) => {
                        // The peer holds what this node has no room for: they are not equal, and
                        // later there may be room.
                        it.proof = Some(Proof::Unequal);
                        let own = feed.device == session.peer();
                        let apart = own || !sink.local().compares(&feed);
                        let of = if apart { Refused::Apart } else { Refused::Compared };
                        refused = refused.max(Some(of));
                        if it.role == Role::Initiator && it.compare.is_none() {
                            it.compare = Some((later(now, UNEQUAL_MS), now));
                        }
                    }
                    Output::Report(Report::Equal(areas)) => {
                        it.proof = Some(Proof::Equal(areas));
                        refused = refused.filter(|of| *of == Refused::Apart);
                        it.lack = it.lack.filter(|lack| lack.of == Refused::Apart);
                    }
                    Output::Report(Report::Unequal) => it.proof = Some(Proof::Unequal),
                    Output::Report(Report::Peer(_) | Report::NotTaken(..) | Report::Fork(_)) => {}
                    Output::Ended { reason, said_there } => {
                        it.ended = Some(reason);
                        // What a peer holds against this node is no fault of its own.
                        fault = (!said_there).then_some(reason);
                    }
                }
            }
            it.session = Some(session);
            for answer in answers.into_iter().rev() {
                inbox.push_front(answer);
            }
            if sent >= SENT_AT_ONCE_BYTES && !inbox.is_empty() {
                it.inbox = inbox;
                self.unfinished.insert(link);
                break;
            }
        }
        if let Some(reason) = fault {
            self.distrusts(now, link, reason);
        }
        if let Some(refused) = refused {
            self.falls_short(now, link, node.replica().room(), refused);
        }
        self.take_rows(now, node, link, hubs, devices);
    }

    /// After anything happened: strangers whose certificate came, over whatever link, are known from now on or
    /// shown the door, before anything is said to anybody; news go to the others, comparisons that ended
    /// are told.
    fn settle(&mut self, now: Timestamp, node: &mut Node, origin: Option<LinkId>) {
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        for link in &links {
            self.recognise(node, *link);
        }
        self.spread(now, node, origin);
        if node.replica().incarnation() != self.incarnation {
            self.incarnation = node.replica().incarnation();
            if let Err(error) = node.draw_next_incarnation() {
                self.failed.get_or_insert(error);
            }
        }
        for link in links {
            self.conclude(now, node, link);
            if let Some(reason) = self.links.get(&link).and_then(|it| it.ended) {
                self.drop_link(node, link, reason);
            }
        }
    }

    /// A stranger whose certificate came: it must name the key of the connection.
    fn recognise(&mut self, node: &Node, link: LinkId) {
        let Some(it) = self.links.get_mut(&link).filter(|it| !it.proved) else { return };
        let Some(device) = it.device else { return };
        match node.transport_of(&device) {
            Some(key) if key == it.key => {
                (it.proved, it.prove_by) = (true, None);
                self.joined(node, link, device);
            }
            Some(_) => self.drop_link(node, link, EndReason::Stranger),
            None => {}
        }
    }

    /// Hands what is new here to every session but the one that brought it.
    fn spread(&mut self, now: Timestamp, node: &mut Node, origin: Option<LinkId>) {
        let (mut any, mut authority) = (false, false);
        loop {
            let rows = match node.arrivals_after(self.told, ARRIVALS_AT_ONCE) {
                Ok(rows) => rows,
                Err(error) => {
                    tracing::error!(%error, "the feed store failed");
                    return;
                }
            };
            if rows.is_empty() {
                break;
            }
            any = true;
            for row in rows {
                self.told = row.number;
                let Some(feed) = node.replica().feed(row.feed) else { continue };
                let name = feed.name;
                authority |= name.space == Space::Authority;
                if let Some(it) = origin.and_then(|link| self.links.get_mut(&link)) {
                    it.received.entries += row.last + 1 - row.first;
                }
                let others: Vec<LinkId> = self
                    .links
                    .iter()
                    .filter(|(link, it)| Some(**link) != origin && it.session.is_some())
                    .map(|(link, _)| *link)
                    .collect();
                if others.is_empty() {
                    continue;
                }
                for (run, head) in runs_of(node, &row) {
                    for link in &others {
                        let run = run.clone();
                        self.drive(now, node, *link, Input::Durable { name, run, head });
                    }
                }
            }
        }
        if any {
            self.after_news(now);
        }
        if authority {
            self.acts.push_back(Act::Doors);
            // Who was confirmed hears from now on what was not for it before.
            let told = self.links.iter().filter(|(_, it)| it.read_to.is_some());
            let told: Vec<_> = told.filter_map(|(link, it)| Some((*link, it.device?))).collect();
            for (link, device) in told {
                self.tell_rows(now, node, link, device);
            }
        }
    }

    fn after_news(&mut self, now: Timestamp) {
        for it in self.links.values_mut() {
            let live = it.session.as_ref().is_some_and(|session| {
                session.role() == Role::Initiator && matches!(session.phase(), Phase::Live { .. })
            });
            // One that is due, as it was asked for, is put off by nothing.
            if !live || it.compare.is_some_and(|(at, _)| at <= now) {
                continue;
            }
            let first = it.compare.map_or(now, |(_, first)| first);
            let soon = later(now, QUIET_MS).min(later(first, COMPARE_MAX_MS));
            let due = if it.unequal == 0 {
                soon
            } else {
                // News put nothing off that is to be compared in its turn.
                let turn = soon.max(later(first, unequal_wait(it.unequal).min(UNEQUAL_NEWS_MS)));
                it.compare.map_or(turn, |(planned, _)| planned.min(turn))
            };
            it.compare = Some((due, first));
        }
        self.schedule_renewal(now);
    }

    pub(super) fn schedule_renewal(&mut self, now: Timestamp) {
        let earliest = self.renewed_at.map_or(now, |at| later(at, RENEW_EVERY_MS));
        let due = later(now, RENEW_MS).max(earliest);
        self.renew_at.get_or_insert(due);
    }

    /// Tells of a comparison that ended, and plans what follows from it.
    fn conclude(&mut self, now: Timestamp, node: &mut Node, link: LinkId) {
        let Some(it) = self.links.get_mut(&link) else { return };
        let Some(Phase::Live { equal }) = it.session.as_ref().map(Session::phase) else { return };
        if it.word == Word::Said {
            return;
        }
        let Some(device) = it.device else { return };
        if let Some(mark) = it.mark.take() {
            self.marks.insert(device, mark);
        }
        // Of records nothing was proved where only authority was compared.
        let sink = node.sink(&self.book, Source::Peer(device.to_string()));
        let compares = |session: &Session| session.compares_records(&sink.local());
        let proved = equal && it.session.as_ref().is_some_and(compares);
        self.contacts.insert(device, Contact { at: node.now() });
        it.unequal = if equal { 0 } else { it.unequal.saturating_add(1) };
        if !equal && it.role == Role::Initiator {
            it.compare = Some((later(now, unequal_wait(it.unequal)), now));
        }
        if equal && it.role == Role::Initiator && it.received.entries + it.sent.entries > 0 {
            // Once more when it is quiet: the frames bring the receipts for what was exchanged.
            it.compare = Some((later(now, QUIET_MS), now));
        }
        let again = it.word == Word::DueOfNext;
        if again {
            (it.word, it.compare) = (Word::Due, None);
        } else {
            self.tell_seen(node, link, device, proved, None);
        }
        self.schedule_renewal(now);
        self.tell_rows(now, node, link, device);
        if again {
            self.drive(now, node, link, Input::Compare);
        }
    }

    fn tell_seen(
        &mut self,
        node: &Node,
        link: LinkId,
        peer: DeviceId,
        equal: bool,
        reason: Option<EndReason>,
    ) {
        let Some(it) = self.links.get_mut(&link) else { return };
        self.told_of += 1;
        let seen = Seen {
            peer,
            area: node.named(node.area_of(&peer)),
            equal,
            received: it.received,
            sent: it.sent,
            rounds: it.rounds(),
            at: When(node.now()),
            reason: reason.map(|reason| Why(reason).name()),
            areas: if node.shares_records_with(&peer) {
                seen_areas(node, it, equal)
            } else {
                Vec::new()
            },
            link,
            number: self.told_of,
        };
        it.count_anew();
        if self.recent.len() == RECENT_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back(seen.clone());
        self.acts.push_back(Act::Tell(Event::Session(seen)));
    }

    /// When a device was heard last goes with what is written down next.
    fn note_heard(&mut self, device: DeviceId) {
        let Some(at) = self.heard.get(&device).copied() else { return };
        let contact = self.contacts.entry(device).or_insert(Contact { at });
        contact.at = contact.at.max(at);
    }

    /// A device whose link ends for what it sent is heard more seldom.
    fn distrusts(&mut self, now: Timestamp, link: LinkId, reason: EndReason) {
        let device = self.links.get(&link).filter(|it| it.proved).and_then(|it| it.device);
        if let Some(device) = device {
            self.distrust.note(device, reason, now);
        }
    }

    /// Forgets a link.
    fn drop_link(&mut self, node: &Node, link: LinkId, reason: EndReason) {
        let Some(it) = self.links.get(&link) else { return };
        let (device, joined) = (it.device, it.is_joined());
        let told = it.word == Word::Said;
        if let Some(device) = device.filter(|_| joined) {
            self.note_heard(device);
            if !told {
                self.tell_seen(node, link, device, false, Some(reason));
            }
            let reason = Why(reason).name();
            let it = self.links.get(&link);
            let (received, sent) = it.map(|it| (it.received, it.sent)).unwrap_or_default();
            if !self.is_linked_beside(link, device) {
                let left = Event::PeerLeft { device, reason, received, sent };
                self.acts.push_back(Act::Tell(left));
            }
        } else {
            let reason = Why(reason).name();
            let told = Event::LinkClosed { link, reason, wait_seconds: None };
            self.acts.push_back(Act::Tell(told));
        }
        self.links.remove(&link);
        self.acts.push_back(Act::HangUp { link, reason });
    }
}

/// How long is waited after so many comparisons in a row that did not end equal.
fn unequal_wait(times: u32) -> i64 {
    UNEQUAL_MS.saturating_mul(1 << times.min(12)).min(UNEQUAL_MAX_MS)
}

fn later(at: Timestamp, milliseconds: i64) -> Timestamp {
    Timestamp(at.0.saturating_add(milliseconds))
}

/// The areas of a comparison, with the roots here: those that were proved equal, though more may
/// have come since; else today's.
fn seen_areas(node: &Node, it: &Conversation, equal: bool) -> Vec<SeenArea> {
    let Some(session) = &it.session else { return Vec::new() };
    if let Some(Proof::Equal(roots)) = it.proof.as_ref().filter(|_| equal) {
        let area = |(area, _, root): &(AreaId, Root, Root)| {
            let root = RootHash(root.0);
            SeenArea { area: node.named(*area), root_here: root, root_there: Some(root), equal }
        };
        return roots.iter().map(area).collect();
    }
    let there = session.their_roots();
    let area = |(place, area): (usize, &AreaId)| SeenArea {
        area: node.named(*area),
        root_here: RootHash(node.replica().summary().root(*area).0),
        root_there: there.get(place).map(|(_, records)| RootHash(records.0)),
        equal,
    };
    session.shared().iter().enumerate().map(area).collect()
}

/// Entries that a read brought, which the session sends.
const fn entries_read(answer: &Answer) -> u64 {
    if let Answer::Runs { entries, .. } = answer { *entries } else { 0 }
}

/// What rotted is not sent, and whoever looks after this node should know.
fn tell_damage(request: &Request, answer: &Answer) {
    let (Request::Read(read), Answer::Runs { damaged: Some((from, to)), .. }) = (request, answer)
    else {
        return;
    };
    let feed = read.feed.short();
    tracing::error!(feed, from, to, "entries rotted at rest and are not sent; run verify");
}

/// The runs of one arrival, each with its last entry.
fn runs_of(node: &Node, row: &Arrival) -> Vec<(PackedRun, ChainPoint)> {
    let store = node.replica().feed_store();
    let (mut runs, mut from) = (Vec::new(), row.first);
    while from <= row.last {
        let run = node.replica().leaving(row.feed, row.branch, from);
        let Ok(Leaving::Whole { run, last }) = run else { break };
        let Ok(Some(head)) = store.point(row.feed, row.branch, last) else { break };
        runs.push((run, head));
        from = last + 1;
    }
    runs
}
