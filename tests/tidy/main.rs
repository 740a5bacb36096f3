//! The house is tidy: the sources are read and held to `CONTRIBUTING.md`.
//!
//! `source.rs` files without comments and texts · `imports.rs` which way they point · `reach.rs`
//! files nobody declares, their openings, their names · `words.rs` what may not stand in them ·
//! `lengths.rs` functions too long · `locks.rs` the fuzzer's lock file. Each check proves itself on small bad examples beside it.
#![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

mod imports;
mod lengths;
mod locks;
mod reach;
mod source;
mod words;

use imports::{CRATES, ROOMS};
use source::Source;

fn all() -> Vec<Source> {
    let sources = source::sources(&CRATES.map(|(name, _)| name));
    assert!(sources.len() > 200, "only {} files were found", sources.len());
    sources
}

#[track_caller]
fn nothing(found: &[String]) {
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn crates_depend_one_way() {
    for (name, allowed) in CRATES {
        let manifest = source::workspace().join(name).join("Cargo.toml");
        let manifest = std::fs::read_to_string(manifest).unwrap();
        nothing(&imports::crates_against(name, &manifest, allowed));
    }
}

#[test]
fn rooms_import_one_way() {
    let sources = all();
    nothing(&imports::rooms_against(&sources, &reach::reached(&sources), &ROOMS));
}

#[test]
fn the_table_of_rooms_draws_no_arrow_that_nothing_needs() {
    let sources = all();
    nothing(&imports::rooms_unneeded(&sources, &reach::reached(&sources), &ROOMS));
}

#[test]
fn the_core_has_no_clock_no_chance_and_no_files() {
    let sources = all();
    nothing(&words::impure(&sources, &reach::reached(&sources)));
}

#[test]
fn every_file_is_reached_by_a_declaration() {
    nothing(&reach::forgotten(&all()));
}

#[test]
fn every_file_opens_with_its_story() {
    nothing(&reach::without_a_story(&all()));
}

#[test]
fn no_module_is_named_for_nothing() {
    nothing(&reach::named_for_nothing(&all()));
}

#[test]
fn no_file_holds_a_forbidden_word() {
    nothing(&words::forbidden(&all()));
}

#[test]
fn the_fuzzer_builds_the_versions_of_the_mesh() {
    let lock = |path: &str| std::fs::read_to_string(source::workspace().join(path)).unwrap();
    nothing(&locks::parted(&lock("Cargo.lock"), &lock("tests/fuzz/Cargo.lock")));
}

#[test]
fn no_function_is_too_long() {
    nothing(&lengths::too_long(&all()));
}
