//! The heading: the row whose titles mean fields, found below whatever stands above it.

use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::record::{Kind, Rule, forbidden, rules};

use super::names::{NUMBERING, fold};
use super::titles::{Column, Titles};
use super::{Cell, Row};

/// Rows with anything in them among which the heading is looked for: letterheads are shorter.
pub(crate) const HEADING_ROWS: usize = 20;
/// Titles that make a row a heading: one alone may stand there by chance.
const TITLES_MIN: usize = 2;
/// What a person says about columns: folded title, name of the field; an empty name passes over.
#[derive(Debug, Clone, Default)]
pub(crate) struct ColumnMap(BTreeMap<String, String>);

impl ColumnMap {
    /// Reads `"Title" = "field"` lines.
    ///
    /// # Errors
    /// What is wrong with the TOML.
    pub(crate) fn parse(text: &str) -> Result<Self, toml::de::Error> {
        let lines: BTreeMap<String, String> = toml::from_str(text)?;
        Ok(Self(lines.into_iter().map(|(title, field)| (fold(&title), field)).collect()))
    }

    /// The titles it names.
    pub(super) fn titles(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// A column that is passed over. What stands above it is told nowhere: where a sheet has no heading,
/// or another's, that may be somebody's name or number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Passed {
    /// Its letters, as spreadsheets show them; of a line of the map that no column has, the field.
    pub(crate) column: String,
    /// Why.
    pub(crate) rule: &'static Rule,
    /// The field whose title the heading resembles.
    pub(crate) near: Option<&'static str>,
}

/// A heading that was found.
#[derive(Debug, Clone)]
pub(crate) struct Heading {
    /// Its row.
    pub(crate) row: u64,
    /// Columns that are passed over.
    pub(crate) passed: Vec<Passed>,
    pub(super) columns: Vec<Column>,
}

/// Why a heading will not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HeadingError {
    /// No row has titles that mean fields.
    Missing,
    /// Two columns mean the same field.
    Twice(&'static str),
    /// The map names a field that the kind has not.
    FieldUnknown(String),
}

impl Heading {
    /// The heading among the first rows of a sheet.
    ///
    /// # Errors
    /// [`HeadingError`].
    pub(crate) fn find(kind: &Kind, map: &ColumnMap, rows: &[Row]) -> Result<Self, HeadingError> {
        let legend = Legend { map, titles: Titles::of(kind) };
        for name in map.0.values().filter(|name| !name.trim().is_empty()) {
            let known = legend.titles.named(name);
            known.ok_or_else(|| HeadingError::FieldUnknown(name.clone()))?;
        }
        let mut best: Option<(usize, &Row)> = None;
        for row in rows.iter().take(HEADING_ROWS) {
            let score = row.cells.iter().filter(|cell| legend.knows(cell)).count();
            if score >= TITLES_MIN && best.is_none_or(|(most, _)| score > most) {
                best = Some((score, row));
            }
        }
        let (_, row) = best.ok_or(HeadingError::Missing)?;
        Self::read(&legend, row)
    }

    fn read(legend: &Legend<'_>, row: &Row) -> Result<Self, HeadingError> {
        let mut heading = Self { row: row.number, passed: Vec::new(), columns: Vec::new() };
        let mut taken = BTreeSet::new();
        let mut used = BTreeSet::new();
        for (place, cell) in row.cells.iter().enumerate() {
            let title = cell.title();
            let column = match legend.meaning(&title) {
                Ok(column) => column,
                Err(rule) => {
                    heading.passed.push(legend.passed(place, &title, rule));
                    Column::None
                }
            };
            used.insert(fold(&title));
            for field in column.fields() {
                if !taken.insert(field.number) {
                    return Err(HeadingError::Twice(field.name));
                }
            }
            heading.columns.push(column);
        }
        let unused = legend.map.0.iter().filter(|(title, _)| !used.contains(*title));
        heading.passed.extend(unused.map(|(_, field)| Passed {
            column: field.trim().to_owned(),
            rule: &rules::SHEET_MAP,
            near: None,
        }));
        Ok(heading)
    }

    /// How many columns it has, those without meaning counted.
    pub(crate) const fn width(&self) -> usize {
        self.columns.len()
    }

