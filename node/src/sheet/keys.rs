//! By what a row finds the record it speaks of: a second import must change nothing, and two
//! people must never become one.
//!
//! A key is a list of fields; the first key by which a row finds anything decides. Values are
//! compared as searches compare names, whatever their case. Where a field stands `apart`, two
//! different values of it tell two things of one key from each other; where one of them is not
//! known, nothing does.
//!
//! | kind      | found by, in this order                                                         |
//! |-----------|---------------------------------------------------------------------------------|
//! | ppks      | NIK; name with day of birth (else age), RW and RT, unless two NIK differ        |
//! | keluarga  | NIK of its head; KK number; its head with RW, RT and address                    |
//! | psks      | NIK; name of the body with RW and RT; name of the person with birth, RW and RT  |
//! | kps       | name, form and type                                                             |
//! | kegiatan  | title and day, unless two places differ                                         |
//! | kemitraan | partner and kind of source, unless two papers or beginnings differ              |
//! | layanan   | whom, what and when, unless two givers or letters differ                        |
//! | any other | NIK; its label with all required fields                                         |
//!
//! The type of a psks or ppks is no part of its key: one person may have several, and they are
//! elements of one record. Keys are kept as hashes: a million rows take some fifty megabytes.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::fold::RecordState;
use crdt_schema::id::RecordId;
use crdt_schema::record::{Ask, Field, Kind, Refusal, ValueType, Wish, name_words};

/// Fields that may stand apart in one key.
const APART_MAX: usize = 3;

/// One way to find a record, by names of fields.
struct Way {
    /// All of them must be there.
    needs: &'static [&'static str],
    /// Belong to it, there or not; of several names the first that is there.
    also: &'static [&'static [&'static str]],
    /// Tell two things apart where both are there.
    apart: &'static [&'static str],
}

const fn way(
    needs: &'static [&'static str],
    also: &'static [&'static [&'static str]],
    apart: &'static [&'static str],
) -> Way {
    Way { needs, also, apart }
}

const BORN: &[&str] = &["tanggal_lahir", "umur_perkiraan"];

const WAYS: &[(&str, &[Way])] = &[
    ("ppks", &[way(&["nik"], &[], &[]), way(&["nama"], &[BORN, &["rw"], &["rt"]], &["nik"])]),
    (
        "keluarga",
        &[
            way(&["nik"], &[], &[]),
            way(&["no_kk"], &[], &[]),
            way(&["kepala"], &[&["rw"], &["rt"], &["alamat"]], &["nik", "no_kk"]),
        ],
    ),
    (
        "psks",
        &[
            way(&["nik"], &[], &[]),
            way(&["nama_lembaga"], &[&["rw"], &["rt"]], &[]),
            way(&["nama"], &[BORN, &["rw"], &["rt"]], &["nik", "nama_lembaga"]),
        ],
    ),
    ("kps", &[way(&["nama", "bentuk"], &[&["jenis"]], &[])]),
    ("kegiatan", &[way(&["judul", "tanggal"], &[], &["tempat"])]),
    (
        "kemitraan",
        &[
            way(&["mitra", "jenis_sumber"], &[], &["naskah_nomor", "mulai"]),
            way(&["nama_perorangan", "jenis_sumber"], &[], &["naskah_nomor", "mulai", "mitra"]),
        ],
    ),
    ("layanan", &[way(&["ppks", "jenis", "tanggal"], &[], &["pemberi", "surat_no"])]),
];

/// A way with its fields.
#[derive(Debug, Default)]
struct Spec {
    needs: Vec<&'static Field>,
    also: Vec<Vec<&'static Field>>,
    apart: Vec<&'static Field>,
}

/// What identifies records of one kind.
#[derive(Debug)]
pub(crate) struct Identity {
    specs: Vec<Spec>,
}

/// One key of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    hash: [u8; 16],
    apart: [u32; APART_MAX],
}

