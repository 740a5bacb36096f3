//! The format of the file, and the numbered steps from older ones to this one.
//!
//! Format 1 is the first. A new format adds one step to [`MIGRATIONS`] and a database written by
//! the old one to the golden files; a step runs in one commit with the new number, so a power cut
//! leaves the old format or the new one.

use crdt_schema::id::StoreInstance;
use redb::{Database, ReadableDatabase, WriteTransaction};

use super::tables::{ARRIVALS, BLOCKS, HEADS, META, VALUES};
use crate::ports::StoreError;
use crate::store::error::{damaged, failed};
use crate::store::open::begin_write;

/// The format this build writes.
pub const FORMAT: u32 = 1;

const WHAT: &str = "what";
const FEED_STORE: &[u8] = b"wksbm feed store";
const FORMAT_NAME: &str = "format";
const INSTANCE: &str = "instance";

/// One step: from its format to the next.
#[derive(Debug)]
struct Migration {
    /// The format it reads.
    from: u32,
    /// Changes what must change; returns how many rows it touched.
    run: fn(&WriteTransaction) -> Result<u64, StoreError>,
}

/// Every step there ever was, ascending.
const MIGRATIONS: &[Migration] = &[];

/// Writes what every feed store begins with.
pub(super) fn begin(database: &Database, instance: StoreInstance) -> Result<(), StoreError> {
    let transaction = begin_write(database)?;
    {
        let mut meta = transaction.open_table(META).map_err(failed("write the format"))?;
        let format = FORMAT.to_be_bytes();
        for (name, value) in
            [(WHAT, FEED_STORE), (FORMAT_NAME, &format[..]), (INSTANCE, &instance.0[..])]
        {
            meta.insert(name, value).map_err(failed("write the format"))?;
        }
    }
    transaction.open_table(HEADS).map_err(failed("make a table"))?;
    transaction.open_table(BLOCKS).map_err(failed("make a table"))?;
    transaction.open_table(ARRIVALS).map_err(failed("make a table"))?;
    transaction.open_table(VALUES).map_err(failed("make a table"))?;
    transaction.commit().map_err(failed("write the format"))
}

/// Brings the file to this build's format, and returns its instance.
///
/// # Errors
/// [`StoreError::Newer`] for a format of a later build, [`StoreError::Damaged`] when it is no feed
/// store; else of the disk.
pub(super) fn bring_up(database: &Database) -> Result<StoreInstance, StoreError> {
    migrate(database, MIGRATIONS, FORMAT)?;
    let instance = meta(database, INSTANCE)?.try_into();
    instance.map(StoreInstance).map_err(|_| damaged("the store's instance"))
}

/// Runs every step between the file's format and `known`.
fn migrate(database: &Database, steps: &[Migration], known: u32) -> Result<(), StoreError> {
    if meta(database, WHAT)? != FEED_STORE {
        return Err(damaged("not a feed store"));
    }
    let found = meta(database, FORMAT_NAME)?.try_into().map(u32::from_be_bytes);
    let found = found.map_err(|_| damaged("the store's format"))?;
    for step in pending(steps, found, known)? {
        let transaction = begin_write(database)?;
        let touched = (step.run)(&transaction)?;
        {
            let mut meta = transaction.open_table(META).map_err(failed("write the format"))?;
            let format = (step.from + 1).to_be_bytes();
            meta.insert(FORMAT_NAME, &format[..]).map_err(failed("write the format"))?;
        }
        transaction.commit().map_err(failed("write the format"))?;
        tracing::info!(from = step.from, touched, "feed store migrated");
    }
    Ok(())
}

/// The steps a file of format `found` needs; nothing runs.
fn pending(steps: &[Migration], found: u32, known: u32) -> Result<&[Migration], StoreError> {
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    let begin = steps.iter().position(|step| step.from == found).unwrap_or(steps.len());
    let needed = steps.get(begin..).unwrap_or_default();
    let whole = needed.iter().map(|step| step.from).eq(found..known);
    if whole { Ok(needed) } else { Err(damaged(format!("format {found} has no way to {known}"))) }
}

fn meta(database: &Database, name: &str) -> Result<Vec<u8>, StoreError> {
    let transaction = database.begin_read().map_err(failed("read the format"))?;
    let table = transaction.open_table(META).map_err(failed("read the format"))?;
    let value = table.get(name).map_err(failed("read the format"))?;
    value.map(|value| value.value().to_vec()).ok_or_else(|| damaged(format!("no {name}")))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;
    use redb::ReadableTable;
    use redb::backends::InMemoryBackend;

    fn database() -> Database {
        let database = Database::builder().create_with_backend(InMemoryBackend::new()).unwrap();
        begin(&database, StoreInstance([3; 16])).unwrap();
        database
    }

    fn add_value(transaction: &WriteTransaction) -> Result<u64, StoreError> {
        let mut values = transaction.open_table(VALUES).map_err(failed("test"))?;
        let count = values.iter().map_err(failed("test"))?.count() as u64;
        values.insert(&[u8::try_from(count).unwrap()][..], &b"x"[..]).map_err(failed("test"))?;
        Ok(1)
    }

    fn values(database: &Database) -> usize {
        let transaction = database.begin_read().unwrap();
        transaction.open_table(VALUES).unwrap().iter().unwrap().count()
    }

    #[test]
    fn the_steps_of_this_build_lead_from_the_first_format_to_the_newest() {
        assert_eq!(pending(MIGRATIONS, 1, FORMAT).unwrap().len(), (FORMAT - 1) as usize);
        assert_eq!(bring_up(&database()).unwrap(), StoreInstance([3; 16]));
    }

    #[test]
    fn each_step_runs_once_and_in_order() {
        let database = database();
        let steps = [Migration { from: 1, run: add_value }, Migration { from: 2, run: add_value }];
        migrate(&database, &steps, 3).unwrap();
        migrate(&database, &steps, 3).unwrap();
        assert_eq!(values(&database), 2);
        assert_eq!(meta(&database, FORMAT_NAME).unwrap(), 3u32.to_be_bytes());
        let newer = bring_up(&database).unwrap_err();
        assert!(matches!(newer, StoreError::Newer { found: 3, known: FORMAT }));
    }

    #[test]
    fn a_step_that_fails_leaves_the_old_format() {
        fn fails(transaction: &WriteTransaction) -> Result<u64, StoreError> {
            add_value(transaction)?;
            Err(StoreError::Full)
        }
        let database = database();
        let steps = [Migration { from: 1, run: fails }];
        assert!(matches!(migrate(&database, &steps, 2), Err(StoreError::Full)));
        assert_eq!(values(&database), 0);
        assert_eq!(bring_up(&database).unwrap(), StoreInstance([3; 16]));
    }

    #[test]
    fn a_gap_between_the_steps_is_told_before_anything_runs() {
        let steps = [Migration { from: 2, run: add_value }];
        let database = database();
        assert!(matches!(migrate(&database, &steps, 3), Err(StoreError::Damaged { .. })));
        assert_eq!(values(&database), 0);
    }
}
