//! Bundles that were altered, cut, cut into pieces, imported twice, half or in any order: what is
//! whole comes in, nothing else does, and the roots are equal at the end.
//!
//! What a damaged file still holds is worked out here from its frames alone, beside the reader
//! that is tested.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use crdt_schema::entry::{ChainPoint, PackedRun};
use crdt_schema::id::{EntryId, FeedId, FeedName, Space};
use node::answer::{BundleImport, BundleInspect, MissingRun};
use node::bundle::{
    BundleHeader, BundleReader, BundleWriter, Frame, HEADS_PER_FRAME, Piece, PiecePlan, Planner,
    RunSize, Unplannable,
};
use node::error::ErrorKind;
use node::node::{ExportAsk, ExportTarget, Node, SynthAsk};
use node::ports::FeedStore as _;
use node::progress::Unwatched;
use node::sync::HEADS_PER_FEED_MAX;
use tests::office::{Office, Town};

const KABUPATEN: &str = "32.09";
const DESA: [&str; 3] = ["32.09.39.2001", "32.09.39.2003", "32.09.21.2001"];
/// Bytes before the first frame: the magic and the version.
const START: usize = 9;
/// Bytes of a frame before and behind its payload.
const BEFORE: usize = 5;
const BEHIND: usize = 16;

/// A province that knows the kabupaten and holds nothing of what it wrote.
struct Scene {
    town: Town,
    kabupaten: Office,
    province: Office,
    /// A bundle of everything.
    bundle: PathBuf,
    frames: Vec<Placed>,
}

/// A frame and where it lies.
struct Placed {
    at: Range<usize>,
    frame: Frame,
}

impl Scene {
    fn new(seed: u64, records: u64) -> Self {
        let mut town = Town::new(seed);
        let mut province = town.province();
        let mut kabupaten = town.member(&mut province, "kabupaten", KABUPATEN);
        for (area, seed) in DESA.iter().zip(seed..) {
            let (preset, area) = ("desa".to_owned(), Some((*area).to_owned()));
            let ask = SynthAsk { preset, seed, records: Some(records), area };
            kabupaten.node().synth_into(&ask, &mut Unwatched).unwrap();
        }
        let bundle = kabupaten.export(ExportTarget::All).remove(0);
        let frames = frames(&std::fs::read(&bundle).unwrap());
        Self { town, kabupaten, province, bundle, frames }
    }

    /// A province as it was before it took anything.
    fn fresh(&mut self) -> Office {
        self.town.copy_of(&mut self.province)
    }

