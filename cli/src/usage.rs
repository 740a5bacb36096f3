//! A command line that is wrong, told in the operator's language; help and version on the way.

use clap::error::{ContextKind, ContextValue, ErrorKind as Wrong};

use crate::error::Failure;
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
    let value = || Fact::new("value", fact(error, ContextKind::InvalidValue));
    let near = || Fact::new("near", suggestion(error));
    match kind {
        Wrong::MissingSubcommand => Failure::usage("usage-no-command", Vec::new()),
        Wrong::InvalidSubcommand => {
            let word = Fact::new("argument", fact(error, ContextKind::InvalidSubcommand));
            Failure::usage("usage-unknown-command", vec![word, near()])
        }
        // A word too many may be part of somebody's name: it is not repeated.
        Wrong::UnknownArgument if !argument().value().starts_with('-') => {
            Failure::usage("usage-word-too-many", Vec::new())
        }
        Wrong::UnknownArgument => {
            Failure::usage("usage-unknown-argument", vec![argument(), near()])
        }
        Wrong::MissingRequiredArgument => Failure::usage("usage-missing", vec![argument()]),
        Wrong::ArgumentConflict => {
            let other = Fact::new("other", fact(error, ContextKind::PriorArg));
            Failure::usage("usage-conflict", vec![argument(), other])
        }
        Wrong::InvalidValue if value().value().is_empty() => {
            Failure::usage("usage-no-value", vec![argument()])
        }
        Wrong::InvalidValue => {
            let known = Fact::new("known", fact(error, ContextKind::ValidValue));
            Failure::usage("usage-unknown-value", vec![argument(), value(), known])
        }
        Wrong::ValueValidation => Failure::usage("usage-value", vec![argument(), value()]),
        Wrong::NoEquals
        | Wrong::TooManyValues
        | Wrong::TooFewValues
        | Wrong::WrongNumberOfValues => Failure::usage("usage-count", vec![argument()]),
        Wrong::InvalidUtf8 => Failure::usage("usage-letters", Vec::new()),
        _ => Failure::usage("usage-other", vec![Fact::new("what", first_line(error))]),
    }
}

/// A part of what clap knows about the error; empty where it knows nothing.
fn fact(error: &clap::Error, part: ContextKind) -> String {
    error.get(part).map(shown).unwrap_or_default()
}

#[expect(clippy::wildcard_enum_match_arm, reason = "clap may know new shapes of a fact")]
fn shown(value: &ContextValue) -> String {
    match value {
        ContextValue::String(text) => text.clone(),
        ContextValue::Strings(texts) => texts.join(", "),
        ContextValue::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

/// The nearest known word, or a way to see them all.
fn suggestion(error: &clap::Error) -> String {
    let near =
        [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    let found = near.into_iter().map(|part| fact(error, part)).find(|text| !text.is_empty());
    found.unwrap_or_else(|| "--help".to_owned())
}

fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}
