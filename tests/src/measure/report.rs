//! Measures as rows: what, at how many entries, in which order they came, how much, measured how often,
//! and the figure aimed at.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What a figure is held to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aim {
    /// Nothing: it is told to be known.
    None,
    /// Less than this.
    Under(f64),
    /// No more than this.
    AtMost(f64),
    /// More than this.
    Over(f64),
    /// This and no other.
    Exactly(f64),
}

/// One measured figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// The measure it belongs to.
    pub part: String,
    /// What was measured.
    pub what: String,
    /// Entries, or where records are asked for records, at which it was.
    pub size: Option<u64>,
    /// New entries, where a sync is measured.
    pub news: Option<u64>,
    /// In which order they came.
    pub arrival: Option<String>,
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: String,
    /// How often it was measured. Of times the middle is told unless it says which, of counts the mean.
    pub repeats: u64,
    /// The figure aimed at.
    pub aim: Aim,
    /// Whether it is reached; nothing where none is aimed at.
    pub met: Option<bool>,
}

impl Figure {
    /// At so many entries or records.
    pub(super) fn at(&mut self, size: u64) -> &mut Self {
        self.size = Some(size);
        self
    }

    /// With so many new entries.
    pub(super) fn news(&mut self, news: u64) -> &mut Self {
        self.news = Some(news);
        self
    }

    /// Of entries that came in this order.
    pub(super) fn arriving(&mut self, arrival: &str) -> &mut Self {
        self.arrival = Some(arrival.to_owned());
        self
    }

    /// The mean of so many.
    pub(super) const fn repeated(&mut self, repeats: u64) -> &mut Self {
        self.repeats = repeats;
        self
    }

    /// Held to this.
    pub(super) fn aim(&mut self, aim: Aim) -> &mut Self {
        self.aim = aim;
        self.met = match aim {
            Aim::None => None,
            Aim::Under(limit) => Some(self.value < limit),
            Aim::AtMost(limit) => Some(self.value <= limit),
            Aim::Over(limit) => Some(self.value > limit),
            Aim::Exactly(wanted) => Some(self.value.total_cmp(&wanted).is_eq()),
        };
        self
    }

    fn cells(&self) -> [String; COLUMNS] {
        let aim = match self.aim {
            Aim::None => String::new(),
            Aim::Under(limit) => format!("under {}", shown(limit)),
            Aim::AtMost(limit) => format!("at most {}", shown(limit)),
            Aim::Over(limit) => format!("over {}", shown(limit)),
            Aim::Exactly(wanted) => shown(wanted),
        };
        let met = match self.met {
            None => "",
            Some(true) => "yes",
            Some(false) => "NO",
        };
        [
            self.what.clone(),
            self.size.map(|size| grouped(&size.to_string())).unwrap_or_default(),
            self.arrival.clone().unwrap_or_default(),
            format!("{} {}", shown(self.value), self.unit),
            grouped(&self.repeats.to_string()),
            aim,
            met.to_owned(),
        ]
    }
}

/// All figures of one run.
#[derive(Debug, Clone, Default)]
pub struct Report {
    part: &'static str,
    figures: Vec<Figure>,
    /// Of each measure: of which program, in how large a run, on which file system.
    taken: BTreeMap<String, String>,
}

const COLUMNS: usize = 7;
const HEADS: [&str; COLUMNS] = ["what", "size", "arrival", "measured", "repeats", "target", "met"];

impl Report {
    /// What is added from now on belongs to this measure, which is taken so.
    pub(super) fn begin(&mut self, part: &'static str, how: String) {
        self.part = part;
        self.taken.insert(part.to_owned(), how);
    }

    /// Adds a figure, which may then be told more of.
    pub(super) fn add(&mut self, what: impl Into<String>, value: f64, unit: &str) -> &mut Figure {
        let (part, what, unit, aim) =
            (self.part.to_owned(), what.into(), unit.to_owned(), Aim::None);
        let (size, news, arrival, met) = (None, None, None, None);
        let figure = Figure { part, what, size, news, arrival, value, unit, repeats: 1, aim, met };
        self.figures.push(figure);
        self.figures.last_mut().unwrap()
    }

    /// Adds the middle of what was measured several times.
    pub(super) fn middle(
        &mut self,
        what: impl Into<String>,
        values: &[f64],
        unit: &str,
    ) -> &mut Figure {
        self.percentile(50, what, values, unit)
    }

