//! One virtual time: what happens is taken off the agenda one by one; nodes that go on and off.

use std::sync::atomic::Ordering;

use crdt_schema::area::Level;
use crdt_schema::time::Timestamp;
use node::live::{Act, Exchange, LinkId};
use node::node::Node;
use node::ports::ViewStore;
use node::sync::{EndReason, Table};

use super::ground::{HOUR, MINUTE, SECOND};
use super::plant::Port;
use super::stick::is_for_room;
use super::told;
use super::town::{Site, Town, Up};
use super::wire::Due;

/// Things that happen in one millisecond, at most.
const MOMENT_MAX: usize = 100_000;

impl Town {
    /// Takes what is due before `until`, until something breaks.
    ///
    /// # Errors
    /// What does not hold.
    pub(super) fn run(&mut self, until: i64) -> Result<(), String> {
        loop {
            let (wires, life) = (self.agenda.next_at(), self.life.next_at());
            let life = life.filter(|_| !self.healing);
            let is_life = match (wires, life) {
                (None, None) => break,
                (Some(_), None) => false,
                (None, Some(_)) => true,
                (Some(wires), Some(life)) => life < wires,
            };
            let next = if is_life { life } else { wires };
            if next.is_none_or(|at| at > until) {
                break;
            }
            let taken = if is_life { self.life.pop() } else { self.agenda.pop() };
            let Some((at, due)) = taken else { break };
            self.watch(at, &due)?;
            // While everything is mended, life stands still; what it planned comes later.
            self.time.fetch_max(at, Ordering::Relaxed);
            self.remember(at, &due);
            self.happen(due)?;
            if let Some(what) = self.broken.take() {
                return Err(what);
            }
        }
        self.time.fetch_max(until, Ordering::Relaxed);
        Ok(())
    }

    /// What happens goes into the digest.
    fn remember(&mut self, at: i64, due: &Due) {
        self.trace.update(&at.to_be_bytes());
        match due {
            Due::Frame { link, to, bytes, .. } => {
                self.trace.update(format!("{link:?} {to}").as_bytes());
                self.trace.update(bytes);
            }
            other => {
                self.trace.update(format!("{other:?}").as_bytes());
            }
        }
    }

    /// A moment has an end: nodes that wake each other without one would never rest.
    fn watch(&mut self, at: i64, due: &Due) -> Result<(), String> {
        if self.moment.0 != at {
            self.moment = (at, 0);
        }
        self.moment.1 += 1;
        if self.moment.1 < MOMENT_MAX {
            return Ok(());
        }
        Err(format!("at {at} ms: a moment without end, newest {due:?}"))
    }

    fn happen(&mut self, due: Due) -> Result<(), String> {
        match due {
            Due::Frame { link, to, stream, number, bytes } => {
                return self.arrive((link, number), to, stream, bytes);
            }
            Due::Gone { link, to, reason } => self.gone(link, to, reason),
            Due::Wake { site } => self.wake(site),
            Due::Dial { site } => self.dial_due(site),
            Due::Save { site } => self.save(site),
            Due::On { site } => return self.switch_on(site),
            Due::Off { site } => {
                self.check_receipts(site)?;
                self.switch_off(site);
            }
            Due::Window { site, open } => self.window(site, open),
            Due::Morning { site } => self.morning(site),
            Due::Courier { site } => return self.courier(site),
            Due::Round { site } => {
                self.plan_stick(site);
                return self.courier(site);
            }
            Due::Fault => return self.fault(),
            Due::Heal => return self.heal(),
        }
        Ok(())
    }

    /// A node starts.
    ///
    /// # Errors
    /// A store that does not open.
    pub(super) fn switch_on(&mut self, site: usize) -> Result<(), String> {
        let at = &self.sites[site];
        if at.up.is_some() || at.lost {
            return Ok(());
        }
        let up = match self.started(site) {
            Ok(up) => up,
            // A start writes too.
            Err(_) if self.sites[site].shelf.is_dead() => {
                self.note("power cut at a start");
                self.power_cut(site);
                return Ok(());
            }
            Err(_) if self.sites[site].shelf.has_refused() => {
                self.note("no start for want of room");
                self.comes_back(site, HOUR);
                return Ok(());
            }
            Err(what) => return Err(format!("site {site} does not start: {what}")),
        };
        self.sites[site].up = Some(up);
        self.sites[site].shelf.forget_refusals();
        self.withdrawn_after_all(site);
        self.check_saved(site)?;
        self.dial_soon(site, SECOND);
        Ok(())
    }

    fn started(&mut self, site: usize) -> Result<Up, String> {
        let at = &mut self.sites[site];
        let mut lent = at.shelf.lend().map_err(told)?;
        if let Some(plant) = self.config.plant {
            let port = Port {
                device: at.role.device(),
                is_hub: at.role.level() < Level::Desa,
                strangers: self.strangers.clone(),
            };
            lent = plant.over(lent, port);
        }
        let (feeds, views) = lent;
        let node = Node::lent(&at.loan, feeds, views).map_err(told)?;
        let exchange = Exchange::new(&node).map_err(told)?;
        Ok(Up { node, exchange, noted_at: None })
    }

    /// A node ends in good order.
    pub(super) fn switch_off(&mut self, site: usize) {
        self.with(site, |now, up| up.exchange.close(now, &mut up.node));
        self.sites[site].up = None;
        self.cut_all(site);
    }

