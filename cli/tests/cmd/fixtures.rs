//! What no command makes: damaged and newer stores, a revocation, a store that somebody holds,
//! sticks that are full or locked.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use cli::World;
use crdt_schema::area::{AreaCode, AreaId};
use crdt_schema::authority::{Payload, Revocation, SignedStatement};
use crdt_schema::edit::{Op, Section, Value};
use crdt_schema::entry::DraftSection;
use crdt_schema::id::RecordId;
use crdt_schema::record::{Ask, Wish};
use node::node::Environment;
use node::ports::{FeedStore, RecordKey};
use node::replica::{Author, Declaration, INCARNATION, Opening, Replica, Save, Source};
use node::store::feed::RedbFeedStore;
use node::store::keystore::Keystore;
use node::store::memory::MemoryViewStore;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use tempfile::TempDir;

// The tables of `docs/storage.md`, written once more: a test that shared the store's own would
// follow it wherever it goes.

/// What the file is.
const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
/// Every feed and its heads.
const HEADS: TableDefinition<'_, &[u8; 27], &[u8]> = TableDefinition::new("heads");
/// The entries, by area, feed, branch, first sequence and piece.
const BLOCKS: TableDefinition<'_, &[u8; 41], &[u8]> = TableDefinition::new("blocks");
/// What came when.
const ARRIVALS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("arrivals");
/// Small named values.
const VALUES: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("values");

/// Says on standard error that a row was not played, and why.
pub(crate) fn skipped(row: &str, why: &str) {
    let mut told = std::io::stderr();
    writeln!(told, "SKIPPED {row}: {why}").unwrap();
}

/// Everything a feed store holds, row by row; `None` when it cannot be opened. redb writes to a
/// file at every opening, so that its bytes say nothing.
pub(crate) fn rows(store: &Path) -> Option<Vec<u8>> {
    let database = Database::open(store).ok()?;
    let read = database.begin_read().unwrap();
    let mut rows = Vec::new();
    let mut add = |name: &str, key: &[u8], value: &[u8]| {
        rows.extend(format!("{name} {key:02x?} {value:02x?}\n").into_bytes());
    };
    for row in read.open_table(META).unwrap().iter().unwrap() {
        let (key, value) = row.unwrap();
        add("meta", key.value().as_bytes(), value.value());
    }
    for row in read.open_table(HEADS).unwrap().iter().unwrap() {
        let (key, value) = row.unwrap();
        add("heads", key.value(), value.value());
    }
    for row in read.open_table(BLOCKS).unwrap().iter().unwrap() {
        let (key, value) = row.unwrap();
        add("blocks", key.value(), value.value());
    }
    for row in read.open_table(ARRIVALS).unwrap().iter().unwrap() {
        let (key, value) = row.unwrap();
        add("arrivals", &key.value().to_be_bytes(), value.value());
    }
    for row in read.open_table(VALUES).unwrap().iter().unwrap() {
        let (key, value) = row.unwrap();
        add("values", key.value(), value.value());
    }
    Some(rows)
}

/// Gives a feed store the format of a build to come.
pub(crate) fn make_newer(store: &Path) {
    let database = Database::open(store).unwrap();
    let write = database.begin_write().unwrap();
    write.open_table(META).unwrap().insert("format", &99u32.to_be_bytes()[..]).unwrap();
    write.commit().unwrap();
}

/// Changes one byte in the newest block of entries.
pub(crate) fn alter_an_entry(store: &Path) {
    let database = Database::open(store).unwrap();
    let write = database.begin_write().unwrap();
    {
        let mut blocks = write.open_table(BLOCKS).unwrap();
        let (key, mut value) = {
            let last = blocks.last().unwrap().unwrap();
            (*last.0.value(), last.1.value().to_vec())
        };
        let middle = value.len() / 2;
        *value.get_mut(middle).unwrap() ^= 0x55;
        blocks.insert(&key, value.as_slice()).unwrap();
    }
    write.commit().unwrap();
}

