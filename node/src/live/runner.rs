//! The one thread that owns the node, and the tasks that feed it.
//!
//! ```text
//!  sockets ─ a task a link: one frame, one permit ─┐             ┌─ a queue and a task a link ─ sockets
//!  local API: a question, an answer ───────────────┼─► writer ───┤
//!  timers ─────────────────────────────────────────┘   thread    └─ events, to whoever listens
//! ```
//! Everything that reads or writes the stores passes the writer in order, so nothing is ever locked.
//! A link has `FRAMES_AHEAD` frames under way at most: a peer that sends much waits for its turn as
//! all do. What a peer does not take in is counted in bytes and ends its link at [`QUEUE_BYTES_MAX`].

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, RwLock};
use std::time::Duration;

use crdt_schema::id::DeviceId;
use crdt_schema::time::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, broadcast, mpsc, oneshot};
use tokio::time::Instant;

use super::calls::{Calls, NamedBy};
use super::event::{Event, Figures};
use super::exchange::{Act, Exchange, LinkId, Opened, PeerState};
use super::pipes::{Going, close_of, end_of, receive_all, send_all};
use super::refusals::{Refusals, is_refusal, word_of};
use super::turned::turn_away;
use super::work::{AtWork, Doing, Work};
use crate::answer::When;
use crate::error::NodeError;
use crate::guard::{self, guarded};
use crate::net::{
    Admission, DialFailure, Link, LinkRole, Manner, Multiaddr, NetConfig, NetEvent, NetHandle,
    NetLimits, NetTiming, Transport, peer_key,
};
use crate::node::{Door, LivePeer, Node};
use crate::sync::{EndReason, Role, Stream};

/// Bytes queued for a peer that does not read: what a session may have in flight, and its words.
const QUEUE_BYTES_MAX: usize = 8 << 20;
/// Orders that wait for the writer before who gives them waits too.
const ORDERS_MAX: usize = 256;
/// Events a slow listener may lag behind before it misses some.
const EVENTS_MAX: usize = 1_024;
/// Between two attempts to read a store anew that goes on failing: a large one takes a moment.
const MEND_EVERY_MS: i64 = 1_000;
/// For last words to go before sockets close.
const LAST_WORDS: Duration = Duration::from_millis(1_500);
/// A link that stood this long served its purpose.
const HELD: Duration = Duration::from_secs(10);

/// How a node is to run.
#[derive(Debug, Clone, Default)]
pub struct RunAsk {
    /// Where to listen.
    pub listen: Vec<Multiaddr>,
    /// Whom to dial.
    pub peers: Vec<Multiaddr>,
    /// Addresses others reach this node at, which it cannot know by itself.
    pub external: Vec<Multiaddr>,
    /// Look for neighbours on the LAN.
    pub mdns: bool,
    /// Relay for others.
    pub hub: bool,
    /// Dial whom a person or an invitation named before, and the hubs above that said where they are.
    pub dial_known: bool,
}

/// A question to the node, with what to do with the answer.
type Question = Box<dyn FnOnce(&mut Node) + Send>;
/// What became of a dial.
type Dialled = Result<Reached, DialFailure>;

/// A link over which a device is met now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// The link.
    pub link: LinkId,
    /// Where that link leads, if it stood already and leads elsewhere than was dialled.
    pub over: Option<String>,
    /// Comparisons told of before: they knew nothing of the question.
    pub told_of: u64,
}

/// What is asked of a dial beside a link to the same device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The device answers at this very address.
    There,
    /// The device is met, wherever.
    Met,
}

pub(super) enum Order {
    Frame { link: LinkId, stream: Stream, bytes: Vec<u8>, permit: OwnedSemaphorePermit },
    Gone { link: LinkId, reason: EndReason },
    Ask(&'static str, Question),
    Dial { address: Multiaddr, wanted: Wanted, reply: oneshot::Sender<Dialled> },
    Want(Multiaddr),
    Forget(Multiaddr),
    Compare,
    Stop(oneshot::Sender<()>),
}

/// The node is no longer running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the node has stopped")]
pub struct Stopped;

/// A node that runs; cheap to clone.
#[derive(Clone)]
pub struct Running {
    orders: mpsc::Sender<Order>,
    events: broadcast::Sender<Event>,
    net: NetHandle,
    figures: Arc<Figures>,
    broken: Broken,
    work: AtWork,
}

/// Where the writer met a state that cannot be, once it did.
type Broken = Arc<OnceLock<String>>;

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").finish_non_exhaustive()
    }
}

