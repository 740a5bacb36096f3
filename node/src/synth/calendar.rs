//! The synthetic year: 2026 in West Java, with office days, office hours and the cut-off of the 17th.
//!
//! Nothing here asks what time it is; days are numbers and become dates by arithmetic.

use std::sync::OnceLock;

use crdt_schema::time::Timestamp;

use super::random::Random;

/// The year every record is claimed in.
pub(super) const YEAR: u32 = 2026;

/// Days it has.
pub(super) const DAYS: u32 = 365;

/// Milliseconds of its first midnight in West Java (UTC+7).
const FIRST_MIDNIGHT_MS: i64 = 1_767_200_400_000;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// The year begins on a Thursday.
const FIRST_WEEKDAY: u32 = 3;

/// Days of the month before Ramadan and Ramadan's last one, counted from 0: 18 February to 19 March.
const RAMADAN: std::ops::Range<u32> = 48..78;

/// What happens in a month compared with others, in tenths (recipe 6.4).
const MONTHS: [u32; 12] = [8, 9, 11, 12, 10, 10, 10, 14, 9, 10, 11, 15];

/// A day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Date {
    /// The year.
    pub(super) year: u32,
    /// 1 to 12.
    pub(super) month: u32,
    /// 1 to 31.
    pub(super) day: u32,
}

impl Date {
    /// As stored: `2026-01-31`.
    pub(super) fn iso(self) -> String {
        let mut text = String::with_capacity(10);
        self.push_iso(&mut text);
        text
    }

    fn push_iso(self, text: &mut String) {
        push_digits(text, self.year, 4);
        text.push('-');
        push_digits(text, self.month, 2);
        text.push('-');
        push_digits(text, self.day, 2);
    }

    /// The day of the synthetic year with this number, from 0.
    pub(super) fn of_day(day: u32) -> Self {
        let mut left = day.min(DAYS - 1);
        for month in 1..=12 {
            let length = month_length(YEAR, month);
            if left < length {
                return Self { year: YEAR, month, day: left + 1 };
            }
            left -= length;
        }
        Self { year: YEAR, month: 12, day: 31 }
    }
}

/// Appends `value` with leading zeros.
pub(super) fn push_digits(text: &mut String, value: u32, digits: u32) {
    let mut power = 10u32.pow(digits.saturating_sub(1));
    while power > 0 {
        // A digit is below ten, so this is ASCII.
        let digit = u8::try_from(value / power % 10).unwrap_or_default();
        text.push(char::from(b'0' + digit));
        power /= 10;
    }
}

/// Days of a month.
pub(super) const fn month_length(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Monday is 0.
const fn weekday(day: u32) -> u32 {
    (day + FIRST_WEEKDAY) % 7
}

/// How many of all saves fall on the days up to each day, in shares that add up.
struct Weights {
    saves: Vec<u64>,
    kegiatan: Vec<u64>,
}

/// Running sums: days 10 to 17 are the busiest, a weekend day holds little (recipe 6.5).
fn weights() -> &'static Weights {
    static WEIGHTS: OnceLock<Weights> = OnceLock::new();
    WEIGHTS.get_or_init(|| {
        let workday = |day: u32| match Date::of_day(day).day {
            1..=9 => 9,
            10..=17 => 18,
            _ => 6,
        };
        // In hundredths: weekends share 2 % of everything, about 5 for a weekend day.
        let save = |day: u32| if weekday(day) < 5 { 100 * workday(day) } else { 51 };
        let kegiatan = |day: u32| {
            let month = Date::of_day(day).month as usize;
            let tenths = u64::from(MONTHS.get(month - 1).copied().unwrap_or(10));
            tenths * if RAMADAN.contains(&day) { 13 } else { 10 }
        };
        let running = |weight: &dyn Fn(u32) -> u64| {
            let add = |sum: &mut u64, day: u32| {
                *sum += weight(day);
                Some(*sum)
            };
            (0..DAYS).scan(0, add).collect()
        };
        Weights { saves: running(&save), kegiatan: running(&kegiatan) }
    })
}

/// The day whose stretch of a running sum holds `point`.
fn day_at(running: &[u64], point: u64) -> u32 {
    u32::try_from(running.partition_point(|sum| *sum <= point)).unwrap_or_default()
}

/// The number of the day a moment lies on.
pub(super) fn day_of(at: Timestamp) -> u32 {
    u32::try_from((at.0 - FIRST_MIDNIGHT_MS).div_euclid(DAY_MS)).unwrap_or_default()
}

/// A moment of a day, in minutes from its midnight; seconds and milliseconds are drawn.
pub(super) fn moment(random: &mut Random, day: u32, minute: u32) -> Timestamp {
    let fraction = i64::from(random.between(0, 59_999));
    let minutes = i64::from(minute) * MINUTE_MS;
    Timestamp(FIRST_MIDNIGHT_MS + i64::from(day) * DAY_MS + minutes + fraction)
}

