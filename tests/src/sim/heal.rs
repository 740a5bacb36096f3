//! Everything is mended, and then must hold: architecture section 8, items 1 to 4.

use std::collections::BTreeSet;

use crdt_schema::area::AreaId;
use crdt_schema::entry::ChainPoint;
use crdt_schema::id::{FeedId, Space};
use node::live::Event;
use node::ports::{FeedStore, RecordVerdict, RowFilter, ViewRow, ViewStore};
use node::sync::Root;

use crate::histories::oracle;

use super::ground::{DAY, HOUR, MINUTE};
use super::told;
use super::town::Town;
use super::wire::{Class, Due};

/// From one heal to the next, on average.
const EACH: usize = 26 * 3_600_000;
/// Until all is quiet after a heal, at most.
const QUIET_MAX: i64 = 12 * HOUR;
/// Sites up to which every root is noted.
const WATCHED_MAX: usize = 24;
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
        self.look_closely()
    }

    /// One node against what its feeds say, computed the plain way; every run it holds verified again;
    /// what it tells of its receipts against what the hubs hold.
    ///
    /// # Errors
    /// What does not hold.
    fn look_closely(&mut self) -> Result<(), String> {
        let honest: Vec<usize> =
            self.honest().into_iter().filter(|site| self.sites[*site].up.is_some()).collect();
        let Some(site) = honest.get(self.numbers.below(honest.len())).copied() else {
            return Ok(());
        };
        self.note("node looked at closely");
        let Some(up) = &self.sites[site].up else { return Ok(()) };
        let replica = up.node.replica();
        let villages = self.cast.villages();
        let statement = &self.cast.statement;
        let checked = match self.sites[site].shelf.truth() {
            Some(truth) => oracle::check_over(replica, &truth, statement, &villages, false),
            None => oracle::check_over(replica, replica.feed_store(), statement, &villages, false),
        };
        let named = |what| format!("site {site} looked at closely: {what}");
        checked.map(drop).map_err(named)?;
        verified(replica).map_err(named)?;
        for site in honest {
            self.check_receipts(site)?;
        }
        Ok(())
    }

    /// No node says that more has arrived than the hub holds.
    ///
    /// # Errors
    /// What was said.
    fn check_receipts(&self, site: usize) -> Result<(), String> {
        let Some(up) = &self.sites[site].up else { return Ok(()) };
        let me = self.sites[site].role.device();
        let own: Vec<FeedId> = up
            .node
            .replica()
            .feeds()
            .filter(|feed| feed.name.device == me && feed.name.space == Space::Records)
            .map(|feed| feed.name.id())
            .collect();
        for arrived in up.node.status().map_err(told)?.arrived {
            let hub = self.sites.iter().find(|it| it.role.device() == arrived.device);
            let Some(hub) = hub.and_then(|it| it.up.as_ref()) else { continue };
            let held = own.iter().filter_map(|feed| {
                let branches = &hub.node.replica().feed(*feed)?.branches;
                branches.iter().map(|branch| branch.head.point.seq).max()
            });
            let held: u64 = held.sum();
            if arrived.held > held {
                return Err(format!(
                    "site {site} says that {} of its entries arrived where {held} are held",
                    arrived.held
                ));
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
            // Of a village that moved away nothing is asked any more.
            let authority = theirs.authority();
            let covers = |held: &AreaId| authority.tree().covers(*held, area);
            if !authority.interest(&me).iter().any(covers)
                || !authority.may_serve(&me, Space::Records, area)
            {
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
                let (a, b) = (
                    mine.summary().counts(Space::Records, area),
                    theirs.summary().counts(Space::Records, area),
                );
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
            self.had(site);
            if seen.equal && !self.sites[site].hostile {
                self.check_equal(site, &seen);
            }
        }
    }

    /// Notes the roots a node has now: what it may have proved.
    pub(super) fn had(&mut self, site: usize) {
        if self.sites.len() > WATCHED_MAX {
            return;
        }
        let Self { sites, cast, roots, .. } = self;
        let Some(up) = &sites[site].up else { return };
        let summary = up.node.replica().summary();
        let hubs = cast.roles.iter().map(|role| role.area);
        for area in hubs {
            roots.insert((site, area, summary.root(area)));
        }
    }

    /// "Equal" is said of a root both had.
    fn check_equal(&mut self, site: usize, seen: &node::live::Seen) {
        if self.sites.len() > WATCHED_MAX {
            return;
        }
        let there: Vec<usize> = (0..self.sites.len())
            .filter(|other| self.sites[*other].role.device() == seen.peer)
            .collect();
        if there.iter().any(|other| self.sites[*other].hostile) {
            return;
        }
        for area in &seen.areas {
            let had =
                |site: usize| self.roots.contains(&(site, area.area.id(), Root(area.root_here.0)));
            if !had(site) || !there.iter().any(|other| had(*other)) {
                let what = format!("said equal of a root of {} not both had", area.area.id());
                self.breaks(site, what);
                return;
            }
        }
    }
}

/// Every run held is verified again: its chain, its signature, and that its device's certificate is
/// held.
fn verified<F: FeedStore, V: ViewStore>(
    replica: &node::replica::Replica<F, V>,
) -> Result<(), String> {
    let store = replica.feed_store();
    for feed in replica.feeds() {
        let id = feed.name.id();
        let key = replica.authority().signing_key(&feed.name.device);
        let key = key.ok_or("a feed of a device that nothing certifies")?;
        for branch in &feed.branches {
            let mut from = branch.from.map_or(1, |(_, shared)| shared + 1);
            while let Some(run) = store.packed_run(id, branch.branch, from).map_err(told)? {
                let block = run.block().map_err(told)?;
                let last = block.last();
                let prev = store.point(id, branch.branch, from - 1).map_err(told)?;
                let prev = prev.ok_or("a run without a beginning")?;
                let refs = store.back_refs(id, branch.branch);
                let opened = run.open_block(block, id, prev, &*refs).map_err(told)?;
                opened.verify(&key).map_err(told)?;
                from = last + 1;
            }
        }
    }
    Ok(())
}

fn rows<F: FeedStore, V: ViewStore>(
    replica: &node::replica::Replica<F, V>,
    area: AreaId,
) -> Result<Vec<ViewRow>, String> {
    // What waits or is quarantined lies outside roots, and is given to who may decide about it.
    let verdicts = BTreeSet::from([RecordVerdict::Counting]);
    let filter = RowFilter { areas: BTreeSet::from([area]), verdicts, ..RowFilter::default() };
    Ok(replica.views().map_err(told)?.list(&filter, None, usize::MAX, replica.feed_store()).map_err(told)?.1)
}
