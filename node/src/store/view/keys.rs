//! Keys of `view.redb`: everything that is compared as bytes.
//!
//! A term in a key: kind 1 (1-127), the text with each NUL as `00 FF`, then `00`. Behind it comes
//! an area, whose first byte is at most `17`, so no term is the beginning of another, and the texts
//! that begin alike lie together. Sixteen digits of a NIK or KK number take eight bytes instead,
//! under the kind with its highest bit set.

use std::borrow::Cow;

use crdt_schema::area::AreaId;
use crdt_schema::codec::{DecodeError, Reader};
use crdt_schema::id::RecordId;

use crate::ports::{RecordKey, TermKind};

/// An area's eleven digits as a number, big-endian.
pub(super) type Area = [u8; 5];
/// Area and kind.
pub(super) type Group = [u8; 7];
/// Area, kind, record: sorts as [`RecordKey`] does.
pub(super) type Key = [u8; 23];
/// The first bytes of a record id: eight hex digits.
pub(super) type Short = [u8; 4];
/// Short, area, kind.
pub(super) type ById = [u8; 11];

/// Digits of a NIK or KK number.
const LONG_NUMBER_DIGITS: usize = 16;
/// Bytes they are packed into.
const PACKED_BYTES: usize = LONG_NUMBER_DIGITS / 2;
/// Marks a kind whose text is packed digits.
const PACKED: u8 = 0x80;

/// Parts one after another, cut or filled with zeros to `N` bytes.
pub(super) fn join<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let mut whole = [0; N];
    for (slot, byte) in whole.iter_mut().zip(parts.iter().copied().flatten()) {
        *slot = *byte;
    }
    whole
}

/// An area as five bytes.
pub(super) fn area_bytes(area: AreaId) -> Area {
    let digits = area.as_bytes().iter();
    let number = digits.fold(0, |number, digit| number * 10 + u64::from(digit & 0x0f));
    let [_, _, _, area @ ..] = number.to_be_bytes();
    area
}

/// The area of five bytes.
fn read_area(reader: &mut Reader<'_>) -> Result<AreaId, DecodeError> {
    let area: Area = reader.array()?;
    let digits = format!("{:011}", u64::from_be_bytes(join(&[&[0; 3], &area])));
    let mut digits = Reader::new(digits.as_bytes());
    let area = AreaId::read(&mut digits)?;
    digits.end().map(|()| area)
}

/// A key as it sorts.
pub(super) fn pack(key: &RecordKey) -> Key {
    join(&[&area_bytes(key.area), &key.kind.to_be_bytes(), key.record.as_bytes()])
}

/// The key of 23 bytes.
///
/// # Errors
/// [`DecodeError::Malformed`] when the area is none.
pub(super) fn unpack(key: &Key) -> Result<RecordKey, DecodeError> {
    let mut reader = Reader::new(key);
    let (area, kind) = read_group(&mut reader)?;
    Ok(RecordKey { area, kind, record: RecordId::read(&mut reader)? })
}

/// Area and kind of the front of `reader`.
///
/// # Errors
/// [`DecodeError`] when the bytes are cut or the area is none.
pub(super) fn read_group(reader: &mut Reader<'_>) -> Result<(AreaId, u16), DecodeError> {
    Ok((read_area(reader)?, reader.u16()?))
}

/// Area and kind of a key.
pub(super) fn group_of(key: &Key) -> Group {
    key.first_chunk().copied().unwrap_or_default()
}

/// The beginning of a key's record id.
pub(super) fn short_of(key: &Key) -> Short {
    let [.., a, b, c, d, _, _, _, _, _, _, _, _, _, _, _, _] = *key;
    [a, b, c, d]
}

/// The key of `by_id`.
pub(super) fn by_id(key: &Key) -> ById {
    join(&[&short_of(key), &group_of(key)])
}

/// Short, area and kind of a key of `by_id`.
pub(super) fn split_by_id(by_id: &ById) -> (Short, Group) {
    let [a, b, c, d, group @ ..] = *by_id;
    ([a, b, c, d], group)
}

/// First and last possible key of a group.
pub(super) fn group_range(group: Group) -> (Key, Key) {
    (join(&[&group]), join(&[&group, &[0xff; 16]]))
}

/// First and last possible key of a group whose record begins with `short`.
pub(super) fn short_range(group: Group, short: Short) -> (Key, Key) {
    (join(&[&group, &short]), join(&[&group, &short, &[0xff; 12]]))
}

/// First and last record id that begins with these hex digits; `None` when none can.
pub(super) fn id_range(hex_prefix: &str) -> Option<([u8; 16], [u8; 16])> {
    let fits = hex_prefix.len() <= 32 && hex_prefix.bytes().all(|digit| digit.is_ascii_hexdigit());
    let end = |fill: &str| {
        let mut bytes = [0; 16];
        let whole = format!("{hex_prefix}{}", fill.repeat(32 - hex_prefix.len()));
        hex::decode_to_slice(whole, &mut bytes).ok().map(|()| bytes)
    };
    if fits { Some((end("0")?, end("f")?)) } else { None }
}

/// A term's kind and text as rows keep them: the lead byte, and the text or its packed digits.
pub(super) fn pack_term(kind: TermKind, text: &str) -> (u8, Cow<'_, [u8]>) {
    match kind {
        TermKind::Nik | TermKind::Kk if is_long_number(text) => (
            kind as u8 | PACKED,
            text.as_bytes().chunks(2).map(pack_digits).collect::<Vec<_>>().into(),
        ),
        TermKind::Name
        | TermKind::Nik
        | TermKind::Kk
        | TermKind::Type
        | TermKind::Status
        | TermKind::Rt => (kind as u8, text.as_bytes().into()),
    }
}

