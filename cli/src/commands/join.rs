//! `join`: this folder becomes a node of the network that invited it.

use std::path::PathBuf;

use node::answer::MemberState;
use node::node::Node;

use super::member::state;
use crate::context::Context;
use crate::error::Failure;
use crate::report::Report;

/// `join`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The invitation's file
    #[arg(long, value_name = "FILE")]
    invitation: PathBuf,
}

pub(crate) fn run(context: &mut Context<'_>, args: &Args) -> Result<Report, Failure> {
    let joined = Node::join(context.folder()?, context.environment(), &args.invitation)?;
    context.report(&joined, |page, words, joined| {
        page.good(words.say("page-joined"));
        page.pair(words.say("page-name"), &joined.name);
        page.pair(words.say("page-area"), joined.area);
        page.pair(words.say("page-rights"), joined.rights.join(", "));
        page.pair(words.say("page-state"), state(joined.state, words));
        page.pair(words.say("page-device"), joined.device);
        page.pair(words.say("page-words"), joined.words.join(" "));
        for address in &joined.addresses {
            page.pair(words.say("page-address"), address);
        }
        if joined.state == MemberState::Provisional {
            page.line(words.say("page-join-next"));
        }
    })
}
