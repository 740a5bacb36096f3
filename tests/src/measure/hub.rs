//! A provincial replica that takes runs, on whatever stores a measure gives it.

use std::borrow::Borrow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crdt_schema::authority::SignedStatement;
use crdt_schema::entry::PackedRun;
use crdt_schema::id::{DeviceId, FeedName, StoreInstance};
use crdt_schema::record::Schema;
use crdt_schema::time::Timestamp;
use node::ports::{FeedBatch, FeedStore, ViewStore};
use node::replica::{INCARNATION, Opening, Replica, Source};
use node::store::feed::RedbFeedStore;
use node::store::view::RedbViewStore;

use crate::world::Feed;

/// The life of every store here.
pub(super) const INSTANCE: StoreInstance = StoreInstance([7; 16]);
/// Memory for pages of the views: what a node gives them.
pub(super) const VIEW_CACHE_BYTES: usize = 8 << 20;
/// Entries a commit takes, as an import does.
const ENTRIES_PER_COMMIT: u64 = 8_192;
/// Names of the value a node's store holds from its first moment, and of the files of a node.
const STATEMENT: &[u8] = b"statement";
const STORES: [&str; 2] = ["feed.redb", "view.redb"];

/// A run and the feed it is of.
pub(super) type Offered<'a> = (&'a FeedName, &'a PackedRun);

/// The runs of a feed in order.
pub(super) fn runs(feed: &Feed) -> impl Iterator<Item = Offered<'_>> {
    feed.1.iter().map(|run| (&feed.0, run))
}

/// Opens a device's replica.
pub(super) fn open<F: FeedStore, V: ViewStore>(
    statement: &SignedStatement,
    me: DeviceId,
    feeds: F,
    views: V,
) -> Replica<F, V> {
    let schema = Arc::new(Schema::standard().clone());
    let statement = statement.clone();
    let opening = Opening { statement, schema, me, incarnation: 1, next_incarnation: 2 };
    Replica::open(feeds, views, opening).unwrap()
}

/// The stores of the node in a folder.
pub(super) fn stores(folder: &Path) -> [PathBuf; 2] {
    STORES.map(|name| folder.join(name))
}

/// Lays a node's empty stores into a folder, in place of those that are there.
pub(super) fn lay(folder: &Path, instance: StoreInstance, statement: &SignedStatement) {
    let [feeds, views] = stores(folder);
    for path in [&feeds, &views] {
        // There is none at first.
        drop(std::fs::remove_file(path));
    }
    let values = vec![
        (STATEMENT.to_vec(), Some(statement.as_bytes().to_vec())),
        (INCARNATION.to_vec(), Some(1u64.to_be_bytes().to_vec())),
    ];
    let batch = FeedBatch { values, ..FeedBatch::default() };
    RedbFeedStore::create(&feeds, instance).unwrap().commit(&batch, Timestamp(0)).unwrap();
}

/// Opens a device's replica over what was laid into a folder.
pub(super) fn open_in(folder: &Path, me: DeviceId) -> Replica<RedbFeedStore, RedbViewStore> {
    let [feeds, views] = stores(folder);
    let feeds = RedbFeedStore::open(&feeds).unwrap();
    let views = RedbViewStore::open_or_create(&views, feeds.instance(), VIEW_CACHE_BYTES).unwrap();
    let statement = feeds.value(STATEMENT).unwrap().unwrap();
    open(&SignedStatement::verify(&statement).unwrap(), me, feeds, views)
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
