//! `/`: who I am, how far my work has come, what to act on, and the way to the records.

use askama::Template;
use crdt_schema::record::Schema;
use node::answer::{MemberState, RecordList};
use node::error::NodeError;
use node::node::{ListAsk, Node};

use super::alarms::{Alarm, alarms};
use super::frame::{Frame, Ground, Homes, Tab};
use super::honest::{self, Line};
use super::list::{Row, rows};
use super::{said, value};

/// Conflicts named on the first page.
const CONFLICTS_SHOWN: usize = 3;

/// What the page asks of the node.
pub(super) struct Facts {
    ground: Ground,
    homes: Homes,
    counts: Vec<(&'static str, u64)>,
    conflicts: RecordList,
}

impl Facts {
    pub(super) fn of(node: &Node) -> Result<Self, NodeError> {
        let ground = Ground::of(node)?;
        let forked = ground.status.forks.iter().map(|fork| fork.device);
        let homes = Homes::of(node, forked);
        let mut counts = Vec::new();
        for kind in Schema::standard().kinds() {
            let ask = ListAsk { kind: Some(kind.name.to_owned()), limit: 1, ..ListAsk::default() };
            counts.push((kind.name, node.record_list(&ask)?.total));
        }
        let ask = ListAsk { conflicts_only: true, limit: CONFLICTS_SHOWN, ..ListAsk::default() };
        let conflicts = node.record_list(&ask)?;
        Ok(Self { ground, homes, counts, conflicts })
    }
}

/// The page.
#[derive(Template)]
#[template(path = "beranda.html")]
pub(super) struct Page {
    frame: Frame,
    line: Line,
    alarms: Vec<Alarm>,
    records: String,
    kinds: Vec<Kind>,
    conflicts: Vec<Row>,
    device: String,
    state: &'static str,
    above: String,
}

/// One kind with how many records it has.
struct Kind {
    name: &'static str,
    word: String,
    title: String,
    count: String,
}

impl Page {
    pub(super) fn new(facts: &Facts) -> Self {
        let ground = &facts.ground;
        let kind = |(name, count): &(&'static str, u64)| Kind {
            name,
            word: value::kind_word(name),
            title: value::kind_title(name),
            count: said::number(*count),
        };
        let above: Vec<String> = ground.above.iter().map(said::place).collect();
        Self {
            frame: Frame::new(ground, "Beranda", Tab::Home),
            line: honest::line(ground),
            alarms: alarms(ground, &facts.homes),
            records: said::number(ground.status.records),
            kinds: facts.counts.iter().filter(|(_, count)| *count > 0).map(kind).collect(),
            conflicts: rows(&facts.conflicts, &[]),
            device: said::device(&ground.status.device),
            state: state(ground.status.state),
            above: above.join(", "),
        }
    }
}

const fn state(state: MemberState) -> &'static str {
    match state {
        MemberState::Active => "Aktif: yang ditulis di sini dihitung di semua tingkat.",
        MemberState::Provisional => "Menunggu pengesahan: yang ditulis di sini belum dihitung.",
        MemberState::Closed => "Ditutup: yang baru tidak lagi dihitung.",
        MemberState::Revoked => "Dicabut: yang ditulis di sini tidak dihitung.",
    }
}
