//! `record export`: the Automerge documents of a record.

use std::path::PathBuf;

use node::ask::ExportRecord;

use super::look;
use crate::context::Context;
use crate::error::Failure;
use crate::report::Report;
use crate::words::Fact;

/// `record export`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The record's id, or its first 8 digits or more
    #[arg(value_name = "ID")]
    id: String,
    /// Where the open document is written; those of other classes beside it as FILE.T, .U, .S
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

pub(super) fn run(context: &mut Context<'_>, args: &Args) -> Result<Report, Failure> {
    let made = context.put(ExportRecord { record: args.id.clone(), file: args.output.clone() })?;
    context.report(&made, |page, words, made| {
        page.good(words.say("page-exported"));
        page.pair(words.say("page-record"), made.record);
        page.pair(words.say("page-file"), &made.file);
        page.pair(words.say("page-class"), made.class.join(", "));
        page.pair(words.say("page-size"), look::size(made.bytes));
        for head in &made.heads {
            page.pair(words.say("page-head"), head);
        }
        for file in &made.older {
            page.warning(words.say_with("page-export-older", &[Fact::new("file", file)]));
        }
    })
}
