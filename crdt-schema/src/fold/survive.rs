//! Which values survive, and the operation ids Automerge would give them.
//!
//! Entries are walked in causal order, once. Every key has the list of its puts, newest first;
//! each put knows the entries that overwrote it where it was visible. So a remove can be told from
//! a remove of nothing, which emits no operation and takes no counter.

use std::collections::VecDeque;

use crate::class::Class;
use crate::edit::{Action, Section, Value};

use super::causal::{Causal, Node};
use super::past::{Past, Ranks};
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

/// Nearly every put is overwritten once or never. One that somebody made so that thousands overwrite it,
/// none of which has another in its past, takes a bit for each entry from the first of those on.
#[derive(Default)]
struct Overwritten {
    first: Option<usize>,
    more: Option<Box<Ranks>>,
}

impl Overwritten {
    /// Adds a rank above all that are in it; bytes that it takes more now.
    fn push(&mut self, rank: usize) -> usize {
        if self.first.is_none() {
            self.first = Some(rank);
            return 0;
        }
        let more = self.more.get_or_insert_with(|| Box::new(Ranks::from(rank)));
        let before = more.heap_bytes();
        more.push(rank);
        more.heap_bytes() - before
    }

    fn any_in(&self, past: &Past) -> bool {
        self.first.is_some_and(|rank| past.contains(rank))
            || self.more.as_ref().is_some_and(|more| more.meets(past))
    }
}

/// What the walk keeps of an entry for those that name it.
#[derive(Default)]
struct Seen {
    past: Past,
    /// Its past had no room, and is found anew where it is named.
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
    /// Ranks whose pasts take room, in the order they came: what was named last is named next.
    kept: VecDeque<usize>,
    /// Bytes of those.
    kept_bytes: usize,
    kept_max: usize,
    /// Of each rank so far the deps that are in no other dep's past, one after the other.
    needed: Vec<usize>,
    needed_to: Vec<usize>,
    effort: Effort,
    fault: Fault,
}

/// What a fold took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Effort {
    /// Bytes of pasts that were kept at most.
    pub(super) kept_most: usize,
    /// Entries and deps looked at to find pasts anew.
    pub(super) looks: usize,
    /// Bytes that say of puts who overwrote them, beyond the first.
    pub(super) overwriters: usize,
}

/// The state of the complete entries, with room for so many bytes of pasts; and what it took.
pub(super) fn state(causal: &Causal<'_>, fault: Fault, kept_max: usize) -> (RecordState, Effort) {
    let mut acts = acts(causal, fault);
    let newest = group(&mut acts);
    let mut seen: Vec<Seen> = causal.nodes.iter().map(|_| Seen::default()).collect();
    for dep in causal.nodes.iter().flat_map(|node| causal.deps(node)) {
        if let Some(seen) = seen.get_mut(*dep) {
            seen.namings += 1;
        }
    }
    let mut fold = Fold {
        causal,
        acts,
        newest,
        seen,
        kept: VecDeque::new(),
        kept_bytes: 0,
        kept_max,
        needed: Vec::new(),
        needed_to: Vec::new(),
        effort: Effort::default(),
        fault,
    };
    fold.walk();
    let effort = fold.effort;
    (fold.into_state(), effort)
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
            self.keep(rank, seen);
        }
    }

    /// Keeps what was seen of an entry for those that name it. Where pasts take too much room the oldest
    /// are forgotten.
    fn keep(&mut self, rank: usize, mut seen: Seen) {
        let Some(place) = self.seen.get_mut(rank) else { return };
        seen.namings = place.namings;
        if seen.namings == 0 {
            seen.past = Past::default();
        }
        let bytes = seen.past.heap_bytes();
        *place = seen;
        if bytes > 0 {
            self.kept.push_back(rank);
            self.kept_bytes += bytes;
        }
        while self.kept_bytes > self.kept_max {
            let oldest = self.kept.pop_front().and_then(|oldest| self.seen.get_mut(oldest));
            let Some(oldest) = oldest else { break };
            // It may have been taken over since.
            oldest.is_forgotten |= oldest.namings > 0;
            self.kept_bytes = self.kept_bytes.saturating_sub(oldest.past.heap_bytes());
            oldest.past = Past::default();
        }
        self.effort.kept_most = self.effort.kept_most.max(self.kept_bytes);
    }

    /// The past of `node` and the greatest counters in it, from those of its deps, the newest first: one
    /// that is in another's past brings nothing more. The last entry that names a dep takes its past
    /// over, so that a chain copies nothing.
    fn before(&mut self, node: &Node<'_>) -> Seen {
        let mut before = Seen::default();
        let mut forgotten = Vec::new();
        for &dep in self.causal.deps(node) {
            let counts = self.causal.nodes.get(dep).is_some_and(|dep| dep.entry.counts);
            let Some(seen) = self.seen.get_mut(dep) else { continue };
            seen.namings = seen.namings.saturating_sub(1);
            if self.fault == Fault::DeadDepDropped && !counts {
                continue;
            }
            for (top, below) in before.tops.iter_mut().zip(seen.tops) {
                *top = below.max(*top);
            }
            let taken = (seen.namings == 0).then(|| std::mem::take(&mut seen.past));
            self.kept_bytes -= taken.as_ref().map_or(0, Past::heap_bytes);
            if before.past.contains(dep) || forgotten.last() == Some(&dep) {
                continue;
            }
            if seen.is_forgotten {
                forgotten.push(dep);
                continue;
            }
            self.needed.push(dep);
            match taken {
                Some(past) if before.past == Past::default() => before.past = past,
                Some(past) => before.past.unite(&past),
                None => before.past.unite(&seen.past),
            }
            before.past.insert(dep);
        }
        if !forgotten.is_empty() {
            before.past.unite(&self.found_anew(&forgotten));
        }
        self.needed_to.push(self.needed.len());
        before
    }

    /// These entries and their pasts, found from nothing but deps in one walk back: the work is that of
    /// looking at each entry below. `ranks` descend.
    fn found_anew(&mut self, ranks: &[usize]) -> Past {
        let mut found = Past::default();
        let mut asked = ranks.iter().copied().peekable();
        for below in (0..=ranks.first().copied().unwrap_or(0)).rev() {
            self.effort.looks += 1;
            let is_found = found.contains(below);
            if asked.next_if_eq(&below).is_some() && !is_found {
                self.needed.push(below);
                found.insert(below);
            } else if !is_found {
                continue;
            }
            let from = below.checked_sub(1).and_then(|it| self.needed_to.get(it)).copied();
            let to = self.needed_to.get(below).copied().unwrap_or(0);
            let deps = self.needed.get(from.unwrap_or(0)..to).unwrap_or_default();
            self.effort.looks += deps.len();
            for dep in deps {
                found.insert(*dep);
            }
            if found.has_all_below(below) {
                break;
            }
        }
        found
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
                self.effort.overwriters += act.overwritten.push(rank);
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
