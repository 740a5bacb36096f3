//! Stores that rotted: what leaves them is whole, and what does not leave is named.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crdt_schema::id::{DeviceId, Space};
use node::answer::{BundleExport, ImportedFile, ROTTEN_HERE, Verify};
use node::error::{ErrorKind, NodeError};
use node::guard::guarded;
use node::node::{Environment, ExportAsk, ExportTarget, Node};
use node::progress::Unwatched;
use tempfile::TempDir;
use tests::office::{Office, Town, asks};
use tests::wires::Wires;

const KECAMATAN: &str = "32.09.21";
const VILLAGES: [&str; 2] = ["32.09.21.2001", "32.09.21.2002"];
/// Saves of each village: two runs and the beginning of a third.
const SAVES: usize = 150;
/// Bytes of a page of redb.
const PAGE_BYTES: usize = 4_096;

/// A kecamatan that holds what two villages wrote, and the province, which holds none of it.
fn offices(town: &mut Town) -> (Office, Office) {
    let mut province = town.province();
    let mut kecamatan = town.member(&mut province, "kecamatan", KECAMATAN);
    for (name, village) in ["desa-satu", "desa-dua"].into_iter().zip(VILLAGES) {
        let mut desa = town.member(&mut kecamatan, name, village);
        for number in 0..SAVES {
            let title = format!("Rapat {number} {}", blake3::hash(&number.to_be_bytes()));
            let fields = [
                ("judul", title.as_str()),
                ("kode_program", "G.1.2"),
                ("jenis", "rapat"),
                ("tanggal", "2026-11-02"),
            ];
            desa.add("kegiatan", village, &fields);
        }
        desa.carry_to(&mut kecamatan);
    }
    (province, kecamatan)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|it| (it.path(), it.file_name())).unwrap();
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

/// Copies of an office's folder, each with one byte of its feed store changed.
struct Rotting {
    room: TempDir,
    folder: PathBuf,
    whole: Vec<u8>,
    env: Environment,
}

impl Rotting {
    fn of(office: &mut Office) -> Self {
        office.shut();
        let whole = fs::read(office.folder().join("feed.redb")).unwrap();
        let folder = office.folder().to_owned();
        Self { room: TempDir::new().unwrap(), folder, whole, env: office.environment() }
    }

    /// Places in pages that are used, so many in each.
    fn places(&self, in_page: usize) -> Vec<usize> {
        let pages = self.whole.chunks(PAGE_BYTES).enumerate().skip(1);
        let used = pages.filter(|(_, page)| page.iter().any(|byte| *byte != 0));
        let within =
            |page: usize| (0..in_page).map(move |nth| (700 + page * 977 + nth * 1_301) % 4_000);
        used.flat_map(|(page, _)| within(page).map(move |at| page * PAGE_BYTES + at)).collect()
    }

    /// A folder in which the byte at `place` rotted.
    fn folder(&self, place: usize) -> PathBuf {
        let folder = self.room.path().join(place.to_string());
        copy(&self.folder, &folder);
        let mut bytes = self.whole.clone();
        *bytes.get_mut(place).unwrap() ^= 0x10;
        fs::write(folder.join("feed.redb"), &bytes).unwrap();
        folder
    }

    fn export(&self, folder: &Path) -> Result<BundleExport, NodeError> {
        let done = guarded(|| {
            let mut node = Node::open(folder, self.env.clone())?;
            let ask =
                ExportAsk { target: ExportTarget::All, clear: true, whole: false, max_bytes: None };
            node.bundle_export(&ask, &folder.with_extension("wksbm"), &mut Unwatched)
        });
        done.unwrap_or_else(|_| Err(Node::damage_in(folder).unwrap()))
    }

    fn verify(&self, folder: &Path) -> Verify {
        Node::verify_folder(folder, &self.env, false, &mut Unwatched).unwrap()
    }
}

