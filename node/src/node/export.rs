//! Bundles out: the same conversation as over a wire, in a file.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use crdt_schema::area::{AreaCode, AreaId};
use crdt_schema::authority::Rights;
use crdt_schema::entry::{ChainPoint, PackedRun};
use crdt_schema::id::{DeviceId, FeedId, FeedName, Space};

use super::Node;
use super::output::{Sort, must_be_writable};
use super::receipts::{device_value, receipt_value};
use crate::answer::{Audience, BundleExport, RottenRun};
use crate::authority::MemberState;
use crate::bundle::{
    BundleHeader, BundleWriter, Frame, HEADS_PER_FRAME, PiecePlan, Planner, RunSize, Span, Target,
    older_pieces, piece_names,
};
use crate::error::NodeError;
use crate::ports::{BranchHead, FeedHeads, FeedStore, StoreError};
use crate::progress::Progress;
use crate::replica::Leaving;

/// Feeds up to which a bundle for nobody in particular tells how far each is held here: a desa's
/// and its kecamatan's. Whoever keeps what this device once said learns from it that a backup was
/// put back; 72 bytes each stand at the head of every piece.
const HEADS_TOLD_TO_ALL_MAX: usize = 256;

/// What `bundle export` asks for.
#[derive(Debug, Clone)]
pub struct ExportAsk {
    /// Whom it is for.
    pub target: ExportTarget,
    /// In clear, asked for by name. Until sealing exists every bundle of a trial network is.
    pub clear: bool,
    /// For a device also what it once said it holds: its disk may be a backup put back.
    pub whole: bool,
    /// Bytes one file may have.
    pub max_bytes: Option<u64>,
}

/// Whom a bundle is for, as a person says it.
#[derive(Debug, Clone)]
pub enum ExportTarget {
    /// A device, by its full id or eight words: what it lacks, counted from its last known heads.
    Device(String),
    /// An area, by code.
    Area(String),
    /// Everything this node holds.
    All,
}

/// Places of feeds that a device said it holds.
type Known = BTreeMap<FeedId, Vec<ChainPoint>>;

/// What `bundle export` left out for it rotted.
type Rotten = Vec<RottenRun>;

/// One feed's part of a bundle: of which branches, from where, up to where.
struct Part<'a> {
    feed: &'a FeedHeads,
    branches: Vec<(&'a BranchHead, u64, u64)>,
}

impl Part<'_> {
    fn spans(&self) -> impl Iterator<Item = Span> {
        let feed = self.feed.name.id();
        self.branches.iter().map(move |(_, from, to)| Span { feed, from: *from, to: *to })
    }
}

impl Node {
    /// Writes a bundle to `file`, in pieces where `max_bytes` asks for it. Nothing appears under
    /// its final name before all of it is durable. Every run is checked on its way; what rotted is
    /// left out and named in the answer.
    ///
    /// # Errors
    /// [`NodeError`] when the device or area is not known, nothing of the area is held here, or a disk
    /// fails.
    pub fn bundle_export(
        &mut self,
        ask: &ExportAsk,
        file: &Path,
        progress: &mut dyn Progress,
    ) -> Result<BundleExport, NodeError> {
        must_be_writable(&self.folder, file, Sort::Bundle)?;
        let (target, audience) = self.target(&ask.target)?;
        let known = self.known_heads(target, ask.whole)?;
        let header = BundleHeader {
            network: self.authority().network(),
            from: self.device(),
            target,
            made_at: self.env.clock.now(),
            bundle: self.env.random()?,
            part: 1,
            parts: 1,
        };
        let sizes = match ask.max_bytes {
            None => None,
            Some(max_bytes) => Some((max_bytes, self.run_sizes(target, &known, progress)?)),
        };
        if let Some((max_bytes, sizes)) = &sizes {
            // Asked before anything changes, with more than will stand at the head of a piece: the
            // receipts held and those that are about to replace some of them.
            let mut preamble = self.preamble(target)?;
            let (hubs, device) = self.new_rows()?;
            let rows = hubs.iter().map(receipt_value).chain(device.iter().map(device_value));
            preamble.extend(rows.map(|(_, row)| Frame::Receipt(row)));
            self.plan(file, Planner::new(&header, &preamble, *max_bytes), sizes)?;
        }
        self.renew_if_possible()?;
        let parts = self.parts(target, &known)?;
        let preamble = self.preamble(target)?;
        let plan = match &sizes {
            None => vec![PiecePlan::whole(parts.iter().flat_map(Part::spans).collect())],
            Some((max_bytes, sizes)) => {
                self.plan(file, Planner::new(&header, &preamble, *max_bytes), sizes)?
            }
        };
        let frames = (header, preamble);
        let mut answer =
            self.write_bundle(&parts, file, frames.clone(), plan, audience, progress)?;
        if !answer.missing.is_empty() && sizes.is_none() {
            // Written again, so that its list of contents names only what is in it.
            let sizes = self.run_sizes(target, &known, progress)?;
            let plan = vec![PiecePlan::whole(sizes.iter().map(RunSize::span).collect())];
            answer = self.write_bundle(&parts, file, frames, plan, audience, progress)?;
        }
        Ok(answer)
    }

