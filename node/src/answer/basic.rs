//! Values that many answers share: moments, areas with both names, entries, roots.

use std::borrow::Cow;
use std::fmt;

use crdt_schema::area::{AreaCode, AreaId};
use crdt_schema::entry::Entry;
use crdt_schema::id::{EntryId, FeedId, RecordId};
use crdt_schema::time::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment as RFC 3339 UTC to the second, like `2026-11-24T18:20:05Z`. What no calendar reaches
/// (a clock gone mad) is `null`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct When(pub Timestamp);

impl When {
    /// The text, or nothing for a moment outside the calendar.
    pub fn text(self) -> Option<String> {
        let moment = jiff::Timestamp::from_millisecond(self.0.0).ok()?;
        let printer = DateTimePrinter::new().precision(Some(0));
        Some(printer.timestamp_to_string(&moment))
    }
}

impl From<Timestamp> for When {
    fn from(timestamp: Timestamp) -> Self {
        Self(timestamp)
    }
}

impl Serialize for When {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let moment: jiff::Timestamp = text.parse().map_err(D::Error::custom)?;
        Ok(Self(Timestamp(moment.as_millisecond())))
    }
}

impl JsonSchema for When {
    fn schema_name() -> Cow<'static, str> {
        "When".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "RFC 3339, UTC, to the second.",
            "type": "string",
            "format": "date-time",
        })
    }
}

/// An area under the code of today, and under its lasting id where the two differ.
///
/// Meant to be flattened: it writes `"area"` and, only where it differs, `"area_id"`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub struct AreaName {
    /// Today's code, with dots.
    pub area: AreaCode,
    /// The lasting id, eleven digits; left out where it is the code's own first id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area_id: Option<AreaId>,
}

impl AreaName {
    /// The names of the area `id`, which is called `code` today.
    pub fn new(code: AreaCode, id: AreaId) -> Self {
        Self { area: code, area_id: (code.first_id() != id).then_some(id) }
    }

    /// An area whose digits never were a code: shown under the province, with its id beside it.
    pub fn unknown(id: AreaId) -> Self {
        Self::new(AreaCode::WEST_JAVA, id)
    }

    /// The lasting id.
    pub fn id(&self) -> AreaId {
        self.area_id.unwrap_or_else(|| self.area.first_id())
    }
}

impl fmt::Display for AreaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.area.fmt(f)
    }
}

/// One entry, by place and by id.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub struct EntryRef {
    /// Its feed.
    pub feed: FeedId,
    /// Its place, from 1.
    pub seq: u64,
    /// Its id, which tells the branches of a fork apart.
    pub id: EntryId,
}

impl From<&Entry> for EntryRef {
    fn from(entry: &Entry) -> Self {
        Self { feed: entry.header.feed, seq: entry.header.seq, id: entry.id }
    }
}

/// A root of the summary: 32 bytes, 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RootHash(pub [u8; 32]);

impl fmt::Display for RootHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for RootHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RootHash({self:.8})")
    }
}

impl Serialize for RootHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RootHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut bytes = [0; 32];
        let text = String::deserialize(deserializer)?;
        hex::decode_to_slice(&text, &mut bytes).map_err(D::Error::custom)?;
        Ok(Self(bytes))
    }
}

impl JsonSchema for RootHash {
    fn schema_name() -> Cow<'static, str> {
        "RootHash".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9a-f]{64}$" })
    }
}

/// How a device stands in its network.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum MemberState {
    /// Certified: what it writes counts.
    Active,
    /// Joined by an invitation that nobody has confirmed yet.
    Provisional,
    /// Closed by itself: its entries up to there go on counting.
    Closed,
    /// Revoked from above.
    Revoked,
}

impl From<crate::authority::MemberState> for MemberState {
    fn from(state: crate::authority::MemberState) -> Self {
        match state {
            crate::authority::MemberState::Active => Self::Active,
            crate::authority::MemberState::Provisional => Self::Provisional,
            crate::authority::MemberState::Closed => Self::Closed,
            crate::authority::MemberState::Revoked => Self::Revoked,
        }
    }
}

impl MemberState {
    /// The word in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Provisional => "provisional",
            Self::Closed => "closed",
            Self::Revoked => "revoked",
        }
    }
}

/// What went one way, in entries and in encoded bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Traffic {
    /// Entries.
    pub entries: u64,
    /// Bytes of frames.
    pub bytes: u64,
}

/// A value that was taken although a rule finds it odd.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldWarning {
    /// Name of the field.
    pub field: String,
    /// The rule's name, snake case, stable; messages in other languages hang on it.
    pub rule: String,
    /// What it says, in English, without the value.
    pub message: String,
    /// The other record it speaks of, where it speaks of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordId>,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
mod tests {
    use super::*;

    #[test]
    fn moments_are_utc_to_the_second() {
        assert_eq!(When(Timestamp(0)).text().unwrap(), "1970-01-01T00:00:00Z");
        let odd = When(Timestamp(1_764_008_405_999));
        assert_eq!(odd.text().unwrap(), "2025-11-24T18:20:05Z");
        assert_eq!(serde_json::to_string(&When(Timestamp(i64::MAX))).unwrap(), "null");
    }

    #[test]
    fn the_id_of_an_area_stands_only_where_it_differs() {
        let old: AreaCode = "32.09.39.2001".parse().unwrap();
        let new: AreaCode = "32.09.21.2016".parse().unwrap();
        let plain = AreaName::new(old, old.first_id());
        assert_eq!(serde_json::to_string(&plain).unwrap(), r#"{"area":"32.09.39.2001"}"#);
        let moved = AreaName::new(new, old.first_id());
        let written = serde_json::to_string(&moved).unwrap();
        assert_eq!(written, r#"{"area":"32.09.21.2016","area_id":"32093920010"}"#);
        assert_eq!(moved.id(), old.first_id());
    }
}
