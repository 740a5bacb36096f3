//! What counts may rest on what does not count any more: on an edit of a device that was closed before
//! anybody else had it, of a kecamatan that lost the desa, on the branch of a fork that ended. Whoever
//! has equal roots shows equal registers all the same.

use node::node::{ExportTarget, ListAsk};
use node::progress::Unwatched;
use tests::office::{Office, Town};
use tests::wires::Wires;

const DESA: &str = "32.09.39.2001";
const DESA_NOW: &str = "32.09.21.2016";
const OLD: &str = "32.09.39";
const NEW: &str = "32.09.21";

/// A kabupaten, a kecamatan, and two devices of one desa.
struct Scene {
    town: Town,
    kabupaten: Office,
    kecamatan: Office,
    desa: Office,
    second: Office,
    /// Devices that came late so far.
    late: usize,
}

impl Scene {
    fn new(seed: u64) -> Self {
        let mut town = Town::new(seed);
        let mut province = town.province();
        let mut kabupaten = town.member(&mut province, "kabupaten", "32.09");
        let mut kecamatan = town.member(&mut kabupaten, "kecamatan", OLD);
        let desa = town.member(&mut kecamatan, "desa", DESA);
        let second = town.member(&mut kecamatan, "desa-kedua", DESA);
        brought(&mut kecamatan, &mut kabupaten);
        Self { town, kabupaten, kecamatan, desa, second, late: 0 }
    }

    /// The desa's first device is closed by somebody who does not hold what it wrote last.
    fn closes_desa(&mut self) {
        let device = self.desa.node().device().to_string();
        self.kabupaten.node().close_member(&device).unwrap();
        brought(&mut self.kabupaten, &mut self.kecamatan);
    }

    /// What the kecamatan holds goes up, down to the second device, and to one that comes new.
    fn agrees(&mut self, record: &str) {
        brought(&mut self.kecamatan, &mut self.kabupaten);
        brought(&mut self.kabupaten, &mut self.second);
        let name: &'static str = format!("baru-{}", self.late).leak();
        self.late += 1;
        let mut late = self.town.member(&mut self.kecamatan, name, DESA);
        for other in [&mut self.kabupaten, &mut self.second] {
            brought(&mut self.kecamatan, other);
        }
        brought(&mut self.kabupaten, &mut late);
        let here = [&mut self.kecamatan, &mut self.kabupaten, &mut self.second, &mut late];
        agree(here, DESA, record);
    }
}

/// All that one gives everybody goes to another.
fn brought(from: &mut Office, to: &mut Office) {
    let files = from.export(ExportTarget::All);
    to.import(&files);
}

/// Equal roots, equal lists, and one record shown alike; nothing waits, nothing is damaged.
fn agree<const N: usize>(mut offices: [&mut Office; N], area: &str, record: &str) {
    let mut seen = Vec::new();
    for office in &mut offices {
        let (name, root) = (office.name, office.root(area));
        let node = office.node();
        let list = node.record_list(&ListAsk { limit: 100, ..ListAsk::default() }).unwrap();
        let list = serde_json::to_string(&list).unwrap();
        let shown = serde_json::to_string(&node.record_show(record, None).unwrap()).unwrap();
        assert_eq!(node.status().unwrap().waiting_deps, 0, "{name} waits");
        assert!(node.verify(false, &mut Unwatched).unwrap().ok, "{name}");
        seen.push((name, root, list, shown));
    }
    let (first, others) = seen.split_first().unwrap();
    for other in others {
        assert_eq!((&first.1, &first.2, &first.3), (&other.1, &other.2, &other.3), "{}", other.0);
    }
}

#[test]
fn an_edit_on_what_a_device_wrote_last_is_shown_wherever_it_counts() {
    let mut scene = Scene::new(70);
    let record = scene.kecamatan.activity(DESA, "awal");
    for other in [&mut scene.desa, &mut scene.second, &mut scene.kabupaten] {
        brought(&mut scene.kecamatan, other);
    }
    scene.desa.set(&record, &[("judul", "dari desa")]);
    brought(&mut scene.desa, &mut scene.kecamatan);
    scene.kecamatan.set(&record, &[("judul", "dari kecamatan"), ("tempat", "aula")]);
    scene.closes_desa();
    scene.agrees(&record);
    let shown = scene.kabupaten.node().record_show(&record, None).unwrap();
    assert!(serde_json::to_string(&shown).unwrap().contains("dari kecamatan"));
    // What is saved on it afterwards is no conflict anywhere.
    scene.kabupaten.set(&record, &[("judul", "dari kabupaten")]);
    brought(&mut scene.kabupaten, &mut scene.kecamatan);
    scene.agrees(&record);
    let conflicts = scene.second.node().status().unwrap().conflicts;
    assert_eq!(conflicts, 0);
}

