//! Opening `view.redb`: what this build knows is used, anything else is made anew.
//!
//! Views are derived, so there is nothing to migrate: a file of another format, of another feed
//! store, or damaged is thrown away, and the replica fills the new one from the feeds.

use std::fs;
use std::io;
use std::path::Path;

use crdt_schema::id::StoreInstance;
use redb::backends::FileBackend;
use redb::{
    Builder, Database, ReadableDatabase, StorageBackend, TableDefinition, WriteTransaction,
    backends::InMemoryBackend,
};

use super::error::{AtStep, io_error};
use super::{read, tables, write_all};
use crate::guard::guarded;
use crate::ports::StoreError;
use crate::store::open::create_private;
use crate::store::overlay::Overlay;

/// Layout of the file, and the rules its rows were folded by (ADR 0036 was the last). A change of any
/// takes the next number, and the views are made anew.
const FORMAT: u32 = 6;
/// Files up to this size are checked, every page, each time they are opened: it takes a fraction
/// of a second. Larger ones only after a crash, by redb itself.
const CHECK_BYTES_MAX: u64 = 64 << 20;

const STEP: &str = "open the views";

/// The file of these views, made anew when it is none of ours.
///
/// # Errors
/// [`StoreError::Locked`] when another process has it open; else of the disk.
pub(super) fn open_or_create(
    path: &Path,
    instance: StoreInstance,
    cache_bytes: usize,
) -> Result<Database, StoreError> {
    let opened = match open(path, instance, cache_bytes) {
        Ok(Some(database)) => Ok(database),
        Ok(None) | Err(StoreError::Damaged { .. }) => create(path, instance, cache_bytes),
        Err(error) => Err(error),
    };
    match opened {
        Err(StoreError::ReadOnly) => look(path, instance, cache_bytes),
        opened => opened,
    }
}

/// Views in memory where the folder may only be read: over the file where it is ours, else empty.
fn look(path: &Path, instance: StoreInstance, cache_bytes: usize) -> Result<Database, StoreError> {
    let over = |file: Overlay| {
        let mut builder = Builder::new();
        builder.set_cache_size(cache_bytes).set_check_integrity_on_open(true);
        let opened = guarded(|| {
            let database = builder.create_with_backend(file).at(STEP)?;
            Ok::<_, StoreError>(is_ours(&database, instance)?.then_some(database))
        });
        opened.ok().and_then(Result::ok).flatten()
    };
    match Overlay::over(path) {
        Err(StoreError::Locked) => Err(StoreError::Locked),
        file => match file.ok().and_then(over) {
            Some(database) => Ok(database),
            None => create_on(InMemoryBackend::new(), instance, cache_bytes),
        },
    }
}

/// The file as it is; `None` when there is none, or it belongs to another store or format.
fn open(
    path: &Path,
    instance: StoreInstance,
    cache_bytes: usize,
) -> Result<Option<Database>, StoreError> {
    let size = match fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error(STEP, error)),
    };
    let mut builder = Builder::new();
    builder.set_cache_size(cache_bytes).set_check_integrity_on_open(size <= CHECK_BYTES_MAX);
    // redb may panic over pages that rotted, and views that rotted are made anew.
    let opened = guarded(|| {
        let database = builder.open(path).at(STEP)?;
        Ok(is_ours(&database, instance)?.then_some(database))
    });
    opened.unwrap_or_else(|_| Err(StoreError::Damaged { what: "pages of the views".to_owned() }))
}

fn is_ours(database: &Database, instance: StoreInstance) -> Result<bool, StoreError> {
    let tx = database.begin_read().at(STEP)?;
    let format = read::meta(&tx, tables::META_FORMAT)?;
    Ok(u32::from_be_bytes(format) == FORMAT
        && read::meta(&tx, tables::META_INSTANCE)? == instance.0)
}

fn create(
    path: &Path,
    instance: StoreInstance,
    cache_bytes: usize,
) -> Result<Database, StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(io_error("throw the old views away", error));
        }
        Ok(()) | Err(_) => {}
    }
    let file = create_private(path).map_err(|error| io_error("create the views", error))?;
    let backend = FileBackend::new(file).at(STEP)?;
    let mut builder = Builder::new();
    let database = builder.set_cache_size(cache_bytes).create_with_backend(backend).at(STEP)?;
    found(&database, instance)?;
    Ok(database)
}

/// Views on a backend as they are; `None` when they are not ours.
///
/// # Errors
/// [`StoreError`] of the disk.
pub(super) fn open_on(
    backend: impl StorageBackend,
    instance: StoreInstance,
    cache_bytes: usize,
) -> Result<Option<Database>, StoreError> {
    let mut builder = Builder::new();
    builder.set_cache_size(cache_bytes).set_check_integrity_on_open(true);
    let database = builder.create_with_backend(backend).at(STEP)?;
    Ok(is_ours(&database, instance)?.then_some(database))
}

/// Views made anew on a backend without bytes.
///
/// # Errors
/// [`StoreError`] of the disk.
pub(super) fn create_on(
    backend: impl StorageBackend,
    instance: StoreInstance,
    cache_bytes: usize,
) -> Result<Database, StoreError> {
    let mut builder = Builder::new();
    let database = builder.set_cache_size(cache_bytes).create_with_backend(backend).at(STEP)?;
    found(&database, instance)?;
    Ok(database)
}

/// Lays empty views into an empty database, durably.
///
/// # Errors
/// [`StoreError`] of the disk.
pub(super) fn found(database: &Database, instance: StoreInstance) -> Result<(), StoreError> {
    write_all(database, true, |tx| {
        let mut meta = tx.open_table(tables::META).at(STEP)?;
        meta.insert(tables::META_FORMAT, FORMAT.to_be_bytes().as_slice()).at(STEP)?;
        meta.insert(tables::META_INSTANCE, instance.0.as_slice()).at(STEP)?;
        drop(meta);
        make_empty(tx)
    })
}

/// Forgets every row, edit, list and sum; format and instance stay.
///
/// # Errors
/// [`StoreError`] of the disk.
pub(super) fn make_empty(tx: &WriteTransaction) -> Result<(), StoreError> {
    renew(tx, tables::RECORDS)?;
    renew(tx, tables::BY_ID)?;
    renew(tx, tables::CONFLICTS)?;
    renew(tx, tables::GROUPS)?;
    renew(tx, tables::TERMS)?;
    renew(tx, tables::COUNTS)?;
    renew(tx, tables::FEEDS)?;
    renew(tx, tables::NUMBERS)?;
    let mut meta = tx.open_table(tables::META).at(STEP)?;
    meta.insert(tables::META_APPLIED, [0; 8].as_slice()).at(STEP)?;
    meta.insert(tables::META_TOTALS, [0; 40].as_slice()).at(STEP)?;
    Ok(())
}

/// Deletes a table and makes it again, so that readers always find it.
fn renew<K: redb::Key + 'static, V: redb::Value + 'static>(
    tx: &WriteTransaction,
    table: TableDefinition<'_, K, V>,
) -> Result<(), StoreError> {
    tx.delete_table(table).at(STEP)?;
    tx.open_table(table).at(STEP).map(drop)
}
