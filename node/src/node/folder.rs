//! The files of a data folder, and how a new one comes to be whole or not at all.

use std::fs::{self, TryLockError};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crdt_schema::authority::SignedStatement;
use crdt_schema::id::{DeviceId, StoreInstance};
use crdt_schema::time::Timestamp;

use super::env::Environment;
use super::{STATEMENT, damaged};
use crate::atomic;
use crate::error::NodeError;
use crate::ports::{FeedBatch, FeedStore, StoreError};
use crate::replica::INCARNATION;
use crate::store::feed::RedbFeedStore;
use crate::store::keystore::{Keystore, KeystoreError};

/// The truth.
pub(super) const FEEDS: &str = "feed.redb";
/// The views.
pub(super) const VIEWS: &str = "view.redb";
/// The device's keys.
pub(super) const KEYS: &str = "keys";
/// What a person may read or change.
pub(super) const CONFIG: &str = "config.toml";
/// The key of the feed store's value that says whose store it is.
pub(super) const DEVICE: &[u8] = b"device";
const NAME: &str = "name";
/// Bytes of that note: ours takes some three hundred, and a copied folder may hold anything. What reads
/// it takes seven hundred for each of a key of dots.
const CONFIG_BYTES_MAX: usize = 4 << 10;
const UNFINISHED: &str = "feed.redb.new";
/// Held by whoever is making a node.
const CLAIM: &str = "making.lock";
/// Between two looks whether the folder is free to make a node in.
const CLAIM_LOOK: Duration = Duration::from_millis(20);
/// How many: ten seconds, as a command waits for another.
const CLAIM_LOOKS: u32 = 500;

/// Refuses a folder whose feed store is gone while its views are there: a node lived in it, and
/// neither its records nor its device are to be replaced by new ones.
///
/// # Errors
/// [`NodeError::Store`] with [`StoreError::Damaged`].
pub(super) fn must_not_be_bereft(folder: &Path) -> Result<(), NodeError> {
    if folder.join(VIEWS).exists() && !folder.join(FEEDS).exists() {
        return Err(NodeError::store(folder, damaged("feed.redb is gone")));
    }
    Ok(())
}

/// Refuses a folder that holds a node already, or what is left of one.
fn must_be_free(folder: &Path) -> Result<(), NodeError> {
    must_not_be_bereft(folder)?;
    if folder.join(FEEDS).exists() {
        return Err(NodeError::store(folder, StoreError::Exists));
    }
    Ok(())
}

/// Whether a node stands in the folder, made to its end.
pub(super) fn is_taken(folder: &Path) -> bool {
    folder.join(FEEDS).exists() && !folder.join(CLAIM).exists()
}

/// Nobody else makes a node in the folder while this is held.
#[derive(Debug)]
pub(super) struct Claim {
    folder: PathBuf,
    /// Locked; `None` where nothing can be written or the medium knows no locks.
    _file: Option<fs::File>,
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Where no node came of it the file stays: whoever waits for this very file holds it next.
        if self.folder.join(FEEDS).exists() {
            drop(fs::remove_file(self.folder.join(CLAIM)));
        }
    }
}

/// Makes the folder, and waits for whoever is making a node there.
///
/// # Errors
/// [`NodeError::Store`] when the folder holds a node, what is left of one, or one that is still being
/// made after [`CLAIM_LOOKS`]; of the disk.
pub(super) fn claim(folder: &Path) -> Result<Claim, NodeError> {
    if !folder.join(CLAIM).exists() {
        must_be_free(folder)?;
    }
    make(folder)?;
    let mut open = fs::File::options();
    // What cannot be written is said by whoever writes the first thing that matters.
    let file = open.create(true).truncate(false).write(true).open(folder.join(CLAIM)).ok();
    file.as_ref().map_or(Ok(()), |file| lock(folder, file))?;
    let claim = Claim { folder: folder.to_path_buf(), _file: file };
    must_be_free(folder)?;
    Ok(claim)
}

fn lock(folder: &Path, file: &fs::File) -> Result<(), NodeError> {
    for _ in 0..CLAIM_LOOKS {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(CLAIM_LOOK),
            Ok(()) | Err(TryLockError::Error(_)) => return Ok(()),
        }
    }
    Err(NodeError::store(folder, StoreError::Locked))
}

fn make(folder: &Path) -> Result<(), NodeError> {
    let mut make = fs::DirBuilder::new();
    make.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        // The stores hold people's data in clear until sealing exists: only their owner enters.
        make.mode(0o700);
    }
    make.create(folder).map_err(|error| NodeError::file("create", folder, error))
}

