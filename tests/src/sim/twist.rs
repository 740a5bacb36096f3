//! What planted mistakes alter on the way between a node and its store.

use std::collections::BTreeSet;

use crdt_schema::area::Level;
use crdt_schema::authority::Payload;
use crdt_schema::class::Class;
use crdt_schema::codec::Writer;
use crdt_schema::entry::{ChainPoint, Draft, DraftSection, Entry, EntryKind, SigningPublic};
use crdt_schema::id::{DeviceId, FeedName, RecordId, Space, StoreInstance};
use crdt_schema::time::Timestamp;
use node::ports::{FeedBatch, FeedHeads, FeedStore, NamedValue, PlacedRun};
use node::sync::{DeviceRow, ReceiptRow, RowHead};

use super::cast::{Cast, Role, certificate};
use super::check::INCARNATIONS_RESTED_MAX;
use super::plant::Plant;
use super::row::{device_row, read_row};
use crate::world::{Feed, signed};

/// Numbers of devices that nobody has.
const NOBODY: u64 = 1 << 40;
/// An incarnation that no node draws, nor one of those behind it.
const INCARNATION: u64 = 77;

/// What a stranger wrote in the first village; with its certificate, under the keys of the kecamatan
/// above; in more feeds than are taken of anybody.
pub(super) fn strangers(plant: Plant, seed: u64, cast: &Cast) -> Vec<(SigningPublic, Feed)> {
    let Some(village) = cast.roles.iter().find(|role| role.level() == Level::Desa) else {
        return Vec::new();
    };
    let stranger = Role::new(seed, NOBODY, village.area, village.above);
    let issuer = village.above.map(|above| &cast.roles[above]);
    let name = |role: &Role, space, incarnation| FeedName {
        device: role.device(),
        area: village.area,
        space,
        incarnation,
    };
    let mut feeds = Vec::new();
    if let Some(issuer) = issuer.filter(|_| plant == Plant::StrangerCertified) {
        let payload = Payload::Certificate(certificate(&stranger)).to_bytes();
        let word = draft(EntryKind::CERTIFICATE, 0, &payload);
        let feed =
            signed(name(issuer, Space::Authority, INCARNATION), &issuer.secret(), vec![word]);
        feeds.push((issuer.keys.signing, feed));
    }
    let most = if plant == Plant::FloodKept { INCARNATIONS_RESTED_MAX } else { 0 };
    for incarnation in INCARNATION..=INCARNATION + most as u64 {
        let edit = draft(EntryKind::EDIT, 5, b"nobody");
        let name = name(&stranger, Space::Records, incarnation);
        feeds.push((stranger.keys.signing, signed(name, &stranger.secret(), vec![edit])));
    }
    feeds
}

fn draft(kind: EntryKind, record_kind: u16, body: &[u8]) -> Draft {
    Draft {
        kind,
        record_kind,
        record: RecordId([record_kind.to_be_bytes()[1]; 16]),
        person: 0,
        claimed_at: Timestamp(0),
        deps: Vec::new(),
        sections: vec![DraftSection::in_clear(Class::Open, body, [0; 16])],
    }
}

/// Feeds enter a store past everybody who looks at them. A store that refuses gets them at its next start.
pub(super) fn take_in(store: &mut dyn FeedStore, feeds: &[(SigningPublic, Feed)]) {
    let held = store.feeds().unwrap_or_default();
    for (key, (name, runs)) in feeds {
        let Some(run) = runs.first().filter(|_| held.iter().all(|it| it.name != *name)) else {
            continue;
        };
        let refs = store.back_refs(name.id(), 0);
        let opened = run.clone().open(name.id(), ChainPoint::START, &*refs);
        let Ok(run) = opened.and_then(|run| run.verify(key)) else { continue };
        drop(refs);
        let placed = PlacedRun { branch: 0, from: None, run };
        let batch = FeedBatch { new_feeds: vec![*name], runs: vec![placed], values: Vec::new() };
        store.commit(&batch, Timestamp(0)).ok();
    }
}

/// Another value under the same id.
pub(super) fn alter(entry: &mut Entry) {
    if let Some(byte) = entry.bodies.iter_mut().flatten().next().and_then(|body| body.last_mut()) {
        *byte ^= 1;
    }
}

