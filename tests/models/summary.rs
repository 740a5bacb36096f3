//! The summary against `docs/protocol.md` section 11: heads and the tree change in any order, roots
//! are asked now and then, and each is what the page says of the heads held by then.

use std::sync::Arc;

use crdt_schema::area::{AreaCode, AreaId, AreaTree, CountingAlias, Level};
use crdt_schema::authority::Alias;
use crdt_schema::entry::ChainPoint;
use crdt_schema::id::{DeviceId, EntryId, FeedName, Space};
use node::sync::{Root, Summary, empty_root};
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

/// Areas feeds lie in and roots are asked of: a province, two kabupaten, their kecamatan, villages.
const AREAS: [&str; 9] = [
    "32",
    "32.09",
    "32.10",
    "32.09.39",
    "32.09.21",
    "32.10.01",
    "32.09.39.2001",
    "32.09.39.2002",
    "32.10.01.2001",
];
const DEVICES: u8 = 3;

fn area(place: usize) -> AreaId {
    AREAS.get(place).unwrap().parse::<AreaCode>().unwrap().first_id()
}

/// What the page needs: feeds with their heads, and the tree.
#[derive(Debug, Clone)]
struct Held {
    feeds: Vec<(FeedName, Vec<ChainPoint>)>,
    tree: AreaTree,
}

#[derive(Debug, Clone)]
enum Step {
    /// The heads of a feed are now these.
    Heads(FeedName, Vec<ChainPoint>),
    /// The tree is another one: a village lies in that kecamatan, or where it first lay.
    Tree(Vec<(usize, usize)>),
    /// All roots are asked, and so remembered.
    Ask,
}

impl Held {
    fn derive(context: &str, bytes: &[u8]) -> [u8; 32] {
        blake3::derive_key(context, bytes)
    }

    fn own(&self, space: Space, area: AreaId) -> Option<[u8; 32]> {
        let here = |(name, _): &&(FeedName, _)| name.space == space && name.area == area;
        let mut feeds: Vec<_> = self.feeds.iter().filter(here).collect();
        feeds.sort_by_key(|(name, _)| name.id());
        let mut bytes = Vec::new();
        for (name, heads) in &feeds {
            bytes.extend(name.id().0);
            bytes.extend((heads.len() as u64).to_be_bytes());
            for head in heads {
                bytes.extend(head.seq.to_be_bytes());
                bytes.extend(head.id.0);
            }
        }
        (!feeds.is_empty()).then(|| Self::derive("wksbm 2026 summary own v1", &bytes))
    }

    fn node(&self, space: Space, area: AreaId) -> Option<[u8; 32]> {
        let own = self.own(space, area);
        // Most of the province is empty.
        if !self.feeds.iter().any(|(name, _)| self.tree.covers(area, name.area)) {
            return None;
        }
        let mut children = self.tree.children(area).to_vec();
        children.sort_unstable();
        let below = children.iter().filter_map(|child| Some((child, self.node(space, *child)?)));
        let below: Vec<_> = below.collect();
        if own.is_none() && below.is_empty() {
            return None;
        }
        let level = match area.level() {
            Level::Provinsi => 1,
            Level::Kabupaten => 2,
            Level::Kecamatan => 3,
            Level::Desa => 4,
        };
        let mut bytes = vec![level];
        option(&mut bytes, own);
        for (child, node) in below {
            bytes.extend(child.as_bytes());
            bytes.extend(node);
        }
        Some(Self::derive("wksbm 2026 summary node v1", &bytes))
    }

    fn root(&self, area: AreaId) -> Root {
        let empty = || Self::derive("wksbm 2026 empty root v1", b"");
        Root(self.node(Space::Records, area).unwrap_or_else(empty))
    }

    fn authority(&self, area: AreaId) -> Root {
        let mut bytes = Vec::new();
        option(&mut bytes, self.node(Space::Authority, area));
        for above in self.tree.above(area) {
            if let Some(own) = self.own(Space::Authority, above) {
                bytes.extend(above.as_bytes());
                bytes.extend(own);
            }
        }
        Root(Self::derive("wksbm 2026 authority root v1", &bytes))
    }
}

