//! Views are derived, and may rot or be those of another copy of the store: what a device saves must not
//! hang on where they say that its earlier entries lie.

use crdt_schema::class::Class;
use crdt_schema::entry::DraftSection;
use crdt_schema::id::{RecordId, StoreInstance};
use crdt_schema::time::Timestamp;
use node::ports::{
    EditRef, FeedHeads, FeedStore as _, Place, RecordKey, ViewBatch, ViewStore as _,
};
use node::replica::{Author, Offered, Save, Source};
use node::store::memory::{MemoryFeedStore, MemoryViewStore};
use tests::replicas::{Memory, replica, replica_over};
use tests::world::{KIND, World, certified};

/// Saves of two records, in turn.
const SAVES: u8 = 4;

fn saved(node: &mut Memory, world: &World, record: RecordId) {
    let (area, writer) = certified(world);
    let author = Author { device: writer.device(), key: writer.secret() };
    let sections = vec![DraftSection::in_clear(Class::Open, &[0], [0; 16])];
    let key = RecordKey { area, kind: KIND, record };
    node.save(&author, Save { key, person: 0, claimed_at: Timestamp(0), sections }).unwrap();
    node.commit(Some(&author), &Source::Here, Timestamp(0)).unwrap();
}

#[test]
fn a_save_is_whole_whatever_places_the_views_name() {
    let world = World::new(1, 1);
    let (area, writer) = certified(&world);
    let [one, other] = [1, 2].map(|number| RecordId([number; 16]));
    let mut node = replica(&world, writer, 1);
    for (name, runs) in &world.authority {
        for run in runs {
            node.offer(name, run).unwrap();
        }
    }
    node.commit(None, &Source::Here, Timestamp(0)).unwrap();
    for number in 0..SAVES {
        saved(&mut node, &world, if number % 2 == 0 { one } else { other });
    }

    // The same rows, and each edit one place further on: at one of the other record.
    let views = node.views().unwrap();
    let mut misled = MemoryViewStore::default();
    let (mut rows, mut edits) = (Vec::new(), Vec::new());
    for record in [one, other] {
        let key = RecordKey { area, kind: KIND, record };
        rows.extend(views.row(&key, node.feed_store()).unwrap());
        for EditRef { place, id } in views.edits(&key, node.feed_store()).unwrap() {
            let place = Place { seq: place.seq % u64::from(SAVES) + 1, ..place };
            edits.push((key, EditRef { place, id }));
        }
    }
    edits.sort_unstable_by_key(|(key, edit)| (*key, edit.place.seq));
    misled.commit(ViewBatch { applied: node.arrived(), edits, rows }, false).unwrap();
    let store: MemoryFeedStore = node.feed_store().clone();
    assert_eq!(store.instance(), StoreInstance([1; 16]));
    let mut node = replica_over(store, misled, &world, writer);
    saved(&mut node, &world, one);

    // Whoever gets it reads what was signed.
    let mut reader = replica(&world, &world.province, 2);
    for (name, runs) in &world.authority {
        for run in runs {
            reader.offer(name, run).unwrap();
        }
    }
    reader.commit(None, &Source::Here, Timestamp(0)).unwrap();
    let feeds: Vec<_> = node.feeds().filter(|feed| feed.name.device == writer.device()).collect();
    let [feed] = feeds[..] else { unreachable!("one feed") };
    for from in 1..=u64::from(SAVES) + 1 {
        let id = feed.name.id();
        let Some(run) = node.feed_store().packed_run(id, 0, from).unwrap() else { break };
        let outcome = reader.offer(&feed.name, &run).unwrap().outcome;
        assert!(matches!(outcome, Offered::Staged(_) | Offered::Duplicate), "{from}: {outcome:?}");
    }
    reader.commit(None, &Source::Here, Timestamp(0)).unwrap();
    let newest = |feed: &FeedHeads| feed.branches.first().map(|branch| branch.head.point);
    assert_eq!(newest(reader.feed(feed.name.id()).unwrap()), newest(feed));
}
