//! `record set`: fields of a record change.

use super::{PersonArg, written};
use crate::context::Context;
use crate::error::Failure;
use crate::fields::{self, FieldArgs};
use crate::report::Report;

/// `record set`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The record's id, or its first 8 digits or more
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    fields: FieldArgs,
    #[command(flatten)]
    person: PersonArg,
}

pub(super) fn run(context: &mut Context<'_>, args: &Args) -> Result<Report, Failure> {
    let asks = fields::asks(&args.fields, context.console)?;
    if asks.is_empty() {
        return Err(Failure::usage("usage-nothing-to-set", Vec::new()));
    }
    let write = context.on_node(|node| node.record_set(&args.id, args.person.person, &asks))?;
    context.report(&write, written)
}
