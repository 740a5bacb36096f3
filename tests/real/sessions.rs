//! The session between real stores: two offices that could have met over a wire, also where others
//! certified one of them for areas it never heard of.

use crdt_schema::area::{AreaCode, AreaId, Level, base_areas};
use crdt_schema::authority::Rights;
use crdt_schema::time::Timestamp;
use node::replica::{Offered, RejectReason, Source};
use node::sync::driver::Pair;
use node::sync::message::AREAS_SHARED_MAX;
use node::sync::{Phase, Report};
use tests::replicas::{self, Memory, replica};
use tests::world::{Feed, World, Writer, certificates, feed};

const KABUPATEN: &str = "32.09";
const OTHER_KABUPATEN: &str = "32.01";
const KECAMATAN: &str = "32.09.39";
const OTHER_KECAMATAN: &str = "32.09.21";
const OTHER_VILLAGE: &str = "32.09.21.2001";

const EQUAL: (Phase, Phase) = (Phase::Live { equal: true }, Phase::Live { equal: true });
const UNEQUAL: (Phase, Phase) = (Phase::Live { equal: false }, Phase::Live { equal: false });

fn meet(one: &mut Memory, two: &mut Memory) -> (node::sync::driver::Cost, (Phase, Phase)) {
    let mut pair = Pair::new(one.me(), two.me());
    let cost = replicas::meet(&mut pair, one, two);
    (cost, pair.phases())
}

#[test]
fn a_session_brings_authority_then_records_and_both_views_are_equal() {
    let world = World::new(6, 2);
    let (mut one, mut two) =
        (replica(&world, &world.province, 1), replica(&world, &world.other, 2));
    let feeds = world.feeds(20);
    let all = world.authority.iter().chain(&feeds);
    for (number, (name, runs)) in all.enumerate() {
        let side =
            if number % 2 == 0 || number < world.authority.len() { &mut one } else { &mut two };
        for run in runs {
            side.offer(name, run).unwrap();
        }
    }
    // Half of the feeds came to a store that does not know their devices yet: nothing was taken.
    one.commit(None, &Source::Here, Timestamp(0)).unwrap();
    two.commit(None, &Source::Here, Timestamp(0)).unwrap();
    assert_eq!(two.entries_held(), 0);
    assert_eq!(meet(&mut one, &mut two).1, EQUAL);
    for (name, runs) in &feeds {
        for run in runs {
            two.offer(name, run).unwrap();
        }
    }
    two.commit(None, &Source::Here, Timestamp(0)).unwrap();
    assert_eq!(meet(&mut one, &mut two).1, EQUAL);
    let (again, phases) = meet(&mut one, &mut two);
    assert_eq!((again.rounds, again.runs, phases), (1, 0, EQUAL));
    assert_eq!(one.totals().unwrap(), two.totals().unwrap());
    assert_eq!(one.totals().unwrap().records, 6 * 2 * 20);
    let area = world.statement.statement().area;
    assert_eq!(one.summary().root(area), two.summary().root(area));
}

fn area(code: &str) -> AreaId {
    code.parse::<AreaCode>().unwrap().first_id()
}

/// The hub of a kabupaten, that of a kecamatan in it, what certifies them, and a hub elsewhere.
struct Offices {
    world: World,
    above: Writer,
    hub: Writer,
    authority: Vec<Feed>,
    other: Writer,
}

fn offices() -> Offices {
    let world = World::new(0, 0);
    let [above, hub, other] = [1, 2, 3].map(Writer::numbered);
    let issuing = Rights::above_desa();
    let authority = vec![
        certificates(&world.province, area(KABUPATEN), [&above], issuing),
        certificates(&above, area(KECAMATAN), [&hub], issuing),
    ];
    Offices { world, above, hub, authority, other }
}

impl Offices {
    /// A device's replica that took these, each batch at once.
    fn holding<'a>(
        &self,
        me: &Writer,
        number: u8,
        batches: impl IntoIterator<Item = &'a [Feed]>,
    ) -> Memory {
        let mut replica = replica(&self.world, me, number);
        for taken in batches.into_iter().flat_map(|batch| offered(&mut replica, batch)) {
            assert!(matches!(taken, Offered::Staged(_)), "{taken:?}");
        }
        replica
    }
}

fn offered(replica: &mut Memory, feeds: &[Feed]) -> Vec<Offered> {
    let runs = feeds.iter().flat_map(|(name, runs)| runs.iter().map(move |run| (name, run)));
    let taken = runs.map(|(name, run)| replica.offer(name, run).unwrap().outcome).collect();
    replica.commit(None, &Source::Here, Timestamp(0)).unwrap();
    taken
}