impl Running {
    /// Starts the transport and the writer, in the runtime of the caller. The receiver hears
    /// everything from the first event on.
    ///
    /// # Errors
    /// [`NodeError`] when the transport cannot start; the node is closed then.
    pub fn start(node: Node, ask: RunAsk) -> Result<(Self, broadcast::Receiver<Event>), NodeError> {
        let doors = Arc::new(RwLock::new(node.doors()));
        let config = NetConfig {
            transport_seed: node.transport_seed().into(),
            network: node.network(),
            listen: ask.listen.clone(),
            external: ask.external.clone(),
            is_hub: ask.hub,
            mdns: ask.mdns,
            limits: NetLimits::default(),
            timing: NetTiming::default(),
            who: who(doors.clone()),
        };
        let internal = |what: String| NodeError::Internal { what };
        let (net, net_events) =
            Transport::start(config).map_err(|error| internal(error.to_string()))?;
        let exchange = Exchange::new(&node)?;
        let (orders, inbox) = mpsc::channel(ORDERS_MAX);
        let (events, told) = broadcast::channel(EVENTS_MAX);
        let figures = Arc::new(Figures::default());
        let broken = Broken::default();
        let work = AtWork::default();
        let mut calls = Calls::default();
        let kept = node.addresses_to_dial()?;
        let kept = kept.iter().filter(|_| ask.dial_known).filter_map(|it| it.parse().ok());
        for address in ask.peers.into_iter().chain(kept) {
            calls.want(address.to_string(), peer_key(&address), NamedBy::Person, Timestamp(0));
        }
        let writer = Writer {
            node,
            exchange,
            calls,
            net: net.clone(),
            orders: orders.clone(),
            events: events.clone(),
            figures: figures.clone(),
            doors,
            links: BTreeMap::new(),
            dials: BTreeMap::new(),
            refusals: Refusals::default(),
            start: Instant::now(),
            dial_known: ask.dial_known,
            named: Vec::new(),
            addresses_told: Vec::new(),
            mend_at: Timestamp(0),
            work: work.clone(),
        };
        let runtime =
            tokio::runtime::Handle::try_current().map_err(|error| internal(error.to_string()))?;
        std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn({
                let (broken, events) = (broken.clone(), events.clone());
                move || {
                    // The node, and with it the stores, is gone when this has unwound.
                    if guarded(|| writer.run(&runtime, inbox, net_events)).is_err() {
                        let at = note(&broken).to_owned();
                        let event = Event::Broken { at };
                        event.log();
                        // Nobody need listen.
                        drop(events.send(event));
                    }
                }
            })
            .map_err(|error| internal(error.to_string()))?;
        Ok((Self { orders, events, net, figures, broken, work }, told))
    }

