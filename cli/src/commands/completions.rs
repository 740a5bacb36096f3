//! `completions`: what a shell needs to complete our words.

use clap_complete::Shell;

use crate::context::Context;
use crate::help;
use crate::report::Report;

/// `completions`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// bash, elvish, fish, powershell or zsh
    #[arg(value_enum, value_name = "SHELL", hide_possible_values = true)]
    shell: Shell,
}

pub(crate) fn run(context: &Context<'_>, args: &Args) -> Report {
    let mut script = Vec::new();
    let mut command = help::command(context.settings.language);
    clap_complete::generate(args.shell, &mut command, "wksbm", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    Report::text("script", script, context.settings.json)
}
