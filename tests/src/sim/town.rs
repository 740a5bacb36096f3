//! Every node, every wire, one virtual time: what happens is taken off the agenda one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crdt_schema::area::{AreaId, AreaTree, Level};
use crdt_schema::id::{DeviceId, RecordId, StoreInstance};
use crdt_schema::record::Schema;
use crdt_schema::testing::Numbers;
use crdt_schema::time::Timestamp;
use node::answer::EntryRef;
use node::live::{Act, Exchange, LinkId, Opened};
use node::node::{Environment, Loan, Node};
use node::sync::message::{BULK_FRAME_BYTES_MAX, BULK_IN_FLIGHT_BYTES_MAX};
use node::sync::{EndReason, Role as Dialled, Root, Stream};
use tempfile::TempDir;

use super::Config;
use super::cast::{Cast, Role};
use super::ground::{HOUR, MINUTE, SECOND, SimClock, SimEntropy, Time, hash};
use super::shelf::Shelf;
use super::wire::{Agenda, Class, Due, Wire};
use super::{Tally, told};

/// Things that happen in one millisecond, at most.
const MOMENT_MAX: usize = 100_000;
/// A link that did not stand so long was refused.
const REFUSED: i64 = 5 * SECOND;
/// Bytes of a packet.
const PACKET_BYTES: usize = 1_200;

/// One node, on or off.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) role: Role,
    pub(super) loan: Loan,
    pub(super) clock: Arc<SimClock>,
    pub(super) shelf: Shelf,
    pub(super) class: Class,
    pub(super) always_on: bool,
    /// Whether its line works now.
    pub(super) line: bool,
    pub(super) up: Option<Up>,
    /// When it is to be woken.
    wake_at: Option<i64>,
    dialling: bool,
    /// Links in a row that did not last.
    refused: u32,
    /// What it said was saved.
    pub(super) saved: Vec<EntryRef>,
    /// Burnt, stolen, drowned: never on again.
    pub(super) lost: bool,
    /// Closed, revoked or a copy: others need not agree with it.
    pub(super) apart: bool,
    pub(super) hostile: bool,
    /// No room on its disk.
    pub(super) full: bool,
    /// A backup, and what was saved by then.
    pub(super) backup: Option<(Shelf, Vec<EntryRef>)>,
}

/// A node that is on.
#[derive(Debug)]
pub(super) struct Up {
    pub(super) node: Node,
    pub(super) exchange: Exchange,
}

/// A whole simulation.
#[derive(Debug)]
pub(super) struct Town {
    pub(super) config: Config,
    pub(super) numbers: Numbers,
    pub(super) time: Time,
    pub(super) cast: Cast,
    pub(super) sites: Vec<Site>,
    pub(super) wires: BTreeMap<LinkId, Wire>,
    /// Frames, wakes and dials.
    pub(super) agenda: Agenda,
    /// What people and misfortune do.
    pub(super) life: Agenda,
    pub(super) tally: Tally,
    /// Records made, by village.
    pub(super) records: BTreeMap<AreaId, Vec<(RecordId, u16)>>,
    /// Files on sticks.
    pub(super) room: TempDir,
    pub(super) files: u64,
    /// The hub of each area above the villages.
    pub(super) hubs: BTreeMap<AreaId, usize>,
    /// Devices that wait, and who is to confirm them.
    pub(super) to_confirm: Vec<(usize, DeviceId)>,
    /// Whether the village that moves did.
    pub(super) moved: bool,
    /// Roots that nodes had, by site and area.
    pub(super) roots: BTreeSet<(usize, AreaId, Root)>,
    /// A frame that goes once more.
    pub(super) twice: Option<(LinkId, Vec<u8>)>,
    /// This moment, and how much happened in it.
    moment: (i64, usize),
    next_link: u64,
    lives: u64,
    /// Whether everything is being mended: nothing new goes wrong.
    pub(super) healing: bool,
    /// The first thing that does not hold.
    pub(super) broken: Option<String>,
    schema: Arc<Schema>,
}

