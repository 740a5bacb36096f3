//! Everything is mended, rests, and is then looked at by `check.rs`.

use std::collections::BTreeMap;

use super::ground::{DAY, HOUR, MINUTE};
use super::town::{Site, Town, Up};
use super::wire::{Class, Due};

/// Until all is quiet after a heal, at most.
const QUIET_MAX: i64 = 12 * HOUR;
/// Sticks there and back.
const STICKS: usize = 4;
/// And when a copy was on for a while: its news go up, and down to whoever has no line.
const TURN_STICKS: usize = 2;
/// And in the end until nobody learns anything by them: a newcomer of a village that had moved, certified
/// by who held it before, is heard at its hub late (seed 326), and its neighbours hear of it after that.
const STICKS_MORE_MAX: usize = 8;
/// Nothing under way, and no news for so long: quiet. Whoever was not reached is dialled again after
/// five minutes.
const QUIET: i64 = 10 * MINUTE;
/// The same where something is always under way.
const STILL: i64 = HOUR;

impl Town {
    /// Plans the next heal.
    pub(super) fn plan_heal(&mut self) {
        let each = self.config.heal_hours * 3_600_000;
        let later = each / 2 + self.numbers.below(each);
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
        self.all_are_well()?;
        self.check()?;
        self.unmend();
        // The last one has no moment behind it that would look.
        self.broken.take().map_or(Ok(()), Err)
    }

    /// Whoever is neither lost nor a copy is on, and its views follow its feeds: of others nothing is asked.
    fn all_are_well(&self) -> Result<(), String> {
        let copies = self.copies();
        let is_well = |site: &usize| {
            let it = &self.sites[*site];
            let up = it.up.as_ref();
            it.lost || copies.contains(site) || up.is_some_and(|up| !up.node.replica().is_ill())
        };
        match (0..self.sites.len()).find(|site| !is_well(site)) {
            Some(site) => Err(format!("off or ill when all is mended: {}", self.told_of(site))),
            None => Ok(()),
        }
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
            // Who was refused often would try again within the hour only, and all else be quiet before.
            (self.sites[site].refused, self.sites[site].dialling) = (0, false);
            self.dial_soon(site, MINUTE);
        }
        self.rest()?;
        self.hand_certificates()?;
        self.rest()?;
        self.confirm();
        self.carry_all(STICKS)?;
        self.take_turns(&copies)?;
        self.carry_the_rest()?;
        self.look_before_comparing()?;
        for proving in [false, true] {
            self.proving = proving;
            self.unequal.clear();
            self.arrived =
                self.on().into_iter().filter_map(|it| Some((it, self.arrived_at(it)?))).collect();
            for site in self.on() {
                self.with(site, |now, up| up.exchange.compare_all(now));
            }
            self.rest()?;
        }
        self.look_at_what_was_called_unequal();
        (self.proving, self.healing) = (false, false);
        for before in self.sites.iter_mut().filter_map(|it| it.before.as_mut()) {
            before.has_met = true;
        }
        Ok(())
    }

    /// A newcomer whose first stick came to nothing, or whose card was copied before that, gets another
    /// one: a device that does not know itself is let in nowhere. Whether there was any.
    fn hand_certificates(&mut self) -> Result<bool, String> {
        let mut any = false;
        for site in self.on() {
            let Site { role, up, .. } = &self.sites[site];
            let knows = |up: &Up| up.node.replica().authority().member(&role.device()).is_some();
            if role.certified && !up.as_ref().is_some_and(knows) {
                self.note("certificate handed over again");
                if let Some(above) = self.above(site) {
                    self.hand_over(above, site)?;
                    self.dial_soon(site, MINUTE);
                    any = true;
                }
            }
        }
        Ok(any)
    }

    /// Sticks for whoever has no line, until everybody has everything: a village that moved learns it
    /// by the first, gets to know its new hub by the second, and is heard there with the third; its
    /// neighbours have its news with the fourth.
    fn carry_all(&mut self, times: usize) -> Result<(), String> {
        let cut_off = |site: &usize| self.sites[*site].class == Class::None;
        let cut_off: Vec<usize> = self.on().into_iter().filter(cut_off).collect();
        for _ in 0..times {
            for site in &cut_off {
                self.courier(*site)?;
            }
            self.rest()?;
        }
        Ok(())
    }

    /// Sticks as long as they bring anybody anything.
    fn carry_the_rest(&mut self) -> Result<(), String> {
        for _ in 0..STICKS_MORE_MAX {
            let before = self.arrivals();
            self.carry_all(1)?;
            if self.arrivals() == before {
                break;
            }
        }
        Ok(())
    }

    /// Arrivals at all that are on.
    fn arrivals(&self) -> u64 {
        (0..self.sites.len()).filter_map(|site| self.arrived_at(site)).sum()
    }

    /// Of those with the same keys one is on at a time: each copy in its turn, and then the first again.
    fn take_turns(&mut self, copies: &[usize]) -> Result<(), String> {
        // By the first of them: itself, and its copies.
        let mut same: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for copy in copies {
            if let Some(first) = self.sites_of(&self.sites[*copy].role.device()).first() {
                same.entry(*first).or_default().push(*copy);
            }
        }
        let turns = same.values().map(Vec::len).max().unwrap_or(0);
        for turn in 0..turns {
            let at = |number: usize| {
                let due =
                    same.iter().filter_map(move |(first, all)| Some((*first, *all.get(number)?)));
                due.collect::<Vec<_>>()
            };
            for way in [at(turn), at(turn).into_iter().map(|(first, copy)| (copy, first)).collect()]
            {
                for (off, on) in way {
                    self.switch_off(off);
                    self.switch_on(on)?;
                }
                self.rest()?;
                if self.hand_certificates()? {
                    self.rest()?;
                }
                self.carry_all(TURN_STICKS)?;
                for copy in copies {
                    if self.sites[*copy].up.is_some() {
                        self.note("copy of a card looked at");
                        self.check_saved(*copy)?;
                        self.check_bounds(*copy)?;
                        // To whom all comes on sticks not all has come by now; and who was withdrawn after
                        // a move learns of neither from the hub it knows.
                        let Site { class, apart, .. } = &self.sites[*copy];
                        let learns = *class != Class::None && !apart;
                        if learns && self.alike_above(*copy)?.is_some() {
                            self.note("copy of a card as its hub");
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Lets time pass until nobody learns anything any more. Comparisons that bring nothing new go on:
    /// of a flood two nodes stay unequal.
    ///
    /// # Errors
    /// What does not hold; and that somebody always learns something.
    fn rest(&mut self) -> Result<(), String> {
        let end = self.now() + QUIET_MAX;
        let mut at = self.now();
        self.news_at = at;
        while at < end {
            at += MINUTE;
            self.run(at)?;
            let quiet = at - self.news_at;
            if quiet >= STILL || (quiet >= QUIET && self.agenda.frames == 0) {
                return Ok(());
            }
        }
        let (ago, frames) = (at - self.news_at, self.agenda.frames);
        Err(format!(
            "at {at} ms: no rest for {QUIET_MAX} ms; news {ago} ms ago, {frames} frames under way"
        ))
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

    /// A site in words, for who looks for a mistake.
    pub(super) fn told_of(&self, site: usize) -> String {
        let at = &self.sites[site];
        let copies = self.copies().contains(&site);
        let Some(up) = &at.up else { return format!("site {site}: off") };
        let state = up.node.replica().authority().member(&at.role.device()).map(|it| it.state);
        let links: Vec<usize> = self.wires.of(site).map(|(_, wire)| wire.from(site).0).collect();
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
}
