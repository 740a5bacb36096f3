//! One signed chain has many encodings: a record may be written out where a distance would do, or be as
//! far away as any earlier entry about it; a dep may be an id, and deps stand in any order. Whoever
//! holds a chain in one encoding reads on in any other, in memory and on a disk.

use std::sync::LazyLock;

use crdt_schema::class::Class;
use crdt_schema::entry::{
    Block, ChainPoint, DepRef, Draft, DraftSection, Entry, EntryKind, NoBackRefs, PackedEntry,
    PackedRun, RecordRef,
};
use crdt_schema::id::{EntryId, FeedName, RecordId, Space, StoreInstance};
use crdt_schema::time::Timestamp;
use node::ports::{FeedStore, ViewStore};
use node::replica::{Offered, Replica, Source};
use node::store::feed::RedbFeedStore;
use node::store::memory::MemoryViewStore;
use node::sync::Phase;
use node::sync::driver::Pair;
use proptest::collection::vec;
use proptest::prelude::*;
use tests::replicas::{self, meet};
use tests::world::{World, Writer, certified};

use crate::caps::Nowhere;

const ENTRIES: u64 = 12;

/// A village with one device, which writes.
static WORLD: LazyLock<World> = LazyLock::new(|| World::new(1, 1));
/// Edits of two records in turn, each upon the two before it of the same record.
static CHAIN: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let mut chain: Vec<Entry> = Vec::new();
    for seq in 1..=ENTRIES {
        let record = RecordId([u8::try_from(seq % 2).unwrap(); 16]);
        let same = |entry: &&Entry| entry.header.record == record;
        let deps: Vec<EntryId> =
            chain.iter().rev().filter(same).take(2).map(|entry| entry.id).collect();
        let draft = Draft {
            kind: EntryKind::EDIT,
            record_kind: 5,
            record,
            person: 0,
            claimed_at: Timestamp(seq.cast_signed()),
            deps,
            sections: vec![DraftSection::in_clear(Class::Open, &[0], [0; 16])],
        };
        let after = chain.last().map_or(ChainPoint::START, Entry::point);
        chain.push(draft.place(name().id(), after).unwrap());
    }
    chain
});

fn name() -> FeedName {
    let (area, writer) = certified(&WORLD);
    FeedName { device: writer.device(), area, space: Space::Records, incarnation: 1 }
}

/// The entries of the chain from one place to another.
fn part(first: u64, last: u64) -> &'static [Entry] {
    let [before, last] = [first - 1, last].map(|place| usize::try_from(place).unwrap());
    CHAIN.get(before..last).unwrap()
}

/// Everything written out.
fn written_out(entry: &Entry) -> PackedEntry {
    Block::of_entries(std::slice::from_ref(entry), &Nowhere).entries.remove(0)
}

/// The same with the record as far back as the entry `nth` of those about it before, the last first.
fn led_back(entry: &Entry, nth: usize) -> PackedEntry {
    let about = entry.header.about();
    let before = part(1, entry.header.seq - 1).iter().rev();
    let before = before.filter(|earlier| earlier.header.about() == about).nth(nth);
    let mut packed = written_out(entry);
    if let Some(earlier) = before {
        packed.record = RecordRef::Back(entry.header.seq - earlier.header.seq);
    }
    packed
}

/// The way to write an entry that these choices make.
fn written(entry: &Entry, choices: &mut impl Iterator<Item = u8>) -> PackedEntry {
    let mut choose = |among: u64| u64::from(choices.next().unwrap()) % among;
    let mut packed = match choose(3) {
        0 => written_out(entry),
        _ => led_back(entry, usize::try_from(choose(ENTRIES / 2)).unwrap()),
    };
    for (dep, id) in packed.deps.iter_mut().zip(&entry.header.deps) {
        let earlier = CHAIN.iter().find(|earlier| earlier.id == *id).unwrap();
        if choose(2) == 0 {
            *dep = DepRef::Back(entry.header.seq - earlier.header.seq);
        }
    }
    if choose(2) == 0 {
        packed.deps.reverse();
    }
    packed
}

/// A run that begins at `first`, under the device's signature.
fn signed(first: u64, entries: Vec<PackedEntry>) -> PackedRun {
    let block = Block { first, entries };
    let last = part(first, block.last()).last().unwrap().point();
    let head = certified(&WORLD).1.secret().sign_head(name().id(), last);
    PackedRun::pack(&block, head.signature)
}

/// Nothing held but who belongs to the network.
fn knowing<F: FeedStore, V: ViewStore>(mut replica: Replica<F, V>) -> Replica<F, V> {
    for (name, runs) in &WORLD.authority {
        for run in runs {
            replica.offer(name, run).unwrap();
        }
    }
    commit(&mut replica);
    replica
}