impl Key {
    /// Whether nothing tells the two apart.
    fn may_be(&self, other: &Self) -> bool {
        let pairs = self.apart.iter().zip(&other.apart);
        self.hash == other.hash && pairs.into_iter().all(|(a, b)| a == b || *a == 0 || *b == 0)
    }
}

/// Values that identify, by field number. Personal: no `Debug`.
#[derive(Default)]
pub(crate) struct Says(BTreeMap<u16, String>);

impl Identity {
    /// Of a kind.
    pub(crate) fn of(kind: &Kind) -> Self {
        let declared = WAYS.iter().find(|(name, _)| *name == kind.name);
        let specs = match declared {
            Some((_, ways)) => ways.iter().filter_map(|way| resolve(kind, way)).collect(),
            None => unnamed(kind),
        };
        Self { specs }
    }

    fn fields(&self) -> impl Iterator<Item = &'static Field> + '_ {
        self.specs.iter().flat_map(|spec| {
            let also = spec.also.iter().flatten();
            spec.needs.iter().chain(also).chain(&spec.apart).copied()
        })
    }

    /// What a row says that identifies.
    ///
    /// # Errors
    /// [`Refusal`] of a value that is none.
    pub(crate) fn of_row(&self, asks: &[Ask]) -> Result<Says, Refusal> {
        let mut says = Says::default();
        for field in self.fields() {
            let Some(ask) = asks.iter().find(|ask| ask.field == field.name) else { continue };
            let (Wish::Put(text) | Wish::Add(text)) = &ask.what else { continue };
            if let Entry::Vacant(place) = says.0.entry(field.number) {
                let parsed = field.parse(text)?;
                let shown = field.show(parsed.element.as_deref(), &parsed.value);
                place.insert(comparable(field, &shown));
            }
        }
        Ok(says)
    }

    /// What a record says that identifies.
    pub(crate) fn of_record(&self, state: &RecordState) -> Says {
        let shown = |field: &'static Field| {
            let value = field.shown_in(state)?;
            Some((field.number, comparable(field, &field.show(None, value))))
        };
        Says(self.fields().filter_map(shown).collect())
    }

    /// The keys of what is said, in the order they are tried.
    pub(crate) fn keys(&self, says: &Says) -> Vec<Key> {
        let specs = self.specs.iter().enumerate();
        specs.filter_map(|(place, spec)| spec.key(place, says)).collect()
    }
}

impl Says {
    /// The row's word, and where it says nothing the record's.
    pub(crate) fn over(mut self, record: Self) -> Self {
        let mut joined = record;
        joined.0.append(&mut self.0);
        joined
    }
}

impl Spec {
    fn key(&self, place: usize, says: &Says) -> Option<Key> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&(place as u64).to_be_bytes());
        let mut add = |text: &str| {
            hasher.update(&(text.len() as u64).to_be_bytes()).update(text.as_bytes());
        };
        for field in &self.needs {
            add(says.0.get(&field.number)?);
        }
        for fields in &self.also {
            let first = fields.iter().find_map(|field| says.0.get(&field.number));
            add(first.map_or("", String::as_str));
        }
        let mut hash = [0; 16];
        hasher.finalize_xof().fill(&mut hash);
        let mut apart = [0; APART_MAX];
        for (place, field) in apart.iter_mut().zip(&self.apart) {
            *place = says.0.get(&field.number).map_or(0, |text| mark(text));
        }
        Some(Key { hash, apart })
    }
}

/// A value in 32 bits, never nought. Two values that meet by chance make two rows one key, which
/// is refused and said, not merged.
fn mark(text: &str) -> u32 {
    let mut bytes = [0; 4];
    blake3::Hasher::new().update(text.as_bytes()).finalize_xof().fill(&mut bytes);
    u32::from_be_bytes(bytes).max(1)
}

