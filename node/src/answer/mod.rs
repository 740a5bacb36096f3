//! What a node answers: the objects of the command line's contract, ready to be written as JSON.
//!
//! Shapes only, keys in the contract's order. The command line adds `"v":1` and decides how a
//! table looks; no text for operators lives here, and nothing here asks a store.
//!
//! | in every object | form |
//! |---|---|
//! | ids, hashes | lower-case hex: device, feed, entry, root 64 digits, record 32 |
//! | `area` | today's code with dots; `area_id` follows only where it differs from the code |
//! | times | RFC 3339 UTC to the second or `null` |
//! | lists | one fixed order, the same on every node: area, kind, id |
//! | counts | of what the store holds, never of what was asked for |

mod basic;
mod bundle;
mod describe;
mod member;
mod record;
mod standing;

pub use basic::{AreaName, EntryRef, FieldWarning, MemberState, RootHash, Traffic, When};
pub use bundle::{
    Audience, BundleExport, BundleImport, BundleInspect, ImportedArea, ImportedFile, MissingRun,
    NO_ROOM, NewHere, OUTSIDE_INTEREST, ROTTEN_HERE, RottenRun,
};
pub use describe::{
    AreaEntry, AreaList, AreaShow, CodeValue, Glossary, KindSchema, Schema, SchemaField, Synth,
    Term, Transition,
};
pub use member::{AreaRehome, Invite, Join, Member, MemberChange, MemberList, NetworkCreate};
pub use record::{
    AddedValue, ConflictValue, FieldShown, Import, RecordConflict, RecordConflicts, RecordEdit,
    RecordExport, RecordHistory, RecordList, RecordRow, RecordShow, RecordWrite, RefusedRow,
    RevealedValue, Verdict,
};
pub use standing::{
    Arrived, Clock, Damage, Demo, DemoConflicts, DemoCut, DemoNode, ForkPlace, ForkSeen, Moment,
    PeerList, PeerSeen, Refusal, Root, SessionSeen, SharedCode, SharedInvitation, Status,
    StoreStatus, Takes, Verify,
};
