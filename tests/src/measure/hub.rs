//! A provincial replica that takes runs, on whatever stores a measure gives it.

use std::borrow::Borrow;

use crdt_schema::entry::PackedRun;
use crdt_schema::id::{FeedName, StoreInstance};
use crdt_schema::time::Timestamp;
use node::ports::{FeedStore, ViewStore};
use node::replica::{Replica, Source};

use crate::replicas::replica_over;
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
    replica_over(feeds, views, world, &world.province)
}

/// Takes runs as an import does; returns how many entries they had.
pub(super) fn take<F: FeedStore, V: ViewStore>(
    replica: &mut Replica<F, V>,
    offered: impl Iterator<Item = (impl Borrow<FeedName>, impl Borrow<PackedRun>)>,
) -> u64 {
    let (mut entries, mut staged) = (0, 0);
    for (name, run) in offered {
        let offer = replica.offer(name.borrow(), run.borrow()).unwrap();
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
