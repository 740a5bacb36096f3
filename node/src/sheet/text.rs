//! CSV as offices have it: any of four separators, UTF-8, UTF-16 or Windows-1252, titles above the
//! heading, quotes that were never closed.
//!
//! What its bytes mean `decode.rs` knows. Written out rather than taken from a library: a row's number must be the one a spreadsheet
//! shows, with blank lines counted and breaks inside quotes not; and a quote that never closes
//! must not take the rest of a gigabyte into memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::ControlFlow;

use encoding_rs::{Encoding, UTF_8};

use super::decode::Letters;
use super::{
    CELL_BYTES_MAX, CELLS_PER_ROW_MAX, Cell, ROW_BYTES_MAX, Row, SheetError, TEXT_BYTES_MAX,
    letters,
};
use crate::reason::{self, Because};

/// Separators that are tried, the likeliest first.
const SEPARATORS: [char; 4] = [',', ';', '\t', '|'];
/// Rows that decide about the separator.
const SAMPLE_ROWS: usize = 20;
/// Bytes that decide about it.
const SAMPLE_BYTES: usize = 64 << 10;

/// How a text file is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextForm {
    letters: Letters,
    /// Bytes of the byte order mark.
    mark: u64,
    separator: char,
}

impl TextForm {
    /// Finds out by reading the whole file once: only so is known whether it is UTF-8.
    pub(super) fn sniff(file: &mut File) -> Result<Self, SheetError> {
        let size = file.metadata().map_err(SheetError::read)?.len();
        if size > TEXT_BYTES_MAX {
            return Err(SheetError::Large(format!("it has more than {TEXT_BYTES_MAX} bytes")));
        }
        file.seek(SeekFrom::Start(0)).map_err(SheetError::read)?;
        let mut first = Vec::with_capacity(SAMPLE_BYTES);
        file.by_ref()
            .take(SAMPLE_BYTES as u64)
            .read_to_end(&mut first)
            .map_err(SheetError::read)?;
        let (letters, mark) = match Encoding::for_bom(&first) {
            Some((encoding, mark)) if encoding == UTF_8 => {
                (Letters::find(file, true, mark as u64)?, mark as u64)
            }
            Some((encoding, mark)) => (Letters::Of(encoding), mark as u64),
            None if is_binary(&first) => return Err(SheetError::Foreign),
            None => (Letters::find(file, false, 0)?, 0),
        };
        let mut form = Self { letters, mark, separator: ',' };
        if form.is_markup(&first) {
            return Err(SheetError::Foreign);
        }
        form.separator = form.likeliest_separator(file)?;
        Ok(form)
    }

    /// Gives every row with anything in it to `take`, until that breaks.
    ///
    /// # Errors
    /// [`SheetError`] when a row cannot be held, a quote is never closed, or the disk fails.
    pub(super) fn read(
        self,
        file: &mut File,
        take: &mut dyn FnMut(Row) -> ControlFlow<()>,
    ) -> Result<(), SheetError> {
        let mut parser = Parser::new(self.separator);
        let mut push = |text: &str, is_rarer: bool| {
            if is_rarer {
                parser.note_rarer();
            }
            parser.push(text, take)
        };
        let whole = self.letters.decode(file, self.mark, &mut push)?;
        if whole.is_continue() { parser.end(take) } else { Ok(()) }
    }

    /// The same file read with each other separator.
    pub(super) fn others(self) -> impl Iterator<Item = Self> {
        let others = SEPARATORS.into_iter().filter(move |it| *it != self.separator);
        others.map(move |separator| Self { separator, ..self })
    }

    pub(super) const fn separator(self) -> char {
        self.separator
    }

    /// A page or a document some programs save under a spreadsheet's name.
    fn is_markup(self, first: &[u8]) -> bool {
        self.letters
            .shown(first)
            .trim_start_matches(['\u{feff}', ' ', '\r', '\n', '\t'])
            .starts_with('<')
    }

