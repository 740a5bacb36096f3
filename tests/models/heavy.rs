//! What takes little on a wire and on a disk may take much in memory: sections of one byte a thousand
//! times over are squeezed to nothing. However such runs come, and whatever authority says of their feed
//! later, a node holds no more of them at once than is stated.

use std::cell::Cell;
use std::rc::Rc;
use std::slice::from_ref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crdt_schema::area::AreaCode;
use crdt_schema::authority::{Closing, FeedEnd, Invitation, Payload, Rights};
use crdt_schema::class::Class;
use crdt_schema::codec;
use crdt_schema::edit::{Op, Section, Value};
use crdt_schema::entry::{
    CHECKPOINT_EVERY, ChainPoint, Draft, DraftSection, Entry, EntryKind, NoBackRefs, PackedRun,
    RECORD_WEIGHT_MAX, Run, SigningSecret,
};
use crdt_schema::fold::RecordState;
use crdt_schema::id::{DeviceId, FeedName, RecordId, Space, StoreInstance};
use crdt_schema::record::Schema;
use crdt_schema::time::Timestamp;
use node::error::NodeError;
use node::node::{Environment, Loan};
use node::ports::{FeedBatch, FeedStore, Place, RecordVerdict, RowFilter, ViewRow, ViewStore};
use node::progress::Unwatched;
use node::replica::{AUTHORITY_ENDS_BYTES, EntryVerdict, PeerSink, Replica, Source};

use node::store::memory::{MemoryFeedStore, MemoryViewStore};
use node::store::view::RedbViewStore;
use node::sync::Taken;
use node::sync::driver::Sink as _;
use node::sync::request::NoReceipts;
use redb::backends::InMemoryBackend;
use tests::replicas::replica_over;
use tests::world::{KIND, World, Writer, certified, declaring, feed_of_saves};

use super::caps::Nowhere;
use super::watched::{Watch, Watched};

/// Bytes of a section: nearly as many as an entry may have.
const BODY: usize = 16_000;
/// Runs of such entries: 40 MiB, which go in less than a hundredth of that.
const RUNS: usize = 40;
/// As stated, and the run that was too much.
const STAGED_MAX: usize = 17 << 20;

/// The most bytes of bodies that were in one batch, and that were read at once.
#[derive(Debug, Default)]
struct Weights {
    batch: Cell<usize>,
    read: Cell<usize>,
    /// How often arrivals were asked for.
    pages: Cell<usize>,
    /// Bytes the disk has left.
    free: Cell<Option<u64>>,
}

fn weight(entries: &[Entry]) -> usize {
    entries.iter().flat_map(|entry| entry.bodies.iter().flatten()).map(Vec::len).sum()
}

impl Watch for Rc<Weights> {
    fn commits(&self, batch: &FeedBatch) {
        let bytes = batch.runs.iter().map(|placed| weight(placed.run.entries())).sum();
        self.batch.set(self.batch.get().max(bytes));
    }

    fn gave(&self, entries: &[Entry]) {
        self.read.set(self.read.get().max(weight(entries)));
    }

    fn pages(&self) {
        self.pages.set(self.pages.get() + 1);
    }

    fn free_bytes(&self) -> Option<u64> {
        self.free.get()
    }
}

type Node = Replica<Watched<Rc<Weights>>, MemoryViewStore>;

/// The province's node, which knows who belongs to the network.
fn province(world: &World) -> Node {
    node_of(world, &world.province)
}

fn node_of(world: &World, me: &Writer) -> Node {
    let held = MemoryFeedStore::new(StoreInstance([1; 16]));
    let store = Watched { held, watch: Rc::<Weights>::default() };
    let mut node = replica_over(store, MemoryViewStore::default(), world, me);
    for (name, runs) in &world.authority {
        taken(&mut node, name, runs);
    }
    node.feed_store().watch.batch.set(0);
    node
}

/// What became of runs that a peer sent in one frame.
fn taken<F: FeedStore, V: ViewStore>(
    node: &mut Replica<F, V>,
    name: &FeedName,
    runs: &[PackedRun],
) -> Vec<Taken> {
    let (source, now) = (Source::Peer("uji".to_owned()), Timestamp(0));
    let mut sink = PeerSink { replica: node, receipts: &NoReceipts, source, now };
    let runs: Vec<(FeedName, PackedRun)> = runs.iter().map(|run| (*name, run.clone())).collect();
    sink.ingest(&runs).unwrap()
}

