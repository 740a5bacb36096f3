//! Replicas that exchange runs: what each holds, what travels between them, and every way in which
//! it may arrive or fail to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crdt_schema::area::AreaId;
use crdt_schema::authority::{Payload, Rights};
use crdt_schema::class::Class;
use crdt_schema::entry::{CHECKPOINT_EVERY, ChainPoint, Entry, PackedBody, PackedRun};
use crdt_schema::id::{EntryId, FeedName, Space, StoreInstance};
use crdt_schema::record::Schema;
use crdt_schema::testing::Numbers;
use crdt_schema::time::Timestamp;
use node::authority::MemberState;
use node::ports::{FeedStore, RecordKey};
use node::progress::Progress;
use node::replica::{
    Author, Declaration, INCARNATION, Offered, Opening, RejectReason, Replica, Source,
};

use super::cast::{Cast, Device};
use super::oracle::told;
use super::stores::{Feeds, Lie, Views};

/// How often each thing happened.
pub type Tally = BTreeMap<&'static str, u64>;

/// A replica of the simulation.
pub(super) type Held = Replica<Feeds, Views>;

/// One place: a device and its replica.
#[derive(Debug)]
pub(super) struct Site {
    /// Number in the cast.
    pub(super) device: usize,
    /// Its replica.
    pub(super) replica: Held,
    /// The class of which it gets no section.
    pub(super) closed: Option<Class>,
    /// It writes nothing: a second reader with a device's rights.
    pub(super) only_reads: bool,
    /// Lost with everything only it held.
    pub(super) lost: bool,
    /// Views as they once were.
    pub(super) snapshot: Option<Views>,
    first_incarnation: u64,
}

/// A run on its way.
#[derive(Debug, Clone)]
pub(super) struct Message {
    /// Its feed.
    pub(super) name: FeedName,
    /// The run.
    pub(super) run: PackedRun,
    /// Its last entry.
    pub(super) last: ChainPoint,
    /// Anybody may get it; else it lies in a drawer of the site with this number.
    pub(super) drawer: Option<usize>,
}

/// All places and everything under way.
#[derive(Debug)]
pub(super) struct Mesh {
    /// Everything random.
    pub(super) numbers: Numbers,
    /// The places.
    pub(super) sites: Vec<Site>,
    /// Runs that were ever handed on.
    pub(super) bag: Vec<Message>,
    /// Records that were ever made.
    pub(super) records: Vec<RecordKey>,
    /// What happened.
    pub(super) tally: Tally,
    /// Claimed milliseconds.
    pub(super) clock: i64,
    /// Invitations: entry, seed of the throw-away key, whether whoever joins counts at once.
    pub(super) invited: Vec<(EntryId, [u8; 32], bool)>,
    /// The lie one site tells, and which.
    pub(super) lie: Lie,
}

/// The site that lies when one does.
pub(super) const LIAR: usize = 1;

impl Mesh {
    /// Nobody yet.
    pub(super) fn new(seed: u64, lie: Lie) -> Self {
        Self {
            numbers: Numbers::new(seed),
            sites: Vec::new(),
            bag: Vec::new(),
            records: Vec::new(),
            tally: Tally::new(),
            clock: 1_790_000_000_000,
            invited: Vec::new(),
            lie,
        }
    }

    /// Counts something that happened.
    pub(super) fn note(&mut self, what: &'static str) {
        *self.tally.entry(what).or_default() += 1;
    }

    /// One of `items`, or nothing.
    pub(super) fn pick<T: Copy>(&mut self, items: &[T]) -> Option<T> {
        items.get(self.numbers.below(items.len())).copied()
    }

    /// A claimed time: near the others, often equal to one, now and then absurd.
    pub(super) fn time(&mut self) -> Timestamp {
        self.clock += i64::try_from(self.numbers.below(3)).unwrap();
        if self.numbers.chance(3) { Timestamp(-5) } else { Timestamp(self.clock) }
    }

