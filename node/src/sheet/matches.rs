//! What the keys of a row find: records that are held, and earlier rows of the same sheet.
//!
//! Two keys of one hash fit where they say the same of all that both know. Those that know the same
//! places are ordered by them, once for each part of the places that another key may share: what
//! fits then lies side by side, and its first is found without a look at the others. In a sheet where
//! nobody has a name, or all have the same, each row would else be held against every other.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;

use crdt_schema::id::RecordId;

use super::keys::{APART_MAX, Key, Proof};

/// Records that are looked at where nothing but a name speaks for them.
const FITS_MAX: usize = 16;

/// What a key finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing.
    None,
    /// One record, and how much says so.
    One(RecordId, Proof),
    /// Records that may be meant: a name speaks for them, and nothing against them.
    Perhaps(BTreeSet<RecordId>),
    /// Two or more, by a key that should find one.
    Several,
}

/// Where a key lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    hash: [u8; 16],
    /// [`Key::known`].
    known: u8,
    /// Whose marks stand in front; none where each stands in its turn.
    prefix: u8,
    /// What it knows, in that order.
    marks: [u32; APART_MAX],
}

impl Place {
    /// Of these marks beside all that agree with them in `shared`.
    fn new(hash: [u8; 16], known: u8, shared: u8, apart: &[u32; APART_MAX]) -> Self {
        let mut place = Self { hash, known, prefix: prefix(known, shared), marks: [0; APART_MAX] };
        let order = place.order();
        for (mark, turn) in place.marks.iter_mut().zip(order) {
            *mark = apart.get(turn).copied().unwrap_or(0);
        }
        place
    }

    /// The marks, each in its turn.
    fn apart(&self) -> [u32; APART_MAX] {
        let mut apart = [0; APART_MAX];
        for (mark, turn) in self.marks.iter().zip(self.order()) {
            if let Some(place) = apart.get_mut(turn) {
                *place = *mark;
            }
        }
        apart
    }

    fn order(&self) -> impl Iterator<Item = usize> + use<> {
        let turns = |set: u8| (0..APART_MAX).filter(move |turn| (set >> turn) & 1 == 1);
        turns(self.prefix).chain(turns(self.known & !self.prefix))
    }

    /// Whether both lie in one order and begin with the same `count` marks.
    fn is_beside(&self, other: &Self, count: usize) -> bool {
        let order = |place: &Self| (place.hash, place.known, place.prefix);
        let mut marks = self.marks.iter().zip(&other.marks).take(count);
        order(self) == order(other) && marks.all(|(own, theirs)| own == theirs)
    }
}

/// The part of `known` that must stand in front so that `shared` does; none where it does anyway.
const fn prefix(known: u8, shared: u8) -> u8 {
    let others = known & !shared;
    let is_ahead = others == 0 || shared < 1 << others.trailing_zeros();
    if is_ahead { 0 } else { shared }
}

/// Whether who knows `known` knows a part of `whole`, and not all.
const fn is_part(known: u8, whole: u8) -> bool {
    known != whole && known & !whole == 0
}

/// A value that none is below.
trait Least {
    const LEAST: Self;
}

impl Least for u32 {
    const LEAST: Self = 0;
}

impl Least for RecordId {
    const LEAST: Self = Self([0; Self::SIZE_BYTES]);
}

/// Keys, and what has them.
#[derive(Debug)]
struct Index<V>(BTreeSet<(Place, V)>);

impl<V> Default for Index<V> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

impl<V: Least + Copy + Ord> Index<V> {
    fn add(&mut self, key: &Key, value: V) {
        let known = key.known();
        let prefixes = (0..=known).filter(|set| set & !known == 0 && prefix(known, *set) == *set);
        let place = |prefix| Place::new(key.hash, known, prefix, &key.apart);
        self.0.extend(prefixes.map(|prefix| (place(prefix), value)));
    }

    /// What keys of this hash know, each once.
    fn known_sets(&self, hash: [u8; 16]) -> impl Iterator<Item = u8> {
        let mut least = Some(0);
        iter::from_fn(move || {
            let from = Place { hash, known: least?, prefix: 0, marks: [0; APART_MAX] };
            let (next, _) = self.from(from).next().filter(|(next, _)| next.hash == hash)?;
            least = next.known.checked_add(1);
            Some(next.known)
        })
    }

