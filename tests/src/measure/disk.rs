//! Where a disk's bytes go: what each table of both stores holds, and what its pages leave empty.

use redb::{ReadOnlyDatabase, ReadableDatabase as _, ReadableTableMetadata as _, TableHandle as _};

use super::child::allocated;
use super::ingest::Held;
use super::scale::RECORD_ENTRIES;
use super::{Aim, Report, hub};

/// Less is not told.
const TOLD_FROM: f64 = 0.5;

/// Bytes a record of each table, and of each file what lies in no table: pages of the trees that are free.
pub(super) fn measure(report: &mut Report, held: &Held<'_>) {
    let records = held.entries as f64 / RECORD_ENTRIES as f64;
    let mut add = |what: String, bytes: u64| {
        let bytes = bytes as f64 / records;
        if bytes >= TOLD_FROM {
            let figure = report.add(what, bytes, "B/record").at(held.entries);
            figure.arriving(held.arrival.name()).aim(Aim::None);
        }
    };
    for path in hub::stores(held.folder) {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let database = ReadOnlyDatabase::open(&path).unwrap();
        let transaction = database.begin_read().unwrap();
        let mut in_tables = 0;
        for table in transaction.list_tables().unwrap() {
            let name = table.name().to_owned();
            let stats = transaction.open_untyped_table(table).unwrap().stats().unwrap();
            let around = stats.metadata_bytes() + stats.fragmented_bytes();
            in_tables += stats.stored_bytes() + around;
            add(format!("disk, {file}, {name}"), stats.stored_bytes());
            add(format!("disk, {file}, {name}, around it"), around);
        }
        add(format!("disk, {file}, in no table"), allocated(&path).saturating_sub(in_tables));
    }
}
