//! What a command hands back: one JSON object or a page for people, and perhaps why it is not whole.
//!
//! Only this is printed on standard output, once, so "exactly one object" is a matter of types.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::error::Failure;

/// The version of the contract, first in every object.
const CONTRACT_VERSION: u64 = 1;

/// What a command hands back.
#[derive(Debug)]
pub(crate) struct Report {
    body: Body,
    failure: Option<Failure>,
}

/// The result itself.
#[derive(Debug)]
pub(crate) enum Body {
    /// For programs.
    Object(Map<String, Value>),
    /// For people.
    Page(Page),
    /// For people or other programs, as it is: help, completions.
    Text(String),
    /// There is none.
    Nothing,
    /// It was printed already.
    Printed,
}

impl Report {
    /// The object for programs.
    pub(crate) fn object(answer: &impl Serialize) -> Result<Self, Failure> {
        let value = serde_json::to_value(answer).map_err(|error| {
            let what = format!("an answer is no JSON: {error}");
            Failure::from(node::error::NodeError::Internal { what })
        })?;
        let mut object = versioned();
        if let Value::Object(fields) = value {
            object.extend(fields);
        }
        Ok(Self { body: Body::Object(object), failure: None })
    }

    /// The page for people.
    pub(crate) fn page(page: Page) -> Self {
        Self { body: Body::Page(page), failure: None }
    }

    /// Text as it is; for programs one object with the text as `name`.
    pub(crate) fn text(name: &str, text: String, json: bool) -> Self {
        let body = if json {
            let mut object = versioned();
            object.insert(name.to_owned(), text.into());
            Body::Object(object)
        } else {
            Body::Text(text)
        };
        Self { body, failure: None }
    }

    /// Everything was printed already.
    pub(crate) fn nothing() -> Self {
        Self { body: Body::Nothing, failure: None }
    }

    /// Everything was printed already, and then came this.
    pub(crate) fn printed_but(failure: Failure) -> Self {
        Self { body: Body::Printed, failure: Some(failure) }
    }

    /// Nothing was done, and why.
    pub(crate) fn failed(failure: Failure) -> Self {
        Self { body: Body::Nothing, failure: Some(failure) }
    }

    /// The result stands and is not whole: for programs both are in the one object.
    pub(crate) fn but(mut self, failure: Option<Failure>) -> Self {
        self.failure = failure;
        self
    }

    /// Why it is not whole.
    pub(crate) fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// The result.
    pub(crate) fn body(&self) -> &Body {
        &self.body
    }

    /// The one object, `"v"` first and `"error"` last.
    pub(crate) fn json(&self) -> Value {
        let mut object = match &self.body {
            Body::Object(object) => object.clone(),
            Body::Page(_) | Body::Text(_) | Body::Nothing | Body::Printed => versioned(),
        };
        if let Some(failure) = &self.failure {
            object.insert("error".to_owned(), failure.json());
        }
        Value::Object(object)
    }
}

fn versioned() -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("v".to_owned(), json!(CONTRACT_VERSION));
    object
}

/// A page for people: blocks from top to bottom, texts already in their language.
#[derive(Debug, Default)]
pub(crate) struct Page {
    blocks: Vec<Block>,
}

/// One block of a page.
#[derive(Debug)]
pub(crate) enum Block {
    /// The first thing to read.
    Title(String),
    /// Something that went well.
    Good(String),
    /// Something to look at.
    Warning(String),
    /// Plain text.
    Line(String),
    /// Names and values, one a line.
    Pairs(Vec<(String, String)>),
    /// A table.
    Table(Vec<String>, Vec<Vec<String>>),
}

impl Page {
    /// Every block, in order.
    pub(crate) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    pub(crate) fn title(&mut self, text: String) -> &mut Self {
        self.push(Block::Title(text))
    }

    pub(crate) fn good(&mut self, text: String) -> &mut Self {
        self.push(Block::Good(text))
    }

    pub(crate) fn warning(&mut self, text: String) -> &mut Self {
        self.push(Block::Warning(text))
    }

    pub(crate) fn line(&mut self, text: String) -> &mut Self {
        self.push(Block::Line(text))
    }

    /// A name and its value; pairs that follow each other stand in one column.
    #[expect(clippy::needless_pass_by_value, reason = "callers hand over numbers and texts alike")]
    pub(crate) fn pair(&mut self, name: String, value: impl ToString) -> &mut Self {
        let pair = (name, value.to_string());
        if let Some(Block::Pairs(pairs)) = self.blocks.last_mut() {
            pairs.push(pair);
            self
        } else {
            self.push(Block::Pairs(vec![pair]))
        }
    }

    /// A table; one without rows is left out.
    pub(crate) fn table(&mut self, head: Vec<String>, rows: Vec<Vec<String>>) -> &mut Self {
        if rows.is_empty() { self } else { self.push(Block::Table(head, rows)) }
    }

    fn push(&mut self, block: Block) -> &mut Self {
        self.blocks.push(block);
        self
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;

    fn keys(value: &Value) -> Vec<&str> {
        value.as_object().unwrap().keys().map(String::as_str).collect()
    }

    #[test]
    fn the_version_comes_first_and_the_order_of_the_answer_stays() {
        let report = Report::object(&json!({"b": 1, "a": 2})).ok().unwrap();
        assert_eq!(report.json().to_string(), r#"{"v":1,"b":1,"a":2}"#);
    }

    #[test]
    fn what_is_partly_done_keeps_its_result_beside_the_error() {
        let why = Failure::usage("usage-no-data-folder", Vec::new());
        let report = Report::object(&json!({"files": []})).ok().unwrap().but(Some(why));
        assert_eq!(keys(&report.json()), ["v", "files", "error"]);
    }

    #[test]
    fn a_failure_alone_is_version_and_error() {
        let report = Report::failed(Failure::usage("usage-no-data-folder", Vec::new()));
        assert_eq!(keys(&report.json()), ["v", "error"]);
    }
}
