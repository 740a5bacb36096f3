//! What is read: a record, lists, its history, conflicts, its documents.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crdt_schema::area::AreaId;
use crdt_schema::class::{Class, FieldClass};
use crdt_schema::document::documents;
use crdt_schema::edit::{Action, Op, Value};
use crdt_schema::fold::{RecordState, SectionRead, Survivor};
use crdt_schema::id::{EntryId, RecordId};
use crdt_schema::record::{Field, Kind, Merge, TermKind};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Node;
use super::output::{Sort, is_there, must_be_writable};
use super::search::query_terms;
use crate::answer::{
    AddedValue, ConflictValue, EntryRef, FieldShown, RecordConflict, RecordConflicts, RecordEdit,
    RecordExport, RecordHistory, RecordList, RecordRow, RecordShow, RevealedValue, Verdict, When,
};
use crate::atomic;
use crate::echo::Echo;
use crate::error::NodeError;
use crate::ports::{
    Place, RecordKey, RecordVerdict, RowFilter, StoreError, ViewRow, is_heavy_page,
};
use crate::reason::{self, Because};
use crate::replica::{EditSeen, EntryVerdict, HeldRecord, History};

/// Rows one page may hold.
const PAGE_MAX: usize = 10_000;
/// Conflicted rows read at once.
const CONFLICTS_AT_ONCE: usize = 500;

/// What `record list` asks for.
#[derive(Debug, Clone, Default)]
pub struct ListAsk {
    /// Name of a kind; any otherwise.
    pub kind: Option<String>,
    /// Code of an area, with all below; any otherwise.
    pub area: Option<String>,
    /// Words of a name, a NIK or a KK number; `None` searches for nothing.
    pub query: Option<String>,
    /// A shown state, as its list writes it; any otherwise.
    pub status: Option<String>,
    /// Only records with a field of two values or more.
    pub conflicts_only: bool,
    /// Rows of a page.
    pub limit: usize,
    /// Where the page before ended.
    pub after: Option<String>,
    /// Which records; what counts otherwise, and on a device that waits its own with it.
    pub layer: Option<Layer>,
}

/// Records by how they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// That count.
    Counting,
    /// Of devices that wait for confirmation, or resting on an entry not held.
    Waiting,
    /// That are held and do not count, for whoever may adopt them.
    Quarantined,
    /// All that are held.
    All,
}

/// The edits of one record, by entry id.
type Authors = BTreeMap<EntryId, EditSeen>;

/// What the log says of an export: the command asks for no purpose.
const EXPORTED: &str = "export of the whole record";

impl Node {
    /// One record with every value that may be shown; those of class S for a purpose, which is
    /// logged first.
    ///
    /// # Errors
    /// [`NodeError::RecordUnknown`], [`NodeError::Usage`] for a purpose that says nothing; or of the
    /// disk, that of the log too.
    pub fn record_show(&self, id: &str, reveal: Option<&str>) -> Result<RecordShow, NodeError> {
        let key = self.record_key(id)?;
        let held = self.held(&key)?;
        if let Some(purpose) = reveal {
            self.note_reveal("record show", [key.record], purpose)?;
        }
        let authors = self.authors(&key)?;
        let kind = self.env.schema.kind_numbered(key.kind);
        let mut fields = Vec::new();
        for field in kind.into_iter().flat_map(|kind| kind.fields.iter()) {
            if let Some(shown) = self.field_shown(&held, field, &authors, reveal) {
                fields.push((field.name.to_owned(), shown));
            }
        }
        fields.extend(Self::unknown_fields(&held, kind, &authors));
        Ok(RecordShow {
            record: key.record,
            kind: kind_name(kind, key.kind),
            area: self.area_name(key.area),
            verdict: verdict_word(held.verdict),
            fields,
        })
    }

