//! Invitations that count at once: open data of a device nobody confirmed, and nothing else.

use crdt_schema::record::{Ask, Wish};
use node::answer::{MemberState, Verdict};
use node::node::{InviteAsk, Layer, ListAsk};
use node::progress::Unwatched;
use tests::office::{Office, Town};

const KECAMATAN: &str = "32.09.21";
const DESA: &str = "32.09.21.2001";

fn at_once() -> InviteAsk {
    InviteAsk {
        area: DESA.to_owned(),
        rights: None,
        expires_ms: 86_400_000,
        counts_at_once: true,
        addresses: Vec::new(),
    }
}

/// Saves an activity; returns its id and the rules of the warnings.
fn activity(office: &mut Office, title: &str, more: &[(&str, &str)]) -> (String, Vec<String>) {
    let mut fields = vec![
        ("judul", title),
        ("kode_program", "G.1.2"),
        ("jenis", "rapat"),
        ("tanggal", "2026-11-02"),
    ];
    fields.extend(more);
    let write = office.add("kegiatan", DESA, &fields);
    (write.record.to_string(), write.warnings.into_iter().map(|it| it.rule).collect())
}

fn person(office: &mut Office, name: &str) -> (String, Vec<String>) {
    let fields = [("nama", name), ("kode_jenis", "LUT"), ("jenis_kelamin", "P")];
    let write = office.add("ppks", DESA, &fields);
    (write.record.to_string(), write.warnings.into_iter().map(|it| it.rule).collect())
}

fn labels(office: &mut Office, layer: Layer) -> Vec<String> {
    let ask = ListAsk { limit: 100, layer: Some(layer), ..ListAsk::default() };
    let rows = office.node().record_list(&ask).unwrap().records;
    let label = |row| {
        let row = serde_json::to_value(row).unwrap();
        row.get("label").and_then(serde_json::Value::as_str).unwrap().to_owned()
    };
    let mut labels: Vec<String> = rows.into_iter().map(label).collect();
    labels.sort();
    labels
}

fn sound(office: &mut Office) {
    let found = office.node().verify(false, &mut Unwatched).unwrap();
    assert!(found.ok, "{}: {found:?}", office.name);
}

#[test]
fn before_the_confirmation_open_data_counts_and_the_rest_waits_on_every_node_alike() {
    const WAITS: &str = "menunggu_pengesahan";
    let mut town = Town::new(61);
    let mut province = town.province();
    let mut kecamatan = town.member(&mut province, "kecamatan", KECAMATAN);
    let mut desa = town.member(&mut kecamatan, "desa", DESA);
    let file = town.invitation(&mut kecamatan, "baru", &at_once());
    let (mut new, joined) = town.join_by(&file, "baru", 0);
    assert_eq!(joined.state, MemberState::Active);
    assert!(new.node().status().unwrap().open_only);

    let (first, warned) = activity(&mut new, "pertama", &[]);
    assert_eq!(warned, Vec::<String>::new());
    let (somebody, warned) = person(&mut new, "Euis Contoh");
    assert!(warned.contains(&WAITS.to_owned()), "{warned:?}");
    let (_, warned) = activity(&mut new, "kedua", &[]);
    assert_eq!(warned, Vec::<String>::new());
    // Of a kind that is open, with a field that is not; and an open field of a person's record.
    let here = Ask { field: "daftar_hadir".to_owned(), what: Wish::Add("Asep Contoh".to_owned()) };
    let with_person = new.node().record_set(&first, 0, &[here]).unwrap();
    assert!(with_person.warnings.iter().any(|it| it.rule == WAITS), "{:?}", with_person.warnings);
    new.set(&somebody, &[("nama_panggilan", "Euis")]);
    new.set(&first, &[("tempat", "Balai desa")]);
    let (_, warned) = person(&mut new, "Cucu Contoh");
    assert!(warned.contains(&WAITS.to_owned()), "{warned:?}");

    new.carry_to(&mut kecamatan);
    new.carry_to(&mut desa);
    kecamatan.carry_to(&mut province);
    kecamatan.carry_to(&mut desa);
    for office in [&mut new, &mut kecamatan, &mut desa, &mut province] {
        let open = labels(office, Layer::Counting);
        assert_eq!(open, ["kedua", "pertama"], "{}", office.name);
        let shown = office.node().record_show(&first, None).unwrap();
        assert_eq!(shown.verdict, Verdict::Counting);
        assert!(shown.fields.iter().any(|(name, _)| name == "tempat"), "{}", office.name);
        assert!(!shown.fields.iter().any(|(name, _)| name == "daftar_hadir"), "{}", office.name);
        sound(office);
    }
    assert_eq!(labels(&mut kecamatan, Layer::Waiting).len(), 2);
    assert_eq!(labels(&mut new, Layer::Waiting).len(), 2);
    let root = new.root(DESA);
    for office in [&mut kecamatan, &mut desa, &mut province] {
        assert_eq!(office.root(DESA), root, "{}", office.name);
    }

    let device = new.node().device().to_string();
    kecamatan.node().confirm(&device).unwrap();
    kecamatan.carry_to(&mut new);
    kecamatan.carry_to(&mut desa);
    kecamatan.carry_to(&mut province);
    let confirmed = new.root(DESA);
    assert_ne!(confirmed, root);
    for office in [&mut new, &mut kecamatan, &mut desa, &mut province] {
        assert_eq!(labels(office, Layer::Counting).len(), 4, "{}", office.name);
        assert_eq!(labels(office, Layer::Waiting).len(), 0, "{}", office.name);
        let shown = office.node().record_show(&first, None).unwrap();
        assert!(shown.fields.iter().any(|(name, _)| name == "daftar_hadir"), "{}", office.name);
        assert_eq!(office.root(DESA), confirmed, "{}", office.name);
        sound(office);
    }
    assert!(!new.node().status().unwrap().open_only);
}

