//! Reading everything: each block, each id, each signature's place, each arrival; damage is told and
//! does not stop the reading.
//!
//! The chain is computed anew from nothing but the blocks, so a bit changed anywhere in an entry
//! shows in the id it ends in. What a scan cannot judge is whose key signed: it hands out each
//! [`SignedHead`] it comes to, whose point it has computed itself, and the caller verifies it.
//! Pages that rotted are found by [`RedbFeedStore::check_pages`], after which a damaged store is read
//! no more; over such a page redb may panic, so whoever scans a doubtful store guards it.

use std::collections::BTreeMap;

use crdt_schema::entry::{CHECKPOINT_EVERY, ChainPoint, SignedHead};
use crdt_schema::id::{EntryId, FeedId, FeedName};
use redb::ReadableTable;

use super::cache::{Chapter, chapter_first};
use super::codec::Segment;
use super::keys::{BlockKey, head_key, read_block_key};
use super::read::{damaged_block, rebuild};
use super::tables::ARRIVALS;
use super::{RedbFeedStore, read_group};
use crate::guard::guarded;
use crate::ports::{BranchHead, FeedStore, StoreError};
use crate::store::arrival::NO_ARRIVALS;
use crate::store::error::{damaged, failed};
use crate::store::heads::{FeedState, Span};

/// One thing a scan came to.
#[derive(Debug)]
#[non_exhaustive]
pub enum ScanStep<'a> {
    /// Entries whose chain holds from the feed's beginning or from the damage before.
    Entries {
        /// Whose feed.
        name: &'a FeedName,
        /// Local number of the branch.
        branch: u32,
        /// How many more.
        count: u64,
        /// Sections of them whose bytes are gone under a release.
        dropped: u64,
    },
    /// A signature over the entry just computed: at each checkpoint and at the head.
    Signed {
        /// Whose feed.
        name: &'a FeedName,
        /// Local number of the branch.
        branch: u32,
        /// To be verified with the device's key.
        head: SignedHead,
    },
    /// Something is not what was written.
    Damaged(Damage),
}

/// A damaged place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The feed, when it is known.
    pub feed: Option<FeedId>,
    /// Local number of the branch.
    pub branch: u32,
    /// First sequence that cannot be relied on; 0 when it is not about entries.
    pub first: u64,
    /// Last such sequence.
    pub last: u64,
    /// What is wrong, without any personal value.
    pub what: String,
}

impl RedbFeedStore {
    /// Asks redb to check every page against its checksum. It reads the whole file. After damage the
    /// handle is poisoned.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when a page is not what was written; else of the disk.
    pub fn check_pages(&mut self) -> Result<(), StoreError> {
        if self.poisoned {
            return Err(StoreError::Poisoned);
        }
        let Ok(checked) = guarded(|| self.database.check_integrity()) else {
            self.poisoned = true;
            return Err(damaged("pages of the file"));
        };
        match checked {
            Ok(true) => Ok(()),
            Ok(false) => {
                self.poisoned = true;
                Err(damaged("pages of the file, now mended: open the store again"))
            }
            Err(error) => {
                self.poisoned = true;
                Err(failed("check the pages")(error))
            }
        }
    }

