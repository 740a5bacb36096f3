//! Spreadsheets in: what an office typed or exported becomes wishes for records.
//!
//! A sheet is foreign bytes: it may lie about its size, break off, or hold a million rows. So it
//! is looked over before it is opened, read as a stream, and read twice: once to plan every row
//! and once to write what was planned. Nothing here knows a node or a store; `node/sheet.rs` does.
//!
//! | file         | holds                                                                       |
//! |--------------|-----------------------------------------------------------------------------|
//! | `mod.rs`     | [`Row`], [`SheetError`], the limits of all formats                          |
//! | `book.rs`    | [`Book`]: an open file of any format, its sheets and their rows             |
//! | `guard.rs`   | XLSX and ODS: what a zip may unpack to, checked before it is opened         |
//! | `xlsx.rs`    | XLSX: what its reader keeps beside a row, counted before                    |
//! | `ods.rs`     | ODS: what its cells will take, counted before                               |
//! | `legacy.rs`  | XLS: the same                                                               |
//! | `compound.rs`| its container                                                               |
//! | `text.rs`    | CSV: separators, quotes                                                     |
//! | `decode.rs`  | its bytes as letters, whatever they are written in                          |
//! | `cell.rs`    | one cell as text for one field: dates, numbers, marks of spreadsheets       |
//! | `columns.rs` | the heading: which column means which field                                 |
//! | `titles.rs`  | what the titles of one kind mean                                            |
//! | `names.rs`   | what offices call the columns                                               |
//! | `asks.rs`    | one row as wishes, and what it identifies                                   |
//! | `keys.rs`    | by what a row finds its record, and what that proves                        |
//! | `matches.rs` | the records and earlier rows that keys find                                 |
//!
//! Of merged cells the first holds the value and the others are blank; blank never erases, so a
//! merged block changes one record, and a notice names it. Of formulas the value counts that was computed last.

mod asks;
mod book;
mod cell;
mod columns;
mod compound;
mod decode;
mod guard;
mod keys;
mod legacy;
mod matches;
mod names;
mod ods;
#[cfg(test)]
mod tests;
mod text;
mod titles;
mod xlsx;

use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use crate::reason::{self, Because};

use cell::Cell;
use crdt_schema::id::RecordId;
use crdt_schema::record::{Kind, Refusal};

pub(crate) use asks::{cell_notices, row_asks};
pub(crate) use book::{Book, Merged};
pub(crate) use columns::{ColumnMap, Heading, HeadingError, letters};
pub(crate) use keys::{Identity, Key, Proof, Says};
pub(crate) use matches::{Clash, Found, Known, Seen};

/// Bytes of a text file: a million rows of a thousand bytes.
const TEXT_BYTES_MAX: u64 = 1 << 30;
/// Bytes of a packed workbook, as it lies on the disk.
const PACKED_BYTES_MAX: u64 = 128 << 20;
/// Bytes that the reader of a workbook may hold of it at once, beside the file: an XLS or ODS of a million
/// cells with a short text each, or the texts that the cells of an XLSX share.
const HELD_BYTES_MAX: u64 = 256 << 20;
/// Bytes a text takes beside its letters, in an allocator's books.
const TEXT_OVERHEAD: u64 = 16;
/// Cells of one row: no form has so many columns, and a row must fit into memory.
const CELLS_PER_ROW_MAX: usize = 512;
/// Bytes of one cell: twice what Excel allows.
const CELL_BYTES_MAX: usize = 64 << 10;
/// Bytes of one row: a cell of a workbook may only say which text it holds, and the first rows are looked
/// at together.
const ROW_BYTES_MAX: usize = 1 << 20;

/// One row with anything in it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    /// Its number in the sheet, from 1, as spreadsheets show it.
    pub(crate) number: u64,
    /// From column A.
    pub(crate) cells: Vec<Cell>,
    /// Places of the cells with letters in another encoding than most of the file.
    pub(crate) guessed: Vec<usize>,
}

impl Row {
    /// One without cells.
    pub(crate) const fn empty(number: u64) -> Self {
        Self { number, cells: Vec::new(), guessed: Vec::new() }
    }

    /// Two rows with equal digests say the same: how the second reading knows the first.
    pub(crate) fn digest(&self) -> u64 {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.number.to_be_bytes());
        for cell in &self.cells {
            cell.feed(&mut hasher);
        }
        let mut first = [0; 8];
        hasher.finalize_xof().fill(&mut first);
        u64::from_be_bytes(first)
    }
}

/// Why a sheet cannot be read.
#[derive(Debug)]
pub(crate) enum SheetError {
    /// It holds nothing at all.
    Empty,
    /// No format we read.
    Foreign,
    /// It ends too early.
    Truncated,
    /// Its parts do not fit together.
    Altered(Because),
    /// A cell longer than any may be.
    CellLong {
        /// Letters of its column.
        column: String,
        /// Number of its row, as spreadsheets show it.
        row: u64,
    },
    /// Whole, and more than we take.
    Large(String),
    /// The disk.
    Io(io::Error),
}

