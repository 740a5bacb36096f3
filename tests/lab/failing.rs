//! Calls that fail: the n-th write or sync of one file, by a library that is built here.

use std::path::{Path, PathBuf};

use crate::ground::absent;
use crate::system::attempt;

/// The system's number for "input/output error".
pub(crate) const EIO: i32 = 5;
/// And for "no space left on device".
pub(crate) const ENOSPC: i32 = 28;
/// And for "read-only file system".
pub(crate) const EROFS: i32 = 30;

/// Calls in a row that fail, of one file of the store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    /// `write` or `sync`.
    pub(crate) call: &'static str,
    /// End of the file's name.
    pub(crate) file: &'static str,
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
        Some(Self { library, told: room.join("failed-calls") })
    }

    /// What a process's environment must hold for the fault to come.
    pub(crate) fn environment(&self, fault: Fault) -> Vec<String> {
        drop(std::fs::remove_file(&self.told));
        let Fault { call, file, first, count, errno } = fault;
        vec![
            format!("LD_PRELOAD={}", self.library.display()),
            format!("WKSBM_FAIL_CALL={call}"),
            format!("WKSBM_FAIL_FILE={file}"),
            format!("WKSBM_FAIL_FIRST={first}"),
            format!("WKSBM_FAIL_COUNT={count}"),
            format!("WKSBM_FAIL_ERRNO={errno}"),
            format!("WKSBM_FAIL_TOLD={}", self.told.display()),
        ]
    }

    /// Calls that failed since the last [`Failing::environment`].
    pub(crate) fn failed(&self) -> u64 {
        std::fs::metadata(&self.told).map_or(0, |file| file.len())
    }
}
