//! [`RecordState`]: what a view row keeps of a record, and how one more edit changes it.

use std::collections::BTreeSet;
use std::fmt;

use crate::class::Class;
use crate::edit::{Action, Op, Section, Value};
use crate::id::EntryId;

use super::FoldEntry;

/// Keeps these hashes apart from all others. Keyed, not derived: the fold makes one for nearly
/// every value, and a keyed hash of 33 bytes is a single compression.
const ACTOR_KEY: &[u8; 32] = b"wksbm 2026 automerge actor v1\0\0\0";

/// The id of an operation; orders as Automerge chooses the value it shows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId {
    /// One more than the greatest in the past of its entry, in its class; from 1.
    pub counter: u64,
    /// BLAKE3 of entry id and class: fresh for every edit.
    pub actor: [u8; 32],
}

impl fmt::Debug for OpId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.counter, hex::encode(self.actor.get(..4).unwrap_or_default()))
    }
}

/// Automerge's writer id for one section: BLAKE3, keyed, over entry id and class.
pub(crate) fn actor(entry: &EntryId, class: Class) -> [u8; 32] {
    let mut material = [class as u8; 33];
    let (id, _) = material.split_at_mut(32);
    id.copy_from_slice(&entry.0);
    *blake3::keyed_hash(ACTOR_KEY, &material).as_bytes()
}

/// A value that no folded entry has overwritten. `Debug` does not show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survivor {
    /// What was put.
    pub value: Value,
    /// The entry that put it: leads to the person, the device and the time.
    pub entry: EntryId,
    /// Decides which of several is shown.
    pub op: OpId,
}

/// One key with all that survives on it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key<'a> {
    /// The section it came in.
    pub class: Class,
    /// Number of the field.
    pub field: u16,
    /// Id of the element; `None` for a scalar.
    pub element: Option<&'a str>,
    /// At least one; the one shown comes first.
    pub survivors: &'a [Survivor],
}

impl fmt::Debug for Key<'_> {
    // An element's id may be a code or a name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let element = if self.element.is_some() { "/…" } else { "" };
        write!(f, "{}:{}{element}={:?}", self.class.name(), self.field, self.survivors)
    }
}

/// A key, and where its survivors end in the list of all.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct KeyState {
    pub(super) class: Class,
    pub(super) field: u16,
    pub(super) element: Option<String>,
    pub(super) end: usize,
}

impl KeyState {
    pub(super) fn order(&self) -> (Class, u16, Option<&str>) {
        (self.class, self.field, self.element.as_deref())
    }
}

/// The heads and surviving values of one record, over all classes this node may read.
///
/// A pure function of the folded entries: two nodes that hold and read the same have the same
/// bytes. The default is a record of which nothing counts.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct RecordState {
    /// Ascending.
    pub(super) heads: Vec<EntryId>,
    /// Greatest operation counter per class: where the next edit goes on.
    pub(super) tops: [u64; Class::ALL.len()],
    /// Ascending by (class, field, element).
    pub(super) keys: Vec<KeyState>,
    /// In the order of `keys`; of one key, the one shown first.
    pub(super) survivors: Vec<Survivor>,
}

