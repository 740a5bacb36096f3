//! More connections to the local API than may be, silent ones, and bodies that are said to be too large.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use cli::api::Limits;
use serde_json::{Value, json};

use crate::desk::Desk;
use crate::served::Served;

/// Until whatever is waited for counts as stuck; the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longer than any test here.
const NEVER: Duration = Duration::from_secs(600);
const HALF: &str = "POST /v1/status HTTP/1.1\r\n";

/// A connection over which this was sent and nothing else.
fn sent(served: &Served, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(served.host()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // Whoever has to give way may be gone before all is sent.
    let _sent = stream.write_all(text.as_bytes());
    stream
}

/// What comes until the node closes the connection.
fn rest(mut stream: TcpStream) -> String {
    let mut all = Vec::new();
    match stream.read_to_end(&mut all) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("it stays: {error}"),
        _ => String::from_utf8(all).unwrap(),
    }
}

fn is_open(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let read = { stream }.read(&mut [0; 1]);
    read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

/// The beginning of a stream of events, with the token.
fn listens(served: &Served) -> (TcpStream, String) {
    let (host, token) = (served.host(), &served.token);
    let head = format!("host: {host}\r\nauthorization: Bearer {token}");
    let mut stream = sent(served, &format!("GET /v1/events HTTP/1.1\r\n{head}\r\n\r\n"));
    let mut begins = [0; 12];
    stream.read_exact(&mut begins).unwrap();
    (stream, String::from_utf8(begins.to_vec()).unwrap())
}

/// A count of the node's metrics.
fn count(served: &Served, name: &str) -> u64 {
    let (host, bearer) = (served.host(), format!("Bearer {}", served.token));
    let headers = [("host", host.as_str()), ("authorization", bearer.as_str())];
    let (status, _, text) = served.sent("GET /metrics", &headers, "");
    assert_eq!(status, 200, "{text}");
    let counted = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    counted.unwrap_or_else(|| panic!("no `{name}` in {text}"))
}

#[test]
fn a_crowd_of_silent_connections_gives_way_to_whoever_asks() {
    let desk = Desk::province();
    let served = Served::within(&desk, Limits { head: NEVER, ..Limits::default() });
    let most = Limits::default().connections;
    let mut crowd: Vec<TcpStream> = (0..400).map(|_| sent(&served, HALF)).collect();
    assert_eq!(desk.json(&["status"]).done().get("running"), Some(&json!(true)));
    assert_eq!(served.asked("status", &json!({})).0, 200);
    assert!(count(&served, "wksbm_api_gave_way_total ") >= 400 - most as u64);
    assert!(count(&served, "wksbm_api_connections ") <= most as u64);
    let newest = crowd.split_off(399);
    assert!(newest.iter().all(is_open), "the newest stays");
    crowd.truncate(400 - most);
    for oldest in crowd {
        assert_eq!(rest(oldest), "");
    }
}

#[test]
fn a_head_that_does_not_end_ends_the_connection_and_so_does_silence_after_an_answer() {
    let desk = Desk::province();
    let head = Duration::from_millis(300);
    let served = Served::within(&desk, Limits { head, ..Limits::default() });
    let host = served.host();
    let silent = [sent(&served, ""), sent(&served, HALF)];
    for stream in silent {
        assert_eq!(rest(stream), "");
    }
    let hello = format!("GET /v1/hello?nonce=1 HTTP/1.1\r\nhost: {host}\r\n\r\n");
    let answered = rest(sent(&served, &hello));
    assert!(answered.starts_with("HTTP/1.1 200") && answered.contains("proof"), "{answered}");
    let large = format!("GET / HTTP/1.1\r\nx: {}", "x".repeat(20 << 10));
    assert!(rest(sent(&served, &large)).starts_with("HTTP/1.1 431"));
}

#[test]
fn who_has_shown_the_token_is_never_closed_for_another_and_streams_leave_room_for_questions() {
    let desk = Desk::province();
    let limits = Limits { connections: 3, streams: 2, head: NEVER };
    let served = Served::within(&desk, limits);
    let streams = [listens(&served), listens(&served)];
    assert!(streams.iter().all(|(_, begins)| begins == "HTTP/1.1 200"));
    let (third, begins) = listens(&served);
    assert_eq!(begins, "HTTP/1.1 429");
    // It showed the token, so it keeps the last seat.
    assert_eq!(rest(sent(&served, HALF)), "");
    drop(third);
    let refused = (0..600).find_map(|_| {
        std::thread::sleep(Duration::from_millis(20));
        // Until the node has seen that the third went.
        let stream = sent(&served, HALF);
        std::thread::sleep(Duration::from_millis(20));
        is_open(&stream).then(|| drop(stream)).map(|()| count(&served, "wksbm_api_refused_total "))
    });
    assert!(refused.unwrap() >= 1);
    let (host, bearer) = (served.host(), format!("Bearer {}", served.token));
    let headers = [("host", host.as_str()), ("authorization", bearer.as_str())];
    let (status, _, body) = served.sent("GET /v1/events", &headers, "");
    let told: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, told.pointer("/error/kind")), (429, Some(&json!("usage"))), "{told}");
    assert!(told.pointer("/error/hint").and_then(Value::as_str).is_some_and(|it| !it.is_empty()));
    for (stream, _) in &streams {
        stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        let mut stream = stream;
        let ended = std::iter::repeat_with(|| stream.read(&mut [0; 256]))
            .find(|read| !matches!(read, Ok(1..)));
        assert!(ended.unwrap().is_err(), "the stream goes on");
    }
}

#[test]
fn a_body_said_to_be_too_large_is_refused_before_any_of_it_comes() {
    let desk = Desk::province();
    let served = Served::on(&desk);
    let (host, token) = (served.host(), &served.token);
    let head = |more: &str| {
        format!(
            "POST /v1/record/list HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\naccept-language: en\r\n{more}\r\n"
        )
    };
    let large = (16 << 20) + 1;
    for more in ["", "expect: 100-continue\r\n"] {
        let answer = rest(sent(&served, &head(&format!("content-length: {large}\r\n{more}"))));
        let (told, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(told.starts_with("HTTP/1.1 413"), "{told}");
        let object: Value = serde_json::from_str(body).unwrap();
        assert_eq!(object.pointer("/error/kind"), Some(&json!("usage")), "{object}");
    }
    // What is sent at once is taken, so that who reads only afterwards reads the answer.
    let whole = format!("content-length: {large}\r\nconnection: close\r\n");
    let answer = rest(sent(&served, &(head(&whole) + &"x".repeat(large))));
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert_eq!(served.asked("status", &json!({})).0, 200);
}
