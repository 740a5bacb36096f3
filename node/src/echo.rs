//! What an error may repeat of a typed text: only what has the shape of what was asked for.
//!
//! People type a NIK where an id is wanted, and a name where a kind is. An error that repeats it
//! lands in a log, a photograph of a screen, a message to a technician. So a text is repeated only
//! where no person's number or name looks like it; otherwise its length is told.

use std::fmt;

use crdt_schema::area::AreaCode;
use crdt_schema::record::Schema;

/// A beginning of an id that names something has at least so many digits.
const ID_DIGITS_MIN: usize = 8;
/// No id has more.
const ID_DIGITS_MAX: usize = 64;
/// From so many digits on an id is longer than a NIK with anything around it.
const ID_DIGITS_LONG: usize = 32;
/// Decimal digits in a row that may be a date of birth or a telephone.
const DATE_DIGITS: usize = 8;
/// Digits of a NIK and of a KK.
const NIK_DIGITS: usize = 16;
/// Digits of a count that nobody is named by.
const COUNT_DIGITS_MAX: usize = 5;
/// Letters of the longest name of a kind, a field or a flag.
const WORD_LETTERS_MAX: usize = 40;
/// Letters for each of which one more may differ; shorter words resemble nothing, because every
/// short name resembles some field.
const LETTERS_A_SLIP: usize = 5;

/// A typed text as far as it may be repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Echo {
    /// As it was typed, or a word of ours.
    Text(String),
    /// It may hold somebody's number or name.
    Withheld {
        /// How long it is.
        letters: usize,
    },
}

impl fmt::Display for Echo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "`{text}`"),
            Self::Withheld { letters } => write!(f, "the given text ({letters} characters)"),
        }
    }
}

impl Echo {
    /// A text of which nothing is repeated.
    pub fn nothing(text: &str) -> Self {
        Self::Withheld { letters: text.chars().count() }
    }

    /// Where an id, or its beginning, was wanted.
    pub fn id(text: &str) -> Self {
        Self::only_if(text, is_id)
    }

    /// Where an entry was wanted: an id, `FEED:SEQ` or `FEED:SEQ@ID`.
    pub fn entry(text: &str) -> Self {
        Self::only_if(text, |text| {
            let (place, id) = text.split_once('@').map_or((text, None), |(a, b)| (a, Some(b)));
            let is_place = place
                .split_once(':')
                .map_or_else(|| is_id(place), |(feed, seq)| is_id(feed) && is_count(seq));
            is_place && id.is_none_or(is_id)
        })
    }

    /// Where the code of an area was wanted. No date, telephone or NIK has the form of one that
    /// begins with a province and, at a village's length, goes on with its kind.
    pub fn area(text: &str) -> Self {
        Self::only_if(text, |text| !text.starts_with('0') && text.parse::<AreaCode>().is_ok())
    }

    /// Where a small number was wanted.
    pub fn count(text: &str) -> Self {
        Self::only_if(text, is_count)
    }

    /// Where a kind of record was wanted, by name or by number.
    pub fn kind(text: &str) -> Self {
        let known = Schema::standard().kinds().map(|kind| kind.name);
        if is_count(text) { Self::count(text) } else { Self::word(text, known) }
    }

    /// Where a field of some kind was wanted.
    pub fn field(text: &str) -> Self {
        let fields = Schema::standard().kinds().flat_map(|kind| kind.fields);
        Self::word(text, fields.map(|field| field.name))
    }

    /// Where one of the `known` words was wanted: it is one of them, or one mistyped.
    pub fn word<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let is_word = |text: &str| {
            let letters = text.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'_' | b'-'));
            letters && (1..=WORD_LETTERS_MAX).contains(&text.len())
        };
        let mut known = known.into_iter();
        Self::only_if(text, |text| {
            let most = text.len() / LETTERS_A_SLIP;
            is_word(text) && known.any(|word| slips(text, word, most).is_some())
        })
    }

    fn only_if(text: &str, shaped: impl FnOnce(&str) -> bool) -> Self {
        if shaped(text) { Self::Text(text.to_owned()) } else { Self::nothing(text) }
    }
}

