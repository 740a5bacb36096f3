//! `record add`: a new record. The answer comes after the commit is durable.

use node::node::Node;

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

pub(super) fn run(context: &mut Context<'_>, args: &Args) -> Result<Report, Failure> {
    let asks = fields::asks(&args.fields, context.console)?;
    let node = context.open()?;
    context.tell_if_trial(&node);
    let add = |node: &mut Node| node.record_add(&args.kind, &args.area, args.person.person, &asks);
    let write = Context::ask(node, add)?;
    context.report(&write, written)
}
