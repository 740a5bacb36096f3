//! One suite that every feed store must pass: in memory, on redb in a file, and on redb on a disk
//! that forgets everything that was not synced. At its end redb and memory take the same random
//! steps. What only a disk can show stands in `durability.rs`.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

use std::fmt::Debug;
use std::sync::LazyLock;

use crdt_schema::entry::{
    BackRefs, Block, CHECKPOINT_EVERY, ChainPoint, Entry, NoBackRefs, PackedRun, Run, SigningPublic,
};
use crdt_schema::id::{FeedId, RecordId};
use crdt_schema::time::Timestamp;
use proptest::prelude::*;

use super::StoreConfig;
use super::feed::{RedbFeedStore, ScanStep};
use super::memory::MemoryFeedStore;
use super::testing::{Author, Disk, INSTANCE, NOON, batch, body, record_id};
use crate::ports::{Arrival, FeedBatch, FeedHeads, FeedStore, NamedValue, PlacedRun, StoreError};

pub(super) const AREA: &str = "32092120160";
pub(super) const OTHER_AREA: &str = "32092120170";
pub(super) const SMALL: StoreConfig = StoreConfig { cache_bytes: 1024 * 1024, check_pages: false };

/// Where a store lives, and how it is opened again.
trait Home {
    type Store: FeedStore + Debug;
    fn new() -> Self;
    fn store(&mut self) -> &mut Self::Store;
    fn reopen(&mut self);
}

struct InMemory(MemoryFeedStore);

impl Home for InMemory {
    type Store = MemoryFeedStore;
    fn new() -> Self {
        Self(MemoryFeedStore::new(INSTANCE))
    }
    fn store(&mut self) -> &mut MemoryFeedStore {
        &mut self.0
    }
    fn reopen(&mut self) {}
}

struct InFile(tempfile::TempDir, Option<RedbFeedStore>);

impl InFile {
    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("feeds.redb")
    }
}

impl Home for InFile {
    type Store = RedbFeedStore;
    fn new() -> Self {
        let mut home = Self(tempfile::tempdir().unwrap(), None);
        home.1 = Some(RedbFeedStore::create(&home.path(), INSTANCE).unwrap());
        home
    }
    fn store(&mut self) -> &mut RedbFeedStore {
        self.1.as_mut().unwrap()
    }
    fn reopen(&mut self) {
        self.1 = None;
        self.1 = Some(RedbFeedStore::open(&self.path()).unwrap());
    }
}

/// Opening again means: after a failed write, read anew in place.
struct ReadAnew(InFile);

impl Home for ReadAnew {
    type Store = RedbFeedStore;
    fn new() -> Self {
        Self(InFile::new())
    }
    fn store(&mut self) -> &mut RedbFeedStore {
        self.0.store()
    }
    fn reopen(&mut self) {
        self.store().reopen().unwrap();
    }
}

/// Opening again means: the power went, and of what was not synced nothing is left.
struct OnForgetfulDisk(Disk, RedbFeedStore);

impl Home for OnForgetfulDisk {
    type Store = RedbFeedStore;
    fn new() -> Self {
        let disk = Disk::default();
        let store = RedbFeedStore::create_on(disk.clone(), INSTANCE, &SMALL).unwrap();
        Self(disk, store)
    }
    fn store(&mut self) -> &mut RedbFeedStore {
        &mut self.1
    }
    fn reopen(&mut self) {
        self.0 = self.0.after_power_cut(None);
        self.1 = RedbFeedStore::open_on(self.0.clone(), &SMALL).unwrap();
    }
}

/// Everything a store answers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Everything {
    feeds: Vec<FeedHeads>,
    arrivals: Vec<Arrival>,
    values: Vec<NamedValue>,
    /// Every branch's past from its first entry on.
    pasts: Vec<Vec<Entry>>,
}

