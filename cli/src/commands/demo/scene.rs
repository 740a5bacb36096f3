//! Doing the steps of the demo, and remembering what its end will tell.

use std::collections::BTreeMap;

use crdt_schema::area::AreaCode;
use node::answer::{AreaName, Demo, DemoConflicts, DemoCut, DemoNode, RootHash};
use node::error::NodeError;
use serde_json::Value;

use super::carry::{Carrier, Journey};
use super::plan::{Cast, Player, Step, level};
use super::stage::{Page, Stage, list, number, text, unanswered};
use crate::error::Failure;
use crate::words::{Fact, Words};

/// What the two nodes write apart.
const FIRST_VALUE: &str = "Di belakang balai desa";
const SECOND_VALUE: &str = "Di seberang puskesmas";

/// Fields a person would argue about, the best first; else any text will do.
const ARGUED: [&str; 5] = ["alamat", "tempat", "catatan", "uraian", "judul"];

/// Records looked at before the demo gives up on finding one with such a field.
const LOOKED_AT_MAX: usize = 12;

/// The field two nodes wrote apart.
#[derive(Debug, Clone)]
struct Argument {
    record: String,
    field: String,
}

/// The stage, whoever carries, and what happened so far.
pub(super) struct Scene {
    stage: Stage,
    carrier: Carrier,
    /// Places of the kecamatan's hub and of the village without a connection.
    ends: (usize, usize),
    travelled: Journey,
    pids: Vec<u32>,
    connections: u64,
    argument: Option<Argument>,
    settled: bool,
    conflicts: DemoConflicts,
}

impl Scene {
    pub(super) fn new(stage: Stage, cast: &Cast) -> Self {
        Self {
            stage,
            carrier: Carrier::default(),
            ends: (Cast::HUB, cast.cut()),
            pids: Vec::new(),
            connections: 0,
            travelled: Journey::default(),
            argument: None,
            settled: false,
            conflicts: DemoConflicts::default(),
        }
    }

    /// What is being done, while it is.
    pub(super) fn doing(&self, step: &Step, words: Words) -> Result<String, Failure> {
        let (key, place) = match step {
            Step::Found { node } => ("demo-doing-found", *node),
            Step::Join { node, .. } => ("demo-doing-join", *node),
            Step::Write { node, .. } => ("demo-doing-write", *node),
            Step::Meet => ("demo-doing-meet", self.ends.1),
            Step::EditApart { one, .. } => ("demo-doing-apart", *one),
            Step::Watch => ("demo-doing-watch", Cast::HUB),
            Step::Settle { node } => ("demo-doing-settle", *node),
            Step::Rest => ("demo-doing-rest", 0),
        };
        Ok(words.say_with(key, &[Fact::new("node", self.name(place)?)]))
    }

    /// Does one step and says what was done.
    pub(super) fn play(&mut self, step: &Step, words: Words) -> Result<String, Failure> {
        match step {
            Step::Found { node } => self.found(*node, words),
            Step::Join { node, by } => self.join(*node, *by, words),
            Step::Write { node, records, seed } => self.write(*node, *records, *seed, words),
            Step::Meet => self.meet(words),
            Step::EditApart { one, other } => self.edit_apart(*one, *other, words),
            Step::Watch => self.watch(words),
            Step::Settle { node } => self.settle(*node, words),
            Step::Rest => self.rest(words),
        }
    }

    fn found(&mut self, node: usize, words: Words) -> Result<String, Failure> {
        let area = self.area(node)?.to_string();
        let create = ["network", "create", "--name", "Peragaan WKSBM", "--trial", "--area", &area];
        let made = self.stage.ask(node, &create)?;
        self.stage.start(node, None)?;
        let facts = [Fact::new("network", short(text(&made, "/network")?))];
        Ok(words.say_with("demo-founded", &facts))
    }

    /// An invitation on the stick, then over the wire: the inviter sees who knocks, a person compares
    /// eight words and confirms. The village without a connection does the same with bundles.
    fn join(&mut self, node: usize, by: usize, words: Words) -> Result<String, Failure> {
        let area = self.area(node)?.to_string();
        let file = self.stage.stick(&format!("{}.undangan", self.name(node)?))?;
        self.stage.ask(by, &["invite", "--area", &area, "-o", &file])?;
        let joined = self.stage.ask(node, &["join", "--invitation", &file])?;
        let device = text(&joined, "/device")?;
        if node == self.ends.1 {
            self.hand(node, by)?;
            self.stage.ask(by, &["member", "confirm", device])?;
            self.hand(by, node)?;
            self.stage.start_apart(node)?;
        } else {
            self.stage.start(node, Some(by))?;
            self.stage.wait_for_member(by, device, "provisional")?;
            self.stage.ask(by, &["member", "confirm", device])?;
            self.stage.wait_for_member(node, device, "active")?;
        }
        let spoken: Vec<&str> = list(&joined, "/words")?.iter().filter_map(Value::as_str).collect();
        let facts = [
            Fact::new("node", self.name(node)?),
            Fact::new("by", self.name(by)?),
            Fact::new("words", spoken.join(" ")),
        ];
        Ok(words.say_with("demo-joined", &facts))
    }