fn name(writer: &Writer, of: &World, space: Space) -> FeedName {
    FeedName { device: writer.device(), area: certified(of).0, space, incarnation: 1 }
}

/// So many full runs of entries that `draft` makes, by their place.
fn runs(
    writer: &Writer,
    name: &FeedName,
    count: usize,
    draft: impl Fn(u64) -> Draft,
) -> Vec<PackedRun> {
    runs_of(CHECKPOINT_EVERY, writer, name, count, draft)
}

/// The same of runs of so many entries.
fn runs_of(
    each: u64,
    writer: &Writer,
    name: &FeedName,
    count: usize,
    draft: impl Fn(u64) -> Draft,
) -> Vec<PackedRun> {
    let mut at = ChainPoint::START;
    let mut next = || {
        let (start, mut entries) = (at, Vec::new());
        for _ in 0..each {
            let entry = draft(at.seq + 1).place(name.id(), at).unwrap();
            at = entry.point();
            entries.push(entry);
        }
        Run::author(start, entries, &Nowhere, writer.secret()).unwrap().packed().clone()
    };
    (0..count).map(|_| next()).collect()
}

/// An entry about a record of its own, which weighs so much and says nothing.
fn heavy(kind: EntryKind, seq: u64) -> Draft {
    let mut record = RecordId([0; 16]);
    record.0.iter_mut().zip(seq.to_le_bytes()).for_each(|(to, from)| *to = from);
    Draft {
        kind,
        record_kind: KIND,
        record,
        person: 0,
        claimed_at: Timestamp(0),
        deps: Vec::new(),
        sections: vec![DraftSection::in_clear(Class::Open, &[0; BODY], [0; 16])],
    }
}

fn close(world: &World, node: &mut Node, of: &FeedName) {
    close_at(world, node, &world.province, of.device, Vec::new());
}

fn close_at(world: &World, node: &mut Node, by: &Writer, device: DeviceId, ends: Vec<FeedEnd>) {
    let payload = Payload::Closing(Closing { device, ends });
    let said = FeedName { incarnation: 2, ..name(by, world, Space::Authority) };
    let entry = declaring(&payload).place(said.id(), ChainPoint::START).unwrap();
    let run = Run::author(ChainPoint::START, vec![entry], &Nowhere, by.secret()).unwrap();
    assert!(matches!(*taken(node, &said, &[run.packed().clone()]), [Taken::New(_)]));
}

/// How many records stand so.
fn records(node: &Node, verdict: RecordVerdict) -> u64 {
    let filter = RowFilter { verdicts: [verdict].into(), ..RowFilter::default() };
    let views = node.views().unwrap();
    views.list(&filter, None, 1, node.feed_store()).unwrap().0
}

#[test]
fn runs_that_are_squeezed_to_nothing_are_committed_some_at_a_time_and_read_so() {
    let world = World::new(1, 1);
    let (_, writer) = certified(&world);
    let mut node = province(&world);
    let name = name(writer, &world, Space::Records);
    let runs = runs(writer, &name, RUNS, |seq| heavy(EntryKind::EDIT, seq));
    let squeezed: usize = runs.iter().map(|run| run.bytes.len()).sum();
    let all = RUNS as u64 * CHECKPOINT_EVERY;
    let plain = usize::try_from(all).unwrap() * BODY;
    assert!(squeezed * 100 < plain && plain > 2 * STAGED_MAX, "{squeezed} of {plain}");

    let taken = taken(&mut node, &name, &runs);
    assert!(taken.iter().all(|it| matches!(it, Taken::New(_))), "{taken:?}");
    let weights = node.feed_store().watch.clone();
    assert!((1..=STAGED_MAX).contains(&weights.batch.get()), "{weights:?}");
    assert_eq!(records(&node, RecordVerdict::Counting), all);

    // A closing takes all of it out.
    weights.read.set(0);
    close(&world, &mut node, &name);
    assert_eq!(records(&node, RecordVerdict::Counting), 0);
    assert_eq!(records(&node, RecordVerdict::Quarantined), all);
    assert!((1..=STAGED_MAX).contains(&weights.read.get()), "{weights:?}");
    assert!(node.views_agree(&mut Unwatched).unwrap());
    assert!(weights.read.get() <= STAGED_MAX, "{weights:?}");
}

