//! What is remembered of the entries, so that reading on is cheap; all of it can be made again.
//!
//! Ids are not stored: each is the hash of a header that names the one before and those it leans
//! on. Storing them would double an entry (32 bytes beside 28); computing one from the entries it
//! leans on could reach back, through each of those, to the beginning of its feed. Between the two
//! lies the **chapter**: what entries lean on within their chapter is computed from the chapter's
//! beginning, in order and without recursion; what they lean on before it stands in the segment
//! ([`Far`]). So any id costs at most one chapter, however an author placed its references, and
//! only edits of what is older pay for it: 54 bytes for an id and a record.
//!
//! Measured (100,000 records of three entries, 75 bytes of operations each; two-core x86-64): 85
//! bytes a record when no edit leaves its chapter, 194 when two of three do; an id that nobody asked
//! for before costs 2 us for each entry between it and the beginning of its chapter. Chapters half as
//! long made a feed of 3,000 entries, edited in three passes, grow from 85 to 136 bytes a record.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crdt_schema::entry::{BackRefs, Block, CHECKPOINT_EVERY, Entry, RecordRef};
use crdt_schema::id::{EntryId, FeedId, RecordId};

use super::codec::Far;

/// Entries of a chapter: more than a village's device writes in a year, so that few references leave
/// it; 8 ms at most to compute. Stored segments rest on it: another number is another format.
pub(super) const CHAPTER_ENTRIES: u64 = 64 * CHECKPOINT_EVERY;
/// Chapters remembered: 32 of at most 213 KB.
const CHAPTERS_MAX: usize = 32;
/// Segments remembered with their entries.
const SEGMENTS_MAX: usize = 32;
/// A segment with more bytes of bodies than this is not remembered.
const SEGMENT_BYTES_MAX: usize = 64 * 1024;

/// The sequence at which the chapter of `seq` begins.
pub(super) const fn chapter_first(seq: u64) -> u64 {
    (seq - 1) / CHAPTER_ENTRIES * CHAPTER_ENTRIES + 1
}

/// The beginning of a chapter, as far as it was needed.
#[derive(Debug, Clone, Default)]
pub(super) struct Chapter {
    /// Sequence of the first.
    pub(super) first: u64,
    /// Ids.
    pub(super) ids: Vec<EntryId>,
    /// The records that entries named.
    pub(super) named: Vec<Option<(u16, RecordId)>>,
}

impl Chapter {
    /// Nothing yet of the chapter that begins at `first`.
    pub(super) fn new(first: u64) -> Self {
        Self { first, ids: Vec::new(), named: Vec::new() }
    }

    /// Sequence of the entry after the last known.
    pub(super) fn next(&self) -> u64 {
        self.first + self.ids.len() as u64
    }

    /// The id at `seq`.
    pub(super) fn id(&self, seq: u64) -> Option<EntryId> {
        self.ids.get(self.index(seq)?).copied()
    }

    /// The record named at `seq`.
    pub(super) fn named(&self, seq: u64) -> Option<(u16, RecordId)> {
        self.named.get(self.index(seq)?).copied().flatten()
    }

    /// Forgets `seq` and what follows.
    pub(super) fn cut(&mut self, seq: u64) {
        let keep = self.index(seq).unwrap_or(0);
        self.ids.truncate(keep);
        self.named.truncate(keep);
    }

    /// Goes on with entries and the block they came from.
    pub(super) fn extend(&mut self, entries: &[Entry], block: &Block) {
        self.ids.extend(entries.iter().map(|entry| entry.id));
        let named = block.entries.iter().take(entries.len()).map(|packed| match packed.record {
            RecordRef::Here(kind, record) => Some((kind, record)),
            RecordRef::Back(_) | RecordRef::None => None,
        });
        self.named.extend(named);
    }

    fn index(&self, seq: u64) -> Option<usize> {
        usize::try_from(seq.checked_sub(self.first)?).ok()
    }
}

/// What a segment may lean on: its chapter, and what it carries itself.
pub(super) struct Before<'a> {
    /// The chapter up to the segment.
    pub(super) chapter: &'a Chapter,
    /// What lies before the chapter.
    pub(super) far: &'a Far,
}