    /// Adds a place; returns its number.
    pub(super) fn site(&mut self, device: usize, closed: Option<Class>, only_reads: bool) -> usize {
        let lie = if self.sites.len() == LIAR && self.lie == Lie::VerdictKept {
            Lie::VerdictKept
        } else {
            Lie::None
        };
        let number = self.numbers.next();
        let mut instance = [0; 16];
        instance[..8].copy_from_slice(&number.to_be_bytes());
        let feeds = Feeds::new(StoreInstance(instance));
        let replica = opened(device, feeds, Views::new(lie), number, self.numbers.next()).unwrap();
        let site = Site {
            device,
            replica,
            closed,
            only_reads,
            lost: false,
            snapshot: None,
            first_incarnation: number,
        };
        self.sites.push(site);
        self.sites.len() - 1
    }

    /// A cloned card: the same device, feeds and incarnation, somewhere else.
    pub(super) fn clone_of(&mut self, site: usize) -> Result<usize, String> {
        let Site { device, ref replica, first_incarnation, .. } = self.sites[site];
        let feeds = replica.feed_store().clone();
        let next = self.numbers.next();
        let replica = opened(device, feeds, Views::new(Lie::None), first_incarnation, next)?;
        self.sites.push(Site {
            device,
            replica,
            closed: None,
            only_reads: false,
            lost: false,
            snapshot: None,
            first_incarnation,
        });
        Ok(self.sites.len() - 1)
    }

    /// The power fails: whatever views are left catch up with the feeds.
    pub(super) fn reopen(&mut self, site: usize, views: Views) -> Result<(), String> {
        let next = self.numbers.next();
        let at = &mut self.sites[site];
        let feeds = at.replica.feed_store().clone();
        at.replica = opened(at.device, feeds, views, at.first_incarnation, next)?;
        Ok(())
    }

    /// A replica over the same feeds that tells a lie.
    pub(super) fn lying(&mut self, site: usize, lie: Lie) -> Result<Held, String> {
        let next = self.numbers.next();
        let at = &self.sites[site];
        let feeds = Feeds { lie, ..at.replica.feed_store().clone() };
        let old = at.snapshot.clone().filter(|_| lie == Lie::ViewsAhead);
        let views = old.unwrap_or_else(|| Views::new(Lie::None));
        let views = views.claiming(lie, at.replica.arrived());
        opened(at.device, feeds, views, at.first_incarnation, next)
    }

    /// Whether the device may write as far as it knows.
    pub(super) fn writes(&self, site: usize) -> Option<MemberState> {
        let at = &self.sites[site];
        let state = at.replica.authority().member(&at.device().id)?.state;
        let may = matches!(state, MemberState::Active | MemberState::Provisional);
        (!at.only_reads && !at.lost && may).then_some(state)
    }

    /// Commits what is staged at a site, own saves among it, and puts new own runs on their way.
    pub(super) fn commit(&mut self, site: usize, drawer: bool) -> Result<(), String> {
        let before = self.heads(site);
        let at = &mut self.sites[site];
        let device = at.device();
        let author = (!at.only_reads).then_some(Author { device: device.id, key: &device.secret });
        let now = Timestamp(self.clock);
        let done = at.replica.commit(author.as_ref(), &Source::Here, now).map_err(told)?;
        if done.incarnation_changed {
            at.replica.set_next_incarnation(self.numbers.next());
            self.note("own entries came back from outside");
        }
        let own = |name: &&FeedName| author.is_some() && name.device == device.id;
        for name in done.feeds.iter().filter(own) {
            let from = before.get(name).copied().unwrap_or(0) + 1;
            self.carry_off(site, *name, from, drawer)?;
        }
        Ok(())
    }

    fn heads(&self, site: usize) -> BTreeMap<FeedName, u64> {
        let feeds = self.sites[site].replica.feeds();
        feeds.filter_map(|feed| Some((feed.name, feed.branches.first()?.head.point.seq))).collect()
    }

    /// Now and then a run begins earlier than it must, so that parts of it are held already.
    fn carry_off(
        &mut self,
        site: usize,
        name: FeedName,
        from: u64,
        drawer: bool,
    ) -> Result<(), String> {
        let block = (from - 1) / CHECKPOINT_EVERY * CHECKPOINT_EVERY + 1;
        let from = if self.numbers.chance(25) { block } else { from };
        let messages = runs(self.sites[site].replica.feed_store(), name, 0, from)?;
        let drawer = drawer.then_some(site);
        self.bag.extend(messages.into_iter().map(|it| Message { drawer, ..it }));
        Ok(())
    }

    /// Writes one authority entry.
    pub(super) fn declare(
        &mut self,
        site: usize,
        area: AreaId,
        payload: Payload,
    ) -> Result<Entry, String> {
        self.declare_after(site, area, payload, Vec::new())
    }

