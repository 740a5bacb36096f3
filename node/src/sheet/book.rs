//! An open file of any format: its sheets, and the rows of one of them as a stream.
//!
//! Which format it is the first bytes say, never the name. XLSX is streamed; the older formats are
//! read whole, which their guards have bounded before.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::path::Path;

use calamine::{
    Data, DataRef, Dimensions, ExcelDateTime, Ods, Range, Reader, SheetVisible, Xls, Xlsx,
};
use crdt_schema::edit::Date;

use super::cell::{Epoch, serial_day};
use super::columns::HEADING_ROWS;
use super::guard::{self, Packed};
use super::text::TextForm;
use super::{
    CELL_BYTES_MAX, CELLS_PER_ROW_MAX, Cell, ROW_BYTES_MAX, Row, SheetError, legacy, letters,
};
use crate::reason::{self, Because};

/// First bytes of a zip.
const ZIP: &[u8] = b"PK\x03\x04";
/// First bytes of an old Office file.
const COMPOUND: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// A spreadsheet, open for reading as often as needed.
pub(crate) struct Book {
    form: Form,
    sheets: Vec<String>,
}

enum Form {
    Text(File, TextForm),
    Xlsx(Box<Xlsx<BufReader<File>>>, Epoch),
    /// By sheet; the formats that are read whole.
    Whole(Vec<Range<Data>>, Epoch, Vec<Vec<Merged>>),
}

/// Cells that a workbook shows as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Merged {
    /// First and last row, from 1.
    pub(crate) rows: (u64, u64),
    /// First and last column, from 0.
    pub(crate) columns: (usize, usize),
}

impl Merged {
    fn of(range: &Dimensions) -> Self {
        let column = |column: u32| usize::try_from(column).unwrap_or(usize::MAX);
        Self {
            rows: (u64::from(range.start.0) + 1, u64::from(range.end.0) + 1),
            columns: (column(range.start.1), column(range.end.1)),
        }
    }

    /// As spreadsheets name it: `B3:B6`.
    pub(crate) fn name(&self) -> String {
        let corner = |column, row| format!("{}{row}", letters(column));
        format!("{}:{}", corner(self.columns.0, self.rows.0), corner(self.columns.1, self.rows.1))
    }
}

impl std::fmt::Debug for Book {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Book").field("sheets", &self.sheets.len()).finish_non_exhaustive()
    }
}

impl Book {
    /// Opens a file after looking it over.
    ///
    /// # Errors
    /// [`SheetError`] when it is empty, no spreadsheet, cut, damaged, larger than we take, or the disk
    /// fails.
    pub(crate) fn open(path: &Path) -> Result<Self, SheetError> {
        // Asked before it is opened: who opens a pipe waits for somebody to write into it.
        if !std::fs::metadata(path).map_err(SheetError::Io)?.is_file() {
            return Err(SheetError::Foreign);
        }
        let mut file = File::open(path).map_err(SheetError::Io)?;
        let mut first = Vec::with_capacity(8);
        file.by_ref().take(8).read_to_end(&mut first).map_err(SheetError::Io)?;
        if first.is_empty() {
            return Err(SheetError::Empty);
        }
        if first.starts_with(ZIP) {
            match guard::look_over(&file)? {
                Packed::Xlsx => Self::xlsx(file),
                Packed::Ods => Self::ods(file),
            }
        } else if first.starts_with(COMPOUND) {
            Self::xls(file)
        } else {
            let form = TextForm::sniff(&mut file)?;
            Ok(Self { form: Form::Text(file, form), sheets: vec![String::new()] })
        }
    }

    /// How many sheets people see.
    pub(crate) const fn sheets(&self) -> usize {
        self.sheets.len()
    }

    /// Gives every row of a sheet that has anything in it to `take`, in their order, until that
    /// breaks.
    ///
    /// # Errors
    /// [`SheetError`] when the sheet cannot be read to its end.
    pub(crate) fn rows(
        &mut self,
        sheet: usize,
        take: &mut dyn FnMut(Row) -> ControlFlow<()>,
    ) -> Result<(), SheetError> {
        let name = self.sheets.get(sheet).map_or("", String::as_str);
        match &mut self.form {
            Form::Text(file, form) => form.read(file, take),
            Form::Xlsx(book, epoch) => xlsx_rows(book, name, *epoch, take),
            Form::Whole(ranges, epoch, _) => match ranges.get(sheet) {
                Some(range) => whole_rows(range, *epoch, take),
                None => Ok(()),
            },
        }
    }

