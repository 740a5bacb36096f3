//! Hashes as Indonesian words, so that two offices can compare them by telephone.
//!
//! A root is six words (60 bits), a device eight (80 bits); ten bits a word, from a list of 1,024
//! that never changes: every word differs from every other within its first four letters and by
//! two letters or more, and none begins another. The full hash is what programs compare; words
//! are for people. How a root or a device id comes about does not live here.

use std::sync::LazyLock;

use crate::id::DeviceId;

/// Words that say a root.
pub const ROOT_WORDS: usize = 6;

/// Words that say a device: more than a root, because `member confirm` accepts them in place of
/// the id and a stranger may try keys until some fit.
pub const DEVICE_WORDS: usize = 8;

/// Bits a word stands for.
const BITS_PER_WORD: usize = 10;

/// The list, sorted, one word a line.
static WORDS: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| include_str!("../data/words-id.txt").lines().collect());

/// The six words of a root: the first 60 bits of BLAKE3 under `wksbm 2026 root words v1`.
///
/// # Examples
/// ```
/// let words = crdt_schema::words::six_words(&[0; 32]);
/// println!("{}", words.join(" "));
/// assert_ne!(words, crdt_schema::words::six_words(&[1; 32]));
/// ```
pub fn six_words(root: &[u8; 32]) -> [&'static str; ROOT_WORDS] {
    words_of(&blake3::derive_key("wksbm 2026 root words v1", root))
}

/// The eight words of a device: the first 80 bits of BLAKE3 under `wksbm 2026 device words v1`.
pub fn eight_words(device: &DeviceId) -> [&'static str; DEVICE_WORDS] {
    words_of(&blake3::derive_key("wksbm 2026 device words v1", device.as_bytes()))
}

/// Reads eight words of the list as a person types them: any case, apart by spaces or dashes.
///
/// `None` when there are fewer or more, or one is not in the list.
///
/// # Examples
/// ```
/// use crdt_schema::{id::DeviceId, words};
/// let device = DeviceId([7; 32]);
/// let typed = words::eight_words(&device).join("-").to_uppercase();
/// assert!(words::matches(&device, &words::parse_eight(&typed).unwrap()));
/// ```
pub fn parse_eight(text: &str) -> Option<[&'static str; DEVICE_WORDS]> {
    // Messaging programs turn a typed dash into a longer one.
    let mut typed = text
        .split(|letter: char| {
            letter.is_whitespace() || matches!(letter, '-' | '\u{2013}' | '\u{2014}')
        })
        .filter(|word| !word.is_empty());
    let mut words = [""; DEVICE_WORDS];
    for word in &mut words {
        *word = listed(typed.next()?)?;
    }
    typed.next().is_none().then_some(words)
}

/// Whether `words` are those of `device`, all of them in their order.
pub fn matches(device: &DeviceId, words: &[&str; DEVICE_WORDS]) -> bool {
    eight_words(device) == *words
}

fn listed(typed: &str) -> Option<&'static str> {
    let lower = typed.to_ascii_lowercase();
    let place = WORDS.binary_search(&lower.as_str()).ok()?;
    WORDS.get(place).copied()
}

/// The first `N * 10` bits of `hash`, ten a word, the highest first.
fn words_of<const N: usize>(hash: &[u8; 32]) -> [&'static str; N] {
    std::array::from_fn(|position| {
        let bits = (position * BITS_PER_WORD)..((position + 1) * BITS_PER_WORD);
        let number = bits.fold(0, |number, bit| number << 1 | bit_of(hash, bit));
        // Ten bits always name one of 1,024; a test counts the list.
        WORDS.get(number).copied().unwrap_or_default()
    })
}

fn bit_of(hash: &[u8; 32], bit: usize) -> usize {
    hash.get(bit / 8).map_or(0, |byte| usize::from(byte >> (7 - bit % 8) & 1))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_list_never_changes() {
        let hash = blake3::hash(include_bytes!("../data/words-id.txt"));
        assert_eq!(
            hash.to_hex().as_str(),
            "53760703978e0de0790888a95d7a44ccfb08f5fb53e1f87b22648e366cd8c7ec"
        );
    }

    #[test]
    fn these_hashes_have_these_words_for_ever() {
        assert_eq!(six_words(&[0; 32]).join(" "), "puncak pasti hafal pilot loteng cakram");
        assert_eq!(
            eight_words(&DeviceId([7; 32])).join(" "),
            "gampang rempah alkisah mulai blangkon rehat seragam jinjing"
        );
    }

    #[test]
    fn the_list_has_1024_short_words_in_order() {
        assert_eq!(WORDS.len(), 1 << BITS_PER_WORD);
        assert!(WORDS.is_sorted_by(|one, next| one < next));
        for word in WORDS.iter() {
            assert!((4..=8).contains(&word.len()), "{word}");
            assert!(word.bytes().all(|byte| byte.is_ascii_lowercase()), "{word}");
        }
    }

    #[test]
    fn four_letters_tell_two_words_apart_and_none_begins_another() {
        for pair in WORDS.windows(2) {
            if let [one, next] = pair {
                assert_ne!(one.get(..4), next.get(..4));
            }
        }
    }

    #[test]
    fn one_letter_misheard_is_not_another_word() {
        for word in WORDS.iter() {
            for place in 0..word.len() {
                for letter in 'a'..='z' {
                    let mut heard = (*word).to_owned();
                    heard.replace_range(place..=place, letter.encode_utf8(&mut [0; 4]));
                    assert!(heard == *word || listed(&heard).is_none(), "{word} {heard}");
                }
            }
        }
    }

    #[test]
    fn the_first_word_is_the_first_ten_bits() {
        let mut hash = [0; 32];
        assert_eq!(words_of::<2>(&hash), [*WORDS.first().unwrap(); 2]);
        (hash[0], hash[1], hash[2]) = (0xff, 0xc0, 0x10);
        assert_eq!(words_of::<2>(&hash), [*WORDS.last().unwrap(), *WORDS.get(1).unwrap()]);
    }

    #[test]
    fn words_are_read_as_people_type_them() {
        let device = DeviceId([9; 32]);
        let words = eight_words(&device);
        for typed in [
            words.join("-"),
            format!("  {}\n", words.join("  ").to_uppercase()),
            words.join(" \u{2013} "),
        ] {
            assert!(matches(&device, &parse_eight(&typed).unwrap()), "{typed}");
        }
    }

    #[test]
    fn seven_nine_or_foreign_words_are_none() {
        let words = eight_words(&DeviceId([9; 32]));
        assert_eq!(parse_eight(&words.split_last().unwrap().1.join(" ")), None);
        assert_eq!(parse_eight(&format!("{} abadi", words.join(" "))), None);
        assert_eq!(parse_eight(&words.join(" ").replacen(words[2], "xyzzy", 1)), None);
        assert_eq!(parse_eight(""), None);
    }

    #[test]
    fn words_in_another_order_are_another_device() {
        let mut words = eight_words(&DeviceId([9; 32]));
        words.reverse();
        assert!(!matches(&DeviceId([9; 32]), &words));
    }

    proptest! {
        #[test]
        fn any_device_is_found_by_its_words(bytes: [u8; 32]) {
            let device = DeviceId(bytes);
            let words = parse_eight(&eight_words(&device).join(" ")).unwrap();
            prop_assert!(matches(&device, &words));
        }

        #[test]
        fn any_text_never_panics(text: String) {
            let _read = parse_eight(&text);
        }
    }
}
