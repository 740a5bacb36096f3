//! The lab itself is what it says: a scene on a line that does nothing would prove nothing.

use std::time::Duration;

use serde_json::Value;

use crate::disk::Pool;
use crate::failing::{EIO, Failing, Fault};
use crate::line::Line;
use crate::mesh::{DESA, KABUPATEN};
use crate::net::{Lab, Nat};
use crate::node::{LabNode, count, faketime, text};
use crate::process::Process;
use crate::system::{attempt, terminate, tool};
use crate::wait::until_true;

/// For a probe.
const PROBE: Duration = Duration::from_secs(30);

/// Starts a listener and waits until it listens.
fn listener(node: &LabNode, line: &[&str]) -> Process {
    let probe = node.probe(line);
    until_true("a listener", PROBE, || probe.said().starts_with("up\n"));
    probe
}

/// Echoes that come back, and the middle of their round trips in milliseconds.
fn echoes(from: &LabNode, to: &LabNode, line: &[&str]) -> (u64, f64) {
    let address = to.port.address.to_string();
    let line = [&["ping", "-W", "1"], line, &[&address]].concat();
    let told = match from.port.tool(&line) {
        Ok(told) | Err(told) => told,
    };
    let received = told.split(" received").next().unwrap().rsplit(' ').next().unwrap();
    let times = told.lines().find_map(|line| line.strip_prefix("rtt ")).unwrap_or_default();
    let middle = times.split('/').nth(4).and_then(|it| it.parse().ok()).unwrap_or_default();
    (received.parse().unwrap_or_default(), middle)
}

/// Whether anything comes through. After a change of the segment the first frames may wait for ARP.
fn reaches(from: &LabNode, to: &LabNode) -> bool {
    echoes(from, to, &["-c", "4", "-i", "0.3"]).0 > 0
}

#[test]
fn a_line_has_the_delay_the_rate_and_the_loss_asked_for() {
    let Some(lab) = Lab::new("line") else { return };
    let (one, two) = (lab.node("one"), lab.node("two"));
    assert!(reaches(&one, &two));
    let (_, clear) = echoes(&one, &two, &["-c", "5", "-i", "0.1"]);
    assert!(clear < 20.0, "{clear} ms on a clear line");

    two.port.line(Line { delay_ms: 100, ..Line::CLEAR });
    let (_, slow) = echoes(&one, &two, &["-c", "5", "-i", "0.1"]);
    assert!((199.0..240.0).contains(&slow), "{slow} ms there and back instead of 200");

    two.port.line(Line { loss_percent: 30, ..Line::CLEAR });
    let (came, _) = echoes(&one, &two, &["-c", "200", "-i", "0.005"]);
    // 0.7 x 0.7 of 200 is 98, with a deviation of 7.
    assert!((63..133).contains(&came), "{came} of 200 echoes where half should be lost");

    two.port.line(Line { rate_kbit: 1_000, ..Line::CLEAR });
    let mut sink = listener(&two, &["sink", "3"]);
    let before = two.port.passed();
    let address = two.port.address.to_string();
    let mut blast = one.probe(&["blast", &address, "3"]);
    assert!(sink.end(PROBE).success());
    blast.end(PROBE);
    let rate: u64 = sink.said().lines().last().unwrap().parse().unwrap();
    assert!((700..1_050).contains(&rate), "{rate} kbit/s instead of 1000");
    let counted = two.port.passed().since(before).bytes_in * 8 / 1_000;
    assert!(counted > rate * 2, "{counted} kbit counted where {rate} came each second");
}

#[test]
fn islands_do_not_hear_each_other_and_a_pulled_cable_is_silent() {
    let Some(lab) = Lab::new("part") else { return };
    let (one, two, three) = (lab.node("one"), lab.node("two"), lab.node("three"));
    three.port.line(Line { delay_ms: 5, ..Line::CLEAR });
    lab.part(&[&[&one.port, &two.port], &[&three.port]]);
    assert!(reaches(&one, &two) && !reaches(&one, &three));
    lab.heal();
    assert!(reaches(&one, &three));
    for node in [&two, &three] {
        node.port.pull();
        assert!(!reaches(&one, node));
        node.port.plug();
        assert!(reaches(&one, node));
    }
}

