//! `glossary`: words of the programme. Needs no node.

use node::answer::Term;
use node::describe;

use super::show;
use crate::context::Context;
use crate::error::Failure;
use crate::report::Report;
use crate::settings::Language;
use crate::words::Fact;

/// `glossary`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only this word
    #[arg(value_name = "TERM")]
    term: Option<String>,
}

pub(crate) fn run(context: &mut Context<'_>, args: &Args) -> Result<Report, Failure> {
    let found = describe::glossary(args.term.as_deref());
    context.report(&found, |page, words, found| {
        if found.terms.is_empty() {
            page.warning(words.say("page-no-term"));
            if !found.near.is_empty() {
                let near = Fact::new("near", found.near.join(", "));
                page.line(words.say_with("page-near-term", &[near]));
            }
            page.line(words.say("page-all-terms"));
        }
        let row = |term: &Term| {
            let meaning = match words.language() {
                Language::Indonesian => &term.meaning,
                Language::English => &term.english,
            };
            vec![term.term.clone(), term.long.clone().unwrap_or_default(), meaning.clone()]
        };
        let heads = show::heads(words, ["page-term", "page-long", "page-meaning"]);
        page.table(heads, found.terms.iter().map(row).collect());
    })
}
