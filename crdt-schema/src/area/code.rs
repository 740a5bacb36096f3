//! `AreaCode`, what the Home Ministry calls an area today, and `AreaId`, what we call it for ever.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::codec::{DecodeError, Reader};

/// Why text is not an area code or id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseAreaError {
    /// Not 2, 4, 6 or 10 digits, with or without dots in their places.
    #[error("an area code has 2, 4, 6 or 10 digits, like 32.09.21.2016")]
    Shape,
    /// The first digit of a village part is not 1 (kelurahan), 2 (desa) or 3 (desa adat).
    #[error("the village part begins with 1, 2 or 3")]
    VillageKind,
}

/// The four levels of the programme's tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// The province.
    Provinsi = 1,
    /// A kabupaten or a kota.
    Kabupaten = 2,
    /// A kecamatan.
    Kecamatan = 3,
    /// A desa, a kelurahan or a desa adat.
    Desa = 4,
}

impl Level {
    /// The Indonesian word, as in JSON: `provinsi`, `kabupaten`, `kecamatan`, `desa`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Provinsi => "provinsi",
            Self::Kabupaten => "kabupaten",
            Self::Kecamatan => "kecamatan",
            Self::Desa => "desa",
        }
    }

    /// Digits a code of this level has.
    pub const fn digits(self) -> usize {
        match self {
            Self::Provinsi => 2,
            Self::Kabupaten => 4,
            Self::Kecamatan => 6,
            Self::Desa => 10,
        }
    }
}

/// A Home Ministry code: 2, 4, 6 or 10 digits. It may change; see [`AreaId`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AreaCode {
    digits: [u8; 10],
    level: Level,
}

impl AreaCode {
    /// The province whose areas are compiled in.
    pub const WEST_JAVA: Self = Self { digits: *b"3200000000", level: Level::Provinsi };

    /// The level, which the number of digits tells.
    pub const fn level(&self) -> Level {
        self.level
    }

    /// The digits without dots.
    pub fn digits(&self) -> &str {
        let digits = self.digits.get(..self.level.digits()).unwrap_or_default();
        std::str::from_utf8(digits).unwrap_or_default()
    }

    /// The code one level up; `None` for a province.
    pub fn parent(&self) -> Option<Self> {
        let length = match self.level {
            Level::Provinsi => return None,
            Level::Kabupaten => 2,
            Level::Kecamatan => 4,
            Level::Desa => 6,
        };
        self.digits().get(..length)?.parse().ok()
    }

    /// The id an area gets whose first code this is.
    pub fn first_id(&self) -> AreaId {
        let mut bytes = [b'0'; AreaId::SIZE_BYTES];
        for (to, from) in bytes.iter_mut().zip(self.digits().bytes()) {
            *to = from;
        }
        AreaId(bytes)
    }
}

impl FromStr for AreaCode {
    type Err = ParseAreaError;

    fn from_str(text: &str) -> Result<Self, ParseAreaError> {
        let mut digits = [b'0'; 10];
        let mut length = 0;
        for (position, byte) in text.bytes().enumerate() {
            if byte == b'.' && matches!(position, 2 | 5 | 8) {
                continue;
            }
            let place = digits.get_mut(length).ok_or(ParseAreaError::Shape)?;
            *place = if byte.is_ascii_digit() { byte } else { return Err(ParseAreaError::Shape) };
            length += 1;
        }
        let level = match length {
            2 => Level::Provinsi,
            4 => Level::Kabupaten,
            6 => Level::Kecamatan,
            10 => Level::Desa,
            _ => return Err(ParseAreaError::Shape),
        };
        if level == Level::Desa && !matches!(digits.get(6), Some(b'1'..=b'3')) {
            return Err(ParseAreaError::VillageKind);
        }
        let code = Self { digits, level };
        let dotted = text.contains('.');
        if dotted && code.to_string() != text { Err(ParseAreaError::Shape) } else { Ok(code) }
    }
}

