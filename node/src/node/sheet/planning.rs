//! The first reading: what each row would do, and why some do nothing.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use crdt_schema::area::AreaId;
use crdt_schema::edit::Date;
use crdt_schema::fold::RecordState;
use crdt_schema::id::RecordId;
use crdt_schema::record::{Ask, Kind, Notice, Refusal, Rule, rules};

use super::heading::whole_file;
use super::{SheetLimits, Step, plan_row};
use crate::answer::{Import, RefusedRow};
use crate::error::NodeError;
use crate::node::Node;
use crate::ports::{RecordVerdict, RowFilter};
use crate::progress::Progress;
use crate::sheet::{
    Clash, Found, Heading, Identity, Key, Known, Merged, Proof, Row, Says, Seen, cell_notices,
    row_asks,
};

/// Rows that are listed with their reasons; all are counted.
const LISTED_MAX: usize = 10_000;
/// Records read at once while the keys of an area are collected.
const PAGE: usize = 1_024;

/// The first reading.
pub(super) struct Planning<'a> {
    node: &'a Node,
    kind: &'a Kind,
    area: AreaId,
    heading: &'a Heading,
    identity: Identity,
    known: Known,
    seen: Seen,
    today: Option<Date>,
    limits: SheetLimits,
    report: Import,
    steps: Vec<Step>,
    /// How many of the listed notices speak of the sheet and not of what a row would do: they stand
    /// first, and stay when the row whose number they bear is withdrawn.
    of_sheet: usize,
    /// Rows that were taken and are not written after all.
    withdrawn: BTreeSet<u64>,
    failed: Option<NodeError>,
}

/// What the first reading leaves.
pub(super) struct Planned {
    pub(super) report: Import,
    pub(super) steps: Vec<Step>,
    pub(super) today: Option<Date>,
}

/// What becomes of one row.
enum Fate {
    Unchanged,
    Written(Option<RecordId>, Vec<Notice>),
}

impl<'a> Planning<'a> {
    pub(super) fn new(
        node: &'a Node,
        kind: &'a Kind,
        area: AreaId,
        heading: &'a Heading,
        limits: SheetLimits,
    ) -> Result<Self, NodeError> {
        let identity = Identity::of(kind);
        let known = known_records(node, kind, area, &identity)?;
        Ok(Self {
            node,
            kind,
            area,
            heading,
            identity,
            known,
            seen: Seen::default(),
            today: node.today(),
            limits,
            report: Import::default(),
            steps: Vec::new(),
            of_sheet: 0,
            withdrawn: BTreeSet::new(),
            failed: None,
        })
    }

    /// Says which columns, and which other sheets, are passed over.
    pub(super) fn note_columns(&mut self, has_others: bool) {
        let row = self.heading.row;
        for passed in &self.heading.passed {
            self.report.warnings += 1;
            if self.report.noticed.len() < LISTED_MAX {
                self.report.noticed.push(RefusedRow {
                    row,
                    field: passed.column.clone(),
                    rule: passed.rule.name.to_owned(),
                    message: passed.rule.english.to_owned(),
                    near: passed.near.map(str::to_owned),
                });
            }
        }
        if has_others {
            let rule = &rules::SHEET_OTHERS;
            self.notice(row, "", rule.name, rule.english);
        }
        self.of_sheet = self.report.noticed.len();
    }

    /// Says which cells are merged at or below the heading, in columns that mean something.
    pub(super) fn note_merged(&mut self, merged: &[Merged]) {
        let rule = &rules::SHEET_MERGED;
        for range in merged {
            let (first, last) = range.columns;
            if range.rows.1 >= self.heading.row && self.heading.means_within(first, last) {
                self.notice(range.rows.0, &range.name(), rule.name, rule.english);
            }
        }
        self.of_sheet = self.report.noticed.len();
    }

