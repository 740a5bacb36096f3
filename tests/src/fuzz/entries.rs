//! Headers, sections, blocks and runs: what a feed is made of.

use crdt_schema::class::Class;
use crdt_schema::edit::{Date, Op, Section, Value};
use crdt_schema::entry::{
    BackRefs, Block, CHECKPOINT_EVERY, ChainPoint, Draft, DraftSection, Entry, EntryKind, Form,
    Header, PackedRun, Places, RecordRef, Run, SigningSecret,
};
use crdt_schema::id::{EntryId, FeedId, RecordId};
use crdt_schema::time::Timestamp;

use crdt_schema::codec::{Reader, Writer};

use super::input::Input;
use super::messages::golden;

const FEED: FeedId = FeedId([9; 32]);

/// A header is read from one byte string only.
pub(super) fn header(bytes: &[u8]) -> bool {
    let Ok(header) = Header::from_bytes(bytes) else { return false };
    assert_eq!(header.to_bytes(), bytes, "a header has a second form");
    assert_eq!(header.check(), Ok(()));
    true
}

pub(super) fn headers() -> Vec<Vec<u8>> {
    golden(include_str!("../../../crdt-schema/golden/header-v1.hex"))
}

/// A section is read from one byte string only; whatever may be said comes back.
pub(super) fn section(bytes: &[u8]) -> bool {
    let mut input = Input::new(bytes);
    if input.u8().is_multiple_of(2) {
        let Ok(section) = Section::decode(input.rest()) else { return false };
        assert_eq!(section.encode(), input.rest(), "a section has a second form");
        return true;
    }
    let mut ops = Vec::new();
    while !input.is_empty() {
        ops.push(op(&mut input));
    }
    let Ok(section) = Section::from_ops(ops) else { return false };
    assert_eq!(Section::decode(&section.encode()), Ok(section));
    true
}

/// Any operation, also one that no section takes.
pub(super) fn op(input: &mut Input<'_>) -> Op {
    let (form, field) = (input.u8(), input.u16());
    let element = (form & 0x10 != 0).then(|| {
        let length = input.below(70);
        input.text(3 * length)
    });
    let value = match form & 7 {
        0 => None,
        1 => Some(Value::Flag),
        2 => Some(Value::Bool(false)),
        3 => Some(Value::Bool(true)),
        4 => Some(Value::Int(input.u64().cast_signed())),
        5 => Date::new(input.u16(), input.u8(), input.u8()).ok().map(Value::Date),
        _ => {
            let length = usize::from(input.u16() % 8_300);
            Some(Value::Text(input.text(3 * length)))
        }
    };
    match (element, value) {
        (None, None) => Op::remove(field),
        (None, Some(value)) => Op::put(field, value),
        (Some(element), None) => Op::remove_element(field, element),
        (Some(element), Some(value)) => Op::put_element(field, element, value),
    }
}

pub(super) fn sections() -> Vec<Vec<u8>> {
    let ops = vec![
        Op::put(1, Value::Text("Rapat".to_owned())),
        Op::put(2, Value::Int(-7)),
        Op::put(3, Value::Date(Date::new(2026, 11, 2).unwrap())),
        Op::put_element(4, "3", Value::Flag),
        Op::remove_element(4, "5"),
        Op::put(300, Value::Bool(true)),
        Op::remove(301),
    ];
    let whole = Section::from_ops(ops).unwrap().encode();
    vec![[&[0][..], &whole].concat(), (1..200).collect(), vec![0, 0]]
}

/// A block is read from one byte string only.
pub(super) fn block(bytes: &[u8]) -> bool {
    let mut input = Input::new(bytes);
    let first = first(&mut input);
    let Ok(block) = Block::from_bytes(first, input.rest()) else { return false };
    assert_eq!(block.to_bytes(), input.rest(), "a block has a second form");
    true
}

/// Where a run begins and its plain block.
fn plain(run: &Run) -> Vec<u8> {
    let first = u8::try_from(run.block().first).unwrap();
    [&[first][..], &run.block().to_bytes()].concat()
}

