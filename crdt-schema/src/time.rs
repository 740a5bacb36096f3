//! `Timestamp`: a moment as a number. Nothing here knows what time it is.

/// Milliseconds since the Unix epoch, UTC; negative before 1970.
///
/// As `claimed_at` it is its author's word: shown, never trusted, never compared to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);
