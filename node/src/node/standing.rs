//! How things stand: one node at a glance, and the root of an area.

use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::area::AreaId;
use crdt_schema::id::{DeviceId, EntryId, FeedName, Space};
use crdt_schema::time::Timestamp;

use super::Node;
use super::receipts::Spoken;
use crate::answer::{
    self, AreaEntry, Clock, ForkPlace, ForkSeen, PeerSeen, RootHash, SharedCode, SharedInvitation,
    Status, StoreStatus, Takes, When,
};
use crate::authority::MemberState;
use crate::describe;
use crate::error::NodeError;
use crate::ports::FeedStore;
use crate::replica::Room;

/// No clock is right that stands before this program was written: 2026-11-01.
const CLOCK_FLOOR: Timestamp = Timestamp(1_793_491_200_000);
/// Nor one this far after it: twenty years.
const CLOCK_CEILING: Timestamp = Timestamp(CLOCK_FLOOR.0 + 20 * 365 * 86_400_000);

impl Node {
    /// One node at a glance.
    ///
    /// # Errors
    /// [`NodeError::Store`] of the disk.
    pub fn status(&self) -> Result<Status, NodeError> {
        let at = |error| self.store_error(error);
        let totals = self.replica.totals().map_err(at)?;
        let store = self.replica.feed_store();
        let views = std::fs::metadata(self.folder.join(super::folder::VIEWS));
        let bytes = store.size_bytes().map_err(at)? + views.map_or(0, |file| file.len());
        let rights = self.me().map(crate::authority::Member::rights).unwrap_or_default();
        let me = self.device();
        let mine = |name: &FeedName| name.device == me && name.space == Space::Records;
        let uncounted = self.replica.quarantined(mine).map_err(at)?;
        // Of a device that counts nothing is ended but where an area moved away.
        let is_active = self.me().is_some_and(|me| me.state == MemberState::Active);
        Ok(Status {
            network: self.authority().network(),
            name: self.authority().statement().statement().name.clone(),
            trial: self.is_trial(),
            device: self.device(),
            area: self.area_name(self.own_area()),
            rights: rights.names().into_iter().map(str::to_owned).collect(),
            state: self.state(),
            open_only: self.me().is_some_and(|me| me.open_only),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            running: self.live.is_some(),
            records: totals.records,
            entries: self.replica.entries_held(),
            feeds: self.replica.feeds().count() as u64,
            waiting_deps: totals.waiting_deps,
            set_aside: totals.set_aside,
            waiting_confirmation: totals.waiting,
            quarantined: self.replica.quarantined(|_| true).map_err(at)?,
            uncounted,
            awaiting_adoption: if is_active { uncounted } else { 0 },
            conflicts: totals.conflicts,
            store: StoreStatus {
                instance: store.instance(),
                format: store.format(),
                bytes,
                free: store.free_bytes(),
                takes: self.takes(),
            },
            clock: Clock { plausible: self.clock_is_plausible() },
            forks: self.forks()?,
            shared_invitations: self.shared_invitations(),
            shared_codes: self.shared_codes(),
            contested_areas: self.entries_of(&self.tree().contested()),
            peers: self.peers()?,
            sessions: self.live.as_ref().map_or_else(Vec::new, |live| live.sessions.clone()),
            refused: self.live.as_ref().map_or_else(Vec::new, |live| live.refused.clone()),
            arrived: self.arrived()?,
        })
    }

    /// What there is room for.
    pub fn takes(&self) -> Takes {
        match self.replica.room() {
            Room::Everything => Takes::Everything,
            Room::OwnArea => Takes::OwnArea,
            Room::OwnSaves => Takes::OwnSaves,
        }
    }

    /// The root of an area over the heads that count, and its words if a receipt is held that
    /// names this very root.
    ///
    /// # Errors
    /// [`NodeError::Usage`] or [`NodeError::AreaUnknown`]; else of the disk.
    pub fn root(&self, area: Option<&str>) -> Result<answer::Root, NodeError> {
        let area = area.map_or(Ok(self.own_area()), |code| self.area(code))?;
        let summary = self.replica.summary();
        let counts = summary.counts(Space::Records, area);
        let spoken = self.words_of(area)?;
        let other_moment = spoken == Spoken::OtherMoment;
        let (words, moment) = match spoken {
            Spoken::Words(words, moment) => (Some(words), Some(moment)),
            Spoken::OtherMoment | Spoken::NoReceipt => (None, None),
        };
        Ok(answer::Root {
            area: self.area_name(area),
            root: RootHash(summary.root(area).0),
            words,
            moment,
            feeds: counts.feeds,
            entries: counts.entries,
            authority: RootHash(summary.authority_root(area).0),
            other_moment,
        })
    }

