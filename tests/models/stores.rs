//! The feed store against lists: what was committed is answered, in memory and on a disk, also
//! after it was opened again; what does not follow is refused and leaves nothing.

use std::collections::BTreeMap;
use std::fmt;

use crdt_schema::area::AreaId;
use crdt_schema::class::Class;
use crdt_schema::entry::{
    CHECKPOINT_EVERY, ChainPoint, Draft, DraftSection, Entry, EntryKind, Places, Run, SigningSecret,
};
use crdt_schema::id::{DeviceId, EntryId, FeedId, FeedName, RecordId, Space, StoreInstance};
use crdt_schema::time::Timestamp;
use node::ports::{FeedBatch, FeedStore, PlacedRun, StoreError};
use node::store::feed::RedbFeedStore;
use node::store::memory::MemoryFeedStore;
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use tempfile::TempDir;

/// Devices that write, each one feed.
const WRITERS: u8 = 3;
/// Branches of one feed.
const BRANCHES: usize = 4;
const INSTANCE: StoreInstance = StoreInstance([7; 16]);

/// A branch as a list: all its entries from the first of the feed on, and where it left which.
#[derive(Clone, Default)]
struct Branch {
    from: Option<(u32, u64)>,
    entries: Vec<Entry>,
    signed: BTreeMap<u64, [u8; 64]>,
}

impl Branch {
    fn head(&self) -> ChainPoint {
        self.entries.last().map_or(ChainPoint::START, Entry::point)
    }
}

/// What was committed, and what the next transition is.
#[derive(Clone, Default)]
struct Lists {
    feeds: BTreeMap<u8, Vec<Branch>>,
    values: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Feed, branch, first, last.
    arrivals: Vec<(FeedId, u32, u64, u64)>,
    /// What the step of now asks the stores for.
    batch: FeedBatch,
}

impl fmt::Debug for Lists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lists").field("arrivals", &self.arrivals).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// A writer adds so many entries to one of its branches.
    Write(u8, usize, usize),
    /// A writer goes on from an earlier place, as a copied card does.
    Fork(u8, usize, usize),
    /// A small value is put or removed.
    Value(u8, Option<Vec<u8>>),
    /// A run that leaves a gap.
    Gap(u8),
    /// The store is closed and opened again.
    Reopen,
}

fn name(writer: u8) -> FeedName {
    let area: AreaId = "32092120160".parse().unwrap();
    FeedName { device: DeviceId([writer; 32]), area, space: Space::Records, incarnation: 7 }
}

fn secret(writer: u8) -> SigningSecret {
    SigningSecret::from_seed(&[writer; 32])
}

/// Where things stand in a branch.
struct Past<'a>(&'a [Entry]);

impl Places for Past<'_> {
    fn seq_of(&self, id: &EntryId) -> Option<u64> {
        self.0.iter().find(|entry| entry.id == *id).map(|entry| entry.header.seq)
    }

    fn named_at(&self, kind: u16, record: &RecordId) -> Option<u64> {
        let same =
            |entry: &&Entry| entry.header.record_kind == kind && entry.header.record == *record;
        self.0.iter().find(same).map(|entry| entry.header.seq)
    }
}

/// Entries that follow `past`, each upon the one before, `salt` telling forks apart.
fn write(writer: u8, past: &[Entry], count: usize, salt: u8) -> Run {
    let feed = name(writer).id();
    let start = past.last().map_or(ChainPoint::START, Entry::point);
    let mut entries: Vec<Entry> = Vec::new();
    for step in 0..count {
        let after = entries.last().map_or(start, Entry::point);
        let place = u8::try_from(after.seq % 251).unwrap();
        let body = [salt, place, u8::try_from(step % 251).unwrap()];
        let dep = (after.seq > 0).then_some(after.id);
        let draft = Draft {
            kind: EntryKind::EDIT,
            record_kind: 5,
            record: RecordId([place % 3; 16]),
            person: 0,
            claimed_at: Timestamp(i64::from(place)),
            deps: dep.into_iter().collect(),
            sections: vec![DraftSection::in_clear(Class::Open, &body, [0; 16])],
        };
        entries.push(draft.place(feed, after).unwrap());
        if entries.last().unwrap().header.seq.is_multiple_of(CHECKPOINT_EVERY) {
            break;
        }
    }
    Run::author(start, entries, &Past(past), &secret(writer)).unwrap()
}