    fn hand(&mut self, from: usize, to: usize) -> Result<(), Failure> {
        let journey = self.carrier.hand(&mut self.stage, from, to)?;
        self.add(journey);
        Ok(())
    }

    fn write(
        &mut self,
        node: usize,
        records: u64,
        seed: u64,
        words: Words,
    ) -> Result<String, Failure> {
        let (area, seed) = (self.area(node)?.to_string(), seed.to_string());
        let asked = records.to_string();
        let synth = ["synth", "--into-node", "--preset", "desa", "--seed", &seed];
        let made = self
            .stage
            .ask(node, &[&synth[..], &["--records", &asked, "--area", &area]].concat())?;
        let facts =
            [Fact::new("node", self.name(node)?), Fact::new("count", number(&made, "/records")?)];
        Ok(words.say_with("demo-wrote", &facts))
    }

    fn meet(&mut self, words: Words) -> Result<String, Failure> {
        let area = self.area(Cast::HUB)?.to_string();
        let journey = self.carrier.meet(&mut self.stage, &area, self.ends)?;
        self.add(journey);
        let facts = [
            Fact::new("nodes", self.stage.nodes.len()),
            Fact::new("node", self.name(self.ends.1)?),
            Fact::new("visits", journey.visits),
            Fact::new("bytes", crate::commands::show::size(journey.bundle_bytes)),
        ];
        let key = if journey.equal { "demo-met" } else { "demo-met-unequal" };
        Ok(words.say_with(key, &facts))
    }

    /// Ends every process, from the province down.
    fn rest(&mut self, words: Words) -> Result<String, Failure> {
        self.pids = self.stage.nodes.iter().map(|node| node.pid).collect();
        let connections = self.stage.connections_of(self.ends.1)?;
        self.connections = connections;
        for place in 0..self.stage.nodes.len() {
            self.stage.end(place)?;
        }
        Ok(words.say_with("demo-rested", &[Fact::new("nodes", self.stage.nodes.len())]))
    }

    fn edit_apart(&mut self, one: usize, other: usize, words: Words) -> Result<String, Failure> {
        let argument = self.find_argument(one)?;
        for (node, value) in [(one, FIRST_VALUE), (other, SECOND_VALUE)] {
            let put = format!("{}={value}", argument.field);
            self.stage.ask(node, &["record", "set", &argument.record, "--field", &put])?;
        }
        self.conflicts.made += 1;
        let facts = [
            Fact::new("one", self.name(one)?),
            Fact::new("other", self.name(other)?),
            Fact::new("field", &argument.field),
            Fact::new("record", short(&argument.record)),
        ];
        self.argument = Some(argument);
        Ok(words.say_with("demo-apart", &facts))
    }

    /// A record of the node's own area with a text that two people may see differently.
    fn find_argument(&mut self, node: usize) -> Result<Argument, Failure> {
        let area = self.area(node)?.to_string();
        let schema = self.stage.ask(node, &["schema"])?;
        let listed = self.stage.ask(node, &["record", "list", "--area", &area])?;
        let mut best: Option<((bool, usize), Argument)> = None;
        for row in list(&listed, "/records")?.iter().take(LOOKED_AT_MAX) {
            let record = text(row, "/record")?.to_owned();
            let shown = self.stage.ask(node, &["record", "show", &record])?;
            let texts = plain_texts(&schema, text(row, "/kind")?)?;
            let has = |field: &String| shown.pointer(&format!("/fields/{field}")).is_some();
            for field in texts {
                let place = ARGUED.iter().position(|name| *name == field).unwrap_or(ARGUED.len());
                // One that is empty will do where there are few records.
                let place = (!has(&field), place);
                if best.as_ref().is_none_or(|(known, _)| place < *known) {
                    best = Some((place, Argument { record: record.clone(), field }));
                }
            }
            if best.as_ref().is_some_and(|(place, _)| *place < (false, ARGUED.len())) {
                break;
            }
        }
        best.map(|(_, argument)| argument).ok_or_else(|| unanswered("a text field"))
    }

    fn watch(&mut self, words: Words) -> Result<String, Failure> {
        let mut seen_by = BTreeMap::new();
        for place in 0..self.stage.nodes.len() {
            let answer = self.stage.ask(place, &["record", "conflicts"])?;
            seen_by.insert(self.name(place)?, number(&answer, "/total")?);
        }
        let sum: u64 = seen_by.values().sum();
        let seeing = seen_by.values().filter(|count| **count > 0).count();
        let facts = [Fact::new("seeing", seeing), Fact::new("nodes", seen_by.len())];
        if self.settled {
            self.conflicts.left = sum;
            let key = if sum == 0 { "demo-watched-none" } else { "demo-watched-left" };
            return Ok(words.say_with(key, &facts));
        }
        (self.conflicts.seen_by, self.conflicts.left) = (seen_by, sum);
        Ok(words.say_with("demo-watched", &facts))
    }

