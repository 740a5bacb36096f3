//! A small machine: memory and processor time that a node's processes have together (cgroups).

use std::path::{Path, PathBuf};

use crate::ground::absent;

const GROUPS: &str = "/sys/fs/cgroup";
/// Microseconds in which the processor's time is shared out: short, so that nothing stands still for long.
const PERIOD_US: u64 = 50_000;

/// How a version of cgroups lays a group out. A process enters a group of each hierarchy.
#[derive(Debug)]
struct Layout {
    /// Below `GROUPS`.
    hierarchies: &'static [&'static str],
    memory_max: &'static str,
    memory_peak: &'static str,
    /// Has a line `oom_kill`.
    memory_events: &'static str,
    cpu_quota: &'static str,
    /// Of none, the quota is written with its period.
    cpu_period: Option<&'static str>,
}

const VERSION_1: Layout = Layout {
    hierarchies: &["memory", "cpu"],
    memory_max: "memory.limit_in_bytes",
    memory_peak: "memory.max_usage_in_bytes",
    memory_events: "memory.oom_control",
    cpu_quota: "cpu.cfs_quota_us",
    cpu_period: Some("cpu.cfs_period_us"),
};
/// Linux 5.19 or later, which tells the peak.
const VERSION_2: Layout = Layout {
    hierarchies: &[""],
    memory_max: "memory.max",
    memory_peak: "memory.peak",
    memory_events: "memory.events",
    cpu_quota: "cpu.max",
    cpu_period: None,
};

impl Layout {
    /// The one of this machine.
    fn here() -> &'static Self {
        // A machine that has both keeps the second in a folder of its own, as a rule without controllers.
        let only_2 = Path::new(GROUPS).join("cgroup.controllers").is_file();
        if only_2 { &VERSION_2 } else { &VERSION_1 }
    }

    fn roots(&self) -> impl Iterator<Item = PathBuf> {
        self.hierarchies.iter().map(|hierarchy| Path::new(GROUPS).join(hierarchy))
    }
}

/// Its groups, one a hierarchy. The lab removes them, after their processes.
#[derive(Debug)]
pub(crate) struct Board {
    layout: &'static Layout,
    folders: Vec<PathBuf>,
}

impl Board {
    /// A machine with so much memory and such a part of one core; `None`, and a line, where the
    /// system cannot limit either.
    pub(crate) fn new(name: &str, mib: u64, percent: u64) -> Option<Self> {
        let layout = Layout::here();
        for control in layout.roots().map(|root| root.join("cgroup.subtree_control")) {
            // Of version 2 alone. Where this is refused, the files of our group are missing.
            if control.is_file() {
                drop(std::fs::write(control, "+memory +cpu"));
            }
        }
        let folders: Vec<PathBuf> = layout.roots().map(|root| root.join(name)).collect();
        for folder in &folders {
            if !folder.parent().unwrap().is_dir() || std::fs::create_dir_all(folder).is_err() {
                absent(&format!("no group can be made as {}", folder.display()));
                return None;
            }
        }
        let board = Self { layout, folders };
        let Layout { memory_max, memory_peak, memory_events, cpu_quota, cpu_period, .. } = *layout;
        let settings = [memory_max, memory_peak, memory_events, cpu_quota];
        for setting in settings.into_iter().chain(cpu_period) {
            if board.find(setting).is_none() {
                absent(&format!("{GROUPS} has no {setting} for a group"));
                return None;
            }
        }
        board.set(memory_max, &(mib << 20).to_string());
        let quota = PERIOD_US * percent / 100;
        match cpu_period {
            Some(cpu_period) => {
                board.set(cpu_period, &PERIOD_US.to_string());
                board.set(cpu_quota, &quota.to_string());
            }
            None => board.set(cpu_quota, &format!("{quota} {PERIOD_US}")),
        }
        Some(board)
    }

    /// Files a process writes its number to, to run here.
    pub(crate) fn doors(&self) -> Vec<PathBuf> {
        self.folders.iter().map(|folder| folder.join("cgroup.procs")).collect()
    }

    /// The most memory that was in use, with what the system kept of the files.
    pub(crate) fn memory_peak(&self) -> u64 {
        self.read(self.layout.memory_peak).trim().parse().unwrap()
    }

    /// Shares of the processor's time that were used up before they ended.
    pub(crate) fn throttled(&self) -> u64 {
        self.counted("cpu.stat", "nr_throttled ")
    }

    /// Processes that were killed because they wanted more.
    pub(crate) fn killed(&self) -> u64 {
        self.counted(self.layout.memory_events, "oom_kill ")
    }

    fn counted(&self, setting: &str, name: &str) -> u64 {
        let told = self.read(setting);
        told.lines().find_map(|line| line.strip_prefix(name)).unwrap().parse().unwrap()
    }

    /// Removes all whose name begins so; what still runs in one keeps it.
    pub(crate) fn remove_all(prefix: &str) {
        for root in Layout::here().roots() {
            let Ok(entries) = std::fs::read_dir(root) else { continue };
            for entry in entries.flatten() {
                if entry.file_name().to_string_lossy().starts_with(prefix) {
                    drop(std::fs::remove_dir(entry.path()));
                }
            }
        }
    }

    /// Each name stands in one hierarchy, but for those every group has.
    fn find(&self, setting: &str) -> Option<PathBuf> {
        self.folders.iter().map(|folder| folder.join(setting)).find(|file| file.is_file())
    }

    fn set(&self, setting: &str, value: &str) {
        std::fs::write(self.find(setting).unwrap(), value).unwrap();
    }

    fn read(&self, setting: &str) -> String {
        std::fs::read_to_string(self.find(setting).unwrap()).unwrap()
    }
}
