//! The Automerge document of a record and class: reference, history and export.
//!
//! The only file that speaks Automerge. It never applies bytes that came from elsewhere, for
//! Automerge panics on some and saves others to something that does not load: each document is
//! built from typed operations, from the start, in order (depth, entry id), and thrown away once
//! saved. Views come from `fold`; a property test holds both equal, so nothing here is shared
//! with it: this file walks the entries in its own way and asks Automerge what is visible.
//!
//! | edit                        | document                                                         |
//! |-----------------------------|------------------------------------------------------------------|
//! | entry with a section        | one change, sequence 1, no time; an empty one if nothing is emitted |
//! | its actor                   | BLAKE3 of entry id and class, so fresh for every edit            |
//! | its deps                    | the changes it names, implied ones too; an entry without a change stands for its own deps |
//! | scalar, element of a field  | key `FIELD`, `FIELD/ELEMENT` of the root map, FIELD in decimal   |
//! | remove of what is not there | nothing                                                          |
//!
//! | value | Automerge scalar                                                     |
//! |-------|----------------------------------------------------------------------|
//! | flag  | null: a set's element has no value but its presence                  |
//! | bool  | boolean                                                              |
//! | int   | int                                                                  |
//! | text  | string                                                               |
//! | date  | string `YYYY-MM-DD`; that it is a date stands with the field         |

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::legacy::{Key, ObjectId, Op as LegacyOp, OpId as LegacyOpId, OpType};
use automerge::{
    ActorId, Automerge, AutomergeError, Change, ChangeHash, ExpandedChange, ObjId, ROOT, ReadDoc,
    ScalarValue,
};
use thiserror::Error;

use crate::class::Class;
use crate::edit::{Action, Op, Section, Value};
use crate::fold::{FoldEntry, OpId, actor};
use crate::id::EntryId;

/// Entries with a section of one class that a record may have to get a document of it: daily edits
/// for five years. Automerge's cost grows with the square: at worst, when hundreds write apart, this
/// many take two seconds on a desk machine.
pub const DOCUMENT_ENTRIES_MAX: usize = 2_048;
/// Operations of one record and class, so that the largest document stays near ten megabytes.
pub const DOCUMENT_OPS_MAX: usize = 65_536;
/// Deps of all changes of one class: entries that do not count stand for their own deps, and a
/// mesh of them could multiply.
pub const DOCUMENT_DEPS_MAX: usize = 65_536;

/// Why a record gets no documents. Its views stand, they need none.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// More than [`DOCUMENT_ENTRIES_MAX`].
    #[error("more than {DOCUMENT_ENTRIES_MAX} entries in class {}", .0.name())]
    TooManyEntries(Class),
    /// More than [`DOCUMENT_OPS_MAX`].
    #[error("more than {DOCUMENT_OPS_MAX} operations in class {}", .0.name())]
    TooManyOps(Class),
    /// More than [`DOCUMENT_DEPS_MAX`].
    #[error("more than {DOCUMENT_DEPS_MAX} deps in class {}", .0.name())]
    TooManyDeps(Class),
    /// Automerge would not have it.
    #[error("automerge refused the document of class {}", class.name())]
    Refused {
        /// Which document.
        class: Class,
        /// What it said.
        source: AutomergeError,
    },
    /// Automerge broke; the document was thrown away.
    #[error("automerge panicked over the document of class {}", .0.name())]
    Panicked(Class),
}

impl DocumentError {
    /// Whether the record is too large, and nothing is wrong with it.
    pub const fn is_beyond(&self) -> bool {
        matches!(self, Self::TooManyEntries(_) | Self::TooManyOps(_) | Self::TooManyDeps(_))
    }
}

/// A saved document that any Automerge of version 2 or later opens.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordDocument {
    /// Automerge's own format, whole history, deflated where that is shorter. May be personal.
    pub bytes: Vec<u8>,
    /// Its heads in hex, ascending: equal heads, equal document.
    pub heads: Vec<String>,
    class: Class,
}

impl std::fmt::Debug for RecordDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecordDocument").field("heads", &self.heads).finish_non_exhaustive()
    }
}

/// One of the values a document holds under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentValue {
    /// As [`stored`] has it.
    pub value: Value,
    /// Automerge's id of the operation that put it.
    pub op: OpId,
}

