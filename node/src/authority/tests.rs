//! The rules of authority on small worlds, and that the order of arrival never matters.
#![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

use crdt_schema::area::AreaId;
use crdt_schema::authority::{
    Alias, Certificate, Closing, Cut, DeviceKeys, FeedEnd, Invitation, Limits, Payload, Revocation,
    Rights, RootStatement, SignedStatement,
};
use crdt_schema::entry::{ChainPoint, SigningSecret};
use crdt_schema::id::{EntryId, FeedName, Space};

use super::*;

fn area(code: &str) -> AreaId {
    code.parse::<crdt_schema::area::AreaCode>().unwrap().first_id()
}

fn keys(seed: u8) -> DeviceKeys {
    let signing = SigningSecret::from_seed(&[seed; 32]).public();
    DeviceKeys { transport: [seed; 32], signing, sealing: [seed; 32] }
}

/// Writes authority entries the way devices would.
struct World {
    statement: SignedStatement,
    entries: Vec<AuthorityEntry>,
}

const PROV: u8 = 1;

impl World {
    fn new() -> Self {
        let root = SigningSecret::from_seed(&[100; 32]);
        let statement = RootStatement {
            name: "Uji".into(),
            area: area("32"),
            trial: true,
            threshold: 1,
            keys: vec![root.public()],
            devices: vec![keys(PROV)],
        };
        Self { statement: statement.sign(&[root]).unwrap(), entries: Vec::new() }
    }

    fn feed(by: u8, at: &str, space: Space) -> FeedName {
        FeedName { device: keys(by).device(), area: area(at), space, incarnation: 0 }
    }

    fn says(&mut self, by: u8, at: &str, payload: Payload, deps: Vec<EntryId>) -> EntryId {
        let feed = Self::feed(by, at, Space::Authority);
        let same = self.entries.iter().filter(|entry| entry.feed == feed);
        let prev = same.map(|entry| entry.point).max().unwrap_or(ChainPoint::START);
        let unique = [&feed.id().0[..], &prev.id.0, &payload.to_bytes()].concat();
        let id = EntryId(*blake3::hash(&unique).as_bytes());
        let point = ChainPoint { seq: prev.seq + 1, id };
        let kind = payload.kind();
        self.entries.push(AuthorityEntry {
            feed,
            point,
            prev: prev.id,
            kind,
            deps,
            payload: Some(payload),
        });
        id
    }

    fn certify(&mut self, by: u8, whom: u8, at: &str, rights: Rights) -> EntryId {
        let certificate = Certificate {
            keys: keys(whom),
            area: area(at),
            rights,
            limits: Limits::default(),
            invited: None,
        };
        self.says(by, at, Payload::Certificate(certificate), vec![])
    }

    fn authority(&self) -> Authority {
        Authority::compute(self.statement.clone(), &self.entries)
    }

    fn counts(&self, by: u8, at: &str) -> bool {
        self.authority().standing(&Self::feed(by, at, Space::Records)) == Standing::Counts
    }
}

/// Province 1, kabupaten Cirebon 2, kecamatan Suranenggala 3 and Gunung Jati 4, desa Sambeng 5.
fn cirebon() -> World {
    let mut world = World::new();
    world.certify(PROV, 2, "32.09", Rights::above_desa());
    world.certify(2, 3, "32.09.39", Rights::above_desa());
    world.certify(2, 4, "32.09.21", Rights::above_desa());
    world.certify(3, 5, "32.09.39.2001", Rights::desa());
    world
}

fn move_sambeng(world: &mut World, by: u8, at: &str, closes: Vec<FeedEnd>) -> EntryId {
    let alias = Alias {
        area: area("32.09.39.2001"),
        code: "32.09.21.2016".parse().unwrap(),
        name: "Sambeng".into(),
        parent: area("32.09.21"),
        valid_from: 0,
        closes,
    };
    world.says(by, at, Payload::Alias(alias), vec![])
}

