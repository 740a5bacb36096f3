//! Adapters of the store ports: redb files, and their twins in memory.
//!
//! `feed/` the truth: runs, heads, arrivals, values · `keystore.rs` the device's secret keys, in
//! files of their own because redb never wipes a freed page · `memory/` the same ports without a
//! disk, for tests and simulations · `open.rs` how a redb file is made, opened and locked ·
//! `overlay.rs` a file that may only be read, opened all the same ·
//! `error.rs` what its failures mean to us · `heads.rs` the rules of branches, which every feed
//! store keeps · `lent.rs` a node's own files, or stores somebody lends it · `arrival.rs` the running hash · `view/` what screens read, derived ·
//! `again.rs` values read and written again, for tests with foreign bytes.
//!
//! `conformance.rs` is one suite that every feed store must pass, `durability.rs` what a disk may do
//! to redb's; `testing.rs` has the disks that forget, fill up and count.

mod again;
mod arrival;
mod error;
mod heads;
mod open;
mod overlay;

pub mod feed;
pub mod keystore;
pub mod lent;
pub mod memory;
pub mod view;

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod durability;
#[cfg(test)]
mod testing;

pub use again::Again;
pub use open::StoreConfig;
