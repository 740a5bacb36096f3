//! Sambeng moves from Suranenggala to Gunung Jati: one entry, no record moves.

use crdt_schema::id::{DeviceId, FeedName};
use node::answer::{MemberState, RecordList, Verdict};
use node::error::ErrorKind;
use node::node::{Choice, ExportTarget, Layer, ListAsk, SheetAsk};
use node::ports::FeedStore;
use node::progress::Unwatched;
use tests::office::{Office, Town, asks};
use tests::wires::Wires;

const SAMBENG: &str = "32.09.39.2001";
const SAMBENG_NOW: &str = "32.09.21.2016";
const OLD: &str = "32.09.39";
const NEW: &str = "32.09.21";

/// Every stored run of the feeds a device has in Sambeng, in order.
fn stored_bytes(office: &mut Office, device: DeviceId) -> Vec<(String, u64, Vec<u8>)> {
    let replica = office.node().replica();
    let area = replica.authority().tree().find(SAMBENG).first().copied().unwrap();
    let mut stored = Vec::new();
    let of_device = |name: &FeedName| name.area == area && name.device == device;
    for feed in replica.feeds().filter(|feed| of_device(&feed.name)) {
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
        sambeng.activity(SAMBENG, &format!("kegiatan {number}"));
    }
    old.activity(SAMBENG, "dari kecamatan lama");
    old.carry_to(&mut sambeng);
    sambeng.carry_to(&mut old);
    old.carry_to(&mut kabupaten);
    let device = sambeng.node().device();
    let before = stored_bytes(&mut kabupaten, device);
    assert!(!before.is_empty());
    let entries_before = kabupaten.node().root(Some(SAMBENG)).unwrap().entries;
    assert_eq!(entries_before, 4);

    let moved = kabupaten.node().rehome(SAMBENG, SAMBENG_NOW).unwrap();
    assert_eq!(
        (moved.old.to_string(), moved.new.to_string()),
        (SAMBENG.into(), SAMBENG_NOW.into())
    );
    // Written by the old kecamatan before it hears of the move: beyond where it ends.
    old.activity(SAMBENG, "terlambat");
    kabupaten.carry_to(&mut new);
    kabupaten.carry_to(&mut old);
    old.carry_to(&mut kabupaten);
    kabupaten.carry_to(&mut sambeng);
    new.carry_to(&mut sambeng);

    assert_eq!(stored_bytes(&mut kabupaten, device), before, "stored bytes of its feeds");
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
    // What arrived before the move arrived; what was late is no news that is missing above.
    let told = old.node().status().unwrap();
    assert_eq!(told.awaiting_adoption, 1);
    let above = told.arrived.iter().find(|it| it.at == "kabupaten").unwrap();
    assert_eq!((above.mine, above.held, above.missing), (1, 1, 0));
    assert_eq!(above.oldest_missing, None);
    assert_eq!(kabupaten.node().status().unwrap().awaiting_adoption, 0, "it is not its own");
    assert_eq!(old.node().root(Some(OLD)).unwrap().entries, 0);
    assert_eq!(new.node().root(Some(NEW)).unwrap().entries, 4);

    // The desa writes on, and a device invited after the move gets everything before it.
    sambeng.activity(SAMBENG, "sesudah pindah");
    sambeng.carry_to(&mut new);
    let mut late = town.member(&mut new, "sambeng-kedua", SAMBENG_NOW);
    new.carry_to(&mut late);
    assert_eq!(late.node().status().unwrap().records, 5);
    assert_eq!(late.root(SAMBENG), new.root(SAMBENG));
}

/// A moved Sambeng with a record the old kecamatan made in time, and one it made too late.
struct Moved {
    kabupaten: Office,
    old: Office,
    in_time: String,
    late: String,
}

/// Both know of the move.
fn moved(seed: u64) -> Moved {
    let mut moved = moved_apart(seed);
    moved.kabupaten.carry_to(&mut moved.old);
    moved
}

