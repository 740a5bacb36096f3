//! What a village writes: records of fifteen fields, each with two later edits of one field, of which a
//! third comes long after. Every device has names and phrases it uses most of the time, others than
//! the next one.
//!
//! Words are of no synthetic year: the dictionary that squeezes entries was trained on some.

use crdt_schema::area::AreaId;
use crdt_schema::class::Class;
use crdt_schema::edit::{Action, Date, Op, Section, Value};
use crdt_schema::entry::{Draft, DraftSection, EntryKind};
use crdt_schema::id::{FeedId, FeedName, RecordId, Space};
use crdt_schema::record::Schema;
use crdt_schema::testing::Numbers;
use crdt_schema::time::Timestamp;

use super::scale::{RECORD_ENTRIES, Shape};
use crate::world::{Feed, KIND, World, Writer, record_id, signed};

/// Milliseconds between two saves of one device.
const SAVE_EVERY_MS: i64 = 40_000;
/// 2026-01-05 08:00 WIB.
const START_MS: i64 = 1_767_574_800_000;
/// Records after which a late edit comes: their entries are more than a chapter of the feed store. In a
/// feed with fewer it is half of them.
const LATE_RECORDS: usize = 1_400;
/// Steps of a record for which chance is asked, beside those of its entries.
const HELD: u64 = 100;
const LATE: u64 = 101;
/// Names of places and groups around a device, and phrases it is used to.
const NAMES: usize = 8;
const USED: usize = 12;

/// Code, sort and beginning of the title of an activity.
const ACTS: [(&str, &str, &str); 12] = [
    ("G.1.2", "kunjungan", "Pendataan warga"),
    ("G.1.3", "kunjungan", "Pencocokan catatan"),
    ("G.3.1", "rapat", "Musyawarah profil"),
    ("G.3.2", "pameran", "Bazar dan pameran"),
    ("G.4.1", "pelatihan_sdm", "Pelatihan pencatat"),
    ("G.4.2", "bimbingan", "Bimbingan pengurus"),
    ("G.5.1.1", "sosialisasi", "Penyuluhan"),
    ("G.5.1.4", "kampanye", "Ajakan bersama"),
    ("G.5.1.5", "forum", "Temu warga"),
    ("G.5.2.3", "forum", "Temu pengurus"),
    ("G.5.3.1", "rapat", "Rapat bulanan"),
    ("G.5.3.3", "aksi_sosial", "Kerja bakti"),
];
const FRONTS: [&str; 20] = [
    "Suka", "Ci", "Mekar", "Karang", "Bojong", "Pasir", "Tanjung", "Sindang", "Marga", "Jati",
    "Kerta", "Panyi", "Rancak", "Leuwi", "Cikal", "Babakan", "Gunung", "Pamula", "Nagra", "Wana",
];
const ENDS: [&str; 24] = [
    "maju", "salak", "sari", "tengah", "wangi", "kendal", "hurip", "laksana", "jaya", "mulya",
    "luyu", "bakti", "haur", "nangka", "gede", "raharja", "asih", "manah", "tani", "kiara",
    "bungur", "hilir", "girang", "loa",
];
const SPOTS: [&str; 8] =
    ["Balai", "Posyandu", "Madrasah", "Aula SD", "Rumah RT", "Lapang", "Gardu RW", "Saung"];
