//! `root`: one area's root over the heads that count.

use node::ask::ShowRoot;

use super::show;
use crate::context::Context;
use crate::error::Failure;
use crate::report::Report;

/// `root`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Code of the area; left out, this device's own
    #[arg(long, value_name = "CODE")]
    area: Option<String>,
}

pub(crate) fn run(context: &mut Context<'_>, args: &Args) -> Result<Report, Failure> {
    let root = context.put(ShowRoot { area: args.area.clone() })?;
    context.report(&root, |page, words, root| {
        page.pair(words.say("page-area"), root.area);
        page.pair(words.say("page-root"), root.root);
        let spoken = root.words.as_ref().map_or_else(|| show::NONE.to_owned(), |w| w.join(" "));
        page.pair(words.say("page-words"), spoken);
        if root.other_moment {
            page.line(words.say("page-other-moment"));
        }
        page.pair(words.say("page-feeds"), root.feeds);
        page.pair(words.say("page-entries"), root.entries);
        page.pair(words.say("page-authority"), root.authority);
    })
}
