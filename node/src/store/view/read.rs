//! Answers from `view.redb`: one read transaction each, so an answer never mixes two commits.
//!
//! A list takes the way that looks at least: rows with a conflict have their own index; a term has
//! its list, of several the shortest is walked and the rows themselves are asked for the others; the
//! beginning of a name has the lists of all names that begin so, and a row is opened only where it is shown
//! or stands in two of them; without either the sums of the groups tell the total and only the page is read.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use crdt_schema::id::FeedId;
use redb::{ReadOnlyTable, ReadTransaction, ReadableTable};

use super::codec::{self, RecordBytes, RowBytes};
use super::edits::StoredEdit;
use super::error::{AtStep, damaged, undecodable};
use super::keys::{self, Area, ById, Group, Key, Short};
use super::tables;
use crate::ports::{
    CountRow, EditRef, EntryIds, PAGE_WEIGHT_MAX, Place, RecordKey, RecordVerdict, RowFilter,
    StoreError, TermKind, Totals, ViewRow,
};

const STEP: &str = "read the views";
/// Up to so many areas are looked up one by one, in a term's list or among the sums of groups; for more
/// of them the whole is walked, as its parts then lie closer together than a look-up costs.
const SEEK_AREAS_MAX: usize = 256;

/// The rows as one read sees them.
pub(super) type Records = ReadOnlyTable<&'static Key, &'static [u8]>;
type Terms = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// A named value of `meta`.
///
/// # Errors
/// [`StoreError::Damaged`] when it is not there; else of the disk.
pub(super) fn meta<const N: usize>(
    tx: &ReadTransaction,
    name: &'static str,
) -> Result<[u8; N], StoreError> {
    let table = tx.open_table(tables::META).at(STEP)?;
    let value = table.get(name).at(STEP)?.ok_or_else(|| damaged(name))?;
    value.value().try_into().map_err(|_| damaged(name))
}

/// The newest arrival that is in the views.
pub(super) fn applied(tx: &ReadTransaction) -> Result<u64, StoreError> {
    meta(tx, tables::META_APPLIED).map(u64::from_be_bytes)
}

/// The five sums.
pub(super) fn totals(tx: &ReadTransaction) -> Result<Totals, StoreError> {
    let sums = meta::<40>(tx, tables::META_TOTALS)?;
    let mut sums = sums.as_chunks().0.iter().map(|sum| u64::from_be_bytes(*sum));
    let mut next = || sums.next().unwrap_or_default();
    Ok(Totals {
        records: next(),
        conflicts: next(),
        waiting: next(),
        waiting_deps: next(),
        set_aside: next(),
    })
}

/// Rows and the names of feeds as one read sees them.
pub(super) struct Rows {
    records: Records,
    feeds: Feeds,
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rows(..)")
    }
}

type Feeds = ReadOnlyTable<u32, &'static [u8; 32]>;

/// The rows as they are now.
pub(super) fn rows(tx: &ReadTransaction) -> Result<Rows, StoreError> {
    let records = tx.open_table(tables::RECORDS).at(STEP)?;
    Ok(Rows { records, feeds: tx.open_table(tables::FEEDS).at(STEP)? })
}

/// One row.
pub(super) fn row(
    rows: &Rows,
    key: &RecordKey,
    ids: &dyn EntryIds,
) -> Result<Option<ViewRow>, StoreError> {
    let Some(value) = rows.records.get(&keys::pack(key)).at(STEP)? else {
        return Ok(None);
    };
    whole(&rows.feeds, *key, &take_apart(value.value())?, ids)
}

/// A row as its readers want it: with the ids that its edits lead to.
fn whole(
    feeds: &Feeds,
    key: RecordKey,
    record: &RecordBytes<'_>,
    ids: &dyn EntryIds,
) -> Result<Option<ViewRow>, StoreError> {
    let Some(row) = &record.row else { return Ok(None) };
    let places = places(feeds, record)?;
    let row = row.open().map_err(undecodable("a row"))?;
    row.row(key, &places, ids).map(Some)
}