/// Where a run begins: mostly early, now and then anywhere.
fn first(input: &mut Input<'_>) -> u64 {
    match input.u8() {
        255 => input.u64(),
        near => u64::from(near),
    }
}

pub(super) fn blocks() -> Vec<Vec<u8>> {
    let runs = written(&example()).into_iter();
    runs.map(|run| plain(&run)).collect()
}

/// Whatever bytes open to entries does so by one rule: they can be signed, packed and opened again.
pub(super) fn run(bytes: &[u8]) -> bool {
    let mut input = Input::new(bytes);
    let packed = if input.u8().is_multiple_of(2) {
        let mut reader = Reader::new(input.rest());
        let Ok(packed) = PackedRun::read(&mut reader) else { return false };
        let mut writer = Writer::new();
        packed.write(&mut writer);
        assert!(input.rest().starts_with(&writer.finish()), "a run has a second form");
        packed
    } else {
        let first = first(&mut input);
        let plain = [&[0][..], input.rest()].concat();
        PackedRun { first, bytes: plain, signature: [0; 64] }
    };
    let Some(before) = packed.first.checked_sub(1) else { return false };
    let prev =
        ChainPoint { seq: before, id: if before == 0 { EntryId::NONE } else { id_of(before) } };
    let Ok(opened) = packed.open(FEED, prev, &Invented(before)) else { return false };
    let secret = SigningSecret::from_seed(&[4; 32]);
    let entries = opened.entries().to_vec();
    assert!(opened.verify(&secret.public()).is_err(), "nobody signed this so");
    for entry in &entries {
        let again = Header::from_bytes(&entry.header.to_bytes());
        assert_eq!(again.as_ref(), Ok(&entry.header));
        assert_eq!(entry.header.entry_id(), entry.id);
        entry_reads(entry);
    }
    comes_back(prev, &entries, &secret);
    true
}

/// Reads every class of an entry, as a fold would.
fn entry_reads(entry: &Entry) {
    for (_, read) in crdt_schema::fold::SectionRead::of(entry) {
        if let Some(section) = read.ops() {
            assert_eq!(Section::decode(&section.encode()).as_ref(), Ok(section));
        }
    }
}

fn comes_back(prev: ChainPoint, entries: &[Entry], secret: &SigningSecret) -> Run {
    let held = Invented(prev.seq);
    let run = Run::author(prev, entries.to_vec(), &held, secret).unwrap();
    let mut writer = Writer::new();
    run.packed().write(&mut writer);
    let bytes = writer.finish();
    let mut reader = Reader::new(&bytes);
    let packed = PackedRun::read(&mut reader).unwrap();
    assert_eq!(reader.end(), Ok(()));
    let opened = packed.open(FEED, prev, &held).unwrap();
    let again = opened.verify(&secret.public()).unwrap();
    assert_eq!(again.entries(), entries, "a run did not come back");
    run
}

/// The id of every entry that is not in the bytes.
fn id_of(seq: u64) -> EntryId {
    let mut id = [0xab; 32];
    for (place, byte) in id.iter_mut().zip(seq.to_be_bytes()) {
        *place = byte;
    }
    EntryId(id)
}

/// A feed of which everything up to here is held and every entry named a record of its own.
struct Invented(u64);

impl Invented {
    /// Sequences begin at 1: of what would be before the first entry, nothing is held.
    fn holds(&self, seq: u64) -> bool {
        (1..=self.0).contains(&seq)
    }
}

impl BackRefs for Invented {
    fn entry_id(&self, seq: u64) -> Option<EntryId> {
        self.holds(seq).then(|| id_of(seq))
    }

    fn record(&self, seq: u64) -> Option<(u16, RecordId)> {
        let [.., low] = seq.to_be_bytes();
        self.holds(seq).then_some((5, RecordId([low; 16])))
    }
}

impl Places for Invented {
    fn seq_of(&self, id: &EntryId) -> Option<u64> {
        let seq = u64::from_be_bytes(*id.0.first_chunk()?);
        (self.holds(seq) && id_of(seq) == *id).then_some(seq)
    }

