//! Frames: they come back, they have these bytes for ever, and nothing else is read.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test that panics is a test that fails"
)]

use crdt_schema::area::AreaId;
use crdt_schema::codec::{DecodeError, Reader, Writer};
use crdt_schema::entry::PackedRun;
use crdt_schema::id::{DeviceId, EntryId, FeedName, Space, StoreInstance};
use crdt_schema::time::Timestamp;
use proptest::prelude::*;

use super::codec::{decode, encode, frame_length, stream_of};
use super::driver::{Pair, Sink, carry_out};
use super::message::{
    AREAS_PER_MESSAGE_MAX, AREAS_SHARED_MAX, AreaHeads, AreaPrints, BULK_FRAME_BYTES_MAX,
    CHILDREN_MAX, CONTROL_FRAME_BYTES_MAX, Common, CutPoint, Digest, EndReason, Extent,
    FEEDS_PER_MESSAGE_MAX, FeedPoints, FeedRef, FeedRun, HEADS_PER_FEED_MAX, IdStart, Mark,
    Message, Need, NodePrint, Offer, Open, PROBE_POINTS_MAX, Pass, Probe, Proof,
    ROWS_PER_MESSAGE_MAX, RUNS_PER_FRAME_MAX, Reply, SharedArea, Since, Stream, Turn,
};
use super::receipt::{DeviceRow, ReceiptRow, RowHead, RowKey};
use super::request::{Input, Output};
use super::session::{Role, Session};
use super::summary::{CutRoot, Root};
use super::world::{Keys, TestNode, area, statement};

fn areas() -> impl Strategy<Value = AreaId> {
    (0u64..100_000_000_000).prop_map(|number| format!("{number:011}").parse().unwrap())
}

fn digests() -> impl Strategy<Value = Digest> {
    prop_oneof![any::<[u8; 16]>().prop_map(Digest::Cut), any::<[u8; 32]>().prop_map(Digest::Full)]
}

fn starts() -> impl Strategy<Value = IdStart> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(IdStart::Short),
        any::<[u8; 8]>().prop_map(IdStart::Cut),
        any::<[u8; 32]>().prop_map(IdStart::Full)
    ]
}

fn points() -> impl Strategy<Value = CutPoint> {
    (1u64..10_000, starts()).prop_map(|(seq, id)| CutPoint { seq, id })
}

fn heads() -> impl Strategy<Value = Vec<CutPoint>> {
    prop::collection::vec(points(), 0..4)
}

fn names() -> impl Strategy<Value = FeedName> {
    (any::<[u8; 32]>(), areas(), any::<bool>(), any::<u64>()).prop_map(
        |(device, area, authority, incarnation)| {
            let space = if authority { Space::Authority } else { Space::Records };
            FeedName { device: DeviceId(device), area, space, incarnation }
        },
    )
}

fn feeds() -> impl Strategy<Value = FeedRef> {
    prop_oneof![
        names().prop_map(FeedRef::Name),
        Just(FeedRef::Same),
        any::<u32>().prop_map(FeedRef::Mine),
        any::<u32>().prop_map(FeedRef::Yours),
        (0u32..8).prop_map(FeedRef::Mine),
        (0u32..8).prop_map(FeedRef::Yours)
    ]
}

fn runs() -> impl Strategy<Value = FeedRun> {
    let bytes = prop::collection::vec(any::<u8>(), 0..90);
    (feeds(), 1u64..300, bytes, any::<u8>()).prop_map(|(feed, first, bytes, signed)| FeedRun {
        feed,
        run: PackedRun { first, bytes, signature: [signed; 64] },
    })
}

fn certificates() -> impl Strategy<Value = Option<EntryId>> {
    prop::option::of(any::<[u8; 32]>().prop_map(EntryId))
}

fn openings() -> impl Strategy<Value = Message> {
    let proofs = prop::collection::vec((areas(), any::<[u8; 16]>().prop_map(Proof)), 0..5);
    let shared = (areas(), any::<[u8; 16]>(), prop::option::of(any::<[u8; 16]>())).prop_map(
        |(area, proof, authority)| SharedArea {
            area,
            proof: Proof(proof),
            authority: authority.map(CutRoot),
        },
    );
    let shared = prop::collection::vec(shared, 0..5);
    let instance = || any::<[u8; 16]>().prop_map(StoreInstance);
    prop_oneof![
        (any::<u8>(), certificates(), instance(), proofs).prop_map(
            |(version, certificate, instance, areas)| {
                Message::Open(Open { version, certificate, instance, areas })
            }
        ),
        (any::<u8>(), certificates(), instance(), shared).prop_map(
            |(version, certificate, instance, shared)| {
                Message::Reply(Reply { version, certificate, instance, shared })
            }
        ),
        Just(Message::AskCertificate),
        (0u64..5).prop_map(Message::Presented)
    ]
}

