//! Bytes of a text file as letters: UTF-8, UTF-16, Windows-1252, or two of these in one file.
//!
//! A list put together from those of several offices may hold UTF-8 and Windows-1252 side by side.
//! Read whole as either, every other letter of the kind "é" would be spoiled and nobody told. So in
//! such a file each letter is read by itself: what is one in UTF-8 is that, any other byte is one of
//! Windows-1252. Which cells hold the rarer of the two is told with them, for they were guessed.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::ControlFlow;

use encoding_rs::{CoderResult, Encoding, UTF_8, WINDOWS_1252};

use super::SheetError;

/// Bytes read at once.
const CHUNK_BYTES: usize = 64 << 10;
/// Bytes of the longest letter in UTF-8.
const LETTER_BYTES_MAX: usize = 4;

/// How the letters of a text file are written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Letters {
    /// All in one way.
    Of(&'static Encoding),
    /// In UTF-8 and in Windows-1252.
    Mixed(Rarer),
}

/// The rarer way of the two in one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rarer {
    /// Bytes that are no UTF-8.
    Windows,
    /// Letters of UTF-8 beyond ASCII.
    Utf8,
}

/// Takes the next piece of text, and whether it is written in the rarer way.
pub(super) type Push<'a> = &'a mut dyn FnMut(&str, bool) -> Result<ControlFlow<()>, SheetError>;

/// Takes the next piece of a file, and whether it is the last.
type Take<'a> = &'a mut dyn FnMut(&[u8], bool) -> Result<ControlFlow<()>, SheetError>;

impl Letters {
    /// Finds out by reading the whole file behind its mark once. A file that says of itself that it
    /// is UTF-8 is not taken for Windows-1252, whatever it holds.
    pub(super) fn find(file: &mut File, is_marked: bool, mark: u64) -> Result<Self, SheetError> {
        let census = Census::of(file, mark)?;
        let is_utf8 = is_marked || census.letters > 0;
        Ok(if census.strays == 0 && (is_utf8 || !census.is_cut) {
            // Cut within a letter, which reading to the end finds.
            Self::Of(UTF_8)
        } else if !is_utf8 {
            Self::Of(WINDOWS_1252)
        } else if is_marked || census.letters >= census.strays {
            Self::Mixed(Rarer::Windows)
        } else {
            Self::Mixed(Rarer::Utf8)
        })
    }

    /// The first bytes as text, whatever became of their end.
    pub(super) fn shown(self, first: &[u8]) -> String {
        let encoding = match self {
            Self::Of(encoding) => encoding,
            Self::Mixed(_) => UTF_8,
        };
        encoding.decode_without_bom_handling(first).0.into_owned()
    }

    /// The file behind its mark as UTF-8, piece by piece.
    ///
    /// # Errors
    /// [`SheetError::Truncated`] where it ends within a letter, those of `push`, and of the disk.
    pub(super) fn decode(
        self,
        file: &mut File,
        mark: u64,
        push: Push<'_>,
    ) -> Result<ControlFlow<()>, SheetError> {
        match self {
            Self::Of(encoding) => decode(encoding, file, mark, push),
            Self::Mixed(rarer) => decode_mixed(rarer, file, mark, push),
        }
    }
}

fn decode(
    encoding: &'static Encoding,
    file: &mut File,
    mark: u64,
    push: Push<'_>,
) -> Result<ControlFlow<()>, SheetError> {
    file.seek(SeekFrom::Start(mark)).map_err(SheetError::read)?;
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut bytes = vec![0; CHUNK_BYTES];
    let mut text = String::with_capacity(CHUNK_BYTES * 3 + 16);
    loop {
        let count = file.read(&mut bytes).map_err(SheetError::read)?;
        let mut rest = bytes.get(..count).unwrap_or_default();
        loop {
            let (result, read, replaced) = decoder.decode_to_string(rest, &mut text, count == 0);
            if count == 0 && replaced && encoding != WINDOWS_1252 {
                return Err(SheetError::Truncated);
            }
            rest = rest.get(read..).unwrap_or_default();
            if push(&text, false)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            text.clear();
            if result == CoderResult::InputEmpty {
                break;
            }
        }
        if count == 0 {
            return Ok(ControlFlow::Continue(()));
        }
    }
}

