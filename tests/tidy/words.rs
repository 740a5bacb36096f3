//! Words that may not stand in our sources.

use std::collections::BTreeMap;

use crate::imports::PURE;
use crate::reach::Reached;
use crate::source::{Source, places};

/// Clocks, randomness, files, sockets, threads: what the core is given, never takes.
const IMPURE: [&str; 24] = [
    "std::env",
    "std::fs",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "std::time",
    "fs::",
    "File::open",
    "File::create",
    "stdin",
    "stdout",
    "stderr",
    "SystemTime",
    "Instant",
    "Timestamp::now",
    "Zoned::now",
    "RandomState",
    "ActorId::random",
    "getrandom",
    "rand::",
    "tempfile",
    "tokio",
    "redb",
];

/// Macros that ship nothing anyone wants.
const UNFINISHED: [&str; 3] = ["todo!", "unimplemented!", "dbg!"];

/// Macros that print.
const PRINTING: [&str; 4] = ["println!", "print!", "eprintln!", "eprint!"];

/// Attributes that silence a lint for ever.
const SILENCING: [&str; 2] = ["#[allow", "#![allow"];

/// Whether a shipped file belongs to the pure core.
fn is_pure(path: &str) -> bool {
    let room = path.strip_prefix("node/src/").unwrap_or_default();
    let room = room.split('/').next().unwrap_or_default().trim_end_matches(".rs");
    path.starts_with("crdt-schema/src/") || PURE.contains(&room)
}

/// Whether a file may print.
fn may_print(path: &str) -> bool {
    path.ends_with("/console.rs") || path.contains("/bin/") || path.contains("/examples/")
}

/// Clocks and the like in the core.
pub(crate) fn impure(sources: &[Source], reached: &BTreeMap<String, Reached>) -> Vec<String> {
    let shipped = |source: &&Source| {
        is_pure(&source.path) && reached.get(&source.path).is_none_or(|it| !it.only_tests)
    };
    let mut found = Vec::new();
    for source in sources.iter().filter(shipped) {
        for word in IMPURE {
            let places = places(&source.shipped, word).into_iter();
            let alone = places.filter(|at| word != "fs::" || !is_in_path(&source.shipped, *at));
            found.extend(alone.map(|at| told(source, at, &format!("`{word}` in the pure core"))));
        }
    }
    found
}

fn is_in_path(code: &str, at: usize) -> bool {
    code.get(..at).is_some_and(|before| before.ends_with("::"))
}

/// Words that no file may hold, in code or, some, anywhere.
pub(crate) fn forbidden(sources: &[Source]) -> Vec<String> {
    let marks = [concat!("FIX", "ME"), concat!("XX", "X"), concat!("TO", "DO")];
    let machine = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("/Us", "ers/"),
        concat!("C:\\", "Users"),
    ];
    let mut found = Vec::new();
    for source in sources {
        let mut say = |code: &str, words: &[&str], why: &str| {
            for word in words {
                let each = places(code, word).into_iter();
                found.extend(each.map(|at| told(source, at, &format!("`{word}` {why}"))));
            }
        };
        say(&source.code, &UNFINISHED, "is unfinished");
        say(&source.text, &marks, "is unfinished");
        say(&source.code, &SILENCING, "hides a lint: use `expect` with its reason");
        say(&source.text, &machine, "is a path of one machine");
        if !may_print(&source.path) {
            say(&source.code, &PRINTING, "prints: only the console does");
        }
    }
    found
}

fn told(source: &Source, at: usize, what: &str) -> String {
    format!("{}:{}: {what}", source.path, source.line(at))
}

#[test]
fn a_clock_a_file_a_socket_or_chance_in_the_core_is_found() {
    for wrong in [
        "use std::time::SystemTime;",
        "let t = Instant::now();",
        "let now = jiff::Timestamp::now();",
        "use std::fs;",
        "fn f() { fs::read(x) }",
        "let file = File::open(x);",
        "use std::net::TcpStream;",
        "std::thread::spawn(f);",
        "tokio::spawn(f);",
        "use redb::Database;",
        "getrandom::fill(&mut x);",
        "let actor = ActorId::random();",
        "let map = HashMap::with_hasher(RandomState::new());",
        "println!(); std::io::stdout();",
    ] {
        for path in ["crdt-schema/src/entry/mod.rs", "node/src/sync/x.rs", "node/src/ports.rs"] {
            let found = impure(&[Source::new(path, wrong)], &BTreeMap::new());
            assert!(!found.is_empty(), "{path}: {wrong}");
        }
        let above = impure(&[Source::new("node/src/store/x.rs", wrong)], &BTreeMap::new());
        assert!(above.is_empty(), "{above:?}");
    }
    for right in ["/// Not `SystemTime`.\nfn f() {}", "let instant = 1;", "use std::io;"] {
        assert!(impure(&[Source::new("node/src/sync/x.rs", right)], &BTreeMap::new()).is_empty());
    }
    let tests = "#[cfg(test)]\nmod tests { use std::fs; }";
    assert!(impure(&[Source::new("node/src/sync/x.rs", tests)], &BTreeMap::new()).is_empty());
}

#[test]
fn unfinished_printing_silencing_and_machine_words_are_found() {
    for wrong in [
        concat!("fn f() { to", "do!() }"),
        concat!("db", "g!(x);"),
        concat!("// FIX", "ME: later"),
        concat!("/* XX", "X */"),
        "println!(\"x\");",
        "eprint!(\"x\");",
        "#[allow(dead_code)]\nfn f() {}",
        "#![allow(clippy::all)]",
        concat!("const A: &str = \"/ho", "me/x\";"),
        concat!("include_str!(\"/wo", "rk/x\");"),
    ] {
        let found = forbidden(&[Source::new("node/src/a.rs", wrong)]);
        assert_eq!(found.len(), 1, "{wrong}: {found:?}");
    }
    for right in [
        "//! A list of things to do; dbg! and println! are only named here.",
        "#[expect(dead_code, reason = \"x\")]\nfn allow() {}",
        "writeln!(out)?;",
    ] {
        assert!(forbidden(&[Source::new("node/src/a.rs", right)]).is_empty(), "{right}");
    }
    assert!(forbidden(&[Source::new("cli/src/console.rs", "println!();")]).is_empty());
}
