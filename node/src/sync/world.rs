//! Small real nodes for the tests of this room: signed runs, verified on ingest, in memory.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use crdt_schema::area::{AreaCode, AreaId};
use crdt_schema::authority::{
    Certificate, DeviceKeys, Limits, Payload, Rights, RootStatement, SignedStatement,
};
use crdt_schema::class::Class;
use crdt_schema::entry::{
    BackRefs, Block, CHECKPOINT_EVERY, ChainPoint, Draft, DraftSection, Entry, EntryKind,
    PackedBody, PackedRun, Places, Run, SALT_BYTES, SigningPublic, SigningSecret,
};
use crdt_schema::id::{DeviceId, EntryId, FeedId, FeedName, RecordId, Space, StoreInstance};
use crdt_schema::time::Timestamp;

use super::driver::Sink;
use super::receipt::RowKey;
use super::request::{Local, ReceiptBook, Taken};
use super::summary::Summary;
use crate::authority::{Authority, AuthorityEntry, Standing};
use crate::ingest::{HeldFeed, Verdict, judge};
use crate::ports::{Arrival, BranchHead, FeedBatch, FeedHeads, FeedStore, NamedValue, StoreError};

pub(super) fn area(code: &str) -> AreaId {
    code.parse::<AreaCode>().unwrap().first_id()
}

/// A device's secrets, from a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Keys(pub(super) u16);

impl Keys {
    pub(super) fn secret(self) -> SigningSecret {
        let seed = blake3::derive_key("test device", &self.0.to_be_bytes());
        SigningSecret::from_seed(&seed)
    }

    pub(super) fn public(self) -> DeviceKeys {
        let bytes = blake3::derive_key("test transport", &self.0.to_be_bytes());
        DeviceKeys { transport: bytes, signing: self.secret().public(), sealing: bytes }
    }

    pub(super) fn device(self) -> DeviceId {
        self.public().device()
    }
}

/// A network whose province has these devices.
pub(super) fn statement(devices: &[Keys]) -> SignedStatement {
    let root = SigningSecret::from_seed(&[100; 32]);
    let mut devices: Vec<DeviceKeys> = devices.iter().map(|keys| keys.public()).collect();
    devices.sort_unstable();
    let statement = RootStatement {
        name: "Uji".into(),
        area: area("32"),
        trial: true,
        threshold: 1,
        keys: vec![root.public()],
        devices,
    };
    statement.sign(&[root]).unwrap()
}

/// Entries in memory; runs are shared between copies of a store.
#[derive(Debug, Clone, Default)]
pub(super) struct TestStore {
    feeds: BTreeMap<FeedId, FeedHeads>,
    runs: BTreeMap<(FeedId, u32), Vec<Arc<Run>>>,
    arrivals: Vec<Arrival>,
}

impl TestStore {
    pub(super) fn feed(&self, feed: &FeedId) -> Option<&FeedHeads> {
        self.feeds.get(feed)
    }

    /// The branch that holds `seq` on the way of `branch`.
    fn owner(&self, feed: FeedId, branch: u32, seq: u64) -> u32 {
        let mut branch = branch;
        while let Some((parent, shared)) = self.from(feed, branch)
            && seq <= shared
        {
            branch = parent;
        }
        branch
    }

    fn from(&self, feed: FeedId, branch: u32) -> Option<(u32, u64)> {
        let branches = &self.feeds.get(&feed)?.branches;
        branches.iter().find(|it| it.branch == branch)?.from
    }

    fn run_at(&self, feed: FeedId, branch: u32, seq: u64) -> Option<&Arc<Run>> {
        let runs = self.runs.get(&(feed, self.owner(feed, branch, seq)))?;
        let index = runs.partition_point(|run| run.head().point.seq < seq);
        runs.get(index).filter(|run| run.prev().seq < seq)
    }

    fn entry_at(&self, feed: FeedId, branch: u32, seq: u64) -> Option<&Entry> {
        let run = self.run_at(feed, branch, seq)?;
        run.entries().get(usize::try_from(seq - run.prev().seq - 1).unwrap())
    }

