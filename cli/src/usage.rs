//! A command line that is wrong, told in the operator's language; help and version on the way.

use clap::error::{ContextKind, ContextValue, ErrorKind as Wrong};

use node::echo::{self, Echo};

use crate::error::Failure;
use crate::limits::OutOfLimits;
use crate::report::Report;
use crate::settings::FirstLook;
use crate::words::Fact;

/// What clap said: help and version are results, all else is a failure of kind `usage`.
///
/// # Errors
/// The failure.
pub(crate) fn explain(
    error: &clap::Error,
    look: FirstLook,
    colours: bool,
) -> Result<Report, Failure> {
    let shown = || {
        let text = error.render();
        if colours && !look.json { text.ansi().to_string() } else { text.to_string() }
    };
    let kind = error.kind();
    if kind == Wrong::DisplayHelp {
        Ok(Report::text("help", shown(), look.json))
    } else if kind == Wrong::DisplayVersion {
        let version =
            if look.json { env!("CARGO_PKG_VERSION").to_owned() } else { error.to_string() };
        Ok(Report::text("version", version, look.json))
    } else {
        Err(failure(kind, error))
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "clap may find new ways to be wrong")]
fn failure(kind: Wrong, error: &clap::Error) -> Failure {
    let argument = || Fact::new("argument", fact(error, ContextKind::InvalidArg));
    let value = || fact(error, ContextKind::InvalidValue);
    match kind {
        Wrong::MissingSubcommand => Failure::usage("usage-no-command", Vec::new()),
        Wrong::InvalidSubcommand => {
            let word = fact(error, ContextKind::InvalidSubcommand);
            unknown(&word, error, "usage-unknown-command", "usage-unknown-command-alone")
        }
        Wrong::UnknownArgument => {
            let word = fact(error, ContextKind::InvalidArg);
            // A word too many may be part of somebody's name, and a flag is never meant by it.
            if !word.starts_with('-') {
                return Failure::usage("usage-word-too-many", Vec::new());
            }
            unknown(&word, error, "usage-unknown-argument", "usage-unknown-argument-alone")
        }
        Wrong::MissingRequiredArgument => Failure::usage("usage-missing", vec![argument()]),
        Wrong::ArgumentConflict => {
            let other = Fact::new("other", fact(error, ContextKind::PriorArg));
            Failure::usage("usage-conflict", vec![argument(), other])
        }
        Wrong::InvalidValue if value().is_empty() => {
            Failure::usage("usage-no-value", vec![argument()])
        }
        Wrong::InvalidValue => {
            let known = fact(error, ContextKind::ValidValue);
            let echo = Echo::word(&value(), known.split(APART));
            let known = Fact::new("known", &known);
            Failure::usage(
                "usage-unknown-value",
                vec![argument(), Fact::typed("value", echo), known],
            )
        }
        Wrong::ValueValidation => {
            let echo = Echo::count(&value());
            let source = std::error::Error::source(error);
            if let Some(out) = source.and_then(|it| it.downcast_ref::<OutOfLimits>()) {
                let limits = [Fact::new("least", out.least), Fact::new("most", out.most)];
                let mut facts = vec![argument(), Fact::typed("value", echo)];
                facts.extend(limits);
                return Failure::usage(out.why, facts);
            }
            let key = form(&fact(error, ContextKind::InvalidArg));
            Failure::usage(key, vec![argument(), Fact::typed("value", echo)])
        }
        Wrong::NoEquals
        | Wrong::TooManyValues
        | Wrong::TooFewValues
        | Wrong::WrongNumberOfValues => Failure::usage("usage-count", vec![argument()]),
        Wrong::InvalidUtf8 => Failure::usage("usage-letters", Vec::new()),
        // What clap says in full may repeat a value; of what kind it is, does not.
        other => {
            let what = other.as_str().unwrap_or_default();
            Failure::usage("usage-other", vec![Fact::new("what", what)])
        }
    }
}

/// What is said of a value that has not the form its flag asks for, by the flag's own `<FORM>`.
fn form(argument: &str) -> &'static str {
    let form = argument.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    match form.map(|(form, _)| form) {
        Some("TIME") => "usage-value-time",
        Some("SIZE") => "usage-value-size",
        Some("MULTIADDR") => "usage-value-address",
        Some("N" | "S") => "usage-value-number",
        _ => "usage-value",
    }
}

/// A command or a flag that is none, with the words it may have been meant for; `alone` where
/// nothing resembles it.
fn unknown(word: &str, error: &clap::Error, key: &'static str, alone: &'static str) -> Failure {
    let near = suggestion(word, error);
    let echo = Echo::word(word, near.split(APART));
    let argument = Fact::typed("argument", echo);
    if near.is_empty() {
        Failure::usage(alone, vec![argument])
    } else {
        Failure::usage(key, vec![argument, Fact::new("near", near)])
    }
}

/// Between the words of a list.
const APART: &str = ", ";

/// A part of what clap knows about the error; empty where it knows nothing.
fn fact(error: &clap::Error, part: ContextKind) -> String {
    error.get(part).map(shown).unwrap_or_default()
}

#[expect(clippy::wildcard_enum_match_arm, reason = "clap may know new shapes of a fact")]
fn shown(value: &ContextValue) -> String {
    match value {
        ContextValue::String(text) => text.clone(),
        ContextValue::Strings(texts) => texts.join(APART),
        ContextValue::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

/// The nearest known words, the nearest first; empty where none is near.
fn suggestion(word: &str, error: &clap::Error) -> String {
    let near =
        [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    let found = near.into_iter().map(|part| fact(error, part)).find(|text| !text.is_empty());
    let found = found.unwrap_or_default();
    let mut near: Vec<&str> = found.split(APART).collect();
    near.sort_by_key(|near| echo::slips(word, near, usize::MAX));
    near.join(APART)
}