impl Town {
    /// Everybody with a store and the authority that concerns them, all switched off.
    ///
    /// # Errors
    /// What did not work.
    pub(super) fn new(config: &Config) -> Result<Self, String> {
        let mut cast = Cast::new(config.seed, config.nodes);
        cast.certify();
        let mut town = Self {
            config: config.clone(),
            numbers: Numbers::new(config.seed),
            time: Arc::new(AtomicI64::new(0)),
            cast,
            sites: Vec::new(),
            wires: BTreeMap::new(),
            agenda: Agenda::default(),
            life: Agenda::default(),
            tally: Tally::new(),
            records: BTreeMap::new(),
            room: TempDir::new().map_err(told)?,
            files: 0,
            hubs: BTreeMap::new(),
            to_confirm: Vec::new(),
            moved: false,
            roots: BTreeSet::new(),
            twice: None,
            moment: (0, 0),
            next_link: 1,
            lives: 0,
            healing: false,
            broken: None,
            schema: Arc::new(Schema::standard().clone()),
        };
        for number in 0..town.cast.roles.len() {
            let role = town.cast.roles[number].clone();
            town.settle_in(role)?;
        }
        Ok(town)
    }

    /// Adds a node with an empty store and the authority of its area.
    ///
    /// # Errors
    /// What did not work.
    pub(super) fn settle_in(&mut self, role: Role) -> Result<usize, String> {
        let (loan, clock) = self.loan(&role);
        let mut shelf = self.shelf();
        let (mut feeds, views) = shelf.lend().map_err(told)?;
        loan.begin(&mut *feeds, &self.cast.statement).map_err(told)?;
        let mut node = Node::lent(&loan, feeds, views).map_err(told)?;
        let authority = self.authority_for(role.area);
        node.take_authority(authority.iter().map(|feed| &**feed)).map_err(told)?;
        drop(node);
        let class = self.line_of(&role);
        Ok(self.push_site(role, loan, clock, shelf, class))
    }

    /// Adds a node that is off.
    pub(super) fn push_site(
        &mut self,
        role: Role,
        loan: Loan,
        clock: Arc<SimClock>,
        shelf: Shelf,
        class: Class,
    ) -> usize {
        let is_hub = role.level() < Level::Desa;
        if is_hub {
            self.hubs.entry(role.area).or_insert(self.sites.len());
        }
        let always_on = is_hub || self.numbers.chance(25);
        self.sites.push(Site {
            role,
            loan,
            clock,
            shelf,
            class,
            always_on,
            line: class == Class::Good,
            up: None,
            wake_at: None,
            dialling: false,
            refused: 0,
            saved: Vec::new(),
            lost: false,
            apart: false,
            hostile: false,
            full: false,
            backup: None,
        });
        self.sites.len() - 1
    }

    /// Surroundings of a device's next life.
    pub(super) fn loan(&mut self, role: &Role) -> (Loan, Arc<SimClock>) {
        self.lives += 1;
        let wrong_by = self.clock_error();
        let clock = SimClock::new(&self.time, wrong_by);
        let env = Environment {
            schema: self.schema.clone(),
            clock: clock.clone(),
            entropy: SimEntropy::new(self.config.seed, self.sites.len() as u64, self.lives),
        };
        let loan = Loan { folder: PathBuf::from("simpul"), env, seeds: role.seeds };
        (loan, clock)
    }

    /// An empty shelf.
    pub(super) fn shelf(&mut self) -> Shelf {
        let bytes = hash(&[b"instance", &self.numbers.next().to_be_bytes()]);
        let instance = StoreInstance(*bytes.first_chunk().unwrap());
        if self.numbers.chance(self.config.disks_percent) {
            Shelf::disk(instance)
        } else {
            Shelf::memory(instance, self.config.plant)
        }
    }

    /// One in ten is off by minutes, one in fifty by days, a few by years.
    fn clock_error(&mut self) -> i64 {
        const YEAR: i64 = 365 * 24 * 60 * MINUTE;
        let sign = if self.numbers.chance(50) { 1 } else { -1 };
        let (what, by) = match self.numbers.below(1_000) {
            _ if !self.config.faults => return 0,
            0..=99 => ("clock off by minutes", 7 * MINUTE),
            100..=119 => ("clock off by days", 3 * 24 * 60 * MINUTE),
            120..=124 => ("clock off by years", 6 * YEAR),
            _ => return 0,
        };
        self.note(what);
        sign * by
    }

    /// What line a device has.
    pub(super) fn line_of(&mut self, role: &Role) -> Class {
        if role.level() < Level::Desa {
            return Class::Good;
        }
        if !self.config.faults {
            return Class::Good;
        }
        match self.numbers.below(100) {
            0..=83 => Class::Good,
            84..=98 => Class::Weak,
            _ => Class::None,
        }
    }

