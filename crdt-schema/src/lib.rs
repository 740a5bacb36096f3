//! What a WKSBM record is, how it changes, and the signed bytes it travels in.
//!
//! Offices of one programme keep the same registers without being connected. What one of them saves
//! is an **edit**: typed operations on one record, and the entries its author had seen. The edit
//! becomes an **entry** of that device's own feed; whoever gets the entries, by whatever way, folds
//! them into the same values. Kinds of record are declared, not programmed: reading, checking,
//! merging, searching and documenting follow from one table a kind.
//!
//! This crate is pure: no file, socket, clock or random number. Time and entropy come in
//! as arguments; the same arguments give the same bytes on every machine. What a node does with
//! entries, stores them, judges them, carries them, is the crate `node`.
//!
//! ```text
//! typed text ── record ──► Section ── entry ──► Entry ~~~ run, wire, stick, disk ~~~► Entry ── fold ──► RecordState
//!              (rules)     (edit)     (signed)                                                 └─ document ──► Automerge
//! ```
//!
//! | room          | holds                                                                      |
//! |---------------|----------------------------------------------------------------------------|
//! | [`record`]    | the kinds, their fields, rules, lists and words; what is typed becomes a plan |
//! | [`edit`]      | values, operations, and the section of one save                            |
//! | [`entry`]     | headers, feeds' heads, packed blocks, and the only door to a verified run  |
//! | [`fold`]      | the edits of one record become surviving values and conflicts              |
//! | [`document`]  | the same edits as an Automerge document: reference, history, export        |
//! | [`area`]      | codes that change, identities that do not, today's tree                    |
//! | [`authority`] | rights, certificates and all that is said about devices, as bytes          |
//! | [`class`]     | who may read a value                                                       |
//! | [`id`]        | one type for each identity                                                 |
//! | [`codec`]     | the one reader and writer of every format: canonical and bounded           |
//! | [`words`]     | hashes as Indonesian words                                                 |
//! | [`private`]   | a value that no log shows                                                  |
//! | [`time`]      | a moment as a number                                                       |
//! | [`unseen`]    | signs that nobody sees: taken out, refused, or shown by their number       |
//!
//! # Two desks that had not heard of each other
//!
//! ```
//! use crdt_schema::class::Class;
//! use crdt_schema::entry::{ChainPoint, Draft, DraftSection, Entry, EntryKind, SALT_BYTES};
//! use crdt_schema::fold::{FoldEntry, Folded, SectionRead, fold};
//! use crdt_schema::id::{EntryId, FeedId, RecordId};
//! use crdt_schema::record::{Ask, Plan, Schema, Wish};
//! use crdt_schema::time::Timestamp;
//!
//! type Outcome<T> = Result<T, Box<dyn std::error::Error>>;
//!
//! // A plan gets its place in a desk's own feed (the next one, for each desk saves once here).
//! fn save(desk: u8, seen: &[EntryId], plan: Plan) -> Outcome<Entry> {
//!     let section = |(class, section): &(Class, crdt_schema::edit::Section)| {
//!         DraftSection::in_clear(*class, &section.encode(), [desk; SALT_BYTES])
//!     };
//!     let draft = Draft {
//!         kind: EntryKind::EDIT,
//!         record_kind: 5, // kegiatan
//!         record: RecordId([7; 16]),
//!         person: 1,
//!         claimed_at: Timestamp(1_793_581_200_000),
//!         deps: seen.to_vec(),
//!         sections: plan.sections.iter().map(section).collect(),
//!     };
//!     Ok(draft.place(FeedId([desk; 32]), ChainPoint::START)?)
//! }
//!
//! fn folded(entries: &[&Entry]) -> Folded {
//!     let read = |entry: &&Entry| FoldEntry {
//!         id: entry.id,
//!         deps: entry.header.deps.clone(),
//!         counts: true,
//!         sections: SectionRead::of(entry),
//!     };
//!     fold(&entries.iter().map(read).collect::<Vec<_>>())
//! }
//!
//! fn put(field: &str, text: &str) -> Ask {
//!     Ask { field: field.to_owned(), what: Wish::Put(text.to_owned()) }
//! }
//!
//! let kegiatan = Schema::standard().kind("kegiatan").ok_or("no such kind")?;
//! let judul = kegiatan.field("judul").ok_or("no such field")?.number;
//!
//! let asks = [
//!     put("judul", "Rapat"),
//!     put("kode_program", "G.1.2"),
//!     put("jenis", "rapat"),
//!     put("tanggal", "2026-11-02"),
//! ];
//! let made = save(1, &[], kegiatan.plan(None, &asks, None)?)?;
//! let before = folded(&[&made]).state;
//!
//! // Both change the title of what they saw; neither knows of the other.
//! let one = kegiatan.plan(Some(&before), &[put("judul", "Rapat Balai UKS")], None)?;
//! let other = kegiatan.plan(Some(&before), &[put("judul", "Rapat bulanan")], None)?;
//! let (one, other) = (save(2, before.heads(), one)?, save(3, before.heads(), other)?);
//!
//! // In whatever order the entries come, every node holds both values until somebody chooses.
//! let apart = folded(&[&other, &made, &one]).state;
//! assert_eq!(apart, folded(&[&made, &one, &other]).state);
//! assert_eq!(apart.survivors(Class::Open, judul, None).len(), 2);
//! assert!(apart.conflicts().contains(&(Class::Open, judul)));
//!
//! // Choosing is an edit that has seen both.
//! let choice = kegiatan.plan(Some(&apart), &[put("judul", "Rapat bulanan")], None)?;
//! let choice = save(4, apart.heads(), choice)?;
//! let settled = folded(&[&choice, &one, &other, &made]).state;
//! assert!(settled.conflicts().is_empty());
//! assert_eq!(settled.shown(Class::Open, judul, None).and_then(|value| value.as_text()), Some("Rapat bulanan"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod area;
pub mod authority;
pub mod class;
pub mod codec;
pub mod document;
pub mod edit;
pub mod entry;
pub mod fold;
pub mod id;
pub mod private;
pub mod record;
#[doc(hidden)]
pub mod testing;
pub mod time;
pub mod unseen;
pub mod words;