pub(super) fn everything(store: &impl FeedStore) -> Everything {
    let feeds = store.feeds().unwrap();
    let past = |feed: &FeedHeads, branch: u32| {
        let last = feed.branches[branch as usize].head.point.seq;
        store.entries(feed.name.id(), branch, 1..=last).unwrap()
    };
    let branches =
        feeds.iter().flat_map(|feed| feed.branches.iter().map(move |b| (feed, b.branch)));
    Everything {
        pasts: branches.map(|(feed, branch)| past(feed, branch)).collect(),
        arrivals: store.arrivals(0, usize::MAX).unwrap(),
        values: store.values(b"").unwrap(),
        feeds: store.feeds().unwrap(),
    }
}

/// Takes a branch out of a store the way a peer gets it, run by run, and verifies it.
fn taken_out(store: &impl FeedStore, feed: FeedId, branch: u32, key: &SigningPublic) -> Vec<Entry> {
    let mut peer = Peer::default();
    while let Some(packed) = store.packed_run(feed, branch, peer.at().seq + 1).unwrap() {
        let run = packed.open(feed, peer.at(), &peer).unwrap().verify(key).unwrap();
        peer.take(&run);
    }
    peer.0
}

#[derive(Default)]
struct Peer(Vec<Entry>);

impl Peer {
    fn at(&self) -> ChainPoint {
        self.0.last().map_or(ChainPoint::START, Entry::point)
    }
    fn take(&mut self, run: &Run) {
        self.0.extend(run.entries().iter().cloned());
    }
}

impl BackRefs for Peer {
    fn entry_id(&self, seq: u64) -> Option<crdt_schema::id::EntryId> {
        self.0.get(usize::try_from(seq).unwrap() - 1).map(|entry| entry.id)
    }
    fn record(&self, seq: u64) -> Option<(u16, RecordId)> {
        self.0.get(usize::try_from(seq).unwrap() - 1)?.header.about()
    }
}

fn append(store: &mut impl FeedStore, author: &mut Author, records: &[u64]) -> Vec<Entry> {
    let run = author.edit(records);
    let entries = run.entries().to_vec();
    store.commit(&batch(author, 0, None, run), NOON).unwrap();
    entries
}

fn what_is_appended_comes_back<H: Home>() {
    let (mut home, mut author) = (H::new(), Author::new(1, AREA));
    let mut written = Vec::new();
    for records in [&[1, 2, 3][..], &[1], &[4, 4, 2], &[9]] {
        written.extend(append(home.store(), &mut author, records));
    }
    for _ in 0..2 {
        let store = home.store();
        assert_eq!(store.entries(author.id(), 0, 1..=8).unwrap(), written);
        assert_eq!(store.entries(author.id(), 0, 3..=5).unwrap(), written[2..5]);
        assert_eq!(taken_out(store, author.id(), 0, &author.public()), written);
        for entry in &written {
            let point = store.point(author.id(), 0, entry.header.seq).unwrap();
            assert_eq!(point, Some(entry.point()));
        }
        assert_eq!(store.point(author.id(), 0, 0).unwrap(), Some(ChainPoint::START));
        assert_eq!(store.point(author.id(), 0, 9).unwrap(), None);
        assert_eq!(store.point(author.id(), 1, 1).unwrap(), None);
        assert!(store.packed_run(author.id(), 0, 9).unwrap().is_none());
        assert!(store.packed_run(author.id(), 0, 0).unwrap().is_none());
        let beyond = store.entries(author.id(), 0, 7..=9).unwrap_err();
        assert!(matches!(beyond, StoreError::Damaged { .. }));
        assert_eq!(store.feeds().unwrap()[0].branches[0].head.point, author.at);
        assert_eq!(store.instance(), INSTANCE);
        home.reopen();
    }
}

