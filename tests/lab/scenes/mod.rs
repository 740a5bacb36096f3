//! What the mesh promises, played on the lab by the contract of the command line alone.

mod board;
mod chain;
mod clock;
mod errors;
mod idle;
mod meeting;
mod nat;
mod power;
mod space;
mod stick;
mod village;
