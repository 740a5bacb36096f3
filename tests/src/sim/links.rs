//! Links between nodes that are on: dialled, cut, hung up, and the frames on them.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use node::authority::MemberState;
use node::live::{Act, LinkId, Opened};
use node::sync::codec;
use node::sync::message::{BULK_FRAME_BYTES_MAX, BULK_IN_FLIGHT_BYTES_MAX, Message};
use node::sync::{EndReason, Role as Dialled, Stream};

use super::ground::{HOUR, MINUTE, SECOND};
use super::town::Town;
use super::wire::{Class, Due, Wire};

/// A link that did not stand so long was refused.
const REFUSED: i64 = 5 * SECOND;
/// Bytes under way in one direction at which a running node ends a link: `node/src/live/runner.rs`.
const QUEUED_MAX: usize = 8 << 20;
/// Bytes of a packet.
const PACKET_BYTES: usize = 1_200;

impl Town {
    pub(super) fn act(&mut self, site: usize, act: Act) {
        match act {
            Act::Send { link, stream, frame } => {
                let times = self.config.plant.map_or(1, |plant| plant.times(&frame));
                for frame in std::iter::repeat_n(frame, times) {
                    self.send(site, link, stream, frame);
                }
            }
            Act::HangUp { link, reason } => {
                self.faulted(site, link, reason);
                self.hang_up(site, link);
            }
            Act::Doors => self.doors(site),
            Act::Tell(event) => {
                let event = match self.config.plant {
                    Some(plant) => plant.said(event),
                    None => event,
                };
                self.hear(site, event);
            }
        }
    }

    /// A node says something, and a liar something else.
    fn send(&mut self, site: usize, link: LinkId, stream: Stream, frame: Vec<u8>) {
        if let Some(wire) = self.wires.get_mut(link) {
            let (_, way) = wire.from(site);
            wire.count(way, &frame);
        }
        self.goes_once(site, link, &frame);
        let frame = if self.sites[site].hostile {
            self.distort((site, link), stream, frame)
        } else {
            Some(frame)
        };
        if let Some(frame) = frame {
            self.send_raw(site, link, stream, frame);
        }
        if let Some((link, frame)) = self.twice.take() {
            self.send_raw(site, link, stream, frame);
        }
    }

    /// A frame goes on its way.
    pub(super) fn send_raw(&mut self, site: usize, link: LinkId, stream: Stream, frame: Vec<u8>) {
        if self.too_long(site, link, stream, frame.len()) {
            return;
        }
        let Some(wire) = self.wires.get_mut(link) else { return };
        let (to, way) = wire.from(site);
        let (least, more) = wire.class.delay();
        let mut delay = (least + self.numbers.below(more)) as i64;
        let packets = frame.len().div_ceil(PACKET_BYTES);
        let loss = wire.class.loss_percent();
        let lost = (0..packets).filter(|_| loss > 0 && self.numbers.chance(loss)).count();
        // A lost packet is sent again a round trip later.
        delay += lost as i64 * 2 * least as i64;
        wire.queued[way] += frame.len();
        let queued = wire.queued[way];
        if queued > QUEUED_MAX {
            self.breaks(site, &format!("{queued} bytes under way on one link"));
            return;
        }
        if stream == Stream::Bulk {
            wire.bulk[way] += frame.len();
            let under_way = wire.bulk[way];
            if under_way > BULK_IN_FLIGHT_BYTES_MAX + BULK_FRAME_BYTES_MAX {
                self.breaks(site, &format!("{under_way} bytes of runs under way in one session"));
                return;
            }
        }
        let at = wire.arrival(self.time.load(Ordering::Relaxed), way, stream, frame.len(), delay);
        let number = wire.number(way);
        if lost > 0 {
            *self.tally.entry("packet lost").or_default() += lost as u64;
        }
        self.agenda.plan(at, Due::Frame { link, to, stream, number, bytes: frame });
    }

