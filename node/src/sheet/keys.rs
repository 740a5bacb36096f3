//! By what a row finds the record it speaks of: a second import must change nothing, and two
//! people must never become one.
//!
//! A key is a list of fields, compared as searches compare names, whatever their case. Where a
//! field stands `apart`, two different values of it tell two things of one key from each other;
//! where one of them is not known, nothing does. What a key proves decides what may follow:
//!
//! | key      | proves                                  | a row that finds a record by it            |
//! |----------|-----------------------------------------|--------------------------------------------|
//! | own      | a number, or a name that is given once  | belongs to it, unless another own key finds another |
//! | likely   | name, day of birth, RW and RT           | belongs to it, and the report says so      |
//! | weak     | name and place only                     | may repeat what the record says; a row that would change it is refused |
//! | namesake | the name alone                          | is new, and the report names the likeness  |
//!
//! | kind      | own                               | likely, weak                                  |
//! |-----------|-----------------------------------|-----------------------------------------------|
//! | ppks      | NIK                               | name, with day of birth (else age), RW and RT, unless two NIK differ |
//! | keluarga  | NIK of its head; KK number        | its head with RW, RT and address              |
//! | psks      | NIK; name of the body, RW and RT  | name of the person, as in ppks                |
//! | kps       | name, form and type               |                                               |
//! | kegiatan  | title and day, unless two places differ |                                         |
//! | kemitraan | partner and kind of source, unless two papers or beginnings differ | a single person's name in place of the partner |
//! | layanan   | whom, what and when, unless two givers or letters differ |                        |
//! | any other | NIK; its label with all required fields, where no NIK is declared | the label where one is |
//!
//! The type of a psks or ppks is no part of its key: one person may have several, and they are
//! elements of one record. Keys are kept as hashes: a million rows of people took 390 megabytes in all,
//! before a key that knows two marks lay twice in `matches.rs`. Of people with a NIK and a day of birth
//! each the keys alone took 64 megabytes for 200,000 rows then, and take 78.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crdt_schema::fold::RecordState;
use crdt_schema::record::{Ask, Field, Kind, Refusal, ValueType, Wish, name_words};

/// Fields that may stand apart in one key.
pub(super) const APART_MAX: usize = 3;

/// What a key that fits proves, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Proof {
    /// A number or a name that is given once.
    #[default]
    Own,
    /// A name with enough beside it.
    Likely,
    /// A name with too little beside it.
    Weak,
    /// A name: reason to look, and no more.
    Namesake,
}

/// Values of one conflict by which a record is found.
const SURVIVORS_MAX: usize = 8;

/// One way to find a record, by names of fields.
struct Way {
    proof: Proof,
    /// All of them must be there.
    needs: &'static [&'static str],
    /// Belong to it, there or not; of several names the first that is there.
    also: &'static [&'static [&'static str]],
    /// Tell two things apart where both are there.
    apart: &'static [&'static str],
}

const fn way(
    proof: Proof,
    needs: &'static [&'static str],
    also: &'static [&'static [&'static str]],
    apart: &'static [&'static str],
) -> Way {
    Way { proof, needs, also, apart }
}

const PLACE: &[&[&str]] = &[&["rw"], &["rt"]];
const AGE_PLACE: &[&[&str]] = &[&["tanggal_lahir", "umur_perkiraan"], &["rw"], &["rt"]];
const PAPERS: &[&str] = &["naskah_nomor", "mulai"];

const WAYS: &[(&str, &[Way])] = &[
    (
        "ppks",
        &[
            way(Proof::Own, &["nik"], &[], &[]),
            way(Proof::Likely, &["nama", "tanggal_lahir"], PLACE, &["nik"]),
            way(Proof::Weak, &["nama"], AGE_PLACE, &["nik"]),
            way(Proof::Namesake, &["nama"], &[], &["nik", "tanggal_lahir"]),
            way(Proof::Namesake, &["nama", "tanggal_lahir"], &[], &[]),
        ],
    ),
    (
        "keluarga",
        &[
            way(Proof::Own, &["nik"], &[], &[]),
            way(Proof::Own, &["no_kk"], &[], &[]),
            way(Proof::Weak, &["kepala"], &[&["rw"], &["rt"], &["alamat"]], &["nik", "no_kk"]),
            way(Proof::Namesake, &["kepala"], &[], &["nik", "no_kk"]),
        ],
    ),
    (
        "psks",
        &[
            way(Proof::Own, &["nik"], &[], &[]),
            way(Proof::Own, &["nama_lembaga"], PLACE, &[]),
            way(Proof::Likely, &["nama", "tanggal_lahir"], PLACE, &["nik", "nama_lembaga"]),
            way(Proof::Weak, &["nama"], AGE_PLACE, &["nik", "nama_lembaga"]),
            way(Proof::Namesake, &["nama"], &[], &["nik", "tanggal_lahir", "nama_lembaga"]),
            way(Proof::Namesake, &["nama", "tanggal_lahir"], &[], &[]),
        ],
    ),
    ("kps", &[way(Proof::Own, &["nama", "bentuk"], &[&["jenis"]], &[])]),
    ("kegiatan", &[way(Proof::Own, &["judul", "tanggal"], &[], &["tempat"])]),
    (
        "kemitraan",
        &[
            way(Proof::Own, &["mitra", "jenis_sumber"], &[], PAPERS),
            way(
                Proof::Weak,
                &["nama_perorangan", "jenis_sumber"],
                &[],
                &["naskah_nomor", "mulai", "mitra"],
            ),
        ],
    ),
    ("layanan", &[way(Proof::Own, &["ppks", "jenis", "tanggal"], &[], &["pemberi", "surat_no"])]),
];

