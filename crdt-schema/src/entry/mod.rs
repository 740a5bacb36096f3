//! Entries: what a feed is made of, from a draft to verified runs.
//!
//! ```text
//! Draft ── place ──► Entry ── pack ──► PackedRun ~~~ wire, stick, disk ~~~► UnverifiedRun ── verify ──► Run
//! ```
//! `header.rs` the signed bytes · `sign.rs` heads and signatures · `vouched.rs` those that held lately ·
//! `packed.rs` the way entries travel and lie at rest · `run.rs` the only door from foreign bytes to a
//! [`Run`], which stores accept.

mod compress;
mod header;
mod packed;
mod run;
mod sign;
mod vouched;

pub use compress::DICTIONARY_NEWEST;
pub use header::{
    DEPS_MAX, EntryKind, Form, HEADER_BYTES_MAX, HEADER_VERSION, Header, OPEN_KINDS,
    RECORD_WEIGHT_MAX, SALT_BYTES, SAVED_WEIGHT_MAX, SECTIONS_BYTES_MAX, SectionHead,
};
pub use packed::{
    BackRefs, Block, DepRef, NoBackRefs, PackedBody, PackedEntry, PackedSection, RecordRef,
};
pub use run::{
    CHECKPOINT_EVERY, PackedRun, Places, RUN_BYTES_MAX, RefuseReason, Run, UnverifiedRun,
};
pub use sign::{ChainPoint, SignatureError, SignedHead, SigningPublic, SigningSecret};

use crate::class::Class;
use crate::id::{EntryId, FeedId, RecordId};
use crate::time::Timestamp;

/// One place in a feed: the header, and beside it the bodies of its sections.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// BLAKE3 of the header.
    pub id: EntryId,
    /// The signed part.
    pub header: Header,
    /// One per section of the header; `None` where it was dropped under a release.
    pub bodies: Vec<Option<Vec<u8>>>,
}

impl std::fmt::Debug for Entry {
    // Bodies may be personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry")
            .field("id", &self.id)
            .field("seq", &self.header.seq)
            .finish_non_exhaustive()
    }
}

impl Entry {
    /// Where this entry stands in its feed.
    pub const fn point(&self) -> ChainPoint {
        ChainPoint { seq: self.header.seq, id: self.id }
    }

    /// The clear bytes of one class after their salt: `None` when absent, dropped or sealed.
    pub fn open_body(&self, class: Class) -> Option<&[u8]> {
        let position = self.header.sections.iter().position(|head| head.class == class)?;
        let body = self.bodies.get(position)?.as_deref()?;
        match self.header.sections.get(position)?.form {
            Form::Open => Some(body),
            Form::Salted => body.get(SALT_BYTES..),
            Form::Sealed => None,
        }
    }
}

/// A section before it has a place: class, form, and the body as it will be stored.
#[derive(Clone, PartialEq, Eq)]
pub struct DraftSection {
    /// Who may read it.
    pub class: Class,
    /// How the body is read.
    pub form: Form,
    /// The body as stored, salt included.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for DraftSection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DraftSection").field("class", &self.class).finish_non_exhaustive()
    }
}

impl DraftSection {
    /// A section in clear. Classes that can be erased are salted with `salt`, which must be random.
    pub fn in_clear(class: Class, operations: &[u8], salt: [u8; SALT_BYTES]) -> Self {
        if !class.is_droppable() {
            return Self { class, form: Form::Open, body: operations.to_vec() };
        }
        let body = [&salt[..], operations].concat();
        Self { class, form: Form::Salted, body }
    }
}

/// An entry that does not stand in a feed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// What it is.
    pub kind: EntryKind,
    /// The kind of record, 0 in the authority space.
    pub record_kind: u16,
    /// The record, zeros in the authority space.
    pub record: RecordId,
    /// Which of the device's people saved.
    pub person: u8,
    /// The device's clock.
    pub claimed_at: Timestamp,
    /// What the author had seen; any order.
    pub deps: Vec<EntryId>,
    /// One per class; any order.
    pub sections: Vec<DraftSection>,
}

