//! Offices: nodes with folders of their own that exchange nothing but files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crdt_schema::record::{Ask, Schema, Wish};
use crdt_schema::time::Timestamp;
use node::answer::{BundleImport, Join, MemberState, RecordWrite};
use node::node::{CreateNetwork, Environment, ExportAsk, ExportTarget, InviteAsk, Node};
use node::ports::{Clock, Entropy, EntropyError};
use node::progress::Unwatched;
use tempfile::TempDir;

/// 2026-11-02 08:00 WIB, in milliseconds.
const MORNING: i64 = 1_793_581_200_000;
/// Milliseconds between two looks at the clock.
const TICK: i64 = 1_000;

/// A clock that a test sets; every look moves it on by a second.
#[derive(Debug)]
pub struct TestClock(AtomicU64);

impl TestClock {
    /// Starts on a morning of 2026, shifted by so many milliseconds.
    pub fn shifted(by: i64) -> Self {
        Self(AtomicU64::new((MORNING + by).cast_unsigned()))
    }
}

impl TestClock {
    /// Somebody sets it on, or back.
    pub fn set_on(&self, by: i64) {
        self.0.fetch_add(by.cast_unsigned(), Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.fetch_add(TICK.cast_unsigned(), Ordering::Relaxed).cast_signed())
    }
}

/// Randomness from a seed: BLAKE3 in counter mode.
#[derive(Debug)]
pub struct TestEntropy(AtomicU64);

impl TestEntropy {
    /// The stream with this seed.
    pub const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed << 32))
    }
}

impl Entropy for TestEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        for chunk in bytes.chunks_mut(32) {
            let number = self.0.fetch_add(1, Ordering::Relaxed);
            let mut block = [0u8; 32];
            for (place, byte) in block.iter_mut().enumerate() {
                let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17)
                    ^ (place as u64).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0x94d0_49bb_1331_11eb);
                *byte = (mixed >> 33).to_le_bytes()[0];
            }
            for (to, from) in chunk.iter_mut().zip(block) {
                *to = from;
            }
        }
        Ok(())
    }
}

/// The same, but the keys of a device begin with this transport key's seed.
#[derive(Debug)]
struct Behind {
    transport: [u8; 32],
    rest: TestEntropy,
}

impl Entropy for Behind {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        self.rest.fill(bytes)?;
        // The seeds of a device's three keys are drawn at once.
        if let (96, Some(first)) = (bytes.len(), bytes.first_chunk_mut()) {
            *first = self.transport;
        }
        Ok(())
    }
}

/// One office: a folder with a node, and a drawer for files.
#[derive(Debug)]
pub struct Office {
    /// What a test calls it.
    pub name: &'static str,
    /// The one it looks at.
    pub clock: Arc<TestClock>,
    folder: PathBuf,
    env: Environment,
    node: Option<Node>,
    /// Kept so that the folders live as long as the office.
    room: Arc<TempDir>,
}

/// A network of offices in one temporary folder.
#[derive(Debug)]
pub struct Town {
    room: Arc<TempDir>,
    seed: u64,
}

impl Default for Town {
    fn default() -> Self {
        Self::new(1)
    }
}

impl Town {
    /// An empty town; everything random in it comes from the seed.
    pub fn new(seed: u64) -> Self {
        Self { room: Arc::new(TempDir::new().unwrap()), seed }
    }

    fn office(&mut self, name: &'static str, clock_shift_ms: i64) -> Office {
        self.seed += 1;
        let clock = Arc::new(TestClock::shifted(clock_shift_ms));
        let env = Environment {
            schema: Arc::new(Schema::standard().clone()),
            clock: clock.clone(),
            entropy: Arc::new(TestEntropy::new(self.seed)),
        };
        let folder = self.room.path().join(name);
        Office { name, clock, folder, env, node: None, room: self.room.clone() }
    }

    /// The provincial office, which founds the network.
    pub fn province(&mut self) -> Office {
        let mut office = self.office("provinsi", 0);
        let ask = CreateNetwork { name: "Uji Coba Jawa Barat".to_owned(), area: "32".to_owned() };
        Node::create_network(&office.folder, &office.env, &ask).unwrap();
        office.open();
        office
    }