    /// Writes bytes beside the bundle.
    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.bundle.with_file_name(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Entries of records that remain when some frames are lost: runs count while their feed's
    /// frame and every run before them are whole.
    fn whole_without(&self, lost: &BTreeSet<usize>) -> u64 {
        let (mut feed, mut reached): (Option<FeedName>, BTreeMap<FeedName, u64>) =
            (None, BTreeMap::new());
        let mut whole = 0;
        for (number, placed) in self.frames.iter().enumerate() {
            match &placed.frame {
                Frame::Feed(name) => feed = Some(*name).filter(|_| !lost.contains(&number)),
                Frame::Run(_, run) if !lost.contains(&number) => {
                    let Some(name) = feed.filter(|name| name.space == Space::Records) else {
                        continue;
                    };
                    let block = run.block().unwrap();
                    let reached = reached.entry(name).or_default();
                    if block.first == *reached + 1 {
                        *reached = block.last();
                        whole += block.entries.len() as u64;
                    }
                }
                Frame::Run(..)
                | Frame::Header(_)
                | Frame::Statement(_)
                | Frame::Heads(_)
                | Frame::Receipt(_)
                | Frame::Contents(_)
                | Frame::End(_) => {}
            }
        }
        whole
    }

    /// Places of records whose runs, or their feed's frame, are lost; none where the list of what
    /// the file was written with is lost itself and no run behind tells of them.
    fn lost_places(&self, lost: &BTreeSet<usize>) -> BTreeSet<(FeedId, u64)> {
        let (mut feed, mut feed_lost) = (None, false);
        let mut places = BTreeSet::new();
        for (number, placed) in self.frames.iter().enumerate() {
            match &placed.frame {
                Frame::Feed(name) => (feed, feed_lost) = (Some(*name), lost.contains(&number)),
                Frame::Run(_, run) if feed_lost || lost.contains(&number) => {
                    let name = feed.filter(|name| name.space == Space::Records);
                    let block = run.block().unwrap();
                    let of_run = |name: FeedName| {
                        (block.first..=block.last()).map(move |place| (name.id(), place))
                    };
                    places.extend(name.into_iter().flat_map(of_run));
                }
                Frame::Run(..)
                | Frame::Header(_)
                | Frame::Statement(_)
                | Frame::Heads(_)
                | Frame::Receipt(_)
                | Frame::Contents(_)
                | Frame::End(_) => {}
            }
        }
        places
    }

    /// Whether a run is whole when some frames are lost.
    fn has_run_without(&self, lost: &BTreeSet<usize>) -> bool {
        let mut frames = self.frames.iter().enumerate();
        frames.any(|(number, placed)| {
            matches!(placed.frame, Frame::Run(..)) && !lost.contains(&number)
        })
    }

    /// All entries of records in the bundle.
    fn all(&self) -> u64 {
        self.whole_without(&BTreeSet::new())
    }

    /// A damaged file gives what is whole in it and names what it lost, and the whole one afterwards
    /// brings exactly the rest.
    fn gives(&mut self, file: &Path, lost: &BTreeSet<usize>, what: &str) {
        let mut office = self.fresh();
        let files = [file.to_path_buf()];
        if !self.has_run_without(lost) {
            let refused = office.node().bundle_import(&files, &mut Unwatched).unwrap_err();
            let length = std::fs::metadata(file).unwrap().len();
            let is_cut = length < std::fs::metadata(&self.bundle).unwrap().len();
            let wanted = if is_cut { ErrorKind::FileTruncated } else { ErrorKind::FileAltered };
            assert_eq!(refused.kind(), wanted, "{what}");
            assert_eq!(entries(&mut office), 0, "{what}");
            return;
        }
        let whole = self.whole_without(lost);
        let seen = inspect(file, &mut office);
        assert!(!seen.whole, "{what}: inspect says it is whole");
        let taken = office.import(&files);
        let length = std::fs::metadata(file).unwrap().len();
        let is_cut = length < std::fs::metadata(&self.bundle).unwrap().len();
        let told = &taken.files.first().unwrap().rejected;
        assert_eq!(told.get("cut").copied(), is_cut.then_some(1), "{what}: {taken:?}");
        assert_eq!(told.get("altered").copied(), (!is_cut).then_some(1), "{what}: {taken:?}");
        assert_eq!(new(&taken), whole, "{what}: {taken:?}");
        assert_eq!(entries(&mut office), whole, "{what}");
        let named = places(&taken.files.first().unwrap().missing);
        assert_eq!(named, self.lost_places(lost), "{what}: {taken:?}");
        assert!(office.node().verify(false, &mut Unwatched).unwrap().ok, "{what}");
        let rest = office.import(std::slice::from_ref(&self.bundle));
        assert_eq!(new(&rest), self.all() - whole, "{what}: {rest:?}");
        assert!(rest.files.iter().all(|file| file.missing.is_empty()), "{what}: {rest:?}");
        assert_eq!(office.root("32"), self.kabupaten.root("32"), "{what}");
    }
}

/// Each place that is named as missing.
fn places(missing: &[MissingRun]) -> BTreeSet<(FeedId, u64)> {
    let of_run = |run: &MissingRun| {
        let feed = run.feed;
        (run.from..=run.to).map(move |place| (feed, place))
    };
    missing.iter().flat_map(of_run).collect()
}

/// Frames by their lengths alone.
fn frames(bytes: &[u8]) -> Vec<Placed> {
    let (mut found, mut at) = (Vec::new(), START);
    while at < bytes.len() {
        let length: [u8; 4] = bytes.get(at + 1..at + BEFORE).unwrap().try_into().unwrap();
        let length = u32::from_be_bytes(length) as usize;
        let payload = bytes.get(at + BEFORE..at + BEFORE + length).unwrap();
        let frame = Frame::decode(*bytes.get(at).unwrap(), payload).unwrap().unwrap();
        let end = at + BEFORE + length + BEHIND;
        found.push(Placed { at: at..end, frame });
        at = end;
    }
    found
}

fn inspect(file: &Path, office: &mut Office) -> BundleInspect {
    Node::bundle_inspect(file, Some(office.node())).unwrap()
}

/// Entries an import brought.
fn new(done: &BundleImport) -> u64 {
    done.files.iter().map(|file| file.new).sum()
}

/// Entries of records that count.
fn entries(office: &mut Office) -> u64 {
    office.node().root(Some("32")).unwrap().entries
}

#[test]
fn a_bundle_altered_in_any_frame_gives_all_that_is_whole_and_nothing_else() {
    let mut scene = Scene::new(40, 12);
    let bytes = std::fs::read(&scene.bundle).unwrap();
    let places: Vec<Range<usize>> = scene.frames.iter().map(|placed| placed.at.clone()).collect();
    let kinds: BTreeSet<u8> = scene.frames.iter().map(|placed| placed.frame.encode().0).collect();
    assert!(kinds.is_superset(&BTreeSet::from([1, 2, 3, 4, 6, 7, 255])), "{kinds:?}");
    // The header is refused as a whole: `a_bundle_without_its_header_is_refused`.
    for (number, place) in places.iter().enumerate().skip(1) {
        for at in [place.start, place.start + BEFORE, place.end - 1] {
            let mut altered = bytes.clone();
            *altered.get_mut(at).unwrap() ^= 0x20;
            let file = scene.file(&format!("ubah-{at}.wksbm"), &altered);
            scene.gives(&file, &BTreeSet::from([number]), &format!("frame {number}, byte {at}"));
        }
    }
}

#[test]
fn a_length_that_was_altered_loses_what_comes_after_and_nothing_before() {
    let mut scene = Scene::new(41, 12);
    let bytes = std::fs::read(&scene.bundle).unwrap();
    for number in 1..scene.frames.len() {
        let at = scene.frames.get(number).unwrap().at.start + 1;
        let mut altered = bytes.clone();
        *altered.get_mut(at).unwrap() = 0xff;
        let file = scene.file(&format!("panjang-{number}.wksbm"), &altered);
        let lost = (number..scene.frames.len()).collect();
        scene.gives(&file, &lost, &format!("frame {number}"));
    }
}

#[test]
fn a_bundle_cut_between_or_inside_its_frames_gives_what_lies_before() {
    let mut scene = Scene::new(42, 12);
    let bytes = std::fs::read(&scene.bundle).unwrap();
    let places: Vec<Range<usize>> = scene.frames.iter().map(|placed| placed.at.clone()).collect();
    for (number, place) in places.iter().enumerate().skip(1) {
        for at in [place.start, place.start + 3, place.end - 1] {
            let file = scene.file(&format!("potong-{at}.wksbm"), bytes.get(..at).unwrap());
            let lost = (number..places.len()).collect();
            scene.gives(&file, &lost, &format!("cut at {at}, in frame {number}"));
        }
    }
}

#[test]
fn a_bundle_without_its_header_is_refused_and_named() {
    let mut scene = Scene::new(43, 1);
    let bytes = std::fs::read(&scene.bundle).unwrap();
    let header = scene.frames.first().unwrap().at.clone();
    let mut office = scene.fresh();
    for at in 0..header.end {
        let wanted = ErrorKind::FileTruncated;
        let cut = scene.file("potong.wksbm", bytes.get(..at).unwrap());
        let mut altered = bytes.clone();
        *altered.get_mut(at).unwrap() ^= 0x20;
        let altered = scene.file("ubah.wksbm", &altered);
        let refused = |office: &mut Office, file: &PathBuf| {
            let files = std::slice::from_ref(file);
            let import = office.node().bundle_import(files, &mut Unwatched).unwrap_err();
            let inspect = Node::bundle_inspect(file, None).unwrap_err();
            assert_eq!(import.kind(), inspect.kind(), "{at}");
            import.kind()
        };
        assert_eq!(refused(&mut office, &cut), wanted, "cut at {at}");
        let wanted = match at {
            0..8 => ErrorKind::FileForeign,
            8 => ErrorKind::FormatNewer,
            _ => ErrorKind::FileAltered,
        };
        assert_eq!(refused(&mut office, &altered), wanted, "{at}");
    }
    assert_eq!(entries(&mut office), 0);
}

#[test]
fn a_bundle_imported_twice_or_beside_its_half_counts_once() {
    let mut scene = Scene::new(44, 24);
    let bytes = std::fs::read(&scene.bundle).unwrap();
    let half = scene.file("separuh.wksbm", bytes.get(..bytes.len() / 2).unwrap());
    let whole = scene.bundle.clone();
    let all = scene.all();
    for files in [
        vec![whole.clone(), whole.clone()],
        vec![half.clone(), whole.clone()],
        vec![whole.clone(), half.clone()],
        vec![half.clone(), half, whole.clone()],
    ] {
        let mut office = scene.fresh();
        let together = office.import(&files);
        assert_eq!(new(&together), all, "{together:?}");
        let again = office.import(std::slice::from_ref(&whole));
        assert_eq!(new(&again), 0);
        let file = again.files.first().unwrap();
        assert_eq!((file.duplicate, file.pending), (file.entries, 0));
        assert_eq!(office.root("32"), scene.kabupaten.root("32"));
        assert_eq!(inspect(&whole, &mut office).new_here, Some(0));
    }
}

/// What a bundle consists of.
struct Parts {
    header: BundleHeader,
    preamble: Vec<Frame>,
    /// Each with the frame of its feed.
    runs: Vec<(Frame, PackedRun)>,
}

impl Parts {
    fn name(feed: &Frame) -> FeedName {
        let Frame::Feed(name) = feed else { panic!("a run before any feed") };
        *name
    }

