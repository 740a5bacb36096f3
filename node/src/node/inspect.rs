//! Looking into a bundle without taking anything from it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crdt_schema::area::{AreaCode, AreaTree};
use crdt_schema::id::{FeedId, FeedName};

use super::Node;
use crate::answer::{Audience, BundleInspect, MissingRun, When};
use crate::bundle::{BundleReader, FORMAT_VERSION, FeedsSeen, Frame, Piece, Target};
use crate::describe::area_name;
use crate::error::NodeError;

/// Per feed, the stretches of entries a file holds.
type Stretches = BTreeMap<FeedId, Stretch>;
/// A feed, and first and last sequence of each stretch of it.
type Stretch = (FeedName, BTreeSet<(u64, u64)>);

impl Node {
    /// What a bundle says of itself and whether it is whole; with a node also what would be new.
    ///
    /// # Errors
    /// [`NodeError`] when the file is no bundle, its beginning is damaged, or a disk fails.
    pub fn bundle_inspect(file: &Path, node: Option<&Self>) -> Result<BundleInspect, NodeError> {
        let mut reader =
            BundleReader::open(file).map_err(|error| NodeError::bundle(file, error))?;
        let header = reader.header().clone();
        let size = std::fs::metadata(file).map_err(|e| NodeError::file("read", file, e))?.len();
        let (mut feeds, mut stretches) = (FeedsSeen::default(), Stretches::new());
        let (mut whole, mut entries) = (true, 0);
        while let Some(piece) =
            reader.next_piece().map_err(|error| NodeError::file("read", file, error))?
        {
            match piece {
                Piece::Frame(Frame::Feed(name)) => feeds.push(name),
                Piece::Frame(Frame::Run(number, run)) => {
                    let (Some(name), Ok(block)) = (feeds.of(number), run.block()) else {
                        whole = false;
                        continue;
                    };
                    entries += block.entries.len() as u64;
                    let of_feed = stretches.entry(name.id()).or_insert((name, BTreeSet::new()));
                    of_feed.1.insert((block.first, block.last()));
                }
                Piece::Frame(_) | Piece::End => {}
                Piece::Newer | Piece::Altered | Piece::Cut => whole = false,
            }
        }
        let tree = node.map(|node| node.tree().clone());
        let tree = tree.unwrap_or_else(AreaTree::west_java);
        let code = |name: &FeedName| area_name(&tree, name.area).area;
        let areas: BTreeSet<AreaCode> = stretches.values().map(|(name, _)| code(name)).collect();
        let new_here = node.map(|node| node.new_in(&stretches));
        let held = |feed: &FeedId| node.map_or(0, |node| node.longest(*feed));
        Ok(BundleInspect {
            format: FORMAT_VERSION.into(),
            network: header.network,
            from: header.from,
            audience: match header.target {
                Target::All => Audience::All,
                Target::Area(area) => Audience::Area(area_name(&tree, area).area),
                Target::Device(device) => Audience::Device(device),
            },
            made_at: Some(When(header.made_at)),
            part: [header.part, header.parts],
            areas: areas.into_iter().collect(),
            feeds: stretches.len() as u64,
            entries,
            bytes: size,
            whole,
            missing: missing(&stretches, held),
            new_here,
        })
    }

    /// Places of the file's feeds beyond what is held. Whether they would be taken is not judged.
    fn new_in(&self, stretches: &Stretches) -> u64 {
        let beyond = |(feed, (_, of_feed)): (&FeedId, &Stretch)| {
            let held = self.longest(*feed);
            let new =
                |(first, last): &(u64, u64)| (last + 1).saturating_sub((held + 1).max(*first));
            of_feed.iter().map(new).sum::<u64>()
        };
        stretches.iter().map(beyond).sum()
    }

    fn longest(&self, feed: FeedId) -> u64 {
        let heads = self.replica.feed(feed).into_iter().flat_map(|feed| &feed.branches);
        heads.map(|branch| branch.head.point.seq).max().unwrap_or(0)
    }
}

/// Stretches that would have to come before those of the file.
fn missing(stretches: &Stretches, held: impl Fn(&FeedId) -> u64) -> Vec<MissingRun> {
    let mut missing = Vec::new();
    for (feed, (_, of_feed)) in stretches {
        let mut reached = held(feed);
        for (first, last) in of_feed {
            if *first > reached + 1 {
                missing.push(MissingRun { feed: *feed, from: reached + 1, to: first - 1 });
            }
            reached = reached.max(*last);
        }
    }
    missing
}
