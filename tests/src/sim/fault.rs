//! What goes wrong on a day like others: power, disks, lines, clocks, cards.

use std::collections::BTreeSet;

use crdt_schema::id::FeedName;
use node::answer::Takes;
use node::replica::{CARRYING_ENDS_BYTES, TAKING_IN_ENDS_BYTES};

use super::ground::{HOUR, MINUTE};
use super::limit::at_a_limit;
use super::town::Town;
use super::wire::Due;

/// Writes, lengths and syncs after which the power fails, at most: a save is about twenty.
const STEPS_MAX: usize = 120;
/// Frames of runs that come before a link breaks: a few saves, or the middle of a comparison.
const RUNS_MAX: usize = 12;

impl Town {
    /// Plans the next misfortune.
    pub(super) fn plan_fault(&mut self) {
        let apart = self.config.rates.apart / self.sites.len().max(1);
        let later = self.numbers.below(2 * apart.max(1)) as i64;
        self.life.plan(self.now() + later, Due::Fault);
    }

    /// Something goes wrong somewhere.
    ///
    /// # Errors
    /// What did not work.
    pub(super) fn fault(&mut self) -> Result<(), String> {
        self.plan_fault();
        let site = self.numbers.below(self.sites.len());
        match self.numbers.below(21) {
            0 => self.power(site),
            1 => self.power_at_a_write(site),
            2 => self.fill(site),
            3..=5 => self.line_breaks(site),
            6 => self.line_down(site),
            7 => self.clock_jumps(site),
            8 => self.sites[site].shelf.remember_views(),
            9 => self.neighbours(site),
            10 => self.restart(site)?,
            11 => self.back_up(site)?,
            12 => self.restore(site),
            13 => self.rare(site)?,
            14 => self.newcomer(site)?,
            15..=16 => self.confirm(),
            17..=19 => self.lie(),
            _ => self.send_stick(site),
        }
        Ok(())
    }

    /// Somebody who lies says something of its own.
    fn lie(&mut self) {
        let liars = self.sites.iter().enumerate().filter(|(_, it)| it.hostile && it.up.is_some());
        let liars: Vec<usize> = liars.map(|(site, _)| site).collect();
        if let Some(site) = liars.get(self.numbers.below(liars.len())) {
            self.attack(*site);
        }
    }

    /// What happens seldom to one device.
    fn rare(&mut self, site: usize) -> Result<(), String> {
        match self.numbers.below(7) {
            0..=2 => self.clone_card(site),
            3 => self.withdraw(site, false),
            4 => {
                let site = self.flooder().unwrap_or(site);
                self.withdraw(site, true)
            }
            5 => {
                self.lose(site);
                Ok(())
            }
            _ => self.move_village(),
        }
    }

    /// A village's device that brought its hub to a limit: it is looked at before others are.
    fn flooder(&self) -> Option<usize> {
        (0..self.sites.len()).find(|site| {
            let it = &self.sites[*site];
            let above = self.above(*site).and_then(|above| self.sites[above].up.as_ref());
            let limited = above.map(|above| at_a_limit(above.node.replica()));
            let is_at = |limited: BTreeSet<FeedName>| {
                limited.iter().any(|feed| feed.device == it.role.device())
            };
            it.hostile && !it.apart && self.is_village(*site) && limited.is_some_and(is_at)
        })
    }

    /// A village's device burns, drowns or is stolen, with all that nobody else holds; a hub has
    /// somebody who sets up another one, which is not played.
    fn lose(&mut self, site: usize) {
        if self.is_village(site) && !self.sites[site].lost {
            self.note("device lost for good");
            self.sites[site].up = None;
            self.sites[site].lost = true;
            self.cut_all(site);
        }
    }

    fn power(&mut self, site: usize) {
        if self.sites[site].up.is_some() {
            self.power_cut(site);
        }
    }

    fn power_at_a_write(&mut self, site: usize) {
        if self.sites[site].up.is_none() {
            return;
        }
        let steps = self.numbers.below(STEPS_MAX) as u64;
        let keeps = self.numbers.chance(50);
        if self.numbers.chance(80) {
            self.sites[site].shelf.cut_in(steps, keeps);
        } else {
            self.sites[site].shelf.cut_views_in(steps);
        }
        // Somebody is about to save.
        let soon = self.now() + MINUTE;
        self.life.plan(soon, Due::Save { site });
    }

    fn fill(&mut self, site: usize) {
        if self.sites[site].up.is_none() || self.sites[site].full {
            return;
        }
        // None, enough for own saves alone, or for the own area alone; a disk that cannot say how much
        // is left has a little.
        let nearly = self.numbers.chance(25);
        let room = if nearly {
            [TAKING_IN_ENDS_BYTES, CARRYING_ENDS_BYTES][self.numbers.below(2)] - 1
        } else {
            self.numbers.below(64 * 1024) as u64
        };
        let at = &mut self.sites[site];
        at.shelf.leave_room(Some(room));
        at.full = true;
        if nearly && at.up.as_ref().is_some_and(|up| up.node.takes() != Takes::Everything) {
            self.note("disk nearly full");
        }
    }

    /// Somebody makes room.
    pub(super) fn make_room(&mut self, site: usize) {
        if std::mem::take(&mut self.sites[site].full) {
            self.sites[site].shelf.leave_room(None);
        }
    }

    /// At once, or in the middle of what comes next.
    fn line_breaks(&mut self, site: usize) {
        if self.numbers.chance(50) {
            self.sites[site].breaks_in = Some(self.numbers.below(RUNS_MAX));
            return;
        }
        let links: Vec<_> = self.wires.of(site).map(|(link, _)| link).collect();
        if let Some(link) = links.get(self.numbers.below(links.len())) {
            self.note("link cut");
            self.cut(*link);
        }
    }

    fn line_down(&mut self, site: usize) {
        if self.sites[site].line && self.sites[site].role.above.is_some() {
            if self.sites[site].up.is_some() {
                self.note("line down for hours");
            }
            self.window(site, false);
            let later = self.now() + HOUR + self.numbers.below(4 * 3_600_000) as i64;
            self.life.plan(later, Due::Window { site, open: true });
        }
    }

    fn clock_jumps(&mut self, site: usize) {
        const YEARS: i64 = 3 * 365 * 24 * HOUR;
        let by = [0, -YEARS, YEARS, 5 * MINUTE][self.numbers.below(4)];
        let before = self.sites[site].clock.set_wrong_by(by);
        if self.sites[site].up.is_some() && before != by {
            self.note(if by == 0 { "clock set right" } else { "clock jumped" });
        }
    }

    /// Two offices below the same one find each other on a LAN.
    fn neighbours(&mut self, site: usize) {
        let above = self.above(site);
        let near: Vec<usize> = (0..self.sites.len())
            .filter(|other| *other != site && self.above(*other) == above)
            .filter(|other| self.sites[*other].up.is_some() && above.is_some())
            .collect();
        let Some(other) = near.get(self.numbers.below(near.len())).copied() else { return };
        if self.sites[site].up.is_some() && !self.linked(site, other) {
            self.note("neighbours met on a LAN");
            self.join(site, other, super::wire::Class::Good);
        }
    }

    fn restart(&mut self, site: usize) -> Result<(), String> {
        if self.sites[site].up.is_some() {
            self.switch_off(site);
            self.switch_on(site)?;
            if self.sites[site].up.is_some() {
                self.note("program ended and started");
            }
        }
        Ok(())
    }

    fn send_stick(&mut self, site: usize) {
        if self.sites[site].role.above.is_some() {
            self.life.plan(self.now(), Due::Courier { site });
        }
    }
}
