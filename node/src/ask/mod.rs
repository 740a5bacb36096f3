//! Everything that may be asked of a node, as data: what a command means, ready to be sent.
//!
//! A command line and a program on the same machine ask alike: both make one of these, which either
//! is put to a node opened here or travels as JSON to the one that runs. [`Ask`] ties each to its
//! answer, so that neither side can mistake one for another.
//!
//! `record.rs` records and sheets · `bundle.rs` what travels by file · `network.rs` devices, areas,
//! peers · `about.rs` how things stand, and what is declared.
//!
//! Paths must be absolute: whoever asks knows where it stands, and the node stands elsewhere.

mod about;
mod bundle;
mod network;
mod record;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use about::{DescribeKinds, DescribeWords, ShowRoot, ShowStatus, VerifyAll};
pub use bundle::{BundleFor, ExportBundle, ImportBundles, InspectBundle};
pub use network::{
    AddPeer, CloseMember, ConfirmMember, InviteDevice, ListAreas, ListMembers, ListPeers,
    RehomeArea, RemovePeer, ShowArea,
};
pub use record::{
    AddRecord, Change, ExportRecord, ImportSheet, LISTED_MAX, ListConflicts, ListRecords,
    MakeSynthetic, Op, SetRecord, SettleConflict, ShowHistory, ShowRecord,
};

use crate::error::NodeError;
use crate::node::Node;
use crate::progress::Progress;

/// One thing that may be asked of a node.
pub trait Ask: Serialize + DeserializeOwned + JsonSchema + Send + 'static {
    /// What it answers.
    type Answer: Serialize + DeserializeOwned + JsonSchema + Send + 'static;

    /// Its path below the version: the command's words.
    const PATH: &'static str;

    /// Whether it may change what the node holds.
    const CHANGES: bool;

    /// Asks.
    ///
    /// # Errors
    /// [`NodeError`] of the method behind it.
    fn put(self, node: &mut Node, progress: &mut dyn Progress) -> Result<Self::Answer, NodeError>;

    /// The files it names, to be made absolute before it travels.
    fn files(&mut self) -> Vec<&mut PathBuf> {
        Vec::new()
    }
}

/// Puts an ask to a node that goes on living: of one that fails nothing half made stays.
///
/// # Errors
/// Those of the ask; [`NodeError::Interrupted`] of one that nobody waits for any more.
pub fn put<A: Ask>(
    ask: A,
    node: &mut Node,
    progress: &mut dyn Progress,
) -> Result<A::Answer, NodeError> {
    if !progress.at(0, 0) {
        return Err(NodeError::Interrupted);
    }
    let answer = ask.put(node, progress);
    if answer.is_err() {
        node.abandon();
    }
    answer
}