fn a_run_may_be_taken_out_from_any_place<H: Home>() {
    let (mut home, mut author) = (H::new(), Author::new(1, AREA));
    for count in [30, 33, 1, 5, 20, 39, 7] {
        append(home.store(), &mut author, &(0..count).collect::<Vec<_>>());
    }
    home.reopen();
    let store = home.store();
    let written = store.entries(author.id(), 0, 1..=135).unwrap();
    for from in 1..=135u64 {
        let packed = store.packed_run(author.id(), 0, from).unwrap().unwrap();
        let prev = store.point(author.id(), 0, from - 1).unwrap().unwrap();
        let before = store.back_refs(author.id(), 0);
        let run = packed.open(author.id(), prev, &*before).unwrap();
        let run = run.verify(&author.public()).unwrap();
        let last = from.next_multiple_of(CHECKPOINT_EVERY).min(135);
        let wanted = &written[usize::try_from(from - 1).unwrap()..usize::try_from(last).unwrap()];
        assert_eq!(run.entries(), wanted, "from {from}");
    }
}

fn a_fork_keeps_both_branches<H: Home>() {
    let (mut home, mut author) = (H::new(), Author::new(1, AREA));
    append(home.store(), &mut author, &(0..60).collect::<Vec<_>>());
    let mut clone = author.clone();
    let mut third = author.clone();
    append(home.store(), &mut author, &[70, 1, 2]);
    append(home.store(), &mut author, &[3; 1]);
    append(home.store(), &mut author, &(0..40).collect::<Vec<_>>());
    let run = clone.edit(&[90, 1]);
    home.store().commit(&batch(&clone, 1, Some((0, 60)), run), NOON).unwrap();
    let mut fourth = clone.clone();
    let run = clone.edit(&[90, 91]);
    home.store().commit(&batch(&clone, 1, None, run), NOON).unwrap();
    let run = clone.edit(&(0..50).collect::<Vec<_>>());
    home.store().commit(&batch(&clone, 1, None, run), NOON).unwrap();
    let run = third.edit(&[5]);
    home.store().commit(&batch(&third, 2, Some((0, 60)), run), NOON).unwrap();
    let run = fourth.edit(&[6, 90]);
    home.store().commit(&batch(&fourth, 3, Some((1, 62)), run), NOON).unwrap();
    let mut fresh = Author::new(1, AREA);
    let run = fresh.edit(&[40, 41]);
    home.store().commit(&batch(&fresh, 4, Some((0, 0)), run), NOON).unwrap();
    home.reopen();
    let (store, id) = (home.store(), author.id());
    let branches = &store.feeds().unwrap()[0].branches;
    let heads: Vec<_> = branches.iter().map(|b| (b.from, b.head.point)).collect();
    let wanted = [
        (None, author.at),
        (Some((0, 60)), clone.at),
        (Some((0, 60)), third.at),
        (Some((1, 62)), fourth.at),
        (Some((0, 0)), fresh.at),
    ];
    assert_eq!(heads, wanted);
    for (branch, (_, head)) in (0..).zip(wanted) {
        let past = store.entries(id, branch, 1..=head.seq).unwrap();
        assert_eq!(past.last().unwrap().point(), head);
        assert_eq!(taken_out(store, id, branch, &author.public()), past, "branch {branch}");
        for entry in &past {
            let seq = entry.header.seq;
            assert_eq!(store.point(id, branch, seq).unwrap(), Some(entry.point()));
        }
    }
    let shared = |branch| store.entries(id, branch, 1..=60).unwrap();
    assert_eq!(shared(1), shared(0));
    assert_eq!(shared(3), shared(0));
    assert_ne!(store.point(id, 0, 61).unwrap(), store.point(id, 1, 61).unwrap());
    assert_eq!(store.point(id, 3, 62).unwrap(), store.point(id, 1, 62).unwrap());
}

