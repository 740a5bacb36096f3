//! Some peers, once: dial, reconcile both ways, and say what came of it.
//!
//! Whoever does not answer, or answers and says nothing, is tried again until the time is over;
//! others are tried meanwhile. Addresses that name one device are tried one after the other, since
//! a second connection to it would end the first.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::broadcast;
use tokio::time::{Instant, sleep, timeout_at};

use super::event::{Event, Seen};
use super::exchange::LinkId;
use super::runner::{Reached, Running, Wanted};
use crate::net::{DialFailure, Multiaddr, backoff, peer_key};

/// The longest wait before somebody is tried again: a person looks on.
const WAIT_MAX: Duration = Duration::from_secs(15);
/// A door is closed this often before it is believed: it may be crowded for a moment.
const REFUSALS_MAX: u32 = 3;

/// For others to prove equality, once somebody was met with whom it could not be.
const AFTERTHOUGHT: Duration = Duration::from_secs(5);

/// Why a meeting came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MeetError {
    /// Nobody answers at that address, however often it was tried.
    #[error("nobody answered, tried {tries} times")]
    Unreachable {
        /// Dials that failed.
        tries: u32,
    },
    /// It took longer than was allowed.
    #[error("time ran out before the end, tried {tries} times")]
    Timeout {
        /// Dials that failed, or became a link on which nothing was said.
        tries: u32,
        /// What was waited for last.
        waited: Waited,
    },
    /// The peer ended the session; the word of `docs/protocol.md` for why.
    #[error("the peer ended the session: {0}")]
    Refused(&'static str),
    /// It lets no more strangers in for the moment.
    #[error("the peer lets no more strangers in, and says to come again in {wait_seconds} seconds")]
    Crowded {
        /// As it said last.
        wait_seconds: u16,
    },
    /// It belongs to another network.
    #[error("the peer belongs to another network")]
    OtherNetwork,
    /// This node has stopped meanwhile.
    #[error("the node has stopped")]
    Stopped,
}

/// What was waited for when time ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// Anybody to answer the dial.
    Answer,
    /// A word of somebody who answered.
    Word,
    /// The end of a comparison.
    End,
}

/// What is known of the attempts at one device.
#[derive(Debug)]
struct Attempts {
    tries: u32,
    refusals: u32,
    /// The door was full when it was tried last, for so many seconds.
    crowded: Option<u16>,
    /// What is waited for now.
    now: Waited,
    /// The furthest that anything came: of two that fail, the one that answered tells more.
    furthest: Waited,
}

/// A meeting that came to a comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Met {
    /// What was compared.
    pub seen: Seen,
    /// Where whoever was met answered; of [`meet_any`], which of its addresses was asked about.
    pub address: Multiaddr,
    /// Where the link leads over which they compared, if it stood already and leads elsewhere.
    pub over: Option<String>,
}

/// Dials `addresses` and waits for the first comparison that ends equal, else for any. Each address
/// is tried itself, also where its device is linked already.
///
/// # Errors
/// [`MeetError`].
pub async fn meet(
    running: &Running,
    addresses: &[Multiaddr],
    allowed: Duration,
) -> Result<Met, MeetError> {
    meet_in(running, (addresses, Wanted::There), allowed).await
}

/// The same for whoever is known: a link that stands already is compared again, wherever it leads.
///
/// # Errors
/// [`MeetError`].
pub async fn meet_any(
    running: &Running,
    addresses: &[Multiaddr],
    allowed: Duration,
) -> Result<Met, MeetError> {
    meet_in(running, (addresses, Wanted::Met), allowed).await
}

async fn meet_in(
    running: &Running,
    (addresses, wanted): (&[Multiaddr], Wanted),
    allowed: Duration,
) -> Result<Met, MeetError> {
    let until = Instant::now() + allowed;
    let devices = by_device(addresses);
    let mut meetings: FuturesUnordered<_> =
        devices.iter().map(|addresses| meet_device(running, (addresses, wanted), until)).collect();
    let mut best = Err(MeetError::Unreachable { tries: 0 });
    let mut enough = until + AFTERTHOUGHT;
    while let Ok(Some(met)) = timeout_at(enough, meetings.next()).await {
        match &met {
            Ok(met_with) if met_with.seen.equal => return met,
            Ok(_) => enough = enough.min(Instant::now() + AFTERTHOUGHT),
            Err(_) => {}
        }
        if worth(&met) > worth(&best) {
            best = met;
        }
    }
    best
}

/// How much an outcome tells: whoever said something is named before those who did not.
const fn worth(met: &Result<Met, MeetError>) -> u8 {
    match met {
        Ok(_) => 5,
        Err(MeetError::Stopped) => 4,
        Err(MeetError::Refused(_) | MeetError::Crowded { .. } | MeetError::OtherNetwork) => 3,
        Err(MeetError::Timeout { .. }) => 2,
        Err(MeetError::Unreachable { tries: 1.. }) => 1,
        Err(MeetError::Unreachable { tries: 0 }) => 0,
    }
}