    fn push(&mut self, name: FeedName, branch: u32, from: Option<(u32, u64)>, run: Arc<Run>) {
        let feed = name.id();
        let heads = self.feeds.entry(feed).or_insert(FeedHeads { name, branches: Vec::new() });
        let head = *run.head();
        match heads.branches.iter_mut().find(|it| it.branch == branch) {
            Some(it) => it.head = head,
            None => heads.branches.push(BranchHead { branch, from, head }),
        }
        let before = self.arrivals.last().map_or([0; 32], |row| row.running_hash);
        let running_hash = *blake3::Hasher::new()
            .update(&before)
            .update(&feed.0)
            .update(&head.point.id.0)
            .finalize()
            .as_bytes();
        self.arrivals.push(Arrival {
            number: self.arrivals.len() as u64 + 1,
            feed,
            branch,
            first: run.prev().seq + 1,
            last: head.point.seq,
            received_at: Timestamp(0),
            running_hash,
        });
        self.runs.entry((feed, branch)).or_default().push(run);
    }
}

struct Before<'a>(&'a TestStore, FeedId, u32);

impl BackRefs for Before<'_> {
    fn entry_id(&self, seq: u64) -> Option<EntryId> {
        self.0.entry_at(self.1, self.2, seq).map(|entry| entry.id)
    }

    fn record(&self, seq: u64) -> Option<(u16, RecordId)> {
        self.0.entry_at(self.1, self.2, seq)?.header.about()
    }
}

impl FeedStore for TestStore {
    fn instance(&self) -> StoreInstance {
        StoreInstance([0; 16])
    }

    fn feeds(&self) -> Result<Vec<FeedHeads>, StoreError> {
        Ok(self.feeds.values().cloned().collect())
    }

    fn commit(&mut self, batch: &FeedBatch, _received_at: Timestamp) -> Result<u64, StoreError> {
        assert!(batch.runs.is_empty(), "test nodes write through `TestNode`");
        Ok(self.arrivals.len() as u64)
    }

    fn packed_run(
        &self,
        feed: FeedId,
        branch: u32,
        from: u64,
    ) -> Result<Option<PackedRun>, StoreError> {
        let end = (from - 1) / CHECKPOINT_EVERY * CHECKPOINT_EVERY + CHECKPOINT_EVERY;
        let (mut entries, mut signature, mut seq) = (Vec::new(), [0; 64], from);
        while seq <= end
            && self.owner(feed, branch, seq) == branch
            && let Some(run) = self.run_at(feed, branch, seq)
        {
            entries.extend(run.block().from_seq(seq).unwrap().entries);
            (signature, seq) = (run.head().signature, run.head().point.seq + 1);
        }
        let block = Block { first: from, entries };
        Ok((seq > from).then(|| PackedRun::pack(&block, signature)))
    }

    fn entries(
        &self,
        feed: FeedId,
        branch: u32,
        range: RangeInclusive<u64>,
    ) -> Result<Vec<Entry>, StoreError> {
        let entry = |seq| self.entry_at(feed, branch, seq).cloned();
        Ok(range.filter_map(entry).collect())
    }

    fn point(&self, feed: FeedId, branch: u32, seq: u64) -> Result<Option<ChainPoint>, StoreError> {
        Ok(self.entry_at(feed, branch, seq).map(Entry::point))
    }

    fn back_refs(&self, feed: FeedId, branch: u32) -> Box<dyn BackRefs + '_> {
        Box::new(Before(self, feed, branch))
    }

    fn newest_arrival(&self) -> Result<u64, StoreError> {
        Ok(self.arrivals.len() as u64)
    }

    fn format(&self) -> u32 {
        0
    }

    fn arrivals(&self, after: u64, limit: usize) -> Result<Vec<Arrival>, StoreError> {
        let after = usize::try_from(after).unwrap();
        Ok(self.arrivals.iter().skip(after).take(limit).copied().collect())
    }

    fn value(&self, _name: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }

    fn values(&self, _prefix: &[u8]) -> Result<Vec<NamedValue>, StoreError> {
        Ok(Vec::new())
    }

    fn size_bytes(&self) -> Result<u64, StoreError> {
        Ok(0)
    }
}

struct Held<'a>(&'a TestStore, FeedId);

impl HeldFeed for Held<'_> {
    fn branches(&self) -> &[BranchHead] {
        self.0.feeds.get(&self.1).map_or(&[], |heads| &heads.branches)
    }

    fn point(&self, branch: u32, seq: u64) -> Option<ChainPoint> {
        self.0.entry_at(self.1, branch, seq).map(Entry::point)
    }

    fn before(&self, branch: u32) -> Box<dyn BackRefs + '_> {
        Box::new(Before(self.0, self.1, branch))
    }

    fn named(&self) -> BTreeSet<ChainPoint> {
        BTreeSet::new()
    }

    fn lacks_one_of(&self, _entries: &[Entry]) -> bool {
        false
    }
}