fn comparable(field: &Field, shown: &str) -> String {
    match field.value {
        ValueType::Text { .. } => name_words(shown).collect::<Vec<_>>().join(" "),
        ValueType::Int { .. }
        | ValueType::Bool
        | ValueType::Date
        | ValueType::Month
        | ValueType::Code(_)
        | ValueType::Nik
        | ValueType::Kk
        | ValueType::RtRw
        | ValueType::Reference(_)
        | ValueType::Hash => shown.to_owned(),
    }
}

/// `None` where a needed field is not declared; every other that is not is left out.
fn resolve(kind: &Kind, way: &Way) -> Option<Spec> {
    let fields = |names: &[&str]| -> Vec<&'static Field> {
        names.iter().filter_map(|name| kind.field(name)).collect()
    };
    let needs = fields(way.needs);
    (needs.len() == way.needs.len()).then(|| Spec {
        needs,
        also: way.also.iter().map(|names| fields(names)).collect(),
        apart: fields(way.apart),
    })
}

/// What identifies a kind that no table names.
fn unnamed(kind: &Kind) -> Vec<Spec> {
    let nik = kind.fields.iter().find(|field| field.value == ValueType::Nik);
    let by_nik = nik.map(|field| Spec { needs: vec![field], ..Spec::default() });
    let others = kind.fields.iter().filter(|field| {
        field.required
            && field.default.is_none()
            && !field.merge.has_elements()
            && field.name != kind.label
    });
    let by_label = kind.field(kind.label).map(|label| Spec {
        needs: vec![label],
        also: others.map(|field| vec![field]).collect(),
        apart: nik.into_iter().collect(),
    });
    by_nik.into_iter().chain(by_label).collect()
}

/// What a key finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing.
    None,
    /// One record.
    One(RecordId),
    /// Two or more.
    Several,
}

/// The records of one area and kind by their keys.
#[derive(Debug, Default)]
pub(crate) struct Known(Vec<(Key, RecordId)>);

impl Known {
    /// Adds a record; [`Known::settle`] comes after the last.
    pub(crate) fn add(&mut self, keys: &[Key], record: RecordId) {
        self.0.extend(keys.iter().map(|key| (*key, record)));
    }

    /// Makes it ready to be asked.
    pub(crate) fn settle(&mut self) {
        self.0.sort_unstable();
    }

    /// What the first key that finds anything finds.
    pub(crate) fn find(&self, keys: &[Key]) -> Found {
        for key in keys {
            let from = self.0.partition_point(|(other, _)| other.hash < key.hash);
            let same = self.0.iter().skip(from).take_while(|(other, _)| other.hash == key.hash);
            let fits = same.filter(|(other, _)| other.may_be(key)).map(|(_, record)| *record);
            let found: BTreeSet<RecordId> = fits.take(APART_MAX).collect();
            match (found.first(), found.len()) {
                (None, _) => {}
                (Some(record), 1) => return Found::One(*record),
                _ => return Found::Several,
            }
        }
        Found::None
    }
}

/// What earlier rows of the sheet spoke of.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    keys: BTreeSet<(Key, u32)>,
    records: BTreeMap<RecordId, u32>,
}

impl Seen {
    /// The earlier row that spoke of the same.
    pub(crate) fn clash(&self, keys: &[Key], record: Option<RecordId>) -> Option<u32> {
        let by_record = record.and_then(|record| self.records.get(&record).copied());
        by_record.or_else(|| keys.iter().find_map(|key| self.row_with(key)))
    }

    fn row_with(&self, key: &Key) -> Option<u32> {
        let first = (Key { hash: key.hash, apart: [0; APART_MAX] }, 0);
        let last = (Key { hash: key.hash, apart: [u32::MAX; APART_MAX] }, u32::MAX);
        self.keys.range(first..=last).find(|(other, _)| other.may_be(key)).map(|(_, row)| *row)
    }

