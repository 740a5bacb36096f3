//! Places, devices, numbers and moments as an office in West Java says them.
//!
//! Moments are WIB (UTC+7, without summer time) and by this node's clock unless a page says whose.

use crdt_schema::id::DeviceId;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use node::answer::{AreaEntry, When};

/// Western Indonesian time.
const WIB: Offset = Offset::constant(7);
/// One hour.
const HOUR_MS: i64 = 3_600_000;
const MONTHS: [&str; 12] = [
    "Januari",
    "Februari",
    "Maret",
    "April",
    "Mei",
    "Juni",
    "Juli",
    "Agustus",
    "September",
    "Oktober",
    "November",
    "Desember",
];

/// A moment for machines and for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moment {
    /// For the `datetime` of an element.
    pub(super) machine: String,
    /// `24 November 2026 pukul 14.05 WIB`.
    pub(super) text: String,
}

impl Moment {
    pub(super) fn of(when: Option<When>) -> Option<Self> {
        let when = when?;
        Some(Self { machine: when.text()?, text: full(when)? })
    }
}

fn wib(when: When) -> Option<DateTime> {
    Some(WIB.to_datetime(jiff::Timestamp::from_millisecond(when.0.0).ok()?))
}

fn clock(at: DateTime) -> String {
    format!("{:02}.{:02} WIB", at.hour(), at.minute())
}

/// A day with the month's name.
pub(super) fn day(year: i16, month: i8, day: i8) -> String {
    let name = usize::try_from(month - 1).ok().and_then(|month| MONTHS.get(month));
    format!("{day} {} {year}", name.copied().unwrap_or("?"))
}

/// A moment with its day.
pub(super) fn full(when: When) -> Option<String> {
    let at = wib(when)?;
    Some(format!("{} pukul {}", day(at.year(), at.month(), at.day()), clock(at)))
}

/// A moment; of today the hour only.
pub(super) fn near(when: When, now: When) -> Option<String> {
    let (at, today) = (wib(when)?, wib(now)?);
    if at.date() == today.date() { Some(clock(at)) } else { full(when) }
}

/// How long ago; nothing for what lies ahead, since then one of two clocks is wrong.
pub(super) fn age(then: When, now: When) -> Option<String> {
    let hours = now.0.0.checked_sub(then.0.0).filter(|passed| *passed >= 0)? / HOUR_MS;
    let hours = u64::try_from(hours).ok()?;
    Some(match hours {
        0 => "kurang dari 1 jam".to_owned(),
        1..48 => format!("{hours} jam"),
        _ => format!("{} hari", number(hours / 24)),
    })
}

/// A count, with dots between thousands.
pub(super) fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('.');
        }
        text.push(digit);
    }
    text
}

/// Bytes, in thousands as data packages are sold.
pub(super) fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{} kB", number(count.div_ceil(1_000))),
        _ => format!("{} MB", number(count.div_ceil(1_000_000))),
    }
}

/// `a, b dan c`.
pub(super) fn joined(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} dan {last}", first.join(", ")),
    }
}

/// What a village, district, regency or city is called in a sentence.
pub(super) fn place(area: &AreaEntry) -> String {
    match area.level.as_str() {
        "provinsi" => format!("Provinsi {}", area.name),
        "kecamatan" => format!("Kecamatan {}", area.name),
        // The list writes `Kabupaten` and `Kota` into the name.
        "kabupaten" => area.name.clone(),
        _ if is_urban(area) => format!("Kelurahan {}", area.name),
        _ => format!("Desa {}", area.name),
    }
}

/// The level's word in a sentence: `desa`, `kelurahan`, `kecamatan`, `kabupaten`, `kota`, `provinsi`.
pub(super) fn level(area: &AreaEntry) -> &str {
    match area.level.as_str() {
        "kabupaten" if area.name.starts_with("Kota ") => "kota",
        "desa" if is_urban(area) => "kelurahan",
        level => level,
    }
}

/// The first digit of a village's own four says which it is.
fn is_urban(area: &AreaEntry) -> bool {
    area.area.area.digits().as_bytes().get(6) == Some(&b'1')
}

/// A device by the beginning of its id.
pub(super) fn device(device: &DeviceId) -> String {
    device.short()
}

/// The person at a device that several use.
pub(super) fn person(number: u8) -> Option<String> {
    (number > 0).then(|| format!("petugas {number}"))
}

#[cfg(test)]
mod tests {
    use crdt_schema::time::Timestamp;
    use node::answer::AreaName;

    use super::*;

    /// 2026-11-24 14:05:30 WIB.
    const NOW: i64 = 1_795_503_930_000;

    fn at(milliseconds: i64) -> When {
        When(Timestamp(milliseconds))
    }

    fn area(code: &str, name: &str, level: &str) -> Option<AreaEntry> {
        let code: crdt_schema::area::AreaCode = code.parse().ok()?;
        let area = AreaName::new(code, code.first_id());
        Some(AreaEntry { area, name: name.to_owned(), level: level.to_owned(), shared_code: false })
    }

    #[test]
    fn counts_have_dots_as_thousands() {
        let said = [0, 7, 999, 1_204, 65_000, 1_234_567].map(number);
        assert_eq!(said, ["0", "7", "999", "1.204", "65.000", "1.234.567"]);
        assert_eq!([12, 1_200, 2_500_000].map(bytes), ["12 B", "2 kB", "3 MB"]);
    }

    #[test]
    fn moments_are_wib_and_of_today_the_hour_only() {
        assert_eq!(near(at(NOW), at(NOW + 1_000)).as_deref(), Some("14.05 WIB"));
        let before = at(NOW - 20 * HOUR_MS);
        let said = near(before, at(NOW));
        assert_eq!(said.as_deref(), Some("23 November 2026 pukul 18.05 WIB"));
        // Half past midnight in Java is the day before in Greenwich.
        let night = at(NOW - 13 * HOUR_MS - 35 * 60_000);
        assert_eq!(near(night, at(NOW)).as_deref(), Some("00.30 WIB"));
        assert_eq!(full(at(i64::MAX)), None);
    }

    #[test]
    fn what_lies_ahead_has_no_age() {
        let aged = |hours: i64| age(at(NOW - hours * HOUR_MS), at(NOW));
        assert_eq!(aged(0).as_deref(), Some("kurang dari 1 jam"));
        assert_eq!(aged(5).as_deref(), Some("5 jam"));
        assert_eq!(aged(72).as_deref(), Some("3 hari"));
        assert_eq!(aged(-1), None);
    }

    #[test]
    fn places_are_called_what_they_are() {
        let said = |code, name, level| area(code, name, level).map(|area| place(&area));
        let is = |said: Option<String>, text: &str| assert_eq!(said.as_deref(), Some(text));
        is(said("32.09.21.2001", "Sambeng", "desa"), "Desa Sambeng");
        is(said("32.73.01.1001", "Sukarasa", "desa"), "Kelurahan Sukarasa");
        is(said("32.73", "Kota Bandung", "kabupaten"), "Kota Bandung");
        let city = area("32.73", "Kota Bandung", "kabupaten");
        assert_eq!(city.as_ref().map(level), Some("kota"));
    }

    #[test]
    fn a_list_ends_with_and() {
        let words = ["satu", "dua", "tiga"].map(str::to_owned);
        assert_eq!(joined(&words), "satu, dua dan tiga");
        assert_eq!(joined(&words[..1]), "satu");
    }
}
