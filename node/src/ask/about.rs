//! How a node stands, and what it knows without any record.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Ask;
use crate::answer::{Glossary, Root, Schema, Status, Verify};
use crate::describe;
use crate::error::NodeError;
use crate::node::Node;
use crate::progress::Progress;

/// `status`: this node at a glance.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowStatus {}

impl Ask for ShowStatus {
    type Answer = Status;
    const PATH: &'static str = "status";
    const CHANGES: bool = false;

    fn put(self, node: &mut Node, _: &mut dyn Progress) -> Result<Status, NodeError> {
        node.status()
    }
}

/// `root`: the root of an area, equal on two nodes exactly if they hold the same.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowRoot {
    /// Code of the area; left out, this device's own.
    #[serde(default)]
    pub area: Option<String>,
}

impl Ask for ShowRoot {
    type Answer = Root;
    const PATH: &'static str = "root";
    const CHANGES: bool = false;

    fn put(self, node: &mut Node, _: &mut dyn Progress) -> Result<Root, NodeError> {
        node.root(self.area.as_deref())
    }
}

/// `verify`: everything at rest is read and checked again. Long.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyAll {
    /// Make the views again from the entries.
    #[serde(default)]
    pub rebuild: bool,
}

impl Ask for VerifyAll {
    type Answer = Verify;
    const PATH: &'static str = "verify";
    const CHANGES: bool = true;

    fn put(self, node: &mut Node, progress: &mut dyn Progress) -> Result<Verify, NodeError> {
        node.verify(self.rebuild, progress)
    }
}

/// `schema`: the kinds of record and their fields.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DescribeKinds {
    /// Only this kind.
    #[serde(default)]
    pub kind: Option<String>,
}

impl Ask for DescribeKinds {
    type Answer = Schema;
    const PATH: &'static str = "schema";
    const CHANGES: bool = false;

    fn put(self, node: &mut Node, _: &mut dyn Progress) -> Result<Schema, NodeError> {
        describe::schema(node.schema(), self.kind.as_deref())
    }
}

/// `glossary`: words of the programme.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DescribeWords {
    /// Only this word.
    #[serde(default)]
    pub term: Option<String>,
}

impl Ask for DescribeWords {
    type Answer = Glossary;
    const PATH: &'static str = "glossary";
    const CHANGES: bool = false;

    fn put(self, _: &mut Node, _: &mut dyn Progress) -> Result<Glossary, NodeError> {
        Ok(describe::glossary(self.term.as_deref()))
    }
}