fn back_references_reach_across_chapters<H: Home>() {
    let (mut home, mut author) = (H::new(), Author::new(1, AREA));
    let runs = author.fill(4_160, 1_500);
    let runs = runs.into_iter().map(|run| PlacedRun { branch: 0, from: None, run }).collect();
    let filled = FeedBatch { new_feeds: vec![author.name], runs, values: Vec::new() };
    home.store().commit(&filled, NOON).unwrap();
    let mut clone = author.clone();
    let run = clone.edit(&[3, 700, 4]);
    home.store().commit(&batch(&clone, 0, None, run), NOON).unwrap();
    let run = author.edit(&[9, 701]);
    home.store().commit(&batch(&author, 1, Some((0, 4_160)), run), NOON).unwrap();
    home.reopen();
    let (store, id) = (home.store(), author.id());
    // Backwards, so that nothing is known when a late chapter is read.
    let late = store.entries(id, 0, 4_150..=4_163).unwrap();
    assert_eq!(late.last().unwrap().point(), clone.at);
    let early = store.entries(id, 0, 1..=4_160).unwrap();
    for (run, early) in filled.runs.iter().zip(early.chunks(64)) {
        assert_eq!(run.run.entries(), early);
    }
    let before = store.back_refs(id, 1);
    for seq in [1, 2, 64, 65, 1_500, 4_096, 4_097, 4_160] {
        assert_eq!(before.entry_id(seq), Some(early[usize::try_from(seq).unwrap() - 1].id));
    }
    // The second says by a distance to the first which record it is about.
    for seq in [4, 1_504] {
        assert_eq!(before.record(seq), Some((1, record_id(3))));
    }
    assert_eq!(before.entry_id(4_163), None);
    assert_eq!(before.entry_id(0), None);
    assert_eq!(taken_out(store, id, 1, &author.public()).last().unwrap().point(), author.at);
}

fn a_foreign_order_of_deps_changes_nothing<H: Home>() {
    let (mut home, mut author) = (H::new(), Author::new(1, AREA));
    let runs = author.fill(4_100, 20);
    let runs = runs.into_iter().map(|run| PlacedRun { branch: 0, from: None, run }).collect();
    let filled = FeedBatch { new_feeds: vec![author.name], runs, values: Vec::new() };
    home.store().commit(&filled, NOON).unwrap();
    let run = author.edit(&(100..120).collect::<Vec<_>>());
    let mut block: Block = run.block().clone();
    assert!(block.entries.iter().any(|entry| entry.deps.len() > 1));
    block.entries.iter_mut().for_each(|entry| entry.deps.reverse());
    let foreign = PackedRun::pack(&block, run.head().signature);
    let before = home.store().back_refs(author.id(), 0);
    let foreign = foreign.open(author.id(), run.prev(), &*before).unwrap();
    let foreign = foreign.verify(&author.public()).unwrap();
    drop(before);
    home.store().commit(&batch(&author, 0, None, foreign), NOON).unwrap();
    home.reopen();
    assert_eq!(home.store().entries(author.id(), 0, 4_101..=4_120).unwrap(), run.entries());
}

/// A peer need not compress. Joined to what follows, its run takes fewer pieces than before, and none
/// of the old ones may stay behind.
fn a_run_that_was_not_compressed_shrinks_when_it_is_joined<H: Home>() {
    let (mut home, mut author) = (H::new(), Author::new(1, AREA));
    let run = author.write(&vec![(1, vec![b'a'; 60]); 50]);
    let plain = [&[0][..], &run.block().to_bytes()].concat();
    assert!(plain.len() > 2 * 1_300);
    let foreign = PackedRun { bytes: plain, ..run.packed().clone() };
    let foreign = foreign.open(author.id(), run.prev(), &NoBackRefs).unwrap();
    let foreign = foreign.verify(&author.public()).unwrap();
    home.store().commit(&batch(&author, 0, None, foreign), NOON).unwrap();
    let next = author.edit(&[1]);
    home.store().commit(&batch(&author, 0, None, next.clone()), NOON).unwrap();
    home.reopen();
    let written = [run.entries(), next.entries()].concat();
    assert_eq!(home.store().entries(author.id(), 0, 1..=51).unwrap(), written);
    assert_eq!(taken_out(home.store(), author.id(), 0, &author.public()), written);
}

