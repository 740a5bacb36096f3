//! Everything is mended, and then must hold: architecture section 8, items 1 to 4.

use std::collections::BTreeSet;

use crdt_schema::area::AreaId;
use crdt_schema::entry::ChainPoint;
use crdt_schema::id::Space;
use node::live::Event;
use node::ports::{RowFilter, ViewRow, ViewStore};

use super::ground::{DAY, HOUR, MINUTE};
use super::town::Town;
use super::told;
use super::wire::{Class, Due};

/// From one heal to the next, on average.
const EACH: usize = 26 * 3_600_000;
/// Until all is quiet after a heal, at most.
const QUIET_MAX: i64 = 12 * HOUR;
/// Nothing under way, and nothing planned for so long: quiet.
const QUIET: i64 = 10 * MINUTE;

impl Town {
    /// Plans the next heal.
    pub(super) fn plan_heal(&mut self) {
        let later = EACH / 2 + self.numbers.below(EACH);
        self.life.plan(self.now() + later as i64, Due::Heal);
    }

    /// Mends everything, waits until it is quiet, and looks.
    ///
    /// # Errors
    /// What does not hold.
    pub(super) fn heal(&mut self) -> Result<(), String> {
        self.note("heal");
        self.plan_heal();
        self.mend()?;
        self.check()?;
        self.unmend();
        Ok(())
    }

    /// All power, room and lines are back; sticks go where there is no line.
    ///
    /// # Errors
    /// What did not work.
    pub(super) fn mend(&mut self) -> Result<(), String> {
        self.healing = true;
        let copies = self.copies();
        for site in 0..self.sites.len() {
            self.sites[site].shelf.calm();
            self.make_room(site);
            if copies.contains(&site) {
                self.switch_off(site);
            } else {
                self.switch_on(site)?;
            }
            if self.sites[site].class != Class::None {
                self.sites[site].line = true;
            }
            self.dial_soon(site, MINUTE);
        }
        self.rest()?;
        self.confirm();
        self.carry_all()?;
        for copy in copies {
            self.take_turns(copy)?;
        }
        for site in self.on() {
            self.with(site, |now, up| up.exchange.compare_all(now));
        }
        self.rest()?;
        self.healing = false;
        Ok(())
    }

    /// Sticks for whoever has no line, twice: what goes up the first time comes down the second.
    fn carry_all(&mut self) -> Result<(), String> {
        let cut_off = |site: &usize| self.sites[*site].class == Class::None;
        let cut_off: Vec<usize> = self.on().into_iter().filter(cut_off).collect();
        for _ in 0..2 {
            for site in &cut_off {
                self.courier(*site)?;
            }
            self.rest()?;
        }
        Ok(())
    }

    /// Of two with the same keys one is on at a time: the copy, and then the first again.
    fn take_turns(&mut self, copy: usize) -> Result<(), String> {
        let keys = self.sites[copy].role.keys;
        let first = self.sites.iter().position(|it| it.role.keys == keys);
        for (off, on) in first.into_iter().flat_map(|first| [(first, copy), (copy, first)]) {
            self.switch_off(off);
            self.switch_on(on)?;
            self.rest()?;
            self.carry_all()?;
        }
        Ok(())
    }

    /// Lets time pass until nothing is under way.
    fn rest(&mut self) -> Result<(), String> {
        let end = self.now() + QUIET_MAX;
        let mut at = self.now();
        while at < end {
            at += MINUTE;
            self.run(at)?;
            let near = self.agenda.next_at().is_some_and(|next| next < at + QUIET);
            if self.agenda.frames == 0 && !near {
                return Ok(());
            }
        }
        self.note("not quiet in time");
        Ok(())
    }

    /// Whoever was off goes off again, weak lines end.
    fn unmend(&mut self) {
        let hour = self.now() % DAY;
        let open = (8 * HOUR..15 * HOUR).contains(&hour);
        for site in 0..self.sites.len() {
            if !self.sites[site].always_on && !open {
                self.switch_off(site);
            }
            if self.sites[site].class == Class::Weak {
                self.window(site, false);
            }
        }
    }