    /// The rows among which the heading is looked for.
    ///
    /// # Errors
    /// [`SheetError`] when the sheet cannot be read so far.
    pub(crate) fn first_rows(&mut self, sheet: usize) -> Result<Vec<Row>, SheetError> {
        let mut first = Vec::with_capacity(HEADING_ROWS);
        let mut take = |row| {
            first.push(row);
            let is_more = first.len() < HEADING_ROWS;
            if is_more { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        self.rows(sheet, &mut take)?;
        Ok(first)
    }

    /// The merged cells of a sheet, where the format has them and they can be read: they are only
    /// told, and what stands in the cells was read without them.
    pub(crate) fn merged(&mut self, sheet: usize) -> Vec<Merged> {
        let name = self.sheets.get(sheet).map_or("", String::as_str);
        match &mut self.form {
            Form::Text(..) => Vec::new(),
            Form::Xlsx(book, _) => merged(|| book.merge_cells_by_sheet_name(name)),
            Form::Whole(_, _, merged) => merged.get(sheet).cloned().unwrap_or_default(),
        }
    }

    /// What separates the cells of a text file.
    pub(crate) const fn separator(&self) -> Option<char> {
        match &self.form {
            Form::Text(_, form) => Some(form.separator()),
            Form::Xlsx(..) | Form::Whole(..) => None,
        }
    }

    /// The same text file read with each other separator.
    pub(crate) fn other_readings(&self) -> io::Result<Vec<Self>> {
        let Form::Text(file, form) = &self.form else { return Ok(Vec::new()) };
        let other = |form: TextForm| {
            let form = Form::Text(file.try_clone()?, form);
            Ok(Self { form, sheets: self.sheets.clone() })
        };
        form.others().map(other).collect()
    }

    fn xlsx(mut file: File) -> Result<Self, SheetError> {
        file.seek(SeekFrom::Start(0)).map_err(SheetError::Io)?;
        let book: Xlsx<_> = guarded(|| Xlsx::new(BufReader::new(file)))?;
        let epoch = epoch(book.has_1904_epoch());
        let sheets = visible(book.sheets_metadata());
        Ok(Self { form: Form::Xlsx(Box::new(book), epoch), sheets })
    }

    fn ods(mut file: File) -> Result<Self, SheetError> {
        file.seek(SeekFrom::Start(0)).map_err(SheetError::Io)?;
        let mut book: Ods<_> = guarded(|| Ods::new(BufReader::new(file)))?;
        let sheets = visible(book.sheets_metadata());
        Self::whole(sheets, Epoch::Year1900, Vec::new(), |name| book.worksheet_range(name))
    }

    fn xls(mut file: File) -> Result<Self, SheetError> {
        let size = file.metadata().map_err(SheetError::Io)?.len();
        if size > legacy::XLS_BYTES_MAX {
            let what = format!("it has more than {} bytes", legacy::XLS_BYTES_MAX);
            return Err(SheetError::Large(what));
        }
        file.seek(SeekFrom::Start(0)).map_err(SheetError::Io)?;
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        file.take(legacy::XLS_BYTES_MAX).read_to_end(&mut bytes).map_err(SheetError::Io)?;
        legacy::look_over(&bytes)?;
        let mut book: Xls<_> = guarded(|| Xls::new(Cursor::new(bytes)))?;
        let epoch = epoch(book.has_1904_epoch());
        let sheets = visible(book.sheets_metadata());
        let joined = |name: &String| merged(|| book.merge_cells_by_sheet_name(name));
        let joined = sheets.iter().map(joined).collect();
        Self::whole(sheets, epoch, joined, |name| book.worksheet_range(name))
    }

    fn whole<E: std::fmt::Display>(
        sheets: Vec<String>,
        epoch: Epoch,
        merged: Vec<Vec<Merged>>,
        mut range: impl FnMut(&str) -> Result<Range<Data>, E>,
    ) -> Result<Self, SheetError> {
        let ranges = sheets.iter().map(|name| guarded(|| range(name)));
        let ranges = ranges.collect::<Result<Vec<_>, _>>()?;
        Ok(Self { form: Form::Whole(ranges, epoch, merged), sheets })
    }
}

const fn epoch(is_1904: bool) -> Epoch {
    if is_1904 { Epoch::Year1904 } else { Epoch::Year1900 }
}

/// Runs the library's reader. What it does with bytes it did not expect, even a panic, is the
/// file's fault and not the end of this node.
fn guarded<T, E: std::fmt::Display>(read: impl FnOnce() -> Result<T, E>) -> Result<T, SheetError> {
    match crate::guard::guarded(read) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(SheetError::unreadable(&error)),
        Err(_) => Err(SheetError::parts()),
    }
}

fn merged<E: std::fmt::Display>(read: impl FnOnce() -> Result<Vec<Dimensions>, E>) -> Vec<Merged> {
    guarded(read).unwrap_or_default().iter().map(Merged::of).collect()
}

fn visible(sheets: &[calamine::Sheet]) -> Vec<String> {
    let shown = sheets.iter().filter(|sheet| {
        sheet.visible == SheetVisible::Visible && sheet.typ == calamine::SheetType::WorkSheet
    });
    shown.map(|sheet| sheet.name.clone()).collect()
}

fn xlsx_rows(
    book: &mut Xlsx<BufReader<File>>,
    name: &str,
    epoch: Epoch,
    take: &mut dyn FnMut(Row) -> ControlFlow<()>,
) -> Result<(), SheetError> {
    let mut reader = guarded(|| book.worksheet_cells_reader(name))?;
    let (mut row, mut bytes) = (Row::empty(1), 0);
    while let Some(cell) = guarded(|| reader.next_cell())? {
        let (at, column) = cell.get_position();
        let number = u64::from(at) + 1;
        if number < row.number {
            let what = Because::of(&reason::SHEET_ROW_ORDER).with("row", number);
            return Err(SheetError::Altered(what.with("before", row.number)));
        }
        if number > row.number {
            bytes = 0;
            if finish(&mut row, number, take).is_break() {
                return Ok(());
            }
        }
        put(&mut row, &mut bytes, column, streamed(cell.get_value(), epoch))?;
    }
    let next = row.number;
    let _last = finish(&mut row, next, take);
    Ok(())
}

/// Gives a row away unless it is blank, and begins the next.
fn finish(
    row: &mut Row,
    next: u64,
    take: &mut dyn FnMut(Row) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let done = std::mem::replace(row, Row::empty(next));
    if done.cells.iter().all(Cell::is_blank) { ControlFlow::Continue(()) } else { take(done) }
}

/// Puts a cell into a row whose texts have so many bytes.
fn put(row: &mut Row, bytes: &mut usize, column: u32, cell: Cell) -> Result<(), SheetError> {
    if cell == Cell::Blank {
        return Ok(());
    }
    let column = usize::try_from(column).unwrap_or(usize::MAX);
    if let Cell::Text(text) = &cell {
        if text.len() > CELL_BYTES_MAX {
            return Err(SheetError::CellLong { column: letters(column), row: row.number });
        }
        *bytes += text.len();
        if *bytes > ROW_BYTES_MAX {
            return Err(SheetError::row_large(row.number));
        }
    }
    if column >= CELLS_PER_ROW_MAX {
        let what = format!("row {} has more than {CELLS_PER_ROW_MAX} cells", row.number);
        return Err(SheetError::Large(what));
    }
    if row.cells.len() <= column {
        row.cells.resize(column + 1, Cell::Blank);
    }
    if let Some(place) = row.cells.get_mut(column) {
        *place = cell;
    }
    Ok(())
}

fn whole_rows(
    range: &Range<Data>,
    epoch: Epoch,
    take: &mut dyn FnMut(Row) -> ControlFlow<()>,
) -> Result<(), SheetError> {
    let Some((top, left)) = range.start() else { return Ok(()) };
    for (number, cells) in (u64::from(top) + 1..).zip(range.rows()) {
        let (mut row, mut bytes) = (Row::empty(number), 0);
        for (column, cell) in (left..).zip(cells) {
            put(&mut row, &mut bytes, column, held(cell, epoch))?;
        }
        if finish(&mut row, number, take).is_break() {
            return Ok(());
        }
    }
    Ok(())
}

fn streamed(value: &DataRef<'_>, epoch: Epoch) -> Cell {
    match value {
        DataRef::Empty => Cell::Blank,
        #[expect(clippy::cast_precision_loss, reason = "a spreadsheet's own numbers are no wider")]
        DataRef::Int(number) => Cell::Number(*number as f64, epoch),
        DataRef::Float(number) => Cell::Number(*number, epoch),
        DataRef::String(text) | DataRef::DurationIso(text) => text_cell(text),
        DataRef::SharedString(text) => text_cell(text),
        DataRef::Bool(truth) => Cell::Truth(*truth),
        DataRef::DateTime(day) => day_cell(day, epoch),
        DataRef::DateTimeIso(text) => iso_cell(text),
        DataRef::Error(_) => Cell::Broken,
    }
}

fn held(value: &Data, epoch: Epoch) -> Cell {
    match value {
        Data::Empty => Cell::Blank,
        #[expect(clippy::cast_precision_loss, reason = "a spreadsheet's own numbers are no wider")]
        Data::Int(number) => Cell::Number(*number as f64, epoch),
        Data::Float(number) => Cell::Number(*number, epoch),
        Data::String(text) | Data::DurationIso(text) => text_cell(text),
        Data::Bool(truth) => Cell::Truth(*truth),
        Data::DateTime(day) => day_cell(day, epoch),
        Data::DateTimeIso(text) => iso_cell(text),
        Data::Error(_) => Cell::Broken,
    }
}

/// A text; of one that is too long no more than shows it.
fn text_cell(text: &str) -> Cell {
    match text.len() {
        0 => Cell::Blank,
        1..=CELL_BYTES_MAX => Cell::Text(text.to_owned()),
        _ => Cell::Text(text.chars().take(CELL_BYTES_MAX + 1).collect()),
    }
}

/// A number shown as a date. One that is no day stays a number, for a column may be shown so and
/// hold something else.
fn day_cell(day: &ExcelDateTime, epoch: Epoch) -> Cell {
    let is_day = day.is_datetime();
    let found = is_day.then(|| serial_day(day.as_f64(), epoch)).flatten();
    found.map_or_else(|| Cell::Number(day.as_f64(), epoch), Cell::Day)
}

fn iso_cell(text: &str) -> Cell {
    let day = text.get(..10).and_then(|day| day.parse::<Date>().ok());
    day.map_or_else(|| text_cell(text), Cell::Day)
}