    /// Asks the node something, or has it do something, when its turn has come.
    ///
    /// A panic while it does ends the node for good, for what it holds may be half made:
    /// [`Running::broken`] then says where.
    ///
    /// # Errors
    /// [`Stopped`].
    pub async fn ask<A: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut Node) -> A + Send + 'static,
    ) -> Result<A, Stopped> {
        self.ask_as("", ask).await
    }

    /// The same under a name, by which [`Running::at_work`] tells it.
    ///
    /// # Errors
    /// [`Stopped`].
    pub async fn ask_as<A: Send + 'static>(
        &self,
        name: &'static str,
        ask: impl FnOnce(&mut Node) -> A + Send + 'static,
    ) -> Result<A, Stopped> {
        let (reply, answer) = oneshot::channel();
        let broken = self.broken.clone();
        let question: Question = Box::new(move |node| match guarded(|| ask(node)) {
            // Whoever asked may have gone: then nobody needs the answer.
            Ok(answer) => drop(reply.send(answer)),
            Err(panicked) => {
                // Noted before the asker hears that there is no answer.
                note(&broken);
                drop(reply);
                panicked.raise()
            }
        });
        self.order(Order::Ask(name, question)).await?;
        answer.await.map_err(|_| Stopped)
    }

    /// What happens from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Where the program met a state that cannot be, if that ended the node.
    pub fn broken(&self) -> Option<&str> {
        self.broken.get().map(String::as_str)
    }

    /// What the node works on at this moment.
    pub fn at_work(&self) -> Option<Work> {
        self.work.look()
    }

    /// Counts since the start.
    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    /// Where others may dial now.
    pub fn addresses(&self) -> Vec<Multiaddr> {
        self.net.addresses()
    }

    /// Dials an address once; the link over which both compare now, or why there is none.
    ///
    /// A link to the same device that was made from here at another address stays: with
    /// [`Wanted::There`] the address is tried beside it.
    ///
    /// # Errors
    /// [`Stopped`].
    pub async fn dial(&self, address: Multiaddr, wanted: Wanted) -> Result<Dialled, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.order(Order::Dial { address, wanted, reply }).await?;
        answer.await.map_err(|_| Stopped)
    }

    /// Keeps a link to an address from now on.
    ///
    /// # Errors
    /// [`Stopped`].
    pub async fn want(&self, address: Multiaddr) -> Result<(), Stopped> {
        self.order(Order::Want(address)).await
    }

    /// No longer.
    ///
    /// # Errors
    /// [`Stopped`].
    pub async fn forget(&self, address: Multiaddr) -> Result<(), Stopped> {
        self.order(Order::Forget(address)).await
    }

    /// Has equality proved again on every link this node began.
    ///
    /// # Errors
    /// [`Stopped`].
    pub async fn compare(&self) -> Result<(), Stopped> {
        self.order(Order::Compare).await
    }

    /// Ends everything in good order: sessions, sockets, files.
    ///
    /// # Errors
    /// [`NodeError::Internal`] when the writer is gone already.
    pub async fn stop(&self) -> Result<(), NodeError> {
        let (reply, done) = oneshot::channel();
        let gone = |_| NodeError::Internal { what: "the writer is gone".to_owned() };
        self.order(Order::Stop(reply)).await.map_err(gone)?;
        done.await.map_err(|_| gone(Stopped))?;
        self.net.shutdown().await;
        Ok(())
    }

    async fn order(&self, order: Order) -> Result<(), Stopped> {
        self.orders.send(order).await.map_err(|_| Stopped)
    }
}

/// Notes where this thread panicked.
fn note(broken: &Broken) -> &str {
    broken.get_or_init(|| guard::place().unwrap_or_else(|| "an unknown place".to_owned()))
}

/// The door: asked by the transport for every connection, answered from memory.
fn who(doors: Arc<RwLock<BTreeMap<[u8; 32], Door>>>) -> crate::net::Who {
    Arc::new(move |key| {
        let doors = doors.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        match doors.get(key) {
            Some(Door::Open(device)) => Admission::Member(*device),
            // Whoever of them it is: the exchange hears it.
            Some(Door::Shared) => Admission::Member(DeviceId(*key)),
            // Of a revoked device's key, too: behind it may be one whose own certificate did not come yet.
            None => Admission::Stranger,
        }
    })
}

/// The sending half of one link, as the writer keeps it.
struct Outlet {
    queue: mpsc::UnboundedSender<Going>,
    queued: Arc<AtomicUsize>,
    since: Instant,
    key: [u8; 32],
    /// Of the other side, as seen from here: direct where a relay was left behind.
    address: String,
    /// As it was dialled from here; `None` where the other side dialled.
    asked: Option<String>,
    /// Somebody waits for what comes of it.
    awaited: bool,
}

impl Outlet {
    /// Whether its end is no failure of the other side to answer: the next dial comes soon.
    fn held(&self, reason: EndReason) -> bool {
        reason == EndReason::Done || (self.since.elapsed() >= HELD && !reason.is_fault())
    }
}

