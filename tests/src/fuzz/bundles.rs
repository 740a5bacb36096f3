//! The stick: a file of frames that anybody may have written or cut.

use node::bundle::{BundleReader, Frame, Piece};

use super::messages::golden;

/// A bundle is read to its end, whatever it holds; each frame has one form. The frames' hashes are
/// mended first, so that their payloads are looked at.
pub(super) fn bundle(bytes: &[u8]) -> bool {
    let taken = read(bytes);
    let mended = mended(bytes);
    read(&mended) || taken
}

/// Whether every piece but the last was a whole frame: the last is the end, or that there is none.
fn read(bytes: &[u8]) -> bool {
    let Ok(mut reader) = BundleReader::read(bytes) else { return false };
    let (mut pieces, mut frames) = (0_usize, 0_usize);
    while let Some(piece) = reader.next_piece().unwrap() {
        pieces += 1;
        assert!(pieces <= bytes.len(), "a bundle without end");
        let Piece::Frame(frame) = piece else { continue };
        frames += 1;
        let (kind, payload) = frame.encode();
        assert_eq!(Frame::decode(kind, &payload), Ok(Some(frame)), "a frame did not come back");
    }
    pieces - frames <= 1
}

/// The same frames, each with the hash of what it holds.
fn mended(bytes: &[u8]) -> Vec<u8> {
    let (start, mut rest) = bytes.split_at(bytes.len().min(9));
    let mut mended = start.to_vec();
    while let Some((head, behind)) = rest.split_first_chunk::<5>() {
        let [kind, length @ ..] = *head;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        let Some((payload, behind)) = behind.split_at_checked(length) else { break };
        if let Ok(Some(frame)) = Frame::decode(kind, payload) {
            assert_eq!(frame.encode(), (kind, payload.to_vec()), "a frame has a second form");
        }
        mended.extend(head);
        mended.extend(payload);
        mended.extend(hash(kind, payload));
        rest = behind.get(16..).unwrap_or_default();
    }
    mended.extend(rest);
    mended
}

fn hash(kind: u8, payload: &[u8]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[kind]).update(payload);
    let mut hash = [0; 16];
    hasher.finalize_xof().fill(&mut hash);
    hash
}

pub(super) fn bundles() -> Vec<Vec<u8>> {
    let mut whole = b"WKSBMbdl\x01".to_vec();
    let mut seeds = Vec::new();
    for line in include_str!("../../../node/golden/bundle-frames-v1.hex").lines() {
        let (kind, payload) = line.split_once(' ').unwrap();
        let kind: u8 = kind.parse().unwrap();
        for payload in golden(payload) {
            whole.push(kind);
            whole.extend(u32::try_from(payload.len()).unwrap().to_be_bytes());
            whole.extend(&payload);
            whole.extend(hash(kind, &payload));
            seeds.push(whole.clone());
        }
    }
    seeds
}
