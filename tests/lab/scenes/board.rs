//! A copy onto a small board: half a gigabyte of memory, one core.

use std::time::{Duration, Instant};

use crate::mesh::{DESA, KECAMATAN};
use crate::net::Lab;
use crate::node::count;
use crate::wait::until;

/// Three entries a record: 20,000 and a few.
const RECORDS: u64 = 6_750;
const ENTRIES_MIN: u64 = 20_000;
const BOARD_MIB: u64 = 512;
/// Of the process itself, in MiB: the other half of the board is its system's.
const PROCESS_MIB_MAX: u64 = 256;
const COPY: Duration = Duration::from_secs(480);

#[test]
fn a_small_board_syncs() {
    let Some(lab) = Lab::new("small") else { return };
    let mut nodes = ["provinsi", "kec", "desa"].map(|name| lab.node(name));
    let [province, kecamatan, desa] = &mut nodes;
    let Some(board) = lab.board(desa, BOARD_MIB, 100) else { return };
    province.found();
    province.enrol(kecamatan, KECAMATAN);
    desa.move_to(&board);
    kecamatan.enrol(desa, DESA);
    let entries = kecamatan.synth(DESA, RECORDS);
    assert!(entries >= ENTRIES_MIN, "{entries} entries");
    kecamatan.run(&["--hub"]);

    let begun = Instant::now();
    let hub = kecamatan.address("tcp");
    let seconds = COPY.as_secs().to_string();
    let mut sync = desa.begin(&["sync", "--peer", &hub, "--timeout", &seconds]);
    let mut peak = 0;
    until("the copy", COPY, || {
        // High water: the last look sees the highest of all.
        peak = resident_peak(sync.pid()).unwrap_or(peak);
        if sync.has_ended() { Ok(()) } else { Err(format!("{peak} KiB so far")) }
    });
    let answer = sync.answer(COPY);
    let took = begun.elapsed();
    assert_eq!((answer.exit, board.killed()), (0, 0), "{}", answer.object);
    assert!(count(&answer.object, "/received/entries") >= entries, "{}", answer.object);
    assert_eq!(desa.root(DESA), kecamatan.root(DESA));
    let (whole, peak) = (board.memory_peak() >> 20, peak >> 10);
    crate::tell(&format!(
        "small board: {entries} entries in {took:?}, process {peak} MiB, with files {whole} MiB"
    ));
    assert!((1..PROCESS_MIB_MAX).contains(&peak), "{peak} MiB");
}

/// The most memory a process had, in KiB; `None` once it is gone.
fn resident_peak(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