/// The old kecamatan writes on and does not know yet.
fn moved_apart(seed: u64) -> Moved {
    let mut town = Town::new(seed);
    let mut province = town.province();
    let mut kabupaten = town.member(&mut province, "kabupaten", "32.09");
    let mut old = town.member(&mut kabupaten, "kecamatan-lama", OLD);
    let in_time = old.activity(SAMBENG, "pada waktunya");
    old.carry_to(&mut kabupaten);
    kabupaten.node().rehome(SAMBENG, SAMBENG_NOW).unwrap();
    let late = old.activity(SAMBENG, "terlambat");
    Moved { kabupaten, old, in_time, late }
}

fn list(office: &mut Office, layer: Option<Layer>) -> RecordList {
    let ask = ListAsk { limit: 100, layer, ..ListAsk::default() };
    office.node().record_list(&ask).unwrap()
}

fn ids(list: &RecordList) -> Vec<(String, Verdict)> {
    assert_eq!(list.total, list.records.len() as u64);
    list.records.iter().map(|row| (row.record.to_string(), row.verdict)).collect()
}

#[test]
fn a_save_that_would_count_nowhere_is_refused_and_writes_nothing() {
    let Moved { mut old, in_time, late, .. } = moved(31);
    let before = old.node().status().unwrap().entries;
    let title = asks(&[("judul", "lagi")]);
    let sheet = old.folder().join("lembar.csv");
    std::fs::write(&sheet, "judul;kode_program;jenis;tanggal\nRapat;G.1.2;rapat;2026-11-02\n")
        .unwrap();
    let sheet = SheetAsk {
        file: sheet,
        kind: "kegiatan".to_owned(),
        area: SAMBENG.to_owned(),
        map: None,
        apply: true,
        person: 0,
    };
    let node = old.node();
    let choice = Choice::Value("lagi".to_owned());
    let refused = [
        node.record_add("kegiatan", SAMBENG, 0, &title).unwrap_err(),
        node.record_set(&in_time, 0, &title).unwrap_err(),
        node.record_set(&late, 0, &title).unwrap_err(),
        node.record_settle(&in_time, "judul", 0, &choice).unwrap_err(),
        node.import_sheet(&sheet, &mut Unwatched).unwrap_err(),
    ];
    for error in refused {
        assert_eq!(error.kind(), ErrorKind::NoRight, "{error}");
        let told = error.to_string();
        for part in ["nothing was written", SAMBENG_NOW, "moved", NEW, OLD] {
            assert!(told.contains(part), "{told}: {part}");
        }
    }
    assert_eq!(old.node().status().unwrap().entries, before);
}

#[test]
fn what_does_not_count_is_listed_apart_and_nothing_builds_on_it() {
    let Moved { mut kabupaten, mut old, in_time, late, .. } = moved(32);
    old.carry_to(&mut kabupaten);
    for office in [&mut old, &mut kabupaten] {
        assert_eq!(ids(&list(office, None)), [(in_time.clone(), Verdict::Counting)]);
        assert_eq!(list(office, Some(Layer::Counting)), list(office, None));
        let apart = list(office, Some(Layer::Quarantined));
        assert_eq!(ids(&apart), [(late.clone(), Verdict::Quarantined)], "{}", office.name);
        assert_eq!(list(office, Some(Layer::Waiting)).total, 0);
        assert_eq!(list(office, Some(Layer::All)).total, 2);
        assert_eq!(office.node().status().unwrap().records, 1);
    }
    let error = kabupaten.node().record_set(&late, 0, &asks(&[("judul", "x")])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoRight);
    assert!(error.to_string().contains("quarantined"), "{error}");
    kabupaten.set(&in_time, &[("judul", "diubah")]);
}

