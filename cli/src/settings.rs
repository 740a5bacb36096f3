//! What was typed means something on this machine: folder, language, output.
//!
//! A flag wins over a variable, a variable over the platform's own. No other file of this crate asks
//! for a variable.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use directories::ProjectDirs;
use node::error::NodeError;

use crate::args::Globals;
use crate::error::Failure;

/// Names the data folder.
const DATA: &str = "WKSBM_DATA";
/// Names the language.
const LANG: &str = "WKSBM_LANG";
/// Any value but an empty one: no colours (<https://no-color.org>).
const NO_COLOR: &str = "NO_COLOR";

/// The languages people may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Language {
    /// Bahasa Indonesia.
    #[default]
    #[value(name = "id")]
    Indonesian,
    /// English.
    #[value(name = "en")]
    English,
}

impl Language {
    /// Both, the default first.
    pub const ALL: [Self; 2] = [Self::Indonesian, Self::English];

    /// `id` or `en`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Indonesian => "id",
            Self::English => "en",
        }
    }

    fn of(code: &OsStr) -> Option<Self> {
        Self::ALL.into_iter().find(|language| code == language.code())
    }
}

/// The environment variables of a process.
#[derive(Debug, Clone, Default)]
pub struct Variables(BTreeMap<String, OsString>);

impl Variables {
    /// This process's own; those whose names are not Unicode are none of ours.
    pub fn system() -> Self {
        let named = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value));
        Self(std::env::vars_os().filter_map(named).collect())
    }

    /// Exactly these.
    pub fn of<const N: usize>(pairs: [(&str, &str); N]) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect())
    }

    /// The value; an empty one is none.
    fn value(&self, name: &str) -> Option<&OsStr> {
        self.0.get(name).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }
}

/// What must be known before the command line is understood, because a command line that is wrong
/// is answered in the right form too.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FirstLook {
    /// `--json` stands somewhere.
    pub(crate) json: bool,
    /// The language to answer in.
    pub(crate) language: Language,
    /// `NO_COLOR` is set.
    pub(crate) plain: bool,
    /// `WKSBM_LANG` decides and names no language.
    pub(crate) odd_language: bool,
}

impl FirstLook {
    /// Looks at the words without understanding them; behind `--` there are no flags.
    pub(crate) fn of(args: &[OsString], variables: &Variables) -> Self {
        let flags = || args.iter().take_while(|arg| *arg != "--");
        let behind = flags().skip_while(|arg| *arg != "--lang").nth(1);
        let joined = flags().find_map(|arg| arg.to_str()?.strip_prefix("--lang="));
        let typed = joined.map(OsStr::new).or(behind.map(OsString::as_os_str));
        let language = typed.and_then(Language::of);
        Self {
            json: flags().any(|arg| arg == "--json"),
            language: language.unwrap_or_else(|| variables.language()),
            odd_language: typed.is_none() && variables.names_no_language(),
            plain: variables.value(NO_COLOR).is_some(),
        }
    }
}

impl Variables {
    /// Whether `WKSBM_LANG` is none of the languages.
    fn names_no_language(&self) -> bool {
        self.value(LANG).is_some_and(|value| Language::of(value).is_none())
    }

    /// The language of `WKSBM_LANG`; anything but `en` is Indonesian, so that a machine set up
    /// wrongly still speaks to its operator, who is told.
    fn language(&self) -> Language {
        self.value(LANG).and_then(Language::of).unwrap_or_default()
    }
}

/// Who named the data folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NamedBy {
    Flag,
    Variable,
    Platform,
}

/// What holds for this one command.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    folder: Option<PathBuf>,
    pub(crate) named_by: NamedBy,
    pub(crate) json: bool,
    pub(crate) quiet: bool,
    pub(crate) language: Language,
}

impl Settings {
    /// Flags over variables over the platform's own.
    pub(crate) fn new(globals: Globals, variables: &Variables) -> Self {
        let (folder, named_by) = if let Some(folder) = globals.data {
            (Some(folder), NamedBy::Flag)
        } else if let Some(folder) = variables.value(DATA) {
            (Some(PathBuf::from(folder)), NamedBy::Variable)
        } else {
            (platform_folder(), NamedBy::Platform)
        };
        Self {
            folder,
            named_by,
            json: globals.json,
            quiet: globals.quiet,
            language: globals.lang.unwrap_or_else(|| variables.language()),
        }
    }

    /// The data folder.
    ///
    /// # Errors
    /// `usage` when nothing names one, or a file is where it should be.
    pub(crate) fn folder(&self) -> Result<&Path, Failure> {
        let folder = self.folder.as_deref();
        let folder = folder.ok_or_else(|| Failure::usage("usage-no-data-folder", Vec::new()))?;
        // What is not there yet may be made; a file in its way is no failing disk.
        match folder.ancestors().find(|place| place.exists()) {
            Some(file) if !file.is_dir() => {
                Err(NodeError::NoFolder { path: file.to_path_buf() }.into())
            }
            Some(_) | None => Ok(folder),
        }
    }

    /// Whether a node's truth lies in the folder already.
    pub(crate) fn holds_node(&self) -> bool {
        self.folder.as_deref().is_some_and(|folder| folder.join("feed.redb").exists())
    }
}

fn platform_folder() -> Option<PathBuf> {
    ProjectDirs::from("id", "", "wksbm").map(|dirs| dirs.data_dir().to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn globals(data: Option<&str>, lang: Option<Language>) -> Globals {
        Globals { data: data.map(PathBuf::from), json: false, lang, quiet: false }
    }

    fn look(words: &[&str], variables: &Variables) -> FirstLook {
        let args: Vec<OsString> = words.iter().map(OsString::from).collect();
        FirstLook::of(&args, variables)
    }

    #[test]
    fn a_flag_wins_over_a_variable_and_that_over_the_platform() {
        let variables = Variables::of([(DATA, "/by/variable"), (LANG, "en")]);
        let flag = Settings::new(globals(Some("/by/flag"), Some(Language::Indonesian)), &variables);
        assert_eq!(flag.folder().ok(), Some(Path::new("/by/flag")));
        assert_eq!((flag.named_by, flag.language), (NamedBy::Flag, Language::Indonesian));
        let variable = Settings::new(globals(None, None), &variables);
        assert_eq!(variable.folder().ok(), Some(Path::new("/by/variable")));
        assert_eq!((variable.named_by, variable.language), (NamedBy::Variable, Language::English));
        let neither = Settings::new(globals(None, None), &Variables::default());
        assert_eq!((neither.named_by, neither.language), (NamedBy::Platform, Language::Indonesian));
    }

    #[test]
    fn an_empty_variable_is_no_folder() {
        let settings = Settings::new(globals(None, None), &Variables::of([(DATA, "")]));
        assert_eq!(settings.named_by, NamedBy::Platform);
    }

    #[test]
    fn the_first_look_finds_json_and_language_in_a_command_line_that_is_wrong() {
        let none = Variables::default();
        assert!(look(&["wksbm", "no", "such", "--json"], &none).json);
        assert!(!look(&["wksbm", "x", "--", "--json"], &none).json);
        for words in [["wksbm", "--lang", "en"], ["wksbm", "x", "--lang=en"]] {
            assert_eq!(look(&words, &none).language, Language::English, "{words:?}");
        }
        let english = Variables::of([(LANG, "en")]);
        assert_eq!(look(&["wksbm"], &english).language, Language::English);
        assert_eq!(look(&["wksbm", "--lang", "id"], &english).language, Language::Indonesian);
        assert_eq!(look(&["wksbm", "--lang"], &none).language, Language::Indonesian);
    }
}