const HOSTS: [(&str, &str); 3] = [("wksbm", "WKSBM"), ("kps", "Kelompok"), ("instansi", "Kantor")];
const PHRASES: [&str; 48] = [
    "jadwal kunjungan bulan depan",
    "daftar lansia diperiksa",
    "iuran warga terkumpul",
    "beras dibagi kepada keluarga",
    "kursi roda belum diterima",
    "alamat perlu didatangi lagi",
    "akta kelahiran sedang diurus",
    "rujukan menunggu jawaban",
    "kader baru dilatih",
    "ketua RT setuju",
    "sumur bersama diperbaiki",
    "atap rumah bocor",
    "modal usaha dikembalikan",
    "seragam sekolah dibagikan",
    "catatan kurang lengkap",
    "dua keluarga pindah",
    "obat diambil di puskesmas",
    "anak kembali bersekolah",
    "jamban umum dibangun",
    "listrik sudah tersambung",
    "warga minta penyuluhan",
    "tiga kambing bergulir",
    "KTP belum jadi",
    "pertemuan diulang pekan depan",
    "alat dengar dipesan",
    "janda dan yatim didata",
    "dana desa belum cair",
    "tongkat sudah dikirim",
    "makanan tambahan balita",
    "lomba antar RW disepakati",
    "buku kas diperiksa",
    "pengurus lama berhenti",
    "tamu dari kecamatan hadir",
    "hujan, peserta sedikit",
    "sampah dipilah tiap rumah",
    "posko dijaga bergiliran",
    "bibit sayur ditanam",
    "tabungan bersama dibuka",
    "kamar mandi difabel dibuat",
    "pos ronda diperbaiki",
    "jalan setapak dibersihkan",
    "arisan ibu dimulai",
    "pengajian dan santunan",
    "dapur umum dicoba",
    "nomor darurat ditempel",
    "keluhan warga dicatat",
    "surat dikirim ke dinas",
    "hasil panen dijual bersama",
];

/// Chance that is the same each time, and what a village draws by it.
#[derive(Debug, Clone)]
pub(super) struct Chance(Numbers);

impl Chance {
    pub(super) const fn new(seed: u64) -> Self {
        Self(Numbers::new(seed))
    }

    /// What befalls a record at one of its steps.
    fn of(record: RecordId, step: u64) -> Self {
        let seed = record.0.first_chunk().copied().map_or(0, u64::from_be_bytes);
        Self::new(seed.wrapping_add(step))
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0.below(end)
    }

    fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        *list.get(self.below(list.len())).unwrap()
    }

    fn number(&mut self, first: u8, last: u8) -> i64 {
        i64::from(first) + i64::try_from(self.below(usize::from(last - first) + 1)).unwrap()
    }

    /// What a place or a group is called.
    fn name(&mut self) -> String {
        [self.pick(&FRONTS), self.pick(&ENDS)].concat()
    }
}

/// How one device writes.
pub(super) struct Hand {
    feed: FeedId,
    names: Vec<String>,
    phrases: Vec<&'static str>,
}

impl Hand {
    pub(super) fn of(feed: FeedId) -> Self {
        let mut chance = Chance::new(feed.0.first_chunk().copied().map_or(0, u64::from_be_bytes));
        let names = (0..NAMES).map(|_| chance.name()).collect();
        let phrases = (0..USED).map(|_| chance.pick(&PHRASES)).collect();
        Self { feed, names, phrases }
    }

    /// The id of its record with this number.
    pub(super) fn record(&self, number: usize) -> RecordId {
        record_id(self.feed, number)
    }

    /// What it writes at one step of a record: the whole of it, then one field each time.
    pub(super) fn step(&self, record: RecordId, step: u64) -> Vec<Op> {
        let mut chance = Chance::of(record, step);
        let is_held = Chance::of(record, HELD).below(5) == 0;
        match step {
            0 => self.whole(&mut chance, is_held),
            1 if !is_held => {
                let state = if chance.below(5) == 0 { "batal" } else { "terlaksana" };
                vec![Op::put(4, text(state))]
            }
            _ => vec![self.one(&mut chance)],
        }
    }

    /// What it changes later on: of three edits one sets the status.
    pub(super) fn later(&self, chance: &mut Chance) -> Op {
        match chance.below(3) {
            0 => Op::put(4, text(chance.pick(&["rencana", "terlaksana", "batal"]))),
            _ => self.one(chance),
        }
    }

