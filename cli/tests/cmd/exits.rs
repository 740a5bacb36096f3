//! The contract's exit table, row by row: each kind is provoked, told in both languages without
//! a personal word, and has changed nothing.

use std::collections::BTreeSet;
use std::path::PathBuf;

use cli::{EXIT_CODES, World, exit_code};
use node::error::ErrorKind;
use node::node::{Environment, Node};

use crate::desk::{Desk, Ended};
use crate::fixtures;
use crate::scenes::ROWS;

/// What no message may repeat: the person every scene's register holds, the beginning of whose NIK
/// is enough, and what a scene types.
pub(crate) const MARKS: [&str; 5] =
    ["Kembangsepatu", "320921450160900", "Jalan Rahasia", "081234509009", "3,20921E"];

/// Kinds that need a connection between nodes, or a mistake of ours: not in this stage.
const LATER: [ErrorKind; 6] = [
    ErrorKind::Internal,
    ErrorKind::NotEqual,
    ErrorKind::PortInUse,
    ErrorKind::PeerUnreachable,
    ErrorKind::Timeout,
    ErrorKind::PeerRefused,
];

/// What a refused command may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaves {
    /// The state of before.
    Nothing,
    /// Whole entries that were taken before it ended.
    WholeEntries,
}

/// A desk where one command line is refused, as often as it is typed.
pub(crate) struct Scene {
    pub(crate) desk: Desk,
    pub(crate) line: Vec<String>,
    pub(crate) stdin: String,
    pub(crate) leaves: Leaves,
    /// Somebody wished to end early before it began.
    pub(crate) interrupted: bool,
    /// Whoever must outlive the scene: other desks, mounts, holders of locks.
    pub(crate) kept: Vec<Box<dyn std::any::Any>>,
}

impl Scene {
    pub(crate) fn new(desk: Desk, line: &[&str]) -> Self {
        Self {
            desk,
            line: line.iter().map(|word| (*word).to_owned()).collect(),
            stdin: String::new(),
            leaves: Leaves::Nothing,
            interrupted: false,
            kept: Vec::new(),
        }
    }

    pub(crate) fn keeping(mut self, it: impl std::any::Any) -> Self {
        self.kept.push(Box::new(it));
        self
    }

    fn typed(&self, more: &[&str]) -> Ended {
        let world: World = self.desk.world();
        if self.interrupted {
            world.interrupt.set();
        }
        let line: Vec<&str> = self.line.iter().map(String::as_str).collect();
        self.desk.typed_in(&world, &[&line[..], more].concat(), &self.stdin)
    }

    /// Types the line three times: for programs, and for people in both languages.
    fn is_refused(&self, kind: ErrorKind, name: &str) {
        let name = &format!("{} ({name})", kind.as_str());
        let before = state(&self.desk);
        let told = self.typed(&["--json"]);
        object_is_whole(&told, kind, name);
        let indonesian = self.is_told(&[], ["Sebab:", "Saran:"], kind, name);
        let english = self.is_told(&["--lang", "en"], ["Why:", "Next:"], kind, name);
        for (one, other) in indonesian.iter().zip(&english) {
            assert_ne!(one, other, "{name}: the same in both languages");
        }
        if self.leaves == Leaves::Nothing {
            let after = state(&self.desk);
            let changed: Vec<_> = after.symmetric_difference(&before).collect();
            assert!(changed.is_empty(), "{name}: changed {changed:?}");
        }
    }

    /// What failed, why, what next: the three texts a person reads.
    fn is_told(
        &self,
        more: &[&str],
        labels: [&str; 2],
        kind: ErrorKind,
        name: &str,
    ) -> [String; 2] {
        let told = self.typed(more);
        assert_eq!(told.exit, exit_code(kind), "{name}: {}", told.stderr);
        assert!(told.stdout.is_empty() || [7, 12].contains(&told.exit), "{name}: {}", told.stdout);
        says_no_mark(&told.stdout, name);
        says_no_mark(&told.stderr, name);
        let mut lines = told.stderr.lines().skip_while(|line| !line.starts_with('✗'));
        let mut next = || lines.next().unwrap_or_default().trim().to_owned();
        let (what, why, then) = (next(), next(), next());
        for (text, label) in [(&why, labels[0]), (&then, labels[1])] {
            let said = text.strip_prefix(label).unwrap_or_default().trim();
            assert!(!said.is_empty(), "{name}: no `{label}` in {}", told.stderr);
        }
        assert!(what.chars().count() > 2, "{name}: {}", told.stderr);
        [what, then]
    }
}