impl Lists {
    fn add(&mut self, writer: u8, number: usize, run: Run) {
        let branches = self.feeds.entry(writer).or_default();
        let branch = branches.get_mut(number).unwrap();
        let (first, last) = (run.prev().seq + 1, run.head().point.seq);
        let is_new = branch.entries.len() as u64 == run.prev().seq && branch.signed.is_empty();
        let from = branch.from.filter(|_| is_new);
        branch.signed.insert(last, run.head().signature);
        branch.entries.extend(run.entries().iter().cloned());
        let number = u32::try_from(number).unwrap();
        self.arrivals.push((run.feed(), number, first, last));
        self.batch.new_feeds.push(name(writer));
        self.batch.runs.push(PlacedRun { branch: number, from, run });
    }
}

struct Model;

impl ReferenceStateMachine for Model {
    type State = Lists;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Lists> {
        Just(Lists::default()).boxed()
    }

    fn transitions(_: &Lists) -> BoxedStrategy<Step> {
        let writer = || 0..WRITERS;
        prop_oneof![
            6 => (writer(), 0..BRANCHES, 1_usize..80).prop_map(|(a, b, c)| Step::Write(a, b, c)),
            2 => (writer(), 0..BRANCHES, 0_usize..200).prop_map(|(a, b, c)| Step::Fork(a, b, c)),
            1 => (0_u8..4, prop::option::of(prop::collection::vec(any::<u8>(), 0..9)))
                .prop_map(|(name, value)| Step::Value(name, value)),
            1 => writer().prop_map(Step::Gap),
            2 => Just(Step::Reopen),
        ]
        .boxed()
    }

    fn apply(mut lists: Lists, step: &Step) -> Lists {
        lists.batch = FeedBatch::default();
        match step {
            Step::Write(writer, branch, count) => {
                let branches =
                    lists.feeds.entry(*writer).or_insert_with(|| vec![Branch::default()]);
                let number = branch % branches.len();
                let past = branches.get(number).unwrap().entries.clone();
                let salt = u8::try_from(number).unwrap();
                lists.add(*writer, number, write(*writer, &past, *count, salt));
            }
            Step::Fork(writer, parent, place) => {
                let Some(branches) = lists.feeds.get_mut(writer) else { return lists };
                if branches.len() >= BRANCHES {
                    return lists;
                }
                let parent = parent % branches.len();
                let whole = &branches.get(parent).unwrap().entries;
                let shared = place % (whole.len() + 1);
                let past = whole.get(..shared).unwrap().to_vec();
                let number = branches.len();
                let from = Some((u32::try_from(parent).unwrap(), shared as u64));
                branches.push(Branch { from, entries: past.clone(), ..Branch::default() });
                let salt = u8::try_from(number).unwrap();
                lists.add(*writer, number, write(*writer, &past, 2, salt));
            }
            Step::Value(key, value) => {
                lists.batch.values.push((vec![*key], value.clone()));
                match value {
                    Some(value) => lists.values.insert(vec![*key], value.clone()),
                    None => lists.values.remove(&[*key][..]),
                };
            }
            Step::Gap(_) | Step::Reopen => {}
        }
        lists
    }
}

/// A store in memory and one in a file, which take the same steps.
struct Stores {
    memory: MemoryFeedStore,
    file: Option<RedbFeedStore>,
    folder: TempDir,
}

impl Stores {
    fn each(&mut self, see: impl Fn(&mut dyn FeedStore)) {
        see(&mut self.memory);
        see(self.file.as_mut().unwrap());
    }
}

