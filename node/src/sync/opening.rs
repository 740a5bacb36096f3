//! The opening: who is there, which areas both hold, and whether all is equal already.
//!
//! A device nobody here knows is asked, once, to show what certifies it: its own authority feeds
//! and those of the areas above, a few kilobytes. If it is still unknown then, the session ends.

use std::collections::BTreeSet;

use crdt_schema::area::AreaId;
use crdt_schema::entry::ChainPoint;
use crdt_schema::id::{DeviceId, EntryId, FeedName, Space};

use super::message::{
    AREAS_SHARED_MAX, EndReason, Message, Open, PASSES_MAX, PROTOCOL_VERSION, Pass, Proof, Reply,
    SharedArea,
};
use super::request::{Local, Report};
use super::session::{Compared, Phase, Role, Session, Step};
use super::summary::{Root, Summary, empty_root};
use crate::authority::MemberState;

/// Comparisons of one space before the two are called unequal: once, and twice with full hashes.
const TRIES_MAX: u8 = 3;

impl Session {
    pub(super) fn start(&mut self, local: &Local<'_>) -> Step {
        match self.role {
            Role::Initiator => self.open(local),
            Role::Responder => Ok(()),
        }
    }

    /// Says the first word, or says it again after something changed.
    pub(super) fn open(&mut self, local: &Local<'_>) -> Step {
        self.tries.opens += 1;
        if self.tries.opens > PASSES_MAX {
            self.rest(local);
            return Ok(());
        }
        let held = largest_first(local.authority.reach(&local.device));
        if held.is_empty() {
            return Err(EndReason::NoRights);
        }
        // What the peer will name as shared, if we know it; then ours, without which it names nothing.
        let mut areas = shared_areas(local, &self.peer);
        let others: Vec<AreaId> = held.into_iter().filter(|area| !areas.contains(area)).collect();
        areas.truncate(AREAS_SHARED_MAX.saturating_sub(others.len()));
        areas.extend(others);
        areas.truncate(AREAS_SHARED_MAX);
        let proof = |area: AreaId| (area, self.proof(local, area, local.device, self.peer));
        let open = Open {
            version: PROTOCOL_VERSION,
            certificate: certificate(local),
            instance: local.instance,
            areas: areas.into_iter().map(proof).collect(),
        };
        self.send(&Message::Open(open.clone()));
        self.opened = Some(open);
        Ok(())
    }

    fn proof(&self, local: &Local<'_>, area: AreaId, from: DeviceId, to: DeviceId) -> Proof {
        let authority = local.summary.authority_root(area);
        Proof::new(authority, self.record_root(local, area), from, to)
    }

    /// The root of the records, as far as this session is about them there: who is given none is told
    /// no root, and who is ended there itself has none to say, so that the two agree. Who may only write
    /// there says its own.
    pub(super) fn record_root(&self, local: &Local<'_>, area: AreaId) -> Root {
        if self.says_root(local, area) { local.summary.root(area) } else { empty_root() }
    }

    /// Whether equal roots say that the records of all shared areas are equal.
    pub(crate) fn compares_records(&self, local: &Local<'_>) -> bool {
        self.shared.iter().all(|area| self.says_root(local, *area))
    }

    fn says_root(&self, local: &Local<'_>, area: AreaId) -> bool {
        let authority = local.authority;
        let is_given = |device: &DeviceId| authority.may_serve(device, Space::Records, area);
        let counts = || authority.state_in(&local.device, area) == Some(MemberState::Active);
        self.is_about_records(local)
            && is_given(&self.peer)
            && (is_given(&local.device) || counts())
    }

    /// With a device that waits for confirmation only authority is compared.
    pub(super) fn is_about_records(&self, local: &Local<'_>) -> bool {
        let active = |device: &DeviceId| {
            local.authority.member(device).is_some_and(|it| it.state == MemberState::Active)
        };
        active(&local.device) && active(&self.peer)
    }

