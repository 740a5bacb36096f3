//! One newtype per identity. All are bytes that compare as bytes and print as lower-case hex.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::area::AreaId;
use crate::codec::{DecodeError, Reader, Writer};

/// Why text is not the hex of an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected {expected} hexadecimal digits")]
pub struct ParseIdError {
    /// Digits a whole identity has.
    pub expected: usize,
}

macro_rules! identity {
    ($(#[$doc:meta])* $name:ident, $size:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name(pub [u8; $size]);

        /// By the bytes. Two that differ do so in the first eight but for chance: those are compared as one
        /// number, and the rest only where they are the same.
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                let start = |id: &Self| id.0.first_chunk().map(|it| u64::from_be_bytes(*it));
                start(self).cmp(&start(other)).then_with(|| self.0.cmp(&other.0))
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl $name {
            /// Length in bytes.
            pub const SIZE_BYTES: usize = $size;

            /// The bytes.
            pub const fn as_bytes(&self) -> &[u8; $size] {
                &self.0
            }

            /// Reads the bytes from the front of `reader`.
            ///
            /// # Errors
            /// [`DecodeError::Truncated`] when too few are left.
            pub fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                reader.array().map(Self)
            }

            /// The first eight hex digits: enough for a person to tell two apart.
            pub fn short(&self) -> String {
                self.to_string().chars().take(8).collect()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.short())
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                let mut bytes = [0; $size];
                hex::decode_to_slice(text, &mut bytes)
                    .map(|()| Self(bytes))
                    .map_err(|_| ParseIdError { expected: 2 * $size })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let pattern = format!("^[0-9a-f]{{{}}}$", 2 * $size);
                schemars::json_schema!({ "type": "string", "pattern": pattern })
            }
        }
    };
}

identity!(
    /// A network: BLAKE3 of the body of its first root statement.
    NetworkId,
    32
);
identity!(
    /// A device: BLAKE3 over its three public keys (transport, signing, sealing), so that none of
    /// the three can be swapped for another's. Public and permanent; a new key is a new device.
    DeviceId,
    32
);
identity!(
    /// A feed: BLAKE3 of its [`FeedName`].
    FeedId,
    32
);
identity!(
    /// An entry: BLAKE3 of its header bytes.
    EntryId,
    32
);
identity!(
    /// A record: 128 random bits, never derived from a NIK or any other datum.
    RecordId,
    16
);
identity!(
    /// One database file's life; a copy that goes on living takes a new one.
    StoreInstance,
    16
);

impl EntryId {
    /// What the first entry of a feed names as its predecessor.
    pub const NONE: Self = Self([0; 32]);
}

/// Which of a device's two logs in an area a feed is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Space {
    /// Certificates, closings, aliases ...: travels first, read by everyone who may carry.
    Authority = 0,
    /// Edits of records.
    Records = 1,
}

impl Space {
    /// The space whose code is `code`.
    ///
    /// # Errors
    /// [`DecodeError::Unknown`] for any other code.
    pub const fn from_code(code: u8) -> Result<Self, DecodeError> {
        match code {
            0 => Ok(Self::Authority),
            1 => Ok(Self::Records),
            _ => Err(DecodeError::Unknown("space")),
        }
    }
}

/// What a feed id is the hash of: who writes, where, which log, and which life of the store.
///
/// | bytes  | field         | form                                  |
/// |--------|---------------|---------------------------------------|
/// | 0..32  | `device`      | [`DeviceId`]                          |
/// | 32..43 | `area`        | [`AreaId`]: ten ASCII digits, one more |
/// | 43     | `space`       | 0 authority, 1 records                |
/// | 44..52 | `incarnation` | 64 random bits, big-endian            |
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeedName {
    /// The only device that may write here.
    pub device: DeviceId,
    /// The area every entry of the feed belongs to.
    pub area: AreaId,
    /// Authority or records.
    pub space: Space,
    /// New after every restore, so that a copied card cannot write the same entry twice unseen.
    pub incarnation: u64,
}

impl FeedName {
    /// Length in bytes.
    pub const SIZE_BYTES: usize = 52;

    /// The feed's id.
    pub fn id(&self) -> FeedId {
        let mut writer = Writer::new();
        self.write(&mut writer);
        FeedId(blake3::derive_key("wksbm 2026 feed v1", &writer.finish()))
    }

    /// Appends the 52 bytes.
    pub fn write(&self, writer: &mut Writer) {
        writer.raw(&self.device.0).raw(self.area.as_bytes());
        writer.u8(self.space as u8).u64(self.incarnation);
    }

    /// Reads the 52 bytes.
    ///
    /// # Errors
    /// [`DecodeError`] when they are cut, or the area or space is none.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            device: DeviceId::read(reader)?,
            area: AreaId::read(reader)?,
            space: Space::from_code(reader.u8()?)?,
            incarnation: reader.u64()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ids_compare_as_their_bytes_do(start: [u8; 8], one: [u8; 24], other: [u8; 24]) {
            // Alike in the first eight, or not at all.
            let [one, other, alike]: [[u8; 32]; 3] = [
                [&start[..], &one].concat(),
                [&one[..], &start].concat(),
                [&start[..], &other].concat(),
            ]
            .map(|bytes| bytes.try_into().unwrap_or([0; 32]));
            for (one, other) in [(one, other), (one, alike), (alike, one), (one, one)] {
                prop_assert_eq!(EntryId(one).cmp(&EntryId(other)), one.cmp(&other));
                let short = |id: [u8; 32]| RecordId(id.first_chunk().copied().unwrap_or_default());
                prop_assert_eq!(short(one).cmp(&short(other)), one[..16].cmp(&other[..16]));
            }
        }
    }
}
