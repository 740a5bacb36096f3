//! Invented histories of one record, and what must hold of each: for tests here and in the mesh.
//!
//! Pure and seeded: a failure names its seed, and the seed plays it again. Lives in the crate so
//! that unit tests run a few hundred histories and the mesh's tests many thousands of the same.
//! Nothing in a node may call this.

use std::collections::BTreeMap;

use crate::class::Class;
use crate::document::{DocumentValue, RecordDocument, document_key, documents, stored};
use crate::edit::{Date, Op, Section, Value};
use crate::fold::{Fault, FoldEntry, Folded, RecordState, SectionRead, fold, fold_with};
use crate::id::EntryId;

/// Splitmix64: the same numbers from the same seed, everywhere.
#[derive(Debug, Clone)]
pub struct Numbers(u64);

impl Numbers {
    /// Numbers from `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of 0 .. `end`; 0 if there is none.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % end).unwrap_or(0)
    }

    /// True `percent` times in a hundred.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// Any order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.below(end + 1));
        }
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len()))
    }
}

/// Places that write.
const REPLICAS: usize = 3;

/// The edits of three replicas that meet now and then, some of them odd.
#[derive(Debug, Clone)]
pub struct History {
    numbers: Numbers,
    odd_percent: usize,
    /// Everything that was ever written, as its authors meant it, with today's verdicts.
    pub entries: Vec<FoldEntry>,
    /// Per replica, places in `entries`.
    known: [Vec<usize>; REPLICAS],
}

impl History {
    /// A history of `steps` edits, meetings and verdicts, in which `odd_percent` of the edits name
    /// something else than the heads their author knows.
    pub fn new(seed: u64, steps: usize, odd_percent: usize) -> Self {
        let known = std::array::from_fn(|_| Vec::new());
        let numbers = Numbers::new(seed);
        let mut history = Self { numbers, odd_percent, entries: Vec::new(), known };
        for _ in 0..steps {
            match history.numbers.below(10) {
                0..=5 => history.write(seed),
                6..=7 => history.meet(),
                8 => history.carry_one(),
                _ => history.rejudge(),
            }
        }
        history
    }

    fn write(&mut self, seed: u64) {
        let replica = self.numbers.below(REPLICAS);
        let mut material = seed.to_be_bytes().to_vec();
        material.extend_from_slice(&self.entries.len().to_be_bytes());
        let id = EntryId(*blake3::hash(&material).as_bytes());
        let deps = self.deps(replica);
        let sections = self.sections();
        let counts = self.numbers.chance(85);
        if let Some(known) = self.known.get_mut(replica) {
            known.push(self.entries.len());
        }
        self.entries.push(FoldEntry { id, deps, counts, sections });
    }

    /// Mostly the heads, as an honest node names them; else whatever an odd or hostile one might.
    fn deps(&mut self, replica: usize) -> Vec<EntryId> {
        let known: Vec<FoldEntry> = self.at(replica).cloned().collect();
        if !self.numbers.chance(self.odd_percent) {
            return fold(&known).state.heads().to_vec();
        }
        match self.numbers.below(30) {
            0..=24 => {
                let count = 1 + self.numbers.below(4);
                (0..count).filter_map(|_| self.numbers.pick(&known)).map(|one| one.id).collect()
            }
            25..=27 => Vec::new(),
            _ => vec![EntryId(*blake3::hash(&self.numbers.next().to_be_bytes()).as_bytes())],
        }
    }

    fn at(&self, replica: usize) -> impl Iterator<Item = &FoldEntry> {
        let places = self.known.get(replica).into_iter().flatten();
        places.filter_map(|place| self.entries.get(*place))
    }

    fn sections(&mut self) -> Vec<(Class, SectionRead)> {
        let mut sections = Vec::new();
        for (class, percent) in Class::ALL.into_iter().zip([70, 20, 50, 15]) {
            if !self.numbers.chance(percent) {
                continue;
            }
            let read = match self.numbers.below(20) {
                0 => SectionRead::Malformed,
                1 => SectionRead::Unreadable,
                _ => SectionRead::Ops(section(&mut self.numbers)),
            };
            sections.push((class, read));
        }
        sections
    }