    /// A page of records, by area, kind and id.
    ///
    /// # Errors
    /// [`NodeError`] when a kind, area or cursor is none, a search holds no letter and no digit, or
    /// of the disk.
    pub fn record_list(&self, ask: &ListAsk) -> Result<RecordList, NodeError> {
        let filter = self.filter(ask)?;
        let after = ask.after.as_deref().map(parse_cursor).transpose()?;
        let limit = ask.limit.clamp(1, PAGE_MAX);
        let (total, mut rows) = self
            .replica
            .rows(&filter, after.as_ref(), limit + 1)
            .map_err(|error| self.store_error(error))?;
        let more = rows.len() > limit || is_heavy_page(&rows);
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|row| cursor(&row.key));
        let records = rows.iter().map(|row| self.listed(row)).collect::<Result<_, _>>();
        Ok(RecordList { total, records: records.map_err(|error| self.store_error(error))?, next })
    }

    fn listed(&self, row: &ViewRow) -> Result<RecordRow, StoreError> {
        let (state, kind) = (row.values()?, self.env.schema.kind_numbered(row.key.kind));
        Ok(RecordRow {
            record: row.key.record,
            kind: kind_name(kind, row.key.kind),
            area: self.area_name(row.key.area),
            label: kind.and_then(|kind| self.label(kind, &state, row.key.area)),
            status: kind.and_then(|kind| kind.status(&state)),
            conflicts: row.conflicts,
            verdict: verdict_word(row.verdict),
            changed_at: Some(When(row.changed_at)),
        })
    }

    /// The held edits of a record in display order.
    ///
    /// # Errors
    /// As [`Node::record_show`].
    pub fn record_history(
        &self,
        id: &str,
        reveal: Option<&str>,
    ) -> Result<RecordHistory, NodeError> {
        let key = self.record_key(id)?;
        let seen = self.replica.history(&key).map_err(|error| self.store_error(error))?;
        let History { edits: seen, left_out } = seen;
        if let Some(purpose) = reveal {
            self.note_reveal("record history", [key.record], purpose)?;
        }
        let kind = self.env.schema.kind_numbered(key.kind);
        let by_id: BTreeMap<EntryId, EntryRef> =
            seen.iter().map(|it| (it.entry.id, EntryRef::from(&it.entry))).collect();
        let places: Vec<Place> = seen.iter().map(|it| it.place).collect();
        let received = self.replica.received(&places).map_err(|error| self.store_error(error))?;
        let mut edits = Vec::with_capacity(seen.len());
        for it in &seen {
            edits.push(RecordEdit {
                entry: EntryRef::from(&it.entry),
                device: it.device,
                person: it.entry.header.person,
                claimed_at: Some(When(it.entry.header.claimed_at)),
                received_at: received.get(&it.place).copied().map(When),
                verdict: edit_word(it.verdict),
                deps: it
                    .entry
                    .header
                    .deps
                    .iter()
                    .filter_map(|dep| by_id.get(dep).copied())
                    .collect(),
                fields: self.operations(it, kind, key.area, reveal),
            });
        }
        Ok(RecordHistory { record: key.record, edits, left_out })
    }

    /// Every field in conflict of records that count, by area, kind, record and field.
    ///
    /// # Errors
    /// As [`Node::record_show`].
    pub fn record_conflicts(&self, reveal: Option<&str>) -> Result<RecordConflicts, NodeError> {
        reveal.map(super::reveals::stated).transpose()?;
        let verdicts = [RecordVerdict::Counting].into();
        let filter = RowFilter { conflicts_only: true, verdicts, ..RowFilter::default() };
        let (mut conflicts, mut after) = (Vec::new(), None);
        loop {
            let page = self.replica.rows(&filter, after.as_ref(), CONFLICTS_AT_ONCE);
            let (_, rows) = page.map_err(|error| self.store_error(error))?;
            let Some(last) = rows.last().map(|row| row.key) else { break };
            for row in &rows {
                let state = row.values().map_err(|error| self.store_error(error))?;
                conflicts.extend(self.conflicts_of(&row.key, &state, reveal)?);
            }
            after = Some(last);
        }
        if let Some(purpose) = reveal {
            let shown = conflicts.iter().filter(|it| self.is_specific(&it.kind, &it.field));
            let shown: BTreeSet<RecordId> = shown.map(|it| it.record).collect();
            self.note_reveal("record conflicts", shown, purpose)?;
        }
        Ok(RecordConflicts { total: conflicts.len() as u64, conflicts })
    }

    /// Writes one Automerge document a class of what the record is shown by: `file`, and `file` with `.T`, `.U`,
    /// `.S` behind.
    ///
    /// # Errors
    /// [`NodeError`] when the record is not known, cannot be made a document, or of the disk.
    pub fn record_export(&self, id: &str, file: &Path) -> Result<RecordExport, NodeError> {
        let key = self.record_key(id)?;
        let verdict = self.held(&key)?.verdict;
        let least = match verdict {
            RecordVerdict::Counting => EntryVerdict::Counting,
            RecordVerdict::Waiting => EntryVerdict::Provisional,
            RecordVerdict::Quarantined => EntryVerdict::Quarantined,
            RecordVerdict::SetAside => {
                return Err(NodeError::RecordTooLarge { record: key.record.to_string() });
            }
        };
        let entries = self.replica.fold_entries(&key, least);
        let record = key.record.to_string();
        let Some(entries) = entries.map_err(|error| self.store_error(error))? else {
            return Err(NodeError::RecordTooLarge { record });
        };
        let no_document = |why: &dyn std::fmt::Display| NodeError::Internal {
            what: format!("record {} makes no document: {why}", key.record.short()),
        };
        let made = match documents(&entries) {
            Err(error) if error.is_beyond() => return Err(NodeError::RecordTooLarge { record }),
            made => made.map_err(|error| no_document(&error))?,
        };
        if made.is_empty() {
            return Err(match verdict {
                // What it rests on is not held.
                RecordVerdict::Waiting => NodeError::RecordWaits { record },
                RecordVerdict::Quarantined => NodeError::RecordQuarantined { record },
                RecordVerdict::Counting | RecordVerdict::SetAside => {
                    no_document(&"nothing in it can be read here")
                }
            });
        }
        let readable = made.iter().filter(|(class, _)| self.may_read(**class, key.area));
        let (mut classes, mut heads, mut bytes) = (Vec::new(), Vec::new(), 0);
        let readable: Vec<_> = readable.collect();
        for class in [Class::Open].iter().chain(readable.iter().map(|(class, _)| *class)) {
            must_be_writable(&self.folder, &class_file(file, *class), Sort::Document)?;
        }
        if readable.iter().any(|(class, _)| **class == Class::Specific) {
            self.note_reveal("record export", [key.record], EXPORTED)?;
        }
        for (class, document) in readable {
            let path = class_file(file, *class);
            let written = match class {
                Class::Open => atomic::write(&path, &document.bytes),
                Class::Tally | Class::Personal | Class::Specific => {
                    atomic::write_private(&path, &document.bytes)
                }
            };
            written.map_err(|error| NodeError::file("write", &path, error))?;
            bytes += document.bytes.len() as u64;
            classes.push(class.name().to_owned());
            heads.extend(document.heads.iter().cloned());
        }
        let older = Class::ALL.iter().filter(|class| !classes.iter().any(|it| it == class.name()));
        let older = older.map(|class| class_file(file, *class));
        let older = older.filter(|path| is_there(path, Sort::Document));
        let older = older.map(|path| path.display().to_string()).collect();
        let file = file.display().to_string();
        Ok(RecordExport { record: key.record, file, class: classes, bytes, heads, older })
    }

    fn is_specific(&self, kind: &str, field: &str) -> bool {
        let field = self.env.schema.kind(kind).and_then(|kind| kind.field(field));
        field.is_some_and(|field| field.class == FieldClass::Specific)
    }

    fn held(&self, key: &RecordKey) -> Result<HeldRecord, NodeError> {
        let held = self.replica.record(key).map_err(|error| self.store_error(error))?;
        held.ok_or_else(|| NodeError::RecordUnknown { id: key.record.to_string() })
    }

    fn authors(&self, key: &RecordKey) -> Result<Authors, NodeError> {
        let seen = self.replica.history(key).map_err(|error| self.store_error(error))?;
        Ok(seen.edits.into_iter().map(|seen| (seen.entry.id, seen)).collect())
    }

    fn field_shown(
        &self,
        held: &HeldRecord,
        field: &Field,
        authors: &Authors,
        reveal: Option<&str>,
    ) -> Option<FieldShown> {
        let veil = self.veil(field.class, held.key.area, reveal);
        let (shown, value) = match field.merge {
            Merge::Set | Merge::List => {
                let elements: Vec<_> = field.elements_in(&held.state).collect();
                let newest = elements
                    .iter()
                    .filter_map(|(element, _)| {
                        field.survivors_in(&held.state, Some(element)).first()
                    })
                    .max_by_key(|survivor| survivor.op)?;
                let texts = elements.iter().map(|(id, value)| field.show(Some(id), value).into());
                (newest, serde_json::Value::Array(texts.collect()))
            }
            Merge::Scalar | Merge::Status => {
                let shown = field.survivors_in(&held.state, None).first()?;
                (shown, json(field, &shown.value))
            }
        };
        let author = authors.get(&shown.entry)?;
        Some(FieldShown {
            value: veil.over(value),
            class: field.class.letter().to_string(),
            device: author.device,
            person: author.entry.header.person,
            claimed_at: Some(When(author.entry.header.claimed_at)),
            entry: EntryRef::from(&author.entry),
            others: Self::others(held, field, authors, veil),
        })
    }

    /// Surviving values beside the shown one, where they differ; by entry id.
    fn others(
        held: &HeldRecord,
        field: &Field,
        authors: &Authors,
        veil: Veil,
    ) -> Vec<ConflictValue> {
        let conflicted = matches!(field.merge, Merge::Scalar | Merge::Status)
            && field.is_contested_in(&held.state);
        if !conflicted {
            return Vec::new();
        }
        let survivors = field.survivors_in(&held.state, None).iter().skip(1);
        let mut others: Vec<ConflictValue> =
            survivors.filter_map(|it| conflict_value(field, it, authors, veil)).collect();
        others.sort_by_key(|value| value.entry.id);
        others
    }

    fn conflicts_of(
        &self,
        key: &RecordKey,
        state: &RecordState,
        reveal: Option<&str>,
    ) -> Result<Vec<RecordConflict>, NodeError> {
        let Some(kind) = self.env.schema.kind_numbered(key.kind) else { return Ok(Vec::new()) };
        let authors = self.authors(key)?;
        let mut conflicts = Vec::new();
        for field in kind.fields.iter().filter(|field| field.is_contested_in(state)) {
            let veil = self.veil(field.class, key.area, reveal);
            let survivors = field.survivors_in(state, None);
            let Some(shown) = survivors.first() else { continue };
            let mut values: Vec<ConflictValue> = survivors
                .iter()
                .filter_map(|it| conflict_value(field, it, &authors, veil))
                .collect();
            values.sort_by_key(|value| value.entry.id);
            conflicts.push(RecordConflict {
                record: key.record,
                kind: kind.name.to_owned(),
                field: field.name.to_owned(),
                shown: veil.over(json(field, &shown.value)),
                values,
            });
        }
        Ok(conflicts)
    }

    /// Fields of a newer schema: kept, carried, and shown by number.
    fn unknown_fields(
        held: &HeldRecord,
        kind: Option<&Kind>,
        authors: &Authors,
    ) -> Vec<(String, FieldShown)> {
        let is_known = |number: u16| kind.is_some_and(|kind| kind.field_numbered(number).is_some());
        let mut shown: BTreeMap<u16, FieldShown> = BTreeMap::new();
        for key in held.state.values().filter(|key| !is_known(key.field)) {
            let author = key.survivors.first().and_then(|first| authors.get(&first.entry));
            let Some(author) = author else { continue };
            shown.entry(key.field).or_insert_with(|| FieldShown {
                value: RevealedValue::Hidden,
                class: key.class.name().to_owned(),
                device: author.device,
                person: author.entry.header.person,
                claimed_at: Some(When(author.entry.header.claimed_at)),
                entry: EntryRef::from(&author.entry),
                others: Vec::new(),
            });
        }
        shown.into_iter().map(|(number, field)| (format!("~{number}"), field)).collect()
    }

    fn operations(
        &self,
        seen: &EditSeen,
        kind: Option<&Kind>,
        area: AreaId,
        reveal: Option<&str>,
    ) -> Vec<(String, AddedValue)> {
        let mut all: Vec<(usize, String, AddedValue)> = Vec::new();
        for (_, section) in SectionRead::of(&seen.entry) {
            let SectionRead::Ops(section) = section else { continue };
            for op in section.ops() {
                let field = kind.and_then(|kind| kind.field_numbered(op.field));
                let Some(field) = field else {
                    let value =
                        AddedValue { op: op_word(op).to_owned(), value: RevealedValue::Hidden };
                    all.push((usize::MAX, format!("~{}", op.field), value));
                    continue;
                };
                let veil = self.veil(field.class, area, reveal);
                let value = match &op.action {
                    Action::Put(value) if op.element.is_none() => veil.over(json(field, value)),
                    Action::Put(value) => {
                        veil.over(field.show(op.element.as_deref(), value).into())
                    }
                    Action::Remove => match &op.element {
                        Some(element) => veil.over(element.clone().into()),
                        None => RevealedValue::Shown(serde_json::Value::Null),
                    },
                };
                let place = kind.and_then(|kind| {
                    kind.fields.iter().position(|declared| declared.number == field.number)
                });
                let shown = AddedValue { op: op_word(op).to_owned(), value };
                all.push((place.unwrap_or(usize::MAX), field.name.to_owned(), shown));
            }
        }
        all.sort_by_key(|(place, ..)| *place);
        merge_elements(all.into_iter().map(|(_, name, value)| (name, value)))
    }

    /// The verdicts of a layer. A device that waits sees what it wrote, or it could not go on.
    fn verdicts_of(&self, layer: Option<Layer>) -> BTreeSet<RecordVerdict> {
        match layer {
            None if self.waits() || self.me().is_some_and(|me| me.open_only) => {
                [RecordVerdict::Counting, RecordVerdict::Waiting].into()
            }
            None | Some(Layer::Counting) => [RecordVerdict::Counting].into(),
            Some(Layer::Waiting) => [RecordVerdict::Waiting].into(),
            Some(Layer::Quarantined) => {
                [RecordVerdict::Quarantined, RecordVerdict::SetAside].into()
            }
            Some(Layer::All) => BTreeSet::new(),
        }
    }

    fn filter(&self, ask: &ListAsk) -> Result<RowFilter, NodeError> {
        let verdicts = self.verdicts_of(ask.layer);
        let mut filter = RowFilter { verdicts, ..RowFilter::default() };
        if let Some(kind) = &ask.kind {
            let unknown = || NodeError::KindUnknown { kind: kind.clone() };
            filter.kinds.insert(self.env.schema.kind(kind).ok_or_else(unknown)?.number);
        }
        if let Some(code) = &ask.area {
            let area = self.area(code)?;
            filter.areas.insert(area);
            filter.areas.extend(self.tree().descendants(area));
        }
        filter.terms.extend(ask.status.iter().map(|state| (TermKind::Status, state.clone())));
        filter.conflicts_only = ask.conflicts_only;
        if let Some(query) = &ask.query {
            let terms = query_terms(query);
            // A filter without terms would be no search: all records.
            if terms.is_empty() {
                return Err((&reason::QUERY).into());
            }
            filter.terms.extend(terms);
        }
        Ok(filter)
    }

    fn label(&self, kind: &Kind, state: &RecordState, area: AreaId) -> Option<String> {
        let class = kind.field(kind.label)?.class;
        let shown = class != FieldClass::Specific && self.may_read(class.section(), area);
        shown.then(|| kind.label(state)).flatten()
    }

    /// What stands before a value of this class for whoever asks.
    fn veil(&self, class: FieldClass, area: AreaId, reveal: Option<&str>) -> Veil {
        if !self.may_read(class.section(), area) {
            Veil::Sealed
        } else if class == FieldClass::Specific && reveal.is_none_or(str::is_empty) {
            Veil::Hidden
        } else {
            Veil::None
        }
    }
}

