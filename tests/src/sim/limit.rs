//! Whoever floods or forks beyond the caps, and what must be equal all the same.

use std::collections::{BTreeMap, BTreeSet};

use crdt_schema::area::AreaId;
use crdt_schema::entry::ChainPoint;
use crdt_schema::id::{DeviceId, FeedName, Space};
use node::authority::{MemberState, Standing};
use node::ports::{FeedHeads, FeedStore, ViewStore};
use node::replica::Replica;
use node::sync::HeldHeads;

use super::check::{BRANCHES_MAX, INCARNATIONS_MAX};
use super::told;

/// Where some are at a limit two nodes hold the same of all others.
///
/// # Errors
/// What differs.
pub(super) fn alike_but<F: FeedStore, V: ViewStore>(
    one: &Replica<F, V>,
    other: &Replica<F, V>,
    area: AreaId,
    limited: &BTreeSet<FeedName>,
) -> Result<(), String> {
    if heads_but(one, area, limited)? == heads_but(other, area, limited)? {
        return Ok(());
    }
    let [here, there] = [one, other].map(|it| feeds_of(it, area));
    let only = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
        one.difference(other).cloned().collect::<Vec<_>>().join("\n    ")
    };
    let devices: BTreeSet<DeviceId> = limited.iter().map(|feed| feed.device).collect();
    Err(format!(
        "heads of {area} differ, of whom no limit holds back; here:\n    {}\n  there:\n    {}\n  \
         at a limit: {devices:?}",
        only(&here, &there),
        only(&there, &here)
    ))
}

/// Feeds of records of whoever has as many of them in one area, or of one so many branches, as a node
/// takes.
pub(super) fn at_a_limit<F: FeedStore, V: ViewStore>(
    replica: &Replica<F, V>,
) -> BTreeSet<FeedName> {
    let mut of_device: BTreeMap<_, (BTreeSet<FeedName>, usize)> = BTreeMap::new();
    for feed in replica.feeds() {
        let (feeds, branches) = of_device.entry((feed.name.area, feed.name.device)).or_default();
        *branches = feed.branches.len().max(*branches);
        if feed.name.space == Space::Records {
            feeds.insert(feed.name);
        }
    }
    let limited = of_device
        .into_values()
        .filter(|(feeds, branches)| *branches >= BRANCHES_MAX || feeds.len() >= INCARNATIONS_MAX);
    limited.flat_map(|(feeds, _)| feeds).collect()
}

/// What the root of an area is made of, but for the feeds of whoever is at a limit, and for what of others
/// is there because such feeds rest on it (ADR 0021): it goes where they go.
fn heads_but<F: FeedStore, V: ViewStore>(
    replica: &Replica<F, V>,
    area: AreaId,
    limited: &BTreeSet<FeedName>,
) -> Result<BTreeMap<FeedName, Vec<ChainPoint>>, String> {
    let devices: BTreeSet<DeviceId> =
        limited.iter().filter(|it| it.area == area).map(|it| it.device).collect();
    let is_asked = |name: &FeedName| {
        name.space == Space::Records && name.area == area && !devices.contains(&name.device)
    };
    let feeds = replica.feeds().filter(|feed| is_asked(&feed.name));
    let held = feeds.filter_map(|feed| replica.summary().feed(&feed.name.id()));
    let mut heads = BTreeMap::new();
    for held in held {
        let points = by_itself(replica, held)?;
        if !points.is_empty() {
            heads.insert(held.name, points);
        }
    }
    Ok(heads)
}

/// The heads of a feed, or where it ends: what lies behind its end counts by adoption alone, and is rested
/// on otherwise.
fn by_itself<F: FeedStore, V: ViewStore>(
    replica: &Replica<F, V>,
    held: &HeldHeads,
) -> Result<Vec<ChainPoint>, String> {
    let authority = replica.authority();
    let standing = authority.standing(&held.name);
    let (Standing::CountsUntil(end) | Standing::OpenCounts(Some(end))) = standing else {
        return Ok(held.heads.clone());
    };
    let adopted = authority.adopted(&held.name).into_iter().map(|(_, last)| last);
    let mut points = Vec::new();
    for point in adopted.chain([end]) {
        if replica.branch_of(held.name.id(), point).map_err(told)?.is_some() {
            points.push(point);
        }
    }
    if !points.contains(&end) {
        points.extend(held.heads.iter().filter(|head| head.seq < end.seq));
    }
    Ok(points)
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