/// A way with its fields.
#[derive(Debug, Default)]
struct Spec {
    proof: Proof,
    needs: Vec<&'static Field>,
    also: Vec<Vec<&'static Field>>,
    apart: Vec<&'static Field>,
}

/// What identifies records of one kind.
#[derive(Debug, Default)]
pub(crate) struct Identity {
    specs: Vec<Spec>,
}

/// One key of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(super) hash: [u8; 16],
    pub(super) apart: [u32; APART_MAX],
    pub(super) proof: Proof,
}

impl Key {
    /// Which of what stands apart it knows: a bit each.
    pub(super) fn known(&self) -> u8 {
        let marks = (0..).zip(&self.apart);
        marks.fold(0, |known, (place, mark)| known | (u8::from(*mark != 0) << place))
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

    /// Every field of any key, once.
    fn fields(&self) -> impl Iterator<Item = &'static Field> {
        let of_keys = self.specs.iter().flat_map(|spec| {
            let also = spec.also.iter().flatten();
            spec.needs.iter().chain(also).chain(&spec.apart).copied()
        });
        let once: BTreeMap<u16, &'static Field> =
            of_keys.map(|field| (field.number, field)).collect();
        once.into_values()
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

    /// The same with every value that survives in a conflict: once as it is shown, and once for each
    /// other value.
    pub(crate) fn of_record_in_conflict(&self, state: &RecordState) -> Vec<Says> {
        let shown = self.of_record(state);
        let mut all = Vec::new();
        for field in self.fields() {
            let survivors = field.survivors_in(state, None).iter().skip(1).take(SURVIVORS_MAX);
            for survivor in survivors {
                let mut other = Says(shown.0.clone());
                let text = comparable(field, &field.show(None, &survivor.value));
                other.0.insert(field.number, text);
                all.push(other);
            }
        }
        all.push(shown);
        all
    }

    /// Whether a row says something of a field that identifies and that is in conflict in the record:
    /// any value it puts there would settle that unseen.
    pub(crate) fn would_settle(&self, says: &Says, state: &RecordState) -> bool {
        self.fields()
            .any(|field| says.0.contains_key(&field.number) && field.is_contested_in(state))
    }

    /// The keys of what is said, in the order they are tried.
    pub(crate) fn keys(&self, says: &Says) -> Vec<Key> {
        let specs = self.specs.iter().enumerate();
        specs.filter_map(|(place, spec)| spec.key(place, says)).collect()
    }
}

impl Says {
    /// Whether both name something, and not the same: by the words of `field`.
    pub(crate) fn differ_in(&self, other: &Self, field: &Field) -> bool {
        let words = |says: &Self| says.0.get(&field.number).cloned();
        matches!((words(self), words(other)), (Some(one), Some(two)) if one != two)
    }

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
        Some(Key { hash, apart, proof: self.proof })
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
        proof: way.proof,
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
    let proof = if nik.is_some() { Proof::Weak } else { Proof::Own };
    let by_label = kind.field(kind.label).map(|label| Spec {
        proof,
        needs: vec![label],
        also: others.map(|field| vec![field]).collect(),
        apart: nik.into_iter().collect(),
    });
    by_nik.into_iter().chain(by_label).collect()
}

/// The keys of a row with these fields.
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
pub(super) fn keys_of(kind: &str, fields: &[(&str, &str)]) -> Vec<Key> {
    let identity = Identity::of(crdt_schema::record::Schema::standard().kind(kind).unwrap());
    let put = |(field, text): &(&str, &str)| Ask {
        field: (*field).to_owned(),
        what: Wish::Put((*text).to_owned()),
    };
    let asks: Vec<Ask> = fields.iter().map(put).collect();
    identity.keys(&identity.of_row(&asks).unwrap())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use crdt_schema::record::Schema;

    use super::*;

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
}