    /// The title of a record, whose words a search finds.
    pub(super) fn title(&self, number: usize) -> String {
        let first = self.step(self.record(number), 0).into_iter().next();
        first.and_then(|op| value(&op)?.as_text().map(str::to_owned)).unwrap()
    }

    fn whole(&self, chance: &mut Chance, is_held: bool) -> Vec<Op> {
        let (code, sort, title) = chance.pick(&ACTS);
        let (host_sort, host) = chance.pick(&HOSTS);
        let [month, day] =
            [12, 28].map(|last| u8::try_from(chance.number(1, last)).unwrap_or_default());
        vec![
            Op::put(1, text(format!("{title} RW {} {}", chance.number(1, 18), self.name(chance)))),
            Op::put(2, text(code)),
            Op::put(3, text(sort)),
            Op::put(4, text(if is_held { "terlaksana" } else { "rencana" })),
            Op::put(5, Value::Date(Date::new(2026, month, day).unwrap())),
            Op::put(6, Value::Int(chance.number(1, 6))),
            Op::put(7, self.place(chance)),
            Op::put(8, text(host_sort)),
            Op::put(9, text(format!("{host} {}", self.name(chance)))),
            Op::put(11, Value::Int(chance.number(3, 40))),
            Op::put(12, Value::Int(chance.number(3, 45))),
            Op::put(13, Value::Int(chance.number(0, 2))),
            Op::put(15, text(self.phrase(chance))),
            Op::put(16, self.outcome(chance)),
            Op::put(18, Value::Int(25_000 * chance.number(1, 200))),
        ]
    }

    fn one(&self, chance: &mut Chance) -> Op {
        match chance.below(5) {
            0 => Op::put(6, Value::Int(chance.number(1, 6))),
            1 => Op::put(7, self.place(chance)),
            2 => Op::put(11, Value::Int(chance.number(3, 40))),
            3 => Op::put(12, Value::Int(chance.number(3, 45))),
            _ => Op::put(18, Value::Int(25_000 * chance.number(1, 200))),
        }
    }

    fn place(&self, chance: &mut Chance) -> Value {
        text(format!("{} {}", chance.pick(&SPOTS), self.name(chance)))
    }

    /// A name: three times of four one that is near.
    fn name(&self, chance: &mut Chance) -> String {
        let near = self.names.get(chance.below(self.names.len()));
        near.filter(|_| chance.below(4) > 0).cloned().unwrap_or_else(|| chance.name())
    }

    /// A phrase: three times of four one that this device is used to.
    fn phrase(&self, chance: &mut Chance) -> &'static str {
        let is_used = chance.below(4) > 0;
        if is_used { chance.pick(&self.phrases) } else { chance.pick(&PHRASES) }
    }

    fn outcome(&self, chance: &mut Chance) -> Value {
        let [one, two] = [self.phrase(chance), self.phrase(chance)];
        text(format!("{} KK: {one}, {two}", chance.number(3, 40)))
    }
}

/// What every writer of a world saved, feed after feed.
pub(super) fn feeds(world: &World, shape: Shape) -> impl Iterator<Item = Feed> {
    let villages = world.villages.iter();
    let writers =
        villages.flat_map(|(area, writers)| writers.iter().map(move |writer| (*area, writer)));
    let made = move |(number, (area, writer))| feed(writer, area, shape.records_of(number));
    writers.enumerate().map(made)
}

/// One writer's feed in one area.
pub(super) fn feed(writer: &Writer, area: AreaId, records: usize) -> Feed {
    let name = FeedName { device: writer.device(), area, space: Space::Records, incarnation: 1 };
    let id = name.id();
    let hand = Hand::of(id);
    let draft = |(place, (number, step)): (usize, (usize, u64))| {
        let record = hand.record(number);
        Draft {
            kind: EntryKind::EDIT,
            record_kind: KIND,
            record,
            person: 0,
            claimed_at: claimed_at(place),
            deps: Vec::new(),
            sections: vec![section(hand.step(record, step))],
        }
    };
    signed(name, writer.secret(), saves(id, records).into_iter().enumerate().map(draft).collect())
}

