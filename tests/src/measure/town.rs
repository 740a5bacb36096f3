//! Folders of nodes, and what is in the world they are of.

use std::path::PathBuf;

use crdt_schema::id::StoreInstance;
use tempfile::TempDir;

use super::hub::{self, runs};
use super::scale::{RECORD_ENTRIES, Shape};
use super::workload;
use crate::world::{Feed, World, record_id};

/// Who lives where: two provincial devices, and the two of the first village.
pub(super) const HOMES: [&str; 4] = ["provinsi", "provinsi-2", "desa-1", "desa-2"];
/// Where a node's keys lie in its folder.
pub(super) const KEYS: &str = "keys";

/// A town and its room on the disk.
pub(super) struct Town {
    pub(super) room: TempDir,
    pub(super) world: World,
    /// What was saved; nothing until somebody [wrote](Town::written).
    feeds: Vec<Feed>,
    shape: Shape,
}

impl Town {
    pub(super) fn new(shape: Shape) -> Self {
        let room = TempDir::new().unwrap();
        let keys = HOMES.map(|name| room.path().join(name).join(KEYS));
        let homes = keys.each_ref().map(PathBuf::as_path);
        let world = World::at_home(shape.villages, shape.writers, homes);
        Self { room, world, feeds: Vec::new(), shape }
    }

    /// The same, with everything its writers saved.
    pub(super) fn written(shape: Shape) -> Self {
        let town = Self::new(shape);
        let feeds = workload::feeds(&town.world, shape).collect();
        Self { feeds, ..town }
    }

    /// Where somebody lives.
    pub(super) fn folder(&self, home: &str) -> PathBuf {
        self.room.path().join(home)
    }

    /// How many records there are.
    pub(super) const fn count(&self) -> usize {
        self.shape.all_records()
    }

    /// Empty stores for a node.
    pub(super) fn lay(&self, home: &str) {
        let mut instance = [0; 16];
        instance.iter_mut().zip(home.bytes()).for_each(|(to, from)| *to = from);
        hub::lay(&self.folder(home), StoreInstance(instance), &self.world.statement);
    }

    /// A node's stores: authority, and with `full` every record.
    pub(super) fn furnish(&self, home: &str, full: bool) {
        self.lay(home);
        // As the province, whoever lives there: a device whose entries come from outside may begin
        // another feed.
        let mut replica = hub::open_in(&self.folder(home), self.world.province.device());
        hub::take(&mut replica, self.world.authority.iter().flat_map(runs));
        if full {
            hub::take(&mut replica, self.feeds.iter().flat_map(runs));
        }
        replica.settle_views().unwrap();
    }

    /// Ids of records of the first village's writers, one writer's after the other's.
    pub(super) fn records(&self) -> Vec<String> {
        let (area, writers) = self.world.villages.first().unwrap();
        let ids = |(name, runs): &Feed| {
            let entries: usize = runs.iter().map(|run| run.block().unwrap().entries.len()).sum();
            let (id, records) = (name.id(), entries as u64 / RECORD_ENTRIES);
            (0..usize::try_from(records).unwrap()).map(move |it| record_id(id, it).to_string())
        };
        let of_village = self.feeds.iter().take(writers.len());
        of_village.filter(|(name, _)| name.area == *area).flat_map(ids).collect()
    }
}
