//! `sync`: meets, once. Ends with 0 only if one area or more is shared and all are equal.

use std::time::Duration;

use node::answer::Takes;
use node::error::ErrorKind;
use node::live::{MeetError, Met, Moved, RunAsk, Running, SeenArea, Waited, meet, meet_any};
use node::net::Multiaddr;
use node::node::{Node, must_be_dialled};
use serde::{Deserialize, Serialize};

use super::run::runtime;
use super::show;
use crate::context::{Context, Reached};
use crate::error::Failure;
use crate::limits::within;
use crate::patience::Patience;
use crate::report::{Page, Report};
use crate::words::{Fact, Words};

/// Seconds a peer may take at most: a day.
pub(crate) const SECONDS_MAX: u64 = 86_400;

/// `sync`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where the peer listens; may be given again, else every address this node knows
    #[arg(long, value_name = "MULTIADDR")]
    peer: Vec<Multiaddr>,
    /// Seconds until it is given up, trying again meanwhile; what came until then is kept
    #[arg(long, value_name = "S", default_value_t = 300, allow_negative_numbers = true,
          value_parser = within::<u64>(1..=SECONDS_MAX, "usage-sync-timeout"))]
    timeout: u64,
}

/// The answer of `sync`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Synced {
    peer: Peer,
    /// Where it answered, as it was asked for.
    address: String,
    /// Where the link leads over which both compared, if it stood before and leads elsewhere.
    over: Option<String>,
    equal: bool,
    areas: Vec<SeenArea>,
    received: Moved,
    sent: Moved,
    rounds: u32,
    seconds: f64,
    takes: Takes,
}

#[derive(Debug, Serialize, Deserialize)]
struct Peer {
    device: crdt_schema::id::DeviceId,
    #[serde(flatten)]
    area: node::answer::AreaName,
}

/// What the local API is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Meeting {
    /// Where peers listen; empty: every address the node knows.
    #[serde(default)]
    pub(crate) peers: Vec<String>,
    /// Seconds until it is given up.
    #[serde(default = "patience")]
    pub(crate) timeout: u64,
}

const fn patience() -> u64 {
    300
}

pub(crate) fn run(context: &mut Context<'_>, args: &Args) -> Result<Report, Failure> {
    args.peer.iter().try_for_each(must_be_dialled)?;
    let synced = match context.reach()? {
        Reached::Running(client) => {
            let peers = args.peer.iter().map(ToString::to_string).collect();
            let asked = Meeting { peers, timeout: args.timeout };
            client.meet(&asked, &mut context.unseen())?
        }
        Reached::Opened(node) => alone(context, *node, args)?,
    };
    let report = context.report(&synced, fill)?;
    Ok(report.but(not_equal(&synced)))
}