#[test]
fn a_certificate_counts_only_from_above() {
    let mut world = cirebon();
    assert!(world.counts(5, "32.09.39.2001"));
    world.certify(3, 20, "32.09.21.2001", Rights::desa());
    world.certify(3, 21, "32.09.21", Rights::above_desa());
    world.certify(3, 22, "32.09", Rights::above_desa());
    world.certify(5, 23, "32.09.39.2001", Rights::desa());
    for beside_or_above in [20, 21, 22, 23] {
        assert_eq!(world.authority().member(&keys(beside_or_above).device()), None);
    }
}

#[test]
fn who_is_closed_counts_up_to_where_it_was_closed_and_those_it_certified_stay() {
    let mut world = cirebon();
    let feeds = |at| World::feed(3, at, Space::Authority);
    let last =
        world.entries.iter().filter(|e| e.feed == feeds("32.09.39.2001")).map(|e| e.point).max();
    let end = FeedEnd { feed: feeds("32.09.39.2001").id(), last: last.unwrap() };
    world.certify(3, 6, "32.09.39.2001", Rights::desa());
    let closing = Closing { device: keys(3).device(), ends: vec![end] };
    world.says(2, "32.09.39", Payload::Closing(closing), vec![]);
    assert!(world.counts(5, "32.09.39.2001"), "certified before the end");
    assert!(!world.counts(6, "32.09.39.2001"), "certified after the end");
    assert!(!world.counts(3, "32.09.39.2001"));
}

#[test]
fn a_revoked_device_counts_only_as_far_as_cuts_name_and_no_lower_device_revokes() {
    let mut world = cirebon();
    let records = World::feed(5, "32.09.39.2001", Space::Records);
    let revoke = |of: u8| Revocation { device: keys(of).device(), reason: String::new() };
    world.says(5, "32.09.39.2001", Payload::Revocation(revoke(3)), vec![]);
    world.says(4, "32.09.39.2001", Payload::Revocation(revoke(5)), vec![]);
    assert!(world.counts(5, "32.09.39.2001") && world.counts(3, "32.09.39"));
    world.says(3, "32.09.39.2001", Payload::Revocation(revoke(5)), vec![]);
    assert_eq!(world.authority().standing(&records), Standing::CountsUntil(ChainPoint::START));
    for seq in [7, 4] {
        let last = ChainPoint { seq, id: EntryId([9; 32]) };
        let cut =
            Cut { device: keys(5).device(), ends: vec![FeedEnd { feed: records.id(), last }] };
        world.says(3, "32.09.39.2001", Payload::Cut(cut), vec![]);
    }
    let least = ChainPoint { seq: 4, id: EntryId([9; 32]) };
    assert_eq!(world.authority().standing(&records), Standing::CountsUntil(least));
    // Also of ends on two branches, and of one that a cut of another area names (ADR 0025).
    let point = |seq, id| ChainPoint { seq, id: EntryId([id; 32]) };
    for (at, last, lowest) in [
        ("32.09.39.2001", point(3, 8), point(3, 8)),
        ("32.09.39", point(6, 7), point(3, 8)),
        ("32.09.39", point(2, 7), point(2, 7)),
    ] {
        let ends = vec![FeedEnd { feed: records.id(), last }];
        world.says(3, at, Payload::Cut(Cut { device: keys(5).device(), ends }), vec![]);
        assert_eq!(world.authority().standing(&records), Standing::CountsUntil(lowest));
    }
}

#[test]
fn a_moved_desa_keeps_its_feeds_and_the_old_kecamatan_ends_where_the_alias_says() {
    let mut world = cirebon();
    let (sambeng, old) = ("32.09.39.2001", World::feed(3, "32.09.39.2001", Space::Records));
    assert_eq!(world.authority().standing(&old), Standing::Counts);
    let last = ChainPoint { seq: 9, id: EntryId([7; 32]) };
    move_sambeng(&mut world, 2, "32.09", vec![FeedEnd { feed: old.id(), last }]);
    let authority = world.authority();
    assert_eq!(authority.tree().parent(area(sambeng)), Some(area("32.09.21")));
    assert_eq!(authority.standing(&old), Standing::CountsUntil(last));
    assert!(world.counts(5, sambeng) && world.counts(4, sambeng));
    let carried = authority.interest(&keys(5).device());
    assert!(carried.contains(&area("32.09.21")), "the desa carries its new kecamatan");
    let reader = keys(4).device();
    for space in [Space::Records, Space::Authority] {
        assert!(authority.may_serve(&reader, space, area(sambeng)));
    }
    assert!(authority.may_serve(&keys(5).device(), Space::Authority, area("32.09.39")));
}

