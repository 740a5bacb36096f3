//! `record show`: one record, field by field, with every value of a conflict.

use node::answer::{FieldShown, RecordShow, Verdict};

use node::ask::ShowRecord;

use super::{RevealArg, look};
use crate::context::Context;
use crate::error::Failure;
use crate::report::{Page, Report};
use crate::words::Words;

/// `record show`.
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
        context.put(ShowRecord { record: args.id.clone(), reveal: args.reveal.reveal.clone() })?;
    context.report(&found, fill)
}

fn fill(page: &mut Page, words: Words, found: &RecordShow) {
    page.title(format!("{}  {}  {}", found.kind, found.area, found.record));
    if found.verdict != Verdict::Counting {
        page.warning(verdict(found.verdict, words));
    }
    let heads = ["page-field", "page-value", "page-class", "page-by", "page-claimed"];
    let rows = found.fields.iter().flat_map(|(name, field)| rows(name, field, words));
    page.table(look::heads(words, heads), rows.collect());
}

/// The shown value, and below it the other surviving ones.
fn rows(name: &str, field: &FieldShown, words: Words) -> Vec<Vec<String>> {
    let shown = vec![
        name.to_owned(),
        look::value(&field.value, words),
        field.class.clone(),
        look::author(&field.device, field.person),
        look::moment(field.claimed_at),
    ];
    let others = field.others.iter().map(|other| {
        vec![
            format!("  {}", words.say("page-or")),
            look::value(&other.value, words),
            String::new(),
            look::author(&other.device, other.person),
            look::moment(other.claimed_at),
        ]
    });
    std::iter::once(shown).chain(others).collect()
}

/// How a record stands, in words.
pub(super) fn verdict(verdict: Verdict, words: Words) -> String {
    words.say(match verdict {
        Verdict::Counting => "page-verdict-counting",
        Verdict::Waiting => "page-verdict-waiting",
        Verdict::Quarantined => "page-verdict-quarantined",
        Verdict::SetAside => "page-verdict-set-aside",
    })
}
