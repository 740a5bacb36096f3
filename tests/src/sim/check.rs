//! What every honest node must show after a heal: architecture section 8, items 1 to 4.

use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::area::{AreaId, AreaTree, Level};
use crdt_schema::entry::{CHECKPOINT_EVERY, ChainPoint};
use crdt_schema::id::{DeviceId, FeedName, Space};
use crdt_schema::record::Schema;
use node::authority::{MemberState, Standing};
use node::ports::{FeedStore, RecordKey, RecordVerdict, RowFilter, ViewRow, ViewStore};
use node::replica::Replica;
use node::sync::{Root, Table};

use super::limit::{self, at_a_limit, forks_authority, is_ended};
use super::row::Held;
use super::told;
use super::town::{Town, Up};
use crate::histories::oracle::every_row;

/// Villages whose records are compared value by value at once; of more, so many that chance picks.
const COMPARED_MAX: usize = 48;
/// Branches of a feed, feeds of one device in one area, and entries of a device that waits for its
/// confirmation: `docs/protocol.md` 13. A run is taken where there is room for its first entry.
pub(super) const BRANCHES_MAX: usize = 8;
const BRANCHES_NAMED_MAX: usize = 16;
pub(super) const INCARNATIONS_MAX: usize = 64;
pub(super) const INCARNATIONS_RESTED_MAX: usize = 128;
const PROVISIONAL_MAX: usize = 100_000 + 63;
/// Bytes of the runs of such a device.
const PROVISIONAL_BYTES_MAX: usize = 1 << 20;

/// A record as a node keeps it, and as it shows it to a person.
type Shown = BTreeMap<RecordKey, (ViewRow, String)>;

