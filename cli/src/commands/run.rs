//! `run`: the node stays up, with its local API and its pages. It says when it is ready, tells what happens, and ends in good order.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crdt_schema::id::DeviceId;
use node::error::{ErrorKind, NodeError};
use node::live::{Event, Figures, Moved, RunAsk, Running, Seen};
use node::net::{ListenFailure, Multiaddr};
use node::node::{Node, must_be_dialled, must_be_listened};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::show;
use crate::api::{Api, ApiAsk, Limits, serve};
use crate::context::Context;
use crate::descriptors;
use crate::error::Failure;
use crate::logs;
use crate::progress::Interrupt;
use crate::report::Report;
use crate::words::Fact;

/// Where a node listens when nobody says otherwise.
const LISTEN: [&str; 2] = ["/ip4/0.0.0.0/udp/4001/quic-v1", "/ip4/0.0.0.0/tcp/4001"];
/// Until every address is listened on, or is not.
const READY: Duration = Duration::from_secs(8);
/// Between the first and the last interface of an address that stands for all of them.
const SETTLE: Duration = Duration::from_millis(150);
/// Where commands and pages ask when nobody says otherwise; any free port when that one is taken.
const API: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8432);
/// Any port that is free.
const ANY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
/// For questions under way to end. With the next two, less than the five seconds a node may take.
const API_END: Duration = Duration::from_millis(1_500);
/// For the node to close its stores.
const NODE_END: Duration = Duration::from_secs(2);
/// For what is left of sockets.
const RUNTIME_END: Duration = Duration::from_millis(500);

/// `run`.
#[expect(clippy::struct_excessive_bools, reason = "what a person switches on is a yes or a no")]
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where to listen; may be given again
    #[arg(long, value_name = "MULTIADDR", default_values = LISTEN)]
    listen: Vec<Multiaddr>,
    /// Whom to dial and keep; may be given again
    #[arg(long, value_name = "MULTIADDR")]
    peer: Vec<Multiaddr>,
    /// An address others reach this node at and it cannot know itself: a forwarded port
    #[arg(long, value_name = "MULTIADDR")]
    external: Vec<Multiaddr>,
    /// No network at all: only commands and pages on this machine
    #[arg(long, conflicts_with_all = ["listen", "peer", "external", "mdns", "hub"])]
    offline: bool,
    /// Where commands and pages of this machine ask; loopback only
    #[arg(long, value_name = "ADDR")]
    api: Option<SocketAddr>,
    /// Look for neighbours on the local network by multicast
    #[arg(long)]
    mdns: bool,
    /// Relay for devices that others cannot dial; for hubs with an address of their own
    #[arg(long)]
    hub: bool,
    /// End when standard input ends: for a program that starts this one and must not outlive it
    #[arg(long)]
    while_stdin: bool,
}

/// The first object of `run --json`.
#[derive(Debug, Serialize)]
struct Ready {
    event: &'static str,
    device: DeviceId,
    pid: u32,
    listen: Vec<String>,
    api: String,
    token_file: String,
}

pub(crate) fn run(context: &mut Context<'_>, args: &Args) -> Result<Report, Failure> {
    args.listen.iter().try_for_each(must_be_listened)?;
    args.peer.iter().chain(&args.external).try_for_each(must_be_dialled)?;
    let folder = context.folder()?.to_path_buf();
    logs::begin();
    descriptors::take_all();
    let node = context.open_patiently()?;
    context.tell_if_trial(node.is_trial());
    if args.while_stdin {
        end_with_stdin(context.world.interrupt.clone());
    }
    let runtime = runtime()?;
    let ended = runtime.block_on(stay_up(context, args, node, &folder));
    runtime.shutdown_timeout(RUNTIME_END);
    ended.map(|()| Report::nothing())
}

/// Wishes the end once whoever holds the other side of standard input is gone, killed or not.
fn end_with_stdin(interrupt: Interrupt) {
    std::thread::spawn(move || {
        // One that cannot be read has ended as well.
        drop(std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
        interrupt.set();
    });
}

/// Threads for sockets; the node has one of its own.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let built = builder.worker_threads(2).enable_all().build();
    built.map_err(|error| NodeError::Internal { what: error.to_string() }.into())
}

