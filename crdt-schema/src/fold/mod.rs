//! What the edits of one record come to: surviving values, conflicts, heads.
//!
//! ```text
//! FoldEntry.. ──► causal.rs: who is complete, in which order ──► survive.rs: which values survive ──► state.rs: RecordState
//!                 past.rs: is this entry in the past of that one?                                    bytes.rs: its bytes in a view row
//! ```
//! Of one record and class the fold takes every entry that counts, is *complete* (every entry of its
//! past is held) and has a well-formed section of that class. The *past* is everything reached along
//! deps, also through entries that do not count or have no section here. A value survives unless a
//! folded entry that has it in its past puts or removes the same key. Shown is the greatest
//! (operation counter, actor), which is what Automerge shows of the same edits: `document.rs` builds
//! that document, and a property test holds both equal. Nothing else is an input: no clock, no
//! arrival order, no key of this node beyond what it opened.
//!
//! Which fields exist and how their values read is `record`'s.

mod bytes;
mod causal;
mod past;
mod state;
mod survive;

use std::collections::BTreeMap;

use crate::class::Class;
use crate::edit::Section;
use crate::entry::{Entry, Form};
use crate::id::EntryId;

use causal::Causal;
pub(crate) use state::actor;
pub use state::{Key, OpId, RecordState, Survivor};

#[cfg(test)]
mod tests;

/// An entry as the fold sees it: judged, opened as far as this node's keys go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoldEntry {
    /// BLAKE3 of the header; names one entry, so a second with the same id is ignored.
    pub id: EntryId,
    /// What the author had seen, any order. A foreign author may name anything.
    pub deps: Vec<EntryId>,
    /// Whether authority lets it count. One that does not (provisional, quarantined) changes no
    /// value and is no head, but pasts go through it.
    pub counts: bool,
    /// The sections its header names, each class once; one that is missing has no say there.
    pub sections: Vec<(Class, SectionRead)>,
}

/// What became of reading one section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SectionRead {
    /// Well-formed operations.
    Ops(Section),
    /// Sealed to others, or dropped under a release: not folded here, no warning.
    Unreadable,
    /// Bytes that are no section: absent in its class, touches no other, shows a warning.
    Malformed,
}

impl SectionRead {
    /// Reads every section of `entry` that lies in clear.
    pub fn of(entry: &Entry) -> Vec<(Class, Self)> {
        let heads = entry.header.sections.iter();
        heads.map(|head| (head.class, Self::one(entry, head.class, head.form))).collect()
    }

    fn one(entry: &Entry, class: Class, form: Form) -> Self {
        let is_held = entry
            .header
            .sections
            .iter()
            .zip(&entry.bodies)
            .any(|(head, body)| head.class == class && body.is_some());
        match entry.open_body(class) {
            Some(body) => Section::decode(body).map_or(Self::Malformed, Self::Ops),
            // Held and in clear, yet too short for its salt.
            None if is_held && form != Form::Sealed => Self::Malformed,
            None => Self::Unreadable,
        }
    }

    /// The operations, if there are any to fold.
    pub const fn ops(&self) -> Option<&Section> {
        match self {
            Self::Ops(section) => Some(section),
            Self::Unreadable | Self::Malformed => None,
        }
    }
}

impl FoldEntry {
    /// The well-formed section of `class`. Should a class stand twice, the first one speaks.
    pub fn section(&self, class: Class) -> Option<&Section> {
        self.sections.iter().find(|(named, _)| *named == class).and_then(|(_, read)| read.ops())
    }
}

/// What the entries of one record come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folded {
    /// Surviving values and heads.
    pub state: RecordState,
    /// Counting entries with a past that is not held: they wait, with all that build on them.
    /// Entries that do not count are left out, for other nodes need not hold them.
    pub incomplete: usize,
    /// Malformed sections of folded entries, ascending: each shows a warning.
    pub malformed: Vec<(EntryId, Class)>,
    /// Steps of the longest way back to an entry without deps, for every complete entry.
    pub depths: BTreeMap<EntryId, u64>,
}

/// Folds the entries of one record, in any order.
///
/// Terminates on any claim, cycles too, without recursion. Where each entry names all before it, time and
/// memory are those of its length. Where entries stay apart, each put of a key is looked at for each later
/// entry that has the key: time in the square of the length, at worst times a sixty-fourth of it where
/// thousands overwrite what thousands wrote; pasts take 16 MiB at most, and each put a bit for each entry
/// from the second that overwrote it on.
///
/// ```
/// use crdt_schema::class::Class;
/// use crdt_schema::edit::{Op, Section, Value};
/// use crdt_schema::fold::{FoldEntry, SectionRead, fold};
/// use crdt_schema::id::EntryId;
///
/// let edit = |id: u8, deps: Vec<EntryId>, number: i64| -> Result<_, crdt_schema::edit::EditError> {
///     let ops = Section::from_ops(vec![Op::put(4, Value::Int(number))])?;
///     let sections = vec![(Class::Open, SectionRead::Ops(ops))];
///     Ok(FoldEntry { id: EntryId([id; 32]), deps, counts: true, sections })
/// };
/// let created = edit(1, vec![], 5)?;
/// let (here, there) = (edit(2, vec![created.id], 6)?, edit(3, vec![created.id], 7)?);
/// let state = fold(&[there.clone(), created, here.clone()]).state;
/// assert_eq!(state.heads(), [here.id, there.id]);
/// assert_eq!(state.survivors(Class::Open, 4, None).len(), 2);
/// assert!(state.conflicts().contains(&(Class::Open, 4)));
/// # Ok::<(), crdt_schema::edit::EditError>(())
/// ```
pub fn fold(entries: &[FoldEntry]) -> Folded {
    fold_with(entries, Fault::None)
}

/// Bytes of pasts that are kept at once. Records that people write need some KiB at most; one that
/// somebody made so that all pasts are needed to its end would need a bit for each pair of entries,
/// and takes time instead.
const PASTS_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A mistake planted on purpose, so that tests can show that they would find it.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The fold as it is meant.
    None,
    /// A dep that is not held is taken for one that never was.
    IncompleteFolded,
    /// A dep that does not count is dropped instead of standing for its own deps.
    DeadDepDropped,
    /// A malformed section takes the whole edit with it.
    MalformedRefusesAll,
}

#[doc(hidden)]
pub fn fold_with(entries: &[FoldEntry], fault: Fault) -> Folded {
    fold_within(entries, fault, PASTS_BYTES_MAX)
}

/// With room for so many bytes of pasts: it takes another time, and changes nothing.
#[doc(hidden)]
pub fn fold_within(entries: &[FoldEntry], fault: Fault, room_bytes: usize) -> Folded {
    let causal = Causal::of(entries, fault);
    Folded {
        state: survive::state(&causal, fault, room_bytes).0,
        incomplete: causal.incomplete,
        malformed: malformed(&causal),
        depths: causal.nodes.iter().map(|node| (node.entry.id, node.depth as u64)).collect(),
    }
}

fn malformed(causal: &Causal<'_>) -> Vec<(EntryId, Class)> {
    let counting = causal.nodes.iter().map(|node| node.entry).filter(|entry| entry.counts);
    let mut found: Vec<_> = counting
        .flat_map(|entry| entry.sections.iter().map(|(class, read)| (entry.id, *class, read)))
        .filter(|(_, _, read)| **read == SectionRead::Malformed)
        .map(|(id, class, _)| (id, class))
        .collect();
    found.sort_unstable();
    found
}
