//! Somebody who does not exist: sex, birth, name, NIK and KK.
//!
//! A NIK has the structure of a real one and a serial from 9000 to 9999, which numbering from 0001
//! practically never reaches; a KK number likewise. Within a village no two people share one, with
//! no list kept of those given out: serial and day of birth follow from the person's number.

use std::sync::OnceLock;

use crdt_schema::area::{AreaCode, Level, base_areas};

use super::calendar::{Date, YEAR, month_length, push_digits};
use super::names;
use super::place::{Place, Use, area_key};
use super::random::{ONE, Random, whole};

/// Serials given to people of the village: 9000 to 9989.
const SERIALS: u32 = 990;

/// Serials of those who are known in several villages of a kecamatan: 9990 to 9999.
const SHARED_SERIALS: u32 = 10;

/// People of a kecamatan who are known in more than one of its villages.
pub(super) const SHARED: u32 = 16;

/// Days that tell apart people with one serial: every month has them.
const DAYS: u32 = 28;

/// People one village can hold without two sharing a number.
pub(super) const PEOPLE_MAX: u32 = SERIALS * DAYS * 12;

/// Whose numbers somebody gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// The village's own person with this number.
    Own(u32),
    /// One of the kecamatan's, known in several villages.
    Shared(u32),
}

/// What must be right about somebody.
#[expect(clippy::struct_excessive_bools, reason = "oddities are drawn each for itself")]
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// First and last age.
    pub(super) ages: (u32, u32),
    /// Men among a hundred.
    pub(super) men: u32,
    /// Whether few reach the last age.
    pub(super) thins_out: bool,
    /// Whether the NIK begins with a code that is none today.
    pub(super) retired: bool,
    /// Whether a digit of the NIK was mistyped.
    pub(super) mistyped: bool,
    /// Whether the birth date on the form is not the NIK's.
    pub(super) misdated: bool,
}

/// Somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    /// The sex.
    pub(super) man: bool,
    /// The date of birth, as the form has it.
    pub(super) birth: Date,
    /// The name as on the card.
    pub(super) name: String,
    /// The NIK.
    pub(super) nik: String,
    /// The KK number.
    pub(super) kk: String,
}

impl Person {
    /// The person with these numbers in a village of `people` people.
    pub(super) fn new(place: &Place, people: u32, whose: Whose, wanted: &Wanted) -> Self {
        let mut random = match whose {
            Whose::Own(number) => place.stream(Use::Person, number),
            Whose::Shared(number) => shared_stream(place, number),
        };
        let man = random.below(100) < u64::from(wanted.men);
        // Born the year before the one that would do, nobody leaves the ages within the year.
        let (first, last) = wanted.ages;
        let last = last.saturating_sub(1).max(first);
        let age = if wanted.thins_out {
            let over = u32::try_from(whole(random.exponential().saturating_mul(9) - ONE / 2));
            (first + over.unwrap_or_default()).min(last)
        } else {
            random.triangular(first, last)
        };
        let year = YEAR - 1 - age;
        let mut birth = drawn_date(&mut random, year);
        let serial = tell_apart(&mut birth, people, whose);
        let shared = matches!(whose, Whose::Shared(_));
        let mix = if shared { place.kabupaten.names } else { place.names };
        let name = names::person(&mut random, mix, man, year);
        let prefix = if shared {
            place.kecamatan.first_code().map_or_else(String::new, |it| it.digits().to_owned())
        } else {
            prefix(&mut random, place, wanted.retired)
        };
        let nik = nik(prefix.as_str(), birth, man, serial);
        let nik = if wanted.mistyped { mistype(&nik) } else { nik };
        let kk = family(&mut random, place, shared, people, whose);
        if wanted.misdated {
            birth.day = birth.day % DAYS + 1;
        }
        Self { man, birth, name, nik, kk }
    }
}

/// All villages of a kecamatan draw the same.
fn shared_stream(place: &Place, number: u32) -> Random {
    Random::keyed(area_key(place.seed, place.kecamatan, "shared") ^ u64::from(number) << 8)
}

fn drawn_date(random: &mut Random, year: u32) -> Date {
    let month = random.between(1, 12);
    Date { year, month, day: random.between(1, month_length(year, month)) }
}

/// The serial; moves the day, and in a village of very many the month, so that two people with one
/// serial are never born on one day.
fn tell_apart(date: &mut Date, people: u32, whose: Whose) -> u32 {
    let (serial, block, blocks) = match whose {
        Whose::Own(number) => {
            (9_000 + number % SERIALS, number / SERIALS, people.div_ceil(SERIALS).max(1))
        }
        Whose::Shared(number) => (
            9_000 + SERIALS + number % SHARED_SERIALS,
            number / SHARED_SERIALS,
            SHARED.div_ceil(SHARED_SERIALS),
        ),
    };
    if blocks > 1 {
        date.day = in_class(date.day.min(DAYS) - 1, block % DAYS, blocks.min(DAYS), DAYS) + 1;
    }
    if blocks > DAYS {
        let months = blocks.div_ceil(DAYS).min(12);
        date.month = in_class(date.month - 1, block / DAYS % 12, months, 12) + 1;
    }
    serial
}

/// The value of `class` modulo `classes` next to `value` and below `end`.
fn in_class(value: u32, class: u32, classes: u32, end: u32) -> u32 {
    let moved = value - value % classes + class;
    if moved < end { moved } else { moved - classes }
}

