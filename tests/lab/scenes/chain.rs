//! From a desa to the province, over nodes that each know only the next.

use std::time::Instant;

use crate::mesh::{DESA, KABUPATEN, KECAMATAN, SOON, equal};
use crate::net::Lab;
use crate::node::LabNode;

#[test]
fn an_edit_crosses_four_hops() {
    let Some(lab) = Lab::new("hops") else { return };
    let mut nodes: [LabNode; 4] = ["provinsi", "kab", "kec", "desa"].map(|name| lab.node(name));
    let [province, kabupaten, kecamatan, desa] = &mut nodes;
    province.found();
    province.enrol(kabupaten, KABUPATEN);
    kabupaten.enrol(kecamatan, KECAMATAN);
    kecamatan.enrol(desa, DESA);
    province.run(&["--hub"]);
    kabupaten.run(&["--hub", "--peer", &province.address("tcp")]);
    kecamatan.run(&["--hub", "--peer", &kabupaten.address("tcp")]);
    desa.run(&["--peer", &kecamatan.address("tcp")]);
    let [province, kabupaten, kecamatan, desa] = &nodes;
    kabupaten.meets(province, SOON, |_| true);
    kecamatan.meets(kabupaten, SOON, |_| true);
    desa.meets(kecamatan, SOON, |_| true);

    let all = [province, kabupaten, kecamatan, desa];
    let begun = Instant::now();
    let record = desa.add(DESA, "Sinoman");
    province.sees(&record, "nama", "Sinoman", SOON);
    let up = begun.elapsed();
    equal(DESA, &all, 1, SOON);
    let begun = Instant::now();
    province.set(&record, "nama", "Sinoman Baru");
    desa.sees(&record, "nama", "Sinoman Baru", SOON);
    crate::tell(&format!("four hops: {up:?} up, {:?} down", begun.elapsed()));
    equal(DESA, &all, 2, SOON);
    for (node, far) in [(desa, kabupaten), (desa, province), (kecamatan, province)] {
        assert_eq!(node.link(far), None, "{} was to know only the next", node.name);
    }
    for node in &mut nodes {
        node.stop();
        node.verifies();
    }
}
