//! A synthetic network in memory: devices, certificates and signed runs, made without any node, so
//! that a store or a session can be given as many of them as a measure asks for.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use crdt_schema::area::{AreaCode, AreaId, Level, base_areas};
use crdt_schema::authority::{
    Certificate, DeviceKeys, Limits, Payload, Rights, RootStatement, SignedStatement,
};
use crdt_schema::class::Class;
use crdt_schema::edit::{Op, Section, Value};
use crdt_schema::entry::{
    CHECKPOINT_EVERY, ChainPoint, Draft, DraftSection, Entry, EntryKind, PackedRun, Places, Run,
    SigningSecret,
};
use crdt_schema::id::{DeviceId, EntryId, FeedId, FeedName, RecordId, Space};
use crdt_schema::time::Timestamp;
use node::ports::{Entropy, EntropyError};
use node::store::keystore::Keystore;

/// Number of the kind the records are of: `kegiatan`, all open.
pub const KIND: u16 = 5;
/// Numbers of the provincial devices; writers of villages are numbered from 1.
const PROVINCE: u64 = 0;
const OTHER: u64 = u64::MAX;
/// Milliseconds between two saves of one device.
const SAVE_EVERY_MS: i64 = 40_000;
/// 2026-01-05 08:00 WIB.
const START_MS: i64 = 1_767_574_800_000;

/// A device that can sign.
#[derive(Debug)]
pub struct Writer {
    /// Its public keys.
    pub keys: DeviceKeys,
    secret: SigningSecret,
}

impl Writer {
    /// The device with this number.
    pub fn numbered(number: u64) -> Self {
        let seed = blake3_of(&[b"writer", &number.to_be_bytes()]);
        let secret = SigningSecret::from_seed(&seed);
        let transport = SigningSecret::from_seed(&blake3_of(&[b"transport", &seed])).public().0;
        let sealing = blake3_of(&[b"sealing", &seed]);
        let keys = DeviceKeys { transport, signing: secret.public(), sealing };
        Self { keys, secret }
    }

    /// The same writer with its secret keys in `folder`, so that a node can be opened there. Its
    /// sealing key, and so its device, is another than that of [`Writer::numbered`].
    pub fn at_home(number: u64, folder: &Path) -> Self {
        let Self { keys: _, secret } = Self::numbered(number);
        let seed = blake3_of(&[b"writer", &number.to_be_bytes()]);
        let transport = blake3_of(&[b"transport", &seed]);
        let sealing = blake3_of(&[b"sealing", &seed]);
        let seeds = Mutex::new([transport, seed, sealing].concat());
        let keys = Keystore::create(folder, &Told(seeds)).unwrap().keys();
        Self { keys, secret }
    }

    /// Its id.
    pub fn device(&self) -> DeviceId {
        self.keys.device()
    }

    /// The key it signs with.
    pub const fn secret(&self) -> &SigningSecret {
        &self.secret
    }
}

/// Bytes told beforehand in the place of chance.
#[derive(Debug)]
struct Told(Mutex<Vec<u8>>);

impl Entropy for Told {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        let mut told = self.0.lock().map_err(|_| EntropyError)?;
        let split = told.split_at_checked(bytes.len());
        let (front, rest) = split.ok_or(EntropyError)?;
        bytes.copy_from_slice(front);
        let rest = rest.to_vec();
        *told = rest;
        Ok(())
    }
}

/// A feed with its runs.
pub type Feed = (FeedName, Vec<PackedRun>);

/// A network's root and who writes in it.
#[derive(Debug)]
pub struct World {
    /// The root statement.
    pub statement: SignedStatement,
    /// The provincial device.
    pub province: Writer,
    /// Another provincial device: what a measure compares the first with.
    pub other: Writer,
    /// Certificates of all others, in feeds of the province.
    pub authority: Vec<Feed>,
    /// The writers of each village.
    pub villages: Vec<(AreaId, Vec<Writer>)>,
}

impl World {
    /// The first `villages` villages of West Java with `writers` devices each.
    pub fn new(villages: usize, writers: usize) -> Self {
        Self::of(villages, writers, &Writer::numbered)
    }

    /// The same, with homes for the two provincial devices and the first two writers: a folder for
    /// each with its keys.
    pub fn at_home(villages: usize, writers: usize, homes: [&Path; 4]) -> Self {
        let [province, other, first, second] = homes;
        Self::of(villages, writers, &|number| match number {
            PROVINCE => Writer::at_home(number, province),
            OTHER => Writer::at_home(number, other),
            1 => Writer::at_home(number, first),
            2 => Writer::at_home(number, second),
            _ => Writer::numbered(number),
        })
    }

