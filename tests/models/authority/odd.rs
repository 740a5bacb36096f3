//! What honest offices with one card each never do: altered programs say what they may not, copies of a
//! card fork its feeds, a backup writes on in another one, and words name ends that lie on no way.

use crdt_schema::authority::{Closing, FeedEnd, Payload, Rights};
use crdt_schema::id::Space;

use super::cast::{
    CIREBON, DISTRICT, FAR_VILLAGE, GUEST, NEW, PROVINCE, REGENCY, SAMBENG, SURANENGGALA, VILLAGE,
    Who, World, another_key, certificate, device, feed, record_point, restored, throw_away,
};
use super::deeds::{
    Deed, adopt, close_at, confirm_for, cut, invite, invite_to, join, join_with, revoke, signed,
    village_end,
};

/// The guest's own certificate for an area, in its feed of another.
fn guest_asks(world: &mut World, to: &str, at: &str, rights: Rights) {
    let own = signed(world, certificate(GUEST, to, rights), &throw_away());
    join_with(world, GUEST, at, own);
}

/// A certificate that lies in another area than the one it is about.
fn certify_from(world: &mut World, by: Who, at: &str, to: &str) {
    let certificate = certificate(NEW, to, Rights::desa());
    world.says(by, at, Payload::Certificate(certificate), vec![]);
}

/// Of the village's records after a restore, up to 2.
fn restored_end() -> Vec<FeedEnd> {
    let records = restored(VILLAGE, SAMBENG, Space::Records).id();
    vec![FeedEnd { feed: records, last: record_point(2) }]
}

fn own_closing(seq: u64) -> Payload {
    Payload::Closing(Closing { device: device(VILLAGE), ends: village_end(seq) })
}

/// At the branches of its feeds that do not go on.
fn close_beside(world: &mut World, by: Who, at: &str, whom: Who) {
    let ends = world.ends_beside(whom);
    close_at(world, by, at, whom, ends);
}

fn close_nowhere(world: &mut World, by: Who, at: &str, whom: Who) {
    let ends = world.ends_nowhere(whom);
    close_at(world, by, at, whom, ends);
}

/// At its newest entries, each at a place where it never stood.
fn close_misplaced(world: &mut World, by: Who) {
    let ends = world.ends_misplaced(DISTRICT);
    close_at(world, by, SURANENGGALA, DISTRICT, ends);
}

/// Its authority feed of the village after a restore, as it ends now.
fn restored_authority(world: &World, of: Who) -> Vec<FeedEnd> {
    let name = restored(of, SAMBENG, Space::Authority);
    vec![FeedEnd { feed: name.id(), last: world.last(&name) }]
}

