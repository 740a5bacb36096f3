//! Text to value and back: what a person, a sheet or a script wrote, and what is shown to them.
//!
//! `parse(show(value)) == value` for every value that parsing gave. Nothing here looks at other
//! fields; that is `check.rs`.

use std::fmt;

use super::rules::{self, Notice, Refusal, Rule};
use super::{Field, Merge, ValueType, nik};
use crate::edit::{Date, TEXT_BYTES_MAX, Value};
use crate::unseen;

/// What a text means for a field.
#[derive(Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The value; [`Value::Flag`] for an element of a set.
    pub value: Value,
    /// Of a set: the code, hash or id itself. Of a list: the first 16 hex digits of BLAKE3 of the
    /// text, so that the same text is the same element everywhere. Of a scalar: none.
    pub element: Option<String>,
    /// What the person should look at.
    pub notices: Vec<Notice>,
}

impl fmt::Debug for Parsed {
    // An element may be a code of class T or S.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parsed").field("value", &self.value).finish_non_exhaustive()
    }
}

/// Hex digits of a list element's id: with 64 bits, texts of one list never meet by chance.
const LIST_ELEMENT_DIGITS: usize = 16;

/// Hex digits of a record's id.
const RECORD_DIGITS: usize = 32;

/// Hex digits of a BLAKE3 hash.
const HASH_DIGITS: usize = 64;

/// The highest number an RT or RW may have; the largest RW known has some 280 RT.
const RT_RW_MAX: u16 = 999;

/// Months in Indonesian, and the first letters by which English sheets differ.
const MONTHS: [&[&str]; 12] = [
    &["januari", "jan", "january"],
    &["februari", "feb", "pebruari", "peb", "february"],
    &["maret", "mar", "march"],
    &["april", "apr"],
    &["mei", "may"],
    &["juni", "jun", "june"],
    &["juli", "jul", "july"],
    &["agustus", "agu", "agt", "ags", "agst", "aug", "august"],
    &["september", "sep", "sept"],
    &["oktober", "okt", "oct", "october"],
    &["november", "nov", "nopember", "nop"],
    &["desember", "des", "dec", "december"],
];

impl Field {
    /// Reads what was typed for one value, or for one element of a set or list. Signs that programs
    /// slip in are taken out, and a notice says so.
    ///
    /// # Errors
    /// [`Refusal`] under the rule of the type: see `rules.rs`. A broken NIK or KK number has the
    /// reason [`super::RefusalReason::NikExcel`].
    pub fn parse(&self, text: &str) -> Result<Parsed, Refusal> {
        let typed = text;
        let text = unseen::repaired(typed);
        let text = text.trim();
        if text.is_empty() {
            return Err(self.refusal(&rules::EMPTY));
        }
        let mut notices = Vec::new();
        if typed.chars().any(unseen::is_slipped_in) {
            notices.push(Notice::new(self.name, &rules::TEXT_UNSEEN));
        }
        let value = self.parse_value(text, &mut notices)?;
        Ok(match (self.merge, value) {
            (Merge::Set, Value::Text(element)) => {
                Parsed { value: Value::Flag, element: Some(element), notices }
            }
            (Merge::List, value) => {
                let element = value.as_text().map(list_element);
                Parsed { value, element, notices }
            }
            (Merge::Set | Merge::Scalar | Merge::Status, value) => {
                Parsed { value, element: None, notices }
            }
        })
    }

    /// The inverse of [`Field::parse`]: ISO dates, codes as the list writes them.
    /// Of a set's element pass its id.
    pub fn show(&self, element: Option<&str>, value: &Value) -> String {
        match value {
            Value::Flag => element.unwrap_or_default().to_owned(),
            Value::Bool(true) => "ya".to_owned(),
            Value::Bool(false) => "tidak".to_owned(),
            Value::Int(number) => number.to_string(),
            Value::Date(date) => date.to_string(),
            Value::Text(text) => text.clone(),
        }
    }

