//! Areas: codes that change, identities that do not, and the tree of today.

mod code;

pub use code::{AreaCode, AreaId, Level, ParseAreaError};
