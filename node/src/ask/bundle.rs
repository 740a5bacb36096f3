//! What travels by file.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Ask;
use crate::answer::{BundleExport, BundleImport, BundleInspect};
use crate::error::NodeError;
use crate::node::{ExportAsk, ExportTarget, Node};
use crate::progress::Progress;

/// Whom a bundle is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BundleFor {
    /// A device, by its full id or eight words: what it is not known to hold.
    Device(String),
    /// Whoever holds this area: all of it, by code.
    Area(String),
    /// Everything this node holds.
    All,
}

/// `bundle export`: writes a bundle. Long.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportBundle {
    /// Whom it is for.
    #[serde(rename = "for")]
    pub audience: BundleFor,
    /// In clear, for anyone who finds the file; only for synthetic people.
    #[serde(default)]
    pub clear: bool,
    /// For a device also what it once said it holds: after a backup was put back there.
    #[serde(default)]
    pub whole: bool,
    /// Bytes one file may have; it is cut into pieces then.
    #[serde(default)]
    pub max_bytes: Option<u64>,
    /// Where it is written, on the node's machine.
    pub file: PathBuf,
}

impl Ask for ExportBundle {
    type Answer = BundleExport;
    const PATH: &'static str = "bundle/export";
    const CHANGES: bool = false;

    fn put(self, node: &mut Node, progress: &mut dyn Progress) -> Result<BundleExport, NodeError> {
        let target = match self.audience {
            BundleFor::Device(device) => ExportTarget::Device(device),
            BundleFor::Area(area) => ExportTarget::Area(area),
            BundleFor::All => ExportTarget::All,
        };
        let ask =
            ExportAsk { target, clear: self.clear, whole: self.whole, max_bytes: self.max_bytes };
        node.bundle_export(&ask, &self.file, progress)
    }

    fn files(&mut self) -> Vec<&mut PathBuf> {
        vec![&mut self.file]
    }
}

/// `bundle import`: takes what bundles hold; twice, half, in any order. Long.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportBundles {
    /// The bundles, on the node's machine.
    pub files: Vec<PathBuf>,
}

impl Ask for ImportBundles {
    type Answer = BundleImport;
    const PATH: &'static str = "bundle/import";
    const CHANGES: bool = true;

    fn put(self, node: &mut Node, progress: &mut dyn Progress) -> Result<BundleImport, NodeError> {
        node.bundle_import(&self.files, progress)
    }

    fn files(&mut self) -> Vec<&mut PathBuf> {
        self.files.iter_mut().collect()
    }
}

/// `bundle inspect`: what a bundle says, whether it is whole, and what of it is new here.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InspectBundle {
    /// The bundle, on the node's machine.
    pub file: PathBuf,
}

impl Ask for InspectBundle {
    type Answer = BundleInspect;
    const PATH: &'static str = "bundle/inspect";
    const CHANGES: bool = false;

    fn put(self, node: &mut Node, _: &mut dyn Progress) -> Result<BundleInspect, NodeError> {
        Node::bundle_inspect(&self.file, Some(node))
    }

    fn files(&mut self) -> Vec<&mut PathBuf> {
        vec![&mut self.file]
    }
}
