//! A network among nodes, by files alone; then records, roots and links, asked of the running nodes.

use std::time::Duration;

use serde_json::Value;

use crate::node::{LabNode, count, text};
use crate::wait::until;

/// The areas scenes play in: one below the other, and a desa beside.
pub(crate) const PROVINSI: &str = "32";
pub(crate) const KABUPATEN: &str = "32.09";
pub(crate) const KECAMATAN: &str = "32.09.21";
pub(crate) const DESA: &str = "32.09.21.2001";
pub(crate) const OTHER_DESA: &str = "32.09.21.2002";

/// For nodes on good lines to do something that takes them a moment. A slow machine is no failure.
pub(crate) const SOON: Duration = Duration::from_secs(60);

impl LabNode {
    /// Founds the network.
    #[track_caller]
    pub(crate) fn found(&mut self) {
        let line = ["network", "create", "--name", "Uji Lab", "--area", PROVINSI, "--trial"];
        text(&self.done(&line), "device").clone_into(&mut self.device);
    }

    /// Takes a node in: invitation, the joined device's bundle, confirmation, the issuer's bundle.
    #[track_caller]
    pub(crate) fn enrol(&self, other: &mut Self, area: &str) {
        let invitation = self.file(&format!("{}.wksbm-undangan", other.name));
        self.done(&["invite", "--area", area, "-o", &invitation]);
        let joined = other.done(&["join", "--invitation", &invitation]);
        text(&joined, "device").clone_into(&mut other.device);
        assert_eq!(text(&joined, "state"), "provisional");
        other.carry_all_to(self);
        self.done(&["member", "confirm", &other.device]);
        self.carry_all_to(other);
        assert_eq!(text(&other.done(&["status"]), "state"), "active");
    }

    /// Everything it holds, in a file.
    #[track_caller]
    pub(crate) fn carry_all_to(&self, other: &Self) -> Value {
        let bundle = self.file(&format!("{}-{}.wksbm", self.name, other.name));
        self.done(&["bundle", "export", "--all", "--clear", "-o", &bundle]);
        let taken = other.done(&["bundle", "import", &bundle]);
        std::fs::remove_file(bundle).unwrap();
        taken
    }

    /// Writes a record with this name: a group of neighbours. Its id.
    #[track_caller]
    pub(crate) fn add(&self, area: &str, name: &str) -> String {
        let name = format!("nama={name}");
        let line = ["record", "add", "kps", "--area", area, "-f", &name];
        let fields = ["-f", "bentuk=kelompok", "-f", "tahap=calon"];
        text(&self.done(&[&line[..], &fields].concat()), "record").to_owned()
    }

    /// Gives a field of a record a value.
    #[track_caller]
    pub(crate) fn set(&self, record: &str, field: &str, value: &str) {
        self.done(&["record", "set", record, "-f", &format!("{field}={value}")]);
    }

    /// The value of a record's field, if the node holds the record.
    #[track_caller]
    pub(crate) fn value(&self, record: &str, field: &str) -> Option<String> {
        let answer = self.ask(&["record", "show", record]);
        if answer.exit == 3 {
            assert_eq!(answer.kind(), Some("record_unknown"));
            return None;
        }
        assert_eq!(answer.exit, 0, "{}", answer.object);
        let value = answer.object.pointer(&format!("/fields/{field}/value"))?;
        Some(value.as_str().unwrap().to_owned())
    }

    /// Waits until a record's field has this value here.
    #[track_caller]
    pub(crate) fn sees(&self, record: &str, field: &str, value: &str, within: Duration) {
        until(&format!("{} sees {field} `{value}`", self.name), within, || {
            let held = self.value(record, field);
            if held.as_deref() == Some(value) { Ok(()) } else { Err(format!("{held:?}")) }
        });
    }

    /// Synthetic records of an area. Entries written.
    #[track_caller]
    pub(crate) fn synth(&self, area: &str, records: u64) -> u64 {
        let records = records.to_string();
        let line = ["synth", "--preset", "desa", "--seed", "7", "--into-node", "--area", area];
        count(&self.done(&[&line[..], &["--records", &records]].concat()), "/entries")
    }

    /// What `status` says of a peer.
    #[track_caller]
    pub(crate) fn peer(&self, other: &Self) -> Option<Value> {
        let status = self.done(&["status"]);
        let peers = status.get("peers").unwrap().as_array().unwrap().clone();
        peers.into_iter().find(|peer| text(peer, "device") == other.device)
    }

    /// Where `status` says that a peer is connected to.
    #[track_caller]
    pub(crate) fn link(&self, other: &Self) -> Option<String> {
        let peer = self.peer(other)?;
        let connected = peer.get("connected").unwrap().as_bool().unwrap();
        connected.then(|| text(&peer, "address").to_owned())
    }

    /// Waits until a peer is connected, at an address that pleases.
    #[track_caller]
    pub(crate) fn meets(
        &self,
        other: &Self,
        within: Duration,
        pleases: impl Fn(&str) -> bool,
    ) -> String {
        until(&format!("{} meets {}", self.name, other.name), within, || match self.link(other) {
            Some(address) if pleases(&address) => Ok(address),
            found => Err(format!("{found:?}")),
        })
    }

    /// Root, authority and entries of an area here.
    #[track_caller]
    pub(crate) fn root(&self, area: &str) -> Root {
        let object = self.done(&["root", "--area", area]);
        Root {
            hash: text(&object, "root").to_owned(),
            authority: text(&object, "authority").to_owned(),
            entries: count(&object, "/entries"),
        }
    }

    /// Nothing at rest is wrong. Not while the node runs.
    #[track_caller]
    pub(crate) fn verifies(&self) {
        let told = self.done(&["verify"]);
        assert_eq!(told.get("ok"), Some(&Value::Bool(true)), "{}: {told}", self.name);
    }
}

/// What two nodes compare by telephone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Root {
    pub(crate) hash: String,
    pub(crate) authority: String,
    pub(crate) entries: u64,
}

/// Waits until all hold the same of an area, at least so many entries.
#[track_caller]
pub(crate) fn equal(area: &str, nodes: &[&LabNode], entries: u64, within: Duration) -> Root {
    until(&format!("equal roots of {area}"), within, || {
        let roots: Vec<Root> = nodes.iter().map(|node| node.root(area)).collect();
        let first = roots.first().unwrap();
        let same = roots.iter().all(|root| root == first) && first.entries >= entries;
        if same { Ok(first.clone()) } else { Err(format!("{roots:?}")) }
    })
}
