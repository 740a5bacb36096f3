//! The official lists, each with the version of the rule it comes from.
//!
//! Only the canonical code is ever stored. Typed text is found by code, number, abbreviation,
//! title or an older list's name, upper and lower case alike. A code, once given, stays: an
//! older record keeps the code of its list.
//!
//! `ppks.rs` and `psks.rs` Permensos 08/2012 · `program.rs` the programme's codes · `lists.rs`
//! everything shorter.

mod lists;
mod ppks;
mod program;
mod psks;

pub use lists::*;
pub use ppks::{PPKS_CLOSED, PPKS_MARKER, PPKS_OPEN, ppks_types};
pub use program::{PROGRAM, PROGRAM_HEADS};
pub use psks::PSKS_TYPES;

/// One value of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// What is stored.
    pub code: &'static str,
    /// The abbreviation people use, where the code is a number.
    pub short: Option<&'static str>,
    /// What it is called, in Indonesian.
    pub title: &'static str,
    /// What it means, in Indonesian; the title where nothing more need be said.
    pub meaning: &'static str,
    /// The same in English.
    pub english: &'static str,
    /// What it may be called besides.
    pub also: &'static [&'static str],
    /// What older lists called something close to it: taken with a warning.
    pub older: &'static [&'static str],
}

impl Code {
    /// A code whose title says all.
    pub const fn new(code: &'static str, title: &'static str, english: &'static str) -> Self {
        Self { code, short: None, title, meaning: title, english, also: &[], older: &[] }
    }

    /// With an abbreviation.
    #[must_use]
    pub const fn short(mut self, short: &'static str) -> Self {
        self.short = Some(short);
        self
    }

    /// With a meaning beyond the title.
    #[must_use]
    pub const fn means(mut self, meaning: &'static str) -> Self {
        self.meaning = meaning;
        self
    }

    /// With other names.
    #[must_use]
    pub const fn also(mut self, also: &'static [&'static str]) -> Self {
        self.also = also;
        self
    }

    /// With names of older lists.
    #[must_use]
    pub const fn older(mut self, older: &'static [&'static str]) -> Self {
        self.older = older;
        self
    }

    /// What people call it: the abbreviation, else the code.
    pub const fn word(&self) -> &'static str {
        match self.short {
            Some(short) => short,
            None => self.code,
        }
    }

    /// Whether `text` is an older list's name for it.
    pub fn is_old_name(&self, text: &str) -> bool {
        self.older.iter().any(|name| is_same(name, text))
    }

    /// Everything it answers to.
    fn names(&self) -> impl Iterator<Item = &'static str> {
        let own = [Some(self.code), self.short, Some(self.title)].into_iter().flatten();
        own.chain(self.also.iter().copied()).chain(self.older.iter().copied())
    }
}

/// A list of codes.
#[derive(Debug, PartialEq, Eq)]
pub struct CodeList {
    /// `snake_case`, unique.
    pub name: &'static str,
    /// The rule and year it comes from, or `wksbm-1` for ours.
    pub version: &'static str,
    /// What it is called, in Indonesian.
    pub title: &'static str,
    /// What every code begins with and people leave out: `G.`.
    pub prefix: &'static str,
    /// In the order of the rule.
    pub codes: &'static [Code],
}

impl CodeList {
    /// A list of our own.
    pub const fn own(name: &'static str, title: &'static str, codes: &'static [Code]) -> Self {
        Self { name, version: "wksbm-1", title, prefix: "", codes }
    }

    /// The code a person means; `None` when no name of any fits.
    ///
    /// ```
    /// use crdt_schema::record::codes::{PPKS_OPEN, PROGRAM};
    /// for typed in ["08", "8", "lut", "Lanjut usia terlantar"] {
    ///     assert_eq!(PPKS_OPEN.find(typed).map(|code| code.code), Some("08"));
    /// }
    /// assert_eq!(PROGRAM.find("5.1.3").map(|code| code.code), Some("G.5.1.3"));
    /// assert_eq!(PPKS_OPEN.find("99"), None);
    /// ```
    pub fn find(&self, text: &str) -> Option<&'static Code> {
        // What a program wrote needs no folding.
        if let Some(code) = self.exact(text) {
            return Some(code);
        }
        let prefixed = (!self.prefix.is_empty()).then(|| [self.prefix, text.trim()].concat());
        let is_meant = |name: &str| {
            is_same(name, text) || prefixed.as_deref().is_some_and(|text| is_same(name, text))
        };
        let codes = self.codes;
        codes.iter().find(|code| code.names().any(is_meant))
    }

    /// The code that is written exactly so.
    pub fn exact(&self, code: &str) -> Option<&'static Code> {
        let codes = self.codes;
        codes.iter().find(|known| known.code == code)
    }
}

