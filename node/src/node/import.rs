//! Bundles in: every run passes the one door, whole blocks are kept whatever becomes of the rest.
//!
//! Files may come in any order, twice, or cut. Pieces are read in their own order, whatever order they
//! were named in. A run whose device nobody certified yet, or whose beginning is missing, may be
//! explained by a later file: the files are gone through again as long as that brings something.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crdt_schema::area::AreaId;
use crdt_schema::entry::{ChainPoint, PackedRun, RefuseReason};
use crdt_schema::id::{FeedId, FeedName};

use super::Node;
use super::lacking::Contents;
use super::receipts::RowSeen;
use crate::answer::{
    BundleImport, ImportedArea, ImportedFile, MissingRun, NO_ROOM, OUTSIDE_INTEREST, RootHash,
};
use crate::bundle::{BundleReader, FeedsSeen, Frame, Piece, Target};
use crate::error::NodeError;
use crate::progress::Progress;
use crate::reason;
use crate::replica::{Offered, RejectReason, Source};

/// Entries and rows staged before they are made durable: a stop loses no more than this, and a commit
/// costs far less than verifying so many.
const STAGED_PER_COMMIT: u64 = 8_192;
/// Heads remembered of what a maker says in one file that it holds for this node: a province has some
/// forty thousand feeds.
const HELD_THERE_MAX: usize = 65_536;
/// Times the files are gone through, besides once for each of them: one for each level that must
/// first be certified, and one more. Of files in the worst order a pass settles one.
const PASSES_MORE: usize = 6;

/// The words under which a file's damage is counted.
const CUT: &str = "cut";
const ALTERED: &str = "altered";
const NEWER: &str = "newer";
const TRAILING: &str = "trailing";

/// One file while it is gone through.
#[derive(Debug, Default)]
struct Tally {
    /// Entries of the whole file, in the newest pass.
    entries: u64,
    new: u64,
    pending: u64,
    rejected: BTreeMap<String, u64>,
    /// Something may be taken once more is known.
    unsettled: bool,
    contents: Contents,
    /// The same in all pieces of one bundle.
    bundle: [u8; 16],
    /// This piece, and pieces in all.
    part: [u16; 2],
    /// What its maker holds for this node, where the bundle is one for this node.
    held_there: Vec<(FeedId, ChainPoint)>,
}

impl Node {
    /// Takes what bundle files bring.
    ///
    /// # Errors
    /// [`NodeError`] when a file is no bundle or of another network: then nothing was taken from
    /// any. [`NodeError::Interrupted`], [`NodeError::NoRoom`] and failures of the disk leave whole what
    /// was taken before; where there is no room that is who belongs to the network, and own feeds.
    pub fn bundle_import(
        &mut self,
        files: &[PathBuf],
        progress: &mut dyn Progress,
    ) -> Result<BundleImport, NodeError> {
        let mut total = 0;
        let before = self.quarantined()?;
        let mut tallies = Vec::with_capacity(files.len());
        for path in files {
            let (bundle, part) = self.must_hold_something(path)?;
            tallies.push(Tally { bundle, part, ..Tally::default() });
            total += std::fs::metadata(path).map_or(0, |file| file.len());
        }
        let mut areas = BTreeSet::new();
        for pass in 0..files.len() + PASSES_MORE {
            let mut brought = 0;
            let mut done = 0;
            let mut in_order: Vec<_> = files.iter().zip(&mut tallies).collect();
            in_order.sort_by_key(|(_, tally)| tally.part);
            for (path, tally) in in_order {
                if pass > 0 && !tally.unsettled {
                    continue;
                }
                let before = tally.new;
                self.pass_over(path, tally, &mut areas, progress, (&mut done, total))?;
                brought += tally.new - before;
            }
            if brought == 0 || !tallies.iter().any(|tally| tally.unsettled) {
                break;
            }
        }
        self.renew_receipts()?;
        if tallies.iter().any(|tally| tally.rejected.contains_key(NO_ROOM)) {
            // What was only carried is told as not taken; where all is refused, that is the answer.
            self.must_have_room()?;
        }
        let quarantined = self.quarantined()?.saturating_sub(before);
        let summary = self.replica.summary();
        let answer = |area: &AreaId| ImportedArea {
            area: self.area_name(*area),
            root: RootHash(summary.root(*area).0),
        };
        let assumed = self.assumed(&tallies);
        let file = |(path, tally): (&PathBuf, Tally)| tally.answer(path, self);
        let mut answers: Vec<ImportedFile> = files.iter().zip(tallies).map(file).collect();
        if let Some(last) = answers.last_mut() {
            let known: Vec<MissingRun> = last.missing.clone();
            last.missing.extend(assumed.iter().filter(|run| !known.contains(run)));
            last.assumed = assumed;
        }
        Ok(BundleImport { files: answers, areas: areas.iter().map(answer).collect(), quarantined })
    }