fn comparisons() -> impl Strategy<Value = Message> {
    let below = prop::option::of(prop::collection::vec((areas(), digests()), 0..5));
    let node =
        (areas(), digests(), below).prop_map(|(area, own, below)| NodePrint { area, own, below });
    let prints = prop::collection::vec((any::<[u8; 4]>(), any::<[u8; 4]>()), 0..6);
    let prints = (areas(), prints).prop_map(|(area, feeds)| AreaPrints { area, feeds });
    let extent =
        prop_oneof![Just(Extent::Some), Just(Extent::Own), Just(Extent::Below), Just(Extent::More)];
    let listed = (starts(), heads()).prop_map(|(feed, heads)| FeedPoints { feed, heads });
    let area_heads = (areas(), extent, prop::collection::vec(listed, 0..4))
        .prop_map(|(area, extent, feeds)| AreaHeads { area, extent, feeds });
    let need = (feeds(), heads()).prop_map(|(feed, heads)| Need { feed, heads });
    prop_oneof![
        (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(records, full, since)| {
            let space = if records { Space::Records } else { Space::Authority };
            Message::Pass(Pass { space, full, since })
        }),
        prop::collection::vec(node, 0..4).prop_map(Message::Nodes),
        prop::collection::vec(prints, 0..4).prop_map(Message::Prints),
        prop::collection::vec(area_heads, 0..4).prop_map(Message::Heads),
        prop::collection::vec(need, 0..4).prop_map(Message::Need),
        (feeds(), heads()).prop_map(|(feed, points)| Message::Probe(Probe { feed, points })),
        (feeds(), any::<u8>()).prop_map(|(feed, held)| Message::Common(Common { feed, held }))
    ]
}

fn rows() -> impl Strategy<Value = Vec<RowHead>> {
    let head = (any::<[u8; 8]>(), any::<u64>(), any::<[u8; 8]>())
        .prop_map(|(feed, seq, entry)| RowHead { feed, seq, entry });
    prop::collection::btree_set(head, 0..5).prop_map(|heads| heads.into_iter().collect())
}

fn others() -> impl Strategy<Value = Message> {
    let roots = (any::<[u8; 32]>(), any::<[u8; 32]>()).prop_map(|(a, b)| (Root(a), Root(b)));
    let quiet = prop::option::of(prop::collection::vec(roots, 0..3));
    let row = (any::<[u8; 16]>(), areas(), any::<u64>(), any::<[u8; 16]>(), rows()).prop_map(
        |(instance, area, counter, root, heads)| ReceiptRow {
            key: RowKey { instance: StoreInstance(instance), area },
            counter,
            root: CutRoot(root),
            heads,
            signature: [root[0]; 64],
        },
    );
    let device = (any::<[u8; 32]>(), any::<u64>(), rows(), any::<i64>(), "[a-z0-9/.]{0,20}")
        .prop_map(|(device, counter, heads, claimed_at, address)| DeviceRow {
            device: DeviceId(device),
            instance: StoreInstance([7; 16]),
            counter,
            heads,
            claimed_at: Timestamp(claimed_at),
            orders: vec![EntryId(device)],
            addresses: vec![address],
            version: "0.1.0".into(),
            signature: [device[0]; 64],
        });
    let offer = (feeds(), heads()).prop_map(|(feed, heads)| Offer { feed, heads });
    let reason = (0..EndReason::ALL.len()).prop_map(|code| Message::End(EndReason::ALL[code]));
    prop_oneof![
        (0u64..4, 0u64..4, quiet).prop_map(|(sent, durable, quiet)| Message::Turn(Turn {
            sent,
            durable,
            quiet
        })),
        any::<u64>().prop_map(Message::Durable),
        Just(Message::Stay),
        (any::<u64>(), any::<[u8; 32]>(), any::<[u8; 16]>()).prop_map(
            |(number, running_hash, instance)| {
                let instance = StoreInstance(instance);
                Message::Since(Since { instance, number, running_hash })
            }
        ),
        (any::<u64>(), any::<[u8; 32]>())
            .prop_map(|(number, running_hash)| Message::Mark(Mark { number, running_hash })),
        runs().prop_map(Message::Push),
        prop::collection::vec(offer, 0..4).prop_map(Message::Offer),
        prop::collection::vec(row, 0..3).prop_map(Message::Receipts),
        device.prop_map(Message::Device),
        prop::collection::vec(runs(), 0..4).prop_map(Message::Runs),
        reason
    ]
}

