//! Authority entries as a replica keeps them: with all they say, for everything is judged by them.
//!
//! So what one device may leave of them in one area has a limit (ADR 0039), and is weighed here.

use std::collections::BTreeMap;

use crdt_schema::area::AreaId;
use crdt_schema::authority::Payload;
use crdt_schema::class::Class;
use crdt_schema::entry::Entry;
use crdt_schema::id::{DeviceId, EntryId, FeedName, Space};
use crdt_schema::time::Timestamp;

use super::each_entry;
use super::held::Held;
use crate::authority::AuthorityEntry;
use crate::ports::{FeedStore, StoreError};

/// What the authority of one device that may issue may weigh in one area, by
/// [`crdt_schema::entry::Header::weight`]: three thousand certificates, or eighty closings of the longest.
pub(super) const AUTHORITY_WEIGHT_MAX: u64 = 1 << 20;
/// The same of a device that may not: it introduces itself and closes itself, which is 14 KB. Who may issue can
/// make up thousands of these.
pub(super) const OWN_AUTHORITY_WEIGHT_MAX: u64 = 64 << 10;
/// So many times as much is taken of what those above named: who said where a feed ends held as much as anybody
/// may, and whoever holds as much of other feeds needs that, too.
pub(super) const NAMED_TIMES: u64 = 2;

/// Authority entries, of a store or of a batch.
#[derive(Debug, Default)]
pub(super) struct Declared {
    entries: Vec<AuthorityEntry>,
    claimed: BTreeMap<EntryId, Timestamp>,
    weights: BTreeMap<(DeviceId, AreaId), u64>,
}

impl Declared {
    /// Every authority entry held, ascending by feed, branch and sequence.
    pub(super) fn read(feeds: &impl FeedStore, held: &Held) -> Result<Self, StoreError> {
        let mut declared = Self::default();
        for (_, feed) in held.feeds().filter(|(_, feed)| feed.name.space == Space::Authority) {
            each_entry(feeds, feed, |_, entry| declared.push(&feed.name, entry))?;
        }
        Ok(declared)
    }

    /// Adds an entry of a feed.
    pub(super) fn push(&mut self, name: &FeedName, entry: &Entry) {
        self.claimed.insert(entry.id, entry.header.claimed_at);
        let weight = self.weights.entry((name.device, name.area)).or_default();
        *weight += u64::from(entry.header.weight());
        self.entries.push(authority_entry(name, entry));
    }

    /// Adds what a batch made durable.
    pub(super) fn append(&mut self, batch: Self) {
        self.entries.extend(batch.entries);
        self.claimed.extend(batch.claimed);
        for (said, weight) in batch.weights {
            *self.weights.entry(said).or_default() += weight;
        }
    }

    /// In the order they came.
    pub(super) fn entries(&self) -> &[AuthorityEntry] {
        &self.entries
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn claimed_at(&self, entry: EntryId) -> Option<Timestamp> {
        self.claimed.get(&entry).copied()
    }

    /// What a device said in an area, in all its feeds.
    pub(super) fn weight(&self, device: DeviceId, area: AreaId) -> u64 {
        self.weights.get(&(device, area)).copied().unwrap_or_default()
    }
}

/// An entry with what it says; what cannot be read says nothing.
pub(super) fn authority_entry(name: &FeedName, entry: &Entry) -> AuthorityEntry {
    let body = entry.open_body(Class::Open);
    let payload = body.and_then(|body| Payload::from_bytes(entry.header.kind, body).ok().flatten());
    AuthorityEntry {
        feed: *name,
        point: entry.point(),
        prev: entry.header.prev,
        kind: entry.header.kind,
        deps: entry.header.deps.clone(),
        payload,
    }
}