    /// Writes one authority entry that replaces others.
    pub(super) fn declare_after(
        &mut self,
        site: usize,
        area: AreaId,
        payload: Payload,
        deps: Vec<EntryId>,
    ) -> Result<Entry, String> {
        let claimed_at = self.time();
        let at = &mut self.sites[site];
        let device = at.device();
        let author = Author { device: device.id, key: &device.secret };
        let declaration = Declaration { area, payload, deps, claimed_at };
        let entry = at.replica.declare(&author, &declaration).map_err(told)?;
        self.commit(site, false)?;
        Ok(entry)
    }

    /// Offers one run to a site, as much of it as that site is given.
    pub(super) fn offer(&mut self, site: usize, message: &Message) -> Result<Offered, String> {
        let at = &mut self.sites[site];
        let run = match at.closed {
            Some(class) if message.name.space == Space::Records => without(&message.run, class),
            _ => message.run.clone(),
        };
        let outcome = at.replica.offer(&message.name, &run).map_err(told)?.outcome;
        self.note(match outcome {
            Offered::Staged(_) => "run taken",
            Offered::Duplicate => "run held already",
            Offered::Pending => "run after a gap",
            Offered::Rejected(RejectReason::UnknownDevice) => "run of an unknown device",
            Offered::Rejected(RejectReason::OutsideInterest) => "run outside the interest",
            Offered::Rejected(RejectReason::Unconfirmed) => "run of an unconfirmed device",
            Offered::Rejected(RejectReason::Refused(_)) => "run that follows a branch not held",
            Offered::Rejected(_) => "run refused for another reason",
        });
        Ok(outcome)
    }

    /// Whether a site holds the end of a run.
    pub(super) fn holds(&self, site: usize, message: &Message) -> Result<bool, String> {
        let replica = &self.sites[site].replica;
        Ok(replica.branch_of(message.name.id(), message.last).map_err(told)?.is_some())
    }

    /// Everybody left learns all there is to learn.
    pub(super) fn settle(&mut self) -> Result<(), String> {
        if self.numbers.chance(50) {
            self.note("end in which each hands on what a node hands on");
            return self.hand_on();
        }
        let mut all = std::mem::take(&mut self.bag);
        all.retain(|it| it.drawer.is_none_or(|site| !self.sites[site].lost));
        for site in self.alive() {
            if self.sites[site].closed.is_none() {
                all.extend(everything(self.sites[site].replica.feed_store())?);
            }
        }
        let mut seen = BTreeSet::new();
        all.retain(|it| seen.insert((it.name, it.run.first, it.last)));
        for site in self.alive() {
            let mut order = all.clone();
            self.numbers.shuffle(&mut order);
            self.take_all(site, &order)?;
        }
        self.bag = all;
        Ok(())
    }

    /// Each gives each what a node hands on, in any order, until nobody learns anything.
    fn hand_on(&mut self) -> Result<(), String> {
        let sites = self.alive();
        loop {
            let mut news = false;
            for (from, to) in sites.iter().flat_map(|from| sites.iter().map(move |to| (*from, *to)))
            {
                let mut order = self.handed_on(from, to)?;
                self.numbers.shuffle(&mut order);
                news |= from != to && self.take_all(to, &order)?;
            }
            if !news {
                return Ok(());
            }
        }
    }

    /// What one site hands on to another: to who may decide there all, to others what counts and what
    /// that rests on.
    fn handed_on(&self, from: usize, to: usize) -> Result<Vec<Message>, String> {
        let (replica, me) = (&self.sites[from].replica, self.sites[from].device().id);
        let them = self.sites[to].device().id;
        let authority = replica.authority();
        let waits = authority.member(&me).is_some_and(|it| it.state == MemberState::Provisional);
        let mut all = Vec::new();
        for feed in replica.feeds() {
            let name = feed.name;
            let whole = authority.may(&them, Rights::ISSUE, name.area)
                || name.device == them
                || name.device == me && waits;
            let until: BTreeMap<u32, u64> = if whole {
                feed.branches.iter().map(|it| (it.branch, it.head.point.seq)).collect()
            } else {
                replica.held_in_common(feed).map_err(told)?.into_iter().collect()
            };
            if self.sites[from].closed.is_some() {
                // It brings what it got, with what it was not given.
                let last = until.values().max().copied().unwrap_or(0);
                let of_feed = self.bag.iter().filter(|it| it.name == name && it.run.first <= last);
                for message in of_feed {
                    all.extend(self.holds(from, message)?.then(|| message.clone()));
                }
                continue;
            }
            for branch in &feed.branches {
                let first = branch.from.map_or(1, |(_, shared)| shared + 1);
                let until = until.get(&branch.branch).copied().unwrap_or(0);
                let runs = runs(replica.feed_store(), name, branch.branch, first)?;
                all.extend(runs.into_iter().filter(|it| it.run.first <= until));
            }
        }
        Ok(all)
    }

