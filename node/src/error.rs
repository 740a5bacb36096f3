//! What a node could not do, cut by what the caller can do about it.
//!
//! `kind.rs` holds the kinds, and what the system's own words for a failure are among them.
//! [`ErrorKind`] is the contract's `error.kind`; which exit code each gets, and what an operator
//! reads, is the command line's. Texts here are English and hold no personal value.

mod kind;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crdt_schema::area::ParseAreaError;
use thiserror::Error;

use self::kind::{io_kind, store_kind};
use crate::bundle::{OpenError, PARTS_MAX, Unplannable};
use crate::echo::Echo;
use crate::ports::StoreError;
use crate::reason::{self, Because, Reason};
use crate::store::keystore::{KEY_FILE_VERSION, KeystoreError};

pub use kind::ErrorKind;

/// Facts that hold a path, which may be named after a person.
pub const PATH_FACTS: [&str; 3] = ["path", "place", "file"];

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
    /// The record has grown so large that nothing is added to it, that it is set aside, or that no document
    /// is made of it.
    #[error("nothing was written: record `{record}` has grown too large")]
    RecordTooLarge {
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
    /// A file of this device's keys is cut, altered, or not one of ours.
    #[error("the key file `{}` is damaged", path.display())]
    KeysDamaged {
        /// Which.
        path: PathBuf,
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
    /// What is left of the disk is kept for the saves of the people here.
    #[error(
        "{free} bytes of the disk are left in `{}`, and the last {kept} are kept for saves made here",
        folder.display()
    )]
    NoRoom {
        /// The data folder.
        folder: PathBuf,
        /// Bytes the disk has left.
        free: u64,
        /// Bytes below which nothing is taken in.
        kept: u64,
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
            Self::ValueInvalid { .. } | Self::RecordTooLarge { .. } => ErrorKind::ValueInvalid,
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
            Self::KeysDamaged { .. } => ErrorKind::Damage,
            Self::NetworkOther { .. } => ErrorKind::NetworkOther,
            Self::AlreadyJoined { .. } => ErrorKind::AlreadyJoined,
            Self::InvitationUsed => ErrorKind::InvitationUsed,
            Self::Store { source, .. } => store_kind(source),
            Self::NoRoom { .. } => ErrorKind::DiskFull,
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
            | Self::KeysDamaged { path }
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
            Self::RecordQuarantined { record }
            | Self::RecordWaits { record }
            | Self::RecordTooLarge { record } => {
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
            Self::NoRoom { folder, free, kept } => {
                vec![path_fact(folder), ("free", megabytes(*free)), ("kept", megabytes(*kept))]
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
            KeystoreError::Damaged { ref file } => Self::KeysDamaged { path: folder.join(file) },
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
            OpenError::NoFile => Self::FileForeign { path, expected: &reason::BUNDLE_NO_FILE },
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

/// Whole megabytes, never more than there are.
fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

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
