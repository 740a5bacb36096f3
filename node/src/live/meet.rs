//! One peer, once: dial, reconcile both ways, and say what came of it.

use std::time::Duration;

use tokio::sync::broadcast;
use tokio::time::timeout;

use super::event::{Event, Seen};
use super::exchange::LinkId;
use super::runner::Running;
use crate::net::{DialFailure, Multiaddr};

/// Why a meeting came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MeetError {
    /// Nobody answers at that address.
    #[error("nobody answers at that address")]
    Unreachable,
    /// It took longer than was allowed.
    #[error("time ran out before the end")]
    Timeout,
    /// The peer ended the session; the word of `docs/protocol.md` for why.
    #[error("the peer ended the session: {0}")]
    Refused(&'static str),
    /// It belongs to another network.
    #[error("the peer belongs to another network")]
    OtherNetwork,
    /// This node has stopped meanwhile.
    #[error("the node has stopped")]
    Stopped,
}

/// Dials `address` and waits for the first comparison with whoever answers; a link that stands
/// already is compared again.
///
/// # Errors
/// [`MeetError`].
pub async fn meet(
    running: &Running,
    address: Multiaddr,
    allowed: Duration,
) -> Result<Seen, MeetError> {
    let events = running.events();
    let met = async {
        let link = match running.dial(address).await.map_err(|_| MeetError::Stopped)? {
            Ok(link) => link,
            Err(failure) => return Err(why(failure)),
        };
        seen_on(events, link).await
    };
    timeout(allowed, met).await.unwrap_or(Err(MeetError::Timeout))
}

async fn seen_on(mut events: broadcast::Receiver<Event>, link: LinkId) -> Result<Seen, MeetError> {
    loop {
        match events.recv().await {
            Ok(Event::Session(seen)) if seen.link == link => return ended(seen),
            Ok(Event::LinkClosed { link: closed, reason }) if closed == link => {
                return Err(MeetError::Refused(reason));
            }
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => return Err(MeetError::Stopped),
        }
    }
}

/// A comparison that was cut short is none.
fn ended(seen: Seen) -> Result<Seen, MeetError> {
    match seen.reason {
        None => Ok(seen),
        Some("lost") => Err(MeetError::Unreachable),
        Some("stalled") => Err(MeetError::Timeout),
        Some(reason) => Err(MeetError::Refused(reason)),
    }
}

const fn why(failure: DialFailure) -> MeetError {
    match failure {
        DialFailure::Unreachable | DialFailure::Unsupported => MeetError::Unreachable,
        DialFailure::Timeout => MeetError::Timeout,
        DialFailure::Refused => MeetError::Refused("refused"),
        DialFailure::WrongPeer => MeetError::Refused("wrong_peer"),
        DialFailure::Connected => MeetError::Refused("connected"),
        DialFailure::OtherNetwork => MeetError::OtherNetwork,
    }
}