    /// The authority that concerns a device of an area: a village carries its kecamatan.
    fn authority_for(&self, area: AreaId) -> Vec<Arc<crate::world::Feed>> {
        let tree = AreaTree::west_java();
        let carries =
            if area.level() == Level::Desa { tree.parent(area).unwrap_or(area) } else { area };
        let above = tree.ancestors(carries);
        let wanted = |of: &&AreaId| tree.covers(carries, **of) || above.contains(of);
        let areas = self.cast.authority.keys().filter(wanted);
        // From the province down, so that every certificate is known before what rests on it.
        let mut areas: Vec<AreaId> = areas.copied().collect();
        areas.sort_by_key(|area| (area.level(), *area));
        areas.iter().flat_map(|area| self.cast.authority[area].clone()).collect()
    }

    /// Milliseconds since the beginning.
    pub(super) fn now(&self) -> i64 {
        self.time.load(Ordering::Relaxed)
    }

    /// Counts something that happened.
    pub(super) fn note(&mut self, what: &'static str) {
        *self.tally.entry(what).or_default() += 1;
    }

    /// Something does not hold.
    pub(super) fn breaks(&mut self, site: usize, what: String) {
        if self.broken.is_none() {
            let at = self.now();
            let who = self.sites[site].role.area;
            self.broken = Some(format!("at {at} ms, site {site} ({who}): {what}"));
        }
    }

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
            self.happen(due)?;
            if let Some(what) = self.broken.take() {
                return Err(what);
            }
        }
        self.time.fetch_max(until, Ordering::Relaxed);
        Ok(())
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
            Due::Frame { link, to, stream, bytes } => self.arrive(link, to, stream, bytes),
            Due::Gone { link, to, reason } => self.gone(link, to, reason),
            Due::Wake { site } => self.wake(site),
            Due::Dial { site } => self.dial_due(site),
            Due::Save { site } => self.save(site),
            Due::On { site } => return self.switch_on(site),
            Due::Off { site } => self.switch_off(site),
            Due::Window { site, open } => self.window(site, open),
            Due::Morning { site } => self.morning(site),
            Due::Courier { site } => return self.courier(site),
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
        let at = &mut self.sites[site];
        if at.up.is_some() || at.lost {
            return Ok(());
        }
        let mut lent = at.shelf.lend().map_err(|error| format!("site {site}: {error}"))?;
        if let Some(plant) = self.config.plant {
            lent = plant.over(lent);
        }
        let (feeds, views) = lent;
        let node = Node::lent(&at.loan, feeds, views);
        let node = node.map_err(|error| format!("site {site} does not start: {error:?}"))?;
        let exchange = Exchange::new(&node).map_err(told)?;
        at.up = Some(Up { node, exchange });
        self.check_saved(site)?;
        self.dial_soon(site, SECOND);
        Ok(())
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
        at.shelf.revive(numbers);
        self.cut_all(site);
        let later = self.now() + MINUTE + self.numbers.below(3_600_000) as i64;
        self.life.plan(later, Due::On { site });
    }

    /// Does something with a node that is on, and what follows from it.
    pub(super) fn with(&mut self, site: usize, work: impl FnOnce(Timestamp, &mut Up)) {
        let now = Timestamp(self.now());
        let Some(up) = self.sites[site].up.as_mut() else { return };
        work(now, up);
        self.after(site);
    }

    /// Works off what a node wants done.
    pub(super) fn after(&mut self, site: usize) {
        let mut failed = false;
        self.had(site);
        while let Some(act) = self.sites[site].up.as_mut().and_then(|up| up.exchange.poll()) {
            failed |= matches!(act, Act::HangUp { reason: EndReason::Store, .. });
            self.act(site, act);
        }
        let Some(up) = self.sites[site].up.as_mut() else { return };
        failed |= up.exchange.take_failure().is_some();
        let wake = up.exchange.wake_at().map(|at| at.0);
        if self.sites[site].shelf.is_dead() {
            self.note("power cut at a write");
            self.power_cut(site);
        } else if failed {
            self.store_failed(site);
        } else if let Some(at) = wake {
            self.wake_by(site, at);
        }
    }

    /// A store that refused a write is opened again, as the person in front of it would.
    pub(super) fn store_failed(&mut self, site: usize) {
        if self.sites[site].full {
            self.note("node ended for want of room");
        } else {
            self.breaks(site, "a store failed on a disk that works".to_owned());
        }
        self.sites[site].up = None;
        self.cut_all(site);
        let later = self.now() + MINUTE + self.numbers.below(1_800_000) as i64;
        self.life.plan(later, Due::On { site });
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

    fn act(&mut self, site: usize, act: Act) {
        match act {
            Act::Send { link, stream, frame } => {
                let frame = if self.sites[site].hostile {
                    self.distort(site, link, stream, frame)
                } else {
                    Some(frame)
                };
                if let Some(frame) = frame {
                    self.send_raw(site, link, stream, frame);
                }
                if let Some((link, frame)) = self.twice.take() {
                    self.send_raw(site, link, stream, frame);
                }
            }
            Act::HangUp { link, .. } => self.hang_up(site, link),
            Act::Doors => self.doors(site),
            Act::Tell(event) => self.hear(site, event),
        }
    }

    /// A frame goes on its way.
    pub(super) fn send_raw(&mut self, site: usize, link: LinkId, stream: Stream, frame: Vec<u8>) {
        if self.too_long(site, link, stream, frame.len()) {
            return;
        }
        let Some(wire) = self.wires.get_mut(&link) else { return };
        let (to, way) = wire.from(site);
        let (least, more) = wire.class.delay();
        let mut delay = (least + self.numbers.below(more)) as i64;
        let packets = frame.len().div_ceil(PACKET_BYTES);
        let loss = wire.class.loss_percent();
        let lost = (0..packets).filter(|_| loss > 0 && self.numbers.chance(loss)).count();
        // A lost packet is sent again a round trip later.
        delay += lost as i64 * 2 * least as i64;
        if stream == Stream::Bulk {
            wire.bulk[way] += frame.len();
            let under_way = wire.bulk[way];
            if under_way > BULK_IN_FLIGHT_BYTES_MAX + BULK_FRAME_BYTES_MAX {
                self.breaks(site, format!("{under_way} bytes of runs under way in one session"));
                return;
            }
        }
        let at = wire.arrival(self.time.load(Ordering::Relaxed), way, stream, frame.len(), delay);
        if lost > 0 {
            *self.tally.entry("packet lost").or_default() += lost as u64;
        }
        self.agenda.plan(at, Due::Frame { link, to, stream, bytes: frame });
    }

    fn arrive(&mut self, link: LinkId, to: usize, stream: Stream, bytes: Vec<u8>) {
        let Some(wire) = self.wires.get_mut(&link) else { return };
        let (_, back) = wire.from(to);
        if stream == Stream::Bulk {
            wire.bulk[1 - back] -= bytes.len();
        }
        *self.tally.entry("bytes over wires").or_default() += bytes.len() as u64;
        self.with(to, |now, up| up.exchange.frame(now, &mut up.node, link, stream, bytes));
    }

    fn gone(&mut self, link: LinkId, to: usize, reason: EndReason) {
        if let Some(wire) = self.wires.remove(&link) {
            self.lasted(&wire);
            self.with(to, |now, up| up.exchange.closed(now, &mut up.node, link, reason));
            self.dial_soon(to, 20 * SECOND);
        }
    }

    /// Whoever is refused tries later, and then elsewhere.
    fn lasted(&mut self, wire: &Wire) {
        let short = self.now() - wire.since < REFUSED;
        let dialled = &mut self.sites[wire.ends[0]].refused;
        *dialled = if short { *dialled + 1 } else { 0 };
    }

    /// What was sent still arrives.
    fn hang_up(&mut self, site: usize, link: LinkId) {
        let now = self.now();
        let Some(wire) = self.wires.get_mut(&link) else { return };
        let (to, way) = wire.from(site);
        if std::mem::replace(&mut wire.closing, true) {
            return;
        }
        let at = wire.empty_at(now, way) + 100;
        self.agenda.plan(at, Due::Gone { link, to, reason: EndReason::Lost });
        self.dial_soon(site, MINUTE);
    }

    /// A link breaks: what is on it is lost, and both ends learn it.
    pub(super) fn cut(&mut self, link: LinkId) {
        let Some(wire) = self.wires.remove(&link) else { return };
        for end in wire.ends {
            self.with(end, |now, up| {
                up.exchange.closed(now, &mut up.node, link, EndReason::Lost);
            });
            self.dial_soon(end, 20 * SECOND);
        }
    }

    /// All links of a node break.
    pub(super) fn cut_all(&mut self, site: usize) {
        let of_site = self.wires.iter().filter(|(_, wire)| wire.ends.contains(&site));
        let links: Vec<LinkId> = of_site.map(|(link, _)| *link).collect();
        for link in links {
            self.cut(link);
        }
    }

    /// Who is let in is asked anew about every link.
    fn doors(&mut self, site: usize) {
        let Some(up) = &self.sites[site].up else { return };
        let doors = up.node.doors();
        let shut = self.wires.iter().filter(|(_, wire)| wire.ends.contains(&site));
        let shut = shut.filter(|(_, wire)| {
            let key = self.sites[wire.from(site).0].role.keys.transport;
            matches!(doors.get(&key), Some(node::node::Door::Shut(_)))
        });
        let links: Vec<LinkId> = shut.map(|(link, _)| *link).collect();
        for link in links {
            self.note("revoked device put out");
            self.cut(link);
        }
    }

    /// A node dials soon, unless it is about to.
    pub(super) fn dial_soon(&mut self, site: usize, within: i64) {
        let dials = self.sites[site].role.above.is_some() && self.sites[site].up.is_some();
        if dials && !std::mem::replace(&mut self.sites[site].dialling, true) {
            let within = within.saturating_mul(1 << self.sites[site].refused.min(7)).min(HOUR);
            let later = self.numbers.below(usize::try_from(within).unwrap_or(1)) as i64;
            self.agenda.plan(self.now() + later, Due::Dial { site });
        }
    }

    fn dial_due(&mut self, site: usize) {
        self.sites[site].dialling = false;
        let Some(mut above) = self.above(site) else { return };
        // A village that moved is refused by its old hub; hubs further up know where it belongs.
        for _ in 0..self.sites[site].refused % 3 {
            above = self.sites[above].role.above.unwrap_or(above);
        }
        let reachable = |site: usize| self.sites[site].up.is_some() && self.sites[site].line;
        if !reachable(site) {
            return;
        }
        if !reachable(above) {
            self.dial_soon(site, 5 * MINUTE);
        } else if !self.linked(site, above) {
            let class = self.sites[site].class;
            self.join(site, above, class);
        }
    }

    /// Whether two nodes have a link.
    pub(super) fn linked(&self, one: usize, other: usize) -> bool {
        self.wires.values().any(|wire| wire.ends.contains(&one) && wire.ends.contains(&other))
    }

    /// A link between two nodes that are on.
    pub(super) fn join(&mut self, from: usize, to: usize, class: Class) -> LinkId {
        let link = LinkId(self.next_link);
        self.next_link += 1;
        self.note("link");
        self.replace_links(from, to);
        self.wires.insert(link, Wire::new([from, to], class, self.now()));
        for (site, role, other) in [(from, Dialled::Initiator, to), (to, Dialled::Responder, from)]
        {
            let key = self.sites[other].role.keys.transport;
            let opened = Opened { link, key, role };
            self.with(site, |now, up| up.exchange.opened(now, &mut up.node, &opened));
        }
        link
    }

    /// A link of the same pair of keys takes the place of an older one, as the transport has it:
    /// copies of one card share their keys.
    fn replace_links(&mut self, from: usize, to: usize) {
        let key = |site: usize| self.sites[site].role.keys;
        let pair = BTreeSet::from([key(from), key(to)]);
        let same = |wire: &Wire| {
            let [one, other] = wire.ends;
            [one, other].iter().any(|end| [from, to].contains(end))
                && BTreeSet::from([key(one), key(other)]) == pair
        };
        let old: Vec<LinkId> =
            self.wires.iter().filter(|(_, wire)| same(wire)).map(|(link, _)| *link).collect();
        for link in old {
            self.cut(link);
        }
    }

    /// Nodes that are on.
    pub(super) fn on(&self) -> Vec<usize> {
        (0..self.sites.len()).filter(|site| self.sites[*site].up.is_some()).collect()
    }

    /// Devices of which nothing is expected any more.
    pub(super) fn honest(&self) -> BTreeSet<usize> {
        let whole = |site: &usize| {
            let it = &self.sites[*site];
            !it.lost && !it.apart && !it.hostile
        };
        (0..self.sites.len()).filter(whole).collect()
    }
}