    /// The separator by which the first rows have most cells, most rows alike.
    fn likeliest_separator(self, file: &mut File) -> Result<char, SheetError> {
        let mut best = (0, ',');
        for separator in SEPARATORS {
            let mut widths: BTreeMap<usize, usize> = BTreeMap::new();
            let mut seen = 0;
            let mut count = |row: Row| {
                *widths.entry(row.cells.len()).or_default() += 1;
                seen += 1;
                if seen < SAMPLE_ROWS { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            };
            let form = Self { separator, ..self };
            match form.read(file, &mut count) {
                // What only the wrong separator makes too large is no reason to give up.
                Ok(())
                | Err(
                    SheetError::Altered(_)
                    | SheetError::CellLong { .. }
                    | SheetError::Large(_)
                    | SheetError::Truncated,
                ) => {}
                Err(error) => return Err(error),
            }
            let score = widths.iter().map(|(width, rows)| rows * width.saturating_sub(1)).max();
            let score = score.unwrap_or_default();
            if score > best.0 {
                best = (score, separator);
            }
        }
        Ok(best.1)
    }
}

/// More control signs than this among the first bytes, one in so many, and it is no text. Of bytes
/// drawn at random one in ten is one; a sheet in which each row holds one has far fewer. Which cell
/// holds one, and that its row cannot be taken, is said where cells are read.
const BYTES_PER_SIGN_MIN: usize = 16;

fn is_binary(first: &[u8]) -> bool {
    let is_sign = |byte: u8| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1a);
    let signs = first.iter().filter(|byte| is_sign(**byte)).count();
    signs * BYTES_PER_SIGN_MIN > first.len()
}

/// Where in a cell the parser is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Start,
    Plain,
    Quoted,
    /// Behind a quote inside a quoted cell: the end, or half of a doubled one.
    AfterQuote,
}

/// Characters to rows.
#[derive(Debug)]
struct Parser {
    separator: char,
    at: At,
    number: u64,
    /// Lines of the file begun so far: inside quotes there are more of them than rows.
    line: u64,
    /// Inside quotes, a `\r` came last; a `\n` right behind it ends the same line.
    after_quoted_return: bool,
    /// Where the newest quotation mark opened.
    quote_line: u64,
    cells: Vec<Cell>,
    /// Bytes of their texts.
    row_bytes: usize,
    cell: String,
    /// Cells of the row with letters of the rarer encoding.
    guessed: Vec<usize>,
    /// The cell inside quotes is longer than any may be, and no longer kept. Whether it is only that,
    /// or its quote never closes, is known where it ends.
    is_long: bool,
    /// A `\r` ended the row; a `\n` right behind it belongs to it.
    after_return: bool,
}

impl Parser {
    const fn new(separator: char) -> Self {
        Self {
            separator,
            at: At::Start,
            number: 1,
            line: 1,
            after_quoted_return: false,
            quote_line: 1,
            cells: Vec::new(),
            row_bytes: 0,
            cell: String::new(),
            guessed: Vec::new(),
            is_long: false,
            after_return: false,
        }
    }