fn values_are_put_removed_and_listed_by_prefix<H: Home>() {
    let mut home = H::new();
    let put = |name: &[u8], value: &[u8]| (name.to_vec(), Some(value.to_vec()));
    let values = vec![put(b"peer/2", b"b"), put(b"peer/1", b"a"), put(b"pe", b"x"), put(b"q", b"")];
    home.store().commit(&FeedBatch { values, ..FeedBatch::default() }, NOON).unwrap();
    let values = vec![put(b"peer/1", b"new"), (b"q".to_vec(), None), (b"none".to_vec(), None)];
    home.store().commit(&FeedBatch { values, ..FeedBatch::default() }, NOON).unwrap();
    home.reopen();
    let peers = home.store().values(b"peer/").unwrap();
    let wanted = [(b"peer/1".to_vec(), b"new".to_vec()), (b"peer/2".to_vec(), b"b".to_vec())];
    assert_eq!(peers, wanted);
    assert_eq!(home.store().value(b"pe").unwrap(), Some(b"x".to_vec()));
    assert_eq!(home.store().value(b"q").unwrap(), None);
    assert_eq!(home.store().values(b"").unwrap().len(), 3);
    assert_eq!(home.store().arrivals(0, 9).unwrap(), []);
}

fn arrivals_count_without_gaps<H: Home>() {
    let (mut home, mut author) = (H::new(), Author::new(1, AREA));
    let mut other = Author::new(2, OTHER_AREA);
    for step in 0..150i64 {
        let who = if step % 3 == 0 { &mut other } else { &mut author };
        let run = who.edit(&[1]);
        // A clock that jumps back and forth.
        let at = Timestamp(NOON.0 - step * step * 1_000 * (step % 2));
        let newest = home.store().commit(&batch(who, 0, None, run), at).unwrap();
        assert_eq!(newest, u64::try_from(step).unwrap() + 1);
        if step == 70 {
            home.reopen();
        }
    }
    let all = home.store().arrivals(0, usize::MAX).unwrap();
    assert!(all.iter().map(|arrival| arrival.number).eq(1..=150));
    let mut hash = [0; 32];
    for arrival in &all {
        hash = super::arrival::running_hash(&hash, arrival);
        assert_eq!(arrival.running_hash, hash);
    }
    for after in [0, 1, 63, 64, 65, 128, 149, 150, 151] {
        for limit in [0, 1, 64, 200] {
            let wanted: Vec<_> = all.iter().skip(after).take(limit).copied().collect();
            assert_eq!(home.store().arrivals(after as u64, limit).unwrap(), wanted);
        }
    }
    home.reopen();
    assert_eq!(home.store().arrivals(0, usize::MAX).unwrap(), all);
}

fn later_runs_of_a_batch_may_follow_earlier_ones<H: Home>() {
    let (mut home, mut author) = (H::new(), Author::new(1, AREA));
    let mut other = Author::new(2, AREA);
    let mut runs = Vec::new();
    let place = |branch, from, run| PlacedRun { branch, from, run };
    for _ in 0..70 {
        runs.push(place(0, None, author.edit(&[1, 2])));
        runs.push(place(0, None, other.edit(&[3])));
    }
    let mut clone = author.clone();
    runs.push(place(0, None, author.edit(&[5])));
    runs.push(place(1, Some((0, 140)), clone.edit(&[6, 1])));
    runs.push(place(1, None, clone.edit(&[6])));
    let values = vec![(b"n".to_vec(), Some(b"1".to_vec()))];
    let new_feeds = vec![author.name, other.name];
    home.store().commit(&FeedBatch { new_feeds, runs, values }, NOON).unwrap();
    home.reopen();
    let store = home.store();
    assert_eq!(store.arrivals(0, 999).unwrap().len(), 143);
    assert_eq!(taken_out(store, author.id(), 0, &author.public()).len(), 141);
    assert_eq!(taken_out(store, author.id(), 1, &author.public()).len(), 143);
    assert_eq!(taken_out(store, other.id(), 0, &other.public()).len(), 70);
    assert_eq!(store.point(author.id(), 1, 143).unwrap(), Some(clone.at));
}

