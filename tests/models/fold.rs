//! The fold against a naive one, over every history of four entries: each names any of those before it
//! and perhaps one that is not held, counts or does not, and puts a key, removes it, says nothing of it
//! or cannot be read.

use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::class::Class;
use crdt_schema::edit::{Action, Op, Section, Value};
use crdt_schema::fold::{Fault, FoldEntry, Folded, SectionRead, fold, fold_with};
use crdt_schema::id::EntryId;

const ENTRIES: usize = 4;
/// The one key.
const FIELD: u16 = 4;
/// An entry that nobody holds.
const MISSING: EntryId = EntryId([0xee; 32]);
/// Classes with sections: what cannot be read of the first touches nothing of the second.
const CLASSES: [Class; 2] = [Class::Open, Class::Tally];
/// Histories between two of which it is asked whether planted faults show.
const FAULTS_EVERY: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    Nothing,
    Put,
    Remove,
    /// And puts the key in the other class.
    Malformed,
}

/// One entry, by the places of those before it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Plan {
    deps: Vec<usize>,
    misses: bool,
    counts: bool,
    said: Said,
}

impl Plan {
    /// What an entry behind these may be. Where it waits or does not count, what it says decides nothing:
    /// a put or what cannot be read stands for all of it.
    fn all_behind(before: &[Self]) -> Vec<Self> {
        let places = 0..before.len();
        let mut plans = Vec::new();
        for mask in 0..1_usize << before.len() {
            let deps: Vec<usize> =
                places.clone().filter(|place| (mask >> place) & 1 == 1).collect();
            let waits = deps.iter().any(|dep| Self::waits(before, *dep));
            for (misses, counts, said) in Self::states(waits) {
                plans.push(Self { deps: deps.clone(), misses, counts, said });
            }
        }
        plans
    }

    fn states(waits: bool) -> Vec<(bool, bool, Said)> {
        let few = [Said::Put, Said::Malformed];
        let all = [Said::Nothing, Said::Put, Said::Remove, Said::Malformed];
        let waiting = |misses| {
            let counting = few.map(|said| (misses, true, said));
            [&counting[..], &[(misses, false, Said::Put)]].concat()
        };
        if waits {
            return waiting(false);
        }
        let counting = all.map(|said| (false, true, said));
        let not = few.map(|said| (false, false, said));
        [&counting[..], &not, &waiting(true)].concat()
    }

    fn waits(before: &[Self], place: usize) -> bool {
        let Some(plan) = before.get(place) else { return false };
        plan.misses || plan.deps.iter().any(|dep| Self::waits(before, *dep))
    }

    /// Whether another history tells the same with the last two entries the other way round.
    fn is_told_again(before: &[Self], next: &Self) -> bool {
        let Some((last, place)) = before.last().zip(before.len().checked_sub(1)) else {
            return false;
        };
        !next.deps.contains(&place) && next < last
    }
}

/// Calls `see` with every history.
fn each(before: &mut Vec<Plan>, see: &mut dyn FnMut(&[Plan])) {
    if before.len() == ENTRIES {
        see(before);
        return;
    }
    for plan in Plan::all_behind(before) {
        if !Plan::is_told_again(before, &plan) {
            before.push(plan);
            each(before, see);
            before.pop();
        }
    }
}

/// The entries of a history. In turn their ids ascend otherwise and they come in another order.
fn entries(plans: &[Plan], turn: usize) -> Vec<FoldEntry> {
    let number = |place: usize| (place * (1 + turn % 4) + turn / 4) % 5;
    let id = |place: usize| EntryId([u8::try_from(number(place) + 1).unwrap(); 32]);
    let mut entries: Vec<FoldEntry> = plans
        .iter()
        .enumerate()
        .map(|(place, plan)| {
            let deps = plan.deps.iter().rev().map(|dep| id(*dep));
            let deps = deps.chain(plan.misses.then_some(MISSING)).collect();
            let sections = sections(plan.said, i64::try_from(place).unwrap());
            FoldEntry { id: id(place), deps, counts: plan.counts, sections }
        })
        .collect();
    entries.rotate_left(turn % ENTRIES);
    entries
}

