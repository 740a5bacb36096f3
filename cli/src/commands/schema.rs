//! `schema`: the kinds of record as they are declared. Needs no node.

use node::answer::{KindSchema, Schema};
use node::describe;

use super::show;
use crate::context::Context;
use crate::error::Failure;
use crate::report::{Page, Report};
use crate::words::Words;

/// `schema`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only this kind, with its fields and codes
    #[arg(value_name = "KIND")]
    kind: Option<String>,
}

pub(crate) fn run(context: &mut Context<'_>, args: &Args) -> Result<Report, Failure> {
    let schema = describe::schema(&context.world.environment.schema, args.kind.as_deref())?;
    let whole = args.kind.is_none();
    context.report(&schema, |page, words, schema: &Schema| {
        if whole {
            kinds(page, words, &schema.kinds);
        } else {
            schema.kinds.iter().for_each(|kind| fields(page, words, kind));
        }
    })
}

fn kinds(page: &mut Page, words: Words, kinds: &[KindSchema]) {
    let row = |kind: &KindSchema| {
        vec![kind.kind.clone(), kind.title.clone(), kind.fields.len().to_string()]
    };
    let heads = show::heads(words, ["page-kind", "page-title", "page-fields"]);
    page.table(heads, kinds.iter().map(row).collect());
    page.line(words.say("page-schema-next"));
}

fn fields(page: &mut Page, words: Words, kind: &KindSchema) {
    page.title(format!("{}  {}", kind.kind, kind.title));
    let row = |field: &node::answer::SchemaField| {
        let codes: Vec<&str> = field.codes.iter().map(|code| code.code.as_str()).collect();
        vec![
            field.field.clone(),
            field.title.clone(),
            field.class.clone(),
            field.value_type.clone(),
            field.merge.clone(),
            show::yes(field.required, words),
            codes.join(" "),
        ]
    };
    let heads = [
        "page-field",
        "page-title",
        "page-class",
        "page-type",
        "page-merge",
        "page-required",
        "page-codes",
    ];
    page.table(show::heads(words, heads), kind.fields.iter().map(row).collect());
    let row = |step: &node::answer::Transition| vec![step.from.clone(), step.to.join(", ")];
    let heads = show::heads(words, ["page-from", "page-to"]);
    page.table(heads, kind.transitions.iter().map(row).collect());
}