/// Whether two texts are written alike. Nothing is copied: an import asks it of every name of a list
/// for every cell, and nearly all differ in their first letter.
fn is_same(name: &str, typed: &str) -> bool {
    letters(name).eq(letters(typed))
}

/// Lower case; blanks, dashes and underscores alike; of a number no leading noughts.
fn letters(text: &str) -> impl Iterator<Item = char> {
    let text = text.trim();
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let text = if is_number { text.trim_start_matches('0') } else { text };
    let words = text.split([' ', '-', '_', '\u{a0}']).filter(|word| !word.is_empty());
    words.enumerate().flat_map(|(nth, word)| {
        let gap = (nth > 0).then_some('_');
        gap.into_iter().chain(word.chars().flat_map(char::to_lowercase))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::record::Schema;

    fn lists() -> Vec<&'static CodeList> {
        let fields = Schema::standard().kinds().flat_map(|kind| kind.fields);
        let mut lists: Vec<_> = fields.filter_map(|field| field.value.codes()).collect();
        lists.sort_by_key(|list| list.name);
        lists.dedup_by_key(|list| list.name);
        lists
    }

    #[test]
    fn no_name_means_two_codes_of_one_list() {
        for list in lists() {
            let mut owners = BTreeMap::new();
            for code in list.codes {
                for name in code.names().map(|name| letters(name).collect::<String>()) {
                    let before = owners.insert(name.clone(), code.code);
                    assert!(before.is_none_or(|owner| owner == code.code), "{}: {name}", list.name);
                }
            }
        }
    }

    #[test]
    fn a_list_name_means_one_list() {
        let fields = Schema::standard().kinds().flat_map(|kind| kind.fields);
        let mut by_name: BTreeMap<&str, &CodeList> = BTreeMap::new();
        for list in fields.filter_map(|field| field.value.codes()) {
            let known = by_name.insert(list.name, list);
            assert!(known.is_none_or(|known| known == list), "{}", list.name);
        }
    }

    #[test]
    fn the_lists_have_the_sizes_of_their_rules() {
        let numbers: Vec<_> = ppks_types().map(|code| code.code.to_owned()).collect();
        let expected = (1..=26).map(|number| format!("{number:02}"));
        let local = ["lokal-KLGRTN", "lokal-RTLH"].map(str::to_owned);
        assert_eq!(numbers, expected.chain(local).collect::<Vec<_>>());
        assert!(ppks_types().all(|code| code.short.is_some()));
        assert_eq!(PSKS_TYPES.codes.iter().filter(|code| code.short.is_some()).count(), 12);
        assert_eq!(PROGRAM.codes.len(), 32);
        assert_eq!(PROGRAM_HEADS.len(), 10);
    }

    #[test]
    fn the_types_that_ruin_a_life_are_in_no_open_list() {
        let closed: Vec<_> = PPKS_CLOSED.codes.iter().map(|code| code.code).collect();
        assert_eq!(closed, ["10", "14", "16", "18", "19"]);
        for code in PPKS_CLOSED.codes {
            for name in code.names() {
                assert_eq!(PPKS_OPEN.find(name), None, "{name}");
            }
        }
    }

    #[test]
    fn codes_of_older_lists_are_converted_and_known_as_such() {
        for (old, code) in
            [("WRSE", "23"), ("paca", "09"), ("KFM", "24"), ("BWBLK", "15"), ("PM", "20")]
        {
            let found = PPKS_OPEN.find(old);
            assert_eq!(found.map(|found| found.code), Some(code), "{old}");
            assert!(found.is_some_and(|found| found.is_old_name(old)), "{old}");
        }
        assert_eq!(PPKS_CLOSED.find("ODHA").map(|found| found.code), Some("16"));
        assert!(PPKS_OPEN.find("PRSE").is_some_and(|found| !found.is_old_name("PRSE")));
    }

    #[test]
    fn age_bands_meet_without_gap() {
        for (age, band) in [
            (0, "0-5"),
            (5, "0-5"),
            (6, "6-17"),
            (17, "6-17"),
            (18, "18-59"),
            (59, "18-59"),
            (60, "60+"),
        ] {
            assert_eq!(age_band(age), band);
            assert!(AGE_BANDS.exact(age_band(age)).is_some());
        }
    }
}
