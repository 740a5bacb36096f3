//! What can happen: each deed is one authority entry or a few, written upon what the world holds by
//! then. What copies, backups and altered programs do beside it stands in `odd.rs`.

use std::sync::LazyLock;

use crdt_schema::authority::{
    Adoption, Alias, Certificate, Closing, Confirmation, Cut, FeedEnd, Invitation, Payload,
    Revocation, Rights,
};
use crdt_schema::entry::{EntryKind, SigningSecret};
use crdt_schema::id::{EntryId, Space};
use crdt_schema::time::Timestamp;

use super::cast::{
    CIREBON, DISTRICT, FAR_DISTRICT, FAR_VILLAGE, GUEST, GUNUNG_JATI, JABAR, MAJALENGKA, NEW,
    OTHER_DISTRICT, OTHER_REGENCY, PROVINCE, REGENCY, SAMBENG, STRANGERS, SURANENGGALA, VILLAGE,
    Who, World, area, certificate, device, feed, record_point, throw_away,
};
use super::odd::{LATE, ODD};

/// A name and what is done.
pub(crate) type Deed = (&'static str, fn(&mut World));

pub(super) fn revoke(world: &mut World, by: Who, at: &str, whom: Who) {
    let revocation = Revocation { device: device(whom), reason: String::new() };
    world.says(by, at, Payload::Revocation(revocation), vec![]);
}

pub(super) fn cut(world: &mut World, by: Who, at: &str, whom: Who, ends: Vec<FeedEnd>) {
    world.says(by, at, Payload::Cut(Cut { device: device(whom), ends }), vec![]);
}

fn close(world: &mut World, by: Who, at: &str, whom: Who) {
    let ends = world.ends_now(whom);
    close_at(world, by, at, whom, ends);
}

pub(super) fn close_at(world: &mut World, by: Who, at: &str, whom: Who, ends: Vec<FeedEnd>) {
    let closing = Closing { device: device(whom), ends };
    world.says(by, at, Payload::Closing(closing), vec![]);
}

fn certify(world: &mut World, by: Who, at: &str, whom: Who, rights: Rights) {
    world.says(by, at, Payload::Certificate(certificate(whom, at, rights)), vec![]);
}

/// The newest invitation; one that nobody wrote where there is none.
fn invitation(world: &World) -> EntryId {
    let is = |kind: EntryKind| kind == EntryKind::INVITATION;
    let newest = world.entries.iter().rev().find(|entry| is(entry.kind));
    newest.map_or(EntryId([0xee; 32]), |entry| entry.point.id)
}

pub(super) fn invite(world: &mut World, by: Who, at: &str, counts_at_once: bool) {
    invite_to(world, by, at, at, counts_at_once);
}

/// To one area, said in another.
pub(super) fn invite_to(world: &mut World, by: Who, to: &str, at: &str, counts_at_once: bool) {
    let invitation = Invitation {
        key: throw_away().public(),
        area: area(to),
        rights: Rights::desa(),
        expires_at: Timestamp(0),
        counts_at_once,
    };
    world.says(by, at, Payload::Invitation(invitation), vec![]);
}

pub(super) fn join(world: &mut World, at: &str) {
    join_as(world, GUEST, at);
}

fn join_as(world: &mut World, who: Who, at: &str) {
    let own = signed(world, certificate(who, at, Rights::desa()), &throw_away());
    join_with(world, who, at, own);
}

/// A device's own certificate, whatever it says, in its feed in an area.
pub(super) fn join_with(world: &mut World, who: Who, at: &str, own: Certificate) {
    let deps = own.invited.iter().map(|(invitation, _)| *invitation).collect();
    world.says(who, at, Payload::Certificate(own), deps);
}

/// A certificate under the newest invitation.
pub(super) fn signed(world: &World, mut own: Certificate, key: &SigningSecret) -> Certificate {
    let invitation = invitation(world);
    let signature = key.sign(&own.invited_message(invitation));
    own.invited = Some((invitation, signature));
    own
}

fn confirm(world: &mut World, by: Who, whom: Who) {
    confirm_for(world, by, SAMBENG, certificate(whom, SAMBENG, Rights::desa()));
}

/// Whatever the certificate is about, said in an area.
pub(super) fn confirm_for(world: &mut World, by: Who, at: &str, certificate: Certificate) {
    let invitation = invitation(world);
    let confirmation = Confirmation { invitation, certificate };
    world.says(by, at, Payload::Confirmation(confirmation), vec![]);
}

/// Of records that a device wrote in the village.
pub(super) fn adopt(world: &mut World, by: Who, at: &str, whose: Who) {
    let records = feed(whose, SAMBENG, Space::Records).id();
    let ranges = vec![(records, 4, record_point(5))];
    world.says(by, at, Payload::Adoption(Adoption { ranges }), vec![]);
}

fn place(world: &mut World, by: Who, at: &str, parent: &str, replaces: bool) {
    let end = FeedEnd { feed: feed(DISTRICT, SAMBENG, Space::Records).id(), last: record_point(2) };
    let alias = Alias {
        area: area(SAMBENG),
        code: "32.09.21.2016".parse().unwrap(),
        name: "Sambeng".into(),
        parent: area(parent),
        valid_from: 0,
        closes: vec![end],
    };
    let aliases = world.entries.iter().filter(|entry| entry.kind == EntryKind::ALIAS);
    let deps = if replaces { aliases.map(|entry| entry.point.id).collect() } else { vec![] };
    world.says(by, at, Payload::Alias(alias), deps);
}

pub(super) fn village_end(seq: u64) -> Vec<FeedEnd> {
    vec![FeedEnd { feed: feed(VILLAGE, SAMBENG, Space::Records).id(), last: record_point(seq) }]
}

/// Deeds of which every short history is tried.
pub(crate) static DEEDS: LazyLock<Vec<Deed>> = LazyLock::new(|| [&PLAIN[..], &ODD, &LATE].concat());

/// The deed of a name.
pub(crate) fn deed(name: &str) -> Deed {
    *DEEDS.iter().find(|(known, _)| *known == name).unwrap()
}

/// What an office does, whether it may or not.
const PLAIN: [Deed; 51] = [
    ("district closes the village", |w| close(w, DISTRICT, SAMBENG, VILLAGE)),
    ("district revokes the village", |w| revoke(w, DISTRICT, SAMBENG, VILLAGE)),
    ("district cuts the village at 5", |w| cut(w, DISTRICT, SAMBENG, VILLAGE, village_end(5))),
    ("regency cuts the village at 3", |w| cut(w, REGENCY, SAMBENG, VILLAGE, village_end(3))),
    ("regency revokes the village", |w| revoke(w, REGENCY, SAMBENG, VILLAGE)),
    ("regency revokes the district", |w| revoke(w, REGENCY, SURANENGGALA, DISTRICT)),
    ("regency cuts the district now", |w| {
        let ends = w.ends_now(DISTRICT);
        cut(w, REGENCY, SURANENGGALA, DISTRICT, ends);
    }),
    ("regency closes the district", |w| close(w, REGENCY, SURANENGGALA, DISTRICT)),
    ("province revokes the regency", |w| revoke(w, PROVINCE, CIREBON, REGENCY)),
    ("province cuts the regency now", |w| {
        let ends = w.ends_now(REGENCY);
        cut(w, PROVINCE, CIREBON, REGENCY, ends);
    }),
    ("district adopts of the village", |w| adopt(w, DISTRICT, SAMBENG, VILLAGE)),
    ("district adopts of the village elsewhere", |w| adopt(w, DISTRICT, SURANENGGALA, VILLAGE)),
    ("other regency adopts of the village", |w| adopt(w, OTHER_REGENCY, FAR_VILLAGE, VILLAGE)),
    ("district adopts of the regency", |w| adopt(w, DISTRICT, SAMBENG, REGENCY)),
    ("district adopts of itself", |w| adopt(w, DISTRICT, SAMBENG, DISTRICT)),
    ("province adopts of the district", |w| adopt(w, PROVINCE, SAMBENG, DISTRICT)),
    ("village adopts of itself", |w| adopt(w, VILLAGE, SAMBENG, VILLAGE)),
    ("village closes itself", |w| close(w, VILLAGE, SAMBENG, VILLAGE)),
    ("village closes itself and names nothing", |w| {
        close_at(w, VILLAGE, SAMBENG, VILLAGE, vec![]);
    }),
    ("village revokes the district", |w| revoke(w, VILLAGE, SAMBENG, DISTRICT)),
    ("village certifies itself far away", |w| {
        certify(w, VILLAGE, FAR_VILLAGE, VILLAGE, Rights::desa());
    }),
    ("district invites", |w| invite(w, DISTRICT, SAMBENG, false)),
    ("district invites whom it knows", |w| invite(w, DISTRICT, SAMBENG, true)),
    ("guest closes itself", |w| close(w, GUEST, SAMBENG, GUEST)),
    ("district closes the guest", |w| close(w, DISTRICT, SAMBENG, GUEST)),
    ("guest joins", |w| join(w, SAMBENG)),
    ("district confirms the guest", |w| confirm(w, DISTRICT, GUEST)),
    ("regency confirms the guest", |w| confirm(w, REGENCY, GUEST)),
    ("regency revokes the guest", |w| revoke(w, REGENCY, SAMBENG, GUEST)),
    ("district certifies a new one", |w| certify(w, DISTRICT, SAMBENG, NEW, Rights::desa())),
    ("other district certifies a new one", |w| {
        certify(w, OTHER_DISTRICT, SAMBENG, NEW, Rights::desa());
    }),
    ("other regency certifies the district far away", |w| {
        certify(w, OTHER_REGENCY, FAR_VILLAGE, DISTRICT, Rights::desa());
    }),
    ("regency lets the district read its neighbour", |w| {
        certify(w, REGENCY, GUNUNG_JATI, DISTRICT, Rights::CARRY.with(Rights::READ_OPEN));
    }),
    ("other regency certifies the village far away", |w| {
        certify(w, OTHER_REGENCY, FAR_VILLAGE, VILLAGE, Rights::desa());
    }),
    ("other regency certifies the village for a kecamatan", |w| {
        certify(w, OTHER_REGENCY, FAR_DISTRICT, VILLAGE, Rights::above_desa());
    }),
    ("province certifies the district for the other kabupaten", |w| {
        certify(w, PROVINCE, MAJALENGKA, DISTRICT, Rights::above_desa());
    }),
    ("other regency closes the village far away", |w| {
        close(w, OTHER_REGENCY, FAR_VILLAGE, VILLAGE);
    }),
    ("other regency takes in a guest at once", |w| {
        invite(w, OTHER_REGENCY, FAR_VILLAGE, true);
        join(w, FAR_VILLAGE);
    }),
    ("regency takes in a guest for the kecamatan at once", |w| {
        invite(w, REGENCY, SURANENGGALA, true);
        join(w, SURANENGGALA);
    }),
    ("district takes in a guest at once", |w| {
        invite(w, DISTRICT, SAMBENG, true);
        join(w, SAMBENG);
    }),
    ("four strangers join", |w| {
        for who in STRANGERS.into_iter().take(4) {
            join_as(w, who, SAMBENG);
        }
    }),
    ("four of the strangers join", |w| {
        for who in STRANGERS.into_iter().skip(2) {
            join_as(w, who, SAMBENG);
        }
    }),
    ("district takes in six strangers at once", |w| {
        invite(w, DISTRICT, SAMBENG, true);
        for who in STRANGERS {
            join_as(w, who, SAMBENG);
        }
    }),
    ("district confirms a stranger", |w| confirm(w, DISTRICT, STRANGERS[2])),
    ("regency revokes a stranger", |w| revoke(w, REGENCY, SAMBENG, STRANGERS[3])),
    ("regency says where the guest's records end, and no more", |w| {
        let records = feed(GUEST, SAMBENG, Space::Records).id();
        let ends = vec![FeedEnd { feed: records, last: record_point(2) }];
        close_at(w, REGENCY, SAMBENG, GUEST, ends);
    }),
    ("district closes itself", |w| close(w, DISTRICT, SURANENGGALA, DISTRICT)),
    ("province moves the village to the other kabupaten", |w| {
        place(w, PROVINCE, JABAR, FAR_DISTRICT, true);
    }),
    ("regency moves the village", |w| place(w, REGENCY, CIREBON, GUNUNG_JATI, true)),
    ("district moves the village", |w| place(w, DISTRICT, SURANENGGALA, GUNUNG_JATI, false)),
    ("province moves the village back", |w| place(w, PROVINCE, JABAR, SURANENGGALA, true)),
];
