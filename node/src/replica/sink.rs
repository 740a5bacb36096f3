//! A replica as sessions see it: what it holds, and what it takes from a peer.

use crdt_schema::entry::PackedRun;
use crdt_schema::id::{FeedId, FeedName};
use crdt_schema::time::Timestamp;

use super::receive::{Offered, RejectReason};
use super::{Replica, Source};
use crate::ports::{FeedHeads, FeedStore, StoreError, ViewStore};
use crate::sync::driver::Sink;
use crate::sync::request::ReceiptBook;
use crate::sync::{Local, Taken};

/// One peer's sessions on a replica.
#[derive(Debug)]
pub struct PeerSink<'a, F, V, B> {
    /// What takes the runs.
    pub replica: &'a mut Replica<F, V>,
    /// Which receipt rows are held.
    pub receipts: &'a B,
    /// The peer, for whoever asks where entries came from.
    pub source: Source,
    /// When they come, by this node's clock.
    pub now: Timestamp,
}

impl<F: FeedStore, V: ViewStore, B: ReceiptBook> Sink for PeerSink<'_, F, V, B> {
    type Store = F;

    fn local(&self) -> Local<'_> {
        Local {
            summary: &self.replica.summary,
            apart: &self.replica.apart,
            authority: &self.replica.authority,
            device: self.replica.me,
            instance: self.replica.feeds.instance(),
            arrivals: self.replica.arrived,
            receipts: self.receipts,
        }
    }

    fn store(&self) -> &F {
        &self.replica.feeds
    }

    fn feed(&self, feed: &FeedId) -> Option<&FeedHeads> {
        self.replica.held.feed(*feed)
    }

    fn ingest(&mut self, runs: &[(FeedName, PackedRun)]) -> Result<Vec<Taken>, StoreError> {
        let mut taken = Vec::with_capacity(runs.len());
        for (name, run) in runs {
            let mut outcome = self.replica.offer(name, run)?.outcome;
            let rests_on_staged =
                matches!(outcome, Offered::Rejected(reason) if reason.rests_on_authority());
            if rests_on_staged && self.replica.has_staged_authority() {
                self.replica.commit(None, &self.source, self.now)?;
                outcome = self.replica.offer(name, run)?.outcome;
            }
            taken.push(self.word(name, run, outcome));
            if self.replica.must_commit() {
                self.replica.commit(None, &self.source, self.now)?;
            }
        }
        self.replica.commit(None, &self.source, self.now)?;
        Ok(taken)
    }
}

impl<F: FeedStore, V: ViewStore, B: ReceiptBook> PeerSink<'_, F, V, B> {
    fn word(&self, name: &FeedName, run: &PackedRun, outcome: Offered) -> Taken {
        match outcome {
            Offered::Staged(_) => match self.replica.newest_staged(name.id()) {
                Some(point) => Taken::New(point),
                None => Taken::Held,
            },
            Offered::Duplicate => Taken::Held,
            Offered::Pending => Taken::Gap,
            // To send it again would only cost the line.
            Offered::Rejected(
                RejectReason::Limit | RejectReason::NoRoom | RejectReason::Rotten,
            ) => Taken::Full,
            Offered::Rejected(RejectReason::Refused(reason)) => {
                let branches = self.feed(&name.id()).map_or(0, |feed| feed.branches.len());
                Taken::refused(reason, run.first, branches)
            }
            Offered::Rejected(
                RejectReason::UnknownDevice
                | RejectReason::NoRight
                | RejectReason::OutsideInterest
                | RejectReason::NotYetServed
                | RejectReason::Unconfirmed,
            ) => Taken::Unknown,
        }
    }
}
