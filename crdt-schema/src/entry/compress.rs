//! Blocks of entries, compressed: one byte that names the method, the plain length, the bytes.
//!
//! Dictionaries are numbered and never changed: a block says which one it needs, and every build
//! carries all that were ever published.

use std::cell::RefCell;

use zstd::bulk::{Compressor, Decompressor};

use crate::codec::{DecodeError, Reader, Writer};

/// Plain bytes of one block: 64 entries with every list and section full.
pub(super) const BLOCK_BYTES_MAX: usize = 64 * (16 * 1024 + 3 * 1024);

/// The newest dictionary this build knows; 0 means none is used.
pub const DICTIONARY_NEWEST: u8 = 0;

const RAW: u8 = 0;
const ZSTD: u8 = 1;
const LEVEL: i32 = 3;

thread_local! {
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// The shorter of the plain and the compressed form.
pub(super) fn compress(plain: &[u8]) -> Vec<u8> {
    let squeezed = COMPRESSOR.with_borrow_mut(|slot| squeeze(slot, plain));
    match squeezed {
        Some(squeezed) if squeezed.len() + 2 < plain.len() => {
            Writer::new().u8(ZSTD).varint(plain.len() as u64).raw(&squeezed).finish()
        }
        _ => Writer::new().u8(RAW).raw(plain).finish(),
    }
}

/// Undoes [`compress`]; never reserves more than [`BLOCK_BYTES_MAX`].
pub(super) fn decompress(bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut reader = Reader::new(bytes);
    match reader.u8()? {
        RAW if reader.remaining() <= BLOCK_BYTES_MAX => Ok(reader.rest().to_vec()),
        RAW => Err(DecodeError::TooLarge("block")),
        ZSTD => {
            let length = usize::try_from(reader.varint()?).unwrap_or(usize::MAX);
            if length > BLOCK_BYTES_MAX {
                return Err(DecodeError::TooLarge("block"));
            }
            let squeezed = reader.rest();
            DECOMPRESSOR.with_borrow_mut(|slot| expand(slot, squeezed, length))
        }
        _ => Err(DecodeError::Unknown("compression")),
    }
}

/// `None` when no compressor could be had: the caller then keeps the plain form.
fn squeeze(slot: &mut Option<Compressor<'static>>, plain: &[u8]) -> Option<Vec<u8>> {
    if slot.is_none() {
        *slot = Compressor::new(LEVEL).ok();
    }
    slot.as_mut()?.compress(plain).ok()
}

fn expand(
    slot: &mut Option<Decompressor<'static>>,
    squeezed: &[u8],
    length: usize,
) -> Result<Vec<u8>, DecodeError> {
    if slot.is_none() {
        *slot = Decompressor::new().ok();
    }
    let decompressor = slot.as_mut().ok_or(DecodeError::Malformed("compressed block"))?;
    let plain = decompressor
        .decompress(squeezed, length)
        .map_err(|_| DecodeError::Malformed("compressed block"))?;
    if plain.len() == length { Ok(plain) } else { Err(DecodeError::Malformed("compressed block")) }
}
