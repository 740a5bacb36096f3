//! A provincial replica that takes runs, on whatever stores a measure gives it.

use std::sync::Arc;

use crdt_schema::entry::PackedRun;
use crdt_schema::id::{FeedName, StoreInstance};
use crdt_schema::record::Schema;
use crdt_schema::time::Timestamp;
use node::ports::{FeedStore, ViewStore};
use node::replica::{Opening, Replica, Source};

use crate::world::{Feed, World};

/// The life of every store here.
pub(super) const INSTANCE: StoreInstance = StoreInstance([7; 16]);
/// Memory for pages of the views: what a node gives them.
pub(super) const VIEW_CACHE_BYTES: usize = 8 << 20;
/// Entries a commit takes, as an import does.
const ENTRIES_PER_COMMIT: u64 = 8_192;

/// A run and the feed it is of.
pub(super) type Offered<'a> = (&'a FeedName, &'a PackedRun);

/// The runs of a feed in order.
pub(super) fn runs(feed: &Feed) -> impl Iterator<Item = Offered<'_>> {
    feed.1.iter().map(|run| (&feed.0, run))
}

/// Opens a replica of the province.
pub(super) fn open<F: FeedStore, V: ViewStore>(world: &World, feeds: F, views: V) -> Replica<F, V> {
    let opening = Opening {
        statement: world.statement.clone(),
        schema: Arc::new(Schema::standard().clone()),
        me: world.province.device(),
        incarnation: 1,
        next_incarnation: 2,
    };
    Replica::open(feeds, views, opening).unwrap()
}

/// Takes runs as an import does; returns how many entries they had.
pub(super) fn take<'a, F: FeedStore, V: ViewStore>(
    replica: &mut Replica<F, V>,
    offered: impl Iterator<Item = Offered<'a>>,
) -> u64 {
    let (mut entries, mut staged) = (0, 0);
    for (name, run) in offered {
        let offer = replica.offer(name, run).unwrap();
        staged += offer.entries;
        entries += offer.entries;
        if staged >= ENTRIES_PER_COMMIT {
            commit(replica);
            staged = 0;
        }
    }
    commit(replica);
    entries
}

/// The same of runs that are read one by one.
pub(super) fn take_owned<F: FeedStore, V: ViewStore>(
    replica: &mut Replica<F, V>,
    offered: impl Iterator<Item = (FeedName, PackedRun)>,
) -> u64 {
    let (mut entries, mut staged) = (0, 0);
    for (name, run) in offered {
        let offer = replica.offer(&name, &run).unwrap();
        staged += offer.entries;
        entries += offer.entries;
        if staged >= ENTRIES_PER_COMMIT {
            commit(replica);
            staged = 0;
        }
    }
    commit(replica);
    entries
}

/// Makes what is staged durable.
pub(super) fn commit<F: FeedStore, V: ViewStore>(replica: &mut Replica<F, V>) {
    replica.commit(None, &Source::Bundle("ukur".to_owned()), Timestamp(0)).unwrap();
}
