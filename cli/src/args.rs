//! What was typed: the tree of commands and the flags every command takes.
//!
//! The texts here are the English help; `help.rs` puts the Indonesian ones in their place. Each
//! command's own flags stand in its file under `commands/`. Commands are English words with an
//! Indonesian alias.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::commands;
use crate::settings::Language;

/// A register of welfare work that every village keeps itself and shares with those above it
#[derive(Parser)]
#[command(name = "wksbm", version)]
pub(crate) struct Typed {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags before or after any command.
#[derive(Args)]
pub(crate) struct Globals {
    /// The node's data folder; else `WKSBM_DATA`, else the platform's folder
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Print exactly one JSON object on standard output, on failure too
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Language of texts for people; else `WKSBM_LANG`, else id
    #[arg(long, global = true, value_enum, value_name = "id|en", hide_possible_values = true)]
    pub(crate) lang: Option<Language>,
    /// No messages and no progress; warnings and failures stay
    #[arg(long, global = true)]
    pub(crate) quiet: bool,
}

/// Every command.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// A whole mesh in a temporary folder: province, hubs, villages, edits made apart, bundles
    #[command(visible_alias = "peragaan")]
    Demo(commands::demo::Args),
    /// Networks
    #[command(visible_alias = "jaringan", subcommand)]
    Network(commands::network::Args),
    /// Write an invitation for one new device; works with no connection
    #[command(visible_alias = "undang")]
    Invite(commands::invite::Args),
    /// Join a network by an invitation; works with no connection
    #[command(visible_alias = "gabung")]
    Join(commands::join::Args),
    /// Devices of the network
    #[command(visible_alias = "anggota", subcommand)]
    Member(commands::member::Args),
    /// Areas: codes, names, what lies above and below
    #[command(visible_alias = "wilayah", subcommand)]
    Area(commands::area::Args),
    /// Keep this node up: it meets its neighbours and answers its pages and commands
    #[command(visible_alias = "jalan")]
    Run(commands::run::Args),
    /// Print a link that opens the pages of the node that runs, in a browser of this machine
    #[command(visible_alias = "halaman")]
    Page,
    /// Meet one peer, reconcile both ways, and end
    #[command(visible_alias = "selaras")]
    Sync(commands::sync::Args),
    /// Peers: whom this node met, and whom it is to dial
    #[command(visible_alias = "mitra", subcommand)]
    Peer(commands::peer::Args),
    /// This node at a glance
    #[command(visible_alias = "keadaan")]
    Status,
    /// The root of an area: equal on two nodes exactly if they hold the same
    #[command(visible_alias = "akar")]
    Root(commands::root::Args),
    /// Read and check everything at rest again
    #[command(visible_alias = "periksa")]
    Verify(commands::verify::Args),
    /// The kinds of record and their fields
    #[command(visible_alias = "skema")]
    Schema(commands::schema::Args),
    /// Words of the programme
    #[command(visible_alias = "istilah")]
    Glossary(commands::glossary::Args),
    /// Records
    #[command(visible_alias = "catatan", subcommand)]
    Record(commands::record::Args),
    /// Carry records by file: stick, shared folder, mail
    #[command(visible_alias = "bundel", subcommand)]
    Bundle(commands::bundle::Args),
    /// Read a sheet (CSV, XLSX, XLS, ODS) into records; without --apply only a trial run
    #[command(visible_alias = "impor")]
    Import(commands::import::Args),
    /// Make synthetic people and records, the same from the same seed
    #[command(visible_alias = "sintetis")]
    Synth(commands::synth::Args),
    /// Print the completions for a shell
    #[command(visible_alias = "pelengkap")]
    Completions(commands::completions::Args),
    /// Write the manual pages into a folder
    #[command(visible_alias = "manual")]
    Man(commands::man::Args),
}
