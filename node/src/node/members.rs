//! Who belongs: invitations, confirmations, closings.

use std::collections::BTreeSet;
use std::path::Path;

use crdt_schema::area::{AreaId, Level};
use crdt_schema::authority::{
    Certificate, Closing, Confirmation, FeedEnd, Invitation, Limits, NAMES_MAX, Payload, Rights,
};
use crdt_schema::entry::{Entry, SigningSecret};
use crdt_schema::id::{DeviceId, EntryId, FeedName, Space};
use crdt_schema::time::Timestamp;
use crdt_schema::words::{eight_words, matches, parse_eight};

use super::invitation::InvitationFile;
use super::output::{Sort, must_be_writable};
use super::{Node, damaged};
use crate::answer::{self, AreaName, EntryRef, Invite, MemberChange, MemberList, When};
use crate::atomic;
use crate::authority::{Grant, Member, MemberState};
use crate::error::NodeError;
use crate::reason::{self, Because};
use crate::replica::{Author, Declaration, Leaving};

/// Bytes around a run's own in an invitation: its feed's name, its head, its signature.
const RUN_BYTES: usize = 256;
/// Bytes of an invitation beside the statement and the runs held before it: the invitation, twice,
/// for its own entry travels with it.
const INVITATION_BYTES: usize = 4_096;

/// Warns that a confirmation changed nothing.
const CONFIRMED_BEFORE: &str = "already_confirmed";
/// The warning about a device that was closed at an end which is not held here.
const END_NOT_HELD: &str = "end_not_held";

/// What `invite` asks for.
#[derive(Debug, Clone)]
pub struct InviteAsk {
    /// Code of the area the device will belong to.
    pub area: String,
    /// Rights with commas; what the level gets otherwise.
    pub rights: Option<String>,
    /// How long until a confirmer is warned, in milliseconds.
    pub expires_ms: i64,
    /// Whoever joins counts at once, open data only, until a closing says where that ends.
    pub counts_at_once: bool,
    /// Where the new device finds somebody; none: where this node and its hubs are known to be.
    pub addresses: Vec<String>,
}

impl Node {
    /// Writes an invitation for one device into `file`. It works with no connection.
    ///
    /// # Errors
    /// [`NodeError`] when this device may not certify there, the rights are none or not its own to
    /// give, it would expire at once, or a disk fails.
    pub fn invite(&mut self, ask: &InviteAsk, file: &Path) -> Result<Invite, NodeError> {
        must_be_writable(&self.folder, file, Sort::Invitation)?;
        let area = self.area(&ask.area)?;
        self.must_issue(area)?;
        let rights = match &ask.rights {
            None if area.level() == Level::Desa => Rights::desa(),
            None => Rights::above_desa(),
            Some(text) => text.parse().map_err(|_| NodeError::from(&reason::RIGHTS_WORD))?,
        };
        if rights == Rights::NONE {
            return Err((&reason::RIGHTS_NONE).into());
        }
        if ask.expires_ms <= 0 {
            return Err((&reason::EXPIRED_AT_ONCE).into());
        }
        self.must_hold(rights, area)?;
        let addresses = self.addresses_to_invite(&ask.addresses)?;
        let secret = self.env.random()?;
        let now = self.env.clock.now();
        let invitation = Invitation {
            key: SigningSecret::from_seed(&secret).public(),
            area,
            rights,
            expires_at: Timestamp(now.0.saturating_add(ask.expires_ms)),
            counts_at_once: ask.counts_at_once,
        };
        let failed = |error| NodeError::file("write", file, error);
        let reserved = atomic::reserve_private(file, self.invitation_bytes(area)?);
        let reserved = reserved.map_err(failed)?;
        let entry = self.declare(area, Payload::Invitation(invitation.clone()), Vec::new())?;
        let invitation = InvitationFile {
            statement: self.authority().statement().clone(),
            entry: entry.id,
            secret,
            addresses,
            authority: self.authority_runs(area)?,
            invitation,
        };
        reserved.write(&invitation.to_bytes()).map_err(failed)?;
        Ok(Invite {
            invitation: invitation.to_text(),
            file: file.display().to_string(),
            area: self.area_name(area),
            rights: rights.names().into_iter().map(str::to_owned).collect(),
            expires_at: Some(When(invitation.invitation.expires_at)),
            addresses: invitation.addresses,
        })
    }

