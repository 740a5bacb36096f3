//! Bodies of rows, squeezed one by one with a dictionary of their words.
//!
//! A row is short and read alone, so nothing but a dictionary makes it shorter. It holds synthetic
//! words only (`tests/src/bin/dictionary.rs` trains it) and belongs to the format of the file: with
//! another one the views are made anew.

use std::cell::RefCell;
use std::sync::LazyLock;

use crdt_schema::codec::DecodeError;
use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::zstd_safe::CParameter;

/// Shorter ones gain nothing.
const BODY_BYTES_MIN: usize = 24;
/// Longest body that is squeezed: what a damaged length may have us reserve.
const BODY_BYTES_MAX: usize = 1 << 20;
const LEVEL: i32 = 3;
/// What every zstd frame begins with; left out.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

static DICTIONARY: &[u8] = include_bytes!("../../../data/rows-1.zst");

// Prepared once for all threads; `None` only where zstd had no memory for it.
static ENCODER: LazyLock<Option<EncoderDictionary<'static>>> =
    LazyLock::new(|| EncoderDictionary::try_copy(DICTIONARY, LEVEL).ok());
static DECODER: LazyLock<Option<DecoderDictionary<'static>>> =
    LazyLock::new(|| DecoderDictionary::try_copy(DICTIONARY).ok());

thread_local! {
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = RefCell::new(compressor());
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = RefCell::new(decompressor());
}

/// A frame says neither what it is, nor its length, nor its dictionary: the file does.
fn compressor() -> Option<Compressor<'static>> {
    let mut compressor = Compressor::with_prepared_dictionary(ENCODER.as_ref()?).ok()?;
    for left_out in [CParameter::DictIdFlag(false), CParameter::ContentSizeFlag(false)] {
        compressor.set_parameter(left_out).ok()?;
    }
    Some(compressor)
}

fn decompressor() -> Option<Decompressor<'static>> {
    Decompressor::with_prepared_dictionary(DECODER.as_ref()?).ok()
}

/// A shorter form of a body; `None` when there is none.
pub(super) fn squeeze(body: &[u8]) -> Option<Vec<u8>> {
    if !(BODY_BYTES_MIN..=BODY_BYTES_MAX).contains(&body.len()) {
        return None;
    }
    let frame = COMPRESSOR.with_borrow_mut(|slot| slot.as_mut()?.compress(body).ok())?;
    let frame = frame.strip_prefix(&MAGIC).filter(|frame| frame.len() + 2 < body.len())?;
    Some(frame.to_vec())
}

/// Undoes [`squeeze`]; never reserves more than a named limit.
///
/// # Errors
/// [`DecodeError`] when it is no frame of so many bytes.
pub(super) fn expand(frame: &[u8], length: usize) -> Result<Vec<u8>, DecodeError> {
    if length > BODY_BYTES_MAX {
        return Err(DecodeError::TooLarge("body of a row"));
    }
    let frame = [&MAGIC, frame].concat();
    let plain = DECOMPRESSOR.with_borrow_mut(|slot| slot.as_mut()?.decompress(&frame, length).ok());
    plain.filter(|plain| plain.len() == length).ok_or(DecodeError::Malformed("body of a row"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_dictionary_belongs_to_the_format() {
        // Another one needs another number of `migrate.rs`.
        let hash = blake3::hash(DICTIONARY).to_hex();
        assert_eq!(hash.get(..16), Some(HASH));
    }

    const HASH: &str = "252a9fad814338c3";

    #[test]
    fn the_dictionary_holds_no_number_of_a_person() {
        let numbers = DICTIONARY.chunk_by(|a, b| a.is_ascii_digit() && b.is_ascii_digit());
        assert!(numbers.map(<[u8]>::len).all(|digits| digits < 16));
    }

    #[test]
    fn a_length_that_no_body_has_is_refused_before_anything_is_reserved() {
        let frame = squeeze(&[7; 500]).unwrap();
        assert_eq!(expand(&frame, usize::MAX), Err(DecodeError::TooLarge("body of a row")));
        assert_eq!(expand(&frame, 499), Err(DecodeError::Malformed("body of a row")));
    }

    proptest! {
        #[test]
        fn what_is_squeezed_comes_back(body: Vec<u8>, times in 1usize..90) {
            let body = body.repeat(times);
            if let Some(frame) = squeeze(&body) {
                prop_assert!(frame.len() < body.len());
                prop_assert_eq!(expand(&frame, body.len()).unwrap(), body);
            }
        }

        #[test]
        fn expanding_anything_never_panics(frame: Vec<u8>, length in 0usize..5_000) {
            prop_assert!(expand(&frame, length).map_or(0, |plain| plain.len()) <= length);
        }
    }
}