    pub(super) fn on_open(&mut self, local: &Local<'_>, open: Open) -> Step {
        if self.role != Role::Responder || self.pass.is_some() || self.opened.is_some() {
            return Err(EndReason::OutOfOrder);
        }
        if matches!(self.phase, Phase::Live { .. }) {
            // All that was begun is done.
            self.begin_anew();
        }
        self.tries.opens += 1;
        if self.tries.opens > PASSES_MAX {
            return Err(EndReason::TooMuch);
        }
        if open.version != PROTOCOL_VERSION {
            return Err(EndReason::Version);
        }
        self.meet(open.instance);
        self.opened = Some(open);
        if !self.knows_peer(local)? {
            return self.ask_certificate();
        }
        self.reply(local)
    }

    fn meet(&mut self, instance: crdt_schema::id::StoreInstance) {
        if self.peer_instance.replace(instance) != Some(instance) {
            self.report(Report::Peer(instance));
        }
    }

    /// Whether authority names the peer. Where the key of the connection is not the one it names, somebody
    /// speaks in another's name, and must hear nothing that the other may.
    fn knows_peer(&self, local: &Local<'_>) -> Result<bool, EndReason> {
        match local.authority.member(&self.peer) {
            None => Ok(false),
            Some(member) if self.is_behind(&member.keys) => Ok(true),
            Some(_) => Err(EndReason::Stranger),
        }
    }

    fn ask_certificate(&mut self) -> Step {
        if std::mem::replace(&mut self.asked_certificate, true) {
            return Err(EndReason::Stranger);
        }
        self.send(&Message::AskCertificate);
        Ok(())
    }

    fn reply(&mut self, local: &Local<'_>) -> Step {
        let Some(open) = self.opened.take() else { return Ok(()) };
        if local.authority.reach(&self.peer).is_empty() {
            return Err(EndReason::NoRights);
        }
        let theirs: BTreeSet<AreaId> = open.areas.iter().map(|(area, _)| *area).collect();
        let all = shared_areas(local, &self.peer);
        let (mut shared, beyond): (Vec<AreaId>, Vec<AreaId>) =
            all.into_iter().partition(|area| local.authority.learns(&theirs, *area));
        if shared.is_empty() {
            return Err(EndReason::NothingShared);
        }
        // Of what lies beyond its list it holds nothing, unless the list was full.
        let is_cut = theirs.len() >= AREAS_SHARED_MAX && !beyond.is_empty();
        let leaves_out = is_cut || shared.len() > AREAS_SHARED_MAX;
        shared.truncate(AREAS_SHARED_MAX);
        self.share(local, shared, leaves_out);
        let shared: Vec<SharedArea> =
            self.shared.iter().map(|area| self.shared_area(local, *area, &open)).collect();
        let equal = shared.iter().all(|shared| shared.authority.is_none());
        let (certificate, instance) = (certificate(local), local.instance);
        self.send(&Message::Reply(Reply {
            version: PROTOCOL_VERSION,
            certificate,
            instance,
            shared,
        }));
        self.phase = Phase::Comparing;
        if equal {
            let roots = self.all_roots(local);
            self.all_equal(local, &roots);
        }
        Ok(())
    }

    fn all_roots(&self, local: &Local<'_>) -> Vec<(Root, Root)> {
        let roots =
            |area: &AreaId| (local.summary.authority_root(*area), self.record_root(local, *area));
        self.shared.iter().map(roots).collect()
    }

    fn shared_area(&self, local: &Local<'_>, area: AreaId, open: &Open) -> SharedArea {
        let expected = self.proof(local, area, self.peer, local.device);
        let equal = open.areas.contains(&(area, expected));
        let authority = (!equal).then(|| local.summary.authority_root(area).cut());
        SharedArea { area, proof: self.proof(local, area, local.device, self.peer), authority }
    }

    fn share(&mut self, local: &Local<'_>, shared: Vec<AreaId>, leaves_out: bool) {
        let above = shared.iter().flat_map(|area| local.summary.tree().above(*area));
        self.above = above.collect();
        self.shared = shared;
        self.compared = if leaves_out { Compared::Part } else { Compared::All };
        self.their_roots.clear();
    }

    pub(super) fn on_reply(&mut self, local: &Local<'_>, reply: Reply) -> Step {
        if self.role != Role::Initiator || self.opened.is_none() {
            return Err(EndReason::OutOfOrder);
        }
        if reply.version != PROTOCOL_VERSION {
            return Err(EndReason::Version);
        }
        self.meet(reply.instance);
        self.replied = Some(reply);
        if !self.knows_peer(local)? {
            return self.ask_certificate();
        }
        self.compare_reply(local)
    }

