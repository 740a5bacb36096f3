//! What a replica must show, computed from its feeds alone by the plainest means: every entry looked
//! at, every past walked, every record folded from nothing. Shares no code with `node::replica`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crdt_schema::area::AreaId;
use crdt_schema::authority::{Payload, SignedStatement};
use crdt_schema::class::Class;
use crdt_schema::entry::{ChainPoint, Entry, EntryKind};
use crdt_schema::fold::{FoldEntry, Folded, SectionRead, fold};
use crdt_schema::id::{DeviceId, EntryId, FeedId, FeedName, Space};
use crdt_schema::record::Schema;
use crdt_schema::testing::disagreement;
use crdt_schema::time::Timestamp;
use node::authority::{Authority, AuthorityEntry, Standing};
use node::ports::{FeedStore, RecordKey, RecordVerdict, RowFilter, ViewRow, ViewStore};
use node::progress::Unwatched;
use node::replica::{EntryVerdict, Replica};
use node::sync::Summary;

use super::cast::Cast;
use super::stores::{Feeds, Views};

/// One feed with all its branches, as a tree of entries.
struct FeedTree {
    name: FeedName,
    entries: BTreeMap<EntryId, Entry>,
}

impl FeedTree {
    fn read(
        store: &impl FeedStore,
        is_asked: impl Fn(&FeedName) -> bool,
    ) -> Result<Vec<Self>, String> {
        let mut feeds = Vec::new();
        for feed in store.feeds().map_err(told)?.into_iter().filter(|feed| is_asked(&feed.name)) {
            let mut entries = BTreeMap::new();
            for branch in &feed.branches {
                let range = 1..=branch.head.point.seq;
                let held = store.entries(feed.name.id(), branch.branch, range).map_err(told)?;
                entries.extend(held.into_iter().map(|entry| (entry.id, entry)));
            }
            feeds.push(Self { name: feed.name, entries });
        }
        Ok(feeds)
    }

    /// The entry at `end` and all before it; nothing when it is not held.
    fn past(&self, end: ChainPoint) -> BTreeSet<EntryId> {
        let mut past = BTreeSet::new();
        let mut at = end.id;
        while let Some(entry) = self.entries.get(&at) {
            past.insert(at);
            at = entry.header.prev;
        }
        past
    }

    /// Entries that count, when the feed counts up to `end`: the way there. While the end is not held,
    /// whatever lies before its place.
    fn until(&self, end: ChainPoint) -> BTreeSet<EntryId> {
        let way = self.past(end);
        if !way.is_empty() {
            return way;
        }
        let before = self.entries.values().filter(|entry| entry.header.seq < end.seq);
        before.map(|entry| entry.id).collect()
    }

    fn counting(&self, authority: &Authority) -> BTreeSet<EntryId> {
        let is_open = |id: &EntryId| self.entries.get(id).is_some_and(|it| it.header.is_open());
        let mut counting: BTreeSet<EntryId> = match authority.standing(&self.name) {
            Standing::Counts => return self.entries.keys().copied().collect(),
            Standing::OpenCounts(None) => self.entries.keys().copied().filter(is_open).collect(),
            Standing::OpenCounts(Some(end)) => {
                self.until(end).into_iter().filter(is_open).collect()
            }
            Standing::Provisional => return BTreeSet::new(),
            Standing::CountsUntil(end) => self.until(end),
            Standing::Outside | Standing::Unknown => BTreeSet::new(),
        };
        for (first, last) in authority.adopted(&self.name) {
            let range = self.past(last).into_iter().filter(|id| self.seq(id) >= first);
            counting.extend(range);
        }
        counting
    }

    fn seq(&self, id: &EntryId) -> u64 {
        self.entries.get(id).map_or(0, |entry| entry.header.seq)
    }

    /// Counting entries that no other counting entry has before it.
    fn heads(&self, counting: &BTreeSet<EntryId>) -> Vec<ChainPoint> {
        let mut covered = BTreeSet::new();
        for id in counting {
            let mut at = self.entries[id].header.prev;
            while let Some(entry) = self.entries.get(&at) {
                if !covered.insert(at) {
                    break;
                }
                at = entry.header.prev;
            }
        }
        counting.difference(&covered).map(|id| self.entries[id].point()).collect()
    }

