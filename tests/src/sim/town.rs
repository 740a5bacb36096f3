//! Every node, every wire, one virtual time: what happens is taken off the agenda one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crdt_schema::area::{AreaId, AreaTree, Level};
use crdt_schema::entry::SigningPublic;
use crdt_schema::id::{DeviceId, RecordId, StoreInstance};
use crdt_schema::record::Schema;
use crdt_schema::testing::Numbers;
use node::answer::EntryRef;
use node::live::{Exchange, LinkId};
use node::node::{Environment, Loan, Node};
use node::store::memory::EntryPool;
use tempfile::TempDir;

use super::Config;
use super::cast::{Cast, Role};
use super::ground::{DAY, MINUTE, SimClock, SimEntropy, Time, hash};
use super::heard::Roots;
use super::shelf::Shelf;
use super::twist;
use super::wire::{Agenda, Class, Wires};
use super::{Fullest, Tally, told};
use crate::world::Feed;

/// One node, on or off.
#[expect(clippy::struct_excessive_bools, reason = "each may be so beside any other")]
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
    pub(super) wake_at: Option<i64>,
    pub(super) dialling: bool,
    /// Links in a row that did not last.
    pub(super) refused: u32,
    /// Its link breaks when so many frames of runs more have come.
    pub(super) breaks_in: Option<usize>,
    /// What it said was saved.
    pub(super) saved: Vec<EntryRef>,
    /// What it writes under, and what it wrote under before: never again.
    pub(super) incarnation: u64,
    pub(super) retired: BTreeSet<u64>,
    /// How often a backup was put back here.
    pub(super) put_back: usize,
    /// Burnt, stolen, drowned: never on again.
    pub(super) lost: bool,
    /// Closed, revoked or a copy: others need not agree with it.
    pub(super) apart: bool,
    pub(super) hostile: bool,
    /// No room on its disk.
    pub(super) full: bool,
    /// When a disk without room refused something last.
    pub(super) refused_at: Option<i64>,
    /// A backup, and what was saved by then.
    pub(super) backup: Option<(Shelf, Vec<EntryRef>)>,
    /// Of a hub that was put back, what it was before.
    pub(super) before: Option<Before>,
}

/// The earlier life of a hub that was put back from a backup.
#[derive(Debug, Default)]
pub(super) struct Before {
    /// Numbers of its newest rows then.
    pub(super) counters: BTreeMap<AreaId, u64>,
    /// It met no hub since: its person saves nothing yet.
    pub(super) waits: bool,
    /// Everything was mended since.
    pub(super) has_met: bool,
}

/// A node that is on.
#[derive(Debug)]
pub(super) struct Up {
    pub(super) node: Node,
    pub(super) exchange: Exchange,
    /// The arrival at which its roots were noted.
    pub(super) noted_at: Option<u64>,
}

