//! The `wksbm` command as a library: [`run`] turns what was typed into an exit code.
//!
//! It is what an operator at a desk has of this system today, and what scripts rely on: pages in
//! Indonesian or English for the one, exactly one JSON object for the other, one table of exit codes
//! for both. `docs/cli.md` is the contract, and tests hold the two together.
//!
//! What was typed, what it means on this machine, and what is done are three things in three
//! places; a command returns a [`report::Report`] and prints nothing. Every command is a few calls
//! of `node`'s facade: no rule about records, authority or stores lives here.
//!
//! | file | holds |
//! |---|---|
//! | `args.rs` | what was typed: the tree of commands, the global flags |
//! | `help.rs` | the same tree with its texts in the operator's language |
//! | `usage.rs` | a command line that is wrong, in words |
//! | `settings.rs` | data folder, language, output: flag, else variable, else the platform's |
//! | `fields.rs` | `--field`, `--clear`, `--fields`: values, typed or read |
//! | `commands/` | one file per command; its `Args` carries the help |
//! | `context.rs` | what a command has at hand, and who answers it: the running node, or the store |
//! | `api/` | the local API: a running node's, and how commands ask it |
//! | `report.rs` | what a command hands back: one JSON object, or a page for people |
//! | `error.rs` | why not: kind, cause, hint; the table of exit codes |
//! | `words.rs` | texts for people, from `i18n/` |
//! | `page/` | the pages a browser shows: read only, Indonesian, without script |
//! | `progress.rs` | the bar, and Ctrl-C |
//! | `patience.rs` | how long other processes may take |
//! | `descriptors.rs` | how many files and sockets this process may open |
//! | `console.rs` | the only file that prints |

pub mod api;
mod args;
mod commands;
mod console;
mod context;
mod descriptors;
#[cfg(test)]
mod documented;
mod error;
mod fields;
mod help;
mod limits;
mod logs;
pub mod page;
mod patience;
mod progress;
mod report;
mod settings;
mod usage;
mod words;

use std::ffi::OsString;
use std::sync::Arc;

use crdt_schema::record::Schema;
use node::error::NodeError;
use node::guard;
use node::node::Environment;

pub use console::{Captured, Console};
pub use error::{EXIT_CODES, Failure, exit_code};
pub use logs::begin_if_asked as begin_log_if_asked;
pub use progress::Interrupt;
pub use settings::{Language, Variables};

use context::Context;
use report::Report;
use settings::{FirstLook, Settings};

/// Everything a command takes from outside, but the console.
#[derive(Debug, Clone)]
pub struct World {
    /// Kinds of record, clock and randomness of the node.
    pub environment: Environment,
    /// The environment variables.
    pub variables: Variables,
    /// Set when a person asks to end early.
    pub interrupt: Interrupt,
}

impl World {
    /// This machine, with the kinds of the programme.
    pub fn system() -> Self {
        Self {
            environment: Environment::system(Arc::new(Schema::standard().clone())),
            variables: Variables::system(),
            interrupt: Interrupt::default(),
        }
    }
}

/// What is said of a panic, with the place [`tell_panic`] kept.
const STOPPED: &str = "the program met a state that cannot be";

/// A panic hook that says nothing of what the program held, and no folder of whoever built it: a
/// panic's own text may quote a value. A panic that somebody waits for is told by them.
pub fn tell_panic(panic: &std::panic::PanicHookInfo<'_>) {
    if !guard::note(panic.location()) {
        Console::tell_at_once(&format!(
            "wksbm: internal, at {}",
            guard::place().unwrap_or_default()
        ));
    }
}

/// Our own mistake, as a failure.
fn stopped(at: Option<&str>) -> Failure {
    let place = at.map(|place| format!(" ({place})")).unwrap_or_default();
    NodeError::Internal { what: format!("{STOPPED}{place}") }.into()
}

