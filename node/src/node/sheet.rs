//! Sheets in: every row planned, then what was planned written, and nothing in between.
//!
//! The file is read twice. The first reading plans each row as a save would be planned and keeps
//! of it a few bytes; a file that cannot be read to its end has changed nothing by then. The
//! second writes the accepted rows in durable commits, each row held against the first reading.
//! Whatever stops it, what is written is whole rows, and the same import run again goes on where
//! it stopped, for rows already written find their records and change nothing.

mod heading;
mod planning;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crdt_schema::area::AreaId;
use crdt_schema::edit::Date;
use crdt_schema::fold::RecordState;
use crdt_schema::id::RecordId;
use crdt_schema::record::{Ask, Kind, Plan, Refusal, Wish};

use self::heading::{find_heading, sheet_error};
use self::planning::Planning;
use super::Node;
use crate::answer::Import;
use crate::error::NodeError;
use crate::ports::RecordKey;
use crate::progress::Progress;
use crate::reason;
use crate::replica::HeldRecord;
use crate::sheet::{Book, ColumnMap, Heading, Row, row_asks};

/// Bytes of a column map: titles of the widest sheet, many times. To refuse a key that is all dots the reader of
/// TOML takes 690 bytes for each of them.
const MAP_BYTES_MAX: u64 = 32 << 10;
/// In the field that says where a record comes from: a file.
const SOURCE_FIELD: &str = "sumber_data";
const SOURCE_FILE: &str = "impor";
/// The field named where a sheet as a whole is refused.
pub const WHOLE_FILE: &str = "berkas";

/// What bounds one import; a test sets smaller ones, for these take long to reach.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SheetLimits {
    /// Rows of one sheet.
    rows_max: u64,
    /// Saves of one durable commit.
    saves_per_commit: usize,
    /// Rows between two looks at whether to go on.
    rows_per_look: u64,
}

impl SheetLimits {
    /// As many rows as Excel itself can hold, with the keys of all in half a gigabyte or less; a
    /// stop loses no more than a commit, and syncing the disk is spread thin.
    const STANDARD: Self =
        Self { rows_max: 1_000_000, saves_per_commit: 2_048, rows_per_look: 1_000 };
}

/// What `import` asks for.
#[derive(Debug, Clone)]
pub struct SheetAsk {
    /// CSV, XLSX, XLS or ODS; its bytes say which.
    pub file: PathBuf,
    /// Kind of its rows.
    pub kind: String,
    /// Area its records belong to.
    pub area: String,
    /// TOML with `"Title" = "field"` for columns that are called otherwise.
    pub map: Option<PathBuf>,
    /// Writes; else it is a dry run.
    pub apply: bool,
    /// Which of the device's people imports.
    pub person: u8,
}

/// A row that will be written.
#[derive(Debug, Clone, Copy)]
struct Step {
    digest: u64,
    row: u64,
    /// The record it changes; `None` makes one.
    record: Option<RecordId>,
    /// How many notices it has.
    notices: u32,
}

impl Node {
    /// Reads a sheet and says row by row what it would do; with `apply` does it.
    ///
    /// # Errors
    /// [`NodeError`] when the kind, the area or a field of the map is not known, this device may
    /// not write there, the file is missing, no spreadsheet, cut or damaged, has no heading, one
    /// field twice or too many rows: then nothing was written. [`NodeError::Interrupted`],
    /// [`NodeError::FileAltered`] for a file that changed meanwhile and failures of the disk leave
    /// whole rows written; the same import again completes them.
    pub fn import_sheet(
        &mut self,
        ask: &SheetAsk,
        progress: &mut dyn Progress,
    ) -> Result<Import, NodeError> {
        self.import_sheet_within(ask, SheetLimits::STANDARD, progress)
    }

    /// The same with other limits.
    pub(crate) fn import_sheet_within(
        &mut self,
        ask: &SheetAsk,
        limits: SheetLimits,
        progress: &mut dyn Progress,
    ) -> Result<Import, NodeError> {
        let schema = self.env.schema.clone();
        let unknown = || NodeError::KindUnknown { kind: ask.kind.clone() };
        let kind = schema.kind(&ask.kind).ok_or_else(unknown)?;
        let area = self.area(&ask.area)?;
        self.must_write(area)?;
        let map = ask.map.as_deref().map(read_map).transpose()?.unwrap_or_default();
        let at = |error| sheet_error(&ask.file, error);
        let mut book = Book::open(&ask.file).map_err(at)?;
        let (sheet, heading) = find_heading(&mut book, kind, &map, &ask.file)?;
        let mut planning = Planning::new(self, kind, area, &heading, limits)?;
        planning.note_columns(book.sheets() > 1);
        planning.note_merged(&book.merged(sheet));
        let read = book.rows(sheet, &mut |row| planning.row(&row, progress));
        let planned = planning.finish(read.map_err(at))?;
        let mut report = planned.report;
        if ask.apply {
            self.must_have_room()?;
            let mut writing = Writing {
                node: self,
                kind,
                area,
                heading: &heading,
                person: ask.person,
                today: planned.today,
                limits,
                rows: report.rows,
                steps: &planned.steps,
                written: 0,
            };
            let wrote = writing.all(&mut book, sheet, &ask.file, progress);
            if let Err(error) = wrote {
                self.replica.abandon();
                return Err(error);
            }
            report.applied = true;
        }
        Ok(report)
    }

