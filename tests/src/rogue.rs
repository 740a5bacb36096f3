//! A device of the network that lies: it speaks over real sockets as the program does, and says
//! something else.

use std::sync::Arc;
use std::time::Duration;

use crdt_schema::id::NetworkId;
use crdt_schema::time::Timestamp;
use node::live::{Act, Event, Exchange, LinkId, Opened};
use node::net::{
    Admission, Link, Multiaddr, NetConfig, NetEvent, NetHandle, NetLimits, NetTiming, Transport,
};
use node::sync::message::Message;
use node::sync::{EndReason, Role, Stream, codec};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::office::Office;

/// Beyond this a test has failed, on however busy a machine.
pub const LONG: Duration = Duration::from_secs(60);

/// The transport of somebody who listens nowhere, knows the network's name and nobody in it.
pub fn transport(
    network: NetworkId,
    transport_seed: [u8; 32],
) -> (NetHandle, mpsc::Receiver<NetEvent>) {
    let config = NetConfig {
        transport_seed: transport_seed.into(),
        network,
        listen: Vec::new(),
        external: Vec::new(),
        is_hub: false,
        mdns: false,
        limits: NetLimits { memory_bytes: usize::MAX, ..NetLimits::default() },
        timing: NetTiming::default(),
        who: Arc::new(|_| Admission::Stranger),
    };
    Transport::start(config).unwrap()
}

/// A device with a certificate and no manners.
#[derive(Debug)]
pub struct Rogue {
    /// Its office.
    pub office: Office,
    net: NetHandle,
    told: mpsc::Receiver<NetEvent>,
}

impl Rogue {
    /// Starts its transport, in the runtime of the caller.
    pub fn of(mut office: Office) -> Self {
        let node = office.node();
        let (net, told) = transport(node.network(), node.transport_seed());
        Self { office, net, told }
    }

    /// Dials, and says what `lie` makes of each message, or nothing where it says so. Returns
    /// whether it saw the comparison end equal; false when the other side ended the link.
    pub async fn meet(
        &mut self,
        address: &Multiaddr,
        mut lie: impl FnMut(&mut Message) -> bool,
    ) -> bool {
        let mut link = self.link(address).await;
        let mut exchange = Exchange::new(self.office.node()).unwrap();
        let opened = Opened { link: LinkId(link.id), key: link.peer_key, role: Role::Initiator };
        exchange.opened(Timestamp(0), self.office.node(), &opened);
        loop {
            while let Some(act) = exchange.poll(Timestamp(0), self.office.node()) {
                match act {
                    Act::Send { stream, frame, .. } => {
                        let Some(frame) = altered(stream, frame, &mut lie) else { continue };
                        if link.writer.send(stream, frame).await.is_err() {
                            return false;
                        }
                    }
                    Act::Tell(Event::Session(seen)) if seen.reason.is_none() => {
                        exchange.closed(
                            Timestamp(0),
                            self.office.node(),
                            LinkId(link.id),
                            EndReason::Done,
                        );
                        return seen.equal;
                    }
                    Act::HangUp { .. } => return false,
                    Act::Doors | Act::Tell(_) => {}
                }
            }
            let came = timeout(LONG, link.reader.next()).await.unwrap();
            let Ok(Some((stream, bytes))) = came else { return false };
            let id = LinkId(link.id);
            exchange.frame(Timestamp(0), self.office.node(), id, stream, bytes);
        }
    }

    /// A link on which nothing was said yet.
    pub async fn link(&mut self, address: &Multiaddr) -> Link {
        self.net.dial(address.clone());
        loop {
            match timeout(LONG, self.told.recv()).await.unwrap().unwrap() {
                NetEvent::Opened(link) => return link,
                NetEvent::DialFailed { kind, text, .. } => panic!("{kind:?}: {text}"),
                _ => {}
            }
        }
    }
}

/// The frame that goes; the first one says who speaks and is no message.
fn altered(
    stream: Stream,
    frame: Vec<u8>,
    lie: &mut impl FnMut(&mut Message) -> bool,
) -> Option<Vec<u8>> {
    let Ok(mut message) = codec::decode(stream, &frame) else { return Some(frame) };
    lie(&mut message).then(|| codec::encode(&message))
}
