//! Both stores against what a view store does, and the file against crashes, damage and failing disks.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crdt_schema::id::StoreInstance;
use redb::backends::InMemoryBackend;
use redb::{Builder, StorageBackend};
use tempfile::TempDir;

use super::testing::{Ids, edit, row, rows, terms};
use super::{RedbViewStore, conformance, migrate};
use crate::ports::{RowFilter, StoreError, TermKind, ViewBatch, ViewRow, ViewStore};
use crate::store::memory::MemoryViewStore;

const INSTANCE: StoreInstance = StoreInstance([1; 16]);
const CACHE_BYTES: usize = 1 << 20;

fn in_memory(backend: impl StorageBackend) -> RedbViewStore {
    let database = Builder::new().create_with_backend(backend).unwrap();
    migrate::found(&database, INSTANCE).unwrap();
    RedbViewStore::over(database, None)
}

fn open(path: &Path) -> RedbViewStore {
    RedbViewStore::open_or_create(path, INSTANCE, CACHE_BYTES).unwrap()
}

mod on_disk {
    use super::*;
    conformance::conform!(in_memory(InMemoryBackend::new()));
}

mod in_memory {
    use super::*;
    conformance::conform!(MemoryViewStore::new());
}

#[test]
fn views_read_anew_answer_as_before_and_take_more() {
    let folder = TempDir::new().unwrap();
    let mut views = open(&folder.path().join("view.redb"));
    views.commit(batch(1), true).unwrap();
    views.reopen().unwrap();
    assert_holds(&views, 1);
    views.commit(batch(2), true).unwrap();
    assert_holds(&views, 2);
}

/// A batch of ten people, of its own.
fn batch(applied: u8) -> ViewBatch {
    let person =
        |n| ViewRow { terms: terms(&[(TermKind::Name, "siti")]), ..row(1, applied * 10 + n) };
    let people: Vec<_> = (0..10).map(person).collect();
    let edits =
        people.iter().map(|row| (row.key, edit(1, u64::from(row.key.record.0[0])))).collect();
    ViewBatch { edits, ..rows(u64::from(applied), &people) }
}

/// A long state that nothing makes shorter.
fn noise(seed: u8) -> Vec<u8> {
    let mut bytes = vec![0; 20_000];
    blake3::Hasher::new().update(&[seed]).finalize_xof().fill(&mut bytes);
    bytes
}

/// That the store holds the batches up to `applied`, and nothing else.
fn assert_holds(store: &RedbViewStore, applied: u8) {
    let people = u64::from(applied) * 10;
    assert_eq!(store.applied().unwrap(), u64::from(applied));
    assert_eq!(store.totals().unwrap().records, people);
    let named = RowFilter { terms: terms(&[(TermKind::Name, "s")]), ..RowFilter::default() };
    for filter in [RowFilter::default(), named] {
        let (total, rows) = store.list(&filter, None, usize::MAX, &Ids).unwrap();
        assert_eq!((total, rows.len() as u64), (people, people));
        assert!(rows.iter().all(|row| store.edits(&row.key, &Ids).unwrap().len() == 1));
    }
}

#[test]
fn a_kill_loses_only_commits_since_the_durable_one_and_they_come_again() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("view.redb");
    let mut store = open(&path);
    store.commit(batch(1), true).unwrap();
    for applied in 2..=4 {
        store.commit(batch(applied), false).unwrap();
        assert_holds(&store, applied);
    }
    // What a kill leaves is what lies on the disk while the store is open.
    let killed = folder.path().join("killed.redb");
    fs::copy(&path, &killed).unwrap();
    let mut caught_up = open(&killed);
    assert_holds(&caught_up, 1);
    for applied in 2..=4 {
        caught_up.commit(batch(applied), applied == 4).unwrap();
    }
    assert_holds(&caught_up, 4);

    drop(caught_up);

    store.commit(batch(5), true).unwrap();
    fs::copy(&path, &killed).unwrap();
    assert_holds(&open(&killed), 5);
}

#[test]
fn an_orderly_end_keeps_what_was_not_durable_whole() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("view.redb");
    let mut store = open(&path);
    store.commit(batch(1), true).unwrap();
    store.commit(batch(2), false).unwrap();
    drop(store);
    let store = open(&path);
    let applied = store.applied().unwrap();
    assert!((1..=2).contains(&applied));
    assert_holds(&store, u8::try_from(applied).unwrap());
}

