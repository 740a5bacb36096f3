//! A lab: the common segment, namespaces on it, partitions, routers; and its end.
//!
//! Addresses: nodes 198.18.0.1 and up, in the order they are made; routers 198.18.0.101 and up; behind
//! the n-th router 10.77.n.11 and up. Labs have numbers, so that several stand side by side.

use std::cell::Cell;
use std::fs::{File, TryLockError};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::board::Board;
use crate::disk::Disk;
use crate::ground::ground;
use crate::line::Port;
use crate::node::LabNode;
use crate::system::{attempt, attempt_fed, tool, tool_fed};

/// Labs at once on one machine, of all its users.
const LABS_MAX: u32 = 99;
/// Where the locks of labs lie: a lab lives as long as its lock is held.
const LOCKS: &str = "/run/wksbm-lab";
/// For killed processes to be gone.
const END: Duration = Duration::from_secs(10);

/// What a router does with the ports of those behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nat {
    /// Keeps a port for all peers; two such can be joined by hole punching.
    Cone,
    /// Takes a new one for each peer; only a relay gets through.
    Symmetric,
}

/// A lab. Its last owner removes it, with whatever still runs in it.
#[derive(Debug, Clone)]
pub(crate) struct Lab {
    ground: Rc<Ground>,
}

/// What all parts of a lab hold on to.
#[derive(Debug)]
pub(crate) struct Ground {
    number: u32,
    /// The real binary.
    pub(crate) binary: PathBuf,
    /// Data folders, bundles, logs.
    pub(crate) room: TempDir,
    nodes: Cell<u8>,
    routers: Cell<u8>,
    lock: File,
}

/// A router and the network behind it.
#[derive(Debug)]
pub(crate) struct Router {
    /// Its line to the common segment.
    pub(crate) port: Port,
    ground: Rc<Ground>,
    number: u8,
    namespace: String,
    behind: Cell<u8>,
}

impl Lab {
    /// A lab, or `None` after one line that says why there can be none here. What a killed lab of the
    /// same number left is removed first.
    pub(crate) fn new(name: &str) -> Option<Self> {
        let binary = ground()?;
        let (number, lock) = free_number();
        remove(number);
        let room = TempDir::with_prefix(format!("{}{name}-", prefix(number))).unwrap();
        for (file, text) in
            [("cable.py", include_str!("cable.py")), ("probe.py", include_str!("probe.py"))]
        {
            std::fs::write(room.path().join(file), text).unwrap();
        }
        let (nodes, routers) = (Cell::new(0), Cell::new(0));
        let ground = Rc::new(Ground { number, binary, room, nodes, routers, lock });
        let switch = ground.namespace("switch");
        new_namespace(&switch);
        new_bridge(&switch, HOME);
        Some(Self { ground })
    }

    /// A node on the common segment. Names are short and lower-case.
    pub(crate) fn node(&self, name: &str) -> LabNode {
        let number = next(&self.ground.nodes);
        let namespace = self.ground.namespace(name);
        new_namespace(&namespace);
        let address = Ipv4Addr::new(198, 18, 0, number);
        let port = plug(&self.ground, &namespace, &self.ground.namespace("switch"), HOME, address);
        LabNode::new(self.ground.clone(), name, port)
    }

    /// A router on the common segment.
    pub(crate) fn router(&self, nat: Nat) -> Router {
        let number = next(&self.ground.routers);
        let namespace = self.ground.namespace(&format!("router{number}"));
        new_namespace(&namespace);
        new_bridge(&namespace, LAN);
        let inside = format!("10.77.{number}.1/24");
        tool(&["ip", "-n", &namespace, "addr", "add", &inside, "dev", LAN]);
        let address = Ipv4Addr::new(198, 18, 0, 100 + number);
        let port = plug(&self.ground, &namespace, &self.ground.namespace("switch"), HOME, address);
        set(&namespace, "net/ipv4/ip_forward", "1");
        tool_fed(&["ip", "netns", "exec", &namespace, "nft", "-f", "-"], &rules(nat));
        Router { port, ground: self.ground.clone(), number, namespace, behind: Cell::new(0) }
    }

