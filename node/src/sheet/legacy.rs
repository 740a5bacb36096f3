//! XLS: how much its cells will take, counted before the file is opened.
//!
//! The old format is read whole into a block from the first cell to the last, for every sheet it
//! names, and a sheet may claim any size for itself; a cell may say only which of the shared texts it
//! holds, and a formula which name. So the records are walked once here, without believing a claim:
//! [MS-XLS] 2.5 for the records, calamine 0.38 for what is kept of them.

use calamine::{Data, Dimensions};

use super::book::Merged;
use super::compound::{Container, u16_at, u32_at};
use super::{HELD_BYTES_MAX, SheetError, TEXT_OVERHEAD};

/// Bytes of a file: Excel wrote no larger ones, for it stopped at 65,536 rows.
pub(super) const XLS_BYTES_MAX: u64 = 64 << 20;
/// Sheets of one workbook.
const SHEETS_MAX: usize = 256;
/// Rows and columns the format has.
const ROWS_MAX: u64 = 65_536;
const COLUMNS_MAX: u64 = 256;
/// Records that go on with one of shared texts: each has up to 8,224 bytes of the file.
const CONTINUED_MAX: usize = 16_384;

/// Bytes of a text without its letters.
const TEXT_BYTES: u64 = size_of::<String>() as u64;
/// Bytes of a cell or a formula with its place. A list that grows has an old place and a new one of twice
/// the size; the block made of it, and the sheet taken out of that, are smaller.
const CELL_BYTES: u64 = 3 * (size_of::<Data>() as u64 + 8);
const FORMULA_BYTES: u64 = 3 * (TEXT_BYTES + 8);
/// Bytes of merged cells: in a list that grows, taken out of it, and as they are told.
const MERGED_BYTES: u64 = 4 * size_of::<Dimensions>() as u64 + size_of::<Merged>() as u64;
/// Bytes of a name's parts without their letters, while the list grows.
const NAME_BYTES: u64 = 8 * TEXT_BYTES;
/// Bytes a letter becomes at most, whatever code page it is read by; and one that is packed into one
/// byte, in ASCII and beyond.
const LETTER_BYTES: u64 = 6;
const PACKED_BYTES: [u64; 2] = [2, 4];
/// Copies of a cell's text: in the block, and in the sheet taken out of it.
const TEXT_COPIES: u64 = 2;

/// Record types: a sheet's name and place, its claimed size, end.
const BOUND_SHEET: u16 = 0x0085;
const DIMENSIONS: u16 = 0x0200;
const END: u16 = 0x000a;
const BEGIN: u16 = 0x0809;
/// Record types: a name of the workbook, its shared texts, what goes on with the record before.
const NAME: u16 = 0x0018;
const SHARED_TEXTS: u16 = 0x00fc;
const CONTINUE: u16 = 0x003c;
/// Records that begin with the row and column of a cell: formula, number, label, truth or error,
/// rich text, blank, index of a string, one and several packed numbers.
const CELLS: [u16; 9] =
    [FORMULA, 0x0203, LABEL, 0x0205, RICH_LABEL, 0x0201, SHARED_LABEL, 0x027e, MANY_NUMBERS];
const FORMULA: u16 = 0x0006;
const LABEL: u16 = 0x0204;
const RICH_LABEL: u16 = 0x00d6;
const SHARED_LABEL: u16 = 0x00fd;
const MANY_NUMBERS: u16 = 0x00bd;
/// The text that a formula gave, in the cell of the formula before; merged cells.
const FORMULA_TEXT: u16 = 0x0207;
const MERGED: u16 = 0x00e5;

/// Whether the file may be opened.
pub(super) fn look_over(bytes: &[u8]) -> Result<(), SheetError> {
    let stream = Container::open(bytes).and_then(|it| it.workbook()).ok_or_else(damaged)?;
    let book = Globals::read(&stream)?;
    let mut held = book.held;
    for at in &book.sheets {
        let sheet = stream.get(*at..).ok_or_else(damaged)?;
        held = held.saturating_add(Counted::read(sheet, &book)?.bytes());
        if held > HELD_BYTES_MAX {
            return Err(SheetError::held());
        }
    }
    Ok(())
}

fn damaged() -> SheetError {
    SheetError::parts()
}

/// What the sheets of a workbook share.
#[derive(Debug, Default)]
struct Globals {
    /// Where the sheets begin.
    sheets: Vec<usize>,
    /// Bytes of each shared text.
    texts: Vec<u64>,
    /// Bytes of the longest name of a sheet or of the workbook.
    longest: u64,
    /// Bytes that texts and names take.
    held: u64,
}

impl Globals {
    fn read(stream: &[u8]) -> Result<Self, SheetError> {
        let (mut book, mut names) = (Self::default(), 0_u64);
        let mut records = Records(stream);
        while let Some((kind, body)) = records.next() {
            match kind {
                END => break,
                BOUND_SHEET => book.add_sheet(body)?,
                NAME => {
                    names += 1;
                    book.note_name(body.get(3).copied());
                }
                SHARED_TEXTS => book.add_texts(body, records.clone())?,
                _ => {}
            }
        }
        let name = NAME_BYTES + 4 * book.longest;
        book.held = book.held.saturating_add(names.saturating_mul(name));
        Ok(book)
    }