#[test]
fn views_of_another_store_or_format_are_made_anew() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("view.redb");
    let filled = || {
        let mut store = open(&path);
        store.commit(batch(1), true).unwrap();
        store
    };
    drop(filled());
    assert_holds(&open(&path), 1);
    let other = RedbViewStore::open_or_create(&path, StoreInstance([2; 16]), CACHE_BYTES).unwrap();
    assert_holds(&other, 0);
    drop(other);

    let store = filled();
    super::write_all(&store.database, true, |tx| {
        let mut meta = tx.open_table(super::tables::META).unwrap();
        meta.insert(super::tables::META_FORMAT, u32::MAX.to_be_bytes().as_slice()).unwrap();
        Ok(())
    })
    .unwrap();
    drop(store);
    assert_holds(&open(&path), 0);
}

#[test]
fn a_file_that_is_none_of_ours_is_made_anew() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("view.redb");
    for bytes in [Vec::new(), b"not a database".to_vec(), vec![0; 9000], vec![0xff; 20_000]] {
        fs::write(&path, bytes).unwrap();
        assert_holds(&open(&path), 0);
    }
    drop(Builder::new().create(folder.path().join("bare.redb")).unwrap());
    fs::copy(folder.path().join("bare.redb"), &path).unwrap();
    assert_holds(&open(&path), 0);
}

#[test]
fn a_damaged_file_is_used_whole_or_made_anew() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("view.redb");
    let mut store = open(&path);
    for applied in 1..=3 {
        store.commit(batch(applied), true).unwrap();
    }
    drop(store);
    let good = fs::read(&path).unwrap();
    let mut anew = 0;
    let flips = (0..good.len()).step_by(good.len() / 97).chain((0..320).step_by(16));
    let cuts = (0..good.len())
        .step_by(good.len() / 19)
        .map(|end| good.iter().take(end).copied().collect());
    let flipped = flips.map(|at| {
        let mut bytes = good.clone();
        *bytes.get_mut(at).unwrap() ^= 0x11;
        bytes
    });
    for bytes in flipped.chain(cuts) {
        fs::write(&path, bytes).unwrap();
        let store = open(&path);
        let applied = u8::try_from(store.applied().unwrap()).unwrap();
        anew += usize::from(applied == 0);
        assert_holds(&store, applied);
    }
    assert!(anew > 19, "{anew}");
}

#[test]
fn compacting_gives_space_back_and_loses_nothing() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("view.redb");
    let mut store = open(&path);
    for applied in 1..=9 {
        let mut batch = batch(applied);
        batch.rows.iter_mut().for_each(|row| row.state = noise(applied));
        store.commit(batch, true).unwrap();
    }
    store.clear().unwrap();
    store.commit(batch(1), false).unwrap();
    let before = fs::metadata(&path).unwrap().len();
    store.compact().unwrap();
    assert!(fs::metadata(&path).unwrap().len() < before / 2);
    assert_holds(&store, 1);
    drop(store);
    assert_holds(&open(&path), 1);
}

#[test]
fn an_open_file_is_locked_and_kept() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("view.redb");
    let mut store = open(&path);
    store.commit(batch(1), true).unwrap();
    let second = RedbViewStore::open_or_create(&path, StoreInstance([2; 16]), CACHE_BYTES);
    assert!(matches!(second, Err(StoreError::Locked)));
    assert_holds(&store, 1);
}

/// A disk that can fail.
#[derive(Debug, Default)]
struct Disk {
    bytes: InMemoryBackend,
    full: Arc<AtomicBool>,
}

