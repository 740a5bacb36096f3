//! What this device writes itself: a save gets its place in the device's own feed, and the row it
//! changes is changed in the same breath; signatures are made once per run.

use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::area::AreaId;
use crdt_schema::authority::Payload;
use crdt_schema::class::Class;
use crdt_schema::entry::{
    CHECKPOINT_EVERY, ChainPoint, DEPS_MAX, Draft, DraftSection, Entry, EntryKind, Places, Run,
    SALT_BYTES, SigningSecret,
};
use crdt_schema::fold::RecordState;
use crdt_schema::id::{DeviceId, EntryId, FeedId, FeedName, RecordId, Space};
use crdt_schema::time::Timestamp;

use super::Replica;
use super::stage::OpenRun;
use super::verdict::EntryVerdict;
use crate::authority::Standing;
use crate::ports::{
    EditRef, FeedStore, Place, PlacedRun, RecordKey, RecordVerdict, StoreError, ViewStore,
};

/// Who writes.
#[derive(Debug, Clone, Copy)]
pub struct Author<'a> {
    /// This device.
    pub device: DeviceId,
    /// What it signs heads with.
    pub key: &'a SigningSecret,
}

/// One save of one record.
#[derive(Debug, Clone)]
pub struct Save {
    /// Which record.
    pub key: RecordKey,
    /// Which of the device's people saves.
    pub person: u8,
    /// The device's clock.
    pub claimed_at: Timestamp,
    /// One per class.
    pub sections: Vec<DraftSection>,
}

/// One authority entry to be written.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// The area whose authority it is part of.
    pub area: AreaId,
    /// What it says.
    pub payload: Payload,
    /// Entries it builds on or replaces.
    pub deps: Vec<EntryId>,
    /// The device's clock.
    pub claimed_at: Timestamp,
}

impl<F: FeedStore, V: ViewStore> Replica<F, V> {
    /// Places one save behind everything this node counts of the record, and returns its entry.
    /// [`Replica::commit`] makes it durable; until then nothing may be shown as saved.
    ///
    /// # Errors
    /// [`StoreError::Misuse`] when the sections break an entry's limits, or the row
    /// [needs a commit](Replica::needs_commit); else of the disk.
    pub fn save(&mut self, author: &Author<'_>, save: Save) -> Result<Entry, StoreError> {
        let name = self.own_feed(author, save.key.area, Space::Records);
        let row = self.work_row(save.key);
        if row.refold {
            return Err(StoreError::Misuse("a save on a row that is to be folded first"));
        }
        let heads: Vec<EntryId> = row.state.heads().iter().copied().take(DEPS_MAX).collect();
        let draft = Draft {
            kind: EntryKind::EDIT,
            record_kind: save.key.kind,
            record: save.key.record,
            person: save.person,
            claimed_at: save.claimed_at,
            deps: heads,
            sections: save.sections,
        };
        let entry = self.place(author, name, draft)?;
        let feed = name.id();
        let verdict = match self.held.feed(feed).map(|feed| self.reach(feed)).transpose()? {
            Some(reach) => reach.verdict(0, &entry.header),
            None => self.verdict_of_new(&name, &entry),
        };
        self.stage_edit(&name, 0, &entry, verdict);
        Ok(entry)
    }

    /// Places one authority entry; it speaks once it is committed.
    ///
    /// # Errors
    /// As [`Replica::save`].
    pub fn declare(
        &mut self,
        author: &Author<'_>,
        declaration: &Declaration,
    ) -> Result<Entry, StoreError> {
        let name = self.own_feed(author, declaration.area, Space::Authority);
        let body = declaration.payload.to_bytes();
        let draft = Draft {
            kind: declaration.payload.kind(),
            record_kind: 0,
            record: RecordId([0; 16]),
            person: 0,
            claimed_at: declaration.claimed_at,
            deps: declaration.deps.clone(),
            sections: vec![DraftSection::in_clear(Class::Open, &body, [0; SALT_BYTES])],
        };
        self.place(author, name, draft)
    }

    /// A record's values as the batch under way has them.
    pub fn state_now(&mut self, key: RecordKey) -> RecordState {
        self.work_row(key).state.clone()
    }

    /// How a record stands as the batch under way has it; `None` for one nobody wrote. What a save
    /// builds on are the heads of that layer.
    pub fn verdict_now(&mut self, key: RecordKey) -> Option<RecordVerdict> {
        self.work_row(key).verdict
    }

    /// What a record weighs as the batch under way has it, of
    /// [`RECORD_WEIGHT_MAX`](crdt_schema::entry::RECORD_WEIGHT_MAX).
    pub fn weight_now(&mut self, key: RecordKey) -> u32 {
        self.work_row(key).weight
    }

    /// Whether a record's row must be folded before it can be built on.
    pub fn needs_commit(&mut self, key: RecordKey) -> bool {
        self.work_row(key).refold
    }

    /// How what this device would write next in an area stands from birth.
    pub fn own_standing(&self, device: &DeviceId, area: AreaId) -> Standing {
        let space = Space::Records;
        let name = FeedName { device: *device, area, space, incarnation: self.incarnation };
        self.authority.standing(&name)
    }

    fn own_feed(&self, author: &Author<'_>, area: AreaId, space: Space) -> FeedName {
        FeedName { device: author.device, area, space, incarnation: self.incarnation }
    }

