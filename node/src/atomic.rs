//! Small files written whole or not at all: beside the target first, durable, then renamed.

use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

/// Writes a file that only its owner may read.
///
/// # Errors
/// What the disk says; the target is then as it was.
pub fn write_private(target: &Path, bytes: &[u8]) -> io::Result<()> {
    reserve_private(target, 0)?.write(bytes)
}

/// Writes a file.
///
/// # Errors
/// As [`write_private`].
pub fn write(target: &Path, bytes: &[u8]) -> io::Result<()> {
    reserve(target, 0, false)?.write(bytes)
}

/// Takes room for a file that only its owner may read, before what it tells of becomes durable
/// elsewhere: a full or locked disk is met while nothing has changed yet.
///
/// # Errors
/// As [`write_private`].
pub fn reserve_private(target: &Path, bytes: usize) -> io::Result<Reserved> {
    reserve(target, bytes, true)
}

fn reserve(target: &Path, bytes: usize, private: bool) -> io::Result<Reserved> {
    let unfinished = beside(target);
    let file = create_with(&unfinished, private)?;
    let mut reserved = Reserved { file, unfinished, target: target.to_path_buf() };
    reserved.file.write_all(&vec![0; bytes])?;
    if bytes > 0 {
        reserved.file.sync_all()?;
    }
    Ok(reserved)
}

/// A file without its name yet; it goes with this value, unless it was written.
#[derive(Debug)]
pub struct Reserved {
    file: File,
    unfinished: PathBuf,
    target: PathBuf,
}

impl Reserved {
    /// Writes the bytes, makes them durable, and gives the file its name.
    ///
    /// # Errors
    /// As [`write_private`].
    pub fn write(mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.rewind()?;
        self.file.write_all(bytes)?;
        self.file.set_len(bytes.len() as u64)?;
        self.file.sync_all()?;
        fs::rename(&self.unfinished, &self.target)?;
        sync_folder(&self.target)
    }
}

impl Drop for Reserved {
    // Once it has its name there is nothing left to remove.
    fn drop(&mut self) {
        drop(fs::remove_file(&self.unfinished));
    }
}

/// Opens a new file that only its owner may read, in the place of one that is there.
///
/// # Errors
/// What the disk says.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    create_with(path, true)
}

/// What is there may be a link, put there by whoever else writes in the folder: it goes, and what it
/// leads to stays as it is.
fn create_with(path: &Path, private: bool) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if private {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

/// The name a file has until it is whole.
pub(crate) fn beside(target: &Path) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_os_string();
    name.push(".part");
    target.with_file_name(name)
}

/// Makes the new name of a file durable where the system can.
///
/// # Errors
/// What the disk says.
pub fn sync_folder(target: &Path) -> io::Result<()> {
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
    sync_names(folder.unwrap_or(Path::new(".")))
}

/// Makes new names in a folder durable where the system can: some file systems have no such thing,
/// Windows opens no folder, and into some folders one may write and not look.
///
/// # Errors
/// What the disk says.
pub(crate) fn sync_names(folder: &Path) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    if cfg!(not(unix)) {
        return Ok(());
    }
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(error) if matches!(error.kind(), InvalidInput | PermissionDenied | Unsupported) => {
            Ok(())
        }
        done => done,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

    use super::*;

    #[cfg(unix)]
    #[test]
    fn what_a_link_in_the_place_of_an_unfinished_file_leads_to_stays_as_it_is() {
        let room = tempfile::TempDir::new().unwrap();
        let (truth, target) = (room.path().join("feed.redb"), room.path().join("desa.wksbm"));
        fs::write(&truth, "all there is").unwrap();
        std::os::unix::fs::symlink(&truth, beside(&target)).unwrap();
        for private in [true, false] {
            create_with(&beside(&target), private).unwrap().write_all(b"x").unwrap();
            assert_eq!(fs::read(&truth).unwrap(), b"all there is");
            assert_eq!(fs::read(beside(&target)).unwrap(), b"x");
        }
    }
}
