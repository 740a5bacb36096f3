//! One field of a kind: number, name, class, type, merge rule, and what people read beside it.

use super::codes::CodeList;
use super::terms::TermKind;
use crate::class::FieldClass;
use crate::edit::Value;
use crate::fold::{RecordState, Survivor};

/// What a field holds, and so how its text is read and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    /// UTF-8, trimmed, within what an edit may carry ([`TEXT_BYTES_MAX`](crate::edit::TEXT_BYTES_MAX));
    /// one line, unless it may be longer than one ([`ValueType::is_line`]).
    Text {
        /// Longest allowed, in letters: Unicode scalar values, so that a letter with a mark, or of
        /// another script, counts like any other.
        max_letters: usize,
    },
    /// A whole number.
    Int {
        /// Smallest allowed.
        min: i64,
        /// Largest allowed.
        max: i64,
    },
    /// Yes or no.
    Bool,
    /// A day; shown as `YYYY-MM-DD`.
    Date,
    /// A month; text `YYYY-MM`.
    Month,
    /// A code of a list, in its canonical form.
    Code(&'static CodeList),
    /// A NIK: 16 digits.
    Nik,
    /// A KK number: 16 digits.
    Kk,
    /// Number of an RT or RW: two digits or more, `-` if unknown.
    RtRw,
    /// The id of a record of the kind so named: 32 hex digits.
    Reference(&'static str),
    /// BLAKE3 of a file: 64 hex digits.
    Hash,
}

/// Letters of the longest text that is one line; a longer one is a story and keeps its own.
pub(super) const LINE_LETTERS_MAX: usize = 320;

impl ValueType {
    /// Whether it is a text of one line: without a break and without a tab.
    pub const fn is_line(&self) -> bool {
        matches!(self, Self::Text { max_letters } if *max_letters <= LINE_LETTERS_MAX)
    }

    /// The word in JSON: `text`, `int`, `bool`, `date`, `month`, `code`, `nik`, `kk`, `rt_rw`,
    /// `reference`, `hash`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::Int { .. } => "int",
            Self::Bool => "bool",
            Self::Date => "date",
            Self::Month => "month",
            Self::Code(_) => "code",
            Self::Nik => "nik",
            Self::Kk => "kk",
            Self::RtRw => "rt_rw",
            Self::Reference(_) => "reference",
            Self::Hash => "hash",
        }
    }

    /// The list, where the type is a code.
    pub const fn codes(&self) -> Option<&'static CodeList> {
        if let Self::Code(list) = self { Some(list) } else { None }
    }

    /// The type with its limits: `text(120)`, `int(1..10)`, `code(ppks)`, `reference(kps)`.
    pub fn describe(&self) -> String {
        match self {
            Self::Text { max_letters } => format!("text({max_letters})"),
            Self::Int { min, max } => format!("int({min}..{max})"),
            Self::Code(list) => format!("code({})", list.name),
            Self::Reference(kind) => format!("reference({kind})"),
            Self::Bool
            | Self::Date
            | Self::Month
            | Self::Nik
            | Self::Kk
            | Self::RtRw
            | Self::Hash => self.name().to_owned(),
        }
    }
}

/// How edits made apart meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// All surviving values are kept, one is shown.
    Scalar,
    /// One key per element, which is its own id; add wins.
    Set,
    /// One key per element, whose id is made from its text; add wins.
    List,
    /// A scalar that moves along the kind's transitions.
    Status,
}

impl Merge {
    /// The word in JSON: `scalar`, `set`, `list`, `status`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Set => "set",
            Self::List => "list",
            Self::Status => "status",
        }
    }

    /// Whether the field has elements.
    pub const fn has_elements(self) -> bool {
        matches!(self, Self::Set | Self::List)
    }
}

