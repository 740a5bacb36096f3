//! What goes through a link.

use super::*;
use crate::net::link::LinkRole;
use crate::sync::message::{BULK_FRAME_BYTES_MAX, CONTROL_FRAME_BYTES_MAX};

/// Frames of one stream: lengths around every border, each of other bytes.
fn frames(stream: Stream) -> Vec<Vec<u8>> {
    let sizes = [1, 2, 3, 4, 5, 255, 256, 4_095, 16_383, 16_384, 16_385, CONTROL_FRAME_BYTES_MAX];
    let bulk = [CONTROL_FRAME_BYTES_MAX + 1, 262_144, 1, BULK_FRAME_BYTES_MAX];
    let sizes = sizes.into_iter().chain(bulk.into_iter().filter(|_| stream == Stream::Bulk));
    let frame = |(n, size): (usize, usize)| {
        (0..size).map(|at| u8::try_from((at * 31 + n * 7) % 251).unwrap()).collect()
    };
    sizes.enumerate().map(frame).collect()
}

/// Sends all frames of both streams at once while it reads as many.
async fn exchange(link: &mut Link) -> [Vec<Vec<u8>>; 2] {
    let writer = link.writer.clone();
    let all = |stream| {
        let writer = writer.clone();
        async move {
            for frame in frames(stream) {
                writer.send(stream, frame).await.unwrap();
            }
        }
    };
    let wanted = frames(Stream::Control).len() + frames(Stream::Bulk).len();
    let read = async {
        let mut came = [Vec::new(), Vec::new()];
        while came.iter().map(Vec::len).sum::<usize>() < wanted {
            let (stream, frame) = next(link).await;
            came[usize::from(stream == Stream::Bulk)].push(frame);
        }
        came
    };
    tokio::join!(all(Stream::Control), all(Stream::Bulk), read).2
}

#[tokio::test]
async fn frames_of_every_size_arrive_in_order_both_ways_over_quic_and_tcp() {
    for over in BOTH {
        let (mut one, mut other) = (Peer::start(1).await, Peer::start(2).await);
        let (mut ours, mut theirs) = linked(&mut one, &mut other, over).await;
        assert_eq!((ours.role, theirs.role), (LinkRole::Dialer, LinkRole::Listener));
        assert_eq!((ours.peer_key, theirs.peer_key), (other.key, one.key));
        assert_eq!(theirs.device, Some(DeviceId(one.key)));
        assert!(!theirs.stranger && !theirs.relayed);

        let (came, went) = tokio::join!(exchange(&mut ours), exchange(&mut theirs));
        let expected = [frames(Stream::Control), frames(Stream::Bulk)];
        assert!(came == expected && went == expected, "{over:?}");

        let count = expected.iter().flatten().count() as u64;
        let bytes = expected.iter().flatten().map(|frame| frame.len() as u64 + 4).sum::<u64>();
        let traffic = &theirs.traffic;
        assert_eq!((traffic.received_frames(), traffic.received_bytes()), (count, bytes));
        assert_eq!((traffic.sent_frames(), traffic.sent_bytes()), (count, bytes));
    }
}

#[tokio::test]
async fn a_frame_that_no_stream_may_carry_is_not_sent_and_the_link_goes_on() {
    let (mut one, mut other) = (Peer::start(1).await, Peer::start(2).await);
    let (ours, mut theirs) = linked(&mut one, &mut other, Over::Quic).await;
    for (stream, bytes) in [
        (Stream::Control, CONTROL_FRAME_BYTES_MAX + 1),
        (Stream::Bulk, BULK_FRAME_BYTES_MAX + 1),
        (Stream::Control, 0),
    ] {
        let sent = ours.writer.send(stream, vec![0; bytes]).await;
        assert_eq!(sent, Err(LinkError::Oversize));
    }
    send(&ours, Stream::Control, vec![1]).await;
    assert_eq!(next(&mut theirs).await, (Stream::Control, vec![1]));
}

