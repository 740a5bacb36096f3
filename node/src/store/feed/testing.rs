//! For tests: damage that redb cannot see.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

use redb::{Database, Key, ReadableTable, StorageBackend, TableDefinition};

use super::tables::{ARRIVALS, BLOCKS, HEADS};

/// Flips a bit of the value in the given row of a table, through redb; returns the value's length,
/// or nothing when there is no such row. Without a position nothing changes.
pub(crate) fn alter_value(
    backend: impl StorageBackend,
    table: &str,
    row: usize,
    position: Option<usize>,
) -> Option<usize> {
    let database = Database::builder().create_with_backend(backend).unwrap();
    match table {
        "blocks" => alter(&database, BLOCKS, row, position),
        "heads" => alter(&database, HEADS, row, position),
        _ => alter(&database, ARRIVALS, row, position),
    }
}

fn alter<K: Key + 'static>(
    database: &Database,
    table: TableDefinition<'_, K, &'static [u8]>,
    row: usize,
    position: Option<usize>,
) -> Option<usize> {
    let transaction = database.begin_write().unwrap();
    let length = {
        let mut table = transaction.open_table(table).unwrap();
        let found = table.iter().unwrap().nth(row)?.unwrap();
        let (key, mut value) =
            (K::as_bytes(&found.0.value()).as_ref().to_vec(), found.1.value().to_vec());
        drop(found);
        let length = value.len();
        if let Some(position) = position {
            value[position] ^= 1;
            table.insert(K::from_bytes(&key), &*value).unwrap();
        }
        length
    };
    transaction.commit().unwrap();
    Some(length)
}
