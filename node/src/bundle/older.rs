//! What an earlier bundle of the same name left beside a new one. Nothing is deleted here: a piece
//! may be the only copy on the stick, and whoever mixes pieces of two bundles must know which.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::format::MAGIC;

/// Bundles called `target`, or named as a piece of it, that are not among those just `written`; by
/// name. A folder that cannot be read has none to tell of.
pub fn older_pieces(target: &Path, written: &[PathBuf]) -> Vec<PathBuf> {
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty());
    let Ok(entries) = fs::read_dir(parent.unwrap_or(Path::new("."))) else { return Vec::new() };
    let written: BTreeSet<_> = written.iter().filter_map(|path| path.file_name()).collect();
    let mut older: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.file_name()))
        .filter(|name| !written.contains(name.as_os_str()) && is_of(target, Path::new(name)))
        .map(|name| target.with_file_name(name))
        .filter(|path| is_bundle(path))
        .collect();
    older.sort();
    older
}

/// Whether a file of this name is `target`, or one of its pieces: `desa.2of3.wksbm` of `desa.wksbm`.
fn is_of(target: &Path, name: &Path) -> bool {
    if target.file_name() == Some(name.as_os_str()) {
        return true;
    }
    let extension = target.extension().unwrap_or("wksbm".as_ref());
    let Some(stem) = name.file_stem().filter(|_| name.extension() == Some(extension)) else {
        return false;
    };
    let stem = Path::new(stem);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let piece = stem.extension().and_then(|suffix| suffix.to_str()?.split_once("of"));
    stem.file_stem() == target.file_stem()
        && piece.is_some_and(|(part, parts)| is_number(part) && is_number(parts))
}

fn is_bundle(path: &Path) -> bool {
    // A pipe would be waited for.
    if !fs::metadata(path).is_ok_and(|found| found.is_file()) {
        return false;
    }
    let mut begins = [0; MAGIC.len()];
    File::open(path).and_then(|mut file| file.read_exact(&mut begins)).is_ok() && begins == *MAGIC
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;

    #[test]
    fn bundles_of_the_name_that_were_not_written_now_are_named_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in [
            "desa.wksbm",
            "desa.1of3.wksbm",
            "desa.2of3.wksbm",
            "desa.10of12.wksbm",
            "desa.1of2.wksbm",
            "desa.of2.wksbm",
            "desa.xof2.wksbm",
            "desa.1of2.txt",
            "desa2.1of2.wksbm",
            "desa.lama.1of2.wksbm",
        ] {
            fs::write(at(name), b"WKSBMbdl\x01").unwrap();
        }
        fs::write(at("desa.9of9.wksbm"), b"a letter").unwrap();
        fs::create_dir(at("desa.8of9.wksbm")).unwrap();
        let written = [at("desa.1of2.wksbm"), at("desa.2of2.wksbm")];
        let older = older_pieces(&at("desa.wksbm"), &written);
        let wanted = ["desa.10of12.wksbm", "desa.1of3.wksbm", "desa.2of3.wksbm", "desa.wksbm"];
        assert_eq!(older, wanted.map(at));
        let whole = older_pieces(&at("desa.wksbm"), &[at("desa.wksbm")]);
        assert_eq!(whole.len(), 4, "{whole:?}");
        assert!(older_pieces(&at("tiada/desa.wksbm"), &[]).is_empty());
    }
}