impl fmt::Display for AreaCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits();
        for (position, digit) in digits.chars().enumerate() {
            if matches!(position, 2 | 4 | 6) {
                f.write_str(".")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for AreaCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AreaCode({self})")
    }
}

/// An area's identity, which never changes: its first code padded with zeros to ten digits, and
/// a generation digit (0; higher only if a code was ever given out again to another area).
///
/// Eleven ASCII digits. Comparing the bytes groups areas by where they were *first*; what lies
/// below what today is answered by the tree, never by a prefix.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AreaId([u8; 11]);

impl AreaId {
    /// Length in bytes.
    pub const SIZE_BYTES: usize = 11;
    /// The province whose areas are compiled in.
    pub const WEST_JAVA: Self = Self(*b"32000000000");

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 11] {
        &self.0
    }

    /// Reads eleven ASCII digits.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`], or [`DecodeError::Malformed`] when they are not digits.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let bytes = reader.array()?;
        let whole = bytes.iter().all(u8::is_ascii_digit);
        if whole { Ok(Self(bytes)) } else { Err(DecodeError::Malformed("area id")) }
    }

    /// The code the area was first given; `None` when its digits never were a code.
    pub fn first_code(&self) -> Option<AreaCode> {
        let digits = self.0.get(..self.level().digits())?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }

    /// The level the area was first given, from the zeros that pad it.
    pub fn level(&self) -> Level {
        match &self.0 {
            [_, _, b'0', b'0', b'0', b'0', b'0', b'0', b'0', b'0', _] => Level::Provinsi,
            [_, _, _, _, b'0', b'0', b'0', b'0', b'0', b'0', _] => Level::Kabupaten,
            [_, _, _, _, _, _, b'0', b'0', b'0', b'0', _] => Level::Kecamatan,
            _ => Level::Desa,
        }
    }
}

impl FromStr for AreaId {
    type Err = ParseAreaError;

    fn from_str(text: &str) -> Result<Self, ParseAreaError> {
        let bytes: [u8; 11] = text.as_bytes().try_into().map_err(|_| ParseAreaError::Shape)?;
        let whole = bytes.iter().all(u8::is_ascii_digit);
        if whole { Ok(Self(bytes)) } else { Err(ParseAreaError::Shape) }
    }
}

impl fmt::Display for AreaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.0).unwrap_or_default())
    }
}

impl fmt::Debug for AreaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AreaId({self})")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;

    #[test]
    fn a_code_is_read_with_and_without_dots_and_printed_with_them() {
        for text in ["32", "32.09", "32.09.21", "32.09.21.2016"] {
            let code: AreaCode = text.parse().unwrap();
            assert_eq!(code.to_string(), text);
            assert_eq!(code.digits(), text.replace('.', ""));
            assert_eq!(code.digits().parse(), Ok(code));
        }
    }

    #[test]
    fn dots_in_other_places_and_other_lengths_are_no_code() {
        let wrong =
            ["", "3", "320", "3.2", "32.", ".32", "320.9", "32.0921", "3209.21", "32.09.21.20.16"];
        for text in wrong.into_iter().chain(["32092120160", "32.09.2a", "３２", "-2", "3209212"])
        {
            assert_eq!(text.parse::<AreaCode>(), Err(ParseAreaError::Shape), "{text}");
        }
        assert_eq!("32.09.21.4016".parse::<AreaCode>(), Err(ParseAreaError::VillageKind));
    }

    #[test]
    fn an_id_is_the_padded_first_code_and_keeps_its_level() {
        for text in ["32", "32.09", "32.10", "32.09.21", "32.09.21.2016"] {
            let code: AreaCode = text.parse().unwrap();
            assert_eq!(code.first_id().level(), code.level());
            assert_eq!(code.first_id().first_code(), Some(code));
        }
        let sambeng: AreaCode = "32.09.39.2001".parse().unwrap();
        assert_eq!(sambeng.first_id().to_string(), "32093920010");
        assert_eq!(sambeng.parent().unwrap().to_string(), "32.09.39");
    }
}
