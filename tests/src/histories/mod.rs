//! Random histories of whole replicas: a province, a kabupaten and villages write about few records
//! while authority changes its mind, runs arrive in any order, cards are cloned and power fails.
//!
//! `cast.rs` who takes part · `mesh.rs` replicas and runs under way · `steps.rs` what may happen ·
//! `ends.rs` words that end feeds · `oracle.rs` what a replica must show, computed the plain way ·
//! `stores.rs` stores that may lie.
//!
//! Pure and seeded: a failure names its seed, and the seed plays it again.

mod cast;
mod ends;
mod mesh;
pub(crate) mod oracle;
mod steps;
pub(crate) mod stores;

use std::collections::BTreeMap;

use crdt_schema::area::AreaId;
use crdt_schema::class::Class;
use crdt_schema::fold::RecordState;
use crdt_schema::id::{EntryId, Space};
use node::authority::MemberState;
use node::ports::{RecordKey, RecordVerdict, RowFilter, ViewRow, ViewStore};
use node::progress::Unwatched;
use node::replica::{EntryVerdict, Offered};

use cast::Cast;
use mesh::{Held, LIAR, Mesh};
use oracle::{differs, every_row, same, told};
use stores::Views;

pub use mesh::Tally;
pub use stores::Lie;

/// Everything that must happen in some history.
pub const EVENTS: &[&str] = &[
    "save that lies in a drawer",
    "save that waits for a fold",
    "save on a conflict",
    "save while waiting",
    "save",
    "malformed section",
    "sealed section",
    "removal",
    "element of a set",
    "conflict settled",
    "status",
    "record filled",
    "two met",
    "views rolled back",
    "views lost",
    "views made anew, stopped and gone on with",
    "card cloned",
    "device lost",
    "two devices lost, one had built on the other",
    "joined, counts at once",
    "joined, waits",
    "confirmed after edits were held",
    "confirmed",
    "end named in a forked feed",
    "closing",
    "device closed itself",
    "end named that nobody holds",
    "cut",
    "revocation",
    "adoption",
    "village moved",
    "look at an edit that waits",
    "look at an edit that does not count",
    "end with a fork",
    "replica compared with the province",
    "own entries came back from outside",
    "run taken",
    "run held already",
    "run after a gap",
    "run of an unknown device",
    "run outside the interest",
    "run that follows a branch not held",
    "end in which each hands on what a node hands on",
    "end with a row that rests on what does not count",
    "end with a conflict",
    "end with an edit that waits for one nobody has",
    "end with an edit that does not count",
    "end with a record that waits",
    "end with a quarantined record",
    "end with a record that is set aside",
    "end with a counting record",
];

/// Steps of the longest history.
const STEPS_MAX: usize = 48;
/// Words of authority, and saves between them, of a history without anything else.
const AUTHORITY_STEPS: usize = 16;
/// After how many steps in a hundred one replica is looked at.
const LOOK_PERCENT: usize = 6;
/// The same where one of them lies.
const LOOK_AT_LIAR_PERCENT: usize = 40;

/// Plays one history with `lie` planted and holds every replica against the oracle and the others.
///
/// # Errors
/// What does not hold, with the seed.
pub fn check(seed: u64, lie: Lie) -> Result<Tally, String> {
    let mut mesh = Mesh::new(seed, lie);
    play(&mut mesh).map_err(|what| format!("seed {seed}: {what}"))?;
    Ok(mesh.tally)
}