/// Where the edits of a record lie.
fn places(feeds: &Feeds, record: &RecordBytes<'_>) -> Result<Vec<Place>, StoreError> {
    let edits = record.edits().map_err(undecodable("edits"))?;
    let mut places: Vec<Place> = Vec::with_capacity(edits.len());
    let mut before: Option<(u32, FeedId)> = None;
    for StoredEdit { feed: number, branch, seq, .. } in edits {
        let feed = if let Some((_, feed)) = before.filter(|(of, _)| *of == number) {
            feed
        } else {
            let feed = feeds.get(number).at(STEP)?.ok_or_else(|| damaged("feeds"))?;
            FeedId(*feed.value())
        };
        before = Some((number, feed));
        places.push(Place { feed, branch, seq });
    }
    Ok(places)
}

/// The edits of one record.
pub(super) fn edits(
    tx: &ReadTransaction,
    key: &RecordKey,
    ids: &dyn EntryIds,
) -> Result<Vec<EditRef>, StoreError> {
    let rows = rows(tx)?;
    let Some(value) = rows.records.get(&keys::pack(key)).at(STEP)? else {
        return Ok(Vec::new());
    };
    let places = places(&rows.feeds, &take_apart(value.value())?)?;
    places.into_iter().map(|place| Ok(EditRef { place, id: ids.id_at(place)? })).collect()
}

/// Records with a row whose id in hex begins so, in the order of lists.
pub(super) fn find(tx: &ReadTransaction, hex_prefix: &str) -> Result<Vec<RecordKey>, StoreError> {
    let Some((low, high)) = keys::id_range(hex_prefix) else {
        return Ok(Vec::new());
    };
    let records = tx.open_table(tables::RECORDS).at(STEP)?;
    let by_id = tx.open_table(tables::BY_ID).at(STEP)?;
    let [first, last]: [ById; 2] = [(low, 0), (high, 0xff)].map(|(id, fill)| {
        let short: Short = keys::join(&[&id]);
        keys::join(&[&short, &[fill; 7]])
    });
    let mut found = Vec::new();
    for entry in by_id.range::<&ById>(&first..=&last).at(STEP)? {
        let (short, group) = keys::split_by_id(entry.at(STEP)?.0.value());
        each_of_short(&records, group, short, |key, _, _| {
            let id = key.record.as_bytes();
            if (&low..=&high).contains(&id) {
                found.push(key);
            }
            Ok(())
        })?;
    }
    found.sort_unstable();
    Ok(found)
}

/// Counting rows by group, and by term of type and status; ascending.
pub(super) fn counts(tx: &ReadTransaction) -> Result<Vec<CountRow>, StoreError> {
    let mut rows = Vec::new();
    for entry in tx.open_table(tables::GROUPS).at(STEP)?.iter().at(STEP)? {
        let (group, sums) = entry.at(STEP)?;
        let (_, counting) = sums.value();
        if counting > 0 {
            rows.push(count_row(group.value(), counting)?);
        }
    }
    for entry in tx.open_table(tables::COUNTS).at(STEP)?.iter().at(STEP)? {
        let (key, count) = entry.at(STEP)?;
        rows.push(count_row(key.value(), count.value())?);
    }
    rows.sort_unstable();
    Ok(rows)
}

fn count_row(key: &[u8], count: u64) -> Result<CountRow, StoreError> {
    let mut reader = crdt_schema::codec::Reader::new(key);
    let (area, kind) = keys::read_group(&mut reader).map_err(undecodable("a count"))?;
    let term = match reader.rest().split_first() {
        None => None,
        Some((lead, text)) => Some(keys::unpack_term(*lead, text).map_err(undecodable("a count"))?),
    };
    Ok((area, kind, term, count))
}

/// The page behind `after`, and how many rows match in all.
pub(super) fn list(
    tx: &ReadTransaction,
    filter: &RowFilter,
    after: Option<&RecordKey>,
    limit: usize,
    ids: &dyn EntryIds,
) -> Result<(u64, Vec<ViewRow>), StoreError> {
    let wanted = Wanted::new(filter);
    let Rows { records, feeds } = rows(tx)?;
    let after = after.map(keys::pack);
    let mut page = Page { after, limit, feeds, ids, rows: Vec::new(), weight: 0 };
    let total = if !wanted.terms.is_empty() && !filter.takes(RecordVerdict::Counting) {
        // Only counting rows have terms that can be found.
        0
    } else if filter.conflicts_only {
        list_conflicts(tx, &records, &wanted, &mut page)?
    } else {
        match wanted.terms.as_slice() {
            [] => list_groups(tx, &records, &wanted, &mut page)?,
            [term] if !term.begins => list_term(tx, &records, &wanted, term, &mut page)?,
            _ => list_shortest(tx, &records, &wanted, &mut page)?,
        }
    };
    Ok((total, page.rows))
}

