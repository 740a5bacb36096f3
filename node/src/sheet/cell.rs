//! One cell as the text a person would have typed into the field.
//!
//! Spreadsheets keep numbers as 64-bit floating point and of a typed number fifteen digits; dates
//! are counted in days. What cannot be repaired is refused by rule, never guessed.

use std::fmt;

use crdt_schema::edit::Date;
use crdt_schema::record::{Field, Refusal, ValueType, rules};
use crdt_schema::unseen;

/// Where a workbook begins to count days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Epoch {
    /// Windows: day 1 is 1 January 1900, and 1900 wrongly has a 29 February.
    Year1900,
    /// Old Macintosh: day 0 is 1 January 1904.
    Year1904,
}

/// What a cell holds. Personal: `Debug` shows no value.
#[derive(Clone, PartialEq)]
pub(crate) enum Cell {
    /// Nothing.
    Blank,
    /// Text as it stands in the file.
    Text(String),
    /// A number, and how its workbook counts days should it be a date.
    Number(f64, Epoch),
    /// A day.
    Day(Date),
    /// Yes or no.
    Truth(bool),
    /// `#N/A`, `#REF!` and their like.
    Broken,
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Blank => "Blank",
            Self::Text(_) => "Text",
            Self::Number(..) => "Number",
            Self::Day(_) => "Day",
            Self::Truth(_) => "Truth",
            Self::Broken => "Broken",
        })
    }
}

/// What formulas that failed leave in an exported text.
const ERRORS: [&str; 9] = [
    "#n/a",
    "#ref!",
    "#value!",
    "#div/0!",
    "#name?",
    "#null!",
    "#num!",
    "#getting_data",
    "#spill!",
];
/// What old programs leave behind the last row.
const END_OF_FILE: char = '\u{1a}';
/// Integers up to here are exact in a cell.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
/// The last day a spreadsheet knows, 31 December 9999.
const SERIAL_MAX: f64 = 2_958_465.0;
/// Days from 1 January 1900 to 1 January 1904, as spreadsheets count.
const SERIAL_1904: f64 = 1_462.0;
/// Smallest number with sixteen digits.
const SIXTEEN_DIGITS_MIN: f64 = 1e15;

impl Cell {
    /// Whether nothing is said: blank, only white space, or a lone dash.
    pub(crate) fn is_blank(&self) -> bool {
        match self {
            Self::Blank => true,
            // Nearly every text begins with a letter or a digit.
            Self::Text(text) if text.starts_with(char::is_alphanumeric) => false,
            Self::Text(text) => clean(text).chars().all(|letter| matches!(letter, '-' | '–' | '—')),
            Self::Number(..) | Self::Day(_) | Self::Truth(_) | Self::Broken => false,
        }
    }

    /// As a heading or a title shows it.
    pub(crate) fn title(&self) -> String {
        match self {
            Self::Text(text) => clean(text),
            Self::Number(number, _) => plain_number(*number),
            Self::Day(day) => day.to_string(),
            Self::Blank | Self::Truth(_) | Self::Broken => String::new(),
        }
    }

    /// The text for a field; `None` where nothing is said.
    ///
    /// # Errors
    /// [`Refusal`] for a broken cell, letters lost in a conversion, control signs, or a NIK or KK
    /// number that the spreadsheet kept as a number and may have rounded.
    pub(crate) fn text_for(&self, field: &Field) -> Result<Option<String>, Refusal> {
        if self.is_blank() {
            return Ok(None);
        }
        let text = match self {
            Self::Blank => return Ok(None),
            Self::Broken => return Err(Refusal::value(field.name, &rules::SHEET_CELL)),
            Self::Truth(truth) => if *truth { "ya" } else { "tidak" }.to_owned(),
            Self::Day(day) => day_text(*day, field),
            Self::Number(number, epoch) => number_text(*number, *epoch, field)?,
            Self::Text(text) => typed_text(text, field)?,
        };
        // Nought for an RT says only that nobody knows: never in place of one that is known.
        let says_nothing = field.value == ValueType::RtRw && text.bytes().all(|byte| byte == b'0');
        Ok((!text.is_empty() && !says_nothing).then_some(text))
    }

