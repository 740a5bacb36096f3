//! The files of a run in its data folder: the token, and where it answers. A board that starts anew on a
//! full disk is to be asked and looked at like any other, so the room they take is kept for them.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use node::atomic;
use node::error::{ErrorKind, NodeError};

use super::{RUN_FILE, RunNote};
use crate::error::Failure;

/// Names the file with the token.
const TOKEN_FILE: &str = "api.token";
/// Names the file that holds their room.
const SPARE_FILE: &str = "run.spare";
/// Both notes, in blocks of the largest usual size, and again while one is written beside the other.
const SPARE_BYTES: usize = 16 << 10;

/// Where a run is, and the files that say so; gone when it is dropped.
#[derive(Debug)]
pub(super) struct Notes {
    /// Where it answers.
    pub(super) url: String,
    /// The file with the token.
    pub(super) token_file: PathBuf,
    run_file: PathBuf,
}

impl Notes {
    /// Writes the token, then where to use it.
    ///
    /// # Errors
    /// [`Failure`] where the folder cannot be written.
    pub(super) fn new(folder: &Path, at: SocketAddr, token: &[u8; 32]) -> Result<Self, Failure> {
        let absolute = |name: &str| {
            let path = folder.join(name);
            std::path::absolute(&path).map_err(|error| Failure::file("write", &path, error))
        };
        let (token_file, run_file) = (absolute(TOKEN_FILE)?, absolute(RUN_FILE)?);
        let notes = Self { url: format!("http://{at}"), token_file, run_file };
        let spare = folder.join(SPARE_FILE);
        match notes.write(token) {
            Err(failure)
                if failure.kind() == ErrorKind::DiskFull && fs::remove_file(&spare).is_ok() =>
            {
                notes.write(token)?;
            }
            written => written?,
        }
        let is_whole = spare.metadata().is_ok_and(|it| it.len() == SPARE_BYTES as u64);
        if !is_whole && fs::write(&spare, [0; SPARE_BYTES]).is_err() {
            // A part of it is room that somebody else may need more.
            drop(fs::remove_file(&spare));
        }
        Ok(notes)
    }

    fn write(&self, token: &[u8; 32]) -> Result<(), Failure> {
        let (pid, api) = (std::process::id(), self.url.clone());
        let note = RunNote { pid, api, token_file: self.token_file.clone() };
        let note = serde_json::to_vec(&note)
            .map_err(|error| NodeError::Internal { what: format!("a note is no JSON: {error}") })?;
        let write = |path: &Path, bytes: &[u8]| {
            atomic::write_private(path, bytes).map_err(|error| Failure::file("write", path, error))
        };
        write(&self.token_file, format!("{}\n", hex::encode(token)).as_bytes())?;
        write(&self.run_file, &note)
    }
}

impl Drop for Notes {
    fn drop(&mut self) {
        // A note left behind names a run that answers no more: commands see that.
        for path in [&self.run_file, &self.token_file] {
            drop(fs::remove_file(path));
        }
    }
}
