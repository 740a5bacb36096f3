//! What a zip may unpack to: looked over as a whole before anything in it is believed.
//!
//! XLSX and ODS are zips of XML. A directory may lie about sizes, so every part is unpacked once
//! and counted; a text without a tag may be endless, so pieces between tags are limited; what a reader
//! would repeat, copy or join is counted by `xlsx.rs` and `ods.rs`; and a reader may wait for the end of
//! a tag until it comes, so each has to have one.

use std::fs::File;
use std::io::{self, BufReader, Read};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;
use zip::result::ZipError;

use super::ods::Tables;
use super::xlsx::Parts;
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
/// Bytes between two tags, and of one cell with all its tags: several times the longest Excel allows.
pub(super) const PIECE_BYTES_MAX: usize = 1 << 20;
/// Bytes that a parser may take for one piece, and read ahead of it.
const EVENT_BYTES_MAX: usize = 2 * PIECE_BYTES_MAX;
/// Bytes of an ODS: it is read whole.
const ODS_BYTES_MAX: u64 = 128 << 20;
/// Bytes of the list of its parts, which is read into one buffer: a thousand bytes a part.
const MANIFEST_BYTES_MAX: u64 = 4 << 20;

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
    let (mut tables, mut parts) = (Tables::default(), Parts::default());
    for at in 0..zip.len() {
        let part = zip.by_index(at).map_err(altered)?;
        let name = part.name().map_err(altered)?.to_ascii_lowercase();
        let (small, large) = (part.compressed_size(), part.size());
        if large > GROWTH_FREE_BYTES && large / small.max(1) > GROWTH_MAX {
            return Err(bomb("a part grows beyond all measure"));
        }
        let is_content = packed == Packed::Ods && name == "content.xml";
        let limit = match name.as_str() {
            _ if is_content => ODS_BYTES_MAX,
            "meta-inf/manifest.xml" => MANIFEST_BYTES_MAX,
            _ if name.ends_with("sharedstrings.xml") => STRINGS_BYTES_MAX,
            _ => UNPACKED_BYTES_MAX,
        };
        if large > limit || unpacked + large > UNPACKED_BYTES_MAX {
            return Err(SheetError::Large(format!("`{name}` unpacks to {large} bytes")));
        }
        let ends = |all: &[&str]| all.iter().any(|end| name.ends_with(end));
        let is_walked = packed == Packed::Xlsx && ends(&[".xml", ".rels"]);
        let is_xml = ends(&[".xml", ".rels", ".vml"]);
        let mut counted =
            Counted { inner: part, left: large, gap: 0, is_xml, event: None, total: 0 };
        if is_walked {
            parts.next();
            each_event(&mut counted, &mut |event, at| parts.see(event, at))?;
        } else if is_content {
            each_event(&mut counted, &mut |event, _| tables.see(event))?;
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

pub(super) fn bomb(what: &str) -> SheetError {
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
    /// Bytes since the last piece that a parser told of, where one reads: a comment, a quoted value or a
    /// CDATA may hold any `<`, and is held whole.
    event: Option<usize>,
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
        if let Some(event) = &mut self.event {
            *event += count;
            if *event > EVENT_BYTES_MAX {
                return Err(invalid("a piece has no end"));
            }
        }
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

/// Every attribute of a tag, by its name. One that is not well formed two readers might read in two ways.
pub(super) fn each_attribute(
    tag: &BytesStart<'_>,
    see: &mut dyn FnMut(&str, &str),
) -> Result<(), SheetError> {
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute.map_err(|error| SheetError::unreadable(&error))?;
        // A form feed is white space to the readers behind this one, and to this one a letter.
        see(attribute.key.as_ref().trim_ascii(), &attribute.value);
    }
    Ok(())
}

/// All digits of a text as a number; too many are very many.
pub(super) fn digits(text: &str) -> u64 {
    let only: String = text.chars().filter(char::is_ascii_digit).collect();
    only.parse().unwrap_or(if only.is_empty() { 0 } else { u64::MAX })
}

/// Every piece of a part and where it ends, read by the same parser that will read the sheet.
fn each_event(
    part: &mut Counted<impl Read>,
    see: &mut dyn FnMut(&Event<'_>, u64) -> Result<(), SheetError>,
) -> Result<(), SheetError> {
    part.event = Some(0);
    let mut xml = Reader::from_reader(BufReader::new(part));
    let (mut buffer, mut open) = (Vec::new(), 0_u64);
    loop {
        buffer.clear();
        let event = match xml.read_event_into(&mut buffer) {
            Ok(event) => event,
            Err(quick_xml::Error::Io(error)) => {
                return Err(unpack(io::Error::new(error.kind(), error.to_string())));
            }
            Err(error) => return Err(SheetError::unreadable(&error)),
        };
        match &event {
            Event::Start(_) => open += 1,
            Event::End(_) => open = open.saturating_sub(1),
            Event::Eof if open > 0 => return Err(SheetError::unreadable(&"a tag has no end")),
            Event::Eof => return Ok(()),
            Event::Empty(_)
            | Event::Text(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_)
            | Event::GeneralRef(_) => {}
        }
        see(&event, xml.buffer_position())?;
        xml.get_mut().get_mut().event = Some(0);
    }
}
