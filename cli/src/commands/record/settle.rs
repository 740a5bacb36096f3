//! `record settle`: a person chooses; the choice is an ordinary save and can be undone by another.

use clap::ArgGroup;
use node::ask::SettleConflict;
use node::echo::Echo;

use super::{PersonArg, written};
use crate::context::Context;
use crate::error::Failure;
use crate::fields;
use crate::report::Report;

/// `record settle`.
#[derive(clap::Args)]
#[command(group = ArgGroup::new("choice").required(true).args(["value", "entry"]))]
pub(crate) struct Args {
    /// The record's id, or its first 8 digits or more
    #[arg(value_name = "ID")]
    id: String,
    /// The field in conflict
    #[arg(value_name = "FIELD")]
    field: String,
    /// This value; @FILE and @- as with --field
    #[arg(long, value_name = "V", allow_hyphen_values = true)]
    value: Option<String>,
    /// The value this entry wrote: FEED:SEQ, after a fork FEED:SEQ@ID
    #[arg(long, value_name = "ENTRY")]
    entry: Option<String>,
    #[command(flatten)]
    person: PersonArg,
}

pub(super) fn run(context: &mut Context<'_>, args: Args) -> Result<Report, Failure> {
    let field = Echo::field(&args.field);
    let value = args.value.map(|typed| fields::value(&typed, &field, context.console));
    let value = value.transpose()?;
    let ask = SettleConflict {
        record: args.id,
        field: args.field,
        person: args.person.person,
        value,
        entry: args.entry,
    };
    let write = context.put(ask)?;
    context.report(&write, written)
}