/// Hexadecimal, long enough to be an id's beginning, with a letter somewhere, and without a row of
/// decimal digits that may be a person's number.
fn is_id(text: &str) -> bool {
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digits = text.split(|letter: char| !letter.is_ascii_digit()).map(str::len).max();
    let digits_end = if text.len() < ID_DIGITS_LONG { DATE_DIGITS } else { NIK_DIGITS };
    is_hex
        && (ID_DIGITS_MIN..=ID_DIGITS_MAX).contains(&text.len())
        && digits.is_some_and(|digits| digits < digits_end)
}

fn is_count(text: &str) -> bool {
    let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit());
    is_decimal && (1..=COUNT_DIGITS_MAX).contains(&text.len())
}

/// Slips of the finger between two words, where they are no more than `most`: a letter too many, too
/// few, another, or two swapped. A text that is longer or shorter by more is not compared, which
/// would cost the product of both lengths: a cell of a sheet may hold 64 KiB.
pub fn slips(typed: &str, meant: &str, most: usize) -> Option<usize> {
    let apart = typed.chars().count().abs_diff(meant.chars().count());
    if apart > most {
        return None;
    }
    #[cfg(test)]
    crate::work::count(typed.len() * meant.len());
    let slips = strsim::osa_distance(typed, meant);
    (slips <= most).then_some(slips)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What people type in the wrong place: numbers and names.
    const PERSONAL: [&str; 24] = [
        "3209214501609007",
        "32.09.21.45.01.60.9007",
        "3209214501609007a",
        "32092145016090073209214501609008",
        "a3209214501609007bcdef0123456789abcdef0123456789abcdef0123456789a",
        "081234509009",
        "0812345090",
        "17081945",
        "17.08.1945",
        "Siti Aminah",
        "siti",
        "nina",
        "ade",
        "Budi",
        "budi_santoso",
        "siti:1",
        "3209214501609007:1",
        "abcdef01:3209214501609007",
        "abcdef01:1@3209214501609007",
        "abcdef01:1@Siti",
        "",
        "status siti",
        "nama\u{301}",
        "320921",
    ];

    #[test]
    fn no_number_and_no_name_of_a_person_has_the_shape_of_anything_that_is_repeated() {
        for text in PERSONAL {
            let withheld = Echo::Withheld { letters: text.chars().count() };
            let mut all = vec![Echo::id(text), Echo::entry(text), Echo::kind(text)];
            all.extend([Echo::field(text), Echo::count(text), Echo::word(text, ["status"])]);
            // Six digits may be a kecamatan, and a kecamatan is no person.
            if text != "320921" {
                all.push(Echo::area(text));
            }
            assert!(all.iter().all(|echo| *echo == withheld), "{text}: {all:?}");
        }
    }

    #[test]
    fn what_has_the_shape_that_was_wanted_is_repeated() {
        let id = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
        for (typed, echo) in [
            (id, Echo::id(id)),
            ("ffffffff", Echo::id("ffffffff")),
            ("0a1b2c3d:12", Echo::entry("0a1b2c3d:12")),
            ("0a1b2c3d:12@4e5f607a", Echo::entry("0a1b2c3d:12@4e5f607a")),
            ("32.99", Echo::area("32.99")),
            ("3209212016", Echo::area("3209212016")),
            ("kegiatn", Echo::kind("kegiatn")),
            ("900", Echo::kind("900")),
            ("jenis_kelamni", Echo::field("jenis_kelamni")),
            ("recrod", Echo::word("recrod", ["record"])),
            ("500", Echo::count("500")),
        ] {
            assert_eq!(echo, Echo::Text(typed.to_owned()));
        }
    }

    #[test]
    fn slips_are_letters_too_many_too_few_other_and_swapped() {
        let pairs = [("a", "a"), ("ab", "a"), ("", "a"), ("b", "a"), ("recrod", "record")];
        assert_eq!(pairs.map(|(typed, meant)| slips(typed, meant, 1)), [0, 1, 1, 1, 1].map(Some));
        assert_eq!(slips("kitten", "sitting", 3), Some(3));
        assert_eq!(slips("kitten", "sitting", 2), None);
        assert_eq!(slips("record", "rec", 3), Some(3));
        assert_eq!(slips("record", "rec", 2), None);
    }
}
