//! Cards that are cloned, and backups that are put back: the same device twice, or as it once was.

use std::collections::BTreeSet;

use crdt_schema::area::Level;
use crdt_schema::id::DeviceId;
use node::ports::FeedStore;

use super::ground::{MINUTE, hash};
use super::row::rows_of;
use super::shelf::Shelf;
use super::town::Town;
use super::wire::Due;

impl Town {
    /// Somebody copies the card of a village's device; both go on working.
    ///
    /// # Errors
    /// What did not work.
    pub(super) fn clone_card(&mut self, site: usize) -> Result<(), String> {
        let role = self.sites[site].role.clone();
        let same = self.sites_of(&role.device()).len();
        let at = &self.sites[site];
        if !self.is_village(site) || same > 1 || at.hostile || at.lost {
            return Ok(());
        }
        // A card is copied while its computer is off.
        let was_on = self.sites[site].up.is_some();
        self.switch_off(site);
        let shelf = self.sites[site].shelf.copy();
        if was_on {
            self.switch_on(site)?;
        }
        let copy = self.add_site(role, shelf);
        let (saved, apart) = (self.sites[site].saved.clone(), self.sites[site].apart);
        (self.sites[copy].saved, self.sites[copy].apart) = (saved, apart);
        self.note("card cloned");
        self.life.plan(self.now() + MINUTE, Due::On { site: copy });
        self.life.plan(self.now() + MINUTE, Due::Morning { site: copy });
        for writer in [site, copy] {
            self.life.plan(self.now() + 2 * MINUTE, Due::Save { site: writer });
        }
        Ok(())
    }

    /// Somebody makes a backup of a device that is off.
    ///
    /// # Errors
    /// What did not work.
    pub(super) fn back_up(&mut self, site: usize) -> Result<(), String> {
        if !(self.is_village(site) || self.hubs_go_back()) || self.sites[site].lost {
            return Ok(());
        }
        let was_on = self.sites[site].up.is_some();
        self.switch_off(site);
        let saved = self.sites[site].saved.clone();
        self.sites[site].backup = Some((self.sites[site].shelf.copy(), saved));
        self.note("backup made");
        if was_on { self.switch_on(site) } else { Ok(()) }
    }

    /// An old backup is put back in the place of what was there.
    pub(super) fn restore(&mut self, site: usize) {
        if self.sites[site].lost {
            return;
        }
        if !self.is_village(site) && self.sites[site].up.is_none() {
            return;
        }
        let Some((shelf, saved)) = self.sites[site].backup.take() else { return };
        self.note("backup restored");
        if !self.is_village(site) {
            self.note("hub put back");
            self.remember_before(site);
        }
        self.switch_off(site);
        self.sites[site].shelf = shelf;
        self.sites[site].saved = saved;
        self.sites[site].full = false;
        self.sites[site].retired.clear();
        self.sites[site].put_back += 1;
        self.life.plan(self.now() + MINUTE, Due::On { site });
        self.life.plan(self.now() + 2 * MINUTE, Due::Save { site });
    }

    /// Whether hubs, too, are put back here. Not drawn from the numbers: other towns live as they do
    /// without.
    fn hubs_go_back(&self) -> bool {
        let drawn = hash(&[b"hubs", &self.config.seed.to_be_bytes()])[0];
        usize::from(drawn) * 100 / 256 < self.config.hubs_back_percent
    }

    /// Rows of a hub that is about to be put back go backwards; and whoever does it knows that nobody
    /// saves there before another hub was met (`docs/storage.md`, 7).
    fn remember_before(&mut self, site: usize) {
        let Some(up) = &self.sites[site].up else { return };
        let replica = up.node.replica();
        let rows = rows_of(replica, replica.feed_store().instance()).unwrap_or_default();
        let mut before = self.sites[site].before.take().unwrap_or_default();
        for row in rows {
            let newest = before.counters.entry(row.key.area).or_default();
            *newest = row.counter.max(*newest);
        }
        (before.waits, before.has_met) = (true, false);
        self.sites[site].before = Some(before);
    }

    /// Whether a person waits with saving, for this hub was put back and met no other one yet.
    pub(super) fn waits_for_a_hub(&self, site: usize) -> bool {
        self.sites[site].before.as_ref().is_some_and(|before| before.waits)
    }

    /// A hub that was put back compared with another one until they were equal.
    pub(super) fn met(&mut self, site: usize, peer: &DeviceId) {
        let mut there = self.sites_of(peer).iter().map(|other| &self.sites[*other]);
        let is_hub = there.any(|it| !it.hostile && it.role.level() < Level::Desa);
        if let Some(before) = self.sites[site].before.as_mut().filter(|_| is_hub) {
            before.waits = false;
        }
    }

    /// How often a device began to go on by itself: at first, as a copy of its card, by a backup that was put
    /// back. So many may write in one incarnation, a branch each, until they hear of each other; and for
    /// each of them at most two leave one (ADR 0038).
    pub(super) fn lives(&self, device: &DeviceId) -> usize {
        self.sites_of(device).iter().map(|site| 1 + self.sites[*site].put_back).sum()
    }

    /// Sites with the same keys as another one.
    pub(super) fn copies(&self) -> Vec<usize> {
        let mut seen = BTreeSet::new();
        (0..self.sites.len()).filter(|site| !seen.insert(self.sites[*site].role.keys)).collect()
    }

    /// A second site on a shelf that exists.
    fn add_site(&mut self, role: super::cast::Role, shelf: Shelf) -> usize {
        let (loan, clock) = self.loan(&role);
        let line = self.line_of(&role);
        self.push_site(role, loan, clock, shelf, line)
    }
}
