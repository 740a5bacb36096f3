//! The figures the recipe is anchored to: people and poverty by kabupaten, needs by type.
//!
//! Population is the census of 2020, the poor those of 2024; the rates lean on the register of one
//! city and are shifted for villages. Only figures live here, nothing that draws.

use crdt_schema::area::AreaId;

/// Whose names are given in a kabupaten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameMix {
    /// Sundanese.
    Priangan,
    /// Cirebon and Indramayu.
    Pantura,
    /// Half of the villages one, half the other.
    HalfPantura,
    /// The cities around Jakarta.
    Bodebek,
}

/// One kabupaten or kota.
#[derive(Debug)]
pub(super) struct Kabupaten {
    /// Four digits.
    pub(super) code: &'static str,
    /// Villages in it.
    pub(super) villages: u64,
    /// People in 2020.
    pub(super) people: u64,
    /// Poor people in 2024, in hundreds.
    pub(super) poor_hundreds: u64,
    /// Whose names are given.
    pub(super) names: NameMix,
    /// Many leave it to work abroad.
    pub(super) migrants: bool,
}

impl Kabupaten {
    /// The one a village was first placed in; West Java as a whole for any other area.
    pub(super) fn of(area: AreaId) -> &'static Self {
        let code = area.as_bytes().get(..4).unwrap_or_default();
        KABUPATEN.iter().find(|it| it.code.as_bytes() == code).unwrap_or(&WEST_JAVA)
    }
}

const fn kabupaten(
    code: &'static str,
    villages: u64,
    people: u64,
    poor_hundreds: u64,
    names: NameMix,
    migrants: bool,
) -> Kabupaten {
    Kabupaten { code, villages, people, poor_hundreds, names, migrants }
}

static WEST_JAVA: Kabupaten = kabupaten("32", 5_957, 48_274_162, 38_487, NameMix::Priangan, false);

/// The 27, ascending.
pub(super) static KABUPATEN: [Kabupaten; 27] = [
    kabupaten("3201", 435, 5_427_068, 4_468, NameMix::Bodebek, false),
    kabupaten("3202", 386, 2_725_450, 1_759, NameMix::Priangan, true),
    kabupaten("3203", 360, 2_477_560, 2_393, NameMix::Priangan, true),
    kabupaten("3204", 280, 3_623_790, 2_399, NameMix::Priangan, false),
    kabupaten("3205", 442, 2_585_607, 2_593, NameMix::Priangan, false),
    kabupaten("3206", 351, 1_865_203, 1_868, NameMix::Priangan, false),
    kabupaten("3207", 265, 1_229_069, 908, NameMix::Priangan, false),
    kabupaten("3208", 376, 1_167_686, 1_318, NameMix::Priangan, false),
    kabupaten("3209", 424, 2_270_621, 2_459, NameMix::Pantura, true),
    kabupaten("3210", 343, 1_305_476, 1_346, NameMix::Priangan, false),
    kabupaten("3211", 277, 1_152_507, 1_089, NameMix::Priangan, false),
    kabupaten("3212", 317, 1_834_434, 2_121, NameMix::Pantura, true),
    kabupaten("3213", 253, 1_595_320, 1_526, NameMix::HalfPantura, true),
    kabupaten("3214", 192, 997_869, 814, NameMix::Priangan, false),
    kabupaten("3215", 309, 2_439_085, 1_878, NameMix::HalfPantura, true),
    kabupaten("3216", 187, 3_113_017, 2_045, NameMix::Bodebek, false),
    kabupaten("3217", 165, 1_788_336, 1_797, NameMix::Priangan, false),
    kabupaten("3218", 93, 423_667, 360, NameMix::Priangan, false),
    kabupaten("3271", 68, 1_043_070, 739, NameMix::Bodebek, false),
    kabupaten("3272", 33, 346_325, 241, NameMix::Priangan, false),
    kabupaten("3273", 151, 2_444_160, 1_011, NameMix::Priangan, false),
    kabupaten("3274", 22, 333_303, 292, NameMix::Pantura, false),
    kabupaten("3275", 56, 2_543_676, 1_288, NameMix::Bodebek, false),
    kabupaten("3276", 63, 2_056_335, 626, NameMix::Bodebek, false),
    kabupaten("3277", 15, 568_400, 270, NameMix::Priangan, false),
    kabupaten("3278", 69, 716_155, 767, NameMix::Priangan, false),
    kabupaten("3279", 25, 200_973, 112, NameMix::Priangan, false),
];

/// Who carries a need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// A person.
    Orang,
    /// A family.
    Keluarga,
    /// A community.
    Komunitas,
}

