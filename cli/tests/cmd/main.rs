//! Whole commands on real folders: what they print, what they refuse, how they end.
//!
//! `api.rs` the running node that commands ask (`served.rs`) · `asked.rs` who asks it wrongly · `desk.rs` the desk somebody types at ·
//! `objects.rs` every object of `docs/cli.md` ·
//! `bundles.rs` what bundles leave in a file and what results may replace ·
//! `exits.rs` the exit table, with its rows in `scenes.rs` and what no command makes in `fixtures.rs` ·
//! `refusals.rs` more that is refused · `typed.rs` what is typed in the wrong place ·
//! `held.rs` folders that are held, notes left behind ·
//! `hints.rs` what a failure says is to be done · `keys.rs` keys that rotted · `unseen.rs` signs that nobody sees ·
//! `written.rs` files that `man` and `demo` write ·
//! `reveals.rs` class S and its log · `damage.rs` pages that rotted · `disk.rs` full disks and Ctrl-C · `pages.rs` what people read ·
//! `personal.rs` what nobody may read · `process.rs` the binary itself ·
//! `spawned.rs` the binary as a process that is looked on ·
//! `staying.rs` the demo that stays up · `terminal.rs` a command at a terminal · `busy.rs` a node that is at work ·
//! `addresses.rs` addresses and numbers that cannot be meant · `crowd.rs` more connections to the local API than may be.
#![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

mod addresses;
mod api;
mod asked;
mod bundles;
#[cfg(unix)]
mod busy;
mod crowd;
mod damage;
mod desk;
mod disk;
mod exits;
mod fixtures;
mod held;
mod hints;
mod keys;
mod objects;
mod pages;
mod personal;
mod process;
mod refusals;
mod reveals;
mod scenes;
mod served;
mod spawned;
#[cfg(unix)]
mod staying;
#[cfg(unix)]
mod terminal;
mod typed;
mod unseen;
mod written;