fn messages() -> impl Strategy<Value = Message> {
    prop_oneof![openings(), comparisons(), others()]
}

fn one_of_each() -> Vec<Message> {
    let name = FeedName {
        device: DeviceId([1; 32]),
        area: area("32.09.39.2001"),
        space: Space::Records,
        incarnation: 7,
    };
    let point = |seq| CutPoint { seq, id: IdStart::Cut([2; 8]) };
    let full = CutPoint { seq: 64, id: IdStart::Full([3; 32]) };
    let run =
        |feed| FeedRun { feed, run: PackedRun { first: 3, bytes: vec![9, 8], signature: [4; 64] } };
    let child = |code, digest| (area(code), digest);
    let heads = vec![
        FeedPoints { feed: IdStart::Cut([5; 8]), heads: vec![point(1204), point(1206)] },
        FeedPoints { feed: IdStart::Short([6; 4]), heads: vec![] },
    ];
    let row_head = RowHead { feed: [7; 8], seq: 9, entry: [8; 8] };
    vec![
        Message::Open(Open {
            version: 1,
            certificate: Some(EntryId([1; 32])),
            instance: StoreInstance([2; 16]),
            areas: vec![(area("32.09.39"), Proof([3; 16]))],
        }),
        Message::Reply(Reply {
            version: 1,
            certificate: None,
            instance: StoreInstance([2; 16]),
            shared: vec![
                SharedArea { area: area("32.09"), proof: Proof([3; 16]), authority: None },
                SharedArea {
                    area: area("32.10"),
                    proof: Proof([4; 16]),
                    authority: Some(CutRoot([5; 16])),
                },
            ],
        }),
        Message::AskCertificate,
        Message::Presented(3),
        Message::Pass(Pass { space: Space::Records, full: true, since: false }),
        Message::Nodes(vec![
            NodePrint {
                area: area("32.09"),
                own: Digest::Cut([0; 16]),
                below: Some(vec![
                    child("32.09.21", Digest::Cut([1; 16])),
                    child("32.09.39", Digest::Cut([2; 16])),
                ]),
            },
            NodePrint { area: area("32"), own: Digest::Full([3; 32]), below: None },
        ]),
        Message::Prints(vec![AreaPrints {
            area: area("32.09.39.2001"),
            feeds: vec![([1; 4], [2; 4]), ([3; 4], [4; 4])],
        }]),
        Message::Heads(vec![AreaHeads { area: area("32.09"), extent: Extent::Own, feeds: heads }]),
        Message::Need(vec![
            Need { feed: FeedRef::Yours(3), heads: vec![point(4)] },
            Need { feed: FeedRef::Yours(4), heads: vec![] },
            Need { feed: FeedRef::Name(name), heads: vec![] },
        ]),
        Message::Probe(Probe { feed: FeedRef::Mine(0), points: vec![full] }),
        Message::Common(Common { feed: FeedRef::Yours(0), held: 1 }),
        Message::Turn(Turn {
            sent: 1,
            durable: 2,
            quiet: Some(vec![(Root([1; 32]), Root([2; 32]))]),
        }),
        Message::Turn(Turn { sent: 1, durable: 300, quiet: None }),
        Message::Durable(5),
        Message::Stay,
        Message::Since(Since {
            instance: StoreInstance([1; 16]),
            number: 300,
            running_hash: [2; 32],
        }),
        Message::Mark(Mark { number: 300, running_hash: [2; 32] }),
        Message::Push(run(FeedRef::Mine(2))),
        Message::Offer(vec![Offer { feed: FeedRef::Mine(2), heads: vec![point(5)] }]),
        Message::Receipts(vec![ReceiptRow {
            key: RowKey { instance: StoreInstance([1; 16]), area: area("32.09.39.2001") },
            counter: 300,
            root: CutRoot([2; 16]),
            heads: vec![row_head],
            signature: [6; 64],
        }]),
        Message::Device(DeviceRow {
            device: DeviceId([1; 32]),
            instance: StoreInstance([2; 16]),
            counter: 4,
            heads: vec![row_head],
            claimed_at: Timestamp(-5),
            orders: vec![EntryId([3; 32])],
            addresses: vec!["/ip4/10.0.0.1/udp/4001/quic-v1".into()],
            version: "0.1.0".into(),
            signature: [7; 64],
        }),
        Message::End(EndReason::Stalled),
        Message::Runs(vec![run(FeedRef::Name(name)), run(FeedRef::Same), run(FeedRef::Yours(1))]),
    ]
}

