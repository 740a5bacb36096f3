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
    recent: Recent,
    admitted: HashMap<ConnectionId, Admitted>,
}

#[derive(Debug, Clone, Copy)]
struct Admitted {
    admission: Admission,
    inbound: bool,
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
            recent: Recent::new(limits.strangers_per_address, limits.strangers_window),
            admitted: HashMap::new(),
        }
    }

    /// What was said when the connection came.
    pub(super) fn admission(&self, connection: ConnectionId) -> Option<Admission> {
        self.admitted.get(&connection).map(|admitted| admitted.admission)
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
        let admission = key_of(peer).map_or(Admission::Refused, |key| (self.who)(&key));
        let inbound = from.is_some();
        match (admission, from) {
            (Admission::Refused, _) => return Err(ConnectionDenied::new(Denied::Refused)),
            (Admission::Stranger, Some(from)) => {
                self.admit_stranger(from, Instant::now()).map_err(ConnectionDenied::new)?;
            }
            (Admission::Stranger, None) | (Admission::Member(_), _) => {}
        }
        self.admitted.insert(connection, Admitted { admission, inbound });
        Ok(())
    }

    fn admit_stranger(&mut self, from: &Multiaddr, now: Instant) -> Result<(), Denied> {
        let stranger =
            |admitted: &&Admitted| admitted.inbound && admitted.admission == Admission::Stranger;
        if !self.recent.take(place(from), now) {
            return Err(Denied::TooOften);
        }
        if self.admitted.values().filter(stranger).count() >= self.strangers_max {
            return Err(Denied::Strangers);
        }
        Ok(())
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

/// How often strangers came from each address lately.
#[derive(Debug)]
struct Recent {
    each_max: usize,
    window: Duration,
    came: BTreeMap<Option<IpAddr>, VecDeque<Instant>>,
}

impl Recent {
    fn new(each_max: u32, window: Duration) -> Self {
        let each_max = usize::try_from(each_max).unwrap_or(usize::MAX);
        Self { each_max, window, came: BTreeMap::new() }
    }

    /// Whether one more may come from `place` now; if so it is counted.
    fn take(&mut self, place: Option<IpAddr>, now: Instant) -> bool {
        if !self.came.contains_key(&place) && self.came.len() >= ADDRESSES_MAX {
            self.forget(now);
        }
        let window = self.window;
        let came = self.came.entry(place).or_default();
        while came.front().is_some_and(|first| now.saturating_duration_since(*first) >= window) {
            came.pop_front();
        }
        let may = came.len() < self.each_max;
        if may {
            came.push_back(now);
        }
        may
    }

    /// Forgets whoever has not come within the window; if nobody, the one that came first.
    fn forget(&mut self, now: Instant) {
        let window = self.window;
        let old = |came: &VecDeque<Instant>| {
            came.back().is_none_or(|last| now.saturating_duration_since(*last) >= window)
        };
        self.came.retain(|_, came| !old(came));
        let first = self.came.iter().min_by_key(|(_, came)| came.back().copied());
        let first = first.map(|(place, _)| *place);
        if let (Some(first), true) = (first, self.came.len() >= ADDRESSES_MAX) {
            self.came.remove(&first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn recent() -> Recent {
        Recent::new(2, Duration::from_secs(60))
    }

    #[test]
    fn strangers_of_one_address_wait_and_those_of_another_do_not() {
        let (mut recent, start) = (recent(), Instant::now());
        let (here, there) =
            (Some(IpAddr::from([192, 0, 2, 1])), Some(IpAddr::from([192, 0, 2, 2])));
        assert!(recent.take(here, start) && recent.take(here, start));
        assert!(!recent.take(here, start + Duration::from_secs(59)));
        assert!(recent.take(there, start));
        assert!(recent.take(here, start + Duration::from_secs(60)));
    }

    #[test]
    fn a_flood_of_addresses_is_remembered_within_its_limit() {
        let (mut recent, start) = (recent(), Instant::now());
        for n in 0..5_000_u32 {
            let place = IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + n));
            assert!(recent.take(Some(place), start + Duration::from_millis(n.into())));
        }
        assert_eq!(recent.came.len(), ADDRESSES_MAX);
    }
}
