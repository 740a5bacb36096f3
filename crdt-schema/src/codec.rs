//! Canonical, bounded bytes: the one reader and writer every format of this crate uses.
//!
//! Integers have one encoding only (shortest LEB128), lengths are checked against the bytes at
//! hand before anything is reserved, and nothing is left over at the end. What the bytes mean
//! stands with each format.

use thiserror::Error;

/// Why foreign bytes were refused. None of these carries the bytes themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes end inside a value.
    #[error("the bytes end too early")]
    Truncated,
    /// Bytes follow where the value should have ended.
    #[error("bytes are left over")]
    TrailingBytes,
    /// An integer or an order that has a shorter or other canonical form.
    #[error("not in canonical form: {0}")]
    NotCanonical(&'static str),
    /// A length or count beyond its stated limit.
    #[error("beyond the limit of {0}")]
    TooLarge(&'static str),
    /// A tag, code or version this build does not know.
    #[error("unknown {0}")]
    Unknown(&'static str),
    /// Text that is not UTF-8, a key that is no key, a code that is no code.
    #[error("malformed {0}")]
    Malformed(&'static str),
}

/// Appends canonical values to a byte vector.
#[derive(Debug, Default, Clone)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// An empty writer.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty writer with room for `bytes`.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes) }
    }

    /// One byte.
    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes.push(value);
        self
    }

    /// Two bytes, big-endian.
    pub fn u16(&mut self, value: u16) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    /// Four bytes, big-endian.
    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    /// Eight bytes, big-endian.
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    /// Unsigned LEB128 in its shortest form: 1 to 10 bytes.
    pub fn varint(&mut self, mut value: u64) -> &mut Self {
        loop {
            let low = (value & 0x7f) as u8;
            value >>= 7;
            if value == 0 {
                self.bytes.push(low);
                return self;
            }
            self.bytes.push(low | 0x80);
        }
    }

    /// A signed integer, zigzag then [`Writer::varint`].
    pub fn varint_signed(&mut self, value: i64) -> &mut Self {
        self.varint(zigzag(value))
    }

    /// Bytes as they are, without a length.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// A varint length, then the bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.varint(bytes.len() as u64).raw(bytes)
    }

    /// Bytes written so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The bytes, leaving the writer empty.
    pub fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }
}

/// Takes canonical values from the front of foreign bytes.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads from the front of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Bytes not yet read.
    pub const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Everything not yet read; the reader is then at its end.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// Exactly `length` bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] when fewer are left.
    pub fn raw(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    /// Exactly `N` bytes as an array.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] when fewer are left.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] at the end.
    pub fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    /// Two bytes, big-endian.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] at the end.
    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    /// Four bytes, big-endian.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] at the end.
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// Eight bytes, big-endian.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] at the end.
    pub fn u64(&mut self) -> Result<u64, DecodeError> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// Unsigned LEB128, shortest form only.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] at the end, [`DecodeError::NotCanonical`] when a shorter form
    /// exists or the value exceeds 64 bits.
    pub fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let low = u64::from(byte & 0x7f);
            if shift == 63 && low > 1 {
                return Err(DecodeError::NotCanonical("integer"));
            }
            value |= low << shift;
            if byte & 0x80 == 0 {
                let shortest = byte != 0 || shift == 0;
                return if shortest {
                    Ok(value)
                } else {
                    Err(DecodeError::NotCanonical("integer"))
                };
            }
        }
        Err(DecodeError::NotCanonical("integer"))
    }

    /// A signed integer as [`Writer::varint_signed`] wrote it.
    ///
    /// # Errors
    /// As [`Reader::varint`].
    pub fn varint_signed(&mut self) -> Result<i64, DecodeError> {
        Ok(unzigzag(self.varint()?))
    }

    /// A varint that counts something: at most `max`, and at most one per byte still unread, so
    /// that a claimed count never reserves more than the bytes at hand could hold.
    ///
    /// # Errors
    /// As [`Reader::varint`], or [`DecodeError::TooLarge`] naming `what`.
    pub fn count(&mut self, max: usize, what: &'static str) -> Result<usize, DecodeError> {
        let count = usize::try_from(self.varint()?).map_err(|_| DecodeError::TooLarge(what))?;
        if count > max {
            return Err(DecodeError::TooLarge(what));
        }
        if count > self.remaining() { Err(DecodeError::Truncated) } else { Ok(count) }
    }

    /// A varint length of at most `max`, then that many bytes.
    ///
    /// # Errors
    /// As [`Reader::count`], naming `what`.
    pub fn bytes(&mut self, max: usize, what: &'static str) -> Result<&'a [u8], DecodeError> {
        let length = self.count(max, what)?;
        self.raw(length)
    }

    /// UTF-8 text with a varint length of at most `max` bytes.
    ///
    /// # Errors
    /// As [`Reader::bytes`], or [`DecodeError::Malformed`] when it is not UTF-8.
    pub fn text(&mut self, max: usize, what: &'static str) -> Result<&'a str, DecodeError> {
        std::str::from_utf8(self.bytes(max, what)?).map_err(|_| DecodeError::Malformed(what))
    }

    /// Proves that everything was read.
    ///
    /// # Errors
    /// [`DecodeError::TrailingBytes`] when something is left.
    pub const fn end(&self) -> Result<(), DecodeError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DecodeError::TrailingBytes) }
    }
}

/// Small magnitudes of either sign become small unsigned numbers.
#[expect(clippy::cast_sign_loss, reason = "zigzag is a bijection between the two bit patterns")]
const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

#[expect(clippy::cast_possible_wrap, reason = "zigzag is a bijection between the two bit patterns")]
const fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_longer_form_of_an_integer_is_refused() {
        for bytes in [&[0x80, 0x00][..], &[0xff; 10], &[0x81, 0x80, 0x00]] {
            assert_eq!(Reader::new(bytes).varint(), Err(DecodeError::NotCanonical("integer")));
        }
    }

    #[test]
    fn a_claimed_count_never_exceeds_the_bytes_at_hand() {
        let bytes = Writer::new().varint(1_000_000).raw(&[1, 2, 3]).finish();
        let refused = Reader::new(&bytes).bytes(usize::MAX, "test");
        assert_eq!(refused, Err(DecodeError::Truncated));
    }

    proptest! {
        #[test]
        fn integers_come_back(unsigned: u64, signed: i64) {
            let bytes = Writer::new().varint(unsigned).varint_signed(signed).finish();
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.varint().unwrap(), unsigned);
            prop_assert_eq!(reader.varint_signed().unwrap(), signed);
            prop_assert!(reader.end().is_ok());
        }

        #[test]
        fn reading_anything_never_panics(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            while reader.remaining() > 0 && reader.bytes(1 << 20, "test").is_ok() {}
        }
    }
}