/// One object, with every part of the error.
fn object_is_whole(told: &Ended, kind: ErrorKind, name: &str) {
    assert_eq!((told.kind().as_str(), told.exit), (kind.as_str(), exit_code(kind)), "{name}");
    let object = told.object();
    let error = object.get("error").unwrap().as_object().unwrap();
    let keys: Vec<&str> = error.keys().map(String::as_str).collect();
    assert_eq!(keys, ["kind", "message", "cause", "hint", "exit"], "{name}");
    let alone = object.as_object().unwrap().len() == 2;
    assert!(alone || [7, 12].contains(&told.exit), "{name}: {object}");
    says_no_mark(&told.stdout, name);
    says_no_mark(&told.stderr, name);
}

/// Fails when a text repeats a mark.
pub(crate) fn says_no_mark(text: &str, name: &str) {
    for mark in MARKS {
        assert!(!text.contains(mark), "{name}: `{mark}` in {text}");
    }
}

/// Everything that may not change: all files by their bytes; the stores, which redb touches at
/// every opening, row by row, and what a node says of them.
fn state(desk: &Desk) -> BTreeSet<(PathBuf, String)> {
    let said = |(path, bytes): (PathBuf, Vec<u8>)| (path, format!("{bytes:02x?}"));
    let mut state: BTreeSet<(PathBuf, String)> = desk.files().into_iter().map(said).collect();
    let store = desk.data().join("feed.redb");
    if let Some(rows) = fixtures::rows(&store) {
        state.retain(|(path, _)| path.extension().is_none_or(|ending| ending != "redb"));
        state.extend(
            String::from_utf8(rows).unwrap().lines().map(|row| (store.clone(), row.into())),
        );
    }
    let environment = Environment::system(World::system().environment.schema);
    if let Ok(node) = Node::open(&desk.data(), environment) {
        let mut status = node.status().unwrap();
        (status.store.bytes, status.store.free) = (0, None);
        state.insert(("status".into(), format!("{status:?}")));
        state.insert(("root".into(), format!("{:?}", node.root(Some("32")))));
        state.insert(("records".into(), format!("{:?}", node.record_conflicts(None))));
        node.close();
    }
    state
}

/// Every row of one exit code.
fn rows_of(code: u8) {
    let rows = ROWS.iter().filter(|(kind, ..)| exit_code(*kind) == code);
    for (kind, name, make) in rows {
        match make() {
            Ok(scene) => scene.is_refused(*kind, name),
            Err(why) => fixtures::skipped(&format!("{} ({name})", kind.as_str()), &why),
        }
    }
}

#[test]
fn every_row_of_the_table_is_provoked_here_or_belongs_to_a_later_stage() {
    let all: BTreeSet<ErrorKind> =
        EXIT_CODES.iter().flat_map(|(_, kinds)| kinds.iter().copied()).collect();
    let here: BTreeSet<ErrorKind> = ROWS.iter().map(|(kind, ..)| *kind).collect();
    let later: BTreeSet<ErrorKind> = LATER.into_iter().collect();
    assert!(here.is_disjoint(&later), "{:?}", here.intersection(&later));
    let told = &here | &later;
    let neither: Vec<_> = all.difference(&told).collect();
    assert!(neither.is_empty(), "no scene provokes {neither:?}");
}

#[test]
fn exit_2_usage() {
    rows_of(2);
}

#[test]
fn exit_3_what_is_not_there() {
    rows_of(3);
}

#[test]
fn exit_4_values_refused() {
    rows_of(4);
}

#[test]
fn exit_5_files_not_as_written() {
    rows_of(5);
}

#[test]
fn exit_7_damage() {
    rows_of(7);
}

#[test]
fn exit_8_not_allowed() {
    rows_of(8);
}

#[test]
fn exit_9_other_networks_and_used_invitations() {
    rows_of(9);
}

#[test]
fn exit_10_stores_that_cannot_be_opened() {
    rows_of(10);
}

#[test]
fn exit_11_the_disk() {
    rows_of(11);
}

#[test]
fn exit_12_partly_done() {
    rows_of(12);
}

#[test]
fn exit_130_interrupted() {
    rows_of(130);
}
