//! `peer list`, `add`, `remove`: whom this node met, and whom it dials while it runs.

use clap::Subcommand;
use node::answer::{PeerList, PeerSeen};
use node::ask::{AddPeer, ListPeers, RemovePeer};

use super::show;
use crate::context::Context;
use crate::error::Failure;
use crate::report::{Page, Report};
use crate::words::Words;

/// Peers: whom this node met, and whom it is to dial
#[derive(Subcommand)]
pub(crate) enum Args {
    /// Every peer, and every address to dial
    #[command(visible_alias = "daftar")]
    List,
    /// Dial this address whenever the node runs
    #[command(visible_alias = "tambah")]
    Add(AddArgs),
    /// No longer dial a device
    #[command(visible_alias = "hapus")]
    Remove(RemoveArgs),
}

/// `peer add`.
#[derive(clap::Args)]
pub(crate) struct AddArgs {
    /// Where the peer listens, best with /p2p/ and its key
    #[arg(value_name = "MULTIADDR")]
    address: String,
}

/// `peer remove`.
#[derive(clap::Args)]
pub(crate) struct RemoveArgs {
    /// The device's id or its first 8 digits or more; or an address as it was added
    #[arg(value_name = "DEVICE")]
    who: String,
}

pub(crate) fn run(context: &mut Context<'_>, args: &Args) -> Result<Report, Failure> {
    let peers = match args {
        Args::List => context.put(ListPeers {})?,
        Args::Add(args) => context.put(AddPeer { address: args.address.clone() })?,
        Args::Remove(args) => context.put(RemovePeer { peer: args.who.clone() })?,
    };
    context.report(&peers, fill)
}

fn fill(page: &mut Page, words: Words, list: &PeerList) {
    if list.peers.is_empty() && list.addresses.is_empty() {
        page.line(words.say("page-no-peers"));
    }
    let heads = [
        "page-area",
        "page-device",
        "page-connected",
        "page-equal",
        "page-contact",
        "page-address",
    ];
    let row = |peer: &PeerSeen| {
        vec![
            peer.area.to_string(),
            show::short(&peer.device),
            show::yes(peer.connected, words),
            peer.equal.map_or_else(|| show::NONE.to_owned(), |equal| show::yes(equal, words)),
            show::moment(peer.last_contact),
            peer.address.clone().unwrap_or_else(|| show::NONE.to_owned()),
        ]
    };
    page.table(show::heads(words, heads), list.peers.iter().map(row).collect());
    let rows = list.addresses.iter().map(|address| vec![address.clone()]);
    page.table(show::heads(words, ["page-dials"]), rows.collect());
}
