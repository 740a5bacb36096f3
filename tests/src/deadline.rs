//! Deadline day: one hub and many villages that have something to send, all at once, over real
//! sockets.
//!
//! The hub is a node of its own process if `hub` names a program, so that its memory can be read;
//! villages run in this one. Every village has written its records before anybody connects. The end
//! is reached when every village has proved that it and the hub are equal.

use std::net::{Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crdt_schema::area::{Level, base_areas};
use node::live::{Event, RunAsk, Running};
use node::net::Multiaddr;
use node::node::{Node, SynthAsk};
use node::progress::Unwatched;
use tokio::sync::broadcast::error::RecvError;

use crate::office::{Office, Town};

/// The kabupaten everybody belongs to: Cirebon, 424 villages.
const KABUPATEN: &str = "32.09";
/// Until the last village is equal; a limit for a test that hangs, not a measure.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// What is asked of a deadline day.
#[derive(Debug, Clone)]
pub struct Deadline {
    /// Villages; at most 424.
    pub villages: usize,
    /// Records each writes before.
    pub records: u64,
    /// The program the hub runs as; in this process without.
    pub hub: Option<PathBuf>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Drained {
    /// Entries the hub holds beyond those of the beginning.
    pub entries: u64,
    /// Seconds from the first dial until each village had proved equality, ascending.
    pub seconds: Vec<f64>,
    /// Sessions that ended without equality.
    pub unequal: u64,
    /// Bytes of frames from the villages.
    pub sent_bytes: u64,
    /// Bytes of frames to the villages.
    pub received_bytes: u64,
    /// KiB of memory the hub had at most, where it was a process of its own.
    pub hub_peak_kib: Option<u64>,
    /// KiB it had before the first dial.
    pub hub_rest_kib: Option<u64>,
    /// Whether the hub's root of the kabupaten counts every entry of every village.
    pub complete: bool,
}

/// Plays a deadline day.
///
/// # Panics
/// When a step fails, or the day does not end.
#[expect(clippy::disallowed_methods, reason = "a measure takes real time")]
pub fn play(ask: &Deadline) -> Drained {
    let mut town = Town::new(7);
    let mut province = town.province();
    let mut hub = town.member(&mut province, "kabupaten", KABUPATEN);
    province.shut();
    let areas = base_areas().filter(|area| {
        area.code.level() == Level::Desa && area.code.to_string().starts_with(KABUPATEN)
    });
    let mut written = 0;
    let villages: Vec<Office> = areas
        .take(ask.villages)
        .enumerate()
        .map(|(number, area)| {
            let code = area.code.to_string();
            // Offices are few and live as long as the program.
            let name: &'static str = format!("desa-{number}").leak();
            let mut village = town.member(&mut hub, name, &code);
            written += write(&mut village, &code, ask.records, number as u64);
            village.shut();
            village
        })
        .collect();
    let before = hub.node().status().unwrap().entries;
    hub.shut();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let station = Hub::start(&runtime, ask.hub.as_deref(), &mut hub);
    let rest = station.memory_kib("VmRSS");
    let began = Instant::now();
    let waits: Vec<_> = villages
        .iter()
        .map(|village| {
            let (folder, address) = (village.folder().to_path_buf(), station.address.clone());
            let env = village.environment();
            runtime.spawn(async move {
                let node = Node::open(&folder, env).unwrap();
                feed(node, address, began).await
            })
        })
        .collect();
    let mut drained = Drained {
        entries: 0,
        seconds: Vec::new(),
        unequal: 0,
        sent_bytes: 0,
        received_bytes: 0,
        hub_peak_kib: None,
        hub_rest_kib: rest,
        complete: false,
    };
    for wait in waits {
        let fed = runtime.block_on(async { tokio::time::timeout(PATIENCE, wait).await });
        let fed = fed.unwrap().unwrap();
        drained.seconds.push(fed.seconds);
        drained.unequal += fed.unequal;
        drained.sent_bytes += fed.sent_bytes;
        drained.received_bytes += fed.received_bytes;
    }
    drained.seconds.sort_by(f64::total_cmp);
    drained.hub_peak_kib = station.memory_kib("VmHWM");
    station.stop(&runtime);
    hub.open();
    let status = hub.node().status().unwrap();
    drained.entries = status.entries - before;
    drained.complete = hub.node().root(Some(KABUPATEN)).unwrap().entries == written;
    drained
}

/// Writes synthetic records; returns how many entries that made.
fn write(village: &mut Office, code: &str, records: u64, seed: u64) -> u64 {
    let ask = SynthAsk {
        preset: "desa".to_owned(),
        seed,
        records: Some(records),
        area: Some(code.to_owned()),
    };
    village.node().synth_into(&ask, &mut Unwatched).unwrap();
    village.node().root(Some(code)).unwrap().entries
}

/// Until a node that was started has said where it is: only then its memory is that of a node.
#[expect(clippy::disallowed_methods, reason = "a measure takes real time")]
fn stands(said: &Path) {
    let began = Instant::now();
    while !said.exists() && began.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The hub: a process, or a node in this one.
enum Place {
    Process(Child),
    Here(Running),
}

struct Hub {
    place: Place,
    address: Multiaddr,
}

impl Hub {
    fn start(
        runtime: &tokio::runtime::Runtime,
        program: Option<&Path>,
        office: &mut Office,
    ) -> Self {
        let port = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let listen: Multiaddr = format!("/ip4/127.0.0.1/udp/{port}/quic-v1").parse().unwrap();
        let place = if let Some(program) = program {
            let child = Command::new(program)
                .args(["run", "--json", "--quiet", "--listen", &listen.to_string(), "--data"])
                .arg(office.folder())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn();
            stands(&office.folder().join("run.json"));
            Place::Process(child.unwrap())
        } else {
            let node = Node::open(office.folder(), office.environment()).unwrap();
            let ask = RunAsk { listen: vec![listen.clone()], ..RunAsk::default() };
            let _entered = runtime.enter();
            Place::Here(Running::start(node, ask).unwrap().0)
        };
        Self { place, address: listen }
    }

    fn memory_kib(&self, field: &str) -> Option<u64> {
        let Place::Process(child) = &self.place else { return None };
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with(field))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }

    fn stop(self, runtime: &tokio::runtime::Runtime) {
        match self.place {
            Place::Process(mut child) => {
                let ended = Command::new("kill").arg(child.id().to_string()).status().unwrap();
                assert!(ended.success());
                assert!(child.wait().unwrap().success());
            }
            Place::Here(running) => runtime.block_on(running.stop()).unwrap(),
        }
    }
}

struct Fed {
    seconds: f64,
    unequal: u64,
    sent_bytes: u64,
    received_bytes: u64,
}

/// One village: dials until it is equal, as the real program does, and goes.
async fn feed(node: Node, hub: Multiaddr, began: Instant) -> Fed {
    let ask = RunAsk { peers: vec![hub], ..RunAsk::default() };
    let (running, mut events) = Running::start(node, ask).unwrap();
    let mut unequal = 0;
    loop {
        match events.recv().await {
            Ok(Event::Session(seen)) if seen.equal => break,
            Ok(Event::Session(_)) => unequal += 1,
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => panic!("the village stopped by itself"),
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    let bytes =
        |figure: &std::sync::atomic::AtomicU64| figure.load(std::sync::atomic::Ordering::Relaxed);
    let figures = running.figures();
    let (sent_bytes, received_bytes) = (bytes(&figures.bytes_sent), bytes(&figures.bytes_received));
    running.stop().await.unwrap();
    Fed { seconds, unequal, sent_bytes, received_bytes }
}

impl Drained {
    /// A share of the villages that were equal by then.
    pub fn seconds_at(&self, share: f64) -> f64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a place in a short list"
        )]
        let place = ((self.seconds.len().saturating_sub(1)) as f64 * share) as usize;
        self.seconds.get(place).copied().unwrap_or_default()
    }
}