    fn compare_reply(&mut self, local: &Local<'_>) -> Step {
        let Some(reply) = self.replied.take() else { return Ok(()) };
        self.opened = None;
        let mine: BTreeSet<AreaId> = shared_areas(local, &self.peer).into_iter().collect();
        let shared = reply.shared;
        let named: BTreeSet<AreaId> = shared.iter().map(|shared| shared.area).collect();
        let agreed = named.iter().all(|area| lies_in(local, *area, &mine));
        let is_given_up = !agreed && self.tries.authority >= TRIES_MAX;
        let mut areas: Vec<AreaId> = shared.iter().map(|shared| shared.area).collect();
        if is_given_up {
            // What both say is compared: its roots are not those of what the peer named.
            areas = common(local, &named, &mine);
            areas.truncate(AREAS_SHARED_MAX);
        }
        if areas.is_empty() {
            return Err(EndReason::NothingShared);
        }
        // Where the peer had room to name more, it holds no more of ours.
        let is_cut = named.len() >= AREAS_SHARED_MAX
            && !mine.iter().all(|area| lies_in(local, *area, &named));
        self.share(local, areas, is_cut || is_given_up);
        self.phase = Phase::Comparing;
        if !agreed {
            // Its authority knows of areas that ours does not give us: authority alone settles it, if
            // anything does.
            self.first_pass(local, false);
            return Ok(());
        }
        let holds = |shared: &SharedArea| {
            shared.proof == self.proof(local, shared.area, self.peer, local.device)
        };
        if shared.iter().all(holds) {
            let known_there = shared.iter().all(|shared| shared.authority.is_none());
            self.equal_by_reply(local, known_there);
            return Ok(());
        }
        if self.is_about_records(local) && self.try_since() {
            return Ok(());
        }
        let same = |shared: &SharedArea| {
            let mine = local.summary.authority_root(shared.area).cut();
            shared.authority.is_none_or(|theirs| theirs == mine)
        };
        let authority_equal = shared.iter().all(same);
        self.first_pass(local, authority_equal);
        Ok(())
    }

    /// All is equal by the responder's proof. Where it was shown none of ours, a pass without a word
    /// tells it the roots.
    fn equal_by_reply(&mut self, local: &Local<'_>, known_there: bool) {
        if known_there {
            let roots = self.all_roots(local);
            self.all_equal(local, &roots);
            return;
        }
        let space = if self.is_about_records(local) { Space::Records } else { Space::Authority };
        let pass = Pass { space, full: false, since: false };
        self.send(&Message::Pass(pass));
        self.begin_pass(pass, true);
    }

    /// Authority first; records only on equal authority, or when all was tried to make it so.
    fn first_pass(&mut self, local: &Local<'_>, authority_equal: bool) {
        let space = if authority_equal || self.tries.authority >= TRIES_MAX {
            Space::Records
        } else {
            Space::Authority
        };
        let tries = match space {
            Space::Authority => &mut self.tries.authority,
            Space::Records => &mut self.tries.records,
        };
        let full = *tries > 0;
        *tries += 1;
        if space == Space::Records
            && (self.tries.records > TRIES_MAX || !self.is_about_records(local))
        {
            self.rest(local);
            return;
        }
        let pass = Pass { space, full, since: false };
        self.send(&Message::Pass(pass));
        self.begin_pass(pass, true);
        self.describe_shared(local, space);
    }

    /// After a pass that did not end in equality: the opening again, on what is held now.
    pub(super) fn next_pass(&mut self, local: &Local<'_>) -> Step {
        self.open(local)
    }

    /// Stays, without equality.
    pub(super) fn rest(&mut self, local: &Local<'_>) {
        self.send(&Message::Stay);
        self.report(Report::Unequal);
        self.live(local, false);
    }

    pub(super) fn on_stay(&mut self, local: &Local<'_>) -> Step {
        // Live already is who saw all equal: the other side has learned something since it opened.
        let is_due = matches!(self.phase, Phase::Comparing | Phase::Live { .. });
        if self.role != Role::Responder || self.pass.is_some() || !is_due {
            return Err(EndReason::OutOfOrder);
        }
        self.report(Report::Unequal);
        self.live(local, false);
        Ok(())
    }

