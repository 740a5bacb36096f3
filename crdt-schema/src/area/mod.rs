//! Areas: codes that change, identities that do not, and the tree of today.
//!
//! `code.rs` codes and ids · `json.rs` both in JSON · `table.rs` the areas a network begins with · `alias.rs` which alias of
//! several decides · `tree.rs` both together: today's tree.

mod alias;
mod code;
mod json;
mod table;
mod tree;

pub use alias::CountingAlias;
pub use code::{AreaCode, AreaId, Level, ParseAreaError};
pub use table::{BaseArea, base_areas};
pub use tree::AreaTree;