fn option(bytes: &mut Vec<u8>, hash: Option<[u8; 32]>) {
    bytes.push(u8::from(hash.is_some()));
    bytes.extend(hash.into_iter().flatten());
}

fn names() -> impl Strategy<Value = FeedName> {
    (0..DEVICES, 0..AREAS.len(), any::<bool>()).prop_map(|(device, place, records)| FeedName {
        device: DeviceId([device; 32]),
        area: area(place),
        space: if records { Space::Records } else { Space::Authority },
        incarnation: 1,
    })
}

fn heads() -> impl Strategy<Value = Vec<ChainPoint>> {
    let point = (1_u64..4, 0_u8..2).prop_map(|(seq, id)| ChainPoint { seq, id: EntryId([id; 32]) });
    prop::collection::btree_set(point, 0..3).prop_map(|heads| heads.into_iter().collect())
}

/// A tree in which villages lie elsewhere.
fn moved(places: &[(usize, usize)]) -> AreaTree {
    let alias = |(at, (village, parent)): (usize, &(usize, usize))| CountingAlias {
        entry: EntryId([u8::try_from(at).unwrap(); 32]),
        author: Level::Provinsi,
        replaces: vec![],
        alias: Alias {
            area: area(*village),
            code: "32.09.21.2016".parse().unwrap(),
            name: "Pindah".into(),
            parent: area(*parent),
            valid_from: 0,
            closes: vec![],
        },
    };
    let aliases: Vec<CountingAlias> = places.iter().enumerate().map(alias).collect();
    AreaTree::west_java().with_aliases(&aliases)
}

struct Page;

impl ReferenceStateMachine for Page {
    type State = Held;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Held> {
        Just(Held { feeds: Vec::new(), tree: AreaTree::west_java() }).boxed()
    }

    fn transitions(_: &Held) -> BoxedStrategy<Step> {
        prop_oneof![
            6 => (names(), heads()).prop_map(|(name, heads)| Step::Heads(name, heads)),
            2 => prop::collection::vec((6_usize..9, 3_usize..6), 0..3).prop_map(Step::Tree),
            2 => Just(Step::Ask),
        ]
        .boxed()
    }

    fn apply(mut held: Held, step: &Step) -> Held {
        match step {
            Step::Heads(name, heads) => {
                held.feeds.retain(|(known, _)| known != name);
                if !heads.is_empty() {
                    held.feeds.push((*name, heads.clone()));
                }
            }
            Step::Tree(places) => held.tree = moved(places),
            Step::Ask => {}
        }
        held
    }
}

struct Kept;

fn agree(summary: &Summary, held: &Held) {
    for place in 0..AREAS.len() {
        let area = area(place);
        assert_eq!(summary.root(area), held.root(area), "records of {area:?}");
        assert_eq!(summary.authority_root(area), held.authority(area), "authority of {area:?}");
    }
}

impl StateMachineTest for Kept {
    type SystemUnderTest = Summary;
    type Reference = Page;

    fn init_test(held: &Held) -> Summary {
        let summary = Summary::new(Arc::new(held.tree.clone()));
        assert_eq!(summary.root(area(0)), empty_root());
        summary
    }

    fn apply(mut summary: Summary, held: &Held, step: Step) -> Summary {
        match step {
            Step::Heads(name, mut heads) => {
                heads.reverse();
                summary.set(name, heads);
            }
            Step::Tree(_) => summary.regroup(Arc::new(held.tree.clone())),
            Step::Ask => agree(&summary, held),
        }
        summary
    }

    fn teardown(summary: Summary, held: Held) {
        agree(&summary, &held);
    }
}

prop_state_machine! {
    #[test]
    fn every_root_is_what_the_page_says_of_the_heads_held(sequential 1..24 => Kept);
}
