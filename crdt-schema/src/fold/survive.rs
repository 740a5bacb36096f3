//! Which values survive, and the operation ids Automerge would give them.
//!
//! Entries are walked in causal order, once. Every key has the list of its puts, newest first;
//! each put knows the entries that overwrote it where it was visible. So a remove can be told from
//! a remove of nothing, which emits no operation and takes no counter.

use crate::class::Class;
use crate::edit::{Action, Section, Value};

use super::causal::{Causal, Node};
use super::past::Past;
use super::state::{KeyState, OpId, RecordState, Survivor, actor};
use super::{Fault, FoldEntry, SectionRead};

/// One operation of a folded entry.
struct Act<'a> {
    class: Class,
    key: (u16, Option<&'a str>),
    rank: usize,
    /// `None` removes.
    value: Option<&'a Value>,
    counter: u64,
    /// The key's place among all keys.
    group: usize,
    /// The put of the same key before this one in causal order.
    older: Option<usize>,
    /// Ranks of the entries that had this put before them and put or removed the key.
    overwritten: Overwritten,
}

/// Nearly every put is overwritten once or never.
#[derive(Default)]
struct Overwritten {
    first: Option<usize>,
    more: Vec<usize>,
}

impl Overwritten {
    fn push(&mut self, rank: usize) {
        if self.first.is_some() {
            self.more.push(rank);
        } else {
            self.first = Some(rank);
        }
    }

    fn any_in(&self, past: &Past) -> bool {
        self.first.is_some_and(|rank| past.contains(rank))
            || self.more.iter().any(|rank| past.contains(*rank))
    }
}

/// What the walk keeps of an entry for those that name it.
#[derive(Default)]
struct Seen {
    past: Past,
    /// Its past had no room, and is found anew each time it is named.
    is_forgotten: bool,
    /// How often it is still to be named; its past is dropped at the last.
    namings: usize,
    /// Greatest counter per class, its own operations included.
    tops: [u64; Class::ALL.len()],
}

struct Fold<'a, 'c> {
    causal: &'c Causal<'a>,
    acts: Vec<Act<'a>>,
    /// Per key, in key order: the newest put.
    newest: Vec<Option<usize>>,
    seen: Vec<Seen>,
    /// Bytes of the pasts that are kept, that were at most, and that may be.
    kept: usize,
    kept_most: usize,
    kept_max: usize,
    fault: Fault,
}

/// Bytes of pasts that are kept at once. Records that people write need some KiB at most; one that
/// somebody made so that all pasts are needed to its end would need a bit for each pair of entries,
/// and takes time instead.
const PASTS_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The state of the complete entries.
pub(super) fn state(causal: &Causal<'_>, fault: Fault) -> RecordState {
    state_within(causal, fault, PASTS_BYTES_MAX).0
}

/// The same with room for so many bytes of pasts; and how many were kept at most.
pub(super) fn state_within(
    causal: &Causal<'_>,
    fault: Fault,
    kept_max: usize,
) -> (RecordState, usize) {
    let mut acts = acts(causal, fault);
    let newest = group(&mut acts);
    let mut seen: Vec<Seen> = causal.nodes.iter().map(|_| Seen::default()).collect();
    for dep in causal.nodes.iter().flat_map(|node| causal.deps(node)) {
        if let Some(seen) = seen.get_mut(*dep) {
            seen.namings += 1;
        }
    }
    let mut fold = Fold { causal, acts, newest, seen, kept: 0, kept_most: 0, kept_max, fault };
    fold.walk();
    let most = fold.kept_most;
    (fold.into_state(), most)
}

/// Every operation of every folded entry, in causal order.
fn acts<'a>(causal: &Causal<'a>, fault: Fault) -> Vec<Act<'a>> {
    let is_refused = |entry: &FoldEntry| {
        fault == Fault::MalformedRefusesAll
            && entry.sections.iter().any(|(_, read)| *read == SectionRead::Malformed)
    };
    let mut acts = Vec::new();
    for (rank, node) in causal.nodes.iter().enumerate() {
        if !node.entry.counts || is_refused(node.entry) {
            continue;
        }
        for class in Class::ALL {
            let ops = node.entry.section(class).map(Section::ops).unwrap_or_default();
            acts.extend(ops.iter().map(|op| Act {
                class,
                key: op.key(),
                rank,
                value: match &op.action {
                    Action::Put(value) => Some(value),
                    Action::Remove => None,
                },
                counter: 0,
                group: 0,
                older: None,
                overwritten: Overwritten::default(),
            }));
        }
    }
    acts
}

