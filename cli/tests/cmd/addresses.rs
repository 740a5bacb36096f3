//! Addresses that cannot be meant, and numbers that lie outside: each is told by what is wrong with it.

use std::net::TcpListener;

use serde_json::{Value, json};

use crate::desk::{Desk, Ended};
use crate::served::Served;

const KEY: &str = "/p2p/12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X";

fn part(ended: &Ended, name: &str) -> String {
    let object = ended.object();
    object.pointer(&format!("/error/{name}")).and_then(Value::as_str).unwrap().to_owned()
}

#[test]
fn an_address_of_another_machine_is_told_from_one_that_is_taken() {
    let desk = Desk::province();
    let run = |listen: &str| desk.json(&["run", "--api", "127.0.0.1:0", "--listen", listen]);
    for listen in ["/ip4/192.0.2.1/tcp/4001", "/ip4/192.0.2.1/udp/4001/quic-v1"] {
        let ended = run(listen);
        assert_eq!((ended.exit, ended.kind().as_str()), (13, "port_in_use"), "{listen}");
        assert_eq!(part(&ended, "message"), "The address is none of this machine's.");
        assert!(part(&ended, "cause").contains("192.0.2.1"), "{}", ended.stdout);
        assert!(part(&ended, "hint").contains("0.0.0.0"), "{}", ended.stdout);
    }
    let told = desk.typed(&["run", "--api", "127.0.0.1:0", "--listen", "/ip4/192.0.2.1/tcp/1"], "");
    assert!(told.stderr.contains("bukan milik mesin ini"), "{}", told.stderr);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let ended = run(&format!("/ip4/127.0.0.1/tcp/{}", taken.local_addr().unwrap().port()));
    assert_eq!((ended.exit, ended.kind().as_str()), (13, "port_in_use"));
    assert_eq!(part(&ended, "message"), "The port is taken.");
    let api = desk.json(&["run", "--offline", "--api", "192.0.2.1:8432"]);
    assert_eq!((api.exit, api.kind().as_str()), (2, "usage"));
}

#[test]
fn an_address_that_can_never_be_dialled_is_refused_and_not_kept() {
    let desk = Desk::province();
    for (address, told) in [
        ("garbage".to_owned(), "multiaddr"),
        ("/ip4/192.0.2.7/tcp/4001/garbage".to_owned(), "multiaddr"),
        ("/ip4/0.0.0.0/tcp/4001".to_owned(), "0.0.0.0 is the address of no single machine"),
        ("/ip6/::/udp/4001/quic-v1".to_owned(), ":: is the address of no single machine"),
        ("/ip4/192.0.2.7/tcp/0".to_owned(), "port 0"),
        ("/ip4/192.0.2.7".to_owned(), "behind the host"),
        ("/ip4/192.0.2.7/udp/4001".to_owned(), "behind the host"),
        ("/ip4/192.0.2.7/tcp/4001/ws".to_owned(), "`ws`"),
        (format!("/ip4/192.0.2.7/tcp/4001{KEY}/tcp/1"), "`tcp`"),
        (format!("/ip4/192.0.2.7/tcp/4001{KEY}{KEY}"), "one device"),
        (format!("/ip4/192.0.2.7/tcp/4001/p2p-circuit{KEY}"), "/p2p-circuit/p2p/DEVICE"),
    ] {
        let ended = desk.json(&["peer", "add", &address]);
        assert_eq!((ended.exit, ended.kind().as_str()), (2, "usage"), "{address}");
        assert!(part(&ended, "cause").contains(told), "{address}: {}", ended.stdout);
        let indonesian = desk.typed(&["peer", "add", &address], "").stderr;
        assert!(!indonesian.contains(&part(&ended, "cause")), "{indonesian}");
        let invitation = desk.path("undangan");
        let line = ["invite", "--area", "32.09", "-o", &invitation, "--address", &address];
        assert_eq!(desk.json(&line).kind(), "usage", "{address}");
    }
    let kept = desk.json(&["peer", "list"]).done();
    assert_eq!(kept.get("addresses").unwrap(), &json!([]));
}