    /// Writes it again beside `scene`'s bundle, by a plan.
    fn write(self, target: &Path, plan: Vec<PiecePlan>) -> Vec<PathBuf> {
        let mut writer = BundleWriter::new(target, self.header, self.preamble, plan);
        for (feed, run) in self.runs {
            writer.push(&feed, |number| Frame::Run(number, run.clone())).unwrap();
        }
        writer.finish().unwrap()
    }
}

/// Takes the bundle apart.
fn parts(scene: &Scene) -> Parts {
    let mut reader = BundleReader::open(&scene.bundle).unwrap();
    let header = reader.header().clone();
    let (mut preamble, mut runs, mut feed) = (Vec::new(), Vec::new(), None);
    while let Some(piece) = reader.next_piece().unwrap() {
        match piece {
            Piece::Frame(Frame::Run(_, run)) => runs.push((feed.clone().unwrap(), run)),
            Piece::Frame(frame @ Frame::Feed(_)) => feed = Some(frame),
            Piece::Frame(Frame::Contents(_)) | Piece::End => {}
            Piece::Frame(frame) => preamble.push(frame),
            Piece::Newer | Piece::Altered | Piece::Trailing | Piece::Cut => {
                panic!("the bundle is not whole")
            }
        }
    }
    Parts { header, preamble, runs }
}

/// The bundle again, in the smallest pieces there are.
fn pieces(scene: &Scene) -> Vec<PathBuf> {
    let parts = parts(scene);
    let plan = |max_bytes| {
        let mut planner = Planner::new(&parts.header, &parts.preamble, max_bytes);
        for (feed, run) in &parts.runs {
            let block = run.block().unwrap();
            planner.add(&RunSize::of(Parts::name(feed), block.first..=block.last(), run.clone()));
        }
        planner.pieces()
    };
    let Err(Unplannable::TooSmall { least }) = plan(1) else { panic!("one byte is no piece") };
    let plan = plan(least).unwrap();
    parts.write(&scene.bundle.with_file_name("sepotong.wksbm"), plan)
}

/// Anybody can write what a bundle says its maker holds: it is signed by nobody.
#[test]
fn a_file_that_names_heads_without_end_leaves_as_many_as_a_feed_can_have() {
    let mut scene = Scene::new(60, 4);
    let mut office = scene.fresh();
    office.import(std::slice::from_ref(&scene.bundle));
    let mut parts = parts(&scene);
    let maker = parts.header.from;
    let feed = Parts::name(&parts.runs.first().unwrap().0).id();
    let made_up = |at: u64| {
        let id = EntryId(*blake3::hash(&at.to_be_bytes()).as_bytes());
        (feed, ChainPoint { seq: at + 1, id })
    };
    let (frames, each) = (40, HEADS_PER_FRAME as u64);
    for frame in 0..frames {
        let heads = (frame * each..(frame + 1) * each).map(made_up).collect();
        parts.preamble.push(Frame::Heads(heads));
    }
    let whole = vec![PiecePlan::whole(Vec::new())];
    let files = parts.write(&scene.bundle.with_file_name("banyak.wksbm"), whole);
    let of_feed = [&b"heads/"[..], &maker.0, &feed.0].concat();
    for _ in 0..2 {
        office.import(&files);
        let kept = office.node().replica().feed_store().values(&of_feed).unwrap();
        assert_eq!(kept.len(), HEADS_PER_FEED_MAX);
    }
    assert_eq!(office.root("32"), scene.kabupaten.root("32"));
}

#[test]
fn pieces_in_any_order_are_the_whole_bundle_and_a_missing_one_is_named_and_supplied() {
    let mut scene = Scene::new(45, 100);
    let files = pieces(&scene);
    assert!(files.len() >= 5, "only {} pieces", files.len());
    let expected = scene.kabupaten.root("32");
    for (number, file) in files.iter().enumerate() {
        let seen = Node::bundle_inspect(file, None).unwrap();
        assert!(seen.whole);
        let count = u16::try_from(files.len()).unwrap();
        assert_eq!(seen.part, [u16::try_from(number).unwrap() + 1, count]);
        assert!(file.to_string_lossy().ends_with(&format!(".{}of{count}.wksbm", number + 1)));
    }
    for turn in 0..files.len().min(5) {
        let mut shuffled = files.clone();
        shuffled.rotate_left(turn);
        if turn % 2 == 1 {
            shuffled.reverse();
        }
        // All at once; then one by one, and once more in order for what had to wait.
        let mut office = scene.fresh();
        let done = office.import(&shuffled);
        assert!(done.files.iter().all(|file| file.pending == 0), "{done:?}");
        assert_eq!((new(&done), office.root("32")), (scene.all(), expected.clone()));
        let mut office = scene.fresh();
        for file in shuffled.iter().chain(files.iter()) {
            office.import(std::slice::from_ref(file));
        }
        assert_eq!(office.root("32"), expected);

        // One is missing: nothing behind it in its feed comes in, and it is said.
        let mut office = scene.fresh();
        let missing = shuffled.remove(0);
        let partly = office.import(&shuffled);
        let lacking = inspect(&missing, &mut office).new_here.unwrap();
        assert_eq!(new(&partly) < scene.all(), lacking > 0, "{partly:?}");
        assert!(office.node().verify(false, &mut Unwatched).unwrap().ok);
        office.import(&[missing]);
        let done = office.import(&shuffled);
        assert!(done.files.iter().all(|file| file.pending == 0), "{done:?}");
        assert_eq!((entries(&mut office), office.root("32")), (scene.all(), expected.clone()));
    }
}

#[test]
fn a_dozen_pieces_named_from_the_last_to_the_first_come_in_whole() {
    let mut scene = Scene::new(58, 400);
    let mut files = pieces(&scene);
    assert!(files.len() >= 12, "only {} pieces", files.len());
    files.reverse();
    let mut office = scene.fresh();
    let done = office.import(&files);
    assert!(done.files.iter().all(|file| file.pending == 0), "{done:?}");
    let named: Vec<PathBuf> = done.files.iter().map(|file| PathBuf::from(&file.file)).collect();
    assert_eq!((new(&done), named), (scene.all(), files));
    assert_eq!(office.root("32"), scene.kabupaten.root("32"));
}

/// Each begins where the one before it ends, and none of them is a piece of another.
#[test]
fn ten_days_of_one_feed_come_in_whole_from_the_last_to_the_first() {
    let mut town = Town::new(59);
    let mut province = town.province();
    let mut kabupaten = town.member(&mut province, "kabupaten", KABUPATEN);
    let mut late = town.copy_of(&mut province);
    province.open();
    let device = ExportTarget::Device(province.node().device().to_string());
    let mut days = Vec::new();
    for day in 0..10 {
        kabupaten.add("psks", DESA[0], &[("nama", "Ketua Karang Taruna"), ("jenis", "1")]);
        let made = kabupaten.export(device.clone()).remove(0);
        let kept = made.with_file_name(format!("hari-{day}.wksbm"));
        std::fs::rename(&made, &kept).unwrap();
        province.import(std::slice::from_ref(&kept));
        province.carry_to(&mut kabupaten);
        days.push(kept);
    }
    days.reverse();
    let done = late.import(&days);
    assert!(done.files.iter().all(|file| file.pending == 0 && file.new > 0), "{done:?}");
    assert_eq!(late.root("32"), kabupaten.root("32"));
}

#[test]
fn a_run_whose_beginning_is_missing_waits_in_its_file_and_inspect_says_for_what() {
    let mut scene = Scene::new(46, 100);
    let files = pieces(&scene);
    let mut told = 0;
    for file in &files {
        let mut office = scene.fresh();
        let seen = inspect(file, &mut office);
        let done = office.import(std::slice::from_ref(file));
        let pending: u64 = done.files.iter().map(|file| file.pending).sum();
        assert_eq!(seen.missing.is_empty(), pending == 0, "{seen:?}: {done:?}");
        assert_eq!(Some(new(&done)), seen.new_here, "{seen:?}: {done:?}");
        told += u64::from(pending > 0);
    }
    assert!(told > 0, "no piece began in the middle of a feed");
}

#[test]
fn a_bundle_of_another_network_brings_nothing_not_even_from_the_file_beside_it() {
    let mut scene = Scene::new(47, 4);
    let foreign = Scene::new(480, 4);
    let mut office = scene.fresh();
    let before = office.node().status().unwrap();
    for files in [
        vec![foreign.bundle.clone()],
        vec![scene.bundle.clone(), foreign.bundle.clone()],
        vec![foreign.bundle.clone(), scene.bundle.clone()],
    ] {
        let refused = office.node().bundle_import(&files, &mut Unwatched).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::NetworkOther);
        assert_eq!(office.node().status().unwrap().entries, before.entries);
    }
    let network = Node::bundle_inspect(&foreign.bundle, None).unwrap().network;
    assert_ne!(network, before.network);
}

