//! What a person types into a search, as the terms that records are found by.
//!
//! A number is taken as saves take it: with blanks, dots and dashes between its digits, and with the
//! apostrophe that tells a spreadsheet it is a text.

use crdt_schema::record::{TermKind, name_words, nik};
use crdt_schema::unseen::repaired;

/// Whether a search looks for anything: for a letter or a digit.
pub fn is_search(query: &str) -> bool {
    !query_terms(query).is_empty()
}

/// What a query looks for: sixteen digits, with what people write between and before them, are a NIK or
/// a KK number; all else are beginnings of names.
pub(super) fn query_terms(query: &str) -> Vec<(TermKind, String)> {
    let query = repaired(query);
    let words: Vec<&str> = query.split_whitespace().collect();
    let together = words.chunk_by(|one, next| is_numeric(one) && is_numeric(next));
    together.flat_map(|words| number(words).unwrap_or_else(|| each_terms(words))).collect()
}

/// Words that are one number together.
fn number(words: &[&str]) -> Option<Vec<(TermKind, String)>> {
    let is_number = words.iter().all(|word| is_numeric(word));
    let digits = words.iter().flat_map(|word| word.chars()).filter(char::is_ascii_digit);
    let digits = is_number.then(|| digits.collect::<String>())?;
    (digits.len() == nik::DIGITS).then(|| vec![(TermKind::Nik, digits)])
}

fn each_terms(words: &[&str]) -> Vec<(TermKind, String)> {
    let name = |word: &str| name_words(word).map(|it| (TermKind::Name, it)).collect();
    words.iter().flat_map(|word| number(&[word]).unwrap_or_else(|| name(word))).collect()
}

/// Digits, with what a NIK is typed with.
fn is_numeric(word: &str) -> bool {
    let word = nik::unmarked(word);
    !word.is_empty() && word.chars().all(|it| it.is_ascii_digit() || matches!(it, '.' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(query: &str) -> Vec<(TermKind, String)> {
        query_terms(query)
    }

    fn nik(digits: &str) -> (TermKind, String) {
        (TermKind::Nik, digits.to_owned())
    }

    #[test]
    fn a_number_is_found_as_people_write_it() {
        const NIK: &str = "3209214501909001";
        for typed in [
            NIK,
            "3209 2145 0190 9001",
            "32.09.21 450190-9001",
            "'3209214501909001",
            "\u{2019}3209 2145 0190 9001",
            "\"3209214501909001",
            "3209\u{a0}2145\u{a0}0190\u{a0}9001",
            "3209214501909001\u{200b}",
        ] {
            assert_eq!(terms(typed), [nik(NIK)], "{typed:?}");
        }
        let other = "3209214501909002";
        assert_eq!(terms(&format!("{NIK} {other}")), [nik(NIK), nik(other)]);
        let name = |word: &str| (TermKind::Name, word.to_owned());
        assert_eq!(
            terms("Siti 3209 2145 0190 9001 Aminah"),
            [name("siti"), nik(NIK), name("aminah")]
        );
    }

    #[test]
    fn any_other_number_is_a_word() {
        let name = |word: &str| (TermKind::Name, word.to_owned());
        assert_eq!(terms("Rapat 12 2026"), [name("rapat"), name("12"), name("2026")]);
        assert_eq!(terms("320921450190900"), [name("320921450190900")]);
        assert!(!is_search("' - .") && !is_search("") && is_search("'7"));
    }
}
