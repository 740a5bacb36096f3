//! Calls that fail, or wait: the n-th write, sync or read of one file, by a library that is built here.

use std::path::{Path, PathBuf};

use crate::ground::absent;
use crate::system::attempt;

/// The system's number for "input/output error".
pub(crate) const EIO: i32 = 5;
/// And for "no space left on device".
pub(crate) const ENOSPC: i32 = 28;
/// And for "read-only file system".
pub(crate) const EROFS: i32 = 30;

/// No error: calls are told of and let through.
const NOTHING: i32 = 0;

/// Calls in a row that fail, of files of one node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault<'a> {
    /// `write`, `sync` or `read`.
    pub(crate) call: &'static str,
    /// End of the file's name, or of the folder's; of all if empty.
    pub(crate) file: &'a str,
    /// The first that fails, from 1.
    pub(crate) first: u64,
    /// How many do.
    pub(crate) count: u64,
    /// With what.
    pub(crate) errno: i32,
}

/// The library.
#[derive(Debug)]
pub(crate) struct Failing {
    library: PathBuf,
    told: PathBuf,
    hold: PathBuf,
}

impl Failing {
    /// Builds it into a folder of the lab; `None`, and a line, where there is no C compiler.
    pub(crate) fn new(room: &Path) -> Option<Self> {
        let (source, library) = (room.join("failing.c"), room.join("failing.so"));
        std::fs::write(&source, include_str!("failing.c")).unwrap();
        let line = ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"];
        let files = [library.to_str().unwrap(), source.to_str().unwrap(), "-ldl"];
        if let Err(why) = attempt(&[&line[..], &files].concat()) {
            absent(&format!("no library that makes calls fail can be built ({why})"));
            return None;
        }
        let [told, hold] = ["failed-calls", "held-calls"].map(|name| room.join(name));
        Some(Self { library, told, hold })
    }

    /// What a process's environment must hold for the fault to come, in files whose names hold `data`.
    pub(crate) fn environment(&self, data: &Path, fault: Fault<'_>) -> Vec<String> {
        self.forget();
        let Fault { call, file, first, count, errno } = fault;
        vec![
            format!("LD_PRELOAD={}", self.library.display()),
            format!("WKSBM_FAIL_CALL={call}"),
            format!("WKSBM_FAIL_FILE={file}"),
            format!("WKSBM_FAIL_DATA={}", data.display()),
            format!("WKSBM_FAIL_FIRST={first}"),
            format!("WKSBM_FAIL_COUNT={count}"),
            format!("WKSBM_FAIL_ERRNO={errno}"),
            format!("WKSBM_FAIL_TOLD={}", self.told.display()),
            format!("WKSBM_FAIL_HOLD={}", self.hold.display()),
        ]
    }

    /// What a process's environment must hold for every write of the feed store to be told of.
    pub(crate) fn watching(&self, data: &Path) -> Vec<String> {
        let (call, file) = ("write", "feed.redb");
        let fault = Fault { call, file, first: 1, count: u64::from(u32::MAX), errno: NOTHING };
        self.environment(data, fault)
    }

    /// Lets the calls that are told of wait, until [`Failing::release`].
    pub(crate) fn hold(&self) {
        std::fs::write(&self.hold, []).unwrap();
    }

    /// Lets them go on, and those after them.
    pub(crate) fn release(&self) {
        drop(std::fs::remove_file(&self.hold));
    }

    /// Begins to count anew.
    pub(crate) fn forget(&self) {
        drop(std::fs::remove_file(&self.told));
    }

    /// Calls that failed, or were told of, since the last [`Failing::environment`].
    pub(crate) fn failed(&self) -> u64 {
        self.of_whom().len() as u64
    }

    /// Which file each of them was of.
    pub(crate) fn of_whom(&self) -> Vec<String> {
        let told = std::fs::read_to_string(&self.told).unwrap_or_default();
        told.lines().map(str::to_owned).collect()
    }
}
