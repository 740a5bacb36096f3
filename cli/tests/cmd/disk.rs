//! Disks that fill up or refuse under a store, and people who end long work: what was saved stays,
//! and the folder goes on once it can.

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::desk::{DESA, Desk, Ended};
use crate::fixtures::{Mount, skipped};
use crate::spawned::binary;

/// A full register: large enough that a commit needs new pages.
fn with_people(desk: Desk, records: &str) -> Desk {
    let line = ["synth", "--preset", "desa", "--seed", "5", "--into-node", "--area", DESA];
    desk.json(&[&line[..], &["--records", records]].concat()).done();
    desk
}

fn total(desk: &Desk) -> u64 {
    let listed = desk.json(&["record", "list"]).done();
    listed.get("total").unwrap().as_u64().unwrap()
}

fn is_whole(desk: &Desk) {
    let verified = desk.json(&["verify"]).done();
    assert_eq!(verified.get("ok").unwrap(), true, "{verified}");
}

fn add(desk: &Desk) -> Ended {
    let line = ["record", "add", "kegiatan", "--area", DESA, "-f", "judul=Rapat"];
    let more = ["-f", "kode_program=G.5.1.4", "-f", "jenis=rapat", "-f", "tanggal=2026-03-01"];
    desk.json(&[&line[..], &more].concat())
}

/// A stick with a desk's data folder on it, or a line that says why there is none.
fn moved_to_a_stick(desk: &Desk, size: &str, test: &str) -> Option<Mount> {
    match Mount::small(size) {
        Ok(stick) => {
            desk.move_data(&stick.folder().join("data"));
            Some(stick)
        }
        Err(why) => {
            skipped(test, &why);
            None
        }
    }
}

#[test]
fn a_save_on_a_full_disk_is_refused_and_the_next_one_succeeds_once_there_is_room() {
    let desk = with_people(Desk::province(), "40");
    let Some(stick) = moved_to_a_stick(&desk, "24m", "a save on a full disk") else { return };
    let before = total(&desk);
    let filler = stick.fill();
    let mut saved = 0;
    let refused = loop {
        let ended = add(&desk);
        if ended.exit != 0 {
            break ended;
        }
        saved += 1;
        assert!(saved < 3_000, "the disk is never full");
    };
    assert_eq!((refused.kind().as_str(), refused.exit), ("disk_full", 11), "{}", refused.stdout);
    assert_eq!(add(&desk).kind(), "disk_full", "and again");
    std::fs::remove_file(filler).unwrap();
    is_whole(&desk);
    assert_eq!(total(&desk), before + saved);
    add(&desk).done();
    assert_eq!(total(&desk), before + saved + 1);
}

#[test]
fn an_import_on_a_full_disk_takes_whole_entries_or_none_and_ends_once_there_is_room() {
    let province = Desk::province();
    let desk = Desk::member(&province, "32.09");
    let province = with_people(province, "300");
    let file = province.path("paket.wksbm");
    province.json(&["bundle", "export", "--all", "-o", &file]).done();
    let Some(stick) = moved_to_a_stick(&desk, "24m", "an import on a full disk") else { return };
    let filler = stick.fill();
    let refused = desk.json(&["bundle", "import", &file]);
    assert_eq!((refused.kind().as_str(), refused.exit), ("disk_full", 11), "{}", refused.stdout);
    std::fs::remove_file(filler).unwrap();
    is_whole(&desk);
    desk.json(&["bundle", "import", &file]).done();
    is_whole(&desk);
    let root = |desk: &Desk| desk.json(&["root", "--area", "32.09"]).done().get("root").cloned();
    assert_eq!(root(&desk), root(&province));
}