#[test]
fn views_that_lag_behind_the_closing_of_such_a_feed_are_caught_up_some_at_a_time() {
    let world = World::new(1, 1);
    let (_, writer) = certified(&world);
    let mut node = province(&world);
    let name = name(writer, &world, Space::Records);
    taken(&mut node, &name, &runs(writer, &name, RUNS, |seq| heavy(EntryKind::EDIT, seq)));
    let before = node.views().unwrap().clone();
    close(&world, &mut node, &name);
    let store = node.feed_store().clone();
    store.watch.read.set(0);
    let node = replica_over(store.clone(), before, &world, &world.province);
    assert_eq!(records(&node, RecordVerdict::Counting), 0);
    assert_eq!(records(&node, RecordVerdict::Quarantined), RUNS as u64 * CHECKPOINT_EVERY);
    assert!((1..=STAGED_MAX).contains(&store.watch.read.get()), "{:?}", store.watch);
}

#[test]
fn a_batch_of_values_alone_is_heavy_as_well() {
    let world = World::new(1, 1);
    let mut node = province(&world);
    let put = |node: &mut Node, number: u8| node.put_value(&[number], Some(vec![0; 1 << 20]));
    for number in 0..15 {
        put(&mut node, number);
    }
    assert!(!node.must_commit());
    put(&mut node, 15);
    assert!(node.must_commit());
    node.commit(None, &Source::Here, Timestamp(0)).unwrap();
    assert!(!node.must_commit());
}

/// What whoever joins looks at: bytes of the heaviest batch.
#[derive(Debug, Clone, Default)]
struct Heaviest(Arc<AtomicUsize>);

impl Watch for Heaviest {
    fn commits(&self, batch: &FeedBatch) {
        let bytes = batch.runs.iter().map(|placed| weight(placed.run.entries())).sum();
        self.0.fetch_max(bytes, Ordering::Relaxed);
    }
}

/// The bytes of an invitation by the province with more authority than it has, as the table at the head of
/// `node/src/node/invitation.rs` lays them out: nothing of the program writes such a one.
fn invitation(world: &World, more: &[(FeedName, Vec<PackedRun>)]) -> Vec<u8> {
    let throw_away = SigningSecret::from_seed(&[7; 32]);
    let payload = Payload::Invitation(Invitation {
        key: throw_away.public(),
        area: certified(world).0,
        rights: Rights::desa(),
        expires_at: Timestamp(0),
        counts_at_once: false,
    });
    let said = FeedName { incarnation: 2, ..name(&world.province, world, Space::Authority) };
    let entry = declaring(&payload).place(said.id(), ChainPoint::START).unwrap();
    let id = entry.id;
    let secret = world.province.secret();
    let run = Run::author(ChainPoint::START, vec![entry], &Nowhere, secret).unwrap();
    let feeds = [&[(said, vec![run.packed().clone()])], more].concat();
    let mut writer = codec::Writer::new();
    writer.raw(b"WKSBMinv").u8(1).bytes(world.statement.as_bytes());
    writer.raw(&id.0).raw(&[7; 32]).bytes(&payload.to_bytes()).varint(0);
    writer.varint(feeds.len() as u64);
    for (name, runs) in &feeds {
        name.write(&mut writer);
        writer.varint(runs.len() as u64);
        for run in runs {
            run.write(&mut writer);
        }
    }
    let mut bytes = writer.finish();
    let hash = blake3::hash(&bytes);
    bytes.extend(hash.as_bytes().iter().take(16));
    bytes
}