#[test]
fn what_does_not_count_is_handed_only_to_who_may_adopt_it() {
    let mut town = Town::new(33);
    let mut province = town.province();
    let mut kabupaten = town.member(&mut province, "kabupaten", "32.09");
    let mut old = town.member(&mut kabupaten, "kecamatan-lama", OLD);
    let mut new = town.member(&mut kabupaten, "kecamatan-baru", NEW);
    let mut sambeng = town.member(&mut old, "sambeng", SAMBENG);
    old.carry_to(&mut kabupaten);
    kabupaten.node().rehome(SAMBENG, SAMBENG_NOW).unwrap();
    old.activity(SAMBENG, "terlambat");
    kabupaten.carry_to(&mut old);
    let quarantined = |office: &mut Office| office.node().status().unwrap().quarantined;
    kabupaten.carry_to(&mut new);
    kabupaten.carry_to(&mut sambeng);
    old.carry_to(&mut kabupaten);
    assert_eq!(quarantined(&mut kabupaten), 1, "it may adopt");
    let all = kabupaten.export(ExportTarget::All);
    sambeng.import(&all);
    assert_eq!(quarantined(&mut sambeng), 0, "a bundle for all holds what counts, of others");
    kabupaten.carry_to(&mut new);
    assert_eq!(quarantined(&mut new), 1, "it may too");
    new.carry_to(&mut sambeng);
    kabupaten.carry_to(&mut sambeng);
    assert_eq!(quarantined(&mut sambeng), 0, "a desa may not");
    assert_eq!(sambeng.root(SAMBENG), kabupaten.root(SAMBENG));
}

#[test]
fn what_was_written_too_late_leaves_the_disk_in_a_bundle_for_an_area_or_for_all() {
    for target in [ExportTarget::All, ExportTarget::Area(OLD.to_owned())] {
        let Moved { mut kabupaten, mut old, late, .. } = moved(35);
        let file = old.export(target);
        kabupaten.import(&file);
        let apart = list(&mut kabupaten, Some(Layer::Quarantined));
        assert_eq!(ids(&apart), [(late, Verdict::Quarantined)]);
    }
}

#[test]
fn what_was_written_too_late_reaches_who_may_adopt_it_as_soon_as_the_two_meet() {
    for dials_up in [true, false] {
        let Moved { kabupaten, old, in_time, late } = moved_apart(36);
        let mut wires = Wires::default();
        let (kabupaten, old) = (wires.add(kabupaten), wires.add(old));
        let (from, to) = if dials_up { (old, kabupaten) } else { (kabupaten, old) };
        let link = wires.dial(from, to);
        wires.wait(30_000);
        for desk in [kabupaten, old] {
            let office = &mut wires.desks.get_mut(desk).unwrap().office;
            assert_eq!(ids(&list(office, None)), [(in_time.clone(), Verdict::Counting)]);
            let apart = list(office, Some(Layer::Quarantined));
            assert_eq!(ids(&apart), [(late.clone(), Verdict::Quarantined)], "{}", office.name);
        }
        let told = wires.bytes;
        wires.wait(3_600_000);
        assert_eq!(wires.bytes, told, "it is told once");

        wires.cut(link);
        wires.dial(from, to);
        wires.wait(30_000);
        assert_eq!(wires.sessions(old).last(), Some(&true));
        let again = wires.bytes - told;
        assert!(again < 500, "{again} bytes of a meeting in which nothing is left to bring");
    }
}

