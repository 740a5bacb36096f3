//! Clocks decide nothing: two boards eight years off, one each way, join, meet, write and agree.

use crate::ground::absent;
use crate::mesh::{DESA, KABUPATEN, OTHER_DESA, SOON, equal};
use crate::net::Lab;
use crate::node::{LabNode, faketime};

#[test]
fn clocks_eight_years_off_do_not_matter() {
    let Some(lab) = Lab::new("clocks") else { return };
    if faketime().is_none() {
        return absent("libfaketime is missing (apt-get install libfaketime)");
    }
    let mut nodes = ["provinsi", "kab", "lama", "baru"].map(|name| lab.node(name));
    let [province, kabupaten, old, new] = &mut nodes;
    old.set_clock("-8y");
    new.set_clock("+8y");
    province.found();
    province.enrol(kabupaten, KABUPATEN);
    kabupaten.enrol(old, DESA);
    kabupaten.enrol(new, OTHER_DESA);
    kabupaten.run(&["--hub"]);
    // One over each transport: both prove themselves with certificates that have dates.
    old.run(&["--peer", &kabupaten.address("tcp")]);
    new.run(&["--peer", &kabupaten.address("udp")]);
    let [_, kabupaten, old, new] = &nodes;
    // Before this program was written no clock is right; eight years on one may be.
    let is_plausible = |node: &LabNode| node.done(&["status"]).pointer("/clock/plausible").cloned();
    assert_eq!([old, new].map(is_plausible), [false, true].map(|it| Some(it.into())));

    let records = [old.add(DESA, "dari lampau"), new.add(OTHER_DESA, "dari kelak")];
    kabupaten.sees(&records[0], "nama", "dari lampau", SOON);
    kabupaten.sees(&records[1], "nama", "dari kelak", SOON);
    // Each edit saw the one before, so the last one made counts, whatever its clock says.
    kabupaten.set(&records[0], "nama", "dari kini");
    old.sees(&records[0], "nama", "dari kini", SOON);
    old.set(&records[0], "nama", "dari lampau lagi");
    kabupaten.sees(&records[0], "nama", "dari lampau lagi", SOON);
    new.set(&records[1], "nama", "dari kelak lagi");
    kabupaten.sees(&records[1], "nama", "dari kelak lagi", SOON);
    kabupaten.set(&records[1], "nama", "kini yang terakhir");
    new.sees(&records[1], "nama", "kini yang terakhir", SOON);
    equal(DESA, &[kabupaten, old], 3, SOON);
    equal(OTHER_DESA, &[kabupaten, new], 3, SOON);

    // One command after the other works at such a clock too.
    let [_, kabupaten, old, new] = &mut nodes;
    let hub = kabupaten.address("tcp");
    for node in [&mut *old, new] {
        node.stop();
        let met = node.done(&["sync", "--peer", &hub]);
        assert_eq!(met.get("equal"), Some(&true.into()), "{met}");
        node.verifies();
    }
    apart(old, kabupaten, &records[0]);
    corrected(&lab, old, kabupaten, &records[0]);
}

/// Two who did not know of each other write the same field: neither clock decides, both values stand.
fn apart(old: &LabNode, kabupaten: &LabNode, record: &str) {
    old.set(record, "nama", "sendiri di lampau");
    kabupaten.set(record, "nama", "sendiri di kini");
    old.done(&["sync", "--peer", &kabupaten.address("tcp")]);
    let told = [old, kabupaten].map(|node| node.done(&["record", "conflicts"]));
    let [there, here] = told.each_ref().map(|it| it.get("conflicts").unwrap());
    assert_eq!(there, here);
    for value in ["sendiri di lampau", "sendiri di kini"] {
        assert!(there.to_string().contains(value), "{value} is gone: {there}");
    }
}

/// The village's clock is set right on a folder that was written eight years ago; the hub's goes
/// ahead, and it takes somebody in.
fn corrected(lab: &Lab, old: &mut LabNode, kabupaten: &mut LabNode, record: &str) {
    kabupaten.stop();
    kabupaten.set_clock("+8y");
    old.set_clock("+0s");
    let mut third = lab.node("ketiga");
    kabupaten.enrol(&mut third, DESA);
    kabupaten.run(&["--hub"]);
    old.run(&["--peer", &kabupaten.address("tcp")]);
    let clock = old.done(&["status"]).pointer("/clock/plausible").cloned();
    assert_eq!(clock, Some(true.into()));
    old.set(record, "nama", "jam dibetulkan");
    kabupaten.sees(record, "nama", "jam dibetulkan", SOON);
    let new = third.add(DESA, "diterima kelak");
    third.done(&["sync", "--peer", &kabupaten.address("tcp")]);
    old.sees(&new, "nama", "diterima kelak", SOON);
    old.stop();
    old.verifies();
}
