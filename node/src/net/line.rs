//! What the two halves of a link and the transport's task know together: whether it still goes.

use std::sync::{Arc, OnceLock};

use tokio::sync::{mpsc, watch};

use super::event::{CloseReason, LinkError};
use super::handle::Command;
use super::link::LinkTraffic;

/// How far the end of a link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Going {
    /// It goes.
    On,
    /// What is queued goes, and nothing more.
    Finishing,
    /// Nothing goes.
    Over,
}

/// One link's state. Reader, writer, pump and task each hold it.
#[derive(Debug)]
pub(super) struct Line {
    /// The link's number.
    pub(super) id: u64,
    /// What went through.
    pub(super) traffic: Arc<LinkTraffic>,
    going: watch::Sender<Going>,
    error: OnceLock<LinkError>,
    commands: mpsc::WeakUnboundedSender<Command>,
}

impl Line {
    /// A line that goes.
    pub(super) fn new(id: u64, commands: mpsc::WeakUnboundedSender<Command>) -> Self {
        let (traffic, error) = (Arc::new(LinkTraffic::default()), OnceLock::new());
        Self { id, traffic, going: watch::Sender::new(Going::On), error, commands }
    }

    /// To see it end.
    pub(super) fn watch(&self) -> watch::Receiver<Going> {
        self.going.subscribe()
    }

    /// Why it carries no more; meaningful once it does not go on.
    pub(super) fn error(&self) -> LinkError {
        self.error.get().copied().unwrap_or(LinkError::Closed)
    }

    /// No further frame is taken; what is queued goes. `false`: that was so already.
    pub(super) fn finish(&self) -> bool {
        self.going.send_if_modified(|going| {
            let first = *going == Going::On;
            if first {
                *going = Going::Finishing;
            }
            first
        })
    }

    /// Nothing goes any more. The first error stays.
    pub(super) fn end(&self, error: LinkError) {
        // Another one came first: that one stays.
        let _first = self.error.set(error);
        self.going.send_if_modified(|going| std::mem::replace(going, Going::Over) != Going::Over);
    }

    /// Tells the task what became of the link; in vain when it is gone.
    pub(super) fn tell(&self, news: LineNews) {
        if let Some(commands) = self.commands.upgrade() {
            // A task that has ended needs no news.
            let _told = commands.send(Command::Line(self.id, news));
        }
    }
}

/// What a half of a link tells the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineNews {
    /// The holder wants it closed, after what is queued.
    Close(CloseReason),
    /// It can go on no more.
    Broken(CloseReason),
    /// All that was queued has gone, and the goodbye.
    Drained,
    /// The other side said goodbye.
    Goodbye,
}

/// Closes the link when the last half that a caller holds is gone.
#[derive(Debug)]
pub(super) struct Held(pub(super) Arc<Line>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.tell(LineNews::Close(CloseReason::Done));
    }
}
