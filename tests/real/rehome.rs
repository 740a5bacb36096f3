//! Sambeng moves from Suranenggala to Gunung Jati: one entry, no record moves.

use node::ports::FeedStore;
use tests::office::{Office, Town};

const SAMBENG: &str = "32.09.39.2001";
const SAMBENG_NOW: &str = "32.09.21.2016";
const OLD: &str = "32.09.39";
const NEW: &str = "32.09.21";

fn activity(office: &mut Office, title: &str) {
    let fields = [
        ("judul", title),
        ("kode_program", "G.1.2"),
        ("jenis", "rapat"),
        ("tanggal", "2026-11-02"),
    ];
    office.add("kegiatan", SAMBENG, &fields);
}

/// Every stored run of the feeds that lie in Sambeng, in order.
fn stored_bytes(office: &mut Office) -> Vec<(String, u64, Vec<u8>)> {
    let replica = office.node().replica();
    let area = replica.authority().tree().find(SAMBENG).unwrap();
    let mut stored = Vec::new();
    for feed in replica.feeds().filter(|feed| feed.name.area == area) {
        let mut from = 1;
        while let Some(run) = replica.feed_store().packed_run(feed.name.id(), 0, from).unwrap() {
            from = run.block().unwrap().last() + 1;
            stored.push((feed.name.id().to_string(), run.first, run.bytes));
        }
    }
    stored
}

#[test]
fn a_moved_desa_takes_its_history_along_and_the_old_kecamatan_ends_there() {
    let mut town = Town::new(30);
    let mut province = town.province();
    let mut kabupaten = town.member(&mut province, "kabupaten", "32.09");
    let mut old = town.member(&mut kabupaten, "kecamatan-lama", OLD);
    let mut new = town.member(&mut kabupaten, "kecamatan-baru", NEW);
    let mut sambeng = town.member(&mut old, "sambeng", SAMBENG);
    for number in 0..3 {
        activity(&mut sambeng, &format!("kegiatan {number}"));
    }
    activity(&mut old, "dari kecamatan lama");
    old.carry_to(&mut sambeng);
    sambeng.carry_to(&mut old);
    old.carry_to(&mut kabupaten);
    let before = stored_bytes(&mut kabupaten);
    let entries_before = kabupaten.node().root(Some(SAMBENG)).unwrap().entries;
    assert_eq!(entries_before, 4);

    let moved = kabupaten.node().rehome(SAMBENG, SAMBENG_NOW).unwrap();
    assert_eq!(
        (moved.old.to_string(), moved.new.to_string()),
        (SAMBENG.into(), SAMBENG_NOW.into())
    );
    // Written by the old kecamatan before it hears of the move: beyond where it ends.
    activity(&mut old, "terlambat");
    kabupaten.carry_to(&mut new);
    kabupaten.carry_to(&mut old);
    old.carry_to(&mut kabupaten);
    kabupaten.carry_to(&mut sambeng);
    new.carry_to(&mut sambeng);

    assert_eq!(stored_bytes(&mut kabupaten).get(..1), before.get(..1), "stored bytes of its feeds");
    for office in [&mut kabupaten, &mut old, &mut new, &mut sambeng] {
        let root = office.node().root(Some(SAMBENG_NOW)).unwrap();
        assert_eq!(root.entries, entries_before, "{}: what counts did not change", office.name);
        assert_eq!(root.area.to_string(), SAMBENG_NOW, "{}", office.name);
    }
    for office in [&mut old, &mut new] {
        for kecamatan in [OLD, NEW] {
            assert_eq!(
                office.root(kecamatan),
                kabupaten.root(kecamatan),
                "{} {kecamatan}",
                office.name
            );
        }
    }
    assert_eq!(
        old.node().status().unwrap().quarantined,
        1,
        "waits for adoption where it was written"
    );
    assert_eq!(old.node().root(Some(OLD)).unwrap().entries, 0);
    assert_eq!(new.node().root(Some(NEW)).unwrap().entries, 4);

    // The desa writes on, and a device invited after the move gets everything before it.
    activity(&mut sambeng, "sesudah pindah");
    sambeng.carry_to(&mut new);
    let mut late = town.member(&mut new, "sambeng-kedua", SAMBENG_NOW);
    new.carry_to(&mut late);
    assert_eq!(late.node().status().unwrap().records, 5);
    assert_eq!(late.root(SAMBENG), new.root(SAMBENG));
}