    fn refusal(&self, rule: &Rule) -> Refusal {
        Refusal::value(self.name, rule)
    }

    fn parse_value(&self, text: &str, notices: &mut Vec<Notice>) -> Result<Value, Refusal> {
        let text_or = |found: Option<String>, rule: &Rule| {
            found.map(Value::Text).ok_or_else(|| self.refusal(rule))
        };
        let is_turned = |letter: char| !letter.is_control() && unseen::is_refused(letter);
        if text.chars().any(is_turned) {
            return Err(self.refusal(&rules::TEXT_CONTROL));
        }
        match self.value {
            ValueType::Text { max_letters } => self.parse_text(text, max_letters),
            ValueType::Int { min, max } => {
                let number = whole_number(text).ok_or_else(|| self.refusal(&rules::NUMBER))?;
                let is_within = (min..=max).contains(&number);
                if is_within { Ok(Value::Int(number)) } else { Err(self.refusal(&rules::RANGE)) }
            }
            ValueType::Bool => {
                yes_no(text).map(Value::Bool).ok_or_else(|| self.refusal(&rules::YES_NO))
            }
            ValueType::Date => {
                date(text).map(Value::Date).ok_or_else(|| self.refusal(&rules::DATE))
            }
            ValueType::Month => text_or(month(text), &rules::MONTH),
            ValueType::Code(list) => {
                let code = list.find(text).ok_or_else(|| self.refusal(&rules::CODE))?;
                if code.is_old_name(text) {
                    notices.push(Notice::new(self.name, &rules::CODE_OLD));
                }
                Ok(Value::Text(code.code.to_owned()))
            }
            ValueType::Nik => nik::clean_nik(self.name, text).map(Value::Text),
            ValueType::Kk => nik::clean_kk(self.name, text).map(Value::Text),
            ValueType::RtRw => text_or(rt_rw(text), &rules::RT_RW),
            ValueType::Reference(_) => text_or(hex_digits(text, RECORD_DIGITS), &rules::REFERENCE),
            ValueType::Hash => text_or(hex_digits(text, HASH_DIGITS), &rules::HASH),
        }
    }

    fn parse_text(&self, text: &str, max_letters: usize) -> Result<Value, Refusal> {
        let text = text.replace("\r\n", "\n");
        // Of letters of three or four bytes the longest fields take fewer: an edit carries no more.
        if text.chars().count() > max_letters || text.len() > TEXT_BYTES_MAX {
            return Err(self.refusal(&rules::TEXT_LONG));
        }
        if text.chars().any(unseen::is_refused) {
            return Err(self.refusal(&rules::TEXT_CONTROL));
        }
        if self.value.is_line() && text.contains(['\n', '\t']) {
            return Err(self.refusal(&rules::TEXT_LINE));
        }
        Ok(Value::Text(text))
    }
}

/// The id of a list's element.
fn list_element(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().chars().take(LIST_ELEMENT_DIGITS).collect()
}

/// `12`, `-3`, `1.500.000`, `Rp 1.500.000,00`; nothing that a spreadsheet has rounded.
fn whole_number(text: &str) -> Option<i64> {
    let is_money =
        |prefix: &&str| text.get(..prefix.len()).is_some_and(|s| s.eq_ignore_ascii_case(prefix));
    let prefix = ["rp.", "rp"].into_iter().find(is_money).unwrap_or_default();
    let text = text.get(prefix.len()..)?.trim();
    let text = text.strip_suffix(",00").or_else(|| text.strip_suffix(",-")).unwrap_or(text);
    let mut groups = text.split('.');
    let first = groups.next()?;
    let (_, first_digits) = first.split_at(usize::from(first.starts_with('-')));
    let mut digits = first.to_owned();
    for group in groups {
        let is_thousands = group.len() == 3 && (1..=3).contains(&first_digits.len());
        is_thousands.then(|| digits.push_str(group))?;
    }
    let is_plain =
        digits.bytes().skip(usize::from(digits.starts_with('-'))).all(|b| b.is_ascii_digit());
    is_plain.then(|| digits.parse().ok())?
}