/// A moment at which somebody saves on this day: office hours, now and then the evening.
pub(super) fn office(random: &mut Random, day: u32) -> Timestamp {
    let evening = random.below(98) < 6;
    let minute = if evening { random.between(18 * 60, 21 * 60) } else { random.between(480, 899) };
    moment(random, day, minute)
}

/// A moment of a save on any day of the year after the day of `at`; minutes later when none is left.
pub(super) fn later(random: &mut Random, at: Timestamp) -> Timestamp {
    let running = &weights().saves;
    let past = usize::try_from(day_of(at)).ok().and_then(|day| running.get(day)).copied();
    let (past, all) = (past.unwrap_or_default(), running.last().copied().unwrap_or_default());
    if past >= all {
        let minutes = i64::from(random.between(1, 60));
        return Timestamp(at.0 + minutes * MINUTE_MS);
    }
    let day = day_at(running, past + random.below(all - past));
    office(random, day)
}

/// A moment of the yearly collection of data: a working day of January.
pub(super) fn sweep(random: &mut Random) -> Timestamp {
    // 5 January is a Monday; four weeks follow.
    let day = 4 + 7 * random.between(0, 3) + random.between(0, 4);
    office(random, day)
}

/// The first moment of the year.
pub(super) const fn start() -> Timestamp {
    Timestamp(FIRST_MIDNIGHT_MS)
}

/// A day on which a kegiatan takes place.
pub(super) fn kegiatan_day(random: &mut Random) -> u32 {
    let running = &weights().kegiatan;
    let point = random.below(running.last().copied().unwrap_or_default());
    day_at(running, point)
}

/// RFC 3339 in UTC with milliseconds, for moments of the synthetic year and the hours around it.
pub(super) fn rfc3339(at: Timestamp, text: &mut String) {
    // In UTC the year begins seven hours after midnight in West Java: the last day of 2025.
    let since = at.0 - FIRST_MIDNIGHT_MS - 7 * 60 * MINUTE_MS;
    let date = match u32::try_from(since.div_euclid(DAY_MS)) {
        Ok(day) => Date::of_day(day),
        Err(_) => Date { year: YEAR - 1, month: 12, day: 31 },
    };
    let rest = u32::try_from(since.rem_euclid(DAY_MS)).unwrap_or_default();
    date.push_iso(text);
    for (mark, value, digits) in [
        ('T', rest / 3_600_000, 2),
        (':', rest / 60_000 % 60, 2),
        (':', rest / 1_000 % 60, 2),
        ('.', rest % 1_000, 3),
    ] {
        text.push(mark);
        push_digits(text, value, digits);
    }
    text.push('Z');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_year_begins_on_a_thursday_at_midnight_in_west_java() {
        let mut text = String::new();
        rfc3339(start(), &mut text);
        assert_eq!(text, "2025-12-31T17:00:00.000Z");
        text.clear();
        rfc3339(Timestamp(FIRST_MIDNIGHT_MS + 364 * DAY_MS + 21 * 60 * MINUTE_MS + 7), &mut text);
        assert_eq!(text, "2026-12-31T14:00:00.007Z");
        let known: jiff::Timestamp = match "2025-12-31T17:00:00Z".parse() {
            Ok(known) => known,
            Err(error) => panic!("{error}"),
        };
        assert_eq!(known.as_millisecond(), FIRST_MIDNIGHT_MS);
        assert_eq!(jiff::civil::date(2026, 1, 1).weekday(), jiff::civil::Weekday::Thursday);
    }

    #[test]
    fn every_day_has_its_date() {
        let mut date = jiff::civil::date(2026, 1, 1);
        for day in 0..DAYS {
            assert_eq!(Date::of_day(day).iso(), date.to_string());
            date = date.saturating_add(jiff::Span::new().days(1));
        }
    }

    #[test]
    fn most_saves_fall_in_office_hours_and_before_the_cut_off() {
        let mut random = Random::keyed(5);
        let (mut office, mut weekend, mut busy) = (0, 0, 0);
        for _ in 0..20_000 {
            let at = later(&mut random, start());
            let minute = (at.0 - FIRST_MIDNIGHT_MS).rem_euclid(DAY_MS) / MINUTE_MS;
            let day = day_of(at);
            office += u32::from((480..900).contains(&minute));
            weekend += u32::from(weekday(day) >= 5);
            busy += u32::from((10..=17).contains(&Date::of_day(day).day));
            assert!((1..DAYS).contains(&day));
        }
        assert!((18_500..19_100).contains(&office), "{office}");
        assert!((300..500).contains(&weekend), "{weekend}");
        assert!((9_400..11_000).contains(&busy), "{busy}");
    }

    #[test]
    fn what_comes_later_is_later_even_on_the_last_day() {
        let mut random = Random::keyed(6);
        for day in 0..DAYS {
            let at = office(&mut random, day);
            assert!(later(&mut random, at) > at);
        }
    }
}
