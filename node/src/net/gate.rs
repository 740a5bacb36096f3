//! Who may come in. Every connection is asked about once its key is proved, before anything else
//! of libp2p sees it; strangers are few, and seldom from one place.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::net::IpAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};
use tokio::time::Instant;

use super::config::{Admission, NetLimits, Who};
use super::doorstep::place;
use super::keys::key_of;

/// How long a stranger waits that met as many as may be here at once: they prove themselves, or go.
const CROWDED: Duration = Duration::from_secs(15);

/// Addresses whose strangers are counted; beyond it the one asked about least lately is forgotten.
const ADDRESSES_MAX: usize = 1024;

/// Why a connection was denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denied {
    /// [`Admission::Refused`], or a key that no device of ours can have.
    Refused,
    /// As many strangers as may be are here.
    Strangers,
    /// Too many strangers from one address.
    TooOften,
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "this device is refused here",
            Self::Strangers => "too many strangers at once",
            Self::TooOften => "too many strangers from one address",
        })
    }
}

impl std::error::Error for Denied {}

/// The gate as a behaviour of the swarm. It must stand before behaviours that keep accounts of
/// connections, behind those that only count them.
pub(super) struct Gate {
    who: Who,
    strangers_max: usize,
    turned_away_max: usize,
    recent: Recent,
    admitted: HashMap<ConnectionId, Admitted>,
}

#[derive(Debug, Clone, Copy)]
struct Admitted {
    admission: Admission,
    inbound: bool,
    /// It may hear when to come again, and nothing else.
    later: Option<Duration>,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("admitted", &self.admitted.len()).finish_non_exhaustive()
    }
}

impl Gate {
    /// A gate that asks `who`.
    pub(super) fn new(who: Who, limits: &NetLimits) -> Self {
        Self {
            who,
            strangers_max: usize::try_from(limits.strangers).unwrap_or(usize::MAX),
            turned_away_max: usize::try_from(limits.turned_away).unwrap_or(usize::MAX),
            recent: Recent::new(limits.strangers_per_address, limits.strangers_window),
            admitted: HashMap::new(),
        }
    }

    /// What was said when the connection came.
    pub(super) fn admission(&self, connection: ConnectionId) -> Option<Admission> {
        self.admitted.get(&connection).map(|admitted| admitted.admission)
    }

    /// When a connection is to come again, where it was let in for nothing but to hear that.
    pub(super) fn later(&self, connection: ConnectionId) -> Option<Duration> {
        self.admitted.get(&connection)?.later
    }

    /// Asks again; `true` when the connection may stay. A stranger that became a member stays and
    /// is counted no more; a member that is now somebody else does not.
    pub(super) fn still(&mut self, connection: ConnectionId, key: &[u8; 32]) -> bool {
        let now = (self.who)(key);
        let Some(admitted) = self.admitted.get_mut(&connection) else { return false };
        let before = std::mem::replace(&mut admitted.admission, now);
        match (before, now) {
            (_, Admission::Refused) | (Admission::Member(_), Admission::Stranger) => false,
            (Admission::Member(was), Admission::Member(is)) => was == is,
            (Admission::Stranger | Admission::Refused, _) => true,
        }
    }

    fn admit(
        &mut self,
        connection: ConnectionId,
        peer: &PeerId,
        from: Option<&Multiaddr>,
    ) -> Result<(), ConnectionDenied> {
        let Some(key) = key_of(peer) else { return Err(ConnectionDenied::new(Denied::Refused)) };
        let admission = (self.who)(&key);
        let inbound = from.is_some();
        let later = match (admission, from) {
            (Admission::Refused, _) => return Err(ConnectionDenied::new(Denied::Refused)),
            (Admission::Stranger, Some(from)) => {
                let came = (place(from), key, Instant::now());
                self.admit_stranger(came).map_err(ConnectionDenied::new)?
            }
            (Admission::Stranger, None) | (Admission::Member(_), _) => None,
        };
        self.admitted.insert(connection, Admitted { admission, inbound, later });
        Ok(())
    }

    /// Lets a stranger in, or says when it may come again while there is room even for that.
    fn admit_stranger(&mut self, came: Came) -> Result<Option<Duration>, Denied> {
        let stranger = |it: &&Admitted| it.inbound && it.admission == Admission::Stranger;
        let strangers = || self.admitted.values().filter(stranger);
        let turned_away = strangers().filter(|it| it.later.is_some()).count();
        let here = strangers().count() - turned_away;
        let (wait, denied) = if here >= self.strangers_max {
            (CROWDED, Denied::Strangers)
        } else {
            match self.recent.take(came, &self.who) {
                Ok(()) => return Ok(None),
                Err(wait) => (wait, Denied::TooOften),
            }
        };
        if turned_away >= self.turned_away_max { Err(denied) } else { Ok(Some(wait)) }
    }
}

