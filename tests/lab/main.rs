//! The network lab: the real binary on villages' lines.
//!
//! Each node is a process in a network namespace of its own. The namespaces meet on a bridge that
//! lies in a namespace too, so nothing of a lab reaches the machine's network, and nothing leaves.
//!
//! `ground.rs` whether this machine can · `system.rs` its tools · `net.rs` segments, partitions,
//! routers · `line.rs` bad lines and byte counters · `board.rs` small machines · `disk.rs` disks of their
//! own · `failing.rs`, `failing.c` calls that fail · `process.rs` a
//! running binary · `node.rs` a node · `mesh.rs` a network of
//! nodes, and what they hold · `wait.rs` conditions with a deadline · `own.rs` the lab held to what it says ·
//! `scenes/` what the mesh promises. `cable.py` carries the frames of a bad line, `probe.py` measures.
//!
//! It takes Linux, root and the tools of [`ground::TOOLS`]; elsewhere every test says so in one line
//! and ends, unless `WKSBM_LAB_REQUIRED=1`; a system whose programs mount nothing (FUSE) has no stick with exFAT even then.
//! `WKSBM_BINARY` names another build of the binary,
//! `WKSBM_LAB_IDLE_SECONDS=600 WKSBM_LAB_IDLE_RECORDS=7000` the long form of the idle link. What a scene measured is a line on
//! standard error.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
#![expect(clippy::disallowed_methods, reason = "a deadline needs a clock")]

mod board;
mod disk;
mod failing;
mod ground;
mod line;
mod mesh;
mod net;
mod node;
mod own;
mod process;
mod scenes;
mod system;
mod wait;

use std::io::Write;

/// Tells a line past the test runner.
pub(crate) fn tell(text: &str) {
    let line = format!("lab: {text}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}
