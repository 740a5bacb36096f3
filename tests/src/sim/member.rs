//! Who belongs, while the network lives: late joiners, closings, revocations, a village that moves.

use std::collections::BTreeSet;

use crdt_schema::area::{AreaId, AreaTree, Level};
use crdt_schema::authority::{Cut, FeedEnd, Payload, Revocation};
use crdt_schema::id::DeviceId;
use node::answer::{EntryRef, MemberState};
use node::authority::MemberState as Standing;
use node::error::NodeError;
use node::node::InviteAsk;

use super::cast::{Role, certificate};
use super::ground::{HOUR, MINUTE};
use super::told;
use super::town::Town;
use super::wire::Due;

/// The move: its old code and its new one.
const MOVE: [&str; 2] = ["32.09.39.2001", "32.09.21.2016"];

impl Town {
    /// Whether a site is a village's device.
    pub(super) fn is_village(&self, site: usize) -> bool {
        self.sites[site].role.level() == Level::Desa
    }

    /// A village gets one device more, by an invitation that somebody confirms later, or by a
    /// certificate its kecamatan writes.
    ///
    /// # Errors
    /// What did not work.
    pub(super) fn newcomer(&mut self, near: usize) -> Result<(), String> {
        let (Some(above), true) = (self.above(near), self.is_village(near)) else { return Ok(()) };
        let area = self.sites[near].role.area;
        let others = self.sites.iter().filter(|it| it.role.area == area).count();
        if self.sites[above].up.is_none() || others > 2 || self.waits_for_a_hub(above) {
            return Ok(());
        }
        // A certificate that a power cut left behind names keys of somebody who never came.
        let number = (1_000_000 + self.sites.len() as u64).max(self.newcomers_before + 1);
        self.newcomers_before = number;
        let role = Role::new(self.config.seed, number, area, Some(above));
        if self.numbers.chance(50) {
            self.invited(above, role.uncertified())
        } else {
            self.certified(above, role)
        }
    }

    fn certified(&mut self, above: usize, role: Role) -> Result<(), String> {
        let area = role.area;
        let payload = Payload::Certificate(certificate(&role));
        if !self.say(above, area, payload)? {
            self.named_besides.insert(role.device());
            return Ok(());
        }
        let site = self.settle_in(role)?;
        self.note("late joiner, certified");
        // Its certificate comes on a stick: a device that does not know itself is let in nowhere.
        self.switch_on(site)?;
        self.hand_over(above, site)?;
        self.begins(site);
        Ok(())
    }

    fn invited(&mut self, above: usize, role: Role) -> Result<(), String> {
        self.files += 1;
        let file = self.room.path().join(format!("{}.wksbm-undangan", self.files));
        let Some(up) = self.sites[above].up.as_mut() else { return Ok(()) };
        let tree = up.node.replica().authority().tree();
        let Some(code) = tree.code(role.area) else { return Ok(()) };
        let ask = InviteAsk {
            area: code.to_string(),
            rights: None,
            expires_ms: 7 * 24 * HOUR,
            counts_at_once: false,
            addresses: Vec::new(),
        };
        match up.node.invite(&ask, &file) {
            Ok(_) => self.with(above, |now, up| up.exchange.stirred(now, &mut up.node)),
            Err(error @ NodeError::Store { .. }) => {
                self.store_refused(above, &error);
                return Ok(());
            }
            Err(NodeError::AreaOutside { .. } | NodeError::AreaNotBelow { .. }) => return Ok(()),
            Err(error) => return Err(format!("an invitation failed: {error:?}")),
        }
        let mut shelf = self.shelf();
        let (loan, clock) = self.loan(&role);
        let (feeds, _) = shelf.lend().map_err(told)?;
        loan.join(feeds, &file).map_err(told)?;
        let line = self.line_of(&role);
        let device = role.device();
        let site = self.push_site(role, loan, clock, shelf, line);
        self.note("late joiner, invited");
        self.begins(site);
        if self.numbers.chance(80) {
            self.to_confirm.push((above, device));
        }
        Ok(())
    }

    fn begins(&mut self, site: usize) {
        self.life.plan(self.now() + MINUTE, Due::On { site });
        self.life.plan(self.now() + MINUTE, Due::Morning { site });
        for _ in 0..3 {
            let later = self.now() + 2 * MINUTE + self.numbers.below(3_600_000) as i64;
            self.life.plan(later, Due::Save { site });
        }
    }

