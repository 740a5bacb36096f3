//! The replica: entries become records. What a node holds, what of it counts, and what it means.
//!
//! Pure over the two store ports; one writer owns it. The way through this room:
//!
//! ```text
//! offer (receive.rs) ─┐                                 ┌─► feed store, durable
//!                     ├─► stage (stage.rs) ── commit ───┤    (commit.rs)
//! save (author.rs) ───┘                                 └─► authority, summary, views
//! ```
//! `held.rs` heads in memory and what is staged on top · `verdict.rs` which entries count ·
//! `layer.rs` the edits of one record that are folded together · `row.rs` they become its row ·
//! `declared.rs` authority as it is kept · `rests.rs` what counts rests on · `catch_up.rs` views that lag after a crash ·
//! `read.rs` what may be asked · `sink.rs` a replica as sessions see it · `room.rs` what is taken in
//! while the disk fills · `mend.rs` after a failed write.
//!
//! The feed store is the truth and is written first; when the views fail afterwards the save is
//! still done, and reading says that the views are behind until they caught up.

mod author;
mod catch_up;
mod commit;
mod declared;
mod held;
mod layer;
mod mend;
mod read;
mod receive;
mod rests;
mod room;
mod row;
mod sink;
mod stage;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crdt_schema::area::AreaId;
use crdt_schema::authority::{Closing, FeedEnd, Payload, SignedStatement};
use crdt_schema::entry::{Entry, SigningPublic};
use crdt_schema::id::{DeviceId, EntryId, FeedId};
use crdt_schema::record::Schema;
use crdt_schema::time::Timestamp;

use crate::authority::{Authority, AuthorityEntry, Standing};
use crate::ports::{FeedHeads, FeedStore, StoreError, ViewStore};
use crate::sync::Summary;

pub use crate::ingest::Leaving;
pub use author::{Author, Declaration, Save};
pub use catch_up::{Rebuilt, ViewsCheckError};
pub use commit::{Committed, INCARNATION, Source};
pub use read::{EditSeen, Fork, HeldRecord, History};
pub use receive::{Offer, Offered, Place, RejectReason};
pub use room::{AUTHORITY_ENDS_BYTES, CARRYING_ENDS_BYTES, Room, TAKING_IN_ENDS_BYTES};
pub use sink::PeerSink;
pub use verdict::EntryVerdict;

use declared::{AUTHORITY_WEIGHT_MAX, Declared};
use held::Held;
use rests::Rests;
use stage::Stage;
use verdict::{ENTRIES_AT_ONCE, Judged};

/// One node's copy of the areas it holds.
#[derive(Debug)]
pub struct Replica<F, V> {
    feeds: F,
    views: V,
    schema: Arc<Schema>,
    me: DeviceId,
    held: Held,
    statement: SignedStatement,
    declared: Declared,
    authority: Arc<Authority>,
    standings: BTreeMap<FeedId, Standing>,
    /// Every feed as it was last judged.
    judged: BTreeMap<FeedId, Judged>,
    /// Feeds that could not be read where they had to be judged: nothing of them counts, and the views
    /// are behind until they can.
    unread: BTreeSet<FeedId>,
    /// What does not count and is held in its place because something that counts rests on it.
    rests: Rests,
    /// Feeds that count in full, with their devices' keys: what most runs need to know, until the
    /// authority changes.
    trusted: BTreeMap<FeedId, SigningPublic>,
    summary: Summary,
    /// Heads that are held and are not in the summary: of devices that wait, and beyond where feeds end.
    apart: Summary,
    stage: Stage,
    /// Bytes that devices which wait have left here, of those that were asked about.
    left: BTreeMap<DeviceId, usize>,
    /// Free bytes of the disk, as they were asked for the batch under way.
    batch_free: Option<u64>,
    /// The feed store failed and was not read anew yet.
    is_ill: bool,
    arrived: u64,
    /// The first failure of the views since they were last whole.
    views_behind: Option<StoreError>,
    views_durable: u64,
    /// What this device's feeds are named with from its next feed on.
    incarnation: u64,
    /// Random, and used once entries of this incarnation come from outside.
    next_incarnation: u64,
}

/// What a replica is opened with beside its stores.
#[derive(Debug)]
pub struct Opening {
    /// The network's root statement.
    pub statement: SignedStatement,
    /// The kinds of record this build knows.
    pub schema: Arc<Schema>,
    /// This device.
    pub me: DeviceId,
    /// The incarnation stored with the feeds.
    pub incarnation: u64,
    /// 64 random bits, for the moment a copy of this store turns up.
    pub next_incarnation: u64,
}

