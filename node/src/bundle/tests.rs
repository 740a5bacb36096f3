//! The bytes of bundles, for ever; and that any bytes are read or refused.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

use crdt_schema::area::AreaId;
use crdt_schema::entry::{ChainPoint, PackedRun};
use crdt_schema::id::{DeviceId, EntryId, FeedId, FeedName, NetworkId, Space};
use crdt_schema::time::Timestamp;
use proptest::prelude::*;

use super::file::OpenError;
use super::format::{BundleHeader, FEEDS_PER_FILE_MAX, FeedsSeen, Frame, Target};
use super::{BundleReader, BundleWriter, Piece, PiecePlan, Planner, RunSize, Span, Unplannable};

fn header(target: Target) -> BundleHeader {
    BundleHeader {
        network: NetworkId([1; 32]),
        from: DeviceId([2; 32]),
        target,
        made_at: Timestamp(1_700_000_000_000),
        bundle: [3; 16],
        part: 1,
        parts: 2,
    }
}

fn feed() -> Frame {
    Frame::Feed(FeedName {
        device: DeviceId([4; 32]),
        area: AreaId::WEST_JAVA,
        space: Space::Records,
        incarnation: 5,
    })
}

fn run(first: u64) -> PackedRun {
    PackedRun { first, bytes: vec![6, 7, 8], signature: [9; 64] }
}

fn one_of_each() -> Vec<Frame> {
    let point = ChainPoint { seq: 300, id: EntryId([10; 32]) };
    vec![
        Frame::Header(header(Target::All)),
        Frame::Header(header(Target::Area(AreaId::WEST_JAVA))),
        Frame::Header(header(Target::Device(DeviceId([11; 32])))),
        Frame::Statement(vec![12; 3]),
        feed(),
        Frame::Run(1, run(65)),
        Frame::Heads(vec![(FeedId([13; 32]), point)]),
        Frame::Receipt(vec![14; 4]),
        Frame::Contents(vec![Span { feed: FeedId([15; 32]), from: 2, to: 300 }]),
        Frame::End(7),
    ]
}

#[test]
fn frames_have_these_bytes_for_ever() {
    let line = |frame: &Frame| {
        let (kind, payload) = frame.encode();
        assert_eq!(Frame::decode(kind, &payload).unwrap().as_ref(), Some(frame));
        format!("{kind} {}", hex::encode(payload))
    };
    let lines: Vec<String> = one_of_each().iter().map(line).collect();
    assert_eq!(lines.join("\n"), include_str!("../../golden/bundle-frames-v1.hex").trim());
}

#[test]
fn a_frame_taken_out_whole_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.wksbm");
    let mut writer = BundleWriter::new(
        &path,
        header(Target::All),
        Vec::new(),
        vec![PiecePlan::whole(Vec::new())],
    );
    for first in [1, 65] {
        writer.push(&feed(), |number| Frame::Run(number, run(first))).unwrap();
    }
    writer.finish().unwrap();
    let ends = |path| {
        let mut reader = BundleReader::open(path).unwrap();
        std::iter::from_fn(|| reader.next_piece().unwrap()).last().unwrap()
    };
    assert!(matches!(ends(&path), Piece::End));
    let bytes = std::fs::read(&path).unwrap();
    let run_bytes = 1 + 4 + Frame::Run(0, run(65)).encode().1.len() + 16;
    let end_bytes = 1 + 4 + 4 + 16;
    let (kept, last) = bytes.split_at(bytes.len() - end_bytes - run_bytes);
    let without = [kept, last.get(run_bytes..).unwrap()].concat();
    std::fs::write(&path, without).unwrap();
    assert!(matches!(ends(&path), Piece::Cut));
    std::fs::write(&path, [&bytes[..], b"x"].concat()).unwrap();
    assert!(matches!(ends(&path), Piece::Trailing), "what stands behind the end is seen");
}

/// A bundle of five runs, and where its frames begin.
fn written() -> (Vec<u8>, Vec<usize>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.wksbm");
    let plan = vec![PiecePlan::whole(Vec::new())];
    let mut writer = BundleWriter::new(&path, header(Target::All), Vec::new(), plan);
    for first in [1, 65, 129, 193, 257] {
        writer.push(&feed(), |number| Frame::Run(number, run(first))).unwrap();
    }
    writer.finish().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let (mut frames, mut at) = (Vec::new(), 9);
    while let Some(length) = bytes.get(at + 1..at + 5) {
        frames.push(at);
        at += 21 + u32::from_be_bytes(length.try_into().unwrap()) as usize;
    }
    (bytes, frames)
}

/// What is told of a file besides its whole frames: each damage once, and how it ends.
fn told(bytes: &[u8]) -> Vec<&'static str> {
    let mut reader = BundleReader::read(bytes).unwrap();
    let pieces = std::iter::from_fn(|| reader.next_piece().unwrap());
    let told = pieces.filter_map(|piece| match piece {
        Piece::Frame(_) => None,
        Piece::Newer => Some("newer"),
        Piece::Altered => Some("altered"),
        Piece::Cut => Some("cut"),
        Piece::End => Some("end"),
        Piece::Trailing => Some("trailing"),
    });
    told.collect()
}

