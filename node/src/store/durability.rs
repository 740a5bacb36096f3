//! What only a disk can show: power cut at every write, no room left, bytes that changed, and how much
//! one save writes.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

use std::collections::BTreeMap;

use super::StoreConfig;
use super::conformance::{AREA, Everything, OTHER_AREA, SMALL, damage, everything};
use super::feed::testing::alter_value;
use super::feed::{RedbFeedStore, ScanStep};
use super::memory::MemoryFeedStore;
use super::testing::{Author, Dice, Disk, INSTANCE, NOON, batch, body};
use crate::ports::{FeedBatch, FeedStore, PlacedRun, StoreError};

const CAREFUL: StoreConfig = StoreConfig { check_pages: true, ..SMALL };

/// Six commits of every kind on a store that already holds something.
fn workload() -> Vec<FeedBatch> {
    let (mut author, mut other) = (Author::new(1, AREA), Author::new(2, OTHER_AREA));
    let mut batches = vec![batch(&author, 0, None, author.clone().edit(&[1]))];
    author.edit(&[1]);
    let mut clone = author.clone();
    let run = author.edit(&(0..60).collect::<Vec<_>>());
    batches.push(batch(&author, 0, None, run));
    let mut runs = vec![PlacedRun { branch: 0, from: None, run: author.edit(&[3, 4, 5]) }];
    for run in other.fill(400, 90) {
        runs.push(PlacedRun { branch: 0, from: None, run });
    }
    let values = vec![(b"peer".to_vec(), Some(vec![5; 600]))];
    batches.push(FeedBatch { new_feeds: vec![other.name], runs, values });
    let run = clone.edit(&[8]);
    batches.push(batch(&clone, 1, Some((0, 1)), run));
    let run = other.write(&[(1, body(1, 9_000)), (2, body(2, 16_000))]);
    batches.push(batch(&other, 0, None, run));
    let run = author.edit(&[6]);
    let values = vec![(b"peer".to_vec(), None)];
    batches.push(FeedBatch { values, ..batch(&author, 0, None, run) });
    batches
}

/// What memory answers after each of the workload's commits, from none on.
fn states(batches: &[FeedBatch]) -> Vec<Everything> {
    let mut memory = MemoryFeedStore::new(INSTANCE);
    let mut states = vec![everything(&memory)];
    for batch in batches {
        memory.commit(batch, NOON).unwrap();
        states.push(everything(&memory));
    }
    states
}

/// The bytes of a store that was just made.
fn fresh() -> Vec<u8> {
    let disk = Disk::default();
    drop(RedbFeedStore::create_on(disk.clone(), INSTANCE, &SMALL).unwrap());
    disk.bytes()
}

/// Commits until one fails; returns how many were acknowledged.
fn run_until_failure(
    store: &mut RedbFeedStore,
    batches: &[FeedBatch],
) -> (usize, Option<StoreError>) {
    for (done, batch) in batches.iter().enumerate() {
        if let Err(error) = store.commit(batch, NOON) {
            return (done, Some(error));
        }
    }
    (batches.len(), None)
}

/// The power goes at every single write, length and sync of the workload; what was not synced is
/// then lost, or there in part. After opening again the store holds whole commits, at least those
/// that were acknowledged and at most one more.
#[test]
fn a_power_cut_at_any_write_loses_no_acknowledged_commit() {
    let batches = workload();
    let states = states(&batches);
    let fresh = fresh();
    let mut cut = 0;
    loop {
        let disk = Disk::of(fresh.clone());
        let mut store = RedbFeedStore::open_on(disk.clone(), &SMALL).unwrap();
        disk.cut_in(cut);
        let (acknowledged, failure) = run_until_failure(&mut store, &batches);
        for dice in [None, Some(cut), Some(cut + 1_000_000)] {
            let disk = disk.after_power_cut(dice);
            let again = RedbFeedStore::open_on(disk, &SMALL).unwrap();
            let found = everything(&again);
            let held = states.iter().position(|state| *state == found);
            let held = held.unwrap();
            assert!((acknowledged..=acknowledged + 1).contains(&held), "cut {cut}, dice {dice:?}");
            assert_eq!(damage(&again), Vec::<String>::new());
        }
        if failure.is_none() {
            break;
        }
        let refused = store.commit(&batches[0], NOON).unwrap_err();
        assert!(matches!(refused, StoreError::Poisoned));
        assert!(matches!(store.feeds(), Err(StoreError::Poisoned)));
        assert!(matches!(
            store.packed_run(batches[0].new_feeds[0].id(), 0, 1),
            Err(StoreError::Poisoned)
        ));
        cut += 1;
    }
    assert!(cut > 60, "the workload has writes to cut: {cut}");
}