fn in_memory(me: &Writer, number: u8) -> replicas::Memory {
    knowing(replicas::replica(&WORLD, me, number))
}

fn commit<F: FeedStore, V: ViewStore>(replica: &mut Replica<F, V>) {
    replica.commit(None, &Source::Here, Timestamp(0)).unwrap();
}

fn offer<F: FeedStore, V: ViewStore>(replica: &mut Replica<F, V>, run: &PackedRun) -> Offered {
    replica.offer(&name(), run).unwrap().outcome
}

/// A run of so many entries beyond what is held, with so many before it, by these choices; and whether
/// what was taken is made durable afterwards.
#[derive(Debug, Clone)]
struct Piece {
    again: u64,
    more: u64,
    choices: Vec<u8>,
    commits: bool,
}

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let piece = (0..4u64, 1..4u64, vec(any::<u8>(), 40), any::<bool>());
    let piece =
        piece.prop_map(|(again, more, choices, commits)| Piece { again, more, choices, commits });
    vec(piece, usize::try_from(ENTRIES).unwrap())
}

/// Offers the chain piece by piece, and then reads it back.
fn take_all<F: FeedStore, V: ViewStore>(replica: Replica<F, V>, pieces: &[Piece]) {
    let mut replica = knowing(replica);
    let mut held = 0;
    for piece in pieces {
        let more = piece.more.min(ENTRIES - held);
        if more == 0 {
            break;
        }
        let first = held + 1 - piece.again.min(held);
        let mut choices = piece.choices.iter().copied().cycle();
        let entries = part(first, held + more).iter();
        let run = signed(first, entries.map(|entry| written(entry, &mut choices)).collect());
        assert_eq!(offer(&mut replica, &run), Offered::Staged(more), "{first}: {piece:?}");
        held += more;
        if piece.commits {
            commit(&mut replica);
        }
    }
    commit(&mut replica);
    let store = replica.feed_store();
    assert_eq!(store.entries(name().id(), 0, 1..=ENTRIES).unwrap(), *CHAIN);
    let handed_on = store.packed_run(name().id(), 0, 1).unwrap().unwrap();
    let opened = handed_on.open(name().id(), ChainPoint::START, &NoBackRefs).unwrap();
    let run = opened.verify(&certified(&WORLD).1.secret().public()).unwrap();
    assert_eq!(run.entries(), *CHAIN);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn whoever_holds_a_chain_in_one_encoding_reads_on_in_any_other(pieces in pieces()) {
        let province = &WORLD.province;
        take_all(replicas::replica(&WORLD, province, 1), &pieces);
        let folder = tempfile::tempdir().unwrap();
        let feeds = RedbFeedStore::create(&folder.path().join("feed.redb"), StoreInstance([2; 16]));
        let views = MemoryViewStore::default();
        take_all(replicas::replica_over(feeds.unwrap(), views, &WORLD, province), &pieces);
    }
}

/// The device gave the same two entries to each, here with the record twice, there with a distance; and the
/// third to one of them, as a distance to the second.
#[test]
fn two_offices_that_hold_two_encodings_of_a_feed_become_equal_and_stay_so() {
    let [mut one, mut two] = [in_memory(&WORLD.province, 1), in_memory(&WORLD.other, 2)];
    let [first, _, third, _, fifth] = part(1, 5) else { unreachable!() };
    let second = part(2, 2).iter().map(written_out).next().unwrap();
    let begin = |third| signed(1, vec![written_out(first), second.clone(), third]);
    let go_on = signed(4, part(4, 4).iter().map(written_out).chain([led_back(fifth, 0)]).collect());
    assert_eq!(offer(&mut one, &begin(written_out(third))), Offered::Staged(3));
    assert_eq!(offer(&mut two, &begin(led_back(third, 0))), Offered::Staged(3));
    assert_eq!(offer(&mut one, &go_on), Offered::Staged(2));
    for replica in [&mut one, &mut two] {
        commit(replica);
    }
    let mut pair = Pair::new(one.me(), two.me());
    meet(&mut pair, &mut one, &mut two);
    let equal = Phase::Live { equal: true };
    assert_eq!(pair.phases(), (equal, equal), "{:?}", pair.responder());
    let whole = signed(1, part(1, ENTRIES).iter().map(|entry| led_back(entry, 0)).collect());
    for replica in [&mut two, &mut one] {
        assert_eq!(offer(replica, &whole), Offered::Staged(ENTRIES - 5));
    }
}