#[test]
fn a_bundle_of_a_rotten_store_holds_what_is_whole_and_names_the_rest() {
    let mut town = Town::new(71);
    let (mut province, mut kecamatan) = offices(&mut town);
    let rotting = Rotting::of(&mut kecamatan);
    let untouched = rotting.room.path().join("utuh");
    copy(&rotting.folder, &untouched);
    let whole = rotting.export(&untouched).unwrap();
    assert_eq!(whole.missing, Vec::new());
    province.shut();
    let mut told = 0;
    for place in rotting.places(1) {
        let folder = rotting.folder(place);
        let made = match rotting.export(&folder) {
            Ok(made) => made,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Damage, "at {place}: {error}");
                continue;
            }
        };
        let lost: u64 = made.missing.iter().map(|run| run.to + 1 - run.from).sum();
        assert_eq!(made.entries + lost, whole.entries, "at {place}: {:?}", made.missing);
        // Nobody who reads it is handed anything that is not what was written.
        let reader = folder.with_extension("pembaca");
        copy(province.folder(), &reader);
        let mut node = Node::open(&reader, province.environment()).unwrap();
        let files: Vec<PathBuf> = made.files.iter().map(PathBuf::from).collect();
        let taken = node.bundle_import(&files, &mut Unwatched).unwrap();
        for file in &taken.files {
            assert!(file.rejected.is_empty(), "at {place}: {:?}", file.rejected);
            assert_eq!(file.entries, made.entries);
            assert!(!made.missing.is_empty() || file.pending == 0, "at {place}: {file:?}");
        }
        let inspected = Node::bundle_inspect(&files[0], None).unwrap();
        assert!(inspected.whole, "at {place}");
        if !made.missing.is_empty() {
            told += 1;
            let found = rotting.verify(&folder);
            assert!(!found.ok);
            for run in &made.missing {
                let named = found.damage.iter().find(|it| {
                    it.feed == Some(run.feed)
                        && it.seq.is_some_and(|seq| seq <= run.to)
                        && it.to.is_some_and(|to| to >= run.from)
                });
                // A run behind one that cannot be read is whole and cannot be checked.
                let before =
                    made.missing.iter().any(|it| it.feed == run.feed && it.to + 1 == run.from);
                assert!(named.is_some() || before, "at {place}: {run:?} {:?}", found.damage);
                if let Some(named) = named {
                    assert_eq!((named.device, named.area), (Some(run.device), Some(run.area.area)));
                }
            }
        }
        fs::remove_dir_all(&folder).unwrap();
        fs::remove_dir_all(&reader).unwrap();
    }
    assert!(told > 3, "{told} bundles named what they lack");
}

#[test]
fn nothing_is_acknowledged_behind_what_rotted_of_the_own_feed() {
    let mut town = Town::new(73);
    let mut province = town.province();
    let village = VILLAGES[0];
    let mut desa = town.member(&mut province, "desa", village);
    let asked = |number: usize| {
        let title = format!("Rapat {number} {}", blake3::hash(&number.to_be_bytes()));
        let day = ("tanggal", "2026-11-02");
        asks(&[("judul", &title), ("kode_program", "G.1.2"), ("jenis", "rapat"), day])
    };
    for number in 0..SAVES {
        desa.node().record_add("kegiatan", village, 0, &asked(number)).unwrap();
    }
    let me = desa.node().device();
    let rotting = Rotting::of(&mut desa);
    let mut refused = 0;
    for place in rotting.places(1) {
        let folder = rotting.folder(place);
        let saved = guarded(|| {
            let mut node = Node::open(&folder, rotting.env.clone())?;
            node.record_add("kegiatan", village, 0, &asked(SAVES))
        });
        match saved.unwrap_or_else(|_| Err(Node::damage_in(&folder).unwrap())) {
            // What is acknowledged leaves with everything before it.
            Ok(_) => {
                if let Ok(made) = rotting.export(&folder) {
                    assert!(made.missing.iter().all(|run| run.device != me), "at {place}");
                }
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Damage, "at {place}: {error}");
                refused += 1;
            }
        }
        fs::remove_dir_all(&folder).unwrap();
    }
    assert!(refused > 0);
}

#[test]
fn a_rotten_run_is_not_sent_to_a_peer_and_everything_else_is() {
    let mut town = Town::new(72);
    let (province, mut kecamatan) = offices(&mut town);
    let rotting = Rotting::of(&mut kecamatan);
    // A byte of a block in the middle of the first village's feed.
    let rotten = rotting.places(4).into_iter().find_map(|place| {
        let folder = rotting.folder(place);
        let made = rotting.export(&folder).ok()?;
        let [run] = made.missing.as_slice() else { return None };
        (run.from == 65).then(|| (folder, run.clone()))
    });
    let (folder, run) = rotten.unwrap();
    fs::copy(folder.join("feed.redb"), kecamatan.folder().join("feed.redb")).unwrap();
    kecamatan.open();
    let mut wires = Wires::default();
    let (from, to) = (wires.add(kecamatan), wires.add(province));
    wires.dial(from, to);
    let province = wires.desks[to].office.node();
    let held: Vec<(bool, u64)> = province
        .replica()
        .feeds()
        .filter(|feed| feed.name.space == Space::Records)
        .map(|feed| (feed.name.id() == run.feed, feed.branches[0].head.point.seq))
        .collect();
    assert!(held.contains(&(true, 64)), "{held:?}");
    assert!(held.contains(&(false, SAVES as u64)), "{held:?}");
    assert!(province.verify(false, &mut Unwatched).unwrap().ok);
}