    /// One replica gets everything another has.
    fn meet(&mut self) {
        let (from, to) = (self.numbers.below(REPLICAS), self.numbers.below(REPLICAS));
        let news = self.known.get(from).cloned().unwrap_or_default();
        if let Some(known) = self.known.get_mut(to) {
            known.extend(news);
            known.sort_unstable();
            known.dedup();
        }
    }

    /// One entry reaches a replica without what it builds on.
    fn carry_one(&mut self) {
        if self.entries.is_empty() {
            return;
        }
        let (place, to) = (self.numbers.below(self.entries.len()), self.numbers.below(REPLICAS));
        if let Some(known) = self.known.get_mut(to).filter(|known| !known.contains(&place)) {
            known.push(place);
        }
    }

    /// Authority learns something: an entry counts no longer, or now does.
    fn rejudge(&mut self) {
        let place = self.numbers.below(self.entries.len());
        if let Some(entry) = self.entries.get_mut(place) {
            entry.counts = !entry.counts;
        }
    }

    /// What some node holds and reads of it, in the order it arrived: entries may be lost, come
    /// twice, and a class may be closed to this node.
    pub fn arrivals(&mut self) -> Vec<FoldEntry> {
        let is_lossy = self.numbers.chance(50);
        let closed = Class::ALL.get(self.numbers.below(12)).copied();
        let mut held = Vec::new();
        for entry in &self.entries {
            if is_lossy && self.numbers.chance(8) {
                continue;
            }
            let mut entry = entry.clone();
            for (class, read) in &mut entry.sections {
                if Some(*class) == closed {
                    *read = SectionRead::Unreadable;
                }
            }
            if self.numbers.chance(5) {
                held.push(entry.clone());
            }
            held.push(entry);
        }
        self.numbers.shuffle(&mut held);
        held
    }
}

/// Up to four operations on few keys, so that they meet.
fn section(numbers: &mut Numbers) -> Section {
    let mut ops: BTreeMap<(u16, Option<&str>), Op> = BTreeMap::new();
    for _ in 0..numbers.below(5) {
        let field = u16::try_from(1 + numbers.below(4)).unwrap_or(1);
        let element =
            if field < 3 { None } else { ["a", "b/1", "c"].get(numbers.below(3)).copied() };
        let is_remove = numbers.chance(30);
        let op = match element {
            None if is_remove => Op::remove(field),
            None => Op::put(field, value(numbers)),
            Some(element) if is_remove => Op::remove_element(field, element),
            Some(element) => Op::put_element(field, element, value(numbers)),
        };
        ops.insert((field, element), op);
    }
    Section::from_ops(ops.into_values().collect()).unwrap_or_default()
}

fn value(numbers: &mut Numbers) -> Value {
    match numbers.below(6) {
        0 => Value::Flag,
        1 => Value::Bool(numbers.chance(50)),
        2 => Date::new(2026, 11, 25).map_or(Value::Flag, Value::Date),
        3 => Value::Text(String::new()),
        4 => Value::Text(format!("synthetic {}", numbers.below(3))),
        _ => Value::Int(i64::try_from(numbers.below(3)).unwrap_or(0) - 1),
    }
}

/// Plays one history and holds the fold, with `fault` planted, against Automerge, against other
/// orders of arrival, and against one edit at a time.
///
/// # Errors
/// What does not hold, with the seed.
pub fn check_history(seed: u64, fault: Fault) -> Result<(), String> {
    let mut shape = Numbers::new(!seed);
    let (steps, odd_percent) = (4 + shape.below(40), 15 * shape.below(3));
    let mut history = History::new(seed, steps, odd_percent);
    let held = history.arrivals();
    let folded = fold_with(&held, fault);
    let found = disagreement(&held, &folded)
        .or_else(|| order_matters(&mut history, &held, &folded, fault))
        .or_else(|| classes_touch(&held, &folded, fault))
        .or_else(|| step_by_step(&held, fault))
        .or_else(|| bytes_differ(&folded.state));
    found.map_or(Ok(()), |what| Err(format!("seed {seed}: {what}")))
}

