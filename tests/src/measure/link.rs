//! A wire between two namespaces, whose ends count every byte: addresses, headers, handshakes.
//!
//! It takes Linux, root and `ip`; without them nodes meet on loopback, and only bytes of frames are
//! told.

use std::path::Path;
use std::process::Command;

/// Two namespaces and the wire between them; removed with its owner.
#[derive(Debug)]
pub(super) struct Wire {
    names: [String; 2],
}

/// One end of a wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Here,
    There,
}

impl Wire {
    /// A wire; `None` where this machine gives none.
    pub(super) fn new() -> Option<Self> {
        let names = ["a", "b"].map(|end| format!("wksbm-bench-{}-{end}", std::process::id()));
        let [here, there] = &names;
        let wire = Self { names: names.clone() };
        let lines = [
            format!("netns add {here}"),
            format!("netns add {there}"),
            format!("-n {here} link add eth0 type veth peer name eth0 netns {there}"),
            format!("-n {here} addr add {}/24 dev eth0", End::Here.address()),
            format!("-n {there} addr add {}/24 dev eth0", End::There.address()),
        ];
        let is_up = lines.iter().all(|line| ip(line)) && names.iter().all(|name| raise(name));
        is_up.then_some(wire)
    }

    /// Runs a command at an end.
    pub(super) fn at(&self, end: End, program: &Path) -> Command {
        let [here, there] = &self.names;
        let mut command = Command::new("ip");
        command.args(["netns", "exec", if end == End::Here { here } else { there }]).arg(program);
        command
    }
}

impl End {
    /// Its address.
    pub(super) const fn address(self) -> &'static str {
        match self {
            Self::Here => "198.18.1.1",
            Self::There => "198.18.1.2",
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        for name in &self.names {
            ip(&format!("netns del {name}"));
        }
    }
}

/// Nothing speaks on the wire by itself, and every packet is counted as it would leave a card.
fn raise(name: &str) -> bool {
    let quiet = "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6";
    let plain = "ethtool -K eth0 gso off tso off gro off";
    let at = |line: &str| {
        let mut command = Command::new("ip");
        done(command.args(["netns", "exec", name, "sh", "-c", line]))
    };
    // Without `ethtool` the headers of large packets would not be counted, and nobody would see it.
    at(plain)
        && at(quiet)
        && ip(&format!("-n {name} link set eth0 up"))
        && ip(&format!("-n {name} link set lo up"))
}

fn ip(line: &str) -> bool {
    done(Command::new("ip").args(line.split(' ')))
}

fn done(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// Bytes that passed this namespace's wire so far, both ways; `None` where there is none.
pub(super) fn passed() -> Option<u64> {
    let table = std::fs::read_to_string("/proc/net/dev").ok()?;
    let line = table.lines().find_map(|line| line.trim().strip_prefix("eth0:"))?;
    let mut columns = line.split_whitespace().map(str::parse::<u64>);
    let received = columns.next()?.ok()?;
    let sent = columns.nth(7)?.ok()?;
    Some(received + sent)
}
