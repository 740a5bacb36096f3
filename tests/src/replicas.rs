//! Replicas in memory, and the session between two of them.

use std::sync::Arc;

use crdt_schema::id::StoreInstance;
use crdt_schema::record::Schema;
use crdt_schema::time::Timestamp;
use node::ports::{FeedStore, ViewStore};
use node::replica::{Opening, PeerSink, Replica, Source};
use node::store::memory::{MemoryFeedStore, MemoryViewStore};
use node::sync::driver::{Cost, Pair};
use node::sync::request::NoReceipts;

use crate::world::{World, Writer};

/// A replica that keeps everything in memory.
pub type Memory = Replica<MemoryFeedStore, MemoryViewStore>;

/// A device's replica that has taken nothing yet; `number` tells its store from others.
pub fn replica(world: &World, me: &Writer, number: u8) -> Memory {
    let feeds = MemoryFeedStore::new(StoreInstance([number; 16]));
    replica_over(feeds, MemoryViewStore::default(), world, me)
}

/// The same over stores that were made before.
pub fn replica_over<F: FeedStore, V: ViewStore>(
    feeds: F,
    views: V,
    world: &World,
    me: &Writer,
) -> Replica<F, V> {
    let opening = Opening {
        statement: world.statement.clone(),
        schema: Arc::new(Schema::standard().clone()),
        me: me.device(),
        incarnation: 1,
        next_incarnation: 2,
    };
    Replica::open(feeds, views, opening).unwrap()
}

/// What a pair has to say to each other, to the end.
pub fn meet(pair: &mut Pair, one: &mut Memory, two: &mut Memory) -> Cost {
    let (source, now) = (|| Source::Peer("uji".to_owned()), Timestamp(0));
    let mut one = PeerSink { replica: one, receipts: &NoReceipts, source: source(), now };
    let mut two = PeerSink { replica: two, receipts: &NoReceipts, source: source(), now };
    pair.run(&mut one, &mut two)
}
