//! Looking into a bundle without taking anything from it.

use std::collections::BTreeSet;
use std::path::Path;

use crdt_schema::area::{AreaCode, AreaTree};
use crdt_schema::id::FeedName;

use super::Node;
use super::lacking::Contents;
use crate::answer::{Audience, BundleInspect, When};
use crate::bundle::{BundleReader, FORMAT_VERSION, FeedsSeen, Frame, Piece, Target};
use crate::describe::area_name;
use crate::error::NodeError;

impl Node {
    /// What a bundle says of itself and whether it is whole; with a node also what would be new.
    ///
    /// # Errors
    /// [`NodeError`] when the file is no bundle, its beginning is damaged, it was cut before anything
    /// can be said of it, or a disk fails.
    pub fn bundle_inspect(file: &Path, node: Option<&Self>) -> Result<BundleInspect, NodeError> {
        let mut reader =
            BundleReader::open(file).map_err(|error| NodeError::bundle(file, error))?;
        let header = reader.header().clone();
        let size = std::fs::metadata(file).map_err(|e| NodeError::file("read", file, e))?.len();
        let (mut feeds, mut contents) = (FeedsSeen::default(), Contents::default());
        let (mut whole, mut cut, mut entries) = (true, false, 0);
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
                    contents.see(&name, block.first, block.last());
                }
                Piece::Frame(Frame::Contents(spans)) => contents.list(&spans),
                Piece::Frame(_) | Piece::End => {}
                Piece::Newer | Piece::Altered | Piece::Trailing => whole = false,
                Piece::Cut => (whole, cut) = (false, true),
            }
        }
        if cut && contents.is_empty() {
            return Err(NodeError::FileTruncated { path: file.to_path_buf() });
        }
        let tree = node.map(|node| node.tree().clone());
        let tree = tree.unwrap_or_else(AreaTree::west_java);
        let code = |name: &FeedName| area_name(&tree, name.area).area;
        let areas: BTreeSet<AreaCode> = contents.feeds().map(code).collect();
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
            feeds: contents.feeds().len() as u64,
            entries,
            bytes: size,
            whole,
            missing: contents.missing(node),
            new_here: node.map(|node| contents.new_for(node)),
        })
    }
}