#[test]
fn messages_have_these_bytes_for_ever() {
    let golden: Vec<String> = one_of_each().iter().map(|it| hex::encode(encode(it))).collect();
    assert_eq!(golden.join("\n"), include_str!("../../golden/messages-v1.hex").trim());
}

#[test]
fn a_length_beyond_the_limit_is_refused_before_anything_is_reserved() {
    let claim = |kind: u8, length: usize| Writer::new().u8(kind).varint(length as u64).finish();
    let (control, bulk) = (CONTROL_FRAME_BYTES_MAX - 4, BULK_FRAME_BYTES_MAX - 4);
    let length = |stream, bytes: &[u8]| frame_length(stream, bytes);
    assert_eq!(length(Stream::Control, &claim(6, control)), Ok(Some(CONTROL_FRAME_BYTES_MAX)));
    assert!(length(Stream::Control, &claim(6, control + 1)).is_err());
    assert_eq!(length(Stream::Bulk, &claim(64, bulk)), Ok(Some(BULK_FRAME_BYTES_MAX)));
    assert!(length(Stream::Bulk, &claim(64, bulk + 1)).is_err());
    assert!(length(Stream::Bulk, &[64, 0xff, 0xff, 0xff, 0xff]).is_err());
    assert_eq!(length(Stream::Bulk, &[64, 0xff, 0xff]), Ok(None));
    assert!(length(Stream::Bulk, &claim(6, 1)).is_err(), "each stream has its own kinds");
    assert!(length(Stream::Control, &claim(64, 1)).is_err());
}

/// A message whose last list is empty, with another count there and so many bytes behind it.
fn claiming(message: &Message, count: usize, behind: usize) -> (Stream, Vec<u8>) {
    let frame = encode(message);
    let mut reader = Reader::new(&frame);
    let kind = reader.u8().unwrap();
    let payload = reader.bytes(frame.len(), "payload").unwrap();
    let (last, before) = payload.split_last().unwrap();
    assert_eq!(*last, 0, "{message:?} ends with an empty list");
    let mut writer = Writer::new();
    let payload = writer.raw(before).varint(count as u64).raw(&vec![0; behind]);
    let payload = std::mem::take(payload).finish();
    (stream_of(message), Writer::new().u8(kind).bytes(&payload).finish())
}

#[test]
fn a_claimed_count_beyond_the_bytes_or_the_limit_is_refused() {
    let (area, feed) = (area("32.09.39.2001"), FeedRef::Mine(2));
    let node = |below| {
        Message::Nodes(vec![NodePrint { area, own: Digest::Cut([0; 16]), below: Some(below) }])
    };
    let (instance, certificate) = (StoreInstance([2; 16]), None);
    let prints = AreaPrints { area, feeds: Vec::new() };
    let heads = AreaHeads { area, extent: Extent::Own, feeds: Vec::new() };
    let (areas, shared) = (Vec::new(), Vec::new());
    let lists: [(Message, usize, &str); 16] = [
        (
            Message::Open(Open { version: 1, certificate, instance, areas }),
            AREAS_SHARED_MAX,
            "areas",
        ),
        (
            Message::Reply(Reply { version: 1, certificate, instance, shared }),
            AREAS_SHARED_MAX,
            "areas",
        ),
        (
            Message::Turn(Turn { sent: 1, durable: 2, quiet: Some(Vec::new()) }),
            AREAS_SHARED_MAX,
            "areas",
        ),
        (Message::Nodes(Vec::new()), AREAS_PER_MESSAGE_MAX, "areas"),
        (Message::Prints(Vec::new()), AREAS_PER_MESSAGE_MAX, "areas"),
        (Message::Heads(Vec::new()), AREAS_PER_MESSAGE_MAX, "areas"),
        (node(Vec::new()), CHILDREN_MAX, "children"),
        (Message::Prints(vec![prints]), FEEDS_PER_MESSAGE_MAX, "feeds"),
        (Message::Heads(vec![heads]), FEEDS_PER_MESSAGE_MAX, "feeds"),
        (Message::Need(Vec::new()), FEEDS_PER_MESSAGE_MAX, "feeds"),
        (Message::Offer(Vec::new()), FEEDS_PER_MESSAGE_MAX, "feeds"),
        (
            Message::Need(vec![Need { feed, heads: Vec::new() }]),
            HEADS_PER_FEED_MAX,
            "heads of a feed",
        ),
        (
            Message::Offer(vec![Offer { feed, heads: Vec::new() }]),
            HEADS_PER_FEED_MAX,
            "heads of a feed",
        ),
        (Message::Probe(Probe { feed, points: Vec::new() }), PROBE_POINTS_MAX, "points of a probe"),
        (Message::Receipts(Vec::new()), ROWS_PER_MESSAGE_MAX, "rows"),
        (Message::Runs(Vec::new()), RUNS_PER_FRAME_MAX, "runs"),
    ];
    for (message, most, what) in lists {
        let read = |count, behind| {
            let (stream, frame) = claiming(&message, count, behind);
            decode(stream, &frame)
        };
        assert_eq!(read(most + 1, 9000), Err(DecodeError::TooLarge(what)), "{message:?}");
        assert_ne!(read(most, 9000), Err(DecodeError::TooLarge(what)), "{message:?}");
        assert_eq!(read(most, most - 1), Err(DecodeError::Truncated), "{message:?}");
    }
}

