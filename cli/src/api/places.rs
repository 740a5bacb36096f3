//! Files without their names: an answer that says no never repeats a path.
//!
//! A file may be named after a person, and an error is what lands in logs. So a file of the question is
//! told by its place there (`/files/1`, a JSON pointer), what lies in the data folder by [`DATA`], and
//! any other by its length. The command that asked knows what it sent, and puts the typed paths back.

use std::path::Path;

use node::ask::Ask;
use serde_json::Value;

use crate::error::{Failure, unquoted};

/// Stands for the node's data folder.
pub(super) const DATA: &str = "<data>";
/// What may follow a path that is known: its end, a file in it, an ending of a file beside it.
const ENDS: [char; 3] = ['`', '/', '.'];

/// What stands for which path.
#[derive(Debug, Default)]
pub(super) struct Places(Vec<(String, String)>);

impl Places {
    /// The files of a question, by their places in it.
    pub(super) fn of<A: Ask>(ask: &mut A) -> Self {
        let mut places = Self::default();
        let names = Self::names(ask);
        for (file, name) in ask.files().into_iter().zip(names) {
            places.add(file.display().to_string(), name);
        }
        places
    }

    /// Where in a question its files stand, in the order it names them.
    pub(super) fn names<A: Ask>(ask: &mut A) -> Vec<String> {
        let whole = serde_json::to_value(&*ask).unwrap_or_default();
        let files = ask.files().into_iter();
        // A path of letters nobody can read is no JSON, and never got here.
        files.map(|it| pointer(&whole, &it.display().to_string()).unwrap_or_default()).collect()
    }

    /// Where a question names a file as seen from somewhere, if it does.
    pub(super) fn relative<A: Ask>(ask: &mut A) -> Option<String> {
        let relative =
            ask.files().into_iter().find(|file| !file.is_absolute())?.display().to_string();
        pointer(&serde_json::to_value(&*ask).ok()?, &relative)
    }

    /// The same with the node's data folder.
    pub(super) fn with_data(mut self, folder: &Path) -> Self {
        self.add(folder.display().to_string(), DATA.to_owned());
        if let Ok(whole) = std::path::absolute(folder) {
            self.add(whole.display().to_string(), DATA.to_owned());
        }
        self
    }

    /// Lets `name` stand for `path`.
    pub(super) fn add(&mut self, path: String, name: String) {
        if !path.is_empty() && self.0.iter().all(|(known, _)| *known != path) {
            self.0.push((path, name));
        }
    }

    /// A failure as anybody may read it.
    pub(super) fn hide(&self, failure: Failure) -> Failure {
        failure.without_paths(|text| replaced(text, self.0.iter().map(|(path, name)| (path, name))))
    }

    /// What a node told, with the paths this side knows.
    pub(super) fn show(&self, told: &mut Value) {
        match told {
            Value::String(text) => {
                let pairs = || self.0.iter().map(|(path, name)| (name, path));
                *text = replaced(text, pairs());
                let alone = replaced(&format!("`{text}`"), pairs());
                unquoted(&alone).clone_into(text);
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.show(item)),
            Value::Object(fields) => fields.values_mut().for_each(|field| self.show(field)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// The text with every quoted place, and what lies in it, under its other name; the longest first.
fn replaced<'a>(text: &str, pairs: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    let mut pairs: Vec<(&String, &String)> = pairs.collect();
    pairs.sort_by_key(|(from, _)| std::cmp::Reverse(from.len()));
    let ways = pairs.into_iter().flat_map(|(from, to)| ENDS.map(|end| (from, to, end)));
    ways.fold(text.to_owned(), |text, (from, to, end)| {
        text.replace(&format!("`{from}{end}"), &format!("`{to}{end}"))
    })
}

/// Where in a question a text stands.
fn pointer(value: &Value, wanted: &str) -> Option<String> {
    match value {
        Value::String(text) => (text == wanted).then(String::new),
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(at, item)| Some(format!("/{at}{}", pointer(item, wanted)?)))
        }
        Value::Object(fields) => {
            let mut fields = fields.iter();
            fields.find_map(|(name, field)| Some(format!("/{name}{}", pointer(field, wanted)?)))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use node::ask::ImportBundles;
    use node::error::NodeError;
    use node::reason::{self, Because};

    use super::*;
    use crate::settings::Language;

    fn places() -> Places {
        let files = ["/siti/a.wksbm", "/siti/a"].map(Into::into).to_vec();
        Places::of(&mut ImportBundles { files }).with_data(Path::new("/budi/data"))
    }

    #[test]
    fn a_file_is_told_by_its_place_in_the_question_and_any_other_by_its_length() {
        for (path, told) in [
            ("/siti/a.wksbm", "/files/0"),
            ("/siti/a", "/files/1"),
            ("/siti/a.T", "/files/1.T"),
            ("/budi/data/feed.redb", "<data>/feed.redb"),
            ("/budi/database", "14"),
            ("/siti/ab", "8"),
        ] {
            let failure = NodeError::FileTruncated { path: path.into() }.into();
            let object = places().hide(failure).told(Language::Indonesian).to_string();
            assert!(!object.contains("siti") && !object.contains("budi"), "{object}");
            assert!(object.contains(told), "{object}");
        }
    }

    #[test]
    fn whoever_sent_the_question_reads_the_failure_as_it_was() {
        let failure = || NodeError::FileAltered {
            path: "/siti/a.wksbm".into(),
            what: Because::of(&reason::OUTPUT_INSIDE).with("place", "/budi/data/x"),
        };
        let whole = Failure::from(failure()).told(Language::English);
        let mut told = places().hide(failure().into()).told(Language::English);
        assert_ne!(told, whole);
        places().show(&mut told);
        assert_eq!(told, whole);
    }

    #[test]
    fn a_text_of_the_question_is_found_wherever_it_stands() {
        let whole = serde_json::json!({"a": [1, {"b": "x"}], "c": "y"});
        assert_eq!(pointer(&whole, "x").unwrap(), "/a/1/b");
        assert_eq!(pointer(&whole, "z"), None);
    }
}
