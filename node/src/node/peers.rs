//! What this node remembers of others: when it last heard of them, and what they said they hold.
//!
//! Small named values of the feed store. `contact/` and the device hold the moment; `heads/`, the
//! device, the feed and the entry hold its sequence; `dial/` and an address a person or an invitation
//! named hold nothing. None of it is trusted: a head that was never
//! held only makes a bundle shorter than it could be, and the root tells.

use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::entry::ChainPoint;
use crdt_schema::id::{DeviceId, EntryId, FeedId};
use crdt_schema::time::Timestamp;

use super::Node;
use crate::answer::PeerList;
use crate::error::NodeError;
use crate::net::{Multiaddr, WrongForm, dialled, listened, peer_key};
use crate::ports::FeedStore;
use crate::reason::{self, Because};
use crate::sync::HEADS_PER_FEED_MAX;

const CONTACT: &[u8] = b"contact/";
const HEADS: &[u8] = b"heads/";
const DIAL: &[u8] = b"dial/";
/// Bytes of an address: what a row may tell, and some more for a relay before it.
const ADDRESS_BYTES_MAX: usize = 512;
/// Addresses kept.
const ADDRESSES_MAX: usize = 64;
/// Digits of a device's id that name it.
const DEVICE_DIGITS_MIN: usize = 8;

impl Node {
    /// Stages that a device was heard of now. Of devices nobody certified nothing is remembered: a
    /// file may claim to come from anybody. Nobody meets itself.
    pub(super) fn note_contact(&mut self, device: DeviceId, at: Timestamp) {
        if device == self.device() || self.authority().member(&device).is_none() {
            return;
        }
        let name = [CONTACT, &device.0].concat();
        self.replica.put_value(&name, Some(at.0.to_be_bytes().to_vec()));
    }

    /// Stages what a member says in one bundle that it holds of feeds that are held here: of others
    /// nothing could be sent, so nothing need be remembered. The first frame replaces what was known: a
    /// backup put back holds less than it once did. `told` counts what was noted of each feed by the
    /// frames before, for a file can name heads without end. Returns how many values it staged.
    pub(super) fn note_heads(
        &mut self,
        device: DeviceId,
        heads: &[(FeedId, ChainPoint)],
        told: &mut Option<BTreeMap<FeedId, usize>>,
    ) -> Result<u64, NodeError> {
        if self.authority().member(&device).is_none() {
            return Ok(0);
        }
        let mut staged = 0;
        if told.is_none() {
            let named: BTreeSet<&(FeedId, ChainPoint)> = heads.iter().collect();
            let before = self.heads_of(device)?;
            for (feed, point) in before.iter().filter(|head| !named.contains(head)) {
                self.replica.put_value(&[HEADS, &device.0, &feed.0, &point.id.0].concat(), None);
                staged += 1;
            }
        }
        let told = told.get_or_insert_default();
        for (feed, point) in heads {
            if self.replica.feed(*feed).is_none() {
                continue;
            }
            let of_feed = told.entry(*feed).or_default();
            if *of_feed < HEADS_PER_FEED_MAX {
                *of_feed += 1;
                let name = [HEADS, &device.0, &feed.0, &point.id.0].concat();
                self.replica.put_value(&name, Some(point.seq.to_be_bytes().to_vec()));
                staged += 1;
            }
        }
        Ok(staged)
    }

    /// Stages that nothing is known of what a device holds.
    pub(super) fn forget_heads(&mut self, device: DeviceId) -> Result<(), NodeError> {
        for (feed, point) in self.heads_of(device)? {
            self.replica.put_value(&[HEADS, &device.0, &feed.0, &point.id.0].concat(), None);
        }
        Ok(())
    }

    /// Addresses to dial that somebody named.
    ///
    /// # Errors
    /// [`NodeError::Store`] of the disk.
    pub fn addresses_to_dial(&self) -> Result<Vec<String>, NodeError> {
        let values = self.replica.feed_store().values(DIAL);
        let values = values.map_err(|error| self.store_error(error))?;
        let text = |name: Vec<u8>| String::from_utf8(name.get(DIAL.len()..)?.to_vec()).ok();
        Ok(values.into_iter().filter_map(|(name, _)| text(name)).collect())
    }

    /// Every peer: whom this node met, and whom it is to dial.
    ///
    /// # Errors
    /// [`NodeError::Store`] of the disk.
    pub fn peer_list(&self) -> Result<PeerList, NodeError> {
        Ok(PeerList { peers: self.peers()?, addresses: self.addresses_to_dial()? })
    }

    /// Keeps an address to dial from now on.
    ///
    /// # Errors
    /// [`NodeError::Usage`] of what is no address, or none that can be dialled;
    /// [`NodeError::Store`] of the disk.
    pub fn peer_add(&mut self, address: &str) -> Result<PeerList, NodeError> {
        let known = self.addresses_to_dial()?;
        let read = parse(address).ok_or(&reason::ADDRESS)?;
        can_be_dialled(&read)?;
        if peer_key(&read).is_some_and(|key| self.transport_of(&self.device()) == Some(key)) {
            return Err((&reason::ADDRESS_OWN).into());
        }
        // One form for one address, as the transport writes it: what it tells of a dial is found by it.
        let address = &read.to_string();
        if known.len() >= ADDRESSES_MAX && !known.iter().any(|it| it == address) {
            return Err(Because::of(&reason::ADDRESSES_MANY).with("most", ADDRESSES_MAX).into());
        }
        self.note_address(address);
        self.commit_own()?;
        self.peer_list()
    }