    /// Parts the common segment: each island sees only itself, and those not named stay together.
    pub(crate) fn part(&self, islands: &[&[&Port]]) {
        let switch = self.ground.namespace("switch");
        for (number, island) in islands.iter().enumerate() {
            let bridge = format!("{ISLAND}{number}");
            if attempt(&["ip", "-n", &switch, "link", "show", &bridge]).is_err() {
                new_bridge(&switch, &bridge);
            }
            for port in *island {
                port.attach(&bridge);
            }
        }
    }

    /// The segment is one again.
    pub(crate) fn heal(&self) {
        let switch = self.ground.namespace("switch");
        let told = tool(&["ip", "-n", &switch, "-j", "link", "show"]);
        let ends: Value = serde_json::from_str(&told).unwrap();
        for end in ends.as_array().unwrap() {
            let on = |name| end.get(name).and_then(Value::as_str).unwrap_or_default();
            if on("master").starts_with(ISLAND) {
                tool(&["ip", "-n", &switch, "link", "set", on("ifname"), "master", HOME]);
            }
        }
    }

    /// A small machine for a node to run on.
    pub(crate) fn board(&self, node: &LabNode, mib: u64, percent: u64) -> Option<Board> {
        Board::new(&self.ground.namespace(&node.name), mib, percent)
    }

    /// A disk of so many MiB for a node's data, before anything is in it.
    pub(crate) fn disk(&self, node: &LabNode, mib: u64) -> Disk {
        Disk::below(node.data(), &self.room().join(format!("{}.img", node.name)), mib)
    }

    /// A stick of so many MiB; `None`, and a line, where this system has no file system for it.
    pub(crate) fn stick(&self, mib: u64) -> Option<Disk> {
        Disk::stick(&self.room().join("stik"), &self.room().join("stik.img"), mib)
    }

    /// Where files may be put.
    pub(crate) fn room(&self) -> &Path {
        self.ground.room.path()
    }

    /// The namespaces that are there now.
    pub(crate) fn namespaces(&self) -> Vec<String> {
        namespaces(self.ground.number)
    }
}

impl Router {
    /// A node behind it.
    pub(crate) fn node(&self, name: &str) -> LabNode {
        let namespace = self.ground.namespace(name);
        new_namespace(&namespace);
        let address = Ipv4Addr::new(10, 77, self.number, 10 + next(&self.behind));
        let port = plug(&self.ground, &namespace, &self.namespace, LAN, address);
        let gateway = format!("10.77.{}.1", self.number);
        tool(&["ip", "-n", &namespace, "route", "add", "default", "via", &gateway]);
        LabNode::new(self.ground.clone(), name, port)
    }
}

impl Ground {
    fn namespace(&self, name: &str) -> String {
        format!("{}{name}", prefix(self.number))
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        remove(self.number);
        // Only now may another lab take the number.
        self.lock.unlock().unwrap();
    }
}

/// The bridge of the common segment.
const HOME: &str = "home";
/// How the bridges of parts of it are called.
const ISLAND: &str = "island";
/// The bridge behind a router.
const LAN: &str = "lan";

fn prefix(number: u32) -> String {
    format!("wksbm-lab{number}-")
}

/// The lowest number nobody holds. A lock ends with its process, however that ends.
fn free_number() -> (u32, File) {
    std::fs::create_dir_all(LOCKS).unwrap();
    for number in 0..LABS_MAX {
        let lock = Path::new(LOCKS).join(number.to_string());
        let file = File::options().create(true).append(true).open(lock).unwrap();
        match file.try_lock() {
            Ok(()) => return (number, file),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => panic!("locks of labs: {error}"),
        }
    }
    panic!("{LABS_MAX} labs are up at once");
}

fn next(count: &Cell<u8>) -> u8 {
    count.set(count.get() + 1);
    assert!(count.get() < 100, "addresses of a lab end");
    count.get()
}

