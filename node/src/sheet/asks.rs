//! One row as wishes: what is filled is put, what is blank is left as it is.
//!
//! Sets and lists only grow: a sheet knows one office's part, so it adds to them and takes nothing
//! away. A correction that takes away is made by hand.

use crdt_schema::record::{
    Ask, Derive, Field, Kind, Merge, Notice, Refusal, ValueType, Wish, rules,
};

use super::cell::serial_text;
use super::columns::Heading;
use super::titles::Column;
use super::{Cell, Row};

/// What sheets write between codes of one cell, and between texts.
const BETWEEN_CODES: &[char] = &[';', ',', '/', '+', '&', '\n'];
const BETWEEN_TEXTS: &[char] = &[';', '\n'];
/// Letters a written day has at most, with its month and time of day spelled out. A day is looked for
/// in no more of a cell, which may hold 64 KiB: each word of it might begin one.
const DAY_LETTERS_MAX: usize = 64;

/// What a row asks for.
///
/// # Errors
/// [`Refusal`] of the first cell that cannot be read, and of a row with more cells than titles:
/// its values have slipped.
pub(crate) fn row_asks(kind: &Kind, heading: &Heading, row: &Row) -> Result<Vec<Ask>, Refusal> {
    let beyond = row.cells.iter().skip(heading.columns.len());
    if beyond.into_iter().any(|cell| !cell.is_blank()) {
        return Err(Refusal::value("", &rules::SHEET_WIDE));
    }
    let mut asks = Vec::with_capacity(heading.columns.len());
    for (column, cell) in heading.columns.iter().zip(&row.cells) {
        match column {
            Column::Field(field) => ask(kind, field, cell, &mut asks)?,
            Column::PlaceAndDay(place, day) => place_and_day(place, day, cell, &mut asks)?,
            Column::Neighbourhood(first, second) => {
                neighbourhood(kind, first, second, cell, &mut asks)?;
            }
            Column::None => {}
        }
    }
    Ok(asks)
}

/// What a person should look at in the cells of a row: signs that reading took out, letters of which
/// the encoding was guessed, breaks of lines that became blanks.
pub(crate) fn cell_notices(heading: &Heading, row: &Row) -> Vec<Notice> {
    let cells = heading.columns.iter().zip(&row.cells).enumerate();
    let notices = cells.flat_map(|(place, (column, cell))| {
        let field = column.fields().next();
        let is_joined = matches!(column, Column::Field(field) if cell.is_joined(field));
        let told = [
            (cell.is_repaired(), &rules::TEXT_UNSEEN),
            (row.guessed.contains(&place), &rules::SHEET_GUESSED),
            (is_joined, &rules::SHEET_JOINED),
        ];
        let told = told.into_iter().filter_map(|(is_so, rule)| is_so.then_some(rule));
        field.into_iter().flat_map(move |it| told.clone().map(|rule| Notice::new(it.name, rule)))
    });
    notices.collect()
}

fn ask(kind: &Kind, field: &Field, cell: &Cell, asks: &mut Vec<Ask>) -> Result<(), Refusal> {
    let Some(text) = cell.text_for(field)? else { return Ok(()) };
    let put = |wish: Wish| Ask { field: field.name.to_owned(), what: wish };
    match field.merge {
        Merge::Set => {
            asks.extend(codes(kind, field, &text).into_iter().map(|it| put(Wish::Add(it))));
        }
        Merge::List => {
            let parts = text.split(BETWEEN_TEXTS).map(str::trim).filter(|part| !part.is_empty());
            asks.extend(parts.map(|part| put(Wish::Add(part.to_owned()))));
        }
        Merge::Scalar | Merge::Status => {
            let day = (field.value == ValueType::Date).then(|| serial_text(&text)).flatten();
            asks.push(put(Wish::Put(day.map_or(text, |day| day.to_string()))));
        }
    }
    Ok(())
}

