//! The binary itself: processes, signals, pipes.

use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn wksbm(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wksbm"));
    command.args(args).stdin(Stdio::null()).env_remove("WKSBM_DATA").env_remove("WKSBM_LANG");
    command
}

fn object(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// One village and its hubs, every command a process; the kept folders are asked again afterwards.
#[test]
fn the_demo_ends_with_equal_roots_that_each_node_shows_again() {
    let folder = tempfile::tempdir().unwrap();
    let keep = folder.path().join("demo");
    let line = ["demo", "--once", "--json", "--villages", "1", "--records", "3", "--keep"];
    let ended = wksbm(&line).arg(&keep).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
    let demo = object(&ended);
    assert_eq!(demo.get("equal").unwrap(), true);
    let nodes = demo.get("nodes").unwrap().as_array().unwrap();
    assert_eq!(nodes.len(), 4);
    for node in nodes {
        assert_eq!(node.get("records").unwrap(), 3);
        assert_eq!(demo.pointer("/nodes/0/root"), node.get("root"));
        let name = node.get("name").unwrap().as_str().unwrap();
        assert_eq!(demo.pointer(&format!("/conflicts/seen_by/{name}")).unwrap(), 1);
    }
    assert_eq!(demo.pointer("/conflicts/left").unwrap(), 0);
    assert_eq!(demo.pointer("/cut/connections").unwrap(), 0);
    assert!(demo.get("bundle_bytes").unwrap().as_u64().unwrap() > 0);

    let data = nodes.last().unwrap().get("data").unwrap().as_str().unwrap();
    let root = wksbm(&["root", "--area", "32.09.21", "--json", "--data", data]).output().unwrap();
    assert_eq!(object(&root).get("root"), demo.pointer("/nodes/0/root"));
}

/// More devices join at one address than strangers may come there, and one record is all there is.
#[test]
fn a_demo_of_seven_villages_and_one_record_ends_with_equal_roots() {
    let line = ["demo", "--once", "--json", "--villages", "7", "--records", "1"];
    let ended = wksbm(&line).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
    let demo = object(&ended);
    assert_eq!(demo.get("equal").unwrap(), true);
    let nodes = demo.get("nodes").unwrap().as_array().unwrap();
    assert_eq!(nodes.len(), 10);
    assert!(nodes.iter().all(|node| node.get("root") == demo.pointer("/nodes/0/root")));
    assert_eq!(demo.pointer("/nodes/0/records").unwrap(), 1);
    assert_eq!(demo.pointer("/conflicts/made").unwrap(), 1);
    assert_eq!(demo.pointer("/conflicts/left").unwrap(), 0);
}

#[test]
fn a_node_writes_the_log_that_was_asked_for_and_else_only_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let at = ["--data", data.to_str().unwrap(), "--quiet"];
    let make = wksbm(&["network", "create", "--name", "Rahasia", "--area", "32"]).args(at).status();
    assert!(make.unwrap().success());
    // Its standard input is at an end, so it ends as soon as it is there.
    let run = ["run", "--while-stdin", "--api", "127.0.0.1:0", "--listen", "/ip4/127.0.0.1/tcp/0"];
    let log = |asked: Option<&str>| {
        let mut node = wksbm(&run);
        node.args(at).env_remove("WKSBM_LOG").envs(asked.map(|asked| ("WKSBM_LOG", asked)));
        let ended = node.output().unwrap();
        assert!(ended.status.success(), "{ended:?}");
        let told = String::from_utf8(ended.stderr).unwrap();
        assert!(!told.contains("Rahasia"), "{told}");
        told
    };
    let told = log(Some("info"));
    assert!(told.contains("INFO node::live"), "{told}");
    assert!(told.contains("stopped"), "{told}");
    assert!(!log(None).contains("INFO"));
    assert!(log(Some("=nonsense=[")).contains("WKSBM_LOG is not understood"));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_demo_with_130_and_leaves_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let child = wksbm(&["demo", "--once", "--json"])
        .env("TMPDIR", folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The first folder shows that it listens and works.
    while std::fs::read_dir(folder.path()).unwrap().next().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130));
    assert_eq!(object(&ended).pointer("/error/kind").unwrap(), "interrupted");
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none(), "a folder was left");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let mut child =
        wksbm(&["area", "list"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_written_ends_with_eleven() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ended =
        wksbm(&["area", "show", "32"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(ended.status.code(), Some(11), "{}", String::from_utf8_lossy(&ended.stderr));
}