/// A field, as declared. Number, name, class, type and merge rule never change.
///
/// ```
/// use crdt_schema::class::FieldClass;
/// use crdt_schema::record::{Field, ValueType};
///
/// const UMUR: Field = Field::scalar(4, "umur", FieldClass::Personal, ValueType::Int { min: 0, max: 130 })
///     .titled("Umur", "Umur pada hari pendataan.")
///     .measured_in("tahun");
/// assert_eq!(UMUR.unit, Some("tahun"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// From 1, never reused.
    pub number: u16,
    /// `snake_case`, as typed on the command line.
    pub name: &'static str,
    /// Other names that mean this field: columns of older forms.
    pub aliases: &'static [&'static str],
    /// What people see beside it, in Indonesian.
    pub label: &'static str,
    /// What to fill in, in Indonesian.
    pub help: &'static str,
    /// One for ever, the strictest the law asks for any value it may hold.
    pub class: FieldClass,
    /// What it holds.
    pub value: ValueType,
    /// How edits made apart meet.
    pub merge: Merge,
    /// Whether a record must have it.
    pub required: bool,
    /// What a new record gets when nothing is typed.
    pub default: Option<&'static str>,
    /// Schema version that brought it.
    pub since: u16,
    /// What a number counts.
    pub unit: Option<&'static str>,
    /// Which search terms it gives.
    pub index: Option<TermKind>,
}

impl Field {
    /// A field with one value.
    pub const fn scalar(
        number: u16,
        name: &'static str,
        class: FieldClass,
        value: ValueType,
    ) -> Self {
        Self {
            number,
            name,
            aliases: &[],
            label: name,
            help: "",
            class,
            value,
            merge: Merge::Scalar,
            required: false,
            default: None,
            since: 1,
            unit: None,
            index: None,
        }
    }

    /// A field of codes, hashes or references.
    pub const fn set(number: u16, name: &'static str, class: FieldClass, value: ValueType) -> Self {
        let mut field = Self::scalar(number, name, class, value);
        field.merge = Merge::Set;
        field
    }

    /// A field of texts.
    pub const fn list(
        number: u16,
        name: &'static str,
        class: FieldClass,
        max_letters: usize,
    ) -> Self {
        let mut field = Self::scalar(number, name, class, ValueType::Text { max_letters });
        field.merge = Merge::List;
        field
    }

    /// The field that moves along the kind's transitions; required, beginning at `first`.
    pub const fn status(
        number: u16,
        name: &'static str,
        class: FieldClass,
        states: &'static CodeList,
        first: &'static str,
    ) -> Self {
        let mut field = Self::scalar(number, name, class, ValueType::Code(states));
        field.merge = Merge::Status;
        field.index = Some(TermKind::Status);
        field.required().or(first)
    }

    /// With its Indonesian label and help.
    #[must_use]
    pub const fn titled(mut self, label: &'static str, help: &'static str) -> Self {
        self.label = label;
        self.help = help;
        self
    }

    /// A record must have it.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// A new record gets `text` when nothing is typed.
    #[must_use]
    pub const fn or(mut self, text: &'static str) -> Self {
        self.default = Some(text);
        self
    }

    /// Gives search terms.
    #[must_use]
    pub const fn indexed(mut self, kind: TermKind) -> Self {
        self.index = Some(kind);
        self
    }

    /// Counts this.
    #[must_use]
    pub const fn measured_in(mut self, unit: &'static str) -> Self {
        self.unit = Some(unit);
        self
    }

    /// Answers to these names too.
    #[must_use]
    pub const fn also(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// Came with schema version `version`.
    #[must_use]
    pub const fn since(mut self, version: u16) -> Self {
        self.since = version;
        self
    }

    /// The shown value of the field in a record, from the class it is declared with.
    pub fn shown_in<'a>(&self, state: &'a RecordState) -> Option<&'a Value> {
        state.shown(self.class.section(), self.number, None)
    }

    /// Every surviving value of the field or of one of its elements, the shown one first.
    pub fn survivors_in<'a>(
        &self,
        state: &'a RecordState,
        element: Option<&str>,
    ) -> &'a [Survivor] {
        state.survivors(self.class.section(), self.number, element)
    }

    /// The elements of the field in a record, with the shown value of each.
    pub fn elements_in<'a>(
        &self,
        state: &'a RecordState,
    ) -> impl Iterator<Item = (&'a str, &'a Value)> {
        state.elements(self.class.section(), self.number)
    }

    /// Whether the field is in conflict: different values survive.
    pub fn is_contested_in(&self, state: &RecordState) -> bool {
        state.conflicts().contains(&(self.class.section(), self.number))
    }

    /// Whether `name` means this field.
    pub fn is_named(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
}
