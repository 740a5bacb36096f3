//! XLSX: what its reader keeps, counted before the file is opened.
//!
//! Rows are streamed. Kept are the texts that cells share, styles, names and merged cells: some are far
//! larger in memory than in the file, and one style or name may be copied into many. And one cell or
//! shared text is joined from all its pieces, however many. So the tags of every part are walked once
//! here, and a part that a sheet is read from has to have a name by which it is walked.

use calamine::Style;
use quick_xml::events::{BytesStart, Event};

use super::guard::{PIECE_BYTES_MAX, bomb, digits, each_attribute};
use super::{HELD_BYTES_MAX, SheetError, TEXT_OVERHEAD};

/// Bytes of a text without its letters.
const TEXT_BYTES: u64 = size_of::<String>() as u64;
/// Bytes of a style without its texts; a list that grows has an old place and a new one of twice the size.
const STYLE_BYTES: u64 = 3 * (size_of::<Style>() as u64 + 8);
/// Bytes of a font, a name, a merged cell or one end of a relation without their texts, at most.
const SMALL_BYTES: u64 = 256;
/// Bytes of the tag that says where a part lies: the name of each sheet is joined from two of them.
const RELATION_BYTES_MAX: usize = 4 << 10;

/// What the parts keep, as far as they were seen.
#[derive(Debug, Default)]
pub(super) struct Parts {
    held: u64,
    /// Shared texts for which room is counted.
    room: u64,
    /// Bytes of the longest tag of this part.
    longest: u64,
    /// The newest cell, shared text or name.
    open: Option<Open>,
}

/// What is joined from its pieces.
#[derive(Debug)]
struct Open {
    /// How its tag is called: that one ends it.
    name: String,
    start: u64,
    /// Its text is kept; a cell's is given away with its row.
    is_kept: bool,
}

impl Parts {
    /// Another part begins.
    pub(super) fn next(&mut self) {
        (self.room, self.longest, self.open) = (0, 0, None);
    }

    /// Counts what comes next and ends so many bytes behind the start of the part.
    ///
    /// # Errors
    /// [`SheetError::Large`] once all takes more than is held, [`SheetError::Altered`] of what no program
    /// writes.
    pub(super) fn see(&mut self, event: &Event<'_>, at: u64) -> Result<(), SheetError> {
        match event {
            Event::Start(tag) => {
                self.begin(tag)?;
                let name = tag.local_name();
                if self.open.is_none() && ["c", "si", "definedName"].contains(&name.as_ref()) {
                    let (whole, is_kept) = (tag.name().as_ref().to_owned(), name.as_ref() != "c");
                    self.open = Some(Open { name: whole, start: at, is_kept });
                }
            }
            Event::Empty(tag) => self.begin(tag)?,
            Event::End(tag) if self.is_open(tag.name().as_ref()) => self.open = None,
            Event::Text(text) => self.grow(text.len()),
            Event::CData(text) => self.grow(text.len()),
            Event::GeneralRef(name) => self.grow(name.len()),
            Event::End(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_)
            | Event::Eof => {}
        }
        if self.open.as_ref().is_some_and(|it| at - it.start > PIECE_BYTES_MAX as u64) {
            return Err(bomb("a cell has no end"));
        }
        if self.held > HELD_BYTES_MAX { Err(SheetError::held()) } else { Ok(()) }
    }

    fn is_open(&self, name: &str) -> bool {
        self.open.as_ref().is_some_and(|it| it.name == name)
    }

    fn grow(&mut self, bytes: usize) {
        if self.open.as_ref().is_some_and(|it| it.is_kept) {
            self.add(2 * bytes as u64);
        }
    }

    fn add(&mut self, bytes: u64) {
        self.held = self.held.saturating_add(bytes);
    }

    fn begin(&mut self, tag: &BytesStart<'_>) -> Result<(), SheetError> {
        let bytes = tag.len() as u64;
        self.longest = self.longest.max(bytes);
        match tag.local_name().as_ref() {
            "sst" => self.reserve(tag)?,
            "si" => {
                // A list that grows beyond what it was said to hold.
                let place = if self.room > 0 { 0 } else { 3 * TEXT_BYTES };
                self.room = self.room.saturating_sub(1);
                self.add(place + TEXT_OVERHEAD);
            }
            "xf" => self.add(STYLE_BYTES + 2 * self.longest + 2 * TEXT_OVERHEAD),
            "Relationship" => {
                relation(tag)?;
                self.add(SMALL_BYTES + 2 * bytes);
            }
            "sheet" => self.add(SMALL_BYTES + 2 * bytes + 2 * RELATION_BYTES_MAX as u64),
            "font" | "fill" | "border" | "name" | "numFmt" | "definedName" | "mergeCell" => {
                self.add(SMALL_BYTES + 2 * bytes);
            }
            _ => {}
        }
        Ok(())
    }

    /// How many shared texts there are is a claim, for which room is made.
    fn reserve(&mut self, tag: &BytesStart<'_>) -> Result<(), SheetError> {
        each_attribute(tag, &mut |name, value| {
            if name == "uniqueCount" {
                self.room = self.room.max(digits(value));
            }
        })?;
        self.add(self.room.saturating_mul(TEXT_BYTES));
        Ok(())
    }
}

/// Where a sheet or the workbook lies: in a part of XML, as all that is walked here.
fn relation(tag: &BytesStart<'_>) -> Result<(), SheetError> {
    let (mut is_read, mut is_xml) = (false, true);
    each_attribute(tag, &mut |name, value| match name {
        "Type" => is_read |= value.ends_with("sheet") || value.ends_with("officeDocument"),
        "Target" => is_xml &= value.to_ascii_lowercase().ends_with(".xml"),
        _ => {}
    })?;
    if is_read && (!is_xml || tag.len() > RELATION_BYTES_MAX) {
        return Err(SheetError::unreadable(&"a sheet lies in no part of XML"));
    }
    Ok(())
}
