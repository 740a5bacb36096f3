//! `record list`: one page of records.

use node::answer::{RecordList, RecordRow, Verdict};
use node::ask::ListRecords;
use node::echo::Echo;
use node::node::Layer;

use super::{look, show};
use crate::context::Context;
use crate::error::Failure;
use crate::fields;
use crate::limits::within;
use crate::report::{Page, Report};
use crate::words::{Fact, Words};

/// Most records one page may hold: what a small board lists in a moment, and far above what a
/// person reads.
const LIMIT_MAX: u64 = 10_000;

/// `record list`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only this kind
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only this area and all below it
    #[arg(long, value_name = "CODE")]
    area: Option<String>,
    /// Only records with these words: beginnings of names, a NIK, a KK; @- reads standard input
    #[arg(long, value_name = "TEXT")]
    query: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100, allow_negative_numbers = true,
          value_parser = within::<u32>(1..=LIMIT_MAX, "usage-list-limit"))]
    limit: u32,
    /// Where the last page ended, as it said
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
    /// Which records: that count (on a device that waits its own with them), that wait, that are
    /// quarantined, or all
    #[arg(long, value_enum, value_name = "LAYER")]
    layer: Option<LayerArg>,
}

/// `--layer`.
#[derive(Clone, Copy, clap::ValueEnum)]
enum LayerArg {
    Counting,
    Waiting,
    Quarantined,
    All,
}

impl From<LayerArg> for Layer {
    fn from(typed: LayerArg) -> Self {
        match typed {
            LayerArg::Counting => Self::Counting,
            LayerArg::Waiting => Self::Waiting,
            LayerArg::Quarantined => Self::Quarantined,
            LayerArg::All => Self::All,
        }
    }
}

pub(super) fn run(context: &mut Context<'_>, args: Args) -> Result<Report, Failure> {
    let named = Echo::Text("--query".to_owned());
    let query =
        args.query.map(|typed| fields::value(&typed, &named, context.console)).transpose()?;
    let ask = ListRecords {
        kind: args.kind,
        area: args.area,
        query,
        layer: args.layer.map(Layer::from),
        limit: args.limit,
        after: args.after,
        ..ListRecords::default()
    };
    let list = context.put(ask)?;
    context.report(&list, fill)
}

fn fill(page: &mut Page, words: Words, list: &RecordList) {
    let row = |row: &RecordRow| {
        vec![
            look::short(&row.record),
            row.kind.clone(),
            row.area.to_string(),
            row.label.as_deref().map_or_else(|| look::NONE.to_owned(), look::one_line),
            row.status.clone().unwrap_or_else(|| look::NONE.to_owned()),
            if row.conflicts > 0 { row.conflicts.to_string() } else { String::new() },
            look::moment(row.changed_at),
            if row.verdict == Verdict::Counting {
                String::new()
            } else {
                show::verdict(row.verdict, words)
            },
        ]
    };
    let heads = [
        "page-record",
        "page-kind",
        "page-area",
        "page-label",
        "page-status",
        "page-conflicts",
        "page-changed-at",
        "page-verdict",
    ];
    page.table(look::heads(words, heads), list.records.iter().map(row).collect());
    let facts = [Fact::new("shown", list.records.len()), Fact::new("total", list.total)];
    page.line(words.say_with("page-list-total", &facts));
    if let Some(next) = &list.next {
        page.line(words.say_with("page-list-next", &[Fact::new("cursor", next)]));
    }
}
