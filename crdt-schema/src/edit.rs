//! What one save did to one class of a record: typed operations on keys, and their bytes.
//!
//! A [`Section`] is the clear body of an entry's section (behind the salt, if it has one). Which
//! fields exist and what may stand in them is `record`'s; what survives of many edits is `fold`'s.
//!
//! Bytes, all integers shortest LEB128:
//!
//! | part      | form                                                                     |
//! |-----------|--------------------------------------------------------------------------|
//! | count     | number of operations, 0 to 512                                           |
//! | per op    | field minus the field before (0 at first), tag, element?, value?         |
//! | tag       | low four bits: 0 remove, 1 flag, 2 false, 3 true, 4 integer, 5 date, 6 text; bit 4: an element follows |
//! | element   | length 1 to 64, UTF-8                                                    |
//! | integer   | zigzag                                                                   |
//! | date      | (year x 12 + month - 1) x 31 + day - 1                                    |
//! | text      | length 0 to 8,192, UTF-8                                                 |

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::codec::{DecodeError, Reader, Writer};
use crate::entry::SECTIONS_BYTES_MAX;

/// Operations in a section: four times the fields of the largest form.
pub const OPS_MAX: usize = 512;
/// Bytes of an element's id: room for a UUID or an official code with its list.
pub const ELEMENT_BYTES_MAX: usize = 64;
/// Bytes of one text value: three pages of minutes.
pub const TEXT_BYTES_MAX: usize = 8 * 1024;

const TAG_ELEMENT: u8 = 0x10;
const TAG_REMOVE: u8 = 0;
const TAG_FLAG: u8 = 1;
const TAG_FALSE: u8 = 2;
const TAG_TRUE: u8 = 3;
const TAG_INT: u8 = 4;
const TAG_DATE: u8 = 5;
const TAG_TEXT: u8 = 6;

/// Why operations make no section, or numbers no date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EditError {
    /// One key, a field or an element of it, is named twice.
    #[error("field {field} is named twice")]
    Duplicate {
        /// Number of the field.
        field: u16,
    },
    /// More than [`OPS_MAX`] operations.
    #[error("more than {OPS_MAX} operations in one section")]
    TooManyOps,
    /// An element's id that is empty or longer than [`ELEMENT_BYTES_MAX`].
    #[error("field {field}: the element's id must have 1 to {ELEMENT_BYTES_MAX} bytes")]
    Element {
        /// Number of the field.
        field: u16,
    },
    /// A text longer than [`TEXT_BYTES_MAX`].
    #[error("field {field}: the text has more than {TEXT_BYTES_MAX} bytes")]
    Text {
        /// Number of the field.
        field: u16,
    },
    /// All operations together exceed what an entry may carry.
    #[error("more than {SECTIONS_BYTES_MAX} bytes in one section")]
    TooLarge,
    /// A day that is in no calendar, or a year outside 1 to 9999.
    #[error("no such date")]
    NoSuchDate,
}

/// A day of the Gregorian calendar, years 1 to 9999, without a time zone.
///
/// `Display` and `FromStr` speak `YYYY-MM-DD`; `Debug` shows nothing, for a birth date is personal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// The day, if there is one.
    ///
    /// # Errors
    /// [`EditError::NoSuchDate`].
    pub const fn new(year: u16, month: u8, day: u8) -> Result<Self, EditError> {
        let is_in_range = year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1;
        if is_in_range && day <= days_in_month(year, month) {
            Ok(Self { year, month, day })
        } else {
            Err(EditError::NoSuchDate)
        }
    }

    /// 1 to 9999.
    pub const fn year(self) -> u16 {
        self.year
    }

    /// 1 to 12.
    pub const fn month(self) -> u8 {
        self.month
    }

    /// 1 to 31.
    pub const fn day(self) -> u8 {
        self.day
    }

    fn packed(self) -> u64 {
        let months = u64::from(self.year) * 12 + u64::from(self.month) - 1;
        months * 31 + u64::from(self.day) - 1
    }

    fn from_packed(packed: u64) -> Result<Self, DecodeError> {
        let (months, day) = (packed / 31, packed % 31 + 1);
        let (year, month) = (months / 12, months % 12 + 1);
        let narrow = |part: u64| u8::try_from(part).map_err(|_| DecodeError::Malformed("date"));
        let year = u16::try_from(year).map_err(|_| DecodeError::Malformed("date"))?;
        Self::new(year, narrow(month)?, narrow(day)?).map_err(|_| DecodeError::Malformed("date"))
    }
}