    /// Of the keys that know `known` those that fit, in their order.
    fn fits(&self, key: &Key, known: u8) -> impl Iterator<Item = ([u32; APART_MAX], V)> {
        let shared = known & key.known();
        // Of what is not shared it knows nothing, and nought is the least mark.
        let from = Place::new(key.hash, known, shared, &key.apart);
        let count = shared.count_ones() as usize;
        let fits = self.from(from).take_while(move |(place, _)| place.is_beside(&from, count));
        fits.map(|(place, value)| (place.apart(), *value))
    }

    /// Of the keys that know what is asked for the first that fits.
    fn first(&self, key: &Key, is_asked: impl Fn(u8) -> bool) -> Option<V> {
        let sets = self.known_sets(key.hash).filter(|known| is_asked(*known));
        let firsts = sets.filter_map(|known| self.fits(key, known).next());
        firsts.min().map(|(_, value)| value)
    }

    /// Whether any has the name, and nothing tells it apart.
    fn has_namesake(&self, keys: &[Key]) -> bool {
        let mut names = keys.iter().filter(|key| key.proof == Proof::Namesake);
        names.any(|key| self.first(key, |_| true).is_some())
    }

    fn from(&self, place: Place) -> impl Iterator<Item = &(Place, V)> {
        let behind = self.0.range((place, V::LEAST)..);
        #[cfg(test)]
        let behind = behind.inspect(|_| crate::work::count(1));
        behind
    }
}

impl Found {
    /// What own keys find together, else what a likely one finds, else a weak one, where `by` gives what
    /// keys of a proof find. Of two records with one number, or with one number of a row each, a person
    /// must say which is meant.
    fn first(by: impl Fn(Proof) -> BTreeSet<RecordId>) -> Self {
        for proof in [Proof::Own, Proof::Likely, Proof::Weak] {
            let found = by(proof);
            match (found.first(), found.len()) {
                (None, _) => {}
                _ if proof == Proof::Weak => return Self::Perhaps(found),
                (Some(record), 1) => return Self::One(*record, proof),
                _ => return Self::Several,
            }
        }
        Self::None
    }
}

/// The records of one area and kind by their keys.
#[derive(Debug, Default)]
pub(crate) struct Known {
    records: Index<RecordId>,
    /// There are records whose keys nobody can read.
    is_partial: bool,
}

impl Known {
    /// Adds a record; in a conflict one key may come several times, and several of one hash.
    pub(crate) fn add(&mut self, keys: &[Key], record: RecordId) {
        for key in keys {
            self.records.add(key, record);
        }
    }

    /// There is a record that cannot be compared.
    pub(crate) const fn leave_out(&mut self) {
        self.is_partial = true;
    }

    /// Whether a record was left out.
    pub(crate) const fn is_partial(&self) -> bool {
        self.is_partial
    }

    /// The records that may be meant.
    pub(crate) fn find(&self, keys: &[Key]) -> Found {
        Found::first(|proof| {
            let of_proof = keys.iter().filter(|key| key.proof == proof);
            of_proof.flat_map(|key| self.nearest(key)).collect()
        })
    }

    /// Whether any record has the name, and nothing tells it apart.
    pub(crate) fn has_namesake(&self, keys: &[Key]) -> bool {
        self.records.has_namesake(keys)
    }

    /// The first records that fit. One counts once, whatever number of its keys do: it would hide others.
    fn nearest(&self, key: &Key) -> BTreeSet<RecordId> {
        let of_known = |known| {
            let mut met = BTreeSet::new();
            let fits = self.records.fits(key, known);
            fits.filter(move |(_, record)| met.insert(*record)).take(FITS_MAX)
        };
        let mut fits: Vec<_> = self.records.known_sets(key.hash).flat_map(of_known).collect();
        fits.sort_unstable();
        let mut nearest = BTreeSet::new();
        for (_, record) in fits {
            if nearest.len() < FITS_MAX {
                nearest.insert(record);
            }
        }
        nearest
    }
}

/// What earlier rows of the sheet spoke of.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Of rows with the same key the first.
    keys: Index<u32>,
    records: BTreeMap<RecordId, u32>,
}

/// Why a row is not taken beside an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clash {
    /// The earlier row speaks of the same.
    Same(u32),
    /// The earlier row has a number of its own, this one only the name.
    Bare(u32),
}