#[test]
fn a_register_on_a_locked_stick_is_looked_at_checked_and_carried_and_never_changed() {
    let desk = with_people(Desk::province(), "40");
    let id = desk.activity(DESA, "Rapat");
    let Some(stick) = moved_to_a_stick(&desk, "32m", "a locked stick") else { return };
    let asked = [&["status"][..], &["root"], &["record", "list"], &["record", "show", &id]];
    // The room the file takes, and leaves, may change where it may be written, and nothing else.
    let looked = || {
        asked.map(|line| {
            let mut told = desk.json(line).done();
            for room in ["/store/bytes", "/store/free"] {
                told.pointer_mut(room).map(Value::take);
            }
            told
        })
    };
    let before = looked();
    for is_without_views in [false, true] {
        if is_without_views {
            std::fs::remove_file(desk.data().join("view.redb")).unwrap();
        }
        stick.lock();
        let held = || std::fs::read(desk.data().join("feed.redb")).unwrap();
        let bytes = held();
        assert_eq!(looked(), before);
        assert_eq!(desk.json(&["verify"]).done().get("ok").unwrap(), true);
        desk.json(&["record", "history", &id]).done();
        desk.json(&["record", "conflicts"]).done();
        let file = desk.path("cadangan.wksbm");
        let made = desk.json(&["bundle", "export", "--all", "-o", &file]).done();
        assert_eq!(made.get("entries"), before[0].get("entries"));
        for line in [
            &["record", "set", &id, "-f", "tempat=Masjid"][..],
            &["invite", "--area", "32.09", "-o", &desk.path("undangan")],
            &["record", "show", &id, "--reveal", "memeriksa berkas"],
            &["run", "--offline"],
            &["verify", "--rebuild"],
        ] {
            let refused = desk.json(line);
            assert_eq!((refused.kind().as_str(), refused.exit), ("read_only", 11), "{line:?}");
        }
        assert_eq!(held(), bytes);
        stick.unlock();
    }
    assert_eq!(looked(), before);
}

/// A process that may not make a file longer than this gets an error the store has no name for.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_refuses_to_write_is_disk_error_and_nothing_is_lost() {
    let desk = with_people(Desk::province(), "40");
    let before = total(&desk);
    let line = format!(
        "trap '' XFSZ; ulimit -f 64; exec {} synth --preset desa --seed 6 --into-node \
         --records 200 --json --data {}",
        env!("CARGO_BIN_EXE_wksbm"),
        desk.data().display(),
    );
    let ended = Command::new("bash").args(["-c", &line]).stderr(Stdio::null()).output().unwrap();
    let object: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(object.pointer("/error/kind").unwrap(), "disk_error", "{object}");
    assert_eq!(ended.status.code(), Some(11));
    is_whole(&desk);
    assert_eq!(total(&desk), before);
    add(&desk).done();
}

/// Starts the binary on a desk's folder, interrupts it after a while, and hands back its object.
/// `None` when it was done before.
#[cfg(unix)]
fn interrupted(desk: &Desk, line: &[&str], after: Duration) -> Option<Value> {
    let child = binary()
        .args(line)
        .arg("--json")
        .arg("--data")
        .arg(desk.data())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(after);
    let pid = child.id().to_string();
    drop(Command::new("kill").args(["-INT", &pid]).stderr(Stdio::null()).status());
    let ended = child.wait_with_output().unwrap();
    if ended.status.code() == Some(0) || ended.stdout.is_empty() {
        return None;
    }
    let object: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(ended.status.code(), Some(130), "{object}");
    Some(object)
}

/// Tries longer and longer: a process that was not listening yet ends without a word, and one that
/// was quick is done.
#[cfg(unix)]
fn is_interrupted_somewhen(desk: &Desk, line: &[&str]) {
    let moments = (1..100).map(|step| Duration::from_millis(10 * step));
    let mut told = moments.filter_map(|after| interrupted(desk, line, after));
    let object = told.next().unwrap_or_else(|| panic!("{line:?} was never interrupted"));
    assert_eq!(object.pointer("/error/kind").unwrap(), "interrupted");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_long_work_where_it_is_whole() {
    let province = Desk::province();
    let desk = Desk::member(&province, "32.09");
    let synth = ["synth", "--preset", "kec", "--seed", "5", "--into-node", "--area", "32.09.21"];
    is_interrupted_somewhen(&province, &synth);
    is_whole(&province);
    let province = with_people(province, "400");
    is_interrupted_somewhen(&province, &["verify"]);
    is_interrupted_somewhen(&province, &["verify", "--rebuild"]);
    is_whole(&province);
    let file = province.path("paket.wksbm");
    province.json(&["bundle", "export", "--all", "-o", &file]).done();
    is_interrupted_somewhen(&desk, &["bundle", "import", &file]);
    is_whole(&desk);
    desk.json(&["bundle", "import", &file]).done();
    let root = |desk: &Desk| desk.json(&["root", "--area", "32.09"]).done().get("root").cloned();
    assert_eq!(root(&desk), root(&province));
}
