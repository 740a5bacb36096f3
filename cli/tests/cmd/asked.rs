//! What a program reads that asks the local API wrongly: one object in every case, with the right
//! status, in its language, without a path, and with a hint it can use.

use serde_json::{Value, json};

use crate::desk::{DESA, Desk};
use crate::served::Served;

/// A file named after a person.
const NAMED: &str = "Kembangsepatu-laporan.wksbm";

/// The object of a refusal, after its status was compared.
fn refused(sent: (u16, String, String), status: u16) -> Value {
    let (got, head, body) = sent;
    assert_eq!(got, status, "{head}\n{body}");
    assert!(head.contains("content-type: application/json"), "{head}");
    let object: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(object.get("v").unwrap(), 1);
    for part in ["kind", "message", "cause", "hint"] {
        let said = object.pointer(&format!("/error/{part}")).and_then(Value::as_str).unwrap();
        assert!(!said.is_empty() && !said.contains('$'), "{part}: {object}");
    }
    object.get("error").unwrap().clone()
}

fn text(error: &Value, part: &str) -> String {
    error.get(part).and_then(Value::as_str).unwrap().to_owned()
}

#[test]
fn every_refusal_is_one_object_with_a_status_of_its_own() {
    let desk = Desk::province();
    let served = Served::on(&desk);
    let (host, bearer) = (served.host(), format!("Bearer {}", served.token));
    let may = [("host", host.as_str()), ("authorization", bearer.as_str())];
    let json = [&may[..], &[("content-type", "application/json; charset=utf-8")]].concat();
    let unknown = [("host", host.as_str())];
    let large = format!("{{\"kind\":\"{}\"}}", "x".repeat(17 << 20));
    for (line, headers, body, status) in [
        ("POST /v1/status", &json[..], "[]", 400),
        ("POST /v1/status", &json, "{", 400),
        ("POST /v1/status", &json, "\"text\"", 400),
        ("POST /v1/status", &json, "{\"nothing\":1}", 400),
        ("POST /v1/sync", &json, "[\"/ip4/127.0.0.1/tcp/1\",1]", 400),
        ("POST /v1/sync", &json, "{\"peer\":\"nowhere\"}", 400),
        ("POST /v1/sync", &json, "{\"peer\":\"/ip4/127.0.0.1/tcp/1\",\"timeout\":0}", 400),
        ("POST /v1/record/show", &json, "{}", 400),
        ("POST /v1/status", &may, "{}", 415),
        ("POST /v1/sync", &may, "{}", 415),
        ("GET /v1/status", &json, "", 405),
        ("DELETE /v1/openapi.json", &json, "", 405),
        ("PUT /v1/hello", &json, "", 405),
        ("DELETE /", &json, "", 405),
        ("POST /v1/none", &json, "{}", 404),
        ("GET /v1", &json, "", 404),
        ("DELETE /v1/asks/none", &json, "", 404),
        ("DELETE /v1/asks/no_name", &json, "", 400),
        ("GET /v1/asks/no_name", &json, "", 400),
        ("GET /v1/asks/Siti%20Aminah", &json, "", 400),
        (&format!("GET /v1/asks/{}", "a".repeat(65)), &json, "", 400),
        ("POST /v1/page", &json, "{\"nothing\":1}", 400),
        ("POST /v1/page", &json, "[]", 400),
        ("POST /v1/page", &json, "{", 400),
        ("POST /v1/page", &may, "{}", 415),
        ("POST /v1/record/list", &json, &large, 413),
        ("POST /v1/status", &unknown, "{}", 401),
    ] {
        let error = refused(served.sent(line, headers, body), status);
        assert_eq!(error.get("kind").unwrap(), "usage", "{line}");
        let hint = text(&error, "hint");
        assert!(!hint.contains("--help"), "{line}: {hint}");
    }
    let wrong = refused(served.sent("POST /v1/record/show", &json, "{}"), 400);
    assert!(text(&wrong, "hint").contains("POST /v1/record/show"), "{wrong}");
    assert!(text(&wrong, "cause").contains("`record`"), "{wrong}");
}

#[test]
fn a_list_that_asks_for_nothing_or_for_everything_is_refused() {
    let desk = Desk::province();
    desk.activity(DESA, "Rapat");
    let served = Served::on(&desk);
    for limit in [0, 10_001, u32::MAX] {
        let (status, object) = served.asked("record/list", &json!({"limit": limit}));
        assert_eq!(status, 400, "{limit}: {object}");
        let hint = object.pointer("/error/hint").unwrap().to_string();
        assert!(hint.contains("POST /v1/record/list"), "{hint}");
    }
    for limit in [1, 10_000] {
        let (status, object) = served.asked("record/list", &json!({"limit": limit}));
        assert_eq!((status, object.get("total").unwrap()), (200, &json!(1)), "{object}");
    }
}

#[test]
fn a_file_named_from_nowhere_is_refused_before_anything_is_done() {
    let desk = Desk::province();
    let served = Served::on(&desk);
    for (path, ask, place) in [
        ("bundle/export", json!({"for": "all", "file": NAMED}), "/file"),
        ("bundle/import", json!({"files": ["/there", NAMED]}), "/files/1"),
        ("bundle/inspect", json!({"file": ""}), "/file"),
        ("import", json!({"file": "/x", "kind": "ppks", "area": DESA, "map": NAMED}), "/map"),
        ("invite", json!({"area": DESA, "file": "./x"}), "/file"),
    ] {
        let (status, object) = served.asked(path, &ask);
        assert_eq!(status, 400, "{object}");
        let told = object.to_string();
        assert!(told.contains(&format!("`{place}`")), "{told}");
        assert!(!told.contains("Kembangsepatu"), "{told}");
    }
    assert!(!std::path::Path::new(NAMED).exists());
}