/// Owns the node.
struct Writer {
    node: Node,
    exchange: Exchange,
    calls: Calls,
    net: NetHandle,
    orders: mpsc::Sender<Order>,
    events: broadcast::Sender<Event>,
    figures: Arc<Figures>,
    doors: Arc<RwLock<BTreeMap<[u8; 32], Door>>>,
    links: BTreeMap<LinkId, Outlet>,
    dials: BTreeMap<String, Vec<oneshot::Sender<Dialled>>>,
    refusals: Refusals,
    start: Instant,
    dial_known: bool,
    /// Addresses to dial as the store held them last.
    named: Vec<String>,
    addresses_told: Vec<String>,
    /// Stores that went on failing are left alone until then.
    mend_at: Timestamp,
    work: AtWork,
}

impl Writer {
    fn run(
        mut self,
        runtime: &tokio::runtime::Handle,
        mut inbox: mpsc::Receiver<Order>,
        mut net: mpsc::Receiver<NetEvent>,
    ) {
        self.look_for_hubs();
        loop {
            self.dial_due();
            let wake = [self.exchange.wake_at(), self.calls.wake_at()].into_iter().flatten().min();
            let wake = wake.map(|at| self.instant(at));
            let work = runtime.block_on(async {
                let sleep = async {
                    match wake {
                        Some(at) => tokio::time::sleep_until(at).await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    Some(event) = net.recv() => Next::Net(Box::new(event)),
                    order = inbox.recv() => order.map_or(Next::Nothing, Next::Order),
                    () = sleep => Next::Tick,
                }
            });
            self.work.begin(work.doing());
            self.mend();
            match work {
                Next::Net(event) => self.on_net(runtime, *event),
                Next::Order(Order::Stop(reply)) => {
                    self.stop(runtime);
                    // Nobody waits if the process is already going down.
                    reply.send(()).ok();
                    return;
                }
                Next::Order(order) => self.on_order(order),
                Next::Tick => {
                    let now = self.now();
                    self.exchange.tick(now, &mut self.node);
                }
                Next::Nothing => return,
            }
            self.act();
            self.work.end();
        }
    }

    /// A store that failed is read anew before anything else is asked of it.
    fn mend(&mut self) {
        let now = self.now();
        if now >= self.mend_at && !self.node.mend() {
            self.mend_at = Timestamp(now.0.saturating_add(MEND_EVERY_MS));
        }
    }

    /// Milliseconds of a steady clock.
    fn now(&self) -> Timestamp {
        Timestamp(i64::try_from(self.start.elapsed().as_millis()).unwrap_or(i64::MAX))
    }

    fn instant(&self, at: Timestamp) -> Instant {
        self.start + Duration::from_millis(u64::try_from(at.0).unwrap_or(0))
    }

    fn on_order(&mut self, order: Order) {
        let now = self.now();
        match order {
            Order::Frame { link, stream, bytes, permit } => {
                self.figures.received(bytes.len());
                self.exchange.frame(now, &mut self.node, link, stream, bytes);
                drop(permit);
            }
            Order::Gone { link, reason } => self.gone(link, reason),
            Order::Ask(_, question) => {
                self.show_peers();
                question(&mut self.node);
                self.follow_addresses();
                self.exchange.stirred(now, &mut self.node);
            }
            Order::Dial { address, wanted, reply } => self.dial(address, wanted, reply),
            Order::Want(address) => {
                self.want(address.to_string(), peer_key(&address), NamedBy::Person);
            }
            Order::Forget(address) => self.forget(&address.to_string()),
            Order::Compare => self.exchange.compare_all(now),
            Order::Stop(_) => {}
        }
    }

    /// What answers of the node say of its peers and sessions.
    fn show_peers(&mut self) {
        let peers = self.exchange.peers(&self.node).into_iter().map(|(device, state)| {
            let key = self.node.transport_of(&device);
            let address = key.and_then(|key| {
                let linked = self.links.values().find(|it| it.key == key);
                let dialled = || self.calls.address_of(&key).map(str::to_owned);
                linked.map(|it| it.address.clone()).or_else(dialled)
            });
            let PeerState { connected, equal, heard } = state;
            (device, LivePeer { address, connected, equal, heard })
        });
        let peers = peers.collect();
        self.node.set_peers(peers);
        self.node.set_sessions(self.exchange.sessions(), self.refusals.list());
    }

    /// Dials an address from now on; where another gave way to it, that one no more.
    fn want(&mut self, address: String, key: Option<[u8; 32]>, by: NamedBy) {
        if let Some(gone) = self.calls.want(address, key, by, self.now()) {
            self.refusals.forget(&gone);
        }
    }

    /// Dials an address no more.
    fn forget(&mut self, address: &str) {
        self.calls.forget(address);
        self.refusals.forget(address);
    }

    /// An address that is kept does not let this node in; whether that is news, which is told.
    fn refused(&mut self, address: &str, (reason, wait): (&'static str, Option<u16>)) -> bool {
        if !self.calls.has(address)
            || !self.refusals.note(address, (reason, wait), When(self.node.now()))
        {
            return false;
        }
        let address = address.to_owned();
        self.tell(Event::PeerRefused { address, reason, wait_seconds: wait });
        true
    }

    /// What the end of a link, or of a comparison, says of the address it was dialled at; whether it
    /// is worth telling: the same refusal at each retry is not, if nobody waits for it.
    fn learn(&mut self, event: &Event) -> bool {
        let (link, reason, wait) = match event {
            Event::Session(seen) => (seen.link, seen.reason, None),
            Event::LinkClosed { link, reason, wait_seconds } => {
                (*link, Some(*reason), *wait_seconds)
            }
            Event::PeerJoined { .. }
            | Event::PeerLeft { .. }
            | Event::PeerRefused { .. }
            | Event::Listening { .. }
            | Event::ListenFailed { .. }
            | Event::Stopped
            | Event::Broken { .. } => return true,
        };
        if reason.is_none() {
            self.calls.served(link.0);
        }
        let Some(outlet) = self.links.get(&link) else { return true };
        let (awaited, Some(address)) = (outlet.awaited, outlet.asked.clone()) else { return true };
        match reason {
            None => self.refusals.forget(&address),
            Some(reason) if is_refusal(reason) && self.calls.has(&address) => {
                return self.refused(&address, (reason, wait)) || awaited;
            }
            Some(_) => {}
        }
        true
    }

    /// Addresses that somebody named or forgot while the node runs.
    fn follow_addresses(&mut self) {
        let Ok(named) = self.node.addresses_to_dial() else { return };
        if !self.dial_known || named == self.named {
            return;
        }
        let gone = self.named.iter().filter(|it| !named.contains(it));
        for gone in gone.cloned().collect::<Vec<_>>() {
            self.forget(&gone);
        }
        for address in &named {
            let key = address.parse().ok().as_ref().and_then(peer_key);
            self.want(address.clone(), key, NamedBy::Person);
        }
        self.named = named;
    }

    fn dial(&mut self, address: Multiaddr, wanted: Wanted, reply: oneshot::Sender<Dialled>) {
        let text = address.to_string();
        let linked = peer_key(&address).and_then(|key| self.exchange.link_of(&key));
        let outlet = linked.and_then(|link| Some((link, self.links.get(&link)?)));
        let manner = match outlet {
            None => Manner::Usual,
            Some((link, outlet)) if outlet.asked.is_some() => {
                if wanted == Wanted::Met || outlet.asked.as_ref() == Some(&text) {
                    let reached = self.compare_over(link, &text);
                    reply.send(reached.ok_or(DialFailure::Connected)).ok();
                    return;
                }
                Manner::Probe
            }
            // Whoever was dialled never begins a comparison: that takes a link of our own.
            Some(_) => Manner::Anew,
        };
        self.dials.entry(text).or_default().push(reply);
        self.net.dial_in(address, manner);
    }

    /// Compares over a link that stands, if it was made from here.
    fn compare_over(&mut self, link: LinkId, dialled: &str) -> Option<Reached> {
        let outlet = self.links.get(&link)?;
        let asked = outlet.asked.as_ref()?;
        let over = (asked != dialled).then(|| outlet.address.clone());
        self.exchange.compare(self.now(), link);
        Some(Reached { link, over, told_of: self.exchange.told_of() })
    }

    fn dial_due(&mut self) {
        let now = self.now();
        for address in self.calls.due(now) {
            match address.parse() {
                Ok(address) => self.net.dial(address),
                Err(_) => self.calls.forget(&address),
            }
        }
    }

    fn on_net(&mut self, runtime: &tokio::runtime::Handle, event: NetEvent) {
        let now = self.now();
        match event {
            NetEvent::Opened(link) => self.opened(runtime, link),
            NetEvent::Closed { link, reason } => self.gone(LinkId(link), end_of(reason)),
            NetEvent::DialFailed { addr, peer_key, kind, text } => {
                tracing::debug!(?kind, text, "a dial became no link");
                let address = addr.to_string();
                let waiting = self.dials.remove(&address).unwrap_or_default();
                if !waiting.is_empty() {
                    // Who answered there is linked already: the two compare over that link.
                    let answered = peer_key.filter(|_| kind == DialFailure::Connected);
                    let link = answered.and_then(|key| self.exchange.link_of(&key));
                    let reached = link.and_then(|link| self.compare_over(link, &address));
                    for reply in waiting {
                        reply.send(reached.clone().ok_or(kind)).ok();
                    }
                }
                if let Some(reason) = word_of(kind) {
                    self.refused(&address, (reason, None));
                }
                self.calls.failed(&address, now, self.node.dice());
            }
            NetEvent::Found { addr } => {
                self.want(addr.to_string(), peer_key(&addr), NamedBy::Neighbour);
            }
            NetEvent::Listening(addr) => {
                self.tell(Event::Listening { address: addr.to_string() });
                self.tell_addresses();
            }
            NetEvent::ListenFailed { addr, kind, reason } => {
                let address = addr.to_string();
                self.tell(Event::ListenFailed { address, why: kind, reason });
            }
            NetEvent::External(_) | NetEvent::ExternalLost(_) => self.tell_addresses(),
        }
    }

    fn opened(&mut self, runtime: &tokio::runtime::Handle, link: Link) {
        if let Some(wait) = link.later {
            runtime.spawn(turn_away(link, wait));
            return;
        }
        let id = LinkId(link.id);
        let (queue, going) = mpsc::unbounded_channel();
        let queued = Arc::new(AtomicUsize::new(0));
        runtime.spawn(send_all(link.writer, going, queued.clone()));
        runtime.spawn(receive_all(link.reader, id, self.orders.clone()));
        let address = link.address.to_string();
        let since = Instant::now();
        // A hole that was punched is a link of ours at an address nobody asked for.
        let (role, asked) = match link.role {
            LinkRole::Dialer => {
                (Role::Initiator, Some(link.asked.map_or(address.clone(), |it| it.to_string())))
            }
            LinkRole::Listener => (Role::Responder, None),
        };
        self.calls.opened(link.id, link.peer_key, asked.as_deref());
        let waiting = asked.as_ref().and_then(|asked| self.dials.remove(asked));
        let awaited = waiting.is_some();
        for reply in waiting.unwrap_or_default() {
            let told_of = self.exchange.told_of();
            reply.send(Ok(Reached { link: id, over: None, told_of })).ok();
        }
        let outlet = Outlet { queue, queued, since, key: link.peer_key, address, asked, awaited };
        self.links.insert(id, outlet);
        self.figures.links.store(self.links.len(), Ordering::Relaxed);
        let opened = Opened { link: id, key: link.peer_key, role };
        self.exchange.opened(self.now(), &mut self.node, &opened);
    }

    fn gone(&mut self, link: LinkId, reason: EndReason) {
        let now = self.now();
        if let Some(outlet) = self.links.remove(&link) {
            let held = outlet.held(reason);
            self.calls.closed(link.0, held, now, self.node.dice());
        }
        self.figures.links.store(self.links.len(), Ordering::Relaxed);
        self.exchange.closed(now, &mut self.node, link, reason);
    }

    /// Logs an event, and hands it to whoever listens; nobody need.
    fn tell(&self, event: Event) {
        event.log();
        drop(self.events.send(event));
    }

    /// Carries out what the exchange wants.
    fn act(&mut self) {
        while let Some(act) = self.exchange.poll(self.now(), &mut self.node) {
            match act {
                Act::Send { link, stream, frame } => self.send(link, stream, frame),
                Act::HangUp { link, reason } => self.hang_up(link, reason),
                Act::Doors => {
                    let mut doors =
                        self.doors.write().unwrap_or_else(std::sync::PoisonError::into_inner);
                    *doors = self.node.doors();
                    drop(doors);
                    self.net.recheck();
                    self.look_for_hubs();
                }
                Act::Tell(event) => {
                    self.figures.note(&event);
                    if self.learn(&event) {
                        self.tell(event);
                    }
                }
            }
        }
        if let Some(error) = self.exchange.take_failure() {
            tracing::error!(
                kind = error.kind().as_str(),
                "what was learned could not be written down"
            );
        }
    }

    fn send(&mut self, link: LinkId, stream: Stream, frame: Vec<u8>) {
        let Some(outlet) = self.links.get(&link) else { return };
        let queued = outlet.queued.fetch_add(frame.len(), Ordering::Relaxed) + frame.len();
        self.figures.sent(frame.len());
        // A task that ended says so itself.
        drop(outlet.queue.send(Going::Frame(stream, frame)));
        if queued > QUEUE_BYTES_MAX {
            // The other side would go on saying what nobody here reads.
            self.net.hang_up(outlet.key);
            self.gone(link, EndReason::Stalled);
        }
    }

    fn hang_up(&mut self, link: LinkId, reason: EndReason) {
        if let Some(outlet) = self.links.remove(&link) {
            drop(outlet.queue.send(Going::Close(close_of(reason))));
            let held = outlet.held(reason);
            self.calls.closed(link.0, held, self.now(), self.node.dice());
        }
        self.figures.links.store(self.links.len(), Ordering::Relaxed);
    }

    /// What this node says of where it is, once that changed.
    fn tell_addresses(&mut self) {
        let mut addresses: Vec<String> =
            self.net.addresses().iter().map(ToString::to_string).collect();
        addresses.sort();
        if addresses != self.addresses_told {
            self.addresses_told.clone_from(&addresses);
            self.node.set_addresses(addresses);
            self.exchange.renew_soon(self.now());
        }
    }

    /// Hubs above this node that said where they are.
    fn look_for_hubs(&mut self) {
        if !self.dial_known {
            return;
        }
        for (address, key) in self.node.hub_addresses() {
            self.want(address, Some(key), NamedBy::Hub);
        }
    }

    fn stop(mut self, runtime: &tokio::runtime::Handle) {
        let now = self.now();
        self.exchange.close(now, &mut self.node);
        let queued: Vec<Arc<AtomicUsize>> =
            self.links.values().map(|outlet| outlet.queued.clone()).collect();
        self.act();
        runtime.block_on(async {
            let deadline = Instant::now() + LAST_WORDS;
            while queued.iter().any(|it| it.load(Ordering::Relaxed) > 0)
                && Instant::now() < deadline
            {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        self.tell(Event::Stopped);
        self.node.close();
    }
}

/// What the writer works on next.
enum Next {
    Net(Box<NetEvent>),
    Order(Order),
    Tick,
    Nothing,
}

impl Next {
    /// How it is told.
    const fn doing(&self) -> Doing {
        match self {
            Self::Order(Order::Ask(name, _)) => Doing::Question(name),
            Self::Order(Order::Frame { .. }) => Doing::Peers,
            Self::Order(_) | Self::Net(_) | Self::Tick | Self::Nothing => Doing::Itself,
        }
    }
}
