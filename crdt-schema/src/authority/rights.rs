//! What a device may do, as a set of bits and as the names of the command line.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::class::Class;
use crate::codec::DecodeError;

/// A set of rights in an area and all below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Rights(u16);

/// A name that is no right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "not a right; rights are write, carry, read:open, read:T, read:U, read:S, issue, erase, carry:parent"
)]
pub struct UnknownRight;

const NAMES: [(Rights, &str); 9] = [
    (Rights::WRITE, "write"),
    (Rights::CARRY, "carry"),
    (Rights::READ_OPEN, "read:open"),
    (Rights::READ_TALLY, "read:T"),
    (Rights::READ_PERSONAL, "read:U"),
    (Rights::READ_SPECIFIC, "read:S"),
    (Rights::ISSUE, "issue"),
    (Rights::ERASE, "erase"),
    (Rights::CARRY_PARENT, "carry:parent"),
];

impl Rights {
    /// None at all.
    pub const NONE: Self = Self(0);
    /// Write edits.
    pub const WRITE: Self = Self(1);
    /// Hold and hand on what others wrote, sealed or not.
    pub const CARRY: Self = Self(1 << 1);
    /// Read open sections.
    pub const READ_OPEN: Self = Self(1 << 2);
    /// Read tally sections.
    pub const READ_TALLY: Self = Self(1 << 3);
    /// Read personal sections.
    pub const READ_PERSONAL: Self = Self(1 << 4);
    /// Read specific sections.
    pub const READ_SPECIFIC: Self = Self(1 << 5);
    /// Certify devices in areas below.
    pub const ISSUE: Self = Self(1 << 6);
    /// Write legal orders.
    pub const ERASE: Self = Self(1 << 7);
    /// Carry the area one level up, whichever that is today.
    pub const CARRY_PARENT: Self = Self(1 << 8);

    /// Write, carry and read everything.
    pub const fn all_reading() -> Self {
        Self(0b11_1111)
    }

    /// What a desa's device gets unless told otherwise.
    pub const fn desa() -> Self {
        Self::all_reading().with(Self::CARRY_PARENT)
    }

    /// What a device above the desa gets unless told otherwise.
    pub const fn above_desa() -> Self {
        Self::all_reading().with(Self::ISSUE)
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }

    /// Whether every right of `asked` is in the set.
    pub const fn has(self, asked: Self) -> bool {
        self.0 & asked.0 == asked.0
    }

    /// Whether any right of `asked` is in the set.
    pub const fn has_any(self, asked: Self) -> bool {
        self.0 & asked.0 != 0
    }

    /// What is left of it for open data: write, carry, read what is open.
    #[must_use]
    pub const fn open_only(self) -> Self {
        Self(self.0 & 0b111)
    }

    /// The right to read a class.
    pub const fn read(class: Class) -> Self {
        match class {
            Class::Open => Self::READ_OPEN,
            Class::Tally => Self::READ_TALLY,
            Class::Personal => Self::READ_PERSONAL,
            Class::Specific => Self::READ_SPECIFIC,
        }
    }

    /// Whether the set lets its holder hold entries of the area at all.
    pub const fn may_hold(self) -> bool {
        self.has_any(Self(Self::CARRY.0 | 0b11_1100))
    }

    /// The bits as stored.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// A set from stored bits.
    ///
    /// # Errors
    /// [`DecodeError::Unknown`] for a bit this build does not know.
    pub const fn from_bits(bits: u16) -> Result<Self, DecodeError> {
        if bits >= 1 << 9 { Err(DecodeError::Unknown("right")) } else { Ok(Self(bits)) }
    }

    /// The names, in the order of the bits.
    pub fn names(self) -> Vec<&'static str> {
        NAMES.iter().filter(|(right, _)| self.has(*right)).map(|(_, name)| *name).collect()
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(","))
    }
}

impl FromStr for Rights {
    type Err = UnknownRight;

    /// A list with commas, like `write,carry,read:open`.
    fn from_str(text: &str) -> Result<Self, UnknownRight> {
        text.split(',').map(str::trim).filter(|name| !name.is_empty()).try_fold(
            Self::NONE,
            |rights, name| {
                let known = NAMES.iter().find(|(_, known)| known.eq_ignore_ascii_case(name));
                known.map(|(right, _)| rights.with(*right)).ok_or(UnknownRight)
            },
        )
    }
}
