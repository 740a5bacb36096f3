//! Who may do what, told twice: `node::authority` against `naive.rs`, over every short history of
//! the deeds in `deeds.rs` and `odd.rs`: revocation, cut, adoption, invitation, joining,
//! confirmation, closing and moving, by whoever may and whoever may not, with copies and backups.
//!
//! `cast.rs` devices, areas and how they write · `deeds.rs` what can happen · `odd.rs` what only
//! copies, backups and altered programs do · `naive.rs` the rules again · `small.rs` every small
//! case · `scenes.rs` a few of six deeds, in every order · `rules.rs` that a rule which is left out
//! is missed.

mod cast;
mod deeds;
mod naive;
mod odd;
mod rules;
mod scenes;
mod small;