/// Everything a store answers is what the lists hold.
fn agree(store: &dyn FeedStore, lists: &Lists) {
    let mut held: Vec<u8> = lists.feeds.keys().copied().collect();
    held.sort_by_key(|writer| name(*writer).id());
    let feeds = store.feeds().unwrap();
    assert!(feeds.iter().map(|feed| feed.name).eq(held.iter().map(|writer| name(*writer))));
    for (feed, writer) in feeds.iter().zip(&held) {
        let branches = lists.feeds.get(writer).unwrap();
        assert_eq!(feed.branches.len(), branches.len());
        for ((head, branch), number) in feed.branches.iter().zip(branches).zip(0..) {
            assert_eq!(
                (head.branch, head.from, head.head.point),
                (number, branch.from, branch.head())
            );
            assert_eq!(head.head.verify(&secret(*writer).public()), Ok(()));
            reads(store, *writer, number, branch);
        }
    }
    let arrivals = store.arrivals(0, usize::MAX).unwrap();
    let rows = arrivals.iter().map(|row| (row.feed, row.branch, row.first, row.last));
    assert!(rows.eq(lists.arrivals.iter().copied()));
    assert!(arrivals.iter().map(|row| row.number).eq(1..=lists.arrivals.len() as u64));
    let values: BTreeMap<_, _> = store.values(b"").unwrap().into_iter().collect();
    assert_eq!(values, lists.values);
    for (name, value) in &lists.values {
        let up_to = [&name[..], &[0]].concat();
        let newest = Some((name.clone(), value.clone()));
        assert_eq!(store.value_up_to(b"", name).unwrap(), newest);
        assert_eq!(store.value_up_to(name, &up_to).unwrap(), newest);
    }
    if let Some((name, _)) = lists.values.first_key_value() {
        let before = name.split_last().map(|(last, rest)| [rest, &[last.wrapping_sub(1)]].concat());
        let before = before.filter(|before| before < name);
        assert!(before.is_none_or(|it| store.value_up_to(b"", &it).unwrap().is_none()));
    }
}

fn reads(store: &dyn FeedStore, writer: u8, number: u32, branch: &Branch) {
    let feed = name(writer).id();
    let last = branch.head().seq;
    assert_eq!(store.entries(feed, number, 1..=last).unwrap(), branch.entries);
    assert!(store.entries(feed, number, 1..=last + 1).is_err());
    for at in [1, last / 2, last].into_iter().filter(|at| *at > 0) {
        let entry = branch.entries.get(usize::try_from(at - 1).unwrap()).unwrap();
        assert_eq!(store.point(feed, number, at).unwrap(), Some(entry.point()));
        let run = store.packed_run(feed, number, at).unwrap().unwrap();
        let prev = ChainPoint { seq: at - 1, id: entry.header.prev };
        let opened = run.open(feed, prev, &*store.back_refs(feed, number)).unwrap();
        let run = opened.verify(&secret(writer).public()).unwrap();
        let until = at.next_multiple_of(CHECKPOINT_EVERY).min(last);
        let range = usize::try_from(at - 1).unwrap()..usize::try_from(until).unwrap();
        assert_eq!(run.entries(), branch.entries.get(range).unwrap());
    }
    assert_eq!(store.packed_run(feed, number, last + 1).unwrap(), None);
    assert_eq!(store.point(feed, number, last + 1).unwrap(), None);
}

struct Kept;

impl StateMachineTest for Kept {
    type SystemUnderTest = Stores;
    type Reference = Model;

    fn init_test(_: &Lists) -> Stores {
        let folder = tempfile::tempdir().unwrap();
        let file = RedbFeedStore::create(&folder.path().join("feed.redb"), INSTANCE).unwrap();
        Stores { memory: MemoryFeedStore::new(INSTANCE), file: Some(file), folder }
    }

    fn apply(mut stores: Stores, lists: &Lists, step: Step) -> Stores {
        match step {
            Step::Reopen => {
                stores.file = None;
                let path = stores.folder.path().join("feed.redb");
                stores.file = Some(RedbFeedStore::open(&path).unwrap());
            }
            Step::Gap(writer) => {
                let run = write(writer, &[], 3, 99);
                let mut past = run.entries().to_vec();
                past.extend(write(writer, &past, 1, 99).entries().iter().cloned());
                let run = write(writer, &past, 2, 99);
                let values = vec![(vec![0], Some(vec![0xbb]))];
                let runs = vec![PlacedRun { branch: 0, from: None, run }];
                let batch = FeedBatch { new_feeds: vec![name(writer)], runs, values };
                stores.each(|store| {
                    let refused = store.commit(&batch, Timestamp(1));
                    assert!(matches!(refused, Err(StoreError::Misuse(_))), "{refused:?}");
                });
            }
            Step::Write(..) | Step::Fork(..) | Step::Value(..) => stores.each(|store| {
                let newest = store.commit(&lists.batch, Timestamp(1)).unwrap();
                assert_eq!(newest, lists.arrivals.len() as u64);
            }),
        }
        stores
    }

    fn check_invariants(stores: &Stores, lists: &Lists) {
        agree(&stores.memory, lists);
        agree(stores.file.as_ref().unwrap(), lists);
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_feed_store_answers_what_was_committed(sequential 1..16 => Kept);
}