fn a_run_without_its_place_changes_nothing<H: Home>() {
    let (mut home, mut author) = (H::new(), Author::new(1, AREA));
    append(home.store(), &mut author, &[1, 2]);
    let before = everything(home.store());
    let (mut ahead, mut clone, mut stranger) =
        (author.clone(), author.clone(), Author::new(3, AREA));
    ahead.edit(&[3]);
    let gap = ahead.edit(&[4]);
    let fork = clone.edit(&[9]);
    let unknown = stranger.edit(&[1]);
    let values = vec![(b"x".to_vec(), Some(b"y".to_vec()))];
    let good = PlacedRun { branch: 0, from: None, run: author.edit(&[5]) };
    let wrong = [
        PlacedRun { branch: 0, from: None, run: gap.clone() },
        PlacedRun { branch: 1, from: None, run: fork.clone() },
        PlacedRun { branch: 0, from: Some((0, 2)), run: fork.clone() },
        PlacedRun { branch: 2, from: Some((0, 2)), run: fork.clone() },
        PlacedRun { branch: 1, from: Some((0, 1)), run: fork.clone() },
        PlacedRun { branch: 1, from: Some((1, 2)), run: fork.clone() },
        PlacedRun { branch: 1, from: Some((0, 3)), run: gap },
        PlacedRun { branch: 0, from: None, run: unknown },
        PlacedRun { branch: 0, from: None, run: fork },
    ];
    for (index, wrong) in wrong.into_iter().enumerate() {
        let runs = vec![good.clone(), wrong];
        let batch = FeedBatch { new_feeds: Vec::new(), runs, values: values.clone() };
        let refused = home.store().commit(&batch, NOON).unwrap_err();
        assert!(matches!(refused, StoreError::Misuse(_)), "case {index}: {refused}");
        assert_eq!(everything(home.store()), before, "case {index}");
    }
    home.store().commit(&batch(&author, 0, None, good.run), NOON).unwrap();
    assert_eq!(home.store().point(author.id(), 0, 3).unwrap(), Some(author.at));
}

fn large_entries_come_back<H: Home>() {
    let (mut home, mut author) = (H::new(), Author::new(1, AREA));
    let mut written = Vec::new();
    for (record, length) in [(1, 16_000), (2, 16_384), (3, 10), (1, 3_000), (2, 3_000), (4, 0)] {
        let run = author.write(&[(record, body(record, length))]);
        written.extend(run.entries().to_vec());
        home.store().commit(&batch(&author, 0, None, run), NOON).unwrap();
    }
    let full: Vec<_> = (0..58).map(|record| (record, body(record, 16_384))).collect();
    let run = author.write(&full);
    written.extend(run.entries().to_vec());
    home.store().commit(&batch(&author, 0, None, run), NOON).unwrap();
    home.reopen();
    assert_eq!(home.store().entries(author.id(), 0, 1..=64).unwrap(), written);
    assert_eq!(taken_out(home.store(), author.id(), 0, &author.public()), written);
    assert!(home.store().size_bytes().unwrap() > 500_000);
}