/// Whoever makes a network of its own may issue there, and fill its invitations.
#[test]
fn an_invitation_that_is_squeezed_to_nothing_is_taken_in_some_at_a_time() {
    let world = World::new(1, 1);
    // In each area as much as one device may leave there.
    let areas = (1..=RUNS).map(|kecamatan| format!("32.09.{kecamatan:02}.2001"));
    let feeds: Vec<(FeedName, Vec<PackedRun>)> = areas
        .map(|code| {
            let area = code.parse::<AreaCode>().unwrap().first_id();
            let of = name(&world.province, &world, Space::Authority);
            let name = FeedName { area, ..of };
            (name, runs(&world.province, &name, 1, unreadable))
        })
        .collect();
    let room = tempfile::tempdir().unwrap();
    let file = room.path().join("undangan");
    std::fs::write(&file, invitation(&world, &feeds)).unwrap();
    let heaviest = Heaviest::default();
    let held = MemoryFeedStore::new(StoreInstance([2; 16]));
    let feeds = Watched { held, watch: heaviest.clone() };
    let env = Environment::system(Arc::new(Schema::standard().clone()));
    let loan = Loan { folder: room.path().join("simpul"), env, seeds: [9; 96] };
    loan.join(Box::new(feeds.clone()), &file).unwrap();
    let most = heaviest.0.load(Ordering::Relaxed);
    assert!((1..=STAGED_MAX).contains(&most), "{most}");
}

/// Authority that this build cannot read, and that weighs so much.
fn unreadable(seq: u64) -> Draft {
    Draft { record_kind: 0, record: RecordId([0; 16]), ..heavy(EntryKind(99), seq) }
}

#[test]
fn who_may_not_issue_leaves_one_run_of_authority_in_a_feed() {
    let world = World::new(1, 1);
    let (_, writer) = certified(&world);
    let mut node = province(&world);
    let name = FeedName { incarnation: 3, ..name(writer, &world, Space::Authority) };
    let light = |seq| Draft { sections: Vec::new(), ..unreadable(seq) };
    let runs = runs_of(32, writer, &name, 3, light);
    let taken = taken(&mut node, &name, &runs);
    assert!(matches!(taken[..], [Taken::New(_), Taken::New(_), Taken::Full]), "{taken:?}");
}

/// Two of these runs are what one device may leave in an area, whether it may issue or not and however many
/// feeds they lie in. What it says of its own end gives it no more; of what somebody above names as much again
/// is taken.
#[test]
fn authority_of_one_device_in_an_area_has_a_weight() {
    let world = World::new(1, 1);
    let (_, writer) = certified(&world);
    for (writer, me, each) in [(writer, &world.province, 2), (&world.province, writer, 32)] {
        let mut node = node_of(&world, me);
        let feeds: Vec<(FeedName, PackedRun)> = (3..9)
            .map(|incarnation| {
                let of = name(writer, &world, Space::Authority);
                let name = FeedName { incarnation, ..of };
                (name, runs_of(each, writer, &name, 1, unreadable).remove(0))
            })
            .collect();
        let ends: Vec<FeedEnd> = feeds
            .iter()
            .map(|(name, run)| {
                let run = run.clone().open(name.id(), ChainPoint::START, &NoBackRefs).unwrap();
                FeedEnd { feed: name.id(), last: run.entries().last().unwrap().point() }
            })
            .collect();
        let is_village = writer.device() != world.province.device();
        if is_village {
            close_at(&world, &mut node, writer, writer.device(), ends.clone());
        }
        // In one frame: what is staged weighs as what is held.
        let (source, now) = (Source::Peer("uji".to_owned()), Timestamp(0));
        let mut sink = PeerSink { replica: &mut node, receipts: &NoReceipts, source, now };
        let became = sink.ingest(&feeds).unwrap();
        assert_eq!(new(&became), [0, 1], "{became:?}");
        let (second, run) = feeds.get(1).unwrap();
        assert_eq!(taken(&mut node, second, from_ref(run)), [Taken::Held]);
        // A start reads what there is of it some at a time, and only what it says is kept.
        let store = node.feed_store().clone();
        store.watch.read.set(0);
        let opened = replica_over(store, MemoryViewStore::default(), &world, me);
        assert!(opened.feed_store().watch.read.get() <= STAGED_MAX);
        if is_village {
            close_at(&world, &mut node, &world.province, writer.device(), ends);
            let one_by_one = feeds.iter().map(|(name, run)| taken(&mut node, name, from_ref(run)));
            let became: Vec<Taken> = one_by_one.flatten().collect();
            assert_eq!(new(&became), [2, 3], "{became:?}");
        }
    }
}

