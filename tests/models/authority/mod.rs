//! Who may do what, told twice: `node::authority` against `naive.rs`, over every short history of
//! the deeds in `deeds.rs`: revocation, cut, adoption, invitation, joining, confirmation, closing and
//! moving, by whoever may and whoever may not, in every order.
//!
//! `cast.rs` devices, areas and how they write · `deeds.rs` what can happen · `naive.rs` the rules
//! again · `small.rs` every small case.

mod cast;
mod deeds;
mod naive;
mod small;
