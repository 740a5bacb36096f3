//! Connections: how many there are, how long one may say nothing, and which gives way to one more.
//!
//! Every account of the machine may connect, and a connection costs a file descriptor and memory before
//! it has shown the token. So they are few. When all seats are taken, the **oldest that has not shown
//! the token gives way**: whoever means it shows the token within milliseconds, so a crowd of silent
//! ones locks nobody out, as it would if whoever comes last were refused. One that has shown the token is
//! never closed for another; if all have, one more is closed at once.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

/// Bytes of a connection's buffer, and so of a request's head: cookies of other programs on the same
/// host come along.
const BUFFER_BYTES: usize = 16 << 10;
/// Connections that were told to go and have not gone yet; more wait until they have.
const LEAVING_MAX: usize = 16;
/// Connections that the system keeps until they are taken; beyond, it lets whoever connects wait for a
/// second. 128 unless asked for, which a crowd fills before we are awake.
const BACKLOG: u32 = 1_024;
/// Until a connection is taken again where the system had nothing left for one.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

/// What connections may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections in all.
    pub connections: usize,
    /// Streams of events among them.
    pub streams: usize,
    /// Until a request's head is whole, from the connection or the last answer on.
    pub head: Duration,
}

impl Default for Limits {
    /// A few browsers with six connections each, scripts, and commands; together about 10 MiB and a
    /// quarter of the descriptors that most systems give a process at first.
    fn default() -> Self {
        Self { connections: 256, streams: 64, head: Duration::from_secs(8) }
    }
}

/// All seats of one run.
#[derive(Debug)]
pub(super) struct Seats {
    limits: Limits,
    taken: Mutex<Taken>,
    streams: Arc<Semaphore>,
    /// Closed at once, for nobody gave way.
    pub(super) refused: AtomicU64,
    /// Closed for one that came later.
    pub(super) gave_way: AtomicU64,
}

#[derive(Debug, Default)]
struct Taken {
    next: u64,
    /// Those that have not shown the token, the oldest first.
    strangers: BTreeMap<u64, Arc<Notify>>,
    known: BTreeSet<u64>,
}

/// The place of one connection, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Arc<Seats>,
    number: u64,
    leaves: Arc<Notify>,
}

