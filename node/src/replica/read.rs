//! What may be asked of a replica: one record, its edits in display order, pages of rows, forks.

use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::entry::{ChainPoint, Entry, RECORD_WEIGHT_MAX};
use crdt_schema::fold::{FoldEntry, RecordState, fold};
use crdt_schema::id::{DeviceId, EntryId, FeedId, FeedName};
use crdt_schema::time::Timestamp;

use super::Replica;
use super::commit::SOURCE;
use super::layer::{LoadedEdit, fold_entry, in_order};
use super::verdict::{EntryVerdict, own_branch};
use crate::ingest::{self, Leaving};
use crate::ports::{
    BranchHead, EditRef, FeedHeads, FeedStore, Place, RecordKey, RecordVerdict, RowFilter,
    StoreError, Totals, ViewRow, ViewStore,
};

/// Arrivals read at once while looking for one.
const ARRIVALS_AT_ONCE: usize = 4_096;

/// One record as it is shown.
#[derive(Debug, Clone)]
pub struct HeldRecord {
    /// Which.
    pub key: RecordKey,
    /// How it stands.
    pub verdict: RecordVerdict,
    /// Its values.
    pub state: RecordState,
    /// Claimed time of its newest edit.
    pub changed_at: Timestamp,
    /// What its edits weigh, as [`ViewRow::weight`].
    pub weight: u32,
}

/// One held edit with all that is known of it.
#[derive(Debug, Clone)]
pub struct EditSeen {
    /// The entry.
    pub entry: Entry,
    /// Where it lies.
    pub place: Place,
    /// Whose feed that is.
    pub device: DeviceId,
    /// How it stands.
    pub verdict: EntryVerdict,
}

/// The held edits of a record.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// In display order: causality, claimed time, entry id.
    pub edits: Vec<EditSeen>,
    /// How many there are beside these. Beyond
    /// [`RECORD_WEIGHT_MAX`] some are left out: quarantined ones
    /// before those that wait, these before those that count; of each the latest by their claimed time.
    pub left_out: u64,
}

/// A place where one device wrote two entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    /// The feed.
    pub name: FeedName,
    /// The first sequence with more than one entry.
    pub seq: u64,
    /// The entries there, by id, each with the arrival that brought it.
    pub entries: Vec<(EntryId, u64)>,
}

impl<F: FeedStore, V: ViewStore> Replica<F, V> {
    /// Records whose id in hex begins so.
    ///
    /// # Errors
    /// [`StoreError`] of the views.
    pub fn find(&self, hex_prefix: &str) -> Result<Vec<RecordKey>, StoreError> {
        self.views()?.find(hex_prefix)
    }

    /// One record; `None` when nobody wrote it.
    ///
    /// # Errors
    /// [`StoreError`] of the views.
    pub fn record(&self, key: &RecordKey) -> Result<Option<HeldRecord>, StoreError> {
        let Some(row) = self.views()?.row(key, &self.feeds)? else { return Ok(None) };
        let state = row.values()?;
        let ViewRow { key, verdict, changed_at, weight, .. } = row;
        Ok(Some(HeldRecord { key, verdict, state, changed_at, weight }))
    }

    /// A page of rows, and how many match in all. One of fewer rows than `limit` may
    /// [be heavy](crate::ports::is_heavy_page), and more of them follow.
    ///
    /// # Errors
    /// [`StoreError`] of the views.
    pub fn rows(
        &self,
        filter: &RowFilter,
        after: Option<&RecordKey>,
        limit: usize,
    ) -> Result<(u64, Vec<ViewRow>), StoreError> {
        self.views()?.list(filter, after, limit, &self.feeds)
    }

    /// Totals over all rows.
    ///
    /// # Errors
    /// [`StoreError`] of the views.
    pub fn totals(&self) -> Result<Totals, StoreError> {
        self.views()?.totals()
    }

