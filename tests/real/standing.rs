//! Who may do what, what counts, and what a person may conclude from what is shown.

use crdt_schema::area::AreaCode;
use crdt_schema::authority::{Closing, FeedEnd, Payload};
use crdt_schema::entry::ChainPoint;
use crdt_schema::id::{DeviceId, EntryId, FeedId};
use node::answer::{Import, MemberState, Verdict};
use node::error::ErrorKind;
use node::node::{Choice, ExportTarget, InviteAsk, Layer, ListAsk, Node, SheetAsk};
use node::ports::Clock as _;
use node::progress::Unwatched;
use tests::office::{Office, Town, asks};

const KECAMATAN: &str = "32.09.39";
const DESA: &str = "32.09.39.2001";

fn total(office: &mut Office, layer: Option<Layer>) -> u64 {
    let ask = ListAsk { limit: 100, layer, ..ListAsk::default() };
    office.node().record_list(&ask).unwrap().total
}

fn invite(
    office: &mut Office,
    area: &str,
    rights: Option<&str>,
) -> Result<(), (ErrorKind, String)> {
    let ask = InviteAsk {
        area: area.to_owned(),
        rights: rights.map(str::to_owned),
        expires_ms: 86_400_000,
        counts_at_once: false,
        addresses: Vec::new(),
    };
    let file = office.folder().with_extension("undangan");
    let made = office.node().invite(&ask, &file);
    made.map(drop).map_err(|error| (error.kind(), error.to_string()))
}

/// Imports a sheet with one activity of this title, held in another place.
fn import(office: &mut Office, title: &str) -> Import {
    let file = office.folder().with_extension("csv");
    let row = format!("{title};G.1.2;rapat;2026-11-02;Masjid");
    std::fs::write(&file, format!("judul;kode_program;jenis;tanggal;tempat\n{row}\n")).unwrap();
    let (kind, area) = ("kegiatan".to_owned(), DESA.to_owned());
    let ask = SheetAsk { file, kind, area, map: None, apply: true, person: 0 };
    office.node().import_sheet(&ask, &mut Unwatched).unwrap()
}

#[test]
fn nothing_is_called_complete_later_than_what_is_missing_was_written() {
    const THREE_YEARS: i64 = 3 * 365 * 86_400_000;
    let mut town = Town::new(41);
    let mut province = town.province();
    let mut hub = town.member(&mut province, "kecamatan", KECAMATAN);
    let mut desa = town.member(&mut hub, "desa", DESA);
    let complete = |desa: &mut Office| {
        let arrived = desa.node().status().unwrap().arrived;
        let above = arrived.into_iter().find(|it| it.at == "kecamatan").unwrap();
        (above.missing, above.complete_as_of.map(|at| at.0))
    };
    let meet = |desa: &mut Office, hub: &mut Office| {
        desa.carry_to(hub);
        hub.carry_to(desa);
    };
    desa.activity(DESA, "pertama");
    meet(&mut desa, &mut hub);
    let (_, first) = complete(&mut desa);
    desa.clock.set_on(THREE_YEARS);
    desa.activity(DESA, "dengan jam yang salah");
    meet(&mut desa, &mut hub);
    assert_eq!(complete(&mut desa).0, 0);
    desa.clock.set_on(-THREE_YEARS);
    desa.activity(DESA, "belum sampai");
    assert_eq!(complete(&mut desa), (1, first), "all until then, and no word of three years on");
    meet(&mut desa, &mut hub);
    let (missing, last) = complete(&mut desa);
    assert!(missing == 0 && last > first && last < Some(desa.clock.now()));
}

#[test]
fn words_stand_only_beside_the_root_they_name() {
    let mut town = Town::new(40);
    let mut province = town.province();
    let mut kecamatan = town.member(&mut province, "kecamatan", KECAMATAN);
    let mut desa = town.member(&mut kecamatan, "desa", DESA);
    let bare = desa.node().root(Some(DESA)).unwrap();
    assert_eq!((bare.words, bare.moment, bare.other_moment), (None, None, false), "no receipt yet");
    desa.activity(DESA, "pertama");
    desa.carry_to(&mut kecamatan);
    kecamatan.carry_to(&mut desa);
    let agreed = desa.node().root(Some(DESA)).unwrap();
    let theirs = kecamatan.node().root(Some(DESA)).unwrap();
    assert!(agreed.words.is_some());
    assert_eq!(
        (agreed.root, &agreed.words, agreed.moment),
        (theirs.root, &theirs.words, theirs.moment)
    );
    desa.activity(DESA, "kedua");
    let ahead = desa.node().root(Some(DESA)).unwrap();
    assert_ne!(ahead.root, theirs.root);
    assert_eq!((ahead.words, ahead.moment, ahead.other_moment), (None, None, true));
    desa.carry_to(&mut kecamatan);
    kecamatan.carry_to(&mut desa);
    let again = desa.node().root(Some(DESA)).unwrap();
    assert_eq!(again.words, kecamatan.node().root(Some(DESA)).unwrap().words);
    assert!(again.words.is_some() && again.words != agreed.words && !again.other_moment);
}

