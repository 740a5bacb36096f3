//! A link on which nothing is to be said: what it costs all the same.

use std::time::Duration;

use crate::mesh::{DESA, KECAMATAN, SOON, equal};
use crate::net::Lab;
use crate::node::LabNode;
use crate::wait::until;

/// The short form's seconds; `WKSBM_LAB_IDLE_SECONDS` is another.
const SECONDS: u64 = 60;
/// The short form's records; `WKSBM_LAB_IDLE_RECORDS` is another, to see a village's memory.
const RECORDS: u64 = 100;
/// Bytes a second through the village's interface, both ways: 50 MB a month of its data.
const BYTES_PER_SECOND_MAX: u64 = 20;
/// Of a core.
const CPU_PERCENT_MAX: f64 = 1.0;
/// Clock ticks a second in `/proc`, on every Linux that we run on.
const TICKS: f64 = 100.0;

/// What the system counts of a process.
#[derive(Debug, Clone, Copy)]
struct Counted {
    /// Bytes given to the disk.
    written: u64,
    /// Ticks of processor time.
    ticks: u64,
    /// Bytes of memory, now.
    memory: u64,
}

impl Counted {
    fn of(node: &LabNode) -> Self {
        let pid = node.process().pid();
        let read = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
        let stat = read("stat");
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        // Fields 14 and 15 of proc(5); the third is the first behind the name.
        let ticks = [11, 12].map(|at| fields.get(at).unwrap().parse::<u64>().unwrap());
        Self {
            written: field(&read("io"), "write_bytes:"),
            ticks: ticks.iter().sum(),
            memory: field(&read("status"), "VmRSS:") * 1024,
        }
    }
}

fn field(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn an_idle_link_is_quiet() {
    let Some(lab) = Lab::new("idle") else { return };
    let mut nodes = ["provinsi", "kec", "desa"].map(|name| lab.node(name));
    let [province, kecamatan, desa] = &mut nodes;
    province.found();
    province.enrol(kecamatan, KECAMATAN);
    kecamatan.enrol(desa, DESA);
    let records = asked("WKSBM_LAB_IDLE_RECORDS", RECORDS);
    let entries = kecamatan.synth(DESA, records);
    kecamatan.run(&["--hub"]);
    desa.run(&["--peer", &kecamatan.address("tcp")]);
    equal(DESA, &[desa, kecamatan], entries, SOON);
    // A copy is written: a count that stood still here would prove nothing below.
    assert!(Counted::of(desa).written > 0);
    settled(&[desa, kecamatan]);

    let seconds = asked("WKSBM_LAB_IDLE_SECONDS", SECONDS);
    let both = [&*desa, &*kecamatan];
    let (passed, counted) = (desa.port.passed(), both.map(Counted::of));
    std::thread::sleep(Duration::from_secs(seconds));
    let (passed, after) = (desa.port.passed().since(passed), both.map(Counted::of));
    desa.meets(kecamatan, SOON, |_| true);
    crate::tell(&format!("{seconds} s idle: {passed:?}"));
    assert!(
        passed.bytes() < BYTES_PER_SECOND_MAX * seconds,
        "{passed:?} in {seconds} s are more than {BYTES_PER_SECOND_MAX} a second"
    );
    for (node, (before, after)) in both.iter().zip(counted.iter().zip(after)) {
        let percent = ticks(after.ticks - before.ticks) / TICKS * 100.0 / ticks(seconds);
        let memory = after.memory / 1024;
        let entries = node.root(DESA).entries;
        crate::tell(&format!(
            "{}: {percent:.2} % of a core, {memory} KiB of memory with {entries} entries",
            node.name
        ));
        assert_eq!(after.written, before.written, "{} wrote while idle", node.name);
        assert!(percent < CPU_PERCENT_MAX, "{}: {percent} % of a core while idle", node.name);
    }

    // The quiet was not the link's end.
    let record = desa.add(DESA, "sesudah sunyi");
    kecamatan.sees(&record, "nama", "sesudah sunyi", SOON);
}

/// A number from the environment.
fn asked(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |it| it.parse().unwrap())
}

/// Waits until receipts and the like have been written and sent too.
fn settled(nodes: &[&LabNode]) {
    /// Looks in a row, a tenth of a second apart, at which nothing was new.
    const LOOKS: u32 = 50;
    let now = || nodes.iter().map(|it| (it.port.passed(), Counted::of(it).written)).collect();
    let (mut last, mut looks): (Vec<_>, u32) = (now(), 0);
    until("quiet after a copy", SOON, || {
        let now = now();
        looks = if now == last { looks + 1 } else { 0 };
        last = now;
        if looks >= LOOKS { Ok(()) } else { Err(format!("{last:?}")) }
    });
}

/// A small count as a number with a fraction.
fn ticks(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}