/// Frames of another network under our own header: every run is refused by itself.
#[test]
fn runs_of_another_network_under_our_header_are_refused_one_by_one() {
    let mut scene = Scene::new(49, 4);
    let foreign = Scene::new(500, 4);
    let ours = std::fs::read(&scene.bundle).unwrap();
    let theirs = std::fs::read(&foreign.bundle).unwrap();
    let (head, tail) =
        (scene.frames.first().unwrap().at.end, foreign.frames.first().unwrap().at.end);
    let mixed = [ours.get(..head).unwrap(), theirs.get(tail..).unwrap()].concat();
    let file = scene.file("campur.wksbm", &mixed);
    let mut office = scene.fresh();
    let before = office.node().status().unwrap();
    let done = office.import(&[file]);
    assert_eq!(new(&done), 0, "{done:?}");
    assert!(done.files.iter().all(|file| !file.rejected.is_empty()), "{done:?}");
    let after = office.node().status().unwrap();
    assert_eq!((after.entries, after.feeds), (before.entries, before.feeds));
    office.import(&[scene.bundle.clone()]);
    assert_eq!(office.root("32"), scene.kabupaten.root("32"));
}

#[test]
fn a_bundle_for_a_device_holds_only_what_it_lacks() {
    let mut scene = Scene::new(51, 12);
    let (mut province, mut kabupaten) = (scene.fresh(), scene.kabupaten);
    let device = province.node().device().to_string();
    let for_province = |from: &mut Office| {
        let file = from.export(ExportTarget::Device(device.clone())).remove(0);
        let seen = Node::bundle_inspect(&file, None).unwrap();
        (file, seen.entries)
    };
    let (file, first) = for_province(&mut kabupaten);
    assert!(first > 0);
    province.import(&[file]);
    // Until it answers, the kabupaten cannot know.
    assert_eq!(for_province(&mut kabupaten).1, first);
    province.carry_to(&mut kabupaten);
    let before = for_province(&mut kabupaten).1;
    assert!(before < first, "the province said what it holds");
    let fields = [
        ("judul", "Rapat"),
        ("kode_program", "G.1.2"),
        ("jenis", "rapat"),
        ("tanggal", "2026-11-02"),
    ];
    kabupaten.add("kegiatan", DESA[0], &fields);
    let (file, after) = for_province(&mut kabupaten);
    assert_eq!(after, before + 1, "one save more, one entry more");
    let done = province.import(&[file]);
    assert_eq!(new(&done), 1, "{done:?}");
    assert_eq!(province.root("32"), kabupaten.root("32"));
}

