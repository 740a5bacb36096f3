//! Measures as rows: what, how much, in which unit, and the figure aimed at.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// One measured figure.
#[derive(Debug, Clone)]
pub(super) struct Figure {
    /// What was measured.
    pub(super) what: String,
    /// How much.
    pub(super) value: f64,
    /// Of what.
    pub(super) unit: &'static str,
    /// The figure aimed at, in words; empty when there is none.
    pub(super) target: &'static str,
}

/// All figures of one run.
#[derive(Debug, Clone, Default)]
pub struct Report {
    figures: Vec<Figure>,
}

impl Report {
    /// Adds a figure.
    pub fn add(
        &mut self,
        what: impl Into<String>,
        value: f64,
        unit: &'static str,
        target: &'static str,
    ) {
        let figure = Figure { what: what.into(), value, unit, target };
        self.figures.push(figure);
    }

    /// As an object of the same shape on every run.
    pub fn json(&self) -> Value {
        let figure = |it: &Figure| json!({ "what": it.what, "value": it.value, "unit": it.unit, "target": it.target });
        json!({ "v": 1, "figures": self.figures.iter().map(figure).collect::<Vec<_>>() })
    }

    /// As lines for people.
    pub fn table(&self) -> String {
        let mut table = String::new();
        let width = self.figures.iter().map(|it| it.what.chars().count()).max().unwrap_or(0);
        for it in &self.figures {
            let value = if it.value.fract() == 0.0 {
                format!("{:.0}", it.value)
            } else {
                format!("{:.2}", it.value)
            };
            let written =
                writeln!(table, "{:width$}  {value:>12} {:<12} {}", it.what, it.unit, it.target);
            written.unwrap();
        }
        table
    }
}