impl Seen {
    /// The earlier row beside which this one is not taken. One of whom only the name is known yields to
    /// a row with a number of its own: that says who it is, and the name alone does not.
    pub(crate) fn clash(&self, keys: &[Key], record: Option<RecordId>) -> Option<Clash> {
        if let Some(row) = record.and_then(|record| self.records.get(&record)) {
            return Some(Clash::Same(*row));
        }
        let has_number = has_number(keys);
        let mut bare = None;
        for key in keys.iter().filter(|key| key.proof != Proof::Namesake) {
            let (is_name, own) = (is_name(key), key.known());
            let is_bare = |known| is_name && is_part(own, known);
            let is_yielding = |known| is_name && has_number && is_part(known, own);
            if let Some(row) = self.keys.first(key, |it| !is_bare(it) && !is_yielding(it)) {
                return Some(Clash::Same(row));
            }
            bare = bare.or_else(|| self.keys.first(key, is_bare).map(Clash::Bare));
        }
        bare
    }

    /// Earlier rows of whom only the name is known, which is this one's too, where this one has a number
    /// of its own. Of rows with the same key only the first was taken, so only that one is meant.
    pub(crate) fn yielding(&self, keys: &[Key]) -> BTreeSet<u32> {
        let names = keys.iter().filter(|key| is_name(key) && has_number(keys));
        let of_name = |key: &Key| {
            let (key, own) = (*key, key.known());
            let less = self.keys.known_sets(key.hash).filter(move |known| is_part(*known, own));
            less.filter_map(move |known| self.keys.fits(&key, known).next())
        };
        names.flat_map(of_name).map(|(_, row)| row).collect()
    }

    /// Whether an earlier row has the name, and nothing tells it apart.
    pub(crate) fn has_namesake(&self, keys: &[Key]) -> bool {
        self.keys.has_namesake(keys)
    }

    /// A row that was taken, or that says again what a record says; in the order of the sheet.
    pub(crate) fn add(&mut self, keys: &[Key], record: Option<RecordId>, row: u32) {
        for key in keys {
            if self.keys.fits(key, key.known()).next().is_none() {
                self.keys.add(key, row);
            }
        }
        self.records.extend(record.map(|record| (record, row)));
    }
}

const fn is_name(key: &Key) -> bool {
    matches!(key.proof, Proof::Likely | Proof::Weak)
}

