//! What sessions with peers need of a node: its replica as a sink, rows to keep, who may connect.
//!
//! `live/` runs the sessions; here a node lends them what it holds. Nothing else writes past the
//! methods a person may call.

use std::collections::BTreeMap;

use crdt_schema::area::AreaId;
use crdt_schema::codec::Reader;
use crdt_schema::id::{DeviceId, NetworkId, StoreInstance};
use crdt_schema::time::Timestamp;

use super::Node;
use super::receipts::{device_name, device_value, receipt_name};
use crate::answer::{AreaName, Refusal, SessionSeen};
use crate::authority::{Member, MemberState};
use crate::error::NodeError;
use crate::net::Multiaddr;
use crate::ports::{Arrival, FeedStore, StoreError};
use crate::replica::{PeerSink, Source};
use crate::store::lent::{Feeds, Views};
use crate::sync::request::ReceiptBook;
use crate::sync::{DeviceRow, ReceiptRow, RowKey, Since};

/// Beginning of the values that hold marks; then the peer's device.
const MARK: &[u8] = b"mark/";

/// What is known only while the node runs.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// Peers met since the start.
    pub peers: BTreeMap<DeviceId, LivePeer>,
    /// Where others may dial this node.
    pub addresses: Vec<String>,
    /// Sessions since the start, the newest first.
    pub sessions: Vec<SessionSeen>,
    /// Addresses that do not let this node in.
    pub refused: Vec<Refusal>,
}

/// One peer met since the start.
#[derive(Debug, Clone, Default)]
pub struct LivePeer {
    /// Where it is dialled.
    pub address: Option<String>,
    /// Whether a link is open.
    pub connected: bool,
    /// What the newest comparison over that link proved; nothing once the roots here are others.
    pub equal: Option<bool>,
    /// When anything came from it last, by this node's clock.
    pub heard: Option<Timestamp>,
}

/// That a peer was met.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Contact {
    /// By this node's clock.
    pub(crate) at: Timestamp,
}

/// A node as the sink of one peer's session.
pub(crate) type NodeSink<'a, B> = PeerSink<'a, Feeds, Views, B>;

