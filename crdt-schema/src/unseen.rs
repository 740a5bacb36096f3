//! Signs that nobody sees: taken out or refused where text is typed, written out where it is shown.
//!
//! A sign that is not drawn, or that turns the direction of writing, makes one name look like
//! another. Old and altered programs write them all the same, so whoever prints a value for people
//! prints it through [`visible`]. Values themselves are never changed here once they are stored.
//!
//! The table is Unicode's: `Default_Ignorable_Code_Point` (DerivedCoreProperties.txt), which
//! UTS 39 leaves out of identifiers; the formatting signs of UAX 9; the separators of lines and
//! paragraphs, and the marks of interlinear annotation.

use std::borrow::Cow;
use std::fmt::Write;

/// Programs put these in by themselves: soft hyphens, joiners and marks of width nought, the mark of
/// byte order, selectors of a letter's look. No Indonesian word is written with one.
const SLIPPED_IN: [(char, char); 5] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{200b}', '\u{200d}'),
    ('\u{2060}', '\u{2060}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
];

/// All other signs that are not drawn or that turn the text around them.
const UNSEEN: [(char, char); 19] = [
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200e}', '\u{200f}'),
    ('\u{2028}', '\u{2029}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2061}', '\u{2065}'),
    ('\u{2066}', '\u{2069}'),
    ('\u{206a}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fff8}'),
    ('\u{fff9}', '\u{fffb}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e007f}'),
    ('\u{e0080}', '\u{e0fff}'),
];

fn is_within(letter: char, table: &[(char, char)]) -> bool {
    // Nearly every letter is one of ours.
    letter > '\u{7f}' && table.iter().any(|(first, last)| (*first..=*last).contains(&letter))
}

/// Whether programs put the sign in without anybody's asking; taking it out changes no word.
pub fn is_slipped_in(letter: char) -> bool {
    is_within(letter, &SLIPPED_IN)
}

/// Whether no text may hold the sign: a control sign but for the break of a line and the tab, or
/// one that is not drawn and does not slip in.
pub fn is_refused(letter: char) -> bool {
    let is_control = letter.is_control() && !matches!(letter, '\n' | '\t');
    is_control || is_within(letter, &UNSEEN)
}

/// The text without what slipped in; borrowed where nothing did.
pub fn repaired(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_slipped_in) {
        Cow::Owned(text.chars().filter(|letter| !is_slipped_in(*letter)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// The text as people may be shown it: every sign that nobody sees stands there as `\u{202e}`,
/// breaks of lines stay, a tab is a space. It begins nothing a terminal or a browser would obey.
pub fn visible(text: &str) -> Cow<'_, str> {
    let is_plain = |letter: char| letter != '\t' && !is_refused(letter) && !is_slipped_in(letter);
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter == '\t' {
            shown.push(' ');
        } else if is_plain(letter) {
            shown.push(letter);
        } else {
            // A string takes whatever is written into it.
            let _always = write!(shown, "{}", letter.escape_unicode());
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Marks of direction, isolates, overrides, separators, a tag letter, an escape.
    const TURNING: [char; 10] = [
        '\u{202a}',
        '\u{202e}',
        '\u{2066}',
        '\u{2069}',
        '\u{200e}',
        '\u{200f}',
        '\u{2028}',
        '\u{2029}',
        '\u{e0041}',
        '\u{1b}',
    ];

    #[test]
    fn what_turns_writing_is_refused_and_what_programs_slip_in_is_taken_out() {
        for letter in TURNING {
            assert!(is_refused(letter) && !is_slipped_in(letter), "{letter:?}");
        }
        for letter in ['\u{ad}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}'] {
            assert!(is_slipped_in(letter) && !is_refused(letter), "{letter:?}");
            assert_eq!(repaired(&format!("{letter}As{letter}ep{letter}")), "Asep");
        }
    }

    #[test]
    fn letters_that_people_write_stay_as_they_are() {
        let text = "Désa Ciwidey\n\u{1b84}\u{1b9e} ﷽ é e\u{301} – “x” \u{a0}👍";
        assert!(matches!(repaired(text), Cow::Borrowed(_)));
        assert!(matches!(visible(text), Cow::Borrowed(_)));
    }

    #[test]
    fn a_sign_that_nobody_sees_is_shown_by_its_number() {
        assert_eq!(visible("a\u{202e}b\u{ad}"), r"a\u{202e}b\u{ad}");
        assert_eq!(visible("\u{1b}[2J\r\n\t."), "\\u{1b}[2J\\u{d}\n .");
        for letter in TURNING {
            assert!(!visible(&format!("x{letter}")).contains(letter), "{letter:?}");
        }
    }

    #[test]
    fn the_tables_are_in_order_and_apart() {
        let mut all = [&SLIPPED_IN[..], &UNSEEN[..]].concat();
        all.sort_unstable();
        assert!(UNSEEN.is_sorted() && SLIPPED_IN.is_sorted());
        assert!(all.iter().all(|(first, last)| first <= last));
        assert!(all.iter().zip(all.iter().skip(1)).all(|(one, next)| one.1 < next.0));
    }
}