/// Whether a value may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Veil {
    None,
    Hidden,
    Sealed,
}

impl Veil {
    fn over(self, value: serde_json::Value) -> RevealedValue {
        match self {
            Self::None => RevealedValue::Shown(value),
            Self::Hidden => RevealedValue::Hidden,
            Self::Sealed => RevealedValue::Sealed,
        }
    }
}

/// A value in its JSON type: numbers and truths as such, everything else as people type it.
fn json(field: &Field, value: &Value) -> serde_json::Value {
    match value {
        Value::Int(number) => (*number).into(),
        Value::Bool(truth) => (*truth).into(),
        Value::Flag => true.into(),
        Value::Date(_) | Value::Text(_) => field.show(None, value).into(),
    }
}

fn conflict_value(
    field: &Field,
    survivor: &Survivor,
    authors: &Authors,
    veil: Veil,
) -> Option<ConflictValue> {
    let author = authors.get(&survivor.entry)?;
    Some(ConflictValue {
        value: veil.over(json(field, &survivor.value)),
        device: author.device,
        person: author.entry.header.person,
        claimed_at: Some(When(author.entry.header.claimed_at)),
        entry: EntryRef::from(&author.entry),
    })
}

const fn op_word(op: &Op) -> &'static str {
    match (&op.action, &op.element) {
        (Action::Put(_), None) => "put",
        (Action::Put(_), Some(_)) => "add",
        (Action::Remove, None) => "clear",
        (Action::Remove, Some(_)) => "remove",
    }
}