    /// An office that joined with an invitation of `issuer` and waits for its confirmation.
    pub fn join(&mut self, issuer: &mut Office, name: &'static str, area: &str) -> Office {
        self.join_at(issuer, name, area, 0)
    }

    /// The same, with a clock that is wrong by so much.
    pub fn join_at(
        &mut self,
        issuer: &mut Office,
        name: &'static str,
        area: &str,
        clock_shift_ms: i64,
    ) -> Office {
        self.join_with(issuer, name, area, None, clock_shift_ms)
    }

    /// The same with these rights.
    pub fn join_with(
        &mut self,
        issuer: &mut Office,
        name: &'static str,
        area: &str,
        rights: Option<&str>,
        clock_shift_ms: i64,
    ) -> Office {
        let ask = InviteAsk {
            area: area.to_owned(),
            rights: rights.map(str::to_owned),
            expires_ms: 7 * 86_400_000,
            counts_at_once: false,
            addresses: Vec::new(),
        };
        let file = self.invitation(issuer, name, &ask);
        let (office, joined) = self.join_by(&file, name, clock_shift_ms);
        assert_eq!(joined.state, MemberState::Provisional);
        office
    }

    /// An invitation of `issuer`, in a file named after `name`.
    pub fn invitation(&self, issuer: &mut Office, name: &str, ask: &InviteAsk) -> PathBuf {
        let file = self.room.path().join(format!("undangan-{name}.wksbm-undangan"));
        issuer.node().invite(ask, &file).unwrap();
        file
    }

    /// An office that joined with the invitation in a file.
    pub fn join_by(&mut self, file: &Path, name: &'static str, shift_ms: i64) -> (Office, Join) {
        let mut office = self.office(name, shift_ms);
        let joined = Node::join(&office.folder, &office.env, file).unwrap();
        office.open();
        (office, joined)
    }

    /// An office that joined, was confirmed by `issuer`, and knows it: three files in all.
    pub fn member(&mut self, issuer: &mut Office, name: &'static str, area: &str) -> Office {
        let office = self.join(issuer, name, area);
        confirmed(issuer, office)
    }

    /// An office that joined, and was confirmed by `issuer`, with the transport key of another one.
    pub fn member_behind(
        &mut self,
        issuer: &mut Office,
        name: &'static str,
        area: &str,
        other: &mut Office,
    ) -> Office {
        let ask = InviteAsk {
            area: area.to_owned(),
            rights: None,
            expires_ms: 7 * 86_400_000,
            counts_at_once: false,
            addresses: Vec::new(),
        };
        let file = self.invitation(issuer, name, &ask);
        let mut office = self.office(name, 0);
        let rest = TestEntropy::new(self.seed);
        office.env.entropy = Arc::new(Behind { transport: other.node().transport_seed(), rest });
        Node::join(&office.folder, &office.env, &file).unwrap();
        office.open();
        confirmed(issuer, office)
    }

    /// The same, invited with these rights.
    pub fn member_with(
        &mut self,
        issuer: &mut Office,
        name: &'static str,
        area: &str,
        rights: &str,
    ) -> Office {
        let office = self.join_with(issuer, name, area, Some(rights), 0);
        confirmed(issuer, office)
    }

    /// A copy of an office as it stands, under a name of its own; the office is shut then, so that
    /// the next copy costs little.
    pub fn copy_of(&mut self, office: &mut Office) -> Office {
        office.shut();
        let name: &'static str = format!("{}-{}", office.name, self.seed + 1).leak();
        let mut copy = self.office(name, 5_000);
        copy_folder(&office.folder, &copy.folder);
        copy.open();
        copy
    }

    /// A copy of an office's folder, as a cloned card or an old backup is one.
    pub fn clone_of(&mut self, office: &mut Office, name: &'static str) -> Office {
        office.shut();
        let mut copy = self.office(name, 5_000);
        copy_folder(&office.folder, &copy.folder);
        office.open();
        copy.open();
        copy
    }
}