    /// Reads everything and tells `each` what it comes to, feed by feed.
    ///
    /// # Errors
    /// [`StoreError`] when the disk fails; damage is no error here, it is told.
    pub fn scan(&self, each: &mut dyn FnMut(ScanStep<'_>)) -> Result<(), StoreError> {
        self.reading()?;
        for (id, feed) in &self.feeds {
            for head in &feed.heads.branches {
                scan_branch(self, *id, feed, head, each)?;
            }
        }
        self.scan_orphans(each)?;
        self.scan_arrivals(each)
    }

    /// Blocks of feeds that are not in the heads, or beyond a head.
    fn scan_orphans(&self, each: &mut dyn FnMut(ScanStep<'_>)) -> Result<(), StoreError> {
        let blocks = self.blocks()?;
        let keys: BTreeMap<_, _> = self
            .feeds
            .iter()
            .map(|(id, feed)| (head_key(&feed.heads.name, *id), (id, feed)))
            .collect();
        for row in blocks.iter().map_err(failed("read the blocks"))? {
            let (key, _) = match row.map_err(failed("read the blocks")) {
                Ok(row) => row,
                Err(error) => return tell(each, None, 0, (0, 0), error),
            };
            let key: &BlockKey = key.value();
            let (feed, branch, first) = read_block_key(key);
            let known = keys.get(&feed);
            let head = known.and_then(|(_, feed)| feed.head(branch));
            if head.is_none_or(|head| head.head.point.seq < first) {
                let error = damaged("a block without a head");
                tell(each, known.map(|(id, _)| **id), branch, (first, first), error)?;
            }
        }
        Ok(())
    }

    /// Numbers without gaps, hashes that follow from each other, places that are held, and as many
    /// entries as the heads say.
    fn scan_arrivals(&self, each: &mut dyn FnMut(ScanStep<'_>)) -> Result<(), StoreError> {
        let reading = self.reading()?;
        let table = reading.open_table(ARRIVALS).map_err(failed("open the arrivals"))?;
        let (mut next, mut hash, mut entries) = (1, NO_ARRIVALS, 0u64);
        for row in table.iter().map_err(failed("read the arrivals"))? {
            let rows = row.map_err(failed("read the arrivals")).and_then(|(first, value)| {
                let begins = value.value().get(..32) == Some(&hash[..]) && first.value() == next;
                let rows = read_group(first.value(), value.value(), &self.numbers)?;
                if begins { Ok(rows) } else { Err(damaged("the running hash of the arrivals")) }
            });
            match rows {
                Ok(rows) => {
                    entries += rows.iter().map(|row| row.last - row.first + 1).sum::<u64>();
                    next += rows.len() as u64;
                    hash = rows.last().map_or(hash, |row| row.running_hash);
                }
                Err(error) => return tell(each, None, 0, (0, 0), error),
            }
        }
        if entries == self.entry_count() && next == self.arrivals.newest + 1 {
            return Ok(());
        }
        tell(each, None, 0, (0, 0), damaged("the arrivals do not name every entry"))
    }

    /// Entries held, over all feeds and branches.
    pub fn entry_count(&self) -> u64 {
        let branches = self.feeds.values().flat_map(|feed| &feed.heads.branches);
        branches.map(|head| head.head.point.seq - head.from.map_or(0, |(_, shared)| shared)).sum()
    }
}

/// Tells of damage; an error of another kind ends the scan.
fn tell(
    each: &mut dyn FnMut(ScanStep<'_>),
    feed: Option<FeedId>,
    branch: u32,
    (first, last): (u64, u64),
    error: StoreError,
) -> Result<(), StoreError> {
    let StoreError::Damaged { what } = error else { return Err(error) };
    each(ScanStep::Damaged(Damage { feed, branch, first, last, what }));
    Ok(())
}

/// Where the reading of one branch stands.
struct BranchScan<'a> {
    id: FeedId,
    branch: u32,
    feed: &'a FeedState,
    chapter: Chapter,
    at: ChainPoint,
}

fn scan_branch(
    store: &RedbFeedStore,
    id: FeedId,
    feed: &FeedState,
    head: &BranchHead,
    each: &mut dyn FnMut(ScanStep<'_>),
) -> Result<(), StoreError> {
    let shared = head.from.map_or(0, |(_, shared)| shared);
    let last = head.head.point.seq;
    let mut scan = match begin(store, id, feed, head, shared) {
        Ok(scan) => scan,
        Err(error) => return tell(each, Some(id), head.branch, (shared + 1, last), error),
    };
    while scan.at.seq < last {
        let from = scan.at.seq + 1;
        if let Err(error) = scan.go_on(store, last, each) {
            let until = scan.skip(store, from, last);
            tell(each, Some(id), head.branch, (from, until), error)?;
        }
    }
    if scan.at == head.head.point {
        each(ScanStep::Signed { name: &feed.heads.name, branch: head.branch, head: head.head });
        return Ok(());
    }
    tell(each, Some(id), head.branch, (last, last), damaged("the head is not the newest entry"))
}

/// The beginning of a branch: for a fork the chapter up to the shared entry.
fn begin<'a>(
    store: &RedbFeedStore,
    id: FeedId,
    feed: &'a FeedState,
    head: &BranchHead,
    shared: u64,
) -> Result<BranchScan<'a>, StoreError> {
    let missing = || damaged("the entry a branch begins at");
    let at = match head.from {
        Some((parent, seq)) => store.point(id, parent, seq)?.ok_or_else(missing)?,
        None => ChainPoint::START,
    };
    let mut chapter = Chapter::new(chapter_first(shared + 1));
    for span in
        head.from.map_or_else(Vec::new, |(parent, _)| feed.spans(parent, chapter.first, shared))
    {
        for entry in store.entries(id, span.branch, span.first..=span.last)? {
            chapter.push(entry.id, entry.header.about());
        }
    }
    Ok(BranchScan { id, branch: head.branch, feed, chapter, at })
}

impl BranchScan<'_> {
    /// Reads the next segment.
    fn go_on(
        &mut self,
        store: &RedbFeedStore,
        last: u64,
        each: &mut dyn FnMut(ScanStep<'_>),
    ) -> Result<(), StoreError> {
        let segment = self.segment(store, self.at.seq + 1)?;
        if segment.first != self.at.seq + 1 || segment.last() > last {
            return Err(damaged("a block of entries is not where it should be"));
        }
        let begins = chapter_first(segment.first);
        if begins != self.chapter.first {
            self.chapter = Chapter::new(begins);
        }
        let block = segment.block().map_err(damaged_block)?;
        let entries = rebuild(self.id, &segment, &block, self.at, &self.chapter)?;
        let bodies = entries.iter().flat_map(|entry| &entry.bodies);
        let dropped = bodies.filter(|body| body.is_none()).count() as u64;
        self.chapter.extend(&entries);
        self.at = ChainPoint { seq: segment.last(), id: segment.last_id };
        let (name, branch) = (&self.feed.heads.name, self.branch);
        each(ScanStep::Entries { name, branch, count: u64::from(segment.count), dropped });
        self.checkpoint(&segment, each)
    }

    fn checkpoint(
        &self,
        segment: &Segment,
        each: &mut dyn FnMut(ScanStep<'_>),
    ) -> Result<(), StoreError> {
        if !self.at.seq.is_multiple_of(CHECKPOINT_EVERY) {
            return Ok(());
        }
        let (name, branch) = (&self.feed.heads.name, self.branch);
        if let Some(signature) = segment.signature {
            let head = SignedHead { feed: self.id, point: self.at, signature };
            each(ScanStep::Signed { name, branch, head });
            return Ok(());
        }
        let damage = damaged("a checkpoint without its signature");
        tell(each, Some(self.id), branch, (self.at.seq, self.at.seq), damage)
    }

    fn segment(&self, store: &RedbFeedStore, seq: u64) -> Result<Segment, StoreError> {
        let reader = store.feed_reader(self.id)?.ok_or_else(|| damaged("a feed is missing"))?;
        let span = Span { branch: self.branch, first: seq, last: seq };
        let segment = reader.segments(span)?.next().transpose()?;
        segment.ok_or_else(|| damaged("a block of entries is missing"))
    }

    /// Goes on behind damage: at the end of the damaged segment if that much can be read, else at
    /// the next checkpoint. What later entries lean on there is then missing, and told as well.
    fn skip(&mut self, store: &RedbFeedStore, from: u64, last: u64) -> u64 {
        let readable = self.segment(store, from).ok();
        let to = readable.as_ref().map_or(from.next_multiple_of(CHECKPOINT_EVERY), Segment::last);
        let to = to.clamp(from, last);
        let id = readable.filter(|segment| segment.last() == to).map(|segment| segment.last_id);
        let id = id.or_else(|| {
            let head = self.feed.head(self.branch)?.head.point;
            (head.seq == to).then_some(head.id)
        });
        let id = id.unwrap_or(EntryId::NONE);
        self.at = ChainPoint { seq: to, id };
        let begins = chapter_first(to);
        if begins != self.chapter.first {
            self.chapter = Chapter::new(begins);
        }
        while self.chapter.next() <= to {
            self.chapter.push(EntryId::NONE, None);
        }
        if self.chapter.next() == to + 1
            && let Some(newest) = self.chapter.ids.last_mut()
        {
            *newest = id;
        }
        to
    }
}
