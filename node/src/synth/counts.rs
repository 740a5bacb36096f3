//! How many records of what a village has in its first year (recipe 6.2 to 6.4).

use super::calendar::DAYS;
use super::fields::PSKS;
use super::place::{Place, Use};
use super::random::{Fixed, ONE, Random, ratio, times, whole};
use super::table::{NEEDS, nth};

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// A need; the place of its type in the list.
    Ppks(usize),
    /// Somebody or something that helps; the place of its type.
    Psks(usize),
    /// A group at the grass roots.
    Kps,
    /// Something that was done or is planned.
    Kegiatan,
    /// A partner.
    Kemitraan,
    /// A family with more than one case.
    Keluarga,
    /// A service given.
    Layanan,
}

/// How many of each sort, in the order their records are numbered.
pub(super) type Counts = Vec<(Sort, u32)>;

/// Spread of the logarithm of a village's poverty, and of what its register makes of it.
const POVERTY_SIGMA: Fixed = ONE * 3 / 10;

/// Families in poverty are at most this share of the residents.
const POOR_SHARE_MAX: (u64, u64) = (45, 100);

/// The village's own numbers. Families with several cases are not among them: they follow.
pub(super) fn natural(place: &Place) -> Counts {
    let mut random = place.stream(Use::Counts, 0);
    let poor = poor_families(place, &mut random);
    let mut counts = vec![(Sort::Ppks(nth::FM), poor)];
    let mut others = 0;
    for (place_, need) in NEEDS.iter().enumerate() {
        let rate = if place.urban { need.urban } else { need.rural };
        let migrants = if place_ == nth::PMBS && place.kabupaten.migrants { 4 } else { 1 };
        let mut count = 0;
        if rate > 0 {
            count = random.gamma_poisson(ratio(place.people * rate * migrants, 1_000_000));
        } else if place_ == nth::KAT {
            count = u32::from(place.customary);
        }
        others += count;
        counts.push((Sort::Ppks(place_), count));
    }
    counts.extend(helpers(place, &mut random));
    let has_wksbm = random.chance(3_500);
    counts.push((Sort::Kps, random.poisson(ratio(u64::from(place.rw) * 6, 10))));
    let kegiatan = if has_wksbm { 115 } else { 70 };
    counts.push((Sort::Kegiatan, random.poisson(kegiatan * ONE)));
    counts.push((Sort::Kemitraan, random.poisson(if has_wksbm { 5 * ONE } else { 2 * ONE })));
    let served = ratio(u64::from(poor) * 25 + u64::from(others) * 120, 100);
    counts.push((Sort::Layanan, random.poisson(served)));
    counts
}

/// Families in the register as poor: what statistics call poor, and two and a half times that.
fn poor_families(place: &Place, random: &mut Random) -> u32 {
    let kabupaten = place.kabupaten;
    let rate = ratio(kabupaten.poor_hundreds * 100, kabupaten.people);
    let place_factor = if place.urban { ratio(85, 100) } else { ratio(108, 100) };
    let poverty = times(random.lognormal(POVERTY_SIGMA), random.lognormal(POVERTY_SIGMA));
    let listed = times(times(rate, place_factor), times(poverty, ONE * 5 / 2));
    let share = listed.min(ratio(POOR_SHARE_MAX.0, POOR_SHARE_MAX.1));
    let residents = whole(times(ratio(place.people, 1), share));
    // A family has three and a half members.
    u32::try_from(residents * 2 / 7).unwrap_or(u32::MAX)
}

/// PSKS by type, in the list's order.
fn helpers(place: &Place, random: &mut Random) -> Counts {
    let percent = |share: u64| ratio(share, 100);
    let means = [
        percent(5),
        ratio(u64::from(place.rw) * 3, 10),
        percent(50),
        percent(60),
        0,
        percent(1),
        percent(30),
        0,
        percent(50),
        percent(80),
        0,
        percent(if place.urban { 70 } else { 20 }),
    ];
    let mut counts = Counts::with_capacity(PSKS.len());
    for (place_, mean) in means.into_iter().enumerate() {
        let drawn = if mean > 0 { random.poisson(mean) } else { 0 };
        let always = match PSKS.get(place_).copied() {
            Some("PSM" | "KT") => 1,
            Some("TKSK") => u32::from(place.first),
            _ => 0,
        };
        counts.push((Sort::Psks(place_), drawn + always));
    }
    counts
}

/// The same mix with exactly `wanted` records: shares are cut to whole numbers, and what is left
/// goes where most was cut off.
pub(super) fn scaled(counts: &Counts, wanted: u32) -> Counts {
    let all: u64 = counts.iter().map(|(_, count)| u64::from(*count)).sum::<u64>().max(1);
    let share = |count: u32| u64::from(count) * u64::from(wanted);
    let down = |count: u32| u32::try_from(share(count) / all).unwrap_or(u32::MAX);
    let mut order: Vec<usize> = (0..counts.len()).collect();
    let cut = |place: &usize| counts.get(*place).map_or(0, |(_, count)| share(*count) % all);
    order.sort_by_key(|place| (std::cmp::Reverse(cut(place)), *place));
    let mut result: Counts = counts.iter().map(|(sort, count)| (*sort, down(*count))).collect();
    let mut left = wanted - result.iter().map(|(_, count)| count).sum::<u32>().min(wanted);
    for place in order {
        if let Some((_, count)) = result.get_mut(place).filter(|_| left > 0) {
            *count += 1;
            left -= 1;
        }
    }
    // Nobody is served where nobody is in need.
    let needs = |counts: &Counts| -> u32 {
        counts.iter().filter(|(sort, _)| matches!(sort, Sort::Ppks(_))).map(|(_, n)| n).sum()
    };
    if needs(&result) == 0 {
        let services: u32 = result.last().map_or(0, |(_, count)| *count);
        if let Some((_, count)) = result.last_mut() {
            *count = 0;
        }
        if let Some((_, count)) = result.first_mut() {
            *count += services;
        }
    }
    result
}

/// Families hit in one disaster, and people in one conflict.
const HIT: (u32, u32) = (50, 400);

/// A disaster of one RW: how many families, and its day.
pub(super) fn disaster(place: &Place) -> (u32, u32) {
    let mut random = place.stream(Use::Counts, 1);
    (random.between(HIT.0, HIT.1), random.between(60, DAYS - 60))
}

#[cfg(test)]
mod tests {
    use super::super::place::villages;
    use super::*;

    fn total(counts: &Counts) -> u32 {
        counts.iter().map(|(_, count)| count).sum()
    }

    #[test]
    fn any_wanted_number_is_met_exactly() {
        for (nth, area) in villages().step_by(211).enumerate() {
            let counts = natural(&Place::new(8, area));
            for wanted in [0, 1, 2, 7, 12, 700, 50_000, 300_000] {
                assert_eq!(total(&scaled(&counts, wanted)), wanted, "{nth}");
            }
        }
    }

    #[test]
    fn a_village_without_needs_has_no_services() {
        let counts = vec![(Sort::Ppks(nth::FM), 0), (Sort::Kps, 1), (Sort::Layanan, 9)];
        let scaled = scaled(&counts, 5);
        assert_eq!(scaled, [(Sort::Ppks(nth::FM), 4), (Sort::Kps, 1), (Sort::Layanan, 0)]);
    }
}
