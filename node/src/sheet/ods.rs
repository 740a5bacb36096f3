//! ODS: what its cells will take, counted before the file is opened.
//!
//! The format is read whole: first its rows as they stand in the file, then a block of them as wide as
//! the widest, each row in it as often as it says it stands. Cells say so too, and a text says how many
//! blanks it holds, so a kilobyte may ask for gigabytes. So the tags are walked once here as calamine
//! 0.38 walks them; what it would walk otherwise, a table or a cell inside another, is refused.

use calamine::Data;
use quick_xml::events::{BytesStart, Event};

use super::guard::{digits, each_attribute};
use super::{HELD_BYTES_MAX, SheetError, TEXT_OVERHEAD};

/// Bytes of a cell and of the formula beside it, which is there when it is empty too.
const VALUE_BYTES: u64 = size_of::<Data>() as u64;
const FORMULA_BYTES: u64 = size_of::<String>() as u64;
/// Bytes of one cell at most: as it was read, with the room a growing list keeps; and while the block
/// grows, its old place and a new one of twice the size.
const CELL_BYTES: u64 = 2 * (VALUE_BYTES + FORMULA_BYTES) + 3 * VALUE_BYTES;
/// Bytes of one row beside its cells: where it begins, how often it stands, while those lists grow.
const LINE_BYTES: u64 = 6 * size_of::<usize>() as u64;
/// Copies of a text at once: the block, and the rows before it or the sheet taken out of it.
const TEXT_COPIES: u64 = 2;

/// The tables of a content, as far as they were seen.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// Bytes of those before.
    before: u64,
    table: Table,
    is_in_table: bool,
    row: Option<Row>,
    cell: Option<Cell>,
}

/// One table.
#[derive(Debug, Default)]
struct Table {
    /// Rows in the file.
    lines: u64,
    /// Their cells.
    cells: u64,
    /// Rows of the block.
    rows: u64,
    /// Its columns.
    columns: u64,
    /// Bytes of its texts.
    text: u64,
    /// Blank rows since the last that is not blank: they are kept once another of these comes.
    blank_rows: u64,
}

/// One row of the file.
#[derive(Debug)]
struct Row {
    repeats: u64,
    /// Cells that are kept: a last one that is blank is not, however often it stands.
    cells: u64,
    /// Cells up to the last that is not blank.
    columns: u64,
    /// How often the newest cell stands, if it is blank.
    blanks: u64,
    /// Bytes of the texts.
    text: u64,
}

/// One cell of the file.
#[derive(Debug)]
struct Cell {
    repeats: u64,
    has_value: bool,
    /// Bytes of its text.
    text: u64,
}

impl Tables {
    /// Counts what comes next.
    ///
    /// # Errors
    /// [`SheetError::Large`] once all takes more than is held, [`SheetError::Altered`] of a table, row or
    /// cell inside another.
    pub(super) fn see(&mut self, event: &Event<'_>) -> Result<(), SheetError> {
        match event {
            Event::Start(tag) => self.begin(tag),
            Event::Empty(tag) => {
                self.begin(tag)?;
                self.end(tag.name().as_ref())
            }
            Event::End(tag) => self.end(tag.name().as_ref()),
            Event::Text(text) => {
                self.grow(text.len() as u64);
                Ok(())
            }
            Event::GeneralRef(name) => {
                self.grow(name.len() as u64);
                Ok(())
            }
            Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_)
            | Event::Eof => Ok(()),
        }
    }

    fn begin(&mut self, tag: &BytesStart<'_>) -> Result<(), SheetError> {
        match tag.name().as_ref() {
            "table:table" if self.is_in_table => return Err(nested()),
            "table:table" => self.is_in_table = true,
            "table:table-row" if self.row.is_some() => return Err(nested()),
            "table:table-row" => {
                self.row = Some(Row::new(number(tag, "table:number-rows-repeated")?));
            }
            "table:table-cell" | "table:covered-table-cell" if self.cell.is_some() => {
                return Err(nested());
            }
            "table:table-cell" | "table:covered-table-cell" => self.cell = Some(Cell::read(tag)?),
            "text:s" => self.grow(number(tag, "text:c")?),
            "text:p" | "text:tab" | "text:line-break" => self.grow(1),
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, name: &str) -> Result<(), SheetError> {
        match name {
            "table:table" => {
                self.is_in_table = false;
                let table = std::mem::take(&mut self.table);
                self.before = self.before.saturating_add(table.bytes());
            }
            "table:table-row" => {
                if let Some(row) = self.row.take() {
                    self.table.add(&row);
                }
            }
            "table:table-cell" | "table:covered-table-cell" => {
                if let Some((cell, row)) = self.cell.take().zip(self.row.as_mut()) {
                    row.add(&cell);
                }
            }
            _ => return Ok(()),
        }
        let held = self.before.saturating_add(self.table.bytes());
        if held > HELD_BYTES_MAX { Err(SheetError::held()) } else { Ok(()) }
    }

    const fn grow(&mut self, bytes: u64) {
        if let Some(cell) = &mut self.cell {
            cell.text = cell.text.saturating_add(bytes);
        }
    }
}

