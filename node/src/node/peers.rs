//! What this node remembers of others: when it last heard of them, and what they said they hold.
//!
//! Small named values of the feed store. `contact/` and the device hold the moment; `heads/`, the
//! device, the feed and the entry hold its sequence. None of it is trusted: a head that was never
//! held only makes a bundle shorter than it could be, and the root tells.

use crdt_schema::entry::ChainPoint;
use crdt_schema::id::{DeviceId, EntryId, FeedId};
use crdt_schema::time::Timestamp;

use super::Node;
use crate::error::NodeError;
use crate::ports::FeedStore;

const CONTACT: &[u8] = b"contact/";
const HEADS: &[u8] = b"heads/";

impl Node {
    /// Stages that a device was heard of now. Of devices nobody certified nothing is remembered: a
    /// file may claim to come from anybody.
    pub(super) fn note_contact(&mut self, device: DeviceId, at: Timestamp) {
        if self.authority().member(&device).is_none() {
            return;
        }
        let name = [CONTACT, &device.0].concat();
        self.replica.put_value(&name, Some(at.0.to_be_bytes().to_vec()));
    }

    /// Stages what a member says it holds of feeds that are held here: of others nothing could be
    /// sent, so nothing need be remembered. The first frame of a bundle replaces what was known: a
    /// backup put back holds less than it once did.
    pub(super) fn note_heads(
        &mut self,
        device: DeviceId,
        heads: &[(FeedId, ChainPoint)],
        is_first: bool,
    ) -> Result<(), NodeError> {
        if self.authority().member(&device).is_none() {
            return Ok(());
        }
        let before = if is_first { self.heads_of(device)? } else { Vec::new() };
        for (feed, point) in before.iter().filter(|head| !heads.contains(head)) {
            self.replica.put_value(&[HEADS, &device.0, &feed.0, &point.id.0].concat(), None);
        }
        let held = |(feed, _): &&(FeedId, ChainPoint)| self.replica.feed(*feed).is_some();
        let heads: Vec<(FeedId, ChainPoint)> = heads.iter().filter(held).copied().collect();
        for (feed, point) in &heads {
            let name = [HEADS, &device.0, &feed.0, &point.id.0].concat();
            self.replica.put_value(&name, Some(point.seq.to_be_bytes().to_vec()));
        }
        Ok(())
    }

    /// Devices heard of, and when.
    pub(super) fn contacts(&self) -> Result<Vec<(DeviceId, Timestamp)>, NodeError> {
        let values = self.replica.feed_store().values(CONTACT);
        let values = values.map_err(|error| self.store_error(error))?;
        let read = |(name, value): (Vec<u8>, Vec<u8>)| {
            let device = name.get(CONTACT.len()..)?.try_into().ok()?;
            Some((DeviceId(device), Timestamp(i64::from_be_bytes(value.try_into().ok()?))))
        };
        Ok(values.into_iter().filter_map(read).collect())
    }

    /// Heads a device said it holds.
    pub(super) fn heads_of(
        &self,
        device: DeviceId,
    ) -> Result<Vec<(FeedId, ChainPoint)>, NodeError> {
        let prefix = [HEADS, &device.0].concat();
        let values = self.replica.feed_store().values(&prefix);
        let values = values.map_err(|error| self.store_error(error))?;
        let read = |(name, value): (Vec<u8>, Vec<u8>)| {
            let rest = name.get(prefix.len()..)?;
            let (feed, entry) = rest.split_first_chunk::<32>()?;
            let seq = u64::from_be_bytes(value.try_into().ok()?);
            Some((FeedId(*feed), ChainPoint { seq, id: EntryId(entry.try_into().ok()?) }))
        };
        Ok(values.into_iter().filter_map(read).collect())
    }
}