macro_rules! suite {
    ($($home:ident: $type:ty),*; $tests:tt) => { $(suite!(@ $home, $type, $tests);)* };
    (@ $home:ident, $type:ty, [$($test:ident),* $(,)?]) => {
        mod $home {
            use super::*;
            $(#[test] fn $test() { super::$test::<$type>(); })*
        }
    };
}

suite! {
    memory: InMemory, file: InFile, read_anew: ReadAnew, forgetful_disk: OnForgetfulDisk;
    [
        what_is_appended_comes_back,
        a_run_may_be_taken_out_from_any_place,
        a_fork_keeps_both_branches,
        back_references_reach_across_chapters,
        a_foreign_order_of_deps_changes_nothing,
        a_run_that_was_not_compressed_shrinks_when_it_is_joined,
        values_are_put_removed_and_listed_by_prefix,
        arrivals_count_without_gaps,
        later_runs_of_a_batch_may_follow_earlier_ones,
        a_run_without_its_place_changes_nothing,
        large_entries_come_back,
    ]
}

/// The same steps on redb and in memory.
#[derive(Debug, Clone)]
enum Act {
    /// This many edits by one of the authors, records chosen by the number.
    Edit(usize, u64, u64),
    /// One of the authors goes on from a copy of what it was some runs ago.
    Fork(usize, usize, u64),
    Value(u8, Option<u8>),
    Reopen,
    Read(usize, u64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0..2usize, 1..70u64, 0..3_000u64).prop_map(|(who, n, at)| Act::Edit(who, n, at)),
        1 => (0..2usize, 0..4usize, 1..9u64).prop_map(|(who, back, n)| Act::Fork(who, back, n)),
        1 => (0..4u8, proptest::option::of(0..9u8)).prop_map(|(n, v)| Act::Value(n, v)),
        1 => Just(Act::Reopen),
        2 => (0..2usize, 1..5_000u64).prop_map(|(who, seq)| Act::Read(who, seq)),
    ]
}

/// A feed of 4,080 entries, so that the next edits cross into the second chapter; and a new one.
static GROWN: LazyLock<(Vec<Author>, FeedBatch)> = LazyLock::new(|| {
    let (mut author, other) = (Author::new(1, AREA), Author::new(2, OTHER_AREA));
    let runs = author.fill(4_080, 900);
    let runs = runs.into_iter().map(|run| PlacedRun { branch: 0, from: None, run }).collect();
    let new_feeds = vec![author.name, other.name];
    (vec![author, other], FeedBatch { new_feeds, runs, values: Vec::new() })
});

static GROWN_DISK: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let disk = Disk::default();
    let mut store = RedbFeedStore::create_on(disk.clone(), INSTANCE, &SMALL).unwrap();
    store.commit(&GROWN.1, NOON).unwrap();
    drop(store);
    disk.bytes()
});

/// Both stores, and each author's branches with every state they were in.
struct Twins {
    disk: Disk,
    redb: Option<RedbFeedStore>,
    memory: MemoryFeedStore,
    branches: Vec<Vec<Vec<Author>>>,
}

impl Twins {
    fn new() -> Self {
        let disk = Disk::of(GROWN_DISK.clone());
        let mut memory = MemoryFeedStore::new(INSTANCE);
        memory.commit(&GROWN.1, NOON).unwrap();
        let redb = Some(RedbFeedStore::open_on(disk.clone(), &SMALL).unwrap());
        let branches = GROWN.0.iter().map(|author| vec![vec![author.clone()]]).collect();
        Self { disk, redb, memory, branches }
    }

    fn act(&mut self, act: &Act) {
        match *act {
            Act::Edit(who, count, at) => {
                let newest = self.branches[who].len() - 1;
                let branch = usize::try_from(at).unwrap() % (newest + 1);
                let mut author = self.branches[who][branch].last().unwrap().clone();
                self.edit(who, branch, None, &mut author, count, at);
            }
            Act::Fork(who, back, count) => {
                if self.branches[who].len() >= 4 {
                    return;
                }
                let parent = self.branches[who].len() - 1;
                let states = &self.branches[who][parent];
                let mut author = states[states.len().saturating_sub(back + 1)].clone();
                let from = (u32::try_from(parent).unwrap(), author.at.seq);
                if self.branches[who][0].last().unwrap().at.seq == 0 {
                    return;
                }
                let branch = self.branches[who].len();
                self.branches[who].push(Vec::new());
                self.edit(who, branch, Some(from), &mut author, count, 7 * count);
            }
            Act::Value(name, value) => {
                let value = value.map(|value| vec![value; usize::from(value)]);
                self.commit(&FeedBatch {
                    values: vec![(vec![name], value)],
                    ..FeedBatch::default()
                });
            }
            Act::Reopen => {
                self.redb = None;
                self.disk = self.disk.after_power_cut(None);
                self.redb = Some(RedbFeedStore::open_on(self.disk.clone(), &SMALL).unwrap());
            }
            Act::Read(who, seq) => self.read(GROWN.0[who].id(), seq),
        }
    }