    /// Whether what does not count of it may be rested on.
    fn bears(&self, authority: &Authority) -> bool {
        match authority.standing(&self.name) {
            Standing::Counts | Standing::CountsUntil(_) | Standing::OpenCounts(_) => true,
            Standing::Provisional | Standing::Outside | Standing::Unknown => false,
        }
    }

    /// Whether an entry that does not count waits for its device's confirmation.
    fn waits(&self, id: &EntryId, authority: &Authority) -> bool {
        match authority.standing(&self.name) {
            Standing::Provisional | Standing::OpenCounts(None) => true,
            Standing::OpenCounts(Some(end)) => self.until(end).contains(id),
            Standing::Counts | Standing::CountsUntil(_) | Standing::Outside | Standing::Unknown => {
                false
            }
        }
    }

    fn verdict(
        &self,
        id: &EntryId,
        counting: &BTreeSet<EntryId>,
        authority: &Authority,
    ) -> EntryVerdict {
        if counting.contains(id) {
            EntryVerdict::Counting
        } else if self.waits(id, authority) {
            EntryVerdict::Provisional
        } else {
            EntryVerdict::Quarantined
        }
    }
}

/// An edit, how it stands, whether it may be rested on, its claimed time, and what it weighs.
struct Judged {
    edit: FoldEntry,
    verdict: EntryVerdict,
    bears: bool,
    at: Timestamp,
    /// With its sections, and without them.
    weight: (u64, u64),
}

impl Judged {
    fn speaks(&self, least: EntryVerdict) -> bool {
        self.verdict <= least
    }
}

/// What of a record's edits does not speak and lies in the past of one that does, reached through what
/// may be rested on.
fn rested_on(edits: &[Judged], least: EntryVerdict) -> BTreeSet<EntryId> {
    let mut past: BTreeSet<EntryId> = BTreeSet::new();
    loop {
        let reached = edits.iter().filter(|it| it.speaks(least) || past.contains(&it.edit.id));
        let deps: BTreeSet<EntryId> = reached.flat_map(|it| it.edit.deps.clone()).collect();
        let borne = edits.iter().filter(|it| it.bears && !it.speaks(least));
        let now = borne.map(|it| it.edit.id).filter(|id| deps.contains(id)).collect();
        if past == now {
            return past;
        }
        past = now;
    }
}

fn all_rested_on(judged: &BTreeMap<RecordKey, Vec<Judged>>) -> BTreeSet<EntryId> {
    judged.values().flat_map(|it| rested_on(it, EntryVerdict::Counting)).collect()
}

/// The edits of every record.
fn judged(feeds: &[FeedTree], authority: &Authority) -> BTreeMap<RecordKey, Vec<Judged>> {
    let mut judged: BTreeMap<RecordKey, Vec<Judged>> = BTreeMap::new();
    for feed in feeds.iter().filter(|feed| feed.name.space == Space::Records) {
        let (counting, bears) = (feed.counting(authority), feed.bears(authority));
        for entry in feed.entries.values().filter(|entry| entry.header.kind == EntryKind::EDIT) {
            let header = &entry.header;
            let (area, kind, record) = (feed.name.area, header.record_kind, header.record);
            let verdict = feed.verdict(&entry.id, &counting, authority);
            let fold_entry = FoldEntry {
                id: entry.id,
                deps: header.deps.clone(),
                counts: verdict == EntryVerdict::Counting,
                sections: SectionRead::of(entry),
            };
            let sections = header.sections.iter().map(|it| u64::from(it.length)).sum::<u64>();
            let bare = 128 + 32 * header.deps.len() as u64;
            judged.entry(RecordKey { area, kind, record }).or_default().push(Judged {
                edit: fold_entry,
                verdict,
                bears,
                at: header.claimed_at,
                weight: (bare + sections, bare),
            });
        }
    }
    judged
}