fn sections(said: Said, number: i64) -> Vec<(Class, SectionRead)> {
    let of = |op| SectionRead::Ops(Section::from_ops(vec![op]).unwrap());
    let put = || of(Op::put(FIELD, Value::Int(number)));
    match said {
        Said::Nothing => vec![],
        Said::Put => vec![(Class::Open, put())],
        Said::Remove => vec![(Class::Open, of(Op::remove(FIELD)))],
        Said::Malformed => vec![(Class::Open, SectionRead::Malformed), (Class::Tally, put())],
    }
}

/// What a fold comes to.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    heads: Vec<EntryId>,
    incomplete: usize,
    malformed: Vec<(EntryId, Class)>,
    depths: BTreeMap<EntryId, u64>,
    /// By class: who put what survives, the counter of that operation, and the number that was put.
    survivors: Vec<BTreeSet<(EntryId, u64, i64)>>,
}

impl Told {
    fn by(folded: &Folded) -> Self {
        let survivors = CLASSES.map(|class| {
            let survivors = folded.state.survivors(class, FIELD, None);
            assert!(survivors.is_sorted_by(|one, next| one.op > next.op), "the greatest is shown");
            let one = survivors.iter().map(|it| (it.entry, it.op.counter, it.value.as_int()));
            one.map(|(entry, counter, value)| (entry, counter, value.unwrap())).collect()
        });
        Self {
            heads: folded.state.heads().to_vec(),
            incomplete: folded.incomplete,
            malformed: folded.malformed.clone(),
            depths: folded.depths.clone(),
            survivors: survivors.to_vec(),
        }
    }
}

/// The rules again, as `docs/architecture.md` 3.2 tells them.
struct Naive<'a> {
    /// Complete entries, each with its past.
    complete: Vec<(&'a FoldEntry, BTreeSet<EntryId>)>,
    waiting: usize,
}

impl<'a> Naive<'a> {
    fn of(held: &'a [FoldEntry]) -> Self {
        let complete: Vec<_> =
            held.iter().filter_map(|entry| Some((entry, past(held, entry)?))).collect();
        let is_complete = |entry: &FoldEntry| complete.iter().any(|(it, _)| it.id == entry.id);
        let waiting = held.iter().filter(|entry| entry.counts && !is_complete(entry)).count();
        Self { complete, waiting }
    }

    fn counting(&self) -> impl Iterator<Item = &(&'a FoldEntry, BTreeSet<EntryId>)> {
        self.complete.iter().filter(|(entry, _)| entry.counts)
    }

    /// What an entry does to the key.
    fn action(entry: &FoldEntry, class: Class) -> Option<&Action> {
        entry.section(class)?.ops().first().map(|op| &op.action)
    }

    /// Puts that are not overwritten by anything counting among `seen`; `None`: by anything.
    fn puts(&self, class: Class, seen: Option<&BTreeSet<EntryId>>) -> Vec<(EntryId, i64)> {
        let folded = self.counting().filter(|(entry, _)| {
            seen.is_none_or(|seen| seen.contains(&entry.id)) && Self::action(entry, class).is_some()
        });
        let folded: Vec<_> = folded.collect();
        let stands = |id: EntryId| folded.iter().all(|(_, past)| !past.contains(&id));
        let puts = folded.iter().filter_map(|(entry, _)| match Self::action(entry, class)? {
            Action::Put(value) => Some((entry.id, value.as_int()?)),
            Action::Remove => None,
        });
        puts.filter(|(id, _)| stands(*id)).collect()
    }

    /// One more than the greatest counter in the past; a remove of nothing takes none.
    fn counter(&self, entry: EntryId, class: Class) -> u64 {
        let Some((entry, past)) = self.counting().find(|(it, _)| it.id == entry) else { return 0 };
        let is_done = match Self::action(entry, class) {
            Some(Action::Put(_)) => true,
            Some(Action::Remove) => !self.puts(class, Some(past)).is_empty(),
            None => false,
        };
        let greatest = past.iter().map(|seen| self.counter(*seen, class)).max().unwrap_or(0);
        if is_done { greatest + 1 } else { 0 }
    }