/// What a power cut leaves of a disk now, all of it whole.
fn left_by_a_cut(disk: &Disk, what: &str) -> Everything {
    let left = RedbFeedStore::open_on(disk.after_power_cut(None), &SMALL).unwrap();
    assert_eq!(damage(&left), Vec::<String>::new(), "{what}");
    everything(&left)
}

/// A sync fails at every place of the workload, and the system forgets what it was to write. The store is
/// opened again over what is still shown: what it then shows, and what it acknowledges, outlives a
/// power cut.
#[test]
fn after_a_sync_that_failed_nothing_rests_on_what_was_lost() {
    let batches = workload();
    let states = states(&batches);
    let fresh = fresh();
    let after_cut = |disk: &Disk, what: &str| {
        let found = left_by_a_cut(disk, what);
        states.iter().position(|state| *state == found).unwrap()
    };
    let mut lost = 0;
    loop {
        let disk = Disk::of(fresh.clone());
        let mut store = RedbFeedStore::open_on(disk.clone(), &SMALL).unwrap();
        disk.lose_sync_in(lost);
        let (acknowledged, failure) = run_until_failure(&mut store, &batches);
        if failure.is_none() {
            break;
        }
        drop(store);
        let mut again = RedbFeedStore::open_on(disk.clone(), &SMALL).unwrap();
        let shown = everything(&again);
        let held = states.iter().position(|state| *state == shown).unwrap();
        assert!((acknowledged..=acknowledged + 1).contains(&held), "sync {lost}");
        assert_eq!(after_cut(&disk, "opened again"), held, "sync {lost}: shown and not durable");
        for (number, batch) in (held + 1..).zip(&batches[held..]) {
            again.commit(batch, NOON).unwrap();
            assert_eq!(after_cut(&disk, "a later commit"), number, "sync {lost}");
        }
        lost += 1;
    }
    assert!(lost >= 12, "six commits have {lost} syncs");
}

/// The same of each sync of a store that is closed or opened between two commits: nobody asks how these
/// ended, and all that was acknowledged, before or later, outlives a power cut.
#[test]
fn after_a_sync_of_closing_or_opening_that_failed_nothing_rests_on_what_was_lost() {
    let batches = workload();
    let states = states(&batches);
    let fresh = fresh();
    let mut lost = 0;
    loop {
        let disk = Disk::of(fresh.clone());
        let mut store = RedbFeedStore::open_on(disk.clone(), &SMALL).unwrap();
        let (before, after) = batches.split_at(batches.len() / 2);
        assert!(run_until_failure(&mut store, before).1.is_none());
        disk.lose_sync_in(lost);
        drop(store);
        // One that was refused is opened again, as a person would.
        let mut again = match RedbFeedStore::open_on(disk.clone(), &SMALL) {
            Ok(again) => again,
            Err(_) => RedbFeedStore::open_on(disk.clone(), &SMALL).unwrap(),
        };
        if !disk.has_lost_sync() {
            break;
        }
        for (number, batch) in (before.len()..).zip(after) {
            let what = format!("sync {lost}, {number} commits");
            assert_eq!(left_by_a_cut(&disk, &what), states[number], "{what}");
            again.commit(batch, NOON).unwrap();
        }
        drop(again);
        let what = format!("sync {lost}, closed");
        assert_eq!(left_by_a_cut(&disk, &what), states[batches.len()], "{what}");
        lost += 1;
    }
    assert!(lost >= 3, "closing and opening have {lost} syncs");
}

