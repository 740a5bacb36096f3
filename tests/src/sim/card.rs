//! Cards that are cloned, and backups that are put back: the same device twice, or as it once was.

use std::collections::BTreeSet;

use super::ground::MINUTE;
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
        let same = self.sites.iter().filter(|it| it.role.keys == role.keys).count();
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
        if !self.is_village(site) || self.sites[site].lost {
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
        let Some((shelf, saved)) = self.sites[site].backup.take() else { return };
        self.note("backup restored");
        self.switch_off(site);
        self.sites[site].shelf = shelf;
        self.sites[site].saved = saved;
        self.sites[site].full = false;
        self.sites[site].retired.clear();
        self.life.plan(self.now() + MINUTE, Due::On { site });
        self.life.plan(self.now() + 2 * MINUTE, Due::Save { site });
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
