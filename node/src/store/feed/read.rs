//! Reading: segments by place, the entries rebuilt from them, runs as they travel.

use std::ops::RangeInclusive;
use std::sync::{Arc, PoisonError};

use crdt_schema::codec::DecodeError;
use crdt_schema::entry::{
    BackRefs, Block, CHECKPOINT_EVERY, ChainPoint, Entry, PackedEntry, PackedRun,
};
use crdt_schema::id::{EntryId, FeedId, RecordId};
use redb::{ReadOnlyTable, ReadTransaction, ReadableDatabase};

use super::RedbFeedStore;
use super::cache::{Before, Cache, Chapter, PartKey, chapter_first};
use super::codec::Segment;
use super::keys::{BlockKey, HeadKey, block_key, head_key, read_block_key};
use super::tables::BLOCKS;
use crate::ports::{FeedStore, StoreError};
use crate::store::error::{damaged, failed};
use crate::store::heads::{FeedState, Span};

/// The blocks as one read sees them.
pub(super) type Blocks = ReadOnlyTable<&'static BlockKey, &'static [u8]>;

/// A value of `blocks` that is none.
pub(super) fn damaged_block(error: DecodeError) -> StoreError {
    damaged(format!("a block of entries: {error}"))
}

impl RedbFeedStore {
    /// Begins to read.
    pub(super) fn reading(&self) -> Result<ReadTransaction, StoreError> {
        if self.poisoned {
            return Err(StoreError::Poisoned);
        }
        self.database.begin_read().map_err(failed("begin to read"))
    }

    /// The blocks as they are now.
    pub(super) fn blocks(&self) -> Result<Blocks, StoreError> {
        self.reading()?.open_table(BLOCKS).map_err(failed("open the blocks"))
    }

