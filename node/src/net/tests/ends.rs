//! How links and transports end.

use tokio::time::Instant;

use super::*;

#[tokio::test]
async fn what_was_queued_before_a_close_arrives_and_then_the_end() {
    for over in BOTH {
        let (mut one, mut other) = (Peer::start(1).await, Peer::start(2).await);
        let (ours, mut theirs) = linked(&mut one, &mut other, over).await;
        for n in 0..10_u8 {
            send(&ours, Stream::Bulk, vec![n; 20_000]).await;
        }
        send(&ours, Stream::Control, vec![42]).await;
        ours.writer.close(CloseReason::Done);
        let mut bulk = 0;
        while let Some((stream, frame)) =
            timeout(LONG, theirs.reader.next()).await.unwrap().unwrap()
        {
            if stream == Stream::Bulk {
                assert_eq!(frame, vec![bulk; 20_000]);
                bulk += 1;
            }
        }
        assert_eq!(bulk, 10, "{over:?}");
        assert_eq!(theirs.reader.next().await, Ok(None), "the end is said again");
        drop(theirs.reader);
        drop(theirs.writer);
        assert_eq!(one.closed(ours.id).await, CloseReason::Done);
        assert_eq!(other.closed(theirs.id).await, CloseReason::Remote);
    }
}

#[tokio::test]
async fn a_link_whose_halves_are_dropped_is_closed_on_both_sides() {
    for over in BOTH {
        let (mut one, mut other) = (Peer::start(1).await, Peer::start(2).await);
        let (ours, mut theirs) = linked(&mut one, &mut other, over).await;
        let id = ours.id;
        drop(ours);
        assert_eq!(timeout(LONG, theirs.reader.next()).await.unwrap(), Ok(None), "{over:?}");
        let their = theirs.id;
        drop(theirs);
        assert_eq!(one.closed(id).await, CloseReason::Done);
        assert_eq!(other.closed(their).await, CloseReason::Remote);
        // And the same two may meet again.
        linked(&mut other, &mut one, over).await;
    }
}

#[tokio::test]
async fn after_a_close_nothing_is_sent_and_nothing_read() {
    let (mut one, mut other) = (Peer::start(1).await, Peer::start(2).await);
    let (mut ours, theirs) = linked(&mut one, &mut other, Over::Quic).await;
    ours.writer.close(CloseReason::Misbehaved);
    assert_eq!(timeout(LONG, ours.reader.next()).await.unwrap(), Err(LinkError::Closed));
    assert_eq!(ours.writer.send(Stream::Control, vec![1]).await, Err(LinkError::Closed));
    drop(theirs);
    assert_eq!(one.closed(ours.id).await, CloseReason::Misbehaved);
}

#[tokio::test]
async fn a_transport_ends_in_time_whether_the_other_side_helps_or_not() {
    for over in BOTH {
        let (mut one, mut other) = (Peer::start(1).await, Peer::start(2).await);
        let (ours, mut theirs) = linked(&mut one, &mut other, over).await;
        send(&ours, Stream::Control, vec![3]).await;
        let start = Instant::now();
        one.handle.shutdown().await;
        assert!(start.elapsed() < Duration::from_secs(2), "{over:?}: {:?}", start.elapsed());
        assert_eq!(one.closed(ours.id).await, CloseReason::Shutdown);
        assert!(one.events.recv().await.is_none());
        assert_eq!(next(&mut theirs).await, (Stream::Control, vec![3]));
        assert_eq!(theirs.reader.next().await, Ok(None));
        other.closed(theirs.id).await;
    }
}

#[tokio::test]
async fn a_transport_that_nobody_hears_or_asks_any_more_ends() {
    let mut one = Peer::start(1).await;
    let handle = one.handle.clone();
    one.events.close();
    drop(one);
    timeout(LONG, handle.ended()).await.unwrap();

    let mut other = Peer::start(2).await;
    drop(other.handle);
    while timeout(LONG, other.events.recv()).await.unwrap().is_some() {}
}

#[tokio::test]
async fn events_that_nobody_reads_hold_up_no_command() {
    let mut one = Peer::start(1).await;
    for _ in 0..2_000 {
        one.handle.dial("/memory/7".parse().unwrap());
    }
    timeout(LONG, one.handle.shutdown()).await.unwrap();
    one.dial_failed().await;
}

#[tokio::test]
async fn hanging_up_closes_every_connection_of_a_key_and_no_other() {
    let mut hub = Peer::start(1).await;
    let (mut two, mut three) = (Peer::start(2).await, Peer::start(3).await);
    let (ours, at_hub) = linked(&mut two, &mut hub, Over::Quic).await;
    let (mut stays, stays_at_hub) = linked(&mut three, &mut hub, Over::Tcp).await;
    hub.handle.hang_up(two.key);
    drop(ours);
    assert_eq!(hub.closed(at_hub.id).await, CloseReason::Done);
    send(&stays_at_hub, Stream::Control, vec![5]).await;
    assert_eq!(next(&mut stays).await.1, [5]);
}
