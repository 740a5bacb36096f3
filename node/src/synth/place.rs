//! A village as the generator sees it: how many people, how many RT and RW, what its kampung are
//! called, and the stream of random numbers that belongs to it alone.

use std::sync::OnceLock;

use crdt_schema::area::{AreaCode, AreaId, BaseArea, Level, base_areas};

use super::calendar::push_digits;
use super::random::{Fixed, ONE, Random, mix, ratio, times, whole};
use super::table::{Kabupaten, NameMix};

/// Spread of the logarithm of a village's population.
const POPULATION_SIGMA: Fixed = ONE * 2 / 5;

/// Kampung a village draws its addresses from.
const KAMPUNG: usize = 12;

const PREFIXES: &[&str] = &[
    "Babakan ",
    "Pasir ",
    "Ci",
    "Bojong ",
    "Legok ",
    "Lebak ",
    "Cibeureum ",
    "Sukamaju ",
    "Rancabali ",
    "Leuwi ",
    "Muara ",
    "Karang ",
    "Gunung ",
    "Kebon ",
    "Mekar ",
    "Tanjung ",
];
const WORDS: &[&str] = &[
    "sari", "jaya", "mulya", "asih", "kaler", "kidul", "tengah", "wangi", "bungur", "awi", "jati",
    "salam", "muncang", "kalapa", "peundeuy", "gede", "leutik", "hilir", "girang", "panjang",
];

/// The key of everything random in an area: no other area's records move it.
pub(super) fn area_key(seed: u64, area: AreaId, use_: &str) -> u64 {
    let mut input = Vec::with_capacity(64);
    input.extend_from_slice(&seed.to_be_bytes());
    input.extend_from_slice(area.as_bytes());
    input.extend_from_slice(use_.as_bytes());
    let hash = blake3::derive_key("wksbm 2026 synthetic area v1", &input);
    hash.iter().take(8).fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// One village.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Its identity.
    pub(super) id: AreaId,
    /// Its code while the record is made.
    pub(super) code: AreaCode,
    /// The kecamatan it was first placed in.
    pub(super) kecamatan: AreaId,
    /// Whether it is a kelurahan.
    pub(super) urban: bool,
    /// Its kabupaten's figures.
    pub(super) kabupaten: &'static Kabupaten,
    /// Whose names are given.
    pub(super) names: NameMix,
    /// Residents.
    pub(super) people: u64,
    /// RW, from 2.
    pub(super) rw: u32,
    /// RT in each RW, from 1.
    pub(super) rt_each: u32,
    /// Whether it is the first of its kecamatan, where the TKSK sits.
    pub(super) first: bool,
    /// Whether a customary community lives here.
    pub(super) customary: bool,
    /// The seed, for what villages share.
    pub(super) seed: u64,
    key: u64,
    kampung: Vec<String>,
}

impl Place {
    /// The village as this seed has it.
    pub(super) fn new(seed: u64, area: &BaseArea) -> Self {
        let key = area_key(seed, area.id, "village");
        let mut random = Random::keyed(key);
        let kabupaten = Kabupaten::of(area.id);
        let urban = area.code.digits().get(6..7) == Some("1");
        let mean = ratio(kabupaten.people, kabupaten.villages);
        let people = whole(times(mean, random.lognormal(POPULATION_SIGMA))).max(300);
        let (rw, rt_each) = neighbourhoods(people, urban);
        let kampung = (0..KAMPUNG).map(|_| kampung(&mut random)).collect();
        let names = match kabupaten.names {
            NameMix::HalfPantura if random.chance(5_000) => NameMix::Pantura,
            NameMix::HalfPantura => NameMix::Priangan,
            NameMix::Priangan | NameMix::Pantura | NameMix::Bodebek => kabupaten.names,
        };
        let kecamatan = area.parent.unwrap_or(area.id);
        let places = customary(seed);
        Self {
            id: area.id,
            code: area.code,
            kecamatan,
            urban,
            kabupaten,
            names,
            people,
            rw,
            rt_each,
            first: is_first(area),
            customary: places.contains(&area.id),
            seed,
            key,
            kampung,
        }
    }

    /// The stream of this place's record number `record`; `use_` keeps its uses apart.
    pub(super) fn stream(&self, use_: Use, record: u32) -> Random {
        Random::keyed(self.key ^ mix((use_ as u64) << 32 | u64::from(record)))
    }

