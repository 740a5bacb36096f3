//! `Node`: one village's replica with its keys and files, and everything a person may ask of it.
//!
//! The command line and the local API call nothing else; each method answers with an object of
//! [`crate::answer`]. One room per subject:
//!
//! `found.rs` a new network · `invitation.rs` the bytes of an invitation · `join.rs` becoming a member ·
//! `members.rs` who belongs · `meeting.rs` what sessions need · `areas.rs` codes and moves ·
//! `records.rs` saves · `references.rs` ids they name · `reveals.rs` who saw class S · `shown.rs` what is read · `search.rs` what is looked for ·
//! `standing.rs` status and roots · `receipts.rs` what hubs say they hold · `peers.rs` what others said ·
//! `verify.rs` everything checked again · `export.rs`, `import.rs`, `inspect.rs` bundles ·
//! `lent.rs` a node over lent stores · `lacking.rs` what one should bring and does not · `output.rs` where results may be written ·
//! `sheet.rs` spreadsheets · `synthetic.rs` people that never were.

mod areas;
mod env;
mod export;
mod folder;
mod found;
mod import;
mod inspect;
mod invitation;
mod join;
mod lacking;
mod lent;
mod meeting;
mod members;
mod output;
mod peers;
mod reach;
mod receipts;
mod records;
mod references;
mod reveals;
mod search;
mod sheet;
mod shown;
mod standing;
mod synthetic;
mod verify;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crdt_schema::area::{AreaId, AreaTree};
use crdt_schema::authority::SignedStatement;
use crdt_schema::id::DeviceId;
use crdt_schema::record::Schema;

pub use env::Environment;
pub use export::{ExportAsk, ExportTarget};
pub use found::CreateNetwork;
#[doc(hidden)]
pub use invitation::invitation_again;
pub use lent::Loan;
pub(crate) use meeting::Contact;
pub use meeting::{Door, Live, LivePeer};
pub use members::InviteAsk;
pub use output::{must_be_no_data_folder, must_take_manual};
pub use peers::{must_be_dialled, must_be_listened};
pub use records::Choice;
pub use search::is_search;
pub use sheet::{SheetAsk, WHOLE_FILE};
pub use shown::{Layer, ListAsk};
pub use synthetic::{SynthAsk, synth_jsonl};

use self::receipts::{Said, Untold};
use crate::answer::{AreaName, MemberState};
use crate::authority::{Authority, Member};
use crate::describe;
use crate::error::{ErrorKind, NodeError};
use crate::guard::guarded;
use crate::ports::{FeedHeads, FeedStore, StoreError};
use crate::replica::{
    Author, Committed, INCARNATION, Opening, Replica, Room, Source, TAKING_IN_ENDS_BYTES,
};
use crate::store::feed::RedbFeedStore;
use crate::store::keystore::Keystore;
use crate::store::lent::{Feeds, Views};
use crate::store::view::RedbViewStore;

/// Name of the value that holds the network's root statement.
pub(crate) const STATEMENT: &[u8] = b"statement";
/// Memory for pages of the views: a small board's share.
const VIEW_CACHE_BYTES: usize = 8 << 20;
/// Arrivals the views may lag behind when a node closes: the next start catches up on so many
/// without being felt, and a single save needs no second sync.
const LAG_MAX: u64 = 256;

/// An open node. Dropping it closes its files.
#[derive(Debug)]
pub struct Node {
    folder: PathBuf,
    env: Environment,
    keys: Keystore,
    replica: Replica<Feeds, Views>,
    live: Option<Live>,
    /// A store refused something since the last look.
    refused: Cell<bool>,
    /// This device's own feeds were read through since the node was opened.
    own_is_whole: Cell<bool>,
    /// What this hub said of each area, once it was read.
    said: RefCell<Option<Said>>,
    untold: Untold,
}

