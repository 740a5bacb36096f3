//! The mesh as a laboratory.
//!
//! Nothing of this crate is shipped. What one function promises is tested beside it; here stands what
//! takes several nodes, real files or a whole year of data: offices on one disk that meet only in
//! files, and figures measured the same way each time. Clocks and randomness come from a seed, so a
//! failure happens again.
//!
//! `office.rs` nodes in folders of their own that never meet: what one writes reaches another only
//! in files · `wires.rs` the same joined by wires in memory · `rogue.rs` one that lies over real
//! sockets · `world.rs` devices and signed runs without any node · `replicas.rs` replicas in memory and
//! the session between two · `deadline.rs` many villages and one hub over real sockets · `desk.rs`
//! synthetic saves as entries · `measure/` figures for the bench · `histories/` whole replicas under
//! random histories · `sim/` whole nodes in virtual time · `fuzz/` every decoder of foreign bytes.
//!
//! Test binaries: `sim/` simulations · `models/` rules told a second time · `real/` the facade on real
//! files · `lab/` processes of the real binary in networks of namespaces · `web/` the pages in a
//! browser · `tidy/` the sources held to the house rules.
#![expect(clippy::missing_panics_doc, reason = "a laboratory that fails is a test that fails")]

#[expect(clippy::unwrap_used, reason = "a laboratory that fails is a test that fails")]
#[expect(clippy::panic, reason = "a laboratory that fails is a test that fails")]
pub mod deadline;
#[expect(clippy::unwrap_used, reason = "a laboratory that fails is a test that fails")]
pub mod desk;
pub mod fuzz;
#[expect(clippy::unwrap_used, reason = "a laboratory that fails is a test that fails")]
#[expect(clippy::indexing_slicing, reason = "a laboratory that fails is a test that fails")]
pub mod histories;
#[expect(clippy::unwrap_used, reason = "a laboratory that fails is a test that fails")]
#[expect(clippy::cast_precision_loss, reason = "figures are rounded anyway")]
pub mod measure;
#[expect(clippy::unwrap_used, reason = "a laboratory that fails is a test that fails")]
pub mod office;
#[expect(clippy::unwrap_used, reason = "a laboratory that fails is a test that fails")]
pub mod replicas;
#[expect(clippy::unwrap_used, reason = "a laboratory that fails is a test that fails")]
#[expect(clippy::panic, reason = "a laboratory that fails is a test that fails")]
#[expect(clippy::wildcard_enum_match_arm, reason = "it waits for one event of many")]
pub mod rogue;
#[expect(clippy::unwrap_used, reason = "a laboratory that fails is a test that fails")]
#[expect(clippy::indexing_slicing, reason = "a laboratory that fails is a test that fails")]
#[expect(clippy::cast_possible_wrap, reason = "simulated numbers are small")]
#[expect(clippy::similar_names, reason = "a shelf is not its self")]
#[expect(clippy::wildcard_enum_match_arm, reason = "most things need no word")]
pub mod sim;
#[expect(clippy::unwrap_used, reason = "a laboratory that fails is a test that fails")]
#[expect(clippy::indexing_slicing, reason = "a laboratory that fails is a test that fails")]
pub mod wires;
#[expect(clippy::unwrap_used, reason = "a laboratory that fails is a test that fails")]
#[expect(clippy::cast_possible_wrap, reason = "synthetic numbers are small")]
pub mod world;
