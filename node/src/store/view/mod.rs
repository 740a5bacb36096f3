//! The view store on disk: `view.redb`, derived from the feeds and thrown away when in doubt.
//!
//! ```text
//! tables.rs   which tables there are             keys.rs    what is compared as bytes
//! codec.rs    rows and edits as values           read.rs    answers
//! write.rs    one commit                         migrate.rs opening, and making anew
//! ```
//!
//! Lists show rows of every verdict; terms and counts know only counting ones, so a filter with a
//! term shows only those. Commits that are not durable are seen at once and reach the disk with the
//! next durable one, in order: after a crash the file is as of some earlier commit, with its
//! `applied`. After a failed write the handle refuses everything.

mod codec;
mod error;
mod keys;
mod migrate;
mod read;
mod tables;
mod write;

#[cfg(test)]
pub(crate) mod conformance;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crdt_schema::id::StoreInstance;
use redb::{
    Database, Durability, ReadTransaction, ReadableDatabase, StorageBackend, WriteTransaction,
};

use self::error::AtStep;
use crate::ports::{
    CountRow, EditRef, RecordKey, RowFilter, StoreError, Totals, ViewBatch, ViewRow, ViewStore,
};

/// Views in a redb file.
#[derive(Debug)]
pub struct RedbViewStore {
    /// The rows as of the last write, opened once for all that are read before the next: a batch
    /// of an import asks for thousands. Let go before anything is written, or old pages would stay.
    rows: Mutex<Option<read::Records>>,
    database: Database,
    poisoned: bool,
}

impl RedbViewStore {
    /// Opens the views derived from the feed store `instance`, with a cache of at most
    /// `cache_bytes`. A file that is missing, damaged, of another format or of another instance is
    /// made anew: [`ViewStore::applied`] is then 0.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process has the file open; [`StoreError::ReadOnly`],
    /// [`StoreError::Full`] or [`StoreError::Io`] of the disk.
    pub fn open_or_create(
        path: &Path,
        instance: StoreInstance,
        cache_bytes: usize,
    ) -> Result<Self, StoreError> {
        migrate::open_or_create(path, instance, cache_bytes).map(Self::over)
    }

    /// Makes new views on a backend without bytes: a disk that a test or a measure controls.
    ///
    /// # Errors
    /// [`StoreError`] of the disk.
    pub fn create_on(
        backend: impl StorageBackend,
        instance: StoreInstance,
        cache_bytes: usize,
    ) -> Result<Self, StoreError> {
        migrate::create_on(backend, instance, cache_bytes).map(Self::over)
    }

    /// Opens views on a backend that has bytes; `None` when they are not those of this instance.
    ///
    /// # Errors
    /// [`StoreError`] of the disk, or of damage.
    pub fn open_on(
        backend: impl StorageBackend,
        instance: StoreInstance,
        cache_bytes: usize,
    ) -> Result<Option<Self>, StoreError> {
        Ok(migrate::open_on(backend, instance, cache_bytes)?.map(Self::over))
    }

    fn over(database: Database) -> Self {
        Self { rows: Mutex::new(None), database, poisoned: false }
    }

    fn let_go(&mut self) {
        *self.rows.get_mut().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn usable(&self) -> Result<(), StoreError> {
        if self.poisoned { Err(StoreError::Poisoned) } else { Ok(()) }
    }

    fn reading(&self) -> Result<ReadTransaction, StoreError> {
        self.usable()?;
        self.database.begin_read().at("read the views")
    }

    fn write(
        &mut self,
        durable: bool,
        work: impl FnOnce(&WriteTransaction) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.usable()?;
        self.let_go();
        let written = write_all(&self.database, durable, work);
        self.poisoned = written.is_err();
        written
    }
}

/// Runs `work` in a transaction: everything it wrote, or nothing.
fn write_all(
    database: &Database,
    durable: bool,
    work: impl FnOnce(&WriteTransaction) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    const STEP: &str = "write the views";
    let mut tx = database.begin_write().at(STEP)?;
    // Other people's bytes are stored: a commit must not be forged out of parts of one.
    tx.set_two_phase_commit(true);
    tx.set_durability(if durable { Durability::Immediate } else { Durability::None }).at(STEP)?;
    work(&tx)?;
    tx.commit().at(STEP)
}

impl ViewStore for RedbViewStore {
    fn applied(&self) -> Result<u64, StoreError> {
        read::applied(&self.reading()?)
    }

    fn row(&self, key: &RecordKey) -> Result<Option<ViewRow>, StoreError> {
        self.usable()?;
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = match &mut *rows {
            Some(rows) => rows,
            none => none.insert(read::records(&self.reading()?)?),
        };
        read::row(rows, key)
    }

    fn find(&self, hex_prefix: &str) -> Result<Vec<RecordKey>, StoreError> {
        read::find(&self.reading()?, hex_prefix)
    }

    fn edits(&self, key: &RecordKey) -> Result<Vec<EditRef>, StoreError> {
        read::edits(&self.reading()?, key)
    }

    fn commit(&mut self, batch: &ViewBatch, durable: bool) -> Result<(), StoreError> {
        self.write(durable, |tx| write::commit(tx, batch))
    }

    fn list(
        &self,
        filter: &RowFilter,
        after: Option<&RecordKey>,
        limit: usize,
    ) -> Result<(u64, Vec<ViewRow>), StoreError> {
        read::list(&self.reading()?, filter, after, limit)
    }

    fn totals(&self) -> Result<Totals, StoreError> {
        read::totals(&self.reading()?)
    }

    fn counts(&self) -> Result<Vec<CountRow>, StoreError> {
        read::counts(&self.reading()?)
    }

    fn clear(&mut self) -> Result<(), StoreError> {
        self.write(true, migrate::make_empty)
    }

    fn compact(&mut self) -> Result<(), StoreError> {
        self.usable()?;
        self.let_go();
        let compacted = self.database.compact().at("compact the views").map(drop);
        self.poisoned = compacted.is_err();
        compacted
    }
}
