//! Offices joined by wires in memory: every frame arrives in order, time moves when a test says so.

use std::collections::{BTreeMap, VecDeque};

use crdt_schema::time::Timestamp;
use node::live::{Act, Event, Exchange, LinkId, Opened};
use node::sync::{EndReason, Role, Stream};

use crate::office::Office;

/// An office with its exchange.
#[derive(Debug)]
pub struct Desk {
    /// The office.
    pub office: Office,
    /// Its conversations.
    pub exchange: Exchange,
    /// Every frame it was given, in order.
    pub given: Vec<(Stream, Vec<u8>)>,
    /// What it told, in order.
    pub told: Vec<Event>,
}

/// Where a link leads: the other desk and its number of the same wire.
type End = (usize, LinkId);

/// A wire under way: the desk it goes to, and what.
enum Passing {
    Frame(usize, LinkId, Stream, Vec<u8>),
    Closed(usize, LinkId, EndReason),
}

/// Desks and the wires between them.
#[derive(Default)]
pub struct Wires {
    /// Every desk, as they were added.
    pub desks: Vec<Desk>,
    ends: BTreeMap<(usize, LinkId), End>,
    passing: VecDeque<Passing>,
    next_link: u64,
    /// A steady clock, in milliseconds.
    pub now: i64,
    /// Bytes of all frames.
    pub bytes: u64,
    /// Frames of this stream arrive behind all others.
    pub slow: Option<Stream>,
}

impl std::fmt::Debug for Wires {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wires").field("now", &self.now).finish_non_exhaustive()
    }
}

impl Wires {
    /// Adds an office; its number is its place.
    pub fn add(&mut self, mut office: Office) -> usize {
        let exchange = Exchange::new(office.node()).unwrap();
        self.desks.push(Desk { office, exchange, given: Vec::new(), told: Vec::new() });
        self.desks.len() - 1
    }

    /// One desk dials another, and all is said that is to be said.
    pub fn dial(&mut self, from: usize, to: usize) -> LinkId {
        let key = self.desks[to].office.node().transport_key();
        self.dial_behind(from, to, key)
    }

    /// The same through somebody who answers with a key of its own, and passes on all that is said.
    pub fn dial_behind(&mut self, from: usize, to: usize, key: [u8; 32]) -> LinkId {
        let link = LinkId(self.next_link);
        self.next_link += 1;
        self.ends.insert((from, link), (to, link));
        self.ends.insert((to, link), (from, link));
        let own = self.desks[from].office.node().transport_key();
        for (desk, role, key) in [(from, Role::Initiator, key), (to, Role::Responder, own)] {
            let at = Timestamp(self.now);
            let it = &mut self.desks[desk];
            it.exchange.opened(at, it.office.node(), &Opened { link, key, role });
        }
        self.run();
        link
    }

    /// Somebody with this key connects to a desk and says nothing.
    pub fn dial_silently(&mut self, to: usize, key: [u8; 32]) {
        let link = LinkId(self.next_link);
        self.next_link += 1;
        let opened = Opened { link, key, role: Role::Responder };
        let it = &mut self.desks[to];
        it.exchange.opened(Timestamp(self.now), it.office.node(), &opened);
        self.run();
    }

    /// A wire breaks; what was on it is lost.
    pub fn cut(&mut self, link: LinkId) {
        self.passing.retain(|it| match it {
            Passing::Frame(_, on, ..) | Passing::Closed(_, on, _) => *on != link,
        });
        let ends: Vec<usize> =
            self.ends.keys().filter(|(_, on)| *on == link).map(|(desk, _)| *desk).collect();
        for desk in ends {
            self.ends.remove(&(desk, link));
            let at = Timestamp(self.now);
            let it = &mut self.desks[desk];
            it.exchange.closed(at, it.office.node(), link, EndReason::Lost);
        }
        self.run();
    }

    /// Something was saved at a desk by hand.
    pub fn stirred(&mut self, desk: usize) {
        let at = Timestamp(self.now);
        let it = &mut self.desks[desk];
        it.exchange.stirred(at, it.office.node());
        self.run();
    }

    /// Bytes from nowhere on a link.
    pub fn inject(&mut self, to: usize, link: LinkId, stream: Stream, bytes: Vec<u8>) {
        self.passing.push_back(Passing::Frame(to, link, stream, bytes));
        self.run();
    }

