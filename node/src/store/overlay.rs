//! A file that may not be written, as a backend that may: what is written stays in memory and is
//! gone with it.
//!
//! A register on a stick with its lock on, or in a folder of another account, can so be looked at,
//! checked and copied, also after a crash, which redb mends before it reads. Whoever opens a store
//! over one must refuse to commit: nothing of it would last.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

use super::error::failed_io;
use crate::ports::StoreError;

/// Bytes of a piece that is kept once something in it was written: a page of redb's.
const PIECE: usize = 4_096;

/// The file and what was written over it.
pub(super) struct Overlay(Mutex<Over>);

struct Over {
    file: File,
    /// Bytes of the file that still show through.
    shown: u64,
    length: u64,
    pieces: BTreeMap<u64, Vec<u8>>,
}

impl fmt::Debug for Overlay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Overlay(..)")
    }
}

impl Overlay {
    /// Over the file at `path`, which nobody may be writing meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when a process that may write has it open; [`StoreError::ReadOnly`]
    /// when this account may not even read it; else of the disk.
    pub(super) fn over(path: &Path) -> Result<Self, StoreError> {
        let file = File::open(path).map_err(failed_io("open the store"))?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => return Err(StoreError::Locked),
            // Some media know no locks; what may not be written there changes under nobody.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        let length = file.metadata().map_err(failed_io("measure the store"))?.len();
        Ok(Self(Mutex::new(Over { file, shown: length, length, pieces: BTreeMap::new() })))
    }

    fn over_all(&self) -> MutexGuard<'_, Over> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Over {
    /// A piece as it is now.
    fn piece(&mut self, number: u64) -> io::Result<Vec<u8>> {
        if let Some(piece) = self.pieces.get(&number) {
            return Ok(piece.clone());
        }
        let mut piece = vec![0; PIECE];
        let from = number * PIECE as u64;
        let shown = self.shown.saturating_sub(from).min(PIECE as u64);
        let shown = usize::try_from(shown).unwrap_or(PIECE);
        if let Some(part) = piece.get_mut(..shown).filter(|part| !part.is_empty()) {
            self.file.seek(SeekFrom::Start(from))?;
            self.file.read_exact(part)?;
        }
        Ok(piece)
    }

    /// Hands every piece of a range to `touch` with the places in it and in the range.
    fn each(
        &mut self,
        offset: u64,
        length: usize,
        mut touch: impl FnMut(&mut Self, u64, usize, usize, usize) -> io::Result<()>,
    ) -> io::Result<()> {
        let end = offset.checked_add(length as u64).ok_or(io::ErrorKind::InvalidInput)?;
        if end > self.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut done = 0;
        while done < length {
            let at = offset + done as u64;
            let inside = usize::try_from(at % PIECE as u64).unwrap_or_default();
            let count = (PIECE - inside).min(length - done);
            touch(self, at / PIECE as u64, inside, done, count)?;
            done += count;
        }
        Ok(())
    }
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.over_all().length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.over_all().each(offset, out.len(), |over, number, inside, done, count| {
            let piece = over.piece(number)?;
            let from = piece.get(inside..inside + count);
            if let (Some(to), Some(from)) = (out.get_mut(done..done + count), from) {
                to.copy_from_slice(from);
            }
            Ok(())
        })
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut over = self.over_all();
        over.length = length;
        over.shown = over.shown.min(length);
        // What is grown again later is nought.
        over.pieces.retain(|number, _| number * (PIECE as u64) < length);
        let inside = usize::try_from(length % PIECE as u64).unwrap_or_default();
        if let Some(last) = over.pieces.get_mut(&(length / PIECE as u64)) {
            last.iter_mut().skip(inside).for_each(|byte| *byte = 0);
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.over_all().each(offset, data.len(), |over, number, inside, done, count| {
            let mut piece = over.piece(number)?;
            let from = data.get(done..done + count);
            if let (Some(to), Some(from)) = (piece.get_mut(inside..inside + count), from) {
                to.copy_from_slice(from);
            }
            over.pieces.insert(number, piece);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_reads_as_the_file_would_had_it_been_written_and_the_file_stays(
            start in proptest::collection::vec(any::<u8>(), 0..10_000),
            steps in proptest::collection::vec((any::<bool>(), 0_usize..16_000, 0_usize..6_000), 0..20),
        ) {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), &start).unwrap();
            let overlay = Overlay::over(file.path()).unwrap();
            let mut model = start.clone();
            for (is_write, at, count) in steps {
                if is_write {
                    let data: Vec<u8> = (0..count).map(|n| (n + at).to_le_bytes()[0] | 1).collect();
                    let fits = at + count <= model.len();
                    prop_assert_eq!(overlay.write(at as u64, &data).is_ok(), fits);
                    if fits {
                        model.splice(at..at + count, data);
                    }
                } else {
                    overlay.set_len(at as u64).unwrap();
                    model.resize(at, 0);
                }
                let mut all = vec![0; model.len()];
                overlay.read(0, &mut all).unwrap();
                prop_assert_eq!(&all, &model);
            }
            prop_assert_eq!(std::fs::read(file.path()).unwrap(), start);
        }
    }

    #[test]
    fn a_database_that_is_open_is_locked_and_one_that_is_closed_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.redb");
        let open = redb::Database::create(&path).unwrap();
        assert!(matches!(Overlay::over(&path), Err(StoreError::Locked)));
        drop(open);
        Overlay::over(&path).map(drop).unwrap();
        Overlay::over(&path).map(|_| Overlay::over(&path).map(drop)).unwrap().unwrap();
    }
}
