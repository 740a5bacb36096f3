//! What a failure of redb or of the system means to whoever asked a store for something.

use std::io;

use crate::ports::StoreError;

/// Turns an error of redb into ours, naming the step: for `map_err(failed("read the heads"))`.
pub(super) fn failed<E: Into<redb::Error>>(step: &'static str) -> impl Fn(E) -> StoreError {
    move |error| from_redb(step, error.into())
}

/// Turns an error of the system into ours, naming the step.
pub(super) fn failed_io(step: &'static str) -> impl Fn(io::Error) -> StoreError {
    move |error| from_io(step, error)
}

/// Bytes at rest that are not what was written.
pub(super) fn damaged(what: impl Into<String>) -> StoreError {
    StoreError::Damaged { what: what.into() }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "of redb's many errors, few are for a person")]
fn from_redb(step: &'static str, error: redb::Error) -> StoreError {
    match error {
        redb::Error::DatabaseAlreadyOpen
        | redb::Error::LockProtocolMismatch
        | redb::Error::WouldBlock => StoreError::Locked,
        redb::Error::PreviousIo | redb::Error::LockPoisoned(_) => StoreError::Poisoned,
        redb::Error::Io(error) => from_io(step, error),
        redb::Error::Corrupted(what) => damaged(what),
        redb::Error::UpgradeRequired(version) => damaged(format!("file of redb format {version}")),
        redb::Error::TableDoesNotExist(table) => damaged(format!("no table {table}")),
        // Tables are always opened as what they were made: a page of redb's own rotted.
        redb::Error::TableTypeMismatch { .. }
        | redb::Error::TableIsMultimap(_)
        | redb::Error::TableIsNotMultimap(_)
        | redb::Error::TypeDefinitionChanged { .. } => damaged("the kind of a table"),
        redb::Error::ValueTooLarge(_) => StoreError::Misuse("a value is too large"),
        other => StoreError::Io { step, source: io::Error::other(other) },
    }
}

/// A file whose first bytes are no database's is damaged, not unreadable.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "of the system's many errors, few are for a person"
)]
fn from_io(step: &'static str, error: io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full,
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => StoreError::ReadOnly,
        io::ErrorKind::NotFound => StoreError::Missing,
        io::ErrorKind::AlreadyExists => StoreError::Exists,
        // Of a file that is read where its own pages point: they point nowhere.
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof => {
            damaged(error.to_string())
        }
        _ => StoreError::Io { step, source: error },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_a_person_can_act_on_has_its_own_name() {
        let of = |kind: io::ErrorKind| from_io("write", kind.into());
        assert!(matches!(of(io::ErrorKind::StorageFull), StoreError::Full));
        assert!(matches!(of(io::ErrorKind::QuotaExceeded), StoreError::Full));
        assert!(matches!(of(io::ErrorKind::ReadOnlyFilesystem), StoreError::ReadOnly));
        assert!(matches!(of(io::ErrorKind::PermissionDenied), StoreError::ReadOnly));
        assert!(matches!(of(io::ErrorKind::NotFound), StoreError::Missing));
        assert!(matches!(of(io::ErrorKind::TimedOut), StoreError::Io { step: "write", .. }));
        let of = |error: redb::Error| from_redb("write", error);
        assert!(matches!(of(redb::Error::DatabaseAlreadyOpen), StoreError::Locked));
        assert!(matches!(of(redb::Error::PreviousIo), StoreError::Poisoned));
        assert!(matches!(of(redb::Error::Corrupted("x".into())), StoreError::Damaged { .. }));
        let full = redb::Error::Io(io::ErrorKind::StorageFull.into());
        assert!(matches!(of(full), StoreError::Full));
    }
}
