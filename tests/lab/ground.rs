//! What the lab stands on: root, the system's tools, and the binary that was built from these sources.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

use crate::system::attempt;

/// Programs a lab calls, and the Debian packages they are in.
pub(crate) const TOOLS: [(&str, &str); 8] = [
    ("ip", "iproute2"),
    ("ethtool", "ethtool"),
    ("nft", "nftables"),
    ("ping", "iputils-ping"),
    ("python3", "python3"),
    ("setpriv", "util-linux"),
    ("mkfs.ext4", "e2fsprogs"),
    ("fallocate", "util-linux"),
];

/// Folders whose newest file the binary must not be older than.
const SOURCES: [&str; 4] = ["crdt-schema/src", "node/src", "cli/src", "cli/i18n"];

/// The binary, or `None` after one line that says why there is no lab here.
///
/// # Panics
/// Where a lab was required and there is none; where the binary is missing or old.
pub(crate) fn ground() -> Option<PathBuf> {
    // Once: tests of one process would be in each other's way.
    static MISSING: OnceLock<Option<String>> = OnceLock::new();
    match MISSING.get_or_init(missing) {
        None => Some(binary()),
        Some(what) => {
            absent(what);
            None
        }
    }
}

/// Says that something is missing here.
///
/// # Panics
/// Where a lab was required.
pub(crate) fn absent(what: &str) {
    let required = std::env::var_os("WKSBM_LAB_REQUIRED").is_some_and(|it| it == "1");
    assert!(!required, "the lab is required, but {what}");
    skip(what);
}

/// Says that a part is left out here for want of what a machine has or has not, and nobody can install.
pub(crate) fn skip(what: &str) {
    crate::tell(&format!("skipped: {what}"));
    // A test runner shows nothing of a test that passed: `./test.sh` reads it here.
    if let Some(list) = std::env::var_os("WKSBM_SKIPPED") {
        let mut list = File::options().append(true).create(true).open(list).unwrap();
        list.write_all(format!("{what}\n").as_bytes()).unwrap();
    }
}

fn missing() -> Option<String> {
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        return Some("it needs root".to_owned());
    }
    for (tool, package) in TOOLS {
        if !in_path(tool) {
            return Some(format!("`{tool}` is missing (apt-get install {package})"));
        }
    }
    if !Path::new("/dev/net/tun").exists() {
        return Some("there is no /dev/net/tun".to_owned());
    }
    // Root in a container may be root of nothing.
    let trial = format!("wksbm-trial-{}", std::process::id());
    let made = attempt(&["ip", "netns", "add", &trial]);
    made.and_then(|_| attempt(&["ip", "netns", "del", &trial])).err()
}

fn in_path(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(tool).is_file())
}

/// `WKSBM_BINARY`, else what cargo built beside this test.
fn binary() -> PathBuf {
    if let Some(named) = std::env::var_os("WKSBM_BINARY") {
        return named.into();
    }
    let this = std::env::current_exe().unwrap();
    let built = this.parent().and_then(Path::parent).unwrap().join("wksbm");
    let hint = "build it first: cargo build -p cli";
    assert!(built.is_file(), "{} is missing; {hint}", built.display());
    let changed = |path: &Path| std::fs::metadata(path).unwrap().modified().unwrap();
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let newest = SOURCES.iter().map(|folder| newest(&workspace.join(folder))).max().unwrap();
    assert!(newest <= changed(&built), "{} is older than its sources; {hint}", built.display());
    built
}

fn newest(folder: &Path) -> SystemTime {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let of = |entry: std::fs::DirEntry| {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            newest(&entry.path())
        } else {
            entry.metadata().unwrap().modified().unwrap()
        }
    };
    entries.map(of).max().unwrap_or(SystemTime::UNIX_EPOCH)
}
