//! What redb says, in words of the ports.

use std::io;

use crdt_schema::codec::DecodeError;

use crate::ports::StoreError;

/// A failed step of redb as the ports name it.
pub(super) fn store_error(step: &'static str, error: redb::Error) -> StoreError {
    use redb::Error;
    if let Error::Io(source) = error {
        return io_error(step, source);
    }
    if matches!(error, Error::DatabaseAlreadyOpen | Error::LockProtocolMismatch) {
        return StoreError::Locked;
    }
    if matches!(error, Error::PreviousIo | Error::LockPoisoned(_) | Error::TransactionPoisoned) {
        return StoreError::Poisoned;
    }
    StoreError::Damaged { what: format!("views, failed to {step}: {error}") }
}

/// A failed step of the system as the ports name it.
pub(super) fn io_error(step: &'static str, source: io::Error) -> StoreError {
    let kind = source.kind();
    if matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
        return StoreError::Full;
    }
    if matches!(kind, io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied) {
        return StoreError::ReadOnly;
    }
    // How redb says that a file is none of its own.
    if matches!(kind, io::ErrorKind::InvalidData) {
        return StoreError::Damaged { what: format!("views, failed to {step}: {source}") };
    }
    StoreError::Io { step, source }
}

/// Names the step of a failed call.
pub(super) trait AtStep<T> {
    /// The same, with redb's error as the ports name it.
    fn at(self, step: &'static str) -> Result<T, StoreError>;
}

impl<T, E: Into<redb::Error>> AtStep<T> for Result<T, E> {
    fn at(self, step: &'static str) -> Result<T, StoreError> {
        self.map_err(|error| store_error(step, error.into()))
    }
}

/// Bytes at rest that are not what this build writes.
pub(super) fn damaged(part: &'static str) -> StoreError {
    StoreError::Damaged { what: format!("views, {part}") }
}

/// The same with what the decoder found.
pub(super) fn undecodable(part: &'static str) -> impl Fn(DecodeError) -> StoreError {
    move |error| StoreError::Damaged { what: format!("views, {part}: {error}") }
}
