//! The one thread that owns the node, and the tasks that feed it.
//!
//! ```text
//!  sockets ─ a task a link: one frame, one permit ─┐             ┌─ a queue and a task a link ─ sockets
//!  local API: a question, an answer ───────────────┼─► writer ───┤
//!  timers ─────────────────────────────────────────┘   thread    └─ events, to whoever listens
//! ```
//! Everything that reads or writes the stores passes the writer in order, so nothing is ever locked.
//! A link has [`FRAMES_AHEAD`] frames under way at most: a peer that sends much waits for its turn as
//! all do. What a peer does not take in is counted in bytes and ends its link at [`QUEUE_BYTES_MAX`].

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, RwLock};
use std::time::Duration;

use crdt_schema::time::Timestamp;
use tokio::sync::{Semaphore, broadcast, mpsc, oneshot};
use tokio::time::Instant;

use super::calls::{Calls, NamedBy};
use super::event::{Event, Figures};
use super::exchange::{Act, Exchange, LinkId, Opened, PeerState};
use crate::error::NodeError;
use crate::guard::{self, guarded};
use crate::net::{
    Admission, CloseReason, DialFailure, Link, LinkRole, Multiaddr, NetConfig, NetEvent, NetHandle,
    NetLimits, NetTiming, Transport, peer_key,
};
use crate::node::{Door, LivePeer, Node};
use crate::sync::{EndReason, Role, Stream};

/// Frames of one link that wait for the writer or are being worked on.
const FRAMES_AHEAD: usize = 2;
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
type Dialled = Result<LinkId, DialFailure>;

enum Order {
    Frame {
        link: LinkId,
        stream: Stream,
        bytes: Vec<u8>,
        permit: tokio::sync::OwnedSemaphorePermit,
    },
    Gone {
        link: LinkId,
        reason: EndReason,
    },
    Ask(Question),
    Dial {
        address: Multiaddr,
        reply: oneshot::Sender<Dialled>,
    },
    Want(Multiaddr),
    Forget(Multiaddr),
    Compare,
    Stop(oneshot::Sender<Result<(), NodeError>>),
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
            start: Instant::now(),
            dial_known: ask.dial_known,
            named: Vec::new(),
            addresses_told: Vec::new(),
            mend_at: Timestamp(0),
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
                        // Nobody need listen.
                        drop(events.send(Event::Broken { at }));
                    }
                }
            })
            .map_err(|error| internal(error.to_string()))?;
        Ok((Self { orders, events, net, figures, broken }, told))
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
        self.order(Order::Ask(question)).await?;
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

    /// Counts since the start.
    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    /// Where others may dial now.
    pub fn addresses(&self) -> Vec<Multiaddr> {
        self.net.addresses()
    }

    /// Dials an address once; the link's number, or why there is none.
    ///
    /// # Errors
    /// [`Stopped`].
    pub async fn dial(&self, address: Multiaddr) -> Result<Dialled, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.order(Order::Dial { address, reply }).await?;
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
    /// [`NodeError`] of the stores; [`NodeError::Internal`] when the writer is gone already.
    pub async fn stop(&self) -> Result<(), NodeError> {
        let (reply, done) = oneshot::channel();
        let gone = |_| NodeError::Internal { what: "the writer is gone".to_owned() };
        self.order(Order::Stop(reply)).await.map_err(gone)?;
        let result = done.await.map_err(|_| gone(Stopped))?;
        self.net.shutdown().await;
        result
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
            Some(Door::Shut(_)) => Admission::Refused,
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
}

impl Outlet {
    /// Whether its end is no failure of the other side to answer: the next dial comes soon.
    fn held(&self, reason: EndReason) -> bool {
        reason == EndReason::Done || self.since.elapsed() >= HELD
    }
}

enum Going {
    Frame(Stream, Vec<u8>),
    Close(CloseReason),
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
    start: Instant,
    dial_known: bool,
    /// Addresses to dial as the store held them last.
    named: Vec<String>,
    addresses_told: Vec<String>,
    /// Stores that went on failing are left alone until then.
    mend_at: Timestamp,
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
            self.mend();
            match work {
                Next::Net(event) => self.on_net(runtime, *event),
                Next::Order(Order::Stop(reply)) => {
                    let closed = self.stop(runtime);
                    // Nobody waits if the process is already going down.
                    drop(reply.send(closed));
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
            Order::Ask(question) => {
                self.show_peers();
                question(&mut self.node);
                self.follow_addresses();
                self.exchange.stirred(now, &mut self.node);
            }
            Order::Dial { address, reply } => self.dial(address, reply),
            Order::Want(address) => {
                self.calls.want(address.to_string(), peer_key(&address), NamedBy::Person, now);
            }
            Order::Forget(address) => self.calls.forget(&address.to_string()),
            Order::Compare => self.exchange.compare_all(now),
            Order::Stop(_) => {}
        }
    }

