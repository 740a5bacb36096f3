//! One commit: rows and edits are put, and every index follows from how a row differs from the one
//! before it.
//!
//! The differences of a whole batch are gathered first, ordered, and each list, count and sum is
//! written once.

use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::codec::DecodeError;
use crdt_schema::id::FeedId;
use redb::{ReadableTable, Table, WriteTransaction};

use super::codec::{self, NewRow, OpenRow, RecordBytes, RowBytes};
use super::edits::Edits;
use super::error::{AtStep, damaged, undecodable};
use super::keys::{self, ById, Group, Key, Short};
use super::tables;
use crate::ports::{EditRef, RecordKey, RecordVerdict, StoreError, ViewBatch, ViewRow};

const STEP: &str = "write the views";
/// Most entries of a chunk of a term's list, 1 KiB: a page of redb then holds three and wastes
/// little, and one more entry rewrites no more than that. Tests cut lists far sooner.
const CHUNK_ENTRIES_MAX: usize = if cfg!(test) { 3 } else { 256 };

/// A term as packed: lead and payload.
type Term<'a> = (u8, &'a [u8]);

/// Writes a batch into an open transaction.
///
/// # Errors
/// [`StoreError`] of the disk: the transaction must then be given up.
pub(super) fn commit(tx: &WriteTransaction, batch: &ViewBatch) -> Result<(), StoreError> {
    let mut differences = Differences::default();
    write_records(tx, batch, &mut differences)?;
    differences.write(tx)?;
    let mut meta = tx.open_table(tables::META).at(STEP)?;
    meta.insert(tables::META_APPLIED, batch.applied.to_be_bytes().as_slice()).at(STEP)?;
    Ok(())
}

/// What a batch brings for one record.
#[derive(Default)]
struct Brought<'a> {
    row: Option<&'a ViewRow>,
    edits: Vec<&'a EditRef>,
}

fn by_record(batch: &ViewBatch) -> BTreeMap<RecordKey, Brought<'_>> {
    let mut records: BTreeMap<RecordKey, Brought<'_>> = BTreeMap::new();
    for (key, edit) in &batch.edits {
        records.entry(*key).or_default().edits.push(edit);
    }
    for row in &batch.rows {
        records.entry(row.key).or_default().row = Some(row);
    }
    records
}

fn write_records(
    tx: &WriteTransaction,
    batch: &ViewBatch,
    differences: &mut Differences,
) -> Result<(), StoreError> {
    let mut records = tx.open_table(tables::RECORDS).at(STEP)?;
    let mut feeds = FeedNumbers::open(tx)?;
    for (record, brought) in by_record(batch) {
        let key = keys::pack(&record);
        let stored = records.get(&key).at(STEP)?.map(|value| value.value().to_vec());
        let stored = stored.as_deref().map(RecordBytes::read).transpose();
        let stored = stored.map_err(undecodable("a record"))?;
        let held = stored.as_ref().map(RecordBytes::edits).transpose();
        let mut edits = Edits::of(held.map_err(undecodable("edits"))?.unwrap_or_default());
        for edit in brought.edits {
            edits.add(feeds.number(edit.place.feed)?, edit);
        }
        let before = stored.and_then(|stored| stored.row);
        let value = match brought.row.map(NewRow::of) {
            Some(now) => {
                differences.row(&key, before.as_ref(), &now).map_err(undecodable("a row"))?;
                let packed = now.pack(&edits);
                codec::encode(Some(&now.bytes().around(&packed)), &edits)
            }
            None => codec::encode(before.as_ref(), &edits),
        };
        records.insert(&key, value.as_slice()).at(STEP)?;
    }
    Ok(())
}

/// Numbers of feeds, given out as they are met.
struct FeedNumbers<'tx> {
    feeds: Table<'tx, u32, &'static [u8; 32]>,
    numbers: Table<'tx, &'static [u8; 32], u32>,
    met: BTreeMap<FeedId, u32>,
}

impl<'tx> FeedNumbers<'tx> {
    fn open(tx: &'tx WriteTransaction) -> Result<Self, StoreError> {
        Ok(Self {
            feeds: tx.open_table(tables::FEEDS).at(STEP)?,
            numbers: tx.open_table(tables::NUMBERS).at(STEP)?,
            met: BTreeMap::new(),
        })
    }

