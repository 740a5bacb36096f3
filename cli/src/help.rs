//! The tree of commands with its texts in the operator's language, and the reading of it.
//!
//! English stands beside the flags in the sources. Indonesian lies in `i18n/id/help.ftl` under the
//! command's path (`help-record-add`), a flag's text as an attribute of it (`.area`); a test holds
//! the file to the tree.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command, CommandFactory, FromArgMatches};

use crate::args::Typed;
use crate::settings::{FirstLook, Language};
use crate::words::Words;

/// Reads a command line.
///
/// # Errors
/// clap's own: wrong, or a wish for help or the version.
pub(crate) fn parse(args: &[OsString], look: FirstLook) -> Result<Typed, clap::Error> {
    let matches = command(look.language).try_get_matches_from(args)?;
    Typed::from_arg_matches(&matches)
}

/// The tree of commands in `language`.
pub(crate) fn command(language: Language) -> Command {
    let words = Words::new(language);
    translate(Typed::command().disable_help_subcommand(true), "help", words)
}

fn translate(command: Command, key: &str, words: Words) -> Command {
    // Under a heading of our own clap sorts by name; people type in the order of declaration.
    let mut places = 0..;
    let command = command
        .disable_help_flag(true)
        .arg_required_else_help(false)
        .disable_version_flag(true)
        .subcommand_help_heading(words.say("page-help-commands"))
        .help_template(template(&words.say("page-help-usage")))
        .mut_args(|arg| translate_arg(arg, key, words).display_order(places.next()))
        .arg(help_flag(words));
    let mut command = if key == "help" { command.arg(version_flag(words)) } else { command };
    if words.language() != Language::English
        && let Some(about) = words.find(key)
    {
        command = command.about(about);
    }
    let names: Vec<String> =
        command.get_subcommands().map(|below| below.get_name().to_owned()).collect();
    names.iter().fold(command, |command, name| {
        command.mut_subcommand(name, |below| translate(below, &format!("{key}-{name}"), words))
    })
}

fn template(usage: &str) -> String {
    format!("{{about-with-newline}}\n{usage} {{usage}}\n\n{{all-args}}{{after-help}}\n")
}

fn translate_arg(arg: Arg, key: &str, words: Words) -> Arg {
    let heading = if arg.is_positional() {
        "page-help-arguments"
    } else if arg.is_global_set() {
        "page-help-global"
    } else {
        "page-help-options"
    };
    let arg = arg.help_heading(words.say(heading));
    if words.language() == Language::English {
        return arg;
    }
    let name = arg.get_id().as_str().replace('_', "-");
    let own = words.find(&format!("{key}.{name}"));
    match own.or_else(|| words.find(&format!("help-global.{name}"))) {
        Some(text) => arg.help(text),
        None => arg,
    }
}

fn help_flag(words: Words) -> Arg {
    let help = words.say("page-help-help");
    shared(Arg::new("help").short('h').long("help").action(ArgAction::Help).help(help), words)
}

fn version_flag(words: Words) -> Arg {
    let help = words.say("page-help-version");
    let version = Arg::new("version").short('V').long("version").action(ArgAction::Version);
    shared(version.help(help), words)
}

fn shared(arg: Arg, words: Words) -> Arg {
    arg.help_heading(words.say("page-help-global"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every key the tree asks for: a path, and a path with one of its own arguments. An argument
    /// without a text at its own command has one that several commands share.
    fn wanted(command: &Command, key: &str, known: &BTreeSet<String>, keys: &mut BTreeSet<String>) {
        keys.insert(key.to_owned());
        for arg in command.get_arguments() {
            let name = arg.get_id().as_str().replace('_', "-");
            let own = format!("{key}.{name}");
            let shared = format!("help-global.{name}");
            keys.insert(if known.contains(&own) { own } else { shared });
        }
        for below in command.get_subcommands() {
            wanted(below, &format!("{key}-{}", below.get_name()), known, keys);
        }
    }

    #[test]
    fn every_command_and_flag_has_an_indonesian_text_and_no_text_is_left_over() {
        let mut known = crate::words::tests::keys(Language::Indonesian);
        known.retain(|key| key.starts_with("help"));
        let mut keys = BTreeSet::from(["help-global".to_owned()]);
        wanted(&Typed::command(), "help", &known, &mut keys);
        assert!(keys.len() > 80, "the tree has {}", keys.len());
        let apart: Vec<&String> = keys.symmetric_difference(&known).collect();
        assert!(apart.is_empty(), "{apart:?}");
    }

    #[test]
    fn the_tree_holds_together_in_both_languages() {
        for language in Language::ALL {
            command(language).debug_assert();
        }
    }

    #[test]
    fn help_is_indonesian_first_and_english_when_asked_for() {
        let about = |language| {
            let tree = command(language);
            tree.find_subcommand("status").and_then(|s| s.get_about()).map(ToString::to_string)
        };
        assert_eq!(about(Language::English).as_deref(), Some("This node at a glance"));
        assert_ne!(about(Language::Indonesian), about(Language::English));
    }
}
