//! Rows as village offices export them: what an importer must swallow, repair or refuse.

use super::calendar::{Date, push_digits};
use super::counts::Sort;
use super::fields::FieldOp;
use super::place::{Place, Use, villages};
use super::random::Random;
use super::village::{Filling, Village};
use super::{Edits, SynthEvent, SynthField};

/// The columns of a sheet, in the words offices use.
pub(super) const COLUMNS: [&str; 10] = [
    "No",
    "Nama Lengkap",
    "NIK",
    "No. KK",
    "L/P",
    "Tanggal Lahir",
    "Alamat",
    "RT",
    "RW",
    "Jenis PPKS",
];

/// The fields behind the columns, the running number apart.
const FIELDS: [&str; 9] =
    ["nama", "nik", "no_kk", "jenis_kelamin", "tanggal_lahir", "alamat", "rt", "rw", "kode_jenis"];

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

/// A header and `rows` rows of cases of one village, with the noise of real sheets: apostrophes
/// before 5 % of the NIK, 0.1 % of them in the form `3,20501E+15`, dates as `dd/mm/yyyy` (70 %),
/// ISO (25 %) or with the month as a word (5 %), spaces after 3 % of the cells, and a no-break
/// space in 0.5 %. One seed gives the same rows everywhere.
pub fn noisy_sheet(seed: u64, rows: usize) -> Vec<Vec<String>> {
    let mut sheet = vec![COLUMNS.map(str::to_owned).to_vec()];
    let Some(area) = villages().nth(usize::try_from(seed % 5_000).unwrap_or_default()) else {
        return sheet;
    };
    let place = Place::new(seed, area);
    let mut random = place.stream(Use::Fields, u32::MAX);
    // Nine records in ten would be cases; twice as many records surely hold enough.
    let records = u32::try_from(rows.saturating_mul(2).saturating_add(40)).unwrap_or(u32::MAX);
    let filling = Filling {
        records: Some(records.min(super::person::PEOPLE_MAX)),
        edits: Edits::Exactly(0),
        disaster: false,
        deadline: false,
    };
    let village = Village::new(place, &filling);
    let is_person = |number: &u32| {
        let slot = village.slot(*number);
        slot.is_some_and(
            |slot| matches!(slot.sort, Sort::Ppks(place) if place != super::table::nth::KAT),
        )
    };
    let numbers: Vec<u32> = (0..records).filter(is_person).take(rows).collect();
    for (nth, number) in numbers.into_iter().enumerate() {
        sheet.push(row(&village, nth + 1, number, &mut random));
    }
    sheet
}

fn row(village: &Village, nth: usize, number: u32, random: &mut Random) -> Vec<String> {
    let fields = village.record_of(number);
    let text = |name: &str| -> String {
        let found = fields.iter().find(|field| field.name == name && field.op == FieldOp::Put);
        found.map_or_else(String::new, |field| field.value.clone().into_owned())
    };
    let mut cells = vec![nth.to_string()];
    for name in FIELDS {
        let text = text(name);
        let text = match name {
            "nik" => noisy_number(&text, random),
            "tanggal_lahir" => noisy_date(&text, random),
            _ => text,
        };
        cells.push(noisy_cell(text, random));
    }
    cells
}

fn noisy_number(nik: &str, random: &mut Random) -> String {
    if nik.is_empty() {
        return String::new();
    }
    if random.chance(10) {
        let (first, rest) = nik.split_at(1);
        return format!("{first},{}E+15", rest.get(..5).unwrap_or_default());
    }
    if random.chance(500) { format!("'{nik}") } else { nik.to_owned() }
}

fn noisy_date(iso: &str, random: &mut Random) -> String {
    let mut parts = iso.split('-').map(|part| part.parse::<u32>().unwrap_or_default());
    let (Some(year), Some(month), Some(day)) = (parts.next(), parts.next(), parts.next()) else {
        return String::new();
    };
    let date = Date { year, month, day };
    match random.weighted(&[70, 25, 5]) {
        0 => {
            let mut text = String::with_capacity(10);
            push_digits(&mut text, date.day, 2);
            text.push('/');
            push_digits(&mut text, date.month, 2);
            text.push('/');
            push_digits(&mut text, date.year, 4);
            text
        }
        1 => date.iso(),
        _ => {
            let name = MONTHS.get(date.month as usize - 1).copied().unwrap_or("Januari");
            format!("{} {name} {}", date.day, date.year)
        }
    }
}

fn noisy_cell(mut text: String, random: &mut Random) -> String {
    if random.chance(300) {
        text.push(' ');
    }
    if random.chance(50) && text.contains(' ') {
        text = text.replacen(' ', "\u{a0}", 1);
    }
    text
}

impl Village {
    /// The fields of the record in this slot, without waiting for its turn.
    fn record_of(&self, number: u32) -> Vec<SynthField> {
        match self.first_save(number) {
            Some(SynthEvent::Record(change)) => change.fields,
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::indexing_slicing, reason = "a test that panics is a test that fails")]
    use super::*;

    #[test]
    fn a_sheet_has_the_rows_asked_and_the_noise_planned() {
        let sheet = noisy_sheet(5, 20_000);
        assert_eq!(sheet.len(), 20_001);
        assert_eq!(sheet[0], COLUMNS);
        assert!(sheet.iter().all(|row| row.len() == COLUMNS.len()));
        let share = |is: &dyn Fn(&[String]) -> bool| {
            sheet[1..].iter().filter(|row| is(row)).count() * 10_000 / 20_000
        };
        assert!((400..560).contains(&share(&|row| row[2].starts_with('\''))), "apostrophes");
        assert!((4..20).contains(&share(&|row| row[2].contains("E+15"))), "broken NIK");
        assert!((300..700).contains(&share(&|row| row[2].trim().is_empty())), "missing NIK");
        assert!((6_700..7_300).contains(&share(&|row| row[5].contains('/'))), "dates");
        assert!((380..640).contains(&share(&|row| row[5].chars().any(char::is_alphabetic))));
        assert!((240..360).contains(&share(&|row| row[1].ends_with([' ', '\u{a0}']))), "spaces");
        assert!((25..90).contains(&share(&|row| row[1].contains('\u{a0}'))), "no-break spaces");
    }

    #[test]
    fn one_seed_gives_one_sheet() {
        assert_eq!(noisy_sheet(9, 50), noisy_sheet(9, 50));
        assert_ne!(noisy_sheet(9, 50), noisy_sheet(10, 50));
        assert_eq!(noisy_sheet(9, 0).len(), 1);
    }
}
