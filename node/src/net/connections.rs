//! What becomes of a connection: its streams stand, one of a pair becomes the link, and it ends.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use libp2p::core::{ConnectedPoint, Endpoint};
use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, PeerId};
use tokio::time::{Instant, sleep, timeout};

use super::config::Admission;
use super::event::{CloseReason, DialFailure, LinkError, NetEvent};
use super::failure::{self, Failed};
use super::handle::Manner;
use super::keys::key_of;
use super::line::{Held, Line, LineNews};
use super::link::{Link, LinkRole};
use super::pairs::{Candidate, GO, NO, decides, replaces};
use super::reader::LinkReader;
use super::streams::{Both, StreamsEvent};
use super::task::Task;
use super::writer::writer;

/// How long the other side has to close, once it has all that was queued here.
const ANSWER: Duration = Duration::from_secs(1);
/// Pings that fail in a row before a connection through which nothing comes is given up.
const PINGS_LOST_MAX: u8 = 2;

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    key: [u8; 32],
    role: LinkRole,
    address: Multiaddr,
    relayed: bool,
    /// As it was dialed, until a link stands or the dial is told to have failed.
    dialed: Option<Multiaddr>,
    link: Option<Standing>,
    pings_lost: u8,
}

/// The link of a connection.
#[derive(Debug)]
struct Standing {
    line: Arc<Line>,
    since: Instant,
    reason: Option<CloseReason>,
    heard_goodbye: bool,
    drained: bool,
    received_at_ping: u64,
}

/// What is waited for aside.
#[derive(Debug)]
pub(super) enum Later {
    /// Listeners have had their time.
    Listening,
    /// The deciding side's byte, or none.
    Word { connection: ConnectionId, both: Box<Both>, word: Result<u8, DialFailure> },
    /// A connection has had its time.
    Close(ConnectionId),
    /// A stranger had time for a link.
    Stranger(ConnectionId),
}

impl Task {
    /// A connection, admitted by the gate.
    pub(super) fn established(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        endpoint: &ConnectedPoint,
    ) {
        let dial = self.dials.remove(&connection);
        let (dialed, manner) = dial.map(|dial| (dial.asked, dial.manner)).unzip();
        let Some(key) = key_of(&peer) else {
            self.swarm.close_connection(connection);
            return;
        };
        if let Some(asked) = dialed.clone().filter(|_| manner == Some(Manner::Probe)) {
            // Its key is proved: that is all a probe asks.
            self.dial_failed(asked, Some(key), failure::connected());
            self.swarm.close_connection(connection);
            return;
        }
        let role = match endpoint.to_endpoint() {
            Endpoint::Dialer => LinkRole::Dialer,
            Endpoint::Listener => LinkRole::Listener,
        };
        let address = endpoint.get_remote_address().clone();
        let relayed = endpoint.is_relayed();
        let fresh = Connection { key, role, address, relayed, dialed, link: None, pings_lost: 0 };
        self.connections.insert(connection, fresh);
        let gate = &self.swarm.behaviour().gate;
        if gate.later(connection).is_some() {
            // However slowly it hears when to come again.
            self.close_after(connection, self.timing.open);
        } else if role == LinkRole::Listener && self.is_stranger(connection) {
            // A stream that is kept, or a place on the relay, keeps a connection without a link, and that
            // the seat of a stranger.
            let patience = 2 * self.timing.open;
            self.later.spawn(async move {
                sleep(patience).await;
                Later::Stranger(connection)
            });
        }
    }

    fn is_stranger(&self, connection: ConnectionId) -> bool {
        self.swarm.behaviour().gate.admission(connection) == Some(Admission::Stranger)
    }

    /// The streams of a connection stand, or never will.
    pub(super) fn streams(&mut self, event: StreamsEvent) {
        let StreamsEvent { connection, role, result } = event;
        let Some(known) = self.connections.get(&connection) else { return };
        let key = known.key;
        match result {
            Ok(both) if decides(&self.own_key, &key) => self.decide(connection, both),
            Ok(both) => self.await_word(connection, both),
            // Whoever only listens goes on: the connection may serve circuits, or ends as idle.
            Err(_) if role == LinkRole::Listener => {}
            Err(why) => {
                self.no_link(connection, failure::of_streams(why));
                self.swarm.close_connection(connection);
            }
        }
    }

    /// This side says which of two connections is the link.
    fn decide(&mut self, connection: ConnectionId, both: Both) {
        let Some(new) = self.connections.get(&connection) else { return };
        let (key, new) = (new.key, new.candidate());
        let old = self.link_to(&key);
        let stays = old.and_then(|old| self.connections.get(&old)).is_some_and(|old| {
            let age = old.link.as_ref().map_or(Duration::MAX, |link| link.since.elapsed());
            !replaces(new, old.candidate(), age)
        });
        if stays {
            self.no_link(connection, failure::connected());
            let patience = self.timing.open;
            self.later.spawn(async move {
                // Whether it is heard or not, the connection is closed.
                let _said = timeout(patience, say_no(both)).await;
                Later::Close(connection)
            });
            return;
        }
        self.supersede(old);
        self.link_up(connection, both, true);
    }

