//! NIK and KK numbers: what may be repaired, what is refused, what can be read from them.
//!
//! Both have 16 digits and no check digit: kecamatan of first registration, a date DDMMYY, a
//! serial from 0001. In a NIK the date is the birth date, with 40 added to the day for women; in a
//! KK number it is the day of recording. Neither is ever an identity here: a NIK stays the same
//! when its owner moves or the birth date is corrected, so a difference is legal and only warned
//! about, and a KK number changes with every new head of family.

use std::fmt;

use super::rules::{self, Refusal, RefusalReason};
use crate::edit::Date;

/// Digits of either number.
pub const DIGITS: usize = 16;

/// What women's birth days have added to them.
const WOMAN_DAY_OFFSET: u16 = 40;

/// The smallest number the Home Ministry gives a province (Aceh).
const PROVINCE_MIN: u16 = 11;

/// A well-formed NIK. `Debug` shows nothing, for it is a person.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Nik {
    day: u16,
    month: u16,
    year_of_century: u16,
}

impl fmt::Debug for Nik {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<nik>")
    }
}

impl Nik {
    /// Reads what [`clean_nik`] gave; `None` for anything else.
    pub fn read(digits: &str) -> Option<Self> {
        let is_whole = digits.len() == DIGITS && is_digits(digits);
        let nik = Self {
            day: number(digits, 6)?,
            month: number(digits, 8)?,
            year_of_century: number(digits, 10)?,
        };
        is_whole.then_some(nik)
    }

    /// Whether the day says a woman.
    pub const fn is_woman(self) -> bool {
        self.day > WOMAN_DAY_OFFSET
    }

    /// Whether the number was given to somebody born on `date`; the century is not in it.
    pub fn is_born_on(self, date: Date) -> bool {
        let day = if self.is_woman() { self.day - WOMAN_DAY_OFFSET } else { self.day };
        let is_day = day == u16::from(date.day()) && self.month == u16::from(date.month());
        is_day && self.year_of_century == date.year() % 100
    }

    /// Whether there is such a day in some century. 29 February needs a year that can be a leap
    /// year: year 00 was one in 2000.
    fn has_date(self) -> bool {
        let day = if self.is_woman() { self.day - WOMAN_DAY_OFFSET } else { self.day };
        is_day(day, self.month, self.year_of_century)
    }
}

/// The 16 digits of a NIK as typed: spaces, dots, dashes and a leading apostrophe are taken away.
///
/// # Errors
/// [`RefusalReason::NikExcel`] for `3,2E+15` and its like, a decimal part, or serial 0000;
/// [`RefusalReason::Value`] for other than 16 digits, an impossible area code or date.
///
/// ```
/// use crdt_schema::record::nik::clean_nik;
/// assert_eq!(clean_nik("nik", "'32.05.01 410787-9001")?, "3205014107879001");
/// assert!(clean_nik("nik", "3,20501E+15").is_err());
/// # Ok::<(), crdt_schema::record::Refusal>(())
/// ```
pub fn clean_nik(field: &str, text: &str) -> Result<String, Refusal> {
    let digits = clean_number(field, text)?;
    let has_date = Nik::read(&digits).is_some_and(Nik::has_date);
    if has_date { Ok(digits) } else { Err(Refusal::value(field, &rules::NIK_DATE)) }
}

/// The 16 digits of a KK number as typed, repaired like a NIK.
///
/// # Errors
/// As [`clean_nik`].
pub fn clean_kk(field: &str, text: &str) -> Result<String, Refusal> {
    let digits = clean_number(field, text)?;
    let date = (number(&digits, 6), number(&digits, 8), number(&digits, 10));
    let (Some(day), Some(month), Some(year)) = date else {
        return Err(Refusal::value(field, &rules::NIK_DATE));
    };
    if is_day(day, month, year) { Ok(digits) } else { Err(Refusal::value(field, &rules::NIK_DATE)) }
}

/// What both numbers share: 16 digits, an area code that can be, a serial.
fn clean_number(field: &str, text: &str) -> Result<String, Refusal> {
    let text = unmarked(text.trim());
    if is_excel(text) {
        return Err(Refusal::with(RefusalReason::NikExcel, field, &rules::NIK_EXCEL));
    }
    let is_filler = |letter: char| letter.is_whitespace() || matches!(letter, '.' | '-');
    let digits: String = text.chars().filter(|letter| !is_filler(*letter)).collect();
    if digits.len() != DIGITS || !is_digits(&digits) {
        return Err(Refusal::value(field, &rules::NIK_DIGITS));
    }
    if digits.ends_with("0000") {
        return Err(Refusal::with(RefusalReason::NikExcel, field, &rules::NIK_EXCEL));
    }
    let has_area = number(&digits, 0).is_some_and(|province| province >= PROVINCE_MIN)
        && number(&digits, 2).is_some_and(|kabupaten| kabupaten > 0)
        && number(&digits, 4).is_some_and(|kecamatan| kecamatan > 0);
    if has_area { Ok(digits) } else { Err(Refusal::value(field, &rules::NIK_AREA)) }
}