    /// Adds the value that so many of a hundred do not exceed.
    pub(super) fn percentile(
        &mut self,
        percent: usize,
        what: impl Into<String>,
        values: &[f64],
        unit: &str,
    ) -> &mut Figure {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let place = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
        let value = *sorted.get(place).unwrap();
        self.add(what, value, unit).repeated(values.len() as u64)
    }

    /// The same behind figures of parts that were measured before and are not in it; `told` is what
    /// [`Report::json`] gave then. Figures of another shape are left out.
    #[must_use]
    pub fn behind(mut self, told: &Value) -> Self {
        let older = told.get("figures").map(Vec::<Figure>::deserialize);
        let mut older = older.and_then(Result::ok).unwrap_or_default();
        older.retain(|old| self.figures.iter().all(|new| new.part != old.part));
        older.append(&mut self.figures);
        let taken = told.get("taken").map(BTreeMap::<String, String>::deserialize);
        for (part, how) in taken.and_then(Result::ok).unwrap_or_default() {
            self.taken.entry(part).or_insert(how);
        }
        Self { figures: older, ..self }
    }

    /// The figures.
    pub fn figures(&self) -> &[Figure] {
        &self.figures
    }

    /// Whether every figure reached what it is held to.
    pub fn met(&self) -> bool {
        self.figures.iter().all(|figure| figure.met != Some(false))
    }

    /// As an object of the same shape on every run.
    pub fn json(&self) -> Value {
        json!({ "v": 3, "taken": self.taken, "figures": self.figures })
    }

    /// As a table for people, which Markdown reads too.
    pub fn table(&self) -> String {
        let rows: Vec<[String; COLUMNS]> = self.figures.iter().map(Figure::cells).collect();
        let mut widths = HEADS.map(str::len);
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut table = String::new();
        line(&mut table, &HEADS.map(str::to_owned), &widths);
        line(&mut table, &widths.map(|width| "-".repeat(width)), &widths);
        for row in &rows {
            line(&mut table, row, &widths);
        }
        table
    }
}

fn line(table: &mut String, cells: &[String; COLUMNS], widths: &[usize; COLUMNS]) {
    for (cell, width) in cells.iter().zip(widths) {
        write!(table, "| {cell:width$} ").unwrap();
    }
    table.push_str("|\n");
}

/// Three or four digits that matter, thousands apart.
fn shown(value: f64) -> String {
    let places = match value.abs() {
        0.0 => 0,
        small if small < 1.0 => 4,
        small if small < 10.0 => 3,
        small if small < 100.0 => 2,
        _ => 0,
    };
    let text = format!("{value:.places$}");
    match text.split_once('.') {
        Some((whole, part)) => {
            let part = part.trim_end_matches('0');
            if part.is_empty() { grouped(whole) } else { format!("{}.{part}", grouped(whole)) }
        }
        None => grouped(&text),
    }
}

fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_says_whether_it_reached_what_it_is_held_to() {
        let mut report = Report::default();
        report.begin("uji", "dahulu".to_owned());
        report.add("a", 3.0, "B").aim(Aim::Under(3.0));
        report.add("b", 1_234_567.0, "B").at(1_000).arriving("random").aim(Aim::Over(2.0));
        report.add("c", 2.0, "B").aim(Aim::Exactly(2.0));
        report.middle("d", &[7.0, 0.012_34, 0.001], "s");
        report.percentile(99, "e", &[7.0, 0.5], "s");
        let met: Vec<_> = report.figures().iter().map(|it| it.met).collect();
        assert_eq!(met, [Some(false), Some(true), Some(true), None, None]);
        assert!(!report.met());
        let mut later = Report::default();
        later.begin("lain", "kini".to_owned());
        later.add("f", 1.0, "s");
        let both = later.clone().behind(&report.json());
        assert_eq!(both.figures().len(), 6);
        assert_eq!(both.json().get("taken"), Some(&json!({ "lain": "kini", "uji": "dahulu" })));
        assert_eq!(later.clone().behind(&later.json()).figures(), later.figures());
        let table = report.table();
        assert!(table.contains("| b    | 1,000 | random  | 1,234,567 B | 1       |"), "{table}");
        assert!(table.contains("| d    |       |         | 0.0123 s    | 3       |"), "{table}");
        assert!(table.contains("| e    |       |         | 7 s         | 2       |"), "{table}");
    }
}