impl Town {
    /// What every honest node must show now.
    ///
    /// # Errors
    /// What does not hold.
    pub(super) fn check(&mut self) -> Result<(), String> {
        for site in self.on() {
            self.check_saved(site)?;
            self.check_bounds(site)?;
        }
        let honest: Vec<usize> =
            self.honest().into_iter().filter(|site| self.sites[*site].up.is_some()).collect();
        let members = self.members();
        for site in honest.iter().copied() {
            self.check_certified(site, &members)?;
            self.check_published(site)?;
            self.check_receipts(site)?;
            self.check_shown(site)?;
            if let Some([limits, ended, forked]) = self.alike_above(site)? {
                *self.tally.entry("village at a limit of feeds or branches").or_default() += limits;
                *self.tally.entry("village at a limit compared, for it was cut").or_default() +=
                    ended;
                *self
                    .tally
                    .entry("village whose authority is at a limit of branches")
                    .or_default() += forked;
            }
        }
        let stores = self.honest_stores();
        for site in honest.iter().copied() {
            let [hubs, devices] = self.check_rows(site, &stores)?;
            *self.tally.entry("row of another hub looked at").or_default() += hubs;
            *self.tally.entry("row of another device looked at").or_default() += devices;
        }
        let compared = self.compared();
        self.check_values(&compared)?;
        self.check_words(&compared)?;
        self.look_closely(&honest)
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

    /// All that do not lie have the roots of their hubs by themselves, before anybody is told to compare.
    ///
    /// # Errors
    /// Who has not.
    pub(super) fn look_before_comparing(&mut self) -> Result<(), String> {
        for site in self.honest() {
            if self.sites[site].up.is_some() {
                let alike = self.alike_above(site);
                let alike =
                    alike.map_err(|what| format!("before all are told to compare: {what}"))?;
                if alike.is_some() {
                    self.note("as its hub before all are told to compare");
                }
            }
        }
        Ok(())
    }

    /// Compares a node with the hub above it; `None` where nothing was compared. Below one that lies
    /// nobody can know what there is; what is there is compared by value.
    pub(super) fn alike_above(&self, site: usize) -> Result<Option<[u64; 3]>, String> {
        let above = self.above(site).filter(|above| !self.sites[*above].hostile);
        let Some(above) = above else { return Ok(None) };
        let alike = self.alike(site, above).map_err(|what| {
            let (one, other) = (self.told_of(site), self.told_of(above));
            format!("at {} ms, after a heal: {what}\n  {one}\n  {other}", self.now())
        })?;
        Ok(alike)
    }

    /// Two honest nodes that rested have the same roots of every village both serve. How many were not
    /// asked for a limit, how many were at one that all heard the end of, and of how many the authority
    /// differs for a feed of it has as many branches as a node takes; `None` where no village was compared.
    fn alike(&self, site: usize, other: usize) -> Result<Option<[u64; 3]>, String> {
        let [mut areas, mut limits, mut ended, mut forked] = [0; 4];
        let (Some(mine), Some(theirs)) = (&self.sites[site].up, &self.sites[other].up) else {
            return Ok(None);
        };
        let (mine, theirs) = (mine.node.replica(), theirs.node.replica());
        let me = self.sites[site].role.device();
        let all_limited: BTreeSet<FeedName> =
            at_a_limit(mine).union(&at_a_limit(theirs)).copied().collect();
        // Of a village that moved away nothing is asked any more.
        let authority = theirs.authority();
        for area in self.villages_within(&authority.interest(&me), authority.tree()) {
            if !authority.may_serve(&me, Space::Records, area)
                || self.is_elsewhere(site, area, authority.tree())
            {
                continue;
            }
            areas += 1;
            let ((my_authority, my_root), (their_authority, their_root)) =
                (roots(mine, area), roots(theirs, area));
            let forks = [mine, theirs].iter().any(|it| forks_authority(it, area));
            let differs = my_authority != their_authority;
            forked += u64::from(differs && forks);
            if differs && !forks {
                let held = [mine, theirs].map(|it| entries_of(it, Space::Authority, |_| true));
                let [more, less] = [(0, 1), (1, 0)].map(|(one, other)| {
                    held[one].difference(&held[other]).map(Entries::told).collect::<Vec<_>>()
                });
                return Err(format!("authority roots of {area} differ: {more:?}, {less:?}"));
            }
            // A flood or forks beyond the caps: which ones a node took is chance, until somebody names
            // those that count (architecture, 3.4) and both heard it.
            let mut limited = all_limited.iter().filter(|feed| feed.area == area).peekable();
            if limited.peek().is_some() {
                if !limited.all(|feed| [mine, theirs].iter().all(|it| is_ended(it, feed))) {
                    limits += 1;
                    limit::alike_but(mine, theirs, area, &all_limited)?;
                    continue;
                }
                ended += 1;
            }
            if my_root != their_root {
                let counts = [mine, theirs].map(|it| it.summary().counts(Space::Records, area));
                let held = [mine, theirs].map(|it| entries_of(it, Space::Records, |it| it == area));
                let held = held.map(|it| it.iter().map(Entries::told).collect::<Vec<_>>());
                return Err(format!("roots of {area} differ: {counts:?}, held {held:?}"));
            }
        }
        Ok((areas > 0).then_some([limits, ended, forked]))
    }

    /// Whether a device is thought to hold an area because a liar certified it there: it need not learn
    /// that (ADR 0030).
    fn is_elsewhere(&self, site: usize, area: AreaId, tree: &AreaTree) -> bool {
        let role = &self.sites[site].role;
        if !self.named_elsewhere.contains_key(&role.device()) {
            return false;
        }
        let carried = tree.parent(role.area).filter(|_| role.level() == Level::Desa);
        !tree.covers(carried.unwrap_or(role.area), area)
    }

    /// Villages that are compared by value now.
    fn compared(&mut self) -> BTreeSet<AreaId> {
        let mut villages = self.cast.villages();
        if villages.len() > COMPARED_MAX {
            self.numbers.shuffle(&mut villages);
            villages.truncate(COMPARED_MAX);
        }
        villages.into_iter().collect()
    }

    /// Whoever has the same roots of a village, honest or not, keeps and shows the same records.
    fn check_values(&mut self, compared: &BTreeSet<AreaId>) -> Result<(), String> {
        let mut first: BTreeMap<(AreaId, Root, Root), (usize, Shown)> = BTreeMap::new();
        let mut pairs = 0;
        for site in self.on() {
            let Some(up) = &self.sites[site].up else { continue };
            let replica = up.node.replica();
            let held = replica.authority().interest(&self.sites[site].role.device());
            for area in self.villages_within(&held, replica.authority().tree()) {
                if !compared.contains(&area) {
                    continue;
                }
                let (authority, root) = roots(replica, area);
                let shown = shown(up, area).map_err(|what| format!("site {site}: {what}"))?;
                let Some((other, theirs)) = first.get(&(area, authority, root)) else {
                    first.insert((area, authority, root), (site, shown));
                    continue;
                };
                pairs += 1;
                if let Some((key, what)) = difference(&shown, theirs) {
                    let (one, other) = (self.history_of(*other, &key), self.history_of(site, &key));
                    return Err(format!("equal roots of {area}, and {what}:\n  {one}\n  {other}"));
                }
            }
        }
        *self.tally.entry("villages compared by value").or_default() += pairs;
        Ok(())
    }

    /// The edits of a record at a site, without their values.
    fn history_of(&self, site: usize, key: &RecordKey) -> String {
        let Some(up) = &self.sites[site].up else { return String::new() };
        let replica = up.node.replica();
        let row =
            replica.views().ok().and_then(|it| it.row(key, replica.feed_store()).ok()).flatten();
        let row = row.map(|it| (it.verdict, it.waits, it.conflicts, it.changed_at, it.state.len()));
        let edits = replica.history(key).unwrap_or_default();
        let edits: Vec<String> = edits
            .edits
            .iter()
            .map(|it| format!("{:?} {:?} on {:?}", it.entry.id, it.verdict, it.entry.header.deps))
            .collect();
        format!("{}: {row:?}, {edits:#?}", self.told_of(site))
    }

    /// Villages of the cast in or below some areas.
    pub(super) fn villages_within(&self, held: &BTreeSet<AreaId>, tree: &AreaTree) -> Vec<AreaId> {
        let below = held.iter().flat_map(|held| tree.descendants(*held).into_iter().chain([*held]));
        let below: BTreeSet<AreaId> = below.collect();
        self.villages.iter().copied().filter(|area| below.contains(area)).collect()
    }

    /// Who was ever certified, and for what: known to the simulation, whatever nodes believe.
    fn members(&self) -> BTreeMap<DeviceId, AreaId> {
        let certified = self.sites.iter().filter(|site| site.role.certified);
        certified.map(|site| (site.role.device(), site.role.area)).collect()
    }

    /// Nobody is a member, and nothing counts, without a certificate that covers its area, be it one that a
    /// liar may give.
    fn check_certified(
        &self,
        site: usize,
        members: &BTreeMap<DeviceId, AreaId>,
    ) -> Result<(), String> {
        let Some(up) = &self.sites[site].up else { return Ok(()) };
        let replica = up.node.replica();
        let (then, now) = (AreaTree::west_java(), replica.authority().tree());
        let covers = |own: &AreaId, other| [&then, now].iter().any(|tree| tree.covers(*own, other));
        for (device, member) in replica.authority().members() {
            let by_liars = self.named_elsewhere.get(device);
            // Whom a liar certified besides is a member, and what it asked for itself stands there, too.
            let asked = self.sites_of(device).iter().filter(|_| by_liars.is_some());
            let asked: BTreeSet<AreaId> = asked.map(|it| self.sites[*it].role.area).collect();
            let is_named = |area: AreaId| {
                let mut by_liars = by_liars.into_iter().flatten();
                members.get(device) == Some(&area)
                    || asked.contains(&area)
                    || self.named_besides.contains(device)
                    || by_liars.any(|(by, it)| *it == area && covers(by, area))
            };
            let waits = member.state != MemberState::Active;
            if let Some(grant) = member.grants.iter().find(|it| !waits && !is_named(it.area)) {
                return Err(format!(
                    "site {site}: {device} is a member of {}, which nobody certified",
                    grant.area
                ));
            }
        }
        for feed in replica.feeds().filter(|feed| feed.name.space == Space::Records) {
            let heads = replica.summary().feed(&feed.name.id());
            if heads.is_none_or(|held| held.heads.is_empty()) {
                continue;
            }
            let area = members.get(&feed.name.device);
            let covers = |own: &AreaId| covers(own, feed.name.area);
            let mut named = self.named_elsewhere.get(&feed.name.device).into_iter().flatten();
            let may_name = |(by, area): &(AreaId, AreaId)| covers(by) && covers(area);
            if !area.is_some_and(covers) && !named.any(may_name) {
                return Err(format!(
                    "site {site}: a feed of {} in {} counts, which nobody certified",
                    feed.name.device, feed.name.area
                ));
            }
        }
        Ok(())
    }

    /// No table of a node is longer than is stated.
    ///
    /// # Errors
    /// The one that is.
    pub(super) fn check_bounds(&mut self, site: usize) -> Result<(), String> {
        let tables = self.tables_of(site);
        self.within_limits(site, tables)
    }

    /// What a node holds of others, as far as it has a limit.
    fn tables_of(&self, site: usize) -> Vec<Table> {
        let Some(up) = &self.sites[site].up else { return Vec::new() };
        let me = self.sites[site].role.device();
        let replica = up.node.replica();
        let mut tables = Vec::new();
        let mut incarnations: BTreeMap<_, usize> = BTreeMap::new();
        let (mut entries, mut waiting) = (BTreeMap::<DeviceId, u64>::new(), BTreeSet::new());
        for feed in replica.feeds() {
            let name = &feed.name;
            // What authority names is taken beyond the caps (ADR 0024), and of records what counting
            // edits rest on (ADR 0029).
            let is_named = !replica.authority().named(name).is_empty();
            let may_pass = is_named || name.space == Space::Records;
            let (what, most) = if may_pass {
                ("branches of a feed that may pass the cap", BRANCHES_NAMED_MAX)
            } else {
                ("branches of a feed", BRANCHES_MAX)
            };
            tables.push(Table::new(what, feed.branches.len(), most));
            if name.device == me {
                continue;
            }
            let unnamed = usize::from(!is_named);
            *incarnations.entry((name.device, name.area, name.space)).or_default() += unnamed;
            let held = feed.branches.iter().map(|branch| branch.head.point.seq).sum::<u64>();
            *entries.entry(name.device).or_default() += held;
            if replica.authority().standing(name) == Standing::Provisional {
                waiting.insert(name.device);
            }
        }
        tables.extend(self.lives_of_honest(replica));
        tables.extend(incarnations.into_iter().map(|((.., space), feeds)| match space {
            Space::Authority => Table::new("feeds of authority", feeds, INCARNATIONS_MAX),
            Space::Records => Table::new("feeds of records", feeds, INCARNATIONS_RESTED_MAX),
        }));
        let waits = waiting.iter().filter_map(|device| entries.get(device)).max();
        let waits = waits.and_then(|most| usize::try_from(*most).ok()).unwrap_or(0);
        tables.push(Table::new("entries of one that waits", waits, PROVISIONAL_MAX));
        let left = waiting.iter().map(|device| bytes_left(replica, *device)).max().unwrap_or(0);
        tables.push(Table::new("bytes of runs of one that waits", left, PROVISIONAL_BYTES_MAX));
        let links = self.wires.of(site).count();
        // Of links there is no more than there are lines.
        tables.push(Table::new(
            "links that are gone",
            up.exchange.links().saturating_sub(links),
            0,
        ));
        tables.extend(up.exchange.tables());
        tables
    }

    /// Feeds and branches of those that do not lie, and what of them no copy or backup explains. Saves of one
    /// that reached a limit would go nowhere.
    fn lives_of_honest(&self, replica: &Held) -> [Table; 4] {
        let mut feeds: BTreeMap<_, usize> = BTreeMap::new();
        let ([mut most_feeds, mut more_feeds], [mut most_branches, mut more_branches]) =
            ([0; 2], [0; 2]);
        for feed in replica.feeds() {
            let (device, branches) = (feed.name.device, feed.branches.len());
            let sites = self.sites_of(&device);
            if sites.is_empty() || sites.iter().any(|site| self.sites[*site].hostile) {
                continue;
            }
            let lives = self.lives(&device);
            let of_area = feeds.entry((device, feed.name.area, feed.name.space)).or_default();
            *of_area += 1;
            most_feeds = most_feeds.max(*of_area);
            more_feeds = more_feeds.max(of_area.saturating_sub(2 * lives));
            most_branches = most_branches.max(branches);
            more_branches = more_branches.max(branches.saturating_sub(lives));
        }
        [
            Table::new("feeds of one that does not lie", most_feeds, INCARNATIONS_MAX - 1),
            Table::new("feeds that no copy or backup explains", more_feeds, 0),
            Table::new("branches of one that does not lie", most_branches, BRANCHES_MAX - 1),
            Table::new("branches that no copy or backup explains", more_branches, 0),
        ]
    }

    /// What peers can fill is within its limit, whenever it is looked at; how full it was is kept.
    ///
    /// # Errors
    /// The first table that is not.
    pub(super) fn within_limits(
        &mut self,
        site: usize,
        tables: impl IntoIterator<Item = Table>,
    ) -> Result<(), String> {
        for table in tables {
            let ever = self.fullest.entry(table.what).or_insert((0, table.most));
            ever.0 = table.held.max(ever.0);
            if !table.is_within() {
                return Err(format!("site {site} holds {table}"));
            }
        }
        Ok(())
    }
}

/// The roots of authority and of records.
pub(super) fn roots<F: FeedStore, V: ViewStore>(
    replica: &Replica<F, V>,
    area: AreaId,
) -> (Root, Root) {
    (replica.summary().authority_root(area), replica.summary().root(area))
}

/// Bytes of all runs of a device, as they lie in the store.
fn bytes_left<F: FeedStore, V: ViewStore>(replica: &Replica<F, V>, device: DeviceId) -> usize {
    let mut left = 0;
    for feed in replica.feeds().filter(|feed| feed.name.device == device) {
        for branch in &feed.branches {
            let mut at = branch.from.map_or(1, |(_, shared)| shared + 1);
            while at <= branch.head.point.seq {
                let run = replica.feed_store().packed_run(feed.name.id(), branch.branch, at);
                left += run.ok().flatten().map_or(0, |run| run.bytes.len());
                at = at.next_multiple_of(CHECKPOINT_EVERY) + 1;
            }
        }
    }
    left
}

/// What is held of one feed, whether it counts or not, for who looks for a mistake.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entries {
    device: DeviceId,
    area: AreaId,
    /// Newest sequences of its branches.
    newest: Vec<u64>,
    standing: String,
}