    fn await_word(&mut self, connection: ConnectionId, mut both: Both) {
        let patience = self.timing.open;
        self.later.spawn(async move {
            let mut word = [0];
            let read = timeout(patience, both.control.read_exact(&mut word)).await;
            let word = match read {
                Err(_) => Err(DialFailure::Silent),
                Ok(Err(_)) => Err(DialFailure::Refused),
                Ok(Ok(())) => Ok(word[0]),
            };
            Later::Word { connection, both: Box::new(both), word }
        });
    }

    /// Something that was waited for.
    pub(super) fn later(&mut self, later: Later) {
        match later {
            Later::Listening => self.dial_held(),
            Later::Close(connection) => {
                self.swarm.close_connection(connection);
            }
            Later::Stranger(connection) => {
                let has_link =
                    self.connections.get(&connection).is_some_and(|it| it.link.is_some());
                if !has_link && self.is_stranger(connection) {
                    self.swarm.close_connection(connection);
                }
            }
            Later::Word { connection, both, word: Ok(GO) } => {
                if let Some(key) = self.connections.get(&connection).map(|known| known.key) {
                    let old = self.link_to(&key);
                    self.supersede(old);
                    self.link_up(connection, *both, false);
                }
            }
            Later::Word { connection, word, .. } => {
                let failed = match word {
                    Ok(NO) => failure::connected(),
                    Ok(_) => Failed::new(DialFailure::Refused, "the other side broke the protocol"),
                    Err(DialFailure::Silent) => {
                        Failed::new(DialFailure::Silent, "the other side did not answer in time")
                    }
                    Err(_) => self.closed_early(connection),
                };
                self.no_link(connection, failed);
                self.swarm.close_connection(connection);
            }
        }
    }

    fn supersede(&mut self, old: Option<ConnectionId>) {
        if let Some(old) = old {
            self.cut(old, CloseReason::Superseded);
        }
    }

    fn link_up(&mut self, connection: ConnectionId, both: Both, says_go: bool) {
        let gate = &self.swarm.behaviour().gate;
        let (admission, later) = (gate.admission(connection), gate.later(connection));
        let Some(known) = self.connections.get_mut(&connection) else { return };
        let asked = known.dialed.take();
        self.links_made += 1;
        let id = self.links_made;
        let line = Arc::new(Line::new(id, self.commands.clone()));
        let held = Arc::new(Held(Arc::clone(&line)));
        let (control_in, control_out) = both.control.split();
        let (bulk_in, bulk_out) = both.bulk.split();
        let reader = LinkReader::new(control_in, bulk_in, Arc::clone(&held));
        let manner = (self.timing.stall, says_go);
        let (writer, pump) = writer(control_out, bulk_out, held, self.limits.queue_bytes, manner);
        tokio::spawn(pump.run());
        let device = match admission {
            Some(Admission::Member(device)) => Some(device),
            Some(Admission::Stranger | Admission::Refused) | None => None,
        };
        let opened = Link {
            id,
            peer_key: known.key,
            device,
            stranger: device.is_none(),
            later,
            role: known.role,
            address: known.address.clone(),
            asked,
            relayed: known.relayed,
            reader,
            writer,
            traffic: Arc::clone(&line.traffic),
        };
        known.link = Some(Standing::new(line));
        self.links.insert(id, connection);
        let device = device.map(|device| device.short());
        tracing::debug!(link = id, device, relayed = opened.relayed, "link opened");
        self.tell(NetEvent::Opened(opened));
    }

    /// The connection that is the link to a key.
    pub(super) fn link_to(&self, key: &[u8; 32]) -> Option<ConnectionId> {
        let is = |known: &Connection| {
            known.key == *key && known.link.as_ref().is_some_and(|link| link.reason.is_none())
        };
        self.connections.iter().find(|(_, known)| is(known)).map(|(connection, _)| *connection)
    }

    /// The dial behind a connection is told to have failed, if there is one.
    fn no_link(&mut self, connection: ConnectionId, failed: Failed) {
        let Some(known) = self.connections.get_mut(&connection) else { return };
        let (dialed, key) = (known.dialed.take(), known.key);
        if let Some(addr) = dialed {
            self.dial_failed(addr, Some(key), failed);
        }
    }

    /// Why a connection was closed before a link stood: in favour of another one, if there is one.
    fn closed_early(&self, connection: ConnectionId) -> Failed {
        let key = self.connections.get(&connection).map(|known| known.key);
        let others = self.connections.iter().filter(|(other, _)| **other != connection);
        if others.map(|(_, other)| Some(other.key)).any(|other| other == key) {
            failure::connected()
        } else {
            failure::closed_early()
        }
    }