    fn push(
        &mut self,
        text: &str,
        take: &mut dyn FnMut(Row) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, SheetError> {
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            let run = self.content(rest);
            if let Some(content) = rest.get(..run).filter(|content| !content.is_empty()) {
                if self.at == At::Quoted {
                    self.count_lines(content);
                }
                self.grow(content)?;
                rest = rest.get(run..).unwrap_or_default();
                continue;
            }
            rest = rest.get(letter.len_utf8()..).unwrap_or_default();
            let follows_return = std::mem::take(&mut self.after_return);
            if letter == '\n' && follows_return {
                continue;
            }
            let is_end = matches!(letter, '\n' | '\r') && self.at != At::Quoted;
            if is_end {
                self.line += 1;
                self.after_return = letter == '\r';
                if self.end_row(take)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            } else {
                self.letter(letter)?;
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// What comes next in this cell is written in the rarer encoding.
    fn note_rarer(&mut self) {
        let place = self.cells.len();
        if self.guessed.last() != Some(&place) {
            self.guessed.push(place);
        }
    }

    /// Bytes from here on that only belong to the cell. All marks are ASCII, and no byte of a
    /// longer letter looks like one.
    fn content(&self, rest: &str) -> usize {
        let separator = self.separator;
        let is_mark = |byte: &u8| match self.at {
            At::Quoted => *byte == b'"',
            At::Plain => matches!(*byte, b'\n' | b'\r') || char::from(*byte) == separator,
            At::Start | At::AfterQuote => true,
        };
        rest.as_bytes().iter().position(is_mark).unwrap_or(rest.len())
    }

    /// Counts the lines that end inside a quoted cell, by `\n`, `\r\n` or `\r` alone.
    fn count_lines(&mut self, content: &str) {
        for byte in content.bytes() {
            let is_break = byte == b'\r' || (byte == b'\n' && !self.after_quoted_return);
            self.line += u64::from(is_break);
            self.after_quoted_return = byte == b'\r';
        }
    }

    fn letter(&mut self, letter: char) -> Result<(), SheetError> {
        self.after_quoted_return = false;
        match (self.at, letter) {
            (At::Start, '"') => {
                self.at = At::Quoted;
                self.quote_line = self.line;
            }
            (At::Quoted, '"') => self.at = At::AfterQuote,
            (At::AfterQuote, '"') => {
                self.at = At::Quoted;
                self.grow("\"")?;
            }
            (At::Start | At::Plain | At::AfterQuote, _) if letter == self.separator => {
                self.end_cell()?;
            }
            // The quote that closed so long a cell opened another one: its own is missing.
            (At::AfterQuote, _) if self.is_long => return Err(self.never_closed()),
            (At::Start | At::Plain | At::AfterQuote | At::Quoted, _) => {
                if self.at != At::Quoted {
                    self.at = At::Plain;
                }
                self.grow(letter.encode_utf8(&mut [0; 4]))?;
            }
        }
        Ok(())
    }

    /// The cell goes on.
    fn grow(&mut self, more: &str) -> Result<(), SheetError> {
        if self.is_long {
            return Ok(());
        }
        self.cell.push_str(more);
        if self.cell.len() <= CELL_BYTES_MAX {
            return Ok(());
        }
        self.cell = String::new();
        self.is_long = true;
        if self.at == At::Quoted { Ok(()) } else { Err(self.too_long()) }
    }

    fn too_long(&self) -> SheetError {
        SheetError::CellLong { column: letters(self.cells.len()), row: self.number }
    }

    fn never_closed(&self) -> SheetError {
        let what = Because::of(&reason::SHEET_QUOTE).with("row", self.number);
        SheetError::Altered(what.with("line", self.quote_line))
    }

    fn end_cell(&mut self) -> Result<(), SheetError> {
        if self.is_long {
            return Err(self.too_long());
        }
        if self.cells.len() >= CELLS_PER_ROW_MAX {
            let what = format!("row {} has more than {CELLS_PER_ROW_MAX} cells", self.number);
            return Err(SheetError::Large(what));
        }
        self.at = At::Start;
        let text = std::mem::take(&mut self.cell);
        self.row_bytes += text.len();
        if self.row_bytes > ROW_BYTES_MAX {
            return Err(SheetError::row_large(self.number));
        }
        self.cells.push(if text.is_empty() { Cell::Blank } else { Cell::Text(text) });
        Ok(())
    }

    fn end_row(
        &mut self,
        take: &mut dyn FnMut(Row) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, SheetError> {
        self.end_cell()?;
        let cells = std::mem::take(&mut self.cells);
        self.row_bytes = 0;
        let guessed = std::mem::take(&mut self.guessed);
        let row = Row { number: self.number, cells, guessed };
        self.number += 1;
        let is_empty = row.cells.iter().all(Cell::is_blank);
        Ok(if is_empty { ControlFlow::Continue(()) } else { take(row) })
    }

    fn end(&mut self, take: &mut dyn FnMut(Row) -> ControlFlow<()>) -> Result<(), SheetError> {
        if self.at == At::Quoted {
            return Err(self.never_closed());
        }
        if !self.cells.is_empty() || !self.cell.is_empty() || self.is_long {
            // The last row: whether to go on is no question any more.
            let _last = self.end_row(take)?;
        }
        Ok(())
    }
}