impl Office {
    /// The open node.
    pub fn node(&mut self) -> &mut Node {
        self.node.as_mut().unwrap()
    }

    /// Where its files lie.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What its node is surrounded by.
    pub fn environment(&self) -> Environment {
        self.env.clone()
    }

    /// Opens the node.
    pub fn open(&mut self) {
        self.node = Some(Node::open(&self.folder, self.env.clone()).unwrap());
    }

    /// Closes the node, as when the program ends.
    pub fn shut(&mut self) {
        if let Some(node) = self.node.take() {
            node.close();
        }
    }

    /// From here on everything random comes from this seed: two offices with one seed draw the same.
    pub fn draws_from(&mut self, seed: u64) {
        self.shut();
        self.env.entropy = Arc::new(TestEntropy::new(seed));
        self.open();
    }

    /// Writes a bundle for another office and lets it import the file.
    pub fn carry_to(&mut self, other: &mut Self) -> BundleImport {
        let target = ExportTarget::Device(other.node().device().to_string());
        let known = self.node().members().unwrap().members;
        let target = if known.iter().any(|it| it.device == other.node().device()) {
            target
        } else {
            ExportTarget::All
        };
        let files = self.export(target);
        other.import(&files)
    }

    /// Writes a bundle.
    pub fn export(&mut self, target: ExportTarget) -> Vec<PathBuf> {
        let number = std::fs::read_dir(self.room.path()).unwrap().count();
        let file = self.room.path().join(format!("{}-{number}.wksbm", self.name));
        let ask = ExportAsk { target, clear: true, whole: false, max_bytes: None };
        let made = self.node().bundle_export(&ask, &file, &mut Unwatched).unwrap();
        made.files.into_iter().map(PathBuf::from).collect()
    }

    /// Writes a bundle for another office that leaves out nothing it once said it holds.
    pub fn export_whole(&mut self, other: &mut Self) -> Vec<PathBuf> {
        let target = ExportTarget::Device(other.node().device().to_string());
        let file = self.room.path().join(format!("{}-utuh.wksbm", self.name));
        let ask = ExportAsk { target, clear: true, whole: true, max_bytes: None };
        let made = self.node().bundle_export(&ask, &file, &mut Unwatched).unwrap();
        made.files.into_iter().map(PathBuf::from).collect()
    }

    /// Takes bundles.
    pub fn import(&mut self, files: &[PathBuf]) -> BundleImport {
        self.node().bundle_import(files, &mut Unwatched).unwrap()
    }

    /// Makes a record with these fields.
    pub fn add(&mut self, kind: &str, area: &str, fields: &[(&str, &str)]) -> RecordWrite {
        self.node().record_add(kind, area, 0, &asks(fields)).unwrap()
    }

    /// Makes a kegiatan with this title; returns its id.
    pub fn activity(&mut self, area: &str, title: &str) -> String {
        let fields = [
            ("judul", title),
            ("kode_program", "G.1.2"),
            ("jenis", "rapat"),
            ("tanggal", "2026-11-02"),
        ];
        self.add("kegiatan", area, &fields).record.to_string()
    }

    /// Changes fields of a record.
    pub fn set(&mut self, record: &str, fields: &[(&str, &str)]) -> RecordWrite {
        self.node().record_set(record, 0, &asks(fields)).unwrap()
    }

    /// The root of an area, as text.
    pub fn root(&mut self, area: &str) -> String {
        self.node().root(Some(area)).unwrap().root.to_string()
    }
}

fn confirmed(issuer: &mut Office, mut office: Office) -> Office {
    office.carry_to(issuer);
    let device = office.node().device().to_string();
    issuer.node().confirm(&device).unwrap();
    issuer.carry_to(&mut office);
    assert_eq!(office.node().status().unwrap().state, MemberState::Active);
    office
}

/// Puts of texts.
pub fn asks(fields: &[(&str, &str)]) -> Vec<Ask> {
    let put = |(field, text): &(&str, &str)| Ask {
        field: (*field).to_owned(),
        what: Wish::Put((*text).to_owned()),
    };
    fields.iter().map(put).collect()
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