/// Of each feed the heads of what counts or is rested on.
fn heads(
    feeds: &[FeedTree],
    authority: &Authority,
    rested: &BTreeSet<EntryId>,
) -> BTreeMap<FeedName, Vec<ChainPoint>> {
    let heads = feeds.iter().map(|feed| {
        let mut common = feed.counting(authority);
        common.extend(rested.iter().filter(|id| feed.entries.contains_key(id)));
        let mut heads = feed.heads(&common);
        heads.sort_unstable();
        (feed.name, heads)
    });
    heads.collect()
}

/// What the root of the records of an area is made of, without the feeds of some devices and what they
/// alone rest on.
///
/// # Errors
/// What a store said.
pub(crate) fn heads_of_area(
    store: &impl FeedStore,
    authority: &Authority,
    area: AreaId,
    without: &BTreeSet<DeviceId>,
) -> Result<BTreeMap<FeedName, Vec<ChainPoint>>, String> {
    let is_asked = |name: &FeedName| {
        name.space == Space::Records && name.area == area && !without.contains(&name.device)
    };
    let feeds = FeedTree::read(store, is_asked)?;
    let rested = all_rested_on(&judged(&feeds, authority));
    let mut heads = heads(&feeds, authority, &rested);
    heads.retain(|_, heads| !heads.is_empty());
    Ok(heads)
}

/// What a replica must show.
#[derive(Debug)]
pub(crate) struct Expected {
    rows: BTreeMap<RecordKey, ViewRow>,
    /// Of each record its edits as the fold of counting entries sees them.
    edits: BTreeMap<RecordKey, Vec<FoldEntry>>,
    heads: BTreeMap<FeedId, (FeedName, Vec<ChainPoint>)>,
    /// Entries that do not count and are rested on.
    rested: usize,
    authority: Authority,
}

/// Holds a replica against what its feeds say; with `documents` also against Automerge.
///
/// # Errors
/// What differs.
pub(super) fn check(replica: &Replica<Feeds, Views>, documents: bool) -> Result<Expected, String> {
    let cast = Cast::get();
    let truth = &replica.feed_store().held;
    check_over(replica, truth, &cast.statement, &cast.areas(), documents)
}

/// The same of any replica, whose `truth` nobody lies about, in a network of this statement.
///
/// # Errors
/// What differs.
pub(crate) fn check_over<F: FeedStore, V: ViewStore>(
    replica: &Replica<F, V>,
    truth: &impl FeedStore,
    statement: &SignedStatement,
    areas: &[AreaId],
    documents: bool,
) -> Result<Expected, String> {
    let expected = Expected::of(truth, statement)?;
    expected.check_authority(replica, areas)?;
    expected.check_rows(replica)?;
    expected.check_roots(replica, areas)?;
    let agree = replica.views_agree(&mut Unwatched).map_err(told)?;
    if !agree {
        return Err("the replica says itself that its views do not agree".to_owned());
    }
    if documents {
        expected.check_documents()?;
    }
    Ok(expected)
}

impl Expected {
    fn of(store: &impl FeedStore, statement: &SignedStatement) -> Result<Self, String> {
        let feeds = FeedTree::read(store, |_| true)?;
        let mut declared = Vec::new();
        for feed in feeds.iter().filter(|feed| feed.name.space == Space::Authority) {
            declared.extend(feed.entries.values().map(|entry| authority_entry(&feed.name, entry)));
        }
        let authority = Authority::compute(statement.clone(), &declared);
        let judged = judged(&feeds, &authority);
        let rested = all_rested_on(&judged);
        let heads = heads(&feeds, &authority, &rested);
        let heads = heads.into_iter().map(|(name, heads)| (name.id(), (name, heads))).collect();
        let rows = judged.iter().map(|(key, edits)| (*key, row(*key, edits))).collect();
        let only = |edits: Vec<Judged>| {
            let of_past = edits.into_iter().filter(|it| it.edit.counts || it.bears);
            of_past.map(|it| it.edit).collect()
        };
        let edits = judged.into_iter().map(|(key, edits)| (key, only(edits))).collect();
        Ok(Self { rows, edits, heads, rested: rested.len(), authority })
    }