    fn add_sheet(&mut self, body: &[u8]) -> Result<(), SheetError> {
        let at = u32_at(body, 0).and_then(|at| usize::try_from(at).ok()).ok_or_else(damaged)?;
        self.sheets.push(at);
        self.note_name(body.get(6).copied());
        if self.sheets.len() > SHEETS_MAX {
            return Err(SheetError::Large(format!("it has more than {SHEETS_MAX} sheets")));
        }
        Ok(())
    }

    fn note_name(&mut self, letters: Option<u8>) {
        self.longest = self.longest.max(LETTER_BYTES * u64::from(letters.unwrap_or_default()));
    }

    fn add_texts(&mut self, first: &[u8], behind: Records<'_>) -> Result<(), SheetError> {
        self.texts.clear();
        let piece = first.get(8..).ok_or_else(damaged)?;
        let mut texts = SharedTexts { piece, behind, continued: 0 };
        while !texts.piece.is_empty() || texts.go_on() {
            let bytes = texts.next_text().ok_or_else(damaged)?;
            self.texts.push(bytes);
            self.held = self.held.saturating_add(3 * TEXT_BYTES + TEXT_OVERHEAD + 2 * bytes);
            if self.held > HELD_BYTES_MAX {
                return Err(SheetError::held());
            }
        }
        Ok(())
    }
}

/// The shared texts, in one record and those that go on with it: [MS-XLS] 2.5.293.
struct SharedTexts<'a> {
    /// What is left of the record.
    piece: &'a [u8],
    behind: Records<'a>,
    continued: usize,
}

impl SharedTexts<'_> {
    /// Takes the next record, if it goes on with this one.
    fn go_on(&mut self) -> bool {
        let mut behind = self.behind.clone();
        let Some((CONTINUE, body)) = behind.next() else { return false };
        self.continued += 1;
        (self.piece, self.behind) = (body, behind);
        self.continued <= CONTINUED_MAX
    }

    /// Bytes of the next text; none when it does not fit into its records.
    fn next_text(&mut self) -> Option<u64> {
        const IS_WIDE: u8 = 1;
        const IS_EXTENDED: u8 = 4;
        const IS_RICH: u8 = 8;
        if self.piece.is_empty() {
            return Some(0);
        }
        let letters = u16::from_le_bytes(self.take()?);
        let [form] = self.take()?;
        let runs = if form & IS_RICH == 0 { 0 } else { u16::from_le_bytes(self.take()?) };
        let more = if form & IS_EXTENDED == 0 { 0 } else { u32::from_le_bytes(self.take()?) };
        let bytes = self.letters(usize::from(letters), form & IS_WIDE != 0)?;
        self.skip(usize::from(runs) * 4)?;
        self.skip(usize::try_from(more).ok()?)?;
        Some(bytes)
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.piece.split_first_chunk()?;
        self.piece = rest;
        Some(*taken)
    }

    /// Each record that goes on within a text says anew how its letters are written.
    fn letters(&mut self, mut left: usize, mut is_wide: bool) -> Option<u64> {
        let mut bytes = 0;
        loop {
            let size = if is_wide { 2 } else { 1 };
            let here = left.min(self.piece.len() / size);
            let (taken, rest) = self.piece.split_at_checked(here * size)?;
            let beyond = taken.iter().filter(|byte| !byte.is_ascii()).count() as u64;
            let [ascii, other] = PACKED_BYTES.map(|it| if is_wide { LETTER_BYTES } else { it });
            bytes += beyond.min(here as u64) * (other - ascii) + here as u64 * ascii;
            (self.piece, left) = (rest, left - here);
            if left == 0 {
                return Some(bytes);
            }
            if !self.go_on() {
                return None;
            }
            let [form] = self.take()?;
            is_wide = form & 1 != 0;
        }
    }

    fn skip(&mut self, mut left: usize) -> Option<()> {
        while left > 0 {
            if self.piece.is_empty() && !self.go_on() {
                return None;
            }
            let here = left.min(self.piece.len());
            self.piece = self.piece.get(here..)?;
            left -= here;
        }
        Some(())
    }
}

/// What one sheet holds.
#[derive(Debug, Default)]
struct Counted {
    cells: u64,
    /// The block from the first cell to the last, or what the sheet claims.
    block: u64,
    formulas: u64,
    merged: u64,
    /// Bytes of the cells' texts, and of the formulas.
    texts: u64,
}