/// The term of [`pack_term`].
///
/// # Errors
/// [`DecodeError`] when there is no such kind or the text is none.
pub(super) fn unpack_term(lead: u8, payload: &[u8]) -> Result<(TermKind, String), DecodeError> {
    let kind = term_kind(lead & !PACKED).ok_or(DecodeError::Unknown("kind of term"))?;
    let text = if is_packed(lead) {
        hex::encode(payload)
    } else {
        std::str::from_utf8(payload).map_err(|_| DecodeError::Malformed("term"))?.to_owned()
    };
    Ok((kind, text))
}

/// Whether the payload is packed digits, of a length known beforehand.
pub(super) const fn is_packed(lead: u8) -> bool {
    lead & PACKED != 0
}

/// Reads packed digits.
///
/// # Errors
/// [`DecodeError::Truncated`] when too few bytes are left.
pub(super) fn read_packed<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], DecodeError> {
    reader.raw(PACKED_BYTES)
}

fn is_long_number(text: &str) -> bool {
    text.len() == LONG_NUMBER_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn pack_digits(pair: &[u8]) -> u8 {
    pair.iter().fold(0, |packed, digit| packed << 4 | (digit & 0x0f))
}

fn term_kind(code: u8) -> Option<TermKind> {
    use TermKind::{Kk, Name, Nik, Rt, Status, Type};
    [Name, Nik, Kk, Type, Status, Rt].into_iter().find(|kind| *kind as u8 == code)
}

/// The key of a term that is whole.
pub(super) fn term_key(lead: u8, payload: &[u8]) -> Vec<u8> {
    let mut key = term_beginning(lead, payload);
    if !is_packed(lead) {
        key.push(0);
    }
    key
}

/// What the keys of all terms begin with whose text begins so.
pub(super) fn term_beginning(lead: u8, payload: &[u8]) -> Vec<u8> {
    if is_packed(lead) {
        return [&[lead][..], payload].concat();
    }
    let escaped = payload.iter().flat_map(|byte| {
        let escape = (*byte == 0).then_some(0xff);
        std::iter::once(*byte).chain(escape)
    });
    std::iter::once(lead).chain(escaped).collect()
}

/// The key of a term's list in one group, without a bound: that of its first chunk.
pub(super) fn list_key(term: &[u8], group: Group) -> Vec<u8> {
    [term, &group].concat()
}

/// The group in a key of `terms`; `None` when it is no such key.
pub(super) fn group_of_list(key: &[u8]) -> Option<Group> {
    let behind = if key.first().is_some_and(|lead| is_packed(*lead)) {
        key.get(1 + PACKED_BYTES..)?
    } else {
        key.get(term_end(key)?..)?
    };
    behind.first_chunk().copied()
}

/// Where the text of a key ends, behind its closing NUL.
fn term_end(key: &[u8]) -> Option<usize> {
    let closes = |pair: &[u8]| matches!(pair, [0, next] if *next != 0xff);
    key.windows(2).skip(1).position(closes).map(|at| at + 2)
}

/// The key of a count; `None` for a term that nobody counts.
pub(super) fn count_key(group: Group, lead: u8, payload: &[u8]) -> Option<Vec<u8>> {
    let is_counted = lead == TermKind::Type as u8 || lead == TermKind::Status as u8;
    is_counted.then(|| [&group[..], &[lead], payload].concat())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;
    use crate::store::view::testing::{any_term, key};
    use proptest::prelude::*;

    #[test]
    fn keys_come_back_and_sort_as_records_do() {
        let keys = [
            key("32010000000", 1, 0),
            key("32010000000", 256, 0),
            key("32010000001", 1, 0),
            key("99999999999", 1, 255),
        ];
        for pair in keys.windows(2) {
            let [low, high] = [0, 1].map(|at| pair.get(at).unwrap());
            assert!(low < high && pack(low) < pack(high));
        }
        for key in keys {
            assert_eq!(unpack(&pack(&key)), Ok(key));
        }
    }

    #[test]
    fn an_area_of_twelve_digits_is_damage() {
        assert!(unpack(&[0xff; 23]).is_err());
    }

    #[test]
    fn a_nik_takes_eight_bytes_and_comes_back() {
        let (lead, payload) = pack_term(TermKind::Nik, "3273010101909001");
        assert_eq!(payload.len(), 8);
        let term = unpack_term(lead, &payload).unwrap();
        assert_eq!(term, (TermKind::Nik, "3273010101909001".to_owned()));
    }

    proptest! {
        #[test]
        fn no_term_key_begins_another_and_each_tells_its_group(
            one in any_term(), other in any_term(), area in 0u64..100_000_000_000,
        ) {
            let group = group_of(&pack(&key(&format!("{area:011}"), 7, 9)));
            let keys = [&one, &other].map(|(kind, text)| {
                let (lead, payload) = pack_term(*kind, text);
                list_key(&term_key(lead, &payload), group)
            });
            let [first, second] = &keys;
            prop_assert_eq!(first.starts_with(second), one == other);
            prop_assert_eq!(group_of_list(first), Some(group));
        }
    }
}
