//! Who may read a value: the class of a field, and the class of the section it travels in.

use crate::codec::DecodeError;

/// The class of a section, and so of a document: a record has one document per class it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Class {
    /// Programme data with no person in it: field classes P and I.
    Open = 0,
    /// Type, status, sex, age band, decile, month: counted by every level, without names.
    Tally = 1,
    /// General personal data: name, NIK, address.
    Personal = 2,
    /// Specific personal data: health, children, crime, finance, the case itself.
    Specific = 3,
}

impl Class {
    /// Every class, in the order sections stand in an entry.
    pub const ALL: [Self; 4] = [Self::Open, Self::Tally, Self::Personal, Self::Specific];

    /// The class whose code is `code`.
    ///
    /// # Errors
    /// [`DecodeError::Unknown`] for any other code.
    pub const fn from_code(code: u8) -> Result<Self, DecodeError> {
        match code {
            0 => Ok(Self::Open),
            1 => Ok(Self::Tally),
            2 => Ok(Self::Personal),
            3 => Ok(Self::Specific),
            _ => Err(DecodeError::Unknown("class")),
        }
    }

    /// The name in rights and JSON: `open`, `T`, `U`, `S`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Tally => "T",
            Self::Personal => "U",
            Self::Specific => "S",
        }
    }

    /// Whether sections of this class can be erased one by one, and so are salted while open.
    pub const fn is_droppable(self) -> bool {
        !matches!(self, Self::Open)
    }
}

/// The class a field is declared with: the strictest the law asks for any value it may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldClass {
    /// P: may be published.
    Public,
    /// I: internal, no person in it.
    Internal,
    /// T: tally.
    Tally,
    /// U: personal, general.
    Personal,
    /// S: personal, specific.
    Specific,
}

impl FieldClass {
    /// The section a field of this class travels in.
    pub const fn section(self) -> Class {
        match self {
            Self::Public | Self::Internal => Class::Open,
            Self::Tally => Class::Tally,
            Self::Personal => Class::Personal,
            Self::Specific => Class::Specific,
        }
    }

    /// The letter of the law's table: P, I, T, U, S.
    pub const fn letter(self) -> char {
        match self {
            Self::Public => 'P',
            Self::Internal => 'I',
            Self::Tally => 'T',
            Self::Personal => 'U',
            Self::Specific => 'S',
        }
    }
}