    /// The held edits of a record in display order; of one that weighs too much as many as are shown.
    ///
    /// # Errors
    /// [`StoreError`] of either store.
    pub fn history(&self, key: &RecordKey) -> Result<History, StoreError> {
        let edits = in_order(self.views()?.edits(key, &self.feeds)?);
        let (mut shown, mut places, mut weight) = (Vec::new(), Vec::new(), 0u32);
        self.each_edit(&edits, |it| {
            let header = &it.entry.header;
            weight = weight.saturating_add(header.weight());
            places.push((it.verdict, header.claimed_at, it.edit, header.weight()));
            if weight <= RECORD_WEIGHT_MAX {
                shown.push(it);
            }
        })?;
        if weight > RECORD_WEIGHT_MAX {
            drop(std::mem::take(&mut shown));
            places.sort_unstable_by_key(|(verdict, at, edit, _)| (*verdict, *at, edit.id));
            let mut room = RECORD_WEIGHT_MAX;
            let fits = |(.., weight): &&(EntryVerdict, Timestamp, EditRef, u32)| {
                let left = room.checked_sub(*weight);
                room = left.unwrap_or(room);
                left.is_some()
            };
            let first = places.iter().take_while(fits).map(|(_, _, edit, _)| *edit);
            self.each_edit(&in_order(first.collect()), |it| shown.push(it))?;
        }
        let left_out = (edits.len() - shown.len()) as u64;
        let all: Vec<FoldEntry> = shown.iter().map(|it| fold_entry(&it.entry, true)).collect();
        let depths = fold(&all).depths;
        let mut edits: Vec<EditSeen> =
            shown.into_iter().filter_map(|it| self.edit_seen(it)).collect();
        // What waits for an entry not held has no depth yet, and stands last.
        let place = |it: &EditSeen| {
            let depth = depths.get(&it.entry.id).copied().unwrap_or(u64::MAX);
            (depth, it.entry.header.claimed_at, it.entry.id)
        };
        edits.sort_by_key(place);
        Ok(History { edits, left_out })
    }

    /// The edits of a record as the fold reads them, for its documents, where those speak that stand no worse
    /// than `least`; none where these weigh more than is read.
    ///
    /// # Errors
    /// [`StoreError`] of either store.
    pub fn fold_entries(
        &self,
        key: &RecordKey,
        least: EntryVerdict,
    ) -> Result<Option<Vec<FoldEntry>>, StoreError> {
        let edits = in_order(self.views()?.edits(key, &self.feeds)?);
        let layer = self.layer(&edits, least)?;
        Ok((!layer.is_beyond()).then(|| layer.fold_entries(least)))
    }

    fn edit_seen(&self, loaded: LoadedEdit) -> Option<EditSeen> {
        let device = self.held.feed(loaded.edit.place.feed)?.name.device;
        let LoadedEdit { edit, entry, verdict, .. } = loaded;
        Some(EditSeen { entry, place: edit.place, device, verdict })
    }

    /// The feeds held, ascending by id.
    pub fn feeds(&self) -> impl Iterator<Item = &FeedHeads> {
        self.held.feeds().map(|(_, feed)| feed)
    }

    /// One feed.
    pub fn feed(&self, id: FeedId) -> Option<&FeedHeads> {
        self.held.feed(id)
    }

    /// The branch of a feed on whose own part an entry lies, if it is held.
    ///
    /// # Errors
    /// [`StoreError`] of the feed store.
    pub fn branch_of(&self, feed: FeedId, point: ChainPoint) -> Result<Option<u32>, StoreError> {
        let Some(heads) = self.held.feed(feed) else { return Ok(None) };
        for branch in heads.branches.iter().filter(|branch| branch.head.point.seq >= point.seq) {
            if self.held.point(&self.feeds, feed, branch.branch, point.seq)? == Some(point) {
                return Ok(Some(own_branch(&self.held, feed, branch.branch, point.seq)));
            }
        }
        Ok(None)
    }

    /// The stored run of a branch that begins at `from`, checked on its way out.
    ///
    /// # Errors
    /// [`StoreError`] of the feed store; damage is in the answer.
    pub fn leaving(&self, feed: FeedId, branch: u32, from: u64) -> Result<Leaving, StoreError> {
        let device = self.held.feed(feed).map(|feed| feed.name.device);
        let key = device.and_then(|device| self.authority.signing_key(&device));
        ingest::leaving(&self.feeds, feed, branch, from, key.as_ref())
    }

    /// Every entry of the feeds, each branch counted once.
    pub fn entries_held(&self) -> u64 {
        let own = |branch: &BranchHead| {
            branch.head.point.seq - branch.from.map_or(0, |(_, shared)| shared)
        };
        self.held.feeds().flat_map(|(_, feed)| &feed.branches).map(own).sum()
    }

