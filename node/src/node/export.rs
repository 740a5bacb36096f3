//! Bundles out: the same conversation as over a wire, in a file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crdt_schema::area::AreaCode;
use crdt_schema::authority::Rights;
use crdt_schema::entry::ChainPoint;
use crdt_schema::id::{DeviceId, FeedId, FeedName, Space};

use super::Node;
use crate::answer::{Audience, BundleExport};
use crate::authority::MemberState;
use crate::bundle::{BundleHeader, BundleWriter, Frame, HEADS_PER_FRAME, Target};
use crate::error::NodeError;
use crate::ports::{BranchHead, FeedHeads, FeedStore};
use crate::progress::Progress;

/// What `bundle export` asks for.
#[derive(Debug, Clone)]
pub struct ExportAsk {
    /// Whom it is for.
    pub target: ExportTarget,
    /// In clear, asked for by name. Until sealing exists every bundle of a trial network is.
    pub clear: bool,
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

/// Bytes a piece may be asked to have at least: a full run and what explains it.
const PIECE_BYTES_MIN: u64 = 2 << 20;

/// One feed's part of a bundle: of which branches, from where, up to where.
struct Part<'a> {
    feed: &'a FeedHeads,
    branches: Vec<(&'a BranchHead, u64, u64)>,
}

impl Node {
    /// Writes a bundle to `file`, in pieces where `max_bytes` asks for it. Nothing appears under
    /// its final name before all of it is durable.
    ///
    /// # Errors
    /// [`NodeError`] when the device or area is not known, or a disk fails.
    pub fn bundle_export(
        &mut self,
        ask: &ExportAsk,
        file: &Path,
        progress: &mut dyn Progress,
    ) -> Result<BundleExport, NodeError> {
        super::folder::must_be_outside(&self.folder, file)?;
        let (target, audience) = self.target(&ask.target)?;
        let max_bytes = ask.max_bytes.unwrap_or(u64::MAX);
        if max_bytes < PIECE_BYTES_MIN {
            let what = format!("a piece of a bundle has at least {PIECE_BYTES_MIN} bytes");
            return Err(NodeError::Usage { what });
        }
        self.renew_receipts()?;
        let header = BundleHeader {
            network: self.authority().network(),
            from: self.device(),
            target,
            made_at: self.env.clock.now(),
            bundle: self.env.random()?,
            part: 1,
            parts: 1,
        };
        let parts = self.parts(target)?;
        let mut writer = BundleWriter::new(file, header, self.preamble(target)?, max_bytes);
        let mut answer = BundleExport {
            files: Vec::new(),
            bytes: 0,
            audience,
            areas: Vec::new(),
            feeds: parts.len() as u64,
            entries: 0,
        };
        let total = parts.iter().flat_map(|part| &part.branches).map(|(_, from, to)| to + 1 - from);
        let total: u64 = total.sum();
        let written = |error| NodeError::file("write", file, error);
        let mut areas: BTreeSet<AreaCode> = BTreeSet::new();
        for part in &parts {
            areas.insert(self.area_name(part.feed.name.area).area);
            answer.entries += self.write_part(part, &mut writer, &written)?;
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
        Ok(answer)
    }

    fn write_part(
        &self,
        part: &Part<'_>,
        writer: &mut BundleWriter,
        written: &impl Fn(std::io::Error) -> NodeError,
    ) -> Result<u64, NodeError> {
        let store = self.replica.feed_store();
        let id = part.feed.name.id();
        let feed = Frame::Feed(part.feed.name);
        let mut entries = 0;
        for (branch, from, to) in &part.branches {
            let mut next = *from;
            while next <= *to {
                let run = store.packed_run(id, branch.branch, next);
                let run = run.map_err(|error| self.store_error(error))?;
                let Some(run) = run else { break };
                let last = run.block().map_or(*to, |block| block.last());
                entries += last + 1 - next;
                writer.push(&feed, |number| Frame::Run(number, run.clone())).map_err(written)?;
                next = last + 1;
            }
        }
        Ok(entries)
    }

    fn target(&self, asked: &ExportTarget) -> Result<(Target, Audience), NodeError> {
        Ok(match asked {
            ExportTarget::All => (Target::All, Audience::All),
            ExportTarget::Area(code) => {
                let area = self.area(code)?;
                (Target::Area(area), Audience::Area(self.area_name(area).area))
            }
            ExportTarget::Device(who) => {
                let device = self.device_meant(who)?;
                (Target::Device(device), Audience::Device(device))
            }
        })
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
        if matches!(target, Target::Device(_)) {
            let heads: Vec<(FeedId, ChainPoint)> = self
                .replica
                .feeds()
                .filter(|feed| self.concerns(&feed.name, target))
                .flat_map(|feed| {
                    let id = feed.name.id();
                    feed.branches.iter().map(move |branch| (id, branch.head.point))
                })
                .collect();
            frames.extend(heads.chunks(HEADS_PER_FRAME).map(|some| Frame::Heads(some.to_vec())));
        }
        frames.extend(self.receipts_for(target)?.into_iter().map(Frame::Receipt));
        Ok(frames)
    }

    /// What goes in, authority first and from the province downward, then records by area.
    fn parts(&self, target: Target) -> Result<Vec<Part<'_>>, NodeError> {
        let known = match target {
            Target::Device(device) => self.known_heads(device)?,
            Target::All | Target::Area(_) => BTreeMap::new(),
        };
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

    /// The branches of a feed and how far each is handed on: all that counts; of devices that wait
    /// everything, so that somebody may confirm them; and to a device that may issue there also what
    /// does not count, so that somebody may adopt it.
    fn handed_on<'a>(
        &self,
        feed: &'a FeedHeads,
        target: Target,
    ) -> Result<Vec<(&'a BranchHead, u64)>, NodeError> {
        let member = self.authority().member(&feed.name.device);
        let waits = member.is_some_and(|member| member.state == MemberState::Provisional);
        let may_adopt = matches!(target, Target::Device(device)
            if self.authority().may(&device, Rights::ISSUE, feed.name.area));
        if waits || may_adopt {
            return Ok(feed.branches.iter().map(|b| (b, b.head.point.seq)).collect());
        }
        let until = self.replica.counting_until(feed).map_err(|error| self.store_error(error))?;
        let of_branch = |branch: &'a BranchHead| {
            until.iter().find(|(b, _)| *b == branch.branch).map(|(_, until)| (branch, *until))
        };
        Ok(feed.branches.iter().filter_map(of_branch).collect())
    }

    /// What a peer is known to hold, from its own bundles.
    fn known_heads(
        &self,
        device: DeviceId,
    ) -> Result<BTreeMap<FeedId, Vec<ChainPoint>>, NodeError> {
        let mut known: BTreeMap<FeedId, Vec<ChainPoint>> = BTreeMap::new();
        for (feed, point) in self.heads_of(device)? {
            known.entry(feed).or_default().push(point);
        }
        Ok(known)
    }
}