/// The codes of one cell. Titles hold commas and slashes of their own, so a text that is one code
/// is not taken apart.
fn codes(kind: &Kind, field: &Field, text: &str) -> Vec<String> {
    let closed = kind.derives.iter().find_map(|derive| match derive {
        Derive::Closed { open, closed, .. } if *open == field.name => kind.field(closed),
        Derive::Closed { .. }
        | Derive::AgeBand { .. }
        | Derive::Month { .. }
        | Derive::Reason { .. } => None,
    });
    let is_one = field.parse(text).is_ok() || closed.is_some_and(|it| it.parse(text).is_ok());
    if is_one {
        return vec![text.to_owned()];
    }
    let parts = text.split(BETWEEN_CODES).map(str::trim).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

/// `Garut, 17-08-1960`: the day is the longest end of the text that is one.
fn place_and_day(
    place: &Field,
    day: &Field,
    cell: &Cell,
    asks: &mut Vec<Ask>,
) -> Result<(), Refusal> {
    if let Cell::Day(_) | Cell::Number(..) = cell {
        let text = cell.text_for(day)?;
        asks.extend(text.map(|text| put(day, text)));
        return Ok(());
    }
    // As a place first: a text of the day's form would lose its end with the time of day.
    let Some(text) = cell.text_for(place)? else { return Ok(()) };
    let is_gap = |letter: char| matches!(letter, ',' | '/' | ';' | '.') || letter.is_whitespace();
    let first = text.char_indices().nth_back(DAY_LETTERS_MAX - 1).map_or(0, |(at, _)| at);
    let starts = text.char_indices().skip_while(|(at, _)| *at < first).filter(|(at, letter)| {
        *at == 0
            || (letter.is_alphanumeric() && text.get(..*at).is_some_and(|it| it.ends_with(is_gap)))
    });
    for (at, _) in starts {
        let (before, rest) = text.split_at(at);
        #[cfg(test)]
        crate::work::count(rest.len());
        let typed = Cell::Text(rest.to_owned()).text_for(day)?;
        let Some(typed) = typed.filter(|typed| day.parse(typed).is_ok()) else { continue };
        let before = before.trim_end_matches(|letter| is_gap(letter) || letter == '-');
        if !before.is_empty() {
            asks.push(put(place, before.to_owned()));
        }
        asks.push(put(day, typed));
        return Ok(());
    }
    if text.chars().any(|letter| letter.is_ascii_digit()) {
        return Err(Refusal::value(day.name, &rules::DATE));
    }
    asks.push(put(place, text.trim_end_matches(is_gap).to_owned()));
    Ok(())
}

/// `02/05`: two numbers in one cell.
fn neighbourhood(
    kind: &Kind,
    first: &Field,
    second: &Field,
    cell: &Cell,
    asks: &mut Vec<Ask>,
) -> Result<(), Refusal> {
    let text = match cell {
        Cell::Blank => return Ok(()),
        Cell::Text(text) => super::cell::clean(text),
        // `02/05` typed into a cell without a format became a day of this year.
        Cell::Number(..) | Cell::Day(_) | Cell::Truth(_) | Cell::Broken => {
            return Err(Refusal::value(first.name, &rules::RT_RW));
        }
    };
    let parts: Vec<&str> = text.split(['/', '-', '\\']).map(str::trim).collect();
    let [one, two] = parts.as_slice() else {
        let nothing = text.chars().all(|letter| matches!(letter, '-' | '/' | ' '));
        return if nothing { Ok(()) } else { Err(Refusal::value(first.name, &rules::RT_RW)) };
    };
    ask(kind, first, &Cell::Text((*one).to_owned()), asks)?;
    ask(kind, second, &Cell::Text((*two).to_owned()), asks)
}

fn put(field: &Field, text: String) -> Ask {
    Ask { field: field.name.to_owned(), what: Wish::Put(text) }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use crdt_schema::record::Schema;

    use super::*;
    use crate::sheet::ColumnMap;
    use crate::work;

    fn asked(
        titles: &[&str],
        cells: &[&str],
    ) -> Result<Vec<(String, String)>, (String, &'static str)> {
        let kind = Schema::standard().kind("ppks").unwrap();
        let row = |number, texts: &[&str]| Row {
            cells: texts.iter().map(|text| Cell::Text((*text).to_owned())).collect(),
            ..Row::empty(number)
        };
        let heading = Heading::find(kind, &ColumnMap::default(), &[row(1, titles)]).unwrap();
        let asks = row_asks(kind, &heading, &row(2, cells));
        let text = |wish: Wish| match wish {
            Wish::Put(text) | Wish::Add(text) => text,
            Wish::Whole(_) | Wish::Truth(_) | Wish::Clear | Wish::Remove(_) => String::new(),
        };
        asks.map(|asks| asks.into_iter().map(|ask| (ask.field, text(ask.what))).collect())
            .map_err(|refusal| (refusal.field, refusal.rule))
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(field, text)| ((*field).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn place_and_day_of_birth_come_apart() {
        for (text, place, day) in [
            ("Garut, 17-08-1960", "Garut", "17-08-1960"),
            ("GARUT,17/08/1960", "GARUT", "17/08/1960"),
            ("Kab. Garut / 17 Agustus 1960", "Kab. Garut", "17 Agustus 1960"),
            ("Garut 1960-08-17", "Garut", "1960-08-17"),
            ("Kota Bandung - 7 Agst 1960", "Kota Bandung", "7 Agst 1960"),
        ] {
            let asks = asked(&["Nama", "TTL"], &["Asep", text]);
            let expected = [("nama", "Asep"), ("tempat_lahir", place), ("tanggal_lahir", day)];
            assert_eq!(asks.unwrap(), pairs(&expected), "{text}");
        }
        assert_eq!(asked(&["Nama", "TTL"], &["Asep", "Garut"]).unwrap().len(), 2);
        let refused = asked(&["Nama", "TTL"], &["Asep", "Garut, 17-08-60"]).unwrap_err();
        assert_eq!(refused, ("tanggal_lahir".to_owned(), "bukan_tanggal"));
    }

    /// Looked for from each of its words on, the day in a long cell took half an hour.
    #[test]
    fn a_day_is_looked_for_at_the_end_of_a_cell_only() {
        let tried = [20, 200, 2_000].map(|words| {
            let place = "Garut ".repeat(words);
            let cells = ["Asep", &format!("{place}17-08-1960")];
            let (asks, letters) = work::counted(|| asked(&["Nama", "TTL"], &cells));
            let expected =
                [("nama", "Asep"), ("tempat_lahir", place.trim()), ("tanggal_lahir", "17-08-1960")];
            assert_eq!(asks.unwrap(), pairs(&expected));
            letters
        });
        assert!(tried[0] > 0 && tried == [tried[0]; 3], "{tried:?}");
        let stretched = format!("Garut, 17{}08-1960", "-".repeat(DAY_LETTERS_MAX));
        assert!(asked(&["Nama", "TTL"], &["Asep", &stretched]).is_err());
    }

    #[test]
    fn rt_and_rw_come_apart() {
        let asks = asked(&["Nama", "RT/RW"], &["Asep", "02/05"]).unwrap();
        assert_eq!(asks, pairs(&[("nama", "Asep"), ("rt", "02"), ("rw", "05")]));
        assert_eq!(
            asked(&["Nama", "RT/RW"], &["Asep", "-/-"]).unwrap(),
            pairs(&[("nama", "Asep")])
        );
        assert!(asked(&["Nama", "RT/RW"], &["Asep", "02"]).is_err());
    }

    #[test]
    fn several_codes_of_a_cell_are_several_elements() {
        for text in ["08; 09", "08,09", "LUT/PD", "08 & 09"] {
            assert_eq!(asked(&["Nama", "Jenis PPKS"], &["A", text]).unwrap().len(), 3, "{text}");
        }
        let whole = asked(&["Nama", "Jenis PPKS"], &["A", "Lanjut usia terlantar"]).unwrap();
        assert_eq!(whole.len(), 2);
    }

    #[test]
    fn blank_asks_for_nothing_and_slipped_rows_are_refused() {
        let asks = asked(&["Nama", "Alamat", "RT"], &["A", " ", "-"]).unwrap();
        assert_eq!(asks, pairs(&[("nama", "A")]));
        let refused = asked(&["Nama", "Alamat"], &["A", "Jl. Raya 1", "Blok B"]).unwrap_err();
        assert_eq!(refused.1, "baris_melebihi_judul");
        let days = asked(&["Nama", "Tgl Lahir"], &["A", "22145"]).unwrap();
        assert_eq!(days, pairs(&[("nama", "A"), ("tanggal_lahir", "1960-08-17")]));
    }
}
