//! Commands, one file each: ask the node's facade, hand back a report. None prints a result.

pub(crate) mod area;
pub(crate) mod bundle;
pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod glossary;
pub(crate) mod import;
pub(crate) mod invite;
pub(crate) mod join;
pub(crate) mod man;
pub(crate) mod member;
pub(crate) mod network;
pub(crate) mod page;
pub(crate) mod peer;
pub(crate) mod record;
pub(crate) mod root;
pub(crate) mod run;
pub(crate) mod schema;
mod show;
pub(crate) mod status;
pub(crate) mod sync;
pub(crate) mod synth;
pub(crate) mod verify;

use crate::args::Command;
use crate::context::Context;
use crate::error::Failure;
use crate::report::Report;

/// Does what was typed.
///
/// # Errors
/// Whatever the command could not do.
pub(crate) fn run(context: &mut Context<'_>, command: Command) -> Result<Report, Failure> {
    match command {
        Command::Demo(args) => demo::run(context, &args),
        Command::Network(args) => network::run(context, args),
        Command::Invite(args) => invite::run(context, args),
        Command::Join(args) => join::run(context, &args),
        Command::Member(args) => member::run(context, &args),
        Command::Area(args) => area::run(context, &args),
        Command::Run(args) => run::run(context, &args),
        Command::Page => page::run(context),
        Command::Sync(args) => sync::run(context, &args),
        Command::Peer(args) => peer::run(context, &args),
        Command::Status => status::run(context),
        Command::Root(args) => root::run(context, &args),
        Command::Verify(args) => verify::run(context, &args),
        Command::Schema(args) => schema::run(context, &args),
        Command::Glossary(args) => glossary::run(context, &args),
        Command::Record(args) => record::run(context, args),
        Command::Bundle(args) => bundle::run(context, args),
        Command::Import(args) => import::run(context, args),
        Command::Synth(args) => synth::run(context, args),
        Command::Completions(args) => Ok(completions::run(context, &args)),
        Command::Man(args) => man::run(context, &args),
    }
}