    /// Feeds that somebody wrote twice: by feed, then by place.
    ///
    /// # Errors
    /// [`StoreError`] of the feed store.
    pub fn forks(&self) -> Result<Vec<Fork>, StoreError> {
        let mut forks = Vec::new();
        for (id, feed) in self.held.feeds().filter(|(_, feed)| feed.branches.len() > 1) {
            let mut at: BTreeMap<(u32, u64), Vec<u32>> = BTreeMap::new();
            for branch in &feed.branches {
                if let Some((parent, shared)) = branch.from {
                    let parent = own_branch(&self.held, *id, parent, shared.max(1));
                    at.entry((parent, shared + 1)).or_default().push(branch.branch);
                }
            }
            for ((parent, seq), branches) in at {
                forks.push(self.fork(feed.name, parent, seq, &branches)?);
            }
        }
        forks.sort_by_key(|fork| (fork.name.id(), fork.seq));
        Ok(forks)
    }

    fn fork(
        &self,
        name: FeedName,
        parent: u32,
        seq: u64,
        branches: &[u32],
    ) -> Result<Fork, StoreError> {
        let mut entries = Vec::new();
        for branch in [parent].iter().chain(branches) {
            let point = self.held.point(&self.feeds, name.id(), *branch, seq)?;
            if let Some(point) = point {
                let own = own_branch(&self.held, name.id(), *branch, seq);
                entries.push((point.id, self.arrival_of(name.id(), own, seq)?));
            }
        }
        entries.sort_unstable();
        entries.dedup();
        Ok(Fork { name, seq, entries })
    }

    /// The arrival that brought an entry; 0 when it cannot be found.
    ///
    /// # Errors
    /// [`StoreError`] of the feed store.
    pub fn arrival_of(&self, feed: FeedId, branch: u32, seq: u64) -> Result<u64, StoreError> {
        let mut at = 0;
        loop {
            let page = self.feeds.arrivals(at, ARRIVALS_AT_ONCE)?;
            let Some(last) = page.last().map(|arrival| arrival.number) else { return Ok(0) };
            let found = page.iter().find(|arrival| {
                arrival.feed == feed
                    && arrival.branch == branch
                    && (arrival.first..=arrival.last).contains(&seq)
            });
            if let Some(found) = found {
                return Ok(found.number);
            }
            at = last;
        }
    }

    /// When entries came, of those that can be found: the arrivals are gone through once for all.
    ///
    /// # Errors
    /// [`StoreError`] of the feed store.
    pub fn received(&self, places: &[Place]) -> Result<BTreeMap<Place, Timestamp>, StoreError> {
        let mut wanted: BTreeMap<(FeedId, u32), BTreeSet<u64>> = BTreeMap::new();
        for place in places {
            wanted.entry((place.feed, place.branch)).or_default().insert(place.seq);
        }
        let (mut found, mut at) = (BTreeMap::new(), 0);
        while found.len() < places.len() {
            let page = self.feeds.arrivals(at, ARRIVALS_AT_ONCE)?;
            let Some(last) = page.last().map(|arrival| arrival.number) else { break };
            for arrival in page {
                let (feed, branch) = (arrival.feed, arrival.branch);
                let seqs = wanted.get(&(feed, branch)).into_iter();
                for seq in seqs.flat_map(|seqs| seqs.range(arrival.first..=arrival.last)) {
                    found.insert(Place { feed, branch, seq: *seq }, arrival.received_at);
                }
            }
            at = last;
        }
        Ok(found)
    }

    /// Where an arrival came from: `via`, `name`, and when.
    ///
    /// # Errors
    /// [`StoreError`] of the feed store.
    pub fn source_of(&self, arrival: u64) -> Result<(String, String, Timestamp), StoreError> {
        let until = [SOURCE, &arrival.to_be_bytes()].concat();
        let source = self.feeds.value_up_to(SOURCE, &until)?;
        let text = source.map(|(_, value)| String::from_utf8_lossy(&value).into_owned());
        let text = text.unwrap_or_default();
        let (via, name) = text.split_once('\n').unwrap_or((&text, ""));
        let row = self.feeds.arrivals(arrival.saturating_sub(1), 1)?;
        let when = row.first().map(|row| row.received_at).unwrap_or_default();
        Ok((via.to_owned(), name.to_owned(), when))
    }
}
