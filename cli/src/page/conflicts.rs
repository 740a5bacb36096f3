//! `/konflik`: every field that two people filled in differently, with both values.

use askama::Template;
use node::answer::{RecordList, RecordShow};
use node::error::NodeError;
use node::node::{ListAsk, Node};
use serde::Deserialize;

use super::frame::{Frame, Ground, Homes, Tab};
use super::record::{Line, line, name};
use super::{said, value};

/// Records of a page: each shows its fields.
const RECORDS: usize = 20;

/// Where the page before ended.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    setelah: String,
}

/// What the page asks of the node.
pub(super) struct Facts {
    ground: Ground,
    list: RecordList,
    shown: Vec<RecordShow>,
    homes: Homes,
    first: bool,
}

impl Facts {
    pub(super) fn of(node: &Node, wanted: &Wanted) -> Result<Self, NodeError> {
        let ground = Ground::of(node)?;
        let after = Some(wanted.setelah.clone()).filter(|after| !after.is_empty());
        let first = after.is_none();
        let ask = ListAsk { conflicts_only: true, limit: RECORDS, after, ..ListAsk::default() };
        let list = node.record_list(&ask)?;
        let show = |row: &node::answer::RecordRow| node.record_show(&row.record.to_string(), None);
        let shown: Vec<RecordShow> = list.records.iter().map(show).collect::<Result<_, _>>()?;
        let fields = shown.iter().flat_map(|show| &show.fields).map(|(_, field)| field);
        let devices = fields
            .flat_map(|field| field.others.iter().map(|other| other.device).chain([field.device]));
        let homes = Homes::of(node, devices);
        Ok(Self { ground, list, shown, homes, first })
    }
}

/// The page.
#[derive(Template)]
#[template(path = "konflik.html")]
pub(super) struct Page {
    frame: Frame,
    summary: String,
    records: Vec<Record>,
    first: bool,
    next: Option<String>,
}

/// One record with its fields in conflict.
struct Record {
    id: String,
    name: String,
    kind: String,
    fields: Vec<Line>,
}

impl Page {
    pub(super) fn new(facts: &Facts) -> Self {
        let summary = match facts.list.total {
            0 => "Tidak ada konflik. Semua isian sepakat.".to_owned(),
            total => format!("{} catatan mempunyai isian yang berbeda.", said::number(total)),
        };
        Self {
            frame: Frame::new(&facts.ground, "Konflik", Tab::Conflicts),
            summary,
            records: facts.shown.iter().map(|show| record(show, &facts.homes)).collect(),
            first: facts.first,
            next: facts.list.next.clone(),
        }
    }
}

fn record(show: &RecordShow, homes: &Homes) -> Record {
    let kind = value::kind(&show.kind);
    let contested = show.fields.iter().filter(|(_, field)| !field.others.is_empty());
    Record {
        id: show.record.to_string(),
        name: name(kind, show),
        kind: value::kind_word(&show.kind),
        fields: contested.map(|(field, shown)| line(kind, field, shown, homes)).collect(),
    }
}