fn has_number(keys: &[Key]) -> bool {
    keys.iter().any(|key| key.proof == Proof::Own)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::keys::keys_of as keys;
    use super::*;
    use crate::work;

    const NIK: (&str, &str) = ("nik", "3205010101879001");
    const OTHER: (&str, &str) = ("nik", "3205010101879002");

    #[test]
    fn a_nik_decides_a_day_of_birth_speaks_for_a_record_and_a_name_alone_proves_nothing() {
        let born = ("tanggal_lahir", "1987-01-01");
        let mut known = Known::default();
        known.add(&keys("ppks", &[NIK, ("nama", "Asep"), born, ("rt", "1")]), RecordId([1; 16]));
        known.add(&keys("ppks", &[("nama", "Euis"), ("rt", "1")]), RecordId([2; 16]));
        let perhaps =
            |ids: &[u8]| Found::Perhaps(ids.iter().map(|id| RecordId([*id; 16])).collect());
        for (fields, found) in [
            (&[NIK, ("nama", "Ujang")][..], Found::One(RecordId([1; 16]), Proof::Own)),
            (&[("nama", "ASEP"), born, ("rt", "01")], Found::One(RecordId([1; 16]), Proof::Likely)),
            (&[OTHER, ("nama", "Asep"), born, ("rt", "1")], Found::None),
            (&[("nama", "Asep"), ("rt", "1")], Found::None),
            (&[("nama", "Euis"), ("rt", "1")], perhaps(&[2])),
            (&[OTHER, ("nama", "Euis"), ("rt", "1")], perhaps(&[2])),
            (&[("nama", "Euis"), ("rt", "2")], Found::None),
        ] {
            assert_eq!(known.find(&keys("ppks", fields)), found, "{fields:?}");
        }
        known.add(&keys("ppks", &[OTHER, ("nama", "Euis"), ("rt", "1")]), RecordId([3; 16]));
        assert_eq!(known.find(&keys("ppks", &[("nama", "Euis"), ("rt", "1")])), perhaps(&[2, 3]));
    }

    #[test]
    fn namesakes_are_told_unless_a_nik_or_a_day_of_birth_tells_them_apart() {
        let born = ("tanggal_lahir", "1987-01-01");
        let held = keys("ppks", &[NIK, ("nama", "Asep"), born, ("rt", "1")]);
        let mut known = Known::default();
        known.add(&held, RecordId([1; 16]));
        let mut seen = Seen::default();
        seen.add(&held, None, 2);
        for (fields, is_namesake) in [
            (&[("nama", "Asep"), ("rt", "2")][..], true),
            (&[("nama", "asep"), born], true),
            (&[OTHER, ("nama", "Asep")], false),
            (&[("nama", "Asep"), ("tanggal_lahir", "1988-01-01")], false),
            (&[("nama", "Asep Suryana")], false),
        ] {
            assert_eq!(known.has_namesake(&keys("ppks", fields)), is_namesake, "{fields:?}");
            assert_eq!(seen.has_namesake(&keys("ppks", fields)), is_namesake, "{fields:?}");
        }
    }

    #[test]
    fn a_family_with_a_new_card_and_a_card_with_a_new_head_are_found() {
        let mut known = Known::default();
        let kk = ("no_kk", "3205010101209001");
        known.add(&keys("keluarga", &[NIK, kk, ("kepala", "Asep")]), RecordId([1; 16]));
        let renewed = [NIK, ("no_kk", "3205010101259001"), ("kepala", "Asep")];
        assert_eq!(
            known.find(&keys("keluarga", &renewed)),
            Found::One(RecordId([1; 16]), Proof::Own)
        );
        let widow = [OTHER, kk, ("kepala", "Euis")];
        assert_eq!(
            known.find(&keys("keluarga", &widow)),
            Found::One(RecordId([1; 16]), Proof::Own)
        );
    }

    #[test]
    fn a_second_row_of_the_same_is_seen() {
        let mut seen = Seen::default();
        seen.add(&keys("ppks", &[NIK, ("nama", "Asep")]), Some(RecordId([1; 16])), 2);
        let same = Some(Clash::Same(2));
        assert_eq!(seen.clash(&keys("ppks", &[NIK, ("nama", "Ujang")]), None), same);
        assert_eq!(seen.clash(&keys("ppks", &[("nama", "asep")]), None), Some(Clash::Bare(2)));
        assert_eq!(seen.clash(&[], Some(RecordId([1; 16]))), same);
        assert_eq!(seen.clash(&keys("ppks", &[OTHER, ("nama", "Asep")]), None), None);
    }

    #[test]
    fn a_row_without_a_number_yields_to_every_row_of_its_name_that_has_one() {
        let mut seen = Seen::default();
        let bare = keys("ppks", &[("nama", "Cep")]);
        seen.add(&bare, None, 2);
        assert_eq!(seen.clash(&bare, None), Some(Clash::Same(2)));
        for (row, nik) in [(3, NIK), (4, OTHER)] {
            let own = keys("ppks", &[nik, ("nama", "Cep")]);
            assert_eq!((seen.clash(&own, None), seen.yielding(&own)), (None, [2].into()));
            seen.add(&own, None, row);
        }
        let elsewhere = keys("ppks", &[NIK, ("nama", "Cep"), ("rt", "1")]);
        assert_eq!(seen.yielding(&elsewhere), BTreeSet::new());
        assert_eq!(seen.yielding(&bare), BTreeSet::new());
        assert_eq!(seen.clash(&keys("ppks", &[("nama", "Cep"), ("rt", "1")]), None), None);
    }

    #[test]
    fn a_record_with_many_values_in_conflict_hides_no_other() {
        let key = |nik| Key { hash: [1; 16], apart: [nik, 0, 0], proof: Proof::Likely };
        let most = u32::try_from(FITS_MAX).unwrap();
        for nik_of in [|_| 0, |place| place + 1] {
            let mut known = Known::default();
            for nik in (0..=most).map(nik_of) {
                known.add(&[key(nik)], RecordId([1; 16]));
            }
            assert_eq!(known.find(&[key(0)]), Found::One(RecordId([1; 16]), Proof::Likely));
            known.add(&[key(nik_of(most + 1))], RecordId([2; 16]));
            assert_eq!(known.find(&[key(0)]), Found::Several);
        }
    }

    /// How many keys are looked at while a sheet with these rows is read, of which all are held already.
    fn looks(rows: &[Vec<Key>]) -> u64 {
        let mut known = Known::default();
        let record = |row: u32| {
            let mut id = [0; RecordId::SIZE_BYTES];
            id[..4].copy_from_slice(&row.to_be_bytes());
            RecordId(id)
        };
        for (row, keys) in (2..).zip(rows) {
            known.add(keys, record(row));
        }
        let mut seen = Seen::default();
        let ((), looks) = work::counted(|| {
            for (row, keys) in (2..).zip(rows) {
                let found = known.find(keys);
                let is_namesake = known.has_namesake(keys) | seen.has_namesake(keys);
                let clash = seen.clash(keys, None);
                let yielding = seen.yielding(keys);
                assert!(yielding.len() <= keys.len() * 8, "{found:?} {is_namesake} {clash:?}");
                seen.add(keys, None, row);
            }
        });
        assert!(looks > 0);
        looks
    }

    /// Ten times the rows are looked at ten times, and a few rows more where the first find nothing.
    fn assert_linear(what: &str, rows: impl Fn(u32) -> Vec<Vec<Key>>, few: u32) {
        let (few, many) = (looks(&rows(few)), looks(&rows(few * 10)));
        assert!(many <= few * 11, "{what}: {few}, then {many}");
    }

    /// The rows of one half of a sheet, by their numbers.
    type Half<'a> = &'a dyn Fn(u32) -> Vec<Key>;

    #[test]
    fn rows_of_one_name_are_not_each_held_against_every_other() {
        let nik = |n: u32| format!("3205010101{:02}{}", n / 1_000, 9_000 + n % 1_000);
        let born =
            |n: u32| format!("{}-{:02}-{:02}", 1_940 + n % 80, 1 + n / 80 % 12, 1 + n / 960 % 28);
        let name = ("nama", "Cep");
        let bare = |_| keys("ppks", &[name]);
        let own = |n| keys("ppks", &[("nik", &nik(n)), name]);
        let twins = |n| keys("ppks", &[("nik", &nik(n)), name, ("tanggal_lahir", "1987-01-01")]);
        let dated = |n| keys("ppks", &[name, ("tanggal_lahir", &born(n))]);
        let shapes: [(&str, [Half<'_>; 2]); 5] = [
            ("the name alone", [&bare, &bare]),
            ("a NIK each, then the name alone", [&own, &bare]),
            ("the name alone, then a NIK each", [&bare, &own]),
            ("a NIK each and one day of birth, then other days", [&twins, &dated]),
            ("days of birth, then a NIK each", [&dated, &own]),
        ];
        for (what, halves) in shapes {
            let rows = |n: u32| halves.iter().flat_map(|half| (0..n / 2).map(half)).collect();
            assert_linear(what, rows, 200);
        }
    }

    #[test]
    fn whatever_two_halves_of_a_sheet_know_their_rows_are_not_each_held_against_every_other() {
        for (one, two) in (0..8_u8).flat_map(|one| (0..8).map(move |two| (one, two))) {
            let row = |known: u8, other: u8, n: u32| {
                // Of what both know the last tells them apart, so that all before it are met.
                let last = (known & other).checked_ilog2();
                let mark = |place: u32| {
                    if (known >> place) & 1 == 0 {
                        0
                    } else if Some(place) == last {
                        1 + u32::from(known)
                    } else if (other >> place) & 1 == 1 {
                        1
                    } else {
                        n + 1
                    }
                };
                let apart = [mark(0), mark(1), mark(2)];
                let name = Key { hash: [0; 16], apart, proof: Proof::Weak };
                let own = Key { hash: [1; 16], apart: [n + 1, 0, 0], proof: Proof::Own };
                let number = (known > other).then_some(own);
                iter::once(name).chain(number).collect::<Vec<_>>()
            };
            let rows = |n| {
                let first = (0..n / 2).map(|n| row(one, two, n));
                first.chain((0..n / 2).map(|n| row(two, one, n))).collect()
            };
            assert_linear(&format!("{one:03b}, then {two:03b}"), rows, 40);
        }
    }

    /// The rules told naively: each key held against each.
    struct Plain(Vec<(Key, u32)>);

    fn may_be(one: &Key, other: &Key) -> bool {
        let pairs = one.apart.iter().zip(&other.apart);
        one.hash == other.hash && pairs.into_iter().all(|(a, b)| a == b || *a == 0 || *b == 0)
    }

    /// Whether `one` says all that the other says to tell it apart, and more.
    fn knows_beyond(one: &Key, other: &Key) -> bool {
        let mut pairs = one.apart.iter().zip(&other.apart);
        one.apart != other.apart && pairs.all(|(own, theirs)| own == theirs || *theirs == 0)
    }

    fn yields(other: &Key, key: &Key, keys: &[Key]) -> bool {
        is_name(key) && knows_beyond(key, other) && has_number(keys)
    }

    impl Plain {
        fn new(rows: &[Vec<Key>]) -> Self {
            let keys =
                (0..).zip(rows).flat_map(|(row, keys)| keys.iter().map(move |it| (*it, row)));
            let mut all: Vec<_> = keys.collect();
            all.sort_unstable();
            Self(all)
        }

        fn fits(&self, key: &Key) -> impl Iterator<Item = (Key, u32)> {
            self.0.iter().copied().filter(move |(other, _)| may_be(other, key))
        }

        fn clash(&self, keys: &[Key]) -> Option<Clash> {
            let mut bare = None;
            for key in keys.iter().filter(|key| key.proof != Proof::Namesake) {
                for (other, row) in self.fits(key).filter(|(other, _)| !yields(other, key, keys)) {
                    if !(is_name(key) && knows_beyond(&other, key)) {
                        return Some(Clash::Same(row));
                    }
                    bare.get_or_insert(Clash::Bare(row));
                }
            }
            bare
        }

        fn yielding(&self, keys: &[Key]) -> BTreeSet<u32> {
            let is_first = |(key, row): &(Key, u32)| {
                self.0.iter().all(|(other, earlier)| other != key || earlier >= row)
            };
            let of_key = |key| self.fits(key).filter(move |(other, _)| yields(other, key, keys));
            keys.iter().flat_map(of_key).filter(is_first).map(|(_, row)| row).collect()
        }

        fn has_namesake(&self, keys: &[Key]) -> bool {
            let mut names = keys.iter().filter(|key| key.proof == Proof::Namesake);
            names.any(|key| self.fits(key).next().is_some())
        }

        fn find(&self, keys: &[Key]) -> Found {
            let [own, likely, weak] = [Proof::Own, Proof::Likely, Proof::Weak].map(|proof| {
                let mut found = BTreeSet::new();
                for key in keys.iter().filter(|key| key.proof == proof) {
                    let mut fits: Vec<_> =
                        self.fits(key).map(|(other, row)| (other.apart, record_of(row))).collect();
                    fits.sort_unstable();
                    let mut met = BTreeSet::new();
                    fits.retain(|(_, record)| met.insert(*record));
                    found.extend(fits.into_iter().take(FITS_MAX).map(|(_, record)| record));
                }
                Vec::from_iter(found)
            });
            match (own.as_slice(), likely.as_slice()) {
                ([record], _) => Found::One(*record, Proof::Own),
                ([], [record]) => Found::One(*record, Proof::Likely),
                ([], []) if weak.is_empty() => Found::None,
                ([], []) => Found::Perhaps(weak.into_iter().collect()),
                _ => Found::Several,
            }
        }
    }

    /// Of several rows of the test one record each.
    fn record_of(row: u32) -> RecordId {
        RecordId([u8::try_from(row % 37).unwrap(); 16])
    }

    fn some_keys() -> impl Strategy<Value = Vec<Key>> {
        let mark = || prop_oneof![2 => Just(0), 3 => 1..4_u32, 1 => Just(u32::MAX)];
        // A hash is one way's, and a way proves one thing.
        let proof = prop_oneof![
            1 => Just(Proof::Own),
            2 => Just(Proof::Likely),
            4 => Just(Proof::Weak),
            2 => Just(Proof::Namesake),
        ];
        let key = (0..2_u8, [mark(), mark(), mark()], proof);
        let key = key.prop_map(|(name, apart, proof)| Key {
            hash: [name * 4 + proof as u8; 16],
            apart,
            proof,
        });
        vec(key, 1..5)
    }

    proptest! {
        #[test]
        fn what_is_found_is_what_looking_at_each_finds(keys in some_keys(), rows in vec(some_keys(), 0..60)) {
            let (mut known, mut seen) = (Known::default(), Seen::default());
            for (row, keys) in (0..).zip(&rows) {
                known.add(keys, record_of(row));
                seen.add(keys, None, row);
            }
            let plain = Plain::new(&rows);
            prop_assert_eq!(known.find(&keys), plain.find(&keys));
            prop_assert_eq!(known.has_namesake(&keys), plain.has_namesake(&keys));
            prop_assert_eq!(seen.has_namesake(&keys), plain.has_namesake(&keys));
            prop_assert_eq!(seen.clash(&keys, None), plain.clash(&keys));
            prop_assert_eq!(seen.yielding(&keys), plain.yielding(&keys));
        }
    }
}
