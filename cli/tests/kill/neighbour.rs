//! A kabupaten that nobody kills: the bundles that are imported come from it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::ledger::records_of;
use crate::machine::Machine;

/// Records a bundle brings that the one before did not.
const RECORDS: &str = "30";

/// Where they belong.
const DESA: &str = "32.09.21.2002";

/// A confirmed kabupaten.
#[derive(Debug)]
pub(crate) struct Neighbour {
    machine: Machine,
    /// Bundles made so far.
    made: u64,
    /// The newest bundle and the records in it, until an import of it was acknowledged.
    open: Option<(String, BTreeSet<String>)>,
}

impl Neighbour {
    /// One that the province invited and confirmed, by files.
    pub(crate) fn of(province: &Machine) -> Self {
        let machine = Machine::empty();
        let invitation = machine.path("undangan");
        province.done(&["invite", "--area", "32.09", "-o", &invitation]);
        let joined = machine.done(&["join", "--invitation", &invitation]);
        let neighbour = Self { machine, made: 0, open: None };
        province.done(&["bundle", "import", &neighbour.bundle_of_all()]);
        let device = joined.get("device").unwrap().as_str().unwrap();
        province.done(&["member", "confirm", device]);
        neighbour.take(province);
        neighbour
    }

    /// Runs a command on its folder.
    pub(crate) fn done(&self, line: &[&str]) -> Value {
        self.machine.done(line)
    }

    /// A bundle of everything it holds.
    pub(crate) fn bundle_of_all(&self) -> String {
        let file = self.machine.path(&format!("paket-{}.wksbm", self.made));
        self.machine.done(&["bundle", "export", "--all", "-o", &file]);
        file
    }

    /// The newest bundle; with new records once the last one was taken.
    pub(crate) fn next_bundle(&mut self) -> String {
        if let Some((bundle, _)) = &self.open {
            return bundle.clone();
        }
        self.made += 1;
        let seed = self.made.to_string();
        let line = ["synth", "--into-node", "--preset", "desa", "--seed", &seed];
        self.machine.done(&[&line[..], &["--records", RECORDS, "--area", DESA]].concat());
        let bundle = self.bundle_of_all();
        self.open = Some((bundle.clone(), records_of(&self.machine)));
        bundle
    }

    /// An import of the newest bundle was acknowledged: the records in it.
    pub(crate) fn acknowledged(&mut self) -> BTreeSet<String> {
        self.open.take().unwrap().1
    }

    /// Takes everything the province holds.
    pub(crate) fn take(&self, province: &Machine) {
        let file = province.path("provinsi.wksbm");
        province.done(&["bundle", "export", "--all", "-o", &file]);
        self.machine.done(&["bundle", "import", &file]);
    }
}