/// Says a message to a node that is in the middle of a session, with an honest store.
fn hear(session: &mut Session, node: &mut TestNode, stream: Stream, bytes: Vec<u8>) -> usize {
    let mut waiting = vec![Input::Frame { stream, bytes }];
    let mut sent = 0;
    while let Some(input) = waiting.pop() {
        session.handle_input(Timestamp(0), &node.local(), input);
        while let Some(output) = session.poll_output() {
            match output {
                Output::Send { frame, .. } => sent += frame.len(),
                Output::Ask { id, request } => {
                    let answer = carry_out(node, &request);
                    waiting.push(Input::Answer { id, answer });
                }
                _ => {}
            }
        }
    }
    sent
}

proptest! {
    #[test]
    fn a_message_comes_back_from_its_frame(message in messages()) {
        let stream = stream_of(&message);
        let frame = encode(&message);
        prop_assert_eq!(frame_length(stream, &frame), Ok(Some(frame.len())));
        prop_assert_eq!(decode(stream, &frame), Ok(message));
        for length in 0..frame.len() {
            prop_assert!(decode(stream, &frame[..length]).is_err());
        }
    }

    #[test]
    fn any_bytes_are_one_message_or_refused(kind in 0u8..80, payload: Vec<u8>, bytes: Vec<u8>) {
        let stream = if kind < 64 { Stream::Control } else { Stream::Bulk };
        let framed = Writer::new().u8(kind).bytes(&payload).finish();
        for frame in [framed, bytes] {
            if let Ok(message) = decode(stream, &frame) {
                prop_assert_eq!(encode(&message), frame);
            }
        }
    }

    #[test]
    fn no_sequence_of_messages_breaks_a_session(
        said in prop::collection::vec(messages(), 1..20),
        live: bool,
        role: bool,
    ) {
        let statement = statement(&[Keys(1), Keys(2)]);
        let mut node = TestNode::new(Keys(1), &statement);
        node.edit(area("32.09.39.2001"), 70);
        let mut peer = node.copy(Keys(2));
        if !live {
            peer.edit(area("32.09.39.2002"), 3);
        }
        let role = if role { Role::Initiator } else { Role::Responder };
        let mut session = Session::new(role, peer.device());
        session.handle_input(Timestamp(0), &node.local(), Input::Start);
        while session.poll_output().is_some() {}
        let mut pair = Pair::new(peer.device(), node.device());
        pair.run(&mut peer, &mut node.copy(Keys(1)));
        if role == Role::Responder {
            // An honest opening first, so that what follows is heard at all.
            let mut honest = Session::new(Role::Initiator, node.device());
            honest.handle_input(Timestamp(0), &peer.local(), Input::Start);
            while let Some(output) = honest.poll_output() {
                if let Output::Send { stream, frame } = output {
                    hear(&mut session, &mut node, stream, frame);
                }
            }
        }
        for message in said {
            let sent = hear(&mut session, &mut node, stream_of(&message), encode(&message));
            prop_assert!(sent < 100_000, "one message made us say {} bytes", sent);
        }
    }
}
