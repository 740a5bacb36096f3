//! The bytes of a [`RecordState`] in a view row, version 1.
//!
//! Entry ids are most of a row, so each stands once; actors are not stored, for they follow from
//! entry and class. Integers are shortest LEB128.
//!
//! | part     | form                                                                            |
//! |----------|---------------------------------------------------------------------------------|
//! | version  | one byte, 1                                                                     |
//! | heads    | count, then 32 bytes each, ascending                                            |
//! | others   | count, then 32 bytes each, ascending: entries with survivors that are no heads  |
//! | classes  | in the order of [`Class::ALL`]: greatest counter, and unless it is 0, the keys  |
//! | keys     | count, then each, ascending                                                     |
//! | key      | (field minus the field before, 0 at first) x 4 + 2 if an element + 1 if several; element: length, UTF-8; several: count |
//! | survivor | place of its entry among heads and others; greatest counter minus its own; value as [`Value::write`] |

use std::collections::BTreeSet;

use crate::class::Class;
use crate::codec::{DecodeError, Reader, Writer};
use crate::edit::{Value, read_element};
use crate::id::EntryId;

use super::state::{KeyState, OpId, RecordState, Survivor, actor};

const VERSION: u8 = 1;
/// Room for one value with its key, most of them; more is made where it is needed.
const VALUE_BYTES: usize = 32;
const HAS_ELEMENT: u64 = 2;
const HAS_SEVERAL: u64 = 1;
/// Bits of a key's first integer below the field number.
const FIELD_SHIFT: u32 = 2;

/// The entry ids of a state, each once.
struct Ids {
    ids: Vec<EntryId>,
    heads: usize,
}

impl Ids {
    fn of(state: &RecordState) -> Self {
        let mut others: Vec<EntryId> =
            state.survivors.iter().map(|survivor| survivor.entry).collect();
        others.dedup();
        others.sort_unstable();
        others.dedup();
        others.retain(|id| state.heads.binary_search(id).is_err());
        Self { heads: state.heads.len(), ids: [&state.heads[..], &others].concat() }
    }

    fn heads(&self) -> &[EntryId] {
        self.ids.get(..self.heads).unwrap_or_default()
    }

    fn others(&self) -> &[EntryId] {
        self.ids.get(self.heads..).unwrap_or_default()
    }

    fn place(&self, id: &EntryId) -> u64 {
        let place = match self.heads().binary_search(id) {
            Ok(place) => place,
            Err(_) => self.heads + self.others().binary_search(id).unwrap_or(0),
        };
        place as u64
    }

    fn write(&self, writer: &mut Writer) {
        for ids in [self.heads(), self.others()] {
            writer.varint(ids.len() as u64);
            for id in ids {
                writer.raw(&id.0);
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut ids = read_ascending(reader)?;
        let heads = ids.len();
        let others = read_ascending(reader)?;
        if others.iter().any(|id| ids.binary_search(id).is_ok()) {
            return Err(DecodeError::NotCanonical("entry ids"));
        }
        ids.extend(others);
        Ok(Self { ids, heads })
    }
}

/// A count of ids never reserves more than the bytes at hand hold.
fn read_ascending(reader: &mut Reader<'_>) -> Result<Vec<EntryId>, DecodeError> {
    let count = reader.count(usize::MAX, "entry ids")?;
    if count > reader.remaining() / EntryId::SIZE_BYTES {
        return Err(DecodeError::Truncated);
    }
    let ids: Vec<EntryId> = (0..count).map(|_| EntryId::read(reader)).collect::<Result<_, _>>()?;
    if ids.is_sorted_by(|a, b| a < b) {
        Ok(ids)
    } else {
        Err(DecodeError::NotCanonical("entry ids"))
    }
}

impl RecordState {
    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        let ids = Ids::of(self);
        let room = ids.ids.len() * EntryId::SIZE_BYTES + self.survivors.len() * VALUE_BYTES;
        let mut writer = Writer::with_capacity(room);
        writer.u8(VERSION);
        ids.write(&mut writer);
        for (class, top) in Class::ALL.into_iter().zip(self.tops) {
            writer.varint(top);
            if top > 0 {
                self.write_class(class, top, &ids, &mut writer);
            }
        }
        writer.finish()
    }

    fn write_class(&self, class: Class, top: u64, ids: &Ids, writer: &mut Writer) {
        let start = self.keys.partition_point(|key| key.class < class);
        let end = self.keys.partition_point(|key| key.class <= class);
        let keys = self.values().skip(start).take(end - start);
        writer.varint((end - start) as u64);
        let mut field_before = 0;
        for key in keys {
            let delta = u64::from(key.field.saturating_sub(field_before));
            let element = if key.element.is_some() { HAS_ELEMENT } else { 0 };
            let several = if key.survivors.len() > 1 { HAS_SEVERAL } else { 0 };
            field_before = key.field;
            writer.varint(delta << FIELD_SHIFT | element | several);
            if let Some(element) = key.element {
                writer.bytes(element.as_bytes());
            }
            if several != 0 {
                writer.varint(key.survivors.len() as u64);
            }
            for survivor in key.survivors {
                writer.varint(ids.place(&survivor.entry));
                writer.varint(top.saturating_sub(survivor.op.counter));
                survivor.value.write(writer);
            }
        }
    }

    /// Reads what [`RecordState::encode`] wrote. A view row is this node's own, but its disk may
    /// be anybody's: any bytes are refused or come back byte for byte.
    ///
    /// # Errors
    /// [`DecodeError`] for anything [`RecordState::encode`] would not have written.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != VERSION {
            return Err(DecodeError::Unknown("version of a record's state"));
        }
        let ids = Ids::read(&mut reader)?;
        let mut state = Self { heads: ids.heads().to_vec(), ..Self::default() };
        let mut used = BTreeSet::new();
        for class in Class::ALL {
            let top = reader.varint()?;
            if let Some(slot) = state.tops.get_mut(class as usize) {
                *slot = top;
            }
            if top > 0 {
                let mut keys = Keys { class, top, ids: &ids, used: &mut used, last: None };
                keys.read(&mut reader, &mut state)?;
            }
        }
        reader.end()?;
        if used.len() == ids.others().len() {
            Ok(state)
        } else {
            Err(DecodeError::NotCanonical("an entry id without use"))
        }
    }
}