#[test]
fn whom_the_old_kecamatan_certified_before_anybody_above_heard_of_it_counts_everywhere() {
    let mut town = Town::new(37);
    let mut province = town.province();
    let mut kabupaten = town.member(&mut province, "kabupaten", "32.09");
    let mut new = town.member(&mut kabupaten, "kecamatan-baru", NEW);
    let mut desa = town.member(&mut new, "desa-baru", "32.09.21.2001");
    let mut old = town.member(&mut kabupaten, "kecamatan-lama", OLD);
    let mut sambeng = town.member(&mut old, "sambeng", SAMBENG);
    sambeng.activity(SAMBENG, "sebelum siapa pun tahu");
    kabupaten.node().rehome(SAMBENG, SAMBENG_NOW).unwrap();
    let everything = |from: &mut Office, to: &mut Office| {
        let files = from.export(ExportTarget::All);
        let done = to.import(&files);
        let rejected: Vec<_> = done.files.iter().flat_map(|file| &file.rejected).collect();
        let is_refused = rejected.iter().any(|(reason, _)| *reason != "outside_interest");
        assert!(!is_refused, "{} to {}: {rejected:?}", from.name, to.name);
    };
    everything(&mut sambeng, &mut old);
    everything(&mut old, &mut kabupaten);
    everything(&mut kabupaten, &mut new);
    everything(&mut new, &mut desa);
    everything(&mut kabupaten, &mut desa);
    everything(&mut kabupaten, &mut sambeng);
    let device = sambeng.node().device();
    let root = kabupaten.root(SAMBENG_NOW);
    for office in [&mut kabupaten, &mut new, &mut desa, &mut sambeng] {
        assert_eq!(office.root(SAMBENG_NOW), root, "{}", office.name);
        let found = office.node().root(Some(SAMBENG_NOW)).unwrap();
        assert_eq!(found.entries, 1, "{}", office.name);
        let members = office.node().members().unwrap();
        let known = members.members.iter().find(|it| it.device == device);
        assert!(known.is_some_and(|it| it.state == MemberState::Active), "{}", office.name);
        assert_eq!(office.node().status().unwrap().quarantined, 0, "{}", office.name);
    }
}

#[test]
fn a_desa_that_was_moved_twice_at_once_and_then_on_is_known_by_its_newest_place_everywhere() {
    const THIRD: &str = "32.09.40";
    let mut town = Town::new(38);
    let mut province = town.province();
    let mut kabupaten = town.member(&mut province, "kabupaten", "32.09");
    let mut old = town.member(&mut kabupaten, "kecamatan-lama", OLD);
    let mut new = town.member(&mut kabupaten, "kecamatan-baru", NEW);
    let mut third = town.member(&mut kabupaten, "kecamatan-ketiga", THIRD);
    let mut sambeng = town.member(&mut old, "sambeng", SAMBENG);
    sambeng.activity(SAMBENG, "satu");
    let round = |offices: &mut [&mut Office]| {
        for from in 0..offices.len() {
            let files = offices.get_mut(from).unwrap().export(ExportTarget::All);
            for to in (0..offices.len()).filter(|to| *to != from) {
                offices.get_mut(to).unwrap().import(&files);
            }
        }
    };
    let mut all = [&mut province, &mut kabupaten, &mut old, &mut new, &mut third, &mut sambeng];
    round(&mut all);
    let id = "32093920010";
    let [province, kabupaten, ..] = &mut all;
    province.node().rehome(id, SAMBENG_NOW).unwrap();
    kabupaten.node().rehome(id, "32.09.39.2021").unwrap();
    for _ in 0..3 {
        round(&mut all);
    }
    let [_, kabupaten, ..] = &mut all;
    kabupaten.node().rehome(id, "32.09.21.2017").unwrap();
    kabupaten.node().rehome(id, "32.09.40.2031").unwrap();
    for _ in 0..3 {
        round(&mut all);
    }
    let [.., sambeng] = &mut all;
    sambeng.activity(SAMBENG, "dua");
    for _ in 0..3 {
        round(&mut all);
    }
    let [province, ..] = &mut all;
    let root = province.root(id);
    for office in &mut all {
        let shown = office.node().area_show(id).unwrap();
        assert_eq!(shown.entry.area.to_string(), "32.09.40.2031", "{}", office.name);
        let status = office.node().status().unwrap();
        assert!(status.contested_areas.is_empty(), "{}", office.name);
        if office.name != "kecamatan-lama" && office.name != "kecamatan-baru" {
            let found = office.node().root(Some(id)).unwrap();
            assert_eq!((found.entries, office.root(id)), (2, root.clone()), "{}", office.name);
        }
    }
}