/// A bundle brings one more save of each village to a kecamatan of which one byte rotted.
#[test]
fn what_rotted_of_one_village_keeps_nothing_of_another_from_coming() {
    let mut town = Town::new(75);
    let mut province = town.province();
    let mut kecamatan = town.member(&mut province, "kecamatan", KECAMATAN);
    let (mut files, mut devices) = (Vec::new(), Vec::new());
    for (name, village) in ["desa-satu", "desa-dua"].into_iter().zip(VILLAGES) {
        let mut desa = town.member(&mut kecamatan, name, village);
        let old = desa.activity(village, &title(0));
        for number in 1..SAVES {
            desa.activity(village, &title(number));
        }
        desa.carry_to(&mut kecamatan);
        // What leans on the first entry, and what leans on nothing.
        desa.set(&old, &[("tempat", "aula")]);
        desa.activity(village, &title(SAVES));
        files.extend(desa.export(ExportTarget::All));
        devices.push(desa.node().device());
    }
    let rotting = Rotting::of(&mut kecamatan);
    let (mut refused, mut beside) = (0, 0);
    for place in rotting.places(3) {
        let folder = rotting.folder(place);
        let found = rotting.verify(&folder);
        // Of one village's feed something rotted, of the other's nothing.
        let rotten: BTreeSet<DeviceId> = found.damage.iter().filter_map(|it| it.device).collect();
        let whole: Vec<&DeviceId> = devices.iter().filter(|it| !rotten.contains(*it)).collect();
        let [whole] = whole[..] else { continue };
        let taken = guarded(|| {
            let mut node = Node::open(&folder, rotting.env.clone())?;
            let taken = node.bundle_import(&files, &mut Unwatched)?;
            let of_whole = node.replica().feeds().filter(|feed| feed.name.device == *whole);
            let records = of_whole.filter(|feed| feed.name.space == Space::Records);
            let newest = records.map(|feed| feed.branches[0].head.point.seq).max();
            Ok::<_, NodeError>((taken, newest))
        });
        let (taken, newest) = taken.unwrap().unwrap_or_else(|error| panic!("at {place}: {error}"));
        assert_eq!(newest, Some(SAVES as u64 + 2), "at {place}");
        // It is never the village's fault.
        let blamed = |file: &ImportedFile| {
            ["broken_chain", "signature", "unreadable"]
                .iter()
                .any(|it| file.rejected.contains_key(*it))
        };
        assert!(!taken.files.iter().any(blamed), "at {place}: {:?}", taken.files);
        refused += usize::from(taken.files.iter().any(|it| it.rejected.contains_key(ROTTEN_HERE)));
        beside += 1;
        fs::remove_dir_all(&folder).unwrap();
    }
    assert!(beside > 3 && refused > 0, "{refused} of {beside}");
}

fn title(number: usize) -> String {
    format!("Rapat {number} {}", blake3::hash(&number.to_be_bytes()))
}

/// The province closes a device of which it holds two thirds, and the way to that end rots.
#[test]
fn a_store_in_which_a_closed_feed_rotted_opens_and_gives_away_what_is_whole() {
    let mut town = Town::new(74);
    let mut province = town.province();
    let mut kecamatan = town.member(&mut province, "kecamatan", KECAMATAN);
    let mut desas = ["desa-satu", "desa-dua"].into_iter().zip(VILLAGES).map(|(name, village)| {
        let mut desa = town.member(&mut kecamatan, name, village);
        for number in 0..100 {
            desa.activity(village, &title(number));
        }
        desa.carry_to(&mut kecamatan);
        desa
    });
    let (mut first, _) = (desas.next().unwrap(), desas.next().unwrap());
    let closed = first.node().device();
    drop(desas);
    kecamatan.carry_to(&mut province);
    for number in 100..SAVES {
        first.activity(VILLAGES[0], &title(number));
    }
    first.carry_to(&mut kecamatan);
    province.node().close_member(&closed.to_string()).unwrap();
    province.carry_to(&mut kecamatan);
    assert!(kecamatan.node().status().unwrap().quarantined > 0);

    let rotting = Rotting::of(&mut kecamatan);
    let untouched = rotting.room.path().join("utuh");
    copy(&rotting.folder, &untouched);
    let whole = rotting.export(&untouched).unwrap();
    let mut told = 0;
    for place in rotting.places(4) {
        let folder = rotting.folder(place);
        let Ok(made) = rotting.export(&folder) else { continue };
        let of_closed = made.missing.iter().any(|run| run.device == closed && run.from <= 64);
        if of_closed {
            told += 1;
            let lost: u64 = made.missing.iter().map(|run| run.to + 1 - run.from).sum();
            assert!(made.entries + lost >= whole.entries, "at {place}: {:?}", made.missing);
            assert!(!rotting.verify(&folder).ok);
        }
        fs::remove_dir_all(&folder).unwrap();
    }
    assert!(told > 0, "the way to the end of the closed feed rotted");
}
