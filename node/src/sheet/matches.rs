//! What the keys of a row find: records that are held, and earlier rows of the same sheet.
//!
//! Keys of one name lie side by side, ordered by what tells them apart. Those that are told apart are
//! leapt over ([`Key::leap`]), not looked at one by one: in a sheet where nobody has a name, or all
//! have the same, each row would be held against every other.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;
use std::ops::Bound;

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

    /// What own keys find together, else what a likely one finds, else a weak one. Of two records with
    /// one number, or with one number of a row each, a person must say which is meant.
    pub(crate) fn find(&self, keys: &[Key]) -> Found {
        for proof in [Proof::Own, Proof::Likely, Proof::Weak] {
            let of_proof = keys.iter().filter(|key| key.proof == proof);
            let found: BTreeSet<RecordId> =
                of_proof.flat_map(|key| self.fits(key).take(FITS_MAX)).collect();
            match (found.first(), found.len()) {
                (None, _) => {}
                _ if proof == Proof::Weak => return Found::Perhaps(found),
                (Some(record), 1) => return Found::One(*record, proof),
                _ => return Found::Several,
            }
        }
        Found::None
    }

    /// Whether any record has the name, and nothing tells it apart.
    pub(crate) fn has_namesake(&self, keys: &[Key]) -> bool {
        let mut names = keys.iter().filter(|key| key.proof == Proof::Namesake);
        names.any(|key| self.fits(key).next().is_some())
    }

    fn fits(&self, key: &Key) -> impl Iterator<Item = RecordId> {
        let mut at = self.0.partition_point(|(other, _)| other.hash < key.hash);
        iter::from_fn(move || {
            loop {
                let (other, record) = self.0.get(at).filter(|(other, _)| other.hash == key.hash)?;
                if other.may_be(key) {
                    at += 1;
                    return Some(*record);
                }
                let next = key.leap(other)?;
                at += self.0.get(at..)?.partition_point(|(other, _)| *other < next);
            }
        })
    }
}

/// What earlier rows of the sheet spoke of.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    keys: BTreeSet<(Key, u32)>,
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
        let mut bare = None;
        for key in keys.iter().filter(|key| key.proof != Proof::Namesake) {
            for (other, row) in self.fits(key).filter(|(other, _)| !yields(other, key, keys)) {
                let is_name = key.proof != Proof::Own;
                if !(is_name && other.knows_beyond(key)) {
                    return Some(Clash::Same(row));
                }
                bare.get_or_insert(Clash::Bare(row));
            }
        }
        bare
    }

    /// Earlier rows of whom only the name is known, which is this one's too, where this one has a number
    /// of its own.
    pub(crate) fn yielding(&self, keys: &[Key]) -> BTreeSet<u32> {
        let of_key = |key| self.fits(key).filter(move |(other, _)| yields(other, key, keys));
        keys.iter().flat_map(of_key).map(|(_, row)| row).collect()
    }

    /// Whether an earlier row has the name, and nothing tells it apart.
    pub(crate) fn has_namesake(&self, keys: &[Key]) -> bool {
        let mut names = keys.iter().filter(|key| key.proof == Proof::Namesake);
        names.any(|key| self.fits(key).next().is_some())
    }

    fn fits(&self, key: &Key) -> impl Iterator<Item = (&Key, u32)> {
        let first = Key { apart: [0; APART_MAX], proof: Proof::Own, ..*key };
        let last = Key { apart: [u32::MAX; APART_MAX], proof: Proof::Namesake, ..*key };
        let (mut from, to) = (Bound::Included((first, 0)), Bound::Included((last, u32::MAX)));
        iter::from_fn(move || {
            loop {
                let (other, row) = self.keys.range((from, to)).next()?;
                if other.may_be(key) {
                    from = Bound::Excluded((*other, *row));
                    return Some((other, *row));
                }
                from = Bound::Included((key.leap(other)?, 0));
            }
        })
    }

    /// A row that was taken.
    pub(crate) fn add(&mut self, keys: &[Key], record: Option<RecordId>, row: u32) {
        self.keys.extend(keys.iter().map(|key| (*key, row)));
        self.records.extend(record.map(|record| (record, row)));
    }
}

/// Whether an earlier row with `other` yields to one with `keys`, of which `key` fits it.
fn yields(other: &Key, key: &Key, keys: &[Key]) -> bool {
    let is_name = matches!(key.proof, Proof::Likely | Proof::Weak);
    is_name && key.knows_beyond(other) && keys.iter().any(|key| key.proof == Proof::Own)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::keys::keys_of as keys;
    use super::*;

    const NIK: (&str, &str) = ("nik", "3205010101879001");
    const OTHER: (&str, &str) = ("nik", "3205010101879002");

    #[test]
    fn a_nik_decides_a_day_of_birth_speaks_for_a_record_and_a_name_alone_proves_nothing() {
        let born = ("tanggal_lahir", "1987-01-01");
        let mut known = Known::default();
        known.add(&keys("ppks", &[NIK, ("nama", "Asep"), born, ("rt", "1")]), RecordId([1; 16]));
        known.add(&keys("ppks", &[("nama", "Euis"), ("rt", "1")]), RecordId([2; 16]));
        known.settle();
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
        known.settle();
        assert_eq!(known.find(&keys("ppks", &[("nama", "Euis"), ("rt", "1")])), perhaps(&[2, 3]));
    }

    #[test]
    fn namesakes_are_told_unless_a_nik_or_a_day_of_birth_tells_them_apart() {
        let born = ("tanggal_lahir", "1987-01-01");
        let held = keys("ppks", &[NIK, ("nama", "Asep"), born, ("rt", "1")]);
        let mut known = Known::default();
        known.add(&held, RecordId([1; 16]));
        known.settle();
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
        known.settle();
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

    fn some_key() -> impl Strategy<Value = Key> {
        let mark = || prop_oneof![0..4u32, Just(u32::MAX)];
        let apart = [mark(), mark(), mark()];
        (0..2u8, apart).prop_map(|(hash, apart)| Key {
            hash: [hash; 16],
            apart,
            proof: Proof::Weak,
        })
    }

    proptest! {
        #[test]
        fn leaping_finds_what_looking_at_each_finds(key in some_key(), others in vec(some_key(), 0..60)) {
            let rows = || others.iter().copied().zip(0..);
            let (mut known, mut seen) = (Known::default(), Seen::default());
            for (other, row) in rows() {
                known.add(&[other], RecordId([row; 16]));
                seen.add(&[other], None, u32::from(row));
            }
            known.settle();
            let mut fits: Vec<(Key, u8)> = rows().filter(|(other, _)| other.may_be(&key)).collect();
            fits.sort_unstable();
            prop_assert_eq!(
                known.fits(&key).collect::<Vec<_>>(),
                fits.iter().map(|(_, row)| RecordId([*row; 16])).collect::<Vec<_>>()
            );
            prop_assert_eq!(
                seen.fits(&key).map(|(other, row)| (*other, row)).collect::<Vec<_>>(),
                fits.iter().map(|(other, row)| (*other, u32::from(*row))).collect::<Vec<_>>()
            );
        }
    }
}
