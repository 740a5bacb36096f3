//! A node over stores and keys that somebody lends: how a simulation gets thousands of them, on
//! disks that fail when it says so. Everything else is the node that people run.

use std::path::{Path, PathBuf};

use crdt_schema::area::AreaId;
use crdt_schema::authority::{Payload, SignedStatement};
use crdt_schema::entry::{Entry, PackedRun};
use crdt_schema::id::{DeviceId, EntryId, FeedName};

use super::env::Environment;
use super::join::{Joining, read_invitation};
use super::{Node, folder};
use crate::answer::Join;
use crate::error::NodeError;
use crate::ports::{FeedStore, StoreError, ViewStore};
use crate::replica::{PeerSink, Source};
use crate::store::keystore::Keystore;
use crate::store::lent::{Feeds, Views};
use crate::sync::driver::Sink;
use crate::sync::request::NoReceipts;

/// Bytes of the seeds of a device's three keys.
const SEEDS_BYTES: usize = 96;

/// What is lent beside the stores.
#[derive(Debug, Clone)]
pub struct Loan {
    /// What errors name; nothing is read or written there but results.
    pub folder: PathBuf,
    /// Clock, randomness, kinds of record.
    pub env: Environment,
    /// Seeds of the keys.
    pub seeds: [u8; SEEDS_BYTES],
}

impl Loan {
    /// The device these keys are.
    pub fn device(&self) -> DeviceId {
        self.keys().device()
    }

    /// Its keys.
    pub fn keys(&self) -> Keystore {
        Keystore::lent(&self.seeds)
    }

    /// Lays the root statement into an empty store.
    ///
    /// # Errors
    /// [`NodeError`] of the store, or without randomness.
    pub fn begin(
        &self,
        feeds: &mut dyn FeedStore,
        statement: &SignedStatement,
    ) -> Result<(), NodeError> {
        folder::begin_store(feeds, &self.env, (statement, self.device()), self.at()).map(drop)
    }

    /// Joins with an invitation file, into an empty store: as [`Node::join`].
    ///
    /// # Errors
    /// As there.
    pub fn join(
        &self,
        feeds: Box<dyn FeedStore + Send>,
        invitation: &Path,
    ) -> Result<Join, NodeError> {
        let file = read_invitation(invitation)?;
        let mut feeds = Feeds::Lent(feeds);
        let whose = (&file.statement, self.device());
        let incarnation = folder::begin_store(&mut feeds, &self.env, whose, self.at())?;
        let (path, env, keys) = (&self.folder, &self.env, &self.keys());
        Joining { path, env, file: &file, keys, source: invitation }.write(feeds, incarnation)
    }

    fn at(&self) -> impl Fn(StoreError) -> NodeError {
        |error| NodeError::store(&self.folder, error)
    }
}

impl Node {
    /// Opens a node over lent stores.
    ///
    /// # Errors
    /// As [`Node::open`].
    pub fn lent(
        loan: &Loan,
        feeds: Box<dyn FeedStore + Send>,
        views: Box<dyn ViewStore + Send>,
    ) -> Result<Self, NodeError> {
        let stores = (Feeds::Lent(feeds), Views::Lent(views));
        Self::over(&loan.folder, loan.env.clone(), loan.keys(), stores)
    }

    /// Takes authority that was signed elsewhere, from the province down, in one commit for each
    /// level that certifies the next.
    ///
    /// # Errors
    /// [`NodeError::Store`] of the disk.
    pub fn take_authority<'a>(
        &mut self,
        feeds: impl IntoIterator<Item = &'a (FeedName, Vec<PackedRun>)>,
    ) -> Result<(), NodeError> {
        let runs = feeds
            .into_iter()
            .flat_map(|(name, runs)| runs.iter().map(move |run| (*name, run.clone())));
        let runs: Vec<(FeedName, PackedRun)> = runs.collect();
        let now = self.now();
        let source = Source::Here;
        let mut sink = PeerSink { replica: &mut self.replica, receipts: &NoReceipts, source, now };
        let taken = sink.ingest(&runs);
        taken.map(drop).map_err(|error| self.store_error(error))
    }

    /// Writes an authority entry that no command writes yet, as this device: what it may say is
    /// judged by who reads it.
    ///
    /// # Errors
    /// [`NodeError`] when this device's certificate does not count, or the disk fails.
    pub fn say(
        &mut self,
        area: AreaId,
        payload: Payload,
        deps: Vec<EntryId>,
    ) -> Result<Entry, NodeError> {
        self.declare(area, payload, deps)
    }
}