/// One type of PPKS, in the order of the official list.
#[derive(Debug)]
pub(super) struct Need {
    /// As records write it.
    pub(super) code: &'static str,
    /// Per million residents of a kelurahan.
    pub(super) urban: u64,
    /// Per million residents of a desa.
    pub(super) rural: u64,
    /// First and last age the type is meant for.
    pub(super) ages: (u32, u32),
    /// Men among a hundred; 51 where nothing is known.
    pub(super) men: u32,
    /// Who carries it.
    pub(super) unit: Unit,
}

const fn need(code: &'static str, urban: u64, rural: u64, ages: (u32, u32), men: u32) -> Need {
    Need { code, urban, rural, ages, men, unit: Unit::Orang }
}

const ADULT: (u32, u32) = (18, 75);

/// The 26 types; families in poverty, the customary communities and disasters are drawn elsewhere.
pub(super) static NEEDS: [Need; 26] = [
    need("ABT", 10, 30, (0, 5), 51),
    need("AT", 640, 400, (6, 18), 51),
    need("ABH", 30, 20, (12, 17), 90),
    need("AJ", 30, 5, (6, 17), 51),
    need("ADK", 200, 400, (2, 17), 51),
    need("AKTK", 50, 30, (4, 17), 51),
    need("AMPK", 90, 50, (6, 17), 51),
    need("LUT", 1_000, 2_000, (60, 100), 51),
    need("PD", 1_300, 2_500, (18, 70), 51),
    need("TS", 110, 10, (18, 50), 20),
    need("GLDNG", 140, 10, ADULT, 51),
    need("PGMS", 140, 30, ADULT, 51),
    need("PML", 200, 50, ADULT, 51),
    need("KM", 30, 10, ADULT, 51),
    need("BWBLP", 50, 30, (18, 60), 51),
    need("ODHIV", 600, 100, (18, 60), 51),
    need("NAPZA", 50, 30, (18, 50), 51),
    need("KTr", 5, 5, (18, 45), 51),
    need("KTK", 60, 40, (18, 65), 51),
    need("PMBS", 20, 150, (18, 55), 51),
    Need { unit: Unit::Keluarga, ..need("KBA", 0, 0, (20, 75), 51) },
    need("KBS", 0, 0, ADULT, 51),
    need("PRSE", 1_000, 2_000, (18, 59), 0),
    Need { unit: Unit::Keluarga, ..need("FM", 0, 0, (20, 75), 85) },
    Need { unit: Unit::Keluarga, ..need("KBSP", 150, 150, (20, 65), 85) },
    Need { unit: Unit::Komunitas, ..need("KAT", 0, 0, (30, 75), 85) },
];

/// Places of the types whose texts name an age window: ABT, AT, ABH, AJ, LUT, PRSE.
pub(super) const WINDOWED: [usize; 6] = [0, 1, 2, 3, 7, 22];

/// Places of some types in [`NEEDS`].
pub(super) mod nth {
    pub(in super::super) const AT: usize = 1;
    pub(in super::super) const LUT: usize = 7;
    pub(in super::super) const PD: usize = 8;
    pub(in super::super) const GLDNG: usize = 10;
    pub(in super::super) const PGMS: usize = 11;
    pub(in super::super) const ODHIV: usize = 15;
    pub(in super::super) const PMBS: usize = 19;
    pub(in super::super) const KBA: usize = 20;
    pub(in super::super) const PRSE: usize = 22;
    pub(in super::super) const FM: usize = 23;
    pub(in super::super) const KAT: usize = 25;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crdt_schema::area::{Level, base_areas};

    use super::*;

    #[test]
    fn the_kabupaten_are_those_of_the_area_table_and_sum_to_the_province() {
        let mut villages: BTreeMap<&str, u64> = BTreeMap::new();
        for area in base_areas().filter(|area| area.code.level() == Level::Desa) {
            *villages.entry(Kabupaten::of(area.id).code).or_default() += 1;
        }
        for it in &KABUPATEN {
            assert_eq!(villages.get(it.code), Some(&it.villages), "{}", it.code);
        }
        assert_eq!(KABUPATEN.iter().map(|it| it.people).sum::<u64>(), WEST_JAVA.people);
        assert_eq!(KABUPATEN.iter().map(|it| it.poor_hundreds).sum::<u64>(), 38_487);
    }

    #[test]
    fn the_named_places_hold_the_types_they_are_named_for() {
        use nth::{AT, FM, GLDNG, KAT, KBA, LUT, ODHIV, PD, PGMS, PMBS, PRSE};
        let places = [AT, LUT, PD, GLDNG, PGMS, ODHIV, PMBS, KBA, PRSE, FM, KAT];
        let codes = places.map(|place| NEEDS.get(place).map_or("", |need| need.code));
        let wanted =
            ["AT", "LUT", "PD", "GLDNG", "PGMS", "ODHIV", "PMBS", "KBA", "PRSE", "FM", "KAT"];
        assert_eq!(codes, wanted);
    }
}