fn play(mesh: &mut Mesh) -> Result<(), String> {
    mesh.found()?;
    for step in 0..10 + mesh.numbers.below(STEPS_MAX - 10) {
        mesh.step().map_err(|what| format!("step {step}: {what}"))?;
        let often = if mesh.lie == Lie::None { LOOK_PERCENT } else { LOOK_AT_LIAR_PERCENT };
        if mesh.numbers.chance(often) {
            look(mesh).map_err(|what| format!("after step {step}: {what}"))?;
        }
    }
    mesh.settle()?;
    if mesh.lie != Lie::None && mesh.lie != Lie::VerdictKept {
        mesh.sites[LIAR].replica = mesh.lying(LIAR, mesh.lie)?;
    }
    let documents = mesh.numbers.below(mesh.sites.len());
    for site in mesh.alive() {
        let whole = site == documents || mesh.sites[site].closed.is_some();
        let expected = oracle::check(&mesh.sites[site].replica, whole)
            .map_err(|what| format!("site {site} at the end: {what}"))?;
        if site == 0 {
            note_end(mesh, &expected);
        }
    }
    for site in mesh.alive() {
        alike(mesh, site).map_err(|what| {
            let device = mesh.sites[site].device;
            format!("site {site} (device {device}) and the province: {what}")
        })?;
    }
    let sites = mesh.alive();
    let site = mesh.pick(&sites).unwrap();
    anew(mesh, site).map_err(|what| format!("site {site} made anew: {what}"))
}

/// Words of authority alone, in any order: a replica that hears them one by one, and one that
/// starts anew from what it holds, know what is computed from all of them at once.
///
/// # Errors
/// What does not hold, with the seed.
pub fn check_authority(seed: u64) -> Result<Tally, String> {
    let mut mesh = Mesh::new(seed, Lie::None);
    hear(&mut mesh).map_err(|what| format!("seed {seed}: {what}"))?;
    Ok(mesh.tally)
}

fn hear(mesh: &mut Mesh) -> Result<(), String> {
    mesh.found()?;
    for _ in 0..AUTHORITY_STEPS {
        mesh.word()?;
    }
    let listener = mesh.site(cast::KABUPATEN, None, true);
    let all = mesh.bag.clone();
    loop {
        let mut order: Vec<_> = all.iter().collect();
        mesh.numbers.shuffle(&mut order);
        let mut news = false;
        for message in order {
            if mesh.holds(listener, message)? {
                continue;
            }
            news |= matches!(mesh.offer(listener, message)?, Offered::Staged(_));
            if mesh.numbers.chance(40) {
                mesh.commit(listener, false)?;
                oracle::check(&mesh.sites[listener].replica, false)?;
            }
        }
        mesh.commit(listener, false)?;
        if !news {
            break;
        }
    }
    oracle::check(&mesh.sites[listener].replica, false)?;
    mesh.reopen(listener, Views::new(Lie::None))?;
    oracle::check(&mesh.sites[listener].replica, false).map(drop)
}

/// A closed device's range is adopted before the range has arrived in full: what was held of it
/// counts from the moment its last entry comes, also when the views lagged behind then.
///
/// # Errors
/// What does not hold, with the seed.
pub fn check_growth(seed: u64) -> Result<(), String> {
    let mut mesh = Mesh::new(seed, Lie::None);
    grow(&mut mesh).map_err(|what| format!("seed {seed}: {what}"))
}

fn grow(mesh: &mut Mesh) -> Result<(), String> {
    mesh.adopted_range()?;
    let all = mesh.bag.clone();
    let device = Cast::get().devices[cast::VILLAGERS[0]].id;
    let written = |message: &&mesh::Message| {
        message.name.device == device && message.name.space == Space::Records
    };
    let (late, early) = all.iter().filter(written).partition::<Vec<_>, _>(|it| it.last.seq > 1);
    let listener = mesh.site(cast::KABUPATEN, None, true);
    for message in all.iter().filter(|it| !written(it)).chain(early) {
        mesh.offer(listener, message)?;
        mesh.commit(listener, false)?;
    }
    let before = oracle::check(&mesh.sites[listener].replica, false)?;
    same("the rows that do not count before", before.with(RecordVerdict::Quarantined), 1)?;
    let views = mesh.sites[listener].replica.views().map_err(told)?.clone();
    for message in late {
        mesh.offer(listener, message)?;
        mesh.commit(listener, false)?;
    }
    let after = oracle::check(&mesh.sites[listener].replica, true)?;
    same("the rows that count after", after.with(RecordVerdict::Counting), 2)?;
    mesh.reopen(listener, views)?;
    oracle::check(&mesh.sites[listener].replica, true).map(drop)
}