#[test]
fn whoever_once_held_a_desa_takes_what_its_new_devices_write_there_whole() {
    for comes_back in [false, true] {
        let mut town = Town::new(39);
        let mut province = town.province();
        let mut kabupaten = town.member(&mut province, "kabupaten", "32.09");
        let mut new = town.member(&mut kabupaten, "kecamatan-baru", NEW);
        let mut old = town.member(&mut kabupaten, "kecamatan-lama", OLD);
        let mut sambeng = town.member(&mut old, "sambeng", SAMBENG);
        sambeng.activity(SAMBENG, "satu");
        sambeng.carry_to(&mut old);
        old.carry_to(&mut kabupaten);
        let id = "32093920010";
        kabupaten.node().rehome(id, SAMBENG_NOW).unwrap();
        for office in [&mut new, &mut old, &mut sambeng] {
            kabupaten.carry_to(office);
        }
        let mut later = town.member(&mut new, "sambeng-kedua", SAMBENG_NOW);
        later.activity(SAMBENG, "tiga");
        later.carry_to(&mut new);
        new.carry_to(&mut kabupaten);
        if comes_back {
            kabupaten.node().rehome(id, SAMBENG).unwrap();
            kabupaten.carry_to(&mut new);
            kabupaten.carry_to(&mut old);
        }
        let mut neighbour = town.member(&mut new, "tetangga", "32.09.21.2001");
        let takes = |from: &mut Office, to: &mut Office| {
            let files = from.export(ExportTarget::All);
            let done = to.import(&files);
            let unknown: Vec<_> =
                done.files.iter().filter_map(|file| file.rejected.get("unknown_device")).collect();
            assert!(unknown.is_empty(), "{} to {}: {unknown:?}", from.name, to.name);
        };
        for to in [&mut old, &mut neighbour, &mut new] {
            takes(&mut kabupaten, to);
        }
        takes(&mut new, &mut old);
        takes(&mut new, &mut neighbour);
        for office in [&mut old, &mut neighbour, &mut new] {
            let found = office.node().root(Some(id)).unwrap();
            assert_eq!(found.entries, 2, "{}", office.name);
            assert_eq!(office.root(id), kabupaten.root(id), "{}", office.name);
        }
    }
}

#[test]
fn a_move_out_of_ones_own_area_names_the_area_that_lies_outside() {
    let mut town = Town::new(34);
    let mut province = town.province();
    let mut old = town.member(&mut province, "kecamatan-lama", OLD);
    let error = old.node().rehome(SAMBENG, SAMBENG_NOW).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AreaOutside);
    assert_eq!(error.to_string(), format!("`{NEW}` lies outside `{OLD}`"));
}

/// The only code that `status` says several areas bear, with their ids.
fn shared_code(office: &mut Office) -> Option<(String, Vec<String>)> {
    let shared = office.node().status().unwrap().shared_codes;
    let one = shared.first()?;
    assert_eq!(shared.len(), 1, "{shared:?}");
    let ids = one.areas.iter().map(|it| it.area.id().to_string()).collect();
    Some((one.code.to_string(), ids))
}

