//! A data folder that was copied, and an old backup put back: nothing is lost, both are told.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crdt_schema::id::Space;
use node::answer::{BundleImport, MissingRun};
use node::node::{ExportAsk, ExportTarget, SynthAsk};
use node::progress::Unwatched;
use tests::office::{Office, Town};

const DESA: &str = "32.09.39.2001";

#[test]
fn a_folder_that_was_copied_and_used_twice_is_reported_with_both_places() {
    let mut town = Town::new(20);
    let mut province = town.province();
    let mut desa = town.member(&mut province, "desa", DESA);
    desa.activity(DESA, "sebelum");
    let mut copy = town.clone_of(&mut desa, "salinan");
    desa.activity(DESA, "di kantor");
    copy.activity(DESA, "di rumah");
    desa.carry_to(&mut province);
    copy.carry_to(&mut province);
    let status = province.node().status().unwrap();
    assert_eq!(status.records, 3, "nothing is lost");
    let fork = status.forks.first().unwrap();
    assert_eq!((status.forks.len(), fork.ids.len(), fork.places.len()), (1, 2, 2));
    assert_eq!(fork.device, desa.node().device());
    let places: Vec<&str> = fork.places.iter().map(|place| place.name.as_str()).collect();
    assert!(places.iter().any(|name| name.starts_with("desa-")), "{places:?}");
    assert!(places.iter().any(|name| name.starts_with("salinan-")), "{places:?}");
    let mut kabupaten = town.member(&mut province, "kabupaten", "32.09");
    let heard = kabupaten.node().status().unwrap().forks;
    let places: Vec<usize> = heard.iter().map(|fork| fork.places.len()).collect();
    assert_eq!(places, [1], "both came in one file, which is named once");
    province.carry_to(&mut desa);
    province.carry_to(&mut copy);
    for office in [&mut desa, &mut copy] {
        assert_eq!(office.root("32"), province.root("32"), "{}", office.name);
        assert_eq!(office.node().status().unwrap().records, 3);
        let status = office.node().status().unwrap();
        assert_eq!(status.forks.len(), 1);
        // What was written here came from this device itself.
        let places = &status.forks.first().unwrap().places;
        let kinds: BTreeSet<&str> = places.iter().map(|place| place.via.as_str()).collect();
        assert_eq!(kinds, BTreeSet::from(["bundle", "peer"]));
        let here = places.iter().find(|place| place.via == "peer").unwrap();
        assert_eq!(here.name, status.device.to_string());
    }
    // Both go on in an incarnation of their own: no second fork.
    desa.activity(DESA, "lagi di kantor");
    copy.activity(DESA, "lagi di rumah");
    desa.carry_to(&mut province);
    copy.carry_to(&mut province);
    let status = province.node().status().unwrap();
    assert_eq!((status.records, status.forks.len()), (5, 1));
}

/// Feeds of a device in an area are limited (`docs/protocol.md` 13): two copies that meet by the hub for
/// weeks, each taking a new one for what the other wrote, would be refused there in the end.
#[test]
fn two_copies_that_are_used_for_weeks_go_on_in_a_feed_each() {
    const ROUNDS: u64 = 40;
    let mut town = Town::new(24);
    let mut province = town.province();
    let mut desa = town.member(&mut province, "desa", DESA);
    let mut copy = town.clone_of(&mut desa, "salinan");
    for _ in 0..ROUNDS {
        desa.activity(DESA, "di kantor");
        copy.activity(DESA, "di rumah");
        for office in [&mut desa, &mut copy] {
            office.carry_to(&mut province);
        }
        for office in [&mut desa, &mut copy] {
            province.carry_to(office);
        }
    }
    let device = desa.node().device();
    for office in [&mut province, &mut desa, &mut copy] {
        let status = office.node().status().unwrap();
        assert_eq!((status.records, status.forks.len()), (2 * ROUNDS, 1), "{}", office.name);
        let all = office
            .node()
            .replica()
            .feeds()
            .filter(|feed| (feed.name.device, feed.name.space) == (device, Space::Records));
        assert_eq!(all.count(), 3, "the one that both began in, and one of each");
    }
    let root = province.root("32");
    assert_eq!([desa.root("32"), copy.root("32")], [root.clone(), root]);
}

