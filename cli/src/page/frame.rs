//! What stands on every page: whose node this is, and that nobody in it is real.

use std::collections::BTreeMap;

use crdt_schema::id::DeviceId;
use node::answer::{AreaEntry, Status, When};
use node::error::NodeError;
use node::node::Node;

use super::said;

/// What every page asks of the node.
#[derive(Debug, Clone)]
pub(super) struct Ground {
    pub(super) status: Status,
    /// The area of this device.
    pub(super) home: AreaEntry,
    /// The areas above it, the nearest first.
    pub(super) above: Vec<AreaEntry>,
    pub(super) now: When,
}

impl Ground {
    pub(super) fn of(node: &Node) -> Result<Self, NodeError> {
        let status = node.status()?;
        let shown = node.area_show(&status.area.area.to_string())?;
        let above = shown.above.into_iter().rev().collect();
        Ok(Self { status, home: shown.entry, above, now: When(node.now()) })
    }

    /// The clock, where it can be right.
    pub(super) fn trusted_now(&self) -> Option<When> {
        self.status.clock.plausible.then_some(self.now)
    }
}

/// The pages, for the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    Home,
    Records,
    Conflicts,
    Network,
}

/// The frame of a page.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) title: String,
    pub(super) network: String,
    pub(super) trial: bool,
    pub(super) place: String,
    pub(super) code: String,
    pub(super) device: String,
    pub(super) conflicts: u64,
    pub(super) said_conflicts: String,
    pub(super) version: String,
    tab: Tab,
}

impl Frame {
    pub(super) fn new(ground: &Ground, title: impl Into<String>, tab: Tab) -> Self {
        let status = &ground.status;
        Self {
            title: title.into(),
            network: status.name.clone(),
            trial: status.trial,
            place: said::place(&ground.home),
            code: ground.home.area.to_string(),
            device: said::device(&status.device),
            conflicts: status.conflicts,
            said_conflicts: said::number(status.conflicts),
            version: status.version.clone(),
            tab,
        }
    }

    pub(super) fn links(&self) -> [Link; 4] {
        let link = |tab, to, text| Link { to, text, here: self.tab == tab };
        [
            link(Tab::Home, "/", "Beranda"),
            link(Tab::Records, "/catatan", "Catatan"),
            link(Tab::Conflicts, "/konflik", "Konflik"),
            link(Tab::Network, "/jaringan", "Jaringan"),
        ]
    }
}

/// One place of the navigation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub(super) to: &'static str,
    pub(super) text: &'static str,
    pub(super) here: bool,
}

/// Devices with the area each belongs to, as a page names them.
#[derive(Debug, Clone, Default)]
pub(super) struct Homes(BTreeMap<DeviceId, String>);

impl Homes {
    pub(super) fn of(node: &Node, devices: impl IntoIterator<Item = DeviceId>) -> Self {
        let mut homes = BTreeMap::new();
        for device in devices {
            if let Some(home) = node.home_of(&device) {
                homes.insert(device, said::place(&home));
            }
        }
        Self(homes)
    }

    /// `perangkat 1a2b3c4d (Desa Sambeng)`.
    pub(super) fn device(&self, device: &DeviceId) -> String {
        let short = said::device(device);
        match self.0.get(device) {
            Some(home) => format!("perangkat {short} ({home})"),
            None => format!("perangkat {short}"),
        }
    }

    /// Who wrote something: the device, and the person where several use it.
    pub(super) fn writer(&self, device: &DeviceId, person: u8) -> String {
        let written = self.device(device);
        said::person(person).map_or(written.clone(), |person| format!("{person}, {written}"))
    }
}