/// The first kecamatan of a kabupaten.
fn kecamatan(of: &str, count: usize) -> Vec<AreaId> {
    let below = base_areas().filter(|it| it.code.level() == Level::Kecamatan);
    let below = below.filter(|it| it.code.to_string().starts_with(of));
    let areas: Vec<AreaId> = below.map(|it| it.id).take(count).collect();
    assert_eq!(areas.len(), count);
    areas
}

/// Whoever dials, what the hub saved comes to the one above, and both are called equal.
fn assert_joined(offices: &Offices, above: &dyn Fn() -> Memory, hub: &dyn Fn() -> Memory) {
    let saved = [feed(&offices.hub, area(KECAMATAN), 4, 2)];
    for dials in [true, false] {
        let (mut above, mut hub) = (above(), hub());
        assert!(offered(&mut hub, &saved).iter().all(|it| matches!(it, Offered::Staged(_))));
        let phases =
            if dials { meet(&mut hub, &mut above).1 } else { meet(&mut above, &mut hub).1 };
        assert_eq!(phases, EQUAL, "the hub dials: {dials}");
        let [here, there] = [&hub, &above].map(|it| it.summary().root(area(KECAMATAN)));
        assert_eq!(here, there);
        assert_eq!(above.totals().unwrap().records, 4);
    }
}

#[test]
fn a_certificate_from_elsewhere_parts_no_hub_from_those_above_it() {
    let offices = offices();
    let Offices { world, above, hub, authority, other } = &offices;
    let foreign = [
        certificates(above, area(OTHER_KECAMATAN), [other], Rights::above_desa()),
        certificates(other, area(OTHER_VILLAGE), [hub], Rights::desa()),
    ];
    let outside = Offered::Rejected(RejectReason::OutsideInterest);
    assert_eq!(offered(&mut offices.holding(hub, 2, authority.chunks(1)), &foreign), [outside; 2]);
    for upper in [above, &world.province] {
        let upper = || offices.holding(upper, 1, authority.chunks(1).chain(foreign.chunks(1)));
        assert_joined(&offices, &upper, &|| offices.holding(hub, 2, authority.chunks(1)));
    }
}

#[test]
fn certificates_for_more_areas_than_an_opening_names_leave_out_none_that_both_hold() {
    let offices = offices();
    let Offices { world, hub, authority, other, .. } = &offices;
    let mut foreign =
        vec![certificates(&world.province, area(OTHER_KABUPATEN), [other], Rights::above_desa())];
    for area in kecamatan(OTHER_KABUPATEN, AREAS_SHARED_MAX + 1) {
        assert!(area < self::area(KECAMATAN), "it comes first");
        foreign.push(certificates(other, area, [hub], Rights::above_desa()));
    }
    let foreign = foreign.chunks(1);
    let province =
        || offices.holding(&world.province, 1, authority.chunks(1).chain(foreign.clone()));
    assert_joined(&offices, &province, &|| offices.holding(hub, 2, authority.chunks(1)));
}

#[test]
fn two_that_share_more_areas_than_are_compared_are_not_called_equal() {
    let offices = offices();
    let Offices { above, authority, .. } = &offices;
    let device = Writer::numbered(4);
    for (count, phases) in [(AREAS_SHARED_MAX, EQUAL), (AREAS_SHARED_MAX + 1, UNEQUAL)] {
        let of_device = kecamatan(KABUPATEN, count).into_iter();
        let of_device: Vec<Feed> =
            of_device.map(|it| certificates(above, it, [&device], Rights::above_desa())).collect();
        // At once, as an invitation brings it: who is certified somewhere takes nothing from elsewhere.
        let batches = || authority.chunks(1).take(1).chain([&of_device[..]]);
        let mut above = offices.holding(above, 1, batches());
        let mut device = offices.holding(&device, 2, batches());
        for first in [true, false] {
            let (one, two) =
                if first { (&mut above, &mut device) } else { (&mut device, &mut above) };
            let mut pair = Pair::new(one.me(), two.me());
            replicas::meet(&mut pair, one, two);
            assert_eq!(pair.phases(), phases, "{count} areas");
            for side in [pair.initiator(), pair.responder()] {
                let is_equal = side.reports.iter().any(|it| matches!(it, Report::Equal(_)));
                let is_unequal = side.reports.contains(&Report::Unequal);
                assert_eq!((is_equal, is_unequal), (phases == EQUAL, phases == UNEQUAL));
            }
        }
    }
}