/// The disk of a kecamatan died, and its device was closed: what it said it held may be nowhere any more. Who
/// closes it has heard of the desa from it, else the desa would count no more either.
#[test]
fn what_a_hub_said_it_holds_is_no_proof_once_it_was_closed() {
    let mut town = Town::new(44);
    let mut province = town.province();
    let mut kabupaten = town.member(&mut province, "kabupaten", "32.09");
    let mut kecamatan = town.member(&mut kabupaten, "kecamatan", KECAMATAN);
    let mut desa = town.member(&mut kecamatan, "desa", DESA);
    for title in ["pertama", "kedua"] {
        desa.activity(DESA, title);
        desa.carry_to(&mut kecamatan);
        kecamatan.carry_to(&mut desa);
    }
    kecamatan.carry_to(&mut kabupaten);
    let at = |desa: &mut Office, level: &str| {
        let arrived = desa.node().status().unwrap().arrived;
        arrived.into_iter().find(|it| it.at == level).map(|it| it.missing)
    };
    // Of two hubs that say the same the one that said more rows is named: the kecamatan, until it is closed.
    let speaker = |desa: &mut Office| desa.node().root(Some(DESA)).unwrap().moment.unwrap().device;
    let (above, hub) = (kabupaten.node().device(), kecamatan.node().device());
    assert_eq!((at(&mut desa, "kecamatan"), speaker(&mut desa)), (Some(0), hub));
    kabupaten.node().close_member(&hub.to_string()).unwrap();
    kabupaten.carry_to(&mut desa);
    assert_eq!(at(&mut desa, "kabupaten"), Some(0), "the desa counts as before");
    assert_eq!(at(&mut desa, "kecamatan"), None, "said by a device that was closed");
    assert_eq!(speaker(&mut desa), above);
}

#[test]
fn what_a_device_wrote_behind_its_end_is_told_beside_what_arrived() {
    let mut town = Town::new(45);
    let mut province = town.province();
    let mut kecamatan = town.member(&mut province, "kecamatan", KECAMATAN);
    let mut desa = town.member(&mut kecamatan, "desa", DESA);
    let told = |desa: &mut Office| {
        let status = desa.node().status().unwrap();
        let at = status.arrived.into_iter().find(|it| it.at == "kecamatan").unwrap();
        (at.mine, status.uncounted, at.held, at.missing)
    };
    desa.activity(DESA, "pertama");
    desa.carry_to(&mut kecamatan);
    kecamatan.carry_to(&mut desa);
    assert_eq!(told(&mut desa), (1, 0, 1, 0));
    desa.activity(DESA, "kedua");
    assert_eq!(told(&mut desa), (2, 0, 1, 1));
    let device = desa.node().device().to_string();
    kecamatan.node().close_member(&device).unwrap();
    kecamatan.carry_to(&mut desa);
    assert_eq!(told(&mut desa), (1, 1, 1, 0));
}

/// A file says what a hub holds before it says who that hub is; in which order it says the latter is
/// chance.
#[test]
fn one_file_brings_a_new_hub_and_its_word_that_something_arrived() {
    for seed in 60..68 {
        let mut town = Town::new(seed);
        let mut province = town.province();
        let mut kabupaten = town.member(&mut province, "kabupaten", "32.09");
        let mut desa = town.member(&mut kabupaten, "desa", DESA);
        let mut kecamatan = town.member(&mut kabupaten, "kecamatan", KECAMATAN);
        desa.activity(DESA, "pertama");
        desa.carry_to(&mut kecamatan);
        kecamatan.carry_to(&mut desa);
        let status = desa.node().status().unwrap();
        let at: Vec<&str> = status.arrived.iter().map(|it| it.at.as_str()).collect();
        assert!(at.contains(&"kecamatan"), "seed {seed}: {at:?}");
    }
}