/// Rows with a conflict, by their index.
fn list_conflicts(
    tx: &ReadTransaction,
    records: &Records,
    wanted: &Wanted,
    page: &mut Page<'_>,
) -> Result<u64, StoreError> {
    let mut total = 0;
    for entry in tx.open_table(tables::CONFLICTS).at(STEP)?.iter().at(STEP)? {
        let key = *entry.at(STEP)?.0.value();
        if !wanted.group(keys::group_of(&key)) {
            continue;
        }
        let value = records.get(&key).at(STEP)?.ok_or_else(|| damaged("conflicts"))?;
        let record = take_apart(value.value())?;
        let row = record.row.ok_or_else(|| damaged("conflicts"))?;
        if wanted.row(&row)? {
            total += 1;
            page.take(&key, &record)?;
        }
    }
    Ok(total)
}

/// All rows of the wanted groups: the total is known without reading them, unless rows of some
/// other verdict are told apart.
fn list_groups(
    tx: &ReadTransaction,
    records: &Records,
    wanted: &Wanted,
    page: &mut Page<'_>,
) -> Result<u64, StoreError> {
    let mut total = 0;
    for (group, rows, counting) in groups(tx, wanted)? {
        let known = wanted.known(rows, counting);
        total += known.unwrap_or_default();
        let (first, last) = keys::group_range(group);
        let first = match known {
            Some(_) => page.after.map_or(first, |after| first.max(after)),
            None => first,
        };
        if known == Some(0) || (known.is_some() && (page.is_full() || first > last)) {
            continue;
        }
        for entry in records.range::<&Key>(&first..=&last).at(STEP)? {
            let (key, value) = entry.at(STEP)?;
            let record = take_apart(value.value())?;
            if record.row.is_some_and(|row| wanted.takes(row.verdict)) {
                total += u64::from(known.is_none());
                page.take(key.value(), &record)?;
            }
            if known.is_some() && page.is_full() {
                break;
            }
        }
    }
    Ok(total)
}

/// The wanted groups that have rows, ascending, with how many, and how many of those count.
fn groups(tx: &ReadTransaction, wanted: &Wanted) -> Result<Vec<(Group, u64, u64)>, StoreError> {
    let table = tx.open_table(tables::GROUPS).at(STEP)?;
    let ranges: Vec<(Group, Group)> = if wanted.are_areas_many() {
        vec![([0; 7], [0xff; 7])]
    } else {
        let range = |area: &Area| (keys::join(&[area]), keys::join(&[area, &[0xff; 2]]));
        wanted.areas.iter().map(range).collect()
    };
    let mut groups = Vec::new();
    for (first, last) in ranges {
        for entry in table.range::<&Group>(&first..=&last).at(STEP)? {
            let (group, sums) = entry.at(STEP)?;
            if wanted.group(*group.value()) {
                let (rows, counting) = sums.value();
                groups.push((*group.value(), rows, counting));
            }
        }
    }
    Ok(groups)
}

