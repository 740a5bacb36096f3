//! This program again, as a process of its own: memory, start and sockets are then those of what is
//! measured. A child prints one JSON object a line.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// The first argument of a child; the second is what it is to be.
pub const CHILD: &str = "--child";

/// A command that starts this program as a child on what lies in a folder.
pub(super) fn at(what: &str, folder: &Path) -> Command {
    let mut command = Command::new(program());
    command.args([CHILD, what]).arg(folder);
    command
}

/// The program children run: the bench. A test that measures is none, and names the bench beside it.
pub(super) fn program() -> std::path::PathBuf {
    let me = std::env::current_exe().unwrap();
    let is_test = me.parent().is_some_and(|folder| folder.ends_with("deps"));
    if is_test { me.parent().and_then(Path::parent).unwrap().join("bench") } else { me }
}

/// Runs a child to its end; what it said last.
pub(super) fn told(mut command: Command) -> Value {
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "{command:?} ended with {}", output.status);
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(text.lines().last().unwrap_or_default()).unwrap()
}

/// A number a child told.
#[track_caller]
pub(super) fn number(object: &Value, name: &str) -> f64 {
    object.get(name).and_then(Value::as_f64).unwrap_or_else(|| panic!("no {name} in {object}"))
}

/// A text a child told.
#[track_caller]
pub(super) fn text(object: &Value, name: &str) -> String {
    let text = object.get(name).and_then(Value::as_str).map(str::to_owned);
    text.unwrap_or_else(|| panic!("no {name} in {object}"))
}

/// MiB that were fetched from a disk for this process; 0 where the system does not say.
pub(super) fn read_mib() -> f64 {
    let told = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let read = told.lines().find_map(|line| line.strip_prefix("read_bytes: ")?.parse::<u64>().ok());
    read.unwrap_or(0) as f64 / f64::from(1 << 20)
}

/// KiB of memory this process had at most; 0 where the system does not say.
pub(super) fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    most.and_then(|it| it.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0)
}

/// Bytes a file takes on the disk.
pub(super) fn allocated(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).unwrap().blocks() * 512
}