    /// Somebody looks at who waits, and confirms.
    pub(super) fn confirm(&mut self) {
        for (above, device) in std::mem::take(&mut self.to_confirm) {
            let waits = self.waits_for_a_hub(above);
            let Some(up) = self.sites[above].up.as_mut().filter(|_| !waits) else {
                self.to_confirm.push((above, device));
                continue;
            };
            match up.node.confirm(&device.to_string()) {
                Ok(change) => {
                    self.note("confirmed");
                    if change.state != MemberState::Active {
                        self.breaks(above, "confirmed, and not active");
                    }
                    self.sites[above].saved.push(change.entry);
                    for waited in self.sites_of(&device).to_vec() {
                        self.sites[waited].role.certified = true;
                    }
                    self.with(above, |now, up| up.exchange.stirred(now, &mut up.node));
                }
                // It was not heard of yet, or only by a certificate of a liar for elsewhere; or the disk is full.
                Err(NodeError::DeviceUnknown { .. }) => self.to_confirm.push((above, device)),
                Err(NodeError::Usage { .. }) if self.named_elsewhere.contains_key(&device) => {
                    self.to_confirm.push((above, device));
                }
                Err(error @ NodeError::Store { .. }) => {
                    self.named_besides.insert(device);
                    self.to_confirm.push((above, device));
                    self.store_refused(above, &error);
                }
                // It moved meanwhile: its new hub may.
                Err(NodeError::AreaOutside { .. } | NodeError::AreaNotBelow { .. }) => {
                    let site = self.sites_of(&device).first();
                    let above = site.and_then(|site| self.above(*site)).unwrap_or(above);
                    self.to_confirm.push((above, device));
                }
                Err(error) => self.breaks(above, &format!("a confirmation failed: {error:?}")),
            }
        }
    }

    /// The level above closes a village's second device, or revokes it.
    ///
    /// # Errors
    /// What did not work.
    pub(super) fn withdraw(&mut self, site: usize, revoke: bool) -> Result<(), String> {
        let Some(above) = self.above(site) else { return Ok(()) };
        let role = self.sites[site].role.clone();
        let known = self.sites[above].up.as_ref().is_some_and(|up| {
            let member = up.node.replica().authority().member(&role.device());
            member.is_some_and(|it| it.state == Standing::Active)
        });
        if !self.is_village(site) || !known || self.waits_for_a_hub(above) {
            return Ok(());
        }
        let done = if revoke { self.revoke(above, &role)? } else { self.close(above, &role)? };
        if done {
            self.sets_apart(role.device());
        } else {
            self.perhaps_withdrawn.insert((above, role.device()));
            self.withdrawn_after_all(above);
        }
        Ok(())
    }

    fn sets_apart(&mut self, device: DeviceId) {
        for site in self.sites_of(&device).to_vec() {
            self.sites[site].apart = true;
        }
    }

    /// What a disk refused may be there when it is read anew: then somebody was withdrawn all the same.
    pub(super) fn withdrawn_after_all(&mut self, site: usize) {
        let Some(up) = &self.sites[site].up else { return };
        let authority = up.node.replica().authority().clone();
        let (here, elsewhere): (BTreeSet<_>, BTreeSet<_>) =
            std::mem::take(&mut self.perhaps_withdrawn).into_iter().partition(|it| it.0 == site);
        self.perhaps_withdrawn = elsewhere;
        for (_, device) in here {
            let state = authority.member(&device).map(|it| it.state);
            if matches!(state, Some(Standing::Closed | Standing::Revoked)) {
                self.note("device withdrawn by a word that a disk had refused");
                self.sets_apart(device);
            }
        }
    }

    pub(super) fn close(&mut self, above: usize, role: &Role) -> Result<bool, String> {
        let Some(up) = self.sites[above].up.as_mut() else { return Ok(false) };
        match up.node.close_member(&role.device().to_string()) {
            Ok(change) => {
                self.note("device closed");
                self.sites[above].saved.push(change.entry);
                self.with(above, |now, up| up.exchange.stirred(now, &mut up.node));
                Ok(true)
            }
            Err(error @ NodeError::Store { .. }) => {
                self.store_refused(above, &error);
                Ok(false)
            }
            Err(NodeError::AreaOutside { .. } | NodeError::AreaNotBelow { .. }) => Ok(false),
            Err(error) => Err(format!("a closing failed: {error:?}")),
        }
    }