fn yes_no(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "ya" | "y" | "iya" | "ada" | "true" | "yes" | "1" => Some(true),
        "tidak" | "t" | "tdk" | "tidak ada" | "false" | "no" | "n" | "0" => Some(false),
        _ => None,
    }
}

/// `1987-08-17`, `17/08/1987`, `17-8-1987`, `17.08.1987`, `17 Agustus 1987`. A year has four
/// digits: of two nobody knows the century.
fn date(text: &str) -> Option<Date> {
    if let Ok(date) = text.parse() {
        return Some(date);
    }
    let is_gap = |letter: char| matches!(letter, '/' | '-' | '.' | ',') || letter.is_whitespace();
    let mut parts = text.split(is_gap).filter(|part| !part.is_empty());
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 || day.len() > 2 {
        return None;
    }
    let month = month_number(month)?;
    Date::new(plain_number(year)?, month, u8::try_from(plain_number(day)?).ok()?).ok()
}

/// Digits and nothing else: `+7` is no day.
fn plain_number(text: &str) -> Option<u16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn month_number(text: &str) -> Option<u8> {
    if let Some(number) = plain_number(text) {
        return u8::try_from(number).ok().filter(|_| text.len() <= 2);
    }
    let name = text.to_lowercase();
    let place = MONTHS.iter().position(|names| names.contains(&name.as_str()))?;
    u8::try_from(place + 1).ok()
}

/// `2026-11`, `11/2026`, `November 2026`.
fn month(text: &str) -> Option<String> {
    let is_gap = |letter: char| matches!(letter, '/' | '-' | '.') || letter.is_whitespace();
    let mut parts = text.split(is_gap).filter(|part| !part.is_empty());
    let (first, second) = (parts.next()?, parts.next()?);
    let (year, month) = if first.len() == 4 { (first, second) } else { (second, first) };
    let day = Date::new(plain_number(year)?, month_number(month)?, 1).ok()?;
    (parts.next().is_none() && year.len() == 4).then(|| month_of(day))
}

/// The month of a day, as such fields hold it.
pub(super) fn month_of(date: Date) -> String {
    format!("{:04}-{:02}", date.year(), date.month())
}

/// Two digits or more, or `-`; `RT`, `RW` and leading noughts make no difference.
fn rt_rw(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let digits = lower.trim_start_matches("rt").trim_start_matches("rw");
    let digits = digits.trim_start_matches(['.', ':', ' ']).trim();
    if digits == "-" {
        return Some("-".to_owned());
    }
    let number = plain_number(digits).filter(|number| *number <= RT_RW_MAX && digits.len() <= 3)?;
    Some(if number == 0 { "-".to_owned() } else { format!("{number:02}") })
}