    fn number(&mut self, feed: FeedId) -> Result<u32, StoreError> {
        if let Some(number) = self.met.get(&feed) {
            return Ok(*number);
        }
        let known = self.numbers.get(&feed.0).at(STEP)?.map(|number| number.value());
        let number = match known {
            Some(number) => number,
            None => self.give_number(feed)?,
        };
        self.met.insert(feed, number);
        Ok(number)
    }

    fn give_number(&mut self, feed: FeedId) -> Result<u32, StoreError> {
        let last = self.feeds.last().at(STEP)?.map(|(number, _)| number.value());
        let number = match last {
            None => 0,
            Some(last) => last.checked_add(1).ok_or_else(|| damaged("feeds"))?,
        };
        self.feeds.insert(number, &feed.0).at(STEP)?;
        self.numbers.insert(&feed.0, number).at(STEP)?;
        Ok(number)
    }
}

/// How the rows of a batch differ from those before them.
#[derive(Default)]
struct Differences {
    by_id: BTreeSet<ById>,
    conflicts: BTreeMap<Key, bool>,
    groups: BTreeMap<Group, [i64; 2]>,
    lists: BTreeMap<Vec<u8>, ListChange>,
    counts: BTreeMap<Vec<u8>, i64>,
    totals: [i64; 5],
}

/// Entries that leave a list and enter it.
#[derive(Default)]
struct ListChange {
    out: Vec<Short>,
    into: Vec<Short>,
}

impl Differences {
    /// One row in the place of another or of none.
    fn row(
        &mut self,
        key: &Key,
        before: Option<&RowBytes<'_>>,
        now: &NewRow<'_>,
    ) -> Result<(), DecodeError> {
        let (group, is) = (keys::group_of(key), now.bytes());
        if before.is_none() {
            self.by_id.insert(keys::by_id(key));
        }
        // Most rows never had a conflict, and then there is nothing to take out.
        if is.conflicts > 0 || before.is_some_and(|before| before.conflicts > 0) {
            self.conflicts.insert(*key, is.conflicts > 0);
        }
        let sums = self.groups.entry(group).or_default();
        if let Some(before) = before {
            add(&mut self.totals, total_parts(before), -1);
            add(sums, group_parts(before), -1);
        }
        add(&mut self.totals, total_parts(&is), 1);
        add(sums, group_parts(&is), 1);
        self.terms(key, group, before, now)
    }

    /// Most edits change no term: then the bytes are the same.
    fn terms(
        &mut self,
        key: &Key,
        group: Group,
        before: Option<&RowBytes<'_>>,
        now: &NewRow<'_>,
    ) -> Result<(), DecodeError> {
        let verdict = now.bytes().verdict;
        let open = before.map(RowBytes::open).transpose()?;
        let old = open.as_ref().map_or(&[][..], OpenRow::terms_bytes);
        if before.is_some_and(|before| before.verdict == verdict) && old == now.terms {
            return Ok(());
        }
        let old = findable_terms(before.map(|before| before.verdict), old)?;
        let new = findable_terms(Some(verdict), &now.terms)?;
        for term in old.difference(&new) {
            self.term(key, group, *term, -1);
        }
        for term in new.difference(&old) {
            self.term(key, group, *term, 1);
        }
        Ok(())
    }

    fn term(&mut self, key: &Key, group: Group, (lead, payload): Term<'_>, sign: i64) {
        let list = keys::list_key(&keys::term_key(lead, payload), group);
        let change = self.lists.entry(list).or_default();
        let side = if sign > 0 { &mut change.into } else { &mut change.out };
        side.push(keys::short_of(key));
        if let Some(count) = keys::count_key(group, lead, payload) {
            *self.counts.entry(count).or_default() += sign;
        }
    }

    fn write(self, tx: &WriteTransaction) -> Result<(), StoreError> {
        write_by_id(tx, &self.by_id)?;
        write_conflicts(tx, &self.conflicts)?;
        write_groups(tx, &self.groups)?;
        write_lists(tx, self.lists)?;
        write_counts(tx, &self.counts)?;
        write_totals(tx, self.totals)
    }
}

