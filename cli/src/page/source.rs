//! Who answers the pages: one question at a time, put to the node by whoever owns it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use node::live::runner::Stopped;
use node::live::{Event, Running, Seen};
use node::node::Node;
use tokio::sync::broadcast::error::RecvError;

/// Comparisons remembered for the network page.
const SESSIONS_MAX: usize = 12;

/// Whoever owns a node and lets the pages ask it.
pub trait Source: Clone + Send + Sync + 'static {
    /// Asks the node something when its turn has come. All of one answer is of one moment.
    ///
    /// # Errors
    /// [`Stopped`] when there is no node any more.
    fn ask<A: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Node) -> A + Send + 'static,
    ) -> impl Future<Output = Result<A, Stopped>> + Send;

    /// The newest comparisons with peers, the newest first; none where nothing is connected.
    fn sessions(&self) -> Vec<Seen> {
        Vec::new()
    }
}

/// A running node with a memory of its newest comparisons.
#[derive(Debug, Clone)]
pub struct Desk {
    running: Running,
    sessions: Arc<Mutex<VecDeque<Seen>>>,
}

impl Desk {
    /// Listens to a running node from now on, in the runtime of the caller.
    pub fn new(running: Running) -> Self {
        let sessions = Arc::new(Mutex::new(VecDeque::new()));
        let (mut events, kept) = (running.events(), sessions.clone());
        tokio::spawn(async move {
            loop {
                match events.recv().await {
                    Ok(Event::Session(seen)) => remember(&kept, seen),
                    // Who lags behind has missed some, and shows the newer ones.
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => break,
                }
            }
        });
        Self { running, sessions }
    }
}

impl Source for Desk {
    async fn ask<A: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Node) -> A + Send + 'static,
    ) -> Result<A, Stopped> {
        self.running.ask(question).await
    }

    fn sessions(&self) -> Vec<Seen> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

fn remember(sessions: &Mutex<VecDeque<Seen>>, seen: Seen) {
    let mut kept = sessions.lock().unwrap_or_else(PoisonError::into_inner);
    kept.push_front(seen);
    kept.truncate(SESSIONS_MAX);
}