    /// A revocation, and a cut that leaves a part of what is held.
    fn revoke(&mut self, above: usize, role: &Role) -> Result<bool, String> {
        let (device, area) = (role.device(), role.area);
        let Some(up) = self.sites[above].up.as_ref() else { return Ok(false) };
        let replica = up.node.replica();
        let feeds =
            replica.feeds().filter(|feed| feed.name.device == device && feed.name.area == area);
        let heads: Vec<_> =
            feeds.filter_map(|feed| Some((feed.name.id(), *feed.branches.first()?))).collect();
        let (mut ends, mut in_the_middle) = (Vec::new(), false);
        for (feed, branch) in heads {
            let newest = usize::try_from(branch.head.point.seq).map_err(told)?;
            let seq = 1 + self.numbers.below(newest) as u64;
            in_the_middle |= seq < branch.head.point.seq;
            let Some(up) = self.sites[above].up.as_ref() else { return Ok(false) };
            let point = node::ports::FeedStore::point(
                up.node.replica().feed_store(),
                feed,
                branch.branch,
                seq,
            );
            let Some(last) = point.map_err(told)? else { continue };
            ends.push(FeedEnd { feed, last });
        }
        let cut = Payload::Cut(Cut { device, ends });
        let revocation = Payload::Revocation(Revocation { device, reason: String::new() });
        if !self.say(above, area, revocation)? {
            return Ok(false);
        }
        self.note("device revoked");
        if self.say(above, area, cut)? {
            self.note(if in_the_middle { "cut" } else { "cut behind the newest entry" });
        }
        Ok(true)
    }

    /// An authority entry is written; false when the disk refused.
    pub(super) fn say(
        &mut self,
        site: usize,
        area: AreaId,
        payload: Payload,
    ) -> Result<bool, String> {
        let Some(up) = self.sites[site].up.as_mut() else { return Ok(false) };
        match up.node.say(area, payload, Vec::new()) {
            Ok(entry) => {
                self.sites[site].saved.push(EntryRef::from(&entry));
                self.with(site, |now, up| up.exchange.stirred(now, &mut up.node));
                Ok(true)
            }
            Err(error @ NodeError::Store { .. }) => {
                self.store_refused(site, &error);
                Ok(false)
            }
            Err(error) => Err(format!("authority could not be written: {error:?}")),
        }
    }

    /// Sambeng moves to the other kecamatan, by a word of the kabupaten.
    ///
    /// # Errors
    /// What did not work.
    pub(super) fn move_village(&mut self) -> Result<(), String> {
        if std::mem::replace(&mut self.moved, true) {
            return Ok(());
        }
        let kabupaten = self.sites.iter().position(|it| it.role.level() == Level::Kabupaten);
        let Some(site) = kabupaten else { return Ok(()) };
        let waits = self.waits_for_a_hub(site);
        let Some(up) = self.sites[site].up.as_mut().filter(|_| !waits) else {
            self.moved = false;
            return Ok(());
        };
        match up.node.rehome(MOVE[0], MOVE[1]) {
            Ok(change) => {
                self.note("village moved");
                self.sites[site].saved.push(change.entry);
                self.with(site, |now, up| up.exchange.stirred(now, &mut up.node));
                Ok(())
            }
            Err(error @ NodeError::Store { .. }) => {
                self.moved = false;
                self.store_refused(site, &error);
                Ok(())
            }
            // What a disk refused an hour ago was there when it was read anew.
            Err(NodeError::Usage { .. }) if has_moved(up.node.replica().authority().tree()) => {
                Ok(())
            }
            Err(error) => Err(format!("a move failed: {error:?}")),
        }
    }

    /// What a site dials: the hub of the area above its own, as far as it knows; while that is not
    /// known, the one it began with.
    pub(super) fn above(&self, site: usize) -> Option<usize> {
        let first = self.sites[site].role.above?;
        let parent = self.sites[site].up.as_ref().and_then(|up| {
            let tree = up.node.replica().authority().tree();
            tree.parent(self.sites[site].role.area)
        });
        let hub = parent.and_then(|parent| self.hubs.get(&parent).copied());
        Some(hub.unwrap_or(first))
    }
}

/// Whether the village that moves has its new code.
fn has_moved(tree: &AreaTree) -> bool {
    let bears = |area: &AreaId| tree.code(*area).is_some_and(|code| code.to_string() == MOVE[1]);
    tree.find(MOVE[0]).iter().any(bears)
}