/// The keys of a device to be: new ones, or those that an attempt without an end left behind.
pub(super) fn make_keys(folder: &Path, env: &Environment) -> Result<Keystore, NodeError> {
    let keys = folder.join(KEYS);
    let made = match Keystore::create(&keys, &*env.entropy) {
        Err(KeystoreError::Exists) => Keystore::open(&keys),
        made => made,
    };
    made.map_err(|error| NodeError::keys(&keys, error))
}

/// Makes the feed store of a new node with what every store holds from its first moment. It gets
/// its name last: a folder that was left half made holds no node.
pub(super) fn make_store(
    folder: &Path,
    env: &Environment,
    statement: &SignedStatement,
    device: DeviceId,
    fill: impl FnOnce(RedbFeedStore, u64) -> Result<(), NodeError>,
) -> Result<(), NodeError> {
    let at = |error| NodeError::store(folder, error);
    let unfinished = folder.join(UNFINISHED);
    if unfinished.exists() {
        fs::remove_file(&unfinished).map_err(|e| NodeError::file("remove", &unfinished, e))?;
    }
    let instance = StoreInstance(env.random()?);
    let mut store = RedbFeedStore::create(&unfinished, instance).map_err(at)?;
    let incarnation = begin_store(&mut store, env, (statement, device), at)?;
    fill(store, incarnation)?;
    let target = folder.join(FEEDS);
    fs::rename(&unfinished, &target).map_err(|e| NodeError::file("create", &target, e))?;
    atomic::sync_names(folder).map_err(|error| {
        // A node that was not said to be there must not be in the way of the next try.
        drop(fs::remove_file(&target));
        NodeError::file("sync", folder, error)
    })
}

/// Lays into an empty store what every store holds from its first moment; returns the incarnation.
///
/// # Errors
/// [`NodeError`] when there is no randomness, or the disk fails.
pub(super) fn begin_store(
    store: &mut dyn FeedStore,
    env: &Environment,
    (statement, device): (&SignedStatement, DeviceId),
    at: impl Fn(StoreError) -> NodeError,
) -> Result<u64, NodeError> {
    let incarnation = env.random_u64()?;
    let values = vec![
        (STATEMENT.to_vec(), Some(statement.as_bytes().to_vec())),
        (INCARNATION.to_vec(), Some(incarnation.to_be_bytes().to_vec())),
        (DEVICE.to_vec(), Some(device.0.to_vec())),
    ];
    store.commit(&FeedBatch { values, ..FeedBatch::default() }, env.clock.now()).map_err(at)?;
    Ok(incarnation)
}

/// The note beside the stores that says whose folder this is.
pub(super) fn write_config(
    folder: &Path,
    statement: &SignedStatement,
    device: DeviceId,
    made_at: Timestamp,
) -> Result<(), NodeError> {
    let path = folder.join(CONFIG);
    let table = toml::Table::from_iter([
        (NAME.to_owned(), statement.statement().name.clone().into()),
        ("network".to_owned(), statement.statement().network().to_string().into()),
        ("device".to_owned(), device.to_string().into()),
        ("made_at_ms".to_owned(), made_at.0.into()),
    ]);
    let text = toml::to_string(&table);
    let text = text.map_err(|_| NodeError::store(folder, damaged("the configuration")))?;
    atomic::write_private(&path, text.as_bytes())
        .map_err(|error| NodeError::file("write", &path, error))
}

/// The network's name as the note says; empty when it cannot be read, or is longer than any is.
pub(super) fn network_name(folder: &Path) -> String {
    let mut text = String::new();
    let read = fs::File::open(folder.join(CONFIG))
        .and_then(|file| file.take(CONFIG_BYTES_MAX as u64 + 1).read_to_string(&mut text));
    if read.is_err() || text.len() > CONFIG_BYTES_MAX {
        return String::new();
    }
    let table: toml::Table = text.parse().unwrap_or_default();
    table.get(NAME).and_then(toml::Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
mod tests {
    use super::*;

    #[test]
    fn a_note_that_is_longer_than_any_of_ours_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let note = |text: &str| fs::write(folder.path().join(CONFIG), text).unwrap();
        note("name = \"Jabar\"\n");
        assert_eq!(network_name(folder.path()), "Jabar");
        let long = format!("name = \"Jabar\"\n# {}\n", "x".repeat(CONFIG_BYTES_MAX));
        note(&long);
        assert_eq!(network_name(folder.path()), "");
        note(&long[..CONFIG_BYTES_MAX]);
        assert_eq!(network_name(folder.path()), "Jabar");
    }
}