/// Reads the keys of one class.
struct Keys<'a> {
    class: Class,
    top: u64,
    ids: &'a Ids,
    /// Places of the others that some survivor came from.
    used: &'a mut BTreeSet<usize>,
    /// The last actor, for neighbours mostly share an entry.
    last: Option<(EntryId, [u8; 32])>,
}

impl Keys<'_> {
    fn read(
        &mut self,
        reader: &mut Reader<'_>,
        state: &mut RecordState,
    ) -> Result<(), DecodeError> {
        let count = reader.count(usize::MAX, "keys")?;
        let mut field_before = 0;
        for _ in 0..count {
            let first = reader.varint()?;
            let field = read_field(first >> FIELD_SHIFT, field_before)?;
            let element = if first & HAS_ELEMENT == 0 { None } else { Some(read_element(reader)?) };
            self.read_survivors(first & HAS_SEVERAL != 0, reader, state)?;
            let key = KeyState { class: self.class, field, element, end: state.survivors.len() };
            if state.keys.last().is_some_and(|before| before.order() >= key.order()) {
                return Err(DecodeError::NotCanonical("order of keys"));
            }
            state.keys.push(key);
            field_before = field;
        }
        Ok(())
    }

    fn read_survivors(
        &mut self,
        are_several: bool,
        reader: &mut Reader<'_>,
        state: &mut RecordState,
    ) -> Result<(), DecodeError> {
        let count = if are_several { reader.count(usize::MAX, "survivors")? } else { 1 };
        if are_several && count < 2 {
            return Err(DecodeError::NotCanonical("number of survivors"));
        }
        let mut above: Option<OpId> = None;
        for _ in 0..count {
            let survivor = self.read_survivor(reader)?;
            if above.is_some_and(|above| above <= survivor.op) {
                return Err(DecodeError::NotCanonical("order of survivors"));
            }
            above = Some(survivor.op);
            state.survivors.push(survivor);
        }
        Ok(())
    }

    fn read_survivor(&mut self, reader: &mut Reader<'_>) -> Result<Survivor, DecodeError> {
        let place =
            usize::try_from(reader.varint()?).map_err(|_| DecodeError::TooLarge("place"))?;
        let entry = *self.ids.ids.get(place).ok_or(DecodeError::Unknown("place of an entry"))?;
        if place >= self.ids.heads {
            self.used.insert(place);
        }
        let counter = self.top.checked_sub(reader.varint()?).filter(|counter| *counter > 0);
        let counter = counter.ok_or(DecodeError::Malformed("counter"))?;
        let op = OpId { counter, actor: self.actor(entry) };
        Ok(Survivor { value: Value::read(reader)?, entry, op })
    }

    fn actor(&mut self, entry: EntryId) -> [u8; 32] {
        match self.last {
            Some((last, actor)) if last == entry => actor,
            _ => {
                let actor = actor(&entry, self.class);
                self.last = Some((entry, actor));
                actor
            }
        }
    }
}

fn read_field(delta: u64, before: u16) -> Result<u16, DecodeError> {
    let delta = u16::try_from(delta).ok();
    delta.and_then(|delta| before.checked_add(delta)).ok_or(DecodeError::TooLarge("field number"))
}