/// One whole term: its list has one entry for each row, so the total is its length.
fn list_term(
    tx: &ReadTransaction,
    records: &Records,
    wanted: &Wanted,
    term: &WantedTerm,
    page: &mut Page<'_>,
) -> Result<u64, StoreError> {
    let table = tx.open_table(tables::TERMS).at(STEP)?;
    let mut total = 0;
    let mut last = None;
    each_chunk(&table, wanted, term, &mut |group, shorts| {
        total += shorts.len() as u64;
        let (_, end) = keys::group_range(group);
        if page.is_past(&end) {
            return Ok(ControlFlow::Continue(()));
        }
        for short in shorts {
            let (_, end) = keys::short_range(group, *short);
            if last == Some(end) || page.is_past(&end) {
                continue;
            }
            last = Some(end);
            each_of_short(records, group, *short, |key, row, record| {
                if wanted.row(row)? { page.take(&keys::pack(&key), record) } else { Ok(()) }
            })?;
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(total)
}

/// Several terms, or the beginning of a name: the rows of the shortest list are asked. What stands once
/// in the lists of a beginning alone is one row that has it, and is opened only where it is shown; what
/// stands there twice may be one row with two such names, or two rows whose ids begin alike.
fn list_shortest(
    tx: &ReadTransaction,
    records: &Records,
    wanted: &Wanted,
    page: &mut Page<'_>,
) -> Result<u64, StoreError> {
    let table = tx.open_table(tables::TERMS).at(STEP)?;
    let is_alone = wanted.terms.len() == 1;
    let mut total = 0;
    for same in shortest(&table, wanted)?.chunk_by(|one, next| one == next) {
        let [(group, short), more @ ..] = same else { continue };
        let is_known = is_alone && more.is_empty();
        total += u64::from(is_known);
        if is_known && page.is_past(&keys::short_range(*group, *short).1) {
            continue;
        }
        each_of_short(records, *group, *short, |key, row, record| {
            if wanted.row(row)? {
                total += u64::from(!is_known);
                page.take(&keys::pack(&key), record)?;
            }
            Ok(())
        })?;
    }
    Ok(total)
}

/// The entries of the shortest list of the wanted terms, ascending.
fn shortest(table: &Terms, wanted: &Wanted) -> Result<Vec<(Group, Short)>, StoreError> {
    let mut best: Option<(usize, &WantedTerm)> = None;
    for term in &wanted.terms {
        let bound = best.map_or(usize::MAX, |(length, _)| length);
        // One alone is the shortest however long it is.
        let length = if wanted.terms.len() == 1 { 0 } else { length(table, wanted, term, bound)? };
        if length < bound {
            best = Some((length, term));
        }
    }
    let mut entries = Vec::new();
    if let Some((_, term)) = best {
        each_chunk(table, wanted, term, &mut |group, shorts| {
            entries.extend(shorts.iter().map(|short| (group, *short)));
            Ok(ControlFlow::Continue(()))
        })?;
    }
    entries.sort_unstable();
    Ok(entries)
}

/// Entries of a term's lists; no longer counted once there are `bound`.
fn length(
    table: &Terms,
    wanted: &Wanted,
    term: &WantedTerm,
    bound: usize,
) -> Result<usize, StoreError> {
    let mut length = 0;
    each_chunk(table, wanted, term, &mut |_, shorts| {
        length += shorts.len();
        let enough = length >= bound;
        Ok(if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(length)
}

type VisitChunk<'a> = dyn FnMut(Group, &[Short]) -> Result<ControlFlow<()>, StoreError> + 'a;

/// Every chunk of a term's lists in the wanted groups; ascending when the term is whole.
fn each_chunk(
    table: &Terms,
    wanted: &Wanted,
    term: &WantedTerm,
    visit: &mut VisitChunk<'_>,
) -> Result<(), StoreError> {
    for beginning in term.beginnings(wanted) {
        for entry in table.range(beginning.as_slice()..).at(STEP)? {
            let (key, value) = entry.at(STEP)?;
            if !key.value().starts_with(&beginning) {
                break;
            }
            let group = keys::group_of_list(key.value()).ok_or_else(|| damaged("terms"))?;
            let (shorts, left_over) = value.value().as_chunks();
            if !left_over.is_empty() {
                return Err(damaged("terms"));
            }
            if wanted.group(group) && visit(group, shorts)?.is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Every row of a group whose record begins with `short`.
fn each_of_short(
    records: &Records,
    group: Group,
    short: Short,
    mut visit: impl FnMut(RecordKey, &RowBytes<'_>, &RecordBytes<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let (first, last) = keys::short_range(group, short);
    for entry in records.range::<&Key>(&first..=&last).at(STEP)? {
        let (key, value) = entry.at(STEP)?;
        let record = take_apart(value.value())?;
        if let Some(row) = &record.row {
            visit(unpack(key.value())?, row, &record)?;
        }
    }
    Ok(())
}

fn take_apart(value: &[u8]) -> Result<RecordBytes<'_>, StoreError> {
    RecordBytes::read(value).map_err(undecodable("a record"))
}

fn unpack(key: &Key) -> Result<RecordKey, StoreError> {
    keys::unpack(key).map_err(undecodable("a key"))
}

/// The rows to show.
struct Page<'a> {
    after: Option<Key>,
    limit: usize,
    feeds: Feeds,
    ids: &'a dyn EntryIds,
    rows: Vec<ViewRow>,
    weight: u64,
}

impl Page<'_> {
    fn is_full(&self) -> bool {
        self.rows.len() >= self.limit || self.weight >= PAGE_WEIGHT_MAX
    }

    /// Whether nothing up to this key is to be shown any more.
    fn is_past(&self, end: &Key) -> bool {
        self.is_full() || self.after.is_some_and(|after| *end <= after)
    }

    /// Copies the row when it lies behind `after` and there is room.
    fn take(&mut self, key: &Key, record: &RecordBytes<'_>) -> Result<(), StoreError> {
        if !self.is_full() && self.after.is_none_or(|after| *key > after) {
            self.weight += record.row.map_or(0, |row| u64::from(row.weight));
            self.rows.extend(whole(&self.feeds, unpack(key)?, record, self.ids)?);
        }
        Ok(())
    }
}

/// A filter in the bytes of this file.
struct Wanted {
    areas: BTreeSet<Area>,
    kinds: BTreeSet<[u8; 2]>,
    terms: Vec<WantedTerm>,
    verdicts: BTreeSet<RecordVerdict>,
}

impl Wanted {
    fn new(filter: &RowFilter) -> Self {
        Self {
            areas: filter.areas.iter().copied().map(keys::area_bytes).collect(),
            kinds: filter.kinds.iter().map(|kind| kind.to_be_bytes()).collect(),
            terms: filter.terms.iter().map(|(kind, text)| WantedTerm::new(*kind, text)).collect(),
            verdicts: filter.verdicts.clone(),
        }
    }

    /// Whether all groups are walked and those of other areas left out, as with none named.
    fn are_areas_many(&self) -> bool {
        self.areas.is_empty() || self.areas.len() > SEEK_AREAS_MAX
    }

    fn takes(&self, verdict: RecordVerdict) -> bool {
        self.verdicts.is_empty() || self.verdicts.contains(&verdict)
    }

    /// How many of a group's rows are wanted, where its sums tell.
    fn known(&self, rows: u64, counting: u64) -> Option<u64> {
        let takes_counting = self.takes(RecordVerdict::Counting);
        if self.verdicts.is_empty() {
            Some(rows)
        } else if takes_counting && (self.verdicts.len() == 1 || rows == counting) {
            Some(counting)
        } else {
            (rows == counting).then_some(0)
        }
    }

    fn group(&self, group: Group) -> bool {
        let [area @ .., high, low] = group;
        (self.areas.is_empty() || self.areas.contains(&area))
            && (self.kinds.is_empty() || self.kinds.contains(&[high, low]))
    }

    /// Whether the row stands as wanted and has every term; only counting rows have terms that can
    /// be found.
    fn row(&self, row: &RowBytes<'_>) -> Result<bool, StoreError> {
        if !self.takes(row.verdict) || self.terms.is_empty() {
            return Ok(self.takes(row.verdict));
        }
        let open = row.open().map_err(undecodable("a row"))?;
        let terms = codec::terms(open.terms_bytes()).collect::<Result<Vec<_>, _>>();
        let terms = terms.map_err(undecodable("terms"))?;
        let has = |wanted: &WantedTerm| terms.iter().any(|(lead, text)| wanted.is(*lead, text));
        Ok(row.verdict == RecordVerdict::Counting && self.terms.iter().all(has))
    }
}

/// A term as rows keep it.
struct WantedTerm {
    lead: u8,
    payload: Vec<u8>,
    /// Whether the text only has to begin so.
    begins: bool,
}

impl WantedTerm {
    fn new(kind: TermKind, text: &str) -> Self {
        let (lead, payload) = keys::pack_term(kind, text);
        Self { lead, payload: payload.into_owned(), begins: kind == TermKind::Name }
    }

    fn is(&self, lead: u8, payload: &[u8]) -> bool {
        let matches =
            if self.begins { payload.starts_with(&self.payload) } else { payload == self.payload };
        lead == self.lead && matches
    }

    /// What the keys of its lists begin with, ascending.
    fn beginnings(&self, wanted: &Wanted) -> Vec<Vec<u8>> {
        if self.begins {
            return vec![keys::term_beginning(self.lead, &self.payload)];
        }
        let term = keys::term_key(self.lead, &self.payload);
        if wanted.are_areas_many() {
            return vec![term];
        }
        wanted.areas.iter().map(|area| [&term[..], area].concat()).collect()
    }
}