impl Seats {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            taken: Mutex::default(),
            streams: Arc::new(Semaphore::new(limits.streams)),
            refused: AtomicU64::new(0),
            gave_way: AtomicU64::new(0),
        })
    }

    /// Connections that stand.
    pub(super) fn taken(&self) -> u64 {
        self.with(|taken| taken.strangers.len() + taken.known.len()) as u64
    }

    /// The right to one stream of events, unless there are too many.
    pub(super) fn stream(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.streams).try_acquire_owned().ok()
    }

    fn with<A>(&self, look: impl FnOnce(&mut Taken) -> A) -> A {
        look(&mut self.taken.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A seat for one more; nothing where all are taken by those that have shown the token.
    fn take(self: &Arc<Self>) -> Option<Seat> {
        let leaves = Arc::new(Notify::new());
        let number = self.with(|taken| {
            let all = taken.strangers.len() + taken.known.len();
            if all >= self.limits.connections && !self.oldest_leaves(taken) {
                return None;
            }
            let number = taken.next;
            taken.next += 1;
            taken.strangers.insert(number, Arc::clone(&leaves));
            Some(number)
        });
        if number.is_none() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        number.map(|number| Seat { seats: Arc::clone(self), number, leaves })
    }

    /// Tells the oldest that has not shown the token to go; whether there was one.
    fn oldest_leaves(&self, taken: &mut Taken) -> bool {
        let Some((_, leaves)) = taken.strangers.pop_first() else { return false };
        leaves.notify_one();
        self.gave_way.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// The node ends: whoever has not shown the token is not waited for.
    fn strangers_leave(&self) {
        let strangers = self.with(|taken| std::mem::take(&mut taken.strangers));
        for leaves in strangers.values() {
            leaves.notify_one();
        }
    }
}

impl Seat {
    /// The token was shown: it stays until it ends by itself.
    pub(super) fn is_known(&self) {
        self.seats.with(|taken| {
            // One that was told to go meanwhile goes.
            if taken.strangers.remove(&self.number).is_some() {
                taken.known.insert(self.number);
            }
        });
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.with(|taken| {
            taken.strangers.remove(&self.number);
            taken.known.remove(&self.number);
        });
    }
}

/// Listens at an address.
pub(super) fn listen(at: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if at.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // What is left of connections of an earlier run does not keep the port; elsewhere the word means
    // that another program may take it too.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(at)?;
    socket.listen(BACKLOG)
}

/// Takes connections until the node ends, then waits for those under way.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    seats: Arc<Seats>,
    ending: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    let mut end = pin!(ended(ending.clone()));
    loop {
        let has_room = connections.len() < seats.limits.connections + LEAVING_MAX;
        tokio::select! {
            () = end.as_mut() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if has_room => match accepted {
                Ok((stream, _)) => {
                    if let Some(seat) = seats.take() {
                        connections.spawn(attend(stream, seat, router.clone(), ending.clone()));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection to the local API could not be taken");
                    // Out of descriptors, most likely: whoever holds one and says nothing gives it back.
                    seats.with(|taken| seats.oldest_leaves(taken));
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
            }
        }
    }
    drop(listener);
    seats.strangers_leave();
    while connections.join_next().await.is_some() {}
}

/// Answers what comes over one connection.
async fn attend(stream: TcpStream, seat: Seat, router: Router, ending: watch::Receiver<bool>) {
    let seat = Arc::new(seat);
    let sitting = Arc::clone(&seat);
    let answers = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Arc::clone(&sitting));
        TowerToHyperService::new(router.clone()).call(request)
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(seat.seats.limits.head);
    builder.max_buf_size(BUFFER_BYTES);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), answers));
    let mut end = pin!(ended(ending));
    tokio::select! {
        // However it ended, there is nobody to tell.
        _ = connection.as_mut() => return,
        () = seat.leaves.notified() => return,
        () = end.as_mut() => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        _ = connection => {}
        () = seat.leaves.notified() => {}
    }
}

/// Until the node ends; whoever held the other end is gone: that is an end as well.
async fn ended(mut ending: watch::Receiver<bool>) {
    drop(ending.wait_for(|ends| *ends).await);
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;

    fn seats(connections: usize) -> Arc<Seats> {
        Seats::new(Limits { connections, ..Limits::default() })
    }

    /// Whether a seat was told to go.
    async fn leaves(seat: &Seat) -> bool {
        let told = seat.leaves.notified();
        tokio::time::timeout(Duration::ZERO, told).await.is_ok()
    }

    #[tokio::test]
    async fn the_oldest_that_has_not_shown_the_token_gives_way_and_no_other() {
        let seats = seats(3);
        let all: Vec<Seat> = (0..3).filter_map(|_| seats.take()).collect();
        let [known, oldest, other] = all.try_into().unwrap();
        known.is_known();
        let newest = seats.take().unwrap();
        assert!(leaves(&oldest).await);
        for stays in [&known, &other, &newest] {
            assert!(!leaves(stays).await);
        }
        assert_eq!((seats.taken(), seats.gave_way.load(Ordering::Relaxed)), (3, 1));
    }

    #[test]
    fn where_all_have_shown_the_token_one_more_waits_for_no_seat_and_takes_none() {
        let seats = seats(2);
        let all: Vec<Seat> = (0..2).filter_map(|_| seats.take()).collect();
        for seat in &all {
            seat.is_known();
        }
        assert!(seats.take().is_none());
        assert_eq!((seats.taken(), seats.refused.load(Ordering::Relaxed)), (2, 1));
        drop(all);
        assert_eq!(seats.taken(), 0);
        assert!(seats.take().is_some());
    }

    #[test]
    fn one_that_was_told_to_go_takes_no_second_seat_by_the_token() {
        let seats = seats(1);
        let gone = seats.take().unwrap();
        let stays = seats.take().unwrap();
        gone.is_known();
        stays.is_known();
        assert_eq!(seats.taken(), 1);
        drop(gone);
        assert_eq!(seats.taken(), 1);
    }
}