impl Node {
    /// The replica, for what this peer brings.
    pub(crate) fn sink<'a, B: ReceiptBook>(
        &'a mut self,
        receipts: &'a B,
        source: Source,
    ) -> NodeSink<'a, B> {
        let now = self.env.clock.now();
        PeerSink { replica: &mut self.replica, receipts, source, now }
    }

    /// The network every peer must be of.
    pub fn network(&self) -> NetworkId {
        self.authority().network()
    }

    /// The seed of the key that proves connections.
    pub fn transport_seed(&self) -> [u8; 32] {
        *self.keys.transport_seed()
    }

    /// The public half of it.
    pub fn transport_key(&self) -> [u8; 32] {
        self.keys.keys().transport
    }

    /// Transport keys of all devices that are not revoked, and whose each is.
    pub fn doors(&self) -> BTreeMap<[u8; 32], Door> {
        let mut doors: BTreeMap<[u8; 32], Door> = BTreeMap::new();
        let members = self.authority().members();
        for (device, member) in members.filter(|(_, it)| it.state != MemberState::Revoked) {
            let key = doors.entry(member.keys.transport);
            key.and_modify(|door| *door = Door::Shared).or_insert(Door::Open(*device));
        }
        doors
    }

    /// Whether a device that names this transport key may be spoken to.
    pub(crate) fn is_behind(&self, key: &[u8; 32], device: &DeviceId) -> bool {
        let member = self.authority().member(device);
        member.is_some_and(|it| it.keys.transport == *key && it.state != MemberState::Revoked)
    }

    /// The transport key of a device.
    pub(crate) fn transport_of(&self, device: &DeviceId) -> Option<[u8; 32]> {
        self.authority().member(device).map(|member| member.keys.transport)
    }

    /// The area a peer is shown under.
    pub(crate) fn area_of(&self, device: &DeviceId) -> AreaId {
        let area = self.authority().member(device).and_then(Member::area);
        area.unwrap_or_else(|| self.tree().root())
    }

    /// Whether sessions with a device are about records: with one that waits or is closed, on either
    /// side, only authority is compared.
    pub(crate) fn shares_records_with(&self, device: &DeviceId) -> bool {
        let counts = |device: &DeviceId| {
            self.authority().member(device).is_some_and(|it| it.state == MemberState::Active)
        };
        counts(&self.device()) && counts(device)
    }

    /// An area under today's code, for events.
    pub(crate) fn named(&self, area: AreaId) -> AreaName {
        self.area_name(area)
    }

    /// Once entries of its incarnation came from outside this device goes on in a new one: then the
    /// next one is drawn.
    ///
    /// # Errors
    /// [`NodeError::Internal`] when the system has no randomness.
    pub(crate) fn draw_next_incarnation(&mut self) -> Result<(), NodeError> {
        let next = self.env.random_u64()?;
        self.replica.set_next_incarnation(next);
        Ok(())
    }

    /// Arrivals behind a number, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] of the feed store.
    pub(crate) fn arrivals_after(
        &self,
        number: u64,
        limit: usize,
    ) -> Result<Vec<Arrival>, StoreError> {
        // Asked after every frame, and mostly there is nothing.
        if number >= self.replica.arrived() {
            return Ok(Vec::new());
        }
        self.replica.feed_store().arrivals(number, limit)
    }

    /// Rows of hubs and of devices that are held.
    ///
    /// # Errors
    /// [`NodeError::Store`] of the disk.
    pub(crate) fn rows(&self) -> Result<(Vec<ReceiptRow>, Vec<DeviceRow>), NodeError> {
        Ok((self.receipts()?, self.device_rows()?.into_values().collect()))
    }

    /// A hub's row.
    pub(crate) fn row_at(&self, key: &RowKey) -> Option<ReceiptRow> {
        let value = self.replica.feed_store().value(&receipt_name(key)).ok()??;
        ReceiptRow::read(&mut Reader::new(value.get(1..)?)).ok()
    }

    /// What a device said about itself.
    pub(crate) fn row_of(&self, device: &DeviceId) -> Option<DeviceRow> {
        let value = self.replica.feed_store().value(&device_name(device)).ok()??;
        DeviceRow::read(&mut Reader::new(value.get(1..)?)).ok()
    }

    /// Writes new rows of this node where something changed. Those, and rows that bundles brought
    /// since, are what no session was told of.
    ///
    /// # Errors
    /// [`NodeError::Store`] of the disk.
    pub(crate) fn renew_rows(&mut self) -> Result<(Vec<ReceiptRow>, Vec<DeviceRow>), NodeError> {
        self.renew_receipts()?;
        Ok(self.untold_rows())
    }

    /// Keeps rows that sessions brought, and what is staged with them.
    ///
    /// # Errors
    /// [`NodeError::Store`] of the disk.
    pub(crate) fn keep_rows(
        &mut self,
        receipts: &[ReceiptRow],
        devices: &[DeviceRow],
        marks: &BTreeMap<DeviceId, Since>,
        contacts: &BTreeMap<DeviceId, Contact>,
    ) -> Result<(), NodeError> {
        // A bundle may have brought newer ones, which nobody was told of yet.
        for row in devices {
            let (name, value) = device_value(row);
            if self.is_newer(&name, row.age()) {
                self.replica.put_value(&name, Some(value));
            }
        }
        let mut spoke_anew = false;
        for row in receipts {
            if self.is_newer(&receipt_name(&row.key), (row.counter, row.key.instance)) {
                spoke_anew |= self.stage_receipt(row)?;
            }
        }
        if spoke_anew {
            let mut stores = self.known_stores()?;
            for row in devices {
                stores.note(row);
            }
            self.forget_nobodys(&stores)?;
        }
        for (device, mark) in marks {
            self.replica.put_value(&[MARK, &device.0].concat(), Some(mark_value(mark)));
        }
        for (device, contact) in contacts {
            self.note_contact(*device, contact.at);
        }
        self.commit_own()?;
        Ok(())
    }

    /// What an earlier session with a device learned of its store.
    pub(crate) fn mark_of(&self, device: &DeviceId) -> Option<Since> {
        let value = self.replica.feed_store().value(&[MARK, &device.0].concat()).ok()??;
        read_mark(&value)
    }

    /// The clock.
    pub fn now(&self) -> Timestamp {
        self.env.clock.now()
    }

    /// A random number, for jitter.
    pub(crate) fn dice(&self) -> u64 {
        self.env.random_u64().unwrap_or_default()
    }

    /// What the runner knows of peers, for answers.
    pub(crate) fn set_peers(&mut self, peers: BTreeMap<DeviceId, LivePeer>) {
        self.live.get_or_insert_default().peers = peers;
    }

    /// What `status` shows of sessions, and of addresses that let nobody in.
    pub(crate) fn set_sessions(&mut self, sessions: Vec<SessionSeen>, refused: Vec<Refusal>) {
        let live = self.live.get_or_insert_default();
        (live.sessions, live.refused) = (sessions, refused);
    }

    /// Where others may dial this node, for answers and for its row.
    pub(crate) fn set_addresses(&mut self, addresses: Vec<String>) {
        self.live.get_or_insert_default().addresses = addresses;
    }

    /// Where hubs above this device say they are, with their transport keys.
    pub(crate) fn hub_addresses(&self) -> Vec<(String, [u8; 32])> {
        let own = self.own_area();
        let Ok(rows) = self.device_rows() else { return Vec::new() };
        let above = |row: &&DeviceRow| {
            let member = self.authority().member(&row.device);
            let counts = member.filter(|it| it.state == MemberState::Active);
            let area = counts.and_then(Member::area);
            area.is_some_and(|area| area != own && self.tree().covers(area, own))
        };
        let told = rows.values().filter(above).filter_map(|row| {
            let key = self.transport_of(&row.device)?;
            Some(row.addresses.iter().map(move |address| (address.clone(), key)))
        });
        told.flatten().collect()
    }

    /// Every address this node may dial: those somebody named, and those of the hubs above it.
    ///
    /// # Errors
    /// [`NodeError::Store`] of the disk.
    pub fn known_addresses(&self) -> Result<Vec<Multiaddr>, NodeError> {
        let named = self.addresses_to_dial()?.into_iter();
        let all = named.chain(self.hub_addresses().into_iter().map(|(address, _)| address));
        Ok(all.filter_map(|address| address.parse().ok()).collect())
    }
}

/// Who is spoken to behind a transport key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// A member, one that waits for confirmation, or one that is closed and may learn so.
    Open(DeviceId),
    /// Several of those name the key, as a certificate does not prove that its device holds it. Which
    /// of them is there it says itself.
    Shared,
}

fn mark_value(mark: &Since) -> Vec<u8> {
    [&mark.instance.0[..], &mark.number.to_be_bytes(), &mark.running_hash].concat()
}

fn read_mark(value: &[u8]) -> Option<Since> {
    let (instance, rest) = value.split_first_chunk::<16>()?;
    let (number, hash) = rest.split_first_chunk::<8>()?;
    Some(Since {
        instance: StoreInstance(*instance),
        number: u64::from_be_bytes(*number),
        running_hash: hash.try_into().ok()?,
    })
}