/// Runs what was typed on this machine; returns the exit code of the contract's table.
///
/// `args` begins with the program's own name. Ctrl-C from now on ends work where it is whole.
pub fn run(args: impl IntoIterator<Item = OsString>, console: &mut Console) -> u8 {
    let world = World::system();
    world.interrupt.listen();
    run_with(&world, args, console)
}

/// Runs what was typed in a given world: other kinds, another clock, other variables.
pub fn run_with(
    world: &World,
    args: impl IntoIterator<Item = OsString>,
    console: &mut Console,
) -> u8 {
    let args: Vec<OsString> = args.into_iter().collect();
    let look = FirstLook::of(&args, &world.variables);
    if look.plain {
        console.be_plain();
    }
    if look.odd_language {
        console.warn(&words::Words::new(look.language).say("tell-odd-language"));
    }
    let ended = guard::guarded(|| execute(world, &args, look, console));
    let report = match ended {
        Ok(Ok(report)) => report,
        Ok(Err(failure)) => Report::failed(failure),
        // Our own mistake still ends in an object and an exit code that scripts know.
        Err(_) => Report::failed(stopped(guard::place().as_deref())),
    };
    finish(&report, look, console)
}

fn execute(
    world: &World,
    args: &[OsString],
    look: FirstLook,
    console: &mut Console,
) -> Result<Report, Failure> {
    let typed = match help::parse(args, look) {
        Ok(typed) => typed,
        Err(error) => return usage::explain(&error, look, console.colours()),
    };
    let settings = Settings::new(typed.globals, &world.variables);
    let mut context = Context::new(world, settings, console);
    commands::run(&mut context, typed.command)
}

