//! `/jaringan`: who is above and below, whom this node met, and what comparing proved.

use askama::Template;
use crdt_schema::area::Level;
use node::answer::{Member, MemberState, PeerSeen};
use node::error::NodeError;
use node::live::Seen;
use node::node::Node;

use super::diagram::Diagram;
use super::frame::{Frame, Ground, Homes, Tab};
use super::said::{self, Moment};

/// Peers of the table; a province knows thousands.
const PEERS_SHOWN: usize = 100;
/// Devices that wait for a confirmation that this one may give.
const WAITING_SHOWN: usize = 20;

/// What the page asks of the node.
pub(super) struct Facts {
    ground: Ground,
    sessions: Vec<Seen>,
    waiting: Vec<Member>,
    homes: Homes,
    upward: Vec<usize>,
}

impl Facts {
    pub(super) fn of(node: &Node, sessions: Vec<Seen>) -> Result<Self, NodeError> {
        let ground = Ground::of(node)?;
        let members = node.members()?.members.into_iter();
        let me = ground.status.device;
        let unconfirmed = |it: &Member| {
            it.state == MemberState::Provisional || it.state == MemberState::Active && it.open_only
        };
        let waits =
            |it: &Member| unconfirmed(it) && it.device != me && node.may_confirm_in(&it.area);
        let waiting: Vec<Member> = members.filter(waits).take(WAITING_SHOWN).collect();
        let peers = ground.status.peers.iter().map(|peer| peer.device);
        let others = sessions.iter().map(|seen| seen.peer);
        let homes = Homes::of(node, peers.chain(others).chain(waiting.iter().map(|it| it.device)));
        let upward = upward(&ground);
        Ok(Self { ground, sessions, waiting, homes, upward })
    }
}

/// For each level above, the number of peers there that are connected.
fn upward(ground: &Ground) -> Vec<usize> {
    let connected = |area| {
        let there = ground.status.peers.iter().filter(|peer| peer.area == area && peer.connected);
        there.count()
    };
    ground.above.iter().map(|above| connected(above.area)).collect()
}

/// The page.
#[derive(Template)]
#[template(path = "jaringan.html")]
pub(super) struct Page {
    frame: Frame,
    diagram: Diagram,
    peers: Vec<Peer>,
    peers_more: usize,
    sessions: Vec<Session>,
    waiting: Vec<Waiting>,
}

struct Peer {
    name: String,
    way: &'static str,
    contact: Option<Moment>,
    equal: &'static str,
    tone: &'static str,
}

struct Session {
    name: String,
    moment: Option<Moment>,
    equal: &'static str,
    tone: &'static str,
    received: String,
    sent: String,
}

struct Waiting {
    name: String,
    words: Vec<String>,
}

impl Page {
    pub(super) fn new(facts: &Facts) -> Self {
        let (ground, homes) = (&facts.ground, &facts.homes);
        let peers = &ground.status.peers;
        let is_below = |peer: &&PeerSeen| {
            let own = ground.home.area.area.level();
            own < Level::Desa && peer.area.area.level() > own
        };
        let below: Vec<&PeerSeen> = peers.iter().filter(is_below).collect();
        let on_line = below.iter().filter(|peer| peer.connected).count();
        Self {
            frame: Frame::new(ground, "Jaringan", Tab::Network),
            diagram: Diagram::of(ground, &facts.upward, (on_line, below.len())),
            peers: peers.iter().take(PEERS_SHOWN).map(|it| peer(it, homes)).collect(),
            peers_more: peers.len().saturating_sub(PEERS_SHOWN),
            sessions: facts.sessions.iter().map(|seen| session(seen, homes)).collect(),
            waiting: facts.waiting.iter().map(|it| waiting(it, homes)).collect(),
        }
    }
}

fn peer(peer: &PeerSeen, homes: &Homes) -> Peer {
    let (equal, tone) = proved(peer.equal);
    Peer {
        name: capital(&homes.device(&peer.device)),
        way: match (peer.connected, peer.address.is_some()) {
            (true, _) => "tersambung",
            (false, true) => "tidak tersambung",
            (false, false) => "lewat bundel",
        },
        contact: Moment::of(peer.last_contact),
        equal,
        tone,
    }
}

/// What comparing proved; never said without a comparison.
const fn proved(equal: Option<bool>) -> (&'static str, &'static str) {
    match equal {
        Some(true) => ("terbukti sama", "baik"),
        Some(false) => ("belum sama", "jalan"),
        None => ("belum dibandingkan", "diam"),
    }
}

fn session(seen: &Seen, homes: &Homes) -> Session {
    let (equal, tone) = proved(Some(seen.equal));
    let moved = |moved: node::live::Moved| {
        format!("{} entri, {}", said::number(moved.entries), said::bytes(moved.bytes))
    };
    Session {
        name: capital(&homes.device(&seen.peer)),
        moment: Moment::of(Some(seen.at)),
        equal,
        tone,
        received: moved(seen.received),
        sent: moved(seen.sent),
    }
}

fn waiting(member: &Member, homes: &Homes) -> Waiting {
    Waiting { name: capital(&homes.device(&member.device)), words: member.words.clone() }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{by_bundle, connected, desa};
    use super::*;

    #[test]
    fn equal_is_said_only_where_a_comparison_proved_it() {
        let homes = Homes::default();
        assert_eq!(peer(&connected(7, Some(true)), &homes).equal, "terbukti sama");
        assert_eq!(peer(&connected(7, Some(false)), &homes).equal, "belum sama");
        assert_eq!(peer(&connected(7, None), &homes).equal, "belum dibandingkan");
        let carried = peer(&by_bundle(7), &homes);
        assert_eq!((carried.equal, carried.way), ("belum dibandingkan", "lewat bundel"));
    }

    #[test]
    fn links_upward_are_counted_where_they_end() {
        let mut ground = desa();
        ground.status.peers = vec![connected(7, None), by_bundle(8), connected(9, None)];
        assert_eq!(upward(&ground), [2, 0, 0]);
    }
}