#[test]
fn a_courier_without_rights_stores_nothing_of_what_it_carries() {
    let mut town = Town::new(52);
    let mut province = town.province();
    let mut kabupaten = town.member(&mut province, "kabupaten", KABUPATEN);
    let mut courier = town.member(&mut kabupaten, "kurir", DESA[0]);
    let fields = [
        ("judul", "Rapat"),
        ("kode_program", "G.1.2"),
        ("jenis", "rapat"),
        ("tanggal", "2026-11-02"),
    ];
    for _ in 0..5 {
        kabupaten.add("kegiatan", DESA[2], &fields);
    }
    let files = kabupaten.export(ExportTarget::All);
    let before = courier.node().status().unwrap();
    assert_eq!(inspect(files.first().unwrap(), &mut courier).new_here, Some(0));
    let done = courier.import(&files);
    let rejected = &done.files.first().unwrap().rejected;
    assert_eq!(rejected.get("outside_interest"), Some(&5), "{done:?}");
    let after = courier.node().status().unwrap();
    assert_eq!((after.records, after.feeds), (before.records, before.feeds), "{done:?}");
    assert_eq!(courier.node().root(Some(DESA[2])).unwrap().entries, 0);
    // The file is as good as before.
    province.import(&files);
    assert_eq!(entries(&mut province), 5);
    assert_eq!(province.root("32"), kabupaten.root("32"));
}