    fn depth(&self, entry: &FoldEntry) -> u64 {
        let deps = self.complete.iter().filter(|(it, _)| entry.deps.contains(&it.id));
        deps.map(|(dep, _)| self.depth(dep) + 1).max().unwrap_or(0)
    }

    fn told(&self) -> Told {
        let is_seen = |id: EntryId| self.counting().any(|(_, past)| past.contains(&id));
        let ids = self.counting().map(|(entry, _)| entry.id);
        let mut heads: Vec<EntryId> = ids.filter(|id| !is_seen(*id)).collect();
        heads.sort_unstable();
        let malformed = self.counting().flat_map(|(entry, _)| {
            let read = entry.sections.iter().map(|(class, read)| (entry.id, *class, read));
            read.filter(|(_, _, read)| **read == SectionRead::Malformed)
        });
        let mut malformed: Vec<_> = malformed.map(|(id, class, _)| (id, class)).collect();
        malformed.sort_unstable();
        let depths = self.complete.iter().map(|(entry, _)| (entry.id, self.depth(entry)));
        let survivors = CLASSES.map(|class| {
            let puts = self.puts(class, None).into_iter();
            puts.map(|(id, number)| (id, self.counter(id, class), number)).collect()
        });
        Told {
            heads,
            incomplete: self.waiting,
            malformed,
            depths: depths.collect(),
            survivors: survivors.to_vec(),
        }
    }
}

/// Everything reached along deps; `None` where something of it is not held.
fn past(held: &[FoldEntry], entry: &FoldEntry) -> Option<BTreeSet<EntryId>> {
    let mut past = BTreeSet::new();
    for id in &entry.deps {
        let dep = held.iter().find(|it| it.id == *id)?;
        past.insert(*id);
        past.extend(self::past(held, dep)?);
    }
    Some(past)
}

/// How many histories hold what can go wrong.
#[derive(Debug, Default)]
struct Seen {
    histories: usize,
    conflicts: usize,
    /// Two wait, or more.
    waiting: usize,
    /// A head that says nothing of the key.
    silent_heads: usize,
    /// Of a past that goes through an entry which does not count.
    through_dead: usize,
    /// By fault: where a fold with it would say something else.
    faults: [usize; 3],
}

impl Seen {
    fn note(&mut self, plans: &[Plan], held: &[FoldEntry], told: &Told) {
        self.histories += 1;
        self.conflicts += usize::from(told.survivors.iter().any(|it| it.len() > 1));
        self.waiting += usize::from(told.incomplete > 1);
        let is_silent = |id: &EntryId| held.iter().any(|it| it.id == *id && it.sections.is_empty());
        self.silent_heads += usize::from(told.heads.iter().any(is_silent));
        let is_dead =
            |dep: &usize| plans.get(*dep).is_some_and(|it| !it.counts && !it.deps.is_empty());
        let is_through = plans.iter().any(|it| it.counts && it.deps.iter().any(is_dead));
        self.through_dead += usize::from(is_through);
        if !self.histories.is_multiple_of(FAULTS_EVERY) {
            return;
        }
        let faults = [Fault::IncompleteFolded, Fault::DeadDepDropped, Fault::MalformedRefusesAll];
        for (fault, count) in faults.into_iter().zip(&mut self.faults) {
            *count += usize::from(Told::by(&fold_with(held, fault)) != *told);
        }
    }
}

#[test]
fn every_history_of_four_entries_folds_as_the_rules_say() {
    let mut seen = Seen::default();
    each(&mut Vec::new(), &mut |plans| {
        let held = entries(plans, seen.histories);
        let told = Naive::of(&held).told();
        assert_eq!(Told::by(&fold(&held)), told, "{plans:?}");
        seen.note(plans, &held, &told);
    });
    let counts = [seen.conflicts, seen.waiting, seen.silent_heads, seen.through_dead];
    assert!(counts.into_iter().chain(seen.faults).all(|count| count >= 25), "{seen:?}");
}