    /// Bytes an invitation to `area` will hardly exceed; refused before anything is declared where no
    /// reader would take so many.
    fn invitation_bytes(&self, area: AreaId) -> Result<usize, NodeError> {
        let authority = self.authority_runs(area)?;
        let runs = authority.iter().flat_map(|(_, runs)| runs);
        let runs: usize = runs.map(|run| run.bytes.len() + RUN_BYTES).sum();
        let bytes = runs + self.authority().statement().as_bytes().len() + INVITATION_BYTES;
        if InvitationFile::may_be_read(bytes, &authority) {
            Ok(bytes)
        } else {
            Err((&reason::INVITATION_LARGE).into())
        }
    }

    /// Every device this node knows, by area, then by device.
    ///
    /// # Errors
    /// [`NodeError::Store`] of the disk.
    pub fn members(&self) -> Result<MemberList, NodeError> {
        let mut members = Vec::new();
        for (device, member) in self.authority().members() {
            let Some(grant) = member.grants.first() else { continue };
            members.push(answer::Member {
                device: *device,
                area: self.area_name(member.area().unwrap_or(grant.area)),
                rights: member.rights().names().into_iter().map(str::to_owned).collect(),
                state: member.state.into(),
                open_only: member.open_only,
                issuer: grant.issuer,
                since: grant.since.and_then(|entry| self.claimed_at(entry)).map(When),
                words: eight_words(device).map(str::to_owned).to_vec(),
            });
        }
        members.sort_by_key(|member| (member.area, member.device));
        Ok(MemberList { members })
    }

    /// Confirms a device that waits, named by its full id or its eight words. One that counts
    /// already stays as it is: the answer is the confirmation that is held, with a warning.
    ///
    /// # Errors
    /// [`NodeError`] when nobody waits under that name, this device may not confirm there or lacks a
    /// right it would give, another device was confirmed with the same invitation, or the disk fails.
    pub fn confirm(&mut self, who: &str) -> Result<MemberChange, NodeError> {
        let device = self.device_named(who)?;
        let member = self.known(device)?.clone();
        let (Some(invitation), Some(grant)) = self.asked_here(&device, &member) else {
            return Err((&reason::CONFIRM_NOBODY).into());
        };
        self.must_issue(grant.area)?;
        let used = self.authority().used_by(&invitation);
        if used.is_some_and(|used| used.contains(&device)) {
            let held = grant.since.and_then(|entry| self.replica.declared(entry));
            let Some(held) = held.filter(|_| member.state == MemberState::Active) else {
                return Err((&reason::CONFIRMED_AND_ENDED).into());
            };
            let entry = EntryRef { feed: held.feed.id(), seq: held.point.seq, id: held.point.id };
            return self.change(device, grant.area, entry, vec![CONFIRMED_BEFORE.to_owned()]);
        }
        if used.is_some_and(|used| !used.is_empty()) {
            return Err(NodeError::InvitationUsed);
        }
        let invited = self.authority().invitations().get(&invitation);
        let invited = invited.ok_or_else(|| NodeError::DeviceUnknown { device: who.to_owned() })?;
        self.must_hold(invited.invitation.rights, grant.area)?;
        let now = self.env.clock.now();
        let is_late = invited.invitation.expires_at < now;
        let certificate = Certificate {
            keys: member.keys,
            area: grant.area,
            rights: invited.invitation.rights,
            limits: Limits::default(),
            invited: None,
        };
        let area = grant.area;
        let payload = Payload::Confirmation(Confirmation { invitation, certificate });
        let entry = self.declare(area, payload, vec![invitation])?;
        let warnings = is_late.then(|| "invitation_expired".to_owned()).into_iter().collect();
        self.change(device, area, EntryRef::from(&entry), warnings)
    }

