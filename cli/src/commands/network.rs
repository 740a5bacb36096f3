//! `network create`: the root of a network, and its first node.

use clap::Subcommand;
use node::node::{CreateNetwork, Node};

use super::show;
use crate::context::Context;
use crate::error::Failure;
use crate::report::Report;

/// Networks
#[derive(Subcommand)]
pub(crate) enum Args {
    /// Found a network; this node is its first device, in the province
    #[command(visible_alias = "buat")]
    Create(CreateArgs),
}

/// `network create`.
#[derive(clap::Args)]
pub(crate) struct CreateArgs {
    /// What people call the network
    #[arg(long, value_name = "NAME")]
    name: String,
    /// Code of the province, like 32
    #[arg(long, value_name = "CODE")]
    area: String,
    /// For trials: synthetic people only, for ever. Every network is one until sealing exists
    #[arg(long)]
    trial: bool,
}

pub(crate) fn run(context: &mut Context<'_>, args: Args) -> Result<Report, Failure> {
    let Args::Create(CreateArgs { name, area, trial }) = args;
    let ask = CreateNetwork { name, area };
    let made = Node::create_network(context.folder()?, context.environment(), &ask)?;
    if !trial {
        context.console.warn(&context.words.say("tell-always-trial"));
    }
    context.report(&made, |page, words, made| {
        page.good(words.say("page-network-made"));
        page.pair(words.say("page-name"), &made.name);
        page.pair(words.say("page-network"), made.network);
        page.pair(words.say("page-area"), made.area);
        page.pair(words.say("page-device"), made.device);
        page.pair(words.say("page-keys"), format!("{}/{}", made.threshold, made.keys));
        page.pair(words.say("page-trial"), show::yes(made.trial, words));
    })
}