#[test]
fn a_code_given_to_two_villages_is_told_refused_and_taken_from_one_of_them() {
    const CODE: &str = "32.09.21.2099";
    const OTHER: &str = "32.09.39.2002";
    const IDS: [&str; 2] = ["32093920010", "32093920020"];
    let mut town = Town::new(31);
    let mut province = town.province();
    let mut one = town.member(&mut province, "kabupaten-satu", "32.09");
    let mut two = town.member(&mut province, "kabupaten-dua", "32.09");
    let mut desa = town.member(&mut one, "sambeng", SAMBENG);
    let mut neighbour = town.member(&mut two, "tetangga", OTHER);
    one.node().rehome(SAMBENG, CODE).unwrap();
    two.node().rehome(OTHER, CODE).unwrap();
    assert_eq!(shared_code(&mut one), None);
    for from in [&mut one, &mut two] {
        from.carry_to(&mut province);
    }
    for to in [&mut one, &mut two, &mut desa, &mut neighbour] {
        province.carry_to(to);
    }
    let told = Some((CODE.to_owned(), IDS.map(str::to_owned).to_vec()));
    for office in [&mut province, &mut one, &mut two, &mut desa, &mut neighbour] {
        assert_eq!(shared_code(office), told, "{}", office.name);
    }

    // Nobody above is understood by the code alone, and nothing is written.
    let root = province.node().root(None).unwrap().root;
    let refused = province.node().rehome(CODE, SAMBENG).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Usage);
    for id in IDS {
        assert!(refused.to_string().contains(id), "{refused}");
    }
    let fields = asks(&[("judul", "Rapat")]);
    let refused = one.node().record_add("kegiatan", CODE, 0, &fields).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Usage, "{refused}");
    assert_eq!(province.node().root(None).unwrap().root, root);
    // Whoever sits in one of them means it; the other is said with its id.
    let own = desa.node().area_show(CODE).unwrap().entry;
    assert_eq!((own.area.id().to_string().as_str(), own.shared_code), (IDS[0], true));
    let own = neighbour.node().area_show(CODE).unwrap().entry;
    assert_eq!(own.area.id().to_string(), IDS[1]);
    let outside = desa.node().record_add("kegiatan", IDS[1], 0, &fields).unwrap_err();
    assert_eq!(outside.kind(), ErrorKind::AreaOutside);
    assert!(IDS.iter().all(|id| outside.to_string().contains(id)), "{outside}");

    province.node().rehome(IDS[1], OTHER).unwrap();
    for to in [&mut one, &mut two, &mut desa, &mut neighbour] {
        province.carry_to(to);
    }
    for office in [&mut province, &mut one, &mut two, &mut desa, &mut neighbour] {
        assert_eq!(shared_code(office), None, "{}", office.name);
        let meant = office.node().area_show(CODE).unwrap().entry.area.id();
        assert_eq!(meant.to_string(), IDS[0], "{}", office.name);
    }
}

#[test]
fn an_area_that_two_placed_apart_is_told_until_somebody_above_decides() {
    let mut town = Town::new(32);
    let mut province = town.province();
    let mut one = town.member(&mut province, "kabupaten-satu", "32.09");
    let mut two = town.member(&mut province, "kabupaten-dua", "32.09");
    one.node().rehome(SAMBENG, SAMBENG_NOW).unwrap();
    two.node().rehome(SAMBENG, "32.09.20.2050").unwrap();
    one.carry_to(&mut province);
    two.carry_to(&mut province);
    let contested = |office: &mut Office| office.node().status().unwrap().contested_areas;
    let told = contested(&mut province);
    assert_eq!(told.iter().map(|it| it.area.id().to_string()).collect::<Vec<_>>(), ["32093920010"]);
    province.node().rehome("32093920010", "32.09.21.2017").unwrap();
    assert_eq!(contested(&mut province), []);
    province.carry_to(&mut one);
    assert_eq!(contested(&mut one), []);
}

#[test]
fn a_kecamatan_with_desa_is_not_moved() {
    let mut town = Town::new(33);
    let mut province = town.province();
    let root = province.node().root(None).unwrap();
    for to in ["32.10.90", "32.09.90"] {
        let refused = province.node().rehome(OLD, to).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Usage, "{refused}");
    }
    assert_eq!(province.node().root(None).unwrap(), root);
    assert_eq!(province.node().area_show(OLD).unwrap().entry.name, "Suranenggala");
}
