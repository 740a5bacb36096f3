//! `record history`: every save of a record, in the order of cause and effect.

use node::answer::{AddedValue, RecordEdit, RecordHistory, Verdict};

use node::ask::ShowHistory;

use super::{RevealArg, look, show};
use crate::context::Context;
use crate::error::Failure;
use crate::report::{Page, Report};
use crate::words::{Fact, Words};

/// `record history`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The record's id, or its first 8 digits or more
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    reveal: RevealArg,
}

pub(super) fn run(context: &mut Context<'_>, args: &Args) -> Result<Report, Failure> {
    let found =
        context.put(ShowHistory { record: args.id.clone(), reveal: args.reveal.reveal.clone() })?;
    context.report(&found, fill)
}

fn fill(page: &mut Page, words: Words, found: &RecordHistory) {
    page.title(found.record.to_string());
    let heads =
        ["page-entry", "page-by", "page-claimed", "page-verdict", "page-field", "page-value"];
    let rows = found.edits.iter().flat_map(|edit| rows(edit, words));
    page.table(look::heads(words, heads), rows.collect());
    if found.left_out > 0 {
        page.warning(words.say_with("page-edits-left-out", &[Fact::new("count", found.left_out)]));
    }
}

/// One line a field; who and when stand on the first.
fn rows(edit: &RecordEdit, words: Words) -> Vec<Vec<String>> {
    let who = [
        look::entry(&edit.entry),
        look::author(&edit.device, edit.person),
        look::moment(edit.claimed_at),
        if edit.verdict == Verdict::Counting {
            String::new()
        } else {
            show::verdict(edit.verdict, words)
        },
    ];
    let row = |(place, (name, added)): (usize, &(String, AddedValue))| {
        let who = if place == 0 { who.clone() } else { Default::default() };
        let value = match added.op.as_str() {
            "clear" => words.say("page-cleared"),
            "add" => format!("+ {}", look::value(&added.value, words)),
            "remove" => format!("- {}", look::value(&added.value, words)),
            _ => look::value(&added.value, words),
        };
        who.into_iter().chain([name.clone(), value]).collect()
    };
    if edit.fields.is_empty() {
        return vec![who.into_iter().chain([String::new(), String::new()]).collect()];
    }
    edit.fields.iter().enumerate().map(row).collect()
}