/// Several elements of one field become one pair with a list, for a name stands once in an object;
/// a field with both kinds of operation keeps the second under `name-`.
fn merge_elements(all: impl Iterator<Item = (String, AddedValue)>) -> Vec<(String, AddedValue)> {
    let mut merged: Vec<(String, AddedValue)> = Vec::new();
    for (name, added) in all {
        let name = if added.op == "remove" { format!("{name}-") } else { name };
        match merged.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => known.value = joined(&known.value, added.value),
            None => merged.push((name, added)),
        }
    }
    merged
}

fn joined(known: &RevealedValue, more: RevealedValue) -> RevealedValue {
    match (known, more) {
        (RevealedValue::Shown(known), RevealedValue::Shown(more)) => {
            let mut list = known.as_array().cloned().unwrap_or_else(|| vec![known.clone()]);
            list.push(more);
            RevealedValue::Shown(serde_json::Value::Array(list))
        }
        (_, veiled) => veiled,
    }
}

fn kind_name(kind: Option<&Kind>, number: u16) -> String {
    kind.map_or_else(|| format!("~{number}"), |kind| kind.name.to_owned())
}

const fn verdict_word(verdict: RecordVerdict) -> Verdict {
    match verdict {
        RecordVerdict::Counting => Verdict::Counting,
        RecordVerdict::Waiting => Verdict::Waiting,
        RecordVerdict::Quarantined => Verdict::Quarantined,
        RecordVerdict::SetAside => Verdict::SetAside,
    }
}

