//! Scenes of six deeds, played in each of their 720 orders and looked at on the way. Whatever was
//! done by then, the feeds stand as the rules say, whichever way round the entries reach a node.

use std::collections::BTreeSet;

use crdt_schema::id::EntryId;
use node::authority::Standing;

use super::cast::{FEEDS, World};
use super::deeds::{Deed, deed};
use super::small::{standings, told_alike};

/// Plays a scene in every order; each deed of it matters in one of them.
fn play(scene: [&'static str; 6]) {
    play_after(&[], scene);
}

/// The same where these deeds were done before.
fn play_after(ground: &[&'static str], scene: [&'static str; 6]) {
    let ground: Vec<Deed> = ground.iter().map(|name| deed(name)).collect();
    let world = played(&World::new(), &ground);
    let (scene_deeds, seen, ways) = (scene.map(deed), BTreeSet::new(), vec![]);
    let mut stage = Stage { world, scene: scene_deeds, seen, ways, looks: 0 };
    let orders = stage.go_on(&stage.world.clone(), &[]);
    assert_eq!(orders, 720);
    for name in scene {
        let matters = |done: &Vec<Deed>| {
            let without = done.iter().copied().filter(|(it, _)| *it != name).collect::<Vec<_>>();
            let ends = [done, &without].map(|done| outcome(&played(&stage.world, done)));
            without.len() < done.len() && ends.first() != ends.last()
        };
        assert!(stage.ways.iter().any(matters), "{name:?} changes nothing in any order");
    }
}

struct Stage {
    /// Before the scene.
    world: World,
    scene: [Deed; 6],
    /// What was looked at, by the entries that were written.
    seen: BTreeSet<Vec<EntryId>>,
    /// What was done until then.
    ways: Vec<Vec<Deed>>,
    looks: usize,
}

impl Stage {
    /// Plays on in every order; in how many the scene came to its end.
    fn go_on(&mut self, world: &World, done: &[Deed]) -> usize {
        let left = self.scene.map(|deed| done.iter().all(|(it, _)| *it != deed.0).then_some(deed));
        let left: Vec<Deed> = left.into_iter().flatten().collect();
        let mut ids: Vec<EntryId> = world.entries.iter().map(|entry| entry.point.id).collect();
        ids.sort_unstable();
        let is_new = self.seen.insert(ids);
        if is_new {
            self.ways.push(done.to_vec());
        }
        // On the way most of it was written alike in other orders.
        if is_new || left.is_empty() {
            self.look(world, done);
        }
        if left.is_empty() {
            return 1;
        }
        let on = |deed: Deed| self.go_on(&played(world, &[deed]), &[done, &[deed]].concat());
        left.into_iter().map(on).sum()
    }

    /// In turn the node learns the oldest first, the newest, or begins in the middle.
    fn look(&mut self, world: &World, done: &[Deed]) {
        let mut world = world.clone();
        self.looks += 1;
        match self.looks % 3 {
            0 => {}
            1 => world.entries.reverse(),
            _ => world.entries.rotate_left(4),
        }
        told_alike(&world, &done.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    }
}

fn played(world: &World, deeds: &[Deed]) -> World {
    let mut world = world.clone();
    for (_, deed) in deeds {
        deed(&mut world);
    }
    world
}

/// How the feeds stand, and how much of each was adopted.
fn outcome(world: &World) -> (Vec<Standing>, Vec<usize>) {
    let authority = world.authority();
    let adopted = FEEDS.iter().map(|name| authority.adopted(name).len()).collect();
    (standings(&authority), adopted)
}

#[test]
fn a_guest_from_its_invitation_to_its_end() {
    play([
        "district invites whom it knows",
        "guest joins",
        "regency confirms the guest",
        "district closes the guest",
        "regency revokes the guest",
        "regency adopts of the guest",
    ]);
}

#[test]
fn a_guest_is_revoked_and_cut_in_two_areas_while_its_village_moves() {
    let ground = ["district takes in a guest at once"];
    let scene = [
        "regency revokes the guest",
        "district cuts the guest at 2",
        "regency cuts the guest's authority in the kecamatan",
        "regency adopts of the guest",
        "regency moves the village",
        "regency confirms the guest",
    ];
    play_after(&ground, scene);
}

#[test]
fn a_village_is_revoked_and_cut_in_two_areas_while_it_moves() {
    play([
        "regency revokes the village",
        "district cuts the village at 5",
        "regency cuts the village's restored records in the kecamatan",
        "district adopts of the village",
        "regency moves the village",
        "other regency certifies the village for a kecamatan",
    ]);
}

#[test]
fn a_village_closes_itself_on_two_branches_and_in_two_feeds() {
    play([
        "village and its copy close it",
        "a copy of the village closes it once more",
        "village closes itself after a restore",
        "district closes the village at its other branch",
        "regency revokes the village",
        "regency cuts the village at 3",
    ]);
}

#[test]
fn a_district_with_a_copy_and_a_backup_is_ended() {
    play([
        "a copy of the district certifies a new one",
        "district certifies a new one after a restore",
        "regency closes the district at its other branch",
        "regency revokes the district",
        "regency cuts the district at its other branch",
        "province cuts the district's restored feed in the kabupaten",
    ]);
}

#[test]
fn those_above_fall_one_after_another() {
    play([
        "province revokes the regency",
        "province cuts the regency now",
        "regency revokes the district",
        "regency cuts the district now",
        "district revokes the village",
        "village closes itself",
    ]);
}

#[test]
fn a_village_moves_to_and_fro_while_it_is_closed_and_certified() {
    play([
        "regency moves the village",
        "province moves the village to the other kabupaten",
        "province moves the village back",
        "district closes the village",
        "other district certifies a new one",
        "province certifies the district for the other kabupaten",
    ]);
}

#[test]
fn strangers_crowd_out_a_guest_until_one_is_confirmed() {
    play([
        "district invites whom it knows",
        "guest joins",
        "four strangers join",
        "four of the strangers join",
        "district confirms a stranger",
        "regency revokes a stranger",
    ]);
}
