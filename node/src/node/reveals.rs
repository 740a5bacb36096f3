//! Who asked to see values of class S, and what for: written and durable before a value is shown.
//!
//! `reveals.log` lies beside the stores, one JSON object a line, oldest first, read by its owner
//! alone. It never travels and holds no value. Each line names the hash of the line before, so that
//! one taken out or changed in the middle shows. It is the forerunner of the processing log.
//!
//! | member    | holds                                                              |
//! |-----------|--------------------------------------------------------------------|
//! | `v`       | 1                                                                  |
//! | `at`      | when, by this node's clock                                         |
//! | `command` | `record show`, `history`, `conflicts`, `export`                    |
//! | `record`  | id of the record                                                   |
//! | `class`   | `S`                                                                |
//! | `purpose` | as typed                                                           |
//! | `before`  | hash of the line before without its break; zeros in the first line |

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crdt_schema::id::RecordId;
use serde_json::json;

use super::Node;
use crate::answer::When;
use crate::atomic;
use crate::error::NodeError;
use crate::reason::{self, Because};

/// The log's name in the data folder.
const REVEALS: &str = "reveals.log";
/// Layout of a line.
const VERSION: u8 = 1;
/// Letters and digits of a purpose: less is a sign, not a word.
const PURPOSE_LETTERS_MIN: usize = 3;
/// Letters of a purpose: a sentence, not a report.
const PURPOSE_LETTERS_MAX: usize = 400;
/// No line is longer: a purpose whose every letter is written as an escape, and the rest.
const LINE_BYTES_MAX: u64 = PURPOSE_LETTERS_MAX as u64 * 12 + 512;
/// Keeps these hashes apart from all others.
const CONTEXT: &str = "wksbm 2026 reveal v1";

impl Node {
    /// Notes that values of these records are about to be shown for `purpose`.
    ///
    /// # Errors
    /// [`NodeError::Usage`] when the purpose says nothing or is too long; of the disk. No value may
    /// be shown then.
    pub(super) fn note_reveal(
        &self,
        command: &str,
        records: impl IntoIterator<Item = RecordId>,
        purpose: &str,
    ) -> Result<(), NodeError> {
        let purpose = stated(purpose)?;
        let path = self.folder.join(REVEALS);
        let at = When(self.env.clock.now()).text();
        let lines = records.into_iter().map(|record| {
            json!({
                "v": VERSION, "at": at, "command": command, "record": record.to_string(),
                "class": "S", "purpose": purpose,
            })
        });
        append(&path, lines.collect()).map_err(|error| NodeError::file("write", &path, error))
    }
}

/// A purpose that says something.
///
/// # Errors
/// [`NodeError::Usage`].
pub(super) fn stated(purpose: &str) -> Result<&str, NodeError> {
    let purpose = purpose.trim();
    let said = purpose.chars().filter(|letter| letter.is_alphanumeric()).count();
    if said < PURPOSE_LETTERS_MIN || purpose.chars().count() > PURPOSE_LETTERS_MAX {
        let what = Because::of(&reason::PURPOSE).with("least", PURPOSE_LETTERS_MIN);
        return Err(what.with("most", PURPOSE_LETTERS_MAX).into());
    }
    Ok(purpose)
}

/// Appends the lines, chained, and makes them durable.
fn append(path: &Path, lines: Vec<serde_json::Value>) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let is_new = !path.try_exists()?;
    let mut file = open(path)?;
    let (mut before, is_torn) = newest(&mut file)?;
    // A line that a power cut left without an end is kept, and ended.
    let mut text = if is_torn { "\n".to_owned() } else { String::new() };
    for mut line in lines {
        if let Some(line) = line.as_object_mut() {
            line.insert("before".to_owned(), before.into());
        }
        let line = line.to_string();
        before = hash(line.as_bytes());
        text.push_str(&line);
        text.push('\n');
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    if is_new { atomic::sync_folder(path) } else { Ok(()) }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

/// The hash of the newest line, and whether it has no end.
fn newest(file: &mut File) -> io::Result<(String, bool)> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LINE_BYTES_MAX + 1)))?;
    let mut tail = Vec::new();
    file.take(LINE_BYTES_MAX + 1).read_to_end(&mut tail)?;
    let is_torn = tail.last().is_some_and(|byte| *byte != b'\n');
    let whole = tail.strip_suffix(b"\n").unwrap_or(&tail);
    let line = whole.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let none = || "0".repeat(2 * blake3::OUT_LEN);
    Ok((if tail.is_empty() { none() } else { hash(line) }, is_torn))
}

fn hash(line: &[u8]) -> String {
    blake3::Hash::from(blake3::derive_key(CONTEXT, line)).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use std::fs;

    use super::*;

    fn line(purpose: &str) -> serde_json::Value {
        json!({"purpose": purpose})
    }

    /// Whether each line names the one before it.
    fn is_chained(text: &str) -> bool {
        let mut before = "0".repeat(64);
        text.lines().all(|line| {
            let read: Result<serde_json::Value, _> = serde_json::from_str(line);
            let follows = read.is_ok_and(|it| it.get("before").unwrap() == before.as_str());
            before = hash(line.as_bytes());
            follows
        })
    }

    #[test]
    fn each_line_names_the_one_before_and_a_line_taken_out_shows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(REVEALS);
        append(&path, vec![line("satu"), line("dua")]).unwrap();
        append(&path, vec![line(&"\u{1}".repeat(PURPOSE_LETTERS_MAX))]).unwrap();
        append(&path, vec![line("empat")]).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 4);
        assert!(is_chained(&text), "{text}");
        for gone in 0..3 {
            let kept = text.lines().enumerate().filter(|(place, _)| *place != gone);
            let kept: Vec<&str> = kept.map(|(_, line)| line).collect();
            assert!(!is_chained(&kept.join("\n")), "{gone}");
        }
    }

    #[test]
    fn a_line_that_a_power_cut_tore_is_kept_and_the_next_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(REVEALS);
        fs::write(&path, "{\"purpose\":\"pu").unwrap();
        append(&path, vec![line("sesudah")]).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let (torn, next) = text.trim_end().split_once('\n').unwrap();
        let next: serde_json::Value = serde_json::from_str(next).unwrap();
        assert_eq!(next.get("before").unwrap(), hash(torn.as_bytes()).as_str());
    }

    #[test]
    fn a_purpose_says_something() {
        for purpose in ["", " ", "\t\n", &"a".repeat(PURPOSE_LETTERS_MAX + 1)] {
            assert!(matches!(stated(purpose), Err(NodeError::Usage { .. })), "{purpose:?}");
        }
        assert_eq!(stated(" rujukan ").unwrap(), "rujukan");
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_reads_the_log() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(REVEALS);
        append(&path, vec![line("satu")]).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