    /// Lets time pass, from one moment somebody waits for to the next.
    pub fn wait(&mut self, milliseconds: i64) {
        let end = self.now + milliseconds;
        loop {
            let due = self.desks.iter().filter_map(|it| it.exchange.wake_at()).min();
            let Some(due) = due.filter(|at| at.0 <= end) else { break };
            self.now = self.now.max(due.0);
            for desk in 0..self.desks.len() {
                let at = Timestamp(self.now);
                let it = &mut self.desks[desk];
                if it.exchange.wake_at().is_some_and(|due| due <= at) {
                    it.exchange.tick(at, it.office.node());
                }
            }
            self.run();
        }
        self.now = end;
    }

    /// Delivers until nothing is under way.
    pub fn run(&mut self) {
        while self.step() {}
    }

    /// Delivers the next that is under way, and takes what follows from it; false where nothing is.
    pub fn step(&mut self) -> bool {
        self.take_acts();
        let is_more = self.deliver();
        self.take_acts();
        is_more
    }

    fn take_acts(&mut self) {
        for desk in 0..self.desks.len() {
            loop {
                let it = &mut self.desks[desk];
                let act = it.exchange.poll(Timestamp(self.now), it.office.node());
                let Some(act) = act else { break };
                self.act(desk, act);
            }
            assert!(self.desks[desk].exchange.take_failure().is_none());
        }
    }

    fn deliver(&mut self) -> bool {
        let is_fast = |it: &Passing| match it {
            Passing::Frame(_, _, stream, _) => Some(*stream) != self.slow,
            Passing::Closed(..) => false,
        };
        let next = self.passing.iter().position(is_fast).unwrap_or(0);
        let Some(passing) = self.passing.remove(next) else { return false };
        let at = Timestamp(self.now);
        match passing {
            Passing::Frame(desk, link, stream, bytes) => {
                self.bytes += bytes.len() as u64;
                let it = &mut self.desks[desk];
                it.given.push((stream, bytes.clone()));
                it.exchange.frame(at, it.office.node(), link, stream, bytes);
            }
            Passing::Closed(desk, link, reason) => {
                let it = &mut self.desks[desk];
                it.exchange.closed(at, it.office.node(), link, reason);
            }
        }
        true
    }

    fn act(&mut self, desk: usize, act: Act) {
        match act {
            Act::Send { link, stream, frame } => {
                if let Some((to, on)) = self.ends.get(&(desk, link)) {
                    self.passing.push_back(Passing::Frame(*to, *on, stream, frame));
                }
            }
            Act::HangUp { link, .. } => {
                self.ends.remove(&(desk, link));
                let other = self.ends.iter().find(|((_, on), _)| *on == link).map(|(at, _)| *at);
                if let Some((to, on)) = other {
                    self.passing.push_back(Passing::Closed(to, on, EndReason::Lost));
                }
            }
            Act::Doors => {}
            Act::Tell(event) => self.desks[desk].told.push(event),
        }
    }

    /// The comparisons a desk told of: the peer's place, and whether it was equal.
    pub fn sessions(&self, desk: usize) -> Vec<bool> {
        let told = self.desks[desk].told.iter();
        told.filter_map(|event| match event {
            Event::Session(seen) => Some(seen.equal),
            Event::PeerJoined { .. }
            | Event::PeerLeft { .. }
            | Event::Listening { .. }
            | Event::ListenFailed { .. }
            | Event::LinkClosed { .. }
            | Event::PeerRefused { .. }
            | Event::Stopped
            | Event::Broken { .. } => None,
        })
        .collect()
    }

    /// Why peers left a desk.
    pub fn left(&self, desk: usize) -> Vec<&'static str> {
        let told = self.desks[desk].told.iter();
        told.filter_map(|event| match event {
            Event::PeerLeft { reason, .. } => Some(*reason),
            Event::PeerJoined { .. }
            | Event::Session(_)
            | Event::Listening { .. }
            | Event::ListenFailed { .. }
            | Event::LinkClosed { .. }
            | Event::PeerRefused { .. }
            | Event::Stopped
            | Event::Broken { .. } => None,
        })
        .collect()
    }
}