    /// Everything of one feed that reading needs.
    pub(super) fn feed_reader(&self, id: FeedId) -> Result<Option<FeedReader<'_>>, StoreError> {
        let blocks = self.blocks()?;
        let Some(feed) = self.feeds.get(&id) else { return Ok(None) };
        let key = head_key(&feed.heads.name, id);
        Ok(Some(FeedReader { store: self, id, feed, key, blocks }))
    }

    /// Runs `use_it` with the cache; a panic elsewhere left at worst less in it.
    pub(super) fn with_cache<T>(&self, use_it: impl FnOnce(&mut Cache) -> T) -> T {
        use_it(&mut self.cache.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One feed, read at one moment.
pub(super) struct FeedReader<'a> {
    store: &'a RedbFeedStore,
    id: FeedId,
    feed: &'a FeedState,
    key: HeadKey,
    blocks: Blocks,
}

impl FeedReader<'_> {
    /// As [`FeedStore::point`], below the head and above 0.
    pub(super) fn point(&self, branch: u32, seq: u64) -> Result<Option<ChainPoint>, StoreError> {
        let Some(owner) = self.feed.owner(branch, seq) else { return Ok(None) };
        if seq.is_multiple_of(CHECKPOINT_EVERY) {
            return self.boundary(owner, seq).map(Some);
        }
        let id = self.chapter(owner, seq)?.id(seq);
        Ok(id.map(|id| ChainPoint { seq, id }))
    }

    /// The record that the entry at `seq` is about.
    fn record(&self, branch: u32, seq: u64) -> Result<Option<(u16, RecordId)>, StoreError> {
        match self.feed.owner(branch, seq) {
            Some(owner) => Ok(self.chapter(owner, seq)?.record(seq)),
            None => Ok(None),
        }
    }

    /// As [`FeedStore::entries`].
    pub(super) fn entries(
        &self,
        branch: u32,
        range: &RangeInclusive<u64>,
    ) -> Result<Vec<Entry>, StoreError> {
        let mut entries = Vec::new();
        for span in self.feed.spans(branch, (*range.start()).max(1), *range.end()) {
            for segment in self.segments(span)? {
                let rebuilt = self.rebuilt(span.branch, &segment?)?;
                let within = |e: &&Entry| (span.first..=span.last).contains(&e.header.seq);
                entries.extend(rebuilt.iter().filter(within).cloned());
            }
        }
        let begins = entries.first().map(|entry| entry.header.seq) == Some(*range.start());
        let ends = entries.last().map(|entry| entry.header.seq) == Some(*range.end());
        if begins && ends { Ok(entries) } else { Err(damaged("an entry is not held")) }
    }

    /// As [`FeedStore::packed_run`].
    pub(super) fn packed_run(
        &self,
        branch: u32,
        from: u64,
    ) -> Result<Option<PackedRun>, StoreError> {
        let Some(head) = self.feed.head(branch).map(|head| head.head) else { return Ok(None) };
        if from == 0 || from > head.point.seq {
            return Ok(None);
        }
        let last = from.next_multiple_of(CHECKPOINT_EVERY).min(head.point.seq);
        let mut segments = Vec::new();
        for span in self.feed.spans(branch, from, last) {
            for segment in self.segments(span)? {
                segments.push((span, segment?));
            }
        }
        let signature = if last == head.point.seq {
            head.signature
        } else {
            let newest = segments.last().and_then(|(_, segment)| segment.signature);
            newest.ok_or_else(|| damaged("a checkpoint without its signature"))?
        };
        if let [(_, segment)] = &mut *segments
            && segment.first == from
            && segment.last() == last
        {
            let bytes = std::mem::take(&mut segment.packed);
            return Ok(Some(PackedRun { first: from, bytes, signature }));
        }
        let block = Block { first: from, entries: joined(&segments)? };
        Ok(Some(PackedRun::pack(&block, signature)))
    }

    /// The segments that hold `span`, ascending; the first and the last may reach beyond it.
    pub(super) fn segments(&self, span: Span) -> Result<Segments<'_>, StoreError> {
        segments(&self.blocks, &self.key, span)
    }

    /// The entries of a segment on the branch that holds it.
    fn rebuilt(&self, branch: u32, segment: &Segment) -> Result<Arc<Vec<Entry>>, StoreError> {
        let key = (self.id, branch, segment.first);
        let cached = self.store.with_cache(|cache| cache.segment(&key));
        if let Some(entries) = cached.filter(|held| held.len() == usize::from(segment.count)) {
            return Ok(entries);
        }
        let block = segment.block().map_err(damaged_block)?;
        let first = chapter_first(segment.first);
        let before = segment.first - 1;
        let chapter = match self.feed.owner(branch, before) {
            Some(owner) if segment.first > first => self.chapter(owner, before)?,
            _ => Arc::new(Chapter::new(first)),
        };
        let prev = self.prev(branch, &chapter, segment.first)?;
        let entries = Arc::new(rebuild(self.id, segment, &block, prev, &chapter)?);
        self.store.with_cache(|cache| {
            cache.put_segment(key, Arc::clone(&entries));
            cache.go_on((self.id, branch, first), &entries);
        });
        Ok(entries)
    }

    /// The chapter of `upto` on the branch that holds `upto`, known at least up to there.
    fn chapter(&self, branch: u32, upto: u64) -> Result<Arc<Chapter>, StoreError> {
        let key: PartKey = (self.id, branch, chapter_first(upto));
        let known = self.store.with_cache(|cache| cache.chapter(&key));
        let mut chapter = known.unwrap_or_else(|| Arc::new(Chapter::new(key.2)));
        if chapter.next() > upto {
            return Ok(chapter);
        }
        let growing = Arc::make_mut(&mut chapter);
        for span in self.feed.spans(branch, growing.next(), upto) {
            for segment in self.segments(span)? {
                self.grow(growing, branch, span, &segment?)?;
            }
        }
        self.store.with_cache(|cache| cache.put_chapter(key, Arc::clone(&chapter)));
        Ok(chapter)
    }

    /// Adds a segment to a chapter of `branch`; of a parent's segment only the shared part.
    fn grow(
        &self,
        chapter: &mut Chapter,
        branch: u32,
        span: Span,
        segment: &Segment,
    ) -> Result<(), StoreError> {
        chapter.cut(segment.first);
        let prev = self.prev(branch, chapter, segment.first)?;
        let block = segment.block().map_err(damaged_block)?;
        let mut entries = rebuild(self.id, segment, &block, prev, chapter)?;
        if span.branch != branch {
            entries.retain(|entry| entry.header.seq <= span.last);
        }
        chapter.extend(&entries);
        Ok(())
    }

    /// The place before `first`, which the chapter knows unless the chapter begins there.
    fn prev(&self, branch: u32, chapter: &Chapter, first: u64) -> Result<ChainPoint, StoreError> {
        let seq = first - 1;
        if first == chapter.first {
            return match self.feed.owner(branch, seq) {
                Some(owner) => self.boundary(owner, seq),
                None => Ok(ChainPoint::START),
            };
        }
        let id = chapter.id(seq).ok_or_else(|| damaged("entries of a chapter are missing"))?;
        Ok(ChainPoint { seq, id })
    }

    /// The point at a checkpoint, where a segment always ends.
    fn boundary(&self, owner: u32, seq: u64) -> Result<ChainPoint, StoreError> {
        let mut segments = self.segments(Span { branch: owner, first: seq, last: seq })?;
        match segments.next().transpose()? {
            Some(segment) if segment.last() == seq => Ok(ChainPoint { seq, id: segment.last_id }),
            _ => Err(damaged("a block of entries crosses a checkpoint")),
        }
    }
}