    fn of(villages: usize, writers: usize, writer: &dyn Fn(u64) -> Writer) -> Self {
        let root = SigningSecret::from_seed(&blake3_of(&[b"root"]));
        let province = writer(PROVINCE);
        let other = writer(OTHER);
        let mut devices = vec![province.keys, other.keys];
        devices.sort_unstable();
        let area = AreaCode::WEST_JAVA.first_id();
        let statement = RootStatement {
            name: "Ukur".to_owned(),
            area,
            trial: true,
            threshold: 1,
            keys: vec![root.public()],
            devices,
        };
        let statement = statement.sign(&[root]).unwrap();
        let desa = base_areas().filter(|area| area.code.level() == Level::Desa);
        let mut number = 0;
        let villages: Vec<(AreaId, Vec<Writer>)> = desa
            .take(villages)
            .map(|area| {
                let of_village = (0..writers).map(|_| {
                    number += 1;
                    writer(number)
                });
                (area.id, of_village.collect())
            })
            .collect();
        let authority = villages
            .iter()
            .map(|(area, writers)| certificates(&province, *area, writers, Rights::desa()))
            .collect();
        Self { statement, province, other, authority, villages }
    }

    /// What every writer of every village saved: `records` records of 15 fields, each with two later
    /// edits of one field.
    pub fn feeds(&self, records: usize) -> Vec<Feed> {
        let writers = self
            .villages
            .iter()
            .flat_map(|(area, writers)| writers.iter().map(move |writer| (*area, writer)));
        writers.map(|(area, writer)| feed(writer, area, records, 3)).collect()
    }
}

/// The first writer of a world, and where it writes.
pub fn certified(world: &World) -> (AreaId, &Writer) {
    let (area, writers) = world.villages.first().unwrap();
    (*area, writers.first().unwrap())
}

/// An entry of authority that says this, at no time in particular.
pub fn declaring(payload: &Payload) -> Draft {
    Draft {
        kind: payload.kind(),
        record_kind: 0,
        record: RecordId([0; 16]),
        person: 0,
        claimed_at: Timestamp(0),
        deps: Vec::new(),
        sections: vec![DraftSection::in_clear(Class::Open, &payload.to_bytes(), [0; 16])],
    }
}

/// What `issuer` says in an area: that these may do so much there.
pub fn certificates<'a>(
    issuer: &Writer,
    area: AreaId,
    writers: impl IntoIterator<Item = &'a Writer>,
    rights: Rights,
) -> Feed {
    let name = FeedName { device: issuer.device(), area, space: Space::Authority, incarnation: 1 };
    let drafts = writers.into_iter().map(|writer| {
        let payload = Payload::Certificate(Certificate {
            keys: writer.keys,
            area,
            rights,
            limits: Limits::default(),
            invited: None,
        });
        Draft { claimed_at: Timestamp(START_MS), ..declaring(&payload) }
    });
    signed(name, &issuer.secret, drafts.collect())
}

/// One writer's feed in one area: record after record, `entries` entries each, edits two records
/// later, as an operator's day goes.
pub fn feed(writer: &Writer, area: AreaId, records: usize, entries: usize) -> Feed {
    let (name, drafts) = drafts(writer, area, records, entries);
    signed(name, &writer.secret, drafts)
}

/// As [`feed`], every entry a run of its own: saves that are signed one by one.
pub fn feed_of_saves(writer: &Writer, area: AreaId, records: usize, entries: usize) -> Feed {
    let (name, drafts) = drafts(writer, area, records, entries);
    signed_at(|_| true, name, &writer.secret, drafts)
}

/// As [`feed`], signed after the entry `cut` too, so that the feed can be
/// had up to there.
pub fn feed_cut(writer: &Writer, area: AreaId, records: usize, entries: usize, cut: u64) -> Feed {
    let (name, drafts) = drafts(writer, area, records, entries);
    signed_at(|seq| seq == cut, name, &writer.secret, drafts)
}

fn drafts(writer: &Writer, area: AreaId, records: usize, entries: usize) -> (FeedName, Vec<Draft>) {
    let name = FeedName { device: writer.device(), area, space: Space::Records, incarnation: 1 };
    let id = name.id();
    let mut drafts = Vec::with_capacity(records * entries);
    for turn in 0..records + 2 * (entries - 1) {
        for step in 0..entries {
            let Some(record) = turn.checked_sub(2 * step).filter(|record| *record < records) else {
                continue;
            };
            let record_id = record_id(id, record);
            let ops = if step == 0 { whole(record) } else { one(record, step) };
            let body = Section::from_ops(ops).unwrap().encode();
            drafts.push(Draft {
                kind: EntryKind::EDIT,
                record_kind: KIND,
                record: record_id,
                person: 0,
                claimed_at: Timestamp(START_MS + SAVE_EVERY_MS * drafts.len() as i64),
                deps: Vec::new(),
                sections: vec![DraftSection::in_clear(Class::Open, &body, [0; 16])],
            });
        }
    }
    (name, drafts)
}