    /// What answers of the node say of its peers and sessions.
    fn show_peers(&mut self) {
        let peers = self.exchange.peers().into_iter().map(|(device, state)| {
            let key = self.node.transport_of(&device);
            let address = key.and_then(|key| {
                let linked = self.links.values().find(|it| it.key == key);
                let dialled = || self.calls.address_of(&key).map(str::to_owned);
                linked.map(|it| it.address.clone()).or_else(dialled)
            });
            let PeerState { connected, equal } = state;
            (device, LivePeer { address, connected, equal })
        });
        let peers = peers.collect();
        self.node.set_peers(peers);
        self.node.set_sessions(self.exchange.sessions());
    }

    /// Addresses that somebody named or forgot while the node runs.
    fn follow_addresses(&mut self) {
        let Ok(named) = self.node.addresses_to_dial() else { return };
        if !self.dial_known || named == self.named {
            return;
        }
        let now = self.now();
        for gone in self.named.iter().filter(|it| !named.contains(it)) {
            self.calls.forget(gone);
        }
        for address in &named {
            let key = address.parse().ok().as_ref().and_then(peer_key);
            self.calls.want(address.clone(), key, NamedBy::Person, now);
        }
        self.named = named;
    }

    fn dial(&mut self, address: Multiaddr, reply: oneshot::Sender<Dialled>) {
        let linked = peer_key(&address).and_then(|key| self.exchange.link_of(&key));
        if let Some(link) = linked {
            self.exchange.compare(self.now(), link);
            reply.send(Ok(link)).ok();
            return;
        }
        self.dials.entry(address.to_string()).or_default().push(reply);
        self.net.dial(address);
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
            NetEvent::DialFailed { addr, kind, text, .. } => {
                tracing::debug!(?kind, text, "a dial became no link");
                let address = addr.to_string();
                for reply in self.dials.remove(&address).unwrap_or_default() {
                    reply.send(Err(kind)).ok();
                }
                self.calls.failed(&address, now, self.node.dice());
            }
            NetEvent::Found { addr } => {
                self.calls.want(addr.to_string(), peer_key(&addr), NamedBy::Neighbour, now);
            }
            NetEvent::Listening(addr) => {
                drop(self.events.send(Event::Listening { address: addr.to_string() }));
                self.tell_addresses();
            }
            NetEvent::ListenFailed { addr, reason } => {
                let address = addr.to_string();
                drop(self.events.send(Event::ListenFailed { address, reason }));
            }
            NetEvent::External(_) | NetEvent::ExternalLost(_) => self.tell_addresses(),
        }
    }

    fn opened(&mut self, runtime: &tokio::runtime::Handle, link: Link) {
        let id = LinkId(link.id);
        let (queue, going) = mpsc::unbounded_channel();
        let queued = Arc::new(AtomicUsize::new(0));
        runtime.spawn(send_all(link.writer, going, queued.clone()));
        runtime.spawn(receive_all(link.reader, id, self.orders.clone()));
        let address = link.address.to_string();
        let since = Instant::now();
        let outlet = Outlet { queue, queued, since, key: link.peer_key, address: address.clone() };
        self.links.insert(id, outlet);
        let (role, dialled) = match link.role {
            LinkRole::Dialer => (Role::Initiator, Some(address.as_str())),
            LinkRole::Listener => (Role::Responder, None),
        };
        self.calls.opened(link.id, link.peer_key, dialled);
        if dialled.is_some() {
            for reply in self.answered(&address, &link.peer_key) {
                reply.send(Ok(id)).ok();
            }
        }
        self.figures.links.store(self.links.len(), Ordering::Relaxed);
        let opened = Opened { link: id, key: link.peer_key, role };
        self.exchange.opened(self.now(), &mut self.node, &opened);
    }

    /// Who waits for a link to that address, or to that key by any address.
    fn answered(&mut self, address: &str, key: &[u8; 32]) -> Vec<oneshot::Sender<Dialled>> {
        let is_it = |dialled: &String| {
            dialled == address
                || dialled.parse().ok().and_then(|it: Multiaddr| peer_key(&it)) == Some(*key)
        };
        let (it, rest) = std::mem::take(&mut self.dials).into_iter().partition(|(at, _)| is_it(at));
        self.dials = rest;
        let it: BTreeMap<String, Vec<oneshot::Sender<Dialled>>> = it;
        it.into_values().flatten().collect()
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

    /// Carries out what the exchange wants.
    fn act(&mut self) {
        while let Some(act) = self.exchange.poll() {
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
                    if let Event::Session(seen) = &event
                        && seen.reason.is_none()
                    {
                        self.calls.served(seen.link.0);
                    }
                    // Nobody need listen.
                    drop(self.events.send(event));
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
        let now = self.now();
        for (address, key) in self.node.hub_addresses() {
            self.calls.want(address, Some(key), NamedBy::Hub, now);
        }
    }

    fn stop(mut self, runtime: &tokio::runtime::Handle) -> Result<(), NodeError> {
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
        drop(self.events.send(Event::Stopped));
        self.node.close()
    }
}

/// What the writer works on next.
enum Next {
    Net(Box<NetEvent>),
    Order(Order),
    Tick,
    Nothing,
}

/// Takes frames off a link, one permit each: the writer gives it back when the frame is worked off.
async fn receive_all(
    mut reader: crate::net::LinkReader,
    link: LinkId,
    orders: mpsc::Sender<Order>,
) {
    let ahead = Arc::new(Semaphore::new(FRAMES_AHEAD));
    let reason = loop {
        let Ok(permit) = ahead.clone().acquire_owned().await else { break EndReason::Lost };
        match reader.next().await {
            Ok(Some((stream, bytes))) => {
                if orders.send(Order::Frame { link, stream, bytes, permit }).await.is_err() {
                    return;
                }
            }
            Ok(None) => break EndReason::Lost,
            Err(error) => break end_of_error(error),
        }
    };
    // The writer may have gone first.
    drop(orders.send(Order::Gone { link, reason }).await);
}

/// Puts frames on a link in order, until it is told to close or the link breaks.
async fn send_all(
    writer: crate::net::LinkWriter,
    mut going: mpsc::UnboundedReceiver<Going>,
    queued: Arc<AtomicUsize>,
) {
    while let Some(next) = going.recv().await {
        match next {
            Going::Frame(stream, frame) => {
                let length = frame.len();
                let sent = writer.send(stream, frame).await;
                queued.fetch_sub(length, Ordering::Relaxed);
                if sent.is_err() {
                    // Why it broke is told by the transport.
                    break;
                }
            }
            Going::Close(reason) => {
                writer.close(reason);
                break;
            }
        }
    }
    queued.store(0, Ordering::Relaxed);
}

const fn end_of(reason: CloseReason) -> EndReason {
    match reason {
        CloseReason::Done | CloseReason::Superseded | CloseReason::Shutdown => EndReason::Done,
        CloseReason::Stalled => EndReason::Stalled,
        CloseReason::Oversize => EndReason::TooMuch,
        CloseReason::Misbehaved => EndReason::Malformed,
        CloseReason::Refused => EndReason::NoRights,
        CloseReason::Remote | CloseReason::Lost => EndReason::Lost,
    }
}

const fn end_of_error(error: crate::net::LinkError) -> EndReason {
    match error {
        crate::net::LinkError::Oversize => EndReason::TooMuch,
        crate::net::LinkError::Stalled => EndReason::Stalled,
        crate::net::LinkError::Lost | crate::net::LinkError::Closed => EndReason::Lost,
    }
}

const fn close_of(reason: EndReason) -> CloseReason {
    match reason {
        EndReason::Done | EndReason::Lost | EndReason::Store | EndReason::NothingShared => {
            CloseReason::Done
        }
        EndReason::Stalled => CloseReason::Stalled,
        EndReason::TooMuch => CloseReason::Oversize,
        EndReason::NoRights | EndReason::Stranger => CloseReason::Refused,
        EndReason::Version
        | EndReason::Malformed
        | EndReason::OutOfOrder
        | EndReason::UnknownReference
        | EndReason::BadRun => CloseReason::Misbehaved,
    }
}
