//! `area show`, `list`, `rehome`. Without a node the areas every network begins with are shown.

use clap::Subcommand;
use crdt_schema::area::{AreaTree, base_areas};
use node::answer::{AreaEntry, AreaList, AreaRehome, AreaShow};
use node::ask::{ListAreas, RehomeArea, ShowArea};
use node::describe;
use node::error::NodeError;

use super::show;
use crate::context::Context;
use crate::error::Failure;
use crate::report::{Page, Report};
use crate::words::Words;

/// Areas: codes, names, what lies above and below
#[derive(Subcommand)]
pub(crate) enum Args {
    /// One area, what lies above it and directly below
    #[command(visible_alias = "lihat")]
    Show {
        /// Code of the area, today's or a former one, with dots or without
        #[arg(value_name = "CODE")]
        code: String,
    },
    /// Areas in order of today's codes
    #[command(visible_alias = "daftar")]
    List {
        /// Only this area and all below it
        #[arg(long, value_name = "CODE")]
        under: Option<String>,
    },
    /// Give an area another code, and with it perhaps another place; by the authority above both
    #[command(visible_alias = "pindah")]
    Rehome {
        /// Today's code
        #[arg(value_name = "OLD")]
        old: String,
        /// The code from now on
        #[arg(value_name = "NEW")]
        new: String,
    },
}

pub(crate) fn run(context: &mut Context<'_>, args: &Args) -> Result<Report, Failure> {
    match args {
        Args::Show { code } => {
            let ask = ShowArea { code: code.clone() };
            let found = match context.reach_if_any()? {
                Some(reached) => reached.put(ask, &mut context.unseen())?,
                None => describe::area_show(&first_tree()?, None, code)?,
            };
            context.report(&found, area)
        }
        Args::List { under } => {
            let ask = ListAreas { under: under.clone() };
            let found = match context.reach_if_any()? {
                Some(reached) => reached.put(ask, &mut context.unseen())?,
                None => describe::area_list(&first_tree()?, None, under.as_deref())?,
            };
            context.report(&found, list)
        }
        Args::Rehome { old, new } => {
            let ask = RehomeArea { old: old.clone(), new: new.clone() };
            let moved = context.put(ask)?;
            context.report(&moved, rehomed)
        }
    }
}

/// The areas of the table: one province and all below it.
fn first_tree() -> Result<AreaTree, Failure> {
    let province = base_areas().find(|area| area.parent.is_none());
    let province = province
        .ok_or_else(|| NodeError::Internal { what: "the table has no province".to_owned() })?;
    Ok(AreaTree::new(province.id))
}

fn area(page: &mut Page, words: Words, found: &AreaShow) {
    let AreaEntry { area, name, level, .. } = &found.entry;
    page.title(format!("{}  {name}", called(&found.entry)));
    page.pair(words.say("page-level"), level);
    page.pair(words.say("page-id"), area.id());
    if !found.above.is_empty() {
        let path: Vec<String> =
            found.above.iter().map(|above| format!("{} {}", above.area, above.name)).collect();
        page.pair(words.say("page-above"), path.join(" > "));
    }
    if !found.former.is_empty() {
        let codes: Vec<String> = found.former.iter().map(ToString::to_string).collect();
        page.pair(words.say("page-former"), codes.join(", "));
    }
    if let Some(later) = found.later {
        page.pair(words.say("page-later"), later);
    }
    table(page, words, &found.below);
}

fn list(page: &mut Page, words: Words, list: &AreaList) {
    table(page, words, &list.areas);
    page.pair(words.say("page-total"), list.total);
}

fn table(page: &mut Page, words: Words, areas: &[AreaEntry]) {
    let row = |entry: &AreaEntry| vec![called(entry), entry.name.clone(), entry.level.clone()];
    let heads = show::heads(words, ["page-code", "page-name", "page-level"]);
    page.table(heads, areas.iter().map(row).collect());
}

/// Its code, and the id where another area bears that code too.
fn called(entry: &AreaEntry) -> String {
    if entry.shared_code {
        format!("{} ({})", entry.area, entry.area.id())
    } else {
        entry.area.to_string()
    }
}

fn rehomed(page: &mut Page, words: Words, done: &AreaRehome) {
    page.good(words.say("page-rehomed"));
    page.pair(words.say("page-id"), done.area_id);
    page.pair(words.say("page-old"), done.old);
    page.pair(words.say("page-new"), done.new);
    page.pair(words.say("page-entry"), show::entry(&done.entry));
}