impl Counted {
    fn read(sheet: &[u8], book: &Globals) -> Result<Self, SheetError> {
        let (mut counted, mut corners, mut depth) = (Self::default(), Corners::default(), 0_u32);
        for (kind, body) in Records(sheet) {
            match kind {
                BEGIN => depth += 1,
                END if depth <= 1 => break,
                END => depth -= 1,
                DIMENSIONS => counted.block = counted.block.max(claim(body)?),
                MERGED => counted.merged += u16_at(body, 0).map_or(0, u64::from),
                FORMULA_TEXT => counted.add(u16_at(body, 0).map(|it| LETTER_BYTES * u64::from(it))),
                _ if CELLS.contains(&kind) => {
                    let more = if kind == MANY_NUMBERS { body.len() as u64 / 6 } else { 0 };
                    corners.add(body, more).ok_or_else(damaged)?;
                    counted.cells += more;
                    counted.add(text_of(kind, body, book));
                    counted.formulas += u64::from(kind == FORMULA);
                }
                _ => {}
            }
        }
        counted.block = counted.block.max(corners.block());
        Ok(counted)
    }

    /// One cell more, and the bytes of its text.
    fn add(&mut self, text: Option<u64>) {
        self.cells += 1;
        if let Some(text) = text {
            self.texts = self.texts.saturating_add(text.saturating_add(TEXT_OVERHEAD));
        }
    }

    fn bytes(&self) -> u64 {
        let formulas = self.formulas.saturating_mul(FORMULA_BYTES);
        let block = if self.formulas == 0 { 0 } else { self.block.saturating_mul(TEXT_BYTES) };
        let cells = self.cells.max(self.block).saturating_mul(CELL_BYTES);
        let texts = self.texts.saturating_mul(TEXT_COPIES);
        let merged = self.merged.saturating_mul(MERGED_BYTES);
        [formulas, block, cells, texts, merged].into_iter().fold(0, u64::saturating_add)
    }
}

/// Bytes of what a cell says, where that is more than a number.
fn text_of(kind: u16, body: &[u8], book: &Globals) -> Option<u64> {
    match kind {
        LABEL | RICH_LABEL => u16_at(body, 6).map(|letters| LETTER_BYTES * u64::from(letters)),
        SHARED_LABEL => {
            let place = usize::try_from(u32_at(body, 6)?).ok()?;
            book.texts.get(place).copied()
        }
        FORMULA => {
            let length = usize::from(u16_at(body, 20)?);
            Some(formula(body.get(22..)?.get(..length)?, book.longest))
        }
        _ => None,
    }
}

/// Bytes of a formula as text at most, whichever of its bytes begin a part: [MS-XLS] 2.5.198.
fn formula(parts: &[u8], longest_name: u64) -> u64 {
    let bytes = |part: &u8| match (part, part & 0x1f) {
        // Up to 255 blanks; a number, written out.
        (0x19, _) => 256,
        (0x1f, _) => 350,
        // A function; a name, or a place on another sheet.
        (0x20..=0x7f, 0x01 | 0x02) => 32,
        (0x20..=0x7f, 0x03 | 0x1a..=0x1d) => longest_name + 32,
        _ => 8,
    };
    // Of one that is not understood an error's text is kept.
    256 + parts.iter().map(bytes).sum::<u64>()
}

/// The first and the last place that holds a cell.
#[derive(Debug, Default)]
struct Corners {
    rows: Option<(u64, u64)>,
    columns: Option<(u64, u64)>,
}

impl Corners {
    /// A cell that a record begins with, and so many to its right.
    fn add(&mut self, body: &[u8], more: u64) -> Option<()> {
        let widen = |known: Option<(u64, u64)>, first: u64, last: u64| {
            let (low, high) = known.unwrap_or((first, last));
            Some((low.min(first), high.max(last)))
        };
        let (row, column) = (u64::from(u16_at(body, 0)?), u64::from(u16_at(body, 2)?));
        self.rows = widen(self.rows, row, row);
        self.columns = widen(self.columns, column, column + more);
        Some(())
    }

    fn block(&self) -> u64 {
        let count = |found: Option<(u64, u64)>| found.map_or(0, |(first, last)| last + 1 - first);
        count(self.rows).saturating_mul(count(self.columns))
    }
}

/// The size a sheet claims; of more rows or columns than there can be it lies.
fn claim(body: &[u8]) -> Result<u64, SheetError> {
    let wide = |at| u32_at(body, at).map(u64::from);
    let narrow = |at| u16_at(body, at).map(u64::from);
    let said = if body.len() == 10 {
        [narrow(0), narrow(2), narrow(4), narrow(6)]
    } else {
        [wide(0), wide(4), narrow(8), narrow(10)]
    };
    let [Some(first_row), Some(rows), Some(first_column), Some(columns)] = said else {
        return Err(damaged());
    };
    let fits = rows <= ROWS_MAX
        && columns <= COLUMNS_MAX
        && first_row <= rows.max(1)
        && first_column <= columns.max(1);
    if fits {
        Ok((rows - first_row.min(rows)) * (columns - first_column.min(columns)))
    } else {
        Err(damaged())
    }
}

/// The records of a stream: type and body.
#[derive(Debug, Clone)]
struct Records<'a>(&'a [u8]);

impl<'a> Iterator for Records<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let kind = u16_at(self.0, 0)?;
        let length = usize::from(u16_at(self.0, 2)?);
        let body = self.0.get(4..4 + length)?;
        self.0 = self.0.get(4 + length..)?;
        Some((kind, body))
    }
}