const fn days_in_month(year: u16, month: u8) -> u8 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<date>")
    }
}

impl FromStr for Date {
    type Err = EditError;

    /// Exactly `YYYY-MM-DD`.
    fn from_str(text: &str) -> Result<Self, EditError> {
        let number = |from: usize, to: usize| -> Option<u16> {
            let digits = text.get(from..to)?;
            digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
        };
        let is_dashed =
            text.len() == 10 && text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
        let parts = (number(0, 4), number(5, 7), number(8, 10));
        let (Some(year), Some(month), Some(day), true) = (parts.0, parts.1, parts.2, is_dashed)
        else {
            return Err(EditError::NoSuchDate);
        };
        let narrow = |part: u16| u8::try_from(part).map_err(|_| EditError::NoSuchDate);
        Self::new(year, narrow(month)?, narrow(day)?)
    }
}

/// What stands in a field. `Debug` names the type and never the content, which may be personal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// Presence alone: an element of a set.
    Flag,
    /// Yes or no.
    Bool(bool),
    /// A whole number; its unit stands with the field.
    Int(i64),
    /// A day.
    Date(Date),
    /// UTF-8, at most [`TEXT_BYTES_MAX`] bytes.
    Text(String),
}

impl Value {
    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The number, if it is one.
    pub const fn as_int(&self) -> Option<i64> {
        if let Self::Int(number) = self { Some(*number) } else { None }
    }

    /// The day, if it is one.
    pub const fn as_date(&self) -> Option<Date> {
        if let Self::Date(date) = self { Some(*date) } else { None }
    }

    /// Yes or no, if it is one of the two.
    pub const fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(answer) = self { Some(*answer) } else { None }
    }

    /// What type it is, in English: for messages that must not show the content.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Date(_) => "date",
            Self::Text(_) => "text",
        }
    }

    const fn tag(&self) -> u8 {
        match self {
            Self::Flag => TAG_FLAG,
            Self::Bool(false) => TAG_FALSE,
            Self::Bool(true) => TAG_TRUE,
            Self::Int(_) => TAG_INT,
            Self::Date(_) => TAG_DATE,
            Self::Text(_) => TAG_TEXT,
        }
    }

    fn write_content(&self, writer: &mut Writer) {
        match self {
            Self::Flag | Self::Bool(_) => {}
            Self::Int(number) => {
                writer.varint_signed(*number);
            }
            Self::Date(date) => {
                writer.varint(date.packed());
            }
            Self::Text(text) => {
                writer.bytes(text.as_bytes());
            }
        }
    }

    fn read_content(tag: u8, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match tag {
            TAG_FLAG => Self::Flag,
            TAG_FALSE => Self::Bool(false),
            TAG_TRUE => Self::Bool(true),
            TAG_INT => Self::Int(reader.varint_signed()?),
            TAG_DATE => Self::Date(Date::from_packed(reader.varint()?)?),
            TAG_TEXT => Self::Text(reader.text(TEXT_BYTES_MAX, "text")?.to_owned()),
            _ => return Err(DecodeError::Unknown("value type")),
        })
    }

    /// Appends the tag and the content: the form in which a view keeps a value.
    pub fn write(&self, writer: &mut Writer) {
        writer.u8(self.tag());
        self.write_content(writer);
    }

    /// Reads what [`Value::write`] wrote.
    ///
    /// # Errors
    /// [`DecodeError`] for cut bytes, an unknown tag, or content that is no such value.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let tag = reader.u8()?;
        Self::read_content(tag, reader)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.type_name())
    }
}