    /// Invitations that more than one device joined with, as far as this node holds who joined.
    fn shared_invitations(&self) -> Vec<SharedInvitation> {
        let mut joined: BTreeMap<EntryId, BTreeSet<DeviceId>> = BTreeMap::new();
        for (device, member) in self.authority().members() {
            if let Some(invitation) = member.invitation {
                joined.entry(invitation).or_default().insert(*device);
            }
        }
        let shared = joined.into_iter().filter(|(_, devices)| devices.len() > 1);
        let mut seen: Vec<SharedInvitation> = shared
            .filter_map(|(invitation, devices)| {
                let asked = &self.authority().invitations().get(&invitation)?.invitation;
                let area = self.area_name(asked.area);
                let (counts_at_once, devices) =
                    (asked.counts_at_once, devices.into_iter().collect());
                Some(SharedInvitation { invitation, area, counts_at_once, devices })
            })
            .collect();
        seen.sort_by_key(|it| (it.area, it.invitation));
        seen
    }

    fn shared_codes(&self) -> Vec<SharedCode> {
        let shared = self.tree().shared_codes().into_iter();
        shared.map(|(code, areas)| SharedCode { code, areas: self.entries_of(&areas) }).collect()
    }

    fn entries_of(&self, areas: &[AreaId]) -> Vec<AreaEntry> {
        areas.iter().map(|area| describe::area_entry(self.tree(), *area)).collect()
    }

    /// Whether this node's clock can be right.
    pub(super) fn clock_is_plausible(&self) -> bool {
        (CLOCK_FLOOR..CLOCK_CEILING).contains(&self.env.clock.now())
    }

    fn forks(&self) -> Result<Vec<ForkSeen>, NodeError> {
        let at = |error| self.store_error(error);
        let mut seen = Vec::new();
        for fork in self.replica.forks().map_err(at)? {
            let mut places: Vec<ForkPlace> = Vec::with_capacity(fork.entries.len());
            for (_, arrival) in &fork.entries {
                let place = self.fork_place(*arrival)?;
                // Two files of one name came from two places, unless both entries lay in one.
                if !places.contains(&place) {
                    places.push(place);
                }
            }
            seen.push(ForkSeen {
                feed: fork.name.id(),
                seq: fork.seq,
                ids: fork.entries.iter().map(|(id, _)| *id).collect(),
                device: fork.name.device,
                places,
            });
        }
        Ok(seen)
    }

    /// Where an arrival came from. What was written here came from this device, under its name.
    fn fork_place(&self, arrival: u64) -> Result<ForkPlace, NodeError> {
        let source = self.replica.source_of(arrival);
        let (via, name, seen_at) = source.map_err(|error| self.store_error(error))?;
        let is_known = via == "bundle" || via == "peer";
        let (via, name) =
            if is_known { (via, name) } else { ("peer".to_owned(), self.device().to_string()) };
        Ok(ForkPlace { via, name, seen_at: Some(When(seen_at)) })
    }

    /// Devices this node met, or exchanged bundles with.
    pub(super) fn peers(&self) -> Result<Vec<PeerSeen>, NodeError> {
        let mut peers = Vec::new();
        let mut contacts: BTreeMap<DeviceId, Option<Timestamp>> =
            self.contacts()?.into_iter().map(|(device, at)| (device, Some(at))).collect();
        let met = self.live.as_ref().map(|live| &live.peers);
        for device in met.into_iter().flat_map(BTreeMap::keys) {
            contacts.entry(*device).or_default();
        }
        for (device, contact) in contacts {
            let now = met.and_then(|met| met.get(&device)).cloned().unwrap_or_default();
            let member = self.authority().member(&device);
            let area = member.and_then(crate::authority::Member::area);
            peers.push(PeerSeen {
                device,
                area: self.area_name(area.unwrap_or_else(|| self.tree().root())),
                address: now.address,
                connected: now.connected,
                last_contact: contact.max(now.heard).map(When),
                equal: now.equal,
            });
        }
        Ok(peers)
    }
}
