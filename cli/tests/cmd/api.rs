//! A node that runs answers as a node that is opened: the same objects, the same exit codes.

use std::io::{Read, Write};
use std::path::Path;

use serde_json::{Value, json};

use crate::desk::{DESA, Desk, Ended};
use crate::served::Served;

/// What is new each time, or says by itself that a node runs, made the same.
fn steady(value: &mut Value) {
    const APART: [&str; 16] = [
        "bundle",
        "bytes",
        "changed_at",
        "claimed_at",
        "deps",
        "entry",
        "heads",
        "expires_at",
        "free",
        "instance",
        "invitation",
        "last_contact",
        "made_at",
        "received_at",
        "root",
        "seconds",
    ];
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if APART.contains(&name.as_str()) || name == "running" {
                    *field = Value::Null;
                }
                steady(field);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(steady),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn same(line: &[&str], opened: &Ended, running: &Ended, apart: (&Path, &Path)) {
    assert_eq!(running.exit, opened.exit, "{line:?}\n{}", running.stdout);
    let without =
        |text: &str, data: &Path| text.replace(data.parent().unwrap().to_str().unwrap(), "");
    let at = |ended: &Ended, data: &Path| {
        let mut value = ended.object();
        steady(&mut value);
        without(&value.to_string(), data)
    };
    assert_eq!(at(running, apart.1), at(opened, apart.0), "{line:?}");
    let told = (without(&running.stderr, apart.1), without(&opened.stderr, apart.0));
    assert_eq!(told.0, told.1, "{line:?}");
}

#[test]
fn every_command_answers_alike_whether_a_node_runs_or_not() {
    let opened = Desk::province();
    opened.activity(DESA, "Rapat koordinasi");
    let record = opened.activity(DESA, "Rapat lain");
    let running = opened.copy();
    let served = Served::on(&running);
    let (here, there) = (opened.data(), running.data());
    let fields = ["record", "add", "kegiatan", "--area", DESA, "--fields", "-", "--json"];
    let wrong = r#"{"judul":1}"#;
    let (a, b) = (opened.typed(&fields, wrong), running.typed(&fields, wrong));
    same(&fields, &a, &b, (&here, &there));
    let sheet = "Judul;Kode Program\nRapat;G.5.1.4\n";
    for line in [
        &["status"][..],
        &["root"],
        &["root", "--area", "99"],
        &["area", "show", DESA],
        &["area", "show", "nothing"],
        &["area", "list", "--under", "32.09.21"],
        &["member", "list"],
        &["member", "confirm", "12345678"],
        &["invite", "--area", DESA, "-o", "@/undangan"],
        &["invite", "--area", DESA, "--rights", "fly", "-o", "@/undangan"],
        &["record", "set", "@ID", "-f", "tempat=Kantor desa"],
        &["record", "set", "@ID", "-f", "tanggal=kemarin"],
        &["record", "set", "@ID", "-f", "nothing=1"],
        &["record", "set", "00000000", "-f", "tempat=x"],
        &["record", "show", "@ID"],
        &["record", "list", "--kind", "kegiatan", "--query", "rapat"],
        &["record", "list", "--after", "nowhere"],
        &["record", "history", "@ID"],
        &["record", "conflicts"],
        &["record", "settle", "@ID", "tempat", "--value", "Balai"],
        &["record", "export", "@ID", "-o", "@/dokumen"],
        &["bundle", "export", "--all", "-o", "@/paket.wksbm"],
        &["bundle", "export", "--all", "-o", "@/none/paket.wksbm"],
        &["bundle", "inspect", "@/paket.wksbm"],
        &["bundle", "import", "@/paket.wksbm"],
        &["bundle", "import", "@/nothing"],
        &["import", "@/lembar.csv", "--kind", "kegiatan", "--area", DESA],
        &["import", "@/lembar.csv", "--kind", "nothing", "--area", DESA, "--apply"],
        &["synth", "--preset", "mini", "--seed", "1", "--into-node", "--records", "5"],
        &["peer", "add", "/ip4/127.0.0.1/udp/9/quic-v1"],
        &["peer", "add", "nowhere"],
        &["peer", "remove", "/ip4/127.0.0.1/udp/9/quic-v1"],
        &["peer", "list"],
        &["verify"],
    ] {
        let on = |desk: &Desk| {
            desk.write("lembar.csv", sheet);
            let line: Vec<String> = line
                .iter()
                .map(|word| match word.strip_prefix("@/") {
                    Some(file) => desk.path(file),
                    None => word.replace("@ID", &record),
                })
                .collect();
            let line: Vec<&str> = line.iter().map(String::as_str).collect();
            desk.json(&line)
        };
        same(line, &on(&opened), &on(&running), (&here, &there));
    }
    assert_eq!(running.json(&["status"]).done().get("running").unwrap(), true);
    drop(served);
    assert_eq!(running.json(&["status"]).done().get("running").unwrap(), false);
    for note in ["run.json", "api.token"] {
        assert!(!there.join(note).exists(), "{note}");
    }
}

/// A copy of a folder has the notes of the node that runs on the other: what is asked of the copy is
/// answered, and done, there alone.
#[test]
fn a_copy_of_the_folder_of_a_running_node_is_asked_itself() {
    let desk = Desk::province();
    desk.activity(DESA, "Rapat");
    let served = Served::on(&desk);
    assert_eq!(desk.json(&["status"]).done().get("running").unwrap(), true);
    let copy = desk.copy();
    assert!(copy.data().join("run.json").exists());
    copy.activity(DESA, "Rapat di salinan");
    let records = |of: &Desk| of.json(&["status"]).done().get("records").unwrap().clone();
    assert_eq!((records(&copy), records(&desk)), (json!(2), json!(1)));
    let store = copy.data().join("feed.redb");
    let bytes = std::fs::read(&store).unwrap();
    std::fs::write(&store, bytes.get(..bytes.len() / 2).unwrap()).unwrap();
    assert_eq!(copy.json(&["verify"]).exit, 7, "it is the copy that is damaged");
    assert_eq!(desk.json(&["verify"]).exit, 0);
    drop(served);
}

#[test]
fn a_stranger_on_this_machine_is_refused_and_told_nothing() {
    let desk = Desk::province();
    let served = Served::on(&desk);
    let (host, bearer) = (served.host(), format!("Bearer {}", served.token));
    let ours = ("host", host.as_str());
    let may = ("authorization", bearer.as_str());
    let json = ("content-type", "application/json");
    let wrong = format!("Bearer {}", "0".repeat(64));
    for (status, headers) in [
        (200, &[ours, may, json][..]),
        (401, &[ours, json]),
        (401, &[ours, ("authorization", wrong.as_str()), json]),
        (403, &[("host", "rebind.invalid"), may, json]),
        (403, &[ours, may, json, ("origin", "http://page.invalid")]),
        (415, &[ours, may, ("content-type", "text/plain")]),
    ] {
        let (got, head, body) = served.sent("POST /v1/status", headers, "{}");
        assert_eq!(got, status, "{headers:?} {body}");
        assert!(head.contains("cache-control: no-store"), "{head}");
        assert_eq!(body.contains("network"), status == 200, "{body}");
        assert!(!body.contains(&served.token));
    }
    let link = served.api.as_ref().unwrap().link().unwrap();
    let path = link.split_once(&host).unwrap().1.to_owned();
    let (status, head, _) = served.sent(&format!("GET {path}"), &[ours], "");
    assert_eq!(status, 303, "{head}");
    let cookie = head.split("set-cookie: ").nth(1).unwrap().split(';').next().unwrap().to_owned();
    let (status, _, page) = served.sent("GET /v1/openapi.json", &[ours, ("cookie", &cookie)], "");
    assert_eq!((status, page.contains("3.1.0")), (200, true));
    assert_eq!(served.sent(&format!("GET {path}"), &[ours], "").0, 401);
    let (status, _, page) = served.sent("GET /", &[ours, ("cookie", &cookie)], "");
    assert_eq!((status, page.contains("<html")), (200, true), "{page}");
    assert_eq!(served.sent("GET /", &[ours], "").0, 401);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let token = std::fs::metadata(desk.data().join("api.token")).unwrap();
        assert_eq!(token.permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_search_of_signs_alone_lists_nobody_over_the_api_and_on_the_page() {
    let desk = Desk::province();
    desk.activity(DESA, "Rapat");
    let served = Served::on(&desk);
    for query in ["", "%", "---"] {
        let (status, refused) = served.asked("record/list", &json!({"query": query}));
        assert_eq!((status, refused.pointer("/error/kind")), (400, Some(&json!("usage"))));
    }
    let host = served.host();
    let ours = ("host", host.as_str());
    let link = served.api.as_ref().unwrap().link().unwrap();
    let path = link.split_once(&host).unwrap().1.to_owned();
    let (_, head, _) = served.sent(&format!("GET {path}"), &[ours], "");
    let cookie = head.split("set-cookie: ").nth(1).unwrap().split(';').next().unwrap().to_owned();
    let form = ("content-type", "application/x-www-form-urlencoded");
    let origin = format!("http://{host}");
    let headers = [ours, ("cookie", cookie.as_str()), ("origin", origin.as_str()), form];
    for (typed, shown, said) in [
        ("kata=%25%25", false, "Pencarian memerlukan huruf atau angka."),
        ("kata=rapat", true, "1 catatan cocok."),
        ("kata=", true, "1 catatan."),
    ] {
        let (status, head, _) = served.sent("POST /catatan", &headers, typed);
        assert_eq!(status, 303, "{head}");
        let to = head.split("location: ").nth(1).unwrap().split("\r\n").next().unwrap();
        let (_, _, page) = served.sent(&format!("GET {to}"), &headers, "");
        assert!(page.contains(said), "{typed}: {page}");
        assert_eq!(page.contains("Rapat</"), shown, "{typed}: {page}");
    }
}

#[test]
fn a_question_that_is_none_is_refused_without_repeating_a_value() {
    let desk = Desk::province();
    let served = Served::on(&desk);
    for (ask, status) in [
        (json!({"kind": "ppks", "area": DESA, "changes": "Rahasia"}), 400),
        (json!({"kind": "ppks", "area": DESA, "person": "Rahasia", "changes": []}), 400),
        (
            json!({"kind": "ppks", "area": DESA, "changes": [{"field": "nik", "op": "put", "value": "Rahasia"}]}),
            422,
        ),
    ] {
        let (got, object) = served.asked("record/add", &ask);
        assert_eq!(got, status, "{object}");
        assert!(!object.to_string().contains("Rahasia"), "{object}");
        let hint = object.pointer("/error/hint").unwrap().as_str().unwrap();
        assert!(!hint.is_empty());
    }
    assert_eq!(served.asked("record/list", &json!({})).1.get("total").unwrap(), 0);
    assert_eq!(served.asked("no/such", &json!({})).0, 404);
}

#[test]
fn long_work_tells_how_far_it_is_and_ends_when_it_is_stopped_or_nobody_waits() {
    let desk = Desk::province();
    let served = Served::on(&desk);
    let (host, bearer) = (served.host(), format!("Bearer {}", served.token));
    let base = [
        ("host", host.as_str()),
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    let with = |name| [&base[..], &[("wksbm-ask", name)]].concat();
    let ask = json!({"preset": "kab", "seed": 7, "area": "32.09"}).to_string();
    let mut events = served.open("GET /v1/events?ask=one", &base, "");
    let answer = served.open("POST /v1/synth", &with("one"), &ask);
    let (mut seen, mut buffer) = (String::new(), [0; 4_096]);
    while !seen.contains("\"done\":") {
        let read = events.read(&mut buffer).unwrap();
        assert!(read > 0, "{seen}");
        seen.push_str(&String::from_utf8_lossy(buffer.get(..read).unwrap()));
    }
    assert!(seen.contains("event: progress") && seen.contains(r#""ask":"one""#), "{seen}");
    assert_eq!(served.sent("DELETE /v1/asks/two", &base, "").0, 404);
    assert_eq!(served.sent("DELETE /v1/asks/one", &base, "").0, 204);
    let (mut answer, mut told) = (answer, String::new());
    answer.read_to_string(&mut told).unwrap();
    assert!(told.starts_with("HTTP/1.1 503") && told.contains("interrupted"), "{told}");
    // Another, whose asker hangs up: the node is free again long before it could be done.
    drop(served.open("POST /v1/synth", &with("two"), &ask));
    let (status, kept) = served.asked("status", &json!({}));
    assert_eq!(status, 200);
    // What was whole is kept, and nothing half made came along.
    let (_, found) = served.asked("verify", &json!({}));
    assert_eq!(found.get("ok").unwrap(), true, "{found}");
    assert!(kept.get("records").unwrap().as_u64().unwrap() < 300_000);
}

#[test]
fn a_note_left_behind_is_no_node_and_a_listener_without_the_token_is_told_nothing() {
    let desk = Desk::province();
    let served = Served::on(&desk);
    let note = std::fs::read(desk.data().join("run.json")).unwrap();
    let token = served.token.clone();
    drop(served);
    let thief = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut stale: Value = serde_json::from_slice(&note).unwrap();
    *stale.get_mut("api").unwrap() = json!(format!("http://{}", thief.local_addr().unwrap()));
    std::fs::write(desk.data().join("run.json"), stale.to_string()).unwrap();
    std::fs::write(desk.data().join("api.token"), &token).unwrap();
    let heard = std::thread::spawn(move || {
        let (mut stream, _) = thief.accept().unwrap();
        let mut buffer = [0; 4_096];
        let read = stream.read(&mut buffer).unwrap();
        let answer = r#"{"v":1,"proof":"00","trial":true}"#;
        let length = answer.len();
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{answer}").unwrap();
        String::from_utf8_lossy(buffer.get(..read).unwrap()).into_owned()
    });
    let write = desk.json(&["record", "list", "--query", "Kembangsepatu"]).done();
    assert_eq!(write.get("total").unwrap(), 0);
    let heard = heard.join().unwrap();
    assert!(heard.starts_with("GET /v1/hello?nonce="), "{heard}");
    assert!(!heard.contains(&token) && !heard.contains("Kembangsepatu"), "{heard}");
}
