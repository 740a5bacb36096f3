//! A province, a kabupaten, a kecamatan and three desa keep the same registers by bundles alone.

use node::answer::MemberState;
use node::node::Choice;
use node::progress::Unwatched;
use tests::office::{Office, Town};

const KECAMATAN: &str = "32.09.39";
const DESA: [&str; 3] = ["32.09.39.2001", "32.09.39.2003", "32.09.39.2004"];

/// Province, kabupaten, kecamatan and the three desa, all confirmed.
fn six(town: &mut Town) -> [Office; 6] {
    let mut province = town.province();
    let mut kabupaten = town.member(&mut province, "kabupaten", "32.09");
    let mut kecamatan = town.member(&mut kabupaten, "kecamatan", KECAMATAN);
    let a = town.member(&mut kecamatan, "desa-a", DESA[0]);
    let b = town.member(&mut kecamatan, "desa-b", DESA[1]);
    let c = town.member(&mut kecamatan, "desa-c", DESA[2]);
    [province, kabupaten, kecamatan, a, b, c]
}

/// Everyone hands everything to the next, `rounds` times around. The chain runs up and down the
/// programme's tree: a desa meets its kecamatan, that its kabupaten, that the province.
fn ring(offices: &mut [Office; 6], rounds: usize) {
    for _ in 0..rounds {
        for (from, to) in
            [(3, 4), (4, 5), (5, 2), (2, 1), (1, 0), (0, 1), (1, 2), (2, 3), (2, 4), (2, 5)]
        {
            let mut pair = offices.get_disjoint_mut([from, to]).unwrap();
            let (from, to) = pair.split_at_mut(1);
            let (Some(from), Some(to)) = (from.first_mut(), to.first_mut()) else { continue };
            from.carry_to(to);
        }
    }
}

fn person(name: &str, serial: u16) -> Vec<(String, String)> {
    [
        ("nama", name.to_owned()),
        ("kode_jenis", "LUT".to_owned()),
        ("jenis_kelamin", "P".to_owned()),
        ("nik", format!("320939450160{serial}")),
        ("unit", "orang".to_owned()),
    ]
    .map(|(field, value)| (field.to_owned(), value))
    .to_vec()
}

fn add(office: &mut Office, area: &str, name: &str, serial: u16) -> String {
    let fields = person(name, serial);
    let fields: Vec<(&str, &str)> = fields.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    office.add("ppks", area, &fields).record.to_string()
}

#[test]
fn six_offices_that_never_meet_hold_equal_registers_and_words() {
    let mut town = Town::new(10);
    let mut offices = six(&mut town);
    for (place, area) in DESA.iter().enumerate() {
        for number in 0..5u16 {
            let office = offices.get_mut(place + 3).unwrap();
            add(office, area, "Ibu Sintetis", 9_000 + number);
        }
    }
    ring(&mut offices, 2);
    let [first, others @ ..] = &mut offices;
    let expected = first.node().root(Some(KECAMATAN)).unwrap();
    assert_eq!(expected.entries, 15);
    assert!(expected.words.is_some());
    for office in others {
        let root = office.node().root(Some(KECAMATAN)).unwrap();
        assert_eq!((root.root, &root.words), (expected.root, &expected.words), "{}", office.name);
        assert_eq!(root.authority, expected.authority, "{}", office.name);
        assert_eq!(office.node().status().unwrap().records, 15, "{}", office.name);
    }
    for office in &mut offices {
        let verified = office.node().verify(false, &mut Unwatched).unwrap();
        assert!(verified.ok, "{}: {:?}", office.name, verified.damage);
    }
}

#[test]
fn a_conflict_made_apart_is_seen_by_all_and_settled_once() {
    let mut town = Town::new(11);
    let mut offices = six(&mut town);
    let record = add(&mut offices[3], DESA[0], "Ibu Sintetis", 9_100);
    ring(&mut offices, 1);
    offices[3].set(&record, &[("alamat", "Kampung Satu")]);
    offices[2].set(&record, &[("alamat", "Kampung Dua")]);
    ring(&mut offices, 2);
    let seen = offices[0].node().record_conflicts(None).unwrap();
    assert_eq!(seen.total, 1);
    let conflict = seen.conflicts.first().unwrap();
    assert_eq!((conflict.field.as_str(), conflict.values.len()), ("alamat", 2));
    for office in &mut offices {
        assert_eq!(office.node().record_conflicts(None).unwrap(), seen, "{}", office.name);
    }
    let choice = Choice::Entry(conflict.values.first().unwrap().entry.id.to_string());
    offices[2].node().record_settle(&record, "alamat", 0, &choice).unwrap();
    ring(&mut offices, 2);
    for office in &mut offices {
        assert_eq!(office.node().record_conflicts(None).unwrap().total, 0, "{}", office.name);
    }
    let shown = |office: &mut Office| office.node().record_show(&record, None).unwrap().fields;
    let expected = shown(&mut offices[0]);
    for office in &mut offices {
        assert_eq!(shown(office), expected, "{}", office.name);
    }
}