#[test]
fn routers_let_nobody_in_and_map_ports_as_their_kind_does() {
    let Some(lab) = Lab::new("nat") else { return };
    let hubs = [lab.node("one"), lab.node("two")];
    let mirrors = hubs.each_ref().map(|hub| listener(hub, &["mirror"]));
    let addresses = hubs.each_ref().map(|hub| hub.port.address.to_string());
    let outside = |nat| {
        let router = lab.router(nat);
        let inside = router.node(if nat == Nat::Cone { "cone" } else { "symmetric" });
        assert!(reaches(&inside, &hubs[0]));
        assert!(!reaches(&hubs[0], &inside));
        let mut probe = inside.probe(&["ports", &addresses[0], &addresses[1]]);
        assert!(probe.end(PROBE).success());
        probe.said().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let cone = outside(Nat::Cone);
    assert_eq!(cone, ["40000", "40000"]);
    let symmetric = outside(Nat::Symmetric);
    assert!(matches!(symmetric.as_slice(), [one, two] if one != two), "{symmetric:?}");
    drop(mirrors);
}

#[test]
fn multicast_crosses_the_segment_as_neighbours_need_it() {
    let Some(lab) = Lab::new("mdns") else { return };
    let (one, two) = (lab.node("one"), lab.node("two"));
    let mut heard = listener(&two, &["hear", "10"]);
    assert!(one.probe(&["call"]).end(PROBE).success());
    assert!(heard.end(PROBE).success());
    assert_eq!(heard.said().lines().last().unwrap(), one.port.address.to_string());
}

#[test]
fn a_board_has_the_memory_and_the_time_it_was_given() {
    let Some(lab) = Lab::new("board") else { return };
    let mut node = lab.node("one");
    let Some(board) = lab.board(&node, 64, 50) else { return };
    node.move_to(&board);
    assert!(node.probe(&["hold", "10"]).end(PROBE).success());
    assert!(board.memory_peak() > 10 << 20);
    assert_eq!(board.killed(), 0);
    assert!(!node.probe(&["hold", "100"]).end(PROBE).success());
    assert_eq!(board.killed(), 1);
    let mut spin = node.probe(&["spin", "2"]);
    assert!(spin.end(PROBE).success());
    let percent: u64 = spin.said().trim().parse().unwrap();
    assert!((1..65).contains(&percent), "{percent} percent of a core instead of 50");
}

#[test]
fn a_lab_takes_everything_with_it() {
    let Some(lab) = Lab::new("end") else { return };
    // A name of its own, because another lab may take the number at once.
    let node = lab.node("leftover");
    let room = lab.room().to_path_buf();
    let board = lab.board(&node, 64, 50);
    node.port.line(Line::VILLAGE);
    assert_eq!(lab.namespaces().len(), 2);
    // Nobody holds this process: it belongs to the lab because it runs in it.
    let namespace = node.port.namespace().to_owned();
    let line = format!("ip netns exec {namespace} setsid sleep 600 >/dev/null 2>&1 & echo $!");
    let orphan: u32 = attempt(&["sh", "-c", &line]).unwrap().trim().parse().unwrap();
    let lives = || {
        let stat = std::fs::read_to_string(format!("/proc/{orphan}/stat")).unwrap_or_default();
        !stat.is_empty() && !stat.contains(") Z ")
    };
    until_true("the orphan", PROBE, || {
        attempt(&["ip", "netns", "pids", &namespace])
            .is_ok_and(|pids| pids.contains(&orphan.to_string()))
    });
    assert!(lives());
    drop((node, board, lab));
    assert!(!lives() && !room.exists());
    assert!(!std::path::Path::new("/run/netns").join(namespace).exists());
}

#[test]
fn nodes_in_namespaces_become_a_network_by_files() {
    let Some(lab) = Lab::new("files") else { return };
    let (mut province, mut kabupaten) = (lab.node("provinsi"), lab.node("kab"));
    province.found();
    province.enrol(&mut kabupaten, KABUPATEN);
    let record = kabupaten.add(DESA, "Dasawisma Mawar");
    assert_eq!(province.value(&record, "nama"), None);
    kabupaten.carry_all_to(&province);
    assert_eq!(province.value(&record, "nama").as_deref(), Some("Dasawisma Mawar"));
    assert_eq!(province.root(DESA), kabupaten.root(DESA));
    assert_eq!(count(&province.done(&["status"]), "/records"), 1);
    let refused = province.ask(&["root", "--area", "32.99"]);
    assert_eq!((refused.exit, refused.kind()), (3, Some("area_unknown")));
    province.verifies();
}

#[test]
fn a_node_may_live_years_away() {
    let Some(lab) = Lab::new("clock") else { return };
    if faketime().is_none() {
        return crate::ground::absent("libfaketime is missing (apt-get install libfaketime)");
    }
    let mut node = lab.node("provinsi");
    node.found();
    let year = |node: &LabNode| {
        let record = node.add(DESA, "Dasawisma Melati");
        let history = node.done(&["record", "history", &record]);
        let edit: &Value = history.pointer("/edits/0").unwrap();
        text(edit, "claimed_at")[..4].parse::<i32>().unwrap()
    };
    let now = year(&node);
    node.set_clock("+8y");
    assert!((7..=9).contains(&(year(&node) - now)));
    node.set_clock("-8y");
    let then = year(&node);
    assert!((-9..=-7).contains(&(then - now)), "{then} instead of {now} less eight");
}

#[test]
fn a_process_ends_as_the_contract_says_and_is_read_line_by_line() {
    let Some(lab) = Lab::new("process") else { return };
    let node = lab.node("one");
    let mut mirror = listener(&node, &["mirror"]);
    assert!(!mirror.has_ended());
    terminate(mirror.pid());
    assert_eq!(mirror.end(PROBE).code(), None);
    let mut status = node.begin(&["status"]);
    let answer = status.answer(PROBE);
    assert_eq!((answer.exit, answer.kind()), (10, Some("store_missing")));
    assert_eq!(status.events(), [answer.object]);
}

#[test]
fn a_power_cut_takes_what_no_sync_had_made_durable() {
    let Some(lab) = Lab::new("cut") else { return };
    let Some(pool) = Pool::new(lab.room()) else { return };
    let (folder, rest) = (lab.room().join("disk"), lab.room().join("rest"));
    let disk = pool.disk(&folder, 64);
    let [durable, not] = ["durable", "not"].map(|name| disk.file(name));
    std::fs::write(&durable, b"written").unwrap();
    tool(&["sync", &durable, folder.to_str().unwrap()]);
    std::fs::write(&not, b"written").unwrap();
    let copy = pool.cut(&disk).mounted(&rest);
    assert_eq!(std::fs::read(copy.file("durable")).unwrap(), b"written");
    // Its name may be there, for a file system notes names by itself.
    assert_ne!(std::fs::read(copy.file("not")).unwrap_or_default(), b"written");
    assert_eq!(std::fs::read(&not).unwrap(), b"written");
    copy.discard();
}

#[test]
fn of_many_calls_that_one_fails_that_is_named() {
    let Some(lab) = Lab::new("calls") else { return };
    let Some(failing) = Failing::new(lab.room()) else { return };
    let file = lab.room().join("three.bytes");
    let asked = |call, first| {
        let fault = Fault { call, file: "three.bytes", first, count: 1, errno: EIO };
        let environment = failing.environment(lab.room(), fault);
        let of = format!("of={}", file.display());
        let words = ["dd", "if=/dev/zero", &of, "bs=1", "count=3", "conv=fsync", "status=none"];
        let line: Vec<&str> = ["env"]
            .into_iter()
            .chain(environment.iter().map(String::as_str))
            .chain(words)
            .collect();
        let is_done = attempt(&line).is_ok();
        (is_done, std::fs::metadata(&file).unwrap().len(), failing.failed())
    };
    assert_eq!(asked("write", 1), (false, 0, 1));
    assert_eq!(asked("write", 2), (false, 1, 1));
    assert_eq!(asked("write", 4), (true, 3, 0));
    assert_eq!(asked("sync", 1), (false, 3, 1));
    assert_eq!(asked("sync", 2), (true, 3, 0));
}