impl Node {
    /// Opens the node in `folder`.
    ///
    /// # Errors
    /// [`NodeError`] when there is none, another process holds it, a newer build wrote it, or
    /// the disk or the keys fail.
    pub fn open(folder: &Path, env: Environment) -> Result<Self, NodeError> {
        let at = |error| NodeError::store(folder, error);
        let keys = |error| NodeError::keys(&folder.join(folder::KEYS), error);
        folder::must_not_be_bereft(folder)?;
        let feeds = RedbFeedStore::open(&folder.join(folder::FEEDS)).map_err(at)?;
        let keys = Keystore::open(&folder.join(folder::KEYS)).map_err(keys)?;
        let views = RedbViewStore::open_or_create(
            &folder.join(folder::VIEWS),
            feeds.instance(),
            VIEW_CACHE_BYTES,
        );
        let stores = (Feeds::Own(feeds), Views::Own(views.map_err(at)?));
        Self::over(folder, env, keys, stores)
    }

    fn over(
        folder: &Path,
        env: Environment,
        keys: Keystore,
        (feeds, views): (Feeds, Views),
    ) -> Result<Self, NodeError> {
        let at = |error| NodeError::store(folder, error);
        // A store that was made before it said whose it is says nothing.
        let owner = feeds.value(folder::DEVICE).map_err(at)?;
        let is_owner = owner.is_none_or(|owner| owner == keys.device().0);
        let statement = feeds.value(STATEMENT).map_err(at)?;
        let statement = statement.and_then(|bytes| SignedStatement::verify(&bytes).ok());
        let statement = statement.ok_or_else(|| at(damaged("the root statement")))?;
        let incarnation = feeds.value(INCARNATION).map_err(at)?;
        let incarnation = incarnation.and_then(|bytes| bytes.try_into().ok());
        let incarnation = incarnation.ok_or_else(|| at(damaged("the incarnation")))?;
        let opening = Opening {
            statement,
            schema: env.schema.clone(),
            me: keys.device(),
            incarnation: u64::from_be_bytes(incarnation),
            next_incarnation: env.random_u64()?,
        };
        let replica = Replica::open(feeds, views, opening).map_err(at)?;
        let (refused, own_is_whole) = (Cell::new(false), Cell::new(false));
        let mut node = Self {
            folder: folder.to_path_buf(),
            env,
            keys,
            replica,
            live: None,
            refused,
            own_is_whole,
            said: RefCell::new(None),
            untold: Untold::default(),
        };
        if node.replica.views().is_err() {
            // The views are only derived: whatever is wrong with them, they can be made anew. Unless it
            // is the feeds: then what is whole of them can still be taken out, and whoever asks for
            // the views is told.
            match node.replica.rebuild_views(&mut crate::progress::Unwatched) {
                Ok(_) | Err(StoreError::Damaged { .. }) => {}
                Err(error) => return Err(NodeError::store(folder, error)),
            }
        }
        // Keys nobody has certified write nothing; those of another member would write in its name.
        if !is_owner && node.me().is_some() {
            return Err(NodeError::KeystoreLocked { why: (&crate::reason::KEYS_OTHER).into() });
        }
        Ok(node)
    }

    /// What is wrong in `folder` where work on it panicked: damage, or nothing, and then the mistake
    /// is ours.
    pub fn damage_in(folder: &Path) -> Option<NodeError> {
        verify::rotten_pages(folder).map(|damage| NodeError::store(folder, damage))
    }

    /// Whether synthetic people only may be entered, for ever.
    pub fn is_trial(&self) -> bool {
        self.authority().statement().statement().trial
    }

    /// Closes the files; the views are made durable where catching up would be felt. Where that fails, or
    /// panics over a page that rotted, the next start catches up: what was asked is done, and its answer stands.
    pub fn close(mut self) {
        let closed = guarded(move || {
            let applied = self.replica.durable_views();
            if self.replica.arrived().saturating_sub(applied) <= LAG_MAX {
                return Ok(());
            }
            self.replica.settle_views().map_err(|error| self.store_error(error))
        });
        let kind = match closed {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.kind(),
            Err(_) => ErrorKind::Internal,
        };
        tracing::warn!(kind = kind.as_str(), "the views will have to catch up at the next start");
    }