/// The addresses of each device; one without a key is a device of its own.
fn by_device(addresses: &[Multiaddr]) -> Vec<Vec<Multiaddr>> {
    let mut devices: Vec<(Option<[u8; 32]>, Vec<Multiaddr>)> = Vec::new();
    for address in addresses {
        let key = peer_key(address);
        match devices.iter_mut().find(|(known, _)| key.is_some() && *known == key) {
            Some((_, known)) if known.contains(address) => {}
            Some((_, known)) => known.push(address.clone()),
            None => devices.push((key, vec![address.clone()])),
        }
    }
    devices.into_iter().map(|(_, addresses)| addresses).collect()
}

/// Tries the addresses of one device in turn, until the time is over.
async fn meet_device(
    running: &Running,
    (addresses, wanted): (&[Multiaddr], Wanted),
    until: Instant,
) -> Result<Met, MeetError> {
    let mut attempts = Attempts::new();
    let met = timeout_at(until, async {
        for round in 0_u32.. {
            for address in addresses {
                if let Some(met) = attempts.once(running, (address, wanted), until).await {
                    return met;
                }
            }
            sleep(backoff::delay(round, 0).min(WAIT_MAX)).await;
        }
        Err(MeetError::Stopped)
    });
    met.await.unwrap_or_else(|_| Err(attempts.time_is_over()))
}

impl Attempts {
    const fn new() -> Self {
        let (now, furthest) = (Waited::Answer, Waited::Answer);
        Self { tries: 0, refusals: 0, crowded: None, now, furthest }
    }

    /// One dial and what follows; `None` when it is worth trying again.
    async fn once(
        &mut self,
        running: &Running,
        (address, wanted): (&Multiaddr, Wanted),
        until: Instant,
    ) -> Option<Result<Met, MeetError>> {
        let events = running.events();
        self.now = Waited::Answer;
        let Ok(dialled) = running.dial(address.clone(), wanted).await else {
            return Some(Err(MeetError::Stopped));
        };
        let Reached { link, over, told_of } = match dialled {
            Ok(reached) => reached,
            Err(failure) => return self.failed(failure).map(Err),
        };
        self.now = Waited::End;
        let Some(ended) = seen_on(events, (link, told_of)).await else {
            return Some(Err(MeetError::Stopped));
        };
        let (reason, wait) = match ended {
            Ok(seen) => match seen.reason {
                // A comparison that was cut short is none.
                None => return Some(Ok(Met { seen, address: address.clone(), over })),
                Some(reason) => (reason, None),
            },
            Err(closed) => closed,
        };
        self.tries += 1;
        self.crowded = wait;
        if let Some(wait) = wait {
            let left = until.saturating_duration_since(Instant::now());
            return self.full(wait, left).map(Err);
        }
        match reason {
            // The line broke, or another one took its place.
            "lost" | "done" => None,
            "stalled" => {
                self.furthest = Waited::Word;
                None
            }
            reason => Some(Err(MeetError::Refused(reason))),
        }
    }

    /// The door is full; `None` when it is worth trying again: what the other side says to wait fits into
    /// the time that is left, or a place may yet come back.
    fn full(&mut self, wait_seconds: u16, left: Duration) -> Option<MeetError> {
        if Duration::from_secs(wait_seconds.into()) < left {
            return None;
        }
        self.refusals += 1;
        (self.refusals >= REFUSALS_MAX).then_some(MeetError::Crowded { wait_seconds })
    }

    /// A dial became no link; `None` when it is worth trying again.
    fn failed(&mut self, failure: DialFailure) -> Option<MeetError> {
        self.tries += 1;
        self.crowded = None;
        match failure {
            DialFailure::Unreachable | DialFailure::Timeout | DialFailure::Linked => None,
            // Of the last: a link that is no longer here, or that stays a moment.
            DialFailure::Silent | DialFailure::Connected => {
                self.furthest = Waited::Word;
                None
            }
            DialFailure::Refused => {
                self.refusals += 1;
                (self.refusals >= REFUSALS_MAX).then_some(MeetError::Refused("refused"))
            }
            DialFailure::Unsupported => Some(MeetError::Refused("unsupported")),
            DialFailure::WrongPeer => Some(MeetError::Refused("wrong_peer")),
            DialFailure::OtherNetwork => Some(MeetError::OtherNetwork),
        }
    }