impl fmt::Debug for RecordState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordState")
            .field("heads", &self.heads)
            .field("tops", &self.tops)
            .field("values", &self.values().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

impl RecordState {
    /// Counting complete entries that no other of them has in its past, over all classes,
    /// ascending: the deps of the next edit.
    pub fn heads(&self) -> &[EntryId] {
        &self.heads
    }

    /// Bytes it takes in memory, roughly: an operation of two bytes may be a hundred of them.
    pub fn weight(&self) -> usize {
        let text = |it: &Survivor| match &it.value {
            Value::Text(text) => text.len(),
            Value::Flag | Value::Bool(_) | Value::Int(_) | Value::Date(_) => 0,
        };
        size_of_val(&*self.heads)
            + size_of_val(&*self.keys)
            + size_of_val(&*self.survivors)
            + self.survivors.iter().map(text).sum::<usize>()
    }

    /// Every key with survivors, ascending by (class, field, element).
    pub fn values(&self) -> impl Iterator<Item = Key<'_>> {
        let mut start = 0;
        self.keys.iter().map(move |key| {
            let survivors = self.survivors.get(start..key.end).unwrap_or_default();
            start = key.end;
            let element = key.element.as_deref();
            Key { class: key.class, field: key.field, element, survivors }
        })
    }

    /// The value to show. A field somebody wrote into a section of another class than its own is
    /// another key: who asks names the class that is declared.
    pub fn shown(&self, class: Class, field: u16, element: Option<&str>) -> Option<&Value> {
        self.survivors(class, field, element).first().map(|survivor| &survivor.value)
    }

    /// Everything that survives on a key, the one shown first; empty when nothing does.
    pub fn survivors(&self, class: Class, field: u16, element: Option<&str>) -> &[Survivor] {
        let wanted = (class, field, element);
        let Ok(place) = self.keys.binary_search_by(|key| key.order().cmp(&wanted)) else {
            return &[];
        };
        let end_of = |place: usize| self.keys.get(place).map_or(0, |key| key.end);
        let start = place.checked_sub(1).map_or(0, end_of);
        self.survivors.get(start..end_of(place)).unwrap_or_default()
    }

    /// The elements of a set or list with the value to show of each, ascending by id.
    pub fn elements(&self, class: Class, field: u16) -> impl Iterator<Item = (&str, &Value)> {
        let of_field = move |key: &Key<'_>| (key.class, key.field) == (class, field);
        self.values().filter(of_field).filter_map(|key| {
            let shown = key.survivors.first()?;
            Some((key.element?, &shown.value))
        })
    }

    /// Fields with two *different* surviving values on one key, by class and number. The same value
    /// typed apart is agreement.
    pub fn conflicts(&self) -> BTreeSet<(Class, u16)> {
        let differ = |key: &Key<'_>| {
            let mut values = key.survivors.iter().map(|survivor| &survivor.value);
            let shown = values.next();
            values.any(|value| Some(value) != shown)
        };
        self.values().filter(differ).map(|key| (key.class, key.field)).collect()
    }

    /// Takes an entry that counts and names exactly [`RecordState::heads`]: the state is then what
    /// a fold of everything gives. Returns false, and leaves the state as it was, for any other
    /// entry: refold.
    ///
    /// Only for a record none of whose held entries waits ([`super::Folded::incomplete`] is 0):
    /// what waits for this entry, the state cannot know.
    pub fn apply(&mut self, entry: &FoldEntry) -> bool {
        if !entry.counts || !self.names_heads(entry) {
            return false;
        }
        let keys = std::mem::take(&mut self.keys);
        let survivors = std::mem::take(&mut self.survivors);
        let puts: usize =
            entry.sections.iter().filter_map(|(_, read)| read.ops()).map(|it| it.ops().len()).sum();
        self.keys.reserve(keys.len() + puts);
        self.survivors.reserve(survivors.len() + puts);
        let mut old =
            Old { keys: keys.into_iter().peekable(), survivors: survivors.into_iter(), taken: 0 };
        for class in Class::ALL {
            if let Some(section) = entry.section(class) {
                self.merge(&mut old, class, section, entry.id);
            }
        }
        old.keep_before(None, self);
        self.heads.clear();
        self.heads.push(entry.id);
        true
    }

    fn names_heads(&self, entry: &FoldEntry) -> bool {
        if self.heads.contains(&entry.id) {
            return false;
        }
        if entry.deps == self.heads {
            return true;
        }
        let mut deps = entry.deps.clone();
        deps.sort_unstable();
        deps.dedup();
        deps == self.heads
    }

    /// Goes through the keys of one section, keeping what stands before each.
    fn merge(&mut self, old: &mut Old, class: Class, section: &Section, entry: EntryId) {
        let mut by = None;
        for op in section.ops() {
            let (field, element) = op.key();
            old.keep_before(Some((class, field, element)), self);
            let was_there = old.drop_at((class, field, element));
            let Action::Put(value) = &op.action else {
                self.count(class, was_there);
                continue;
            };
            let counter = self.count(class, true);
            let actor = *by.get_or_insert_with(|| actor(&entry, class));
            let op_id = OpId { counter, actor };
            self.survivors.push(Survivor { value: value.clone(), entry, op: op_id });
            self.push_key(class, op);
        }
    }

    fn count(&mut self, class: Class, is_emitted: bool) -> u64 {
        self.tops.get_mut(class as usize).map_or(0, |top| {
            // Saturates only on a row that lies: no history gets there.
            *top = top.saturating_add(u64::from(is_emitted));
            *top
        })
    }

    fn push_key(&mut self, class: Class, op: &Op) {
        let (field, element) = (op.field, op.element.clone());
        self.keys.push(KeyState { class, field, element, end: self.survivors.len() });
    }
}

/// What stood in a state before an edit, taken from the front.
struct Old {
    keys: std::iter::Peekable<std::vec::IntoIter<KeyState>>,
    survivors: std::vec::IntoIter<Survivor>,
    taken: usize,
}

impl Old {
    /// Moves every key below `limit` over to `state`; all, without one.
    fn keep_before(&mut self, limit: Option<(Class, u16, Option<&str>)>, state: &mut RecordState) {
        let is_before = |key: &KeyState| limit.is_none_or(|limit| key.order() < limit);
        while let Some(key) = self.keys.next_if(|key| is_before(key)) {
            let count = key.end - self.taken;
            self.taken = key.end;
            state.survivors.extend(self.survivors.by_ref().take(count));
            state.keys.push(KeyState { end: state.survivors.len(), ..key });
        }
    }

    /// Drops the key itself with its survivors; whether it was there.
    fn drop_at(&mut self, wanted: (Class, u16, Option<&str>)) -> bool {
        let Some(key) = self.keys.next_if(|key| key.order() == wanted) else { return false };
        let count = key.end - self.taken;
        self.taken = key.end;
        self.survivors.by_ref().take(count).for_each(drop);
        true
    }
}