    /// The power fails.
    pub(super) fn power_cut(&mut self, site: usize) {
        self.note("power cut");
        let Self { sites, numbers, .. } = self;
        let at = &mut sites[site];
        at.shelf.kill();
        at.up = None;
        if let Some(views) = at.shelf.revive(numbers) {
            self.note(views);
        }
        self.cut_all(site);
        let later = MINUTE + self.numbers.below(3_600_000) as i64;
        self.comes_back(site, later);
    }

    /// Somebody starts a node again that ended; soon, while everything is mended and life stands still.
    fn comes_back(&mut self, site: usize, later: i64) {
        let now = self.now();
        if self.healing {
            self.agenda.plan(now + MINUTE, Due::On { site });
        } else {
            self.life.plan(now + later, Due::On { site });
        }
    }

    /// Does something with a node that is on, and what follows from it.
    pub(super) fn with(&mut self, site: usize, work: impl FnOnce(Timestamp, &mut Up)) {
        let now = Timestamp(self.now());
        let Some(up) = self.sites[site].up.as_mut() else { return };
        up.node.mend();
        let arrived = up.node.replica().arrived();
        work(now, up);
        if self.sites[site].up.as_ref().is_some_and(|up| up.node.replica().arrived() != arrived) {
            self.news_at = now.0;
        }
        self.after(site);
    }

    /// Works off what a node wants done.
    pub(super) fn after(&mut self, site: usize) {
        let mut failed = None;
        self.had(site);
        let now = Timestamp(self.now());
        let next = |up: &mut Up| up.exchange.poll(now, &mut up.node);
        while let Some(act) = self.sites[site].up.as_mut().and_then(next) {
            if let Act::HangUp { link, reason: EndReason::Store } = &act
                && !self.told_by_peer(site, *link)
            {
                let peer = self.wires.get(*link).map(|wire| wire.from(site).0);
                let peer = peer.map(|peer| self.told_of(peer)).unwrap_or_default();
                failed = Some(format!("on {link:?} with {peer}"));
            }
            self.act(site, act);
        }
        let Site { up, shelf, .. } = &mut self.sites[site];
        let Some(up) = up.as_mut() else { return };
        let failure = up.exchange.take_failure();
        let failure = failure.map(|error| (is_for_room(&error), format!("{error:?}")));
        // A session ends without saying how its store failed.
        let failure = failure.or(failed.map(|how| (true, how)));
        let wake = up.exchange.wake_at().map(|at| at.0);
        // All of them are counted after each heal; this is after everything that happens.
        let tables: Vec<Table> = up.exchange.tables().filter(|table| table.held > 0).collect();
        // A store writes many rows on a thread of its own: whether the power is gone by now must not
        // hang on who is faster.
        if shelf.has_threads() {
            drop(up.node.replica().views().and_then(ViewStore::applied));
        }
        if let Err(what) = self.within_limits(site, tables) {
            self.breaks(site, &what);
        }
        if self.sites[site].shelf.is_dead() {
            self.note("power cut at a write");
            self.power_cut(site);
            return;
        }
        if let Some((for_room, why)) = failure {
            self.store_failed(site, for_room, &why);
        }
        if let Some(at) = wake.filter(|_| self.sites[site].up.is_some()) {
            self.wake_by(site, at);
        }
    }

    /// Whether a link ends because the other side said that its store failed: a liar says so, too.
    fn told_by_peer(&self, site: usize, link: LinkId) -> bool {
        self.wires.get(link).is_some_and(|wire| wire.told_of_store == Some(site))
    }

    /// A store that refused a write is read anew by the node that runs, or opened again by the person
    /// in front of it.
    pub(super) fn store_failed(&mut self, site: usize, for_room: bool, why: &str) {
        if for_room && self.sites[site].shelf.has_refused() {
            self.note("disk full");
            self.sites[site].refused_at = Some(self.now());
        } else {
            self.breaks(site, &format!("a store failed on a disk that works: {why}"));
        }
        let (mends, up) = (self.numbers.chance(50), &mut self.sites[site]);
        if up.shelf.reopens() && mends && up.up.as_mut().is_some_and(|up| up.node.mend()) {
            self.note("node mended itself");
            self.sites[site].shelf.forget_refusals();
            self.withdrawn_after_all(site);
            return;
        }
        self.note("node ended for want of room");
        self.sites[site].up = None;
        self.cut_all(site);
        let later = MINUTE + self.numbers.below(1_800_000) as i64;
        self.comes_back(site, later);
    }

    fn wake_by(&mut self, site: usize, at: i64) {
        let at = at.max(self.now());
        if self.sites[site].wake_at.is_none_or(|planned| at < planned) {
            self.sites[site].wake_at = Some(at);
            self.agenda.plan(at, Due::Wake { site });
        }
    }

    fn wake(&mut self, site: usize) {
        let now = self.now();
        if self.sites[site].wake_at.is_some_and(|at| at <= now) {
            self.sites[site].wake_at = None;
        }
        let due = self.sites[site].up.as_ref().and_then(|up| up.exchange.wake_at());
        if due.is_some_and(|at| at.0 <= now) {
            self.with(site, |now, up| up.exchange.tick(now, &mut up.node));
        } else if let Some(at) = due {
            self.wake_by(site, at.0);
        }
    }
}
