//! `synth`: synthetic people and records, into this node or as JSON lines.

use std::path::PathBuf;

use clap::ArgGroup;
use node::ask::MakeSynthetic;
use node::node::{SynthAsk, synth_jsonl};

use super::show;
use crate::context::Context;
use crate::error::Failure;
use crate::report::Report;

/// A village, a kecamatan, a kabupaten, the province; areas that change, a disaster, a deadline.
const PRESETS: [&str; 8] =
    ["mini", "desa", "kec", "kab", "prov", "pemekaran", "bencana", "tenggat"];

/// `synth`.
#[derive(clap::Args)]
#[command(group = ArgGroup::new("into").required(true).args(["into_node", "jsonl"]))]
pub(crate) struct Args {
    /// What is made: mini, desa, kec, kab, prov, pemekaran, bencana or tenggat
    #[arg(long, value_name = "PRESET", hide_possible_values = true,
          value_parser = PRESETS)]
    preset: String,
    /// The same seed makes the same people on every machine
    #[arg(long, value_name = "N")]
    seed: u64,
    /// Write the records into this node
    #[arg(long)]
    into_node: bool,
    /// Write the records as JSON lines into this file; needs no node
    #[arg(long, value_name = "FILE")]
    jsonl: Option<PathBuf>,
    /// How many records instead of the preset's number
    #[arg(long, value_name = "N")]
    records: Option<u64>,
    /// Code of the area instead of the preset's
    #[arg(long, value_name = "CODE")]
    area: Option<String>,
}

pub(crate) fn run(context: &mut Context<'_>, args: Args) -> Result<Report, Failure> {
    let Args { preset, seed, records, area, .. } = args;
    let mut bar = context.bar("tell-making");
    let made = if let Some(file) = args.jsonl {
        let ask = SynthAsk { preset, seed, records, area };
        synth_jsonl(&ask, &file, context.folder().ok(), &mut bar)?
    } else {
        let reached = context.reach()?;
        context.tell_if_trial(reached.is_trial());
        reached.put(MakeSynthetic { preset, seed, records, area }, &mut bar)?
    };
    drop(bar);
    context.report(&made, |page, words, made| {
        let is_there = made.entries == 0;
        page.good(words.say(if is_there { "page-synth-there" } else { "page-synth-made" }));
        page.pair(words.say("page-preset"), &made.preset);
        page.pair(words.say("page-seed"), made.seed);
        page.pair(words.say("page-areas"), made.areas);
        page.pair(words.say("page-records"), made.records);
        page.pair(words.say("page-entries"), made.entries);
        page.pair("SHA-256".to_owned(), made.sha256.as_deref().unwrap_or(show::NONE));
    })
}
