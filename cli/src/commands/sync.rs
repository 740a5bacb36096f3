//! `sync`: one peer, once. Ends with 0 only if one area or more is shared and all are equal.

use std::time::Duration;

use node::error::ErrorKind;
use node::live::{MeetError, Moved, RunAsk, Running, Seen, SeenArea, meet};
use node::net::Multiaddr;
use serde::{Deserialize, Serialize};

use super::run::runtime;
use super::show;
use crate::context::Context;
use crate::error::Failure;
use crate::patience::Patience;
use crate::report::{Page, Report};
use crate::words::{Fact, Words};

/// `sync`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where the peer listens
    #[arg(long, value_name = "MULTIADDR")]
    peer: Multiaddr,
    /// Seconds until it is given up; what came until then is kept
    #[arg(long, value_name = "S", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
}

/// The answer of `sync`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Synced {
    peer: Peer,
    equal: bool,
    areas: Vec<SeenArea>,
    received: Moved,
    sent: Moved,
    rounds: u32,
    seconds: f64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Peer {
    device: crdt_schema::id::DeviceId,
    #[serde(flatten)]
    area: node::answer::AreaName,
}

/// What the local API is asked.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Meeting {
    /// Where the peer listens.
    pub(crate) peer: String,
    /// Seconds until it is given up.
    pub(crate) timeout: u64,
}

pub(crate) fn run(context: &mut Context<'_>, args: &Args) -> Result<Report, Failure> {
    let synced = match context.running()? {
        Some(client) => {
            let asked = Meeting { peer: args.peer.to_string(), timeout: args.timeout };
            client.meet(&asked, &mut context.unseen())?
        }
        None => alone(context, args)?,
    };
    let report = context.report(&synced, fill)?;
    Ok(report.but(not_equal(&synced)))
}

/// With a node that runs only for this.
fn alone(context: &mut Context<'_>, args: &Args) -> Result<Synced, Failure> {
    let node = context.open()?;
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

/// Meets a peer and says what came of it.
///
/// # Errors
/// The contract's `peer_unreachable`, `timeout`, `peer_refused`, `network_other`.
pub(crate) async fn meet_at(
    running: &Running,
    peer: &Multiaddr,
    seconds: u64,
) -> Result<Synced, Failure> {
    let allowed = Duration::from_secs(seconds);
    let patience = Patience::of(allowed);
    let met = meet(running, peer.clone(), allowed).await;
    Ok(answer(met.map_err(failed)?, patience.took()))
}

/// The failure that says so, where equality was not proved.
pub(crate) fn not_equal(synced: &Synced) -> Option<Failure> {
    let proved = synced.equal && !synced.areas.is_empty();
    (!proved).then(|| Failure::because(ErrorKind::NotEqual, "page-sync-not-equal", Vec::new()))
}

fn answer(seen: Seen, took: Duration) -> Synced {
    Synced {
        peer: Peer { device: seen.peer, area: seen.area },
        equal: seen.equal,
        areas: seen.areas,
        received: seen.received,
        sent: seen.sent,
        rounds: seen.rounds,
        seconds: (took.as_secs_f64() * 1_000.0).round() / 1_000.0,
    }
}

fn failed(error: MeetError) -> Failure {
    match error {
        MeetError::Unreachable => {
            Failure::because(ErrorKind::PeerUnreachable, "error-peer-unreachable.why", Vec::new())
        }
        MeetError::Timeout => Failure::because(ErrorKind::Timeout, "error-timeout.why", Vec::new()),
        MeetError::Refused(reason) => {
            let facts = vec![Fact::new("reason", reason)];
            Failure::because(ErrorKind::PeerRefused, "page-sync-refused", facts)
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
    page.pair(words.say("page-received"), synced.received.entries);
    page.pair(words.say("page-sent"), synced.sent.entries);
    page.pair(words.say("page-seconds"), format!("{:.1}", synced.seconds));
    let row = |area: &SeenArea| {
        vec![area.area.to_string(), show::yes(area.equal, words), show::short(&area.root_here)]
    };
    let heads = show::heads(words, ["page-area", "page-equal", "page-root"]);
    page.table(heads, synced.areas.iter().map(row).collect());
}