impl BackRefs for Before<'_> {
    fn entry_id(&self, seq: u64) -> Option<EntryId> {
        self.chapter.id(seq).or_else(|| self.far.ids.get(&seq).copied())
    }

    fn record(&self, seq: u64) -> Option<(u16, RecordId)> {
        self.chapter.named(seq).or_else(|| self.far.records.get(&seq).copied())
    }
}

/// Feed, branch, and the sequence at which a part begins.
pub(super) type PartKey = (FeedId, u32, u64);

/// Chapters and segments, newest in, oldest out.
#[derive(Debug, Default)]
pub(super) struct Cache {
    chapters: Bounded<Chapter, CHAPTERS_MAX>,
    segments: Bounded<Vec<Entry>, SEGMENTS_MAX>,
}

impl Cache {
    /// A chapter as far as it is known.
    pub(super) fn chapter(&self, key: &PartKey) -> Option<Arc<Chapter>> {
        self.chapters.get(key)
    }

    /// Remembers a chapter.
    pub(super) fn put_chapter(&mut self, key: PartKey, chapter: Arc<Chapter>) {
        self.chapters.put(key, chapter);
    }

    /// The entries of a segment.
    pub(super) fn segment(&self, key: &PartKey) -> Option<Arc<Vec<Entry>>> {
        self.segments.get(key)
    }

    /// Remembers a segment unless it is a large one.
    pub(super) fn put_segment(&mut self, key: PartKey, entries: Arc<Vec<Entry>>) {
        let bodies = entries.iter().flat_map(|entry| &entry.bodies).flatten();
        if bodies.map(Vec::len).sum::<usize>() <= SEGMENT_BYTES_MAX {
            self.segments.put(key, entries);
        }
    }

    /// Entries that were read or written go on in a chapter that is known up to them, so that
    /// neither reading in order nor writing computes anything twice.
    pub(super) fn go_on(&mut self, key: PartKey, entries: &[Entry], block: &Block) {
        if block.first == key.2 && self.chapters.get(&key).is_none() {
            self.put_chapter(key, Arc::new(Chapter::new(key.2)));
        }
        if let Some(chapter) = self.chapters.get_mut(&key).filter(|c| c.next() == block.first) {
            Arc::make_mut(chapter).extend(entries, block);
        }
    }
}

/// At most `MAX` values; the one put first goes first.
#[derive(Debug)]
struct Bounded<V, const MAX: usize> {
    values: BTreeMap<PartKey, Arc<V>>,
    order: VecDeque<PartKey>,
}

impl<V, const MAX: usize> Default for Bounded<V, MAX> {
    fn default() -> Self {
        Self { values: BTreeMap::new(), order: VecDeque::new() }
    }
}

impl<V, const MAX: usize> Bounded<V, MAX> {
    fn get(&self, key: &PartKey) -> Option<Arc<V>> {
        self.values.get(key).cloned()
    }

    fn get_mut(&mut self, key: &PartKey) -> Option<&mut Arc<V>> {
        self.values.get_mut(key)
    }

    fn put(&mut self, key: PartKey, value: Arc<V>) {
        if self.values.insert(key, value).is_some() {
            return;
        }
        self.order.push_back(key);
        if self.order.len() > MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.values.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;
    use crate::store::testing::Author;

    #[test]
    fn a_chapter_that_ends_within_a_segment_is_read_again_from_the_segments_beginning() {
        let mut author = Author::new(1, "32092120160");
        let (first, second) = (author.edit(&[1, 2, 3]), author.edit(&[1, 4]));
        let mut chapter = Chapter::new(1);
        chapter.extend(first.entries(), first.block());
        chapter.extend(second.entries(), second.block());
        let whole = chapter.clone();
        chapter.cut(4);
        assert_eq!((chapter.next(), chapter.id(4)), (4, None));
        chapter.extend(second.entries(), second.block());
        assert_eq!((chapter.ids, chapter.named), (whole.ids, whole.named));
    }

    #[test]
    fn what_was_put_first_goes_first() {
        let mut cache = Cache::default();
        let key = |first| (FeedId([0; 32]), 0, first);
        for first in 0..=CHAPTERS_MAX as u64 {
            cache.put_chapter(key(first), Arc::new(Chapter::new(first)));
        }
        assert!(cache.chapter(&key(0)).is_none());
        assert_eq!(cache.chapter(&key(1)).unwrap().first, 1);
        assert_eq!(cache.chapters.values.len(), CHAPTERS_MAX);
    }
}
