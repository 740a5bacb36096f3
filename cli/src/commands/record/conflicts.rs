//! `record conflicts`: what was written apart and waits for a person's choice.

use node::answer::{RecordConflict, RecordConflicts};

use node::ask::ListConflicts;

use super::{RevealArg, look};
use crate::context::Context;
use crate::error::Failure;
use crate::report::{Page, Report};
use crate::words::Words;

/// `record conflicts`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    reveal: RevealArg,
}

pub(super) fn run(context: &mut Context<'_>, args: &Args) -> Result<Report, Failure> {
    let found = context.put(ListConflicts { reveal: args.reveal.reveal.clone() })?;
    context.report(&found, fill)
}

fn fill(page: &mut Page, words: Words, found: &RecordConflicts) {
    if found.conflicts.is_empty() {
        page.good(words.say("page-no-conflicts"));
        return;
    }
    let heads = [
        "page-record",
        "page-kind",
        "page-field",
        "page-value",
        "page-by",
        "page-claimed",
        "page-entry",
    ];
    let rows = found.conflicts.iter().flat_map(|conflict| rows(conflict, words));
    page.table(look::heads(words, heads), rows.collect());
    page.line(words.say("page-conflicts-next"));
}

/// One line a value, the entry as `record settle --entry` takes it.
fn rows(conflict: &RecordConflict, words: Words) -> Vec<Vec<String>> {
    let row = |value: &node::answer::ConflictValue| {
        vec![
            look::short(&conflict.record),
            conflict.kind.clone(),
            conflict.field.clone(),
            look::value(&value.value, words),
            look::author(&value.device, value.person),
            look::moment(value.claimed_at),
            look::entry(&value.entry),
        ]
    };
    conflict.values.iter().map(row).collect()
}
