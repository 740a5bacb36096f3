//! One node of the WKSBM mesh: what it holds, what of it counts, and what people may ask of it.
//!
//! A node is one folder with two stores and a key. What is saved here and what comes from others
//! passes the same way: a run is judged on header, chain, signature and authority, made durable in
//! the **feed store**, which is the truth, and folded into the **view store**, which is derived and
//! may be thrown away. The command line calls [`node::Node`] and nothing below it.
//!
//! ```text
//!  a file's run ─► replica.offer ─► ingest ─┐                      ┌─► authority, summary (memory)
//!                                           ├─► stage ─ commit ─► feed.redb ─► rows ─► view.redb ─► answers
//!  a save ─► record's plan ─► replica.save ─┘             (durable)            (may lag, catches up)
//! ```
//!
//! Arrows point one way: the facade and the adapters know the ports and the pure rooms, the pure
//! rooms know `crdt_schema` and each other.
//!
//! | room           |          | holds                                                            |
//! |----------------|----------|------------------------------------------------------------------|
//! | [`node`]       | facade   | `Node`: one file a subject, every method an object of `answer`   |
//! | [`ask`]        | facade   | everything that may be asked, as data, each with its answer      |
//! | [`answer`]     | facade   | those objects, ready to be written as JSON                       |
//! | [`describe`]   | facade   | what is known without a node: areas, kinds, words                |
//! | [`echo`]       | facade   | what an error may repeat of a typed text                         |
//! | [`error`]      | facade   | what a node could not do, cut by what the caller can do about it |
//! | [`reason`]     | facade   | why, by name, so that it can be told in any language             |
//! | [`progress`]   | facade   | how far long work is, and whether to go on                       |
//! | [`bundle`]     | adapter  | the stick: bytes of a bundle, careful reading, whole writing     |
//! | [`live`]       | runner   | sessions of a node that stays up; the one thread that owns it    |
//! | [`net`]        | adapter  | libp2p connections become links of two framed streams            |
//! | `sheet`        | adapter  | spreadsheets become wishes for records                           |
//! | [`store`]      | adapter  | redb files, their twins in memory, the keystore                  |
//! | [`clock`]      | adapter  | the only file that asks for the time or for randomness           |
//! | [`guard`]      | adapter  | what may panic over foreign bytes, and does not end the program  |
//! | [`atomic`]     | adapter  | small files, whole or not at all                                 |
//! | [`synth`]      | pure     | a year of a West Java that never was                             |
//! | [`ports`]      | pure     | what the core asks of the world, each with its errors            |
//! | [`replica`]    | pure     | entries become records; what counts; views that lag              |
//! | [`ingest`]     | pure     | the one door for every run                                       |
//! | [`authority`]  | pure     | who may do what, and up to where feeds count                     |
//! | [`sync`]       | pure     | the summary, receipts, and how two nodes reconcile               |
//!
//! Nothing is sealed yet: `docs/architecture.md` marks what is built.

pub mod answer;
pub mod ask;
pub mod atomic;
pub mod authority;
pub mod bundle;
pub mod clock;
pub mod describe;
pub mod echo;
pub mod error;
pub mod guard;
pub mod ingest;
pub mod live;
pub mod net;
pub mod node;
pub mod ports;
pub mod progress;
pub mod reason;
pub mod replica;
#[doc(hidden)]
pub mod sheet;
pub mod store;
pub mod sync;
pub mod synth;
#[cfg(test)]
mod work;