/// Every record is named where it is edited.
struct NoPlaces;

impl Places for NoPlaces {
    fn seq_of(&self, _id: &EntryId) -> Option<u64> {
        None
    }

    fn named_at(&self, _kind: u16, _record: &RecordId) -> Option<u64> {
        None
    }
}

/// Where records were named on the first branch: a linear search, for short feeds.
struct Named<'a>(&'a TestStore, FeedId);

impl Named<'_> {
    fn find(&self, wanted: impl Fn(&Entry) -> bool) -> Option<u64> {
        let runs = self.0.runs.get(&(self.1, 0))?;
        let entry = runs.iter().flat_map(|run| run.entries()).find(|entry| wanted(entry))?;
        Some(entry.header.seq)
    }
}

impl Places for Named<'_> {
    fn seq_of(&self, id: &EntryId) -> Option<u64> {
        self.find(|entry| entry.id == *id)
    }

    fn named_at(&self, kind: u16, record: &RecordId) -> Option<u64> {
        self.find(|entry| entry.header.record_kind == kind && entry.header.record == *record)
    }
}

/// Counters of receipt rows, and whose store is whose.
#[derive(Debug, Clone, Default)]
pub(super) struct Book {
    pub(super) counters: BTreeMap<RowKey, u64>,
    pub(super) keepers: BTreeMap<StoreInstance, DeviceId>,
}

impl ReceiptBook for Book {
    fn counter(&self, key: &RowKey) -> Option<u64> {
        self.counters.get(key).copied()
    }

    fn keepers(&self, store: &StoreInstance) -> Vec<DeviceId> {
        self.keepers.get(store).copied().into_iter().collect()
    }

    fn device_age(&self, _device: &DeviceId) -> Option<(u64, StoreInstance)> {
        None
    }
}

/// A whole node, without disk, clock or network. A clone is a copied card.
#[derive(Debug)]
pub(super) struct TestNode {
    pub(super) keys: Keys,
    pub(super) store: TestStore,
    pub(super) summary: Summary,
    pub(super) apart: Summary,
    pub(super) authority: Authority,
    pub(super) book: Book,
    pub(super) instance: StoreInstance,
    statement: SignedStatement,
    entries: Vec<AuthorityEntry>,
    written: u64,
    /// Entries taken from others, each counted as often as it came.
    pub(super) taken: u64,
    /// Runs that held nothing new.
    pub(super) repeated: u64,
}

impl TestNode {
    pub(super) fn new(keys: Keys, statement: &SignedStatement) -> Self {
        let authority = Authority::compute(statement.clone(), &[]);
        let tree = Arc::new(authority.tree().clone());
        let mut instance = [0; 16];
        instance.copy_from_slice(&keys.device().0[..16]);
        Self {
            keys,
            store: TestStore::default(),
            summary: Summary::new(tree.clone()),
            apart: Summary::new(tree),
            authority,
            book: Book::default(),
            instance: StoreInstance(instance),
            statement: statement.clone(),
            entries: Vec::new(),
            written: 0,
            taken: 0,
            repeated: 0,
        }
    }

    /// The same holdings under these keys.
    pub(super) fn copy(&self, keys: Keys) -> Self {
        let mut copy = Self::new(keys, &self.statement);
        copy.store = self.store.clone();
        copy.entries = self.entries.clone();
        copy.written = self.written;
        copy.refresh();
        copy
    }

    pub(super) fn device(&self) -> DeviceId {
        self.keys.device()
    }

    pub(super) fn feed(&self, area: AreaId, space: Space, incarnation: u64) -> FeedName {
        FeedName { device: self.device(), area, space, incarnation }
    }

    /// Saves `count` edits in an area.
    pub(super) fn edit(&mut self, area: AreaId, count: u64) -> Vec<(FeedName, Arc<Run>)> {
        let name = self.feed(area, Space::Records, 0);
        self.append(name, count, 40)
    }