    /// Whether anything of it was new.
    fn take_all(&mut self, site: usize, order: &[Message]) -> Result<bool, String> {
        let mut left: Vec<&Message> = order.iter().collect();
        let mut learned = false;
        loop {
            let (mut news, mut again) = (false, Vec::new());
            for message in left {
                if self.holds(site, message)? {
                    continue;
                }
                match self.offer(site, message)? {
                    Offered::Staged(_) => (news, learned) = (true, true),
                    Offered::Duplicate => news = true,
                    Offered::Pending | Offered::Rejected(_) => again.push(message),
                }
                if self.numbers.chance(20) {
                    self.commit(site, false)?;
                }
            }
            self.commit(site, false)?;
            if !news || again.is_empty() {
                return Ok(learned);
            }
            left = again;
        }
    }

    /// Places that were not lost.
    pub(super) fn alive(&self) -> Vec<usize> {
        (0..self.sites.len()).filter(|site| !self.sites[*site].lost).collect()
    }
}

impl Site {
    /// Whose it is.
    pub(super) fn device(&self) -> &'static Device {
        &Cast::get().devices[self.device]
    }
}

/// Everything a store holds, as runs.
pub(super) fn everything(store: &Feeds) -> Result<Vec<Message>, String> {
    let mut all = Vec::new();
    for feed in store.held.feeds().map_err(told)? {
        for branch in &feed.branches {
            let from = branch.from.map_or(1, |(_, shared)| shared + 1);
            all.extend(runs(store, feed.name, branch.branch, from)?);
        }
    }
    Ok(all)
}

/// The runs of a branch from a sequence on.
pub(super) fn runs(
    store: &Feeds,
    name: FeedName,
    branch: u32,
    from: u64,
) -> Result<Vec<Message>, String> {
    let (mut found, mut from) = (Vec::new(), from);
    while let Some(run) = store.held.packed_run(name.id(), branch, from).map_err(told)? {
        let last = run.block().map_err(told)?.last();
        let point = store.held.point(name.id(), branch, last).map_err(told)?;
        let last_point = point.ok_or("a run beyond its branch")?;
        found.push(Message { name, run, last: last_point, drawer: None });
        from = last + 1;
    }
    Ok(found)
}

/// A run as it reaches somebody who is not given a class.
fn without(run: &PackedRun, class: Class) -> PackedRun {
    let mut block = run.block().unwrap();
    for section in block.entries.iter_mut().flat_map(|entry| &mut entry.sections) {
        if let PackedBody::Held(body) = &section.body
            && section.class == class
        {
            let length = u32::try_from(body.len()).unwrap();
            section.body = PackedBody::Dropped(length, *blake3::hash(body).as_bytes());
        }
    }
    PackedRun::pack(&block, run.signature)
}

fn opened(
    device: usize,
    feeds: Feeds,
    views: Views,
    first_incarnation: u64,
    next_incarnation: u64,
) -> Result<Held, String> {
    let stored = feeds.value(INCARNATION).map_err(told)?;
    let stored = stored.and_then(|bytes| Some(u64::from_be_bytes(bytes.try_into().ok()?)));
    let opening = Opening {
        statement: Cast::get().statement.clone(),
        schema: Arc::new(Schema::standard().clone()),
        me: Cast::get().devices[device].id,
        incarnation: stored.unwrap_or(first_incarnation),
        next_incarnation,
    };
    Replica::open(feeds, views, opening).map_err(told)
}

/// Somebody who stops long work at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Impatient;

impl Progress for Impatient {
    fn at(&mut self, _done: u64, _total: u64) -> bool {
        false
    }
}