    /// Records with an edit that waits for an entry nobody brought.
    pub(super) fn waiting(&self) -> usize {
        self.rows.values().filter(|row| row.waits).count()
    }

    /// Entries that do not count and that counting ones rest on.
    pub(super) const fn rested(&self) -> usize {
        self.rested
    }

    /// Rows by verdict.
    pub(super) fn with(&self, verdict: RecordVerdict) -> usize {
        self.rows.values().filter(|row| row.verdict == verdict).count()
    }

    /// Rows in conflict.
    pub(super) fn conflicts(&self) -> usize {
        self.rows.values().filter(|row| row.conflicts > 0).count()
    }

    /// Entries of records that do not count.
    pub(super) fn uncounted(&self) -> usize {
        self.edits.values().flatten().filter(|edit| !edit.counts).count()
    }

    fn check_authority<F: FeedStore, V: ViewStore>(
        &self,
        replica: &Replica<F, V>,
        areas: &[AreaId],
    ) -> Result<(), String> {
        let live = replica.authority();
        same("members", live.members().collect(), self.authority.members().collect::<Vec<_>>())?;
        for (name, _) in self.heads.values() {
            let adopted = (live.adopted(name), self.authority.adopted(name));
            same("what of a feed was adopted", adopted.0, adopted.1)?;
            let (live, once) = (live.standing(name), self.authority.standing(name));
            if live != once {
                return Err(format!("the standing of a feed is {live:?}, at once {once:?}"));
            }
        }
        let live = replica.authority().tree();
        for area in areas.iter().copied() {
            same("the parent of an area", live.parent(area), self.authority.tree().parent(area))?;
        }
        Ok(())
    }

    fn check_rows<F: FeedStore, V: ViewStore>(
        &self,
        replica: &Replica<F, V>,
    ) -> Result<(), String> {
        let rows = every_row(replica, &RowFilter::default())?;
        for row in &rows {
            let Some(expected) = self.rows.get(&row.key) else {
                return Err(format!("a row of {:?}, which nobody wrote", row.key.record));
            };
            if let Some(what) = differs(row, expected) {
                return Err(format!("the row of {:?} has {what}", row.key.record));
            }
        }
        same("the number of rows", rows.len(), self.rows.len())
    }

    fn check_roots<F: FeedStore, V: ViewStore>(
        &self,
        replica: &Replica<F, V>,
        areas: &[AreaId],
    ) -> Result<(), String> {
        let tree = Arc::new(self.authority.tree().clone());
        let mut summary = Summary::new(tree);
        for (name, heads) in self.heads.values() {
            summary.set(*name, heads.clone());
        }
        for area in areas.iter().copied() {
            let live = replica.summary();
            same(&format!("the root of {area}"), live.root(area), summary.root(area))?;
            let (live, once) = (live.authority_root(area), summary.authority_root(area));
            same("the authority root of an area", live, once)?;
        }
        Ok(())
    }

    fn check_documents(&self) -> Result<(), String> {
        for (key, edits) in &self.edits {
            if let Some(what) = disagreement(edits, &fold(edits)) {
                return Err(format!("record {:?}: {what}", key.record));
            }
        }
        Ok(())
    }
}

/// All rows that match, page after page: one page ends where it is heavy.
pub(crate) fn every_row<F: FeedStore, V: ViewStore>(
    replica: &Replica<F, V>,
    filter: &RowFilter,
) -> Result<Vec<ViewRow>, String> {
    let views = replica.views().map_err(told)?;
    let mut rows: Vec<ViewRow> = Vec::new();
    loop {
        let after = rows.last().map(|row| row.key);
        let page = views.list(filter, after.as_ref(), usize::MAX, replica.feed_store());
        let (all, page) = page.map_err(told)?;
        let is_last = page.is_empty();
        rows.extend(page);
        if is_last {
            same("how many rows match", rows.len() as u64, all)?;
            return Ok(rows);
        }
    }
}

