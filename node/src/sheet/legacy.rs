//! XLS: how much its cells will take, counted before the file is opened.
//!
//! The old format is read whole into a block from the first cell to the last, for every sheet it
//! names, and a sheet may claim any size for itself. So the records are walked once here, without
//! believing a claim: [MS-CFB] for the container, [MS-XLS] 2.5 for the records.

use super::SheetError;

/// Bytes of a file: Excel wrote no larger ones, for it stopped at 65,536 rows.
pub(super) const XLS_BYTES_MAX: u64 = 64 << 20;
/// Cells of all sheets together: 65,536 rows of 60 columns.
const XLS_CELLS_MAX: u64 = 4_000_000;
/// Sheets of one workbook.
const SHEETS_MAX: usize = 256;
/// Rows and columns the format has.
const ROWS_MAX: u64 = 65_536;
const COLUMNS_MAX: u64 = 256;

/// Bytes of the container's header.
const HEADER_BYTES: usize = 512;
/// Bytes of one directory entry.
const ENTRY_BYTES: usize = 128;
/// Streams shorter than this lie in small sectors.
const MINI_STREAM_BYTES: usize = 4_096;
/// Bytes of a small sector.
const MINI_SECTOR_BYTES: usize = 64;
/// From here on a sector's number is a mark.
const RESERVED: u32 = 0xffff_fffa;

/// Record types: a sheet's name and place, its claimed size, end.
const BOUND_SHEET: u16 = 0x0085;
const DIMENSIONS: u16 = 0x0200;
const END: u16 = 0x000a;
const BEGIN: u16 = 0x0809;
/// Records that begin with the row and column of a cell: formula, number, label, truth or error,
/// rich text, blank, index of a string, one and several packed numbers.
const CELLS: [u16; 9] =
    [0x0006, 0x0203, 0x0204, 0x0205, 0x00d6, 0x0201, 0x00fd, 0x027e, MANY_NUMBERS];
const MANY_NUMBERS: u16 = 0x00bd;

/// Whether the file may be opened.
pub(super) fn look_over(bytes: &[u8]) -> Result<(), SheetError> {
    let stream = Container::open(bytes).and_then(|it| it.workbook()).ok_or_else(damaged)?;
    let mut cells = 0_u64;
    let mut sheets = 0;
    for (kind, body) in Records(&stream) {
        if kind == END {
            break;
        }
        if kind != BOUND_SHEET {
            continue;
        }
        sheets += 1;
        if sheets > SHEETS_MAX {
            return Err(SheetError::Large(format!("it has more than {SHEETS_MAX} sheets")));
        }
        let at = u32_at(body, 0).and_then(|at| usize::try_from(at).ok()).ok_or_else(damaged)?;
        let sheet = stream.get(at..).ok_or_else(damaged)?;
        cells = cells.saturating_add(area(sheet)?);
        if cells > XLS_CELLS_MAX {
            return Err(SheetError::Large(format!("it has more than {XLS_CELLS_MAX} cells")));
        }
    }
    Ok(())
}

fn damaged() -> SheetError {
    SheetError::parts()
}

/// Cells of the block from the first to the last of one sheet; what it claims counts too.
fn area(sheet: &[u8]) -> Result<u64, SheetError> {
    let (mut top, mut bottom, mut left, mut right) = (u64::MAX, 0, u64::MAX, 0);
    let mut claimed = 0;
    let mut depth = 0_u32;
    for (kind, body) in Records(sheet) {
        match kind {
            BEGIN => depth += 1,
            END if depth <= 1 => break,
            END => depth -= 1,
            DIMENSIONS => claimed = claimed.max(claim(body)?),
            _ if CELLS.contains(&kind) => {
                let place = u16_at(body, 0).zip(u16_at(body, 2)).ok_or_else(damaged)?;
                let (row, column) = (u64::from(place.0), u64::from(place.1));
                let more = if kind == MANY_NUMBERS { body.len() as u64 / 6 } else { 0 };
                (top, bottom) = (top.min(row), bottom.max(row));
                (left, right) = (left.min(column), right.max(column + more));
            }
            _ => {}
        }
    }
    let block = (bottom + 1).saturating_sub(top).saturating_mul((right + 1).saturating_sub(left));
    Ok(block.max(claimed))
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

/// A compound file.
struct Container<'a> {
    bytes: &'a [u8],
    sector_bytes: usize,
    table: Vec<u32>,
    directory: Vec<u8>,
}

