//! Sticks: bundles carried from a village to the hub above it, and back.

use std::path::PathBuf;

use node::error::NodeError;
use node::node::{ExportAsk, ExportTarget};
use node::ports::StoreError;
use node::progress::Unwatched;

use super::told;
use super::town::Town;

/// Bytes of a small stick's pieces.
const PIECE_BYTES: u64 = 64 * 1024;

impl Town {
    /// A stick goes up and comes back, files in any order, some twice, one perhaps cut.
    ///
    /// # Errors
    /// What did not work.
    pub(super) fn courier(&mut self, site: usize) -> Result<(), String> {
        let Some(above) = self.above(site) else { return Ok(()) };
        if self.sites[site].up.is_none() || self.sites[above].up.is_none() {
            return Ok(());
        }
        let up = self.carry(site, above)?;
        if self.carry(above, site)? || up {
            self.note("stick carried");
        }
        Ok(())
    }

    /// One bundle from one node to another, and whether there was one and it was read.
    ///
    /// # Errors
    /// What did not work.
    pub(super) fn carry(&mut self, from: usize, to: usize) -> Result<bool, String> {
        let files = self.export(from, to)?;
        if files.is_empty() {
            return Ok(false);
        }
        let mut order = files.clone();
        self.numbers.shuffle(&mut order);
        let is_shuffled = order != files;
        let is_twice = self.numbers.chance(30);
        if is_twice {
            order.extend(files.iter().cloned());
        }
        let is_cut = self.numbers.chance(self.config.cut_percent) && !self.healing;
        if is_cut {
            let victim = &order[0];
            let bytes = std::fs::read(victim).map_err(told)?;
            let kept = self.numbers.below(bytes.len());
            std::fs::write(victim, &bytes[..kept]).map_err(told)?;
        }
        let read = self.import(to, &order)?;
        for (happened, what) in [
            (is_shuffled && read > 1, "bundle pieces in another order"),
            (is_twice && read > files.len(), "bundle imported twice"),
            (is_cut && self.sites[to].up.is_some(), "bundle cut short"),
        ] {
            if happened {
                self.note(what);
            }
        }
        for file in files {
            std::fs::remove_file(file).ok();
        }
        if is_cut {
            self.look_at_part(to)?;
        }
        Ok(read > 0)
    }

    /// What one node has for another, uncut. What a device holds is known by its keys: a copy of a card
    /// would be taken to hold what the first does, and has everything written.
    ///
    /// # Errors
    /// What did not work.
    pub(super) fn hand_over(&mut self, from: usize, to: usize) -> Result<(), String> {
        let device = self.sites[to].role.device().to_string();
        let is_copy = self.copies().contains(&to);
        let files = self.export_for(from, ExportTarget::Device(device), None, is_copy)?;
        self.import(to, &files).map(drop)
    }

    fn export(&mut self, from: usize, to: usize) -> Result<Vec<PathBuf>, String> {
        let device = self.sites[to].role.device().to_string();
        let area = self.sites[from].role.area.first_code().map(|code| code.to_string());
        let target = match self.numbers.below(10) {
            0 => ExportTarget::All,
            1 => ExportTarget::Area(area.unwrap_or_default()),
            _ => ExportTarget::Device(device),
        };
        let max_bytes = self.numbers.chance(20).then_some(PIECE_BYTES);
        self.export_for(from, target, max_bytes, false)
    }

    fn export_for(
        &mut self,
        from: usize,
        target: ExportTarget,
        max_bytes: Option<u64>,
        everything: bool,
    ) -> Result<Vec<PathBuf>, String> {
        self.files += 1;
        let file = self.room.path().join(format!("{}.wksbm", self.files));
        let whole = self.numbers.chance(10) || everything;
        let ask = ExportAsk { target, clear: true, max_bytes, whole };
        let Some(up) = self.sites[from].up.as_mut() else { return Ok(Vec::new()) };
        let mut made = up.node.bundle_export(&ask, &file, &mut Unwatched);
        if ask.max_bytes.is_some() && made.as_ref().is_err_and(is_piece_too_small) {
            // What every piece begins with grew beyond it, by a flood: a larger stick is taken.
            self.note("stick too small");
            let ask = ExportAsk { max_bytes: None, ..ask };
            let Some(up) = self.sites[from].up.as_mut() else { return Ok(Vec::new()) };
            made = up.node.bundle_export(&ask, &file, &mut Unwatched);
        }
        match made {
            Ok(made) => Ok(made.files.into_iter().map(PathBuf::from).collect()),
            Err(error @ NodeError::Store { .. }) => {
                self.store_refused(from, &error);
                Ok(Vec::new())
            }
            // Whom nobody here knows, or an area that is elsewhere today.
            Err(NodeError::DeviceUnknown { .. } | NodeError::AreaUnknown { .. }) => Ok(Vec::new()),
            Err(error) => Err(format!("site {from}: an export failed: {error:?}")),
        }
    }

    /// Imports some files one by one; how many were read.
    fn import(&mut self, to: usize, files: &[PathBuf]) -> Result<usize, String> {
        let mut read = 0;
        for file in files {
            let Some(up) = self.sites[to].up.as_mut() else { return Ok(read) };
            match up.node.bundle_import(std::slice::from_ref(file), &mut Unwatched) {
                Ok(_) => {
                    read += 1;
                    self.with(to, |now, up| up.exchange.stirred(now, &mut up.node));
                }
                Err(
                    NodeError::FileEmpty { .. }
                    | NodeError::FileTruncated { .. }
                    | NodeError::FileForeign { .. }
                    | NodeError::FileAltered { .. },
                ) => {
                    self.note("bundle refused");
                }
                Err(NodeError::NoRoom { .. }) => self.note("bundle refused for want of room"),
                Err(error @ NodeError::Store { .. }) => self.store_refused(to, &error),
                Err(error) => return Err(format!("site {to}: an import failed: {error:?}")),
            }
        }
        Ok(read)
    }

    /// A store refused: the power is gone, or the disk is full.
    pub(super) fn store_refused(&mut self, site: usize, error: &NodeError) {
        if self.sites[site].shelf.is_dead() {
            self.after(site);
        } else {
            self.store_failed(site, is_for_room(error), &format!("{error:?}"));
        }
    }
}

/// Whether a store failed as one does without room: at that write, or because of it ever since.
pub(super) const fn is_for_room(error: &NodeError) -> bool {
    matches!(error, NodeError::Store { source: StoreError::Full | StoreError::Poisoned, .. })
}

fn is_piece_too_small(error: &NodeError) -> bool {
    error.to_string().contains("a piece of this bundle has at least")
}