    /// A kampung, and the number of a house in it.
    pub(super) fn address(&self, random: &mut Random) -> String {
        let kampung = self.kampung(random);
        let mut text = String::with_capacity(32);
        text.push_str(if self.urban { "Jl. " } else { "Kp. " });
        text.push_str(kampung);
        text.push_str(" No. ");
        let number = random.between(1, 180);
        push_digits(&mut text, number, number.ilog10() + 1);
        text
    }

    /// One of its kampung.
    pub(super) fn kampung(&self, random: &mut Random) -> &str {
        self.kampung.get(random.place(KAMPUNG)).map_or("", String::as_str)
    }

    /// The six digits of its kecamatan today.
    pub(super) fn prefix(&self) -> &str {
        self.code.digits().get(..6).unwrap_or_default()
    }
}

/// What a stream of a record is drawn for. The numbers are part of every seed's meaning.
#[derive(Debug, Clone, Copy)]
pub(super) enum Use {
    /// How many of what.
    Counts = 1,
    /// When it was made, and what it is tied to.
    Frame = 2,
    /// The person or family.
    Person = 3,
    /// The other fields.
    Fields = 4,
    /// The record's id.
    Id = 5,
    /// When edits come.
    Times = 6,
    /// What they say.
    Edits = 7,
    /// Which record a deadline's edit is of.
    Burst = 8,
}

/// RW of a village, and RT in each: an RT holds 180 people in a desa, 375 in a kelurahan.
fn neighbourhoods(people: u64, urban: bool) -> (u32, u32) {
    let rt = (people / if urban { 375 } else { 180 }).max(4);
    let rw = (rt * 2 / 7).clamp(2, 99);
    let small = |value: u64| u32::try_from(value).unwrap_or(99);
    (small(rw), small((rt / rw).clamp(1, 99)))
}

fn kampung(random: &mut Random) -> String {
    let (prefix, word) = (random.pick(PREFIXES), random.pick(WORDS));
    let mut name = prefix.to_owned();
    if prefix.ends_with(' ') {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.extend(letters);
    } else {
        name.push_str(word);
    }
    name
}

/// The villages of the table, ascending.
pub(super) fn villages() -> impl Iterator<Item = &'static BaseArea> {
    base_areas().filter(|area| area.code.level() == Level::Desa)
}

/// Whether it is the first village of its kecamatan.
fn is_first(area: &BaseArea) -> bool {
    static FIRST: OnceLock<Vec<AreaId>> = OnceLock::new();
    let first = FIRST.get_or_init(|| {
        let mut kecamatan = None;
        let opens = |area: &&BaseArea| {
            let opens = kecamatan != area.parent;
            kecamatan = area.parent;
            opens
        };
        villages().filter(opens).map(|area| area.id).collect()
    });
    first.binary_search(&area.id).is_ok()
}

/// The three to five desa of the province with a customary community, by seed.
fn customary(seed: u64) -> Vec<AreaId> {
    static DESA: OnceLock<Vec<AreaId>> = OnceLock::new();
    let desa = DESA.get_or_init(|| {
        let rural = villages().filter(|area| area.code.digits().get(6..7) == Some("2"));
        rural.map(|area| area.id).collect()
    });
    let mut random = Random::keyed(mix(seed ^ 0x6164_6174));
    let count = random.between(3, 5);
    (0..count).filter_map(|_| desa.get(random.place(desa.len())).copied()).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kecamatan_has_one_first_village() {
        let firsts: Vec<_> = villages().filter(|area| is_first(area)).collect();
        let kecamatan: BTreeSet<_> = firsts.iter().filter_map(|area| area.parent).collect();
        assert_eq!((firsts.len(), kecamatan.len()), (627, 627));
    }

    #[test]
    fn a_village_is_the_same_whoever_asks_and_another_under_another_seed() {
        let area = villages().nth(3_000).unwrap();
        let (one, same, other) = (Place::new(1, area), Place::new(1, area), Place::new(2, area));
        assert_eq!(format!("{one:?}"), format!("{same:?}"));
        assert_ne!((one.people, &one.kampung), (other.people, &other.kampung));
    }

    #[test]
    fn the_province_has_about_as_many_people_as_were_counted() {
        let people: u64 = villages().map(|area| Place::new(11, area).people).sum();
        assert!((46_300_000..50_200_000).contains(&people), "{people}");
    }

    #[test]
    fn three_to_five_desa_are_customary() {
        for seed in 0..40 {
            let desa: BTreeSet<_> = customary(seed).into_iter().collect();
            assert!((2..=5).contains(&desa.len()));
        }
    }
}