/// Which of several runs brought something.
fn new(became: &[Taken]) -> Vec<usize> {
    let is_new = |(place, taken): (usize, &Taken)| matches!(taken, Taken::New(_)).then_some(place);
    became.iter().enumerate().filter_map(is_new).collect()
}

/// What an invitation brings is taken in whole, or nobody joins.
#[test]
fn who_joins_on_a_disk_without_room_is_told_of_the_room() {
    let world = World::new(1, 1);
    let room = tempfile::tempdir().unwrap();
    let file = room.path().join("undangan");
    // Of somebody who may not issue there, too.
    let (_, writer) = certified(&world);
    let name = FeedName { incarnation: 3, ..name(writer, &world, Space::Authority) };
    let feed = (name, runs_of(1, writer, &name, 1, unreadable));
    let feeds = [world.authority.clone(), vec![feed]].concat();
    std::fs::write(&file, invitation(&world, &feeds)).unwrap();
    for (left, joins) in [(AUTHORITY_ENDS_BYTES - 1, false), (AUTHORITY_ENDS_BYTES, true)] {
        let held = MemoryFeedStore::new(StoreInstance([2; 16]));
        let feeds = held.on_disk(Arc::new(AtomicU64::new(left)));
        let env = Environment::system(Arc::new(Schema::standard().clone()));
        let loan = Loan { folder: room.path().join("simpul"), env, seeds: [9; 96] };
        let joined = loan.join(Box::new(feeds), &file);
        assert_eq!(joined.is_ok(), joins);
        assert!(joins || matches!(joined, Err(NodeError::NoRoom { .. })));
    }
}

/// Operations of two bytes each, which are a hundred in a row: 64 such entries make 17 MiB of rows.
#[test]
fn entries_of_many_small_operations_are_weighed_by_the_rows_they_make() {
    const OPS: usize = 512;
    let world = World::new(1, 1);
    let (_, writer) = certified(&world);
    let mut node = province(&world);
    let name = name(writer, &world, Space::Records);
    let flag = |number| Op::put_element(9, format!("{number:x}"), Value::Flag);
    let ops: Vec<Op> = (0..OPS).map(flag).collect();
    let body = Section::from_ops(ops).unwrap().encode();
    let runs = runs(writer, &name, RUNS / 2, |seq| Draft {
        sections: vec![DraftSection::in_clear(Class::Open, &body, [0; 16])],
        ..heavy(EntryKind::EDIT, seq)
    });
    taken(&mut node, &name, &runs);
    let weights = node.feed_store().watch.clone();
    let all = (RUNS / 2) as u64 * CHECKPOINT_EVERY;
    let plain = usize::try_from(all).unwrap() * body.len();
    assert!(weights.batch.get() < plain / 4, "{weights:?} of {plain}");
    assert_eq!(records(&node, RecordVerdict::Counting), all);
}

/// Entries of one record, without end.
fn of_one_record(seq: u64, body: usize) -> Draft {
    let sections = vec![DraftSection::in_clear(Class::Open, &vec![0; body], [0; 16])];
    Draft { record: RecordId([7; 16]), sections, ..heavy(EntryKind::EDIT, seq) }
}

fn row(node: &Node) -> ViewRow {
    let views = node.views().unwrap();
    let (total, mut rows) = views.list(&RowFilter::default(), None, 2, node.feed_store()).unwrap();
    assert_eq!(total, 1);
    rows.remove(0)
}

