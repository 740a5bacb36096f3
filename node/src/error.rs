//! What a node could not do, cut by what the caller can do about it.
//!
//! [`ErrorKind`] is the contract's `error.kind`; which exit code each gets, and what an operator
//! reads, is the command line's. Texts here are English and hold no personal value.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crdt_schema::area::ParseAreaError;
use thiserror::Error;

use crate::bundle::{OpenError, PARTS_MAX, Unplannable};
use crate::echo::Echo;
use crate::ports::StoreError;
use crate::reason::{self, Because, Reason};
use crate::store::keystore::{KEY_FILE_VERSION, KeystoreError};

/// Facts that hold a path, which may be named after a person.
pub const PATH_FACTS: [&str; 3] = ["path", "place", "file"];

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

/// What a node could not do.
///
/// A value that may be personal is never part of one: the field and the rule are. What was typed is
/// held as it is and told only through [`Echo`], by `Display`, `Debug` and [`NodeError::facts`] alike.
#[derive(Error)]
#[non_exhaustive]
pub enum NodeError {
    /// What was typed cannot be meant.
    #[error("{what}")]
    Usage {
        /// Why.
        what: Because,
    },
    /// What should hold a node's data is a file.
    #[error("`{}` is no folder", path.display())]
    NoFolder {
        /// As given.
        path: PathBuf,
    },
    /// A file that was named is not there.
    #[error("there is no file `{}`", path.display())]
    FileMissing {
        /// As given.
        path: PathBuf,
    },
    /// No record, or more than one, begins with this id.
    #[error("no single record begins with {}", Echo::id(id))]
    RecordUnknown {
        /// As given.
        id: String,
    },
    /// An entry that was named is not held.
    #[error("no held entry is called {}", Echo::entry(entry))]
    EntryUnknown {
        /// As given.
        entry: String,
    },
    /// No area has this code.
    #[error("no area has this code: {}", Echo::area(code))]
    AreaUnknown {
        /// As given.
        code: String,
    },
    /// No kind of record has this name.
    #[error("no kind of record is called {}", Echo::kind(kind))]
    KindUnknown {
        /// As given.
        kind: String,
    },
    /// The kind has no such field.
    #[error("`{kind}` has no field called {}", Echo::field(field))]
    FieldUnknown {
        /// The kind's name.
        kind: String,
        /// As given.
        field: String,
    },
    /// No device, or more than one, is meant.
    #[error("no single device is meant by {}", Echo::id(device))]
    DeviceUnknown {
        /// As given.
        device: String,
    },
    /// A value breaks its field's declaration.
    #[error("the value of `{field}` is refused: {message}")]
    ValueInvalid {
        /// The field.
        field: String,
        /// The rule's name.
        rule: String,
        /// What the rule says, in English, without the value.
        message: String,
    },
    /// A NIK in the shape a spreadsheet leaves when it took it for a number.
    #[error("the NIK in `{field}` lost its digits in a spreadsheet")]
    NikExcel {
        /// The field.
        field: String,
    },
    /// A state that may not follow the one before.
    #[error("`{field}` may not go from `{from}` to `{to}`")]
    TransitionInvalid {
        /// The field.
        field: String,
        /// The state now.
        from: String,
        /// The state asked for.
        to: String,
    },
    /// The area lies outside what this device may act in.
    #[error("`{area}` lies outside `{own}`")]
    AreaOutside {
        /// The area asked for.
        area: String,
        /// The area of this device.
        own: String,
    },
    /// A certificate is given only below the issuer's own area.
    #[error("`{area}` does not lie below `{own}`, and only what lies below is certified")]
    AreaNotBelow {
        /// The area asked for.
        area: String,
        /// The area of this device.
        own: String,
    },
    /// Not one of our files.
    #[error("`{}` is not {}", path.display(), expected.english)]
    FileForeign {
        /// As given.
        path: PathBuf,
        /// What was expected, like `a bundle`.
        expected: &'static Reason,
    },
    /// The file holds nothing at all.
    #[error("`{}` is empty", path.display())]
    FileEmpty {
        /// As given.
        path: PathBuf,
    },
    /// The file ends too early.
    #[error("`{}` ends too early", path.display())]
    FileTruncated {
        /// As given.
        path: PathBuf,
    },
    /// The file is not what was written.
    #[error("`{}` is not what was written: {what}", path.display())]
    FileAltered {
        /// As given.
        path: PathBuf,
        /// What was found.
        what: Because,
    },
    /// The file was made by a newer build.
    #[error("`{}` has format {found}, this build reads up to {known}", path.display())]
    FormatNewer {
        /// As given.
        path: PathBuf,
        /// Format of the file.
        found: u32,
        /// Newest format this build reads.
        known: u32,
    },
    /// This device has no certificate there.
    #[error("this device has no certificate in `{area}`")]
    NoCertificate {
        /// The area.
        area: String,
    },
    /// Its certificate does not allow it.
    #[error("this device has no right `{right}` in `{area}`")]
    NoRight {
        /// The right, as in the contract.
        right: String,
        /// The area.
        area: String,
    },
    /// Nothing this device writes in the area counts any more.
    #[error(
        "nothing was written: `{area}` has moved, it belongs to `{parent}` now and no longer to \
         `{own}`, where the feed of this device ended"
    )]
    AreaMoved {
        /// The area.
        area: String,
        /// What it belongs to today.
        parent: String,
        /// The area of this device.
        own: String,
    },
    /// The record does not count, so what builds on it would not either.
    #[error(
        "nothing was written: record `{record}` is quarantined, and what builds on it counts nowhere"
    )]
    RecordQuarantined {
        /// The record.
        record: String,
    },
    /// The record waits, so what builds on it would wait with it.
    #[error(
        "nothing was written: record `{record}` waits for its device to be confirmed, or for an \
         entry that has not come, and what builds on it would wait too"
    )]
    RecordWaits {
        /// The record.
        record: String,
    },
    /// The device was revoked or has closed itself.
    #[error("this device was closed or revoked in `{area}`")]
    Revoked {
        /// The area.
        area: String,
    },
    /// The keystore does not open.
    #[error("the keystore is locked: {why}")]
    KeystoreLocked {
        /// Why.
        why: Because,
    },
    /// It belongs to another network.
    #[error("it belongs to the network {theirs}, this node to {ours}")]
    NetworkOther {
        /// The other network's id.
        theirs: String,
        /// This node's network's id.
        ours: String,
    },
    /// This folder belongs to a network already.
    #[error("this folder belongs to the network `{name}` already")]
    AlreadyJoined {
        /// The network's name.
        name: String,
    },
    /// Somebody else joined with this invitation and was confirmed.
    #[error("another device was confirmed with the same invitation")]
    InvitationUsed,
    /// The stores.
    #[error("failed to use the store in `{}`: {source}", folder.display())]
    Store {
        /// The data folder.
        folder: PathBuf,
        /// What the store said.
        source: StoreError,
    },
    /// A file outside the stores.
    #[error("failed to {step} `{}`: {source}", path.display())]
    File {
        /// What was being done: `read`, `write`, `create`.
        step: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A person asked to end early.
    #[error("interrupted")]
    Interrupted,
    /// We are wrong.
    #[error("internal: {what}")]
    Internal {
        /// Where and what, without any personal value.
        what: String,
    },
}