/// What comes back from a document for `value`: a date as its text, everything else as it was.
pub fn stored(value: &Value) -> Value {
    match value {
        Value::Date(date) => Value::Text(date.to_string()),
        Value::Flag | Value::Bool(_) | Value::Int(_) | Value::Text(_) => value.clone(),
    }
}

/// The document key of a field or element. A field number holds no slash, so the first one ends it.
pub fn document_key(field: u16, element: Option<&str>) -> String {
    element.map_or_else(|| field.to_string(), |element| format!("{field}/{element}"))
}

/// Builds the document of every class that some folded entry has a section of: the same bytes on
/// every node that holds and reads the same entries.
///
/// # Errors
/// [`DocumentError`] beyond a limit, or when Automerge refuses or panics.
pub fn documents(entries: &[FoldEntry]) -> Result<BTreeMap<Class, RecordDocument>, DocumentError> {
    let history = relevant(in_order(entries));
    let mut documents = BTreeMap::new();
    for class in Class::ALL {
        let edits = edits(&history, class)?;
        if !edits.is_empty() {
            documents.insert(class, guarded(class, || build(class, &edits))?);
        }
    }
    Ok(documents)
}

impl RecordDocument {
    /// What other tools would find in the saved bytes: under each key every surviving value, the
    /// one shown first, the others by descending id.
    ///
    /// # Errors
    /// [`DocumentError::Refused`] or [`DocumentError::Panicked`] when Automerge does not open them.
    pub fn values(&self) -> Result<BTreeMap<String, Vec<DocumentValue>>, DocumentError> {
        guarded(self.class, || {
            let document = Automerge::load(&self.bytes)?;
            document.keys(ROOT).map(|key| Ok((key.clone(), values_at(&document, &key)?))).collect()
        })
    }
}

fn values_at(document: &Automerge, key: &str) -> Result<Vec<DocumentValue>, AutomergeError> {
    let shown = document.get(ROOT, key)?.and_then(|(_, id)| op_id(&id));
    let all = document.get_all(ROOT, key)?;
    let mut values: Vec<DocumentValue> = all
        .iter()
        .filter_map(|(value, id)| {
            let value = from_scalar(value.as_scalar()?)?;
            Some(DocumentValue { value, op: op_id(id)? })
        })
        .collect();
    values.sort_by_key(|value| (Some(value.op) != shown, std::cmp::Reverse(value.op)));
    Ok(values)
}

/// Runs Automerge where a panic loses nothing but the document it happened in.
fn guarded<T>(
    class: Class,
    work: impl FnOnce() -> Result<T, AutomergeError>,
) -> Result<T, DocumentError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(|source| DocumentError::Refused { class, source }),
        Err(_) => Err(DocumentError::Panicked(class)),
    }
}

/// The complete entries by (depth, entry id).
fn in_order(entries: &[FoldEntry]) -> Vec<&FoldEntry> {
    let mut held: BTreeMap<EntryId, &FoldEntry> = BTreeMap::new();
    for entry in entries {
        held.entry(entry.id).or_insert(entry);
    }
    let mut named_by: BTreeMap<EntryId, Vec<EntryId>> = BTreeMap::new();
    let mut awaits: BTreeMap<EntryId, usize> = BTreeMap::new();
    for entry in held.values() {
        let deps: BTreeSet<EntryId> = entry.deps.iter().copied().collect();
        awaits.insert(entry.id, deps.len());
        for dep in deps {
            named_by.entry(dep).or_default().push(entry.id);
        }
    }
    let free = |awaits: &BTreeMap<EntryId, usize>, id: &EntryId| awaits.get(id) == Some(&0);
    let mut layer: Vec<EntryId> = held.keys().filter(|id| free(&awaits, id)).copied().collect();
    let mut ordered = Vec::new();
    // An entry is free once its last dep is placed, which is the deepest: so a layer is a depth.
    while !layer.is_empty() {
        ordered.extend(layer.iter().filter_map(|id| held.get(id).copied()));
        let mut next = BTreeSet::new();
        for id in layer.iter().filter_map(|id| named_by.get(id)).flatten() {
            if let Some(count) = awaits.get_mut(id) {
                *count -= 1;
            }
            if free(&awaits, id) {
                next.insert(*id);
            }
        }
        layer = next.into_iter().collect();
    }
    ordered
}