#[test]
fn only_who_stands_above_both_parents_moves_a_desa() {
    let mut world = cirebon();
    move_sambeng(&mut world, 3, "32.09.39", vec![]);
    move_sambeng(&mut world, 4, "32.09.21", vec![]);
    assert!(world.authority().alias(area("32.09.39.2001")).is_none());
}

#[test]
fn an_area_that_others_lie_below_is_renamed_and_never_moved_whoever_says_so() {
    let (kecamatan, feed) = ("32.09.39", World::feed(3, "32.09.39", Space::Records));
    let says = |code: &str, parent: &str, at: &str| {
        let mut world = cirebon();
        let alias = Alias {
            area: area(kecamatan),
            code: code.parse().unwrap(),
            name: "Suranenggala Baru".into(),
            parent: area(parent),
            valid_from: 0,
            closes: vec![FeedEnd { feed: feed.id(), last: ChainPoint::START }],
        };
        world.says(PROV, at, Payload::Alias(alias), vec![]);
        world.authority()
    };
    for (code, parent, at) in [("32.10.39", "32.10", "32"), ("32.09.99", "32.09", "32.09")] {
        let authority = says(code, parent, at);
        let tree = authority.tree();
        assert!(authority.alias(area(kecamatan)).is_none(), "{code}");
        assert_eq!(tree.parent(area(kecamatan)), Some(area("32.09")), "{code}");
        assert_eq!(tree.code(area(kecamatan)).unwrap().to_string(), kecamatan);
        assert!(!tree.ever_covered(area("32.10"), area("32.09.39.2001")), "{code}");
        assert_eq!(authority.standing(&feed), Standing::Counts, "{code}");
        let desa = World::feed(5, "32.09.39.2001", Space::Records);
        assert_eq!(authority.standing(&desa), Standing::Counts, "{code}");
    }
    let renamed = says(kecamatan, "32.09", "32.09");
    assert_eq!(renamed.tree().name(area(kecamatan)), Some("Suranenggala Baru"));
}

#[test]
fn a_revoked_device_goes_on_learning_for_whoever_revoked_it_may_be_revoked() {
    let mut world = cirebon();
    let (village, device) = (area("32.09.39.2001"), keys(5).device());
    let revoke = |of: u8| {
        Payload::Revocation(Revocation { device: keys(of).device(), reason: String::new() })
    };
    world.says(3, "32.09.39.2001", revoke(5), vec![]);
    let authority = world.authority();
    assert_eq!(authority.member(&device).unwrap().state, MemberState::Revoked);
    assert!(!authority.may_serve(&device, Space::Records, village));
    for needed in ["32.09.39.2001", "32.09.39", "32.09", "32"] {
        assert!(authority.may_learn(&device, area(needed)), "{needed}");
    }
    assert!(!authority.may_learn(&device, area("32.09.21.2001")));
    // The one who certified it is revoked with everything it said: only who learns that can tell.
    world.certify(2, 5, "32.09.39.2001", Rights::desa());
    world.says(2, "32.09.39", revoke(3), vec![]);
    assert!(world.counts(5, "32.09.39.2001"));
}

fn revocation(of: u8) -> Payload {
    Payload::Revocation(Revocation { device: keys(of).device(), reason: String::new() })
}

#[test]
fn what_a_device_certifies_itself_for_keeps_no_one_from_ending_it() {
    let mut world = cirebon();
    // Nothing of this counts; nobody may have to look at it before ending the device.
    world.certify(5, 5, "32.10.01.2001", Rights::desa());
    world.certify(99, 5, "32.10.01.2001", Rights::desa());
    world.says(2, "32.09.39.2001", revocation(5), vec![]);
    let device = keys(5).device();
    assert_eq!(world.authority().member(&device).unwrap().state, MemberState::Revoked);
}