/// Prints the report; a result that cannot be written is a failure of its own.
fn finish(report: &Report, look: FirstLook, console: &mut Console) -> u8 {
    let words = words::Words::new(look.language);
    match console.print(report, words, look.json) {
        Ok(()) => report.failure().map_or(0, Failure::exit),
        // Whoever read our output has seen enough: `wksbm ... | head`.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => 0,
        Err(error) => {
            let failure = Failure::output(error);
            console.complain(&failure, words);
            failure.exit()
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use serde_json::Value;

    use super::*;

    /// Runs one command line in a world with these variables; exit code, stdout, stderr.
    fn typed<const N: usize>(line: &[&str], variables: [(&str, &str); N]) -> (u8, Captured) {
        let world = World { variables: Variables::of(variables), ..World::system() };
        let args = ["wksbm"].iter().chain(line).map(OsString::from);
        let (mut console, captured) = Console::captured("");
        (run_with(&world, args, &mut console), captured)
    }

    fn object(captured: &Captured) -> Value {
        let text = captured.stdout();
        assert_eq!(text.lines().count(), 1, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_wrong_command_line_is_one_object_the_same_in_every_language() {
        for line in [
            &["no-such", "--json"][..],
            &["--json"],
            &["--json", "record", "add"],
            &["record", "list", "--limit", "none", "--json"],
            &["bundle", "export", "--json", "--all", "--area", "32", "-o", "x"],
            &["record", "set", "12345678", "--json"],
        ] {
            let (exit, indonesian) = typed(line, []);
            assert_eq!(exit, 2, "{line:?}");
            let (_, english) = typed(line, [("WKSBM_LANG", "en")]);
            assert_eq!(indonesian.stdout(), english.stdout());
            let object = object(&indonesian);
            assert_eq!(object.pointer("/error/kind").unwrap(), "usage", "{line:?}");
            assert!(!object.pointer("/error/cause").unwrap().as_str().unwrap().contains('$'));
        }
    }

    #[test]
    fn people_are_told_in_their_language_on_standard_error() {
        let (exit, told) = typed(&["recrod"], []);
        assert_eq!((exit, told.stdout().as_str()), (2, ""));
        assert!(told.stderr().contains("Perintah tidak dikenal: `recrod`"), "{}", told.stderr());
        let (_, told) = typed(&["recrod", "--lang", "en"], []);
        assert!(told.stderr().contains("There is no such command: `recrod`"), "{}", told.stderr());
    }

    #[test]
    fn a_variable_that_names_no_language_is_said_once_and_never_to_a_program() {
        let (exit, told) = typed(&["schema"], [("WKSBM_LANG", "xx")]);
        assert_eq!(exit, 0);
        assert_eq!(told.stderr().matches("WKSBM_LANG").count(), 1, "{}", told.stderr());
        assert!(!told.stdout().contains("WKSBM_LANG"));
        for (line, language) in [(&["schema"][..], "en"), (&["schema", "--lang", "id"], "xx")] {
            let (_, told) = typed(line, [("WKSBM_LANG", language)]);
            assert_eq!(told.stderr(), "", "{line:?}");
        }
    }

    #[test]
    fn a_file_in_place_of_the_data_folder_is_no_failing_disk() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for place in [file.path().to_path_buf(), file.path().join("below")] {
            for line in
                [&["status"][..], &["root"], &["network", "create", "--name", "U", "--area", "32"]]
            {
                let data = ["--json", "--data", place.to_str().unwrap()];
                let (exit, told) = typed(&[line, &data].concat(), []);
                assert_eq!(exit, 2, "{line:?}");
                let message = object(&told);
                let message = message.pointer("/error/message").unwrap().as_str().unwrap();
                assert!(message.ends_with("is no folder."), "{message}");
            }
        }
    }

    #[test]
    fn a_word_too_many_is_not_repeated() {
        let line =
            ["record", "add", "ppks", "--area", "32", "-f", "nama=Uji", "Sembilan", "--json"];
        let (exit, told) = typed(&line, []);
        assert_eq!(exit, 2);
        assert!(!told.stdout().contains("Sembilan"), "{}", told.stdout());
    }

    #[test]
    fn help_and_version_are_results() {
        let (exit, help) = typed(&["record", "add", "--help"], []);
        assert_eq!((exit, help.stderr().as_str()), (0, ""));
        assert!(help.stdout().contains("Pemakaian: wksbm record add"), "{}", help.stdout());
        let (_, english) = typed(&["--lang", "en", "record", "add", "--help"], []);
        assert!(english.stdout().contains("Usage: wksbm record add"));
        let (_, version) = typed(&["--version", "--json"], []);
        assert_eq!(object(&version).get("version").unwrap(), env!("CARGO_PKG_VERSION"));
    }

    #[test]
    fn global_flags_stand_before_or_after_the_command() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().to_str().unwrap();
        for line in [["--json", "man", to], ["man", "--json", to], ["man", to, "--json"]] {
            let (exit, written) = typed(&line, []);
            assert_eq!((exit, written.stderr().as_str()), (0, ""));
            assert_eq!(object(&written).get("folder").unwrap(), to);
        }
    }

    #[test]
    fn an_indonesian_alias_is_the_same_command() {
        let (_, english) = typed(&["record", "add", "--help"], []);
        let (_, indonesian) = typed(&["catatan", "tambah", "--help"], []);
        assert_eq!(english.stdout(), indonesian.stdout());
    }

    #[test]
    fn every_command_has_a_manual_page() {
        let folder = tempfile::tempdir().unwrap();
        let (exit, written) = typed(&["man", folder.path().to_str().unwrap(), "--json"], []);
        assert_eq!(exit, 0);
        let object = object(&written);
        let files = object.get("files").unwrap().as_array().unwrap();
        assert!(files.iter().any(|file| file == "wksbm-bundle-import.1"), "{files:?}");
        for file in files {
            let page = std::fs::read_to_string(folder.path().join(file.as_str().unwrap())).unwrap();
            assert!(page.contains(".TH") && page.contains("wksbm"), "{file}");
        }
    }

    #[test]
    fn every_shell_gets_completions_that_know_the_commands() {
        for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
            let (exit, script) = typed(&["completions", shell], []);
            assert_eq!(exit, 0);
            assert!(script.stdout().contains("conflicts"), "{shell}");
        }
    }
}
