//! Disks of their own: a file system in a file, below one node's data folder. It can be filled, made
//! read-only, and copied at a moment, which is what a power cut leaves of it.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::ground::{absent, skip};
use crate::system::{attempt, tool};
use crate::wait::until;

/// MiB of the pool that copies lie in: as large as its file system asks for, and sparse.
const POOL_MIB: u64 = 1_024;

/// For a stick to be written, at most.
const WRITTEN: Duration = Duration::from_secs(60);

/// Bytes by which a disk may be fuller than was asked for.
const MARGIN: u64 = 1_000_000;

/// A mounted file system in a file. The lab unmounts it at its end.
#[derive(Debug)]
pub(crate) struct Disk {
    image: PathBuf,
    folder: PathBuf,
}

impl Disk {
    /// A new ext4 below a folder, without the part that only root may fill.
    pub(crate) fn below(folder: &Path, image: &Path, mib: u64) -> Self {
        make(image, mib);
        tool(&["mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=0", text(image)]);
        Self::mounted(image, folder)
    }

    fn mounted(image: &Path, folder: &Path) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        tool(&["mount", "-o", "loop", text(image), text(folder)]);
        Self { image: image.to_path_buf(), folder: folder.to_path_buf() }
    }

    /// A new stick, with the file system sticks are sold with; `None`, and a line, where the system has
    /// it not.
    pub(crate) fn stick(folder: &Path, image: &Path, mib: u64) -> Option<Self> {
        if !Path::new("/dev/fuse").exists() {
            skip("no stick, for this system has no file systems of programs");
            return None;
        }
        make(image, mib);
        std::fs::create_dir_all(folder).unwrap();
        let stick = Self { image: image.to_path_buf(), folder: folder.to_path_buf() };
        if let Err(why) = attempt(&["mkfs.exfat", text(image)]) {
            absent(&format!("no stick can be made ({why}); Debian: exfatprogs, exfat-fuse"));
            return None;
        }
        if let Err(why) = stick.plug_in("rw") {
            skip(&format!("no stick can be put in ({why}); Debian: exfat-fuse"));
            return None;
        }
        Some(stick)
    }

    fn plug_in(&self, how: &str) -> Result<String, String> {
        let how = format!("loop,{how}");
        attempt(&["mount", "-t", "exfat-fuse", "-o", &how, text(&self.image), text(&self.folder)])
    }

    /// Pulls a stick out and puts it in again, write-protected.
    pub(crate) fn protect(&self) {
        tool(&["umount", text(&self.folder)]);
        // Its program goes on writing after that, and lets go of the device last.
        until("the stick was written", WRITTEN, || {
            let held = tool(&["losetup", "-j", text(&self.image)]);
            if held.trim().is_empty() { Ok(()) } else { Err(held) }
        });
        self.plug_in("ro").unwrap();
    }

    /// A file on it.
    pub(crate) fn file(&self, name: &str) -> String {
        text(&self.folder.join(name)).to_owned()
    }

    /// Leaves so many free bytes at most, in a file that takes the rest. It can be called again.
    pub(crate) fn leave(&self, free: u64) {
        self.empty();
        let now = self.free();
        assert!(now > free, "{now} bytes are free, fewer than the {free} to be left");
        let length = (now - free).to_string();
        // The file system needs some pages for the file itself: of the last ones it takes what there is.
        drop(attempt(&["fallocate", "-l", &length, text(&self.filler())]));
        let left = self.free();
        assert!(
            left <= free && free - left < free / 10 + MARGIN,
            "{left} bytes are left, not {free}"
        );
    }

    /// Takes the filler away.
    pub(crate) fn empty(&self) {
        if self.filler().exists() {
            std::fs::remove_file(self.filler()).unwrap();
        }
        tool(&["sync", "-f", text(&self.folder)]);
    }

    /// Bytes that are free.
    pub(crate) fn free(&self) -> u64 {
        let told = tool(&["stat", "-f", "-c", "%a %S", text(&self.folder)]);
        told.split_whitespace().map(|it| it.parse::<u64>().unwrap()).product()
    }

    /// Nothing may be written from now on, or again.
    pub(crate) fn set_read_only(&self, read_only: bool) {
        let how = if read_only { "remount,ro" } else { "remount,rw" };
        tool(&["mount", "-o", how, text(&self.folder)]);
    }

    /// Unmounts it and throws it away.
    pub(crate) fn discard(self) {
        tool(&["umount", text(&self.folder)]);
        std::fs::remove_file(self.image).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("pengisi")
    }

    /// Unmounts everything below paths that begin so; the newest first, for one may lie in another.
    pub(crate) fn remove_all(prefix: &Path) {
        let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
        let folders = mounts.lines().filter_map(|line| line.split(' ').nth(1));
        let ours: Vec<&str> = folders.filter(|it| it.starts_with(text(prefix))).collect();
        for folder in ours.iter().rev() {
            drop(attempt(&["umount", "-l", folder]));
        }
    }
}

/// Where disks lie that are copied while they are written to: the copy is of one moment.
#[derive(Debug)]
pub(crate) struct Pool {
    folder: PathBuf,
    cuts: Cell<u32>,
}

impl Pool {
    /// One in a folder of the lab; `None`, and a line, where the system has no such file system.
    pub(crate) fn new(room: &Path) -> Option<Self> {
        // In memory: what counts is what the disk above it was handed, and syncs of this one are slow.
        let (memory, folder) = (room.join("memory"), room.join("pool"));
        for folder in [&memory, &folder] {
            std::fs::create_dir_all(folder).unwrap();
        }
        let size = format!("size={}m", POOL_MIB + POOL_MIB / 8);
        tool(&["mount", "-t", "tmpfs", "-o", &size, "wksbm-lab", text(&memory)]);
        let image = memory.join("pool.img");
        make(&image, POOL_MIB);
        let made = attempt(&["mkfs.btrfs", "-q", text(&image)])
            .and_then(|_| attempt(&["mount", "-o", "loop", text(&image), text(&folder)]));
        match made {
            Ok(_) => Some(Self { folder, cuts: Cell::new(0) }),
            Err(why) => {
                absent(&format!("no disk can be copied at a moment ({why}); Debian: btrfs-progs"));
                None
            }
        }
    }

    /// A disk in the pool.
    pub(crate) fn disk(&self, folder: &Path, mib: u64) -> Disk {
        Disk::below(folder, &self.folder.join("disk.img"), mib)
    }

    /// What would be there if the power were cut now.
    pub(crate) fn cut(&self, disk: &Disk) -> Cut {
        // A name of its own: the kernel may hold on to the file of the one before a moment longer.
        self.cuts.set(self.cuts.get() + 1);
        let image = self.folder.join(format!("cut-{}.img", self.cuts.get()));
        tool(&["cp", "--reflink=always", text(&disk.image), text(&image)]);
        Cut { image }
    }
}

/// A disk as a power cut left it.
#[derive(Debug)]
pub(crate) struct Cut {
    image: PathBuf,
}

impl Cut {
    /// Power is back: the file system takes up its own journal.
    pub(crate) fn mounted(&self, folder: &Path) -> Disk {
        Disk::mounted(&self.image, folder)
    }
}

fn make(image: &Path, mib: u64) {
    std::fs::File::create(image).unwrap().set_len(mib << 20).unwrap();
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
