//! Blocks of entries, compressed: one byte that names the method, then what the method needs.
//!
//! | method | form                                                                               |
//! |--------|------------------------------------------------------------------------------------|
//! | 0      | the plain bytes                                                                    |
//! | 1      | plain length, zstd frame                                                           |
//! | 2      | number of a dictionary, plain length, zstd frame without its four bytes of magic   |
//!
//! The number is one byte, the length a varint. Written are 0 and 2; 1 is read for ever. Dictionaries
//! are numbered from 1 and never changed: a block says which one it needs, and every build carries
//! all that were ever published. They hold synthetic words only: `tests/src/bin/dictionary.rs`
//! trains them.
//!
//! Measured on synthetic years, signatures and framing included: a record of an open kind with its
//! two later edits takes 94 bytes with dictionary 1 and 132 without, one of `ppks` in four classes
//! 215 and 253, 79 of them salts, which nothing compresses; a single save 83, 64 of them signature.

use std::cell::RefCell;
use std::io;
use std::sync::LazyLock;

use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::zstd_safe::CParameter;

use crate::codec::{DecodeError, Reader, Writer};

/// Plain bytes of one block: 64 entries with every list and section full.
pub(super) const BLOCK_BYTES_MAX: usize = 64 * (16 * 1024 + 3 * 1024);

/// The newest dictionary this build knows, and the one it writes with.
pub const DICTIONARY_NEWEST: u8 = 1;

const RAW: u8 = 0;
const ZSTD: u8 = 1;
const ZSTD_DICTIONARY: u8 = 2;
const LEVEL: i32 = 3;
/// What every zstd frame begins with.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

static DICTIONARY_1: &[u8] = include_bytes!("../../data/dictionary-1.zst");

// Prepared once for all threads; `None` only where zstd had no memory for it.
static ENCODER_1: LazyLock<Option<EncoderDictionary<'static>>> =
    LazyLock::new(|| EncoderDictionary::try_copy(DICTIONARY_1, LEVEL).ok());
static DECODER_1: LazyLock<Option<DecoderDictionary<'static>>> =
    LazyLock::new(|| DecoderDictionary::try_copy(DICTIONARY_1).ok());

thread_local! {
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = RefCell::new(compressor());
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> =
        RefCell::new(Decompressor::new().ok());
    static DECOMPRESSOR_1: RefCell<Option<Decompressor<'static>>> = RefCell::new(decompressor_1());
}

/// A frame says neither its length nor its dictionary: the block does.
fn compressor() -> Option<Compressor<'static>> {
    let dictionary = ENCODER_1.as_ref()?;
    let mut compressor = Compressor::with_prepared_dictionary(dictionary).ok()?;
    for left_out in [CParameter::DictIdFlag(false), CParameter::ContentSizeFlag(false)] {
        compressor.set_parameter(left_out).ok()?;
    }
    Some(compressor)
}

fn decompressor_1() -> Option<Decompressor<'static>> {
    Decompressor::with_prepared_dictionary(DECODER_1.as_ref()?).ok()
}

/// The shorter of the plain and the compressed form; the plain one where no compressor could be
/// had.
pub(super) fn compress(plain: &[u8]) -> Vec<u8> {
    let frame = COMPRESSOR.with_borrow_mut(|slot| slot.as_mut()?.compress(plain).ok());
    let frame = frame.as_deref().and_then(|frame| frame.strip_prefix(&MAGIC));
    let mut block = Writer::new();
    match frame {
        Some(frame) if frame.len() + 3 < plain.len() => {
            block.u8(ZSTD_DICTIONARY).u8(DICTIONARY_NEWEST);
            block.varint(plain.len() as u64).raw(frame)
        }
        _ => block.u8(RAW).raw(plain),
    };
    block.finish()
}

/// Undoes [`compress`]; never reserves more than [`BLOCK_BYTES_MAX`].
pub(super) fn decompress(bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut reader = Reader::new(bytes);
    match reader.u8()? {
        RAW if reader.remaining() <= BLOCK_BYTES_MAX => Ok(reader.rest().to_vec()),
        RAW => Err(DecodeError::TooLarge("block")),
        ZSTD => {
            let length = plain_length(&mut reader)?;
            DECOMPRESSOR.with_borrow_mut(|slot| expand(slot.as_mut(), reader.rest(), length))
        }
        ZSTD_DICTIONARY => {
            if reader.u8()? != DICTIONARY_NEWEST {
                return Err(DecodeError::Unknown("dictionary"));
            }
            let length = plain_length(&mut reader)?;
            let frame = [&MAGIC, reader.rest()].concat();
            DECOMPRESSOR_1.with_borrow_mut(|slot| expand(slot.as_mut(), &frame, length))
        }
        _ => Err(DecodeError::Unknown("compression")),
    }
}