    /// What a link's halves have to say.
    pub(super) fn line_news(&mut self, link: u64, news: LineNews) {
        let Some(connection) = self.links.get(&link).copied() else { return };
        match news {
            LineNews::Close(reason) => self.finish(connection, reason),
            LineNews::Broken(reason) => self.cut(connection, reason),
            LineNews::Drained => {
                let wait = self.standing(connection).is_some_and(|link| {
                    link.drained = true;
                    !link.heard_goodbye
                });
                self.close_after(connection, if wait { ANSWER } else { Duration::ZERO });
            }
            LineNews::Goodbye => {
                let done = self.standing(connection).is_some_and(|link| {
                    link.heard_goodbye = true;
                    link.reason.get_or_insert(CloseReason::Remote);
                    link.drained
                });
                if done {
                    self.swarm.close_connection(connection);
                }
            }
        }
    }

    fn standing(&mut self, connection: ConnectionId) -> Option<&mut Standing> {
        self.connections.get_mut(&connection)?.link.as_mut()
    }

    /// Closes a link once what is queued has gone.
    fn finish(&mut self, connection: ConnectionId, reason: CloseReason) {
        let patience = self.timing.closing;
        let Some(link) = self.standing(connection) else { return };
        link.reason.get_or_insert(reason);
        if link.line.finish() {
            self.close_after(connection, patience);
        }
    }

    fn close_after(&mut self, connection: ConnectionId, patience: Duration) {
        if patience.is_zero() {
            self.swarm.close_connection(connection);
            return;
        }
        self.later.spawn(async move {
            sleep(patience).await;
            Later::Close(connection)
        });
    }

    /// Closes a connection now, with its link.
    fn cut(&mut self, connection: ConnectionId, reason: CloseReason) {
        if let Some(link) = self.standing(connection) {
            link.reason.get_or_insert(reason);
            link.line.end(LinkError::Closed);
        }
        self.swarm.close_connection(connection);
    }

    /// See [`NetHandle::hang_up`](super::NetHandle::hang_up).
    pub(super) fn hang_up(&mut self, key: &[u8; 32]) {
        let of_key = self.connections.iter().filter(|(_, known)| known.key == *key);
        let of_key: Vec<_> = of_key.map(|(id, known)| (*id, known.link.is_some())).collect();
        for (connection, linked) in of_key {
            if linked {
                self.finish(connection, CloseReason::Done);
            } else {
                self.swarm.close_connection(connection);
            }
        }
    }

    /// See [`NetHandle::recheck`](super::NetHandle::recheck).
    pub(super) fn recheck(&mut self) {
        let gate = &mut self.swarm.behaviour_mut().gate;
        let known = self.connections.iter();
        let refused: Vec<_> = known
            .filter(|(connection, known)| !gate.still(**connection, &known.key))
            .map(|(connection, _)| *connection)
            .collect();
        for connection in refused {
            self.cut(connection, CloseReason::Refused);
        }
    }

    /// Every link says goodbye; connections without one are closed.
    pub(super) fn say_goodbye_to_all(&mut self) {
        let all: Vec<_> =
            self.connections.iter().map(|(id, known)| (*id, known.link.is_some())).collect();
        for (connection, linked) in all {
            if linked {
                self.finish(connection, CloseReason::Shutdown);
            } else {
                self.swarm.close_connection(connection);
            }
        }
    }

    /// A ping came back or did not. A connection through which bytes came meanwhile lives.
    pub(super) fn pinged(&mut self, connection: ConnectionId, came_back: bool) {
        let Some(known) = self.connections.get_mut(&connection) else { return };
        let received = known.link.as_mut().is_some_and(|link| {
            let now = link.line.traffic.received_bytes();
            std::mem::replace(&mut link.received_at_ping, now) != now
        });
        if came_back || received {
            known.pings_lost = 0;
            return;
        }
        known.pings_lost = known.pings_lost.saturating_add(1);
        if known.pings_lost >= PINGS_LOST_MAX {
            self.cut(connection, CloseReason::Lost);
        }
    }

    /// A connection is gone.
    pub(super) fn closed(&mut self, connection: ConnectionId) {
        let failed = self.closed_early(connection);
        self.no_link(connection, failed);
        let Some(known) = self.connections.remove(&connection) else { return };
        let Some(link) = known.link else { return };
        link.line.end(LinkError::Lost);
        self.links.remove(&link.line.id);
        let reason = link.reason.unwrap_or(CloseReason::Lost);
        tracing::debug!(link = link.line.id, ?reason, "link closed");
        self.tell(NetEvent::Closed { link: link.line.id, reason });
    }
}

impl Connection {
    fn candidate(&self) -> Candidate {
        Candidate { relayed: self.relayed, dialed_here: self.role == LinkRole::Dialer }
    }
}

impl Standing {
    fn new(line: Arc<Line>) -> Self {
        Self {
            line,
            since: Instant::now(),
            reason: None,
            heard_goodbye: false,
            drained: false,
            received_at_ping: 0,
        }
    }
}

/// Says that another connection is the link, and waits until the other side closes this one.
async fn say_no(mut both: Both) -> std::io::Result<()> {
    both.control.write_all(&[NO]).await?;
    both.control.flush().await?;
    let mut nothing = [0];
    both.control.read(&mut nothing).await.map(|_| ())
}