    /// Whether reading it takes out signs that nobody sees.
    pub(crate) fn is_repaired(&self) -> bool {
        matches!(self, Self::Text(text) if text.chars().any(unseen::is_slipped_in))
    }

    /// Whether reading it for the field makes blanks of breaks of lines or tabs within it.
    pub(crate) fn is_joined(&self, field: &Field) -> bool {
        let is_break = |letter: char| letter != ' ' && is_gap(letter, field);
        field.value.is_line() && matches!(self, Self::Text(text) if clean(text).contains(is_break))
    }

    /// Adds what the cell says to a digest.
    pub(super) fn feed(&self, hasher: &mut blake3::Hasher) {
        match self {
            Self::Blank => hasher.update(&[0]),
            Self::Text(text) => {
                hasher.update(&[1]).update(&(text.len() as u64).to_be_bytes());
                hasher.update(text.as_bytes())
            }
            Self::Number(number, _) => hasher.update(&[2]).update(&number.to_bits().to_be_bytes()),
            Self::Day(day) => hasher.update(&[3]).update(day.to_string().as_bytes()),
            Self::Truth(truth) => hasher.update(&[4, u8::from(*truth)]),
            Self::Broken => hasher.update(&[5]),
        };
    }
}

/// Text without what only a spreadsheet sees: outer white space of every kind, the apostrophe that
/// marks text, letters without width; no-break spaces become spaces.
pub(super) fn clean(text: &str) -> String {
    let shown: String = text
        .chars()
        .filter(|letter| !unseen::is_slipped_in(*letter))
        .map(|letter| if is_wide_space(letter) { ' ' } else { letter })
        .collect();
    let trimmed = shown.trim_matches(|it: char| it.is_whitespace() || it == END_OF_FILE);
    let unmarked = trimmed.strip_prefix(['\'', '\u{2018}', '\u{2019}']).unwrap_or(trimmed);
    unmarked.trim().replace("\r\n", "\n").replace('\r', "\n")
}

