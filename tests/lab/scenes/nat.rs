//! Villages behind routers: through the kabupaten where they must, directly where they can.

use std::time::Duration;

use crate::line::Line;
use crate::mesh::{DESA, KABUPATEN, OTHER_DESA, SOON, equal};
use crate::net::{Lab, Nat, Router};
use crate::node::LabNode;

/// For two nodes behind routers to find a direct way.
const PUNCH: Duration = Duration::from_secs(120);
/// For a hole punching that cannot succeed to be given up; the relay must still be there then.
const GIVEN_UP: Duration = Duration::from_secs(50);
/// What stands in the address of a link through a relay.
const RELAYED: &str = "/p2p-circuit";

/// A kabupaten that relays, and two desa, each behind a router of its own.
struct Valley {
    kabupaten: LabNode,
    one: LabNode,
    two: LabNode,
    _routers: [Router; 2],
    lab: Lab,
}

impl Valley {
    /// Both run and are linked through the kabupaten: the first learns of the second by an address
    /// through it.
    fn linked(name: &str, nat: Nat) -> Option<Self> {
        let lab = Lab::new(name)?;
        let (mut province, mut kabupaten) = (lab.node("provinsi"), lab.node("kab"));
        let routers = [lab.router(nat), lab.router(nat)];
        for router in &routers {
            router.port.line(Line { delay_ms: 40, ..Line::CLEAR });
        }
        let [left, right] = &routers;
        let (mut one, mut two) = (left.node("desa1"), right.node("desa2"));
        province.found();
        province.enrol(&mut kabupaten, KABUPATEN);
        kabupaten.enrol(&mut one, DESA);
        kabupaten.enrol(&mut two, OTHER_DESA);
        // What each must know of the other's certificate is in the kabupaten's bundle.
        kabupaten.carry_all_to(&one);
        kabupaten.run(&["--hub"]);
        let hub = kabupaten.address("udp");
        let circuit = format!("{hub}{RELAYED}");
        two.run(&["--peer", &hub, "--listen", &circuit]);
        two.meets(&kabupaten, SOON, |_| true);
        let through = format!("{circuit}/p2p/{}", two.peer_id());
        one.run(&["--peer", &hub, "--listen", &circuit, "--peer", &through]);
        one.meets(&kabupaten, SOON, |_| true);
        one.meets(&two, SOON, |_| true);
        Some(Self { kabupaten, one, two, _routers: routers, lab })
    }

    /// A save at one desa arrives at the kabupaten and at the other desa, and the other way.
    fn news_crosses(&self, text: &str) {
        let (one, two) = (&self.one, &self.two);
        for (from, area, to) in [(one, DESA, two), (two, OTHER_DESA, one)] {
            let record = from.add(area, text);
            self.kabupaten.sees(&record, "nama", text, SOON);
            to.sees(&record, "nama", text, SOON);
            equal(area, &[one, two, &self.kabupaten], 1, SOON);
        }
    }

    /// The kabupaten goes away, and only a direct way is left.
    fn alone(&self) {
        self.lab.part(&[&[&self.kabupaten.port]]);
    }
}

#[test]
fn a_desa_behind_nat_reaches_the_kabupaten_and_through_it_another_desa() {
    let Some(valley) = Valley::linked("cone", Nat::Cone) else { return };
    valley.news_crosses("lewat kabupaten");
    valley.one.meets(&valley.two, PUNCH, |address| !address.contains(RELAYED));
    valley.two.meets(&valley.one, PUNCH, |address| !address.contains(RELAYED));
    valley.alone();
    let record = valley.one.add(DESA, "langsung");
    valley.two.sees(&record, "nama", "langsung", SOON);
    assert_eq!(valley.kabupaten.value(&record, "nama"), None);
}

#[test]
fn desa_behind_symmetric_routers_keep_the_relay() {
    let Some(valley) = Valley::linked("symmetric", Nat::Symmetric) else { return };
    valley.news_crosses("lewat kabupaten");
    let given_up = std::time::Instant::now() + GIVEN_UP;
    while std::time::Instant::now() < given_up {
        let address = valley.one.link(&valley.two);
        assert!(address.as_deref().is_some_and(|it| it.contains(RELAYED)), "{address:?}");
        std::thread::sleep(Duration::from_secs(1));
    }
    valley.news_crosses("masih lewat kabupaten");
    valley.alone();
    let (here, there) = (valley.one.add(DESA, "terputus"), "nama");
    assert_eq!(valley.two.value(&here, there), None);
    valley.lab.heal();
    valley.two.sees(&here, there, "terputus", PUNCH);
}
