//! Everything at rest is read and checked again, as if it had just come from a stranger; and, before
//! anything is saved, what this device wrote itself.

use std::path::Path;
use std::time::Duration;

use crdt_schema::id::FeedId;
use crdt_schema::time::Timestamp;

use super::folder::{FEEDS, KEYS, VIEWS};
use super::{Environment, Node, damaged};
use crate::answer::{Damage, Verify};
use crate::error::NodeError;
use crate::guard::guarded;
use crate::ports::StoreError;
use crate::progress::Progress;
use crate::replica::{Leaving, ViewsCheckError};
use crate::store::StoreConfig;
use crate::store::feed::{RedbFeedStore, ScanStep};
use crate::store::keystore::{Keystore, KeystoreError};

/// How damage names the file it lies in.
fn in_file(file: &str, what: &str) -> Damage {
    let what = format!("{file}: {what}");
    Damage { feed: None, device: None, area: None, seq: None, to: None, what }
}

/// A damaged file of the keys, named as [`Damage::is_of_keys`] expects it.
fn in_keys(file: &str) -> Damage {
    in_file(&format!("{KEYS}/{file}"), "the key file is damaged")
}

/// What is found where nothing could be read.
fn only(damage: Damage) -> Verify {
    Verify { damage: vec![damage], ..Verify::default() }
}

/// What stops redb over a page of the truth, if anything does: asked after a panic, which says no
/// more than that a state cannot be.
pub(super) fn rotten_pages(folder: &Path) -> Option<StoreError> {
    let careful = StoreConfig { check_pages: true, ..StoreConfig::default() };
    let opened = guarded(|| RedbFeedStore::open_with(&folder.join(FEEDS), &careful).map(drop));
    match opened {
        Ok(Ok(())) => None,
        Ok(Err(error)) => matches!(error, StoreError::Damaged { .. }).then_some(error),
        Err(_) => Some(damaged("pages of the file")),
    }
}

impl Node {
    /// Verifies the node in `folder`, also where it is too damaged to be opened.
    ///
    /// # Errors
    /// As [`Node::open`] and [`Node::verify`]; damage is in the answer.
    pub fn verify_folder(
        folder: &Path,
        env: &Environment,
        rebuild: bool,
        progress: &mut dyn Progress,
    ) -> Result<Verify, NodeError> {
        let ended = guarded(|| {
            let mut node = Self::open(folder, env.clone())?;
            let found = node.verify(rebuild, progress)?;
            // A damaged store writes nothing more.
            if found.ok {
                node.close();
            }
            Ok(found)
        });
        match ended {
            Ok(Err(NodeError::Store { source: StoreError::Damaged { what }, .. })) => {
                Ok(only(in_file(FEEDS, &what)))
            }
            Ok(Err(NodeError::KeysDamaged { path })) => {
                let file = path.file_name().unwrap_or_default();
                Ok(only(in_keys(&file.to_string_lossy())))
            }
            Ok(ended) => ended,
            Err(panicked) => match rotten_pages(folder) {
                Some(damage) => Ok(only(in_file(FEEDS, &damage.to_string()))),
                None => panicked.raise(),
            },
        }
    }

    /// What this device wrote is whole, read through once while the node is open: what is written
    /// behind something that rotted could never leave this disk, so it must not be acknowledged.
    pub(super) fn own_must_be_whole(&self) -> Result<(), NodeError> {
        if self.own_is_whole.get() {
            return Ok(());
        }
        let me = self.device();
        for feed in self.replica.feeds().filter(|feed| feed.name.device == me) {
            for branch in &feed.branches {
                let mut next = branch.from.map_or(1, |(_, shared)| shared + 1);
                while next <= branch.head.point.seq {
                    let run = self.replica.leaving(feed.name.id(), branch.branch, next);
                    next = match run.map_err(|error| self.store_error(error))? {
                        Leaving::Whole { last, .. } => last + 1,
                        Leaving::Damaged { what, .. } => {
                            return Err(self.store_error(StoreError::Damaged { what }));
                        }
                        Leaving::Nothing => {
                            return Err(self.store_error(damaged("the end of an own feed")));
                        }
                    };
                }
            }
        }
        self.own_is_whole.set(true);
        Ok(())
    }