/// Odd deeds of which every short history is tried.
pub(super) const ODD: [Deed; 24] = [
    ("guest joins with another key", |w| {
        let own = signed(w, certificate(GUEST, SAMBENG, Rights::desa()), &another_key());
        join_with(w, GUEST, SAMBENG, own);
    }),
    ("guest asks for more than it was invited to", |w| {
        guest_asks(w, SAMBENG, SAMBENG, Rights::above_desa());
    }),
    ("guest joins with another's keys", |w| {
        let own = signed(w, certificate(NEW, SAMBENG, Rights::desa()), &throw_away());
        join_with(w, GUEST, SAMBENG, own);
    }),
    ("guest asks elsewhere to be in the village", |w| {
        guest_asks(w, SAMBENG, FAR_VILLAGE, Rights::desa());
    }),
    ("guest asks in the village to be elsewhere", |w| {
        guest_asks(w, FAR_VILLAGE, SAMBENG, Rights::desa());
    }),
    ("district certifies a new one far away out of its own area", |w| {
        certify_from(w, DISTRICT, SURANENGGALA, FAR_VILLAGE);
    }),
    ("district certifies a new one out of its own area", |w| {
        certify_from(w, DISTRICT, SURANENGGALA, SAMBENG);
    }),
    ("district takes in a guest far away out of its own area", |w| {
        invite_to(w, DISTRICT, FAR_VILLAGE, SURANENGGALA, true);
        join(w, FAR_VILLAGE);
    }),
    ("district takes in a guest out of its own area", |w| {
        invite_to(w, DISTRICT, SAMBENG, SURANENGGALA, true);
        join(w, SAMBENG);
    }),
    ("district confirms the guest far away out of the village", |w| {
        confirm_for(w, DISTRICT, SAMBENG, certificate(GUEST, FAR_VILLAGE, Rights::desa()));
    }),
    ("district confirms the guest out of its own area", |w| {
        confirm_for(w, DISTRICT, SURANENGGALA, certificate(GUEST, SAMBENG, Rights::desa()));
    }),
    ("regency revokes the village and cuts it in two areas", |w| {
        revoke(w, REGENCY, SAMBENG, VILLAGE);
        cut(w, REGENCY, SAMBENG, VILLAGE, village_end(5));
        cut(w, REGENCY, SURANENGGALA, VILLAGE, restored_end());
    }),
    ("district certifies a new one after a restore", |w| {
        let certificate = certificate(NEW, SAMBENG, Rights::desa());
        w.says_restored(DISTRICT, SAMBENG, Payload::Certificate(certificate));
    }),
    ("village closes itself after a restore", |w| {
        w.says_restored(VILLAGE, SAMBENG, own_closing(2));
    }),
    ("a copy of the district certifies a new one", |w| {
        let certificate = certificate(NEW, SAMBENG, Rights::desa());
        w.copy_says(DISTRICT, SAMBENG, Payload::Certificate(certificate));
    }),
    ("regency closes the district at its other branch", |w| {
        close_beside(w, REGENCY, SURANENGGALA, DISTRICT);
    }),
    ("regency closes the district at ends nobody holds", |w| {
        close_nowhere(w, REGENCY, SURANENGGALA, DISTRICT);
    }),
    ("regency closes the district at entries under other places", |w| {
        close_misplaced(w, REGENCY);
    }),
    ("district closes itself at entries under other places", |w| {
        close_misplaced(w, DISTRICT);
    }),
    ("village and its copy close it", |w| {
        w.says(VILLAGE, SAMBENG, own_closing(3), vec![]);
        w.copy_says(VILLAGE, SAMBENG, own_closing(1));
    }),
    ("district closes the village at its other branch", |w| {
        close_beside(w, DISTRICT, SAMBENG, VILLAGE);
    }),
    ("district takes in a guest and its copy at once", |w| {
        invite(w, DISTRICT, SAMBENG, true);
        join(w, SAMBENG);
        let reading = Rights::CARRY.with(Rights::READ_OPEN);
        let own = signed(w, certificate(GUEST, SAMBENG, reading), &throw_away());
        w.copy_says(GUEST, SAMBENG, Payload::Certificate(own));
    }),
    ("district closes the guest at its other branch", |w| {
        close_beside(w, DISTRICT, SAMBENG, GUEST);
    }),
    ("district closes the guest at ends nobody holds", |w| {
        close_nowhere(w, DISTRICT, SAMBENG, GUEST);
    }),
];

/// Deeds that say nothing beside one other alone: cuts of who was not revoked, what is adopted of who
/// was not ended, second copies.
pub(super) const LATE: [Deed; 8] = [
    ("district cuts the village's restored records", |w| {
        cut(w, DISTRICT, SAMBENG, VILLAGE, restored_end());
    }),
    ("regency cuts the village's restored records in the kecamatan", |w| {
        cut(w, REGENCY, SURANENGGALA, VILLAGE, restored_end());
    }),
    ("province cuts the district's restored feed in the kabupaten", |w| {
        let ends = restored_authority(w, DISTRICT);
        cut(w, PROVINCE, CIREBON, DISTRICT, ends);
    }),
    ("district cuts the guest at 2", |w| {
        let records = feed(GUEST, SAMBENG, Space::Records).id();
        let ends = vec![FeedEnd { feed: records, last: record_point(2) }];
        cut(w, DISTRICT, SAMBENG, GUEST, ends);
    }),
    ("regency cuts the guest's authority in the kecamatan", |w| {
        let name = feed(GUEST, SAMBENG, Space::Authority);
        let ends = vec![FeedEnd { feed: name.id(), last: w.last(&name) }];
        cut(w, REGENCY, SURANENGGALA, GUEST, ends);
    }),
    ("regency adopts of the guest", |w| adopt(w, REGENCY, SAMBENG, GUEST)),
    ("regency cuts the district at its other branch", |w| {
        let ends = w.ends_beside(DISTRICT);
        cut(w, REGENCY, SURANENGGALA, DISTRICT, ends);
    }),
    ("a copy of the village closes it once more", |w| {
        w.copy_says(VILLAGE, SAMBENG, own_closing(4));
    }),
];