    /// What the node holds, for the rooms that build on it.
    pub const fn replica(&self) -> &Replica<Feeds, Views> {
        &self.replica
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// This device.
    pub fn device(&self) -> DeviceId {
        self.keys.device()
    }

    /// The kinds of record it knows.
    pub fn schema(&self) -> &Schema {
        &self.env.schema
    }

    fn authority(&self) -> &Authority {
        self.replica.authority()
    }

    fn tree(&self) -> &AreaTree {
        self.authority().tree()
    }

    fn me(&self) -> Option<&Member> {
        self.authority().member(&self.device())
    }

    /// The area of this device's certificate. Of several one where it wrote, if there is any, for a hub
    /// may certify it for another village, higher up or, if it is a hub itself, for a village, without
    /// asking: what it wrote belongs to the lowest of them that it lies in. Of those the highest.
    fn own_area(&self) -> AreaId {
        let Some(me) = self.me() else { return self.tree().root() };
        let areas: BTreeSet<AreaId> = me.grants.iter().map(|grant| grant.area).collect();
        let highest = |area: &AreaId| (area.level(), *area);
        let lowest_above = |feed: &FeedHeads| {
            let above = areas.iter().filter(|it| self.tree().ever_covered(**it, feed.name.area));
            above.copied().max_by_key(AreaId::level)
        };
        let written = (areas.len() > 1).then(|| {
            let own = self.replica.feeds().filter(|feed| feed.name.device == self.device());
            own.filter_map(lowest_above).min_by_key(highest)
        });
        let any = || areas.iter().copied().min_by_key(highest);
        written.flatten().or_else(any).unwrap_or_else(|| self.tree().root())
    }

    fn state(&self) -> MemberState {
        self.me().map_or(MemberState::Provisional, |member| member.state.into())
    }

    /// An area under today's code.
    fn area_name(&self, area: AreaId) -> AreaName {
        describe::area_name(self.tree(), area)
    }

    /// The area a person means.
    fn area(&self, text: &str) -> Result<AreaId, NodeError> {
        describe::find_area(self.tree(), Some(self.own_area()), text)
    }

    /// An area as it is said in a sentence.
    fn area_said(&self, area: AreaId) -> String {
        describe::area_said(self.tree(), area)
    }

    /// What comes by wire could be kept: else there is no use in meeting anybody.
    ///
    /// # Errors
    /// [`NodeError::Store`] of a folder that may only be read.
    pub fn must_be_writable(&self) -> Result<(), NodeError> {
        if self.replica.feed_store().is_read_only() {
            return Err(self.store_error(StoreError::ReadOnly));
        }
        Ok(())
    }

    /// Drops what a failed question left half made, or the next save would take it along.
    pub(crate) fn abandon(&mut self) {
        if self.replica.has_staged() {
            self.replica.abandon();
        }
    }

    /// Makes what is staged durable, as written here.
    fn commit_own(&mut self) -> Result<Committed, NodeError> {
        let now = self.env.clock.now();
        let author = Author { device: self.keys.device(), key: self.keys.signing() };
        let committed = self.replica.commit(Some(&author), &Source::Here, now);
        committed.map_err(|error| NodeError::store(&self.folder, error))
    }

    fn store_error(&self, error: StoreError) -> NodeError {
        if matches!(error, StoreError::Poisoned | StoreError::Full | StoreError::Io { .. }) {
            self.refused.set(true);
        }
        NodeError::store(&self.folder, error)
    }

    /// Reads stores that refused something anew, so that a node that runs goes on by itself once the
    /// disk does; whether that is done. It costs nothing while all is well.
    pub fn mend(&mut self) -> bool {
        if self.refused.take() {
            self.replica.fell_ill();
        }
        self.replica.mend();
        !self.replica.is_ill()
    }

    /// There is room for more than the saves of the people here.
    ///
    /// # Errors
    /// [`NodeError::NoRoom`].
    fn must_have_room(&self) -> Result<(), NodeError> {
        let free = self.replica.feed_store().free_bytes();
        if Room::of(free) > Room::OwnSaves {
            return Ok(());
        }
        let (folder, free) = (self.folder.clone(), free.unwrap_or_default());
        Err(NodeError::NoRoom { folder, free, kept: TAKING_IN_ENDS_BYTES })
    }
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged { what: what.to_owned() }
}