/// With a node that runs only for this.
fn alone(context: &Context<'_>, node: Node, args: &Args) -> Result<Synced, Failure> {
    node.must_be_writable()?;
    let runtime = runtime()?;
    let interrupt = context.world.interrupt.clone();
    let met = runtime.block_on(async {
        let (running, events) = Running::start(node, RunAsk::default())?;
        drop(events);
        let met = tokio::select! {
            met = meet_at(&running, &args.peer, args.timeout) => met,
            () = interrupt.wished() => Err(node::error::NodeError::Interrupted.into()),
        };
        running.stop().await?;
        met
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    met
}

/// Meets whoever is found first at these addresses, or at all that are known, and says what came of
/// it.
///
/// # Errors
/// The contract's `usage`, `peer_unreachable`, `timeout`, `peer_refused`, `network_other`.
pub(crate) async fn meet_at(
    running: &Running,
    peers: &[Multiaddr],
    seconds: u64,
) -> Result<Synced, Failure> {
    let allowed = Duration::from_secs(seconds);
    let patience = Patience::of(allowed);
    // Whoever names an address asks whether it is answered; else it matters only who is met.
    let met = if peers.is_empty() {
        meet_any(running, &known(running).await?, allowed).await
    } else {
        meet(running, peers, allowed).await
    };
    let met = met.map_err(|error| failed(error, patience.took()))?;
    let takes = running.ask(|node| node.takes()).await.unwrap_or_default();
    Ok(answer(met, patience.took(), takes))
}

/// Every address this node may dial: those that were named, and those of the hubs above it.
async fn known(running: &Running) -> Result<Vec<Multiaddr>, Failure> {
    let known = running.ask(|node| node.known_addresses()).await;
    let known = known.map_err(|_| Failure::from(node::error::NodeError::Interrupted))??;
    if known.is_empty() {
        return Err(Failure::usage("usage-sync-nobody", Vec::new()));
    }
    Ok(known)
}

/// The failure that says so, where equality was not proved.
pub(crate) fn not_equal(synced: &Synced) -> Option<Failure> {
    if synced.equal && !synced.areas.is_empty() {
        return None;
    }
    Some(match synced.takes {
        Takes::Everything => {
            Failure::because(ErrorKind::NotEqual, "page-sync-not-equal", Vec::new())
        }
        Takes::OwnArea | Takes::OwnSaves => {
            Failure::finer(ErrorKind::NotEqual, "not_equal_no_room", Vec::new())
        }
    })
}

fn answer(met: Met, took: Duration, takes: Takes) -> Synced {
    let Met { seen, address, over } = met;
    Synced {
        peer: Peer { device: seen.peer, area: seen.area },
        address: address.to_string(),
        over,
        equal: seen.equal,
        areas: seen.areas,
        received: seen.received,
        sent: seen.sent,
        rounds: seen.rounds,
        seconds: (took.as_secs_f64() * 1_000.0).round() / 1_000.0,
        takes,
    }
}

fn failed(error: MeetError, took: Duration) -> Failure {
    let tried = |tries: u32| {
        vec![Fact::new("tries", tries), Fact::new("seconds", format!("{:.0}", took.as_secs_f64()))]
    };
    match error {
        MeetError::Unreachable { tries } => {
            Failure::because(ErrorKind::PeerUnreachable, "page-sync-nobody", tried(tries))
        }
        MeetError::Timeout { tries, waited } => {
            let key = match waited {
                Waited::Answer => "page-sync-waited-answer",
                Waited::Word => "page-sync-waited-word",
                Waited::End => "page-sync-waited-end",
            };
            Failure::because(ErrorKind::Timeout, key, tried(tries))
        }
        MeetError::Refused(reason) => {
            let facts = vec![Fact::new("reason", reason)];
            Failure::because(ErrorKind::PeerRefused, "page-sync-refused", facts)
        }
        MeetError::Crowded { wait_seconds } => {
            let facts = vec![Fact::new("seconds", wait_seconds)];
            Failure::finer(ErrorKind::PeerRefused, "peer_crowded", facts)
        }
        MeetError::OtherNetwork => {
            Failure::because(ErrorKind::NetworkOther, "page-sync-other-network", Vec::new())
        }
        MeetError::Stopped => node::error::NodeError::Interrupted.into(),
    }
}

fn fill(page: &mut Page, words: Words, synced: &Synced) {
    if synced.equal {
        page.good(words.say("page-sync-equal"));
    } else {
        page.warning(words.say("page-sync-not-equal"));
    }
    page.pair(words.say("page-device"), show::short(&synced.peer.device));
    page.pair(words.say("page-area"), synced.peer.area);
    page.pair(words.say("page-address"), &synced.address);
    if let Some(over) = &synced.over {
        page.pair(words.say("page-sync-over"), over);
    }
    page.pair(words.say("page-received"), synced.received.entries);
    page.pair(words.say("page-sent"), synced.sent.entries);
    page.pair(words.say("page-seconds"), format!("{:.1}", synced.seconds));
    let row = |area: &SeenArea| {
        vec![area.area.to_string(), show::yes(area.equal, words), show::short(&area.root_here)]
    };
    let heads = show::heads(words, ["page-area", "page-equal", "page-root"]);
    page.table(heads, synced.areas.iter().map(row).collect());
}