#[test]
fn a_provisional_device_counts_nowhere_until_a_person_confirms_it() {
    let mut town = Town::new(12);
    let mut province = town.province();
    let mut kabupaten = town.member(&mut province, "kabupaten", "32.09");
    let mut desa = town.join(&mut kabupaten, "desa", DESA[0]);
    add(&mut desa, DESA[0], "Ibu Sintetis", 9_200);
    assert_eq!(desa.node().status().unwrap().waiting_confirmation, 1);
    desa.carry_to(&mut kabupaten);
    let status = kabupaten.node().status().unwrap();
    assert_eq!((status.records, status.waiting_confirmation), (0, 1));
    assert_eq!(kabupaten.node().root(Some("32.09")).unwrap().entries, 0);
    let mut beside = town.member(&mut kabupaten, "desa-lain", DESA[1]);
    kabupaten.carry_to(&mut province);
    kabupaten.carry_to(&mut beside);
    assert_eq!(province.node().status().unwrap().waiting_confirmation, 1, "may confirm it too");
    assert_eq!(beside.node().status().unwrap().waiting_confirmation, 0, "may not");
    let device = desa.node().device().to_string();
    assert_eq!(kabupaten.node().confirm(&device).unwrap().state, MemberState::Active);
    let status = kabupaten.node().status().unwrap();
    assert_eq!((status.records, status.waiting_confirmation), (1, 0));
    kabupaten.carry_to(&mut desa);
    kabupaten.carry_to(&mut province);
    for office in [&mut desa, &mut province] {
        assert_eq!(office.node().status().unwrap().records, 1, "{}", office.name);
        assert_eq!(office.root("32.09"), kabupaten.root("32.09"), "{}", office.name);
    }
}

#[test]
fn a_closed_device_counts_up_to_its_end_and_what_it_writes_later_does_not() {
    let mut town = Town::new(13);
    let mut province = town.province();
    let mut kabupaten = town.member(&mut province, "kabupaten", "32.09");
    let mut desa = town.member(&mut kabupaten, "desa", DESA[0]);
    add(&mut desa, DESA[0], "Ibu Sintetis", 9_300);
    desa.carry_to(&mut kabupaten);
    add(&mut desa, DESA[0], "Bapak Sintetis", 9_301);
    let device = desa.node().device().to_string();
    assert_eq!(kabupaten.node().close_member(&device).unwrap().state, MemberState::Closed);
    desa.carry_to(&mut kabupaten);
    let status = kabupaten.node().status().unwrap();
    assert_eq!((status.records, status.quarantined), (1, 1));
    kabupaten.carry_to(&mut province);
    assert_eq!(province.root("32.09"), kabupaten.root("32.09"));
    assert_eq!(province.node().status().unwrap().records, 1);
}

#[test]
fn a_closed_device_is_told_by_the_bundle_for_it() {
    let mut town = Town::new(14);
    let mut province = town.province();
    let mut desa = town.member(&mut province, "desa", DESA[0]);
    let device = desa.node().device().to_string();
    province.node().close_member(&device).unwrap();
    province.carry_to(&mut desa);
    assert_eq!(desa.node().status().unwrap().state, MemberState::Closed);
    let late = tests::office::asks(&[("judul", "terlambat")]);
    assert!(desa.node().record_add("kegiatan", DESA[0], 0, &late).is_err());
}

#[test]
fn a_bundle_never_replaces_a_store_of_its_own_node() {
    let mut town = Town::new(15);
    let mut province = town.province();
    let ask = node::node::ExportAsk {
        target: node::node::ExportTarget::All,
        clear: true,
        whole: false,
        max_bytes: None,
    };
    let own = province.folder().join("feed.redb");
    assert!(province.node().bundle_export(&ask, &own, &mut Unwatched).is_err());
    province.shut();
    province.open();
    assert!(province.node().verify(false, &mut Unwatched).unwrap().ok);
}
