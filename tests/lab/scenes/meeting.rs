//! Two nodes meet: found by multicast; after the segment between them was in two.

use std::time::Duration;

use serde_json::Value;

use crate::mesh::{DESA, KABUPATEN, KECAMATAN, SOON, equal};
use crate::net::Lab;
use crate::node::{LabNode, count, is};
use crate::wait::until;

/// For nodes that lost each other to meet again: a dial that just failed may wait some time for the next.
const HEAL: Duration = Duration::from_secs(180);

#[test]
fn mdns_pairs_two_nodes_with_no_address_configured() {
    let Some(lab) = Lab::new("pairs") else { return };
    let (mut province, mut kabupaten) = (lab.node("provinsi"), lab.node("kab"));
    province.found();
    province.enrol(&mut kabupaten, KABUPATEN);
    let (there, here) = (province.add(DESA, "Karang Taruna"), kabupaten.add(DESA, "Posyandu"));
    province.run(&["--mdns"]);
    kabupaten.run(&["--mdns"]);
    for node in [&province, &kabupaten] {
        until(&format!("{} is joined", node.name), SOON, || {
            let events = node.events();
            let joined = events.iter().any(|event| is(event, "peer_joined"));
            if joined { Ok(()) } else { Err(format!("{events:?}")) }
        });
    }
    equal(DESA, &[&province, &kabupaten], 2, SOON);
    kabupaten.sees(&there, "nama", "Karang Taruna", SOON);
    province.sees(&here, "nama", "Posyandu", SOON);
    province.stop();
    kabupaten.stop();
}

#[test]
fn a_partition_heals() {
    let Some(lab) = Lab::new("heals") else { return };
    let (mut province, mut kecamatan) = (lab.node("provinsi"), lab.node("kec"));
    let mut desa = lab.node("desa");
    province.found();
    province.enrol(&mut kecamatan, KECAMATAN);
    kecamatan.enrol(&mut desa, DESA);
    let record = desa.add(DESA, "Dasawisma");
    kecamatan.run(&["--hub"]);
    let hub = kecamatan.address("tcp");
    desa.run(&["--peer", &hub]);
    let mut entries = equal(DESA, &[&desa, &kecamatan], 1, SOON).entries;

    for round in 1..=2 {
        lab.part(&[&[&kecamatan.port], &[&desa.port]]);
        if round == 2 {
            // The connection cannot live through this one, and dials fail before it is over.
            desa.process_killed();
            desa.run(&["--peer", &hub]);
        }
        let (here, there) = (format!("Mawar {round}"), format!("Melati {round}"));
        desa.set(&record, "nama", &here);
        kecamatan.set(&record, "nama", &there);
        let mine = desa.add(DESA, &format!("Desa {round}"));
        let theirs = kecamatan.add(DESA, &format!("Kecamatan {round}"));
        assert_ne!(desa.root(DESA), kecamatan.root(DESA));
        assert_eq!((kecamatan.value(&mine, "nama"), desa.value(&theirs, "nama")), (None, None));
        lab.heal();
        entries = equal(DESA, &[&desa, &kecamatan], entries + 4, HEAL).entries;
        kecamatan.sees(&mine, "nama", &format!("Desa {round}"), SOON);
        desa.sees(&theirs, "nama", &format!("Kecamatan {round}"), SOON);
        let conflicts = [&desa, &kecamatan].map(|node| conflicts(node, &record));
        assert_eq!(conflicts[0], conflicts[1]);
        assert_eq!(conflicts[0].pointer("/values").unwrap().as_array().unwrap().len(), 2);
        // Somebody decides, and the decision arrives too.
        kecamatan.done(&["record", "settle", &record, "nama", "--value", &there]);
        desa.sees(&record, "nama", &there, SOON);
        entries = equal(DESA, &[&desa, &kecamatan], entries + 1, SOON).entries;
        assert_eq!(count(&desa.done(&["status"]), "/conflicts"), 0);
    }
    desa.stop();
    kecamatan.stop();
    desa.verifies();
    kecamatan.verifies();
}

/// The one conflict of a record.
fn conflicts(node: &LabNode, record: &str) -> Value {
    let told = node.done(&["record", "conflicts"]);
    assert_eq!(count(&told, "/total"), 1, "{told}");
    let conflict = told.pointer("/conflicts/0").unwrap().clone();
    assert_eq!(conflict.get("record").unwrap(), record);
    conflict
}
