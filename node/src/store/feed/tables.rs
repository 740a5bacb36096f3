//! The tables of the feed store, format 1. The forms of keys are in `keys.rs`, of values in
//! `codec.rs`.
//!
//! | table      | key                                   | value                                      |
//! |------------|---------------------------------------|--------------------------------------------|
//! | `meta`     | a name                                | `what`, `format`, `instance`               |
//! | `heads`    | area, feed (27 bytes)                 | number, feed name, branches and heads      |
//! | `blocks`   | area, feed, branch, first seq, piece  | at most 1,300 bytes of a segment           |
//! | `arrivals` | number of the first row of a group    | hash before the group, up to 64 rows       |
//! | `values`   | a name                                | bytes of whoever put them                  |
//!
//! Keys that begin with the area keep a village's feeds side by side, so that a batch grouped by
//! area touches few pages, and within a branch keys only ascend.

use redb::TableDefinition;

use super::keys::{BlockKey, HeadKey};

/// What the file is.
pub(super) const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
/// Every feed and its heads.
pub(super) const HEADS: TableDefinition<'_, &HeadKey, &[u8]> = TableDefinition::new("heads");
/// The entries.
pub(super) const BLOCKS: TableDefinition<'_, &BlockKey, &[u8]> = TableDefinition::new("blocks");
/// What came when.
pub(super) const ARRIVALS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("arrivals");
/// Small named values.
pub(super) const VALUES: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("values");
