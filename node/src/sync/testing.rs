//! Synthetic areas, feeds, trees and rows for the tests of this room.
#![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use crdt_schema::area::AreaId;
use crdt_schema::entry::ChainPoint;
use crdt_schema::id::{DeviceId, EntryId, FeedName, Space, StoreInstance};
use crdt_schema::time::Timestamp;

use super::receipt::{DeviceRow, SIGNATURE_BYTES};
use super::summary::Tree;

/// What a device without feeds says about itself, not signed yet.
pub(crate) fn device_row(device: DeviceId, instance: StoreInstance, counter: u64) -> DeviceRow {
    DeviceRow {
        device,
        instance,
        counter,
        heads: Vec::new(),
        claimed_at: Timestamp(0),
        orders: Vec::new(),
        addresses: Vec::new(),
        version: String::new(),
        signature: [0; SIGNATURE_BYTES],
    }
}

/// A tree of one kabupaten with one kecamatan of eight villages, and what was moved since.
#[derive(Debug, Clone, Default)]
pub(crate) struct FlatTree {
    /// Villages that lie below another kecamatan now.
    pub(crate) moved: BTreeMap<AreaId, AreaId>,
}

impl FlatTree {
    fn base() -> &'static BTreeMap<AreaId, AreaId> {
        static BASE: LazyLock<BTreeMap<AreaId, AreaId>> = LazyLock::new(FlatTree::first_parents);
        &BASE
    }

    fn first_parents() -> BTreeMap<AreaId, AreaId> {
        let mut parents = BTreeMap::from([
            (area("32010000000"), area("32000000000")),
            (area("32010100000"), area("32010000000")),
            (area("32010200000"), area("32010000000")),
        ]);
        for number in 2001..2009 {
            parents.insert(area(&format!("320101{number}0")), area("32010100000"));
            parents.insert(area(&format!("320102{number}0")), area("32010200000"));
        }
        parents
    }

    fn is_within(&self, area: AreaId, of: AreaId) -> bool {
        let next = |area: &AreaId| self.parent(*area);
        std::iter::successors(Some(area), next).any(|up| up == of)
    }
}

impl Tree for FlatTree {
    fn parent(&self, area: AreaId) -> Option<AreaId> {
        self.moved.get(&area).or(Self::base().get(&area)).copied()
    }

    fn children(&self, of: AreaId) -> Vec<AreaId> {
        Self::base().keys().copied().filter(|area| self.parent(*area) == Some(of)).collect()
    }

    fn above(&self, of: AreaId) -> Vec<AreaId> {
        let base = Self::base();
        let below = base.keys().filter(|area| self.is_within(**area, of));
        let mut above = BTreeSet::new();
        for area in below.copied().chain([of]) {
            let today = std::iter::successors(Some(area), |area| self.parent(*area));
            let formerly = std::iter::successors(Some(area), |area| base.get(area).copied());
            above.extend(today.chain(formerly).filter(|up| !self.is_within(*up, of)));
        }
        above.into_iter().collect()
    }
}

pub(crate) fn area(digits: &str) -> AreaId {
    digits.parse().unwrap()
}

pub(crate) fn feed_name(device: u8, area: AreaId, space: Space) -> FeedName {
    FeedName { device: DeviceId([device; 32]), area, space, incarnation: 7 }
}

/// Some entry at `seq` of a feed; its id says nothing.
pub(crate) fn point(name: &FeedName, seq: u64) -> ChainPoint {
    let id = blake3::derive_key(&format!("test point {seq}"), &name.id().0);
    ChainPoint { seq, id: EntryId(id) }
}
