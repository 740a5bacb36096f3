//! The door to a transport.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use libp2p::Multiaddr;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};

use super::config::NetConfig;
use super::event::{NetError, NetEvent};
use super::keys::pair_of;
use super::line::LineNews;
use super::swarm::build;
use super::task::Task;

/// Events that wait for whoever reads them, before the task keeps them itself.
const EVENTS_MAX: usize = 64;

/// What the task is asked.
#[derive(Debug)]
pub(super) enum Command {
    Dial(Multiaddr, Manner),
    /// A dial whose names were looked up: as asked, and as numbers.
    Resolved {
        asked: Multiaddr,
        manner: Manner,
        found: Result<Multiaddr, String>,
    },
    HangUp([u8; 32]),
    Listen(Multiaddr),
    Recheck,
    Line(u64, LineNews),
    Shutdown,
}

/// What a dial does where a link to the device stands already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Manner {
    /// Nothing: [`DialFailure::Linked`](super::DialFailure::Linked).
    Usual,
    /// It finds out whether the device answers there, and leaves the link as it is:
    /// [`DialFailure::Connected`](super::DialFailure::Connected).
    Probe,
    /// It may take the link's place.
    Anew,
}

/// Addresses others may dial, kept by the task.
pub(super) type Addresses = Arc<RwLock<Vec<Multiaddr>>>;

/// See [`Transport::start`].
#[derive(Debug)]
pub struct Transport;

impl Transport {
    /// Starts one task, in the runtime of the caller, that owns all connections.
    ///
    /// Events must be read: while many wait, connections are not served, though commands are. When
    /// their receiver or the last handle is dropped, the transport ends.
    ///
    /// # Errors
    /// [`NetError::NoRuntime`], [`NetError::Key`], [`NetError::Setup`]. An address that cannot be
    /// listened on is no error but [`NetEvent::ListenFailed`].
    pub fn start(config: NetConfig) -> Result<(NetHandle, mpsc::Receiver<NetEvent>), NetError> {
        let runtime = Handle::try_current().map_err(|_| NetError::NoRuntime)?;
        let keys = pair_of(&config.transport_seed)?;
        let swarm = build(&config, keys)?;
        let (commands, asked) = mpsc::unbounded_channel();
        let (events, told) = mpsc::channel(EVENTS_MAX);
        let (running, ended) = watch::channel(());
        let addresses = Addresses::default();
        let task = Task::new(
            config,
            swarm,
            (commands.downgrade(), asked),
            events,
            Arc::clone(&addresses),
        )?;
        runtime.spawn(async move {
            Box::pin(task.run()).await;
            drop(running);
        });
        Ok((NetHandle { commands, addresses, ended }, told))
    }
}

/// Speaks to the transport's task. Cheap to clone. What is asked of a transport that has ended is
/// not done, and not an error.
#[derive(Clone)]
pub struct NetHandle {
    commands: mpsc::UnboundedSender<Command>,
    addresses: Addresses,
    ended: watch::Receiver<()>,
}

impl fmt::Debug for NetHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NetHandle(..)")
    }
}

impl NetHandle {
    /// Dials an address; it becomes [`NetEvent::Opened`] or [`NetEvent::DialFailed`]. With `/p2p/`
    /// only that key will do. A name (`/dns4/..`) is looked up by the system.
    pub fn dial(&self, addr: Multiaddr) {
        self.dial_in(addr, Manner::Usual);
    }

    /// The same where a link to that key may stand already.
    pub fn dial_in(&self, addr: Multiaddr, manner: Manner) {
        self.ask(Command::Dial(addr, manner));
    }

    /// Closes every connection of a key.
    pub fn hang_up(&self, peer_key: [u8; 32]) {
        self.ask(Command::HangUp(peer_key));
    }

    /// Listens on one address more; `HUB/p2p-circuit` asks a hub to relay for us.
    pub fn listen(&self, addr: Multiaddr) {
        self.ask(Command::Listen(addr));
    }

    /// Where others may dial now, each with our own `/p2p/`.
    pub fn addresses(&self) -> Vec<Multiaddr> {
        self.addresses.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks [`Who`](super::Who) again about everybody connected, and closes whoever is refused, or
    /// is no longer the member it was. A stranger that became a member keeps its link.
    pub fn recheck(&self) {
        self.ask(Command::Recheck);
    }

    /// Ends the transport: links say goodbye, and within
    /// [`NetTiming::shutdown`](super::NetTiming) and a little everything is closed. Returns then;
    /// [`NetEvent::Closed`] of each link comes before the events end.
    pub async fn shutdown(&self) {
        self.ask(Command::Shutdown);
        self.ended().await;
    }

    /// Waits until the transport has ended, for whatever reason.
    pub async fn ended(&self) {
        let mut ended = self.ended.clone();
        // Nothing is ever sent: the error is the end.
        while ended.changed().await.is_ok() {}
    }

    fn ask(&self, command: Command) {
        // A task that has ended is asked in vain.
        let _asked = self.commands.send(command);
    }
}