    pub(super) fn on_pass(&mut self, local: &Local<'_>, pass: Pass) -> Step {
        if self.role != Role::Responder || self.pass.is_some() {
            return Err(EndReason::OutOfOrder);
        }
        let served = pass.space == Space::Authority || self.is_about_records(local);
        if !served {
            return Err(EndReason::NoRights);
        }
        self.phase = Phase::Comparing;
        self.begin_pass(pass, false);
        if pass.since {
            self.say_since();
        }
        Ok(())
    }

    /// Shows what certifies this device: its area's own authority and that of the areas above.
    pub(super) fn on_ask_certificate(&mut self, local: &Local<'_>) -> Step {
        if std::mem::replace(&mut self.was_asked, true) {
            return Err(EndReason::TooMuch);
        }
        let grants = local.authority.member(&local.device).into_iter().flat_map(|it| &it.grants);
        let mut areas: BTreeSet<AreaId> = grants.map(|grant| grant.area).collect();
        let above: Vec<AreaId> =
            areas.iter().flat_map(|it| local.summary.tree().above(*it)).collect();
        areas.extend(above);
        for area in areas {
            let own = |name: &FeedName| name.device == local.device;
            let counting = feeds_of(local.summary, area).into_iter();
            let waiting = feeds_of(local.apart, area).into_iter().filter(|(name, _)| own(name));
            for (name, heads) in counting.chain(waiting).collect::<Vec<_>>() {
                self.queue_unchecked(local, name, heads, Vec::new());
            }
        }
        self.presenting = true;
        Ok(())
    }

    pub(super) fn on_presented(&mut self, sent: u64) -> Step {
        if !self.asked_certificate || self.presented.is_some() || self.phase != Phase::Opening {
            return Err(EndReason::OutOfOrder);
        }
        self.presented = Some(sent);
        Ok(())
    }

    /// Once all that was shown is durable: does it certify the peer?
    pub(super) fn judge_presented(&mut self, local: &Local<'_>) -> Step {
        if self.presented.is_none_or(|sent| self.bulk.received < sent) || !self.is_idle() {
            return Ok(());
        }
        self.presented = None;
        if !self.knows_peer(local)? {
            return Err(EndReason::Stranger);
        }
        match self.role {
            Role::Initiator => self.compare_reply(local),
            Role::Responder => self.reply(local),
        }
    }
}

fn feeds_of(summary: &Summary, area: AreaId) -> Vec<(FeedName, Vec<ChainPoint>)> {
    let feeds = summary.feeds(Space::Authority, area);
    feeds.map(|(_, held)| (held.name, held.heads.clone())).collect()
}

fn certificate(local: &Local<'_>) -> Option<EntryId> {
    let member = local.authority.member(&local.device)?;
    member.grants.iter().find_map(|grant| grant.since)
}

/// The largest areas this node and `peer` both hold, none within another. Others certify devices for
/// areas these never asked for, so it may be many: only what is sent is cut.
fn shared_areas(local: &Local<'_>, peer: &DeviceId) -> Vec<AreaId> {
    let [mine, theirs] = [&local.device, peer].map(|device| local.authority.reach(device));
    common(local, &mine, &theirs)
}

/// The largest areas that lie in one of each, none within another.
fn common(local: &Local<'_>, ones: &BTreeSet<AreaId>, others: &BTreeSet<AreaId>) -> Vec<AreaId> {
    let of_ones = ones.iter().filter(|area| lies_in(local, **area, others));
    let of_others = others.iter().filter(|area| lies_in(local, **area, ones));
    let both: BTreeSet<AreaId> = of_ones.chain(of_others).copied().collect();
    let is_largest =
        |area: &AreaId| !local.summary.upward(*area).iter().skip(1).any(|up| both.contains(up));
    largest_first(both.iter().copied().filter(is_largest))
}

fn largest_first(areas: impl IntoIterator<Item = AreaId>) -> Vec<AreaId> {
    let mut areas: Vec<AreaId> = areas.into_iter().collect();
    areas.sort_by_key(|area| (area.level(), *area));
    areas
}

/// Whether an area is one of `held`, or lies in one.
fn lies_in(local: &Local<'_>, area: AreaId, held: &BTreeSet<AreaId>) -> bool {
    local.summary.upward(area).iter().any(|up| held.contains(up))
}