#[test]
fn of_a_device_that_closed_itself_and_was_revoked_only_what_cuts_name_counts() {
    let mut world = cirebon();
    let records = World::feed(5, "32.09.39.2001", Space::Records);
    let end = |seq| FeedEnd { feed: records.id(), last: ChainPoint { seq, id: EntryId([9; 32]) } };
    let closing = Closing { device: keys(5).device(), ends: vec![end(9)] };
    world.says(5, "32.09.39.2001", Payload::Closing(closing), vec![]);
    world.says(3, "32.09.39.2001", revocation(5), vec![]);
    assert_eq!(world.authority().standing(&records), Standing::CountsUntil(ChainPoint::START));
    // Whoever took the device may write a closing, too: it lies behind what the cut leaves.
    let cut = Cut { device: keys(5).device(), ends: vec![end(4)] };
    world.says(3, "32.09.39.2001", Payload::Cut(cut), vec![]);
    assert_eq!(world.authority().standing(&records), Standing::CountsUntil(end(4).last));
}

#[test]
fn a_right_to_read_makes_no_feed_count_again() {
    let mut world = cirebon();
    let old = World::feed(3, "32.09.39.2001", Space::Records);
    let last = ChainPoint { seq: 9, id: EntryId([7; 32]) };
    move_sambeng(&mut world, 2, "32.09", vec![FeedEnd { feed: old.id(), last }]);
    world.certify(2, 3, "32.09.21", Rights::CARRY.with(Rights::READ_OPEN));
    assert_eq!(world.authority().standing(&old), Standing::CountsUntil(last));
}

#[test]
fn a_device_that_waits_waits_only_where_it_asked_to_be() {
    let mut world = cirebon();
    let (at, throw_away) = ("32.09.39.2001", SigningSecret::from_seed(&[77; 32]));
    let invitation = Invitation {
        key: throw_away.public(),
        area: area(at),
        rights: Rights::desa(),
        expires_at: crdt_schema::time::Timestamp(0),
        counts_at_once: false,
    };
    let invited = world.says(3, at, Payload::Invitation(invitation), vec![]);
    let asked = Certificate {
        keys: keys(30),
        area: area(at),
        rights: Rights::desa(),
        limits: Limits::default(),
        invited: None,
    };
    let signature = throw_away.sign(&asked.invited_message(invited));
    let own = Certificate { invited: Some((invited, signature)), ..asked };
    world.says(30, at, Payload::Certificate(own), vec![invited]);
    let standing = |at| world.authority().standing(&World::feed(30, at, Space::Records));
    assert_eq!(standing(at), Standing::Provisional);
    assert_eq!(standing("32.09.39.2002"), Standing::Outside);
}

/// A hub of another kabupaten gives a device of Sambeng a certificate of its own.
fn certified_elsewhere(at: &str, rights: Rights) -> World {
    let mut world = cirebon();
    world.certify(PROV, 9, "32.10", Rights::above_desa());
    world.certify(9, 5, at, rights);
    world
}

/// What Sambeng's authority alone says of the device's records there, which its neighbours hold.
fn in_sambeng(world: &World) -> Authority {
    let above = ["32", "32.09", "32.09.39", "32.09.39.2001"].map(area);
    let held = world.entries.iter().filter(|entry| above.contains(&entry.feed.area));
    let held: Vec<AuthorityEntry> = held.cloned().collect();
    Authority::compute(world.statement.clone(), &held)
}

#[test]
fn a_certificate_from_elsewhere_keeps_no_one_from_closing_a_device() {
    let mut world = certified_elsewhere("32.10.01.2001", Rights::desa());
    let records = World::feed(5, "32.09.39.2001", Space::Records);
    let last = ChainPoint { seq: 5, id: EntryId([9; 32]) };
    let ends = vec![FeedEnd { feed: records.id(), last }];
    let closing = Closing { device: keys(5).device(), ends };
    world.says(3, "32.09.39.2001", Payload::Closing(closing), vec![]);
    for authority in [world.authority(), in_sambeng(&world)] {
        assert_eq!(authority.standing(&records), Standing::CountsUntil(last));
        assert!(!authority.may(&keys(5).device(), Rights::WRITE, area("32.09.39.2001")));
    }
    // Elsewhere nobody closed it.
    assert!(world.counts(5, "32.10.01.2001"));
    let device = keys(5).device();
    assert_eq!(world.authority().member(&device).unwrap().state, MemberState::Active);
    let held = world.authority().interest(&device);
    assert!(held.contains(&area("32.10.01.2001")) && !held.contains(&area("32.09.39.2001")));
}

