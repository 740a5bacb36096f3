//! Rules held against models: a second, naive telling of the same rule, and every small case or
//! many invented ones of it.
//!
//! `authority/` who may do what, over every short history of deeds and a few longer ones in every order ·
//! `fold.rs` what edits of one key come to, over every history of four · `summary.rs` roots while heads
//! and the tree change · `caps.rs` branches and incarnations at their limits · `ends.rs` what is cut and
//! adopted there · `invited.rs` devices of one
//! invitation · `stores.rs` the feed store in memory and on a disk · `rotting.rs` a feed that cannot be
//! read when it has to be · `session.rs` meetings that are cut off · `encodings.rs` a chain that was
//! written in many ways · `foreign.rs` every decoder of foreign bytes with mutated encodings · `heavy.rs` what is
//! small on a wire or in a file and large in memory · `misled.rs` saves over views that name wrong places ·
//! `watched.rs` the store that tests look at.
#![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

mod authority;
mod caps;
mod encodings;
mod ends;
mod fold;
mod foreign;
mod heavy;
mod invited;
mod misled;
mod rotting;
mod session;
mod stores;
mod summary;
mod watched;