#[test]
fn a_neighbour_is_given_no_run_behind_the_last_open_entry() {
    let mut town = Town::new(65);
    let mut province = town.province();
    let mut kecamatan = town.member(&mut province, "kecamatan", KECAMATAN);
    let mut desa = town.member(&mut kecamatan, "desa", DESA);
    let file = town.invitation(&mut kecamatan, "baru", &at_once());
    let (mut new, _) = town.join_by(&file, "baru", 0);
    new.carry_to(&mut kecamatan);
    let (before, _) = person(&mut new, "Euis Contoh");
    activity(&mut new, "terbuka", &[]);
    // A run holds at most 64 entries: this fills the one in which the open entry lies.
    for number in 0..64 {
        new.set(&before, &[("nama_panggilan", &format!("Euis {number}"))]);
    }
    person(&mut new, "Cucu Contoh");
    new.carry_to(&mut desa);
    assert_eq!(labels(&mut desa, Layer::Counting), ["terbuka"]);
    assert_eq!(labels(&mut desa, Layer::Waiting), ["Euis Contoh"]);
    new.carry_to(&mut kecamatan);
    assert_eq!(labels(&mut kecamatan, Layer::Waiting), ["Cucu Contoh", "Euis Contoh"]);
    assert_eq!(desa.root(DESA), kecamatan.root(DESA));
}

#[test]
fn what_counts_is_the_same_after_the_store_is_opened_again_and_the_views_are_made_anew() {
    let mut town = Town::new(62);
    let mut province = town.province();
    let file = town.invitation(&mut province, "baru", &at_once());
    let (mut new, _) = town.join_by(&file, "baru", 0);
    activity(&mut new, "terbuka", &[]);
    person(&mut new, "Euis Contoh");
    let root = new.root(DESA);
    new.shut();
    new.open();
    assert_eq!(new.root(DESA), root);
    let found = new.node().verify(true, &mut Unwatched).unwrap();
    assert!(found.ok, "{found:?}");
    assert_eq!(labels(&mut new, Layer::Counting), ["terbuka"]);
    assert_eq!(labels(&mut new, Layer::Waiting).len(), 1);
}

#[test]
fn a_closing_ends_a_device_that_counts_at_once() {
    let mut town = Town::new(63);
    let mut province = town.province();
    let file = town.invitation(&mut province, "baru", &at_once());
    let (mut new, _) = town.join_by(&file, "baru", 0);
    activity(&mut new, "sebelum", &[]);
    person(&mut new, "Euis Contoh");
    new.carry_to(&mut province);
    let device = new.node().device().to_string();
    let change = province.node().close_member(&device).unwrap();
    assert_eq!(change.state, MemberState::Closed);
    activity(&mut new, "sesudah", &[]);
    new.carry_to(&mut province);
    province.carry_to(&mut new);
    assert_eq!(labels(&mut province, Layer::Counting), ["sebelum"]);
    assert_eq!(labels(&mut new, Layer::Counting), ["sebelum"]);
    assert_eq!(province.root(DESA), new.root(DESA));
    sound(&mut province);
    sound(&mut new);
}

#[test]
fn an_invitation_that_two_devices_joined_with_is_named_in_status() {
    for counts_at_once in [true, false] {
        let mut town = Town::new(64);
        let mut province = town.province();
        let ask = InviteAsk { counts_at_once, ..at_once() };
        let file = town.invitation(&mut province, "baru", &ask);
        let (mut one, _) = town.join_by(&file, "satu", 0);
        one.carry_to(&mut province);
        assert_eq!(province.node().status().unwrap().shared_invitations, Vec::new());
        let (mut two, _) = town.join_by(&file, "dua", 0);
        two.carry_to(&mut province);
        let shared = province.node().status().unwrap().shared_invitations;
        let mut devices = vec![one.node().device(), two.node().device()];
        devices.sort();
        let [shared] = shared.as_slice() else { panic!("{shared:?}") };
        assert_eq!(shared.devices, devices);
        assert_eq!((shared.counts_at_once, shared.area.to_string()), (counts_at_once, DESA.into()));
        // Confirming one does not hide the other.
        province.node().confirm(&one.node().device().to_string()).unwrap();
        assert_eq!(province.node().status().unwrap().shared_invitations.len(), 1);
    }
}
