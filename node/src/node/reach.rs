//! Where a new device finds somebody: the addresses an invitation carries.
//!
//! They are advice, no authority: whoever answers must prove to be a member of the network, so a
//! wrong address costs a dial now and then.

use super::Node;
use super::invitation::ADDRESSES_MAX;
use super::peers::{can_be_dialled, parse};
use crate::error::NodeError;
use crate::net::{Reach, is_quic, reach};
use crate::reason::{self, Because};
use crate::sync::receipt::ADDRESS_BYTES_MAX;

/// Of those, how many are left for hubs where this device has many of its own.
const FOR_HUBS: usize = 2;

impl Node {
    /// What an invitation says of where to dial: what a person named, else where this node is
    /// reached, and where the hubs above it say they are.
    ///
    /// # Errors
    /// [`NodeError::Usage`] of what is no address, cannot be dialled, is too long, or of too many;
    /// [`NodeError::Store`] of the disk.
    pub(super) fn addresses_to_invite(&self, named: &[String]) -> Result<Vec<String>, NodeError> {
        if named.is_empty() {
            return self.addresses_known();
        }
        let mut addresses: Vec<String> = Vec::new();
        for address in named {
            let read = parse(address).filter(|_| address.len() <= ADDRESS_BYTES_MAX);
            let read = read.ok_or_else(|| {
                Because::of(&reason::ADDRESS_INVITED).with("most", ADDRESS_BYTES_MAX)
            })?;
            can_be_dialled(&read)?;
            let address = read.to_string();
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        if addresses.len() > ADDRESSES_MAX {
            return Err(Because::of(&reason::ADDRESSES_INVITED).with("most", ADDRESSES_MAX).into());
        }
        Ok(addresses)
    }

    fn addresses_known(&self) -> Result<Vec<String>, NodeError> {
        let own = if let Some(live) = &self.live {
            live.addresses.clone()
        } else {
            let mine = self.device_rows()?.remove(&self.device());
            mine.map_or_else(Vec::new, |row| row.addresses)
        };
        let hubs = self.hub_addresses().into_iter().map(|(address, _)| address);
        Ok(choose(own, hubs.collect()))
    }
}

/// The most useful of both: those others can reach, no more than an invitation carries.
fn choose(own: Vec<String>, hubs: Vec<String>) -> Vec<String> {
    let hubs = useful(hubs);
    let mut chosen = useful(own);
    chosen.truncate(ADDRESSES_MAX - FOR_HUBS.min(hubs.len()));
    for hub in hubs {
        if chosen.len() < ADDRESSES_MAX && !chosen.contains(&hub) {
            chosen.push(hub);
        }
    }
    chosen
}

/// Without what is too long or no address, the widest reach first; those that only this machine
/// reaches are left out, unless there is nothing else.
fn useful(addresses: Vec<String>) -> Vec<String> {
    let read = |text: String| {
        let address = parse(&text).filter(|_| text.len() <= ADDRESS_BYTES_MAX)?;
        Some((reach(&address), !is_quic(&address), text))
    };
    let mut ranked: Vec<(Reach, bool, String)> = addresses.into_iter().filter_map(read).collect();
    ranked.sort();
    ranked.dedup();
    if ranked.iter().any(|(reach, ..)| *reach != Reach::Machine) {
        ranked.retain(|(reach, ..)| *reach != Reach::Machine);
    }
    ranked.into_iter().map(|(_, _, text)| text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(addresses: &[&str]) -> Vec<String> {
        addresses.iter().map(|it| (*it).to_owned()).collect()
    }

    #[test]
    fn what_only_this_machine_reaches_is_carried_only_where_there_is_nothing_else() {
        let here = ["/ip4/127.0.0.1/udp/1/quic-v1", "/ip6/::1/tcp/1"];
        let lan = "/ip4/192.168.1.7/tcp/1";
        assert_eq!(choose(texts(&here), Vec::new()), here);
        assert_eq!(choose(texts(&[here[0], lan, here[1]]), Vec::new()), [lan]);
    }

    #[test]
    fn the_widest_reach_comes_first_and_hubs_keep_room() {
        let own = texts(&[
            "/ip4/10.0.0.1/tcp/1",
            "/ip4/10.0.0.1/udp/1/quic-v1",
            "/ip4/203.0.113.1/tcp/1",
            "/ip4/203.0.113.1/udp/1/quic-v1",
            "no address",
        ]);
        let hubs = texts(&["/dns4/hub.invalid/tcp/1", "/dns4/hub.invalid/udp/1/quic-v1"]);
        let near = ["/ip4/203.0.113.1/udp/1/quic-v1", "/ip4/203.0.113.1/tcp/1"];
        let all = choose(own.clone(), Vec::new());
        assert_eq!(all.len(), ADDRESSES_MAX);
        assert_eq!(all.get(..2), Some(&texts(&near)[..]));
        let chosen = choose(own, hubs);
        let far = ["/dns4/hub.invalid/udp/1/quic-v1", "/dns4/hub.invalid/tcp/1"];
        assert_eq!(chosen, [near, far].concat());
    }

    #[test]
    fn an_address_that_is_too_long_is_left_out() {
        let long = format!("/dns4/{}/tcp/1", "a".repeat(ADDRESS_BYTES_MAX));
        assert_eq!(choose(vec![long], texts(&["/dns4/hub.invalid/tcp/1"])).len(), 1);
    }
}