async fn stay_up(
    context: &mut Context<'_>,
    args: &Args,
    node: Node,
    folder: &Path,
) -> Result<(), Failure> {
    let device = node.device();
    let listen = if args.offline { Vec::new() } else { args.listen.clone() };
    let asked = listen.clone();
    let ask = RunAsk {
        listen,
        peers: args.peer.clone(),
        external: args.external.clone(),
        mdns: args.mdns,
        hub: args.hub,
        dial_known: !args.offline,
    };
    let (running, events) = Running::start(node, ask)?;
    attend(context, args, folder, (device, &asked), (&running, events)).await
}

/// Says what happens until the end, and sees to it.
async fn attend(
    context: &mut Context<'_>,
    args: &Args,
    folder: &Path,
    (device, asked): (DeviceId, &[Multiaddr]),
    (running, mut events): (&Running, Receiver<Event>),
) -> Result<(), Failure> {
    let mut served = None;
    let ready = wait_until_ready(&mut events, asked).await;
    let told = match ready {
        Ok((listen, early)) => {
            match answer(running, args.api, folder).await {
                Ok(api) => {
                    let api = served.insert(api);
                    let ready = Ready {
                        event: "ready",
                        device,
                        pid: std::process::id(),
                        listen,
                        api: api.url.clone(),
                        token_file: api.token_file.display().to_string(),
                    };
                    let told = follow(context, &ready, api, early, &mut events).await;
                    // A question that does not end is cut off by the end of the node.
                    tokio::time::timeout(API_END, api.stop()).await.ok();
                    told
                }
                Err(failure) => Err(failure),
            }
        }
        Err(failure) => Err(failure),
    };
    let stopped = tokio::time::timeout(NODE_END, running.stop()).await.unwrap_or_else(|_| {
        // What was acknowledged is durable; what hangs is left to the end of the process.
        context.warn("page-run-cut-off");
        Ok(())
    });
    let stopped = stopped.map_err(Failure::from);
    drop(served);
    if let Some(at) = running.broken() {
        return Err(broken(folder, at));
    }
    if told.is_ok() && stopped.is_ok() {
        tell(context, &stopped_event(running.figures()), "page-run-stopped", &[])?;
    }
    told.and(stopped)
}

/// Why the node ended by itself: a store whose pages rotted, or our own mistake.
fn broken(folder: &Path, at: &str) -> Failure {
    Node::damage_in(folder).map_or_else(|| crate::stopped(Some(at)), Failure::from)
}

/// The last object of `run --json`: what moved in all since the start.
fn stopped_event(figures: &Figures) -> Value {
    let moved = |entries: &AtomicU64, bytes: &AtomicU64| Moved {
        entries: entries.load(Ordering::Relaxed),
        bytes: bytes.load(Ordering::Relaxed),
    };
    json!({
        "event": "stopped",
        "received": moved(&figures.entries_received, &figures.bytes_received),
        "sent": moved(&figures.entries_sent, &figures.bytes_sent),
    })
}

/// The local API where it was asked for; else where it is expected, or on any port that is free.
async fn answer(
    running: &Running,
    asked: Option<SocketAddr>,
    folder: &Path,
) -> Result<Api, Failure> {
    let at = |listen| ApiAsk { listen, folder: folder.to_path_buf(), limits: Limits::default() };
    match serve(running.clone(), at(asked.unwrap_or(API))).await {
        Err(failure) if asked.is_none() && failure.kind() == ErrorKind::PortInUse => {
            serve(running.clone(), at(ANY)).await
        }
        served => served,
    }
}

/// Waits until every address that was asked for is listened on. One that stands for all interfaces
/// becomes several. What else happens meanwhile is told afterwards.
async fn wait_until_ready(
    events: &mut Receiver<Event>,
    asked: &[Multiaddr],
) -> Result<(Vec<String>, Vec<Event>), Failure> {
    let (mut listen, mut early): (Vec<String>, Vec<Event>) = (Vec::new(), Vec::new());
    let all = async {
        loop {
            let served = asked.iter().all(|asked| listen.iter().any(|at| serves(asked, at)));
            // Once all are served, other interfaces may still follow at once.
            let patience = if served { SETTLE } else { READY };
            let Ok(event) = tokio::time::timeout(patience, events.recv()).await else { break };
            match event {
                Ok(Event::Listening { address }) => listen.push(address),
                Ok(Event::ListenFailed { address, why, reason }) => {
                    return Err(not_listening(&address, why, &reason));
                }
                Ok(event) => early.push(event),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => break,
            }
        }
        Ok(())
    };
    match tokio::time::timeout(READY, all).await {
        Ok(Err(failure)) => Err(failure),
        // An address that takes longer, such as one of a relay, comes later as an event.
        Ok(Ok(())) | Err(_) => Ok((listen, early)),
    }
}