    /// Stages an address to dial.
    pub(super) fn note_address(&mut self, address: &str) {
        self.replica.put_value(&dial_name(address), Some(Vec::new()));
    }

    /// Forgets the addresses of a device, named by its id or a prefix of it, or one address.
    ///
    /// # Errors
    /// [`NodeError::DeviceUnknown`] when no address is of that device; [`NodeError::Store`].
    pub fn peer_remove(&mut self, who: &str) -> Result<PeerList, NodeError> {
        let of_device = |address: &String| {
            let key = parse(address).as_ref().and_then(peer_key);
            let mut members = self.authority().members();
            who.len() >= DEVICE_DIGITS_MIN
                && members.any(|(device, member)| {
                    Some(member.keys.transport) == key && device.to_string().starts_with(who)
                })
        };
        let known = self.addresses_to_dial()?;
        let written = parse(who).map(|address| address.to_string());
        let is_it = |it: &String| it == who || Some(it) == written.as_ref() || of_device(it);
        let gone: Vec<String> = known.into_iter().filter(is_it).collect();
        if gone.is_empty() {
            return Err(self.not_kept(who));
        }
        for address in &gone {
            self.replica.put_value(&dial_name(address), None);
        }
        self.commit_own()?;
        self.peer_list()
    }

    /// Why nothing was forgotten: what was named is an address, a device without one, or nobody.
    fn not_kept(&self, who: &str) -> NodeError {
        let mut members = self.authority().members();
        let is_member = |device: &DeviceId| device.to_string().starts_with(who);
        if parse(who).is_some() {
            (&reason::PEER_NOT_KEPT).into()
        } else if who.len() >= DEVICE_DIGITS_MIN && members.any(|(device, _)| is_member(device)) {
            (&reason::PEER_NO_ADDRESS).into()
        } else {
            NodeError::DeviceUnknown { device: who.to_owned() }
        }
    }

    /// Devices heard of, and when.
    pub(super) fn contacts(&self) -> Result<Vec<(DeviceId, Timestamp)>, NodeError> {
        let values = self.replica.feed_store().values(CONTACT);
        let values = values.map_err(|error| self.store_error(error))?;
        let read = |(name, value): (Vec<u8>, Vec<u8>)| {
            let device = name.get(CONTACT.len()..)?.try_into().ok()?;
            Some((DeviceId(device), Timestamp(i64::from_be_bytes(value.try_into().ok()?))))
        };
        Ok(values.into_iter().filter_map(read).collect())
    }

    /// Heads a device said it holds.
    pub(super) fn heads_of(
        &self,
        device: DeviceId,
    ) -> Result<Vec<(FeedId, ChainPoint)>, NodeError> {
        let prefix = [HEADS, &device.0].concat();
        let values = self.replica.feed_store().values(&prefix);
        let values = values.map_err(|error| self.store_error(error))?;
        let read = |(name, value): (Vec<u8>, Vec<u8>)| {
            let rest = name.get(prefix.len()..)?;
            let (feed, entry) = rest.split_first_chunk::<32>()?;
            let seq = u64::from_be_bytes(value.try_into().ok()?);
            Some((FeedId(*feed), ChainPoint { seq, id: EntryId(entry.try_into().ok()?) }))
        };
        Ok(values.into_iter().filter_map(read).collect())
    }
}

/// The name of the value that keeps an address to dial.
pub(super) fn dial_name(address: &str) -> Vec<u8> {
    [DIAL, address.as_bytes()].concat()
}

/// Refuses an address that no node can dial.
///
/// # Errors
/// [`NodeError::Usage`] with what is wrong with it.
pub fn must_be_dialled(address: &Multiaddr) -> Result<(), NodeError> {
    Ok(can_be_dialled(address)?)
}

/// Refuses an address that no node can listen on, on any machine.
///
/// # Errors
/// [`NodeError::Usage`].
pub fn must_be_listened(address: &Multiaddr) -> Result<(), NodeError> {
    let wrong = || Because::of(&reason::ADDRESS_LISTEN).with("address", address);
    listened(address).map_err(|_| wrong().into())
}

/// Whether a node can dial an address; else what is wrong with it.
pub(super) fn can_be_dialled(address: &Multiaddr) -> Result<(), Because> {
    dialled(address).map_err(|wrong| match wrong {
        WrongForm::Nobody(ip) => Because::of(&reason::ADDRESS_NOBODY).with("ip", ip),
        WrongForm::Port => Because::of(&reason::ADDRESS_PORT),
        WrongForm::Transport => Because::of(&reason::ADDRESS_TRANSPORT),
        WrongForm::Part(part) => Because::of(&reason::ADDRESS_PART).with("part", part),
        WrongForm::Keys => Because::of(&reason::ADDRESS_KEYS),
        WrongForm::Key => Because::of(&reason::ADDRESS_KEY),
        WrongForm::Circuit => Because::of(&reason::ADDRESS_CIRCUIT),
    })
}

/// An address, unless it is longer than is kept.
pub(super) fn parse(address: &str) -> Option<Multiaddr> {
    if address.len() > ADDRESS_BYTES_MAX {
        return None;
    }
    address.parse().ok().filter(|address: &Multiaddr| !address.is_empty())
}