/// When a device made the save with this number.
pub(super) fn claimed_at(place: usize) -> Timestamp {
    Timestamp(START_MS + SAVE_EVERY_MS * i64::try_from(place).unwrap())
}

/// Record and step of each save, in the order they are made: edits two and four records after the
/// record, as an operator's day goes, or late.
fn saves(feed: FeedId, records: usize) -> Vec<(usize, u64)> {
    let late = LATE_RECORDS.min(records / 2);
    let mut saves = Vec::with_capacity(records * 3);
    for number in 0..records {
        let mut chance = Chance::of(record_id(feed, number), LATE);
        for (behind, step) in [0, 2, 4].into_iter().zip(0..RECORD_ENTRIES) {
            let is_late = step > 0 && chance.below(3) == 0;
            saves.push((number + behind + if is_late { late } else { 0 }, number, step));
        }
    }
    saves.sort_unstable();
    saves.into_iter().map(|(_, number, step)| (number, step)).collect()
}

/// The only section of a save: all fields are open.
pub(super) fn section(ops: Vec<Op>) -> DraftSection {
    let body = Section::from_ops(ops).unwrap().encode();
    DraftSection::in_clear(Class::Open, &body, [0; 16])
}

fn text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}

/// What a field is put to.
pub(super) fn value(op: &Op) -> Option<&Value> {
    if let Action::Put(value) = &op.action { Some(value) } else { None }
}

/// Bytes of a record as compact JSON, in the mean of the first records of some devices.
///
/// # Panics
/// When it is not about 405: then all other figures are of another workload.
pub(super) fn json_bytes() -> f64 {
    const DEVICES: u8 = 100;
    const RECORDS: usize = 20;
    let bytes = |device| {
        let hand = Hand::of(FeedId([device; 32]));
        let json = move |number| as_json(&hand.step(hand.record(number), 0)).to_string().len();
        (0..RECORDS).map(json).sum::<usize>()
    };
    let mean = (0..DEVICES).map(bytes).sum::<usize>() as f64 / RECORDS as f64 / f64::from(DEVICES);
    assert!((400.0..410.0).contains(&mean), "a record has {mean} bytes as JSON");
    mean
}

fn as_json(ops: &[Op]) -> serde_json::Value {
    let kind = Schema::standard().kind_numbered(KIND).unwrap();
    let member = |op: &Op| {
        let field = kind.field_numbered(op.field)?;
        let value = value(op)?;
        let shown = match value.as_int() {
            Some(number) => number.into(),
            None => field.show(None, value).into(),
        };
        Some((field.name.to_owned(), shown))
    };
    serde_json::Value::Object(ops.iter().filter_map(member).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_fifteen_fields_about_405_bytes_and_no_twin_in_another_feed() {
        json_bytes();
        let [one, two] = [1, 2].map(|number| Hand::of(FeedId([number; 32])));
        assert_eq!(one.step(one.record(0), 0).len(), 15);
        assert_ne!(one.title(0), two.title(0));
    }

    #[test]
    fn a_third_of_the_edits_comes_late_and_each_behind_its_record() {
        for records in [12, 300, 4_000] {
            let saves = saves(FeedId([7; 32]), records);
            assert_eq!(saves.len(), 3 * records);
            let place = |wanted| saves.iter().position(|save| *save == wanted).unwrap();
            let late = 3 * LATE_RECORDS.min(records / 2) / 2;
            let mut behind = 0;
            let looked_at = records / 3;
            for number in 0..looked_at {
                let [made, once, twice] = [0, 1, 2].map(|step| place((number, step)));
                assert!(made < once && made < twice);
                behind += [once, twice].iter().filter(|edit| *edit - made > late).count();
            }
            let share = behind as f64 / looked_at as f64 / 2.0;
            assert!(records < 100 || (0.2..0.5).contains(&share), "{share} of {records}");
        }
    }
}
