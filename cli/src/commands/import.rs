//! `import`: a sheet becomes records; without `--apply` only what would become of it is said.

use std::path::PathBuf;

use node::answer::{Import, RefusedRow};
use node::ask::ImportSheet;

use super::show;
use crate::context::Context;
use crate::error::Failure;
use crate::report::{Page, Report};
use crate::words::Words;

/// `import`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The sheet: CSV, XLSX, XLS or ODS
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Kind of the records
    #[arg(long, value_name = "KIND")]
    kind: String,
    /// Code of the area the records belong to
    #[arg(long, value_name = "CODE")]
    area: String,
    /// A TOML file that says which column is which field
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// Write the records; without it nothing is written
    #[arg(long)]
    apply: bool,
    /// Which of the persons on this device does it
    #[arg(long, value_name = "N", default_value_t = 0)]
    person: u8,
}

pub(crate) fn run(context: &mut Context<'_>, args: Args) -> Result<Report, Failure> {
    let reached = context.reach()?;
    if args.apply {
        context.tell_if_trial(reached.is_trial());
    }
    let ask = ImportSheet {
        file: args.file,
        kind: args.kind,
        area: args.area,
        map: args.map,
        apply: args.apply,
        person: args.person,
    };
    let mut bar = context.bar("tell-importing");
    let done = reached.put(ask, &mut bar)?;
    drop(bar);
    context.report(&done, fill)
}

fn fill(page: &mut Page, words: Words, done: &Import) {
    page.good(words.say(if done.applied { "page-sheet-applied" } else { "page-sheet-trial" }));
    page.pair(words.say("page-rows"), done.rows);
    page.pair(words.say("page-rows-new"), done.new);
    page.pair(words.say("page-rows-changed"), done.changed);
    page.pair(words.say("page-rows-unchanged"), done.unchanged);
    let refused: u64 = done.refused_by_rule.values().sum();
    page.pair(words.say("page-rows-refused"), refused.max(done.refused.len() as u64));
    page.pair(words.say("page-rows-warnings"), done.warnings);
    rows(page, words, "page-rows-refused", &done.refused);
    rows(page, words, "page-rows-warnings", &done.noticed);
}

fn rows(page: &mut Page, words: Words, title: &str, rows: &[RefusedRow]) {
    if rows.is_empty() {
        return;
    }
    page.title(words.say(title));
    let row = |row: &RefusedRow| {
        let near = row.near.as_ref().map(|near| format!(" ({near}?)")).unwrap_or_default();
        let field = format!("{}{near}", row.field);
        vec![row.row.to_string(), field, words.rule(&row.rule, &row.message)]
    };
    let heads = show::heads(words, ["page-row", "page-field", "page-what"]);
    page.table(heads, rows.iter().map(row).collect());
}
