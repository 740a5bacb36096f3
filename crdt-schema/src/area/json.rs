//! Codes and ids of areas in JSON: the text a person reads, and reads back.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{AreaCode, AreaId};

macro_rules! as_text {
    ($name:ident, $pattern:literal, $what:literal) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "description": $what, "type": "string", "pattern": $pattern })
            }
        }
    };
}

as_text!(
    AreaCode,
    r"^\d{2}(\.\d{2}(\.\d{2}(\.\d{4})?)?)?$",
    "Today's Home Ministry code, with dots."
);
as_text!(AreaId, r"^\d{11}$", "The id an area keeps for ever.");