    /// Appends edits with a body of `bytes` to a feed of this device, run by run.
    pub(super) fn append(
        &mut self,
        name: FeedName,
        count: u64,
        bytes: usize,
    ) -> Vec<(FeedName, Arc<Run>)> {
        let drafts = (0..count).map(|_| self.draft(bytes)).collect();
        self.author(name, drafts)
    }

    fn draft(&mut self, bytes: usize) -> Draft {
        self.written += 1;
        let unique = [&self.keys.0.to_be_bytes()[..], &self.written.to_be_bytes()].concat();
        let hash = blake3::derive_key("test record", &unique);
        let mut record = [0; 16];
        record.copy_from_slice(&hash[..16]);
        let mut body = vec![0; bytes];
        blake3::Hasher::new_derive_key("test body").update(&hash).finalize_xof().fill(&mut body);
        Draft {
            kind: EntryKind::EDIT,
            record_kind: 1,
            record: RecordId(record),
            person: 0,
            claimed_at: Timestamp(1_800_000_000_000 + self.written.cast_signed()),
            deps: Vec::new(),
            sections: vec![DraftSection::in_clear(Class::Open, &body, [0; SALT_BYTES])],
        }
    }

    /// Changes the first record of a feed: one entry that builds on it, with a body of `bytes`.
    pub(super) fn change(&mut self, name: FeedName, bytes: usize) -> (FeedName, Arc<Run>) {
        let feed = name.id();
        let first = self.store.entry_at(feed, 0, 1).unwrap();
        let (record, dep) = (first.header.record, first.id);
        let prev = self.store.feeds[&feed].branches[0].head.point;
        let draft = Draft { record, deps: vec![dep], ..self.draft(bytes) };
        let entry = draft.place(feed, prev).unwrap();
        let named = Named(&self.store, feed);
        let run = Run::author(prev, vec![entry], &named, &self.keys.secret()).unwrap();
        let run = Arc::new(run);
        self.keep(name, 0, None, run.clone());
        (name, run)
    }

    /// Puts one run, written elsewhere, into the store unasked.
    pub(super) fn hold(&mut self, name: FeedName, run: Arc<Run>) {
        self.keep(name, 0, None, run);
    }

    /// Writes an authority entry about an area.
    pub(super) fn say(&mut self, area: AreaId, payload: &Payload) -> EntryId {
        let name = self.feed(area, Space::Authority, 0);
        self.written += 1;
        let draft = Draft {
            kind: payload.kind(),
            record_kind: 0,
            record: RecordId([0; 16]),
            person: 0,
            claimed_at: Timestamp(self.written.cast_signed()),
            deps: Vec::new(),
            sections: vec![DraftSection::in_clear(
                Class::Open,
                &payload.to_bytes(),
                [0; SALT_BYTES],
            )],
        };
        let runs = self.author(name, vec![draft]);
        runs.last().unwrap().1.head().point.id
    }

    pub(super) fn certify(&mut self, whom: Keys, at: &str, rights: Rights) -> EntryId {
        let certificate = Certificate {
            keys: whom.public(),
            area: area(at),
            rights,
            limits: Limits::default(),
            invited: None,
        };
        self.say(area(at), &Payload::Certificate(certificate))
    }

    fn author(&mut self, name: FeedName, drafts: Vec<Draft>) -> Vec<(FeedName, Arc<Run>)> {
        let feed = name.id();
        let tip = self.store.feeds.get(&feed).map(|heads| heads.branches[0].head.point);
        let (mut prev, mut at) =
            (tip.unwrap_or(ChainPoint::START), tip.unwrap_or(ChainPoint::START));
        let (mut pending, mut runs, count) = (Vec::new(), Vec::new(), drafts.len());
        for (index, draft) in drafts.into_iter().enumerate() {
            let entry = draft.place(feed, at).unwrap();
            at = entry.point();
            pending.push(entry);
            if at.seq % CHECKPOINT_EVERY == 0 || index + 1 == count {
                let entries = std::mem::take(&mut pending);
                let run = Run::author(prev, entries, &NoPlaces, &self.keys.secret()).unwrap();
                let run = Arc::new(run);
                prev = at;
                runs.push((name, run.clone()));
                self.keep(name, 0, None, run);
            }
        }
        runs
    }

    fn keep(&mut self, name: FeedName, branch: u32, from: Option<(u32, u64)>, run: Arc<Run>) {
        let entries = run.entries().to_vec();
        self.store.push(name, branch, from, run);
        if name.space == Space::Authority {
            self.entries.extend(entries.iter().map(|entry| authority_entry(name, entry)));
            self.refresh();
        } else {
            self.place(name);
        }
    }