fn new_namespace(name: &str) {
    tool(&["ip", "netns", "add", name]);
    // A node's own chatter would stand in the byte counters; villages' lines have no IPv6 anyway.
    set(name, "net/ipv6/conf/all/disable_ipv6", "1");
    set(name, "net/ipv6/conf/default/disable_ipv6", "1");
    // The one that every kernel has and allows, whatever this machine prefers: on a lossy line it decides
    // how much is under way. At such rates Debian's own, cubic, is hardly faster.
    set(name, "net/ipv4/tcp_congestion_control", "reno");
    tool(&["ip", "-n", name, "link", "set", "lo", "up"]);
}

fn set(namespace: &str, setting: &str, value: &str) {
    let line = ["ip", "netns", "exec", namespace, "tee", &format!("/proc/sys/{setting}")];
    // A kernel without IPv6 has nothing to turn off.
    if let Err(error) = attempt_fed(&line, value) {
        assert!(setting.contains("ipv6"), "{error}");
    }
}

fn new_bridge(namespace: &str, name: &str) {
    let line = ["ip", "-n", namespace, "link", "add", name, "type", "bridge"];
    tool(&[&line[..], &["forward_delay", "0", "mcast_snooping", "0"]].concat());
    tool(&["ip", "-n", namespace, "link", "set", name, "up"]);
}

/// Joins a namespace to a bridge in another one.
fn plug(
    ground: &Rc<Ground>,
    namespace: &str,
    switch: &str,
    bridge: &str,
    address: Ipv4Addr,
) -> Port {
    let end = format!("p{}", address.octets().map(|it| it.to_string()).concat());
    let line = ["ip", "link", "add", "eth0", "netns", namespace, "type", "veth"];
    tool(&[&line[..], &["peer", "name", &end, "netns", switch]].concat());
    // Without offloading each frame is a real one, of at most 1,500 bytes and with its checksum.
    for (namespace, interface) in [(namespace, "eth0"), (switch, end.as_str())] {
        let line = ["ip", "netns", "exec", namespace, "ethtool", "-K", interface];
        tool(&[&line[..], &["tx", "off", "tso", "off", "gso", "off", "gro", "off"]].concat());
    }
    let spelled = format!("{address}/24");
    tool(&["ip", "-n", switch, "link", "set", &end, "master", bridge, "up"]);
    tool(&["ip", "-n", namespace, "addr", "add", &spelled, "dev", "eth0"]);
    tool(&["ip", "-n", namespace, "link", "set", "eth0", "up"]);
    tool(&["ip", "-n", namespace, "route", "add", "224.0.0.0/4", "dev", "eth0"]);
    Port::new(ground.clone(), namespace, switch, &end, address)
}

/// Either way the router drops what nobody inside asked for.
fn rules(nat: Nat) -> String {
    let how = match nat {
        Nat::Cone => "masquerade",
        Nat::Symmetric => "masquerade random,fully-random",
    };
    format!(
        "table ip lab {{
           chain leave {{ type nat hook postrouting priority srcnat; oifname \"eth0\" {how}; }}
           chain pass {{ type filter hook forward priority filter; policy drop;
             iifname \"{LAN}\" accept; ct state established,related accept; }}
           chain enter {{ type filter hook input priority filter; policy drop;
             iifname {{ \"lo\", \"{LAN}\" }} accept; ct state established,related accept; }}
         }}"
    )
}

fn namespaces(number: u32) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir("/run/netns") else { return Vec::new() };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(&prefix(number))).collect()
}

/// Ends everything that runs in a lab, and removes it. Never fails: it also clears up behind failures.
fn remove(number: u32) {
    let here = namespaces(number);
    let inside = || -> Vec<String> {
        let of = |name: &String| attempt(&["ip", "netns", "pids", name]).unwrap_or_default();
        let all: Vec<String> = here.iter().map(of).collect();
        all.iter().flat_map(|pids| pids.lines()).map(str::to_owned).collect()
    };
    let end = Instant::now() + END;
    loop {
        let pids = inside();
        for pid in &pids {
            drop(attempt(&["sh", "-c", "kill -KILL $0", pid]));
        }
        if pids.is_empty() || Instant::now() > end {
            break;
        }
    }
    for name in &here {
        drop(attempt(&["ip", "netns", "del", name]));
    }
    Board::remove_all(&prefix(number));
    Disk::remove_all(&std::env::temp_dir().join(prefix(number)));
    for entry in std::fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&prefix(number)) {
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
}