/// The first six digits of a NIK: mostly the own kecamatan's.
fn prefix(random: &mut Random, place: &Place, retired: bool) -> String {
    let codes = kecamatan_codes();
    let own = place.prefix();
    if retired {
        return random.pick(&RETIRED).to_owned();
    }
    let kabupaten = own.get(..4).unwrap_or_default();
    let inside = |code: &&&'static str| code.starts_with(kabupaten);
    match random.weighted(&[88, 7, 5]) {
        0 => own.to_owned(),
        1 => {
            let first = codes.partition_point(|code| *code < kabupaten);
            let rest = codes.get(first..).unwrap_or_default();
            let count = rest.iter().take_while(inside).count();
            rest.get(random.place(count)).copied().unwrap_or(own).to_owned()
        }
        _ => random.pick(codes).to_owned(),
    }
}

/// The six-digit codes of all kecamatan, ascending.
fn kecamatan_codes() -> &'static [&'static str] {
    static CODES: OnceLock<Vec<&'static str>> = OnceLock::new();
    CODES.get_or_init(|| {
        let all = base_areas().filter(|area| area.code.level() == Level::Kecamatan);
        all.map(|area| area.code.digits()).collect()
    })
}

/// Codes of kecamatan that went to younger kabupaten and kota: numbers that are missing below the
/// highest of Kabupaten Bandung and of Ciamis.
const RETIRED: [&str; 8] =
    ["320401", "320402", "320418", "320422", "320423", "320720", "320724", "320728"];

fn nik(prefix: &str, birth: Date, man: bool, serial: u32) -> String {
    let mut text = String::with_capacity(16);
    text.push_str(prefix);
    push_digits(&mut text, if man { birth.day } else { birth.day + 40 }, 2);
    push_digits(&mut text, birth.month, 2);
    push_digits(&mut text, birth.year % 100, 2);
    push_digits(&mut text, serial, 4);
    text
}

/// One digit of the kecamatan is another; serial and day still tell the person apart.
fn mistype(nik: &str) -> String {
    let wrong = |(place, digit): (usize, char)| match (place, digit) {
        (5, '9') => '8',
        (5, _) => '9',
        (_, digit) => digit,
    };
    nik.chars().enumerate().map(wrong).collect()
}

/// A KK number, told apart as a NIK is; the date is that of recording.
fn family(random: &mut Random, place: &Place, shared: bool, people: u32, whose: Whose) -> String {
    let year = random.between(2_005, 2_025);
    let mut date = drawn_date(random, year);
    let serial = tell_apart(&mut date, people, whose);
    let first = place.kecamatan.first_code();
    let shared_prefix = first.as_ref().filter(|_| shared).map(AreaCode::digits);
    nik(shared_prefix.unwrap_or(place.prefix()), date, true, serial)
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test that panics is a test that fails"
    )]
    use std::collections::BTreeSet;

    use super::super::place::villages;
    use super::*;

    const ANYONE: Wanted = Wanted {
        ages: (18, 59),
        men: 51,
        thins_out: false,
        retired: false,
        mistyped: false,
        misdated: false,
    };

    fn place() -> Place {
        Place::new(4, villages().nth(900).unwrap())
    }

    fn numbers(people: u32, step: usize) -> (usize, usize, usize) {
        let place = place();
        let all: Vec<Person> = (0..people)
            .step_by(step)
            .map(Whose::Own)
            .chain((0..SHARED).map(Whose::Shared))
            .map(|whose| Person::new(&place, people, whose, &ANYONE))
            .collect();
        let nik: BTreeSet<&str> = all.iter().map(|person| &person.nik[6..]).collect();
        let kk: BTreeSet<&str> = all.iter().map(|person| &person.kk[6..]).collect();
        (all.len(), nik.len(), kk.len())
    }

    #[test]
    fn no_two_people_of_a_village_share_a_number_however_many_they_are() {
        for (people, step) in [(40, 1), (991, 1), (6_000, 1), (27_720, 3), (120_000, 11)] {
            let (all, nik, kk) = numbers(people, step);
            assert_eq!((nik, kk), (all, all), "{people}");
        }
    }

    #[test]
    fn a_nik_says_the_birth_the_sex_and_a_serial_nobody_has() {
        let place = place();
        for number in 0..3_000 {
            let person = Person::new(&place, 3_000, Whose::Own(number), &ANYONE);
            let digits = |range: std::ops::Range<usize>| person.nik[range].parse::<u32>().unwrap();
            assert_eq!(person.nik.len(), 16);
            assert!(digits(12..16) >= 9_000 && person.kk[12..].parse::<u32>().unwrap() >= 9_000);
            let day = digits(6..8);
            assert_eq!(day > 40, !person.man);
            assert_eq!(
                (day % 40, digits(8..10), digits(10..12)),
                (person.birth.day % 40, person.birth.month, person.birth.year % 100)
            );
            let age = YEAR - person.birth.year;
            assert!((19..=59).contains(&age), "{age}");
        }
    }

    #[test]
    fn one_of_the_kecamatan_has_the_same_numbers_in_both_villages() {
        let all: Vec<_> =
            villages().filter(|area| area.parent == villages().next().unwrap().parent).collect();
        let person =
            |nth: usize| Person::new(&Place::new(4, all[nth]), 500, Whose::Shared(3), &ANYONE);
        assert_eq!(person(0), person(1));
    }

    #[test]
    fn a_retired_prefix_is_no_kecamatan_of_today() {
        let codes = kecamatan_codes();
        assert!(RETIRED.iter().all(|code| !codes.contains(code)));
        let wanted = Wanted { retired: true, ..ANYONE };
        let person = Person::new(&place(), 100, Whose::Own(5), &wanted);
        assert!(!codes.contains(&&person.nik[..6]));
    }
}