fn hex_digits(text: &str, count: usize) -> Option<String> {
    let is_hex = text.len() == count && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use proptest::prelude::*;

    use super::super::field::LINE_LETTERS_MAX;
    use super::*;
    use crate::class::FieldClass;
    use crate::record::{Schema, codes};

    fn shown(value: ValueType, text: &str) -> Result<String, &'static str> {
        let field = Field::scalar(1, "kolom", FieldClass::Public, value);
        field.parse(text).map(|parsed| field.show(None, &parsed.value)).map_err(|no| no.rule)
    }

    #[test]
    fn dates_are_read_as_offices_write_them() {
        for text in [
            "1987-08-17",
            "17/08/1987",
            "17-8-1987",
            "17.08.1987",
            " 17 Agustus 1987",
            "17 agt 1987",
            "17-Aug-1987",
            "17\u{a0}Agu, 1987",
        ] {
            assert_eq!(shown(ValueType::Date, text), Ok("1987-08-17".to_owned()), "{text}");
        }
        for text in ["17/08/87", "31/02/1987", "08/17/1987", "1987", "+7/08/1987", "17 8 1987 1"] {
            assert_eq!(shown(ValueType::Date, text), Err("bukan_tanggal"), "{text}");
        }
    }

    #[test]
    fn numbers_are_read_with_indonesian_thousands() {
        let any = ValueType::Int { min: -5, max: 2_000_000 };
        for (text, number) in [
            ("12", "12"),
            ("-5", "-5"),
            ("1.500.000", "1500000"),
            ("Rp 1.500.000,00", "1500000"),
            ("Rp. 1.500,-", "1500"),
            ("RP1500", "1500"),
            ("0", "0"),
        ] {
            assert_eq!(shown(any, text), Ok(number.to_owned()), "{text}");
        }
        for text in
            [".5", ".500", "1,5", "1.5", "1E+06", "12.34.567", "", "--5", "1500.000", ".", "+5"]
        {
            assert!(shown(any, text).is_err(), "{text}");
        }
        assert_eq!(shown(any, "2.000.001"), Err("di_luar_batas"));
        assert_eq!(shown(any, "99999999999999999999"), Err("bukan_bilangan"));
    }

    #[test]
    fn neighbourhoods_months_and_answers_take_one_form() {
        for (text, form) in
            [("RT 3", "03"), ("003", "03"), ("rw.12", "12"), ("-", "-"), ("000", "-")]
        {
            assert_eq!(shown(ValueType::RtRw, text), Ok(form.to_owned()), "{text}");
        }
        for text in ["RT", "3a", "0003", "dua"] {
            assert_eq!(shown(ValueType::RtRw, text), Err("bukan_rt_rw"), "{text}");
        }
        for text in ["2026-11", "11/2026", "November 2026", "2026-11 "] {
            assert_eq!(shown(ValueType::Month, text), Ok("2026-11".to_owned()), "{text}");
        }
        for text in ["2026-13", "2026", "11-26", "2026-11-01"] {
            assert_eq!(shown(ValueType::Month, text), Err("bukan_bulan"), "{text}");
        }
        assert_eq!(shown(ValueType::Bool, "YA"), Ok("ya".to_owned()));
        assert_eq!(shown(ValueType::Bool, "mungkin"), Err("bukan_ya_tidak"));
    }

    #[test]
    fn a_list_element_is_named_by_its_text_and_a_set_element_by_itself() {
        let list = Field::list(1, "anggota", FieldClass::Personal, 100);
        let (one, two) = (list.parse("Euis").unwrap(), list.parse(" Euis ").unwrap());
        assert_eq!(one, two);
        assert_eq!(one.element.as_deref().map(str::len), Some(16));
        let set = Field::set(2, "jenis", FieldClass::Tally, ValueType::Code(&codes::PPKS_OPEN));
        let parsed = set.parse("lut").unwrap();
        assert_eq!((parsed.value, parsed.element.as_deref()), (Value::Flag, Some("08")));
    }

    #[test]
    fn a_story_keeps_its_lines_a_line_has_one_and_neither_takes_hidden_letters() {
        let text = ValueType::Text { max_letters: 20 };
        let story = ValueType::Text { max_letters: LINE_LETTERS_MAX + 1 };
        assert_eq!(shown(story, " a\r\nb\tc\u{a0}"), Ok("a\nb\tc".to_owned()));
        assert_eq!(shown(story, "a\u{0}b"), Err("huruf_kendali"));
        for broken in ["a\nb", "a\r\nb", "a\tb"] {
            assert_eq!(shown(text, broken), Err("satu_baris"), "{broken:?}");
        }
        assert_eq!(shown(text, "\ta\n"), Ok("a".to_owned()));
        assert_eq!(shown(text, "a\u{0}b"), Err("huruf_kendali"));
        assert_eq!(shown(text, "\u{a0} "), Err("kosong"));
        assert_eq!(shown(text, &"x".repeat(21)), Err("terlalu_panjang"));
    }

    #[test]
    fn letters_are_counted_whatever_their_bytes() {
        let text = ValueType::Text { max_letters: 20 };
        for letter in ["x", "é", "\u{1b83}", "👍"] {
            assert_eq!(shown(text, &letter.repeat(20)), Ok(letter.repeat(20)), "{letter}");
            assert_eq!(shown(text, &letter.repeat(21)), Err("terlalu_panjang"), "{letter}");
        }
        let page = ValueType::Text { max_letters: LINE_LETTERS_MAX + 1 };
        let lines = LINE_LETTERS_MAX / 2 + 1;
        let told = shown(page, &"a\r\n".repeat(lines));
        assert_eq!(told, Ok("a\n".repeat(lines).trim().to_owned()));
        // The longest fields end where an edit does.
        let story = ValueType::Text { max_letters: 4096 };
        assert!(shown(story, &"é".repeat(4096)).is_ok());
        assert!(shown(story, &"👍".repeat(2048)).is_ok());
        assert_eq!(shown(story, &"👍".repeat(2049)), Err("terlalu_panjang"));
    }

    #[test]
    fn what_turns_writing_is_refused_in_every_type_of_field() {
        for kind in Schema::standard().kinds() {
            for field in kind.fields {
                for sign in ['\u{202e}', '\u{2066}', '\u{200f}', '\u{2028}', '\u{e0041}'] {
                    let refusal = field.parse(&format!("3209{sign}21")).unwrap_err();
                    assert_eq!(refusal.rule, "huruf_kendali", "{} {sign:?}", field.name);
                }
            }
        }
    }

    #[test]
    fn what_programs_slip_in_is_taken_out_and_said() {
        let text =
            Field::scalar(1, "nama", FieldClass::Personal, ValueType::Text { max_letters: 20 });
        let parsed = text.parse("\u{feff}Si\u{ad}ti\u{200b} \u{200d}").unwrap();
        assert_eq!(parsed.value, Value::Text("Siti".to_owned()));
        assert_eq!(parsed.notices, [Notice::new("nama", &rules::TEXT_UNSEEN)]);
        assert_eq!(text.parse("Siti").unwrap().notices, []);
        assert_eq!(text.parse("\u{200b}").unwrap_err().rule, "kosong");
        let list = Field::list(1, "anggota", FieldClass::Personal, 100);
        let element = |text: &str| list.parse(text).unwrap().element;
        assert_eq!(element("Eu\u{200b}is"), element("Euis"));
    }

    #[test]
    fn debug_shows_no_content() {
        let set = Field::set(2, "jenis", FieldClass::Tally, ValueType::Code(&codes::PPKS_OPEN));
        assert!(!format!("{:?}", set.parse("LUT").unwrap()).contains("08"));
    }

    /// Texts that often mean something, and any other.
    fn any_text() -> impl Strategy<Value = String> {
        prop_oneof![
            ".{0,24}",
            "[0-9]{1,3}([.,/ -][0-9]{1,4}){0,3}",
            "[12][0-9]{3}-[0-9]{2}(-[0-9]{2})?",
            "32[0-9]{14}",
            "[0-9a-fA-F]{32}",
            "[0-9a-fA-F]{64}",
            any_code(),
        ]
    }

    fn any_code() -> impl Strategy<Value = String> {
        let lists = Schema::standard().kinds().flat_map(|kind| kind.fields);
        let codes = lists.filter_map(|field| field.value.codes()).flat_map(|list| list.codes);
        proptest::sample::select(codes.map(|code| code.code.to_owned()).collect::<Vec<_>>())
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_as_the_same_value(text in any_text()) {
            for kind in Schema::standard().kinds() {
                for field in kind.fields {
                    let Ok(parsed) = field.parse(&text) else { continue };
                    let shown = field.show(parsed.element.as_deref(), &parsed.value);
                    let again = field.parse(&shown);
                    let again = again.map(|again| (again.value, again.element));
                    prop_assert_eq!(again, Ok((parsed.value, parsed.element)), "{}", field.name);
                }
            }
        }
    }
}