    fn settle(&mut self, node: usize, words: Words) -> Result<String, Failure> {
        let argument = self.argument.clone().ok_or_else(|| unanswered("a conflict"))?;
        let Argument { record, field } = &argument;
        self.stage.ask(node, &["record", "settle", record, field, "--value", FIRST_VALUE])?;
        self.settled = true;
        let facts = [Fact::new("node", self.name(node)?), Fact::new("value", FIRST_VALUE)];
        Ok(words.say_with("demo-settled", &facts))
    }

    /// Where a person may look at the nodes.
    pub(super) fn pages(&self, with_links: bool) -> Vec<Page> {
        self.stage.pages(with_links)
    }

    /// Why a node that was to run has ended by itself, if one has.
    pub(super) fn fallen(&mut self) -> Option<Failure> {
        self.stage.fallen()
    }

    /// What the demo ends with: every node is asked again.
    pub(super) fn result(&mut self, cast: &Cast, seconds: f64) -> Result<Demo, Failure> {
        let shared = cast.shared()?;
        let mut nodes = Vec::new();
        for (place, player) in cast.nodes().iter().enumerate() {
            nodes.push(self.standing(place, player, shared)?);
        }
        let equal = nodes.windows(2).all(|pair| match pair {
            [one, next] => one.root == next.root,
            _ => true,
        });
        if self.pids.is_empty() {
            self.connections = self.stage.connections_of(self.ends.1)?;
        }
        let cut = self.name(cast.cut())?;
        Ok(Demo {
            folder: self.stage.folder.display().to_string(),
            area: AreaName::new(shared, shared.first_id()),
            nodes,
            conflicts: self.conflicts.clone(),
            cut: DemoCut {
                bundles: self.carrier.files_of(&cut),
                node: cut,
                connections: self.connections,
            },
            wire_bytes: self.stage.wire_bytes()?,
            bundle_bytes: self.travelled.bundle_bytes,
            equal: equal && self.travelled.equal,
            seconds,
        })
    }

    fn standing(
        &mut self,
        place: usize,
        player: &Player,
        shared: AreaCode,
    ) -> Result<DemoNode, Failure> {
        let status = self.stage.ask(place, &["status"])?;
        let root = self.stage.ask(place, &["root", "--area", &shared.to_string()])?;
        let node = self.stage.node(place)?;
        Ok(DemoNode {
            name: player.name.clone(),
            level: level(player).to_owned(),
            area: AreaName::new(player.area, player.area.first_id()),
            device: text(&status, "/device")?.parse().map_err(|_| unanswered("/device"))?,
            pid: self.pids.get(place).copied().unwrap_or(node.pid),
            data: node.folder.display().to_string(),
            records: number(&status, "/records")?,
            entries: number(&status, "/entries")?,
            root: root_hash(text(&root, "/root")?)?,
            words: root
                .pointer("/words")
                .and_then(|words| serde_json::from_value(words.clone()).ok()),
        })
    }

    fn add(&mut self, journey: Journey) {
        self.travelled.visits += journey.visits;
        self.travelled.bundle_bytes += journey.bundle_bytes;
        self.travelled.equal = journey.equal;
    }

    fn name(&self, place: usize) -> Result<String, Failure> {
        Ok(self.stage.node(place)?.player.name.clone())
    }

    fn area(&self, place: usize) -> Result<AreaCode, Failure> {
        Ok(self.stage.node(place)?.player.area)
    }
}

/// Names of the kind's fields that hold one free text anybody at these desks may read.
fn plain_texts(schema: &Value, kind: &str) -> Result<Vec<String>, Failure> {
    let is = |value: &Value, name: &str, wanted: &str| {
        value.get(name).and_then(Value::as_str) == Some(wanted)
    };
    let kinds = list(schema, "/kinds")?.iter();
    let fields = kinds.filter(|declared| is(declared, "kind", kind));
    let fields = fields.filter_map(|declared| declared.get("fields")?.as_array()).flatten();
    let plain = fields.filter(|field| {
        is(field, "type", "text") && is(field, "merge", "scalar") && !is(field, "class", "S")
    });
    Ok(plain.filter_map(|field| Some(field.get("field")?.as_str()?.to_owned())).collect())
}

fn root_hash(text: &str) -> Result<RootHash, Failure> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes)
        .map_err(|_| NodeError::Internal { what: "a root is no root".to_owned() })?;
    Ok(RootHash(bytes))
}

fn short(id: &str) -> String {
    id.chars().take(8).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_free_texts_that_are_not_specific_are_argued_about() {
        let field = |name: &str, kind: &str, merge: &str, class: &str| json!({"field": name, "type": kind, "merge": merge, "class": class});
        let schema = json!({"kinds": [
            {"kind": "other", "fields": [field("x", "text", "scalar", "I")]},
            {"kind": "ppks", "fields": [
                field("nik", "nik", "scalar", "U"),
                field("kasus", "text", "scalar", "S"),
                field("program", "text", "set", "U"),
                field("alamat", "text", "scalar", "U"),
            ]},
        ]});
        assert_eq!(plain_texts(&schema, "ppks").ok(), Some(vec!["alamat".to_owned()]));
    }
}
