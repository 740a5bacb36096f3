//! Keys: area first, then feed, so that comparing the bytes compares the places.

use crdt_schema::area::AreaId;
use crdt_schema::id::{FeedId, FeedName};

/// Bytes of a feed's id in a key: enough that no two feeds of an area ever share them, and a new
/// feed that did would be refused.
pub(super) const FEED_BYTES: usize = 16;
const HEAD_KEY_BYTES: usize = AreaId::SIZE_BYTES + FEED_BYTES;
const BLOCK_KEY_BYTES: usize = HEAD_KEY_BYTES + 14;

/// A feed.
///
/// | bytes  | field  | form                                 |
/// |--------|--------|--------------------------------------|
/// | 0..11  | `area` | AreaId: ten ASCII digits, generation |
/// | 11..27 | `feed` | first 16 bytes of the FeedId         |
pub(super) type HeadKey = [u8; HEAD_KEY_BYTES];

/// One piece of a segment. The branch stands before the sequence: so each branch grows at its own
/// end, and the segment that holds a sequence is the last one that begins at or before it.
///
/// | bytes  | field    | form                                           |
/// |--------|----------|------------------------------------------------|
/// | 0..27  | `feed`   | [`HeadKey`]                                    |
/// | 27..31 | `branch` | local number, big-endian                       |
/// | 31..39 | `first`  | sequence of the segment's first entry          |
/// | 39..41 | `piece`  | from 0; a segment's pieces follow one another  |
pub(super) type BlockKey = [u8; BLOCK_KEY_BYTES];

/// The key of a feed.
pub(super) fn head_key(name: &FeedName, id: FeedId) -> HeadKey {
    let mut key = [0; HEAD_KEY_BYTES];
    let bytes = name.area.as_bytes().iter().chain(id.0.iter().take(FEED_BYTES));
    fill(&mut key, bytes);
    key
}

/// The key of one piece.
pub(super) fn block_key(feed: &HeadKey, branch: u32, first: u64, piece: u16) -> BlockKey {
    let mut key = [0; BLOCK_KEY_BYTES];
    let (branch, first, piece) = (branch.to_be_bytes(), first.to_be_bytes(), piece.to_be_bytes());
    fill(&mut key, feed.iter().chain(&branch).chain(&first).chain(&piece));
    key
}

/// Feed, branch and first sequence of a piece's key.
pub(super) fn read_block_key(key: &BlockKey) -> (HeadKey, u32, u64) {
    let mut rest = key.iter().copied();
    (take(&mut rest), u32::from_be_bytes(take(&mut rest)), u64::from_be_bytes(take(&mut rest)))
}

fn fill<'a>(key: &mut [u8], bytes: impl Iterator<Item = &'a u8>) {
    for (to, from) in key.iter_mut().zip(bytes) {
        *to = *from;
    }
}

fn take<const N: usize>(bytes: &mut impl Iterator<Item = u8>) -> [u8; N] {
    std::array::from_fn(|_| bytes.next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;
    use crdt_schema::id::{DeviceId, Space};

    #[test]
    fn a_key_has_these_bytes_for_ever_and_comes_apart_again() {
        let area = "32092120160".parse().unwrap();
        let name =
            FeedName { device: DeviceId([1; 32]), area, space: Space::Records, incarnation: 7 };
        let feed = head_key(&name, FeedId([0xab; 32]));
        let key = block_key(&feed, 2, 65, 3);
        let bytes = "3332303932313230313630abababababababababababababababab";
        assert_eq!(hex::encode(key), format!("{bytes}0000000200000000000000410003"));
        assert_eq!(read_block_key(&key), (feed, 2, 65));
    }
}
