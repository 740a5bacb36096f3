//! Frames that come, from both streams of a link.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use futures_util::AsyncRead;
use futures_util::io::ReadHalf;
use tokio::sync::watch;

use super::event::{CloseReason, LinkError};
use super::frame::{Joiner, Piece};
use super::line::{Going, Held, Line, LineNews};
use crate::sync::Stream;

/// A frame and the stream it came on.
type Came = (Stream, Vec<u8>);

/// Bytes asked of a stream at once; on the stack, so that a link that is quiet holds none.
const CHUNK_BYTES: usize = 8 * 1024;
/// Control frames in a row before bulk is looked at first.
const CONTROL_IN_A_ROW: u32 = 16;

/// Frames that come. Whoever does not ask for the next holds the other side up.
pub struct LinkReader {
    control: Half,
    bulk: Half,
    in_a_row: u32,
    goodbye: bool,
    end: Option<Result<(), LinkError>>,
    going: watch::Receiver<Going>,
    held: Arc<Held>,
}

impl fmt::Debug for LinkReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkReader").field("link", &self.held.0.id).finish_non_exhaustive()
    }
}

struct Half {
    stream: ReadHalf<libp2p::Stream>,
    joiner: Joiner,
    ended: bool,
}

impl Half {
    fn new(stream: ReadHalf<libp2p::Stream>, which: Stream) -> Self {
        Self { stream, joiner: Joiner::new(which), ended: false }
    }

    /// The next piece; `None` at the end of the stream.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        line: &Line,
    ) -> Poll<Result<Option<Piece>, LinkError>> {
        let mut chunk = [0; CHUNK_BYTES];
        loop {
            let room = self.joiner.room().min(chunk.len());
            let place = chunk.get_mut(..room).unwrap_or_default();
            let came = match Pin::new(&mut self.stream).poll_read(cx, place) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(_)) => return Poll::Ready(Err(LinkError::Lost)),
                Poll::Ready(Ok(0)) => {
                    self.ended = true;
                    let whole = self.joiner.between();
                    return Poll::Ready(if whole { Ok(None) } else { Err(LinkError::Lost) });
                }
                Poll::Ready(Ok(came)) => came,
            };
            line.traffic.received_bytes.fetch_add(came as u64, Ordering::Relaxed);
            let bytes = chunk.get(..came).unwrap_or_default();
            if let Some(piece) = self.joiner.take(bytes).map_err(|_| LinkError::Oversize)? {
                return Poll::Ready(Ok(Some(piece)));
            }
        }
    }
}

impl LinkReader {
    /// Of the two streams of a line.
    pub(super) fn new(
        control: ReadHalf<libp2p::Stream>,
        bulk: ReadHalf<libp2p::Stream>,
        held: Arc<Held>,
    ) -> Self {
        Self {
            control: Half::new(control, Stream::Control),
            bulk: Half::new(bulk, Stream::Bulk),
            in_a_row: 0,
            goodbye: false,
            end: None,
            going: held.0.watch(),
            held,
        }
    }

    /// The next frame; `None` when the other side has closed the link and all was read. Control
    /// goes before bulk, but never keeps it waiting for ever. Cancel-safe: a frame is given once,
    /// whole. After the end it says the same again.
    ///
    /// # Errors
    /// [`LinkError::Oversize`] of what the other side announced, [`LinkError::Lost`] when the
    /// connection broke, [`LinkError::Stalled`] and [`LinkError::Closed`] when the link ended here.
    pub async fn next(&mut self) -> Result<Option<(Stream, Vec<u8>)>, LinkError> {
        if let Some(end) = self.end {
            return end.map(|()| None);
        }
        let mut going = self.going.clone();
        let came = tokio::select! {
            biased;
            came = poll_fn(|cx| self.poll(cx)) => came,
            _ = going.wait_for(|going| *going != Going::On) => Err(self.held.0.error()),
        };
        match came {
            Ok(Some(frame)) => {
                self.held.0.traffic.received_frames.fetch_add(1, Ordering::Relaxed);
                return Ok(Some(frame));
            }
            Ok(None) => {
                self.held.0.tell(LineNews::Goodbye);
                self.end = Some(Ok(()));
            }
            Err(error) => {
                let here = *self.going.borrow() != Going::On;
                let error = if here { self.held.0.error() } else { error };
                if error == LinkError::Oversize {
                    self.held.0.tell(LineNews::Broken(CloseReason::Oversize));
                }
                self.end = Some(Err(error));
            }
        }
        self.end.unwrap_or(Ok(())).map(|()| None)
    }

    /// A frame; `None` when the goodbye has come and bulk has ended too. A control stream that ends
    /// without a goodbye is a loss.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Came>, LinkError>> {
        let bulk_first = self.in_a_row >= CONTROL_IN_A_ROW;
        let order = if bulk_first {
            [Stream::Bulk, Stream::Control]
        } else {
            [Stream::Control, Stream::Bulk]
        };
        for which in order {
            let half = match which {
                Stream::Control => &mut self.control,
                Stream::Bulk => &mut self.bulk,
            };
            if half.ended {
                continue;
            }
            match half.poll(cx, &self.held.0)? {
                Poll::Pending | Poll::Ready(None) => {}
                Poll::Ready(Some(Piece::Goodbye)) => {
                    half.ended = true;
                    self.goodbye = true;
                }
                Poll::Ready(Some(Piece::Frame(frame))) => {
                    self.in_a_row = match which {
                        Stream::Control => self.in_a_row.saturating_add(1),
                        Stream::Bulk => 0,
                    };
                    return Poll::Ready(Ok(Some((which, frame))));
                }
            }
        }
        match (self.goodbye, self.control.ended, self.bulk.ended) {
            (true, _, true) => Poll::Ready(Ok(None)),
            (false, true, _) => Poll::Ready(Err(LinkError::Lost)),
            (true, _, false) | (false, false, _) => Poll::Pending,
        }
    }
}