#[test]
fn no_failure_tells_a_path_to_a_program_and_the_command_shows_what_was_typed() {
    let desk = Desk::province();
    let served = Served::on(&desk);
    let at = |name: &str| desk.path(name);
    let foreign = desk.write(NAMED, "dear sir");
    let (inside, none) = (desk.data().join(NAMED).display().to_string(), at("no/Kembangsepatu"));
    for (path, ask, place) in [
        ("bundle/import", json!({"files": [at("other"), &foreign]}), "/files/"),
        ("bundle/inspect", json!({"file": foreign}), "/file"),
        ("bundle/export", json!({"for": "all", "file": foreign}), "/file"),
        ("bundle/export", json!({"for": "all", "file": inside}), "/file"),
        ("bundle/export", json!({"for": "all", "file": none}), "/file"),
        ("import", json!({"file": none, "kind": "ppks", "area": DESA}), "/file"),
        ("invite", json!({"area": DESA, "file": none}), "/file"),
    ] {
        let (status, object) = served.asked(path, &ask);
        assert!(status >= 400, "{object}");
        let told = object.to_string();
        assert!(!told.contains("Kembangsepatu"), "{told}");
        assert!(!told.contains(desk.data().parent().unwrap().to_str().unwrap()), "{told}");
        assert!(told.contains(place), "{told}");
    }
    let typed = desk.typed(&["bundle", "inspect", &foreign], "");
    assert!(typed.stderr.contains(&format!("`{foreign}`")), "{}", typed.stderr);
    let typed = desk.json(&["bundle", "inspect", &foreign]);
    assert!(typed.stdout.contains(&format!("`{foreign}`")), "{}", typed.stdout);
}

#[test]
fn a_browser_without_a_way_in_reads_how_to_come_in() {
    let desk = Desk::province();
    let served = Served::on(&desk);
    let host = served.host();
    let browser = [("host", host.as_str()), ("accept", "text/html,application/xhtml+xml")];
    for line in ["GET /", "GET /catatan", "GET /enter?token=0", "GET /metrics"] {
        let (status, head, body) = served.sent(line, &browser, "");
        assert_eq!(status, 401, "{line}");
        assert!(head.contains("content-type: text/html"), "{head}");
        assert!(head.contains("content-security-policy") && head.contains("no-store"), "{head}");
        assert!(body.contains(r#"<html lang="id">"#) && body.contains("wksbm page"), "{body}");
        assert!(!body.contains("Uji"), "{body}");
    }
    for asset in ["GET /gaya.css", "GET /ikon.svg"] {
        assert_eq!(served.sent(asset, &browser, "").0, 200, "{asset}");
    }
    let program = refused(served.sent("GET /", &[("host", &host)], ""), 401);
    assert!(text(&program, "hint").contains("token_file"), "{program}");
}

#[test]
fn one_command_prints_a_link_that_opens_the_pages_once() {
    let desk = Desk::province();
    let none = desk.json(&["page"]);
    assert_eq!((none.exit, none.kind().as_str()), (3, "file_missing"));
    assert!(desk.typed(&["page"], "").stderr.contains("wksbm run"));
    let served = Served::on(&desk);
    let link = desk.json(&["page"]).done();
    crate::objects::is_as_documented("page", &link);
    let link = link.get("link").unwrap().as_str().unwrap().to_owned();
    let path = link.strip_prefix(&format!("http://{}", served.host())).unwrap().to_owned();
    assert!(!link.contains(&served.token));
    let host = served.host();
    let ours = [("host", host.as_str())];
    let (status, head, _) = served.sent(&format!("HEAD {path}"), &ours, "");
    assert_eq!(status, 405, "who only looks uses no link up");
    assert!(head.contains("allow: get"), "{head}");
    let (status, head, _) = served.sent(&format!("GET {path}"), &ours, "");
    assert_eq!(status, 303);
    let cookie = head.split("set-cookie: ").nth(1).unwrap().split(';').next().unwrap();
    let (status, _, page) = served.sent("GET /", &[ours[0], ("cookie", cookie)], "");
    assert_eq!((status, page.contains("<html")), (200, true));
    assert_eq!(served.sent(&format!("GET {path}"), &ours, "").0, 401);
    let people = desk.typed(&["page"], "").stdout;
    assert!(people.contains("/enter?token=") && people.contains("lima menit"), "{people}");
}

#[test]
#[expect(clippy::panic, reason = "what panics here is what is tested")]
fn a_state_that_cannot_be_ends_the_node_and_says_so_and_the_store_opens_again() {
    let desk = Desk::province();
    desk.activity(DESA, "Rapat");
    let served = Served::on(&desk);
    let mut events = served.running.events();
    let asked = served.running.ask(|_| -> () { panic!("Kembangsepatu") });
    let asked = tokio::runtime::Runtime::new().unwrap().block_on(asked);
    assert!(asked.is_err());
    let at = served.running.broken().unwrap().to_owned();
    let (status, object) = served.asked("status", &json!({}));
    assert_eq!((status, object.pointer("/error/kind").unwrap()), (500, &json!("internal")));
    assert!(object.pointer("/error/cause").unwrap().to_string().contains(&at), "{object}");
    let heard = events.blocking_recv().unwrap();
    assert_eq!(heard, node::live::Event::Broken { at });
    drop(served);
    assert_eq!(desk.json(&["status"]).done().get("records").unwrap(), 1);
    assert_eq!(desk.json(&["verify"]).done().get("ok").unwrap(), true);
}