impl NodeError {
    /// The contract's word for it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Usage { .. } | Self::NoFolder { .. } => ErrorKind::Usage,
            Self::FileMissing { .. } => ErrorKind::FileMissing,
            Self::RecordUnknown { .. } | Self::EntryUnknown { .. } => ErrorKind::RecordUnknown,
            Self::AreaUnknown { .. } => ErrorKind::AreaUnknown,
            Self::KindUnknown { .. } => ErrorKind::KindUnknown,
            Self::FieldUnknown { .. } => ErrorKind::FieldUnknown,
            Self::DeviceUnknown { .. } => ErrorKind::DeviceUnknown,
            Self::ValueInvalid { .. } => ErrorKind::ValueInvalid,
            Self::NikExcel { .. } => ErrorKind::NikExcel,
            Self::TransitionInvalid { .. } => ErrorKind::TransitionInvalid,
            Self::AreaOutside { .. } | Self::AreaNotBelow { .. } => ErrorKind::AreaOutside,
            Self::FileForeign { .. } => ErrorKind::FileForeign,
            Self::FileTruncated { .. } | Self::FileEmpty { .. } => ErrorKind::FileTruncated,
            Self::FileAltered { .. } => ErrorKind::FileAltered,
            Self::FormatNewer { .. } => ErrorKind::FormatNewer,
            Self::NoCertificate { .. } => ErrorKind::NoCertificate,
            Self::NoRight { .. }
            | Self::AreaMoved { .. }
            | Self::RecordQuarantined { .. }
            | Self::RecordWaits { .. } => ErrorKind::NoRight,
            Self::Revoked { .. } => ErrorKind::Revoked,
            Self::KeystoreLocked { .. } => ErrorKind::KeystoreLocked,
            Self::NetworkOther { .. } => ErrorKind::NetworkOther,
            Self::AlreadyJoined { .. } => ErrorKind::AlreadyJoined,
            Self::InvitationUsed => ErrorKind::InvitationUsed,
            Self::Store { source, .. } => store_kind(source),
            Self::File { source, .. } => io_kind(source),
            Self::Interrupted => ErrorKind::Interrupted,
            Self::Internal { .. } => ErrorKind::Internal,
        }
    }

    /// What happened to which thing, by name: what a message in another language puts in its gaps.
    #[expect(clippy::wildcard_enum_match_arm, reason = "what nobody typed is told in full below")]
    pub fn facts(&self) -> Vec<(&'static str, Echo)> {
        match self {
            Self::RecordUnknown { id } => vec![("id", Echo::id(id))],
            Self::EntryUnknown { entry } => vec![("id", Echo::entry(entry))],
            Self::AreaUnknown { code } => vec![("area", Echo::area(code))],
            Self::KindUnknown { kind } => vec![("record", Echo::kind(kind))],
            Self::DeviceUnknown { device } => vec![("device", Echo::id(device))],
            Self::FieldUnknown { kind, field } => {
                vec![("record", Echo::Text(kind.clone())), ("field", Echo::field(field))]
            }
            Self::Usage { what } | Self::KeystoreLocked { why: what } => because("what", what),
            Self::FileAltered { path, what } => {
                [text(path_fact(path))].into_iter().chain(because("what", what)).collect()
            }
            Self::FileForeign { path, expected } => {
                let expected = because("expected", &(*expected).into());
                [text(path_fact(path))].into_iter().chain(expected).collect()
            }
            ours => ours.own_facts().into_iter().map(|(name, it)| (name, Echo::Text(it))).collect(),
        }
    }

    /// The facts that nobody typed.
    fn own_facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Internal { what } => vec![("what", what.clone())],
            Self::FileMissing { path }
            | Self::FileTruncated { path }
            | Self::FileEmpty { path }
            | Self::NoFolder { path } => vec![path_fact(path)],
            Self::FormatNewer { path, found, known } => {
                vec![path_fact(path), ("found", found.to_string()), ("known", known.to_string())]
            }
            Self::File { path, step, .. } => vec![path_fact(path), ("step", (*step).to_owned())],
            Self::ValueInvalid { field, rule, .. } => {
                vec![("field", field.clone()), ("rule", rule.clone())]
            }
            Self::NikExcel { field } => vec![("field", field.clone())],
            Self::TransitionInvalid { field, from, to } => {
                vec![("field", field.clone()), ("from", from.clone()), ("to", to.clone())]
            }
            Self::AreaOutside { area, own } | Self::AreaNotBelow { area, own } => {
                vec![("area", area.clone()), ("own", own.clone())]
            }
            Self::AreaMoved { area, parent, own } => {
                vec![("area", area.clone()), ("parent", parent.clone()), ("own", own.clone())]
            }
            Self::RecordQuarantined { record } | Self::RecordWaits { record } => {
                vec![("id", record.clone())]
            }
            Self::NoCertificate { area } | Self::Revoked { area } => vec![("area", area.clone())],
            Self::NoRight { right, area } => {
                vec![("right", right.clone()), ("area", area.clone())]
            }
            Self::NetworkOther { theirs, ours } => {
                vec![("theirs", theirs.clone()), ("ours", ours.clone())]
            }
            Self::AlreadyJoined { name } => vec![("name", name.clone())],
            Self::Store { folder, source: StoreError::Newer { found, known } } => {
                vec![path_fact(folder), ("found", found.to_string()), ("known", known.to_string())]
            }
            Self::Store { folder, source } => {
                vec![path_fact(folder), ("what", source.to_string())]
            }
            Self::Usage { .. }
            | Self::KeystoreLocked { .. }
            | Self::FileAltered { .. }
            | Self::FileForeign { .. }
            | Self::RecordUnknown { .. }
            | Self::EntryUnknown { .. }
            | Self::AreaUnknown { .. }
            | Self::KindUnknown { .. }
            | Self::FieldUnknown { .. }
            | Self::DeviceUnknown { .. }
            | Self::InvitationUsed
            | Self::Interrupted => Vec::new(),
        }
    }

    /// A failure of the system at a file; one that is not there is [`NodeError::FileMissing`].
    pub fn file(step: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        if source.kind() == io::ErrorKind::NotFound && step == "read" {
            return Self::FileMissing { path };
        }
        Self::File { step, path, source }
    }

    /// A failure of the store in `folder`.
    pub fn store(folder: &Path, source: StoreError) -> Self {
        Self::Store { folder: folder.to_path_buf(), source }
    }

    /// Keys in `folder` that cannot be had.
    pub fn keys(folder: &Path, error: KeystoreError) -> Self {
        match error {
            KeystoreError::Store(source) => Self::store(folder, source),
            KeystoreError::Exists => Self::store(folder, StoreError::Exists),
            KeystoreError::Newer { found } => Self::FormatNewer {
                path: folder.to_path_buf(),
                found: found.into(),
                known: KEY_FILE_VERSION.into(),
            },
            KeystoreError::Damaged { ref file } => {
                let what = Because::of(&reason::KEY_FILE).with("file", file);
                Self::FileAltered { path: folder.join(file), what }
            }
            KeystoreError::Entropy(error) => Self::Internal { what: error.to_string() },
            KeystoreError::Missing => Self::KeystoreLocked { why: (&reason::KEYS_MISSING).into() },
            KeystoreError::Locked => {
                Self::KeystoreLocked { why: (&reason::KEYS_OF_ANOTHER).into() }
            }
            KeystoreError::TooManyRoots => {
                Self::KeystoreLocked { why: (&reason::KEYS_MANY).into() }
            }
        }
    }

    /// A bundle that could not be opened.
    pub fn bundle(path: &Path, error: OpenError) -> Self {
        let path = path.to_path_buf();
        match error {
            OpenError::Foreign => Self::FileForeign { path, expected: &reason::BUNDLE },
            OpenError::Folder => Self::FileForeign { path, expected: &reason::BUNDLE_NOT_FOLDER },
            OpenError::Empty => Self::FileEmpty { path },
            OpenError::Truncated => Self::FileTruncated { path },
            OpenError::Altered => {
                Self::FileAltered { path, what: (&reason::BUNDLE_BEGINNING).into() }
            }
            OpenError::Newer(found) => Self::FormatNewer {
                path,
                found: found.into(),
                known: crate::bundle::FORMAT_VERSION.into(),
            },
            OpenError::Io(source) => Self::file("read", &path, source),
        }
    }

    /// Runs that do not fit into the pieces asked for.
    pub(crate) fn unplannable(why: Unplannable) -> Self {
        let because = match why {
            Unplannable::TooSmall { least } => {
                Because::of(&reason::PIECE_SMALL).with("least", least)
            }
            Unplannable::TooMany => Because::of(&reason::PIECES_MANY).with("most", PARTS_MAX),
        };
        because.into()
    }

    /// A code that is none.
    pub fn area(code: &str, error: ParseAreaError) -> Self {
        let reason = match error {
            ParseAreaError::VillageKind => &reason::AREA_VILLAGE,
            // A newer way to be none is one of shape.
            ParseAreaError::Shape | _ => &reason::AREA_SHAPE,
        };
        Because::of(reason).typed("code", Echo::area(code)).into()
    }
}