/// Why an address cannot be listened on. Scripts read one word for all of it.
pub(crate) fn not_listening(address: &str, why: ListenFailure, reason: &str) -> Failure {
    let facts = vec![Fact::new("address", address), Fact::new("reason", reason)];
    let told = match why {
        ListenFailure::NotHere => "address_not_here",
        ListenFailure::Forbidden => "port_forbidden",
        ListenFailure::Taken => {
            let why = "page-run-listen-failed";
            return Failure::because(ErrorKind::PortInUse, why, facts);
        }
        ListenFailure::Other => "address_unheard",
    };
    Failure::finer(ErrorKind::PortInUse, told, facts)
}

/// Whether an address is what was asked for: the same protocols, and the same values but where
/// any interface or any port was asked for.
fn serves(asked: &Multiaddr, address: &str) -> bool {
    let asked = asked.to_string();
    let mut parts = address.split('/');
    let fits = |wanted: &str| {
        let part = parts.next();
        ["0.0.0.0", "::", "0"].contains(&wanted) || part == Some(wanted)
    };
    asked.split('/').all(fits)
}

/// Says that it is ready, then whatever happens, until a person wants it to end.
async fn follow(
    context: &mut Context<'_>,
    ready: &Ready,
    api: &Api,
    early: Vec<Event>,
    events: &mut Receiver<Event>,
) -> Result<(), Failure> {
    let object = serde_json::to_value(ready).unwrap_or_default();
    let facts = [Fact::new("device", show::short(&ready.device))];
    tell(context, &object, "page-run-ready", &facts)?;
    if !context.settings.json {
        for address in &ready.listen {
            context.tell("page-run-listen", &[Fact::new("address", address)]);
        }
        // A link is for eyes: standard error that goes to a log must not hold one.
        if context.console.shows_progress() {
            context.tell("page-run-open", &[Fact::new("link", api.link()?)]);
        } else {
            context.tell("page-run-open-by", &[]);
        }
        context.tell("page-run-end", &[]);
    }
    for event in &early {
        tell_event(context, event)?;
    }
    let interrupt = context.world.interrupt.clone();
    loop {
        let event = tokio::select! {
            () = interrupt.wished() => return Ok(()),
            event = events.recv() => event,
        };
        match event {
            Err(RecvError::Lagged(_)) => {}
            // Why it broke is told at the end, once what it held is closed.
            Ok(Event::Broken { .. }) | Err(RecvError::Closed) => return Ok(()),
            Ok(event) => tell_event(context, &event)?,
        }
    }
}

fn tell_event(context: &mut Context<'_>, event: &Event) -> Result<(), Failure> {
    let object = serde_json::to_value(event).unwrap_or_default();
    match event {
        Event::PeerJoined { device, area } => {
            let facts = [Fact::new("device", show::short(device)), Fact::new("area", area)];
            tell(context, &object, "page-run-joined", &facts)
        }
        Event::PeerLeft { device, reason, .. } => {
            let facts = [Fact::new("device", show::short(device)), Fact::new("reason", reason)];
            tell(context, &object, "page-run-left", &facts)
        }
        Event::Session(seen) => {
            let key = if seen.equal { "page-run-equal" } else { "page-run-unequal" };
            tell(context, &object, key, &session_facts(seen))
        }
        Event::Listening { address } => {
            tell(context, &object, "page-run-listen", &[Fact::new("address", address)])
        }
        Event::ListenFailed { address, reason, .. } => {
            let facts = [Fact::new("address", address), Fact::new("reason", reason)];
            tell(context, &object, "page-run-listen-failed", &facts)
        }
        Event::LinkClosed { reason, .. } => {
            tell(context, &object, "page-run-closed", &[Fact::new("reason", reason)])
        }
        Event::PeerRefused { address, reason, wait_seconds } => {
            let wait = wait_seconds.unwrap_or_default();
            let facts = [
                Fact::new("address", address),
                Fact::new("reason", reason),
                Fact::new("wait", wait),
            ];
            tell(context, &object, "page-run-refused", &facts)
        }
        Event::Stopped | Event::Broken { .. } => Ok(()),
    }
}