    /// What makers of bundles for this device hold for it and left out, by their word. Of a bundle in
    /// pieces that is known once all of them were read; until then it hides nothing of the others.
    fn assumed(&self, tallies: &[Tally]) -> Vec<MissingRun> {
        let pieces: BTreeSet<_> = tallies.iter().map(|it| (it.bundle, it.part[0])).collect();
        let is_whole =
            |tally: &Tally| (1..=tally.part[1]).all(|part| pieces.contains(&(tally.bundle, part)));
        let mut contents = Contents::default();
        let mut held_there = Vec::new();
        for tally in tallies {
            contents.add(&tally.contents);
            if is_whole(tally) {
                held_there.extend(tally.held_there.iter().copied());
            }
        }
        contents.assumed(&held_there, self)
    }

    fn quarantined(&self) -> Result<u64, NodeError> {
        self.replica.quarantined(|_| true).map_err(|error| self.store_error(error))
    }

    /// Opens a bundle and holds it to this network.
    fn open_bundle(&self, path: &Path) -> Result<BundleReader, NodeError> {
        let reader = BundleReader::open(path).map_err(|error| NodeError::bundle(path, error))?;
        let (theirs, ours) = (reader.header().network, self.authority().network());
        if theirs == ours {
            Ok(reader)
        } else {
            let (theirs, ours) = (theirs.to_string(), ours.to_string());
            Err(NodeError::NetworkOther { theirs, ours })
        }
    }

    /// Refuses a file that was cut, or altered to its end, before its first whole run, before
    /// anything is taken from any; tells of which bundle it is, which piece, and of how many.
    fn must_hold_something(&self, path: &Path) -> Result<([u8; 16], [u16; 2]), NodeError> {
        let mut reader = self.open_bundle(path)?;
        let (bundle, part) =
            (reader.header().bundle, [reader.header().part, reader.header().parts]);
        while let Some(piece) =
            reader.next_piece().map_err(|error| NodeError::file("read", path, error))?
        {
            match piece {
                Piece::Frame(Frame::Run(..)) | Piece::End | Piece::Trailing => {
                    return Ok((bundle, part));
                }
                Piece::Cut => return Err(NodeError::FileTruncated { path: path.to_path_buf() }),
                Piece::Frame(_) | Piece::Newer | Piece::Altered => {}
            }
        }
        let what = (&reason::BYTES_CHANGED).into();
        Err(NodeError::FileAltered { path: path.to_path_buf(), what })
    }

    fn pass_over(
        &mut self,
        path: &Path,
        tally: &mut Tally,
        areas: &mut BTreeSet<AreaId>,
        progress: &mut dyn Progress,
        (done, total): (&mut u64, u64),
    ) -> Result<(), NodeError> {
        let mut reader = self.open_bundle(path)?;
        let (from, name) = (reader.header().from, path.file_name().unwrap_or_default());
        let source = Source::Bundle(name.to_string_lossy().into_owned());
        let part = [reader.header().part, reader.header().parts];
        let is_for_me = reader.header().target == Target::Device(self.device());
        *tally = Tally { new: tally.new, bundle: tally.bundle, part, ..Tally::default() };
        self.note_contact(from, self.env.clock.now());
        let (mut feeds, mut staged, mut heads_told) = (FeedsSeen::default(), 0, None);
        let (mut stores, mut spoke_anew) = (self.known_stores()?, false);
        while let Some(piece) =
            reader.next_piece().map_err(|error| NodeError::file("read", path, error))?
        {
            match piece {
                Piece::Frame(Frame::Feed(name)) => feeds.push(name),
                Piece::Frame(Frame::Run(number, run)) => {
                    *done += run.bytes.len() as u64;
                    let Some(feed) = feeds.of(number) else {
                        tally.reject("unreadable", 1);
                        continue;
                    };
                    staged += self.take(&feed, &run, tally, &source, areas)?;
                }
                Piece::Frame(Frame::Heads(heads)) => {
                    staged += self.note_heads(from, &heads, &mut heads_told)?;
                    if is_for_me {
                        let room = HELD_THERE_MAX.saturating_sub(tally.held_there.len());
                        tally.held_there.extend(heads.into_iter().take(room));
                    }
                }
                Piece::Frame(Frame::Receipt(bytes)) => {
                    // A bundle with heads has said all that is to be remembered.
                    if heads_told.is_none() {
                        self.forget_if_restored(from, &bytes)?;
                    }
                    match self.note_receipt(&bytes, &mut stores)? {
                        RowSeen::Settled => {}
                        RowSeen::SpokeAnew => spoke_anew = true,
                        // Who says it may be told further on.
                        RowSeen::Unproved => tally.unsettled = true,
                    }
                    staged += 1;
                }
                Piece::Frame(Frame::Contents(spans)) => tally.contents.list(&spans),
                Piece::Frame(Frame::Header(_) | Frame::Statement(_) | Frame::End(_))
                | Piece::End => {}
                Piece::Newer => tally.reject(NEWER, 1),
                Piece::Altered => tally.reject(ALTERED, 1),
                Piece::Cut => tally.reject(CUT, 1),
                Piece::Trailing => tally.reject(TRAILING, 1),
            }
            if staged >= STAGED_PER_COMMIT || self.replica.must_commit() {
                self.commit_from(&source)?;
                staged = 0;
                if !progress.at((*done).min(total), total) {
                    return Err(NodeError::Interrupted);
                }
            }
        }
        if spoke_anew {
            self.forget_nobodys(&stores)?;
        }
        self.commit_from(&source)?;
        if progress.at((*done).min(total), total) { Ok(()) } else { Err(NodeError::Interrupted) }
    }

