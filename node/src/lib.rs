//! One node of the WKSBM mesh.

pub mod bundle;
pub mod ingest;
pub mod ports;
pub mod sync;