    fn named_at(&self, _kind: u16, _record: &RecordId) -> Option<u64> {
        None
    }
}

pub(super) fn runs() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for run in written(&example()) {
        let mut writer = Writer::new();
        run.packed().write(writer.u8(0));
        seeds.push(writer.finish());
        seeds.push([&[1][..], &plain(&run)].concat());
    }
    for block in golden(include_str!("../../../crdt-schema/golden/compressed-v1.hex")) {
        let mut writer = Writer::new();
        PackedRun { first: 1, bytes: block, signature: [0; 64] }.write(writer.u8(0));
        seeds.push(writer.finish());
    }
    seeds.push([&[1][..], &plain(&before_the_first())].concat());
    seeds
}

/// A dep whose id looks like one of this feed's, of a place where there is none.
fn before_the_first() -> Run {
    let start = ChainPoint { seq: 0, id: EntryId::NONE };
    let named = Draft { deps: vec![id_of(0)], ..draft(&mut Input::new(&[]), 0, start) };
    let entry = named.place(FEED, start).unwrap();
    comes_back(start, &[entry], &SigningSecret::from_seed(&[3; 32]))
}

/// Whatever a device may write is read as it was meant.
pub(super) fn feed(bytes: &[u8]) -> bool {
    let runs = written(bytes);
    for run in &runs {
        let places: Vec<_> = run.block().entries.iter().map(|entry| entry.record).collect();
        assert!(places.iter().all(|place| *place != RecordRef::Back(0)));
    }
    !runs.is_empty()
}

/// Choices that make some runs.
fn example() -> Vec<u8> {
    (0..240).map(|place| low(place * place * 31 / 7 + place * 3)).collect()
}

/// The last byte of a number.
pub(super) const fn low(number: u32) -> u8 {
    let [.., low] = number.to_be_bytes();
    low
}

pub(super) fn feeds() -> Vec<Vec<u8>> {
    vec![example(), vec![63; 300], (0..=255).collect()]
}

/// Runs of one feed, chosen by bytes.
fn written(bytes: &[u8]) -> Vec<Run> {
    let mut input = Input::new(bytes);
    let secret = SigningSecret::from_seed(&[3; 32]);
    let before = u64::from(input.u8()) * 8;
    let id = if before == 0 { EntryId::NONE } else { id_of(before) };
    let mut start = ChainPoint { seq: before, id };
    let (mut at, mut pending, mut runs) = (start, Vec::new(), Vec::new());
    while !input.is_empty() && runs.len() < 8 {
        let is_signed = input.u8().is_multiple_of(8);
        let Ok(entry) = draft(&mut input, before, at).place(FEED, at) else { continue };
        at = entry.point();
        pending.push(entry);
        if at.seq.is_multiple_of(CHECKPOINT_EVERY) || is_signed || input.is_empty() {
            runs.push(comes_back(start, &std::mem::take(&mut pending), &secret));
            start = at;
        }
    }
    runs
}

fn draft(input: &mut Input<'_>, before: u64, at: ChainPoint) -> Draft {
    let deps = (0..input.below(5)).map(|_| match input.u8() {
        0 => at.id,
        back if u64::from(back) <= before => id_of(u64::from(back)),
        other => EntryId([other; 32]),
    });
    let deps: Vec<EntryId> = deps.filter(|id| *id != EntryId::NONE).collect();
    let mut sections = Vec::new();
    for class in Class::ALL {
        let length = input.below(24);
        if length > 4 {
            let form = match length % 3 {
                0 => Form::Open,
                1 => Form::Salted,
                _ => Form::Sealed,
            };
            sections.push(DraftSection { class, form, body: input.bytes(length).to_vec() });
        }
    }
    Draft {
        kind: if input.u8() < 200 { EntryKind::EDIT } else { EntryKind(input.u8()) },
        record_kind: u16::from(input.u8() % 4),
        record: RecordId([input.u8() % 4; 16]),
        person: input.u8() % 3,
        claimed_at: Timestamp(input.u64().cast_signed()),
        deps,
        sections,
    }
}
