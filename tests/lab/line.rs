//! A node's or a router's line: what it does to frames, whether it is plugged in, what passed.

use std::cell::RefCell;
use std::fmt;
use std::io::{BufRead, BufReader};
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;

use serde_json::Value;

use crate::net::Ground;
use crate::system::{python, terminate, tool, within};

/// What a line does, each way. Zero: it does not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Line {
    /// Milliseconds that each frame takes.
    pub(crate) delay_ms: u32,
    /// Milliseconds at most that it may take longer.
    pub(crate) jitter_ms: u32,
    /// Of a hundred frames.
    pub(crate) loss_percent: u32,
    /// Thousands of bits a second.
    pub(crate) rate_kbit: u32,
    /// Milliseconds that a frame may wait for its turn; beyond, it is dropped.
    pub(crate) queue_ms: u32,
}

impl Line {
    /// A line that does nothing to its frames.
    pub(crate) const CLEAR: Self =
        Self { delay_ms: 0, jitter_ms: 0, loss_percent: 0, rate_kbit: 0, queue_ms: 1_000 };

    /// A village's line on a day without rain: 256 kbit/s, 600 ms there and back.
    pub(crate) const VILLAGE: Self = Self { delay_ms: 300, rate_kbit: 256, ..Self::CLEAR };
}

/// What passed an interface, in both directions as its node sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Passed {
    /// Bytes that came in.
    pub(crate) bytes_in: u64,
    /// Bytes that went out.
    pub(crate) bytes_out: u64,
    /// Frames, both ways.
    pub(crate) frames: u64,
}

impl Passed {
    /// Both ways.
    pub(crate) const fn bytes(self) -> u64 {
        self.bytes_in + self.bytes_out
    }

    /// What passed after `before`.
    pub(crate) const fn since(self, before: Self) -> Self {
        Self {
            bytes_in: self.bytes_in - before.bytes_in,
            bytes_out: self.bytes_out - before.bytes_out,
            frames: self.frames - before.frames,
        }
    }
}

/// One end on a segment.
pub(crate) struct Port {
    ground: Rc<Ground>,
    namespace: String,
    switch: String,
    /// The interface in the switch, without a cable.
    end: String,
    /// Its address.
    pub(crate) address: Ipv4Addr,
    cable: RefCell<Option<Child>>,
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Port").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Port {
    /// One that was plugged in.
    pub(crate) fn new(
        ground: Rc<Ground>,
        namespace: &str,
        switch: &str,
        end: &str,
        address: Ipv4Addr,
    ) -> Self {
        let (namespace, switch) = (namespace.to_owned(), switch.to_owned());
        let (end, cable) = (end.to_owned(), RefCell::new(None));
        Self { ground, namespace, switch, end, address, cable }
    }

    /// From now on the line is this one. Frames under way are lost; connections live on.
    pub(crate) fn line(&self, line: Line) {
        let bridge = self.bridge();
        self.unwire();
        if line == Line::CLEAR {
            tool(&["ip", "-n", &self.switch, "link", "set", &self.end, "master", &bridge]);
            return;
        }
        tool(&["ip", "-n", &self.switch, "link", "set", &self.end, "nomaster"]);
        self.cable.replace(Some(self.wire(line)));
        let (switch, tap) = (&self.switch, self.tap());
        tool(&["ip", "-n", switch, "link", "set", &tap, "master", &bridge, "up"]);
    }

    /// Pulls the cable; the node sees that there is none.
    pub(crate) fn pull(&self) {
        tool(&["ip", "-n", &self.switch, "link", "set", &self.end, "down"]);
    }

    /// Plugs it in again.
    pub(crate) fn plug(&self) {
        tool(&["ip", "-n", &self.switch, "link", "set", &self.end, "up"]);
    }

    /// Puts the line to another bridge.
    pub(crate) fn attach(&self, bridge: &str) {
        tool(&["ip", "-n", &self.switch, "link", "set", &self.plugged(), "master", bridge]);
    }

    /// What the node's interface counted so far.
    pub(crate) fn passed(&self) -> Passed {
        let told = tool(&["ip", "-n", &self.namespace, "-s", "-j", "link", "show", "eth0"]);
        let told: Value = serde_json::from_str(&told).unwrap();
        let count =
            |path: &str| told.pointer(&format!("/0/stats64/{path}")).unwrap().as_u64().unwrap();
        Passed {
            bytes_in: count("rx/bytes"),
            bytes_out: count("tx/bytes"),
            frames: count("rx/packets") + count("tx/packets"),
        }
    }

    /// Runs a tool where this line ends.
    pub(crate) fn tool(&self, line: &[&str]) -> Result<String, String> {
        within(&self.namespace, line)
    }

    /// The namespace this line ends in.
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The bridge it is plugged into now.
    fn bridge(&self) -> String {
        let end = self.plugged();
        let told = tool(&["ip", "-n", &self.switch, "-j", "link", "show", &end]);
        let told: Value = serde_json::from_str(&told).unwrap();
        told.pointer("/0/master").unwrap().as_str().unwrap().to_owned()
    }

    /// The interface that stands in the bridge.
    fn plugged(&self) -> String {
        if self.cable.borrow().is_some() { self.tap() } else { self.end.clone() }
    }

    /// The end of a cable.
    fn tap(&self) -> String {
        format!("w{}", &self.end)
    }

    fn wire(&self, line: Line) -> Child {
        let settings = [
            ("delay", line.delay_ms),
            ("jitter", line.jitter_ms),
            ("loss", line.loss_percent),
            ("rate", line.rate_kbit),
            ("queue", line.queue_ms),
            ("seed", u32::from(self.address.octets()[3])),
        ];
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "ip", "netns", "exec", &self.switch, python()])
            .arg(self.ground.room.path().join("cable.py"))
            .args([&self.end, &self.tap()])
            .args(settings.map(|(name, value)| format!("{name}={value}")))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut told).unwrap();
        assert_eq!(told, "up\n", "the cable does not carry");
        child
    }

    fn unwire(&self) {
        if let Some(mut cable) = self.cable.replace(None) {
            terminate(cable.id());
            drop(cable.wait());
        }
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.unwire();
    }
}
