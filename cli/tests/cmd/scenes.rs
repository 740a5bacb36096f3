//! One scene for each way a command is refused: the rows of the exit table.
#![expect(clippy::unnecessary_wraps, reason = "any scene may need what a machine does not have")]

use node::error::ErrorKind;
use serde_json::{Value, json};

use crate::desk::{DESA, Desk, OTHER_DESA};
use crate::exits::{Leaves, Scene};
use crate::fixtures::{self, Mount};

/// A scene, or why this machine cannot play it.
type Made = Result<Scene, String>;

/// Kind, what of it, and the scene.
pub(crate) type Row = (ErrorKind, &'static str, fn() -> Made);

/// Every kind of this stage has a row.
pub(crate) const ROWS: &[Row] = &[
    (ErrorKind::Usage, "nothing to set", || on(&["record", "set", "12345678"])),
    (ErrorKind::Usage, "a network that is no province", network_of_a_kabupaten),
    (ErrorKind::Usage, "a name too long", network_with_a_long_name),
    (ErrorKind::Usage, "a right that is none", || {
        on(&["invite", "--area", "32.09", "--rights", "terbang", "-o", "x"])
    }),
    (ErrorKind::Usage, "pieces too small", || {
        on(&["bundle", "export", "--all", "--max-size", "100", "-o", "x"])
    }),
    (ErrorKind::FileMissing, "a bundle", || on(&["bundle", "import", "/no/such/file"])),
    (ErrorKind::FileMissing, "a bundle to look into", || on(&["bundle", "inspect", "/no/such"])),
    (ErrorKind::FileMissing, "an invitation", || {
        Ok(Scene::new(Desk::empty(), &["join", "--invitation", "/no/such"]))
    }),
    (ErrorKind::RecordUnknown, "to show", || on(&["record", "show", "ffffffff"])),
    (ErrorKind::RecordUnknown, "to set", || on(&["record", "set", "ffffffff", "-f", "judul=x"])),
    (ErrorKind::RecordUnknown, "an entry to settle by", settle_by_no_entry),
    (ErrorKind::AreaUnknown, "to write in", || {
        on(&["record", "add", "kegiatan", "--area", "32.99"])
    }),
    (ErrorKind::AreaUnknown, "to invite to", || on(&["invite", "--area", "32.99", "-o", "x"])),
    (ErrorKind::KindUnknown, "to add", || on(&["record", "add", "tidak_ada", "--area", DESA])),
    (ErrorKind::FieldUnknown, "to set", field_unknown),
    (ErrorKind::DeviceUnknown, "to confirm", || on(&["member", "confirm", NOBODY])),
    (ErrorKind::DeviceUnknown, "to write a bundle for", || {
        on(&["bundle", "export", "--for", NOBODY, "-o", "x"])
    }),
    (ErrorKind::ValueInvalid, "a NIK of fifteen digits", nik_too_short),
    (ErrorKind::ValueInvalid, "a phone where a code stands", code_that_is_none),
    (ErrorKind::ValueInvalid, "a required field", || {
        on(&["record", "add", "kegiatan", "--area", DESA])
    }),
    (ErrorKind::ValueInvalid, "an entry whose value was replaced", settle_by_a_replaced_entry),
    (ErrorKind::NikExcel, "to add", nik_excel),
    (ErrorKind::TransitionInvalid, "called off to held", transition_invalid),
    (ErrorKind::AreaOutside, "beside a desa", area_outside),
    (ErrorKind::AreaOutside, "an invitation to one's own level", invite_beside),
    (ErrorKind::FileForeign, "a bundle to import", || foreign("import")),
    (ErrorKind::FileForeign, "a bundle to look into", || foreign("inspect")),
    (ErrorKind::FileForeign, "an invitation", || join_with(|_| b"\xff\xd8\xff foto".to_vec())),
    (ErrorKind::FileTruncated, "a bundle", || bundle_with(|bytes| bytes.truncate(40))),
    (ErrorKind::FileTruncated, "an invitation", || {
        join_with(|bytes| bytes.get(..bytes.len() / 2).unwrap().to_vec())
    }),
    (ErrorKind::FileAltered, "a bundle's header", || bundle_with(|bytes| flip(bytes, 20))),
    (ErrorKind::FileAltered, "an invitation", || {
        join_with(|bytes| {
            let mut bytes = bytes.to_vec();
            let middle = bytes.len() - 40;
            flip(&mut bytes, middle);
            bytes
        })
    }),
    (ErrorKind::FormatNewer, "a bundle", || bundle_with(|bytes| set(bytes, 8, 9))),
    (ErrorKind::FormatNewer, "an invitation", || {
        join_with(|bytes| {
            let mut bytes = bytes.to_vec();
            set(&mut bytes, 8, 9);
            bytes
        })
    }),
    (ErrorKind::Damage, "an entry at rest", damage),
    (ErrorKind::Damage, "a store that is none", store_of_zeros),
    (ErrorKind::Damage, "the device's keys", keys_altered),
    (ErrorKind::NoCertificate, "keys of another device", keys_of_another),
    (ErrorKind::NoRight, "to write", no_right_to_write),
    (ErrorKind::NoRight, "to issue", no_right_to_issue),
    (ErrorKind::NoRight, "to issue, in a desa", invite_in_a_desa),
    (ErrorKind::NoRight, "to give a right it lacks", invite_with_more),
    (ErrorKind::NoRight, "to write where the area has moved", write_in_a_moved_area),
    (ErrorKind::NoRight, "to build on what is quarantined", build_on_quarantined),
    (ErrorKind::NoRight, "to build on what waits", build_on_waiting),
    (ErrorKind::Revoked, "it closed itself", closed_itself),
    (ErrorKind::Revoked, "by the province", revoked_by_the_province),
    (ErrorKind::KeystoreLocked, "no keys", keystore_locked),
    (ErrorKind::NetworkOther, "a bundle", network_other),
    (ErrorKind::NetworkOther, "a bundle behind one of ours", network_other_second),
    (ErrorKind::AlreadyJoined, "an invitation to a province", already_joined),
    (ErrorKind::InvitationUsed, "by another device", invitation_used),
    (ErrorKind::StoreLocked, "by another process", store_locked),
    (ErrorKind::StoreNewer, "the feed store", store_newer),
    (ErrorKind::StoreMissing, "an empty folder", || Ok(Scene::new(Desk::empty(), &["status"]))),
    (ErrorKind::StoreMissing, "to write in", || {
        Ok(Scene::new(Desk::empty(), &["synth", "--preset", "mini", "--seed", "1", "--into-node"]))
    }),
    (ErrorKind::StoreExists, "a second network", || {
        on(&["network", "create", "--name", "Lain", "--area", "32"])
    }),
    (ErrorKind::DiskFull, "a bundle on a full stick", bundle_on_a_full_stick),
    (ErrorKind::DiskFull, "an invitation on a full stick", invitation_on_a_full_stick),
    (ErrorKind::DiskFull, "synthetic people on a full stick", synth_on_a_full_stick),
    (ErrorKind::DiskError, "a bundle below a file", || below_a_file("bundle")),
    (ErrorKind::DiskError, "an invitation below a file", || below_a_file("invite")),
    (ErrorKind::ReadOnly, "a bundle on a locked stick", bundle_on_a_locked_stick),
    (ErrorKind::ReadOnly, "the data folder", data_on_a_locked_stick),
    (ErrorKind::ReadOnly, "a folder of somebody else's", folder_without_the_right),
    (ErrorKind::Partial, "a cut bundle", cut_bundle),
    (ErrorKind::Partial, "a bundle whose beginning is not here", bundle_without_its_beginning),
    (ErrorKind::Interrupted, "an export", || {
        interrupted(&["bundle", "export", "--all", "-o", "x"], Leaves::Nothing)
    }),
    (ErrorKind::Interrupted, "a check", || interrupted(&["verify"], Leaves::Nothing)),
    (ErrorKind::Interrupted, "a rebuild", || {
        interrupted(&["verify", "--rebuild"], Leaves::Nothing)
    }),
    (ErrorKind::Interrupted, "synthetic people", || {
        let line = ["synth", "--preset", "mini", "--seed", "1", "--into-node"];
        interrupted(&line, Leaves::WholeEntries)
    }),
    (ErrorKind::Interrupted, "synthetic people in a file", || {
        interrupted(&["synth", "--preset", "mini", "--seed", "1", "--jsonl", "x"], Leaves::Nothing)
    }),
    (ErrorKind::Interrupted, "an import", interrupted_import),
];

/// No device has this id.
const NOBODY: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A province with one person whose values no message may repeat.
fn register() -> Desk {
    let desk = Desk::province();
    desk.person(DESA);
    desk
}

/// Names a file beside the data folder where a line says `x`.
fn on(line: &[&str]) -> Made {
    let desk = register();
    let file = desk.path("x");
    let line: Vec<&str> =
        line.iter().map(|word| if *word == "x" { &file } else { *word }).collect();
    Ok(Scene::new(desk, &line))
}

fn network_of_a_kabupaten() -> Made {
    Ok(Scene::new(Desk::empty(), &["network", "create", "--name", "Uji", "--area", "32.09"]))
}

fn network_with_a_long_name() -> Made {
    let name = "a".repeat(5_000);
    Ok(Scene::new(Desk::empty(), &["network", "create", "--name", &name, "--area", "32"]))
}

fn settle_by_no_entry() -> Made {
    let desk = register();
    let id = desk.activity(DESA, "Rapat");
    let entry = format!("{NOBODY}:1");
    Ok(Scene::new(desk, &["record", "settle", &id, "tempat", "--entry", &entry]))
}

fn field_unknown() -> Made {
    let desk = register();
    let id = desk.activity(DESA, "Rapat");
    Ok(Scene::new(desk, &["record", "set", &id, "-f", "tidak_ada=Kembangsepatu"]))
}

fn person_with(change: (&str, Value)) -> Made {
    let desk = register();
    let mut person = Desk::marked_person();
    person.as_object_mut().unwrap().insert(change.0.to_owned(), change.1);
    let line = ["record", "add", "ppks", "--area", DESA, "--fields", "-"];
    let scene = Scene::new(desk, &line);
    Ok(Scene { stdin: person.to_string(), ..scene })
}

fn nik_too_short() -> Made {
    person_with(("nik", json!("320921450160900")))
}

fn code_that_is_none() -> Made {
    person_with(("jenis_kelamin", json!("081234509009")))
}

fn nik_excel() -> Made {
    person_with(("nik", json!("3,20921E+15")))
}

fn transition_invalid() -> Made {
    let desk = register();
    let id = desk.activity(DESA, "Rapat");
    desk.json(&["record", "set", &id, "-f", "status=batal"]).done();
    Ok(Scene::new(desk, &["record", "set", &id, "-f", "status=terlaksana"]))
}

fn area_outside() -> Made {
    let province = register();
    let desa = Desk::member(&province, DESA);
    let line = ["record", "add", "kegiatan", "--area", OTHER_DESA, "-f", "judul=x"];
    Ok(Scene::new(desa, &line))
}

fn invite_beside() -> Made {
    let province = register();
    let kabupaten = Desk::member(&province, "32.09");
    let file = kabupaten.path("u");
    Ok(Scene::new(kabupaten, &["invite", "--area", "32.09", "-o", &file]))
}

fn invite_in_a_desa() -> Made {
    let province = register();
    let desa = Desk::member(&province, DESA);
    let file = desa.path("u");
    Ok(Scene::new(desa, &["invite", "--area", DESA, "-o", &file]))
}

fn invite_with_more() -> Made {
    let province = register();
    let desk = Desk::member(&province, "32.09");
    let file = desk.path("u");
    Ok(Scene::new(desk, &["invite", "--area", DESA, "--rights", "write,erase", "-o", &file]))
}

/// A village, where it moves to, and the kecamatan it leaves.
const MOVING: &str = "32.09.39.2001";
const MOVED: &str = "32.09.21.2016";
const LEFT: &str = "32.09.39";

fn write_in_a_moved_area() -> Made {
    let province = Desk::province();
    let desk = Desk::member(&province, LEFT);
    province.json(&["area", "rehome", MOVING, MOVED]).done();
    province.carry_to(&desk);
    let line = ["record", "add", "ppks", "--area", MOVED, "--fields", "-"];
    let scene = Scene::new(desk, &line);
    Ok(Scene { stdin: Desk::marked_person().to_string(), ..scene })
}

fn build_on_quarantined() -> Made {
    let province = Desk::province();
    let desk = Desk::member(&province, LEFT);
    province.json(&["area", "rehome", MOVING, MOVED]).done();
    let id = desk.activity(MOVING, "Terlambat");
    desk.carry_to(&province);
    Ok(Scene::new(province, &["record", "set", &id, "-f", "tempat=Balai"]))
}

fn build_on_waiting() -> Made {
    let (province, desk) = (register(), Desk::empty());
    let file = province.path("undangan");
    province.json(&["invite", "--area", DESA, "-o", &file]).done();
    desk.json(&["join", "--invitation", &file]).done();
    let id = desk.activity(DESA, "Menunggu");
    desk.carry_to(&province);
    Ok(Scene::new(province, &["record", "set", &id, "-f", "tempat=Balai"]))
}

fn settle_by_a_replaced_entry() -> Made {
    let desk = register();
    let id = desk.activity(DESA, "Rapat");
    let written = desk.json(&["record", "set", &id, "-f", "tempat=Masjid"]).done();
    desk.json(&["record", "set", &id, "-f", "tempat=Balai"]).done();
    let entry = written.get("entry").unwrap().get("id").unwrap().as_str().unwrap().to_owned();
    Ok(Scene::new(desk, &["record", "settle", &id, "tempat", "--entry", &entry]))
}

fn foreign(what: &str) -> Made {
    let desk = register();
    let file = desk.write("foto.jpg", b"\xff\xd8\xff\xe0 not a bundle, whatever its name");
    Ok(Scene::new(desk, &["bundle", what, &file]))
}

/// Importing the province's own bundle after its bytes were changed.
fn bundle_with(change: impl Fn(&mut Vec<u8>)) -> Made {
    let desk = register();
    let whole = desk.path("utuh.wksbm");
    desk.json(&["bundle", "export", "--all", "-o", &whole]).done();
    let mut bytes = std::fs::read(&whole).unwrap();
    change(&mut bytes);
    let file = desk.write("rusak.wksbm", bytes);
    Ok(Scene::new(desk, &["bundle", "import", &file]))
}

/// Joining with an invitation whose bytes were changed.
fn join_with(change: impl Fn(&[u8]) -> Vec<u8>) -> Made {
    let (province, desk) = (register(), Desk::empty());
    let whole = province.path("undangan");
    province.json(&["invite", "--area", "32.09", "-o", &whole]).done();
    let file = desk.write("undangan", change(&std::fs::read(&whole).unwrap()));
    Ok(Scene::new(desk, &["join", "--invitation", &file]))
}

fn flip(bytes: &mut [u8], at: usize) {
    *bytes.get_mut(at).unwrap() ^= 0xff;
}

fn set(bytes: &mut [u8], at: usize, value: u8) {
    *bytes.get_mut(at).unwrap() = value;
}

fn keys_altered() -> Made {
    let desk = register();
    let path = desk.data().join("keys/device.key");
    let mut bytes = std::fs::read(&path).unwrap();
    flip(&mut bytes, 30);
    std::fs::write(&path, bytes).unwrap();
    Ok(Scene::new(desk, &["record", "list"]))
}

fn damage() -> Made {
    let desk = register();
    fixtures::alter_an_entry(&desk.data().join("feed.redb"));
    Ok(Scene::new(desk, &["verify"]))
}

fn store_of_zeros() -> Made {
    let desk = register();
    let path = desk.data().join("feed.redb");
    let length = std::fs::metadata(&path).unwrap().len();
    std::fs::write(&path, vec![0; usize::try_from(length).unwrap()]).unwrap();
    Ok(Scene::new(desk, &["status"]))
}

fn keys_of_another() -> Made {
    let (desk, other) = (register(), Desk::province());
    let key = |desk: &Desk| desk.data().join("keys/device.key");
    std::fs::copy(key(&other), key(&desk)).unwrap();
    Ok(Scene::new(desk, &["record", "add", "kegiatan", "--area", DESA, "-f", "judul=x"]))
}

fn no_right_to_write() -> Made {
    let province = register();
    let desk = Desk::member_with(&province, "32.09", &["--rights", "read:open,carry"]);
    Ok(Scene::new(desk, &["record", "add", "kegiatan", "--area", DESA, "-f", "judul=x"]))
}

fn no_right_to_issue() -> Made {
    let province = register();
    let desk = Desk::member_with(&province, "32.09", &["--rights", "write,read:open,carry"]);
    let file = desk.path("u");
    Ok(Scene::new(desk, &["invite", "--area", DESA, "-o", &file]))
}

fn closed_itself() -> Made {
    let province = register();
    let desk = Desk::member(&province, "32.09");
    desk.json(&["member", "close"]).done();
    Ok(Scene::new(desk, &["record", "add", "kegiatan", "--area", DESA, "-f", "judul=x"]))
}

fn revoked_by_the_province() -> Made {
    let province = register();
    let desk = Desk::member(&province, "32.09");
    fixtures::revoke(&province.data(), &desk.device());
    province.carry_to(&desk);
    let state = desk.json(&["status"]).done();
    assert_eq!(state.get("state").unwrap(), "revoked");
    Ok(Scene::new(desk, &["record", "add", "kegiatan", "--area", DESA, "-f", "judul=x"]))
}

fn keystore_locked() -> Made {
    let desk = register();
    std::fs::remove_file(desk.data().join("keys/device.key")).unwrap();
    Ok(Scene::new(desk, &["record", "list"]))
}

fn bundle_of(desk: &Desk) -> String {
    let file = desk.path("paket.wksbm");
    desk.json(&["bundle", "export", "--all", "-o", &file]).done();
    file
}

fn network_other() -> Made {
    let (desk, other) = (register(), register());
    let file = bundle_of(&other);
    Ok(Scene::new(desk, &["bundle", "import", &file]).keeping(other))
}

fn network_other_second() -> Made {
    let (province, other) = (register(), register());
    let desk = Desk::member(&province, "32.09");
    province.activity(DESA, "Rapat");
    let (ours, theirs) = (bundle_of(&province), bundle_of(&other));
    let scene = Scene::new(desk, &["bundle", "import", &ours, &theirs]);
    Ok(scene.keeping(other).keeping(province))
}

fn already_joined() -> Made {
    let desk = register();
    let file = desk.path("undangan");
    desk.json(&["invite", "--area", "32.09", "-o", &file]).done();
    Ok(Scene::new(desk, &["join", "--invitation", &file]))
}

fn invitation_used() -> Made {
    let province = register();
    let file = province.path("undangan");
    province.json(&["invite", "--area", "32.09", "-o", &file]).done();
    let join = |_| {
        let desk = Desk::empty();
        desk.json(&["join", "--invitation", &file]).done();
        desk.carry_to(&province);
        desk.device()
    };
    let [first, second] = [1, 2].map(join);
    province.json(&["member", "confirm", &first]).done();
    Ok(Scene::new(province, &["member", "confirm", &second]))
}

fn store_locked() -> Made {
    let desk = register();
    let holder = fixtures::Holder::of(&desk.data().join("feed.redb"));
    Ok(Scene::new(desk, &["record", "list"]).keeping(holder))
}

fn store_newer() -> Made {
    let desk = register();
    fixtures::make_newer(&desk.data().join("feed.redb"));
    Ok(Scene::new(desk, &["record", "list"]))
}

/// A register too large for the small sticks below.
fn large_register() -> Desk {
    let desk = register();
    let line = ["synth", "--preset", "desa", "--seed", "3", "--into-node", "--records", "150"];
    desk.json(&line).done();
    desk
}

fn bundle_on_a_full_stick() -> Made {
    let stick = Mount::small("16k")?;
    let file = stick.path("paket.wksbm");
    let desk = large_register();
    desk.watch(stick.folder());
    // Whatever receipts an export renews are written before.
    bundle_of(&desk);
    Ok(Scene::new(desk, &["bundle", "export", "--all", "-o", &file]).keeping(stick))
}

fn invitation_on_a_full_stick() -> Made {
    let stick = Mount::small("16k")?;
    let file = stick.path("undangan");
    std::fs::write(stick.path("penuh"), vec![0; 16_384]).unwrap();
    let desk = register();
    desk.watch(stick.folder());
    let scene = Scene::new(desk, &["invite", "--area", "32.09", "-o", &file]).keeping(stick);
    Ok(scene)
}

fn synth_on_a_full_stick() -> Made {
    let stick = Mount::small("16k")?;
    let file = stick.path("orang.jsonl");
    let desk = Desk::empty();
    desk.watch(stick.folder());
    let line = ["synth", "--preset", "desa", "--seed", "1", "--records", "100", "--jsonl", &file];
    Ok(Scene::new(desk, &line).keeping(stick))
}

fn below_a_file(what: &str) -> Made {
    let desk = register();
    let file = format!("{}/paket", desk.write("berkas", b"x"));
    bundle_of(&desk);
    let line: &[&str] = match what {
        "bundle" => &["bundle", "export", "--all", "-o", &file],
        _ => &["invite", "--area", "32.09", "-o", &file],
    };
    Ok(Scene::new(desk, line))
}

fn bundle_on_a_locked_stick() -> Made {
    let stick = Mount::small("1m")?;
    stick.lock();
    let file = stick.path("paket.wksbm");
    let desk = register();
    bundle_of(&desk);
    desk.watch(stick.folder());
    Ok(Scene::new(desk, &["bundle", "export", "--all", "-o", &file]).keeping(stick))
}

fn data_on_a_locked_stick() -> Made {
    let stick = Mount::small("32m")?;
    let desk = register();
    desk.move_data(&stick.folder().join("data"));
    stick.lock();
    let line = ["record", "add", "kegiatan", "--area", DESA, "-f", "judul=x", "-f", "jenis=rapat"];
    let more = ["-f", "kode_program=G.5.1.4", "-f", "tanggal=2026-03-01"];
    Ok(Scene::new(desk, &[&line[..], &more].concat()).keeping(stick))
}

fn folder_without_the_right() -> Made {
    let desk = register();
    bundle_of(&desk);
    let folder = fixtures::without_the_right_to_write(&desk.path("milik-lain"))?;
    Ok(Scene::new(desk, &["bundle", "export", "--all", "-o", &format!("{folder}/paket.wksbm")]))
}

fn cut_bundle() -> Made {
    let province = register();
    let desk = Desk::member(&province, "32.09");
    for number in 0..3 {
        province.activity(DESA, &format!("Rapat {number}"));
    }
    let bytes = std::fs::read(bundle_of(&province)).unwrap();
    let file = desk.write("potong.wksbm", bytes.get(..bytes.len() - 30).unwrap());
    let scene = Scene::new(desk, &["bundle", "import", &file]);
    Ok(Scene { leaves: Leaves::WholeEntries, ..scene })
}

/// The kabupaten knows what the province holds and writes only the rest; a desk that stands where
/// the province stood before cannot begin there.
fn bundle_without_its_beginning() -> Made {
    let province = register();
    let kabupaten = Desk::member(&province, "32.09");
    let before = province.copy();
    kabupaten.activity(DESA, "Rapat 1");
    kabupaten.carry_to(&province);
    let file = province.path("jawaban.wksbm");
    province.json(&["bundle", "export", "--for", &kabupaten.device(), "-o", &file]).done();
    kabupaten.json(&["bundle", "import", &file]).done();
    kabupaten.activity(DESA, "Rapat 2");
    let rest = kabupaten.path("sisa.wksbm");
    kabupaten.json(&["bundle", "export", "--for", &province.device(), "-o", &rest]).done();
    let scene = Scene::new(before, &["bundle", "import", &rest]).keeping(kabupaten);
    Ok(Scene { leaves: Leaves::WholeEntries, ..scene })
}

fn interrupted(line: &[&str], leaves: Leaves) -> Made {
    let scene = on(line)?;
    bundle_of(&scene.desk);
    Ok(Scene { interrupted: true, leaves, ..scene })
}

fn interrupted_import() -> Made {
    let province = register();
    let desk = Desk::member(&province, "32.09");
    province.activity(DESA, "Rapat");
    let file = bundle_of(&province);
    let scene = Scene::new(desk, &["bundle", "import", &file]).keeping(province);
    Ok(Scene { interrupted: true, leaves: Leaves::WholeEntries, ..scene })
}
