//! One binary for all targets of `tests/src/fuzz/`, so that it is linked once. `WKSBM_FUZZ` names the
//! target (any other word lists them, each with the bytes of its longest input); with
//! `WKSBM_FUZZ_SEEDS` its seeds are written into that folder before anything is tried.
#![no_main]

use std::path::Path;
use std::sync::OnceLock;
use std::{env, fs, panic};

use allocation_counter::measure;
use checks::{TARGETS, Target, target};
use libfuzzer_sys::fuzz_target;

static CHOSEN: OnceLock<&'static Target> = OnceLock::new();

/// Finds the target, writes its seeds, and lets it make what is made once for all.
fn begin() {
    let name = env::var("WKSBM_FUZZ").unwrap_or_default();
    let names =
        TARGETS.map(|target| format!("{}={}", target.name, target.input_bytes_max)).join(" ");
    let target = target(&name).unwrap_or_else(|| panic!("WKSBM_FUZZ must name one of: {names}"));
    let seeds = (target.seeds)();
    if let Some(folder) = env::var_os("WKSBM_FUZZ_SEEDS") {
        for (number, seed) in seeds.iter().enumerate() {
            let file = Path::new(&folder).join(format!("{number}.seed"));
            fs::write(file, seed).expect("the seeds' folder cannot be written");
        }
    }
    // libFuzzer's hook ends the process at once. A panic that a guard of ours is waiting for is
    // no finding: the sheet's reader may panic, the program may not.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(move |panicked| {
        if !node::guard::note(panicked.location()) {
            hook(panicked);
        }
    }));
    for seed in &seeds {
        (target.check)(seed);
    }
    CHOSEN.get_or_init(|| target);
}

fuzz_target!(init: begin(), |bytes: &[u8]| {
    if let Some(target) = CHOSEN.get() {
        if bytes.len() <= target.input_bytes_max {
            let taken = measure(|| {
                (target.check)(bytes);
            });
            let taken = taken.bytes_max;
            assert!(taken <= target.memory_bytes_max, "{taken} bytes at once");
        }
    }
});