impl fmt::Debug for NodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = self.facts();
        let paths = facts.iter().filter(|(name, _)| PATH_FACTS.contains(name));
        // A file may be named after a person.
        let text = paths.fold(self.to_string(), |text, (_, path)| {
            let Echo::Text(path) = path else { return text };
            text.replace(&format!("`{path}`"), &Echo::nothing(path).to_string())
        });
        write!(f, "NodeError({}: {text})", self.kind().as_str())
    }
}

impl From<Because> for NodeError {
    fn from(what: Because) -> Self {
        Self::Usage { what }
    }
}

impl From<&'static Reason> for NodeError {
    fn from(reason: &'static Reason) -> Self {
        Because::of(reason).into()
    }
}

/// A reason in English for the gap `gap`, and what another language needs to say it.
fn because(gap: &'static str, reason: &Because) -> Vec<(&'static str, Echo)> {
    let english = (gap, Echo::Text(reason.to_string()));
    [english].into_iter().chain(reason.facts()).collect()
}

fn text((name, value): (&'static str, String)) -> (&'static str, Echo) {
    (name, Echo::Text(value))
}

fn path_fact(path: &Path) -> (&'static str, String) {
    ("path", path.display().to_string())
}

fn store_kind(error: &StoreError) -> ErrorKind {
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
fn io_kind(error: &io::Error) -> ErrorKind {
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

    #[test]
    fn an_error_tells_no_typed_text_that_may_be_a_persons() {
        for text in ["3209214501609007", "Siti Aminah", "siti", "081234509009"] {
            let text = text.to_owned();
            for error in [
                NodeError::RecordUnknown { id: text.clone() },
                NodeError::EntryUnknown { entry: text.clone() },
                NodeError::AreaUnknown { code: text.clone() },
                NodeError::KindUnknown { kind: text.clone() },
                NodeError::FieldUnknown { kind: "ppks".to_owned(), field: text.clone() },
                NodeError::DeviceUnknown { device: text.clone() },
                NodeError::area(&text, ParseAreaError::Shape),
                Because::of(&reason::CURSOR).typed("given", Echo::nothing(&text)).into(),
            ] {
                for said in
                    [format!("{error}"), format!("{error:?}"), format!("{:?}", error.facts())]
                {
                    assert!(!said.contains(&text), "{said}");
                }
            }
        }
    }

    #[test]
    fn what_is_written_for_programmers_names_no_file() {
        let path = || PathBuf::from("/stik/Siti Aminah.csv");
        for error in [
            NodeError::FileMissing { path: path() },
            NodeError::FileAltered { path: path(), what: (&reason::BYTES_CHANGED).into() },
            NodeError::file("write", &path(), io::ErrorKind::StorageFull.into()),
            NodeError::store(&path(), StoreError::Locked),
        ] {
            let said = format!("{error:?}");
            assert!(!said.contains("Siti") && said.contains("characters"), "{said}");
        }
    }

    #[test]
    fn what_the_system_says_becomes_what_a_caller_can_do() {
        let full = NodeError::file("write", Path::new("x"), io::ErrorKind::StorageFull.into());
        assert_eq!(full.kind(), ErrorKind::DiskFull);
        let absent = NodeError::file("read", Path::new("x"), io::ErrorKind::NotFound.into());
        assert_eq!(absent.kind(), ErrorKind::FileMissing);
        let denied = StoreError::Io {
            step: "open the store",
            source: io::ErrorKind::PermissionDenied.into(),
        };
        assert_eq!(NodeError::store(Path::new("x"), denied).kind(), ErrorKind::ReadOnly);
    }
}