/// The id of the record with this number that a feed made.
pub fn record_id(feed: FeedId, number: usize) -> RecordId {
    let hash = blake3_of(&[b"record", &feed.0, &number.to_be_bytes()]);
    RecordId(hash.first_chunk().copied().unwrap_or_default())
}

/// Fifteen fields, about 405 bytes as JSON with their names.
fn whole(number: usize) -> Vec<Op> {
    const TITLES: [&str; 4] = [
        "Rapat koordinasi WKSBM",
        "Sosialisasi di balai desa",
        "Kunjungan ke rumah",
        "Aksi sosial",
    ];
    const PLACES: [&str; 3] = ["Balai Desa", "Balai UKS RW 03", "Rumah Ketua RT 02"];
    const CODES: [&str; 4] = ["G.5.1.1", "G.5.3.3", "G.1.2", "G.3.1"];
    let pick = |list: &[&str], salt: usize| {
        let place = (number.wrapping_mul(2_654_435_761) >> 7).wrapping_add(salt) % list.len();
        Value::Text(list.get(place).copied().unwrap_or_default().to_owned())
    };
    let small = |salt: usize| Value::Int(((number * 7 + salt * 13) % 40) as i64);
    let day = u8::try_from(number % 28 + 1).unwrap_or(1);
    let month = u8::try_from(number % 12 + 1).unwrap_or(1);
    vec![
        Op::put(1, pick(&TITLES, 0)),
        Op::put(2, pick(&CODES, 1)),
        Op::put(3, Value::Text("rapat".to_owned())),
        Op::put(4, Value::Text("rencana".to_owned())),
        Op::put(5, Value::Date(crdt_schema::edit::Date::new(2026, month, day).unwrap())),
        Op::put(6, small(1)),
        Op::put(7, pick(&PLACES, 2)),
        Op::put(8, Value::Text("wksbm".to_owned())),
        Op::put(9, Value::Text("WKSBM Mekar Sari".to_owned())),
        Op::put(11, small(2)),
        Op::put(12, small(3)),
        Op::put(13, small(4)),
        Op::put(15, Value::Text("Pendataan warga yang belum terlayani".to_owned())),
        Op::put(16, Value::Text("Disepakati jadwal kunjungan".to_owned())),
        Op::put(18, Value::Int(50_000 + 2_500 * (number as i64 % 90))),
    ]
}

fn one(number: usize, step: usize) -> Vec<Op> {
    if step == 1 {
        vec![Op::put(4, Value::Text("terlaksana".to_owned()))]
    } else {
        vec![Op::put(11, Value::Int((number % 35) as i64))]
    }
}

/// Places, packs and signs drafts; each names the last entry of its record as its dep.
pub(crate) fn signed(name: FeedName, secret: &SigningSecret, drafts: Vec<Draft>) -> Feed {
    signed_at(|_| false, name, secret, drafts)
}

/// As [`signed`], with a signature after every sequence that `is_signed` names too.
fn signed_at(
    is_signed: impl Fn(u64) -> bool,
    name: FeedName,
    secret: &SigningSecret,
    drafts: Vec<Draft>,
) -> Feed {
    let mut made = Made::default();
    let (mut runs, mut pending, mut start) = (Vec::new(), Vec::new(), ChainPoint::START);
    let mut at = start;
    let count = drafts.len() as u64;
    for mut draft in drafts {
        draft.deps = made.newest.get(&draft.record).copied().into_iter().collect();
        let is_edit = draft.kind == EntryKind::EDIT;
        let entry: Entry = draft.place(name.id(), at).unwrap();
        at = entry.point();
        if is_edit {
            made.newest.insert(entry.header.record, entry.id);
            made.named.entry(entry.header.record).or_insert(at.seq);
            made.seqs.insert(entry.id, at.seq);
        }
        pending.push(entry);
        if at.seq.is_multiple_of(CHECKPOINT_EVERY) || at.seq == count || is_signed(at.seq) {
            let run = Run::author(start, std::mem::take(&mut pending), &made, secret).unwrap();
            runs.push(run.packed().clone());
            start = at;
        }
    }
    (name, runs)
}

#[derive(Default)]
struct Made {
    newest: BTreeMap<RecordId, EntryId>,
    named: BTreeMap<RecordId, u64>,
    seqs: BTreeMap<EntryId, u64>,
}

impl Places for Made {
    fn seq_of(&self, id: &EntryId) -> Option<u64> {
        self.seqs.get(id).copied()
    }

    fn named_at(&self, _kind: u16, record: &RecordId) -> Option<u64> {
        self.named.get(record).copied()
    }
}

fn blake3_of(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    *hasher.finalize().as_bytes()
}