/// Only what counts and what that rests on: what else lies here differs from node to node, and
/// must not decide whether a limit is reached.
fn relevant(history: Vec<&FoldEntry>) -> Vec<&FoldEntry> {
    let mut needed: BTreeSet<EntryId> = BTreeSet::new();
    for entry in history.iter().rev() {
        if entry.counts || needed.contains(&entry.id) {
            needed.insert(entry.id);
            needed.extend(&entry.deps);
        }
    }
    history.into_iter().filter(|entry| needed.contains(&entry.id)).collect()
}

/// An entry with a section of the class, and the entries whose changes its change names.
struct Edit<'a> {
    id: EntryId,
    section: &'a Section,
    deps: BTreeSet<EntryId>,
}

fn edits<'a>(history: &[&'a FoldEntry], class: Class) -> Result<Vec<Edit<'a>>, DocumentError> {
    let mut stands_for: BTreeMap<EntryId, BTreeSet<EntryId>> = BTreeMap::new();
    let mut edits = Vec::new();
    let (mut ops, mut deps_total) = (0, 0);
    for entry in history {
        let named = entry.deps.iter().filter_map(|dep| stands_for.get(dep));
        let deps: BTreeSet<EntryId> = named.flatten().copied().collect();
        deps_total += deps.len();
        if deps_total > DOCUMENT_DEPS_MAX {
            return Err(DocumentError::TooManyDeps(class));
        }
        let Some(section) = entry.section(class).filter(|_| entry.counts) else {
            stands_for.insert(entry.id, deps);
            continue;
        };
        ops += section.ops().len();
        if edits.len() == DOCUMENT_ENTRIES_MAX {
            return Err(DocumentError::TooManyEntries(class));
        }
        if ops > DOCUMENT_OPS_MAX {
            return Err(DocumentError::TooManyOps(class));
        }
        stands_for.insert(entry.id, BTreeSet::from([entry.id]));
        edits.push(Edit { id: entry.id, section, deps });
    }
    Ok(edits)
}

/// What later changes need to know of one that is built.
#[derive(Clone, Copy)]
struct Built {
    hash: ChangeHash,
    max_op: u64,
}

/// A document in the making.
///
/// Applying changes one by one costs Automerge the length of the document each time. So they wait
/// until an edit comes that had seen only part of what is built, for then Automerge must say what
/// was visible there; to one that had seen everything, `visible` tells.
struct Builder {
    class: Class,
    document: Automerge,
    pending: Vec<Change>,
    built: BTreeMap<EntryId, Built>,
    /// Entries whose changes no other change names.
    heads: BTreeSet<EntryId>,
    /// By key, the operations that survive all changes built so far.
    visible: BTreeMap<String, Vec<LegacyOpId>>,
}

