//! Whoever floods or forks beyond the caps, and what must be equal all the same.

use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::area::AreaId;
use crdt_schema::entry::ChainPoint;
use crdt_schema::id::{DeviceId, FeedName, Space};
use node::authority::{MemberState, Standing};
use node::ports::{FeedHeads, FeedStore, ViewStore};
use node::replica::Replica;

use super::check::{BRANCHES_MAX, INCARNATIONS_MAX};
use crate::histories::oracle;

/// Where some are at a limit two nodes hold the same of all others. What of these does not count is in a
/// root as far as something rests on it (ADR 0021): where that was written by one at a limit, each has as
/// much of it as it has of what rests there, and its root is that.
///
/// # Errors
/// What differs.
pub(super) fn alike_but<F: FeedStore, V: ViewStore>(
    one: &Replica<F, V>,
    other: &Replica<F, V>,
    area: AreaId,
    limited: &BTreeSet<FeedName>,
) -> Result<(), String> {
    let devices = limited.iter().filter(|it| it.area == area).map(|it| it.device).collect();
    if in_root(one, area, &devices) == in_root(other, area, &devices) {
        return Ok(());
    }
    let plainly = |it: &Replica<F, V>, without: &BTreeSet<DeviceId>| {
        oracle::heads_of_area(it.feed_store(), it.authority(), area, without)
    };
    let nobody = BTreeSet::new();
    for it in [one, other] {
        if in_root(it, area, &nobody) != plainly(it, &nobody)? {
            return Err(format!("the root of {area} is not what counts and is rested on"));
        }
    }
    if plainly(one, &devices)? == plainly(other, &devices)? {
        return Ok(());
    }
    let [here, there] = [one, other].map(|it| feeds_of(it, area));
    let only = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
        one.difference(other).cloned().collect::<Vec<_>>().join("\n    ")
    };
    Err(format!(
        "heads of {area} differ, of whom no limit holds back; here:\n    {}\n  there:\n    {}\n  \
         at a limit: {devices:?}",
        only(&here, &there),
        only(&there, &here)
    ))
}

/// What the root of the records of an area is made of, but for the feeds of some devices.
fn in_root<F: FeedStore, V: ViewStore>(
    replica: &Replica<F, V>,
    area: AreaId,
    without: &BTreeSet<DeviceId>,
) -> BTreeMap<FeedName, Vec<ChainPoint>> {
    let is_asked = |name: &FeedName| {
        name.space == Space::Records && name.area == area && !without.contains(&name.device)
    };
    let feeds = replica.feeds().filter(|feed| is_asked(&feed.name));
    let held = feeds.filter_map(|feed| replica.summary().feed(&feed.name.id()));
    held.map(|held| (held.name, held.heads.clone())).collect()
}

/// Feeds of records of whoever has as many of them in one area, or of one so many branches, as a node
/// takes.
pub(super) fn at_a_limit<F: FeedStore, V: ViewStore>(
    replica: &Replica<F, V>,
) -> BTreeSet<FeedName> {
    let mut of_device: BTreeMap<_, (BTreeSet<FeedName>, usize)> = BTreeMap::new();
    for feed in replica.feeds() {
        if feed.name.space == Space::Records {
            let of = (feed.name.area, feed.name.device);
            let (feeds, branches) = of_device.entry(of).or_default();
            *branches = feed.branches.len().max(*branches);
            feeds.insert(feed.name);
        }
    }
    let limited = of_device
        .into_values()
        .filter(|(feeds, branches)| *branches >= BRANCHES_MAX || feeds.len() >= INCARNATIONS_MAX);
    limited.flat_map(|(feeds, _)| feeds).collect()
}

/// Whether a feed of an area's authority has as many branches as a node takes: which ones is chance.
pub(super) fn forks_authority<F: FeedStore, V: ViewStore>(
    replica: &Replica<F, V>,
    area: AreaId,
) -> bool {
    let is_of = |name: &FeedName| name.space == Space::Authority && name.area == area;
    replica.feeds().any(|feed| is_of(&feed.name) && feed.branches.len() >= BRANCHES_MAX)
}

/// Whether somebody above said of a device that it is ended, and where this feed of it ends.
pub(super) fn is_ended<F: FeedStore, V: ViewStore>(
    replica: &Replica<F, V>,
    feed: &FeedName,
) -> bool {
    let authority = replica.authority();
    let state = authority.member(&feed.device).map(|member| member.state);
    let ends = matches!(
        authority.standing(feed),
        Standing::CountsUntil(_) | Standing::OpenCounts(Some(_))
    );
    ends && matches!(state, Some(MemberState::Closed | MemberState::Revoked))
}

/// The feeds of records of an area in words: how each stands, its branches and what of it is in the root.
fn feeds_of<F: FeedStore, V: ViewStore>(replica: &Replica<F, V>, area: AreaId) -> BTreeSet<String> {
    let is_meant = |name: &FeedName| name.space == Space::Records && name.area == area;
    let feeds = replica.feeds().filter(|feed| is_meant(&feed.name));
    let told = |feed: &FeedHeads| {
        let FeedName { device, incarnation, .. } = feed.name;
        let state = replica.authority().member(&device).map(|member| member.state);
        let standing = replica.authority().standing(&feed.name);
        let heads = replica.summary().feed(&feed.name.id()).map(|held| held.heads.clone());
        let mut parts: Vec<_> = feed.branches.iter().map(|it| (it.from, it.head.point)).collect();
        parts.sort_by_key(|(_, head)| *head);
        format!(
            "{device} {incarnation:x} {state:?} {standing:?}, in the root {heads:?}, held {parts:?}"
        )
    };
    feeds.map(told).collect()
}
