//! How a redb file is made, opened, locked and written: the same for every store.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use redb::backends::{FileBackend, InMemoryBackend};
use redb::{Builder, Database, StorageBackend, WriteTransaction};

use super::error::{damaged, failed, failed_io};
use super::overlay::Overlay;
use crate::atomic;
use crate::guard::guarded;
use crate::ports::StoreError;

/// What a store may use of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreConfig {
    /// Bytes of pages redb keeps in memory; its own default, 1 GiB, is a whole Raspberry Pi.
    pub cache_bytes: usize,
    /// Whether every page is checked against its checksum before anything in it is trusted. It
    /// reads the whole file; without it a page that rotted is noticed when it is read, and redb may
    /// then panic instead of saying so.
    pub check_pages: bool,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { cache_bytes: 16 * 1024 * 1024, check_pages: false }
    }
}

/// Makes a new file at `path`: written beside it by `fill`, closed, and only then given its name,
/// so that a power cut leaves no file or a whole one.
///
/// # Errors
/// [`StoreError::Exists`] when something is there; else of the disk.
pub(super) fn create_file(
    path: &Path,
    config: StoreConfig,
    fill: impl FnOnce(&Database) -> Result<(), StoreError>,
) -> Result<Database, StoreError> {
    if path.try_exists().map_err(failed_io("look for the store"))? {
        return Err(StoreError::Exists);
    }
    let unfinished = unfinished(path);
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(failed_io("remove an unfinished store")(error));
        }
        _ => {}
    }
    let empty = create_private(&unfinished).map_err(failed_io("create the store"))?;
    let database = opened(|| builder(config).create_with_backend(FileBackend::new(empty)?))?;
    fill(&database)?;
    drop(database);
    fs::rename(&unfinished, path).map_err(failed_io("name the store"))?;
    sync_folder(path)?;
    open_file(path, config)
}

/// A new empty file that only its owner may read: people's data lie in it in clear until sealing
/// exists, and a copy of the folder may lie anywhere.
///
/// # Errors
/// What the disk says.
pub(super) fn create_private(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

/// Opens the file at `path` and locks it.
///
/// # Errors
/// [`StoreError::Missing`] when there is none, [`StoreError::Locked`] when another process has it,
/// [`StoreError::Damaged`] when it is no database; else of the disk.
pub(super) fn open_file(path: &Path, config: StoreConfig) -> Result<Database, StoreError> {
    let length = fs::metadata(path).map_err(failed_io("open the store"))?.len();
    if length == 0 {
        return Err(damaged("an empty file"));
    }
    opened(|| builder(config).open(path))
}

/// Opens the file at `path`; where it may only be read, over an [`Overlay`], and says so.
///
/// # Errors
/// As [`open_file`].
pub(super) fn open_or_look(
    path: &Path,
    config: StoreConfig,
) -> Result<(Database, bool), StoreError> {
    match open_file(path, config) {
        Err(StoreError::ReadOnly) => Ok((open_backend(Overlay::over(path)?, config)?, true)),
        opened => opened.map(|database| (database, false)),
    }
}

/// Opens, or with no bytes in it makes, a database on any backend.
///
/// # Errors
/// [`StoreError`] of the disk.
pub(super) fn open_backend(
    backend: impl StorageBackend,
    config: StoreConfig,
) -> Result<Database, StoreError> {
    opened(|| builder(config).create_with_backend(backend))
}

/// A write that is durable when it ends. Two phases always: we store other people's bytes, and
/// redb's one-phase commit can be fooled by bytes made to look like a finished commit.
///
/// # Errors
/// [`StoreError`] of the disk.
pub(super) fn begin_write(database: &Database) -> Result<WriteTransaction, StoreError> {
    let mut transaction = database.begin_write().map_err(failed("begin to write"))?;
    transaction.set_two_phase_commit(true);
    Ok(transaction)
}

/// Bytes the file takes on the disk: redb grows it in steps, and what was never written takes none.
///
/// # Errors
/// [`StoreError`] of the disk.
pub(super) fn file_bytes(path: &Path) -> Result<u64, StoreError> {
    let metadata = fs::metadata(path).map_err(failed_io("measure the store"))?;
    Ok(allocated(&metadata))
}

#[cfg(unix)]
fn allocated(metadata: &fs::Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    metadata.blocks() * 512
}

#[cfg(not(unix))]
fn allocated(metadata: &fs::Metadata) -> u64 {
    metadata.len()
}

/// Bytes that the disk of `path` has left for this program; `None` where the system does not say.
#[cfg(unix)]
pub(super) fn free_bytes(path: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(path).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

#[cfg(not(unix))]
pub(super) const fn free_bytes(_path: &Path) -> Option<u64> {
    None
}

/// A database that is nowhere: it stands for one whose file must be let go before it is opened again.
///
/// # Errors
/// [`StoreError`], which memory gives no reason for.
pub(super) fn nowhere() -> Result<Database, StoreError> {
    let config = StoreConfig { cache_bytes: 0, check_pages: false };
    open_backend(InMemoryBackend::new(), config)
}

/// Makes a new name in `path`'s folder durable.
///
/// # Errors
/// [`StoreError`] of the disk.
pub(super) fn sync_folder(path: &Path) -> Result<(), StoreError> {
    atomic::sync_folder(path).map_err(failed_io("sync the folder"))
}

/// Opens; redb may panic over a file whose pages were altered since it last wrote them, and to the
/// person before the screen that is damage, not a crash. Nothing half-made outlives the panic.
fn opened(
    open: impl FnOnce() -> Result<Database, redb::DatabaseError>,
) -> Result<Database, StoreError> {
    match guarded(open) {
        Ok(opened) => opened.map_err(failed("open the store")),
        Err(_) => Err(damaged("pages of the file")),
    }
}

fn builder(config: StoreConfig) -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(config.cache_bytes);
    builder.set_check_integrity_on_open(config.check_pages);
    builder
}

fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    path.with_file_name(name)
}