#[test]
fn a_device_that_waits_sees_and_changes_its_own_and_nobody_builds_on_it() {
    let mut town = Town::new(41);
    let mut province = town.province();
    let mut kecamatan = town.member(&mut province, "kecamatan", KECAMATAN);
    let mut desa = town.join(&mut kecamatan, "desa", DESA);
    let record = desa.activity(DESA, "menunggu");
    desa.set(&record, &[("judul", "masih menunggu")]);
    let ask = ListAsk { limit: 10, ..ListAsk::default() };
    let own = desa.node().record_list(&ask).unwrap();
    assert_eq!(own.total, 1);
    assert_eq!(own.records.first().unwrap().verdict, Verdict::Waiting);
    desa.carry_to(&mut kecamatan);
    assert_eq!((total(&mut kecamatan, None), total(&mut kecamatan, Some(Layer::Waiting))), (0, 1));
    let error = kecamatan.node().record_set(&record, 0, &asks(&[("judul", "x")])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoRight);
    assert!(error.to_string().contains("waits"), "{error}");
    let read = import(&mut kecamatan, "masih menunggu");
    let rules: Vec<&str> = read.refused.iter().map(|row| row.rule.as_str()).collect();
    assert_eq!((read.new, read.changed, rules), (0, 0, vec!["catatan_menunggu"]));
    let device = desa.node().device().to_string();
    kecamatan.node().confirm(&device).unwrap();
    let read = import(&mut kecamatan, "masih menunggu");
    assert_eq!((read.new, read.changed, read.refused.len()), (0, 1, 0));
    assert_eq!(total(&mut kecamatan, None), 1);
    kecamatan.set(&record, &[("judul", "disahkan")]);
}

#[test]
fn nobody_gives_a_right_it_does_not_hold() {
    let mut town = Town::new(42);
    let mut province = town.province();
    let mut full = town.member(&mut province, "kecamatan", KECAMATAN);
    assert_eq!(invite(&mut full, DESA, None), Ok(()), "carry:parent lies within its own carry");
    let erase = invite(&mut full, DESA, Some("write,erase")).unwrap_err();
    assert_eq!(erase.0, ErrorKind::NoRight);
    assert!(erase.1.contains("`erase`") && erase.1.contains(DESA), "{}", erase.1);
    let rights = "write,carry,read:open,read:T,issue";
    let mut narrow = town.member_with(&mut province, "terbatas", KECAMATAN, rights);
    let personal = invite(&mut narrow, DESA, None).unwrap_err();
    assert_eq!(personal.0, ErrorKind::NoRight);
    assert!(personal.1.contains("`read:U`"), "{}", personal.1);
    assert_eq!(invite(&mut narrow, DESA, Some("write,carry,carry:parent,read:T")), Ok(()));
    // Nor by confirming whom another invited with more.
    let mut desa = town.join(&mut full, "desa", DESA);
    desa.carry_to(&mut full);
    full.carry_to(&mut province);
    province.carry_to(&mut narrow);
    desa.carry_to(&mut narrow);
    let device = desa.node().device().to_string();
    let error = narrow.node().confirm(&device).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoRight, "{error}");
    assert_eq!(full.node().confirm(&device).unwrap().state, MemberState::Active);
}

#[test]
fn who_may_not_issue_hears_of_the_right_and_who_may_of_the_level() {
    let mut town = Town::new(43);
    let mut province = town.province();
    let mut kecamatan = town.member(&mut province, "kecamatan", KECAMATAN);
    let mut desa = town.member(&mut kecamatan, "desa", DESA);
    let error = invite(&mut desa, DESA, None).unwrap_err();
    assert_eq!(error.0, ErrorKind::NoRight);
    assert!(error.1.contains("`issue`"), "{}", error.1);
    let error = invite(&mut kecamatan, KECAMATAN, None).unwrap_err();
    assert_eq!(error.0, ErrorKind::AreaOutside);
    assert!(error.1.contains("does not lie below"), "{}", error.1);
    assert_eq!(invite(&mut kecamatan, "32.09.21", None).unwrap_err().0, ErrorKind::AreaOutside);
}

#[test]
fn a_second_closing_writes_nothing_and_answers_with_the_first() {
    let mut town = Town::new(44);
    let mut province = town.province();
    let mut desa = town.member(&mut province, "desa", DESA);
    let mut own = town.member(&mut province, "desa-kedua", DESA);
    let device = desa.node().device().to_string();
    let own_device = own.node().device().to_string();
    for (office, device) in [(&mut province, device), (&mut own, own_device)] {
        let first = office.node().close_member(&device).unwrap();
        let entries = office.node().status().unwrap().entries;
        let second = office.node().close_member(&device).unwrap();
        assert_eq!(second, first, "{}", office.name);
        assert_eq!(second.state, MemberState::Closed);
        assert_eq!(office.node().status().unwrap().entries, entries, "{}", office.name);
    }
}