    /// Writes the parts as planned.
    fn write_bundle(
        &self,
        parts: &[Part<'_>],
        file: &Path,
        (header, preamble): (BundleHeader, Vec<Frame>),
        plan: Vec<PiecePlan>,
        audience: Audience,
        progress: &mut dyn Progress,
    ) -> Result<BundleExport, NodeError> {
        let mut writer = BundleWriter::new(file, header, preamble, plan);
        let mut answer = BundleExport {
            files: Vec::new(),
            bytes: 0,
            audience,
            areas: Vec::new(),
            feeds: parts.len() as u64,
            entries: 0,
            missing: Vec::new(),
            older: Vec::new(),
        };
        let total = parts.iter().flat_map(|part| &part.branches).map(|(_, from, to)| to + 1 - from);
        let total: u64 = total.sum();
        let written = |error| NodeError::file("write", file, error);
        let mut areas: BTreeSet<AreaCode> = BTreeSet::new();
        for part in parts {
            areas.insert(self.area_name(part.feed.name.area).area);
            let (entries, rotten) = self.write_part(part, &mut writer, &written)?;
            answer.entries += entries;
            answer.missing.extend(rotten);
            if !progress.at(answer.entries, total) {
                return Err(NodeError::Interrupted);
            }
        }
        answer.areas = areas.into_iter().collect();
        let files: Vec<PathBuf> = writer.finish().map_err(written)?;
        for path in &files {
            let size = std::fs::metadata(path).map_err(|e| NodeError::file("read", path, e))?;
            answer.bytes += size.len();
            answer.files.push(path.display().to_string());
        }
        let older = older_pieces(file, &files).into_iter();
        answer.older = older.map(|path| path.display().to_string()).collect();
        Ok(answer)
    }

    /// How large the runs are that go in: they are gone through once more, so that each piece can
    /// begin with what it will hold, and a size that is impossible is refused before anything.
    fn run_sizes(
        &self,
        target: Target,
        known: &Known,
        progress: &mut dyn Progress,
    ) -> Result<Vec<RunSize>, NodeError> {
        let mut sizes = Vec::new();
        for part in &self.parts(target, known)? {
            // What rotted is named when the files are written.
            self.each_run(part, |places, run| {
                sizes.push(RunSize::of(part.feed.name, places, run));
                Ok(())
            })?;
            if !progress.at(0, 0) {
                return Err(NodeError::Interrupted);
            }
        }
        Ok(sizes)
    }

    /// Deals the runs out to pieces whose names are free or those of older bundles.
    fn plan(
        &self,
        file: &Path,
        mut planner: Planner,
        sizes: &[RunSize],
    ) -> Result<Vec<PiecePlan>, NodeError> {
        for run in sizes {
            planner.add(run);
        }
        let plan = planner.pieces().map_err(NodeError::unplannable)?;
        for name in piece_names(file, plan.len()) {
            must_be_writable(&self.folder, &name, Sort::Bundle)?;
        }
        Ok(plan)
    }

    fn write_part(
        &self,
        part: &Part<'_>,
        writer: &mut BundleWriter,
        written: &impl Fn(std::io::Error) -> NodeError,
    ) -> Result<(u64, Rotten), NodeError> {
        let feed = Frame::Feed(part.feed.name);
        let mut entries = 0;
        let rotten = self.each_run(part, |places, run| {
            entries += places.end() + 1 - places.start();
            writer.push(&feed, |number| Frame::Run(number, run.clone())).map_err(written)
        })?;
        Ok((entries, rotten))
    }

    /// The runs of a part that are whole, each with the places it is sent for; and what is not.
    fn each_run(
        &self,
        part: &Part<'_>,
        mut take: impl FnMut(RangeInclusive<u64>, PackedRun) -> Result<(), NodeError>,
    ) -> Result<Rotten, NodeError> {
        let (name, feed) = (part.feed.name, part.feed.name.id());
        let mut rotten: Rotten = Vec::new();
        for (branch, from, to) in &part.branches {
            let mut next = *from;
            while next <= *to {
                let run = self.replica.leaving(feed, branch.branch, next);
                match run.map_err(|error| self.store_error(error))? {
                    Leaving::Whole { run, last } => {
                        take(next..=last, run)?;
                        next = last + 1;
                    }
                    Leaving::Damaged { last, what } => {
                        let (device, area) = (name.device, self.area_name(name.area));
                        let to = last.min(branch.head.point.seq);
                        rotten.push(RottenRun { feed, device, area, from: next, to, what });
                        next = to + 1;
                    }
                    Leaving::Nothing => break,
                }
            }
        }
        Ok(rotten)
    }

    fn target(&self, asked: &ExportTarget) -> Result<(Target, Audience), NodeError> {
        Ok(match asked {
            ExportTarget::All => (Target::All, Audience::All),
            ExportTarget::Area(code) => {
                let area = self.area(code)?;
                self.must_know_of(area)?;
                (Target::Area(area), Audience::Area(self.area_name(area).area))
            }
            ExportTarget::Device(who) => {
                let device = self.device_meant(who)?;
                (Target::Device(device), Audience::Device(device))
            }
        })
    }

    /// Refuses an area that this device does not serve and of which nothing lies here: a bundle of it
    /// would look like one.
    fn must_know_of(&self, area: AreaId) -> Result<(), NodeError> {
        let covers = |held: &AreaId| self.tree().ever_covered(*held, area);
        let serves = self.authority().interest(&self.device()).iter().any(covers);
        let within = |feed: &FeedHeads| self.tree().ever_covered(area, feed.name.area);
        if serves || self.replica.feeds().any(within) {
            return Ok(());
        }
        let own = self.area_said(self.own_area());
        Err(NodeError::AreaOutside { area: self.area_said(area), own })
    }

    /// A device by words, full id, or a beginning of it: nothing is granted by naming it here.
    fn device_meant(&self, who: &str) -> Result<DeviceId, NodeError> {
        let prefix = who.trim().to_ascii_lowercase();
        let members = self.authority().members().map(|(device, _)| *device);
        let begins = |device: &DeviceId| device.to_string().starts_with(&prefix);
        let named: Vec<DeviceId> =
            if prefix.len() >= 8 { members.filter(begins).collect() } else { Vec::new() };
        match named.as_slice() {
            [device] => Ok(*device),
            _ => self.device_named(who),
        }
    }

    /// Each piece begins with what lets it be read alone: the root statement, this node's heads,
    /// and the hubs' receipts.
    fn preamble(&self, target: Target) -> Result<Vec<Frame>, NodeError> {
        let mut frames = vec![Frame::Statement(self.authority().statement().as_bytes().to_vec())];
        let is_for_one = matches!(target, Target::Device(_));
        if is_for_one || self.replica.feeds().count() <= HEADS_TOLD_TO_ALL_MAX {
            let mut heads: Vec<(FeedId, ChainPoint)> = Vec::new();
            let concerns = |feed: &&FeedHeads| !is_for_one || self.concerns(&feed.name, target);
            for feed in self.replica.feeds().filter(concerns) {
                heads.extend(self.heads_told(feed, target)?);
            }
            frames.extend(heads.chunks(HEADS_PER_FRAME).map(|some| Frame::Heads(some.to_vec())));
        }
        frames.extend(self.receipts_for(target)?.into_iter().map(Frame::Receipt));
        Ok(frames)
    }

    /// How far a device is told that a feed is held here: as far as it is handed on, so that it can
    /// tell what it lacks; of its own feeds all.
    fn heads_told(
        &self,
        feed: &FeedHeads,
        target: Target,
    ) -> Result<Vec<(FeedId, ChainPoint)>, NodeError> {
        let id = feed.name.id();
        if matches!(target, Target::Device(device) if device == feed.name.device) {
            return Ok(feed.branches.iter().map(|branch| (id, branch.head.point)).collect());
        }
        let mut heads = Vec::new();
        for (branch, until) in self.handed_on(feed, target)? {
            let point = match self.replica.feed_store().point(id, branch.branch, until) {
                // What cannot be named any more is not told; its run is named as missing.
                Err(StoreError::Damaged { .. }) => None,
                point => point.map_err(|error| self.store_error(error))?,
            };
            heads.extend(point.filter(|point| point.seq > 0).map(|point| (id, point)));
        }
        Ok(heads)
    }

    /// What goes in, authority first and from the province downward, then records by area.
    fn parts(&self, target: Target, known: &Known) -> Result<Vec<Part<'_>>, NodeError> {
        let mut parts = Vec::new();
        for feed in self.replica.feeds().filter(|feed| self.concerns(&feed.name, target)) {
            // What a device wrote itself goes whole: its copy or an old backup of it may be the one
            // that reads this, and must take back what it does not hold.
            let is_own = matches!(target, Target::Device(device) if device == feed.name.device);
            let held = known.get(&feed.name.id()).filter(|_| !is_own);
            let held = held.map(Vec::as_slice).unwrap_or_default();
            let branches = self.branches_to_send(feed, held, target)?;
            if !branches.is_empty() {
                parts.push(Part { feed, branches });
            }
        }
        parts.sort_by_key(|part| {
            let name = &part.feed.name;
            let level = (name.space == Space::Authority).then(|| name.area.level());
            (name.space, level, name.area, name.id())
        });
        Ok(parts)
    }

