//! How many files and sockets this process may open.
//!
//! Systems give a process 1,024 at first and let it take many more itself. A node needs one for each
//! peer over TCP, for each connection to its API and for its stores; a store that finds none left
//! cannot save.

/// Takes as many as the system lets this process have. Where it does not, those it has must do.
pub(crate) fn take_all() {
    raise();
    if let Some(most) = most() {
        tracing::info!(most, "files and sockets this process may open");
    }
}

/// How many it may open; nothing where that has no limit or cannot be told.
#[cfg(unix)]
pub(crate) fn most() -> Option<u64> {
    use rustix::process::{Resource, getrlimit};
    getrlimit(Resource::Nofile).current
}

#[cfg(unix)]
fn raise() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let now = getrlimit(Resource::Nofile);
    if now.current == now.maximum {
        return;
    }
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: now.maximum, ..now }) {
        tracing::warn!(%error, "this process may open no more files and sockets than at first");
    }
}

#[cfg(not(unix))]
pub(crate) const fn most() -> Option<u64> {
    None
}

#[cfg(not(unix))]
const fn raise() {}
