//! Imports point one way: between crates, and between the rooms of `node`.

use std::collections::{BTreeMap, BTreeSet};

use crate::reach::Reached;
use crate::source::{Source, names, places};

/// Which of our crates each may name in its `Cargo.toml`.
pub(crate) const CRATES: [(&str, &[&str]); 4] = [
    ("crdt-schema", &[]),
    ("node", &["crdt-schema"]),
    ("cli", &["crdt-schema", "node"]),
    ("tests", &["cli", "crdt-schema", "node"]),
];

/// Rooms of `node` that know no clock, file, socket, thread or random number.
pub(crate) const PURE: [&str; 7] =
    ["authority", "ingest", "ports", "progress", "replica", "sync", "synth"];

/// Which rooms of `node` each may import beside `crdt-schema`. What stands here is what is
/// needed: a new arrow is drawn here first, in the commit that says why. Tests may look further.
pub(crate) const ROOMS: [(&str, &[&str]); 22] = [
    ("authority", &[]),
    ("ports", &[]),
    ("progress", &[]),
    ("sync", &["authority", "ingest", "ports"]),
    ("ingest", &["ports"]),
    ("synth", &["progress"]),
    ("replica", &["authority", "ingest", "ports", "progress", "sync"]),
    ("answer", &["authority"]),
    ("ask", &["answer", "describe", "echo", "error", "node", "progress", "reason"]),
    ("atomic", &[]),
    ("bundle", &["atomic"]),
    ("clock", &["ports"]),
    ("guard", &[]),
    ("store", &["atomic", "guard", "ports"]),
    ("echo", &[]),
    ("error", &["bundle", "echo", "ports", "reason", "store"]),
    ("describe", &["answer", "echo", "error", "reason"]),
    ("reason", &["echo"]),
    ("sheet", &["echo", "guard", "reason"]),
    ("net", &["sync"]),
    ("live", &["answer", "error", "guard", "net", "node", "ports", "replica", "sync"]),
    (
        "node",
        &[
            "answer",
            "atomic",
            "authority",
            "bundle",
            "clock",
            "describe",
            "echo",
            "error",
            "guard",
            "net",
            "ports",
            "progress",
            "reason",
            "replica",
            "sheet",
            "store",
            "sync",
            "synth",
        ],
    ),
];

/// Our crates that a `Cargo.toml` names against [`CRATES`].
pub(crate) fn crates_against(name: &str, manifest: &str, allowed: &[&str]) -> Vec<String> {
    let (mut found, mut depends) = (Vec::new(), false);
    for line in manifest.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            depends = section.trim_end_matches(']').ends_with("dependencies");
        } else if depends {
            let key: String =
                line.chars().take_while(|c| c.is_alphanumeric() || "-_".contains(*c)).collect();
            let ours = CRATES.iter().any(|(ours, _)| *ours == key.replace('_', "-"));
            if ours && !allowed.contains(&key.as_str()) {
                found.push(format!("{name}/Cargo.toml: `{name}` may not depend on `{key}`"));
            }
        }
    }
    found
}

/// Imports between rooms against `table`; only what is shipped is asked.
pub(crate) fn rooms_against(
    sources: &[Source],
    reached: &BTreeMap<String, Reached>,
    table: &[(&str, &[&str])],
) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        let Some(place) = source.path.strip_prefix("node/src/") else { continue };
        let shipped = reached.get(&source.path).is_none_or(|reached| !reached.only_tests);
        if place == "lib.rs" || !shipped {
            continue;
        }
        let room = place.split('/').next().unwrap_or_default().trim_end_matches(".rs");
        let Some((_, allowed)) = table.iter().find(|(name, _)| *name == room) else {
            found.push(format!("{}: the room `{room}` is not in the table", source.path));
            continue;
        };
        for (at, named) in imported(source, depth(place)) {
            if named != room && !allowed.contains(&named.as_str()) {
                let line = source.line(at);
                found.push(format!("{}:{line}: `{room}` may not import `{named}`", source.path));
            }
        }
    }
    found
}

/// Arrows of `table` between rooms that exist and do not need them: the table stays as small as
/// the truth.
pub(crate) fn rooms_unneeded(
    sources: &[Source],
    reached: &BTreeMap<String, Reached>,
    table: &[(&str, &[&str])],
) -> Vec<String> {
    let without = |room: &str, arrow: &str| -> Vec<(String, Vec<String>)> {
        let kept = |name: &str, to: &&str| name != room || *to != arrow;
        table
            .iter()
            .map(|(name, to)| {
                let to = to.iter().filter(|to| kept(name, to)).map(|to| (*to).to_owned());
                ((*name).to_owned(), to.collect())
            })
            .collect()
    };
    let mut found = Vec::new();
    for (room, arrows) in table {
        for arrow in *arrows {
            let smaller = without(room, arrow);
            let lists: Vec<(&str, Vec<&str>)> = smaller
                .iter()
                .map(|(name, to)| (name.as_str(), to.iter().map(String::as_str).collect()))
                .collect();
            let lists: Vec<(&str, &[&str])> =
                lists.iter().map(|(name, to)| (*name, to.as_slice())).collect();
            let there = |room| sources.iter().any(|source| is_of(source, room));
            if there(room) && there(arrow) && rooms_against(sources, reached, &lists).is_empty() {
                found.push(format!("`{room}` does not need `{arrow}`: take it out of the table"));
            }
        }
    }
    found
}

