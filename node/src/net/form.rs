//! Which addresses can be dialled: a host, a port of TCP or QUIC, the key of who listens there, and
//! perhaps a hub before that. What reads like more would never be reached, so it is refused when it is
//! typed. And which can be listened on: a number of this machine with such a port, or a hub.

use std::iter::Peekable;
use std::net::IpAddr;

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

use super::keys::key_of;

/// Why an address cannot be dialled.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WrongForm {
    /// A number that stands for no single machine: any interface, or many machines.
    Nobody(IpAddr),
    /// Port 0.
    Port,
    /// No port behind the host.
    Transport,
    /// A part, by its name, that this program cannot dial.
    Part(&'static str),
    /// More than one device.
    Keys,
    /// A key of another kind than devices have.
    Key,
    /// Through a hub, and one of both devices is not named.
    Circuit,
}

/// Whether an address is one that can be dialled.
///
/// # Errors
/// [`WrongForm`]: the first thing that is wrong with it.
pub fn dialled(address: &Multiaddr) -> Result<(), WrongForm> {
    let mut parts = address.iter().peekable();
    host(parts.next())?;
    port(parts.next(), parts.peek())?;
    if address.iter().nth(1).is_some_and(|part| matches!(part, Protocol::Udp(_))) {
        parts.next();
    }
    let named = key(&mut parts)?;
    if parts.next_if_eq(&Protocol::P2pCircuit).is_some() && !(named && key(&mut parts)?) {
        return Err(WrongForm::Circuit);
    }
    match parts.next() {
        None => Ok(()),
        Some(Protocol::P2p(_)) => Err(WrongForm::Keys),
        Some(Protocol::P2pCircuit) => Err(WrongForm::Circuit),
        Some(more) => Err(WrongForm::Part(more.tag())),
    }
}

/// Whether an address is one that a node can listen on: a number and a port, 0 for any, or a place at a
/// hub. Whether the number is this machine's, and the port free, only the system can say.
///
/// # Errors
/// [`WrongForm`]: the first thing that is wrong with it.
pub fn listened(address: &Multiaddr) -> Result<(), WrongForm> {
    if address.iter().any(|part| part == Protocol::P2pCircuit) {
        let mut hub = address.clone();
        let is_last = hub.pop() == Some(Protocol::P2pCircuit);
        let names_hub = hub.iter().last().is_some_and(|part| matches!(part, Protocol::P2p(_)));
        return if is_last && names_hub { dialled(&hub) } else { Err(WrongForm::Circuit) };
    }
    let mut parts = address.iter();
    match parts.next() {
        Some(Protocol::Ip4(_) | Protocol::Ip6(_)) => {}
        Some(other) => return Err(WrongForm::Part(other.tag())),
        None => return Err(WrongForm::Transport),
    }
    match (parts.next(), parts.next(), parts.next()) {
        (Some(Protocol::Tcp(_)), None, None)
        | (Some(Protocol::Udp(_)), Some(Protocol::QuicV1), None) => Ok(()),
        (Some(Protocol::Tcp(_)), Some(more), _)
        | (Some(Protocol::Udp(_)), Some(Protocol::QuicV1), Some(more)) => {
            Err(WrongForm::Part(more.tag()))
        }
        (Some(Protocol::Udp(_)) | None, None, _) | (None, Some(_), _) => Err(WrongForm::Transport),
        (Some(Protocol::Udp(_)), Some(other), _) | (Some(other), ..) => {
            Err(WrongForm::Part(other.tag()))
        }
    }
}

fn host(part: Option<Protocol<'_>>) -> Result<(), WrongForm> {
    let ip = match part {
        Some(Protocol::Ip4(ip)) => IpAddr::V4(ip),
        Some(Protocol::Ip6(ip)) => IpAddr::V6(ip),
        Some(Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_)) => return Ok(()),
        Some(other) => return Err(WrongForm::Part(other.tag())),
        None => return Err(WrongForm::Transport),
    };
    let is_for_all = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
    if ip.is_unspecified() || ip.is_multicast() || is_for_all {
        return Err(WrongForm::Nobody(ip));
    }
    Ok(())
}

fn port(part: Option<Protocol<'_>>, next: Option<&Protocol<'_>>) -> Result<(), WrongForm> {
    match (part, next) {
        (Some(Protocol::Tcp(0) | Protocol::Udp(0)), _) => Err(WrongForm::Port),
        (Some(Protocol::Tcp(_)), _) | (Some(Protocol::Udp(_)), Some(Protocol::QuicV1)) => Ok(()),
        (Some(Protocol::Udp(_)), Some(Protocol::P2p(_)) | None)
        | (Some(Protocol::P2p(_)) | None, _) => Err(WrongForm::Transport),
        (Some(Protocol::Udp(_)), Some(other)) => Err(WrongForm::Part(other.tag())),
        (Some(other), _) => Err(WrongForm::Part(other.tag())),
    }
}

