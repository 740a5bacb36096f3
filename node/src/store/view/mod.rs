//! The view store on disk: `view.redb`, derived from the feeds and thrown away when in doubt.
//!
//! ```text
//! tables.rs   which tables there are             keys.rs    what is compared as bytes
//! codec.rs    rows as values                     edits.rs   the edits beside a row
//! ids.rs      entry ids, as numbers of edits     squeeze.rs what is left, with a dictionary
//! read.rs     answers                            write.rs   one commit
//! behind.rs   a batch under way                  migrate.rs opening, and making anew
//! ```
//!
//! Lists show rows of every verdict; terms and counts know only counting ones, so a filter with a
//! term shows only those. Commits that are not durable are seen at once and reach the disk with the
//! next durable one, in order: after a crash the file is as of some earlier commit, with its
//! `applied`. Large ones are written by a thread while the next batch is verified; whoever asks for
//! more than a row waits for it. After a failed write the handle refuses everything.

mod behind;
mod codec;
mod edits;
mod error;
mod ids;
mod keys;
mod migrate;
mod read;
mod squeeze;
mod tables;
mod write;

#[cfg(test)]
pub(crate) mod conformance;
#[cfg(test)]
mod model;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crdt_schema::id::StoreInstance;
use redb::{
    Database, Durability, ReadTransaction, ReadableDatabase, StorageBackend, WriteTransaction,
};

use self::behind::Behind;
pub use self::codec::body;
#[doc(hidden)]
pub use self::codec::record_again;
use self::error::AtStep;
use super::open::nowhere;
use crate::ports::{
    CountRow, EditRef, EntryIds, RecordKey, RowFilter, StoreError, Totals, ViewBatch, ViewRow,
    ViewStore,
};

/// Views in a redb file.
#[derive(Debug)]
pub struct RedbViewStore {
    /// The batch that is being written, and whether one failed. Ends before the file is closed.
    behind: Mutex<Behind>,
    /// The rows as of the last write, opened once for all that are read before the next: a batch
    /// of an import asks for thousands. Let go before anything is written, or old pages would stay.
    rows: Mutex<Option<read::Rows>>,
    database: Arc<Database>,
    /// Where they were opened; `None` on a backend, which is opened once.
    home: Option<Home>,
}

/// What opens views again.
#[derive(Debug, Clone)]
struct Home {
    path: PathBuf,
    instance: StoreInstance,
    cache_bytes: usize,
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
        let home = Home { path: path.to_path_buf(), instance, cache_bytes };
        let database = migrate::open_or_create(path, instance, cache_bytes)?;
        Ok(Self::over(database, Some(home)))
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
        let database = migrate::create_on(backend, instance, cache_bytes)?;
        Ok(Self::over(database, None))
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
        Ok(migrate::open_on(backend, instance, cache_bytes)?
            .map(|database| Self::over(database, None)))
    }

    fn over(database: Database, home: Option<Home>) -> Self {
        let (behind, rows) = (Mutex::new(Behind::default()), Mutex::new(None));
        Self { behind, rows, database: Arc::new(database), home }
    }

    fn let_go(&mut self) {
        *self.rows.get_mut().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// A view of everything that was committed, what is under way included. Once that is written its
    /// rows are no longer answered from it: rows of before must not be either.
    fn reading(&self) -> Result<ReadTransaction, StoreError> {
        let mut behind = self.behind.lock().unwrap_or_else(PoisonError::into_inner);
        if behind.is_under_way() {
            *self.rows.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        behind.settle()?;
        drop(behind);
        self.database.begin_read().at("read the views")
    }

    fn write(
        &mut self,
        durable: bool,
        work: impl FnOnce(&WriteTransaction) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.let_go();
        let behind = self.behind.get_mut().unwrap_or_else(PoisonError::into_inner);
        behind.settle()?;
        let written = write_all(&self.database, durable, work);
        behind.note(written)
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

    fn row(&self, key: &RecordKey, ids: &dyn EntryIds) -> Result<Option<ViewRow>, StoreError> {
        let behind = self.behind.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(row) = behind.row(key)? {
            return Ok(Some(row));
        }
        drop(behind);
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = match &mut *rows {
            Some(rows) => rows,
            // As of before what is under way, which has no row of this record.
            none => none.insert(read::rows(&self.database.begin_read().at("read the views")?)?),
        };
        read::row(rows, key, ids)
    }

    fn find(&self, hex_prefix: &str) -> Result<Vec<RecordKey>, StoreError> {
        read::find(&self.reading()?, hex_prefix)
    }

    fn edits(&self, key: &RecordKey, ids: &dyn EntryIds) -> Result<Vec<EditRef>, StoreError> {
        read::edits(&self.reading()?, key, ids)
    }

    fn commit(&mut self, batch: ViewBatch, durable: bool) -> Result<(), StoreError> {
        if durable || !behind::is_worth_a_thread(&batch) {
            return self.write(durable, |tx| write::commit(tx, &batch));
        }
        self.let_go();
        let behind = self.behind.get_mut().unwrap_or_else(PoisonError::into_inner);
        behind.settle()?;
        behind.begin(self.database.clone(), batch)
    }

    fn list(
        &self,
        filter: &RowFilter,
        after: Option<&RecordKey>,
        limit: usize,
        ids: &dyn EntryIds,
    ) -> Result<(u64, Vec<ViewRow>), StoreError> {
        read::list(&self.reading()?, filter, after, limit, ids)
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

    fn reopen(&mut self) -> Result<(), StoreError> {
        let Some(home) = self.home.clone() else { return Ok(()) };
        self.let_go();
        // What could not be written refuses everything until it was read again.
        self.behind.get_mut().unwrap_or_else(PoisonError::into_inner).give_up();
        drop(std::mem::replace(&mut self.database, Arc::new(nowhere()?)));
        *self = Self::open_or_create(&home.path, home.instance, home.cache_bytes)?;
        Ok(())
    }

    fn compact(&mut self) -> Result<(), StoreError> {
        self.let_go();
        let behind = self.behind.get_mut().unwrap_or_else(PoisonError::into_inner);
        behind.settle()?;
        // Nobody else has it: the thread that wrote has ended.
        let Some(database) = Arc::get_mut(&mut self.database) else {
            return Err(StoreError::Misuse("compacting while the views are read"));
        };
        let compacted = database.compact().at("compact the views").map(drop);
        behind.note(compacted)
    }
}
