//! How long look-ups take in a node that holds so much: each of another record, drawn by chance, after
//! as many that are not told. What comes in the way of a look-up that is rare, the 99th percentile
//! tells.

use std::path::Path;

use crdt_schema::area::AreaCode;
use crdt_schema::id::{FeedId, FeedName, Space};
use crdt_schema::record::Schema;
use node::node::{ListAsk, Node};
use node::ports::RecordKey;
use serde_json::Value;

use super::Report;
use super::child;
use super::ingest::Held;
use super::scale::{LONG_ENTRIES, RECORD_ENTRIES, Scale};
use super::start::{self, PAGE};
use super::watch::{Watch, taken_us};
use super::workload::{Chance, Hand};
use crate::world::{KIND, record_id};

/// What a child is that looks things up.
pub(super) const LOOK: &str = "look";
/// Behind the name of a look-up, where it is not the middle that is told.
pub(super) const PERCENTILE: &str = ", 99th percentile";
/// In the name of a look-up that goes through everything.
pub(super) const PROVINCE: &str = "the province";
/// Seconds after which no further look-up of a sort is begun, and how many there are at least.
const PATIENCE: f64 = 5.0;
const LEAST: usize = 9;
/// A state that many records are in.
const STATE: &str = "terlaksana";
/// Letters of a word that somebody types.
const LETTERS: usize = 5;

pub(super) fn measure(report: &mut Report, held: &Held<'_>, scale: Scale) {
    let mut command = child::at(LOOK, held.folder);
    command.arg(scale.look_ups().to_string());
    let told = child::told(command);
    for (what, taken) in told.as_object().unwrap() {
        let taken: Vec<f64> = taken.as_array().unwrap().iter().filter_map(Value::as_f64).collect();
        for (percent, name) in [(50, what.clone()), (99, format!("{what}{PERCENTILE}"))] {
            let figure = report.percentile(percent, name, &taken, "us");
            figure.at(held.entries).arriving(held.arrival.name());
        }
    }
}

/// The child that looks things up: of each sort what every look-up took, in microseconds.
pub(super) fn looked(folder: &Path, look_ups: &str) -> Value {
    let node = start::open(folder);
    let mut looker = Looker {
        of: Records::new(&node, 0),
        node: &node,
        look_ups: look_ups.parse().unwrap(),
        chance: Chance::new(11),
        told: serde_json::Map::new(),
    };
    looker.one_record("");
    looker.whole_province();
    looker.of = Records::new(&node, LONG_ENTRIES);
    if looker.of.count() > 0 {
        looker.one_record(", in a feed of 100,000 entries");
    }
    Value::Object(looker.told)
}

struct Looker<'a> {
    node: &'a Node,
    /// Of which records one is drawn.
    of: Records,
    look_ups: usize,
    chance: Chance,
    told: serde_json::Map<String, Value>,
}

impl Looker<'_> {
    fn one_record(&mut self, of: &str) {
        let replica = self.node.replica();
        self.time(&format!("look-up of a record by its id{of}"), |_, drawn| {
            assert_eq!(replica.find(&drawn.key.record.to_string()).unwrap().len(), 1);
        });
        self.time(&format!("look-up of a record's row{of}"), |_, drawn| {
            assert!(replica.record(&drawn.key).unwrap().is_some());
        });
        self.time(&format!("history of a record{of}"), |_, drawn| {
            assert_eq!(replica.history(&drawn.key).unwrap().edits.len() as u64, RECORD_ENTRIES);
        });
        self.time(&format!("first page of an area's records in a state{of}"), |node, drawn| {
            let area = Some(drawn.key.area.to_string());
            let status = Some(STATE.to_owned());
            list(node, ListAsk { area, status, ..ListAsk::default() });
        });
    }

    fn whole_province(&mut self) {
        let state = || Some(STATE.to_owned());
        let area = || Some(AreaCode::WEST_JAVA.to_string());
        self.time(&format!("first page and count, {PROVINCE}"), |node, _| {
            list(node, ListAsk { area: area(), ..ListAsk::default() });
        });
        self.time(&format!("first page and count in a state, {PROVINCE}"), |node, _| {
            list(node, ListAsk { area: area(), status: state(), ..ListAsk::default() });
        });
        self.time(&format!("search by the beginning of a name, {PROVINCE}"), |node, drawn| {
            let title = Hand::of(drawn.feed).title(drawn.number);
            let word = title.rsplit(' ').next().unwrap_or_default();
            let query = Some(word.chars().take(LETTERS).collect());
            list(node, ListAsk { area: area(), query, ..ListAsk::default() });
        });
    }

    fn time(&mut self, what: &str, mut look: impl FnMut(&Node, &Drawn)) {
        let mut taken = Vec::new();
        for is_told in [false, true] {
            let all = Watch::start();
            for turn in 0..self.look_ups {
                if turn >= LEAST && all.seconds() > PATIENCE {
                    break;
                }
                let drawn = self.of.any(&mut self.chance);
                let us = taken_us(|| look(self.node, &drawn));
                taken.extend(is_told.then_some(us));
            }
        }
        self.told.insert(format!("{what}, warm"), taken.into());
    }
}

fn list(node: &Node, ask: ListAsk) {
    let kind = Schema::standard().kind_numbered(KIND).map(|kind| kind.name.to_owned());
    let found = node.record_list(&ListAsk { kind, limit: PAGE, ..ask }).unwrap();
    assert!(found.total > 0);
}

/// A record that is looked for, its feed, and its number there.
struct Drawn {
    key: RecordKey,
    feed: FeedId,
    number: usize,
}

/// Feeds, and how many records there are up to the end of each.
struct Records(Vec<(usize, FeedName)>);

impl Records {
    /// Those of feeds with so many entries at least.
    fn new(node: &Node, entries: u64) -> Self {
        let mut count = 0;
        let feeds = node.replica().feeds().filter(|feed| feed.name.space == Space::Records);
        let feeds = feeds.filter_map(|feed| {
            let held = feed.branches.first()?.head.point.seq;
            count += usize::try_from(held / RECORD_ENTRIES).ok().filter(|_| held >= entries)?;
            Some((count, feed.name))
        });
        Self(feeds.collect())
    }

    fn count(&self) -> usize {
        self.0.last().map_or(0, |(count, _)| *count)
    }

    /// Any of them.
    fn any(&self, chance: &mut Chance) -> Drawn {
        let nth = chance.below(self.count());
        let (end, name) = *self.0.get(self.0.partition_point(|(end, _)| *end <= nth)).unwrap();
        let (feed, number) = (name.id(), end - nth - 1);
        let key = RecordKey { area: name.area, kind: KIND, record: record_id(feed, number) };
        Drawn { key, feed, number }
    }
}