/// A row names one entry more.
pub(super) fn one_more(value: &mut Vec<u8>) {
    twist(value, |row| {
        if let Some(head) = row.heads.last_mut() {
            head.seq += 1;
        }
    });
}

/// Of each head a row names the entry before it.
pub(super) fn one_less(value: &mut Vec<u8>, store: &dyn FeedStore) {
    let held = store.feeds().unwrap_or_default();
    twist(value, |row| {
        for head in row.heads.iter_mut().filter(|head| head.seq > 1) {
            let near = held.iter().filter(|feed| feed.name.id().0.starts_with(&head.feed));
            let mut places = near.flat_map(|feed| {
                feed.branches.iter().map(|branch| (feed.name.id(), branch.branch))
            });
            let point = |(feed, branch), seq| store.point(feed, branch, seq).ok().flatten();
            let fits = |it: &(_, _)| point(*it, head.seq).is_some_and(|at| head.fits(&it.0, &at));
            let at = places.find(fits);
            if let Some((at, before)) = at.and_then(|at| Some((at, point(at, head.seq - 1)?))) {
                *head = RowHead::new(&at.0, &before);
            }
        }
    });
}

/// A row has the root of the one before.
pub(super) fn root_before(value: &mut Vec<u8>, before: Option<Vec<u8>>) {
    let Some(Ok(before)) = before.map(|before| read_row(&before)) else { return };
    twist(value, |row| row.root = before.root);
}

/// A row reaches as far as these feeds do.
pub(super) fn raise(value: &mut Vec<u8>, mine: &[FeedHeads]) {
    twist(value, |row| {
        for head in &mut row.heads {
            let Some(feed) = mine.iter().find(|it| it.name.id().0.starts_with(&head.feed)) else {
                continue;
            };
            let newest = feed.branches.iter().map(|branch| branch.head.point);
            if let Some(newest) = newest.max_by_key(|point| point.seq) {
                *head = RowHead::new(&feed.name.id(), &newest);
            }
        }
        row.heads.sort_unstable();
        row.heads.dedup();
    });
}

/// A row that names none of these feeds has the next number.
pub(super) fn renumber(value: &mut Vec<u8>, mine: &[FeedHeads]) {
    twist(value, |row| {
        let is_mine = |head: &RowHead| mine.iter().any(|it| it.name.id().0.starts_with(&head.feed));
        if !row.heads.iter().any(is_mine) {
            row.counter += 1;
        }
    });
}

/// The store a row of a hub is about.
pub(super) fn store(value: &[u8]) -> Option<StoreInstance> {
    read_row(value).ok().map(|row| row.key.instance)
}

/// Every device but one said something since that nobody heard.
pub(super) fn say_on(values: &mut [NamedValue], but: DeviceId) {
    for (_, value) in values {
        let row = device_row(value).filter(|row| row.device != but);
        if let Some(mut row) = row {
            row.counter += 1;
            put(value, &row);
        }
    }
}

/// Of devices whose stores are among these, but for one, each has the store of the next.
pub(super) fn mix_up(
    values: &mut [NamedValue],
    stores: &BTreeSet<StoreInstance>,
    but: StoreInstance,
) {
    let mut rows: Vec<(usize, DeviceRow)> = Vec::new();
    for (at, (_, value)) in values.iter().enumerate() {
        let row =
            device_row(value).filter(|row| row.instance != but && stores.contains(&row.instance));
        rows.extend(row.map(|row| (at, row)));
    }
    let next: Vec<StoreInstance> = rows.iter().map(|(_, row)| row.instance).collect();
    for ((at, mut row), instance) in rows.into_iter().zip(next.into_iter().cycle().skip(1)) {
        row.instance = instance;
        put(&mut values[at].1, &row);
    }
}

/// A row of a device in the place of another.
fn put(value: &mut Vec<u8>, row: &DeviceRow) {
    let mut writer = Writer::new();
    // What kind of value it is.
    writer.u8(value[0]);
    row.write(&mut writer);
    *value = writer.finish();
}

fn twist(value: &mut Vec<u8>, how: impl FnOnce(&mut ReceiptRow)) {
    let Ok(mut row) = read_row(value) else { return };
    how(&mut row);
    let mut writer = Writer::new();
    // What kind of value it is.
    writer.u8(value[0]);
    row.write(&mut writer);
    *value = writer.finish();
}
