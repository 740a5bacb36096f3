//! A small machine: memory and processor time that a node's processes have together (cgroup version 1).

use std::path::{Path, PathBuf};

use crate::ground::absent;

const GROUPS: &str = "/sys/fs/cgroup";
const CONTROLLERS: [&str; 2] = ["memory", "cpu"];
/// Microseconds in which the processor's time is shared out: short, so that nothing stands still for long.
const PERIOD_US: u64 = 50_000;

/// Its groups. The lab removes them, after their processes.
#[derive(Debug)]
pub(crate) struct Board {
    folders: [PathBuf; 2],
}

impl Board {
    /// A machine with so much memory and such a part of one core; `None`, and a line, where the
    /// system cannot limit either.
    pub(crate) fn new(name: &str, mib: u64, percent: u64) -> Option<Self> {
        let folders = CONTROLLERS.map(|controller| Path::new(GROUPS).join(controller).join(name));
        for (folder, setting) in folders.iter().zip(["memory.limit_in_bytes", "cpu.cfs_quota_us"]) {
            let there =
                folder.parent().unwrap().is_dir() && std::fs::create_dir_all(folder).is_ok();
            if !there || !folder.join(setting).is_file() {
                absent(&format!("{} cannot be limited", folder.display()));
                return None;
            }
        }
        let board = Self { folders };
        board.set("memory.limit_in_bytes", mib << 20);
        board.set("cpu.cfs_period_us", PERIOD_US);
        board.set("cpu.cfs_quota_us", PERIOD_US * percent / 100);
        Some(board)
    }

    /// Files a process writes its number to, to run here.
    pub(crate) fn doors(&self) -> [PathBuf; 2] {
        self.folders.each_ref().map(|folder| folder.join("cgroup.procs"))
    }

    /// The most memory that was in use, with what the system kept of the files.
    pub(crate) fn memory_peak(&self) -> u64 {
        self.read("memory.max_usage_in_bytes").trim().parse().unwrap()
    }

    /// Shares of the processor's time that were used up before they ended.
    pub(crate) fn throttled(&self) -> u64 {
        self.counted("cpu.stat", "nr_throttled ")
    }

    /// Processes that were killed because they wanted more.
    pub(crate) fn killed(&self) -> u64 {
        self.counted("memory.oom_control", "oom_kill ")
    }

    fn counted(&self, setting: &str, name: &str) -> u64 {
        let told = self.read(setting);
        told.lines().find_map(|line| line.strip_prefix(name)).unwrap().parse().unwrap()
    }

    /// Removes all whose name begins so; what still runs in one keeps it.
    pub(crate) fn remove_all(prefix: &str) {
        for controller in CONTROLLERS {
            let Ok(entries) = std::fs::read_dir(Path::new(GROUPS).join(controller)) else {
                continue;
            };
            for entry in entries.flatten() {
                if entry.file_name().to_string_lossy().starts_with(prefix) {
                    drop(std::fs::remove_dir(entry.path()));
                }
            }
        }
    }

    fn file(&self, setting: &str) -> PathBuf {
        let of = usize::from(setting.starts_with("cpu"));
        self.folders.get(of).unwrap().join(setting)
    }

    fn set(&self, setting: &str, value: u64) {
        std::fs::write(self.file(setting), value.to_string()).unwrap();
    }

    fn read(&self, setting: &str) -> String {
        std::fs::read_to_string(self.file(setting)).unwrap()
    }
}