    fn verdict_of_new(&self, name: &FeedName, entry: &Entry) -> EntryVerdict {
        match self.authority.standing(name) {
            Standing::Counts => EntryVerdict::Counting,
            Standing::OpenCounts(None) if entry.header.is_open() => EntryVerdict::Counting,
            Standing::Provisional | Standing::OpenCounts(None) => EntryVerdict::Provisional,
            Standing::CountsUntil(_)
            | Standing::OpenCounts(Some(_))
            | Standing::Outside
            | Standing::Unknown => EntryVerdict::Quarantined,
        }
    }

    fn place(
        &mut self,
        author: &Author<'_>,
        name: FeedName,
        draft: Draft,
    ) -> Result<Entry, StoreError> {
        let id = name.id();
        let held = self.held.feed(id).and_then(|feed| feed.branches.first());
        let tip = held.map_or(ChainPoint::START, |branch| branch.head.point);
        let open = self.stage.open.entry(id);
        let open = open.or_insert_with(|| OpenRun { name, after: tip, entries: Vec::new() });
        let after = open.entries.last().map_or(open.after, Entry::point);
        let placed = draft.place(id, after);
        let entry =
            placed.map_err(|_| StoreError::Misuse("a save beyond the limits of an entry"))?;
        open.entries.push(entry.clone());
        if entry.header.seq.is_multiple_of(CHECKPOINT_EVERY) {
            self.sign(author, id)?;
        }
        Ok(entry)
    }

    /// Signs every own entry that waits for it.
    pub(super) fn sign_all(&mut self, author: &Author<'_>) -> Result<(), StoreError> {
        let open: Vec<FeedId> = self.stage.open.keys().copied().collect();
        open.into_iter().try_for_each(|feed| self.sign(author, feed))
    }

    fn sign(&mut self, author: &Author<'_>, feed: FeedId) -> Result<(), StoreError> {
        let Some(OpenRun { name, after, entries }) = self.stage.open.remove(&feed) else {
            return Ok(());
        };
        if entries.is_empty() {
            return Ok(());
        }
        let places = OwnPlaces::of(self, &name, &entries);
        let authored = |entries, places: &OwnPlaces| {
            let run = Run::author(after, entries, places, author.key);
            run.map_err(|_| StoreError::Misuse("own entries that make no run"))
        };
        let mut run = authored(entries.clone(), &places)?;
        // The places are the views' word, and what is saved must not hang on that.
        if !self.reads_back(&name, &run)? {
            run = authored(entries, &OwnPlaces::default())?;
        }
        if self.held.feed(feed).is_none() {
            self.stage.new_feeds.push(name);
        }
        let signed = PlacedRun { branch: 0, from: None, run };
        self.held.stage(&name, &signed);
        self.stage.touched.insert(feed);
        if name.space == Space::Authority {
            let entries = signed.run.entries();
            self.stage.entries += entries.len() as u64;
            self.stage.declare(&name, entries);
        }
        self.stage.push(signed);
        Ok(())
    }

    /// Whether a run of this device, read as anybody else will read it, says what was signed.
    fn reads_back(&self, name: &FeedName, run: &Run) -> Result<bool, StoreError> {
        let packed = run.packed();
        let Ok(block) = packed.block() else { return Ok(false) };
        let read = self.opened(name, packed, block, run.prev())?;
        Ok(read.is_ok_and(|read| read.entries().last() == run.entries().last()))
    }
}

/// Where things stand in one own feed, as far as a run about to be signed leans on it.
#[derive(Debug, Default)]
struct OwnPlaces {
    seqs: BTreeMap<EntryId, u64>,
    named: BTreeMap<(u16, RecordId), u64>,
}

impl OwnPlaces {
    /// Looks up the edits of every record the entries are about: the views know those that are
    /// committed, the stage the others. A view that cannot be read makes the block longer, never
    /// wrong.
    fn of<F: FeedStore, V: ViewStore>(
        replica: &Replica<F, V>,
        name: &FeedName,
        entries: &[Entry],
    ) -> Self {
        let feed = name.id();
        let mut places = Self::default();
        let first = entries.first().map_or(0, |entry| entry.header.seq);
        let about = |entry: &Entry| (entry.header.record_kind, entry.header.record);
        for (kind, record) in entries.iter().map(about).collect::<BTreeSet<_>>() {
            let key = RecordKey { area: name.area, kind, record };
            let mut edits = replica.views.edits(&key, &replica.feeds).unwrap_or_default();
            edits.extend(replica.stage.edits.get(&key).into_iter().flatten());
            let before = |edit: &&EditRef| {
                let Place { feed: of, branch, seq } = edit.place;
                of == feed && branch == 0 && seq < first
            };
            for edit in edits.iter().filter(before) {
                places.seqs.insert(edit.id, edit.place.seq);
                let named = places.named.entry((kind, record)).or_insert(edit.place.seq);
                *named = edit.place.seq.min(*named);
            }
        }
        places
    }
}

impl Places for OwnPlaces {
    fn seq_of(&self, id: &EntryId) -> Option<u64> {
        self.seqs.get(id).copied()
    }

    fn named_at(&self, kind: u16, record: &RecordId) -> Option<u64> {
        self.named.get(&(kind, *record)).copied()
    }
}