    /// Whether a feed belongs into a bundle for somebody.
    fn concerns(&self, name: &FeedName, target: Target) -> bool {
        match target {
            Target::All => true,
            Target::Area(area) => {
                let inside = self.tree().ever_covered(area, name.area);
                inside
                    || name.space == Space::Authority
                        && self.tree().above(area).contains(&name.area)
            }
            Target::Device(device) => {
                // A device that was closed is told so: it may learn what authority says after its end.
                name.device == device
                    || self.authority().may_serve(&device, name.space, name.area)
                    || name.space == Space::Authority
                        && self.authority().may_learn(&device, name.area)
            }
        }
    }

    /// Of each branch of a feed that is handed on: its own part, without what is held already.
    fn branches_to_send<'a>(
        &self,
        feed: &'a FeedHeads,
        known: &[ChainPoint],
        target: Target,
    ) -> Result<Vec<(&'a BranchHead, u64, u64)>, NodeError> {
        let mut send = Vec::new();
        for (branch, until) in self.handed_on(feed, target)? {
            let first = branch.from.map_or(1, |(_, shared)| shared + 1);
            let mut from = first;
            for point in known {
                let at = self.replica.branch_of(feed.name.id(), *point);
                if at.map_err(|error| self.store_error(error))? == Some(branch.branch) {
                    from = from.max(point.seq + 1);
                }
            }
            if from <= until {
                send.push((branch, from, until));
            }
        }
        Ok(send)
    }

    /// The branches of a feed and how far each is handed on: all that counts, and what that rests on; of a waiting device by
    /// itself everything, so that somebody may confirm it; and to a device that may issue there also
    /// what does not count or waits, so that somebody may decide. Nobody else is given either, beyond
    /// the end of the run in which the last entry lies that counts; but a file for an area or for all
    /// holds all that this device wrote, for it may reach whoever confirms or adopts, and is what is
    /// left of it when this disk is lost.
    fn handed_on<'a>(
        &self,
        feed: &'a FeedHeads,
        target: Target,
    ) -> Result<Vec<(&'a BranchHead, u64)>, NodeError> {
        let is_own = feed.name.device == self.device();
        let for_device = match target {
            Target::Device(device) => Some(device),
            Target::All | Target::Area(_) => None,
        };
        let waits = || {
            let me = self.authority().member(&feed.name.device);
            me.is_some_and(|it| it.state == MemberState::Provisional)
        };
        let goes_whole = is_own && (for_device.is_none() || waits());
        let may_adopt = for_device.is_some_and(|device| {
            device == feed.name.device
                || self.authority().may(&device, Rights::ISSUE, feed.name.area)
        });
        if goes_whole || may_adopt {
            return Ok(feed.branches.iter().map(|b| (b, b.head.point.seq)).collect());
        }
        let until = self.replica.held_in_common(feed).map_err(|error| self.store_error(error))?;
        let of_branch = |branch: &'a BranchHead| {
            until.iter().find(|(b, _)| *b == branch.branch).map(|(_, until)| (branch, *until))
        };
        Ok(feed.branches.iter().filter_map(of_branch).collect())
    }

    /// What whoever reads a bundle is known to hold, from its own bundles; nothing where it is to be
    /// whole.
    fn known_heads(&self, target: Target, whole: bool) -> Result<Known, NodeError> {
        let mut known = Known::new();
        let Target::Device(device) = target else { return Ok(known) };
        if whole {
            return Ok(known);
        }
        for (feed, point) in self.heads_of(device)? {
            known.entry(feed).or_default().push(point);
        }
        Ok(known)
    }
}
