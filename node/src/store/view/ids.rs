//! The entry ids in a record's state, taken out of a row and put back.
//!
//! Ids are hashes: nothing squeezes them, and they would be most of a row. Every one is that of an
//! edit of the record, whose place the value keeps anyhow, and the feed store knows the id at a
//! place. So a row keeps the number of the edit, and who reads it brings who knows the ids.
//!
//! | part   | form                                                                            |
//! |--------|---------------------------------------------------------------------------------|
//! | counts | varint heads, varint others                                                     |
//! | ids    | heads, then others, each: varint number of the edit + 1, or 0 and 32 bytes      |
//!
//! What stands where in a state is `crdt-schema`'s (`fold/bytes.rs`, version 1); a state of any other
//! form is kept as it is.

use crdt_schema::codec::{DecodeError, Reader, Writer};
use crdt_schema::id::EntryId;

use super::edits::Edits;
use super::error::damaged;
use crate::ports::{EntryIds, Place, StoreError};

/// The version of a state whose ids are known to stand at its front.
const STATE_VERSION: u8 = 1;

/// Numbers of edits in the place of ids.
#[derive(Debug, Clone)]
pub(super) struct Refs<'a> {
    heads: usize,
    ids: Vec<IdRef<'a>>,
}

#[derive(Debug, Clone, Copy)]
enum IdRef<'a> {
    Edit(usize),
    Whole(&'a [u8; EntryId::SIZE_BYTES]),
}

/// Numbers for the ids of a state, and the state without them; `None` when it has another form.
pub(super) fn take_out<'a>(state: &'a [u8], edits: &Edits) -> Option<(Vec<u8>, &'a [u8])> {
    let mut reader = Reader::new(state);
    if reader.u8().ok()? != STATE_VERSION {
        return None;
    }
    let heads = read_ids(&mut reader)?;
    let others = read_ids(&mut reader)?;
    let mut writer = Writer::new();
    writer.varint(heads.len() as u64).varint(others.len() as u64);
    for id in heads.iter().chain(&others) {
        match edits.number_of(id) {
            Some(number) => writer.varint(number as u64 + 1),
            None => writer.varint(0).raw(&id.0),
        };
    }
    Some((writer.finish(), reader.rest()))
}

/// The ids of a state, those that [`take_out`] takes.
pub(super) fn named(state: &[u8]) -> Vec<EntryId> {
    let mut reader = Reader::new(state);
    if reader.u8().ok() != Some(STATE_VERSION) {
        return Vec::new();
    }
    let lists = [read_ids(&mut reader), read_ids(&mut reader)];
    lists.into_iter().collect::<Option<Vec<_>>>().unwrap_or_default().concat()
}

/// A count that is longer than it need be is refused by the reader: it would not come back so.
fn read_ids(reader: &mut Reader<'_>) -> Option<Vec<EntryId>> {
    let count = usize::try_from(reader.varint().ok()?).ok()?;
    if count > reader.remaining() / EntryId::SIZE_BYTES {
        return None;
    }
    (0..count).map(|_| EntryId::read(reader).ok()).collect()
}

impl<'a> Refs<'a> {
    /// Reads what [`take_out`] wrote.
    ///
    /// # Errors
    /// [`DecodeError`] for anything else.
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let heads = reader.count(usize::MAX, "ids of a row")?;
        let others = reader.count(usize::MAX, "ids of a row")?;
        let ids = (0..heads.saturating_add(others)).map(|_| Self::read_one(reader));
        Ok(Self { heads, ids: ids.collect::<Result<_, _>>()? })
    }

    fn read_one(reader: &mut Reader<'a>) -> Result<IdRef<'a>, DecodeError> {
        let Some(number) = reader.varint()?.checked_sub(1) else {
            let id = reader.raw(EntryId::SIZE_BYTES)?;
            return id.first_chunk().map(IdRef::Whole).ok_or(DecodeError::Truncated);
        };
        let number = usize::try_from(number);
        number.map(IdRef::Edit).map_err(|_| DecodeError::TooLarge("number of an edit"))
    }

    /// The state as it was.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when a number is of no edit; of `ids`.
    pub(super) fn put_back(
        &self,
        rest: &[u8],
        edits: &[Place],
        ids: &dyn EntryIds,
    ) -> Result<Vec<u8>, StoreError> {
        let room = 3 + EntryId::SIZE_BYTES * self.ids.len() + rest.len();
        let mut writer = Writer::with_capacity(room);
        writer.u8(STATE_VERSION).varint(self.heads as u64);
        for (at, id) in self.ids.iter().enumerate() {
            if at == self.heads {
                writer.varint((self.ids.len() - self.heads) as u64);
            }
            match id {
                IdRef::Whole(id) => writer.raw(*id),
                IdRef::Edit(number) => {
                    let place = edits.get(*number).ok_or_else(|| damaged("ids of a row"))?;
                    writer.raw(&ids.id_at(*place)?.0)
                }
            };
        }
        if self.ids.len() == self.heads {
            writer.varint(0);
        }
        Ok(writer.raw(rest).finish())
    }
}