fn build(class: Class, edits: &[Edit<'_>]) -> Result<RecordDocument, AutomergeError> {
    let mut builder = Builder {
        class,
        document: Automerge::new(),
        pending: Vec::new(),
        built: BTreeMap::new(),
        heads: BTreeSet::new(),
        visible: BTreeMap::new(),
    };
    for edit in edits {
        builder.add(edit)?;
    }
    builder.apply_pending()?;
    let document = builder.document;
    let mut heads: Vec<String> = document.get_heads().iter().map(ToString::to_string).collect();
    heads.sort_unstable();
    Ok(RecordDocument { bytes: document.save(), heads, class })
}

impl Builder {
    fn apply_pending(&mut self) -> Result<(), AutomergeError> {
        self.document.apply_changes(std::mem::take(&mut self.pending))
    }

    fn add(&mut self, edit: &Edit<'_>) -> Result<(), AutomergeError> {
        let change = self.change(edit)?;
        self.built.insert(edit.id, Built { hash: change.hash(), max_op: change.max_op() });
        self.heads.retain(|head| !edit.deps.contains(head));
        self.heads.insert(edit.id);
        self.pending.push(change);
        Ok(())
    }

    fn change(&mut self, edit: &Edit<'_>) -> Result<Change, AutomergeError> {
        let named = edit.deps.iter().filter_map(|dep| self.built.get(dep));
        let below = named.clone().map(|dep| dep.max_op).max().unwrap_or(0);
        let mut deps: Vec<ChangeHash> = named.map(|dep| dep.hash).collect();
        deps.sort_unstable();
        let actor_id = ActorId::from(actor(&edit.id, self.class));
        let has_seen_all = self.heads.is_subset(&edit.deps);
        if !has_seen_all {
            self.apply_pending()?;
        }
        let mut operations = Vec::new();
        let mut counter = below;
        for op in edit.section.ops() {
            let key = document_key(op.field, op.element.as_deref());
            let seen = if has_seen_all {
                self.visible.get(&key).cloned().unwrap_or_default()
            } else {
                visible_at(&self.document, &key, &deps)?
            };
            if let Some(operation) = operation(op, &key, &seen) {
                counter += 1;
                self.note(key, &operation, &seen, LegacyOpId::new(counter, &actor_id));
                operations.push(operation);
            }
        }
        let start_op = NonZeroU64::MIN.saturating_add(below);
        Ok(Change::from(expanded(operations, actor_id, start_op, deps)))
    }

    /// Keeps `visible` true after `operation` in place of what it had `seen`.
    fn note(&mut self, key: String, operation: &LegacyOp, seen: &[LegacyOpId], id: LegacyOpId) {
        let visible = self.visible.entry(key).or_default();
        visible.retain(|put| !seen.contains(put));
        if operation.action != OpType::Delete {
            visible.push(id);
        }
    }
}

fn expanded(
    operations: Vec<LegacyOp>,
    actor_id: ActorId,
    start_op: NonZeroU64,
    deps: Vec<ChangeHash>,
) -> ExpandedChange {
    ExpandedChange {
        operations,
        actor_id,
        hash: None,
        seq: 1,
        start_op,
        time: 0,
        message: None,
        deps,
        extra_bytes: Vec::new(),
        author: None,
    }
}

/// What Automerge shows under `key` to one who has seen the changes `heads` and all before them.
fn visible_at(
    document: &Automerge,
    key: &str,
    heads: &[ChangeHash],
) -> Result<Vec<LegacyOpId>, AutomergeError> {
    if heads.is_empty() {
        return Ok(Vec::new());
    }
    let all = document.get_all_at(ROOT, key, heads)?;
    let ids = all.into_iter().filter_map(|(_, id)| match id {
        ObjId::Id(counter, actor, _) => Some(LegacyOpId::new(counter, &actor)),
        ObjId::Root => None,
    });
    Ok(ids.collect())
}

/// `op` in place of what was `seen`; `None` for a remove of nothing.
fn operation(op: &Op, key: &str, seen: &[LegacyOpId]) -> Option<LegacyOp> {
    let action = match &op.action {
        Action::Put(value) => OpType::Put(to_scalar(value)),
        Action::Remove if seen.is_empty() => return None,
        Action::Remove => OpType::Delete,
    };
    let (key, pred) = (Key::Map(key.into()), seen.iter().cloned().collect());
    Some(LegacyOp { action, obj: ObjectId::Root, key, pred, insert: false })
}

fn op_id(id: &ObjId) -> Option<OpId> {
    let ObjId::Id(counter, actor, _) = id else { return None };
    Some(OpId { counter: *counter, actor: actor.to_bytes().try_into().ok()? })
}

fn to_scalar(value: &Value) -> ScalarValue {
    match value {
        Value::Flag => ScalarValue::Null,
        Value::Bool(answer) => ScalarValue::Boolean(*answer),
        Value::Int(number) => ScalarValue::Int(*number),
        Value::Date(date) => ScalarValue::Str(date.to_string().into()),
        Value::Text(text) => ScalarValue::Str(text.as_str().into()),
    }
}

/// `None` for scalars that [`to_scalar`] never writes.
fn from_scalar(scalar: &ScalarValue) -> Option<Value> {
    Some(match scalar {
        ScalarValue::Null => Value::Flag,
        ScalarValue::Boolean(answer) => Value::Bool(*answer),
        ScalarValue::Int(number) => Value::Int(*number),
        ScalarValue::Str(text) => Value::Text(text.to_string()),
        ScalarValue::Bytes(_)
        | ScalarValue::Uint(_)
        | ScalarValue::F64(_)
        | ScalarValue::Counter(_)
        | ScalarValue::Timestamp(_)
        | ScalarValue::Unknown { .. } => return None,
    })
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test that panics is a test that fails"
    )]
    use automerge::AutoCommit;
    use automerge::transaction::{CommitOptions, Transactable};

    use super::*;
    use crate::edit::Date;
    use crate::fold::{SectionRead, fold};
    use crate::testing::History;

    fn id(number: usize) -> EntryId {
        EntryId(*blake3::hash(&number.to_be_bytes()).as_bytes())
    }

    fn edit(number: usize, deps: &[usize], ops: Vec<Op>) -> FoldEntry {
        let section = SectionRead::Ops(Section::from_ops(ops).unwrap());
        let deps = deps.iter().map(|dep| id(*dep)).collect();
        FoldEntry { id: id(number), deps, counts: true, sections: vec![(Class::Open, section)] }
    }

    fn put(field: u16, number: i64) -> Op {
        Op::put(field, Value::Int(number))
    }

    /// Three edits, two of them apart; one removes, one removes nothing and says nothing else.
    fn history() -> Vec<FoldEntry> {
        let flag = Op::put_element(4, "07", Value::Flag);
        vec![
            edit(1, &[], vec![put(1, 1), put(2, 7), flag]),
            edit(2, &[1], vec![put(1, 2), Op::remove(2), Op::remove(3), put(5, 5)]),
            edit(3, &[1], vec![put(1, 3), Op::remove_element(4, "07")]),
            edit(4, &[2, 3], vec![put(1, 4)]),
            edit(5, &[4], vec![Op::remove(3)]),
        ]
    }

    /// What authors would have written who hold just what they had seen, and use transactions.
    fn by_transactions(edits: &[Edit<'_>]) -> Vec<String> {
        let mut all = Automerge::new();
        let mut hashes: BTreeMap<EntryId, ChangeHash> = BTreeMap::new();
        for edit in edits {
            let heads: Vec<ChangeHash> = edit.deps.iter().map(|dep| hashes[dep]).collect();
            let mut own = all.fork_at(&heads).unwrap();
            own.set_actor(ActorId::from(actor(&edit.id, Class::Open)));
            let mut transaction = own.transaction();
            for op in edit.section.ops() {
                let key = document_key(op.field, op.element.as_deref());
                match &op.action {
                    Action::Put(value) => transaction.put(ROOT, key, to_scalar(value)).unwrap(),
                    Action::Remove => transaction.delete(ROOT, key).unwrap(),
                }
            }
            let options = || CommitOptions::default().with_time(0);
            let (hash, _) = transaction.commit_with(options());
            hashes.insert(edit.id, hash.unwrap_or_else(|| own.empty_commit(options())));
            all.merge(&mut own).unwrap();
        }
        let mut heads: Vec<String> = all.get_heads().iter().map(ToString::to_string).collect();
        heads.sort_unstable();
        heads
    }

    /// Automerge's `put` of what stands there already is nothing, ours is an operation: so that
    /// the two may be compared, no value comes twice.
    fn without_repeats(mut entries: Vec<FoldEntry>) -> Vec<FoldEntry> {
        let mut number = 0;
        let mut fresh = |op: &Op| match op.action {
            Action::Remove => op.clone(),
            Action::Put(_) => {
                number += 1;
                Op { action: Action::Put(Value::Int(number)), ..op.clone() }
            }
        };
        for (_, read) in entries.iter_mut().flat_map(|entry| &mut entry.sections) {
            if let SectionRead::Ops(section) = read {
                let ops = section.ops().iter().map(&mut fresh).collect();
                *section = Section::from_ops(ops).unwrap();
            }
        }
        entries
    }

    /// A transaction names no dep that another of its deps implies; an entry that stands for its
    /// own deps may bring one in.
    fn without_implied_deps(mut edits: Vec<Edit<'_>>) -> Vec<Edit<'_>> {
        let mut pasts: BTreeMap<EntryId, BTreeSet<EntryId>> = BTreeMap::new();
        for edit in &mut edits {
            let implied: BTreeSet<EntryId> =
                edit.deps.iter().flat_map(|dep| &pasts[dep]).copied().collect();
            let past = edit.deps.union(&implied).copied().collect();
            edit.deps.retain(|dep| !implied.contains(dep));
            pasts.insert(edit.id, past);
        }
        edits
    }

    #[test]
    fn changes_are_byte_for_byte_those_of_automerges_own_transactions() {
        let mut histories: Vec<Vec<FoldEntry>> =
            (0..60).map(|seed| without_repeats(History::new(seed, 40, 30).entries)).collect();
        histories.push(history());
        let mut apart = 0;
        for entries in histories {
            let ordered = relevant(in_order(&entries));
            let edits = without_implied_deps(edits(&ordered, Class::Open).unwrap());
            assert_eq!(build(Class::Open, &edits).unwrap().heads, by_transactions(&edits));
            apart += usize::from(edits.iter().any(|edit| edit.deps.len() > 1));
        }
        assert!(apart > 30, "only {apart} histories in which somebody wrote apart");
    }

    #[test]
    fn another_automerge_tool_opens_the_bytes_and_finds_every_value() {
        let entries = &history()[..3];
        let document = &documents(entries).unwrap()[&Class::Open];
        let tool = AutoCommit::load(&document.bytes).unwrap();
        let state = fold(entries).state;
        let keys: Vec<String> = tool.keys(ROOT).collect();
        assert_eq!(keys, ["1", "5"]);
        let survivors = state.survivors(Class::Open, 1, None);
        let found = tool.get_all(ROOT, "1").unwrap();
        assert_eq!(found.len(), 2);
        for (value, id) in &found {
            let op = op_id(id).unwrap();
            let survivor = survivors.iter().find(|one| one.op == op).unwrap();
            assert_eq!(value.as_i64(), survivor.value.as_int());
        }
        let (shown, _) = tool.get(ROOT, "1").unwrap().unwrap();
        assert_eq!(shown.as_i64(), state.shown(Class::Open, 1, None).unwrap().as_int());
    }

    #[test]
    fn every_value_type_is_found_again_under_its_key() {
        let date = Date::new(2026, 11, 25).unwrap();
        let values = [
            Value::Flag,
            Value::Bool(false),
            Value::Bool(true),
            Value::Int(i64::MIN),
            Value::Date(date),
            Value::Text(String::new()),
            Value::Text("a/b \u{1f33e}".to_owned()),
        ];
        let ops = values
            .iter()
            .cloned()
            .map(|value| Op::put_element(4, format!("x/{}", value.type_name()), value));
        for op in ops {
            let Action::Put(value) = op.action.clone() else { continue };
            let key = document_key(op.field, op.element.as_deref());
            let document = documents(&[edit(1, &[], vec![op])]).unwrap();
            let found = document[&Class::Open].values().unwrap();
            assert_eq!(found[&key][0].value, stored(&value));
        }
    }

    #[test]
    fn a_panic_costs_the_document_and_nothing_else() {
        let panicked = guarded::<()>(Class::Tally, || std::panic::panic_any("planted"));
        assert!(matches!(panicked, Err(DocumentError::Panicked(Class::Tally))));
        let foreign = RecordDocument { bytes: vec![1; 40], heads: vec![], class: Class::Open };
        assert!(foreign.values().is_err());
    }

    #[test]
    fn limits_are_counts_that_every_node_reaches_together() {
        let mut many: Vec<FoldEntry> =
            (0..=DOCUMENT_ENTRIES_MAX).map(|number| edit(number, &[], vec![])).collect();
        let refused = documents(&many);
        assert!(matches!(refused, Err(DocumentError::TooManyEntries(Class::Open))));
        // Quarantined entries lie here and not there.
        many[1..].iter_mut().for_each(|entry| entry.counts = false);
        assert_eq!(documents(&many).unwrap().len(), 1);

        let ops: Vec<Op> = (0..512).map(Op::remove).collect();
        let many: Vec<FoldEntry> = (0..129).map(|one| edit(one, &[], ops.clone())).collect();
        let refused = documents(&many);
        assert!(matches!(refused, Err(DocumentError::TooManyOps(Class::Open))));
    }

    #[test]
    fn entries_that_stand_for_their_deps_cannot_multiply_beyond_the_limit() {
        let roots: Vec<usize> = (0..1_024).collect();
        let mut entries: Vec<FoldEntry> =
            roots.iter().map(|number| edit(*number, &[], vec![])).collect();
        for (number, named) in roots.chunks(64).enumerate() {
            entries.push(FoldEntry { counts: false, ..edit(2_000 + number, named, vec![]) });
        }
        let dead: Vec<usize> = (2_000..2_016).collect();
        entries.extend((3_000..3_065).map(|number| edit(number, &dead, vec![])));
        assert!(matches!(documents(&entries), Err(DocumentError::TooManyDeps(Class::Open))));
    }
}
