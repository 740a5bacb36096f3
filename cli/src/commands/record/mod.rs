//! `record`: one file per command; the shapes several share stand here.

mod add;
mod conflicts;
mod export;
mod history;
mod list;
mod set;
mod settle;
mod show;

use clap::Subcommand;
use node::answer::RecordWrite;

use super::show as look;
use crate::context::Context;
use crate::error::Failure;
use crate::report::{Page, Report};
use crate::words::Words;

/// Records
#[derive(Subcommand)]
pub(crate) enum Args {
    /// Write a new record
    #[command(visible_alias = "tambah")]
    Add(add::Args),
    /// Change fields of a record
    #[command(visible_alias = "ubah")]
    Set(set::Args),
    /// One record, field by field
    #[command(visible_alias = "lihat")]
    Show(show::Args),
    /// Records by area, kind and id
    #[command(visible_alias = "daftar")]
    List(list::Args),
    /// Every save of a record: who, when, what
    #[command(visible_alias = "riwayat")]
    History(history::Args),
    /// The Automerge documents of a record, one for each class
    #[command(visible_alias = "ekspor")]
    Export(export::Args),
    /// Fields with two values or more, written apart
    #[command(visible_alias = "konflik")]
    Conflicts(conflicts::Args),
    /// Choose one value of a field in conflict
    #[command(visible_alias = "putuskan")]
    Settle(settle::Args),
}

pub(crate) fn run(context: &mut Context<'_>, args: Args) -> Result<Report, Failure> {
    match args {
        Args::Add(args) => add::run(context, args),
        Args::Set(args) => set::run(context, args),
        Args::Show(args) => show::run(context, &args),
        Args::List(args) => list::run(context, args),
        Args::History(args) => history::run(context, &args),
        Args::Export(args) => export::run(context, &args),
        Args::Conflicts(args) => conflicts::run(context, &args),
        Args::Settle(args) => settle::run(context, args),
    }
}

/// Which of the persons on a device saves.
#[derive(clap::Args)]
struct PersonArg {
    /// Which of the persons on this device does it
    #[arg(long, value_name = "N", default_value_t = 0)]
    person: u8,
}

/// The purpose for which values of class S are shown.
#[derive(clap::Args)]
struct RevealArg {
    /// Show values of class S, for this purpose, which is logged
    #[arg(long, value_name = "PURPOSE", value_parser = purpose)]
    reveal: Option<String>,
}

/// A purpose that says something; what is wrong with it is told by whoever reads the command line.
fn purpose(typed: &str) -> Result<String, &'static str> {
    let purpose = typed.trim();
    if purpose.is_empty() { Err("no purpose") } else { Ok(purpose.to_owned()) }
}

/// The page of a save.
fn written(page: &mut Page, words: Words, write: &RecordWrite) {
    page.good(words.say("page-saved"));
    page.pair(words.say("page-record"), write.record);
    page.pair(words.say("page-entry"), look::entry(&write.entry));
    look::warnings(page, words, &write.warnings);
}