/// Frames of 16 KiB that bulk takes before it makes us wait.
async fn fill(link: &Link) -> u8 {
    let mut sent = 0;
    let frame = |n: u8| vec![n; 16 * 1024];
    while timeout(Duration::from_secs(1), link.writer.send(Stream::Bulk, frame(sent))).await.is_ok()
    {
        sent += 1;
    }
    sent
}

#[tokio::test]
async fn a_reader_that_does_not_read_holds_the_sender_at_its_bound_and_control_goes_on() {
    for over in BOTH {
        let (mut one, mut other) = (Peer::start(1).await, Peer::start(2).await);
        let (ours, mut theirs) = linked(&mut one, &mut other, over).await;
        let sent = fill(&ours).await;
        // A queue of 256 KiB, a window of as much, and what lies between: never a megabyte.
        assert!((16..64).contains(&sent), "{over:?}: {sent} frames of 16 KiB");
        assert!(ours.writer.room(Stream::Bulk) < 16 * 1024 + 4);

        send(&ours, Stream::Control, vec![7]).await;
        let mut came = Vec::new();
        while came.len() <= usize::from(sent) {
            came.push(next(&mut theirs).await);
        }
        let overtook = came.iter().position(|(stream, _)| *stream == Stream::Control).unwrap();
        assert!(overtook < usize::from(sent), "{over:?}: control waited for all of bulk");
        came.remove(overtook);
        let all = (0..sent).map(|n| (Stream::Bulk, vec![n; 16 * 1024]));
        assert!(came.into_iter().eq(all), "{over:?}");
        send(&ours, Stream::Bulk, vec![1, 2, 3]).await;
        assert_eq!(next(&mut theirs).await, (Stream::Bulk, vec![1, 2, 3]));
    }
}

#[tokio::test]
async fn a_side_that_takes_no_bytes_for_too_long_ends_the_link_as_stalled() {
    for over in BOTH {
        let quick = |config: &mut NetConfig| config.timing.stall = Duration::from_millis(300);
        let (mut one, mut other) = (Peer::with(1, quick).await, Peer::start(2).await);
        let (ours, theirs) = linked(&mut one, &mut other, over).await;
        let ended = loop {
            let sent = timeout(LONG, ours.writer.send(Stream::Bulk, vec![0; 16 * 1024])).await;
            if let Err(error) = sent.unwrap() {
                break error;
            }
        };
        assert_eq!(ended, LinkError::Stalled);
        assert_eq!(one.closed(ours.id).await, CloseReason::Stalled);
        assert_eq!(other.closed(theirs.id).await, CloseReason::Lost);
    }
}

#[tokio::test]
async fn bulk_is_not_kept_waiting_by_a_flood_of_control() {
    let (mut one, mut other) = (Peer::start(1).await, Peer::start(2).await);
    let (ours, mut theirs) = linked(&mut one, &mut other, Over::Tcp).await;
    let flood = async { while ours.writer.send(Stream::Control, vec![0; 1024]).await.is_ok() {} };
    let bulk = async {
        send(&ours, Stream::Bulk, vec![1]).await;
        while next(&mut theirs).await.0 != Stream::Bulk {}
    };
    tokio::select! {
        () = flood => panic!("the link ended"),
        () = bulk => {}
    }
}

#[tokio::test]
async fn a_read_that_is_given_up_loses_no_frame() {
    let (mut one, mut other) = (Peer::start(1).await, Peer::start(2).await);
    let (ours, mut theirs) = linked(&mut one, &mut other, Over::Quic).await;
    let sender = async {
        for n in 0..100_u8 {
            send(&ours, Stream::Bulk, vec![n; 50_000]).await;
        }
    };
    let reader = async {
        for n in 0..100_u8 {
            let frame = loop {
                tokio::select! {
                    biased;
                    frame = theirs.reader.next() => break frame.unwrap().unwrap(),
                    () = tokio::task::yield_now() => {}
                }
            };
            assert_eq!(frame, (Stream::Bulk, vec![n; 50_000]));
        }
    };
    timeout(LONG, async { tokio::join!(sender, reader) }).await.unwrap();
}
