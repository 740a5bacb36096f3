//! Between a link and the writer: a task that takes frames off it, a task that puts frames on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Semaphore, mpsc};

use super::exchange::LinkId;
use super::runner::Order;
use crate::net::{CloseReason, LinkError, LinkReader, LinkWriter};
use crate::sync::{EndReason, Stream};

/// Frames of one link that wait for the writer or are being worked on.
const FRAMES_AHEAD: usize = 2;

/// What is to go on a link.
pub(super) enum Going {
    Frame(Stream, Vec<u8>),
    Close(CloseReason),
}

/// Takes frames off a link, one permit each: the writer gives it back when the frame is worked off.
pub(super) async fn receive_all(mut reader: LinkReader, link: LinkId, orders: mpsc::Sender<Order>) {
    let ahead = Arc::new(Semaphore::new(FRAMES_AHEAD));
    let reason = loop {
        let Ok(permit) = ahead.clone().acquire_owned().await else { break EndReason::Lost };
        match reader.next().await {
            Ok(Some((stream, bytes))) => {
                if orders.send(Order::Frame { link, stream, bytes, permit }).await.is_err() {
                    return;
                }
            }
            Ok(None) => break EndReason::Lost,
            Err(error) => break end_of_error(error),
        }
    };
    // The writer may have gone first.
    drop(orders.send(Order::Gone { link, reason }).await);
}

/// Puts frames on a link in order, until it is told to close or the link breaks.
pub(super) async fn send_all(
    writer: LinkWriter,
    mut going: mpsc::UnboundedReceiver<Going>,
    queued: Arc<AtomicUsize>,
) {
    while let Some(next) = going.recv().await {
        match next {
            Going::Frame(stream, frame) => {
                let length = frame.len();
                let sent = writer.send(stream, frame).await;
                queued.fetch_sub(length, Ordering::Relaxed);
                if sent.is_err() {
                    // Why it broke is told by the transport.
                    break;
                }
            }
            Going::Close(reason) => {
                writer.close(reason);
                break;
            }
        }
    }
    queued.store(0, Ordering::Relaxed);
}

pub(super) const fn end_of(reason: CloseReason) -> EndReason {
    match reason {
        CloseReason::Done | CloseReason::Superseded | CloseReason::Shutdown => EndReason::Done,
        CloseReason::Stalled => EndReason::Stalled,
        CloseReason::Oversize => EndReason::TooMuch,
        CloseReason::Misbehaved => EndReason::Malformed,
        CloseReason::Refused => EndReason::NoRights,
        CloseReason::Remote | CloseReason::Lost => EndReason::Lost,
    }
}

const fn end_of_error(error: LinkError) -> EndReason {
    match error {
        LinkError::Oversize => EndReason::TooMuch,
        LinkError::Stalled => EndReason::Stalled,
        LinkError::Lost | LinkError::Closed => EndReason::Lost,
    }
}

pub(super) const fn close_of(reason: EndReason) -> CloseReason {
    match reason {
        EndReason::Done | EndReason::Lost | EndReason::Store | EndReason::NothingShared => {
            CloseReason::Done
        }
        EndReason::Stalled => CloseReason::Stalled,
        EndReason::TooMuch => CloseReason::Oversize,
        EndReason::NoRights | EndReason::Stranger => CloseReason::Refused,
        EndReason::Version
        | EndReason::Malformed
        | EndReason::OutOfOrder
        | EndReason::UnknownReference
        | EndReason::BadRun => CloseReason::Misbehaved,
    }
}