/// The row of a record: what counts; else what waits; else everything. One whose edits weigh more than
/// a mebibyte has no values, and is set aside when those that count do.
fn row(key: RecordKey, edits: &[Judged]) -> ViewRow {
    const MOST: u64 = 1 << 20;
    let with = |least: EntryVerdict| {
        let rested = rested_on(edits, least);
        let share = |it: &Judged| match (it.speaks(least), rested.contains(&it.edit.id)) {
            (true, _) => it.weight.0,
            (false, true) => it.weight.1,
            (false, false) => 0,
        };
        let weight = edits.iter().map(share).sum::<u64>();
        let entries: Vec<FoldEntry> = edits
            .iter()
            .filter(|it| weight <= MOST && (it.speaks(least) || it.bears))
            .map(|it| FoldEntry { counts: it.speaks(least), ..it.edit.clone() })
            .collect();
        (least, weight.min(MOST + 1), fold(&entries))
    };
    let counting = with(EntryVerdict::Counting);
    let (verdict, (least, weight, folded)) = if counting.1 > MOST {
        (RecordVerdict::SetAside, counting)
    } else if !counting.2.state.heads().is_empty() {
        (RecordVerdict::Counting, counting)
    } else if edits.iter().any(|it| it.verdict != EntryVerdict::Quarantined) {
        (RecordVerdict::Waiting, with(EntryVerdict::Provisional))
    } else {
        (RecordVerdict::Quarantined, with(EntryVerdict::Quarantined))
    };
    let kind = Schema::standard().kind_numbered(key.kind);
    let greatest = || edits.iter().filter(|it| it.speaks(least)).map(|it| it.at).max();
    ViewRow {
        key,
        state: folded.state.encode(),
        verdict,
        conflicts: u32::try_from(folded.state.conflicts().len()).unwrap(),
        waits: folded.incomplete > 0,
        changed_at: if weight > MOST {
            greatest().unwrap_or_default()
        } else {
            newest(edits, least, &folded)
        },
        weight: u32::try_from(weight).unwrap(),
        terms: kind.map(|kind| kind.terms(&folded.state)).unwrap_or_default(),
    }
}

/// Claimed time of the last complete edit that speaks in this layer, in display order.
fn newest(edits: &[Judged], least: EntryVerdict, folded: &Folded) -> Timestamp {
    let speaking = edits.iter().filter(|it| it.verdict <= least);
    let place = |it: &Judged| (folded.depths.get(&it.edit.id).copied(), it.at, it.edit.id);
    let placed = speaking.map(|it| (place(it), it.at));
    placed.max().map(|(_, at)| at).unwrap_or_default()
}

/// In what two rows of one record differ.
pub(super) fn differs(row: &ViewRow, other: &ViewRow) -> Option<&'static str> {
    let facts = [
        ("another verdict", row.verdict == other.verdict),
        ("other values", row.state == other.state),
        ("other conflicts", row.conflicts == other.conflicts),
        ("another opinion on what waits", row.waits == other.waits),
        ("another time", row.changed_at == other.changed_at),
        ("another weight", row.weight == other.weight),
        ("other terms", row.terms == other.terms),
    ];
    facts.into_iter().find(|(_, equal)| !equal).map(|(what, _)| what)
}

fn authority_entry(name: &FeedName, entry: &Entry) -> AuthorityEntry {
    let body = entry.open_body(Class::Open);
    AuthorityEntry {
        feed: *name,
        point: entry.point(),
        prev: entry.header.prev,
        kind: entry.header.kind,
        deps: entry.header.deps.clone(),
        payload: body.and_then(|body| Payload::from_bytes(entry.header.kind, body).ok().flatten()),
    }
}

/// Equal, or told.
///
/// # Errors
/// Names what differs.
#[expect(clippy::needless_pass_by_value, reason = "what is compared is made to be compared")]
pub(super) fn same<T: PartialEq>(what: &str, here: T, there: T) -> Result<(), String> {
    if here == there { Ok(()) } else { Err(format!("{what} differs")) }
}

/// An error in words.
pub(super) fn told(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}