/// Holds one replica, or the lying one, against the oracle in the middle of things.
fn look(mesh: &mut Mesh) -> Result<(), String> {
    if mesh.lie != Lie::None && mesh.lie != Lie::VerdictKept {
        let lying = mesh.lying(LIAR, mesh.lie)?;
        return oracle::check(&lying, false).map(drop);
    }
    let site = mesh.numbers.below(mesh.sites.len());
    let expected = oracle::check(&mesh.sites[site].replica, false)
        .map_err(|what| format!("site {site}: {what}"))?;
    if expected.waiting() > 0 {
        mesh.note("look at an edit that waits");
    }
    if expected.uncounted() > 0 {
        mesh.note("look at an edit that does not count");
    }
    Ok(())
}

fn note_end(mesh: &mut Mesh, expected: &oracle::Expected) {
    let facts = [
        ("end with a row that rests on what does not count", expected.rested()),
        ("end with a conflict", expected.conflicts()),
        ("end with an edit that waits for one nobody has", expected.waiting()),
        ("end with an edit that does not count", expected.uncounted()),
        ("end with a record that waits", expected.with(RecordVerdict::Waiting)),
        ("end with a quarantined record", expected.with(RecordVerdict::Quarantined)),
        ("end with a record that is set aside", expected.with(RecordVerdict::SetAside)),
        ("end with a counting record", expected.with(RecordVerdict::Counting)),
    ];
    for (what, _) in facts.into_iter().filter(|(_, count)| *count > 0) {
        mesh.note(what);
    }
    let forked = mesh.sites[0].replica.forks().is_ok_and(|forks| !forks.is_empty());
    if forked {
        mesh.note("end with a fork");
    }
}

/// Holds a site against the province: equal roots, rows, history and authority in every area both
/// may hold.
fn alike(mesh: &mut Mesh, site: usize) -> Result<(), String> {
    let (here, there) = (&mesh.sites[site], &mesh.sites[0]);
    let me = here.device().id;
    let (mine, base) = (&here.replica, &there.replica);
    let active = base.authority().member(&me).map(|member| member.state);
    if active != Some(MemberState::Active) {
        return Ok(());
    }
    let mut compared = 0;
    for area in Cast::get().areas() {
        if !base.authority().may_serve(&me, Space::Authority, area) {
            continue;
        }
        let roots = [mine, base].map(|held| held.summary().authority_root(area));
        let interest = base.authority().interest(&me);
        let tree = base.authority().tree();
        if interest.iter().any(|held| tree.ever_covered(*held, area)) {
            same(&format!("the authority root of {area}"), roots[0], roots[1])?;
        }
        if !base.authority().may_serve(&me, Space::Records, area) {
            continue;
        }
        let roots = [mine, base].map(|held| held.summary().root(area));
        same(&format!("the root of {area}"), roots[0], roots[1])?;
        rows_alike(mine, base, area, here.closed, |mesh_issues| {
            mesh_issues.authority().may(&me, crdt_schema::authority::Rights::ISSUE, area)
        })?;
        compared += 1;
    }
    if compared > 0 {
        mesh.note("replica compared with the province");
    }
    Ok(())
}