impl Entries {
    fn told(&self) -> String {
        let Self { device, area, newest, standing } = self;
        format!("{device} in {area} to {newest:?}, {standing}")
    }
}

fn entries_of<F: FeedStore, V: ViewStore>(
    replica: &Replica<F, V>,
    space: Space,
    is_meant: impl Fn(AreaId) -> bool,
) -> BTreeSet<Entries> {
    let meant = replica.feeds().filter(|it| it.name.space == space && is_meant(it.name.area));
    meant
        .map(|feed| {
            let FeedName { device, area, .. } = feed.name;
            let newest = feed.branches.iter().map(|branch| branch.head.point.seq).collect();
            let standing = format!("{:?}", replica.authority().standing(&feed.name));
            Entries { device, area, newest, standing }
        })
        .collect()
}

/// The counting records of an area: as they are kept, and as a person sees them.
fn shown(up: &Up, area: AreaId) -> Result<Shown, String> {
    // What waits or is quarantined lies outside roots, and is given to who may decide about it.
    let verdicts = BTreeSet::from([RecordVerdict::Counting]);
    let filter = RowFilter { areas: BTreeSet::from([area]), verdicts, ..RowFilter::default() };
    let rows = every_row(up.node.replica(), &filter)?;
    let show = |row: ViewRow| {
        let key = row.key;
        // A member that lies gave its own record the same id: it is named by its area and kind, too.
        let kind = Schema::standard().kind_numbered(key.kind).map_or("", |kind| kind.name);
        let id = format!("{}@{}@{kind}", key.record, key.area);
        let shown = up.node.record_show(&id, None).map_err(told)?;
        let shown = serde_json::to_string(&shown).map_err(told)?;
        Ok((key, (row, shown)))
    };
    rows.into_iter().map(show).collect()
}

/// In what the records of two nodes differ.
fn difference(mine: &Shown, theirs: &Shown) -> Option<(RecordKey, &'static str)> {
    for (here, there) in [(mine, theirs), (theirs, mine)] {
        if let Some((_, (row, _))) = here.iter().find(|(record, _)| !there.contains_key(*record)) {
            return Some((row.key, "a record on one side"));
        }
    }
    mine.iter().find_map(|(record, (row, shown))| {
        let (other, seen) = theirs.get(record)?;
        if other != row {
            Some((row.key, "rows that differ"))
        } else if seen != shown && !seen.is_empty() && !shown.is_empty() {
            Some((row.key, "a record shown in two ways"))
        } else {
            None
        }
    })
}