    /// A row that was taken.
    pub(crate) fn add(&mut self, keys: &[Key], record: Option<RecordId>, row: u32) {
        self.keys.extend(keys.iter().map(|key| (*key, row)));
        self.records.extend(record.map(|record| (record, row)));
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use crdt_schema::record::Schema;

    use super::*;

    fn keys(kind: &str, fields: &[(&str, &str)]) -> Vec<Key> {
        let identity = Identity::of(Schema::standard().kind(kind).unwrap());
        let put = |(field, text): &(&str, &str)| Ask {
            field: (*field).to_owned(),
            what: Wish::Put((*text).to_owned()),
        };
        let asks: Vec<Ask> = fields.iter().map(put).collect();
        identity.keys(&identity.of_row(&asks).unwrap())
    }

    const NIK: (&str, &str) = ("nik", "3205010101879001");
    const OTHER: (&str, &str) = ("nik", "3205010101879002");

    #[test]
    fn every_field_of_the_table_is_declared() {
        for (kind, ways) in WAYS {
            let kind = Schema::standard().kind(kind).unwrap();
            for way in *ways {
                let names = way.needs.iter().chain(way.also.iter().copied().flatten());
                for name in names.chain(way.apart) {
                    // A volunteer's age is no field; the day of birth stands for it.
                    assert!(kind.field(name).is_some() || *name == "umur_perkiraan", "{name}");
                }
                assert!(way.apart.len() <= APART_MAX);
            }
        }
        for kind in Schema::standard().kinds() {
            assert!(!Identity::of(kind).specs.is_empty(), "{}", kind.name);
        }
    }

    #[test]
    fn a_nik_decides_and_a_name_joins_only_what_no_nik_tells_apart() {
        let mut known = Known::default();
        known.add(&keys("ppks", &[NIK, ("nama", "Asep"), ("rt", "1")]), RecordId([1; 16]));
        known.settle();
        for (fields, found) in [
            (&[NIK, ("nama", "Ujang")][..], Found::One(RecordId([1; 16]))),
            (&[("nama", "ASEP"), ("rt", "01")], Found::One(RecordId([1; 16]))),
            (&[OTHER, ("nama", "Asep"), ("rt", "1")], Found::None),
            (&[("nama", "Asep"), ("rt", "2")], Found::None),
        ] {
            assert_eq!(known.find(&keys("ppks", fields)), found);
        }
        known.add(&keys("ppks", &[OTHER, ("nama", "Asep"), ("rt", "1")]), RecordId([2; 16]));
        known.settle();
        assert_eq!(known.find(&keys("ppks", &[("nama", "Asep"), ("rt", "1")])), Found::Several);
    }

    #[test]
    fn a_family_with_a_new_card_and_a_card_with_a_new_head_are_found() {
        let mut known = Known::default();
        let kk = ("no_kk", "3205010101209001");
        known.add(&keys("keluarga", &[NIK, kk, ("kepala", "Asep")]), RecordId([1; 16]));
        known.settle();
        let renewed = [NIK, ("no_kk", "3205010101259001"), ("kepala", "Asep")];
        assert_eq!(known.find(&keys("keluarga", &renewed)), Found::One(RecordId([1; 16])));
        let widow = [OTHER, kk, ("kepala", "Euis")];
        assert_eq!(known.find(&keys("keluarga", &widow)), Found::One(RecordId([1; 16])));
    }

    #[test]
    fn a_second_row_of_the_same_is_seen() {
        let mut seen = Seen::default();
        seen.add(&keys("ppks", &[NIK, ("nama", "Asep")]), Some(RecordId([1; 16])), 2);
        assert_eq!(seen.clash(&keys("ppks", &[NIK, ("nama", "Ujang")]), None), Some(2));
        assert_eq!(seen.clash(&keys("ppks", &[("nama", "asep")]), None), Some(2));
        assert_eq!(seen.clash(&[], Some(RecordId([1; 16]))), Some(2));
        assert_eq!(seen.clash(&keys("ppks", &[OTHER, ("nama", "Asep")]), None), None);
    }
}