/// Writes on a node's folder as another program would.
fn write_on(
    data: &Path,
    write: impl FnOnce(&mut Replica<RedbFeedStore, MemoryViewStore>, &Author<'_>, &Environment),
) {
    let env = Environment::system(World::system().environment.schema);
    let store = RedbFeedStore::open(&data.join("feed.redb")).unwrap();
    let statement = SignedStatement::verify(&store.value(b"statement").unwrap().unwrap()).unwrap();
    let incarnation: [u8; 8] = store.value(INCARNATION).unwrap().unwrap().try_into().unwrap();
    let keys = Keystore::open(&data.join("keys")).unwrap();
    let opening = Opening {
        statement,
        schema: env.schema.clone(),
        me: keys.device(),
        incarnation: u64::from_be_bytes(incarnation),
        next_incarnation: 7,
    };
    let mut replica = Replica::open(store, MemoryViewStore::default(), opening).unwrap();
    let author = Author { device: keys.device(), key: keys.signing() };
    write(&mut replica, &author, &env);
    replica.commit(Some(&author), &Source::Here, env.clock.now()).unwrap();
}

/// The province revokes a device: no command of this stage does, but other builds' will.
pub(crate) fn revoke(province: &Path, device: &str) {
    write_on(province, |replica, author, env| {
        let declaration = Declaration {
            area: province_area(),
            payload: Payload::Revocation(Revocation {
                device: device.parse().unwrap(),
                reason: "hilang".to_owned(),
            }),
            deps: Vec::new(),
            claimed_at: env.clock.now(),
        };
        replica.declare(author, &declaration).unwrap();
    });
}

fn province_area() -> AreaId {
    "32".parse::<AreaCode>().unwrap().first_id()
}

/// An activity whose title holds whatever it holds: an old or altered program asks no rule.
pub(crate) fn activity_unasked(data: &Path, area: &str, title: &str) {
    write_on(data, |replica, author, env| {
        let kind = env.schema.kind("kegiatan").unwrap();
        let put = |field: &str, text: &str| Ask {
            field: field.to_owned(),
            what: Wish::Put(text.to_owned()),
        };
        let asks = [
            put("judul", "Rapat"),
            put("kode_program", "G.5.1.4"),
            put("jenis", "rapat"),
            put("tanggal", "2026-03-01"),
            put("tempat", "Balai desa"),
        ];
        let plan = kind.plan(None, &asks, None).unwrap();
        let named = kind.field("judul").unwrap().number;
        let unasked = |op: &Op| {
            let is_title = op.field == named;
            if is_title { Op::put(named, Value::Text(title.to_owned())) } else { op.clone() }
        };
        let sections = plan.sections.iter().map(|(class, section)| {
            let section = Section::from_ops(section.ops().iter().map(unasked).collect()).unwrap();
            DraftSection::in_clear(*class, &section.encode(), [7; 16])
        });
        let area = area.parse::<AreaCode>().unwrap().first_id();
        let key = RecordKey { area, kind: kind.number, record: RecordId([0xab; 16]) };
        let sections = sections.collect();
        let save = Save { key, person: 0, claimed_at: env.clock.now(), sections };
        replica.save(author, save).unwrap();
    });
}

/// A folder that this account may not write to, or why there is none.
pub(crate) fn without_the_right_to_write(folder: &str) -> Result<String, String> {
    std::fs::create_dir(folder).unwrap();
    let mut rights = std::fs::metadata(folder).unwrap().permissions();
    rights.set_readonly(true);
    std::fs::set_permissions(folder, rights).unwrap();
    match std::fs::File::create(Path::new(folder).join("coba")) {
        Ok(_) => Err("root, and Windows, write to every folder".to_owned()),
        Err(_) => Ok(folder.to_owned()),
    }
}

/// Somebody who holds a store.
#[derive(Debug)]
pub(crate) struct Holder(#[expect(dead_code, reason = "it only has to live")] Database);

impl Holder {
    /// Opens the file and keeps it.
    pub(crate) fn of(store: &Path) -> Self {
        Self(Database::open(store).unwrap())
    }
}

/// A small file system of its own, for as long as it lives.
#[derive(Debug)]
pub(crate) struct Mount(TempDir);

impl Mount {
    /// One of so many bytes, or why this machine gives us none.
    pub(crate) fn small(size: &str) -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={size}");
        let asked = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "wksbm-uji"])
            .arg(folder.path())
            .output();
        match asked {
            Ok(done) if done.status.success() => Ok(Self(folder)),
            Ok(done) => {
                let said = String::from_utf8_lossy(&done.stderr);
                let said = said.lines().next().unwrap_or_default();
                Err(format!("only root may mount a small file system ({said})"))
            }
            Err(error) => Err(format!("there is no `mount` here ({error})")),
        }
    }

    /// Nothing may be written to it from now on.
    pub(crate) fn lock(&self) {
        let done = Command::new("mount").args(["-o", "remount,ro"]).arg(self.folder()).status();
        assert!(done.unwrap().success());
    }

    /// It may be written again.
    pub(crate) fn unlock(&self) {
        let done = Command::new("mount").args(["-o", "remount,rw"]).arg(self.folder()).status();
        assert!(done.unwrap().success());
    }

    /// Where it is mounted.
    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    /// A file on it.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder().join(name).to_str().unwrap().to_owned()
    }
}

impl Mount {
    /// Fills it to its last byte with a file that is handed back.
    pub(crate) fn fill(&self) -> PathBuf {
        let path = self.folder().join("penuh");
        let mut file = std::fs::File::create(&path).unwrap();
        while file.write_all(&[0; 4_096]).is_ok() {}
        path
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily, for a store on it may be open a moment longer.
        drop(Command::new("umount").arg("-l").arg(self.folder()).status());
    }
}
