//! What an address tells of itself: from where it can be dialled, and how.

use std::net::{Ipv4Addr, Ipv6Addr};

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

/// From where an address can be dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Anywhere, as far as can be told.
    Anywhere,
    /// The same office.
    Nearby,
    /// This machine.
    Machine,
}

/// From where an address can be dialled, as far as its numbers tell.
pub fn reach(address: &Multiaddr) -> Reach {
    match address.iter().next() {
        Some(Protocol::Ip4(ip)) => of_ip4(ip),
        Some(Protocol::Ip6(ip)) => of_ip6(ip),
        _ => Reach::Anywhere,
    }
}

const fn of_ip4(ip: Ipv4Addr) -> Reach {
    if ip.is_loopback() {
        Reach::Machine
    } else if ip.is_private() || ip.is_link_local() {
        Reach::Nearby
    } else {
        Reach::Anywhere
    }
}

const fn of_ip6(ip: Ipv6Addr) -> Reach {
    if ip.is_loopback() {
        Reach::Machine
    } else if ip.is_unique_local() || ip.is_unicast_link_local() {
        Reach::Nearby
    } else {
        Reach::Anywhere
    }
}

/// Whether an address is dialled over QUIC, which passes routers where TCP does not.
pub fn is_quic(address: &Multiaddr) -> bool {
    address.iter().any(|part| part == Protocol::QuicV1)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;

    #[test]
    fn private_numbers_are_nearby_and_names_may_be_anywhere() {
        let of = |text: &str| reach(&text.parse().unwrap());
        assert_eq!(of("/dns4/hub.invalid/tcp/1"), Reach::Anywhere);
        assert_eq!(of("/ip4/203.0.113.7/tcp/1"), Reach::Anywhere);
        assert_eq!(of("/ip4/192.168.1.7/tcp/1"), Reach::Nearby);
        assert_eq!(of("/ip6/fe80::1/tcp/1"), Reach::Nearby);
        assert_eq!(of("/ip6/::1/udp/1/quic-v1"), Reach::Machine);
    }
}
