//! Foreign bytes: what every decoder must do with whatever comes.
//!
//! A **target** is a plain function of bytes that panics when the decoder under it did something it
//! must not: panic, read two byte strings as one value, or not give back what was written. libFuzzer
//! chooses the bytes by what they reach (`tests/fuzz/`, `just fuzz`); the test binary `models` calls
//! the same functions with the seeds of each target and mutations of them, on stable Rust and
//! everywhere. Both count what is allocated meanwhile, against the limit that stands with the
//! target and in `docs/protocol.md`.
//!
//! `entries.rs` headers, sections, blocks, runs · `messages.rs` frames of sessions and rows ·
//! `trust.rs` statements, payloads of authority, invitations · `bundles.rs` the stick · `sheets.rs`
//! spreadsheets · `graphs.rs` the fold over any graph of edits · `stored.rs` what a copied store holds ·
//! `text.rs` what people type · `input.rs` bytes as choices · `mutation.rs` the mutations without
//! libFuzzer.
//!
//! This folder is the library of `tests/fuzz` too: it names nothing of this crate but itself.
#![expect(clippy::unwrap_used, reason = "a target that fails panics")]

mod bundles;
mod entries;
mod graphs;
mod input;
mod messages;
pub mod mutation;
mod sheets;
mod stored;
mod text;
mod trust;

/// One decoder, or one fold, and what is asked of it.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// What it is called.
    pub name: &'static str,
    /// Panics when something does not hold for these bytes; whether the decoder took them, or what they
    /// chose was made.
    pub check: fn(&[u8]) -> bool,
    /// Whole encodings to begin with: golden files where there are any, and one of each form.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Bytes of the longest input worth trying.
    pub input_bytes_max: usize,
    /// Bytes that may be allocated at once beyond the input, the check's own second reading
    /// included.
    pub memory_bytes_max: u64,
}

const KIB: usize = 1 << 10;
const MIB: u64 = 1 << 20;

/// Every target.
pub const TARGETS: [Target; 16] = [
    Target {
        name: "header",
        check: entries::header,
        seeds: entries::headers,
        input_bytes_max: 4 * KIB,
        memory_bytes_max: 64 << 10,
    },
    Target {
        name: "section",
        check: entries::section,
        seeds: entries::sections,
        input_bytes_max: 20 * KIB,
        memory_bytes_max: 2 * MIB,
    },
    Target {
        name: "block",
        check: entries::block,
        seeds: entries::blocks,
        input_bytes_max: 64 * KIB,
        memory_bytes_max: 6 * MIB,
    },
    Target {
        name: "run",
        check: entries::run,
        seeds: entries::runs,
        input_bytes_max: 64 * KIB,
        memory_bytes_max: 24 * MIB,
    },
    Target {
        name: "feed",
        check: entries::feed,
        seeds: entries::feeds,
        input_bytes_max: 4 * KIB,
        memory_bytes_max: 24 * MIB,
    },
    Target {
        name: "frame",
        check: messages::frame,
        seeds: messages::frames,
        input_bytes_max: 64 * KIB,
        memory_bytes_max: 8 * MIB,
    },
    Target {
        name: "link",
        check: messages::link,
        seeds: messages::links,
        input_bytes_max: 16 * KIB,
        memory_bytes_max: MIB,
    },
    Target {
        name: "row",
        check: messages::row,
        seeds: messages::rows,
        input_bytes_max: 32 * KIB,
        memory_bytes_max: MIB,
    },
    Target {
        name: "payload",
        check: trust::payload,
        seeds: trust::payloads,
        input_bytes_max: 20 * KIB,
        memory_bytes_max: MIB,
    },
    Target {
        name: "statement",
        check: trust::statement,
        seeds: trust::statements,
        input_bytes_max: 8 * KIB,
        memory_bytes_max: MIB,
    },
    Target {
        name: "invitation",
        check: trust::invitation,
        seeds: trust::invitations,
        input_bytes_max: 32 * KIB,
        memory_bytes_max: 4 * MIB,
    },
    Target {
        name: "bundle",
        check: bundles::bundle,
        seeds: bundles::bundles,
        input_bytes_max: 64 * KIB,
        memory_bytes_max: 8 * MIB,
    },
    Target {
        name: "sheet",
        check: sheets::sheet,
        seeds: sheets::sheets,
        input_bytes_max: 32 * KIB,
        memory_bytes_max: 320 * MIB,
    },
    Target {
        name: "fold",
        check: graphs::fold_of,
        seeds: graphs::seeds,
        // Forty edits of the size that bytes drawn at random choose, and a third more.
        input_bytes_max: 640,
        memory_bytes_max: 64 * MIB,
    },
    Target {
        name: "stored",
        check: stored::stored,
        seeds: stored::seeds,
        input_bytes_max: 16 * KIB,
        // The body of a row unpacks to a MiB at most, and is packed again.
        memory_bytes_max: 16 * MIB,
    },
    Target {
        name: "text",
        check: text::text,
        seeds: text::texts,
        input_bytes_max: 8 * KIB,
        // TOML takes 690 bytes for a dot of a key.
        memory_bytes_max: 8 * MIB,
    },
];

/// The target with this name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