impl Table {
    fn add(&mut self, row: &Row) {
        self.lines += 1;
        self.cells = self.cells.saturating_add(row.cells);
        if row.columns == 0 {
            self.blank_rows = self.blank_rows.saturating_add(row.repeats);
            return;
        }
        // Those before the first row of the block are not kept.
        let blank_rows = std::mem::take(&mut self.blank_rows);
        let before = if self.rows > 0 { blank_rows } else { 0 };
        self.rows = self.rows.saturating_add(before).saturating_add(row.repeats);
        self.columns = self.columns.max(row.columns);
        self.text = self.text.saturating_add(row.repeats.saturating_mul(row.text));
    }

    /// What it takes at most, while it is read and after.
    fn bytes(&self) -> u64 {
        let cells = self.cells.max(self.rows.saturating_mul(self.columns));
        let lines = self.lines.saturating_mul(LINE_BYTES);
        let text = self.text.saturating_mul(TEXT_COPIES);
        cells.saturating_mul(CELL_BYTES).saturating_add(lines).saturating_add(text)
    }
}

impl Row {
    const fn new(repeats: u64) -> Self {
        Self { repeats, cells: 0, columns: 0, blanks: 0, text: 0 }
    }

    fn add(&mut self, cell: &Cell) {
        self.cells = self.cells.saturating_add(std::mem::take(&mut self.blanks));
        if !cell.has_value {
            self.blanks = cell.repeats;
            return;
        }
        self.cells = self.cells.saturating_add(cell.repeats);
        self.columns = self.cells;
        if cell.text > 0 {
            let text = cell.text.saturating_add(TEXT_OVERHEAD);
            self.text = self.text.saturating_add(cell.repeats.saturating_mul(text));
        }
    }
}

impl Cell {
    fn read(tag: &BytesStart<'_>) -> Result<Self, SheetError> {
        let mut cell = Self { repeats: 1, has_value: false, text: 0 };
        each_attribute(tag, &mut |name, value| match name {
            "table:number-columns-repeated" => cell.repeats = cell.repeats.max(digits(value)),
            "office:value-type" => cell.has_value |= value == "string",
            _ if name.starts_with("office:") || name == "table:formula" => {
                cell.has_value = true;
                cell.text += value.len() as u64;
            }
            _ => {}
        })?;
        Ok(cell)
    }
}

fn nested() -> SheetError {
    SheetError::unreadable(&"a table lies within another")
}

/// A number that an attribute says; without it, and of 0, it is 1.
fn number(tag: &BytesStart<'_>, name: &str) -> Result<u64, SheetError> {
    let mut said = 1;
    each_attribute(tag, &mut |known, value| {
        if known == name {
            said = said.max(digits(value));
        }
    })?;
    Ok(said)
}