#[test]
fn a_record_of_any_weight_is_set_aside_and_read_some_at_a_time() {
    const READ_MAX: usize = 1 << 20;
    let world = World::new(1, 1);
    let (_, writer) = certified(&world);
    let mut node = province(&world);
    let name = name(writer, &world, Space::Records);
    let runs = runs(writer, &name, RUNS, |seq| of_one_record(seq, BODY));
    let (last, first) = runs.split_last().unwrap();
    taken(&mut node, &name, first);
    taken(&mut node, &name, from_ref(last));
    let all = RUNS as u64 * CHECKPOINT_EVERY;
    let found = row(&node);
    assert_eq!((found.verdict, found.weight), (RecordVerdict::SetAside, RECORD_WEIGHT_MAX + 1));
    assert_eq!(found.values().unwrap(), RecordState::default());

    let weights = node.feed_store().watch.clone();
    weights.read.set(0);
    let history = node.history(&found.key).unwrap();
    let shown = history.edits.iter().map(|it| it.entry.header.weight()).sum::<u32>();
    assert!(shown <= RECORD_WEIGHT_MAX && shown > RECORD_WEIGHT_MAX / 2);
    assert_eq!(history.left_out, all - history.edits.len() as u64);
    assert!(node.fold_entries(&found.key, EntryVerdict::Counting).unwrap().is_none());
    assert!((1..=READ_MAX).contains(&weights.read.get()), "{weights:?}");
    assert!(node.views_agree(&mut Unwatched).unwrap());

    // What counts no more is as heavy, and has no values either.
    close(&world, &mut node, &name);
    let found = row(&node);
    assert_eq!((found.verdict, found.is_beyond()), (RecordVerdict::Quarantined, true));
    assert_eq!(found.values().unwrap(), RecordState::default());
    assert!(weights.read.get() <= STAGED_MAX, "{weights:?}");
}

/// To the byte, by steps and by folding.
#[test]
fn a_record_that_weighs_as_much_as_it_may_counts_and_one_byte_more_sets_it_aside() {
    let whole = u32::try_from(BODY).unwrap() + 128;
    let (full, rest) = (RECORD_WEIGHT_MAX / whole, RECORD_WEIGHT_MAX % whole);
    for (more, verdict) in [(0, RecordVerdict::Counting), (1, RecordVerdict::SetAside)] {
        let world = World::new(1, 1);
        let (_, writer) = certified(&world);
        let mut node = province(&world);
        let name = name(writer, &world, Space::Records);
        let size = |seq: u64| {
            let body = if seq <= u64::from(full) { whole } else { rest + more } - 128;
            usize::try_from(body).unwrap()
        };
        let count = usize::try_from(full).unwrap() + 1;
        let runs = runs_of(1, writer, &name, count, |seq| of_one_record(seq, size(seq)));
        for run in &runs {
            taken(&mut node, &name, from_ref(run));
        }
        let found = row(&node);
        assert_eq!((found.verdict, found.weight), (verdict, RECORD_WEIGHT_MAX + more));
        node.rebuild_views(&mut Unwatched).unwrap();
        assert_eq!(row(&node), found);
    }
}

/// A batch that folds more than is written at once: what stands on the disk is what its edits come to, and
/// what is made of them anew.
#[test]
fn folded_rows_that_are_written_some_at_a_time_have_their_edits() {
    const WRITERS: u64 = 8;
    let world = World::new(1, 1);
    let (_, writer) = certified(&world);
    let instance = StoreInstance([1; 16]);
    let views = RedbViewStore::create_on(InMemoryBackend::new(), instance, 1 << 20).unwrap();
    let feeds = MemoryFeedStore::new(instance);
    let mut node = replica_over(feeds, views, &world, &world.province);
    for (name, runs) in &world.authority {
        taken(&mut node, name, runs);
    }
    // Each entry is about one of 64 records, and names none before it: all of them stand beside another.
    let name = name(writer, &world, Space::Records);
    let text = |seq: u64, id: u8| {
        Op::put_element(
            9,
            format!("{seq:x}{id}"),
            Value::Text(format!("{seq}{}", "x".repeat(7_900))),
        )
    };
    let body = |seq| Section::from_ops(vec![text(seq, 1), text(seq, 2)]).unwrap().encode();
    let draft = |seq: u64| Draft {
        sections: vec![DraftSection::in_clear(Class::Open, &body(seq), [0; 16])],
        ..heavy(EntryKind::EDIT, seq % CHECKPOINT_EVERY)
    };
    for run in &runs(writer, &name, usize::try_from(WRITERS - 1).unwrap(), draft) {
        assert!(matches!(*taken(&mut node, &name, from_ref(run)), [Taken::New(_)]));
    }
    // A row tells its edits apart by the first two bytes of their ids: of the records that are folded
    // first the last edit begins as the first.
    let start = node.feed(name.id()).unwrap().branches.first().unwrap().head.point;
    let (mut at, mut entries) = (start, Vec::new());
    for seq in start.seq + 1..=start.seq + CHECKPOINT_EVERY {
        let first = node.feed_store().point(name.id(), 0, seq - start.seq).unwrap().unwrap();
        let entry = (0..).find_map(|time| {
            let draft = Draft { claimed_at: Timestamp(time), ..draft(seq) };
            let entry = draft.place(name.id(), at).unwrap();
            let is_alike = entry.id.0[..2] == first.id.0[..2];
            (is_alike || seq % CHECKPOINT_EVERY > 2).then_some(entry)
        });
        entries.extend(entry);
        at = entries.last().unwrap().point();
    }
    let last = Run::author(start, entries, &Nowhere, writer.secret()).unwrap().packed().clone();
    assert!(matches!(*taken(&mut node, &name, &[last]), [Taken::New(_)]));
    let rows = |node: &Replica<MemoryFeedStore, RedbViewStore>| {
        node.rows(&RowFilter::default(), None, usize::MAX).unwrap().1
    };
    let before = rows(&node);
    assert_eq!(before.len() as u64, CHECKPOINT_EVERY);
    assert!(before.iter().map(|row| row.state.len()).sum::<usize>() > 4 << 20);
    let heads = |row: &ViewRow| row.values().unwrap().heads().len() as u64;
    assert!(before.iter().all(|row| heads(row) == WRITERS));
    assert!(node.views_agree(&mut Unwatched).unwrap());
    node.rebuild_views(&mut Unwatched).unwrap();
    assert_eq!(rows(&node), before);
}