    /// Checks chains, signatures and certificates of every feed, and that the views are what the
    /// entries say; with `rebuild` the views are thrown away and made anew first.
    ///
    /// What is wrong is in the answer; it is no error.
    ///
    /// # Errors
    /// [`NodeError::Interrupted`] as `progress` asks; [`NodeError::Store`] when the disk fails, and
    /// with `rebuild` where the folder may only be read.
    pub fn verify(
        &mut self,
        rebuild: bool,
        progress: &mut dyn Progress,
    ) -> Result<Verify, NodeError> {
        let started = self.env.clock.now();
        if rebuild {
            self.must_be_writable()?;
            let done = self.replica.rebuild_views(progress);
            let done = done.map_err(|error| NodeError::store(&self.folder, error))?;
            if done.stopped {
                return Err(NodeError::Interrupted);
            }
        }
        let mut found = Verify { certificates: self.certificates(), ..Verify::default() };
        // This node holds them in memory; what lies at rest may have rotted since.
        match Keystore::open(&self.folder.join(KEYS)) {
            Ok(_) => {}
            Err(KeystoreError::Damaged { file }) => found.damage.push(in_keys(&file)),
            Err(error) => return Err(NodeError::keys(&self.folder.join(KEYS), error)),
        }
        // First, for after rotten pages the store refuses to be read: most of what rots lies in a
        // block, which names its feed and place. Over others redb may panic.
        let scanned = guarded(|| self.scan(&mut found, progress));
        match (self.replica.feed_store_mut().check_pages(), scanned) {
            (Ok(()), Ok(scanned)) => scanned?,
            (Ok(()), Err(panicked)) => panicked.raise(),
            (_, Ok(Err(NodeError::Interrupted))) => return Err(NodeError::Interrupted),
            (Err(StoreError::Damaged { what }), _) => {
                found.damage.insert(0, in_file(FEEDS, &what));
                found.seconds = self.seconds_since(started);
                return Ok(found);
            }
            (Err(error), _) => return Err(self.store_error(error)),
        }
        // The pages of the truth are sound by now: what redb stops over lies in the views.
        found.views_equal = match guarded(|| self.replica.views_agree(progress)) {
            Ok(Ok(agree)) => agree,
            Ok(Err(ViewsCheckError::Stopped)) => return Err(NodeError::Interrupted),
            Ok(Err(ViewsCheckError::Store(error))) => {
                found.damage.push(in_file(VIEWS, &format!("they cannot be read: {error}")));
                false
            }
            Err(_) => {
                found.damage.push(in_file(VIEWS, "a page cannot be read"));
                false
            }
        };
        found.ok = found.damage.is_empty() && found.views_equal;
        found.seconds = self.seconds_since(started);
        Ok(found)
    }

    /// Seconds by this node's clock; 0 when it was set back meanwhile.
    fn seconds_since(&self, started: Timestamp) -> f64 {
        let elapsed = self.env.clock.now().0.saturating_sub(started.0);
        Duration::from_millis(u64::try_from(elapsed).unwrap_or(0)).as_secs_f64()
    }

    fn certificates(&self) -> u64 {
        self.authority().members().map(|(_, member)| member.grants.len() as u64).sum()
    }

    /// Damage of a feed, with whose it is and where.
    fn damage(&self, feed: Option<FeedId>, (first, last): (u64, u64), what: String) -> Damage {
        if feed.is_none() {
            return in_file(FEEDS, &what);
        }
        let name = feed.and_then(|feed| self.replica.feed(feed)).map(|feed| feed.name);
        let area = name.map(|name| self.area_name(name.area).area);
        let place = |seq: u64| Some(seq).filter(|seq| *seq > 0);
        let (device, seq, to) = (name.map(|name| name.device), place(first), place(last));
        Damage { feed, device, area, seq, to, what }
    }

    /// Recomputes every chain, checks every signature that is kept, and every arrival.
    fn scan(&self, found: &mut Verify, progress: &mut dyn Progress) -> Result<(), NodeError> {
        let total = self.replica.entries_held();
        found.feeds = self.replica.feeds().count() as u64;
        found.forks = self.replica.feeds().filter(|feed| feed.branches.len() > 1).count() as u64;
        let mut go_on = true;
        let scanned = self.replica.feed_store().scan(&mut |step| match step {
            ScanStep::Entries { count, dropped, .. } => {
                found.entries += count;
                found.payloads_dropped += dropped;
                go_on &= progress.at(found.entries, total);
            }
            ScanStep::Signed { name, head, .. } => {
                found.signatures += 1;
                let key = self.authority().signing_key(&name.device);
                if key.is_none_or(|key| head.verify(&key).is_err()) {
                    let what = "the signature does not hold, or no certificate names the device";
                    let seq = head.point.seq;
                    found.damage.push(self.damage(Some(head.feed), (seq, seq), what.to_owned()));
                }
            }
            ScanStep::Damaged(damage) => {
                let places = (damage.first, damage.last);
                found.damage.push(self.damage(damage.feed, places, damage.what));
            }
        });
        scanned.map_err(|error| self.store_error(error))?;
        if go_on { Ok(()) } else { Err(NodeError::Interrupted) }
    }
}