    /// What there is to confirm of a device: where it waits in an area this device may issue in, else
    /// what it was confirmed for.
    fn asked_here<'a>(
        &self,
        device: &DeviceId,
        member: &'a Member,
    ) -> (Option<EntryId>, Option<&'a Grant>) {
        let waits = self.authority().waits_in(device);
        let here = |grant: &&Grant| waits.contains_key(&grant.area) && self.may_issue(grant.area);
        let grant = member.grants.iter().find(here);
        let invitation = grant.and_then(|grant| waits.get(&grant.area)).copied();
        (invitation.or(member.invitation), grant.or_else(|| member.grants.first()))
    }

    fn may_issue(&self, area: AreaId) -> bool {
        self.must_issue(area).is_ok()
    }

    /// Closes a device by agreement: what this node holds of its feeds goes on counting, what it
    /// writes afterwards does not. A device may close itself, unless it is the last that may issue
    /// for its whole area, as the province's is: nothing brings that one back. One that is closed
    /// stays as it is: the answer is the closing that is held, with a warning where it names an end that is
    /// not, for what lies before that counts once it comes. To close it at what is held would lose that.
    ///
    /// # Errors
    /// [`NodeError`] when the device is not known, this device does not stand above it, or the
    /// disk fails.
    pub fn close_member(&mut self, who: &str) -> Result<MemberChange, NodeError> {
        let device = self.device_named(who)?;
        let member = self.known(device)?;
        let area = member.area().unwrap_or_else(|| self.own_area());
        let elsewhere = self.highest_of(member).into_iter().filter(|other| *other != area);
        let elsewhere: Vec<AreaId> = elsewhere.collect();
        if device != self.device() {
            for area in member.grants.iter().map(|grant| grant.area).collect::<Vec<_>>() {
                self.must_issue(area)?;
            }
        }
        if member.state == MemberState::Closed
            && let Some(closing) = self.replica.closing_of(&device)
        {
            let entry =
                EntryRef { feed: closing.feed.id(), seq: closing.point.seq, id: closing.point.id };
            let held = self.replica.holds_ends_of(&device);
            let held = held.map_err(|error| NodeError::store(&self.folder, error))?;
            let warnings = (!held).then(|| END_NOT_HELD.to_owned()).into_iter().collect();
            return self.change(device, area, entry, warnings);
        }
        for area in elsewhere.iter().chain([&area]) {
            self.must_leave_an_issuer(&device, *area)?;
        }
        let feeds = self.replica.feeds().filter(|feed| feed.name.device == device);
        let end = |feed: &crate::ports::FeedHeads| {
            let heads = feed.branches.iter().map(|branch| branch.head.point);
            heads.max().map(|last| FeedEnd { feed: feed.name.id(), last })
        };
        let ends: Vec<FeedEnd> = feeds.filter_map(end).collect();
        if ends.len() > NAMES_MAX {
            return Err(Because::of(&reason::CLOSE_FEEDS).with("most", NAMES_MAX).into());
        }
        let closing = Payload::Closing(Closing { device, ends });
        let entry = self.declare(area, closing.clone(), Vec::new())?;
        for area in elsewhere {
            self.declare(area, closing.clone(), Vec::new())?;
        }
        self.change(device, area, EntryRef::from(&entry), Vec::new())
    }

    /// Areas of a device's certificates that no other of them covers: what is said in one is heard in
    /// all below it, and nowhere else (ADR 0026).
    fn highest_of(&self, member: &Member) -> BTreeSet<AreaId> {
        let areas: BTreeSet<AreaId> = member.grants.iter().map(|grant| grant.area).collect();
        let covered = |area: &AreaId| {
            areas.iter().any(|other| other != area && self.tree().covers(*other, *area))
        };
        areas.iter().copied().filter(|area| !covered(area)).collect()
    }

    /// Refuses to close the last device that may issue for all of `area`.
    fn must_leave_an_issuer(&self, device: &DeviceId, area: AreaId) -> Result<(), NodeError> {
        let authority = self.authority();
        let is_issuer = |device: &DeviceId| authority.may(device, Rights::ISSUE, area);
        let mut others = authority.members().map(|(other, _)| other).filter(|it| *it != device);
        if is_issuer(device) && !others.any(is_issuer) {
            let area = self.area_said(area);
            return Err(Because::of(&reason::CLOSE_LAST).with("area", area).into());
        }
        Ok(())
    }

    fn change(
        &self,
        device: DeviceId,
        area: AreaId,
        entry: EntryRef,
        warnings: Vec<String>,
    ) -> Result<MemberChange, NodeError> {
        let state = self.known(device)?.state.into();
        let area = self.area_name(area);
        Ok(MemberChange { device, area, state, entry, warnings })
    }

    /// Writes one authority entry, durable when this returns.
    pub(super) fn declare(
        &mut self,
        area: AreaId,
        payload: Payload,
        deps: Vec<EntryId>,
    ) -> Result<Entry, NodeError> {
        self.must_be_whole()?;
        let author = Author { device: self.keys.device(), key: self.keys.signing() };
        let claimed_at = self.env.clock.now();
        let declaration = Declaration { area, payload, deps, claimed_at };
        let entry = self.replica.declare(&author, &declaration);
        let entry = entry.map_err(|error| NodeError::store(&self.folder, error))?;
        if self.replica.is_heard_out(area, &entry) {
            self.replica.abandon();
            let area = self.area_said(area);
            return Err(Because::of(&reason::AUTHORITY_FULL).with("area", area).into());
        }
        self.commit_own()?;
        Ok(entry)
    }

    /// This device's certificate still counts, and what it wrote before is whole.
    pub(super) fn must_be_whole(&self) -> Result<(), NodeError> {
        let area = self.area_said(self.own_area());
        match self.me().map(|me| me.state) {
            None => Err(NodeError::NoCertificate { area }),
            Some(MemberState::Closed | MemberState::Revoked) => Err(NodeError::Revoked { area }),
            Some(MemberState::Active | MemberState::Provisional) => self.own_must_be_whole(),
        }
    }

    /// This device may certify in an area: it may issue, stands above the area, and covers it.
    pub(super) fn must_issue(&self, area: AreaId) -> Result<(), NodeError> {
        self.must_be_whole()?;
        let asked = self.area_said(area);
        let own = self.area_said(self.own_area());
        let Some(me) = self.me() else { return Err(NodeError::NoCertificate { area: asked }) };
        if !me.rights().has(Rights::ISSUE) {
            return Err(NodeError::NoRight { right: Rights::ISSUE.to_string(), area: own });
        }
        if !me.grants.iter().any(|grant| self.tree().covers(grant.area, area)) {
            return Err(NodeError::AreaOutside { area: asked, own });
        }
        if area.level() <= me.level() {
            return Err(NodeError::AreaNotBelow { area: asked, own });
        }
        if self.authority().may(&self.device(), Rights::ISSUE, area) {
            Ok(())
        } else {
            Err(NodeError::NoRight { right: Rights::ISSUE.to_string(), area: asked })
        }
    }

    /// Whether this device may confirm another that waits in an area.
    pub fn may_confirm_in(&self, area: &AreaName) -> bool {
        self.may_issue(area.id())
    }

    /// This device holds every right it gives in an area. What a desa carries of its parent lies
    /// within what whoever stands above it carries.
    fn must_hold(&self, rights: Rights, area: AreaId) -> Result<(), NodeError> {
        for name in rights.names() {
            let Ok(right) = name.parse::<Rights>() else { continue };
            let needed = if right == Rights::CARRY_PARENT { Rights::CARRY } else { right };
            if !self.authority().may(&self.device(), needed, area) {
                let area = self.area_said(area);
                return Err(NodeError::NoRight { right: needed.to_string(), area });
            }
        }
        Ok(())
    }

    /// A device by its full id or its eight words: never by a prefix, for a stranger may try.
    pub(super) fn device_named(&self, who: &str) -> Result<DeviceId, NodeError> {
        let known = || self.authority().members().map(|(device, _)| *device);
        let named: Vec<DeviceId> = match (who.trim().to_ascii_lowercase().parse(), parse_eight(who))
        {
            (Ok(device), _) => known().filter(|known| *known == device).collect(),
            (Err(_), Some(words)) => known().filter(|known| matches(known, &words)).collect(),
            (Err(_), None) => Vec::new(),
        };
        match named.as_slice() {
            [device] => Ok(*device),
            _ => Err(NodeError::DeviceUnknown { device: who.to_owned() }),
        }
    }

    fn known(&self, device: DeviceId) -> Result<&Member, NodeError> {
        let member = self.authority().member(&device);
        member.ok_or_else(|| NodeError::DeviceUnknown { device: device.to_string() })
    }

    /// The claimed time of an authority entry.
    fn claimed_at(&self, entry: EntryId) -> Option<Timestamp> {
        self.replica.authority_claimed_at(entry)
    }

    /// Every run of the authority that a device of `area` rests on, feeds of higher levels first.
    fn authority_runs(
        &self,
        area: AreaId,
    ) -> Result<Vec<(FeedName, Vec<crdt_schema::entry::PackedRun>)>, NodeError> {
        let tree = self.tree();
        let above = tree.above(area);
        let belongs = |name: &FeedName| {
            name.space == Space::Authority
                && (tree.covers(area, name.area) || above.contains(&name.area))
        };
        let mut feeds: Vec<_> = self.replica.feeds().filter(|feed| belongs(&feed.name)).collect();
        feeds.sort_by_key(|feed| (feed.name.area.level(), feed.name.id()));
        let mut all = Vec::new();
        for feed in feeds {
            let mut runs = Vec::new();
            for branch in &feed.branches {
                let mut from = branch.from.map_or(1, |(_, shared)| shared + 1);
                while from <= branch.head.point.seq {
                    let run = self.replica.leaving(feed.name.id(), branch.branch, from);
                    match run.map_err(|error| self.store_error(error))? {
                        Leaving::Whole { run, last } => {
                            from = last + 1;
                            runs.push(run);
                        }
                        Leaving::Damaged { what, .. } => {
                            return Err(self.store_error(damaged(&what)));
                        }
                        Leaving::Nothing => break,
                    }
                }
            }
            all.push((feed.name, runs));
        }
        Ok(all)
    }
}
