//! Names in addresses become numbers, asked of the system: a village's hub may move to another
//! provider and keep its name.

use std::net::IpAddr;

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use tokio::net::lookup_host;

/// Which numbers a name may become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Any,
    Four,
    Six,
}

#[expect(clippy::wildcard_enum_match_arm, reason = "of an address's many parts, three are names")]
/// The name an address begins with.
fn name(addr: &Multiaddr) -> Option<(String, Family)> {
    match addr.iter().next()? {
        Protocol::Dns(name) => Some((name.into_owned(), Family::Any)),
        Protocol::Dns4(name) => Some((name.into_owned(), Family::Four)),
        Protocol::Dns6(name) => Some((name.into_owned(), Family::Six)),
        _ => None,
    }
}

/// Whether an address must be resolved before it can be dialed.
pub(super) fn is_named(addr: &Multiaddr) -> bool {
    name(addr).is_some()
}

/// The address with its name replaced by the first number the system gives.
pub(super) async fn resolve(addr: Multiaddr) -> Result<Multiaddr, String> {
    let Some((name, family)) = name(&addr) else { return Ok(addr) };
    let found = lookup_host((name.as_str(), 0)).await;
    let mut found = found.map_err(|_| "the name is not known".to_owned())?;
    let fits = |ip: &IpAddr| match family {
        Family::Any => true,
        Family::Four => ip.is_ipv4(),
        Family::Six => ip.is_ipv6(),
    };
    let ip = found.find_map(|socket| Some(socket.ip()).filter(fits));
    ip.map(|ip| with(&addr, ip)).ok_or_else(|| "the name has no such address".to_owned())
}

fn with(addr: &Multiaddr, ip: IpAddr) -> Multiaddr {
    std::iter::once(Protocol::from(ip)).chain(addr.iter().skip(1)).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;

    #[tokio::test]
    async fn a_name_becomes_a_number_and_the_rest_of_the_address_stays() {
        let addr: Multiaddr = "/dns4/localhost/tcp/4001".parse().unwrap();
        assert!(is_named(&addr));
        assert_eq!(resolve(addr).await.unwrap(), "/ip4/127.0.0.1/tcp/4001".parse().unwrap());
    }

    #[tokio::test]
    async fn a_number_stays_as_it_is() {
        let addr: Multiaddr = "/ip6/::1/udp/4001/quic-v1".parse().unwrap();
        assert!(!is_named(&addr));
        assert_eq!(resolve(addr.clone()).await.unwrap(), addr);
    }
}