impl<F: FeedStore, V: ViewStore> Replica<F, V> {
    /// Reads heads and authority, and brings the views up to what the feeds hold. A feed that rotted
    /// where it must be judged counts for nothing, and leaves the views behind.
    ///
    /// # Errors
    /// [`StoreError`] of the feed store. Views that fail are reported when they are read.
    pub fn open(feeds: F, views: V, opening: Opening) -> Result<Self, StoreError> {
        let held = Held::load(&feeds)?;
        let declared = Declared::read(&feeds, &held)?;
        let authority = Authority::compute(opening.statement.clone(), declared.entries());
        let tree = Arc::new(authority.tree().clone());
        let mut replica = Self {
            feeds,
            views,
            schema: opening.schema,
            me: opening.me,
            held,
            statement: opening.statement,
            declared,
            authority: Arc::new(authority),
            standings: BTreeMap::new(),
            judged: BTreeMap::new(),
            unread: BTreeSet::new(),
            rests: Rests::default(),
            trusted: BTreeMap::new(),
            summary: Summary::new(tree.clone()),
            apart: Summary::new(tree),
            stage: Stage::default(),
            batch_free: None,
            is_ill: false,
            arrived: 0,
            views_behind: None,
            left: BTreeMap::new(),
            views_durable: 0,
            incarnation: opening.incarnation,
            next_incarnation: opening.next_incarnation,
        };
        replica.arrived = replica.newest_arrival()?;
        let all: Vec<FeedId> = replica.held.feeds().map(|(id, _)| *id).collect();
        replica.judge_feeds(all)?;
        replica.views_durable = replica.views.applied().unwrap_or(0);
        replica.catch_up_quietly();
        Ok(replica)
    }

    /// What the authority entries say together.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Every head that counts or is rested on, and the root of every area.
    pub const fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The truth.
    pub const fn feed_store(&self) -> &F {
        &self.feeds
    }

    /// The truth, for work on the file itself.
    pub(crate) const fn feed_store_mut(&mut self) -> &mut F {
        &mut self.feeds
    }

    /// This device.
    pub const fn me(&self) -> DeviceId {
        self.me
    }

    /// The kinds of record.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The newest arrival number.
    pub const fn arrived(&self) -> u64 {
        self.arrived
    }

    /// What this device's next feed is named with; changed once a copy of this store turned up.
    pub const fn incarnation(&self) -> u64 {
        self.incarnation
    }

    /// Random bits for the next time entries of the incarnation of then come from outside.
    pub const fn set_next_incarnation(&mut self, random: u64) {
        self.next_incarnation = random;
    }

    /// The arrival up to which the views would survive a power cut.
    pub const fn durable_views(&self) -> u64 {
        self.views_durable
    }

    /// The claimed time of an authority entry held.
    pub fn authority_claimed_at(&self, entry: EntryId) -> Option<Timestamp> {
        self.declared.claimed_at(entry)
    }

    /// A held authority entry.
    pub fn declared(&self, entry: EntryId) -> Option<&AuthorityEntry> {
        self.declared.entries().iter().find(|held| held.point.id == entry)
    }

    /// Whether others would not take this entry of this device, for it said so much in an area already.
    pub fn is_heard_out(&self, area: AreaId, entry: &Entry) -> bool {
        let said = self.declared.weight(self.me, area);
        said + u64::from(entry.header.weight()) > AUTHORITY_WEIGHT_MAX
    }

    /// The newest held entry that closes a device, by feed and place; whether it counts is the
    /// authority's to say.
    pub fn closing_of(&self, device: &DeviceId) -> Option<&AuthorityEntry> {
        let place = |entry: &&AuthorityEntry| (entry.feed.id(), entry.point.seq);
        self.closings_of(device).map(|(entry, _)| entry).max_by_key(place)
    }

    /// Every held entry that closes a device, with what it says.
    fn closings_of(&self, device: &DeviceId) -> impl Iterator<Item = (&AuthorityEntry, &Closing)> {
        self.declared.entries().iter().filter_map(|entry| match &entry.payload {
            Some(Payload::Closing(closing)) if closing.device == *device => Some((entry, closing)),
            _ => None,
        })
    }

    /// Whether every entry is held at which somebody closed a device: what lies before one that is not
    /// counts once it comes.
    ///
    /// # Errors
    /// [`StoreError`] of the disk.
    pub fn holds_ends_of(&self, device: &DeviceId) -> Result<bool, StoreError> {
        for end in self.closings_of(device).flat_map(|(_, closing)| &closing.ends) {
            if !self.holds(end)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn holds(&self, end: &FeedEnd) -> Result<bool, StoreError> {
        let Some(feed) = self.feed(end.feed) else { return Ok(false) };
        for branch in &feed.branches {
            if self.feeds.point(end.feed, branch.branch, end.last.seq)? == Some(end.last) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The views, unless they failed since they were last whole.
    ///
    /// # Errors
    /// [`StoreError`] of the disk where that failed; else [`StoreError::Damaged`] naming what did.
    pub fn views(&self) -> Result<&V, StoreError> {
        match &self.views_behind {
            None => Ok(&self.views),
            Some(StoreError::Full) => Err(StoreError::Full),
            Some(StoreError::ReadOnly) => Err(StoreError::ReadOnly),
            Some(StoreError::Poisoned | StoreError::Io { .. }) => Err(StoreError::Poisoned),
            Some(error) => {
                Err(StoreError::Damaged { what: format!("the views are behind: {error}") })
            }
        }
    }
}

/// Every entry of a feed with the branch it is on, some at a time: bodies of a whole feed may take
/// more memory than there is, however little they take on a disk.
fn each_entry(
    feeds: &impl FeedStore,
    feed: &FeedHeads,
    mut each: impl FnMut(u32, &Entry),
) -> Result<(), StoreError> {
    for branch in &feed.branches {
        let first = branch.from.map_or(1, |(_, shared)| shared + 1);
        let (mut at, last) = (first, branch.head.point.seq);
        while at <= last {
            let until = last.min(at + ENTRIES_AT_ONCE - 1);
            for entry in feeds.entries(feed.name.id(), branch.branch, at..=until)? {
                each(branch.branch, &entry);
            }
            at = until + 1;
        }
    }
    Ok(())
}