fn rows_alike(
    mine: &Held,
    base: &Held,
    area: AreaId,
    closed: Option<Class>,
    confirms: impl Fn(&Held) -> bool,
) -> Result<(), String> {
    let (ours, theirs) = (rows(mine, area)?, rows(base, area)?);
    let all = confirms(base);
    // What is quarantined is held by whoever got it while it was not, and by nobody else.
    let seen = |row: &&ViewRow| {
        let is_common = matches!(row.verdict, RecordVerdict::Counting | RecordVerdict::SetAside);
        is_common || all && row.verdict == RecordVerdict::Waiting
    };
    let keys = |rows: &BTreeMap<RecordKey, ViewRow>| {
        rows.values().filter(seen).map(|row| row.key).collect::<Vec<_>>()
    };
    same("the set of rows", keys(&ours), keys(&theirs))?;
    for key in keys(&ours) {
        let (ours, theirs) = (&ours[&key], &theirs[&key]);
        match closed {
            None => {
                if let Some(what) = differs(ours, theirs) {
                    return Err(format!("the row of {:?} has {what}", key.record));
                }
            }
            Some(class) => partly_alike(ours, theirs, class)?,
        }
        same("a history", history(mine, &key, all)?, history(base, &key, all)?)?;
        if closed.is_none() {
            documents_alike(mine, base, &key)?;
        }
    }
    Ok(())
}

/// What a reader without a class sees equals what everybody sees in the others.
fn partly_alike(ours: &ViewRow, theirs: &ViewRow, closed: Class) -> Result<(), String> {
    let state = |row: &ViewRow| RecordState::decode(&row.state).map_err(told);
    let (ours_state, theirs_state) = (state(ours)?, state(theirs)?);
    let values = |state: &RecordState| {
        let readable = state.values().filter(|key| key.class != closed);
        readable
            .map(|key| {
                (key.class, key.field, key.element.map(str::to_owned), key.survivors.to_vec())
            })
            .collect::<Vec<_>>()
    };
    same("a value a partial reader sees", values(&ours_state), values(&theirs_state))?;
    same("heads at a partial reader", ours_state.heads(), theirs_state.heads())?;
    same("a verdict at a partial reader", ours.verdict, theirs.verdict)?;
    same("what waits at a partial reader", ours.waits, theirs.waits)?;
    same("a time at a partial reader", ours.changed_at, theirs.changed_at)?;
    let hidden = ours_state.values().any(|key| key.class == closed);
    same("a value nobody gave to a partial reader", hidden, false)
}

/// The same counting edits, and so the same documents.
fn documents_alike(mine: &Held, base: &Held, key: &RecordKey) -> Result<(), String> {
    let counting = |held: &Held| {
        let mut edits = held.fold_entries(key, EntryVerdict::Counting).map_err(told)?;
        if let Some(edits) = &mut edits {
            edits.retain(|edit| edit.counts);
            edits.sort_by_key(|edit| edit.id);
        }
        Ok::<_, String>(edits)
    };
    same("the edits of a document", counting(mine)?, counting(base)?)
}

fn rows(held: &Held, area: AreaId) -> Result<BTreeMap<RecordKey, ViewRow>, String> {
    let filter = RowFilter { areas: [area].into(), ..RowFilter::default() };
    let rows = every_row(held, &filter)?;
    Ok(rows.into_iter().map(|row| (row.key, row)).collect())
}

/// Edits in display order: what counts, and for those who may confirm what waits.
fn history(
    held: &Held,
    key: &RecordKey,
    all: bool,
) -> Result<Vec<(EntryId, EntryVerdict)>, String> {
    let seen = held.history(key).map_err(told)?;
    let seen = seen.edits.into_iter().map(|seen| (seen.entry.id, seen.verdict));
    let least = if all { EntryVerdict::Provisional } else { EntryVerdict::Counting };
    Ok(seen.filter(|(_, verdict)| *verdict <= least).collect())
}

/// Views thrown away and made anew are the same rows, totals and counts.
fn anew(mesh: &mut Mesh, site: usize) -> Result<(), String> {
    let whole = |held: &Held| {
        let rows = every_row(held, &RowFilter::default())?;
        let views = held.views().map_err(told)?;
        let facts = (views.totals().map_err(told)?, views.counts().map_err(told)?);
        Ok::<_, String>((rows, facts))
    };
    let replica = &mut mesh.sites[site].replica;
    let before = whole(replica)?;
    replica.rebuild_views(&mut Unwatched).map_err(told)?;
    same("a row", &whole(replica)?, &before)
}
