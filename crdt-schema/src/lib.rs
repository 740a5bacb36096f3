//! What a WKSBM record is, how it changes, and the signed bytes it travels in.
//!
//! This crate is pure: no file, socket, clock or random number. Time and entropy come in
//! as arguments; the same arguments give the same bytes on every machine.

pub mod area;
pub mod authority;
pub mod class;
pub mod codec;
pub mod document;
pub mod edit;
pub mod entry;
pub mod fold;
pub mod id;
pub mod private;
pub mod record;
#[doc(hidden)]
pub mod testing;
pub mod time;
pub mod words;