    pub(super) fn row(&mut self, row: &Row, progress: &mut dyn Progress) -> ControlFlow<()> {
        let is_first = self.report.rows == 0 && row.number > self.heading.row;
        if row.number <= self.heading.row || (is_first && Heading::is_numbering(row)) {
            return ControlFlow::Continue(());
        }
        if self.report.rows >= self.limits.rows_max {
            let more = format!("more than {} rows", self.limits.rows_max);
            self.failed = Some(whole_file(&rules::SHEET_LARGE, &more));
            return ControlFlow::Break(());
        }
        self.report.rows += 1;
        let is_look = self.report.rows.is_multiple_of(self.limits.rows_per_look);
        if is_look && !progress.at(self.report.rows, 0) {
            self.failed = Some(NodeError::Interrupted);
            return ControlFlow::Break(());
        }
        match self.fate(row) {
            Ok(Ok(fate)) => self.take(row, fate),
            Ok(Err(refusal)) => self.refuse(row.number, refusal),
            Err(error) => {
                self.failed = Some(error);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    fn take(&mut self, row: &Row, fate: Fate) {
        let Fate::Written(record, notices) = fate else {
            self.report.unchanged += 1;
            return;
        };
        let count = if record.is_some() { &mut self.report.changed } else { &mut self.report.new };
        *count += 1;
        let told = u32::try_from(notices.len()).unwrap_or(u32::MAX);
        let (digest, row_number) = (row.digest(), row.number);
        self.steps.push(Step { digest, row: row_number, record, notices: told });
        for notice in notices {
            self.notice(row.number, &notice.field, notice.rule, &notice.message);
        }
    }

    /// What a row would do; the inner error is the row's, the outer the store's.
    fn fate(&mut self, row: &Row) -> Result<Result<Fate, Refusal>, NodeError> {
        let read = row_asks(self.kind, self.heading, row)
            .and_then(|asks| Ok((self.identity.of_row(&asks)?, asks)));
        let (says, asks) = match read {
            Ok(read) => read,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let mut keys = self.identity.keys(&says);
        let (record, proof) = match self.known.find(&keys) {
            Found::None => (None, Proof::Own),
            Found::One(record, proof) => (Some(record), proof),
            Found::Perhaps(records) => return self.repeat(&records, &keys, &asks, row.number),
            Found::Several => return Ok(Err(Refusal::value("", &rules::SHEET_SEVERAL))),
        };
        let state = match record {
            Some(record) => match self.node.record_of(self.kind, self.area, record)? {
                Some(held) => match self.node.must_build_on(&held.key, held.verdict, held.weight) {
                    Ok(()) => Some(held.state),
                    Err(NodeError::RecordTooLarge { .. }) => {
                        return Ok(Err(Refusal::value("", &rules::SHEET_FULL)));
                    }
                    Err(_) => return Ok(Err(Refusal::value("", &rules::SHEET_WAITS))),
                },
                None => None,
            },
            None => None,
        };
        if state.as_ref().is_some_and(|state| self.identity.would_settle(&says, state)) {
            return Ok(Err(Refusal::value("", &rules::SHEET_CONTESTED)));
        }
        let look = self.look(&keys, &says, state.as_ref(), proof);
        if let Some(state) = &state {
            // What the record will be known by afterwards belongs to this row too.
            keys.extend(self.identity.keys(&says.over(self.identity.of_record(state))));
        }
        if let Some(twice) = self.twice(&keys, record) {
            return Ok(Err(twice));
        }
        let mut plan = match plan_row(self.kind, state.as_ref(), asks, self.today) {
            Ok(plan) => plan,
            Err(refusal) => return Ok(Err(refusal)),
        };
        plan.notices.extend(self.node.missing_references(self.kind, &plan)?);
        for bare in self.seen.yielding(&keys) {
            self.withdraw(u64::from(bare), row.number);
        }
        self.remember(&keys, record, row.number);
        plan.notices.extend(look);
        plan.notices.extend(cell_notices(self.heading, row));
        let is_written = state.is_none() || plan.changes > 0;
        let record = record.filter(|_| state.is_some());
        if self.node.keeps_waiting(self.kind.number, &plan) {
            plan.notices.push(Notice::new("", &rules::WAITS));
        }
        Ok(Ok(if is_written { Fate::Written(record, plan.notices) } else { Fate::Unchanged }))
    }

    /// A row for which nothing but a name speaks: it may say again what one of the records says,
    /// and changes none.
    fn repeat(
        &mut self,
        records: &BTreeSet<RecordId>,
        keys: &[Key],
        asks: &[Ask],
        row: u64,
    ) -> Result<Result<Fate, Refusal>, NodeError> {
        for record in records {
            let Some(held) = self.node.record_of(self.kind, self.area, *record)? else { continue };
            let plan = plan_row(self.kind, Some(&held.state), asks.to_vec(), self.today);
            if plan.is_ok_and(|plan| plan.changes == 0) {
                // It says nothing of the record that a row with its number might contradict.
                let twice = self.twice(keys, None);
                self.remember(keys, None, row);
                return Ok(twice.map_or(Ok(Fate::Unchanged), Err));
            }
        }
        Ok(Err(Refusal::value("", &rules::SHEET_UNCERTAIN)))
    }

    /// The refusal of a row whose record an earlier one speaks of, or may.
    fn twice(&self, keys: &[Key], record: Option<RecordId>) -> Option<Refusal> {
        Some(match self.seen.clash(keys, record)? {
            Clash::Same(earlier) => beside(&rules::SHEET_TWICE, u64::from(earlier)),
            Clash::Bare(earlier) => beside(&rules::SHEET_BARE, u64::from(earlier)),
        })
    }

    /// Refuses an earlier row that would have made a record of a name alone: `later` has the name and a
    /// number. One that only repeated what a record says, or changed one, stands.
    fn withdraw(&mut self, row: u64, later: u64) {
        let place = self.steps.binary_search_by_key(&row, |step| step.row).ok();
        let step = place.and_then(|place| self.steps.get(place)).copied();
        let Some(step) = step.filter(|step| step.record.is_none()) else { return };
        if self.withdrawn.insert(row) {
            self.report.new -= 1;
            self.report.warnings -= u64::from(step.notices);
            self.refuse(row, beside(&rules::SHEET_BARE, later));
        }
    }

    /// Reason to look at a row before it is written.
    fn look(
        &self,
        keys: &[Key],
        says: &Says,
        state: Option<&RecordState>,
        proof: Proof,
    ) -> Option<Notice> {
        let Some(state) = state else {
            let has_namesake = self.known.has_namesake(keys) || self.seen.has_namesake(keys);
            let rule = if has_namesake { &rules::SHEET_NAMESAKE } else { &rules::SHEET_UNREAD };
            return (has_namesake || self.known.is_partial()).then(|| Notice::new("", rule));
        };
        if proof == Proof::Likely {
            return Some(Notice::new("", &rules::SHEET_LIKELY));
        }
        let label = self.kind.field(self.kind.label)?;
        let is_renamed = says.differ_in(&self.identity.of_record(state), label);
        is_renamed.then(|| Notice::new(label.name, &rules::SHEET_RENAMED))
    }

    fn remember(&mut self, keys: &[Key], record: Option<RecordId>, row: u64) {
        // The limit on rows keeps their numbers far below; a text file of blank lines may pass it.
        self.seen.add(keys, record, u32::try_from(row).unwrap_or(u32::MAX));
    }

    fn refuse(&mut self, row: u64, refusal: Refusal) {
        let Refusal { field, rule, message, .. } = refusal;
        *self.report.refused_by_rule.entry(rule.to_owned()).or_default() += 1;
        if self.report.refused.len() < LISTED_MAX {
            let rule = rule.to_owned();
            self.report.refused.push(RefusedRow { row, field, rule, message, near: None });
        }
    }

    fn notice(&mut self, row: u64, field: &str, rule: &str, message: &str) {
        self.report.warnings += 1;
        if self.report.noticed.len() < LISTED_MAX {
            let (field, rule, message) = (field.to_owned(), rule.to_owned(), message.to_owned());
            self.report.noticed.push(RefusedRow { row, field, rule, message, near: None });
        }
    }

    pub(super) fn finish(self, read: Result<(), NodeError>) -> Result<Planned, NodeError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        read?;
        let Self { mut report, mut steps, of_sheet, withdrawn, today, .. } = self;
        if !withdrawn.is_empty() {
            steps.retain(|step| !withdrawn.contains(&step.row));
            let of_rows = report.noticed.split_off(of_sheet);
            let stay = of_rows.into_iter().filter(|notice| !withdrawn.contains(&notice.row));
            report.noticed.extend(stay);
            report.refused.sort_by_key(|refused| refused.row);
        }
        Ok(Planned { report, steps, today })
    }
}

/// A row refused for another one of the sheet.
fn beside(rule: &Rule, row: u64) -> Refusal {
    Refusal::value("", rule).because(&format!("row {row}"))
}

/// The keys of every record of a kind in an area.
fn known_records(
    node: &Node,
    kind: &Kind,
    area: AreaId,
    identity: &Identity,
) -> Result<Known, NodeError> {
    let filter =
        RowFilter { areas: [area].into(), kinds: [kind.number].into(), ..RowFilter::default() };
    let mut known = Known::default();
    let mut after = None;
    loop {
        let page = node.replica.rows(&filter, after.as_ref(), PAGE);
        let (_, rows) = page.map_err(|error| node.store_error(error))?;
        let Some(last) = rows.last() else { break };
        after = Some(last.key);
        for row in &rows {
            let is_live = matches!(row.verdict, RecordVerdict::Counting | RecordVerdict::Waiting);
            if row.is_beyond() && row.verdict != RecordVerdict::Quarantined {
                known.leave_out();
            } else if is_live {
                let state = row.values().map_err(|error| node.store_error(error))?;
                for says in identity.of_record_in_conflict(&state) {
                    known.add(&identity.keys(&says), row.key.record);
                }
            }
        }
    }
    Ok(known)
}
