//! The log on standard error: what a technician reads when something is odd.
//!
//! One line an event, its parts as `name=value`: when, how grave, where in the program, what. No
//! value of a record, no name and no number of a person is ever in it, at any level
//! (`cli/tests/cmd/personal.rs`). A node that runs says what is wrong; `WKSBM_LOG=info` adds who came
//! and went and what was compared, and `WKSBM_LOG=node=debug,libp2p=info` any part of the program.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

const VARIABLE: &str = "WKSBM_LOG";
/// What libp2p finds odd is mostly a stranger at the door.
const OTHERWISE: &str = "error,node=warn,cli=warn";

/// Begins the log of a command, if somebody asked for it.
pub fn begin_if_asked() {
    if std::env::var_os(VARIABLE).is_some() {
        begin();
    }
}

/// Begins the log, once in a process.
pub(crate) fn begin() {
    let asked = std::env::var(VARIABLE).unwrap_or_default();
    let filter = Some(asked.as_str()).filter(|asked| !asked.is_empty()).map(EnvFilter::try_new);
    let is_odd = matches!(filter, Some(Err(_)));
    let filter = filter.and_then(Result::ok).unwrap_or_else(|| EnvFilter::new(OTHERWISE));
    let coloured = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(coloured);
    // A second node in one process, as in tests, writes into the first one's log.
    if log.try_init().is_ok() && is_odd {
        tracing::warn!("{VARIABLE} is not understood; write for example WKSBM_LOG=info");
    }
}
