//! What a zip may unpack to: looked over as a whole before anything in it is believed.
//!
//! XLSX and ODS are zips of XML. A directory may lie about sizes, so every part is unpacked once
//! and counted; a text without a tag may be endless, so pieces between tags are limited; some numbers
//! in the XML make a reader reserve or repeat, so those are held against the limits here; and the reader
//! of an ODS waits for ends of tags until they come, so there each has to have one.

use std::fs::File;
use std::io::{self, BufReader, Read};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;
use zip::result::ZipError;

use super::{PACKED_BYTES_MAX, SheetError};
use crate::reason::{self, Because};

/// Bytes all parts unpack to: a million rows of a dozen short cells.
const UNPACKED_BYTES_MAX: u64 = 512 << 20;
/// Bytes the shared strings unpack to: they are held in memory while the sheet is read.
const STRINGS_BYTES_MAX: u64 = 64 << 20;
/// Parts of a workbook.
const PARTS_MAX: usize = 4_096;
/// How many times a part may grow, once it is large: real sheets grow ten to fifty times.
const GROWTH_MAX: u64 = 400;
/// Bytes up to which growth does not matter: blank forms grow most and are small.
const GROWTH_FREE_BYTES: u64 = 16 << 20;
/// Bytes between two tags: several times the longest cell Excel allows.
const PIECE_BYTES_MAX: usize = 1 << 20;
/// Cells of all ODS sheets together, for that format is read whole: 50,000 rows of 80 columns.
const ODS_CELLS_MAX: u64 = 4_000_000;
/// Bytes of an ODS: it is read whole.
const ODS_BYTES_MAX: u64 = 128 << 20;

/// Which workbook a zip holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packed {
    Xlsx,
    Ods,
}

/// Unpacks every part once and says what the zip is.
pub(super) fn look_over(file: &File) -> Result<Packed, SheetError> {
    let size = file.metadata().map_err(SheetError::read)?.len();
    if size > PACKED_BYTES_MAX {
        return Err(SheetError::Large(format!("it has more than {PACKED_BYTES_MAX} bytes")));
    }
    let again = file.try_clone().map_err(SheetError::read)?;
    let mut zip = ZipArchive::new(BufReader::new(again)).map_err(no_zip)?;
    if zip.len() > PARTS_MAX {
        return Err(bomb("it has too many parts"));
    }
    if zip.has_overlapping_files().map_err(altered)? {
        return Err(bomb("its parts overlap"));
    }
    let packed = kind_of(&zip)?;
    let mut unpacked = 0_u64;
    let mut cells = 0;
    for at in 0..zip.len() {
        let part = zip.by_index(at).map_err(altered)?;
        let name = part.name().map_err(altered)?.to_ascii_lowercase();
        let (small, large) = (part.compressed_size(), part.size());
        if large > GROWTH_FREE_BYTES && large / small.max(1) > GROWTH_MAX {
            return Err(bomb("a part grows beyond all measure"));
        }
        let is_strings = name.ends_with("sharedstrings.xml");
        let is_content = packed == Packed::Ods && name == "content.xml";
        let limit = match (is_strings, is_content) {
            (true, _) => STRINGS_BYTES_MAX,
            (_, true) => ODS_BYTES_MAX,
            _ => UNPACKED_BYTES_MAX,
        };
        if large > limit || unpacked + large > UNPACKED_BYTES_MAX {
            return Err(SheetError::Large(format!("`{name}` unpacks to {large} bytes")));
        }
        let is_xml = [".xml", ".rels", ".vml"].iter().any(|end| name.ends_with(end));
        let mut counted = Counted { inner: part, left: large, gap: 0, is_xml, total: 0 };
        if is_strings {
            check_strings(&mut counted, large)?;
        } else if is_content {
            count_cells(&mut counted, &mut cells)?;
        }
        io::copy(&mut counted, &mut io::sink()).map_err(unpack)?;
        unpacked += counted.total;
    }
    Ok(packed)
}

fn kind_of(zip: &ZipArchive<BufReader<File>>) -> Result<Packed, SheetError> {
    let has = |end: &str| {
        zip.file_names_raw().any(|name| name.to_ascii_lowercase().ends_with(end.as_bytes()))
    };
    if has("workbook.xml") {
        Ok(Packed::Xlsx)
    } else if has("content.xml") {
        Ok(Packed::Ods)
    } else {
        Err(SheetError::Foreign)
    }
}

fn bomb(what: &str) -> SheetError {
    SheetError::Altered(Because::of(&reason::SHEET_BOMB).with("detail", what))
}

/// It begins as a zip; a zip keeps its directory at its end.
fn no_zip(error: ZipError) -> SheetError {
    if let ZipError::Io(error) = error
        && !is_of_the_bytes(&error)
    {
        return SheetError::Io(error);
    }
    SheetError::Truncated
}

fn altered(error: ZipError) -> SheetError {
    if let ZipError::Io(error) = error {
        return SheetError::read(error);
    }
    SheetError::unreadable(&error)
}

