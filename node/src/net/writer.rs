//! Frames that go: two queues counted in bytes, and a pump that empties both.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::AsyncWriteExt;
use futures_util::io::WriteHalf;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::timeout;

use super::event::{CloseReason, LinkError};
use super::frame::{HEAD_BYTES, head};
use super::line::{Going, Held, Line, LineNews};
use super::pairs::GO;
use crate::sync::Stream;

/// Bytes given to a stream at once; each is watched for a stall.
const CHUNK_BYTES: usize = 16 * 1024;

/// Frames that go. Cheap to clone.
#[derive(Clone)]
pub struct LinkWriter {
    control: Queue,
    bulk: Queue,
    held: Arc<Held>,
}

impl fmt::Debug for LinkWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkWriter").field("link", &self.held.0.id).finish_non_exhaustive()
    }
}

/// A frame and the room it takes in its queue until it has gone.
struct Queued {
    head: [u8; HEAD_BYTES],
    frame: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

#[derive(Clone)]
struct Queue {
    room: Arc<Semaphore>,
    all: u32,
    frames: mpsc::UnboundedSender<Queued>,
}

impl LinkWriter {
    /// Queues a frame; waits while its stream's queue is full
    /// ([`NetLimits::queue_bytes`](super::NetLimits), of which a longer frame takes all). Frames of
    /// one stream arrive in the order of these calls. Cancelled, it has queued nothing.
    ///
    /// # Errors
    /// [`LinkError::Oversize`] of a frame that is empty or too long for its stream, and is not sent;
    /// [`LinkError::Stalled`], [`LinkError::Lost`], [`LinkError::Closed`] when the link has ended.
    pub async fn send(&self, stream: Stream, frame: Vec<u8>) -> Result<(), LinkError> {
        let head = head(stream, &frame).ok_or(LinkError::Oversize)?;
        let queue = match stream {
            Stream::Control => &self.control,
            Stream::Bulk => &self.bulk,
        };
        let line = &self.held.0;
        let bytes = u32::try_from(frame.len().saturating_add(HEAD_BYTES)).unwrap_or(u32::MAX);
        let mut going = line.watch();
        let room = tokio::select! {
            biased;
            _ = going.wait_for(|going| *going != Going::On) => return Err(line.error()),
            room = Arc::clone(&queue.room).acquire_many_owned(bytes.min(queue.all)) => room,
        };
        let room = room.map_err(|_| line.error())?;
        let queued = Queued { head, frame, _room: room };
        queue.frames.send(queued).map_err(|_| line.error())
    }

    /// Bytes of frames that may still be queued on a stream without waiting.
    pub fn room(&self, stream: Stream) -> usize {
        match stream {
            Stream::Control => self.control.room.available_permits(),
            Stream::Bulk => self.bulk.room.available_permits(),
        }
    }

