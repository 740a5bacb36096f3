//! A batch under way: written by a thread of its own, so that an import verifies the next one
//! meanwhile.
//!
//! A single save never gets here: it is written at once. Nothing is answered from a state between two
//! batches: rows of the batch under way are answered from it, rows of no batch from the file as it
//! was before, and everything else waits until it is written.

use std::sync::Arc;
use std::thread::JoinHandle;

use redb::Database;

use super::{write, write_all};
use crate::ports::{RecordKey, StoreError, ViewBatch, ViewRow};

/// Rows and edits from which on a thread costs less than it saves. Tests begin far sooner.
const PARTS_MIN: usize = if cfg!(test) { 8 } else { 256 };

/// The batch that is being written, if one is.
#[derive(Debug, Default)]
pub(super) struct Behind {
    under_way: Option<UnderWay>,
    poisoned: bool,
}

#[derive(Debug)]
struct UnderWay {
    /// Its rows by key, each once.
    batch: Arc<ViewBatch>,
    thread: JoinHandle<Result<(), StoreError>>,
}

/// Whether a batch is large enough.
pub(super) const fn is_worth_a_thread(batch: &ViewBatch) -> bool {
    batch.rows.len() + batch.edits.len() >= PARTS_MIN
}

impl Behind {
    /// Begins to write a batch; none is under way.
    ///
    /// # Errors
    /// [`StoreError::Poisoned`] after a failure; [`StoreError::Io`] where there is no thread.
    pub(super) fn begin(
        &mut self,
        database: Arc<Database>,
        mut batch: ViewBatch,
    ) -> Result<(), StoreError> {
        // The last of two rows of one record counts, as when they are written one by one.
        batch.rows.reverse();
        batch.rows.sort_by_key(|row| row.key);
        batch.rows.dedup_by_key(|row| row.key);
        let batch = Arc::new(batch);
        let written = batch.clone();
        let thread = std::thread::Builder::new()
            .name("views".to_owned())
            .spawn(move || write_all(&database, false, |tx| write::commit(tx, &written)));
        let step = "begin to write the views";
        let thread = thread.map_err(|source| StoreError::Io { step, source });
        match thread {
            Ok(thread) => self.under_way = Some(UnderWay { batch, thread }),
            Err(error) => return self.note(Err(error)),
        }
        Ok(())
    }

    /// Whether a batch is being written, or its end was not waited for yet.
    pub(super) const fn is_under_way(&self) -> bool {
        self.under_way.is_some()
    }

    /// Waits until nothing is under way.
    ///
    /// # Errors
    /// What failed, once; then [`StoreError::Poisoned`].
    pub(super) fn settle(&mut self) -> Result<(), StoreError> {
        if self.poisoned {
            return Err(StoreError::Poisoned);
        }
        let Some(UnderWay { thread, .. }) = self.under_way.take() else { return Ok(()) };
        let panicked = |_| Err(super::error::damaged("the thread that writes them"));
        self.note(thread.join().unwrap_or_else(panicked))
    }

    /// Remembers a failure.
    pub(super) fn note(&mut self, written: Result<(), StoreError>) -> Result<(), StoreError> {
        self.poisoned |= written.is_err();
        written
    }

    /// Waits until nothing is under way, whatever comes of it, and refuses everything from then on.
    pub(super) fn give_up(&mut self) {
        // What failed is read anew, so nobody has to be told.
        drop(self.settle());
        self.poisoned = true;
    }

    /// The row of the batch under way, if it has one of this record.
    ///
    /// # Errors
    /// [`StoreError::Poisoned`] after a failure.
    pub(super) fn row(&self, key: &RecordKey) -> Result<Option<ViewRow>, StoreError> {
        if self.poisoned {
            return Err(StoreError::Poisoned);
        }
        let Some(UnderWay { batch, .. }) = &self.under_way else { return Ok(None) };
        let at = batch.rows.binary_search_by_key(key, |row| row.key);
        Ok(at.ok().and_then(|at| batch.rows.get(at)).cloned())
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        if let Some(UnderWay { thread, .. }) = self.under_way.take() {
            // A failure leaves the views as they were: the next start catches up.
            drop(thread.join());
        }
    }
}