impl Disk {
    fn room(&self) -> std::io::Result<()> {
        let full = self.full.load(Ordering::SeqCst);
        if full { Err(std::io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> std::io::Result<u64> {
        self.bytes.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        self.bytes.read(offset, out)
    }
    fn set_len(&self, len: u64) -> std::io::Result<()> {
        self.room()?;
        self.bytes.set_len(len)
    }
    fn sync_data(&self) -> std::io::Result<()> {
        self.room()?;
        self.bytes.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
        self.room()?;
        self.bytes.write(offset, data)
    }
}

#[test]
fn after_a_failed_write_the_handle_refuses_everything() {
    let disk = Disk::default();
    let full = Arc::clone(&disk.full);
    let mut store = in_memory(disk);
    store.commit(batch(1), true).unwrap();
    full.store(true, Ordering::SeqCst);
    assert!(matches!(store.commit(batch(2), true), Err(StoreError::Full)));
    full.store(false, Ordering::SeqCst);
    assert!(matches!(store.commit(batch(2), true), Err(StoreError::Poisoned)));
    assert!(matches!(store.applied(), Err(StoreError::Poisoned)));
    assert!(matches!(store.clear(), Err(StoreError::Poisoned)));
}

#[test]
fn a_batch_that_a_thread_writes_is_seen_as_if_it_were_written() {
    let mut store = in_memory(InMemoryBackend::new());
    let (one, two) = (batch(1), batch(2));
    assert!(super::behind::is_worth_a_thread(&one));
    let [old, same] = [one.rows[0].clone(), one.rows[1].clone()];
    let new = ViewRow { state: vec![7; 40], ..old.clone() };
    store.commit(one, false).unwrap();
    assert_eq!(store.row(&old.key, &Ids).unwrap(), Some(old.clone()));
    let mut two = ViewBatch { rows: [two.rows, vec![old.clone(), new.clone()]].concat(), ..two };
    two.applied = 2;
    store.commit(two, false).unwrap();
    // Of the batch under way, the last row of its record; of no batch, as it was written before.
    assert_eq!(store.row(&new.key, &Ids).unwrap(), Some(new));
    assert_eq!(store.row(&same.key, &Ids).unwrap(), Some(same));
    assert_holds(&store, 2);
}

#[test]
fn no_row_of_before_is_answered_once_a_batch_under_way_was_waited_for() {
    let mut store = in_memory(InMemoryBackend::new());
    let one = batch(1);
    let [other, old] = [one.rows[0].clone(), one.rows[1].clone()];
    store.commit(one, true).unwrap();
    // As many rows as take a thread far longer than a look at one that is not among them.
    let new = ViewRow { state: vec![7; 40], ..old };
    let mut large: Vec<ViewRow> = (0..40).flat_map(|_| batch(2).rows).collect();
    for (number, row) in (0u16..).zip(&mut large) {
        row.key.record.0[..2].copy_from_slice(&number.to_be_bytes());
    }
    large.push(new.clone());
    store.commit(ViewBatch { applied: 2, rows: large, ..ViewBatch::default() }, false).unwrap();
    assert_eq!(store.row(&other.key, &Ids).unwrap(), Some(other));
    assert_eq!(store.applied().unwrap(), 2);
    assert_eq!(store.row(&new.key, &Ids).unwrap(), Some(new));
}

#[test]
fn a_failure_of_the_thread_is_said_by_what_is_asked_next() {
    let disk = Disk::default();
    let full = Arc::clone(&disk.full);
    let mut store = in_memory(disk);
    store.commit(batch(1), true).unwrap();
    full.store(true, Ordering::SeqCst);
    let mut large = batch(2);
    large.rows.iter_mut().for_each(|row| row.state = noise(2).repeat(20));
    store.commit(large, false).unwrap();
    assert!(matches!(store.totals(), Err(StoreError::Full)));
    assert!(matches!(store.row(&row(1, 10).key, &Ids), Err(StoreError::Poisoned)));
    assert!(matches!(store.commit(batch(3), false), Err(StoreError::Poisoned)));
}

#[test]
fn a_list_that_does_not_fit_its_rows_is_damage_and_nothing_is_written() {
    let mut store = in_memory(InMemoryBackend::new());
    store.commit(batch(1), true).unwrap();
    super::write_all(&store.database, true, |tx| {
        tx.delete_table(super::tables::TERMS).unwrap();
        tx.open_table(super::tables::TERMS).map(drop).unwrap();
        Ok(())
    })
    .unwrap();
    let renamed =
        ViewRow { terms: terms(&[(TermKind::Name, "budi")]), ..batch(1).rows.swap_remove(0) };
    assert!(matches!(store.commit(rows(2, &[renamed]), true), Err(StoreError::Damaged { .. })));
    let RedbViewStore { database, .. } = store;
    let reopened = RedbViewStore::over(Arc::into_inner(database).unwrap(), None);
    assert_eq!(reopened.applied().unwrap(), 1);
}