const fn edit_word(verdict: EntryVerdict) -> Verdict {
    match verdict {
        EntryVerdict::Counting => Verdict::Counting,
        EntryVerdict::Provisional => Verdict::Waiting,
        EntryVerdict::Quarantined => Verdict::Quarantined,
    }
}

fn class_file(file: &Path, class: Class) -> PathBuf {
    match class {
        Class::Open => file.to_path_buf(),
        Class::Tally | Class::Personal | Class::Specific => {
            let mut name = file.file_name().unwrap_or_default().to_os_string();
            name.push(".");
            name.push(class.name());
            file.with_file_name(name)
        }
    }
}

/// Where a page ended, as text: area id, kind, record.
fn cursor(key: &RecordKey) -> String {
    format!("{}-{}-{}", key.area, key.kind, key.record)
}

fn parse_cursor(text: &str) -> Result<RecordKey, NodeError> {
    let usage =
        || NodeError::from(Because::of(&reason::CURSOR).typed("given", Echo::nothing(text)));
    let mut parts = text.splitn(3, '-');
    let mut next = || parts.next().ok_or_else(usage);
    let area: AreaId = next()?.parse().map_err(|_| usage())?;
    let kind = next()?.parse().map_err(|_| usage())?;
    let record: RecordId = next()?.parse().map_err(|_| usage())?;
    Ok(RecordKey { area, kind, record })
}