impl NetworkBehaviour for Gate {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = std::convert::Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        _local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.admit(connection, &peer, Some(remote))?;
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        _addr: &Multiaddr,
        _role: Endpoint,
        _port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.admit(connection, &peer, None)?;
        Ok(dummy::ConnectionHandler)
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "of the swarm's many events, three end a connection"
    )]
    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionClosed(closed) => {
                self.admitted.remove(&closed.connection_id);
            }
            FromSwarm::ListenFailure(failed) => {
                self.admitted.remove(&failed.connection_id);
            }
            FromSwarm::DialFailure(failed) => {
                self.admitted.remove(&failed.connection_id);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        _peer: PeerId,
        _connection: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {}
    }

    fn poll(
        &mut self,
        _cx: &mut Context<'_>,
    ) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

/// From where, with what key, and when.
type Came = (Option<IpAddr>, [u8; 32], Instant);

/// Which strangers came from each address lately. One that was since accepted is none.
#[derive(Debug)]
struct Recent {
    each_max: usize,
    window: Duration,
    came: BTreeMap<Option<IpAddr>, VecDeque<(Instant, [u8; 32])>>,
}

impl Recent {
    fn new(each_max: u32, window: Duration) -> Self {
        let each_max = usize::try_from(each_max).unwrap_or(usize::MAX);
        Self { each_max, window, came: BTreeMap::new() }
    }

    /// Counts one more that comes from its place now.
    ///
    /// # Errors
    /// How long to wait, where as many came as may.
    fn take(&mut self, (place, key, now): Came, who: &Who) -> Result<(), Duration> {
        if !self.came.contains_key(&place) && self.came.len() >= ADDRESSES_MAX {
            self.forget(now);
        }
        let window = self.window;
        let came = self.came.entry(place).or_default();
        came.retain(|(at, key)| {
            now.saturating_duration_since(*at) < window && !matches!(who(key), Admission::Member(_))
        });
        if came.len() >= self.each_max {
            let first =
                came.front().map_or(Duration::ZERO, |(first, _)| now.duration_since(*first));
            return Err(window.saturating_sub(first));
        }
        came.push_back((now, key));
        Ok(())
    }

    /// Forgets whoever has not come within the window; if nobody, the one that came first.
    fn forget(&mut self, now: Instant) {
        let window = self.window;
        let old = |came: &VecDeque<(Instant, [u8; 32])>| {
            came.back().is_none_or(|(last, _)| now.saturating_duration_since(*last) >= window)
        };
        self.came.retain(|_, came| !old(came));
        let first = self.came.iter().min_by_key(|(_, came)| came.back().map(|(last, _)| *last));
        let first = first.map(|(place, _)| *place);
        if let (Some(first), true) = (first, self.came.len() >= ADDRESSES_MAX) {
            self.came.remove(&first);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::Arc;

    use crdt_schema::id::DeviceId;

    use super::*;

    const WINDOW: Duration = Duration::from_secs(60);

    fn recent() -> Recent {
        Recent::new(2, WINDOW)
    }

    /// Nobody is known but whoever has this key.
    fn knowing(known: [u8; 32]) -> Who {
        Arc::new(move |key| {
            if *key == known { Admission::Member(DeviceId(*key)) } else { Admission::Stranger }
        })
    }

    #[test]
    fn strangers_of_one_address_wait_and_those_of_another_do_not() {
        let (mut recent, start, who) = (recent(), Instant::now(), knowing([0; 32]));
        let (here, there) =
            (Some(IpAddr::from([192, 0, 2, 1])), Some(IpAddr::from([192, 0, 2, 2])));
        let mut take =
            |place, after| recent.take((place, [7; 32], start + Duration::from_secs(after)), &who);
        assert_eq!([take(here, 0), take(here, 10)], [Ok(()), Ok(())]);
        assert_eq!(take(here, 59), Err(Duration::from_secs(1)));
        assert_eq!(take(there, 59), Ok(()));
        assert_eq!(take(here, 60), Ok(()));
        assert_eq!(take(here, 60), Err(Duration::from_secs(10)));
    }

    #[test]
    fn a_stranger_that_was_accepted_since_gives_its_place_back_and_a_liar_does_not() {
        let (mut recent, start) = (recent(), Instant::now());
        let place = Some(IpAddr::from([192, 0, 2, 1]));
        for seed in 1..20 {
            assert_eq!(recent.take((place, [seed; 32], start), &knowing([seed - 1; 32])), Ok(()));
        }
        let nobody = knowing([0; 32]);
        assert_eq!(recent.take((place, [50; 32], start), &nobody), Ok(()));
        assert_eq!(recent.take((place, [51; 32], start), &nobody), Err(WINDOW));
    }

    #[test]
    fn a_flood_of_addresses_is_remembered_within_its_limit() {
        let (mut recent, start, who) = (recent(), Instant::now(), knowing([0; 32]));
        for n in 0..5_000_u32 {
            let place = Some(IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + n)));
            let at = start + Duration::from_millis(n.into());
            assert_eq!(recent.take((place, [7; 32], at), &who), Ok(()));
        }
        assert_eq!(recent.came.len(), ADDRESSES_MAX);
    }
}