/// A whole simulation.
#[derive(Debug)]
pub(super) struct Town {
    pub(super) config: Config,
    pub(super) numbers: Numbers,
    pub(super) time: Time,
    pub(super) cast: Cast,
    pub(super) sites: Vec<Site>,
    /// Sites of each device, in their order: more than one of a card that was copied.
    devices: BTreeMap<DeviceId, Vec<usize>>,
    pub(super) wires: Wires,
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
    /// The number of whoever was to come last.
    pub(super) newcomers_before: u64,
    /// Devices whose withdrawal the disk of this hub refused.
    pub(super) perhaps_withdrawn: BTreeSet<(usize, DeviceId)>,
    /// Devices that wait, and who is to confirm them.
    pub(super) to_confirm: Vec<(usize, DeviceId)>,
    /// Whether the village that moves did.
    pub(super) moved: bool,
    /// Roots that nodes had.
    pub(super) roots: Roots,
    /// With a mistake: feeds that nobody wrote.
    pub(super) strangers: Arc<Vec<(SigningPublic, Feed)>>,
    /// Devices that a liar's hub certified, somebody elsewhere or nobody: the area it has itself, and where.
    pub(super) named_elsewhere: BTreeMap<DeviceId, BTreeSet<(AreaId, AreaId)>>,
    /// Devices of which a disk refused the certificate: it may be there all the same when it is read anew.
    pub(super) named_besides: BTreeSet<DeviceId>,
    /// Stores of liars that said of themselves that they have another one.
    pub(super) denied: BTreeSet<StoreInstance>,
    /// Heads of the node that held the most.
    pub(super) most_heads: usize,
    /// A frame that goes once more.
    pub(super) twice: Option<(LinkId, Vec<u8>)>,
    /// When somebody learned something last.
    pub(super) news_at: i64,
    /// This moment, and how much happened in it.
    pub(super) moment: (i64, usize),
    pub(super) next_link: u64,
    lives: u64,
    /// Entries in memory, each once.
    pool: EntryPool,
    /// Whether everything is being mended: nothing new goes wrong.
    pub(super) healing: bool,
    /// Whether all rested already: comparisons find nothing new.
    pub(super) proving: bool,
    /// While all prove equality: who last said over which link that these areas are not equal.
    pub(super) unequal: BTreeMap<(usize, LinkId), Vec<AreaId>>,
    /// What had arrived at each node when all began to prove it.
    pub(super) arrived: BTreeMap<usize, u64>,
    /// Bytes of the dearest comparison that found nothing new.
    pub(super) dearest: (u64, String),
    /// And of the rows that went with one.
    pub(super) dearest_rows: (u64, String),
    /// How full each table ever was that peers can fill, and what it may hold.
    pub(super) fullest: Fullest,
    /// Villages of the cast.
    pub(super) villages: Vec<AreaId>,
    /// Everything that happened, hashed as it happens.
    pub(super) trace: blake3::Hasher,
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
            devices: BTreeMap::new(),
            wires: Wires::default(),
            agenda: Agenda::default(),
            life: Agenda::default(),
            tally: Tally::new(),
            records: BTreeMap::new(),
            room: TempDir::new().map_err(told)?,
            files: 0,
            hubs: BTreeMap::new(),
            newcomers_before: 0,
            perhaps_withdrawn: BTreeSet::new(),
            to_confirm: Vec::new(),
            moved: false,
            roots: Roots::default(),
            strangers: Arc::default(),
            named_elsewhere: BTreeMap::new(),
            named_besides: BTreeSet::new(),
            denied: BTreeSet::new(),
            most_heads: 0,
            twice: None,
            news_at: 0,
            moment: (0, 0),
            next_link: 1,
            lives: 0,
            pool: EntryPool::default(),
            healing: false,
            proving: false,
            unequal: BTreeMap::new(),
            arrived: BTreeMap::new(),
            dearest: Default::default(),
            dearest_rows: Default::default(),
            fullest: Fullest::new(),
            villages: Vec::new(),
            trace: blake3::Hasher::new(),
            broken: None,
            schema: Arc::new(Schema::standard().clone()),
        };
        town.villages = town.cast.villages();
        if let Some(plant) = config.plant {
            town.strangers = Arc::new(twist::strangers(plant, config.seed, &town.cast));
        }
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
        self.devices.entry(role.device()).or_default().push(self.sites.len());
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
            breaks_in: None,
            saved: Vec::new(),
            incarnation: 0,
            retired: BTreeSet::new(),
            put_back: 0,
            lost: false,
            apart: false,
            hostile: false,
            full: false,
            refused_at: None,
            backup: None,
            before: None,
        });
        self.plan_stick(self.sites.len() - 1);
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
        let (disks, of) = self.config.disks;
        if self.numbers.below(of) < disks {
            Shelf::disk(instance)
        } else {
            Shelf::memory(instance, self.config.plant, &self.pool)
        }
    }

    /// Some are off by minutes, some by days, a few by years.
    fn clock_error(&mut self) -> i64 {
        if !self.config.faults {
            return 0;
        }
        let sign = if self.numbers.chance(50) { 1 } else { -1 };
        let kinds = [
            ("clock off by minutes", 7 * MINUTE),
            ("clock off by days", 3 * DAY),
            ("clock off by years", 8 * 365 * DAY),
        ];
        let mut drawn = self.numbers.below(1_000);
        for ((what, by), of_a_thousand) in kinds.into_iter().zip(self.config.rates.clocks) {
            if drawn < of_a_thousand {
                self.note(what);
                return sign * by;
            }
            drawn -= of_a_thousand;
        }
        0
    }

    /// What line a device has.
    pub(super) fn line_of(&mut self, role: &Role) -> Class {
        if role.level() < Level::Desa {
            return Class::Good;
        }
        if !self.config.faults {
            return Class::Good;
        }
        let (drawn, rates) = (self.numbers.below(100), self.config.rates);
        let (class, what) = if drawn < rates.none {
            (Class::None, "village without a line")
        } else if drawn < rates.none + rates.weak {
            (Class::Weak, "village with a weak line")
        } else {
            (Class::Good, "village with a good line")
        };
        self.note(what);
        class
    }

    /// The authority that concerns a device of an area: a village carries its kecamatan.
    fn authority_for(&self, area: AreaId) -> Vec<Arc<Feed>> {
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
    pub(super) fn breaks(&mut self, site: usize, what: &str) {
        if self.broken.is_none() {
            let at = self.now();
            let who = self.sites[site].role.area;
            self.broken = Some(format!("at {at} ms, site {site} ({who}): {what}"));
        }
    }

    /// Sites of a device; none of somebody who is no node.
    pub(super) fn sites_of(&self, device: &DeviceId) -> &[usize] {
        self.devices.get(device).map_or(&[], |sites| sites)
    }

    /// Nodes that are on.
    pub(super) fn on(&self) -> Vec<usize> {
        (0..self.sites.len()).filter(|site| self.sites[*site].up.is_some()).collect()
    }

    /// Devices of which something is expected still.
    pub(super) fn honest(&self) -> BTreeSet<usize> {
        (0..self.sites.len()).filter(|site| self.is_honest(*site)).collect()
    }

    /// Whether a device is one of those.
    pub(super) fn is_honest(&self, site: usize) -> bool {
        let it = &self.sites[site];
        !it.lost && !it.apart && !it.hostile
    }
}