/// The disk is full at every possible block of the workload.
#[test]
fn a_full_disk_is_said_and_loses_nothing() {
    let batches = workload();
    let states = states(&batches);
    let fresh = fresh();
    let mut full = 0;
    for room in (0..400_000).step_by(4096) {
        let disk = Disk::of(fresh.clone());
        let mut store = RedbFeedStore::open_on(disk.clone(), &SMALL).unwrap();
        disk.leave_room(Some(room));
        let (acknowledged, failure) = run_until_failure(&mut store, &batches);
        let Some(failure) = failure else { continue };
        full += 1;
        assert!(matches!(failure, StoreError::Full), "room {room}: {failure}");
        assert!(matches!(store.commit(&batches[0], NOON), Err(StoreError::Poisoned)));
        drop(store);
        // Opening works though the disk is still full; and with room again, so does writing.
        let mut again = RedbFeedStore::open_on(disk.clone(), &SMALL).unwrap();
        let held = states.iter().position(|state| *state == everything(&again)).unwrap();
        assert!((acknowledged..=acknowledged + 1).contains(&held), "room {room}");
        disk.leave_room(None);
        for batch in &batches[held..] {
            again.commit(batch, NOON).unwrap();
        }
        assert_eq!(everything(&again), *states.last().unwrap());
    }
    assert!(full > 5, "the disk was full {full} times");
}

#[test]
fn a_store_that_is_there_is_not_made_again_and_one_that_is_not_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("feeds.redb");
    assert!(matches!(RedbFeedStore::open(&path), Err(StoreError::Missing)));
    std::fs::write(folder.path().join("feeds.redb.new"), b"cut short").unwrap();
    let store = RedbFeedStore::create(&path, INSTANCE).unwrap();
    assert!(matches!(RedbFeedStore::create(&path, INSTANCE), Err(StoreError::Exists)));
    assert!(matches!(RedbFeedStore::open(&path), Err(StoreError::Locked)));
    drop(store);
    assert_eq!(RedbFeedStore::open(&path).unwrap().instance(), INSTANCE);
    for foreign in [&b""[..], b"PK\x03\x04 some other file", &[0; 9000]] {
        std::fs::write(&path, foreign).unwrap();
        let refused = RedbFeedStore::open(&path).unwrap_err();
        assert!(matches!(refused, StoreError::Damaged { .. }), "{refused}");
        assert_eq!(std::fs::read(&path).unwrap(), foreign, "a foreign file is left alone");
    }
}

/// Flips a bit at several places of each piece of a block, each head and each group of arrivals,
/// through redb itself, so that only our own checks can notice. Compressed bytes have a few bits
/// that mean nothing: then every answer must be the same as before.
#[test]
fn a_changed_byte_in_any_value_is_found_by_a_scan() {
    let disk = Disk::default();
    let mut store = RedbFeedStore::create_on(disk.clone(), INSTANCE, &SMALL).unwrap();
    for batch in &workload() {
        store.commit(batch, NOON).unwrap();
    }
    assert_eq!(damage(&store), Vec::<String>::new());
    let before = everything(&store);
    drop(store);
    let whole = disk.bytes();
    let (mut values, mut idle) = (0, 0);
    for table in ["blocks", "heads", "arrivals"] {
        for row in 0.. {
            let disk = Disk::of(whole.clone());
            let Some(length) = alter_value(disk, table, row, None) else { break };
            for position in (0..length).step_by(length.div_ceil(7)) {
                let disk = Disk::of(whole.clone());
                alter_value(disk.clone(), table, row, Some(position));
                let noticed = match RedbFeedStore::open_on(disk, &SMALL) {
                    Err(error) => matches!(error, StoreError::Damaged { .. }),
                    Ok(store) if damage(&store).is_empty() => {
                        idle += 1;
                        everything(&store) == before
                    }
                    Ok(_) => true,
                };
                assert!(noticed, "{table} row {row} byte {position}");
            }
            values += 1;
        }
    }
    assert!(values > 10 && idle <= 3, "{values} values, {idle} bits that mean nothing");
}