    /// Offers one run; returns how many entries it staged.
    fn take(
        &mut self,
        name: &FeedName,
        run: &PackedRun,
        tally: &mut Tally,
        source: &Source,
        areas: &mut BTreeSet<AreaId>,
    ) -> Result<u64, NodeError> {
        let offer = self.replica.offer(name, run).map_err(|error| self.store_error(error))?;
        let (entries, offered) = (offer.entries.max(1), offer.outcome);
        tally.entries += offer.entries;
        let rests_on_staged =
            matches!(offered, Offered::Rejected(reason) if reason.rests_on_authority());
        let offered = if rests_on_staged && self.replica.has_staged_authority() {
            self.commit_from(source)?;
            self.replica.offer(name, run).map_err(|error| self.store_error(error))?.outcome
        } else {
            offered
        };
        match offered {
            Offered::Rejected(RejectReason::OutsideInterest) => tally.contents.leave(name.id()),
            Offered::Rejected(RejectReason::Refused(_)) => {}
            Offered::Staged(_) | Offered::Duplicate | Offered::Pending | Offered::Rejected(_) => {
                if let Ok(block) = run.block() {
                    tally.contents.see(name, block.first, block.last());
                }
            }
        }
        match offered {
            Offered::Staged(new) => {
                tally.new += new;
                areas.insert(name.area);
                return Ok(new);
            }
            Offered::Duplicate => {}
            // What confirms this device may lie in a piece, or a bundle, that was not imported yet.
            Offered::Pending | Offered::Rejected(RejectReason::NotYetServed) => {
                tally.pending += entries;
                tally.unsettled = true;
            }
            Offered::Rejected(reason) => {
                tally.unsettled |= may_settle(reason);
                tally.reject(reason.name(), entries);
            }
        }
        Ok(0)
    }

    fn commit_from(&mut self, source: &Source) -> Result<(), NodeError> {
        let now = self.env.clock.now();
        let committed = self.replica.commit(None, source, now);
        let committed = committed.map_err(|error| NodeError::store(&self.folder, error))?;
        if committed.incarnation_changed {
            let next = self.env.random_u64()?;
            self.replica.set_next_incarnation(next);
        }
        Ok(())
    }
}

/// Whether more may make the run acceptable: its device's certificate, or the branch it goes on
/// from, without which its signature cannot hold.
const fn may_settle(reason: RejectReason) -> bool {
    matches!(
        reason,
        RejectReason::UnknownDevice
            | RejectReason::OutsideInterest
            | RejectReason::Refused(RefuseReason::Signature | RefuseReason::BackReference)
    )
}

impl Tally {
    fn reject(&mut self, reason: &str, entries: u64) {
        *self.rejected.entry(reason.to_owned()).or_default() += entries;
    }

    fn answer(self, path: &Path, node: &Node) -> ImportedFile {
        let refused: u64 = self
            .rejected
            .iter()
            .filter(|(reason, _)| ![CUT, ALTERED, NEWER, TRAILING].contains(&reason.as_str()))
            .map(|(_, entries)| entries)
            .sum();
        let lacks = self.pending > 0 || self.rejected.keys().any(|why| why != OUTSIDE_INTEREST);
        ImportedFile {
            file: path.display().to_string(),
            entries: self.entries,
            new: self.new,
            duplicate: self.entries.saturating_sub(self.new + self.pending + refused),
            pending: self.pending,
            rejected: self.rejected,
            bundle: hex::encode(self.bundle),
            part: self.part,
            missing: if lacks { self.contents.missing(Some(node)) } else { Vec::new() },
            assumed: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_others_is_counted_under_the_word_that_is_no_failure() {
        assert_eq!(RejectReason::OutsideInterest.name(), OUTSIDE_INTEREST);
    }

    #[test]
    fn what_the_disk_has_no_room_for_or_rotted_is_counted_under_its_word() {
        assert_eq!(RejectReason::NoRoom.name(), NO_ROOM);
        assert_eq!(RejectReason::Rotten.name(), crate::answer::ROTTEN_HERE);
    }
}
