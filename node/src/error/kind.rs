//! The kinds of failure: one word each, what scripts rely on.

use std::io;

use crate::ports::StoreError;

/// Every kind of failure a script may meet, as the contract names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Our own mistake.
    Internal,
    /// The command line is wrong.
    Usage,
    /// A file that was named is not there.
    FileMissing,
    /// No record has this id, or several do.
    RecordUnknown,
    /// No area has this code.
    AreaUnknown,
    /// No kind of record has this name.
    KindUnknown,
    /// The kind has no such field.
    FieldUnknown,
    /// No device has this id or these words.
    DeviceUnknown,
    /// A value breaks its field's declaration.
    ValueInvalid,
    /// A NIK whose digits a spreadsheet has thrown away.
    NikExcel,
    /// A state that may not follow the one before.
    TransitionInvalid,
    /// The area lies outside what this device may act in.
    AreaOutside,
    /// Not one of our files.
    FileForeign,
    /// The file ends too early.
    FileTruncated,
    /// The file is not what was written.
    FileAltered,
    /// The file was made by a newer build.
    FormatNewer,
    /// Ended, but equality is not proved.
    NotEqual,
    /// What lies at rest is not what was written.
    Damage,
    /// This device has no certificate there.
    NoCertificate,
    /// Its certificate does not allow it.
    NoRight,
    /// It was revoked or has closed itself.
    Revoked,
    /// The keystore is locked.
    KeystoreLocked,
    /// It belongs to another network.
    NetworkOther,
    /// This folder belongs to a network already.
    AlreadyJoined,
    /// Somebody else joined with this invitation.
    InvitationUsed,
    /// Another process holds the store.
    StoreLocked,
    /// The store was written by a newer build.
    StoreNewer,
    /// There is no node in this folder.
    StoreMissing,
    /// There is a node in this folder already.
    StoreExists,
    /// No space left.
    DiskFull,
    /// The disk failed.
    DiskError,
    /// The folder or file cannot be written.
    ReadOnly,
    /// Partly done: what was whole is kept.
    Partial,
    /// A port is taken.
    PortInUse,
    /// A peer cannot be reached.
    PeerUnreachable,
    /// It took too long.
    Timeout,
    /// The peer ended the session.
    PeerRefused,
    /// Interrupted by a person.
    Interrupted,
}

impl ErrorKind {
    /// Every kind, in the contract's order.
    pub const ALL: [Self; 38] = [
        Self::Internal,
        Self::Usage,
        Self::FileMissing,
        Self::RecordUnknown,
        Self::AreaUnknown,
        Self::KindUnknown,
        Self::FieldUnknown,
        Self::DeviceUnknown,
        Self::ValueInvalid,
        Self::NikExcel,
        Self::TransitionInvalid,
        Self::AreaOutside,
        Self::FileForeign,
        Self::FileTruncated,
        Self::FileAltered,
        Self::FormatNewer,
        Self::NotEqual,
        Self::Damage,
        Self::NoCertificate,
        Self::NoRight,
        Self::Revoked,
        Self::KeystoreLocked,
        Self::NetworkOther,
        Self::AlreadyJoined,
        Self::InvitationUsed,
        Self::StoreLocked,
        Self::StoreNewer,
        Self::StoreMissing,
        Self::StoreExists,
        Self::DiskFull,
        Self::DiskError,
        Self::ReadOnly,
        Self::Partial,
        Self::PortInUse,
        Self::PeerUnreachable,
        Self::Timeout,
        Self::PeerRefused,
        Self::Interrupted,
    ];

    /// The word in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Usage => "usage",
            Self::FileMissing => "file_missing",
            Self::RecordUnknown => "record_unknown",
            Self::AreaUnknown => "area_unknown",
            Self::KindUnknown => "kind_unknown",
            Self::FieldUnknown => "field_unknown",
            Self::DeviceUnknown => "device_unknown",
            Self::ValueInvalid => "value_invalid",
            Self::NikExcel => "nik_excel",
            Self::TransitionInvalid => "transition_invalid",
            Self::AreaOutside => "area_outside",
            Self::FileForeign => "file_foreign",
            Self::FileTruncated => "file_truncated",
            Self::FileAltered => "file_altered",
            Self::FormatNewer => "format_newer",
            Self::NotEqual => "not_equal",
            Self::Damage => "damage",
            Self::NoCertificate => "no_certificate",
            Self::NoRight => "no_right",
            Self::Revoked => "revoked",
            Self::KeystoreLocked => "keystore_locked",
            Self::NetworkOther => "network_other",
            Self::AlreadyJoined => "already_joined",
            Self::InvitationUsed => "invitation_used",
            Self::StoreLocked => "store_locked",
            Self::StoreNewer => "store_newer",
            Self::StoreMissing => "store_missing",
            Self::StoreExists => "store_exists",
            Self::DiskFull => "disk_full",
            Self::DiskError => "disk_error",
            Self::ReadOnly => "read_only",
            Self::Partial => "partial",
            Self::PortInUse => "port_in_use",
            Self::PeerUnreachable => "peer_unreachable",
            Self::Timeout => "timeout",
            Self::PeerRefused => "peer_refused",
            Self::Interrupted => "interrupted",
        }
    }
}

pub(super) fn store_kind(error: &StoreError) -> ErrorKind {
    match error {
        StoreError::Full => ErrorKind::DiskFull,
        StoreError::ReadOnly => ErrorKind::ReadOnly,
        StoreError::Locked => ErrorKind::StoreLocked,
        StoreError::Newer { .. } => ErrorKind::StoreNewer,
        StoreError::Missing => ErrorKind::StoreMissing,
        StoreError::Exists => ErrorKind::StoreExists,
        StoreError::Damaged { .. } => ErrorKind::Damage,
        StoreError::Poisoned => ErrorKind::DiskError,
        StoreError::Io { source, .. } => io_kind(source),
        StoreError::Misuse(_) => ErrorKind::Internal,
    }
}

/// What the system's own word for a failure means to a caller.
pub(super) fn io_kind(error: &io::Error) -> ErrorKind {
    let kind = error.kind();
    if kind == io::ErrorKind::NotFound {
        ErrorKind::FileMissing
    } else if matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
        ErrorKind::DiskFull
    } else if matches!(kind, io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied) {
        ErrorKind::ReadOnly
    } else {
        ErrorKind::DiskError
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_has_a_word_of_its_own() {
        let words: BTreeSet<&str> = ErrorKind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(words.len(), ErrorKind::ALL.len());
        assert!(words.iter().all(|word| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
    }
}
