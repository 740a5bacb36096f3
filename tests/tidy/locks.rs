//! The fuzzer is a workspace of its own and must build what the mesh builds: the same versions.

use std::collections::{BTreeMap, BTreeSet};

/// Versions by name, as a lock file has them.
fn versions(lock: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut name = "";
    for line in lock.lines() {
        let value = |key: &str| line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"');
        name = value("name").unwrap_or(name);
        if let Some(version) = value("version") {
            found.entry(name).or_default().insert(version);
        }
    }
    found
}

/// Packages both lock files name, of which the fuzzer's has another version.
pub(crate) fn parted(ours: &str, fuzzers: &str) -> Vec<String> {
    let ours = versions(ours);
    let mut found = Vec::new();
    for (name, versions) in versions(fuzzers) {
        let Some(known) = ours.get(name) else { continue };
        for version in versions.difference(known) {
            found.push(format!("tests/fuzz/Cargo.lock: {name} {version}, the mesh has {known:?}"));
        }
    }
    found
}

#[test]
fn another_version_in_the_fuzzers_lock_is_found() {
    let lock = |packages: &[(&str, &str)]| -> String {
        let of = |(name, version): &(&str, &str)| {
            format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n\n")
        };
        packages.iter().map(of).collect()
    };
    let ours = lock(&[("a", "1.0.0"), ("a", "2.0.0"), ("b", "1.0.0")]);
    assert!(parted(&ours, &lock(&[("a", "2.0.0"), ("own", "3.0.0")])).is_empty());
    assert_eq!(parted(&ours, &lock(&[("a", "2.0.0"), ("b", "1.0.1")])).len(), 1);
}
