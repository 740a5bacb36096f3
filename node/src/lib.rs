//! One node of the WKSBM mesh.

pub mod answer;
pub mod authority;
pub mod bundle;
pub mod error;
pub mod ingest;
pub mod ports;
pub mod progress;
pub mod store;
pub mod sync;
pub mod synth;
