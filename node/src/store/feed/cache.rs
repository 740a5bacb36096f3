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

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use crdt_schema::entry::{BackRefs, CHECKPOINT_EVERY, Entry};
use crdt_schema::id::{EntryId, FeedId, RecordId};

use super::codec::Far;

/// Entries of a chapter: more than a village's device writes in a year, so that few references leave
/// it; 8 ms at most to compute. Stored segments rest on it: another number is another format.
pub(super) const CHAPTER_ENTRIES: u64 = 64 * CHECKPOINT_EVERY;
/// Entries of all chapters remembered, 14 MB: the unfinished chapters of a kecamatan's feeds, or the
/// beginnings of those of a kabupaten. A run of a chapter that is not remembered costs reading the chapter.
const CHAPTERS_ENTRIES_MAX: usize = 262_144;
const _: () = assert!(CHAPTERS_ENTRIES_MAX as u64 == 64 * CHAPTER_ENTRIES);
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
    /// The records they are about, as many.
    records: Vec<Option<(u16, RecordId)>>,
}

impl Chapter {
    /// Nothing yet of the chapter that begins at `first`.
    pub(super) fn new(first: u64) -> Self {
        Self { first, ids: Vec::new(), records: Vec::new() }
    }

    /// Sequence of the entry after the last known.
    pub(super) fn next(&self) -> u64 {
        self.first + self.ids.len() as u64
    }

    /// The id at `seq`.
    pub(super) fn id(&self, seq: u64) -> Option<EntryId> {
        self.ids.get(self.index(seq)?).copied()
    }

    /// The record that the entry at `seq` is about.
    pub(super) fn record(&self, seq: u64) -> Option<(u16, RecordId)> {
        self.records.get(self.index(seq)?).copied().flatten()
    }

    /// Forgets `seq` and what follows.
    pub(super) fn cut(&mut self, seq: u64) {
        let keep = self.index(seq).unwrap_or(0);
        self.ids.truncate(keep);
        self.records.truncate(keep);
    }

    /// Goes on with entries.
    pub(super) fn extend(&mut self, entries: &[Entry]) {
        for entry in entries {
            self.push(entry.id, entry.header.about());
        }
    }

    /// Goes on with one entry: its id, and the record it is about.
    pub(super) fn push(&mut self, id: EntryId, about: Option<(u16, RecordId)>) {
        self.ids.push(id);
        self.records.push(about);
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
        self.chapter.record(seq).or_else(|| self.far.records.get(&seq).copied())
    }
}

/// Feed, branch, and the sequence at which a part begins.
pub(super) type PartKey = (FeedId, u32, u64);

/// Chapters and segments.
#[derive(Debug, Default)]
pub(super) struct Cache {
    chapters: Bounded<Chapter, CHAPTERS_ENTRIES_MAX>,
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
    pub(super) fn go_on(&mut self, key: PartKey, entries: &[Entry]) {
        let Some(first) = entries.first().map(|entry| entry.header.seq) else { return };
        if first == key.2 && self.chapters.get(&key).is_none() {
            self.put_chapter(key, Arc::new(Chapter::new(key.2)));
        }
        if self.chapters.get(&key).is_some_and(|chapter| chapter.next() == first) {
            self.chapters.change(key, |chapter| chapter.extend(entries));
        }
    }
}

/// How much of the room a value takes.
trait Weigh {
    fn weight(&self) -> usize;
}

impl Weigh for Chapter {
    fn weight(&self) -> usize {
        self.ids.len().max(1)
    }
}

impl Weigh for Vec<Entry> {
    fn weight(&self) -> usize {
        1
    }
}

/// Values of at most `MAX` weight together. Where they outgrow it, that goes which comes next by its
/// key: keys begin with a hash, so no order of reading makes this the worst choice each time, as
/// feeds in turn make the oldest.
#[derive(Debug)]
struct Bounded<V, const MAX: usize> {
    values: BTreeMap<PartKey, Arc<V>>,
    weight: usize,
}

impl<V, const MAX: usize> Default for Bounded<V, MAX> {
    fn default() -> Self {
        Self { values: BTreeMap::new(), weight: 0 }
    }
}

impl<V: Weigh, const MAX: usize> Bounded<V, MAX> {
    fn get(&self, key: &PartKey) -> Option<Arc<V>> {
        self.values.get(key).cloned()
    }

    fn put(&mut self, key: PartKey, value: Arc<V>) {
        self.weight += value.weight();
        let before = self.values.insert(key, value);
        self.weight -= before.map_or(0, |before| before.weight());
        self.make_room(key);
    }

    fn change(&mut self, key: PartKey, change: impl FnOnce(&mut V))
    where
        V: Clone,
    {
        if let Some(value) = self.values.get_mut(&key) {
            let before = value.weight();
            change(Arc::make_mut(value));
            self.weight = self.weight - before + value.weight();
            self.make_room(key);
        }
    }

    /// Drops others than `kept` until the rest fits.
    fn make_room(&mut self, kept: PartKey) {
        while self.weight > MAX {
            let behind = (Bound::Excluded(kept), Bound::Unbounded);
            let next = self.values.range(behind).next().or_else(|| self.values.iter().next());
            let Some(key) = next.map(|(key, _)| *key).filter(|key| *key != kept) else { break };
            self.weight -= self.values.remove(&key).map_or(0, |gone| gone.weight());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::Author;

    #[test]
    fn a_chapter_that_ends_within_a_segment_is_read_again_from_the_segments_beginning() {
        let mut author = Author::new(1, "32092120160");
        let (first, second) = (author.edit(&[1, 2, 3]), author.edit(&[1, 4]));
        let mut chapter = Chapter::new(1);
        chapter.extend(first.entries());
        chapter.extend(second.entries());
        let whole = chapter.clone();
        chapter.cut(4);
        assert_eq!((chapter.next(), chapter.id(4)), (4, None));
        chapter.extend(second.entries());
        assert_eq!((chapter.ids, chapter.records), (whole.ids, whole.records));
    }

    #[test]
    fn a_cache_that_is_full_keeps_what_was_put_last_and_stays_within_its_room() {
        let mut author = Author::new(1, "32092120160");
        let run = author.edit(&[1, 2, 3, 4]);
        let mut chapter = Chapter::new(1);
        chapter.extend(run.entries());
        let mut chapters = Bounded::<Chapter, 10>::default();
        let key = |feed: u8| (FeedId([feed; 32]), 0, 1);
        for feed in [3, 1, 2, 7, 1, 5] {
            chapters.put(key(feed), Arc::new(chapter.clone()));
            assert!(chapters.get(&key(feed)).is_some());
            let kept: usize = chapters.values.values().map(|chapter| chapter.weight()).sum();
            assert_eq!(chapters.weight, kept);
            assert!(kept <= 10);
        }
        let more = author.edit(&[1, 2, 3, 4]);
        chapters.change(key(5), |chapter| chapter.extend(more.entries()));
        assert_eq!((chapters.weight, chapters.values.len()), (8, 1));
    }
}
