//! A desk: one data folder, and somebody who types.

use std::cell::RefCell;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cli::{Console, Interrupt, Variables, World, run_with};
use node::node::Environment;
use serde_json::Value;
use tempfile::TempDir;

/// The areas most tests play in.
pub(crate) const DESA: &str = "32.09.21.2001";
pub(crate) const OTHER_DESA: &str = "32.09.21.2002";

/// What a command ended with.
pub(crate) struct Ended {
    pub(crate) exit: u8,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// The one object on standard output.
    pub(crate) fn object(&self) -> Value {
        assert_eq!(self.stdout.lines().count(), 1, "{}", self.stdout);
        assert!(self.stdout.starts_with(r#"{"v":1,"#), "{}", self.stdout);
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// The object of a command that did what was asked.
    pub(crate) fn done(&self) -> Value {
        assert_eq!(self.exit, 0, "{}{}", self.stdout, self.stderr);
        self.object()
    }

    /// The kind of a failure, after its exit code was compared with the object's.
    pub(crate) fn kind(&self) -> String {
        let error = self.object().get("error").cloned().unwrap();
        assert_eq!(error.get("exit").unwrap().as_u64().unwrap(), u64::from(self.exit));
        for part in ["message", "cause", "hint"] {
            assert!(!error.get(part).unwrap().as_str().unwrap().is_empty(), "{part}");
        }
        error.get("kind").unwrap().as_str().unwrap().to_owned()
    }
}

/// A data folder and the world around it.
pub(crate) struct Desk {
    folder: TempDir,
    world: World,
    /// The data folder where it is not the usual one.
    moved: RefCell<Option<PathBuf>>,
    /// Another folder whose files are looked at too.
    watched: RefCell<Option<PathBuf>>,
}

impl Desk {
    /// An empty folder.
    pub(crate) fn empty() -> Self {
        let environment = Environment::system(World::system().environment.schema);
        let (variables, interrupt) = (Variables::default(), Interrupt::default());
        let world = World { environment, variables, interrupt };
        Self {
            folder: tempfile::tempdir().unwrap(),
            world,
            moved: RefCell::default(),
            watched: RefCell::default(),
        }
    }

    /// The province of a new network.
    pub(crate) fn province() -> Self {
        let desk = Self::empty();
        desk.json(&["network", "create", "--name", "Uji", "--area", "32", "--trial"]).done();
        desk
    }

    /// A desk that was invited to `area` by `by`, joined and was confirmed, all by files.
    pub(crate) fn member(by: &Self, area: &str) -> Self {
        Self::member_with(by, area, &[])
    }

    /// The same, invited with more flags.
    pub(crate) fn member_with(by: &Self, area: &str, more: &[&str]) -> Self {
        let desk = Self::empty();
        let invitation = desk.path("undangan");
        by.json(&[&["invite", "--area", area, "-o", &invitation], more].concat()).done();
        let joined = desk.json(&["join", "--invitation", &invitation]).done();
        desk.carry_to(by);
        let device = joined.get("device").unwrap().as_str().unwrap().to_owned();
        by.json(&["member", "confirm", &device]).done();
        by.carry_to(&desk);
        desk
    }

    /// Types `line` with `--json`.
    pub(crate) fn json(&self, line: &[&str]) -> Ended {
        self.typed(&[line, &["--json"]].concat(), "")
    }

    /// Types `line`, with something on standard input.
    pub(crate) fn typed(&self, line: &[&str], stdin: &str) -> Ended {
        self.typed_in(&self.world, line, stdin)
    }

    /// The same in another world.
    pub(crate) fn typed_in(&self, world: &World, line: &[&str], stdin: &str) -> Ended {
        let data = self.data();
        let line = [line, &["--data", data.to_str().unwrap()]].concat();
        ended(world, &line, stdin)
    }

    /// Everything this desk holds goes to another by bundle; the bundle's path.
    pub(crate) fn carry_to(&self, other: &Self) -> String {
        let file = self.path("paket.wksbm");
        self.json(&["bundle", "export", "--all", "-o", &file]).done();
        other.json(&["bundle", "import", &file]).done();
        file
    }

    /// Adds an activity and returns its id.
    pub(crate) fn activity(&self, area: &str, title: &str) -> String {
        let fields = serde_json::json!({
            "judul": title, "kode_program": "G.5.1.4", "jenis": "rapat",
            "tanggal": "2026-03-01", "tempat": "Balai desa",
        });
        let line = ["record", "add", "kegiatan", "--area", area, "--fields", "-", "--json"];
        let write = self.typed(&line, &fields.to_string()).done();
        write.get("record").unwrap().as_str().unwrap().to_owned()
    }

    /// A person whose values no message may repeat.
    pub(crate) fn marked_person() -> Value {
        serde_json::json!({
            "nama": "Kembangsepatu", "kode_jenis": "LUT", "unit": "orang", "jenis_kelamin": "P",
            "nik": "3209214501609007", "alamat": "Jalan Rahasia", "kontak": "081234509009",
        })
    }

    /// Adds that person and returns the record's id.
    pub(crate) fn person(&self, area: &str) -> String {
        let line = ["record", "add", "ppks", "--area", area, "--fields", "-", "--json"];
        let write = self.typed(&line, &Self::marked_person().to_string()).done();
        write.get("record").unwrap().as_str().unwrap().to_owned()
    }

    /// This desk's device.
    pub(crate) fn device(&self) -> String {
        let status = self.json(&["status"]).done();
        status.get("device").unwrap().as_str().unwrap().to_owned()
    }

    /// A desk with a copy of this one's data folder, as an old backup is one.
    pub(crate) fn copy(&self) -> Self {
        let copy = Self::empty();
        copy_files(&self.data(), &copy.data());
        copy
    }

    /// Moves the data folder elsewhere.
    pub(crate) fn move_data(&self, to: &Path) {
        copy_files(&self.data(), to);
        std::fs::remove_dir_all(self.data()).unwrap();
        *self.moved.borrow_mut() = Some(to.to_path_buf());
    }

    /// Another folder whose files count as this desk's.
    pub(crate) fn watch(&self, folder: &Path) {
        *self.watched.borrow_mut() = Some(folder.to_path_buf());
    }

    /// Every file of this desk, with its bytes.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = contents(self.folder.path());
        for more in [&self.moved, &self.watched] {
            files.extend(more.borrow().iter().flat_map(|folder| contents(folder)));
        }
        files
    }

    /// The data folder.
    pub(crate) fn data(&self) -> PathBuf {
        let moved = self.moved.borrow().clone();
        moved.unwrap_or_else(|| self.folder.path().join("data"))
    }

    /// A file beside the data folder.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// Writes a file beside the data folder.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        std::fs::write(self.folder.path().join(name), bytes).unwrap();
        self.path(name)
    }

    /// The world, to be changed.
    pub(crate) fn world(&self) -> World {
        self.world.clone()
    }
}

/// Runs one command line in a world.
pub(crate) fn ended(world: &World, line: &[&str], stdin: &str) -> Ended {
    let args = ["wksbm"].iter().chain(line).map(OsString::from);
    let (mut console, captured) = Console::captured(stdin);
    let exit = run_with(world, args, &mut console);
    Ended { exit, stdout: captured.stdout(), stderr: captured.stderr() }
}

fn copy_files(from: &Path, to: &Path) {
    for (path, bytes) in contents(from) {
        let target = to.join(path.strip_prefix(from).unwrap());
        if path.is_dir() {
            std::fs::create_dir_all(target).unwrap();
        } else {
            std::fs::create_dir_all(target.parent().unwrap()).unwrap();
            std::fs::write(target, bytes).unwrap();
        }
    }
}

/// Every file below a folder, with its bytes; a folder counts as one without any.
pub(crate) fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
            found.push((path, Vec::new()));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            found.push((path, bytes));
        }
    }
    found.sort();
    found
}