    /// Whether any column from `first` to `last` means something.
    pub(crate) fn means_within(&self, first: usize, last: usize) -> bool {
        let within = self.columns.iter().skip(first).take(last.saturating_sub(first) + 1);
        within.copied().any(|column| column.fields().next().is_some())
    }

    /// Whether a row below only numbers the columns: `(1) (2) (3)`.
    pub(crate) fn is_numbering(row: &Row) -> bool {
        let filled: Vec<String> =
            row.cells.iter().filter(|cell| !cell.is_blank()).map(Cell::title).collect();
        let bare =
            |text: &String| text.trim_matches(['(', ')', '[', ']', ' ']).parse::<usize>().ok();
        filled.len() > TITLES_MIN
            && filled.iter().enumerate().all(|(place, text)| bare(text) == Some(place + 1))
    }
}

/// A column as spreadsheets name it: A to Z, then AA.
pub(crate) fn letters(place: usize) -> String {
    let (above, own) = (place / 26, place % 26);
    let mut name = if above == 0 { String::new() } else { letters(above - 1) };
    name.extend(('A'..='Z').nth(own));
    name
}

/// What the columns of a sheet may be called: what a person says, and what is known of the kind.
struct Legend<'a> {
    map: &'a ColumnMap,
    titles: Titles<'a>,
}