    /// A frame has come.
    ///
    /// # Errors
    /// What does not hold where a link broke in the middle of a transfer.
    pub(super) fn arrive(
        &mut self,
        (link, number): (LinkId, u64),
        to: usize,
        stream: Stream,
        bytes: Vec<u8>,
    ) -> Result<(), String> {
        let Some(wire) = self.wires.get_mut(link) else {
            self.note("frame lost with its link");
            return Ok(());
        };
        let (_, back) = wire.from(to);
        wire.count(back, &bytes);
        let overtaken = wire.was_overtaken(1 - back, number);
        let ends = codec::decode(stream, &bytes).ok().filter(|_| stream == Stream::Control);
        if matches!(ends, Some(Message::End(EndReason::Store))) {
            wire.told_of_store = Some(to);
        }
        wire.queued[1 - back] -= bytes.len();
        if stream == Stream::Bulk {
            wire.bulk[1 - back] -= bytes.len();
        }
        *self.tally.entry("bytes over wires").or_default() += bytes.len() as u64;
        if overtaken {
            self.note("frame overtaken on the other stream");
        }
        self.with(to, |now, up| up.exchange.frame(now, &mut up.node, link, stream, bytes));
        if stream == Stream::Bulk && self.breaks_now(to) {
            let more = self.wires.get(link).is_some_and(|wire| wire.bulk[1 - back] > 0);
            self.note(if more { "link cut between two runs" } else { "link cut behind a run" });
            self.cut(link);
            return self.look_at_part(to);
        }
        Ok(())
    }

    /// A frame of runs came to a site: whether its link breaks behind it.
    fn breaks_now(&mut self, site: usize) -> bool {
        let Some(left) = self.sites[site].breaks_in.filter(|_| !self.healing) else { return false };
        self.sites[site].breaks_in = left.checked_sub(1);
        left == 0
    }

    pub(super) fn gone(&mut self, link: LinkId, to: usize, reason: EndReason) {
        if let Some(wire) = self.wires.remove(link) {
            self.lasted(&wire);
            self.with(to, |now, up| up.exchange.closed(now, &mut up.node, link, reason));
            self.dial_soon(to, 20 * SECOND);
        }
    }

    /// Whoever is refused tries later, and then elsewhere.
    fn lasted(&mut self, wire: &Wire) {
        let short = wire.faulty || self.now() - wire.since < REFUSED;
        self.backs_off(wire.ends[0], short);
    }

    fn backs_off(&mut self, site: usize, short: bool) {
        let refused = &mut self.sites[site].refused;
        *refused = if short { *refused + 1 } else { 0 };
    }

    /// Two that are well never break the rules towards each other; nor does one of them fall silent while
    /// all lines are good.
    fn faulted(&mut self, site: usize, link: LinkId, reason: EndReason) {
        let Some(wire) = self.wires.get_mut(link) else { return };
        wire.faulty |= reason.is_fault();
        let ends = wire.ends;
        if let Some(what) = hung_up_for(reason) {
            self.note(what);
        }
        let is_silent = self.healing && reason == EndReason::Stalled;
        let lies = ends.iter().any(|end| self.sites[*end].hostile);
        if (reason.is_fault() || is_silent) && !lies {
            let with = self.told_of(self.wires.get(link).map_or(site, |it| it.from(site).0));
            self.breaks(site, &format!("an honest link ends as {reason:?}, with {with}"));
        }
    }

    /// What was sent still arrives.
    fn hang_up(&mut self, site: usize, link: LinkId) {
        let now = self.now();
        let Some(wire) = self.wires.get_mut(link) else { return };
        let (to, way) = wire.from(site);
        if std::mem::replace(&mut wire.closing, true) {
            return;
        }
        let at = wire.empty_at(now, way) + 100;
        self.agenda.plan(at, Due::Gone { link, to, reason: EndReason::Lost });
        self.dial_soon(site, MINUTE);
    }

    /// A link breaks: what is on it is lost, and both ends learn it.
    pub(super) fn cut(&mut self, link: LinkId) {
        let Some(wire) = self.wires.remove(link) else { return };
        for end in wire.ends {
            self.with(end, |now, up| {
                up.exchange.closed(now, &mut up.node, link, EndReason::Lost);
            });
            self.dial_soon(end, 20 * SECOND);
        }
    }

    /// All links of a node break.
    pub(super) fn cut_all(&mut self, site: usize) {
        let links: Vec<LinkId> = self.wires.of(site).map(|(link, _)| link).collect();
        for link in links {
            self.cut(link);
        }
    }