    /// What every honest node must show now.
    ///
    /// # Errors
    /// What does not hold.
    pub(super) fn check(&mut self) -> Result<(), String> {
        for site in self.on() {
            self.check_saved(site)?;
        }
        for site in self.honest() {
            if self.sites[site].up.is_none() {
                continue;
            }
            if let Some(above) = self.above(site) {
                self.alike(site, above).map_err(|what| {
                    let (one, other) = (self.told_of(site), self.told_of(above));
                    format!("at {} ms, after a heal: {what}\n  {one}\n  {other}", self.now())
                })?;
            }
        }
        Ok(())
    }

    /// A site in words, for who looks for a mistake.
    pub(super) fn told_of(&self, site: usize) -> String {
        let at = &self.sites[site];
        let copies = self.copies().contains(&site);
        let Some(up) = &at.up else { return format!("site {site}: off") };
        let state = up.node.replica().authority().member(&at.role.device()).map(|it| it.state);
        let links: Vec<usize> = self
            .wires
            .values()
            .filter(|wire| wire.ends.contains(&site))
            .map(|wire| wire.from(site).0)
            .collect();
        let met: Vec<String> = up
            .exchange
            .recent()
            .take(3)
            .map(|seen| format!("{} equal {} {:?}", seen.peer, seen.equal, seen.reason))
            .collect();
        format!(
            "site {site} {} of {}, {state:?}, {:?}, copy {copies}, links {links:?}, met {met:?}",
            at.role.device(),
            at.role.area,
            at.class
        )
    }

    /// Two nodes hold the same of every area both serve.
    fn alike(&self, site: usize, other: usize) -> Result<(), String> {
        let (Some(mine), Some(theirs)) = (&self.sites[site].up, &self.sites[other].up) else {
            return Ok(());
        };
        let (mine, theirs) = (mine.node.replica(), theirs.node.replica());
        let me = self.sites[site].role.device();
        for area in self.cast.villages() {
            let authority = theirs.authority();
            if !authority.may_serve(&me, Space::Records, area) {
                continue;
            }
            let roots = |replica: &node::replica::Replica<_, _>| {
                (replica.summary().authority_root(area), replica.summary().root(area))
            };
            let ((my_authority, my_root), (their_authority, their_root)) =
                (roots(mine), roots(theirs));
            if my_authority != their_authority {
                return Err(format!("authority roots of {area} differ"));
            }
            if my_root != their_root {
                let (a, b) = (mine.summary().counts(Space::Records, area), theirs.summary().counts(Space::Records, area));
                return Err(format!("roots of {area} differ: {a:?} {b:?}"));
            }
            let (mine, theirs) = (rows(mine, area)?, rows(theirs, area)?);
            if mine != theirs {
                return Err(format!("rows of {area} differ: {} and {}", mine.len(), theirs.len()));
            }
        }
        Ok(())
    }

    /// What a node said was saved is there.
    ///
    /// # Errors
    /// What is not.
    pub(super) fn check_saved(&self, site: usize) -> Result<(), String> {
        let at = &self.sites[site];
        let Some(up) = &at.up else { return Ok(()) };
        for saved in &at.saved {
            let point = ChainPoint { seq: saved.seq, id: saved.id };
            let held = up.node.replica().branch_of(saved.feed, point).map_err(told)?;
            if held.is_none() {
                return Err(format!("site {site}: a save that was acknowledged is gone"));
            }
        }
        Ok(())
    }

    /// What a node tells is true.
    pub(super) fn hear(&mut self, site: usize, event: Event) {
        if let Event::Session(seen) = event {
            self.note(if seen.equal { "comparison equal" } else { "comparison not equal" });
            let unequal = |area: &node::live::SeenArea| {
                area.root_there.is_some_and(|there| there != area.root_here)
            };
            if seen.equal && seen.areas.iter().any(unequal) {
                self.breaks(site, "said equal of roots that differ".to_owned());
            }
        }
    }
}

fn rows<F: node::ports::FeedStore, V: ViewStore>(
    replica: &node::replica::Replica<F, V>,
    area: AreaId,
) -> Result<Vec<ViewRow>, String> {
    let filter = RowFilter { areas: BTreeSet::from([area]), ..RowFilter::default() };
    Ok(replica.views().map_err(told)?.list(&filter, None, usize::MAX).map_err(told)?.1)
}