    /// Closes the link, once what is queued has gone or
    /// [`NetTiming::closing`](super::NetTiming) is over. Frames sent after it are not taken.
    /// [`NetEvent::Closed`](super::NetEvent::Closed) follows with `reason`.
    pub fn close(&self, reason: CloseReason) {
        self.held.0.tell(LineNews::Close(reason));
    }
}

/// The receiving ends of a writer's queues.
pub(super) struct Pump {
    control: (WriteHalf<libp2p::Stream>, mpsc::UnboundedReceiver<Queued>),
    bulk: (WriteHalf<libp2p::Stream>, mpsc::UnboundedReceiver<Queued>),
    line: Arc<Line>,
    stall: Duration,
    says_go: bool,
}

/// A writer and what empties its queues of at most `queue_bytes` each. `says_go`: the other side
/// waits for our word that this connection is the link.
pub(super) fn writer(
    control: WriteHalf<libp2p::Stream>,
    bulk: WriteHalf<libp2p::Stream>,
    held: Arc<Held>,
    queue_bytes: u32,
    (stall, says_go): (Duration, bool),
) -> (LinkWriter, Pump) {
    let queue = || {
        let (frames, queued) = mpsc::unbounded_channel();
        let most = usize::try_from(queue_bytes).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        (Queue { room: Arc::new(Semaphore::new(most)), all: queue_bytes, frames }, queued)
    };
    let ((control_queue, control_frames), (bulk_queue, bulk_frames)) = (queue(), queue());
    let line = Arc::clone(&held.0);
    let pump = Pump {
        control: (control, control_frames),
        bulk: (bulk, bulk_frames),
        line,
        stall,
        says_go,
    };
    (LinkWriter { control: control_queue, bulk: bulk_queue, held }, pump)
}

impl Pump {
    /// Empties the queues until the link finishes or breaks, and tells the line.
    pub(super) async fn run(self) {
        let Self { control, bulk, line, stall, says_go } = self;
        let (line, going) = (&*line, line.watch());
        let (control, bulk) = (
            Mouth::new(control.0, line, stall, control.1),
            Mouth::new(bulk.0, line, stall, bulk.1),
        );
        let all = async {
            let control = async {
                let mut control = control;
                if says_go {
                    control.write(&[GO], false).await?;
                    control.flush().await?;
                }
                control.empty(going.clone()).await
            };
            // Bulk first: whoever has heard the goodbye has only to read bulk to its end.
            let (mut control, mut bulk) = tokio::try_join!(control, bulk.empty(going.clone()))?;
            bulk.close().await?;
            control.write(&0_u32.to_be_bytes(), false).await?;
            control.close().await
        };
        let mut over = going.clone();
        let ended = tokio::select! {
            biased;
            _ = over.wait_for(|going| *going == Going::Over) => return,
            ended = all => ended,
        };
        match ended {
            Ok(()) => line.tell(LineNews::Drained),
            Err(error) => {
                line.end(error);
                let stalled = error == LinkError::Stalled;
                let reason = if stalled { CloseReason::Stalled } else { CloseReason::Lost };
                line.tell(LineNews::Broken(reason));
            }
        }
    }
}

/// The writing end of one stream.
struct Mouth<'line> {
    stream: WriteHalf<libp2p::Stream>,
    line: &'line Line,
    stall: Duration,
    frames: mpsc::UnboundedReceiver<Queued>,
}

impl<'line> Mouth<'line> {
    fn new(
        stream: WriteHalf<libp2p::Stream>,
        line: &'line Line,
        stall: Duration,
        frames: mpsc::UnboundedReceiver<Queued>,
    ) -> Self {
        Self { stream, line, stall, frames }
    }

    /// Writes what is queued, in order, until the link finishes and nothing is left.
    async fn empty(mut self, mut going: watch::Receiver<Going>) -> Result<Self, LinkError> {
        loop {
            let queued = if let Ok(queued) = self.frames.try_recv() {
                Some(queued)
            } else {
                self.flush().await?;
                tokio::select! {
                    biased;
                    queued = self.frames.recv() => queued,
                    _ = going.wait_for(|going| *going != Going::On) => None,
                }
            };
            let Some(queued) = queued else { return Ok(self) };
            self.write(&queued.head, true).await?;
            self.write(&queued.frame, true).await?;
            self.line.traffic.sent_frames.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Writes all of `bytes`; a step that takes none of them for too long is a stall.
    async fn write(&mut self, mut bytes: &[u8], counted: bool) -> Result<(), LinkError> {
        while !bytes.is_empty() {
            let chunk = bytes.get(..CHUNK_BYTES).unwrap_or(bytes);
            let written = within(self.stall, self.stream.write(chunk)).await?;
            if written == 0 {
                return Err(LinkError::Lost);
            }
            let sent = if counted { written as u64 } else { 0 };
            self.line.traffic.sent_bytes.fetch_add(sent, Ordering::Relaxed);
            bytes = bytes.get(written..).unwrap_or_default();
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), LinkError> {
        within(self.stall, self.stream.flush()).await
    }

    async fn close(&mut self) -> Result<(), LinkError> {
        within(self.stall, self.stream.close()).await
    }
}

async fn within<T>(
    stall: Duration,
    step: impl Future<Output = std::io::Result<T>>,
) -> Result<T, LinkError> {
    let done = timeout(stall, step).await.map_err(|_| LinkError::Stalled)?;
    done.map_err(|_| LinkError::Lost)
}