const fn is_wide_space(letter: char) -> bool {
    matches!(letter, '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

fn typed_text(text: &str, field: &Field) -> Result<String, Refusal> {
    let text = clean(text);
    if ERRORS.contains(&text.to_ascii_lowercase().as_str()) {
        return Err(Refusal::value(field.name, &rules::SHEET_CELL));
    }
    if text.contains('\u{fffd}') {
        return Err(Refusal::value(field.name, &rules::SHEET_LETTERS));
    }
    if text.chars().any(unseen::is_refused) {
        return Err(Refusal::value(field.name, &rules::TEXT_CONTROL));
    }
    Ok(match field.value {
        ValueType::Date => without_clock(&text).to_owned(),
        ValueType::Text { .. } => {
            let parts = text.split(|letter| is_gap(letter, field));
            parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
        }
        ValueType::Int { .. }
        | ValueType::Bool
        | ValueType::Month
        | ValueType::Code(_)
        | ValueType::Nik
        | ValueType::Kk
        | ValueType::RtRw
        | ValueType::Reference(_)
        | ValueType::Hash => text,
    })
}

/// What only keeps words apart: in a field of one line also breaks and tabs, but for the break between
/// two elements.
const fn is_gap(letter: char, field: &Field) -> bool {
    match letter {
        ' ' => true,
        '\t' => field.value.is_line(),
        '\n' => field.value.is_line() && !field.merge.has_elements(),
        _ => false,
    }
}

/// `1960-08-17 00:00:00` and `1960-08-17T00:00:00` without the time of day.
fn without_clock(text: &str) -> &str {
    let Some((day, clock)) = text.split_once([' ', 'T']) else { return text };
    let mut parts = clock.trim_end_matches('Z').split(':');
    let is_clock = clock.contains(':')
        && parts
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
    if is_clock { day } else { text }
}

fn day_text(day: Date, field: &Field) -> String {
    match field.value {
        ValueType::Month => format!("{:04}-{:02}", day.year(), day.month()),
        ValueType::Text { .. }
        | ValueType::Int { .. }
        | ValueType::Bool
        | ValueType::Date
        | ValueType::Code(_)
        | ValueType::Nik
        | ValueType::Kk
        | ValueType::RtRw
        | ValueType::Reference(_)
        | ValueType::Hash => day.to_string(),
    }
}

fn number_text(number: f64, epoch: Epoch, field: &Field) -> Result<String, Refusal> {
    match field.value {
        ValueType::Date | ValueType::Month => {
            let day = serial_day(number, epoch);
            day.map(|day| day_text(day, field))
                .ok_or_else(|| Refusal::value(field.name, &rules::DATE))
        }
        ValueType::Nik | ValueType::Kk if number >= SIXTEEN_DIGITS_MIN => {
            // Of a typed number Excel keeps fifteen digits and makes the sixteenth a nought. A
            // sixteenth that is none has come through whole; a nought may be a lost digit. Beyond
            // what a number tells apart it is the neighbour's.
            let text = plain_number(number);
            if number >= EXACT_MAX
                || text.ends_with('0')
                || !text.bytes().all(|byte| byte.is_ascii_digit())
            {
                let reason = crdt_schema::record::RefusalReason::NikExcel;
                return Err(Refusal::with(reason, field.name, &rules::NIK_EXCEL));
            }
            Ok(text)
        }
        ValueType::Nik
        | ValueType::Kk
        | ValueType::Text { .. }
        | ValueType::Int { .. }
        | ValueType::Bool
        | ValueType::Code(_)
        | ValueType::RtRw
        | ValueType::Reference(_)
        | ValueType::Hash => Ok(plain_number(number)),
    }
}

/// A number as people write it: no `.0`, a decimal comma.
fn plain_number(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() <= EXACT_MAX {
        format!("{number:.0}")
    } else {
        number.to_string().replace('.', ",")
    }
}

/// The day a spreadsheet counts so. Day 60 of 1900 never was.
pub(super) fn serial_day(number: f64, epoch: Epoch) -> Option<Date> {
    let serial = number + if epoch == Epoch::Year1904 { SERIAL_1904 } else { 0.0 };
    if !(1.0..=SERIAL_MAX + 1.0).contains(&serial) || (60.0..61.0).contains(&serial) {
        return None;
    }
    // Before the day that never was the count runs one ahead.
    let days = serial.floor() - if serial < 60.0 { 0.0 } else { 1.0 };
    #[expect(clippy::cast_possible_truncation, reason = "within 1..=2,958,465, just checked")]
    let days = days as i64 - 1;
    let day = jiff::civil::date(1900, 1, 1).checked_add(jiff::Span::new().days(days)).ok()?;
    let year = u16::try_from(day.year()).ok()?;
    Date::new(year, u8::try_from(day.month()).ok()?, u8::try_from(day.day()).ok()?).ok()
}

/// Whether a text of only digits may be a day that an export forgot to write as one.
pub(super) fn serial_text(text: &str) -> Option<Date> {
    let is_serial = text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    let number: f64 = is_serial.then(|| text.parse().ok())??;
    serial_day(number, Epoch::Year1900)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use crdt_schema::class::FieldClass;
    use crdt_schema::record::RefusalReason;

    use super::*;

    fn field(value: ValueType) -> Field {
        Field::scalar(1, "kolom", FieldClass::Public, value)
    }

    fn shown(cell: &Cell, value: ValueType) -> Result<Option<String>, &'static str> {
        cell.text_for(&field(value)).map_err(|refusal| refusal.rule)
    }

    #[test]
    fn days_are_counted_as_spreadsheets_count_them() {
        for (serial, day) in [
            (1.0, "1900-01-01"),
            (59.0, "1900-02-28"),
            (61.0, "1900-03-01"),
            (22_145.0, "1960-08-17"),
            (22_145.75, "1960-08-17"),
            (2_958_465.0, "9999-12-31"),
        ] {
            assert_eq!(serial_day(serial, Epoch::Year1900).unwrap().to_string(), day);
        }
        assert_eq!(serial_day(20_683.0, Epoch::Year1904).unwrap().to_string(), "1960-08-17");
        for none in [60.0, 0.0, -1.0, 3e6, f64::NAN, f64::INFINITY] {
            assert_eq!(serial_day(none, Epoch::Year1900), None, "{none}");
        }
    }

    #[test]
    fn a_number_that_lost_digits_is_refused_and_a_whole_one_is_kept() {
        let cell = |number| Cell::Number(number, Epoch::Year1900);
        // The last but one is what a file holds where somebody typed the number that ends in 3.
        for lost in [
            3.205_01e15,
            3_205_010_101_879_000.0,
            3_205_010_101_879_010.0,
            9_105_010_101_879_004.0,
            3.2e17,
        ] {
            let refusal = cell(lost).text_for(&field(ValueType::Nik)).unwrap_err();
            assert_eq!(refusal.reason, RefusalReason::NikExcel, "{lost}");
        }
        let whole = shown(&cell(3_205_010_101_879_001.0), ValueType::Nik);
        assert_eq!(whole.unwrap().unwrap(), "3205010101879001");
    }

    #[test]
    fn numbers_and_truths_read_as_people_type_them() {
        let cell = |number| Cell::Number(number, Epoch::Year1900);
        let text = ValueType::Text { max_letters: 50 };
        assert_eq!(shown(&cell(3.0), ValueType::RtRw), Ok(Some("3".to_owned())));
        assert_eq!(shown(&cell(1.5), text), Ok(Some("1,5".to_owned())));
        assert_eq!(shown(&cell(0.0), ValueType::RtRw), Ok(None));
        assert_eq!(shown(&Cell::Truth(true), ValueType::Bool), Ok(Some("ya".to_owned())));
        let int = field(ValueType::Int { min: 0, max: 9_999 });
        let fraction = cell(1.234).text_for(&int).unwrap().unwrap();
        assert!(int.parse(&fraction).is_err(), "1.234 is no thousand");
    }

    #[test]
    fn what_only_a_spreadsheet_sees_is_taken_away() {
        for text in ["  Asep\u{a0}Suryana \u{a0}", "'Asep  Suryana", "\u{feff}Asep Suryana\u{200b}"]
        {
            let shown = shown(&Cell::Text(text.to_owned()), ValueType::Text { max_letters: 50 });
            assert_eq!(shown, Ok(Some("Asep Suryana".to_owned())), "{text:?}");
        }
        for blank in ["", "  ", "\u{a0}", "-", " -- ", "'", "\u{200b}"] {
            assert!(Cell::Text(blank.to_owned()).is_blank(), "{blank:?}");
        }
    }

    #[test]
    fn broken_cells_are_refused_by_rule() {
        let text = ValueType::Text { max_letters: 50 };
        assert_eq!(shown(&Cell::Broken, text), Err("sel_rusak"));
        assert_eq!(shown(&Cell::Text("#N/A".to_owned()), text), Err("sel_rusak"));
        assert_eq!(shown(&Cell::Text("As\u{fffd}p".to_owned()), text), Err("huruf_rusak"));
        for sign in ['\u{7}', '\u{202e}', '\u{2067}', '\u{200e}', '\u{e0041}'] {
            let turned = Cell::Text(format!("As{sign}ep"));
            assert_eq!(shown(&turned, text), Err("huruf_kendali"), "{sign:?}");
            assert_eq!(shown(&turned, ValueType::Date), Err("huruf_kendali"), "{sign:?}");
        }
    }

    #[test]
    fn a_time_of_day_is_no_part_of_a_date() {
        for text in ["1960-08-17 00:00:00", "1960-08-17T00:00:00Z", "1960-08-17 7:30"] {
            let shown = shown(&Cell::Text(text.to_owned()), ValueType::Date);
            assert_eq!(shown, Ok(Some("1960-08-17".to_owned())), "{text}");
        }
        let words = shown(&Cell::Text("17 Agustus 1960".to_owned()), ValueType::Date);
        assert_eq!(words, Ok(Some("17 Agustus 1960".to_owned())));
    }
}
