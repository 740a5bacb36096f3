//! Tests that hold `docs/cli.md` and the binary together: neither may know what the other does not.

use std::collections::{BTreeMap, BTreeSet};

use clap::Command;

use crate::error::EXIT_CODES;
use crate::help;
use crate::settings::Language;

const PAGE: &str = include_str!("../../docs/cli.md");

/// Commands without commands below them, by path (`record add`).
fn leaves() -> BTreeMap<String, Command> {
    fn walk(command: &Command, path: &str, found: &mut BTreeMap<String, Command>) {
        for below in command.get_subcommands() {
            let path = format!("{path} {}", below.get_name());
            walk(below, &path, found);
            if !below.has_subcommands() {
                found.insert(path.trim().to_owned(), below.clone());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(&help::command(Language::English), "", &mut found);
    found
}

/// The page's sections on commands, by path.
fn sections() -> BTreeMap<String, &'static str> {
    let parts = PAGE.split("\n### `wksbm ").skip(1);
    parts
        .filter_map(|part| part.split_once('`').map(|(path, text)| (path.to_owned(), text)))
        .collect()
}

/// Every `--flag` and `-f` of the text.
fn flags_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-'));
    let flags = words.filter(|word| {
        let name = word.trim_start_matches('-');
        (word.starts_with("--") && name.len() > 1) || (word.len() == 2 && word.starts_with('-'))
    });
    flags.map(str::to_owned).collect()
}

fn flags_of(command: &Command) -> BTreeSet<String> {
    let own = command.get_arguments().filter(|arg| !arg.is_positional() && arg.get_id() != "help");
    own.flat_map(|arg| {
        let long = arg.get_long().map(|long| format!("--{long}"));
        let short = arg.get_short().map(|short| format!("-{short}"));
        long.into_iter().chain(short)
    })
    .collect()
}

#[test]
fn every_command_has_its_section_and_every_section_its_command() {
    let binary: BTreeSet<String> = leaves().into_keys().collect();
    let page: BTreeSet<String> = sections().into_keys().collect();
    assert!(binary.len() > 25, "{binary:?}");
    assert_eq!(binary, page);
}

#[test]
fn every_section_names_exactly_the_flags_of_its_command() {
    let globals = flags_of(&help::command(Language::English));
    assert!(globals.is_superset(&["--data", "--json"].map(str::to_owned).into()), "{globals:?}");
    let sections = sections();
    for (path, command) in leaves() {
        let mut said = flags_in(sections.get(&path).copied().unwrap_or_default());
        said.retain(|flag| !globals.contains(flag));
        assert_eq!(said, flags_of(&command), "`{path}`: the page, then the binary");
    }
}

#[test]
fn flags_and_variables_of_every_command_stand_in_the_first_section() {
    let head = PAGE.split("\n## 2.").next().unwrap_or_default();
    let said = flags_in(head);
    for flag in flags_of(&help::command(Language::English)).iter().filter(|f| f.len() > 2) {
        assert!(said.contains(flag), "{flag}");
    }
    for variable in ["WKSBM_DATA", "WKSBM_LANG", "NO_COLOR"] {
        assert!(head.contains(variable), "{variable}");
    }
}

#[test]
fn every_positional_stands_in_its_commands_section() {
    let sections = sections();
    for (path, command) in leaves() {
        let text = sections.get(&path).copied().unwrap_or_default();
        for arg in command.get_positionals() {
            let names = arg.get_value_names().unwrap_or_default();
            assert!(!names.is_empty());
            for name in names {
                assert!(text.contains(name.as_str()), "`{path}` takes {name}");
            }
        }
    }
}

#[test]
fn the_table_of_exit_codes_is_the_binarys() {
    let table = PAGE.split("\n## 2.").nth(1).and_then(|rest| rest.split("\n## 3.").next());
    let rows = table.unwrap_or_default().lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let code: u8 = cells.next()?.trim().parse().ok()?;
        let kinds = cells.nth(1)?.split('`').skip(1).step_by(2).map(str::to_owned);
        Some((code, kinds.collect::<Vec<_>>()))
    });
    let page: Vec<(u8, Vec<String>)> = rows.filter(|(code, _)| *code != 0).collect();
    let binary: Vec<(u8, Vec<String>)> = EXIT_CODES
        .iter()
        .map(|(code, kinds)| (*code, kinds.iter().map(|kind| kind.as_str().to_owned()).collect()))
        .collect();
    assert_eq!(page, binary);
}
