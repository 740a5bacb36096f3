//! `record set`: fields of a record change.

use node::ask::{Change, SetRecord};

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

pub(super) fn run(context: &mut Context<'_>, args: Args) -> Result<Report, Failure> {
    let asks = fields::asks(&args.fields, context.console)?;
    if asks.is_empty() {
        return Err(Failure::usage("usage-nothing-to-set", Vec::new()));
    }
    let ask = SetRecord {
        record: args.id,
        person: args.person.person,
        changes: asks.into_iter().map(Change::from).collect(),
    };
    let write = context.put(ask)?;
    context.report(&write, written)
}