#[test]
fn a_certificate_from_elsewhere_takes_no_adoption_away() {
    let mut world = certified_elsewhere("32.10.01", Rights::above_desa());
    let records = World::feed(5, "32.09.39.2001", Space::Records);
    let ranges = vec![(records.id(), 4, ChainPoint { seq: 5, id: EntryId([9; 32]) })];
    let adoption = Payload::Adoption(crdt_schema::authority::Adoption { ranges });
    world.says(3, "32.09.39.2001", adoption, vec![]);
    for authority in [world.authority(), in_sambeng(&world)] {
        assert_eq!(authority.adopted(&records).len(), 1);
    }
}

#[test]
fn a_device_that_joined_in_two_kabupaten_is_closed_in_each_by_its_own() {
    let mut world = cirebon();
    world.certify(PROV, 9, "32.10", Rights::above_desa());
    let throw_away = SigningSecret::from_seed(&[77; 32]);
    for (by, at) in [(9, "32.10.01.2001"), (3, "32.09.39.2001")] {
        let invitation = Invitation {
            key: throw_away.public(),
            area: area(at),
            rights: Rights::desa(),
            expires_at: crdt_schema::time::Timestamp(0),
            counts_at_once: true,
        };
        let invited = world.says(by, at, Payload::Invitation(invitation), vec![]);
        let mut own = Certificate {
            keys: keys(30),
            area: area(at),
            rights: Rights::desa(),
            limits: Limits::default(),
            invited: None,
        };
        own.invited = Some((invited, throw_away.sign(&own.invited_message(invited))));
        world.says(30, at, Payload::Certificate(own), vec![invited]);
    }
    let records = World::feed(30, "32.09.39.2001", Space::Records);
    let standings = |world: &World| {
        [world.authority(), in_sambeng(world)].map(|authority| authority.standing(&records))
    };
    assert_eq!(standings(&world), [Standing::OpenCounts(None), Standing::OpenCounts(None)]);
    let own = World::feed(30, "32.09.39.2001", Space::Authority);
    let of_own = world.entries.iter().find(|entry| entry.feed == own).unwrap().point;
    let last = ChainPoint { seq: 2, id: EntryId([9; 32]) };
    let ends = [(records, last), (own, of_own)];
    let ends = ends.map(|(name, last)| FeedEnd { feed: name.id(), last }).to_vec();
    let closing = Closing { device: keys(30).device(), ends };
    world.says(3, "32.09.39.2001", Payload::Closing(closing), vec![]);
    let ended = Standing::OpenCounts(Some(last));
    assert_eq!(standings(&world), [ended.clone(), ended]);
    let there = World::feed(30, "32.10.01.2001", Space::Records);
    assert_eq!(world.authority().standing(&there), Standing::OpenCounts(None));
}

#[test]
fn the_order_of_arrival_never_matters() {
    let mut world = cirebon();
    move_sambeng(&mut world, 2, "32.09", vec![]);
    move_sambeng(&mut world, PROV, "32", vec![]);
    world.certify(4, 7, "32.09.39.2001", Rights::desa());
    world.certify(3, 8, "32.09.39.2002", Rights::desa());
    let revocation = Revocation { device: keys(8).device(), reason: String::new() };
    world.says(2, "32.09.39.2002", Payload::Revocation(revocation), vec![]);
    let closing = Closing { device: keys(3).device(), ends: vec![] };
    world.says(PROV, "32.09.39", Payload::Closing(closing), vec![]);
    let expected = world.authority().found;
    assert_eq!(expected.aliases.len(), 2);
    for turn in 0..world.entries.len() {
        world.entries.rotate_left(1);
        world.entries.swap(0, turn);
        let found = world.authority().found;
        assert_eq!(found.members, expected.members);
        assert_eq!(found.aliases, expected.aliases);
    }
}