    const fn time_is_over(&self) -> MeetError {
        if let Some(wait_seconds) = self.crowded {
            return MeetError::Crowded { wait_seconds };
        }
        let tries = self.tries;
        match (self.now, self.furthest) {
            (Waited::Answer, Waited::Answer) if tries > 0 => MeetError::Unreachable { tries },
            (Waited::Answer, waited) | (waited, _) => MeetError::Timeout { tries, waited },
        }
    }
}

/// What came of a link: the comparison that ended, which is none of the first so many the node told of, or why
/// there was none; `None` when the node has stopped.
async fn seen_on(
    mut events: broadcast::Receiver<Event>,
    (link, told_of): (LinkId, u64),
) -> Option<Result<Seen, (&'static str, Option<u16>)>> {
    loop {
        match events.recv().await {
            Ok(Event::Session(seen)) if seen.link == link && seen.number > told_of => {
                return Some(Ok(seen));
            }
            Ok(Event::LinkClosed { link: closed, reason, wait_seconds }) if closed == link => {
                return Some(Err((reason, wait_seconds)));
            }
            Ok(Event::Broken { .. }) | Err(broadcast::error::RecvError::Closed) => return None,
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use crdt_schema::id::DeviceId;
    use crdt_schema::time::Timestamp;

    use super::*;
    use crate::answer::{AreaName, When};
    use crate::live::Moved;

    fn attempts() -> Attempts {
        Attempts::new()
    }

    fn seen(number: u64, link: LinkId) -> Seen {
        Seen {
            peer: DeviceId([7; 32]),
            area: AreaName { area: "32.09".parse().unwrap(), area_id: None },
            equal: true,
            received: Moved::default(),
            sent: Moved::default(),
            rounds: 1,
            at: When(Timestamp(0)),
            reason: None,
            areas: Vec::new(),
            link,
            number,
        }
    }

    #[test]
    fn a_full_door_is_tried_again_while_the_wait_it_tells_fits_and_else_thrice() {
        let (minute, full) = (Duration::from_secs(60), MeetError::Crowded { wait_seconds: 60 });
        let mut it = attempts();
        for _ in 0..9 {
            assert_eq!(it.full(59, minute), None);
        }
        assert_eq!([it.full(60, minute), it.full(60, minute)], [None, None]);
        assert_eq!(it.full(60, minute), Some(full));
        let it = Attempts { crowded: Some(60), tries: 4, ..attempts() };
        assert_eq!(it.time_is_over(), full, "who was told what to wait for tells it");
    }

    #[test]
    fn who_does_not_answer_or_says_nothing_is_tried_again_and_who_refuses_thrice_is_believed() {
        let mut it = attempts();
        assert_eq!(it.failed(DialFailure::Unreachable), None);
        assert_eq!(it.failed(DialFailure::Timeout), None);
        assert_eq!(it.time_is_over(), MeetError::Unreachable { tries: 2 });
        assert_eq!(it.failed(DialFailure::Connected), None);
        let waited = Waited::Word;
        assert_eq!(it.time_is_over(), MeetError::Timeout { tries: 3, waited });
        assert_eq!(it.failed(DialFailure::Refused), None);
        assert_eq!(it.failed(DialFailure::Refused), None);
        assert_eq!(it.failed(DialFailure::Refused), Some(MeetError::Refused("refused")));
        let other = Some(MeetError::OtherNetwork);
        assert_eq!(attempts().failed(DialFailure::OtherNetwork), other, "that does not change");
    }

    /// A comparison that ended as the question was on its way knew nothing of it.
    #[tokio::test]
    async fn a_comparison_that_was_told_of_before_the_question_is_no_answer() {
        let (told, events) = broadcast::channel(4);
        let link = LinkId(7);
        for number in [3, 4] {
            told.send(Event::Session(seen(number, link))).unwrap();
        }
        assert_eq!(seen_on(events, (link, 3)).await, Some(Ok(seen(4, link))));
    }

    #[test]
    fn time_that_ends_within_a_comparison_says_so() {
        let it = Attempts { now: Waited::End, ..attempts() };
        assert_eq!(it.time_is_over(), MeetError::Timeout { tries: 0, waited: Waited::End });
    }

    #[test]
    fn addresses_of_one_device_are_tried_one_after_the_other() {
        let peer = "/p2p/12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X";
        let of = |text: &str| text.parse::<Multiaddr>().unwrap();
        let (quic, tcp) = ("/ip4/192.0.2.7/udp/1/quic-v1", "/ip4/192.0.2.7/tcp/1");
        let (quic, tcp) = (of(&format!("{quic}{peer}")), of(&format!("{tcp}{peer}")));
        let (one, two) = (of("/ip4/192.0.2.8/tcp/1"), of("/ip4/192.0.2.9/tcp/1"));
        let asked = [quic.clone(), one.clone(), tcp.clone(), two.clone(), quic.clone()];
        assert_eq!(by_device(&asked), [vec![quic, tcp], vec![one], vec![two]]);
    }
}