#[test]
fn an_old_backup_put_back_takes_its_later_entries_back_and_goes_on_without_a_fork() {
    let mut town = Town::new(21);
    let mut province = town.province();
    let mut desa = town.member(&mut province, "desa", DESA);
    desa.activity(DESA, "sebelum cadangan");
    let mut backup = town.clone_of(&mut desa, "cadangan");
    desa.activity(DESA, "sesudah cadangan");
    desa.carry_to(&mut province);
    drop(desa);
    province.carry_to(&mut backup);
    assert_eq!(backup.node().status().unwrap().records, 2, "taken back");
    backup.activity(DESA, "baru");
    backup.carry_to(&mut province);
    let status = province.node().status().unwrap();
    assert_eq!((status.records, status.forks.len()), (3, 0));
    assert_eq!(backup.root("32"), province.root("32"));
}

#[test]
fn an_old_backup_used_before_it_met_anyone_forks_and_loses_nothing() {
    let mut town = Town::new(22);
    let mut province = town.province();
    let mut desa = town.member(&mut province, "desa", DESA);
    desa.activity(DESA, "sebelum cadangan");
    let mut backup = town.clone_of(&mut desa, "cadangan");
    desa.activity(DESA, "sesudah cadangan");
    desa.carry_to(&mut province);
    drop(desa);
    backup.activity(DESA, "ditulis di cadangan");
    backup.carry_to(&mut province);
    province.carry_to(&mut backup);
    for office in [&mut province, &mut backup] {
        let status = office.node().status().unwrap();
        assert_eq!((status.records, status.forks.len()), (3, 1), "{}", office.name);
    }
    assert_eq!(backup.root("32"), province.root("32"));
}

#[test]
fn what_a_hub_holds_of_a_copy_is_not_taken_for_the_original() {
    let mut town = Town::new(23);
    let mut province = town.province();
    let mut hub = town.member(&mut province, "kecamatan", "32.09.39");
    let mut desa = town.member(&mut hub, "desa", DESA);
    desa.activity(DESA, "bersama");
    let mut copy = town.clone_of(&mut desa, "salinan");
    desa.activity(DESA, "di kantor");
    for title in ["di rumah", "lagi di rumah"] {
        copy.activity(DESA, title);
    }
    copy.carry_to(&mut hub);
    hub.carry_to(&mut desa);
    let status = desa.node().status().unwrap();
    let above = status.arrived.iter().find(|it| it.at == "kecamatan").unwrap();
    assert_eq!((above.mine, above.held, above.missing), (4, 3, 1));
    assert!(above.oldest_missing.is_some());

    desa.carry_to(&mut hub);
    hub.carry_to(&mut desa);
    let status = desa.node().status().unwrap();
    let above = status.arrived.iter().find(|it| it.at == "kecamatan").unwrap();
    assert_eq!((above.mine, above.held, above.missing), (4, 4, 0));
    assert_eq!(above.oldest_missing, None);
}

#[test]
fn a_closed_device_whose_feed_was_forked_ends_at_one_place_for_everybody() {
    let mut town = Town::new(40);
    let mut province = town.province();
    let mut kabupaten = town.member(&mut province, "kabupaten", "32.09");
    let mut desa = town.member(&mut kabupaten, "desa", DESA);
    desa.activity(DESA, "bersama");
    let mut copy = town.clone_of(&mut desa, "salinan");
    for number in 2..=4 {
        desa.activity(DESA, &format!("kantor {number}"));
    }
    for number in 2..=3 {
        copy.activity(DESA, &format!("rumah {number}"));
    }
    desa.carry_to(&mut province);
    copy.carry_to(&mut province);
    desa.carry_to(&mut kabupaten);
    for number in 4..=6 {
        copy.activity(DESA, &format!("rumah {number}"));
    }
    copy.carry_to(&mut kabupaten);
    let device = desa.node().device().to_string();
    province.node().close_member(&device).unwrap();
    for _ in 0..2 {
        province.carry_to(&mut kabupaten);
        kabupaten.carry_to(&mut province);
    }
    assert_eq!(province.root("32.09"), kabupaten.root("32.09"));
    for office in [&mut province, &mut kabupaten] {
        assert_eq!(office.node().status().unwrap().records, 4, "{}", office.name);
    }
}