#[test]
fn what_can_never_be_listened_on_or_reached_is_told_before_anything_is_done() {
    let desk = Desk::province();
    let run =
        |flag: &str, address: &str| desk.json(&["run", "--api", "127.0.0.1:0", flag, address]);
    for address in [
        "",
        "/ip4/127.0.0.1",
        "/ip4/127.0.0.1/udp/4001",
        "/dns4/localhost/tcp/0",
        "/ip4/127.0.0.1/tcp/0/ws",
        "/unix/tmp",
        "/p2p-circuit",
    ] {
        let ended = run("--listen", address);
        assert_eq!((ended.exit, ended.kind().as_str()), (2, "usage"), "{address}");
        let cause = part(&ended, "cause");
        assert!(cause.contains(&format!("`{address}`")) && cause.contains("0.0.0.0"), "{cause}");
    }
    for (address, told) in [
        ("/ip4/0.0.0.0/tcp/1", "0.0.0.0 is the address of no single machine"),
        ("/ip4/127.0.0.1/tcp/0", "port 0"),
        ("/unix/tmp", "`unix`"),
        ("/ip4/127.0.0.1/tcp/17001/ws", "`ws`"),
    ] {
        let sync = ["sync", "--timeout", "1", "--peer", address];
        for ended in [run("--external", address), run("--peer", address), desk.json(&sync)] {
            assert_eq!((ended.exit, ended.kind().as_str()), (2, "usage"), "{address}");
            assert!(part(&ended, "cause").contains(told), "{address}: {}", ended.stdout);
        }
        let served = Served::on(&desk);
        assert_eq!(desk.json(&sync).kind(), "usage", "{address}");
        let (status, object) = served.asked("sync", &json!({"peers": [address], "timeout": 1}));
        assert_eq!(status, 400, "{object}");
    }
}

#[test]
fn one_address_is_kept_in_one_form_however_it_is_typed() {
    let desk = Desk::province();
    let (long, short) = ("/ip6/2001:db8:0:0:0:0:0:7/tcp/4001", "/ip6/2001:db8::7/tcp/4001");
    for typed in [long, short] {
        let kept = desk.json(&["peer", "add", typed]).done();
        assert_eq!(kept.get("addresses").unwrap(), &json!([short]));
    }
    let kept = desk.json(&["peer", "remove", long]).done();
    assert_eq!(kept.get("addresses").unwrap(), &json!([]));
}

#[test]
fn a_number_outside_its_limits_is_told_with_them_and_with_what_to_type() {
    let desk = Desk::empty();
    for (line, limits, hint) in [
        (
            &["demo", "--villages", "0"][..],
            "does not take `0`. Write a whole number from 1 to 12",
            "--villages 5",
        ),
        (&["demo", "--villages", "13"], "kecamatan the demo plays in has 12", "--villages 5"),
        (&["demo", "--villages", "tiga"], "from 1 to 12", "--villages 5"),
        (&["demo", "--villages", "-1"], "from 1 to 12", "--villages 5"),
        (&["demo", "--records", "0"], "from 1 to 100000", "--records 200"),
        (&["demo", "--records", "1000000"], "from 1 to 100000", "--records 200"),
        (&["sync", "--timeout", "0"], "from 1 to 86400", "--timeout 60"),
        (&["record", "list", "--limit", "0"], "from 1 to 10000", "--limit 500"),
    ] {
        let ended = desk.json(line);
        assert_eq!((ended.exit, ended.kind().as_str()), (2, "usage"), "{line:?}");
        assert!(part(&ended, "cause").contains(limits), "{line:?}: {}", ended.stdout);
        assert!(part(&ended, "hint").contains(hint), "{line:?}: {}", ended.stdout);
    }
    let told = desk.typed(&["demo", "--villages", "13"], "").stderr;
    assert!(told.contains("1 sampai 12") && told.contains("wksbm demo --villages 5"), "{told}");
    let help = desk.typed(&["demo", "--help"], "").stdout;
    assert!(help.contains("1 sampai 12") && help.contains("1 sampai 100000"), "{help}");
}
