//! Which sheet is read, and where its heading stands; and how a sheet that cannot be read fails.

use std::path::Path;

use crdt_schema::record::{Kind, Rule, rules};

use super::WHOLE_FILE;
use crate::error::NodeError;
use crate::reason;
use crate::sheet::{Book, ColumnMap, Heading, HeadingError, Row, SheetError};

/// The first sheet with a heading, and that.
pub(super) fn find_heading(
    book: &mut Book,
    kind: &Kind,
    map: &ColumnMap,
    file: &Path,
) -> Result<(usize, Heading), NodeError> {
    let at = |error| sheet_error(file, error);
    for sheet in 0..book.sheets() {
        let first = book.first_rows(sheet).map_err(at)?;
        match Heading::find(kind, map, &first) {
            Ok(heading) => {
                let below = first.iter().filter(|row| row.number > heading.row);
                if heading.width() > 1 && are_uncut(below) {
                    must_be_one_separator(book, heading.row, file)?;
                }
                return Ok((sheet, heading));
            }
            Err(HeadingError::Missing) => {}
            Err(HeadingError::Twice(field)) => {
                let rule = &rules::SHEET_COLUMN_TWICE;
                return Err(NodeError::ValueInvalid {
                    field: field.to_owned(),
                    rule: rule.name.to_owned(),
                    message: rule.english.to_owned(),
                });
            }
            Err(HeadingError::FieldUnknown(field)) => {
                return Err(NodeError::FieldUnknown { kind: kind.name.to_owned(), field });
            }
        }
    }
    must_be_no_heading(book, kind, map, file)?;
    Err(whole_file(&rules::SHEET_HEADING, "no row names two columns"))
}

/// Whether there are rows, and each has one cell only.
fn are_uncut<'a>(rows: impl Iterator<Item = &'a Row>) -> bool {
    let mut rows = rows.peekable();
    rows.peek().is_some() && rows.all(|row| row.cells.len() == 1)
}

/// Refuses rows that only another separator than the heading's takes apart: read as they are, all
/// of each would go into the first column.
fn must_be_one_separator(book: &Book, heading: u64, file: &Path) -> Result<(), NodeError> {
    let others = book.other_readings().map_err(|error| NodeError::file("read", file, error))?;
    for mut other in others {
        // What only this separator makes unreadable is no sheet of its kind.
        let Ok(rows) = other.first_rows(0) else { continue };
        let mut below = rows.iter().filter(|row| row.number > heading).peekable();
        if below.peek().is_some() && below.all(|row| row.cells.len() > 1) {
            return Err(separators(book, &other));
        }
    }
    Ok(())
}

/// Refuses a sheet whose heading another separator than that of its rows takes apart.
fn must_be_no_heading(
    book: &Book,
    kind: &Kind,
    map: &ColumnMap,
    file: &Path,
) -> Result<(), NodeError> {
    let others = book.other_readings().map_err(|error| NodeError::file("read", file, error))?;
    for mut other in others {
        let Ok(rows) = other.first_rows(0) else { continue };
        if Heading::find(kind, map, &rows).is_ok() {
            return Err(separators(&other, book));
        }
    }
    Ok(())
}

/// Two readings of one file: one takes the heading apart, the other the rows.
fn separators(heading: &Book, rows: &Book) -> NodeError {
    let shown = |book: &Book| match book.separator() {
        Some('\t') => "tab".to_owned(),
        sign => sign.map(|sign| format!("`{sign}`")).unwrap_or_default(),
    };
    let (heading, rows) = (shown(heading), shown(rows));
    let more = format!("the heading {heading}, the rows {rows}");
    whole_file(&rules::SHEET_SEPARATORS, &more)
}

pub(super) fn whole_file(rule: &Rule, more: &str) -> NodeError {
    NodeError::ValueInvalid {
        field: WHOLE_FILE.to_owned(),
        rule: rule.name.to_owned(),
        message: format!("{}: {more}", rule.english),
    }
}

pub(super) fn sheet_error(path: &Path, error: SheetError) -> NodeError {
    let path = path.to_path_buf();
    match error {
        SheetError::Foreign => NodeError::FileForeign { path, expected: &reason::SPREADSHEET },
        SheetError::Empty => NodeError::FileEmpty { path },
        SheetError::Truncated => NodeError::FileTruncated { path },
        SheetError::Altered(what) => NodeError::FileAltered { path, what },
        SheetError::CellLong { column, row } => {
            let rule = &rules::SHEET_CELL_LONG;
            NodeError::ValueInvalid {
                field: format!("{column}{row}"),
                rule: rule.name.to_owned(),
                message: format!("{}: column {column}, row {row}", rule.english),
            }
        }
        SheetError::Large(more) => whole_file(&rules::SHEET_LARGE, &more),
        SheetError::Io(error) => NodeError::file("read", &path, error),
    }
}