    /// Who is let in is asked anew about every link.
    fn doors(&mut self, site: usize) {
        let Some(up) = &self.sites[site].up else { return };
        let authority = up.node.replica().authority();
        let shut = self.wires.of(site).filter(|(_, wire)| {
            let device = self.sites[wire.from(site).0].role.device();
            authority.member(&device).is_some_and(|it| it.state == MemberState::Revoked)
        });
        let links: Vec<LinkId> = shut.map(|(link, _)| link).collect();
        for link in links {
            self.note("revoked device put out");
            self.cut(link);
        }
    }

    /// A node dials soon, unless it is about to.
    pub(super) fn dial_soon(&mut self, site: usize, within: i64) {
        let dials = self.sites[site].role.above.is_some() && self.sites[site].up.is_some();
        if dials && !std::mem::replace(&mut self.sites[site].dialling, true) {
            let within = within.saturating_mul(1 << self.sites[site].refused.min(7)).min(HOUR);
            let later = self.numbers.below(usize::try_from(within).unwrap_or(1)) as i64;
            self.agenda.plan(self.now() + later, Due::Dial { site });
        }
    }

    pub(super) fn dial_due(&mut self, site: usize) {
        self.sites[site].dialling = false;
        let Some(mut above) = self.above(site) else { return };
        // A village that moved is refused by its old hub; hubs further up know where it belongs.
        for _ in 0..self.sites[site].refused % 3 {
            above = self.sites[above].role.above.unwrap_or(above);
        }
        let reachable = |site: usize| self.sites[site].up.is_some() && self.sites[site].line;
        if !reachable(site) {
            return;
        }
        if !reachable(above) {
            self.dial_soon(site, 5 * MINUTE);
            return;
        }
        let is_closing = self
            .wires
            .of(site)
            .find(|(_, wire)| wire.ends.contains(&above))
            .map(|(_, wire)| wire.closing);
        match is_closing {
            None => {
                let class = self.sites[site].class;
                self.join(site, above, class);
            }
            // Hung up here, and the other end hears of it in a moment: nothing else would dial again.
            Some(true) => {
                self.note("dialled while the link before was closing");
                self.dial_soon(site, 20 * SECOND);
            }
            Some(false) => {}
        }
    }

    /// Whether two nodes have a link.
    pub(super) fn linked(&self, one: usize, other: usize) -> bool {
        self.wires.of(one).any(|(_, wire)| wire.ends.contains(&other))
    }

    /// A link between two nodes that are on.
    pub(super) fn join(&mut self, from: usize, to: usize, class: Class) -> LinkId {
        let link = LinkId(self.next_link);
        self.next_link += 1;
        self.note("link");
        self.replace_links(from, to);
        self.wires.insert(link, Wire::new([from, to], class, self.now()));
        for (site, role, other) in [(from, Dialled::Initiator, to), (to, Dialled::Responder, from)]
        {
            let key = self.sites[other].role.keys.transport;
            let opened = Opened { link, key, role };
            self.with(site, |now, up| up.exchange.opened(now, &mut up.node, &opened));
        }
        link
    }

    /// A link of the same pair of keys takes the place of an older one, as the transport has it:
    /// copies of one card share their keys.
    fn replace_links(&mut self, from: usize, to: usize) {
        let key = |site: usize| self.sites[site].role.keys;
        let pair = BTreeSet::from([key(from), key(to)]);
        let same = |wire: &Wire| BTreeSet::from(wire.ends.map(key)) == pair;
        let near = self.wires.of(from).chain(self.wires.of(to));
        let old: BTreeSet<LinkId> =
            near.filter(|(_, wire)| same(wire)).map(|(link, _)| link).collect();
        for link in old {
            if let Some(wire) = self.wires.get(link) {
                let short = wire.faulty || self.now() - wire.since < REFUSED;
                let dialled = wire.ends[0];
                self.backs_off(dialled, short);
            }
            self.cut(link);
        }
    }
}

/// What is told of a link that a node ended, where that is not its day's work.
const fn hung_up_for(reason: EndReason) -> Option<&'static str> {
    match reason {
        EndReason::Stranger => Some("link ended: a stranger"),
        EndReason::NoRights => Some("link ended: no rights"),
        EndReason::NothingShared => Some("link ended: nothing shared"),
        EndReason::Stalled => Some("link ended: the peer fell silent"),
        EndReason::Store => Some("link ended: a store failed"),
        _ if reason.is_fault() => Some("link ended: a fault"),
        _ => None,
    }
}
