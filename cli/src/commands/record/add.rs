//! `record add`: a new record. The answer comes after the commit is durable.

use node::ask::{AddRecord, Change};

use super::{PersonArg, written};
use crate::context::Context;
use crate::error::Failure;
use crate::fields::{self, FieldArgs};
use crate::report::Report;

/// `record add`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Kind of the record; `wksbm schema` lists them
    #[arg(value_name = "KIND")]
    kind: String,
    /// Code of the area the record belongs to, for ever
    #[arg(long, value_name = "CODE")]
    area: String,
    #[command(flatten)]
    fields: FieldArgs,
    #[command(flatten)]
    person: PersonArg,
}

pub(super) fn run(context: &mut Context<'_>, args: Args) -> Result<Report, Failure> {
    let asks = fields::asks(&args.fields, context.console)?;
    let reached = context.reach()?;
    context.tell_if_trial(reached.is_trial());
    let ask = AddRecord {
        kind: args.kind,
        area: args.area,
        person: args.person.person,
        changes: asks.into_iter().map(Change::from).collect(),
    };
    let write = reached.put(ask, &mut context.unseen())?;
    context.report(&write, written)
}