impl Draft {
    /// Gives the draft the place after `after` in `feed`.
    ///
    /// # Errors
    /// As [`Header::check`]: too many deps, too many bytes, a class twice.
    pub fn place(
        mut self,
        feed: FeedId,
        after: ChainPoint,
    ) -> Result<Entry, crate::codec::DecodeError> {
        self.deps.sort_unstable();
        self.deps.dedup();
        self.sections.sort_by_key(|section| section.class);
        let sections = self.sections.iter().map(section_head).collect();
        let header = Header {
            feed,
            seq: after.seq + 1,
            prev: after.id,
            kind: self.kind,
            record_kind: self.record_kind,
            record: self.record,
            person: self.person,
            claimed_at: self.claimed_at,
            deps: self.deps,
            sections,
        };
        header.check()?;
        let bodies = self.sections.into_iter().map(|section| Some(section.body)).collect();
        Ok(Entry { id: header.entry_id(), header, bodies })
    }
}

fn section_head(section: &DraftSection) -> SectionHead {
    SectionHead {
        class: section.class,
        form: section.form,
        length: u32::try_from(section.body.len()).unwrap_or(u32::MAX),
        hash: *blake3::hash(&section.body).as_bytes(),
    }
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test that panics is a test that fails"
    )]
    use super::*;
    use crate::codec::DecodeError;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// Remembers a feed the way a store would.
    #[derive(Default)]
    struct Held {
        ids: BTreeMap<u64, EntryId>,
        about: BTreeMap<u64, (u16, RecordId)>,
    }

    impl Held {
        fn take(&mut self, run: &Run) {
            for entry in run.entries() {
                self.ids.insert(entry.header.seq, entry.id);
                self.about.extend(entry.header.about().map(|it| (entry.header.seq, it)));
            }
        }
    }

    impl BackRefs for Held {
        fn entry_id(&self, seq: u64) -> Option<EntryId> {
            self.ids.get(&seq).copied()
        }
        fn record(&self, seq: u64) -> Option<(u16, RecordId)> {
            self.about.get(&seq).copied()
        }
    }

    impl Places for Held {
        fn seq_of(&self, id: &EntryId) -> Option<u64> {
            self.ids.iter().find(|(_, held)| *held == id).map(|(seq, _)| *seq)
        }
        fn named_at(&self, kind: u16, record: &RecordId) -> Option<u64> {
            self.about.iter().find(|(_, about)| **about == (kind, *record)).map(|(seq, _)| *seq)
        }
    }

    fn draft(record: u8, deps: Vec<EntryId>, time: i64, text: &[u8]) -> Draft {
        let sections = vec![
            DraftSection::in_clear(Class::Personal, text, [record; SALT_BYTES]),
            DraftSection::in_clear(Class::Open, text, [0; SALT_BYTES]),
        ];
        Draft {
            kind: EntryKind::EDIT,
            record_kind: 7,
            record: RecordId([record; 16]),
            person: record % 3,
            claimed_at: Timestamp(time),
            deps,
            sections,
        }
    }

    /// A feed of `count` edits over five records, in runs cut at checkpoints and at `cuts`.
    fn feed(count: u64, cuts: &[u64], key: &SigningSecret) -> (FeedId, Vec<Run>) {
        let feed = FeedId([9; 32]);
        let (mut held, mut runs, mut pending) = (Held::default(), Vec::new(), Vec::new());
        let (mut start, mut at) = (ChainPoint::START, ChainPoint::START);
        let mut newest: BTreeMap<u8, EntryId> = BTreeMap::new();
        for seq in 1..=count {
            let record = [0, 1, 4, 4, 1][usize::try_from(seq % 5).unwrap()];
            let mut deps: Vec<EntryId> = newest.get(&record).copied().into_iter().collect();
            if seq % 11 == 0 {
                deps.push(EntryId(*blake3::hash(&seq.to_be_bytes()).as_bytes()));
            }
            let draft = draft(record, deps, 1_000_000 + seq.cast_signed() * 37, b"synthetic");
            let entry = draft.place(feed, at).unwrap();
            at = entry.point();
            newest.insert(record, entry.id);
            pending.push(entry);
            if seq % CHECKPOINT_EVERY == 0 || cuts.contains(&seq) || seq == count {
                let run = Run::author(start, std::mem::take(&mut pending), &held, key).unwrap();
                held.take(&run);
                runs.push(run);
                start = at;
            }
        }
        (feed, runs)
    }

    #[test]
    fn a_feed_comes_back_whole_through_its_packed_runs() {
        let key = SigningSecret::from_seed(&[1; 32]);
        let (feed, runs) = feed(200, &[3, 4, 70, 150], &key);
        let (mut held, mut at) = (Held::default(), ChainPoint::START);
        for run in &runs {
            let mut writer = crate::codec::Writer::new();
            run.packed().write(&mut writer);
            let bytes = writer.finish();
            let packed = PackedRun::read(&mut crate::codec::Reader::new(&bytes)).unwrap();
            let opened = packed.open(feed, at, &held).unwrap().verify(&key.public()).unwrap();
            assert_eq!(opened.entries(), run.entries());
            at = opened.head().point;
            held.take(&opened);
        }
        assert_eq!(at.seq, 200);
    }

    #[test]
    fn a_run_altered_anywhere_is_refused() {
        let key = SigningSecret::from_seed(&[1; 32]);
        let (feed, runs) = feed(5, &[], &key);
        let whole = runs[0].packed();
        let plain = runs[0].block().to_bytes();
        for position in 0..plain.len() {
            let mut bytes = plain.clone();
            bytes[position] ^= 1;
            let raw = [&[0][..], &bytes].concat();
            let altered = PackedRun { bytes: raw, ..whole.clone() };
            let opened = altered.open(feed, ChainPoint::START, &NoBackRefs);
            assert!(opened.and_then(|run| run.verify(&key.public())).is_err(), "byte {position}");
        }
    }

    #[test]
    fn a_run_that_crosses_a_checkpoint_is_refused() {
        let key = SigningSecret::from_seed(&[1; 32]);
        let (feed, runs) = feed(66, &[60], &key);
        let mut block = runs[1].block().clone();
        block.entries.extend(runs[2].block().entries.clone());
        let joined = PackedRun::pack(&block, runs[2].head().signature);
        let mut held = Held::default();
        held.take(&runs[0]);
        let refused = joined.open(feed, runs[1].prev(), &held).unwrap_err();
        assert_eq!(refused, RefuseReason::CrossesCheckpoint);
    }

    #[test]
    fn a_dropped_section_leaves_the_chain_verifiable() {
        let key = SigningSecret::from_seed(&[1; 32]);
        let (feed, runs) = feed(5, &[], &key);
        let mut block = runs[0].block().clone();
        let head = &runs[0].entries()[2].header.sections[1];
        block.entries[2].sections[1].body = PackedBody::Dropped(head.length, head.hash);
        let packed = PackedRun::pack(&block, runs[0].head().signature);
        let opened = packed.open(feed, ChainPoint::START, &NoBackRefs).unwrap();
        let run = opened.verify(&key.public()).unwrap();
        assert_eq!(run.entries()[2].bodies[1], None);
        assert_eq!(run.entries()[2].id, runs[0].entries()[2].id);
    }

    #[test]
    fn a_header_has_these_bytes_for_ever() {
        let entry = draft(4, vec![EntryId([3; 32])], 1_700_000_000_000, b"ab")
            .place(FeedId([9; 32]), ChainPoint { seq: 6, id: EntryId([5; 32]) })
            .unwrap();
        let bytes = entry.header.to_bytes();
        assert_eq!(hex::encode(&bytes), include_str!("../../golden/header-v1.hex").trim());
        assert_eq!(Header::from_bytes(&bytes).unwrap(), entry.header);
    }

    #[test]
    fn the_record_of_the_first_dep_is_written_in_its_shortest_form_only() {
        // One entry: flags, step of the time, dep one back, (record one back,) no sections.
        let (short, long) = ([1, 3 | 1 << 2 | 64, 0, 1, 0], [1, 2 | 1 << 2 | 64, 0, 1, 1, 0]);
        let block = Block::from_bytes(2, &short).unwrap();
        assert_eq!(block.entries[0].record, RecordRef::Back(1));
        assert_eq!(block.to_bytes(), short);
        assert_eq!(Block::from_bytes(2, &long), Err(DecodeError::NotCanonical("record")));
        let other = [1, 2 | 1 << 2 | 64, 0, 1, 2, 0];
        assert_eq!(Block::from_bytes(3, &other).unwrap().to_bytes(), other);
    }

    #[test]
    fn a_distance_leads_to_what_an_entry_is_about_however_that_was_written() {
        let key = SigningSecret::from_seed(&[1; 32]);
        let (feed, mut at, mut entries) = (FeedId([9; 32]), ChainPoint::START, Vec::new());
        for time in 0..3 {
            let entry = draft(4, vec![], time, b"synthetic").place(feed, at).unwrap();
            at = entry.point();
            entries.push(entry);
        }
        let run = Run::author(ChainPoint::START, entries, &Held::default(), &key).unwrap();
        let here = RecordRef::Here(7, RecordId([4; 16]));
        for second in [here, RecordRef::Back(1)] {
            let mut block = run.block().clone();
            block.entries[1].record = second;
            block.entries[2].record = RecordRef::Back(1);
            let packed = PackedRun::pack(&block, run.head().signature);
            let opened = packed.open(feed, ChainPoint::START, &NoBackRefs).unwrap();
            assert_eq!(opened.verify(&key.public()).unwrap().entries(), run.entries());
        }
    }

    #[test]
    fn a_distance_to_an_entry_about_no_record_is_refused_however_that_was_written() {
        let none = Draft { record_kind: 0, record: RecordId([0; 16]), ..draft(4, vec![], 0, b"") };
        let feed = FeedId([9; 32]);
        let entry = none.place(feed, ChainPoint::START).unwrap();
        let mut block = Block::of_entries(&[entry.clone(), entry], &Held::default());
        block.entries[1].record = RecordRef::Back(1);
        for first in [RecordRef::None, RecordRef::Here(0, RecordId([0; 16]))] {
            block.entries[0].record = first;
            let refused = block.entries(feed, ChainPoint::START, &NoBackRefs).unwrap_err();
            assert_eq!(refused, RefuseReason::BackReference);
        }
    }

    #[test]
    fn a_block_at_the_last_sequence_there_is_does_not_count_beyond_it() {
        // libFuzzer found it: the place behind the last entry was u64::MAX.
        let one = [1, 2, 0];
        for first in [u64::MAX - 1, u64::MAX] {
            drop(Block::from_bytes(first, &one));
            drop(Block::from_bytes(first, &[1, 3 | 1 << 2 | 64, 0, 1, 0]));
        }
        assert!(Block::from_bytes(u64::MAX - 1, &[1, 3 | 1 << 2 | 64, 0, 1, 0]).is_ok());
        assert!(Block::from_bytes(u64::MAX, &[1, 3 | 1 << 2 | 64, 0, 1, 0]).is_err());
    }

    proptest! {
        #[test]
        fn a_block_of_any_bytes_never_panics(first in 1u64..1000, bytes: Vec<u8>) {
            if let Ok(block) = Block::from_bytes(first, &bytes) {
                prop_assert_eq!(block.to_bytes(), bytes);
            }
        }

        #[test]
        fn a_header_of_any_bytes_never_panics(bytes: Vec<u8>) {
            if let Ok(header) = Header::from_bytes(&bytes) {
                prop_assert_eq!(header.to_bytes(), bytes);
            }
        }
    }
}