#[test]
fn who_said_as_much_of_an_area_as_others_take_says_no_more_there() {
    let mut town = Town::new(48);
    let mut province = town.province();
    let end = |number| FeedEnd {
        feed: FeedId([number; 32]),
        last: ChainPoint { seq: 1, id: EntryId([number; 32]) },
    };
    let closing = Closing { device: DeviceId([9; 32]), ends: (0..200).map(end).collect() };
    let [province_area, desa] =
        ["32", DESA].map(|code| code.parse::<AreaCode>().unwrap().first_id());
    let mut say = |area| {
        let said = province.node().say(area, Payload::Closing(closing.clone()), Vec::new());
        said.map(drop)
    };
    let refused = (0..100).find_map(|times| Some((times, say(province_area).err()?)));
    let (times, error) = refused.unwrap();
    assert_eq!(times, 79, "each has some 13 KB");
    assert_eq!(error.kind(), ErrorKind::Usage);
    say(desa).unwrap();
}

#[test]
fn the_only_device_that_may_issue_for_a_province_is_not_closed() {
    let mut town = Town::new(46);
    let mut province = town.province();
    let device = province.node().device().to_string();
    let entries = province.node().status().unwrap().entries;
    let refused = province.node().close_member(&device).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Usage);
    assert!(refused.to_string().contains("no other device may issue"), "{refused}");
    let status = province.node().status().unwrap();
    assert_eq!((status.state, status.entries), (MemberState::Active, entries));

    // Below it nobody is the last: the province may always send another.
    let mut kabupaten = town.member(&mut province, "kabupaten", "32.09");
    let own = kabupaten.node().device().to_string();
    assert_eq!(kabupaten.node().close_member(&own).unwrap().state, MemberState::Closed);
}

#[test]
fn a_node_does_not_open_with_the_keys_of_another_device() {
    let mut town = Town::new(47);
    let mut province = town.province();
    let mut desa = town.member(&mut province, "desa", DESA);
    desa.activity(DESA, "pertama");
    let key = |office: &Office| office.folder().join("keys/device.key");
    let own = std::fs::read(key(&desa)).unwrap();
    desa.shut();
    std::fs::copy(key(&province), key(&desa)).unwrap();
    let refused = Node::open(desa.folder(), desa.environment()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::KeystoreLocked);
    assert!(refused.to_string().contains("another device"), "{refused}");
    std::fs::write(key(&desa), own).unwrap();
    desa.open();
    desa.activity(DESA, "kedua");
    assert_eq!(total(&mut desa, None), 2);
}