fn session_facts(seen: &Seen) -> [Fact; 4] {
    [
        Fact::new("device", show::short(&seen.peer)),
        Fact::new("area", seen.area),
        Fact::new("received", seen.received.entries),
        Fact::new("sent", seen.sent.entries),
    ]
}

/// One object a line for programs; for people a line that says the same.
fn tell(
    context: &mut Context<'_>,
    object: &Value,
    key: &str,
    facts: &[Fact],
) -> Result<(), Failure> {
    let line = if context.settings.json {
        let mut versioned = serde_json::Map::new();
        versioned.insert("v".to_owned(), json!(1));
        versioned.extend(object.as_object().cloned().unwrap_or_default());
        Value::Object(versioned).to_string()
    } else if context.settings.quiet {
        return Ok(());
    } else {
        context.words.say_with(key, facts)
    };
    context.console.line(&line).map_err(Failure::output)
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::panic,
        reason = "a test that panics is a test that fails"
    )]
    use std::ffi::OsString;

    use node::node::CreateNetwork;

    use super::*;
    use crate::args::Command;
    use crate::settings::{FirstLook, Settings, Variables};
    use crate::{Console, World, help};

    /// `run` on a new node, with a question that panics while it is up; how it ended, and what it said.
    fn panicked(folder: &Path) -> (Failure, String) {
        let world = World { variables: Variables::default(), ..World::system() };
        let ask = CreateNetwork { name: "Uji".to_owned(), area: "32".to_owned() };
        Node::create_network(folder, &world.environment, &ask).unwrap();
        let line = ["wksbm", "run", "--offline", "--api", "127.0.0.1:0", "--json", "--data"];
        let mut line: Vec<OsString> = line.iter().map(OsString::from).collect();
        line.push(folder.into());
        let typed = help::parse(&line, FirstLook::of(&line, &world.variables)).ok().unwrap();
        let Command::Run(args) = typed.command else { panic!("another command") };
        let settings = Settings::new(typed.globals, &world.variables);
        let (mut console, captured) = Console::captured("");
        let mut context = Context::new(&world, settings, &mut console);
        let node = context.open().ok().unwrap();
        let device = node.device();
        let ended = runtime().ok().unwrap().block_on(async {
            let (running, events) = Running::start(node, RunAsk::default()).unwrap();
            let (asked, ready) = (running.clone(), folder.join("run.json"));
            tokio::spawn(async move {
                while !ready.exists() {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                asked.ask(|_| -> () { panic!("Siti Contoh") }).await
            });
            attend(&mut context, &args, folder, (device, &[]), (&running, events)).await
        });
        (ended.err().unwrap(), captured.stdout() + &captured.stderr())
    }

    #[test]
    fn a_state_that_cannot_be_ends_run_at_once_with_one_and_says_nothing_of_anybody() {
        let folder = tempfile::tempdir().unwrap();
        let (failure, said) = panicked(&folder.path().join("data"));
        assert_eq!((failure.kind(), failure.exit()), (ErrorKind::Internal, 1));
        assert!(said.contains(r#""event":"ready""#) && !said.contains("stopped"), "{said}");
        assert!(!said.contains("Siti") && !failure.json().to_string().contains("Siti"), "{said}");
    }

    #[test]
    fn an_address_for_all_interfaces_is_served_by_any_of_them_and_by_no_other_transport() {
        let served = |asked: &str, at: &str| asked.parse().is_ok_and(|asked| serves(&asked, at));
        let quic = "/ip4/198.18.0.2/udp/4001/quic-v1/p2p/12D3KooW";
        assert!(served("/ip4/0.0.0.0/udp/4001/quic-v1", quic));
        assert!(served("/ip4/198.18.0.2/udp/0/quic-v1", quic));
        assert!(!served("/ip4/0.0.0.0/tcp/4001", quic));
        assert!(!served("/ip4/0.0.0.0/udp/4002/quic-v1", quic));
        assert!(!served("/ip4/127.0.0.1/udp/4001/quic-v1", quic));
    }
}