    fn edit(
        &mut self,
        who: usize,
        branch: usize,
        from: Option<(u32, u64)>,
        author: &mut Author,
        count: u64,
        at: u64,
    ) {
        let records: Vec<u64> =
            (0..count.min(author.room())).map(|n| (at + n * n) % 3_000).collect();
        let run = author.edit(&records);
        self.branches[who][branch].push(author.clone());
        self.commit(&batch(author, u32::try_from(branch).unwrap(), from, run));
    }

    fn commit(&mut self, batch: &FeedBatch) {
        let number = self.memory.commit(batch, NOON).unwrap();
        assert_eq!(self.redb.as_mut().unwrap().commit(batch, NOON).unwrap(), number);
    }

    fn read(&self, id: FeedId, seq: u64) {
        let redb = self.redb.as_ref().unwrap();
        for branch in 0..5 {
            let point = self.memory.point(id, branch, seq).unwrap();
            assert_eq!(redb.point(id, branch, seq).unwrap(), point);
            let (ours, theirs) = (redb.back_refs(id, branch), self.memory.back_refs(id, branch));
            assert_eq!(ours.entry_id(seq), theirs.entry_id(seq));
            assert_eq!(ours.record(seq), theirs.record(seq));
            let packed =
                |run: Option<PackedRun>| run.map(|run| (run.block().unwrap(), run.signature));
            let ours = redb.packed_run(id, branch, seq).unwrap();
            assert_eq!(packed(ours), packed(self.memory.packed_run(id, branch, seq).unwrap()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn redb_answers_as_memory_does(acts in proptest::collection::vec(act(), 1..25)) {
        let mut twins = Twins::new();
        for act in &acts {
            twins.act(act);
        }
        twins.act(&Act::Reopen);
        for seq in [1, 63, 64, 65, 4_080, 4_095, 4_096, 4_097, 4_100, 4_161] {
            GROWN.0.iter().for_each(|author| twins.read(author.id(), seq));
        }
        prop_assert_eq!(everything(twins.redb.as_ref().unwrap()), everything(&twins.memory));
        prop_assert_eq!(damage(twins.redb.as_ref().unwrap()), Vec::<String>::new());
    }
}

/// What a scan finds wrong, every signature verified with the authors' keys.
pub(super) fn damage(store: &RedbFeedStore) -> Vec<String> {
    let (mut damages, mut signed) = (Vec::new(), 0u64);
    let authors = [Author::new(1, AREA), Author::new(2, OTHER_AREA), Author::new(2, AREA)];
    let mut each = |step: ScanStep<'_>| match step {
        ScanStep::Damaged(damage) => damages.push(damage.what),
        ScanStep::Signed { name, head, .. } => {
            let author = authors.iter().find(|author| author.name == *name).unwrap();
            signed += 1;
            if head.verify(&author.public()).is_err() {
                damages.push("a signature does not hold".into());
            }
        }
        ScanStep::Entries { .. } => {}
    };
    store.scan(&mut each).unwrap();
    let branches: u64 = store.feeds().unwrap().iter().map(|feed| feed.branches.len() as u64).sum();
    assert!(signed >= branches || !damages.is_empty(), "every head is handed out");
    damages
}