impl SheetError {
    /// A part that whoever reads that format cannot read.
    fn unreadable(detail: &impl std::fmt::Display) -> Self {
        Self::Altered(Because::of(&reason::SHEET_UNREADABLE).with("detail", detail))
    }

    /// Parts that do not fit together.
    fn parts() -> Self {
        Self::Altered((&reason::SHEET_PARTS).into())
    }

    /// Whoever reads that format would hold too much of it.
    fn held() -> Self {
        Self::Large(format!("its cells would take more than {} MiB", HELD_BYTES_MAX >> 20))
    }

    /// More in a row than one may have.
    fn row_large(row: u64) -> Self {
        Self::Large(format!("row {row} has more than {ROW_BYTES_MAX} bytes"))
    }

    /// A failure while reading; one that only the bytes can be blamed for is the file's.
    fn read(error: io::Error) -> Self {
        let kind = error.kind();
        if kind == io::ErrorKind::UnexpectedEof {
            Self::Truncated
        } else if matches!(kind, io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) {
            Self::unreadable(&error)
        } else {
            Self::Io(error)
        }
    }
}

/// For tests with foreign bytes: goes with every sheet of a file as far as a dry run goes without a
/// node, whose records the rows before it stand for. How many rows there are, how many of them make a
/// record of `kind`, and what would be told of all; `None` where the file is refused.
#[doc(hidden)]
pub fn read_through(path: &Path, kind: &Kind) -> Option<[u64; 3]> {
    let mut book = Book::open(path).ok()?;
    for mut other in book.other_readings().ok()? {
        // What only another separator makes unreadable is no fault of the file.
        if let Ok(first) = other.first_rows(0) {
            drop(Heading::find(kind, &ColumnMap::default(), &first));
        }
    }
    let mut trial = Trial { identity: Identity::of(kind), ..Trial::default() };
    for sheet in 0..book.sheets() {
        let first = book.first_rows(sheet).ok()?;
        let Ok(heading) = Heading::find(kind, &ColumnMap::default(), &first) else { continue };
        let within = |it: &Merged| heading.means_within(it.columns.0, it.columns.1);
        let merged = book.merged(sheet).into_iter().filter(within);
        trial.told += merged.filter(|range| !range.name().is_empty()).count() as u64;
        trial.seen = Seen::default();
        let mut plan = |row: Row| {
            let is_below = row.number > heading.row && !Heading::is_numbering(&row);
            if is_below && row.digest() != 0 {
                trial.rows += 1;
                trial.records += u64::from(trial.row(kind, &heading, &row).is_ok_and(|it| it));
            }
            ControlFlow::Continue(())
        };
        book.rows(sheet, &mut plan).ok()?;
    }
    Some([trial.rows, trial.records, trial.told])
}

/// For tests with foreign bytes: the heading that a map of columns makes of a row with its titles. How
/// many columns mean something, none where there is no heading; `None` where the map is refused.
#[doc(hidden)]
pub fn map_through(text: &str, kind: &Kind) -> Option<usize> {
    let map = ColumnMap::parse(text).ok()?;
    let cells = map.titles().map(|title| Cell::Text(title.to_owned())).collect();
    let heading = Heading::find(kind, &map, &[Row { cells, ..Row::empty(1) }]);
    let fields = |heading: Heading| heading.columns.iter().map(|it| it.fields().count()).sum();
    Some(heading.map_or(0, fields))
}

/// A dry run without a node.
#[derive(Debug, Default)]
struct Trial {
    identity: Identity,
    known: Known,
    seen: Seen,
    rows: u64,
    records: u64,
    told: u64,
}

impl Trial {
    /// Whether a row makes a record.
    fn row(&mut self, kind: &Kind, heading: &Heading, row: &Row) -> Result<bool, Refusal> {
        let asks = row_asks(kind, heading, row)?;
        let says = self.identity.of_row(&asks)?;
        let keys = self.identity.keys(&says);
        let record = match self.known.find(&keys) {
            Found::None => None,
            Found::One(record, _) => Some(record),
            Found::Perhaps(_) | Found::Several => return Ok(false),
        };
        let is_namesake = self.known.has_namesake(&keys) || self.seen.has_namesake(&keys);
        if self.seen.clash(&keys, record).is_some() {
            return Ok(false);
        }
        let plan = kind.plan(None, &asks, None)?;
        let yielding = self.seen.yielding(&keys).len() + cell_notices(heading, row).len();
        self.told += (yielding + plan.notices.len()) as u64 + u64::from(is_namesake);
        let number = u32::try_from(self.rows).unwrap_or(u32::MAX);
        self.seen.add(&keys, record, number);
        let mut id = [0; RecordId::SIZE_BYTES];
        id.iter_mut().zip(self.rows.to_be_bytes()).for_each(|(place, byte)| *place = byte);
        self.known.add(&keys, record.unwrap_or(RecordId(id)));
        Ok(record.is_none())
    }
}