/// A hub, a desa whose folder was put back to an older day, and how many records the hub holds: the
/// desa said that it holds what its neighbour wrote, and no longer does.
fn restored(seed: u64) -> (Office, Office, Office) {
    let mut town = Town::new(seed);
    let mut province = town.province();
    let mut hub = town.member(&mut province, "kecamatan", "32.09.39");
    let mut neighbour = town.member(&mut hub, "tetangga", DESA);
    let mut desa = town.member(&mut hub, "desa", DESA);
    neighbour.activity(DESA, "dahulu");
    neighbour.carry_to(&mut hub);
    hub.carry_to(&mut desa);
    let backup = town.clone_of(&mut desa, "cadangan");
    for title in ["kemarin", "tadi pagi"] {
        neighbour.activity(DESA, title);
    }
    neighbour.carry_to(&mut hub);
    hub.carry_to(&mut desa);
    desa.carry_to(&mut hub);
    (hub, neighbour, backup)
}

fn assumed(import: &BundleImport) -> Vec<MissingRun> {
    import.files.iter().flat_map(|file| file.assumed.iter().copied()).collect()
}

#[test]
fn a_backup_put_back_is_told_what_was_left_out_and_a_whole_bundle_brings_it() {
    let (mut hub, mut neighbour, mut backup) = restored(23);
    let short = hub.carry_to(&mut backup);
    assert_eq!(backup.node().status().unwrap().records, 1, "what it said it holds was left out");
    let [gap] = assumed(&short).try_into().unwrap();
    assert_eq!((gap.from, gap.to), (2, 3));
    assert!(short.files.first().unwrap().missing.contains(&gap));
    // More of the same feed cannot be taken either, and the same places are named.
    neighbour.activity(DESA, "sesudah");
    neighbour.carry_to(&mut hub);
    let later = hub.carry_to(&mut backup);
    assert!(later.files.first().unwrap().pending > 0);
    assert_eq!(assumed(&later), [gap]);
    let whole = hub.export_whole(&mut backup);
    let healed = backup.import(&whole);
    assert_eq!(assumed(&healed), []);
    assert_eq!(backup.node().status().unwrap().records, 4);
    assert_eq!(backup.root(DESA), hub.root(DESA));
    // Whoever lacks nothing is told nothing.
    let again = hub.carry_to(&mut backup);
    assert_eq!((assumed(&again), again.files.first().unwrap().missing.len()), (Vec::new(), 0));
}

/// Of another bundle, in pieces, the last one lies on the same stick.
#[test]
fn what_one_bundle_left_out_is_told_beside_a_piece_of_another() {
    let (mut hub, mut neighbour, mut backup) = restored(25);
    let ask = SynthAsk {
        preset: "desa".to_owned(),
        seed: 25,
        records: Some(300),
        area: Some(DESA.to_owned()),
    };
    neighbour.node().synth_into(&ask, &mut Unwatched).unwrap();
    let file = neighbour.folder().with_file_name("bagian.wksbm");
    let ask = ExportAsk {
        target: ExportTarget::All,
        clear: true,
        whole: false,
        max_bytes: Some(24 << 10),
    };
    let pieces = neighbour.node().bundle_export(&ask, &file, &mut Unwatched).unwrap().files;
    assert!(pieces.len() > 1, "{pieces:?}");
    let mut files = hub.export(ExportTarget::Device(backup.node().device().to_string()));
    files.push(PathBuf::from(pieces.last().unwrap()));
    assert_eq!(assumed(&backup.import(&files)).len(), 1);
}

#[test]
fn a_bundle_from_a_backup_put_back_makes_others_forget_what_it_once_held() {
    for target in [ExportTarget::All, ExportTarget::Area(DESA.to_owned())] {
        let (mut hub, _, mut backup) = restored(24);
        let files = backup.export(target);
        hub.import(&files);
        let healed = hub.carry_to(&mut backup);
        assert_eq!(assumed(&healed), []);
        assert_eq!(backup.node().status().unwrap().records, 3);
        assert_eq!(backup.root(DESA), hub.root(DESA));
    }
}