fn is_of(source: &Source, room: &str) -> bool {
    let place = source.path.strip_prefix("node/src/").unwrap_or_default();
    place == format!("{room}.rs") || place.starts_with(&format!("{room}/"))
}

/// Modules between a file and the crate's root.
fn depth(place: &str) -> usize {
    let parts = place.split('/').count();
    if place.ends_with("/mod.rs") { parts - 1 } else { parts }
}

/// Rooms that a file names by `crate::` or by enough `super::`.
fn imported(source: &Source, depth: usize) -> Vec<(usize, String)> {
    let code = source.shipped.as_str();
    let mut found = Vec::new();
    for at in places(code, "crate::") {
        found.extend(first_names(code, at + "crate::".len()).into_iter().map(|name| (at, name)));
    }
    for at in places(code, "super::").into_iter().filter(|at| !follows_path(code, *at)) {
        let mut behind = at;
        let mut climbed = 0;
        while code.get(behind..).is_some_and(|rest| rest.starts_with("super::")) {
            (behind, climbed) = (behind + "super::".len(), climbed + 1);
        }
        if climbed >= depth {
            found.extend(first_names(code, behind).into_iter().map(|name| (at, name)));
        }
    }
    found
}

fn follows_path(code: &str, at: usize) -> bool {
    code.get(..at).is_some_and(|before| before.ends_with("::"))
}

/// The name at a place, or each first name of the group there.
fn first_names(code: &str, at: usize) -> BTreeSet<String> {
    let rest = code.get(at..).unwrap_or_default();
    let name = |text: &str| -> String {
        text.trim_start().bytes().take_while(|byte| names(*byte)).map(char::from).collect()
    };
    let Some(group) = rest.strip_prefix('{') else { return BTreeSet::from([name(rest)]) };
    let (mut depth, mut found, mut begins) = (0usize, BTreeSet::new(), 0);
    for (place, byte) in group.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth > 0 => depth -= 1,
            b',' | b'}' if depth == 0 => {
                found.insert(name(group.get(begins..place).unwrap_or_default()));
                begins = place + 1;
                if byte == b'}' {
                    break;
                }
            }
            _ => {}
        }
    }
    found.remove("");
    found
}

#[test]
fn a_crate_that_depends_the_wrong_way_is_found() {
    let manifest = "[package]\nname = \"node\"\n[dependencies]\ncrdt-schema.workspace = true\n\
                    [dev-dependencies]\ncli = { path = \"../cli\" }\n[lints]\ntests = true\n";
    let found = crates_against("node", manifest, &["crdt-schema"]);
    assert_eq!(found, ["node/Cargo.toml: `node` may not depend on `cli`"]);
    assert_eq!(crates_against("crdt-schema", manifest, &[]).len(), 2);
}

#[cfg(test)]
const SMALL: [(&str, &[&str]); 3] = [("low", &[]), ("mid", &["low"]), ("top", &["low", "mid"])];

#[test]
fn an_import_that_points_the_wrong_way_is_found_however_it_is_written() {
    for wrong in [
        "use crate::top::X;",
        "use crate::{low, top::{A, B}};",
        "fn f() { crate::top::g(); }",
        "use super::super::top;",
        "use super::super::{top::X, low};",
        "pub(crate) use crate::top;",
    ] {
        let sources = [Source::new("node/src/mid/part.rs", wrong)];
        let found = rooms_against(&sources, &BTreeMap::new(), &SMALL);
        assert_eq!(found, ["node/src/mid/part.rs:1: `mid` may not import `top`"], "{wrong}");
    }
    let sources = [Source::new("node/src/low.rs", "use super::mid::X;")];
    assert_eq!(rooms_against(&sources, &BTreeMap::new(), &SMALL).len(), 1);
    for right in [
        "use crate::{low::X, mid};",
        "use super::top;",
        "use super::super::low;",
        "// use crate::top;\nconst A: &str = \"crate::top::x\";",
        "#[cfg(test)]\nmod tests { use crate::top::X; }",
    ] {
        let sources = [Source::new("node/src/mid/part.rs", right)];
        let found = rooms_against(&sources, &BTreeMap::new(), &SMALL);
        assert!(found.is_empty(), "{right}: {found:?}");
    }
}

#[test]
fn a_room_that_nobody_placed_is_found() {
    let sources = [Source::new("node/src/new.rs", "")];
    let found = rooms_against(&sources, &BTreeMap::new(), &SMALL);
    assert_eq!(found, ["node/src/new.rs: the room `new` is not in the table"]);
}

#[test]
fn an_arrow_that_nothing_needs_is_found() {
    let sources = [
        Source::new("node/src/low.rs", ""),
        Source::new("node/src/mid.rs", "use crate::low::X;"),
        Source::new("node/src/top.rs", "use crate::mid::X;"),
    ];
    let found = rooms_unneeded(&sources, &BTreeMap::new(), &SMALL);
    assert_eq!(found, ["`top` does not need `low`: take it out of the table"]);
}