fn decode_mixed(
    rarer: Rarer,
    file: &mut File,
    mark: u64,
    push: Push<'_>,
) -> Result<ControlFlow<()>, SheetError> {
    pieces(file, mark, &mut |piece, _| {
        for chunk in piece.utf8_chunks() {
            for (run, is_ascii) in runs(chunk.valid()) {
                if push(run, rarer == Rarer::Utf8 && !is_ascii)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            let (stray, _) = WINDOWS_1252.decode_without_bom_handling(chunk.invalid());
            if !stray.is_empty() && push(&stray, rarer == Rarer::Windows)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    })
}

/// The text in runs that are ASCII, or hold none of it.
fn runs(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let is_ascii = rest.chars().next()?.is_ascii();
        let end = rest.find(|letter: char| letter.is_ascii() != is_ascii).unwrap_or(rest.len());
        let (run, behind) = rest.split_at(end);
        rest = behind;
        Some((run, is_ascii))
    })
}

/// What a file holds beyond ASCII.
#[derive(Debug, Default)]
struct Census {
    /// Letters that are UTF-8.
    letters: u64,
    /// Bytes that are not.
    strays: u64,
    /// The file ends within a letter.
    is_cut: bool,
}

impl Census {
    fn of(file: &mut File, mark: u64) -> Result<Self, SheetError> {
        let mut census = Self::default();
        let whole = pieces(file, mark, &mut |piece, is_last| {
            if is_last {
                census.is_cut = !piece.is_empty();
            } else if !piece.is_ascii() {
                for chunk in piece.utf8_chunks() {
                    let letters = chunk.valid().chars().filter(|letter| !letter.is_ascii());
                    census.letters += letters.count() as u64;
                    census.strays += chunk.invalid().len() as u64;
                }
            }
            Ok(ControlFlow::Continue(()))
        });
        whole.map(|_continued| census)
    }
}

/// Gives the file in pieces that end where a letter of UTF-8 may end; the last one is empty, or what
/// there is of a letter that the file does not hold whole.
fn pieces(file: &mut File, mark: u64, take: Take<'_>) -> Result<ControlFlow<()>, SheetError> {
    file.seek(SeekFrom::Start(mark)).map_err(SheetError::read)?;
    let mut bytes = vec![0; CHUNK_BYTES];
    let mut kept = 0;
    loop {
        let free = bytes.get_mut(kept..).unwrap_or_default();
        let count = file.read(free).map_err(SheetError::read)?;
        let filled = kept + count;
        let piece = bytes.get(..filled).unwrap_or_default();
        let whole = if count == 0 { filled } else { filled - unfinished(piece) };
        let flow = take(piece.get(..whole).unwrap_or_default(), count == 0)?;
        if count == 0 || flow.is_break() {
            return Ok(flow);
        }
        bytes.copy_within(whole..filled, 0);
        kept = filled - whole;
    }
}

/// Bytes at the end that begin a letter and do not end it.
fn unfinished(piece: &[u8]) -> usize {
    let begins = |count: &usize| {
        let end = piece.len().checked_sub(*count).and_then(|from| piece.get(from..));
        let error = end.and_then(|end| std::str::from_utf8(end).err());
        error.is_some_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
    };
    (1..LETTER_BYTES_MAX).find(begins).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_letter_that_is_not_there_whole_is_unfinished() {
        for (bytes, count) in [
            (&b"a"[..], 0),
            ("é".as_bytes(), 0),
            (b"a\xc3", 1),
            (b"a\xe2\x82", 2),
            (b"\xf0\x9f\x91", 3),
            (b"\xe9a", 0),
            (b"a\xff", 0),
            (b"", 0),
        ] {
            assert_eq!(unfinished(bytes), count, "{bytes:?}");
        }
    }
}