impl<'a> Container<'a> {
    fn open(bytes: &'a [u8]) -> Option<Self> {
        let sector_bytes = match u16_at(bytes, 30)? {
            9 => 512,
            12 => 4_096,
            _ => return None,
        };
        let mut container = Self { bytes, sector_bytes, table: Vec::new(), directory: Vec::new() };
        let mut lists: Vec<u32> = numbers(bytes.get(76..HEADER_BYTES)?).collect();
        let mut next = u32_at(bytes, 68)?;
        for _ in 0..=container.sectors() {
            if next >= RESERVED {
                break;
            }
            lists.extend(numbers(container.sector(next)?));
            next = lists.pop()?;
        }
        for id in lists.into_iter().filter(|id| *id < RESERVED) {
            let part: Vec<u32> = numbers(container.sector(id)?).collect();
            container.table.extend(part);
            if container.table.len() > container.sectors() + sector_bytes {
                return None;
            }
        }
        container.directory = container.chain(u32_at(bytes, 48)?)?;
        Some(container)
    }

    /// Sectors the file has room for.
    const fn sectors(&self) -> usize {
        self.bytes.len() / self.sector_bytes
    }

    fn sector(&self, id: u32) -> Option<&'a [u8]> {
        let at = usize::try_from(id).ok()?.checked_add(1)?.checked_mul(self.sector_bytes)?;
        // The last one may be cut.
        let end = at.checked_add(self.sector_bytes)?.min(self.bytes.len());
        self.bytes.get(at..end)
    }

    /// The sectors of a chain, joined; none when it never ends.
    fn chain(&self, first: u32) -> Option<Vec<u8>> {
        let mut joined = Vec::new();
        let mut id = first;
        for _ in 0..=self.sectors() {
            if id >= RESERVED {
                return Some(joined);
            }
            joined.extend_from_slice(self.sector(id)?);
            id = *self.table.get(usize::try_from(id).ok()?)?;
        }
        None
    }

    /// The stream with the sheets.
    fn workbook(&self) -> Option<Vec<u8>> {
        let (start, length) = ["Workbook", "Book"].iter().find_map(|name| self.entry(name))?;
        let mut stream =
            if length < MINI_STREAM_BYTES { self.small_chain(start)? } else { self.chain(start)? };
        stream.truncate(length);
        Some(stream)
    }

    fn entry(&self, name: &str) -> Option<(u32, usize)> {
        let mut entries = self.directory.chunks_exact(ENTRY_BYTES);
        let found = entries.find(|entry| entry_name(entry).eq_ignore_ascii_case(name))?;
        Some((u32_at(found, 116)?, usize::try_from(u32_at(found, 120)?).ok()?))
    }

    fn small_chain(&self, first: u32) -> Option<Vec<u8>> {
        let root = self.directory.get(..ENTRY_BYTES)?;
        let small = self.chain(u32_at(root, 116)?)?;
        let table = self.chain(u32_at(self.bytes, 60)?)?;
        let table: Vec<u32> = numbers(&table).collect();
        let mut joined = Vec::new();
        let mut id = first;
        for _ in 0..=table.len() {
            if id >= RESERVED {
                return Some(joined);
            }
            let place = usize::try_from(id).ok()?;
            let at = place.checked_mul(MINI_SECTOR_BYTES)?;
            let end = at.checked_add(MINI_SECTOR_BYTES)?.min(small.len());
            joined.extend_from_slice(small.get(at..end)?);
            id = *table.get(place)?;
        }
        None
    }
}

fn entry_name(entry: &[u8]) -> String {
    let units = entry.get(..64).unwrap_or_default().chunks_exact(2);
    let units = units.filter_map(|pair| u16_at(pair, 0)).take_while(|unit| *unit != 0);
    char::decode_utf16(units).map(|letter| letter.unwrap_or('\u{fffd}')).collect()
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    bytes.chunks_exact(4).filter_map(|four| u32_at(four, 0))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?)?.try_into().ok().map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}