/// On a disk that is nearly full nothing of others is taken in, also no branch that is no longer than
/// what is held.
#[test]
fn a_fork_takes_no_room_that_a_disk_does_not_have() {
    let world = World::new(1, 1);
    let (_, writer) = certified(&world);
    let mut node = province(&world);
    let name = name(writer, &world, Space::Records);
    let [one, other] =
        [1, 2].map(|salt| runs(writer, &name, 1, |seq| heavy(EntryKind::EDIT, seq + salt * 1_000)));
    assert!(matches!(*taken(&mut node, &name, &one), [Taken::New(_)]));
    let free = &node.feed_store().watch.clone().free;
    free.set(Some(10_000_000));
    assert!(matches!(*taken(&mut node, &name, &other), [Taken::Full]));
    free.set(None);
    assert!(matches!(*taken(&mut node, &name, &other), [Taken::New(_)]));
}

#[test]
fn entries_of_a_kind_nobody_knows_yet_make_no_record_when_their_feed_is_judged_anew() {
    let world = World::new(1, 1);
    let (_, writer) = certified(&world);
    let mut node = province(&world);
    let name = name(writer, &world, Space::Records);
    taken(&mut node, &name, &runs(writer, &name, 1, |seq| heavy(EntryKind(99), seq)));
    close(&world, &mut node, &name);
    assert_eq!(records(&node, RecordVerdict::Quarantined), 0);
    assert!(node.views_agree(&mut Unwatched).unwrap());
}

/// Saves of one village, each signed by itself: so many that views are made durable on the way.
#[test]
fn a_node_that_runs_for_long_makes_its_views_durable_and_finds_when_edits_came_in_one_walk() {
    const SAVES: usize = 20_500;
    const LAG_MAX: u64 = 20_000;
    let world = World::new(1, 1);
    let (area, writer) = certified(&world);
    let mut node = province(&world);
    let (name, runs) = feed_of_saves(writer, area, SAVES, 1);
    for some in runs.chunks(500) {
        taken(&mut node, &name, some);
    }
    assert!(node.arrived() > LAG_MAX);
    assert!(node.durable_views() > 0 && node.arrived() - node.durable_views() < LAG_MAX);

    let weights = node.feed_store().watch.clone();
    let place = |seq| Place { feed: name.id(), branch: 0, seq };
    let places: Vec<Place> = (1..=SAVES as u64).step_by(200).map(place).collect();
    weights.pages.set(0);
    assert_eq!(node.received(&places).unwrap().len(), places.len());
    let walk = weights.pages.replace(0);
    assert_eq!(node.received(places.get(places.len() - 1..).unwrap()).unwrap().len(), 1);
    assert_eq!(weights.pages.get(), walk, "one is found in as many pages as all");
}
