//! Where results are written: outside the data folder, and never over a file of another sort.
//!
//! A command that is run again may replace what it wrote before; a letter, a photo or another
//! node's key that merely has the name is left alone.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use super::folder::FEEDS;
use super::invitation;
use crate::bundle;
use crate::error::NodeError;
use crate::reason::{self, Because, Reason};

/// Bytes read of a file to see what it is: longer than any line of synthetic people.
const LOOK_BYTES: u64 = 64 << 10;
/// What an Automerge document begins with.
const AUTOMERGE: &[u8] = &[0x85, 0x6f, 0x4a, 0x83];

/// Lines of a manual page among which its title stands.
const MANUAL_LINES: usize = 4;

/// Whether a line names a manual page of this program.
fn is_title(line: &[u8]) -> bool {
    let name = line.strip_prefix(b".TH wksbm");
    name.is_some_and(|rest| matches!(rest.first(), Some(b' ' | b'-')))
}

/// What a command writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Bundle,
    Invitation,
    Document,
    JsonLines,
    Manual,
}

impl Sort {
    /// As a failure names it.
    const fn name(self) -> &'static Reason {
        match self {
            Self::Bundle => &reason::BUNDLE_OR_FREE,
            Self::Invitation => &reason::INVITATION_OR_FREE,
            Self::Document => &reason::DOCUMENT_OR_FREE,
            Self::JsonLines => &reason::LINES_OR_FREE,
            Self::Manual => &reason::MANUAL_OR_FREE,
        }
    }

    /// Whether a file with this beginning is one of them. An empty one is nobody's work.
    fn is_like(self, begins: &[u8]) -> bool {
        let is_ours = match self {
            Self::Bundle => begins.starts_with(bundle::MAGIC),
            Self::Invitation => invitation::is_like(begins),
            Self::Document => begins.starts_with(AUTOMERGE),
            Self::Manual => begins.split(|byte| *byte == b'\n').take(MANUAL_LINES).any(is_title),
            Self::JsonLines => {
                let line = begins.split(|byte| *byte == b'\n').next().unwrap_or_default();
                serde_json::from_slice::<serde_json::Map<_, _>>(line).is_ok()
            }
        };
        is_ours || begins.is_empty()
    }
}

/// Refuses a place for a result: in a node's data folder, where it could replace a store or a key,
/// or over a file that is not of its sort.
///
/// # Errors
/// [`NodeError::Usage`] inside `folder`, [`NodeError::FileForeign`] over something else.
pub(super) fn must_be_writable(folder: &Path, file: &Path, sort: Sort) -> Result<(), NodeError> {
    must_be_outside(Some(folder), file)?;
    must_be_free(file, sort)
}

/// Refuses to replace a file of another sort.
///
/// # Errors
/// [`NodeError::FileForeign`]; of the disk when it cannot be looked at.
pub(super) fn must_be_free(file: &Path, sort: Sort) -> Result<(), NodeError> {
    let Ok(found) = fs::metadata(file) else { return Ok(()) };
    let foreign = || NodeError::FileForeign { path: file.to_path_buf(), expected: sort.name() };
    if !found.is_file() {
        return Err(foreign());
    }
    let mut begins = Vec::new();
    let read = File::open(file).and_then(|open| open.take(LOOK_BYTES).read_to_end(&mut begins));
    read.map_err(|error| NodeError::file("read", file, error))?;
    if sort.is_like(&begins) { Ok(()) } else { Err(foreign()) }
}

/// Whether a file of this sort is there.
pub(super) fn is_there(file: &Path, sort: Sort) -> bool {
    file.is_file() && must_be_free(file, sort).is_ok()
}

/// Refuses a folder, and files in it, for manual pages: in the data folder of a node, or where one
/// of the names is somebody else's file. The folder need not be there yet.
///
/// # Errors
/// [`NodeError::Usage`] in a data folder, [`NodeError::FileForeign`] over something else.
pub fn must_take_manual<'a>(
    data: Option<&Path>,
    folder: &Path,
    names: impl IntoIterator<Item = &'a str>,
) -> Result<(), NodeError> {
    must_be_no_data_folder(data, folder)?;
    names.into_iter().try_for_each(|name| must_be_free(&folder.join(name), Sort::Manual))
}