/// What a key gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// This value, in place of what the author had seen there.
    Put(Value),
    /// Nothing, in place of what the author had seen there.
    Remove,
}

/// One operation on one key: a field, or one element of a set or list.
#[derive(Clone, PartialEq, Eq)]
pub struct Op {
    /// Number of the field; never reused.
    pub field: u16,
    /// Id of the element, 1 to 64 bytes; `None` for a scalar.
    pub element: Option<String>,
    /// What happens there.
    pub action: Action,
}

impl fmt::Debug for Op {
    // An element's id may be a code or a name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Op({}{}, ", self.field, if self.element.is_some() { "/…" } else { "" })?;
        write!(f, "{:?})", self.action)
    }
}

impl Op {
    /// Puts a scalar.
    pub const fn put(field: u16, value: Value) -> Self {
        Self { field, element: None, action: Action::Put(value) }
    }

    /// Removes a scalar.
    pub const fn remove(field: u16) -> Self {
        Self { field, element: None, action: Action::Remove }
    }

    /// Puts an element of a set or list.
    pub fn put_element(field: u16, element: impl Into<String>, value: Value) -> Self {
        Self { field, element: Some(element.into()), action: Action::Put(value) }
    }

    /// Removes an element of a set or list.
    pub fn remove_element(field: u16, element: impl Into<String>) -> Self {
        Self { field, element: Some(element.into()), action: Action::Remove }
    }

    /// The key, in the order operations stand in a section.
    pub fn key(&self) -> (u16, Option<&str>) {
        (self.field, self.element.as_deref())
    }

    fn check(&self) -> Result<(), EditError> {
        let field = self.field;
        if self.element.as_ref().is_some_and(|id| id.is_empty() || id.len() > ELEMENT_BYTES_MAX) {
            return Err(EditError::Element { field });
        }
        match &self.action {
            Action::Put(Value::Text(text)) if text.len() > TEXT_BYTES_MAX => {
                Err(EditError::Text { field })
            }
            Action::Put(_) | Action::Remove => Ok(()),
        }
    }

    fn write(&self, field_before: u16, writer: &mut Writer) {
        let value_tag = match &self.action {
            Action::Put(value) => value.tag(),
            Action::Remove => TAG_REMOVE,
        };
        let element_tag = if self.element.is_some() { TAG_ELEMENT } else { 0 };
        writer.varint(u64::from(self.field.saturating_sub(field_before)));
        writer.u8(value_tag | element_tag);
        if let Some(element) = &self.element {
            writer.bytes(element.as_bytes());
        }
        if let Action::Put(value) = &self.action {
            value.write_content(writer);
        }
    }

    fn read(field_before: u16, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let delta = u16::try_from(reader.varint()?).ok();
        let field = delta.and_then(|delta| field_before.checked_add(delta));
        let field = field.ok_or(DecodeError::TooLarge("field number"))?;
        let tag = reader.u8()?;
        let element = if tag & TAG_ELEMENT == 0 { None } else { Some(read_element(reader)?) };
        let action = match tag & !TAG_ELEMENT {
            TAG_REMOVE => Action::Remove,
            value_tag => Action::Put(Value::read_content(value_tag, reader)?),
        };
        Ok(Self { field, element, action })
    }
}

/// Reads an element's id as operations and views write it.
pub(crate) fn read_element(reader: &mut Reader<'_>) -> Result<String, DecodeError> {
    let element = reader.text(ELEMENT_BYTES_MAX, "element id")?;
    if element.is_empty() {
        Err(DecodeError::Malformed("element id"))
    } else {
        Ok(element.to_owned())
    }
}

/// The operations of one save on one class: ascending by key, each key once, within every limit.
/// May be empty, for every person record gets all its sections at creation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Section {
    ops: Vec<Op>,
}