#[test]
fn a_number_that_survives_in_a_conflict_unseen_is_found_like_the_one_that_is_shown() {
    const NIKS: [&str; 2] = ["3209394101909003", "3209394101909004"];
    let mut town = Town::new(49);
    let mut province = town.province();
    let mut desa = town.member(&mut province, "desa", DESA);
    let person =
        [("nama", "Hani"), ("kode_jenis", "LUT"), ("unit", "orang"), ("jenis_kelamin", "P")];
    let record = desa.add("ppks", DESA, &person).record;
    desa.carry_to(&mut province);
    province.set(&record.to_string(), &[("nik", NIKS[0])]);
    desa.set(&record.to_string(), &[("nik", NIKS[1])]);
    desa.carry_to(&mut province);
    province.carry_to(&mut desa);
    let sheet = desa.folder().join("lembar.csv");
    let mut refused = 0;
    for nik in NIKS {
        for office in [&mut province, &mut desa] {
            let ask = ListAsk { limit: 9, query: Some(nik.to_owned()), ..ListAsk::default() };
            let found = office.node().record_list(&ask).unwrap();
            let found: Vec<_> = found.records.iter().map(|row| row.record).collect();
            assert_eq!(found, [record], "{}", office.name);
        }
        std::fs::write(&sheet, format!("Nama;NIK;Jenis PPKS\nHani;{nik};LUT\n")).unwrap();
        let ask = SheetAsk {
            file: sheet.clone(),
            kind: "ppks".to_owned(),
            area: DESA.to_owned(),
            map: None,
            apply: true,
            person: 0,
        };
        let report = desa.node().import_sheet(&ask, &mut Unwatched).unwrap();
        assert_eq!(report.new, 0, "{nik} is nobody new");
        refused += report.refused_by_rule.get("catatan_bertentangan").copied().unwrap_or_default();
    }
    assert_eq!(refused, 2, "a row does not choose between numbers");
    let conflicts = desa.node().record_conflicts(None).unwrap();
    assert_eq!(conflicts.total, 1);
    for nik in NIKS {
        let again: Vec<_> = person.iter().copied().chain([("nik", nik)]).collect();
        let warned = desa.add("ppks", DESA, &again).warnings;
        assert!(warned.iter().any(|it| it.rule == "nik_sudah_ada"), "{nik}: {warned:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_bundle_is_written_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let mut town = Town::new(48);
    let mut province = town.province();
    province.activity(DESA, "pertama");
    for file in province.export(ExportTarget::All) {
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} has {mode:o}", file.display());
    }
}

#[test]
fn an_entry_that_is_no_choice_is_told_apart_from_one_that_is_not_held() {
    let mut town = Town::new(45);
    let mut province = town.province();
    let record = province.activity(DESA, "pertama");
    let first = province.set(&record, &[("judul", "kedua")]).entry.id.to_string();
    let second = province.set(&record, &[("judul", "ketiga")]).entry.id.to_string();
    let mut settle = |field: &str, entry: &str| {
        let choice = Choice::Entry(entry.to_owned());
        let error = province.node().record_settle(&record, field, 0, &choice).unwrap_err();
        (error.kind(), error.to_string())
    };
    let (kind, told) = settle("judul", &first);
    assert_eq!(kind, ErrorKind::ValueInvalid);
    assert!(told.contains("replaced"), "{told}");
    let (kind, told) = settle("tempat", &second);
    assert_eq!(kind, ErrorKind::ValueInvalid);
    assert!(told.contains("no value of this field"), "{told}");
    assert_eq!(settle("judul", &"0".repeat(64)).0, ErrorKind::RecordUnknown);
}

#[test]
fn what_waits_leaves_a_hub_only_for_who_may_confirm_it() {
    let mut town = Town::new(46);
    let mut province = town.province();
    let mut hub = town.member(&mut province, "kecamatan", KECAMATAN);
    let mut desa = town.member(&mut hub, "desa", DESA);
    let mut new = town.join(&mut hub, "baru", DESA);
    new.activity(DESA, "sebelum dikonfirmasi");
    new.carry_to(&mut hub);
    assert_eq!(hub.node().status().unwrap().waiting_confirmation, 1);
    let taken = hub.carry_to(&mut desa);
    let refused: u64 = taken.files.iter().flat_map(|file| file.rejected.values()).sum();
    assert_eq!(refused, 0, "nothing travels to a desk that may not take it: {taken:?}");
    hub.carry_to(&mut province);
    assert_eq!(province.node().status().unwrap().waiting_confirmation, 1);
}

#[test]
fn a_device_that_may_only_write_learns_that_it_was_confirmed() {
    let mut town = Town::new(47);
    let mut province = town.province();
    let mut writer = town.join_with(&mut province, "penulis", DESA, Some("write"), 0);
    writer.carry_to(&mut province);
    let device = writer.node().device().to_string();
    province.node().confirm(&device).unwrap();
    province.carry_to(&mut writer);
    assert_eq!(writer.node().status().unwrap().state, MemberState::Active);
}

#[test]
fn an_invitation_carries_the_addresses_that_were_named_and_no_more_than_fit() {
    let mut town = Town::default();
    let mut prov = town.province();
    let file = prov.folder().with_extension("undangan");
    let with = |addresses: &[&str]| InviteAsk {
        area: KECAMATAN.to_owned(),
        rights: None,
        expires_ms: 86_400_000,
        counts_at_once: false,
        addresses: addresses.iter().map(|it| (*it).to_owned()).collect(),
    };
    let hub = "/dns4/hub.invalid/udp/4001/quic-v1";
    let made = prov.node().invite(&with(&[hub, hub]), &file).unwrap();
    assert_eq!(made.addresses, [hub]);
    let folder = prov.folder().with_extension("baru");
    let joined = Node::join(&folder, &prov.environment(), &file).unwrap();
    assert_eq!(joined.addresses, [hub]);
    let opened = Node::open(&folder, prov.environment()).unwrap();
    assert_eq!(opened.addresses_to_dial().unwrap(), [hub]);

    let long = format!("/dns4/{}/tcp/1", "a".repeat(128));
    let ports: Vec<String> = (1..6).map(|port| format!("/ip4/192.0.2.7/tcp/{port}")).collect();
    let too_many: Vec<&str> = ports.iter().map(String::as_str).collect();
    for wrong in [&["no address"][..], &[&long], &too_many] {
        let refused = prov.node().invite(&with(wrong), &file).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Usage);
    }
    assert_eq!(prov.node().invite(&with(&[]), &file).unwrap().addresses, [""; 0]);
}