/// The terms by which a row is found: those of a counting one.
fn findable_terms(
    verdict: Option<RecordVerdict>,
    terms: &[u8],
) -> Result<BTreeSet<Term<'_>>, DecodeError> {
    if verdict == Some(RecordVerdict::Counting) {
        codec::terms(terms).collect()
    } else {
        Ok(BTreeSet::new())
    }
}

/// What a row adds to the sums of its group: rows, counting rows.
fn group_parts(row: &RowBytes<'_>) -> [i64; 2] {
    [1, i64::from(row.verdict == RecordVerdict::Counting)]
}

/// What a row adds to the totals, in their order.
fn total_parts(row: &RowBytes<'_>) -> [i64; 5] {
    let counting = i64::from(row.verdict == RecordVerdict::Counting);
    let waiting = i64::from(row.verdict == RecordVerdict::Waiting);
    let set_aside = i64::from(row.verdict == RecordVerdict::SetAside);
    [counting, counting * i64::from(row.conflicts), waiting, i64::from(row.waits), set_aside]
}

fn add<const N: usize>(sums: &mut [i64; N], parts: [i64; N], sign: i64) {
    for (sum, part) in sums.iter_mut().zip(parts) {
        *sum += sign * part;
    }
}

fn moved(sum: u64, by: i64) -> Result<u64, StoreError> {
    sum.checked_add_signed(by).ok_or_else(|| damaged("a sum below zero"))
}

fn write_by_id(tx: &WriteTransaction, entries: &BTreeSet<ById>) -> Result<(), StoreError> {
    let mut table = tx.open_table(tables::BY_ID).at(STEP)?;
    for entry in entries {
        table.insert(entry, ()).at(STEP)?;
    }
    Ok(())
}

fn write_conflicts(
    tx: &WriteTransaction,
    conflicts: &BTreeMap<Key, bool>,
) -> Result<(), StoreError> {
    let mut table = tx.open_table(tables::CONFLICTS).at(STEP)?;
    for (key, has) in conflicts {
        if *has {
            table.insert(key, ()).at(STEP)?;
        } else {
            table.remove(key).at(STEP)?;
        }
    }
    Ok(())
}

fn write_groups(
    tx: &WriteTransaction,
    groups: &BTreeMap<Group, [i64; 2]>,
) -> Result<(), StoreError> {
    let mut table = tx.open_table(tables::GROUPS).at(STEP)?;
    for (group, [rows, counting]) in groups {
        let sums = table.get(group).at(STEP)?.map_or((0, 0), |sums| sums.value());
        let sums = (moved(sums.0, *rows)?, moved(sums.1, *counting)?);
        table.insert(group, sums).at(STEP)?;
    }
    Ok(())
}

fn write_counts(tx: &WriteTransaction, counts: &BTreeMap<Vec<u8>, i64>) -> Result<(), StoreError> {
    let mut table = tx.open_table(tables::COUNTS).at(STEP)?;
    for (key, by) in counts {
        let count = table.get(key.as_slice()).at(STEP)?.map_or(0, |count| count.value());
        match moved(count, *by)? {
            0 => table.remove(key.as_slice()).at(STEP).map(drop)?,
            count => table.insert(key.as_slice(), count).at(STEP).map(drop)?,
        }
    }
    Ok(())
}

fn write_totals(tx: &WriteTransaction, by: [i64; 5]) -> Result<(), StoreError> {
    let mut table = tx.open_table(tables::META).at(STEP)?;
    let sums = match table.get(tables::META_TOTALS).at(STEP)? {
        Some(sums) => <[u8; 40]>::try_from(sums.value()).map_err(|_| damaged("totals"))?,
        None => return Err(damaged("totals")),
    };
    let mut bytes = Vec::with_capacity(sums.len());
    for (sum, by) in sums.as_chunks().0.iter().zip(by) {
        bytes.extend(moved(u64::from_be_bytes(*sum), by)?.to_be_bytes());
    }
    table.insert(tables::META_TOTALS, bytes.as_slice()).at(STEP)?;
    Ok(())
}

type Terms<'tx> = Table<'tx, &'static [u8], &'static [u8]>;

fn write_lists(
    tx: &WriteTransaction,
    lists: BTreeMap<Vec<u8>, ListChange>,
) -> Result<(), StoreError> {
    let mut table = tx.open_table(tables::TERMS).at(STEP)?;
    for (list, change) in lists {
        write_list(&mut table, &list, change)?;
    }
    Ok(())
}