#[test]
fn a_stretch_of_noughts_is_one_damaged_place_and_no_cut() {
    let (bytes, frames) = written();
    for from in (frames[1]..bytes.len()).step_by(7) {
        let mut zeroed = bytes.clone();
        zeroed.get_mut(from..).unwrap().fill(0);
        zeroed.resize(zeroed.len() + 20_000, 0);
        assert_eq!(told(&zeroed), ["altered"], "noughts from {from}");
    }
    let mut middle = bytes.clone();
    middle.get_mut(frames[3]..frames[5]).unwrap().fill(0);
    let found = told(&middle);
    assert_eq!(found.first(), Some(&"altered"), "{found:?}");
    assert!(found.len() <= 2 && !found.contains(&"cut"), "{found:?}");
}

#[test]
fn a_cut_is_told_where_bytes_are_missing_at_the_end_and_nowhere_else() {
    let (bytes, frames) = written();
    for end in frames[1]..bytes.len() {
        assert_eq!(told(&bytes[..end]), ["cut"], "cut at {end}");
    }
    for at in frames[1]..bytes.len() {
        for flip in [0x01, 0x20, 0xff] {
            let mut altered = bytes.clone();
            altered[at] ^= flip;
            let found = told(&altered);
            assert_eq!(found.first(), Some(&"altered"), "byte {at} with {flip:#x}: {found:?}");
            assert!(!found.contains(&"cut"), "byte {at} with {flip:#x}: {found:?}");
            assert_eq!(found.iter().filter(|it| **it == "altered").count(), 1, "{at}: {found:?}");
        }
    }
}

#[test]
fn a_header_with_an_altered_byte_is_altered_and_not_cut() {
    let (bytes, frames) = written();
    for at in frames[0]..frames[1] {
        for flip in [0x01, 0x20, 0xff] {
            let mut altered = bytes.clone();
            altered[at] ^= flip;
            let refused = BundleReader::read(&altered[..]).unwrap_err();
            assert!(matches!(refused, OpenError::Altered), "byte {at}: {refused}");
        }
        let refused = BundleReader::read(&bytes[..at]).unwrap_err();
        assert!(matches!(refused, OpenError::Truncated), "cut at {at}: {refused}");
    }
}

#[test]
fn of_a_file_that_names_feeds_without_end_so_many_are_remembered_and_no_more() {
    let Frame::Feed(any) = feed() else { unreachable!() };
    let name = |number: usize| FeedName { incarnation: number as u64, ..any };
    let mut seen = FeedsSeen::default();
    (0..FEEDS_PER_FILE_MAX + 9).for_each(|number| seen.push(name(number)));
    let last = FEEDS_PER_FILE_MAX - 1;
    for (number, is) in [(7, 7), (last, last), (last + 1, last), (last + 9, last)] {
        assert_eq!(seen.of(u32::try_from(number).unwrap()), Some(name(is)));
    }
}

#[test]
fn pieces_are_never_larger_than_planned_and_list_what_they_hold() {
    let folder = tempfile::tempdir().unwrap();
    let Frame::Feed(one) = feed() else { panic!("no feed") };
    let other = FeedName { incarnation: 6, ..one };
    let runs: Vec<(FeedName, u64)> = [one, other, one]
        .into_iter()
        .zip([1, 1, 129])
        .flat_map(|(name, first)| (0..40).map(move |number| (name, first + 64 * number)))
        .collect();
    let plan = |max_bytes| {
        let mut planner = Planner::new(&header(Target::All), &[], max_bytes);
        for (name, first) in &runs {
            planner.add(&RunSize::of(*name, *first..=*first + 63, run(*first)));
        }
        planner.pieces()
    };
    let Err(Unplannable::TooSmall { least }) = plan(1) else { panic!("one byte is no piece") };
    assert!(least < 1_000, "{least}");
    assert_eq!(plan(least - 1), Err(Unplannable::TooSmall { least }));
    for max_bytes in [least, least + 100, 2_000, 1 << 20] {
        let path = folder.path().join(format!("{max_bytes}.wksbm"));
        let pieces = plan(max_bytes).unwrap();
        let planned = pieces.clone();
        let mut writer = BundleWriter::new(&path, header(Target::All), Vec::new(), pieces);
        for (name, first) in &runs {
            let made = |number| Frame::Run(number, run(*first));
            writer.push(&Frame::Feed(*name), made).unwrap();
        }
        let files = writer.finish().unwrap();
        assert_eq!(files.len(), planned.len());
        for (file, plan) in files.iter().zip(planned) {
            assert!(std::fs::metadata(file).unwrap().len() <= max_bytes, "{max_bytes}");
            let mut reader = BundleReader::open(file).unwrap();
            let listed = std::iter::from_fn(|| reader.next_piece().unwrap());
            let listed = listed.filter_map(|piece| {
                if let Piece::Frame(Frame::Contents(spans)) = piece { Some(spans) } else { None }
            });
            assert_eq!(listed.flatten().collect::<Vec<_>>(), plan.spans);
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_frame_or_refused(kind: u8, payload: Vec<u8>) {
        if let Ok(Some(frame)) = Frame::decode(kind, &payload) {
            prop_assert_eq!(frame.encode(), (kind, payload));
        }
    }
}
