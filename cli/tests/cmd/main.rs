//! Whole commands on real folders: what they print, what they refuse, how they end.
//!
//! `api.rs` the running node that commands ask · `desk.rs` the desk somebody types at ·
//! `objects.rs` every object of `docs/cli.md` ·
//! `bundles.rs` what bundles leave in a file and what results may replace ·
//! `exits.rs` the exit table, with its rows in `scenes.rs` and what no command makes in `fixtures.rs` ·
//! `refusals.rs` more that is refused · `typed.rs` what is typed in the wrong place ·
//! `held.rs` folders that are held, notes left behind ·
//! `reveals.rs` class S and its log · `damage.rs` pages that rotted · `disk.rs` full disks and Ctrl-C · `pages.rs` what people read ·
//! `personal.rs` what nobody may read · `process.rs` the binary itself.
#![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

mod api;
mod bundles;
mod damage;
mod desk;
mod disk;
mod exits;
mod fixtures;
mod held;
mod objects;
mod pages;
mod personal;
mod process;
mod refusals;
mod reveals;
mod scenes;
mod typed;
