//! The edits of one record in its value: where each lies, and enough of its id to tell it from the
//! others.
//!
//! | part | form, for each edit                                                                |
//! |------|------------------------------------------------------------------------------------|
//! | feed | varint: 0 the feed and branch of the edit before; else (1 + feed number) x 2 + 1 if a branch follows |
//! | branch | varint, when it is not 0                                                         |
//! | seq  | signed varint: the step from the edit before, in another feed or at first from 0   |
//! | hint | the first two bytes of the entry's id                                              |

use std::collections::BTreeMap;

use crdt_schema::codec::{DecodeError, Reader, Writer};
use crdt_schema::id::EntryId;

use super::codec::small;
use crate::ports::EditRef;

/// The beginning of an id.
pub(super) type Hint = [u8; 2];

/// Room for an edit.
const EDIT_BYTES: usize = 8;

/// An edit with its feed as a number of this file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StoredEdit {
    pub(super) feed: u32,
    pub(super) branch: u32,
    pub(super) seq: u64,
    pub(super) hint: Hint,
}

/// The edits of a record while it is written: those that are stored, then those that come.
#[derive(Debug, Clone, Default)]
pub(super) struct Edits {
    all: Vec<StoredEdit>,
    /// Numbers of the places, so that a record of thousands of edits is searched once.
    places: BTreeMap<(u32, u32, u64), usize>,
    /// Numbers of those that are stored; none where two begin alike.
    hints: BTreeMap<Hint, Option<usize>>,
    /// Numbers of those that come.
    brought: BTreeMap<EntryId, usize>,
}

impl StoredEdit {
    /// Reads what [`Edits::encode`] wrote.
    ///
    /// # Errors
    /// [`DecodeError`] for anything else.
    pub(super) fn read_all(bytes: &[u8]) -> Result<Vec<Self>, DecodeError> {
        let mut reader = Reader::new(bytes);
        let mut edits: Vec<Self> = Vec::new();
        while reader.remaining() > 0 {
            let before = edits.last().copied();
            edits.push(Self::read(&mut reader, before)?);
        }
        Ok(edits)
    }

    fn read(reader: &mut Reader<'_>, before: Option<Self>) -> Result<Self, DecodeError> {
        let (feed, branch, from) = match (reader.varint()?, before) {
            (0, Some(before)) => (before.feed, before.branch, before.seq),
            (0, None) => return Err(DecodeError::Malformed("edits")),
            (lead, _) => {
                let feed = small((lead >> 1).wrapping_sub(1))?;
                (feed, if lead & 1 == 1 { small(reader.varint()?)? } else { 0 }, 0)
            }
        };
        let seq = from.wrapping_add_signed(reader.varint_signed()?);
        Ok(Self { feed, branch, seq, hint: reader.array()? })
    }

    const fn place(&self) -> (u32, u32, u64) {
        (self.feed, self.branch, self.seq)
    }
}

impl Edits {
    /// Those that are stored.
    pub(super) fn of(stored: Vec<StoredEdit>) -> Self {
        let (mut places, mut hints) = (BTreeMap::new(), BTreeMap::new());
        for (number, edit) in stored.iter().enumerate() {
            places.insert(edit.place(), number);
            hints.entry(edit.hint).and_modify(|it| *it = None).or_insert(Some(number));
        }
        Self { all: stored, places, hints, brought: BTreeMap::new() }
    }

    /// All of them.
    #[cfg(test)]
    pub(super) fn stored(&self) -> Vec<StoredEdit> {
        self.all.clone()
    }

    /// Adds an edit unless its place is held: after a crash the same ones come again. True when it
    /// is new.
    pub(super) fn add(&mut self, feed: u32, edit: &EditRef) -> bool {
        let (branch, seq) = (edit.place.branch, edit.place.seq);
        let hint = hint_of(&edit.id);
        let edit_at = StoredEdit { feed, branch, seq, hint };
        let next = self.all.len();
        let number = *self.places.entry(edit_at.place()).or_insert(next);
        // A stored one is then known by its whole id.
        self.brought.insert(edit.id, number);
        if number == next {
            self.all.push(edit_at);
        }
        number == next
    }

    /// The number of the edit with this id. `None` when there is none, or two could be it.
    pub(super) fn number_of(&self, id: &EntryId) -> Option<usize> {
        if let Some(number) = self.brought.get(id) {
            return Some(*number);
        }
        self.hints.get(&hint_of(id)).copied().flatten()
    }

    /// The bytes of all.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(EDIT_BYTES * self.all.len());
        let mut before: Option<StoredEdit> = None;
        for edit in &self.all {
            let same = before.filter(|it| (it.feed, it.branch) == (edit.feed, edit.branch));
            if same.is_some() {
                writer.varint(0);
            } else {
                let has_branch = u64::from(edit.branch != 0);
                writer.varint((1 + u64::from(edit.feed)) << 1 | has_branch);
                if edit.branch != 0 {
                    writer.varint(u64::from(edit.branch));
                }
            }
            let step = edit.seq.wrapping_sub(same.map_or(0, |it| it.seq)).cast_signed();
            writer.varint_signed(step).raw(&edit.hint);
            before = Some(*edit);
        }
        writer.finish()
    }
}

fn hint_of(id: &EntryId) -> Hint {
    id.0.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;
    use crate::ports::Place;
    use crdt_schema::id::FeedId;

    fn edit(seq: u64, id: [u8; 3]) -> EditRef {
        let place = Place { feed: FeedId([1; 32]), branch: 0, seq };
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(id).for_each(|(to, from)| *to = from);
        EditRef { place, id: EntryId(bytes) }
    }

    #[test]
    fn edits_of_one_feed_take_four_bytes_after_the_first() {
        let mut edits = Edits::default();
        for (feed, branch, seq) in [(0, 0, 200), (0, 0, 203), (0, 0, 190), (9, 3, 1), (0, 0, 1)] {
            let mut edit = edit(seq, [1, 2, 3]);
            edit.place.branch = branch;
            assert!(edits.add(feed, &edit));
        }
        let bytes = edits.encode();
        assert_eq!(bytes.len(), (1 + 2 + 2) + 4 + 4 + 5 + 4);
        assert_eq!(StoredEdit::read_all(&bytes).unwrap(), edits.all);
    }

    #[test]
    fn a_stored_edit_is_found_by_its_hint_unless_two_could_be_it() {
        let mut edits = Edits::default();
        let [one, two, three] = [edit(1, [1, 1, 1]), edit(2, [1, 2, 1]), edit(3, [1, 2, 2])];
        for edit in [&one, &two, &three] {
            assert!(edits.add(0, edit));
        }
        assert_eq!(edits.number_of(&three.id), Some(2));
        let mut again = Edits::of(StoredEdit::read_all(&edits.encode()).unwrap());
        assert_eq!([one, two, three].map(|it| again.number_of(&it.id)), [Some(0), None, None]);
        assert!(!again.add(0, &two));
        assert_eq!(again.number_of(&two.id), Some(1));
        assert_eq!(again.all, edits.all);
    }
}
