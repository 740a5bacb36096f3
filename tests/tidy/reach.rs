//! Every file is reached by a `mod` declaration from some crate's root, and opens with its story.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Source, names, places};

/// What the tree of modules says of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reached {
    /// Only tests see it.
    pub(crate) only_tests: bool,
}

/// Whether cargo takes a file for the root of a crate.
fn is_root(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let room = folder.rsplit('/').next().unwrap_or_default();
    match name {
        "lib.rs" => room == "src",
        "main.rs" => true,
        "build.rs" => !folder.contains('/'),
        _ => ["bin", "examples", "benches", "fuzz_targets"].contains(&room),
    }
}

/// Every file that a crate's root reaches.
pub(crate) fn reached(sources: &[Source]) -> BTreeMap<String, Reached> {
    let by_path: BTreeMap<&str, &Source> =
        sources.iter().map(|source| (source.path.as_str(), source)).collect();
    let roots = sources.iter().filter(|source| is_root(&source.path));
    let mut open: Vec<(String, bool)> = roots.map(|root| (root.path.clone(), false)).collect();
    let mut found = BTreeMap::new();
    while let Some((path, only_tests)) = open.pop() {
        let Some(source) = by_path.get(path.as_str()) else { continue };
        if found.insert(path.clone(), Reached { only_tests }).is_some() {
            continue;
        }
        for (child, of_tests) in declared(source) {
            let candidates =
                [format!("{}{child}.rs", below(&path)), format!("{}{child}/mod.rs", below(&path))];
            let there = candidates.into_iter().filter(|path| by_path.contains_key(path.as_str()));
            open.extend(there.map(|path| (path, only_tests || of_tests)));
        }
    }
    found
}

/// Where the children of a file lie, with the `/`.
fn below(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = name.trim_end_matches(".rs");
    if is_root(path) || stem == "mod" { format!("{folder}/") } else { format!("{folder}/{stem}/") }
}

/// `mod name;` declarations, and whether only tests see them.
fn declared(source: &Source) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    for at in places(&source.code, "mod") {
        let rest = source.code.get(at + 3..).unwrap_or_default().trim_start();
        let name: String = rest.bytes().take_while(|byte| names(*byte)).map(char::from).collect();
        let behind = rest.get(name.len()..).unwrap_or_default().trim_start();
        if behind.starts_with(';') && !name.is_empty() {
            let shipped = source.shipped.get(at..at + 3) == Some("mod");
            found.push((name, !shipped));
        }
    }
    found
}

/// Files nobody declares.
pub(crate) fn forgotten(sources: &[Source]) -> Vec<String> {
    let reached = reached(sources);
    let lost = sources.iter().filter(|source| !reached.contains_key(&source.path));
    lost.map(|source| format!("{}: no `mod` declaration reaches this file", source.path)).collect()
}

/// Files that do not begin by saying what lives in them.
pub(crate) fn without_a_story(sources: &[Source]) -> Vec<String> {
    let silent = |source: &&Source| {
        let first = source.text.lines().next().unwrap_or_default();
        first.strip_prefix("//!").is_none_or(|story| story.trim().is_empty())
    };
    let silent = sources.iter().filter(silent);
    silent.map(|source| format!("{}: does not open with `//!`", source.path)).collect()
}

/// Modules whose names say nothing.
pub(crate) fn named_for_nothing(sources: &[Source]) -> Vec<String> {
    let empty: BTreeSet<&str> =
        ["util", "utils", "helper", "helpers", "common", "manager", "managers", "misc"].into();
    let mut found = Vec::new();
    for source in sources {
        let (folder, name) = source.path.rsplit_once('/').unwrap_or(("", &source.path));
        let room = folder.rsplit('/').next().unwrap_or_default();
        if empty.contains(name.trim_end_matches(".rs")) || empty.contains(room) {
            found.push(format!("{}: a name that says nothing", source.path));
        }
    }
    found
}

#[test]
fn a_file_that_no_declaration_reaches_is_found() {
    let sources = [
        Source::new("a/src/lib.rs", "mod one; // mod lost;\npub mod two;"),
        Source::new("a/src/one.rs", "#[cfg(test)]\nmod deep;"),
        Source::new("a/src/one/deep.rs", ""),
        Source::new("a/src/two/mod.rs", "mod three;"),
        Source::new("a/src/two/three.rs", ""),
        Source::new("a/src/lost.rs", "mod tests {}"),
        Source::new("a/src/bin/tool.rs", ""),
        Source::new("a/tests/cmd/main.rs", "mod desk;"),
        Source::new("a/tests/cmd/desk.rs", ""),
    ];
    let lost = forgotten(&sources);
    assert_eq!(lost.len(), 1, "{lost:?}");
    assert!(lost.iter().all(|line| line.starts_with("a/src/lost.rs:")), "{lost:?}");
    let reached = reached(&sources);
    assert_eq!(reached.get("a/src/one/deep.rs"), Some(&Reached { only_tests: true }));
    assert_eq!(reached.get("a/src/two/three.rs"), Some(&Reached { only_tests: false }));
}

#[test]
fn a_file_without_its_opening_is_found() {
    let told = Source::new("a.rs", "//! What lives here.\n");
    for silent in ["", "use std::fmt;\n//! Late.", "//!\n", "// Not one.\n", "#![x]\n//! Late."] {
        let sources = [told.clone(), Source::new("b.rs", silent)];
        assert_eq!(without_a_story(&sources), ["b.rs: does not open with `//!`"], "{silent:?}");
    }
}

#[test]
fn a_name_that_says_nothing_is_found() {
    let of = |path: &str| named_for_nothing(&[Source::new(path, "")]).len();
    assert_eq!([of("a/src/util.rs"), of("a/src/helpers/mod.rs"), of("a/src/helpers/x.rs")], [1; 3]);
    assert_eq!([of("a/src/help.rs"), of("a/src/commands/mod.rs")], [0; 2]);
}
