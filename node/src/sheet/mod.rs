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
//! | `legacy.rs`  | XLS: how much its cells will take, checked before it is opened              |
//! | `text.rs`    | CSV: separators, quotes                                                     |
//! | `decode.rs`  | its bytes as letters, whatever they are written in                          |
//! | `cell.rs`    | one cell as text for one field: dates, numbers, marks of spreadsheets       |
//! | `columns.rs` | the heading: which column means which field                                 |
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
mod decode;
mod guard;
mod keys;
mod legacy;
mod matches;
mod names;
#[cfg(test)]
mod tests;
mod text;

use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use crate::reason::{self, Because};

use cell::Cell;
use crdt_schema::record::Kind;

pub(crate) use asks::{cell_notices, row_asks};
pub(crate) use book::{Book, Merged};
pub(crate) use columns::{ColumnMap, HEADING_ROWS, Heading, HeadingError, letters};
pub(crate) use keys::{Identity, Key, Proof, Says};
pub(crate) use matches::{Clash, Found, Known, Seen};

/// Bytes of a text file: a million rows of a thousand bytes.
const TEXT_BYTES_MAX: u64 = 1 << 30;
/// Bytes of a packed workbook, as it lies on the disk.
const PACKED_BYTES_MAX: u64 = 128 << 20;
/// Cells of one row: no form has so many columns, and a row must fit into memory.
const CELLS_PER_ROW_MAX: usize = 512;
/// Bytes of one cell: twice what Excel allows.
const CELL_BYTES_MAX: usize = 64 << 10;

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

/// For tests with foreign bytes: reads every sheet of a file as an import would and plans each row
/// as a new record of `kind`. How many rows there are, and how many of them make a record; `None`
/// where the file is refused.
#[doc(hidden)]
pub fn read_through(path: &Path, kind: &Kind) -> Option<(u64, u64)> {
    let mut book = Book::open(path).ok()?;
    let identity = Identity::of(kind);
    let (mut rows, mut records) = (0, 0);
    for sheet in 0..book.sheets() {
        let mut first = Vec::new();
        let mut take = |row: Row| {
            first.push(row);
            if first.len() < HEADING_ROWS {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        };
        book.rows(sheet, &mut take).ok()?;
        let Ok(heading) = Heading::find(kind, &ColumnMap::default(), &first) else { continue };
        let mut plan = |row: Row| {
            rows += 1;
            let asks = row_asks(kind, &heading, &row);
            let asks = asks.and_then(|asks| identity.of_row(&asks).map(|says| (says, asks)));
            let planned = asks.and_then(|(says, asks)| {
                drop(identity.keys(&says));
                kind.plan(None, &asks, None).map(drop)
            });
            records += u64::from(planned.is_ok() && row.digest() != 0);
            ControlFlow::Continue(())
        };
        book.rows(sheet, &mut plan).ok()?;
    }
    Some((rows, records))
}
