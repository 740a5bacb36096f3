//! `man`: one manual page for each command, into a folder. An older page of ours is replaced, any
//! other file is left alone.

use std::path::{Path, PathBuf};

use node::atomic;
use node::node::must_take_manual;
use serde::Serialize;

use crate::context::Context;
use crate::error::Failure;
use crate::help;
use crate::report::Report;

/// `man`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder; it is made where it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// What was written.
#[derive(Debug, Serialize)]
struct Written {
    folder: String,
    files: Vec<String>,
}

pub(crate) fn run(context: &mut Context<'_>, args: &Args) -> Result<Report, Failure> {
    let mut command = help::command(context.settings.language);
    command.build();
    let mut pages = Vec::new();
    render(&command, "wksbm", &args.folder, &mut pages)?;
    // A machine without a place for data has no data folder to keep out of.
    let data = context.folder().ok();
    must_take_manual(data, &args.folder, pages.iter().map(|(name, _)| name.as_str()))?;
    std::fs::create_dir_all(&args.folder).map_err(|error| Failure::folder(&args.folder, error))?;
    let mut files = Vec::new();
    for (name, page) in pages {
        let path = args.folder.join(&name);
        atomic::write(&path, &page).map_err(|error| Failure::file("write", &path, error))?;
        files.push(name);
    }
    let written = Written { folder: args.folder.display().to_string(), files };
    context.report(&written, |page, words, written| {
        page.good(words.say("page-man-written"));
        page.pair(words.say("page-folder"), &written.folder);
        page.pair(words.say("page-files"), written.files.len());
    })
}

/// The page of this command by its file's name, then those of the commands below it.
fn render(
    command: &clap::Command,
    name: &str,
    folder: &Path,
    pages: &mut Vec<(String, Vec<u8>)>,
) -> Result<(), Failure> {
    let file = format!("{name}.1");
    let mut bytes = Vec::new();
    let rendered = clap_mangen::Man::new(command.clone()).render(&mut bytes);
    rendered.map_err(|error| Failure::file("write", &folder.join(&file), error))?;
    pages.push((file, bytes));
    command
        .get_subcommands()
        .try_for_each(|below| render(below, &format!("{name}-{}", below.get_name()), folder, pages))
}
