//! A desk without a node: synthetic saves become the drafts of entries that a node would write.
//!
//! Every save goes through [`Kind::plan`](crdt_schema::record::Kind::plan), as a person's does, so
//! what is measured or trained on here has the bytes of real use and nobody's data.

use std::collections::BTreeMap;

use crdt_schema::area::AreaId;
use crdt_schema::class::Class;
use crdt_schema::edit::{Date, Section};
use crdt_schema::entry::{Draft, DraftSection, EntryKind, SALT_BYTES};
use crdt_schema::fold::{FoldEntry, RecordState, SectionRead};
use crdt_schema::id::{EntryId, FeedName, RecordId, Space};
use crdt_schema::record::Schema;
use node::synth::{Change, Plan, SynthEvent, events};

use crate::world::{Feed, Writer, signed};

/// The day by which ages are counted: after everything a synthetic year holds.
const TODAY: (u16, u8, u8) = (2026, 12, 31);

/// The saves of each area that `keep` takes, perhaps altered by it, in order and without deps:
/// [`feeds`] adds those.
pub fn drafts(plan: &Plan, keep: impl Fn(&mut Change) -> bool) -> BTreeMap<AreaId, Vec<Draft>> {
    let mut desk = Desk::default();
    let mut areas: BTreeMap<AreaId, Vec<Draft>> = BTreeMap::new();
    for event in events(plan).unwrap() {
        if let SynthEvent::Record(mut change) | SynthEvent::Edit(mut change) = event
            && keep(&mut change)
            && let Some(draft) = desk.save(&change)
        {
            areas.entry(change.area).or_default().push(draft);
        }
    }
    areas
}

/// The records that the saves which `keep` takes come to, with their kinds.
pub fn states(plan: &Plan, keep: impl Fn(&mut Change) -> bool) -> Vec<(u16, RecordState)> {
    let mut desk = Desk::default();
    let mut kinds = BTreeMap::new();
    for event in events(plan).unwrap() {
        if let SynthEvent::Record(mut change) | SynthEvent::Edit(mut change) = event
            && keep(&mut change)
            && let Some(draft) = desk.save(&change)
        {
            kinds.insert(change.record, draft.record_kind);
        }
    }
    let kind = |record: &RecordId| kinds.get(record).copied().unwrap_or_default();
    desk.states.into_iter().map(|(record, state)| (kind(&record), state)).collect()
}

/// One feed an area, each by a device of its own.
pub fn feeds(areas: BTreeMap<AreaId, Vec<Draft>>) -> Vec<Feed> {
    let feed = |(number, (area, drafts)): (usize, (AreaId, Vec<Draft>))| {
        let writer = Writer::numbered(number as u64);
        let name =
            FeedName { device: writer.device(), area, space: Space::Records, incarnation: 1 };
        signed(name, writer.secret(), drafts)
    };
    areas.into_iter().enumerate().map(feed).collect()
}

#[derive(Default)]
struct Desk {
    states: BTreeMap<RecordId, RecordState>,
    saves: u64,
}

impl Desk {
    /// What a save writes; `None` when it changes nothing.
    fn save(&mut self, change: &Change) -> Option<Draft> {
        let kind = Schema::standard().kind(change.kind).unwrap();
        let (year, month, day) = TODAY;
        let today = Date::new(year, month, day).ok();
        let plan = kind.plan(self.states.get(&change.record), &change.asks(), today).unwrap();
        if plan.changes == 0 {
            return None;
        }
        self.saves += 1;
        self.remember(change.record, &plan.sections);
        let section = |(class, section): &(Class, Section)| {
            DraftSection::in_clear(*class, &section.encode(), self.salt(*class))
        };
        Some(Draft {
            kind: EntryKind::EDIT,
            record_kind: kind.number,
            record: change.record,
            person: change.person,
            claimed_at: change.claimed_at,
            deps: Vec::new(),
            sections: plan.sections.iter().map(section).collect(),
        })
    }

    /// Bytes that nothing can compress, as a node's random ones.
    fn salt(&self, class: Class) -> [u8; SALT_BYTES] {
        let material = [&self.saves.to_be_bytes()[..], &[class as u8]].concat();
        *blake3::hash(&material).as_bytes().first_chunk().unwrap()
    }

    /// The record after the save, which the next one builds on.
    fn remember(&mut self, record: RecordId, sections: &[(Class, Section)]) {
        let state = self.states.entry(record).or_default();
        let read = sections.iter().map(|(class, it)| (*class, SectionRead::Ops(it.clone())));
        let entry = FoldEntry {
            id: EntryId(*blake3::hash(&self.saves.to_be_bytes()).as_bytes()),
            deps: state.heads().to_vec(),
            counts: true,
            sections: read.collect(),
        };
        assert!(state.apply(&entry), "a save names the heads it saw");
    }
}