/// Takes a key, if one comes next.
fn key<'parts>(
    parts: &mut Peekable<impl Iterator<Item = Protocol<'parts>>>,
) -> Result<bool, WrongForm> {
    let Some(Protocol::P2p(peer)) = parts.next_if(|part| matches!(part, Protocol::P2p(_))) else {
        return Ok(false);
    };
    if key_of(&peer).is_none() {
        return Err(WrongForm::Key);
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;

    const KEY: &str = "/p2p/12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X";
    const HUB: &str = "/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

    fn of(text: &str) -> Result<(), WrongForm> {
        dialled(&text.parse().unwrap())
    }

    #[test]
    fn what_a_node_prints_of_itself_can_be_dialled() {
        for host in ["/ip4/192.0.2.7", "/ip6/2001:db8::7", "/dns4/hub.invalid", "/dns/hub.invalid"]
        {
            for port in ["/tcp/4001", "/udp/4001/quic-v1"] {
                let at = format!("{host}{port}");
                assert_eq!(of(&at), Ok(()), "{at}");
                assert_eq!(of(&format!("{at}{KEY}")), Ok(()), "{at}");
                assert_eq!(of(&format!("{at}{HUB}/p2p-circuit{KEY}")), Ok(()), "{at}");
            }
        }
    }

    #[test]
    fn a_number_with_a_port_and_a_hub_can_be_listened_on_and_nothing_else() {
        let of = |text: &str| listened(&text.parse().unwrap());
        for address in [
            "/ip4/0.0.0.0/tcp/4001".to_owned(),
            "/ip4/127.0.0.1/udp/0/quic-v1".to_owned(),
            "/ip6/::/tcp/0".to_owned(),
            format!("/dns4/hub.invalid/udp/4001/quic-v1{HUB}/p2p-circuit"),
            format!("/ip4/192.0.2.7/tcp/4001{HUB}/p2p-circuit"),
        ] {
            assert_eq!(of(&address), Ok(()), "{address}");
        }
        for (address, wrong) in [
            (String::new(), WrongForm::Transport),
            ("/ip4/127.0.0.1".to_owned(), WrongForm::Transport),
            ("/ip4/127.0.0.1/udp/4001".to_owned(), WrongForm::Transport),
            ("/ip4/127.0.0.1/udp/4001/quic".to_owned(), WrongForm::Part("quic")),
            ("/dns4/localhost/tcp/0".to_owned(), WrongForm::Part("dns4")),
            ("/unix/%2Ftmp".to_owned(), WrongForm::Part("unix")),
            ("/ip4/127.0.0.1/tcp/4001/ws".to_owned(), WrongForm::Part("ws")),
            ("/ip4/127.0.0.1/udp/4001/quic-v1/ws".to_owned(), WrongForm::Part("ws")),
            (format!("/ip4/127.0.0.1/tcp/4001{KEY}"), WrongForm::Part("p2p")),
            ("/p2p-circuit".to_owned(), WrongForm::Circuit),
            ("/ip4/192.0.2.7/tcp/4001/p2p-circuit".to_owned(), WrongForm::Circuit),
            (format!("/ip4/192.0.2.7/tcp/4001{HUB}/p2p-circuit{KEY}"), WrongForm::Circuit),
            (
                format!("/ip4/0.0.0.0/tcp/4001{HUB}/p2p-circuit"),
                WrongForm::Nobody([0, 0, 0, 0].into()),
            ),
        ] {
            assert_eq!(of(&address), Err(wrong), "{address}");
        }
    }

    #[test]
    fn what_would_never_be_reached_is_refused_for_what_is_wrong_with_it() {
        let nobody = |ip: &str| Err(WrongForm::Nobody(ip.parse().unwrap()));
        let old = "/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N";
        for (address, wrong) in [
            ("/ip4/0.0.0.0/tcp/4001".to_owned(), nobody("0.0.0.0")),
            ("/ip6/::/udp/4001/quic-v1".to_owned(), nobody("::")),
            ("/ip4/224.0.0.251/udp/5353/quic-v1".to_owned(), nobody("224.0.0.251")),
            ("/ip4/255.255.255.255/tcp/1".to_owned(), nobody("255.255.255.255")),
            ("/ip4/192.0.2.7/tcp/0".to_owned(), Err(WrongForm::Port)),
            ("/ip4/192.0.2.7/udp/0/quic-v1".to_owned(), Err(WrongForm::Port)),
            ("/ip4/192.0.2.7".to_owned(), Err(WrongForm::Transport)),
            (format!("/ip4/192.0.2.7{KEY}"), Err(WrongForm::Transport)),
            ("/ip4/192.0.2.7/udp/4001".to_owned(), Err(WrongForm::Transport)),
            (format!("/ip4/192.0.2.7/udp/4001{KEY}"), Err(WrongForm::Transport)),
            ("/ip4/192.0.2.7/udp/4001/quic".to_owned(), Err(WrongForm::Part("quic"))),
            ("/ip4/192.0.2.7/tcp/4001/ws".to_owned(), Err(WrongForm::Part("ws"))),
            ("/ip4/192.0.2.7/tcp/4001/tcp/4001".to_owned(), Err(WrongForm::Part("tcp"))),
            ("/ip4/192.0.2.7/tcp/4001/quic-v1".to_owned(), Err(WrongForm::Part("quic-v1"))),
            ("/memory/7".to_owned(), Err(WrongForm::Part("memory"))),
            ("/dnsaddr/hub.invalid/tcp/1".to_owned(), Err(WrongForm::Part("dnsaddr"))),
            (format!("/ip4/192.0.2.7/tcp/4001{KEY}/ws"), Err(WrongForm::Part("ws"))),
            (format!("/ip4/192.0.2.7/tcp/4001{KEY}{KEY}"), Err(WrongForm::Keys)),
            (format!("/ip4/192.0.2.7/tcp/4001{KEY}{HUB}"), Err(WrongForm::Keys)),
            (format!("/ip4/192.0.2.7/tcp/4001{old}"), Err(WrongForm::Key)),
            (format!("/ip4/192.0.2.7/tcp/4001/p2p-circuit{KEY}"), Err(WrongForm::Circuit)),
            (format!("/ip4/192.0.2.7/tcp/4001{HUB}/p2p-circuit"), Err(WrongForm::Circuit)),
        ] {
            assert_eq!(of(&address), wrong, "{address}");
        }
    }
}