    /// Everything anew from what is held.
    fn refresh(&mut self) {
        self.authority = Authority::compute(self.statement.clone(), &self.entries);
        let tree = Arc::new(self.authority.tree().clone());
        self.summary.regroup(tree.clone());
        self.apart.regroup(tree);
        let names: Vec<FeedName> = self.store.feeds.values().map(|heads| heads.name).collect();
        for name in names {
            self.place(name);
        }
    }

    fn place(&mut self, name: FeedName) {
        let heads = &self.store.feeds[&name.id()].branches;
        let heads: Vec<ChainPoint> = heads.iter().map(|it| it.head.point).collect();
        let (counting, apart) = match self.authority.standing(&name) {
            Standing::Counts | Standing::OpenCounts(None) => (heads, Vec::new()),
            Standing::CountsUntil(end) | Standing::OpenCounts(Some(end)) => {
                if end == ChainPoint::START { (Vec::new(), heads) } else { (vec![end], Vec::new()) }
            }
            Standing::Provisional | Standing::Outside | Standing::Unknown => (Vec::new(), heads),
        };
        self.summary.set(name, counting);
        self.apart.set(name, apart);
    }

    fn take(&mut self, name: FeedName, packed: &PackedRun) -> Taken {
        let Some(key) = self.key_of(&name, packed) else { return Taken::Unknown };
        let Ok(block) = packed.block() else { return Taken::Refused };
        match judge(name.id(), packed, block, &Held(&self.store, name.id()), &key) {
            Verdict::Accepted(placed) => {
                let head = placed.run.head().point;
                self.taken += placed.run.entries().len() as u64;
                self.keep(name, placed.branch, placed.from, Arc::new(placed.run));
                Taken::New(head)
            }
            Verdict::Duplicate => {
                self.repeated += 1;
                Taken::Held
            }
            Verdict::Pending => Taken::Gap,
            Verdict::TooManyBranches => Taken::Full,
            Verdict::Refused(reason) => {
                let branches = self.store.feed(&name.id()).map_or(0, |feed| feed.branches.len());
                Taken::refused(reason, packed.first, branches)
            }
        }
    }

    /// The device's key; of one that joins, the key in the certificate it wrote itself.
    fn key_of(&self, name: &FeedName, packed: &PackedRun) -> Option<SigningPublic> {
        if let Some(key) = self.authority.signing_key(&name.device) {
            return Some(key);
        }
        let block = packed.block().ok()?;
        let first = block.entries.first()?;
        let PackedBody::Held(body) = &first.sections.first()?.body else { return None };
        let Payload::Certificate(it) = Payload::from_bytes(first.kind, body).ok()?? else {
            return None;
        };
        (it.keys.device() == name.device && it.invited.is_some()).then_some(it.keys.signing)
    }

    /// Roots of authority and records of an area.
    pub(super) fn roots(&self, at: AreaId) -> (super::summary::Root, super::summary::Root) {
        (self.summary.authority_root(at), self.summary.root(at))
    }
}

fn authority_entry(feed: FeedName, entry: &Entry) -> AuthorityEntry {
    let body = entry.open_body(Class::Open).unwrap_or_default();
    AuthorityEntry {
        feed,
        point: entry.point(),
        prev: entry.header.prev,
        kind: entry.header.kind,
        deps: entry.header.deps.clone(),
        payload: Payload::from_bytes(entry.header.kind, body).ok().flatten(),
    }
}

impl Sink for TestNode {
    type Store = TestStore;

    fn local(&self) -> Local<'_> {
        Local {
            summary: &self.summary,
            apart: &self.apart,
            authority: &self.authority,
            device: self.keys.device(),
            instance: self.instance,
            arrivals: self.store.arrivals.len() as u64,
            receipts: &self.book,
        }
    }

    fn store(&self) -> &TestStore {
        &self.store
    }

    fn feed(&self, feed: &FeedId) -> Option<&FeedHeads> {
        self.store.feed(feed)
    }

    fn ingest(&mut self, runs: &[(FeedName, PackedRun)]) -> Result<Vec<Taken>, StoreError> {
        Ok(runs.iter().map(|(name, run)| self.take(*name, run)).collect())
    }
}
