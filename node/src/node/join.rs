//! Becoming a member with an invitation file and nothing else.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crdt_schema::authority::{Certificate, Limits, Payload};
use crdt_schema::entry::SigningSecret;
use crdt_schema::words::eight_words;

use super::env::Environment;
use super::invitation::{InvitationFile, NoInvitation, TEXT_BYTES_MAX};
use super::peers::{dial_name, parse};
use super::{Node, folder};
use crate::answer::{AreaName, Join};
use crate::error::NodeError;
use crate::ports::{FeedStore, StoreError};
use crate::reason;
use crate::replica::{
    AUTHORITY_ENDS_BYTES, Author, Declaration, Offered, Opening, RejectReason, Replica, Source,
};
use crate::store::keystore::Keystore;
use crate::store::memory::MemoryViewStore;

/// Times the authority of an invitation is gone through: once a level, and once more.
const PASSES_MAX: usize = 6;

impl Node {
    /// Makes a node that belongs to the network of an invitation. It is provisional until a
    /// person confirms it, unless the invitation counts at once.
    ///
    /// # Errors
    /// [`NodeError`] when the folder holds a node already, the file is no invitation or nobody
    /// entitled issued it, or the disk fails. The folder then holds no node.
    pub fn join(path: &Path, env: &Environment, invitation: &Path) -> Result<Join, NodeError> {
        let taken = || NodeError::AlreadyJoined { name: folder::network_name(path) };
        if folder::is_taken(path) {
            return Err(taken());
        }
        let file = read_invitation(invitation)?;
        let claim = folder::claim(path);
        if let Err(NodeError::Store { source: StoreError::Exists, .. }) = claim {
            return Err(taken());
        }
        let _claim = claim?;
        let keys = folder::make_keys(path, env)?;
        let mut joined = None;
        folder::make_store(path, env, &file.statement, keys.device(), |store, incarnation| {
            let ask = Joining { path, env, file: &file, keys: &keys, source: invitation };
            joined = Some(ask.write(store, incarnation)?);
            // Before the store has its name: what fails behind that leaves a node nobody was told of.
            folder::write_config(path, &file.statement, keys.device(), env.clock.now())
        })?;
        joined.ok_or_else(|| NodeError::Internal { what: "a join without an answer".to_owned() })
    }
}

pub(super) struct Joining<'a> {
    pub(super) path: &'a Path,
    pub(super) env: &'a Environment,
    pub(super) file: &'a InvitationFile,
    pub(super) keys: &'a Keystore,
    pub(super) source: &'a Path,
}