/// Changes one list, chunk by chunk. The first chunk's key is the list's; each other's ends with
/// the bound below which none of its entries lies.
fn write_list(
    table: &mut Terms<'_>,
    list: &[u8],
    mut change: ListChange,
) -> Result<(), StoreError> {
    change.out.sort_unstable();
    change.into.sort_unstable();
    while let Some(next) = change.first() {
        let (key, mut entries) = chunk_of(table, list, next)?;
        let end = next_bound(table, list, &key)?;
        let (out, into) = change.take_below(end);
        remove_entries(&mut entries, &out)?;
        entries.extend(into);
        entries.sort_unstable();
        write_chunk(table, list, key, &entries)?;
    }
    Ok(())
}

impl ListChange {
    fn first(&self) -> Option<Short> {
        self.out.first().into_iter().chain(self.into.first()).min().copied()
    }

    /// Takes what belongs below `end`, or everything; each side is ascending.
    fn take_below(&mut self, end: Option<Short>) -> (Vec<Short>, Vec<Short>) {
        let below = |side: &mut Vec<Short>| {
            let at = end.map_or(side.len(), |end| side.partition_point(|entry| *entry < end));
            side.drain(..at).collect()
        };
        (below(&mut self.out), below(&mut self.into))
    }
}

/// The chunk an entry belongs to: its key and entries; a new first one when there is none.
fn chunk_of(
    table: &Terms<'_>,
    list: &[u8],
    entry: Short,
) -> Result<(Vec<u8>, Vec<Short>), StoreError> {
    let highest = [list, &entry].concat();
    let found = table.range(list..=highest.as_slice()).at(STEP)?.next_back();
    let Some(chunk) = found else {
        return Ok((list.to_vec(), Vec::new()));
    };
    let (key, value) = chunk.at(STEP)?;
    match value.value().as_chunks() {
        (entries, []) => Ok((key.value().to_vec(), entries.to_vec())),
        _ => Err(damaged("terms")),
    }
}

/// The bound of the chunk behind `key`; `None` when that is the last one.
fn next_bound(table: &Terms<'_>, list: &[u8], key: &[u8]) -> Result<Option<Short>, StoreError> {
    let lowest = [key, &[0][..]].concat();
    let highest = [list, &[0xff; 4]].concat();
    if lowest > highest {
        return Ok(None);
    }
    let Some(chunk) = table.range(lowest.as_slice()..=highest.as_slice()).at(STEP)?.next() else {
        return Ok(None);
    };
    let (key, _) = chunk.at(STEP)?;
    let bound = key.value().get(list.len()..).and_then(|bound| bound.try_into().ok());
    bound.map(Some).ok_or_else(|| damaged("terms"))
}

fn remove_entries(entries: &mut Vec<Short>, out: &[Short]) -> Result<(), StoreError> {
    for entry in out {
        let at = entries.binary_search(entry).map_err(|_| damaged("terms"))?;
        entries.remove(at);
    }
    Ok(())
}

/// Puts the entries of one chunk, as several when they are too many. Equal entries stay together:
/// the search for one then meets all of them.
fn write_chunk(
    table: &mut Terms<'_>,
    list: &[u8],
    key: Vec<u8>,
    entries: &[Short],
) -> Result<(), StoreError> {
    if entries.is_empty() {
        table.remove(key.as_slice()).at(STEP)?;
        return Ok(());
    }
    let pieces = entries.len().div_ceil(CHUNK_ENTRIES_MAX);
    let size = entries.len().div_ceil(pieces);
    let mut key = key;
    let mut rest = entries;
    while !rest.is_empty() {
        let (piece, behind) = cut(rest, size);
        table.insert(key.as_slice(), piece.as_flattened()).at(STEP)?;
        if let Some(bound) = behind.first() {
            key = [list, bound].concat();
        }
        rest = behind;
    }
    Ok(())
}

/// About `size` entries from the front, never between equal ones.
fn cut(entries: &[Short], size: usize) -> (&[Short], &[Short]) {
    let last = entries.get(size.saturating_sub(1)).or_else(|| entries.last());
    let at = entries.partition_point(|entry| last.is_some_and(|last| entry <= last));
    entries.split_at_checked(at).unwrap_or((entries, &[]))
}
