//! The running hash over the arrivals: every feed store computes the same.

use crdt_schema::codec::Writer;

use crate::ports::Arrival;

/// What stands before the first arrival.
pub(super) const NO_ARRIVALS: [u8; 32] = [0; 32];

/// The hash of a row: BLAKE3 over the hash of the row before and every field of this one.
///
/// | bytes  | field         |
/// |--------|---------------|
/// | 0..32  | hash before   |
/// | 32..40 | `number`      |
/// | 40..72 | `feed`        |
/// | 72..76 | `branch`      |
/// | 76..84 | `first`       |
/// | 84..92 | `last`        |
/// | 92..100 | `received_at` |
pub(super) fn running_hash(before: &[u8; 32], arrival: &Arrival) -> [u8; 32] {
    let mut row = Writer::new();
    row.raw(before).u64(arrival.number).raw(&arrival.feed.0).u32(arrival.branch);
    row.u64(arrival.first).u64(arrival.last).raw(&arrival.received_at.0.to_be_bytes());
    blake3::derive_key("wksbm 2026 arrival v1", &row.finish())
}