/// Refuses a folder that lies in the data folder `data`, or in another node's; it need not be there
/// yet.
///
/// # Errors
/// [`NodeError::Usage`].
pub fn must_be_no_data_folder(data: Option<&Path>, folder: &Path) -> Result<(), NodeError> {
    let first_there = folder.ancestors().find(|at| at.as_os_str().is_empty() || at.exists());
    let first_there = first_there.filter(|at| !at.as_os_str().is_empty());
    must_lie_outside(data, first_there.unwrap_or(Path::new(".")), folder)
}

/// Refuses a file in this node's folder, and in any other's.
fn must_be_outside(folder: Option<&Path>, file: &Path) -> Result<(), NodeError> {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    must_lie_outside(folder, parent.unwrap_or(Path::new(".")), file)
}

/// Refuses what would be made in the folder `at`, by the name that was `typed` for it.
fn must_lie_outside(folder: Option<&Path>, at: &Path, typed: &Path) -> Result<(), NodeError> {
    let inside = fs::canonicalize(at).is_ok_and(|at| {
        let own = folder.and_then(|folder| fs::canonicalize(folder).ok());
        let is_own = own.is_some_and(|own| at.starts_with(own));
        is_own || at.ancestors().any(|above| above.join(FEEDS).is_file())
    });
    if inside {
        return Err(Because::of(&reason::OUTPUT_INSIDE).with("place", typed.display()).into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;
    use crate::error::ErrorKind;

    const SORTS: [(Sort, &[u8]); 5] = [
        (Sort::Bundle, b"WKSBMbdl\x01"),
        (Sort::Invitation, b"WKSBMinv\x01"),
        (Sort::Document, b"\x85\x6f\x4a\x83\x00"),
        (Sort::JsonLines, b"{\"area\":\"32\"}\n{}\n"),
        (Sort::Manual, b".ie x\n.el y\n.TH wksbm-man 1  \"man \"\n"),
    ];

    #[test]
    fn only_a_file_of_the_same_sort_may_be_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x");
        for (sort, _) in SORTS {
            must_be_free(&file, sort).unwrap();
            for (other, begins) in SORTS {
                fs::write(&file, begins).unwrap();
                let found = must_be_free(&file, sort).map_err(|error| error.kind());
                let wanted = if sort == other { Ok(()) } else { Err(ErrorKind::FileForeign) };
                assert_eq!(found, wanted, "{sort:?} over {other:?}");
            }
            for foreign in [
                &b".TH wksbmx 1"[..],
                b".TH ls 1\n",
                b"dear sir",
                b"[1]",
                b"{",
                b"WKSBM",
                b"\xff\xd8\xff\xe0",
            ] {
                fs::write(&file, foreign).unwrap();
                assert!(must_be_free(&file, sort).is_err(), "{sort:?} over {foreign:?}");
            }
            fs::write(&file, b"").unwrap();
            must_be_free(&file, sort).unwrap();
            assert!(must_be_free(folder.path(), sort).is_err(), "{sort:?} over a folder");
            fs::remove_file(&file).unwrap();
        }
    }

    #[test]
    fn nothing_is_written_into_the_data_folder() {
        let folder = tempfile::tempdir().unwrap();
        let beside = folder.path().join("beside");
        let data = folder.path().join("data");
        fs::create_dir_all(data.join("keys")).unwrap();
        for (sort, _) in SORTS {
            must_be_writable(&data, &beside, sort).unwrap();
            for inside in ["feed.redb", "keys/device.key", "../data/x"] {
                let refused = must_be_writable(&data, &data.join(inside), sort).unwrap_err();
                assert_eq!(refused.kind(), ErrorKind::Usage, "{inside}");
            }
        }
    }

    #[test]
    fn nothing_is_written_into_the_folder_of_another_node() {
        let folder = tempfile::tempdir().unwrap();
        let (own, other) = (folder.path().join("own"), folder.path().join("other"));
        fs::create_dir_all(other.join("keys")).unwrap();
        must_be_writable(&own, &other.join("x"), Sort::Bundle).unwrap();
        fs::write(other.join(FEEDS), "x").unwrap();
        for inside in ["x", "keys/x"] {
            let refused = must_be_writable(&own, &other.join(inside), Sort::Bundle).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Usage, "{inside}");
        }
    }
}