/// The confirmation travels in the first piece, the records in the others: until it is here, they
/// wait in their file and are not for somebody else.
#[test]
fn a_later_piece_waits_for_the_first_that_confirms_whoever_reads_it() {
    let mut town = Town::new(53);
    let mut province = town.province();
    let mut kabupaten = town.member(&mut province, "kabupaten", KABUPATEN);
    let ask = SynthAsk {
        preset: "desa".to_owned(),
        seed: 53,
        records: Some(60),
        area: Some(DESA[0].to_owned()),
    };
    kabupaten.node().synth_into(&ask, &mut Unwatched).unwrap();
    let mut desa = town.join(&mut kabupaten, "desa", DESA[0]);
    let device = desa.node().device().to_string();
    desa.carry_to(&mut kabupaten);
    kabupaten.node().confirm(&device).unwrap();
    let target = desa.folder().with_file_name("bagian.wksbm");
    let export = |office: &mut Office, max_bytes| {
        let target_of = ExportTarget::Device(device.clone());
        let ask = ExportAsk { target: target_of, clear: true, whole: false, max_bytes };
        office.node().bundle_export(&ask, &target, &mut Unwatched)
    };
    let refused = export(&mut kabupaten, Some(1)).unwrap_err().to_string();
    let least: u64 = refused.split_whitespace().find_map(|word| word.parse().ok()).unwrap();
    assert!(least < 64 << 10, "{refused}");
    assert!(export(&mut kabupaten, Some(least - 1)).is_err());
    let made = export(&mut kabupaten, Some(least)).unwrap();
    let mut files: Vec<PathBuf> = made.files.iter().map(PathBuf::from).collect();
    assert!(files.len() >= 2, "{made:?}");
    for file in &files {
        assert!(std::fs::metadata(file).unwrap().len() <= least);
    }
    let count = u16::try_from(files.len()).unwrap();
    let tail = files.pop().unwrap();
    let early = desa.import(std::slice::from_ref(&tail));
    let of_tail = early.files.first().unwrap();
    assert_eq!((of_tail.new, of_tail.part), (0, [count, count]), "{early:?}");
    assert!(of_tail.pending > 0 && of_tail.rejected.is_empty(), "{early:?}");
    desa.import(&files);
    let late = desa.import(&[tail]);
    assert!(late.files.iter().all(|file| file.new > 0 && file.pending == 0), "{late:?}");
    assert_eq!(desa.root(DESA[0]), kabupaten.root(DESA[0]));
}
