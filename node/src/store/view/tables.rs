//! The tables of `view.redb`: for each its key, its value and why it is there.
//!
//! | table       | key                                     | value                         |
//! |-------------|-----------------------------------------|-------------------------------|
//! | `meta`      | name                                    | see below                     |
//! | `records`   | area 5, kind 2, record 16               | row and edits, see `codec.rs` |
//! | `by_id`     | first 4 of the record, area 5, kind 2   | -                             |
//! | `conflicts` | area 5, kind 2, record 16               | -                             |
//! | `groups`    | area 5, kind 2                          | rows 8, counting rows 8       |
//! | `terms`     | term, area 5, kind 2, bound 0 or 4      | first 4 of each record, up    |
//! | `counts`    | area 5, kind 2, term kind 1, text       | counting rows 8               |
//! | `feeds`     | number 4                                | feed 32                       |
//! | `numbers`   | feed 32                                 | number 4                      |
//!
//! `meta`: `format` 4, `instance` 16, `applied` 8, `totals` 4 x 8, all big-endian. An area is its
//! eleven digits as a number. How a term becomes bytes stands in `keys.rs`.
//!
//! Four bytes of a record id are enough to find it, as ids are random: in one area and kind of
//! 6,000 records two share them once in 240 such areas. Nothing relies on it: a prefix stands for
//! every row that begins so, and rows themselves are asked wherever it could matter. A list of a
//! term keeps one prefix for each row, so its length is exact even then.

use redb::TableDefinition;

use super::keys::{ById, Group, Key};

/// What the file is and how far it came.
pub(super) const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
/// Rows, each with the edits it was made of: they change together, and the row's ids are theirs.
pub(super) const RECORDS: TableDefinition<'_, &Key, &[u8]> = TableDefinition::new("records");
/// Finds a record by the beginning of its id.
pub(super) const BY_ID: TableDefinition<'_, &ById, ()> = TableDefinition::new("by_id");
/// Rows with a conflict, whatever their verdict: few, so that nobody looks through all rows.
pub(super) const CONFLICTS: TableDefinition<'_, &Key, ()> = TableDefinition::new("conflicts");
/// How many rows of a kind an area has, of any verdict and counting: plain lists need no scan.
pub(super) const GROUPS: TableDefinition<'_, &Group, (u64, u64)> = TableDefinition::new("groups");
/// Lists of counting rows by term, cut into chunks.
pub(super) const TERMS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("terms");
/// Counting rows by term of type and status.
pub(super) const COUNTS: TableDefinition<'_, &[u8], u64> = TableDefinition::new("counts");
/// Feeds by their number in this file.
pub(super) const FEEDS: TableDefinition<'_, u32, &[u8; 32]> = TableDefinition::new("feeds");
/// Numbers by feed.
pub(super) const NUMBERS: TableDefinition<'_, &[u8; 32], u32> = TableDefinition::new("numbers");

/// `meta`: layout of the file.
pub(super) const META_FORMAT: &str = "format";
/// `meta`: the feed store these views are derived from.
pub(super) const META_INSTANCE: &str = "instance";
/// `meta`: the newest arrival that is in the views.
pub(super) const META_APPLIED: &str = "applied";
/// `meta`: records, conflicts, waiting, waiting for entries, set aside.
pub(super) const META_TOTALS: &str = "totals";