/// Computes the entries of a segment, and that they end in the id that was stored.
pub(super) fn rebuild(
    feed: FeedId,
    segment: &Segment,
    block: &Block,
    prev: ChainPoint,
    chapter: &Chapter,
) -> Result<Vec<Entry>, StoreError> {
    let before = Before { chapter, far: &segment.far };
    let entries = block.entries(feed, prev, &before);
    let entries = entries.map_err(|reason| damaged(format!("a block of entries: {reason}")))?;
    if entries.last().map(|entry| entry.id) == Some(segment.last_id) {
        Ok(entries)
    } else {
        Err(damaged("a block of entries does not end in its id"))
    }
}

/// The packed entries of consecutive spans.
fn joined(segments: &[(Span, Segment)]) -> Result<Vec<PackedEntry>, StoreError> {
    let mut entries = Vec::new();
    for (span, segment) in segments {
        let block = segment.block().map_err(damaged_block)?;
        let places = (segment.first..).zip(block.entries);
        let within = places.filter(|(seq, _)| (span.first..=span.last).contains(seq));
        entries.extend(within.map(|(_, entry)| entry));
    }
    Ok(entries)
}

/// Segments of one branch, ascending, without gaps; damage ends it.
pub(super) struct Segments<'a> {
    pieces: redb::Range<'a, &'static BlockKey, &'static [u8]>,
    /// The first piece of the next segment, read one too far.
    ahead: Option<(u64, Vec<u8>)>,
    /// Sequence that the next segment must hold.
    next: u64,
    /// Sequence after which nothing is asked.
    last: u64,
}

/// The segments that hold `span` of the branch `span.branch`.
pub(super) fn segments<'a>(
    blocks: &'a Blocks,
    feed: &HeadKey,
    span: Span,
) -> Result<Segments<'a>, StoreError> {
    let begin = block_key(feed, span.branch, 0, 0);
    let until = block_key(feed, span.branch, span.first, u16::MAX);
    let mut before =
        blocks.range::<&BlockKey>(&begin..=&until).map_err(failed("look for a block"))?;
    let begin = match before.next_back().transpose().map_err(failed("look for a block"))? {
        Some((key, _)) => block_key(feed, span.branch, read_block_key(key.value()).2, 0),
        None => until,
    };
    let until = block_key(feed, span.branch, span.last, u16::MAX);
    let pieces = blocks.range::<&BlockKey>(&begin..=&until).map_err(failed("read the blocks"))?;
    Ok(Segments { pieces, ahead: None, next: span.first, last: span.last })
}

impl Segments<'_> {
    /// The next piece: first sequence of its segment, bytes.
    fn piece(&mut self) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        let piece = self.pieces.next().transpose().map_err(failed("read a block"))?;
        Ok(piece.map(|(key, value)| (read_block_key(key.value()).2, value.value().to_vec())))
    }

    fn segment(&mut self) -> Result<Segment, StoreError> {
        let piece = match self.ahead.take() {
            Some(piece) => Some(piece),
            None => self.piece()?,
        };
        let (first, mut bytes) = piece.ok_or_else(|| damaged("a block of entries is missing"))?;
        while let Some((of, piece)) = self.piece()? {
            if of != first {
                self.ahead = Some((of, piece));
                break;
            }
            bytes.extend_from_slice(&piece);
        }
        let segment = Segment::decode(first, &bytes).map_err(damaged_block)?;
        if (segment.first..=segment.last()).contains(&self.next) {
            Ok(segment)
        } else {
            Err(damaged("a block of entries is missing"))
        }
    }
}

impl Iterator for Segments<'_> {
    type Item = Result<Segment, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next > self.last {
            return None;
        }
        let segment = self.segment();
        self.next = segment.as_ref().map_or(u64::MAX, |segment| segment.last() + 1);
        Some(segment)
    }
}

/// What runs of one branch may lean on, read from the store.
pub(super) struct StoredRefs<'a> {
    pub(super) store: &'a RedbFeedStore,
    pub(super) id: FeedId,
    pub(super) branch: u32,
}

impl BackRefs for StoredRefs<'_> {
    fn entry_id(&self, seq: u64) -> Option<EntryId> {
        let point = self.store.point(self.id, self.branch, seq).ok()??;
        (point.seq > 0).then_some(point.id)
    }

    fn record(&self, seq: u64) -> Option<(u16, RecordId)> {
        self.store.feed_reader(self.id).ok()??.record(self.branch, seq).ok()?
    }
}
