//! `man`: one manual page for each command, into a folder.

use std::path::{Path, PathBuf};

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
    std::fs::create_dir_all(&args.folder)
        .map_err(|error| Failure::file("create", &args.folder, error))?;
    let mut command = help::command(context.settings.language);
    command.build();
    let mut files = Vec::new();
    write(&command, "wksbm", &args.folder, &mut files)?;
    let written = Written { folder: args.folder.display().to_string(), files };
    context.report(&written, |page, words, written| {
        page.good(words.say("page-man-written"));
        page.pair(words.say("page-folder"), &written.folder);
        page.pair(words.say("page-files"), written.files.len());
    })
}

/// The page of this command, then those of the commands below it.
fn write(
    command: &clap::Command,
    name: &str,
    folder: &Path,
    files: &mut Vec<String>,
) -> Result<(), Failure> {
    let file = format!("{name}.1");
    let path = folder.join(&file);
    let failed = |error| Failure::file("write", &path, error);
    let mut bytes = Vec::new();
    clap_mangen::Man::new(command.clone())
        .render(&mut bytes)
        .and_then(|()| std::fs::write(&path, &bytes))
        .map_err(failed)?;
    files.push(file);
    command
        .get_subcommands()
        .try_for_each(|below| write(below, &format!("{name}-{}", below.get_name()), folder, files))
}
