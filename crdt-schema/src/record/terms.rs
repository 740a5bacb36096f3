//! Search terms: what a record can be found by.
//!
//! Terms of closed types do not exist: the field that holds them is not indexed, so nobody can
//! browse for them.

use std::collections::BTreeSet;

use super::{Field, Kind, Merge};
use crate::edit::Value;
use crate::fold::RecordState;

/// Which list of terms a term belongs to; the numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum TermKind {
    /// One word of a name, folded to lower-case ASCII.
    Name = 1,
    /// A NIK, digits only.
    Nik = 2,
    /// A KK number, digits only.
    Kk = 3,
    /// A code of the kind's official list.
    Type = 4,
    /// The shown state.
    Status = 5,
    /// `RW/RT`.
    Rt = 6,
}

/// Bytes of one word of a name; longer ones are cut, for an index key must end somewhere.
const WORD_BYTES_MAX: usize = 48;

/// What stands for the half of `RW/RT` that nobody knows.
const UNKNOWN: &str = "-";

impl Kind {
    /// What the record can be found by. Personal: never logged.
    pub fn terms(&self, state: &RecordState) -> BTreeSet<(TermKind, String)> {
        let mut terms = BTreeSet::new();
        for field in self.fields {
            let Some(kind) = field.index.filter(|kind| *kind != TermKind::Rt) else { continue };
            for text in texts(field, state) {
                if kind == TermKind::Name {
                    terms.extend(name_words(&text).map(|word| (kind, word)));
                } else {
                    terms.insert((kind, text));
                }
            }
        }
        terms.extend(self.neighbourhood(state).map(|rt| (TermKind::Rt, rt)));
        terms
    }

    /// The fields indexed as [`TermKind::Rt`], in declared order (RW, then RT), joined by a slash.
    fn neighbourhood(&self, state: &RecordState) -> Option<String> {
        let is_part = |field: &&Field| field.index == Some(TermKind::Rt);
        let parts: Vec<_> = self
            .fields
            .iter()
            .filter(is_part)
            .map(|field| shown(field, state).unwrap_or_else(|| UNKNOWN.to_owned()))
            .collect();
        parts.iter().any(|part| part != UNKNOWN).then(|| parts.join("/"))
    }

    /// What lists show for the record: its label field, or where that holds nothing the first
    /// field searched by name that holds something.
    pub fn label(&self, state: &RecordState) -> Option<String> {
        let named = self.fields.iter().filter(|field| field.index == Some(TermKind::Name));
        let candidates = self.field(self.label).into_iter().chain(named);
        candidates
            .filter(|field| !field.merge.has_elements())
            .find_map(|field| field.shown_in(state).map(|value| field.show(None, value)))
    }

    /// The shown state.
    pub fn status(&self, state: &RecordState) -> Option<String> {
        let field = self.status_field()?;
        field.shown_in(state).map(|value| field.show(None, value))
    }
}

/// The values of a field as text; of a text that names several things all, and of a conflict all that
/// survive, for a person is looked for by the number that is not shown as well.
fn texts(field: &Field, state: &RecordState) -> Vec<String> {
    if field.merge.has_elements() {
        let shown = |(element, value): (&str, &Value)| match field.merge {
            Merge::List => field.show(Some(element), value),
            Merge::Set | Merge::Scalar | Merge::Status => element.to_owned(),
        };
        return field.elements_in(state).map(shown).collect();
    }
    if !matches!(field.index, Some(TermKind::Name | TermKind::Nik | TermKind::Kk)) {
        return shown(field, state).into_iter().collect();
    }
    let survivors = field.survivors_in(state, None).iter();
    survivors.map(|survivor| field.show(None, &survivor.value)).collect()
}

fn shown(field: &Field, state: &RecordState) -> Option<String> {
    field.shown_in(state).map(|value| field.show(None, value))
}

/// The words of a name as the index keeps them.
pub fn name_words(text: &str) -> impl Iterator<Item = String> {
    text.split(|letter: char| !letter.is_alphanumeric() && !is_within_word(letter))
        .map(fold_word)
        .filter(|word| !word.is_empty())
}

/// Marks people write inside a name: `Ma'ruf`, and marks that sit on the letter before.
const fn is_within_word(letter: char) -> bool {
    matches!(letter, '\'' | '\u{2018}' | '\u{2019}' | '`' | '\u{2bc}' | '\u{300}'..='\u{36f}')
}

/// A word as the index keeps it: lower case, letters without their marks, ASCII, at most
/// 48 bytes. A letter of another script is kept as it is.
///
/// ```
/// assert_eq!(crdt_schema::record::fold_word("Dédé"), "dede");
/// assert_eq!(crdt_schema::record::fold_word("Ma'ruf"), "maruf");
/// ```
pub fn fold_word(word: &str) -> String {
    let mut folded = String::new();
    for letter in word.chars().flat_map(char::to_lowercase) {
        if is_within_word(letter) || folded.len() + letter.len_utf8() > WORD_BYTES_MAX {
            continue;
        }
        match unmarked(letter) {
            Some(plain) => folded.push_str(plain),
            None => folded.push(letter),
        }
    }
    folded
}

/// The ASCII letters of a Latin letter with a mark.
const fn unmarked(letter: char) -> Option<&'static str> {
    Some(match letter {
        'à'..='å' | 'ā' | 'ă' | 'ą' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'č' => "c",
        'ď' | 'đ' | 'ḍ' => "d",
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'ğ' | 'ġ' => "g",
        'ḥ' | 'ħ' => "h",
        'ì'..='ï' | 'ī' | 'ĭ' | 'ı' => "i",
        'ł' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => "o",
        'œ' => "oe",
        'ř' => "r",
        'ś' | 'ş' | 'š' | 'ṣ' => "s",
        'ß' => "ss",
        'ţ' | 'ť' | 'ṭ' => "t",
        'ù'..='ü' | 'ū' | 'ŭ' | 'ů' | 'ű' => "u",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' | 'ẓ' => "z",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_however_it_is_written() {
        for (written, folded) in [
            ("DÉDÉ", "dede"),
            ("De\u{301}de\u{301}", "dede"),
            ("Ma'ruf", "maruf"),
            ("Ma\u{2019}ruf", "maruf"),
            ("Strauß", "strauss"),
        ] {
            assert_eq!(fold_word(written), folded, "{written}");
        }
        let parts: Vec<_> = name_words(" H. Asep-Dédé  S.Pd ").collect();
        assert_eq!(parts, ["h", "asep", "dede", "s", "pd"]);
    }

    #[test]
    fn a_word_without_end_is_cut() {
        assert_eq!(fold_word(&"x".repeat(1000)).len(), WORD_BYTES_MAX);
        assert!(fold_word(&"é".repeat(1000)).len() <= WORD_BYTES_MAX);
    }
}
