//! What a peer says: frames of a link, frames of a session, rows.

use crdt_schema::codec::{Reader, Writer};
use crdt_schema::id::{DeviceId, EntryId, StoreInstance};
use crdt_schema::time::Timestamp;
use node::net::frames_of;
use node::sync::codec::{decode, encode, frame_length, stream_of};
use node::sync::{DeviceRow, ReceiptRow, RowHead, Stream};

use super::input::Input;

/// The lines of a golden file.
pub(super) fn golden(hex: &str) -> Vec<Vec<u8>> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    hex.lines().map(|line| line.as_bytes().chunks(2).map(byte).collect()).collect()
}

/// A frame is read from one byte string only, and only on its stream. The input is the kind and
/// the payload: the length between them is written here.
pub(super) fn frame(bytes: &[u8]) -> bool {
    let mut input = Input::new(bytes);
    let kind = input.u8();
    let frame = Writer::new().u8(kind).bytes(input.rest()).finish();
    let mut taken = false;
    for (stream, bytes) in [
        (Stream::Control, frame.as_slice()),
        (Stream::Bulk, frame.as_slice()),
        (Stream::Control, bytes),
        (Stream::Bulk, bytes),
    ] {
        let length = frame_length(stream, bytes);
        let Ok(message) = decode(stream, bytes) else { continue };
        assert_eq!(length, Ok(Some(bytes.len())));
        assert_eq!(stream_of(&message), stream);
        assert_eq!(encode(&message), bytes, "a message has a second form");
        taken = true;
    }
    taken
}

pub(super) fn frames() -> Vec<Vec<u8>> {
    let whole = golden(include_str!("../../../node/golden/messages-v1.hex"));
    let bare = whole.iter().map(|frame| {
        let mut reader = Reader::new(frame);
        let kind = reader.u8().unwrap();
        let payload = reader.bytes(frame.len(), "frame").unwrap();
        [&[kind][..], payload].concat()
    });
    bare.chain(whole.iter().take(3).cloned()).collect()
}

/// Frames of a link come out whole, in whatever pieces their bytes came in.
pub(super) fn link(bytes: &[u8]) -> bool {
    let mut input = Input::new(bytes);
    let stream = if input.u8().is_multiple_of(2) { Stream::Control } else { Stream::Bulk };
    let step = 1 + usize::from(input.u8());
    let at_once = frames_of(stream, input.rest(), usize::MAX);
    assert_eq!(frames_of(stream, input.rest(), step), at_once, "pieces decide");
    let Some((frames, _)) = at_once else { return false };
    let mut written = Vec::new();
    for frame in frames {
        written.extend(u32::try_from(frame.len()).unwrap().to_be_bytes());
        written.extend(frame);
    }
    assert!(input.rest().starts_with(&written), "a frame is not what was sent");
    !written.is_empty()
}

pub(super) fn links() -> Vec<Vec<u8>> {
    let frames = golden(include_str!("../../../node/golden/messages-v1.hex"));
    let mut bytes = vec![0, 3];
    for frame in frames.iter().take(4) {
        bytes.extend(u32::try_from(frame.len()).unwrap().to_be_bytes());
        bytes.extend(frame);
    }
    bytes.extend([0; 4]);
    vec![bytes, vec![1, 0, 0, 0, 0, 2, 7, 7]]
}

/// Rows are read from one byte string only.
pub(super) fn row(bytes: &[u8]) -> bool {
    let mut input = Input::new(bytes);
    let is_receipt = input.u8().is_multiple_of(2);
    let (mut reader, mut writer) = (Reader::new(input.rest()), Writer::new());
    if is_receipt {
        let Ok(row) = ReceiptRow::read(&mut reader) else { return false };
        row.write(&mut writer);
    } else {
        let Ok(row) = DeviceRow::read(&mut reader) else { return false };
        row.write(&mut writer);
    }
    let read = input.rest().len() - reader.remaining();
    assert_eq!(input.rest().get(..read), Some(&*writer.finish()), "a row has a second form");
    true
}

pub(super) fn rows() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = frames();
    // Behind kind and, for receipts, their number.
    seeds.retain_mut(|frame| match frame.first() {
        Some(17) => {
            frame.splice(..2, [0]);
            true
        }
        Some(18) => {
            frame.splice(..1, [1]);
            true
        }
        _ => false,
    });
    let heads = |count: u8| (0..count).map(|at| RowHead { feed: [at; 8], seq: 9, entry: [7; 8] });
    let row = DeviceRow {
        device: DeviceId([1; 32]),
        instance: StoreInstance([2; 16]),
        counter: 300,
        heads: heads(200).collect(),
        claimed_at: Timestamp(-1),
        orders: vec![EntryId([3; 32]), EntryId([2; 32])],
        addresses: vec!["/ip4/10.0.0.1/udp/4001/quic-v1".to_owned(), String::new()],
        version: "0.1.0".to_owned(),
        signature: [4; 64],
    };
    let mut writer = Writer::new();
    row.write(writer.u8(1));
    seeds.push(writer.finish());
    seeds
}