impl Section {
    /// Sorts `ops` by key.
    ///
    /// # Errors
    /// Any [`EditError`] except [`EditError::NoSuchDate`].
    ///
    /// ```
    /// use crdt_schema::edit::{Op, Section, Value};
    ///
    /// let section = Section::from_ops(vec![
    ///     Op::put(7, Value::Text("aktif".to_owned())),
    ///     Op::put_element(3, "07", Value::Flag),
    /// ])?;
    /// assert_eq!(Section::decode(&section.encode())?, section);
    /// assert_eq!(section.encode().len(), 14);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_ops(mut ops: Vec<Op>) -> Result<Self, EditError> {
        if ops.len() > OPS_MAX {
            return Err(EditError::TooManyOps);
        }
        ops.iter().try_for_each(Op::check)?;
        ops.sort_by(|a, b| a.key().cmp(&b.key()));
        let twice = ops.iter().zip(ops.iter().skip(1)).find(|(a, b)| a.key() == b.key());
        if let Some((op, _)) = twice {
            return Err(EditError::Duplicate { field: op.field });
        }
        let section = Self { ops };
        let is_small = section.encode().len() <= SECTIONS_BYTES_MAX;
        if is_small { Ok(section) } else { Err(EditError::TooLarge) }
    }

    /// The operations, ascending by key.
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// Whether the save did nothing here.
    pub const fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.varint(self.ops.len() as u64);
        let mut field_before = 0;
        for op in &self.ops {
            op.write(field_before, &mut writer);
            field_before = op.field;
        }
        writer.finish()
    }

    /// Reads a body that may come from anyone. What is refused is *malformed*: absent in its
    /// class, with a warning, and without effect on the other sections.
    ///
    /// # Errors
    /// [`DecodeError`] for anything [`Section::encode`] would not have written.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > SECTIONS_BYTES_MAX {
            return Err(DecodeError::TooLarge("section"));
        }
        let mut reader = Reader::new(bytes);
        let count = reader.count(OPS_MAX, "operations")?;
        let mut ops: Vec<Op> = Vec::with_capacity(count);
        for _ in 0..count {
            let op = Op::read(ops.last().map_or(0, |last| last.field), &mut reader)?;
            if ops.last().is_some_and(|last| last.key() >= op.key()) {
                return Err(DecodeError::NotCanonical("order of operations"));
            }
            ops.push(op);
        }
        reader.end()?;
        Ok(Self { ops })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;
    use proptest::prelude::*;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    /// Never edited: these bytes are signed in feeds that exist.
    fn golden() -> Vec<(&'static str, Vec<Op>)> {
        let date = Date::new(1987, 2, 28).unwrap();
        vec![
            ("00", vec![]),
            ("0107060561 6b746966", vec![Op::put(7, text("aktif"))]),
            ("010900", vec![Op::remove(9)]),
            ("02031102303700 10023038", {
                vec![Op::put_element(3, "07", Value::Flag), Op::remove_element(3, "08")]
            }),
            ("05010201030104a41301 05968f2dac0206 00", {
                vec![
                    Op::put(1, Value::Bool(false)),
                    Op::put(2, Value::Bool(true)),
                    Op::put(3, Value::Int(1234)),
                    Op::put(4, Value::Date(date)),
                    Op::put(304, text("")),
                ]
            }),
        ]
    }

    #[test]
    fn golden_bytes_are_written_and_read() {
        for (hex_text, ops) in golden() {
            let bytes = hex::decode(hex_text.replace(' ', "")).unwrap();
            let section = Section::from_ops(ops).unwrap();
            assert_eq!(hex::encode(section.encode()), hex::encode(&bytes));
            assert_eq!(Section::decode(&bytes), Ok(section));
        }
    }

    #[test]
    fn every_other_form_of_the_same_operations_is_refused() {
        let refused = [
            ("", DecodeError::Truncated),
            ("0000", DecodeError::TrailingBytes),
            ("0107", DecodeError::Truncated),
            ("01870000", DecodeError::NotCanonical("integer")),
            ("01078000", DecodeError::Unknown("value type")),
            ("010707", DecodeError::Unknown("value type")),
            ("010720", DecodeError::Unknown("value type")),
            ("01071000", DecodeError::Malformed("element id")),
            ("0107060180", DecodeError::Malformed("text")),
            ("01070500", DecodeError::Malformed("date")),
            ("020700 0000", DecodeError::NotCanonical("order of operations")),
            ("02 0311023038 0011023037", DecodeError::NotCanonical("order of operations")),
            ("02ffff0300 0100", DecodeError::TooLarge("field number")),
            ("810400", DecodeError::TooLarge("operations")),
        ];
        for (hex_text, error) in refused {
            let bytes = hex::decode(hex_text.replace(' ', "")).unwrap();
            assert_eq!(Section::decode(&bytes), Err(error), "{hex_text}");
        }
    }

    #[test]
    fn operations_are_sorted_and_a_key_named_twice_is_refused() {
        let ops = vec![Op::remove(2), Op::remove_element(1, "a"), Op::remove(1)];
        let section = Section::from_ops(ops).unwrap();
        let keys: Vec<_> = section.ops().iter().map(Op::key).collect();
        assert_eq!(keys, [(1, None), (1, Some("a")), (2, None)]);
        let twice = Section::from_ops(vec![Op::remove(2), Op::put(2, Value::Flag)]);
        assert_eq!(twice, Err(EditError::Duplicate { field: 2 }));
    }

    #[test]
    fn limits_are_kept_by_writer_and_reader() {
        let long = "x".repeat(TEXT_BYTES_MAX + 1);
        assert_eq!(
            Section::from_ops(vec![Op::put(1, text(&long))]),
            Err(EditError::Text { field: 1 })
        );
        let element = "x".repeat(ELEMENT_BYTES_MAX + 1);
        let refused = Section::from_ops(vec![Op::remove_element(1, element)]);
        assert_eq!(refused, Err(EditError::Element { field: 1 }));
        let many = (0..=512).map(Op::remove).collect();
        assert_eq!(Section::from_ops(many), Err(EditError::TooManyOps));
        let full = || text(&"x".repeat(TEXT_BYTES_MAX));
        let large = Section::from_ops(vec![Op::put(1, full()), Op::put(2, full())]);
        assert_eq!(large, Err(EditError::TooLarge));
    }

    #[test]
    fn only_days_of_the_calendar_are_dates() {
        for wrong in
            ["2023-02-29", "1900-02-29", "2026-13-01", "0000-01-01", "2026-1-01", "2026-01-0é"]
        {
            assert_eq!(wrong.parse::<Date>(), Err(EditError::NoSuchDate), "{wrong}");
        }
        for right in ["2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"] {
            assert_eq!(right.parse::<Date>().unwrap().to_string(), right);
        }
    }

    #[test]
    fn debug_shows_no_content() {
        let ops = vec![Op::put_element(4, "siti", text("Siti")), Op::put(5, Value::Int(77))];
        let shown = format!("{:?}", Section::from_ops(ops).unwrap());
        assert!(!shown.contains("iti") && !shown.contains("77"), "{shown}");
    }

    fn any_value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Flag),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            (1u16..=9999, 1u8..=12, 1u8..=28)
                .prop_map(|(year, month, day)| Value::Date(Date::new(year, month, day).unwrap())),
            ".{0,20}".prop_map(Value::Text),
        ]
    }

    fn any_op() -> impl Strategy<Value = Op> {
        let action = prop_oneof![Just(Action::Remove), any_value().prop_map(Action::Put)];
        (any::<u16>(), proptest::option::of(".{1,8}"), action)
            .prop_map(|(field, element, action)| Op { field, element, action })
    }

    proptest! {
        #[test]
        fn sections_come_back(ops in proptest::collection::vec(any_op(), 0..20)) {
            if let Ok(section) = Section::from_ops(ops) {
                prop_assert_eq!(Section::decode(&section.encode()), Ok(section));
            }
        }

        #[test]
        fn what_is_read_is_written_back_byte_for_byte(bytes: Vec<u8>) {
            if let Ok(section) = Section::decode(&bytes) {
                prop_assert_eq!(section.encode(), bytes);
                prop_assert_eq!(Section::from_ops(section.ops().to_vec()), Ok(section));
            }
        }
    }
}