impl Legend<'_> {
    fn knows(&self, cell: &Cell) -> bool {
        let Cell::Text(_) = cell else { return false };
        self.meaning(&cell.title()).is_ok_and(|column| column.fields().next().is_some())
    }

    /// What a title means; the rule says why it means nothing.
    fn meaning(&self, title: &str) -> Result<Column, &'static Rule> {
        let folded = fold(title);
        if let Some(name) = self.map.0.get(&folded) {
            return Ok(self.titles.named(name).unwrap_or(Column::None));
        }
        if NUMBERING.contains(&folded.as_str()) {
            return Ok(Column::None);
        }
        let without = |open: char| title.split_once(open).map_or("", |(before, _)| before);
        let found = self.titles.meaning(&folded).or_else(|| {
            let shorter = fold(without('('));
            if shorter.is_empty() { None } else { self.titles.meaning(&shorter) }
        });
        found.ok_or_else(|| {
            let is_forbidden = forbidden(&folded.replace(' ', "_")).is_some();
            if is_forbidden { &rules::FORBIDDEN } else { &rules::SHEET_COLUMN }
        })
    }

    /// A column that means nothing, and why.
    fn passed(&self, place: usize, title: &str, rule: &'static Rule) -> Passed {
        let is_unknown = *rule == rules::SHEET_COLUMN;
        let near = is_unknown.then(|| self.titles.resembled(&fold(title))).flatten();
        let rule = if near.is_some() { &rules::SHEET_COLUMN_NEAR } else { rule };
        Passed { column: letters(place), rule, near }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use crdt_schema::record::Schema;

    use super::*;
    use crate::work;

    fn row(number: u64, titles: &[&str]) -> Row {
        let cell = |text: &&str| {
            if text.is_empty() { Cell::Blank } else { Cell::Text((*text).to_owned()) }
        };
        Row { cells: titles.iter().map(cell).collect(), ..Row::empty(number) }
    }

    fn fields(heading: &Heading) -> Vec<&'static str> {
        heading.columns.iter().flat_map(|column| column.fields()).map(|field| field.name).collect()
    }

    fn ppks() -> &'static Kind {
        Schema::standard().kind("ppks").unwrap()
    }

    /// Compared with every known title, long ones took minutes.
    #[test]
    fn titles_longer_than_any_known_one_are_compared_with_none() {
        let compared = |title: &str| {
            let titles = [vec!["Nama", "NIK"], vec![title; 20]].concat();
            let rows = [row(1, &titles)];
            let (heading, letters) =
                work::counted(|| Heading::find(ppks(), &ColumnMap::default(), &rows));
            let passed = heading.unwrap().passed;
            assert_eq!(passed.len(), 20);
            (passed.iter().all(|passed| passed.near.is_none()), letters)
        };
        for times in [10, 100] {
            assert_eq!(compared(&"nama lengkap ".repeat(times)), (true, 0), "{times}");
        }
        let (is_far, letters) = compared("Jenis Pekerjan");
        assert!(is_far && letters > 0);
    }

    #[test]
    fn offices_titles_are_understood() {
        let titles = [
            "No.",
            "NAMA LENGKAP",
            "N I K",
            "NO. KK",
            "L/P",
            "Tempat/Tgl. Lahir",
            "RT/RW",
            "Jenis PPKS",
            "Ket.",
        ];
        let heading = Heading::find(ppks(), &ColumnMap::default(), &[row(1, &titles)]).unwrap();
        assert_eq!(
            fields(&heading),
            [
                "nama",
                "no_kk",
                "jenis_kelamin",
                "tempat_lahir",
                "tanggal_lahir",
                "rt",
                "rw",
                "kode_jenis",
                "kondisi"
            ]
        );
        let passed = |column: &str, rule, near| Passed { column: column.to_owned(), rule, near };
        assert_eq!(heading.passed, [passed("C", &rules::SHEET_COLUMN, None)]);
    }

    #[test]
    fn the_heading_is_found_below_titles_and_a_numbering_row_is_known() {
        let rows = [
            row(1, &["DAFTAR PPKS DESA SUKAMAJU"]),
            row(2, &["Nama", "", "Tahun 2026"]),
            row(4, &["No", "Nama", "NIK", "RT", "RW"]),
            row(5, &["(1)", "(2)", "(3)", "(4)", "(5)"]),
        ];
        let heading = Heading::find(ppks(), &ColumnMap::default(), &rows).unwrap();
        assert_eq!(heading.row, 4);
        assert!(Heading::is_numbering(&rows[3]));
        assert!(!Heading::is_numbering(&row(6, &["1", "Asep", "3"])));
    }

    #[test]
    fn a_map_comes_before_everything_and_unused_lines_are_told() {
        let map = "\"Kolom A\" = \"nama\"\n\"NIK\" = \"\"\n\"Lama\" = \"alamat\"";
        let map = ColumnMap::parse(map).unwrap();
        let heading = Heading::find(ppks(), &map, &[row(1, &["kolom a", "NIK", "RT"])]).unwrap();
        assert_eq!(fields(&heading), ["nama", "rt"]);
        let unused = Passed { column: "alamat".to_owned(), rule: &rules::SHEET_MAP, near: None };
        assert_eq!(heading.passed, [unused]);
        let wrong = ColumnMap::parse("\"A\" = \"tinggi\"").unwrap();
        let refused = Heading::find(ppks(), &wrong, &[]).unwrap_err();
        assert_eq!(refused, HeadingError::FieldUnknown("tinggi".to_owned()));
    }

    #[test]
    fn two_columns_for_one_field_and_forbidden_columns_are_told() {
        let twice = Heading::find(
            ppks(),
            &ColumnMap::default(),
            &[row(1, &["Nama", "Nama Lengkap", "RT"])],
        );
        assert_eq!(twice.unwrap_err(), HeadingError::Twice("nama"));
        let law = Heading::find(
            ppks(),
            &ColumnMap::default(),
            &[row(1, &["Nama", "RT", "Agama", "Nama Ibu Kandung"])],
        );
        let passed = law.unwrap().passed;
        assert!(passed.len() == 2 && passed.iter().all(|it| *it.rule == rules::FORBIDDEN));
    }

    #[test]
    fn a_column_without_meaning_is_told_by_its_letters_and_a_slip_by_the_field_that_was_meant() {
        let titles = ["Nama", "RT", "Siti Aminah", "3209214501609007", "Jenis Kelamn", "Siti"];
        let heading = Heading::find(ppks(), &ColumnMap::default(), &[row(1, &titles)]).unwrap();
        let passed = |column: &str, rule, near| Passed { column: column.to_owned(), rule, near };
        assert_eq!(
            heading.passed,
            [
                passed("C", &rules::SHEET_COLUMN, None),
                passed("D", &rules::SHEET_COLUMN, None),
                passed("E", &rules::SHEET_COLUMN_NEAR, Some("jenis_kelamin")),
                passed("F", &rules::SHEET_COLUMN, None),
            ]
        );
    }

    #[test]
    fn columns_are_named_as_spreadsheets_name_them() {
        let names = [0, 25, 26, 51, 52, 511].map(letters);
        assert_eq!(names, ["A", "Z", "AA", "AZ", "BA", "SR"]);
    }
}