impl Joining<'_> {
    /// Takes the authority of the invitation into the new store, and writes the certificate that
    /// asks for confirmation.
    pub(super) fn write(&self, store: impl FeedStore, incarnation: u64) -> Result<Join, NodeError> {
        let at = |error| NodeError::store(self.path, error);
        let opening = Opening {
            statement: self.file.statement.clone(),
            schema: self.env.schema.clone(),
            me: self.keys.device(),
            incarnation,
            next_incarnation: self.env.random_u64()?,
        };
        let mut replica = Replica::open(store, MemoryViewStore::default(), opening).map_err(at)?;
        let now = self.env.clock.now();
        let name = self.source.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let source = Source::Bundle(name);
        for _ in 0..PASSES_MAX {
            let mut staged = 0;
            for (feed, runs) in &self.file.authority {
                for run in runs {
                    // Squeezed, a run of 1 MiB may come in a few hundred bytes.
                    if replica.must_commit() {
                        replica.commit(None, &source, now).map_err(at)?;
                    }
                    let offer = replica.offer(feed, run).map_err(at)?;
                    match offer.outcome {
                        Offered::Staged(entries) => staged += entries,
                        Offered::Rejected(RejectReason::NoRoom) => {
                            return Err(self.without_room(&replica));
                        }
                        Offered::Duplicate | Offered::Pending | Offered::Rejected(_) => {}
                    }
                }
            }
            replica.commit(None, &source, now).map_err(at)?;
            if staged == 0 {
                break;
            }
        }
        let invitation = &self.file.invitation;
        let asked = Certificate {
            keys: self.keys.keys(),
            area: invitation.area,
            rights: invitation.rights,
            limits: Limits::default(),
            invited: None,
        };
        let throw_away = SigningSecret::from_seed(&self.file.secret);
        let signature = throw_away.sign(&asked.invited_message(self.file.entry));
        let certificate = Certificate { invited: Some((self.file.entry, signature)), ..asked };
        let declaration = Declaration {
            area: invitation.area,
            payload: Payload::Certificate(certificate),
            deps: vec![self.file.entry],
            claimed_at: now,
        };
        let author = Author { device: self.keys.device(), key: self.keys.signing() };
        replica.declare(&author, &declaration).map_err(at)?;
        for address in self.addresses() {
            replica.put_value(&dial_name(address), Some(Vec::new()));
        }
        replica.commit(Some(&author), &Source::Here, now).map_err(at)?;
        self.answer(&replica)
    }

    fn without_room(&self, replica: &Replica<impl FeedStore, MemoryViewStore>) -> NodeError {
        let free = replica.feed_store().free_bytes().unwrap_or_default();
        NodeError::NoRoom { folder: self.path.to_path_buf(), free, kept: AUTHORITY_ENDS_BYTES }
    }

    /// Where to dial from now on. One of a form that this build cannot dial is left out.
    fn addresses(&self) -> impl Iterator<Item = &String> {
        self.file.addresses.iter().filter(|address| parse(address).is_some())
    }

    fn answer(
        &self,
        replica: &Replica<impl FeedStore, MemoryViewStore>,
    ) -> Result<Join, NodeError> {
        let authority = replica.authority();
        let device = self.keys.device();
        let member = authority.member(&device).ok_or_else(|| NodeError::FileAltered {
            path: self.source.to_path_buf(),
            what: (&reason::INVITATION_NOBODY).into(),
        })?;
        let area = self.file.invitation.area;
        let code = authority.tree().code(area);
        Ok(Join {
            network: authority.network(),
            name: self.file.statement.statement().name.clone(),
            device,
            words: eight_words(&device).map(str::to_owned).to_vec(),
            area: code.map_or_else(|| AreaName::unknown(area), |code| AreaName::new(code, area)),
            rights: member.rights().names().into_iter().map(str::to_owned).collect(),
            state: member.state.into(),
            addresses: self.addresses().cloned().collect(),
        })
    }
}

pub(super) fn read_invitation(path: &Path) -> Result<InvitationFile, NodeError> {
    // Asked before it is opened: who opens a pipe waits for somebody to write into it.
    let sort = std::fs::metadata(path).map_err(|error| NodeError::file("read", path, error))?;
    if !sort.is_file() {
        return Err(NodeError::FileForeign {
            path: path.to_path_buf(),
            expected: &reason::INVITATION,
        });
    }
    let open = File::open(path).map_err(|error| NodeError::file("read", path, error))?;
    let mut bytes = Vec::new();
    open.take(TEXT_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| NodeError::file("read", path, error))?;
    let path = path.to_path_buf();
    if bytes.is_empty() {
        return Err(NodeError::FileEmpty { path });
    }
    InvitationFile::read(&bytes).map_err(|reason| match reason {
        NoInvitation::Foreign => NodeError::FileForeign { path, expected: &reason::INVITATION },
        NoInvitation::Truncated => NodeError::FileTruncated { path },
        NoInvitation::Altered => {
            NodeError::FileAltered { path, what: (&reason::BYTES_CHANGED).into() }
        }
        NoInvitation::Newer(found) => {
            NodeError::FormatNewer { path, found: found.into(), known: 1 }
        }
    })
}