fn order_matters(
    history: &mut History,
    held: &[FoldEntry],
    folded: &Folded,
    fault: Fault,
) -> Option<String> {
    let mut again = held.to_vec();
    history.numbers.shuffle(&mut again);
    let is_equal = fold_with(&again, fault) == *folded;
    (!is_equal).then(|| "another order of arrival gives another fold".to_owned())
}

/// A node that may not read a class merges the others as everybody does.
fn classes_touch(held: &[FoldEntry], folded: &Folded, fault: Fault) -> Option<String> {
    let mut partial = held.to_vec();
    let sections = partial.iter_mut().flat_map(|entry| &mut entry.sections);
    for (_, read) in sections.filter(|(class, _)| *class == Class::Personal) {
        *read = SectionRead::Unreadable;
    }
    let there = fold_with(&partial, fault);
    let others = |folded: &Folded| {
        let classes = Class::ALL.into_iter().filter(|class| *class != Class::Personal);
        classes.map(|class| values_of(&folded.state, class)).collect::<Vec<_>>()
    };
    let is_equal = others(&there) == others(folded)
        && there.state.heads() == folded.state.heads()
        && there.depths == folded.depths;
    (!is_equal).then(|| "a reader of fewer classes sees other values in the rest".to_owned())
}

fn bytes_differ(state: &RecordState) -> Option<String> {
    let is_equal = RecordState::decode(&state.encode()).as_ref() == Ok(state);
    (!is_equal).then(|| "the state does not come back from its bytes".to_owned())
}

/// Lets the entries arrive one by one, applied where they name the heads and refolded elsewhere.
fn step_by_step(held: &[FoldEntry], fault: Fault) -> Option<String> {
    let mut now = fold_with(&[], fault);
    for end in 1..=held.len() {
        let (Some(arrived), Some(entry)) = (held.get(..end), held.get(end - 1)) else { continue };
        let mut applied = now.state.clone();
        let is_known = arrived.iter().filter(|one| one.id == entry.id).count() > 1;
        let is_applied = !is_known && now.incomplete == 0 && applied.apply(entry);
        let before = now.state;
        now = fold_with(arrived, fault);
        if is_applied && applied != now.state {
            return Some(format!("entry {} applied gives another state", end - 1));
        }
        if !is_applied && now.incomplete == 0 && !is_known && applied != before {
            return Some(format!("entry {} was not applied and changed the state", end - 1));
        }
    }
    None
}

/// Where `folded` and the Automerge documents of `entries` differ: keys, values, operation ids, or
/// which value is shown.
pub fn disagreement(entries: &[FoldEntry], folded: &Folded) -> Option<String> {
    let documents = match documents(entries) {
        Ok(documents) => documents,
        Err(error) => return Some(format!("no documents: {error}")),
    };
    for class in Class::ALL {
        let there = documents.get(&class).map(RecordDocument::values).transpose();
        let there = match there {
            Ok(values) => values.unwrap_or_default(),
            Err(error) => return Some(format!("the saved document does not load: {error}")),
        };
        let here = values_of(&folded.state, class);
        if here != there {
            return Some(format!("class {}: fold {here:?}, document {there:?}", class.name()));
        }
    }
    None
}

fn values_of(state: &RecordState, class: Class) -> BTreeMap<String, Vec<DocumentValue>> {
    let keys = state.values().filter(|key| key.class == class);
    keys.map(|key| {
        let values = key.survivors.iter();
        let values = values.map(|one| DocumentValue { value: stored(&one.value), op: one.op });
        (document_key(key.field, key.element), values.collect())
    })
    .collect()
}