    fn record_of(
        &self,
        kind: &Kind,
        area: AreaId,
        record: RecordId,
    ) -> Result<Option<HeldRecord>, NodeError> {
        let key = RecordKey { area, kind: kind.number, record };
        self.replica.record(&key).map_err(|error| self.store_error(error))
    }
}

/// The second reading.
struct Writing<'a> {
    node: &'a mut Node,
    kind: &'a Kind,
    area: AreaId,
    heading: &'a Heading,
    person: u8,
    today: Option<Date>,
    limits: SheetLimits,
    /// Rows of the first reading, for the count of what is behind.
    rows: u64,
    steps: &'a [Step],
    written: usize,
}

impl Writing<'_> {
    fn all(
        &mut self,
        book: &mut Book,
        sheet: usize,
        file: &Path,
        progress: &mut dyn Progress,
    ) -> Result<(), NodeError> {
        let mut failed = None;
        let read = book.rows(sheet, &mut |row| match self.row(&row, file, progress) {
            Ok(flow) => flow,
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        read.map_err(|error| sheet_error(file, error))?;
        if self.written < self.steps.len() {
            return Err(changed_meanwhile(file));
        }
        self.node.commit_own()?;
        let done = self.rows + self.steps.len() as u64;
        if progress.at(done, done) { Ok(()) } else { Err(NodeError::Interrupted) }
    }

    fn row(
        &mut self,
        row: &Row,
        file: &Path,
        progress: &mut dyn Progress,
    ) -> Result<ControlFlow<()>, NodeError> {
        let Some(step) = self.steps.get(self.written).copied() else {
            return Ok(ControlFlow::Break(()));
        };
        if row.number < step.row {
            return Ok(ControlFlow::Continue(()));
        }
        if row.number > step.row || row.digest() != step.digest {
            return Err(changed_meanwhile(file));
        }
        self.write(row, step)?;
        self.written += 1;
        let is_full = self.written.is_multiple_of(self.limits.saves_per_commit);
        if is_full || self.node.replica.must_commit() {
            self.node.commit_own()?;
            self.node.must_have_room()?;
            let (done, total) = (self.written as u64, self.steps.len() as u64);
            if !progress.at(self.rows + done, self.rows + total) {
                return Err(NodeError::Interrupted);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Plans as the first reading did; the same row on the same record gives the same plan.
    fn write(&mut self, row: &Row, step: Step) -> Result<(), NodeError> {
        let ours = |refusal: Refusal| NodeError::Internal {
            what: format!("row {} was planned and then refused: {}", row.number, refusal.rule),
        };
        let asks = row_asks(self.kind, self.heading, row).map_err(ours)?;
        let state = match step.record {
            Some(record) => {
                let held = self.node.record_of(self.kind, self.area, record)?;
                held.map(|held| held.state)
            }
            None => None,
        };
        let plan = plan_row(self.kind, state.as_ref(), asks, self.today).map_err(ours)?;
        let record = match step.record {
            Some(record) => record,
            None => self.node.env.record_id()?,
        };
        let key = RecordKey { area: self.area, kind: self.kind.number, record };
        let now = self.node.env.clock.now();
        self.node.stage_save(key, self.person, now, &plan)?;
        Ok(())
    }
}

/// The plan of one row; a new record notes that it comes from a file unless the sheet says whence.
fn plan_row(
    kind: &Kind,
    state: Option<&RecordState>,
    mut asks: Vec<Ask>,
    today: Option<Date>,
) -> Result<Plan, Refusal> {
    let source = kind.field(SOURCE_FIELD).filter(|field| field.parse(SOURCE_FILE).is_ok());
    if let (Some(field), None) = (source, state)
        && !asks.iter().any(|ask| ask.field == field.name)
    {
        let what = Wish::Put(SOURCE_FILE.to_owned());
        asks.push(Ask { field: field.name.to_owned(), what });
    }
    kind.plan(state, &asks, today)
}

fn read_map(path: &Path) -> Result<ColumnMap, NodeError> {
    let found = std::fs::metadata(path).map_err(|error| NodeError::file("read", path, error))?;
    let foreign =
        || NodeError::FileForeign { path: path.to_path_buf(), expected: &reason::COLUMN_MAP };
    if !found.is_file() || found.len() > MAP_BYTES_MAX {
        return Err(foreign());
    }
    let bytes = std::fs::read(path).map_err(|error| NodeError::file("read", path, error))?;
    let text = String::from_utf8(bytes).map_err(|_| foreign())?;
    ColumnMap::parse(text.trim_start_matches('\u{feff}')).map_err(|_| foreign())
}

fn changed_meanwhile(file: &Path) -> NodeError {
    let what = (&reason::SHEET_CHANGED).into();
    NodeError::FileAltered { path: file.to_path_buf(), what }
}

#[cfg(test)]
mod tests;