fn plain_length(reader: &mut Reader<'_>) -> Result<usize, DecodeError> {
    let length = usize::try_from(reader.varint()?).unwrap_or(usize::MAX);
    if length > BLOCK_BYTES_MAX { Err(DecodeError::TooLarge("block")) } else { Ok(length) }
}

fn expand(
    decompressor: Option<&mut Decompressor<'static>>,
    frame: &[u8],
    length: usize,
) -> Result<Vec<u8>, DecodeError> {
    let no_memory = || io::Error::from(io::ErrorKind::OutOfMemory);
    let plain = decompressor.ok_or_else(no_memory).and_then(|it| it.decompress(frame, length));
    match plain {
        Ok(plain) if plain.len() == length => Ok(plain),
        Ok(_) | Err(_) => Err(DecodeError::Malformed("compressed block")),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;
    use proptest::prelude::*;

    const PLAIN: &str =
        "rapat koordinasi WKSBM di Balai Desa, rapat koordinasi WKSBM di Balai Desa";

    #[test]
    fn every_method_ever_written_is_read_for_ever() {
        let golden = include_str!("../../golden/compressed-v1.hex");
        assert_eq!(golden.lines().count(), 3);
        for (method, line) in (0..).zip(golden.lines()) {
            let block = hex::decode(line).unwrap();
            assert_eq!(block.first(), Some(&method));
            assert_eq!(decompress(&block).unwrap(), PLAIN.as_bytes());
        }
    }

    #[test]
    fn a_published_dictionary_never_changes() {
        let hash = blake3::hash(DICTIONARY_1).to_hex();
        assert_eq!(
            hash.as_str(),
            "40658b3d1bb60f37c7b5b73661d464a90967d23e78b3be2295395a51412f90ed"
        );
    }

    #[test]
    fn the_dictionary_holds_no_number_of_a_person() {
        let numbers = DICTIONARY_1.chunk_by(|a, b| a.is_ascii_digit() && b.is_ascii_digit());
        assert!(numbers.map(<[u8]>::len).all(|digits| digits < 16));
    }

    #[test]
    fn a_block_of_a_dictionary_not_known_here_says_so() {
        let mut block = compress(PLAIN.as_bytes());
        assert_eq!(block.get(..2), Some(&[ZSTD_DICTIONARY, DICTIONARY_NEWEST][..]));
        *block.get_mut(1).unwrap() = DICTIONARY_NEWEST + 1;
        assert_eq!(decompress(&block), Err(DecodeError::Unknown("dictionary")));
    }

    #[test]
    fn a_length_beyond_a_block_is_refused_before_anything_is_reserved() {
        for method in [&[ZSTD][..], &[ZSTD_DICTIONARY, DICTIONARY_NEWEST]] {
            let beyond = BLOCK_BYTES_MAX as u64 + 1;
            let block = Writer::new().raw(method).varint(beyond).raw(&[0; 8]).finish();
            assert_eq!(decompress(&block), Err(DecodeError::TooLarge("block")));
        }
    }

    #[test]
    fn a_frame_longer_than_its_block_says_is_refused() {
        let whole = compress(&[7; 5_000]);
        let mut reader = Reader::new(&whole);
        let method = reader.raw(2).unwrap();
        assert_eq!(reader.varint(), Ok(5_000));
        let cut = Writer::new().raw(method).varint(4_999).raw(reader.rest()).finish();
        assert_eq!(decompress(&cut), Err(DecodeError::Malformed("compressed block")));
    }

    proptest! {
        #[test]
        fn what_is_compressed_comes_back(plain: Vec<u8>, times in 1usize..200) {
            let plain = plain.repeat(times);
            prop_assert_eq!(decompress(&compress(&plain)).unwrap(), plain);
        }

        #[test]
        fn reading_anything_never_panics(method in 0u8..4, bytes: Vec<u8>) {
            let block = [&[method, DICTIONARY_NEWEST], &*bytes].concat();
            prop_assert!(decompress(&block).map_or(0, |plain| plain.len()) <= BLOCK_BYTES_MAX);
        }
    }
}
