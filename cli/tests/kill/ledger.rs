//! What the binary acknowledged, in a file of its own that is synced before the next kill.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;

use serde_json::Value;

use crate::machine::Machine;

/// Entries that are looked for in their histories after each kill; at the end it is all.
const NEWEST: usize = 2;

/// Every acknowledgement.
#[derive(Debug)]
pub(crate) struct Ledger {
    file: File,
    /// Record and entry of each save.
    saves: Vec<(String, Value)>,
    /// Records that imports took.
    taken: BTreeSet<String>,
}

impl Ledger {
    /// An empty one, beside the machine's data folder.
    pub(crate) fn new(machine: &Machine) -> Self {
        let file = File::create_new(machine.path("ledger")).unwrap();
        Self { file, saves: Vec::new(), taken: BTreeSet::new() }
    }

    /// Acknowledgements so far.
    pub(crate) fn len(&self) -> usize {
        self.saves.len() + self.taken.len()
    }

    /// A save was acknowledged; the answer of an import names no record and is none.
    pub(crate) fn wrote(&mut self, answer: &Value) {
        let (Some(record), Some(entry)) = (answer.get("record"), answer.get("entry")) else {
            return;
        };
        let record = record.as_str().unwrap().to_owned();
        self.keep(&format!("{record} {entry}"));
        self.saves.push((record, entry.clone()));
    }

    /// An import of these records was acknowledged.
    pub(crate) fn took(&mut self, records: BTreeSet<String>) {
        self.keep(&format!("{} records", records.len()));
        self.taken.extend(records);
    }

    fn keep(&mut self, line: &str) {
        writeln!(self.file, "{line}").unwrap();
        self.file.sync_all().unwrap();
    }

    /// One of the records saved here.
    pub(crate) fn any_record(&self, chance: u64) -> Option<String> {
        let count = u64::try_from(self.saves.len()).unwrap();
        let place = usize::try_from(chance.checked_rem(count)?).unwrap();
        self.saves.get(place).map(|(record, _)| record.clone())
    }

    /// Every record acknowledged is listed.
    pub(crate) fn every_record_is_listed(&self, machine: &Machine) {
        let listed = records_of(machine);
        let saved = self.saves.iter().map(|(record, _)| record);
        let lost: Vec<&String> =
            saved.chain(&self.taken).filter(|record| !listed.contains(*record)).collect();
        assert!(lost.is_empty(), "lost: {lost:?}");
    }

    /// The newest entries are in the histories of their records.
    pub(crate) fn newest_entries_are_in_their_histories(&self, machine: &Machine) {
        let from = self.saves.len().saturating_sub(NEWEST);
        entries_are_held(machine, self.saves.get(from..).unwrap());
    }

    /// All entries are.
    pub(crate) fn every_entry_is_in_its_history(&self, machine: &Machine) {
        entries_are_held(machine, &self.saves);
    }
}

/// The ids of all records of a machine, page by page.
pub(crate) fn records_of(machine: &Machine) -> BTreeSet<String> {
    let (mut found, mut cursor) = (BTreeSet::new(), None::<String>);
    loop {
        let after = cursor.as_deref().map_or(vec![], |cursor| vec!["--after", cursor]);
        let page = machine.done(&[&["record", "list", "--limit", "1000"], &after[..]].concat());
        for record in page.get("records").unwrap().as_array().unwrap() {
            found.insert(record.get("record").unwrap().as_str().unwrap().to_owned());
        }
        cursor = page.get("next").unwrap().as_str().map(str::to_owned);
        if cursor.is_none() {
            assert_eq!(page.get("total").unwrap().as_u64(), u64::try_from(found.len()).ok());
            return found;
        }
    }
}

fn entries_are_held(machine: &Machine, saves: &[(String, Value)]) {
    let records: BTreeSet<&String> = saves.iter().map(|(record, _)| record).collect();
    for record in records {
        let history = machine.done(&["record", "history", record]);
        let edits = history.get("edits").unwrap().as_array().unwrap();
        for (_, entry) in saves.iter().filter(|(of, _)| of == record) {
            let held = edits.iter().any(|edit| edit.get("entry") == Some(entry));
            assert!(held, "{entry} of {record} is lost");
        }
    }
}