/// The text without the marks by which spreadsheets are told that a number is a text.
pub fn unmarked(text: &str) -> &str {
    text.trim_start_matches(['\'', '\u{2018}', '\u{2019}', '`', '"'])
}

/// `3,2E+15`, `3.20501E15`, or all 16 digits with a decimal part: a number was here, and of a
/// number a spreadsheet keeps 15 digits.
fn is_excel(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, ""));
    let is_mantissa = mantissa.bytes().any(|byte| byte.is_ascii_digit())
        && mantissa.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','));
    let exponent_digits = exponent.trim_start_matches('+');
    if !exponent.is_empty() {
        return is_mantissa && !exponent_digits.is_empty() && is_digits(exponent_digits);
    }
    let parts = text.rsplit_once(['.', ',']);
    parts.is_some_and(|(whole, rest)| {
        whole.len() == DIGITS && is_digits(whole) && !rest.is_empty() && is_digits(rest)
    })
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The two digits from `at`.
fn number(digits: &str, at: usize) -> Option<u16> {
    digits.get(at..at.checked_add(2)?)?.parse().ok()
}

fn is_day(day: u16, month: u16, year_of_century: u16) -> bool {
    let narrow = |part: u16| u8::try_from(part).ok();
    // Of 1900 and 2000 only the later has a 29 February.
    let date = narrow(month).zip(narrow(day));
    date.is_some_and(|(month, day)| Date::new(2000 + year_of_century, month, day).is_ok())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;

    #[test]
    fn numbers_are_repaired_as_people_type_them() {
        for text in [
            "3205010101879001",
            " 3205010101879001 ",
            "'3205010101879001",
            "\u{2019}3205010101879001",
            "32.05.01.010187.9001",
            "320501-010187-9001",
            "3205 0101 0187\u{a0}9001",
        ] {
            assert_eq!(clean_nik("nik", text).unwrap(), "3205010101879001", "{text}");
            assert_eq!(clean_kk("no_kk", text).unwrap(), "3205010101879001", "{text}");
        }
    }

    #[test]
    fn what_a_spreadsheet_has_broken_is_refused_as_such() {
        for text in [
            "3,2E+15",
            "3,20501E+15",
            "3.20501E+15",
            "3.20501e15",
            "3E+15",
            "'3,20501E+15",
            "3205010101870000",
            "32.05.01.010187.0000",
            "3205010101879000.0",
            "3205010101879001,00",
        ] {
            for refused in [clean_nik("nik", text), clean_kk("no_kk", text)] {
                let refusal = refused.unwrap_err();
                assert_eq!(refusal.reason, RefusalReason::NikExcel, "{text}");
                assert!(!refusal.message.contains(text), "{text}");
            }
        }
    }

    #[test]
    fn impossible_numbers_are_refused_by_rule() {
        for (text, rule) in [
            ("", "bukan_16_angka"),
            ("-", "bukan_16_angka"),
            ("320501010187900", "bukan_16_angka"),
            ("32050101018790011", "bukan_16_angka"),
            ("32050101018790O1", "bukan_16_angka"),
            ("E+15", "bukan_16_angka"),
            ("tidak ada", "bukan_16_angka"),
            ("3205000101879001", "kode_wilayah_nomor"),
            ("3200010101879001", "kode_wilayah_nomor"),
            ("0905010101879001", "kode_wilayah_nomor"),
            ("3205013102879001", "tanggal_dalam_nomor"),
            ("3205010013879001", "tanggal_dalam_nomor"),
            ("3205014001879001", "tanggal_dalam_nomor"),
            ("3205017201879001", "tanggal_dalam_nomor"),
            ("3205012902879001", "tanggal_dalam_nomor"),
        ] {
            let refusal = clean_nik("nik", text).unwrap_err();
            assert_eq!((refusal.rule, refusal.reason), (rule, RefusalReason::Value), "{text}");
        }
        assert!(clean_nik("nik", "3205012902009001").is_ok(), "29 February 2000");
        assert!(clean_nik("nik", "3205017101879001").is_ok(), "a woman of the 31st");
        assert!(clean_kk("no_kk", "3205017101879001").is_err(), "a KK number has no women");
    }

    #[test]
    fn the_number_says_sex_and_day_but_no_century() {
        let woman = Nik::read("3205016808459001").unwrap();
        assert!(woman.is_woman());
        assert!(woman.is_born_on(Date::new(1945, 8, 28).unwrap()));
        assert!(woman.is_born_on(Date::new(2045, 8, 28).unwrap()));
        assert!(!woman.is_born_on(Date::new(1945, 8, 27).unwrap()));
        assert!(!Nik::read("3205012808459001").unwrap().is_woman());
    }
}
