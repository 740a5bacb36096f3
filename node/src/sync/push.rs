//! Live: what becomes durable here goes at once to a peer whose areas cover it.
//!
//! A short run is pushed, a long one offered first. While a pass is under way only the feed is
//! remembered, and offered before the pass may end; what grew after many turns, behind it. What a device wrote itself and does not count,
//! because it waits for its confirmation, was closed or the area was moved away, it offers to who
//! has the issue right there, whatever areas the two share: nobody else would ever bring it to who
//! may confirm or adopt it. Other feeds outside the roots go to such a device only when it asks.

use std::collections::BTreeMap;

use crdt_schema::authority::Rights;
use crdt_schema::entry::{ChainPoint, PackedRun};
use crdt_schema::id::{FeedId, FeedName};

use super::message::{
    APART_OFFERS_MAX, CutPoint, EndReason, FEEDS_PER_MESSAGE_MAX, FeedRun, HEADS_PER_FEED_MAX,
    Message, Offer, PUSH_BYTES_MAX,
};
use super::request::{Local, Report};
use super::session::{Phase, Session, Step};
use super::summary::HeldHeads;

/// What this session remembers for pushing.
#[derive(Debug, Default)]
pub(super) struct Pushes {
    /// Feeds that grew while a pass was under way; bounded by the feeds held.
    grown: BTreeMap<FeedId, FeedName>,
    /// The newest entry the peer brought or was given, of feeds that moved in this session.
    peer_holds: BTreeMap<FeedId, ChainPoint>,
    offered_apart: bool,
}

impl Session {
    /// Nothing is left to compare.
    pub(super) fn live(&mut self, local: &Local<'_>, equal: bool) {
        self.phase = Phase::Live { equal };
        self.transfers.forget();
        self.flush_pushes(local);
        self.offer_apart(local);
    }

    pub(super) fn peer_holds(&mut self, name: FeedName, head: ChainPoint) {
        self.pushes.peer_holds.insert(name.id(), head);
        self.transfers.needed_no_more(&name.id());
    }

    pub(super) fn on_durable(
        &mut self,
        local: &Local<'_>,
        name: FeedName,
        run: PackedRun,
        head: ChainPoint,
    ) {
        if !self.serves(local, name.space, name.area) || self.holds_already(local, &name, head) {
            return;
        }
        // What lies behind these heads waits, or is quarantined and nothing rests on it.
        let reaches = |held: &HeldHeads| held.heads.iter().any(|counts| counts.seq >= head.seq);
        let counts = local.summary.feed(&name.id()).is_some_and(reaches);
        if !counts && !self.may_have_apart(local, &name) {
            return;
        }
        if !matches!(self.phase, Phase::Live { .. }) {
            self.pushes.grown.insert(name.id(), name);
            return;
        }
        if run.bytes.len() > PUSH_BYTES_MAX {
            return self.offer(local, &[name]);
        }
        let feed = self.numbers.refer(name);
        let entries = run.block().map_or(0, |block| block.last() + 1 - block.first);
        self.send(&Message::Push(FeedRun { feed, run }));
        self.report(Report::Pushed(entries));
        self.pushes.peer_holds.insert(name.id(), head);
    }

    /// Whether the peer brought this entry or a later one; of a forked feed that says nothing.
    fn holds_already(&self, local: &Local<'_>, name: &FeedName, head: ChainPoint) -> bool {
        let forked = local.summary.feed(&name.id()).is_some_and(|held| held.heads.len() > 1);
        let known = self.pushes.peer_holds.get(&name.id());
        known.is_some_and(|known| *known == head || !forked && known.seq >= head.seq)
    }

    /// Whether the peer decides about feeds outside the roots there.
    pub(super) fn may_have_apart(&self, local: &Local<'_>, name: &FeedName) -> bool {
        local.authority.may(&self.peer, Rights::ISSUE, name.area)
    }

    /// Whether the peer is given what this device wrote there itself and does not count.
    pub(super) fn hands_over(&self, local: &Local<'_>, name: &FeedName) -> bool {
        name.device == local.device && self.may_have_apart(local, name)
    }

    /// Whether what the peer sends of a feed is read: within what both hold, and beyond it what the
    /// peer wrote itself where this device decides.
    pub(super) fn takes(&self, local: &Local<'_>, name: &FeedName) -> bool {
        let decides = || local.authority.may(&local.device, Rights::ISSUE, name.area);
        self.covers(local, name.space, name.area) || name.device == self.peer && decides()
    }

    /// Offers what grew while a pass was under way.
    pub(super) fn flush_pushes(&mut self, local: &Local<'_>) {
        let grown = std::mem::take(&mut self.pushes.grown).into_values();
        let names = grown.filter(|name| self.serves(local, name.space, name.area));
        let names: Vec<FeedName> = names.collect();
        self.offer(local, &names);
    }

    fn offer_apart(&mut self, local: &Local<'_>) {
        if std::mem::replace(&mut self.pushes.offered_apart, true) {
            return;
        }
        let names = local.apart.feeds_like(&[]).map(|held| held.name);
        let names = names.filter(|name| self.hands_over(local, name));
        let names: Vec<FeedName> = names.take(APART_OFFERS_MAX).collect();
        self.offer(local, &names);
    }

    fn offer(&mut self, local: &Local<'_>, names: &[FeedName]) {
        for part in names.chunks(FEEDS_PER_MESSAGE_MAX / HEADS_PER_FEED_MAX) {
            let offers: Vec<Offer> =
                part.iter().filter_map(|name| self.offer_of(local, *name)).collect();
            if !offers.is_empty() {
                self.send(&Message::Offer(offers));
            }
        }
    }

    fn offer_of(&mut self, local: &Local<'_>, name: FeedName) -> Option<Offer> {
        let heads = held(local, &name)?;
        // Each offer may be answered by a question.
        self.transfers.asked_for.remove(&name.id());
        let heads = heads.into_iter().map(|head| CutPoint::new(head, false)).collect();
        Some(Offer { feed: self.numbers.refer(name), heads })
    }

    pub(super) fn on_push(&mut self, local: &Local<'_>, push: FeedRun) -> Step {
        let name = self.numbers.resolve(&push.feed)?;
        self.numbers.understood(&push.feed);
        if self.takes(local, &name) {
            self.ingest_pushed(name, push.run)?;
        }
        Ok(())
    }

    pub(super) fn on_offers(&mut self, local: &Local<'_>, offers: Vec<Offer>) -> Step {
        for offer in offers {
            let name = self.numbers.resolve(&offer.feed)?;
            if offer.heads.is_empty() {
                return Err(EndReason::Malformed);
            }
            if self.takes(local, &name) && lacks(local, &name, &offer.heads) {
                self.need(local, name);
            }
        }
        Ok(())
    }
}

/// How far a feed is held, counting or not: as many heads as a message names.
pub(super) fn held(local: &Local<'_>, name: &FeedName) -> Option<Vec<ChainPoint>> {
    let counting = local.summary.feed(&name.id());
    let apart = local.apart.feed(&name.id());
    let both = counting.into_iter().chain(apart).flat_map(|held| held.heads.iter().copied());
    let both = both.take(HEADS_PER_FEED_MAX);
    (counting.is_some() || apart.is_some()).then(|| both.collect())
}

/// Whether an offered head is none of ours. An old one of ours looks the same: then the answer to
/// the question is short.
fn lacks(local: &Local<'_>, name: &FeedName, heads: &[CutPoint]) -> bool {
    let Some(held) = held(local, name) else { return true };
    heads.iter().any(|point| !held.iter().any(|mine| point.fits(mine)))
}