fn unpack(error: io::Error) -> SheetError {
    if is_of_the_bytes(&error) || error.kind() == io::ErrorKind::Other {
        SheetError::unreadable(&error)
    } else {
        SheetError::Io(error)
    }
}

fn is_of_the_bytes(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof
    )
}

/// A part being unpacked: no longer than its directory says, no text without end.
struct Counted<R> {
    inner: R,
    left: u64,
    /// Bytes since the last `<`.
    gap: usize,
    is_xml: bool,
    total: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(bytes)?;
        let taken = count as u64;
        self.total += taken;
        let Some(left) = self.left.checked_sub(taken) else {
            return Err(invalid("a part is longer than the directory says"));
        };
        self.left = left;
        if self.is_xml {
            for piece in
                bytes.get(..count).unwrap_or_default().split_inclusive(|byte| *byte == b'<')
            {
                self.gap += piece.len();
                if self.gap > PIECE_BYTES_MAX {
                    return Err(invalid("a cell has no end"));
                }
                if piece.ends_with(b"<") {
                    self.gap = 0;
                }
            }
        }
        Ok(count)
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// How many strings there are is a claim: each takes at least four bytes, `<si/`.
fn check_strings(part: &mut impl Read, bytes: u64) -> Result<(), SheetError> {
    each_tag(part, Ends::Any, &mut |tag, _| {
        for attribute in tag.attributes().with_checks(false).flatten() {
            if attribute.key.as_ref() == "uniqueCount" && digits(&attribute.value) > bytes / 4 {
                return Err(bomb("it claims more strings than it has bytes"));
            }
        }
        Ok(())
    })
}

/// Cells an ODS will take, repeated ones and the blanks before them counted.
fn count_cells(part: &mut impl Read, cells: &mut u64) -> Result<(), SheetError> {
    let (mut in_row, mut blanks, mut repeats, mut row_open) = (0_u64, 0_u64, 1_u64, false);
    each_tag(part, Ends::Every, &mut |tag, is_empty| {
        let name = tag.name();
        match name.as_ref() {
            "table:table-row" => {
                let rows = if row_open { in_row.max(1).saturating_mul(repeats) } else { 0 };
                // Rows that are repeated and blank are kept only before one that is not.
                *cells = cells.saturating_add(if in_row > 0 { rows } else { 1 });
                repeats = repeated(tag, "table:number-rows-repeated");
                (in_row, blanks, row_open) = (0, 0, true);
            }
            "table:table-cell" | "table:covered-table-cell" => {
                let count = repeated(tag, "table:number-columns-repeated");
                let mut said = tag.attributes();
                let has_value = !is_empty
                    || said.with_checks(false).flatten().any(|it| {
                        let key: &str = it.key.as_ref();
                        key.starts_with("office:") || key == "table:formula"
                    });
                if has_value {
                    in_row = in_row.saturating_add(blanks).saturating_add(count);
                    blanks = 0;
                } else {
                    blanks = blanks.saturating_add(count);
                }
            }
            _ => {}
        }
        if cells.saturating_add(in_row.saturating_mul(repeats)) > ODS_CELLS_MAX {
            return Err(SheetError::Large(format!("it has more than {ODS_CELLS_MAX} cells")));
        }
        Ok(())
    })
}

fn repeated(tag: &BytesStart<'_>, name: &str) -> u64 {
    let mut attributes = tag.attributes();
    let said = attributes.with_checks(false).flatten().filter(|it| it.key.as_ref() == name);
    said.map(|it| digits(&it.value)).max().unwrap_or(1).max(1)
}

/// All digits of a text as a number; too many are very many.
fn digits(text: &str) -> u64 {
    let only: String = text.chars().filter(char::is_ascii_digit).collect();
    only.parse().unwrap_or(if only.is_empty() { 0 } else { u64::MAX })
}

/// Which tags have to have an end of their name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    Any,
    Every,
}

/// Every opening tag, read by the same parser that will read the sheet.
fn each_tag(
    part: &mut impl Read,
    ends: Ends,
    see: &mut dyn FnMut(&BytesStart<'_>, bool) -> Result<(), SheetError>,
) -> Result<(), SheetError> {
    let mut xml = Reader::from_reader(BufReader::new(part));
    xml.config_mut().check_end_names = ends == Ends::Every;
    let (mut buffer, mut open) = (Vec::new(), 0_u64);
    loop {
        buffer.clear();
        match xml.read_event_into(&mut buffer) {
            Ok(Event::Start(tag)) => {
                open += 1;
                see(&tag, false)?;
            }
            Ok(Event::Empty(tag)) => see(&tag, true)?,
            Ok(Event::End(_)) => open = open.saturating_sub(1),
            Ok(Event::Eof) if open > 0 && ends == Ends::Every => {
                return Err(SheetError::unreadable(&"a tag has no end"));
            }
            Ok(Event::Eof) => return Ok(()),
            Ok(_) => {}
            Err(quick_xml::Error::Io(error)) => {
                return Err(unpack(io::Error::new(error.kind(), error.to_string())));
            }
            Err(error) => return Err(SheetError::unreadable(&error)),
        }
    }
}