#[test]
fn a_record_of_a_closed_device_that_somebody_went_on_with_is_listed_everywhere() {
    let mut scene = Scene::new(71);
    let record = scene.desa.activity(DESA, "baru");
    brought(&mut scene.desa, &mut scene.kecamatan);
    scene.kecamatan.set(&record, &[("tempat", "aula")]);
    scene.closes_desa();
    scene.agrees(&record);
    scene.second.set(&record, &[("judul", "dari perangkat kedua")]);
    brought(&mut scene.second, &mut scene.kecamatan);
    scene.agrees(&record);
}

#[test]
fn an_edit_on_what_the_old_kecamatan_wrote_before_a_move_is_shown_wherever_it_counts() {
    let mut scene = Scene::new(72);
    let record = scene.desa.activity(DESA, "awal");
    for other in [&mut scene.kecamatan, &mut scene.second, &mut scene.kabupaten] {
        brought(&mut scene.desa, other);
    }
    scene.kecamatan.set(&record, &[("judul", "dari kecamatan lama")]);
    brought(&mut scene.kecamatan, &mut scene.desa);
    scene.desa.set(&record, &[("judul", "dari desa"), ("tempat", "aula")]);
    let mut new = scene.town.member(&mut scene.kabupaten, "kecamatan-baru", NEW);
    scene.kabupaten.node().rehome(DESA, DESA_NOW).unwrap();
    for other in [&mut scene.kecamatan, &mut scene.desa, &mut new] {
        brought(&mut scene.kabupaten, other);
    }
    brought(&mut scene.desa, &mut scene.kabupaten);
    brought(&mut scene.kabupaten, &mut new);
    let mut late = scene.town.member(&mut new, "baru", DESA_NOW);
    for other in [&mut scene.second, &mut scene.desa, &mut scene.kabupaten] {
        brought(&mut new, other);
    }
    agree(
        [&mut new, &mut late, &mut scene.second, &mut scene.kabupaten, &mut scene.desa],
        DESA_NOW,
        &record,
    );
}

#[test]
fn an_edit_on_the_branch_of_a_fork_that_ended_is_shown_wherever_it_counts() {
    let mut scene = Scene::new(73);
    let record = scene.desa.activity(DESA, "awal");
    let mut copy = scene.town.clone_of(&mut scene.desa, "salinan");
    copy.set(&record, &[("judul", "cabang pendek")]);
    for title in ["satu", "dua", "tiga"] {
        scene.desa.activity(DESA, title);
    }
    for from in [&mut scene.desa, &mut copy] {
        brought(from, &mut scene.kecamatan);
    }
    scene.kecamatan.set(&record, &[("tempat", "aula")]);
    let device = scene.desa.node().device().to_string();
    scene.kecamatan.node().close_member(&device).unwrap();
    assert!(scene.kecamatan.node().status().unwrap().quarantined > 0, "a branch ended");
    scene.agrees(&record);
}

#[test]
fn sessions_call_nobody_equal_who_lacks_what_counts_rests_on() {
    for dials_up in [true, false] {
        let mut scene = Scene::new(74);
        let record = scene.desa.activity(DESA, "baru");
        brought(&mut scene.desa, &mut scene.kecamatan);
        scene.kecamatan.set(&record, &[("tempat", "aula")]);
        scene.closes_desa();
        let mut wires = Wires::default();
        let [kecamatan, kabupaten, second] =
            [scene.kecamatan, scene.kabupaten, scene.second].map(|office| wires.add(office));
        for (from, to) in [(kecamatan, kabupaten), (second, kecamatan)] {
            if dials_up {
                wires.dial(from, to)
            } else {
                wires.dial(to, from)
            };
            wires.wait(30_000);
        }
        assert_eq!(wires.sessions(second).last(), Some(&true));
        let mut offices = wires.desks.iter_mut().map(|desk| &mut desk.office);
        let three = [offices.next(), offices.next(), offices.next()].map(Option::unwrap);
        agree(three, DESA, &record);
    }
}

/// The same after the views were thrown away, and after a new start.
#[test]
fn what_is_rested_on_is_found_again_by_whoever_opens_the_folder() {
    let mut scene = Scene::new(75);
    let record = scene.desa.activity(DESA, "baru");
    brought(&mut scene.desa, &mut scene.kecamatan);
    scene.kecamatan.set(&record, &[("tempat", "aula")]);
    scene.closes_desa();
    let root = scene.kecamatan.root(DESA);
    scene.kecamatan.shut();
    scene.kecamatan.open();
    assert_eq!(scene.kecamatan.root(DESA), root);
    scene.kecamatan.shut();
    std::fs::remove_file(scene.kecamatan.folder().join("view.redb")).unwrap();
    scene.kecamatan.open();
    assert_eq!(scene.kecamatan.root(DESA), root);
    scene.agrees(&record);
}