/// Numbers the keys in their order, and returns one empty list of puts for each.
fn group(acts: &mut [Act<'_>]) -> Vec<Option<usize>> {
    let mut places: Vec<usize> = (0..acts.len()).collect();
    let key = |place: &usize| acts.get(*place).map(|act| (act.class, act.key));
    places.sort_by(|a, b| key(a).cmp(&key(b)));
    let mut groups = 0;
    let mut before = None;
    let numbers: Vec<usize> = places
        .iter()
        .map(|place| {
            let now = key(place);
            groups += usize::from(now != before);
            before = now;
            groups - 1
        })
        .collect();
    for (place, number) in places.into_iter().zip(numbers) {
        if let Some(act) = acts.get_mut(place) {
            act.group = number;
        }
    }
    vec![None; groups]
}

impl Fold<'_, '_> {
    fn walk(&mut self) {
        let mut next = 0;
        for (rank, node) in self.causal.nodes.iter().enumerate() {
            let mut seen = self.before(node);
            let is_narrow = seen.past.is_all_below(rank) && self.causal.is_alone_at_its_depth(rank);
            while self.acts.get(next).is_some_and(|act| act.rank == rank) {
                self.act(next, &mut seen, is_narrow);
                next += 1;
            }
            if let Some(kept) = self.seen.get_mut(rank) {
                seen.namings = kept.namings;
                let bytes = seen.past.heap_bytes();
                seen.is_forgotten = seen.namings > 0 && self.kept + bytes > self.kept_max;
                if seen.namings == 0 || seen.is_forgotten {
                    seen.past = Past::default();
                } else {
                    self.kept += bytes;
                    self.kept_most = self.kept_most.max(self.kept);
                }
                *kept = seen;
            }
        }
    }

    /// The past of `node` and the greatest counters in it, from those of its deps. The last entry
    /// that names a dep takes its past over, so that a chain copies nothing.
    fn before(&mut self, node: &Node<'_>) -> Seen {
        let mut before = Seen::default();
        for (position, &dep) in self.causal.deps(node).iter().enumerate() {
            let counts = self.causal.nodes.get(dep).is_some_and(|dep| dep.entry.counts);
            let Some(seen) = self.seen.get_mut(dep) else { continue };
            seen.namings = seen.namings.saturating_sub(1);
            if self.fault == Fault::DeadDepDropped && !counts {
                continue;
            }
            for (top, below) in before.tops.iter_mut().zip(seen.tops) {
                *top = below.max(*top);
            }
            if seen.is_forgotten {
                before.past.unite(&self.causal.past(dep));
            } else if seen.namings > 0 {
                before.past.unite(&seen.past);
            } else {
                let past = std::mem::take(&mut seen.past);
                self.kept = self.kept.saturating_sub(past.heap_bytes());
                if position == 0 {
                    before.past = past;
                } else {
                    before.past.unite(&past);
                }
            }
            before.past.insert(dep);
        }
        before
    }

    /// Takes operation `place` of an entry whose past is `seen`. `is_narrow`: the entry has all
    /// before it in its past and is itself in the past of all after it, so that what it
    /// overwrites is never looked at again.
    fn act(&mut self, place: usize, seen: &mut Seen, is_narrow: bool) {
        let Some((class, group, rank, is_put)) =
            self.acts.get(place).map(|act| (act.class, act.group, act.rank, act.value.is_some()))
        else {
            return;
        };
        let newest = self.newest.get(group).copied().flatten();
        let is_seen = self.overwrite(newest, rank, &seen.past);
        if !is_put && !is_seen {
            return;
        }
        let older = newest.filter(|_| !is_narrow);
        let counter = seen.tops.get_mut(class as usize).map_or(0, |top| {
            *top += 1;
            *top
        });
        if let Some(act) = self.acts.get_mut(place) {
            (act.counter, act.older) = (counter, older);
        }
        if let Some(newest) = self.newest.get_mut(group) {
            *newest = if is_put { Some(place) } else { older };
        }
    }

    /// Marks every put that was visible to the entry at `rank`; whether there was one.
    fn overwrite(&mut self, mut put: Option<usize>, rank: usize, past: &Past) -> bool {
        let mut is_seen = false;
        while let Some(act) = put.and_then(|place| self.acts.get_mut(place)) {
            if past.contains(act.rank) && !act.overwritten.any_in(past) {
                act.overwritten.push(rank);
                is_seen = true;
            }
            put = act.older;
        }
        is_seen
    }

    fn into_state(self) -> RecordState {
        let mut state = RecordState { heads: self.causal.heads(), ..RecordState::default() };
        for seen in &self.seen {
            for (top, own) in state.tops.iter_mut().zip(seen.tops) {
                *top = own.max(*top);
            }
        }
        state.keys.reserve(self.newest.len());
        state.survivors.reserve(self.newest.len());
        let mut actors = Actors::default();
        for newest in &self.newest {
            self.push_key(*newest, &mut actors, &mut state);
        }
        state
    }

    fn push_key(&self, newest: Option<usize>, actors: &mut Actors, state: &mut RecordState) {
        let start = state.survivors.len();
        let mut key = None;
        let mut put = newest;
        while let Some(act) = put.and_then(|place| self.acts.get(place)) {
            put = act.older;
            let node = self.causal.nodes.get(act.rank);
            let (Some(value), Some(node), None) = (act.value, node, act.overwritten.first) else {
                continue;
            };
            key = Some((act.class, act.key));
            let op = OpId { counter: act.counter, actor: actors.of(node, act) };
            state.survivors.push(Survivor { value: value.clone(), entry: node.entry.id, op });
        }
        if let Some((class, (field, element))) = key {
            let survivors = state.survivors.get_mut(start..).unwrap_or_default();
            survivors.sort_by_key(|survivor| std::cmp::Reverse(survivor.op));
            let element = element.map(str::to_owned);
            state.keys.push(KeyState { class, field, element, end: state.survivors.len() });
        }
    }
}

/// The actors already hashed: keys stand class by class, and neighbours mostly share an entry.
#[derive(Default)]
struct Actors {
    last: Option<(usize, Class, [u8; 32])>,
}

impl Actors {
    fn of(&mut self, node: &Node<'_>, act: &Act<'_>) -> [u8; 32] {
        match self.last {
            Some((rank, class, actor)) if rank == act.rank && class == act.class => actor,
            _ => {
                let actor = actor(&node.entry.id, act.class);
                self.last = Some((act.rank, act.class, actor));
                actor
            }
        }
    }
}