/// Damage in one feed leaves the others, and what lies before it, readable.
#[test]
fn a_scan_goes_on_behind_damage() {
    let disk = Disk::default();
    let mut store = RedbFeedStore::create_on(disk.clone(), INSTANCE, &SMALL).unwrap();
    let (mut author, mut other) = (Author::new(1, AREA), Author::new(2, OTHER_AREA));
    let mut runs = Vec::new();
    for who in [&mut author, &mut other] {
        let filled = who.fill(640, 640).into_iter();
        runs.extend(filled.map(|run| PlacedRun { branch: 0, from: None, run }));
    }
    let new_feeds = vec![author.name, other.name];
    store.commit(&FeedBatch { new_feeds, runs, values: Vec::new() }, NOON).unwrap();
    drop(store);
    // A row in the first feed's second half.
    alter_value(disk.clone(), "blocks", 14, Some(700)).unwrap();
    let store = RedbFeedStore::open_on(disk, &SMALL).unwrap();
    let (mut whole, mut places) = (BTreeMap::new(), Vec::new());
    let mut each = |step: ScanStep<'_>| match step {
        ScanStep::Entries { name, count, .. } => *whole.entry(name.id()).or_insert(0) += count,
        ScanStep::Damaged(damage) => places.push((damage.feed, damage.first, damage.last)),
        ScanStep::Signed { .. } => {}
    };
    store.scan(&mut each).unwrap();
    let (feed, first, last) = places[0];
    assert_eq!((feed, last - first), (Some(author.id()), 63));
    assert_eq!(whole[&other.id()], 640);
    assert!(whole[&author.id()] >= first - 1);
    assert!(store.entries(author.id(), 0, 1..=first - 1).is_ok());
    assert!(matches!(store.entries(author.id(), 0, first..=last), Err(StoreError::Damaged { .. })));
    assert!(store.back_refs(author.id(), 0).entry_id(first).is_none());
}

/// What one save costs on a store of 20,000 entries: the promise of the architecture, section 7.
#[test]
fn a_single_save_writes_less_than_64_kilobytes_in_two_syncs() {
    let disk = Disk::default();
    let mut store = RedbFeedStore::create_on(disk.clone(), INSTANCE, &SMALL).unwrap();
    let mut authors: Vec<_> = (0..10).map(|device| Author::new(device, AREA)).collect();
    for author in &mut authors {
        let runs = author.fill(2_000, 700).into_iter();
        let runs = runs.map(|run| PlacedRun { branch: 0, from: None, run }).collect();
        store
            .commit(&FeedBatch { new_feeds: vec![author.name], runs, values: Vec::new() }, NOON)
            .unwrap();
    }
    let mut all = 0;
    for save in 0..100u64 {
        let author = &mut authors[4];
        let run = author.edit(&[save]);
        disk.take_counts();
        store.commit(&batch(author, 0, None, run), NOON).unwrap();
        let (bytes, syncs) = disk.take_counts();
        assert!(bytes < 64 * 1024, "save {save} wrote {bytes} bytes");
        assert!(syncs <= 2, "save {save} took {syncs} syncs");
        all += bytes;
    }
    assert!(all / 100 < 48 * 1024, "{} bytes a save", all / 100);
}

/// Bytes changed anywhere in the file, behind redb's back: opening with every page checked tells it,
/// or nothing is changed; so does opening without, and checking the pages then.
#[test]
fn a_changed_byte_anywhere_in_the_file_is_told_without_a_panic() {
    let disk = Disk::default();
    let mut store = RedbFeedStore::create_on(disk.clone(), INSTANCE, &SMALL).unwrap();
    for batch in &workload() {
        store.commit(batch, NOON).unwrap();
    }
    let before = everything(&store);
    drop(store);
    let whole = disk.bytes();
    let (mut told, mut dice) = (0, Dice(5));
    for round in 0..300 {
        let mut bytes = whole.clone();
        let position = usize::try_from(dice.roll()).unwrap() % bytes.len();
        bytes[position] ^= 1 << (round % 8);
        match RedbFeedStore::open_on(Disk::of(bytes.clone()), &CAREFUL) {
            Ok(store) => assert_eq!(everything(&store), before, "byte {position}"),
            Err(StoreError::Damaged { .. }) => told += 1,
            Err(other) => panic!("byte {position}: {other}"),
        }
        let plain = RedbFeedStore::open_on(Disk::of(bytes), &SMALL);
        match plain.and_then(|mut store| store.check_pages().map(|()| store)) {
            Ok(store) => assert_eq!(everything(&store), before, "byte {position}"),
            Err(StoreError::Damaged { .. }) => {}
            Err(other) => panic!("byte {position}: {other}"),
        }
    }
    assert!(told > 20, "{told} of 300 were told");
}
